/* SPDX-License-Identifier: MIT */
/*
 * answer-delayed: lifting the handset, or dialling, takes effect late, and where the time goes. ITU-T E.721; RFC 3261
 * 13.3.1.4, RFC 3262 3.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/answer_congestion.h"
#include "analyzer/detect/answer_delay.h"
#include "analyzer/detect/answer_hop.h"
#include "analyzer/detect/prack_wait.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/survey.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/clock_offset.h"
#include "analyzer/network/two_points.h"
#include "captures/base/memory.h"

#define SPOKE_LEAST_NS (SECOND_NS / 2)

static const char *const reasons[] = { "ack-late", "200-repeated", "relay-slow", "prack-stall", "post-dial-delay",
	"auth-detour", "dns-detour", "signalling-congestion", NULL };

static const struct detector_doc doc = {
	.says = "answering takes too long to take effect",
	.symptom = "Lifting the handset does not connect at once, seconds of silence after the answer; long silence after dialling.",
	.evidence = "The first 200 of who answers, the ACK that reaches it, the 200 that a relay sends on; repeated 18x without PRACK; the first 18x after the INVITE, challenges and DNS queries without answer before it; what phones behind one router take to answer, alone and while others talk.",
	.mimics = "A queue or menu that answers before an agent does, a person who answers late, third-party call control, one slow call by chance.",
	.fix = "By reason: the path that loses packets, load or name resolution of the relay, 100rel, the route of the call.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "answer-max-s", 1.5, "s", 0.2, 30, "ITU-T E.721: answer-signal delay, 95 %, local" },
	{ "relay-max-s", 1, "s", 0.1, 30, "field" },
	{ "pdd-max-s", 11, "s", 1, 120, "ITU-T E.721: post-selection delay, 95 %, international" },
	{ "calls", 3, "calls", 1, 1000, "field: so many over the limit, or one at twice of it" },
	{ "auth-max-s", 2, "s", 0.5, 60, "field: a challenge and its answer take two round trips" },
	{ "dns-wait-s", 4.5, "s", 1, 60, "resolv.conf(5): a resolver is given 5 s" },
	{ "congestion-s", 0.5, "s", 0.1, 30, "RFC 3261 17.1.1.2: T1, from then on requests are sent again" },
	{ 0 },
};

#define GRACE_NS SECOND_NS
/* no transaction lives that long (timer C, RFC 3261 16.6): the capture's clock jumped */
#define LONGEST_S 600
#define REPEATED_LEAST_S 1.2         /* stacks whose T1 is a round trip repeat sooner */

enum { COPIES = 3 };

void delay_add(struct delays *all, const struct delay *x)
{
	if (x->seconds > LONGEST_S)
		return;
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 16;
		all->list = memory_resize(all->list, all->room, sizeof *all->list);
	}
	all->list[all->count++] = *x;
}

static double seconds_between(const struct message *from, const struct message *to)
{
	return (double)ns_minus(to->at.at_ns, from->at.at_ns) / 1e9;
}

/* ---- the answer ---- */

/*
 * An INVITE without offer may belong to third-party call control: its ACK waits for another party's answer (RFC 3725
 * 4).
 */
static bool has_offer(const struct transaction *t)
{
	return t->request && t->request->sdp;
}

/* The same message in that file: copies keep their Vias, whatever a NAT makes of their addresses. */
static const struct message *copy_in(const struct message *m, uint16_t file)
{
	CHAIN_EACH(it, &m->transaction->messages) {
		const struct message *x = LIST_ENTRY(it, struct message, in_transaction);

		if (x->at.file == file && x->request == m->request && x->method == m->method &&
		    x->status == m->status && x->via_count == m->via_count && phrase_equal(x->to_tag, m->to_tag))
			return x;
	}
	return NULL;
}

/*
 * By one clock: that of a file that has both, or of files that are known to be so far apart. False: what lies between
 * them may be the clocks.
 */
static bool on_one_clock(const struct facts *facts, const struct message **from, const struct message **to)
{
	const struct message *copy;
	int64_t offset_ns;

	if (clock_between(two_points_clocks(facts->points), (*from)->at.file, (*to)->at.file, &offset_ns))
		return true;
	copy = (*to)->transaction ? copy_in(*to, (*from)->at.file) : NULL;
	if (copy)
		return *to = copy, true;
	copy = (*from)->transaction ? copy_in(*from, (*to)->at.file) : NULL;
	if (copy)
		return *from = copy, true;
	return false;
}

static void judge_ack(struct delays *all, const struct answer_hop *h)
{
	struct delay x = { .reason = "ack-late", .leg = h->transaction->leg, .host = h->src, .from = h->first,
		.to = h->ack, .copies = h->copies,
			   .limit_s = all->answer_max_s };

	if (!h->ack || !has_offer(h->transaction) || answer_unacknowledged(h, COPIES) ||
	    !on_one_clock(all->facts, &x.from, &x.to))
		return;
	x.seconds = seconds_between(x.from, x.to);
	x.repeated = h->copies - h->after_ack >= COPIES && x.seconds >= REPEATED_LEAST_S;
	if (x.seconds <= x.limit_s && !x.repeated)
		return;
	if (x.seconds <= x.limit_s)
		x.reason = "200-repeated";
	delay_add(all, &x);
}

/* A proxy hands the 200 on late. */
static void judge_proxy(struct delays *all, const struct answer_hop *hops, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = i + 1; k < count; k++) {
			struct delay x = { .reason = "relay-slow", .leg = hops[i].transaction->leg, .host = hops[i].src,
				.culprit = hops[k].src,
					   .from = hops[i].first, .to = hops[k].first, .limit_s = all->relay_max_s };

			x.seconds = seconds_between(x.from, x.to);
			if (!address_equal(&hops[k].src.addr, &hops[i].dst.addr) ||
			    !phrase_equal(x.from->to_tag, x.to->to_tag) ||
				x.to->via_count >= x.from->via_count || x.seconds <= x.limit_s ||
				!on_one_clock(all->facts, &x.from, &x.to))
				continue;
			x.seconds = seconds_between(x.from, x.to);
			if (x.seconds <= x.limit_s)
				continue;
			delay_add(all, &x);
			return;
		}
	}
}

static const struct leg *only_child(const struct leg *leg)
{
	const struct leg *only = NULL;

	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent != leg || !other->initial_invite_seen)
			continue;
		if (only)
			return NULL; /* a ring group or queue: its answer may be anything */
		only = other;
	}
	return only;
}

static const struct message *first_answer(const struct leg *leg)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (!m->request && m->method == SIP_INVITE && m->status >= 200 && m->status < 300)
			return m->transaction && m->transaction->initial ? m : NULL;
	}
	return NULL;
}

/* Was some of its speech before that time? Of three seconds when they were full is known. */
static bool spoke_before(const struct stream_sound *heard, int64_t at_ns)
{
	if (heard->talked_ns != NS_NONE)
		return heard->talked_ns < ns_add(at_ns, 3 * SECOND_NS - SPOKE_LEAST_NS);
	return heard->speech_s >= SPOKE_LEAST_NS / 1e9 && heard->speech_last_ns <= at_ns;
}

/*
 * It talks to who has answered before it tells who called: an announcement, a question whether to take the call. Of
 * sound that cannot be told, packets are enough; silence is what it sends while it waits.
 */
static bool announces(const struct leg *child, const struct message *from, const struct message *to)
{
	for (unsigned i = 0; child->confirmed && i < child->confirmed->mslot_count; i++) {
		const struct direction *d = &child->confirmed->mslots[i].direction[SIDE_CALLER];

		for (unsigned k = 0; k < d->stream_count; k++) {
			const struct stream *s = d->streams[k];
			struct stream_sound heard = stream_sound(s);
			double ms = stream_packets_between(s, from->at.at_ns, to->at.at_ns) *
				(s->ptime_ms ? s->ptime_ms : 20);

			if (ms >= 1000 * seconds_between(from, to) / 2 &&
			    (!heard.known || spoke_before(&heard, to->at.at_ns)))
				return true;
		}
	}
	return false;
}

/* A B2BUA whose two legs ring one for the other. */
static void judge_relay(struct delays *all, const struct leg *leg)
{
	const struct leg *child = leg->answered ? only_child(leg) : NULL;
	struct delay x = { .reason = "relay-slow", .leg = leg, .limit_s = all->relay_max_s };

	if (!child || !child->answered || child->progress_ns == NS_NONE || leg->progress_ns == NS_NONE ||
	    child->is_transfer || leg->is_transfer)
		return;
	x.from = first_answer(child);
	x.to = first_answer(leg);
	if (!x.from || !x.to || !address_equal(&x.from->dst.addr, &x.to->src.addr) ||
	    !on_one_clock(all->facts, &x.from, &x.to))
		return;
	x.seconds = seconds_between(x.from, x.to);
	x.host = x.from->src;
	x.culprit = x.to->src;
	if (x.seconds > x.limit_s && !announces(child, x.from, x.to))
		delay_add(all, &x);
}

/* ---- before the answer ---- */

/* A reliable 18x is repeated until its PRACK comes, and the 200 waits for that. */
static void judge_prack(struct delays *all, const struct transaction *t)
{
	struct delay x = { .reason = "prack-stall", .leg = t->leg, .limit_s = all->answer_max_s };
	struct prack_wait wait;
	struct silence s;
	enum witness w;

	if (!t->final || t->final->status >= 300 || !prack_wait_of(t, &wait) ||
	    seconds_between(wait.first, wait.last) < x.limit_s || t->final->at.at_ns < wait.last->at.at_ns)
		return;
	s = (struct silence){ .src = wait.first->src, .dst = wait.first->dst, .first_ns = wait.first->at.at_ns,
		.last_ns = wait.last->at.at_ns, .copies = wait.copies };
	if (!wait.prack && silence_gate(all->facts, &s, 1, &w))
		return;
	x.copies = wait.copies;
	x.from = wait.first;
	x.to = t->final;
	x.seconds = seconds_between(wait.first, t->final);
	x.host = wait.first->src;
	x.culprit = wait.prack ? (struct endpoint){ 0 } : wait.first->dst;
	delay_add(all, &x);
}

/* From the INVITE to the first ringing; some never say that they ring, and then nothing can be told. */
static void judge_dialling(struct delays *all, const struct leg *leg)
{
	struct delay x = { .reason = "post-dial-delay", .leg = leg, .limit_s = all->pdd_max_s };

	if (leg->parent || leg->progress_ns == NS_NONE)
		return;
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->request && m->method == SIP_INVITE && !x.from)
			x.from = m;
		if (!m->request && m->method == SIP_INVITE && m->status > 100 && m->status < 200 && x.from) {
			x.to = m;
			break;
		}
	}
	if (!x.to)
		return;
	x.seconds = seconds_between(x.from, x.to);
	x.host = x.from->src;
	if (x.seconds > x.limit_s)
		delay_add(all, &x);
}

/* Its first message is the INVITE, and the first 18x came too soon for any of the limits; one pair of hosts. */
static bool rang_soon(const struct leg *leg, double soon_s)
{
	const struct message *first = LIST_ENTRY(leg->messages.first, struct message, in_leg);
	double seconds = (double)ns_minus(leg->progress_ns, first->at.at_ns) / 1e9;

	return leg->segment_count == 1 && leg->progress_ns != NS_NONE && first->request &&
	       first->method == SIP_INVITE && seconds <= soon_s;
}

static void judge_leg(struct delays *all, const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		struct answer_hop hops[ANSWER_HOP_MAX];
		unsigned count = t->initial && t->final ? answer_hops(t, true, GRACE_NS, hops) : 0;

		if (count == 0)
			continue;
		judge_ack(all, &hops[0]);
		judge_proxy(all, hops, count);
		judge_prack(all, t);
	}
	judge_relay(all, leg);
	if (!rang_soon(leg, all->soon_s) && !delay_detour(all, leg))
		judge_dialling(all, leg);
}

/* ---- what is said, one finding a host and reason ---- */

static int delay_compare(const void *a, const void *b)
{
	const struct delay *x = a, *y = b;
	int c = strcmp(x->reason, y->reason);

	if (c == 0)
		c = address_compare(&x->host.addr, &y->host.addr);
	if (c == 0)
		c = address_compare(&x->culprit.addr, &y->culprit.addr);
	return c ? c : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

static bool same_kind(const struct delay *x, const struct delay *y)
{
	return strcmp(x->reason, y->reason) == 0 && address_equal(&x->host.addr, &y->host.addr) &&
	       address_equal(&x->culprit.addr, &y->culprit.addr);
}

static const struct wording { const char *reason, *title, *because, *fix; } wordings[] = {
	{ "ack-late", "answering takes effect late", "the ACK came %.1f s after the answer",
	  "Look for loss and delay between the two: a local SIP port of its own for each phone, SIP ALG off, a better path" },
	{ "200-repeated", "the answer is repeated", "the ACK came after several copies of the answer (%.1f s)",
	  "Look for packets that are lost on the way between the two" },
	{ "relay-slow", "answering takes effect late", "the 200 was handed on %.1f s after it had come",
	  "Look at the load and the name resolution of the relay" },
	{ "prack-stall", "the answer waits for a PRACK",
	  "a reliable provisional answer waited for its PRACK; the 200 came %.1f s after it",
	  "Switch 100rel off at one side, or let PRACK through" },
	{ "auth-detour", "dialling waits for passwords",
	  "the challenges to its INVITE took %.1f s",
	  "Look at the load of the server that challenges, and at the way to it; let it challenge at once" },
	{ "dns-detour", "dialling waits for names",
	  "the first ringing came %.1f s after the INVITE, and a DNS query in between was never answered",
	  "Mend the resolver that does not answer, or remove it from the list; dial servers by address, or keep names in a local cache" },
	{ "post-dial-delay", "dialling takes long", "the first ringing came %.1f s after the INVITE",
	  "Follow the call along its route: which hop takes the time" },
};

static const struct wording *wording_of(const char *reason)
{
	unsigned i = 0;

	while (i + 1 < sizeof wordings / sizeof wordings[0] && strcmp(wordings[i].reason, reason) != 0)
		i++;
	return &wordings[i];
}

static void say_because(const struct wording *w, double seconds, char *text, size_t room)
{
	const char *hole = strstr(w->because, "%.1f");

	snprintf(text, room, "%.*s%.1f%s", (int)(hole - w->because), w->because, seconds, hole + strlen("%.1f"));
}

static void tell(struct delays *all, const struct delay *list, unsigned count)
{
	const struct delay *worst = &list[0];
	const struct wording *w = wording_of(list[0].reason);
	struct finding *f;
	bool counts, repeated = false;
	char host[SAY_TEXT], relay[SAY_TEXT], culprit[SAY_TEXT + 40] = "", because[160], calls[60] = "";

	for (unsigned i = 0; i < count; i++) {
		worst = list[i].seconds > worst->seconds ? &list[i] : worst;
		repeated |= list[i].repeated;
	}
	counts = count >= detection_key(all->d, "calls") || worst->seconds >= 2 * worst->limit_s;
	f = detection_raise_keyed(all->d, list[0].leg->n, w->reason, counts ? SEVERITY_WARNING : SEVERITY_INFO,
		CONFIDENCE_LIKELY);
	if (repeated && strcmp(w->reason, "ack-late") == 0)
		finding_other_reason(f, "200-repeated");
	for (unsigned i = 0; i < count; i++) {
		finding_leg(f, list[i].leg);
		if (i < 6)
			finding_evidence(f, list[i].from->at, "from here");
		if (i < 6)
			finding_evidence(f, list[i].to->at, "to here: %.1f s", list[i].seconds);
		if (f->first_ns == NS_NONE || list[i].from->at.at_ns < f->first_ns)
			f->first_ns = list[i].from->at.at_ns;
		if (f->last_ns == NS_NONE || list[i].to->at.at_ns > f->last_ns)
			f->last_ns = list[i].to->at.at_ns;
	}
	finding_part(f, PART_VICTIM, &worst->host);
	if (address_known(&worst->culprit.addr))
		finding_part(f, PART_CULPRIT, &worst->culprit);
	f->count = count;
	say_host(all->facts, &worst->host.addr, host);
	say_because(w, worst->seconds, because, sizeof because);
	if (address_known(&worst->culprit.addr))
		snprintf(culprit, sizeof culprit, ", the time was spent at %s",
			say_host(all->facts, &worst->culprit.addr, relay));
	if (count > 1)
		snprintf(calls, sizeof calls, " (the worst of %u such calls)", count);
	finding_title(f, "%s: %s (%.1f s)", host, w->title, worst->seconds);
	finding_cause(f, "At %s %s%s%s.", host, because, culprit, calls);
	finding_fix(f, "%s.", w->fix);
}

static double least_of(double x, double y)
{
	return x < y ? x : y;
}

static void limits_read(struct delays *all, const struct detection *d)
{
	all->answer_max_s = detection_key(d, "answer-max-s");
	all->relay_max_s = detection_key(d, "relay-max-s");
	all->pdd_max_s = detection_key(d, "pdd-max-s");
	all->auth_max_s = detection_key(d, "auth-max-s");
	all->dns_wait_s = detection_key(d, "dns-wait-s");
	all->soon_s = least_of(all->pdd_max_s, least_of(all->auth_max_s, all->dns_wait_s));
}

/* Sent once, and acknowledged once and at once, if at all. */
static bool acked_soon(const struct transaction *t, double soon_s)
{
	return !t->ack || (endpoint_equal(&t->ack->dst, &t->final->src) &&
		phrase_equal(t->ack->to_tag, t->final->to_tag) && t->ack->at.at_ns >= t->final->at.at_ns && seconds_between(t->final, t->ack) <= soon_s);
}

/* A plain leg has no relay and no reliable answers: it rang soon, and its ACK came soon. */
static bool in_time(const struct delays *all, const struct leg *leg)
{
	const struct transaction *t = leg_plain(leg) && leg->call->legs.count == 1 ? leg_plain_answered(leg) : NULL;

	return t && rang_soon(leg, all->soon_s) && acked_soon(t, all->answer_max_s);
}

struct state {
	struct leg_list legs;        /* that may have waited, as surveyed */
	struct delays limits;        /* as long as legs are surveyed */
	bool surveys;
};

static void survey(struct detection *d, struct state *st, const struct leg *leg)
{
	if (!st->surveys)
		limits_read(&st->limits, d);
	st->surveys = true;
	if (leg->initial_invite_seen && !in_time(&st->limits, leg))
		leg_list_add(&st->legs, leg);
}

static void forget(void *state)
{
	struct state *st = state;

	leg_list_clear(&st->legs);
	st->surveys = false;
}

static void judge_all(struct detection *d, const struct leg_list *legs)
{
	struct delays all = { .d = d, .facts = detection_facts(d) };
	unsigned n, congested = answer_congestion(d);

	limits_read(&all, d);
	for (unsigned i = 0; i < legs->count; i++)
		judge_leg(&all, legs->list[i]);
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, delay_compare);
	for (unsigned i = 0; i < all.count; i += n) {
		for (n = 1; i + n < all.count && same_kind(&all.list[i], &all.list[i + n]);)
			n++;
		tell(&all, &all.list[i], n);
	}
	if (all.count + congested == 0)
		detection_pass(d, NULL, "answers and ringing took effect in time");
	free(all.list);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct state *st = detection_state(d);

	if (ev->kind == EVENT_SURVEY_LEG) {
		survey(d, st, ev->leg);
		return;
	}
	judge_all(d, &st->legs);
	forget(st);
}

const struct detector detect_answer_delayed = {
	.id = "answer-delayed", .doc = &doc, .keys = keys, .event = on_event,
	.state_size = sizeof(struct state), .forget = forget,
	.events = EVENT_BIT(EVENT_SURVEY_LEG) | EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = GLOBAL,
	.usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
