/* SPDX-License-Identifier: MIT */
/* via_lies: an answer is lost when who asked goes on asking, refuses it by ICMP, or refuses the connection for it. */
#include "analyzer/detect/via_lies.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/say.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

enum { PATHS_LOOKED_AT = 64 };

#define KEY_LIE (UINT64_C(1) << 60)

static const char *name_of(uint8_t transport)
{
	return transport == TRANSPORT_UDP ? "UDP" : transport == TRANSPORT_TLS ? "TLS" : "TCP";
}

/* It got its way with that server by another path. */
static bool took_over(const struct facts *facts, const struct sip_path *x)
{
	const struct sip_path *o = NULL;

	for (unsigned i = 0; i < PATHS_LOOKED_AT; i++) {
		o = sip_paths_between(facts->paths, &x->client, &x->server.addr, o);
		if (!o)
			break;
		if (o != x && o->bound && o->bound_ns >= x->first_ns)
			return true;
	}
	return flows_secured_since(facts->flows, &x->client, &x->server, x->first_ns);
}

static struct finding *raise_lie(struct detection *d, const struct sip_path *x)
{
	const struct facts *facts = detection_facts(d);
	const struct via_lie *l = x->lie;
	struct endpoint client = { x->client, 0 };
	struct finding *f = detection_raise_keyed(d, KEY_LIE | x->n, "via-lies", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	char who[SAY_TEXT], effect[SAY_TEXT];

	say_host(facts, &x->client, who);
	finding_part(f, PART_VICTIM, &client);
	finding_part(f, PART_CULPRIT, &client);
	finding_part(f, PART_WITNESS, &x->server);
	f->count = l->requests;
	snprintf(effect, sizeof effect, "sent by %s, its Via says %s, answers get lost", name_of(x->transport),
		name_of(l->says));
	say_title(f, who, effect);
	finding_fix(f, "Set one transport for %s, its account or trunk: what it sends by and what it writes into Via must be the same (transport, outbound proxy, then firmware). If it writes %s itself, something on the way rewrites Via or carries its requests on by %s: an ALG, or a proxy.",
		who, name_of(x->transport), name_of(x->transport));
	finding_evidence(f, l->first_at, "sent by %s, Via says %s", name_of(x->transport), name_of(l->says));
	return f;
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct sip_path *x, const char *then)
{
	const struct via_lie *l = x->lie;
	char who[SAY_TEXT], where[SAY_TEXT];

	say_host(facts, &x->client, who);
	say_host(facts, &x->server.addr, where);
	finding_cause(f, "%s sends its requests to %s by %s, and their Via says %s: a server answers the way that Via says (RFC 3261 18.2.2). %s",
		who, where, name_of(x->transport), name_of(l->says), then);
}

/* ---- connections back ---- */

struct back {                        /* a server's attempts to answer by a connection of its own */
	const struct flow *first, *last;
	unsigned count, refused;
};

/* Whose requests made the server connect there? NULL: nobody's. */
static const struct sip_path *path_behind(const struct facts *facts, const struct flow *back)
{
	const struct sip_path *x = NULL;

	for (unsigned i = 0; i < PATHS_LOOKED_AT; i++) {
		x = sip_paths_between(facts->paths, &back->server.addr, &back->client.addr, x);
		if (!x)
			return NULL;
		if (x->lie && x->transport == TRANSPORT_UDP && !x->lie->arrived && !x->answered &&
		    x->lie->sent_by.port == back->server.port && x->lie->first_at.at_ns <= back->first_ns)
			return x;
	}
	return NULL;
}

static void tell_back(struct detection *d, const struct sip_path *x, const struct back *b, struct finding **told)
{
	const struct facts *facts = detection_facts(d);
	char where[SAY_TEXT], to[ENDPOINT_TEXT], then[SAY_TEXT + 160];
	int64_t last_ns = b->last->last_ns > x->last_ns ? b->last->last_ns : x->last_ns;
	struct finding *f = told[x->n] = raise_lie(d, x);

	say_host(facts, &x->server.addr, where);
	snprintf(then, sizeof then, "%s answers none of them by UDP: it tries to connect to %s, %u time%s, %s.", where,
		endpoint_text(&b->first->server, to), b->count, b->count == 1 ? "" : "s",
		b->refused ? "and is refused" : "and nothing comes back");
	tell_cause(f, facts, x, then);
	finding_times(f, x->lie->first_at.at_ns, last_ns);
	finding_evidence(f, b->first->first_at, "the server connects to where Via says");
	if (flow_refused(b->first))
		finding_evidence(f, b->first->side[FLOW_SERVER].rst_at, "refused");
}

static bool any_lie(const struct list *paths)
{
	LIST_EACH(it, paths) {
		if (LIST_ENTRY(it, struct sip_path, in_order)->lie)
			return true;
	}
	return false;
}

void via_lies_connects(struct detection *d, struct finding **told)
{
	const struct facts *facts = detection_facts(d);
	const struct list *paths = sip_paths_in_order(facts->paths);
	struct back *backs;

	if (!any_lie(paths))
		return;
	backs = memory_zalloc((paths->count + 1) * sizeof *backs);
	LIST_EACH(it, flows_in_order(facts->flows)) {
		const struct flow *x = LIST_ENTRY(it, struct flow, in_order);
		const struct sip_path *path = flow_accepted(x) ? NULL : path_behind(facts, x);
		struct back *b = path ? &backs[path->n] : NULL;

		if (!b || x->syns == 0)
			continue;
		if (b->count++ == 0)
			b->first = x;
		b->last = x;
		b->refused += flow_refused(x);
	}
	LIST_EACH(it, paths) {
		const struct sip_path *x = LIST_ENTRY(it, struct sip_path, in_order);
		const struct back *b = &backs[x->n];

		if (b->count && (b->refused || b->first->syns > 1) && !took_over(facts, x))
			tell_back(d, x, b, told);
	}
	free(backs);
}

bool via_lies_told(const struct facts *facts, const struct flow *back, struct finding *const *told)
{
	const struct sip_path *x = path_behind(facts, back);

	return x && told[x->n];
}

/* ---- answers ---- */

/* Nothing listens where the answers went. */
static const struct icmp_record *refusal(const struct facts *facts, const struct sip_path *x)
{
	uint32_t hash = icmp_hash(&x->lie->sent_to);

	for (struct hash_link *it = hash_first(facts->icmp_by_dst, hash); it; it = it->next) {
		const struct icmp_record *i = HASH_ENTRY(it, struct icmp_record, by_dst);

		if (it->hash == hash && endpoint_equal(&i->dst, &x->lie->sent_to) &&
		    address_equal(&i->src.addr, &x->server.addr) && i->at.at_ns >= x->lie->astray_at.at_ns)
			return i;
	}
	return NULL;
}

static void tell_astray(struct finding *f, const struct facts *facts, const struct sip_path *x,
	const struct icmp_record *icmp)
{
	const struct via_lie *l = x->lie;
	char where[SAY_TEXT], who[SAY_TEXT], to[ENDPOINT_TEXT], then[2 * SAY_TEXT + 160];

	say_host(facts, &x->server.addr, where);
	say_host(facts, &x->client, who);
	endpoint_text(&l->sent_to, to);
	if (icmp)
		snprintf(then, sizeof then, "%s answers to %s by %s, and ICMP says that nothing listens there.",
			where, to, name_of(l->says));
	else
		snprintf(then, sizeof then, "%s answers to %s by %s (%s), and %s asks again, %s, as if nothing had come.",
			where, to, name_of(l->says), SAY_COUNTED(l->astray, "answer"), who,
			SAY_COUNTED(l->repeated, "time"));
	tell_cause(f, facts, x, then);
	finding_times(f, l->first_at.at_ns, l->last_ns);
	finding_evidence(f, l->astray_at, "answered by %s, to %s", name_of(l->says), to);
	if (icmp)
		finding_evidence(f, icmp->at, "ICMP: nothing listens there");
	else
		finding_evidence(f, l->repeated_at, "asked again after that");
}

struct finding *via_lies_judge(struct detection *d, const struct sip_path *x)
{
	const struct facts *facts = detection_facts(d);
	const struct via_lie *l = x->lie;
	const struct icmp_record *icmp;
	struct finding *f;

	if (!l || !l->astray || site_stranger(facts->site, &x->client, &x->server.addr))
		return NULL;
	if (l->arrived) {
		detection_pass(d, "arrived", "Via names another transport than carries the requests, and answers arrive all the same");
		return NULL;
	}
	icmp = refusal(facts, x);
	if (!icmp && l->repeated < detection_key(d, "tries")) {
		detection_pass(d, "unknown", "Via names another transport than carries the requests; whether answers arrive cannot be told: asked again %u times",
			l->repeated);
		return NULL;
	}
	if (took_over(facts, x)) {
		detection_pass(d, "took-over", "another transport or port did what this one could not");
		return NULL;
	}
	f = raise_lie(d, x);
	tell_astray(f, facts, x, icmp);
	return f;
}
