/* SPDX-License-Identifier: MIT */
/*
 * suppression: a root cause silences what it explains. Never across calls, never a certain finding by a possible one,
 * and across directions only where the table says that the cause concerns the call as a whole.
 */
#include "analyzer/findings/internal.h"
#include "analyzer/findings/more_legs.h"

#define MOMENT_NS (2 * SECOND_NS)

enum range {
	SAME_DIRECTION,              /* of the same call */
	SAME_CALL,                   /* any direction of it */
	SAME_MOMENT,                 /* the same, and what is explained begins while the cause lasts */
	SAME_MEDIA,                  /* the same, the cause being about one of its directions */
	SAME_RECEIVER,               /* the same, and the same victim */
	SAME_SIGNALLING,             /* the same call, the cause being about no direction of media */
	SAME_PHONE,                  /* likewise, the same victim socket: many phones share a router's address */
	SAME_STREAM,
	SAME_SOCKET,                 /* the same call, and a victim or stream of one is a host or stream of the other */
	SAME_VICTIM,                 /* the same call, and the cause's direction or victim host is the consequence's */
	SAME_PEERS,                  /* two hosts of the cause are two of the consequence, in no call or in whichever */
	/* a victim or culprit of the cause is one of the consequence, in no call or in whichever */
	SAME_HOST
};

/*
 * Rows in order of weight: of two findings that could explain each other the one whose row stands higher is the cause.
 */
static const struct row {
	const char *cause, *reason;  /* reason: only this one; NULL any */
	enum range range;
	const char *explains[12];
	/* the effect rests on what the cause says: it stands below it however sure that is */
	bool rests;
} rows[] = {
	{ "nat-address-mismatch", NULL, SAME_DIRECTION,
	  { "one-way-audio", "early-media-missing", "audio-missing-after-hold", "audio-missing-after-transfer" } },
	{ "nat-address-mismatch", NULL, SAME_RECEIVER, { "media-unreachable" } },
	{ "nat-address-mismatch", "hairpin", SAME_MEDIA, { "media-unreachable" } },
	{ "nat-address-mismatch", NULL, SAME_MEDIA, { "no-audio" } },
	{ "nat-address-mismatch", NULL, SAME_SIGNALLING,
	  { "ack-missing", "call-dropped", "invite-unanswered", "transfer-failed" } },
	{ "nat-address-mismatch", NULL, SAME_PHONE, { "registration-failed" } },
	{ "nat-binding-expired", NULL, SAME_SIGNALLING,
	  { "invite-unanswered", "call-dropped", "audio-interrupted", "reinvite-failed", "dropped-in-path" } },
	{ "nat-binding-expired", NULL, SAME_PHONE, { "registration-failed", "blf-broken", "nat-binding-at-risk",
	  "contact-flap" } },
	{ "capture-duplicates", "network-loop", SAME_PEERS, { "invite-unanswered", "registration-failed", "no-audio",
	  "one-way-audio", "dropped-in-path", "retransmission-storm" } },
	{ "sip-alg", NULL, SAME_CALL, { "reinvite-failed", "transfer-failed" } },
	{ "contact-flap", NULL, SAME_PHONE, { "blf-broken" } },
	{ "sip-port-shared", NULL, SAME_PHONE, { "blf-broken" } },
	{ "sip-port-shared", NULL, SAME_HOST, { "retransmission-storm" } },
	{ "sip-fragmented", NULL, SAME_CALL, { "reinvite-failed", "transfer-failed" } },
	{ "sip-fragmented", "tcp-fallback-refused", SAME_CALL, { "invite-unanswered", "call-failed" } },
	{ "sip-fragmented", "too-large", SAME_CALL, { "call-failed" } },
	{ "sip-fragmented", "tcp-fallback-refused", SAME_PEERS, { "transport-mismatch" } },
	{ "sip-fragmented", NULL, SAME_PHONE, { "blf-broken" } },
	{ "registration-failed", NULL, SAME_PHONE, { "blf-broken" } },
	{ "sip-fragmented", NULL, SAME_SIGNALLING, { "dropped-in-path" } },
	{ "dropped-in-path", "method-filtered", SAME_CALL,
	  { "invite-unanswered", "ack-missing", "reinvite-failed", "transfer-failed" } },
	{ "dropped-in-path", "oversize", SAME_CALL,
	  { "invite-unanswered", "ack-missing", "reinvite-failed", "transfer-failed" } },
	{ "dropped-in-path", "unlocated", SAME_CALL,
	  { "invite-unanswered", "ack-missing", "reinvite-failed", "transfer-failed" } },
	{ "dropped-in-path", "media", SAME_DIRECTION, { "one-way-audio", "audio-interrupted", "rtp-loss",
	  "early-media-missing", "audio-missing-after-hold", "audio-missing-after-transfer" } },
	{ "dropped-in-path", "media", SAME_CALL, { "no-audio" } },
	{ "rtp-port-collision", NULL, SAME_SOCKET,
	  { "one-way-audio", "no-audio", "rtp-injection", "media-unexpected-source", "rtp-loss", "rtp-jitter" } },
	{ "ssrc-collision", NULL, SAME_SOCKET,
	  { "one-way-audio", "no-audio", "rtp-injection", "media-unexpected-source", "rtp-loss", "rtp-jitter" } },
	{ "rtcp-port-clash", NULL, SAME_SOCKET,
	  { "one-way-audio", "no-audio", "rtp-injection", "media-unexpected-source", "rtp-loss", "rtp-jitter" } },
	{ "one-way-audio", "wrong-port", SAME_PEERS, { "rtp-injection" } },
	{ "session-table-exhausted", NULL, SAME_HOST, { "dropped-in-path", "nat-binding-expired", "invite-unanswered",
	  "registration-failed", "transport-mismatch", "retransmission-storm" } },
	{ "sip-flood", NULL, SAME_HOST, { "registration-failed", "call-failed", "invite-unanswered",
	  "retransmission-storm", "answer-delayed", "sip-malformed", "sip-scan" } },
	{ "registration-bruteforce", NULL, SAME_HOST, { "registration-failed", "call-failed", "invite-unanswered",
	  "retransmission-storm", "sip-malformed" } },
	{ "toll-fraud", "prefix-probing", SAME_HOST, { "sip-scan" } },
	{ "sip-scan", NULL, SAME_HOST, { "registration-failed", "call-failed", "invite-unanswered",
	  "retransmission-storm", "sip-malformed", "transport-mismatch" } },
	{ "failover-broken", NULL, SAME_CALL, { "invite-unanswered", "call-failed" } },
	{ "failover-broken", NULL, SAME_PHONE, { "registration-failed" } },
	{ "sip-malformed", "tcp-framing", SAME_CALL, { "invite-unanswered", "cancel-lost", "reinvite-failed" } },
	{ "invite-unanswered", NULL, SAME_CALL, { "transfer-failed" } },
	{ "codec-not-agreed", NULL, SAME_CALL, { "transfer-failed" } },
	{ "session-table-exhausted", NULL, SAME_HOST, { "retransmission-storm" } },
	{ "sip-flood", NULL, SAME_HOST, { "retransmission-storm" } },
	{ "media-range-exhausted", NULL, SAME_CALL,
	  { "no-audio", "call-failed", "one-way-audio", "codec-not-agreed" } },
	{ "media-unreachable", NULL, SAME_VICTIM, { "one-way-audio", "no-audio", "audio-late" } },
	{ "codec-not-agreed", "pt-not-in-answer", SAME_DIRECTION, { "one-way-audio", "audio-silent",
	  "audio-missing-after-hold", "audio-missing-after-transfer" } },
	{ "codec-not-agreed", "pt-not-in-answer", SAME_CALL, { "no-audio" } },
	{ "codec-not-agreed", "late-switch", SAME_DIRECTION, { "one-way-audio", "audio-silent",
	  "audio-missing-after-hold", "audio-missing-after-transfer" } },
	{ "codec-not-agreed", "late-switch", SAME_CALL, { "no-audio" } },
	{ "codec-not-agreed", "pt-number-asymmetric", SAME_DIRECTION, { "one-way-audio", "audio-missing-after-hold",
	  "audio-missing-after-transfer" } },
	{ "codec-not-agreed", "no-common-codec", SAME_CALL,
	  { "no-audio", "one-way-audio", "call-failed", "call-dropped" } },
	{ "codec-not-agreed", "answer-only-events", SAME_CALL, { "no-audio", "one-way-audio" } },
	/* what either sends all the same */
	{ "codec-not-agreed", "no-common-codec", SAME_CALL, { "codec-not-agreed" } },
	{ "codec-not-agreed", "answer-only-events", SAME_SIGNALLING, { "codec-not-agreed" } },
	{ "rtp-port-reuse", "mislatched", SAME_CALL, { "one-way-audio", "media-unexpected-source" } },
	{ "rtp-injection", "media-hijack", SAME_CALL,
	  { "one-way-audio", "audio-interrupted", "media-unexpected-source" } },
	{ "srtp-broken", NULL, SAME_DIRECTION, { "one-way-audio", "audio-silent", "audio-missing-after-hold" } },
	{ "srtp-broken", NULL, SAME_CALL, { "no-audio", "rtp-injection" } },
	{ "srtp-broken", "dtls-failed", SAME_CALL, { "one-way-audio" } },
	{ "audio-missing-after-transfer", NULL, SAME_VICTIM, { "one-way-audio", "audio-interrupted", "audio-late" } },
	{ "audio-missing-after-transfer", NULL, SAME_CALL, { "no-audio" } },
	{ "audio-missing-after-hold", NULL, SAME_DIRECTION, { "one-way-audio", "audio-interrupted" } },
	{ "audio-missing-after-hold", NULL, SAME_CALL, { "no-audio" } },
	{ "sip-fragmented", NULL, SAME_PEERS, { "invite-unanswered", "registration-failed", "blf-broken", "ack-missing",
	  "call-failed", "retransmission-storm" } },
	{ "transport-mismatch", NULL, SAME_PEERS,
	  { "tls-failed", "registration-failed", "invite-unanswered", "call-failed" } },
	{ "transport-mismatch", NULL, SAME_CALL, { "call-failed" } },
	{ "retransmission-storm", "loop", SAME_CALL, { "call-failed" } },
	{ "sip-malformed", NULL, SAME_CALL, { "call-failed" } },
	{ "sip-malformed", "missing-header", SAME_CALL, { "media-after-call" } },
	{ "sip-malformed", NULL, SAME_PEERS, { "call-failed", "registration-failed" } },
	{ "tls-failed", NULL, SAME_PEERS, { "registration-failed", "invite-unanswered", "call-failed" } },
	{ "audio-interrupted", "turn-lapsed", SAME_CALL, { "no-audio", "one-way-audio", "audio-interrupted",
	  "call-dropped", "media-unreachable" } },
	{ "call-dropped", "path-lost", SAME_CALL, { "no-audio", "one-way-audio", "audio-interrupted" } },
	{ "call-dropped", "peer-vanished", SAME_CALL, { "no-audio", "one-way-audio", "audio-interrupted" } },
	{ "call-dropped", "peer-restarted", SAME_CALL, { "no-audio", "one-way-audio", "audio-interrupted" } },
	{ "no-audio", NULL, SAME_CALL, { "one-way-audio", "early-media-missing", "audio-late", "audio-interrupted",
	  "audio-silent", "call-dropped" } },
	{ "one-way-audio", NULL, SAME_DIRECTION, { "audio-late", "audio-interrupted", "audio-silent", "rtp-loss",
	  "rtp-jitter", "media-unexpected-source" } },
	{ "one-way-audio", NULL, SAME_CALL, { "media-after-call", "call-dropped" } },
	{ "audio-interrupted", "both-directions", SAME_CALL, { "rtp-loss", "audio-interrupted" } },
	/* of the holes in which packets were lost; where the sender stalled or stopped, hardly any were */
	{ "audio-interrupted", "lost-in-path", SAME_DIRECTION, { "rtp-loss" } },
	{ "audio-interrupted", "unlocated", SAME_DIRECTION, { "rtp-loss" } },
	{ "audio-interrupted", "nat-rebound", SAME_DIRECTION, { "rtp-loss" } },
	{ "audio-interrupted", "handover", SAME_DIRECTION, { "rtp-loss" } },
	{ "audio-interrupted", "stream-replaced", SAME_DIRECTION, { "rtp-loss" } },
	{ "audio-interrupted", "never-resumed", SAME_DIRECTION, { "rtp-loss" } },
	{ "rtp-loss", NULL, SAME_STREAM, { "rtp-jitter" } },
	{ "nat-binding-expired", NULL, SAME_CALL, { "cancel-lost" } },
	{ "contact-flap", NULL, SAME_CALL, { "invite-unanswered", "ack-missing", "cancel-lost" } },
	{ "sip-port-shared", NULL, SAME_CALL, { "cancel-lost", "answer-delayed" } },
	{ "sip-alg", NULL, SAME_CALL, { "invite-unanswered", "call-failed", "ack-missing", "cancel-lost",
	  "answer-delayed" } },
	{ "session-table-exhausted", NULL, SAME_HOST, { "invite-unanswered", "call-failed", "call-dropped" } },
	{ "toll-fraud", NULL, SAME_HOST, { "call-failed", "call-dropped" } },
	{ "codec-not-agreed", NULL, SAME_CALL, { "call-failed" } },
	{ "transfer-failed", NULL, SAME_CALL, { "call-failed" } },
	{ "reinvite-failed", NULL, SAME_CALL, { "call-dropped", "audio-missing-after-hold" } },
	{ "reinvite-failed", NULL, SAME_MOMENT, { "no-audio", "one-way-audio", "audio-interrupted" } },
	{ "audio-interrupted", NULL, SAME_CALL, { "call-dropped" } },
	{ "invite-unanswered", NULL, SAME_CALL, { "call-failed", "cancel-lost", "answer-delayed" } },
	{ "cancel-lost", NULL, SAME_CALL, { "media-after-call" } },
	{ "ack-missing", NULL, SAME_CALL, { "call-dropped", "answer-delayed" }, .rests = true },
	{ "audio-late", NULL, SAME_CALL, { "answer-delayed" } },
	{ "early-media-missing", "prack-missing", SAME_CALL, { "answer-delayed" } },
	{ "retransmission-storm", NULL, SAME_HOST, { "answer-delayed" } },
};

enum { ROWS = sizeof rows / sizeof rows[0], CHAIN_MAX = 16 };

static bool share_leg(const struct finding *a, const struct finding *b)
{
	const struct finding *few = a->legs_total < b->legs_total ? a : b, *many = few == a ? b : a;

	for (unsigned i = 0; i < few->leg_count; i++) {
		if (finding_has_leg(many, few->legs[i].leg))
			return true;
	}
	if (!few->more_legs)
		return false;
	LIST_EACH(it, &few->more_legs->in_order) {
		if (finding_has_leg(many, LIST_ENTRY(it, struct more_leg, in_order)->leg))
			return true;
	}
	return false;
}

static bool share_victim(const struct finding *a, const struct finding *b)
{
	for (unsigned i = 0; i < a->host_count; i++) {
		for (unsigned k = 0; k < b->host_count; k++) {
			if (a->hosts[i].part == PART_VICTIM && b->hosts[k].part == PART_VICTIM &&
			    address_equal(&a->hosts[i].at.addr, &b->hosts[k].at.addr))
				return true;
		}
	}
	return false;
}

static bool share_victim_socket(const struct finding *a, const struct finding *b)
{
	for (unsigned i = 0; i < a->host_count; i++) {
		for (unsigned k = 0; k < b->host_count; k++) {
			if (a->hosts[i].part == PART_VICTIM && b->hosts[k].part == PART_VICTIM &&
			    endpoint_equal(&a->hosts[i].at, &b->hosts[k].at))
				return true;
		}
	}
	return false;
}

static bool shares_stream(const struct finding *a, const struct finding *b)
{
	for (unsigned i = 0; i < a->stream_count; i++) {
		for (unsigned k = 0; k < b->stream_count; k++) {
			if (a->streams[i] == b->streams[k])
				return true;
		}
	}
	return false;
}

static bool victim_is_host(const struct finding *cause, const struct finding *effect)
{
	for (unsigned i = 0; i < effect->host_count; i++) {
		for (unsigned k = 0; k < cause->host_count; k++) {
			if (effect->hosts[i].part == PART_VICTIM &&
			    address_equal(&effect->hosts[i].at.addr, &cause->hosts[k].at.addr))
				return true;
		}
	}
	return false;
}

static bool acts(const struct finding *f, unsigned i)
{
	return f->hosts[i].part == PART_VICTIM || f->hosts[i].part == PART_CULPRIT;
}

static bool share_host(const struct finding *a, const struct finding *b)
{
	for (unsigned i = 0; i < a->host_count; i++) {
		for (unsigned k = 0; k < b->host_count; k++) {
			if (acts(a, i) && acts(b, k) && address_equal(&a->hosts[i].at.addr, &b->hosts[k].at.addr))
				return true;
		}
	}
	return false;
}

/* Whatever their parts. */
static bool share_peers(const struct finding *a, const struct finding *b)
{
	unsigned shared = 0;

	for (unsigned i = 0; i < a->host_count; i++) {
		bool known = false, there = false;

		for (unsigned k = 0; k < i; k++)
			known |= address_equal(&a->hosts[i].at.addr, &a->hosts[k].at.addr);
		for (unsigned k = 0; k < b->host_count; k++)
			there |= address_equal(&a->hosts[i].at.addr, &b->hosts[k].at.addr);
		shared += there && !known;
	}
	return shared >= 2;
}

/* A party that holds stops before it has asked for it, or when nobody answered. */
static bool begins_within(const struct finding *cause, const struct finding *effect)
{
	int64_t begins_ns = effect->since_ns != NS_NONE ? effect->since_ns : effect->first_ns;

	return begins_ns >= ns_add(cause->first_ns, -MOMENT_NS) && begins_ns <= ns_add(cause->last_ns, MOMENT_NS);
}

static bool in_range(enum range range, const struct finding *cause, const struct finding *effect)
{
	bool same_direction = cause->direction && cause->direction == effect->direction;

	switch (range) {
	case SAME_DIRECTION:
		return same_direction;
	case SAME_CALL:
		return share_leg(cause, effect);
	case SAME_MOMENT:
		return share_leg(cause, effect) && begins_within(cause, effect);
	case SAME_MEDIA:
		return cause->direction && share_leg(cause, effect);
	case SAME_RECEIVER:
		return cause->direction && share_leg(cause, effect) && share_victim(cause, effect);
	case SAME_SIGNALLING:
		return !cause->direction && share_leg(cause, effect);
	case SAME_PHONE:
		return !cause->direction && share_victim_socket(cause, effect);
	case SAME_STREAM:
		return cause->stream && cause->stream == effect->stream;
	case SAME_SOCKET:
		return share_leg(cause, effect) && (shares_stream(cause, effect) || victim_is_host(cause, effect));
	case SAME_VICTIM:
		return share_leg(cause, effect) && (same_direction || share_victim(cause, effect));
	case SAME_PEERS:
		return share_peers(cause, effect);
	case SAME_HOST:
		return share_host(cause, effect);
	}
	return false;
}

static bool overlap(const struct finding *a, const struct finding *b)
{
	if (a->first_ns == NS_NONE || b->first_ns == NS_NONE)
		return true;
	return a->first_ns <= ns_add(b->last_ns, 5 * SECOND_NS) && b->first_ns <= ns_add(a->last_ns, 5 * SECOND_NS);
}

static bool lists(const struct row *row, const char *id)
{
	for (unsigned i = 0; i < 12 && row->explains[i]; i++) {
		if (strcmp(row->explains[i], id) == 0)
			return true;
	}
	return false;
}

static bool explains(const struct row *row, const struct finding *cause, const struct finding *effect)
{
	if (cause == effect || cause->state == FINDING_WITHDRAWN || strcmp(cause->id, row->cause) != 0 ||
	    (row->reason && strcmp(row->reason, cause->reason) != 0) || !lists(row, effect->id))
		return false;
	if (cause->severity == SEVERITY_INFO && effect->severity > SEVERITY_INFO) /* a fact is no cause of harm */
		return false;
	if (cause->confidence == CONFIDENCE_POSSIBLE && effect->confidence == CONFIDENCE_CERTAIN)
		return false;
	/* what only might be does not stand above greater harm that is likely */
	if (!row->rests && cause->confidence == CONFIDENCE_POSSIBLE && effect->confidence > CONFIDENCE_POSSIBLE &&
	    effect->severity > cause->severity)
		return false;
	return in_range(row->range, cause, effect) && overlap(cause, effect);
}

/*
 * Findings of one leg, or with one id of one host: a capture of many calls is not compared pair by pair, nor what is
 * behind one PBX with all the rest of it.
 */
struct by_subject {
	struct hash_link link;
	struct finding *finding;
};

static uint32_t leg_key(const struct leg *leg)
{
	return (uint32_t)hash_mix((uintptr_t)leg, 0);
}

static uint32_t host_key(const struct finding *f, unsigned i, const char *cause)
{
	return (uint32_t)hash_mix(hash_bytes(&f->hosts[i].at.addr, sizeof f->hosts[i].at.addr),
		hash_bytes(cause, strlen(cause)));
}

/* Does the other one stand behind it already? Nobody explains in a circle. */
static bool leads_to(const struct finding *f, const struct finding *other)
{
	for (unsigned depth = 0; f->explained_by && depth < CHAIN_MAX; depth++) {
		f = f->explained_by;
		if (f == other)
			return true;
	}
	return false;
}

/* What a detector has linked itself, on evidence that no table can hold. */
static void explain_linked(struct finding *effect)
{
	struct finding *cause = effect->caused_by;

	if (cause && cause->state != FINDING_WITHDRAWN && cause->severity > SEVERITY_INFO && !leads_to(cause, effect) &&
	    !(cause->confidence == CONFIDENCE_POSSIBLE && effect->confidence == CONFIDENCE_CERTAIN))
		effect->explained_by = cause;
}

/* A row above this one makes the effect the cause of its cause. */
static bool turned_round(const struct row *row, const struct finding *cause, const struct finding *effect)
{
	for (const struct row *above = rows; above < row; above++) {
		if (explains(above, effect, cause))
			return true;
	}
	return false;
}

/* The earliest that this row makes a cause, whatever the order of the table. */
static void explain_by(const struct row *row, struct finding *effect, const struct hash *index, uint32_t hash)
{
	for (struct hash_link *it = hash_first(index, hash); it; it = it->next) {
		struct finding *cause = HASH_ENTRY(it, struct by_subject, link)->finding;

		if (it->hash != hash || leads_to(cause, effect) || !explains(row, cause, effect) ||
		    turned_round(row, cause, effect))
			continue;
		if (!effect->explained_by || cause->order < effect->explained_by->order)
			effect->explained_by = cause;
	}
}

static bool by_host(const struct row *row)
{
	return row->range == SAME_HOST || row->range == SAME_PHONE || row->range == SAME_PEERS;
}

static void explain_one(struct finding *effect, const struct hash *index)
{
	explain_linked(effect);
	for (unsigned r = 0; r < ROWS && !effect->explained_by; r++) {
		if (!lists(&rows[r], effect->id))
			continue;
		for (unsigned i = 0; !by_host(&rows[r]) && i < effect->leg_count && !effect->explained_by; i++)
			explain_by(&rows[r], effect, index, leg_key(effect->legs[i].leg));
		for (unsigned i = 0; by_host(&rows[r]) && i < effect->host_count && !effect->explained_by; i++)
			explain_by(&rows[r], effect, index, host_key(effect, i, rows[r].cause));
	}
}

static struct finding *root_of(struct finding *f)
{
	for (unsigned depth = 0; f->explained_by && depth < CHAIN_MAX; depth++)
		f = f->explained_by;
	return f;
}

static void subject_add(struct hash *index, struct arena *arena, struct finding *f, uint32_t hash)
{
	struct by_subject *e = arena_zalloc(arena, sizeof *e);

	e->finding = f;
	hash_add(index, &e->link, hash);
}

static void subject_add_legs(struct hash *index, struct arena *arena, struct finding *f)
{
	for (unsigned i = 0; i < f->leg_count; i++)
		subject_add(index, arena, f, leg_key(f->legs[i].leg));
	if (!f->more_legs)
		return;
	LIST_EACH(it, &f->more_legs->in_order)
		subject_add(index, arena, f, leg_key(LIST_ENTRY(it, struct more_leg, in_order)->leg));
}

static bool causes_by_host(const char *id)
{
	for (unsigned r = 0; r < ROWS; r++) {
		if (by_host(&rows[r]) && strcmp(rows[r].cause, id) == 0)
			return true;
	}
	return false;
}

void suppression_settle(struct findings *f)
{
	struct arena *arena = arena_new();
	struct hash index;

	hash_init(&index);
	LIST_EACH(it, &f->all) {
		struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		x->explained_by = NULL;
		if (x->state != FINDING_WITHDRAWN)
			subject_add_legs(&index, arena, x);
		for (unsigned i = 0; i < x->host_count && x->state != FINDING_WITHDRAWN; i++) {
			if (acts(x, i) && causes_by_host(x->id))
				subject_add(&index, arena, x, host_key(x, i, x->id));
		}
	}
	LIST_EACH(it, &f->all) {
		struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		if (x->state != FINDING_WITHDRAWN)
			explain_one(x, &index);
	}
	LIST_EACH(it, &f->all) {
		struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		if (x->explained_by)
			x->explained_by = root_of(x);
	}
	hash_fini(&index);
	arena_free(arena);
}
