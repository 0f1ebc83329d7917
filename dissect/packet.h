/* SPDX-License-Identifier: MIT */
/*
 * packet: what a frame says, as flat facts. Presence stands in `has` bits, since 0 is a real port, payload type and
 * TTL.
 */
#ifndef DEADAIR_DISSECT_PACKET_H
#define DEADAIR_DISSECT_PACKET_H

#include "captures/base/address.h"
#include "captures/base/memory.h"
#include "captures/frame.h"
#include "dissect/icmp.h"
#include "dissect/rtcp.h"
#include "dissect/rtp.h"
#include "dissect/sip_message.h"
#include "dissect/stun.h"
#include "dissect/tls.h"

enum packet_kind {
	PACKET_OTHER,                /* IP that is nothing of ours; transport and ports may be known */
	PACKET_SIP,                  /* one complete (or cut) message */
	PACKET_RTP,                  /* has an RTP header's form: the analyzer decides whether it is RTP */
	PACKET_RTCP,
	PACKET_STUN,
	PACKET_DTLS,
	/*
	 * a record, handshakes whole over several segments; of data records behind the first 24 records only the first
	 * of a segment
	 */
	PACKET_TLS,
	PACKET_ICMP,
	PACKET_TCP,                  /* a segment with SYN, FIN or RST and nothing else to say */
	PACKET_KEEPALIVE,            /* UDP: empty, NULs or CRLF only; TCP: CRLF on a flow known to carry SIP */
	PACKET_UDPTL,                /* left to the analyzer: never set by dissect */
	/* IP fragment that did not complete a datagram: counts for sees(), carries no payload */
	PACKET_FRAGMENT,
	PACKET_ARP,
	PACKET_NONE                  /* no IP in it, or undecodable: see undecoded */
};

enum packet_transport { TRANSPORT_NONE, TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_SCTP, TRANSPORT_WS };

enum packet_tunnel {
	TUNNEL_NONE, TUNNEL_GRE, TUNNEL_ERSPAN, TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_GTP, TUNNEL_IPIP, TUNNEL_L2TP,
	TUNNEL_TZSP, TUNNEL_HEP, TUNNEL_LISP, TUNNEL_CAPWAP, TUNNEL_ESP,
	TUNNEL_TURN                  /* media in ChannelData, Send or Data indications */
};

/*
 * Why a frame, or a part of it, could not be read: with any kind; PACKET_OTHER with it has addresses, PACKET_NONE has
 * not.
 */
enum undecoded {
	UNDECODED_NO,
	UNDECODED_TRUNCATED,         /* the snap length cut off a header or a SIP message that is needed */
	UNDECODED_LINK,              /* link type unknown */
	UNDECODED_NOT_IP,            /* ARP is PACKET_ARP, other ethertypes are this; not a fault */
	UNDECODED_MALFORMED,         /* lengths that lie, versions that are none */
	UNDECODED_DEPTH,             /* more tunnels inside each other than are followed */
	UNDECODED_FRAGMENT,          /* never completed, or overlapping */
	UNDECODED_CIPHER,            /* ESP, encrypted 802.11 */
	UNDECODED_COUNT
};

enum packet_has {
	HAS_MAC = 1 << 0,            /* cooked captures: the sender's alone, mac_dst is zeros */
	HAS_VLAN = 1 << 1, HAS_IP = 1 << 2, HAS_IP_ID = 1 << 3, HAS_PORTS = 1 << 4, HAS_OUTER = 1 << 5,
	HAS_DF = 1 << 6,             /* don't fragment is set */
	HAS_REASSEMBLED = 1 << 7,    /* put together from IP fragments */
	HAS_CHECKSUM = 1 << 8,       /* UDP or TCP checksum was tested: see checksum_ok. Of RTP one packet in 16 is */
	HAS_TRUNCATED = 1 << 9       /* payload.n < payload_wire because the capture cut it */
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct packet {
	int64_t at_ns;               /* of the frame that completed it */
	uint32_t frame;              /* number in its file; a reassembled one: the last */
	/* of a reassembled one, also a message over several TCP segments: the first; else equal to frame */
	uint32_t first_frame;
	uint16_t file, interface, link;
	/* as in struct frame */
	uint16_t rotated;
	uint32_t ifindex;            /* of the capturing machine, from SLL2; 0 unknown */
	uint8_t direction;           /* enum frame_direction, also from SLL packet types */
	uint8_t kind;                /* enum packet_kind */
	uint32_t has;                /* enum packet_has */
	uint8_t undecoded;           /* enum undecoded */
	bool first_of_frame;         /* the first packet that this frame gave: count frames here */

	uint8_t mac_src[6], mac_dst[6];
	uint16_t vlan[2];            /* outer, inner id */
	uint8_t vlan_count, vlan_priority;
	uint16_t voice_vlan;         /* that an LLDP or CDP frame tells phones of; 0 none */
	uint8_t tunnel, tunnel_depth; /* enum packet_tunnel of the innermost */
	uint16_t channel;            /* of ChannelData whose peer is not known (yet): one end is the server; 0 none */
	struct address outer_src, outer_dst;

	/*
	 * innermost; HEP: as its chunks say, TURN indications: with the peer for the server.
	 * So ChannelData, where the analyzer knows its channel (analyzer/network/channel.h)
	 */
	struct endpoint src, dst;
	uint8_t ttl, dscp, ecn, ip_protocol; /* HEP: the first three unknown, 0 */
	uint16_t ip_id;
	uint16_t ip_bytes;           /* length of the (innermost) IP packet on the wire */
	uint8_t fragments;           /* of a reassembled one: how many; a PACKET_FRAGMENT: 0 */
	uint8_t transport;           /* enum packet_transport */
	uint8_t tcp_flags;
	bool checksum_ok;
	uint32_t tcp_seq, tcp_ack;
	/* the acknowledgement covers bytes that this capture never saw ("acked unseen segment") */
	bool tcp_gap;
	bool tcp_retransmission;
	uint32_t wire_bytes, captured_bytes; /* of the frame */

	struct span payload;         /* of UDP; of TCP segment; borrowed like the frame */
	size_t payload_wire;

	union {
		const struct sip_message *sip;      /* good until the next dissect_next() */
		struct rtp_header rtp;
		const struct rtcp_compound *rtcp;
		struct stun_message stun;
		struct tls_record tls;
		struct icmp_message icmp;
	};
};

/* The capture that it is of: index of the file in which it began. Points of capture are told apart by it. */
static inline uint16_t packet_capture(const struct packet *p)
{
	return (uint16_t)(p->file - p->rotated);
}

/* The id next to the packet, however many tags it has; 0: none, or one for priority alone. */
static inline uint16_t packet_inner_vlan(const struct packet *p)
{
	return p->vlan_count ? p->vlan[p->vlan_count > 1] : 0;
}

/*
 * A packet that has what the frame says, and nothing of its bytes yet. The union is not cleared, kind says what is
 * valid.
 */
static inline void packet_begin(struct packet *p, const struct frame *f)
{
	memory_clear(p, offsetof(struct packet, sip));
	p->at_ns = f->at_ns;
	p->frame = p->first_frame = f->number;
	p->file = f->file;
	p->rotated = f->rotated;
	p->interface = f->interface;
	p->link = f->link;
	p->direction = f->direction;
	p->wire_bytes = f->wire_bytes;
	p->captured_bytes = (uint32_t)f->bytes.n;
	p->first_of_frame = true;
	p->kind = PACKET_NONE;
}

#endif
