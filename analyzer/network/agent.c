/* SPDX-License-Identifier: MIT */
/* agent: what a User-Agent or Server header looks like. A hint only: it may be forged, removed or passed on (1.6.1). */
#include "analyzer/network/network.h"

/*
 * The beginning, in any case. Rows stand by their first letter, so that they are found by it; of a letter the first
 * row that fits wins, so the special stands before the general.
 */
static const struct {
	const char *begin;
	enum host_role role;
} agents[] = {
	{ "3CXPhone for", ROLE_PHONE },
	{ "3CX Mobile", ROLE_PHONE },
	{ "3CXPhoneSystem", ROLE_PBX },
	{ "3CXPhone", ROLE_PHONE },
	{ "3CX", ROLE_PBX },
	{ "Acme Packet", ROLE_SBC },
	{ "AcmePacket", ROLE_SBC },
	{ "anynode", ROLE_SBC },
	{ "Audiocodes-Sip-Gateway", ROLE_SBC },
	{ "AudioCodes 4", ROLE_PHONE },
	{ "AUDC-IPPhone", ROLE_PHONE },
	{ "AUDC", ROLE_PHONE },
	{ "AudioCodes", ROLE_SBC },
	{ "Avaya SBC", ROLE_SBC },
	{ "Avaya-SBC", ROLE_SBC },
	{ "Askozia", ROLE_PBX },
	{ "Asterisk", ROLE_PBX },
	{ "Auerswald COMpact", ROLE_PBX },
	{ "Auerswald COMmander", ROLE_PBX },
	{ "Avaya CM", ROLE_PBX },
	{ "Avaya Communication Manager", ROLE_PBX },
	{ "Avaya-SM", ROLE_PBX },
	{ "Aastra", ROLE_PHONE },
	{ "Acrobits", ROLE_PHONE },
	{ "Akuvox", ROLE_PHONE },
	{ "Alcatel", ROLE_PHONE },
	{ "Algo", ROLE_PHONE },
	{ "Avaya", ROLE_PHONE },
	{ "AVM", ROLE_PHONE },
	{ "beroNet", ROLE_SBC },
	{ "BroadWorks", ROLE_PBX },
	{ "baresip", ROLE_PHONE },
	{ "Blink", ROLE_PHONE },
	{ "Bria", ROLE_PHONE },
	{ "Cisco-SIPGateway", ROLE_SBC },
	{ "Cisco-CUBE", ROLE_SBC },
	{ "Cisco-CUCM", ROLE_PBX },
	{ "Cisco-CME", ROLE_PBX },
	{ "COMpact", ROLE_PBX },
	{ "COMtrexx", ROLE_PBX },
	{ "Cisco", ROLE_PHONE },
	{ "CSipSimple", ROLE_PHONE },
	{ "CSCO", ROLE_PHONE },
	{ "EdgeMarc", ROLE_SBC },
	{ "Elastix", ROLE_PBX },
	{ "eyeBeam", ROLE_PHONE },
	{ "Escene", ROLE_PHONE },
	{ "FRAFOS", ROLE_SBC },
	{ "Flexisip", ROLE_PROXY },
	{ "FPBX", ROLE_PBX },
	{ "FreePBX", ROLE_PBX },
	{ "FreeSWITCH", ROLE_PBX },
	{ "Fusion", ROLE_PBX },
	{ "Fanvil", ROLE_PHONE },
	{ "FRITZ", ROLE_PHONE },
	{ "GENBAND", ROLE_SBC },
	{ "Grandstream UCM", ROLE_PBX },
	{ "Gigaset", ROLE_PHONE },
	{ "Grandstream", ROLE_PHONE },
	{ "Groundwire", ROLE_PHONE },
	{ "GS Wave", ROLE_PHONE },
	{ "Htek", ROLE_PHONE },
	{ "Ingate", ROLE_SBC },
	{ "Issabel", ROLE_PBX },
	{ "Jitsi", ROLE_PHONE },
	{ "JsSIP", ROLE_PHONE },
	{ "Kamailio", ROLE_PROXY },
	{ "Linksys", ROLE_PHONE },
	{ "Linphone", ROLE_PHONE },
	{ "Mediant", ROLE_SBC },
	{ "MBG", ROLE_SBC },
	{ "Mitel Border", ROLE_SBC },
	{ "Mitel-Border", ROLE_SBC },
	{ "MiVoice", ROLE_PBX },
	{ "Mitel-3300", ROLE_PBX },
	{ "Mitel-5000", ROLE_PBX },
	{ "MyPBX", ROLE_PBX },
	{ "MicroSIP", ROLE_PHONE },
	{ "Mitel", ROLE_PHONE },
	{ "Nextone", ROLE_SBC },
	{ "N300", ROLE_PHONE },
	{ "N510", ROLE_PHONE },
	{ "Oracle", ROLE_SBC },
	{ "OpenSER", ROLE_PROXY },
	{ "OpenSIPS", ROLE_PROXY },
	{ "OpenScape Voice", ROLE_PBX },
	{ "OpenScape Business", ROLE_PBX },
	{ "OBIHAI", ROLE_PHONE },
	{ "OpenScape Desk", ROLE_PHONE },
	{ "OpenStage", ROLE_PHONE },
	{ "Patton", ROLE_SBC },
	{ "Perimeta", ROLE_SBC },
	{ "PBX", ROLE_PBX },
	{ "Panasonic KX-NS", ROLE_PBX },
	{ "Panasonic KX-TDE", ROLE_PBX },
	{ "Panasonic", ROLE_PHONE },
	{ "PhonerLite", ROLE_PHONE },
	{ "PJSUA", ROLE_PHONE },
	{ "Polycom", ROLE_PHONE },
	{ "Poly", ROLE_PHONE },
	{ "Ribbon", ROLE_SBC },
	{ "repro", ROLE_PROXY },
	{ "Sansay", ROLE_SBC },
	{ "Sonus", ROLE_SBC },
	{ "SER (", ROLE_PROXY },
	{ "Sip EXpress router", ROLE_PROXY },
	{ "sipXecs", ROLE_PROXY },
	{ "Sangoma PBX", ROLE_PBX },
	{ "ShoreGear", ROLE_PBX },
	{ "STARFACE", ROLE_PBX },
	{ "Switchvox", ROLE_PBX },
	{ "Swyx", ROLE_PBX },
	{ "Sangoma", ROLE_PHONE },
	{ "Sipnetic", ROLE_PHONE },
	{ "SIP.js", ROLE_PHONE },
	{ "Sipura", ROLE_PHONE },
	{ "snom", ROLE_PHONE },
	{ "SoftPhone", ROLE_PHONE },
	{ "TelcoBridges", ROLE_SBC },
	{ "TB-ProSBC", ROLE_SBC },
	{ "Telephone", ROLE_PHONE },
	{ "Tiptel", ROLE_PHONE },
	{ "Twinkle", ROLE_PHONE },
	{ "Unify", ROLE_PHONE },
	{ "VitalPBX", ROLE_PBX },
	{ "VVX", ROLE_PHONE },
	{ "Wildix GW", ROLE_PBX },
	{ "X-Lite", ROLE_PHONE },
	{ "Yeastar", ROLE_PBX },
	{ "Yealink", ROLE_PHONE },
	{ "Z 5", ROLE_PHONE },
	{ "Z 3", ROLE_PHONE },
	{ "Zoiper", ROLE_PHONE },
};

static char lower(char c)
{
	return (char)(c | 0x20);             /* of digits and letters */
}

enum host_role host_role_of_agent(struct span user_agent)
{
	const size_t count = sizeof agents / sizeof *agents;
	char first = user_agent.n ? lower((char)user_agent.p[0]) : '\0',
		second = user_agent.n > 1 ? lower((char)user_agent.p[1]) : '\0';
	size_t from = 0;

	for (size_t rest = count; rest; rest -= (rest + 1) / 2) {
		if (lower(agents[from + rest / 2].begin[0]) < first)
			from += (rest + 1) / 2;
	}
	for (; from < count && lower(agents[from].begin[0]) == first; from++) {
		if (lower(agents[from].begin[1]) == second &&
		    span_starts_nocase(user_agent, span_of(agents[from].begin)))
			return agents[from].role;
	}
	return ROLE_COUNT;
}

unsigned host_roles_or_said(const struct host *h)
{
	enum host_role said;

	if (h->roles || !h->user_agent.n)
		return h->roles;
	said = host_role_of_agent(h->user_agent);
	return said < ROLE_COUNT && said != ROLE_PHONE ? 1u << said : 0;
}
