/* SPDX-License-Identifier: MIT */
/*
 * toll_forwarded: a 302 of a phone, or its REFER, names a number abroad, and the server calls it. One such call is what
 * forwarding is for: only numbers that the profile calls foreign or expensive count.
 */
#include "analyzer/detect/toll_forwarded.h"

#include <stdlib.h>

#include "analyzer/detect/dialled.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/source_say.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"
#include "dissect/sip_message.h"

enum { TAIL = 8, LOOK_BACK = 64, EVIDENCE = 6 };

#define SENT_ON_NS (10 * SECOND_NS)

struct forwarded {
	struct span user;            /* whose device it was */
	const struct leg *out;       /* the call that followed, answered */
	struct frame_ref at;         /* of the 302 or REFER */
	struct endpoint device;
	struct dialled number;
};

struct placed {                      /* a call to outside that was answered */
	const struct leg *leg;
	char tail[TAIL + 1];         /* of its number */
};

struct forwards {
	struct forwarded *list;
	unsigned count, room;
	struct placed *out;          /* by number and time */
	unsigned out_count;
	bool filled;                 /* out is */
};

/* ---- what followed ---- */

static int leg_compare(const struct leg *x, const struct leg *y)
{
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

static int placed_compare(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = strcmp(x->tail, y->tail);

	return order ? order : leg_compare(x->leg, y->leg);
}

/* Numbers with and without their prefixes end alike. False: too short to be told apart. */
static bool tail_of(const struct dialled *n, char tail[TAIL + 1])
{
	size_t length = strlen(n->digits);

	if (length < TAIL)
		return false;
	memcpy(tail, n->digits + length - TAIL, TAIL + 1);
	return true;
}

static void out_fill(struct forwards *all, const struct facts *facts)
{
	const struct list *legs = calls_legs(facts->calls);

	all->filled = true;
	all->out = memory_resize(NULL, legs->count + 1, sizeof *all->out);
	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		struct dialled to;

		if (!leg->initial_invite_seen || !leg->answered || !leg->segment_count ||
		    !site_inside(facts->site, &leg->segments[0].a.addr) || site_inside(facts->site, &leg->segments[0].b.addr))
			continue;
		dialled_read(facts->site, leg->party[SIDE_CALLEE].user, &to);
		all->out[all->out_count].leg = leg;
		all->out_count += tail_of(&to, all->out[all->out_count].tail);
	}
	if (all->out_count)
		qsort(all->out, all->out_count, sizeof *all->out, placed_compare);
}

/* The first call to that number from that time on, if it follows soon. */
static const struct leg *sent_on(const struct forwards *all, const char tail[TAIL + 1], int64_t at_ns)
{
	unsigned low = 0, high = all->out_count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		int order = strcmp(all->out[middle].tail, tail);

		if (order < 0 || (order == 0 && all->out[middle].leg->first_ns < at_ns))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == all->out_count || strcmp(all->out[low].tail, tail) != 0 ||
	    ns_minus(all->out[low].leg->first_ns, at_ns) > SENT_ON_NS)
		return NULL;
	return all->out[low].leg;
}

static void take(struct forwards *all, const struct facts *facts, struct forwarded x, struct span uri)
{
	struct sip_address to = { 0 };
	char tail[TAIL + 1];

	sip_address_parse(uri, &to);
	dialled_read(facts->site, to.user, &x.number);
	if ((!x.number.foreign && !x.number.premium) || !tail_of(&x.number, tail))
		return;
	if (!all->filled)
		out_fill(all, facts);
	x.out = sent_on(all, tail, x.at.at_ns);
	if (!x.out)
		return;
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : 16;
		all->list = memory_resize(all->list, all->room, sizeof *all->list);
	}
	all->list[all->count++] = x;
}

static void take_redirects(struct forwards *all, const struct facts *facts, const struct leg *leg)
{
	LIST_EACH(it, &leg->transactions) {
		const struct transaction *t = LIST_ENTRY(it, struct transaction, in_leg);
		const struct message *m = t->initial ? t->final : NULL;

		if (m && m->status >= 301 && m->status <= 305 && m->contact && site_inside(facts->site, &m->src.addr))
			take(all, facts, (struct forwarded){ .user = leg->party[SIDE_CALLEE].user, .at = m->at,
				.device = m->src }, phrase_span(m->contact->uri));
	}
}

static void forwards_fill(struct forwards *all, const struct facts *facts, const struct leg_list *rough)
{
	for (unsigned i = 0; i < rough->count; i++)
		take_redirects(all, facts, rough->list[i]);
	LIST_EACH(it, calls_transfers(facts->calls)) {
		const struct transfer *x = LIST_ENTRY(it, struct transfer, in_order);
		const struct party *by = &x->leg->party[x->by];

		if (!x->attended && site_inside(facts->site, &by->signalling.addr))
			take(all, facts, (struct forwarded){ .user = by->user, .at = x->at, .device = by->signalling },
			     x->refer_to);
	}
}

/* ---- the weight of one device's ---- */

static int forwarded_compare(const void *a, const void *b)
{
	const struct forwarded *x = a, *y = b;
	size_t n = x->user.n < y->user.n ? x->user.n : y->user.n;
	int order = n ? memcmp(x->user.p, y->user.p, n) : 0;

	if (!order)
		order = (x->user.n > y->user.n) - (x->user.n < y->user.n);
	return order ? order : leg_compare(x->out, y->out);
}

static int64_t end_of_leg(const struct leg *leg)
{
	return leg->end_ns != NS_NONE ? leg->end_ns : leg->last_ns;
}

static bool is_volume(const struct detection *d, const struct forwarded *list, unsigned count)
{
	unsigned hour_most = 0, parallel_most = 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned hour = 1, parallel = 1;

		for (unsigned k = i; k-- > 0 && i - k <= LOOK_BACK;) {
			hour += list[i].at.at_ns - list[k].at.at_ns <= HOUR_NS;
			parallel += end_of_leg(list[k].out) > list[i].out->first_ns;
		}
		hour_most = hour > hour_most ? hour : hour_most;
		parallel_most = parallel > parallel_most ? parallel : parallel_most;
	}
	return hour_most >= detection_config(d, "tollfraud", "tf-calls-h") ||
	       parallel_most >= detection_config(d, "tollfraud", "tf-concurrent");
}

static double points_of(const struct detection *d, const struct forwarded *list, unsigned count)
{
	const struct site *site = detection_facts(d)->site;
	bool foreign = false, premium = false, off_hours = false;

	for (unsigned i = 0; i < count; i++) {
		foreign |= list[i].number.foreign;
		premium |= list[i].number.premium;
		off_hours |= site->office_hours.count && !site_open(site, list[i].at.at_ns);
	}
	return 2 + foreign + 2 * premium + off_hours + 2 * is_volume(d, list, count);
}

static void tell(struct detection *d, const struct forwarded *list, unsigned count, double points)
{
	const struct facts *facts = detection_facts(d);
	bool many = points >= 5;
	struct finding *f = detection_raise_keyed(d, hash_mix(hash_span(list[0].user), 7), "forwarded",
		many ? SEVERITY_ERROR : SEVERITY_WARNING, many ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	char user[SOURCE_TEXT], at[ADDRESS_TEXT], number[DIALLED_DIGITS];
	int64_t last_ns = list[0].out->first_ns;

	text_escape(list[0].user, user, sizeof user);
	address_text(&list[0].device.addr, at);
	finding_title(f, "%s sends %u call%s on to numbers abroad", user, count, count == 1 ? "" : "s");
	finding_cause(f, "The device of %s at %s sent %u call%s on to outside, the first to %s; the server placed them, and they were answered.",
		      user, at, count, count == 1 ? "" : "s", dialled_text(facts->site, &list[0].number, number));
	finding_fix(f, "Look at the call forwarding set on %s and who set it; let the server forward to allowed numbers only; a daily limit at the provider.",
		    user);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ list[0].device.addr, 0 });
	for (unsigned i = 0; i < count; i++) {
		finding_leg(f, list[i].out);
		last_ns = end_of_leg(list[i].out) > last_ns ? end_of_leg(list[i].out) : last_ns;
		if (i < EVIDENCE)
			finding_evidence(f, list[i].at, "the device names %s",
					 dialled_text(facts->site, &list[i].number, number));
	}
	finding_times(f, list[0].at.at_ns, last_ns);
	f->count = count;
	finding_cannot_see(f, "what the calls cost, and whether the user set this");
}

void toll_forwarded(struct detection *d, const struct leg_list *rough)
{
	const struct facts *facts = detection_facts(d);
	struct forwards all = { .count = 0 };
	unsigned n;

	forwards_fill(&all, facts, rough);
	if (all.count)
		qsort(all.list, all.count, sizeof *all.list, forwarded_compare);
	for (unsigned i = 0; i < all.count; i += n) {
		double points;

		for (n = 1; i + n < all.count && span_equal(all.list[i].user, all.list[i + n].user);)
			n++;
		points = points_of(d, &all.list[i], n);
		if (points >= 3)
			tell(d, &all.list[i], n, points);
	}
	free(all.list);
	free(all.out);
}
