/* SPDX-License-Identifier: MIT */
/* router_advice: a table; "look for" where no document of the maker says it so. The first row that fits counts. */
#include "analyzer/detect/router_advice.h"

#include <stdbool.h>
#include <stddef.h>

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
