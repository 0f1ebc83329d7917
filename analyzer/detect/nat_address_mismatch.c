/* SPDX-License-Identifier: MIT */
/*
 * nat-address-mismatch: traffic is sent to an address that cannot work from there. RFC 1918, 6598; RFC 3261 12.1,
 * 18.2.2; RFC 3264 5.
 */
#include "analyzer/detect/nat_mismatch.h"

static const char *const reasons[] = {
	"private-to-public", "cgn", "unroutable", "wrong-interface", "stale-external", "port-remapped", "hairpin",
	"contact-port", "family",
	"compensated", NULL,
};

static const struct detector_doc doc = {
	.says = "traffic is sent to an address that cannot work from there",
	.symptom = "One-way or no audio to phones outside, calls cut after half a minute, a hang-up that nobody notices, a phone that cannot be called.",
	.evidence = "An address in SDP, Contact, Via, Record-Route or Refer-To, the packets that are really sent to it, where its owner's own packets come from, ICMP.",
	.mimics = "Servers that answer to the source (rport, latching), relays, proxies that repair addresses, VPNs where private addresses are routed, "
		  "a carrier whose media lives elsewhere, hold with 0.0.0.0.",
	.fix = "On the PBX the external address and the local networks; NAT handling for the phone (rport, rewrite Contact, symmetric RTP), or STUN on it.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "media-wait-s", 5, "s", 1, 60, "field: media must have been due that long" },
	{ 0 },
};

static void on_event(struct detection *d, const struct event *ev)
{
	if (ev->kind == EVENT_JUDGE_CAUSES) {
		nat_mismatch_grade(d);
	} else if (ev->kind == EVENT_JUDGE_DIRECTION) {
		nat_mismatch_media(d, ev);
	} else if (ev->kind == EVENT_JUDGE_CALL) {
		nat_mismatch_dialog(d, ev);
	} else {
		nat_mismatch_compensated(d);
		nat_mismatch_rtcp(d);
		nat_mismatch_signalling(d);
	}
}

const struct detector detect_nat_address_mismatch = {
	.id = "nat-address-mismatch", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE) | EVENT_BIT(EVENT_JUDGE_DIRECTION) | EVENT_BIT(EVENT_JUDGE_CALL) |
		EVENT_BIT(EVENT_JUDGE_CAUSES),
	.scope = PER_HOST, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_INFO,
};

/* ---- addresses ---- */

static bool link_local(const struct address *a)
{
	if (a->family == 4)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->family == 6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static bool heard_from(const struct facts *facts, const struct address *x, const struct address *by)
{
	const struct pair *p = network_pair_find(facts->network, x, by);

	return p && p->packets;
}

const char *nat_unusable(const struct facts *facts, const struct address *x, const struct address *real,
	const struct address *from, bool knows_real)
{
	const struct host *h = network_host_find(facts->network, x);
	int named = address_reach(x), seen = address_reach(real);

	if (address_unspecified(x) || address_multicast(x) || address_equal(x, real) || address_equal(x, from) ||
	    heard_from(facts, x, from))
		return NULL;
	if (address_loopback(x) || (link_local(x) && !link_local(from)))
		return "unroutable";
	if (seen < 0 || x->family != real->family)
		return NULL;
	if (named == 1 && seen == 2)
		return "cgn";
	if (named < seen)
		return knows_real ? "wrong-interface" : "private-to-public";
	if (h && h->sends_ip)
		return NULL;                 /* somebody lives there */
	if (named == 2 && seen == 2)
		return "stale-external";
	return named < 2 && seen < 2 && !address_same_net(x, real) ? "wrong-interface" : NULL;
}

static const struct { const char *reason, *because, *fix; } texts[] = {
	{ "private-to-public", "a private address, which does not exist on the other side of the NAT",
	  "On the server switch NAT handling for this phone on (Asterisk: rtp_symmetric, rewrite_contact, force_rport; FreeSWITCH: aggressive NAT "
	  "detection), or let the phone learn its public address (STUN, rport). A PBX behind NAT needs its external address and local networks "
	  "(external_media_address, external_signaling_address, local_net; ext-rtp-ip, ext-sip-ip)." },
	{ "cgn", "an address of the carrier's own network (100.64.0.0/10), which does not exist outside it",
	  "On the server switch NAT handling for this phone on (symmetric RTP, rport, rewritten Contact); no port forwarding helps behind carrier-grade NAT." },
	{ "unroutable", "an address that no packet can be sent to over a network",
	  "Correct the address that the device takes for its own: a wrong interface, or none when it was started." },
	{ "wrong-interface",
	  "an address of another interface or of an inner network of the sender, which cannot be reached from here",
	  "Bind SIP and RTP of this machine to the address that the others reach, or set its external address (containers, several interfaces, VPN)." },
	{ "stale-external", "a public address that this machine does not have, or has no more",
	  "Correct the external (NAT) address; where the line changes its address, use a name or STUN that is renewed." },
	{ "port-remapped", "the right address, but the NAT has given the port another number",
	  "Switch symmetric RTP on at the server; or set static ports for RTP on the NAT (pfSense: static-port outbound NAT), and forward the RTP ports of a PBX to it; "
	  "or STUN and ICE on the phone." },
	{ "hairpin", "the public address of the router that both are behind, and it does not send packets back inside",
	  "Keep media on the PBX for such calls, let the phones use their private addresses (local network setting, ICE), or switch hairpin NAT on. "
	  "A PBX that names its external address inside must know its local networks (Asterisk: local_net; FreeSWITCH: ext-rtp-ip with autonat)." },
	{ "contact-port", "a port that nothing comes from: its registrations come from another one",
	  "Let the server send to the source of the REGISTER (rewrite_contact, fix_nated_register), and switch a SIP ALG off that changes the port." },
	{ "family", "an address of the other IP version, which the sender does not speak",
	  "Offer IPv4 addresses in SDP, or ICE with both." },
};

static size_t text_of(const char *reason)
{
	size_t i = 0;

	while (i < sizeof texts / sizeof texts[0] - 1 && strcmp(texts[i].reason, reason) != 0)
		i++;
	return i;
}

const char *nat_unusable_because(const char *reason)
{
	return texts[text_of(reason)].because;
}

const char *nat_unusable_fix(const char *reason)
{
	return texts[text_of(reason)].fix;
}
