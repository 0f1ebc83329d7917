/* SPDX-License-Identifier: MIT */
/* dropped-in-path: seen going in at one capture point, not coming out at the next, where the neighbours did (3.6). */
#include "analyzer/detect/dropped_in_path.h"

#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/icmp_says.h"
#include "analyzer/detect/leg_keys.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/internal.h"

enum { GROUP_MAX = 256, EVIDENCE_MESSAGES = 4 };

static const char *const reasons[] = {
	"sdp-port-privileged", "sdp-address-family", "sdp-no-connection", "no-content-length", "media-port-clash",
	"oversize", "method-filtered", "new-peer",
	"icmp", "media", "unlocated", NULL,
};

static const struct detector_doc doc = {
	.says = "seen going in, not coming out",
	.symptom = "Some calls ring out or never start; video or softphone calls never arrive; nobody hears anything although audio is sent.",
	.evidence = "Every transmission of a message, or a whole stream, at one capture point and none at the next, while neighbours between the same two hosts "
		    "passed before and after. From one point a hint: INVITEs of a sort that SIP helpers drop get no answer, others of the same phone do.",
	.mimics = "Single packets lost whose retransmission passes; a second file that had not begun, had ended, or could not see those ports; a proxy that sends "
		  "the message on under another branch.",
	.fix = "Find the device between the two points: SIP inspection or a firewall there discards what the lost ones have in common.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-tx", 3, "messages", 2, 20, "RFC 3261 timer A: 0, 0.5, 1.5, 3.5 s" },
	{ "rtp-min", 50, "packets", 10, 10000, "field: a second of audio" },
	{ 0 },
};

struct member {
	const struct lost_message *message;
	struct member *next;
};

struct group {                       /* lost between two hosts for one reason */
	const char *reason;
	const struct lost_message *first;    /* of them */
	struct member *members, **end;
	const struct icmp_record *icmp;
	struct dropped_pattern pattern;
	/* messages sent twice or more; all transmissions; of one message */
	unsigned repeated, transmissions, most;
	bool before, after;          /* neighbours passed */
	int64_t first_ns, last_ns;
};

struct groups {
	struct arena *arena;
	struct group all[GROUP_MAX];
	unsigned count;
};

/* ---- grouping ---- */

static bool same_point(const struct point *a, const struct point *b)
{
	return a->file == b->file && a->interface == b->interface && a->vlan == b->vlan && a->ifindex == b->ifindex &&
	       a->direction == b->direction;
}

static bool belongs(const struct group *g, const struct lost_message *m, const char *reason)
{
	return strcmp(g->reason, reason) == 0 && address_equal(&g->first->src.addr, &m->src.addr) &&
	       address_equal(&g->first->dst.addr, &m->dst.addr) &&
	       same_point(&g->first->at, &m->at) && same_point(&g->first->missing_at, &m->missing_at);
}

static struct group *group_of(struct groups *groups, const struct lost_message *m, const char *reason)
{
	struct group *g;

	for (unsigned i = 0; i < groups->count; i++) {
		if (belongs(&groups->all[i], m, reason))
			return &groups->all[i];
	}
	if (groups->count == GROUP_MAX)
		return NULL;
	g = &groups->all[groups->count++];
	*g = (struct group){ .reason = reason, .first = m, .first_ns = m->first.at_ns, .last_ns = m->last.at_ns };
	g->end = &g->members;
	return g;
}

static void pattern_add(struct dropped_pattern *p, const struct lost_message *m)
{
	p->one_method = p->messages == 0 ? m->request : p->one_method && m->request && m->method == p->method;
	p->method = m->method;
	p->method_passed |= m->method_passed;
	p->least_bytes = p->messages == 0 || m->bytes < p->least_bytes ? m->bytes : p->least_bytes;
	p->passed_bytes = m->passed_bytes > p->passed_bytes ? m->passed_bytes : p->passed_bytes;
	p->transmissions = m->transmissions > p->transmissions ? m->transmissions : p->transmissions;
	p->messages++;
}

static void group_add(struct arena *arena, struct group *g, const struct lost_message *m,
	const struct icmp_record *icmp)
{
	struct member *member = arena_zalloc(arena, sizeof *member);

	member->message = m;
	*g->end = member;
	g->end = &member->next;
	g->icmp = g->icmp ? g->icmp : icmp;
	pattern_add(&g->pattern, m);
	g->repeated += m->transmissions >= 2;
	g->transmissions += m->transmissions;
	g->most = m->transmissions > g->most ? m->transmissions : g->most;
	g->before |= m->passed_before;
	g->after |= m->passed_after;
	g->first_ns = m->first.at_ns < g->first_ns ? m->first.at_ns : g->first_ns;
	g->last_ns = m->last.at_ns > g->last_ns ? m->last.at_ns : g->last_ns;
}

static const char *own_reason(const struct facts *facts, const struct offered_ports *offered,
	const struct lost_message *m, const struct icmp_record **ret_icmp)
{
	const char *reason = dropped_reason(facts, m, ret_icmp);

	return strcmp(reason, "unlocated") == 0 && offered_ports_clash(offered, m) ? "media-port-clash" : reason;
}

/* Nothing at all was captured there from its first transmission to its last: it may have come out. */
static bool came_out_unseen(const struct gates *g, const struct lost_message *m)
{
	return gates_file_still(g, m->missing_at.file, m->first.at_ns, m->first.at_ns) &&
	       gates_file_still(g, m->missing_at.file, m->last.at_ns, m->last.at_ns);
}

static void gather(struct detection *d, struct groups *groups, const struct offered_ports *offered)
{
	const struct facts *facts = detection_facts(d);

	LIST_EACH(it, two_points_lost(facts->points)) {
		const struct lost_message *m = LIST_ENTRY(it, struct lost_message, in_order);
		const struct icmp_record *icmp;
		struct group *g;

		if (came_out_unseen(facts->gates, m)) {
			detection_withhold(d, NULL, "G7", "the capture behind the router stood still then");
			continue;
		}
		g = group_of(groups, m, own_reason(facts, offered, m, &icmp));
		if (g)
			group_add(groups->arena, g, m, icmp);
	}
	for (unsigned i = 0; i < groups->count; i++) {
		if (strcmp(groups->all[i].reason, "unlocated") == 0)
			groups->all[i].reason = dropped_pattern_reason(&groups->all[i].pattern);
	}
}

/* ---- words ---- */

static struct address device_of(const struct lost_message *m)
{
	if (!m->translated)
		return (struct address){ .family = 0 };
	return address_equal(&m->src.addr, &m->behind_src.addr) ? m->dst.addr : m->behind_src.addr;
}

static const char *what_text(const struct lost_message *m, char buffer[48])
{
	if (m->request)
		snprintf(buffer, 48, "%s", sip_method_name((enum sip_method)m->method));
	else
		snprintf(buffer, 48, "The %u to %s", m->status, sip_method_name((enum sip_method)m->method));
	return buffer;
}

static const char *where_text(const struct lost_message *m, char buffer[96])
{
	struct address device = device_of(m);
	char text[ADDRESS_TEXT];

	if (address_known(&device))
		snprintf(buffer, 96, "behind the router %s", address_text(&device, text));
	else
		snprintf(buffer, 96, "at the next capture point");
	return buffer;
}

#define HELPER_OFF "Switch SIP inspection off on "
#define HELPER_OFF_AND " and put a keepalive of 30 s or less in its place, or "

static const struct { const char *reason, *because, *fix, *fix_rest; } words[] = {
	{ "sdp-port-privileged",
	  "All of them offer a media port below 1024 (trickle ICE offers port 9), which SIP helpers refuse.",
	  HELPER_OFF,
	  HELPER_OFF_AND "offer real ports (no trickle ICE)." },
	{ "sdp-address-family",
	  "All of them name an address of the other IP family than they travel by, which SIP helpers refuse.",
	  HELPER_OFF,
	  HELPER_OFF_AND "let the phone offer addresses of the family it speaks." },
	{ "sdp-no-connection", "None of them has a connection line (c=) that can be used, which SIP helpers refuse.",
	  HELPER_OFF,
	  HELPER_OFF_AND "let the phone write a c= line." },
	{ "no-content-length",
	  "None of them has a Content-Length, without which SIP helpers cannot change a message and drop it.",
	  HELPER_OFF,
	  HELPER_OFF_AND "update the phone: it should send Content-Length." },
	{ "media-port-clash",
	  "They offer a media port that another phone behind the same router offers, too, which SIP helpers refuse.",
	  HELPER_OFF,
	  HELPER_OFF_AND "give each phone an RTP range of its own." },
	{ "oversize", "What is lost is bigger than all that passed: the way takes no packets of that size, or no fragments.",
	  "Let fragments of UDP, and ICMP that says what is too big, pass on ",
	  "; else use TCP for SIP, or make the messages smaller (fewer codecs)." },
	{ "method-filtered", "All messages of this method are lost and no other is: inspection filters it.",
	  "Permit the method in the SIP inspection of ",
	  ", or switch that off." },
	{ "new-peer",
	  "They come from a port from which nothing else passed: a stateful filter lets only known peers in.",
	  "Permit that peer on ",
	  ", or let the server send from the port that the phones registered with." },
	{ "icmp", "", "Look at the way from there on: ", " or what lies behind it refuses these messages." },
	{ "unlocated", "Nothing tells them from those that pass.",
	  "SIP inspection or a firewall discards these messages: look at ", "." },
};

static const char *device_text(const struct lost_message *m, char buffer[96])
{
	struct address device = device_of(m);
	char text[ADDRESS_TEXT];

	if (address_known(&device))
		snprintf(buffer, 96, "the router %s", address_text(&device, text));
	else
		snprintf(buffer, 96, "the device between the two capture points");
	return buffer;
}

/* The router itself says that nothing is behind its port: what had opened it was forgotten. */
static bool forgotten(const struct group *g)
{
	struct address device = device_of(g->first);

	return strcmp(g->reason, "icmp") == 0 && address_known(&device) && icmp_no_port(g->icmp) &&
	       address_equal(&g->icmp->reporter, &device);
}

static void say_icmp(struct finding *f, const struct group *g)
{
	char device[96], where[96], reporter[ADDRESS_TEXT];

	address_text(&g->icmp->reporter, reporter);
	device_text(g->first, device);
	finding_cause(f, "%u transmissions of %u message%s went in and none came out %s, while others between the two hosts passed. %s says by ICMP: %s%s.", g->transmissions,
		      g->pattern.messages, g->pattern.messages == 1 ? "" : "s", where_text(g->first, where), reporter,
		      icmp_says(g->icmp),
		      forgotten(g) ? ": it has forgotten the phone's mapping" : "");
	if (forgotten(g))
		finding_fix(f, "A keepalive of the phone (CRLF, OPTIONS, STUN) or a NAT ping of the server, at an interval below the UDP timer of %s; or a longer timer there.", device);
	else
		finding_fix(f, "Look at %s and at the way behind it: %s refuses these messages.", device, reporter);
}

static size_t words_of(const char *reason)
{
	size_t i = 0;

	while (strcmp(words[i].reason, reason) != 0)
		i++;
	return i;
}

const char *dropped_because(const char *reason)
{
	return words[words_of(reason)].because;
}

void dropped_fix(struct finding *f, const char *reason, const char *device)
{
	size_t i = words_of(reason);

	finding_fix(f, "%s%s%s", words[i].fix, device, words[i].fix_rest);
}

static void say_why(struct finding *f, const struct group *g)
{
	char device[96], where[96];

	if (strcmp(g->reason, "icmp") == 0) {
		say_icmp(f, g);
		return;
	}
	finding_cause(f, "%u transmissions of %u message%s went in and none came out %s, while others between the two hosts passed. %s", g->transmissions,
		      g->pattern.messages, g->pattern.messages == 1 ? "" : "s", where_text(g->first, where),
		      dropped_because(g->reason));
	dropped_fix(f, g->reason, device_text(g->first, device));
}

static void say_message(struct finding *f, const struct facts *facts, const struct group *g)
{
	char what[48], src[SAY_TEXT], dst[SAY_TEXT];

	finding_title(f, "%s from %s does not reach %s", what_text(g->first, what),
		say_host(facts, &g->first->src.addr, src), say_host(facts, &g->first->dst.addr, dst));
}

static void say_proof(struct finding *f, const struct group *g)
{
	unsigned shown = 0;
	char what[48];

	for (const struct member *i = g->members; i && shown < EVIDENCE_MESSAGES; i = i->next, shown++)
		finding_evidence(f, i->message->first, "%s goes in, %u transmissions, none comes out",
			what_text(i->message, what), i->message->transmissions);
	if (g->icmp)
		finding_evidence(f, g->icmp->at, "ICMP from %s: %s",
			address_text(&g->icmp->reporter, (char[ADDRESS_TEXT]){ 0 }), icmp_says(g->icmp));
}

/* ---- judging ---- */

/* Did a call or registration fail by it? Others (OPTIONS, BYE, a hold) are a nuisance. */
static bool hurts(struct leg_keys *legs, const struct lost_message *m)
{
	const struct leg *leg = leg_keys_find(legs, m->leg_key);

	if (m->method == SIP_REGISTER)
		return true;
	return m->method == SIP_INVITE && (m->request ? !leg || !leg->answered : m->status >= 200 && m->status < 300);
}

static void say_parts(struct finding *f, struct leg_keys *legs, const struct group *g)
{
	struct address device = device_of(g->first);

	for (const struct member *i = g->members; i; i = i->next) {
		const struct leg *leg = leg_keys_find(legs, i->message->leg_key);

		if (leg)
			finding_leg(f, leg);
	}
	finding_part(f, PART_VICTIM, &(struct endpoint){ g->first->src.addr, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ g->first->dst.addr, 0 });
	if (address_known(&device))
		finding_part(f, PART_CULPRIT, &(struct endpoint){ device, 0 });
}

/* ---- what follows from it ---- */

static const struct { const char *id; uint8_t method; } effects[] = {
	{ "invite-unanswered", SIP_INVITE }, { "reinvite-failed", SIP_INVITE }, { "ack-missing", SIP_ACK },
	  { "registration-failed", SIP_REGISTER },
	{ "reinvite-failed", SIP_UPDATE }, { "call-dropped", SIP_ACK }, { "transfer-failed", SIP_REFER },
	  { "cancel-lost", SIP_CANCEL },
};

/* A response that is lost leaves its request unanswered; a lost 2xx to INVITE is never acknowledged either. */
static bool follows(const struct finding *x, const struct lost_message *m)
{
	if (x->state == FINDING_WITHDRAWN)
		return false;
	if (!m->request && m->method == SIP_INVITE && strcmp(x->id, "ack-missing") == 0)
		return true;
	for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
		if (m->method == effects[i].method && strcmp(x->id, effects[i].id) == 0)
			return true;
	}
	return false;
}

struct tie {                         /* a lost message of a call, or of a host where there is no call */
	struct hash_link link;
	const struct leg *leg;
	const struct lost_message *message;
	struct finding *finding;
};

static uint32_t tie_hash(const struct leg *leg, const struct address *host)
{
	return leg ? (uint32_t)hash_mix((uintptr_t)leg, 9) : address_hash(host);
}

static void tie_add(struct arena *arena, struct hash *ties, const struct leg *leg, const struct lost_message *m,
	struct finding *f)
{
	struct tie *t = arena_zalloc(arena, sizeof *t);

	*t = (struct tie){ .leg = leg, .message = m, .finding = f };
	hash_add(ties, &t->link, tie_hash(leg, &m->src.addr));
}

static void tie_effect(struct finding *x, const struct hash *ties, const struct leg *leg, const struct address *host)
{
	uint32_t hash = tie_hash(leg, host);

	for (struct hash_link *it = hash_first(ties, hash); it && !x->caused_by; it = it->next) {
		const struct tie *t = HASH_ENTRY(it, struct tie, link);

		if (it->hash == hash && t->leg == leg && (leg || address_equal(&t->message->src.addr, host)) &&
		    x != t->finding && follows(x, t->message))
			x->caused_by = t->finding;
	}
}

static void tie_effects(const struct facts *facts, const struct hash *ties)
{
	LIST_EACH(it, findings_in_order(facts->findings)) {
		struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		for (unsigned i = 0; i < x->leg_count; i++)
			tie_effect(x, ties, x->legs[i].leg, NULL);
		for (unsigned i = 0; i < x->host_count && x->leg_count == 0; i++) {
			if (x->hosts[i].part == PART_VICTIM)
				tie_effect(x, ties, NULL, &x->hosts[i].at.addr);
		}
	}
}

static struct finding *tell(struct detection *d, struct leg_keys *legs, const struct group *g)
{
	const struct facts *facts = detection_facts(d);
	bool sure = g->before && g->after && !gates_drops_counted(facts->gates);
	enum severity severity = SEVERITY_WARNING;
	struct finding *f;

	for (const struct member *i = g->members; i; i = i->next) {
		if (hurts(legs, i->message))
			severity = SEVERITY_ERROR;
	}
	f = detection_raise_keyed(d, hash_mix(hash_mix(address_key(&g->first->src.addr),
		address_key(&g->first->dst.addr)), hash_bytes(g->reason, strlen(g->reason))),
				  g->reason, severity, sure ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	say_parts(f, legs, g);
	finding_times(f, g->first_ns, g->last_ns);
	f->count = g->pattern.messages;
	say_message(f, facts, g);
	say_why(f, g);
	say_proof(f, g);
	return f;
}

static void tell_all(struct detection *d, const struct groups *groups, struct leg_keys *legs)
{
	unsigned min_tx = (unsigned)detection_key(d, "min-tx");
	struct hash ties;

	hash_init(&ties);
	for (unsigned i = 0; i < groups->count; i++) {
		const struct group *g = &groups->all[i];
		struct finding *f;

		if (g->most < min_tx && g->repeated < 2) {
			detection_pass(d, NULL, "%u transmissions of a message went in and none came out: too few",
				g->most);
			continue;
		}
		f = tell(d, legs, g);
		for (const struct member *m = g->members; m; m = m->next)
			tie_add(groups->arena, &ties, leg_keys_find(legs, m->message->leg_key), m->message, f);
	}
	tie_effects(detection_facts(d), &ties);
	hash_fini(&ties);
}

static void judge_messages(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	struct arena *arena = arena_new();
	struct groups *groups = arena_zalloc(arena, sizeof *groups);
	struct offered_ports *offered = offered_ports_new(facts->calls);

	groups->arena = arena;
	gather(d, groups, offered);
	tell_all(d, groups, lookup_leg_keys(facts->lookup));
	offered_ports_free(offered);
	arena_free(arena);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);

	(void)ev;
	if (two_points_lost(facts->points)->count)
		judge_messages(d);
	else
		detection_pass(d, NULL, two_points_count(facts->points) < 2 ? "SIP was captured at one point: what comes out is not seen"
			: "no message went in that did not come out");
	dropped_one_point_judge(d);
	dropped_media_judge(d);
}

const struct detector detect_dropped_in_path = {
	.id = "dropped-in-path", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = GLOBAL,
	.usual = SEVERITY_ERROR, .possible_max = SEVERITY_INFO,
};
