/* SPDX-License-Identifier: MIT */
/* redact_files: captures under names that say nothing: capture-1.pcap. */
#ifndef DEADAIR_UI_REDACT_FILES_H
#define DEADAIR_UI_REDACT_FILES_H

#include "captures/source.h"

struct redact_files;

/* Copies of them in the same order; what they point at is lent. */
struct redact_files *redact_files_new(const struct source_file *const *files, size_t count);
void redact_files_free(struct redact_files *r);
const struct source_file *const *redact_files_list(const struct redact_files *r);

#endif
