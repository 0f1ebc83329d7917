/* SPDX-License-Identifier: MIT */
/* test_places: which folder is meant, by the environment. */
#include "ui/places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
	const char *service, *state, *home, *wanted; /* wanted NULL: none */
} rows[] = {
	{ "/var/lib/deadair", "/s", "/h", "/var/lib/deadair" },
	{ "/var/lib/a:/var/lib/b", "/s", "/h", "/var/lib/a" },
	{ "relative", "/s", "/h", "/s/deadair" },
	{ NULL, "/s", "/h", "/s/deadair" },
	{ NULL, "s", "/h", "/h/.local/state/deadair" },
	{ NULL, "", "/h", "/h/.local/state/deadair" },
	{ NULL, NULL, "/h", "/h/.local/state/deadair" },
	{ NULL, NULL, "h", NULL },
	{ NULL, NULL, NULL, NULL },
};

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void test_environment(void **state)
{
	char folder[256];

	(void)state;
	unsetenv("SUDO_UID");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		set("STATE_DIRECTORY", rows[i].service);
		set("XDG_STATE_HOME", rows[i].state);
		set("HOME", rows[i].home);
		if (geteuid() == 0 && access(PLACES_SYSTEM "/" PLACES_HISTORY, F_OK) == 0 && !rows[i].service &&
		    !(rows[i].state && rows[i].state[0] == '/'))
			continue;       /* root of a machine that has one */
		assert_int_equal(places_read(folder, sizeof folder), rows[i].wanted != NULL);
		if (rows[i].wanted)
			assert_string_equal(folder, rows[i].wanted);
	}
	set("STATE_DIRECTORY", "/a/name/that/does/not/fit");
	set("XDG_STATE_HOME", NULL);
	set("HOME", NULL);
	assert_false(places_read(folder, 8));
}

static void test_made(void **state)
{
	char root[] = "/tmp/test_places.XXXXXX", path[64], file[80], below[96];
	struct stat of;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof path, "%s/a/b", root);
	assert_true(places_make(path, &err));
	assert_true(places_make(path, &err));
	assert_int_equal(stat(path, &of), 0);
	assert_int_equal(of.st_mode & 077, 0);
	snprintf(file, sizeof file, "%s/file", path);
	assert_int_equal(mknod(file, S_IFREG | 0600, 0), 0);
	snprintf(below, sizeof below, "%s/c", file);
	assert_false(places_make(below, &err));
	if (geteuid() == 0) {                    /* who may not make it is told that, not that it is not there */
		assert_int_equal(seteuid(65534), 0);
		snprintf(below, sizeof below, "%s/a/b/c/d", root);
		assert_false(places_make(below, &err));
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(err.code, ERR_PERMISSION);
		assert_non_null(strstr(err.text, "Permission denied"));
	}
	unlink(file);
	snprintf(path, sizeof path, "%s/a/b", root);
	rmdir(path);
	snprintf(path, sizeof path, "%s/a", root);
	rmdir(path);
	rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_environment), cmocka_unit_test(test_made) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
