/* SPDX-License-Identifier: MIT */
/* test_report_json: fields, their order, nulls; nothing of a packet unescaped. */
#include "ui/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/fake_views.h"

static void json_of(enum fake which, struct filter *filter, int status, struct text *ret)
{
	const struct source_file *file = fake_file(which);
	struct selection selection;
	struct selection_options options = { .filter = filter };
	struct out out;
	struct report r = { .engine = fake_engine(which), .files = &file, .file_count = 1, .out = &out,
		.selection = &selection, .exit = status };

	out_init(&out, -1);
	selection_init(&selection, r.engine, &options);
	report_json(&r);
	selection_fini(&selection);
	text_add(ret, out.text.p);
	assert_int_equal(out_fini(&out), 0);
}

/* The line-th object of that type, parsed. */
static json_t *line_of(const struct text *all, const char *type, size_t line)
{
	char *copy = strdup(all->p), *rest = copy, *one;
	json_t *found = NULL;

	while (!found && (one = strsep(&rest, "\n"))) {
		json_t *o = *one ? json_loads(one, 0, NULL) : NULL;
		const char *is = o ? json_string_value(json_object_get(o, "type")) : "";

		if (*one)
			assert_non_null(o);
		if (strcmp(is, type) == 0 && line-- == 0)
			found = o;
		else
			json_decref(o);
	}
	free(copy);
	return found;
}

static void keys_of(const json_t *object, struct text *ret)
{
	for (void *i = json_object_iter((json_t *)object); i; i = json_object_iter_next((json_t *)object, i))
		text_addf(ret, "%s%s", ret->n ? " " : "", json_object_iter_key(i));
}

static const struct {
	const char *type, *keys;
} orders[] = {
	{ "capture", "type schema deadair files first last frames decoded undecoded evicted vantage cannot_prove withheld clock notes" },
	{ "incident",
	  "type id title cause fix severity confidence findings calls hosts first last calls_total healthy" },
	{ "finding", "type n id reason severity confidence title cause fix reason_confidence other_reasons cannot_see chain since calls hosts streams "
		     "first last count state explained_by evidence calls_total" },
	{ "call", "type n call_ids from to state status start answer end pdd_ms setup_ms legs media vantage findings notes caller_hears callee_hears" },
	{ "stream", "type n call src dst ssrc payload_types codec clock_hz packets lost lost_within epochs loss_runs duplicates mirror_copies reordered "
		    "late max_delta_ms mean_jitter_ms max_jitter_ms intervals mos mos_kind mos_valid twins dscp first last" },
	{ "peer", "type addr user_agent attempts answered asr ner pdd_ms responses loss calls_too_few" },
	{ "registration", "type n aor device source contact registrar state status expires_s first last findings" },
	{ "host", "type addr aliases roles why user_agent sip_ports media_ports transports vlan dscp hops name media_range peak_calls "
		  "ports_needed" },
	{ "nat", "type private public protocol scope learnt weight bracket_s first last" },
	{ "checklist", "type item title state ids why evidence findings calls calls_total" },
	{ "end", "type calls answered streams registrations findings exit" },
};

static void test_order(void **state)
{
	struct text all, keys;
	const char *before;

	(void)state;
	text_init(&all);
	text_init(&keys);
	json_of(FAKE_ONE_WAY, NULL, 1, &all);
	before = all.p;
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		json_t *o = line_of(&all, orders[i].type, 0);
		char begin[48];
		const char *at;

		assert_non_null(o);
		text_clear(&keys);
		keys_of(o, &keys);
		assert_string_equal(keys.p, orders[i].keys);
		json_decref(o);
		snprintf(begin, sizeof begin, "{\"type\":\"%s\"", orders[i].type);
		at = strstr(all.p, begin);
		assert_true(at >= before);          /* types in their order */
		before = at;
	}
	text_fini(&keys);
	text_fini(&all);
}

static void test_values(void **state)
{
	struct text all;
	json_t *o;

	(void)state;
	text_init(&all);
	json_of(FAKE_ONE_WAY, NULL, 1, &all);
	assert_non_null(strstr(all.p, "{\"type\":\"capture\",\"schema\":1,\"deadair\":"));
	assert_non_null(strstr(all.p, "\"files\":[{\"file\":\"captures/call-4.pcapng\",\"link\":[\"EN10MB\"],\"frames\":6338,\"bytes\":1356332,\"error\":null}]"));
	assert_non_null(strstr(all.p, "\"undecoded\":{\"truncated\":0,"));
	assert_non_null(strstr(all.p, "\"first\":\"2026-11-20T09:12:41.204000000Z\""));
	o = line_of(&all, "finding", 1);
	assert_int_equal(json_integer_value(json_object_get(o, "explained_by")), 1);
	assert_true(json_is_null(json_object_get(o, "since")));
	json_decref(o);
	o = line_of(&all, "finding", 0);
	assert_int_equal(json_array_size(json_object_get(o, "evidence")), 7);
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(o, "evidence"), 4), "frame")));
	assert_true(json_is_null(json_object_get(json_array_get(json_object_get(o, "hosts"), 0), "port")));
	json_decref(o);
	assert_non_null(strstr(all.p, "\"hops\":[\"192.168.1.21:5060>198.51.100.7:5060\",\"203.0.113.2:5060>198.51.100.7:5060\"],\"joined_by\":null,\"score\":null"));
	assert_non_null(strstr(all.p, "{\"mline\":0,\"leg\":0,\"kind\":\"audio\",\"from\":\"198.51.100.40:30012\",\"to\":\"192.168.1.21:11800\","
				      "\"expected\":true,\"due_ms\":42022.0,\"packets\":0,\"heard\":\"no\",\"why\":\"N1\",\"streams\":[],\"bound_by\":null"));
	assert_non_null(strstr(all.p, "\"ssrc\":\"0x0000cafe\",\"payload_types\":[8],\"codec\":\"PCMA\",\"clock_hz\":8000,\"packets\":2098,\"lost\":3,"
				      "\"lost_within\":3,\"epochs\":1,\"loss_runs\":[1,1,0,0,0,0,0,0,0,0],"));
	assert_non_null(strstr(all.p, "\"max_delta_ms\":21.334,\"mean_jitter_ms\":1.2,\"max_jitter_ms\":2.0,"));
	assert_non_null(strstr(all.p, "\"lost\":2,\"max_jitter_ms\":2.25,\"mos\":null}]"));
	assert_non_null(strstr(all.p, "\"expires_s\":0,"));
	assert_non_null(strstr(all.p, "\"responses\":{\"200\":164,\"486\":9},\"loss\":null,\"calls_too_few\":false}"));
	assert_non_null(strstr(all.p,
		"\"findings\":{\"critical\":0,\"error\":3,\"warning\":0,\"info\":1},\"exit\":1}\n"));
	text_fini(&all);
}

static void test_hostile(void **state)
{
	static const enum fake fakes[] = { FAKE_HOSTILE, FAKE_NOTHING, FAKE_EMPTY, FAKE_MANY, FAKE_OUTSIDE };
	json_t *o;

	(void)state;
	for (size_t i = 0; i < sizeof fakes / sizeof fakes[0]; i++) {
		struct text all;

		text_init(&all);
		json_of(fakes[i], NULL, 2, &all);
		for (size_t j = 0; j < all.n; j++)
			assert_true(all.p[j] == '\n' || (all.p[j] >= ' ' && all.p[j] <= '~'));
		o = line_of(&all, "end", 0);
		assert_int_equal(json_integer_value(json_object_get(o, "exit")), 2);
		json_decref(o);
		text_fini(&all);
	}
}

static void test_hostile_values(void **state)
{
	struct text all;
	json_t *o;

	(void)state;
	text_init(&all);
	json_of(FAKE_HOSTILE, NULL, 1, &all);
	o = line_of(&all, "call", 0);
	assert_string_equal(json_string_value(json_object_get(o, "from")),
		"10\\x1b[2J\\x0d\\x0a\\x7f\\xc2\\x9b\\xe2\\x80\\xae\\xff\\x5c\"01");
	json_decref(o);
	o = line_of(&all, "capture", 0);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(o, "files"), 0), "file")),
			    "odd\\x1b[2J\\x0d\\x0a\\x7f\\xc2\\x9b\\xe2\\x80\\xae\\xff\\x5c\".pcap");
	json_decref(o);
	text_fini(&all);
}

static void test_filtered(void **state)
{
	struct filter_error err;
	struct filter *f = filter_new("call:9", &err);
	struct text all;
	json_t *o;

	(void)state;
	text_init(&all);
	json_of(FAKE_MANY, f, 1, &all);
	o = line_of(&all, "call", 0);
	assert_int_equal(json_integer_value(json_object_get(o, "n")), 9);
	json_decref(o);
	assert_null(line_of(&all, "call", 1));
	o = line_of(&all, "finding", 0);
	assert_int_equal(json_integer_value(json_object_get(o, "n")), 2);
	json_decref(o);
	assert_null(line_of(&all, "finding", 1));
	o = line_of(&all, "end", 0);
	assert_int_equal(json_integer_value(json_object_get(o, "calls")), 24);   /* the diagnosis stays whole */
	json_decref(o);
	text_fini(&all);
	filter_free(f);
}

static void test_twice(void **state)
{
	struct text a, b;

	(void)state;
	text_init(&a);
	text_init(&b);
	json_of(FAKE_ONE_WAY, NULL, 1, &a);
	json_of(FAKE_ONE_WAY, NULL, 1, &b);
	assert_string_equal(a.p, b.p);
	text_fini(&a);
	text_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_values), cmocka_unit_test(test_hostile),
			cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_filtered), cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
