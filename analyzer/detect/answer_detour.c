/* SPDX-License-Identifier: MIT */
/* answer_detour: what a call waits for before anybody is called: rounds of challenges, a resolver that is silent. */
#include "analyzer/detect/answer_delay.h"

#include "analyzer/network/outflow.h"

enum { DNS = 53, LOOKS_MAX = 64 };

static double seconds_between(const struct message *from, const struct message *to)
{
	return (double)ns_minus(to->at.at_ns, from->at.at_ns) / 1e9;
}

static bool is_invite(const struct message *m)
{
	return m->request && m->method == SIP_INVITE && !m->has_to_tag && m->repeat != MESSAGE_COPY;
}

/* The INVITEs of the first place: the first of all, and the one that was let through after challenges. */
struct tries {
	const struct message *first, *last, *progress;
	/* from each INVITE to its challenge: what the caller does with it is not the server's time */
	double waited_s;
	unsigned challenges;
};

static struct tries tries_of(const struct leg *leg)
{
	struct tries t = { .first = NULL };

	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (is_invite(m) && (!t.first || (endpoint_equal(&m->src, &t.first->src) &&
		    endpoint_equal(&m->dst, &t.first->dst) && m->cseq > t.last->cseq))) {
			t.first = t.first ? t.first : m;
			t.last = m;
		}
		if (!m->request && m->method == SIP_INVITE && t.first && endpoint_equal(&m->dst, &t.first->src)) {
			if ((m->status == 401 || m->status == 407) && m->cseq == t.last->cseq &&
			    m->repeat == MESSAGE_FIRST) {
				t.challenges++;
				t.waited_s += seconds_between(t.last, m);
			}
			if (m->status > 100 && m->status < 300) {
				t.progress = m;
				break;
			}
		}
	}
	return t;
}

/*
 * A question of the asked server to a resolver outside, after the INVITE, that nothing came back for, where answers to
 * it pass.
 */
static bool waits_for_names(const struct facts *facts, const struct tries *t, double wait_s)
{
	int64_t until_ns = ns_add(t->progress->at.at_ns, -(int64_t)(wait_s * 1e9));
	bool waits = false, answers_pass = outflows_was_answered(facts->outflows, &t->first->dst.addr);

	for (size_t i = 0; i < outflows_count(facts->outflows); i++) {
		const struct outflow *f = outflows_at(facts->outflows, i);

		if (!address_equal(&f->inside.addr, &t->first->dst.addr))
			continue;
		answers_pass |= f->answered_ns != NS_NONE;
		waits |= f->outside.port == DNS && f->answered_ns == NS_NONE && f->first_ns >= t->first->at.at_ns &&
			f->first_ns <= until_ns;
	}
	return waits && answers_pass;
}

/* The next leg was on its way before: whatever was asked of a resolver, dialling did not wait for it. */
static bool dialled_before(const struct leg *leg, int64_t until_ns)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other->parent == leg && other->invite_ns != NS_NONE && other->invite_ns < until_ns)
			return true;
	}
	return false;
}

bool delay_detour(struct delays *all, const struct leg *leg)
{
	struct tries t = leg->parent ? (struct tries){ .first = NULL } : tries_of(leg);
	struct delay x = { .leg = leg, .from = t.first };

	if (!t.first || !t.progress)
		return false;
	x.limit_s = all->auth_max_s;
	x.host = t.first->src;
	x.culprit = t.first->dst;
	x.seconds = t.waited_s;
	if (t.challenges && t.last != t.first && x.seconds > x.limit_s) {
		x.reason = "auth-detour";
		x.to = t.last;
		delay_add(all, &x);
		return true;
	}
	x.limit_s = all->dns_wait_s;
	x.seconds = seconds_between(t.first, t.progress);
	if (x.seconds <= x.limit_s || dialled_before(leg, ns_add(t.first->at.at_ns, (int64_t)(x.limit_s * 1e9))) ||
	    all->looks++ >= LOOKS_MAX || !waits_for_names(all->facts, &t, x.limit_s))
		return false;
	x.reason = "dns-detour";
	x.to = t.progress;
	delay_add(all, &x);
	return true;
}
