/* SPDX-License-Identifier: MIT */
/*
 * sip-malformed: a message breaks a rule that matters, and what that led to. RFC 3261; RFC 4475 tells what is legal
 * though odd.
 */
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/leg_keys.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/say.h"
#include "analyzer/detect/sip_rules.h"
#include "analyzer/network/sip_path.h"
#include "analyzer/network/two_points.h"
#include "analyzer/site.h"
#include "captures/base/memory.h"

static const char *const reasons[] = {
	"missing-header", "duplicate-singleton", "content-length-long", "content-length-short", "tcp-framing",
	"cseq-mismatch", "bad-start-line", "bad-uri",
	"bad-via", "to-tag-missing", "bad-sdp", "body-no-type", "bad-record-route", "nul-or-control", "bad-auth",
	"register-uri-user",
	"response-via", "tag-changed", "max-forwards-zero", "bad-ack-cancel", NULL,
};

static const struct detector_doc doc = {
	.says = "a message breaks a rule that matters",
	.symptom = "Calls or registrations with one device fail or behave oddly.",
	.evidence = "The message as captured, whole, and how its receiver took it: refused with 400, 416, 505, 513, or ignored while others are answered; an answer, an ACK or a CANCEL beside its request.",
	.mimics = "Compact and folded headers, several values on one line, bare line feeds, keep-alives, STUN, messages that the capture has cut.",
	.fix = "The firmware of the sender; an ALG where its own copy is sound.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "ignored-copies", 3, "copies", 2, 11, "RFC 3261 17.1.1.2: what one loss takes is answered then" },
	{ 0 },
};

enum { CASES_MAX = 256, ASKED = 256, TEXT_MAX = 4096, CASE_FRAMES = 4, CASE_LEGS = 8, FIRST_LOOKS = 12 };

struct rule_case {                   /* one rule that one sender breaks towards one receiver */
	struct address sender;
	struct endpoint receiver;
	enum sip_rule rule;
	unsigned count, refused, ignored, taken;     /* taken: answered in another way */
	unsigned harmed;             /* INVITEs and REGISTERs among those refused or ignored */
	uint64_t legs[CASE_LEGS];    /* keys of the first INVITEs among those: two_points_leg_key() */
	unsigned leg_count;
	uint16_t status;
	int64_t first_ns, last_ns;
	char what[24], field[RULE_FIELD];    /* method or code; as seen first */
	struct frame_ref frames[CASE_FRAMES], refused_at;
	unsigned frame_count;
};

struct stray {                       /* an answer by another Via than that of the request it seems to be for */
	char what[24], field[RULE_FIELD];
	struct endpoint dst;
	struct frame_ref at;
};

struct asked {                       /* a request, with its bytes for a second look until it is answered */
	struct hash_link by_key, by_call;    /* linked while key is not 0 */
	uint64_t key;                /* 0 free */
	uint64_t call_id, from_tag, uri;     /* hashes, as sip_keys */
	uint64_t leg_key;            /* two_points_leg_key_of() */
	uint32_t cseq;
	uint16_t final;              /* status; 0: none yet */
	bool answered, cookie, tagged, last_hop;     /* last_hop: it came with Max-Forwards 0 */
	bool retagged;               /* seen with another From-tag, too: something on the way changes it */
	struct stray *stray;         /* NULL: none */
	uint8_t *text;               /* room for the longest request that stood here */
	size_t n, room;              /* n 0: no text */
	struct address src;
	struct endpoint dst;
	uint8_t transport, method;
	unsigned copies;
	uint32_t rules;              /* already counted */
	struct frame_ref at;
};

struct state {
	struct rule_case *cases;     /* CASES_MAX, made with the first */
	unsigned case_count;
	struct asked *ring;          /* ASKED, likewise */
	struct hash asked, by_call;  /* those of the ring that are not free */
	unsigned next, last_hops;    /* last_hops: of the ring */
	uint32_t looked[FIRST_LOOKS];        /* hashes of who asked, and by which method: looked at once */
	unsigned looked_count;
};

static void asked_free(struct asked *a)
{
	free(a->text);
	free(a->stray);
}

static void forget(void *p)
{
	struct state *st = p;

	for (unsigned i = 0; st->ring && i < ASKED; i++)
		asked_free(&st->ring[i]);
	hash_fini(&st->asked);
	hash_fini(&st->by_call);
	free(st->ring);
	free(st->cases);
}

/* ---- while messages come ---- */

static struct rule_case *case_get(struct state *st, const struct address *sender, const struct endpoint *receiver,
	enum sip_rule rule)
{
	struct rule_case *c;

	if (!st->cases)
		st->cases = memory_zalloc(CASES_MAX * sizeof *st->cases);
	for (unsigned i = 0; i < st->case_count; i++) {
		c = &st->cases[i];
		if (c->rule == rule && address_equal(&c->sender, sender) &&
		    address_equal(&c->receiver.addr, &receiver->addr))
			return c;
	}
	if (st->case_count == CASES_MAX)
		return NULL;
	c = &st->cases[st->case_count++];
	*c = (struct rule_case){ .sender = *sender, .receiver = *receiver, .rule = rule };
	return c;
}

static void case_note(struct state *st, const struct sip_message *m, const struct address *sender,
	const struct endpoint *receiver, enum sip_rule rule,
	struct frame_ref at)
{
	struct rule_case *c = case_get(st, sender, receiver, rule);

	if (!c)
		return;
	if (c->count++ == 0) {
		c->first_ns = at.at_ns;
		sip_rule_field(m, rule, c->field);
		if (m->request)
			text_escape(m->method_text, c->what, sizeof c->what);
		else
			snprintf(c->what, sizeof c->what, "%u", m->status);
	}
	c->last_ns = at.at_ns;
	if (c->frame_count < CASE_FRAMES)
		c->frames[c->frame_count++] = at;
}

static void note_rules(struct state *st, const struct sip_message *m, uint32_t rules, const struct address *sender,
	const struct endpoint *receiver,
	struct frame_ref at)
{
	for (unsigned rule = 0; rules >> rule; rule++) {
		if (rules & UINT32_C(1) << rule)
			case_note(st, m, sender, receiver, rule, at);
	}
}

/*
 * By what a response repeats, as far as it is there: top Via's branch, else Call-ID and tag. CSeq may be what is
 * broken.
 */
static uint64_t key_of(const struct sip_message *m)
{
	uint64_t key = m->via.branch.n ? m->keys.branch : hash_mix(m->keys.call_id, m->keys.from_tag);

	return key ? key : 1;
}

static struct asked *asked_find(struct state *st, const struct packet *p, uint64_t key, const struct address *asker)
{
	for (struct hash_link *it = hash_first(&st->asked, (uint32_t)key); it; it = it->next) {
		struct asked *a = HASH_ENTRY(it, struct asked, by_key);

		/* a CANCEL has the branch of its INVITE */
		if (a->key == key && address_equal(&a->src, asker) &&
		    address_equal(&a->dst.addr, p->sip->request ? &p->dst.addr : &p->src.addr) &&
		    (a->method == SIP_CANCEL) == (p->sip->method == SIP_CANCEL))
			return a;
	}
	return NULL;
}

static uint32_t call_hash(uint64_t call_id, uint32_t cseq)
{
	return (uint32_t)hash_mix(call_id, cseq);
}

/* The request that this answer is for by all but its branch, and that has had no answer. */
static struct asked *asked_like(struct state *st, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	for (struct hash_link *it = hash_first(&st->by_call, call_hash(m->keys.call_id, m->cseq)); it; it = it->next) {
		struct asked *a = HASH_ENTRY(it, struct asked, by_call);

		if (a->call_id == m->keys.call_id && a->cseq == m->cseq && a->method == m->method && a->cookie &&
		    !a->answered && a->from_tag == m->keys.from_tag && address_equal(&a->src, &p->dst.addr) &&
		    address_equal(&a->dst.addr, &p->src.addr))
			return a;
	}
	return NULL;
}

static void asked_drop(struct state *st, struct asked *a)
{
	if (a->key) {
		hash_remove(&st->asked, &a->by_key);
		hash_remove(&st->by_call, &a->by_call);
		st->last_hops -= a->last_hop;
	}
	a->key = 0;
	free(a->stray);
	a->stray = NULL;
}

static void asked_add(struct state *st, const struct packet *p, uint64_t key, uint32_t rules)
{
	const struct sip_message *m = p->sip;
	struct span text = p->transport == TRANSPORT_UDP ? p->payload : m->bytes;
	struct asked *a;

	if (!st->ring)
		st->ring = memory_zalloc(ASKED * sizeof *st->ring);
	a = &st->ring[st->next++ % ASKED];
	asked_drop(st, a);
	*a = (struct asked){ .key = key, .text = a->text, .room = a->room, .src = p->src.addr, .dst = p->dst,
		.transport = p->transport, .method = (uint8_t)m->method, .copies = 1, .rules = rules,
		.at = frame_ref_of(p), .call_id = m->keys.call_id, .from_tag = m->keys.from_tag,
		.leg_key = two_points_leg_key_of(m), .uri = hash_bytes(m->uri.p, m->uri.n), .cseq = m->cseq,
		.cookie = m->keys.cookie && m->has_cseq, .tagged = m->from.tag.n > 0,
		.last_hop = m->has_max_forwards && m->max_forwards == 0 };
	hash_add(&st->asked, &a->by_key, (uint32_t)key);
	hash_add(&st->by_call, &a->by_call, call_hash(a->call_id, a->cseq));
	st->last_hops += a->last_hop;
	if (text.n > TEXT_MAX)
		return;
	if (a->room < text.n) {
		a->text = memory_resize(a->text, text.n, 1);
		a->room = text.n;
	}
	a->n = text.n;
	memcpy(a->text, text.p, a->n);
}

/*
 * Harm was done, or it is the first of its kind: now each field is worth a look. All rules that it breaks, those found
 * first among them. thorough: as sip_rules_broken().
 */
static uint32_t look_again(struct state *st, struct asked *a, bool thorough)
{
	struct sip_message *m;
	uint32_t rules = a->rules;

	if (!a->n)
		return rules;
	m = memory_zalloc(sizeof *m);
	if (sip_message_parse((struct span){ a->text, a->n }, a->n, m)) {
		sip_message_judge(m);
		rules |= sip_rules_broken(m, a->transport, thorough);
		note_rules(st, m, rules & ~a->rules, &a->src, &a->dst, a->at);
	}
	free(m);
	return rules;
}

enum outcome { OUTCOME_REFUSED, OUTCOME_IGNORED, OUTCOME_TAKEN };

static void note_outcome(struct state *st, const struct asked *a, uint32_t rules, enum outcome outcome, uint16_t status,
	struct frame_ref at)
{
	for (unsigned rule = 0; rules >> rule; rule++) {
		struct rule_case *c = rules & UINT32_C(1) << rule ? case_get(st, &a->src, &a->dst, rule) : NULL;

		if (!c)
			continue;
		c->taken += outcome == OUTCOME_TAKEN;
		c->ignored += outcome == OUTCOME_IGNORED;
		if (outcome != OUTCOME_TAKEN)
			c->harmed += a->method == SIP_INVITE || a->method == SIP_REGISTER;
		if (outcome != OUTCOME_TAKEN && 
		    (a->method == SIP_INVITE || a->method == SIP_CANCEL || a->method == SIP_BYE) && c->leg_count < CASE_LEGS)
			c->legs[c->leg_count++] = a->leg_key;
		if (outcome == OUTCOME_REFUSED && c->refused++ == 0) {
			c->status = status;
			c->refused_at = at;
		}
	}
}

static bool refuses(unsigned status)
{
	return status == 400 || status == 416 || status == 505 || status == 513;
}

/* What is taken all the same is looked at once for each sender and method, and no more of many. */
static bool is_first(struct state *st, const struct asked *a)
{
	uint32_t who = (uint32_t)hash_mix(address_key(&a->src), a->method);

	for (unsigned i = 0; i < st->looked_count; i++) {
		if (st->looked[i] == who)
			return false;
	}
	if (st->looked_count < FIRST_LOOKS)
		st->looked[st->looked_count++] = who;
	else
		return false;
	return true;
}

static void take_response(struct state *st, const struct packet *p, struct asked *a)
{
	/* 483: the header that is missing is Max-Forwards */
	bool refused = refuses(p->sip->status) ||
		(p->sip->status == 483 && a && a->rules & UINT32_C(1) << RULE_MISSING_HEADER);

	if (a && p->sip->status >= 200 && p->sip->method == a->method)
		a->final = (uint16_t)p->sip->status;
	if (!a || a->answered || p->sip->status < 101)
		return;
	note_outcome(st, a, refused || is_first(st, a) ? look_again(st, a, refused) : a->rules,
		refused ? OUTCOME_REFUSED : OUTCOME_TAKEN,
		(uint16_t)p->sip->status, frame_ref_of(p));
	a->answered = true;
}

/* ---- rules between two messages ---- */

/* It is held until the asker shows, by asking again, that it was no answer to him. */
static void stray_hold(struct asked *a, const struct packet *p)
{
	if (a->stray)
		return;
	a->stray = memory_zalloc(sizeof *a->stray);
	snprintf(a->stray->what, sizeof a->stray->what, "%u", p->sip->status);
	sip_rule_field(p->sip, RULE_RESPONSE_VIA, a->stray->field);
	a->stray->dst = p->dst;
	a->stray->at = frame_ref_of(p);
}

static void stray_settle(struct state *st, struct asked *a)
{
	struct stray *s = a->stray;
	struct rule_case *c = s ? case_get(st, &a->dst.addr, &s->dst, RULE_RESPONSE_VIA) : NULL;

	a->stray = NULL;
	if (c) {
		if (c->count++ == 0) {
			c->first_ns = s->at.at_ns;
			memcpy(c->what, s->what, sizeof c->what);
			memcpy(c->field, s->field, sizeof c->field);
		}
		c->last_ns = s->at.at_ns;
		if (c->frame_count < CASE_FRAMES)
			c->frames[c->frame_count++] = s->at;
		c->ignored++;
		c->harmed += a->method == SIP_INVITE || a->method == SIP_REGISTER;
	}
	free(s);
}

/* An answer, by the request that it belongs to. */
static uint32_t rules_of_answer(struct state *st, const struct packet *p, const struct asked *a)
{
	const struct sip_message *m = p->sip;
	struct asked *like;

	if (!m->keys.cookie || !m->has_cseq)
		return 0;
	if (!a) {
		like = asked_like(st, p);
		if (like)
			stray_hold(like, p);
		return 0;
	}
	return a->cookie && a->tagged && !a->retagged && m->from.tag.n && a->cseq == m->cseq && a->method == m->method &&
	       a->call_id == m->keys.call_id && a->from_tag != m->keys.from_tag ? UINT32_C(1) << RULE_TAG_CHANGED : 0;
}

/*
 * A CANCEL, or the ACK of a refusal, on the hop of its INVITE, whose branch it has. The ACK of a 2xx goes to the
 * Contact, whatever its branch.
 */
static uint32_t rules_of_follower(struct state *st, const struct packet *p)
{
	const struct sip_message *m = p->sip;

	if ((m->method != SIP_ACK && m->method != SIP_CANCEL) || !m->keys.cookie || !m->has_cseq)
		return 0;
	for (struct hash_link *it = hash_first(&st->asked, (uint32_t)m->keys.branch); it; it = it->next) {
		const struct asked *a = HASH_ENTRY(it, struct asked, by_key);

		if (a->key == m->keys.branch && a->method == SIP_INVITE && a->cookie &&
		    a->call_id == m->keys.call_id && address_equal(&a->src, &p->src.addr) &&
		    address_equal(&a->dst.addr, &p->dst.addr) && (m->method == SIP_CANCEL || a->final >= 300))
			return a->cseq != m->cseq || a->from_tag != m->keys.from_tag ||
			       a->uri != hash_bytes(m->uri.p, m->uri.n) ? UINT32_C(1) << RULE_ACK_CANCEL : 0;
	}
	return 0;
}

/* A request that is sent on, by the one below whose Via stands under its own. */
static uint32_t rules_of_relay(struct state *st, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	uint64_t key;
	struct sip_via v;

	if (!st->last_hops || m->via_count < 2 || !sip_via_at(m, 1, &v) || !v.branch.n)
		return 0;
	key = hash_bytes(v.branch.p, v.branch.n);
	for (struct hash_link *it = hash_first(&st->asked, (uint32_t)key); it; it = it->next) {
		const struct asked *a = HASH_ENTRY(it, struct asked, by_key);

		if (a->key == key && a->last_hop && a->cookie && a->method == m->method &&
		    a->call_id == m->keys.call_id && address_equal(&a->dst.addr, &p->src.addr))
			return UINT32_C(1) << RULE_MAX_FORWARDS;
	}
	return 0;
}

/*
 * Fields that a response repeats are the fault of the request, which perhaps was not read at all where it is refused.
 */
static uint32_t own_rules(const struct sip_message *m, uint32_t rules, const struct asked *a)
{
	uint32_t repeated = UINT32_C(1) << RULE_MISSING_HEADER | UINT32_C(1) << RULE_CSEQ | UINT32_C(1) << RULE_VIA | UINT32_C(1) << RULE_DUPLICATE;

	if (m->status == 400 || (a && a->rules & repeated))
		rules &= ~repeated;
	return rules;
}

static void take(struct state *st, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	uint64_t key = key_of(m);
	struct asked *a = m->method == SIP_ACK ? NULL : asked_find(st, p, key,
		m->request ? &p->src.addr : &p->dst.addr);
	uint32_t rules;

	if (p->has & HAS_TRUNCATED || p->tunnel == TUNNEL_HEP)
		return;
	if (m->request && a && a->answered && !a->cookie) {
		asked_drop(st, a);           /* nothing but its age tells the next one of the dialog from it */
		a = NULL;
	}
	if (m->request && a) {
		a->copies++;
		a->retagged |= a->call_id == m->keys.call_id && a->from_tag != m->keys.from_tag;
		stray_settle(st, a);
		return;
	}
	rules = sip_rules_broken(m, p->transport, false);
	if (m->request)
		rules |= rules_of_relay(st, p) | rules_of_follower(st, p);
	else
		rules = own_rules(m, rules, a) | rules_of_answer(st, p, a);
	if (rules)
		note_rules(st, m, rules, &p->src.addr, &p->dst, frame_ref_of(p));
	if (!m->request)
		take_response(st, p, a);
	else if (m->method != SIP_ACK)
		asked_add(st, p, key, rules);
}

/* ---- judgement ---- */

/* Repeated, never answered, while others of that sender are. */
static void settle_ignored(struct detection *d, struct state *st)
{
	const struct facts *facts = detection_facts(d);

	for (unsigned i = 0; st->ring && i < ASKED; i++) {
		struct asked *a = &st->ring[i];
		const struct sip_path *path;

		if (!a->key || a->answered || a->copies < detection_key(d, "ignored-copies"))
			continue;
		path = sip_paths_find(facts->paths, &a->src, &a->dst, a->transport);
		if (path && path->answered)
			note_outcome(st, a, look_again(st, a, true), OUTCOME_IGNORED, 0, (struct frame_ref){ 0 });
		asked_drop(st, a);
	}
}

/*
 * A receiver that has lost the beginning of messages on a connection answers none that comes over it any more: requests
 * from the faulty one on, until one has an answer again.
 */
static void settle_framing(struct detection *d, struct state *st, struct rule_case *c)
{
	const struct facts *facts = detection_facts(d);
	const struct sip_path *path = sip_paths_find(facts->paths, &c->sender, &c->receiver, TRANSPORT_TCP);
	int64_t end_ns = facts->capture->last_ns,
		tail_ns = (int64_t)(detection_config(d, "signalling", "tail-s") * 1e9);

	if (!path || !path->answered)
		return;
	for (unsigned i = 0; st->ring && i < ASKED; i++) {
		const struct asked *a = &st->ring[(st->next + i) % ASKED];

		if (!a->key || a->transport == TRANSPORT_UDP || a->at.at_ns < c->first_ns ||
		    !address_equal(&a->src, &c->sender) || !address_equal(&a->dst.addr, &c->receiver.addr))
			continue;
		if (a->answered || ns_minus(end_ns, a->at.at_ns) < tail_ns)
			return;
		note_outcome(st, a, UINT32_C(1) << RULE_TCP_FRAMING, OUTCOME_IGNORED, 0, (struct frame_ref){ 0 });
		c->last_ns = a->at.at_ns;
	}
}

static void tell_outcome(const struct rule_case *c, const char *receiver, char *text, size_t room)
{
	if (c->refused)
		snprintf(text, room, " %s refuses %u of them with %u.", receiver, c->refused, c->status);
	else if (c->ignored && c->rule == RULE_TCP_FRAMING)
		snprintf(text, room, " From then on %s answers nothing that comes over the connection, %u request%s: it no longer finds where messages begin.", receiver, c->ignored, c->ignored == 1 ? "" : "s");
	else if (c->ignored && c->rule == RULE_RESPONSE_VIA)
		snprintf(text, room, " %s takes %u of them for no answer of its own and asks again.", receiver, c->ignored);
	else if (c->ignored)
		snprintf(text, room, " %s does not answer %u of them, while it answers others.", receiver, c->ignored);
	else
		*text = '\0';
}

static enum severity severity_of(const struct rule_case *c)
{
	if (c->harmed && !c->taken)
		return SEVERITY_ERROR;
	return c->refused || c->ignored ? SEVERITY_WARNING : SEVERITY_INFO;
}

static void tell(struct detection *d, unsigned n, const struct rule_case *c)
{
	const struct facts *facts = detection_facts(d);
	const struct rule_name *name = sip_rule_name(c->rule);
	struct finding *f = detection_raise_keyed(d, n + 1, name->reason, severity_of(c),
		c->ignored && !c->refused ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN);
	struct endpoint sender = { c->sender, 0 };
	char from[SAY_TEXT], to[SAY_TEXT], outcome[SAY_TEXT + 160];

	say_host(facts, &c->sender, from);
	say_host(facts, &c->receiver.addr, to);
	tell_outcome(c, to, outcome, sizeof outcome);
	finding_part(f, PART_CULPRIT, &sender);
	finding_part(f, PART_WITNESS, &c->receiver);
	finding_times(f, c->first_ns, c->last_ns);
	f->count = c->count;
	say_title(f, from, c->refused ? "it sends faulty SIP, which is refused" : c->ignored
		? "it sends faulty SIP, which is ignored" : "its SIP breaks a rule");
	finding_cause(f, "%s sends %s to %s that breaks a rule, %s message%s: %s; as seen: %s.%s", from, c->what, to,
		SAY_COUNT(c->count), c->count == 1 ? "" : "s",
		      name->rule, c->field, outcome);
	finding_fix(f, "Update the firmware of %s; if its message is sound where it leaves it, a device on the way changes it: switch its ALG off.", from);
	for (unsigned i = 0; i < c->leg_count; i++) {
		const struct leg *leg = leg_keys_find(lookup_leg_keys(facts->lookup), c->legs[i]);

		if (leg)
			finding_leg(f, leg);
	}
	for (unsigned i = 0; i < c->frame_count; i++)
		finding_evidence(f, c->frames[i], "the message");
	if (c->refused)
		finding_evidence(f, c->refused_at, "refused: %u", c->status);
}

static void on_event(struct detection *d, const struct event *ev)
{
	struct state *st = detection_state(d);
	unsigned told = 0;

	if (ev->kind == EVENT_SIP) {
		take(st, ev->packet);
		return;
	}
	settle_ignored(d, st);
	for (unsigned i = 0; i < st->case_count; i++) {
		if (st->cases[i].rule == RULE_TCP_FRAMING)
			settle_framing(d, st, &st->cases[i]);
	}
	for (unsigned i = 0; i < st->case_count; i++) {
		const struct rule_case *c = &st->cases[i];

		if (c->rule == RULE_REGISTER_USER && (c->taken || !(c->refused || c->ignored)))
			continue;            /* many write it so, and most registrars do not mind */
		if (site_stranger(detection_facts(d)->site, &c->sender, &c->receiver.addr))
			continue;
		tell(d, i, c);
		told++;
	}
	if (!told)
		detection_pass(d, NULL, "no message breaks a rule that matters");
}

const struct detector detect_sip_malformed = {
	.id = "sip-malformed", .doc = &doc, .keys = keys, .event = on_event, .forget = forget,
	.state_size = sizeof(struct state),
	.events = EVENT_BIT(EVENT_SIP) | EVENT_BIT(EVENT_JUDGE_CAPTURE), .scope = GLOBAL, .usual = SEVERITY_INFO,
	.possible_max = SEVERITY_WARNING,
};
