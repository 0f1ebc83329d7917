/* SPDX-License-Identifier: MIT */
/*
 * keep: records one behind the other in a ring of bytes; places are counted on for ever, so that the oldest and
 * the newest are two numbers.
 */
#include "captures/keep.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"

/* Records begin at multiples of it. */
enum { ALIGNED = 8 };

struct record {                      /* its bytes follow */
	int64_t at_ns;
	uint32_t kept_bytes, wire_bytes;
	uint32_t number;
	uint16_t file, link;
	uint8_t direction;
	uint8_t is_gap;              /* nothing but the way to the beginning of the ring */
	uint16_t interface;
	uint32_t next;               /* bytes to the next record */
};

struct keep {
	uint8_t *bytes;              /* owned */
	size_t room;                 /* a multiple of ALIGNED */
	uint64_t from, to;           /* places; at place % room */
	int64_t length_ns;
	int64_t newest_ns;
	uint64_t frames, crowded_out;
};

struct keep *keep_new(size_t bytes, int64_t length_ns)
{
	struct keep *k = memory_zalloc(sizeof *k);

	k->room = (bytes < KEEP_BYTES_LEAST ? (size_t)KEEP_BYTES_LEAST : bytes) / ALIGNED * ALIGNED;
	k->bytes = memory_zalloc(k->room);      /* from the kernel, and taken only as far as it is used */
	k->length_ns = length_ns;
	k->newest_ns = NS_NONE;
	return k;
}

void keep_free(struct keep *k)
{
	if (!k)
		return;
	free(k->bytes);
	free(k);
}

static struct record *record_at(const struct keep *k, uint64_t place)
{
	return (struct record *)(void *)(k->bytes + place % k->room);
}

/* What is left behind a place is too little for a record: it goes on at the beginning. */
static uint64_t record_place(const struct keep *k, uint64_t place)
{
	size_t left = k->room - (size_t)(place % k->room);

	return left < sizeof(struct record) ? place + left : place;
}

static void drop_oldest(struct keep *k)
{
	const struct record *r;

	k->from = record_place(k, k->from);
	if (k->from >= k->to) {
		k->from = k->to;
		return;
	}
	r = record_at(k, k->from);
	if (!r->is_gap)
		k->frames--;
	k->from += r->next;
}

/* The frame at k->from; NULL: none. */
static const struct record *oldest(struct keep *k)
{
	while (k->frames) {
		k->from = record_place(k, k->from);
		if (!record_at(k, k->from)->is_gap)
			return record_at(k, k->from);
		drop_oldest(k);
	}
	k->from = k->to;
	return NULL;
}

static void drop_old(struct keep *k, int64_t now_ns)
{
	const struct record *r;

	while ((r = oldest(k)) && ns_minus(now_ns, r->at_ns) > k->length_ns)
		drop_oldest(k);
}

/* Room for a record of so many bytes, in one piece: its place. */
static uint64_t make_room(struct keep *k, size_t n)
{
	size_t left = k->room - (size_t)(k->to % k->room);
	uint64_t place = left < n ? k->to + left : k->to;

	while (k->from < k->to && place + n - k->from > k->room) {
		if (oldest(k))
			k->crowded_out++;
		drop_oldest(k);
	}
	if (place != k->to && left >= sizeof(struct record)) {
		*record_at(k, k->to) = (struct record){ .is_gap = 1, .next = (uint32_t)left };
	}
	if (k->frames == 0)
		k->from = place;
	return place;
}

void keep_add(struct keep *k, const struct frame *f, size_t wanted)
{
	size_t bytes = f->bytes.n < wanted ? f->bytes.n : wanted;
	size_t n = (sizeof(struct record) + bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
	uint64_t place;

	if (n > k->room / 4)
		return;
	/* a clock that was set back begins anew */
	if (k->newest_ns == NS_NONE || f->at_ns > k->newest_ns || ns_minus(k->newest_ns, f->at_ns) > k->length_ns)
		k->newest_ns = f->at_ns;
	drop_old(k, k->newest_ns);
	place = make_room(k, n);
	*record_at(k, place) = (struct record){ .at_ns = f->at_ns,
		.kept_bytes = (uint32_t)bytes,
		.wire_bytes = f->wire_bytes,
		.number = f->number,
		.file = f->file,
		.link = f->link,
		.direction = f->direction,
		.interface = f->interface,
		.next = (uint32_t)n };
	memcpy(record_at(k, place) + 1, f->bytes.p, bytes);
	k->to = place + n;
	k->frames++;
}

struct keep_extent keep_extent(const struct keep *k)
{
	struct keep_extent ret = { .frames = k->frames,
		.first_ns = NS_NONE,
		.last_ns = k->frames ? k->newest_ns : NS_NONE,
		.bytes = (size_t)(k->to - k->from),
		.crowded_out = k->crowded_out };
	struct frame first;
	uint64_t at = 0;

	if (keep_next(k, &at, &first))
		ret.first_ns = first.at_ns;
	return ret;
}

size_t keep_room(const struct keep *k)
{
	return k->room;
}

bool keep_next(const struct keep *k, uint64_t *at, struct frame *ret)
{
	uint64_t place = *at < k->from ? k->from : *at;

	for (;;) {
		const struct record *r;

		place = record_place(k, place);
		if (place >= k->to || !k->frames)
			return false;
		r = record_at(k, place);
		place += r->next;
		if (r->is_gap)
			continue;
		*ret = (struct frame){ .at_ns = r->at_ns,
			.bytes = { (const uint8_t *)(r + 1), r->kept_bytes },
			.wire_bytes = r->wire_bytes,
			.number = r->number,
			.file = r->file,
			.interface = r->interface,
			.link = r->link,
			.direction = r->direction };
		*at = place;
		return true;
	}
}
