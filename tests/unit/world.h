/* SPDX-License-Identifier: MIT */
/* world: small captures made by hand, packet by packet in the order of time, and read by the real engine. */
#ifndef DEADAIR_TESTS_WORLD_H
#define DEADAIR_TESTS_WORLD_H

#include "analyzer/engine_state.h"
#include "analyzer/views.h"
#include "tests/unit/calls_script.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum sound { SOUND_SPEECH, SOUND_QUIET, SOUND_EMPTY };

struct rtp_flow {                        /* RTP; src NULL: no more */
	const char *src, *dst;
	double from, to;             /* seconds */
	uint32_t ssrc;
	unsigned pt;                 /* 0: 8, PCMA */
	unsigned every_ms;           /* 0: 20 */
	double hole_from, hole_to;   /* nothing gets into the capture then, the numbering goes on */
	unsigned lost_of;            /* of so many packets one is missing, 0 none */
	enum sound sound;
	unsigned file;
};

struct report {                      /* RTCP, every 2 s */
	const char *src, *dst;
	double from, to;
	uint32_t ssrc;
	unsigned sr_packets;         /* 0: a receiver report; else the count of the first SR */
	unsigned sr_step;            /* more packets per report */
	double sr_until;             /* the count stands still from here; 0 never */
	uint32_t about;              /* SSRC of the block, 0 no block */
	uint32_t highest, highest_step;
	double highest_until, block_until;   /* 0 never */
};

struct quote {                       /* ICMP errors, one a second */
	const char *reporter, *to;   /* the sender that is told */
	double from;
	unsigned count;
	const char *src, *dst;       /* of the quoted packet */
};

struct dialogue {                    /* one ordinary call; NULL and 0: what is below */
	const char *call;            /* Call-ID "c1" */
	const char *caller, *callee; /* signalling: A, B */
	const char *offer, *answer;  /* as script_sdp: "v1 10.0.0.1:4000", "v1 10.0.0.2:5000" */
	const char *extra;           /* header lines of the INVITE */
	double invite, answered, bye;        /* 0, 1, 31; bye < 0: none */
};

struct world {
	struct script s;             /* for its texts */
	struct config *config;
	struct site *site;
	struct engine *e;
	uint32_t frame;
	const char *const *far;      /* addresses seven hops away, NULL at the end */
	struct planned *plan;
	size_t plan_count, plan_room;
};

struct planned {
	int64_t at_ns;
	size_t order;
	struct row row;
	const struct rtp_flow *flow;
	const struct report *report;
	const struct quote *quote;
	unsigned i;                  /* the i-th packet of it */
};

static inline void world_begin_with(struct world *w, const char *why_not, const char *const *far)
{
	struct engine_options options = { .keep_texts = true, .why_not = why_not };

	memset(w, 0, sizeof *w);
	sip_start();
	w->config = config_new();
	options.config = w->config;
	w->site = site_new();
	options.site = w->site;
	w->e = engine_new(&options);
	w->far = far;
}

static inline void world_begin(struct world *w)
{
	world_begin_with(w, NULL, NULL);
}

static inline void world_end(struct world *w)
{
	engine_free(w->e);
	config_free(w->config);
	site_free(w->site);
	free(w->plan);
}

/* ---- planning ---- */

static inline struct planned *plan_add(struct world *w, double s)
{
	struct planned *p;

	if (w->plan_count == w->plan_room) {
		w->plan_room = w->plan_room ? w->plan_room * 2 : 1024;
		w->plan = realloc(w->plan, w->plan_room * sizeof *w->plan);
		assert_non_null(w->plan);
	}
	p = &w->plan[w->plan_count];
	*p = (struct planned){ .at_ns = at_s(s) + 7919 * (int64_t)(w->plan_count % 11), .order = w->plan_count };
	w->plan_count++;
	return p;
}

/* Rows are copied; the texts they point to must live until world_play(). */
static inline void world_row(struct world *w, const struct row *r)
{
	plan_add(w, r->s)->row = *r;
}

#define WORLD_ROW(w, ...) world_row(w, &(const struct row){ __VA_ARGS__ })

static inline void world_flow(struct world *w, const struct rtp_flow *f)
{
	double step = (f->every_ms ? f->every_ms : 20) / 1000.0;

	for (unsigned i = 0; f->from + i * step < f->to; i++) {
		double t = f->from + i * step;
		struct planned *p;

		if ((t >= f->hole_from && t < f->hole_to) || (f->lost_of && i % f->lost_of == f->lost_of - 1))
			continue;
		p = plan_add(w, t);
		p->flow = f;
		p->i = i;
	}
}

static inline void world_report(struct world *w, const struct report *r)
{
	for (unsigned i = 0; r->from + 2 * i < r->to; i++) {
		struct planned *p = plan_add(w, r->from + 2 * i);

		p->report = r;
		p->i = i;
	}
}

static inline void world_quote(struct world *w, const struct quote *q)
{
	for (unsigned i = 0; i < q->count; i++)
		plan_add(w, q->from + i)->quote = q;
}

static inline void world_dialogue(struct world *w, const struct dialogue *d)
{
	const char *call = or(d->call, "c1"), *a = or(d->caller, A), *b = or(d->callee, B), *extra = d->extra;
	const char *offer = or(d->offer, "v1 10.0.0.1:4000"), *answer = or(d->answer, "v1 10.0.0.2:5000");
	double t = d->invite, up = d->answered > 0 ? d->answered : t + 1, down = d->bye ? d->bye : t + 31;

	WORLD_ROW(w, t, a, b, .call = call, .sdp = offer, .via_host = a, .extra = extra);
	WORLD_ROW(w, t + 0.1, b, a, .status = 180, .call = call, .to = "t", .via_host = a);
	WORLD_ROW(w, up, b, a, .status = 200, .call = call, .to = "t", .sdp = answer, .via_host = a);
	WORLD_ROW(w, up + 0.05, a, b, "ACK", .call = call, .to = "t", .via_host = a);
	if (down < 0)
		return;
	WORLD_ROW(w, down, a, b, "BYE", .call = call, .to = "t", .cseq = 2, .via_host = a);
	WORLD_ROW(w, down + 0.05, b, a, "BYE", 200, .call = call, .to = "t", .cseq = 2, .via_host = a);
}

/* ---- playing ---- */

static inline struct packet world_packet(struct world *w, const struct planned *x, const char *src, const char *dst,
	unsigned file)
{
	struct packet p = {
		.at_ns = x->at_ns, .has = HAS_IP | HAS_PORTS | HAS_IP_ID, .transport = TRANSPORT_UDP, .ip_protocol = 17,
		.first_of_frame = true,
		.ttl = 64, .file = (uint16_t)file, .wire_bytes = 214, .link = 1,
	};

	p.frame = p.first_frame = ++w->frame;
	p.ip_id = (uint16_t)w->frame;
	p.src = script_endpoint(src);
	p.dst = script_endpoint(dst);
	for (unsigned i = 0; w->far && w->far[i]; i++) {
		struct endpoint away = script_endpoint(w->far[i]);

		if (address_equal(&away.addr, &p.src.addr))
			p.ttl = 57;
	}
	return p;
}

static inline void play_row(struct world *w, const struct planned *x)
{
	const struct row *r = &x->row;
	struct span bytes = { (const uint8_t *)w->s.text, script_text(&w->s, r) };
	struct packet p = world_packet(w, x, or(r->src, r->status ? B : A), or(r->dst, r->status ? A : B), 0);

	p.kind = PACKET_SIP;
	p.wire_bytes = (uint32_t)bytes.n + 42;
	p.payload = bytes;
	p.payload_wire = bytes.n;
	assert_true(sip_message_parse(bytes, bytes.n, &w->s.sip));
	p.sip = &w->s.sip;
	engine_packet(w->e, &p);
	memset(w->s.text, 'x', sizeof w->s.text);
}

static inline void play_flow(struct world *w, const struct planned *x)
{
	static const uint8_t codes[] = { 0x85, 0x05, 0x95, 0x15 };
	const struct rtp_flow *f = x->flow;
	unsigned step = (f->every_ms ? f->every_ms : 20) * 8;
	struct packet p = world_packet(w, x, f->src, f->dst, f->file);
	uint8_t sound[160];

	for (unsigned i = 0; i < sizeof sound; i++)
		sound[i] = f->sound == SOUND_SPEECH ? codes[(i / 5 + x->i % 7 + f->ssrc) % COUNT_OF(codes)] : 0xd5;
	p.kind = PACKET_RTP;
	p.rtp.pt = (uint8_t)(f->pt ? f->pt : 8);
	p.rtp.seq = (uint16_t)(1000 + x->i);
	p.rtp.rtp_ts = 5000 + x->i * step;
	p.rtp.ssrc = f->ssrc;
	p.rtp.level_dbov = 1;
	p.rtp.payload = (struct span){ sound, f->sound == SOUND_EMPTY ? 0 : p.rtp.pt == 13 ? 1 : sizeof sound };
	p.rtp.payload_wire = p.rtp.payload.n;
	engine_packet(w->e, &p);
}

static inline bool still(double until, unsigned i, double from)
{
	return until > 0 && from + 2 * i >= until;
}

/* The i-th value of a counter that stands still from `until`. */
static inline uint32_t counter(uint32_t first, uint32_t step, double until, double from, unsigned i)
{
	while (i > 0 && still(until, i, from))
		i--;
	return first + step * i;
}

static inline void play_report(struct world *w, const struct planned *x)
{
	const struct report *r = x->report;
	struct rtcp_compound c = { .ssrc = r->ssrc, .has_sr = r->sr_packets > 0, .has_rr = r->sr_packets == 0 };
	struct packet p = world_packet(w, x, r->src, r->dst, 0);

	c.packets = r->sr_packets ? counter(r->sr_packets, r->sr_step, r->sr_until, r->from, x->i) : 0;
	if (r->about && !still(r->block_until, x->i, r->from)) {
		c.blocks[0].ssrc = r->about;
		c.blocks[0].ext_seq = counter(r->highest, r->highest_step, r->highest_until, r->from, x->i);
		c.block_count = 1;
	}
	p.kind = PACKET_RTCP;
	p.rtcp = &c;
	engine_packet(w->e, &p);
}

static inline void play_quote(struct world *w, const struct planned *x)
{
	const struct quote *q = x->quote;
	struct packet p = world_packet(w, x, q->reporter, q->to, 0);

	p.kind = PACKET_ICMP;
	p.has &= ~(uint32_t)HAS_PORTS;
	p.ip_protocol = 1;
	p.transport = TRANSPORT_NONE;
	p.icmp = (struct icmp_message){ .type = 3, .code = 3, .error = true, .quote_readable = true,
		.quote_protocol = 17 };
	p.icmp.quote_src = script_endpoint(q->src);
	p.icmp.quote_dst = script_endpoint(q->dst);
	engine_packet(w->e, &p);
}

static inline int planned_compare(const void *a, const void *b)
{
	const struct planned *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* All that was planned, in order of time. engine_finish() is the caller's. */
static inline void world_play(struct world *w)
{
	if (w->plan_count)
		qsort(w->plan, w->plan_count, sizeof *w->plan, planned_compare);
	for (size_t i = 0; i < w->plan_count; i++) {
		const struct planned *x = &w->plan[i];

		if (x->flow)
			play_flow(w, x);
		else if (x->report)
			play_report(w, x);
		else if (x->quote)
			play_quote(w, x);
		else
			play_row(w, x);
	}
}

/* ---- looking ---- */

static inline struct leg *world_leg(const struct world *w, unsigned n)
{
	LIST_EACH(it, calls_legs(w->e->calls)) {
		if (LIST_ENTRY(it, struct leg, in_order)->n == n)
			return LIST_ENTRY(it, struct leg, in_order);
	}
	fail_msg("no leg %u", n);
	return NULL;
}

static inline struct direction *world_direction(const struct world *w, unsigned leg, enum side sender)
{
	const struct leg *l = world_leg(w, leg);

	assert_non_null(l->confirmed);
	assert_true(l->confirmed->mslot_count > 0);
	return &l->confirmed->mslots[0].direction[sender];
}

static inline bool view_finding_of(const struct world *w, const char *id, struct view_finding *ret)
{
	for (size_t i = 0; view_finding(w->e, i, ret); i++) {
		if (strcmp(ret->id, id) == 0 && strcmp(ret->state, "withdrawn") != 0)
			return true;
	}
	return false;
}

#endif
