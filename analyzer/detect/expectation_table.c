/* SPDX-License-Identifier: MIT */
/* expectation_table: calls from one socket to another, those that vanish against those that were up then. */
#include "analyzer/detect/expectation_table.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"
#include "analyzer/network/sip_hop.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

enum {
	VAIN_COPIES = 3,             /* of an INVITE: two losses in a row happen */
	VAIN_LEAST = 2,              /* calls that vanish */
	FINE_LEAST = 3,              /* and others that were answered */
	SIZE_MARGIN = 50,            /* bytes: other numbers make an INVITE a little longer */
	TELL_CALLS = 3
};

struct attempt {                     /* the INVITE of a leg, where it was seen first */
	const struct leg *leg;
	const struct message *invite;
	bool vain;                   /* never answered, not even by 100 */
};

/* ---- all calls, by the two sockets ---- */

static int pair_compare(const struct attempt *x, const struct attempt *y)
{
	int order = endpoint_compare(&x->invite->src, &y->invite->src);

	return order ? order : endpoint_compare(&x->invite->dst, &y->invite->dst);
}

static int attempt_compare(const void *a, const void *b)
{
	const struct attempt *x = a, *y = b;
	int order = pair_compare(x, y);

	return order ? order : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

static const struct transaction *first_invite(const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && t->request)
			return t;
	}
	return NULL;
}

/* With SDP, by UDP, from inside over a router to outside: only there a helper stands in the way. */
static size_t attempts_gather(const struct facts *facts, struct attempt *list)
{
	size_t count = 0;

	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		const struct transaction *t = first_invite(leg);
		const struct message *m = t ? t->request : NULL;

		if (!m || !m->sdp || m->transport != TRANSPORT_UDP || m->has_to_tag ||
		    !site_inside(facts->site, &m->src.addr) || site_inside(facts->site, &m->dst.addr))
			continue;
		list[count++] = (struct attempt){ leg, m, !t->provisional && !t->final &&
			t->request_copies >= VAIN_COPIES };
	}
	sort(list, count, sizeof *list, attempt_compare);
	return count;
}

/* ---- how many were up ---- */

struct load {                        /* of calls of one pair of sockets, when they were answered and when they ended */
	int64_t *begin, *end;
	size_t count;
};

static int time_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct load load_of(const struct attempt *list, size_t count)
{
	struct load l = { memory_resize(NULL, count, sizeof *l.begin), memory_resize(NULL, count, sizeof *l.end), 0 };

	for (size_t i = 0; i < count; i++) {
		const struct leg *leg = list[i].leg;

		if (!leg->answered || leg->answer_ns == NS_NONE)
			continue;
		l.begin[l.count] = leg->answer_ns;
		l.end[l.count++] = leg->end_ns == NS_NONE ? INT64_MAX : leg->end_ns;
	}
	if (l.count) {
		qsort(l.begin, l.count, sizeof *l.begin, time_compare);
		qsort(l.end, l.count, sizeof *l.end, time_compare);
	}
	return l;
}

static unsigned calls_up(const struct load *l, int64_t at_ns)
{
	return (unsigned)(sorted_times_until(l->begin, l->count, at_ns) -
		sorted_times_until(l->end, l->count, at_ns));
}

/* ---- judgement ---- */

struct table {
	unsigned vain, fine;
	unsigned up;                 /* fewest calls when one vanished */
	unsigned fine_up;            /* most calls when one was answered */
	uint32_t vain_bytes, fine_bytes;     /* least of the ones, most of the others */
	const struct attempt *first, *last;  /* that vanished */
	const struct attempt *answered;      /* with most calls up */
};

static struct table table_of(const struct attempt *list, size_t count, const struct load *load)
{
	struct table t = { .up = UINT_MAX, .vain_bytes = UINT32_MAX };

	for (size_t i = 0; i < count; i++) {
		const struct message *m = list[i].invite;
		unsigned up = calls_up(load, m->at.at_ns);

		if (list[i].vain) {
			t.vain++;
			t.up = up < t.up ? up : t.up;
			t.vain_bytes = m->bytes_on_wire < t.vain_bytes ? m->bytes_on_wire : t.vain_bytes;
			t.first = t.first ? t.first : &list[i];
			t.last = &list[i];
		} else if (list[i].leg->status || list[i].leg->progress_ns != NS_NONE) {
			t.fine++;
			t.fine_bytes = m->bytes_on_wire > t.fine_bytes ? m->bytes_on_wire : t.fine_bytes;
			t.answered = !t.answered || up >= t.fine_up ? &list[i] : t.answered;
			t.fine_up = up > t.fine_up ? up : t.fine_up;
		}
	}
	return t;
}

static const struct transaction *transaction_of(const struct attempt *x)
{
	return x->invite->transaction;
}

/* Is the silence seen, and does anything else pass between the two meanwhile? */
static bool alive_beside(struct detection *d, const struct table *t)
{
	const struct facts *facts = detection_facts(d);
	const struct message *m = t->last->invite;
	struct silence s = { .src = m->src, .dst = m->dst, .first_ns = m->at.at_ns,
		.last_ns = transaction_of(t->last)->last_ns, .copies = transaction_of(t->last)->request_copies };
	const struct sip_hop *hop = sip_hops_find(facts->hops, &m->src, &m->dst);
	enum witness witness;
	const char *gate = silence_gate(facts, &s, detection_config(d, "signalling", "tail-s"), &witness);

	if (gate) {
		detection_pass(d, gate, "%s", silence_gate_text(gate));
		return false;
	}
	return hop && sip_hop_answered_within(hop, t->first->invite->at.at_ns, s.last_ns);
}

static bool is_full(struct detection *d, const struct table *t)
{
	return t->vain >= VAIN_LEAST && t->fine >= FINE_LEAST && t->up >= detection_key(d, "helper-calls") &&
	       t->fine_up < t->up && t->fine_bytes + SIZE_MARGIN >= t->vain_bytes && alive_beside(d, t);
}

static void tell(struct detection *d, const struct attempt *list, size_t count, const struct table *t)
{
	const struct facts *facts = detection_facts(d);
	const struct message *m = t->first->invite;
	struct finding *f = detection_raise_keyed(d, hash_mix(endpoint_key(&m->src), endpoint_key(&m->dst)),
		"expectation-table-full", SEVERITY_WARNING, CONFIDENCE_POSSIBLE);
	char from[SAY_TEXT], to[SAY_TEXT], act[SAY_TEXT + 40], router[ADDRESS_TEXT] = "the router";

	if (facts->vantage.kind == VANTAGE_INSIDE_NAT && facts->vantage.host)
		address_text(&facts->vantage.host->addr, router);
	say_host(facts, &m->src.addr, from);
	say_host(facts, &m->dst.addr, to);
	finding_part(f, PART_VICTIM, &m->src);
	finding_part(f, PART_WITNESS, &m->dst);
	finding_times(f, m->at.at_ns, transaction_of(t->last)->last_ns);
	f->count = t->vain;
	snprintf(act, sizeof act, "Calls to %s vanish while %u are up", to, t->up);
	say_title(f, act, "a SIP helper may be full");
	finding_cause(f, "%u INVITEs with SDP from %s to %s were not answered, not even by 100, while at least %u calls were up between the two; other requests were answered meanwhile, and so were all %u calls that began with at most %u up. A SIP helper (ALG) in %s behaves like this when it has no place for one more media port: it drops the packet (Linux logs \"all ports in use for SDP media\").",
		t->vain, from, to, t->up, t->fine, t->fine_up, router);
	finding_fix(f, "Look for such a message in the log of %s for that time. Switch its SIP helper off and let %s send a keepalive every 20 s instead, as mappings live shorter without it; else raise its limit of expectations.",
		router, from);
	finding_cannot_see(f, "what the helper does: a server that drops calls above its limit without a word looks alike");
	if (t->answered)
		finding_evidence(f, t->answered->invite->at, "answered, with %u calls up", t->fine_up);
	for (size_t i = 0, told = 0; i < count; i++) {
		if (!list[i].vain)
			continue;
		finding_leg(f, list[i].leg);
		if (told++ < TELL_CALLS)
			finding_evidence(f, list[i].invite->at, "INVITE with SDP, never answered");
	}
}

unsigned expectation_tables_judge(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	struct attempt *list = memory_resize(NULL, calls_legs(facts->calls)->count + 1, sizeof *list);
	size_t count = attempts_gather(facts, list), n;
	unsigned told = 0;

	for (size_t i = 0; i < count; i += n) {
		struct load load;
		struct table t;

		for (n = 1; i + n < count && pair_compare(&list[i], &list[i + n]) == 0;)
			n++;
		load = load_of(&list[i], n);
		t = table_of(&list[i], n, &load);
		if (is_full(d, &t)) {
			tell(d, &list[i], n, &t);
			told++;
		}
		free(load.begin);
		free(load.end);
	}
	free(list);
	return told;
}
