/* SPDX-License-Identifier: MIT */
/* media-range-exhausted: a host refuses calls because all its media ports are in use. Finding 3.11. */
#include "analyzer/detect/say.h"
#include "analyzer/media/media_host.h"
#include "analyzer/site.h"

static const char *const reasons[] = { "refused", "no-rtp", "reused", NULL };

static const struct detector_doc doc = {
	.says = "no media port left",
	.symptom = "\"Busy at peak time\".",
	.evidence = "Calls are refused at a number of calls that is never passed, taken below it, and taken again after one has ended; the ports in use "
		    "fill the range.",
	.mimics = "Licence and trunk channel limits, disjoint codecs, a busy callee, overload.",
	.fix = "A wider RTP range, two ports per leg, in the PBX and in the firewall; calls that nobody ended.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "full", 90, "%", 50, 100, "field: of the range in use" },
	{ "critical", 10, "calls", 2, 1000, "field: refused" },
	{ 0 },
};

enum { REFUSED_LEAST = 2, TAKEN_LEAST = 3, PLATEAU_LEAST = 3, SOCKETS_LEAST = 4, PORTS_PER_LEG = 2,
	EVIDENCE_CALLS = 6 };

struct exhaustion {
	const struct media_host *host;
	/* sockets in use beyond which no call was taken; its highest that still took one, plus one */
	unsigned limit;
	unsigned taken, refused, hinted, without_rtp, doubled;
	unsigned plateau;            /* calls taken at the last free place */
	unsigned below;              /* refused with room to spare */
	bool relieved;               /* taken again after a refusal */
	unsigned capacity;           /* legs: of the configured range, else of the ports that were seen */
	bool configured;
	double full;                 /* of the capacity, at the peak, 0-1 */
};

static void count_taken(struct exhaustion *x)
{
	for (unsigned i = 0; i < x->host->attempt_count; i++) {
		const struct host_attempt *a = &x->host->attempts[i];

		if (a->result != ATTEMPT_TAKEN)
			continue;
		x->taken++;
		x->doubled += a->doubled;
		if (a->busy >= x->limit)
			x->limit = a->busy + 1;
	}
}

static void count_refused(struct exhaustion *x)
{
	for (unsigned i = 0; i < x->host->attempt_count; i++) {
		const struct host_attempt *a = &x->host->attempts[i];

		if (a->result == ATTEMPT_TAKEN) {
			x->plateau += a->busy + 1 == x->limit;
			x->relieved |= x->refused > 0;
		} else if (a->busy < x->limit) {
			x->below++;
		} else {
			x->refused++;
			x->hinted += a->hinted;
			x->without_rtp += a->result == ATTEMPT_NO_RTP;
		}
	}
}

static void measure(struct exhaustion *x, const struct site *site)
{
	const struct ranges *known = site ? site_media_ports(site, &x->host->addr) : NULL;
	unsigned ports = 0;

	for (unsigned i = 0; known && i < known->count; i++)
		ports += known->list[i].high - known->list[i].low + 1u;
	x->configured = ports >= PORTS_PER_LEG;
	if (x->configured)
		x->capacity = ports / PORTS_PER_LEG;
	else
		x->capacity = (unsigned)(x->host->highest - x->host->lowest) / PORTS_PER_LEG + 1;
	x->full = (double)x->host->peak / x->capacity;
}

/* Calls come, ports are full, and the ports of others are given out. */
static bool is_reused(const struct exhaustion *x, double least)
{
	return x->doubled >= REFUSED_LEAST && x->capacity >= SOCKETS_LEAST && x->full >= least &&
	       x->host->peak >= x->capacity;
}

/* That the limit is one is known from the range that the site names, or from how often the last place was taken. */
static bool is_refusing(const struct exhaustion *x, double least)
{
	bool known = x->plateau >= PLATEAU_LEAST || (x->configured && x->full >= least);

	return x->refused >= REFUSED_LEAST && x->taken >= TAKEN_LEAST && known && x->below == 0 && x->relieved &&
	       x->host->peak >= 2;
}

static enum confidence confidence_of(const struct exhaustion *x)
{
	if (x->configured && x->full >= 1)
		return CONFIDENCE_CERTAIN;
	return x->hinted ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
}

static void add_evidence(struct finding *f, const struct exhaustion *x)
{
	unsigned told = 0;
	bool before = false;

	for (unsigned i = 0; i < x->host->attempt_count; i++) {
		const struct host_attempt *a = &x->host->attempts[i];
		char why[SAY_TEXT];

		if (a->result != ATTEMPT_TAKEN) {
			finding_leg(f, a->leg);
			before = true;
			if (told++ < EVIDENCE_CALLS)
				finding_evidence(f, a->final->at, "%u %s, with %u ports in use", a->final->status,
						 text_escape(message_explained(a->final).n ? message_explained(a->final)
						 : phrase_span(a->final->reason), why, sizeof why), a->busy);
		} else if (before && told++ < EVIDENCE_CALLS) {
			finding_evidence(f, a->leg->invite_at, "taken again, with %u ports in use", a->busy);
			before = false;
		}
	}
}

static void tell(struct detection *d, const struct exhaustion *x, const char *reason, enum confidence c)
{
	const struct facts *facts = detection_facts(d);
	const struct media_host *h = x->host;
	bool many = x->refused >= (unsigned)detection_key(d, "critical");
	struct finding *f = detection_raise_keyed(d, endpoint_key(&(struct endpoint){ h->addr, 0 }), reason,
		many ? SEVERITY_CRITICAL : SEVERITY_ERROR, c);
	char host[SAY_TEXT];

	say_host(facts, &h->addr, host);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ h->addr, 0 });
	finding_title(f, "%s has no media port left", host);
	if (x->refused)
		finding_cause(f, "With %u ports (%u-%u) in use it refused %s; below that it took %u, and again as soon as a call had ended.", h->peak,
			h->lowest, h->highest, SAY_COUNTED(x->refused, "call"), x->taken);
	else
		finding_cause(f, "All %u ports that it has named (%u-%u) are in use, and %u calls were given one that another call still had.", x->capacity,
			      h->lowest, h->highest, x->doubled);
	finding_fix(f, "%s has %u media ports = %u legs; %u were needed. Widen the range (2 ports per leg) in the PBX and in the firewall; look for leaked "
		       "calls (no BYE).", host, x->capacity * PORTS_PER_LEG, x->capacity, h->peak + 1);
	if (!x->configured)
		finding_cannot_see(f,
			"the configured port range, and the number of calls before the capture");
	finding_times(f, h->attempts[0].at_ns, h->attempts[h->attempt_count - 1].at_ns);
	f->count = x->refused ? x->refused : x->doubled;
	add_evidence(f, x);
}

static void judge(struct detection *d, const struct media_host *h)
{
	struct exhaustion x = { .host = h };
	double least = detection_key(d, "full") / 100;

	count_taken(&x);
	count_refused(&x);
	measure(&x, detection_facts(d)->site);
	if (is_reused(&x, least) && !x.refused) {
		tell(d, &x, "reused", CONFIDENCE_POSSIBLE);
		return;
	}
	if (!is_refusing(&x, least)) {
		detection_pass(d, "plateau",
			"%u refused and %u taken, %u of them at the last place, %u refused with room to spare%s",
			x.refused, x.taken, x.plateau,
			       x.below, x.relieved ? "" : ", none taken after a refusal");
		return;
	}
	if (x.full < least) {
		detection_pass(d, "range",
			"concurrency limit %u; port range only %.0f %% used: a licence or trunk limit, not ports",
			h->peak, x.full * 100);
		return;
	}
	tell(d, &x, x.without_rtp == x.refused ? "no-rtp" : "refused", confidence_of(&x));
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, media_hosts_in_order(detection_facts(d)->media_hosts)) {
		const struct media_host *h = LIST_ENTRY(it, struct media_host, in_order);

		if (h->attempt_count && h->lowest)
			judge(d, h);
	}
}

const struct detector detect_media_range_exhausted = {
	.id = "media-range-exhausted", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_INFO,
};
