/* SPDX-License-Identifier: MIT */
/* plain: what one look gives is what the way through the layers gives, whatever bytes the frame has. */
#include "dissect_bytes.h"

#include "dissect/plain.h"

enum { AT_IP = 14, AT_UDP = 34, AT_RTP = 42, PAYLOAD = 20, FRAME = AT_RTP + 12 + PAYLOAD };

/* Ethernet, IPv4, UDP, RTP; the checksum of UDP is right. */
static void frame_fill(uint8_t f[FRAME])
{
	static const uint8_t head[AT_RTP + 12] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0,
		0x45, 0xb8, 0, FRAME - AT_IP, 0x12, 0x34, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
		0x40, 0x10, 0x50, 0x20, 0, FRAME - AT_UDP, 0, 0,
		0x80, 0x88, 0x12, 0x30, 1, 2, 3, 4, 5, 6, 7, 8
	};
	uint32_t sum = 0;

	memcpy(f, head, sizeof head);
	for (unsigned i = sizeof head; i < FRAME; i++)
		f[i] = (uint8_t)(i * 37);
	for (unsigned i = AT_IP + 12; i < FRAME; i += 2)
		sum += (uint32_t)f[i] << 8 | f[i + 1];
	sum += 17 + FRAME - AT_UDP;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	f[AT_UDP + 6] = (uint8_t)(sum >> 8);
	f[AT_UDP + 7] = (uint8_t)sum;
}

static struct frame frame_of(const uint8_t *bytes, size_t captured, size_t wire)
{
	return (struct frame){ .at_ns = 5, .bytes = { bytes, captured }, .wire_bytes = (uint32_t)wire, .number = 3,
		.link = 1 };
}

static struct packet *layers(struct dissector *d, const struct frame *whole, struct packet *ret)
{
	struct frame f = *whole;

	f.link = 101;                /* IP itself: no plain frame */
	f.bytes.p += AT_IP;
	f.bytes.n -= AT_IP;
	f.wire_bytes -= AT_IP;
	dissect_frame(d, &f);
	assert_true(dissect_next(d, ret));
	ret->link = 1;
	ret->wire_bytes = whole->wire_bytes;
	ret->captured_bytes = (uint32_t)whole->bytes.n;
	memcpy(ret->mac_dst, whole->bytes.p, 6);
	memcpy(ret->mac_src, whole->bytes.p + 6, 6);
	ret->has |= HAS_MAC;
	return ret;
}

static void same(const struct packet *a, const struct packet *b)
{
	assert_memory_equal(a, b, offsetof(struct packet, sip));
	assert_int_equal(a->rtp.pt, b->rtp.pt);
	assert_int_equal(a->rtp.csrc_count, b->rtp.csrc_count);
	assert_int_equal(a->rtp.marker, b->rtp.marker);
	assert_int_equal(a->rtp.extension, b->rtp.extension);
	assert_int_equal(a->rtp.padding, b->rtp.padding);
	assert_int_equal(a->rtp.seq, b->rtp.seq);
	assert_int_equal(a->rtp.rtp_ts, b->rtp.rtp_ts);
	assert_int_equal(a->rtp.ssrc, b->rtp.ssrc);
	assert_ptr_equal(a->rtp.payload.p, b->rtp.payload.p);
	assert_int_equal(a->rtp.payload.n, b->rtp.payload.n);
	assert_int_equal(a->rtp.payload_wire, b->rtp.payload_wire);
	assert_int_equal(a->rtp.extension_bytes, b->rtp.extension_bytes);
	assert_int_equal(a->rtp.level_dbov, b->rtp.level_dbov);
}

static void same_glance(const struct frame *f, const struct packet *p)
{
	struct rtp_glance g = plain_glance(f);

	assert_int_equal(g.at_ns, p->at_ns);
	assert_int_equal(g.frame, p->frame);
	assert_int_equal(g.rtp_ts, p->rtp.rtp_ts);
	assert_int_equal(g.ssrc, p->rtp.ssrc);
	assert_int_equal(g.payload_wire, p->rtp.payload_wire);
	assert_int_equal(g.seq, p->rtp.seq);
	assert_int_equal(plain_seq(f), p->rtp.seq);
	assert_int_equal(g.ip_id, p->ip_id);
	assert_int_equal(g.pt, p->rtp.pt);
	assert_int_equal(g.ttl, p->ttl);
	assert_int_equal(g.dscp, p->dscp);
	assert_int_equal(g.marker, p->rtp.marker);
	assert_ptr_equal(plain_payload(f).p, p->rtp.payload.p);
	assert_int_equal(plain_payload(f).n, p->rtp.payload.n);
}

/* False: it is not plain, and there is but one way. Else by both. */
static bool compare(struct dissector *d, const struct frame *f)
{
	struct packet as_it_is, at_once, by_layers;

	if (!plain_frame(f))
		return false;
	dissect_frame(d, f);
	assert_true(dissect_next(d, &as_it_is));
	assert_int_equal(as_it_is.kind, PACKET_RTP);
	same(&as_it_is, layers(d, f, &by_layers));
	memset(&at_once, 0xaa, sizeof at_once);
	plain_packet(f, &at_once);
	same(&at_once, &by_layers);
	same_glance(f, &by_layers);
	return true;
}

static void the_frame_is_plain(void **state)
{
	struct dissector *d = dissector_new();
	uint8_t bytes[FRAME];
	struct packet p;
	struct frame f = frame_of(bytes, FRAME, FRAME);

	(void)state;
	frame_fill(bytes);
	assert_true(compare(d, &f));
	dissect_frame(d, &f);
	assert_true(dissect_next(d, &p));
	assert_int_equal(p.kind, PACKET_RTP);
	assert_int_equal(p.rtp.seq, 0x1230);
	assert_int_equal(p.dscp, 46);
	assert_true((p.has & HAS_CHECKSUM) && p.checksum_ok);
	dissector_free(d);
}

/* Each byte behind Ethernet's header with each value: what is still taken for plain is it. */
static void any_byte_may_be_any_other(void **state)
{
	struct dissector *d = dissector_new();
	uint8_t bytes[FRAME];
	unsigned plain = 0, other = 0;
	struct frame f = frame_of(bytes, FRAME, FRAME);

	(void)state;
	for (unsigned at = AT_IP; at < FRAME; at++) {
		for (unsigned value = 0; value < 256; value++) {
			frame_fill(bytes);
			bytes[at] = (uint8_t)value;
			if (compare(d, &f))
				plain++;
			else
				other++;
		}
	}
	assert_true(plain > 1000 && other > 1000);
	dissector_free(d);
}

static void several_bytes_may_be(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x0d, 0x20, 0x40, 0x45, 0x46, 0x60, 0x80, 0x81, 0x90, 0xa0, 0xbb, 0xc8,
		0xff, 17 };
	struct dissector *d = dissector_new();
	uint8_t bytes[FRAME];
	uint32_t dice = 1, plain = 0;
	struct frame f = frame_of(bytes, FRAME, FRAME);

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		frame_fill(bytes);
		for (unsigned j = 0; j < 3; j++) {
			dice = dice * 1664525 + 1013904223;
			bytes[AT_IP + (dice >> 8) % (FRAME - AT_IP)] = values[(dice >> 24) % COUNT(values)];
		}
		plain += compare(d, &f);
	}
	assert_true(plain > 1000);
	dissector_free(d);
}

/* Cut by the snap length, by Ethernet's padding longer than IP is, and shorter than IP says. */
static void lengths_may_lie(void **state)
{
	struct dissector *d = dissector_new();
	uint8_t bytes[FRAME + 6] = { 0 };

	(void)state;
	frame_fill(bytes);
	for (size_t captured = AT_IP + 1; captured <= sizeof bytes; captured++) {
		for (size_t wire = captured; wire <= sizeof bytes; wire++) {
			struct frame f = frame_of(bytes, captured, wire);
			bool plain = compare(d, &f);

			assert_int_equal(plain, captured == wire && captured >= FRAME);
		}
	}
	dissector_free(d);
}

/* Another ethertype, a tag, another link: not plain. */
static void other_frames_are_left_alone(void **state)
{
	uint8_t bytes[FRAME];
	struct frame f = frame_of(bytes, FRAME, FRAME);

	(void)state;
	for (unsigned at = 12; at < AT_IP; at++) {
		for (unsigned value = 0; value < 256; value++) {
			frame_fill(bytes);
			if (bytes[at] == value)
				continue;
			bytes[at] = (uint8_t)value;
			assert_false(plain_frame(&f));
		}
	}
	frame_fill(bytes);
	f.link = 113;
	assert_false(plain_frame(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_is_plain),
		cmocka_unit_test(any_byte_may_be_any_other),
		cmocka_unit_test(several_bytes_may_be),
		cmocka_unit_test(lengths_may_lie),
		cmocka_unit_test(other_frames_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
