/* SPDX-License-Identifier: MIT */
/* capture_facts: what is known of the capture as a whole: counts, cuts, clocks, and what besides VoIP is in it. */
#include "analyzer/capture_facts.h"

#include <stdlib.h>

#include "analyzer/engine_state.h"
#include "captures/base/memory.h"
#include "dissect/ldap.h"
#include "dissect/provisioning.h"

enum { GRAINS = 3 };

static const int64_t grains[GRAINS] = { MILLISECOND_NS, 10 * MILLISECOND_NS, 100 * MILLISECOND_NS };

enum { SILENCES_MAX = 65536 };
#define SILENCE_NS (100 * MILLISECOND_NS)

static void note_silence(struct silences *s, int64_t from_ns, int64_t to_ns)
{
	if (s->count == SILENCES_MAX)
		return;
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->list = memory_resize(s->list, s->room, sizeof *s->list);
	}
	s->list[s->count++] = (struct stillness){ from_ns, to_ns };
}

/* Several files are several capture points: one may stand still alone. */
static void note_file_silence(struct capture_facts *c, unsigned file, int64_t from_ns, int64_t to_ns)
{
	while (c->file_count <= file) {
		c->file_silences = memory_resize(c->file_silences, c->file_count + 1u, sizeof *c->file_silences);
		c->file_silences[c->file_count++] = (struct silences){ NULL, 0, 0 };
	}
	note_silence(&c->file_silences[file], from_ns, to_ns);
}

/* Counted at the first grain that it is no multiple of, as it is none of the coarser ones: mostly one division. */
static void note_grain(struct engine *e, int64_t at_ns)
{
	for (unsigned i = 0; i < GRAINS; i++) {
		if (at_ns % grains[i] != 0) {
			e->grain_odd[i]++;
			return;
		}
	}
}

/* Not soon after the latest one before it: the first, older than others, or behind a silence. */
static void note_odd_time(struct engine *e, const struct file_clock *clock, int64_t at_ns)
{
	if (e->capture.first_ns == NS_NONE || at_ns < e->capture.first_ns)
		e->capture.first_ns = at_ns;
	if (e->capture.last_ns != NS_NONE && ns_minus(at_ns, e->capture.last_ns) >= SILENCE_NS)
		note_silence(&e->capture.silences, e->capture.last_ns, at_ns);
	if (e->capture.last_ns == NS_NONE || at_ns > e->capture.last_ns)
		e->capture.last_ns = at_ns;
	if (clock->begun && at_ns < clock->last_ns - 10 * MILLISECOND_NS)
		e->capture.timestamps_back++;
}

static void note_time(struct engine *e, uint16_t file, int64_t at_ns)
{
	struct file_clock *clock = &e->clocks[file % ENGINE_FILE_MAX];

	if ((uint64_t)at_ns - (uint64_t)e->capture.last_ns < (uint64_t)SILENCE_NS)
		e->capture.last_ns = at_ns;
	else
		note_odd_time(e, clock, at_ns);
	if (clock->begun && at_ns - clock->last_ns >= SECOND_NS)
		note_file_silence(&e->capture, file % ENGINE_FILE_MAX, clock->last_ns, at_ns);
	clock->begun = true;
	clock->last_ns = at_ns;
	note_grain(e, at_ns);
}

static void note_protocol(struct engine *e, uint8_t protocol, uint16_t port)
{
	for (unsigned i = 0; i < e->protocol_count; i++) {
		struct protocol_count *c = &e->protocols[i];

		if (c->protocol == protocol && c->port == port) {
			c->packets++;
			if (i > 0 && c->packets > c[-1].packets) {   /* the frequent ones move to the front */
				struct protocol_count swap = c[-1];

				c[-1] = *c;
				*c = swap;
			}
			return;
		}
	}
	if (e->protocol_count < PROTOCOL_MAX)
		e->protocols[e->protocol_count++] = (struct protocol_count){ protocol, port, 1 };
}

/* The port that names the service: the lower one. */
static uint16_t service_port(const struct packet *p)
{
	return p->src.port < p->dst.port ? p->src.port : p->dst.port;
}

/* What is fetched in clear; false: nothing that matters here. */
static bool fetch_of(const struct packet *p, enum fetch *ret)
{
	struct span agent;

	if (p->transport == TRANSPORT_TCP && ldap_simple_bind(p->payload)) {
		*ret = FETCH_LDAP;
		return true;
	}
	switch (provisioning_request(p, &agent)) {
	case PROVISIONING_HTTP:
		*ret = FETCH_HTTP;
		return host_role_of_agent(agent) == ROLE_PHONE;
	case PROVISIONING_TFTP:
		*ret = FETCH_TFTP;
		return true;
	case PROVISIONING_NO:
		break;
	}
	return false;
}

static void note_provisioning(struct engine *e, const struct packet *p)
{
	struct provisioned *x = NULL;
	enum fetch by;

	if (!p->payload.n || !fetch_of(p, &by))
		return;
	for (unsigned i = 0; i < e->capture.provisioned_count && !x; i++) {
		struct provisioned *each = &e->capture.provisioned[i];

		if (each->by == by && address_equal(&each->client, &p->src.addr) &&
		    address_equal(&each->server.addr, &p->dst.addr))
			x = each;
	}
	if (!x && e->capture.provisioned_count == PROVISIONED_MAX)
		return;
	if (!x) {
		x = &e->capture.provisioned[e->capture.provisioned_count++];
		*x = (struct provisioned){ .client = p->src.addr, .server = p->dst, .by = by,
					   .first_at = { p->at_ns, p->frame, p->file, p->interface } };
	}
	x->count++;
}

static void note_other(struct engine *e, const struct packet *p)
{
	uint16_t port = p->has & HAS_PORTS ? service_port(p) : 0;

	if (!(p->has & HAS_IP))
		return;
	note_protocol(e, p->ip_protocol, port);
	note_provisioning(e, p);
	if (p->transport == TRANSPORT_UDP)
		e->capture.other_udp++;
	e->capture.h323 += port == 1719 || port == 1720;
	e->capture.mgcp += port == 2427 || port == 2727;
	e->capture.sccp += port == 2000 && p->ip_protocol == 6;
}

/* Long frames of other TCP traffic may be cut without harm. */
static bool cut_matters(const struct packet *p)
{
	return !(p->kind == PACKET_OTHER && p->transport == TRANSPORT_TCP) && p->kind != PACKET_TLS &&
	       p->kind != PACKET_ARP;
}

static void note_truncated(struct engine *e, const struct packet *p)
{
	if ((!(p->has & HAS_TRUNCATED) && p->undecoded != UNDECODED_TRUNCATED) || !cut_matters(p))
		return;
	if (e->capture.truncated++ == 0)
		e->capture.truncated_at = frame_ref_of(p);
	e->capture.truncated_sip += p->kind == PACKET_SIP;
	e->capture.truncated_rtp += p->kind == PACKET_RTP;
	e->capture.came_cut += p->captured_bytes == p->wire_bytes;
	if (p->payload.p && !e->capture.first_cut)
		e->capture.first_cut = p->captured_bytes;
}

/* Fragments without ports are what such a filter loses, so they do not count. */
static bool on_sip_port(const struct packet *p)
{
	return !(p->has & HAS_PORTS) || (p->dst.port >= 5060 && p->dst.port <= 5061) ||
	       (p->src.port >= 5060 && p->src.port <= 5061);
}

static void note_beyond(struct engine *e, const struct packet *p)
{
	if (p->kind == PACKET_ARP || (p->kind == PACKET_NONE && p->undecoded == UNDECODED_NOT_IP))
		e->capture.beyond_sip++;
	else if ((p->kind == PACKET_OTHER || p->kind == PACKET_STUN || p->kind == PACKET_TCP) && !on_sip_port(p))
		e->capture.beyond_sip++;
	else if (p->kind == PACKET_OTHER && (p->has & HAS_IP) && !(p->has & HAS_PORTS) && p->undecoded == UNDECODED_NO)
		e->capture.beyond_sip++;     /* IGMP and the like */
}

static void note_kind(struct engine *e, const struct packet *p)
{
	switch ((enum packet_kind)p->kind) {
	case PACKET_SIP: e->capture.sip += p->first_of_frame; break;
	case PACKET_RTP: break;
	case PACKET_RTCP: e->capture.rtcp++; break;
	case PACKET_STUN: e->capture.stun++; break;
	case PACKET_DTLS:
	case PACKET_TLS:
		e->capture.dtls += p->kind == PACKET_DTLS;
		e->capture.tls += p->first_of_frame;
		tls_pairs_packet(e->tls, p);
		break;
	case PACKET_ICMP: e->capture.icmp++; break;
	case PACKET_OTHER: case PACKET_TCP: case PACKET_KEEPALIVE: case PACKET_UDPTL: case PACKET_FRAGMENT: case PACKET_ARP:
		e->capture.other += p->first_of_frame;
		note_other(e, p);
		break;
	case PACKET_NONE:
		if (p->first_of_frame)
			e->undecoded[p->undecoded]++;
		break;
	}
}

static void note_frame(struct engine *e, uint16_t file, int64_t at_ns, uint32_t wire_bytes)
{
	e->capture.frames++;
	e->bytes += wire_bytes;
	note_time(e, file, at_ns);
}

void capture_facts_plain(struct engine *e, const struct frame *f)
{
	note_frame(e, f->file, f->at_ns, f->wire_bytes);
	e->capture.udp++;
}

void capture_facts_packet(struct engine *e, const struct packet *p)
{
	if (p->first_of_frame)
		note_frame(e, p->file, p->at_ns, p->wire_bytes);
	if (p->kind == PACKET_RTP && p->undecoded == UNDECODED_NO && !(p->has & HAS_TRUNCATED) && !p->tcp_gap) {
		e->capture.udp += p->transport == TRANSPORT_UDP;
		return;              /* counted when the streams have taken it */
	}
	if (p->first_of_frame)
		note_beyond(e, p);
	e->capture.udp += p->transport == TRANSPORT_UDP;
	e->capture.tcp_gaps += p->tcp_gap;
	if (p->kind != PACKET_NONE && p->undecoded != UNDECODED_NO && p->first_of_frame)
		e->undecoded[p->undecoded]++;
	note_truncated(e, p);
	note_kind(e, p);
}

/*
 * Does a capture filter let SIP ports in and no others? "port 5060", "udp port 5060 or port 5061". Anything cleverer:
 * not told.
 */
static bool filter_excludes_media(const char *filter)
{
	static const char *const harmless[] = { "port", "udp", "tcp", "or", "and", "sip", "5060", "5061", "vlan", "src",
		"dst" };
	struct span rest = span_of(filter), word;
	bool sip = false;

	while (rest.n && span_split(&rest, ' ', &word)) {
		bool known = word.n == 0;

		for (size_t i = 0; i < sizeof harmless / sizeof harmless[0] && !known; i++)
			known = span_equal(word, span_of(harmless[i]));
		if (!known)
			return false;
		sip |= span_equal(word, SPAN("5060")) || span_equal(word, SPAN("5061")) ||
			span_equal(word, SPAN("sip"));
	}
	return sip;
}

void capture_facts_fini(struct capture_facts *c)
{
	for (unsigned i = 0; i < c->file_count; i++)
		free(c->file_silences[i].list);
	free(c->file_silences);
	free(c->silences.list);
}

void capture_facts_settle(struct engine *e)
{
	struct capture_facts *c = &e->capture;
	struct streams_counts s = streams_counts(e->streams);

	c->no_clock = c->frames > 1 && c->first_ns == c->last_ns;
	c->rtp = s.rtp_packets;
	c->like_rtp = s.refused_packets;
	c->other += s.refused_packets;
	for (unsigned i = 0; i < GRAINS && e->grain_odd[i] == 0 && c->frames >= 20; i++)
		c->timestamp_grain_ns = grains[i];
	c->non_sip_protocols = e->protocol_count;
	/* of several interfaces one may see what the filter of another one keeps out */
	c->filtered_media = (filter_excludes_media(c->filter) && c->rtp == 0) || filter_excludes_media(c->read_filter);
}
