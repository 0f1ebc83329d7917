/* SPDX-License-Identifier: MIT */
/* router_advice: routers as operators write them down, and where their switch is. */
#include "analyzer/detect/router_advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct { const char *router, *begins; } cases[] = {
	{ "MikroTik hEX S", "MikroTik: /ip firewall" }, { "FortiGate 60F, 7.2", "FortiGate: " },
	  { "Cisco ASA 5506", "Cisco ASA: no inspect sip" },
	{ "Cisco ISR 4321", "Cisco IOS: " }, { "pfSense 2.7", "pfSense has no ALG" },
	  { "Draytek Vigor 2865", "DrayTek" }, { "OpenWrt 23.05 on Linux 5.15", "OpenWrt" },
	{ "Nasa box", NULL }, { "", NULL }, { NULL, NULL }, { "some box", NULL },
};

static void test_routers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *advice = router_advice(cases[i].router);

		if (!cases[i].begins != !advice ||
		    (advice && strncmp(advice, cases[i].begins, strlen(cases[i].begins)) != 0))
			fail_msg("%s: %s", cases[i].router ? cases[i].router : "none", advice ? advice : "nothing");
	}
}

static const struct { uint8_t mac[6]; const char *begins; } makers[] = {
	{ { 0x4c, 0x5e, 0x0c, 1, 2, 3 }, "MikroTik: " }, { { 0x00, 0x1d, 0xaa, 0, 0, 1 }, "DrayTek" },
	{ { 0x90, 0x6c, 0xac, 0, 0, 1 }, "FortiGate: " }, { { 0x00, 0x17, 0xc5, 0, 0, 1 }, "SonicWall" },
	{ { 0x7c, 0x5a, 0x1c, 0, 0, 1 }, "Sophos: " }, { { 0x02, 0x00, 0x00, 0, 0, 1 }, NULL }, { { 0 }, NULL },
};

static void test_makers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		const char *advice = router_advice_by_mac(makers[i].mac);

		if (!makers[i].begins != !advice ||
		    (advice && strncmp(advice, makers[i].begins, strlen(makers[i].begins)) != 0))
			fail_msg("%zu: %s", i, advice ? advice : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_routers), cmocka_unit_test(test_makers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
