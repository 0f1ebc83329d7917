/* SPDX-License-Identifier: MIT */
/* refer_to: the Replaces inside a Refer-To, as it was escaped. */
#include "analyzer/detect/refer_to.h"

const char *refer_to_flaw(struct span refer_to)
{
	size_t at = span_find_text_nocase(refer_to, SPAN("Replaces="));
	struct span value = span_from(refer_to, at + 9);

	if (at >= refer_to.n)
		return NULL;
	value = span_first(value, span_find(value, '>'));
	value = span_first(value, span_find(value, '&'));
	if (span_find_text_nocase(value, SPAN("to-tag")) >= value.n)
		return "without to-tag";
	if (span_find_text_nocase(value, SPAN("from-tag")) >= value.n)
		return "without from-tag";
	return span_find(value, ';') < value.n ? "whose semicolons are not escaped" : NULL;
}

/* 0 to 15; 16: no hexadecimal digit. */
static unsigned hex_digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10u : 16;
}

/* The byte that text begins with, "%40" for one that is escaped; text goes on behind it. */
static uint8_t byte_take(struct span *text)
{
	bool escaped = text->n > 2 && text->p[0] == '%' && hex_digit(text->p[1]) < 16 && hex_digit(text->p[2]) < 16;
	uint8_t b = escaped ? (uint8_t)(hex_digit(text->p[1]) << 4 | hex_digit(text->p[2])) : text->p[0];

	*text = span_from(*text, escaped ? 3 : 1);
	return b;
}

/* Its Replaces begins so; *ret is what follows, still escaped. */
static bool begins_with(struct span refer_to, struct span text, struct span *ret)
{
	size_t at = span_find_text_nocase(refer_to, SPAN("Replaces="));

	*ret = span_from(refer_to, at + 9);
	if (at >= refer_to.n || !text.n)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (ret->n == 0 || byte_take(ret) != text.p[i])
			return false;
	}
	return true;
}

bool refer_to_names(struct span refer_to, struct span call_id)
{
	struct span rest;

	return begins_with(refer_to, call_id, &rest) && rest.n && byte_take(&rest) == ';';
}

bool refer_to_carries(struct span refer_to, struct span replaces)
{
	struct span rest;

	return begins_with(refer_to, replaces, &rest) && (!rest.n || rest.p[0] == '>' || rest.p[0] == '&');
}
