/* SPDX-License-Identifier: MIT */
/*
 * test_command: the command line: what is taken, what is refused with which words, which status the program ends with.
 */
#include "ui/options.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "captures/base/nearest.h"
#include "captures/base/text.h"
#include "ui/when.h"
#include "ui/words.h"

enum { WORDS_MAX = 8 };

static enum err_code parse(const char *const *words, struct read_options *o, struct err *err)
{
	static char *argv[WORDS_MAX + 2];
	int argc = 0;

	argv[argc++] = (char *)"read";
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	argv[argc] = NULL;
	*err = (struct err){ ERR_OK, "" };
	return read_options_parse(o, argc, argv, err);
}

static const struct {
	const char *words[WORDS_MAX];
	const char *says;
} refused[] = {
	{ { NULL }, "no capture named: deadair read FILE, or - for standard input" },
	{ { "--json" }, "no capture named: deadair read FILE, or - for standard input" },
	{ { "-I", "office.pcap" }, "-I: files need no option here: deadair read office.pcap" },
	{ { "-r", "office.pcap" }, "-r: files need no option here: deadair read office.pcap" },
	{ { "-rq.pcap" }, "-r: files need no option here: deadair read q.pcap" },
	{ { "-d", "eth1" }, "-d: interfaces are for another command: deadair live -i eth1" },
	{ { "-i" }, "-i: interfaces are for another command: deadair live -i IF" },
	{ { "-Y", "sip" }, "-Y: a display filter is --filter here: --filter 'from:1001 finding:one-way-audio'" },
	{ { "x.pcap", "udp", "port", "5060" },
	  "a capture filter goes behind -f: deadair read -f 'udp port 5060' FILE" },
	{ { "x.pcap", "port 5060" }, "a capture filter goes behind -f: deadair read -f 'port 5060' FILE" },
	{ { "x.pcap", "host", "\x1b[2J" }, "a capture filter goes behind -f: deadair read -f 'host \\x1b[2J' FILE" },
	{ { "--jsn", "x.pcap" }, "no option --jsn: --json?" },
	{ { "--zzzzzz", "x.pcap" }, "no option --zzzzzz: deadair read --help lists them" },
	{ { "-q", "x.pcap" }, "no option -q: deadair read --help lists them" },
	{ { "x.pcap", "--filter" }, "--filter wants a value behind it: deadair read --help lists the options" },
	{ { "--json=1", "x.pcap" }, "--json=1 takes no value: deadair read --help lists the options" },
	{ { "--filter", "mos<3,5", "x.pcap" }, "--filter:\n  mos<3,5\n      ^ decimal point: 3.5" },
	{ { "--since", "noon", "x.pcap" },
	  "--since noon: no time: 10:00, 2026-11-20T10:00, \"Fri 18:00\", -15m before the last frame" },
	{ { "--color", "red", "x.pcap" }, "--color red: auto, always or never" },
	{ { "--jobs", "0", "x.pcap" }, "--jobs 0: 1 reads on one processor, 2 decodes on another" },
	{ { "--jobs", "two", "x.pcap" }, "--jobs two: 1 reads on one processor, 2 decodes on another" },
	{ { "--markdown", "x.pcap" }, "--markdown is for the ladder of one call: add --call N" },
	{ { "--markdown", "--call", "1", "--json", "x.pcap" },
	  "--markdown and --json are two forms of one report: choose one" },
	{ { "--why-not", "rtp-lost:1", "x.pcap" }, "--why-not: no finding \"rtp-lost\": rtp-loss?" },
	{ { "--why-not", "sip-alg", "--json", "x.pcap" }, "--why-not answers by itself: leave --json out" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct read_options o;
		struct err err;

		assert_int_equal(parse(refused[i].words, &o, &err), ERR_USAGE);
		assert_string_equal(err.text, refused[i].says);
		read_options_fini(&o);
	}
}

static void test_taken(void **state)
{
	const char *const words[] = { "x.pcap", "--json", "--filter=from:1001", "-fudp", "-v", "--", "-I", NULL };
	const char *const more[] = { "--since", "10:00", "--until=-5m", "--call=7", "--utc", "--names=hosts", "-",
		NULL };
	struct read_options o;
	struct err err;

	(void)state;
	assert_int_equal(parse(words, &o, &err), ERR_OK);
	assert_true(o.json && o.verbose && o.filter && !o.utc);
	assert_string_equal(o.bpf, "udp");
	assert_int_equal(o.path_count, 2);
	assert_string_equal(o.paths[0], "x.pcap");
	assert_string_equal(o.paths[1], "-I");          /* behind --: a file */
	read_options_fini(&o);
	assert_int_equal(parse(more, &o, &err), ERR_OK);
	assert_true(o.has_since && o.has_until && o.utc);
	assert_string_equal(o.call, "7");
	assert_string_equal(o.names, "hosts");
	assert_int_equal(o.path_count, 1);
	assert_string_equal(o.paths[0], "-");
	read_options_fini(&o);
}

/* In GMT, seen from a capture of 2026-11-20 23:50 (a Friday) to 2026-11-21 00:10. */
static const struct {
	const char *text;
	const char *from;            /* NULL: no time */
	int64_t grain_ns;
} times[] = {
	{ "23:55", "2026-11-20T23:55:00.000000000Z", MINUTE_NS },        /* the one within the capture */
	{ "00:05", "2026-11-21T00:05:00.000000000Z", MINUTE_NS },
	{ "10:00", "2026-11-21T10:00:00.000000000Z", MINUTE_NS },
	{ "9:00:05.25", "2026-11-21T09:00:05.250000000Z", 10 * MILLISECOND_NS },
	{ "2026-11-20", "2026-11-20T00:00:00.000000000Z", 24 * HOUR_NS },
	{ "2026-11-20T10:00Z", "2026-11-20T10:00:00.000000000Z", MINUTE_NS },
	{ "2026-11-20 10:00:01", "2026-11-20T10:00:01.000000000Z", SECOND_NS },
	{ "2026-11-20T10:00-05:30", "2026-11-20T15:30:00.000000000Z", MINUTE_NS },
	{ "today", "2026-11-21T00:00:00.000000000Z", 24 * HOUR_NS },
	{ "yesterday", "2026-11-20T00:00:00.000000000Z", 24 * HOUR_NS },
	{ "yesterday 18:00", "2026-11-20T18:00:00.000000000Z", MINUTE_NS },
	{ "Fri 18:00", "2026-11-20T18:00:00.000000000Z", MINUTE_NS },
	{ "saturday 00:05", "2026-11-21T00:05:00.000000000Z", MINUTE_NS },
	{ "Sat 18:00", "2026-11-14T18:00:00.000000000Z", MINUTE_NS },      /* that of today is still to come */
	{ "-15m", "2026-11-20T23:55:00.000000000Z", 1 },
	{ "-3d", "2026-11-18T00:10:00.000000000Z", 1 },
	{ "-1.5h", "2026-11-20T22:40:00.000000000Z", 1 },
	{ "", NULL, 0 },
	{ "25:00", NULL, 0 },
	{ "10:60", NULL, 0 },
	{ "10:00x", NULL, 0 },
	{ "2026-13-01", NULL, 0 },
	{ "2026-11-20T", NULL, 0 },
	{ "2026-11-20T10:00+1", NULL, 0 },
	{ "-15", NULL, 0 },
	{ "-99999999999999w", NULL, 0 },
	{ "someday", NULL, 0 },
	{ "fr", NULL, 0 },
};

static void test_times(void **state)
{
	const int64_t last_ns = INT64_C(1795219800) * SECOND_NS;
	char buffer[NS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct when w;
		int64_t from_ns, to_ns;

		if (when_parse(span_of(times[i].text), &w) != (times[i].from != NULL))
			fail_msg("%s: %s", times[i].text, times[i].from ? "refused" : "taken");
		if (!times[i].from)
			continue;
		when_resolve(&w, last_ns - 20 * MINUTE_NS, last_ns, &from_ns, &to_ns);
		assert_string_equal(ns_rfc3339(from_ns, buffer), times[i].from);
		assert_true(to_ns - from_ns == times[i].grain_ns);
	}
}

static void test_nearest(void **state)
{
	static const char *const known[] = { "detectors", "explain", "read", "live" };

	(void)state;
	assert_string_equal(nearest_word(SPAN("raed"), known, 4), "read");
	assert_string_equal(nearest_word(SPAN("explian"), known, 4), "explain");
	assert_string_equal(nearest_word(SPAN("detect"), known, 4), "detectors");
	assert_null(nearest_word(SPAN("office"), known, 4));
}

/* The program itself, as the build made it. */
struct run {
	int status;
	char out[8192], err[2048];
};

static void take(int fd, char *ret, size_t room)
{
	size_t n = 0;

	for (ssize_t got; n + 1 < room && (got = read(fd, ret + n, room - n - 1)) > 0;)
		n += (size_t)got;
	ret[n] = '\0';
	close(fd);
}

static void run(struct run *r, const char *stdout_path, const char *const *words)
{
	const char *argv[WORDS_MAX + 2] = { getenv("DEADAIR") };
	int out[2], err[2], status;
	pid_t child;

	for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
		argv[i + 1] = words[i];
	assert_int_equal(pipe(out) | pipe(err), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int sink = stdout_path ? open(stdout_path, O_WRONLY) : out[1];

		if (dup2(sink, STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
			_exit(127);
		close(out[0]);
		close(err[0]);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	take(out[0], r->out, sizeof r->out);
	take(err[0], r->err, sizeof r->err);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	r->status = WEXITSTATUS(status);
}

static const struct {
	const char *words[WORDS_MAX];
	int status;
	const char *out, *err;       /* parts; NULL nothing at all */
} runs[] = {
	{ { NULL }, 2, NULL, "deadair read [OPTION]" },
	{ { "--help" }, 0, "Exit status: 0", NULL },
	{ { "help", "read" }, 0, "--why-not ID[:CALL]", NULL },
	{ { "read", "--help" }, 0, "--why-not ID[:CALL]", NULL },
	{ { "x.pcap", "--help" }, 0, "--why-not ID[:CALL]", NULL },
	{ { "--version" }, 0, "deadair ", NULL },
	{ { "explain", "--help" }, 0, "deadair explain ID", NULL },
	{ { "live" }, 2, NULL, "no interface named: deadair live -i IF" },
	{ { "live", "--help" }, 0, "--list-interfaces", NULL },
	{ { "live", "-i", "no-such\x1b", "-i", "no-such\x1b" }, 2, NULL, "-i no-such\\x1b: named twice" },
	{ { "live", "-i", "lo", "--ring", "1K" }, 2, NULL, "--ring 1K: no size from 1 MiB to 1024 MiB" },
	{ { "live", "-i", "lo", "--memory", "x" }, 2, NULL, "--memory x: no size from 128 MiB" },
	{ { "live", "-i", "lo", "--rnig", "2M" }, 2, NULL, "no option --rnig: --ring?" },
	{ { "live", "-i", "lo", "udp" }, 2, NULL, "udp: interfaces stand behind -i, a capture filter behind -f" },
	{ { "live", "-i" }, 2, NULL, "-i wants a value behind it" },
	{ { "history", "list", "--history", "/nonexistent/h.db" }, 2, NULL,
	  "there is none yet: deadair read --history FILE makes one" },
	{ { "history", "lsit", "--history", "/nonexistent/h.db" }, 2, NULL, "no \"lsit\": list?" },
	{ { "history", "calls", "--since", "someday" }, 2, NULL, "--since someday: no time" },
	{ { "history", "calls", "--host", "pbx" }, 2, NULL, "--host pbx: no address" },
	{ { "history", "calls", "--limit", "0" }, 2, NULL, "--limit 0: a number of records, or all" },
	{ { "history", "calls", "more" }, 2, NULL, "\"more\" is one word too many" },
	{ { "raed", "x.pcap" }, 2, NULL, "no command or file \"raed\": read?" },
	{ { "explain" }, 2, NULL, "name one finding" },
	{ { "explain", "one-way-adio" }, 2, NULL, "no finding \"one-way-adio\": one-way-audio?" },
	{ { "explain", "one-way-audio" }, 0, "  Symptom   ", NULL },
	{ { "detectors" }, 0, "one-way-audio", NULL },
	{ { "detectors", "x" }, 2, NULL, "takes no argument" },
	{ { "read", "no-such\x1b.pcap" }, 2, NULL, "no-such\\x1b.pcap" },
	{ { "read", "--json", "no-such.pcap" }, 2, "\"exit\":2}\n", "no-such.pcap" },
	{ { "read", "--call", "1", "no-such.pcap" }, 2, NULL, "--call 1: no such call" },
	{ { "read", "--names", "no-such-hosts", "no-such.pcap" }, 2, NULL, "no-such-hosts" },
};

static void test_runs(void **state)
{
	struct run r;

	(void)state;
	if (!getenv("DEADAIR")) {
		print_message("DEADAIR does not name the program\n");
		skip();
	}
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		run(&r, NULL, runs[i].words);
		if (r.status != runs[i].status || (runs[i].out ? !strstr(r.out, runs[i].out) : *r.out) ||
		    (runs[i].err ? !strstr(r.err, runs[i].err) : *r.err))
			fail_msg("%s: status %d\n%s\n%s", runs[i].words[0] ? runs[i].words[0] : "", r.status, r.out,
				r.err);
	}
}

/* A capture of one frame of zeros. */
static void one_frame(const char *path, uint8_t link)
{
	const uint8_t bytes[24 + 16 + 60] = {
		0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, link, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0,
	};
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, sizeof bytes, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

/* A capture of which nothing can be read is no healthy one: its link type is named, and what to do. */
static void test_unread_link(void **state)
{
	char path[] = "/tmp/deadair-link-XXXXXX";
	const char *const words[] = { "read", path, NULL }, *const json[] = { "read", "--json", path, NULL };
	int fd = mkstemp(path);
	struct run r;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	if (!getenv("DEADAIR")) {
		unlink(path);
		skip();
	}
	one_frame(path, 220);
	run(&r, NULL, words);
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "link type 220 (USB_LINUX_MMAPPED), which deadair does not read"));
	assert_non_null(strstr(r.err, "tcpdump -i IF"));
	assert_non_null(strstr(r.out, "1 of link type 220 (USB_LINUX_MMAPPED)"));
	run(&r, NULL, json);
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.out, "\"error\":\"/tmp/deadair-link-"));
	one_frame(path, 1);
	run(&r, NULL, words);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	unlink(path);
}

static void test_full_disk(void **state)
{
	const char *const words[] = { "detectors", NULL };
	struct run r;

	(void)state;
	if (!getenv("DEADAIR") || access("/dev/full", W_OK) != 0)
		skip();
	run(&r, "/dev/full", words);
	assert_int_equal(r.status, 2);
	assert_non_null(strstr(r.err, "standard output: No space left on device"));
}

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "GMT0", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_taken), cmocka_unit_test(test_times),
			cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_unread_link),
		cmocka_unit_test(test_runs),	cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
