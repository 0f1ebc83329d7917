/* SPDX-License-Identifier: MIT */
/* network_loop: who goes round, where, and whether it is enough to say so. RFC 1812 5.3.1, 4.3.3.4. */
#include "analyzer/detect/network_loop.h"

#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/loop.h"

enum { MAC_TEXT = 18, TELL_PAIRS = 4, SENDERS_LEAST = 2, TIME_EXCEEDED = 11, TIME_EXCEEDED_V6 = 3 };

static const char *mac_text(const uint8_t mac[6], char buffer[MAC_TEXT])
{
	snprintf(buffer, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return buffer;
}

/* ---- what goes round ---- */

static struct network_loop *find(struct network_loops *l, const struct address *src, const struct address *dst,
	bool unchanged)
{
	for (unsigned i = 0; i < l->count; i++) {
		struct network_loop *x = &l->list[i];

		if (x->unchanged == unchanged && address_equal(&x->src, src) && address_equal(&x->dst, dst))
			return x;
	}
	return NULL;
}

static struct network_loop *add(struct network_loops *l, const struct address *src, const struct address *dst,
	bool unchanged)
{
	struct network_loop *x = find(l, src, dst, unchanged);

	if (x || l->count == sizeof l->list / sizeof *l->list)
		return x;
	x = &l->list[l->count++];
	*x = (struct network_loop){ .src = *src, .dst = *dst, .unchanged = unchanged, .first_ns = INT64_MAX,
		.last_ttl = UINT8_MAX };
	return x;
}

static void take_packets(struct network_loops *l, const struct loop *p)
{
	struct network_loop *x = add(l, &p->src, &p->dst, p->unchanged);

	if (!x)
		return;
	x->died = p->died;
	x->has_mac = p->has_mac;
	memcpy(x->mac_src, p->mac_src, sizeof x->mac_src);
	memcpy(x->mac_dst, p->mac_dst, sizeof x->mac_dst);
	x->first_ttl = p->first_ttl;
	x->last_ttl = p->last_ttl;
	x->packets = p->packets;
	x->passes = p->passes;
	x->first_ns = p->first_ns;
	x->last_ns = p->last_ns;
	x->first_at = (struct frame_ref){ p->first_ns, p->first_frame, p->file, p->interface };
	x->last_at = (struct frame_ref){ p->last_ns, p->last_frame, p->file, p->interface };
}

/* Of a stream neither the neighbours nor the last step are kept: that it dies is seen where its packets were few. */
static void take_stream(struct network_loops *l, const struct stream *s)
{
	const struct stream_flaws *f = stream_flaws(s);
	struct network_loop *x = f->looped ? add(l, &s->src.addr, &s->dst.addr, false) : NULL;

	if (!x)
		return;
	if (!x->first_at.frame) {
		x->first_at = (struct frame_ref){ s->first_ns, f->loop_frame, s->file, s->interface };
		x->last_at = (struct frame_ref){ f->loop_ns, f->loop_last_frame, s->file, s->interface };
		x->first_ttl = s->ttl_max;
	}
	x->packets += f->looped;
	x->passes = f->loop_passes + 1u > x->passes ? f->loop_passes + 1u : x->passes;
	x->last_ttl = f->loop_ttl < x->last_ttl ? f->loop_ttl : x->last_ttl;
	x->died |= (x->first_ttl - f->loop_ttl) / f->loop_passes >= f->loop_ttl;
	x->first_ns = s->first_ns < x->first_ns ? s->first_ns : x->first_ns;
	x->last_ns = s->last_ns > x->last_ns ? s->last_ns : x->last_ns;
}

void network_loops_gather(struct network_loops *ret, const struct facts *facts)
{
	const struct loops *packets = network_loops(facts->network);

	ret->count = 0;
	for (unsigned i = 0; i < packets->routed_count; i++)
		take_packets(ret, &packets->routed[i]);
	for (unsigned i = 0; i < packets->switched_count; i++)
		take_packets(ret, &packets->switched[i]);
	LIST_EACH(it, streams_in_order(facts->streams))
		take_stream(ret, LIST_ENTRY(it, struct stream, in_order));
}

bool network_loops_has(const struct network_loops *l, const struct address *src, const struct address *dst)
{
	for (unsigned i = 0; i < l->count; i++) {
		if (address_equal(&l->list[i].src, src) && address_equal(&l->list[i].dst, dst))
			return true;
	}
	return false;
}

/* ---- what is said ---- */

struct sum {
	unsigned packets, pairs, senders, passes;
	bool died;
	const struct network_loop *most;     /* packets; NULL none */
	int64_t first_ns, last_ns;
};

static bool is_new_sender(const struct network_loops *l, unsigned i)
{
	for (unsigned k = 0; k < i; k++) {
		if (l->list[k].unchanged == l->list[i].unchanged &&
		    memcmp(l->list[k].mac_src, l->list[i].mac_src, sizeof l->list[i].mac_src) == 0)
			return false;
	}
	return true;
}

static struct sum sum_of(const struct network_loops *l, bool unchanged)
{
	struct sum s = { .first_ns = INT64_MAX, .last_ns = INT64_MIN };

	for (unsigned i = 0; i < l->count; i++) {
		const struct network_loop *x = &l->list[i];

		if (x->unchanged != unchanged)
			continue;
		s.packets += x->packets;
		s.pairs++;
		s.senders += x->has_mac && is_new_sender(l, i);
		s.passes = x->passes > s.passes ? x->passes : s.passes;
		s.died |= x->died;
		s.first_ns = x->first_ns < s.first_ns ? x->first_ns : s.first_ns;
		s.last_ns = x->last_ns > s.last_ns ? x->last_ns : s.last_ns;
		if (!s.most || x->packets > s.most->packets)
			s.most = x;
	}
	return s;
}

static void add_parts(struct finding *f, const struct network_loops *l, bool unchanged)
{
	unsigned told = 0;

	for (unsigned i = 0; i < l->count && told < TELL_PAIRS; i++) {
		const struct network_loop *x = &l->list[i];

		if (x->unchanged != unchanged)
			continue;
		finding_part(f, PART_VICTIM, &(struct endpoint){ x->src, 0 });
		finding_part(f, PART_WITNESS, &(struct endpoint){ x->dst, 0 });
		finding_evidence(f, x->first_at, unchanged ? "a frame, seen first" : "a packet, seen first");
		finding_evidence(f, x->last_at, unchanged ? "the same frame once more, unchanged"
			: "the same packet once more, with less to live");
		told++;
	}
}

static void add_streams(struct finding *f, const struct facts *facts)
{
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (stream_flaws(s)->looped == 0)
			continue;
		finding_stream(f, s->n);
		if (s->direction)
			finding_leg(f, s->direction->slot->dialog->leg);
	}
}

/* Who says that time ran out, for a packet that goes round. */
static const struct icmp_record *expiry_of(const struct facts *facts, const struct network_loops *l)
{
	LIST_EACH(it, facts->icmp) {
		const struct icmp_record *i = LIST_ENTRY(it, struct icmp_record, in_order);

		if (i->type == (i->v6 ? TIME_EXCEEDED_V6 : TIME_EXCEEDED) && i->code == 0 &&
		    network_loops_has(l, &i->src.addr, &i->dst.addr))
			return i;
	}
	return NULL;
}

static void tell_routed(struct detection *d, const struct network_loops *l, const struct sum *s,
	const struct icmp_record *expiry)
{
	const struct facts *facts = detection_facts(d);
	const struct network_loop *x = s->most;
	struct finding *f = detection_raise_keyed(d, 1, "network-loop", SEVERITY_WARNING, CONFIDENCE_CERTAIN);
	char from[SAY_TEXT], to[SAY_TEXT], act[2 * SAY_TEXT], a[MAC_TEXT], b[MAC_TEXT], router[ADDRESS_TEXT];

	say_host(facts, &x->src, from);
	say_host(facts, &x->dst, to);
	snprintf(act, sizeof act, "Packets to %s are routed in a circle", to);
	say_title(f, act, s->died || expiry ? "they do not arrive" : "they pass here again and again");
	finding_cause(f, "%s packet%s from %s to %s", SAY_COUNT(x->packets), x->packets == 1 ? "" : "s", from, to);
	if (s->pairs > 1)
		text_addf(&f->cause, ", and %u of %u other pair%s of hosts,", s->packets - x->packets, s->pairs - 1,
			s->pairs == 2 ? "" : "s");
	text_addf(&f->cause, " pass%s this point up to %u times, each time with less to live (TTL %u, at last %u)",
		s->packets == 1 ? "es" : "", s->passes, x->first_ttl, x->last_ttl);
	if (x->has_mac)
		text_addf(&f->cause, ": %s and %s hand them to and fro, or pass them on in a ring",
			mac_text(x->mac_src, a), mac_text(x->mac_dst, b));
	text_add(&f->cause, s->died || expiry ? ", until their time is up." : ".");
	if (expiry) {
		address_text(&expiry->reporter, router);
		text_addf(&f->cause, " %s says so by ICMP: time to live exceeded.", router);
	}
	finding_fix(f, "Compare the routes to %s on the routers in that ring: one sends it back to where it came from. Usually the network behind is down or not configured and its route is a default route or a summary that points back; add the missing route, or a discard route for the summary.",
		to);
	finding_cannot_see(f, "which of the routers has the wrong route");
	finding_times(f, s->first_ns, s->last_ns);
	f->count = s->packets;
	add_parts(f, l, false);
	add_streams(f, facts);
	if (expiry) {
		finding_part(f, PART_WITNESS, &(struct endpoint){ expiry->reporter, 0 });
		finding_evidence(f, expiry->at, "ICMP of %s: time to live exceeded", router);
	}
}

static void tell_switched(struct detection *d, const struct network_loops *l, const struct sum *s)
{
	struct finding *f = detection_raise_keyed(d, 2, "network-loop", SEVERITY_WARNING, CONFIDENCE_LIKELY);

	finding_title(f, "The same frames circulate in the network");
	finding_cause(f, "%u frame%s of %u senders came up to %u times within %.0f ms, unchanged, and went on coming: switches hand them round in a ring. Such a storm takes the bandwidth of all that is connected.",
		s->packets, s->packets == 1 ? "" : "s", s->senders, s->passes,
		detection_config(d, "dup", "window-ms"));
	finding_fix(f, "Look for a second cable between two switches, or a phone with both of its ports in the wall; switch on spanning tree and the loop protection of the access ports.");
	finding_cannot_see(f, "where the ring is closed: the counters of the switches' ports show it");
	finding_times(f, s->first_ns, s->last_ns);
	f->count = s->packets;
	add_parts(f, l, true);
}

unsigned network_loops_tell(struct detection *d, const struct network_loops *l)
{
	struct sum routed = sum_of(l, false), switched = sum_of(l, true);
	double least = detection_key(d, "min-looped");
	const struct icmp_record *expiry = expiry_of(detection_facts(d), l);
	bool is_routed = routed.packets >= least, is_switched = switched.packets >= least;

	if (is_routed)
		tell_routed(d, l, &routed, expiry);
	else if (routed.packets)
		detection_note(d, false, "%u packets go round with less and less to live: a route that is just changing does that to some", routed.packets);
	is_switched &= switched.senders >= SENDERS_LEAST;
	if (is_switched)
		tell_switched(d, l, &switched);
	else if (switched.packets)
		detection_note(d, false, "%u packets of %u senders come again unchanged: one sender may do that itself", switched.packets,
			switched.senders);
	return is_routed + is_switched;
}
