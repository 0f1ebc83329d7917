/* SPDX-License-Identifier: MIT */
/* test_message_diff: what a hop changed in a message, and what it must not be blamed for. A row a truth. */
#include "analyzer/network/message_diff.h"

#include "tests/unit/network_packets.h"

#define HEAD "INVITE sip:200@198.51.100.7 SIP/2.0\r\n"
#define VIA "Via: SIP/2.0/UDP 192.168.1.21:5060;rport;branch=z9hG4bKa\r\n"
#define MOST "Max-Forwards: 70\r\nFrom: <sip:100@pbx>;tag=f\r\nTo: <sip:200@pbx>\r\nCall-ID: x@192.168.1.21\r\nCSeq: 1 INVITE\r\n"
#define CONTACT "Contact: <sip:100@192.168.1.21:5060>\r\n"
#define TYPE "Content-Type: application/sdp\r\n"
#define SDP "v=0\r\no=- 1 1 IN IP4 192.168.1.21\r\ns=-\r\nc=IN IP4 192.168.1.21\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n"
#define END "\r\n"

static void parse(struct sip_message *m, const char *text)
{
	assert_true(sip_message_parse(span_of(text), strlen(text), m));
}

static const struct row {
	const char *before, *behind;
	enum diff_verdict verdict;
	const char *reason, *field;  /* of the first change; NULL none */
	unsigned count;
} rows[] = {
	{ HEAD VIA MOST CONTACT END, HEAD VIA MOST CONTACT END, DIFF_EQUAL, NULL, NULL, 0 },
	{ HEAD VIA MOST CONTACT END, HEAD VIA MOST "m:   <sip:100@192.168.1.21:5060>\r\n" END, DIFF_SPELLING, NULL,
	  NULL, 0 },
	{ HEAD VIA MOST CONTACT END, HEAD VIA MOST "Contact: <sip:100@203.0.113.2:5060>\r\n" END, DIFF_REWRITTEN,
	  "rewritten-headers", "Contact", 1 },
	{ HEAD VIA MOST END, HEAD "Via: SIP/2.0/UDP 203.0.113.2:5060;rport;branch=z9hG4bKa\r\n" MOST END,
	  DIFF_REWRITTEN, "rewritten-headers", "Via", 1 },
	{ HEAD VIA MOST END, HEAD "Via: SIP/2.0/UDP 192.168.1.21:5060;branch=z9hG4bKa\r\n" MOST END, DIFF_REWRITTEN,
	  "rport-removed", "Via", 1 },
	{ HEAD VIA MOST END, "INVITE sip:200@10.0.0.1 SIP/2.0\r\n" VIA MOST END, DIFF_REWRITTEN, "rewritten-headers",
	  "Request-URI", 1 },
	{ HEAD VIA MOST END,
	  HEAD VIA "Max-Forwards: 70\r\nFrom: <sip:100@pbx>;tag=f\r\nTo: <sip:200@pbx>\r\nCall-ID: x@203.0.113.2\r\nCSeq: 1 INVITE\r\n" END,
	  DIFF_REWRITTEN, "call-id-changed", "Call-ID", 1 },
	{ HEAD VIA MOST "Expires: 3600\r\n" END, HEAD VIA MOST "Expires: 60\r\n" END, DIFF_REWRITTEN, "expires-changed",
	  "Expires", 1 },
	{ HEAD VIA MOST "Contact: <sip:1@h>;expires=3600\r\n" END,
	  HEAD VIA MOST "Contact: <sip:1@h>;expires=60\r\n" END, DIFF_REWRITTEN, "expires-changed", "Contact", 1 },
	{ HEAD VIA MOST "User-Agent: X\r\n" CONTACT END, HEAD VIA MOST CONTACT END, DIFF_REWRITTEN, "rewritten-headers",
	  "User-Agent", 1 },
	{ HEAD VIA MOST CONTACT END, HEAD VIA MOST "Supported: 100rel\r\n" CONTACT END, DIFF_REWRITTEN,
	  "rewritten-headers", "Supported", 1 },
	/* a SIP element signs what it does */
	{ HEAD VIA MOST END, HEAD "Via: SIP/2.0/UDP 198.51.100.5;branch=z9hG4bKa\r\n" VIA MOST END, DIFF_FORWARDED,
	  NULL, NULL, 0 },
	{ HEAD VIA MOST CONTACT END,
	  HEAD VIA "Max-Forwards: 69\r\nFrom: <sip:100@pbx>;tag=f\r\nTo: <sip:200@pbx>\r\nCall-ID: x@192.168.1.21\r\nCSeq: 1 INVITE\r\n" END,
	  DIFF_FORWARDED, NULL, NULL, 0 },
	/* SDP */
	{ HEAD VIA MOST TYPE "Content-Length: 130\r\n" END SDP,
	  HEAD VIA MOST TYPE "Content-Length: 128\r\n" END
	  "v=0\r\no=- 1 1 IN IP4 203.0.113.2\r\ns=-\r\nc=IN IP4 203.0.113.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n",
	  DIFF_REWRITTEN, "rewritten-sdp", "o=", 2 },
	{ HEAD VIA MOST TYPE END SDP,
	  HEAD VIA MOST TYPE END "v=0\r\no=- 1 1 IN IP4 192.168.1.21\r\ns=-\r\nc=IN IP4 192.168.1.21\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n",
	  DIFF_REWRITTEN, "media-port-moved", "m=", 1 },
	{ HEAD VIA MOST TYPE END SDP,
	  HEAD VIA MOST TYPE END
	  "v=0\r\no=- 1 1 IN IP4 192.168.1.21\r\ns=-\r\nc=IN IP4 192.168.1.21\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n",
	  DIFF_REWRITTEN, "codec-removed", "m=", 2 },
	{ HEAD VIA MOST TYPE END SDP,
	  HEAD VIA MOST TYPE END "v=0\r\no=- 1 1 IN IP4 192.168.1.21\r\ns=-\r\ni=(o=IN IP4 10.0.0.1)\r\nc=IN IP4 192.168.1.21\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\n"
	  "a=rtpmap:8 PCMA/8000\r\n", DIFF_REWRITTEN, "rewritten-sdp", "i=", 1 },
};

static void changes_are_named(void **state)
{
	struct sip_message *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *r = &rows[i];
		struct message_diff d;

		parse(a, r->before);
		parse(b, r->behind);
		message_diff(a, b, &d);
		if (d.verdict != r->verdict || d.count != r->count)
			fail_msg("row %zu: verdict %d, %u changes, first %s", i, d.verdict, d.count,
				d.count ? d.changes[0].field : "-");
		if (!r->reason)
			continue;
		assert_string_equal(d.changes[0].reason, r->reason);
		assert_string_equal(d.changes[0].field, r->field);
	}
	free(a);
	free(b);
}

static void a_body_cut_by_its_length_is_told(void **state)
{
	struct sip_message *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct message_diff d;
	bool found = false;
	char text[1000], other[1000], length[40];

	(void)state;
	snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(SDP));
	snprintf(text, sizeof text, "%s%s%s%s", HEAD VIA MOST TYPE, length, END, SDP);
	parse(a, text);
	assert_false(a->flaws & (SIP_FLAW_CONTENT_LENGTH_LONG | SIP_FLAW_CONTENT_LENGTH_SHORT));
	snprintf(other, sizeof other, "%s%s%s%s", HEAD VIA MOST TYPE, length, END,
		 "v=0\r\no=- 1 1 IN IP4 203.0.113.200\r\ns=longer name\r\nc=IN IP4 203.0.113.200\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n");
	parse(b, other);
	message_diff(a, b, &d);
	for (unsigned i = 0; i < d.count; i++)
		found |= strcmp(d.changes[i].reason, "length-delta") == 0 && d.changes[i].place == PLACE_BODY;
	assert_true(found);
	free(a);
	free(b);
}

static void many_changes_are_bounded(void **state)
{
	struct sip_message *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct message_diff d;
	char text[4096] = HEAD VIA MOST;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "X-%u: a\r\n", i);
	strcat(text, END);
	parse(a, text);
	parse(b, HEAD VIA MOST END);
	message_diff(a, b, &d);
	assert_int_equal(d.count, DIFF_MAX);
	message_diff(b, a, &d);
	assert_int_equal(d.count, DIFF_MAX);
	free(a);
	free(b);
}

static void bytes_of_packets_become_safe(void **state)
{
	struct sip_message *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
	struct message_diff d;

	(void)state;
	parse(a, HEAD VIA MOST "X-\x1b[2J: \x1b]0;title\x07\r\n" END);
	parse(b, HEAD VIA MOST END);
	message_diff(a, b, &d);
	for (unsigned i = 0; i < d.count; i++) {
		assert_null(strchr(d.changes[i].field, 0x1b));
		assert_null(strchr(d.changes[i].before, 0x1b));
	}
	free(a);
	free(b);
}

static void own_sockets_are_found(void **state)
{
	static const struct { const char *text, *socket; uint32_t places; } own[] = {
		{ HEAD VIA MOST CONTACT END, "192.168.1.21:5060", PLACE_VIA | PLACE_CONTACT },
		{ HEAD VIA MOST CONTACT TYPE END SDP, "192.168.1.21:5060", PLACE_VIA | PLACE_CONTACT | PLACE_SDP },
		{ HEAD VIA MOST CONTACT END, "192.168.1.21:5062", 0 },
		{ HEAD "Via: SIP/2.0/UDP 192.168.1.21;branch=z9hG4bKa\r\n" MOST END, "192.168.1.21:5060", PLACE_VIA },
		{ HEAD "Via: SIP/2.0/UDP phone.lan;branch=z9hG4bKa\r\n" MOST END, "192.168.1.21:5060", 0 },
		{ HEAD VIA MOST CONTACT END, "192.168.1.2:5060", 0 },
	};
	struct sip_message *m = calloc(1, sizeof *m);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(own); i++) {
		struct endpoint socket = endpoint_of(own[i].socket);

		parse(m, own[i].text);
		assert_int_equal(message_names(m, &socket), own[i].places);
	}
	free(m);
}

static void what_is_left_private_is_named(void **state)
{
	static const struct { const char *text, *field; } left[] = {
		{ HEAD "Via: SIP/2.0/UDP 203.0.113.2;branch=z9hG4bKa\r\n" MOST TYPE END SDP, "c=" },
		{ HEAD "Via: SIP/2.0/UDP 203.0.113.2;branch=z9hG4bKa\r\n" MOST CONTACT END, "Contact" },
		{ HEAD VIA MOST END, "Via" },
		/* the Call-ID may stay */
		{ HEAD "Via: SIP/2.0/UDP 203.0.113.2;branch=z9hG4bKa\r\n" MOST END, NULL },
	};
	struct sip_message *m = calloc(1, sizeof *m);
	struct address inside = address_of("192.168.1.21");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(left); i++) {
		struct message_change c;

		parse(m, left[i].text);
		assert_int_equal(message_stale(m, &inside, &c), left[i].field != NULL);
		if (left[i].field)
			assert_string_equal(c.field, left[i].field);
	}
	free(m);
}

static void differences_are_whole_words(void **state)
{
	static const struct { const char *before, *after, *before_part, *after_part; } parts[] = {
		{ "<sip:1@192.168.1.21:5060>", "<sip:1@203.0.113.2:5060>", "192.168.1.21:5060", "203.0.113.2:5060" },
		{ "IN IP4 10.0.0.1", "IN IP4 10.0.0.2", "10.0.0.1", "10.0.0.2" },
		{ "a;rport;b", "a;b", "rport;", "" },
		{ "", "x", "", "x" },
		{ "same", "same", "", "" },
		{ "aXa", "aXaXa", "aXa", "aXaXa" },
		{ "SIP/2.0/UDP h;branch=z", "SIP/2.0/UDP h;branch=z;received=1.2.3.4", "", ";received=1.2.3.4" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct span before, after;

		difference_of(span_of(parts[i].before), span_of(parts[i].after), &before, &after);
		if (!span_equal(before, span_of(parts[i].before_part)) ||
		    !span_equal(after, span_of(parts[i].after_part)))
			fail_msg("row %zu: \"%.*s\" and \"%.*s\"", i, (int)before.n, (const char *)before.p,
				(int)after.n, (const char *)after.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_named), cmocka_unit_test(a_body_cut_by_its_length_is_told),
			cmocka_unit_test(many_changes_are_bounded),
		cmocka_unit_test(bytes_of_packets_become_safe), cmocka_unit_test(own_sockets_are_found),
		cmocka_unit_test(what_is_left_private_is_named),
		cmocka_unit_test(differences_are_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
