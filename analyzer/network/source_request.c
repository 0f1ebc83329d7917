/* SPDX-License-Identifier: MIT */
/* source_request: what is asked: each request counted once, and kept until it is answered. */
#include "analyzer/network/source_private.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { NAMELESS = SIP_FLAW_NO_CALL_ID | SIP_FLAW_NO_CSEQ };
enum { AHEAD = 8 };                  /* what will be overwritten after so many is asked for */
enum { LOOP_VIAS = 8 };              /* of a request that are looked at for who is asked */

/* ---- requests ---- */

uint64_t source_attempt_key(const struct sip_message *m, const struct address *from, const struct address *to)
{
	uint64_t key = hash_mix(m->method, source_address_key(from));

	key = hash_mix(key, source_address_key(to));
	if (m->keys.cookie)
		return hash_mix(key, m->keys.branch);
	return hash_mix(hash_mix(hash_mix(key, m->keys.call_id), m->keys.from_tag), m->cseq);
}

struct attempt *source_attempt_find(const struct sources *s, uint64_t key)
{
	for (struct hash_link *it = hash_first(&s->attempts_by_key, (uint32_t)key); it; it = it->next) {
		struct attempt *a = HASH_ENTRY(it, struct attempt, by_key);

		if (a->key == key)
			return a;
	}
	return NULL;
}

static struct attempt *attempt_new(struct sources *s, uint64_t key)
{
	struct attempt *a;

	if (!s->attempts)
		s->attempts = memory_zalloc(s->attempts_max * sizeof *s->attempts);
	__builtin_prefetch(&s->attempts[(s->next_attempt + 2 * AHEAD) % s->attempts_max].by_key);
	hash_ask_remove(&s->attempts[(s->next_attempt + AHEAD) % s->attempts_max].by_key);
	a = &s->attempts[s->next_attempt++ % s->attempts_max];
	if (a->used)
		hash_remove(&s->attempts_by_key, &a->by_key);
	*a = (struct attempt){ .used = true, .key = key };
	hash_add(&s->attempts_by_key, &a->by_key, (uint32_t)key);
	return a;
}

unsigned source_digits(struct span user)
{
	unsigned n = 0;

	for (size_t i = 0; i < user.n; i++)
		n += user.p[i] >= '0' && user.p[i] <= '9';
	return n;
}

/* Whom an initial request is for: the account of a REGISTER, the number of a call. */
static struct span asked_user(const struct sip_message *m)
{
	if (m->method != SIP_REGISTER && m->request_uri.user.n)
		return m->request_uri.user;
	return m->to.user;
}

/* It asks itself, or one that was asked by it. */
static bool may_have_handed_on(const struct sources *s, const struct packet *p)
{
	const struct source *asked = source_find(s, &p->dst.addr);

	return address_equal(&p->src.addr, &p->dst.addr) || (asked && source_target_find(asked, &p->src.addr));
}

/*
 * Who is asked has handed it on before, as its own Via says: it goes round, and nobody asks anew. A Via alone anybody
 * can write.
 */
static bool goes_round(const struct sources *s, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct sip_via v;

	if (m->via_count < 3)
		return false;        /* the first round is no circle yet */
	for (unsigned i = 0; i < LOOP_VIAS && i < m->via_count && sip_via_at(m, i, &v); i++) {
		if (address_equal(&v.at, &p->dst.addr))
			return may_have_handed_on(s, p);
	}
	return false;
}

static void take_initial(struct sources *s, struct source *x, struct attempt *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct sip_digest g;
	struct source_user *u;

	a->initial = true;
	source_target_take(s, x, p);
	source_marks(s, x, p, frame_ref_of(p));
	a->credentials = source_login_of(m, &g);
	u = source_user_take(s, x, p, a->credentials ? g.username : asked_user(m));
	if (a->credentials) {
		source_login_try(x, u, a, &g, p);
	} else if (m->method == SIP_INVITE && source_digits(asked_user(m)) >= 7) {
		x->probes++;
	}
	if (u) {
		a->user = u->key;
		u->requests++;
		source_user_seen(x, u, p->at_ns);
	}
	if (m->method == SIP_INVITE && !a->round)
		source_pace_grow(&x->invites, &x->invite_ns, p->at_ns);
	text_escape(m->contact.host, a->contact, sizeof a->contact);
}

static void note_agent(struct source *x, struct span agent)
{
	char text[SOURCE_TEXT] = "";

	if (x->agents_differ && x->agent[0])
		return;
	text_escape(agent, text, sizeof text);
	x->agents_differ |= x->requests > 1 && strcmp(text, x->agent) != 0;
	if (!x->agent[0])
		memcpy(x->agent, text, sizeof x->agent);
}

void source_request(struct sources *s, const struct packet *p, uint64_t key)
{
	const struct sip_message *m = p->sip;
	struct source *x = source_get(s, &p->src.addr, p->at_ns);
	struct source_bucket *bucket;
	struct attempt *a;

	if (m->method == SIP_ACK || m->method == SIP_CANCEL)
		return;
	if (m->flaws & NAMELESS)
		key = hash_mix(key, p->frame);       /* without its names nothing tells a copy from the next one */
	if (source_attempt_find(s, key)) {
		x->copies++;
		return;
	}
	a = attempt_new(s, key);
	a->method = (uint8_t)m->method;
	a->at_ns = p->at_ns;
	a->src = p->src.addr;
	a->port = p->src.port;
	a->dst = p->dst;
	if (x->requests++ == 0)
		x->first_at = frame_ref_of(p);
	x->last_at = frame_ref_of(p);
	x->last_ns = p->at_ns;
	x->by_method[m->method]++;
	x->cut += (m->flaws & SIP_FLAW_HEADERS_CUT) != 0;
	source_clock(s, x, p->at_ns / SECOND_NS);
	a->round = goes_round(s, p);
	x->any.now += !a->round;
	x->calls.now += m->method == SIP_INVITE && !m->to.tag.n && !a->round;
	x->flawed.now += (m->flaws & (NAMELESS | SIP_FLAW_NO_FROM | SIP_FLAW_NO_TO | SIP_FLAW_NO_VIA)) != 0;
	note_agent(x, m->user_agent);
	bucket = source_bucket_at(x, p->at_ns);
	if (bucket)
		source_bucket_count(&bucket->asked);
	if (!m->to.tag.n)
		take_initial(s, x, a, p);
}
