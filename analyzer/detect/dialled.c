/* SPDX-License-Identifier: MIT */
/* dialled: dial plans. */
#include "analyzer/detect/dialled.h"

enum { INTERNATIONAL_LEAST = 8, OUTSIDE_LEAST = 7, MASK_HEAD = 5, MASK_TAIL = 2 };

static bool starts(const char *text, const char *prefix)
{
	return *prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool starts_any(const char *text, const struct words *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		if (starts(text, w->list[i]))
			return true;
	}
	return false;
}

static int hex(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Separators and signs are left out; %2B is a plus, %30 a digit. */
static void digits_read(struct span user, char digits[DIALLED_DIGITS])
{
	size_t n = 0;

	for (size_t i = 0; i < user.n && user.p[i] != ';' && n + 1 < DIALLED_DIGITS; i++) {
		uint8_t c = user.p[i];

		if (c == '%' && i + 2 < user.n && hex(user.p[i + 1]) >= 0 && hex(user.p[i + 2]) >= 0) {
			c = (uint8_t)(hex(user.p[i + 1]) << 4 | hex(user.p[i + 2]));
			i += 2;
		}
		if ((c >= '0' && c <= '9') || (c == '+' && n == 0))
			digits[n++] = (char)c;
	}
	digits[n] = '\0';
}

/*
 * The digit for an outside line is no part of the number; a country prefix may begin with the same digit: 9 011 44 ...,
 * but 00 44 ...
 */
static const char *without_outside(const struct site *s, const char *digits)
{
	if (starts_any(digits, &s->intl_prefixes))
		return digits;
	for (unsigned i = 0; i < s->outside_prefix.count; i++) {
		if (starts(digits, s->outside_prefix.list[i]))
			return digits + strlen(s->outside_prefix.list[i]);
	}
	return digits;
}

void dialled_read(const struct site *site, struct span user, struct dialled *ret)
{
	const char *number;

	*ret = (struct dialled){ 0 };
	digits_read(user, ret->digits);
	number = without_outside(site, ret->digits);
	ret->outside = strlen(number) >= OUTSIDE_LEAST;
	ret->premium = starts_any(number, &site->premium_prefixes);
	for (unsigned i = 0; i < site->intl_prefixes.count && ret->outside && !ret->international; i++) {
		const char *prefix = site->intl_prefixes.list[i], *rest = number + strlen(prefix);

		if (!starts(number, prefix) || strlen(rest) < INTERNATIONAL_LEAST || starts(rest, "0"))
			continue;
		memcpy(ret->country, rest, strlen(rest) + 1);
		ret->international = true;
		ret->by_prefix = prefix[0] != '+';
		ret->premium |= starts_any(rest, &site->premium_prefixes);
		ret->foreign = site->home_cc.count && !starts_any(rest, &site->home_cc) &&
			!starts_any(rest, &site->allowed_cc);
	}
}

const char *dialled_text(const struct site *site, const struct dialled *n, char buffer[DIALLED_DIGITS])
{
	size_t length = strlen(n->digits);

	memcpy(buffer, n->digits, length + 1);
	for (size_t i = MASK_HEAD; site->mask_numbers && i + MASK_TAIL < length; i++)
		buffer[i] = '*';
	return buffer;
}
