/* SPDX-License-Identifier: MIT */
/* rtcp: reports, written by hand or counted from what the RTP lines sent. RFC 3550 6.4. */
#include "tests/scenarios/scenario.h"

#include <math.h>
#include <stdlib.h>

enum { REPORT_BLOCKS = 4 };
enum { RTCP_SR = 200, RTCP_RR = 201, RTCP_SDES = 202, RTCP_BYE = 203, RTCP_XR = 207 };

struct block {
	uint32_t ssrc;
	int fraction;                /* of 256; -1 counted */
	bool has_lost, has_highest;
	int64_t lost, highest;
	unsigned jitter;
	bool has_lsr;
	int64_t lsr_ns, dlsr_ns;     /* lsr: when that SR was sent; not positive: before this report */
	int64_t until_ns;            /* the reporter received nothing after it */
};

struct report {
	struct endpoint src, dst;
	int64_t at_ns, every_ns, to_ns;
	bool sender;                 /* SR */
	uint32_t ssrc;
	bool has_packets;
	uint32_t packets;
	bool bye;
	int64_t late_ns;             /* captured so long after it was sent */
	unsigned own_ms;             /* end system delay, RFC 3611 4.7.4; 0: no report of it */
	struct block blocks[REPORT_BLOCKS];
	unsigned block_count;
	uint16_t taps;
};

static uint64_t ntp_of(int64_t at_ns)
{
	uint64_t total_ns = (uint64_t)(SCENARIO_EPOCH_S * SECOND_NS + at_ns);
	uint64_t s = total_ns / (uint64_t)SECOND_NS + UINT64_C(2208988800);
	uint64_t fraction = (total_ns % (uint64_t)SECOND_NS << 32) / (uint64_t)SECOND_NS;

	return s << 32 | fraction;
}

/* What a receiver knows of a flow at a time. */
struct received {
	uint32_t base, highest;      /* extended */
	uint32_t count;
};

static struct received received_by(const struct flow *f, int64_t at_ns)
{
	struct received r = { 0, 0, 0 };

	for (size_t i = 0; i < f->sent_count; i++) {
		const struct sent *x = &f->sent[i];

		if (x->lost || x->at_ns > at_ns)
			continue;
		if (r.count == 0 || x->seq < r.base)
			r.base = x->seq;
		if (x->seq > r.highest)
			r.highest = x->seq;
		r.count++;
	}
	return r;
}

static int64_t lost_of(const struct received *r)
{
	return r->count ? (int64_t)r->highest - r->base + 1 - r->count : 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A block counted from the flow; silent receivers (nothing since the last report) send none: false. */
static bool block_count(struct scenario *s, struct block *b, int64_t at_ns, int64_t before_ns)
{
	const struct flow *f = flow_by_ssrc(s, b->ssrc);
	struct received now, before;
	int64_t expected, lost;

	if (!f)
		return b->has_highest;
	now = received_by(f, sooner(at_ns, b->until_ns));
	before = received_by(f, sooner(before_ns, b->until_ns));
	if (now.count == 0)
		return b->has_highest;
	expected = (int64_t)now.highest - (before.count ? before.highest : now.base - 1);
	lost = lost_of(&now) - lost_of(&before);
	if (b->fraction < 0)
		b->fraction = expected > 0 && lost > 0 ? (int)(256 * lost / expected) : 0;
	if (!b->has_lost)
		b->lost = lost_of(&now);
	if (!b->has_highest)
		b->highest = now.highest - 0x10000;
	return true;
}

static void block_add(struct buffer *p, const struct block *b, int64_t at_ns)
{
	int64_t lsr_ns = b->lsr_ns > 0 ? b->lsr_ns : at_ns + b->lsr_ns;

	buffer_u32(p, b->ssrc);
	buffer_u8(p, (unsigned)(b->fraction < 0 ? 0 : b->fraction));
	buffer_u8(p, (unsigned)(b->lost >> 16) & 0xff);
	buffer_u16(p, (unsigned)b->lost & 0xffff);
	buffer_u32(p, (uint32_t)b->highest);
	buffer_u32(p, b->jitter);
	buffer_u32(p, b->has_lsr ? (uint32_t)(ntp_of(lsr_ns) >> 16) : 0);
	buffer_u32(p, b->has_lsr ? (uint32_t)llround((double)b->dlsr_ns * 65536 / 1e9) : 0);
}

static void header_add(struct buffer *p, unsigned count, unsigned type, size_t bytes)
{
	buffer_u8(p, 0x80 | count);
	buffer_u8(p, type);
	buffer_u16(p, (unsigned)(bytes / 4 - 1));
}

static void sender_info_add(struct scenario *s, struct buffer *p, const struct report *r)
{
	const struct flow *f = flow_by_ssrc(s, r->ssrc);
	uint32_t packets = 0, ts = 0;
	uint64_t octets;

	if (f) {
		for (size_t i = 0; i < f->sent_count; i++)
			packets += f->sent[i].at_ns <= r->at_ns;
		ts = f->next_ts - (uint32_t)llround((double)(f->next_ns - r->at_ns) * f->clock_hz / 1e9);
	}
	octets = f && f->sent_count ? f->octets / f->sent_count * packets : 0;
	if (r->has_packets) {
		packets = r->packets;
		octets = 160 * (uint64_t)packets;
	}
	buffer_u64(p, ntp_of(r->at_ns));
	buffer_u32(p, ts);
	buffer_u32(p, packets);
	buffer_u32(p, (uint32_t)octets);
}

static void sdes_add(struct buffer *p, const struct report *r)
{
	char text[ADDRESS_TEXT];
	struct buffer item = { .arena = p->arena };

	buffer_text(&item, "%u@%s", r->src.port, address_text(&r->src.addr, text));
	header_add(p, 1, RTCP_SDES, 4 + (4 + 2 + item.n + 1 + 3) / 4 * 4);
	buffer_u32(p, r->ssrc);
	buffer_u8(p, 1);                     /* CNAME */
	buffer_u8(p, (unsigned)item.n);
	buffer_add(p, item.p, item.n);
	do
		buffer_u8(p, 0);
	while (p->n % 4);
}

/* VoIP metrics of the first stream that is reported: nothing but the delay within the end system. */
static void metrics_add(struct buffer *p, const struct report *r)
{
	header_add(p, 0, RTCP_XR, 44);
	buffer_u32(p, r->ssrc);
	buffer_u8(p, 7);
	buffer_u8(p, 0);
	buffer_u16(p, 8);
	buffer_u32(p, r->blocks[0].ssrc);
	buffer_u32(p, 0);
	buffer_u32(p, 0);
	buffer_u16(p, 0);
	buffer_u16(p, r->own_ms);
	for (unsigned i = 0; i < 4; i++)
		buffer_u32(p, 0x7f7f7f7f);
}

static void report_send(struct scenario *s, const struct report *r)
{
	struct buffer p = { .arena = s->arena }, blocks = { .arena = s->arena };
	unsigned count = 0;
	size_t sender_bytes = r->sender ? 20 : 0;
	struct datagram *d;

	for (unsigned i = 0; i < r->block_count; i++) {
		struct block b = r->blocks[i];

		if (block_count(s, &b, r->at_ns, r->at_ns - (r->every_ns ? r->every_ns : 5 * SECOND_NS))) {
			block_add(&blocks, &b, r->at_ns);
			count++;
		}
	}
	header_add(&p, count, r->sender ? RTCP_SR : RTCP_RR, 8 + sender_bytes + blocks.n);
	buffer_u32(&p, r->ssrc);
	if (r->sender)
		sender_info_add(s, &p, r);
	buffer_add(&p, blocks.p, blocks.n);
	sdes_add(&p, r);
	if (r->own_ms && r->block_count)
		metrics_add(&p, r);
	if (r->bye) {
		header_add(&p, 1, RTCP_BYE, 8);
		buffer_u32(&p, r->ssrc);
	}
	d = datagram_add(s, r->at_ns + r->late_ns, r->src, r->dst, TRAFFIC_RTCP, p.p, p.n);
	d->taps = r->taps;
}

static void block_want(struct scenario *s, struct words *w, struct block *b)
{
	*b = (struct block){ .fraction = -1, .until_ns = INT64_MAX,
		.ssrc = (uint32_t)integer_want(s, w, "the SSRC reported") };
	while (w->left && !s->error) {
		if (word_accept(w, "fraction")) {
			b->fraction = (int)integer_want(s, w, "the fraction of 256") & 0xff;
		} else if (word_accept(w, "lost")) {
			b->lost = (int64_t)number_want(s, w, "the packets lost");
			b->has_lost = true;
		} else if (word_accept(w, "highest")) {
			b->highest = (int64_t)integer_want(s, w, "the highest sequence number");
			b->has_highest = true;
		} else if (word_accept(w, "jitter")) {
			b->jitter = (unsigned)integer_want(s, w, "the jitter");
		} else if (word_accept(w, "until")) {
			b->until_ns = time_want(s, w);
		} else if (word_accept(w, "lsr")) {
			b->has_lsr = true;
			b->lsr_ns = time_want(s, w);
			word_expect(s, w, "dlsr");
			b->dlsr_ns = time_want(s, w);
		} else {
			return;
		}
	}
}

static void report_want(struct scenario *s, struct words *w, struct report *r)
{
	if (word_accept(w, "sr"))
		r->sender = true;
	else
		word_expect(s, w, "rr");
	r->ssrc = (uint32_t)integer_want(s, w, "the reporter's SSRC");
	while (w->left && !s->error) {
		if (word_accept(w, "packets")) {
			r->has_packets = true;
			r->packets = (uint32_t)integer_want(s, w, "the packets sent");
		} else if (word_accept(w, "bye")) {
			r->bye = true;
		} else if (word_accept(w, "late")) {
			r->late_ns = time_want(s, w);
		} else if (word_accept(w, "own")) {
			r->own_ms = (unsigned)integer_want(s, w, "the end system's delay in ms");
		} else if (word_accept(w, "block")) {
			if (r->block_count == REPORT_BLOCKS)
				scenario_fail(s, "more than %d blocks", REPORT_BLOCKS);
			else
				block_want(s, w, &r->blocks[r->block_count++]);
		} else if (!taps_accept(s, w, &r->taps)) {
			return;
		}
	}
}

/*
 * rtcp FROM > TO at T [every T to T] sr|rr SSRC [packets N] [own MS] [late T] [bye] [only|not TAP]
 *     [block SSRC [fraction N] [lost N] [highest N] [jitter N] [until T] [lsr T dlsr T]]...
 */
void rtcp_read(struct scenario *s, struct words *w)
{
	struct report r = { .taps = TAP_ALL };

	r.src = endpoint_want(s, w);
	word_expect(s, w, ">");
	r.dst = endpoint_want(s, w);
	word_expect(s, w, "at");
	r.at_ns = r.to_ns = time_want(s, w);
	if (word_accept(w, "every")) {
		r.every_ns = time_want(s, w);
		word_expect(s, w, "to");
		r.to_ns = time_want(s, w);
	}
	report_want(s, w, &r);
	if (r.every_ns < 0 || (r.every_ns == 0 && r.to_ns != r.at_ns))
		scenario_fail(s, "reports come every so many seconds");
	for (; !s->error && r.at_ns <= r.to_ns; r.at_ns += r.every_ns) {
		report_send(s, &r);
		if (r.every_ns == 0)
			break;
	}
}
