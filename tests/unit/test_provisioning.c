/* SPDX-License-Identifier: MIT */
/* provisioning: what asks for a phone's configuration in clear, and what only looks so. */
#include "dissect/provisioning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(s) { (const uint8_t *)(s), sizeof(s) - 1 }

static const struct { const char *name; struct span bytes; uint8_t transport; uint16_t port; enum provisioning is;
	const char *agent; } cases[] = {
	{ "a .cfg", BYTES("GET /p/y000000000028.cfg HTTP/1.1\r\nHost: x\r\nuser-agent:  Yealink T46 \r\n\r\n"),
	  TRANSPORT_TCP, 80, PROVISIONING_HTTP, "Yealink T46" },
	{ "a MAC address, a query", BYTES("GET /0015651a2b3c?x=/a.png HTTP/1.0\r\n\r\n"), TRANSPORT_TCP, 8080,
	  PROVISIONING_HTTP, "" },
	{ "the request line is cut", BYTES("GET /p/phone.cfg"), TRANSPORT_TCP, 80, PROVISIONING_NO, "" },
	{ "thirteen digits", BYTES("GET /0015651a2b3c4 HTTP/1.1\r\n\r\n"), TRANSPORT_TCP, 80, PROVISIONING_NO, "" },
	{ "a picture", BYTES("GET /logo.png HTTP/1.1\r\n\r\n"), TRANSPORT_TCP, 80, PROVISIONING_NO, "" },
	{ "nothing but the ending", BYTES("GET /.cfg HTTP/1.1\r\n\r\n"), TRANSPORT_TCP, 80, PROVISIONING_NO, "" },
	{ "a read request", BYTES("\0\1SEP0015651a2b3c.cnf.xml\0octet\0"), TRANSPORT_UDP, 69, PROVISIONING_TFTP, "" },
	{ "a write request", BYTES("\0\2SEP0015651a2b3c.cnf.xml\0octet\0"), TRANSPORT_UDP, 69, PROVISIONING_NO, "" },
	{ "the same on another port", BYTES("\0\1SEP0015651a2b3c.cnf.xml\0octet\0"), TRANSPORT_UDP, 70, PROVISIONING_NO,
	  "" },
	{ "a name without end", BYTES("\0\1boot.cfg"), TRANSPORT_UDP, 69, PROVISIONING_TFTP, "" },
	{ "too short", BYTES("\0\1"), TRANSPORT_UDP, 69, PROVISIONING_NO, "" },
};

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct packet p = { .transport = cases[i].transport, .dst.port = cases[i].port,
			.payload = cases[i].bytes };
		struct span agent;

		if (provisioning_request(&p, &agent) != cases[i].is)
			fail_msg("%s", cases[i].name);
		if (cases[i].is == PROVISIONING_HTTP &&
		    (agent.n != strlen(cases[i].agent) || memcmp(agent.p ? (const char *)agent.p : "", cases[i].agent,
		    agent.n) != 0))
			fail_msg("%s: %.*s", cases[i].name, (int)agent.n, (const char *)agent.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_requests) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
