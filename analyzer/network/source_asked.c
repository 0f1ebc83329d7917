/* SPDX-License-Identifier: MIT */
/* source_asked: whom a source asks, and as which users: targets and users, a bounded number of each. */
#include <stdlib.h>

#include "analyzer/network/source_private.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum {
	USERS = 16, TARGETS = 16,    /* for each source that there is room for: of all together */
	FEW = 8,                     /* then each keeps so many */
	AGAIN_S = 10                 /* asked again so much later is another round */
};

/* ---- whom ---- */

struct source_target *source_target_find(const struct source *x, const struct address *a)
{
	for (unsigned i = 0; i < x->target_count; i++) {
		if (address_equal(&x->targets[i].at.addr, a))
			return &x->targets[i];
	}
	return NULL;
}

static void target_port(struct source_target *t, uint16_t port, int64_t at_ns)
{
	for (unsigned i = 0; i < t->port_count && i < SOURCE_PORTS; i++) {
		if (t->ports[i] == port) {
			t->port_ns[i] = at_ns;
			return;
		}
	}
	t->ports[t->port_count % SOURCE_PORTS] = port;
	t->port_ns[t->port_count++ % SOURCE_PORTS] = at_ns;
	if (t->port_count >= SOURCE_PORTS)
		t->swept |= at_ns - t->port_ns[t->port_count % SOURCE_PORTS] <= MINUTE_NS;
}

static struct span target_name(const struct address *a)
{
	return (struct span){ a->bytes, a->family == 6 ? 16 : 4 };
}

/* There is no room for more: from now on bits tell which ones were met. */
static bool target_met(struct source *x, const struct address *a)
{
	if (!x->target_bits) {
		for (unsigned i = 0; i < x->target_count; i++)
			source_bit_add(x, &x->target_bits, target_name(&x->targets[i].at.addr));
	}
	return source_bit_add(x, &x->target_bits, target_name(a));
}

/* A power of two is full. */
static void targets_grow(struct source *x)
{
	bool only = x->targets == &x->only_target;

	x->targets = memory_resize(only ? NULL : x->targets, 2u * x->target_count, sizeof *x->targets);
	if (only)
		x->targets[0] = x->only_target;
}

void source_target_take(struct sources *s, struct source *x, const struct packet *p)
{
	struct source_target *t = source_target_find(x, &p->dst.addr);

	if (!t) {
		unsigned most = s->targets < s->config.max * TARGETS ? SOURCE_EXACT : FEW;
		bool full = x->target_count >= most;
		bool known = (full || x->target_bits) && target_met(x, &p->dst.addr);

		if (!known || !full)
			source_pace_grow(&x->new_targets, &x->target_ns, p->at_ns);
		if (full)
			return;
		s->targets++;
		if (x->target_count && (x->target_count & (x->target_count - 1)) == 0)
			targets_grow(x);
		t = &x->targets[x->target_count++];
		*t = (struct source_target){ .at = p->dst, .first_ns = p->at_ns, .last_ns = p->at_ns, .rounds = 1 };
	}
	t->requests++;
	t->rounds += p->at_ns - t->last_ns >= AGAIN_S * SECOND_NS;
	t->last_ns = p->at_ns;
	target_port(t, p->dst.port, p->at_ns);
}

/* ---- as whom ---- */

enum { USERS_WALKED = SOURCE_EXACT / 2 };

/* Behind the users of a source that has more than USERS_WALKED: what is asked of them all, side by side. */
struct user_index {
	uint64_t keys[SOURCE_EXACT];
	int64_t last_ns[SOURCE_EXACT];       /* INT64_MAX: it was let in */
};

static struct user_index *index_of(const struct source *x)
{
	return x->user_count > USERS_WALKED ? (struct user_index *)(void *)(x->users + SOURCE_EXACT) : NULL;
}

static void index_note(const struct source *x, const struct source_user *u)
{
	struct user_index *index = index_of(x);

	if (!index)
		return;
	index->keys[u - x->users] = u->key;
	index->last_ns[u - x->users] = u->accepted ? INT64_MAX : u->last_ns;
}

struct source_user *source_user_find(const struct source *x, uint64_t key)
{
	const struct user_index *index = index_of(x);
	unsigned i = 0;

	if (index) {
		while (i < x->user_count && index->keys[i] != key)
			i++;
	} else {
		while (i < x->user_count && x->users[i].key != key)
			i++;
	}
	return i < x->user_count ? &x->users[i] : NULL;
}

void source_user_seen(const struct source *x, struct source_user *u, int64_t at_ns)
{
	u->last_ns = at_ns;
	index_note(x, u);
}

void source_user_let_in(const struct source *x, struct source_user *u)
{
	u->accepted++;
	index_note(x, u);
}

static struct source_user *index_oldest(struct source *x, const struct user_index *index)
{
	unsigned oldest = 0;

	for (unsigned i = 1; i < x->user_count; i++) {
		if (index->last_ns[i] < index->last_ns[oldest])
			oldest = i;
	}
	return index->last_ns[oldest] < INT64_MAX ? &x->users[oldest] : NULL;
}

/* Not the one that was let in. */
static struct source_user *user_oldest(struct source *x)
{
	const struct user_index *index = index_of(x);
	struct source_user *oldest = NULL;

	if (index)
		return index_oldest(x, index);
	for (unsigned i = 0; i < x->user_count; i++) {
		struct source_user *u = &x->users[i];

		if (!u->accepted && (!oldest || u->last_ns < oldest->last_ns))
			oldest = u;
	}
	return oldest;
}

static bool digits_only(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* The next one in a list that somebody counts through: longer, or the same length and greater; words by letter. */
static bool follows(const char *before, const char *now)
{
	size_t a = strlen(before), b = strlen(now);

	if (digits_only(before) && digits_only(now))
		return b > a || (b == a && strcmp(now, before) > 0);
	return strcmp(now, before) > 0;
}

static void user_in_order(struct source *x, const char *user)
{
	x->in_order_run = x->last_user[0] && follows(x->last_user, user) ? x->in_order_run + 1 : 1;
	x->in_order_most = x->in_order_run > x->in_order_most ? x->in_order_run : x->in_order_most;
	memcpy(x->last_user, user, sizeof x->last_user);
}

/* As target_met(), by the names in the table: those that are not kept as they were are met with bits. */
static bool user_met(struct source *x, struct span name)
{
	if (!x->user_bits) {
		for (unsigned i = 0; i < x->user_count; i++)
			source_bit_add(x, &x->user_bits, span_of(x->users[i].user));
	}
	return source_bit_add(x, &x->user_bits, name);
}

static void users_grow(struct source *x)
{
	bool only = x->users == &x->only_user;
	size_t more = x->user_count == USERS_WALKED ? sizeof(struct user_index) : 0;

	x->users = memory_resize(only ? NULL : x->users, 1, 2 * x->user_count * sizeof *x->users + more);
	if (only)
		x->users[0] = x->only_user;
}

static struct source_user *user_new(struct sources *s, struct source *x, uint64_t key, struct span name,
	const char *text)
{
	struct source_user *u;
	unsigned most = s->users < s->config.max * USERS ? SOURCE_EXACT : FEW;
	bool full = x->user_count >= most,
		known = (full || x->user_bits || !span_equal(name, span_of(text))) && user_met(x, name) && full;

	if (!full) {
		if (x->user_count && (x->user_count & (x->user_count - 1)) == 0)
			users_grow(x);
		u = &x->users[x->user_count++];
		s->users++;
		for (unsigned i = 0; x->user_count == USERS_WALKED + 1 && i < USERS_WALKED; i++)
			index_note(x, &x->users[i]);
	} else {
		u = user_oldest(x);
		if (u)
			free(u->rejection_ns);
	}
	if (!u)
		return NULL;
	*u = (struct source_user){ .key = key, .same_port = true, .same_agent = true, .one_dialog = true, .fresh = true,
		.gaps_grow = true };
	u->accepted_ns = u->accepted_first_ns = u->rejected_first_ns = u->rejected_last_ns = NS_NONE;
	u->once_counted = known;
	memcpy(u->user, text, sizeof u->user);
	index_note(x, u);
	return u;
}

struct source_user *source_user_take(struct sources *s, struct source *x, const struct packet *p, struct span name)
{
	uint64_t key = hash_mix(hash_bytes(name.p, name.n), source_address_key(&p->dst.addr));
	struct source_user *u = source_user_find(x, key);
	char text[SOURCE_TEXT] = "";

	if (u || !name.n)
		return u;
	text_escape(name, text, sizeof text);
	u = user_new(s, x, key, name, text);
	if (!u)
		return NULL;
	u->server = p->dst;
	u->port = p->src.port;
	u->first_ns = p->at_ns;
	if (!u->once_counted)
		source_pace_grow(&x->new_users, &x->user_ns, p->at_ns);
	user_in_order(x, u->user);
	return u;
}
