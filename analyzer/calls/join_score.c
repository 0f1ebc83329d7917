/* SPDX-License-Identifier: MIT */
/* join_score: what speaks for two legs being one call, in points (1.1.4). */
#include "analyzer/calls/join_score.h"

enum { PARALLEL_CALLS_MAX = 3, DIGITS_MAX = 32, WHOLE_BELOW = 6 };

#define TIMER_B_NS (32 * SECOND_NS)          /* RFC 3261 17.1.1.2: 64 T1 without any answer */
#define GIVEN_UP_APART_NS (SECOND_NS)
#define LONG_WAIT_NS (10 * SECOND_NS)

/* ---- evidence that stands in the first INVITE ---- */

/* Digits without +, 00 and the national 0. */
static struct span digits_of(struct span user, char buffer[DIGITS_MAX])
{
	size_t n = 0, skip = 0;

	for (size_t i = 0; i < user.n && n < DIGITS_MAX; i++) {
		if (user.p[i] >= '0' && user.p[i] <= '9')
			buffer[n++] = (char)user.p[i];
		else if (!strchr("+-. ()", user.p[i]) || user.p[i] == 0)
			return SPAN_NONE;
	}
	while (skip < n && skip < 2 && buffer[skip] == '0')
		skip++;
	return (struct span){ (const uint8_t *)buffer + skip, n - skip };
}

static bool digits_equal(struct span x, struct span y, size_t *ret_compared)
{
	size_t n = x.n < y.n ? x.n : y.n;

	if (n > 9)
		n = 9;
	*ret_compared = n;
	if (n < WHOLE_BELOW && x.n != y.n) /* an extension is whole */
		return false;
	return n >= 3 && memcmp(x.p + x.n - n, y.p + y.n - n, n) == 0;
}

static unsigned called_points(const struct leg *x, const struct leg *y)
{
	char bx[DIGITS_MAX], by[DIGITS_MAX];
	size_t n;

	if (!digits_equal(digits_of(x->party[SIDE_CALLEE].user, bx), digits_of(y->party[SIDE_CALLEE].user, by), &n))
		return 0;
	return n >= 6 ? 25 : 12;
}

bool caller_is_anonymous(struct span user)
{
	return user.n == 0 || span_equal_nocase(user, SPAN("anonymous")) || span_equal_nocase(user, SPAN("unknown")) ||
		span_equal_nocase(user, SPAN("restricted"));
}

uint64_t caller_value(struct span user)
{
	char buffer[DIGITS_MAX];
	struct span digits = digits_of(user, buffer);

	if (digits.n > 9)
		digits = span_from(digits, digits.n - 9);
	return digits.n >= 3 ? hash_bytes(digits.p, digits.n) : hash_bytes(user.p, user.n);
}

uint32_t number_fingerprint(struct span user)
{
	char buffer[DIGITS_MAX], name[3];
	struct span digits = digits_of(user, buffer);

	if (digits.n >= 3)
		return (uint32_t)hash_bytes(digits.n > WHOLE_BELOW ? digits.p + digits.n - WHOLE_BELOW : digits.p,
			digits.n > WHOLE_BELOW ? WHOLE_BELOW : digits.n) | 1;
	if (user.n < sizeof name)
		return 0;
	for (size_t i = 0; i < sizeof name; i++)
		name[i] = (char)(user.p[user.n - sizeof name + i] | 0x20);
	return (uint32_t)hash_bytes(name, sizeof name) | 1;
}

static bool is_live(const struct leg *leg)
{
	return leg->end_ns == NS_NONE;
}

/* A number that many calls show at once is the company's, not a person's. */
static bool is_shared_number(const struct calls *c, struct span user)
{
	const struct clue_key *key = clue_find(c, CLUE_CALLER, caller_value(user));
	unsigned live = 0;

	for (unsigned i = key ? key->count : 0; i-- > 0 && live <= PARALLEL_CALLS_MAX;)
		live += is_live(clue_oldest(key)[i].clue->leg);
	return live > PARALLEL_CALLS_MAX;
}

static unsigned calling_points(const struct calls *c, const struct leg *x, const struct leg *y)
{
	struct span ux = x->party[SIDE_CALLER].user, uy = y->party[SIDE_CALLER].user;
	char bx[DIGITS_MAX], by[DIGITS_MAX];
	struct span dx = digits_of(ux, bx), dy = digits_of(uy, by);
	unsigned points = 0;
	size_t n;

	if (caller_is_anonymous(ux) || caller_is_anonymous(uy))
		return 0;
	if (digits_equal(dx, dy, &n))
		points = n >= 6 ? 20 : 8;
	else if (!dx.n && ux.n >= 3 && span_equal_nocase(ux, uy))
		points = 15;
	return points && !is_shared_number(c, uy) ? points : 0;
}

static unsigned close_points(int64_t first_ns, int64_t then_ns, const unsigned *ms, const unsigned *points, size_t n)
{
	int64_t apart_ns = ns_minus(then_ns, first_ns);

	if (first_ns == NS_NONE || then_ns == NS_NONE || apart_ns < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (apart_ns <= ms[i] * MILLISECOND_NS)
			return points[i];
	}
	return 0;
}

static unsigned invite_points(const struct leg *x, const struct leg *y)
{
	static const unsigned ms[] = { 20, 100, 1000, 3000 }, points[] = { 25, 20, 10, 5 };

	return close_points(x->invite_ns, y->invite_ns, ms, points, 4);
}

bool session_id_is_real(struct span id)
{
	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] != '0' && id.p[i] != '-')
			return true;
	}
	return false;
}

static bool same_id(struct span x, struct span y)
{
	return session_id_is_real(x) && span_equal_nocase(x, y);
}

static bool session_ids_agree(const struct leg_ids *x, const struct leg_ids *y)
{
	return same_id(x->session_id, y->session_id) || same_id(x->session_id, y->session_id_remote) ||
		same_id(x->session_id_remote, y->session_id);
}

static bool headers_agree(const struct leg_record *a, const struct leg_record *b)
{
	const struct leg_ids *x = &a->rare->ids, *y = &b->rare->ids;

	for (unsigned i = 0; i < y->header_id_count; i++) {
		if (span_equal(y->header_ids[i], a->leg.call_id))
			return true;
		for (unsigned k = 0; k < x->header_id_count; k++) {
			if (span_equal(y->header_ids[i], x->header_ids[k]))
				return true;
		}
	}
	return false;
}

static bool call_ids_contain(struct span x, struct span y)
{
	struct span shorter = x.n < y.n ? x : y, longer = x.n < y.n ? y : x;

	return shorter.n >= 8 && shorter.n <= 256 && longer.n <= 256 && span_find_text(longer, shorter) < longer.n;
}

static unsigned strongest(enum leg_join *ret_how, unsigned points, enum leg_join how, unsigned *best)
{
	if (points > *best) {
		*best = points;
		*ret_how = how;
	}
	return points;
}

/* What no clock has a say in, and holds when the legs are over: identities, numbers. *best: of the strongest. */
static unsigned lasting_points(const struct calls *c, const struct leg_record *a, const struct leg_record *b,
	enum leg_join *ret_how, unsigned *best)
{
	const struct leg *x = &a->leg, *y = &b->leg;
	unsigned sum = 0;

	if (session_ids_agree(&a->rare->ids, &b->rare->ids))
		sum += strongest(ret_how, 100, JOIN_SESSION_ID, best);
	if (headers_agree(a, b))
		sum += strongest(ret_how, 100, JOIN_HEADER, best);
	if (y->replaces_call_id.n && span_equal(y->replaces_call_id, x->call_id))
		sum += strongest(ret_how, 100, JOIN_REPLACES, best);
	if (call_ids_contain(x->call_id, y->call_id))
		sum += strongest(ret_how, 60, JOIN_CALL_ID, best);
	sum += called_points(x, y) + calling_points(c, x, y);
	if (b->max_forwards && b->max_forwards < a->max_forwards)
		sum += 5;
	if (a->codecs && a->codecs == b->codecs)
		sum += 5;
	return sum;
}

unsigned join_lasting(const struct calls *c, const struct leg_record *x, const struct leg_record *y,
	enum leg_join *ret_how)
{
	unsigned best = 0;

	*ret_how = JOIN_SCORE;
	return lasting_points(c, x, y, ret_how, &best);
}

static bool shares(const struct leg_record *x, const struct leg_record *y, enum clue_kind kind);

void pair_base(const struct calls *c, struct pair *p)
{
	unsigned best = 0, sum;

	p->how = JOIN_SCORE;
	sum = lasting_points(c, p->x, p->y, &p->how, &best);
	if (shares(p->x, p->y, CLUE_SOCKET))
		sum += strongest(&p->how, 80, JOIN_DIRECT_MEDIA, &best);
	if (shares(p->x, p->y, CLUE_ORIGIN))
		sum += strongest(&p->how, 70, JOIN_ORIGIN, &best);
	p->base = sum + invite_points(&p->x->leg, &p->y->leg) + (p->hunted ? HUNTED_POINTS : 0);
	p->same_number = called_points(&p->x->leg, &p->y->leg) + calling_points(c, &p->x->leg, &p->y->leg) > 0;
}

/* ---- evidence that comes later ---- */

static int64_t apart(int64_t a_ns, int64_t b_ns)
{
	return a_ns == NS_NONE || b_ns == NS_NONE ? INT64_MAX
		: a_ns > b_ns                     ? ns_minus(a_ns, b_ns)
						  : ns_minus(b_ns, a_ns);
}

bool leg_was_refused(const struct leg *leg)
{
	return !leg->answered && leg->end_ns != NS_NONE && leg->status >= 400 && !leg->cancel_seen;
}

int64_t leg_given_up_ns(const struct leg *leg)
{
	if (leg->answered)
		return NS_NONE;
	if (!leg->cancel_seen)
		return leg->status == 0 && leg->progress_ns == NS_NONE ? ns_add(leg->invite_ns, TIMER_B_NS) : NS_NONE;
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);

		if (t->method == SIP_CANCEL)
			return t->first_ns;
	}
	return NS_NONE;
}

/* Who asks in vain says so to who asked it: the longer it has waited, the less it is chance. */
static unsigned given_up_points(const struct leg *x, const struct leg *y)
{
	int64_t given_up_ns = leg_was_refused(x) ? leg_given_up_ns(y) : NS_NONE;

	if (given_up_ns == NS_NONE || apart(x->end_ns, given_up_ns) > GIVEN_UP_APART_NS)
		return 0;
	return ns_minus(given_up_ns, y->invite_ns) >= LONG_WAIT_NS ? GIVEN_UP_POINTS : GIVEN_UP_POINTS / 2;
}

void pair_score(struct pair *p)
{
	static const unsigned ring_ms[] = { 20, 200 }, ring[] = { 20, 10 }, answer_ms[] = { 20, 500 },
			      answer[] = { 30, 20 }, refused_ms[] = { 100, 500 }, refused[] = { REFUSED_POINTS, 20 };
	const struct leg *x = &p->x->leg, *y = &p->y->leg;
	int64_t hung_up_apart = apart(x->bye_ns, y->bye_ns);

	p->score = p->base;
	if (p->x->ring_status && p->x->ring_status == p->y->ring_status)
		p->score += close_points(y->progress_ns, x->progress_ns, ring_ms, ring, 2);
	p->score += close_points(y->answer_ns, x->answer_ns, answer_ms, answer, 2);
	if (leg_was_refused(x) && leg_was_refused(y)) {
		unsigned points = close_points(leg_over_ns(y), leg_over_ns(x), refused_ms, refused, 2);

		p->score += points + (points && x->status == y->status ? SAME_STATUS_POINTS : 0);
	}
	p->score += given_up_points(x, y);
	if (hung_up_apart <= 500 * MILLISECOND_NS)
		p->score += hung_up_apart <= 50 * MILLISECOND_NS ? 30 : 20;
}

/* ---- sharing a socket or an o= line ---- */

static bool stranger_has(const struct clue_key *key, const struct leg_record *x, const struct leg_record *y)
{
	for (unsigned i = key->count; i-- > 0;) {
		const struct leg *leg = clue_oldest(key)[i].clue->leg;

		if (leg != &x->leg && leg != &y->leg && leg->call != x->leg.call && leg->call != y->leg.call &&
		    is_live(leg))
			return true;
	}
	return false;
}

/* A port that a third live leg names too says nothing. */
static bool shares(const struct leg_record *x, const struct leg_record *y, enum clue_kind kind)
{
	for (const struct clue *a = x->clues; a; a = a->next) {
		if (a->kind != kind)
			continue;
		for (const struct clue *b = y->clues; b; b = b->next) {
			if (b->key == a->key && b->kind == kind && (kind != CLUE_SOCKET || !stranger_has(a->key, x, y)))
				return true;
		}
	}
	return false;
}

/*
 * Direct media that a machine with an address in each of two networks has set up: each leg names the media sockets of
 * both of its ends.
 */
bool join_sockets_cross(const struct leg_record *x, const struct leg_record *y)
{
	unsigned n = 0;

	for (const struct clue *a = x->clues; a; a = a->next) {
		bool both = false;

		if (a->kind != CLUE_SOCKET)
			continue;
		for (const struct clue *b = y->clues; b && !both; b = b->next)
			both = b->kind == CLUE_SOCKET && b->key == a->key;
		if (both && stranger_has(a->key, x, y))
			return false;
		n += both;
	}
	return n >= 2;
}
