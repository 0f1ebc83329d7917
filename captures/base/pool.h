/* SPDX-License-Identifier: MIT */
/*
 * pool: records of one size, taken and given back by the thousand: without a header each, and in the order of memory as
 * long as none was given back. What a table's peak took stays the table's.
 */
#ifndef DEADAIR_BASE_POOL_H
#define DEADAIR_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool_chunk;

struct pool {
	size_t size;                 /* of an item, aligned to MEMORY_ALIGNMENT */
	struct pool_chunk *chunks;
	void *spare;                 /* given back: each leads to the next */
	uint8_t *next;               /* never taken yet */
	size_t left, chunk_items;
};

void pool_init(struct pool *p, size_t size);
void pool_fini(struct pool *p);                          /* with all items, given back or not */
void *pool_take(struct pool *p);                         /* never NULL; contents undefined */
void *pool_zalloc(struct pool *p);                       /* zeroed */
void pool_give(struct pool *p, void *item);              /* NULL is fine */

#endif
