/* SPDX-License-Identifier: MIT */
/*
 * fuzz_dissect: any bytes as a small capture. The first byte chooses the link type; then frames: length (2 bytes),
 * milliseconds since the last one, bytes that the snap length cut off, and the frame.
 */
#include <assert.h>
#include <stdlib.h>

#include "captures/base/ns.h"
#include "dissect/dissect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t links[] = { 1, 113, 276, 101, 0, 108, 9, 50, 105, 127, 119, 65535 };

/* What a packet points to has to be readable. */
static unsigned touch(struct span s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum += s.p[i];
	return sum;
}

static unsigned packet_check(const struct packet *p)
{
	unsigned sum = touch(p->payload);

	assert(p->payload.n <= p->payload_wire);
	assert(p->kind <= PACKET_NONE && p->kind != PACKET_UDPTL);
	assert(p->undecoded < UNDECODED_COUNT);
	assert(!(p->has & HAS_PORTS) || p->src.addr.family == p->dst.addr.family || p->tunnel == TUNNEL_TURN);
	if (p->kind == PACKET_SIP)
		sum += touch(p->sip->bytes) + touch(p->sip->body) + touch(p->sip->call_id);
	else if (p->kind == PACKET_RTP)
		sum += touch(p->rtp.payload);
	else if (p->kind == PACKET_RTCP)
		sum += touch(p->rtcp->cname);
	else if (p->kind == PACKET_STUN)
		sum += touch(p->stun.data) + touch(p->stun.username);
	else if (p->kind == PACKET_TLS || p->kind == PACKET_DTLS)
		sum += touch(p->tls.server_name) + touch(p->tls.alpn) + touch(p->tls.certificate);
	else if (p->kind == PACKET_ICMP)
		sum += touch(p->icmp.quote_payload);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dissector *d;
	struct frame frame = { 0 };
	unsigned sum = 0;

	if (size == 0)
		return 0;
	d = dissector_new();
	frame.link = links[*data % (sizeof links / sizeof *links)];
	data++;
	size--;
	while (size >= 4) {
		size_t n = (size_t)(data[0] << 8 | data[1]), given = n < size - 4 ? n : size - 4;
		uint8_t *bytes = malloc(given ? given : 1); /* of its own, so that the sanitizer sees its end */
		struct packet packet;
		unsigned packets = 0;

		memcpy(bytes, data + 4, given);
		frame.number++;
		frame.at_ns += data[2] * MILLISECOND_NS;
		frame.bytes = (struct span){ bytes, given };
		frame.wire_bytes = (uint32_t)(given + data[3]);
		dissect_frame(d, &frame);
		while (dissect_next(d, &packet)) {
			sum += packet_check(&packet);
			assert(packet.first_of_frame == (packets == 0));
			packets++;
		}
		assert(packets > 0);
		free(bytes);
		data += 4 + given;
		size -= 4 + given;
	}
	dissector_free(d);
	return sum == UINT32_MAX ? -1 : 0;              /* so that nothing is optimised away; -1: not for the corpus */
}
