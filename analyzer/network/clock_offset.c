/* SPDX-License-Identifier: MIT */
/* clock_offset: least transit each way, per pair of files. */
#include "analyzer/network/clock_offset.h"

static struct clock_pair *pair_of(struct clock_offsets *c, uint16_t a, uint16_t b)
{
	for (unsigned i = 0; i < c->count; i++) {
		if (c->pairs[i].a == a && c->pairs[i].b == b)
			return &c->pairs[i];
	}
	if (c->count == CLOCK_PAIR_MAX)
		return NULL;
	c->pairs[c->count] = (struct clock_pair){ .a = a, .b = b };
	return &c->pairs[c->count++];
}

static void take_least(uint32_t *count, int64_t *least_ns, int64_t value_ns)
{
	if (*count == 0 || value_ns < *least_ns)
		*least_ns = value_ns;
	if (*count < UINT32_MAX)
		++*count;
}

void clock_sample(struct clock_offsets *c, uint16_t near_file, int64_t near_ns, uint16_t far_file, int64_t far_ns)
{
	bool forth = near_file < far_file;
	struct clock_pair *p;

	if (near_file == far_file || near_file >= CLOCK_FILE_MAX || far_file >= CLOCK_FILE_MAX)
		return;
	p = pair_of(c, forth ? near_file : far_file, forth ? far_file : near_file);
	if (p && forth)
		take_least(&p->forth, &p->least_forth_ns, ns_minus(far_ns, near_ns));
	else if (p)
		take_least(&p->back, &p->least_back_ns, ns_minus(far_ns, near_ns));
}

static bool pair_known(const struct clock_pair *p)
{
	return p->forth >= CLOCK_PAIRS_NEEDED && p->back >= CLOCK_PAIRS_NEEDED;
}

static int64_t pair_offset(const struct clock_pair *p)
{
	return ns_minus(p->least_forth_ns, p->least_back_ns) / 2;
}

static int64_t pair_error(const struct clock_pair *p)
{
	int64_t error_ns = ns_add(p->least_forth_ns, p->least_back_ns) / 2;

	return error_ns < 0 ? -error_ns : error_ns;
}

/* The pair that ties the file to the lowest one before it; NULL none. */
static const struct clock_pair *tie_of(const struct clock_offsets *c, uint16_t file)
{
	const struct clock_pair *best = NULL;

	for (unsigned i = 0; i < c->count; i++) {
		const struct clock_pair *p = &c->pairs[i];

		if (p->b == file && pair_known(p) && (!best || p->a < best->a))
			best = p;
	}
	return best;
}

/* Offsets of all files up to `last`, each from the first lower one that is known. */
static bool settle(const struct clock_offsets *c, uint16_t last, int64_t offset[CLOCK_FILE_MAX],
	int64_t error[CLOCK_FILE_MAX])
{
	bool known[CLOCK_FILE_MAX] = { false };

	/* the lower one of a pair is a reference until it has one itself */
	for (unsigned i = 0; i < c->count; i++) {
		if (pair_known(&c->pairs[i]))
			known[c->pairs[i].a] = true;
		offset[c->pairs[i].a] = error[c->pairs[i].a] = 0;
	}
	for (uint16_t f = 1; f <= last; f++) {
		const struct clock_pair *best = tie_of(c, f);

		if (!best)
			continue;
		known[f] = true;
		offset[f] = ns_add(offset[best->a], pair_offset(best));
		error[f] = ns_add(error[best->a], pair_error(best));
	}
	return known[last];
}

bool clock_offset_of(const struct clock_offsets *c, uint16_t file, int64_t *ret_offset_ns, int64_t *ret_error_ns)
{
	int64_t offset[CLOCK_FILE_MAX] = { 0 }, error[CLOCK_FILE_MAX] = { 0 };

	if (file >= CLOCK_FILE_MAX || !settle(c, file, offset, error))
		return false;
	*ret_offset_ns = offset[file];
	*ret_error_ns = error[file];
	return true;
}

bool clock_between(const struct clock_offsets *c, uint16_t a, uint16_t b, int64_t *ret_offset_ns)
{
	bool forth = a < b;

	*ret_offset_ns = 0;
	if (a == b)
		return true;
	for (unsigned i = 0; i < c->count; i++) {
		const struct clock_pair *p = &c->pairs[i];

		if (p->a == (forth ? a : b) && p->b == (forth ? b : a) && pair_known(p)) {
			*ret_offset_ns = forth ? pair_offset(p) : -pair_offset(p);
			return true;
		}
	}
	return false;
}

bool clock_measured(const struct clock_offsets *c, uint16_t file)
{
	return tie_of(c, file) != NULL;
}

uint16_t clock_reference(const struct clock_offsets *c, uint16_t file)
{
	const struct clock_pair *tie;

	while ((tie = tie_of(c, file)))                              /* always to a lower file */
		file = tie->a;
	return file;
}
