/* SPDX-License-Identifier: MIT */
/*
 * heuristic: is an unsignalled UDP flow RTP? Sequence, rtp_ts, rate and lengths of its first packets must agree
 * (1.4.2).
 */
#include "analyzer/media/heuristic.h"

#include "captures/base/ns.h"

enum {
	PERCENT_STEPS = 80,
	PERCENT_TS = 60,
	PERCENT_LENGTH = 80,
	STEP_MAX = 3,
	RATE_MIN = 5,
	RATE_MAX = 250,
	PACKET_MS_MIN = 5,
	PACKET_MS_MAX = 120
};

/*
 * rtp.never-ports: well-known services whose datagrams may look like RTP. An SDP overrides the list; what TURN has
 * around it was looked into.
 */
static bool port_is_never(uint16_t port)
{
	static const uint16_t never[] = {
		53,
		67,
		68,
		69,
		88,
		123,
		137,
		138,
		161,
		162,
		443,
		500,
		514,
		1194,
		1812,
		1813,
		1900,
		3478,
		4500,
		4789,
		5060,
		5061,
		5353,
		51820,
	};

	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
		if (never[i] == port)
			return true;
	}
	return false;
}

/* Static audio types, and what RFC 3551 leaves to be mapped. */
static bool pt_is_likely(uint8_t pt)
{
	return pt <= 18 || (pt >= 35 && pt <= 63) || pt >= 96;
}

bool heuristic_packet_fits(const struct packet *p)
{
	return pt_is_likely(p->rtp.pt) &&
		(p->tunnel == TUNNEL_TURN || (!port_is_never(p->src.port) && !port_is_never(p->dst.port)));
}

void heuristic_init(struct heuristic *h, unsigned wanted, uint32_t ssrc)
{
	*h = (struct heuristic){ .wanted = wanted < 2 ? 2
			: wanted > HEURISTIC_MAX      ? HEURISTIC_MAX
						      : wanted,
		.ssrc = ssrc };
	if (ssrc == 0 && h->wanted < HEURISTIC_ZERO_SSRC)
		h->wanted = HEURISTIC_ZERO_SSRC;        /* real devices send it; so does what is no RTP */
}

static bool is_known(const struct heuristic *h, const struct packet *p)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (h->packets[i].seq == p->rtp.seq && h->packets[i].rtp_ts == p->rtp.rtp_ts &&
		    h->packets[i].pt == p->rtp.pt)
			return true;
	}
	return false;
}

void heuristic_add(struct heuristic *h, const struct packet *p)
{
	const struct rtp_header *r = &p->rtp;

	if (heuristic_full(h))
		return;
	if (h->repeats < h->count && is_known(h, p)) {
		h->repeats++;
		return;
	}
	if (h->count == 0)
		h->first_ns = p->at_ns;
	h->last_ns = p->at_ns;
	h->packets[h->count++] = (struct heuristic_packet){
		.rtp_ts = r->rtp_ts,
		.seq = r->seq,
		.pt = r->pt,
		.length = (uint16_t)(r->payload_wire < UINT16_MAX ? r->payload_wire : UINT16_MAX),
	};
}

static bool share_holds(unsigned part, unsigned all, unsigned percent)
{
	return all > 0 && part * 100 >= all * percent;
}

static uint16_t seq_step(const struct heuristic *h, unsigned i)
{
	return (uint16_t)(h->packets[i].seq - h->packets[i - 1].seq);
}

static bool sequence_holds(const struct heuristic *h)
{
	unsigned good = 0;

	for (unsigned i = 1; i < h->count; i++) {
		uint16_t step = seq_step(h, i);

		good += step >= 1 && step <= STEP_MAX;
	}
	return share_holds(good, h->count - 1, PERCENT_STEPS);
}

/* Clock units a packet between i - 1 and i; 0: backwards, standing still, or no whole number. */
static uint32_t ts_per_packet(const struct heuristic *h, unsigned i)
{
	uint16_t step = seq_step(h, i);
	uint32_t ts = h->packets[i].rtp_ts - h->packets[i - 1].rtp_ts;

	return step == 0 || step > STEP_MAX || ts > INT32_MAX || ts % step ? 0 : ts / step;
}

/* The most frequent one and how often it was seen. */
static uint32_t ts_mode(const struct heuristic *h, unsigned *ret_times)
{
	uint32_t mode = 0;

	*ret_times = 0;
	for (unsigned i = 1; i < h->count; i++) {
		uint32_t value = ts_per_packet(h, i);
		unsigned times = 0;

		for (unsigned k = 1; k < h->count; k++)
			times += ts_per_packet(h, k) == value;
		if (value && times > *ret_times) {
			mode = value;
			*ret_times = times;
		}
	}
	return mode;
}

static bool is_packet_time(uint32_t units, uint32_t clock_hz)
{
	uint64_t ms_hz = (uint64_t)units * 1000;

	return ms_hz >= (uint64_t)PACKET_MS_MIN * clock_hz && ms_hz <= (uint64_t)PACKET_MS_MAX * clock_hz;
}

static bool mode_holds(uint32_t mode, uint8_t pt)
{
	if (pt >= 35)
		return is_packet_time(mode, 8000) || is_packet_time(mode, 16000) || is_packet_time(mode, 48000);
	switch (pt) {
	case 6: return is_packet_time(mode, 16000);
	case 10: case 11: return is_packet_time(mode, 44100);
	case 14: return is_packet_time(mode, 90000);
	case 16: return is_packet_time(mode, 11025);
	case 17: return is_packet_time(mode, 22050);
	}
	return is_packet_time(mode, 8000);
}

/* The type that most of the packets have. */
static uint8_t pt_mode(const struct heuristic *h)
{
	unsigned best = 0;
	uint8_t pt = 0;

	for (unsigned i = 0; i < h->count; i++) {
		unsigned times = 0;

		for (unsigned k = 0; k < h->count; k++)
			times += h->packets[k].pt == h->packets[i].pt;
		if (times > best) {
			best = times;
			pt = h->packets[i].pt;
		}
	}
	return pt;
}

static bool rate_holds(const struct heuristic *h)
{
	int64_t span_ns = ns_minus(h->last_ns, h->first_ns);
	double rate = span_ns > 0 ? (h->count - 1) * (double)SECOND_NS / (double)span_ns : RATE_MAX + 1.0;

	return rate >= RATE_MIN && rate <= RATE_MAX;
}

/* SRTP adds a tag of 4 or 10 bytes (RFC 3711), with or without an MKI of 4, or of 16 (RFC 7714). */
static bool is_with_tag(uint32_t length, uint32_t clear)
{
	return length == clear || length == clear + 4 || length == clear + 10 || length == clear + 14 ||
		length == clear + 16;
}

/*
 * What a static type says of its lengths: PCMU, PCMA and G722 a byte a clock unit, GSM frames of 33, G729 of 10 and a
 * SID of 2 bytes.
 */
static bool length_fits(const struct heuristic_packet *p, uint32_t mode)
{
	switch (p->pt) {
	case 0: case 8: case 9: return is_with_tag(p->length, mode);
	case 3: return p->length > 0 && is_with_tag(p->length % 33, 0);
	case 18: return p->length > 0 && (p->length % 10 == 0 || p->length % 10 == 2);
	}
	return true;
}

static bool lengths_hold(const struct heuristic *h, uint32_t mode)
{
	unsigned good = 0;

	for (unsigned i = 0; i < h->count; i++)
		good += length_fits(&h->packets[i], mode);
	return share_holds(good, h->count, PERCENT_LENGTH);
}

bool heuristic_accepts(const struct heuristic *h)
{
	unsigned times;
	uint32_t mode;

	if (h->count < h->wanted || !sequence_holds(h) || !rate_holds(h))
		return false;
	mode = ts_mode(h, &times);
	return mode > 0 && share_holds(times, h->count - 1, PERCENT_TS) && mode_holds(mode, pt_mode(h)) &&
		lengths_hold(h, mode);
}
