/* SPDX-License-Identifier: MIT */
/*
 * report_problem: a problem as a block: title, id, who, since when, why, by which proof, what to change, what it
 * explains.
 */
#include "ui/report_part.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/known.h"
#include "ui/explained.h"
#include "ui/hears.h"
#include "ui/page.h"
#include "ui/words.h"

enum { EVIDENCE_SHOWN = 6, BLOCKS_SHOWN = 50, IDS_SHOWN = 12, FILE_COLUMNS = 16,
	SAME_PREFIX_MIN = 8 };

static const int64_t GRACE_NS = 3 * SECOND_NS;

/* All that a block is made of; on the heap, as views are large. */
struct block {
	const struct report *r;
	const struct problem *problem;       /* NULL: a fact */
	size_t lead;
	struct view_finding finding;
	struct view_incident incident;
	bool has_incident;
	struct view_call call;               /* the only call of it */
	bool has_call;
	unsigned calls;                      /* affected in all */
};

static const char *mark_of(enum rank rank, enum paint *ret_paint)
{
	*ret_paint = rank == RANK_INFO ? PAINT_DIM : rank == RANK_WARNING ? PAINT_WARN : PAINT_BAD;
	return rank == RANK_INFO ? "·" : rank == RANK_WARNING ? "!" : "✗";
}

static void field(const struct block *b, const char *label, const char *text)
{
	if (text && *text)
		out_paragraph(b->r->out, BLOCK_INDENT, label, BLOCK_LABEL_COLUMNS, PAINT_HEAD, text);
}

static void field_text(const struct block *b, const char *label, struct text *t)
{
	field(b, label, t->p);
	text_fini(t);
}

static void add_scope(struct text *t, const struct block *b)
{
	char calls[WORDS];

	if (b->calls == 0)
		text_add(t, "no call");
	else if (b->calls == 1 && b->finding.call_id_count && b->finding.call_numbers[0])
		text_addf(t, "call %u", b->finding.call_numbers[0]);
	else
		text_add(t, words_counted(b->calls, "call", calls));
	if (b->calls > 1)
		report_phones(t, b->r, &b->finding, b->has_incident ? &b->incident : NULL);
}

static void block_title(const struct block *b)
{
	const struct view_finding *f = &b->finding;
	enum paint paint;
	const char *mark = mark_of(b->problem ? b->problem->rank : RANK_INFO, &paint);
	struct text t;

	out_paragraph(b->r->out, 0, mark, 2, paint,
		b->has_incident && b->incident.title ? b->incident.title : f->title);
	text_init(&t);
	text_addf(&t, "%s%s%s   %s, %s   ", f->id, f->reason && *f->reason ? "/" : "", f->reason ? f->reason : "",
		  b->has_incident ? b->incident.severity : f->severity,
		  b->has_incident ? b->incident.confidence : f->confidence);
	add_scope(&t, b);
	out_paragraph(b->r->out, BLOCK_INDENT, "", 0, PAINT_PLAIN, t.p);
	text_fini(&t);
}

static void block_who(const struct block *b)
{
	struct text t;

	text_init(&t);
	if (b->has_call)
		report_who(&t, b->r, &b->call, &b->finding);
	field_text(b, "Who", &t);
}

static bool is_near(int64_t a_ns, int64_t b_ns)
{
	return a_ns != NS_NONE && b_ns != NS_NONE && a_ns - b_ns < 2 * MILLISECOND_NS &&
	       b_ns - a_ns < 2 * MILLISECOND_NS;
}

static void add_until(struct text *t, const struct block *b, int64_t since_ns, int64_t last_ns)
{
	char clock[NS_TEXT], length[WORDS];
	const struct view_call *c = &b->call;

	if (last_ns == NS_NONE || last_ns <= since_ns)
		return;
	if (b->has_call && c->end_ns != NS_NONE && ns_minus(c->end_ns, last_ns) < SECOND_NS)
		text_add(t, "; to the end");
	else
		text_addf(t, "; to %s", ns_clock(last_ns, 3, clock));
	text_addf(t, ", %s", words_duration(ns_minus(last_ns, since_ns), length));
}

/* Silence from the answer on is found a moment later, when audio is due: it began with the answer. */
static bool since_the_answer(const struct block *b)
{
	const struct view_finding *f = &b->finding;

	return b->has_call && f->since_ns == NS_NONE &&
	       (strcmp(f->id, "one-way-audio") == 0 || strcmp(f->id, "no-audio") == 0 ||
	       strcmp(f->id, "nat-address-mismatch") == 0) &&
	       b->call.answer_ns != NS_NONE && f->first_ns > b->call.answer_ns &&
	       ns_minus(f->first_ns, b->call.answer_ns) < GRACE_NS;
}

static void block_since(const struct block *b)
{
	int64_t since_ns = b->finding.since_ns != NS_NONE ? b->finding.since_ns : b->finding.first_ns;
	int64_t last_ns = b->has_incident && b->incident.last_ns != NS_NONE ? b->incident.last_ns : b->finding.last_ns;
	char clock[NS_TEXT];
	struct text t;

	if (b->has_incident && b->calls > 1 && b->incident.first_ns != NS_NONE && b->incident.first_ns < since_ns)
		since_ns = b->incident.first_ns;
	if (since_ns == NS_NONE)
		return;
	if (since_the_answer(b))
		since_ns = b->call.answer_ns;
	text_init(&t);
	text_add(&t, ns_clock(since_ns, 3, clock));
	if (b->has_call && is_near(since_ns, b->call.answer_ns))
		text_add(&t, ", the answer");
	else if (b->has_call && is_near(since_ns, b->call.start_ns))
		text_add(&t, ", the INVITE");
	add_until(&t, b, since_ns, last_ns);
	field_text(b, "Since", &t);
}

/* Bytes that all file names begin with and that tell nothing, up to a point, dash or underscore. */
static size_t same_prefix(const struct report *r)
{
	struct text first, other;
	size_t same = 0, end = 0;

	text_init(&first);
	text_init(&other);
	report_file_name(&first, r, 0);
	for (size_t i = 1; i < r->file_count; i++) {
		size_t n = 0;

		text_clear(&other);
		report_file_name(&other, r, i);
		while (n < first.n && first.p[n] == other.p[n])
			n++;
		same = i == 1 || n < same ? n : same;
	}
	for (size_t n = 0; n < same; n++)
		if (strchr(".-_", first.p[n]))
			end = n + 1;
	text_fini(&other);
	text_fini(&first);
	return end < SAME_PREFIX_MIN ? 0 : end;
}

static void add_file(struct text *t, const struct report *r, size_t file)
{
	size_t skip = same_prefix(r);
	struct text name, rest;

	text_init(&name);
	text_init(&rest);
	report_file_name(&name, r, file);
	text_addf(&rest, "%s%s", skip && skip < name.n ? "…" : "", skip < name.n ? name.p + skip : name.p);
	words_cut(t, rest.p, FILE_COLUMNS, true);
	text_fini(&rest);
	text_fini(&name);
}

static void add_frames(struct text *t, const struct report *r, const struct view_evidence *e)
{
	if (e->frame == 0)
		return;
	if (e->last_frame > e->frame)
		text_addf(t, "frames %u-%u", e->frame, e->last_frame);
	else
		text_addf(t, "frame %u", e->frame);
	if (r->file_count < 2 || e->file >= r->file_count)
		return;
	text_add(t, ", ");
	add_file(t, r, e->file);
}

struct proof {
	char *what, *frames;
	size_t columns;              /* of frames */
};

/* Where the frames stand: two columns behind the longest text, as far right as the longest of them allows. */
static size_t frames_column(const struct proof *proofs, size_t count, size_t width)
{
	size_t text = 0, frames = 0;

	for (size_t i = 0; i < count; i++) {
		size_t n = text_columns(proofs[i].what);

		if (proofs[i].columns > frames)
			frames = proofs[i].columns;
		if (proofs[i].columns && n > text)
			text = n;
	}
	if (frames == 0)
		return width;
	return text + 2 + frames <= width ? text + 2 : width > frames + 20 ? width - frames : 20;
}

/* One numbered line of proof; a long text goes on below itself, the frames stand beside its first line. */
static void proof_print(struct out *o, const struct proof *proof, unsigned number, size_t at, size_t width)
{
	struct out inner;
	const char *line, *end;
	size_t room = proof->columns ? at - 2 : width;
	char label[16];

	out_init(&inner, -1);
	inner.columns = (unsigned)room;
	inner.ascii = o->ascii;
	out_paragraph(&inner, 0, "", 0, PAINT_PLAIN, proof->what);
	snprintf(label, sizeof label, "%u ", number);
	for (line = inner.text.p; (end = strchr(line, '\n')); line = end + 1) {
		bool first = line == inner.text.p;
		struct text part;

		text_init(&part);
		text_addf(&part, "%.*s", (int)(end - line), line);
		if (first && number == 1)
			out_paint(o, PAINT_HEAD, "  Because  ");
		else
			out_spaces(o, BLOCK_INDENT + BLOCK_LABEL_COLUMNS);
		out_text(o, first ? label : "  ");
		out_text(o, part.p);
		if (first && proof->columns) {
			out_spaces(o, at - text_columns(part.p));
			out_text(o, proof->frames);
		}
		out_text(o, "\n");
		text_fini(&part);
	}
	out_fini(&inner);
}

static void proofs_page(struct out *o, const struct proof *proofs, size_t count)
{
	if (count == 0)
		return;
	page_end_line(o);
	page_raw(o, "<div class=\"row\"><b class=\"head\">Because</b> <ol>\n");
	for (size_t i = 0; i < count; i++) {
		page_raw(o, "<li>");
		page_escaped(o, proofs[i].what);
		page_raw(o, *proofs[i].frames ? " <i>" : "");
		page_escaped(o, proofs[i].frames);
		page_raw(o, *proofs[i].frames ? "</i></li>\n" : "</li>\n");
	}
	page_raw(o, "</ol></div>\n");
}

static void proofs_print(struct out *o, const struct proof *proofs, size_t count, size_t width)
{
	size_t at = frames_column(proofs, count, width);

	for (size_t i = 0; i < count; i++)
		proof_print(o, &proofs[i], (unsigned)i + 1, at, width);
}

static void block_proof(const struct block *b)
{
	const struct view_finding *f = &b->finding;
	unsigned width = b->r->out->columns < COLUMNS_DEFAULT ? b->r->out->columns : COLUMNS_DEFAULT;
	struct proof proofs[EVIDENCE_SHOWN];
	size_t count = 0;

	width -= BLOCK_INDENT + BLOCK_LABEL_COLUMNS + 2;
	for (unsigned i = 0; i < f->evidence_count && count < EVIDENCE_SHOWN; i++) {
		struct text frames;

		if (!f->evidence[i].what)
			continue;
		text_init(&frames);
		add_frames(&frames, b->r, &f->evidence[i]);
		proofs[count++] = (struct proof){ memory_text(f->evidence[i].what), memory_text(frames.p),
			text_columns(frames.p) };
		text_fini(&frames);
	}
	if (b->r->out->page)
		proofs_page(b->r->out, proofs, count);
	else
		proofs_print(b->r->out, proofs, count, width);
	for (size_t i = 0; i < count; i++) {
		free(proofs[i].what);
		free(proofs[i].frames);
	}
}

static void block_frames(const struct block *b)
{
	const struct view_finding *f = &b->finding;
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < f->evidence_count; i++)
		if (f->evidence[i].frame)
			text_addf(&t, "%s%u", t.n ? " " : "", f->evidence[i].frame);
	field_text(b, "Frames", &t);
}

static void block_names(const struct block *b)
{
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < b->finding.host_count; i++) {
		const struct address *a = &b->finding.hosts[i].at.addr;
		const char *name = names_find(b->r->names, a);
		char addr[ADDRESS_TEXT];
		bool said = false;

		for (unsigned j = 0; j < i; j++)
			said |= address_equal(&b->finding.hosts[j].at.addr, a);
		if (name && !said)
			text_addf(&t, "%s%s is %s", t.n ? ", " : "", address_text(a, addr), name);
	}
	field_text(b, "Names", &t);
}

static void block_reason(const struct block *b)
{
	const struct view_finding *f = &b->finding;
	struct text t;

	if (f->other_reason_count == 0 && f->reason && strcmp(f->reason, "unknown") == 0)
		return;                 /* no reason is no news */
	if (!f->reason_confidence || (strcmp(f->reason_confidence, f->confidence) == 0 && f->other_reason_count == 0))
		return;
	text_init(&t);
	if (f->reason && strcmp(f->reason, "unlocated") == 0)
		text_add(&t, "unlocated: nothing in this capture tells where");
	else
		text_addf(&t, "%s is %s", f->reason ? f->reason : "the reason", f->reason_confidence);
	for (unsigned i = 0; i < f->other_reason_count; i++)
		text_addf(&t, "%s%s", i ? ", " : f->change_count ? "; also: " : "; it may also be ",
			f->other_reasons[i]);
	field_text(b, "Reason", &t);
}

struct id_count {
	const char *id;
	unsigned count;
};

static void count_id(struct id_count *ids, size_t *count, const char *id)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(ids[i].id, id) == 0) {
			ids[i].count++;
			return;
		}
	}
	if (*count < IDS_SHOWN)
		ids[(*count)++] = (struct id_count){ id, 1 };
}

static void add_ids(struct text *t, const struct id_count *ids, size_t count, const char *before)
{
	for (size_t i = 0; i < count; i++) {
		text_addf(t, "%s%s", i ? ", " : before, ids[i].id);
		if (ids[i].count > 1)
			text_addf(t, " (%u)", ids[i].count);
	}
}

static void block_explains(const struct block *b, const struct explained *e)
{
	struct id_count consequences[IDS_SHOWN], siblings[IDS_SHOWN];
	const struct selection *s = b->r->selection;
	size_t consequence_count = 0, sibling_count = 0;
	struct text t;

	for (size_t i = explained_first(e, b->lead); i != EXPLAINED_NONE; i = e->next[i])
		count_id(consequences, &consequence_count, s->findings[i].id);
	for (unsigned i = 0; b->has_incident && i < b->incident.finding_count; i++) {
		ptrdiff_t at = selection_finding(s, b->incident.findings[i]);

		if (at == SELECTION_NONE || (size_t)at == b->lead || s->findings[at].withdrawn)
			continue;
		if (!s->findings[at].explained_by) {
			count_id(siblings, &sibling_count, s->findings[at].id);
			for (size_t j = explained_first(e, (size_t)at); j != EXPLAINED_NONE; j = e->next[j])
				count_id(consequences, &consequence_count, s->findings[j].id);
		}
	}
	text_init(&t);
	add_ids(&t, consequences, consequence_count, "");
	add_ids(&t, siblings, sibling_count, t.n ? "; same incident: " : "same incident: ");
	field_text(b, "Explains", &t);
}

/* Its calls as the table counts them: joined legs are one. */
static unsigned calls_of(const struct view_finding *f)
{
	unsigned joined = 0, all = f->calls_total > f->call_id_count ? f->calls_total : f->call_id_count;

	for (unsigned i = 1; i < f->call_id_count; i++) {
		bool same = false;

		for (unsigned j = 0; j < i && !same; j++)
			same = f->call_numbers[i] && f->call_numbers[j] == f->call_numbers[i];
		joined += same;
	}
	return all - joined;
}

static void block_load(struct block *b, const struct report *r, const struct problem *p, size_t lead)
{
	ptrdiff_t call;

	b->r = r;
	b->problem = p;
	b->lead = lead;
	view_finding(r->engine, lead, &b->finding);
	b->has_incident = p && p->has_incident && view_incident(r->engine, p->incident, &b->incident);
	b->calls = calls_of(&b->finding);
	if (b->has_incident && b->incident.calls_total > b->calls)
		b->calls = b->incident.calls_total;
	call = b->calls == 1 && b->finding.call_id_count ? selection_call(r->selection,
		b->finding.call_numbers[0]) : SELECTION_NONE;
	b->has_call = call != SELECTION_NONE && view_call(r->engine, (size_t)call, &b->call);
}

static void block_history(const struct block *b)
{
	struct text t;

	if (!b->r->baseline)
		return;
	text_init(&t);
	known_words(&t, b->r->baseline, &b->finding);
	field_text(b, "History", &t);
}

static void block_claim(const struct block *b)
{
	const struct view_finding *f = &b->finding;

	block_title(b);
	if (b->problem)
		block_who(b);
	block_names(b);
	block_since(b);
	block_history(b);
	field(b, "Cause", b->has_incident && b->incident.cause ? b->incident.cause : f->cause);
	block_reason(b);
	report_changes(b->r, f);
}

static void block_advice(const struct block *b, const struct explained *e)
{
	const struct view_finding *f = &b->finding;

	field(b, "Not seen", f->cannot_see);
	field(b, "Healthy", b->has_incident ? b->incident.healthy : NULL);
	field(b, "Fix", b->has_incident && b->incident.fix ? b->incident.fix : f->fix);
	block_explains(b, e);
}

static void block_print(const struct block *b, const struct explained *e)
{
	out_text(b->r->out, "\n");
	block_claim(b);
	if (b->problem || b->r->verbose)
		block_proof(b);
	else
		block_frames(b);
	block_advice(b, e);
}

void report_block(const struct report *r, size_t finding, enum block_part part)
{
	const struct selection *s = r->selection;
	const struct problem *problem = NULL;
	struct block *b = memory_zalloc(sizeof *b);
	struct explained e = explained_make(s);

	for (size_t i = 0; i < s->problem_count && !problem; i++)
		if (s->problems[i].lead == finding)
			problem = &s->problems[i];
	block_load(b, r, problem, finding);
	if (part == BLOCK_CLAIM)
		block_claim(b);
	else
		block_advice(b, &e);
	explained_free(&e);
	free(b);
}

void report_problems(const struct report *r)
{
	const struct selection *s = r->selection;
	struct block *b = memory_zalloc(sizeof *b);
	struct explained e = explained_make(s);
	size_t printed = 0, more = 0;
	char text[120], count[WORDS];

	for (size_t i = 0; i < s->problem_count; i++) {
		if (!s->problems[i].shown)
			continue;
		if (!r->verbose && printed >= BLOCKS_SHOWN) {
			more++;
			continue;
		}
		printed++;
		block_load(b, r, &s->problems[i], s->problems[i].lead);
		block_print(b, &e);
	}
	if (more) {
		snprintf(text, sizeof text, "\nand %s: -v, --json or --filter list them\n",
			words_counted(more, "more problem", count));
		out_text(r->out, text);
	}
	if (s->problems_hidden) {
		snprintf(text, sizeof text, "\n%s hidden by --filter\n",
			words_counted(s->problems_hidden, "problem", count));
		out_text(r->out, text);
	}
	explained_free(&e);
	free(b);
}

/* Facts that say what the capture cannot show. */
static bool limits_the_capture(const char *id)
{
	return strncmp(id, "capture-", 8) == 0 || strcmp(id, "signalling-encrypted") == 0;
}

bool report_fact_shown(const struct report *r, const struct selected_finding *f)
{
	return f->shown && !f->explained_by && limits_the_capture(f->id) && report_cannot_tell(r);
}

void report_facts(const struct report *r, enum facts which)
{
	const struct selection *s = r->selection;
	struct block *b = memory_zalloc(sizeof *b);
	struct explained e = explained_make(s);
	size_t printed = 0;

	for (size_t i = 0; i < s->finding_count && (r->verbose || printed < BLOCKS_SHOWN); i++) {
		const struct selected_finding *f = &s->findings[i];
		bool first = report_fact_shown(r, f);

		if (f->rank != RANK_INFO || f->withdrawn || !f->shown || f->explained_by)
			continue;
		for (size_t j = explained_first(&e, i); j != EXPLAINED_NONE && !first; j = e.next[j])
			first = s->findings[j].rank > RANK_INFO;
		if (which != FACTS_ALL && first != (which == FACTS_FIRST))
			continue;
		printed++;
		block_load(b, r, NULL, i);
		block_print(b, &e);
	}
	explained_free(&e);
	free(b);
}
