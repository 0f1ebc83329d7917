/* SPDX-License-Identifier: MIT */
/*
 * stream_copy: mirror copies of the packets of a known stream (1.4.6, 1.11), told from packets that the sender really
 * repeated.
 */
#include "analyzer/media/stream_private.h"

#include "analyzer/network/loop.h"
#include "captures/base/memory.h"

enum { MARKS = 64, SAME_ID_S = 2 };

static bool mark_is_of(const struct copy_mark *m, const struct packet *p, int64_t window_ns)
{
	int64_t after_ns = ns_minus(p->at_ns, m->at_ns);

	if (m->seq != p->rtp.seq || m->length != (uint8_t)p->rtp.payload_wire || after_ns < 0)
		return false;
	if (!(p->has & HAS_IP_ID) || (p->ip_id == 0 && m->ip_id == 0))
		return after_ns <= window_ns;
	/* the same IP-ID at the same sequence number is no chance: two captures of one port whose clocks differ */
	return m->ip_id == p->ip_id && after_ns <= SAME_ID_S * SECOND_NS;
}

static struct copy_mark mark_of_last(const struct stream_hot *h, uint16_t seq)
{
	return (struct copy_mark){
		.at_ns = h->last_ns, .frame = h->last_frame, .seq = seq, .ip_id = h->last_ip_id, .ttl = h->ttl,
		.length = h->length,
	};
}

/* Of a stream with copies the first sight of a packet may be at another point than that of the first one. */
void copy_mark(struct streams *s, struct record *r, const struct packet *p)
{
	if (p->interface != r->s.interface || p->ifindex != r->s.ifindex || p->file != r->s.file)
		r->s.points |= streams_point(s, p);
	r->aside->marks[p->rtp.seq % MARKS] = (struct copy_mark){
		.at_ns = p->at_ns,
		.frame = p->frame,
		.seq = p->rtp.seq,
		.ip_id = p->ip_id,
		.ttl = p->ttl,
		.length = (uint8_t)p->rtp.payload_wire,
	};
}

/*
 * Bit of the place where it was seen; the first 32 of file and interface (of a capture on "any": its index) have one.
 */
uint32_t streams_point(struct streams *s, const struct packet *p)
{
	for (unsigned i = 0; i < s->point_count; i++) {
		if (s->points[i].file == packet_capture(p) && s->points[i].interface == p->interface &&
		    s->points[i].ifindex == p->ifindex)
			return UINT32_C(1) << i;
	}
	if (s->point_count == POINT_MAX)
		return 0;
	s->points[s->point_count].file = packet_capture(p);
	s->points[s->point_count].interface = p->interface;
	s->points[s->point_count].ifindex = p->ifindex;
	return UINT32_C(1) << s->point_count++;
}

static void copy_count(struct streams *s, struct record *r, const struct packet *p, const struct copy_mark *m)
{
	uint32_t after_ns = (uint32_t)ns_minus(p->at_ns, m->at_ns);
	struct stream_flaws *f = flaws_get(r);

	if (r->s.mirror_copies == 0 || after_ns < f->copy_delta_min_ns)
		f->copy_delta_min_ns = after_ns;
	if (after_ns > f->copy_delta_max_ns)
		f->copy_delta_max_ns = after_ns;
	r->s.mirror_copies++;
	f->copy_dscp = p->dscp;
	f->copies_other_ttl += p->ttl != m->ttl;
	f->copies_other_mac += (p->has & HAS_MAC) &&
		(memcmp(p->mac_src, r->mac_src, 6) != 0 || memcmp(p->mac_dst, r->mac_dst, 6) != 0);
	f->copies_other_vlan += (p->vlan_count ? p->vlan[0] : 0) != r->s.vlan;
	r->s.points |= streams_point(s, p);
}

static bool at_first_place(const struct record *r, const struct packet *p)
{
	return (p->vlan_count ? p->vlan[0] : 0) == r->s.vlan &&
	       (!(p->has & HAS_MAC) || (memcmp(p->mac_src, r->mac_src, 6) == 0 &&
		memcmp(p->mac_dst, r->mac_dst, 6) == 0));
}

/* The copy passes where the stream was met, with less to live than before: it goes round (network/loop.h). */
static void note_round(struct record *r, const struct packet *p, struct copy_mark *m)
{
	struct stream_flaws *f;

	if (p->ttl >= m->ttl || !at_first_place(r, p))
		return;
	m->ttl = p->ttl;
	m->at_ns = p->at_ns;
	m->falls += m->falls < UINT8_MAX;
	if (m->falls < LOOP_FALLS)
		return;
	f = flaws_get(r);
	f->looped += m->falls == LOOP_FALLS;
	f->loop_passes = m->falls > f->loop_passes ? m->falls : f->loop_passes;
	if (f->loop_ttl == 0 || p->ttl < f->loop_ttl)
		f->loop_ttl = p->ttl;
	if (f->loop_frame == 0)
		f->loop_frame = m->frame;
	if (f->loop_frame == m->frame) {
		f->loop_last_frame = p->frame;
		f->loop_ns = p->at_ns;
	}
}

/*
 * Is this repeated packet a copy of one that was counted? Without marks only the last packet can be told; the first
 * repetition makes them, so that a copy that overtakes others is known from the second on.
 */
bool copy_recognise(
	struct streams *s, struct record *r, struct stream_hot *h, const struct packet *p, enum sequence_step step)
{
	struct copy_mark *m, last;

	if (step != SEQUENCE_REPEATED && step != SEQUENCE_STRANGE)
		return false;
	if (!(h->flags & HOT_MARKS)) {
		if (step == SEQUENCE_STRANGE)
			return false;
		aside_get(r)->marks = memory_zalloc(MARKS * sizeof *r->aside->marks);
		last = mark_of_last(h, (uint16_t)h->ext_seq);
		if (!(h->flags & HOT_ASIDE) || r->aside->before.top_ns == h->last_ns)
			r->aside->marks[last.seq % MARKS] = last;
		h->flags |= HOT_MARKS;
	}
	m = &r->aside->marks[p->rtp.seq % MARKS];
	if (m->at_ns == 0 || !mark_is_of(m, p, s->config.dup_window_ns))
		return false;
	copy_count(s, r, p, m);
	note_round(r, p, m);
	return true;
}
