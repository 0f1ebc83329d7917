/* SPDX-License-Identifier: MIT */
/* dialog_info: what bodies of NOTIFYs say, whole, partial, and broken. */
#include "dissect/dialog_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define HEAD "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version='7' state=\"full\" entity=\"sip:122@pbx\">"

static const struct row {
	const char *body;
	bool found, full, has_version;
	unsigned version, count, state[2];
} rows[] = {
	{ "", false, false, false, 0, 0, { 0 } },
	{ "<presence/>", false, false, false, 0, 0, { 0 } },
	{ HEAD "</dialog-info>", true, true, true, 7, 0, { 0 } },
	{ HEAD "<dialog id=\"a\"><state>early</state></dialog></dialog-info>", true, true, true, 7, 1,
	  { DIALOG_INFO_EARLY } },
	{ HEAD "<dialog id=\"a\"><state event=\"x\"> Confirmed </state></dialog><dialog id='b'><state>terminated</state></dialog></dialog-info>", true, true, true, 7,
	  2, { DIALOG_INFO_CONFIRMED, DIALOG_INFO_TERMINATED } },
	{ "<d:dialog-info version=\"2\" state=\"partial\"><d:dialog id=\"a\"><d:state>trying</d:state></d:dialog>",
	  true, false, true, 2, 1, { DIALOG_INFO_TRYING } },
	{ HEAD "<!-- <dialog id=\"x\"><state>early</state> --><dialog id=\"a\"><state>proceeding</state></dialog>",
	  true, true, true, 7, 1, { DIALOG_INFO_PROCEEDING } },
	{ HEAD "<state>early</state>", true, true, true, 7, 0, { 0 } },
	{ HEAD "<dialog id=\"a\"><state>odd</state></dialog>", true, true, true, 7, 1, { 0 } },
	{ "<dialog-info version=\"-1\">", true, true, false, 0, 0, { 0 } },
	{ "<dialog-info version=\"1", false, false, false, 0, 0, { 0 } },
	{ "<dialog-info version=\"1\"><!-- <dialog>", true, true, true, 1, 0, { 0 } },
	{ "<><></><dialog-info a= b=\"\" version=\"3\"/>", true, true, false, 0, 0, { 0 } },
};

static void bodies(void **state)
{
	struct dialog_info info;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];

		assert_int_equal(dialog_info_parse(span_of(r->body), &info), r->found);
		if (!r->found)
			continue;
		assert_int_equal(info.full, r->full);
		assert_int_equal(info.has_version, r->has_version);
		assert_int_equal(info.version, r->version);
		assert_int_equal(info.count, r->count);
		for (unsigned k = 0; k < r->count; k++)
			assert_int_equal(info.dialogs[k].state, r->state[k]);
	}
}

static void more_dialogs_than_room(void **state)
{
	char body[2048] = "<dialog-info version=\"1\" state=\"full\">";
	struct dialog_info info;

	(void)state;
	for (int i = 0; i < DIALOG_INFO_MAX + 4; i++)
		strcat(body, "<dialog id=\"a\"><state>early</state></dialog>");
	assert_true(dialog_info_parse(span_of(body), &info));
	assert_int_equal(info.count, DIALOG_INFO_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bodies), cmocka_unit_test(more_dialogs_than_room) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
