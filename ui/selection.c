/* SPDX-License-Identifier: MIT */
/* selection: tables over the views, and what the options leave to be listed. */
#include "ui/selection.h"

#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"
#include "captures/base/sort.h"
#include "ui/hears.h"

static const double MOS_POOR = 3.6;

enum { CHAIN_MAX = 8, STREAM_MAX = 64, HOST_MAX = 64 };

/* Room for one more in a growing array. */
#define GROW(array, count) \
	do { \
		if (((count) & ((count) - 1)) == 0) \
			(array) = memory_resize((array), (count) ? (count) * 2 : 1, sizeof *(array)); \
	} while (0)

static int numbered_compare(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	return (x->n > y->n) - (x->n < y->n);
}

static ptrdiff_t find(const struct numbered *sorted, size_t count, unsigned n)
{
	struct numbered key = { n, 0 };
	const struct numbered *found = count ? bsearch(&key, sorted, count, sizeof *sorted, numbered_compare) : NULL;

	return found ? (ptrdiff_t)found->index : SELECTION_NONE;
}

ptrdiff_t selection_finding(const struct selection *s, unsigned n)
{
	return find(s->findings_by_n, s->finding_count, n);
}

ptrdiff_t selection_call(const struct selection *s, unsigned n)
{
	return find(s->calls_by_n, s->call_count, n);
}

ptrdiff_t selection_stream(const struct selection *s, unsigned n)
{
	return find(s->streams_by_n, s->stream_count, n);
}

size_t selection_root(const struct selection *s, size_t finding)
{
	for (unsigned i = 0; i < CHAIN_MAX && s->findings[finding].explained_by; i++) {
		ptrdiff_t up = selection_finding(s, s->findings[finding].explained_by);

		if (up == SELECTION_NONE)
			break;
		finding = (size_t)up;
	}
	return finding;
}

static enum rank rank_of(const char *severity)
{
	static const char *const names[] = { "info", "warning", "error", "critical" };

	for (int i = RANK_CRITICAL; i > RANK_INFO; i--)
		if (severity && strcmp(severity, names[i]) == 0)
			return (enum rank)i;
	return RANK_INFO;
}

static void read_findings(struct selection *s, const struct engine *e)
{
	struct view_finding *f = memory_zalloc(sizeof *f);

	for (; view_finding(e, s->finding_count, f); s->finding_count++) {
		GROW(s->findings, s->finding_count);
		GROW(s->findings_by_n, s->finding_count);
		s->findings_by_n[s->finding_count] = (struct numbered){ f->n, s->finding_count };
		s->findings[s->finding_count] = (struct selected_finding){
			.n = f->n, .explained_by = f->explained_by, .incident = f->incident, .id = f->id,
			.rank = rank_of(f->severity),
			.first_ns = f->first_ns, .withdrawn = f->state && strcmp(f->state, "withdrawn") == 0,
			.shown = true,
		};
	}
	free(f);
	if (s->finding_count)
		sort(s->findings_by_n, s->finding_count, sizeof *s->findings_by_n, numbered_compare);
	for (size_t i = 0; i < s->finding_count; i++) {
		struct selected_finding *one = &s->findings[i];
		size_t root = selection_root(s, i);

		one->problem = root == i && one->rank > RANK_INFO && !one->withdrawn;
		one->harms = !one->withdrawn && s->findings[root].rank > RANK_INFO && !s->findings[root].withdrawn;
	}
}

static bool passes(const struct view_call *c, unsigned hearer, bool heard)
{
	enum heard h = hearer == 0 ? c->caller_hears : c->callee_hears;

	if (h == HEARD_YES || h == HEARD_POOR)
		return true;
	return !heard && h == HEARD_UNKNOWN && hears_packets(c, hearer) > 0;
}

static bool passes_or_silent(const struct view_call *c, unsigned hearer)
{
	return (hearer == 0 ? c->caller_hears : c->callee_hears) == HEARD_NOT_EXPECTED || passes(c, hearer, false);
}

static struct selected_call call_select(const struct selection *s, const struct view_call *c)
{
	struct selected_call one = { .n = c->n, .state = c->state, .status = c->status,
		.answered = c->answer_ns != NS_NONE, .shown = true };

	for (unsigned i = 0; i < c->finding_count; i++) {
		ptrdiff_t f = selection_finding(s, c->findings[i]);

		if (f == SELECTION_NONE || !s->findings[f].harms || s->findings[f].rank == RANK_INFO)
			continue;
		one.affected = true;
		if (s->findings[f].rank > one.worst)
			one.worst = s->findings[f].rank;
	}
	one.as_agreed = (c->caller_hears == HEARD_NOT_EXPECTED || c->callee_hears == HEARD_NOT_EXPECTED) &&
		passes_or_silent(c, 0) &&
			passes_or_silent(c, 1);
	one.both_ways = passes(c, 0, false) && passes(c, 1, false);
	one.reported = passes(c, 0, true) && passes(c, 1, true);
	one.invisible = one.answered && (hears_invisible(c, 0) || hears_invisible(c, 1));
	one.mos = c->caller_mos;
	if (one.mos < 0 || (c->callee_mos >= 0 && c->callee_mos < one.mos))
		one.mos = c->callee_mos;
	one.poor = one.mos >= 0 && one.mos < MOS_POOR;
	return one;
}

static void read_calls(struct selection *s, const struct engine *e)
{
	struct view_call *c = memory_zalloc(sizeof *c);

	for (; view_call(e, s->call_count, c); s->call_count++) {
		GROW(s->calls, s->call_count);
		GROW(s->calls_by_n, s->call_count);
		s->calls_by_n[s->call_count] = (struct numbered){ c->n, s->call_count };
		s->calls[s->call_count] = call_select(s, c);
		if (s->calls[s->call_count].invisible)
			unseen_add(&s->unseen, c);
	}
	free(c);
	if (s->call_count)
		sort(s->calls_by_n, s->call_count, sizeof *s->calls_by_n, numbered_compare);
}

static void read_streams(struct selection *s, const struct engine *e)
{
	struct view_stream st;

	for (; view_stream(e, s->stream_count, &st); s->stream_count++) {
		GROW(s->streams, s->stream_count);
		GROW(s->streams_by_n, s->stream_count);
		s->streams_by_n[s->stream_count] = (struct numbered){ st.n, s->stream_count };
		s->streams[s->stream_count] = (struct selected_stream){ st.n, st.call };
	}
	if (s->stream_count)
		sort(s->streams_by_n, s->stream_count, sizeof *s->streams_by_n, numbered_compare);
}

struct host_place {
	struct address addr;
	size_t index;
};

/* What is held against the filter, one call after the other; the room is used again and again. */
struct chooser {
	const struct engine *engine;
	const struct selection *selection;
	const struct selection_options *options;
	int64_t since_ns, until_ns;
	struct view_call call;
	struct view_finding one, findings[32];
	struct view_stream streams[STREAM_MAX];
	struct view_host hosts[HOST_MAX];
	const struct view_finding *finding_list[32];
	const struct view_stream *stream_list[STREAM_MAX];
	const struct view_host *host_list[HOST_MAX];
	struct host_place *places;
	size_t place_count;
	struct filter_subject subject;
};

static int place_compare(const void *a, const void *b)
{
	const struct host_place *x = a, *y = b;

	return address_compare(&x->addr, &y->addr);
}

static void places_read(struct chooser *c)
{
	struct view_host h;

	for (; view_host(c->engine, c->place_count, &h); c->place_count++) {
		GROW(c->places, c->place_count);
		c->places[c->place_count] = (struct host_place){ h.addr, c->place_count };
	}
	if (c->place_count)
		sort(c->places, c->place_count, sizeof *c->places, place_compare);
}

static void add_host(struct chooser *c, const struct address *a)
{
	struct host_place key = { *a, 0 };
	const struct host_place *found = c->place_count ? bsearch(&key, c->places, c->place_count, sizeof key,
		place_compare) : NULL;
	size_t n = c->subject.host_count;

	if (!found || n == HOST_MAX || !view_host(c->engine, found->index, &c->hosts[n]))
		return;
	c->host_list[n] = &c->hosts[n];
	c->subject.host_count++;
}

static void add_hosts(struct chooser *c)
{
	const struct view_call *call = &c->call;

	add_host(c, &call->from_at.addr);
	add_host(c, &call->to_at.addr);
	for (unsigned i = 0; i < call->leg_count; i++) {
		for (unsigned j = 0; j < call->legs[i].hop_count; j++) {
			add_host(c, &call->legs[i].hops[j].a.addr);
			add_host(c, &call->legs[i].hops[j].b.addr);
		}
	}
}

static void add_streams(struct chooser *c)
{
	for (unsigned i = 0; i < c->call.media_count; i++) {
		for (unsigned j = 0; j < c->call.media[i].stream_count; j++) {
			ptrdiff_t at = selection_stream(c->selection, c->call.media[i].streams[j]);
			size_t n = c->subject.stream_count;

			if (at == SELECTION_NONE || n == STREAM_MAX ||
			    !view_stream(c->engine, (size_t)at, &c->streams[n]))
				continue;
			c->stream_list[n] = &c->streams[n];
			c->subject.stream_count++;
		}
	}
}

/* The call's findings; of a root's family only, where one is named (an index). */
static void add_findings(struct chooser *c, ptrdiff_t root)
{
	for (unsigned i = 0; i < c->call.finding_count && c->subject.finding_count < 32; i++) {
		ptrdiff_t at = selection_finding(c->selection, c->call.findings[i]);
		size_t n = c->subject.finding_count;

		if (at == SELECTION_NONE ||
		    (root != SELECTION_NONE && selection_root(c->selection, (size_t)at) != (size_t)root))
			continue;
		if (!view_finding(c->engine, (size_t)at, &c->findings[n]))
			continue;
		c->finding_list[n] = &c->findings[n];
		c->subject.finding_count++;
	}
}

static void subject_begin(struct chooser *c)
{
	c->subject = (struct filter_subject){ .engine = c->engine, .findings = c->finding_list,
		.streams = c->stream_list,
					      .hosts = c->host_list, .names = c->options->names };
}

static bool within(const struct chooser *c, int64_t first_ns, int64_t last_ns)
{
	if (c->since_ns != NS_NONE && last_ns != NS_NONE && last_ns < c->since_ns)
		return false;
	return c->until_ns == NS_NONE || first_ns == NS_NONE || first_ns < c->until_ns;
}

/* Is the call at this index to be listed; root: as add_findings has it. */
static bool chooses_call(struct chooser *c, size_t index, ptrdiff_t root)
{
	if (!view_call(c->engine, index, &c->call) || (c->options->call && c->call.n != c->options->call))
		return false;
	if (!within(c, c->call.start_ns, c->call.end_ns))
		return false;
	if (!c->options->filter)
		return true;
	subject_begin(c);
	c->subject.call = &c->call;
	c->subject.call_index = index;
	add_findings(c, root);
	add_streams(c);
	if (filter_wants_hosts(c->options->filter))
		add_hosts(c);
	return filter_match(c->options->filter, &c->subject);
}

static bool chooses_finding(struct chooser *c, size_t index)
{
	size_t root = selection_root(c->selection, index);

	if (!view_finding(c->engine, index, &c->one) || !within(c, c->one.first_ns, c->one.last_ns))
		return false;
	for (unsigned i = 0; i < c->one.call_id_count; i++) {
		ptrdiff_t call = selection_call(c->selection, c->one.call_numbers[i]);

		if (call != SELECTION_NONE && chooses_call(c, (size_t)call, (ptrdiff_t)root))
			return true;
	}
	if (c->one.call_id_count || c->options->call)
		return false;
	if (!c->options->filter)
		return true;
	subject_begin(c);
	c->finding_list[0] = &c->one;
	c->subject.finding_count = 1;
	return filter_match(c->options->filter, &c->subject);
}

static void resolve_times(struct chooser *c)
{
	const struct selection_options *o = c->options;
	struct view_capture *capture = memory_zalloc(sizeof *capture);
	int64_t unused;

	view_capture(c->engine, capture);
	c->since_ns = c->until_ns = NS_NONE;
	if (o->since)
		when_resolve(o->since, capture->first_ns, capture->last_ns, &c->since_ns, &unused);
	if (o->until)
		when_resolve(o->until, capture->first_ns, capture->last_ns, &unused, &c->until_ns);
	if (o->filter)
		filter_resolve(o->filter, capture->first_ns, capture->last_ns);
	free(capture);
}

struct chooser *chooser_new(const struct selection *s, const struct engine *e, const struct selection_options *o)
{
	struct chooser *c = memory_zalloc(sizeof *c);

	c->engine = e;
	c->selection = s;
	c->options = o;
	resolve_times(c);
	if (o->filter && filter_wants_hosts(o->filter))
		places_read(c);
	return c;
}

void chooser_free(struct chooser *c)
{
	if (!c)
		return;
	free(c->places);
	free(c);
}

bool chooser_call(struct chooser *c, size_t index)
{
	return chooses_call(c, index, SELECTION_NONE);
}

bool chooser_finding(struct chooser *c, size_t index)
{
	return chooses_finding(c, index);
}

static void choose(struct selection *s, const struct engine *e, const struct selection_options *o)
{
	struct chooser *c = chooser_new(s, e, o);

	for (size_t i = 0; i < s->call_count; i++)
		s->calls[i].shown = chooser_call(c, i);
	for (size_t i = 0; i < s->finding_count; i++)
		s->findings[i].shown = chooser_finding(c, i);
	chooser_free(c);
}

static int problem_compare(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? 1 : -1;
	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	return (x->lead > y->lead) - (x->lead < y->lead);
}

static void add_problem(struct selection *s, const struct problem *p)
{
	GROW(s->problems, s->problem_count);
	s->problems[s->problem_count++] = *p;
	s->problems_hidden += !p->shown && s->counts_hidden;
}

/* An incident's lead is its worst root, the first of equals; without any root at warning or above it is no problem. */
static void add_incident(struct selection *s, size_t index, const struct view_incident *v, bool *taken)
{
	struct problem p = { .has_incident = true, .incident = index, .first_ns = v->first_ns };
	bool found = false;

	for (unsigned i = 0; i < v->finding_count; i++) {
		ptrdiff_t at = selection_finding(s, v->findings[i]);

		if (at == SELECTION_NONE || !s->findings[at].problem || taken[at])
			continue;
		taken[at] = true;
		if (!found || s->findings[at].rank > p.rank) {
			p.lead = (size_t)at;
			p.rank = s->findings[at].rank;
		}
		p.shown |= s->findings[at].shown;
		found = true;
	}
	if (found)
		add_problem(s, &p);
}

static void read_problems(struct selection *s, const struct engine *e)
{
	struct view_incident *v = memory_zalloc(sizeof *v);
	bool *taken = memory_zalloc((s->finding_count + 1) * sizeof *taken);

	for (size_t i = 0; view_incident(e, i, v); i++)
		add_incident(s, i, v, taken);
	for (size_t i = 0; i < s->finding_count; i++) {
		const struct selected_finding *f = &s->findings[i];

		if (f->problem && !taken[i])
			add_problem(s, &(struct problem){ .lead = i, .rank = f->rank, .first_ns = f->first_ns,
				.shown = f->shown });
	}
	free(taken);
	free(v);
	if (s->problem_count)
		sort(s->problems, s->problem_count, sizeof *s->problems, problem_compare);
}

void selection_init(struct selection *s, const struct engine *e, const struct selection_options *options)
{
	*s = (struct selection){ .narrowed = options->filter || options->since || options->until || options->call,
				   .counts_hidden = !options->call };
	read_findings(s, e);
	read_calls(s, e);
	read_streams(s, e);
	if (s->narrowed)
		choose(s, e, options);
	read_problems(s, e);
}

void selection_fini(struct selection *s)
{
	free(s->findings);
	free(s->calls);
	free(s->streams);
	free(s->problems);
	free(s->findings_by_n);
	free(s->calls_by_n);
	free(s->streams_by_n);
	*s = (struct selection){ .narrowed = false };
}

uint64_t selection_registrations_alone(const struct selection *s, const struct engine *e)
{
	struct view_capture *c = memory_zalloc(sizeof *c);
	struct view_registration g;
	struct view_end end;
	bool alone;

	view_capture(e, c);
	view_end(e, &end);
	alone = s->call_count == 0 && end.streams == 0 && c->tls == 0;
	free(c);
	for (size_t i = 0; alone && view_registration(e, i, &g); i++)
		alone = g.state && strcmp(g.state, "failed") != 0 && strcmp(g.state, "unknown") != 0;
	return alone ? end.registrations : 0;
}
