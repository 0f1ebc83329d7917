/* SPDX-License-Identifier: MIT */
/*
 * retransmission-storm: much of the signalling has to be said twice, and on which side of this point it gets lost. RFC
 * 3261 17.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/calls/account.h"
#include "analyzer/calls/repeats.h"
#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"high-ratio", "responses-lost", "requests-lost", "requests-late", "router-flood", "ignores-response",
	"beyond-timer", "tcp-repeats", "loop", NULL,
};

static const struct detector_doc doc = {
	.says = "signalling repeats itself",
	.symptom = "Everything about the phones is slow or random.",
	.evidence = "SIP transactions that were repeated, by host and by pair of hosts, with the answers that were or were not here in time.",
	.mimics = "Copies made by the capture, one dead peer, keep-alives to a phone that is off, a path that is merely long.",
	.fix = "Loss: cable, Wi-Fi, policer on the line. A slow server: load, DNS. Many phones on one port behind a router: a local port of its own for each.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "rtx-window-s", 60, "s", 10, 3600, "field" },
	{ "rtx-min", 20, "transactions", 5, 100000, "field: fewer are chance" },
	{ "rtx-ratio", 0.2, "share", 0.01, 1, "field: 1 % of loss repeats 2 % of them" },
	{ "rtx-error", 0.5, "share", 0.01, 1, "field" },
	{ "rtx-one-kind", 0.6, "share", 0.5, 1, "field" },
	{ "flood-phones", 3, "phones", 2, 1000, "field" },
	{ "flood-ratio", 0.1, "share", 0.01, 1, "field" },
	{ 0 },
};

enum { TOLD_MAX = 16, FLOOD_WINDOWS = 5 };

struct candidate {
	const struct repeats_stat *stat;
	const struct repeats_stat *pair;     /* when one peer is nearly all of it */
	const char *reason;
	enum severity severity;
	double ratio;
};

/* ---- many ---- */

static unsigned lost(const struct repeats_tally *t)
{
	return t->responses_lost + t->requests_lost;
}

static unsigned repeated(const struct repeats_tally *t)
{
	return t->late + lost(t);
}

static const char *kind_of(const struct detection *d, const struct repeats_tally *t)
{
	double most = detection_key(d, "rtx-one-kind") * repeated(t);

	if (t->responses_lost >= most)
		return "responses-lost";
	return t->requests_lost >= most ? "requests-lost" : "high-ratio";
}

static bool judge_stat(struct detection *d, const struct repeats_stat *s, struct candidate *ret)
{
	const struct facts *facts = detection_facts(d);
	const struct repeats_window *w = s->worst;
	const struct repeats_tally *t = &w->tally;

	if (t->total == 0 || t->total < detection_key(d, "rtx-min"))
		return false;
	*ret = (struct candidate){ .stat = s, .ratio = (double)lost(t) / t->total };
	if (ret->ratio >= detection_key(d, "rtx-ratio")) {
		ret->reason = kind_of(d, t);
		ret->severity = ret->ratio >= detection_key(d, "rtx-error") ? SEVERITY_ERROR : SEVERITY_WARNING;
	} else if (repeated(t) >= detection_key(d, "rtx-ratio") * t->total &&
	    t->late >= detection_key(d, "rtx-one-kind") * repeated(t)) {
		ret->reason = "requests-late";
		ret->ratio = (double)repeated(t) / t->total;
		ret->severity = 2 * t->late_slow >= t->late ? SEVERITY_WARNING : SEVERITY_INFO;
	}
	if (!ret->reason)
		return false;
	if (gates_drops_counted(facts->gates) || gates_capture_lost(facts->gates, w->from_ns, w->to_ns)) {
		detection_withhold(d, NULL, "G7", "the capture itself lost packets: repetitions may be its doing");
		return false;
	}
	return true;
}

static int candidate_compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	const struct repeats_tally *s = &x->stat->worst->tally, *t = &y->stat->worst->tally;
	int c;

	if (repeated(s) != repeated(t))
		return repeated(s) > repeated(t) ? -1 : 1;
	c = address_compare(&x->stat->a, &y->stat->a);
	return c ? c : address_compare(&x->stat->b, &y->stat->b);
}

/* What a host suffers with a peer that was told of already is the same trouble. */
static bool told_already(const struct repeats *r, const struct candidate *c, const struct candidate *told,
	unsigned told_count)
{
	unsigned mine = repeated(&c->stat->worst->tally);

	for (unsigned i = 0; i < told_count; i++) {
		const struct repeats_stat *s = told[i].stat, *pair;

		if (address_known(&s->b))
			continue;
		pair = repeats_pair(r, &c->stat->a, &s->a);
		if (pair && 2 * repeated(&pair->worst->tally) >= mine)
			return true;
	}
	return false;
}

/* The pair that holds nearly all of a host's repeated transactions. */
static void look_for_pair(const struct repeats *r, struct candidate *c)
{
	unsigned mine = repeated(&c->stat->worst->tally);

	LIST_EACH(it, repeats_stats(r)) {
		const struct repeats_stat *s = LIST_ENTRY(it, struct repeats_stat, in_order);

		if (address_known(&s->b) && (address_equal(&s->a, &c->stat->a) || address_equal(&s->b, &c->stat->a)) &&
		    10 * repeated(&s->worst->tally) >= 8 * mine)
			c->pair = s;
	}
}

struct point {
	unsigned ports;
	double ratio;
};

static unsigned points_of(const struct repeats_stat *s, struct point points[REPEATS_SERIES_MAX + 1])
{
	unsigned n = s->series_count;

	for (unsigned i = 0; i < n; i++)
		points[i] = (struct point){ s->series[i].ports, (double)s->series[i].repeated / s->series[i].total };
	if (s->now.tally.total) {
		points[n] = (struct point){ s->port_count, (double)repeated(&s->now.tally) / s->now.tally.total };
		n++;
	}
	return n;
}

/* Spearman's, without ties' correction: do repetitions rise with the number of phones that talk? */
static bool rises(const struct repeats_stat *s)
{
	struct point points[REPEATS_SERIES_MAX + 1];
	unsigned n = points_of(s, points);
	double sum = 0;

	if (n < FLOOD_WINDOWS)
		return false;
	for (unsigned i = 0; i < n; i++) {
		double ports = 0, ratios = 0;

		for (unsigned k = 0; k < n; k++) {
			ports += points[k].ports < points[i].ports ? 1 : points[k].ports == points[i].ports ? 0.5 : 0;
			ratios += points[k].ratio < points[i].ratio ? 1 : points[k].ratio == points[i].ratio ? 0.5 : 0;
		}
		sum += (ports - ratios) * (ports - ratios);
	}
	return 1 - 6 * sum / ((double)n * ((double)n * n - 1)) >= 0.6;
}

/* Phones with one local port behind one public address, and the more of them talk the worse it is. */
static const struct sip_site *flooded_site(struct detection *d, const struct repeats *r,
	const struct repeats_stat **ret)
{
	LIST_EACH(it, accounts_sites(detection_facts(d)->accounts)) {
		const struct sip_site *site = LIST_ENTRY(it, struct sip_site, in_order);
		const struct repeats_stat *s = repeats_pair(r, &site->outer, &site->server);
		unsigned row = 1, most = 1;

		for (unsigned i = 1; i < site->device_count; i++) {
			row = site->device[i]->inner.port &&
				site->device[i]->inner.port == site->device[i - 1]->inner.port ? row + 1 : 1;
			most = row > most ? row : most;
		}
		if (!s || most < detection_key(d, "flood-phones") || s->worst->tally.total == 0)
			continue;
		if ((double)repeated(&s->worst->tally) / s->worst->tally.total < detection_key(d, "flood-ratio") ||
		    !rises(s))
			continue;
		*ret = s;
		return site;
	}
	return NULL;
}

/* ---- what is said ---- */

static const char *fix_of(const char *reason)
{
	if (strcmp(reason, "requests-late") == 0)
		return "Look at the load of the server that answers late, at its DNS, and at the delay of the path";
	if (strcmp(reason, "router-flood") == 0)
		return "Give each phone a local SIP port of its own (5062, 5064, 5066 ...), so that the router does not have to remap them";
	return "Look for loss: cable, duplex, Wi-Fi, a policer on the line; capture at the other end to see on which side";
}

static void say_loss(const struct repeats_tally *t, const char *reason, char *text, size_t room)
{
	if (strcmp(reason, "responses-lost") == 0)
		snprintf(text, room,
			"answers pass here in time (%u times) and do not arrive: responses get lost behind this point",
			t->responses_lost);
	else if (strcmp(reason, "requests-lost") == 0)
		snprintf(text, room, "requests pass here and are not all answered (%u times): they, or their answers, get lost between this point and who was asked", t->requests_lost);
	else if (strcmp(reason, "requests-late") == 0)
		snprintf(text, room, "nothing is lost, the answers come late (%u times)", t->late);
	else
		snprintf(text, room, "%u answers were lost behind this point, %u requests or answers before it",
			t->responses_lost, t->requests_lost);
}

static void add_frames(struct finding *f, const struct repeats_window *w)
{
	for (unsigned i = 0; i < w->frame_count; i++)
		finding_evidence(f, w->frames[i], "sent again");
}

static void tell_many(struct detection *d, const struct candidate *c)
{
	const struct facts *facts = detection_facts(d);
	const struct repeats_window *w = c->stat->worst;
	struct finding *f = detection_raise_keyed(d, hash_bytes(&c->stat->a, sizeof c->stat->a), c->reason, c->severity,
		CONFIDENCE_LIKELY);
	const struct address *peer = !c->pair ? NULL : address_equal(&c->pair->a,
		&c->stat->a) ? &c->pair->b : &c->pair->a;
	struct endpoint a = { c->stat->a, 0 }, b = { 0 };
	char host[SAY_TEXT], other[SAY_TEXT] = "its peers", effect[100], loss[200];

	finding_part(f, PART_VICTIM, &a);
	say_host(facts, &c->stat->a, host);
	if (peer) {
		b.addr = *peer;
		finding_part(f, PART_VICTIM, &b);
		say_host(facts, peer, other);
	}
	finding_times(f, w->from_ns, w->to_ns);
	f->count = repeated(&w->tally);
	snprintf(effect, sizeof effect, "%.0f %% of the SIP transactions are repeated", 100 * c->ratio);
	say_title(f, host, effect);
	say_loss(&w->tally, c->reason, loss, sizeof loss);
	finding_cause(f, "%.0f %% of %u transactions between %s and %s within %.0f s had to be repeated; %s.",
		100 * c->ratio, w->tally.total, host, other,
		      (double)(w->to_ns - w->from_ns) / 1e9, loss);
	finding_fix(f, "%s.", fix_of(c->reason));
	add_frames(f, w);
}

static void tell_flood(struct detection *d, const struct sip_site *site, const struct repeats_stat *s)
{
	const struct facts *facts = detection_facts(d);
	const struct repeats_window *w = s->worst;
	double ratio = (double)repeated(&w->tally) / w->tally.total;
	struct finding *f = detection_raise_keyed(d, hash_bytes(&site->outer, sizeof site->outer), "router-flood",
		SEVERITY_WARNING, CONFIDENCE_LIKELY);
	struct endpoint outer = { site->outer, 0 }, server = { site->server, 0 };
	char router[SAY_TEXT], effect[100];

	finding_part(f, PART_CULPRIT, &outer);
	finding_part(f, PART_VICTIM, &server);
	finding_times(f, w->from_ns, w->to_ns);
	f->count = repeated(&w->tally);
	say_host(facts, &site->outer, router);
	snprintf(effect, sizeof effect, "%.0f %% of the SIP transactions are repeated", 100 * ratio);
	say_title(f, router, effect);
	finding_cause(f, "%.0f %% of %u transactions of the %u phones behind %s had to be repeated, the more the more of them talk; they share one local port.", 100 * ratio,
		      w->tally.total, site->device_count, router);
	finding_fix(f, "%s.", fix_of("router-flood"));
	add_frames(f, w);
}

/* The calls that go round. */
static void add_legs(struct finding *f, const struct facts *facts, const struct repeats_odd *o)
{
	char id[sizeof o->call_id];

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (o->method == SIP_INVITE && leg->first_ns <= o->last.at_ns && leg->last_ns >= o->first.at_ns &&
		    strcmp(text_escape(leg->call_id, id, sizeof id), o->call_id) == 0)
			finding_leg(f, leg);
	}
}

/* Of the same request as one before: another stretch of its circle. */
static bool same_circle(const struct repeats_odd *odds, unsigned n)
{
	for (unsigned i = 0; odds[n].kind == ODD_LOOP && i < n; i++) {
		if (odds[i].kind == ODD_LOOP && strcmp(odds[i].call_id, odds[n].call_id) == 0)
			return true;
	}
	return false;
}

static void tell_odd(struct detection *d, const struct repeats_odd *o, unsigned n)
{
	static const struct { const char *reason; enum severity severity; enum confidence confidence; } kinds[] = {
		[ODD_IGNORES] = { "ignores-response", SEVERITY_ERROR, CONFIDENCE_LIKELY },
		[ODD_BEYOND_TIMER] = { "beyond-timer", SEVERITY_INFO, CONFIDENCE_CERTAIN },
		[ODD_STREAM] = { "tcp-repeats", SEVERITY_INFO, CONFIDENCE_CERTAIN },
		[ODD_LOOP] = { "loop", SEVERITY_ERROR, CONFIDENCE_CERTAIN },
	};
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, n, kinds[o->kind].reason, kinds[o->kind].severity,
		kinds[o->kind].confidence);
	const char *method = sip_method_name(o->method);
	char a[SAY_TEXT], b[SAY_TEXT], act[2 * SAY_TEXT + 40];
	bool own;

	finding_part(f, PART_VICTIM, &o->src);
	finding_part(f, PART_CULPRIT, &o->dst);
	finding_times(f, o->first.at_ns, o->last.at_ns);
	f->count = o->copies;
	say_host(facts, &o->src.addr, a);
	say_host(facts, &o->dst.addr, b);
	finding_evidence(f, o->first, "%s, Call-ID %s", method, o->call_id);
	switch (o->kind) {
	case ODD_IGNORES:
		snprintf(act, sizeof act, "%s does not accept the answers of %s", a, b);
		say_title(f, act, "its requests fail");
		finding_cause(f, "%s sent its %s %u times more after an answer had been delivered: %s is not as asked.",
			a, method, o->copies, o->field);
		finding_fix(f,
			"Let %s answer with the Via as it came and from the port that was asked; switch SIP ALG off.",
			b);
		finding_evidence(f, o->answer, "the answer that is not accepted");
		break;
	case ODD_BEYOND_TIMER:
		snprintf(act, sizeof act, "%s repeats a request too often", a);
		say_title(f, act, "one request, many copies");
		finding_cause(f, "%s sent one %s %u times to %s, more than the timers of SIP allow.", a, method,
			o->copies, b);
		finding_fix(f, "Nothing while its peer is silent: some servers hold INVITE to T2 (4 s), as they do other requests. Else check the sender's timers (T1, T2).");
		break;
	case ODD_STREAM:
		snprintf(act, sizeof act, "%s repeats SIP over TCP", a);
		say_title(f, act, "requests come twice");
		finding_cause(f, "%s sent one %s %u times over a connection that loses nothing.", a, method, o->copies);
		finding_fix(f, "Update the sender: over TCP and TLS SIP requests are sent once.");
		break;
	case ODD_LOOP:
		snprintf(act, sizeof act, "%s sends requests in a circle", b);
		say_title(f, act, "calls do not get through");
		own = address_equal(&o->src.addr, &o->dst.addr);
		finding_cause(f, "One %s passed from %s to %s %u times, each time with fewer hops left.", method, a,
			own ? "itself" : b, o->copies);
		if (own)
			finding_fix(f, "Look at the routes of %s: it sends this number to itself. Let it know the names and addresses under which it is asked for its own (alias, domain).", b);
		else
			finding_fix(f, "Look at the routes of both servers: each sends this number on, and back to the other in the end; a server that is asked under a name it does not know for its own (alias, domain) does so, too.");
		add_legs(f, facts, o);
		break;
	}
	finding_evidence(f, o->last, "the last of them");
}

static unsigned judge_many(struct detection *d, const struct repeats *r)
{
	const struct list *all = repeats_stats(r);
	struct candidate *list = memory_resize(NULL, all->count + 1, sizeof *list), told[TOLD_MAX];
	unsigned count = 0, told_count = 0;

	LIST_EACH(it, all) {
		const struct repeats_stat *s = LIST_ENTRY(it, struct repeats_stat, in_order);

		if (!address_known(&s->b) && judge_stat(d, s, &list[count]))
			count++;
	}
	if (count)
		qsort(list, count, sizeof *list, candidate_compare);
	for (unsigned i = 0; i < count && told_count < TOLD_MAX; i++) {
		if (told_already(r, &list[i], told, told_count))
			continue;
		look_for_pair(r, &list[i]);
		tell_many(d, &list[i]);
		told[told_count++] = list[i];
	}
	free(list);
	return told_count;
}

static void judge(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	const struct repeats *r = facts->repeats;
	const struct repeats_odd *odds;
	const struct repeats_stat *stat = NULL;
	const struct sip_site *site;
	unsigned odd_count, told = 0;

	site = flooded_site(d, r, &stat);
	if (site)
		tell_flood(d, site, stat);
	else
		told = judge_many(d, r);
	odds = repeats_odds(r, &odd_count);
	for (unsigned i = 0; i < odd_count; i++) {
		if (!same_circle(odds, i))
			tell_odd(d, &odds[i], i + 1);
	}
	if (!site && told + odd_count == 0)
		detection_pass(d, NULL, "no host had so many transactions to repeat");
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	judge(d);
}

const struct detector detect_retransmission_storm = {
	.id = "retransmission-storm", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
