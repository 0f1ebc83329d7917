/* SPDX-License-Identifier: MIT */
/*
 * live_saves: the newest packets become files: all of them on a signal, those of a problem or an incident by
 * themselves (--record).
 */
#ifndef DEADAIR_UI_LIVE_SAVES_H
#define DEADAIR_UI_LIVE_SAVES_H

#include "captures/keep.h"
#include "ui/save.h"

struct live_saves {                  /* what a copy of the process needs for it; lent */
	const struct keep *keep;
	const struct engine *engine; /* at its end */
	const struct source_file *const *files;
	size_t file_count;
};

/* All that is kept, into a new file of that folder. What was done, or why not, is appended to *ret. */
bool live_save_all(const struct live_saves *s, const char *folder, struct text *ret);

/*
 * The finding of that identity, with its incident if it has one: a file of that folder. covered() is called for each
 * finding that is in it. Then the oldest files of this program go until what is left takes no more than `most` bytes.
 */
bool live_save_finding(const struct live_saves *s, uint64_t identity, const char *folder, uint64_t most,
	void (*covered)(void *context, uint64_t identity), void *context, struct text *ret);

/* For save_write(): walks over what is kept. */
struct save_source live_save_source(const struct live_saves *s);

#endif
