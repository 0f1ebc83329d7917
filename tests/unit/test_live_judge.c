/* SPDX-License-Identifier: MIT */
/* test_live_judge: copies that come to their end, and copies that never do. */
#include "ui/live_judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/config.h"
#include "analyzer/engine.h"
#include "analyzer/site.h"
#include "captures/base/ns.h"

struct case_state {
	struct config *config;
	struct site *site;
	struct engine *engine;
	struct pictures *pictures;
};

static int setup(void **state)
{
	static struct case_state c;
	struct err err = { 0 };

	c.config = config_new();
	c.site = site_new();
	c.engine = engine_new(&(struct engine_options){ .config = c.config, .site = c.site, .live = true });
	c.pictures = pictures_new(&(struct picture_answers){ 0 }, &err);
	*state = &c;
	return c.engine && c.pictures ? 0 : -1;
}

static int teardown(void **state)
{
	struct case_state *c = *state;

	pictures_free(c->pictures);
	engine_free(c->engine);
	site_free(c->site);
	config_free(c->config);
	return 0;
}

static void never_ready(void *context, const struct live_judgement *what)
{
	(void)context;
	(void)what;
	for (;;)
		pause();
}

/* What comes of one judgement. */
static enum live_judge_state judge_once(struct live_judge *j, const struct live_judgement *what)
{
	struct err err = { 0 };

	assert_true(live_judge_begin(j, what, &err));
	return live_judge_wait(j);
}

static bool has_children(void)
{
	return waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
}

static void comes_to_its_end(void **state)
{
	struct case_state *c = *state;
	struct live_judge *j = live_judge_new(3600 * SECOND_NS);
	struct live_message m;

	assert_int_equal(judge_once(j, &(struct live_judgement){ .engine = c->engine, .now_ns = NS_NONE }),
		LIVE_JUDGE_READY);
	assert_true(live_judge_took_ns(j) > 0);
	while (live_judge_next(j, &m))
		assert_int_not_equal(m.kind, LIVE_VERDICT);
	assert_false(has_children());
	live_judge_free(j);
}

/* It is ended, and the next one has no more time for that. */
static void never_comes_back(void **state)
{
	struct case_state *c = *state;
	struct live_judgement what = { .engine = c->engine, .now_ns = NS_NONE, .pictures = c->pictures,
		.prepare = never_ready };
	struct live_judge *j = live_judge_new(MILLISECOND_NS);

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(judge_once(j, &what), LIVE_JUDGE_FAILED);
		assert_int_equal(live_judge_poll(j), LIVE_JUDGE_IDLE);
		assert_int_equal(live_judge_took_ns(j), 0);
		assert_false(has_children());
	}
	live_judge_free(j);
}

/* Who does not wait for it to the end takes it along. */
static void freed_while_busy(void **state)
{
	struct case_state *c = *state;
	struct live_judgement what = { .engine = c->engine, .now_ns = NS_NONE, .pictures = c->pictures,
		.prepare = never_ready };
	struct live_judge *j = live_judge_new(3600 * SECOND_NS);
	struct err err = { 0 };

	assert_true(live_judge_begin(j, &what, &err));
	assert_int_equal(live_judge_poll(j), LIVE_JUDGE_BUSY);
	live_judge_free(j);
	assert_false(has_children());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_to_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(never_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_while_busy, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
