/* SPDX-License-Identifier: MIT */
/* save: two walks over all frames; the first learns what belongs together, the second writes. */
#include "ui/save.h"

#include <stdlib.h>

#include "analyzer/network/channel.h"
#include "captures/base/memory.h"
#include "captures/pcapng_write.h"
#include "dissect/dissect.h"
#include "ui/words.h"

enum { COMMENTS_MOST = 8, NUMBERS_MOST = 256 };

/* What a packet says is needed in any case; saving everything takes frames without a look into them. */
static enum err_code learn(const struct save_source *from, struct choice *c, struct err *err)
{
	struct channels *channels;
	struct dissector *d;
	struct frame frame;
	struct packet packet;
	void *walk = from->begin(from->context, err);

	if (!walk)
		return err->code;
	d = dissector_new();
	channels = channels_new(0);
	while (from->next(walk, &frame)) {
		dissect_frame(d, &frame);
		while (dissect_next(d, &packet)) {
			channels_packet(channels, &packet, &packet);
			choice_note(c, &packet);
		}
	}
	channels_free(channels);
	dissector_free(d);
	from->end(walk);
	return ERR_OK;
}

static bool frame_chosen(const struct choice *c, struct dissector *d, struct channels *channels, const struct frame *f)
{
	struct packet packet;
	bool chosen = false;

	dissect_frame(d, f);
	while (dissect_next(d, &packet)) {
		channels_packet(channels, &packet, &packet);
		chosen |= choice_has(c, &packet);
	}
	return chosen;
}

static void write_one(struct pcapng_writer *w, const struct choice *c, const struct frame *f, struct save_done *done)
{
	const char *comments[COMMENTS_MOST];
	size_t count = choice_comments(c, f, comments, COMMENTS_MOST);

	pcapng_write_frame(w, f, comments, count);
	done->frames++;
	done->commented += count > 0;
	if (done->first_ns == NS_NONE)
		done->first_ns = f->at_ns;
	done->last_ns = f->at_ns;
}

static void describe(struct pcapng_writer *w, const struct save_source *from)
{
	for (size_t i = 0; i < from->file_count; i++) {
		const struct source_file *f = from->files[i];

		for (size_t j = 0; j < f->interface_count; j++)
			pcapng_write_interface(w, (uint16_t)i, (uint16_t)j, f->interfaces[j].link,
				f->interfaces[j].name, f->interfaces[j].filter);
	}
}

static enum err_code write_chosen(const struct save_source *from, const struct save_wish *wish, const struct choice *c,
	struct pcapng_writer *w, struct save_done *done, struct err *err)
{
	struct channels *channels;
	struct dissector *d;
	struct frame frame;
	void *walk = from->begin(from->context, err);

	if (!walk)
		return err->code;
	d = dissector_new();
	channels = channels_new(0);
	describe(w, from);
	while (from->next(walk, &frame)) {
		if (wish->kind == SAVE_ALL || frame_chosen(c, d, channels, &frame) || choice_wants(c, &frame))
			write_one(w, c, &frame, done);
	}
	channels_free(channels);
	dissector_free(d);
	from->end(walk);
	return ERR_OK;
}

static enum err_code save_chosen(const struct save_source *from, const struct save_wish *wish, struct choice *c,
	const char *path, struct save_done *done, struct err *err)
{
	struct pcapng_writer *w;
	enum err_code code;

	if (wish->kind != SAVE_ALL && learn(from, c, err) != ERR_OK)
		return err->code;
	w = pcapng_writer_new(path, err);
	if (!w)
		return err->code;
	code = write_chosen(from, wish, c, w, done, err);
	if (code == ERR_OK && done->frames == 0)
		code = err_set(err, ERR_USAGE, "nothing to save: none of its packets is there (any more)");
	done->bytes = pcapng_writer_bytes(w);
	if (code == ERR_OK)
		return pcapng_writer_close(w, err);
	pcapng_writer_abandon(w);
	return code;
}

enum err_code save_write(const struct save_source *from, const struct save_wish *wish, const char *path,
	struct save_done *ret, struct err *err)
{
	struct choice *c = choice_new(from->engine, wish);
	enum err_code code;

	*ret = (struct save_done){ .first_ns = NS_NONE, .last_ns = NS_NONE };
	code = save_chosen(from, wish, c, path, ret, err);
	choice_free(c);
	return code;
}

/* ---- words ---- */

static const struct {
	const char *word, *plural;
	enum save_kind kind;
} kinds[] = { { "call", "calls", SAVE_CALLS }, { "finding", "findings", SAVE_FINDINGS },
	{ "incident", "incidents", SAVE_INCIDENTS } };

/* The word that begins it; what is left of it in *rest. A number alone is that of a call. */
static enum save_kind kind_of(struct span *rest)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct span words[] = { span_of(kinds[i].plural), span_of(kinds[i].word) };

		for (size_t j = 0; j < sizeof words / sizeof words[0]; j++) {
			if (rest->n > words[j].n && span_equal(span_first(*rest, words[j].n), words[j])) {
				*rest = span_from(*rest, words[j].n + 1);
				return kinds[i].kind;
			}
		}
	}
	return SAVE_CALLS;
}

enum err_code save_wish_parse(const char *text, struct save_wish *ret, unsigned **ret_numbers, struct err *err)
{
	struct span rest = span_of(text);
	char shown[80];

	*ret = (struct save_wish){ .kind = SAVE_ALL };
	*ret_numbers = NULL;
	if (span_equal(rest, SPAN("all")))
		return ERR_OK;
	ret->kind = kind_of(&rest);
	*ret_numbers = memory_zalloc(NUMBERS_MOST * sizeof **ret_numbers);
	ret->numbers = *ret_numbers;
	for (;;) {
		size_t n = 0;
		uint64_t number;

		while (n < rest.n && rest.p[n] != ',')
			n++;
		if (!span_number(span_first(rest, n), UINT32_MAX, &number) || number == 0 || ret->count == NUMBERS_MOST)
			break;
		(*ret_numbers)[ret->count++] = (unsigned)number;
		if (n == rest.n)
			return ERR_OK;
		rest = span_from(rest, n + 1);
	}
	free(*ret_numbers);
	*ret_numbers = NULL;
	return err_set(err, ERR_USAGE, "--save %s: call:N, finding:N, incident:N (N,N for several) or all",
		text_escape(span_of(text), shown, sizeof shown));
}

void save_said(const struct save_done *done, const char *path, struct text *ret)
{
	char count[WORDS], comments[WORDS], first[NS_TEXT], last[NS_TEXT];

	text_addf(ret, "saved %s from %s to %s", words_counted(done->frames, "packet", count),
		ns_clock(done->first_ns, 0, first), ns_clock(done->last_ns, 0, last));
	if (done->commented)
		text_addf(ret, ", %s of them with comments", words_count(done->commented, comments));
	text_add(ret, ": ");
	text_add_escaped(ret, span_of(path));
}
