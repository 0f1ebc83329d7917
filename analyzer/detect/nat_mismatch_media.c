/* SPDX-License-Identifier: MIT */
/*
 * nat_mismatch_media: addresses in SDP. Only audio that is really sent to such an address, or must be, makes a finding;
 * latching excuses it.
 */
#include "analyzer/detect/nat_mismatch.h"

#include <stdio.h>

#include "analyzer/detect/ice_checks.h"
#include "captures/base/hash.h"
#include "captures/base/memory.h"

enum { COMPENSATED_MIN = 25 };               /* packets to the real place */

struct mismatch {
	const char *reason;
	enum confidence confidence;
	struct endpoint told, real, from;    /* where the receiver wants audio, where it is, who sends */
	const struct stream *stream;         /* to `told`; NULL: none seen */
	const struct window *window;         /* not the one that was judged, but this; else NULL */
	bool handed;                         /* direct media: whoever named it had named itself before */
};

/* The receiver's own audio, else its signalling. */
static struct endpoint real_of(const struct facts *facts, const struct direction *d)
{
	const struct direction *own = direction_reverse(d);

	if (hearing_own_stream(facts, own))
		return hearing_own_stream(facts, own)->src;
	return (struct endpoint){ .addr = d->slot->dialog->leg->party[side_other(d->sender)].signalling.addr };
}

/*
 * Does the message that gave the address name the real one elsewhere? Then its author knows it and has chosen a wrong
 * one for audio.
 */
static bool knows_real(const struct window *w, const struct endpoint *real)
{
	for (unsigned i = 0; i < w->target_count; i++) {
		const struct endpoint contact = message_contact(w->targets[i].message);

		if (address_equal(&contact.addr, &real->addr))
			return true;
	}
	return false;
}

static bool stable_before(const struct dialog *dialog, const struct exchange *e)
{
	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *before = LIST_ENTRY(it, struct exchange, in_dialog);

		if (before == e)
			break;
		if (before->state == EXCHANGE_STABLE)
			return true;
	}
	return false;
}

/*
 * Direct media: a server that has named its own address hands the audio on to another party in mid-call. What it names
 * now is none of its own interfaces.
 */
static bool handed_on(const struct direction *d, const struct window *w, const struct endpoint *told)
{
	const struct address *author = &d->slot->dialog->leg->party[side_other(d->sender)].signalling.addr;

	if (address_equal(&told->addr, author))
		return false;
	/* the answer to the call was missed, and with it what it named before */
	if (w->exchange && w->exchange->kind == EXCHANGE_REINVITE && d->slot->dialog->leg->initial_invite_seen &&
	    !stable_before(d->slot->dialog, w->exchange))
		return true;
	for (const struct window *before = d->windows; before < w; before++) {
		for (unsigned i = 0; i < before->target_count; i++) {
			if (address_equal(&before->targets[i].at.addr, author))
				return true;
		}
	}
	return false;
}

/*
 * Both sit behind the router whose address was named: they are private, and the audio of neither comes back in. Who
 * names a public address to one of its own network means that router, whether it knows its address or not.
 */
static bool behind_one_nat(const struct facts *facts, const struct mismatch *m)
{
	int real, from;

	if (address_private(&m->told.addr) || !address_private(&m->real.addr) || !address_private(&m->from.addr) ||
	    address_equal(&m->real.addr, &m->from.addr))
		return false;
	real = hearing_behind(facts, &m->real.addr, &m->told.addr);
	from = hearing_behind(facts, &m->from.addr, &m->told.addr);
	return (real > 0 && from > 0) ||
	       (real >= 0 && from >= 0 && address_same_net(&m->real.addr, &m->from.addr));
}

/* The phone's NAT translates ports, too: its audio leaves from another one than it named. */
static bool port_remapped(const struct facts *facts, const struct direction *d, const struct mismatch *m)
{
	const struct party *p = &d->slot->dialog->leg->party[side_other(d->sender)];

	return address_equal(&p->signalling.addr, &m->real.addr) && hearing_port_changed(facts, d, &m->told);
}

/*
 * A gateway may keep its media anywhere: an address is out of place only where audio and signalling of its owner come
 * from one other.
 */
static bool lives_where_it_signals(const struct direction *d, const struct endpoint *real)
{
	return direction_reverse(d)->stream_count &&
	       address_equal(&d->slot->dialog->leg->party[side_other(d->sender)].signalling.addr, &real->addr);
}

/*
 * The network says something else than that the address is nowhere: a closed port, a rule, a loop. Type 3 code 0, 1, 6,
 * 7; ICMPv6 1, 0 and 3.
 */
static bool refused_otherwise(const struct hearing *h)
{
	const struct icmp_record *r = h->icmp;

	if (!r)
		return false;
	if (r->v6)
		return r->type != 1 || (r->code != 0 && r->code != 3);
	return r->type != 3 || (r->code > 1 && r->code != 6 && r->code != 7);
}

/* What was sent, or refused, in the failing window; false: nothing went to an address of SDP. */
static bool sent_to_sdp(const struct hearing *h, struct mismatch *m)
{
	m->stream = h->failure == FAILURE_MISDIRECTED ? h->misdirected : h->stream;
	if (m->stream && window_has_target(h->window, &m->stream->dst)) {
		m->told = m->stream->dst;
		m->from = m->stream->src;
		return true;
	}
	if (h->failure != FAILURE_UNDELIVERED || !h->icmp || !window_has_target(h->window, &h->icmp->dst))
		return false;
	m->stream = NULL;
	m->told = h->icmp->dst;
	m->from = h->icmp->src;
	return true;
}

/*
 * An address among candidates: which of them works the checks decide, and here none does, so that nobody hears anything
 * and no-audio says so.
 */
static bool no_way_works(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	const struct hearing *other = hearing_of(direction_reverse(d));

	return h->window->ice && other && other->heard == HEARD_NO && !other->gate && !other->row &&
	       ice_checks_unanswered(facts, d->slot, h->from_ns);
}

static const char *reason_of_address(const struct window *w, const struct mismatch *m)
{
	if (!address_private(&m->told.addr))
		return "stale-external";
	if (address_reach(&m->told.addr) == 1)
		return "cgn";
	return !m->handed && (address_private(&m->real.addr) || knows_real(w, &m->real)) ? "wrong-interface" : "private-to-public";
}

/*
 * That nothing comes back from that address is no proof while nothing was asked. beside: the receiver is seen with it
 * where it sits.
 */
static bool may_be_there(const struct direction *d, const struct mismatch *m, bool beside)
{
	if (m->handed || (beside && !hearing_translated_sip(d, &m->told, m->stream)))
		return beside || address_private(&m->real.addr) || !direction_reverse(d)->stream_count;
	return strcmp(m->reason, "wrong-interface") == 0 && address_private(&m->real.addr);
}

static bool find_sent(const struct facts *facts, const struct direction *d, struct mismatch *m)
{
	const struct hearing *h = hearing_of(d);
	struct endpoint real;
	bool beside;

	if (!sent_to_sdp(h, m))
		return false;
	if (no_way_works(facts, d, h))
		return false;
	m->real = real_of(facts, d);
	m->handed = handed_on(d, h->window, &m->told);
	/* another party's public address is as good as any */
	if (m->handed && address_reach(&m->told.addr) == 2)
		return false;
	if (hearing_named_on_other_leg(facts, d))
		return false;
	m->confidence = CONFIDENCE_CERTAIN;
	if (behind_one_nat(facts, m)) {
		m->reason = "hairpin";
		if (!network_at(facts->network, &m->real.addr) || !network_at(facts->network, &m->from.addr))
			m->confidence = CONFIDENCE_LIKELY;
	} else if (h->failure == FAILURE_MISDIRECTED) {
		/* hearing has proved it at this capture point: what the address may do at another one is no excuse */
		if (hearing_contradiction(facts, d, h->window, &m->told, m->stream, &real) == CONTRADICTION_NONE ||
		    (!address_private(&m->told.addr) && refused_otherwise(h)))
			return false;
		beside = address_equal(&m->real.addr, &m->told.addr);
		if (beside)                  /* it is what it says; to the sender, elsewhere, it is not */
			m->real = real;
		m->reason = nat_unusable(facts, &m->told.addr, &m->real.addr, &m->from.addr,
			knows_real(h->window, &m->real));
		if (!m->reason || strcmp(m->reason, "unroutable") != 0)
			m->reason = reason_of_address(h->window, m);
		if (may_be_there(d, m, beside) && !h->icmp_count && !hearing_dead_contact(d, &m->told.addr))
			m->confidence = CONFIDENCE_LIKELY;
	} else if (port_remapped(facts, d, m)) {
		m->reason = "port-remapped";
		m->confidence = CONFIDENCE_LIKELY;
	} else if (lives_where_it_signals(d, &m->real) && !refused_otherwise(h)) {
		m->reason = nat_unusable(facts, &m->told.addr, &m->real.addr, &m->from.addr,
			knows_real(h->window, &m->real));
	}
	return m->reason != NULL;
}

/*
 * Nothing arrives, and the receiver lies behind a NAT and has named a private address: enough to explain the silence,
 * but what its peer does is out of sight, and a firewall would look the same. The two IP versions never meet, and a
 * loopback address is the sender's own.
 */
static bool find_silent(const struct facts *facts, const struct direction *d, struct mismatch *m)
{
	const struct hearing *h = hearing_of(d);
	const struct window *w = h->window;
	struct side_addresses sender;

	side_addresses(d->slot, d->sender, &sender);
	if (h->failure != FAILURE_ABSENT || !h->whole || !w->target_count || !sender.count)
		return false;
	m->told = w->targets[0].at;
	m->real = real_of(facts, d);
	m->from = sender.at[0];
	m->stream = NULL;
	if (m->told.addr.family != m->from.addr.family) {
		m->reason = "family";
		m->confidence = CONFIDENCE_POSSIBLE; /* it may have an address of either version */
		return true;
	}
	if (hearing_told_loopback(d, w)) {
		m->reason = "unroutable";
		m->confidence = hearing_loopback_proof(h);
		return true;
	}
	if (!h->near_receiver || !address_private(&m->told.addr) || address_private(&m->from.addr) ||
	    !direction_reverse(d)->stream_count)
		return false;
	(void)facts;
	m->reason = address_reach(&m->told.addr) == 1 ? "cgn" : "private-to-public";
	m->confidence = CONFIDENCE_POSSIBLE;
	return true;
}

/*
 * Direct media, seen where its audio does not pass: each phone is told the other's private address, and the two sit
 * behind different routers. Only a VPN between the two sites would carry it.
 */
static bool find_handed(const struct facts *facts, const struct direction *d, double wait_s, struct mismatch *m)
{
	const struct party *party = d->slot->dialog->leg->party;
	const struct hearing *h = hearing_of(d);

	m->from.addr = party[d->sender].signalling.addr;
	m->real.addr = party[side_other(d->sender)].signalling.addr;
	if (!h || h->heard != HEARD_UNKNOWN || address_private(&m->from.addr) || address_private(&m->real.addr))
		return false;
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];
		struct endpoint owner = { 0 }, image;
		unsigned weight;
		if (w->state != EXPECT_DUE || !w->target_count || w->off_ns == NS_NONE ||
		    (double)(w->off_ns - w->on_ns) < wait_s * 1e9)
			continue;
		owner.addr = w->targets[0].at.addr;
		if (address_private(&owner.addr) && handed_on(d, w, &owner) &&
		    network_public_of(facts->network, &owner, false, &image, &weight) &&
		    !address_equal(&image.addr, &m->from.addr)) {
			m->told = w->targets[0].at;
			m->stream = NULL;
			m->handed = true;
			m->reason = address_reach(&owner.addr) == 1 ? "cgn" : "private-to-public";
			m->confidence = CONFIDENCE_POSSIBLE;
			m->window = w;
			return true;
		}
	}
	return false;
}

/* ---- telling ---- */

/* What is done, of whoever sends; of a router that does not let its own address be used from inside. */
static const char *act_of(const char *reason)
{
	static const char *const acts[][2] = {
		{ "private-to-public", "sends to a private address" }, { "cgn", "sends to a carrier's inner address" },
		{ "unroutable", "is to send to no address at all" }, { "wrong-interface", "sends to an inner address" },
		{ "stale-external", "sends to an address out of date" },
		  { "port-remapped", "sends to a port that the NAT has changed" },
		{ "hairpin", "sends no audio back inside" }, { "family", "is to send to the other IP version" },
	};
	size_t i = 0;

	while (i < sizeof acts / sizeof acts[0] - 1 && strcmp(acts[i][0], reason) != 0)
		i++;
	return acts[i][1];
}

static void say_media(struct finding *f, const struct facts *facts, const struct direction *d, const struct mismatch *m)
{
	const struct leg *leg = d->slot->dialog->leg;
	char victim[SAY_TEXT], full[SAY_TEXT], sender[SAY_TEXT], told[ENDPOINT_TEXT], real[ENDPOINT_TEXT],
		act[2 * SAY_TEXT], effect[3 * SAY_TEXT];
	char count[TEXT_COUNT], named[SAY_TEXT];

	say_party(facts, leg, side_other(d->sender), victim);
	say_party_full(facts, leg, side_other(d->sender), full);
	say_host(facts, &m->from.addr, sender);
	endpoint_text(&m->told, told);
	endpoint_text(&m->real, real);
	if (address_loopback(&m->told.addr))
		snprintf(act, sizeof act, "%s names a loopback address",
			say_host(facts, &m->real.addr, named));
	else
		snprintf(act, sizeof act, "%s %s", strcmp(m->reason, "hairpin") == 0 ? "The router" : sender,
			act_of(m->reason));
	snprintf(effect, sizeof effect, "%s %shears nothing", victim, say_claim(f));
	say_title(f, act, effect);
	if (m->stream)
		finding_cause(f, "%s told %s to send its audio to %s: %s. Its own packets come from %s; %s sends %s packets to %s all the same.", full, sender,
			      told, nat_unusable_because(m->reason), real, sender,
			      text_count(m->stream->packets, count), told);
	else if (f->confidence == CONFIDENCE_POSSIBLE && !m->handed)
		finding_cause(f, "%s told %s to send its audio to %s: %s. That is enough to explain the silence; a firewall would look the same from here.",
			      full, sender, told, nat_unusable_because(m->reason));
	else
		finding_cause(f, "%s told %s to send its audio to %s: %s.", full, sender, told,
			nat_unusable_because(m->reason));
	if (m->handed) {
		text_addf(&f->cause, " It is another party's: %s has named its own address first and then handed the audio on (direct media).",
			  say_host(facts, &m->real.addr, named));
		finding_fix(f, "Keep audio on %s for phones behind NAT: switch direct media off there (Asterisk: direct_media=no, in sip.conf directmedia=no; "
			    "FreeSWITCH: no bypass-media).", named);
	} else if (direction_reverse(d)->stream_count ||
		   !say_first_packet_fix(f, facts, &m->from.addr, &m->real.addr, victim)) {
		finding_fix(f, "%s", nat_unusable_fix(m->reason));
	}
	if (f->confidence == CONFIDENCE_POSSIBLE)
		finding_cannot_see(f, "what %s sends to %s; a second capture beside it decides", sender, told);
}

/* Direct media: other legs of the call that were told the same address suffer the same. */
static void add_legs(struct finding *f, const struct direction *d, const struct endpoint *told)
{
	const struct leg *own = d->slot->dialog->leg;

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned i = 0; other != own && other->confirmed && i < 2 * other->confirmed->mslot_count; i++) {
			const struct window *w = direction_first_due(&other->confirmed->mslots[i / 2].direction[i % 2]);

			if (w && window_has_target(w, told))
				finding_leg(f, other);
		}
	}
}

static void tell(struct detection *d, const struct event *ev, struct mismatch *m)
{
	const struct facts *facts = detection_facts(d);
	const struct direction *dir = ev->direction;
	const struct hearing *h = hearing_of(dir);
	const int64_t from_ns = m->window ? m->window->on_ns : h->from_ns, to_ns = m->window ? m->window->off_ns : h->to_ns;
	struct endpoint culprit = m->real;
	struct finding *f;

	if (m->confidence == CONFIDENCE_CERTAIN && (h->window->likely_at_most || dir->slot->dialog->partial))
		m->confidence = CONFIDENCE_LIKELY;
	f = detection_raise_keyed(d, direction_key(dir), m->reason, SEVERITY_ERROR, m->confidence);
	f->reason_confidence = m->confidence;
	parts_of_direction(f, facts, dir);
	add_legs(f, dir, &m->told);
	finding_part(f, PART_VICTIM, &m->real);
	culprit.port = 0;
	finding_part(f, PART_CULPRIT, &culprit);
	if (!address_loopback(&m->told.addr))
		finding_part(f, PART_CULPRIT, &m->from);
	finding_part(f, PART_WITNESS, &m->told);
	f->since_ns = h->whole && !m->window ? NS_NONE : from_ns;
	finding_times(f, from_ns, to_ns);
	say_media(f, facts, dir, m);
	if (m->window)
		evidence_of_promise(f, m->window, dir->slot->dialog->confirmed_by, &m->told);
	else
		evidence_of_call(f, dir, h);
	if (h->icmp)
		finding_evidence(f, h->icmp->at, "ICMP error that quotes this audio");
}

void nat_mismatch_media(struct detection *d, const struct event *ev)
{
	const struct hearing *h = hearing_of(ev->direction);
	struct mismatch m = { 0 };

	if (find_handed(detection_facts(d), ev->direction, detection_key(d, "media-wait-s"), &m)) {
		tell(d, ev, &m);
		return;
	}
	if (!h || h->heard != HEARD_NO || h->gate || h->row) {
		detection_pass(d, h ? h->row : NULL, "%s",
			h && hearing_why(h)[0] ? hearing_why(h) : "audio of this direction does not fail");
		return;
	}
	if ((double)(h->to_ns - h->from_ns) < detection_key(d, "media-wait-s") * 1e9) {
		detection_pass(d, NULL, "audio failed for %.1f s only", (double)(h->to_ns - h->from_ns) / 1e9);
		return;
	}
	if (!find_sent(detection_facts(d), ev->direction, &m) && !find_silent(detection_facts(d), ev->direction, &m)) {
		detection_pass(d, NULL, "nothing is sent to an address that could not work");
		return;
	}
	tell(d, ev, &m);
}

/* ---- one finding for all calls of an address: what was made good, what may be ---- */

struct shared {
	struct hash_link link;
	struct finding *finding;
	struct address addr;
};

static const struct target *compensated_target(const struct facts *facts, const struct direction *d,
	const struct hearing *h)
{
	const struct stream *s = h->stream;
	const struct window *w = h->window;
	const struct target *t;

	if (!s || !w || h->heard == HEARD_NO || s->packets < COMPENSATED_MIN || !w->target_count ||
	    window_has_target(w, &s->dst))
		return NULL;
	t = &w->targets[w->target_count - 1];
	if (s->relayed || !address_equal(&t->message->src.addr, &s->dst.addr) || !direction_reverse(d)->stream_count)
		return NULL;
	return nat_unusable(facts, &t->at.addr, &s->dst.addr, &s->src.addr, false) ? t : NULL;
}

static struct finding *shared_of(struct detection *d, struct hash *table, struct arena *arena, const struct address *addr,
	const char *reason, enum confidence confidence)
{
	uint64_t key = hash_mix(hash_bytes(addr, sizeof *addr), confidence);
	struct shared *g;

	for (struct hash_link *it = hash_first(table, (uint32_t)key); it; it = it->next) {
		g = HASH_ENTRY(it, struct shared, link);
		if (address_equal(&g->addr, addr) && g->finding->confidence == confidence)
			return g->finding;
	}
	g = arena_zalloc(arena, sizeof *g);
	g->addr = *addr;
	g->finding = detection_raise_keyed(d, key, reason, SEVERITY_INFO, confidence);
	g->finding->count = 0;
	hash_add(table, &g->link, (uint32_t)key);
	return g->finding;
}

static void compensate(struct detection *d, struct hash *table, struct arena *arena, const struct direction *dir)
{
	const struct facts *facts = detection_facts(d);
	const struct hearing *h = hearing_of(dir);
	const struct target *t = h ? compensated_target(facts, dir, h) : NULL;
	char told[ENDPOINT_TEXT], real[ENDPOINT_TEXT], server[SAY_TEXT], host[SAY_TEXT];
	struct finding *f;

	if (!t)
		return;
	f = shared_of(d, table, arena, &h->stream->dst.addr, "compensated", CONFIDENCE_CERTAIN);
	finding_leg(f, dir->slot->dialog->leg);
	if (f->count++) {
		f->last_ns = h->stream->last_ns > f->last_ns ? h->stream->last_ns : f->last_ns;
		return;
	}
	finding_part(f, PART_WITNESS, &h->stream->dst);
	finding_part(f, PART_WITNESS, &h->stream->src);
	finding_times(f, h->stream->first_ns, h->stream->last_ns);
	endpoint_text(&t->at, told);
	endpoint_text(&h->stream->dst, real);
	say_host(facts, &h->stream->src.addr, server);
	say_host(facts, &h->stream->dst.addr, host);
	finding_title(f, "%s answers audio of %s to its source: NAT is handled", server, host);
	finding_cause(f, "SDP names %s, the audio comes from %s, and %s sends there: the address in SDP is repaired.",
		told, real, server);
	finding_fix(f, "Nothing to do.");
	finding_evidence(f, t->message->at, "SDP names %s", told);
	finding_evidence_run(f, stream_frame(h->stream, h->stream->first_frame, h->stream->first_ns),
		h->stream->last_frame, "audio goes to %s", real);
}

/*
 * All goes to the port of SDP, and the receiver's router has given its audio another one: nothing says whether the first
 * is forwarded.
 */
static bool find_forwarded(const struct facts *facts, const struct direction *d, double wait_s, struct mismatch *m)
{
	const struct hearing *h = hearing_of(d);

	if (!h || h->heard != HEARD_UNKNOWN || h->gate || h->row || !h->stream || !h->window ||
	    h->report == RTCP_VERDICT_ADVANCING || h->due_s < wait_s || !window_has_target(h->window, &h->stream->dst))
		return false;
	m->stream = h->stream;
	m->told = m->stream->dst;
	m->from = m->stream->src;
	m->real = real_of(facts, d);
	return port_remapped(facts, d, m);
}

static void may_be_forwarded(struct detection *d, struct hash *table, struct arena *arena, const struct direction *dir)
{
	const struct facts *facts = detection_facts(d);
	char told[ENDPOINT_TEXT], real[ENDPOINT_TEXT], server[SAY_TEXT], host[SAY_TEXT];
	struct mismatch m = { 0 };
	struct finding *f;

	if (!find_forwarded(facts, dir, detection_key(d, "media-wait-s"), &m))
		return;
	f = shared_of(d, table, arena, &m.told.addr, "port-remapped", CONFIDENCE_POSSIBLE);
	finding_leg(f, dir->slot->dialog->leg);
	if (f->count++) {
		f->last_ns = m.stream->last_ns > f->last_ns ? m.stream->last_ns : f->last_ns;
		return;
	}
	finding_part(f, PART_WITNESS, &m.told);
	finding_part(f, PART_WITNESS, &m.from);
	finding_times(f, m.stream->first_ns, m.stream->last_ns);
	endpoint_text(&m.told, told);
	endpoint_text(&m.real, real);
	say_host(facts, &m.from.addr, server);
	say_host(facts, &m.told.addr, host);
	finding_title(f, "%s gives audio another port than SDP names", host);
	finding_cause(f, "SDP names %s, the audio comes from %s, and %s sends to the port of SDP all the same: that is heard only where %s forwards this port.",
		told, real, server, host);
	finding_fix(f, "Where nobody complains nothing. Else: %s", nat_unusable_fix("port-remapped"));
	finding_cannot_see(f, "whether the port is forwarded; a second capture behind %s decides", host);
	finding_evidence_run(f, stream_frame(m.stream, m.stream->first_frame, m.stream->first_ns), m.stream->last_frame,
		"audio goes to %s", told);
}

void nat_mismatch_compensated(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	struct arena *arena = arena_new();
	struct hash table;

	hash_init(&table);
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct dialog *dialog = LIST_ENTRY(it, struct leg, in_order)->confirmed;

		for (unsigned i = 0; dialog && i < dialog->mslot_count; i++) {
			if (dialog->mslots[i].kind != SDP_AUDIO)
				continue;
			for (unsigned side = 0; side < 2; side++) {
				compensate(d, &table, arena, &dialog->mslots[i].direction[side]);
				may_be_forwarded(d, &table, arena, &dialog->mslots[i].direction[side]);
			}
		}
	}
	hash_fini(&table);
	arena_free(arena);
}
