/* SPDX-License-Identifier: MIT */
/* sdp_parts: what the files that read a session description share. For dissect/sdp*.c only. */
#ifndef DEADAIR_DISSECT_SDP_PARTS_H
#define DEADAIR_DISSECT_SDP_PARTS_H

#include "dissect/sdp.h"

struct sdp_connection {
	bool given;
	struct address addr;         /* family 0: a name, or broken */
	struct span name;
};

/* What is being read, and what has been met. */
struct sdp_reader {
	struct sdp_text *text;
	struct sdp *said;            /* text->said */
	struct sdp_media *media;     /* of the last m= line; before the first and beyond the cap: &session */
	struct sdp_room *room;       /* its lists */
	struct sdp_media session;    /* what session attributes say, inherited by the media */
	struct sdp_connection session_connection;
	struct span rest;            /* lines not read yet */
	bool ended;                  /* the line read last had a line end */
	bool has_version, has_origin, has_time, in_media;
	struct span tail;            /* see struct sdp_tail; n 0: it has none that could be kept */
	uint32_t flaws_before_tail;
	unsigned rank;               /* place of the last line's letter in the order of RFC 8866 5 */
	struct sdp_connection connections[SDP_MEDIA_MAX]; /* of the media; those behind media_count are not set */
};

/* ---- sdp_word.c ---- */

/* The next word; *rest moves behind it. Empty: no further one. */
struct span sdp_word_take(struct span *rest);

/* What stands before a byte, or all of it: a few bytes, for which a call of memchr() takes longer. */
static inline struct span sdp_until(struct span s, uint8_t byte)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != byte)
		n++;
	return (struct span){ s.p, n };
}

/* ASCII case does not matter. */
static inline bool sdp_word_is(struct span s, const char *word)
{
	return span_equal_nocase(s, span_of(word));
}

/* Could it be looked up? "10.0.0.300" is a broken address, no name. */
bool sdp_name_like(struct span s);
/* The host named by an address type and an address. False: broken, or of the other family; nothing is believed then. */
bool sdp_host_parse(struct span type, struct span host, struct sdp_connection *ret);
bool sdp_port_parse(struct span s, uint16_t *ret);

/* ---- sdp.c ---- */

/* That of the medium in hand, to be written to. */
struct sdp_rare *sdp_reader_rare(struct sdp_reader *r);

/* ---- sdp_tail.c ---- */

/* Behind the port of the first m= line: has the same been read before? Then nothing is left to read. */
bool sdp_tail_take(struct sdp_reader *r, struct span value);
/* Says that the tail, if that is what is read, says something of the session. */
static inline void sdp_tail_spoil(struct sdp_reader *r)
{
	r->tail = SPAN_NONE;
}

/* All has been read: the tail is kept, where it can be. */
void sdp_tail_keep(struct sdp_reader *r);

/* ---- sdp_crypto.c ---- */

/* What stands behind a=crypto:, RFC 4568 9.1. */
void sdp_crypto_read(struct sdp_reader *r, struct span value);

/* ---- sdp_attribute.c ---- */

/* A payload type in a m= line. */
void sdp_format_add(struct sdp_reader *r, struct span word);
/* What stands behind a=. Unknown ones are none of ours. */
void sdp_attribute_read(struct sdp_reader *r, struct span line);

#endif
