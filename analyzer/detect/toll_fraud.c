/* SPDX-License-Identifier: MIT */
/*
 * toll-fraud: somebody calls at the site's cost. Evidence is weighed (E1 to E10 of finding page 5, section 7); a call
 * that a trunk lets through without a password is no evidence by itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/dialled.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/source_say.h"
#include "analyzer/detect/survey.h"
#include "analyzer/detect/toll_forwarded.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"after-bruteforce", "unauthenticated-call", "premium-destination", "new-source", "volume",
	"off-hours-international", "forwarded", "prefix-probing", "unauthenticated-attempt", NULL,
};

static const struct detector_doc doc = {
	.says = "somebody calls at your cost",
	.symptom = "The bill: hours of calls abroad, at night, that nobody in the house made.",
	.evidence = "Calls abroad by an account whose password was guessed shortly before, in parallel, at night, to number blocks; calls of strangers that "
		    "the server sends on; calls that a device forwards abroad; one number tried with many prefixes.",
	.mimics = "A sales desk that calls abroad, a conference, a travelling user, the own branch abroad, a carrier's transit.",
	.fix = "Block international calls at the trunk, unregister the device, change the password, limit by source and by day.",
	.reasons = reasons,
};

static const struct config_key keys[] = { { 0 } };

enum { TAIL = 8, PREFIXES = 3, LOOK_BACK = 64, BLOCK = 7, BLOCK_CALLS = 5, TAKEN_MAX = 64, LOOKS = 64, KNOCKS = 3 };

#define PROBE_NS (10 * MINUTE_NS)
#define RELAY_NS (10 * SECOND_NS)
#define WATCH_NS (72 * HOUR_NS)

struct attempt {                     /* one call of somebody */
	const struct leg *leg;
	const struct source *x;
	struct dialled number;
	int64_t at_ns, end_ns;
};

struct book {                        /* all of them, as surveyed */
	struct attempt *list;        /* by source, caller, time once all are there */
	unsigned count, room;
	struct leg_list out;         /* to outside, by time */
	struct leg_list rough;
	const struct source *taken[TAKEN_MAX]; /* who guessed a password */
	unsigned taken_count;
	double concurrent, calls_h;
	unsigned looked;             /* callers whose registrations were gone through */
	int64_t window_ns;
};

struct score {
	const struct attempt *list;  /* calls of one caller within the window */
	unsigned count, answered, abroad, foreign, premium, off_hours, per_hour, parallel;
	bool international;          /* some number that somebody dialled as one */
	double points;
	const struct source *taken;  /* E5 */
	const struct attempt *relayed;   /* E7 */
	bool new_source, volume, block;
	int64_t minutes;
};

/* ---- the calls ---- */

static struct address server_of(const struct leg *leg)
{
	return leg->segment_count ? leg->segments[0].b.addr : leg->party[SIDE_CALLEE].signalling.addr;
}

static int attempt_compare(const void *a, const void *b)
{
	const struct attempt *x = a, *y = b;
	const struct span *u = &x->leg->party[SIDE_CALLER].user, *v = &y->leg->party[SIDE_CALLER].user;
	size_t n = u->n < v->n ? u->n : v->n;
	int c = address_compare(&x->x->addr, &y->x->addr);

	if (c == 0 && n)
		c = memcmp(u->p, v->p, n);
	if (c == 0)
		c = (u->n > v->n) - (u->n < v->n);
	if (c == 0)
		c = (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
	return c ? c : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

static void book_add(struct book *b, const struct facts *facts, const struct leg *leg)
{
	const struct source *x = sources_find(facts->sources, &leg->party[SIDE_CALLER].signalling.addr);
	struct address to = server_of(leg);
	struct attempt *a;

	if (!site_own(facts->site, &to))
		leg_list_add(&b->out, leg);
	if (!x || x->class == SOURCE_OWN_SERVER || x->class == SOURCE_TRUNK || x->class == SOURCE_TRUSTED)
		return;
	if (b->count == b->room) {
		b->room = b->room ? b->room * 2 : 16;
		b->list = memory_resize(b->list, b->room, sizeof *b->list);
	}
	a = &b->list[b->count];
	*a = (struct attempt){ .leg = leg, .x = x, .at_ns = leg->invite_ns,
		.end_ns = leg->end_ns != NS_NONE ? leg->end_ns : leg->last_ns };
	dialled_read(facts->site, leg->party[SIDE_CALLEE].user, &a->number);
	b->count += a->number.outside || a->number.premium;
}

static void book_settle(struct book *b, const struct facts *facts)
{
	if (b->count)
		qsort(b->list, b->count, sizeof *b->list, attempt_compare);
	LIST_EACH(it, sources_in_order(facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		if (x->guessed && b->taken_count < TAKEN_MAX)
			b->taken[b->taken_count++] = x;
	}
}

static void book_clear(struct book *b)
{
	leg_list_clear(&b->out);
	leg_list_clear(&b->rough);
	free(b->list);
	*b = (struct book){ .list = NULL };
}

/* ---- evidence ---- */

static const char *tail_of(const struct dialled *n, unsigned digits)
{
	size_t length = strlen(n->digits);

	return length > digits ? n->digits + length - digits : n->digits;
}

/* Does the server that was asked send the same number on to outside? */
static bool relayed(const struct book *b, const struct facts *facts, const struct attempt *a)
{
	struct address server = server_of(a->leg);
	unsigned low = 0, high = b->out.count;

	if (a->leg->cut)             /* credentials may have stood in what the capture cut off */
		return false;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (b->out.list[middle]->first_ns < a->at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < b->out.count && b->out.list[low]->first_ns - a->at_ns <= RELAY_NS; low++) {
		struct dialled n;

		if (b->out.list[low] == a->leg ||
		    !address_equal(&b->out.list[low]->party[SIDE_CALLER].signalling.addr, &server))
			continue;
		dialled_read(facts->site, b->out.list[low]->party[SIDE_CALLEE].user, &n);
		if (strlen(n.digits) >= TAIL && strcmp(tail_of(&n, TAIL), tail_of(&a->number, TAIL)) == 0)
			return true;
	}
	return false;
}

static bool abroad(const struct attempt *a)
{
	return a->leg->answered && (a->number.international || a->number.premium);
}

static void weigh_volume(const struct book *b, struct score *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		unsigned hour = 1, parallel = 1;

		for (unsigned k = i; abroad(&s->list[i]) && k-- > 0 && i - k <= LOOK_BACK;) {
			hour += abroad(&s->list[k]) && s->list[i].at_ns - s->list[k].at_ns <= HOUR_NS;
			parallel += abroad(&s->list[k]) && s->list[k].end_ns > s->list[i].at_ns;
		}
		s->per_hour = hour > s->per_hour ? hour : s->per_hour;
		s->parallel = parallel > s->parallel ? parallel : s->parallel;
	}
	s->volume = s->per_hour >= b->calls_h || s->parallel >= b->concurrent;
}

/* Five calls to numbers that begin alike, or of one length. */
static void weigh_block(struct score *s)
{
	unsigned last = s->count < LOOK_BACK ? s->count : LOOK_BACK;

	for (unsigned i = 0; i < last && !s->block; i++) {
		unsigned alike = 0, equal = 0;
		int64_t length_ns = s->list[i].end_ns - s->list[i].at_ns;

		for (unsigned k = 0; abroad(&s->list[i]) && k < last; k++) {
			int64_t other_ns = s->list[k].end_ns - s->list[k].at_ns;

			if (!abroad(&s->list[k]))
				continue;
			alike += strncmp(s->list[i].number.digits, s->list[k].number.digits, BLOCK) == 0;
			equal += length_ns > MINUTE_NS && llabs(other_ns - length_ns) * 20 <= length_ns;
		}
		s->block = (alike >= BLOCK_CALLS || equal >= BLOCK_CALLS) && s->parallel > 1;
	}
}

/* Registered from outside, and before from another network. */
static bool registered_elsewhere(const struct facts *facts, const struct attempt *a)
{
	bool other = false;

	if (site_inside(facts->site, &a->x->addr))
		return false;
	LIST_EACH(it, calls_registrations(facts->calls)) {
		const struct registration *r = LIST_ENTRY(it, struct registration, in_order);

		if (r->succeeded && r->first_ns < a->at_ns && span_equal(r->user, a->leg->party[SIDE_CALLER].user))
			other |= r->first_ns < a->x->first_ns && !address_same_net(&r->source.addr, &a->x->addr);
	}
	return other;
}

static void weigh_source(struct book *b, const struct facts *facts, struct score *s)
{
	const struct attempt *a = &s->list[0];
	char user[SOURCE_TEXT];

	text_escape(a->leg->party[SIDE_CALLER].user, user, sizeof user);
	for (unsigned i = 0; i < b->taken_count && !s->taken; i++) {
		const struct source *x = b->taken[i];

		if (s->list[s->count - 1].at_ns > x->victim->accepted_ns &&
		    a->at_ns - x->victim->accepted_ns <= WATCH_NS && (x == a->x || strcmp(x->victim->user, user) == 0))
			s->taken = x;
	}
	if (!s->taken && s->abroad && s->points >= 1 && b->looked++ < LOOKS)
		s->new_source = registered_elsewhere(facts, a);
}

static bool has_stranger(const struct facts *facts, const struct source *x)
{
	return source_suspect(x) && !site_own(facts->site, &x->addr);
}

static void weigh_relay(const struct book *b, const struct facts *facts, struct score *s)
{
	const struct source *x = s->list[0].x;
	bool beside = s->foreign || s->premium || s->off_hours || x->class == SOURCE_ATTACKER || s->international;

	if (!has_stranger(facts, x) || x->used || !beside)
		return;
	for (unsigned i = 0; i < s->count && i < LOOK_BACK && !s->relayed; i++) {
		if (s->list[i].leg->answered && relayed(b, facts, &s->list[i]))
			s->relayed = &s->list[i];
	}
}

static void weigh(struct book *b, const struct facts *facts, struct score *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		const struct attempt *a = &s->list[i];

		s->answered += a->leg->answered;
		if (!abroad(a))
			continue;
		s->abroad++;
		s->international |= a->number.international && a->number.by_prefix;
		s->foreign += a->number.foreign;
		s->premium += a->number.premium;
		s->off_hours += facts->site->office_hours.count && !site_open(facts->site, a->at_ns);
		s->minutes += ns_minus(a->end_ns, a->at_ns) / MINUTE_NS;
	}
	weigh_volume(b, s);
	weigh_block(s);
	s->points = (s->foreign ? 1 : s->abroad &&
		!facts->site->home_cc.count ? 0.5 : 0) + (s->premium ? 2 : 0) + (s->off_hours &&
		(s->foreign || s->premium));
	if (s->foreign || s->premium || !facts->site->home_cc.count)
		s->points += (s->volume ? 2 : 0) + s->block;
	weigh_source(b, facts, s);
	s->points += s->new_source ? 2 : 0;
	weigh_relay(b, facts, s);
}

/* ---- words ---- */

static const char *reason_of(const struct score *s)
{
	if (s->taken)
		return "after-bruteforce";
	if (s->relayed)
		return "unauthenticated-call";
	if (s->premium)
		return "premium-destination";
	if (s->new_source)
		return "new-source";
	return s->volume ? "volume" : "off-hours-international";
}

static void tell_destinations(struct text *t, const struct facts *facts, const struct score *s)
{
	const struct dialled *told[3];
	unsigned count = 0;

	for (unsigned i = 0; i < s->count && count < 3; i++) {
		const struct dialled *n = &s->list[i].number;
		bool known = !abroad(&s->list[i]);
		char text[DIALLED_DIGITS];

		for (unsigned k = 0; k < count; k++)
			known |= strncmp(told[k]->digits, n->digits, 5) == 0;
		if (known)
			continue;
		text_addf(t, "%s%s", count ? ", " : " to ", dialled_text(facts->site, n, text));
		told[count++] = n;
	}
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct score *s)
{
	const struct attempt *first = &s->list[0], *last = &s->list[s->count - 1];
	char user[SOURCE_TEXT], at[ADDRESS_TEXT], when[NS_TEXT], until[NS_TEXT], other[ADDRESS_TEXT];

	finding_cause(f, "%s, from source address %s, placed %u call%s, %lld min in all,",
		text_escape(first->leg->party[SIDE_CALLER].user, user, sizeof user),
		      address_text(&first->x->addr, at), s->answered, s->answered == 1 ? "" : "s",
		      (long long)s->minutes);
	tell_destinations(&f->cause, facts, s);
	text_addf(&f->cause, " between %s and %s", source_when(first->at_ns, when), source_when(last->end_ns, until));
	if (s->parallel > 1)
		text_addf(&f->cause, ", up to %u at once", s->parallel);
	if (s->off_hours)
		text_addf(&f->cause, ", %u outside office hours", s->off_hours);
	text_add(&f->cause, ".");
	if (s->taken)
		text_addf(&f->cause, " Before that: %u wrong passwords for %s from %s until it was accepted at %s.",
			s->taken->rejected, s->taken->victim->user,
			  address_text(&s->taken->addr, other), source_when(s->taken->victim->accepted_ns, when));
	if (s->relayed)
		text_add(&f->cause, " The server asked for no password and sent the call on to outside.");
	if (s->new_source && !s->taken)
		text_add(&f->cause, " The account was registered from another network before.");
}

static void add_parts(struct finding *f, const struct score *s)
{
	struct address server = server_of(s->list[0].leg);

	finding_part(f, PART_CULPRIT, &(struct endpoint){ s->list[0].x->addr, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ server, 0 });
	if (s->taken) {
		if (s->taken->victim->rejected_frames)
			finding_evidence(f, s->taken->victim->rejected_at[0], "the first wrong password for %s",
				s->taken->victim->user);
		finding_evidence(f, s->taken->victim->accepted_at, "%s is accepted from there", s->taken->victim->user);
	}
	for (unsigned i = 0; i < s->count; i++) {
		if (!s->list[i].leg->answered)
			continue;
		finding_leg(f, s->list[i].leg);
		finding_evidence(f, s->list[i].leg->invite_at, "a call to %s",
			s->list[i].number.international ? "a number abroad" : "outside");
	}
	finding_times(f, s->list[0].at_ns, s->list[s->count - 1].end_ns);
	f->count = s->answered;
}

static void tell(struct detection *d, const struct score *s)
{
	const struct facts *facts = detection_facts(d);
	bool proven = s->taken || s->relayed, many = s->points >= 5;
	const struct attempt *first = &s->list[0];
	uint64_t key = hash_mix(endpoint_key(&(struct endpoint){ first->x->addr, 0 }),
				hash_mix(hash_span(first->leg->party[SIDE_CALLER].user), (uint64_t)first->leg->n));
	struct finding *f = detection_raise_keyed(d, key, reason_of(s),
		proven ? SEVERITY_CRITICAL : many ? SEVERITY_ERROR : SEVERITY_WARNING,
						  proven ? CONFIDENCE_CERTAIN : many ? CONFIDENCE_LIKELY
						  : CONFIDENCE_POSSIBLE);
	char user[SOURCE_TEXT], at[ADDRESS_TEXT];

	text_escape(first->leg->party[SIDE_CALLER].user, user, sizeof user);
	address_text(&first->x->addr, at);
	if (s->relayed && !s->taken)
		finding_title(f, "%s calls abroad through your server without an account", at);
	else
		finding_title(f, "%s calls abroad %s from %s", user, SAY_COUNTED(s->answered, "time"), at);
	tell_cause(f, facts, s);
	if (s->relayed && !s->taken)
		finding_fix(f, "Now: block %s and outbound international calls at the trunk; let the server ask every INVITE for credentials; a daily limit at "
			    "the provider.", at);
	else
		finding_fix(f, "Block outbound international calls at the trunk now; unregister the device of %s at %s, change its password, allow registrations "
			    "from known networks only; a daily limit at the provider.", user, at);
	add_parts(f, s);
	finding_cannot_see(f, "what the calls cost");
}

static void judge(struct detection *d, struct book *b, const struct attempt *list, unsigned count)
{
	struct score s = { .list = list, .count = count };

	weigh(b, detection_facts(d), &s);
	if (!s.answered)
		return;
	if (s.taken || s.relayed || s.points >= 5 || (s.points >= 3 && (s.foreign || s.premium)))
		tell(d, &s);
	else if (s.abroad)
		detection_note(d, false, "%u answered calls abroad of one caller: %.1f points, 3 are needed", s.abroad,
			s.points);
}

static bool same_caller(const struct attempt *a, const struct attempt *b)
{
	return a->x == b->x && span_equal(a->leg->party[SIDE_CALLER].user, b->leg->party[SIDE_CALLER].user);
}

/* ---- attempts that were all refused ---- */

static int probe_compare(const void *a, const void *b)
{
	const struct attempt *x = a, *y = b;
	int c = address_compare(&x->x->addr, &y->x->addr);

	if (c == 0)
		c = strcmp(tail_of(&x->number, TAIL), tail_of(&y->number, TAIL));
	if (c == 0)
		c = strcmp(x->number.digits, y->number.digits);
	return c ? c : (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

static void tell_probe(struct detection *d, const struct attempt *list, unsigned count, unsigned prefixes)
{
	const struct facts *facts = detection_facts(d);
	const struct source *x = list[0].x;
	struct address server = server_of(list[0].leg);
	bool answered = x->answered > 0;
	struct finding *f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ x->addr, 0 }), 9),
		"prefix-probing",
						  answered ? SEVERITY_WARNING : SEVERITY_INFO, CONFIDENCE_LIKELY);
	char at[ADDRESS_TEXT], host[SAY_TEXT], number[DIALLED_DIGITS];
	int64_t from_ns = list[0].at_ns, to_ns = list[0].at_ns;

	address_text(&x->addr, at);
	say_host(facts, &server, host);
	finding_title(f, "%s looks for a prefix that lets calls out", at);
	finding_cause(f, "One number (%s) was tried with %u different prefixes from source address %s on %s; none was let through.",
		      dialled_text(facts->site, &list[0].number, number), prefixes, at, host);
	finding_fix(f, "Allow INVITEs only from the provider and known networks, drop the rest silently. Block %s.",
		at);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ server, 0 });
	for (unsigned i = 0; i < count && i < 8; i++) {
		finding_evidence(f, list[i].leg->invite_at, "a call to %s",
			dialled_text(facts->site, &list[i].number, number));
		from_ns = list[i].at_ns < from_ns ? list[i].at_ns : from_ns;
		to_ns = list[i].at_ns > to_ns ? list[i].at_ns : to_ns;
	}
	finding_times(f, from_ns, to_ns);
	f->count = count;
}

static int time_compare(const void *a, const void *b)
{
	const struct attempt *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->leg->n > y->leg->n) - (x->leg->n < y->leg->n);
}

/* Different numbers among those up to this one within ten minutes, at most PREFIXES. list: by time. */
static unsigned prefixes_before(const struct attempt *list, unsigned last)
{
	const char *seen[PREFIXES];
	unsigned different = 0;

	for (unsigned back = 0; back <= last && back < LOOK_BACK && different < PREFIXES; back++) {
		const struct attempt *a = &list[last - back];
		unsigned k = 0;

		if (list[last].at_ns - a->at_ns > PROBE_NS)
			break;
		while (k < different && strcmp(seen[k], a->number.digits) != 0)
			k++;
		if (k == different)
			seen[different++] = a->number.digits;
	}
	return different;
}

/* list: one source, one tail, by number. How many different prefixes; 0: one was let through, or they are too short. */
static unsigned prefixes_in_vain(const struct facts *facts, const struct attempt *list, unsigned count)
{
	unsigned different = 0;

	if (!has_stranger(facts, list[0].x) && list[0].x->accepted_credentials)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		if (list[i].leg->answered || strlen(list[i].number.digits) < TAIL)
			return 0;
		different += i == 0 || strcmp(list[i].number.digits, list[i - 1].number.digits) != 0;
	}
	return different;
}

/* The same; leaves the list by time. */
static bool probes_prefixes(struct attempt *list, unsigned count)
{
	qsort(list, count, sizeof *list, time_compare);
	for (unsigned i = 0; i < count; i++) {
		if (prefixes_before(list, i) >= PREFIXES)
			return true;
	}
	return false;
}

static void judge_probes(struct detection *d, struct book *b)
{
	const struct facts *facts = detection_facts(d);
	const struct source *told = NULL;
	unsigned n;

	if (b->count)
		qsort(b->list, b->count, sizeof *b->list, probe_compare);
	for (unsigned i = 0; i < b->count; i += n) {
		unsigned prefixes;

		for (n = 1; i + n < b->count && b->list[i + n].x == b->list[i].x &&
		     strcmp(tail_of(&b->list[i + n].number, TAIL), tail_of(&b->list[i].number, TAIL)) == 0; n++)
			;
		prefixes = b->list[i].x == told ? 0 : prefixes_in_vain(facts, &b->list[i], n);
		if (prefixes < PREFIXES || !probes_prefixes(&b->list[i], n))
			continue;
		told = b->list[i].x;
		tell_probe(d, &b->list[i], n, prefixes);
	}
}

/* Nobody here knows it, nothing of it was let in, and it shows no credentials. */
static bool knocks(const struct facts *facts, const struct attempt *a)
{
	const struct source *x = a->x;
	struct address server = server_of(a->leg);

	return x->class == SOURCE_UNKNOWN && has_stranger(facts, x) && !x->used && !x->accepted && !x->welcomed &&
	       site_own(facts->site, &server) && !sources_asked(facts->sources, &server, &x->addr);
}

/* A number that a stranger has no reason to dial here: abroad by a prefix that is dialled, no number of the site. */
static bool dials_abroad(const struct facts *facts, const struct attempt *a)
{
	return !a->leg->cut && !a->leg->answered && (a->number.premium || (a->number.international &&
	       a->number.by_prefix && (a->number.foreign || !facts->site->home_cc.count)));
}

static void tell_knock(struct detection *d, const struct attempt *list, unsigned count, unsigned calls, unsigned numbers)
{
	const struct facts *facts = detection_facts(d);
	const struct source *x = list[0].x;
	struct finding *f = detection_raise_keyed(d, hash_mix(endpoint_key(&(struct endpoint){ x->addr, 0 }), 10),
		"unauthenticated-attempt", x->answered ? SEVERITY_WARNING : SEVERITY_INFO, CONFIDENCE_LIKELY);
	struct address server = server_of(list[0].leg);
	char at[ADDRESS_TEXT], host[SAY_TEXT], number[DIALLED_DIGITS];
	unsigned shown = 0;

	address_text(&x->addr, at);
	finding_title(f, "%s tries to call abroad without an account", at);
	finding_cause(f, "%u INVITEs for %u numbers abroad came from source address %s to %s, without credentials; none was let through.",
		calls, numbers, at, say_host(facts, &server, host));
	finding_fix(f, "Allow INVITEs only from the provider and known networks, drop the rest silently. Block %s.", at);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ server, 0 });
	for (unsigned i = 0; i < count && shown < 8; i++) {
		if (!dials_abroad(facts, &list[i]))
			continue;
		finding_evidence(f, list[i].leg->invite_at, "a call to %s",
			dialled_text(facts->site, &list[i].number, number));
		shown++;
	}
	source_times(f, x);
	f->count = calls;
	finding_cannot_see(f, "whether the source address is forged");
}

/* The list is by source and number. */
static void judge_knocks(struct detection *d, const struct book *b)
{
	const struct facts *facts = detection_facts(d);
	unsigned n;

	for (unsigned i = 0; i < b->count; i += n) {
		const char *last = NULL;
		unsigned calls = 0, numbers = 0;

		for (n = 0; i + n < b->count && b->list[i + n].x == b->list[i].x; n++) {
			const struct attempt *a = &b->list[i + n];

			if (!dials_abroad(facts, a))
				continue;
			calls++;
			numbers += !last || strcmp(last, a->number.digits) != 0;
			last = a->number.digits;
		}
		if (calls >= KNOCKS && numbers >= 2 && knocks(facts, &b->list[i]))
			tell_knock(d, &b->list[i], n, calls, numbers);
	}
}

static void judge_all(struct detection *d, struct book *b)
{
	const struct facts *facts = detection_facts(d);
	unsigned n;

	b->concurrent = detection_config(d, "tollfraud", "tf-concurrent");
	b->calls_h = detection_config(d, "tollfraud", "tf-calls-h");
	b->window_ns = (int64_t)(detection_config(d, "tollfraud", "tf-window-h") * 3600) * SECOND_NS;
	book_settle(b, facts);
	for (unsigned i = 0; i < b->count; i += n) {
		for (n = 1; i + n < b->count && same_caller(&b->list[i], &b->list[i + n]) &&
		    b->list[i + n].at_ns - b->list[i].at_ns <= b->window_ns; n++)
			;
		judge(d, b, &b->list[i], n);
	}
	judge_probes(d, b);
	judge_knocks(d, b);
	toll_forwarded(d, &b->rough);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	struct book *b = detection_state(d);

	if (facts->site->role == SITE_CARRIER) {
		if (ev->kind == EVENT_JUDGE_CAPTURE)
			detection_pass(d, "role", "a carrier's transit looks like this");
	} else if (ev->kind == EVENT_SURVEY_LEG) {
		if (ev->leg->initial_invite_seen)
			book_add(b, facts, ev->leg);
		if (ev->leg->rough)
			leg_list_add(&b->rough, ev->leg);
	} else {
		judge_all(d, b);
		book_clear(b);
	}
}

static void forget(void *state)
{
	book_clear(state);
}

const struct detector detect_toll_fraud = {
	.id = "toll-fraud", .doc = &doc, .keys = keys, .event = on_event,
	.state_size = sizeof(struct book), .forget = forget,
	.events = EVENT_BIT(EVENT_SURVEY_LEG) | EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = GLOBAL,
	.usual = SEVERITY_CRITICAL, .possible_max = SEVERITY_WARNING,
};
