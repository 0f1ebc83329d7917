/* SPDX-License-Identifier: MIT */
/* world: tables over the views, made when they are asked for. */
#include "ui/dashboard/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "captures/base/memory.h"
#include "ui/dashboard/page.h"
#include "ui/dashboard/view_ladder.h"
#include "ui/hears.h"
#include "ui/words.h"

/* So long may a filter look at records before the keys are looked at again. */
#define SLICE_NS (20 * MILLISECOND_NS)

enum { SLICE_STEP = 16 };

struct listed { /* one order, and what it was made for */
	uint32_t *rows;
	size_t count;
	bool made, complete, hide_ended, down;
	unsigned sort;
};

struct chosen { /* what a filter leaves */
	char *text; /* NULL: nothing was asked yet */
	struct filter *filter;
	struct selection_options options;
	struct chooser *chooser;
	bool *calls, *findings;
	size_t calls_done, findings_done;
};

struct world_cache {
	bool has_selection, has_capture;
	struct selection selection;
	struct call_row *calls;
	size_t call_count;
	struct call_counts counts;
	struct stream_row *streams;
	size_t stream_count;
	uint64_t *finding_ids;
	struct chosen chosen;
	struct listed call_order, stream_order, finding_order, problem_order;
	int64_t until_ns; /* of the slice */
	struct view_call call;
	struct view_finding finding;
	struct view_capture capture;
};

uint64_t identity_of(const void *bytes, size_t n, uint64_t seed)
{
	const uint8_t *p = bytes;
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed; /* FNV-1a: an equal one costs a wrong row, nothing else */

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

void world_init(struct world *w, const struct engine *e)
{
	*w = (struct world){ .engine = e,
		.cache = memory_zalloc(sizeof *w->cache),
		.numbers = { .now_ns = NS_NONE, .left_ns = NS_NONE } };
}

static void chosen_clear(struct chosen *c)
{
	chooser_free(c->chooser);
	filter_free(c->filter);
	free(c->text);
	free(c->calls);
	free(c->findings);
	*c = (struct chosen){ .text = NULL };
}

void world_fini(struct world *w)
{
	struct world_cache *c = w->cache;

	if (!c)
		return;
	page_free(w->page);
	ladder_free(w->ladder);
	chosen_clear(&c->chosen);
	if (c->has_selection)
		selection_fini(&c->selection);
	free(c->calls);
	free(c->streams);
	free(c->finding_ids);
	free(c->call_order.rows);
	free(c->stream_order.rows);
	free(c->finding_order.rows);
	free(c->problem_order.rows);
	free(c);
	w->cache = NULL;
}

const struct selection *world_selection(struct world *w)
{
	struct world_cache *c = w->cache;
	struct selection_options all = { .names = w->names };

	if (!c->has_selection) {
		selection_init(&c->selection, w->engine, &all);
		c->has_selection = true;
	}
	return &c->selection;
}

const struct view_call *world_view_call(struct world *w, size_t index)
{
	return view_call(w->engine, index, &w->cache->call) ? &w->cache->call : NULL;
}

const struct view_finding *world_view_finding(struct world *w, size_t index)
{
	return view_finding(w->engine, index, &w->cache->finding) ? &w->cache->finding : NULL;
}

const struct view_capture *world_capture(struct world *w)
{
	struct world_cache *c = w->cache;

	if (!c->has_capture) {
		view_capture(w->engine, &c->capture);
		c->has_capture = true;
	}
	return &c->capture;
}

const char *world_clock(struct world *w, int64_t at_ns, char buffer[NS_TEXT])
{
	const struct view_capture *c = world_capture(w);
	char day[WORDS];

	if (c->first_ns == NS_NONE || c->last_ns == NS_NONE || words_same_day(c->first_ns, c->last_ns))
		return ns_clock(at_ns, 0, buffer);
	snprintf(buffer, NS_TEXT, "%.8s", words_day_clock(at_ns, day));
	return buffer;
}

struct report world_report(struct world *w, struct out *out)
{
	return (struct report){ .engine = w->engine,
		.files = w->files,
		.file_count = w->file_count,
		.out = out,
		.names = w->names,
		.selection = world_selection(w) };
}

/* ---- calls ---- */

/* A phone may use its Call-ID again for the next call. */
static uint64_t call_id(const struct view_call *c)
{
	bool named = c->call_id_count && c->call_ids[0].n;
	uint64_t id = named ? identity_of(c->call_ids[0].p, c->call_ids[0].n, 0) : c->n;

	return identity_of(&c->start_ns, sizeof c->start_ns, id);
}

static enum call_mark mark_of(const struct selected_call *s)
{
	if (s->affected)
		return s->worst > RANK_WARNING ? MARK_BAD : MARK_WARN;
	if (s->invisible)
		return MARK_UNKNOWN;
	if (s->answered && s->poor)
		return MARK_WARN;
	return s->answered && (s->both_ways || s->as_agreed) ? MARK_GOOD : MARK_QUIET;
}

static const char *problem_of(const struct selection *s, const struct view_call *c)
{
	const struct selected_finding *worst = NULL;

	for (unsigned i = 0; i < c->finding_count; i++) {
		ptrdiff_t at = selection_finding(s, c->findings[i]);
		const struct selected_finding *f =
			at == SELECTION_NONE ? NULL : &s->findings[selection_root(s, (size_t)at)];

		if (f && f->problem && (!worst || f->rank > worst->rank))
			worst = f;
	}
	return worst ? worst->id : NULL;
}

static void row_quality(struct call_row *r, const struct view_call *c)
{
	r->mos = c->caller_mos;
	if (r->mos < 0 || (c->callee_mos >= 0 && c->callee_mos < r->mos))
		r->mos = c->callee_mos;
	r->loss = r->jitter_ms = -1;
	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *d = &c->media[i];

		if (!d->kind || strcmp(d->kind, "audio") != 0)
			continue;
		r->loss = d->loss_percent > r->loss ? d->loss_percent : r->loss;
		r->jitter_ms = d->jitter_ms > r->jitter_ms ? d->jitter_ms : r->jitter_ms;
	}
}

static bool has_ended(const struct view_call *c)
{
	static const char *const over[] = { "ended", "failed", "busy", "declined", "redirected", "cancelled" };

	for (size_t i = 0; i < sizeof over / sizeof over[0]; i++)
		if (c->state && strcmp(c->state, over[i]) == 0)
			return true;
	return c->end_ns != NS_NONE;
}

static struct call_row row_of(struct world *w, const struct view_call *c, size_t index)
{
	const struct selection *s = world_selection(w);
	int64_t last_ns = c->end_ns != NS_NONE ? c->end_ns : world_capture(w)->last_ns;
	struct call_row r = {
		.id = call_id(c),
		.index = index,
		.n = c->n,
		.status = c->status,
		.state = c->state ? c->state : "unknown",
		.from = c->from,
		.to = c->to,
		.start_ns = c->start_ns,
		.answer_ns = c->answer_ns,
		.end_ns = c->end_ns,
		.talk_s = -1,
		.setup_ms = c->setup_ms,
		.mark = (uint8_t)mark_of(&s->calls[index]),
		.heard = { (uint8_t)c->caller_hears, (uint8_t)c->callee_hears },
		.up = !has_ended(c),
		.answered = c->answer_ns != NS_NONE,
		.problem = problem_of(s, c),
	};

	r.unheard = c->caller_hears == HEARD_NO || c->callee_hears == HEARD_NO;
	if (r.answered && last_ns != NS_NONE)
		r.talk_s = (double)ns_minus(last_ns, c->answer_ns) / SECOND_NS;
	row_quality(&r, c);
	return r;
}

static void count_call(struct call_counts *n, const struct call_row *r)
{
	n->up += r->up;
	n->up_unheard += r->up && r->unheard;
	n->ended += !r->up;
	n->unheard += r->unheard;
	n->failed += strcmp(r->state, "failed") == 0;
}

static void make_calls(struct world *w)
{
	struct world_cache *c = w->cache;
	size_t count = world_selection(w)->call_count;

	c->calls = memory_zalloc((count + 1) * sizeof *c->calls);
	for (size_t i = 0; i < count && world_view_call(w, i); i++) {
		c->calls[i] = row_of(w, &c->call, i);
		count_call(&c->counts, &c->calls[i]);
		c->call_count++;
	}
}

const struct call_row *world_calls(struct world *w, size_t *ret_count)
{
	if (!w->cache->calls)
		make_calls(w);
	*ret_count = w->cache->call_count;
	return w->cache->calls;
}

const struct call_counts *world_counts(struct world *w)
{
	size_t count;

	world_calls(w, &count);
	return &w->cache->counts;
}

const struct call_row *world_call(struct world *w, uint64_t id)
{
	size_t count;
	const struct call_row *rows = world_calls(w, &count);

	for (size_t i = 0; i < count; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

const struct call_row *world_call_numbered(struct world *w, unsigned n)
{
	ptrdiff_t at = selection_call(world_selection(w), n);
	size_t count;
	const struct call_row *rows = world_calls(w, &count);

	return at == SELECTION_NONE ? NULL : &rows[at];
}

/* ---- streams ---- */

static struct stream_row stream_row_of(const struct view_stream *s, size_t index)
{
	struct stream_row r = { .index = index,
		.n = s->n,
		.call = s->call,
		.loss = -1,
		.jitter_ms = s->mean_jitter_ms,
		.mos = s->mos,
		.packets = s->packets,
		.last_ns = s->last_ns };
	uint64_t expected = s->packets + s->lost_within;

	if (expected)
		r.loss = 100.0 * (double)s->lost_within / (double)expected;
	r.id = identity_of(&s->src.addr.bytes, sizeof s->src.addr.bytes, s->src.port);
	r.id = identity_of(&s->dst.addr.bytes, sizeof s->dst.addr.bytes, r.id ^ s->dst.port);
	r.id = identity_of(&s->ssrc, sizeof s->ssrc, r.id);
	r.id = identity_of(&s->first_ns, sizeof s->first_ns, r.id);
	return r;
}

const struct stream_row *world_streams(struct world *w, size_t *ret_count)
{
	struct world_cache *c = w->cache;
	struct view_stream s;

	if (!c->streams) {
		size_t count = world_selection(w)->stream_count;

		c->streams = memory_zalloc((count + 1) * sizeof *c->streams);
		for (; c->stream_count < count && view_stream(w->engine, c->stream_count, &s); c->stream_count++)
			c->streams[c->stream_count] = stream_row_of(&s, c->stream_count);
	}
	*ret_count = c->stream_count;
	return c->streams;
}

/* ---- what a filter leaves ---- */

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

void world_slice(struct world *w)
{
	w->cache->until_ns = monotonic_ns() + SLICE_NS;
}

/*
 * The choice of this filter, further on as far as there is time. An invalid one leaves all: the prompt does not let
 * it through.
 */
static const struct chosen *chosen_by(struct world *w, const char *text)
{
	struct chosen *c = &w->cache->chosen;
	const struct selection *s = world_selection(w);
	int64_t until_ns = w->cache->until_ns;
	struct filter_error wrong;

	if (!c->text || strcmp(c->text, text) != 0) {
		chosen_clear(c);
		c->text = memory_text(text);
		c->filter = *text ? filter_new(text, &wrong) : NULL;
		c->calls = memory_zalloc(s->call_count + 1);
		c->findings = memory_zalloc(s->finding_count + 1);
		if (c->filter) {
			c->options = (struct selection_options){ .filter = c->filter, .names = w->names };
			c->chooser = chooser_new(s, w->engine, &c->options);
		}
		free(w->cache->call_order.rows);
		free(w->cache->stream_order.rows);
		free(w->cache->finding_order.rows);
		free(w->cache->problem_order.rows);
		w->cache->call_order = w->cache->stream_order = w->cache->finding_order = w->cache->problem_order =
			(struct listed){ .rows = NULL };
	}
	for (; c->calls_done < s->call_count; c->calls_done++) {
		if (c->chooser && c->calls_done % SLICE_STEP == 0 && monotonic_ns() > until_ns)
			break;
		c->calls[c->calls_done] = !c->chooser || chooser_call(c->chooser, c->calls_done);
	}
	for (; c->calls_done == s->call_count && c->findings_done < s->finding_count; c->findings_done++) {
		if (c->chooser && c->findings_done % SLICE_STEP == 0 && monotonic_ns() > until_ns)
			break;
		c->findings[c->findings_done] = !c->chooser || chooser_finding(c->chooser, c->findings_done);
	}
	return c;
}

static bool chosen_all(const struct chosen *c, const struct selection *s)
{
	return c->calls_done == s->call_count && c->findings_done == s->finding_count;
}

/* ---- orders ---- */

/* qsort_r has no typed context: what is sorted, and by what. */
struct sorting {
	const struct call_row *calls;
	const struct stream_row *streams;
	unsigned by;
	bool down;
};

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_spans(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* How well a side hears, worst first. */
static int hearing_order(uint8_t heard)
{
	static const int order[] = {
		[HEARD_NO] = 0, [HEARD_POOR] = 1, [HEARD_UNKNOWN] = 2, [HEARD_YES] = 3, [HEARD_NOT_EXPECTED] = 4
	};

	return order[heard];
}

static int compare_calls(const struct call_row *a, const struct call_row *b, unsigned by)
{
	switch (by) {
	case COLUMN_START: return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
	case COLUMN_FROM: return compare_spans(a->from, b->from);
	case COLUMN_TO: return compare_spans(a->to, b->to);
	case COLUMN_STATE: return compare_texts(a->state, b->state);
	case COLUMN_TALK: return compare_numbers(a->talk_s, b->talk_s);
	case COLUMN_CALLER: return hearing_order(a->heard[0]) - hearing_order(b->heard[0]);
	case COLUMN_CALLEE: return hearing_order(a->heard[1]) - hearing_order(b->heard[1]);
	case COLUMN_LOSS: return compare_numbers(a->loss, b->loss);
	case COLUMN_JITTER: return compare_numbers(a->jitter_ms, b->jitter_ms);
	case COLUMN_PROBLEM: return compare_texts(a->problem, b->problem);
	case COLUMN_SETUP: return compare_numbers(a->setup_ms, b->setup_ms);
	case COLUMN_STATUS: return (a->status > b->status) - (a->status < b->status);
	case SORT_URGENT:
		if (a->mark != b->mark && (a->mark >= MARK_WARN || b->mark >= MARK_WARN))
			return (int)b->mark - a->mark;
		return (a->start_ns < b->start_ns) - (a->start_ns > b->start_ns);
	default: return 0;
	}
}

static int compare_call_rows(const void *a, const void *b, void *context)
{
	const struct sorting *s = context;
	const struct call_row *x = &s->calls[*(const uint32_t *)a], *y = &s->calls[*(const uint32_t *)b];
	int order = compare_calls(x, y, s->by);

	if (order == 0)
		order = (x->n > y->n) - (x->n < y->n);
	return s->down ? -order : order;
}

static int compare_stream_rows(const void *a, const void *b, void *context)
{
	const struct sorting *s = context;
	const struct stream_row *x = &s->streams[*(const uint32_t *)a], *y = &s->streams[*(const uint32_t *)b];
	int order = 0;

	switch ((enum stream_sort)s->by) {
	case STREAM_SORT_CALL: order = (x->call > y->call) - (x->call < y->call); break;
	case STREAM_SORT_PACKETS: order = (x->packets > y->packets) - (x->packets < y->packets); break;
	case STREAM_SORT_LOST: order = compare_numbers(x->loss, y->loss); break;
	case STREAM_SORT_JITTER: order = compare_numbers(x->jitter_ms, y->jitter_ms); break;
	case STREAM_SORT_MOS: order = compare_numbers(x->mos, y->mos); break;
	case STREAM_SORTS: break;
	}
	if (order == 0)
		order = (x->index > y->index) - (x->index < y->index);
	return s->down ? -order : order;
}

static struct order order_of(const struct listed *l, size_t of)
{
	return (struct order){ l->rows, l->count, of, l->complete };
}

/* Is it made, and for the same? Else it is begun anew. */
static bool is_made(struct listed *l, bool hide_ended, unsigned sort, bool down, size_t room)
{
	if (l->made && l->complete && l->hide_ended == hide_ended && l->sort == sort && l->down == down)
		return true;
	free(l->rows);
	*l = (struct listed){ .rows = memory_zalloc((room + 1) * sizeof *l->rows),
		.made = true,
		.hide_ended = hide_ended,
		.sort = sort,
		.down = down };
	return false;
}

struct order world_order(struct world *w, const char *filter, bool hide_ended, unsigned sort, bool down)
{
	const struct chosen *c = chosen_by(w, filter);
	struct listed *l = &w->cache->call_order;
	size_t count;
	struct sorting sorting = { .calls = world_calls(w, &count), .by = sort, .down = down };

	if (is_made(l, hide_ended, sort, down, count))
		return order_of(l, count);
	for (size_t i = 0; i < count; i++)
		if (c->calls[i] && !(hide_ended && !sorting.calls[i].up))
			l->rows[l->count++] = (uint32_t)i;
	qsort_r(l->rows, l->count, sizeof *l->rows, compare_call_rows, &sorting);
	l->complete = chosen_all(c, world_selection(w));
	return order_of(l, count);
}

struct order world_stream_order(struct world *w, const char *filter, unsigned sort, bool down)
{
	const struct chosen *c = chosen_by(w, filter);
	struct listed *l = &w->cache->stream_order;
	size_t count;
	struct sorting sorting = { .streams = world_streams(w, &count), .by = sort, .down = down };

	if (is_made(l, false, sort, down, count))
		return order_of(l, count);
	for (size_t i = 0; i < count; i++) {
		ptrdiff_t call = sorting.streams[i].call ? selection_call(world_selection(w), sorting.streams[i].call)
							 : SELECTION_NONE;

		if (!*filter || (call != SELECTION_NONE && c->calls[call]))
			l->rows[l->count++] = (uint32_t)i;
	}
	qsort_r(l->rows, l->count, sizeof *l->rows, compare_stream_rows, &sorting);
	l->complete = chosen_all(c, world_selection(w));
	return order_of(l, count);
}

struct order world_problem_order(struct world *w, const char *filter)
{
	const struct chosen *c = chosen_by(w, filter);
	const struct selection *s = world_selection(w);
	struct listed *l = &w->cache->problem_order;

	if (is_made(l, false, 0, false, s->problem_count))
		return order_of(l, s->problem_count);
	for (size_t i = 0; i < s->problem_count; i++)
		if (c->findings[s->problems[i].lead])
			l->rows[l->count++] = (uint32_t)i;
	l->complete = chosen_all(c, s);
	return order_of(l, s->problem_count);
}

/* A root, and behind it what it explains. */
static void add_family(struct listed *l, const struct selection *s, const bool *chosen, bool *taken,
	const size_t *first, const size_t *next, size_t root)
{
	if (taken[root])
		return;
	taken[root] = true;
	if (chosen[root])
		l->rows[l->count++] = (uint32_t)root;
	for (size_t i = first[root]; i != SIZE_MAX; i = next[i]) {
		if (chosen[i] && !s->findings[i].withdrawn && !taken[i])
			l->rows[l->count++] = (uint32_t)i;
		taken[i] = true;
	}
}

/* Consequences of each root as chains, in the order of the report. */
static void make_chains(const struct selection *s, size_t *first, size_t *next)
{
	for (size_t i = 0; i < s->finding_count; i++)
		first[i] = next[i] = SIZE_MAX;
	for (size_t i = s->finding_count; i-- > 0;) {
		size_t root = selection_root(s, i);

		if (root != i) {
			next[i] = first[root];
			first[root] = i;
		}
	}
}

struct order world_finding_order(struct world *w, const char *filter)
{
	const struct chosen *c = chosen_by(w, filter);
	const struct selection *s = world_selection(w);
	struct listed *l = &w->cache->finding_order;
	size_t *first, *next;
	bool *taken;

	if (is_made(l, false, 0, false, s->finding_count))
		return order_of(l, s->finding_count);
	first = memory_zalloc((s->finding_count + 1) * sizeof *first);
	next = memory_zalloc((s->finding_count + 1) * sizeof *next);
	taken = memory_zalloc(s->finding_count + 1);
	make_chains(s, first, next);
	for (size_t i = 0; i < s->problem_count; i++)
		add_family(l, s, c->findings, taken, first, next, s->problems[i].lead);
	for (int rank = RANK_CRITICAL; rank >= RANK_INFO; rank--)
		for (size_t i = 0; i < s->finding_count; i++)
			if ((int)s->findings[i].rank == rank && !s->findings[i].withdrawn && selection_root(s, i) == i)
				add_family(l, s, c->findings, taken, first, next, i);
	free(first);
	free(next);
	free(taken);
	l->complete = chosen_all(c, s);
	return order_of(l, s->finding_count);
}

/* ---- identities of findings ---- */

uint64_t world_finding_id(struct world *w, size_t index)
{
	struct world_cache *c = w->cache;
	const struct selection *s = world_selection(w);
	struct view_finding *f;

	if (!c->finding_ids) {
		c->finding_ids = memory_zalloc((s->finding_count + 1) * sizeof *c->finding_ids);
		f = memory_zalloc(sizeof *f);
		for (size_t i = 0; i < s->finding_count && view_finding(w->engine, i, f); i++)
			c->finding_ids[i] = f->identity ? f->identity : identity_of(&f->n, sizeof f->n, 0);
		free(f);
	}
	return index < s->finding_count ? c->finding_ids[index] : 1;
}

ptrdiff_t world_finding_find(struct world *w, uint64_t id)
{
	size_t count = world_selection(w)->finding_count;

	for (size_t i = 0; i < count; i++)
		if (world_finding_id(w, i) == id)
			return (ptrdiff_t)i;
	return -1;
}
