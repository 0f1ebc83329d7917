/* SPDX-License-Identifier: MIT */
/* test_sip_way: requests at several points of their way, and answers that go elsewhere. */
#include "analyzer/network/sip_way.h"
#include "tests/unit/network_packets.h"

enum kind { END, REQUEST, ANSWER };

struct step {
	double at;
	enum kind what;
	const char *src, *dst;
	unsigned cseq, file;
	const char *vias;            /* sent-by of each Via, topmost first; default 192.168.1.101:5060 */
};

static void play_step(struct sip_ways *w, const struct step *s)
{
	static struct sip_message m;
	const char *via = s->vias ? s->vias : "192.168.1.101:5060";
	struct packet p = packet_of(PACKET_SIP, s->src, s->dst, (int64_t)(s->at * 1000 + 0.5));
	char text[512];
	int n = snprintf(text, sizeof text, "%s\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%u\r\nFrom: <sip:1@a>;tag=t\r\nTo: <sip:1@a>\r\nCall-ID: c\r\nCSeq: %u REGISTER\r\n\r\n",
			 s->what == REQUEST ? "REGISTER sip:a SIP/2.0" : "SIP/2.0 200 OK", via, s->cseq, s->cseq);

	assert_true(sip_message_parse((struct span){ (const uint8_t *)text, (size_t)n }, (size_t)n, &m));
	p.file = (uint16_t)s->file;
	p.sip = &m;
	sip_ways_message(w, &p);
}

#define INNER "192.168.1.101:5060"
#define MIDDLE "10.99.0.2:5060"
#define OUTER "198.51.100.20:5060"
#define SERVER "203.0.113.10:5060"
#define ASKED(at) { at, REQUEST, OUTER, SERVER, 1, 0, NULL }
#define ASTRAY(at) { at, ANSWER, SERVER, INNER, 1, 0, NULL }

static const struct { const char *name; struct step steps[12]; unsigned strays, chains, mappings; } cases[] = {
	{ "answers go astray and the client asks again",
	  { ASKED(0), ASTRAY(.1), ASKED(.5), ASTRAY(.6), ASKED(1.5), ASTRAY(1.6) }, 1, 0, 0 },
	{ "one repetition is loss", { ASKED(0), ASTRAY(.1), ASKED(.5), ASTRAY(.6) }, 0, 0, 0 },
	{ "one answer came through", { ASKED(0), { .1, ANSWER, SERVER, OUTER, 1, 0, NULL }, ASTRAY(.1), ASKED(.5),
	  ASTRAY(.6), ASKED(1.5), ASTRAY(1.6) }, 0, 0, 0 },
	{ "the answer of another machine", { ASKED(0), { .1, ANSWER, "203.0.113.11:5060", INNER, 1, 0, NULL },
	  ASKED(.5), ASKED(1.5), ASKED(3.5) }, 0, 0, 0 },
	{ "another port of the client: its Via", { ASKED(0), { .1, ANSWER, SERVER, "198.51.100.20:5070", 1, 0, NULL },
	  ASKED(.5), ASKED(1.5), ASKED(3.5) }, 0, 0, 0 },
	{ "before and behind a NAT", { { 0, REQUEST, INNER, SERVER, 1, 0, NULL },
	  { .001, REQUEST, OUTER, SERVER, 1, 0, NULL } }, 0, 0, 2 },
	{ "the outer file is late", { { 0, REQUEST, OUTER, SERVER, 1, 1, NULL },
	  { 2.5, REQUEST, INNER, SERVER, 1, 0, NULL } }, 0, 0, 2 },
	{ "a repetition from another address", { { 0, REQUEST, INNER, SERVER, 1, 0, NULL },
	  { .5, REQUEST, OUTER, SERVER, 1, 0, NULL } }, 0, 0, 0 },
	{ "inwards", { { 0, REQUEST, SERVER, OUTER, 1, 0, SERVER }, { .001, REQUEST, SERVER, INNER, 1, 0, SERVER } }, 0,
	  0, 2 },
	{ "a proxy adds its Via", { { 0, REQUEST, INNER, SERVER, 1, 0, NULL },
	  { .001, REQUEST, OUTER, SERVER, 1, 0,
	  "198.51.100.20:5060;branch=z9hG4bKp, SIP/2.0/UDP 192.168.1.101:5060" } },
	  0, 0, 0 },
	{ "two NATs", { { 0, REQUEST, INNER, SERVER, 1, 0, NULL }, { .001, REQUEST, MIDDLE, SERVER, 1, 1, NULL },
	  { .002, REQUEST, OUTER, SERVER, 1, 2, NULL } }, 0, 1, 4 },
	{ "two NATs, from the outside", { { 0, REQUEST, OUTER, SERVER, 1, 2, NULL },
	  { .001, REQUEST, MIDDLE, SERVER, 1, 1, NULL }, { .002, REQUEST, INNER, SERVER, 1, 0, NULL } },
	  0, 1, 4 },
	{ "two dual-homed sources", { { 0, REQUEST, "192.0.2.1:5060", SERVER, 1, 0, "phone.example:5060" },
	  { .001, REQUEST, "192.0.2.2:5060", SERVER, 1, 1, "phone.example:5060" } },
	  0, 0, 0 },
};

static void ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);
		struct sip_ways *w = sip_ways_new(n);

		for (const struct step *s = cases[i].steps; s->what != END; s++)
			play_step(w, s);
		if (sip_ways_strays(w)->count != cases[i].strays || sip_ways_chains(w)->count != cases[i].chains ||
		    network_mappings(n)->count != cases[i].mappings)
			fail_msg("%s: %zu strays, %zu chains, %zu mappings", cases[i].name, sip_ways_strays(w)->count,
				sip_ways_chains(w)->count,
				 network_mappings(n)->count);
		sip_ways_free(w);
		network_free(n);
	}
}

static void what_a_stray_says(void **state)
{
	static const struct step steps[] = { ASKED(0), ASTRAY(.1), ASKED(.5), ASTRAY(.6), ASKED(1.5), ASTRAY(1.6),
		ASKED(3.5), ASTRAY(3.6) };
	struct network *n = network_new(NULL);
	struct sip_ways *w = sip_ways_new(n);
	const struct sip_stray *s;
	char text[ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		play_step(w, &steps[i]);
	s = LIST_ENTRY(sip_ways_strays(w)->head.next, struct sip_stray, in_order);
	assert_string_equal(endpoint_text(&s->client, text), OUTER);
	assert_string_equal(endpoint_text(&s->sent_to, text), INNER);
	assert_int_equal(s->answers, 4);
	assert_int_equal(s->transmissions, 3);
	assert_int_equal(s->requests, 1);
	assert_false(s->rport);
	sip_ways_free(w);
	network_free(n);
}

static void a_chain_runs_outwards(void **state)
{
	const struct step *steps = cases[11].steps;
	struct network *n = network_new(NULL);
	struct sip_ways *w = sip_ways_new(n);
	const struct sip_chain *c;
	char text[ENDPOINT_TEXT];

	(void)state;
	for (const struct step *s = steps; s->what != END; s++)
		play_step(w, s);
	c = LIST_ENTRY(sip_ways_chains(w)->head.next, struct sip_chain, in_order);
	assert_string_equal(endpoint_text(&c->at[0], text), INNER);
	assert_string_equal(endpoint_text(&c->at[1], text), MIDDLE);
	assert_string_equal(endpoint_text(&c->at[2], text), OUTER);
	sip_ways_free(w);
	network_free(n);
}

/* More requests than are remembered: the oldest are forgotten, nothing else. */
static void bounds(void **state)
{
	struct network *n = network_new(NULL);
	struct sip_ways *w = sip_ways_new(n);

	(void)state;
	for (unsigned i = 1; i < 20000; i++)
		play_step(w, &(struct step){ i, REQUEST, OUTER, SERVER, i, 0, NULL });
	for (unsigned k = 0; k < 3; k++) {
		play_step(w, &(struct step){ 20000 + k, ANSWER, SERVER, INNER, 1, 0, NULL });
		play_step(w, &(struct step){ 20000 + k, ANSWER, SERVER, INNER, 19999, 0, NULL });
		play_step(w, &(struct step){ 20000 + k, REQUEST, OUTER, SERVER, 19999, 0, NULL });
	}
	assert_int_equal(sip_ways_strays(w)->count, 1);
	sip_ways_free(w);
	network_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ways), cmocka_unit_test(what_a_stray_says), cmocka_unit_test(a_chain_runs_outwards),
			cmocka_unit_test(bounds),
	};

	sip_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
