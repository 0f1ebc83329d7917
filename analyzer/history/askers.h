/* SPDX-License-Identifier: MIT */
/* askers: who called or registered before, read once from a history for the analyzer (analyzer/past_asks.h). */
#ifndef DEADAIR_HISTORY_ASKERS_H
#define DEADAIR_HISTORY_ASKERS_H

#include "analyzer/history/store.h"
#include "analyzer/past_asks.h"

/*
 * The latest ones within the day that ends then, without runs in which names were replaced, and without that of this
 * identity (NULL: none is left out). Owned by the caller; NULL with *err.
 */
struct past_asks *askers_new(struct store *s, int64_t until_ns, const uint8_t identity[DIGEST_BYTES], struct err *err);

#endif
