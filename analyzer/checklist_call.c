/* SPDX-License-Identifier: MIT */
/*
 * checklist_call: C2.1 to C2.3 and C2.14: calls to and from outside, to mobiles, and whether both directions were
 * heard.
 */
#include "analyzer/checklist_tally.h"

#include <string.h>

#include "analyzer/detect/dialled.h"

static const char *const call_ids[] = { "invite-unanswered", "call-failed", "ack-missing", "call-dropped",
	"one-way-audio", "no-audio", NULL };

enum way { WAY_INSIDE, WAY_IN, WAY_OUT };

/*
 * A provider that is one by its calls alone may be a hosted PBX: then only a number that no extension has proves a call
 * to or from outside.
 */
static bool leaves(const struct checklist *c, const struct address *provider, struct span number)
{
	return end_named(c->ends, provider) || end_outside_number(number);
}

static enum way way_of(const struct checklist *c, const struct call *call)
{
	const struct party *caller = &call_first_leg(call)->party[SIDE_CALLER],
		*callee = &call_last_leg(call)->party[SIDE_CALLEE];
	const struct address *from = &caller->signalling.addr;
	const struct address *to = address_known(&callee->signalling.addr) ? &callee->signalling.addr
		: &callee->signalling_dst.addr;
	enum end a = end_of(c->ends, from), b = end_of(c->ends, to);

	if (a == END_PROVIDER && (b == END_OWN || b == END_REMOTE) && leaves(c, from, caller->user))
		return WAY_IN;
	if ((a == END_OWN || a == END_REMOTE) && b == END_PROVIDER && leaves(c, to, callee->user))
		return WAY_OUT;
	return WAY_INSIDE;
}

static void check_ways(struct checklist *c)
{
	struct tally in = tally_of(c, "C2.1", "Inbound call", "inbound", call_ids);
	struct tally out = tally_of(c, "C2.2", "Outbound call", "outbound", call_ids);
	bool known = false;

	for (size_t i = 0; i < c->sight_count; i++) {
		struct sight *s = &c->sights[i];
		enum way way = way_of(c, s->call);

		s->way = (uint8_t)way;
		known |= way != WAY_INSIDE;
		if (way != WAY_INSIDE)
			tally_take(way == WAY_IN ? &in : &out, s);
	}
	in.works = out.works = "answered, audio passes both ways";
	in.nothing = known ? "no call from a provider to the site"
		: "no call from a provider to the site, as far as the addresses tell";
	out.nothing = known ? "no call from the site to a provider"
		: "no call from the site to a provider, as far as the addresses tell";
	tally_settle(&in);
	tally_settle(&out);
}


static bool is_mobile(const struct site *site, struct span user)
{
	struct dialled n;

	dialled_read(site, user, &n);
	for (unsigned i = 0; i < site->mobile_prefixes.count; i++) {
		if (strncmp(n.digits, site->mobile_prefixes.list[i], strlen(site->mobile_prefixes.list[i])) == 0)
			return true;
	}
	return false;
}

/* Any number outside stands for a mobile where nothing tells them; one that fails is told as an outbound call. */
static void take_any(struct tally *t, const struct sight *s)
{
	bool fault = false;

	tally_marked(t, s->call, &fault);
	if (!fault)
		tally_take(t, s);
}

static void check_mobile(struct checklist *c)
{
	static const char *const ids[] = {
		"invite-unanswered", "call-failed", "ack-missing", "call-dropped", "one-way-audio", "no-audio",
		"early-media-missing", NULL,
	};
	struct tally t = tally_of(c, "C2.3", "Call to a mobile", "mobile", ids);
	const struct site *site = c->facts->site;
	unsigned outside = 0;

	for (size_t i = 0; i < c->sight_count; i++) {
		const struct sight *s = &c->sights[i];

		if (s->way != WAY_OUT)
			continue;
		outside++;
		if (!site->mobile_prefixes.count) {
			take_any(&t, s);
			continue;
		}
		if (is_mobile(site, call_last_leg(s->call)->party[SIDE_CALLEE].user) ||
		    is_mobile(site, call_first_leg(s->call)->party[SIDE_CALLEE].user))
			tally_take(&t, s);
	}
	t.works = "answered, audio passes both ways";
	t.nothing = "no call to a mobile";
	tally_settle(&t);
	if (outside && !site->mobile_prefixes.count && t.count[OUTCOME_CLEAN])
		check_say(t.check, CHECK_PASS, "%u call%s to outside answered, audio passes both ways; which of them go to mobiles only mobile-prefixes of the profile tell",
			t.count[OUTCOME_CLEAN], t.count[OUTCOME_CLEAN] == 1 ? "" : "s");
	else if (outside && !site->mobile_prefixes.count)
		check_say(t.check, CHECK_CANNOT_TELL,
			"%u call%s to outside; the profile has no mobile-prefixes to tell mobiles by", outside,
			outside == 1 ? "" : "s");
}


void checklist_both(struct checklist *c)
{
	static const char *const ids[] = { "one-way-audio", "no-audio", NULL };
	struct tally t = tally_of(c, "C2.14", "Both directions of audio", "both directions", ids);

	t.alone = true;
	for (size_t i = 0; i < c->sight_count; i++) {
		const struct sight *s = &c->sights[i];

		if (s->answered && s->audio != CHECK_AUDIO_NOT_DUE && s->audio != CHECK_AUDIO_ONE_WAY)
			tally_call(&t, s->call, call_first_leg(s->call)->answer_at, audio_doubt(s->audio));
	}
	t.works = "audio passes both ways";
	t.nothing = "no answered call in which both sides were to speak";
	tally_settle(&t);
	if (t.check->state == CHECK_PASS && t.count[OUTCOME_OPEN])
		check_say(t.check, CHECK_CANNOT_TELL, "%u of %u answered calls; of the others: %s",
			t.count[OUTCOME_CLEAN],
			  t.count[OUTCOME_CLEAN] + t.count[OUTCOME_OPEN], t.open_why);
}

void checklist_calls(struct checklist *c)
{
	check_ways(c);
	check_mobile(c);
}
