/* SPDX-License-Identifier: MIT */
/* ladder: messages, media, silence and findings in their order. */
#include "ui/dashboard/ladder.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/dashboard/page.h"
#include "ui/dashboard/view_ladder.h"
#include "ui/words.h"

enum { RUNGS_MAX = 20000, CHANGE_LOOKS_BACK = 40 };

static void ladder_clear(struct ladder *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->rungs[i].text);
	for (unsigned i = 0; i < LADDER_HOSTS; i++) {
		free(l->labels[i]);
		free(l->addresses[i]);
	}
	free(l->rungs);
	ladder_hosts_fini(&l->hosts);
	*l = (struct ladder){ .key = 0 };
}

void ladder_free(struct ladder *l)
{
	if (!l)
		return;
	ladder_clear(l);
	free(l);
}

/* ---- hosts ---- */

/* "1001", "pbx.example", "firewall"; "" where nothing is known. */
static void host_label(
	struct world *w, const struct address *a, const struct view_call *c, bool by_name, struct text *t)
{
	const char *name = names_find(w->names, a);
	struct view_host h;
	char party[PARTY_BYTES];

	if (by_name && name)
		text_add(t, name);
	else if (c && address_equal(a, &c->from_at.addr) && c->from.n)
		text_add(t, party_text(c->from, "", party));
	else if (c && address_equal(a, &c->to_at.addr) && c->to.n)
		text_add(t, party_text(c->to, "", party));
	else if (name)
		text_add(t, name);
	for (size_t i = 0; t->n == 0 && view_host(w->engine, i, &h); i++)
		if (address_equal(&h.addr, a) && h.role_count)
			text_add(t, h.roles[0]);
}

static void label_hosts(struct ladder *l, struct world *w, const struct view_call *c, bool by_name)
{
	for (unsigned i = 0; i < l->hosts.count; i++) {
		struct text t;

		text_init(&t);
		host_label(w, &l->hosts.at[i], c, by_name, &t);
		free(l->labels[i]);
		l->labels[i] = memory_text(t.p);
		text_clear(&t);
		ladder_hosts_addresses(&l->hosts, i, "|", &t);
		free(l->addresses[i]);
		l->addresses[i] = memory_text(t.p);
		text_fini(&t);
	}
}

/* ---- rungs ---- */

static struct rung *rung_add(struct ladder *l, enum rung_kind kind, int64_t at_ns, const char *text)
{
	struct rung *r;

	if (l->count >= RUNGS_MAX)
		return NULL;
	if ((l->count & (l->count - 1)) == 0)
		l->rungs = memory_resize(l->rungs, l->count ? l->count * 2 : 1, sizeof *l->rungs);
	r = &l->rungs[l->count++];
	*r = (struct rung){
		.kind = (uint8_t)kind, .at_ns = at_ns, .order = (uint32_t)l->count, .text = memory_text(text)
	};
	return r;
}

/* The line of a message that begins so; empty where there is none. */
static struct span line_of(struct span raw, const char *name)
{
	size_t n = strlen(name);

	for (size_t end; raw.n; raw = end < raw.n ? span_from(raw, end + 1) : (struct span){ NULL, 0 }) {
		end = span_find(raw, '\n');
		if (span_starts_nocase(raw, span_of(name)))
			return span_first(span_from(raw, n), end - n);
	}
	return (struct span){ NULL, 0 };
}

/* What a hop may not touch unless it takes part in the call: who is called back where, and where audio goes. */
static bool is_changed(struct span a, struct span b)
{
	static const char *const lines[] = { "Contact:", "c=", "m=", "o=" };

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (!span_equal(line_of(a, lines[i]), line_of(b, lines[i])))
			return true;
	return false;
}

/* A message that was there before, a hop earlier, and is another one now. 0: not so. */
static uint64_t changed_from(struct world *w, const struct call_row *row, const struct view_message *m, size_t index)
{
	struct view_message before;

	for (size_t back = 1; back <= index && back <= CHANGE_LOOKS_BACK; back++) {
		if (!view_message(w->engine, row->index, index - back, &before))
			return 0;
		if (before.leg == m->leg && before.status == m->status && span_equal(before.method, m->method) &&
			!before.retransmission && span_equal(line_of(before.raw, "CSeq:"), line_of(m->raw, "CSeq:")))
			return is_changed(before.raw, m->raw) ? message_id(before.file, before.frame, 0) : 0;
	}
	return 0;
}

static bool is_wanted(const struct dashboard *d, const struct view_message *m)
{
	const struct ladder_settings *s = &d->ladder;

	if (s->only_media || (s->only_sdp && !m->sdp))
		return false;
	return s->extended || (!m->copy && m->leg == 0);
}

static void add_message(struct ladder *l, struct dashboard *d, struct world *w, const struct view_message *m,
	const struct call_row *row, uint64_t id, size_t index)
{
	uint64_t before = m->next_hop || m->copy ? changed_from(w, row, m, index) : 0;
	struct text t;
	struct rung *r;

	text_init(&t);
	message_words(m, &t);
	if (before)
		text_add(&t, " ≠");
	r = rung_add(l, RUNG_MESSAGE, m->at_ns, t.p);
	text_fini(&t);
	if (!r)
		return;
	*r = (struct rung){ .kind = RUNG_MESSAGE,
		.order = r->order,
		.text = r->text,
		.at_ns = m->at_ns,
		.src = m->src,
		.dst = m->dst,
		.known = true,
		.file = m->file,
		.frame = m->frame,
		.last_frame = m->frame,
		.leg = m->leg,
		.copy = m->copy || m->retransmission,
		.call = row->id,
		.message = id,
		.before = before,
		.id = identity_of(&id, sizeof id, row->id) };
	r->style =
		m->status >= 300 && m->status != 401 && m->status != 407 && m->status != 487 ? PAINT_WARN : PAINT_PLAIN;
	if (!d->ladder.hide_sdp && m->sdp_text && m->sdp_text[0]) {
		struct endpoint src = m->src, dst = m->dst;
		struct rung *x = rung_add(l, RUNG_SDP, m->at_ns, m->sdp_text);

		if (x) {
			x->src = src;
			x->dst = dst;
			x->id = identity_of(&id, sizeof id, row->id + 1);
			x->call = row->id;
			x->message = id;
		}
	}
}

static void collect_messages(struct ladder *l, struct dashboard *d, struct world *w, const struct call_row *row)
{
	struct view_message m;
	uint16_t file = 0;
	uint32_t frame = 0;
	unsigned nth = 0, legs = 0;

	for (size_t i = 0; view_message(w->engine, row->index, i, &m); i++) {
		nth = m.frame == frame && m.file == file ? nth + 1 : 0;
		frame = m.frame;
		file = m.file;
		legs = m.leg + 1 > legs ? m.leg + 1 : legs;
		if (!is_wanted(d, &m))
			continue;
		ladder_hosts_add_message(&l->hosts, &m);
		add_message(l, d, w, &m, row, message_id(m.file, m.frame, nth), i);
		l->messages++;
	}
	l->legs += legs;
}

static void add_stream(struct ladder *l, const struct view_stream *s, const struct stream_row *x, uint64_t call)
{
	char count[WORDS];
	struct text t;
	struct rung *r;

	text_init(&t);
	if (s->codec.n)
		text_add_escaped(&t, s->codec);
	else
		text_add(&t, "RTP");
	text_addf(&t, " %s to :%u", words_count(s->packets, count), s->dst.port);
	if (s->lost_within)
		text_addf(&t, " lost %s", words_count(s->lost_within, count));
	r = rung_add(l, RUNG_MEDIA, s->first_ns, t.p);
	text_fini(&t);
	if (!r)
		return;
	r->src = s->src;
	r->dst = s->dst;
	r->known = true;
	r->file = s->file;
	r->frame = s->first_frame;
	r->last_frame = s->last_frame;
	r->call = call;
	r->id = x->id;
}

static void collect_media(struct ladder *l, struct world *w, const struct call_row *row, const struct view_call *c)
{
	size_t count;
	const struct stream_row *rows = world_streams(w, &count);
	struct view_stream s;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].call != row->n || !view_stream(w->engine, rows[i].index, &s))
			continue;
		ladder_hosts_add(&l->hosts, &s.src.addr);
		ladder_hosts_add(&l->hosts, &s.dst.addr);
		add_stream(l, &s, &rows[i], row->id);
		l->streams++;
	}
	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *x = &c->media[i];
		struct rung *r;
		char text[48];

		if (!x->expected || x->packets || x->heard != HEARD_NO)
			continue;
		snprintf(text, sizeof text, "no %.16s ✗", x->kind ? x->kind : "media");
		r = rung_add(l, RUNG_SILENCE, c->answer_ns != NS_NONE ? c->answer_ns : c->start_ns, text);
		if (!r)
			return;
		r->src = x->from;
		r->dst = x->to;
		r->known = true;
		r->proof = true;
		r->style = PAINT_BAD;
		r->id = identity_of(&i, sizeof i, row->id + 2);
	}
}

static void add_finding(struct ladder *l, struct world *w, size_t at, const struct view_finding *f, uint64_t call)
{
	const struct selected_finding *x = &world_selection(w)->findings[at];
	struct rung *r;
	struct text t;

	text_init(&t);
	text_addf(&t, "%s %s: %s", x->rank > RANK_WARNING ? "✗" : "!", f->id, f->title ? f->title : "");
	r = rung_add(l, RUNG_FINDING, f->since_ns != NS_NONE ? f->since_ns : f->first_ns, t.p);
	text_fini(&t);
	if (!r)
		return;
	r->finding = at;
	r->call = call;
	r->style = x->rank > RANK_WARNING ? PAINT_BAD : PAINT_WARN;
	r->id = world_finding_id(w, at);
}

static void mark_proof(struct ladder *l, const struct view_finding *f)
{
	for (unsigned j = 0; j < f->evidence_count; j++)
		for (size_t i = 0; i < l->count; i++)
			l->rungs[i].proof |= f->evidence[j].frame && l->rungs[i].kind != RUNG_SDP &&
				l->rungs[i].kind != RUNG_FINDING && l->rungs[i].file == f->evidence[j].file &&
				l->rungs[i].frame == f->evidence[j].frame;
}

/* Problems of the call, at the time they began, and the frames that prove them. */
static void collect_findings(struct ladder *l, struct world *w, const struct view_call *c, uint64_t call)
{
	const struct selection *s = world_selection(w);

	for (unsigned i = 0; i < c->finding_count; i++) {
		ptrdiff_t at = selection_finding(s, c->findings[i]);
		const struct view_finding *f;

		if (at == SELECTION_NONE || !s->findings[at].harms || s->findings[at].rank == RANK_INFO)
			continue;
		f = world_view_finding(w, (size_t)at);
		if (!f)
			continue;
		if (s->findings[at].problem)
			add_finding(l, w, (size_t)at, f, call);
		mark_proof(l, f);
	}
}

static int rung_compare(const void *a, const void *b)
{
	const struct rung *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void collect_call(struct ladder *l, struct dashboard *d, struct world *w, const struct call_row *row)
{
	struct view_call *c = memory_zalloc(sizeof *c);

	if (view_call(w->engine, row->index, c)) {
		ladder_hosts_add(&l->hosts, &c->from_at.addr);
		collect_messages(l, d, w, row);
		if (!d->ladder.hide_media)
			collect_media(l, w, row, c);
		collect_findings(l, w, c, row->id);
		label_hosts(l, w, c, d->names);
		l->calls++;
	}
	free(c);
}

static void ladder_make(struct ladder *l, struct dashboard *d, struct world *w)
{
	uint64_t call = place_of(d)->call;
	const struct call_row *row;

	ladder_hosts_init(&l->hosts, w->engine, LADDER_HOSTS);
	if (d->ladder.marked && d->ladder.extended) {
		for (unsigned i = 0; i < d->mark_count; i++)
			if ((row = world_call(w, d->marks[i])))
				collect_call(l, d, w, row);
	} else if ((row = world_call(w, call))) {
		collect_call(l, d, w, row);
	}
	if (l->count)
		qsort(l->rungs, l->count, sizeof *l->rungs, rung_compare);
}

const struct ladder *ladder_of(struct dashboard *d, struct world *w)
{
	struct ladder_settings s = d->ladder;
	uint64_t key;

	s.time = 0;
	s.pane = 0;
	s.hide_pane = s.by_leg = false;
	key = identity_of(&s, sizeof s, place_of(d)->call);
	key ^= (uint64_t)d->names << 7;
	key = s.marked ? identity_of(d->marks, d->mark_count * sizeof d->marks[0], key) : key;
	if (!w->ladder)
		w->ladder = memory_zalloc(sizeof *w->ladder);
	if (w->ladder->key != key) {
		ladder_clear(w->ladder);
		ladder_make(w->ladder, d, w);
		w->ladder->key = key;
	}
	return w->ladder;
}
