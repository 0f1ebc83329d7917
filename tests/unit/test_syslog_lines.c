/* SPDX-License-Identifier: MIT */
/* test_syslog_lines: messages as RFC 5424 has them; a log that comes back. */
#include "ui/syslog_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define BOM "\xef\xbb\xbf"

static const struct {
	struct syslog_finding finding;
	const char *host, *wanted;
} rows[] = {
	{ { 1795338000123456789, "opened", "error", "one-way-audio", "1001 hears nothing", "eth1" }, "probe",
	  "<27>1 2026-11-22T09:00:00.123456Z probe deadair 42 opened [deadair@32473 id=\"one-way-audio\" severity=\"error\" source=\"eth1\"] " BOM
	  "1001 hears nothing" },
	{ { 0, "closed", "critical", "toll-fraud", "x", "eth1+eth2" }, "",
	  "<29>1 1970-01-01T00:00:00.000000Z - deadair 42 closed [deadair@32473 id=\"toll-fraud\" severity=\"critical\" source=\"eth1+eth2\"] " BOM "x" },
	{ { 0, "reopened", "warning", "a]b\"c\\d", "x", "y" }, "h",
	  "<28>1 1970-01-01T00:00:00.000000Z h deadair 42 reopened [deadair@32473 id=\"a\\]b\\\"c\\\\d\" severity=\"warning\" source=\"y\"] " BOM "x" },
	{ { 0, "opened", "info", "i", "x", "y" }, "h",
	  "<30>1 1970-01-01T00:00:00.000000Z h deadair 42 opened [deadair@32473 id=\"i\" severity=\"info\" source=\"y\"] " BOM "x" },
};

static void test_format(void **state)
{
	struct text t;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		text_init(&t);
		syslog_format(&t, &rows[i].finding, rows[i].host, 42);
		assert_string_equal(t.p, rows[i].wanted);
		text_fini(&t);
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

static void test_a_log_that_comes_back(void **state)
{
	char folder[] = "/tmp/test_syslog.XXXXXX", path[64], got[512];
	struct syslog_lines *s;
	struct err err;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	assert_null(syslog_open(path, &err));
	assert_non_null(strstr(err.text, "--syslog="));
	fd = listen_at(path);
	s = syslog_open(path, &err);
	assert_non_null(s);
	assert_true(syslog_send(s, &rows[0].finding));
	assert_true(recv(fd, got, sizeof got, MSG_DONTWAIT) > 0);
	close(fd);
	unlink(path);
	assert_false(syslog_send(s, &rows[0].finding));
	fd = listen_at(path);
	assert_true(syslog_send(s, &rows[0].finding));
	assert_true(recv(fd, got, sizeof got, MSG_DONTWAIT) > 0);
	syslog_close(s);
	close(fd);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_format),
		cmocka_unit_test(test_a_log_that_comes_back) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
