/* SPDX-License-Identifier: MIT */
/* framing: one buffer a direction, searched once, so that segments of one byte cost no more than long ones. */
#include "dissect/framing.h"

#include <stdlib.h>

#include "captures/base/cursor.h"
#include "captures/base/memory.h"
#include "dissect/hep.h"
#include "dissect/websocket.h"

enum {
	LINE_MAX_BYTES = 8192,            /* a start line */
	FIRST_LINE_MAX = 4096,            /* of a flow of which nothing is known yet */
	MESSAGE_MAX_BYTES = 256 << 10,    /* WebSocket; that of TCP is sip_frame.c's */
	SEARCH_KNOWN = 1 << 20,           /* in a flow that gave messages before */
	SEARCH_UNKNOWN = 64 << 10,
	TLS_HEADER = 5, TLS_RECORD_MAX = (1 << 14) + 2048    /* RFC 5246 6.2.3 */
};

void framing_init(struct framing *f, bool from_start)
{
	*f = (struct framing){ .kind = from_start ? FRAMING_UNDECIDED : FRAMING_SIP, .lost = !from_start };
	f->search_left = SEARCH_UNKNOWN;
}

void framing_fini(struct framing *f)
{
	free(f->bytes);
	free(f->message);
	*f = (struct framing){ .kind = FRAMING_NONE };
}

void framing_rest(struct framing *f)
{
	if (f->begin == f->end) {
		free(f->bytes);
		f->bytes = NULL;
		f->begin = f->end = f->room = 0;
	}
	if (!f->message_open) {
		free(f->message);
		f->message = NULL;
		f->message_n = f->message_room = 0;
	}
}

static struct span waiting(const struct framing *f)
{
	return f->bytes ? (struct span){ f->bytes + f->begin, f->end - f->begin } : SPAN_NONE;
}

static void forget_message(struct framing *f)
{
	f->sip = (struct sip_framing){ 0 };
	f->scanned = f->line = f->header = 0;
}

static void consume(struct framing *f, size_t n)
{
	f->begin += n;
	f->first_frame = f->frame;
	forget_message(f);
}

static void become(struct framing *f, enum framing_kind kind)
{
	f->kind = kind;
	f->lost = false;
	forget_message(f);
}

static void give_up(struct framing *f)
{
	become(f, FRAMING_NONE);
	f->begin = f->end;
	f->message_open = false;
	f->skip = 0;
}

static void lose(struct framing *f)
{
	if (!f->lost)                                   /* one hole behind the other does not prolong the search */
		f->search_left = f->given ? SEARCH_KNOWN : SEARCH_UNKNOWN;
	f->lost = true;
	f->skip = 0;
	f->message_open = false;
	forget_message(f);
}

/* May begin a method: RFC 3261 25.1 token. */
static bool visible(uint8_t b)
{
	return b > ' ' && b < 0x7f;
}

static bool line_end(uint8_t b)
{
	return b == '\r' || b == '\n';
}

static bool tls_begins(struct span s)
{
	return s.n >= TLS_HEADER && s.p[0] >= 20 && s.p[0] <= 23 && s.p[1] == 3 && s.p[2] <= 4 &&
	       (s.p[3] << 8 | s.p[4]) <= TLS_RECORD_MAX;
}

size_t framing_find_sip(struct span s)
{
	size_t line = 0;

	for (;;) {
		size_t at = line + span_find_text(span_from(s, line), SPAN("SIP/2.0")), next;

		if (at >= s.n)
			return s.n;
		for (next = at; next > line && s.p[next - 1] != '\n'; next--)
			;
		if (!line_end(s.p[next]) && sip_looks_like(span_from(s, next)))
			return next;
		line = at + span_find(span_from(s, at), '\n') + 1; /* each line is looked at once */
		if (line >= s.n)
			return s.n;
	}
}

/* What a segment begins with, when nothing is known of what came before it. */
static enum framing_kind sniff(struct span s)
{
	if (s.n == 0)
		return FRAMING_NONE;
	if (visible(s.p[0])) {
		if (sip_looks_like(s))
			return FRAMING_SIP;
		if (hep_length(s))
			return FRAMING_HEP;
		if (span_starts(s, SPAN("GET ")) || span_starts(s, SPAN("HTTP/1.1 101")))
			return FRAMING_HTTP;
		return FRAMING_NONE;
	}
	if (tls_begins(s))
		return FRAMING_TLS;
	return (s.p[0] & 0x70) == 0 && websocket_looks_like_sip(s) ? FRAMING_WEBSOCKET : FRAMING_NONE;
}

/* A first line that has not ended: wait for the rest of it as long as it is text. */
static enum framing_kind wait_for_line(struct span s)
{
	if (s.n > FIRST_LINE_MAX)
		return FRAMING_NONE;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' && s.p[i] != '\t' && s.p[i] != '\r')
			return FRAMING_NONE;
	return FRAMING_UNDECIDED;
}

/* The first bytes of a connection. */
static enum framing_kind decide(struct span s)
{
	if (s.n < TLS_HEADER && (visible(s.p[0]) || (s.p[0] >= 20 && s.p[0] <= 23)))
		return FRAMING_UNDECIDED;
	if (visible(s.p[0]) && !span_starts(s, SPAN("HEP3")) && span_find(s, '\n') == s.n)
		return wait_for_line(s);
	if (span_starts(s, SPAN("HEP3")) && s.n < HEP_HEADER)
		return FRAMING_UNDECIDED;
	return sniff(s);
}

static void append(struct framing *f, struct span s)
{
	size_t waits = f->end - f->begin, need = waits + s.n;

	if (s.n == 0)
		return;
	if (f->begin)
		memmove(f->bytes, f->bytes + f->begin, waits);
	if (need > f->room) {
		f->room = need < 2 * f->room ? 2 * f->room : need;
		f->bytes = memory_resize(f->bytes, f->room, 1);
	}
	memcpy(f->bytes + waits, s.p, s.n);
	f->begin = 0;
	f->end = need;
}

void framing_add(struct framing *f, struct span bytes, size_t missing, uint32_t frame)
{
	size_t skipped = bytes.n < f->skip ? bytes.n : (size_t)f->skip;

	f->frame = frame;
	f->data_given = false;
	f->missing = missing;
	f->skip -= skipped;
	bytes = span_from(bytes, skipped);
	if (f->kind == FRAMING_NONE || f->lost) {
		enum framing_kind kind = sniff(bytes);

		if (kind != FRAMING_NONE && (f->given == 0 || kind == f->kind)) {
			f->begin = f->end;
			become(f, kind);
		}
	}
	if (f->begin == f->end)
		f->first_frame = frame;
	if (f->kind != FRAMING_NONE)
		append(f, bytes);
}

void framing_hole(struct framing *f, size_t bytes)
{
	f->missing = 0;
	if (f->kind == FRAMING_NONE)
		return;
	if (f->begin == f->end && bytes <= f->skip) {
		f->skip -= bytes;
		return;
	}
	f->begin = f->end;
	if (f->kind == FRAMING_UNDECIDED || f->kind == FRAMING_HTTP)
		become(f, FRAMING_SIP);                 /* as good a guess as any: looked for within bounds */
	lose(f);
}

/* Gives the first n bytes that wait. */
static bool give(struct framing *f, enum framed_kind kind, size_t n, struct framed *ret)
{
	*ret = (struct framed){ .kind = kind, .wire = n, .first_frame = f->first_frame };
	ret->bytes = span_first(waiting(f), n);
	f->given++;
	consume(f, n);
	return true;
}

/* Steps to the next start line; what may be the beginning of one is kept. */
static bool find_again(struct framing *f)
{
	struct span s = waiting(f);
	size_t at = framing_find_sip(s), keep;

	if (at < s.n) {
		consume(f, at);
		become(f, FRAMING_SIP);
		return true;
	}
	for (keep = s.n; keep > 0 && s.p[keep - 1] != '\n'; keep--)
		;
	if (s.n - keep > LINE_MAX_BYTES)
		keep = s.n;
	if (s.n > f->search_left) {
		give_up(f);
		return false;
	}
	f->search_left -= keep;
	consume(f, keep);
	return false;
}

/* Offset behind the empty line that ends the header; 0: not yet. */
static size_t header_end(struct framing *f, struct span s)
{
	for (size_t at = f->scanned; at < s.n; at++) {
		at += span_find(span_from(s, at), '\n');
		if (at + 1 < s.n && s.p[at + 1] == '\n')
			return at + 2;
		if (at + 2 < s.n && s.p[at + 1] == '\r' && s.p[at + 2] == '\n')
			return at + 3;
	}
	f->scanned = s.n > 2 ? s.n - 2 : 0;
	return 0;
}

/* May the body hold a SIP message of its own: message/sipfrag, multipart? Asked for the odd message only. */
static bool embeds(struct span header)
{
	struct sip_message *m = memory_zalloc(sizeof *m);
	bool ok = !sip_message_parse(header, header.n, m) || span_starts_nocase(m->content_type, SPAN("message/")) ||
		  span_starts_nocase(m->content_type, SPAN("multipart/"));

	free(m);
	return ok;
}

/* Offset of a start line among the whole lines that have come since; end: none. Each byte is searched once. */
static size_t body_search(struct framing *f, struct span s, size_t end)
{
	size_t at, last = end;

	while (last > f->scanned && s.p[last - 1] != '\n')
		last--;
	if (end == f->sip.length)
		last = end;
	else if (last == f->scanned)
		last = f->line;
	f->scanned = end;
	if (last <= f->line || s.p[f->line - 1] != '\n')
		return end;
	at = f->line + framing_find_sip((struct span){ s.p + f->line, last - f->line });
	if (at == last) {
		f->line = last;
		return end;
	}
	f->line = at + 1;
	return at;
}

/*
 * RFC 3261 18.3 trusts Content-Length alone; a sender that lies would swallow the next message. A start line in a body
 * that cannot hold one ends it. 0: the message is not all here.
 */
static size_t message_end(struct framing *f, struct span s)
{
	size_t length = f->sip.length, end = s.n < length ? s.n : length, at = end;

	if (f->header == 0) {
		f->scanned = 0;
		f->header = header_end(f, s);
		if (f->header == 0)                     /* ended in some odd way: not searched */
			f->header = length;
		f->line = f->scanned = f->header;
	}
	if (f->header < end)
		at = body_search(f, s, end);
	if (at < end && !embeds(span_first(s, f->header)))
		return at;
	return s.n < length ? 0 : length;
}

/* A whole line behind the message that begins no other one. */
static bool trailing(struct span s)
{
	return s.n && !line_end(s.p[0]) && span_find(s, '\n') < s.n && !sip_looks_like(s);
}

static bool message_next(struct framing *f, struct framed *ret)
{
	struct span s = waiting(f);
	size_t skip, n = sip_framing_next(&f->sip, s, &skip);
	bool is_trailing;

	if (n == SIZE_MAX) {
		lose(f);
		consume(f, span_first(s, span_find(s, '\n') + 1).n); /* the line that misled us is not found again */
		return false;
	}
	if (f->sip.length == 0) {
		if (s.n > LINE_MAX_BYTES && span_find(span_first(s, LINE_MAX_BYTES), '\n') == LINE_MAX_BYTES)
			give_up(f);
		return false;
	}
	n = message_end(f, s);
	if (n == 0)
		return false;
	is_trailing = trailing(span_from(s, n));
	give(f, FRAMED_SIP, n, ret);
	ret->length_short = is_trailing;
	return true;
}

static bool sip_next(struct framing *f, struct framed *ret)
{
	do {
		struct span s;
		size_t blank = 0;

		if (f->lost && !find_again(f))
			return false;
		s = waiting(f);
		while (blank < s.n && line_end(s.p[blank]))
			blank++;
		if (blank && blank == s.n && f->given && f->begin == 0) /* all of the segment: RFC 5626 4.4.1 */
			return give(f, FRAMED_KEEPALIVE, blank, ret);
		if (blank)
			consume(f, blank);
		if (f->begin < f->end && message_next(f, ret))
			return true;
	} while (f->kind == FRAMING_SIP && f->lost);
	return false;
}

static bool hep_next(struct framing *f, struct framed *ret)
{
	struct span s = waiting(f);
	size_t length = hep_length(s);

	if (length == 0 && s.n >= HEP_HEADER)
		give_up(f);
	return length && length <= s.n && give(f, FRAMED_HEP, length, ret);
}

static bool http_next(struct framing *f, struct framed *ret)
{
	enum { HTTP_HEADER_MAX = 16 << 10 };
	struct span s = waiting(f);
	size_t header = header_end(f, s);

	if (header == 0) {
		if (s.n > HTTP_HEADER_MAX)
			give_up(f);
		return false;
	}
	if (!websocket_upgrade(span_first(s, header))) {
		give_up(f);
		return false;
	}
	consume(f, header);
	become(f, FRAMING_WEBSOCKET);
	return framing_next(f, ret);
}

static bool tls_next(struct framing *f, struct framed *ret)
{
	enum { CONTENT_DATA = 23, HANDSHAKE_RECORDS = 24 };      /* TLS 1.3: those of the handshake look like data */

	for (;;) {
		struct span s = waiting(f);
		size_t whole;

		if (f->lost || (s.n >= TLS_HEADER && !tls_begins(s))) {
			lose(f);                        /* until a segment begins with a record */
			f->begin = f->end;
			return false;
		}
		if (s.n < TLS_HEADER)
			return false;
		whole = TLS_HEADER + (size_t)(s.p[3] << 8 | s.p[4]);
		if (whole == TLS_HEADER) {              /* empty, against the rules but for data: says nothing */
			consume(f, whole);
			continue;
		}
		if (s.p[0] != CONTENT_DATA)
			return s.n >= whole && give(f, FRAMED_TLS, whole, ret);
		f->skip = s.n < whole ? whole - s.n : 0;
		if (f->data_given && f->given >= HANDSHAKE_RECORDS) {
			consume(f, s.n < whole ? s.n : whole);
			continue;
		}
		f->data_given = true;
		give(f, FRAMED_TLS, s.n < whole ? s.n : whole, ret);
		ret->wire = whole;
		return true;
	}
}

static void message_append(struct framing *f, struct span s)
{
	if (f->message_n + s.n > f->message_room) {
		f->message_room = 2 * (f->message_n + s.n);
		f->message = memory_resize(f->message, f->message_room, 1);
	}
	memcpy(f->message + f->message_n, s.p, s.n);
	f->message_n += s.n;
}

static bool blank_only(struct span s)
{
	return span_trim(s).n == 0;
}

/* A whole frame of data; its payload is unmasked. False: nothing to give. */
static bool websocket_data(struct framing *f, const struct websocket_frame *frame, struct span payload,
			   struct framed *ret)
{
	bool whole = frame->final && frame->opcode != WEBSOCKET_CONTINUATION;

	if (frame->opcode != WEBSOCKET_CONTINUATION) {
		f->message_n = 0;
		f->message_open = !frame->final;
	} else if (!f->message_open) {
		return false;
	}
	if (!whole) {
		if (payload.n && f->message_n + payload.n <= MESSAGE_MAX_BYTES)
			message_append(f, payload);
		if (!frame->final)
			return false;
		f->message_open = false;
		payload = (struct span){ f->message, f->message_n };
	}
	ret->bytes = payload;
	ret->wire = payload.n;
	ret->kind = blank_only(payload) ? FRAMED_KEEPALIVE : FRAMED_SIP_WEBSOCKET;
	return ret->kind == FRAMED_KEEPALIVE || sip_looks_like(payload);
}

static bool websocket_next(struct framing *f, struct framed *ret)
{
	for (;;) {
		struct span s = waiting(f);
		struct cursor c = cursor_over(s, SIZE_MAX);
		struct websocket_frame frame;
		size_t header;
		bool found = false;

		if (f->lost || s.n == 0 || !websocket_parse(&c, &frame)) {
			if (c.state == CURSOR_BAD)
				give_up(f);
			else if (f->lost)
				f->begin = f->end;      /* until a segment begins with a frame of SIP */
			return false;
		}
		header = s.n - c.left.n;
		if (frame.length > MESSAGE_MAX_BYTES) {
			f->skip = frame.length - (c.left.n < frame.length ? c.left.n : frame.length);
			consume(f, c.left.n < frame.length ? s.n : header + (size_t)frame.length);
			continue;
		}
		if (c.left.n < frame.length)
			return false;
		*ret = (struct framed){ .kind = FRAMED_KEEPALIVE, .first_frame = f->first_frame };
		ret->bytes = (struct span){ s.p + header, (size_t)frame.length };
		ret->wire = ret->bytes.n;
		if (frame.masked)
			websocket_unmask(f->bytes + f->begin + header, (size_t)frame.length, frame.mask);
		if (frame.opcode <= WEBSOCKET_BINARY)
			found = websocket_data(f, &frame, ret->bytes, ret);
		else
			found = frame.opcode != WEBSOCKET_CLOSE;
		consume(f, header + (size_t)frame.length);
		if (found) {
			f->given++;
			return true;
		}
	}
}

/* The capture cut the segment: what it shows of a message is given as such, then the next start line is looked for. */
static bool cut_next(struct framing *f, struct framed *ret)
{
	struct span s = waiting(f);
	size_t missing = f->missing;
	bool given = false;

	if (missing == 0)
		return false;
	if (!f->lost && f->kind == FRAMING_SIP && sip_looks_like(s))
		given = give(f, FRAMED_SIP, s.n, ret);
	else if (!f->lost && f->kind == FRAMING_TLS && tls_begins(s))
		given = give(f, FRAMED_TLS, s.n, ret);
	if (given)
		ret->wire = s.n + missing;
	framing_hole(f, missing);
	return given;
}

static bool kind_next(struct framing *f, struct framed *ret)
{
	switch ((enum framing_kind)f->kind) {
	case FRAMING_NONE:
	case FRAMING_UNDECIDED:
		return false;
	case FRAMING_SIP:
		return sip_next(f, ret);
	case FRAMING_HTTP:
		return http_next(f, ret);
	case FRAMING_WEBSOCKET:
		return websocket_next(f, ret);
	case FRAMING_TLS:
		return tls_next(f, ret);
	case FRAMING_HEP:
		return hep_next(f, ret);
	}
	return false;
}

bool framing_next(struct framing *f, struct framed *ret)
{
	while (f->kind == FRAMING_UNDECIDED && f->begin < f->end && line_end(f->bytes[f->begin]))
		consume(f, 1);                          /* keepalives may precede the first message */
	if (f->kind == FRAMING_UNDECIDED && f->begin < f->end) {
		enum framing_kind kind = decide(waiting(f));

		if (kind == FRAMING_NONE)
			give_up(f);
		else if (kind != FRAMING_UNDECIDED)
			become(f, kind);
	}
	return kind_next(f, ret) || cut_next(f, ret);
}
