/* SPDX-License-Identifier: MIT */
/*
 * history: how fast a history takes calls, how large it becomes, and how long it takes to answer.
 *     history CALLS FILE
 * Runs of 10 000 calls each with what belongs to them (Call-ID, four hosts, two directions, two streams; of every
 * hundredth a finding with its evidence), each run one transaction. Prints lines "NAME VALUE", times in milliseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "analyzer/history/baseline.h"
#include "analyzer/history/compare.h"
#include "analyzer/history/query.h"
#include "captures/base/ns.h"

enum { CALLS_A_RUN = 10000, PHONES = 2000 };

static const int64_t START_NS = INT64_C(1795255200) * SECOND_NS;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static _Noreturn void fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
	exit(2);
}

static void add_host(struct rows *r, unsigned call, const char *host)
{
	row_begin(r, ROW_CALL_HOST);
	row_integer(r, call);
	row_text(r, host);
}

static void add_media(struct rows *r, unsigned call, unsigned side, const char *from, const char *to, int64_t at_ns)
{
	row_begin(r, ROW_DIRECTION);
	row_integer(r, call);
	row_integer(r, side);
	row_text(r, "audio");
	row_text(r, side ? "callee" : "caller");
	row_text(r, from);
	row_text(r, to);
	row_integer(r, 1);
	row_real(r, 120000);
	row_integer(r, 6000);
	row_text(r, "yes");
	row_null(r);
	row_text(r, "PCMA");
	row_real(r, 4.4);
	row_real(r, 0);
	row_real(r, 1.1);
	row_begin(r, ROW_STREAM);
	row_integer(r, 2 * (int64_t)call + side);
	row_integer(r, call);
	row_text(r, from);
	row_text(r, to);
	row_integer(r, (int64_t)call * 7919 % INT32_MAX);
	row_text(r, "PCMA");
	row_integer(r, 8000);
	row_integer(r, 6000);
	row_integer(r, 0);
	row_real(r, 1.1);
	row_real(r, 21.5);
	row_real(r, 4.4);
	row_integer(r, 46);
	row_time(r, at_ns);
	row_time(r, at_ns + 120 * SECOND_NS);
}

static void add_finding(struct rows *r, unsigned call, const char *about, int64_t at_ns)
{
	row_begin(r, ROW_FINDING);
	row_integer(r, call);
	row_text(r, "one-way-audio");
	row_text(r, "nothing-arrives");
	row_text(r, "error");
	row_text(r, "certain");
	row_text(r, "1001 hears nothing of 01632960105");
	row_text(r, "In 42 s nothing of 01632960105 arrives at 1001, although 2 098 packets leave.");
	row_text(r, "Capture on the other side of the firewall.");
	row_null(r);
	row_text(r, about);
	row_integer(r, 1);
	row_null(r);
	row_time(r, at_ns);
	row_time(r, at_ns);
	row_integer(r, 1);
	row_text(r, "open");
	row_null(r);
	row_null(r);
	row_text(r, about);
	row_begin(r, ROW_FINDING_CALL);
	row_integer(r, call);
	row_integer(r, call);
	row_begin(r, ROW_EVIDENCE);
	row_integer(r, call);
	row_integer(r, 0);
	row_integer(r, 0);
	row_integer(r, 1204);
	row_null(r);
	row_time(r, at_ns);
	row_text(r, "200 answers: audio to 192.168.1.9:4000");
}

static void add_call(struct rows *r, unsigned n, uint64_t number)
{
	int64_t at_ns = START_NS + (int64_t)number * 3 * SECOND_NS;
	unsigned phone = (unsigned)(number * 7919 % PHONES);
	char id[48], from[16], host[32], from_at[40], to[24];

	snprintf(id, sizeof id, "%016llx@192.168.1.1", (unsigned long long)(number * UINT64_C(0x9e3779b97f4a7c15)));
	snprintf(from, sizeof from, "%u", 1000 + phone);
	snprintf(to, sizeof to, "016329%05u", (unsigned)(number * 104729 % 100000));
	snprintf(host, sizeof host, "192.168.%u.%u", phone / 250, 1 + phone % 250);
	snprintf(from_at, sizeof from_at, "%s:11800", host);
	row_begin(r, ROW_CALL);
	row_integer(r, n);
	row_text(r, id);
	row_text(r, from);
	row_text(r, to);
	row_text(r, "Yealink SIP-T46S 66.85.0.5");
	row_null(r);
	row_text(r, from_at);
	row_text(r, "198.51.100.7:5060");
	row_text(r, n % 50 ? "ended" : "failed");
	row_integer(r, n % 50 ? 200 : 503);
	row_time(r, at_ns);
	row_time(r, n % 50 ? at_ns + 5 * SECOND_NS : NS_NONE);
	row_time(r, at_ns + 125 * SECOND_NS);
	row_real(r, 900);
	row_real(r, 5000);
	row_text(r, n % 100 == 1 ? "no" : "yes");
	row_text(r, "yes");
	row_real(r, 4.4);
	row_real(r, 4.4);
	row_begin(r, ROW_CALL_LEG);
	row_integer(r, n);
	row_text(r, id);
	row_null(r);
	add_host(r, n, host);
	add_host(r, n, "203.0.113.2");
	add_host(r, n, "198.51.100.7");
	add_host(r, n, "198.51.100.40");
	add_media(r, n, 0, from_at, "198.51.100.40:30012", at_ns);
	add_media(r, n, 1, "198.51.100.40:30012", from_at, at_ns);
	if (n % 100 == 1)
		add_finding(r, n, host, at_ns);
}

static void write_run(struct store *s, struct rows *rows, uint64_t from, unsigned count)
{
	struct run run = { .kind = "read", .source = "office.pcap", .deadair = "bench", .written_ns = START_NS,
		.first_ns = START_NS + (int64_t)from * 3 * SECOND_NS,
			   .last_ns = START_NS + (int64_t)(from + count) * 3 * SECOND_NS, .frames = 1000,
			   .bytes = 200000, .complete = true };
	struct err err;
	int64_t number;

	for (unsigned i = 0; i < sizeof from; i++)
		run.identity[i] = (uint8_t)(from >> 8 * i);
	if (store_begin(s, &err) != ERR_OK || store_run(s, &run, &number, &err) != ERR_OK)
		fail(&err);
	for (unsigned n = 1; n <= count; n++) {
		add_call(rows, n, from + n);
		if (rows->n < 256 << 10 && n < count)
			continue;
		if (store_rows(s, rows, &err) != ERR_OK)
			fail(&err);
		rows_clear(rows);
	}
	if (store_commit(s, &err) != ERR_OK)
		fail(&err);
}

static void ask(struct store *s, const char *name, enum listing listing, const struct listing_filter *filter)
{
	double begin = now_ms();
	size_t count = 0;
	struct err err;
	struct query *q = query_new(s, listing, filter, &err);

	if (!q)
		fail(&err);
	while (query_next(q, &err))
		count++;
	query_free(q);
	printf("%s_ms %.1f\n%s_records %zu\n", name, now_ms() - begin, name, count);
}

static void ask_all(struct store *s, uint64_t calls)
{
	int64_t end_ns = START_NS + (int64_t)calls * 3 * SECOND_NS;
	const struct { const char *name; enum listing listing; struct listing_filter filter; } questions[] = {
		{ "calls", LISTING_CALLS, { .limit = 50 } },
		{ "calls_number", LISTING_CALLS, { .number = "1042", .limit = 50 } },
		{ "calls_callee", LISTING_CALLS, { .number = "*2345", .limit = 50 } },
		{ "calls_host", LISTING_CALLS, { .host = "192.168.1.7", .limit = 50 } },
		{ "calls_firewall", LISTING_CALLS, { .host = "203.0.113.2", .limit = 50 } },
		{ "calls_finding", LISTING_CALLS, { .id = "one-way-audio", .limit = 50 } },
		{ "calls_since", LISTING_CALLS, { .has_since = true, .since_ns = end_ns - 24 * HOUR_NS, .limit = 50 } },
		{ "calls_until", LISTING_CALLS,
		  { .has_until = true, .until_ns = START_NS + 24 * HOUR_NS, .limit = 50 } },
		{ "call", LISTING_CALLS, { .run = 1, .call = 77 } },
		{ "findings_week", LISTING_FINDINGS,
		  { .has_since = true, .since_ns = end_ns - 7 * 24 * HOUR_NS, .limit = 50 } },
		{ "runs", LISTING_RUNS, { .limit = 50 } },
		{ "trend_week", LISTING_TREND,
		  { .has_since = true, .since_ns = end_ns - 7 * 24 * HOUR_NS, .limit = 50 } },
	};

	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
		ask(s, questions[i].name, questions[i].listing, &questions[i].filter);
}

static void compare_weeks(struct store *s, uint64_t calls)
{
	int64_t end_ns = START_NS + (int64_t)calls * 3 * SECOND_NS, week_ns = 7 * 24 * HOUR_NS;
	const struct compare_side sides[SIDES] = { { end_ns - 2 * week_ns, end_ns - week_ns, 0 },
		{ end_ns - week_ns, INT64_MAX, 0 } };
	double begin = now_ms();
	struct err err;
	struct comparison *c = compare_new(s, sides, &err);

	if (!c)
		fail(&err);
	printf("compare_ms %.1f\ncompare_calls %llu\n", now_ms() - begin,
	       (unsigned long long)(compare_totals(c, SIDE_BEFORE)->calls + compare_totals(c, SIDE_AFTER)->calls));
	compare_free(c);
}

int main(int argc, char **argv)
{
	uint64_t calls = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
	double begin = now_ms();
	struct rows rows;
	struct store *s;
	struct err err;
	struct stat st;

	if (!calls) {
		fprintf(stderr, "usage: history CALLS FILE\n");
		return 2;
	}
	s = store_open(argv[2], STORE_WRITE, 1000, &err);
	if (!s)
		fail(&err);
	rows_init(&rows);
	for (uint64_t from = 0; from < calls; from += CALLS_A_RUN)
		write_run(s, &rows, from, calls - from < CALLS_A_RUN ? (unsigned)(calls - from) : CALLS_A_RUN);
	rows_fini(&rows);
	store_close(s);
	printf("insert_s %.2f\ncalls_per_second %.0f\n", (now_ms() - begin) / 1e3,
		(double)calls / (now_ms() - begin) * 1e3);
	printf("bytes_per_call %.0f\n", stat(argv[2], &st) == 0 ? (double)st.st_size / (double)calls : 0);
	s = store_open(argv[2], STORE_READ, 1000, &err);
	if (!s)
		fail(&err);
	ask_all(s, calls);
	compare_weeks(s, calls);
	store_close(s);
	return 0;
}
