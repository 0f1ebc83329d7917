/* SPDX-License-Identifier: MIT */
/* err: the operator's trouble (file, permission, usage). Filled where the facts are known, printed once by the ui. */
#ifndef DEADAIR_BASE_ERR_H
#define DEADAIR_BASE_ERR_H

enum err_code { ERR_OK, ERR_USAGE, ERR_FILE, ERR_DAMAGED, ERR_PERMISSION, ERR_SYSTEM, ERR_UNSUPPORTED };

struct err {
	enum err_code code;
	char text[512];              /* the thing, the place and the way out; escaped, no newline */
};

/* Formats, cuts what is too long, gives code back: return err_set(err, ERR_FILE, "%s: ...", name). err may be NULL. */
enum err_code err_set(struct err *err, enum err_code code, const char *format,
	...) __attribute__((format(printf, 3, 4)));

#endif
