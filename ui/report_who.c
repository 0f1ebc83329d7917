/* SPDX-License-Identifier: MIT */
/* report_who: whom a problem hurts: the phones of its calls, and who hears whom in the only one. */
#include "ui/report_part.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/hears.h"
#include "ui/words.h"

enum { PHONES_SHOWN = 8 };

static bool is_victim_of(const struct view_finding *f, const struct address *a)
{
	for (unsigned i = 0; i < f->host_count; i++)
		if (f->hosts[i].part && strcmp(f->hosts[i].part, "victim") == 0 &&
		    address_equal(&f->hosts[i].at.addr, a))
			return true;
	return false;
}

struct phones {
	struct view_call call;
	char number[PHONES_SHOWN][PARTY_TEXT];
	size_t count;
	bool more;
};

/* The victims of this finding, only those whose signalling address is the victim's. */
static void phones_take(struct phones *p, const struct report *r, const struct view_finding *f)
{
	struct view_call *c = &p->call;

	for (unsigned i = 0; i < f->call_id_count && !p->more; i++) {
		ptrdiff_t at = selection_call(r->selection, f->call_numbers[i]);
		char number[PARTY_TEXT];
		bool known = false;
		unsigned party;

		if (at == SELECTION_NONE || !view_call(r->engine, (size_t)at, c))
			continue;
		party = is_victim_of(f, &c->from_at.addr) ? 0 : 1;
		if (party == 1 && !is_victim_of(f, &c->to_at.addr))
			continue;
		report_number(c, party, number);
		for (size_t k = 0; k < p->count; k++)
			known |= strcmp(p->number[k], number) == 0;
		p->more = !known && p->count == PHONES_SHOWN;
		if (!known && !p->more)
			strcpy(p->number[p->count++], number);
	}
}

void report_phones(struct text *t, const struct report *r, const struct view_finding *finding,
	const struct view_incident *incident)
{
	struct phones *p = memory_zalloc(sizeof *p);
	struct view_finding *f = memory_zalloc(sizeof *f);

	phones_take(p, r, finding);
	for (unsigned i = 0; incident && i < incident->finding_count; i++) {
		ptrdiff_t at = selection_finding(r->selection, incident->findings[i]);

		if (incident->findings[i] != finding->n && at != SELECTION_NONE && view_finding(r->engine, (size_t)at, f))
			phones_take(p, r, f);
	}
	for (size_t i = 0; i < p->count; i++)
		text_addf(t, "%s%s", i ? " " : p->count == 1 ? "   phone " : "   phones ", p->number[i]);
	text_add(t, p->more ? " …" : "");
	free(f);
	free(p);
}

/* Who hears what, from the call itself: the party that suffers first. */
static void add_hearing(struct text *t, const struct report *r, const struct view_call *c, unsigned hearer, bool whole)
{
	enum heard heard = hearer == 0 ? c->caller_hears : c->callee_hears;
	char me[PARTY_TEXT], other[PARTY_TEXT], count[WORDS];
	uint64_t packets = hears_packets(c, hearer);

	if (whole)
		report_party(t, r, c, hearer);
	else
		text_add(t, report_number(c, hearer, me));
	report_number(c, !hearer, other);
	switch (heard) {
	case HEARD_YES:
		text_addf(t, " hears %s", other);
		break;
	case HEARD_POOR:
		text_addf(t, " hears %s badly", other);
		break;
	case HEARD_NO:
		text_addf(t, " hears nothing of %s", other);
		break;
	case HEARD_NOT_EXPECTED:
		text_addf(t, " is not to hear %s", other);
		break;
	case HEARD_UNKNOWN:
		if (packets)
			text_addf(t, " is sent %s of %s's audio, arrival not visible here",
				words_counted(packets, "packet", count), other);
		else
			text_addf(t, ": not visible here whether %s is heard", other);
		break;
	}
}

/* Is this party, by one of its addresses, a victim of the finding? */
static bool suffers(const struct view_finding *f, const struct view_call *c, unsigned party)
{
	if (is_victim_of(f, party == 0 ? &c->from_at.addr : &c->to_at.addr))
		return true;
	for (unsigned i = 0; i < c->media_count; i++)
		if (is_victim_of(f, c->media[i].sender == party ? &c->media[i].from.addr : &c->media[i].to.addr))
			return true;
	return false;
}

/* Where the call as a whole is heard, the finding's own words say what is wrong: only the party is named. */
static void add_listener(struct text *t, const struct report *r, const struct view_call *c, unsigned victim)
{
	char other[PARTY_TEXT];

	report_party(t, r, c, victim);
	text_addf(t, ", in the call with %s", report_number(c, !victim, other));
}

void report_who(struct text *t, const struct report *r, const struct view_call *c, const struct view_finding *f)
{
	unsigned victim = 0;
	enum heard heard;

	if (c->caller_hears == HEARD_NOT_EXPECTED && c->callee_hears == HEARD_NOT_EXPECTED)
		return;
	if (c->caller_hears != HEARD_NO && (c->callee_hears == HEARD_NO ||
	    (c->callee_hears == HEARD_POOR && c->caller_hears != HEARD_POOR)))
		victim = 1;
	if (suffers(f, c, 0) != suffers(f, c, 1))
		victim = suffers(f, c, 1);
	else if ((victim == 0 ? c->caller_hears : c->callee_hears) == HEARD_NOT_EXPECTED)
		victim = !victim;
	heard = victim == 0 ? c->caller_hears : c->callee_hears;
	if (heard == HEARD_YES || heard == HEARD_NOT_EXPECTED) {
		add_listener(t, r, c, victim);
	} else {
		add_hearing(t, r, c, victim, true);
		text_add(t, "; ");
		add_hearing(t, r, c, !victim, false);
	}
}
