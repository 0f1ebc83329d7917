/* SPDX-License-Identifier: MIT */
#include "analyzer/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "captures/base/ns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static char folder[] = "/tmp/deadair-profile-XXXXXX";

static const char *file_write(const char *name, const char *text)
{
	static char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	return path;
}

struct world {
	struct config *config;
	struct site *site;
	struct err err;
};

static enum err_code take(struct world *w, const char *text)
{
	*w = (struct world){ config_new(), site_new(), { .code = ERR_OK } };
	return profile_read(file_write("deadair.conf", text), w->config, w->site, &w->err);
}

static void drop(struct world *w)
{
	config_free(w->config);
	site_free(w->site);
}

static struct address at(const char *text)
{
	struct address a;

	assert_true(address_parse(span_of(text), &a));
	return a;
}

static void every_key_is_taken(void **state)
{
	static const char text[] =
		"# the office\n"
		"[site]\n"
		"name = Head office\n"
		"timezone = UTC\n"
		"office-hours = Mon-Fri 07:30-18:30, Sat 9-12\n"
		"holidays = holidays\n"
		"role = office\n"
		"inside-nets = 10.1.0.0/16, 2001:db8:1::/48\n"
		"public-ips = 203.0.113.2\n"
		"pbx = 10.1.0.5\n"
		"trunk = 198.51.100.0/24, sip.example.net\n"
		"  192.0.2.7\n"
		"trusted = monitor\n"
		"trusted-scanners = 198.51.100.12\n"
		"remote-nets = 192.0.2.0/28\n"
		"router = Fritz!Box\n"
		"peak-calls = 20\n"
		"mask-numbers = no\n"
		"[signalling]\n"
		"sip-ports = 5060, 5070-5080\n"
		"tls-ports = 5061\n"
		"expected-transport = sip.example.net:tls/5061, 10.1.0.5:udp\n"
		"[media]\n"
		"media-ports = 10000-20000\n"
		"media-ports.10.1.0.9 = 4000-4015\n"
		"[network]\n"
		"qos = required\n"
		"dscp-media = 46\n"
		"voice-vlans = 100, 200\n"
		"phone-ouis = ouis\n"
		"[security]\n"
		"scanner-ua = evil, sipp\n"
		"require-encryption = wan\n"
		"open-federation = yes\n"
		"[tollfraud]\n"
		"home-cc = 44\n"
		"intl-prefixes = 00\n"
		"premium-prefixes = premium\n"
		"[nat]\n"
		"map = 10.1.0.5, 203.0.113.2\n"
		"[names]\n"
		"monitor = 10.1.0.6\n"
		"six = 2001:db8:1::9, 2001:db8:1::a\n"
		"[expect]\n"
		"min-call-s = 5\n"
		"[rtp-loss]\n";
	struct address a;
	struct world w;

	(void)state;
	file_write("holidays", "2026-12-25   # Christmas\n\n2026-12-26\n");
	file_write("ouis", "00:15:65 # Yealink\n80:5e:c0\n");
	file_write("premium", "0900\n# more\n00881\n");
	if (take(&w, text) != ERR_OK)
		fail_msg("%s", w.err.text);
	assert_string_equal(w.site->name, "Head office");
	assert_int_equal(w.site->role, SITE_OFFICE);
	assert_int_equal(w.site->office_hours.count, 2);
	assert_int_equal(w.site->holidays.count, 2);
	assert_int_equal(w.site->inside_nets.count, 2);
	assert_int_equal(w.site->trunk.nets.count, 2);
	assert_int_equal(w.site->trunk.names.count, 1);
	assert_string_equal(w.site->router, "Fritz!Box");
	assert_true(config_value(w.config, "site", "peak-calls") == 20);
	assert_false(w.site->mask_numbers);
	assert_true(ranges_have(&w.site->sip_ports, 5075));
	assert_false(ranges_have(&w.site->sip_ports, 5100));
	assert_int_equal(w.site->expected_transport.count, 2);
	assert_string_equal(w.site->expected_transport.list[0].peer, "sip.example.net");
	assert_int_equal(w.site->expected_transport.list[0].port, 5061);
	a = at("10.1.0.9");
	assert_int_equal(site_media_ports(w.site, &a)->list[0].high, 4015);
	a = at("10.1.0.10");
	assert_int_equal(site_media_ports(w.site, &a)->list[0].high, 20000);
	assert_int_equal(w.site->qos, QOS_REQUIRED);
	assert_true(numbers_have(&w.site->dscp_media, 46));
	assert_false(numbers_have(&w.site->dscp_media, 44));
	assert_true(numbers_have(&w.site->dscp_sig, 26));            /* not given: the default stays */
	assert_true(numbers_have(&w.site->voice_vlans, 200));
	assert_int_equal(w.site->phone_ouis.count, 2);
	assert_int_equal(w.site->encryption, ENCRYPTION_WAN);
	assert_true(w.site->open_federation);
	assert_int_equal(w.site->intl_prefixes.count, 1);
	assert_int_equal(w.site->premium_prefixes.count, 2);
	assert_int_equal(w.site->nat.count, 1);
	a = at("10.1.0.6");
	assert_true(site_peer(w.site, &w.site->trusted, &a));
	a = at("192.0.2.7");
	assert_true(site_peer(w.site, &w.site->trunk, &a));
	a = at("192.0.2.8");
	assert_false(site_peer(w.site, &w.site->trunk, &a));
	assert_true(config_value(w.config, "expect", "min-call-s") == 5);
	drop(&w);
}

static void mistakes_name_their_line(void **state)
{
	static const struct { const char *text, *says; } cases[] = {
		{ "[site]\nnmae = x\n", ":2: [site] has no key nmae: name?" },
		{ "[sites]\nname = x\n", ":2: no section [sites]: [site]?; deadair detectors lists those of findings" },
		{ "name = x\n", ":1: name stands before the first [section]" },
		{ "\n\n[site]\nname = x\nname = y\n", ":5: name stands here a second time" },
		{ "[site]\nrole = pub\n", ":2: role = pub: give office, carrier or lab" },
		{ "[site]\ninside-nets = 10.0.0.0/33\n", ":2: inside-nets = 10.0.0.0/33: give networks such as" },
		{ "[site]\noffice-hours = Mon-Fri 18:00-07:00\n",
		  ":2: office-hours = Mon-Fri 18:00-07:00: give days and hours" },
		{ "[site]\noffice-hours = Someday 8-9\n", ":2: office-hours" },
		{ "[site]\ntimezone = Mars/Olympus\n", ":2: timezone = Mars/Olympus: give a time zone" },
		{ "[site]\ntimezone = ../../../etc/passwd\n", ":2: timezone" },
		{ "[site]\nholidays = nowhere\n", ":2: nowhere: No such file or directory" },
		{ "[site]\npeak-calls = many\n", ":2: peak-calls = many: give a number, 0 to 1e+06 calls" },
		{ "[site]\npeak-calls = -1\n", ":2: peak-calls = -1: out of range" },
		{ "[site]\npeak-calls = nan\n", ":2: peak-calls = nan: out of range" },
		{ "[site]\nmask-numbers = maybe\n", ":2: mask-numbers = maybe: give yes or no" },
		{ "[signalling]\nsip-ports = 5200-5060\n", ":2: sip-ports = 5200-5060: give ports or ranges" },
		{ "[signalling]\nsip-ports = 0\n", ":2: sip-ports = 0" },
		{ "[signalling]\nexpected-transport = tls/5061\n", ":2: expected-transport" },
		{ "[media]\nmedia-ports.! = 1-2\n", ":2: media-ports.!: neither an IPv4 address nor one of [names]" },
		{ "[network]\ndscp-media = 64\n", ":2: dscp-media = 64: give values of DSCP, 0 to 63" },
		{ "[network]\nvoice-vlans = 4095\n", ":2: voice-vlans" },
		{ "[tollfraud]\nhome-cc = UK\n", ":2: home-cc = UK: give digits" },
		{ "[nat]\nmap = 10.0.0.1\n", ":2: map = 10.0.0.1: give a private address" },
		{ "[names]\n10.0.0.5 = pbx\n", ":2: pbx: no address; [names] has lines such as PBX = 10.0.0.5" },
		{ "[rtp-loss]\nmin-los = 3\n", ":2: [rtp-loss] has no key min-los" },
		{ "[expect]\nmin-call-s = 61\n", ":2: min-call-s = 61: out of range, give 0 to 60 s" },
		{ "[site]\nname\n", ":2: neither a [section] nor KEY = VALUE nor a comment" },
		{ "[site]\nname = \x1b[31mred\nname = y\n", ":3: name stands here" },
		{ "[site]\ntrunk = 1.2.3.4, !\n", ":2: trunk = !: give addresses" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct world w;

		if (take(&w, cases[i].text) == ERR_OK)
			fail_msg("taken: %s", cases[i].text);
		if (!strstr(w.err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, w.err.text);
		drop(&w);
	}
}

static void lines_of_lists(void **state)
{
	char text[4000] = "[site]\ntrunk = ";
	struct world w;

	(void)state;
	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "198.51.100.%d, ", i);
	assert_int_equal(take(&w, text), ERR_USAGE);
	assert_non_null(strstr(w.err.text, ":2: a line of more than 19"));
	drop(&w);
	strcpy(text, "[site]\ntrunk = ");
	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "198.51.100.%d,\n  ", i);
	assert_int_equal(take(&w, text), ERR_OK);
	assert_int_equal(w.site->trunk.nets.count, 40);
	drop(&w);
}

static void no_file(void **state)
{
	struct world w = { config_new(), site_new(), { .code = ERR_OK } };

	(void)state;
	assert_int_equal(profile_read("/nonexistent/x.conf", w.config, w.site, &w.err), ERR_FILE);
	assert_string_equal(w.err.text, "/nonexistent/x.conf: No such file or directory; check --config");
	assert_int_equal(profile_read(folder, w.config, w.site, &w.err), ERR_FILE);
	assert_non_null(strstr(w.err.text, "a folder"));
	drop(&w);
}

static void networks(void **state)
{
	static const struct { const char *net, *address; bool in; } cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", true },     { "10.0.0.0/8", "11.0.0.1", false },
		  { "10.0.0.128/25", "10.0.0.127", false },
		{ "10.0.0.128/25", "10.0.0.200", true },  { "0.0.0.0/0", "8.8.8.8", true },
		  { "0.0.0.0/0", "::1", false },
		{ "192.0.2.1", "192.0.2.1", true },       { "192.0.2.1", "192.0.2.2", false },
		  { "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::", false }, { "2001:db8::1", "2001:db8::1", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address a = at(cases[i].address);
		struct net n;

		assert_true(net_parse(span_of(cases[i].net), &n));
		if (net_has(&n, &a) != cases[i].in)
			fail_msg("%s in %s", cases[i].address, cases[i].net);
	}
}

/* 2026-11-20 is a Friday. Vienna is an hour ahead in winter, two in summer; both nights of change are looked at. */
static void office_hours(void **state)
{
	static const char text[] = "[site]\ntimezone = %s\nholidays = holidays\noffice-hours = Mon-Fri 08:00-18:00\n";
	char filled[300];
	struct world w;

	(void)state;
	file_write("holidays", "2026-11-19\n");
	snprintf(filled, sizeof filled, text, "CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(take(&w, filled), ERR_OK);
	site_learn_zone(w.site);
	assert_true(site_open(w.site, 1795158000 * SECOND_NS));      /* Fri 20 Nov 2026 07:00:00 UTC, 08:00 there */
	assert_false(site_open(w.site, 1795157999 * SECOND_NS));
	assert_true(site_open(w.site, 1795193999 * SECOND_NS));      /* 16:59:59 UTC */
	assert_false(site_open(w.site, 1795194000 * SECOND_NS));
	assert_false(site_open(w.site, 1795075200 * SECOND_NS));     /* the day before at 08:00 UTC: a holiday */
	assert_false(site_open(w.site, 1795248000 * SECOND_NS));     /* Saturday */
	/* Tue 14 Jul 2026 06:00:00 UTC, summer: 08:00 there */
	assert_true(site_open(w.site, 1784008800 * SECOND_NS));
	assert_false(site_open(w.site, 1784008799 * SECOND_NS));
	drop(&w);
	assert_int_equal(take(&w, ""), ERR_OK);
	assert_true(site_open(w.site, 0));                           /* no hours: always */
	drop(&w);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	static const char *const names[] = { "deadair.conf", "holidays", "ouis", "premium" };
	char path[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void strangers_at_the_door(void **state)
{
	static const struct {
		const char *client, *server;
		bool stranger;
	} cases[] = {
		{ "233.252.0.9", "10.1.0.5", true },
		{ "233.252.0.9", "203.0.113.2", true },
		{ "198.51.100.7", "10.1.0.5", false },         /* the trunk */
		{ "198.18.0.1", "10.1.0.5", false },          /* trusted */
		{ "192.0.2.8", "10.1.0.5", false },           /* a remote network */
		{ "10.1.0.21", "10.1.0.5", false },           /* inside */
		{ "10.1.0.21", "233.252.0.9", false },        /* it is asked outside */
	};
	struct world w;

	(void)state;
	assert_int_equal(take(&w, "[site]\ninside-nets = 10.1.0.0/16\npublic-ips = 203.0.113.2\n"
		"trunk = 198.51.100.0/24\ntrusted = 198.18.0.1\nremote-nets = 192.0.2.0/28\n"), ERR_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct address client = at(cases[i].client), server = at(cases[i].server);

		assert_int_equal(site_stranger(w.site, &client, &server), cases[i].stranger);
	}
	drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(mistakes_name_their_line),
		cmocka_unit_test(lines_of_lists),
		cmocka_unit_test(no_file),
		cmocka_unit_test(networks),
		cmocka_unit_test(strangers_at_the_door),
		cmocka_unit_test(office_hours),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
