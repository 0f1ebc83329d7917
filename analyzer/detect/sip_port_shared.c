/* SPDX-License-Identifier: MIT */
/*
 * sip-port-shared: several phones behind one router use one local SIP port, so the router must give all but one
 * another. The fact is info, the harm that it does raises it; the fix is a plan, a port a phone. Finding 3.11.
 */
#include "analyzer/calls/account.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = { "fact", "router-remaps", "phone-random", "wrong-phone", "outer-shared",
	"remap-unstable", "unreachable", NULL };

static const struct detector_doc doc = {
	.says = "many phones on one local SIP port behind one router",
	.symptom = "A phone does not register, lamps are dead, pick-up is late, a group keeps ringing.",
	.evidence = "Phones of one site with the same local SIP port and different public ports; requests to those ports that nobody answers, or the wrong phone.",
	.mimics = "Phones that choose random ports themselves, TCP, a PBX on the same LAN or a routed one, one phone with several accounts.",
	.fix = "A local SIP port a phone, 5060, 5062, 5064 ... up to 5200, and an RTP range a phone.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "shared-min", 2, "phones", 2, 100, "the second phone on 5060 is the first that a router must move" },
	{ "sip-range-first", 5060, "port", 1, 65535, "local SIP ports of phones as vendors document them" },
	{ "sip-range-last", 5200, "port", 1, 65535, "71 phones in steps of 2" },
	{ 0 },
};

enum { UNSTABLE_CHANGES = 3, HARMED_LOT = 3, TURNS_LEAST = 2, EVIDENCE_PHONES = 8 };

enum harm { HARM_NONE, HARM_UNSTABLE, HARM_UNREACHABLE, HARM_OUTER_SHARED, HARM_WRONG_PHONE };

struct shared {                      /* phones of a site with one inner port: a run of site->device */
	const struct sip_site *site;
	unsigned from, to;           /* [from, to) */
	unsigned phones, remapped, kept, answering, harmed;
	unsigned first_port, last_port;
	enum harm harm;
	const struct device *worst;  /* the first that suffers so */
};

/* ---- one phone ---- */

static bool in_range(const struct shared *s, uint16_t port)
{
	return port >= s->first_port && port <= s->last_port;
}

static bool is_remapped(const struct shared *s, const struct device *d)
{
	return d->outer.port != d->inner.port && !in_range(s, d->outer.port);
}

/*
 * Asked in vain where it still is, never heard to answer, and alive: it registered soon after. A phone that is off, or
 * whose mapping expired, is no fault of ports.
 */
static bool is_unreachable(const struct shared *s, const struct device *d)
{
	const struct tally *t = &d->tally;

	return is_remapped(s, d) && t->unanswered_alive && !t->answered &&
	       (endpoint_equal(&t->unanswered_to, &d->outer) || endpoint_equal(&t->unanswered_to, &d->inner));
}

static bool is_unstable(const struct device *d)
{
	return d->outer_changes >= UNSTABLE_CHANGES && d->outer_changes * 2 >= d->refreshes;
}

static enum harm harm_of(const struct shared *s, const struct device *d)
{
	if (d->wrong)
		return HARM_WRONG_PHONE;
	if (d->outer_turns >= TURNS_LEAST)
		return HARM_OUTER_SHARED;
	if (s->answering && is_unreachable(s, d))
		return HARM_UNREACHABLE;
	return is_remapped(s, d) && is_unstable(d) ? HARM_UNSTABLE : HARM_NONE;
}

/* ---- the phones of one port ---- */

/* Devices stand by port, then by address: another address is another phone, the rest are its further lines. */
static bool is_further_line(const struct shared *s, unsigned at)
{
	return at > s->from && address_equal(&s->site->device[at]->inner.addr, &s->site->device[at - 1]->inner.addr);
}

static void count_phones(struct shared *s)
{
	for (unsigned i = s->from; i < s->to; i++) {
		const struct device *d = s->site->device[i];

		s->answering += !is_remapped(s, d) && d->tally.answered;
		if (is_further_line(s, i))
			continue;
		s->phones++;
		s->remapped += is_remapped(s, d);
		s->kept += d->outer.port == d->inner.port;
	}
}

static void count_harm(struct shared *s)
{
	for (unsigned i = s->from; i < s->to; i++) {
		enum harm h = harm_of(s, s->site->device[i]);

		if (h > s->harm) {
			s->harm = h;
			s->harmed = 0;
			s->worst = s->site->device[i];
		}
		s->harmed += h != HARM_NONE && h == s->harm;
	}
}

static const char *reason_of(const struct shared *s)
{
	switch (s->harm) {
	case HARM_WRONG_PHONE: return "wrong-phone";
	case HARM_OUTER_SHARED: return "outer-shared";
	case HARM_UNREACHABLE: return "unreachable";
	case HARM_UNSTABLE: return "remap-unstable";
	case HARM_NONE: break;
	}
	return s->remapped ? "router-remaps" : "fact";
}

/* Both sides of the router were seen, or the harm is its own proof. */
static enum confidence confidence_of(const struct shared *s)
{
	const struct device *d = s->worst ? s->worst : s->site->device[s->from];

	if (s->harm == HARM_WRONG_PHONE || s->harm == HARM_OUTER_SHARED || (d->inner_seen && d->outer_seen))
		return CONFIDENCE_CERTAIN;
	return CONFIDENCE_LIKELY;
}

static enum severity severity_of(const struct shared *s)
{
	switch (s->harm) {
	case HARM_NONE:
		return SEVERITY_INFO;
	case HARM_UNSTABLE:
	case HARM_UNREACHABLE:
		return s->harmed >= HARMED_LOT &&
		       confidence_of(s) == CONFIDENCE_CERTAIN ? SEVERITY_ERROR : SEVERITY_WARNING;
	case HARM_OUTER_SHARED:
	case HARM_WRONG_PHONE:
		break;
	}
	return SEVERITY_ERROR;
}

/* ---- words ---- */

static bool port_used(const struct shared *s, unsigned port)
{
	for (unsigned i = 0; i < s->site->device_count; i++) {
		if (s->site->device[i]->inner.port == port)
			return true;
	}
	return false;
}

/* The next even port that no phone of the site has; 0: the range is full. */
static unsigned next_free(const struct shared *s, unsigned port)
{
	for (; port <= s->last_port; port += 2) {
		if (!port_used(s, port))
			return port;
	}
	return 0;
}

/* The first phone keeps its port, each other one gets the next that is free. By address. */
static void say_plan(struct text *t, const struct shared *s)
{
	unsigned next = s->first_port + s->first_port % 2, phones = 0;

	text_add(t, "Give every phone and line its own local SIP port, and its own RTP range:");
	for (unsigned i = s->from; i < s->to; i++) {
		const struct device *d = s->site->device[i];
		unsigned port = d->inner.port;
		char at[ADDRESS_TEXT];

		if (is_further_line(s, i))
			continue;
		if (phones++ || !in_range(s, d->inner.port)) {
			port = next_free(s, next);
			next = port + 2;
		}
		if (!port) {
			text_addf(t, " and the rest beyond %u", s->last_port);
			break;
		}
		text_addf(t, "%s %s: %u", phones > 1 ? "," : "", address_text(&d->inner.addr, at), port);
	}
	text_add(t, ".");
}

static void say_harm(struct finding *f, const struct shared *s)
{
	char inner[ENDPOINT_TEXT], outer[ENDPOINT_TEXT], other[ENDPOINT_TEXT];
	const struct device *d = s->worst;

	if (!d)
		return;
	endpoint_text(&d->inner, inner);
	endpoint_text(&d->outer, outer);
	switch (s->harm) {
	case HARM_WRONG_PHONE:
		text_addf(&f->cause, " A request for %s, whose phone is %s, was handed to %s (%s), which answered %u.",
			d->wrong_user,
			  endpoint_text(&d->wrong_for, other), inner, d->account->user, d->wrong_status);
		finding_evidence(f, d->wrong_at, "a request for %s arrives at the phone of %s", d->wrong_user,
			d->account->user);
		break;
	case HARM_OUTER_SHARED:
		text_addf(&f->cause, " %s and %s share the public socket %s at the same time.", inner,
			endpoint_text(&d->outer_with, other), outer);
		finding_evidence(f, d->outer_at, "%s again, after %s used the same public socket", inner,
			endpoint_text(&d->outer_with, other));
		break;
	case HARM_UNREACHABLE:
		text_addf(&f->cause, " Requests to %u of the moved ports stay unanswered, e.g. to %s for %s; phones that kept theirs answer.", s->harmed, outer,
			  inner);
		break;
	case HARM_UNSTABLE:
		text_addf(&f->cause, " %s got another public port %u times.", inner, d->outer_changes);
		break;
	case HARM_NONE:
		break;
	}
}

static void add_phones(struct finding *f, const struct shared *s)
{
	unsigned told = 0;

	finding_part(f, PART_CULPRIT, &(struct endpoint){ s->site->outer, 0 });
	for (unsigned i = s->from; i < s->to; i++) {
		const struct device *d = s->site->device[i];
		char inner[ENDPOINT_TEXT], outer[ENDPOINT_TEXT];

		if (harm_of(s, d) == s->harm && s->harm != HARM_NONE)
			finding_part(f, PART_VICTIM, &(struct endpoint){ d->inner.addr, 0 });
		if (is_unreachable(s, d) && s->harm == HARM_UNREACHABLE)
			finding_evidence(f, d->tally.unanswered_at, "a request to %s stays unanswered",
				endpoint_text(&d->outer, outer));
		if (is_further_line(s, i) || told++ >= EVIDENCE_PHONES)
			continue;
		finding_evidence(f, d->at, "%s registers from %s, seen outside as %s", d->account->user,
			endpoint_text(&d->inner, inner),
				 endpoint_text(&d->outer, outer));
	}
	for (unsigned i = s->from; i < s->to && s->harm == HARM_NONE; i++)
		finding_part(f, PART_WITNESS, &(struct endpoint){ s->site->device[i]->inner.addr, 0 });
}

static void tell(struct detection *d, const struct shared *s)
{
	uint64_t key = hash_mix(endpoint_key(&(struct endpoint){ s->site->outer,
		s->site->device[s->from]->inner.port }),
				endpoint_key(&(struct endpoint){ s->site->server, 0 }));
	struct finding *f = detection_raise_keyed(d, key, reason_of(s), severity_of(s), confidence_of(s));
	const struct device *first = s->site->device[s->from];
	unsigned moved = s->kept < s->phones ? s->phones - s->kept : 0;
	char router[ADDRESS_TEXT];

	address_text(&s->site->outer, router);
	finding_title(f, "%u phones behind %s share SIP port %u", s->phones, router, first->inner.port);
	finding_cause(f, "%u phones use local port %u behind %s", s->phones, first->inner.port, router);
	if (moved)
		text_addf(&f->cause, "; the router had to move %u of them to other public ports", moved);
	text_add(&f->cause, ".");
	say_plan(&f->fix, s);
	say_harm(f, s);
	add_phones(f, s);
	finding_times(f, first->first_ns, first->last_ns);
	f->count = s->phones;
	if (s->harm == HARM_NONE)
		finding_cannot_see(f, "whether every request reaches its phone: no failure is in this capture");
}

/* ---- phones that choose ports themselves ---- */

static void tell_random(struct detection *d, const struct shared *s)
{
	uint64_t key = hash_mix(endpoint_key(&(struct endpoint){ s->site->outer, 0 }),
		endpoint_key(&(struct endpoint){ s->site->server, 0 }));
	struct finding *f = detection_raise_keyed(d, key, "phone-random", SEVERITY_INFO, CONFIDENCE_LIKELY);
	char router[ADDRESS_TEXT];

	address_text(&s->site->outer, router);
	finding_title(f, "%u phones behind %s choose random SIP ports", s->phones, router);
	finding_cause(f,
		"Their local ports lie outside %u-%u already: the phones chose them, the router did not move them.",
		s->first_port, s->last_port);
	finding_fix(f,
		"Nothing on the router. Where a firewall expects %u-%u, set fixed local SIP ports in the phones.",
		s->first_port, s->last_port);
	add_phones(f, s);
	finding_times(f, s->site->device[s->from]->first_ns, s->site->device[s->from]->last_ns);
	f->count = s->phones;
}

static bool is_random(const struct shared *s, const struct device *d)
{
	return address_known(&d->inner.addr) && !in_range(s, d->inner.port) && !in_range(s, d->outer.port);
}

/* The random ones stand behind the range as devices are sorted by port; those below it do so, too, and are few. */
static void judge_random(struct detection *d, const struct sip_site *site, struct shared s)
{
	s.from = 0;
	while (s.from < site->device_count &&
	    !(is_random(&s, site->device[s.from]) && site->device[s.from]->inner.port > s.last_port))
		s.from++;
	s.to = site->device_count;
	for (unsigned i = s.from; i < s.to; i++)
		s.phones += is_random(&s, site->device[i]) && !is_further_line(&s, i);
	if (s.phones >= (unsigned)detection_key(d, "shared-min"))
		tell_random(d, &s);
}

/* ---- a site ---- */

static bool judge_run(struct detection *d, struct shared *s)
{
	if (!address_known(&s->site->device[s->from]->inner.addr))
		return false;            /* their own ports are unknown */
	count_phones(s);
	if (s->phones < (unsigned)detection_key(d, "shared-min"))
		return false;
	count_harm(s);
	tell(d, s);
	return true;
}

static void judge_site(struct detection *d, const struct sip_site *site)
{
	struct shared frame = {
		.site = site, .first_port = (unsigned)detection_key(d, "sip-range-first"),
		.last_port = (unsigned)detection_key(d, "sip-range-last"),
	};
	bool told = false;

	for (unsigned i = 0, from = 0; i < site->device_count; from = i) {
		struct shared s = frame;

		while (i < site->device_count && site->device[i]->inner.port == site->device[from]->inner.port)
			i++;
		s.from = from;
		s.to = i;
		told |= judge_run(d, &s);
	}
	if (!told)
		judge_random(d, site, frame);
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, accounts_sites(detection_facts(d)->accounts)) {
		const struct sip_site *site = LIST_ENTRY(it, struct sip_site, in_order);

		if (site->device_count > 1)
			judge_site(d, site);
	}
}

const struct detector detect_sip_port_shared = {
	.id = "sip-port-shared", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
