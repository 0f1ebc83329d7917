/* SPDX-License-Identifier: MIT */
/* test_names: names of addresses from hosts files. */
#include "ui/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char *name_of(const struct names *n, const char *address)
{
	struct address a;

	assert_true(address_parse(span_of(address), &a));
	return names_find(n, &a);
}

static const char hosts[] = "# comment\n"
			    "10.0.0.1 pbx pbx.example # the exchange\r\n"
			    "\t10.0.0.2\t\tphone-2\n"
			    "10.0.0.1 second-name\n"
			    "10.0.0.3\n"
			    "10.0.0.4 # no name\n"
			    "not-an-address name\n"
			    "2001:db8::1 six\n"
			    "10.0.0.5 evil\x1b[2J\xff\n"
			    "10.0.0.6 last";

static void test_parse(void **state)
{
	struct names *n = names_new();

	(void)state;
	names_parse(n, SPAN(hosts));
	assert_string_equal(name_of(n, "10.0.0.1"), "pbx");
	assert_string_equal(name_of(n, "10.0.0.2"), "phone-2");
	assert_null(name_of(n, "10.0.0.3"));
	assert_null(name_of(n, "10.0.0.4"));
	assert_string_equal(name_of(n, "2001:db8::1"), "six");
	assert_string_equal(name_of(n, "10.0.0.5"), "evil\\x1b[2J\\xff");
	assert_string_equal(name_of(n, "10.0.0.6"), "last");
	assert_null(name_of(n, "10.0.0.7"));
	assert_null(names_find(NULL, &(struct address){ .family = 4 }));
	names_free(n);
}

static void test_read(void **state)
{
	char path[] = "/tmp/deadair-names-XXXXXX";
	struct names *n = names_new();
	struct err err = { ERR_OK, "" };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, hosts, sizeof hosts - 1), sizeof hosts - 1);
	close(fd);
	assert_int_equal(names_read(n, path, &err), ERR_OK);
	assert_string_equal(name_of(n, "10.0.0.6"), "last");
	unlink(path);
	assert_int_equal(names_read(n, path, &err), ERR_FILE);
	assert_non_null(strstr(err.text, path));
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_parse), cmocka_unit_test(test_read) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
