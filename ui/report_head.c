/* SPDX-License-Identifier: MIT */
/* report_head: what was captured, what it can prove, what was not read. */
#include "ui/report_part.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/dissect.h"
#include "dissect/link.h"
#include "ui/link_name.h"
#include "ui/words.h"

enum { FILES_NAMED = 3, WITHHELD_NAMED = 24, SECONDS_FROM_MS = 10000 };

void report_line(const struct report *r, const char *label, const char *text)
{
	out_paragraph(r->out, 0, label, LABEL_COLUMNS, PAINT_HEAD, text);
}

void report_file_name(struct text *t, const struct report *r, size_t file)
{
	const char *name = r->files[file]->name, *slash = strrchr(name, '/');

	if (strcmp(name, "-") == 0)
		text_add(t, "standard input");
	else
		text_add_escaped(t, span_of(slash && slash[1] ? slash + 1 : name));
}

static void add_files(struct text *t, const struct report *r)
{
	size_t named = r->file_count > FILES_NAMED + 1 ? FILES_NAMED : r->file_count;

	for (size_t i = 0; i < named; i++) {
		text_add(t, i ? ", " : "");
		report_file_name(t, r, i);
	}
	if (named < r->file_count)
		text_addf(t, " and %zu more", r->file_count - named);
}

static void head_capture(const struct report *r, const struct view_capture *c)
{
	char length[WORDS], from[WORDS], frames[WORDS];
	struct text t;

	text_init(&t);
	add_files(&t, r);
	if (c->frames == 0 || c->first_ns == NS_NONE)
		text_add(&t, ", no frame");
	else if (c->untimed)
		text_addf(&t, ", %s without a time", words_counted(c->frames, "frame", frames));
	else
		text_addf(&t, ", %s from %s, %s", words_duration(ns_minus(c->last_ns, c->first_ns), length),
			words_moment(c->first_ns, from),
			  words_counted(c->frames, "frame", frames));
	if (r->interrupted)
		text_add(&t, "; stopped by the user: only what was read so far");
	report_line(r, "Capture", t.p);
	text_fini(&t);
}

static void head_damage(const struct report *r)
{
	unsigned said = 0;

	for (size_t i = 0; i < r->file_count; i++) {
		if (r->files[i]->error.code == ERR_OK)
			continue;
		if (said++ < FILES_NAMED)
			out_paragraph(r->out, 0, "Damaged", LABEL_COLUMNS, PAINT_BAD, r->files[i]->error.text);
	}
	if (said > FILES_NAMED)
		out_textf(r->out, "          and %u more files with errors\n", said - FILES_NAMED);
}

static void head_seen(const struct report *r, const struct view_capture *c)
{
	struct text t;

	text_init(&t);
	if (c->seen_from) {
		bool known = c->vantage_confidence && !(c->vantage_kind && strcmp(c->vantage_kind, "unknown") == 0);

		text_addf(&t, "%s%s%s", c->seen_from, known ? ", " : "", known ? c->vantage_confidence : "");
		report_line(r, "Seen from", t.p);
	}
	if (c->can_show)
		report_line(r, "Can show", c->can_show);
	text_clear(&t);
	for (unsigned i = 0; i < c->cannot_prove_count; i++)
		text_addf(&t, "%s%s", i ? "; " : "", c->cannot_prove[i]);
	if (t.n)
		report_line(r, "Cannot", t.p);
	text_fini(&t);
}

/* "truncated" is the JSON's word; these are a person's. */
static const char *undecoded_words(enum undecoded why)
{
	switch (why) {
	case UNDECODED_TRUNCATED:
		return "cut short";
	case UNDECODED_LINK:
		return "of an unknown link type";
	case UNDECODED_NOT_IP:
		return "not IP";
	case UNDECODED_MALFORMED:
		return "malformed";
	case UNDECODED_DEPTH:
		return "too deep in tunnels";
	case UNDECODED_FRAGMENT:
		return "fragments never completed";
	case UNDECODED_CIPHER:
		return "encrypted (IPsec, MACsec, 802.11)";
	case UNDECODED_NO:
	case UNDECODED_COUNT:
		break;
	}
	return "left";
}

static void add_share(struct text *t, uint64_t part, uint64_t whole, const char *what)
{
	char count[WORDS], share[WORDS];

	if (part == 0)
		return;
	text_addf(t, "%s%s %s", t->n ? ", " : "", words_count(part, count), what);
	if (whole >= 100)
		text_addf(t, " (%s)", words_share(part, whole, share));
}

uint64_t report_undecoded(const struct view_capture *c)
{
	uint64_t frames = 0;

	for (int why = UNDECODED_NO + 1; why < UNDECODED_COUNT; why++)
		if (why != UNDECODED_NOT_IP)
			frames += c->undecoded[why];
	return frames;
}

bool report_mostly_like_rtp(const struct view_capture *c)
{
	return c->like_rtp > 0 && c->like_rtp * 2 >= c->frames;
}

/* "of link type 220 (USB_LINUX_MMAPPED)": those of the files that are not read; none: it stands inside another one. */
static void add_unread_links(const struct report *r, struct text *t)
{
	enum { LINKS = 4 };
	char name[LINK_NAME];
	uint16_t links[LINKS];
	unsigned count = 0;

	for (size_t i = 0; i < r->file_count; i++) {
		for (size_t k = 0; k < r->files[i]->interface_count && count < LINKS; k++) {
			uint16_t link = r->files[i]->interfaces[k].link;
			unsigned n = 0;

			while (n < count && links[n] != link)
				n++;
			if (n < count || link_known(link))
				continue;
			text_addf(t, "%s %u (%s)", count ? "," : "of link type", link, link_name(link, name));
			links[count++] = link;
		}
	}
	if (count == 0)
		text_add(t, undecoded_words(UNDECODED_LINK));
}

/*
 * As loud as what was read: a zero must not read as "there were no calls". Without SIP nothing else says what there
 * was.
 */
static void head_left(const struct report *r, const struct view_capture *c)
{
	uint64_t left = c->other + c->undecoded[UNDECODED_NOT_IP] + report_undecoded(c);
	struct text t, links;

	if (c->frames == 0 || (left == 0 && c->sip))
		return;
	text_init(&t);
	add_share(&t, c->sip, c->frames, "SIP");
	add_share(&t, c->rtp, c->frames, "RTP");
	add_share(&t, c->rtcp, c->frames, "RTCP");
	add_share(&t, c->stun, c->frames, "STUN");
	add_share(&t, c->tls, c->frames, "TLS");
	add_share(&t, c->icmp, c->frames, "ICMP");
	if (t.n == 0)
		text_add(&t, report_mostly_like_rtp(c) ? "nothing that is certain to be VoIP" : "nothing of VoIP");
	report_line(r, "Read", t.p);
	text_clear(&t);
	text_init(&links);
	add_unread_links(r, &links);
	for (int why = UNDECODED_NO + 1; why < UNDECODED_COUNT; why++)
		add_share(&t, c->undecoded[why], c->frames,
			why == UNDECODED_LINK ? links.p : undecoded_words((enum undecoded)why));
	text_fini(&links);
	if (t.n)
		report_line(r, "Not read", t.p);
	text_clear(&t);
	add_share(&t, c->other, c->frames, c->other == 1 ? "frame of another protocol" : "frames of other protocols");
	if (t.n)
		report_line(r, "Passed by", t.p);
	text_fini(&t);
}

struct withheld_count {
	const char *id;
	size_t count;
};

/* A claim that was withheld is named once for all the calls it concerns; --why-not and --json name the gate. */
static void head_withheld(const struct report *r, const struct view_capture *c)
{
	struct withheld_count ids[WITHHELD_NAMED];
	size_t distinct = 0;
	struct text t;

	for (size_t i = 0; i < c->withheld_count; i++) {
		size_t k = 0;

		while (k < distinct && strcmp(ids[k].id, c->withheld[i].id) != 0)
			k++;
		if (k == WITHHELD_NAMED)
			continue;
		if (k == distinct)
			ids[distinct++] = (struct withheld_count){ c->withheld[i].id, 0 };
		ids[k].count++;
	}
	text_init(&t);
	for (size_t k = 0; k < distinct; k++) {
		text_addf(&t, "%s%s", k ? ", " : "", ids[k].id);
		if (ids[k].count > 1)
			text_addf(&t, " (%zu times)", ids[k].count);
	}
	if (t.n)
		report_line(r, "Withheld", t.p);
	text_fini(&t);
}

static void head_notes(const struct report *r, const struct view_capture *c)
{
	char text[200], count[WORDS];

	for (unsigned i = 0; i < c->evicted_count; i++) {
		if (c->evicted[i].count == 0)
			continue;
		words_count(c->evicted[i].count, count);
		if (strcmp(c->evicted[i].table, "others") == 0)
			snprintf(text, sizeof text, "%s %s of hosts and connections that do not telephone, for lack of room",
				count, c->evicted[i].count == 1 ? "entry" : "entries");
		else
			snprintf(text, sizeof text,
				"%s %s of the table \"%.60s\", for lack of room: what they show is missing here",
				count, c->evicted[i].count == 1 ? "entry" : "entries", c->evicted[i].table);
		report_line(r, "Given up", text);
	}
	for (unsigned i = 0; i < c->note_count; i++)
		report_line(r, "Note", c->notes[i]);
}

/* Above 5 ms it is said, and that nothing is concluded from who was first. */
static void head_clocks(const struct report *r, const struct view_capture *c)
{
	for (unsigned i = 0; i < c->clock_count; i++) {
		double ms = (double)c->clocks[i].offset_ns / (double)MILLISECOND_NS,
			error_ms = (double)c->clocks[i].error_ns / (double)MILLISECOND_NS;
		struct text t;

		if (!c->clocks[i].apart || c->clocks[i].file >= r->file_count || c->clocks[i].against >= r->file_count)
			continue;
		text_init(&t);
		report_file_name(&t, r, c->clocks[i].file);
		text_addf(&t, fabs(ms) < SECONDS_FROM_MS ? " is %.1f ms %s " : " is %.2f s %s ",
			fabs(ms) < SECONDS_FROM_MS ? fabs(ms) : fabs(ms) / 1000, ms < 0 ? "behind" : "ahead of");
		report_file_name(&t, r, c->clocks[i].against);
		text_addf(&t, " (± %.1f ms, by messages that are in both): %sno %sdelay between them is claimed", error_ms,
			c->clocks[i].set ? "its times are given as that file's clock has them, " : "",
			c->clocks[i].set ? "" : "order and no ");
		report_line(r, "Clocks", t.p);
		text_fini(&t);
	}
}

void report_head(const struct report *r, const struct view_capture *c)
{
	head_capture(r, c);
	head_damage(r);
	head_seen(r, c);
	head_left(r, c);
	head_clocks(r, c);
	head_notes(r, c);
	if (r->verbose || report_cannot_tell(r))
		head_withheld(r, c);
}
