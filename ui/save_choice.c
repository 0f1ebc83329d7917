/* SPDX-License-Identifier: MIT */
/* save_choice: Call-IDs, pairs of addresses with their times, frames that are evidence. */
#include "ui/save_choice.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/marks.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

/* What comes shortly before and after belongs to it: the first keepalive, the ICMP that answers the last packet. */
#define AROUND_NS (2 * SECOND_NS)
enum { PIECE_FRAMES_MAX = 4096, PIECES_MAX = 1 << 18 };

struct entry {                       /* of each table: its link comes first */
	struct hash_link link;
	struct list_link all;
};

struct wanted_id {
	struct entry entry;
	struct span call_id;         /* the engine's */
};

struct wanted_pair {                 /* either way */
	struct entry entry;
	struct endpoint a, b;
	int64_t from_ns, to_ns;
};

struct wanted_piece { /* a frame in which a fragment or a segment may be that something was put together of */
	struct entry entry;
	struct endpoint src, dst;
	uint16_t file;
	uint32_t frame;
};

struct comment {
	struct entry entry;
	uint16_t file;
	uint32_t frame;
	bool wanted;                 /* the frame is saved for its sake */
	char *text;
};

struct table {
	struct hash by_key;
	struct list all;
};

struct choice {
	bool everything;
	struct table ids, pairs, pieces, comments;
};

static void table_init(struct table *t)
{
	hash_init(&t->by_key);
	list_init(&t->all);
}

static void table_add(struct table *t, struct entry *e, uint64_t key)
{
	hash_add(&t->by_key, &e->link, (uint32_t)key);
	list_add_tail(&t->all, &e->all);
}

static void table_fini(struct table *t, bool comments)
{
	LIST_EACH_SAFE(it, &t->all) {
		struct entry *e = LIST_ENTRY(it, struct entry, all);

		if (comments)
			free(((struct comment *)(void *)e)->text);
		hash_remove(&t->by_key, &e->link);
		list_remove(&t->all, &e->all);
		free(e);
	}
	hash_fini(&t->by_key);
}

/* ---- what is wanted ---- */

static const struct wanted_id *find_id(const struct choice *c, struct span call_id)
{
	uint32_t hash = hash_span(call_id);

	for (const struct hash_link *it = hash_first(&c->ids.by_key, hash); it; it = it->next) {
		const struct wanted_id *w = (const struct wanted_id *)(const void *)it;

		if (it->hash == hash && span_equal(w->call_id, call_id))
			return w;
	}
	return NULL;
}

static void want_id(struct choice *c, struct span call_id)
{
	struct wanted_id *w;

	if (call_id.n == 0 || find_id(c, call_id))
		return;
	w = memory_zalloc(sizeof *w);
	w->call_id = call_id;
	table_add(&c->ids, &w->entry, hash_span(call_id));
}

static uint64_t pair_key(const struct endpoint *a, const struct endpoint *b)
{
	return (uint64_t)endpoint_hash(a) + endpoint_hash(b);
}

static struct wanted_pair *find_pair(const struct choice *c, const struct endpoint *a, const struct endpoint *b)
{
	uint32_t hash = (uint32_t)pair_key(a, b);

	for (struct hash_link *it = hash_first(&c->pairs.by_key, hash); it; it = it->next) {
		struct wanted_pair *w = (struct wanted_pair *)(void *)it;

		if (it->hash == hash &&
			((endpoint_equal(&w->a, a) && endpoint_equal(&w->b, b)) ||
				(endpoint_equal(&w->a, b) && endpoint_equal(&w->b, a))))
			return w;
	}
	return NULL;
}

static void want_pair(
	struct choice *c, const struct endpoint *a, const struct endpoint *b, int64_t from_ns, int64_t to_ns)
{
	struct wanted_pair *w;

	if (!address_known(&a->addr) || !address_known(&b->addr) || !a->port || !b->port)
		return;
	w = find_pair(c, a, b);
	if (!w) {
		w = memory_zalloc(sizeof *w);
		*w = (struct wanted_pair){ .a = *a, .b = *b, .from_ns = from_ns, .to_ns = to_ns };
		table_add(&c->pairs, &w->entry, pair_key(a, b));
	}
	w->from_ns = from_ns < w->from_ns ? from_ns : w->from_ns;
	w->to_ns = to_ns > w->to_ns ? to_ns : w->to_ns;
}

/* RTP, and RTCP beside it. */
static void want_media(
	struct choice *c, const struct endpoint *a, const struct endpoint *b, int64_t from_ns, int64_t to_ns)
{
	struct endpoint a_next = *a, b_next = *b;

	a_next.port++;
	b_next.port++;
	want_pair(c, a, b, from_ns, to_ns);
	want_pair(c, &a_next, &b_next, from_ns, to_ns);
}

/* ---- from numbers to packets ---- */

static void add_comment(struct choice *c, uint16_t file, uint32_t frame, bool wanted, const char *text)
{
	struct comment *one = memory_zalloc(sizeof *one);

	*one = (struct comment){ .file = file, .frame = frame, .wanted = wanted, .text = memory_text(text) };
	table_add(&c->comments, &one->entry, hash_mix(file, frame));
}

static void add_evidence(struct choice *c, const struct view_finding *f, bool wanted)
{
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct view_evidence *e = &f->evidence[i];

		text_clear(&t);
		text_addf(&t, "%s %s: %s", f->severity, f->id, f->title);
		if (e->what && e->what[0])
			text_addf(&t, "; here: %s", e->what);
		if (e->frame)
			add_comment(c, e->file, e->frame, wanted, t.p);
		/* of a range, what lies between is others', too */
		if (e->last_frame > e->frame)
			add_comment(c, e->file, e->last_frame, wanted, t.p);
	}
	text_fini(&t);
}

static unsigned calls_of(const struct view_finding *f, const struct marks *calls)
{
	unsigned count = 0;

	for (unsigned i = 0; i < f->call_id_count; i++)
		count += marks_have(calls, f->call_numbers[i]);
	return count;
}

/* Evidence of what is wanted; the calls and dialogs it is about are wanted, too. */
static void take_findings(struct choice *c, const struct engine *e, const struct save_wish *wish,
	const struct marks *findings, struct marks *calls)
{
	struct view_finding *f = memory_zalloc(sizeof *f);

	for (size_t i = 0; view_finding(e, i, f); i++) {
		unsigned of_calls = wish->kind == SAVE_CALLS ? calls_of(f, calls) : 0;

		if (strcmp(f->state, "withdrawn") == 0)
			continue;
		if (wish->kind != SAVE_ALL && !of_calls && !marks_have(findings, f->n))
			continue;
		/* what is about other calls, too, is proved by their packets */
		add_evidence(c, f, wish->kind != SAVE_CALLS || of_calls == f->calls_total);
		if (wish->kind != SAVE_FINDINGS && wish->kind != SAVE_INCIDENTS)
			continue;
		for (unsigned j = 0; j < f->call_id_count; j++) {
			want_id(c, f->call_ids[j]);
			marks_set(calls, f->call_numbers[j]);
		}
		for (unsigned j = 0; j < f->other_id_count; j++)
			want_id(c, f->other_ids[j]);
	}
	free(f);
}

static void take_incidents(
	const struct engine *e, const struct save_wish *wish, struct marks *findings, struct marks *calls)
{
	struct view_incident *v = memory_zalloc(sizeof *v);
	struct marks wanted = { NULL, 0 };

	for (size_t i = 0; i < wish->count; i++)
		marks_set(&wanted, wish->numbers[i]);
	for (size_t i = 0; view_incident(e, i, v); i++) {
		if (!marks_have(&wanted, v->n))
			continue;
		for (unsigned j = 0; j < v->finding_count; j++)
			marks_set(findings, v->findings[j]);
		for (unsigned j = 0; j < v->call_count; j++)
			marks_set(calls, v->calls[j]);
	}
	marks_fini(&wanted);
	free(v);
}

static void take_calls(struct choice *c, const struct engine *e, const struct marks *calls)
{
	struct view_call *v = memory_zalloc(sizeof *v);

	for (size_t i = 0; view_call(e, i, v); i++) {
		int64_t from_ns, to_ns;

		if (!marks_have(calls, v->n))
			continue;
		from_ns = v->start_ns == NS_NONE ? NS_NONE : ns_minus(v->start_ns, AROUND_NS);
		to_ns = v->end_ns == NS_NONE ? INT64_MAX : ns_add(v->end_ns, AROUND_NS);
		for (unsigned j = 0; j < v->call_id_count; j++)
			want_id(c, v->call_ids[j]);
		for (unsigned j = 0; j < v->leg_count; j++)
			want_id(c, v->legs[j].call_id);
		for (unsigned j = 0; j < v->media_count; j++)
			want_media(c, &v->media[j].from, &v->media[j].to, from_ns, to_ns);
	}
	free(v);
}

static void take_streams(struct choice *c, const struct engine *e, const struct marks *calls)
{
	struct view_stream *s = memory_zalloc(sizeof *s);

	for (size_t i = 0; view_stream(e, i, s); i++) {
		if (marks_have(calls, s->call))
			want_media(
				c, &s->src, &s->dst, ns_minus(s->first_ns, AROUND_NS), ns_add(s->last_ns, AROUND_NS));
	}
	free(s);
}

struct choice *choice_new(const struct engine *e, const struct save_wish *wish)
{
	struct choice *c = memory_zalloc(sizeof *c);
	struct marks findings = { NULL, 0 }, calls = { NULL, 0 };

	table_init(&c->ids);
	table_init(&c->pairs);
	table_init(&c->pieces);
	table_init(&c->comments);
	c->everything = wish->kind == SAVE_ALL;
	for (size_t i = 0; i < wish->count && wish->kind == SAVE_CALLS; i++)
		marks_set(&calls, wish->numbers[i]);
	for (size_t i = 0; i < wish->count && wish->kind == SAVE_FINDINGS; i++)
		marks_set(&findings, wish->numbers[i]);
	if (wish->kind == SAVE_INCIDENTS)
		take_incidents(e, wish, &findings, &calls);
	take_findings(c, e, wish, &findings, &calls);
	if (!c->everything) {
		take_calls(c, e, &calls);
		take_streams(c, e, &calls);
	}
	marks_fini(&findings);
	marks_fini(&calls);
	return c;
}

void choice_free(struct choice *c)
{
	if (!c)
		return;
	table_fini(&c->ids, false);
	table_fini(&c->pairs, false);
	table_fini(&c->pieces, false);
	table_fini(&c->comments, true);
	free(c);
}

/* ---- packets ---- */

static bool has_pair(const struct choice *c, const struct endpoint *a, const struct endpoint *b, int64_t at_ns)
{
	const struct wanted_pair *w = find_pair(c, a, b);

	return w && (w->from_ns == NS_NONE || at_ns >= w->from_ns) && at_ns <= w->to_ns;
}

static bool chosen(const struct choice *c, const struct packet *p)
{
	if (p->kind == PACKET_SIP)
		return find_id(c, p->sip->call_id) != NULL;
	if (p->kind == PACKET_ICMP && p->icmp.quote_readable &&
		has_pair(c, &p->icmp.quote_src, &p->icmp.quote_dst, p->at_ns))
		return true;
	if (p->kind == PACKET_STUN && p->stun.channel && has_pair(c, &p->src, &p->stun.peer, p->at_ns))
		return true;                    /* without it nobody knows whose audio the channel carries */
	return (p->has & HAS_PORTS) && has_pair(c, &p->src, &p->dst, p->at_ns);
}

void choice_note(struct choice *c, const struct packet *p)
{
	uint32_t from = p->frame - p->first_frame < PIECE_FRAMES_MAX ? p->first_frame : p->frame - PIECE_FRAMES_MAX;

	if (c->everything || p->first_frame >= p->frame || !chosen(c, p))
		return;
	for (uint32_t frame = from; frame < p->frame && c->pieces.all.count < PIECES_MAX; frame++) {
		struct wanted_piece *w = memory_zalloc(sizeof *w);

		*w = (struct wanted_piece){ .src = p->src, .dst = p->dst, .file = p->file, .frame = frame };
		table_add(&c->pieces, &w->entry, hash_mix(p->file, frame));
	}
}

/* Fragments have no ports; segments of TCP have. */
static bool is_same_way(const struct wanted_piece *w, const struct packet *p)
{
	if (p->kind == PACKET_FRAGMENT)
		return address_equal(&p->src.addr, &w->src.addr) && address_equal(&p->dst.addr, &w->dst.addr);
	return p->transport == TRANSPORT_TCP && endpoint_equal(&p->src, &w->src) && endpoint_equal(&p->dst, &w->dst);
}

static bool is_piece(const struct choice *c, const struct packet *p)
{
	uint32_t hash = (uint32_t)hash_mix(p->file, p->frame);

	for (const struct hash_link *it = hash_first(&c->pieces.by_key, hash); it; it = it->next) {
		const struct wanted_piece *w = (const struct wanted_piece *)(const void *)it;

		if (it->hash == hash && p->file == w->file && p->frame == w->frame && is_same_way(w, p))
			return true;
	}
	return false;
}

bool choice_has(const struct choice *c, const struct packet *p)
{
	return c->everything || chosen(c, p) || is_piece(c, p);
}

bool choice_wants(const struct choice *c, const struct frame *f)
{
	uint32_t hash = (uint32_t)hash_mix(f->file, f->number);

	for (const struct hash_link *it = hash_first(&c->comments.by_key, hash); it; it = it->next) {
		const struct comment *one = (const struct comment *)(const void *)it;

		if (it->hash == hash && one->wanted && one->file == f->file && one->frame == f->number)
			return true;
	}
	return false;
}

size_t choice_comments(const struct choice *c, const struct frame *f, const char **ret, size_t most)
{
	uint32_t hash = (uint32_t)hash_mix(f->file, f->number);
	size_t n = 0;

	for (const struct hash_link *it = hash_first(&c->comments.by_key, hash); it && n < most; it = it->next) {
		const struct comment *one = (const struct comment *)(const void *)it;

		if (it->hash == hash && one->file == f->file && one->frame == f->number)
			ret[n++] = one->text;
	}
	return n;
}
