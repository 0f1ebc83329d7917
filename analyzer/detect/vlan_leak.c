/* SPDX-License-Identifier: MIT */
/*
 * vlan-leak: a desk phone speaks in another VLAN than the voice VLAN. Where the capture holds no tags nothing is said:
 * many mirrors strip them. Finding page 5, section 2.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/detect/softphone.h"
#include "analyzer/detect/vlan_strangers.h"
#include "analyzer/network/vlan_use.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = { "voice-on-data-vlan", "data-on-voice-vlan", "split-brain",
	"policy-ignored", "bridged", NULL };

static const struct detector_doc doc = {
	.says = "voice outside its VLAN",
	.symptom = "The phone loses its configuration, audio suffers from broadcasts, a review finds voice among the computers.",
	.evidence = "802.1Q tags of SIP from desk phones, against the profile, what the switch tells (LLDP-MED, CDP) or most of the phones; what else speaks in the voice VLAN; SIP and audio of one card; broadcasts in two VLANs at once.",
	.mimics = "Mirrors that strip tags or tag anew, routers that forward from one VLAN to another, softphones, a native VLAN, priority tags, servers that phones need.",
	.fix = "Set the voice VLAN on the switch port, enable LLDP-MED, restart the phone.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "majority", 5, "phones", 3, 1000, "field: so many in one VLAN say which one is for voice" },
	{ "boot-s", 120, "s", 0, 3600, "field: a phone starts in the data VLAN before it learns its own" },
	{ "data-flows", 20, "connections", 5, 32, "field: a phone has fewer that are no voice, configuration or directory" },
	{ "desktop-flows", 5, "connections", 1, 32, "field: of these file sharing, remote desktop, Windows names" },
	{ 0 },
};

#define GOES_ON_NS (60 * SECOND_NS)          /* in its VLAN, after the switch has told of another one */

enum {
	VERDICTS = 256, SLOTS = 512, PROBES = 8, VLANS = 3,
	TOGETHER = 3,                /* phones */
	POINTS = 64                  /* capture points that are known to show tags */
};

struct seen_vlan {
	uint16_t vid;                /* 0: no tag, or a priority tag */
	uint8_t ttl;                 /* the highest: behind a router it is lower */
	uint32_t messages;
	struct frame_ref first, last;
};

struct phone {
	struct address addr;
	uint8_t mac[6];
	char agent[48];
	bool soft;                   /* counts for the majority, belongs where its computer is */
	struct seen_vlan vlans[VLANS];
	unsigned vlan_count;
};

struct point { uint16_t file, interface; };

struct verdict { uint64_t key; enum host_role role; };       /* on what a sender calls itself */

struct vlan_state {
	struct verdict verdicts[VERDICTS];       /* the latest of each place; key 0: none */
	struct phone slots[SLOTS];
	struct point tagged[POINTS]; /* a frame without tag says something where others have one: many taps strip them */
	unsigned tagged_count;
};

static bool shows_tags(const struct vlan_state *state, uint16_t file, uint16_t interface)
{
	for (unsigned i = 0; i < state->tagged_count; i++) {
		if (state->tagged[i].file == file && state->tagged[i].interface == interface)
			return true;
	}
	return false;
}

/* Its record, or room for one; NULL: no room is left for it. */
static struct phone *slot_of(struct vlan_state *state, const struct address *a)
{
	uint32_t hash = address_hash(a);

	for (unsigned i = 0; i < PROBES; i++) {
		struct phone *x = &state->slots[(hash + i) % SLOTS];

		if (address_equal(&x->addr, a) || !address_known(&x->addr))
			return x;
	}
	return NULL;
}

static void phone_begin(struct phone *x, const struct packet *p)
{
	x->addr = p->src.addr;
	memcpy(x->mac, p->mac_src, sizeof x->mac);
	text_escape(p->sip->user_agent, x->agent, sizeof x->agent);
	x->soft = softphone_agent(p->sip->user_agent);
}

static void take_vlan(struct phone *x, const struct packet *p)
{
	uint16_t vid = packet_inner_vlan(p);
	struct frame_ref at = { p->at_ns, p->frame, p->file, p->interface };
	struct seen_vlan *v = NULL;

	for (unsigned i = 0; i < x->vlan_count; i++) {
		const struct frame_ref *first = &x->vlans[i].first;

		if (x->vlans[i].vid == vid &&
		    (vid || (first->file == p->file && first->interface == p->interface)))
			v = &x->vlans[i];
	}
	if (!v) {
		if (x->vlan_count == VLANS)
			return;
		v = &x->vlans[x->vlan_count++];
		*v = (struct seen_vlan){ .vid = vid, .ttl = p->ttl, .first = at };
	}
	if (p->ttl > v->ttl)
		memcpy(x->mac, p->mac_src, sizeof x->mac);
	v->ttl = p->ttl > v->ttl ? p->ttl : v->ttl;
	v->messages++;
	v->last = at;
}

/* "00:15:65", "001565": as the profile has it. */
static bool mac_begins(const uint8_t mac[6], const char *oui)
{
	char digits[7] = "", want[7];
	unsigned n = 0;

	for (; *oui && n < 6; oui++) {
		if (isxdigit((unsigned char)*oui))
			digits[n++] = (char)tolower((unsigned char)*oui);
	}
	snprintf(want, sizeof want, "%02x%02x%02x", mac[0], mac[1], mac[2]);
	return n == 6 && memcmp(digits, want, 6) == 0;
}

/* Most senders call themselves what others did before. */
static enum host_role role_of_agent(struct vlan_state *state, struct span agent)
{
	uint64_t key = hash_bytes(agent.p, agent.n);
	struct verdict *v = &state->verdicts[key % VERDICTS];

	if (v->key != key || !key)
		*v = (struct verdict){ key, host_role_of_agent(agent) };
	return v->role;
}

/* By what it calls itself, else by who made it: many phones and servers leave the name out. */
static bool is_phone(struct vlan_state *state, const struct site *site, const struct packet *p)
{
	enum host_role role = role_of_agent(state, p->sip->user_agent);

	if (role != ROLE_COUNT || mac_of_phone_maker(p->mac_src))
		return role == ROLE_PHONE || role == ROLE_COUNT;
	for (unsigned i = 0; i < site->phone_ouis.count; i++) {
		if (mac_begins(p->mac_src, site->phone_ouis.list[i]))
			return true;
	}
	return false;
}

static void take_sip(struct vlan_state *state, const struct site *site, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct phone *x;

	if (p->vlan_count && state->tagged_count < POINTS && !shows_tags(state, p->file, p->interface))
		state->tagged[state->tagged_count++] = (struct point){ p->file, p->interface };
	if (!m->request || m->via_count != 1 || !(p->has & HAS_MAC))
		return;
	x = slot_of(state, &p->src.addr);
	if (!x || !is_phone(state, site, p))
		return;
	if (!address_known(&x->addr))
		phone_begin(x, p);
	take_vlan(x, p);
}

/* ---- judging ---- */

/* What was seen where no frame has a tag is left out. */
static void untagged_points_drop(const struct vlan_state *state, struct phone *x)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < x->vlan_count; i++) {
		const struct seen_vlan *v = &x->vlans[i];

		if (v->vid || shows_tags(state, v->first.file, v->first.interface))
			x->vlans[kept++] = *v;
	}
	x->vlan_count = kept;
}

/* Where the phone itself is: the place with the fewest hops, of equal ones the latest. */
static const struct seen_vlan *own_vlan(const struct phone *x)
{
	const struct seen_vlan *own = NULL;

	for (unsigned i = 0; i < x->vlan_count; i++) {
		const struct seen_vlan *v = &x->vlans[i];

		if (!own || v->ttl > own->ttl || (v->ttl == own->ttl && v->last.at_ns > own->last.at_ns))
			own = v;
	}
	return own;
}

static int phone_compare(const void *a, const void *b)
{
	return address_compare(&((const struct phone *)a)->addr, &((const struct phone *)b)->addr);
}

/* The VLAN that most phones are in, and how many; phones stand by address. */
static uint16_t majority(const struct phone *list, unsigned count, unsigned *ret_phones)
{
	uint16_t best = 0;

	*ret_phones = 0;
	for (unsigned i = 0; i < count; i++) {
		uint16_t vid = own_vlan(&list[i])->vid;
		unsigned same = 0;

		for (unsigned k = 0; k < count; k++)
			same += own_vlan(&list[k])->vid == vid;
		if (same > *ret_phones) {
			*ret_phones = same;
			best = vid;
		}
	}
	return best;
}

static void tell(struct detection *d, const struct phone *x, const struct seen_vlan *v, const struct voice_vlan *voice)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise_keyed(d, endpoint_key(&(struct endpoint){ x->addr, 0 }),
		voice->told.frame ? "policy-ignored" : "voice-on-data-vlan", SEVERITY_WARNING,
						  voice->sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	char host[SAY_TEXT], here[24] = "no VLAN tag";

	say_host(facts, &x->addr, host);
	if (v->vid)
		snprintf(here, sizeof here, "VLAN %u", v->vid);
	finding_title(f, "%s is not in the voice VLAN", host);
	finding_cause(f,
		"%s (%02x:%02x:%02x:%02x:%02x:%02x%s%s) sends voice in %s; the voice VLAN here is %u (source: %s).",
		host, x->mac[0], x->mac[1], x->mac[2],
		      x->mac[3], x->mac[4], x->mac[5], x->agent[0] ? ", " : "", x->agent, here, voice->vid,
		voice->source);
	finding_fix(f,
		"Set voice VLAN %u on the switch port of this phone and enable LLDP-MED there; restart the phone.",
		voice->vid);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	if (voice->told.frame)
		finding_evidence(f, voice->told, "the switch tells of voice VLAN %u", voice->vid);
	finding_evidence(f, v->first, "SIP in %s", here);
	finding_evidence(f, v->last, "still in %s", here);
	finding_times(f, v->first.at_ns, v->last.at_ns);
	f->count = 1;
}

static uint16_t first_of(const struct number_set *s)
{
	for (unsigned i = 0; i < 4096; i++) {
		if (numbers_have(s, i))
			return (uint16_t)i;
	}
	return 0;
}

static bool is_phones(const struct phone *list, unsigned count, const uint8_t mac[6])
{
	for (unsigned i = 0; i < count; i++) {
		if (memcmp(list[i].mac, mac, sizeof list[i].mac) == 0)
			return true;
	}
	return false;
}

/* What switches tell, when all of them tell the same; what a phone says of itself is no order. */
static const struct voice_told *told_vlan(const struct facts *facts, const struct phone *list, unsigned count)
{
	const struct voice_told *found = NULL, *all;
	unsigned n;

	all = network_voice_told(facts->network, &n);
	for (unsigned i = 0; i < n; i++) {
		if (is_phones(list, count, all[i].mac))
			continue;
		if (found && found->vid != all[i].vid)
			return NULL;
		if (!found || all[i].first_ns < found->first_ns)
			found = &all[i];
	}
	return found;
}

static struct voice_vlan voice_vlan_find(const struct detection *d, const struct phone *list, unsigned count)
{
	const struct site *site = detection_facts(d)->site;
	unsigned phones;
	uint16_t most = majority(list, count, &phones);
	const struct voice_told *told = told_vlan(detection_facts(d), list, count);

	if (site->voice_vlans.count)
		return (struct voice_vlan){ .vid = first_of(&site->voice_vlans), .source = "profile", .sure = true };
	if (told)
		return (struct voice_vlan){ .vid = told->vid, .source = "LLDP-MED or CDP of the switch", .sure = true,
			.told = { told->first_ns, told->frame, told->file, told->interface } };
	if (phones < detection_key(d, "majority") || phones * 2 <= count)
		most = 0;
	return (struct voice_vlan){ .vid = most, .source = "most of the phones" };
}

/* So many phones live there that it is a VLAN for voice as well: of another floor, another switch. */
static bool is_shared(const struct phone *list, unsigned count, uint16_t vid)
{
	unsigned phones = 0;

	for (unsigned i = 0; i < count && phones < TOGETHER; i++)
		phones += own_vlan(&list[i])->vid == vid;
	return vid && phones == TOGETHER;
}

static void judge(struct detection *d, const struct phone *list, unsigned count, const struct voice_vlan *voice)
{
	const struct site *site = detection_facts(d)->site;

	for (unsigned i = 0; i < count && voice->vid; i++) {
		const struct seen_vlan *v = own_vlan(&list[i]);
		bool right = site->voice_vlans.count ? numbers_have(&site->voice_vlans, v->vid) : v->vid == voice->vid;
		bool boots = list[i].vlan_count > 1 &&
			v->last.at_ns - v->first.at_ns < (int64_t)(detection_key(d, "boot-s") * 1e9);

		/* a phone may not have heard the switch yet */
		boots |= voice->told.frame && v->last.at_ns < ns_add(voice->told.at_ns, GOES_ON_NS);
		if (!right && !boots && !list[i].soft && site_inside(site, &list[i].addr) &&
		    (site->voice_vlans.count || !is_shared(list, count, v->vid)))
			tell(d, &list[i], v, voice);
	}
}

static void judge_tags(struct detection *d, const struct vlan_state *state)
{
	struct phone *sorted = memory_zalloc(sizeof state->slots);
	struct voice_vlan voice;
	unsigned count = 0, strange;

	for (unsigned i = 0; i < SLOTS; i++) {
		sorted[count] = state->slots[i];
		untagged_points_drop(state, &sorted[count]);
		count += sorted[count].vlan_count > 0;
	}
	qsort(sorted, count, sizeof *sorted, phone_compare);
	voice = voice_vlan_find(d, sorted, count);
	if (state->tagged_count)
		judge(d, sorted, count, &voice);
	strange = vlan_strangers(d, &voice);
	if (voice.vid == 0 && strange == 0)
		detection_pass(d, "majority", "no VLAN is known to be the one for voice");
	free(sorted);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct vlan_state *state = detection_state(d);

	if (ev->kind == EVENT_SIP)
		take_sip(state, detection_facts(d)->site, ev->packet);
	else if (state->tagged_count || vlan_uses_in_order(network_vlans(detection_facts(d)->network))->count)
		judge_tags(d, state);
	else
		detection_pass(d, "tags", "the capture carries no VLAN tags: set the mirror to keep them");
}

const struct detector detect_vlan_leak = {
	.id = "vlan-leak", .doc = &doc, .keys = keys, .state_size = sizeof(struct vlan_state), .event = on_event,
	.events = EVENT_BIT(EVENT_SIP) | EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = GLOBAL, .usual = SEVERITY_WARNING,
	.possible_max = SEVERITY_INFO,
};
