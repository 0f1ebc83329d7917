/* SPDX-License-Identifier: MIT */
/* link_name: LINKTYPE_* numbers of tcpdump.org and the names that tcpdump -L prints. */
#include "ui/link_name.h"

#include <stddef.h>
#include <stdio.h>

const char *link_name(uint16_t link, char buffer[LINK_NAME])
{
	static const struct {
		uint16_t link;
		const char *name;
	} names[] = {
		{ 0, "NULL" },		  { 1, "EN10MB" },	{ 6, "IEEE802" },
		  { 8, "SLIP" },	     { 9, "PPP" },
		{ 10, "FDDI" },		  { 12, "RAW" },	{ 14, "RAW" },	      { 50, "PPP_SERIAL" },
		  { 51, "PPP_ETHER" },
		{ 101, "RAW" },		  { 104, "C_HDLC" },	{ 105, "IEEE802_11" }, { 107, "FRELAY" },
		  { 108, "LOOP" },
		{ 113, "LINUX_SLL" },	  { 117, "PFLOG" },	{ 119, "PRISM_HEADER" }, { 127, "IEEE802_11_RADIO" },
		{ 163, "IEEE802_11_RADIO_AVS" }, { 166, "PPP_PPPD" }, { 192, "PPI" }, { 195, "IEEE802_15_4" },
		  { 228, "IPV4" },
		{ 100, "ATM_RFC1483" },	  { 106, "ATM_CLIP" },	{ 109, "ENC" },	      { 123, "SUNATM" },
		  { 143, "DOCSIS" },
		{ 147, "USER0" },	  { 149, "USER2" },	{ 178, "JUNIPER_ETHER" }, { 187, "BLUETOOTH_HCI_H4" },
		  { 189, "USB_LINUX" },
		{ 197, "ERF" },		  { 201, "BLUETOOTH_HCI" }, { 204, "PPP_WITH_DIR" }, { 219, "MPLS" },
		  { 220, "USB_LINUX_MMAPPED" },
		{ 226, "IPNET" },	  { 231, "DBUS" },	{ 240, "NETANALYZER" }, { 249, "USBPCAP" },
		  { 251, "BLUETOOTH_LE_LL" },
		{ 253, "NETLINK" },	  { 258, "PKTAP" },	{ 281, "DSA_TAG_BRCM" }, { 284, "DSA_TAG_DSA" },
		  { 285, "DSA_TAG_EDSA" },
		{ 229, "IPV6" },	  { 239, "NFLOG" },	{ 248, "SCTP" },      { 252, "WIRESHARK_UPPER_PDU" },
		  { 276, "LINUX_SLL2" },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].link == link)
			return names[i].name;
	snprintf(buffer, LINK_NAME, "LINKTYPE_%u", link);
	return buffer;
}
