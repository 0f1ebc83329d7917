/* SPDX-License-Identifier: MIT */
/* fuzz_sip: any bytes as a datagram (the first byte: how much of it the capture lacks) and as a stream. */
#include <assert.h>

#include "dissect/sip_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A span is empty or lies inside of the message: then a sanitizer has seen every byte that the parser may hand out. */
static void inside(struct span s, struct span bytes)
{
	assert(s.n == 0 || (s.p >= bytes.p && s.p + s.n <= bytes.p + bytes.n));
}

static void address_check(const struct sip_address *a, struct span bytes)
{
	inside(a->whole, bytes);
	inside(a->display, a->whole);
	inside(a->uri, a->whole);
	inside(a->user, a->uri);
	inside(a->host, a->uri);
	inside(a->uri_params, a->uri);
	inside(a->params, a->whole);
	inside(a->tag, a->whole);
}

static void message_check(const struct sip_message *m, struct span bytes)
{
	struct sip_via via;

	assert(m->header_count <= SIP_HEADER_MAX && m->status <= 699);
	for (unsigned i = 0; i < m->header_count; i++) {
		inside(m->headers[i].name_text, bytes);
		inside(m->headers[i].value, bytes);
	}
	inside(m->bytes, bytes);
	inside(m->body, m->bytes);
	inside(m->sdp, m->body);
	inside(m->call_id, bytes);
	inside(m->via.whole, bytes);
	inside(m->via.branch, m->via.whole);
	inside(m->via.host, m->via.whole);
	address_check(&m->from, bytes);
	address_check(&m->to, bytes);
	address_check(&m->contact, bytes);
	address_check(&m->request_uri, bytes);
	if (sip_via_at(m, m->via_count, &via))
		assert(m->flaws & SIP_FLAW_TOO_MUCH);
}

/* Framing a stream as it grows finds what framing all of it finds. */
static void stream_check(struct span s)
{
	struct sip_framing f = { 0, 0 };
	size_t skip, grown_skip, length = sip_message_frame(s, &skip), grown = 0;

	for (size_t n = s.n / 3; n < s.n && grown == 0; n += s.n / 3 + 1)
		grown = sip_framing_next(&f, span_first(s, n), &grown_skip);
	assert(grown == 0 || grown == length || length == SIZE_MAX);
	assert(length == 0 || length == SIZE_MAX || skip + length <= s.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_message m;
	struct span s = { data + 1, size - 1 };

	if (size == 0)
		return 0;
	sip_start();
	sip_looks_like(s);
	if (sip_message_parse(s, s.n + data[0] % 8 * 16u, &m)) {
		message_check(&m, s);
		sip_message_judge(&m);
	}
	stream_check(s);
	return 0;
}
