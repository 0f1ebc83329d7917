/* SPDX-License-Identifier: MIT */
/* quality: common ground of the detectors that measure streams. */
#include "analyzer/detect/quality.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/lookup.h"

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

	if (hz <= 0 || hz >= clock_hz * (1 - WRONG_CLOCK))
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

bool quality_sent_elsewhere(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	return lookup_sent_elsewhere(facts->lookup, s, g->from_ns, g->to_ns) * 10 >= (g->seq_step - 1) * 9.0;
}

bool quality_receiver_has(const struct facts *facts, const struct stream *s, const struct gap *g)
{
	const struct rtcp_view *v = rtcp_view_of(facts->rtcp, s);
	const struct rtcp_report *before = NULL, *behind = NULL;
	int missing = g->seq_step > 1 ? (int)g->seq_step - 1 : 0;

	if (!v || v->by->encrypted || missing == 0)
		return false;
	for (unsigned i = 0; i < v->report_count; i++) {
		const struct rtcp_report *r = &v->reports[i];

		if (r->at_ns <= g->from_ns)
			before = r;
		else if (r->at_ns > ns_add(g->to_ns, SECOND_NS) && !behind)
			behind = r;
	}
	return before && behind && (int32_t)(behind->ext_seq - before->ext_seq) > missing &&
	       behind->cumulative_lost - before->cumulative_lost < missing / 4;
}
