/* SPDX-License-Identifier: MIT */
/*
 * sip-flood: more requests than a server should bear, from those who have no account, and what it did to the others.
 * Finding page 5, section 6. Different transactions count, copies of one do not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/source_say.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"request-flood", "invite-flood", "register-flood", "response-flood", "malformed-flood", "service-hit",
	"restart-storm", "distributed", NULL,
};

static const struct detector_doc doc = {
	.says = "more requests than a server should bear",
	.symptom = "Registrations and calls of everybody fail or take long, at times that nobody can explain.",
	.evidence = "Different requests a second of one source without an account; answers to all others in the same time and before.",
	.mimics = "A dialler with an account, copies of unanswered requests, a PBX that asks its phones, phones that all come back after a power cut.",
	.fix = "Drop by source at the firewall, limit the rate on the server; the provider can filter when the line is full.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "storm-accounts", 20, "accounts", 5, 100000,
	  "field: so many that come back at once are a power cut or a network that returned" },
	{ "storm-window-s", 60, "s", 5, 600, "field" },
	{ 0 },
};

enum { HIT_SHARE = 80, HIT_LEAST = 10, BEFORE_SHARE = 95, STRAY_S = 3, MANY_LEAST = 20, MANY_TIMES = 4, MANY_S = 5, MANY_SHOWN = 6 };

#define BEFORE_NS (5 * MINUTE_NS)

struct flood {
	const struct source *x;
	const char *reason;
	unsigned rate;               /* a second, at its worst */
	int64_t from_ns, to_ns;
	bool hit;
	struct source_share during, before;
};

/* Rates are counted by whole seconds: none of them lies outside of the capture. */
static void times(struct finding *f, const struct facts *facts, int64_t from_ns, int64_t to_ns)
{
	const struct capture_facts *c = facts->capture;

	finding_times(f, from_ns > c->first_ns ? from_ns : c->first_ns, to_ns < c->last_ns ? to_ns : c->last_ns);
}

static unsigned percent(unsigned part, unsigned all)
{
	return all ? (unsigned)((uint64_t)part * 100 / all) : 100;
}

/* Did others suffer? Where they are few, or were not served well before, nothing is said. */
static void judge_hit(const struct facts *facts, struct flood *l)
{
	int64_t before_ns = ns_add(l->from_ns, -BEFORE_NS);

	l->during = sources_others(facts->sources, l->x, l->from_ns, l->to_ns);
	l->before = sources_others(facts->sources, l->x, before_ns, l->from_ns - l->from_ns % (10 * SECOND_NS));
	if (l->during.asked < HIT_LEAST || l->before.asked < HIT_LEAST ||
	    percent(l->before.answered, l->before.asked) < BEFORE_SHARE)
		return;
	l->hit = percent(l->during.answered, l->during.asked) < HIT_SHARE ||
		(l->during.busy * 5 >= l->during.asked && l->before.busy * 20 < l->before.asked);
}

static void flood_span(struct flood *l, const struct rate *r)
{
	l->rate = r->peak;
	l->from_ns = r->from_ns;
	l->to_ns = r->to_ns;
}

static bool flood_of(const struct source *x, struct flood *l)
{
	*l = (struct flood){ .x = x };
	if (!x->flooding || x->hides)
		return false;
	if (x->flawed.row_most >= 2) {
		l->reason = "malformed-flood";
		flood_span(l, &x->flawed);
	} else if (x->calls.row_most >= 3) {
		l->reason = "invite-flood";
		flood_span(l, &x->calls);
	} else if (x->any.row_most >= 5) {
		l->reason = x->by_method[SIP_REGISTER] * 2 > x->requests ? "register-flood" : "request-flood";
		flood_span(l, &x->any);
	} else {
		l->reason = "invite-flood";
		l->rate = x->calls.peak;
		l->from_ns = x->invites.from_ns;
		l->to_ns = x->invites.to_ns;
	}
	return true;
}

static const struct source_target *target_most(const struct source *x)
{
	const struct source_target *most = NULL;

	for (unsigned i = 0; i < x->target_count; i++) {
		if (!most || x->targets[i].requests > most->requests)
			most = &x->targets[i];
	}
	return most;
}

static void tell(struct detection *d, const struct flood *l)
{
	const struct facts *facts = detection_facts(d);
	const struct source *x = l->x;
	const struct source_target *t = target_most(x);
	struct finding *f = detection_raise_keyed(d, endpoint_key(&(struct endpoint){ x->addr, 0 }),
		l->hit ? "service-hit" : l->reason,
						  l->hit ? SEVERITY_CRITICAL : SEVERITY_WARNING,
						  l->hit ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	char at[ADDRESS_TEXT], server[SAY_TEXT] = "its targets", lasted[32];

	address_text(&x->addr, at);
	if (t)
		say_host(facts, &t->at.addr, server);
	if (l->hit) {
		finding_title(f, "%s floods %s: others are not answered", at, server);
		finding_other_reason(f, l->reason);
	} else {
		finding_title(f, "%s floods %s with %s", at, server, source_method(x));
	}
	finding_cause(f, "%s requests, mostly %s, came from source address %s to %s, up to %s a second for %s; ",
		SAY_COUNT(x->requests), source_method(x), at, server,
		      SAY_COUNT(l->rate), source_span(l->from_ns, l->to_ns, lasted, sizeof lasted));
	if (l->hit)
		text_addf(&f->cause, "answers to others fell from %u to %u %%.",
			percent(l->before.answered, l->before.asked),
			  percent(l->during.answered, l->during.asked));
	else if (l->during.asked >= HIT_LEAST)
		text_addf(&f->cause, "others were served all the time (%u %% answered).",
			percent(l->during.answered, l->during.asked));
	else
		text_add(&f->cause, "too few requests of others to tell whether they suffered.");
	finding_fix(f, "Allow SIP only from known networks at the firewall, limit the rate by source on the server; where the line itself is full, the "
		    "provider must filter. Block %s.", at);
	source_parts(f, facts, x);
	times(f, facts, l->from_ns, l->to_ns);
	f->count = x->requests;
	finding_cannot_see(f, "whether the source address is forged");
}

/* ---- many sources, each below the limit ---- */

struct edge {                        /* a source begins to ask, or has ended */
	int64_t at_ns;
	double rate;                 /* a second, as if it asked evenly; below 0: it has ended */
	unsigned order;
};

static int edge_compare(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static bool unknown(const struct facts *facts, const struct source *x)
{
	return source_suspect(x) && !x->hides && !x->used && !source_inside(facts, x);
}

static unsigned edges_of(const struct facts *facts, struct edge *list)
{
	unsigned n = 0;

	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);
		double seconds = (double)(ns_minus(x->last_ns, x->first_ns) + SECOND_NS) / 1e9;

		if (!unknown(facts, x) || x->requests == 0)
			continue;
		list[n] = (struct edge){ x->first_ns, x->requests / seconds, n };
		list[n + 1] = (struct edge){ ns_add(x->last_ns, SECOND_NS), -list[n].rate, n + 1 };
		n += 2;
	}
	if (n)
		qsort(list, n, sizeof *list, edge_compare);
	return n;
}

/* The longest spell in which enough of them ask together, and as much as that is. */
static double spell_of(const struct edge *list, unsigned count, double limit, int64_t *ret_from_ns, int64_t *ret_to_ns)
{
	double sum = 0, most = 0, peak = 0;
	unsigned active = 0;
	int64_t from_ns = NS_NONE;

	*ret_from_ns = *ret_to_ns = 0;
	for (unsigned i = 0; i < count; i++) {
		bool high;

		sum += list[i].rate;
		active += list[i].rate > 0 ? 1 : -1;
		high = sum >= limit && active >= MANY_LEAST;
		if (high && from_ns == NS_NONE) {
			from_ns = list[i].at_ns;
			peak = 0;
		}
		peak = sum > peak ? sum : peak;
		if (!high && from_ns != NS_NONE) {
			if (ns_minus(list[i].at_ns, from_ns) > ns_minus(*ret_to_ns, *ret_from_ns)) {
				*ret_from_ns = from_ns;
				*ret_to_ns = list[i].at_ns;
				most = peak;
			}
			from_ns = NS_NONE;
		}
	}
	return ns_minus(*ret_to_ns, *ret_from_ns) >= MANY_S * SECOND_NS ? most : 0;
}

/* One finding for all of them: none asks more often than a single host may. */
static bool judge_many(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	struct edge *list = memory_resize(NULL, sources_in_order(facts->sources)->count * 2 + 1, sizeof *list);
	int64_t from_ns, to_ns;
	double rate = spell_of(list, edges_of(facts, list), MANY_TIMES * detection_config(d, "security", "flood-rps"),
		&from_ns, &to_ns);
	unsigned sources = 0, requests = 0;
	const struct source_target *t = NULL;
	char server[SAY_TEXT] = "its targets", lasted[32];
	struct finding *f;

	free(list);
	if (rate <= 0)
		return false;
	f = detection_raise_keyed(d, 1, "distributed", SEVERITY_WARNING, CONFIDENCE_LIKELY);
	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		if (!unknown(facts, x) || x->requests == 0 || x->first_ns > to_ns || x->last_ns < from_ns)
			continue;
		sources++;
		requests += x->requests;
		t = t ? t : target_most(x);
		if (sources <= MANY_SHOWN) {
			finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
			finding_evidence(f, x->first_at, "the first request of this source");
		}
	}
	if (t) {
		say_host(facts, &t->at.addr, server);
		finding_part(f, PART_WITNESS, &t->at);
	}
	finding_title(f, "%s sources flood %s together", SAY_COUNT(sources), server);
	finding_cause(f, "%s requests came from %s source addresses that nothing good is known of, about %.0f a second for %s; each alone stays below the limit for one source.",
		SAY_COUNT(requests), SAY_COUNT(sources), rate, source_span(from_ns, to_ns, lasted, sizeof lasted));
	finding_fix(f, "Allow SIP only from known networks at the firewall; a limit by source does not help here. Where the line itself is full, the provider must filter.");
	times(f, facts, from_ns, to_ns);
	f->count = sources;
	finding_cannot_see(f, "whether the source addresses are forged");
	return true;
}

/* ---- answers that nobody asked for ---- */

static void tell_strays(struct detection *d, const struct source *x)
{
	struct finding *f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ x->addr, 0 }), 1),
		"response-flood", SEVERITY_WARNING,
						  CONFIDENCE_LIKELY);
	char at[ADDRESS_TEXT], to[SAY_TEXT];

	address_text(&x->addr, at);
	say_host(detection_facts(d), &x->stray_to.addr, to);
	finding_title(f, "%s floods %s with answers that nobody asked for", at, to);
	finding_cause(f, "Up to %s SIP answers a second came from source address %s to %s, which asked it nothing: somebody asks in its name.", SAY_COUNT(x->strays.peak), at, to);
	finding_fix(f, "Let the firewall drop SIP answers without a request before them; tell the owner of %s.", at);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_part(f, PART_WITNESS, &x->stray_to);
	finding_evidence(f, x->stray_at, "the first of these answers");
	times(f, detection_facts(d), x->strays.from_ns, x->strays.to_ns);
	f->count = 1;
}

static bool has_strays(const struct facts *facts, const struct source *x)
{
	return x->strays.row_most >= STRAY_S && site_own(facts->site, &x->stray_to.addr) &&
	       !site_own(facts->site, &x->addr) &&
		sources_find(facts->sources, &x->stray_to.addr);
}

/* ---- everybody comes back at once ---- */

/* In the order of first sight: the fullest window of registrations whose device was not heard before it. */
static void judge_storm(struct detection *d)
{
	const struct list *all = calls_registrations(detection_facts(d)->calls);
	int64_t window_ns = (int64_t)(detection_key(d, "storm-window-s") * 1e9);
	struct list_link *tail = all->head.next;
	const struct registration *first = NULL;
	unsigned in = 0, most = 0;
	struct finding *f;

	LIST_EACH(it, all) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		in++;
		while (r->first_ns - LIST_ENTRY(tail, struct registration, in_order)->first_ns > window_ns) {
			tail = tail->next;
			in--;
		}
		if (in > most) {
			most = in;
			first = LIST_ENTRY(tail, struct registration, in_order);
		}
	}
	if (!first || most < detection_key(d, "storm-accounts") || most * 10 < all->count * 3 ||
	    sources_attacker(detection_facts(d)->sources, &first->source.addr))
		return;
	f = detection_raise_keyed(d, 0, "restart-storm", SEVERITY_INFO, CONFIDENCE_LIKELY);
	finding_title(f, "%s accounts register within %.0f s", SAY_COUNT(most), (double)window_ns / 1e9);
	finding_cause(f, "%s of %s accounts register at about the same time, a few requests each: power or network has returned, or the capture begins at a "
		      "busy moment. No attack.", SAY_COUNT(most), SAY_COUNT(all->count));
	finding_fix(f, "Nothing, where the server bears it; else spread the phones' registration intervals.");
	finding_part(f, PART_WITNESS, &first->registrar);
	finding_evidence(f, first->request_at, "one of these registrations");
	times(f, detection_facts(d), first->first_ns, ns_add(first->first_ns, window_ns));
	f->count = most;
}

/* Whether the source has an account, or a trunk, the server's answers say: none of them is here. */
static bool answers_unseen(struct detection *d, const struct flood *l)
{
	const struct source_target *t = target_most(l->x);
	const struct host *h = t ? network_host_find(detection_facts(d)->network, &t->at.addr) : NULL;

	if ((strcmp(l->reason, "invite-flood") != 0 && strcmp(l->reason, "register-flood") != 0) || (h && h->packets_out))
		return false;
	detection_withhold(d, NULL, "G1", "nothing that the asked host sends is in the capture: whether it serves the source cannot be told");
	return true;
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	unsigned told = 0;

	(void)ev;
	if (facts->capture->no_clock) {
		detection_withhold(d, NULL, "G10", "all frames have one time: how many a second is not known");
		return;
	}
	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);
		struct flood l;

		if (flood_of(x, &l) && !answers_unseen(d, &l)) {
			judge_hit(facts, &l);
			tell(d, &l);
			told++;
		}
		if (has_strays(facts, x)) {
			tell_strays(d, x);
			told++;
		}
	}
	told += judge_many(d);
	judge_storm(d);
	if (!told)
		detection_pass(d, NULL, "no source without an account asks more often than the limits of [security]");
}

const struct detector detect_sip_flood = {
	.id = "sip-flood", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_INFO,
};
