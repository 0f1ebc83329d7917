/* SPDX-License-Identifier: MIT */
/* source: compression, merging, filters, pipes, and what is no capture at all. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "captures/base/ns.h"
#include "tests/unit/image.h"

#define US 0xa1b2c3d4u
#define TWO "0:1 @1000000000 600/600 +24 link 1 if 0\n0:2 @2000000000 7/7 +640 link 1 if 0\n"
#define TWO_BYTES 663

static void two_records(struct image *im)
{
	image_pcap(im, US, 1);
	image_record(im, 1, 0, 600);
	image_record(im, 2, 0, 7);
}

/* Adds a gzip member. */
static void gzip(struct image *to, const uint8_t *plain, size_t n)
{
	uint8_t out[4096];
	z_stream z = {
		.next_in = (uint8_t *)(uintptr_t)plain, .avail_in = (uInt)n, .next_out = out, .avail_out = sizeof out
	};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	image_add(to, out, z.total_out);
	deflateEnd(&z);
}

static void zstd(struct image *to, const uint8_t *plain, size_t n)
{
	uint8_t out[4096];
	size_t packed = ZSTD_compress(out, sizeof out, plain, n, 3);

	assert_false(ZSTD_isError(packed));
	image_add(to, out, packed);
}

/* The border of the two members stands inside a record's header. */
static void gzip_two_members(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, 30);
	gzip(to, plain->p + 30, plain->n - 30);
}

static void gzip_padded(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, plain->n);
	image_fill(to, 0, 512);
}

static void gzip_garbage(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, plain->n);
	image_add(to, "garbage", 7);
}

static void gzip_cut_in_trailer(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, plain->n);
	to->n -= 3;
}

static void gzip_cut_in_header(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, plain->n);
	to->n = 9;
}

static void gzip_checksum(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, plain->n);
	to->p[to->n - 8] ^= 1;
}

static void gzip_cut_record(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, plain->n - 1);
}

static void gzip_of_nothing(struct image *to, const struct image *plain)
{
	gzip(to, plain->p, 0);
}

static void gzip_of_gzip(struct image *to, const struct image *plain)
{
	struct image once = { .p = NULL };

	gzip(&once, plain->p, plain->n);
	gzip(to, once.p, once.n);
	image_free(&once);
}

static void gzip_of_text(struct image *to, const struct image *plain)
{
	(void)plain;
	gzip(to, (const uint8_t *)"hello, world", 12);
}

static void zstd_two_frames(struct image *to, const struct image *plain)
{
	zstd(to, plain->p, 30);
	image_add(to, "\x5a\x2a\x4d\x18\3\0\0\0abc", 11);        /* skippable */
	zstd(to, plain->p + 30, plain->n - 30);
}

static void zstd_skippable_first(struct image *to, const struct image *plain)
{
	image_add(to, "\x50\x2a\x4d\x18\0\0\0\0", 8);
	zstd(to, plain->p, plain->n);
}

static void zstd_cut(struct image *to, const struct image *plain)
{
	zstd(to, plain->p, plain->n);
	to->n -= 3;
}

static void zstd_garbage(struct image *to, const struct image *plain)
{
	zstd(to, plain->p, plain->n);
	image_add(to, "garbage", 7);
}

static void zstd_window(struct image *to, const struct image *plain)
{
	(void)plain;
	image_add(to, "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);        /* 2 GiB */
}

static void zstd_dictionary(struct image *to, const struct image *plain)
{
	(void)plain;
	image_add(to, "\x28\xb5\x2f\xfd\x21\x07\x00\x01\x00\x00", 10);
}

static void xz(struct image *to, const struct image *plain)
{
	(void)plain;
	image_add(to, "\xfd" "7zXZ\0", 6);
}

static const struct {
	const char *name;
	void (*build)(struct image *, const struct image *);
	const char *expected;
} packed[] = {
	{ "gzip, two members", gzip_two_members, TWO },
	{ "gzip, zeros behind", gzip_padded, TWO },
	{ "gzip, garbage behind", gzip_garbage,
		TWO
		"x: frame 3 at byte 663 unpacked: something that is not gzip follows the gzip data; reported up to there\n" },
	{ "gzip, cut in its trailer", gzip_cut_in_trailer,
		TWO "x: frame 3 at byte 663 unpacked: the gzip data ends early "
		    "(cut short or still being written); reported up to there\n" },
	{ "gzip, cut in its header", gzip_cut_in_header,
		"x: the gzip data ends early (cut short or still being written); nothing could be read\n" },
	{ "gzip, wrong checksum", gzip_checksum,
		TWO "x: frame 3 at byte 663 unpacked: the gzip data is damaged "
		    "(incorrect data check); reported up to there\n" },
	{ "gzip of a cut capture", gzip_cut_record,
		"0:1 @1000000000 600/600 +24 link 1 if 0\nx: frame 2 at byte 640 unpacked: "
		"the file ends inside this record (cut short or still being written); reported up to there\n" },
	{ "gzip of nothing", gzip_of_nothing, "x: empty: the gzip data holds nothing\n" },
	{ "gzip of gzip", gzip_of_gzip, "x: gzip inside gzip; unpack it once: gzip -dc FILE | deadair -\n" },
	{ "gzip of text", gzip_of_text,
		"x: not a capture file (first bytes 68 65 6c 6c); deadair reads pcap and pcapng, plain, gzip or zstd\n" },
	{ "zstd, two frames", zstd_two_frames, TWO },
	{ "zstd, a skippable frame first", zstd_skippable_first, TWO },
	{ "zstd, garbage behind", zstd_garbage,
		TWO
		"x: frame 3 at byte 663 unpacked: something that is not zstd follows the zstd data; reported up to there\n" },
	{ "zstd, window of 2 GiB", zstd_window,
		"x: the zstd data needs a window of more than 128 MiB; "
		"unpack it with zstd -dc --long=31; nothing could be read\n" },
	{ "zstd, dictionary", zstd_dictionary,
		"x: the zstd data needs dictionary 7; "
		"unpack it with zstd -dc -D DICTIONARY; nothing could be read\n" },
	{ "xz", xz, "x: xz, which deadair does not read; unpack it: xz -dc FILE | deadair -\n" },
};

static void test_packed(void **state)
{
	struct image plain = { .p = NULL };

	(void)state;
	two_records(&plain);
	assert_int_equal(plain.n, TWO_BYTES);
	for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++) {
		struct image im = { .p = NULL };

		packed[i].build(&im, &plain);
		image_write(&im, "x");
		image_free(&im);
		source_expect(packed[i].name, "x", packed[i].expected);
	}
	image_free(&plain);
}

/* Where exactly zstd notices that something is missing is its own business; that it does is not. */
static void test_zstd_cut(void **state)
{
	struct image plain = { .p = NULL }, im = { .p = NULL };
	const char *path = "x";
	struct text said;

	(void)state;
	text_init(&said);
	two_records(&plain);
	zstd_cut(&im, &plain);
	image_write(&im, path);
	source_say(&path, 1, NULL, &said);
	assert_non_null(strstr(said.p, "the zstd data ends early (cut short or still being written)"));
	text_fini(&said);
	image_free(&plain);
	image_free(&im);
}

/* A call's worth of data that unpacks to far more than any buffer: all frames come, and memory stays where it was. */
static void test_large_packed(void **state)
{
	enum { RECORDS = 3000, BYTES = 1400 };
	const char *path = "large.gz";
	struct image plain = { .p = NULL };
	struct source *s;
	struct frame f;
	uint64_t done, total;
	uint32_t n = 0;
	gzFile gz;

	(void)state;
	image_pcap(&plain, US, 1);
	for (uint32_t i = 0; i < RECORDS; i++)
		image_record(&plain, i + 1, i, BYTES);
	gz = gzopen(path, "wb1");
	assert_int_equal(gzwrite(gz, plain.p, (unsigned)plain.n), (int)plain.n);
	assert_int_equal(gzclose(gz), Z_OK);
	image_free(&plain);
	s = source_open(&path, 1, NULL, NULL);
	while (source_next(s, &f)) {
		assert_int_equal(f.number, ++n);
		assert_int_equal(f.at_ns, (int64_t)n * 1000000000 + (n - 1) * 1000);
		assert_int_equal(f.bytes.n, BYTES);
		assert_int_equal(f.bytes.p[BYTES - 1], 0xee);
	}
	assert_int_equal(n, RECORDS);
	assert_int_equal(source_file(s, 0)->error.code, ERR_OK);
	source_progress(s, &done, &total);
	assert_int_equal(done, total);
	assert_true(total > 0 && total < RECORDS * BYTES / 10);
	source_close(s);
}

static void write_times(const char *path, uint32_t link, const uint32_t *seconds, size_t count)
{
	struct image im = { .p = NULL };

	image_pcap(&im, US, link);
	for (size_t i = 0; i < count; i++)
		image_record(&im, seconds[i], 0, (uint32_t)i);
	image_write(&im, path);
	image_free(&im);
}

/* a.pcap 10 30 50, b.pcap 20 30 40, c.pcap damaged behind 25: the same whatever the order of their names is. */
static void test_merged(void **state)
{
	static const char *const orders[][4] = {
		{ "a.pcap", "b.pcap", "c.pcap", "missing" },
		{ "missing", "c.pcap", "b.pcap", "a.pcap" },
		{ "b.pcap", "missing", "a.pcap", "c.pcap" },
	};
	struct image im = { .p = NULL };
	struct text said;

	(void)state;
	text_init(&said);
	write_times("a.pcap", 1, (const uint32_t[]){ 10, 30, 50 }, 3);
	write_times("b.pcap", 113, (const uint32_t[]){ 20, 30, 40 }, 3);
	image_pcap(&im, US, 1);
	image_record(&im, 25, 0, 1);
	image_fill(&im, 1, 10);
	image_write(&im, "c.pcap");
	image_free(&im);
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		source_say(orders[i], 4, NULL, &said);
		assert_string_equal(said.p,
			"0:1 @10000000000 0/0 +24 link 1 if 0\n1:1 @20000000000 0/0 +24 link 113 if 0\n"
			"2:1 @25000000000 1/1 +24 link 1 if 0\n0:2 @30000000000 1/1 +40 link 1 if 0\n"
			"1:2 @30000000000 1/1 +40 link 113 if 0\n1:3 @40000000000 2/2 +57 link 113 if 0\n"
			"0:3 @50000000000 2/2 +57 link 1 if 0\n"
			"c.pcap: frame 2 at byte 41: the file ends inside this record (cut short or still being written); "
			"reported up to there\n"
			"missing: there is no such file; check the name\n");
	}
	text_fini(&said);
}

/* b's clock is 15 s ahead: its frames take the places that a's clock would give them, those at hand, too. */
static void test_shifted(void **state)
{
	static const char *const paths[] = { "a.pcap", "b.pcap" };
	static const struct { int64_t by_s; uint64_t order[6]; } cases[] = {
		{ 0, { 10, 120, 30, 130, 140, 50 } },
		{ -15, { 105, 10, 115, 125, 30, 50 } },
		{ 100, { 10, 30, 50, 220, 230, 240 } },
	};

	(void)state;
	write_times("a.pcap", 1, (const uint32_t[]){ 10, 30, 50 }, 3);
	write_times("b.pcap", 1, (const uint32_t[]){ 20, 30, 40 }, 3);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct source *s = source_open(paths, 2, NULL, NULL);
		size_t n = 0, got;

		source_shift(s, 1, cases[i].by_s * SECOND_NS);
		while (n < 6) {
			struct frame frames[8];

			got = source_at_hand(s, frames, 8);
			if (!got && source_next(s, &frames[0]))
				got = 1;
			assert_true(got);
			for (size_t k = 0; k < got; k++, n++)
				assert_int_equal((int64_t)cases[i].order[n],
					frames[k].at_ns / SECOND_NS + 100 * frames[k].file);
		}
		source_close(s);
	}
}

/* A frame's bytes stay good until the next one, also when its file has just ended. */
static void test_merged_bytes_live(void **state)
{
	const char *const paths[] = { "a.pcap", "b.pcap" };
	struct frame f;
	struct source *s;
	size_t frames = 0;

	(void)state;
	write_times("a.pcap", 1, (const uint32_t[]){ 1, 3, 5, 7 }, 4);
	write_times("b.pcap", 1, (const uint32_t[]){ 2, 4, 6, 8 }, 4);
	s = source_open(paths, 2, NULL, NULL);
	for (int64_t last = 0; source_next(s, &f); last = f.at_ns, frames++) {
		assert_true(f.at_ns > last);
		for (size_t i = 0; i < f.bytes.n; i++)
			assert_int_equal(f.bytes.p[i], 0xee);
	}
	assert_int_equal(frames, 8);
	source_close(s);
}

/* The files of a capture that rotates them are one; what overlaps, comes late or is named otherwise is another. */
static void test_rotated(void **state)
{
	static const struct { const char *name; uint16_t link; uint32_t seconds[3]; size_t count; unsigned capture;
	} files[] = {
		{ "any.pcap", 1, { 10, 12, 20 }, 3, 0 },
		{ "any.pcap1", 1, { 21, 25, 30 }, 3, 0 },
		{ "any.pcap10", 1, { 41, 45 }, 2, 0 },           /* before any.pcap2 by name, behind it in time */
		{ "any.pcap2", 1, { 30, 33, 40 }, 3, 0 },
		{ "gap1.pcap", 1, { 10, 20 }, 2, 4 },
		{ "gap2.pcap", 1, { 31, 35 }, 2, 5 },            /* 11 s later */
		{ "kind1.pcap", 1, { 10, 50 }, 2, 6 },
		{ "kind2.pcap", 113, { 51, 60 }, 2, 7 },         /* of another link type */
		{ "lan1.pcap", 1, { 10, 40 }, 2, 8 },
		{ "lan2.pcap", 1, { 20, 60 }, 2, 9 },            /* at the same time */
		{ "wan.pcap", 1, { 61, 62 }, 2, 10 },
	};
	enum { FILES = sizeof files / sizeof files[0] };
	const char *paths[FILES];
	struct source *s;
	struct frame f;

	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		paths[i] = files[i].name;
		write_times(paths[i], files[i].link, files[i].seconds, files[i].count);
	}
	s = source_open(paths, FILES, NULL, NULL);
	while (source_next(s, &f))
		assert_int_equal((uint16_t)(f.file - f.rotated), files[f.file].capture);
	source_close(s);
}

/* Frames that are taken several at a time tell it, too. */
static void test_rotated_at_hand(void **state)
{
	static const uint32_t first[] = { 10, 12, 20 };
	static uint32_t second[6000];    /* more than are looked at for their order */
	const char *paths[] = { "turn.pcap", "turn.pcap1" };
	struct frame frames[8];
	unsigned at_hand = 0;
	struct source *s;

	(void)state;
	write_times(paths[0], 1, first, 3);
	for (size_t i = 0; i < 6000; i++)
		second[i] = 21 + (uint32_t)i / 100;
	write_times(paths[1], 1, second, 6000);
	s = source_open(paths, 2, NULL, NULL);
	for (;;) {
		size_t n = source_at_hand(s, frames, 8);

		for (size_t i = 0; i < n; i++) {
			assert_int_equal(frames[i].rotated, frames[i].file);
			at_hand += frames[i].file;
		}
		if (n == 0 && !source_next(s, &frames[0]))
			break;
	}
	assert_true(at_hand);
	source_close(s);
}

/* 300 files with a frame each, seconds falling as names rise. */
static void test_many_files(void **state)
{
	enum { FILES = 300 };
	char names[FILES][16];
	const char *paths[FILES];
	struct source *s;
	struct frame f;
	int64_t last = 0;
	size_t frames = 0;

	(void)state;
	for (uint32_t i = 0; i < FILES; i++) {
		uint32_t seconds = FILES - i;

		snprintf(names[i], sizeof names[i], "many%03u", i);
		paths[i] = names[i];
		write_times(paths[i], 1, &seconds, 1);
	}
	s = source_open(paths, FILES, NULL, NULL);
	assert_int_equal(source_file_count(s), FILES);
	while (source_next(s, &f)) {
		assert_int_equal(f.at_ns, last + 1000000000);
		assert_int_equal(f.file, FILES - 1 - frames);
		last = f.at_ns;
		frames++;
	}
	assert_int_equal(frames, FILES);
	source_close(s);
}

static void test_filter(void **state)
{
	static const struct { const char *expression, *expected; } cases[] = {
		{ "udp port 5060", "0:2 @2000000000 42/42 +82 link 1 if 0\n" },
		{ "udp and not port 5060",
		  "0:1 @1000000000 42/42 +24 link 1 if 0\n0:3 @3000000000 42/42 +140 link 1 if 0\n" },
		{ "tcp", "" },
		{ "", "0:1 @1000000000 42/42 +24 link 1 if 0\n0:2 @2000000000 42/42 +82 link 1 if 0\n"
		  "0:3 @3000000000 42/42 +140 link 1 if 0\n" },
		{ "udp prot 5060", "filter 'udp prot 5060': can't parse filter expression: syntax error; "
		  "pcap-filter(7) explains the language\n" },
		{ "x\x1b]0;", "filter 'x\\x1b]0;': can't parse filter expression: syntax error; "
		  "pcap-filter(7) explains the language\n" },
	};
	struct image im = { .p = NULL };
	const char *path = "f.pcap";
	struct text said;

	(void)state;
	text_init(&said);
	image_pcap(&im, US, 1);
	for (uint16_t i = 1; i <= 3; i++) {
		image_record_head(&im, i, 0, 42, 42);
		image_udp(&im, 4000, i == 2 ? 5060 : 4002);
	}
	image_write(&im, path);
	image_free(&im);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		source_say(&path, 1, cases[i].expression, &said);
		assert_string_equal(said.p, cases[i].expected);
	}
	text_fini(&said);
}

/* Each link type has its own program; one that has none ends its own file only. */
static void test_filter_link_types(void **state)
{
	const char *const paths[] = { "e.pcap", "r.pcap", "u.pcap" };
	static const uint32_t links[] = { 1, 101, 65000 };
	struct text said;

	(void)state;
	text_init(&said);
	for (size_t i = 0; i < 3; i++) {
		struct image im = { .p = NULL }, udp = { .p = NULL };

		image_udp(&udp, 4000, 5060);
		image_pcap(&im, US, links[i]);
		image_record_head(&im, 1, 0, links[i] == 101 ? 28 : 42, 42);
		image_add(&im, udp.p + (links[i] == 101 ? 14 : 0), links[i] == 101 ? 28 : 42);
		image_write(&im, paths[i]);
		image_free(&im);
		image_free(&udp);
	}
	source_say(paths, 3, "udp port 5060", &said);
	assert_non_null(strstr(said.p,
		"0:1 @1000000000 42/42 +24 link 1 if 0\n1:1 @1000000000 28/42 +24 link 101 if 0\nu.pcap: "
		"frame 1 at byte 24: the filter does not fit link type 65000: "));
	source_say(paths, 2, "ether host 02:02:02:02:02:02", &said);
	assert_non_null(strstr(said.p,
		"0:1 @1000000000 42/42 +24 link 1 if 0\nr.pcap: frame 1 at byte 24: the filter does not fit "
		"link type 101: "));
	text_fini(&said);
}

struct feed {
	const struct image *im;
	int to;
};

/* In pieces of 7 bytes, so that every record comes in several. */
static void *feed_pipe(void *arg)
{
	struct feed *feed = arg;

	for (size_t at = 0; at < feed->im->n;) {
		size_t n = feed->im->n - at < 7 ? feed->im->n - at : 7;
		ssize_t written = write(feed->to, feed->im->p + at, n);

		if (written < 0)
			break;
		at += (size_t)written;
	}
	close(feed->to);
	return NULL;
}

/* Reads the image from stdin. */
static void say_stdin(const struct image *im, size_t paths_count, struct text *out)
{
	static const char *const paths[] = { "-", "-" };
	struct feed feed = { .im = im };
	int ends[2], old = dup(STDIN_FILENO);
	pthread_t thread;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	feed.to = ends[1];
	assert_int_equal(pthread_create(&thread, NULL, feed_pipe, &feed), 0);
	source_say(paths, paths_count, NULL, out);
	assert_int_equal(dup2(old, STDIN_FILENO), STDIN_FILENO);
	close(old);
	pthread_join(thread, NULL);
}

static void test_stdin(void **state)
{
	struct image im = { .p = NULL }, packed_im = { .p = NULL };
	struct text said;

	(void)state;
	text_init(&said);
	two_records(&im);
	say_stdin(&im, 1, &said);
	assert_string_equal(said.p, TWO);
	gzip(&packed_im, im.p, im.n);
	say_stdin(&packed_im, 1, &said);
	assert_string_equal(said.p, TWO);
	say_stdin(&im, 2, &said);
	assert_string_equal(said.p, TWO "stdin: is named twice; it can be read only once\n");
	im.n--;
	say_stdin(&im, 1, &said);
	assert_string_equal(said.p,
		"0:1 @1000000000 600/600 +24 link 1 if 0\nstdin: frame 2 at byte 640: the file ends inside this "
		"record (cut short or still being written); reported up to there\n");
	im.n = 0;
	say_stdin(&im, 1, &said);
	assert_string_equal(
		said.p, "stdin: empty file; nothing was captured, or the capturing program has not written yet\n");
	text_fini(&said);
	image_free(&im);
	image_free(&packed_im);
}

static void *open_and_feed(void *arg)
{
	struct feed *feed = arg;

	feed->to = open("fifo", O_WRONLY);
	return feed_pipe(feed);
}

/* A FIFO that nobody writes to yet is waited for. */
static void test_fifo(void **state)
{
	struct image im = { .p = NULL };
	struct feed feed = { .im = &im };
	pthread_t thread;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	two_records(&im);
	assert_int_equal(pthread_create(&thread, NULL, open_and_feed, &feed), 0);
	source_expect("fifo", "fifo", TWO);
	pthread_join(thread, NULL);
	im.n = 0;
	assert_int_equal(pthread_create(&thread, NULL, open_and_feed, &feed), 0);
	source_expect("empty fifo", "fifo",
		      "fifo: empty file; nothing was captured, or the capturing program has not written yet\n");
	pthread_join(thread, NULL);
	image_free(&im);
}

static void *stop_later(void *arg)
{
	usleep(50000);
	source_stop(arg);
	return NULL;
}

/*
 * Stopped while it waits in the middle of a record, looking ahead for frames that are out of order: what it has read is
 * given, the stream ends, and nothing is called damaged.
 */
static void test_stop_while_waiting(void **state)
{
	const char *path = "fifo2";
	struct image im = { .p = NULL };
	struct source *s;
	struct frame f;
	pthread_t thread;
	int keep;

	(void)state;
	two_records(&im);
	assert_int_equal(mkfifo(path, 0600), 0);
	keep = open(path, O_RDWR);               /* a writer that says no more */
	assert_int_equal(write(keep, im.p, im.n - 3), im.n - 3);
	s = source_open(&path, 1, NULL, NULL);
	assert_int_equal(pthread_create(&thread, NULL, stop_later, s), 0);
	assert_true(source_next(s, &f));
	assert_int_equal(f.number, 1);
	assert_false(source_next(s, &f));
	assert_false(source_next(s, &f));
	assert_int_equal(source_file(s, 0)->error.code, ERR_OK);
	assert_int_equal(source_file(s, 0)->frames, 1);
	pthread_join(thread, NULL);
	source_close(s);
	close(keep);
	image_free(&im);
}

static void test_stop_at_once(void **state)
{
	const char *path = "a.pcap";
	struct source *s;
	struct frame f;

	(void)state;
	write_times(path, 1, (const uint32_t[]){ 1, 2 }, 2);
	s = source_open(&path, 1, NULL, NULL);
	assert_true(source_next(s, &f));
	source_stop(s);
	assert_false(source_next(s, &f));
	source_close(s);
	s = source_open(&path, 1, NULL, NULL);
	source_stop(s);
	assert_false(source_next(s, &f));
	assert_int_equal(source_file(s, 0)->error.code, ERR_OK);
	source_close(s);
}

/* A file that grows while it is read gives what is there; one that shrinks ends, and kills nobody. */
static void test_shrinks(void **state)
{
	enum { RECORDS = 40 };
	const char *path = "shrinks.pcap";
	struct image im = { .p = NULL };
	struct source *s;
	struct frame f;

	(void)state;
	image_pcap(&im, US, 1);
	for (uint32_t i = 0; i < RECORDS; i++)
		image_record(&im, i + 1, 0, 60000);
	image_write(&im, path);
	s = source_open(&path, 1, NULL, NULL);
	assert_true(source_next(s, &f));
	assert_int_equal(truncate(path, 100), 0);
	while (source_next(s, &f))
		assert_int_equal(f.bytes.p[59999], 0xee);
	assert_int_equal(source_file(s, 0)->error.code, ERR_DAMAGED);
	assert_true(source_file(s, 0)->frames < RECORDS);
	source_close(s);
	image_free(&im);
}

static void test_no_files(void **state)
{
	(void)state;
	assert_int_equal(mkdir("folder.pcap", 0700), 0);
	source_expect("folder", "folder.pcap", "folder.pcap: is a directory; name the capture files in it\n");
	source_expect("missing", "missing.pcap", "missing.pcap: there is no such file; check the name\n");
	source_expect("below a file", "a.pcap/b", "a.pcap/b: there is no such file; check the name\n");
	source_expect("null", "/dev/null",
		      "/dev/null: empty file; nothing was captured, or the capturing program has not written yet\n");
	source_expect("zero", "/dev/zero",
		"/dev/zero: not a capture file (first bytes 00 00 00 00); deadair reads pcap and pcapng, "
		"plain, gzip or zstd\n");
	source_expect("controls in the name", "odd\x1b]0;\a\n\xff\xe2\x80\xae",
		      "odd\\x1b]0;\\x07\\x0a\\xff\\xe2\\x80\\xae: there is no such file; check the name\n");
}

static void test_no_permission(void **state)
{
	const char *path = "locked.pcap";

	(void)state;
	if (geteuid() == 0) {
		print_message("root may read everything\n");
		skip();
	}
	write_times(path, 1, (const uint32_t[]){ 1 }, 1);
	assert_int_equal(chmod(path, 0), 0);
	source_expect(
		"locked", path, "locked.pcap: no permission to read it; ask its owner, or run deadair with sudo\n");
}

static void test_nothing_named(void **state)
{
	struct source *s = source_open(NULL, 0, NULL, NULL);
	struct frame f;
	uint64_t done, total;

	(void)state;
	assert_false(source_next(s, &f));
	source_progress(s, &done, &total);
	assert_int_equal(done + total, 0);
	source_close(s);
	source_close(NULL);
}

/* ---- several at once ---- */

enum { MANY = 9000, OLDER = 6000 };      /* so many that the file is taken to be in order; that one is not */

/* 1 ms apart, of 0 to 299 bytes; one is 2 ms older than the one before it. What comes behind the last is no frame. */
static void write_many(const char *path, bool pcapng)
{
	struct image im = { .p = NULL };

	if (pcapng) {
		image_section(&im);
		image_block_end(&im, image_interface(&im, 1, 0));
	} else {
		image_pcap(&im, US, 1);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t us = 1000 * (i == OLDER ? i - 2 : i + 1);

		if (pcapng)
			image_block_end(&im, image_packet(&im, 0, us, i % 300, i % 300));
		else
			image_record(&im, us / 1000000, us % 1000000, i % 300);
	}
	if (pcapng)
		image_packet(&im, 7, 0, 4, 4);
	image_fill(&im, 0xff, 16);
	image_write(&im, path);
	image_free(&im);
}

static void frame_say(const struct frame *f, struct text *out)
{
	size_t sound = 0;

	while (sound < f->bytes.n && f->bytes.p[sound] == 0xee)
		sound++;
	assert_int_equal(sound, f->bytes.n);
	text_addf(out, "%u @%" PRId64 " %zu +%" PRIu64 "\n", f->number, f->at_ns, f->bytes.n, f->offset);
}

/* Those at hand where there are any; they are looked at when all of them have come. The share of them. */
static unsigned say_at_hand(struct source *s, size_t most, struct text *out)
{
	struct frame frames[128];
	unsigned at_hand = 0;

	for (;;) {
		size_t n = source_at_hand(s, frames, most);

		at_hand += (unsigned)n;
		if (n == 0 && !source_next(s, &frames[n++]))
			return at_hand;
		for (size_t i = 0; i < n; i++)
			frame_say(&frames[i], out);
	}
}

static void say_one_by_one(struct source *s, struct text *out)
{
	struct frame f;

	while (source_next(s, &f))
		frame_say(&f, out);
}

/* All in the same order, the same at the end; and it is not the slow way that gave them. */
static void test_at_hand(void **state)
{
	const char *path = "many";

	(void)state;
	for (unsigned pcapng = 0; pcapng < 2; pcapng++) {
		struct text one, several;

		text_init(&one);
		text_init(&several);
		write_many(path, pcapng);
		for (size_t most = 1; most <= 128; most *= 2) {
			struct source *a = source_open(&path, 1, NULL, NULL), *b = source_open(&path, 1, NULL, NULL);

			text_clear(&one);
			text_clear(&several);
			say_one_by_one(a, &one);
			assert_true(say_at_hand(b, most, &several) > 1000);
			source_say_errors(a, &one);
			source_say_errors(b, &several);
			assert_string_equal(one.p, several.p);
			assert_int_equal(source_file(a, 0)->frames, MANY);
			assert_int_equal(source_file(b, 0)->frames, MANY);
			assert_int_equal(source_file(b, 0)->error.code, ERR_DAMAGED);
			source_close(a);
			source_close(b);
		}
		text_fini(&one);
		text_fini(&several);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_hand),
		cmocka_unit_test(test_shifted),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_zstd_cut),
		cmocka_unit_test(test_large_packed),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_merged_bytes_live),
		cmocka_unit_test(test_rotated),
		cmocka_unit_test(test_rotated_at_hand),
		cmocka_unit_test(test_many_files),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_link_types),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_stop_while_waiting),
		cmocka_unit_test(test_stop_at_once),
		cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_no_files),
		cmocka_unit_test(test_no_permission),
		cmocka_unit_test(test_nothing_named),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("source", tests, folder_enter, folder_leave);
}
