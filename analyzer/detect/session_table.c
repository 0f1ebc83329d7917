/* SPDX-License-Identifier: MIT */
/*
 * session-table-exhausted: new flows die on their way out while old ones live on: a firewall's table is full. Finding
 * page 5, section 3.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/expectation_table.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/outflow_spell.h"
#include "captures/base/memory.h"

static const char *const reasons[] = { "new-fail-old-live", "udp-timeout-storm", "pat-ports-exhausted",
	"plateau", "expectation-table-full", NULL };

static const struct detector_doc doc = {
	.says = "new flows fail while old ones live",
	.symptom = "Calls are blocked without a pattern, at busy hours; calls that run go on.",
	.evidence = "Spells of time in which most new flows to several hosts outside get no answer, while flows that were there before go on; before and after "
		    "all is well. Captured on both sides of the NAT: which of its ports are in use. INVITEs with SDP that vanish while many calls are up and all else "
		    "between the two is answered.",
	.mimics = "One peer that is down, one rule that blocks one port, a line that is down, a firewall that restarts.",
	.fix = "Read the firewall's session count and drop log for that time; raise the table, shorten idle times, exempt voice, find the host that fills it.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-new", 10, "flows", 5, 1000, "field: fewer new flows in a spell tell nothing" },
	{ "min-old", 3, "flows", 1, 1000, "field" },
	{ "helper-calls", 10, "calls", 2, 10000, "field: reported for about 40 phones; with fewer calls it is another limit" },
	{ "storm-per-min", 5000, "flows", 100, 1000000, "field: a scan, a resolver or peer-to-peer, no office's work" },
	{ 0 },
};

enum { FAIL_BELOW = 50, GOOD_FROM = 95, ONE_OWNS = 60, DESTS_LEAST = 3,
	FAILING_LEAST = 2, PLATEAU_PERCENT = 4, UDP = 17, PORTS_LEAST = 32, FULL_PERCENT = 95, WANTED_PERCENT = 130,
	SPELLS_MEASURED = 24 };

#define NEAR_NS (10 * MINUTE_NS)

static unsigned share(unsigned part, unsigned all)
{
	return all ? (unsigned)((uint64_t)part * 100 / all) : 0;
}

static bool is_good(const struct outflow_spell *s)
{
	return s->tried && share(s->answered, s->tried) >= GOOD_FROM;
}

struct outage {
	unsigned first, last, failing;       /* spells */
	unsigned tried, answered, old, dests;
	unsigned low, high;          /* flows that lived, in failing spells */
};

/* Those that fail and lie near to each other. */
static bool outage_find(struct outflow_spell *list, unsigned count, unsigned near_spells, struct outage *o)
{
	*o = (struct outage){ .low = UINT32_MAX };
	for (unsigned i = 0; i < count; i++) {
		const struct outflow_spell *s = &list[i];

		if (!s->failing || (o->failing && i - o->last > near_spells))
			continue;
		if (!o->failing)
			o->first = i;
		o->last = i;
		o->failing++;
		o->tried += s->tried;
		o->answered += s->answered;
		o->old = s->old > o->old ? s->old : o->old;
		o->dests = s->dest_count > o->dests ? s->dest_count : o->dests;
		o->low = s->living < o->low ? s->living : o->low;
		o->high = s->living > o->high ? s->living : o->high;
	}
	return o->failing >= FAILING_LEAST;
}

/* All is well on that side of it, as far as something was tried. */
static bool well(const struct outflow_spell *list, unsigned from, unsigned to, unsigned least, double *ret_active)
{
	unsigned tried = 0, answered = 0, spells = 0;
	uint64_t active = 0;

	for (unsigned i = from; i < to; i++) {
		if (!is_good(&list[i]))
			continue;
		tried += list[i].tried;
		answered += list[i].answered;
		active += list[i].active;
		spells++;
	}
	*ret_active = spells ? (double)active / spells : 0;
	return tried >= least && share(answered, tried) >= GOOD_FROM;
}

/* ---- who fills it ---- */

struct opener {                      /* a host inside: how many new UDP flows it opened */
	struct address addr;
	unsigned flows;
	struct frame_ref at;
};

static int opener_compare(const void *a, const void *b)
{
	const struct opener *x = a, *y = b;
	int order = address_compare(&x->addr, &y->addr);

	if (!order && x->at.at_ns != y->at.at_ns)
		order = x->at.at_ns < y->at.at_ns ? -1 : 1;
	return order ? order : (x->at.frame > y->at.frame) - (x->at.frame < y->at.frame);
}

/* The host inside that opened most UDP flows in the spells from one before the outage to its end. */
static struct opener busiest(const struct outflows *t, const struct outage *o)
{
	struct opener *list = memory_resize(NULL, outflows_count(t) + 1, sizeof *list), most = { .flows = 0 };
	size_t count = 0, n;

	for (size_t i = 0; i < outflows_count(t); i++) {
		const struct outflow *f = outflows_at(t, i);
		unsigned spell = outflows_spell(t, f->first_ns);

		if (f->protocol == UDP && spell + 1 >= o->first && spell <= o->last)
			list[count++] = (struct opener){ f->inside.addr, 1, f->at };
	}
	if (count)
		qsort(list, count, sizeof *list, opener_compare);
	for (size_t i = 0; i < count; i += n) {
		for (n = 1; i + n < count && address_equal(&list[i].addr, &list[i + n].addr);)
			n++;
		if (n > most.flows)
			most = (struct opener){ list[i].addr, (unsigned)n, list[i].at };
	}
	free(list);
	return most;
}

/* ---- ports of the NAT ---- */

struct port_block {                  /* what the NAT used outside, captured on both of its sides */
	struct address nat;
	unsigned ports, wanted;      /* all that it ever used; inside sockets that sent in the worst spell */
	uint16_t lowest, highest;
	struct frame_ref at;
};

static int inside_compare(const void *a, const void *b)
{
	return endpoint_compare(*(const struct endpoint *const *)a, *(const struct endpoint *const *)b);
}

/* How many different inside sockets sent by UDP in that spell. list: room for all flows. */
static unsigned inside_sockets(const struct outflows *t, unsigned spell, const struct endpoint **list)
{
	size_t count = 0;
	unsigned different = 0;

	for (size_t i = 0; i < outflows_count(t); i++) {
		const struct outflow *f = outflows_at(t, i);

		if (f->protocol == UDP && outflow_sent(t, f, spell))
			list[count++] = &f->inside;
	}
	if (count)
		qsort(list, count, sizeof *list, inside_compare);
	for (size_t i = 0; i < count; i++)
		different += i == 0 || !endpoint_equal(list[i - 1], list[i]);
	return different;
}

static unsigned ports_used(const struct outflows *t, const struct address *nat, unsigned spell)
{
	unsigned used = 0;

	for (size_t i = 0; i < outflows_outer_count(t); i++) {
		const struct outer_port *o = outflows_outer_at(t, i);

		used += address_equal(&o->at.addr, nat) && outer_port_used(t, o, spell);
	}
	return used;
}

static int outer_compare(const void *a, const void *b)
{
	const struct outer_port *x = *(const struct outer_port *const *)a, *y = *(const struct outer_port *const *)b;
	int order = endpoint_compare(&x->asked, &y->asked);

	return order ? order : endpoint_compare(&x->at, &y->at);
}

/* Outside it speaks to whom hosts inside speak to: as many of its ports as the address that has most. */
static struct port_block block_find(const struct outflows *t)
{
	size_t count = outflows_outer_count(t);
	const struct outer_port **list = memory_resize(NULL, count + 1, sizeof *list);
	struct port_block best = { .ports = 0 }, now = { .ports = 0 };

	for (size_t i = 0; i < count; i++)
		list[i] = outflows_outer_at(t, i);
	if (count)
		qsort(list, count, sizeof *list, outer_compare);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !endpoint_equal(&list[i]->asked, &list[i - 1]->asked) ||
		    !address_equal(&list[i]->at.addr, &now.nat))
			now = (struct port_block){ .nat = list[i]->at.addr, .at = list[i]->seen };
		now.ports++;
		if (now.ports > best.ports)
			best = now;
	}
	free(list);
	return best;
}

static void block_measure(const struct outflows *t, struct port_block *b)
{
	b->ports = 0;
	b->lowest = UINT16_MAX;
	for (size_t i = 0; i < outflows_outer_count(t); i++) {
		const struct outer_port *o = outflows_outer_at(t, i);

		if (!address_equal(&o->at.addr, &b->nat))
			continue;
		b->ports++;
		b->lowest = o->at.port < b->lowest ? o->at.port : b->lowest;
		b->highest = o->at.port > b->highest ? o->at.port : b->highest;
	}
}

/*
 * In each failing spell all ports that the NAT ever used outside were in use, and clearly more sockets inside wanted
 * one; in good ones each of these had one, so that the outside is seen whole.
 */
static bool block_full(const struct outflows *t, const struct outflow_spell *list, unsigned count,
	const struct outage *o, struct port_block *ret)
{
	const struct endpoint **room = memory_resize(NULL, outflows_count(t) + 1, sizeof *room);
	struct port_block b = block_find(t);
	unsigned from = o->first > 2 ? o->first - 2 : 0, good = 0;
	bool full = b.ports > 0;

	if (full)
		block_measure(t, &b);
	full = full && b.ports >= PORTS_LEAST;
	for (unsigned i = from; full && i < count && i <= o->last + 2 && i - from < SPELLS_MEASURED; i++) {
		unsigned used = ports_used(t, &b.nat, i), wanted = inside_sockets(t, i, room);

		if (list[i].failing) {
			full = share(used, b.ports) >= FULL_PERCENT && share(wanted, used) >= WANTED_PERCENT;
			b.wanted = wanted > b.wanted ? wanted : b.wanted;
		} else if (is_good(&list[i])) {
			full = used >= wanted;
			good++;
		}
	}
	free(room);
	*ret = b;
	return full && good;
}

static void tell_block(struct finding *f, const struct port_block *b)
{
	char nat[ADDRESS_TEXT];

	address_text(&b->nat, nat);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ b->nat, 0 });
	finding_title(f, "The NAT %s has no port left: new connections to outside fail", nat);
	text_addf(&f->cause, " Outside, %s used all of the %u UDP ports that it uses at all (%u to %u) meanwhile, and %u sockets inside wanted one.",
		nat, b->ports, b->lowest, b->highest, b->wanted);
	finding_fix(f, "Give the NAT %s more ports: a larger block or range for address translation (PAT), or a second public address; shorten the idle time of UDP that is no voice, and find the host that opens so many flows.", nat);
	finding_evidence(f, b->at, "a port of %s outside", nat);
}

static void tell_opener(struct finding *f, const struct facts *facts, const struct opener *x, double per_min)
{
	char host[SAY_TEXT];

	say_host(facts, &x->addr, host);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	text_addf(&f->cause, " %s opened %u new UDP flows meanwhile, %.0f a minute.", host, x->flows, per_min);
	text_addf(&f->fix, " Look at %s first: a scan, a resolver gone wild, peer-to-peer.", host);
	finding_evidence(f, x->at, "the first of the new flows of %s", host);
}

/* Who waits for an answer in vain meanwhile: hosts of SIP first, whose troubles this explains. */
static void tell_victims(struct finding *f, const struct facts *facts, const struct outage *o)
{
	const struct outflows *t = facts->outflows;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < outflows_count(t) && f->host_count < FINDING_HOST_MAX; i++) {
			const struct outflow *flow = outflows_at(t, i);
			unsigned spell = outflows_spell(t, flow->first_ns);
			const struct host *h = network_host_find(facts->network, &flow->inside.addr);

			if (flow->answered_ns == NS_NONE && spell >= o->first && spell <= o->last &&
			    (h && h->sip_port_count) == (pass == 0))
				finding_part(f, PART_VICTIM, &(struct endpoint){ flow->inside.addr, 0 });
		}
	}
}

/* block: NULL, or the ports that were all in use. */
static void tell(struct detection *d, const struct outflow_spell *list, unsigned count, const struct outage *o,
	const struct port_block *block, int64_t begin_ns, int64_t spell_ns)
{
	const struct facts *facts = detection_facts(d);
	bool flat = o->high && (o->high - o->low) * 100 <= o->high * PLATEAU_PERCENT;
	struct opener opener = busiest(facts->outflows, o);
	double per_min = (double)opener.flows * 60e9 / ((double)spell_ns * (o->last - o->first + (o->first ? 2 : 1)));
	bool storm = per_min >= detection_key(d, "storm-per-min");
	struct finding *f = detection_raise(d, block ? "pat-ports-exhausted" : storm ? "udp-timeout-storm"
		: "new-fail-old-live", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	struct frame_ref bad = list[o->first].failed_at,
		good = o->last + 2 < count ? list[o->last + 2].answered_at : (struct frame_ref){ .frame = 0 };
	int64_t from_ns = ns_add(begin_ns, o->first * spell_ns), to_ns = ns_add(begin_ns, (o->last + 1) * spell_ns);
	char from[NS_TEXT], to[NS_TEXT], router[ADDRESS_TEXT] = "the firewall";

	ns_rfc3339(from_ns, from);
	ns_rfc3339(to_ns, to);
	from[19] = to[19] = '\0';
	if (facts->vantage.kind == VANTAGE_INSIDE_NAT && facts->vantage.host)
		address_text(&facts->vantage.host->addr, router);
	finding_title(f, "New connections to outside fail, running ones go on");
	finding_cause(f, "Between %s and %s UTC %s of %s new flows through %s, to %s hosts, were not answered, while %s running ones went on; before and after, new "
		      "ones were answered.", from + 11, to + 11, SAY_COUNT(o->tried - o->answered), SAY_COUNT(o->tried), router,
		      SAY_COUNT(o->dests), SAY_COUNT(o->old));
	if (flat && !block) {
		finding_other_reason(f, "plateau");
		text_addf(&f->cause, " About %s flows lived at once, no more: the size of a table.", SAY_COUNT(o->high));
	} else if (!block) {
		text_addf(&f->cause, " Then %s to %s flows lived at once.", SAY_COUNT(o->low),
			SAY_COUNT(o->high));
	}
	finding_fix(f, "Read the session count and drop log of %s for that time; raise its table, shorten the idle time of UDP that is no voice, exempt voice, "
		    "find the host that opens so many flows; replace the device where the limit is fixed.", router);
	if (block)
		tell_block(f, block);
	if (storm && block)
		finding_other_reason(f, "udp-timeout-storm");
	if (storm)
		tell_opener(f, facts, &opener, per_min);
	if (bad.frame)
		finding_evidence(f, bad, "a new flow that is never answered");
	tell_victims(f, facts, o);
	if (good.frame)
		finding_evidence(f, good, "new flows are answered again");
	finding_times(f, from_ns, to_ns);
	f->count = o->failing;
	finding_cannot_see(f, block ? "the NAT's own table of ports" :
		"the table itself; a line that drops first packets looks alike: compare loss of running audio");
}

static void judge(struct detection *d, struct outflow_spell *list, unsigned count, int64_t begin_ns, int64_t spell_ns)
{
	unsigned least = (unsigned)detection_key(d, "min-new");
	double before, after, during = 0;
	const struct outflows *t = detection_facts(d)->outflows;
	struct port_block block;
	struct outage o;

	for (unsigned i = 0; i < count; i++) {
		struct outflow_spell *s = &list[i];

		s->failing = s->tried >= least && s->dest_count >= DESTS_LEAST &&
			share(s->answered, s->tried) < FAIL_BELOW && s->old >= detection_key(d, "min-old") &&
			share(s->old_alive, s->old) >= GOOD_FROM && share(s->worst, s->tried - s->answered) <= ONE_OWNS;
	}
	if (!outage_find(list, count, (unsigned)(NEAR_NS / spell_ns), &o)) {
		detection_pass(d, "failing",
			"there are no two spells of time in which new flows to several hosts fail while old ones live");
		return;
	}
	for (unsigned i = o.first; i <= o.last; i++)
		during += list[i].failing ? (double)list[i].active / o.failing : 0;
	if (!well(list, 0, o.first, least, &before) || !well(list, o.last + 1, count, least, &after)) {
		detection_pass(d, "before-after", "new flows are not seen to succeed before and after");
		return;
	}
	if (during < 1.3 * (before > after ? before : after)) {
		detection_pass(d, "load", "there are not more flows when they fail than when they do not");
		return;
	}
	tell(d, list, count, &o, block_full(t, list, count, &o, &block) ? &block : NULL, begin_ns, spell_ns);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct outflows *t = facts->outflows;
	int64_t spell_ns = (int64_t)(detection_config(d, "network", "ste-window-s") * 1e9);
	unsigned count = outflows_spell(t, facts->capture->last_ns) + 1;
	struct outflow_spell *list;

	(void)ev;
	expectation_tables_judge(d);
	if (outflows_full(t)) {
		detection_pass(d, "full", "more flows than are followed: not judged");
		return;
	}
	count = count < OUTFLOW_SPELLS_MAX ? count : OUTFLOW_SPELLS_MAX;
	list = memory_zalloc(count * sizeof *list);
	outflows_count_spells(t, list, count, facts->capture->last_ns);
	judge(d, list, count, facts->capture->first_ns, spell_ns);
	free(list);
}

const struct detector detect_session_table_exhausted = {
	.id = "session-table-exhausted", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
