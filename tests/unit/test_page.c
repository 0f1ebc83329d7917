/* SPDX-License-Identifier: MIT */
/*
 * test_page: what becomes of lines, labels and tables on a page; nothing gets through the one door that could be
 * markup.
 */
#include "ui/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "ui/table.h"

static const struct { const char *name, *text, *escaped; } cases[] = {
	{ "plain", "1001 → 1002", "1001 → 1002" },
	{ "empty", "", "" },
	{ "a tag", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
	{ "quotes end no attribute", "\" onload='x'", "&quot; onload=&#39;x&#39;" },
	{ "an entity stays text", "&lt;", "&amp;lt;" },
	{ "at the ends", "<>", "&lt;&gt;" },
	{ "a comment", "--><!--", "--&gt;&lt;!--" },
};

static void test_escape(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct text t;

		text_init(&t);
		page_escape(&t, cases[i].text);
		if (strcmp(t.p, cases[i].escaped) != 0)
			fail_msg("%s: %s", cases[i].name, t.p);
		text_fini(&t);
	}
}

static void assert_page(struct out *o, const char *wanted)
{
	assert_string_equal(o->text.p, wanted);
	text_clear(&o->text);
}

static void test_lines(void **state)
{
	struct out o;
	struct page page;

	(void)state;
	out_init(&o, -1);
	page_init(&page);
	o.page = &page;
	out_text(&o, "\n\n");
	assert_page(&o, "");
	out_text(&o, "a < b\n\nc");
	out_paint(&o, PAINT_BAD, "d & e");
	out_text(&o, "\n");
	assert_page(&o, "<p class=\"l\">a &lt; b</p>\n<p class=\"l\">c<span class=\"bad\">d &amp; e</span></p>\n");
	out_paint(&o, PAINT_HEAD, "Calls");
	out_textf(&o, "  %u of %u\n", 3, 5);
	assert_page(&o, "<h2>Calls  3 of 5</h2>\n");
	out_paint(&o, PAINT_HEAD, "  Because  ");
	out_text(&o, "1 x\n");
	assert_page(&o, "<p class=\"l\"><span class=\"head\">  Because  </span>1 x</p>\n");
	out_paragraph(&o, 2, "Fix", 9, PAINT_HEAD, "Switch <it> off");
	assert_page(&o, "<p class=\"row\"><b class=\"head\">Fix</b> <span>Switch &lt;it&gt; off</span></p>\n");
	out_paragraph(&o, 0, "✗", 2, PAINT_BAD, "\"A\" drops it");
	assert_page(&o, "<h2><span class=\"bad\">✗</span> &quot;A&quot; drops it</h2>\n");
	out_spaces(&o, 2);
	out_text(&o, "open");
	page_end_line(&o);
	assert_page(&o, "<p class=\"l\">  open</p>\n");
	page_fini(&page);
	out_fini(&o);
}

static void test_table(void **state)
{
	static const struct table_column columns[] = { { "from", false, 2, 0, 0 }, { "<n>", true, 0, 0, 1 } };
	struct table *t = table_new(columns, 2);
	struct out o;
	struct page page;

	(void)state;
	out_init(&o, -1);
	o.columns = COLUMNS_LEAST;      /* nothing is cut or left out on a page, however narrow */
	page_init(&page);
	o.page = &page;
	out_paint(&o, PAINT_HEAD, "Calls & more");
	out_text(&o, "\n");
	text_clear(&o.text);
	table_cell(t, PAINT_PLAIN, "<b>1001</b>");
	table_cell(t, PAINT_GOOD, "✓ 4.4");
	table_print(t, &o, 0, true);
	assert_page(&o, "<div class=\"t\"><table><caption>Calls &amp; more</caption>\n<thead><tr><th scope=\"col\">from</th><th scope=\"col\" class=\"n\">&lt;n&gt;</th></tr></thead>\n<tbody>\n"
			"<tr><td class=\"\" data-h=\"from\">&lt;b&gt;1001&lt;/b&gt;</td><td class=\"good n\" data-h=\"&lt;n&gt;\">✓ 4.4</td></tr>\n</tbody></table></div>\n");
	table_free(t);
	page_fini(&page);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_escape), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
