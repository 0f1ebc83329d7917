/* SPDX-License-Identifier: MIT */
/* ladder_hosts: columns by address, where a machine may have several. */
#include "ui/ladder_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "captures/base/memory.h"

enum { OTHERS_SHOWN = 2 };

void ladder_hosts_init(struct ladder_hosts *h, const struct engine *e, unsigned most)
{
	struct view_host host;

	*h = (struct ladder_hosts){ .most = most < LADDER_HOSTS ? most : LADDER_HOSTS };
	for (size_t i = 0; view_host(e, i, &host); i++) {
		for (unsigned k = 0; k < host.alias_count; k++) {
			if ((h->alias_count & (h->alias_count - 1)) == 0)
				h->aliases = memory_resize(h->aliases, h->alias_count ? h->alias_count * 2 : 1,
					sizeof *h->aliases);
			h->aliases[h->alias_count++] = (struct ladder_alias){ host.aliases[k], host.addr };
		}
	}
}

void ladder_hosts_fini(struct ladder_hosts *h)
{
	free(h->aliases);
	*h = (struct ladder_hosts){ .most = 0 };
}

static struct address known_as(const struct ladder_hosts *h, const struct address *a)
{
	for (size_t i = 0; i < h->alias_count; i++)
		if (address_equal(&h->aliases[i].other, a))
			return h->aliases[i].host;
	return *a;
}

int ladder_hosts_find(const struct ladder_hosts *h, const struct address *a)
{
	struct address known = known_as(h, a);

	for (unsigned i = 0; i < h->count; i++)
		if (address_equal(&h->at[i], &known))
			return (int)i;
	return -1;
}

static void insert(struct ladder_hosts *h, unsigned column, const struct address *a)
{
	if (!address_known(a) || ladder_hosts_find(h, a) >= 0 || h->count == h->most)
		return;
	memmove(&h->at[column + 1], &h->at[column], (h->count - column) * sizeof h->at[0]);
	h->at[column] = known_as(h, a);
	h->count++;
}

void ladder_hosts_add(struct ladder_hosts *h, const struct address *a)
{
	insert(h, h->count, a);
}

void ladder_hosts_add_message(struct ladder_hosts *h, const struct view_message *m)
{
	int next = m->status == 0 ? ladder_hosts_find(h, &m->dst.addr) : -1;

	insert(h, next > 0 ? (unsigned)next : h->count, &m->src.addr);
	insert(h, h->count, &m->dst.addr);
}

const struct address *ladder_hosts_other(const struct ladder_hosts *h, unsigned column, unsigned nth)
{
	for (size_t i = 0; i < h->alias_count; i++) {
		if (address_equal(&h->aliases[i].host, &h->at[column]) && nth-- == 0)
			return &h->aliases[i].other;
	}
	return NULL;
}

void ladder_hosts_addresses(const struct ladder_hosts *h, unsigned column, const char *between, struct text *t)
{
	const struct address *other;
	char addr[ADDRESS_TEXT];

	for (unsigned i = 0; i < OTHERS_SHOWN && (other = ladder_hosts_other(h, column, i)); i++)
		text_addf(t, "%s%s", address_text(other, addr), between);
	text_add(t, address_text(&h->at[column], addr));
}
