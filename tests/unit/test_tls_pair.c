/* SPDX-License-Identifier: MIT */
/* test_tls_pair: who is the client; the web leaves room for what is to SIP; both are found by their hosts. */
#include "tests/unit/network_packets.h"

#include "analyzer/network/tls_pair.h"
#include "analyzer/site.h"

enum { ROOM = 64 };

struct world {
	struct site *site;
	struct tls_pairs *t;
	int64_t at_ms;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	w->site = site_new();
	w->t = tls_pairs_new(w->site, ROOM);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	tls_pairs_free(w->t);
	site_free(w->site);
	free(w);
	return 0;
}

static void record(struct world *w, const char *src, const char *dst, const char *alpn)
{
	struct packet p = packet_of(PACKET_TLS, src, dst, w->at_ms++);

	p.tls.alpn = span_of(alpn);
	tls_pairs_packet(w->t, &p);
}

/* n servers of the web, each for itself. */
static void web(struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char server[32];

		snprintf(server, sizeof server, "203.0.%u.%u:443", i / 250, i % 250 + 1);
		record(w, "10.0.0.1:40000", server, "");
	}
}

static const struct tls_pair *between(const struct world *w, const char *a, const char *b)
{
	struct address x = address_of(a), y = address_of(b);

	return tls_pairs_between(w->t, &x, &y, NULL);
}

static void test_client_and_server(void **state)
{
	static const struct { const char *src, *dst, *client, *server; } cases[] = {
		{ "10.0.0.1:40000", "10.0.0.2:5061", "10.0.0.1", "10.0.0.2:5061" },
		{ "10.0.0.3:5061", "10.0.0.4:443", "10.0.0.4", "10.0.0.3:5061" },
		{ "10.0.0.5:443", "10.0.0.6:40000", "10.0.0.6", "10.0.0.5:443" },
	};
	struct world *w = *state;
	unsigned i = 0;

	for (; i < COUNT_OF(cases); i++) {
		record(w, cases[i].src, cases[i].dst, "");
		record(w, cases[i].dst, cases[i].src, "");
	}
	assert_int_equal(tls_pairs_in_order(w->t)->count, COUNT_OF(cases));
	i = 0;
	LIST_EACH(it, tls_pairs_in_order(w->t)) {
		const struct tls_pair *x = LIST_ENTRY(it, struct tls_pair, in_order);
		struct endpoint server = endpoint_of(cases[i].server);
		struct address client = address_of(cases[i].client);

		assert_true(endpoint_equal(&x->server, &server));
		assert_true(address_equal(&x->client, &client));
		assert_int_equal(x->records, 2);
		assert_int_equal(x->n, ++i);
	}
}

/* A thousand servers of the web go by: what is to SIP, by port or by name, stays, and is counted when it goes at last. */
static void test_web(void **state)
{
	struct world *w = *state;
	struct address phone = address_of("10.0.0.21");

	record(w, "10.0.0.21:40000", "10.0.0.5:5061", "");
	record(w, "10.0.0.22:40000", "10.0.0.5:443", "sip");
	web(w, 1000);
	assert_int_equal(tls_pairs_in_order(w->t)->count, ROOM);
	assert_non_null(between(w, "10.0.0.5", "10.0.0.21"));
	assert_true(between(w, "10.0.0.22", "10.0.0.5")->to_sip);
	assert_int_equal(tls_pairs_evicted(w->t), 0);
	assert_int_equal(tls_pairs_others_evicted(w->t), 1000 - (ROOM - 2));
	assert_ptr_equal(tls_pairs_of(w->t, &phone, NULL), between(w, "10.0.0.21", "10.0.0.5"));
	assert_null(tls_pairs_of(w->t, &phone, tls_pairs_of(w->t, &phone, NULL)));
	for (unsigned i = 0; i < 2 * ROOM; i++) {
		char client[32];

		snprintf(client, sizeof client, "10.0.1.%u:40000", i + 1);
		record(w, client, "10.0.0.5:5061", "");
	}
	assert_null(between(w, "10.0.0.21", "10.0.0.5"));
	assert_int_equal(tls_pairs_in_order(w->t)->count, ROOM);
	assert_int_equal(tls_pairs_evicted(w->t), 2 + ROOM);
}

/* Of the web what was silent longest goes: a browser's open socket is not pushed out by pages. */
static void test_in_use(void **state)
{
	struct world *w = *state;

	record(w, "10.0.0.30:40000", "198.51.100.7:443", "");
	record(w, "10.0.0.31:40000", "198.51.100.7:443", "");
	for (unsigned i = 0; i < 20; i++) {
		web(w, ROOM / 2);
		record(w, "198.51.100.7:443", "10.0.0.30:40000", "");
	}
	assert_non_null(between(w, "10.0.0.30", "198.51.100.7"));
	web(w, ROOM);
	assert_null(between(w, "10.0.0.31", "198.51.100.7"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = { TEST(test_client_and_server), TEST(test_web), TEST(test_in_use) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
