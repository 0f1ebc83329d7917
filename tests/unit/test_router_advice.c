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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_routers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
