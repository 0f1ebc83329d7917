/* SPDX-License-Identifier: MIT */
/* list: doubly linked, the link is in the record. Lists order what is printed. */
#ifndef DEADAIR_BASE_LIST_H
#define DEADAIR_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_link {
	struct list_link *next, *prev;
};

struct list {
	struct list_link head;
	size_t count;
};

static inline void list_init(struct list *l)
{
	l->head.next = l->head.prev = &l->head;
	l->count = 0;
}

static inline bool list_empty(const struct list *l)
{
	return l->count == 0;
}

static inline void list_add_tail(struct list *l, struct list_link *link)
{
	link->prev = l->head.prev;
	link->next = &l->head;
	l->head.prev->next = link;
	l->head.prev = link;
	l->count++;
}

static inline void list_remove(struct list *l, struct list_link *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->next = link->prev = NULL;
	l->count--;
}

#define LIST_ENTRY(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))
/* The next record is asked for while this one is looked at: a long list is not in the cache. */
#define LIST_EACH(it, l) \
	for (struct list_link *it = (l)->head.next; __builtin_prefetch(it->next), it != &(l)->head; it = it->next)
/* The current record may be removed in the body. */
#define LIST_EACH_SAFE(it, l) \
	for (struct list_link *it = (l)->head.next, *it##_next = it->next; it != &(l)->head; it = it##_next, it##_next = it->next)

/* A list that is only added to at its end and walked forwards: a link is half as large. Empty when zeroed. */
struct chain_link {
	struct chain_link *next;
};

struct chain {
	struct chain_link *first, *last;
	size_t count;
};

static inline void chain_add(struct chain *c, struct chain_link *link)
{
	if (c->last)
		c->last->next = link;
	else
		c->first = link;
	c->last = link;
	c->count++;
}

#define CHAIN_EACH(it, c) \
	for (struct chain_link *it = (c)->first; it && (__builtin_prefetch(it->next), true); it = it->next)

#endif
