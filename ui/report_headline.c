/* SPDX-License-Identifier: MIT */
/* report_headline: the answer in one line, and what stands below it. */
#include "ui/report_part.h"

#include <stdio.h>

#include "dissect/dissect.h"
#include "ui/words.h"

enum { STATUSES_NAMED = 4 };

struct tally {
	size_t answered, both_ways, as_agreed, reported, invisible, affected, poor;
	size_t busy, cancelled, declined, redirected, failed, ringing, begun_before, other;
	double lowest_mos;
	size_t lowest;               /* index of the call with it */
};

static void tally_state(struct tally *t, const char *state)
{
	if (strcmp(state, "busy") == 0)
		t->busy++;
	else if (strcmp(state, "cancelled") == 0)
		t->cancelled++;
	else if (strcmp(state, "declined") == 0)
		t->declined++;
	else if (strcmp(state, "redirected") == 0)
		t->redirected++;
	else if (strcmp(state, "failed") == 0)
		t->failed++;
	else if (strcmp(state, "ringing") == 0)
		t->ringing++;
	else if (strcmp(state, "ended") == 0)
		t->begun_before++;
	else
		t->other++;
}

static struct tally tally_make(const struct selection *s)
{
	struct tally t = { .lowest_mos = -1 };

	for (size_t i = 0; i < s->call_count; i++) {
		const struct selected_call *c = &s->calls[i];

		t.affected += c->affected;
		if (!c->answered) {
			tally_state(&t, c->state ? c->state : "");
			continue;
		}
		t.answered++;
		t.both_ways += c->both_ways;
		t.as_agreed += c->as_agreed;
		t.reported += c->reported;
		t.invisible += c->invisible;
		t.poor += c->poor;
		if (c->mos >= 0 && (t.lowest_mos < 0 || c->mos < t.lowest_mos)) {
			t.lowest_mos = c->mos;
			t.lowest = i;
		}
	}
	return t;
}

bool report_cannot_tell(const struct report *r)
{
	struct tally t = tally_make(r->selection);

	return t.answered > 0 && t.invisible == t.answered && r->selection->problem_count == 0;
}

static void headline(const struct report *r, const char *mark, enum paint paint, const char *text)
{
	out_paragraph(r->out, 0, mark, 2, paint, text);
}

static void below(const struct report *r, const char *label, const char *text)
{
	out_paragraph(r->out, BLOCK_INDENT, label, BLOCK_LABEL_COLUMNS, PAINT_HEAD, text);
}

static void headline_problems(const struct report *r, const struct tally *t)
{
	const struct selection *s = r->selection;
	char problems[WORDS], affected[WORDS], calls[WORDS], text[160];
	enum rank worst = s->problems[0].rank;

	if (s->call_count == 0)
		snprintf(text, sizeof text, "%s, no call", words_counted(s->problem_count, "problem", problems));
	else
		snprintf(text, sizeof text, "%s, %s of %s affected",
			words_counted(s->problem_count, "problem", problems), words_count(t->affected, affected),
			words_counted(s->call_count, "call", calls));
	headline(r, worst > RANK_WARNING ? "✗" : "!", worst > RANK_WARNING ? PAINT_BAD : PAINT_WARN, text);
}

static uint64_t frames_read(const struct report *r)
{
	uint64_t frames = 0;

	for (size_t i = 0; i < r->file_count; i++)
		frames += r->files[i]->frames;
	return frames;
}

/* Other protocols of telephony, by the ports they are known by: the phones may well be here, and speak no SIP. */
static const char *other_telephony(const struct view_capture *c)
{
	static const struct { const char *flow, *protocol; } known[] = {
		{ "TCP 1720", "H.323" }, { "UDP 1719", "H.323" }, { "UDP 2427", "MGCP" }, { "UDP 2727", "MGCP" },
		  { "TCP 2000", "SCCP (Skinny)" },
		{ "UDP 4569", "IAX2" }, { "UDP 2944", "H.248" },
	};

	for (unsigned i = 0; i < c->other_count; i++) {
		for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
			if (strcmp(c->others[i].name, known[k].flow) == 0)
				return known[k].protocol;
		}
	}
	return NULL;
}

static void headline_like_rtp(const struct report *r, const struct view_capture *c)
{
	char text[160], packets[WORDS];

	headline(r, "?", PAINT_UNKNOWN, "Nothing that is certain to be VoIP: no SIP, and too little in the form of RTP to be sure of it");
	snprintf(text, sizeof text, "%s in the form of RTP, in runs too short or too uneven to be taken for audio",
		words_counted(c->like_rtp, "UDP packet", packets));
	below(r, "Seen", text);
	below(r, "Try", "tcpdump -i IF -s 0 -w voip.pcap   from before the call is dialled until after it: SIP tells what the packets are");
}

/* The VPN that most of what is passed by belongs to; NULL none. */
static const char *vpn_of(const struct view_capture *c)
{
	static const struct { const char *traffic, *vpn; } known[] = {
		{ "UDP 51820", "WireGuard" }, { "UDP 1194", "OpenVPN" }, { "TCP 1194", "OpenVPN" },
		{ "UDP 4500", "IPsec" }, { "UDP 500", "IPsec" }, { "IP protocol 50", "IPsec" },
	};

	for (unsigned i = 0; i < c->other_count; i++) {
		for (size_t k = 0; k < sizeof known / sizeof known[0] && c->others[i].share >= 0.5; k++) {
			if (strcmp(c->others[i].name, known[k].traffic) == 0)
				return known[k].vpn;
		}
	}
	return NULL;
}

/* What cannot be read from outside has to be captured inside. False: nothing of the kind. */
static bool below_hidden(const struct report *r, const struct view_capture *c)
{
	const char *vpn = vpn_of(c);
	char text[80];

	if (!vpn && c->undecoded[UNDECODED_CIPHER] * 2 < c->frames)
		return false;
	snprintf(text, sizeof text, "the calls are inside a VPN (%s)", vpn ? vpn : "");
	below(r, "Likely", vpn ? text : "the calls are encrypted below IP: IPsec, MACsec or Wi-Fi");
	below(r, "Try", vpn ? "tcpdump -i IF -s 0 -w voip.pcap   at one of its ends, on the tunnel's own interface"
		: "tcpdump -i IF -s 0 -w voip.pcap   where the encryption ends, on the cable behind it");
	return true;
}

static void headline_nothing(const struct report *r, const struct view_capture *c)
{
	struct text t;
	double shown = 0;
	uint64_t undecoded = report_undecoded(c);
	const char *other = other_telephony(c);
	char text[120];

	if (c->frames == 0 && frames_read(r)) {
		headline(r, "?", PAINT_UNKNOWN, "No frame passes the filter -f: nothing can be said of any call");
		return;
	}
	if (c->frames == 0) {
		headline(r, "?", PAINT_UNKNOWN, "No frame could be read: nothing can be said of any call");
		return;
	}
	if (undecoded * 100 >= c->frames) {     /* one in a hundred: what was not read may well be it */
		headline(r, "?", PAINT_UNKNOWN, "Nothing of VoIP in what could be read: no SIP, RTP, RTCP, STUN, TLS; calls may be in the rest");
		below_hidden(r, c);
		return;
	}
	if (report_mostly_like_rtp(c)) {
		headline_like_rtp(r, c);
		return;
	}
	headline(r, "?", PAINT_UNKNOWN, "Nothing of VoIP: no SIP, RTP, RTCP, STUN; no TLS on port 5061");
	text_init(&t);
	for (unsigned i = 0; i < c->other_count; i++) {
		text_addf(&t, "%s%s %.0f %%", i ? ", " : "", c->others[i].name, c->others[i].share * 100);
		shown += c->others[i].share;
	}
	if (c->other_count && shown < 0.995)
		text_addf(&t, ", other %.0f %%", (1 - shown) * 100);
	if (t.n)
		below(r, "Seen", t.p);
	text_fini(&t);
	if (other) {
		snprintf(text, sizeof text,
			"the phones speak %s, which deadair does not read: no address here speaks SIP", other);
		below(r, "Likely", text);
		return;
	}
	if (below_hidden(r, c))
		return;
	below(r, "Likely", "the mirror does not carry the phones: no address here speaks SIP");
	below(r, "Try", "tcpdump -i IF -s 0 -w voip.pcap   beside the phones, without filter");
}

static void add_state(struct text *t, size_t count, const char *words)
{
	char number[WORDS];

	if (count)
		text_addf(t, "%s%s %s", t->n ? ", " : "", words_count(count, number), words);
}

static void add_states(struct text *t, const struct tally *tally)
{
	add_state(t, tally->answered, "answered");
	add_state(t, tally->busy, "busy");
	add_state(t, tally->cancelled, "cancelled");
	add_state(t, tally->declined, "declined");
	add_state(t, tally->redirected, "redirected");
	add_state(t, tally->failed, "failed");
	add_state(t, tally->ringing, "ringing");
	add_state(t, tally->begun_before, "begun before the capture");
	add_state(t, tally->other, "without a final answer here");
}

struct status_count {
	unsigned status;
	size_t count;
};

/* Calls that failed are no good news, also where no finding says whose fault it is. */
static void below_failed(const struct report *r, const struct tally *tally)
{
	struct status_count statuses[STATUSES_NAMED] = { { 0, 0 } };
	char calls[WORDS], failed[WORDS], number[WORDS];
	size_t named = 0, rest = 0;
	struct text t;

	if (tally->failed == 0)
		return;
	for (size_t i = 0; i < r->selection->call_count; i++) {
		const struct selected_call *c = &r->selection->calls[i];
		size_t k = 0;

		if (c->answered || !c->state || strcmp(c->state, "failed") != 0)
			continue;
		while (k < named && statuses[k].status != c->status)
			k++;
		if (k == STATUSES_NAMED)
			rest++;
		else if (k == named)
			statuses[named++] = (struct status_count){ c->status, 1 };
		else
			statuses[k].count++;
	}
	text_init(&t);
	text_addf(&t, "%s of %s:", words_count(tally->failed, failed),
		words_counted(r->selection->call_count, "call", calls));
	for (size_t k = 0; k < named; k++) {
		text_addf(&t, statuses[k].status ? "%s %u" : "%s no status", k ? "," : "", statuses[k].status);
		if (statuses[k].count > 1)
			text_addf(&t, " (%s times)", words_count(statuses[k].count, number));
	}
	if (rest)
		text_addf(&t, ", others (%s times)", words_count(rest, number));
	text_add(&t, "; no finding says whose fault it is");
	below(r, "Failed", t.p);
	text_fini(&t);
}

static void below_audio(const struct report *r, const struct tally *t)
{
	char text[256], mos[120] = "", one_way[64] = "", from[PARTY_TEXT], to[PARTY_TEXT];
	struct view_call c;

	if (t->answered == 0)
		return;
	if (t->lowest_mos >= 0 && view_call(r->engine, t->lowest, &c))
		snprintf(mos, sizeof mos, "; lowest MOS %.1f (call %u, %.32s to %.32s)", t->lowest_mos, c.n,
			report_number(&c, 0, from),
			 report_number(&c, 1, to));
	if (t->as_agreed)
		snprintf(one_way, sizeof one_way, ", one way or held in %zu", t->as_agreed);
	if (t->both_ways == t->reported)
		snprintf(text, sizeof text, "heard both ways in %zu of %zu%s%s", t->reported, t->answered, one_way,
			mos);
	else
		snprintf(text, sizeof text, "both ways in %zu of %zu, seen to arrive in %zu%s%s", t->both_ways,
			t->answered, t->reported, one_way, mos);
	below(r, "Audio", text);
}

static void below_why(const struct report *r)
{
	const struct unseen *u = &r->selection->unseen;
	char count[WORDS];
	struct text t;

	text_init(&t);
	for (size_t i = 0; i < u->named; i++)
		text_addf(&t, "%s%s: %s", i ? "; " : "", words_counted(u->whys[i].calls, "call", count),
			u->whys[i].words);
	if (u->rest)
		text_addf(&t, "; %s: other reasons", words_counted(u->rest, "call", count));
	if (u->named)
		below(r, "Why", t.p);
	text_fini(&t);
}

static void headline_clean(const struct report *r, const struct tally *t)
{
	char calls[WORDS], some[WORDS], answered[WORDS], text[256];
	struct text states;

	text_init(&states);
	add_states(&states, t);
	words_counted(r->selection->call_count, "call", calls);
	if (t->answered == 0 && t->failed + t->begun_before + t->other > 0) {
		snprintf(text, sizeof text, "%s, none answered here, no audio to judge: %.120s", calls, states.p);
		headline(r, "?", PAINT_UNKNOWN, text);
	} else if (t->poor) {
		char poor[WORDS];

		snprintf(text, sizeof text, "No finding, but the audio of %s is poor (MOS below 3.6); %s%s%.120s",
			words_counted(t->poor, "call", poor), calls,
			 states.n ? ": " : "", states.p);
		headline(r, "!", PAINT_WARN, text);
	} else if (2 * t->invisible > t->answered) {
		snprintf(text, sizeof text, "No problem found in what can be seen of %s%s%.120s", calls,
			states.n ? ": " : "", states.p);
		headline(r, "?", PAINT_UNKNOWN, text);
	} else {
		snprintf(text, sizeof text, "No problem found in %s%s%.120s", calls, states.n ? ": " : "", states.p);
		headline(r, "✓", PAINT_GOOD, text);
	}
	text_fini(&states);
	below_audio(r, t);
	below_failed(r, t);
	if (t->invisible) {
		snprintf(text, sizeof text, "for %s of %s who hears whom: ? in the table",
			words_count(t->invisible, some), words_counted(t->answered, "answered call", answered));
		below(r, "Unseen", text);
		below_why(r);
	}
}

void report_fact_count(const struct report *r)
{
	const struct selection *s = r->selection;
	const char *ids[24];
	size_t distinct = 0, facts = 0;
	struct text t;

	for (size_t i = 0; i < s->finding_count; i++) {
		bool listed = false;

		if (s->findings[i].rank != RANK_INFO || s->findings[i].withdrawn ||
		    report_fact_shown(r, &s->findings[i]))
			continue;
		facts++;
		for (size_t j = 0; j < distinct; j++)
			listed |= strcmp(ids[j], s->findings[i].id) == 0;
		if (!listed && distinct < sizeof ids / sizeof ids[0])
			ids[distinct++] = s->findings[i].id;
	}
	if (facts == 0 || r->verbose)
		return;
	text_init(&t);
	text_addf(&t, "%zu: ", facts);
	for (size_t j = 0; j < distinct; j++)
		text_addf(&t, "%s%s", j ? ", " : "", ids[j]);
	text_add(&t, " (-v)");
	if (r->selection->problem_count) {
		out_text(r->out, "\n");
		report_line(r, "Facts", t.p);
	} else {
		below(r, "Facts", t.p);
	}
	text_fini(&t);
}

static void headline_no_call(const struct report *r, const struct view_capture *c)
{
	struct view_end end;
	struct view_registration g;
	uint64_t alone = selection_registrations_alone(r->selection, r->engine);
	size_t failed = 0;
	char text[256], streams[WORDS], registrations[WORDS], cut[WORDS], refused[64] = "", hidden[80] = "";

	view_end(r->engine, &end);
	for (size_t i = 0; view_registration(r->engine, i, &g); i++)
		failed += g.state && strcmp(g.state, "failed") == 0;
	words_counted(end.registrations, "registration", registrations);
	if (alone) {
		snprintf(text, sizeof text, "No problem found in %s; no call was seen", registrations);
		headline(r, "✓", PAINT_GOOD, text);
		return;
	}
	if (failed)
		snprintf(refused, sizeof refused, ", %zu failed registration%s", failed, failed == 1 ? "" : "s");
	if (c->tls)
		snprintf(hidden, sizeof hidden, "; TLS hides what is in it");
	else if (c->undecoded[UNDECODED_TRUNCATED])
		snprintf(hidden, sizeof hidden, "; %s cut short",
			words_counted(c->undecoded[UNDECODED_TRUNCATED], "frame", cut));
	snprintf(text, sizeof text, "No call in what could be read: %s, %s%s%s",
		words_counted(end.streams, "RTP stream", streams), registrations, refused, hidden);
	headline(r, "?", PAINT_UNKNOWN, text);
}

void report_headline(const struct report *r, const struct view_capture *c)
{
	struct tally t = tally_make(r->selection);
	char text[120], some[WORDS], calls[WORDS];

	if (r->selection->problem_count) {
		headline_problems(r, &t);
	} else if (r->selection->call_count == 0 && c->sip + c->rtp + c->rtcp + c->stun + c->tls == 0) {
		headline_nothing(r, c);
	} else if (r->selection->call_count == 0) {
		headline_no_call(r, c);
	} else if (report_cannot_tell(r)) {
		snprintf(text, sizeof text, "Cannot tell for %s of %s who hears whom", words_count(t.invisible, some),
			words_counted(r->selection->call_count, "call", calls));
		headline(r, "?", PAINT_UNKNOWN, text);
		below_why(r);
	} else {
		headline_clean(r, &t);
	}
	if (r->selection->problem_count == 0)
		report_fact_count(r);
}
