/* SPDX-License-Identifier: MIT */
/* router_advice: a table; "look for" where no document of the maker says it so. The first row that fits counts. */
#include "analyzer/detect/router_advice.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct { const char *name, *advice; } rows[] = {
	{ "openwrt", "OpenWrt: remove the package kmod-nf-nathelper-extra, set auto_helper 0 in the zone." },
	{ "mikrotik", "MikroTik: /ip firewall service-port disable sip." },
	{ "routeros", "MikroTik: /ip firewall service-port disable sip." },
	{ "edgerouter", "EdgeRouter: set system conntrack modules sip disable, then commit and save." },
	{ "vyos", "VyOS: set system conntrack modules sip disable, then commit and save." },
	{ "usg", "UniFi: look for the SIP switch in the firewall settings of the gateway." },
	{ "unifi", "UniFi: look for the SIP switch in the firewall settings of the gateway." },
	{ "forti", "FortiGate: in config system settings: set default-voip-alg-mode kernel-helper-based, set sip-expectation disable (before 6.2.2 set "
		   "sip-helper disable), set sip-nat-trace disable; delete the sip entry of config system session-helper; no VoIP profile on the policy; clear "
		   "the sessions." },
	{ "sonicwall", "SonicWall, VoIP: \"Enable SIP Transformations\" off, \"Enable Consistent NAT\" on." },
	{ "asa", "Cisco ASA: no inspect sip in the policy map." },
	{ "pix", "Cisco PIX: look for no fixup protocol sip." },
	{ "cisco", "Cisco IOS: no ip nat service sip udp port 5060, no ip nat service sip tcp port 5060." },
	{ "screenos", "Juniper ScreenOS: packets of an ALG that is switched off are dropped, so add a policy first." },
	{ "juniper",
	  "Juniper SRX: set security alg sip disable (hiding of the Call-ID alone: disable-call-id-hiding)." },
	{ "srx", "Juniper SRX: set security alg sip disable (hiding of the Call-ID alone: disable-call-id-hiding)." },
	{ "palo alto", "Palo Alto: an application override, or the App-ID sip-trunk; look for \"Disable ALG\"." },
	{ "pan-os", "Palo Alto: an application override, or the App-ID sip-trunk; look for \"Disable ALG\"." },
	{ "sophos", "Sophos: system system_modules sip unload." },
	{ "zyxel", "ZyXEL, ALG: SIP ALG and SIP Transformations off (old ones: ip nat service sip active 0)." },
	{ "asus", "ASUS, NAT Passthrough: SIP Passthrough Disable." },
	{ "draytek", "DrayTek, NAT, ALG: SIP off." },
	{ "vigor", "DrayTek, NAT, ALG: SIP off." },
	{ "speedtouch", "Speedtouch: connection unbind application=SIP port=5060, saveall." },
	{ "netgear", "Netgear, WAN setup: \"Disable SIP ALG\"." },
	{ "d-link", "D-Link: ALG Configuration, SIP off." },
	{ "tp-link", "TP-Link, NAT, ALG: SIP off." },
	{ "huawei", "Huawei, Security: SIP ALG off." },
	{ "billion", "Billion, NAT, ALG: SIP off." },
	{ "pfsense", "pfSense has no ALG: look for another device on the way, or the siproxd package; outbound NAT with static ports for SIP and RTP, optimisation "
		     "Conservative." },
	{ "opnsense", "OPNsense has no ALG: look for another device on the way, or the siproxd package; outbound NAT with static ports for SIP and RTP, optimisation "
		      "Conservative." },
	{ "home hub",
	  "This router has no switch for it: use TLS, another port of the server than 5060, or bridge mode." },
	{ "linux", "Linux: remove ct helper set \"sip\" or -j CT --helper sip, unload nf_nat_sip and nf_conntrack_sip; on kernels before 6.0 "
		   "net.netfilter.nf_conntrack_helper=0." },
};

/* MAC prefixes of makers whose devices with several ports are routers: IEEE registrations. */
static const struct { uint8_t prefix[3]; const char *name; } makers[] = {
	{ { 0x00, 0x0c, 0x42 }, "mikrotik" }, { { 0x08, 0x55, 0x31 }, "mikrotik" },
	{ { 0x18, 0xfd, 0x74 }, "mikrotik" }, { { 0x2c, 0xc8, 0x1b }, "mikrotik" },
	{ { 0x48, 0x8f, 0x5a }, "mikrotik" }, { { 0x48, 0xa9, 0x8a }, "mikrotik" },
	{ { 0x4c, 0x5e, 0x0c }, "mikrotik" }, { { 0x64, 0xd1, 0x54 }, "mikrotik" },
	{ { 0x6c, 0x3b, 0x6b }, "mikrotik" }, { { 0x74, 0x4d, 0x28 }, "mikrotik" },
	{ { 0x78, 0x9a, 0x18 }, "mikrotik" }, { { 0xb8, 0x69, 0xf4 }, "mikrotik" },
	{ { 0xc4, 0xad, 0x34 }, "mikrotik" }, { { 0xcc, 0x2d, 0xe0 }, "mikrotik" },
	{ { 0xd4, 0x01, 0xc3 }, "mikrotik" }, { { 0xd4, 0xca, 0x6d }, "mikrotik" },
	{ { 0xdc, 0x2c, 0x6e }, "mikrotik" }, { { 0xe4, 0x8d, 0x8c }, "mikrotik" },
	{ { 0xf4, 0x1e, 0x57 }, "mikrotik" }, { { 0x00, 0x1d, 0xaa }, "draytek" },
	{ { 0x00, 0x50, 0x7f }, "draytek" }, { { 0x14, 0x49, 0xbc }, "draytek" }, { { 0x00, 0x09, 0x0f }, "forti" },
	{ { 0x00, 0x0c, 0xe6 }, "forti" }, { { 0x04, 0x01, 0xa1 }, "forti" }, { { 0x04, 0xd5, 0x90 }, "forti" },
	{ { 0x08, 0x5b, 0x0e }, "forti" }, { { 0x38, 0xc0, 0xea }, "forti" }, { { 0x48, 0x3a, 0x02 }, "forti" },
	{ { 0x70, 0x4c, 0xa5 }, "forti" }, { { 0x74, 0x78, 0xa6 }, "forti" }, { { 0x78, 0x18, 0xec }, "forti" },
	{ { 0x80, 0x80, 0x2c }, "forti" }, { { 0x84, 0x39, 0x8f }, "forti" }, { { 0x90, 0x6c, 0xac }, "forti" },
	{ { 0x94, 0xf3, 0x92 }, "forti" }, { { 0x94, 0xff, 0x3c }, "forti" }, { { 0xac, 0x71, 0x2e }, "forti" },
	{ { 0xd4, 0x76, 0xa0 }, "forti" }, { { 0xe0, 0x23, 0xff }, "forti" }, { { 0xe8, 0x1c, 0xba }, "forti" },
	{ { 0xe8, 0xed, 0xd6 }, "forti" }, { { 0x00, 0x06, 0xb1 }, "sonicwall" },
	{ { 0x00, 0x17, 0xc5 }, "sonicwall" }, { { 0x18, 0xb1, 0x69 }, "sonicwall" },
	{ { 0x18, 0xc2, 0x41 }, "sonicwall" }, { { 0x2c, 0xb8, 0xed }, "sonicwall" },
	{ { 0xc0, 0xea, 0xe4 }, "sonicwall" }, { { 0x00, 0x1a, 0x8c }, "sophos" },
	{ { 0x7c, 0x5a, 0x1c }, "sophos" }, { { 0xa8, 0x91, 0x62 }, "sophos" }, { { 0xc8, 0x4f, 0x86 }, "sophos" },
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* As a word of its own at least on its left, so that "asa" is not found in "Nasa". */
static bool holds(const char *text, const char *word)
{
	for (const char *at = text; *at; at++) {
		size_t n = 0;

		while (word[n] && lower(at[n]) == word[n])
			n++;
		if (!word[n] && (at == text || lower(at[-1]) < 'a' || lower(at[-1]) > 'z'))
			return true;
	}
	return false;
}

const char *router_advice(const char *router)
{
	for (size_t i = 0; router && i < sizeof rows / sizeof rows[0]; i++) {
		if (holds(router, rows[i].name))
			return rows[i].advice;
	}
	return NULL;
}

const char *router_advice_by_mac(const uint8_t mac[6])
{
	for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
		if (memcmp(mac, makers[i].prefix, sizeof makers[i].prefix) == 0)
			return router_advice(makers[i].name);
	}
	return NULL;
}
