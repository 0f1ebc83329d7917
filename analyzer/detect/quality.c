/* SPDX-License-Identifier: MIT */
/* quality: common ground of the detectors that measure streams. */
#include "analyzer/detect/quality.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"

enum {
	DIFFER_LEAST = 10,
	DIFFER_SHARE = 10,
	LACKS_LEAST = 25             /* packets of a hole: half a second */
};

#define TOGETHER_NS (500 * MILLISECOND_NS)   /* else their intervals are of different packets */

const struct leg *quality_leg(const struct stream *s)
{
	return s->direction ? s->direction->slot->dialog->leg : NULL;
}

bool quality_measurable(struct detection *d, const struct stream *s, double min_packets, int64_t min_ns)
{
	if (s->twin_next) {
		detection_pass(d, NULL, "seen again nearer its receiver: judged there");
		return false;
	}
	if (s->direction && s->direction->slot->kind != SDP_AUDIO) {
		detection_pass(d, NULL, "not audio");
		return false;
	}
	if ((double)s->packets < min_packets || s->last_ns - s->first_ns < min_ns) {
		detection_pass(d, NULL, "%llu packets in %.1f s are too few to measure", (unsigned long long)s->packets,
			       (double)(s->last_ns - s->first_ns) / 1e9);
		return false;
	}
	if (s->multicast) {
		detection_pass(d, NULL, "multicast");
		return false;
	}
	return true;
}

bool quality_comes_slower(const struct stream *s, uint32_t clock_hz)
{
	static const double clocks[] = { 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000 };
	double hz = s->ts_rate_hz;

	/* a line that carries less than half of a call carries none */
	if (hz < clock_hz / 2.0 || hz >= clock_hz * (1 - WRONG_CLOCK))
		return false;
	for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
		if (hz > clocks[i] * (1 - WRONG_CLOCK) && hz < clocks[i] * (1 + WRONG_CLOCK))
			return false;
	}
	return true;
}

const char *quality_listener(const struct facts *facts, const struct stream *s, char buffer[SAY_TEXT])
{
	if (!s->direction)
		return say_host(facts, &s->dst.addr, buffer);
	return say_party(facts, quality_leg(s), side_other(s->direction->sender), buffer);
}

const struct stream *quality_made_of(const struct facts *facts, const struct stream *s)
{
	const struct stream *in = s->twin_kind == TWIN_RELAY ? s->twin_of : stream_flaws(s)->sounds_as;

	return in && network_same(facts->network, &in->dst.addr, &s->src.addr) ? in : NULL;
}

void quality_parts(struct finding *f, const struct stream *s)
{
	if (quality_leg(s))
		finding_leg(f, quality_leg(s));
	f->direction = s->direction;
	finding_part(f, PART_VICTIM, &s->dst);
	finding_part(f, PART_WITNESS, &stream_origin(s)->src);
	finding_stream(f, s->n);
	finding_times(f, s->first_ns, s->last_ns);
}

static bool overlaps_most(const struct stream *a, const struct stream *b)
{
	int64_t from_ns = a->first_ns > b->first_ns ? a->first_ns : b->first_ns,
		to_ns = a->last_ns < b->last_ns ? a->last_ns : b->last_ns;

	return ns_minus(to_ns, from_ns) * 10 >= ns_minus(b->last_ns, b->first_ns) * 8;
}

typedef void visit_fn(const struct stream *s, void *context);

static void each_of_dialog(const struct dialog *dialog, visit_fn *visit, void *context)
{
	for (unsigned i = 0; i < dialog->mslot_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			const struct direction *d = &dialog->mslots[i].direction[side];

			for (unsigned k = 0; k < d->stream_count; k++)
				visit(d->streams[k], context);
		}
	}
}

static void each_of_call(const struct call *call, visit_fn *visit, void *context)
{
	LIST_EACH(it, &call->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		LIST_EACH(dit, &leg->dialogs)
			each_of_dialog(LIST_ENTRY(dit, struct dialog, in_leg), visit, context);
	}
}

struct search { const struct facts *facts; const struct stream *s, *found; unsigned count; };

static void take_if_got(const struct stream *x, void *context)
{
	struct search *q = context;

	if (quality_leg(x) == quality_leg(q->s) || !overlaps_most(x, q->s) ||
	    !network_same(q->facts->network, &x->dst.addr, &q->s->src.addr))
		return;
	q->found = x;
	q->count++;
}

const struct stream *quality_other_leg(const struct facts *facts, const struct stream *s)
{
	struct search q = { .facts = facts, .s = s };
	const struct call *call = quality_leg(s) ? quality_leg(s)->call : NULL;

	if (!call || call->legs.count != 2)
		return NULL;
	each_of_call(call, take_if_got, &q);
	return q.count == 1 ? q.found : NULL;
}

const struct stream *quality_got(const struct facts *facts, const struct stream *s)
{
	const struct stream *in = quality_made_of(facts, s);

	return in ? in : quality_other_leg(facts, s);
}

struct onward { struct finding *f; const struct facts *facts; const struct stream *s; quality_source *of; };

static void add_if_made_of(const struct stream *x, void *context)
{
	struct onward *o = context;

	if (x == o->s || o->of(o->facts, x) != o->s)
		return;
	finding_leg(o->f, quality_leg(x));
	finding_part(o->f, PART_VICTIM, &x->dst);
	finding_stream(o->f, x->n);
}

void quality_listeners_behind(struct finding *f, const struct facts *facts, const struct stream *s, quality_source *of)
{
	const struct call *call = quality_leg(s) ? quality_leg(s)->call : NULL;
	struct onward o = { f, facts, s, of };

	if (call && call->legs.count > 1)
		each_of_call(call, add_if_made_of, &o);
}

void quality_evidence(struct finding *f, const struct stream *s, const char *format, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	finding_evidence_run(f, stream_frame(s, s->first_frame, s->first_ns), s->last_frame, "%s", what);
}

bool quality_lost_by_point(const struct gates *g, const struct stream *s, const struct gap *gap)
{
	const struct stream *twin = s->twin_of ? s->twin_of : s->twin_next;

	return twin && twin->file != s->file && gates_file_still(g, s->file, gap->from_ns, gap->to_ns) &&
	       stream_packets_between(twin, gap->from_ns, gap->to_ns) * 2 > gap->seq_step;
}

static int32_t interval_lost(const struct interval *x)
{
	return (int32_t)(x->expected - x->packets);
}

unsigned quality_points_differ(const struct stream *s)
{
	const struct stream *earlier = s->twin_of;
	unsigned there = 0, lost = 0;

	if (!earlier || s->twin_kind == TWIN_RELAY || earlier->interval_ns != s->interval_ns ||
	    ns_minus(s->first_ns, earlier->first_ns) > TOGETHER_NS || ns_minus(earlier->first_ns, s->first_ns) > TOGETHER_NS)
		return 0;
	for (unsigned i = 0, k = 0; i < s->interval_count && k < earlier->interval_count;) {
		int64_t at_ns = ns_minus(s->intervals[i].at_ns, s->first_ns),
			there_ns = ns_minus(earlier->intervals[k].at_ns, earlier->first_ns);
		int32_t more = interval_lost(&earlier->intervals[k]) - interval_lost(&s->intervals[i]);

		if (at_ns != there_ns) {
			i += at_ns < there_ns;
			k += at_ns > there_ns;
			continue;
		}
		there += more > 1 ? (unsigned)more : 0;      /* one may stand on the other side of an edge */
		lost += (unsigned)interval_lost(&earlier->intervals[k]);
		i++;
		k++;
	}
	return there >= DIFFER_LEAST && there * DIFFER_SHARE >= lost ? there : 0;
}

bool quality_sent_elsewhere(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	return lookup_sent_elsewhere(facts->lookup, s, g->from_ns, g->to_ns) * 10 >= (g->seq_step - 1) * 9.0;
}

/* How many more its receiver reports as lost after the hole than before it; negative: no reports tell. */
static int reported_more(const struct facts *facts, const struct stream *s, const struct gap *g, int missing)
{
	const struct rtcp_view *v = rtcp_view_of(facts->rtcp, s);
	const struct rtcp_report *before = NULL, *behind = NULL;

	if (!v || v->by->encrypted || missing == 0)
		return -1;
	for (unsigned i = 0; i < v->report_count; i++) {
		const struct rtcp_report *r = &v->reports[i];

		if (r->at_ns <= g->from_ns)
			before = r;
		else if (r->at_ns > ns_add(g->to_ns, SECOND_NS) && !behind)
			behind = r;
	}
	if (!before || !behind || (int32_t)(behind->ext_seq - before->ext_seq) <= missing)
		return -1;
	missing = behind->cumulative_lost - before->cumulative_lost;
	return missing > 0 ? missing : 0;
}

bool quality_beside(const struct facts *facts, const struct stream *s, const struct endpoint *at)
{
	return network_at_point(facts->network, &at->addr, s->capture, s->interface, s->ifindex);
}

static int missing_in(const struct gap *g)
{
	return g->seq_step > 1 ? (int)g->seq_step - 1 : 0;
}

bool quality_receiver_has(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	int missing = missing_in(g), more = reported_more(facts, s, g, missing);

	return more >= 0 && more < missing / 4;
}

bool quality_receiver_lacks(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	int missing = missing_in(g);

	return missing >= LACKS_LEAST && reported_more(facts, s, g, missing) >= missing / 2;
}
