/* SPDX-License-Identifier: MIT */
/*
 * test_redact: the same stays the same, different stays different, private stays private; texts lose what names
 * somebody, and nothing else.
 */
#include "analyzer/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "captures/base/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const uint8_t key[REDACT_KEY] = "0123456789abcde", other_key[REDACT_KEY] = "another key all";

static struct address address_of(const char *text)
{
	struct address a;

	assert_true(address_parse(span_of(text), &a));
	return a;
}

static struct address turned(struct redact *r, const char *text)
{
	struct address a = address_of(text);

	redact_address(r, &a);
	return a;
}

/* ---- addresses ---- */

static const struct { const char *address, *net; } kept[] = {
	{ "10.0.0.2", "10." }, { "172.16.3.4", "172." }, { "192.168.1.21", "192.168." }, { "100.64.1.1", "100." },
	  { "169.254.7.8", "169.254." },
	{ "203.0.113.2", "2" }, { "8.8.8.8", "2" }, { "fd12:3456::1", "fd" }, { "fe80::1", "fe80::" },
	  { "2001:db8::1", "2001:db8:" },
	{ "2a00:1450::5", "2001:db8:" },
};

static void what_is_private_stays_private(void **state)
{
	struct redact *r = redact_new(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		struct address was = address_of(kept[i].address), is = turned(r, kept[i].address);
		char text[ADDRESS_TEXT];

		if (strncmp(address_text(&is, text), kept[i].net, strlen(kept[i].net)) != 0 ||
		    address_private(&was) != address_private(&is) ||
		    address_equal(&was, &is))
			fail_msg("%s became %s", kept[i].address, text);
	}
	redact_free(r);
}

static void what_means_something_stays(void **state)
{
	static const char *const texts[] = { "0.0.0.0", "127.0.0.1", "224.0.1.75", "255.255.255.255", "::", "::1",
		"ff02::1" };
	struct redact *r = redact_new(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct address was = address_of(texts[i]), is = turned(r, texts[i]);

		assert_true(address_equal(&was, &is));
	}
	redact_free(r);
}

/* All of a net: no two become one, and they stay one net. */
static void neighbours_stay_neighbours(void **state)
{
	static const char *const nets[] = { "192.168.1", "10.1.2", "203.0.113", "172.31.255" };
	struct redact *r = redact_new(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(nets); i++) {
		bool seen[256] = { false };
		struct address first = { 0, { 0 } };

		for (unsigned host = 0; host < 256; host++) {
			char text[32];
			struct address a;

			snprintf(text, sizeof text, "%s.%u", nets[i], host);
			a = turned(r, text);
			first = host ? first : a;
			assert_true(address_same_net(&first, &a));
			assert_false(seen[a.bytes[3]]);
			seen[a.bytes[3]] = true;
		}
	}
	redact_free(r);
}

static void the_key_decides(void **state)
{
	struct redact *one = redact_new(key), *again = redact_new(key), *other = redact_new(other_key);
	struct address a = turned(one, "203.0.113.2"), b = turned(again, "203.0.113.2"),
		c = turned(other, "203.0.113.2");

	(void)state;
	assert_true(address_equal(&a, &b));
	assert_false(address_equal(&a, &c));
	assert_true(span_equal(redact_user(one, SPAN("1001")), redact_user(again, SPAN("1001"))));
	assert_true(span_equal(redact_id(one, SPAN("8f2a@x")), redact_id(again, SPAN("8f2a@x"))));
	assert_false(span_equal(redact_id(one, SPAN("8f2a@x")), redact_id(other, SPAN("8f2a@x"))));
	redact_free(one);
	redact_free(again);
	redact_free(other);
}

/* ---- numbers and names ---- */

static void every_extension_becomes_another_one(void **state)
{
	static bool seen[10000];
	struct redact *r = redact_new(key);
	unsigned same = 0;

	(void)state;
	for (unsigned n = 0; n < 10000; n++) {
		char text[8];
		struct span to;
		uint64_t value;

		snprintf(text, sizeof text, "%04u", n);
		to = redact_user(r, span_of(text));
		assert_int_equal(to.n, 4);
		assert_true(span_number(to, 9999, &value));
		assert_false(seen[value]);
		seen[value] = true;
		same += value == n;
	}
	assert_true(same < 20);
	redact_free(r);
}

static const struct { const char *user, *begins; size_t length; } users[] = {
	{ "01632960105", "000", 12 }, { "+441632960105", "+000", 13 }, { "alice", "user-", 15 },
	  { "john.doe", "user-", 15 }, { "anonymous", "anonymous", 9 },
	{ "*97", "*", 3 }, { "", "", 0 },
};

static void numbers_and_names_keep_their_kind(void **state)
{
	struct redact *r = redact_new(key);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(users); i++) {
		struct span to = redact_user(r, span_of(users[i].user));

		if (to.n != users[i].length || !span_starts(to, span_of(users[i].begins)))
			fail_msg("%s became %.*s", users[i].user, (int)to.n, (const char *)to.p);
	}
	assert_false(span_equal(redact_user(r, SPAN("01632960105")), redact_user(r, SPAN("01632960106"))));
	redact_free(r);
}

/* ---- texts ---- */

/* {u:..} {h:..} {n:..} {i:..} {a:..} in what is expected: that user, host, name, id, address replaced. */
static const struct { const char *text, *expected; } texts[] = {
	{ "1001 hears nothing of 01632960105", "{u:1001} hears nothing of {u:01632960105}" },
	{ "phone 1001's audio leaves from 203.0.113.2:62017.",
	  "phone {u:1001}'s audio leaves from {a:203.0.113.2}:62017." },
	{ "200 OK answers c=192.168.1.9", "200 OK answers c={a:192.168.1.9}" },
	{ "200 answers 1001: 200", "{u:200} answers {u:1001}: {u:200}" },
	{ "frame 1001, 1001 packets, 4 of 1001 calls, 09:12:47.118, 0.200 s",
	  "frame 1001, 1001 packets, 4 of 1001 calls, 09:12:47.118, 0.200 s" },
	{ "frames 13-1001 and port 1001", "frames 13-1001 and port 1001" },
	{ "sends to a wrong port: 1001 hears nothing", "sends to a wrong port: {u:1001} hears nothing" },
	{ "<sip:1001@192.168.1.21:5060;transport=udp>", "<sip:{u:1001}@{a:192.168.1.21}:5060;transport=udp>" },
	{ "<sip:1001@[2001:db8::7]:5060>", "<sip:{u:1001}@[{a:2001:db8::7}]:5060>" },
	{ "sip:stranger@unheard.example.net", "sip:{u:stranger}@{h:unheard.example.net}" },
	{ "sip:unheard.example.net:5061", "sip:{h:unheard.example.net}:5061" },
	{ "tel:+441632960105", "tel:{u:+441632960105}" },
	{ "Alice Smith calls pbx.example.com.", "{n:Alice Smith} calls {h:pbx.example.com}." },
	{ "\"Bob the Unknown\" <sip:77@x.example>", "\"{n:Bob the Unknown}\" <sip:{u:77}@{h:x.example}>" },
	{ "Call-ID 8f2a77@192.168.1.21, tag a71bc", "Call-ID {i:8f2a77@192.168.1.21}, tag {i:a71bc}" },
	{ "2001:db8::1 and fe80::1, at 10.0.0.2-10.0.0.9",
	  "{a:2001:db8::1} and {a:fe80::1}, at {a:10.0.0.2}-{a:10.0.0.9}" },
	{ "RFC 3261 8.2.1, G.711, 2 098 packets, MOS 4.4, z9hG4bK1f0a",
	  "RFC 3261 8.2.1, G.711, 2 098 packets, MOS 4.4, z9hG4bK1f0a" },
	{ "0.0.0.0 on hold, 127.0.0.1", "0.0.0.0 on hold, 127.0.0.1" },
	{ "alicewonder 10011 x1001", "alicewonder 10011 x1001" },
	{ "a\\x1b[2Jb", "a\\x1b[2Jb" },
	{ "", "" },
};

static struct span replaced(struct redact *r, char kind, struct span s)
{
	char text[ADDRESS_TEXT];
	static char kept_text[ADDRESS_TEXT];
	struct address a;

	switch (kind) {
	case 'u':
		return redact_user(r, s);
	case 'h':
		return redact_host(r, s);
	case 'n':
		return redact_name(r, s);
	case 'i':
		return redact_id(r, s);
	default:
		assert_true(address_parse(s, &a));
		redact_address(r, &a);
		snprintf(kept_text, sizeof kept_text, "%s", address_text(&a, text));
		return span_of(kept_text);
	}
}

static void write_expected(struct redact *r, const char *form, struct text *t)
{
	while (*form) {
		const char *end = strchr(form, '}');

		if (*form == '{' && end) {
			struct span s = replaced(r, form[1],
				(struct span){ (const uint8_t *)form + 3, (size_t)(end - form) - 3 });

			text_addf(t, "%.*s", (int)s.n, (const char *)s.p);
			form = end + 1;
		} else {
			text_addf(t, "%c", *form++);
		}
	}
}

static void texts_lose_what_names_somebody_and_nothing_else(void **state)
{
	struct redact *r = redact_new(key);

	(void)state;
	redact_learn_user(r, SPAN("1001"));
	redact_learn_user(r, SPAN("200"));
	redact_learn_user(r, SPAN("01632960105"));
	redact_learn_user(r, SPAN("alice"));
	redact_learn_name(r, SPAN("Alice Smith"));
	redact_learn_host(r, SPAN("pbx.example.com"));
	redact_learn_id(r, SPAN("8f2a77@192.168.1.21"));
	redact_learn_id(r, SPAN("a71bc"));
	redact_learn_user(r, SPAN("pbx"));      /* reports say that anyway */
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct text expected;
		const char *got = redact_text(r, texts[i].text);

		text_init(&expected);
		write_expected(r, texts[i].expected, &expected);
		if (strcmp(got, expected.p) != 0)
			fail_msg("\"%s\" became \"%s\", not \"%s\"", texts[i].text, got, expected.p);
		assert_ptr_equal(redact_text(r, texts[i].text), got);   /* once */
		text_fini(&expected);
	}
	assert_string_equal(redact_text(r, "the pbx 10"), "the pbx 10");
	assert_null(redact_text(r, NULL));
	redact_free(r);
}

static void products_stay_and_hardware_addresses_go(void **state)
{
	struct redact *r = redact_new(key);
	struct span to = redact_agent(r, SPAN("Yealink SIP-T46S 66.85.0.5 805ec0aabbcc"));

	(void)state;
	assert_true(span_starts(to, SPAN("Yealink SIP-T46S 66.85.0.5 02")));
	assert_true(span_find_text(to, SPAN("805ec0aabbcc")) == to.n);
	to = redact_agent(r, SPAN("Cisco/SPA 00:1b:54:aa:bb:cc"));
	assert_true(span_find_text(to, SPAN("00:1b")) == to.n);
	assert_true(span_equal(redact_agent(r, SPAN("snomD785/10.1.64.14")), SPAN("snomD785/10.1.64.14")));
	redact_free(r);
}

/* Whatever a packet holds: no end is missed, and it takes no time. */
static void hostile_texts_are_only_texts(void **state)
{
	struct redact *r = redact_new(key);
	static uint8_t bytes[20000];
	uint64_t z = 1;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		static const char signs[] = "01fF:.@[]<>\"sip: -'\\x+%";

		for (size_t i = 0; i < 300; i++) {
			z = z * UINT64_C(6364136223846793005) + 1442695040888963407u;
			bytes[i] = (uint8_t)signs[(z >> 33) % (sizeof signs - 1)];
		}
		redact_span(r, (struct span){ bytes, round + 50 });
		redact_agent(r, (struct span){ bytes, round });
	}
	for (size_t i = 0; i < 8; i++) {
		memset(bytes, "1:.@[\"'-"[i], sizeof bytes);
		redact_span(r, (struct span){ bytes, sizeof bytes });
	}
	redact_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_private_stays_private),
		cmocka_unit_test(what_means_something_stays),
		cmocka_unit_test(neighbours_stay_neighbours),
		cmocka_unit_test(the_key_decides),
		cmocka_unit_test(every_extension_becomes_another_one),
		cmocka_unit_test(numbers_and_names_keep_their_kind),
		cmocka_unit_test(texts_lose_what_names_somebody_and_nothing_else),
		cmocka_unit_test(products_stay_and_hardware_addresses_go),
		cmocka_unit_test(hostile_texts_are_only_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
