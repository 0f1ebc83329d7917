/* SPDX-License-Identifier: MIT */
/* live_history: what ends while a capture goes on goes into a history, a run a day (UTC). Written by copies of the process, one after the other. */
#ifndef DEADAIR_UI_LIVE_HISTORY_H
#define DEADAIR_UI_LIVE_HISTORY_H

#include "analyzer/views.h"
#include "captures/base/digest.h"
#include "captures/base/err.h"

struct live_history {                /* flat: a copy has one of its own */
	char path[4096];
	char source[256];            /* names of interfaces, safe text */
	uint8_t identity[DIGEST_BYTES];      /* of this capture */
	int64_t day;                 /* since the epoch; of the run that is written to */
	int64_t day_first_ns;        /* packet time of its first frame; NS_NONE */
	uint64_t frames_before, bytes_before;        /* of days before */
	int64_t kept_ns;             /* what ended until then is written; NS_NONE nothing */
	int64_t until_ns;            /* as far as the writing goes that is under way */
};

/* began_ns: wall clock. The history is made, if there is none, and tried: false with *err. */
bool live_history_open(struct live_history *h, const char *path, const char *source, int64_t began_ns, struct err *err);
/* Is it time, with so much captured? Then *h says what is to be written. */
bool live_history_due(struct live_history *h, int64_t now_ns);
/* In a copy, or at the end of all (then what has not ended goes with it). The engine is at its end. */
enum err_code live_history_write(const struct live_history *h, const struct engine *e, bool all, struct err *err);
/* It was written: what comes next begins there. frames, bytes: captured so far. */
void live_history_written(struct live_history *h, uint64_t frames, uint64_t bytes);

#endif
