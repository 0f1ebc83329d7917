/* SPDX-License-Identifier: MIT */
/* tcp_fallback: attempts by TCP that fail, met with the large requests just before them in one walk over all legs. */
#include "analyzer/detect/tcp_fallback.h"

#include "analyzer/detect/say.h"
#include "analyzer/detect/witness.h"

enum {
	ADDED_CREDENTIALS = 250,     /* bytes of an Authorization header, as phones write it */
	ADDED_HOP = 150,             /* of a Via and a Record-Route */
	SYNS_LEAST = 3
};

#define TURN_NS (2 * SECOND_NS)              /* from the request, or its challenge, to the SYN */
#define GIVE_UP_NS (32 * SECOND_NS)          /* RFC 3261 17.1.1.2, timer B */

/* ---- attempts by TCP beside a way by UDP that works ---- */

static bool is_silent(struct detection *d, const struct flow *x)
{
	struct silence s = { .src = x->client, .dst = x->server, .first_ns = x->first_ns, .last_ns = x->syn_ns,
		.copies = x->syns };
	enum witness witness;

	return !flow_accepted(x) && !flow_refused(x) && x->syns >= SYNS_LEAST &&
	       !silence_gate(detection_facts(d), &s, detection_config(d, "signalling", "tail-s"), &witness);
}

static void take_group(struct tcp_fallbacks *l, struct detection *d, const struct attempts *a)
{
	const struct facts *facts = detection_facts(d);
	const struct flow *failed = NULL;
	const struct sip_path *udp = sip_paths_find(facts->paths, &a->flows[0]->client.addr, &a->flows[0]->server,
		TRANSPORT_UDP);

	if (!udp || !udp->answered || l->count == sizeof l->list / sizeof *l->list)
		return;
	for (unsigned i = 0; i < a->count; i++) {
		if (flow_accepted(a->flows[i]))
			return;
		if (!failed && (flow_refused(a->flows[i]) || is_silent(d, a->flows[i])))
			failed = a->flows[i];
	}
	if (failed)
		l->list[l->count++] = (struct tcp_fallback){ .flow = failed, .udp = udp,
			.hidden = !flow_refused(failed) };
}

/* ---- the requests before them ---- */

static bool at_client(const struct tcp_fallback *x, const struct endpoint *e)
{
	return address_equal(&e->addr, &x->flow->client.addr);
}

/* Did the request go to that server after all, by whatever way? */
static bool went_on(const struct tcp_fallback *x, const struct leg *leg, int64_t from_ns)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->request && m->method != SIP_ACK && m->method != SIP_CANCEL && m->at.at_ns > from_ns &&
		    at_client(x, &m->src) && address_equal(&m->dst.addr, &x->flow->server.addr))
			return true;
	}
	return false;
}

static bool any_leg_went_on(const struct tcp_fallback *x, const struct leg *leg, int64_t from_ns)
{
	LIST_EACH(it, &leg->call->legs) {
		if (went_on(x, LIST_ENTRY(it, struct leg, in_call), from_ns))
			return true;
	}
	return false;
}

/* The client's own request, challenged: what comes next carries credentials. */
static int64_t challenged_ns(const struct tcp_fallback *x, const struct message *m)
{
	const struct message *final = m->transaction ? m->transaction->final : NULL;

	if (m->transport != TRANSPORT_UDP || !at_client(x, &m->src) || !final ||
	    (final->status != 401 && final->status != 407) || !endpoint_equal(&m->dst, &x->flow->server))
		return NS_NONE;
	return final->at.at_ns;
}

static void note_request(struct tcp_fallback *x, const struct message *m, uint32_t bytes, bool passed_on)
{
	unsigned i = 0;

	while (i < x->leg_count && x->legs[i] != message_leg(m))
		i++;
	if (i < x->leg_count)
		return;
	if (x->leg_count < FALLBACK_LEGS)
		x->legs[x->leg_count++] = message_leg(m);
	x->requests++;
	x->last_ns = m->at.at_ns;
	if (x->request)
		return;
	x->request = m;
	x->bytes = bytes;
	x->passed_on = passed_on;
}

/* Is there an attempt just behind that time? They are in order of time. */
static bool tried_behind(const struct attempts *group, int64_t at_ns)
{
	unsigned low = 0, high = group->count;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;

		if (group->flows[mid]->first_ns < at_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low < group->count && group->flows[low]->first_ns <= ns_add(at_ns, TURN_NS);
}

static void match(struct tcp_fallback *x, const struct attempts *group, const struct message *m, int64_t end_ns)
{
	int64_t at_ns = challenged_ns(x, m);
	bool passed_on = at_ns == NS_NONE && at_client(x, &m->dst) && !address_equal(&m->src.addr,
		&x->flow->server.addr);
	uint32_t bytes = m->bytes_on_wire + (passed_on ? ADDED_HOP : ADDED_CREDENTIALS);

	if ((at_ns == NS_NONE && !passed_on) || bytes < FALLBACK_BYTES)
		return;
	if (passed_on)
		at_ns = m->at.at_ns;
	if (!tried_behind(group, at_ns) || end_ns < ns_add(at_ns, GIVE_UP_NS) ||
	    any_leg_went_on(x, message_leg(m), at_ns))
		return;
	note_request(x, m, bytes, passed_on);
}

static const struct attempts *group_of(const struct attempts_list *l, const struct tcp_fallback *x)
{
	for (unsigned i = 0; i < l->count; i++) {
		for (unsigned k = 0; k < l->groups[i].count; k++) {
			if (l->groups[i].flows[k] == x->flow)
				return &l->groups[i];
		}
	}
	return NULL;
}

static void drop_unmatched(struct tcp_fallbacks *l)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < l->count; i++) {
		if (l->list[i].request)
			l->list[kept++] = l->list[i];
	}
	l->count = kept;
}

void tcp_fallbacks_find(struct tcp_fallbacks *ret, struct detection *d, const struct attempts_list *attempts)
{
	const struct facts *facts = detection_facts(d);
	const struct attempts *groups[sizeof ret->list / sizeof *ret->list];

	ret->count = 0;
	for (unsigned i = 0; i < attempts->count; i++)
		take_group(ret, d, &attempts->groups[i]);
	for (unsigned i = 0; i < ret->count; i++)
		groups[i] = group_of(attempts, &ret->list[i]);
	LIST_EACH(leg_it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(leg_it, struct leg, in_order);

		if (ret->count == 0)
			return;
		CHAIN_EACH(it, &leg->messages) {
			const struct message *m = LIST_ENTRY(it, struct message, in_leg);

			if (!m->request || m->method == SIP_ACK || m->repeat != MESSAGE_FIRST ||
			    m->bytes_on_wire + ADDED_CREDENTIALS < FALLBACK_BYTES)
				continue;
			for (unsigned i = 0; i < ret->count; i++)
				match(&ret->list[i], groups[i], m, facts->capture->last_ns);
		}
	}
	drop_unmatched(ret);
}

const struct tcp_fallback *tcp_fallbacks_of(const struct tcp_fallbacks *l, const struct attempts *group)
{
	for (unsigned i = 0; i < l->count; i++) {
		for (unsigned k = 0; k < group->count; k++) {
			if (group->flows[k] == l->list[i].flow)
				return &l->list[i];
		}
	}
	return NULL;
}

/* ---- what is said ---- */

void tcp_fallback_say(struct finding *f, const struct facts *facts, const struct tcp_fallback *x)
{
	struct endpoint client = { x->flow->client.addr, 0 };
	char who[SAY_TEXT], where[SAY_TEXT];
	const char *method = sip_method_name(x->request->method);

	finding_part(f, PART_VICTIM, &client);
	finding_part(f, x->hidden ? PART_WITNESS : PART_CULPRIT, &x->flow->server);
	finding_times(f, x->request->at.at_ns, x->last_ns);
	f->count = x->requests;
	say_host(facts, &x->flow->client.addr, who);
	say_host(facts, &x->flow->server.addr, where);
	if (x->passed_on)
		finding_cause(f, "%s of %s bytes comes to %s and is to go on to %s with one more Via.", method,
			SAY_COUNT(x->request->bytes_on_wire), who, where);
	else
		finding_cause(f, "%s sends %s of %s bytes to %s and is asked for credentials, which make it larger still.",
			who, method, SAY_COUNT(x->request->bytes_on_wire), where);
	text_addf(&f->cause, " Above %s bytes SIP has to leave UDP for TCP (RFC 3261 18.1.1): the SYN that follows is %s, and the request never goes out%s.",
		SAY_COUNT(FALLBACK_BYTES), x->hidden ? "not answered" : "refused",
		x->hidden ? "" : ", not even by UDP, as 18.1.1 wants it then");
	if (x->requests > 1)
		text_addf(&f->cause, " So it is with %u requests.", x->requests);
	text_addf(&f->cause, " Smaller ones go by UDP and are answered (%u of %u).", x->udp->answered, x->udp->asked);
}

void tcp_fallback_fix(struct finding *f, const struct facts *facts, const struct tcp_fallback *x)
{
	char who[SAY_TEXT], where[SAY_TEXT];

	say_host(facts, &x->flow->client.addr, who);
	say_host(facts, &x->flow->server.addr, where);
	finding_fix(f, "Let %s take SIP by TCP at port %u, through every firewall on the way, as RFC 3261 18 wants of all; else make the messages smaller (fewer codecs, no video, compact headers), or switch the change to TCP off at %s (pjsip: disable_tcp_switch=yes; Kamailio: udp_mtu=0) if IP fragments pass.",
		where, x->flow->server.port, who);
}

void tcp_fallback_evidence(struct finding *f, const struct tcp_fallback *x)
{
	finding_evidence(f, x->udp->answered_at, "a smaller request is answered by UDP");
	finding_evidence(f, x->request->at, "%s of %s bytes", sip_method_name(x->request->method),
		SAY_COUNT(x->request->bytes_on_wire));
	finding_evidence(f, x->flow->first_at, "the change to TCP: SYN");
	if (!x->hidden)
		finding_evidence(f, x->flow->side[FLOW_SERVER].rst_at, "refused");
	for (unsigned i = 0; i < x->leg_count; i++)
		finding_leg(f, x->legs[i]);
}
