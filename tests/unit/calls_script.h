/* SPDX-License-Identifier: MIT */
/* calls_script: SIP messages written as rows, parsed as from the wire and handed to the calls state machine. */
#ifndef DEADAIR_TESTS_CALLS_SCRIPT_H
#define DEADAIR_TESTS_CALLS_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "analyzer/calls/call.h"

#define A "10.0.0.1:5060"            /* the caller's phone */
#define P "10.0.0.5:5060"            /* a proxy or PBX */
#define B "10.0.0.2:5060"            /* the callee's phone */

#define START_NS (INT64_C(1700000000) * SECOND_NS)

struct row {                         /* empty: a default that makes a plain call from 1001 to 1002 */
	double s;                    /* seconds from the start */
	const char *src, *dst;
	const char *method;          /* of the request, or of the CSeq of a response */
	unsigned status;             /* 0: request */
	const char *call, *from, *to; /* Call-ID, tags; to NULL: none */
	const char *from_user, *to_user;
	unsigned cseq;
	const char *branch;          /* of the topmost Via; default from method and CSeq */
	unsigned vias;               /* default 1 */
	const char *via_host;        /* default: where it comes from */
	const char *contact;         /* "user@host:port"; "" none; default 1001 or 1002 at A or B */
	const char *extra;           /* header lines, each with CRLF */
	const char *sdp;             /* "v1": a body of that o= version; else verbatim */
	bool copy;
};

enum { SCRIPT_EVENTS_MAX = 512 };

struct script {
	struct calls *c;
	uint32_t frame;
	int64_t now_ns;
	struct calls_event events[SCRIPT_EVENTS_MAX];
	size_t event_count;
	struct sip_message sip;
	char text[8192], sdp[2048];
};

static inline struct calls_config script_config(void)
{
	return (struct calls_config){ .dup_window_ns = 100 * MILLISECOND_NS, .fork_linger_ns = 2 * SECOND_NS,
				      .idle_timeout_ns = 300 * SECOND_NS, .join_score = 80, .join_margin = 25,
				      .keep_texts = true };
}

static inline void script_begin_with(struct script *s, const struct calls_config *config)
{
	memset(s, 0, sizeof *s);
	sip_start();
	s->c = calls_new(config);
	s->now_ns = START_NS;
}

static inline void script_begin(struct script *s)
{
	struct calls_config config = script_config();

	script_begin_with(s, &config);
}

static inline void script_end(struct script *s)
{
	calls_free(s->c);
}

/* "v3" or "v3 10.0.0.9:4000" or "v3 10.0.0.9:4000 sendonly": version, media address, direction. */
static inline const char *script_sdp(struct script *s, const char *what)
{
	char host[64] = "10.0.0.1", direction[16] = "sendrecv";
	unsigned version = 1, port = 4000;

	if (!what)
		return "";
	if (sscanf(what, "v%u %63[0-9.]:%u %15s", &version, host, &port, direction) < 1)
		return what;
	snprintf(s->sdp, sizeof s->sdp,
		 "v=0\r\no=- %s%u %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 8 0\r\na=%s\r\n",
		 "77", port, version, host,
		 host, port, direction);
	return s->sdp;
}

static inline struct endpoint script_endpoint(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(span_of(text), &e));
	return e;
}

static inline void script_events(struct script *s, const struct calls_event *events, size_t n)
{
	for (size_t i = 0; i < n && s->event_count < SCRIPT_EVENTS_MAX; i++)
		s->events[s->event_count++] = events[i];
}

static inline void script_tick(struct script *s, double at_s)
{
	struct calls_event events[CALLS_EVENT_MAX];
	size_t n;

	while ((n = calls_tick(s->c, START_NS + (int64_t)(at_s * 1e9), events)))
		script_events(s, events, n);
}

static inline const char *or(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static inline size_t script_text(struct script *s, const struct row *r)
{
	const char *method = or(r->method, "INVITE"), *from = or(r->from, "f"), *sdp = script_sdp(s, r->sdp);
	const char *from_user = or(r->from_user, "1001"), *to_user = or(r->to_user, "1002");
	unsigned cseq = r->cseq ? r->cseq : 1, vias = r->vias ? r->vias : 1;
	size_t n = 0, room = sizeof s->text;
	char branch[64];

	snprintf(branch, sizeof branch, "%s%u", strcmp(method, "CANCEL") ? method : "INVITE", cseq);
	if (r->status)
		n += (size_t)snprintf(s->text, room, "SIP/2.0 %u Reason\r\n", r->status);
	else
		n += (size_t)snprintf(s->text, room, "%s sip:%s@10.0.0.2 SIP/2.0\r\n", method, to_user);
	for (unsigned i = vias; i > 0; i--)
		n += (size_t)snprintf(s->text + n, room - n, "Via: SIP/2.0/UDP %s;branch=z9hG4bK-%s%s\r\n",
				      i == vias && r->via_host ? r->via_host : i == 1 ? A : P,
				      i == vias && r->branch ? r->branch : branch, i == 1 ? "" : i == 2 ? "-p" : "-pp");
	n += (size_t)snprintf(s->text + n, room - n,
		"From: <sip:%s@pbx>%s%s\r\nTo: <sip:%s@pbx>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", from_user,
			      *from ? ";tag=" : "", from, to_user, r->to ? ";tag=" : "", or(r->to, ""),
			      or(r->call, "c1"), cseq, method);
	if (!r->contact || *r->contact)
		n += (size_t)snprintf(s->text + n, room - n, "Contact: <sip:%s>\r\n",
			or(r->contact, r->status ? "1002@" B : "1001@" A));
	if (*sdp)
		n += (size_t)snprintf(s->text + n, room - n, "Content-Type: application/sdp\r\n");
	n += (size_t)snprintf(s->text + n, room - n, "%sContent-Length: %zu\r\n\r\n%s", or(r->extra, ""), strlen(sdp),
		sdp);
	return n;
}

/* One message; its events are added. Gives the number of events that it made. */
static inline size_t say(struct script *s, const struct row *r)
{
	struct span bytes = { (const uint8_t *)s->text, script_text(s, r) };
	struct calls_event events[CALLS_EVENT_MAX];
	struct packet p = { .kind = PACKET_SIP, .transport = TRANSPORT_UDP, .has = HAS_IP | HAS_PORTS };
	size_t n, before = s->event_count;

	s->now_ns = START_NS + (int64_t)(r->s * 1e9);
	p.at_ns = s->now_ns;
	p.frame = p.first_frame = ++s->frame;
	p.src = script_endpoint(or(r->src, r->status ? B : A));
	p.dst = script_endpoint(or(r->dst, r->status ? A : B));
	p.wire_bytes = (uint32_t)bytes.n;
	assert_true(sip_message_parse(bytes, bytes.n, &s->sip));
	p.sip = &s->sip;
	n = calls_message(s->c, &p, r->copy, events);
	script_events(s, events, n);
	while (n == CALLS_EVENT_MAX) {
		n = calls_tick(s->c, s->now_ns, events);
		script_events(s, events, n);
	}
	memset(s->text, 'x', sizeof s->text);    /* the packet is gone: whoever still points into it, shows */
	return s->event_count - before;
}

#define SAY(script, ...) say(script, &(const struct row){ __VA_ARGS__ })

static inline void say_all(struct script *s, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		say(s, &rows[i]);
}

#define SAY_ALL(script, rows) say_all(script, rows, sizeof(rows) / sizeof(rows)[0])

static inline struct leg *script_leg(const struct script *s, unsigned n)
{
	LIST_EACH(it, calls_legs(s->c)) {
		struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (leg->n == n)
			return leg;
	}
	fail_msg("no leg %u", n);
	return NULL;
}

/* The n-th record of a list, from 0. */
static inline struct list_link *nth(const struct list *list, size_t n)
{
	struct list_link *it = list->head.next;

	assert_true(n < list->count);
	while (n--)
		it = it->next;
	return it;
}

static inline struct dialog *script_dialog(const struct leg *leg, size_t n)
{
	return LIST_ENTRY(nth(&leg->dialogs, n), struct dialog, in_leg);
}

static inline struct exchange *script_exchange(const struct dialog *d, size_t n)
{
	return LIST_ENTRY(nth(&d->exchanges, n), struct exchange, in_dialog);
}

static inline struct message *script_message(const struct leg *leg, size_t n)
{
	CHAIN_EACH(it, &leg->messages) {
		if (n-- == 0)
			return LIST_ENTRY(it, struct message, in_leg);
	}
	fail_msg("the leg has no such message");
	return NULL;
}

static inline unsigned script_count(const struct script *s, enum calls_event_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->event_count; i++)
		n += s->events[i].kind == kind;
	return n;
}

static inline bool says(struct span s, const char *text)
{
	return span_equal(s, span_of(text));
}

static inline int64_t at_s(double s)
{
	return START_NS + (int64_t)(s * 1e9);
}

#endif
