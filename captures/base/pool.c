/* SPDX-License-Identifier: MIT */
/* pool: chunks that double up to a size, and a list of what was given back. */
#include "captures/base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

/* Who looks for faults is told of an item that is used behind pool_give(). */
#if defined __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { FIRST_ITEMS = 4, CHUNK_MAX = 65536 };

struct pool_chunk {
	_Alignas(MEMORY_ALIGNMENT) struct pool_chunk *next;
};

void pool_init(struct pool *p, size_t size)
{
	*p = (struct pool){ .size = (size + MEMORY_ALIGNMENT - 1) & ~(size_t)(MEMORY_ALIGNMENT - 1),
		.chunk_items = FIRST_ITEMS };
}

void pool_fini(struct pool *p)
{
	while (p->chunks) {
		struct pool_chunk *chunk = p->chunks;

		p->chunks = chunk->next;
		free(chunk);
	}
	pool_init(p, p->size);
}

static void chunk_add(struct pool *p)
{
	struct pool_chunk *chunk = memory_resize(NULL, sizeof *chunk + p->chunk_items * p->size, 1);

	chunk->next = p->chunks;
	p->chunks = chunk;
	p->next = (uint8_t *)(chunk + 1);
	p->left = p->chunk_items;
	if (p->chunk_items * p->size * 2 <= CHUNK_MAX)
		p->chunk_items *= 2;
}

void *pool_take(struct pool *p)
{
	void *item = p->spare;

	if (item) {
		ASAN_UNPOISON_MEMORY_REGION(item, p->size);
		memcpy(&p->spare, item, sizeof p->spare);
		return item;
	}
	if (!p->left)
		chunk_add(p);
	item = p->next;
	p->next += p->size;
	p->left--;
	return item;
}

void *pool_zalloc(struct pool *p)
{
	return memset(pool_take(p), 0, p->size);
}

void pool_give(struct pool *p, void *item)
{
	if (!item)
		return;
	memcpy(item, &p->spare, sizeof p->spare);
	p->spare = item;
	ASAN_POISON_MEMORY_REGION(item, p->size);
}
