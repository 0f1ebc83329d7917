/* SPDX-License-Identifier: MIT */
/* test_detection: the contract of detectors, kept for detectors of our own: this file is the registry. */
#include "analyzer/detect/detection.h"

#include "tests/unit/made_findings.h"

/* ---- detectors that do what they are told ---- */

enum act { ACT_NOTHING, ACT_RAISE, ACT_KEYED, ACT_PASS, ACT_NOTE, ACT_WITHHOLD };

struct told {                        /* to the detector of an id, for the next event */
	enum act act;
	const char *reason;          /* or gate, or row */
	enum severity severity;
	enum confidence confidence;
	uint64_t key;
};

static struct told told;
static const char *told_id;
static struct finding *raised;
static unsigned heard;               /* events, of all detectors together */
static unsigned forgotten;

struct tally { unsigned events; };

static void act(struct detection *d, const struct event *ev, const char *id)
{
	heard++;
	if (strcmp(id, told_id) != 0)
		return;
	switch (told.act) {
	case ACT_NOTHING: break;
	case ACT_RAISE: raised = detection_raise(d, told.reason, told.severity, told.confidence); break;
	case ACT_KEYED: raised = detection_raise_keyed(d, told.key, told.reason, told.severity, told.confidence); break;
	case ACT_PASS: detection_pass(d, told.reason, "%u of %u", 3u, 7u); break;
	case ACT_NOTE: detection_note(d, true, "a fact"); break;
	case ACT_WITHHOLD: detection_withhold(d, ev->leg, told.reason, "nothing to see"); break;
	}
}

static unsigned tally(struct detection *d)
{
	struct tally *t = detection_state(d);

	return ++t->events;
}

static unsigned tally_last;
static double key_last;

#define DETECTOR_THAT_ACTS(name, text) \
	static void name##_event(struct detection *d, const struct event *ev) \
	{ \
		act(d, ev, text); \
	}
DETECTOR_THAT_ACTS(call, "per-call")
DETECTOR_THAT_ACTS(direction, "per-direction")
DETECTOR_THAT_ACTS(stream, "per-stream")
DETECTOR_THAT_ACTS(dialog, "per-dialog")
DETECTOR_THAT_ACTS(account, "per-account")
DETECTOR_THAT_ACTS(global, "global")

static void counts_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	tally_last = tally(d);
	key_last = detection_key(d, "limit") + detection_config(d, "expect", "min-call-s") * 1000;
}

static void counts_forget(void *state)
{
	forgotten += ((struct tally *)state)->events;
}

static const struct config_key counts_keys[] = { { "limit", 7, "packets", 1, 100, "a test" }, { 0 } };
static const char *const no_reasons[] = { NULL };
static const struct detector_doc doc = { "says", "symptom", "evidence", "mimics", "fix", no_reasons };

#define ALL_JUDGEMENTS (EVENT_BIT(EVENT_JUDGE_CALL) | EVENT_BIT(EVENT_JUDGE_DIRECTION) | EVENT_BIT(EVENT_JUDGE_STREAM))
#define MADE_DETECTOR(name, text, belongs) \
	static const struct detector name = { .id = text, .doc = &doc, .events = ALL_JUDGEMENTS, .scope = belongs, \
		.usual = SEVERITY_ERROR, .possible_max = SEVERITY_WARNING, .event = name##_event }
MADE_DETECTOR(account, "per-account", PER_ACCOUNT);
MADE_DETECTOR(call, "per-call", PER_CALL);
MADE_DETECTOR(dialog, "per-dialog", PER_DIALOG);
MADE_DETECTOR(direction, "per-direction", PER_DIRECTION);
MADE_DETECTOR(global, "global", GLOBAL);
MADE_DETECTOR(stream, "per-stream", PER_STREAM);
static const struct detector counts = {
	.id = "counts", .doc = &doc, .keys = counts_keys, .events = EVENT_BIT(EVENT_SIP), .scope = PER_CALL,
	.state_size = sizeof(struct tally),
	.forget = counts_forget, .event = counts_event,
};

static const struct detector *const all[] = { &counts, &global, &account, &call, &dialog, &direction, &stream };

const struct detector *const *registry_all(unsigned *ret_count)
{
	*ret_count = COUNT_OF(all);
	return all;
}

const struct detector *registry_find(const char *id)
{
	for (unsigned i = 0; i < COUNT_OF(all); i++) {
		if (strcmp(all[i]->id, id) == 0)
			return all[i];
	}
	return NULL;
}

/* ---- a stage of two calls ---- */

enum { DIALOGS = 3 };                /* two of call 1, one of call 2 */

struct stage {
	struct config *config;
	struct findings *findings;
	struct facts facts;
	struct detections *ds;
	struct call calls[2];
	struct leg legs[2];
	struct dialog dialogs[DIALOGS];
	struct mslot slots[DIALOGS];
	struct stream streams[2];
	struct registration registrations[2];
};

static void stage_begin(struct stage *g, const char *why_not)
{
	memset(g, 0, sizeof *g);
	g->config = config_new();
	g->findings = findings_new();
	g->facts.config = g->config;
	for (unsigned i = 0; i < 2; i++) {
		g->calls[i].n = i + 1;
		g->legs[i].call = &g->calls[i];
		g->legs[i].call_id = i ? SPAN("second@b") : SPAN("first@a");
	}
	for (unsigned i = 0; i < DIALOGS; i++) {
		g->dialogs[i].leg = &g->legs[i / 2];
		g->slots[i].dialog = &g->dialogs[i];
		for (unsigned side = 0; side < 2; side++)
			g->slots[i].direction[side] = (struct direction){ .slot = &g->slots[i],
				.sender = (enum side)side };
	}
	g->streams[0].direction = &g->slots[0].direction[SIDE_CALLEE];
	g->ds = detections_new(&g->facts, g->findings, why_not);
	told = (struct told){ .act = ACT_NOTHING };
	told_id = "";
	raised = NULL;
	heard = 0;
}

static void stage_end(struct stage *g)
{
	detections_free(g->ds);
	findings_free(g->findings);
	config_free(g->config);
}

/* What an event is about: the parts of a stage by number, from 1; 0 none. */
struct about { enum event_kind kind; unsigned leg, dialog, side, stream, registration; };

static void happen(struct stage *g, const struct about *a)
{
	struct event ev = { .kind = a->kind };

	ev.leg = a->leg ? &g->legs[a->leg - 1] : NULL;
	ev.dialog = a->dialog ? &g->dialogs[a->dialog - 1] : NULL;
	ev.direction = a->side ? &g->slots[a->dialog - 1].direction[a->side - 1] : NULL;
	ev.stream = a->stream ? &g->streams[a->stream - 1] : NULL;
	ev.registration = a->registration ? &g->registrations[a->registration - 1] : NULL;
	detections_event(g->ds, &ev);
}

static struct finding *tell(struct stage *g, const char *id, const struct told *what, const struct about *a)
{
	told_id = id;
	told = *what;
	raised = NULL;
	happen(g, a);
	return raised;
}

#define TOLD(...) (&(const struct told){ __VA_ARGS__ })
#define ABOUT(...) (&(const struct about){ __VA_ARGS__ })
#define RAISE TOLD(ACT_RAISE, "some", SEVERITY_ERROR, CONFIDENCE_LIKELY)
#define RAISE_KEYED(n) TOLD(ACT_KEYED, "some", SEVERITY_ERROR, CONFIDENCE_LIKELY, n)
#define OF_CALL(n) .kind = EVENT_JUDGE_CALL, .leg = n
#define OF_SIDE(n, which) .kind = EVENT_JUDGE_DIRECTION, .dialog = n, .side = which
#define OF_STREAM(n) .kind = EVENT_JUDGE_STREAM, .stream = n

/* ---- events and scopes ---- */

static void a_detector_hears_what_it_asked_for(void **state)
{
	static const struct { enum event_kind kind; unsigned heard; } cases[] = {
		{ EVENT_JUDGE_CALL, 6 }, { EVENT_JUDGE_STREAM, 6 }, { EVENT_JUDGE_CAPTURE, 0 },
		  { EVENT_JUDGE_REGISTRATION, 0 },
	};
	struct stage g;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		stage_begin(&g, NULL);
		happen(&g, &(const struct about){ .kind = cases[i].kind, .leg = 1 });
		assert_int_equal(heard, cases[i].heard);
		stage_end(&g);
	}
}

/* Two events: one finding or two? */
static void a_finding_belongs_to_its_scope(void **state)
{
	static const struct { const char *name, *id; struct about a, b; bool same; } cases[] = {
		{ "one leg", "per-call", { OF_CALL(1) }, { OF_CALL(1) }, true },
		{ "two legs", "per-call", { OF_CALL(1) }, { OF_CALL(2) }, false },
		{ "both directions of a leg", "per-call", { OF_SIDE(1, 1) }, { OF_SIDE(2, 2) }, true },
		{ "directions of two legs", "per-call", { OF_SIDE(1, 1) }, { OF_SIDE(3, 1) }, false },
		{ "a stream that is bound to the leg", "per-call", { OF_CALL(1) }, { OF_STREAM(1) }, true },
		{ "a stream that is bound to none", "per-call", { OF_CALL(1) }, { OF_STREAM(2) }, false },
		{ "one direction", "per-direction", { OF_SIDE(1, 1) }, { OF_SIDE(1, 1) }, true },
		{ "two directions", "per-direction", { OF_SIDE(1, 1) }, { OF_SIDE(1, 2) }, false },
		{ "two streams", "per-stream", { OF_STREAM(1) }, { OF_STREAM(2) }, false },
		{ "one stream", "per-stream", { OF_STREAM(1) }, { OF_STREAM(1) }, true },
		{ "two dialogs of a leg", "per-dialog", { OF_CALL(1), .dialog = 1 }, { OF_CALL(1), .dialog = 2 },
		  false },
		{ "two accounts", "per-account", { OF_CALL(1), .registration = 1 }, { OF_CALL(1), .registration = 2 },
		  false },
		{ "one account", "per-account", { OF_CALL(1), .registration = 1 }, { OF_CALL(2), .registration = 1 },
		  true },
		{ "all the world", "global", { OF_CALL(1) }, { OF_CALL(2) }, true },
	};
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct finding *a, *b;
		struct stage g;

		stage_begin(&g, NULL);
		a = tell(&g, cases[i].id, RAISE, &cases[i].a);
		b = tell(&g, cases[i].id, RAISE, &cases[i].b);
		assert_non_null(a);
		if ((a == b) != cases[i].same) {
			print_error("%s\n", cases[i].name);
			wrong++;
		}
		assert_int_equal(findings_in_order(g.findings)->count, cases[i].same ? 1 : 2);
		stage_end(&g);
	}
	assert_int_equal(wrong, 0);
}

static void keys_tell_findings_of_a_scope_apart(void **state)
{
	const struct finding *plain, *one, *two;
	struct stage g;

	(void)state;
	stage_begin(&g, NULL);
	plain = tell(&g, "per-call", RAISE, ABOUT(OF_CALL(1)));
	one = tell(&g, "per-call", RAISE_KEYED(1), ABOUT(OF_CALL(1)));
	two = tell(&g, "per-call", RAISE_KEYED(2), ABOUT(OF_CALL(1)));
	assert_ptr_not_equal(plain, one);
	assert_ptr_not_equal(one, two);
	assert_ptr_equal(one, tell(&g, "per-call", RAISE_KEYED(1), ABOUT(OF_CALL(1))));
	assert_ptr_equal(plain, tell(&g, "per-call", RAISE_KEYED(0), ABOUT(OF_CALL(1))));
	stage_end(&g);
}

static void a_state_is_zeroed_kept_and_forgotten(void **state)
{
	struct stage g;

	(void)state;
	stage_begin(&g, NULL);
	forgotten = 0;
	for (unsigned i = 1; i <= 3; i++) {
		happen(&g, &(const struct about){ .kind = EVENT_SIP, .leg = 1 });
		assert_int_equal(tally_last, i);
	}
	happen(&g, &(const struct about){ .kind = EVENT_SIP, .leg = 2 });
	assert_int_equal(tally_last, 1);
	assert_true(key_last == 3007);
	stage_end(&g);
	assert_int_equal(forgotten, 4);
}

/* ---- raising ---- */

static void what_is_only_possible_is_not_grave(void **state)
{
	static const struct { enum confidence c; enum severity s, then; } cases[] = {
		{ CONFIDENCE_POSSIBLE, SEVERITY_CRITICAL, SEVERITY_WARNING },
		  { CONFIDENCE_POSSIBLE, SEVERITY_INFO, SEVERITY_INFO },
		{ CONFIDENCE_LIKELY, SEVERITY_CRITICAL, SEVERITY_CRITICAL },
		  { CONFIDENCE_CERTAIN, SEVERITY_ERROR, SEVERITY_ERROR },
	};
	struct stage g;

	(void)state;
	stage_begin(&g, NULL);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct finding *f = tell(&g, "per-call", TOLD(ACT_RAISE, "some", cases[i].s, cases[i].c),
			ABOUT(OF_CALL(1)));

		assert_int_equal(f->severity, cases[i].then);
		assert_int_equal(f->confidence, cases[i].c);
	}
	stage_end(&g);
}

static void a_finding_is_filled_anew(void **state)
{
	struct finding *f;
	struct stage g;

	(void)state;
	stage_begin(&g, NULL);
	f = tell(&g, "per-direction", RAISE, ABOUT(OF_SIDE(1, 2)));
	assert_string_equal(f->id, "per-direction");
	assert_ptr_equal(f->direction, &g.slots[0].direction[SIDE_CALLEE]);
	finding_title(f, "a title");
	finding_leg(f, &g.legs[0]);
	finding_stream(f, 4);
	finding_evidence(f, (struct frame_ref){ .frame = 1 }, "a frame");
	made_part(f, PART_VICTIM, "10.0.0.1:1");
	f = tell(&g, "per-direction", TOLD(ACT_RAISE, "other", SEVERITY_INFO, CONFIDENCE_CERTAIN),
		ABOUT(OF_SIDE(1, 2)));
	assert_string_equal(f->reason, "other");
	assert_int_equal(f->severity, SEVERITY_INFO);
	assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
	assert_int_equal(f->title.n + f->leg_count + f->stream_count + f->evidence_count + f->host_count, 0);
	stage_end(&g);
}

static void a_finding_of_a_stream_knows_its_direction(void **state)
{
	const struct finding *f;
	struct stage g;

	(void)state;
	stage_begin(&g, NULL);
	f = tell(&g, "per-stream", RAISE, ABOUT(OF_STREAM(1)));
	assert_ptr_equal(f->stream, &g.streams[0]);
	assert_ptr_equal(f->direction, &g.slots[0].direction[SIDE_CALLEE]);
	f = tell(&g, "per-stream", RAISE, ABOUT(OF_STREAM(2)));
	assert_null(f->direction);
	stage_end(&g);
}

/* ---- judging again ---- */

static void what_is_not_raised_again_is_withdrawn(void **state)
{
	struct finding *one, *two;
	struct stage g;

	(void)state;
	stage_begin(&g, NULL);
	detections_judging(g.ds);
	one = tell(&g, "per-call", RAISE, ABOUT(OF_CALL(1)));
	two = tell(&g, "per-call", RAISE, ABOUT(OF_CALL(2)));
	detections_judged(g.ds);
	assert_int_not_equal(one->state, FINDING_WITHDRAWN);
	assert_int_not_equal(two->state, FINDING_WITHDRAWN);
	detections_judging(g.ds);
	tell(&g, "per-call", TOLD(ACT_PASS, "N1"), ABOUT(OF_CALL(1)));
	tell(&g, "per-call", RAISE, ABOUT(OF_CALL(2)));
	detections_judged(g.ds);
	assert_int_equal(one->state, FINDING_WITHDRAWN);
	assert_int_not_equal(two->state, FINDING_WITHDRAWN);
	detections_judging(g.ds);
	assert_ptr_equal(tell(&g, "per-call", RAISE, ABOUT(OF_CALL(1))), one);
	detections_judged(g.ds);
	assert_int_not_equal(one->state, FINDING_WITHDRAWN);
	assert_int_equal(two->state, FINDING_WITHDRAWN);
	stage_end(&g);
}

/* ---- withheld ---- */

static void each_withheld_claim_is_noted_once(void **state)
{
	static const struct { const char *id, *gate; unsigned leg; unsigned count; } cases[] = {
		{ "per-call", "G1", 1, 1 }, { "per-call", "G1", 1, 1 }, { "per-call", "G3", 1, 2 },
		  { "per-direction", "G1", 1, 3 },
		{ "per-call", "G1", 2, 4 }, { "per-call", "G1", 0, 5 }, { "per-call", "G1", 0, 5 },
	};
	const struct withheld *w = NULL;
	unsigned count = 0;
	struct stage g;

	(void)state;
	stage_begin(&g, NULL);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		tell(&g, cases[i].id, TOLD(ACT_WITHHOLD, cases[i].gate), ABOUT(OF_CALL(cases[i].leg)));
		w = detections_withheld(g.ds, &count);
		assert_int_equal(count, cases[i].count);
	}
	assert_string_equal(w[0].id, "per-call");
	assert_string_equal(w[0].gate, "G1");
	assert_true(span_equal(w[3].call_id, SPAN("second@b")));
	assert_int_equal(w[4].call_id.n, 0);
	detections_judging(g.ds);
	detections_withheld(g.ds, &count);
	assert_int_equal(count, 0);
	stage_end(&g);
}

/* ---- why not ---- */

/* Rows of call 1, then of call 2, as text: "+" holds, "!" decided. */
static void why_not_text(const struct stage *g, char *text, size_t room)
{
	unsigned count;
	const struct why_not *w = detections_why_not(g->ds, &count);
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		n += (size_t)snprintf(text + n, room - n, "[%u]", w[i].leg ? w[i].leg->call->n : 0);
		for (unsigned k = 0; k < w[i].row_count; k++)
			n += (size_t)snprintf(text + n, room - n, " %s%s%s;", w[i].rows[k].holds ? "+" : "",
				w[i].rows[k].decided ? "!" : "", w[i].rows[k].text);
		n += (size_t)snprintf(text + n, room - n, "%s%s%s ", w[i].found ? " found" : "", w[i].gate ? " " : "",
			w[i].gate ? w[i].gate : "");
	}
}

static void why_not_keeps_what_was_asked_for(void **state)
{
#define CALL_1 "[1] +a fact; !N2: 3 of 7; !G3: nothing to see; G3 "
#define CALL_2 "[2] found "
	static const struct { const char *asked, *text; } cases[] = {
		{ NULL, "" }, { "per-call", CALL_1 CALL_2 }, { "per-call:1", CALL_1 }, { "per-call:2", CALL_2 },
		  { "per-call:3", "" },
		{ "per-call:first@a", CALL_1 }, { "per-call:second", CALL_2 }, { "per-call:third", "" },
		  { "per-direction", "" }, { "no-such", "" },
		{ "per-call:", CALL_1 CALL_2 },
	};
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[256];
		struct stage g;

		stage_begin(&g, cases[i].asked);
		tell(&g, "per-call", TOLD(ACT_NOTE), ABOUT(OF_CALL(1)));
		tell(&g, "per-call", RAISE, ABOUT(OF_CALL(2)));
		tell(&g, "per-call", TOLD(ACT_PASS, "N2"), ABOUT(OF_CALL(1)));
		tell(&g, "per-call", TOLD(ACT_WITHHOLD, "G3"), ABOUT(OF_CALL(1)));
		why_not_text(&g, text, sizeof text);
		if (strcmp(text, cases[i].text) != 0) {
			print_error("%s: '%s'\n", cases[i].asked ? cases[i].asked : "nothing", text);
			wrong++;
		}
		detections_judging(g.ds);            /* judged again: nothing stays */
		why_not_text(&g, text, sizeof text);
		assert_string_equal(text, "");
		stage_end(&g);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_detector_hears_what_it_asked_for),
		cmocka_unit_test(a_finding_belongs_to_its_scope),
		cmocka_unit_test(keys_tell_findings_of_a_scope_apart),
		cmocka_unit_test(a_state_is_zeroed_kept_and_forgotten),
		cmocka_unit_test(what_is_only_possible_is_not_grave),
		cmocka_unit_test(a_finding_is_filled_anew),
		cmocka_unit_test(a_finding_of_a_stream_knows_its_direction),
		cmocka_unit_test(what_is_not_raised_again_is_withdrawn),
		cmocka_unit_test(each_withheld_claim_is_noted_once),
		cmocka_unit_test(why_not_keeps_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
