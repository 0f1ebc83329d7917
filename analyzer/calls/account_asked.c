/* SPDX-License-Identifier: MIT */
/* account_asked: what devices are asked, whether they answer, and what goes to the wrong one. */
#include "analyzer/calls/account_private.h"
#include "analyzer/calls/internal.h"

enum { COPIES_PROVE = 3 };           /* sent so often and not answered */

#define ANSWER_NS (4 * SECOND_NS)    /* timer E: four transmissions; who has not answered by then does not */
#define ALIVE_NS (15 * MINUTE_NS)    /* who registers so much later may have been off meanwhile */

static bool knows(const struct device *d, const struct endpoint *at)
{
	for (unsigned i = 0; i < DEVICE_OUTER_MAX; i++) {
		if (address_known(&d->outers[i].addr) && endpoint_equal(&d->outers[i], at))
			return true;
	}
	return endpoint_equal(&d->inner, at);
}

/*
 * A call for the account goes to where one of its devices was, while the registrar has since been told of another
 * socket.
 */
static void stale_note(const struct accounts *a, const struct packet *p, uint64_t user)
{
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(&a->by_user, (uint32_t)user); it && looked < ACCOUNT_LOOKS_MAX;
	    it = it->next, looked++) {
		struct account *x = HASH_ENTRY(it, struct account, by_user);
		const struct device *now = x->current;

		if (x->user_key != user || !now || endpoint_equal(&now->inner, &p->dst) ||
		    endpoint_equal(&now->outer, &p->dst) ||
		    endpoint_equal(&now->source, &p->dst))
			continue;
		LIST_EACH(dit, &x->devices) {
			const struct device *d = LIST_ENTRY(dit, struct device, in_account);

			if (!address_equal(&d->server.addr, &p->src.addr) || !knows(d, &p->dst))
				continue;
			if (!x->stale++)
				x->stale_at = frame_ref_of(p);
			return;
		}
	}
}

static bool is_here(const struct device *d, const struct endpoint *at)
{
	return endpoint_equal(&d->outer, at) || endpoint_equal(&d->inner, at);
}

static void asked_end(struct device *d, struct asked *q, enum asked_state state)
{
	struct tally *t = &d->tally;

	q->state = state;
	if (state == ASKED_ANSWERED) {
		if (!t->answered++)
			t->answered_at = q->at;
		return;
	}
	if (!t->unanswered++ || (!is_here(d, &t->unanswered_to) && is_here(d, &q->dst))) {
		t->unanswered_at = q->at;
		t->unanswered_to = q->dst;
		t->unanswered_alive = q->alive;
	}
	t->unanswered_invites += q->method == SIP_INVITE;
}

/* Sent again and again over seconds, without an answer. */
static bool asked_in_vain(const struct asked *q)
{
	return q->state == ASKED_OPEN && q->copies >= COPIES_PROVE && ns_minus(q->last_ns, q->first_ns) >= SECOND_NS;
}

/* The place for a new one: free, or that of the oldest, whose fate is then told. */
static struct asked *asked_room(struct device *d)
{
	struct asked *oldest = &d->asked[0];

	for (unsigned i = 0; i < DEVICE_ASKED_MAX; i++) {
		if (d->asked[i].state != ASKED_OPEN)
			return &d->asked[i];
		if (d->asked[i].first_ns < oldest->first_ns)
			oldest = &d->asked[i];
	}
	if (asked_in_vain(oldest))
		asked_end(d, oldest, ASKED_UNANSWERED);
	return oldest;
}

static struct asked *asked_find(struct device *d, uint64_t branch)
{
	for (unsigned i = 0; i < DEVICE_ASKED_MAX; i++) {
		if (d->asked[i].state != ASKED_FREE && d->asked[i].branch == branch)
			return &d->asked[i];
	}
	return NULL;
}

/* Of all lines at that socket. */
static struct asked *asked_at(const struct hash *table, bool outer, uint32_t hash, uint64_t branch,
	struct device **ret_device)
{
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(table, hash); it && looked < ACCOUNT_LOOKS_MAX; it = it->next, looked++) {
		struct device *d = outer ? HASH_ENTRY(it, struct device, by_outer) : HASH_ENTRY(it, struct device,
			by_inner);
		struct asked *q = it->hash == hash ? asked_find(d, branch) : NULL;

		if (q) {
			*ret_device = d;
			return q;
		}
	}
	return NULL;
}

static struct asked *asked_of(const struct accounts *a, const struct endpoint *at, uint64_t branch,
	struct device **ret_device)
{
	uint32_t hash = endpoint_hash(at);
	struct asked *q = branch ? asked_at(&a->by_outer, true, hash, branch, ret_device) : NULL;

	return q || !branch ? q : asked_at(&a->by_inner, false, hash, branch, ret_device);
}

/* The phone behind another socket of the same site that this request is meant for; NULL none. */
static const struct device *meant_for(const struct accounts *a, const struct device *d, uint64_t user)
{
	unsigned looked = 0;

	for (struct hash_link *it = hash_first(&a->by_user, (uint32_t)user); it && looked < ACCOUNT_LOOKS_MAX;
	    it = it->next, looked++) {
		const struct account *x = HASH_ENTRY(it, struct account, by_user);
		const struct device *o = x->user_key == user ? x->current : NULL;

		if (o && address_known(&o->inner.addr) && !address_equal(&o->inner.addr, &d->inner.addr) &&
		    address_equal(&o->server.addr, &d->server.addr) && address_equal(&o->outer.addr, &d->outer.addr))
			return o;
	}
	return NULL;
}

static void wrong_note(const struct accounts *a, struct device *d, const struct packet *p, uint64_t user)
{
	const struct device *o = d->account->user_key == user ||
		!endpoint_equal(&p->dst, &d->inner) ? NULL : meant_for(a, d, user);

	if (!o)
		return;
	d->wrong++;
	d->wrong_branch = account_branch(p->sip);
	d->wrong_for = o->inner;
	d->wrong_at = frame_ref_of(p);
	memcpy(d->wrong_user, o->account->user, sizeof d->wrong_user);
}

void account_request_to(struct accounts *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	uint64_t user = account_user_key(m->request_uri.user), branch = account_branch(m);
	struct device *d = NULL;
	struct asked *q = asked_of(a, &p->dst, branch, &d);

	if (q) {
		q->copies += q->state == ASKED_OPEN && endpoint_equal(&q->dst, &p->dst);
		q->last_ns = p->at_ns;
		return;
	}
	if (m->method == SIP_INVITE && m->to.tag.n == 0)
		stale_note(a, p, user);
	d = branch ? account_device_at(a, &p->dst, user) : NULL;
	if (!d || !address_equal(&d->server.addr, &p->src.addr))
		return;
	if (m->to.tag.n == 0)
		wrong_note(a, d, p, user);
	q = asked_room(d);
	*q = (struct asked){
		.state = ASKED_OPEN, .branch = branch, .method = (uint8_t)m->method, .copies = 1, .dst = p->dst,
		.first_ns = p->at_ns,
		.last_ns = p->at_ns, .at = frame_ref_of(p),
	};
}

void account_answer_from(struct accounts *a, const struct packet *p)
{
	uint64_t branch = account_branch(p->sip);
	struct device *d = NULL;
	struct asked *q = asked_of(a, &p->src, branch, &d);

	if (!q)
		return;
	if (d->wrong_branch == branch && p->sip->status > d->wrong_status)
		d->wrong_status = p->sip->status;
	if (q->state == ASKED_OPEN)
		asked_end(d, q, ASKED_ANSWERED);
}

void account_asked_alive(struct device *d, int64_t at_ns)
{
	for (unsigned i = 0; i < DEVICE_ASKED_MAX; i++)
		d->asked[i].alive |= ns_minus(at_ns, d->asked[i].first_ns) <= ALIVE_NS;
	d->tally.unanswered_alive |= d->tally.unanswered &&
		ns_minus(at_ns, d->tally.unanswered_at.at_ns) <= ALIVE_NS;
}

void account_asked_settle(struct accounts *a, int64_t last_ns)
{
	LIST_EACH(it, &a->good) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct account, in_class)->devices) {
			struct device *d = LIST_ENTRY(dit, struct device, in_account);

			for (unsigned i = 0; i < DEVICE_ASKED_MAX; i++) {
				if (asked_in_vain(&d->asked[i]) && ns_minus(last_ns, d->asked[i].first_ns) >= ANSWER_NS)
					asked_end(d, &d->asked[i], ASKED_UNANSWERED);
			}
		}
	}
}
