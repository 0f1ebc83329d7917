/* SPDX-License-Identifier: MIT */
/*
 * generate: captures to measure with, the same bytes each time.
 *     generate media STREAMS PACKETS FILE       calls in G.711, all at once; one of FAULTY_EACH hears nothing of the
 *     callee
 *     generate mixed STREAMS PACKETS FILE       the same with registrations, RTCP, and calls that are silent both ways
 *     generate standing STREAMS PACKETS FILE    as media, but nobody hangs up; with PACKETS 1 signalling alone
 *     generate signalling CALLS FILE            calls without media, CALLS_PER_SECOND begin
 *     generate flood KIND KEYS FILE             FLOOD_CALLS such calls, and between them KEYS packets of which each has
 *     a key of its own:
 *                                               call-ids, registers, ssrcs, flows, sources, rtcp, fragments, tcp
 * Phones on 10.1.0.0/16 call media gateways on 10.9.0.0/16; the capture point is between them. Prints "packets N" and,
 * for each call that must be found, "faulty FINDING CALL-ID".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ETHERNET = 14, IP = 20, UDP = 8, RTP = 12, HEADERS = ETHERNET + IP + UDP,
	SAMPLES = 160, PTIME_US = 20000, TEXT_MAX = 1400, POOL = 1 << 16,
	FAULTY_EACH = 25,            /* of the media calls */
	SILENT_EACH = 50,            /* of the mixed ones */
	RTCP_TICKS = 250,            /* 5 s */
	FLOOD_CALLS = 20, FLOOD_FAULTY_EACH = 5, FLOOD_TICKS = 1000,
	TICKS_TO_JUDGE = 500,        /* of shorter ones nobody can say whether something is missing */
	SETUP_US = 10,               /* between two calls' messages of one kind */
	CALLS_PER_SECOND = 200, TALK_S = 30,
	PHONES_NET = 0x0a010000, ATTACKERS_NET = 0x50000000, REGISTRAR = 0x0a080005, GATEWAYS_NET = 0x0a090000,
	PER_GATEWAY = 10000, MEDIA_PORT = 4000, GATEWAY_PORT = 20000, SIP_PORT = 5060
};

/* A day in November 2026. */
static const uint64_t START_US = 1795255200ull * 1000000;

struct output {
	FILE *f;
	uint64_t packets;
	unsigned faulty_each;
	bool mixed, standing;
	uint8_t frame[HEADERS + TEXT_MAX];
};

struct party {
	uint32_t address;
	uint16_t media_port;
};

struct call {
	uint32_t number;
	struct party phone, gateway;
};

enum message { INVITE, TRYING, RINGING, ANSWER, ACK, BYE, BYE_OK };
enum fault { HEALTHY, ONE_WAY, SILENT };

/* ---- frames ---- */

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* The machine's byte order, as the format allows. */
static void file_begin(struct output *o)
{
	struct { uint32_t magic; uint16_t major, minor; uint32_t zone, sigfigs, snaplen, link;
		} h = { 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1 };

	fwrite(&h, sizeof h, 1, o->f);
}

static void ip_checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < IP; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

/* Its last two bytes are the host's: an address has one machine. */
static void mac_set(uint8_t *mac, uint32_t address)
{
	put16(mac, 0x0200);
	put32(mac + 2, address);
}

/* Ethernet and IP, around so many bytes that are in place. */
static void ip_write(struct output *o, uint64_t at_us, uint32_t src, uint32_t dst, uint8_t protocol, uint16_t id,
	uint16_t fragment, size_t length)
{
	uint32_t bytes = (uint32_t)(ETHERNET + IP + length);
	struct { uint32_t seconds, us, captured, wire;
		} record = { (uint32_t)(at_us / 1000000), (uint32_t)(at_us % 1000000), bytes, bytes };
	uint8_t *ip = o->frame + ETHERNET;

	mac_set(o->frame, dst);
	mac_set(o->frame + 6, src);
	put16(o->frame + 12, 0x0800);
	memset(ip, 0, IP);
	put16(ip, 0x4500 | 46 << 2);
	put16(ip + 2, (unsigned)(IP + length));
	put16(ip + 4, id);
	put16(ip + 6, fragment);
	put16(ip + 8, 63u << 8 | protocol);
	put32(ip + 12, src);
	put32(ip + 16, dst);
	ip_checksum(ip);
	fwrite(&record, sizeof record, 1, o->f);
	fwrite(o->frame, bytes, 1, o->f);
	o->packets++;
}

/* The payload is in place behind the headers. */
static void frame_write(struct output *o, uint64_t at_us, uint32_t src, uint16_t src_port, uint32_t dst,
	uint16_t dst_port, size_t payload)
{
	uint8_t *udp = o->frame + ETHERNET + IP;

	put16(udp, src_port);
	put16(udp + 2, dst_port);
	put16(udp + 4, (unsigned)(UDP + payload));
	put16(udp + 6, 0);
	ip_write(o, at_us, src, dst, 17, (uint16_t)o->packets, 0, UDP + payload);
}

/* ---- signalling ---- */

static struct call call_of(uint32_t number)
{
	return (struct call){
		.number = number,
		.phone = { PHONES_NET + number + 256, MEDIA_PORT },
		.gateway = { GATEWAYS_NET + number / PER_GATEWAY + 16,
		(uint16_t)(GATEWAY_PORT + 2 * (number % PER_GATEWAY)) },
	};
}

static const char *dotted(uint32_t a, char *buffer)
{
	sprintf(buffer, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	return buffer;
}

static int sdp_write(char *buffer, const struct party *p, const char *name)
{
	char at[16];

	dotted(p->address, at);
	return sprintf(buffer, "v=0\r\no=%s 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n", name, at, at,
		p->media_port);
}

static const char *start_line(enum message m, const struct call *c, char *buffer)
{
	char at[16];

	switch (m) {
	case INVITE: sprintf(buffer, "INVITE sip:%u@%s SIP/2.0", 900000 + c->number, dotted(c->gateway.address, at));
		break;
	case ACK: case BYE:
		sprintf(buffer, "%s sip:gw@%s:5060 SIP/2.0", m == ACK ? "ACK" : "BYE", dotted(c->gateway.address, at));
		break;
	case TRYING: return "SIP/2.0 100 Trying";
	case RINGING: return "SIP/2.0 180 Ringing";
	case ANSWER: case BYE_OK: return "SIP/2.0 200 OK";
	}
	return buffer;
}

static void message_write(struct output *o, uint64_t at_us, const struct call *c, enum message m)
{
	bool request = m == INVITE || m == ACK || m == BYE, bye = m == BYE || m == BYE_OK;
	const struct party *from = request ? &c->phone : &c->gateway, *to = request ? &c->gateway : &c->phone;
	char *text = (char *)o->frame + HEADERS, start[128], body[512], phone[16], gateway[16], own[16], tag[32] = "";
	int length = m == INVITE || m == ANSWER ? sdp_write(body, from, request ? "phone" : "gateway") : 0;
	int n;

	dotted(c->phone.address, phone);
	dotted(c->gateway.address, gateway);
	if (m != INVITE && m != TRYING)
		sprintf(tag, ";tag=g%u", c->number);
	n = sprintf(text, "%s\r\nVia: SIP/2.0/UDP %s:5060;rport;branch=z9hG4bK-%u-%s\r\nMax-Forwards: 70\r\nFrom: <sip:%u@%s>;tag=p%u\r\n"
		"To: <sip:%u@%s>%s\r\nCall-ID: bench-%u@%s\r\nCSeq: %u %s\r\n%s: %s\r\nContact: <sip:%s@%s:5060>\r\n%sContent-Length: %d\r\n\r\n",
		start_line(m, c, start), phone, c->number, bye ? "bye" : m == ACK ? "ack" : "inv", 1000 + c->number,
		gateway, c->number,
		900000 + c->number, gateway, tag, c->number, phone, bye ? 2 : 1,
		bye ? "BYE" : m == ACK ? "ACK" : "INVITE",
		request ? "User-Agent" : "Server", request ? "Bench Phone/1.2" : "Bench Gateway/3.4",
		request ? "phone" : "gw",
		dotted(from->address, own), length ? "Content-Type: application/sdp\r\n" : "", length);
	memcpy(text + n, body, (size_t)length);
	frame_write(o, at_us, from->address, SIP_PORT, to->address, SIP_PORT, (size_t)(n + length));
}

/* One message of every call. */
static uint64_t messages_write(struct output *o, uint64_t at_us, uint32_t calls, enum message m)
{
	for (uint32_t i = 0; i < calls; i++, at_us += SETUP_US) {
		struct call c = call_of(i);

		message_write(o, at_us, &c, m);
	}
	return at_us;
}

/* ---- media ---- */

static enum fault call_fault(const struct output *o, uint32_t number)
{
	if (number % o->faulty_each == o->faulty_each - 1u)
		return ONE_WAY;
	return o->mixed && number % SILENT_EACH == SILENT_EACH / 2 ? SILENT : HEALTHY;
}

static unsigned call_streams(const struct output *o, uint32_t number)
{
	static const unsigned streams[] = { [HEALTHY] = 2, [ONE_WAY] = 1, [SILENT] = 0 };

	return streams[call_fault(o, number)];
}

/* So many calls have at least so many streams. */
static uint32_t calls_for(const struct output *o, uint32_t streams)
{
	uint32_t calls = 0;

	for (uint32_t have = 0; have < streams; calls++)
		have += call_streams(o, calls);
	return calls;
}

static void truth_say(const struct output *o, uint32_t calls)
{
	static const char *const findings[] = { [ONE_WAY] = "one-way-audio", [SILENT] = "no-audio" };
	char phone[16];

	for (uint32_t i = 0; i < calls; i++) {
		if (call_fault(o, i) != HEALTHY)
			printf("faulty %s bench-%" PRIu32 "@%s\n", findings[call_fault(o, i)], i,
				dotted(call_of(i).phone.address, phone));
	}
}

/* Noise in mu-law, about -30 dBov: as loud as speech, and nothing repeats within a second. */
static void pool_fill(uint8_t *pool)
{
	uint32_t x = 1;

	for (unsigned i = 0; i < POOL + SAMPLES; i++) {
		x = x * 1664525u + 1013904223u;
		pool[i] = (uint8_t)((x >> 31 ? 0x80 : 0) | (0x30 + (x >> 24) % 0x38));
	}
}

static uint32_t ssrc_of(uint32_t stream)
{
	return 0x10000000 + stream * 2654435761u % 0xe0000000u;
}

static void rtp_write(struct output *o, uint64_t at_us, const struct call *c, bool back, uint32_t tick,
	const uint8_t *pool)
{
	const struct party *from = back ? &c->gateway : &c->phone, *to = back ? &c->phone : &c->gateway;
	uint8_t *rtp = o->frame + HEADERS;
	uint32_t stream = 2 * c->number + back;

	put16(rtp, 0x8000 | (tick == 0) << 7);
	put16(rtp + 2, (tick + stream * 7919) & 0xffff);
	put32(rtp + 4, tick * SAMPLES + stream * 104729);
	put32(rtp + 8, ssrc_of(stream));
	memcpy(rtp + RTP, pool + (tick * 977 + stream * 613) % POOL, SAMPLES);
	frame_write(o, at_us, from->address, from->media_port, to->address, to->media_port, RTP + SAMPLES);
}

/* RFC 3550 6.4.1: a sender report, with a block about what is heard where there is something. */
static void rtcp_write(struct output *o, uint64_t at_us, const struct call *c, bool back, uint32_t tick, bool hears)
{
	const struct party *from = back ? &c->gateway : &c->phone, *to = back ? &c->phone : &c->gateway;
	uint32_t stream = 2 * c->number + back, other = 2 * c->number + !back;
	uint8_t *p = o->frame + HEADERS;
	size_t n = hears ? 52 : 28;

	memset(p, 0, n);
	put16(p, 0x8000u | (unsigned)hears << 8 | 200);
	put16(p + 2, (unsigned)(n / 4 - 1));
	put32(p + 4, ssrc_of(stream));
	put32(p + 8, (uint32_t)(at_us / 1000000 + 2208988800u));
	put32(p + 12, (uint32_t)((at_us % 1000000 << 32) / 1000000));
	put32(p + 16, tick * SAMPLES + stream * 104729);
	put32(p + 20, tick);
	put32(p + 24, tick * SAMPLES);
	if (hears) {
		put32(p + 28, ssrc_of(other));
		put32(p + 36, (tick + other * 7919) & 0xffff);
	}
	frame_write(o, at_us, from->address, (uint16_t)(from->media_port + 1), to->address,
		(uint16_t)(to->media_port + 1), n);
}

static bool sends(const struct output *o, uint32_t stream)
{
	return call_streams(o, stream / 2) > stream % 2;
}

/* Every stream's packet of one 20 ms; of four neighbours the order changes from tick to tick, which is the jitter. */
static void tick_write(struct output *o, uint64_t at_us, uint32_t streams, uint32_t tick, const uint8_t *pool)
{
	uint32_t turn = tick * 2654435761u >> 30, slots = (streams + 3) & ~3u;

	for (uint32_t slot = 0; slot < slots; slot++) {
		uint32_t i = slot ^ turn;
		struct call c = call_of(i / 2);
		uint64_t slot_us = at_us + (uint64_t)slot * PTIME_US / slots;

		if (i >= streams || !sends(o, i))
			continue;
		rtp_write(o, slot_us, &c, i % 2, tick, pool);
		if (o->mixed && tick % RTCP_TICKS == i % RTCP_TICKS && tick > RTCP_TICKS)
			rtcp_write(o, slot_us, &c, i % 2, tick, sends(o, i ^ 1));
	}
}

static void register_write(struct output *o, uint64_t at_us, uint32_t phone, uint32_t number, bool answer)
{
	char *text = (char *)o->frame + HEADERS, at[16], registrar[16];
	int n = sprintf(text, "%s\r\nVia: SIP/2.0/UDP %s:5060;rport;branch=z9hG4bK-%u-reg\r\nMax-Forwards: 70\r\n"
		"From: <sip:%u@%s>;tag=r%u\r\nTo: <sip:%u@%s>%s\r\nCall-ID: register-%u@%s\r\nCSeq: 1 REGISTER\r\n"
		"Contact: <sip:%u@%s:5060>;expires=3600\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n",
		answer ? "SIP/2.0 200 OK" : "REGISTER sip:10.8.0.5 SIP/2.0", dotted(phone, at), number, 1000 + number,
		dotted(REGISTRAR, registrar),
		number, 1000 + number, registrar, answer ? ";tag=x" : "", number, at, number, at);

	frame_write(o, at_us, answer ? REGISTRAR : phone, SIP_PORT, answer ? phone : REGISTRAR, SIP_PORT, (size_t)n);
}

static uint64_t registrations_write(struct output *o, uint64_t at_us, uint32_t phones)
{
	for (uint32_t i = 0; i < phones; i++, at_us += 2 * SETUP_US) {
		register_write(o, at_us, call_of(i).phone.address, i, false);
		register_write(o, at_us + SETUP_US, call_of(i).phone.address, i, true);
	}
	return at_us + 10000;
}

static void media_write(struct output *o, uint32_t streams, uint64_t packets)
{
	static uint8_t pool[POOL + SAMPLES];
	uint32_t calls = calls_for(o, streams);
	uint64_t at_us = START_US;
	uint32_t tick = 0;

	pool_fill(pool);
	if (o->mixed)
		at_us = registrations_write(o, at_us, calls);
	for (enum message m = INVITE; m <= ACK; m++)
		at_us = messages_write(o, at_us, calls, m) + (m == RINGING ? 1000000 : 10000);
	for (; o->packets < packets; tick++, at_us += PTIME_US)
		tick_write(o, at_us, 2 * calls, tick, pool);
	for (enum message m = BYE; !o->standing && m <= BYE_OK; m++)
		at_us = messages_write(o, at_us, calls, m) + 10000;
	if (tick >= TICKS_TO_JUDGE)
		truth_say(o, calls);
}

/* ---- floods ---- */

/* A source that nobody else has, spread over the attackers' net. */
static uint32_t forged(uint32_t key)
{
	return ATTACKERS_NET + (key * 2654435761u & 0x0fffffff);
}

static void flood_call_id(struct output *o, uint64_t at_us, uint32_t key)
{
	struct call c = { .number = 1000000 + key, .phone = { forged(key % 64), 9000 },
		.gateway = { GATEWAYS_NET + 5, 20000 } };

	message_write(o, at_us, &c, INVITE);
}

static void flood_register(struct output *o, uint64_t at_us, uint32_t key)
{
	register_write(o, at_us, forged(key % 64), 1000000 + key, false);
}

static void noise_write(struct output *o, uint64_t at_us, uint32_t src, uint16_t port, uint32_t ssrc)
{
	uint8_t *rtp = o->frame + HEADERS;

	put16(rtp, 0x8000);
	put16(rtp + 2, ssrc & 0xffff);
	put32(rtp + 4, ssrc * 31);
	put32(rtp + 8, ssrc);
	memset(rtp + RTP, 0x55, SAMPLES);
	frame_write(o, at_us, src, port, GATEWAYS_NET + 5, 30000, RTP + SAMPLES);
}

static void flood_ssrc(struct output *o, uint64_t at_us, uint32_t key)
{
	noise_write(o, at_us, forged(key % 64), 7000, 0x20000000 + key);
}

static void flood_flow(struct output *o, uint64_t at_us, uint32_t key)
{
	noise_write(o, at_us, forged(key / 50000), (uint16_t)(10000 + key % 50000), 0x20000000 + key);
}

static void flood_source(struct output *o, uint64_t at_us, uint32_t key)
{
	memset(o->frame + HEADERS, 0x41, 64);
	frame_write(o, at_us, forged(key), 1024, GATEWAYS_NET + 5, 1900, 64);
}

static void flood_rtcp(struct output *o, uint64_t at_us, uint32_t key)
{
	uint8_t *p = o->frame + HEADERS;

	memset(p, 0, 8);
	put16(p, 0x80c9);
	put16(p + 2, 1);
	put32(p + 4, 0x30000000 + key);
	frame_write(o, at_us, forged(key % 64), 7001, GATEWAYS_NET + 5, 30001, 8);
}

/* Only ever the first of a datagram. */
static void flood_fragment(struct output *o, uint64_t at_us, uint32_t key)
{
	memset(o->frame + ETHERNET + IP, 0x41, 512);
	ip_write(o, at_us, forged(key / 65536), GATEWAYS_NET + 5, 17, (uint16_t)key, 0x2000, 512);
}

/* A connection's first data: a message that never ends. */
static void flood_tcp(struct output *o, uint64_t at_us, uint32_t key)
{
	static const char start[] = "INVITE sip:1@10.9.0.5 SIP/2.0\r\nVia: SIP/2.0/TCP ";
	uint8_t *tcp = o->frame + ETHERNET + IP;

	memset(tcp, 0, 20);
	put16(tcp, 10000 + key % 50000);
	put16(tcp + 2, SIP_PORT);
	put32(tcp + 4, key);
	put16(tcp + 12, 0x5018);
	put16(tcp + 14, 8192);
	memcpy(tcp + 20, start, sizeof start - 1);
	ip_write(o, at_us, forged(key / 50000), GATEWAYS_NET + 5, 6, (uint16_t)o->packets, 0, 20 + sizeof start - 1);
}

static const struct flood { const char *name; void (*write)(struct output *, uint64_t, uint32_t); } floods[] = {
	{ "call-ids", flood_call_id }, { "registers", flood_register }, { "ssrcs", flood_ssrc },
	  { "flows", flood_flow },
	{ "sources", flood_source }, { "rtcp", flood_rtcp }, { "fragments", flood_fragment }, { "tcp", flood_tcp },
};

/* The real calls begin one after the other while the flood runs, ring a second and end before it. */
static void real_tick(struct output *o, uint64_t at_us, uint32_t tick, const uint8_t *pool)
{
	static const uint32_t due[] = { [INVITE] = 0, [TRYING] = 1, [RINGING] = 5, [ANSWER] = 55, [ACK] = 56,
		[BYE] = 800, [BYE_OK] = 801 };

	for (uint32_t i = 0; i < FLOOD_CALLS; i++) {
		struct call c = call_of(i);
		uint32_t own = tick - 5 * i;

		for (enum message m = INVITE; tick >= 5 * i && m <= BYE_OK; m++) {
			if (own == due[m])
				message_write(o, at_us, &c, m);
		}
		for (uint32_t way = 0; own > due[ACK] && own < due[BYE] && way < call_streams(o, i); way++)
			rtp_write(o, at_us, &c, way, own - due[ACK] - 1, pool);
	}
}

static void flood_write(struct output *o, const struct flood *flood, uint32_t keys)
{
	static uint8_t pool[POOL + SAMPLES];
	uint32_t key = 0;

	pool_fill(pool);
	for (uint32_t tick = 0; tick < FLOOD_TICKS; tick++) {
		uint64_t at_us = START_US + (uint64_t)tick * PTIME_US;
		uint32_t until = (uint32_t)((uint64_t)keys * (tick + 1) / FLOOD_TICKS), from = key;

		real_tick(o, at_us, tick, pool);
		for (; key < until; key++)
			flood->write(o, at_us + (uint64_t)(key - from) * PTIME_US / (until - from), key);
	}
	truth_say(o, FLOOD_CALLS);
}

static void signalling_write(struct output *o, uint32_t calls)
{
	static const uint64_t offset_us[] = { 0, 20000, 150000, 4000000, 4020000, TALK_S * 1000000ull,
		TALK_S * 1000000ull + 20000 };
	const uint64_t step_us = 1000000 / CALLS_PER_SECOND;
	uint64_t end_us = calls * step_us + offset_us[BYE_OK];

	for (uint64_t at_us = 0; at_us <= end_us; at_us += step_us) {
		/* what is due in this step, in the order of its offset within it */
		for (unsigned m = INVITE; m <= BYE_OK; m++) {
			uint64_t begun_us = at_us - at_us % step_us, late_us = offset_us[m] % step_us,
				whole_us = offset_us[m] - late_us;
			struct call c;

			if (begun_us < whole_us || (begun_us - whole_us) / step_us >= calls)
				continue;
			c = call_of((uint32_t)((begun_us - whole_us) / step_us));
			message_write(o, START_US + begun_us + m, &c, (enum message)m);
		}
	}
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end || n == 0 || n > 100000000) {
		fprintf(stderr, "generate: no number for this: %s\n", text);
		exit(2);
	}
	return n;
}

static const struct flood *flood_named(const char *name)
{
	for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++) {
		if (strcmp(floods[i].name, name) == 0)
			return &floods[i];
	}
	fprintf(stderr, "generate: no flood of %s\n", name);
	exit(2);
}

static bool generate(struct output *o, int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	o->mixed = strcmp(what, "mixed") == 0;
	o->standing = strcmp(what, "standing") == 0;
	if (argc == 5 && (o->mixed || o->standing || strcmp(what, "media") == 0))
		media_write(o, (uint32_t)number(argv[2]), number(argv[3]));
	else if (argc == 4 && strcmp(what, "signalling") == 0)
		signalling_write(o, (uint32_t)number(argv[2]));
	else if (argc == 5 && strcmp(what, "flood") == 0)
		flood_write(o, flood_named(argv[2]), (uint32_t)number(argv[3]));
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	static struct output o = { .faulty_each = FAULTY_EACH };
	const char *path = argv[argc - 1];

	if (argc < 4) {
		fprintf(stderr, "usage: generate media|mixed|standing STREAMS PACKETS FILE | signalling CALLS FILE | flood KIND KEYS FILE\n");
		return 2;
	}
	if (strcmp(argv[1], "flood") == 0)
		o.faulty_each = FLOOD_FAULTY_EACH;
	o.f = fopen(path, "wb");
	if (!o.f) {
		fprintf(stderr, "generate: %s: %s\n", path, strerror(errno));
		return 2;
	}
	file_begin(&o);
	if (!generate(&o, argc, argv)) {
		fprintf(stderr, "generate: what is %s?\n", argv[1]);
		return 2;
	}
	if (ferror(o.f) | fclose(o.f)) {
		fprintf(stderr, "generate: %s: %s\n", path, strerror(errno));
		return 2;
	}
	printf("packets %" PRIu64 "\n", o.packets);
	return 0;
}
