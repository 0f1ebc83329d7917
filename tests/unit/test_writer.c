/* SPDX-License-Identifier: MIT */
/*
 * test_writer: what is given stands in the file two seconds later, whatever happens to the process; nobody waits for
 * the disk; what is lost is counted.
 */
#include "analyzer/history/writer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/history_files.h"

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void sleep_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 }, NULL);
}

static struct writer *writer_expect(const struct folder *f, size_t room)
{
	struct writer_options options = { .path = f->file, .room = room };
	struct err err = { .code = ERR_OK };
	struct writer *w = writer_new(&options, &err);

	if (!w)
		fail_msg("%s", err.text);
	assert_true(writer_start(w, &err));
	return w;
}

static bool give(struct writer *w, unsigned run, unsigned from, unsigned to)
{
	struct run about = run_number(run);
	struct rows rows;
	bool given;

	about.kind = "live";
	rows_init(&rows);
	add_calls(&rows, from, to);
	given = writer_give(w, &about, &rows);
	rows_fini(&rows);
	return given;
}

static int64_t calls_in(const struct folder *f)
{
	struct store *s = store_expect(f->file, STORE_READ);
	int64_t n = number_in(s->db, "SELECT count(*) FROM call");

	store_close(s);
	return n;
}

static void what_is_given_is_written(void **state)
{
	struct writer_state last;
	struct folder f;
	struct writer *w;
	struct store *s;

	(void)state;
	folder_make(&f);
	w = writer_expect(&f, 0);
	assert_true(give(w, 1, 1, 11));
	assert_true(give(w, 1, 11, 21));
	assert_true(give(w, 1, 20, 22));        /* one of them again */
	assert_true(give(w, 2, 1, 6));
	writer_free(w, 5000, &last);
	assert_int_equal(last.written, 27);
	assert_int_equal(last.lost, 0);
	assert_string_equal(last.trouble, "");
	s = store_expect(f.file, STORE_READ);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM call WHERE run = 1"), 21);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM call WHERE run = 2"), 5);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM run WHERE kind = 'live'"), 2);
	integrity_holds(s->db);
	store_close(s);
	folder_remove(&f);
}

static void two_seconds_later_it_stands(void **state)
{
	struct folder f;
	struct writer *w;

	(void)state;
	folder_make(&f);
	w = writer_expect(&f, 0);
	assert_true(give(w, 1, 1, 11));
	sleep_ms(1900);
	assert_int_equal(calls_in(&f), 10);
	assert_int_equal(writer_look(w).waiting, 0);
	writer_free(w, 1000, NULL);
	folder_remove(&f);
}

/* Gives a call each millisecond, and tells when. */
static void give_until_killed(const struct folder *f, int tell)
{
	struct writer *w = writer_expect(f, 0);

	for (unsigned n = 1; ; n++) {
		struct { unsigned n; int64_t at_ns; } told = { n, now_ns() };

		if (!give(w, 1, n, n + 1) || write(tell, &told, sizeof told) != sizeof told)
			_exit(1);
		sleep_ms(1);
	}
}

/* However slow the machine is: the two seconds begin when so many were given. */
enum { GIVEN_LEAST = 150 };

static void kill_minus_nine_loses_two_seconds_at_most(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		struct { unsigned n; int64_t at_ns; } told = { 0, 0 };
		int64_t killed_ns = NS_NONE, stored;
		unsigned old_enough = 0;
		struct folder f;
		struct store *s;
		int tell[2];
		pid_t child;

		folder_make(&f);
		assert_int_equal(pipe(tell), 0);
		child = fork();
		if (child == 0)
			give_until_killed(&f, tell[1]);
		close(tell[1]);
		while ((killed_ns == NS_NONE || now_ns() < killed_ns) &&
		       read(tell[0], &told, sizeof told) == sizeof told) {
			if (told.n == GIVEN_LEAST)
				killed_ns = told.at_ns + 2500 * MILLISECOND_NS + round * 600 * MILLISECOND_NS;
			if (killed_ns != NS_NONE && told.at_ns < killed_ns - 2 * SECOND_NS)
				old_enough = told.n;
		}
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		close(tell[0]);
		s = store_expect(f.file, STORE_WRITE);
		integrity_holds(s->db);
		stored = number_in(s->db, "SELECT coalesce(max(n), 0) FROM call");
		assert_int_equal(number_in(s->db, "SELECT count(*) FROM call"), stored);
		assert_true(old_enough >= GIVEN_LEAST);
		if (stored < (int64_t)old_enough)
			fail_msg("%lld stored, %u were two seconds old", (long long)stored, old_enough);
		store_close(s);
		folder_remove(&f);
	}
}

/* Another program has the file for two seconds: the thread waits, the giver does not. */
static void nobody_waits_for_the_disk(void **state)
{
	int64_t slowest_ns = 0;
	struct writer_state last;
	struct folder f;
	struct store *other;
	struct writer *w;
	struct err err;

	(void)state;
	folder_make(&f);
	w = writer_expect(&f, 0);
	other = store_expect(f.file, STORE_WRITE);
	assert_int_equal(store_begin(other, &err), ERR_OK);
	for (unsigned i = 0; i < 200; i++) {
		int64_t before_ns = now_ns(), took_ns;

		assert_true(give(w, 1, 100 * i + 1, 100 * i + 101));
		took_ns = now_ns() - before_ns;
		slowest_ns = took_ns > slowest_ns ? took_ns : slowest_ns;
		sleep_ms(10);
	}
	assert_true(slowest_ns < 200 * MILLISECOND_NS);         /* it writes nothing itself; the machine may be busy */
	assert_non_null(strstr(writer_look(w).trouble, "another program is writing"));
	assert_int_equal(writer_look(w).written, 0);
	store_rollback(other);
	store_close(other);
	writer_free(w, 20000, &last);
	assert_int_equal(last.written, 20000);
	assert_int_equal(last.lost, 0);
	assert_int_equal(calls_in(&f), 20000);
	folder_remove(&f);
}

static void what_finds_no_room_is_counted(void **state)
{
	struct writer_state last;
	unsigned given = 0;
	struct folder f;
	struct store *other;
	struct writer *w;
	struct err err;

	(void)state;
	folder_make(&f);
	w = writer_expect(&f, 64 << 10);
	other = store_expect(f.file, STORE_WRITE);
	assert_int_equal(store_begin(other, &err), ERR_OK);
	for (unsigned i = 0; i < 50; i++)
		given += give(w, 1, 100 * i + 1, 100 * i + 101);
	assert_in_range(given, 2, 20);
	assert_int_equal(writer_look(w).lost, (50 - given) * 100);
	assert_true(writer_look(w).waiting <= 64 << 10);
	store_rollback(other);
	store_close(other);
	writer_free(w, 20000, &last);
	assert_int_equal(last.written, given * 100);
	assert_int_equal(last.lost, (50 - given) * 100);
	assert_int_equal(calls_in(&f), given * 100);
	folder_remove(&f);
}

/* On a small tmpfs of its own: that takes root, and is left out without. */
static void a_full_disk_is_said_and_waited_for(void **state)
{
	char filler[192], junk[4096] = { 0 };
	struct writer_state last;
	struct folder f;
	struct writer *w;
	int fd;

	(void)state;
	folder_make(&f);
	if (mount("tmpfs", f.path, "tmpfs", 0, "size=1m") != 0) {
		print_message("no tmpfs may be mounted here: left out\n");
		folder_remove(&f);
		skip();
	}
	w = writer_expect(&f, 0);
	assert_true(give(w, 1, 1, 11));
	sleep_ms(1600);
	assert_int_equal(writer_look(w).written, 10);
	snprintf(filler, sizeof filler, "%s/filler", f.path);
	fd = open(filler, O_WRONLY | O_CREAT, 0600);
	while (write(fd, junk, sizeof junk) > 0)
		;
	close(fd);
	assert_true(give(w, 1, 11, 2011));
	sleep_ms(2500);
	assert_non_null(strstr(writer_look(w).trouble, "no space left"));
	assert_false(writer_look(w).dead);
	assert_int_equal(calls_in(&f), 10);
	assert_int_equal(unlink(filler), 0);
	writer_free(w, 10000, &last);
	assert_int_equal(last.written, 2010);
	assert_int_equal(last.lost, 0);
	assert_int_equal(calls_in(&f), 2010);
	assert_int_equal(umount(f.path), 0);
	folder_remove(&f);
}

/* The end is not waited for longer than was said, and what was left is counted. */
static void a_disk_that_takes_nothing_does_not_hold_the_end(void **state)
{
	struct writer_state last;
	struct folder f;
	struct store *other;
	struct writer *w;
	struct err err;
	int64_t before_ns;

	(void)state;
	folder_make(&f);
	w = writer_expect(&f, 0);
	other = store_expect(f.file, STORE_WRITE);
	assert_int_equal(store_begin(other, &err), ERR_OK);
	assert_true(give(w, 1, 1, 11));
	before_ns = now_ns();
	writer_free(w, 300, &last);
	assert_true(now_ns() - before_ns < 4 * SECOND_NS);
	assert_int_equal(last.lost, 10);
	assert_int_equal(last.written, 0);
	store_rollback(other);
	store_close(other);
	folder_remove(&f);
}

/* Settled calls from..to, and as many that may still change, behind them. */
static void fill_shared(struct writer *w, const struct run *about, unsigned from, unsigned to, unsigned more)
{
	struct rows rows;

	rows_init(&rows);
	writer_shared_run(w, about);
	add_calls(&rows, from, to);
	if (!writer_shared_add(w, &rows) || writer_shared_settle(w).calls != to - 1)
		_exit(1);
	rows_clear(&rows);
	add_calls(&rows, to, to + more);
	_exit(writer_shared_add(w, &rows) ? 0 : 2);
}

/* A copy of the process leaves rows in shared memory; its thread is not there. What was not settled is replaced. */
static void a_copy_gives_through_shared_memory(void **state)
{
	struct run about = run_number(7);
	struct record_numbers kept = { 0 };
	struct writer_state last;
	struct folder f;
	struct writer *w;
	struct store *s;
	int status;

	(void)state;
	folder_make(&f);
	w = writer_expect(&f, 0);
	for (unsigned round = 0; round < 3; round++) {
		pid_t child;

		while (writer_shared_busy(w))
			sleep_ms(10);
		writer_shared_begin(w, &kept);
		child = fork();
		if (child == 0)
			fill_shared(w, &about, kept.calls + 1, kept.calls + 11, 30 - 10 * round);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_true(writer_shared_give(w));
		kept = writer_shared_settled(w);
		assert_int_equal(kept.calls, 10 * (round + 1));
	}
	writer_free(w, 5000, &last);
	assert_int_equal(last.lost, 0);
	s = store_expect(f.file, STORE_READ);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM call"), 30 + 10);
	assert_int_equal(number_in(s->db, "SELECT max(n) FROM call"), 40);
	assert_int_equal(number_in(s->db, "SELECT count(*) FROM run"), 1);
	store_close(s);
	folder_remove(&f);
}

static void old_runs_are_forgotten(void **state)
{
	struct writer_options options = { .keep_ns = 90 * 24 * HOUR_NS };
	struct run about = run_number(2);
	struct folder f;
	struct writer *w;
	struct rows rows;
	struct err err;

	(void)state;
	folder_make(&f);
	options.path = f.file;
	w = writer_new(&options, &err);
	assert_non_null(w);
	assert_true(writer_start(w, &err));
	assert_true(give(w, 1, 1, 11));
	rows_init(&rows);
	add_calls(&rows, 1, 4);
	about.first_ns += 91 * 24 * HOUR_NS;
	about.last_ns += 91 * 24 * HOUR_NS;
	assert_true(writer_give(w, &about, &rows));
	rows_fini(&rows);
	writer_free(w, 5000, NULL);
	assert_int_equal(calls_in(&f), 3);
	folder_remove(&f);
}

/* What does not fit is our own mistake: it is counted, and what comes behind it is written. */
static void a_record_that_does_not_fit_holds_nothing_up(void **state)
{
	struct run about = run_number(1);
	struct writer_state last;
	struct folder f;
	struct writer *w;
	struct rows rows;

	(void)state;
	folder_make(&f);
	w = writer_expect(&f, 0);
	rows_init(&rows);
	row_begin(&rows, ROW_CALL);
	row_null(&rows);
	assert_true(writer_give(w, &about, &rows));
	rows_fini(&rows);
	sleep_ms(1500);
	assert_true(give(w, 2, 1, 11));
	writer_free(w, 5000, &last);
	assert_int_equal(last.lost, 1);
	assert_int_equal(last.written, 10);
	assert_int_equal(calls_in(&f), 10);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_is_written),
		cmocka_unit_test(two_seconds_later_it_stands),
		cmocka_unit_test(kill_minus_nine_loses_two_seconds_at_most),
		cmocka_unit_test(nobody_waits_for_the_disk),
		cmocka_unit_test(what_finds_no_room_is_counted),
		cmocka_unit_test(a_full_disk_is_said_and_waited_for),
		cmocka_unit_test(a_disk_that_takes_nothing_does_not_hold_the_end),
		cmocka_unit_test(a_copy_gives_through_shared_memory),
		cmocka_unit_test(old_runs_are_forgotten),
		cmocka_unit_test(a_record_that_does_not_fit_holds_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
