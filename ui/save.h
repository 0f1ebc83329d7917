/* SPDX-License-Identifier: MIT */
/*
 * save: packets of a call, a problem, an incident, or all, as pcapng; those that are evidence say of what, in
 * their comments.
 */
#ifndef DEADAIR_UI_SAVE_H
#define DEADAIR_UI_SAVE_H

#include "captures/base/err.h"
#include "captures/base/text.h"
#include "captures/source.h"
#include "ui/save_choice.h"

struct save_source {
	const struct engine *engine; /* at its end */
	const struct source_file *const *files;
	size_t file_count;
	/* Every frame again, in the same order, from the beginning at each begin(). NULL from begin(): *err. */
	void *(*begin)(void *context, struct err *err);
	bool (*next)(void *walk, struct frame *ret);
	void (*end)(void *walk);
	void *context;
};

struct save_done {
	uint64_t frames, commented, bytes;
	int64_t first_ns, last_ns;   /* NS_NONE: none */
};

/* path is a new file. Without a packet, none is made, and that is an error. */
enum err_code save_write(const struct save_source *from, const struct save_wish *wish, const char *path,
	struct save_done *ret, struct err *err);
/* "call 4", "calls 2,5", "finding 3", "incident 1", "all", "4": numbers are owned by the caller, free(3). */
enum err_code save_wish_parse(const char *text, struct save_wish *ret, unsigned **ret_numbers, struct err *err);
/* "saved 812 packets from 09:12:41 to 09:13:20, 5 of them with comments: office.pcapng" */
void save_said(const struct save_done *done, const char *path, struct text *ret);

#endif
