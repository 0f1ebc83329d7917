/* SPDX-License-Identifier: MIT */
/* source: counts requests and their answers by the address that they come from. */
#include "analyzer/network/source.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/network/source_private.h"
#include "captures/base/digest.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"
#include "dissect/sip_digest.h"

enum {
	DEFAULT_MAX = 4096,
	/* for each source that there is room for: */
	ATTEMPTS = 8,                /* requests that wait for answers; the oldest go */
	USERS = 16, TARGETS = 16,    /* of all sources together: then each keeps a few */
	FEW = 8,
	AORS_MAX = 1024,
	AGAIN_S = 10,                /* asked again so much later is another round */
	BURST_S = 5,
	MINUTE_S = 60
};

enum { NAMELESS = SIP_FLAW_NO_CALL_ID | SIP_FLAW_NO_CSEQ };

struct attempt {                     /* a request */
	struct hash_link by_key;
	bool used, credentials, fresh, issued, answered, final, initial;
	uint8_t method;
	uint64_t key, user;
	int64_t at_ns;
	struct address src;
	struct endpoint dst;
	uint16_t port;
	char contact[SOURCE_TEXT];
};

static struct source_aor *aor_get(struct sources *s, const struct source_user *u)
{
	uint32_t hash = (uint32_t)u->key;
	struct source_aor *x;

	for (struct hash_link *it = hash_first(&s->aors_by_key, hash); it; it = it->next) {
		x = HASH_ENTRY(it, struct source_aor, by_key);
		if (it->hash == hash && address_equal(&x->server, &u->server.addr) && strcmp(x->user, u->user) == 0)
			return x;
	}
	if (s->aors.count >= AORS_MAX) {
		x = LIST_ENTRY(s->aors.head.next, struct source_aor, in_order);
		list_remove(&s->aors, &x->in_order);
		hash_remove(&s->aors_by_key, &x->by_key);
		free(x);
	}
	x = memory_zalloc(sizeof *x);
	memcpy(x->user, u->user, sizeof x->user);
	x->server = u->server.addr;
	list_add_tail(&s->aors, &x->in_order);
	hash_add(&s->aors_by_key, &x->by_key, hash);
	return x;
}

/* ---- the table ---- */

struct sources *sources_new(const struct sources_config *config, const struct site *site)
{
	static const struct sources_config defaults = { 10, 10, 5, 5, 50, 10, DEFAULT_MAX };
	struct sources *s = memory_zalloc(sizeof *s);

	s->config = config ? *config : defaults;
	if (!s->config.max)
		s->config.max = DEFAULT_MAX;
	s->attempts_max = s->config.max * ATTEMPTS;
	s->site = site;
	hash_init(&s->by_addr);
	hash_init(&s->attempts_by_key);
	hash_init(&s->aors_by_key);
	list_init(&s->in_order);
	list_init(&s->in_age);
	list_init(&s->aors);
	return s;
}

static void source_free(struct sources *s, struct source *x)
{
	list_remove(&s->in_order, &x->in_order);
	list_remove(&s->in_age, &x->in_age);
	hash_remove(&s->by_addr, &x->by_addr);
	s->users -= x->user_count;
	s->targets -= x->target_count;
	free(x->targets);
	free(x->users);
	free(x->buckets);
	free(x->target_ns);
	free(x->user_ns);
	free(x->challenge_ns);
	free(x->invite_ns);
	free(x);
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	LIST_EACH_SAFE(it, &s->in_order)
		source_free(s, LIST_ENTRY(it, struct source, in_order));
	LIST_EACH_SAFE(it, &s->aors)
		free(LIST_ENTRY(it, struct source_aor, in_order));
	hash_fini(&s->by_addr);
	hash_fini(&s->attempts_by_key);
	hash_fini(&s->aors_by_key);
	free(s->attempts);
	free(s);
}

static uint32_t address_key(const struct address *a)
{
	return endpoint_hash(&(struct endpoint){ *a, 0 });
}

static struct source *find(const struct sources *s, const struct address *a)
{
	uint32_t hash = address_key(a);

	for (struct hash_link *it = hash_first(&s->by_addr, hash); it; it = it->next) {
		struct source *x = HASH_ENTRY(it, struct source, by_addr);

		if (it->hash == hash && address_equal(&x->addr, a))
			return x;
	}
	return NULL;
}

const struct source *sources_find(const struct sources *s, const struct address *a)
{
	return find(s, a);
}

/* What has been refused, or was let in, stays when others go. */
static bool keeps(const struct source *x)
{
	return x->rejected || x->accepted || x->served;
}

static void make_room(struct sources *s)
{
	struct source *oldest = LIST_ENTRY(s->in_age.head.next, struct source, in_age);
	unsigned looked = 0;

	if (s->in_order.count < s->config.max)
		return;
	LIST_EACH(it, &s->in_age) {
		struct source *x = LIST_ENTRY(it, struct source, in_age);

		if (looked++ >= 32)
			break;
		if (!keeps(x)) {
			oldest = x;
			break;
		}
	}
	source_free(s, oldest);
	s->evicted++;
}

static struct source *get(struct sources *s, const struct address *a, int64_t at_ns)
{
	struct source *x = find(s, a);

	if (x) {
		list_remove(&s->in_age, &x->in_age);
		list_add_tail(&s->in_age, &x->in_age);
		return x;
	}
	make_room(s);
	x = memory_zalloc(sizeof *x);
	x->addr = *a;
	x->first_ns = at_ns;
	x->accepted_ns = x->rejected_from_ns = NS_NONE;
	list_add_tail(&s->in_order, &x->in_order);
	list_add_tail(&s->in_age, &x->in_age);
	hash_add(&s->by_addr, &x->by_addr, address_key(a));
	return x;
}

/* ---- counting ---- */

/* ring: the latest times of what count counts, room of them. */
static void pace_add(struct pace *p, int64_t *ring, unsigned room, int64_t at_ns)
{
	unsigned minute = 0, hour = 0, have;
	int64_t from_ns = at_ns;

	ring[p->count++ % room] = at_ns;
	have = p->count < room ? p->count : room;
	for (unsigned i = 1; i <= have; i++) {
		int64_t then_ns = ring[(p->count - i) % room], age_ns = ns_minus(at_ns, then_ns);

		if (age_ns > HOUR_NS)
			break;
		hour++;
		if (age_ns <= MINUTE_NS) {
			minute++;
			from_ns = then_ns;
		}
	}
	if (minute >= p->minute) {
		p->minute = minute;
		p->from_ns = from_ns;
		p->to_ns = at_ns;
	}
	p->hour = hour > p->hour ? hour : p->hour;
}

/* The same with a ring of SOURCE_EXACT that grows to that: most sources ask for little. */
static void pace_take(struct pace *p, int64_t **ring, int64_t at_ns)
{
	if (p->count < SOURCE_EXACT && (p->count & (p->count - 1)) == 0)
		*ring = memory_resize(*ring, p->count ? 2u * p->count : 1, sizeof **ring);
	pace_add(p, *ring, SOURCE_EXACT, at_ns);
}

static void rate_second(struct rate *r, unsigned limit, int64_t second, bool next_to)
{
	if (r->now >= limit && limit) {
		if (r->row == 0 && r->row_most == 0)
			r->from_ns = second * SECOND_NS;
		r->row++;
		r->to_ns = (second + 1) * SECOND_NS;
	} else {
		r->row = 0;
	}
	r->row_most = r->row > r->row_most ? r->row : r->row_most;
	r->peak = r->now > r->peak ? r->now : r->peak;
	r->now = 0;
	if (!next_to)
		r->row = 0;
}

/* Closes the second that is counted when another begins. */
void source_clock(const struct sources *s, struct source *x, int64_t second)
{
	bool next_to = second == x->second + 1;

	if (second == x->second)
		return;
	rate_second(&x->any, s->config.flood_rps, x->second, next_to);
	rate_second(&x->calls, s->config.flood_invite_ps, x->second, next_to);
	rate_second(&x->flawed, 20, x->second, next_to);
	x->second = second;
}

static struct source_bucket *bucket_at(struct source *x, int64_t at_ns)
{
	int64_t i;

	if (!x->buckets) {
		x->buckets = memory_zalloc(SOURCE_BUCKETS * sizeof *x->buckets);
		x->bucket_ns = at_ns - at_ns % (10 * SECOND_NS);
	}
	i = ns_minus(at_ns, x->bucket_ns) / (10 * SECOND_NS);
	if (i >= SOURCE_BUCKETS) {
		unsigned drop = i - SOURCE_BUCKETS + 1 < SOURCE_BUCKETS ? (unsigned)(i - SOURCE_BUCKETS + 1)
			: SOURCE_BUCKETS;

		memmove(x->buckets, x->buckets + drop, (SOURCE_BUCKETS - drop) * sizeof *x->buckets);
		memset(x->buckets + SOURCE_BUCKETS - drop, 0, drop * sizeof *x->buckets);
		x->bucket_ns += (i - SOURCE_BUCKETS + 1) * 10 * SECOND_NS;
		i = SOURCE_BUCKETS - 1;
	}
	return i >= 0 ? &x->buckets[i] : NULL;
}

static void bucket_count(uint16_t *n)
{
	*n += *n < UINT16_MAX;
}

struct source_share sources_others(const struct sources *s, const struct source *but, int64_t from_ns, int64_t to_ns)
{
	struct source_share out = { 0 };

	LIST_EACH(it, &s->in_order) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		for (unsigned i = 0; x != but && x->buckets && i < SOURCE_BUCKETS; i++) {
			int64_t begin_ns = ns_add(x->bucket_ns, i * 10 * SECOND_NS);

			if (begin_ns >= to_ns || ns_add(begin_ns, 10 * SECOND_NS) <= from_ns || x->flooding)
				continue;
			out.asked += x->buckets[i].asked;
			out.answered += x->buckets[i].answered;
			out.busy += x->buckets[i].busy;
		}
	}
	return out;
}

/*
 * Different names, estimated by how many of the bits stay free (linear counting, Whang 1990); never more than there
 * were requests.
 */
static unsigned estimate(const uint64_t bits[SOURCE_BITS], unsigned most)
{
	unsigned zero = 0, all = SOURCE_BITS * 64;
	double estimate = 0;

	for (unsigned i = 0; i < SOURCE_BITS; i++)
		zero += 64u - (unsigned)__builtin_popcountll(bits[i]);
	if (zero == 0)
		zero = 1;
	for (unsigned i = zero; i < all; i++) /* all * ln(all / zero), without libm */
		estimate += (double)all / (i + 0.5);
	return estimate < most ? (unsigned)(estimate + 0.5) : most;
}

/*
 * The bit of a name. The same in every run, so that the report is, too; not to be foreseen by who is counted: the time
 * at which the capture first saw it goes in.
 */
static unsigned bit_of(const struct source *x, struct span name)
{
	struct digest d;
	uint8_t out[DIGEST_BYTES];

	digest_begin(&d);
	digest_number(&d, (uint64_t)x->first_ns);
	digest_add(&d, name);
	digest_get(&d, out);
	return ((unsigned)out[0] << 16 | (unsigned)out[1] << 8 | out[2]) % (SOURCE_BITS * 64);
}

/* Sets it; was it set? */
static bool bit_add(uint64_t bits[SOURCE_BITS], unsigned at)
{
	bool known = bits[at / 64] >> at % 64 & 1;

	bits[at / 64] |= UINT64_C(1) << at % 64;
	return known;
}

/* ---- whom it asks ---- */

static struct frame_ref frame_of(const struct packet *p)
{
	return (struct frame_ref){ p->at_ns, p->frame, p->file, p->interface };
}

static struct source_target *target_find(const struct source *x, const struct address *a)
{
	for (unsigned i = 0; i < x->target_count; i++) {
		if (address_equal(&x->targets[i].at.addr, a))
			return &x->targets[i];
	}
	return NULL;
}

static void target_port(struct source_target *t, uint16_t port, int64_t at_ns)
{
	for (unsigned i = 0; i < t->port_count && i < SOURCE_PORTS; i++) {
		if (t->ports[i] == port) {
			t->port_ns[i] = at_ns;
			return;
		}
	}
	t->ports[t->port_count % SOURCE_PORTS] = port;
	t->port_ns[t->port_count++ % SOURCE_PORTS] = at_ns;
	if (t->port_count >= SOURCE_PORTS)
		t->swept |= at_ns - t->port_ns[t->port_count % SOURCE_PORTS] <= MINUTE_NS;
}

static void take_target(struct sources *s, struct source *x, const struct packet *p)
{
	struct source_target *t = target_find(x, &p->dst.addr);

	if (!t) {
		unsigned most = s->targets < s->config.max * TARGETS ? SOURCE_EXACT : FEW;
		struct span bytes = { p->dst.addr.bytes, p->dst.addr.family == 6 ? 16 : 4 };
		bool known = bit_add(x->target_bits, bit_of(x, bytes));

		if (!known || x->target_count < most)
			pace_take(&x->new_targets, &x->target_ns, p->at_ns);
		if (x->target_count >= most)
			return;
		s->targets++;
		if ((x->target_count & (x->target_count - 1)) == 0)
			x->targets = memory_resize(x->targets, x->target_count ? 2u * x->target_count : 1,
				sizeof *x->targets);
		t = &x->targets[x->target_count++];
		*t = (struct source_target){ .at = p->dst, .first_ns = p->at_ns, .last_ns = p->at_ns, .rounds = 1 };
	}
	t->requests++;
	t->rounds += p->at_ns - t->last_ns >= AGAIN_S * SECOND_NS;
	t->last_ns = p->at_ns;
	target_port(t, p->dst.port, p->at_ns);
}

/* ---- as whom ---- */

static struct source_user *user_find(const struct source *x, uint64_t key)
{
	for (unsigned i = 0; i < x->user_count; i++) {
		if (x->users[i].key == key)
			return &x->users[i];
	}
	return NULL;
}

/* Not the one that was let in. */
static struct source_user *user_oldest(struct source *x)
{
	struct source_user *oldest = NULL;

	for (unsigned i = 0; i < x->user_count; i++) {
		struct source_user *u = &x->users[i];

		if (!u->accepted && (!oldest || u->last_ns < oldest->last_ns))
			oldest = u;
	}
	return oldest;
}

static bool digits_only(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* The next one in a list that somebody counts through: longer, or the same length and greater; words by letter. */
static bool follows(const char *before, const char *now)
{
	size_t a = strlen(before), b = strlen(now);

	if (digits_only(before) && digits_only(now))
		return b > a || (b == a && strcmp(now, before) > 0);
	return strcmp(now, before) > 0;
}

static void user_in_order(struct source *x, const char *user)
{
	x->in_order_run = x->last_user[0] && follows(x->last_user, user) ? x->in_order_run + 1 : 1;
	x->in_order_most = x->in_order_run > x->in_order_most ? x->in_order_run : x->in_order_most;
	memcpy(x->last_user, user, sizeof x->last_user);
}

static struct source_user *user_new(struct sources *s, struct source *x, uint64_t key, struct span name)
{
	struct source_user *u;
	unsigned most = s->users < s->config.max * USERS ? SOURCE_EXACT : FEW;
	bool known = bit_add(x->user_bits, bit_of(x, name)) && x->user_count >= most;

	if (x->user_count < most) {
		if ((x->user_count & (x->user_count - 1)) == 0)
			x->users = memory_resize(x->users, x->user_count ? 2u * x->user_count : 1, sizeof *x->users);
		u = &x->users[x->user_count++];
		s->users++;
	} else {
		u = user_oldest(x);
	}
	if (!u)
		return NULL;
	*u = (struct source_user){ .key = key, .same_port = true, .same_agent = true, .one_dialog = true, .fresh = true,
		.gaps_grow = true };
	u->accepted_ns = u->accepted_first_ns = u->rejected_first_ns = u->rejected_last_ns = NS_NONE;
	u->once_counted = known;
	return u;
}

static struct source_user *take_user(struct sources *s, struct source *x, const struct packet *p, struct span name)
{
	uint64_t key = hash_mix(hash_bytes(name.p, name.n), address_key(&p->dst.addr));
	struct source_user *u = user_find(x, key);

	if (u || !name.n)
		return u;
	u = user_new(s, x, key, name);
	if (!u)
		return NULL;
	text_escape(name, u->user, sizeof u->user);
	u->server = p->dst;
	u->port = p->src.port;
	u->first_ns = p->at_ns;
	if (!u->once_counted)
		pace_take(&x->new_users, &x->user_ns, p->at_ns);
	user_in_order(x, u->user);
	return u;
}

/* ---- credentials ---- */

static bool nonce_issued(const struct source *x, uint64_t nonce)
{
	for (unsigned i = 0; i < SOURCE_NONCES; i++) {
		if (x->nonces[i] == nonce)
			return true;
	}
	return x->last_used == nonce;
}

static uint64_t span_key(uint64_t seed, struct span v)
{
	return hash_mix(seed, hash_bytes(v.p, v.n));
}

/* Answers to one challenge that differ although all that goes into them is equal: the passwords did. RFC 7616 3.4.1. */
static void compare_responses(struct source *x, const struct sip_message *m, const struct sip_digest *g,
	const struct packet *p)
{
	uint64_t tuple = hash_mix(m->method, 7), response = span_key(1, g->response);
	struct span parts[] = { g->username, g->realm, g->nonce, g->uri, g->nc, g->cnonce, g->qop, g->algorithm };
	unsigned at = SOURCE_TUPLES;

	if (!g->response.n || span_equal_nocase(g->qop, SPAN("auth-int")))
		return;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		tuple = span_key(tuple, parts[i]);
	for (unsigned i = 0; i < SOURCE_TUPLES; i++) {
		if (x->tuples[i].count && x->tuples[i].tuple == tuple)
			at = i;
	}
	if (at == SOURCE_TUPLES) {
		at = x->next_tuple++ % SOURCE_TUPLES;
		x->tuples[at].count = 0;
		x->tuples[at].tuple = tuple;
	}
	for (unsigned i = 0; i < x->tuples[at].count; i++) {
		if (x->tuples[at].responses[i] == response)
			return;
	}
	if (x->tuples[at].count >= 3)
		return;
	x->tuples[at].responses[x->tuples[at].count++] = response;
	if (x->tuples[at].count > x->same_challenge) {
		x->same_challenge = x->tuples[at].count;
		x->same_challenge_at = frame_of(p);
	}
}

static void user_habits(struct source_user *u, const struct packet *p, bool fresh)
{
	const struct sip_message *m = p->sip;
	uint64_t agent = span_key(2, m->user_agent), call_id = span_key(3, m->call_id);

	if (u->tried++) {
		u->same_port &= u->port == p->src.port;
		u->same_agent &= u->agent == agent;
		u->one_dialog &= u->call_id == call_id && m->cseq > u->cseq;
	}
	u->fresh &= fresh;
	u->port = p->src.port;
	u->agent = agent;
	u->contact = span_key(4, m->contact.host);
	u->call_id = call_id;
	u->cseq = m->cseq;
}

static bool credentials_of(const struct sip_message *m, struct sip_digest *ret)
{
	const struct sip_header *h = sip_header_find(m, SIP_H_AUTHORIZATION);

	if (!h)
		h = sip_header_find(m, SIP_H_PROXY_AUTHORIZATION);
	return h && sip_digest_parse(h->value, ret);
}

/* ---- requests ---- */

static uint64_t attempt_key(const struct sip_message *m, const struct address *from, const struct address *to)
{
	uint64_t key = hash_mix(m->method, address_key(from));

	key = hash_mix(key, address_key(to));
	if (span_starts_nocase(m->via.branch, SPAN("z9hG4bK")))
		return span_key(key, m->via.branch);
	return hash_mix(span_key(span_key(key, m->call_id), m->from.tag), m->cseq);
}

static struct attempt *attempt_find(const struct sources *s, uint64_t key)
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
	a = &s->attempts[s->next_attempt++ % s->attempts_max];
	if (a->used)
		hash_remove(&s->attempts_by_key, &a->by_key);
	*a = (struct attempt){ .used = true, .key = key };
	hash_add(&s->attempts_by_key, &a->by_key, (uint32_t)key);
	return a;
}

static unsigned digits_of(struct span user)
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

static void take_initial(struct sources *s, struct source *x, struct attempt *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct sip_digest g;
	struct source_user *u;

	a->initial = true;
	take_target(s, x, p);
	source_marks(s, x, p, frame_of(p));
	a->credentials = credentials_of(m, &g);
	u = take_user(s, x, p, a->credentials ? g.username : asked_user(m));
	if (a->credentials) {
		uint64_t nonce = span_key(5, g.nonce);

		a->issued = nonce_issued(x, nonce);
		a->fresh = (x->next_nonce && x->nonces[(x->next_nonce - 1) % SOURCE_NONCES] == nonce) ||
			(u && u->nonce == nonce);
		x->last_used = a->issued ? nonce : x->last_used;
		x->used++;
		compare_responses(x, m, &g, p);
		if (u)
			user_habits(u, p, a->fresh);
	} else if (m->method == SIP_INVITE && digits_of(asked_user(m)) >= 7) {
		x->probes++;
	}
	if (u) {
		a->user = u->key;
		u->requests++;
		u->last_ns = p->at_ns;
	}
	if (m->method == SIP_INVITE)
		pace_take(&x->invites, &x->invite_ns, p->at_ns);
	text_escape(m->contact.host, a->contact, sizeof a->contact);
}

static void take_request(struct sources *s, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct source *x = get(s, &p->src.addr, p->at_ns);
	uint64_t key = attempt_key(m, &p->src.addr, &p->dst.addr);
	struct source_bucket *bucket;
	struct attempt *a;

	if (m->method == SIP_ACK || m->method == SIP_CANCEL)
		return;
	if (m->flaws & NAMELESS)
		key = hash_mix(key, p->frame);       /* without its names nothing tells a copy from the next one */
	if (attempt_find(s, key)) {
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
		x->first_at = frame_of(p);
	x->last_at = frame_of(p);
	x->last_ns = p->at_ns;
	x->by_method[m->method]++;
	x->cut += (m->flaws & SIP_FLAW_HEADERS_CUT) != 0;
	source_clock(s, x, p->at_ns / SECOND_NS);
	x->any.now++;
	x->calls.now += m->method == SIP_INVITE && !m->to.tag.n;
	x->flawed.now += (m->flaws & (NAMELESS | SIP_FLAW_NO_FROM | SIP_FLAW_NO_TO | SIP_FLAW_NO_VIA)) != 0;
	x->relays |= m->via_count > 1;
	if (!x->agent[0] && m->user_agent.n)
		text_escape(m->user_agent, x->agent, sizeof x->agent);
	bucket = bucket_at(x, p->at_ns);
	if (bucket)
		bucket_count(&bucket->asked);
	if (!m->to.tag.n)
		take_initial(s, x, a, p);
}

/* ---- answers ---- */

static void keep_nonces(struct source *x, struct source_user *u, const struct sip_message *m)
{
	static const enum sip_header_name names[] = { SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE };

	for (unsigned i = 0; i < 2; i++) {
		for (const struct sip_header *h = sip_header_find(m, names[i]); h; h = sip_header_next(m, h)) {
			struct sip_digest g;

			if (!sip_digest_parse(h->value, &g) || !g.nonce.n)
				continue;
			x->nonces[x->next_nonce++ % SOURCE_NONCES] = span_key(5, g.nonce);
			if (u)
				u->nonce = span_key(5, g.nonce);
		}
	}
}

static bool says_stale(const struct sip_message *m)
{
	const struct sip_header *h = sip_header_find(m, SIP_H_WWW_AUTHENTICATE);
	struct sip_digest g;

	if (!h)
		h = sip_header_find(m, SIP_H_PROXY_AUTHENTICATE);
	return h && sip_digest_parse(h->value, &g) && g.stale;
}

/* A phone's retries come in bursts of up to three; guessing goes on and on. */
static void user_burst(struct source_user *u, int64_t at_ns)
{
	double gap;

	if (u->rejected > 1 && at_ns - u->rejected_last_ns < BURST_S * SECOND_NS) {
		u->burst_size++;
	} else {
		gap = u->bursts ? (double)(at_ns - u->burst_ns) / 1e9 : 0;
		if (u->bursts) {
			u->gap_sum += gap;
			u->gap_square += gap * gap;
			u->gaps_grow &= gap >= u->gap_last * 0.9;
			u->gap_last = gap;
		}
		u->bursts++;
		u->burst_size = 1;
		u->burst_ns = at_ns;
	}
	u->burst_most = u->burst_size > u->burst_most ? u->burst_size : u->burst_most;
}

static void aor_rejected(struct sources *s, const struct source_user *u, const struct packet *p)
{
	struct source_aor *x = aor_get(s, u);
	unsigned at = x->count++ % SOURCE_EXACT;

	x->rejected[at].at_ns = p->at_ns;
	x->rejected[at].from = p->dst.addr;
	x->rejected[at].at = frame_of(p);
	source_aor_judge(x);
}

static void take_rejection(struct sources *s, struct source *x, struct source_user *u, const struct packet *p)
{
	int64_t minute = p->at_ns / MINUTE_NS;

	x->rejected++;
	if (x->rejected_from_ns == NS_NONE)
		x->rejected_from_ns = p->at_ns;
	x->rejected_to_ns = p->at_ns;
	x->rejected_in_minute = minute == x->rejected_minute ? x->rejected_in_minute + 1 : 1;
	x->rejected_minute = minute;
	x->rejected_minutes += x->rejected_in_minute == s->config.fail_per_min + 1;
	if (!u)
		return;
	u->rejected++;
	u->since++;
	if (u->rejected_first_ns == NS_NONE)
		u->rejected_first_ns = p->at_ns;
	user_burst(u, p->at_ns);
	u->rejected_last_ns = p->at_ns;
	u->rejected_last_at = frame_of(p);
	if (u->rejected_frames < SOURCE_FRAMES)
		u->rejected_at[u->rejected_frames++] = frame_of(p);
	pace_add(&u->rejections, u->rejection_ns, SOURCE_REJECTIONS, p->at_ns);
	aor_rejected(s, u, p);
}

/* A few wrong tries, then the right one: somebody mistyped. */
static void user_forgive(struct source *x, struct source_user *u)
{
	x->rejected -= u->since < x->rejected ? u->since : x->rejected;
	u->since = u->rejections.count = u->rejections.minute = u->rejections.hour = 0;
	u->bursts = u->burst_size = u->burst_most = 0;
	u->gap_sum = u->gap_square = u->gap_last = 0;
	u->gaps_grow = true;
}

static unsigned users_rejected(const struct source *x, int64_t at_ns)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->user_count; i++)
		n += x->users[i].since && !x->users[i].accepted && at_ns - x->users[i].rejected_last_ns <= HOUR_NS;
	return n;
}

static void take_acceptance(struct sources *s, struct source *x, struct source_user *u, const struct attempt *a,
	const struct packet *p)
{
	bool guessed;

	x->accepted_credentials++;
	if (!u)
		return;
	guessed = u->since && p->at_ns - u->rejected_last_ns <= HOUR_NS &&
		(u->rejections.minute > s->config.fail_per_min || x->same_challenge >= 3);
	guessed |= x->accepted_ns == NS_NONE && users_rejected(x, p->at_ns) >= s->config.bf_users;
	if (x->accepted_ns == NS_NONE && !guessed)
		x->accepted_ns = p->at_ns;
	if (u->accepted++ == 0)
		u->accepted_first_ns = p->at_ns;
	if (u->taken)
		return;
	u->accepted_ns = p->at_ns;
	u->accepted_at = frame_of(p);
	u->expires_s = p->sip->has_expires ? p->sip->expires_s : 0;
	memcpy(u->contact_text, a->contact, sizeof u->contact_text);
	u->rejected_before = u->since;
	if (guessed)
		u->taken = true;
	else
		user_forgive(x, u);
}

static void take_denial(struct source *x, struct source_user *u, unsigned status)
{
	bool challenge = status == 401 || status == 407, unknown = status == 404 || status == 604;

	x->user_known |= challenge;
	x->user_unknown |= unknown;
	if (u) {
		u->challenged |= challenge;
		u->denied |= unknown || status == 403;
	}
}

static void take_final(struct sources *s, struct source *x, struct attempt *a, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct source_user *u = a->initial ? user_find(x, a->user) : NULL;
	bool challenge = m->status == 401 || m->status == 407;

	a->final = true;
	if (m->status >= 300)
		x->refused++;
	if (m->status / 100 == 2) {
		x->accepted += a->method == SIP_REGISTER || a->method == SIP_INVITE;
		if (a->credentials)
			take_acceptance(s, x, u, a, p);
	} else if (a->credentials && ((challenge && a->issued && !says_stale(m)) || m->status == 403)) {
		take_rejection(s, x, u, p);
	} else if (!a->credentials && a->initial) {
		take_denial(x, u, m->status);
		if (challenge && a->method == SIP_REGISTER) {
			x->challenges++;
			pace_take(&x->challenge_pace, &x->challenge_ns, p->at_ns);
		}
	}
	if (challenge)
		keep_nonces(x, u, m);
}

/* Who answers for accounts is a server. */
static void take_service(struct source *y, const struct attempt *a, const struct packet *p)
{
	unsigned status = p->sip->status;
	bool known = false;

	y->takes_calls |= status / 100 == 2 && (a->method == SIP_INVITE || a->method == SIP_REGISTER);
	if (!y->banner[0] && p->sip->user_agent.n) {
		text_escape(p->sip->user_agent, y->banner, sizeof y->banner);
		y->banner_version = digits_of(p->sip->user_agent) > 0;
		y->banner_at = frame_of(p);
	}
	if (a->method != SIP_REGISTER || !(status / 100 == 2 || status == 401 || status == 407) || y->served >= 8)
		return;
	for (unsigned i = 0; i < y->served; i++)
		known |= y->served_keys[i] == a->user;
	if (!known)
		y->served_keys[y->served++] = a->user;
}

static void take_stray(struct sources *s, const struct packet *p)
{
	const struct source *asker = find(s, &p->dst.addr);
	struct source *y;
	int64_t second = p->at_ns / SECOND_NS;

	if (asker && target_find(asker, &p->src.addr))
		return;
	y = get(s, &p->src.addr, p->at_ns);
	if (y->stray_second != second)
		rate_second(&y->strays, s->config.flood_rps, y->stray_second, second == y->stray_second + 1);
	if (!y->stray_at.frame) {
		y->stray_at = frame_of(p);
		y->stray_to = p->dst;
	}
	y->stray_second = second;
	y->strays.now++;
}

static bool welcome(unsigned status)
{
	return (status > 100 && status < 300) || status == 486 || status == 487 || status == 600 || status == 603;
}

static void take_first(struct source *x, struct attempt *a, unsigned status)
{
	struct source_bucket *bucket = bucket_at(x, a->at_ns);

	if (a->answered)
		return;
	a->answered = true;
	x->answered++;
	if (!bucket)
		return;
	bucket_count(&bucket->answered);
	if (status == 503)
		bucket_count(&bucket->busy);
}

static void target_answer(struct source_target *t, const struct attempt *a, const struct packet *p)
{
	unsigned status = p->sip->status;

	if (!t)
		return;
	t->answered = true;
	t->accepted |= status / 100 == 2;
	if (!t->status) {
		t->status = (uint16_t)status;
		t->method = a->method;
		t->answered_at = frame_of(p);
		t->answered_from = p->src.port;
	}
	if (a->method != SIP_INVITE || status <= 100 || status >= 300)
		return;
	if (!t->rang)
		t->rang_at = frame_of(p);
	t->rang = true;
}

static void take_answer(struct sources *s, const struct packet *p)
{
	const struct sip_message *m = p->sip;
	struct attempt *a = attempt_find(s, attempt_key(m, &p->dst.addr, &p->src.addr));
	struct source *x;

	if (m->method == SIP_CANCEL || m->method == SIP_ACK)
		return;
	if (!a) {
		take_stray(s, p);
		return;
	}
	take_service(get(s, &p->src.addr, p->at_ns), a, p);
	x = find(s, &a->src);            /* not before: room may have been made */
	if (!x)
		return;
	take_first(x, a, m->status);
	if (m->status != 100)
		target_answer(target_find(x, &p->src.addr), a, p);
	x->welcomed += !a->final && a->method == SIP_INVITE && welcome(m->status);
	if (m->status >= 200 && !a->final)
		take_final(s, x, a, p);
}

void sources_packet(struct sources *s, const struct packet *p)
{
	if (!(p->has & HAS_PORTS) || address_multicast(&p->dst.addr) || p->sip->method == SIP_METHOD_NONE)
		return;
	if (p->sip->request)
		take_request(s, p);
	else
		take_answer(s, p);
}

const struct list *sources_in_order(const struct sources *s)
{
	return &s->in_order;
}

const struct list *sources_aors(const struct sources *s)
{
	return &s->aors;
}

uint64_t sources_evicted(const struct sources *s)
{
	return s->evicted;
}

void source_estimates(struct source *x)
{
	x->targets_estimate = x->new_targets.count <= x->target_count ? x->target_count : estimate(x->target_bits,
		x->requests);
	x->users_estimate = x->new_users.count <= x->user_count ? x->user_count : estimate(x->user_bits, x->requests);
}
