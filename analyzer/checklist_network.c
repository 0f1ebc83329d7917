/* SPDX-License-Identifier: MIT */
/* checklist_network: C4.8, C6.5 and C4.4: voice in its VLAN, voice marked, a rate limit that works. */
#include "analyzer/checklist_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/network/source.h"
#include "analyzer/network/vlan_use.h"
#include "captures/base/memory.h"

enum { MARKED_LEAST = 200, MARKED_SHARE = 95, MINUTES_LEAST = 3, UNANSWERED_LEAST = 10 };

#define GOES_ON_NS (30 * SECOND_NS)          /* so long after its last refusal a source still asks */

/* ---- C4.8 ---- */

struct tagged { unsigned hosts, right; uint16_t first; struct frame_ref at; };

static struct tagged tagged_voice(const struct checklist *c)
{
	struct tagged t = { .hosts = 0 };

	LIST_EACH(it, vlan_uses_in_order(network_vlans(c->facts->network))) {
		const struct vlan_host *x = LIST_ENTRY(it, struct vlan_host, in_order);

		if (x->routed || x->sip + x->media == 0 || end_of(c->ends, &x->addr) != END_OWN)
			continue;
		if (t.hosts++ == 0) {
			t.first = x->vid;
			t.at = x->sip ? x->sip_at : x->media_at;
		}
		t.right += numbers_have(&c->facts->site->voice_vlans, x->vid);
	}
	return t;
}

static void check_vlan(struct checklist *c)
{
	static const char *const ids[] = { "vlan-leak", NULL };
	struct check *k = check_add(c, "C4.8", "Voice in its VLAN", "VLAN");
	const struct finding *leak = check_findings(c, k, ids);
	struct tagged t = tagged_voice(c);

	if (t.hosts)
		check_evidence(k, t.at, "voice in VLAN %u", t.first);
	if (leak)
		check_say(k, CHECK_FAIL, "%s", leak->title.p);
	else if (!t.hosts)
		check_say(k, CHECK_NOT_SEEN, "no SIP or media of the site's hosts carries a VLAN tag here");
	else if (!c->facts->site->voice_vlans.count)
		check_say(k, CHECK_CANNOT_TELL, "%u host%s with voice, the first in VLAN %u; the profile names no voice-vlans",
			  t.hosts, t.hosts == 1 ? "" : "s", t.first);
	else if (t.right < t.hosts)
		check_say(k, CHECK_CANNOT_TELL, "%u of %u hosts with voice are in the profile's voice VLAN", t.right, t.hosts);
	else
		check_say(k, CHECK_PASS, "%u host%s with SIP or media, in the profile's voice VLAN", t.hosts,
			  t.hosts == 1 ? "" : "s");
}

/* ---- C6.5 ---- */

struct sender {
	struct address addr;
	uint64_t packets, marked;
	struct frame_ref at;
};

static int sender_compare(const void *a, const void *b)
{
	const struct sender *x = a, *y = b;
	int order = address_compare(&x->addr, &y->addr);

	if (!order && x->at.at_ns != y->at.at_ns)
		order = x->at.at_ns < y->at.at_ns ? -1 : 1;
	return order ? order : (x->at.frame > y->at.frame) - (x->at.frame < y->at.frame);
}

struct marks { unsigned hosts, marked, kept; struct frame_ref at; };

/* By sending host of the site; what another point saw of a stream, or saw behind a router, is not its sender's. */
static struct marks marks_of(const struct checklist *c)
{
	const struct list *all = streams_in_order(c->facts->streams);
	struct sender *list = memory_resize(NULL, all->count + 1, sizeof *list);
	struct marks m = { .hosts = 0 };
	unsigned count = 0, n;

	LIST_EACH(it, all) {
		const struct stream *s = LIST_ENTRY(it, struct stream, in_order);

		if (s->accepted && !s->twin_of && !s->keepalive_only && end_of(c->ends, &s->src.addr) == END_OWN)
			list[count++] = (struct sender){ s->src.addr, s->packets,
				numbers_have(&c->facts->site->dscp_media, s->dscp) ? s->packets : 0,
				{ s->first_ns, s->first_frame, s->file, s->interface } };
	}
	if (count)
		qsort(list, count, sizeof *list, sender_compare);
	for (unsigned i = 0; i < count; i += n) {
		struct sender sum = list[i];

		for (n = 1; i + n < count && address_equal(&list[i].addr, &list[i + n].addr); n++) {
			sum.packets += list[i + n].packets;
			sum.marked += list[i + n].marked;
		}
		if (sum.packets < MARKED_LEAST)
			continue;
		if (m.hosts++ == 0)
			m.at = sum.at;
		m.marked += sum.marked > 0;
		m.kept += sum.marked * 100 >= sum.packets * MARKED_SHARE;
	}
	free(list);
	return m;
}

static void check_marks(struct checklist *c)
{
	static const char *const ids[] = { "dscp-missing", NULL };
	struct check *k = check_add(c, "C6.5", "Voice marked (DSCP)", "DSCP");
	const struct finding *missing = check_findings(c, k, ids);
	struct marks m = marks_of(c);

	if (missing)
		check_say(k, CHECK_FAIL, "%s", missing->title.p);
	else if (!m.hosts)
		check_say(k, CHECK_NOT_SEEN, "no host of the site sends so much audio that its marks can be judged");
	else if (!m.marked)
		check_say(k, CHECK_NOT_SEEN, "the audio of %u host%s of the site carries no mark for voice here", m.hosts,
			  m.hosts == 1 ? "" : "s");
	else if (m.kept < m.hosts)
		check_say(k, CHECK_CANNOT_TELL, "%u of %u hosts of the site mark their audio", m.kept, m.hosts);
	else
		check_say(k, CHECK_PASS, "the audio of %u host%s of the site is marked for voice here; whether queues honour it is not seen",
			  m.hosts, m.hosts == 1 ? "" : "s");
	if (m.marked)
		check_evidence(k, m.at, "audio of a host of the site");
}

/* ---- C4.4 ---- */

/* Refused above the limit within some minute: only then a limit had to act. */
static bool is_above(const struct checklist *c, const struct source *x)
{
	return x->rejected_minutes && !site_own(c->facts->site, &x->addr) && end_of(c->ends, &x->addr) != END_PROVIDER &&
	       x->class == SOURCE_ATTACKER;
}

/* It asks on for long, and gets nothing any more. */
static bool is_stopped(const struct source *x)
{
	return x->rejected_minutes < MINUTES_LEAST && ns_minus(x->last_ns, x->rejected_to_ns) >= GOES_ON_NS &&
	       x->requests - x->answered >= UNANSWERED_LEAST;
}

static void check_limit(struct checklist *c)
{
	struct check *k = check_add(c, "C4.4", "Rate limit works", "rate limit");
	const struct source *answered = NULL, *stopped = NULL, *open = NULL;
	char at[ADDRESS_TEXT];

	LIST_EACH(it, sources_in_order(c->facts->sources)) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		if (!is_above(c, x))
			continue;
		if (x->rejected_minutes >= MINUTES_LEAST)
			answered = answered ? answered : x;
		else if (is_stopped(x))
			stopped = stopped ? stopped : x;
		else
			open = open ? open : x;
	}
	if (answered)
		check_say(k, CHECK_FAIL, "refused credentials of %s are answered above the limit for %u minutes: no limit acts",
			  address_text(&answered->addr, at), answered->rejected_minutes);
	else if (open)
		check_say(k, CHECK_CANNOT_TELL, "%s went above the limit and did not go on for long",
			  address_text(&open->addr, at));
	else if (stopped)
		check_say(k, CHECK_PASS, "%s went above the limit and got no answer from then on",
			  address_text(&stopped->addr, at));
	else
		check_say(k, CHECK_NOT_SEEN, "nobody went above the limit of refused registrations");
	if (answered || open || stopped)
		check_evidence(k, (answered ? answered : open ? open : stopped)->first_at, "its first request");
}

void checklist_network(struct checklist *c)
{
	check_vlan(c);
	check_marks(c);
	check_limit(c);
}
