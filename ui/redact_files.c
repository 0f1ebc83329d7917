/* SPDX-License-Identifier: MIT */
/* redact_files: captures under names that say nothing. */
#include "ui/redact_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum { NAME_ROOM = 64 };

struct redact_files {
	size_t count;
	struct source_file *copies;
	const struct source_file **list;
	char (*names)[NAME_ROOM];
};

/* The endings that captures have; of another one nobody knows what it says. */
static const char *ending(const char *name)
{
	static const char *const known[] = { ".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz", ".cap.gz",
		".pcap.zst", ".pcapng.zst", ".cap.zst" };
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		size_t k = strlen(known[i]);

		if (n > k && strcmp(name + n - k, known[i]) == 0)
			return known[i];
	}
	return "";
}

/* Messages begin with the name of the file. */
static void rename_in(struct err *e, const char *name, const char *as)
{
	const char *at = *name ? strstr(e->text, name) : NULL;
	char text[sizeof e->text];

	if (!at)
		return;
	if (snprintf(text, sizeof text, "%.*s%s%s", (int)(at - e->text), e->text, as,
	    at + strlen(name)) < (int)sizeof text)
		memcpy(e->text, text, sizeof text);
	else
		snprintf(e->text, sizeof e->text, "%s: cannot be read to its end", as);
}

struct redact_files *redact_files_new(const struct source_file *const *files, size_t count)
{
	struct redact_files *r = memory_zalloc(sizeof *r);

	r->count = count;
	r->copies = memory_zalloc((count + 1) * sizeof *r->copies);
	r->list = memory_zalloc((count + 1) * sizeof *r->list);
	r->names = memory_zalloc((count + 1) * sizeof *r->names);
	for (size_t i = 0; i < count; i++) {
		snprintf(r->names[i], NAME_ROOM, "capture-%zu%s", i + 1, ending(files[i]->name));
		r->copies[i] = *files[i];
		r->copies[i].name = r->names[i];
		rename_in(&r->copies[i].error, files[i]->name, r->names[i]);
		r->list[i] = &r->copies[i];
	}
	return r;
}

void redact_files_free(struct redact_files *r)
{
	if (!r)
		return;
	free(r->copies);
	free((void *)r->list);
	free(r->names);
	free(r);
}

const struct source_file *const *redact_files_list(const struct redact_files *r)
{
	return r->list;
}
