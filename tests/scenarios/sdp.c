/* SPDX-License-Identifier: MIT */
/* sdp: a body from its shorthand. */
#include "tests/scenarios/scenario.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const rtpmaps[128] = {
	[0] = "PCMU/8000", [3] = "GSM/8000", [8] = "PCMA/8000", [9] = "G722/8000", [13] = "CN/8000", [18] = "G729/8000",
	[96] = "opus/48000/2", [97] = "iLBC/8000", [101] = "telephone-event/8000",
};

/* "8,101,96=opus/48000/2" */
static void formats_add(struct scenario *s, const char *list, struct buffer *line, struct buffer *maps)
{
	for (const char *p = list; *p;) {
		char *end;
		unsigned long pt = strtoul(p, &end, 10);
		size_t n = strcspn(end, ",");

		if (end == p || pt > 127 || (*end != ',' && *end != '=' && *end)) {
			scenario_fail(s, "\"%s\" is no list of payload types: 8,101,96=opus/48000/2", list);
			return;
		}
		buffer_text(line, " %lu", pt);
		if (*end == '=')
			buffer_text(maps, "a=rtpmap:%lu %.*s\r\n", pt, (int)n - 1, end + 1);
		else if (rtpmaps[pt])
			buffer_text(maps, "a=rtpmap:%lu %s\r\n", pt, rtpmaps[pt]);
		if (pt == 101)
			buffer_text(maps, "a=fmtp:101 0-16\r\n");
		p = end + n + (end[n] == ',');
	}
}

static bool direction_accept(struct words *w, const char **ret)
{
	static const char *const names[] = { "sendrecv", "sendonly", "recvonly", "inactive" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (word_accept(w, names[i])) {
			*ret = names[i];
			return true;
		}
	}
	return false;
}

static void media_remember(struct scenario *s, struct party *p, struct endpoint at)
{
	struct media_seen *m = scenario_zalloc(s, sizeof *m);

	m->at = at;
	list_add_tail(&p->medias, &m->link);
}

/* audio|video|image PORT [pt LIST] [DIRECTION] [savp] [c=ADDR] [mux] [rtcp PORT] [ptime N] ["a=..."]... */
static void mline_make(struct scenario *s, struct words *w, struct party *p, struct address session,
	struct buffer *body)
{
	const char *kind = word_want(s, w, "audio, video or image");
	unsigned port = (unsigned)integer_want(s, w, "the media port");
	struct buffer line = { .arena = s->arena }, maps = { .arena = s->arena };
	const char *profile = "RTP/AVP", *formats = "8,101", *direction = "sendrecv";
	struct endpoint at = { session, (uint16_t)port };
	char text[ADDRESS_TEXT];
	bool image = strcmp(kind, "image") == 0, own_c = false;

	while (w->left && !s->error && strcmp(w->at[0], "+") != 0) {
		if (word_accept(w, "pt")) {
			formats = word_want(s, w, "payload types");
		} else if (direction_accept(w, &direction)) {
			continue;
		} else if (word_accept(w, "savp")) {
			profile = "RTP/SAVP";
		} else if (word_accept(w, "mux")) {
			buffer_text(&maps, "a=rtcp-mux\r\n");
		} else if (word_accept(w, "rtcp")) {
			buffer_text(&maps, "a=rtcp:%u\r\n", (unsigned)integer_want(s, w, "the RTCP port"));
		} else if (word_accept(w, "ptime")) {
			buffer_text(&maps, "a=ptime:%u\r\n", (unsigned)integer_want(s, w, "the packet time"));
		} else if (strncmp(w->at[0], "c=", 2) == 0) {
			struct words one = words_of(s, w->at[0] + 2);

			at.addr = address_want(s, &one);
			own_c = true;
			word_next(w);
		} else if (strncmp(w->at[0], "a=", 2) == 0) {
			buffer_text(&maps, "%s\r\n", word_next(w));
		} else {
			scenario_fail(s, "\"%s\" is not understood in SDP", word_next(w));
		}
	}
	buffer_text(&line, "m=%s %u %s", kind, port, image ? "udptl t38" : profile);
	if (!image)
		formats_add(s, formats, &line, &maps);
	buffer_text(&line, "\r\n");
	if (own_c)
		buffer_text(&line, "c=IN IP%c %s\r\n", at.addr.family == 6 ? '6' : '4', address_text(&at.addr, text));
	buffer_add(&line, maps.p, maps.n);
	if (!image)
		buffer_text(&line, "a=%s\r\n", direction);
	buffer_add(body, line.p, line.n);
	media_remember(s, p, at);
	if (strcmp(kind, "audio") == 0)
		p->media = at;
}

/* [c=ADDR] [s=NAME] MLINE [+ MLINE]... A body unlike the last one of this party has the next version. */
const char *sdp_make(struct scenario *s, struct words *w, struct party *p)
{
	struct buffer body = { .arena = s->arena };
	struct address session = p->as.addr;
	char text[ADDRESS_TEXT];
	char family;

	if (w->left && strncmp(w->at[0], "c=", 2) == 0) {
		struct words one = words_of(s, w->at[0] + 2);

		session = address_want(s, &one);
		word_next(w);
	}
	family = session.family == 6 ? '6' : '4';
	buffer_text(&body, "s=-\r\nc=IN IP%c %s\r\nt=0 0\r\n", family, address_text(&session, text));
	do
		mline_make(s, w, p, session, &body);
	while (word_accept(w, "+") && !s->error);
	buffer_u8(&body, 0);
	if (p->sdp && strcmp(p->sdp, (char *)body.p) != 0)
		p->version++;
	p->sdp = (char *)body.p;
	return scenario_text(s, "v=0\r\no=%s %u %u IN IP%c %s\r\n%s", p->user, p->session, p->version, family,
	       address_text(&session, text), p->sdp);
}
