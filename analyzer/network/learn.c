/* SPDX-License-Identifier: MIT */
/* learn: what one SIP message tells of addresses behind a NAT (1.6.3) and of what its sender is (1.6.1). */
#include "analyzer/network/internal.h"

#include <stdlib.h>

#include "captures/base/memory.h"

enum {
	VIAS_MAX = 8,                /* Vias below the topmost that are looked at */
	SDP_LINES_MAX = 64,
	E164_DIGITS = 7,             /* so many digits are more than an extension */
	SIGNALLED_EXTERNAL = 50      /* weight of an own public address that no RTP has confirmed */
};

/* ---- the NAT map ---- */

static void learn_at(struct network *n, const struct packet *p, struct nat_mapping m)
{
	m.first_ns = m.last_ns = p->at_ns;
	m.at = (struct frame_spot){ p->file, p->frame };
	m.transport = p->transport;
	nat_learn(&n->nat, &m);
}

/* Whole addresses, SIP scope. */
static void learn_hosts(struct network *n, const struct packet *p, const struct address *inside,
	const struct address *outside, enum nat_method method, unsigned weight)
{
	learn_at(n, p,
		(struct nat_mapping){
			.inside = { *inside, 0 }, .outside = { *outside, 0 }, .method = method, .weight = weight });
}

static bool via_endpoint(const struct sip_via *v, const struct packet *p, struct endpoint *ret)
{
	if (!address_known(&v->at) || address_reach(&v->at) < 0)
		return false;
	ret->addr = v->at;
	ret->port = v->has_port ? v->port : p->transport == TRANSPORT_TLS ? SIPS_PORT : SIP_PORT;
	return true;
}

/*
 * RFC 3581: what the server saw the request come from. Two private addresses prove a NAT only where the answer is seen
 * arriving at the one that the client knows: elsewhere it may be a host with two addresses. What was made to look more
 * private on its way in (masqueraded by the server's own side) is no client behind a NAT.
 */
static void learn_received(
	struct network *n, const struct packet *p, const struct sip_via *v, const struct address *client)
{
	struct nat_mapping m = { .method = NAT_RPORT, .weight = 90 };
	uint64_t rport = 0;
	int inner, outer;

	if (!address_known(&v->received_at) || !via_endpoint(v, p, &m.inside))
		return;
	m.outside.addr = v->received_at;
	inner = address_reach(&m.inside.addr);
	outer = address_reach(&m.outside.addr);
	if (address_equal(&m.inside.addr, &m.outside.addr) || inner > outer)
		return;
	if (inner == outer && !(client && address_equal(client, &m.inside.addr)))
		return;
	if (p->transport == TRANSPORT_UDP && v->has_rport && span_number(v->rport, 65535, &rport) && rport)
		m.outside.port = (uint16_t)rport;
	else
		m.inside.port = 0;       /* of TCP sent-by names the listening port, not the connection's */
	learn_at(n, p, m);
}

/*
 * The server's own Via lies below the one on top, and the packets come from there: somebody nearer has put his above it
 * (a transparent proxy, which sends in the server's name), the server itself is no client behind a NAT.
 */
static bool stands_for(const struct sip_message *m, const struct packet *p, const struct address *server)
{
	struct endpoint below;
	struct sip_via v;

	return m->via_count > 1 && sip_via_at(m, 1, &v) && via_endpoint(&v, p, &below) &&
		address_equal(&below.addr, server);
}

static bool address_in_contact(const struct sip_message *m, struct address *ret)
{
	return !m->contact_star && m->contact.host.n && address_parse(m->contact.host, ret) && address_reach(ret) >= 0;
}

/* The first literal c= line: the session's, or the first medium's. A null address is hold, no place. */
static bool sdp_connection(struct span sdp, struct address *ret)
{
	struct span line;

	for (int i = 0; i < SDP_LINES_MAX && sdp.n; i++) {
		line = span_first(sdp, span_find(sdp, '\n'));
		sdp = span_from(sdp, line.n + 1);
		if (line.n < 10 || line.p[0] != 'c' || !span_starts(line, SPAN("c=IN IP")))
			continue;
		line = span_trim(span_from(line, 9));
		if (address_parse(span_first(line, span_find(line, '/')), ret) && address_reach(ret) >= 0)
			return true;
	}
	return false;
}

/*
 * The sender names an address that is not its packets': either a NAT behind it has yet to make it so (it knows its
 * public face), or somebody in front of it has rewritten all that arrives. One such address may be a face, several are
 * other people's.
 */
static void learn_external(
	struct network *n, const struct packet *p, const struct address *named, const struct address *sdp)
{
	struct endpoint whole = { p->src.addr, 0 }, known;
	struct nat_mapping media = {
		.inside = whole,
		.outside = { *named, 0 },
		.media = true,
		.method = NAT_EXTERNAL_ADDRESS,
		.weight = SIGNALLED_EXTERNAL,
	};

	if (network_public_of(n, &whole, false, &known, NULL) && !address_equal(&known.addr, named))
		return;
	learn_hosts(n, p, &p->src.addr, named, NAT_EXTERNAL_ADDRESS, SIGNALLED_EXTERNAL);
	if (sdp && address_equal(sdp, named))
		learn_at(n, p, media);
}

/*
 * The topmost Via is the sender's own. Contact is so only where nobody else has handled the request: a proxy leaves it
 * alone.
 */
static void learn_request_nat(
	struct network *n, const struct packet *p, const struct sip_message *m, const struct address *sdp)
{
	const struct address *src = &p->src.addr;
	struct endpoint sent_by;
	struct address contact;
	struct sip_via v;

	for (unsigned i = 1; i <= VIAS_MAX && i < m->via_count && sip_via_at(m, i, &v); i++)
		learn_received(n, p, &v, NULL);
	if (!stands_for(m, p, src) && via_endpoint(&m->via, p, &sent_by)) {
		int named = address_reach(&sent_by.addr), seen = address_reach(src);

		if (named < seen)
			learn_hosts(n, p, &sent_by.addr, src, NAT_VIA, 80);
		else if (named == 2 && seen >= 0 && seen < 2)
			learn_external(n, p, &sent_by.addr, sdp);
	}
	if (m->via_count == 1 && address_in_contact(m, &contact) && address_reach(&contact) < address_reach(src))
		learn_hosts(n, p, &contact, src, NAT_CONTACT, 60);
}

/* Media from the same two addresses as the signalling, until RTP tells better: network_learn with ports. */
static void learn_sdp(struct network *n, const struct packet *p, struct host_record *src, const struct address *sdp)
{
	uint32_t hash = address_hash(sdp);
	struct host_record *named;
	bool known = false;

	for (unsigned i = 0; i < src->sdp_address_count; i++)
		known |= src->sdp_addresses[i] == hash;
	if (!known && src->sdp_address_count < 2)
		src->sdp_addresses[src->sdp_address_count++] = hash;
	if (nat_weight(&n->nat, sdp, &p->src.addr, false) >= NAT_SURE) {
		learn_at(n, p,
			(struct nat_mapping){
				.inside = { *sdp, 0 },
				.outside = { p->src.addr, 0 },
				.media = true,
				.method = NAT_SDP_PORT_OTHER,
				.weight = 50,
			});
	} else if (!network_same(n, sdp, &p->src.addr)) {
		named = host_add(n, sdp, src);
		named->host.in_sdp_of_others = true;
	}
}

/* ---- what the two ends are ---- */

static bool is_e164(struct span user)
{
	size_t digits = 0;

	if (user.n && user.p[0] == '+')
		user = span_from(user, 1);
	for (; digits < user.n; digits++) {
		if (user.p[digits] < '0' || user.p[digits] > '9')
			return false;
	}
	return digits >= E164_DIGITS;
}

static void aor_add(struct host_record *h, const struct sip_address *to)
{
	uint32_t hash = (uint32_t)hash_mix(hash_span(to->user), hash_span(to->host));

	for (unsigned i = 0; i < h->host.aors; i++) {
		if (h->aors[i] == hash)
			return;
	}
	if (h->host.aors < AOR_MAX)
		h->aors[h->host.aors++] = hash;
}

/* Those a registrar or PBX sends; a phone sends NOTIFY too, about the transfer it was asked for. */
static bool notifies_of_state(const struct sip_message *m)
{
	struct span event = sip_header_value(m, SIP_H_EVENT);

	return span_starts_nocase(event, SPAN("dialog")) || span_starts_nocase(event, SPAN("message-summary")) ||
	       span_starts_nocase(event, SPAN("presence"));
}

static void learn_invite(struct host_record *src, struct host_record *dst, const struct sip_message *m)
{
	bool e164 = is_e164(m->request_uri.user);

	if (m->to.tag.n)
		return;                  /* in a dialog */
	src->host.invites_sent++;
	dst->host.invites_received++;
	src->e164_sent |= e164;
	dst->e164_received |= e164;
	src->asserts_identity |= sip_header_find(m, SIP_H_P_ASSERTED_IDENTITY) != NULL;
}

static void learn_register(struct host_record *src, struct host_record *dst, const struct sip_message *m)
{
	src->host.registers_sent++;
	aor_add(src, &m->to);
	if (host_role_of_agent(m->user_agent) == ROLE_PBX)
		dst->registers_of_pbx++;
}

/* Two Vias, the upper one its own (or a name): it forwards, and what the message calls itself is somebody else. */
static bool forwards(const struct packet *p, const struct sip_message *m)
{
	return m->via_count >= 2 && m->via.host.n &&
		(!address_known(&m->via.at) || address_equal(&m->via.at, &p->src.addr));
}

static void learn_request(
	struct host_record *src, struct host_record *dst, const struct packet *p, const struct sip_message *m)
{
	if (forwards(p, m)) {
		src->host.adds_via = true;
	} else if (m->via_count == 1) {
		host_agent(src, m->user_agent, AGENT_REQUEST);
		if (m->method == SIP_REGISTER)
			learn_register(src, dst, m);
	}
	if (m->method == SIP_INVITE)
		learn_invite(src, dst, m);
	else if (m->method == SIP_NOTIFY && notifies_of_state(m))
		src->host.notifies_sent++;
	else if (m->method == SIP_OPTIONS)
		src->host.options_sent++;
}

/*
 * A registrar's, or a hop's "I have got it": a proxy that passes answers on lends its address to the words of others in
 * all else.
 */
static bool speaks_for_itself(const struct sip_message *m)
{
	return m->method == SIP_REGISTER || m->status == 100;
}

static void learn_response(struct host_record *src, const struct sip_message *m)
{
	if (src->host.adds_via)
		return;                  /* what it passes on says nothing of itself */
	if (m->via_count == 1)
		host_agent(src, m->user_agent, speaks_for_itself(m) ? AGENT_OWN_RESPONSE : AGENT_RESPONSE);
	if (m->method == SIP_REGISTER && m->status == 200 && m->contact.whole.n)
		src->host.registers_answered++;
}

/* A success that nobody gives to a stranger with a forged address: OPTIONS is answered to everyone. */
static bool proves_both(const struct sip_message *m)
{
	return !m->request && m->status >= 200 && m->status < 300 && m->method != SIP_OPTIONS &&
		m->method != SIP_METHOD_NONE && m->method != SIP_METHOD_OTHER;
}

void network_learn_sip(struct network *n, const struct packet *p, const struct sip_message *m)
{
	struct pair_record *pair;
	struct address sdp;
	bool has_sdp;

	if (!(p->has & HAS_IP) || !address_known(&p->src.addr) || !address_known(&p->dst.addr))
		return;
	pair = pair_again(n, p);
	has_sdp = sdp_connection(m->sdp, &sdp);
	if (m->request) {
		learn_request(pair->src, pair->dst, p, m);
		learn_request_nat(n, p, m, has_sdp ? &sdp : NULL);
		host_sip_port(pair->dst, p->dst.port);
	} else {
		learn_response(pair->src, m);
		if (!stands_for(m, p, &p->dst.addr))
			learn_received(n, p, &m->via, &p->dst.addr);
	}
	if (proves_both(m))
		pair_establish(n, pair);
	if (has_sdp)
		learn_sdp(n, p, pair->src, &sdp);
}
