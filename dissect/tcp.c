/* SPDX-License-Identifier: MIT */
/*
 * tcp: a record for each direction of each connection. Where bytes came twice with different content the first arrival
 * wins. Where bytes are missing, what is behind them waits until they come, the peer has acknowledged them (the capture
 * lost them) or a second has passed; then what waited is read from its next start line on, and stamped with the frame
 * that it came in.
 */
#include "dissect/tcp.h"

#include <stdlib.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "dissect/ip.h"

enum {
	STREAM_MAX = 16384, QUEUE_SEGMENTS_MAX = 256, QUEUE_BYTES_MAX = 256 << 10,
	WINDOW = 1 << 20,            /* farther away than that it is another connection */
	KEY_BYTES = 2 * 16 + 2 * 2 + 1 + 2 + 2 + 2
};

static const size_t total_bytes_default = (size_t)32 << 20;
static const int64_t hole_ns = SECOND_NS;
static const int64_t copy_ns = 20 * MILLISECOND_NS;     /* as dup.window-ms has it */

struct segment {                     /* ahead of a hole */
	struct segment *next;
	uint32_t seq;
	uint32_t frame;
	int64_t at_ns;
	size_t n, missing;           /* bytes here; cut off behind them */
	uint8_t bytes[];
};

struct stream {
	struct hash_link in_table;
	struct list_link in_order;   /* by the last segment: in noise, or in known once it gave a message of ours */
	bool known;
	uint8_t key[KEY_BYTES];
	uint8_t ttl;                 /* part of the identity, but of no use to find the other direction */
	bool has_acked, has_syn;
	uint32_t isn;
	uint32_t next;               /* sequence number after the last byte in order */
	uint32_t highest;            /* after the last byte seen at all */
	uint32_t acked;              /* by the other direction */
	struct segment *queue;       /* by sequence, not overlapping */
	size_t queue_count, queue_bytes;
	uint32_t last_seq;           /* to tell a copy by the capture from a repetition by the sender */
	uint16_t last_id;
	int64_t last_ns;
	size_t memory;               /* as counted in tcp_streams.bytes */
	struct framing framing;
};

struct tcp_streams {
	struct hash table;
	struct list noise, known;    /* least recently used first */
	size_t bytes;                /* of all buffers and queues */
	size_t bytes_max;
	size_t streams_max;
	struct stream *current;      /* of the segment added last, while it may give messages */
	uint32_t frame;              /* that completes what comes next */
	int64_t at_ns;
	bool behind_hole;            /* what comes next waited for bytes that never came */
	struct dissector_counts *counts;
};

struct tcp_streams *tcp_new(struct dissector_counts *counts)
{
	struct tcp_streams *t = memory_zalloc(sizeof *t);

	hash_init(&t->table);
	list_init(&t->noise);
	list_init(&t->known);
	t->counts = counts;
	t->bytes_max = total_bytes_default;
	t->streams_max = STREAM_MAX;
	return t;
}

/* Half for the records, half for what they hold. */
void tcp_limit(struct tcp_streams *t, size_t bytes)
{
	size_t records = bytes / 2 / sizeof(struct stream);

	t->bytes_max = bytes / 2 < total_bytes_default ? bytes / 2 : total_bytes_default;
	t->streams_max = records < STREAM_MAX ? records : STREAM_MAX;
}

static void queue_clear(struct stream *s)
{
	while (s->queue) {
		struct segment *next = s->queue->next;

		free(s->queue);
		s->queue = next;
	}
	s->queue_count = s->queue_bytes = 0;
}

static void account(struct tcp_streams *t, struct stream *s)
{
	size_t now = s->framing.room + s->framing.message_room + s->queue_bytes +
		     s->queue_count * sizeof(struct segment);

	t->bytes += now - s->memory;
	s->memory = now;
}

static struct list *list_of(struct tcp_streams *t, const struct stream *s)
{
	return s->known ? &t->known : &t->noise;
}

static void stream_remove(struct tcp_streams *t, struct stream *s)
{
	queue_clear(s);
	framing_fini(&s->framing);
	account(t, s);
	hash_remove(&t->table, &s->in_table);
	list_remove(list_of(t, s), &s->in_order);
	if (t->current == s)
		t->current = NULL;
	free(s);
}

void tcp_free(struct tcp_streams *t)
{
	if (!t)
		return;
	LIST_EACH_SAFE(it, &t->noise)
		stream_remove(t, LIST_ENTRY(it, struct stream, in_order));
	LIST_EACH_SAFE(other, &t->known)
		stream_remove(t, LIST_ENTRY(other, struct stream, in_order));
	hash_fini(&t->table);
	free(t);
}

/* TLS is everybody's: what it gave so far has been given, and the next record is found without what stands here. */
static bool gave_ours(const struct stream *s)
{
	return s->framing.given > 0 && s->framing.kind != FRAMING_TLS;
}

/* Is anything missing when it goes? Not of the web's, nor where in the midst of a connection no message was found. */
static bool is_missed(const struct stream *s)
{
	const struct framing *f = &s->framing;

	return f->kind != FRAMING_NONE && (gave_ours(s) || !(f->lost || f->given > 0));
}

/*
 * Half-open and foreign connections go first: a flood of them, or a day of the web, costs no SIP connection. Constant
 * work for each stream ever added.
 */
static void evict(struct tcp_streams *t, size_t room)
{
	while (t->table.count + room > t->streams_max || t->bytes > t->bytes_max) {
		struct list *l = list_empty(&t->noise) ? &t->known : &t->noise;
		struct stream *s;

		if (list_empty(l))
			return;
		s = LIST_ENTRY(l->head.next, struct stream, in_order);
		if (s == t->current)
			return;
		if (is_missed(s))
			t->counts->tcp_evicted++;
		else
			t->counts->tcp_others_evicted++;
		stream_remove(t, s);
	}
}

/*
 * Connection and where it was seen: a capture of both sides of a router has every segment twice, which is no
 * retransmission.
 */
static void key_make(uint8_t key[KEY_BYTES], const struct endpoint *src, const struct endpoint *dst,
		     const struct packet *p)
{
	uint16_t vlan = p->vlan_count ? p->vlan[0] : 0xffff;

	memcpy(key, src->addr.bytes, 16);
	memcpy(key + 16, dst->addr.bytes, 16);
	memcpy(key + 32, &src->port, 2);
	memcpy(key + 34, &dst->port, 2);
	key[36] = src->addr.family;
	memcpy(key + 37, &p->file, 2);
	memcpy(key + 39, &p->interface, 2);
	memcpy(key + 41, &vlan, 2);
}

static struct stream *stream_find(struct tcp_streams *t, const uint8_t key[KEY_BYTES], uint32_t hash, uint8_t ttl)
{
	for (struct hash_link *it = hash_first(&t->table, hash); it; it = it->next) {
		struct stream *s = HASH_ENTRY(it, struct stream, in_table);

		if (it->hash == hash && s->ttl == ttl && memcmp(s->key, key, KEY_BYTES) == 0)
			return s;
	}
	return NULL;
}

static struct stream *stream_add(struct tcp_streams *t, const struct packet *p, uint32_t next, bool from_start)
{
	struct stream *s;

	evict(t, 1);
	s = memory_zalloc(sizeof *s);
	key_make(s->key, &p->src, &p->dst, p);
	s->ttl = p->ttl;
	s->next = s->highest = next;
	framing_init(&s->framing, from_start);
	hash_add(&t->table, &s->in_table, (uint32_t)hash_bytes(s->key, sizeof s->key));
	list_add_tail(&t->noise, &s->in_order);
	return s;
}

static void stream_restart(struct stream *s, uint32_t next, bool from_start)
{
	queue_clear(s);
	framing_fini(&s->framing);
	framing_init(&s->framing, from_start);
	s->next = s->highest = next;
	s->has_acked = false;
}

/* Most recently used; with its first message a stream moves to the known ones. */
static void stream_touch(struct tcp_streams *t, struct stream *s)
{
	list_remove(list_of(t, s), &s->in_order);
	s->known = gave_ours(s);
	list_add_tail(list_of(t, s), &s->in_order);
}

static int32_t distance(uint32_t from, uint32_t to)
{
	return (int32_t)(to - from);
}

/* ---- the header ---- */

bool tcp_parse(struct cursor *c, struct packet *p)
{
	struct cursor start = *c;
	struct span h = cursor_take(c, 20);
	size_t header;

	if (!h.n) {
		p->undecoded = c->state == CURSOR_CUT ? UNDECODED_TRUNCATED : UNDECODED_MALFORMED;
		return false;
	}
	p->transport = TRANSPORT_TCP;
	p->src.port = (uint16_t)(h.p[0] << 8 | h.p[1]);
	p->dst.port = (uint16_t)(h.p[2] << 8 | h.p[3]);
	p->tcp_seq = (uint32_t)h.p[4] << 24 | (uint32_t)h.p[5] << 16 | (uint32_t)h.p[6] << 8 | h.p[7];
	p->tcp_ack = (uint32_t)h.p[8] << 24 | (uint32_t)h.p[9] << 16 | (uint32_t)h.p[10] << 8 | h.p[11];
	p->tcp_flags = h.p[13];
	p->has |= HAS_PORTS;
	header = (h.p[12] >> 4) * 4u;
	cursor_take(c, header < 20 ? SIZE_MAX : header - 20); /* options: nothing asks for them */
	if (c->state != CURSOR_OK) {
		p->undecoded = c->state == CURSOR_CUT ? UNDECODED_TRUNCATED : UNDECODED_MALFORMED;
		return false;
	}
	p->payload = c->left;
	p->payload_wire = c->wire;
	if (c->left.n < c->wire) {
		p->has |= HAS_TRUNCATED;
	} else if (start.left.n <= UINT16_MAX) {
		p->has |= HAS_CHECKSUM;
		p->checksum_ok = ip_checksum_ok(p, IP_TCP, start.left);
	}
	return true;
}

/* ---- out of order ---- */

static struct segment *segment_new(const struct packet *p, uint32_t seq, struct span bytes, size_t missing)
{
	struct segment *g = memory_zalloc(sizeof *g + bytes.n);

	g->seq = seq;
	g->frame = p->frame;
	g->at_ns = p->at_ns;
	g->n = bytes.n;
	g->missing = missing;
	memcpy(g->bytes, bytes.p, bytes.n);
	return g;
}

static uint32_t segment_end(const struct segment *g)
{
	return g->seq + (uint32_t)(g->n + g->missing);
}

/* Only what fills a place that no segment has; the list is short and bounded. */
static void queue_add(struct stream *s, const struct packet *p, uint32_t seq, struct span bytes, size_t missing)
{
	struct segment **link = &s->queue;

	while (bytes.n) {
		struct segment *g;
		int32_t before;

		while (*link && distance(seq, segment_end(*link)) <= 0)
			link = &(*link)->next;
		before = *link ? distance(seq, (*link)->seq) : INT32_MAX;
		if (before > 0) {
			size_t room = (size_t)before;
			bool fits = room >= bytes.n;

			g = segment_new(p, seq, span_first(bytes, room), room >= bytes.n + missing ? missing : 0);
			g->next = *link;
			*link = g;
			s->queue_count++;
			s->queue_bytes += g->n;
			if (fits)
				return;
			link = &g->next;
		}
		bytes = span_from(bytes, (size_t)distance(seq, segment_end(*link)));
		seq = segment_end(*link);
	}
}

static bool queue_full(const struct stream *s)
{
	return s->queue_count >= QUEUE_SEGMENTS_MAX || s->queue_bytes >= QUEUE_BYTES_MAX;
}

/* The hole before the first queued segment: will it be filled? */
static bool hole_is_final(const struct tcp_streams *t, const struct stream *s)
{
	return queue_full(s) || (s->has_acked && distance(s->queue->seq, s->acked) >= 0) ||
	       ns_minus(t->at_ns, s->queue->at_ns) > hole_ns;
}

/* One queued segment into the framing. False: none is due. */
static bool queue_step(struct tcp_streams *t, struct stream *s)
{
	struct segment *g = s->queue;
	int32_t ahead;

	if (!g)
		return false;
	ahead = distance(s->next, g->seq);
	if (ahead > 0 && !hole_is_final(t, s))
		return false;
	if (ahead > 0) {
		t->counts->tcp_holes += s->framing.given > 0 && !s->framing.lost;
		framing_hole(&s->framing, (size_t)ahead);
		t->behind_hole = true;
		ahead = 0;
	}
	if (t->behind_hole) {
		t->frame = g->frame;
		t->at_ns = g->at_ns;
	}
	s->queue = g->next;
	s->queue_count--;
	s->queue_bytes -= g->n;
	if (distance(s->next, segment_end(g)) > 0) {
		struct span bytes = { g->bytes, g->n };

		framing_add(&s->framing, span_from(bytes, (size_t)-ahead), g->missing, g->frame);
		s->next = segment_end(g);
	}
	free(g);
	return true;
}

/* ---- a segment takes its place ---- */

/* Acknowledgements of the other direction; a copy at another point has another TTL, so all are told. */
static bool acknowledge(struct tcp_streams *t, const struct packet *p)
{
	uint8_t key[KEY_BYTES];
	bool found = false, gap = true;
	uint32_t hash;

	key_make(key, &p->dst, &p->src, p);
	hash = (uint32_t)hash_bytes(key, sizeof key);
	for (struct hash_link *it = hash_first(&t->table, hash); it; it = it->next) {
		struct stream *s = HASH_ENTRY(it, struct stream, in_table);
		int32_t unseen;

		if (it->hash != hash || memcmp(s->key, key, KEY_BYTES) != 0)
			continue;
		if (!s->has_acked || distance(s->acked, p->tcp_ack) > 0)
			s->acked = p->tcp_ack;
		s->has_acked = found = true;
		unseen = distance(s->highest, p->tcp_ack);
		gap &= unseen > 0 && unseen <= WINDOW;
		if (unseen > 0 && unseen <= WINDOW)
			s->highest = p->tcp_ack;        /* said once */
	}
	return found && gap;
}

/* The same segment again because the capture has it twice, not because it was sent twice. */
static bool is_copy(const struct stream *s, const struct packet *p)
{
	int64_t after = ns_minus(p->at_ns, s->last_ns);

	if (s->last_seq != p->tcp_seq || after < 0)
		return false;
	return p->has & HAS_IP_ID ? s->last_id == p->ip_id && after <= copy_ns : after < MILLISECOND_NS;
}

static void segment_remember(struct stream *s, const struct packet *p)
{
	s->last_seq = p->tcp_seq;
	s->last_id = p->ip_id;
	s->last_ns = p->at_ns;
}

static void syn_take(struct stream *s, struct packet *p)
{
	if (s->has_syn && s->isn == p->tcp_seq) {
		p->tcp_retransmission = !is_copy(s, p);
		return;
	}
	stream_restart(s, p->tcp_seq + 1, true);
	s->has_syn = true;
	s->isn = p->tcp_seq;
}

static void data_take(struct tcp_streams *t, struct stream *s, struct packet *p, uint32_t seq)
{
	struct span bytes = p->payload;
	size_t missing = p->payload_wire - bytes.n;
	uint32_t end = seq + (uint32_t)p->payload_wire;
	int32_t ahead = distance(s->next, seq);

	if (ahead > WINDOW || ahead < -WINDOW) {
		t->counts->tcp_holes += s->known;
		stream_restart(s, seq, false);
		ahead = 0;
	}
	if (distance(s->highest, end) > 0)
		s->highest = end;
	if (ahead < 0) {
		bool probe = ahead == -1 && p->payload_wire <= 1; /* a keepalive, RFC 9293 3.8.4 */

		p->tcp_retransmission = !probe && !is_copy(s, p);
		if (distance(s->next, end) <= 0)
			return;
		bytes = span_from(bytes, (size_t)-ahead);
	} else if (ahead > 0 && s->framing.kind != FRAMING_NONE) {
		queue_add(s, p, seq, bytes, missing);
		return;
	}
	framing_add(&s->framing, bytes, missing, p->frame);
	s->next = end;
}

void tcp_add(struct tcp_streams *t, struct packet *p)
{
	uint8_t key[KEY_BYTES];
	struct stream *s;
	bool syn = p->tcp_flags & TCP_SYN;

	t->frame = p->frame;
	t->at_ns = p->at_ns;
	t->behind_hole = false;
	t->current = NULL;
	if (p->tcp_flags & TCP_ACK)
		p->tcp_gap = acknowledge(t, p);
	key_make(key, &p->src, &p->dst, p);
	s = stream_find(t, key, (uint32_t)hash_bytes(key, sizeof key), p->ttl);
	if (p->tcp_flags & TCP_RST) {
		if (s)
			stream_remove(t, s);
		return;
	}
	if (!s && !syn && p->payload.n == 0)
		return;
	if (!s)
		s = stream_add(t, p, p->tcp_seq + syn, syn);
	t->current = s;
	if (syn)
		syn_take(s, p);
	if (p->payload.n)
		data_take(t, s, p, p->tcp_seq + syn);
	if ((p->tcp_flags & TCP_FIN) && distance(s->highest, p->tcp_seq + (uint32_t)p->payload_wire + 1) > 0)
		s->highest = p->tcp_seq + (uint32_t)p->payload_wire + 1;
	segment_remember(s, p);
}

bool tcp_next(struct tcp_streams *t, struct tcp_message *ret)
{
	struct stream *s = t->current;

	if (!s)
		return false;
	do {
		if (framing_next(&s->framing, &ret->framed)) {
			ret->frame = t->frame;
			ret->at_ns = t->at_ns;
			return true;
		}
	} while (queue_step(t, s));
	framing_rest(&s->framing);
	stream_touch(t, s);
	account(t, s);
	t->current = NULL;
	evict(t, 0);
	return false;
}
