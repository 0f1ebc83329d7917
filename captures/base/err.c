/* SPDX-License-Identifier: MIT */
/* err: formats the operator's trouble. */
#include "captures/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Takes away the beginning of a UTF-8 character that was cut. */
static void drop_cut_character(char *text)
{
	size_t n = strlen(text), tail = 0;

	while (tail < 3 && tail < n && ((unsigned char)text[n - 1 - tail] & 0xc0) == 0x80)
		tail++;
	if (tail < n) {
		unsigned char lead = (unsigned char)text[n - 1 - tail];
		size_t whole = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;

		if (tail < whole)
			text[n - 1 - tail] = '\0';
	}
}

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, format);
	if (vsnprintf(err->text, sizeof err->text, format, args) >= (int)sizeof err->text)
		drop_cut_character(err->text);
	va_end(args);
	return code;
}
