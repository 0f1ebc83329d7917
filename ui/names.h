/* SPDX-License-Identifier: MIT */
/* names: what people call an address, from a file in hosts format and from the capture itself. Never from DNS. */
#ifndef DEADAIR_UI_NAMES_H
#define DEADAIR_UI_NAMES_H

#include "captures/base/address.h"
#include "captures/base/err.h"

struct names;

struct names *names_new(void);
void names_free(struct names *n);
/*
 * "10.0.0.2  pbx pbx.example  # comment": the first name of an address is kept, escaped; lines that are none are passed
 * over.
 */
void names_parse(struct names *n, struct span text);
/* ERR_OK, or why the file could not be read. */
enum err_code names_read(struct names *n, const char *path, struct err *err);
/* A name that was given first stays. */
void names_add(struct names *n, const struct address *a, struct span name);
/* NULL: none; n may be NULL. */
const char *names_find(const struct names *n, const struct address *a);

#endif
