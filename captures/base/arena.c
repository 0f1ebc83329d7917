/* SPDX-License-Identifier: MIT */
/* arena: chunks that grow; records are laid from a chunk's front, texts, which need no alignment, from its back. */
#include "captures/base/arena.h"

#include <stdlib.h>

#include "captures/base/memory.h"

/* A chunk more is an eighth of what there is: little stays empty, where doubling would leave a third. */
enum { LEAST_CHUNK = 1024, LARGEST_CHUNK = 65536, GROWTH = 8, STEP = 256, CHUNKS_TRIED = 3 };

struct chunk {
	struct chunk *next;
	size_t front, back;              /* what is free lies between; offsets from the chunk */
};

struct arena {
	struct chunk *chunks;            /* the one that is filled now comes first */
	size_t bytes;
};

static size_t aligned(size_t bytes)
{
	return (bytes + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

struct arena *arena_new(void)
{
	struct arena *arena = memory_zalloc(sizeof *arena);

	arena->bytes = sizeof *arena;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->chunks) {
		struct chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	free(arena);
}

static struct chunk *chunk_new(struct arena *arena, size_t size)
{
	struct chunk *chunk = memory_zalloc(size);

	chunk->front = aligned(sizeof *chunk);
	chunk->back = size;
	arena->bytes += size;
	return chunk;
}

static size_t next_size(const struct arena *arena)
{
	size_t size = arena->bytes / GROWTH / STEP * STEP;

	return size < LEAST_CHUNK ? LEAST_CHUNK : size > LARGEST_CHUNK ? LARGEST_CHUNK : size;
}

/*
 * A chunk with so much room: the last ones have gaps that something small still fits in. What is large gets one of its
 * own, behind the one being filled.
 */
static struct chunk *chunk_with(struct arena *arena, size_t bytes)
{
	struct chunk *chunk = arena->chunks;
	size_t head = aligned(sizeof *chunk);

	for (unsigned i = 0; chunk && i < CHUNKS_TRIED; i++, chunk = chunk->next) {
		if (chunk->back - chunk->front >= bytes)
			return chunk;
	}
	if (bytes > next_size(arena) / 2) {
		/* An overflowing sum becomes a size that nobody can give: out of memory. */
		chunk = chunk_new(arena, bytes > SIZE_MAX - head ? SIZE_MAX : head + bytes);
		if (arena->chunks) {
			chunk->next = arena->chunks->next;
			arena->chunks->next = chunk;
		} else {
			arena->chunks = chunk;
		}
		return chunk;
	}
	chunk = chunk_new(arena, next_size(arena));
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *arena_zalloc(struct arena *arena, size_t bytes)
{
	size_t need = bytes > SIZE_MAX / 2 ? SIZE_MAX : aligned(bytes ? bytes : 1);
	struct chunk *chunk = chunk_with(arena, need);
	void *p = (uint8_t *)chunk + chunk->front;

	chunk->front += need;
	return p;
}

static uint8_t *take_back(struct arena *arena, size_t bytes)
{
	struct chunk *chunk = chunk_with(arena, bytes);

	chunk->back -= bytes;
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
