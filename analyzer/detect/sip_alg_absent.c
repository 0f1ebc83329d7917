/* SPDX-License-Identifier: MIT */
/*
 * sip-alg-absent: nothing rewrites SIP between two capture points, or in front of one: always a fact, never a word on
 * inspection that drops.
 */
#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/echo.h"
#include "analyzer/network/internal.h"
#include "analyzer/network/tls_pair.h"
#include "analyzer/network/two_points.h"

static const char *const reasons[] = { "equal-copies", "private-arrives", "echo-intact", "transport-encrypted", NULL };

static const struct detector_doc doc = {
	.says = "nothing rewrites SIP on this way",
	.symptom = "\"The provider says: disable the ALG\", and there is none.",
	.evidence = "Messages on both sides of a translating router, equal byte for byte although they name the phone's own socket, registrations or calls and their "
		    "answers among them. From outside: private addresses in Via, Contact and SDP that arrive as they are. From inside: answers that repeat the private "
		    "Via and say that they saw the public source. Or SIP inside TLS, which nothing can rewrite.",
	.mimics = "Both points before the NAT; phones that write their public address themselves; messages in which nothing would have to be changed.",
	.fix = "Look elsewhere: the fault is not an ALG between these points.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-pairs", 3, "pairs", 1, 1000, "field: request, response and one more; as many messages from one point" },
	{ 0 },
};

static const char *transport_word(uint8_t transport)
{
	return transport == TRANSPORT_TCP ? "TCP" : transport == TRANSPORT_UDP ? "UDP" : "SIP";
}

/* ---- equal copies ---- */

static bool accused(const struct finding *f, const struct address *outside, uint16_t port, enum confidence least)
{
	bool host = false, service = false, culprit = false;

	if (strcmp(f->id, "sip-alg") != 0 || f->state == FINDING_WITHDRAWN || f->confidence < least)
		return false;
	for (unsigned i = 0; i < f->host_count; i++) {
		culprit |= f->hosts[i].part == PART_CULPRIT;
		host |= f->hosts[i].part == PART_CULPRIT && address_equal(&f->hosts[i].at.addr, outside);
		service |= f->hosts[i].part == PART_WITNESS && f->hosts[i].at.port == port;
	}
	return service && (host || !culprit);
}

static bool is_rewritten(const struct facts *facts, const struct address *outside, uint16_t port, enum confidence least)
{
	LIST_EACH(it, findings_in_order(facts->findings)) {
		if (accused(LIST_ENTRY(it, struct finding, in_order), outside, port, least))
			return true;
	}
	return false;
}

/* NULL: proven; else what is missing. */
static const char *missing_of(const struct facts *facts, const struct passage *p, uint32_t min_pairs)
{
	if (!address_known(&p->outside))
		return "no address is translated between the points";
	if (p->changed || p->respelled)
		return "some messages differ";
	if (p->equal < min_pairs)
		return "too few messages were seen at both points";
	if (!p->begins_equal)
		return "no REGISTER, SUBSCRIBE or new call with an address that would have to be changed";
	if (!p->response_in_equal)
		return "no response towards the phone was seen at both points";
	if (p->sdp_crossed && !p->sdp_equal)
		return "no session description with an address that would have to be changed";
	return is_rewritten(facts, &p->outside, p->port, CONFIDENCE_LIKELY) ? "other evidence says that SIP is rewritten" : NULL;
}

static uint64_t passage_key(const struct passage *p)
{
	return hash_mix(hash_mix(1, address_key(&p->outside)), (uint64_t)p->port << 8 | p->transport);
}

static void tell_equal(struct detection *d, const struct passage *p)
{
	struct finding *f = detection_raise_keyed(d, passage_key(p), "equal-copies", SEVERITY_INFO, CONFIDENCE_CERTAIN);
	char outside[ADDRESS_TEXT], peer[SAY_TEXT];

	address_text(&p->outside, outside);
	say_host(detection_facts(d), &p->peer, peer);
	finding_part(f, PART_WITNESS, &(struct endpoint){ p->outside, 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ p->peer, p->port });
	finding_times(f, p->first_ns, p->last_ns);
	f->count = p->equal;
	finding_title(f, "The router %s does not rewrite SIP (%s port %u)", outside, transport_word(p->transport),
		p->port);
	finding_cause(f, "%u of %u messages seen before and behind the router %s on their way to and from %s are equal byte for byte, addresses that a rewriter would "
			 "change among them: the fault is elsewhere.%s", p->equal, p->pairs, outside, peer,
		      p->sdp_equal ? "" : " Inspection that only drops cannot be excluded.");
	finding_evidence(f, p->equal_at[0], "a message that names the phone's own address, before the router");
	finding_evidence(f, p->equal_at[1], "the same, unchanged behind it");
	finding_fix(f, "Leave the router's SIP settings as they are.");
}

/* Were copies compared, of one router at least? */
static bool judge_passages(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	bool compared = false;

	if (two_points_passages(facts->points)->count == 0)
		detection_pass(d, NULL, two_points_count(facts->points) < 2 ? "SIP was captured at one point"
			: "no message was seen at two points: they do not show the same calls");
	LIST_EACH(it, two_points_passages(facts->points)) {
		const struct passage *p = LIST_ENTRY(it, struct passage, in_order);
		const char *missing = missing_of(facts, p, (uint32_t)detection_key(d, "min-pairs"));

		if (missing)
			detection_pass(d, NULL, "%s port %u: %s", transport_word(p->transport), p->port, missing);
		else
			tell_equal(d, p);
		compared |= !missing;
	}
	return compared;
}

/* ---- one point, outside: what would have been rewritten arrives as it was ---- */

static const char *missing_of_passing(const struct facts *facts, const struct echo_passing *s, uint32_t least)
{
	if (s->touched)
		return "some of its messages say the public address";
	if (s->untouched < least)
		return "too few messages name private addresses";
	if (!s->begins)
		return "no REGISTER, SUBSCRIBE or INVITE with a private address";
	return is_rewritten(facts, &s->from, s->server.port, CONFIDENCE_LIKELY)
	       ? "other evidence says that SIP is rewritten" : NULL;
}

static void tell_passing(struct detection *d, const struct echo_passing *s)
{
	struct finding *f = detection_raise_keyed(d, hash_mix(hash_mix(3, address_key(&s->from)), s->server.port),
		"private-arrives", SEVERITY_INFO, CONFIDENCE_CERTAIN);
	char outside[ADDRESS_TEXT];

	address_text(&s->from, outside);
	finding_part(f, PART_WITNESS, &(struct endpoint){ s->from, 0 });
	finding_part(f, PART_WITNESS, &s->server);
	finding_times(f, s->first_at.at_ns, s->last_ns);
	f->count = s->untouched;
	finding_title(f, "SIP from %s arrives here unchanged (%s port %u)", outside, transport_word(s->transport),
		s->server.port);
	finding_cause(f, "%u messages from %s arrive with private addresses in Via and Contact%s, which a rewriter would have changed: the fault is elsewhere.%s",
		      s->untouched, outside, s->sdp ? " and SDP" : "",
		      s->sdp ? "" : " Inspection that only drops cannot be excluded.");
	finding_evidence(f, s->first_at, "private addresses, sent from %s", outside);
	finding_fix(f, "Leave the SIP settings of the router %s as they are.", outside);
}

/* ---- one point, inside: answers give back what was sent, and saw the public source ---- */

struct intact {                      /* of all phones behind one router, from one service */
	struct hash_link link;
	struct list_link in_order;
	const struct echo_intact *first;
	unsigned count;
	int64_t last_ns;
};

static uint32_t intact_hash(const struct echo_intact *i)
{
	return (uint32_t)hash_mix(hash_mix(address_key(&i->outside), endpoint_key(&i->server)), i->transport);
}

static struct intact *intact_add(struct hash *table, struct list *all, struct arena *arena, const struct echo_intact *i)
{
	uint32_t hash = intact_hash(i);
	struct intact *x;

	for (struct hash_link *it = hash_first(table, hash); it; it = it->next) {
		x = HASH_ENTRY(it, struct intact, link);
		if (it->hash == hash && endpoint_equal(&x->first->server, &i->server) &&
		    x->first->transport == i->transport && address_equal(&x->first->outside, &i->outside))
			return x;
	}
	x = arena_zalloc(arena, sizeof *x);
	x->first = i;
	hash_add(table, &x->link, hash);
	list_add_tail(all, &x->in_order);
	return x;
}

static void tell_intact(struct detection *d, const struct intact *x)
{
	const struct echo_intact *i = x->first;
	struct finding *f = detection_raise_keyed(d, hash_mix(4, intact_hash(i)), "echo-intact", SEVERITY_INFO,
		CONFIDENCE_LIKELY);
	char outside[ADDRESS_TEXT], server[SAY_TEXT];

	address_text(&i->outside, outside);
	say_host(detection_facts(d), &i->server.addr, server);
	finding_part(f, PART_WITNESS, &(struct endpoint){ i->outside, 0 });
	finding_part(f, PART_WITNESS, &i->server);
	finding_times(f, i->request_at.at_ns, x->last_ns);
	f->count = x->count;
	finding_title(f, "The router %s probably does not rewrite SIP (%s port %u)", outside,
		transport_word(i->transport), i->server.port);
	finding_cause(f, "%u answers of %s repeat the private Via as it was sent and say that it came from %s: the SIP helper of Linux, which most routers have, would have "
			 "put the private address there, too. Inspection that only drops cannot be excluded.", x->count, server, outside);
	finding_evidence(f, i->request_at, "a request with a private Via");
	finding_evidence(f, i->answer_at, "its answer: the same Via, received=%s", outside);
	finding_cannot_see(f, "how the requests look behind the router; capture on its WAN side");
	finding_fix(f, "Leave the router's SIP settings as they are, unless a capture on its WAN side says otherwise.");
}

static void judge_intact(struct detection *d, uint32_t least)
{
	const struct facts *facts = detection_facts(d);
	struct arena *arena = arena_new();
	struct hash table;
	struct list all;

	hash_init(&table);
	list_init(&all);
	LIST_EACH(it, echoes_intact_all(facts->echoes)) {
		const struct echo_intact *i = LIST_ENTRY(it, struct echo_intact, in_order);
		struct intact *x;

		if (i->several || !i->telling || address_reach(&i->phone) != 0)
			continue;
		x = intact_add(&table, &all, arena, i);
		x->count += i->telling;
		x->last_ns = x->last_ns > i->last_ns ? x->last_ns : i->last_ns;
	}
	LIST_EACH(it, &all) {
		const struct intact *x = LIST_ENTRY(it, struct intact, in_order);

		if (x->count < least)
			detection_pass(d, NULL, "%u answers that repeat what was sent are too few", x->count);
		else if (is_rewritten(facts, &x->first->outside, x->first->server.port, CONFIDENCE_POSSIBLE))
			detection_pass(d, NULL, "other evidence says that SIP may be rewritten");
		else
			tell_intact(d, x);
	}
	hash_fini(&table);
	arena_free(arena);
}

static void judge_one_point(struct detection *d)
{
	const struct facts *facts = detection_facts(d);
	uint32_t least = (uint32_t)detection_key(d, "min-pairs");

	LIST_EACH(it, echoes_passing(facts->echoes)) {
		const struct echo_passing *s = LIST_ENTRY(it, struct echo_passing, in_order);
		const char *missing = missing_of_passing(facts, s, least);

		if (missing)
			detection_pass(d, NULL, "%s port %u: %s", transport_word(s->transport), s->server.port,
				missing);
		else
			tell_passing(d, s);
	}
	judge_intact(d, least);
}

/* ---- TLS ---- */

static void judge_tls(struct detection *d)
{
	const struct capture_facts *c = detection_facts(d)->capture;

	LIST_EACH(it, tls_pairs_in_order(detection_facts(d)->tls)) {
		const struct tls_pair *t = LIST_ENTRY(it, struct tls_pair, in_order);
		char server[ENDPOINT_TEXT];
		struct finding *f;

		if (!t->sip_alpn && t->server.port != 5061)
			continue;
		f = detection_raise_keyed(d, hash_mix(hash_mix(2, address_key(&t->server.addr)), t->server.port),
			"transport-encrypted", SEVERITY_INFO,
					  t->sip_alpn ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
		finding_part(f, PART_WITNESS, &t->server);
		finding_times(f, t->first_at.at_ns, c->last_ns);
		finding_title(f, "Nothing can rewrite SIP to %s: it is encrypted", endpoint_text(&t->server, server));
		finding_cause(f, "SIP to %s runs inside TLS: a device in the path can drop it, but not change it.",
			server);
		finding_fix(f, "Leave the router's SIP settings as they are.");
		finding_evidence(f, t->first_at, "first TLS record to that server");
	}
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	/* with two points, or both sides in one capture on "any", the copies themselves tell */
	if (!judge_passages(d) && two_points_count(detection_facts(d)->points) < 2)
		judge_one_point(d);
	judge_tls(d);
}

const struct detector detect_sip_alg_absent = {
	.id = "sip-alg-absent", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = GLOBAL,
	.usual = SEVERITY_INFO, .possible_max = SEVERITY_INFO,
};
