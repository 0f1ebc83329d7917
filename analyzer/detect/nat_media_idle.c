/* SPDX-License-Identifier: MIT */
/*
 * nat_media_idle: a mapping of audio that died while its phone was silent (hold, mute): the same stream comes back from
 * another port of the router, and what was sent to the old one meanwhile is lost.
 */
#include "analyzer/detect/nat_binding.h"
#include "captures/base/memory.h"

/* more in one direction: no phone, and too many to compare */
enum { LOST_LEAST = 50, SURE = 60, STREAMS_MOST = 64 };

struct idle {
	const struct stream *before, *after; /* of the phone */
	const struct stream *back;   /* to its old port */
	double lost;                 /* packets of that after the mapping was given up for certain */
};

/* Behind a router, as far as the map knows. */
static bool translated(const struct facts *facts, const struct address *outer)
{
	LIST_EACH(it, network_mappings(facts->network)) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);

		if (address_equal(&m->outside.addr, outer) && m->weight >= SURE)
			return true;
	}
	return false;
}

/* The phone itself has named another port meanwhile: then it moved, and nothing died. */
static bool moved_by_sdp(const struct direction *d, int64_t before_ns, int64_t after_ns)
{
	const struct window *x = direction_window_at(direction_reverse(d), before_ns),
		*y = direction_window_at(direction_reverse(d), after_ns);

	return x && y && x->target_count && y->target_count && !endpoint_equal(&x->targets[0].at, &y->targets[0].at);
}

/* The stream of the other side that went on to the old port. */
static bool find_back(const struct direction *d, struct idle *x, int64_t silence_ns)
{
	const struct direction *back = direction_reverse(d);

	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct stream *s = back->streams[i];

		if (!endpoint_equal(&s->dst, &x->before->src))
			continue;
		x->lost = stream_packets_between(s, ns_add(x->before->last_ns, silence_ns), x->after->last_ns);
		x->back = s;
		if (x->lost >= LOST_LEAST)
			return true;
	}
	return false;
}

static bool find_idle(const struct direction *d, int64_t silence_ns, struct idle *x)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		for (unsigned k = 0; k < d->stream_count; k++) {
			const struct stream *before = d->streams[i], *after = d->streams[k];

			if (before->ssrc != after->ssrc || before->bound_by > BOUND_STRONG ||
			    !address_equal(&before->src.addr, &after->src.addr) ||
			    before->src.port == after->src.port ||
			    ns_minus(after->first_ns, before->last_ns) < silence_ns)
				continue;
			*x = (struct idle){ .before = before, .after = after };
			if (!moved_by_sdp(d, before->last_ns, after->first_ns) && find_back(d, x, silence_ns))
				return true;
		}
	}
	return false;
}

static void tell(struct detection *d, const struct leg *leg, const struct direction *dir, const struct idle *x)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, hash_mix(direction_key(dir), 1), "media-idle", SEVERITY_ERROR,
		CONFIDENCE_LIKELY);
	double silence_s = (double)ns_minus(x->after->first_ns, x->before->last_ns) / 1e9;
	char party[SAY_TEXT], outer[ADDRESS_TEXT], was[ENDPOINT_TEXT], now[ENDPOINT_TEXT];

	f->reason_confidence = f->confidence;
	say_party(facts, leg, dir->sender, party);
	address_text(&x->before->src.addr, outer);
	finding_leg(f, leg);
	finding_part(f, PART_VICTIM, &x->before->src);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->before->src.addr, 0 });
	finding_part(f, PART_WITNESS, &x->back->src);
	finding_stream(f, x->before->n);
	finding_stream(f, x->after->n);
	finding_stream(f, x->back->n);
	finding_times(f, x->before->last_ns, x->after->first_ns);
	f->count = 1;
	finding_title(f, "The router %s forgot the audio of %s after %.0f s of silence", outer, party, silence_s);
	finding_cause(f, "%s sent no audio for %.1f s (hold, mute), then it came from %s instead of %s; %s packets to the old port went to nobody.", party, silence_s,
		      endpoint_text(&x->after->src, now), endpoint_text(&x->before->src, was), SAY_COUNT((uint64_t)x->lost));
	finding_fix(f, "Let the phone send on while it holds or is muted (silence, comfort noise or RTP keepalives, RFC 6263) at least every 25 s, or raise the router's "
		       "UDP timer to 300 s and more; the PBX should follow the audio to its new port.");
	finding_evidence(f, stream_frame(x->before, x->before->last_frame, x->before->last_ns),
		"the last packet from %s", endpoint_text(&x->before->src, was));
	finding_evidence(f, stream_frame(x->after, x->after->first_frame, x->after->first_ns),
		"the same stream from %s", endpoint_text(&x->after->src, now));
	finding_cannot_see(f, "when exactly the mapping died");
}

void nat_media_idle(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	int64_t silence_ns = (int64_t)(detection_config(d, "nat", "min-silence-s") * 1e9);

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
			for (unsigned side = 0; side < 2; side++) {
				const struct direction *dir = &leg->confirmed->mslots[i].direction[side];
				struct idle x;

				if (dir->stream_count > 1 && dir->stream_count <= STREAMS_MOST &&
				    find_idle(dir, silence_ns, &x) && translated(facts, &x.before->src.addr))
					tell(d, leg, dir, &x);
			}
		}
	}
}
