/* SPDX-License-Identifier: MIT */
/* link_type: where the two numberings differ (pcap-linktype(7)). */
#include "captures/link_type.h"

#include <pcap/pcap.h>
#include <stddef.h>

static const struct { uint16_t link; int dlt; } differing[] = {
	{ 100, DLT_ATM_RFC1483 }, { 101, DLT_RAW }, { 102, DLT_SLIP_BSDOS }, { 103, DLT_PPP_BSDOS },
	{ 104, DLT_C_HDLC }, { 106, DLT_ATM_CLIP }, { 50, DLT_PPP_SERIAL }, { 51, DLT_PPP_ETHER },
};

enum { DIFFERING = sizeof differing / sizeof differing[0] };

int link_type_to_dlt(uint16_t link)
{
	for (size_t i = 0; i < DIFFERING; i++) {
		if (differing[i].link == link)
			return differing[i].dlt;
	}
	return link;
}

int link_type_of_dlt(int dlt)
{
	for (size_t i = 0; i < DIFFERING; i++) {
		if (differing[i].dlt == dlt)
			return differing[i].link;
	}
	return dlt >= 0 && dlt <= UINT16_MAX ? dlt : -1;
}
