/* SPDX-License-Identifier: MIT */
/*
 * capture-one-sided, capture-no-media, capture-no-signalling, signalling-encrypted: what this capture cannot show.
 * Info, never an alarm.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/tls_pair.h"
#include "captures/base/memory.h"

enum { PAIRS_SHOWN = 16, STREAM_MIN = 10, COPIES_MIN = 4 };

static const struct config_key no_keys[] = { { 0 } };

static struct frame_ref pair_frame(const struct pair *p)
{
	return (struct frame_ref){ p->first_ns, p->first_at.frame, p->first_at.file, 0 };
}

/* ---- capture-one-sided ---- */

static const char *const one_sided_reasons[] = { "mirror-direction", "asymmetric-path", "port-range", "link-member",
	NULL };

static const struct detector_doc one_sided_doc = {
	.says = "only one direction of the traffic between two hosts is in the capture",
	.symptom = "Half of the conversation is missing: nothing can be said of the other half.",
	.evidence = "Packets one way and none back, answers that must have been given and are not there, reports of streams that never pass.",
	.mimics = "A host that is really silent while others are heard: that is a finding about it.",
	.fix = "Mirror both directions (rx and tx) of the port, or capture beside the other party.",
	.reasons = one_sided_reasons,
};

static bool interesting(const struct pair *p)
{
	return p->sip >= 4 || p->rtp;
}

static void tell_pair(struct detection *d, const struct pair *p, const char *reason, uint64_t key)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, key, reason, SEVERITY_INFO, CONFIDENCE_CERTAIN);
	struct endpoint src = { p->src, 0 }, dst = { p->dst, 0 };
	char from[SAY_TEXT], to[SAY_TEXT];

	say_host(facts, &p->src, from);
	say_host(facts, &p->dst, to);
	finding_part(f, PART_WITNESS, &src);
	finding_part(f, PART_WITNESS, &dst);
	finding_times(f, p->first_ns, p->last_ns);
	finding_title(f, "Only %s to %s is in the capture", from, to);
	finding_cause(f,
		"%s packets from %s to %s are visible, none back. Claims about the other direction are withheld.",
		SAY_COUNT(p->packets), from, to);
	finding_fix(f, "Mirror rx and tx, or capture at %s.", to);
	finding_evidence(f, pair_frame(p), "first packet of the visible direction");
}

struct hosts { struct address src, dst; };
struct hosts_list { struct hosts *list; unsigned count, room; };       /* zeroed: empty */

static int hosts_compare(const void *a, const void *b)
{
	const struct hosts *x = a, *y = b;
	int c = address_compare(&x->src, &y->src);

	return c ? c : address_compare(&x->dst, &y->dst);
}

static void hosts_add(struct hosts_list *l, const struct address *src, const struct address *dst)
{
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->list = memory_resize(l->list, l->room, sizeof *l->list);
	}
	l->list[l->count++] = (struct hosts){ *src, *dst };
}

static void hosts_sort(struct hosts_list *l)
{
	if (l->count)
		qsort(l->list, l->count, sizeof *l->list, hosts_compare);
}

static bool hosts_have(const struct hosts_list *l, const struct pair *p)
{
	return l->count && bsearch(&(struct hosts){ p->src, p->dst }, l->list, l->count, sizeof *l->list, hosts_compare);
}

static void add_repeated_of(struct hosts_list *l, const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->request && t->request_copies >= COPIES_MIN && !t->status)
			hosts_add(l, &t->request->src.addr, &t->request->dst.addr);
	}
}

/* Sorted: between whom a request went four times and more and was never answered. */
static struct hosts_list repeated_list(const struct facts *facts)
{
	struct hosts_list l = { NULL, 0, 0 };

	LIST_EACH(it, calls_legs(facts->calls))
		add_repeated_of(&l, LIST_ENTRY(it, struct leg, in_order));
	LIST_EACH(it, calls_registrations(facts->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (r->requests + r->retransmissions >= COPIES_MIN && !r->status)
			hosts_add(&l, &r->source.addr, &r->registrar.addr);
	}
	hosts_sort(&l);
	return l;
}

/* Such a request, and not one packet towards its sender in the whole file. */
static bool repeated_into_nothing(const struct facts *facts, const struct pair *p, const struct hosts_list *repeated)
{
	const struct pair *witness;

	return hosts_have(repeated, p) && !network_other_inbound(facts->network, &p->src, &p->dst,
		facts->capture->first_ns, facts->capture->last_ns, &witness);
}

/* What the receiver of a stream says meanwhile to the same party is here, and goes to another address of it. */
static bool answered_elsewhere(const struct stream *s)
{
	const struct direction *back;

	if (!s->direction)
		return false;
	back = &s->direction->slot->direction[side_other(s->direction->sender)];
	for (unsigned i = 0; i < back->stream_count; i++) {
		const struct stream *b = back->streams[i];

		if (address_equal(&b->src.addr, &s->dst.addr) && !address_equal(&b->dst.addr, &s->src.addr) &&
		    b->first_ns <= s->last_ns && b->last_ns >= s->first_ns)
			return true;
	}
	return false;
}

/* Music on hold, an announcement: for as long as it came nothing was to go back. */
static bool one_way_agreed(const struct stream *s)
{
	const struct direction *back;
	int64_t due_ns = 0;

	if (!s->direction)
		return false;
	back = &s->direction->slot->direction[side_other(s->direction->sender)];
	for (unsigned i = 0; i < back->window_count; i++) {
		const struct window *w = &back->windows[i];
		int64_t from_ns = w->on_ns > s->first_ns ? w->on_ns : s->first_ns, to_ns = window_end(w, s->last_ns);

		if (w->state == EXPECT_DUE && to_ns > from_ns)
			due_ns += to_ns - from_ns;
	}
	return due_ns < SECOND_NS;
}

/* Sorted. A phone that has moved sends from a new address, what it is sent goes to the old one still. */
static struct hosts_list answered_list(const struct facts *facts)
{
	struct hosts_list l = { NULL, 0, 0 };

	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (answered_elsewhere(s) || one_way_agreed(s))
			hosts_add(&l, &s->src.addr, &s->dst.addr);
	}
	hosts_sort(&l);
	return l;
}

static unsigned tell_pairs(struct detection *d, const struct facts *facts)
{
	struct hosts_list answered = answered_list(facts), repeated = repeated_list(facts);
	unsigned n = 0;

	LIST_EACH(it, network_pairs(facts->network)) {
		const struct pair *p = LIST_ENTRY(it, struct pair, in_order), *visible, *back;

		if (!interesting(p) || address_multicast(&p->dst) || n == PAIRS_SHOWN || hosts_have(&answered, p))
			continue;
		back = network_pair_find(facts->network, &p->dst, &p->src);
		if (back && back->packets)
			continue;
		if (gates_one_sided(facts->gates, facts, &p->dst, &p->src, &visible) ||
		    repeated_into_nothing(facts, p, &repeated)) {
			tell_pair(d, p, "mirror-direction", n);
			n++;
		}
	}
	free(answered.list);
	free(repeated.list);
	return n;
}

/* A direction whose silence could not be judged because its media may pass elsewhere (G3). */
static void tell_direction(struct detection *d, const struct direction *dir, const struct hearing *h, uint64_t key)
{
	const struct facts *facts = detection_facts(d);
	bool range = strstr(hearing_why(h), "media ports of this range") != NULL;
	struct finding *f = detection_raise_keyed(d, key, range ? "port-range" : "asymmetric-path", SEVERITY_INFO,
		CONFIDENCE_CERTAIN);
	/* direct media is another host's than the proxy's that signals */
	struct endpoint sender = h->source_apart && h->window ? h->window->sources[0].at : party_seen_at(dir, dir->sender),
		receiver = party_seen_at(dir, side_other(dir->sender));
	char from[SAY_TEXT], to[SAY_TEXT];

	say_host(facts, &sender.addr, from);
	say_host(facts, &receiver.addr, to);
	finding_leg(f, dir->slot->dialog->leg);
	finding_part(f, PART_WITNESS, &sender);
	finding_part(f, PART_WITNESS, &receiver);
	finding_times(f, h->from_ns, h->to_ns);
	finding_title(f, "Audio from %s to %s does not pass this capture point", from, to);
	finding_cause(f, "No packet of that audio is here: %s. Claims about it are withheld.", hearing_why(h));
	finding_fix(f, "Mirror both directions of the port, or capture beside %s.", to);
	if (h->window && h->window->target_count)
		finding_evidence(f, window_sdp_frame(h->window), "audio was promised here");
}

/* Both directions, until enough is shown: n so far; how many then. */
static unsigned tell_slot(struct detection *d, const struct mslot *slot, unsigned n)
{
	for (unsigned side = 0; side < 2 && n < 2 * PAIRS_SHOWN; side++) {
		const struct direction *dir = &slot->direction[side];
		const struct hearing *h = hearing_of(dir);

		if (h && h->gate && strcmp(h->gate, "G3") == 0)
			tell_direction(d, dir, h, n++);
	}
	return n;
}

static void tell_directions(struct detection *d, const struct facts *facts, unsigned n)
{
	LIST_EACH(it, calls_legs(facts->calls)) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct leg, in_order)->dialogs) {
			const struct dialog *dialog = LIST_ENTRY(dit, struct dialog, in_leg);

			for (unsigned i = 0; i < dialog->mslot_count; i++)
				n = tell_slot(d, &dialog->mslots[i], n);
		}
	}
}

static void one_sided_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	unsigned n;

	(void)ev;
	n = tell_pairs(d, facts);
	tell_directions(d, facts, n);
	if (gates_link_member(facts->gates)) {
		struct finding *f = detection_raise_keyed(d, UINT64_MAX, "link-member", SEVERITY_INFO,
			CONFIDENCE_LIKELY);

		finding_title(f, "The capture shows one member of a bundled link only");
		finding_cause(f,
			"Every second or third packet of many streams is missing in step. Loss is not judged.");
		finding_fix(f, "Mirror all members of the link.");
		finding_times(f, facts->capture->first_ns, facts->capture->last_ns);
	} else if (n == 0) {
		detection_pass(d, NULL,
			"every pair of hosts with SIP or RTP is seen in both directions, or its silence has a witness");
	}
}

const struct detector detect_capture_one_sided = {
	.id = "capture-one-sided", .doc = &one_sided_doc, .keys = no_keys, .event = one_sided_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};

/* ---- capture-no-media ---- */

static const char *const no_media_reasons[] = { "sip-filter", "media-bypass", "unknown", NULL };

static const struct detector_doc no_media_doc = {
	.says = "calls were answered and no media of theirs is in the capture",
	.symptom = "Only signalling can be judged: whether anybody heard anybody is not in this capture.",
	.evidence = "Answered calls whose audio was due for 5 s and more, and not one RTP packet from or to any of their media addresses.",
	.mimics = "One call without audio among others with it: that is no-audio.",
	.fix = "Capture without a filter on the SIP port, at a place that the media passes.",
	.reasons = no_media_reasons,
};

static bool agreed_media(const struct leg *leg)
{
	return leg->confirmed && leg->confirmed->mslot_count;
}

/* Legs of one call are one call to the reader: only its first one with media counts. */
static bool first_agreed(const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (agreed_media(other))
			return other == leg;
	}
	return false;
}

/* The calls they belong to, counted. */
static unsigned add_silent_legs(struct finding *f, const struct facts *facts)
{
	unsigned calls = 0;

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (!agreed_media(leg))
			continue;
		finding_leg(f, leg);
		calls += first_agreed(leg);
	}
	return calls;
}

/* Media of some addresses never passes here, that of others does: relays whose port the mirror does not carry. */
static unsigned tell_silent_media(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	struct endpoint at = { .port = 0 };
	unsigned n = 0, calls;

	while (n < PAIRS_SHOWN && gates_silent_media(facts->gates, n, &at.addr, &calls)) {
		struct finding *f = detection_raise_keyed(d, ++n, "unknown", SEVERITY_INFO, CONFIDENCE_LIKELY);
		char host[ADDRESS_TEXT];

		address_text(&at.addr, host);
		finding_part(f, PART_WITNESS, &at);
		finding_times(f, facts->capture->first_ns, facts->capture->last_ns);
		finding_title(f, "Media of %s never passes this capture point", host);
		finding_cause(f, "%s %s %s for audio, and not one packet of it is here; media of others is. Such calls are not judged.",
			SAY_COUNTED(calls, "call"), calls == 1 ? "names" : "name", host);
		finding_fix(f, "Mirror the port of %s as well.", host);
	}
	return n;
}

static void no_media_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	unsigned calls;
	struct finding *f;

	(void)ev;
	if (!gates_no_media(facts->gates, &calls)) {
		if (tell_silent_media(d) == 0)
			detection_pass(d, NULL,
				"%u answered calls had audio due for 5 s; media of at least one is here", calls);
		return;
	}
	f = detection_raise(d, gates_no_media_reason(facts->gates), SEVERITY_INFO, CONFIDENCE_CERTAIN);
	f->reason_confidence = CONFIDENCE_LIKELY;
	calls = add_silent_legs(f, facts);
	finding_times(f, facts->capture->first_ns, facts->capture->last_ns);
	finding_title(f, "%u answered call%s, and no RTP of any in the capture", calls, calls == 1 ? "" : "s");
	finding_cause(f, "%u answered call%s, no RTP anywhere: %s. Only signalling is judged.", calls,
		calls == 1 ? "" : "s",
		      strcmp(f->reason, "sip-filter") == 0 ? "a filter on SIP" : strcmp(f->reason, "media-bypass") == 0
											 ? "the media goes directly between other hosts"
											 : "a filter, or media on another path");
	finding_fix(f, "Capture without a filter, at a place that the media passes (beside one of the parties).");
	if (f->leg_count)
		finding_evidence(f, f->legs[0].leg->answer_at, "an answered call");
}

const struct detector detect_capture_no_media = {
	.id = "capture-no-media", .doc = &no_media_doc, .keys = no_keys, .event = no_media_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};

/* ---- signalling-encrypted ---- */

static const char *const encrypted_reasons[] = { "tls", "dtls", "wss", NULL };

static const struct detector_doc encrypted_doc = {
	.says = "SIP inside TLS: calls cannot be read",
	.symptom = "RTP flows, the calls behind it cannot be told apart.",
	.evidence = "TLS on the SIP port between hosts that exchange RTP, and no readable SIP of theirs; TLS on a web port where the same two hosts exchange ICE checks and RTP, as browsers do.",
	.mimics = "Web traffic on port 443, SIP in clear beside a management connection.",
	.fix = "Capture behind the SBC where SIP is in clear, or give the session keys.",
	.reasons = encrypted_reasons,
};

static bool host_speaks_sip(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && h->sip_port_count;
}

struct talker {                      /* a host with media, or one and the other; no other: any */
	struct hash_link link;
	struct address addr, other;
	const struct stream *first;
};

static const struct address anybody;

static uint32_t talkers_hash(const struct address *a, const struct address *b)
{
	return (uint32_t)hash_mix(address_key(a), address_key(b));
}

static const struct stream *first_stream_to(const struct hash *talkers, const struct address *a,
	const struct address *other)
{
	uint32_t hash = talkers_hash(a, other);

	for (struct hash_link *it = hash_first(talkers, hash); it; it = it->next) {
		const struct talker *x = HASH_ENTRY(it, struct talker, link);

		if (it->hash == hash && address_equal(&x->addr, a) && address_equal(&x->other, other))
			return x->first;
	}
	return NULL;
}

static const struct stream *first_stream_of(const struct hash *talkers, const struct address *a)
{
	return first_stream_to(talkers, a, &anybody);
}

static void talker_add(struct hash *talkers, struct arena *arena, const struct address *a, const struct address *other,
	const struct stream *s)
{
	struct talker *x;

	if (first_stream_to(talkers, a, other))
		return;
	x = arena_zalloc(arena, sizeof *x);
	x->addr = *a;
	x->other = *other;
	x->first = s;
	hash_add(talkers, &x->link, talkers_hash(a, other));
}

static void talkers_gather(struct hash *talkers, const struct facts *facts)
{
	hash_init(talkers);
	if (list_empty(tls_pairs_in_order(facts->tls)))
		return;
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (s->packets < STREAM_MIN)
			continue;
		talker_add(talkers, lookup_arena(facts->lookup), &s->src.addr, &anybody, s);
		talker_add(talkers, lookup_arena(facts->lookup), &s->dst.addr, &anybody, s);
		talker_add(talkers, lookup_arena(facts->lookup), &s->src.addr, &s->dst.addr, s);
		talker_add(talkers, lookup_arena(facts->lookup), &s->dst.addr, &s->src.addr, s);
	}
}

static const struct stream *first_stream_of_either(const struct hash *talkers, const struct tls_pair *t)
{
	const struct stream *x = first_stream_of(talkers, &t->client), *y = first_stream_of(talkers, &t->server.addr);

	return !x || (y && y->n < x->n) ? y : x;
}

static bool sip_like(const struct tls_pair *t)
{
	return t->server.port == 5061 || t->sip_alpn;
}

/* A browser's: the host of its web port is the one that it checks paths (ICE) with, and exchanges audio with. */
static bool checks_paths(const struct facts *facts, const struct tls_pair *t)
{
	const struct pair *out, *back;

	if (t->dtls || sip_like(t))
		return false;
	out = network_pair_find(facts->network, &t->client, &t->server.addr);
	back = network_pair_find(facts->network, &t->server.addr, &t->client);
	return out && back && out->stun && back->stun;
}

static const struct stream *browser_media(const struct facts *facts, const struct hash *talkers,
	const struct tls_pair *t)
{
	const struct stream *s = first_stream_to(talkers, &t->client, &t->server.addr);

	return s && checks_paths(facts, t) ? s : NULL;
}

static void encrypted_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	struct hash talkers;
	bool told = false;

	(void)ev;
	talkers_gather(&talkers, facts);
	LIST_EACH(it, tls_pairs_in_order(facts->tls)) {
		const struct tls_pair *t = LIST_ENTRY(it, struct tls_pair, in_order);
		const struct stream *s;
		struct endpoint client = { t->client, 0 };
		struct finding *f;
		bool sip = sip_like(t);
		char from[SAY_TEXT], to[ENDPOINT_TEXT];

		if (host_speaks_sip(facts, &t->client))
			continue;
		s = sip ? first_stream_of_either(&talkers, t) : browser_media(facts, &talkers, t);
		if (!s)
			continue;
		told = true;
		f = detection_raise_keyed(d, t->n, !sip ? "wss" : t->dtls ? "dtls" : "tls", SEVERITY_INFO,
			sip ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		finding_part(f, PART_WITNESS, &client);
		finding_part(f, PART_WITNESS, &t->server);
		finding_stream(f, s->n);
		finding_times(f, t->first_at.at_ns, facts->capture->last_ns);
		say_host(facts, &t->client, from);
		endpoint_text(&t->server, to);
		finding_title(f, "Signalling between %s and %s is encrypted", from, to);
		finding_cause(f, "%s and %s use %s: session descriptions cannot be read, what was promised is unknown. Loss and jitter are still judged.", from,
			      to, !sip ? "TLS as browsers do (WebRTC, probably SIP in WebSocket)" : t->dtls ? "DTLS" : "TLS");
		finding_fix(f, "Capture behind the SBC, where SIP is in clear, or provide the session keys.");
		finding_evidence(f, t->first_at, "first TLS record");
		finding_evidence_run(f, stream_frame(s, s->first_frame, s->first_ns), s->last_frame,
			"RTP of these hosts");
	}
	hash_fini(&talkers);
	if (!told)
		detection_pass(d, NULL, "no TLS on a SIP port between hosts that exchange RTP");
}

const struct detector detect_signalling_encrypted = {
	.id = "signalling-encrypted", .doc = &encrypted_doc, .keys = no_keys, .event = encrypted_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};

/* ---- capture-no-signalling ---- */

static const char *const no_signalling_reasons[] = { "filter", "started-late", "other-protocol", NULL };

static const struct detector_doc no_signalling_doc = {
	.says = "RTP without SIP",
	.symptom = "Audio is there, the calls are not: who expected what cannot be said.",
	.evidence = "RTP streams between hosts of which no SIP message is in the capture.",
	.mimics = "SIP of the same hosts elsewhere in the file, SIP inside TLS.",
	.fix = "Capture the signalling, too; begin before the calls.",
	.reasons = no_signalling_reasons,
};

static bool hides_sip(const struct facts *facts, const struct address *client)
{
	for (const struct tls_pair *t = tls_pairs_of(facts->tls, client, NULL); t; t = tls_pairs_of(facts->tls, client, t)) {
		if (sip_like(t))
			return true;
	}
	return false;
}

static bool encrypted_between(const struct facts *facts, const struct stream *s)
{
	if (hides_sip(facts, &s->src.addr) || hides_sip(facts, &s->dst.addr))
		return true;
	for (const struct tls_pair *t = tls_pairs_between(facts->tls, &s->src.addr, &s->dst.addr, NULL); t;
	     t = tls_pairs_between(facts->tls, &s->src.addr, &s->dst.addr, t)) {
		if (checks_paths(facts, t))
			return true;
	}
	return false;
}

static bool without_signalling(const struct facts *facts, const struct stream *s)
{
	return s->packets + s->mirror_copies >= STREAM_MIN && !s->direction && !s->ambiguous && !s->signalled &&
	       !s->multicast &&
	       !host_speaks_sip(facts, &s->src.addr) && !host_speaks_sip(facts, &s->dst.addr) &&
	       !encrypted_between(facts, s);
}

static void no_signalling_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct capture_facts *c = facts->capture;
	const struct stream *first = NULL;
	unsigned n = 0;
	struct finding *f;

	(void)ev;
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (!without_signalling(facts, s))
			continue;
		n++;
		first = first ? first : s;
	}
	if (n == 0) {
		detection_pass(d, NULL, "no RTP stream between hosts without SIP");
		return;
	}
	f = detection_raise(d, c->h323 + c->mgcp + c->sccp ? "other-protocol" : c->sip ? "started-late" : "filter",
		SEVERITY_INFO, CONFIDENCE_CERTAIN);
	f->reason_confidence = CONFIDENCE_POSSIBLE;
	finding_times(f, first->first_ns, c->last_ns);
	LIST_EACH(it, streams_in_order(facts->streams)) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (without_signalling(facts, s)) {
			finding_stream(f, s->n);
			finding_part(f, PART_WITNESS, &s->src);
			finding_part(f, PART_WITNESS, &s->dst);
		}
	}
	finding_title(f, "%u RTP stream%s without SIP", n, n == 1 ? "" : "s");
	finding_cause(f, "%u RTP stream%s, no SIP of their hosts: only loss and jitter can be judged.", n,
		n == 1 ? "" : "s");
	finding_fix(f, "Capture the signalling as well (no filter), and begin before the calls.");
	finding_evidence_run(f, stream_frame(first, first->first_frame, first->first_ns), first->last_frame,
		"RTP without SIP");
}

const struct detector detect_capture_no_signalling = {
	.id = "capture-no-signalling", .doc = &no_signalling_doc, .keys = no_keys, .event = no_signalling_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = GLOBAL, .usual = SEVERITY_INFO,
	.possible_max = SEVERITY_INFO,
};
