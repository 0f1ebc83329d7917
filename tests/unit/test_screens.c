/* SPDX-License-Identifier: MIT */
/*
 * test_screens: keys in, screens out, on real captures and without a terminal: each screen byte by byte as
 * tests/screens/NAME.txt has it. The captures are the sample and what scenarios make. SCREENS_UPDATE=1 writes the
 * screens anew: read the difference before it is committed.
 */
#include "ui/dashboard/dashboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "captures/base/memory.h"
#include "captures/source.h"
#include "dissect/dissect.h"
#include "tests/unit/press.h"

enum { PATH_ROOM = 4096, FILES_MAX = 4, DRAWS_MAX = 1000 };

struct captured {
	struct config *config;
	struct site *site;
	struct source *source;
	struct dissector *dissector;
	struct engine *engine;
	struct names *names;
	const struct source_file *files[FILES_MAX];
	size_t file_count;
	struct world world;
};

static const char *folder(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : ".";
}

/* As command_read does it, without a word. */
static void captured_read(struct captured *c, const char *const *paths, size_t count)
{
	struct engine_options wanted = { .keep_texts = true };
	struct frame frame;
	struct packet packet;
	struct err err;

	*c = (struct captured){ .config = config_new(), .site = site_new(), .dissector = dissector_new(),
		.names = names_new() };
	wanted.config = c->config;
	wanted.site = c->site;
	c->engine = engine_new(&wanted);
	c->source = source_open(paths, count, NULL, &err);
	assert_non_null(c->source);
	while (source_next(c->source, &frame)) {
		dissect_frame(c->dissector, &frame);
		while (dissect_next(c->dissector, &packet))
			engine_packet(c->engine, &packet);
	}
	for (; c->file_count < count; c->file_count++)
		c->files[c->file_count] = source_file(c->source, c->file_count);
	engine_finish(c->engine);
	world_init(&c->world, c->engine);
	c->world.files = c->files;
	c->world.file_count = c->file_count;
	c->world.names = c->names;
	c->world.history = "/nonexistent/history.db";
	snprintf(c->world.numbers.source, sizeof c->world.numbers.source, "test.pcap");
}

static void captured_free(struct captured *c)
{
	world_fini(&c->world);
	engine_free(c->engine);
	names_free(c->names);
	source_close(c->source);
	dissector_free(c->dissector);
	site_free(c->site);
	config_free(c->config);
}

/* The capture that a scenario makes, in the folder where the tests run. */
static void scenario_write(const char *name, char path[PATH_ROOM])
{
	char command[3 * PATH_ROOM];

	snprintf(path, PATH_ROOM, "screens-%s.pcap", name);
	snprintf(command, sizeof command, "'%s/run' --write '%s' '%s/tests/scenarios/%s.scn' >/dev/null",
		folder("SCENARIO_RUN"), path, folder("SOURCES"), name);
	assert_int_equal(system(command), 0);
}

static void screen_check(const char *name, unsigned rows, unsigned columns, const struct text *screen)
{
	char path[PATH_ROOM];
	struct text want;
	FILE *f;
	int c;

	snprintf(path, sizeof path, "%s/tests/screens/%s-%ux%u.txt", folder("SOURCES"), name, columns, rows);
	if (getenv("SCREENS_UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(screen->p, f);
		fclose(f);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s is missing", path);
	text_init(&want);
	while (f && (c = fgetc(f)) != EOF)
		text_addf(&want, "%c", c);
	if (f)
		fclose(f);
	if (strcmp(want.p, screen->p) != 0)
		fail_msg("%s:\nexpected\n%s\ndrawn\n%s", path, want.p, screen->p);
	text_fini(&want);
}

/* Drawn until a filter has looked at everything. */
static void draw_all(struct dashboard *d, struct world *w, struct sheet *s)
{
	unsigned i = 0;

	do {
		dashboard_draw(d, w, s);
	} while (d->unfinished && ++i < DRAWS_MAX);
	assert_false(d->unfinished);
}

static void screen_of(struct world *w, const char *name, const char *keys, unsigned rows, unsigned columns)
{
	struct dashboard *d = memory_zalloc(sizeof *d);
	struct sheet s;
	struct text t;

	dashboard_init(d);
	sheet_init(&s, rows, columns, false);
	draw_all(d, w, &s);
	press(d, w, &s, keys);
	draw_all(d, w, &s);
	text_init(&t);
	sheet_dump(&s, false, &t);
	screen_check(name, rows, columns, &t);
	text_fini(&t);
	sheet_fini(&s);
	free(d);
}

struct shot { const char *name, *keys; };

static void shots_of(struct captured *c, const struct shot *shots, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		screen_of(&c->world, shots[i].name, shots[i].keys, 24, 80);
		screen_of(&c->world, shots[i].name, shots[i].keys, 50, 200);
	}
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void the_sample_is_seen_in_every_view(void **state)
{
	static const struct shot shots[] = {
		{ "overview", "<Esc>" }, { "calls", "2" }, { "findings", "3" }, { "streams", "4" },
		  { "registrations", "5" }, { "hosts", "6" }, { "history", "7" },
		{ "problem", "<Enter>" }, { "problem-raw", "<Enter><Down><Enter>" }, { "call", "<Tab><Enter>" },
		  { "ladder", "2x" }, { "ladder-sdp", "2xdw" },
		{ "ladder-media", "2xM" }, { "raw", "2r" }, { "compare", "2x <Down><Down> " },
		  { "compare-equal", "2x <Down><Down> D" },
		{ "help-calls", "2?" }, { "help-ladder", "2x<F1>" }, { "explain", "3e" }, { "facts", "i" },
		{ "filter-typed", "2/finding:nat" }, { "filter", "2/finding:nat<Enter>" },
		  { "filter-wrong", "2/mos<3,5" }, { "filter-tab", "2/stat<Tab>" },
		{ "filter-values", "2/finding:<Tab>" }, { "filter-findings", "2/from:1002<Enter>3" },
		  { "filter-cleared", "2/from:1002<Enter><F9>" },
		{ "columns", "2<F10>" }, { "columns-changed", "2t<Down> <Down><Down>-<Enter>" }, { "settings", "<F8>" },
		  { "save", "2<F2>" }, { "go-time", "g09:00:06<Enter>" },
		{ "go-frame", "gframe 2000<Enter>" }, { "go-nowhere", "g777<Enter>" }, { "sorted", "2>>>>>>z" },
		  { "marked", "2  <F4>" }, { "paused", "p" },
		{ "unheard", "2!!" }, { "stream-call", "4<Down><Enter>" },
	};
	char path[PATH_ROOM];
	const char *paths[] = { path };
	struct captured c;

	(void)state;
	snprintf(path, sizeof path, "%s/tests/samples/office.pcap.gz", folder("SOURCES"));
	captured_read(&c, paths, 1);
	shots_of(&c, shots, COUNT_OF(shots));
	captured_free(&c);
}

static void a_scenario_is_seen(void **state, const char *name, const struct shot *shots, size_t count)
{
	char path[PATH_ROOM];
	const char *paths[] = { path };
	struct captured c;

	(void)state;
	scenario_write(name, path);
	captured_read(&c, paths, 1);
	shots_of(&c, shots, count);
	captured_free(&c);
	unlink(path);
}

static void copies_at_two_points_are_compared(void **state)
{
	static const struct shot shots[] = { { "alg-overview", "<Esc>" }, { "alg-ladder", "x" },
		{ "alg-first-leg", "xx" }, { "alg-compare", "x  " },
					     { "alg-raw", "x<Down><Enter>" }, { "alg-changed", "x<Down>" },
					     	{ "alg-raw-compared", "x<Down><Enter>D" }, { "alg-problem", "<Enter>" },
					     	{ "alg-hosts", "6" } };

	a_scenario_is_seen(state, "sip-alg-h1-two-points", shots, COUNT_OF(shots));
}

static void hold_is_no_silence(void **state)
{
	static const struct shot shots[] = { { "hold-call", "2<Enter>" }, { "hold-overview", "<Esc>" } };

	a_scenario_is_seen(state, "audio-missing-after-hold-n1-comes-back", shots, COUNT_OF(shots));
}

static void a_sender_that_pauses_is_no_fault(void **state)
{
	static const struct shot shots[] = { { "pauses-call", "2<Enter>" }, { "pauses-overview", "<Esc>" } };

	a_scenario_is_seen(state, "audio-interrupted-n6-comfort-noise", shots, COUNT_OF(shots));
}

static void speech_cut_off_stays_a_fault(void **state)
{
	static const struct shot shots[] = { { "cut-call", "2<Down><Enter>" } };

	a_scenario_is_seen(state, "audio-interrupted-h2b-stopped-in-speech", shots, COUNT_OF(shots));
}

static void registrations_are_listed(void **state)
{
	static const struct shot shots[] = { { "registrations-some", "5" } };

	a_scenario_is_seen(state, "healthy-ipv6-registration", shots, COUNT_OF(shots));
}

static void long_addresses_are_whole(void **state)
{
	static const struct shot shots[] = { { "long-streams", "4" }, { "long-hosts", "6" },
		{ "long-registrations", "5" } };

	a_scenario_is_seen(state, "healthy-ipv6-long-addresses", shots, COUNT_OF(shots));
}

static void legs_stand_in_one_ladder(void **state)
{
	static const struct shot shots[] = { { "legs-ladder", "2x" }, { "legs-first", "2xx" },
		{ "legs-call", "2<Enter>" } };

	a_scenario_is_seen(state, "legs-j1-one-call", shots, COUNT_OF(shots));
}

static void what_cannot_be_seen_is_said(void **state)
{
	static const struct shot shots[] = { { "one-sided-overview", "<Esc>" }, { "one-sided-call", "2<Enter>" } };

	a_scenario_is_seen(state, "capture-one-sided-h1-requests-only", shots, COUNT_OF(shots));
}

static void without_calls_the_streams_have_the_room(void **state)
{
	static const struct shot shots[] = { { "no-call-overview", "<Esc>" }, { "no-call-calls", "2" } };

	a_scenario_is_seen(state, "capture-no-signalling-h1-rtp-only", shots, COUNT_OF(shots));
}

static void a_row_opens_its_own_call_where_two_have_one_call_id(void **state)
{
	static const struct shot shots[] = { { "callid-reused", "2<Down><Enter>" } };

	a_scenario_is_seen(state, "trap-callid-reused", shots, COUNT_OF(shots));
}

static void a_call_that_failed_says_with_what(void **state)
{
	static const struct shot shots[] = { { "failed-overview", "<Esc>" }, { "failed-calls", "2" } };

	a_scenario_is_seen(state, "call-failed-h1-congestion", shots, COUNT_OF(shots));
}

static void heard_without_a_score_has_room_beside_its_lane(void **state)
{
	static const struct shot shots[] = { { "no-score-overview", "<Esc>" }, { "no-score-calls", "2" } };

	a_scenario_is_seen(state, "trap-dialect-ims-199", shots, COUNT_OF(shots));
}

static void a_lane_shows_what_its_listener_gets(void **state)
{
	static const struct shot no_longer[] = { { "no-longer-call", "2<Enter>" } },
		passed_on[] = { { "kept-by-relay-call", "2<Down><Enter>" } };

	a_scenario_is_seen(state, "one-way-audio-h40-mapping-changed", no_longer, COUNT_OF(no_longer));
	a_scenario_is_seen(state, "one-way-audio-h62-pbx-passes-nothing-on", passed_on, COUNT_OF(passed_on));
}

static void problems_have_the_rows_that_calls_leave(void **state)
{
	static const struct shot shots[] = { { "many-problems-overview", "<Esc>" },
		{ "many-problems-last", "<End>" } };
	char path[PATH_ROOM];
	const char *paths[] = { path };
	struct captured c;

	a_scenario_is_seen(state, "registration-failed-h10-refusals", shots, COUNT_OF(shots));
	scenario_write("registration-failed-h10-refusals", path);
	captured_read(&c, paths, 1);
	screen_of(&c.world, "many-problems", "<Esc>", 15, 60);
	screen_of(&c.world, "many-problems", "<Esc>", 30, 100);
	c.world.numbers.live = true;
	screen_of(&c.world, "many-problems-live", "<Esc>", 24, 80);
	captured_free(&c);
	unlink(path);
}

static void too_small_says_so(void **state)
{
	char path[PATH_ROOM];
	const char *paths[] = { path };
	struct captured c;

	(void)state;
	snprintf(path, sizeof path, "%s/tests/samples/office.pcap.gz", folder("SOURCES"));
	captured_read(&c, paths, 1);
	screen_of(&c.world, "small", "2", 14, 59);
	screen_of(&c.world, "least", "2", 15, 60);
	screen_of(&c.world, "least-overview", "<Esc>", 15, 60);
	screen_of(&c.world, "least-call", "2<Enter>", 15, 60);
	snprintf(c.world.numbers.source, sizeof c.world.numbers.source,
		"pbx-west-2026-11-20T09-00-00-trunk.pcapng and 11 more");
	screen_of(&c.world, "long-name", "2", 24, 80);
	screen_of(&c.world, "long-name", "2", 15, 60);
	c.world.numbers.live = true;
	screen_of(&c.world, "long-name-live", "2", 24, 80);
	captured_free(&c);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_is_seen_in_every_view), cmocka_unit_test(copies_at_two_points_are_compared),
			cmocka_unit_test(hold_is_no_silence), cmocka_unit_test(a_sender_that_pauses_is_no_fault),
			cmocka_unit_test(speech_cut_off_stays_a_fault),
		cmocka_unit_test(registrations_are_listed), cmocka_unit_test(long_addresses_are_whole),
		cmocka_unit_test(legs_stand_in_one_ladder),
		cmocka_unit_test(what_cannot_be_seen_is_said),
		cmocka_unit_test(without_calls_the_streams_have_the_room),
		cmocka_unit_test(a_row_opens_its_own_call_where_two_have_one_call_id),
			cmocka_unit_test(a_call_that_failed_says_with_what),
		cmocka_unit_test(heard_without_a_score_has_room_beside_its_lane),
		cmocka_unit_test(a_lane_shows_what_its_listener_gets),
		cmocka_unit_test(problems_have_the_rows_that_calls_leave),
		cmocka_unit_test(too_small_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
