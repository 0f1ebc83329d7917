/* SPDX-License-Identifier: MIT */
/* pcapng_interface: description and statistics blocks. Section numbers are those of draft-ietf-opsawg-pcapng-02. */
#include "captures/pcapng_interface.h"

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/base/text.h"
#include "captures/base/wide.h"

enum { OPTIONS_END = 0, OPTION_HEADER = 4, STATISTICS_LEAST = 12 };
enum { IF_NAME = 2, IF_TSRESOL = 9, IF_FILTER = 11, IF_TSOFFSET = 14 };         /* 4.2 */
enum { ISB_IFRECV = 4, ISB_IFDROP = 5, ISB_OSDROP = 7 };                        /* 4.6 */

/* Finer clocks than these reach from 1970 to 1970 in 64 bits, unless an offset of seconds says where they begin. */
enum { DECIMAL_MOST = 12, BINARY_MOST = 40, RESOLUTION_DEFAULT = 6, RESOLUTION_BINARY = 0x80 };

bool pcapng_option_next(const struct reader *r, struct span *rest, struct pcapng_option *ret)
{
	size_t n, padded;

	if (rest->n < OPTION_HEADER)
		return false;
	ret->code = reader_u16(r, rest->p);
	n = reader_u16(r, rest->p + 2);
	*rest = span_from(*rest, OPTION_HEADER);
	if (ret->code == OPTIONS_END || n > rest->n)
		return false;
	padded = (n + 3) & ~(size_t)3;
	ret->value = span_first(*rest, n);
	*rest = span_from(*rest, padded);
	return true;
}

static void clock_resolution(struct pcapng_clock *clock, uint8_t resolution)
{
	unsigned exponent = resolution & ~RESOLUTION_BINARY;

	clock->times = SECOND_NS;
	clock->divided = 1;
	clock->shift = 0;
	if (exponent > (resolution & RESOLUTION_BINARY ? BINARY_MOST : DECIMAL_MOST)) {
		clock->times = 0;
		return;
	}
	if (resolution & RESOLUTION_BINARY) {
		clock->shift = exponent;
		return;
	}
	for (; exponent && clock->times > 1; exponent--)
		clock->times /= 10;
	for (; exponent; exponent--)
		clock->divided *= 10;
}

bool pcapng_interface_time(const struct pcapng_clock *clock, uint64_t units, int64_t *ret_ns)
{
	struct wide since = wide_product(clock->divided > 1 ? units / clock->divided : units, clock->times);
	int64_t offset_ns;

	if (clock->shift)
		since = (struct wide){ since.low >> clock->shift | since.high << (64 - clock->shift),
			since.high >> clock->shift };
	return clock->times != 0 && since.high == 0 &&
		!__builtin_mul_overflow(clock->offset_s, SECOND_NS, &offset_ns) &&
		!__builtin_add_overflow(since.low, offset_ns, ret_ns) && *ret_ns >= 0;
}

static void text_option(struct span value, char *buffer, size_t room)
{
	text_escape(span_first(value, span_find(value, '\0')), buffer, room);
}

static void interface_option(const struct reader *r, const struct pcapng_option *o, struct source_interface *shown,
			     struct pcapng_clock *clock)
{
	switch (o->code) {
	case IF_NAME:
		text_option(o->value, shown->name, sizeof shown->name);
		break;
	case IF_TSRESOL:
		if (o->value.n == 1)
			clock_resolution(clock, o->value.p[0]);
		break;
	case IF_FILTER:                          /* the first byte says how: 0 as text */
		if (o->value.n && o->value.p[0] == 0)
			text_option(span_from(o->value, 1), shown->filter, sizeof shown->filter);
		break;
	case IF_TSOFFSET:
		if (o->value.n == 8)
			clock->offset_s = (int64_t)reader_u64(r, o->value.p);
		break;
	}
}

void pcapng_interface_add(struct reader *r, struct span body)
{
	struct pcapng *ng = r->pcapng;
	struct source_interface *shown;
	struct pcapng_option o;
	struct span options = span_from(body, INTERFACE_LEAST);

	if (ng->count == ng->room) {
		ng->room = ng->room ? ng->room * 2 : 4;
		ng->shown = memory_resize(ng->shown, ng->room, sizeof *ng->shown);
		ng->clocks = memory_resize(ng->clocks, ng->room, sizeof *ng->clocks);
	}
	shown = &ng->shown[ng->count];
	*shown = (struct source_interface){ .link = reader_u16(r, body.p), .snaplen = reader_u32(r, body.p + 4) };
	ng->clocks[ng->count] = (struct pcapng_clock){ .offset_s = 0 };
	clock_resolution(&ng->clocks[ng->count], RESOLUTION_DEFAULT);
	while (pcapng_option_next(r, &options, &o))
		interface_option(r, &o, shown, &ng->clocks[ng->count]);
	ng->count++;
	r->view.interfaces = ng->shown;
	r->view.interface_count = ng->count;
}

void pcapng_interface_dropped(struct reader *r, size_t interface, uint64_t count)
{
	struct source_interface *shown = &r->pcapng->shown[interface];
	struct pcapng_clock *clock = &r->pcapng->clocks[interface];

	if (__builtin_add_overflow(clock->dropped, count, &clock->dropped))
		clock->dropped = UINT64_MAX;
	if (clock->has_statistics)
		return;
	shown->has_drops = true;
	shown->if_drop = clock->dropped;
}

static void statistics_option(const struct pcapng_option *o, uint64_t value, struct source_interface *shown,
			      struct pcapng_clock *clock)
{
	if (o->code == ISB_IFRECV)
		shown->received = value;
	if (o->code != ISB_IFDROP && o->code != ISB_OSDROP)
		return;
	if (!clock->has_statistics)
		shown->if_drop = 0;              /* the packets' own counts are in these totals */
	clock->has_statistics = shown->has_drops = true;
	*(o->code == ISB_IFDROP ? &shown->if_drop : &shown->os_drop) = value;
}

void pcapng_interface_statistics(struct reader *r, struct span body)
{
	struct pcapng *ng = r->pcapng;
	struct pcapng_option o;
	struct span options = span_from(body, STATISTICS_LEAST);
	size_t interface;

	if (body.n < STATISTICS_LEAST || reader_u32(r, body.p) >= ng->count - ng->first)
		return;                          /* of an interface that no frame can name: nobody's */
	interface = ng->first + reader_u32(r, body.p);
	while (pcapng_option_next(r, &options, &o)) {
		if (o.value.n == 8)
			statistics_option(&o, reader_u64(r, o.value.p), &ng->shown[interface], &ng->clocks[interface]);
	}
}
