/* SPDX-License-Identifier: MIT */
/* connect: attempts to connect by TCP, step by step: refused, unanswered, text, TLS handshakes with certificates. */
#include "tests/scenarios/scenario.h"

#include <stdio.h>
#include <time.h>

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, SEGMENT_MAX = 1400 };

struct attempt {
	struct endpoint ends[2];     /* client, server */
	int64_t at_ns;               /* of the next step */
};

static struct datagram *segment(struct scenario *s, struct attempt *a, unsigned from, unsigned flags, const void *bytes,
	size_t n)
{
	struct datagram *d = datagram_add(s, a->at_ns, a->ends[from], a->ends[!from], TRAFFIC_OTHER, bytes, n);

	d->protocol = 6;
	d->tcp_flags = (uint8_t)flags;
	a->at_ns += MILLISECOND_NS;
	return d;
}

/* swapped: the first segment comes behind the second one; headless: it is nowhere captured */
struct manner { bool swapped, headless; };

static void say(struct scenario *s, struct attempt *a, unsigned from, const struct buffer *b, struct manner how)
{
	for (size_t done = 0; done < b->n; done += SEGMENT_MAX) {
		struct datagram *d = segment(s, a, from, TCP_PSH | TCP_ACK, b->p + done,
			b->n - done < SEGMENT_MAX ? b->n - done : SEGMENT_MAX);

		if (done == 0 && how.swapped)
			d->late_ns = MILLISECOND_NS + MILLISECOND_NS / 2;
		if (done == 0 && how.headless)
			d->taps = 0;
	}
	segment(s, a, !from, TCP_ACK, NULL, 0);
}

/* The SYN and its copies after 1, 3, 7, 15 s. */
static void syns(struct scenario *s, struct attempt *a, unsigned n)
{
	int64_t wait_ns = SECOND_NS;

	for (unsigned i = 0; i < n; i++) {
		segment(s, a, 0, TCP_SYN, NULL, 0)->tcp_again = i > 0;
		a->at_ns += wait_ns - MILLISECOND_NS;
		wait_ns *= 2;
	}
}

static void open(struct scenario *s, struct attempt *a)
{
	segment(s, a, 0, TCP_SYN, NULL, 0);
	segment(s, a, 1, TCP_SYN | TCP_ACK, NULL, 0);
	segment(s, a, 0, TCP_ACK, NULL, 0);
}

/* ---- DER: X.690 ---- */

static void der_add(struct buffer *b, unsigned tag, const void *bytes, size_t n)
{
	buffer_u8(b, tag);
	if (n >= 128)
		buffer_u8(b, 0x82);
	if (n >= 128)
		buffer_u16(b, (unsigned)n);
	else
		buffer_u8(b, (unsigned)n);
	buffer_add(b, bytes, n);
}

static void der_wrap(struct buffer *b, unsigned tag, const struct buffer *inner)
{
	der_add(b, tag, inner->p, inner->n);
}

static void der_name(struct buffer *b, const char *common)
{
	struct buffer attribute = { .arena = b->arena }, sequence = { .arena = b->arena }, set = { .arena = b->arena };

	der_add(&attribute, 0x06, "\x55\x04\x03", 3);
	der_add(&attribute, 0x0c, common, strlen(common));
	der_wrap(&sequence, 0x30, &attribute);
	der_wrap(&set, 0x31, &sequence);
	der_wrap(b, 0x30, &set);
}

static void der_time(struct buffer *b, int days)
{
	time_t at = (time_t)(SCENARIO_EPOCH_S + days * INT64_C(86400));
	struct tm tm;
	char text[20];

	gmtime_r(&at, &tm);
	strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm);
	der_add(b, 0x18, text, strlen(text));
}

struct certificate { const char *subject, *issuer, *name; int from_days, until_days; };

static void der_alt_name(struct buffer *b, const char *name)
{
	struct buffer names = { .arena = b->arena }, list = { .arena = b->arena }, one = { .arena = b->arena },
		all = { .arena = b->arena },
		      sequence = { .arena = b->arena };

	der_add(&names, 0x82, name, strlen(name));
	der_wrap(&list, 0x30, &names);
	der_add(&one, 0x06, "\x55\x1d\x11", 3);
	der_wrap(&one, 0x04, &list);
	der_wrap(&all, 0x30, &one);
	der_wrap(&sequence, 0x30, &all);
	der_wrap(b, 0xa3, &sequence);
}

/* A TBSCertificate and no signature that anybody could check: RFC 5280 4.1. */
static void certificate_der(struct buffer *b, const struct certificate *c)
{
	struct buffer body = { .arena = b->arena }, validity = { .arena = b->arena }, whole = { .arena = b->arena };

	der_add(&body, 0xa0, "\x02\x01\x02", 3);
	der_add(&body, 0x02, "\x07", 1);
	der_add(&body, 0x30, "\x06\x01\x2a", 3);
	der_name(&body, c->issuer);
	der_time(&validity, c->from_days);
	der_time(&validity, c->until_days);
	der_wrap(&body, 0x30, &validity);
	der_name(&body, c->subject);
	der_add(&body, 0x30, "\x03\x01\x00", 3);
	if (c->name)
		der_alt_name(&body, c->name);
	der_wrap(&whole, 0x30, &body);
	der_add(&whole, 0x30, "\x06\x01\x2a", 3);
	der_add(&whole, 0x03, "\x00\x01", 2);
	der_wrap(b, 0x30, &whole);
}

/* ---- TLS records: RFC 5246, 8446 ---- */

static void record_add(struct buffer *b, unsigned content, const void *bytes, size_t n)
{
	buffer_u8(b, content);
	buffer_u16(b, 0x0303);
	buffer_u16(b, (unsigned)n);
	buffer_add(b, bytes, n);
}

static void message_add(struct buffer *b, unsigned type, const struct buffer *body)
{
	struct buffer m = { .arena = b->arena };

	buffer_u8(&m, type);
	buffer_u8(&m, (unsigned)(body->n >> 16));
	buffer_u16(&m, (unsigned)body->n & 0xffff);
	buffer_add(&m, body->p, body->n);
	record_add(b, 22, m.p, m.n);
}

static void extension_add(struct buffer *b, unsigned type, const struct buffer *body)
{
	buffer_u16(b, type);
	buffer_u16(b, (unsigned)body->n);
	buffer_add(b, body->p, body->n);
}

static void name_extension(struct buffer *b, const char *name)
{
	struct buffer e = { .arena = b->arena };

	buffer_u16(&e, (unsigned)strlen(name) + 3);
	buffer_u8(&e, 0);
	buffer_u16(&e, (unsigned)strlen(name));
	buffer_add(&e, name, strlen(name));
	extension_add(b, 0, &e);
}

static void version_extension(struct buffer *b, bool client, unsigned version)
{
	struct buffer e = { .arena = b->arena };

	if (client)
		buffer_u8(&e, 2);
	buffer_u16(&e, version);
	extension_add(b, 43, &e);
}

static void hello_add(struct buffer *b, bool client, unsigned version, const char *name)
{
	struct buffer h = { .arena = b->arena }, extensions = { .arena = b->arena };

	buffer_u16(&h, version > 0x0303 ? 0x0303 : version);
	for (unsigned i = 0; i < 32; i++)
		buffer_u8(&h, 0x40 + i);
	buffer_u8(&h, 0);
	if (client)
		buffer_u16(&h, 2);
	buffer_u16(&h, 0x1302);
	if (client)
		buffer_u8(&h, 1);
	buffer_u8(&h, 0);
	if (name)
		name_extension(&extensions, name);
	if (version > 0x0303)
		version_extension(&extensions, client, version);
	buffer_u16(&h, (unsigned)extensions.n);
	buffer_add(&h, extensions.p, extensions.n);
	message_add(b, client ? 1 : 2, &h);
}

static void certificate_add(struct buffer *b, const struct certificate *c)
{
	struct buffer der = { .arena = b->arena }, m = { .arena = b->arena };

	if (c)
		certificate_der(&der, c);
	buffer_u8(&m, 0);
	buffer_u16(&m, c ? (unsigned)der.n + 3 : 0);
	if (c) {
		buffer_u8(&m, 0);
		buffer_u16(&m, (unsigned)der.n);
		buffer_add(&m, der.p, der.n);
	}
	message_add(b, 11, &m);
}

static unsigned version_want(struct scenario *s, struct words *w)
{
	static const struct { const char *word; unsigned version;
		} names[] = { { "1.0", 0x0301 }, { "1.2", 0x0303 }, { "1.3", 0x0304 } };
	const char *word = word_want(s, w, "the version of TLS");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(word, names[i].word) == 0)
			return names[i].version;
	}
	scenario_fail(s, "\"%s\" is no version of TLS", word);
	return 0;
}

static void certificate_read(struct scenario *s, struct words *w, struct buffer *b)
{
	struct certificate c = { "sip.example.test", "Test CA", NULL, -30, 300 };

	for (;;) {
		if (word_accept(w, "subject"))
			c.subject = word_want(s, w, "the subject");
		else if (word_accept(w, "issuer"))
			c.issuer = word_want(s, w, "the issuer");
		else if (word_accept(w, "name"))
			c.name = word_want(s, w, "the name");
		else if (word_accept(w, "from"))
			c.from_days = (int)number_want(s, w, "days");
		else if (word_accept(w, "until"))
			c.until_days = (int)number_want(s, w, "days");
		else
			break;
	}
	certificate_add(b, &c);
}

static void data_add(struct scenario *s, struct buffer *b, size_t n)
{
	struct buffer noise = { .arena = s->arena };
	uint64_t state = 77 + n;

	for (size_t i = 0; i < n; i++)
		buffer_u8(&noise, random_next(&state) & 0xff);
	record_add(b, 23, noise.p, n);
}

/* Change of cipher, and a Finished that nobody can read. */
static void finished_add(struct scenario *s, struct buffer *b)
{
	struct buffer noise = { .arena = s->arena };
	uint64_t state = 9;

	for (unsigned i = 0; i < 40; i++)
		buffer_u8(&noise, 0x80 | (random_next(&state) & 0x7f));
	record_add(b, 20, "\1", 1);
	record_add(b, 22, noise.p, noise.n);
}

/* Sent, and again after 1, 2, 4 s, as nobody acknowledges it. */
static void say_in_vain(struct scenario *s, struct attempt *a, unsigned side, const struct buffer *b, unsigned copies)
{
	segment(s, a, side, TCP_PSH | TCP_ACK, b->p, b->n);
	for (unsigned i = 0; i < copies && i < 8; i++) {
		a->at_ns += SECOND_NS << i;
		segment(s, a, side, TCP_PSH | TCP_ACK, b->p, b->n)->tcp_again = true;
	}
}

/* A text frame of WebSocket: RFC 6455 5.2, that of a client masked. */
static void frame_add(struct buffer *b, bool masked, const char *text)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	size_t n = strlen(text);

	buffer_u8(b, 0x81);
	buffer_u8(b, (uint8_t)((masked ? 0x80 : 0) | (n < 126 ? n : 126)));
	if (n >= 126)
		buffer_u16(b, (uint16_t)n);
	if (masked)
		buffer_add(b, mask, sizeof mask);
	for (size_t i = 0; i < n; i++)
		buffer_u8(b, (uint8_t)((uint8_t)text[i] ^ (masked ? mask[i % 4] : 0)));
}

/* What a side does: words that add to one segment, until the next side is named. */
static void side_read(struct scenario *s, struct words *w, struct attempt *a, unsigned side)
{
	struct buffer b = { .arena = s->arena };

	for (;;) {
		if (word_accept(w, "text")) {
			const char *text = word_want(s, w, "the text");

			buffer_add(&b, text, strlen(text));
		} else if (word_accept(w, "hex")) {
			buffer_hex(&b, word_want(s, w, "the bytes"));
		} else if (word_accept(w, "frame")) {
			frame_add(&b, side == 0, word_want(s, w, "the text"));
		} else if (word_accept(w, "hello")) {
			unsigned version = version_want(s, w);

			hello_add(&b, side == 0, version, word_accept(w, "name") ? word_want(s, w, "the name") : NULL);
		} else if (word_accept(w, "certificate")) {
			certificate_read(s, w, &b);
		} else if (word_accept(w, "no-certificate")) {
			certificate_add(&b, NULL);
		} else if (word_accept(w, "ask")) {
			message_add(&b, 13, &(struct buffer){ .arena = s->arena });
		} else if (word_accept(w, "change")) {
			record_add(&b, 20, "\1", 1);
		} else if (word_accept(w, "finished")) {
			finished_add(s, &b);
		} else if (word_accept(w, "alert")) {
			const uint8_t alert[2] = { 2, (uint8_t)integer_want(s, w, "the alert") };

			record_add(&b, 21, alert, 2);
		} else if (word_accept(w, "data")) {
			data_add(s, &b, integer_want(s, w, "the bytes of a record"));
		} else {
			break;
		}
	}
	if (b.n && word_accept(w, "copies"))
		say_in_vain(s, a, side, &b, (unsigned)integer_want(s, w, "how many"));
	else if (b.n)
		say(s, a, side, &b, (struct manner){ word_accept(w, "swapped"), word_accept(w, "headless") });
	if (word_accept(w, "fin"))
		segment(s, a, side, TCP_FIN | TCP_ACK, NULL, 0);
	else if (word_accept(w, "rst"))
		segment(s, a, side, TCP_RST | TCP_ACK, NULL, 0);
}

static void steps_run(struct scenario *s, struct words w, struct attempt *a)
{
	while (w.left && !s->error) {
		if (word_accept(&w, "syn")) {
			syns(s, a, (unsigned)integer_want(s, &w, "how many"));
		} else if (word_accept(&w, "refused")) {
			segment(s, a, 0, TCP_SYN, NULL, 0);
			segment(s, a, 1, TCP_RST | TCP_ACK, NULL, 0);
		} else if (word_accept(&w, "open")) {
			open(s, a);
		} else if (word_accept(&w, "client")) {
			side_read(s, &w, a, 0);
		} else if (word_accept(&w, "server")) {
			side_read(s, &w, a, 1);
		} else if (word_accept(&w, "wait")) {
			a->at_ns += time_want(s, &w);
		} else {
			scenario_fail(s, "\"%s\" is no step of a connection", word_peek(&w));
		}
	}
}

static void connection_add(struct scenario *s, const struct attempt *a)
{
	struct connection *c = scenario_zalloc(s, sizeof *c);

	c->a = a->ends[0];
	c->b = a->ends[1];
	c->seq[0] = 1000 + 100000 * (uint32_t)s->connections.count;
	c->seq[1] = 900000 + 100000 * (uint32_t)s->connections.count;
	list_add_tail(&s->connections, &c->link);
}

/* connect FROM > TO at T [count N every T] STEP...: each from the next port */
void connect_read(struct scenario *s, struct words *w)
{
	struct attempt a = { .ends = { endpoint_want(s, w) } };
	int64_t at_ns, every_ns = 0;
	unsigned count = 1;

	word_expect(s, w, ">");
	a.ends[1] = endpoint_want(s, w);
	word_expect(s, w, "at");
	at_ns = time_want(s, w);
	if (word_accept(w, "count")) {
		count = (unsigned)integer_want(s, w, "how many");
		word_expect(s, w, "every");
		every_ns = time_want(s, w);
	}
	for (unsigned i = 0; i < count && !s->error; i++) {
		a.at_ns = at_ns + (int64_t)i * every_ns;
		connection_add(s, &a);
		steps_run(s, *w, &a);
		a.ends[0].port++;
	}
	w->left = 0;
}
