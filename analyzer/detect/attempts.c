/* SPDX-License-Identifier: MIT */
/* attempts: arrays in the order of caller, number and time. */
#include "analyzer/detect/attempts.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/sort.h"

#define GIVEN_UP_NS (32 * SECOND_NS)         /* RFC 3261 17.1.1.2: 64 T1 without any answer */

enum { NUMBER_MAX = 64, TAIL_DIGITS = 9, DIGITS_FEW = 6, WALK_MAX = 256 };

struct attempt {
	uint64_t key;                /* keyed hash of the caller, or of caller and number */
	int64_t begin_ns;
	const struct leg *leg;
};

struct attempts {
	const struct calls *calls;
	int64_t end_ns;              /* of the capture */
	struct attempt *by_both, *by_caller;         /* count of each; NULL: not asked for yet */
	size_t count;
	const struct leg **beside;
};

/* A trunk may want a prefix that another does not: the last digits of a long number are the number. */
static struct span number_of(struct span user, char buffer[NUMBER_MAX])
{
	size_t n = 0;
	bool digits = true;

	for (size_t i = 0; i < user.n && n < NUMBER_MAX; i++) {
		uint8_t b = user.p[i];

		if (b == '+' || b == '-' || b == '.' || b == '(' || b == ')')
			continue;
		if (b == ';')
			break;
		digits &= b >= '0' && b <= '9';
		buffer[n++] = (char)b;
	}
	if (digits && n >= DIGITS_FEW && n > TAIL_DIGITS)
		return (struct span){ (const uint8_t *)buffer + n - TAIL_DIGITS, TAIL_DIGITS };
	return (struct span){ (const uint8_t *)buffer, n };
}

static uint64_t caller_of(const struct leg *leg)
{
	const struct party *p = &leg->party[SIDE_CALLER];
	char buffer[NUMBER_MAX];
	struct span user = number_of(p->user, buffer);

	return user.n ? hash_bytes(user.p, user.n) : hash_bytes(&p->signalling.addr, sizeof p->signalling.addr);
}

/* The INVITE, or where the capture has lost it the first response; NS_NONE: begun before the capture. */
static int64_t begin_of(const struct leg *leg)
{
	if (leg->initial_invite_seen)
		return leg->invite_ns;
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->initial && (t->provisional || t->final))
			return leg->first_ns;
	}
	return NS_NONE;
}

static struct attempt attempt_of_caller(const struct leg *leg)
{
	return (struct attempt){ caller_of(leg), begin_of(leg), leg };
}

static struct attempt attempt_of_both(const struct leg *leg)
{
	char buffer[NUMBER_MAX];
	struct span to = number_of(leg->party[SIDE_CALLEE].user, buffer);

	return (struct attempt){ hash_mix(caller_of(leg), hash_bytes(to.p, to.n)), begin_of(leg), leg };
}

static int attempt_compare(const void *a, const void *b)
{
	const struct attempt *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

struct attempts *attempts_new(const struct calls *calls, int64_t end_ns)
{
	struct attempts *a = memory_zalloc(sizeof *a);

	a->calls = calls;
	a->end_ns = end_ns;
	return a;
}

static struct attempt *list_of(struct attempts *a, struct attempt (*attempt_of)(const struct leg *))
{
	const struct list *legs = calls_legs(a->calls);
	struct attempt *list = memory_resize(NULL, legs->count + 1, sizeof *list);

	a->count = 0;
	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		if (begin_of(leg) != NS_NONE)
			list[a->count++] = attempt_of(leg);
	}
	sort(list, a->count, sizeof *list, attempt_compare);
	return list;
}

static const struct attempt *by_both(struct attempts *a)
{
	if (!a->by_both)
		a->by_both = list_of(a, attempt_of_both);
	return a->by_both;
}

static const struct attempt *by_caller(struct attempts *a)
{
	if (!a->by_caller)
		a->by_caller = list_of(a, attempt_of_caller);
	return a->by_caller;
}

void attempts_free(struct attempts *a)
{
	if (!a)
		return;
	free(a->by_both);
	free(a->by_caller);
	free(a->beside);
	free(a);
}

/* The first place in a sorted array that is not before x. */
static size_t place(const struct attempt *list, size_t count, const struct attempt *x)
{
	size_t low = 0;

	while (low < count) {
		size_t mid = low + (count - low) / 2;

		if (attempt_compare(&list[mid], x) < 0)
			low = mid + 1;
		else
			count = mid;
	}
	return low;
}

/*
 * An extension exists at each customer of a hosted PBX: the same one is the same caller at one address or in one
 * domain. A carrier that tries again may do so from another of its addresses, with the number that it had.
 */
static bool same_caller(const struct leg *x, const struct leg *y)
{
	const struct party *a = &x->party[SIDE_CALLER], *b = &y->party[SIDE_CALLER];
	char buffer[NUMBER_MAX];
	struct span number = number_of(a->user, buffer);
	bool long_number = number.n >= DIGITS_FEW;

	for (size_t i = 0; i < number.n; i++)
		long_number &= number.p[i] >= '0' && number.p[i] <= '9';
	return !address_known(&a->signalling.addr) || !address_known(&b->signalling.addr) ||
	       address_equal(&a->signalling.addr, &b->signalling.addr) || span_equal_nocase(a->host, b->host) ||
	       long_number;
}

const struct leg *attempts_next(struct attempts *a, const struct leg *leg, int64_t within_ns)
{
	struct attempt x = attempt_of_both(leg);
	const struct attempt *list = by_both(a);
	int64_t over_ns = leg_over_ns(leg);

	x.begin_ns = over_ns;
	for (size_t i = place(list, a->count, &x); i < a->count && list[i].key == x.key; i++) {
		if (list[i].begin_ns > ns_add(over_ns, within_ns))
			break;
		if (list[i].leg != leg && same_caller(leg, list[i].leg))
			return list[i].leg;
	}
	return NULL;
}

bool attempts_under_way(struct attempts *a, const struct leg *leg, int64_t within_ns)
{
	const struct leg *next = attempts_next(a, leg, within_ns);

	return next && (next->answered || next->end_ns == NS_NONE || (next->bye_seen && next->status < 300));
}

bool attempts_longer(struct attempts *a, const struct leg *leg, int64_t within_ns)
{
	struct attempt x = attempt_of_caller(leg);
	struct span dialled = leg->party[SIDE_CALLEE].user;
	int64_t until_ns = ns_add(leg_over_ns(leg), within_ns);
	const struct attempt *list = by_caller(a);
	size_t i = place(list, a->count, &x);

	for (unsigned walked = 0; i < a->count && walked < WALK_MAX && list[i].key == x.key &&
	    list[i].begin_ns <= until_ns; i++, walked++) {
		struct span user = list[i].leg->party[SIDE_CALLEE].user;

		if (user.n > dialled.n && span_starts(user, dialled) && same_caller(leg, list[i].leg))
			return true;
	}
	return false;
}

/* The same sender, calling somewhere else. */
static bool is_branch(const struct leg *x, const struct leg *y)
{
	return x != y && address_equal(&x->party[SIDE_CALLER].signalling.addr,
	       &y->party[SIDE_CALLER].signalling.addr) &&
		!endpoint_equal(&x->party[SIDE_CALLEE].signalling_dst, &y->party[SIDE_CALLEE].signalling_dst);
}

static bool lives(const struct leg *leg)
{
	return leg->answered || leg->progress_ns != NS_NONE;
}

static bool is_open(const struct attempts *a, const struct leg *leg)
{
	return leg->initial_invite_seen && !leg->answered && leg->end_ns == NS_NONE &&
	       ns_minus(a->end_ns, leg->invite_ns) < GIVEN_UP_NS;
}

enum branches { BRANCHES_LIVING, BRANCHES_OPEN };

/* The branch of leg, begun around that time and of that kind, that got furthest: answered first; NULL none. */
static const struct leg *best_branch(struct attempts *a, const struct leg *leg, int64_t of_ns, int64_t fork_ns,
	enum branches which)
{
	struct attempt x = attempt_of_caller(leg);
	const struct attempt *list = by_caller(a);
	const struct leg *best = NULL;
	size_t i;

	x.begin_ns = ns_add(of_ns, -fork_ns);
	i = place(list, a->count, &x);
	for (unsigned walked = 0; i < a->count && walked < WALK_MAX && list[i].key == x.key; i++, walked++) {
		const struct leg *other = list[i].leg;

		if (list[i].begin_ns > ns_add(of_ns, fork_ns))
			break;
		if (!is_branch(leg, other) || !(which == BRANCHES_OPEN ? is_open(a, other) : lives(other)))
			continue;
		if (!best || (other->answered && (!best->answered || other->answer_ns < best->answer_ns)))
			best = other;
	}
	return best;
}

bool attempts_branch_lives(struct attempts *a, const struct leg *leg, int64_t fork_ns)
{
	return best_branch(a, leg, leg->invite_ns, fork_ns, BRANCHES_LIVING);
}

bool attempts_hunt_lives(struct attempts *a, const struct leg *leg, int64_t fork_ns)
{
	return best_branch(a, leg, leg_over_ns(leg), fork_ns, BRANCHES_LIVING);
}

bool attempts_branch_open(struct attempts *a, const struct leg *leg, int64_t fork_ns)
{
	return best_branch(a, leg, leg->invite_ns, fork_ns, BRANCHES_OPEN) ||
	       best_branch(a, leg, leg_over_ns(leg), fork_ns, BRANCHES_OPEN);
}

/* Two calls of "anonymous" within seconds need not be one. */
static bool is_nobody(struct span user)
{
	static const char *const names[] = { "anonymous", "unknown", "unavailable", "restricted", "private",
		"asterisk" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (span_equal_nocase(user, span_of(names[i])))
			return true;
	}
	return user.n == 0;
}

const struct leg *attempts_answered_branch(struct attempts *a, const struct leg *leg, int64_t fork_ns)
{
	const struct leg *best = is_nobody(leg->party[SIDE_CALLER].user) ? NULL : best_branch(a, leg, leg->invite_ns,
		fork_ns, BRANCHES_LIVING);

	return best && best->answered ? best : NULL;
}

static bool begun_near(const struct attempt *x, const struct attempt *next, int64_t fork_ns)
{
	return x->key == next->key && next->begin_ns <= ns_add(x->begin_ns, fork_ns);
}

static int leg_compare(const void *a, const void *b)
{
	const struct leg *x = *(const struct leg *const *)a, *y = *(const struct leg *const *)b;

	return (x->n > y->n) - (x->n < y->n);
}

const struct leg *const *attempts_beside(struct attempts *a, int64_t fork_ns, size_t *ret_count)
{
	const struct attempt *list = by_caller(a);
	size_t count = 0;

	a->beside = memory_resize(a->beside, a->count + 1, sizeof *a->beside);
	for (size_t i = 0; i < a->count; i++) {
		if ((i && begun_near(&list[i - 1], &list[i], fork_ns)) ||
		    (i + 1 < a->count && begun_near(&list[i], &list[i + 1], fork_ns)))
			a->beside[count++] = list[i].leg;
	}
	sort(a->beside, count, sizeof *a->beside, leg_compare);
	*ret_count = count;
	return a->beside;
}
