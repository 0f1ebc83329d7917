/* SPDX-License-Identifier: MIT */
/* engine: one door. Packets in, findings out; owns all analyzer state, on one thread. */
#ifndef DEADAIR_ANALYZER_ENGINE_H
#define DEADAIR_ANALYZER_ENGINE_H

#include "analyzer/config.h"
#include "analyzer/feed.h"
#include "analyzer/site.h"
#include "dissect/dissect.h"

struct engine;
struct past_asks;                    /* analyzer/past_asks.h */
struct redact;

struct engine_options {
	const struct config *config; /* lent for the engine's life */
	const struct site *site;     /* lent likewise */
	bool keep_texts;             /* raw SIP messages stay for ladders */
	bool live;
	size_t memory;               /* bytes that all tables may take, BUDGET_LEAST at least; 0: no limit */
	const struct file_clocks *clocks;    /* what was taken off the times of files; lent; NULL: nothing */
	const char *why_not;         /* "ID" or "ID:CALL": record why that finding was not made; NULL */
};

struct engine *engine_new(const struct engine_options *options);
void engine_free(struct engine *e);
void engine_packet(struct engine *e, const struct packet *p);
enum { ENGINE_BATCH = FEED_BATCH };  /* items at most */
/*
 * The same for the packet of each of them, in their order; all are readable until it returns. Faster than one by one:
 * what they will touch is asked for ahead, each record takes all of them while its code and its tables are in the
 * cache, and of most plain frames no packet is made.
 */
void engine_items(struct engine *e, const struct feed_item *items, unsigned count);
/* What the reader lets pass of its input (-f): as good as a filter of the capture. */
void engine_read_filter(struct engine *e, const char *filter);
/* So many more frames came without a time of their own. Any time before engine_finish. */
void engine_untimed(struct engine *e, uint64_t frames);
/* What the capture's format said of the interface: drops, filter. Any time before engine_finish. */
void engine_interface(struct engine *e, uint16_t file, uint16_t interface, const char *filter, uint32_t snaplen,
	uint64_t if_drop, uint64_t os_drop);
/* What a history knows of the day before, lent for the engine's life; NULL nothing. Any time before engine_finish. */
void engine_past(struct engine *e, struct past_asks *past);
/* Time of the first frame; NS_NONE: there was none. */
int64_t engine_first_ns(const struct engine *e);
/* What dissection had to leave. Any time before the views. */
void engine_dissected(struct engine *e, const struct dissector_counts *counts);
/* Nothing came up to that moment either: what is judged is judged as of then. */
void engine_until(struct engine *e, int64_t now_ns);
/* The end: all judgements, suppression, incidents, numbers. Views are complete afterwards. */
void engine_finish(struct engine *e);
/*
 * From now on views have other numbers, names and addresses; after engine_finish(). r is lent for the engine's life;
 * NULL: no longer.
 */
void engine_redact(struct engine *e, struct redact *r);

#endif
