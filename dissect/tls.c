/* SPDX-License-Identifier: MIT */
/* tls: records recognised and the readable handshake facts, TLS (RFC 8446, 5246) and DTLS (RFC 6347, 9147). */
#include "dissect/tls.h"

enum { CONTENT_CCS = 20, CONTENT_ALERT = 21, CONTENT_HANDSHAKE = 22, CONTENT_DATA = 23 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, CERTIFICATE = 11, HANDSHAKE_NONE = 255 };
enum { EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16, EXTENSION_VERSIONS = 43 };
/* RFC 5246 6.2.3; certificate chains are below 128 KiB */
enum { RECORD_MAX = 16384 + 2048, MESSAGE_MAX = 128 * 1024, MESSAGES_MAX = 8 };

/* A cursor over the next n bytes; c moves behind them, as far as they are there. */
static struct cursor part_take(struct cursor *c, size_t n)
{
	struct cursor part = *c;
	size_t there = n < c->left.n ? n : c->left.n;

	if (c->state != CURSOR_OK || n > c->wire) {
		c->state = c->state != CURSOR_OK ? c->state : CURSOR_BAD;
		part.left.n = part.wire = 0;
		part.state = c->state;
		return part;
	}
	cursor_limit(&part, n);
	c->left = span_from(c->left, there);
	c->wire -= n;
	return part;
}

/* RFC 6066 3: a list of names, of which the first is a host name. */
static struct span server_name_read(struct cursor c)
{
	struct cursor list = part_take(&c, cursor_u16(&c));
	uint8_t type = cursor_u8(&list);
	struct span name = cursor_take(&list, cursor_u16(&list));

	return type == 0 ? name : SPAN_NONE;
}

/* RFC 7301 3.1 */
static struct span alpn_read(struct cursor c)
{
	struct cursor list = part_take(&c, cursor_u16(&c));

	return cursor_take(&list, cursor_u8(&list));
}

/*
 * RFC 8446 4.2.1: a list of the client, of which GREASE (RFC 8701) is no version; the server's choice alone. DTLS
 * counts downwards.
 */
static uint16_t versions_read(struct cursor c, bool client, bool dtls, uint16_t before)
{
	struct cursor list = client ? part_take(&c, cursor_u8(&c)) : c;
	uint16_t best = client ? before : cursor_u16(&list);

	while (client && list.left.n && list.state == CURSOR_OK) {
		uint16_t v = cursor_u16(&list);

		if (!dtls && v >> 8 == 3 && v > best)
			best = v;
		else if (dtls && v >> 8 == 0xfe && v < best)
			best = v;
	}
	return best;
}

static void extensions_read(struct cursor *c, bool client, bool dtls, struct tls_record *r)
{
	struct cursor all = part_take(c, cursor_u16(c));

	while (all.left.n && all.state == CURSOR_OK) {
		uint16_t type = cursor_u16(&all);
		struct cursor one = part_take(&all, cursor_u16(&all));

		if (type == EXTENSION_SERVER_NAME && r->server_name.n == 0)
			r->server_name = server_name_read(one);
		else if (type == EXTENSION_ALPN && r->alpn.n == 0)
			r->alpn = alpn_read(one);
		else if (type == EXTENSION_VERSIONS)
			r->hello_version = versions_read(one, client, dtls, r->hello_version);
	}
}

/* ClientHello and ServerHello differ in the lists behind the session id; DTLS puts a cookie between. */
static void hello_read(struct cursor *c, bool client, bool dtls, struct tls_record *r)
{
	r->hello_version = cursor_u16(c);
	cursor_take(c, 32); /* random */
	cursor_take(c, cursor_u8(c)); /* session id */
	if (client) {
		if (dtls)
			cursor_take(c, cursor_u8(c));
		cursor_take(c, cursor_u16(c)); /* cipher suites */
		cursor_take(c, cursor_u8(c)); /* compression methods */
	} else {
		cursor_take(c, 2 + 1);
	}
	extensions_read(c, client, dtls, r);
	if (!client)
		r->server_name = SPAN_NONE; /* a server only confirms it, empty */
}

static void certificate_read(struct cursor *c, struct tls_record *r)
{
	uint32_t list = cursor_u24(c);

	r->certificate_empty = list == 0 && c->state == CURSOR_OK;
	r->certificate = cursor_take(c, cursor_u24(c));
}

struct message_header {
	uint8_t type;
	uint32_t bytes;
	size_t here; /* in this record: less where the message is in fragments */
	bool whole;
};

/* False: no handshake message in clear. Of an encrypted one the header is noise. */
static bool message_header_read(struct cursor *c, bool dtls, struct message_header *ret)
{
	struct message_header h = { .type = cursor_u8(c) };
	uint32_t offset = 0, fragment;

	h.bytes = cursor_u24(c);
	fragment = h.bytes;
	if (dtls) {
		cursor_u16(c); /* message_seq */
		offset = cursor_u24(c);
		fragment = cursor_u24(c);
		if (offset != 0 || fragment > h.bytes || fragment > c->wire)
			return false;
	}
	h.here = fragment < c->wire ? fragment : c->wire;
	h.whole = h.here == h.bytes;
	*ret = h;
	return c->state == CURSOR_OK && h.type <= 24 && h.bytes <= MESSAGE_MAX &&
		(h.whole || h.type == CLIENT_HELLO || h.type == SERVER_HELLO || h.type == CERTIFICATE);
}

/* Of a hello that is too large for one datagram: what its first fragment began. */
static bool goes_on(struct cursor c)
{
	uint8_t type = cursor_u8(&c);
	uint32_t bytes = cursor_u24(&c), offset, fragment;

	cursor_u16(&c); /* message_seq */
	offset = cursor_u24(&c);
	fragment = cursor_u24(&c);
	return c.state == CURSOR_OK && type == CLIENT_HELLO && bytes <= MESSAGE_MAX && offset && fragment == c.wire &&
		offset + fragment <= bytes;
}

static void handshake_read(struct cursor c, bool dtls, struct tls_record *r)
{
	struct message_header h;

	r->hello_goes_on = dtls && goes_on(c);
	for (unsigned i = 0; i < MESSAGES_MAX && c.left.n && message_header_read(&c, dtls, &h); i++) {
		struct cursor body = part_take(&c, h.here);

		if (i == 0)
			r->handshake = h.type;
		r->messages |= UINT32_C(1) << h.type;
		if (h.type == CLIENT_HELLO || h.type == SERVER_HELLO)
			hello_read(&body, h.type == CLIENT_HELLO, dtls, r);
		else if (h.type == CERTIFICATE && r->certificate.n == 0)
			certificate_read(&body, r);
	}
}

/* An alert in clear is two bytes; an encrypted one is longer. */
static void alert_read(struct cursor c, struct tls_record *r)
{
	uint8_t level = cursor_u8(&c), alert = cursor_u8(&c);

	if (r->length != 2 || c.state != CURSOR_OK || level < 1 || level > 2)
		return;
	r->alert_level = level;
	r->alert = alert;
}

static void content_read(struct cursor body, bool dtls, struct tls_record *r)
{
	if (r->content == CONTENT_ALERT)
		alert_read(body, r);
	else if (r->content == CONTENT_HANDSHAKE)
		handshake_read(body, dtls, r);
}

static bool content_known(uint8_t content)
{
	return content >= CONTENT_CCS && content <= CONTENT_DATA;
}

static bool refuse(struct cursor *c)
{
	if (c->state == CURSOR_OK)
		c->state = CURSOR_BAD;
	return false;
}

bool tls_parse(struct cursor *c, struct tls_record *out)
{
	struct tls_record r = { .content = cursor_u8(c), .handshake = HANDSHAKE_NONE };

	r.version = cursor_u16(c);
	r.length = cursor_u16(c);
	if (c->state != CURSOR_OK || !content_known(r.content) || r.version < 0x0300 || r.version > 0x0304 ||
		r.length > RECORD_MAX)
		return refuse(c);
	/* A record may go on in the next segment: what is here is read. */
	content_read(part_take(c, r.length < c->wire ? r.length : c->wire), false, &r);
	*out = r;
	return true;
}

/*
 * DTLS 1.3 records behind the handshake: 001CSLEE, sequence number, length (RFC 9147 4). Without a length or with a
 * connection id they cannot be told from anything else.
 */
static bool unified_parse(struct cursor *c, struct tls_record *out)
{
	struct tls_record r = { .content = CONTENT_DATA, .version = 0xfefc, .handshake = HANDSHAKE_NONE };
	uint8_t first = cursor_u8(c);

	cursor_take(c, first & 0x08 ? 2 : 1);
	r.length = cursor_u16(c);
	if (c->state != CURSOR_OK || (first & 0xf4) != 0x24 || r.length < 17 || r.length > RECORD_MAX ||
		r.length > c->wire)
		return refuse(c);
	part_take(c, r.length);
	*out = r;
	return true;
}

bool dtls_parse(struct cursor *c, struct tls_record *out)
{
	struct tls_record r = { .handshake = HANDSHAKE_NONE };
	uint16_t epoch;

	if (c->left.n && c->left.p[0] >> 5 == 1)
		return unified_parse(c, out);
	r.content = cursor_u8(c);
	r.version = cursor_u16(c);
	epoch = cursor_u16(c);
	cursor_take(c, 6); /* sequence number */
	r.length = cursor_u16(c);
	if (c->state != CURSOR_OK || !content_known(r.content) || (r.version >> 8 != 0xfe && r.version != 0x0100) ||
		r.length > RECORD_MAX || r.length > c->wire)
		return refuse(c);
	if (epoch == 0) /* later epochs are encrypted */
		content_read(part_take(c, r.length), true, &r);
	else
		part_take(c, r.length);
	*out = r;
	return true;
}
