/* SPDX-License-Identifier: MIT */
/* called_user: registrations by user, and what a server asks a phone. */
#include "analyzer/detect/called_user.h"

#include <stdlib.h>

#include "analyzer/detect/gates.h"
#include "captures/base/memory.h"

enum { COPIES_ENOUGH = 4, REQUESTS_ENOUGH = 2 };     /* one lost answer may be the capture's */

static int user_compare(const void *a, const void *b)
{
	const struct registration *x = *(const struct registration *const *)a,
		*y = *(const struct registration *const *)b;
	size_t n = x->user.n < y->user.n ? x->user.n : y->user.n;
	int c = n ? memcmp(x->user.p, y->user.p, n) : 0;

	if (c == 0)
		c = (x->user.n > y->user.n) - (x->user.n < y->user.n);
	return c ? c : (x->n > y->n) - (x->n < y->n);
}

void called_users_init(struct called_users *all, const struct facts *facts)
{
	const struct list *registrations = calls_registrations(facts->calls);

	*all = (struct called_users){ .list = memory_resize(NULL, registrations->count + 1, sizeof *all->list) };
	LIST_EACH(it, registrations)
		all->list[all->count++] = LIST_ENTRY(it, struct registration, in_order);
	if (all->count)
		qsort(all->list, all->count, sizeof *all->list, user_compare);
}

void called_users_fini(struct called_users *all)
{
	free(all->list);
}

/* The first registration of that user. */
static size_t users_from(const struct called_users *all, struct span user)
{
	size_t low = 0, high = all->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct registration key = { .user = user }, *k = &key;

		if (user_compare(&all->list[mid], &k) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool lapsed(const struct registration *r, int64_t at_ns)
{
	if (!r->succeeded || r->registered_ns == NS_NONE)
		return true;
	if (r->state == REGISTRATION_REMOVED && r->last_ns <= at_ns)
		return true;
	return ns_add(r->registered_ns, (int64_t)r->expires_s * SECOND_NS) < at_ns;
}

bool called_user_unregistered(const struct called_users *all, struct span user, const struct address *server,
	int64_t at_ns)
{
	bool known = false;

	for (size_t i = users_from(all, user); i < all->count && span_equal(all->list[i]->user, user); i++) {
		const struct registration *r = all->list[i];

		if (!address_equal(&r->registrar.addr, server) || r->first_ns > at_ns)
			continue;
		if (!lapsed(r, at_ns))
			return false;
		known = true;
	}
	return known && user.n;
}

static bool asked_in_vain(const struct sip_path *path, int64_t at_ns)
{
	const struct sip_unheard *u = path->unheard;

	return path->transport == TRANSPORT_UDP && (u->methods & 1u << SIP_OPTIONS) && u->first_ns < at_ns &&
	       (u->requests >= REQUESTS_ENOUGH || u->copies_most >= COPIES_ENOUGH) &&
	       (path->answered_ns == NS_NONE || path->answered_ns < u->first_ns);
}

static const struct sip_path *deaf(const struct facts *facts, const struct registration *r,
	const struct address *server, int64_t at_ns)
{
	const struct sip_path *path = NULL;

	while ((path = sip_paths_between(facts->paths, server, &r->source.addr, path))) {
		if (endpoint_equal(&path->server, &r->source) && asked_in_vain(path, at_ns) &&
		    !gates_may_hide(facts->gates, path->unheard->first_ns, at_ns))
			return path;
	}
	return NULL;
}

const struct sip_path *called_user_deaf(const struct called_users *all, const struct facts *facts, struct span user,
	const struct address *server, int64_t at_ns)
{
	const struct sip_path *last = NULL;

	for (size_t i = users_from(all, user); user.n && i < all->count && span_equal(all->list[i]->user, user); i++) {
		const struct registration *r = all->list[i];

		if (!address_equal(&r->registrar.addr, server) || r->first_ns > at_ns || lapsed(r, at_ns))
			continue;
		last = deaf(facts, r, server, at_ns);
		if (!last)
			return NULL;
	}
	return last;
}
