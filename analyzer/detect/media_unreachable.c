/* SPDX-License-Identifier: MIT */
/*
 * media-unreachable: audio is answered by ICMP errors. RFC 792, 1812, 4443: the quoted packet says which flow is meant.
 */
#include <stdio.h>

#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/media_refused.h"
#include "analyzer/detect/one_way.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = { "port-closed", "host-unreachable", "net-unreachable", "admin-prohibited",
	"ttl-exceeded", "too-big", NULL };

static const struct detector_doc doc = {
	.says = "RTP is answered by ICMP",
	.symptom = "One-way or no audio; the network itself says that the packets do not arrive.",
	.evidence = "ICMP errors that quote packets of the call's audio while it was due.",
	.mimics = "Errors after the BYE, before the answer, about RTCP only, about the first packets before the port is open.",
	.fix = "Port closed: does SDP name the port that was opened? Prohibited: the rule of the reporter. Unreachable: address or route.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-icmp", 3, "errors", 1, 100, "Linux limits ICMP errors to about one a second and destination" },
	{ 0 },
};

#define PORT_OPENS_LATE_NS (500 * MILLISECOND_NS)
#define MOVE_NS (2 * SECOND_NS)

const char *media_refused_reason(const struct icmp_record *r)
{
	if (r->v6) {
		if (r->type == 1 && r->code == 4)
			return "port-closed";
		if (r->type == 1 && r->code == 1)
			return "admin-prohibited";
		if (r->type == 1 && r->code == 3)
			return "host-unreachable";
		if (r->type == 1 && r->code == 0)
			return "net-unreachable";
		return r->type == 3 ? "ttl-exceeded" : r->type == 2 ? "too-big" : NULL;
	}
	if (r->type == 11 && r->code == 0)
		return "ttl-exceeded";
	if (r->type != 3)
		return NULL;
	switch (r->code) {
	case 0: return "net-unreachable";
	case 1: return "host-unreachable";
	case 2: case 3: return "port-closed";
	case 4: return "too-big";
	case 9: case 10: case 13: return "admin-prohibited";
	}
	return NULL;
}

static bool quotes(const struct icmp_record *r, const struct direction *d, const struct window *w)
{
	if (!r->readable || r->protocol != 17)
		return false;
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (endpoint_equal(&d->streams[i]->src, &r->src) && endpoint_equal(&d->streams[i]->dst, &r->dst))
			return true;
	}
	return window_has_target(w, &r->dst);
}

/* The next SDP holds or moves this audio: from the offer on the receiver may have closed what it leaves. */
static bool soon_moves(const struct direction *d, const struct window *w, int64_t at_ns)
{
	const struct window *next = w + 1;

	return next < d->windows + d->window_count && next->state != EXPECT_ENDED &&
	       (next->state != EXPECT_DUE || next->moved) && next->on_ns <= ns_add(at_ns, MOVE_NS);
}

/* While audio was due, not in the first moments and not while a session moves. */
static const struct window *window_of(const struct icmp_record *r, const struct direction *d)
{
	const struct window *w = direction_window_at(d, r->at.at_ns);
	int64_t margin_ns;

	if (!w || w->state != EXPECT_DUE)
		return NULL;
	margin_ns = w->first ? PORT_OPENS_LATE_NS : MOVE_NS;
	if (r->at.at_ns < ns_add(w->on_ns, margin_ns) || soon_moves(d, w, r->at.at_ns))
		return NULL;
	return quotes(r, d, w) ? w : NULL;
}

struct tally {
	const char *reason;
	unsigned count;
	const struct icmp_record *first, *last;
};

/* The reason most errors give. */
static struct tally count_errors(const struct facts *facts, const struct direction *d)
{
	struct tally tallies[6] = { { NULL, 0, NULL, NULL } }, best = { NULL, 0, NULL, NULL };
	const struct icmp_record *about[ICMP_ABOUT_MAX];
	unsigned n = 0, all = icmp_about(facts, d, about);

	for (unsigned k = 0; k < all; k++) {
		const struct icmp_record *r = about[k];
		const char *reason = media_refused_reason(r);
		unsigned i = 0;

		if (!reason || !window_of(r, d))
			continue;
		while (i < n && tallies[i].reason != reason)
			i++;
		if (i == n)
			tallies[n++] = (struct tally){ reason, 0, r, r };
		tallies[i].count++;
		tallies[i].last = r;
	}
	for (unsigned i = 0; i < n; i++) {
		if (tallies[i].count > best.count)
			best = tallies[i];
	}
	return best;
}

/* Where SDP wanted this audio, when it is another port of the host that refuses it; else NULL. */
static const struct endpoint *wanted_at(const struct direction *d, const struct tally *t)
{
	const struct window *w = direction_window_at(d, t->first->at.at_ns);
	const struct endpoint *at = NULL;

	for (unsigned i = 0; w && strcmp(t->reason, "port-closed") == 0 && i < w->target_count; i++) {
		if (endpoint_equal(&w->targets[i].at, &t->first->dst))
			return NULL;
		if (address_equal(&w->targets[i].at.addr, &t->first->dst.addr))
			at = &w->targets[i].at;
	}
	return at;
}

/*
 * The receiver's audio came from there until its router gave it another port or address, and comes from elsewhere
 * since: the stream that shows where. NULL: not so.
 */
static const struct stream *moved_to(const struct facts *facts, const struct direction *d, const struct tally *t)
{
	const struct stream *now = hearing_receiver_left(facts, d, &t->first->dst);

	return now && now->first_ns <= ns_add(t->last->at.at_ns, MOVE_NS) ? now : NULL;
}

enum { OWN_PACKETS = 25 };           /* half a second: no strays */

/* Audio of the receiver itself, while the errors came, from the host that refuses; NULL: none. */
static const struct stream *own_audio(const struct direction *d, const struct tally *t)
{
	const struct direction *own = direction_reverse(d);

	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (s->direction == own && address_equal(&s->src.addr, &t->first->dst.addr) &&
		    s->last_ns >= ns_add(t->last->at.at_ns, -MOVE_NS) &&
		    stream_packets_between(s, t->first->at.at_ns, t->last->at.at_ns) >= OWN_PACKETS)
			return s;
	}
	return NULL;
}

/* It sends from the very port that it refuses, and wants audio at another one: two sockets. */
static bool two_sockets(const struct direction *d, const struct tally *t)
{
	const struct stream *own = wanted_at(d, t) ? own_audio(d, t) : NULL;

	return own && own->src.port == t->first->dst.port;
}

/* An earlier SDP named the port. */
static bool named_before(const struct direction *d, const struct tally *t)
{
	const struct window *w = direction_window_at(d, t->first->at.at_ns);

	return w && (one_way_sent_before(d, w, &t->first->dst) || one_way_named_early(d, w, &t->first->dst));
}

/* Direct media: who has told the sender to send there, and not told it of the move since. NULL: not so. */
static const struct address *teller_of(const struct direction *d, const struct tally *t)
{
	for (unsigned i = 0; wanted_at(d, t) && named_before(d, t) && i < d->stream_count; i++) {
		if (endpoint_equal(&d->streams[i]->dst, &t->first->dst) &&
		    one_way_obeys(d, d->streams[i], t->last->at.at_ns))
			return &d->slot->dialog->leg->party[d->sender].signalling.addr;
	}
	return NULL;
}

/* Audio arrived there for long before the first error. */
static bool took_before(const struct hearing *h)
{
	return h && h->failure == FAILURE_UNDELIVERED && !h->whole && strcmp(h->undelivered_by, "icmp") == 0;
}

/* Who refuses what, and what that does to the receiver of this direction. */
/* Who is asked says itself that there is no way on: a router, which passes that port on to somebody behind it. */
static bool passed_into_void(const struct tally *t)
{
	return address_equal(&t->first->reporter, &t->first->dst.addr) &&
	       (strcmp(t->reason, "host-unreachable") == 0 || strcmp(t->reason, "net-unreachable") == 0);
}

static void say_what(struct finding *f, const struct facts *facts, const struct direction *d, const struct tally *t)
{
	const struct hearing *h = hearing_of(d);
	char receiver[SAY_TEXT], who[SAY_TEXT], at[ENDPOINT_TEXT], act[2 * SAY_TEXT], effect[2 * SAY_TEXT];

	say_party(facts, d->slot->dialog->leg, side_other(d->sender), receiver);
	endpoint_text(&t->first->dst, at);
	if (moved_to(facts, d, t))
		snprintf(act, sizeof act, "%s's audio comes from another %s", receiver,
			address_equal(&moved_to(facts, d, t)->src.addr, &t->first->dst.addr) ? "port" : "address");
	else if (two_sockets(d, t))
		snprintf(act, sizeof act, "%s sends from port %u and listens on port %u", receiver,
			t->first->dst.port, wanted_at(d, t)->port);
	else if (wanted_at(d, t))
		snprintf(act, sizeof act, "Audio goes to %s, not to port %u", at, wanted_at(d, t)->port);
	else if (strcmp(t->reason, "port-closed") == 0)
		snprintf(act, sizeof act, "%s refuses audio on port %u", say_host(facts, &t->first->dst.addr, who),
			t->first->dst.port);
	else if (strcmp(t->reason, "admin-prohibited") == 0)
		snprintf(act, sizeof act, "%s forbids audio to %s", say_host(facts, &t->first->reporter, who), at);
	else if (strcmp(t->reason, "too-big") == 0)
		snprintf(act, sizeof act, "%s refuses packets of this size", say_host(facts, &t->first->reporter, who));
	else if (passed_into_void(t))
		snprintf(act, sizeof act, "%s forwards port %u to a host that is not there",
			address_text(&t->first->reporter, who), t->first->dst.port);
	else
		snprintf(act, sizeof act, "%s has no way to %s", say_host(facts, &t->first->reporter, who), at);
	snprintf(effect, sizeof effect, "%s %s%s", receiver,
		h && h->heard == HEARD_NO ? "hears nothing" : "misses audio", took_before(h) ? " any more" : "");
	say_title(f, act, effect);
}

static void say_two_sockets(struct finding *f, const struct facts *facts, const struct direction *d,
	const struct tally *t)
{
	const struct stream *own = own_audio(d, t);
	char receiver[SAY_TEXT], sender[SAY_TEXT], named[ENDPOINT_TEXT];

	say_party(facts, d->slot->dialog->leg, side_other(d->sender), receiver);
	say_host(facts, &t->first->src.addr, sender);
	finding_cause(f, "The SDP of %s names %s, its own audio comes from port %u. %s answers to where audio comes "
		"from (symmetric RTP), and nothing listens there (%u ICMP errors).",
		      receiver, endpoint_text(wanted_at(d, t), named), own->src.port, sender, t->count);
	finding_fix(f, "Let %s send from the port that its SDP names: one socket for both ways (symmetric RTP, RFC "
		"4961).", receiver);
	finding_evidence(f, stream_frame(own, own->first_frame, own->first_ns), "%s's own audio comes from port %u",
		receiver, own->src.port);
}

static void say_wrong_port(struct finding *f, const struct facts *facts, const struct direction *d,
	const struct tally *t, const struct endpoint *wanted)
{
	char named[ENDPOINT_TEXT], src[SAY_TEXT];

	endpoint_text(wanted, named);
	say_host(facts, &t->first->src.addr, src);
	if (teller_of(d, t)) {
		char teller[SAY_TEXT], receiver[SAY_TEXT];

		say_host(facts, teller_of(d, t), teller);
		say_party(facts, d->slot->dialog->leg, side_other(d->sender), receiver);
		finding_cause(f, "%s sends to port %u, as %s told it, and nothing listens there any more (%u ICMP "
			"errors): %s has moved to %s since and told %s so, and the sender was not told.",
			      src, t->first->dst.port, teller, t->count, receiver, named, teller);
		say_direct_media_fix(f, teller);
		return;
	}
	if (named_before(d, t)) {
		finding_cause(f, "SDP wants this audio at %s; %s goes on sending to port %u of that host, where "
			"nothing listens any more (%u ICMP errors): an earlier SDP of this call named port %u.",
			      named, src, t->first->dst.port, t->count, t->first->dst.port);
		finding_fix(f, "Update %s: it has to send to the port that the newest SDP names, also where a 200 "
			"names another than the 183 before it. Until then keep the other side from changing "
			"its port within a call.", src);
		return;
	}
	finding_cause(f, "SDP wants this audio at %s; from %s it goes to port %u of that host, where nothing listens (%u ICMP errors).", named, src, t->first->dst.port, t->count);
	finding_fix(f, "Look for a NAT, an ALG or a rule of a firewall between %s and this capture point that changes the port, in the packets or in the SDP; else %s sends to a "
		    "wrong port.", src, src);
}

static void say_moved(struct finding *f, const struct facts *facts, const struct direction *d, const struct tally *t,
	const struct stream *now)
{
	char receiver[SAY_TEXT], sender[SAY_TEXT], old[ENDPOINT_TEXT], new[ENDPOINT_TEXT];
	bool port = address_equal(&now->src.addr, &t->first->dst.addr);

	say_party(facts, d->slot->dialog->leg, side_other(d->sender), receiver);
	say_host(facts, &t->first->src.addr, sender);
	endpoint_text(&t->first->dst, old);
	endpoint_text(&now->src, new);
	finding_cause(f, "%s's audio came from %s and comes from %s now: its router gave it another %s in mid-call. %s goes on sending to the old one, which nobody takes (%u ICMP errors).",
		      receiver, old, new, port ? "port" : "address", sender, t->count);
	finding_fix(f, "Let %s answer to where audio comes from at all times (symmetric RTP, not learn once); look for what the router %s.", sender,
		    port ? "forgets: a restart, a full table, a short UDP timeout"
			 : "does then: a new address from the provider, a change of line");
	finding_evidence(f, stream_frame(now, now->first_frame, now->first_ns), "from here on %s's audio comes from %s",
		receiver, new);
}

/*
 * The receiver's audio comes from that very place, which no SDP names, and what goes back there is refused: whatever
 * passes its audio in under that address has no way back.
 */
static bool say_way_in_only(struct finding *f, const struct facts *facts, const struct direction *d,
	const struct tally *t, const char *host)
{
	const struct stream *own = own_audio(d, t);
	const struct window *w = direction_window_at(d, t->first->at.at_ns);
	char receiver[SAY_TEXT], at[ENDPOINT_TEXT];

	if (!own || !endpoint_equal(&own->src, &t->first->dst) || !w || window_has_target(w, &own->src))
		return false;
	say_party(facts, d->slot->dialog->leg, side_other(d->sender), receiver);
	finding_cause(f, "%s's audio comes from %s at this point, an address that no SDP names; what goes back there "
		"is refused (%u ICMP errors): the NAT or proxy that passes it in has no way back.",
		      receiver, endpoint_text(&own->src, at), t->count);
	finding_fix(f, "On %s look at how UDP is passed in: a stale session from before a restart (flush the "
		"sessions of these ports), or a proxy of a container; best give the media ports a way without "
		"either.",
		    host);
	finding_evidence(f, stream_frame(own, own->first_frame, own->first_ns), "%s's audio comes from %s", receiver,
		at);
	return true;
}

/* Nothing takes the port of the SDP, and the receiver's own audio comes from another one of that host. */
static bool say_other_port(struct finding *f, const struct facts *facts, const struct direction *d,
	const struct tally *t, const char *host)
{
	const struct stream *own = own_audio(d, t);
	char sender[SAY_TEXT];

	if (!own || own->src.port == t->first->dst.port)
		return false;
	say_host(facts, &t->first->src.addr, sender);
	finding_cause(f, "%s is up, but nothing takes UDP port %u, as its SDP names (%u ICMP errors); its own audio "
		"comes from port %u: a NAT in front of it changes the port, or it sends "
		"from another socket.", host, t->first->dst.port, t->count, own->src.port);
	finding_fix(f, "Let %s answer to where audio comes from (symmetric RTP); or keep the source port of audio in "
		    "the NAT at %s (static port, no SIP ALG), so that its SDP names the port it uses.", sender, host);
	finding_evidence(f, stream_frame(own, own->first_frame, own->first_ns), "audio comes from port %u",
		own->src.port);
	return true;
}

static void say_cause(struct finding *f, const struct facts *facts, const struct direction *d, const struct tally *t,
	const struct hearing *h)
{
	bool took = took_before(h), late = h && h->opened_ns;
	char reporter[SAY_TEXT], target[ENDPOINT_TEXT], host[SAY_TEXT], two[ICMP_TWO];

	say_host(facts, &t->first->reporter, reporter);
	say_host(facts, &t->first->dst.addr, host);
	endpoint_text(&t->first->dst, target);
	if (*icmp_two_devices(facts, t->first, two)) {
		finding_cause(f, "UDP to %s is refused in its name (%u ICMP errors).%s", target, t->count, two);
		finding_fix(f, TWO_DEVICES_FIX, host);
	} else if (strcmp(t->reason, "port-closed") == 0) {
		if (say_routes(facts, &t->first->dst.addr)) {
			finding_cause(f, "%s answers for UDP port %u and passes the audio to nobody: it has no mapping for that port, or does not send packets "
				      "back inside (%u ICMP errors).", host, t->first->dst.port, t->count);
			finding_fix(f, "On %s look at the mapping or forwarding of UDP port %u and at hairpin NAT; better keep media on the PBX, or let the two "
				    "sides use addresses that reach each other.", host, t->first->dst.port);
			return;
		}
		if (took) {
			finding_cause(f, "%s is up and took audio on UDP port %u, and does no more: the program has ended, or its NAT has forgotten the mapping (%u ICMP errors).",
				      host, t->first->dst.port, t->count);
			finding_fix(f, "See what happened at %s then: a phone or its application that ended, a router that restarted or lost its sessions.",
				    host);
			return;
		}
		if (say_other_port(f, facts, d, t, host) || say_way_in_only(f, facts, d, t, host))
			return;
		if (late) {
			finding_cause(f, "%s refused audio on UDP port %u at first (%u ICMP errors) and takes it since: it opened it only then.",
				host, t->first->dst.port, t->count);
			finding_fix(f, "Look at what %s does between answer and first audio: it has to open the port that its SDP names before it sends that.",
				host);
			return;
		}
		finding_cause(f, "%s is up, but nothing takes UDP port %u: no program listens, or its NAT has no mapping (%u ICMP errors).", host,
			      t->first->dst.port, t->count);
		finding_fix(f, "Check that the SDP of %s names the port that it opened, and that no NAT or ALG changes it on the way; a firewall on the host may "
			    "refuse, too.", host);
	} else if (strcmp(t->reason, "admin-prohibited") == 0) {
		finding_cause(f, "%s forbids audio to %s (%u ICMP errors).", reporter, target, t->count);
		finding_fix(f, "Permit UDP to %s in the rules of %s.", target, reporter);
	} else if (strcmp(t->reason, "too-big") == 0) {
		finding_cause(f, "%s says that packets to %s are too big for the next link (%u ICMP errors).", reporter,
			target, t->count);
		finding_fix(f, "Lower the packet time or raise the MTU of the tunnel or link behind %s.", reporter);
	} else if (passed_into_void(t)) {
		finding_cause(f, "%s takes audio for its UDP port %u and cannot hand it on to the host behind it that the port is forwarded to (%s, %u ICMP errors).",
			address_text(&t->first->reporter, reporter), t->first->dst.port, t->reason, t->count);
		finding_fix(f, "On %s correct the forwarding of UDP port %u, and of the whole range of media ports: to the address that the PBX or phone has now, and see that it is on.",
			reporter, t->first->dst.port);
	} else {
		finding_cause(f, "%s has no way to %s (%s, %u ICMP errors).", reporter, target, t->reason, t->count);
		finding_fix(f, "Correct the address in SDP (private, or not in use) or the route on %s.", reporter);
	}
}

static void tell(struct detection *d, const struct event *ev, const struct tally *t)
{
	const struct facts *facts = detection_facts(d);
	const struct hearing *h = hearing_of(ev->direction);
	const struct message *answer = ev->direction->slot->dialog->confirmed_by;
	struct finding *f = detection_raise(d, t->reason, h && h->opened_ns ? SEVERITY_WARNING : SEVERITY_ERROR,
		CONFIDENCE_CERTAIN);
	struct endpoint reporter = { t->first->reporter, 0 }, target = t->first->dst,
		sender = { t->first->src.addr, 0 };
	const struct stream *now = moved_to(facts, ev->direction, t);
	const struct endpoint *wanted = now ? NULL : wanted_at(ev->direction, t);
	char at[ENDPOINT_TEXT];

	if (!now && teller_of(ev->direction, t))
		sender = (struct endpoint){ *teller_of(ev->direction, t), 0 };
	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_WITNESS, &target);
	finding_part(f, PART_CULPRIT, now || (wanted && !two_sockets(ev->direction, t)) ? &sender : &reporter);
	finding_times(f, t->first->at.at_ns, t->last->at.at_ns);
	f->count = t->count;
	say_what(f, facts, ev->direction, t);
	if (now)
		say_moved(f, facts, ev->direction, t, now);
	else if (two_sockets(ev->direction, t))
		say_two_sockets(f, facts, ev->direction, t);
	else if (wanted)
		say_wrong_port(f, facts, ev->direction, t, wanted);
	else
		say_cause(f, facts, ev->direction, t, h);
	finding_evidence(f, t->first->at, "first ICMP error that quotes audio to %s", endpoint_text(&target, at));
	finding_evidence(f, t->last->at, "the last of %u such errors", t->count);
	if (answer && !answer->request)
		finding_evidence(f, answer->at, "the call is answered");
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct hearing *h = hearing_of(ev->direction);
	struct tally t = count_errors(detection_facts(d), ev->direction);

	if (h && h->elsewhere) {
		detection_pass(d, h->row, "%s", hearing_why(h));
		return;
	}
	if (fax_refused(d, ev, detection_key(d, "min-icmp")))
		return;
	if (t.count < detection_key(d, "min-icmp") || t.last->at.at_ns - t.first->at.at_ns < SECOND_NS) {
		detection_pass(d, NULL, "%u ICMP errors quote this audio while it was due", t.count);
		return;
	}
	tell(d, ev, &t);
}

const struct detector detect_media_unreachable = {
	.id = "media-unreachable", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
