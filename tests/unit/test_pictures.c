/* SPDX-License-Identifier: MIT */
/* test_pictures: copies of this process answer, one after the other; held, lost, left. */
#include "ui/pictures.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct made {
	struct pictures *pictures;
	unsigned number;             /* what the engine would be: as it was at the fork */
	unsigned stopped;
	bool worked;
};

/* "who" is answered by the number, "die" by nothing, "long" by a megabyte. */
static void answer(void *context, const void *question, size_t n, struct text *ret)
{
	struct made *m = context;

	if (n == 3 && memcmp(question, "die", 3) == 0)
		_exit(1);
	for (unsigned i = 0; i < (1 << 20) && n == 4; i++)
		text_add(ret, "x");
	if (n == 3)
		text_addf(ret, "%u", m->number);
}

static void stop(void *context)
{
	struct made *m = context;

	m->stopped++;
}

static int make(void **state)
{
	static struct made m;
	struct picture_answers answers = { .answer = answer, .context = &m, .stop = stop, .stop_context = &m };
	struct err err;

	m = (struct made){ .pictures = pictures_new(&answers, &err) };
	*state = &m;
	if (m.pictures)
		pictures_work_begins(m.pictures);
	return m.pictures ? 0 : -1;
}

static int end(void **state)
{
	struct made *m = *state;

	pictures_work_ends(m->pictures);
	pictures_free(m->pictures);
	return waitpid(-1, NULL, WNOHANG) == -1 ? 0 : -1;       /* no child is left */
}

static void picture(struct made *m, unsigned number)
{
	int fds[2];
	pid_t copy;

	m->number = number;
	assert_true(pictures_socket(fds));
	copy = fork();
	assert_true(copy >= 0);
	if (copy == 0) {
		close(fds[0]);
		pictures_serve(m->pictures, fds[1]);
	}
	close(fds[1]);
	pictures_publish(m->pictures, copy, fds[0]);
}

static int asked(struct made *m, const char *question)
{
	struct text t;
	int number = -1;

	text_init(&t);
	if (pictures_ask(m->pictures, question, strlen(question), &t))
		number = t.n > 1000 ? (int)t.n : atoi(t.p);
	text_fini(&t);
	return number;
}

static void test_the_newest_answers(void **state)
{
	struct made *m = *state;

	assert_int_equal(asked(m, "who"), -1);
	assert_int_equal(pictures_serial(m->pictures), 0);
	picture(m, 1);
	assert_int_equal(asked(m, "who"), 1);
	assert_int_equal(asked(m, "long"), 1 << 20);
	picture(m, 2);
	picture(m, 3);
	m->number = 9;                  /* here, not there */
	assert_int_equal(asked(m, "who"), 3);
	assert_int_equal(pictures_serial(m->pictures), 3);
}

static void test_held(void **state)
{
	struct made *m = *state;

	pictures_hold(m->pictures, true);
	picture(m, 1);
	assert_int_equal(asked(m, "who"), 1);   /* something is better than nothing */
	picture(m, 2);
	picture(m, 3);
	assert_int_equal(asked(m, "who"), 1);
	pictures_hold(m->pictures, false);
	assert_int_equal(asked(m, "who"), 3);
}

static void test_lost(void **state)
{
	struct made *m = *state;

	picture(m, 1);
	assert_int_equal(asked(m, "die"), -1);
	assert_int_equal(asked(m, "who"), -1);
	assert_true(pictures_wanted(m->pictures));
	picture(m, 2);
	assert_int_equal(asked(m, "who"), 2);
	pictures_quit(m->pictures);
	assert_false(pictures_wanted(m->pictures));
}

static void test_news(void **state)
{
	struct made *m = *state;
	struct pollfd p = { .fd = pictures_fd(m->pictures), .events = POLLIN };
	struct live_numbers numbers = { .frames = 7 };

	assert_int_equal(poll(&p, 1, 0), 0);
	pictures_tell(m->pictures, &numbers);
	assert_int_equal(poll(&p, 1, 0), 1);
	pictures_seen(m->pictures);
	assert_int_equal(poll(&p, 1, 0), 0);
	numbers.frames = 0;
	pictures_numbers(m->pictures, &numbers);
	assert_int_equal(numbers.frames, 7);
	pictures_quit(m->pictures);
	assert_int_equal(m->stopped, 1);
}

static void *work(void *context)
{
	struct made *m = context;

	pictures_work_begins(m->pictures);
	m->worked = true;
	pictures_work_ends(m->pictures);
	return NULL;
}

static void test_nobody_works_while_a_copy_is_made(void **state)
{
	struct made *m = *state;
	pthread_t thread;

	pictures_work_ends(m->pictures);
	pictures_copy_begins(m->pictures);
	assert_int_equal(pthread_create(&thread, NULL, work, m), 0);
	usleep(20000);
	assert_false(m->worked);
	pictures_copy_ends(m->pictures);
	pthread_join(thread, NULL);
	assert_true(m->worked);
	pictures_work_begins(m->pictures);
	pictures_copy_begins(m->pictures);      /* a terminal that takes nothing does not hold up the capture */
	pictures_copy_ends(m->pictures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_newest_answers, make, end),
		cmocka_unit_test_setup_teardown(test_held, make, end),
		cmocka_unit_test_setup_teardown(test_lost, make, end),
		cmocka_unit_test_setup_teardown(test_news, make, end),
		cmocka_unit_test_setup_teardown(test_nobody_works_while_a_copy_is_made, make, end),
	};

	signal(SIGPIPE, SIG_IGN);       /* as the thread that asks has it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
