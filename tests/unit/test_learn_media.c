/* SPDX-License-Identifier: MIT */
/* learn_media: what audio teaches of translations, and what it does not. */
#include "analyzer/network/learn_media.h"

#include "tests/unit/world.h"

enum { FLOWS = 4 };

#define CALLER "198.51.100.7:5060"
#define SERVER "203.0.113.5:5060"
#define ANSWER "v1 203.0.113.5:5000"
#define TALKS(at) { .src = at, .dst = "203.0.113.5:5000", .from = 1.1, .to = 20, .ssrc = 0xa }
#define HEARS(at, since) { .src = "203.0.113.5:5000", .dst = at, .from = since, .to = 20, .ssrc = 0xb }

/*
 * Wanted: "inside>outside method" of a media mapping with ports that is in the map; NULL: no mapping of media with
 * ports at all.
 */
static const struct {
	const char *name;
	struct dialogue call;
	struct rtp_flow flows[FLOWS];
	const char *wanted;
} cases[] = {
	{ "a private address, audio from the public one with its port",
	  { .caller = CALLER, .callee = SERVER, .offer = "v1 192.168.1.10:4000", .answer = ANSWER, .bye = 21 },
	  { TALKS("198.51.100.7:4000") }, "192.168.1.10:4000>198.51.100.7:4000 sdp-port-equal" },
	{ "with another port", { .caller = CALLER, .callee = SERVER, .offer = "v1 192.168.1.10:4000", .answer = ANSWER,
	  .bye = 21 },
	  { TALKS("198.51.100.7:61000") }, "192.168.1.10:4000>198.51.100.7:61000 sdp-port-other" },
	{ "the server turns to it", { .caller = CALLER, .callee = SERVER, .offer = "v1 192.168.1.10:4000",
	  .answer = ANSWER, .bye = 21 },
	  { TALKS("198.51.100.7:61000"), HEARS("198.51.100.7:61000", 1.3) },
	  "192.168.1.10:4000>198.51.100.7:61000 latched" },
	{ "audio from a third address", { .caller = CALLER, .callee = SERVER, .offer = "v1 192.168.1.10:4000",
	  .answer = ANSWER, .bye = 21 },
	  { TALKS("192.0.2.9:4000"), HEARS("192.0.2.9:4000", 1.3) }, NULL },
	{ "seen from inside: it names its public address",
	  { .caller = "10.0.0.1:5060", .callee = SERVER, .offer = "v1 198.51.100.7:4000", .answer = ANSWER, .bye = 21 },
	  { TALKS("10.0.0.1:4000"), HEARS("10.0.0.1:4000", 1.3) }, "10.0.0.1:4000>198.51.100.7:4000 external-address" },
	{ "the same, and the ports differ",
	  { .caller = "10.0.0.1:5060", .callee = SERVER, .offer = "v1 198.51.100.7:4000", .answer = ANSWER, .bye = 21 },
	  { TALKS("10.0.0.1:4444") }, NULL },
	{ "nothing is translated", { .caller = CALLER, .callee = SERVER, .offer = "v1 198.51.100.7:4000",
	  .answer = ANSWER, .bye = 21 },
	  { TALKS("198.51.100.7:4000"), HEARS("198.51.100.7:4000", 1.1) }, NULL },
	{ "a public gateway whose media lives elsewhere",
	  { .caller = CALLER, .callee = SERVER, .offer = "v1 198.51.100.40:4000", .answer = ANSWER, .bye = 21 },
	  { TALKS("198.51.100.40:4000"), HEARS("198.51.100.40:4000", 1.1) }, NULL },
	{ "routed: the private address is where the audio comes from",
	  { .caller = "10.0.0.1:5060", .callee = SERVER, .offer = "v1 10.0.0.1:4000", .answer = ANSWER, .bye = 21 },
	  { TALKS("10.0.0.1:4000"), HEARS("10.0.0.1:4000", 1.1) }, NULL },
};

/* All media mappings with ports in one text. */
static void learnt(const struct network *n, char *text, size_t room)
{
	size_t at = 0;

	text[0] = 0;
	LIST_EACH(it, network_mappings(n)) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);
		char inside[ENDPOINT_TEXT], outside[ENDPOINT_TEXT];

		if (m->media && m->inside.port && at < room)
			at += (size_t)snprintf(text + at, room - at, "%s>%s %s;", endpoint_text(&m->inside, inside),
				endpoint_text(&m->outside, outside),
					       nat_method_name(m->method));
	}
}

static void audio_teaches(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world w;
		char text[1024], again[1024];

		world_begin(&w);
		world_dialogue(&w, &cases[i].call);
		for (unsigned k = 0; k < FLOWS && cases[i].flows[k].src; k++)
			world_flow(&w, &cases[i].flows[k]);
		world_play(&w);
		engine_finish(w.e);
		learnt(w.e->network, text, sizeof text);
		if (cases[i].wanted ? !strstr(text, cases[i].wanted) : text[0] != 0)
			fail_msg("%s: %s", cases[i].name, text);
		learn_media(w.e->network, calls_legs(w.e->calls));
		learnt(w.e->network, again, sizeof again);
		assert_string_equal(text, again);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(audio_teaches) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
