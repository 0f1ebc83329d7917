/* SPDX-License-Identifier: MIT */
/*
 * dropped_reason: why a message did not come out: what SIP helpers are known to refuse, what ICMP says, what the lost
 * ones have in common.
 */
#include "analyzer/detect/dropped_in_path.h"

#include <stdlib.h>

#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/icmp_says.h"
#include "captures/base/memory.h"

enum { OVERSIZE_BYTES = 1280, PATTERN_MIN = 2, OVERSIZE_ALONE_BYTES = 1400, REPEATED_MIN = 3 };

#define ICMP_LATE_NS (5 * SECOND_NS)
#define EXPECTATION_NS (180 * SECOND_NS)      /* how long the Linux helper keeps an expected media port */

static bool in_time(const struct icmp_record *r, const struct lost_message *m)
{
	return r->readable && r->protocol == 17 && r->at.at_ns >= m->first.at_ns &&
	       r->at.at_ns <= ns_add(m->last.at_ns, ICMP_LATE_NS);
}

/* The first of them. */
static const struct icmp_record *icmp_quoting(const struct facts *facts, const struct lost_message *m,
	const struct endpoint *src, const struct endpoint *dst)
{
	const struct icmp_record *first = NULL;
	uint32_t hash = icmp_hash(dst);

	for (struct hash_link *it = hash_first(facts->icmp_by_dst, hash); it; it = it->next) {
		const struct icmp_record *r = HASH_ENTRY(it, struct icmp_record, by_dst);

		if (it->hash == hash && in_time(r, m) && endpoint_equal(&r->src, src) && endpoint_equal(&r->dst, dst) &&
		    (!first || r->at.at_ns < first->at.at_ns))
			first = r;
	}
	return first;
}

const char *dropped_reason(const struct facts *facts, const struct lost_message *m, const struct icmp_record **ret_icmp)
{
	*ret_icmp = icmp_quoting(facts, m, &m->src, &m->dst);
	if (!*ret_icmp)
		*ret_icmp = icmp_quoting(facts, m, &m->behind_src, &m->behind_dst);
	if (*ret_icmp)
		return icmp_torn(*ret_icmp) ? "oversize" : "icmp";
	if (m->sdp_low_port)
		return "sdp-port-privileged";
	if (m->sdp_other_family)
		return "sdp-address-family";
	if (m->sdp_no_connection)
		return "sdp-no-connection";
	if (m->sdp && m->no_content_length)
		return "no-content-length";
	return m->new_peer ? "new-peer" : "unlocated";
}

/* Bigger than all that passed: several of them, or one that tunnels and PPPoE are too narrow for, again and again. */
static bool is_oversize(const struct dropped_pattern *p)
{
	return p->least_bytes > p->passed_bytes &&
	       ((p->messages >= PATTERN_MIN && p->least_bytes > OVERSIZE_BYTES) ||
	       (p->transmissions >= REPEATED_MIN && p->least_bytes > OVERSIZE_ALONE_BYTES));
}

const char *dropped_pattern_reason(const struct dropped_pattern *p)
{
	if (is_oversize(p))
		return "oversize";
	/* one INVITE may be dropped for what is in it */
	if (p->one_method && !p->method_passed && (p->messages >= PATTERN_MIN ||
	    (p->transmissions >= REPEATED_MIN && p->method != SIP_INVITE)))
		return "method-filtered";
	return "unlocated";
}

/* ---- ports that others offer ---- */

struct offer {
	struct hash_link by_port;
	const struct leg *leg;
	struct address host;
	uint16_t port;
};

struct offered_ports {
	struct arena *arena;
	struct hash by_port;
};

static void offers_of(struct offered_ports *o, const struct leg *leg, const struct sdp_copies *c)
{
	for (unsigned i = 0; i < c->count && i < 1; i++) {
		const struct sdp *sdp = c->seen[i]->sdp;

		for (unsigned k = 0; k < sdp->media_count; k++) {
			struct offer *x;

			if (sdp->media[k].kind != SDP_AUDIO || !sdp->media[k].port)
				continue;
			x = arena_zalloc(o->arena, sizeof *x);
			*x = (struct offer){ .leg = leg, .host = c->seen[i]->src.addr, .port = sdp->media[k].port };
			hash_add(&o->by_port, &x->by_port, (uint32_t)hash_mix(5, x->port));
		}
	}
}

struct offered_ports *offered_ports_new(const struct calls *calls)
{
	struct offered_ports *o = memory_zalloc(sizeof *o);

	o->arena = arena_new();
	hash_init(&o->by_port);
	LIST_EACH(it, calls_legs(calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		LIST_EACH(dit, &leg->dialogs) {
			LIST_EACH(eit, &LIST_ENTRY(dit, struct dialog, in_leg)->exchanges) {
				const struct exchange *e = LIST_ENTRY(eit, struct exchange, in_dialog);

				offers_of(o, leg, &e->offer);
				offers_of(o, leg, &e->answer);
			}
		}
	}
	return o;
}

void offered_ports_free(struct offered_ports *o)
{
	hash_fini(&o->by_port);
	arena_free(o->arena);
	free(o);
}

static bool clashes_at(const struct offered_ports *o, const struct lost_message *m, uint16_t port)
{
	uint32_t hash = (uint32_t)hash_mix(5, port);

	for (struct hash_link *it = hash_first(&o->by_port, hash); it; it = it->next) {
		const struct offer *x = HASH_ENTRY(it, struct offer, by_port);

		if (it->hash == hash && x->port == port && address_private(&x->host) &&
		    !address_equal(&x->host, &m->src.addr) &&
		    x->leg->first_ns <= m->first.at_ns && m->first.at_ns <= ns_add(x->leg->last_ns, EXPECTATION_NS))
			return true;
	}
	return false;
}

bool offered_ports_clash(const struct offered_ports *o, const struct lost_message *m)
{
	if (!m->audio_port || !m->translated || !m->request)
		return false;
	return clashes_at(o, m, m->audio_port) || clashes_at(o, m, (uint16_t)(m->audio_port - 1)) ||
	       clashes_at(o, m, (uint16_t)(m->audio_port + 1));
}
