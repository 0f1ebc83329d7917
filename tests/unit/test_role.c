/* SPDX-License-Identifier: MIT */
/* test_role: what a host is by its messages: each rule's hit and its near miss. */
#include "tests/unit/network_packets.h"

#define PHONE       "10.0.0.11:5060"
#define OTHER_PHONE "10.0.0.12:5060"
#define PBX         "10.0.0.2:5060"
#define PROVIDER    "198.51.100.1:5060"

static const struct host *host_named(struct network *n, const char *text)
{
	struct endpoint e = endpoint_of(text);

	return network_host(n, &e.addr);
}

static struct host *host_of(struct network *n, const char *text)
{
	return (struct host *)host_named(n, text);
}

static void sip_request(
	struct network *n, const char *src, const char *dst, const char *method, const char *to, const char *more)
{
	char via[64];

	snprintf(via, sizeof via, "%s", src);
	sip_send(n, packet_of(PACKET_SIP, src, dst, 0),
		"%s sip:%s@x SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\n%sFrom: <sip:1@x>;tag=1\n"
		"To: <sip:%s@x>\nCall-ID: a\nCSeq: 1 %s\n\n",
		method, to, via, more, to, method);
}

static void sip_answer(
	struct network *n, const char *src, const char *dst, const char *method, unsigned status, const char *more)
{
	sip_send(n, packet_of(PACKET_SIP, src, dst, 0),
		"SIP/2.0 %u X\nVia: SIP/2.0/UDP %s;branch=z9hG4bK1\n%sFrom: <sip:1@x>;tag=1\n"
		"To: <sip:2@x>;tag=2\nCall-ID: a\nCSeq: 1 %s\n\n",
		status, dst, more, method);
}

static bool has_role(struct network *n, const char *at, enum host_role role)
{
	network_settle(n);
	return host_named(n, at)->roles & 1u << role;
}

static void agents(void **state)
{
	static const struct {
		const char *agent;
		enum host_role role;
	} cases[] = {
		{ "Yealink SIP-T46S 66.85.0.5", ROLE_PHONE },
		{ "PolycomVVX-VVX_410-UA/5.9", ROLE_PHONE },
		{ "snom715/8.9.3", ROLE_PHONE },
		{ "Grandstream GXP2170 1.0.9", ROLE_PHONE },
		{ "Grandstream UCM6202V1.0", ROLE_PBX },
		{ "Cisco-CP7841/12.5", ROLE_PHONE },
		{ "Cisco-SIPGateway/IOS-16.9", ROLE_SBC },
		{ "Cisco-CUCM12.5", ROLE_PBX },
		{ "LinphoneiOS/4.2", ROLE_PHONE },
		{ "Zoiper rv2.10", ROLE_PHONE },
		{ "MicroSIP/3.21.3", ROLE_PHONE },
		{ "baresip v1.0.0", ROLE_PHONE },
		{ "Bria 5 release", ROLE_PHONE },
		{ "X-Lite release 4", ROLE_PHONE },
		{ "Fanvil X4U 2.4", ROLE_PHONE },
		{ "Gigaset N510 IP PRO", ROLE_PHONE },
		{ "Aastra 6867i/4.2", ROLE_PHONE },
		{ "Mitel 6867i", ROLE_PHONE },
		{ "Mitel Border GW/4.8", ROLE_SBC },
		{ "AVM FRITZ!Box 7590 154.07.29", ROLE_PHONE },
		{ "Asterisk PBX 18.9", ROLE_PBX },
		{ "FPBX-16.0.40(18.9-cert1)", ROLE_PBX },
		{ "FreeSWITCH-mod_sofia/1.10", ROLE_PBX },
		{ "3CXPhoneSystem 18.0", ROLE_PBX },
		{ "3CXPhone for iPhone", ROLE_PHONE },
		{ "kamailio (5.5.2 (x86_64/linux))", ROLE_PROXY },
		{ "OpenSIPS (3.2.1)", ROLE_PROXY },
		{ "Oracle SBC", ROLE_SBC },
		{ "Audiocodes-Sip-Gateway-M800B", ROLE_SBC },
		{ "Ribbon SBC", ROLE_SBC },
		{ "Sonus SBC", ROLE_SBC },
		{ "friendly-scanner", ROLE_COUNT },
		{ "My Asterisk", ROLE_COUNT },
		{ "", ROLE_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (host_role_of_agent(span_of(cases[i].agent)) != cases[i].role)
			fail_msg("%s", cases[i].agent);
	}
}

static void phones(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_request(n, PHONE, PBX, "REGISTER", "11", "");
	assert_true(has_role(n, PHONE, ROLE_PHONE)); /* 40, few addresses 20 */
	assert_int_equal(host_named(n, PHONE)->role_points[ROLE_PHONE], 60);
	assert_string_equal(host_role_why(host_named(n, PHONE), ROLE_PHONE, 0), "registers");
	assert_string_equal(host_role_why(host_named(n, PHONE), ROLE_PHONE, 1), "registers few addresses");
	assert_null(host_role_why(host_named(n, PHONE), ROLE_PHONE, 2));
	sip_request(n, OTHER_PHONE, PBX, "INVITE", "11", "");
	assert_false(has_role(n, OTHER_PHONE, ROLE_PHONE)); /* 20: calls alone are not enough */
	sip_request(n, OTHER_PHONE, PBX, "INVITE", "11", "User-Agent: snom300\n");
	assert_false(has_role(n, OTHER_PHONE, ROLE_PHONE)); /* 50 */
	sip_request(n, OTHER_PHONE, PBX, "REGISTER", "12", "User-Agent: snom300\n");
	assert_true(has_role(n, OTHER_PHONE, ROLE_PHONE));
	assert_int_equal(host_named(n, OTHER_PHONE)->registers_sent, 1);
	assert_int_equal(host_named(n, OTHER_PHONE)->invites_sent, 2);
	assert_int_equal(host_named(n, PBX)->invites_received, 2);
	network_free(n);
}

/* A gateway that registers forty lines, a PBX that registers at its provider: no phones. */
static void registering_others(void **state)
{
	struct network *n = network_new(NULL);
	char line[16];

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof line, "%d", 100 + i);
		sip_request(n, PHONE, PROVIDER, "REGISTER", line, "");
	}
	assert_int_equal(host_named(n, PHONE)->aors, 8);
	assert_false(has_role(n, PHONE, ROLE_PHONE));
	sip_request(n, PBX, PROVIDER, "REGISTER", "4930123", "User-Agent: Asterisk PBX 18\n");
	sip_request(n, PBX, PROVIDER, "INVITE", "4930555", "User-Agent: Asterisk PBX 18\n");
	assert_false(has_role(n, PBX, ROLE_PHONE));
	network_free(n);
}

static void pbxs(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_answer(n, PBX, PHONE, "REGISTER", 401, "Server: Asterisk PBX 18\n");
	assert_false(has_role(n, PBX, ROLE_PBX)); /* 30 */
	sip_answer(n, PBX, PHONE, "REGISTER", 200, "");
	assert_false(has_role(n, PBX, ROLE_PBX)); /* no binding in it: unregistered */
	sip_answer(n, PBX, PHONE, "REGISTER", 200, "Contact: <sip:11@10.0.0.11>;expires=60\n");
	assert_true(has_role(n, PBX, ROLE_PBX));
	assert_int_equal(host_named(n, PBX)->registers_answered, 1);
	sip_request(n, PBX, PHONE, "NOTIFY", "11", "Event: message-summary\n");
	sip_request(n, PHONE, PBX, "NOTIFY", "11", "Event: refer\n");
	network_settle(n);
	assert_int_equal(host_named(n, PBX)->role_points[ROLE_PBX], 100);
	assert_int_equal(host_named(n, PHONE)->role_points[ROLE_PBX], 0);
	network_free(n);
}

static void joined_legs(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_request(n, PBX, PHONE, "INVITE", "11", "");
	host_of(n, PBX)->legs_joined = 4;
	host_of(n, PBX)->legs_open_max = 4;
	sip_request(n, PBX, PHONE, "NOTIFY", "11", "Event: dialog\n");
	assert_true(has_role(n, PBX, ROLE_PBX)); /* 40 and 20 */
	assert_false(has_role(n, PBX, ROLE_SBC));
	sip_request(n, PBX, PROVIDER, "INVITE", "4930555", "User-Agent: AudioCodes Mediant\n");
	assert_true(has_role(n, PBX, ROLE_SBC)); /* 50 and 30 */
	network_free(n);
}

static void proxies(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_request(n, PBX, PROVIDER, "INVITE", "4930555", "Via: SIP/2.0/UDP 10.0.0.11\nUser-Agent: snom300\n");
	assert_true(has_role(n, PBX, ROLE_PROXY));
	assert_int_equal(host_named(n, PBX)->user_agent.n, 0); /* the phone's, not its own */
	sip_answer(n, PBX, PHONE, "REGISTER", 200, "Contact: <sip:11@10.0.0.11>\n");
	assert_int_equal(host_named(n, PBX)->registers_answered, 0); /* passed on */
	sip_request(n, "203.0.113.2:5060", PROVIDER, "INVITE", "1", "");
	assert_false(has_role(n, "203.0.113.2:5060", ROLE_PROXY));
	network_free(n);
}

/* Two Vias below a rewritten or foreign upper one do not make the sender a proxy. */
static void no_proxies(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_send(n, packet_of(PACKET_SIP, "203.0.113.2:5060", PROVIDER, 0),
		"INVITE sip:1@x SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.3\nVia: SIP/2.0/UDP 10.0.0.11\n"
		"From: <sip:1@x>;tag=1\nTo: <sip:1@x>\nCall-ID: a\n"
		"CSeq: 1 INVITE\n\n");
	assert_false(has_role(n, "203.0.113.2:5060", ROLE_PROXY));
	network_free(n);
}

static void trunks(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_request(n, PROVIDER, PBX, "INVITE", "+493012345678", "P-Asserted-Identity: <sip:+4989@x>\n");
	assert_false(has_role(n, PROVIDER, ROLE_TRUNK)); /* one way only: 10 */
	sip_request(n, PBX, PROVIDER, "INVITE", "0049301234567", "");
	assert_true(has_role(n, PROVIDER, ROLE_TRUNK));
	assert_false(has_role(n, PBX, ROLE_TRUNK)); /* private */
	sip_request(n, "198.51.100.2:5060", PBX, "INVITE", "123", "P-Asserted-Identity: <sip:9@x>\n");
	sip_request(n, PBX, "198.51.100.2:5060", "INVITE", "456", "");
	assert_false(has_role(n, "198.51.100.2:5060", ROLE_TRUNK)); /* extensions */
	network_free(n);
}

static void trunk_of_a_registering_pbx(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_request(n, PBX, PROVIDER, "REGISTER", "4930123", "User-Agent: FPBX-16\n");
	sip_answer(n, PROVIDER, PBX, "REGISTER", 200, "Contact: <sip:4930123@203.0.113.5>\n");
	sip_request(n, PROVIDER, PBX, "INVITE", "4930123", "P-Asserted-Identity: <sip:1@x>\n");
	assert_true(has_role(n, PROVIDER, ROLE_TRUNK));
	sip_request(n, PHONE, "198.51.100.2:5060", "REGISTER", "11", "User-Agent: snom300\n");
	sip_answer(n, "198.51.100.2:5060", PHONE, "REGISTER", 200, "Contact: <sip:11@10.0.0.11>\n");
	sip_request(n, "198.51.100.2:5060", PHONE, "INVITE", "11", "P-Asserted-Identity: <sip:1@x>\n");
	assert_false(has_role(n, "198.51.100.2:5060", ROLE_TRUNK)); /* a hosted PBX: phones register */
	network_free(n);
}

static void nat_routers(void **state)
{
	struct network *n = network_new(NULL);
	struct packet p = packet_of(PACKET_ICMP, "203.0.113.2:0", "198.51.100.1:0", 0);

	(void)state;
	sip_send(n, packet_of(PACKET_SIP, "203.0.113.2:62000", PROVIDER, 0),
		"OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/UDP 192.168.1.10\nFrom: <sip:1@x>;tag=1\n"
		"To: <sip:1@x>\nCall-ID: a\nCSeq: 1 OPTIONS\n\n");
	assert_false(has_role(n, "203.0.113.2", ROLE_NAT)); /* one host behind it: perhaps its own other address */
	sip_send(n, packet_of(PACKET_SIP, "203.0.113.2:62001", PROVIDER, 0),
		"OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/UDP 192.168.1.11\nFrom: <sip:1@x>;tag=1\n"
		"To: <sip:1@x>\nCall-ID: b\nCSeq: 1 OPTIONS\n\n");
	assert_true(has_role(n, "203.0.113.2", ROLE_NAT));
	assert_int_equal(host_named(n, "203.0.113.2")->options_sent, 2);
	p.icmp = (struct icmp_message){
		.type = 11, .error = true, .quote_readable = true, .quote_dst = endpoint_of("192.168.1.10:5060")
	};
	network_packet(n, &p, DUPLICATE_NO, 1);
	network_settle(n);
	assert_int_equal(host_named(n, "203.0.113.2")->role_points[ROLE_NAT], 70);
	p = packet_of(PACKET_ICMP, "10.0.0.7:0", "198.51.100.1:0", 0);
	p.icmp = (struct icmp_message){
		.type = 3, .code = 3, .error = true, .quote_readable = true, .quote_dst = endpoint_of("10.0.0.7:4000")
	};
	network_packet(n, &p, DUPLICATE_NO, 1);
	assert_false(host_named(n, "10.0.0.7")->named_by_icmp); /* it refuses what came to itself */
	network_free(n);
}

static void media_relays(void **state)
{
	struct network *n = network_new(NULL);
	static const char invite[] =
		"INVITE sip:1@x SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2\nFrom: <sip:1@x>;tag=1\n"
		"To: <sip:1@x>\nCall-ID: a\nCSeq: 1 INVITE\n"
		"Content-Type: application/sdp\n\nv=0\nc=IN IP4 10.0.0.3\nm=audio 4000 RTP/AVP 0\n";

	(void)state;
	sip_send(n, packet_of(PACKET_SIP, PBX, PHONE, 0), "%s", invite);
	assert_false(has_role(n, "10.0.0.3:4000", ROLE_MEDIA)); /* nothing seen of it */
	packets_send(n, packet_of(PACKET_RTP, "10.0.0.3:4000", "10.0.0.11:4000", 0), 5);
	assert_true(has_role(n, "10.0.0.3:4000", ROLE_MEDIA));
	sip_request(n, "10.0.0.3:5060", PBX, "OPTIONS", "1", "");
	assert_false(
		has_role(n, "10.0.0.3:4000", ROLE_MEDIA)); /* it signals: a phone whose address the PBX handed out */
	packets_send(n, packet_of(PACKET_RTP, "10.0.0.11:4000", "10.0.0.3:4000", 0), 5);
	assert_false(has_role(n, "10.0.0.11:4000", ROLE_MEDIA));
	network_free(n);
}

/* At most two roles, the best, whatever else has points; settling again changes nothing. */
static void two_roles(void **state)
{
	struct network *n = network_new(NULL);

	(void)state;
	sip_request(n, PBX, PROVIDER, "INVITE", "1", "Via: SIP/2.0/UDP 10.0.0.11\n"); /* proxy 80 */
	sip_request(n, PBX, PHONE, "INVITE", "1", "User-Agent: Oracle SBC\n"); /* sbc 30 */
	sip_request(n, PBX, PHONE, "NOTIFY", "1", "Event: dialog\n"); /* pbx 20 */
	host_of(n, PBX)->legs_joined = 2; /* sbc 50, pbx 40 */
	host_of(n, PBX)->legs_open_max = 2;
	for (int again = 0; again < 2; again++) {
		network_settle(n);
		assert_int_equal(host_named(n, PBX)->role_points[ROLE_PBX], 60);
		assert_int_equal(host_named(n, PBX)->role_points[ROLE_SBC], 80);
		assert_int_equal(host_named(n, PBX)->role_points[ROLE_PROXY], 80);
		assert_int_equal(host_named(n, PBX)->roles, 1u << ROLE_SBC | 1u << ROLE_PROXY);
	}
	network_free(n);
}

static void names(void **state)
{
	static const char *const expected[ROLE_COUNT] = { "phone", "pbx", "sbc", "proxy", "trunk", "nat", "media" };

	(void)state;
	for (int r = 0; r < ROLE_COUNT; r++)
		assert_string_equal(host_role_name((enum host_role)r), expected[r]);
}

/*
 * A phone registers through a router: outside its requests come from there. Only who has seen both sides knows that
 * this is no phone.
 */
static void routers(void **state)
{
	static const struct { enum nat_method method; bool phone, nat; } cases[] = {
		{ NAT_TWIN, false, true },
		{ NAT_SIP_TWO_POINTS, false, true },
		{ NAT_VIA, true, false }, /* one side was seen: the words stay the phone's */
	};
	struct endpoint inside = endpoint_of("192.168.1.10:5060"), outside = endpoint_of("198.51.100.20:5060");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct network *n = network_new(NULL);

		for (unsigned k = 0; k < 3; k++)
			sip_request(n, "198.51.100.20:5060", "203.0.113.10:5060", "REGISTER", "101",
				"User-Agent: Yealink SIP-T46S\n");
		network_learn(n, &inside, &outside, false, cases[i].method, 0, 0, 1);
		assert_int_equal(has_role(n, "198.51.100.20:5060", ROLE_PHONE), cases[i].phone);
		assert_int_equal(has_role(n, "198.51.100.20:5060", ROLE_NAT), cases[i].nat);
		network_free(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents),
		cmocka_unit_test(phones),
		cmocka_unit_test(registering_others),
		cmocka_unit_test(pbxs),
		cmocka_unit_test(joined_legs),
		cmocka_unit_test(proxies),
		cmocka_unit_test(no_proxies),
		cmocka_unit_test(trunks),
		cmocka_unit_test(trunk_of_a_registering_pbx),
		cmocka_unit_test(nat_routers),
		cmocka_unit_test(media_relays),
		cmocka_unit_test(two_roles),
		cmocka_unit_test(names),
		cmocka_unit_test(routers),
	};

	sip_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
