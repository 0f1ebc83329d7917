/* SPDX-License-Identifier: MIT */
/* kept: "name value" lines, and the file they stand in. */
#include "ui/dashboard/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ui/dashboard/call_table.h"
#include "ui/places.h"

enum { FILE_MOST = 4096 };

static const char *const palettes[] = { "auto", "16", "none", NULL }, *const glyphs[] = { "auto", "ascii", NULL },
	*const opens[] = { "call", "ladder", NULL }, *const bells[] = { "off", "on", NULL },
	*const stream_sorts[STREAM_SORTS + 1] = { [STREAM_SORT_CALL] = "call", [STREAM_SORT_PACKETS] = "packets",
		[STREAM_SORT_LOST] = "lost", [STREAM_SORT_JITTER] = "jitter", [STREAM_SORT_MOS] = "mos" };

/* ---- as text ---- */

static void add_columns(const struct dashboard *d, struct text *t)
{
	const char *gap = "columns ";

	for (unsigned i = 0; i < CALL_COLUMNS; i++) {
		if (!(d->columns_on >> d->column_order[i] & 1))
			continue;
		text_addf(t, "%s%s", gap, call_column_name((enum call_column)d->column_order[i]));
		gap = ", ";
	}
	text_add(t, "\n");
}

void kept_text(const struct dashboard *d, struct text *t)
{
	text_add(t, "# deadair: settings of the dashboard; F8 w in it writes them anew\n");
	text_addf(t, "colours %s\n", palettes[d->palette % 3]);
	text_addf(t, "glyphs %s\n", glyphs[d->glyphs != 0]);
	text_addf(t, "enter %s\n", opens[d->enter_ladder]);
	text_addf(t, "bell %s\n", bells[d->bell]);
	text_addf(t, "calls-by %s%s\n", call_column_name((enum call_column)d->sort), d->sort_down ? ", down" : "");
	text_addf(t, "streams-by %s%s\n", stream_sorts[d->stream_sort % STREAM_SORTS],
		d->stream_sort_down ? ", down" : "");
	add_columns(d, t);
}

static bool choice_of(struct span value, const char *const *words, unsigned *ret)
{
	for (unsigned i = 0; words[i]; i++) {
		if (span_equal_nocase(value, span_of(words[i]))) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool column_of(struct span name, unsigned *ret)
{
	for (unsigned i = 0; i < CALL_COLUMNS; i++) {
		if (span_equal_nocase(name, span_of(call_column_name((enum call_column)i)))) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Those named, in that order; then the others, which are not shown. The number always is. */
static void take_columns(struct dashboard *d, struct span value)
{
	uint64_t on = 0;
	unsigned count = 0, which;
	struct span name;

	while (span_split(&value, ',', &name)) {
		if (!column_of(span_trim(name), &which) || on >> which & 1)
			continue;
		d->column_order[count++] = (uint8_t)which;
		on |= UINT64_C(1) << which;
	}
	for (unsigned i = 0; i < CALL_COLUMNS; i++)
		if (!(on >> i & 1))
			d->column_order[count++] = (uint8_t)i;
	d->columns_on = on | UINT64_C(1) << COLUMN_NUMBER;
}

static void take_setting(struct dashboard *d, struct span name, struct span value)
{
	struct span rest = value, by, down = SPAN_NONE;
	unsigned n;

	span_split(&rest, ',', &by);
	span_split(&rest, ',', &down);
	by = span_trim(by);
	if (span_equal(name, SPAN("colours")) && choice_of(value, palettes, &n)) {
		d->palette = (uint8_t)n;
	} else if (span_equal(name, SPAN("glyphs")) && choice_of(value, glyphs, &n)) {
		d->glyphs = (uint8_t)n;
	} else if (span_equal(name, SPAN("enter")) && choice_of(value, opens, &n)) {
		d->enter_ladder = n;
	} else if (span_equal(name, SPAN("bell")) && choice_of(value, bells, &n)) {
		d->bell = n;
	} else if (span_equal(name, SPAN("calls-by")) && column_of(by, &n)) {
		d->sort = (uint8_t)n;
		d->sort_down = span_equal(span_trim(down), SPAN("down"));
	} else if (span_equal(name, SPAN("streams-by")) && choice_of(by, stream_sorts, &n)) {
		d->stream_sort = (uint8_t)n;
		d->stream_sort_down = span_equal(span_trim(down), SPAN("down"));
	} else if (span_equal(name, SPAN("columns"))) {
		take_columns(d, value);
	}
}

void kept_take(struct dashboard *d, struct span text)
{
	struct span line;

	while (span_split(&text, '\n', &line)) {
		size_t blank = span_find(line, ' ');

		take_setting(d, span_first(line, blank), span_trim(span_from(line, blank)));
	}
}

/* ---- in a file ---- */

void kept_read(const char *path, struct dashboard *d)
{
	uint8_t bytes[FILE_MOST];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, bytes, sizeof bytes) : 0;

	if (fd >= 0)
		close(fd);
	if (n > 0)
		kept_take(d, (struct span){ bytes, (size_t)n });
}

static bool write_all(int fd, const struct text *t)
{
	size_t done = 0;

	while (done < t->n) {
		ssize_t n = write(fd, t->p + done, t->n - done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool kept_write(const char *path, const struct dashboard *d, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX], anew[PATH_MAX + 8], shown[256];
	struct text t;
	bool written;
	int fd;

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	snprintf(anew, sizeof anew, "%s.new", path);
	if (!places_make(folder, err))
		return false;
	text_init(&t);
	kept_text(d, &t);
	fd = open(anew, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	written = fd >= 0 && write_all(fd, &t);
	if (fd >= 0)
		written = close(fd) == 0 && written;
	written = written && rename(anew, path) == 0;
	if (!written)
		err_set(err, ERR_FILE, "%s: %s", text_escape(span_of(path), shown, sizeof shown), strerror(errno));
	text_fini(&t);
	return written;
}
