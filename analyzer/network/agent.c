/* SPDX-License-Identifier: MIT */
/* agent: what a User-Agent or Server header looks like. A hint only: it may be forged, removed or passed on (1.6.1). */
#include "analyzer/network/network.h"

/* The beginning, in any case; the first row that fits wins, so the special stands before the general. */
static const struct {
	const char *begin;
	enum host_role role;
} agents[] = {
	{ "Acme Packet", ROLE_SBC },
	{ "AcmePacket", ROLE_SBC },
	{ "anynode", ROLE_SBC },
	{ "Audiocodes-Sip-Gateway", ROLE_SBC },
	{ "AudioCodes 4", ROLE_PHONE },
	{ "AUDC-IPPhone", ROLE_PHONE },
	{ "AUDC", ROLE_PHONE },
	{ "AudioCodes", ROLE_SBC },
	{ "Mediant", ROLE_SBC },
	{ "Avaya SBC", ROLE_SBC },
	{ "Avaya-SBC", ROLE_SBC },
	{ "beroNet", ROLE_SBC },
	{ "Cisco-SIPGateway", ROLE_SBC },
	{ "Cisco-CUBE", ROLE_SBC },
	{ "EdgeMarc", ROLE_SBC },
	{ "FRAFOS", ROLE_SBC },
	{ "GENBAND", ROLE_SBC },
	{ "Ingate", ROLE_SBC },
	{ "MBG", ROLE_SBC },
	{ "Mitel Border", ROLE_SBC },
	{ "Mitel-Border", ROLE_SBC },
	{ "Nextone", ROLE_SBC },
	{ "Oracle", ROLE_SBC },
	{ "Patton", ROLE_SBC },
	{ "Perimeta", ROLE_SBC },
	{ "Ribbon", ROLE_SBC },
	{ "Sansay", ROLE_SBC },
	{ "Sonus", ROLE_SBC },
	{ "TelcoBridges", ROLE_SBC },
	{ "TB-ProSBC", ROLE_SBC },

	{ "Flexisip", ROLE_PROXY },
	{ "Kamailio", ROLE_PROXY },
	{ "OpenSER", ROLE_PROXY },
	{ "OpenSIPS", ROLE_PROXY },
	{ "repro", ROLE_PROXY },
	{ "SER (", ROLE_PROXY },
	{ "Sip EXpress router", ROLE_PROXY },
	{ "sipXecs", ROLE_PROXY },

	{ "3CXPhone for", ROLE_PHONE },
	{ "3CX Mobile", ROLE_PHONE },
	{ "3CXPhoneSystem", ROLE_PBX },
	{ "3CXPhone", ROLE_PHONE },
	{ "3CX", ROLE_PBX },
	{ "Askozia", ROLE_PBX },
	{ "Asterisk", ROLE_PBX },
	{ "Auerswald COMpact", ROLE_PBX },
	{ "Auerswald COMmander", ROLE_PBX },
	{ "Avaya CM", ROLE_PBX },
	{ "Avaya Communication Manager", ROLE_PBX },
	{ "Avaya-SM", ROLE_PBX },
	{ "BroadWorks", ROLE_PBX },
	{ "Cisco-CUCM", ROLE_PBX },
	{ "Cisco-CME", ROLE_PBX },
	{ "COMpact", ROLE_PBX },
	{ "COMtrexx", ROLE_PBX },
	{ "Elastix", ROLE_PBX },
	{ "FPBX", ROLE_PBX },
	{ "FreePBX", ROLE_PBX },
	{ "FreeSWITCH", ROLE_PBX },
	{ "Fusion", ROLE_PBX },
	{ "Grandstream UCM", ROLE_PBX },
	{ "Issabel", ROLE_PBX },
	{ "MiVoice", ROLE_PBX },
	{ "Mitel-3300", ROLE_PBX },
	{ "Mitel-5000", ROLE_PBX },
	{ "MyPBX", ROLE_PBX },
	{ "OpenScape Voice", ROLE_PBX },
	{ "OpenScape Business", ROLE_PBX },
	{ "PBX", ROLE_PBX },
	{ "Sangoma PBX", ROLE_PBX },
	{ "ShoreGear", ROLE_PBX },
	{ "STARFACE", ROLE_PBX },
	{ "Switchvox", ROLE_PBX },
	{ "Swyx", ROLE_PBX },
	{ "VitalPBX", ROLE_PBX },
	{ "Wildix GW", ROLE_PBX },
	{ "Yeastar", ROLE_PBX },
	{ "Panasonic KX-NS", ROLE_PBX },
	{ "Panasonic KX-TDE", ROLE_PBX },

	{ "Aastra", ROLE_PHONE },
	{ "Acrobits", ROLE_PHONE },
	{ "Akuvox", ROLE_PHONE },
	{ "Alcatel", ROLE_PHONE },
	{ "Algo", ROLE_PHONE },
	{ "Avaya", ROLE_PHONE },
	{ "AVM", ROLE_PHONE },
	{ "baresip", ROLE_PHONE },
	{ "Blink", ROLE_PHONE },
	{ "Bria", ROLE_PHONE },
	{ "Cisco", ROLE_PHONE },
	{ "CSipSimple", ROLE_PHONE },
	{ "CSCO", ROLE_PHONE },
	{ "eyeBeam", ROLE_PHONE },
	{ "Escene", ROLE_PHONE },
	{ "Fanvil", ROLE_PHONE },
	{ "FRITZ", ROLE_PHONE },
	{ "Gigaset", ROLE_PHONE },
	{ "Grandstream", ROLE_PHONE },
	{ "Groundwire", ROLE_PHONE },
	{ "GS Wave", ROLE_PHONE },
	{ "Htek", ROLE_PHONE },
	{ "Jitsi", ROLE_PHONE },
	{ "JsSIP", ROLE_PHONE },
	{ "Linksys", ROLE_PHONE },
	{ "Linphone", ROLE_PHONE },
	{ "MicroSIP", ROLE_PHONE },
	{ "Mitel", ROLE_PHONE },
	{ "N300", ROLE_PHONE },
	{ "N510", ROLE_PHONE },
	{ "OBIHAI", ROLE_PHONE },
	{ "OpenScape Desk", ROLE_PHONE },
	{ "OpenStage", ROLE_PHONE },
	{ "Panasonic", ROLE_PHONE },
	{ "PhonerLite", ROLE_PHONE },
	{ "PJSUA", ROLE_PHONE },
	{ "Polycom", ROLE_PHONE },
	{ "Poly", ROLE_PHONE },
	{ "Sangoma", ROLE_PHONE },
	{ "Sipnetic", ROLE_PHONE },
	{ "SIP.js", ROLE_PHONE },
	{ "Sipura", ROLE_PHONE },
	{ "snom", ROLE_PHONE },
	{ "SoftPhone", ROLE_PHONE },
	{ "Telephone", ROLE_PHONE },
	{ "Tiptel", ROLE_PHONE },
	{ "Twinkle", ROLE_PHONE },
	{ "Unify", ROLE_PHONE },
	{ "VVX", ROLE_PHONE },
	{ "X-Lite", ROLE_PHONE },
	{ "Yealink", ROLE_PHONE },
	{ "Z 5", ROLE_PHONE },
	{ "Z 3", ROLE_PHONE },
	{ "Zoiper", ROLE_PHONE },
};

enum host_role host_role_of_agent(struct span user_agent)
{
	for (size_t i = 0; i < sizeof agents / sizeof *agents; i++) {
		if (span_starts_nocase(user_agent, span_of(agents[i].begin)))
			return agents[i].role;
	}
	return ROLE_COUNT;
}

bool agent_is_softphone(struct span agent)
{
	static const char *const words[] = {
		"zoiper", "x-lite", "bria", "linphone", "microsip", "jitsi", "blink", "eyebeam", "3cxphone", "ekiga", "phoner", "sipdroid", "csipsimple", "pjsua",
		"telephone", "groundwire", "acrobits", "baresip", "jami", "sipjs", "jssip",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (span_find_text_nocase(agent, span_of(words[i])) < agent.n)
			return true;
	}
	return false;
}
