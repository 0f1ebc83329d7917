/* SPDX-License-Identifier: MIT */
/* call_failed_say: how call-failed is told. */
#include "analyzer/detect/call_failed.h"

#include <stdio.h>

#include "analyzer/calls/headers.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/sip_path.h"

enum { BEGUN_MANY = 5 };              /* within a second, at one host */

static bool one_of(const char *reason, const char *const *list)
{
	for (; *list; list++) {
		if (strcmp(reason, *list) == 0)
			return true;
	}
	return false;
}

/* Is the one who refuses also the one to mend it? */
static enum part part_of_maker(const char *reason)
{
	static const char *const at_maker[] = { "congestion", "server-busy", "server-error", "out-of-order",
		"forbidden", "quota", "unavailable", "method-refused",
						"blocked", "identity-policy", NULL };

	return one_of(reason, at_maker) ? PART_CULPRIT : PART_WITNESS;
}

/* Calls of a host at one time: a limit of channels counts those too that are only being set up. */
struct host_load {
	unsigned up, in_setup, begun;        /* begun: of these, within the second before */
};

static struct host_load load_of(const struct facts *facts, const struct failed_call *x)
{
	const struct address *host = &x->made->src.addr;
	int64_t at_ns = x->made->at.at_ns;
	struct host_load load = { .up = 0 };

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		bool answered = leg->answered && leg->answer_ns != NS_NONE && leg->answer_ns <= at_ns;

		if (leg == x->judged || (leg->end_ns != NS_NONE && leg->end_ns < at_ns) ||
		    (!address_equal(&leg->party[SIDE_CALLER].signalling.addr, host) &&
		     !address_equal(&leg->party[SIDE_CALLEE].signalling.addr, host)))
			continue;
		load.up += answered;
		if (answered || leg->invite_ns == NS_NONE || leg->invite_ns > at_ns)
			continue;
		load.in_setup++;
		load.begun += at_ns - leg->invite_ns <= SECOND_NS;
	}
	return load;
}

static void say_load(const struct facts *facts, const struct failed_call *x, char *text, size_t room)
{
	struct host_load load = load_of(facts, x);

	if (load.up)
		snprintf(text, room, "; %u other %s of it %s up then", load.up, load.up == 1 ? "call" : "calls",
			load.up == 1 ? "was" : "were");
	else
		snprintf(text, room, "; no other call of it was up then");
	if (load.in_setup)
		snprintf(text + strlen(text), room - strlen(text), ", %u more being set up", load.in_setup);
	if (load.begun >= BEGUN_MANY)
		snprintf(text + strlen(text), room - strlen(text), ", %u of these begun within the second before: it may be a limit of new calls a second", load.begun);
}

static void say_answer(const struct message *m, char *text, size_t room)
{
	char phrase[60], reason[120];

	text_escape(phrase_span(m->reason), phrase, sizeof phrase);
	snprintf(text, room, "%u%s%s", m->status, phrase[0] ? " " : "", phrase);
	if (m->headers && m->headers->more->reason.n)
		snprintf(text + strlen(text), room - strlen(text), " (Reason: %s)",
			text_escape(m->headers->more->reason, reason, sizeof reason));
	if (m->headers && m->headers->more->warning.n)
		snprintf(text + strlen(text), room - strlen(text), " (Warning: %s)",
			text_escape(m->headers->more->warning, reason, sizeof reason));
	if (m->headers && m->headers->more->wants.n)
		snprintf(text + strlen(text), room - strlen(text), " (asks for %s)",
			text_escape(m->headers->more->wants, reason, sizeof reason));
	if (m->headers && m->headers->more->retry_after_s)
		snprintf(text + strlen(text), room - strlen(text), " (Retry-After: %u s)", m->headers->more->retry_after_s);
}

/* How the refusal came to the caller. */
static void say_chain(const struct facts *facts, const struct failed_call *f, char *text, size_t room)
{
	char maker[SAY_TEXT], last[SAY_TEXT];

	*text = '\0';
	say_host(facts, &f->made->src.addr, maker);
	if (f->judged != f->leg)
		snprintf(text, room, " The refusal was made by %s; %s handed it on as %u.", maker,
			say_host(facts, &f->to_caller->src.addr, last), f->to_caller->status);
	else if (!address_equal(&f->to_caller->src.addr, &f->made->src.addr))
		snprintf(text, room, " The refusal was made by %s; %s handed it on.", maker,
			say_host(facts, &f->to_caller->src.addr, last));
	else if (!f->deaf && say_serves(facts, &f->made->src.addr) &&
	    part_of_maker(f->refusal.reason) == PART_CULPRIT)
		snprintf(text, room, " The refusal was made by %s or beyond it.", maker);
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct failed_call *x, unsigned count,
	bool load)
{
	char from[SAY_TEXT], to[SAY_TEXT], maker[SAY_TEXT], answer[460], chain[2 * SAY_TEXT + 60], up[200] = "";
	const char *unclear = x->refusal.contradicts ? " Status and cause say different things, the cause counts." : "";

	say_host(facts, &x->made->src.addr, maker);
	say_answer(x->made, answer, sizeof answer);
	say_chain(facts, x, chain, sizeof chain);
	if (load)
		say_load(facts, x, up, sizeof up);
	if (count > 1)
		finding_cause(f, "%s answered %s calls with %s: %s%s.%s%s", maker, SAY_COUNT(count), answer, x->refusal.because,
			up, chain, unclear);
	else
		finding_cause(f, "%s called %s, and %s answered %s after %.1f s: %s%s.%s%s",
			say_party(facts, x->leg, SIDE_CALLER, from),
			      say_party(facts, x->leg, SIDE_CALLEE, to), maker, answer,
			      (double)ns_minus(x->to_caller->at.at_ns, x->leg->invite_ns) / 1e9,
			      x->refusal.because, up, chain, unclear);
}

static void tell_title(struct finding *f, const struct facts *facts, const struct failed_call *x, unsigned count)
{
	char act[SAY_TEXT + 40], effect[2 * SAY_TEXT + 40], maker[SAY_TEXT], from[SAY_TEXT], to[SAY_TEXT];

	snprintf(act, sizeof act, "%s answers %u", say_host(facts, &x->made->src.addr, maker), x->made->status);
	if (count > 1)
		snprintf(effect, sizeof effect, "%s calls fail", SAY_COUNT(count));
	else
		snprintf(effect, sizeof effect, "%s cannot call %s", say_party(facts, x->leg, SIDE_CALLER, from),
			say_party(facts, x->leg, SIDE_CALLEE, to));
	say_title(f, act, effect);
}

static void add_silent_behind(struct finding *f, const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent == leg)
			finding_leg(f, other);
	}
}

static void add_call(struct finding *f, const struct failed_call *x)
{
	finding_leg(f, x->leg);
	if (x->origin != x->leg)
		finding_leg(f, x->origin);
	else if (failed_call_in_vain(x->leg))
		add_silent_behind(f, x->leg);
	finding_part(f, PART_VICTIM, &x->leg->party[SIDE_CALLER].signalling);
	if (f->first_ns == NS_NONE || x->leg->invite_ns < f->first_ns)
		f->first_ns = x->leg->invite_ns;
	if (f->last_ns == NS_NONE || x->to_caller->at.at_ns > f->last_ns)
		f->last_ns = x->to_caller->at.at_ns;
}

static void add_evidence(struct finding *f, const struct failed_call *x)
{
	char user[60];

	finding_evidence(f, x->leg->invite_at, "INVITE for %s",
		text_escape(x->leg->party[SIDE_CALLEE].user, user, sizeof user));
	if (x->deaf)
		finding_evidence(f, x->deaf->unheard->frames[0], "OPTIONS to the called phone without answer, the first of %u",
			x->deaf->unheard->copies);
	if (x->made != x->to_caller)
		finding_evidence(f, x->made->at, "%u, where it was made", x->made->status);
	finding_evidence(f, x->to_caller->at, "%u to the caller", x->to_caller->status);
}

void failed_calls_say(struct finding *f, const struct facts *facts, const struct failed_call *list, unsigned count,
	bool load)
{
	const struct failed_call *x = &list[0];
	char maker[SAY_TEXT];

	for (unsigned i = 0; i < count; i++) {
		add_call(f, &list[i]);
		if (i < 4)
			add_evidence(f, &list[i]);
	}
	if (x->unacknowledged) {
		finding_part(f, PART_CULPRIT, &x->unacknowledged->dst);
		finding_part(f, PART_WITNESS, &x->made->src);
		finding_evidence(f, x->unacknowledged->at, "%u that asks for a PRACK", x->unacknowledged->status);
	} else {
		finding_part(f, x->deaf ? PART_WITNESS : part_of_maker(x->refusal.reason), &x->made->src);
	}
	if (x->deaf)
		finding_part(f, PART_VICTIM, &x->deaf->server);
	f->count = count;
	tell_title(f, facts, x, count);
	tell_cause(f, facts, x, count, load && (strcmp(x->refusal.reason, "congestion") == 0 ||
		strcmp(x->refusal.reason, "server-busy") == 0));
	finding_fix(f, "%s.", x->refusal.fix);
	if (x->deaf)
		finding_cannot_see(f, "whether the phone got these requests, or something before it keeps them");
	else if (x->origin == x->leg && say_serves(facts, &x->made->src.addr))
		finding_cannot_see(f, "what lies beyond %s, which may hand on another's refusal",
			say_host(facts, &x->made->src.addr, maker));
}
