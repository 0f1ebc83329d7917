/* SPDX-License-Identifier: MIT */
/* names: addresses and their names, by hash. */
#include "ui/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/arena.h"
#include "captures/base/hash.h"
#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { NAME_BYTES = 256, FILE_BYTES_MAX = 64 << 20 };

struct name {
	struct hash_link link;
	struct address addr;
	const char *text;
};

struct names {
	struct hash by_address;
	struct arena *arena;
};

struct names *names_new(void)
{
	struct names *n = memory_zalloc(sizeof *n);

	hash_init(&n->by_address);
	n->arena = arena_new();
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	hash_fini(&n->by_address);
	arena_free(n->arena);
	free(n);
}

const char *names_find(const struct names *n, const struct address *a)
{
	uint32_t hash = address_hash(a);

	if (!n || !address_known(a))
		return NULL;
	for (struct hash_link *l = hash_first(&n->by_address, hash); l; l = l->next) {
		const struct name *name = HASH_ENTRY(l, struct name, link);

		if (l->hash == hash && address_equal(&name->addr, a))
			return name->text;
	}
	return NULL;
}

void names_add(struct names *n, const struct address *a, struct span name)
{
	struct name *made;
	char escaped[NAME_BYTES];

	if (!address_known(a) || name.n == 0 || names_find(n, a))
		return;
	made = arena_zalloc(n->arena, sizeof *made);
	made->addr = *a;
	made->text = arena_text(n->arena, span_of(text_escape(name, escaped, sizeof escaped)));
	hash_add(&n->by_address, &made->link, address_hash(a));
}

/* The next word of a line; empty at its end. */
static struct span word_take(struct span *line)
{
	struct span s = span_trim(*line);
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	*line = span_from(s, n);
	return span_first(s, n);
}

static void line_parse(struct names *n, struct span line)
{
	struct address a;
	struct span rest = span_first(line, span_find(line, '#')), word = word_take(&rest);

	if (word.n && address_parse(word, &a))
		names_add(n, &a, word_take(&rest));
}

void names_parse(struct names *n, struct span text)
{
	struct span line;

	while (span_split(&text, '\n', &line))
		line_parse(n, line);
}

enum err_code names_read(struct names *n, const char *path, struct err *err)
{
	char name[NAME_BYTES], block[1 << 14];
	FILE *f = fopen(path, "rb");
	struct text all;
	bool readable;

	text_escape(span_of(path), name, sizeof name);
	if (!f)
		return err_set(err, ERR_FILE, "%s: %s: --names wants a file in hosts format", name, strerror(errno));
	text_init(&all);
	for (size_t got; (got = fread(block, 1, sizeof block, f)) > 0 && all.n <= FILE_BYTES_MAX;) {
		for (size_t i = 0; i < got; i++)
			if (block[i] == '\0')
				block[i] = '?';
		text_addf(&all, "%.*s", (int)got, block);
	}
	readable = !ferror(f) && all.n <= FILE_BYTES_MAX;
	if (readable)
		names_parse(n, (struct span){ (const uint8_t *)all.p, all.n });
	text_fini(&all);
	fclose(f);
	return readable ? ERR_OK : err_set(err, ERR_FILE, "%s: not readable as a file of names in hosts format", name);
}
