/* SPDX-License-Identifier: MIT */
/*
 * answer_congestion: only what the phones answer is looked at: a slow server answers slowly whoever talks. The same
 * phone must answer soon when the others are quiet: a long way takes long all the time.
 */
#include "analyzer/detect/answer_congestion.h"

#include <stdlib.h>

#include "analyzer/calls/account.h"
#include "analyzer/detect/say.h"
#include "captures/base/memory.h"

enum { OTHERS = 2, BUSY_LEAST = 5, QUIET_LEAST = 3, LOOK_MAX = 64 };

#define NEAR_NS (5 * SECOND_NS)      /* what others send or get so near to it counts as at the same time */

struct answer {
	const struct device *phone;
	const struct message *asked, *said;
	bool busy;                   /* others of its kind talk at that time */
};

struct answers {
	struct answer *list;
	unsigned count, room;
};

struct slow_phone {
	const struct answer *median;
	unsigned busy, quiet;
	double busy_s, quiet_s;
};

static double answer_s(const struct answer *x)
{
	return (double)ns_minus(x->said->at.at_ns, x->asked->at.at_ns) / 1e9;
}

/* What the phone says first to a request, where that was captured too. */
static const struct message *first_reply(const struct transaction *t)
{
	const struct message *m = t->provisional ? t->provisional : t->final;

	if (!m || !endpoint_equal(&m->src, &t->request->dst) || !endpoint_equal(&m->dst, &t->request->src) ||
	    m->at.file != t->request->at.file || m->at.interface != t->request->at.interface)
		return NULL;
	return m;
}

/* Behind a router that gave its port another number. */
static bool is_remapped(const struct device *x)
{
	return x->succeeded && x->inner.port && x->outer.port && x->inner.port != x->outer.port;
}

static bool some_remapped(const struct facts *facts)
{
	LIST_EACH(it, accounts_in_order(facts->accounts)) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct account, in_order)->devices) {
			if (is_remapped(LIST_ENTRY(dit, struct device, in_account)))
				return true;
		}
	}
	return false;
}

static void take(struct answers *all, const struct facts *facts, const struct transaction *t)
{
	const struct message *m = t->request && t->method != SIP_ACK ? first_reply(t) : NULL;
	const struct device *x = m ? accounts_device_at(facts->accounts, &t->request->dst) : NULL;

	if (!x || !is_remapped(x) || !endpoint_equal(&x->outer, &t->request->dst))
		return;
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 64;
		all->list = memory_resize(all->list, all->room, sizeof *all->list);
	}
	all->list[all->count++] = (struct answer){ .phone = x, .asked = t->request, .said = m };
}

/* Phones of one port behind one router. */
static int kind_compare(const struct device *x, const struct device *y)
{
	int c = address_compare(&x->outer.addr, &y->outer.addr);

	return c ? c : (x->inner.port > y->inner.port) - (x->inner.port < y->inner.port);
}

static int by_time(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;
	int c = kind_compare(x->phone, y->phone);

	if (c == 0)
		c = (x->asked->at.at_ns > y->asked->at.at_ns) - (x->asked->at.at_ns < y->asked->at.at_ns);
	return c ? c : (x->asked->at.frame > y->asked->at.frame) - (x->asked->at.frame < y->asked->at.frame);
}

static int by_phone(const void *a, const void *b)
{
	const struct answer *x = a, *y = b;
	double s = answer_s(x), t = answer_s(y);
	int c = kind_compare(x->phone, y->phone);

	if (c == 0)
		c = (x->phone->n > y->phone->n) - (x->phone->n < y->phone->n);
	if (c == 0)
		c = x->busy - y->busy;
	return c ? c : (s > t) - (s < t);
}

/* Others met from there on, forwards or backwards; at most LOOK_MAX answers are looked at. */
static unsigned others_along(const struct answers *all, unsigned from, int step, const struct device *seen[OTHERS],
	unsigned count)
{
	const struct answer *me = &all->list[from];
	unsigned i = from;

	for (unsigned looked = 0; looked < LOOK_MAX && count < OTHERS; looked++) {
		const struct answer *x;

		if (step < 0 ? i == 0 : i + 1 == all->count)
			break;
		i = step < 0 ? i - 1 : i + 1;
		x = &all->list[i];
		if (kind_compare(x->phone, me->phone) != 0 ||
		    llabs(ns_minus(x->asked->at.at_ns, me->asked->at.at_ns)) > NEAR_NS)
			break;
		if (x->phone != me->phone && (count == 0 || seen[0] != x->phone))
			seen[count++] = x->phone;
	}
	return count;
}

static bool others_talk(const struct answers *all, unsigned i)
{
	const struct device *seen[OTHERS];
	unsigned count = others_along(all, i, -1, seen, 0);

	return others_along(all, i, 1, seen, count) == OTHERS;
}

/* list[0..count) is one phone's: quiet ones first, each by duration. */
static bool phone_slow(const struct detection *d, const struct answer *list, unsigned count, struct slow_phone *ret)
{
	unsigned quiet = 0;

	while (quiet < count && !list[quiet].busy)
		quiet++;
	if (quiet < QUIET_LEAST || count - quiet < BUSY_LEAST)
		return false;
	*ret = (struct slow_phone){ .median = &list[quiet + (count - quiet) / 2], .busy = count - quiet, .quiet = quiet,
		.quiet_s = answer_s(&list[quiet / 2]) };
	ret->busy_s = answer_s(ret->median);
	return ret->busy_s > detection_key(d, "congestion-s") && ret->busy_s > 2 * ret->quiet_s;
}

static struct finding *tell(struct detection *d, const struct slow_phone *x)
{
	const struct device *phone = x->median->phone;
	struct finding *f = detection_raise_keyed(d, (uint64_t)phone->n << 32 | 1, "signalling-congestion",
		SEVERITY_WARNING, CONFIDENCE_LIKELY);
	struct endpoint router = { phone->outer.addr, 0 };
	char host[SAY_TEXT], text[ENDPOINT_TEXT];

	say_host(detection_facts(d), &phone->outer.addr, host);
	finding_title(f, "%s: its phones answer late while others talk (%.1f s)", host, x->busy_s);
	finding_cause(f, "The phone %s behind %s answers after %.1f s (median of %u) while at least two others with local port %u talk, and after %.2f s when they are quiet.",
		      phone->account->user, host, x->busy_s, x->busy, phone->inner.port, x->quiet_s);
	finding_fix(f, "Give each phone there a local SIP port of its own (5062, 5064, 5066 ...), so that the router does not have to remap them; %s is reached at %s now.",
		    phone->account->user, endpoint_text(&phone->outer, text));
	finding_cannot_see(f, "the load of %s: its own figures show it", host);
	finding_part(f, PART_CULPRIT, &router);
	finding_evidence(f, x->median->asked->at, "the request");
	finding_evidence(f, x->median->said->at, "its answer, %.1f s later", x->busy_s);
	finding_times(f, x->median->asked->at.at_ns, x->median->said->at.at_ns);
	return f;
}

static void add_phone(struct finding *f, const struct slow_phone *x, const struct answer *list, unsigned count)
{
	finding_part(f, PART_VICTIM, &x->median->phone->outer);
	f->count++;
	for (unsigned i = 0; i < count; i++) {
		if (list[i].busy)
			finding_leg(f, message_leg(list[i].asked));
	}
}

static unsigned judge(struct detection *d, const struct answers *all)
{
	const struct device *before = NULL;
	struct finding *f = NULL;
	unsigned n, told = 0;

	for (unsigned i = 0; i < all->count; i += n) {
		const struct device *phone = all->list[i].phone;
		struct slow_phone x;

		for (n = 1; i + n < all->count && all->list[i + n].phone == phone;)
			n++;
		if (!before || kind_compare(before, phone) != 0)
			f = NULL;
		before = phone;
		if (!phone_slow(d, &all->list[i], n, &x))
			continue;
		told += !f;
		f = f ? f : tell(d, &x);
		add_phone(f, &x, &all->list[i], n);
	}
	return told;
}

unsigned answer_congestion(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	struct answers all = { 0 };
	unsigned told;

	if (!some_remapped(facts))
		return 0;
	LIST_EACH(it, calls_legs(facts->calls)) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		LIST_EACH(at, &leg->transactions)
			take(&all, facts, LIST_ENTRY(at, struct transaction, in_leg));
	}
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, by_time);
	for (unsigned i = 0; i < all.count; i++)
		all.list[i].busy = others_talk(&all, i);
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, by_phone);
	told = judge(d, &all);
	free(all.list);
	return told;
}
