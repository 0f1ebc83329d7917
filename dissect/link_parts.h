/* SPDX-License-Identifier: MIT */
/* link_parts: what the files of the link layer have from each other. Each goes on down to IP, as link_parse() does. */
#ifndef DEADAIR_DISSECT_LINK_PARTS_H
#define DEADAIR_DISSECT_LINK_PARTS_H

#include "dissect/link.h"

enum { LINK_PKTAP_OLD = 149 };      /* anybody's private number, and macOS' for PKTAP */

static inline uint16_t cursor_le16(struct cursor *c)
{
	return __builtin_bswap16(cursor_u16(c));
}

static inline uint32_t cursor_le32(struct cursor *c)
{
	return __builtin_bswap32(cursor_u32(c));
}

/* link.c */
enum network link_undecoded(struct packet *p, enum undecoded why);
enum network link_ip(struct cursor *c, struct packet *p);
enum network link_llc(struct cursor *c, struct packet *p);
enum network link_mpls(struct cursor *c, struct packet *p);
enum network link_pppoe(struct cursor *c, struct packet *p);
enum network link_hdlc(struct cursor *c, struct packet *p);
/* Ethernet inside Ethernet, to the depth that tunnels have. */
enum network link_nested(struct cursor *c, struct packet *p);
/* One more tag of the frame. */
void link_vlan(struct packet *p, uint16_t tci);

/* link_wifi.c */
enum network link_radiotap(struct cursor *c, struct packet *p);
enum network link_prism(struct cursor *c, struct packet *p);

/* link_tag.c */

/* IEEE 802.1AE: behind the tag of what is signed only; false: it is encrypted, or no tag. */
bool link_macsec(struct cursor *c, uint16_t *ret_type);
/* Of the first 14 bytes of a frame. */
bool link_is_isl(const uint8_t *head);
enum network link_isl(struct cursor *c, struct packet *p);
enum network link_trill(struct cursor *c, struct packet *p);
enum network link_nsh(struct cursor *c, struct packet *p);

/* link_front.c: link types that put a header in front of another one; UNDECODED_LINK: none of these either. */
enum network link_fronted(struct cursor *c, uint16_t link, struct packet *p);

#endif
