/* SPDX-License-Identifier: MIT */
/*
 * framing: from the bytes of one direction of a TCP connection to the messages in them: SIP (RFC 3261 18.3), WebSocket
 * (RFC 7118), TLS records, HEP3. What it is, is decided by content, never by port. Anything else is let go without
 * being copied.
 */
#ifndef DEADAIR_DISSECT_FRAMING_H
#define DEADAIR_DISSECT_FRAMING_H

#include "captures/base/span.h"
#include "dissect/sip_message.h"

enum framing_kind {
	FRAMING_UNDECIDED,           /* too few bytes yet */
	FRAMING_NONE,                /* nothing of ours; the beginning of each segment is looked at still */
	FRAMING_SIP, FRAMING_HTTP,   /* HTTP: may become a WebSocket */
	FRAMING_WEBSOCKET, FRAMING_TLS, FRAMING_HEP
};

struct framing {
	uint8_t kind;                /* enum framing_kind */
	bool lost;                   /* where the next message begins is not known */
	/* a TLS data record of this segment was given: behind the handshake the first stands for all */
	bool data_given;
	bool message_open;           /* WebSocket: a message whose last frame is yet to come */
	uint8_t *bytes;              /* [begin, end) wait for their message to be complete */
	size_t begin, end, room;
	struct sip_framing sip;      /* SIP: how far the header was searched, length of the message */
	size_t header;               /* SIP: length of the header; 0 not known yet */
	size_t scanned;              /* bytes from begin that were searched for ends of lines */
	size_t line;                 /* SIP: lines before that offset begin no message */
	uint64_t skip;               /* bytes to come that nobody needs */
	size_t missing;              /* bytes behind these that the capture cut off */
	size_t search_left;          /* lost: bytes to search before giving up */
	uint8_t *message;            /* WebSocket: payload of several frames */
	size_t message_n, message_room;
	uint32_t frame, first_frame; /* of the bytes that came last; in which [begin, end) begins */
	uint64_t given;              /* messages so far */
};

enum framed_kind { FRAMED_SIP, FRAMED_SIP_WEBSOCKET, FRAMED_TLS, FRAMED_HEP, FRAMED_KEEPALIVE };

struct framed {
	enum framed_kind kind;
	struct span bytes;           /* good until the next framing_add or framing_rest */
	size_t wire;                 /* more than bytes.n: the capture cut it off */
	bool length_short;           /* behind the body that Content-Length announced stands no start line */
	uint32_t first_frame;
};

/* from_start: the bytes to come are the first of the connection. */
void framing_init(struct framing *f, bool from_start);
void framing_fini(struct framing *f);

/*
 * The next bytes in sequence; `missing` more were on the wire and were cut off. Give them, then call framing_next until
 * it says no.
 */
void framing_add(struct framing *f, struct span bytes, size_t missing, uint32_t frame);
bool framing_next(struct framing *f, struct framed *ret);

/* So many bytes were never seen: what is incomplete is dropped, the next start line is looked for. */
void framing_hole(struct framing *f, size_t bytes);

/* After the last framing_next: gives memory back when nothing waits. */
void framing_rest(struct framing *f);

/* Offset of the first line that begins a SIP message; s.n: none. Linear. */
size_t framing_find_sip(struct span s);

#endif
