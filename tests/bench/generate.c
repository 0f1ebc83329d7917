/* SPDX-License-Identifier: MIT */
/*
 * generate: captures to measure with, the same bytes each time.
 *     generate media STREAMS PACKETS FILE       calls in G.711, all at once; one of FAULTY_EACH hears nothing of the callee
 *     generate signalling CALLS FILE            calls without media, CALLS_PER_SECOND begin
 * Phones on 10.1.0.0/16 call media gateways on 10.9.0.0/16; the capture point is between them. Prints "packets N" and "faulty CALL-ID" lines.
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
	TICKS_TO_JUDGE = 500,        /* of shorter ones nobody can say whether something is missing */
	SETUP_US = 10,               /* between two calls' messages of one kind */
	CALLS_PER_SECOND = 200, TALK_S = 30,
	PHONES_NET = 0x0a010000, GATEWAYS_NET = 0x0a090000, PER_GATEWAY = 10000, MEDIA_PORT = 4000, GATEWAY_PORT = 20000, SIP_PORT = 5060
};

/* A day in November 2026. */
static const uint64_t START_US = 1795255200ull * 1000000;

struct output {
	FILE *f;
	uint64_t packets;
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
	struct { uint32_t magic; uint16_t major, minor; uint32_t zone, sigfigs, snaplen, link; } h = { 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1 };

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

/* The payload is in place behind the headers. */
static void frame_write(struct output *o, uint64_t at_us, uint32_t src, uint16_t src_port, uint32_t dst, uint16_t dst_port, size_t payload)
{
	uint32_t bytes = (uint32_t)(HEADERS + payload);
	struct { uint32_t seconds, us, captured, wire; } record = { (uint32_t)(at_us / 1000000), (uint32_t)(at_us % 1000000), bytes, bytes };
	uint8_t *ip = o->frame + ETHERNET, *udp = ip + IP;

	mac_set(o->frame, dst);
	mac_set(o->frame + 6, src);
	put16(o->frame + 12, 0x0800);
	memset(ip, 0, IP);
	put16(ip, 0x4500 | 46 << 2);
	put16(ip + 2, (unsigned)(IP + UDP + payload));
	put16(ip + 4, (unsigned)(o->packets & 0xffff));
	put16(ip + 8, 63 << 8 | 17);
	put32(ip + 12, src);
	put32(ip + 16, dst);
	ip_checksum(ip);
	put16(udp, src_port);
	put16(udp + 2, dst_port);
	put16(udp + 4, (unsigned)(UDP + payload));
	put16(udp + 6, 0);
	fwrite(&record, sizeof record, 1, o->f);
	fwrite(o->frame, bytes, 1, o->f);
	o->packets++;
}

/* ---- signalling ---- */

static struct call call_of(uint32_t number)
{
	return (struct call){
		.number = number,
		.phone = { PHONES_NET + number + 256, MEDIA_PORT },
		.gateway = { GATEWAYS_NET + number / PER_GATEWAY + 16, (uint16_t)(GATEWAY_PORT + 2 * (number % PER_GATEWAY)) },
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
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n", name, at, at, p->media_port);
}

static const char *start_line(enum message m, const struct call *c, char *buffer)
{
	char at[16];

	switch (m) {
	case INVITE: sprintf(buffer, "INVITE sip:%u@%s SIP/2.0", 900000 + c->number, dotted(c->gateway.address, at)); break;
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
		start_line(m, c, start), phone, c->number, bye ? "bye" : m == ACK ? "ack" : "inv", 1000 + c->number, gateway, c->number,
		900000 + c->number, gateway, tag, c->number, phone, bye ? 2 : 1, bye ? "BYE" : m == ACK ? "ACK" : "INVITE",
		request ? "User-Agent" : "Server", request ? "Bench Phone/1.2" : "Bench Gateway/3.4", request ? "phone" : "gw",
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

static bool call_faulty(uint32_t number)
{
	return number % FAULTY_EACH == FAULTY_EACH - 1;
}

/* So many calls have at least so many streams. */
static uint32_t calls_for(uint32_t streams)
{
	uint32_t calls = 0;

	for (uint32_t have = 0; have < streams; calls++)
		have += call_faulty(calls) ? 1 : 2;
	return calls;
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

static void rtp_write(struct output *o, uint64_t at_us, const struct call *c, bool back, uint32_t tick, const uint8_t *pool)
{
	const struct party *from = back ? &c->gateway : &c->phone, *to = back ? &c->phone : &c->gateway;
	uint8_t *rtp = o->frame + HEADERS;
	uint32_t stream = 2 * c->number + back;

	put16(rtp, 0x8000 | (tick == 0) << 7);
	put16(rtp + 2, (tick + stream * 7919) & 0xffff);
	put32(rtp + 4, tick * SAMPLES + stream * 104729);
	put32(rtp + 8, 0x10000000 + stream * 2654435761u % 0xe0000000u);
	memcpy(rtp + RTP, pool + (tick * 977 + stream * 613) % POOL, SAMPLES);
	frame_write(o, at_us, from->address, from->media_port, to->address, to->media_port, RTP + SAMPLES);
}

/* Every stream's packet of one 20 ms; of four neighbours the order changes from tick to tick, which is the jitter. */
static void tick_write(struct output *o, uint64_t at_us, uint32_t streams, uint32_t tick, const uint8_t *pool)
{
	uint32_t turn = tick * 2654435761u >> 30, slots = (streams + 3) & ~3u;

	for (uint32_t slot = 0; slot < slots; slot++) {
		uint32_t i = slot ^ turn;
		struct call c = call_of(i / 2);

		if (i >= streams || (i % 2 && call_faulty(c.number)))
			continue;
		rtp_write(o, at_us + (uint64_t)slot * PTIME_US / slots, &c, i % 2, tick, pool);
	}
}

static void media_write(struct output *o, uint32_t streams, uint64_t packets)
{
	static uint8_t pool[POOL + SAMPLES];
	uint32_t calls = calls_for(streams);
	uint64_t at_us = START_US;
	uint32_t tick = 0;

	pool_fill(pool);
	for (enum message m = INVITE; m <= ACK; m++)
		at_us = messages_write(o, at_us, calls, m) + (m == RINGING ? 1000000 : 10000);
	for (; o->packets < packets; tick++, at_us += PTIME_US)
		tick_write(o, at_us, 2 * calls, tick, pool);
	at_us = messages_write(o, at_us, calls, BYE) + 10000;
	messages_write(o, at_us, calls, BYE_OK);
	for (uint32_t i = 0; tick >= TICKS_TO_JUDGE && i < calls; i++) {
		char phone[16];

		if (call_faulty(i))
			printf("faulty bench-%" PRIu32 "@%s\n", i, dotted(call_of(i).phone.address, phone));
	}
}

static void signalling_write(struct output *o, uint32_t calls)
{
	static const uint64_t offset_us[] = { 0, 20000, 150000, 4000000, 4020000, TALK_S * 1000000ull, TALK_S * 1000000ull + 20000 };
	const uint64_t step_us = 1000000 / CALLS_PER_SECOND;
	uint64_t end_us = calls * step_us + offset_us[BYE_OK];

	for (uint64_t at_us = 0; at_us <= end_us; at_us += step_us) {
		for (unsigned m = INVITE; m <= BYE_OK; m++) {   /* what is due in this step, in the order of its offset within it */
			uint64_t begun_us = at_us - at_us % step_us, late_us = offset_us[m] % step_us, whole_us = offset_us[m] - late_us;
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

int main(int argc, char **argv)
{
	static struct output o;
	bool media = argc == 5 && strcmp(argv[1], "media") == 0;

	if (!media && !(argc == 4 && strcmp(argv[1], "signalling") == 0)) {
		fprintf(stderr, "usage: generate media STREAMS PACKETS FILE | signalling CALLS FILE\n");
		return 2;
	}
	o.f = fopen(argv[argc - 1], "wb");
	if (!o.f) {
		fprintf(stderr, "generate: %s: %s\n", argv[argc - 1], strerror(errno));
		return 2;
	}
	file_begin(&o);
	if (media)
		media_write(&o, (uint32_t)number(argv[2]), number(argv[3]));
	else
		signalling_write(&o, (uint32_t)number(argv[2]));
	if (ferror(o.f) | fclose(o.f)) {
		fprintf(stderr, "generate: %s: %s\n", argv[argc - 1], strerror(errno));
		return 2;
	}
	printf("packets %" PRIu64 "\n", o.packets);
	return 0;
}
