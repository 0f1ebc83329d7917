/* SPDX-License-Identifier: MIT */
/* arena: chunks that grow; records are laid from a chunk's front, texts, which need no alignment, from its back. */
#include "captures/base/arena.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/pool.h"

/* A chunk more is an eighth of what there is: little stays empty, where doubling would leave a third. */
enum { LEAST_CHUNK = 992, LARGEST_CHUNK = 65536, GROWTH = 8, STEP = 256, CHUNKS_TRIED = 3 };

struct chunk {
	struct chunk *next;
	uint32_t front, back;            /* what is free lies between; offsets from the chunk */
};

struct arena {                           /* stands in its first chunk, behind the head */
	struct chunk *chunks;            /* the one that is filled now comes first */
	struct chunk *large;             /* of one piece each */
	struct pool *pool;               /* where chunks come from, all of one size; NULL: the heap */
	size_t bytes;
};

static size_t aligned(size_t bytes)
{
	return (bytes + MEMORY_ALIGNMENT - 1) & ~(size_t)(MEMORY_ALIGNMENT - 1);
}

static struct chunk *chunk_new(struct pool *pool, size_t size, size_t used)
{
	struct chunk *chunk = pool ? pool_zalloc(pool) : memory_zalloc(size);

	chunk->front = (uint32_t)aligned(used);
	chunk->back = (uint32_t)size;
	return chunk;
}

static struct arena *arena_begin(struct pool *pool, size_t size)
{
	struct chunk *chunk = chunk_new(pool, size, aligned(sizeof *chunk) + sizeof(struct arena));
	struct arena *arena = (struct arena *)((uint8_t *)chunk + aligned(sizeof *chunk));

	arena->chunks = chunk;
	arena->pool = pool;
	arena->bytes = size;
	return arena;
}

struct arena *arena_new(void)
{
	return arena_begin(NULL, LEAST_CHUNK);
}

struct arena *arena_new_in(struct pool *chunks)
{
	return arena_begin(chunks, chunks->size);
}

void arena_free(struct arena *arena)
{
	struct chunk *next;
	struct pool *pool;

	if (!arena)
		return;
	for (struct chunk *it = arena->large; it; it = next) {
		next = it->next;
		free(it);
	}
	pool = arena->pool;
	for (struct chunk *it = arena->chunks; it; it = next) {  /* the arena goes with one of them */
		next = it->next;
		if (pool)
			pool_give(pool, it);
		else
			free(it);
	}
}

static size_t next_size(const struct arena *arena)
{
	size_t size = arena->bytes / GROWTH / STEP * STEP;

	if (arena->pool)
		return arena->pool->size;
	return size < LEAST_CHUNK ? LEAST_CHUNK : size > LARGEST_CHUNK ? LARGEST_CHUNK : size;
}

static void *large_new(struct arena *arena, size_t bytes)
{
	size_t head = aligned(sizeof(struct chunk));
	/* An overflowing sum becomes a size that nobody can give: out of memory. */
	size_t size = bytes > SIZE_MAX - head ? SIZE_MAX : head + bytes;
	struct chunk *chunk = memory_zalloc(size);

	arena->bytes += size;
	chunk->next = arena->large;
	arena->large = chunk;
	return (uint8_t *)chunk + head;
}

static inline bool chunk_fits(const struct chunk *chunk, size_t bytes)
{
	return (size_t)(chunk->back - chunk->front) >= bytes;
}

/* Half of it at most; of the pool's chunks, which cost no heap, also nearly all of one. The rest would stay empty. */
static bool chunk_suits(const struct arena *arena, size_t size, size_t bytes)
{
	return bytes <= size / 2 || (arena->pool && bytes <= size - sizeof(struct chunk) && bytes >= size / 8 * 7);
}

/* One of those before the first, or a new one. */
static struct chunk *chunk_other(struct arena *arena, size_t bytes)
{
	struct chunk *chunk = arena->chunks->next, **at = &arena->chunks;
	size_t size;

	for (unsigned i = 1; chunk && i < CHUNKS_TRIED; i++, chunk = chunk->next) {
		if (chunk_fits(chunk, bytes))
			return chunk;
	}
	size = next_size(arena);
	if (!chunk_suits(arena, size, bytes))
		return NULL;
	chunk = chunk_new(arena->pool, size, sizeof *chunk);
	arena->bytes += size;
	if (bytes > size / 2)           /* it is full at once: the one that is filled now stays first */
		at = &arena->chunks->next;
	chunk->next = *at;
	*at = chunk;
	return chunk;
}

/* A chunk with so much room: the last ones have gaps that something small still fits in. NULL: it is large. */
static inline struct chunk *chunk_with(struct arena *arena, size_t bytes)
{
	return chunk_fits(arena->chunks, bytes) ? arena->chunks : chunk_other(arena, bytes);
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
	size_t need = bytes > SIZE_MAX / 2 ? SIZE_MAX : aligned(bytes ? bytes : 1);
	struct chunk *chunk = chunk_with(arena, need);
	void *p;

	if (!chunk)
		return large_new(arena, need);
	p = (uint8_t *)chunk + chunk->front;
	chunk->front += (uint32_t)need;
	return p;
}

static uint8_t *take_back(struct arena *arena, size_t bytes)
{
	struct chunk *chunk = chunk_with(arena, bytes);

	if (!chunk)
		return large_new(arena, bytes);
	chunk->back -= (uint32_t)bytes;
	return (uint8_t *)chunk + chunk->back;
}

struct span arena_dup(struct arena *arena, struct span s)
{
	uint8_t *p;

	if (s.n == 0)
		return SPAN_NONE;
	p = take_back(arena, s.n);
	memcpy(p, s.p, s.n);
	return (struct span){ p, s.n };
}

char *arena_text(struct arena *arena, struct span s)
{
	uint8_t *p = take_back(arena, s.n + 1);          /* a chunk comes zeroed: the NUL is there */

	if (s.n)
		memcpy(p, s.p, s.n);
	return (char *)p;
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}

void arena_ask(const struct arena *arena)
{
	const struct chunk *chunk = arena->chunks;

	__asm__ volatile("");
	__builtin_prefetch(chunk, 1);
}
