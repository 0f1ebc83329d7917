/* SPDX-License-Identifier: MIT */
/*
 * call-dropped: an answered call was ended by a timer, a fault or a fixed limit, not by a person. RFC 3261 13.3.1.4,
 * RFC 4028.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/call_cut.h"
#include "analyzer/detect/call_end.h"
#include "analyzer/detect/call_lost.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/survey.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"ack-timeout", "session-refresh-failed", "session-timer-expired", "dialog-forgotten", "abnormal-release",
	"media-timeout", "fixed-interval", "path-lost", "peer-vanished", "peer-restarted",
	"registration-timeout-release", "tcp-lost", NULL,
};

static const struct detector_doc doc = {
	.says = "an answered call ended by something else than a person",
	.symptom = "Calls are cut off, always after the same time, or when audio was gone for a while.",
	.evidence = "The time of the BYE against the timers that ran: repeated 200, session timer, silence of audio; its Reason; equal durations of several calls; a party that falls silent altogether, or registers anew as after a start; a TCP connection that ends in mid-call and cannot be made again.",
	.mimics = "A person who hangs up at such a time by chance, transfers, announcements of fixed length, load generators.",
	.fix = "By reason: the ACK, the session timer and who refreshes it, the missing audio, the limit of the peer.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "interval-calls", 3, "calls", 2, 1000, "field" },
	{ "interval-min-s", 20, "s", 5, 3600, "field: shorter calls end alike by chance" },
	{ "interval-share", 60, "%", 10, 100, "field: so many of the calls that got so far end there" },
	{ "interval-slack-s", 1, "s", 0.1, 30, "field" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.1.2: 64 T1" },
	{ 0 },
};

/* ---- audio that was gone ---- */

static const double silences_s[] = { 10, 20, 30, 60, 120, 300 };

static bool is_round(double gap_s)
{
	for (size_t i = 0; i < sizeof silences_s / sizeof silences_s[0]; i++) {
		if (gap_s >= silences_s[i] - 1 && gap_s <= silences_s[i] + 1)
			return true;
	}
	return false;
}

static bool has_word(struct span text, const char *word)
{
	return span_find_text_nocase(text, span_of(word)) < text.n;
}

static bool says_media_timeout(const struct leg *leg)
{
	uint16_t q850 = reason_cause(leg->end_reason, SPAN("Q.850"));

	/* 44: what Asterisk says when its rtp_timeout has run out */
	if (q850 == 102 || q850 == 127 || q850 == 44)
		return true;
	return (has_word(leg->end_reason, "rtp") || has_word(leg->end_reason, "media")) &&
	       has_word(leg->end_reason, "time");
}

/* Seconds without audio towards the side before the BYE; negative: none was due then, or none can be told. */
static double silent_s(const struct leg *leg, enum side to, int64_t bye_ns)
{
	double least = -1;

	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct mslot *slot = &leg->confirmed->mslots[i];
		const struct direction *d = &slot->direction[side_other(to)];
		const struct window *w = direction_window_at(d, ns_add(bye_ns, -1));
		int64_t last_ns = w ? w->on_ns : NS_NONE;

		if (slot->kind != SDP_AUDIO || !w || w->state != EXPECT_DUE || d->ambiguous)
			continue;
		for (unsigned k = 0; k < d->stream_count; k++)
			last_ns = d->streams[k]->last_ns > last_ns ? d->streams[k]->last_ns : last_ns;
		if (least < 0 || (double)ns_minus(bye_ns, last_ns) / 1e9 < least)
			least = (double)ns_minus(bye_ns, last_ns) / 1e9;
	}
	return least;
}

static bool not_heard(const struct leg *leg, enum side to)
{
	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct hearing *h = hearing_of(&leg->confirmed->mslots[i].direction[side_other(to)]);

		if (leg->confirmed->mslots[i].kind == SDP_AUDIO && h && h->failure != FAILURE_NONE && !h->gate &&
		    !h->row)
			return true;
	}
	return false;
}

/* Who hangs up had heard nothing for a while: it says so, or it is a machine and the silence is a fault of its own. */
static void media_timeout(const struct facts *facts, const struct leg *leg, struct call_end *e)
{
	double gap_s = silent_s(leg, e->bye->by, e->bye->at.at_ns);
	bool said = says_media_timeout(leg);

	if (gap_s < 5 || leg->transferred || (!said && !(is_round(gap_s) && say_serves(facts, &e->bye->src.addr) &&
	    not_heard(leg, e->bye->by))))
		return;
	e->reason = "media-timeout";
	e->severity = SEVERITY_ERROR;
	e->confidence = CONFIDENCE_LIKELY;
	e->culprit = (struct endpoint){ 0 };
	e->seconds = gap_s;
}

/* The BYE that nobody but its sender sent, where it is answered that there is no such call. */
static const struct transaction *unknown_bye(const struct leg *leg)
{
	const struct transaction *found = NULL;

	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method != SIP_BYE || !t->request)
			continue;
		if (found && t->request->by != found->request->by)
			return NULL;
		found = !found && t->final && t->final->status == 481 ? t : found;
	}
	return found;
}

/* Who hangs up had heard nothing for a while, and who fell silent then no longer knows the call: it had lost it. */
static void lost_before(const struct leg *leg, struct call_end *e)
{
	const struct transaction *t = unknown_bye(leg);
	double gap_s = t ? silent_s(leg, e->bye->by, e->bye->at.at_ns) : -1;

	if (gap_s < 5 || leg->transferred || t->request->by != e->bye->by || !not_heard(leg, e->bye->by))
		return;
	e->reason = "dialog-forgotten";
	e->severity = SEVERITY_ERROR;
	e->confidence = CONFIDENCE_LIKELY;
	e->from = t->request;
	e->to = t->final;
	e->culprit = t->final->src;
	e->seconds = gap_s;
}

/* Of a quiet end: could media_timeout() or lost_before() make something of it? */
static bool is_silent_end(const struct leg *leg)
{
	double gap_s = silent_s(leg, leg->ended_by_side, leg->bye_ns);

	return gap_s >= 5 && (is_round(gap_s) || unknown_bye(leg)) && not_heard(leg, leg->ended_by_side);
}

/* ---- equal durations ---- */

struct peer {                        /* an address of parties that hang up */
	struct hash_link by_address;
	struct address at;
	unsigned enders;             /* answered legs in which it hung up */
};

struct enders {
	struct hash by_address;
	struct arena *arena;
	unsigned most;               /* enders of the one that has most of them */
};

struct state {                       /* from the survey of the legs to judgement */
	struct leg_list legs;        /* whose end is worth a look */
	struct enders peers;          /* who hung up the others */
};

struct ended {                       /* an answered leg, as one of its two parties has it */
	const struct leg *leg;
	const struct peer *peer;
	double seconds;              /* from the answer to its end, or to the end of the file */
	bool by_peer, by_caller;     /* the peer hung up */
	uint8_t side;                /* of the peer */
};

struct endeds {
	struct ended *list;
	unsigned count;
	const struct enders *peers;
	double enders_least;         /* of a peer: the others say nothing, and need no order */
};

static struct peer *peer_find(const struct enders *all, const struct address *at)
{
	uint32_t hash = address_hash(at);

	for (struct hash_link *it = hash_first(&all->by_address, hash); it; it = it->next) {
		if (it->hash == hash && address_equal(&HASH_ENTRY(it, struct peer, by_address)->at, at))
			return HASH_ENTRY(it, struct peer, by_address);
	}
	return NULL;
}

static struct peer *peer_add(struct enders *all, const struct address *at)
{
	struct peer *p = peer_find(all, at);

	if (p)
		return p;
	all->arena = all->arena ? all->arena : arena_new();
	p = arena_zalloc(all->arena, sizeof *p);
	p->at = *at;
	hash_add(&all->by_address, &p->by_address, address_hash(at));
	return p;
}

static void peers_clear(struct enders *all)
{
	hash_fini(&all->by_address);
	hash_init(&all->by_address);
	arena_free(all->arena);
	all->arena = NULL;
	all->most = 0;
}

static bool has_duration(const struct leg *leg)
{
	return leg->answered && leg->answer_ns != NS_NONE && !leg->partial;
}

static bool hung_up(const struct leg *leg, enum side side)
{
	return leg->bye_seen && leg->ended_by_side == side && call_end_leads(leg) && !leg->transferred;
}

static void ender_note(struct enders *all, const struct leg *leg)
{
	const struct address *at = &leg->party[leg->ended_by_side].signalling.addr;
	struct peer *p;

	if (!has_duration(leg) || !hung_up(leg, leg->ended_by_side) || !address_known(at))
		return;
	p = peer_add(all, at);
	if (++p->enders > all->most)
		all->most = p->enders;
}

static void ended_add(struct endeds *all, const struct leg *leg, enum side side, int64_t capture_end_ns)
{
	int64_t end_ns = leg->bye_seen ? leg->bye_ns : leg->end_ns != NS_NONE ? leg->end_ns : capture_end_ns;
	const struct peer *peer = peer_find(all->peers, &leg->party[side].signalling.addr);

	if (!peer || peer->enders < all->enders_least)
		return;
	all->list[all->count++] = (struct ended){
		.leg = leg, .peer = peer,
		.seconds = (double)ns_minus(end_ns, leg->answer_ns) / 1e9,
		.by_peer = hung_up(leg, side),
		.by_caller = leg->ended_by_side == SIDE_CALLER,
		.side = (uint8_t)side,
	};
}

static int ended_compare(const void *a, const void *b)
{
	const struct ended *x = a, *y = b;
	int c = address_compare(&x->peer->at, &y->peer->at);

	if (c == 0)
		c = (x->seconds > y->seconds) - (x->seconds < y->seconds);
	return c ? c : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

/*
 * Sessions that a timer is known to end at: one number dialled again and again may reach an announcement of any other
 * length.
 */
static bool is_timer(double seconds)
{
	static const double timers_s[] = { 30, 60, 120, 300, 600, 900, 1768, 1800, 3568, 3600, 7200 };

	for (size_t i = 0; i < sizeof timers_s / sizeof timers_s[0]; i++) {
		if (seconds >= timers_s[i] - 1.5 && seconds <= timers_s[i] + 1.5)
			return true;
	}
	return false;
}

static bool several_numbers(const struct ended *list, unsigned from, unsigned to)
{
	const struct leg *first = NULL;

	for (unsigned i = from; i < to; i++) {
		if (!list[i].by_peer)
			continue;
		if (first && !span_equal(first->party[SIDE_CALLEE].user, list[i].leg->party[SIDE_CALLEE].user))
			return true;
		first = first ? first : list[i].leg;
	}
	return false;
}

static const char *guess_of(double seconds)
{
	static const struct { double seconds; const char *guess; } guesses[] = {
		{ 30, "a missing ACK or missing audio" }, { 60, "a UDP or RTP timer" }, { 120, "a UDP or RTP timer" },
		  { 300, "a UDP or RTP timer" },
		{ 900, "the refresh of a session timer of 1800 s" }, { 1768, "a session timer of 1800 s" },
		  { 1800, "a session timer of 1800 s" },
		{ 3600, "a limit of the tariff or of a firewall" }, { 7200, "a limit of the tariff or of a firewall" },
	};

	for (size_t i = 0; i < sizeof guesses / sizeof guesses[0]; i++) {
		if (seconds >= guesses[i].seconds - 2 && seconds <= guesses[i].seconds + 2)
			return guesses[i].guess;
	}
	return "a limit that somebody has set";
}

static void tell_interval(struct detection *d, const struct ended *list, unsigned from, unsigned to, unsigned ending,
	unsigned reached)
{
	const struct facts *facts = detection_facts(d);
	const struct ended *first = &list[from];
	const struct endpoint *culprit = &first->leg->party[first->side].signalling;
	bool callers = true, chance;
	struct finding *f;
	char peer[SAY_TEXT], act[SAY_TEXT + 60], effect[60];

	for (unsigned i = from; i < to; i++)
		callers &= !list[i].by_peer || list[i].by_caller;
	chance = callers || (!several_numbers(list, from, to) && !is_timer(first->seconds));
	f = detection_raise_keyed(d, (uint64_t)first->leg->n << 32, "fixed-interval",
		chance ? SEVERITY_INFO : SEVERITY_WARNING, CONFIDENCE_LIKELY);
	for (unsigned i = from; i < to; i++) {
		if (!list[i].by_peer)
			continue;
		finding_leg(f, list[i].leg);
		finding_evidence(f, list[i].leg->bye_at, "%s, %.1f s after the answer", say_bye(list[i].leg),
			list[i].seconds);
		if (f->first_ns == NS_NONE || list[i].leg->answer_ns < f->first_ns)
			f->first_ns = list[i].leg->answer_ns;
		if (f->last_ns == NS_NONE || list[i].leg->bye_ns > f->last_ns)
			f->last_ns = list[i].leg->bye_ns;
	}
	finding_part(f, PART_CULPRIT, culprit);
	f->count = ending;
	say_host(facts, &culprit->addr, peer);
	snprintf(act, sizeof act, "%s hangs up after %.0f s", peer, first->seconds);
	snprintf(effect, sizeof effect, "%u calls cut off alike", ending);
	say_title(f, act, effect);
	finding_cause(f, "%s ended %u of the %u calls that lasted so long %.0f s after their answer; that may be %s.",
		peer, ending, reached, first->seconds,
		      guess_of(first->seconds));
	finding_fix(f,
		"Look for a timer or limit of %.0f s at %s or its operator; compare the session timers of both sides.",
		first->seconds, peer);
	finding_cannot_see(f, "what %s counts: its log or operator knows", peer);
}

static unsigned enders(const struct ended *list, unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += list[i].by_peer;
	return n;
}

/* list[from..to) are one peer's calls, by duration. The densest stretch that is no longer than twice the slack. */
static void judge_peer(struct detection *d, const struct ended *list, unsigned from, unsigned to)
{
	double slack_s = detection_key(d, "interval-slack-s");
	unsigned best_from = from, best_to = from, best = 0, behind = from, here = 0;

	for (unsigned i = from; i < to; i++) {
		double width_s = 2 * (slack_s > list[i].seconds * 0.002 ? slack_s : list[i].seconds * 0.002);

		here += list[i].by_peer;
		while (list[i].seconds - list[behind].seconds > width_s)
			here -= list[behind++].by_peer;
		if (list[behind].seconds >= detection_key(d, "interval-min-s") && here > best) {
			best = here;
			best_from = behind;
			best_to = i + 1;
		}
	}
	while (best_from < best_to && !list[best_from].by_peer)
		best_from++;
	if (best < detection_key(d, "interval-calls") ||
	    best * 100.0 < (to - best_from) * detection_key(d, "interval-share"))
		return;
	tell_interval(d, list, best_from, best_to, enders(list, best_from, best_to), to - best_from);
}

/* told: legs of which a finding tells already, in their order. */
static void endeds_fill(struct endeds *all, const struct facts *facts, const struct leg_list *told)
{
	unsigned at = 0;

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (at < told->count && told->list[at] == leg) {
			at++;
		} else if (has_duration(leg)) {
			ended_add(all, leg, SIDE_CALLER, facts->capture->last_ns);
			ended_add(all, leg, SIDE_CALLEE, facts->capture->last_ns);
		}
	}
}

static void judge_intervals(struct detection *d, const struct enders *peers, const struct leg_list *told)
{
	const struct facts *facts = detection_facts(d);
	struct endeds all = { .peers = peers, .enders_least = detection_key(d, "interval-calls") };
	unsigned to;

	if (peers->most < all.enders_least || facts->site->role == SITE_LAB)
		return;
	all.list = memory_resize(NULL, 2 * calls_legs(facts->calls)->count + 1, sizeof *all.list);
	endeds_fill(&all, facts, told);
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, ended_compare);
	for (unsigned from = 0; from < all.count; from = to) {
		for (to = from + 1; to < all.count && all.list[to].peer == all.list[from].peer;)
			to++;
		judge_peer(d, all.list, from, to);
	}
	free(all.list);
}

/* ---- one call ---- */

/* Who had to refresh the session, who says so, and what became of it. RFC 4028 7, 10. */
static void say_timer(const struct call_end *e, const char *refresher, char *text, size_t room)
{
	size_t at = (size_t)snprintf(text, room, "%.0f s after the session timer of %u s was set (Session-Expires). ",
		e->seconds, e->timer_s);
	bool itself = e->refresher_known && address_equal(&e->culprit.addr, &e->bye->src.addr);

	if (at >= room)
		return;
	if (e->kept) {
		snprintf(text + at, room - at, "But a later %u had begun the timer anew, %.0f s before (RFC 4028 7.2), and %s did not heed it",
			e->kept->status, (double)ns_minus(e->bye->at.at_ns, e->kept->at.at_ns) / 1e9, refresher);
		return;
	}
	if (!e->refresher_known) {
		snprintf(text + at, room - at, "Nothing says who has to refresh it, neither the request nor the answer (refresher=uac or uas), and nobody did");
		return;
	}
	at += (size_t)snprintf(text + at, room - at, "It was for %s, the side that %s, to refresh it (refresher=%s in the %s) after %u s; ",
		refresher, e->refresher_asks ? "asked" : "answered", e->refresher_asks ? "uac" : "uas",
		e->refresher_asked ? "request alone" : "answer", e->timer_s / 2);
	if (at >= room)
		return;
	if (e->refused)
		snprintf(text + at, room - at, "its %s was answered %u", sip_method_name(e->refused->method),
			e->refused->status);
	else
		snprintf(text + at, room - at, "no re-INVITE and no UPDATE of it is in the capture%s",
			itself ? ": it hung up itself" : "");
}

static void fix_timer(struct finding *f, const struct facts *facts, const struct leg *leg, const struct call_end *e)
{
	const struct endpoint *caller = &leg->party[SIDE_CALLER].signalling;
	const struct endpoint *callee = &leg->party[SIDE_CALLEE].signalling;
	bool is_caller = address_equal(&e->culprit.addr, &caller->addr);
	char refresher[SAY_TEXT], other[SAY_TEXT];

	say_host(facts, e->refresher_known ? &e->culprit.addr : &caller->addr, refresher);
	say_host(facts, e->refresher_known && !is_caller ? &caller->addr : &callee->addr, other);
	if (e->kept)
		finding_fix(f, "Update %s: any 2xx to a re-INVITE or UPDATE begins the session timer anew; until then refresh by %s, or switch session timers off.",
			say_host(facts, &e->culprit.addr, refresher), e->kept->method == SIP_UPDATE
			? "re-INVITE instead of UPDATE" : "UPDATE instead of re-INVITE");
	else if (!e->refresher_known)
		finding_fix(f, "Set session timers of %s and of %s so that one of them is named (refresher=), or to \"accept\" on both; let re-INVITE and UPDATE through between them.",
			refresher, other);
	else if (e->refused)
		finding_fix(f, "Let %s take the refresh (%s) of %s, or refresh by re-INVITE instead of UPDATE; or give the refresh to %s (refresher=%s).",
			other, sip_method_name(e->refused->method), refresher, other, e->refresher_asks ? "uas" : "uac");
	else
		finding_fix(f, "Switch session timers on at %s, which is to refresh every %u s, or give the refresh to %s (refresher=%s), or timers off at both; let re-INVITE and UPDATE from %s through.",
			refresher, e->timer_s / 2, other, e->refresher_asks ? "uas" : "uac", refresher);
}

static void say_end(const struct facts *facts, const struct call_end *e, const struct leg *leg, char *text, size_t room)
{
	char culprit[SAY_TEXT] = "the other side", reason[120];

	if (address_known(&e->culprit.addr))
		say_host(facts, &e->culprit.addr, culprit);
	if (strcmp(e->reason, "ack-timeout") == 0)
		snprintf(text, room, "%.1f s after its first 200, which was repeated all the time for want of an ACK",
			e->seconds);
	else if (strcmp(e->reason, "session-refresh-failed") == 0)
		snprintf(text, room, "as the refresh of the session was not accepted: %s %s", culprit,
			e->to && !e->to->request ? "refused it" : "did not answer it");
	else if (strcmp(e->reason, "session-timer-expired") == 0)
		say_timer(e, culprit, text, room);
	else if (strcmp(e->reason, "registration-timeout-release") == 0)
		snprintf(text, room, "at the moment when the registration of %s ended without a new one", culprit);
	else if (strcmp(e->reason, "media-timeout") == 0)
		snprintf(text, room, "after %.1f s in which no audio came to it", e->seconds);
	else if (e->unheard)
		snprintf(text, room, "and says why: %s. Its %s was sent %u time%s, and %s did not answer",
			text_escape(leg->end_reason, reason, sizeof reason), sip_method_name(e->unheard->method),
			e->unheard_copies, e->unheard_copies == 1 ? "" : "s", culprit);
	else
		snprintf(text, room, "and says why: %s", text_escape(leg->end_reason, reason, sizeof reason));
}

static const struct fix { const char *reason, *fix; } fixes[] = {
	{ "ack-timeout", "Mend the missing ACK first" },
	{ "session-refresh-failed",
	  "Let re-INVITE and UPDATE through, switch the SIP ALG off, or give the refresh to the other side" },
	{ "dialog-forgotten", "Look whether the answering side restarted or failed over without its calls, and for an ALG that changes tags" },
	{ "abnormal-release", "Look at the log of the side that hung up, with the reason as it is quoted here" },
	{ "registration-timeout-release",
	  "Let the phone register well before its registration ends, and look why it did not this time" },
	{ "media-timeout", "Mend the missing audio first" },
};

static const char *fix_of(const char *reason)
{
	unsigned i = 0;

	while (i + 1 < sizeof fixes / sizeof fixes[0] && strcmp(fixes[i].reason, reason) != 0)
		i++;
	return fixes[i].fix;
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct leg *leg, const struct call_end *e)
{
	char who[SAY_TEXT], how[SAY_TEXT + 400];

	if (!e->bye || strcmp(e->reason, "dialog-forgotten") == 0) {
		finding_cause(f, "%s answers 481 to %s in a call that nobody has ended: it no longer knows the call.",
			say_host(facts, &e->culprit.addr, who),
			      say_request(e->from->method));
		if (e->seconds > 0)
			text_addf(&f->cause, " Its audio had ended %.0f s before: then it lost the call, and who spoke with it heard nothing more.",
				e->seconds);
		return;
	}
	say_end(facts, e, leg, how, sizeof how);
	finding_cause(f, "%s hung up %.1f s after the answer, %s.", say_host(facts, &e->bye->src.addr, who),
		      leg->answer_ns == NS_NONE ? 0 : (double)ns_minus(e->bye->at.at_ns, leg->answer_ns) / 1e9, how);
}

static void tell(struct detection *d, const struct leg *leg, const struct call_end *e)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, leg->n, e->reason, e->severity, e->confidence);
	const struct message *end = e->bye ? e->bye : e->to;
	bool expired = strcmp(e->reason, "session-timer-expired") == 0;
	bool forgotten = strcmp(e->reason, "dialog-forgotten") == 0;
	char from[SAY_TEXT], to[SAY_TEXT], act[SAY_TEXT + 60], effect[2 * SAY_TEXT + 40];

	finding_leg(f, leg);
	finding_part(f, PART_VICTIM, &leg->party[SIDE_CALLER].signalling);
	finding_part(f, PART_VICTIM, &leg->party[SIDE_CALLEE].signalling);
	if (address_known(&e->culprit.addr))
		finding_part(f, PART_CULPRIT, &e->culprit);
	finding_times(f, e->from ? e->from->at.at_ns : ns_add(end->at.at_ns, -(int64_t)(e->seconds * 1e9)),
		end->at.at_ns);
	say_host(facts, (expired && (e->refresher_known || e->kept)) || forgotten ? &e->culprit.addr : &end->src.addr, act);
	snprintf(act + strlen(act), sizeof act - strlen(act), " %s", forgotten ? "has forgotten the call"
		: e->kept ? "forgets that the session was refreshed" : expired && e->refresher_known ? "does not refresh the session" : "hangs up");
	snprintf(effect, sizeof effect, "the call of %s and %s is cut off", say_party(facts, leg, SIDE_CALLER, from),
		say_party(facts, leg, SIDE_CALLEE, to));
	say_title(f, act, expired && (e->refresher_known || e->kept) ? "the call is cut off" : effect);
	tell_cause(f, facts, leg, e);
	if (expired)
		fix_timer(f, facts, leg, e);
	else if (e->unheard)
		finding_fix(f, "Update %s: it has to answer each %s%s; capture there, to see whether the request arrives.",
			say_host(facts, &e->culprit.addr, from), sip_method_name(e->unheard->method),
			e->unheard->method == SIP_PRACK ? ", or to offer no 100rel" : "");
	else
		finding_fix(f, "%s.", fix_of(e->reason));
	if (leg->answer_at.frame)
		finding_evidence(f, leg->answer_at, "the answer");
	if (expired && e->refresher_known)
		finding_evidence(f, e->from->at, "Session-Expires: %u%s", e->timer_s,
			e->refresher_asked ? "" : e->refresher_asks ? ";refresher=uac" : ";refresher=uas");
	else if (e->from && e->from->at.frame != leg->answer_at.frame)
		finding_evidence(f, e->from->at, "where it begins");
	if (e->kept)
		finding_evidence(f, e->kept->at, "the session is refreshed: %u", e->kept->status);
	if (e->refused)
		finding_evidence(f, e->refused->at, "the refresh is answered %u", e->refused->status);
	if (e->to && e->to != e->from && e->to->request)
		finding_evidence(f, e->to->at, "sent for the last time");
	else if (e->to && e->to != e->from)
		finding_evidence(f, e->to->at, "%u", e->to->status);
	if (e->bye)
		finding_evidence(f, e->bye->at, "BYE");
}

/* False: nothing shows that it was no person who ended it. */
static bool judge_leg(struct detection *d, const struct leg *leg, const struct reboots *reboots,
	const struct cuts *cuts)
{
	const struct facts *facts = detection_facts(d);
	struct call_end e = call_end_of(facts, leg, detection_key(d, "tail-s"));

	if (e.bye && (!e.reason || strcmp(e.reason, "abnormal-release") == 0) && leg->answered && call_end_leads(leg))
		media_timeout(facts, leg, &e);
	if (e.bye && !e.reason && leg->answered && call_end_leads(leg))
		lost_before(leg, &e);
	if (e.reason)
		tell(d, leg, &e);
	return e.reason || call_cut(d, leg, cuts) || call_lost(d, leg, reboots);
}

static void survey(struct detection *d, const struct leg *leg)
{
	struct state *st = detection_state(d);

	if (call_end_quiet(detection_facts(d), leg) && !is_silent_end(leg))
		ender_note(&st->peers, leg);
	else
		leg_list_add(&st->legs, leg);
}

static void forget(void *state)
{
	struct state *st = state;

	leg_list_clear(&st->legs);
	peers_clear(&st->peers);
}

static void judge_all(struct detection *d, struct state *st)
{
	struct leg_list told = { NULL, 0, 0 };
	struct reboots reboots;
	struct cuts cuts;

	reboots_init(&reboots, detection_facts(d));
	cuts_init(&cuts, detection_facts(d));
	for (unsigned i = 0; i < st->legs.count; i++) {
		if (judge_leg(d, st->legs.list[i], &reboots, &cuts))
			leg_list_add(&told, st->legs.list[i]);
		else
			ender_note(&st->peers, st->legs.list[i]);
	}
	judge_intervals(d, &st->peers, &told);
	detection_pass(d, NULL, "calls that a person ended, as far as timers, reasons and durations tell");
	reboots_fini(&reboots);
	cuts_fini(&cuts);
	leg_list_clear(&told);
	forget(st);
}

static void on_event(struct detection *d, const struct event *ev)
{
	if (ev->kind == EVENT_SURVEY_LEG)
		survey(d, ev->leg);
	else
		judge_all(d, detection_state(d));
}

const struct detector detect_call_dropped = {
	.id = "call-dropped", .doc = &doc, .keys = keys, .event = on_event,
	.state_size = sizeof(struct state), .forget = forget,
	.events = EVENT_BIT(EVENT_SURVEY_LEG) | EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = GLOBAL,
	.usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
