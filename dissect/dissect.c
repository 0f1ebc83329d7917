/* SPDX-License-Identifier: MIT */
/* dissect: who parses what. One way through the layers; nothing is kept but fragments and TCP streams. */
#include "dissect/dissect.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "dissect/esp.h"
#include "dissect/exported.h"
#include "dissect/fragment.h"
#include "dissect/hep.h"
#include "dissect/ip.h"
#include "dissect/plain.h"
#include "dissect/quic.h"
#include "dissect/sctp.h"
#include "dissect/tcp.h"
#include "dissect/tunnel.h"

enum more { MORE_FRAME, MORE_TCP, MORE_SCTP, MORE_NONE };

struct dissector {
	const struct frame *frame;
	enum more more;              /* what dissect_next reads on with */
	struct packet base;          /* TCP, SCTP: what all packets of this frame have in common */
	struct cursor chunks;        /* SCTP: those not yet read */
	struct fragments *fragments;
	struct tcp_streams *tcp;
	struct sip_message *sip;     /* of the packet given last: too large for each packet to have one */
	struct rtcp_compound *rtcp;
	struct sip_message own_sip;
	struct rtcp_compound own_rtcp;
	bool alone;                  /* what other frames have a part in is left */
	bool left;                   /* and was met */
	struct dissector_counts counts;
};

struct dissector *dissector_new(void)
{
	struct dissector *d = memory_zalloc(sizeof *d);

	d->more = MORE_NONE;
	d->sip = &d->own_sip;
	d->rtcp = &d->own_rtcp;
	d->fragments = fragments_new(&d->counts);
	d->tcp = tcp_new(&d->counts);
	return d;
}

void dissector_free(struct dissector *d)
{
	if (!d)
		return;
	fragments_free(d->fragments);
	tcp_free(d->tcp);
	free(d);
}

void dissector_limit(struct dissector *d, size_t bytes)
{
	fragments_limit(d->fragments, bytes / 2);
	tcp_limit(d->tcp, bytes / 2);
}

const struct dissector_counts *dissector_counts(const struct dissector *d)
{
	return &d->counts;
}

const char *undecoded_name(enum undecoded why)
{
	switch (why) {
	case UNDECODED_TRUNCATED:
		return "truncated";
	case UNDECODED_LINK:
		return "link-type";
	case UNDECODED_NOT_IP:
		return "not-ip";
	case UNDECODED_MALFORMED:
		return "malformed";
	case UNDECODED_DEPTH:
		return "too-deep";
	case UNDECODED_FRAGMENT:
		return "fragment";
	case UNDECODED_CIPHER:
		return "encrypted";
	case UNDECODED_NO:
	case UNDECODED_COUNT:
		break;
	}
	return "no";
}

/* ---- what a datagram is, by its bytes ---- */

static enum undecoded why(const struct cursor *c)
{
	return c->state == CURSOR_CUT ? UNDECODED_TRUNCATED : UNDECODED_MALFORMED;
}

static enum packet_transport transport_of(uint8_t ip_protocol)
{
	if (ip_protocol == IP_TCP)
		return TRANSPORT_TCP;
	if (ip_protocol == IP_SCTP)
		return TRANSPORT_SCTP;
	return ip_protocol == IP_UDP ? TRANSPORT_UDP : TRANSPORT_NONE;
}

static bool keepalive(struct span s)
{
	bool nul = true, blank = true;

	for (size_t i = 0; i < s.n && (nul || blank); i++) {
		nul &= s.p[i] == 0;
		blank &= s.p[i] == '\r' || s.p[i] == '\n';
	}
	return nul || blank;
}

/*
 * RFC 9443: with its fixed bit greased QUIC looks like RTP; its long header has a version and the lengths of two
 * connection ids, which are not both empty as those zeros are with which many an RTP stream begins; else it stays on
 * 443.
 */
static bool quic(const struct packet *p, struct span s)
{
	enum { ID_MAX = 20 };
	uint32_t version;
	uint8_t to, from;

	if (p->src.port == PORT_QUIC || p->dst.port == PORT_QUIC)
		return true;
	if (s.n < 7)
		return false;
	version = (uint32_t)s.p[1] << 24 | (uint32_t)s.p[2] << 16 | (uint32_t)s.p[3] << 8 | s.p[4];
	if (!quic_version(version))
		return false;
	to = s.p[5];
	if (to > ID_MAX || s.n < 7u + to)
		return false;
	from = s.p[6 + to];
	return from <= ID_MAX && to + from > 0;
}

/* First byte 128 to 191: RTP or RTCP, told apart by the second (RFC 5761 4). */
static bool rtp_or_rtcp(struct dissector *d, struct cursor *c, struct packet *p)
{
	if (quic(p, c->left))
		return false;
	if (c->left.n > 1 && c->left.p[1] >= 192 && c->left.p[1] <= 223) {
		struct cursor reader = *c;

		if (rtcp_parse(&reader, d->rtcp)) {
			p->kind = PACKET_RTCP;
			p->rtcp = d->rtcp;
			return true;
		}
	}
	if (!rtp_parse(c, &p->rtp)) {
		if (c->state == CURSOR_CUT)
			p->undecoded = UNDECODED_TRUNCATED;
		return false;
	}
	p->kind = PACKET_RTP;
	return true;
}

static bool dtls(const struct cursor *c, struct packet *p)
{
	struct cursor reader = *c;
	struct span s = c->left;
	unsigned version;

	if (s.n < 3 || s.p[0] < 20 || s.p[0] > 63)
		return false;
	version = (unsigned)(s.p[1] << 8 | s.p[2]);
	if ((version != 0xfeff && version != 0xfefd && version != 0x0100) || !dtls_parse(&reader, &p->tls))
		return false;
	p->kind = PACKET_DTLS;
	return true;
}

static bool stun_here(const struct cursor *c, struct stun_message *ret)
{
	static const uint8_t cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };
	struct cursor reader = *c;

	if (c->left.n < 8 || c->left.p[0] >= 4 || memcmp(c->left.p + 4, cookie, sizeof cookie) != 0)
		return false;
	return stun_parse(&reader, ret);
}

/* What TURN may carry: RFC 7983, without another TURN inside. */
static bool relayed(struct dissector *d, struct cursor *c, struct packet *p)
{
	struct stun_message stun;
	uint8_t b0 = c->left.n ? c->left.p[0] : 255;

	if (b0 >= 128 && b0 < 192)
		return rtp_or_rtcp(d, c, p);
	if (stun_here(c, &stun)) {
		p->kind = PACKET_STUN;
		p->stun = stun;
		return true;
	}
	return dtls(c, p);
}

static bool relayed_enter(struct dissector *d, struct span data, size_t wire, struct packet *p)
{
	struct cursor c = cursor_over(data, wire);

	if (!data.n || p->tunnel_depth == TUNNEL_DEPTH_MAX || !relayed(d, &c, p))
		return false;
	tunnel_enter(p, TUNNEL_TURN);
	p->payload = data;
	p->payload_wire = wire;
	return true;
}

/* RFC 8656 12.4: channel 0x4000 to 0x4fff, length, data, over UDP perhaps padding. */
static bool channel_data(struct dissector *d, const struct cursor *c, struct packet *p)
{
	struct cursor reader = *c;
	uint16_t channel = cursor_u16(&reader), length = cursor_u16(&reader);

	if (reader.state != CURSOR_OK || channel >> 12 != 4 || length > reader.wire || reader.wire - length > 3)
		return false;
	cursor_limit(&reader, length);
	if (!relayed_enter(d, reader.left, reader.wire, p))
		return false;
	p->channel = channel;
	return true;
}

/*
 * The peer of a Send indication is who will get the data, that of a Data indication who sent it; the server is then an
 * outer address.
 */
static void stun_classify(struct dissector *d, const struct stun_message *stun, struct packet *p)
{
	enum { SEND_INDICATION = 0x0016, DATA_INDICATION = 0x0017 };
	bool indication = stun->type == SEND_INDICATION || stun->type == DATA_INDICATION;

	if (!indication || !relayed_enter(d, stun->data, stun->data.n, p)) {
		p->kind = PACKET_STUN;
		p->undecoded = UNDECODED_NO;
		p->stun = *stun;
		return;
	}
	if (!address_known(&stun->peer.addr))
		return;
	if (stun->type == SEND_INDICATION)
		p->dst = stun->peer;
	else
		p->src = stun->peer;
}

static bool sip_take(struct dissector *d, struct span bytes, size_t wire, struct packet *p)
{
	if (!sip_message_parse(bytes, wire, d->sip))
		return false;
	p->kind = PACKET_SIP;
	p->sip = d->sip;
	if (d->sip->flaws & SIP_FLAW_BODY_CUT || bytes.n < wire)
		p->undecoded = UNDECODED_TRUNCATED;
	return true;
}

static void datagram_classify(struct dissector *d, struct cursor *c, struct packet *p);

/*
 * The inner packet's addresses replace those of the mirror; time stays that of the frame, by which everything is
 * ordered.
 */
static void told_take(const struct hep *hep, struct packet *p)
{
	p->src = hep->src;
	p->dst = hep->dst;
	p->has &= ~(uint32_t)(HAS_IP_ID | HAS_DF | HAS_CHECKSUM | HAS_TRUNCATED);
	p->ttl = p->dscp = p->ecn = 0;
	p->ip_protocol = hep->ip_protocol;
	p->transport = transport_of(hep->ip_protocol);
	p->payload = hep->payload;
	p->payload_wire = hep->payload_wire;
}

static bool hep_enter(const struct hep *hep, struct packet *p)
{
	if (!tunnel_enter(p, TUNNEL_HEP))
		return false;
	told_take(hep, p);
	return true;
}

/* Versions 1 and 2, with SIP in them. */
static bool hep_old_classify(struct dissector *d, const struct cursor *c, struct packet *p)
{
	struct hep hep;

	return hep_old_parse(*c, &hep) && sip_message_parse(hep.payload, hep.payload_wire, d->sip) &&
	       hep_enter(&hep, p) && sip_take(d, hep.payload, hep.payload_wire, p);
}

static void hep_classify(struct dissector *d, struct cursor *c, struct packet *p)
{
	enum { TYPE_RTCP_JSON = 5 };
	struct cursor inner;
	struct hep hep;

	if (!hep_parse(c, &hep)) {
		p->undecoded = why(c);
		return;
	}
	if (!hep_enter(&hep, p))
		return;
	if (hep.compressed || (hep.type == TYPE_RTCP_JSON && hep.payload.p[0] == '{'))
		return;
	inner = cursor_over(hep.payload, hep.payload_wire);
	datagram_classify(d, &inner, p);
}

/* Text first: its first byte may be in a method or, behind keepalives, a line end; only then the first line is read. */
static bool text_classify(struct dissector *d, struct cursor *c, struct packet *p)
{
	if (sip_take(d, c->left, c->wire, p))
		return true;
	if (hep_length(c->left)) {
		hep_classify(d, c, p);
		return true;
	}
	return false;
}

static void datagram_classify(struct dissector *d, struct cursor *c, struct packet *p)
{
	struct stun_message stun;
	uint8_t b0;

	p->kind = PACKET_OTHER;
	if (c->left.n == 0) {
		if (c->wire == 0)
			p->kind = PACKET_KEEPALIVE;
		else
			p->undecoded = UNDECODED_TRUNCATED;
		return;
	}
	b0 = c->left.p[0];
	if (b0 >= 128) {
		if (b0 < 192)
			rtp_or_rtcp(d, c, p);
		return;
	}
	if (((b0 > ' ' && b0 < 0x7f) || b0 == '\r' || b0 == '\n') && text_classify(d, c, p))
		return;
	if ((b0 == 0 || b0 == '\r' || b0 == '\n') && c->left.n == c->wire && keepalive(c->left))
		p->kind = PACKET_KEEPALIVE;
	else if (b0 < 4 && stun_here(c, &stun))
		stun_classify(d, &stun, p);
	else if ((b0 == 1 || b0 == 2) && hep_old_classify(d, c, p))
		return;
	else if (!dtls(c, p) && b0 >= 64 && b0 < 80 && !channel_data(d, c, p))
		p->kind = PACKET_OTHER;
}

/* ---- transports ---- */

static enum network udp_dissect(struct dissector *d, struct cursor *c, struct packet *p)
{
	struct span h = cursor_take(c, 8);
	enum network network;
	uint8_t depth;
	size_t length;
	bool whole;

	if (!h.n) {
		p->undecoded = why(c);
		return NETWORK_NONE;
	}
	p->transport = TRANSPORT_UDP;
	p->src.port = (uint16_t)(h.p[0] << 8 | h.p[1]);
	p->dst.port = (uint16_t)(h.p[2] << 8 | h.p[3]);
	p->has |= HAS_PORTS;
	length = (size_t)(h.p[4] << 8 | h.p[5]);
	if (length != 0) {                              /* 0: a jumbogram or segmentation offload, what IP says holds */
		if (length < 8 || length - 8 > c->wire) {
			p->undecoded = UNDECODED_MALFORMED;
			return NETWORK_NONE;
		}
		cursor_limit(c, length - 8);
	}
	p->payload = c->left;
	p->payload_wire = c->wire;
	whole = c->left.n == c->wire;
	if (!whole)
		p->has |= HAS_TRUNCATED;
	h.n += c->left.n;                               /* header and payload */
	network = tunnel_udp(c, p);
	if (network != NETWORK_NONE || p->undecoded != UNDECODED_NO)
		return network;
	depth = p->tunnel_depth;
	datagram_classify(d, c, p);
	if (p->kind == PACKET_OTHER && p->undecoded == UNDECODED_NO && esp_udp_plausible(p))
		p->undecoded = UNDECODED_CIPHER;
	if (whole && p->tunnel_depth == depth)          /* else the addresses are no longer those of this header */
		ip_udp_checksum(p, (uint16_t)(h.p[6] << 8 | h.p[7]), h);
	return NETWORK_NONE;
}

/* What a stream gave, into a packet that has the segment's facts. False: it turned out to be nothing. */
static bool framed_take(struct dissector *d, const struct tcp_message *m, struct packet *p)
{
	const struct framed *framed = &m->framed;
	struct cursor c = cursor_over(framed->bytes, framed->wire);
	uint32_t other;

	p->frame = m->frame;
	p->at_ns = m->at_ns;
	p->first_frame = framed->first_frame;
	switch (framed->kind) {
	case FRAMED_SIP_WEBSOCKET:
		p->transport = TRANSPORT_WS;
		return sip_take(d, framed->bytes, framed->wire, p);
	case FRAMED_SIP:
		if (!sip_take(d, framed->bytes, framed->wire, p))
			return false;
		other = SIP_FLAW_CONTENT_LENGTH_LONG | SIP_FLAW_CONTENT_LENGTH_BAD;
		if (framed->length_short && !(d->sip->flaws & other))
			d->sip->flaws |= SIP_FLAW_CONTENT_LENGTH_SHORT;
		return true;
	case FRAMED_TLS:
		p->transport = TRANSPORT_TLS;
		p->kind = PACKET_TLS;
		return tls_parse(&c, &p->tls);
	case FRAMED_HEP:
		hep_classify(d, &c, p);
		return true;
	case FRAMED_KEEPALIVE:
		p->kind = PACKET_KEEPALIVE;
		return true;
	}
	return false;
}

static bool tcp_more(struct dissector *d, struct packet *p)
{
	struct tcp_message m;

	while (tcp_next(d->tcp, &m)) {
		*p = d->base;
		p->first_of_frame = false;
		if (framed_take(d, &m, p))
			return true;
	}
	d->more = MORE_NONE;
	return false;
}

static void tcp_dissect(struct dissector *d, struct cursor *c, struct packet *p)
{
	if (!tcp_parse(c, p))
		return;
	if (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST))
		p->kind = PACKET_TCP;
	tcp_add(d->tcp, p);
	d->base = *p;
	d->more = MORE_TCP;
	if (tcp_more(d, p))
		p->first_of_frame = true;
	else
		*p = d->base;
}

static bool sctp_more(struct dissector *d, struct packet *p)
{
	struct span data;
	size_t wire;

	while (sctp_next(&d->chunks, &data, &wire)) {
		if (!sip_message_parse(data, wire, d->sip))
			continue;
		*p = d->base;
		p->first_of_frame = false;
		p->payload = data;
		p->payload_wire = wire;
		sip_take(d, data, wire, p);
		return true;
	}
	d->more = MORE_NONE;
	return false;
}

static void sctp_dissect(struct dissector *d, struct cursor *c, struct packet *p)
{
	if (!sctp_parse(c, p))
		return;
	d->base = *p;
	d->chunks = *c;
	d->more = MORE_SCTP;
	if (sctp_more(d, p))
		p->first_of_frame = true;
}

static void icmp_dissect(struct cursor *c, struct packet *p, bool v6)
{
	if (icmp_parse(c, v6, &p->icmp))
		p->kind = PACKET_ICMP;
	else
		p->undecoded = why(c);
}

/* ---- from the frame on ---- */

static void fragment_ports(struct cursor c, struct packet *p, const struct ip_fragment *fragment)
{
	struct span h = cursor_take(&c, 4);

	p->kind = PACKET_FRAGMENT;
	if (fragment->offset || !h.n || transport_of(p->ip_protocol) == TRANSPORT_NONE)
		return;
	p->transport = transport_of(p->ip_protocol);
	p->src.port = (uint16_t)(h.p[0] << 8 | h.p[1]);
	p->dst.port = (uint16_t)(h.p[2] << 8 | h.p[3]);
	p->has |= HAS_PORTS;
}

/* One IP packet; NETWORK_IP: another one stands at the cursor, inside it. */
static enum network ip_dissect(struct dissector *d, struct cursor *c, struct packet *p)
{
	struct ip_fragment fragment = { 0 };
	enum network network;
	struct cursor before;

	if (!ip_parse(c, p, &fragment))
		return NETWORK_NONE;
	p->kind = PACKET_OTHER;
	if (!fragment.is && p->ip_protocol == IP_ESP) {
		network = esp_ip(c, p);
		if (network != NETWORK_NONE || p->undecoded != UNDECODED_NO)
			return network;
	}
	if (d->alone && (fragment.is || p->ip_protocol == IP_TCP || p->ip_protocol == IP_SCTP)) {
		d->left = true;
		return NETWORK_NONE;
	}
	if (fragment.is) {
		before = *c;
		if (!fragments_add(d->fragments, &fragment, c, p)) {
			fragment_ports(before, p, &fragment);
			return NETWORK_NONE;
		}
		fragment.is = false;
		if (!ip_extensions(c, p, &fragment))
			return NETWORK_NONE;
		if (fragment.is) {                      /* a fragment of a fragment: nobody sends that */
			p->undecoded = UNDECODED_MALFORMED;
			return NETWORK_NONE;
		}
		if (p->ip_protocol == IP_ESP) {
			network = esp_ip(c, p);
			if (network != NETWORK_NONE || p->undecoded != UNDECODED_NO)
				return network;
		}
	}
	switch (p->ip_protocol) {
	case IP_UDP:
		return udp_dissect(d, c, p);
	case IP_TCP:
		tcp_dissect(d, c, p);
		return NETWORK_NONE;
	case IP_SCTP:
		sctp_dissect(d, c, p);
		return NETWORK_NONE;
	case IP_ICMP:
	case IP_ICMP6:
		if ((p->ip_protocol == IP_ICMP6) == (p->src.addr.family == 6))
			icmp_dissect(c, p, p->ip_protocol == IP_ICMP6);
		return NETWORK_NONE;
	default:
		return tunnel_ip(c, p);
	}
}

/* No packet, but what one carried. */
static bool exported_dissect(struct dissector *d, struct cursor c, struct packet *p)
{
	struct hep told;

	if (!exported_parse(&c, &told))
		return false;
	told_take(&told, p);
	p->has |= HAS_IP | HAS_PORTS;
	c = cursor_over(told.payload, told.payload_wire);
	datagram_classify(d, &c, p);
	return true;
}

static void frame_dissect(struct dissector *d, struct packet *p)
{
	const struct frame *f = d->frame;
	struct cursor c = cursor_over(f->bytes, f->wire_bytes);
	enum network network;

	if (plain_frame(f)) {
		plain_packet(f, p);
		return;
	}
	packet_begin(p, f);
	if (f->link == LINK_EXPORTED && exported_dissect(d, c, p))
		return;
	network = link_parse(&c, f->link, p);
	while (network == NETWORK_IP)
		network = ip_dissect(d, &c, p);
	if (network == NETWORK_ARP && !(p->has & HAS_IP))
		p->kind = PACKET_ARP;
}

void dissect_frame(struct dissector *d, const struct frame *frame)
{
	fragments_release(d->fragments);
	d->frame = frame;
	d->more = MORE_FRAME;
}

bool dissect_alone(struct dissector *d, const struct frame *frame, struct packet *ret_packet, struct sip_message *sip,
		   struct rtcp_compound *rtcp)
{
	d->sip = sip;
	d->rtcp = rtcp;
	d->alone = true;
	d->left = false;
	d->frame = frame;
	frame_dissect(d, ret_packet);
	d->alone = false;
	d->sip = &d->own_sip;
	d->rtcp = &d->own_rtcp;
	return !d->left;
}

bool dissect_next(struct dissector *d, struct packet *ret_packet)
{
	switch (d->more) {
	case MORE_FRAME:
		d->more = MORE_NONE;
		frame_dissect(d, ret_packet);
		return true;
	case MORE_TCP:
		return tcp_more(d, ret_packet);
	case MORE_SCTP:
		return sctp_more(d, ret_packet);
	case MORE_NONE:
		break;
	}
	return false;
}
