/* SPDX-License-Identifier: MIT */
/*
 * nat_mismatch_rtcp: a=rtcp (RFC 3605) that names an address which cannot work, and control packets that are really
 * sent there. Audio does not suffer: a fact. Many ALGs and NAT helpers mend c= and overlook this line.
 */
#include "analyzer/detect/nat_mismatch.h"

#include "captures/base/hash.h"

enum {
	REPORTS_MIN = 2,             /* one may have been on its way before something better was known */
	LOOK = 64                    /* senders to one address that are asked */
};

struct sent {                        /* control packets by where they go */
	struct hash_link by_dst;
	const struct rtcp_party *party;
};

struct owner {                       /* one finding for all calls of a host that is told apart by what it names */
	struct hash_link by_address;
	struct address real;
	struct finding *finding;
};

struct search {
	struct detection *d;
	struct arena *arena;
	struct hash sent, owners;
};

static void sent_gather(struct search *s)
{
	LIST_EACH(it, rtcp_parties(detection_facts(s->d)->rtcp)) {
		const struct rtcp_party *party = LIST_ENTRY(it, struct rtcp_party, in_order);
		struct sent *x;

		if (party->report_total < REPORTS_MIN || address_reach(&party->dst.addr) == 2)
			continue;
		x = arena_zalloc(s->arena, sizeof *x);
		x->party = party;
		hash_add(&s->sent, &x->by_dst, endpoint_hash(&party->dst));
	}
}

/* Where the receiver of audio wants its control packets, as it reached the sender; false: nowhere in particular. */
static bool named_of(const struct direction *d, const struct window *w, struct endpoint *ret_named,
	const struct message **ret_message)
{
	const struct message *m = w->target_count ? w->targets[0].message : NULL;
	const struct sdp_media *media;

	if (!m || !m->sdp || d->slot->mline >= m->sdp->media_count)
		return false;
	media = &m->sdp->media[d->slot->mline];
	*ret_named = sdp_media_rtcp(media);
	*ret_message = m;
	return media->port && !media->rare->candidate_count && address_known(&ret_named->addr) &&
	       !address_equal(&ret_named->addr, &media->at.addr);
}

static struct endpoint real_of(const struct direction *d)
{
	const struct direction *own = direction_reverse(d);

	if (own->stream_count)
		return own->streams[own->stream_count - 1]->src;
	return (struct endpoint){ .addr = d->slot->dialog->leg->party[side_other(d->sender)].signalling.addr };
}

static struct owner *owner_of(struct search *s, const struct address *real, const char *reason)
{
	uint64_t key = hash_mix(hash_bytes(real, sizeof *real), 17);
	struct owner *o;

	for (struct hash_link *it = hash_first(&s->owners, (uint32_t)key); it; it = it->next) {
		o = HASH_ENTRY(it, struct owner, by_address);
		if (address_equal(&o->real, real))
			return o;
	}
	o = arena_zalloc(s->arena, sizeof *o);
	o->real = *real;
	o->finding = detection_raise_keyed(s->d, key, reason, SEVERITY_INFO, CONFIDENCE_CERTAIN);
	o->finding->count = 0;
	hash_add(&s->owners, &o->by_address, (uint32_t)key);
	return o;
}

static void tell(struct search *s, const struct leg *leg, const struct message *told, const struct rtcp_party *party,
	const struct endpoint *real, const char *reason)
{
	const struct facts *facts = detection_facts(s->d);
	struct finding *f = owner_of(s, &real->addr, reason)->finding;
	const struct rtcp_sender_report *first = party->reports;
	char owner[SAY_TEXT], sender[SAY_TEXT], named[ENDPOINT_TEXT];

	finding_leg(f, leg);
	finding_times(f, party->first_ns, party->last_ns);
	f->count += (uint32_t)party->report_total;
	if (f->title.n)
		return;
	finding_part(f, PART_CULPRIT, &(struct endpoint){ real->addr, 0 });
	finding_part(f, PART_WITNESS, &party->dst);
	finding_part(f, PART_WITNESS, &party->src);
	say_host(facts, &real->addr, owner);
	say_host(facts, &party->src.addr, sender);
	endpoint_text(&party->dst, named);
	finding_title(f, "RTCP for %s goes to %s, where it does not arrive", owner, named);
	finding_cause(f, "%s names %s for its control packets (a=rtcp): %s. %s sends them there; audio is not affected, but %s learns nothing of loss on its way.",
		      owner, named, nat_unusable_because(reason), sender, sender);
	finding_fix(f, "Let the device name its RTCP port alone (a=rtcp without address), or use rtcp-mux; where a SIP ALG mends c= and overlooks a=rtcp, switch it off.");
	finding_evidence(f, told->at, "a=rtcp names %s", named);
	finding_evidence(f, (struct frame_ref){ first->at_ns, first->frame, first->file, 0 }, "RTCP goes to %s", named);
}

/* Is the real address what the audio is to be sent to? Then its owner knows it. */
static bool knows(const struct window *w, const struct address *real)
{
	for (unsigned i = 0; i < w->target_count; i++) {
		if (address_equal(&w->targets[i].at.addr, real))
			return true;
	}
	return false;
}

static bool in_window(const struct window *w, const struct rtcp_party *party)
{
	return party->last_ns >= w->on_ns && (w->off_ns == NS_NONE || party->first_ns <= w->off_ns);
}

static void judge_window(struct search *s, const struct direction *d, const struct window *w)
{
	const struct endpoint real = real_of(d);
	const struct message *told;
	struct endpoint named;
	unsigned looked = 0;
	uint32_t hash;

	if (!named_of(d, w, &named, &told))
		return;
	hash = endpoint_hash(&named);
	for (struct hash_link *it = hash_first(&s->sent, hash); it && looked < LOOK; it = it->next) {
		const struct rtcp_party *party = HASH_ENTRY(it, struct sent, by_dst)->party;
		const char *reason;

		if (it->hash != hash || !endpoint_equal(&party->dst, &named))
			continue;
		looked++;
		if (!in_window(w, party))
			continue;
		reason = nat_unusable(detection_facts(s->d), &named.addr, &real.addr, &party->src.addr,
			knows(w, &real.addr));
		if (reason) {
			tell(s, d->slot->dialog->leg, told, party, &real, reason);
			return;
		}
	}
}

static void judge_direction(struct search *s, const struct direction *d)
{
	for (unsigned i = 0; i < d->window_count; i++)
		judge_window(s, d, &d->windows[i]);
}

void nat_mismatch_rtcp(struct detection *d)
{
	struct search s = { .d = d, .arena = arena_new() };

	hash_init(&s.sent);
	hash_init(&s.owners);
	sent_gather(&s);
	if (s.sent.count) {
		LIST_EACH(it, calls_legs(detection_facts(d)->calls)) {
			const struct dialog *dialog = LIST_ENTRY(it, struct leg, in_order)->confirmed;

			for (unsigned i = 0; dialog && i < dialog->mslot_count; i++) {
				judge_direction(&s, &dialog->mslots[i].direction[SIDE_CALLER]);
				judge_direction(&s, &dialog->mslots[i].direction[SIDE_CALLEE]);
			}
		}
	}
	hash_fini(&s.sent);
	hash_fini(&s.owners);
	arena_free(s.arena);
}
