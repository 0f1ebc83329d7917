/* SPDX-License-Identifier: MIT */
/* test_ring: frames on their way between two threads. */
#include "captures/live/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "captures/base/ns.h"

enum { FRAMES = 20000 };

static uint8_t image[RING_FRAME_MOST];

/* Sizes from nothing to the most there is, so that batches end at every sort of place. */
static struct frame made(unsigned i)
{
	static const uint32_t sizes[] = { 0, 1, 7, 8, 60, 214, 1500, 9000, 65535 };
	uint32_t n = i % 997 == 0 ? RING_FRAME_MOST : sizes[i % (sizeof sizes / sizeof sizes[0])];

	return (struct frame){ .at_ns = i, .bytes = { image, n }, .wire_bytes = n + 4, .link = 1,
	       .interface = (uint16_t)i };
}

static void *write_all(void *context)
{
	struct ring *r = context;

	for (unsigned i = 0; i < FRAMES; i++) {
		struct frame f = made(i);

		if (!ring_add(r, &f))
			return NULL;
		if (i % 77 == 0)
			ring_flush(r, i);
	}
	ring_end(r);
	return r;
}

static void test_nothing_is_lost_or_turned_round(void **state)
{
	struct ring_bell bell;
	struct ring *r;
	pthread_t writer;
	void *written;
	unsigned i = 0;

	(void)state;
	for (size_t k = 0; k < sizeof image; k++)
		image[k] = (uint8_t)(k * 31);
	ring_bell_init(&bell);
	r = ring_new(&bell);
	pthread_create(&writer, NULL, write_all, r);
	while (i < FRAMES) {
		uint64_t times = ring_bell_times(&bell);
		const struct frame *f = ring_head(r);
		struct frame wanted = made(i);

		if (!f) {
			assert_false(ring_ended(r));
			ring_bell_wait(&bell, times, SECOND_NS);
			continue;
		}
		assert_int_equal(f->at_ns, i);
		assert_int_equal(f->bytes.n, wanted.bytes.n);
		assert_int_equal(f->wire_bytes, wanted.wire_bytes);
		assert_memory_equal(f->bytes.p, image, f->bytes.n);
		assert_ptr_equal(ring_head(r), f);
		ring_take(r);
		i++;
	}
	pthread_join(writer, &written);
	assert_ptr_equal(written, r);
	assert_null(ring_head(r));
	assert_true(ring_ended(r));
	assert_true(ring_clear_ns(r) == INT64_MAX);
	ring_free(r);
	ring_bell_fini(&bell);
}

static void test_what_was_not_flushed_is_not_seen(void **state)
{
	struct ring_bell bell;
	struct ring *r;
	struct frame f = made(4);

	(void)state;
	ring_bell_init(&bell);
	r = ring_new(&bell);
	assert_true(ring_clear_ns(r) == NS_NONE);
	assert_true(ring_add(r, &f));
	assert_null(ring_head(r));
	ring_flush(r, 70);
	assert_true(ring_clear_ns(r) == NS_NONE);    /* a batch waits: its frames say how far time is */
	assert_non_null(ring_head(r));
	assert_true(ring_head_waits_ns(r, ring_monotonic_ns()) >= 0);
	ring_take(r);
	assert_true(ring_clear_ns(r) == 70);
	ring_flush(r, 90);                           /* nothing came: only the time moves */
	assert_null(ring_head(r));
	assert_true(ring_clear_ns(r) == 90);
	ring_flush(r, NS_NONE);
	assert_true(ring_clear_ns(r) == 90);
	assert_false(ring_ended(r));
	ring_free(r);
	ring_bell_fini(&bell);
}

static unsigned filled(struct ring *r)
{
	struct frame f = { .bytes = { image, RING_FRAME_MOST } };
	unsigned n = 0;

	while (ring_add(r, &f))
		n++;
	return n;
}

/* After the stop nobody waits for room; what was in by then can still be read. */
static void test_a_stop_ends_waiting(void **state)
{
	struct ring_bell bell;
	struct ring *r;
	unsigned n, read = 0;

	(void)state;
	ring_bell_init(&bell);
	r = ring_new(&bell);
	ring_bell_stop(&bell);
	n = filled(r);
	assert_int_equal(n, RING_BATCHES * ((RING_BATCH_BYTES - 1) / RING_FRAME_MOST));
	ring_end(r);
	for (; ring_head(r); read++)
		ring_take(r);
	assert_int_equal(read, n);
	assert_true(ring_ended(r));
	ring_free(r);
	ring_bell_fini(&bell);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost_or_turned_round),
		cmocka_unit_test(test_what_was_not_flushed_is_not_seen),
		cmocka_unit_test(test_a_stop_ends_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
