/* SPDX-License-Identifier: MIT */
/* vlan_strangers: judged by who speaks in which VLAN (analyzer/network/vlan_use.h). Finding page 5, section 2. */
#include "analyzer/detect/vlan_strangers.h"

#include <stdio.h>

#include "analyzer/detect/say.h"
#include "analyzer/network/vlan_use.h"
#include "analyzer/site.h"

enum { SIP_LEAST = 2, MEDIA_LEAST = 50, TOLD_MAX = 16, BRIDGED_LEAST = 3 };

static const char *mac_text(const uint8_t mac[6], char buffer[18])
{
	snprintf(buffer, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return buffer;
}

/* ---- computers among phones ---- */

static bool speaks_voice(const struct vlan_uses *uses, const struct vlan_host *x)
{
	const struct vlan_host *o = NULL;
	uint32_t voice = x->sip + x->media;

	while ((o = vlan_uses_elsewhere(uses, x, o)) != NULL)
		voice += o->sip + o->media;
	return voice > 0;
}

static bool is_voice_vlan(const struct site *site, const struct voice_vlan *voice, uint16_t vid)
{
	return site->voice_vlans.count ? numbers_have(&site->voice_vlans, vid) : vid == voice->vid;
}

static void tell_computer(struct detection *d, const struct vlan_host *x, const struct voice_vlan *voice)
{
	struct finding *f = detection_raise_keyed(d, endpoint_key(&(struct endpoint){ x->addr, x->vid }),
		"data-on-voice-vlan", SEVERITY_WARNING, CONFIDENCE_LIKELY);
	char host[SAY_TEXT], mac[18];

	say_host(detection_facts(d), &x->addr, host);
	finding_title(f, "%s is a computer in the voice VLAN %u", host, x->vid);
	finding_cause(f, "%s (%s) never speaks SIP or audio; in VLAN %u, which is for voice here (source: %s), it began to talk to %s%u sockets that no phone needs, %u of them file sharing, remote desktop or Windows names.",
		      host, mac_text(x->mac, mac), x->vid, voice->source,
		      x->foreign == VLAN_BEGUN_MAX ? "at least " : "", x->foreign, x->desktop);
	finding_fix(f, "Put the switch port of %s into the data VLAN; where it hangs on a phone's PC port, tell the phone not to tag that port. Let only known phones into VLAN %u (802.1X, MAC list).",
		    mac, x->vid);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_evidence(f, x->first, "its first packet in VLAN %u", x->vid);
	finding_evidence(f, x->desktop_at, "what no phone needs");
	finding_times(f, x->first.at_ns, x->last.at_ns);
	f->count = x->foreign;
}

static bool is_computer(const struct detection *d, const struct vlan_uses *uses, const struct vlan_host *x)
{
	return !x->routed && x->foreign >= detection_key(d, "data-flows") &&
	       x->desktop >= detection_key(d, "desktop-flows") && !speaks_voice(uses, x);
}

/* ---- one device in two VLANs ---- */

/* Its SIP goes in one and all of its audio in the other, from the same card. */
static const struct vlan_host *audio_elsewhere(const struct vlan_uses *uses, const struct vlan_host *x)
{
	const struct vlan_host *o = NULL, *found = NULL;

	if (x->routed || x->sip < SIP_LEAST || x->media)
		return NULL;
	while ((o = vlan_uses_elsewhere(uses, x, o)) != NULL) {
		if (o->routed || o->sip || memcmp(o->mac, x->mac, sizeof o->mac) != 0)
			return NULL;
		if (o->media >= MEDIA_LEAST)
			found = o;
	}
	return found;
}

static void tell_split(struct detection *d, const struct vlan_host *x, const struct vlan_host *audio)
{
	struct finding *f = detection_raise_keyed(d, endpoint_key(&(struct endpoint){ x->addr, 1 }), "split-brain",
		SEVERITY_WARNING, CONFIDENCE_CERTAIN);
	char host[SAY_TEXT], mac[18];

	say_host(detection_facts(d), &x->addr, host);
	finding_title(f, "%s sends SIP in VLAN %u and audio in VLAN %u", host, x->vid, audio->vid);
	finding_cause(f, "%s (%s) sends its SIP in VLAN %u and its audio in VLAN %u: its two halves are under different rules.",
		      host, mac_text(x->mac, mac), x->vid, audio->vid);
	finding_fix(f, "Set one VLAN for SIP and audio on %s, and the same on its switch port.", host);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_evidence(f, x->sip_at, "SIP in VLAN %u", x->vid);
	finding_evidence(f, audio->media_at, "audio in VLAN %u", audio->vid);
	finding_times(f, x->first.at_ns, audio->last.at_ns);
	f->count = 1;
}

/* ---- two VLANs that are one ---- */

static bool tell_bridge(struct detection *d, const struct vlan_bridge *b)
{
	struct finding *f;

	if (!b || b->count < BRIDGED_LEAST || !address_known(&b->from[1]))
		return false;
	f = detection_raise_keyed(d, (uint64_t)b->vid[0] << 16 | b->vid[1], "bridged", SEVERITY_ERROR,
		CONFIDENCE_LIKELY);
	finding_title(f, "VLAN %u and VLAN %u are joined", b->vid[0], b->vid[1]);
	finding_cause(f, "%u broadcasts of different hosts appear in VLAN %u and, at once and unchanged, in VLAN %u; no router passes broadcasts on.",
		      b->count, b->vid[0], b->vid[1]);
	finding_fix(f, "Look for a cable between two access ports, a bridge or a phone's PC port that joins VLAN %u and VLAN %u; let spanning tree and BPDU guard close such ports.",
		    b->vid[0], b->vid[1]);
	finding_part(f, PART_WITNESS, &(struct endpoint){ b->from[0], 0 });
	finding_part(f, PART_WITNESS, &(struct endpoint){ b->from[1], 0 });
	finding_evidence(f, b->at[0], "a broadcast in VLAN %u", b->vid[0]);
	finding_evidence(f, b->at[1], "the same one in VLAN %u", b->vid[1]);
	finding_times(f, b->at[0].at_ns, b->at[1].at_ns);
	finding_cannot_see(f, "where the two are joined: the MAC table of the switches shows the port");
	f->count = b->count;
	return true;
}

unsigned vlan_strangers(struct detection *d, const struct voice_vlan *voice)
{
	const struct facts *facts = detection_facts(d);
	const struct vlan_uses *uses = network_vlans(facts->network);
	unsigned told = tell_bridge(d, vlan_uses_bridge(uses));

	LIST_EACH(it, vlan_uses_in_order(uses)) {
		const struct vlan_host *x = LIST_ENTRY(it, struct vlan_host, in_order);
		const struct vlan_host *audio = audio_elsewhere(uses, x);

		if (told == TOLD_MAX)
			break;
		if (audio) {
			tell_split(d, x, audio);
			told++;
		} else if (voice->vid && is_voice_vlan(facts->site, voice, x->vid) && is_computer(d, uses, x) &&
			   site_inside(facts->site, &x->addr)) {
			tell_computer(d, x, voice);
			told++;
		}
	}
	return told;
}
