/* SPDX-License-Identifier: MIT */
/* progress: the bar of a long read. */
#include "ui/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "captures/base/text.h"
#include "ui/words.h"

enum { BAR_CELLS = 16, LINE_COLUMNS = 79 };

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

void progress_begin(struct progress *p, const char *name, bool ascii)
{
	const char *slash = strrchr(name, '/');

	*p = (struct progress){ .wanted = isatty(STDERR_FILENO) == 1, .ascii = ascii };
	text_escape(span_of(slash && slash[1] ? slash + 1 : name), p->name, sizeof p->name);
	if (p->wanted)
		p->started_ns = p->drawn_ns = monotonic_ns();
}

static void add_bar(struct text *t, const struct progress *p, double share)
{
	for (int i = 0; i < BAR_CELLS; i++)
		text_add(t, share * BAR_CELLS >= i + 0.5 ? (p->ascii ? "#" : "█") : (p->ascii ? "." : "·"));
}

void progress_line(struct text *t, const struct progress *p, int64_t since_ns, uint64_t done_bytes,
	uint64_t total_bytes, uint64_t frames)
{
	double seconds = since_ns > 0 ? (double)since_ns / SECOND_NS : 1, share;
	char done[WORDS], total[WORDS], rate[WORDS], count[WORDS], left[NS_TEXT];

	words_cut(t, p->name, 20, true);
	words_bytes((uint64_t)((double)done_bytes / seconds), rate);
	if (total_bytes == 0) {
		text_addf(t, "  %s  %s/s  %s frames", words_bytes(done_bytes, done), rate, words_count(frames, count));
		return;
	}
	share = (double)done_bytes / (double)total_bytes;
	share = share < 1 ? share : 1;
	text_add(t, " ");
	add_bar(t, p, share);
	text_addf(t, " %.0f %%  %s of %s  %s/s", share * 100, words_bytes(done_bytes, done),
		words_bytes(total_bytes, total), rate);
	if (share > 0 && (1 - share) / share * seconds < 1e6)
		text_addf(t, "  %s left", ns_duration((int64_t)((1 - share) / share * seconds * SECOND_NS), left));
}

void progress_update(struct progress *p, uint64_t done_bytes, uint64_t total_bytes, uint64_t frames)
{
	int64_t now_ns;
	struct text line, cut;

	if (!p->wanted)
		return;
	now_ns = monotonic_ns();
	if (now_ns - p->drawn_ns < (p->shown ? SECOND_NS / 5 : SECOND_NS / 2))
		return;
	p->drawn_ns = now_ns;
	p->shown = true;
	text_init(&line);
	text_init(&cut);
	progress_line(&line, p, now_ns - p->started_ns, done_bytes, total_bytes, frames);
	words_cut(&cut, line.p, LINE_COLUMNS, false);
	fprintf(stderr, "\r\x1b[K%s", cut.p);
	fflush(stderr);
	text_fini(&cut);
	text_fini(&line);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\x1b[K", stderr);
	p->shown = p->wanted = false;
}
