/* SPDX-License-Identifier: MIT */
/*
 * feed: on one thread and on two the same batches; what does not stand alone is left to the caller; it ends whenever
 * the caller wants.
 */
#include "analyzer/feed.h"

#include "dissect/plain.h"
#include "tests/unit/dissect_bytes.h"
#include "tests/unit/image.h"

/* So many rounds that the order of the first frames is known and others are borrowed from the source. */
enum { LINK_ETHERNET = 1, ROUNDS = 1200, LARGE = 200000 };

#define US 0xa1b2c3d4u

static const struct span rtp = { (const uint8_t *)"\x80\x00\x12\x34\x00\x00\x00\xa0\x00\x00\xab\xcd" "0123456789", 22 };
static const struct span padded = {
	(const uint8_t *)"\xa0\x00\x12\x34\x00\x00\x00\xa0\x00\x00\xab\xcd" "012345678\x01", 22
};
static const struct span rtcp = { (const uint8_t *)"\x80\xc9\x00\x01\x00\x00\xab\xcd", 8 };

/* A SYN, which is decoded nowhere but in its turn. */
static const struct span tcp = { (const uint8_t *)"\x13\xc4\x13\xc4\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02\x10\x00\x00\x00\x00\x00", 20 };

enum sort { RTP, PADDED, SIP, TCP, RTCP, FRAGMENT, CUT, SORTS };

static const struct { bool plain, decoded; enum packet_kind kind; } wanted[SORTS] = {
	[RTP] = { .plain = true },
	[PADDED] = { .decoded = true, .kind = PACKET_RTP },
	[SIP] = { .decoded = true, .kind = PACKET_SIP },
	[TCP] = { .decoded = false },
	[RTCP] = { .decoded = true, .kind = PACKET_RTCP },
	[FRAGMENT] = { .decoded = false },
	[CUT] = { .decoded = true, .kind = PACKET_NONE },
};

static void record_bytes(struct image *im, unsigned n, struct span bytes)
{
	image_record_head(im, 1000 + n, 0, (uint32_t)bytes.n, (uint32_t)bytes.n);
	image_add(im, bytes.p, bytes.n);
}

static void record(struct image *im, unsigned n, struct span ip)
{
	static struct bytes b;

	record_bytes(im, n, ethernet_wrap(&b, 0x0800, ip));
}

static void frame(struct image *im, unsigned n)
{
	static struct bytes b;
	struct span udp;

	switch ((enum sort)(n % SORTS)) {
	case RTP:
		udp = udp_wrap(&b, 4000, 5000, rtp);
		record(im, n, ip4_wrap(&b, 1, 2, 17, 0, 0, udp));
		break;
	case PADDED:
		udp = udp_wrap(&b, 4000, 5000, padded);
		record(im, n, ip4_wrap(&b, 1, 2, 17, 0, 0, udp));
		break;
	case SIP:
		udp = udp_wrap(&b, 5060, 5060, options_sip);
		record(im, n, ip4_wrap(&b, 1, 2, 17, 0, 0, udp));
		break;
	case TCP:
		record(im, n, ip4_wrap(&b, 1, 2, 6, 0, 0, tcp));
		break;
	case RTCP:
		udp = udp_wrap(&b, 4001, 5001, rtcp);
		record(im, n, ip4_wrap(&b, 1, 2, 17, 0, 0, udp));
		break;
	case FRAGMENT:
		udp = udp_wrap(&b, 5060, 5060, rtp);
		record(im, n, ip4_wrap(&b, 1, 2, 17, 7, 0x2000, udp));
		break;
	case CUT:
		record_bytes(im, n, (struct span){ (const uint8_t *)"\x45", 1 });
		break;
	case SORTS:
		break;
	}
}

static void write_capture(const char *path, bool large)
{
	struct image im = { NULL, 0, 0, false };

	image_pcap(&im, US, LINK_ETHERNET);
	for (unsigned n = 0; n < ROUNDS * SORTS; n++)
		frame(&im, n);
	if (large) {
		image_record(&im, 100000, 0, LARGE);
		image_record(&im, 100001, 0, LARGE);
	}
	image_write(&im, path);
	image_free(&im);
}

static struct source *open_one(const char *path)
{
	const char *const paths[] = { path };
	struct err err;
	struct source *s = source_open(paths, 1, NULL, &err);

	assert_non_null(s);
	return s;
}

static void check_item(const struct feed_item *item, unsigned n)
{
	const struct packet *p = item->packet;

	assert_int_equal(item->frame->number, n + 1);
	if (n >= ROUNDS * SORTS) {
		assert_int_equal(item->frame->bytes.n, LARGE);
		assert_int_equal(item->frame->bytes.p[LARGE - 1], 0xee);
		return;
	}
	assert_int_equal(item->plain, wanted[n % SORTS].plain);
	assert_int_equal(p != NULL, wanted[n % SORTS].decoded);
	if (item->plain)
		assert_int_equal(plain_seq(item->frame), 0x1234);
	if (!p)
		return;
	assert_int_equal(p->kind, wanted[n % SORTS].kind);
	assert_int_equal(p->frame, n + 1);
	if (p->kind == PACKET_SIP)
		assert_true(span_equal(p->sip->call_id, SPAN("one@10.0.0.1")));
	if (p->kind == PACKET_RTP)
		assert_int_equal(p->rtp.seq, 0x1234);
}

static void read_all(const char *path, bool ahead)
{
	struct source *s = open_one(path);
	struct feed *f = feed_new(s, ahead);
	const struct feed_batch *b;
	unsigned n = 0;

	while ((b = feed_next(f)) != NULL) {
		assert_in_range(b->count, 1, FEED_BATCH);
		for (unsigned i = 0; i < b->count; i++)
			check_item(&b->items[i], n++);
		assert_int_equal(b->frames, n);
		assert_true(b->done > 0 && b->done <= b->total);
	}
	assert_null(feed_next(f));
	feed_free(f);
	assert_int_equal(n, ROUNDS * SORTS + 2);
	assert_int_equal(source_file(s, 0)->frames, n);
	source_close(s);
}

static void the_same_on_one_thread_and_on_two(void **state)
{
	(void)state;
	write_capture("all", true);
	read_all("all", false);
	read_all("all", true);
}

/* Who stops the source gets what was read before, and then the end. */
static void a_stopped_source_ends(void **state)
{
	(void)state;
	write_capture("stop", false);
	for (unsigned ahead = 0; ahead < 2; ahead++) {
		struct source *s = open_one("stop");
		struct feed *f = feed_new(s, ahead);
		unsigned n = 0;

		assert_non_null(feed_next(f));
		source_stop(s);
		for (const struct feed_batch *b; (b = feed_next(f)) != NULL; n += b->count)
			assert_true(n < ROUNDS * SORTS);
		feed_free(f);
		assert_int_equal(source_file(s, 0)->error.code, ERR_OK);
		source_close(s);
	}
}

static void nobody_has_to_read_to_the_end(void **state)
{
	(void)state;
	write_capture("some", false);
	for (unsigned batches = 0; batches < 4; batches++) {
		struct source *s = open_one("some");
		struct feed *f = feed_new(s, true);

		for (unsigned i = 0; i < batches; i++)
			assert_non_null(feed_next(f));
		feed_free(f);
		source_close(s);
	}
	feed_free(NULL);
}

static void what_cannot_be_read_has_no_batch(void **state)
{
	(void)state;
	for (unsigned ahead = 0; ahead < 2; ahead++) {
		struct source *s = open_one("not there");
		struct feed *f = feed_new(s, ahead);

		assert_null(feed_next(f));
		feed_free(f);
		assert_int_equal(source_file(s, 0)->error.code, ERR_FILE);
		source_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_on_one_thread_and_on_two),
		cmocka_unit_test(a_stopped_source_ends),
		cmocka_unit_test(nobody_has_to_read_to_the_end),
		cmocka_unit_test(what_cannot_be_read_has_no_batch),
	};

	return cmocka_run_group_tests_name("feed", tests, folder_enter, folder_leave);
}
