/* SPDX-License-Identifier: MIT */
/*
 * record_part: what has come to its end since the last time becomes rows, once: how a history grows while a capture
 * goes on.
 */
#ifndef DEADAIR_HISTORY_RECORD_PART_H
#define DEADAIR_HISTORY_RECORD_PART_H

#include "analyzer/history/rows.h"
#include "analyzer/views.h"

struct record_range {
	int64_t after_ns, until_ns;  /* what ended behind the one, not behind the other; after_ns NS_NONE: whenever */
	bool all;                    /* what has not ended, too: there is no next time */
	bool network;                /* hosts and address mappings as they are now, in place of what was said of them */
	bool no_texts;               /* nothing that messages said */
	struct record_numbers used;  /* numbers of rows go on behind them */
};

/*
 * Calls that ended, with their streams and with the findings about them and the roots of those. What has no end of its
 * own has come to it when nothing was heard of it for a while. Hosts and address mappings when asked for, and at the
 * end of all. Otherwise as record_engine().
 */
bool record_part(const struct engine *e, const struct record_range *range,
	bool (*take)(void *context, const struct rows *r), void *context);

#endif
