/* SPDX-License-Identifier: MIT */
/* channel: who is meant by ChannelData, before and after binds, refusals and retransmissions, and in a full table. */
#include "analyzer/network/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define CLIENT "10.0.0.1:4000"
#define SERVER "203.0.113.50:3478"
#define PEER "203.0.113.70:12014"
#define OTHER "203.0.113.99:9000"

enum { BIND = 0x0009, BOUND = 0x0109, REFUSED = 0x0119, CHANNEL = 0x4000 };

struct said { uint16_t type, channel; uint8_t transaction; const char *peer; };

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint e = { .port = 0 };

	assert_true(!text || endpoint_parse(span_of(text), &e));
	return e;
}

static struct packet between(const char *src, const char *dst, enum packet_kind kind)
{
	return (struct packet){ .kind = kind, .has = HAS_IP | HAS_PORTS, .src = endpoint_of(src),
		.dst = endpoint_of(dst) };
}

static void say(struct channels *c, const char *client, const struct said *s)
{
	bool asks = s->type == BIND;
	struct packet p = between(asks ? client : SERVER, asks ? SERVER : client, PACKET_STUN), ret;

	p.stun = (struct stun_message){ .type = s->type, .channel = s->channel, .peer = endpoint_of(s->peer) };
	p.stun.transaction[11] = s->transaction;
	assert_false(channels_packet(c, &p, &ret));
}

/* "SOURCE > DESTINATION" of ChannelData as the table has it; "-": its peer is not known. */
static const char *image(struct channels *c, const char *src, const char *dst, uint16_t channel, char *text,
	size_t size)
{
	struct packet p = between(src, dst, PACKET_RTP), ret;
	char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];

	p.tunnel = TUNNEL_TURN;
	p.channel = channel;
	if (!channels_packet(c, &p, &ret))
		return "-";
	assert_int_equal(ret.kind, PACKET_RTP);
	assert_int_equal(ret.tunnel, TUNNEL_TURN);
	assert_int_equal(ret.channel, 0);
	snprintf(text, size, "%s > %s", endpoint_text(&ret.src, from), endpoint_text(&ret.dst, to));
	return text;
}

static void whom_it_is_for(void **state)
{
	static const struct { const char *name; struct said said[4]; const char *there; } cases[] = {
		{ "nothing was bound", { { 0 } }, "-" },
		{ "asked, the answer not seen", { { BIND, CHANNEL, 1, PEER } }, CLIENT " > " PEER },
		{ "bound", { { BIND, CHANNEL, 1, PEER }, { BOUND, 0, 1, NULL } }, CLIENT " > " PEER },
		{ "refused", { { BIND, CHANNEL, 1, PEER }, { REFUSED, 0, 1, NULL } }, "-" },
		{ "refused, asked again with a nonce", { { BIND, CHANNEL, 1, PEER }, { REFUSED, 0, 1, NULL },
			{ BIND, CHANNEL, 2, PEER } }, CLIENT " > " PEER },
		{ "a refusal of another request", { { BIND, CHANNEL, 1, PEER }, { REFUSED, 0, 9, NULL } },
			CLIENT " > " PEER },
		{ "bound anew", { { BIND, CHANNEL, 1, OTHER }, { BIND, CHANNEL, 2, PEER } }, CLIENT " > " PEER },
		{ "refused anew: the first holds", { { BIND, CHANNEL, 1, PEER }, { BIND, CHANNEL, 2, OTHER },
			{ REFUSED, 0, 2, NULL } }, CLIENT " > " PEER },
		{ "a retransmission is the same request", { { BIND, CHANNEL, 1, PEER }, { BIND, CHANNEL, 2, OTHER },
			{ BIND, CHANNEL, 2, OTHER }, { REFUSED, 0, 2, NULL } }, CLIENT " > " PEER },
		{ "another number", { { BIND, CHANNEL + 1, 1, PEER } }, "-" },
		{ "no number of a channel", { { BIND, 0x3fff, 1, PEER } }, "-" },
		{ "no peer in it", { { BIND, CHANNEL, 1, NULL } }, "-" },
		{ "an answer alone", { { BOUND, CHANNEL, 1, PEER } }, "-" },
	};
	char text[2 * ENDPOINT_TEXT + 4];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct channels *c = channels_new(0);

		for (unsigned k = 0; k < 4 && cases[i].said[k].type; k++)
			say(c, CLIENT, &cases[i].said[k]);
		if (strcmp(image(c, CLIENT, SERVER, CHANNEL, text, sizeof text), cases[i].there) != 0)
			fail_msg("%s: %s", cases[i].name, text);
		channels_free(c);
	}
}

static void both_ways_of_one_client(void **state)
{
	struct channels *c = channels_new(0);
	char text[2 * ENDPOINT_TEXT + 4];

	(void)state;
	say(c, CLIENT, &(struct said){ BIND, CHANNEL, 1, PEER });
	say(c, "10.0.0.2:4000", &(struct said){ BIND, CHANNEL, 1, OTHER });
	assert_string_equal(image(c, SERVER, CLIENT, CHANNEL, text, sizeof text), PEER " > " CLIENT);
	assert_string_equal(image(c, "10.0.0.2:4000", SERVER, CHANNEL, text, sizeof text), "10.0.0.2:4000 > " OTHER);
	assert_string_equal(image(c, "10.0.0.1:4002", SERVER, CHANNEL, text, sizeof text), "-");
	assert_string_equal(image(c, CLIENT, SERVER, 0, text, sizeof text), "-");       /* of an indication */
	channels_free(c);
}

/* What a client sends to its peer inside the relay is no word to the server. */
static void inside_the_relay(void **state)
{
	struct channels *c = channels_new(0);
	struct packet p = between(CLIENT, SERVER, PACKET_STUN), ret;
	char text[2 * ENDPOINT_TEXT + 4];

	(void)state;
	p.tunnel = TUNNEL_TURN;
	p.stun = (struct stun_message){ .type = BIND, .channel = CHANNEL, .peer = endpoint_of(PEER) };
	assert_false(channels_packet(c, &p, &ret));
	assert_string_equal(image(c, CLIENT, SERVER, CHANNEL, text, sizeof text), "-");
	channels_free(c);
}

static void full(void **state)
{
	struct channels *c = channels_new(2);
	char text[2 * ENDPOINT_TEXT + 4];

	(void)state;
	say(c, CLIENT, &(struct said){ BIND, CHANNEL, 1, PEER });
	say(c, CLIENT, &(struct said){ BIND, CHANNEL + 1, 2, PEER });
	/* refreshed: the other one is the oldest now */
	say(c, CLIENT, &(struct said){ BIND, CHANNEL, 3, PEER });
	say(c, CLIENT, &(struct said){ BIND, CHANNEL + 2, 4, OTHER });
	assert_string_equal(image(c, CLIENT, SERVER, CHANNEL, text, sizeof text), CLIENT " > " PEER);
	assert_string_equal(image(c, CLIENT, SERVER, CHANNEL + 1, text, sizeof text), "-");
	assert_string_equal(image(c, CLIENT, SERVER, CHANNEL + 2, text, sizeof text), CLIENT " > " OTHER);
	channels_free(c);
	channels_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whom_it_is_for), cmocka_unit_test(both_ways_of_one_client),
		cmocka_unit_test(inside_the_relay), cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
