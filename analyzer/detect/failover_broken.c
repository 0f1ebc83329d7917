/* SPDX-License-Identifier: MIT */
/* failover-broken: a server failed, and the second one that is known did not take over. RFC 3263 4.3. */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/calls/service.h"
#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/srv.h"
#include "analyzer/network/source.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = { "no-alternative-tried", "alternative-failed", "no-failback", NULL };

static const struct detector_doc doc = {
	.says = "the second server did not take over",
	.symptom = "One server is down, and phones lose their registration or calls fail although there is a second one; or all stay at the second for ever.",
	.evidence = "Requests that the first server leaves unanswered, refuses with 503 or that ICMP returns; when the same account or number was tried at another one, and which ones DNS had named to the client (SRV).",
	.mimics = "A client that has only one server, two registrations side by side, branches of a fork, a copy that is answered after all, a call given up by its caller.",
	.fix = "Enter the second server at the client, or both in DNS; set the time-out and how soon it returns; see what the two servers share.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "window-s", 32, "s", 1, 300,
	  "RFC 3261 17.1: 64 T1, after which a transaction has failed; as long again to turn to the other server" },
	{ "copies", 4, "copies", 2, 11, "RFC 3261 17.1: so many take 3.5 s" },
	{ "failback-s", 600, "s", 60, 86400, "field: clients look for their first server again every few minutes" },
	{ 0 },
};

#define ICMP_AFTER_NS (5 * SECOND_NS)

enum { UNAVAILABLE = 503, FAULT_TRIES = 16 };

struct fault {
	const struct service *service;
	const char *reason;
	enum severity severity;
	enum confidence confidence;
	unsigned first, second;      /* servers; second SERVICE_SERVER_MAX: the profile's, not seen here */
	const struct service_try *tries[FAULT_TRIES];        /* that failed, at the first server */
	unsigned try_count, failures;
	const struct service_try *other;     /* alternative-failed: at the second; no-failback: the last one there */
	struct frame_ref icmp_at;
	/* second SERVICE_SERVER_MAX: that DNS names, and where it does; family 0: its address is not in the capture */
	struct address named;
	struct frame_ref named_at;
	int64_t back_ns;             /* no-failback: since when the first server answers others */
};

struct lapse {                     /* of one try */
	bool failed;
	int64_t at_ns;               /* when the client knew it */
	enum confidence confidence;
	struct frame_ref icmp_at;
};

/* ---- what failed ---- */

static struct frame_ref refused_by_network(const struct facts *facts, const struct service_try *t)
{
	const struct endpoint *dst = &t->service->servers[t->server].at;
	uint32_t hash = icmp_hash(dst);
	struct frame_ref first = { 0 };

	for (struct hash_link *it = hash_first(facts->icmp_by_dst, hash); it; it = it->next) {
		const struct icmp_record *i = HASH_ENTRY(it, struct icmp_record, by_dst);

		if (it->hash != hash || !endpoint_equal(&i->dst, dst) || !endpoint_equal(&i->src, &t->src) ||
		    i->at.at_ns < t->at.at_ns ||
		    i->at.at_ns > ns_add(t->last_at.at_ns, ICMP_AFTER_NS))
			continue;
		if (!first.frame || i->at.at_ns < first.at_ns)
			first = i->at;
	}
	return first;
}

static int64_t window_ns(const struct detection *d)
{
	return (int64_t)(detection_key(d, "window-s") * 1e9);
}

static struct lapse silence_of(const struct detection *d, const struct service_try *t)
{
	struct silence s = { .src = t->src, .dst = t->service->servers[t->server].at, .first_ns = t->at.at_ns,
		.last_ns = t->last_at.at_ns, .copies = t->copies,
			     .stream_transport = t->stream };
	enum witness witness;

	if (t->given_up || (!t->stream && t->copies < detection_key(d, "copies")))
		return (struct lapse){ 0 };
	if (silence_gate(detection_facts(d), &s, detection_key(d, "window-s"), &witness))
		return (struct lapse){ 0 };
	return (struct lapse){ .failed = true, .at_ns = ns_add(t->at.at_ns, window_ns(d)),
	       .confidence = witness_confidence(witness, CONFIDENCE_LIKELY) };
}

static struct lapse failure_of(const struct detection *d, const struct service_try *t)
{
	struct lapse f = { .confidence = CONFIDENCE_CERTAIN };

	if (t->status == UNAVAILABLE) {
		f.failed = true;
		f.at_ns = t->final_at.at_ns;
		return f;
	}
	if (t->answer_at.frame)
		return f;
	f.icmp_at = refused_by_network(detection_facts(d), t);
	if (!f.icmp_at.frame)
		return silence_of(d, t);
	f.failed = true;
	f.at_ns = f.icmp_at.at_ns;
	return f;
}

static bool served(const struct service_try *t)
{
	return t->answer_at.frame && t->status != UNAVAILABLE;
}

/* ---- which other server is known ---- */

static bool hunted(const struct service *s, unsigned x, unsigned y, int64_t before_ns)
{
	int64_t xy = s->servers[x].stands_in_ns[y], yx = s->servers[y].stands_in_ns[x];

	return (xy != NS_NONE && xy < before_ns) || (yx != NS_NONE && yx < before_ns);
}

static bool serves(const struct facts *facts, const struct address *a)
{
	return say_serves(facts, a) || site_peer(facts->site, &facts->site->trunk, a) ||
	       site_peer(facts->site, &facts->site->pbx, a);
}

static bool stands_in(const struct facts *facts, const struct service *s, unsigned first, unsigned other,
	int64_t before_ns)
{
	const struct service_server *x = &s->servers[first], *y = &s->servers[other];
	const struct peers *profile = &facts->site->failover;

	if (site_peer(facts->site, profile, &x->at.addr) && site_peer(facts->site, profile, &y->at.addr))
		return true;
	if (s->kind == SERVICE_ADDRESS)
		return hunted(s, first, other, before_ns) && serves(facts, &x->at.addr) && serves(facts, &y->at.addr);
	return (y->served_ns != NS_NONE && y->served_ns < before_ns) || hunted(s, first, other, before_ns);
}

/*
 * Two registrations side by side: what the other server has granted is still good, and it was never a way out before.
 */
static bool bound_there(const struct service *s, unsigned first, unsigned other, int64_t until_ns)
{
	const struct service_server *y = &s->servers[other];

	return s->kind == SERVICE_ACCOUNT && y->bound_until_ns != NS_NONE && y->bound_until_ns >= until_ns &&
	       !hunted(s, first, other, until_ns);
}

/* x->second SERVICE_SERVER_MAX with true: one that only DNS, or the profile, names. */
static bool second_server(const struct facts *facts, const struct service_try *t, struct fault *x)
{
	const struct peers *profile = &facts->site->failover;
	const struct service *s = t->service;
	unsigned first = t->server;
	int64_t before_ns = t->at.at_ns;

	for (unsigned i = 0; i < s->server_count; i++) {
		if (i == first || !stands_in(facts, s, first, i, before_ns))
			continue;
		x->second = i;
		return true;
	}
	x->second = SERVICE_SERVER_MAX;
	if (srv_beside(facts->srv, &s->client, &s->servers[first].at.addr, t->stream, before_ns, &x->named,
	    &x->named_at))
		return true;
	return profile->nets.count + profile->names.count > 1 &&
	       site_peer(facts->site, profile, &s->servers[first].at.addr);
}

/* ---- judgement ---- */

struct history {                     /* the tries of one service, each weighed once */
	unsigned count;
	const struct service_try *tries[SERVICE_TRY_MAX];
	struct lapse lapses[SERVICE_TRY_MAX];
};

static void weigh_tries(const struct detection *d, const struct service *s, struct history *ret)
{
	ret->count = 0;
	LIST_EACH(it, &s->tries) {
		const struct service_try *t = LIST_ENTRY(it, struct service_try, in_service);

		ret->tries[ret->count] = t;
		ret->lapses[ret->count++] = failure_of(d, t);
	}
}

struct aftermath {                   /* of a failure, until the client should have turned elsewhere */
	bool recovered;              /* some server did its duty in time */
	bool late;                   /* or later */
	bool undecided;              /* another server was tried, and whether it failed cannot be told */
	const struct service_try *other;     /* failed as well; NULL: none was tried */
	enum confidence confidence;  /* of its failure */
};

static struct aftermath aftermath_of(const struct history *v, unsigned from, int64_t deadline_ns)
{
	struct aftermath a = { .confidence = CONFIDENCE_CERTAIN };

	for (unsigned i = from + 1; i < v->count; i++) {
		const struct service_try *u = v->tries[i];
		const struct lapse *f = &v->lapses[i];
		bool in_time = u->at.at_ns <= deadline_ns;

		if (served(u)) {
			*(in_time ? &a.recovered : &a.late) = true;
			return a;
		}
		if (!in_time || u->server == v->tries[from]->server)
			continue;
		a.undecided |= !f->failed;
		if (f->failed && !a.other) {
			a.other = u;
			a.confidence = f->confidence;
		}
	}
	return a;
}

static bool client_lives(const struct facts *facts, const struct service *s, int64_t at_ns)
{
	const struct host *h = network_host_find(facts->network, &s->client);

	return facts->capture->last_ns >= at_ns && h && h->last_out_ns >= at_ns;
}

static enum confidence weaker(enum confidence a, enum confidence b)
{
	return a < b ? a : b;
}

/* One failure, and what the client did about it. */
static void judge_failure(const struct detection *d, const struct history *v, unsigned at, struct fault *ret)
{
	const struct facts *facts = detection_facts(d);
	const struct service_try *t = v->tries[at];
	const struct lapse *f = &v->lapses[at];
	const struct service *s = t->service;
	int64_t deadline_ns = ns_add(f->at_ns, window_ns(d));
	struct aftermath a = aftermath_of(v, at, deadline_ns);
	struct fault x = { .service = s, .first = t->server, .tries = { t }, .try_count = 1, .failures = 1,
		.icmp_at = f->icmp_at, .back_ns = NS_NONE };

	if (a.recovered || a.undecided || !client_lives(facts, s, deadline_ns))
		return;
	x.severity = a.late ? SEVERITY_WARNING : SEVERITY_ERROR;
	if (a.other && (s->kind != SERVICE_ADDRESS ||
	    stands_in(facts, s, t->server, a.other->server, ns_add(a.other->at.at_ns, 1)))) {
		x.reason = "alternative-failed";
		x.second = a.other->server;
		x.other = a.other;
		x.confidence = weaker(f->confidence, a.confidence);
	} else if (!a.other && second_server(facts, t, &x)) {
		if (x.second < SERVICE_SERVER_MAX && bound_there(s, x.first, x.second, deadline_ns))
			return;
		x.reason = "no-alternative-tried";
		x.confidence = x.second == SERVICE_SERVER_MAX && !x.named_at.frame ? CONFIDENCE_POSSIBLE
			: weaker(f->confidence, CONFIDENCE_LIKELY);
	}
	if (x.reason && !ret->reason)
		*ret = x;
}

/* The first server works again for everybody else. */
static void judge_return(const struct detection *d, const struct history *v, unsigned at, struct fault *ret)
{
	const struct facts *facts = detection_facts(d);
	const struct service_try *failed = v->tries[at];
	const struct lapse *f = &v->lapses[at];
	const struct service *s = failed->service;
	int64_t failback_ns = (int64_t)(detection_key(d, "failback-s") * 1e9), back_ns;
	const struct service_try *last = NULL;

	for (unsigned i = at + 1; i < v->count; i++) {
		if (v->tries[i]->server == failed->server)
			return;
		if (served(v->tries[i]))
			last = v->tries[i];
	}
	if (!last || s->servers[failed->server].first_ns > s->servers[last->server].first_ns ||
	    !stands_in(facts, s, failed->server, last->server, ns_add(last->at.at_ns, 1)))
		return;
	if (!services_answers_others(facts->services, &s->servers[failed->server].at.addr, &s->client, f->at_ns,
	    failback_ns, &back_ns) ||
	    ns_minus(last->at.at_ns, back_ns) < failback_ns)
		return;
	*ret = (struct fault){ .service = s, .reason = "no-failback", .severity = SEVERITY_WARNING,
		.confidence = weaker(f->confidence, CONFIDENCE_LIKELY),
			       .first = failed->server, .second = last->server, .tries = { failed }, .try_count = 1,
			       .failures = 1, .other = last,
			       .icmp_at = f->icmp_at, .back_ns = back_ns };
}

static void count_failure(struct fault *x, const struct service_try *t)
{
	x->failures++;
	if (x->try_count < FAULT_TRIES)
		x->tries[x->try_count++] = t;
}

/* ret->reason NULL: nothing to say. */
static void judge_service(const struct detection *d, const struct service *s, struct history *v, struct fault *ret)
{
	unsigned last = SERVICE_TRY_MAX;

	weigh_tries(d, s, v);
	for (unsigned i = 0; i < v->count; i++) {
		if (!v->lapses[i].failed)
			continue;
		last = i;
		if (!ret->reason)
			judge_failure(d, v, i, ret);
		else if (v->tries[i]->server == ret->first)
			count_failure(ret, v->tries[i]);
	}
	if (last < v->count && !ret->reason)
		judge_return(d, v, last, ret);
}

/* ---- what is said ---- */

static const struct endpoint *server_at(const struct fault *x, unsigned i)
{
	return &x->service->servers[i].at;
}

static const char *say_second(const struct facts *facts, const struct fault *x, char buffer[SAY_TEXT])
{
	if (x->second < SERVICE_SERVER_MAX)
		return say_host(facts, &server_at(x, x->second)->addr, buffer);
	if (address_known(&x->named))
		return say_host(facts, &x->named, buffer);
	snprintf(buffer, SAY_TEXT, "its second server");
	return buffer;
}

static const char *failed_how(const struct fault *x)
{
	if (x->tries[0]->status == UNAVAILABLE)
		return "answered 503";
	return x->icmp_at.frame ? "was not reached, says ICMP" : "did not answer";
}

static void say_what(const struct fault *x, char *text, size_t room)
{
	if (x->service->kind == SERVICE_ACCOUNT)
		snprintf(text, room, "%s cannot register", x->service->name);
	else
		snprintf(text, room, "calls fail");
}

static void tell_title(struct finding *f, const struct fault *x, const char *client, const char *first,
	const char *second)
{
	char act[3 * SAY_TEXT], effect[2 * SAY_TEXT];

	say_what(x, effect, sizeof effect);
	if (strcmp(x->reason, "no-alternative-tried") == 0) {
		snprintf(act, sizeof act, "%s does not turn to %s", client, second);
	} else if (strcmp(x->reason, "alternative-failed") == 0) {
		snprintf(act, sizeof act, "%s and %s both fail", first, second);
	} else {
		snprintf(act, sizeof act, "%s stays at %s", client, second);
		snprintf(effect, sizeof effect, "%s works again", first);
	}
	say_title(f, act, effect);
}

static void tell_cause(const struct detection *d, struct finding *f, const struct fault *x, const char *client,
	const char *first, const char *second)
{
	const struct service *s = x->service;
	char of[SERVICE_NAME + 16] = "", times[40] = "";

	if (*s->name)
		snprintf(of, sizeof of, " for %s", s->name);
	if (x->failures > 1)
		snprintf(times, sizeof times, ", %u times", x->failures);
	if (strcmp(x->reason, "no-alternative-tried") == 0)
		finding_cause(f, "%s %s when %s asked it%s%s, and within %.0f s of that nothing went to %s, %s.", first,
			failed_how(x), client, of, times,
			      detection_key(d, "window-s"), second,
			      x->second < SERVICE_SERVER_MAX ? "which it has used before"
			      : x->named_at.frame ? "which DNS has named to it beside the first one (SRV)"
			      : "which the profile names");
	else if (strcmp(x->reason, "alternative-failed") == 0)
		finding_cause(f, "%s %s when %s asked it%s%s; %s, asked next, %s.", first, failed_how(x), client, of,
			times, second,
			      x->other->status == UNAVAILABLE ? "answered 503" : "did not serve either");
	else
		finding_cause(f, "%s %s, and %s went to %s%s; %.0f min after the first one has begun to answer others again it still asks only the second.", first,
			      failed_how(x), client, second, of,
			      (double)ns_minus(x->other->at.at_ns, x->back_ns) / 60e9);
}

static void tell_fix(struct finding *f, const struct fault *x, const char *client, const char *first,
	const char *second)
{
	if (strcmp(x->reason, "no-alternative-tried") == 0 && x->named_at.frame)
		finding_fix(f, "Let %s use what DNS tells it (SRV, its firmware and its time-out), or enter %s as its second server; then find out why %s failed.",
			client, second, first);
	else if (strcmp(x->reason, "no-alternative-tried") == 0)
		finding_fix(f, "See that %s has %s as second server, or finds both in DNS (SRV), and gives up the first one after seconds; then find out why %s failed.",
			    client, second, first);
	else if (strcmp(x->reason, "alternative-failed") == 0)
		finding_fix(f,
			"Look at what %s and %s share: line, firewall, DNS, provider; test each of them alone from %s.",
			first, second, client);
	else
		finding_fix(f, "Have %s look for its first server again every few minutes (failback), or register it anew by hand; the second one may be meant for emergencies only.",
			    client);
}

static void add_evidence(struct finding *f, const struct fault *x)
{
	for (unsigned i = 0; i < x->try_count && i < 4; i++) {
		const struct service_try *t = x->tries[i];

		finding_evidence(f, t->at, "asked at the first server, the first of %u", t->copies);
		if (t->final_at.frame)
			finding_evidence(f, t->final_at, "%u", t->status);
	}
	if (x->named_at.frame)
		finding_evidence(f, x->named_at, "DNS names both servers");
	if (x->icmp_at.frame)
		finding_evidence(f, x->icmp_at, "ICMP error");
	if (x->other)
		finding_evidence(f, x->other->at, "asked at the second server");
	if (x->other && x->other->final_at.frame)
		finding_evidence(f, x->other->final_at, "%u", x->other->status);
}

static void add_parts(struct finding *f, const struct fault *x)
{
	finding_part(f, PART_VICTIM, &x->tries[0]->src);
	finding_part(f, strcmp(x->reason, "no-failback") == 0 ? PART_WITNESS : PART_CULPRIT, server_at(x, x->first));
	if (x->second < SERVICE_SERVER_MAX)
		finding_part(f, strcmp(x->reason, "alternative-failed") == 0 ? PART_CULPRIT : PART_WITNESS,
			server_at(x, x->second));
	else if (address_known(&x->named))
		finding_part(f, PART_WITNESS, &(struct endpoint){ x->named, 0 });
}

/* Clients that met the same at the same servers. */
static struct finding *tell(struct detection *d, const struct fault *list, unsigned count)
{
	const struct facts *facts = detection_facts(d);
	const struct fault *x = &list[0];
	struct finding *f = detection_raise_keyed(d, x->service->n, x->reason, x->severity, x->confidence);
	char client[SAY_TEXT], first[SAY_TEXT], second[SAY_TEXT];

	f->count = 0;
	for (unsigned i = 0; i < count; i++) {
		add_parts(f, &list[i]);
		f->count += list[i].failures;
		if (i < 3)
			add_evidence(f, &list[i]);
	}
	say_host(facts, &x->service->client, client);
	say_host(facts, &server_at(x, x->first)->addr, first);
	say_second(facts, x, second);
	finding_times(f, x->tries[0]->at.at_ns,
		x->other ? x->other->at.at_ns : x->tries[x->try_count - 1]->last_at.at_ns);
	tell_title(f, x, client, first, second);
	tell_cause(d, f, x, client, first, second);
	tell_fix(f, x, client, first, second);
	if (x->confidence == CONFIDENCE_POSSIBLE)
		finding_cannot_see(f,
			"whether %s reaches its second server by a way that does not pass this capture point", client);
	return f;
}

/* ---- which calls ---- */

struct failed_call { uint64_t call_id; struct finding *finding; };

static int failed_compare(const void *a, const void *b)
{
	const struct failed_call *x = a, *y = b;

	return (x->call_id > y->call_id) - (x->call_id < y->call_id);
}

static void link_calls(const struct facts *facts, struct failed_call *list, unsigned count)
{
	if (count)
		qsort(list, count, sizeof *list, failed_compare);
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		struct failed_call key = { .call_id = hash_bytes(leg->call_id.p, leg->call_id.n) };
		const struct failed_call *x = count ? bsearch(&key, list, count, sizeof *list, failed_compare) : NULL;

		if (x)
			finding_leg(x->finding, leg);
	}
}

static int fault_compare(const void *a, const void *b)
{
	const struct fault *x = a, *y = b;
	int c = strcmp(x->reason, y->reason);

	if (c == 0)
		c = address_compare(&server_at(x, x->first)->addr, &server_at(y, y->first)->addr);
	if (c == 0)
		c = (int)(x->second == SERVICE_SERVER_MAX) - (int)(y->second == SERVICE_SERVER_MAX);
	if (c == 0 && x->second < SERVICE_SERVER_MAX)
		c = address_compare(&server_at(x, x->second)->addr, &server_at(y, y->second)->addr);
	if (c == 0)
		c = (int)y->severity - (int)x->severity;
	if (c == 0)
		c = (int)y->confidence - (int)x->confidence;
	return c ? c : (x->service->n > y->service->n) - (x->service->n < y->service->n);
}

static bool alike(const struct fault *x, const struct fault *y)
{
	return strcmp(x->reason, y->reason) == 0 &&
	       address_equal(&server_at(x, x->first)->addr, &server_at(y, y->first)->addr) &&
	       x->severity == y->severity &&
		x->confidence == y->confidence &&
		(x->second == SERVICE_SERVER_MAX) == (y->second == SERVICE_SERVER_MAX) &&
		(x->second == SERVICE_SERVER_MAX ||
		address_equal(&server_at(x, x->second)->addr, &server_at(y, y->second)->addr));
}

static void tell_all(struct detection *d, struct fault *list, unsigned count)
{
	struct failed_call *calls = memory_resize(NULL, count * FAULT_TRIES + 1u, 2 * sizeof *calls);
	unsigned call_count = 0, n;

	if (count)
		qsort(list, count, sizeof *list, fault_compare);
	for (unsigned i = 0; i < count; i += n) {
		struct finding *f;

		for (n = 1; i + n < count && alike(&list[i], &list[i + n]);)
			n++;
		f = tell(d, &list[i], n);
		for (unsigned k = i; k < i + n; k++) {
			for (unsigned t = 0; t < list[k].try_count; t++)
				calls[call_count++] = (struct failed_call){ list[k].tries[t]->call_id, f };
			if (list[k].other)
				calls[call_count++] = (struct failed_call){ list[k].other->call_id, f };
		}
	}
	link_calls(detection_facts(d), calls, call_count);
	free(calls);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct list *all = services_in_order(facts->services);
	const struct peers *profile = &facts->site->failover;
	bool named = profile->nets.count + profile->names.count > 1;
	struct history *v = memory_zalloc(sizeof *v);
	struct fault *list = NULL;
	unsigned count = 0, room = 0;

	(void)ev;
	LIST_EACH(it, all) {
		const struct service *s = LIST_ENTRY(it, struct service, in_order);
		struct fault x = { 0 };

		if ((s->server_count < 2 && !named && !srv_told(facts->srv, &s->client)) ||
		    sources_attacker(facts->sources, &s->client))
			continue;
		judge_service(d, s, v, &x);
		if (!x.reason)
			continue;
		if (count == room) {
			room = room ? room * 2 : 16;
			list = memory_resize(list, room, sizeof *list);
		}
		list[count++] = x;
	}
	tell_all(d, list, count);
	if (count == 0)
		detection_pass(d, NULL, "no server failed for which a second one is known (%zu services)", all->count);
	free(list);
	free(v);
}

const struct detector detect_failover_broken = {
	.id = "failover-broken", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING,
};
