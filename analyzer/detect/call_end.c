/* SPDX-License-Identifier: MIT */
/* call_end: timers of SIP against the time of the BYE. */
#include "analyzer/detect/call_end.h"

#include "analyzer/calls/headers.h"
#include "analyzer/detect/answer_hop.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/survey.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/sip_binding.h"

#define T1_NS (500 * MILLISECOND_NS)
#define T1_LEAST_NS (50 * MILLISECOND_NS)
#define T2_NS (4 * SECOND_NS)
#define GRACE_NS SECOND_NS
#define ACK_FROM_NS (28 * SECOND_NS)
#define ACK_TO_NS (36 * SECOND_NS)
#define REFRESH_GIVEN_UP_NS (40 * SECOND_NS)
#define TIMER_SLACK_NS (5 * SECOND_NS)
#define EXPIRY_SLACK_NS (2 * SECOND_NS)
#define LAPSED_NS (10 * SECOND_NS)
#define TOGETHER_NS (500 * MILLISECOND_NS)

enum { ACK_COPIES = 3, REFRESH_COPIES = 4, SENT_AGAIN = 2, LAST_MINUTE_S = 32 };

static const struct message *bye_of(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method == SIP_BYE && t->request && t->request->at.at_ns == leg->bye_ns)
			return t->request;
	}
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->request && m->method == SIP_BYE && m->repeat != MESSAGE_COPY && m->at.at_ns == leg->bye_ns)
			return m;
	}
	return NULL;
}

bool call_end_leads(const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other != leg && other->bye_seen && (other->bye_ns < leg->bye_ns ||
		    (other->bye_ns == leg->bye_ns && other->n < leg->n)))
			return false;
	}
	return true;
}

/* Its BYE comes first, or right behind the first one and from the same machine: that ends both of its legs. */
static bool ends_by(const struct leg *leg, const struct message *bye)
{
	if (call_end_leads(leg))
		return true;
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);
		const struct message *o = other != leg && other->bye_seen && call_end_leads(other)
			? bye_of(other) : NULL;

		if (o && o->via_count == 1 && bye->via_count == 1 && address_equal(&o->src.addr, &bye->src.addr) &&
		    ns_minus(bye->at.at_ns, o->at.at_ns) <= TOGETHER_NS)
			return true;
	}
	return false;
}

static const struct endpoint *side_at(const struct leg *leg, unsigned side)
{
	return &leg->party[side].signalling;
}

/* ---- no ACK ---- */

static int64_t own_t1(const struct answer_hop *h)
{
	int64_t gap_ns = h->second ? ns_minus(h->second->at.at_ns, h->first->at.at_ns) : T1_NS;

	return gap_ns < T1_LEAST_NS ? T1_LEAST_NS : gap_ns > 2 * T1_NS ? T1_NS : gap_ns;
}

static bool is_ack_timeout(const struct leg *leg, const struct answer_hop *h, const struct message *bye)
{
	int64_t waited_ns = ns_minus(bye->at.at_ns, h->first->at.at_ns), timeout_ns = 64 * own_t1(h);

	if (bye->by != h->first->by || waited_ns <= 0)
		return false;
	if (waited_ns >= timeout_ns - timeout_ns / 10 && waited_ns <= timeout_ns + timeout_ns / 10)
		return true;
	if (waited_ns >= ACK_FROM_NS && waited_ns <= ACK_TO_NS)
		return true;
	return span_find_text_nocase(leg->end_reason, SPAN("ack")) < leg->end_reason.n &&
	       span_find_text_nocase(leg->end_reason, SPAN("timeout")) < leg->end_reason.n;
}

static bool ack_timeout(const struct facts *facts, const struct leg *leg, double tail_s, struct call_end *e)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		struct answer_hop hops[ANSWER_HOP_MAX];
		unsigned count = t->method == SIP_INVITE && t->finals >= ACK_COPIES
			? answer_hops(t, true, GRACE_NS, hops) : 0;
		bool seen;
		enum witness w;

		if (count == 0 || !answer_unacknowledged(&hops[0], ACK_COPIES) ||
		    !is_ack_timeout(leg, &hops[0], e->bye))
			continue;
		seen = hops[0].ack || answer_ack_elsewhere(t, hops, count);
		if (!seen && answer_satisfied(&hops[0], e->bye->at.at_ns))
			continue;
		if (!seen && silence_gate(facts,
		    &(struct silence){ .src = hops[0].src, .dst = hops[0].dst, .first_ns = hops[0].first->at.at_ns,
				.last_ns = hops[0].last->at.at_ns, .copies = hops[0].copies }, tail_s, &w))
			continue;
		e->reason = "ack-timeout";
		e->severity = SEVERITY_ERROR;
		e->confidence = seen ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
		e->from = hops[0].first;
		e->to = hops[0].last;
		e->seconds = (double)ns_minus(e->bye->at.at_ns, hops[0].first->at.at_ns) / 1e9;
		return true;
	}
	return false;
}

/* ---- session timers ---- */

struct timer {                       /* as the latest success agreed it */
	int64_t set_ns;
	uint32_t expires_s;          /* 0: none */
	enum refresher refresher;
	bool asked;                  /* the request names the refresher, the answer does not */
	unsigned client;             /* side that asked for it: uac */
	bool client_knows;           /* what it is: the side that answers may keep a timer alone (RFC 4028 9) */
	const struct message *by;
};

static bool refreshes(const struct transaction *t)
{
	return t->method == SIP_INVITE || t->method == SIP_UPDATE;
}

static enum refresher refresher_of(const struct message *m)
{
	return m->headers ? m->headers->more->refresher : REFRESHER_NONE;
}

/* The timer that was running at that time. */
static struct timer timer_at(const struct leg *leg, int64_t at_ns)
{
	struct timer timer = { .set_ns = NS_NONE };

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *ok = t->final;

		if (!refreshes(t) || !ok || ok->status >= 300 || ok->at.at_ns > at_ns || ok->at.at_ns < timer.set_ns)
			continue;
		timer.set_ns = ok->at.at_ns;
		timer.by = ok;
		timer.client = t->by;
		timer.client_knows = !t->request || !t->request->headers || t->request->headers->more->knows_timers;
		timer.expires_s = ok->headers ? ok->headers->more->session_expires_s : 0;
		timer.refresher = refresher_of(ok);
		timer.asked = timer.refresher == REFRESHER_NONE;
		if (timer.asked && t->request)
			timer.refresher = refresher_of(t->request);
	}
	return timer;
}

static bool near_ns(int64_t at_ns, int64_t want_ns)
{
	int64_t d = ns_minus(at_ns, want_ns);

	return d <= TIMER_SLACK_NS && d >= -TIMER_SLACK_NS;
}

/* What that side got for its last refresh after the timer was set, where it is no success. */
static const struct message *refused_refresh(const struct leg *leg, unsigned side, const struct timer *timer)
{
	const struct message *refused = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (refreshes(t) && !t->initial && t->by == side && t->final && t->final->status >= 300 &&
		    t->final->at.at_ns > timer->set_ns)
			refused = t->final;
	}
	return refused;
}

static unsigned copies_of(const struct transaction *t, const struct message **ret_last)
{
	unsigned copies = 0;

	CHAIN_EACH(it, &t->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (!m->request || m->method != t->method || m->repeat == MESSAGE_COPY ||
		    !endpoint_equal(&m->src, &t->request->src) ||
			!endpoint_equal(&m->dst, &t->request->dst))
			continue;
		copies++;
		*ret_last = m;
	}
	return copies;
}

/*
 * A refresh after the timer was set whose answer the capture has not: it is acknowledged, or not sent again, as who
 * waits for an answer would (RFC 3261 17.1).
 */
static bool refreshed_unseen(const struct leg *leg, const struct timer *timer, int64_t until_ns)
{
	const struct message *last;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (!refreshes(t) || t->initial || t->final || t->first_ns <= timer->set_ns || t->first_ns >= until_ns)
			continue;
		if (t->ack || (t->request && t->request->transport == TRANSPORT_UDP && copies_of(t, &last) == 1 &&
		    ns_minus(until_ns, t->first_ns) > T2_NS))
			return true;
	}
	return false;
}

static void refresh_fails(const struct leg *leg, const struct transaction *t, const struct message *last,
	enum confidence c, struct call_end *e)
{
	e->reason = "session-refresh-failed";
	e->severity = SEVERITY_ERROR;
	e->confidence = c;
	e->from = t->request;
	e->to = last;
	e->culprit = *side_at(leg, side_other(t->request->by));
	e->seconds = (double)ns_minus(e->bye->at.at_ns, t->request->at.at_ns) / 1e9;
}

/* A refresh was sent again and again, and nothing came back: its sender did what it had to. */
static bool refresh_unanswered(const struct leg *leg, const struct timer *timer, struct call_end *e)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *last = NULL;

		if (!refreshes(t) || t->initial || t->final || t->provisional || !t->request ||
		    t->first_ns <= timer->set_ns || t->first_ns >= e->bye->at.at_ns ||
		    (copies_of(t, &last) < SENT_AGAIN && t->request->transport == TRANSPORT_UDP))
			continue;
		refresh_fails(leg, t, last, CONFIDENCE_LIKELY, e);
		return true;
	}
	return false;
}

static bool has_word(struct span text, const char *word)
{
	return span_find_text_nocase(text, span_of(word)) < text.n;
}

/* Its Reason names the session timer. */
static bool says_expired(struct span reason)
{
	return has_word(reason, "session") && (has_word(reason, "expire") || has_word(reason, "time"));
}

/*
 * Who hangs up says that the timer ran out, at the end of one that a later success had begun anew (RFC 4028 7.2): it took
 * the refresh, and not its meaning.
 */
static bool refresh_forgotten(const struct leg *leg, const struct timer *last, struct call_end *e)
{
	if (!says_expired(leg->end_reason))
		return false;
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *ok = t->final;
		uint32_t expires_s = refreshes(t) && ok && ok->status < 300 && ok->headers
			? ok->headers->more->session_expires_s : 0;

		if (!expires_s || ok == last->by ||
		    !near_ns(ns_minus(e->bye->at.at_ns, ok->at.at_ns), expires_s * SECOND_NS))
			continue;
		e->reason = "session-timer-expired";
		e->severity = SEVERITY_ERROR;
		e->confidence = CONFIDENCE_CERTAIN;
		e->from = ok;
		e->kept = last->by;
		e->culprit = e->bye->src;
		e->timer_s = expires_s;
		e->seconds = (double)ns_minus(e->bye->at.at_ns, ok->at.at_ns) / 1e9;
		return true;
	}
	return false;
}

/* RFC 4028 10: the side that does not refresh hangs up shortly before the end; others wait for it. */
static bool session_expired(const struct facts *facts, const struct leg *leg, struct call_end *e)
{
	struct timer timer = timer_at(leg, e->bye->at.at_ns);
	int64_t early_ns, after_ns;

	if (timer.set_ns == NS_NONE || timer.expires_s == 0 ||
	    (leg->ended_by_side == timer.client && !timer.client_knows))
		return false;
	early_ns = (int64_t)(timer.expires_s / 3 < LAST_MINUTE_S ? timer.expires_s / 3 : LAST_MINUTE_S) * SECOND_NS;
	after_ns = ns_minus(e->bye->at.at_ns, timer.set_ns);
	if (!near_ns(after_ns, timer.expires_s * SECOND_NS - early_ns) &&
	    !near_ns(after_ns, timer.expires_s * SECOND_NS))
		return refresh_forgotten(leg, &timer, e);
	if (gates_capture_still(facts->gates, timer.set_ns, e->bye->at.at_ns))
		return false;        /* a refresh may be hidden there */
	if (refreshed_unseen(leg, &timer, e->bye->at.at_ns))
		return false;
	if (refresh_unanswered(leg, &timer, e))
		return true;
	e->reason = "session-timer-expired";
	e->severity = SEVERITY_ERROR;
	e->refresher_known = timer.refresher != REFRESHER_NONE;
	e->refresher_asked = e->refresher_known && timer.asked;
	e->confidence = e->refresher_known && !timer.asked ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
	e->from = timer.by;
	e->seconds = (double)after_ns / 1e9;
	e->timer_s = timer.expires_s;
	if (e->refresher_known) {
		unsigned side = timer.refresher == REFRESHER_UAC ? timer.client : side_other(timer.client);

		e->refresher_asks = timer.refresher == REFRESHER_UAC;
		e->culprit = *side_at(leg, side);
		e->refused = refused_refresh(leg, side, &timer);
	}
	return true;
}

/* Silence, 408 or 481 to a refresh. */
static bool refresh_failed(const struct facts *facts, const struct transaction *t, double tail_s,
	const struct message **ret_last)
{
	const struct message *q = t->request;
	struct silence s;
	enum witness w;

	if (t->final) {
		*ret_last = t->final;
		return t->final->status == 408 || t->final->status == 481;
	}
	s = (struct silence){ .src = q->src, .dst = q->dst, .first_ns = q->at.at_ns, .copies = copies_of(t, ret_last),
			      .stream_transport = q->transport != TRANSPORT_UDP };
	s.last_ns = *ret_last ? (*ret_last)->at.at_ns : q->at.at_ns;
	return (s.copies >= REFRESH_COPIES || s.stream_transport) && !t->provisional &&
	       !silence_gate(facts, &s, tail_s, &w);
}

static bool session_refresh_failed(const struct facts *facts, const struct leg *leg, double tail_s, struct call_end *e)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *last = NULL;
		int64_t given_up_ns;

		if (!refreshes(t) || t->initial || !t->request || t->request->by != e->bye->by ||
		    !timer_at(leg, t->request->at.at_ns).expires_s)
			continue;
		given_up_ns = ns_minus(e->bye->at.at_ns, t->final ? t->final->at.at_ns : t->request->at.at_ns);
		if (given_up_ns < 0 || given_up_ns > REFRESH_GIVEN_UP_NS || !refresh_failed(facts, t, tail_s, &last))
			continue;
		refresh_fails(leg, t, last, CONFIDENCE_CERTAIN, e);
		return true;
	}
	return false;
}

/* ---- what one side says ---- */

bool call_end_crossed(const struct transaction *t)
{
	const struct leg *leg = t->leg;

	if (leg->bye_ns == NS_NONE || leg->bye_ns <= t->final->at.at_ns)
		return leg->bye_ns != NS_NONE;
	return leg->bye_answered && leg->bye_answered_ns == leg->bye_ns && leg->ended_by_side == side_other(t->by) &&
	       ns_minus(leg->bye_ns, t->final->at.at_ns) <= SECOND_NS;
}

/* The audio of who refuses ends at that moment, as it does with a BYE. */
static bool hangs_up(const struct transaction *t)
{
	const struct dialog *dialog = t->leg->confirmed;
	int64_t last_ns = NS_NONE;

	for (unsigned i = 0; dialog && i < dialog->mslot_count; i++) {
		const struct direction *dir = &dialog->mslots[i].direction[side_other(t->by)];

		for (unsigned k = 0; dialog->mslots[i].kind == SDP_AUDIO && k < dir->stream_count; k++) {
			if (last_ns == NS_NONE || dir->streams[k]->last_ns > last_ns)
				last_ns = dir->streams[k]->last_ns;
		}
	}
	return last_ns != NS_NONE && last_ns > ns_add(t->final->at.at_ns, -T1_NS) &&
	       last_ns < ns_add(t->final->at.at_ns, T1_NS);
}

/*
 * Shortly before it the capture stood still, or lost packets, or audio ends with it: somebody may have ended the call
 * then.
 */
bool call_end_bye_hidden(const struct facts *facts, const struct transaction *t)
{
	return hangs_up(t) ||
	       gates_may_hide(facts->gates, ns_add(t->final->at.at_ns, -LAST_MINUTE_S * SECOND_NS), t->final->at.at_ns);
}

/* A request in an established dialog that nobody has ended, and the other side knows no such dialog. */
static bool dialog_forgotten(const struct facts *facts, const struct leg *leg, struct call_end *e)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if ((!refreshes(t) && t->method != SIP_INFO) || t->initial || !t->request || !t->final ||
		    t->final->status != 481 || leg->answer_ns == NS_NONE ||
			t->request->at.at_ns < leg->answer_ns || call_end_crossed(t))
			continue;
		e->reason = "dialog-forgotten";
		e->severity = SEVERITY_ERROR;
		e->confidence = call_end_bye_hidden(facts, t) ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN;
		e->from = t->request;
		e->to = t->final;
		e->culprit = t->final->src;
		return true;
	}
	return false;
}

static bool is_abnormal(struct span reason)
{
	static const uint16_t causes[] = { 27, 38, 41, 42, 44, 47, 102, 111, 127 };
	uint16_t q850 = reason_cause(reason, SPAN("Q.850")), sip = reason_cause(reason, SPAN("SIP"));
	struct span text;
	size_t end = span_find(reason, ';');

	for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
		if (causes[i] == q850)
			return true;
	}
	if (q850 == 31 && end < reason.n && sip_parameter(span_from(reason, end + 1), SPAN("text"), &text))
		return text.n && !span_starts_nocase(text, SPAN("normal"));
	return sip == 408 || sip == 415 || sip == 488 || sip >= 500;
}

/* RFC 3261 12.2.1.2: a request within the dialog that times out ends it. */
static bool times_out(const struct facts *facts, const struct transaction *t, const struct message *bye, double tail_s,
	struct call_end *e)
{
	const struct message *q = t->request, *last = NULL;
	struct silence s;
	enum witness w;

	if (t->method == SIP_INVITE || t->method == SIP_ACK || t->method == SIP_BYE || t->method == SIP_CANCEL || !q ||
	    t->final || q->by != bye->by || q->at.at_ns > bye->at.at_ns ||
	    ns_minus(bye->at.at_ns, q->at.at_ns) > REFRESH_GIVEN_UP_NS)
		return false;
	s = (struct silence){ .src = q->src, .dst = q->dst, .first_ns = q->at.at_ns, .copies = copies_of(t, &last),
			      .stream_transport = q->transport != TRANSPORT_UDP };
	s.last_ns = last ? last->at.at_ns : q->at.at_ns;
	if ((s.copies < REFRESH_COPIES && !s.stream_transport) || silence_gate(facts, &s, tail_s, &w))
		return false;
	e->unheard = q;
	e->unheard_copies = s.copies;
	e->from = q;
	e->to = last;
	return true;
}

static bool abnormal_release(const struct facts *facts, const struct leg *leg, double tail_s, struct call_end *e)
{
	if (!is_abnormal(leg->end_reason))
		return false;
	e->reason = "abnormal-release";
	e->severity = SEVERITY_ERROR;
	e->confidence = CONFIDENCE_LIKELY;
	e->culprit = e->bye->src;
	LIST_EACH(it, &leg->transactions) {
		if (reason_cause(leg->end_reason, SPAN("SIP")) != 408 || e->unheard ||
		    !times_out(facts, LIST_ENTRY(it, struct transaction, in_leg), e->bye, tail_s, e))
			continue;
		e->culprit = *side_at(leg, side_other(e->bye->by));
	}
	return true;
}

/* The registration of the other side at who hangs up, where it lapses at that time; NULL none. */
static const struct sip_binding *lapsed_at(const struct facts *facts, const struct leg *leg, enum side by,
	int64_t bye_ns)
{
	const struct endpoint *phone = side_at(leg, side_other(by)), *server = side_at(leg, by);
	const struct sip_binding *b = sip_bindings_find(facts->bindings, phone, server);
	int64_t off_ns;

	if (!b || b->registered_until_ns == NS_NONE || b->expires_s == 0 || leg->answer_ns == NS_NONE ||
	    leg->answer_ns >= b->registered_until_ns)
		return NULL;
	off_ns = ns_minus(bye_ns, b->registered_until_ns);
	if (facts->capture->last_ns < ns_add(b->registered_until_ns, LAPSED_NS) || off_ns > EXPIRY_SLACK_NS || off_ns < -EXPIRY_SLACK_NS)
		return NULL;
	return b;
}

/* Who hangs up is the registrar of the other side, when that one's registration ends and is seen to stay ended. */
static bool registration_ended(const struct facts *facts, const struct leg *leg, struct call_end *e)
{
	const struct sip_binding *b = lapsed_at(facts, leg, e->bye->by, e->bye->at.at_ns);

	if (!b || e->bye->via_count != 1)
		return false;
	e->reason = "registration-timeout-release";
	e->severity = SEVERITY_WARNING;
	e->confidence = CONFIDENCE_POSSIBLE;
	e->culprit = *side_at(leg, side_other(e->bye->by));
	e->timer_s = b->expires_s;
	e->seconds = (double)b->expires_s;
	return true;
}

struct call_end call_end_of(const struct facts *facts, const struct leg *leg, double tail_s)
{
	struct call_end e = { 0 };

	if (!leg->answered && !leg->confirmed)
		return e;
	e.bye = leg->bye_seen ? bye_of(leg) : NULL;
	if (e.bye && (ack_timeout(facts, leg, tail_s, &e) || session_refresh_failed(facts, leg, tail_s, &e)))
		return e;
	if (dialog_forgotten(facts, leg, &e))
		return e;
	if (!e.bye || leg->transferred || !ends_by(leg, e.bye) || session_expired(facts, leg, &e) || !call_end_leads(leg))
		return e;
	if (!abnormal_release(facts, leg, tail_s, &e))
		registration_ended(facts, leg, &e);
	return e;
}

/*
 * Without re-INVITE nothing was refreshed in vain or forgotten; without a timer, a Reason, repeated answers or a
 * registration that lapses nothing ended it but its BYE.
 */
bool call_end_quiet(const struct facts *facts, const struct leg *leg)
{
	bool quiet = leg_plain(leg) && leg->bye_seen && !leg->end_reason.n;
	const struct transaction *t = quiet ? leg_plain_answered(leg) : NULL;
	const struct headers *ok = t ? t->final->headers : NULL;

	return t && t->finals < ACK_COPIES && !(ok && ok->more->session_expires_s) &&
	       !lapsed_at(facts, leg, leg->ended_by_side, leg->bye_ns);
}
