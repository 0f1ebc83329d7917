/* SPDX-License-Identifier: MIT */
/* pcap: headers of every kind, and damage at every interesting place. */
#include "tests/unit/image.h"

#define US 0xa1b2c3d4u
#define NS 0xa1b23c4du

static void two_records(struct image *im, uint32_t magic)
{
	image_pcap(im, magic, 1);
	image_record(im, 1700000000, 123456, 60);
	image_record(im, 1700000001, 5, 3);
}

static void little_us(struct image *im)
{
	two_records(im, US);
}

static void big_us(struct image *im)
{
	im->big_endian = true;
	two_records(im, US);
}

static void little_ns(struct image *im)
{
	two_records(im, NS);
}

static void big_ns(struct image *im)
{
	im->big_endian = true;
	two_records(im, NS);
}

static void fcs_in_link(struct image *im)
{
	image_pcap(im, US, 0x44000071);
	image_record(im, 1, 0, 4);
}

static void fcs_in_link_big(struct image *im)
{
	im->big_endian = true;
	fcs_in_link(im);
}

static void header_only(struct image *im)
{
	image_pcap(im, US, 1);
}

static void header_cut(struct image *im)
{
	image_pcap(im, US, 1);
	im->n = 23;
}

static void magic_cut(struct image *im)
{
	image_pcap(im, US, 1);
	im->n = 3;
}

static void version(struct image *im, uint16_t major, uint16_t minor)
{
	image_u32(im, US);
	image_u16(im, major);
	image_u16(im, minor);
	image_fill(im, 0, 16);
}

static void version_1(struct image *im)
{
	version(im, 1, 0);
}

static void version_2_2(struct image *im)
{
	version(im, 2, 2);
}

static void version_2_3(struct image *im)
{
	version(im, 2, 3);
}

#define MODIFIED 0xa1b2cd34

/* So many bytes more in the header of a record: the index of its interface, its protocol, its direction. */
static void modified_record(struct image *im, uint32_t seconds, uint32_t captured, size_t more)
{
	image_record_head(im, seconds, 5, captured, captured);
	image_fill(im, 0x01, more);
	image_fill(im, 0xee, captured);
}

static void modified(struct image *im)
{
	image_pcap(im, MODIFIED, 1);
	modified_record(im, 10, 60, 8);
	modified_record(im, 11, 3, 8);
	modified_record(im, 12, 4, 8);
}

static void modified_big(struct image *im)
{
	im->big_endian = true;
	modified(im);
}

static void modified_one(struct image *im)
{
	image_pcap(im, MODIFIED, 1);
	modified_record(im, 10, 60, 8);
}

static void modified_cut(struct image *im)
{
	modified(im);
	im->n -= 2;
}

static void modified_otherwise(struct image *im)
{
	image_pcap(im, MODIFIED, 1);
	modified_record(im, 10, 60, 12);
	modified_record(im, 11, 60, 12);
}

static void modified_empty(struct image *im)
{
	image_pcap(im, MODIFIED, 1);
}

static void nothing(struct image *im)
{
	(void)im;
}

static void text_file(struct image *im)
{
	image_add(im, "Call me\n", 8);
}

static void web_page(struct image *im)
{
	static const char text[] = "\xef\xbb\xbf\r\n<!doctype HTML><html><body>404</body></html>\n";

	image_add(im, text, sizeof text - 1);
}

static void hex_dump(struct image *im)
{
	static const char text[] = "0000  02 00 0a 2c 01 0a 02 00 0a 2c 01 1f 08 00 45 00   ...,.....,....E.\n";

	image_add(im, text, sizeof text - 1);
}

static void sniffer_text(struct image *im)
{
	static const char text[] = "interfaces=[any]\nfilters=[port 5060]\n2.237384 port1 in 10.1.1.10.5060 -> 10.4.2.1.5060: udp 620\n";

	image_add(im, text, sizeof text - 1);
}

static void sip_log(struct image *im)
{
	static const char text[] = "<134>Nov 20 09:00:01 sbc sip[311]: from 10.1.1.10:5060 INVITE sip:200@10.4.2.1 SIP/2.0\n";

	image_add(im, text, sizeof text - 1);
}

static void k12(struct image *im)
{
	static const char text[] = "+---------+---------------+----------+\r\n09:00:01,000,000   ETHER\r\n";

	image_add(im, text, sizeof text - 1);
}

static void netmon_1(struct image *im)
{
	image_add(im, "RTSS\1\1\0\0", 8);
}

static void netxray(struct image *im)
{
	image_add(im, "XCP\000002.002", 12);
}

static void word(struct image *im)
{
	image_add(im, "Call", 4);
}

static void tar_file(struct image *im)
{
	char head[512] = "call.pcap";

	memcpy(head + 257, "ustar", 5);
	image_add(im, head, sizeof head);
}

static void controls(struct image *im)
{
	image_add(im, "\x1b]0;", 4);
}

static void length_past_limit(struct image *im)
{
	image_pcap(im, US, 1);
	image_record(im, 1, 0, 10);
	image_record_head(im, 2, 0, 262145, 262145);
	image_fill(im, 1, 262145);
}

static void length_at_limit(struct image *im)
{
	image_pcap(im, US, 1);
	image_record(im, 1, 0, 262144);
	image_record(im, 2, 0, 262144);
	image_record(im, 3, 0, 1);
}

static void length_negative(struct image *im)
{
	image_pcap(im, US, 1);
	image_record_head(im, 2, 0, UINT32_MAX, 1);
}

static void cut_in_head(struct image *im)
{
	two_records(im, US);
	im->n = 24 + 16 + 60 + 15;
}

static void cut_in_bytes(struct image *im)
{
	two_records(im, US);
	im->n--;
}

static void cut_at_boundary(struct image *im)
{
	two_records(im, US);
	im->n = 24 + 16 + 60;
}

static void cut_by_snaplen(struct image *im)
{
	image_pcap(im, US, 1);
	image_record_head(im, 1, 0, 4, 1500);
	image_fill(im, 1, 4);
}

static void wire_below_captured(struct image *im)
{
	image_pcap(im, US, 1);
	image_record_head(im, 1, 0, 4, 0);
	image_fill(im, 1, 4);
}

static void empty_records(struct image *im)
{
	image_pcap(im, US, 1);
	image_record_head(im, 1, 0, 0, 60);
	image_record_head(im, 0, 1, 0, 0);
}

static void zeros_behind(struct image *im)
{
	image_pcap(im, US, 1);
	image_record(im, 9, 0, 1);
	image_fill(im, 0, 4096);
}

static void fraction_insane(struct image *im)
{
	image_pcap(im, US, 1);
	image_record(im, 10, UINT32_MAX, 1);
	image_record(im, UINT32_MAX, UINT32_MAX, 1);
}

static void fraction_insane_ns(struct image *im)
{
	image_pcap(im, NS, 1);
	image_record(im, 10, UINT32_MAX, 1);
}

static void times_backwards(struct image *im)
{
	image_pcap(im, US, 1);
	image_record(im, 10, 0, 1);
	image_record(im, 9, 0, 2);
	image_record(im, 11, 0, 3);
}

#define CUT_SHORT "the file ends inside this record (cut short or still being written); reported up to there\n"
#define FIRST "0:1 @1700000000123456000 60/60 +24 link 1 if 0\n"
#define SECOND "0:2 @1700000001000005000 3/3 +100 link 1 if 0\n"
#define NS_BOTH "0:1 @1700000000000123456 60/60 +24 link 1 if 0\n0:2 @1700000001000000005 3/3 +100 link 1 if 0\n"
#define MODIFIED_TWO "0:1 @10000005000 60/60 +24 link 1 if 0\n0:2 @11000005000 3/3 +108 link 1 if 0\n"
#define MODIFIED_THIRD "0:3 @12000005000 4/4 +135 link 1 if 0\n"
#define NO_CAPTURE "x.pcap: not a capture file (first bytes "
#define READS "); deadair reads pcap and pcapng, plain, gzip or zstd\n"

static const struct { const char *name; void (*build)(struct image *); const char *expected; } cases[] = {
	{ "microseconds, little-endian", little_us, FIRST SECOND },
	{ "microseconds, big-endian", big_us, FIRST SECOND },
	{ "nanoseconds, little-endian", little_ns, NS_BOTH },
	{ "nanoseconds, big-endian", big_ns, NS_BOTH },
	{ "FCS length above the link type", fcs_in_link, "0:1 @1000000000 4/4 +24 link 113 if 0\n" },
	{ "the same, big-endian", fcs_in_link_big, "0:1 @1000000000 4/4 +24 link 113 if 0\n" },
	{ "no records", header_only, "" },
	{ "header cut", header_cut, "x.pcap: the file header is cut: 23 of 24 bytes\n" },
	{ "magic cut", magic_cut, NO_CAPTURE "d4 c3 b2" READS },
	{ "version 1.0", version_1, "x.pcap: pcap version 1.0; deadair reads 2.3 and 2.4: convert it with editcap\n" },
	{ "version 2.2", version_2_2,
	  "x.pcap: pcap version 2.2; deadair reads 2.3 and 2.4: convert it with editcap\n" },
	{ "version 2.3", version_2_3, "" },
	{ "modified, as of home routers", modified, MODIFIED_TWO MODIFIED_THIRD },
	{ "modified, big-endian", modified_big, MODIFIED_TWO MODIFIED_THIRD },
	{ "modified, one record", modified_one, "0:1 @10000005000 60/60 +24 link 1 if 0\n" },
	{ "modified, cut", modified_cut, MODIFIED_TWO "x.pcap: frame 3 at byte 135: " CUT_SHORT },
	{ "modified, nothing in it", modified_empty, "" },
	{ "modified otherwise", modified_otherwise, "x.pcap: pcap as modified by Kuznetzov's patch, which deadair does "
	  "not read; convert it: editcap -F pcapng FILE OUT\n" },
	{ "empty file", nothing,
	  "x.pcap: empty file; nothing was captured, or the capturing program has not written yet\n" },
	{ "text", text_file, "x.pcap: text (\"Call me\"), not a capture; deadair reads pcap and pcapng, plain, gzip or zstd, "
	  "as tcpdump -w FILE writes them\n" },
	{ "a web page", web_page, "x.pcap: a web page, perhaps of an error that was saved in its place, not a capture; "
	  "fetch the capture again\n" },
	{ "a hex dump", hex_dump, "x.pcap: a hex dump, not a capture; convert it: text2pcap FILE OUT\n" },
	{ "FortiGate's sniffer", sniffer_text, "x.pcap: the text of FortiGate's sniffer, not a capture; convert it with "
	  "fgt2eth, or take its packet capture as pcap\n" },
	{ "a log with SIP", sip_log, "x.pcap: a log with SIP in it, not a capture: audio is not in it; capture the packets: "
	  "tcpdump -i IF -s 0 -w FILE\n" },
	{ "K12 text", k12, "x.pcap: K12 text, which deadair does not read; convert it: editcap -F pcapng FILE OUT\n" },
	{ "NetMon 1", netmon_1, "x.pcap: NetMon 1, which deadair does not read; convert it: editcap -F pcapng FILE OUT\n" },
	{ "NetXRay", netxray, "x.pcap: NetXRay, which deadair does not read; convert it: editcap -F pcapng FILE OUT\n" },
	{ "a word without an end", word, NO_CAPTURE "43 61 6c 6c" READS },
	{ "tar", tar_file, "x.pcap: tar, which deadair does not read; unpack it: tar -xOf FILE | deadair -\n" },
	{ "terminal escapes", controls, NO_CAPTURE "1b 5d 30 3b" READS },
	{ "a length past the limit", length_past_limit, "0:1 @1000000000 10/10 +24 link 1 if 0\n"
	  "x.pcap: frame 2 at byte 50: record length 262145 exceeds 262144; reported up to there\n" },
	{ "lengths at the limit", length_at_limit, "0:1 @1000000000 262144/262144 +24 link 1 if 0\n"
	  "0:2 @2000000000 262144/262144 +262184 link 1 if 0\n0:3 @3000000000 1/1 +524344 link 1 if 0\n" },
	{ "a negative length", length_negative,
	  "x.pcap: frame 1 at byte 24: record length 4294967295 exceeds 262144; reported up to there\n" },
	{ "cut in a record's head", cut_in_head, FIRST "x.pcap: frame 2 at byte 100: " CUT_SHORT },
	{ "cut in a record's bytes", cut_in_bytes, FIRST "x.pcap: frame 2 at byte 100: " CUT_SHORT },
	{ "cut between two records", cut_at_boundary, FIRST },
	{ "cut by the snap length", cut_by_snaplen, "0:1 @1000000000 4/1500 +24 link 1 if 0\n" },
	{ "wire length below the captured", wire_below_captured, "0:1 @1000000000 4/4 +24 link 1 if 0\n" },
	{ "records of no bytes", empty_records,
	  "0:1 @1000000000 0/60 +24 link 1 if 0\n0:2 @1000 0/0 +40 link 1 if 0\n" },
	{ "zeros behind", zeros_behind,
	  "0:1 @9000000000 1/1 +24 link 1 if 0\nx.pcap: frame 2 at byte 41: zeros where a record "
	  "should be (the machine went down while it captured?); reported up to there\n" },
	{ "fractions of more than a second", fraction_insane,
	  "0:1 @10999999000 1/1 +24 link 1 if 0\n0:2 @4294967295999999000 1/1 +41 link 1 if 0\n" },
	{ "the same in nanoseconds", fraction_insane_ns, "0:1 @10999999999 1/1 +24 link 1 if 0\n" },
	{ "a clock that goes back keeps the file's order", times_backwards, "0:1 @10000000000 1/1 +24 link 1 if 0\n"
	  "0:2 @9000000000 2/2 +41 link 1 if 0\n0:3 @11000000000 3/3 +59 link 1 if 0\n" },
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct image im = { .p = NULL };

		cases[i].build(&im);
		image_write(&im, "x.pcap");
		image_free(&im);
		source_expect(cases[i].name, "x.pcap", cases[i].expected);
	}
}

/* A trace of Windows has no first bytes of its own: by its name. */
static void test_windows_trace(void **state)
{
	static const uint8_t bytes[] = { 0, 0, 1, 0, 0x20, 9, 0, 0 };
	struct image im = { .p = NULL };

	(void)state;
	image_add(&im, bytes, sizeof bytes);
	image_write(&im, "x.ETL");
	image_free(&im);
	source_expect("Windows' trace", "x.ETL",
		"x.ETL: a trace of Windows, which deadair does not read; convert it: pktmon etl2pcap FILE\n");
}

/* Cut anywhere, a file gives the records before the cut, and an error unless the cut is a border. */
static void test_cut_anywhere(void **state)
{
	struct image im = { .p = NULL };
	struct text said;
	const char *path = "x.pcap";

	(void)state;
	text_init(&said);
	two_records(&im, US);
	for (size_t n = im.n; n >= 24; n--) {
		bool border = n == 24 || n == 100 || n == 119;

		im.n = n;
		image_write(&im, path);
		source_say(&path, 1, NULL, &said);
		assert_int_equal(strncmp(said.p, FIRST, strlen(FIRST)) == 0, n >= 100);
		assert_int_equal(strstr(said.p, SECOND) != NULL, n >= 119);
		assert_int_equal(strstr(said.p, CUT_SHORT) == NULL, border);
	}
	text_fini(&said);
	image_free(&im);
}

static void test_view(void **state)
{
	struct image im = { .p = NULL };
	const char *path = "x.pcap";
	struct frame f;
	struct source *s;
	uint64_t done, total;

	(void)state;
	two_records(&im, US);
	image_write(&im, path);
	s = source_open(&path, 1, NULL, NULL);
	while (source_next(s, &f)) {
	}
	assert_string_equal(source_file(s, 0)->name, path);
	assert_int_equal(source_file(s, 0)->frames, 2);
	assert_int_equal(source_file(s, 0)->bytes, 63);
	assert_int_equal(source_file(s, 0)->interface_count, 1);
	assert_int_equal(source_file(s, 0)->interfaces[0].link, 1);
	assert_int_equal(source_file(s, 0)->interfaces[0].snaplen, 65535);
	source_progress(s, &done, &total);
	assert_int_equal(done, im.n);
	assert_int_equal(total, im.n);
	source_close(s);
	image_free(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_trace), cmocka_unit_test(test_files),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_view),
	};

	return cmocka_run_group_tests_name("pcap", tests, folder_enter, folder_leave);
}
