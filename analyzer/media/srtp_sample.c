/* SPDX-License-Identifier: MIT */
/*
 * srtp_sample: packets of a stream whose keys SDP tells in clear, as they were, in runs: at its beginning and 2 s
 * later, 2 s after a description that names one of its ends (by then who changes keys has changed them), where its
 * numbers wrap, and once a minute. Judgement tests them (detect/srtp_keys.c): which key was to be used is known only
 * then.
 */
#include "analyzer/media/stream_private.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum { SETTLE_S = 2, EVERY_S = 60, PACKET_MOST = 1500, RUN_FIRST = 3 };

struct srtp_sampling {
	struct srtp_sample sample;   /* first: what the stream shows of it */
	int64_t next_ns;             /* when a run begins */
	uint32_t cycle;              /* of the sequence numbers, when the last one began */
	bool signalled;              /* a description came since the last packet */
};

static struct srtp_sampling *sampling_of(const struct record *r)
{
	return (struct srtp_sampling *)(uintptr_t)r->s.srtp;
}

/* The line is to take the long way then, if it would not do so before. */
static void wake(struct stream_hot *h, int64_t at_ns)
{
	uint32_t due = (uint32_t)((uint64_t)at_ns >> 20);

	if ((int32_t)(due - h->due) < 0)
		h->due = due;
}

static void run_clear(struct streams *s, struct srtp_run *run)
{
	s->sample_bytes -= run->room;
	free(run->bytes);
	memset(run, 0, sizeof *run);
}

/* The first ones stay, and the latest. */
static void run_begin(struct streams *s, struct srtp_sample *m)
{
	if (m->run_count == SRTP_RUN_MAX) {
		run_clear(s, &m->runs[RUN_FIRST]);
		memmove(&m->runs[RUN_FIRST], &m->runs[RUN_FIRST + 1],
			(SRTP_RUN_MAX - RUN_FIRST - 1) * sizeof m->runs[0]);
		m->run_count--;
	}
	memset(&m->runs[m->run_count++], 0, sizeof m->runs[0]);
}

void srtp_sample_check(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	struct srtp_sampling *x = sampling_of(r);

	if (s->sample_bytes >= s->config.max_sample_bytes)
		return;
	if (!x) {
		x = memory_zalloc(sizeof *x);
		s->sample_bytes += sizeof *x;
		x->next_ns = p->at_ns;
		r->s.srtp = &x->sample;
	}
	if (x->signalled) {
		x->signalled = false;
		x->next_ns = ns_add(p->at_ns, SETTLE_S * SECOND_NS);
	}
	if (h->ext_seq >> 16 != x->cycle)
		x->next_ns = p->at_ns;
	wake(h, x->next_ns);
	if ((h->flags & HOT_SRTP) || p->at_ns < x->next_ns)
		return;
	run_begin(s, &x->sample);
	x->cycle = h->ext_seq >> 16;
	x->next_ns = ns_add(p->at_ns, (x->sample.run_count == 1 ? SETTLE_S : EVERY_S) * SECOND_NS);
	wake(h, x->next_ns);
	h->flags |= HOT_SRTP;
}

void srtp_sample_signalled(struct record *r, struct stream_hot *h)
{
	struct srtp_sampling *x = sampling_of(r);

	if (!x)
		return;
	x->signalled = true;
	h->flags &= (uint16_t)~HOT_SRTP;
}

/* The RTP packet as a whole; empty: it was cut, or stands in something that does not show it so. */
static struct span whole_packet(const struct packet *p)
{
	const uint8_t *b = p->payload.p;

	if ((p->has & HAS_TRUNCATED) || p->payload.n != p->payload_wire || p->payload.n > PACKET_MOST ||
	    p->payload.n < PLAIN_RTP_BYTES || b[0] >> 6 != 2 || (b[2] << 8 | b[3]) != p->rtp.seq ||
	    ((uint32_t)b[8] << 24 | (uint32_t)b[9] << 16 | (uint32_t)b[10] << 8 | b[11]) != p->rtp.ssrc)
		return SPAN_NONE;
	return p->payload;
}

/* Room for one more such packet: for a whole run of them at its first. */
static void run_reserve(struct streams *s, struct srtp_run *run, size_t bytes)
{
	size_t room = run->used + bytes;

	if (room <= run->room)
		return;
	room = run->room ? room + run->room / 2 : bytes * SRTP_RUN_PACKETS;
	run->bytes = memory_resize(run->bytes, room, 1);
	s->sample_bytes += room - run->room;
	run->room = (uint32_t)room;
}

static void packet_keep(struct streams *s, struct srtp_run *run, const struct packet *p, struct span whole,
	uint32_t ext_seq)
{
	run_reserve(s, run, whole.n);
	memcpy(run->bytes + run->used, whole.p, whole.n);
	run->packets[run->count++] = (struct srtp_packet){ .at_ns = p->at_ns, .frame = p->frame, .at = run->used,
		.bytes = (uint16_t)whole.n, .rollovers = ext_seq >> 16 };
	run->used += (uint32_t)whole.n;
}

void srtp_sample_take(struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p)
{
	struct srtp_sampling *x = sampling_of(r);
	struct srtp_run *run = &x->sample.runs[x->sample.run_count - 1];
	uint32_t ext_seq = h->ext_seq + (uint32_t)(int16_t)(p->rtp.seq - (uint16_t)h->ext_seq);
	struct span whole = whole_packet(p);

	if (!whole.n)
		x->sample.unreadable++;
	else if (ext_seq <= h->ext_seq)                 /* else it is older than the first of its epoch */
		packet_keep(s, run, p, whole, ext_seq);
	if (++run->seen >= SRTP_RUN_PACKETS)
		h->flags &= (uint16_t)~HOT_SRTP;
}

void srtp_sample_free(struct streams *s, struct record *r)
{
	struct srtp_sampling *x = sampling_of(r);

	if (!x)
		return;
	for (unsigned i = 0; i < x->sample.run_count; i++)
		run_clear(s, &x->sample.runs[i]);
	s->sample_bytes -= sizeof *x;
	free(x);
	r->s.srtp = NULL;
}
