/* SPDX-License-Identifier: MIT */
/*
 * others: ICMP, STUN, ARP, plain UDP, TCP and TLS; and a background that shows an unfiltered capture of both
 * directions.
 */
#include "tests/scenarios/scenario.h"

#include <netinet/in.h>
#include <stdio.h>

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_PSH = 8, TCP_ACK = 16 };

/* [at T [count N every T]]: the times of something that repeats. */
struct times {
	int64_t at_ns, every_ns;
	unsigned count;
};

static struct times times_want(struct scenario *s, struct words *w)
{
	struct times t = { .count = 1 };

	word_expect(s, w, "at");
	t.at_ns = time_want(s, w);
	if (word_accept(w, "count")) {
		t.count = (unsigned)integer_want(s, w, "how many");
		word_expect(s, w, "every");
		t.every_ns = time_want(s, w);
	}
	if (t.count > 100000)
		scenario_fail(s, "%u is too many", t.count);
	return t;
}

/* The IPv4 and UDP header of the packet that is complained about, and so many bytes of its RTP. */
static void quote_add(struct scenario *s, struct buffer *p, const struct endpoint *src, const struct endpoint *dst,
	size_t payload)
{
	size_t udp = 8 + 172;                /* of an ordinary G.711 packet, quoted whole or not */

	if (src->addr.family != 4 || dst->addr.family != 4)
		scenario_fail(s, "only IPv4 packets are quoted");
	buffer_u16(p, 0x4500);
	buffer_u16(p, (unsigned)(20 + udp));
	buffer_u32(p, 0x12340000);
	buffer_u16(p, 60 << 8 | IPPROTO_UDP);
	buffer_u16(p, 0);
	buffer_add(p, src->addr.bytes, 4);
	buffer_add(p, dst->addr.bytes, 4);
	buffer_u16(p, src->port);
	buffer_u16(p, dst->port);
	buffer_u16(p, (unsigned)udp);
	buffer_u16(p, 0);
	for (size_t i = 0; i < payload; i++)
		buffer_u8(p, i == 0 ? 0x80 : i == 1 ? 8 : 0);
}

/* icmp HOST > HOST at T [count N every T] type N code N quoting FROM > TO [bytes N] [as HOST] */
void icmp_read(struct scenario *s, struct words *w)
{
	struct endpoint from = { .addr = address_want(s, w) }, to, src, dst;
	struct buffer p = { .arena = s->arena };
	struct times t;
	size_t payload = 28;
	struct host *as = NULL;

	word_expect(s, w, ">");
	to = (struct endpoint){ .addr = address_want(s, w) };
	t = times_want(s, w);
	word_expect(s, w, "type");
	buffer_u8(&p, (unsigned)integer_want(s, w, "the type"));
	word_expect(s, w, "code");
	buffer_u8(&p, (unsigned)integer_want(s, w, "the code"));
	buffer_u16(&p, 0);                   /* checksum: write.c */
	buffer_u32(&p, 0);
	word_expect(s, w, "quoting");
	src = endpoint_want(s, w);
	word_expect(s, w, ">");
	dst = endpoint_want(s, w);
	if (word_accept(w, "bytes"))
		payload = integer_want(s, w, "the quoted payload");
	if (word_accept(w, "as")) {
		as = host_by_name(s, word_want(s, w, "a host"));
		if (!as)
			scenario_fail(s, "no such host");
	}
	if (payload > 172)
		scenario_fail(s, "at most 172 bytes are quoted");
	if (s->error)
		return;
	quote_add(s, &p, &src, &dst, payload);
	for (unsigned i = 0; i < t.count; i++) {
		struct datagram *d = datagram_add(s, t.at_ns + (int64_t)i * t.every_ns, from, to, TRAFFIC_ICMP, p.p, p.n);

		d->protocol = IPPROTO_ICMP;
		d->from = as ? as : d->from;
	}
}

static void stun_address_add(struct buffer *p, const struct endpoint *mapped)
{
	buffer_u16(p, 0x0020);               /* XOR-MAPPED-ADDRESS */
	buffer_u16(p, 8);
	buffer_u16(p, 1);
	buffer_u16(p, mapped->port ^ 0x2112u);
	for (size_t i = 0; i < 4; i++)
		buffer_u8(p, mapped->addr.bytes[i] ^ (0x2112a442u >> (24 - 8 * i) & 0xff));
}

static void stun_user_add(struct buffer *p, const char *user)
{
	size_t n = strlen(user);

	buffer_u16(p, 0x0006);               /* USERNAME */
	buffer_u16(p, (unsigned)n);
	buffer_add(p, user, n);
	while (p->n % 4)
		buffer_u8(p, 0);
}

/* stun FROM > TO at T [count N every T] request|response|indication [user X] [mapped ENDPOINT] */
void stun_read(struct scenario *s, struct words *w)
{
	struct endpoint src = endpoint_want(s, w), dst, mapped;
	struct buffer p = { .arena = s->arena }, attributes = { .arena = s->arena };
	struct times t;
	unsigned type = 0x0001;

	word_expect(s, w, ">");
	dst = endpoint_want(s, w);
	t = times_want(s, w);
	if (word_accept(w, "response"))
		type = 0x0101;
	else if (word_accept(w, "indication"))
		type = 0x0011;
	else
		word_expect(s, w, "request");
	if (word_accept(w, "user"))
		stun_user_add(&attributes, word_want(s, w, "the user name"));
	if (word_accept(w, "mapped")) {
		mapped = endpoint_want(s, w);
		stun_address_add(&attributes, &mapped);
	}
	for (unsigned i = 0; i < t.count && !s->error; i++) {
		p.n = 0;
		buffer_u16(&p, type);
		buffer_u16(&p, (unsigned)attributes.n);
		buffer_u32(&p, 0x2112a442);
		buffer_u64(&p, 0x0102030405060708 + i);
		buffer_u32(&p, 0x090a0b0c);
		buffer_add(&p, attributes.p, attributes.n);
		datagram_add(s, t.at_ns + (int64_t)i * t.every_ns, src, dst, TRAFFIC_STUN, p.p, p.n);
	}
}

static void arp_send(struct scenario *s, int64_t at_ns, const struct host *from, const struct host *to,
	unsigned operation)
{
	static const uint8_t nobody[6];
	struct buffer p = { .arena = s->arena };

	buffer_u32(&p, 0x00010800);
	buffer_u16(&p, 0x0604);
	buffer_u16(&p, operation);
	buffer_add(&p, from->mac, 6);
	buffer_add(&p, from->addr.bytes, 4);
	buffer_add(&p, operation == 1 ? nobody : to->mac, 6);
	buffer_add(&p, to->addr.bytes, 4);
	datagram_add(s, at_ns, (struct endpoint){ .addr = from->addr }, (struct endpoint){ .addr = to->addr },
		TRAFFIC_ARP, p.p, p.n)->protocol = 0;
}

/* lldp HOST at T [count N every T] vid N: the switch tells its phones of the VLAN for voice (LLDP-MED) */
void lldp_read(struct scenario *s, struct words *w)
{
	const struct host *from = host_want(s, w);
	struct times t = times_want(s, w);
	struct buffer p = { .arena = s->arena };
	unsigned vid;

	word_expect(s, w, "vid");
	vid = (unsigned)integer_want(s, w, "the VLAN") & 0xfff;
	buffer_u16(&p, 1 << 9 | 7);                     /* chassis: a MAC address */
	buffer_u8(&p, 4);
	buffer_add(&p, from->mac, 6);
	buffer_u16(&p, 127 << 9 | 8);                   /* network policy: voice, tagged, priority 5, DSCP 46 */
	buffer_u32(&p, 0x0012bb02);
	buffer_u32(&p, 0x01400000u | vid << 9 | 5 << 6 | 46);
	buffer_u16(&p, 0);
	for (unsigned i = 0; i < t.count && !s->error; i++)
		datagram_add(s, t.at_ns + (int64_t)i * t.every_ns, (struct endpoint){ .addr = from->addr },
			(struct endpoint){ .addr = from->addr }, TRAFFIC_OTHER, p.p, p.n)->protocol = LLDP;
}

/* arp HOST > HOST at T [count N every T]: question and answer */
void arp_read(struct scenario *s, struct words *w)
{
	const struct host *from = host_want(s, w), *to;
	struct times t;

	word_expect(s, w, ">");
	to = host_want(s, w);
	t = times_want(s, w);
	for (unsigned i = 0; i < t.count && !s->error; i++) {
		int64_t at_ns = t.at_ns + (int64_t)i * t.every_ns;

		arp_send(s, at_ns, from, to, 1);
		arp_send(s, at_ns + MILLISECOND_NS, to, from, 2);
	}
}

/*
 * udp FROM > TO at T [count N every T] [bytes N | text "..." | hex "..."] [from-fan|to-fan] [only|not TAP]: fan, each
 * from or to the next port
 */
void udp_read(struct scenario *s, struct words *w)
{
	struct endpoint src = endpoint_want(s, w), dst;
	struct buffer p = { .arena = s->arena };
	uint16_t taps = TAP_ALL, from_fan = 0, to_fan = 0;
	struct times t;

	word_expect(s, w, ">");
	dst = endpoint_want(s, w);
	t = times_want(s, w);
	if (word_accept(w, "bytes")) {
		size_t n = integer_want(s, w, "the bytes");

		for (size_t i = 0; i < n && i < 1400; i++)
			buffer_u8(&p, (unsigned)(i * 7) & 0x7f);
	} else if (word_accept(w, "text")) {
		const char *text = word_want(s, w, "the text");

		buffer_add(&p, text, strlen(text));
	} else if (word_accept(w, "hex")) {
		buffer_hex(&p, word_want(s, w, "the bytes"));
	}
	if (word_accept(w, "from-fan"))
		from_fan = 1;
	else if (word_accept(w, "to-fan"))
		to_fan = 1;
	taps_accept(s, w, &taps);
	for (unsigned i = 0; i < t.count && !s->error; i++) {
		datagram_add(s, t.at_ns + (int64_t)i * t.every_ns, src, dst, TRAFFIC_OTHER, p.p, p.n)->taps = taps;
		src.port = (uint16_t)(src.port + from_fan);
		dst.port = (uint16_t)(dst.port + to_fan);
	}
}

static struct datagram *segment_add(struct scenario *s, int64_t at_ns, struct endpoint src, struct endpoint dst,
	enum traffic traffic,
	unsigned flags, const void *bytes, size_t n, uint16_t taps)
{
	struct datagram *d = datagram_add(s, at_ns, src, dst, traffic, bytes, n);

	d->protocol = IPPROTO_TCP;
	d->tcp_flags = (uint8_t)flags;
	d->taps = taps;
	return d;
}

static bool connection_known(struct scenario *s, const struct endpoint *a, const struct endpoint *b)
{
	LIST_EACH(it, &s->connections) {
		const struct connection *c = LIST_ENTRY(it, struct connection, link);

		if ((endpoint_equal(&c->a, a) && endpoint_equal(&c->b, b)) ||
		    (endpoint_equal(&c->a, b) && endpoint_equal(&c->b, a)))
			return true;
	}
	return false;
}

static void connection_open(struct scenario *s, int64_t at_ns, struct endpoint src, struct endpoint dst,
	enum traffic traffic, uint16_t taps)
{
	struct connection *c = scenario_zalloc(s, sizeof *c);

	c->a = src;
	c->b = dst;
	c->seq[0] = 1000 + 100000 * (uint32_t)s->connections.count;
	c->seq[1] = 900000 + 100000 * (uint32_t)s->connections.count;
	list_add_tail(&s->connections, &c->link);
	segment_add(s, at_ns - 3 * MILLISECOND_NS, src, dst, traffic, TCP_SYN, NULL, 0, taps);
	segment_add(s, at_ns - 2 * MILLISECOND_NS, dst, src, traffic, TCP_SYN | TCP_ACK, NULL, 0, taps);
	segment_add(s, at_ns - 1 * MILLISECOND_NS, src, dst, traffic, TCP_ACK, NULL, 0, taps);
}

/* On a connection that is opened when it is not there yet; in segments of at most 1400 bytes, each acknowledged. */
void tcp_send(struct scenario *s, int64_t at_ns, struct endpoint src, struct endpoint dst, enum traffic traffic,
	const void *bytes, size_t n,
	uint16_t taps)
{
	const uint8_t *p = bytes;

	if (!connection_known(s, &src, &dst))
		connection_open(s, at_ns, src, dst, traffic, taps);
	for (size_t done = 0; done < n;) {
		size_t piece = n - done < 1400 ? n - done : 1400;

		segment_add(s, at_ns, src, dst, traffic, TCP_PSH | TCP_ACK, p + done, piece, taps);
		segment_add(s, at_ns + MICROSECOND_NS * 400, dst, src, traffic, TCP_ACK, NULL, 0, taps);
		at_ns += MICROSECOND_NS * 50;
		done += piece;
	}
}

/* tcp FROM > TO at T [count N every T] [bytes N]: data on one connection, each answered by as much */
void tcp_read(struct scenario *s, struct words *w)
{
	struct endpoint src = endpoint_want(s, w), dst;
	uint8_t bytes[1400];
	struct times t;
	size_t n = 100;

	word_expect(s, w, ">");
	dst = endpoint_want(s, w);
	t = times_want(s, w);
	if (word_accept(w, "bytes"))
		n = integer_want(s, w, "the bytes");
	if (n > sizeof bytes)
		scenario_fail(s, "at most %zu bytes", sizeof bytes);
	memset(bytes, 'x', sizeof bytes);
	for (unsigned i = 0; i < t.count && !s->error; i++) {
		int64_t at_ns = t.at_ns + (int64_t)i * t.every_ns;

		tcp_send(s, at_ns, src, dst, TRAFFIC_OTHER, bytes, n, TAP_ALL);
		tcp_send(s, at_ns + 10 * MILLISECOND_NS, dst, src, TRAFFIC_OTHER, bytes, n, TAP_ALL);
	}
}

static void record_add(struct buffer *p, unsigned type, const void *bytes, size_t n)
{
	buffer_u8(p, type);
	buffer_u16(p, 0x0303);
	buffer_u16(p, (unsigned)n);
	buffer_add(p, bytes, n);
}

/* A ClientHello that a parser accepts: TLS 1.2, two suites, no extensions. RFC 5246 7.4.1.2. */
static void hello_add(struct buffer *p, bool server)
{
	struct buffer h = { .arena = p->arena };

	buffer_u8(&h, server ? 2 : 1);
	buffer_u8(&h, 0);
	buffer_u16(&h, server ? 38 : 43);
	buffer_u16(&h, 0x0303);
	for (unsigned i = 0; i < 32; i++)
		buffer_u8(&h, 0x40 + i);
	buffer_u8(&h, 0);                    /* no session id */
	if (server) {
		buffer_u16(&h, 0xc02f);
		buffer_u8(&h, 0);
	} else {
		buffer_u16(&h, 4);
		buffer_u32(&h, 0xc02f009c);
		buffer_u16(&h, 0x0100);      /* no compression */
	}
	record_add(p, 22, h.p, h.n);
}

/* tls FROM > TO at T [count N every T] [bytes N]: a handshake, then encrypted records both ways */
void tls_read(struct scenario *s, struct words *w)
{
	struct endpoint src = endpoint_want(s, w), dst;
	struct buffer p = { .arena = s->arena };
	uint8_t secret[1300];
	uint64_t state = 5;
	struct times t;
	size_t n = 400;

	word_expect(s, w, ">");
	dst = endpoint_want(s, w);
	t = times_want(s, w);
	if (word_accept(w, "bytes"))
		n = integer_want(s, w, "the bytes of a record");
	if (n > sizeof secret)
		scenario_fail(s, "at most %zu bytes", sizeof secret);
	if (s->error)
		return;
	hello_add(&p, false);
	tcp_send(s, t.at_ns, src, dst, TRAFFIC_TLS, p.p, p.n, TAP_ALL);
	p.n = 0;
	hello_add(&p, true);
	tcp_send(s, t.at_ns + 20 * MILLISECOND_NS, dst, src, TRAFFIC_TLS, p.p, p.n, TAP_ALL);
	for (unsigned i = 0; i < t.count; i++) {
		int64_t at_ns = t.at_ns + 100 * MILLISECOND_NS + (int64_t)i * t.every_ns;

		for (size_t j = 0; j < n; j++)
			secret[j] = (uint8_t)random_next(&state);
		p.n = 0;
		record_add(&p, 23, secret, n);
		tcp_send(s, at_ns, src, dst, TRAFFIC_TLS, p.p, p.n, TAP_ALL);
		tcp_send(s, at_ns + 15 * MILLISECOND_NS, dst, src, TRAFFIC_TLS, p.p, p.n, TAP_ALL);
	}
}

/* One query and its answer, of the name pbx.example. */
static void dns_send(struct scenario *s, int64_t at_ns, struct endpoint src, struct endpoint dst, unsigned id)
{
	static const uint8_t question[] = "\3pbx\7example\0\0\1\0\1";
	struct buffer p = { .arena = s->arena };

	buffer_u16(&p, id);
	buffer_u16(&p, 0x0100);
	buffer_u64(&p, UINT64_C(0x0001000000000000));
	buffer_add(&p, question, sizeof question - 1);
	datagram_add(s, at_ns, src, dst, TRAFFIC_OTHER, p.p, p.n);
	p.n = 0;
	buffer_u16(&p, id);
	buffer_u16(&p, 0x8580);
	buffer_u64(&p, UINT64_C(0x0001000100000000));
	buffer_add(&p, question, sizeof question - 1);
	buffer_u16(&p, 0xc00c);
	buffer_u64(&p, UINT64_C(0x0001000100000e10));
	buffer_u16(&p, 4);
	buffer_u32(&p, 0x0a010005);
	datagram_add(s, at_ns + 2 * MILLISECOND_NS, dst, src, TRAFFIC_OTHER, p.p, p.n);
}

/*
 * bg HOST > HOST from T to T: ARP and DNS between them, and one healthy call over the whole time: the capture is
 * unfiltered and has both directions.
 */
void background_read(struct scenario *s, struct words *w)
{
	const struct host *a = host_want(s, w), *b;
	unsigned n = (unsigned)s->dialogs.count;
	int64_t from_ns, to_ns;
	double from, to;

	word_expect(s, w, ">");
	b = host_want(s, w);
	word_expect(s, w, "from");
	from_ns = time_want(s, w);
	word_expect(s, w, "to");
	to_ns = time_want(s, w);
	if (to_ns - from_ns < 5 * SECOND_NS)
		scenario_fail(s, "a background of at least 5 s");
	from = (double)from_ns / 1e9;
	to = (double)to_ns / 1e9;
	for (int64_t at_ns = from_ns; at_ns < to_ns && !s->error; at_ns += 10 * SECOND_NS) {
		arp_send(s, at_ns, a, b, 1);
		arp_send(s, at_ns + MILLISECOND_NS, b, a, 2);
		dns_send(s, at_ns + SECOND_NS, (struct endpoint){ a->addr, 43210 }, (struct endpoint){ b->addr, 53 },
			(unsigned)(at_ns / SECOND_NS));
	}
	scenario_line(s, "call bg%u 4091@%s > 4092@%s", n, a->name, b->name);
	scenario_line(s, "flow bg%u %.3f ring %.3f answer %.3f bye %.3f offer \"audio 4990 pt 8,101\" accept \"audio 14990 pt 8,101\"", n, from + 0.2,
		from + 0.4, from + 1, to - 0.5);
	scenario_line(s, "talk bg%u from %.3f to %.3f", n, from + 1.03, to - 0.5);
}
