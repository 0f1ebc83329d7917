/* SPDX-License-Identifier: MIT */
/* reader: tells what a file is, and how it ended. */
#include "captures/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "captures/base/text.h"
#include "captures/netmon.h"
#include "captures/pcap.h"
#include "captures/pcapng.h"
#include "captures/stranger.h"

enum { FIRST_BYTES = 8, TAR_MAGIC_AT = 257, TEXT_SHOWN = 24 };

static const struct {
	bool (*begins)(struct span first);
	bool (*open)(struct reader *r);
	bool (*next)(struct reader *r, struct frame *ret_frame);
	size_t (*at_hand)(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns);
} formats[] = {
	{ pcap_begins, pcap_open_file, pcap_next_frame, pcap_frames_at_hand },
	{ pcapng_begins, pcapng_open_file, pcapng_next_frame, pcapng_frames_at_hand },
	{ netmon_begins, netmon_open_file, netmon_next_frame, NULL },
};

void reader_init(struct reader *r, const char *path, uint16_t index, struct names *names)
{
	*r = (struct reader){ .in = { .fd = -1 }, .view = { .name = path }, .names = names, .index = index };
	text_escape(span_of(strcmp(path, "-") == 0 ? "stdin" : path), r->shown, sizeof r->shown);
}

void reader_fini(struct reader *r)
{
	input_close(&r->in);
	pcapng_free(r->pcapng);
	r->pcapng = NULL;
}

/* Memory and descriptor go at the end already: there may be many files. What the view shows stays. */
static void reader_release(struct reader *r)
{
	uint64_t done = r->in.stored_done, total = r->in.stored_total;

	input_close(&r->in);
	r->in.stored_done = done;
	r->in.stored_total = total;
}

static bool reader_ends(struct reader *r)
{
	r->ended = true;
	if (!r->lending)
		reader_release(r);
	return false;
}

bool reader_damaged(struct reader *r, uint64_t offset, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	err_set(&r->view.error, ERR_DAMAGED, "%s: frame %" PRIu64 " at byte %" PRIu64 "%s: %s; reported up to there",
		r->shown, r->view.frames + 1, offset, r->in.unpack ? " unpacked" : "", what);
	return reader_ends(r);
}

bool reader_cut(struct reader *r, uint64_t offset, const char *what)
{
	if (r->in.stopped)
		return reader_ends(r);
	if (r->in.trouble[0])
		return reader_damaged(r, offset, "%s", r->in.trouble);
	return reader_damaged(r, offset, "the file ends inside this %s (cut short or still being written)", what);
}

bool reader_end(struct reader *r)
{
	if (r->in.trouble[0] && !r->in.stopped)
		return reader_damaged(r, r->in.offset, "%s", r->in.trouble);
	return reader_ends(r);
}

bool reader_refused(struct reader *r, enum err_code code, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (r->in.trouble[0])            /* what is missing was lost there */
		err_set(&r->view.error, ERR_DAMAGED, "%s: %s; nothing could be read", r->shown, r->in.trouble);
	else if (!r->in.stopped)
		err_set(&r->view.error, code, "%s: %s", r->shown, what);
	return reader_ends(r);
}

bool reader_unfiltered(struct reader *r, const struct frame *frame, const char *reason)
{
	err_set(&r->view.error, ERR_USAGE,
		"%s: frame %" PRIu32 " at byte %" PRIu64 ": the filter does not fit link type %u: %s; "
		"read up to there",
		r->shown, frame->number, frame->offset, frame->link, reason);
	return reader_ends(r);
}

static bool refuse_empty(struct reader *r)
{
	if (r->in.unpack)
		return reader_refused(r, ERR_FILE, "empty: the %s data holds nothing", unpack_kind_text(r->in.packing));
	return reader_refused(
		r, ERR_FILE, "empty file; nothing was captured, or the capturing program has not written yet");
}

static bool is_tar(struct reader *r)
{
	static const struct span magic = SPAN("ustar");

	input_want(&r->in, TAR_MAGIC_AT + magic.n);
	return r->in.left >= TAR_MAGIC_AT + magic.n && span_starts((struct span){ r->in.p + TAR_MAGIC_AT, magic.n }, magic);
}

/* Its first line as far as it is shown; 0: these are no words. */
static size_t text_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && n < TEXT_SHOWN && s.p[n] >= ' ' && s.p[n] <= '~')
		n++;
	return n == TEXT_SHOWN || (n && n < s.n && (s.p[n] == '\n' || s.p[n] == '\r')) ? n : 0;
}

static bool refuse_stranger(struct reader *r, struct span first)
{
	char hex[FIRST_BYTES * 3 + 1] = "", line[4 * TEXT_SHOWN + 1];
	const char *say;
	size_t text;

	if (unpack_kind_of(first) != UNPACK_NONE)
		return reader_refused(r, ERR_UNSUPPORTED, "%s inside %s; unpack it once: %s -dc FILE | deadair -",
				      unpack_kind_text(unpack_kind_of(first)), unpack_kind_text(r->in.packing),
				      unpack_kind_text(r->in.packing));
	input_want(&r->in, STRANGER_BYTES);
	say = stranger_say(r->view.name, (struct span){ r->in.p, r->in.left < STRANGER_BYTES ? r->in.left : STRANGER_BYTES });
	if (say)
		return reader_refused(r, ERR_UNSUPPORTED, "%s", say);
	if (is_tar(r))
		return reader_refused(r, ERR_UNSUPPORTED,
			"tar, which deadair does not read; unpack it: tar -xOf FILE | deadair -");
	first = (struct span){ r->in.p, r->in.left };
	text = text_length(first);
	if (text)
		return reader_refused(r, ERR_FILE, "text (\"%s\"), not a capture; deadair reads pcap and pcapng, plain, "
			"gzip or zstd, as tcpdump -w FILE writes them", text_escape(span_first(first, text), line, sizeof line));
	for (size_t i = 0; i < first.n && i < 4; i++)
		sprintf(hex + 3 * i, " %02x", first.p[i]);
	return reader_refused(r, ERR_FILE,
		"not a capture file (first bytes%s); deadair reads pcap and pcapng, plain, gzip or zstd", hex);
}

bool reader_open(struct reader *r, size_t read_bytes, const atomic_bool *stop)
{
	struct span first;

	if (input_open(&r->in, r->view.name, r->shown, read_bytes, stop, &r->view.error) != ERR_OK)
		return reader_ends(r);
	input_want(&r->in, FIRST_BYTES);
	first = (struct span){ r->in.p, r->in.left };
	if (first.n == 0)
		return refuse_empty(r);
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		r->next = formats[i].next;
		r->at_hand = formats[i].at_hand;
		if (formats[i].begins(first))
			return formats[i].open(r);
	}
	return refuse_stranger(r, first);
}

bool reader_next(struct reader *r, struct frame *ret_frame)
{
	if (r->ended) {
		reader_release(r);
		return false;
	}
	if (r->view.frames == UINT32_MAX)
		return reader_damaged(r, r->in.offset, "more frames than can be numbered");
	return r->next(r, ret_frame);
}

size_t reader_at_hand(struct reader *r, struct frame *frames, size_t most, int64_t newest_ns)
{
	size_t n;

	if (r->ended || !r->at_hand || r->view.frames > UINT32_MAX - most)
		return 0;
	r->lending = true;
	n = r->at_hand(r, frames, most, newest_ns);
	r->lending = false;
	return n;
}
