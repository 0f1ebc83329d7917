/* SPDX-License-Identifier: MIT */
/* dialled: what a dialled number is, by the dial plan of the profile. */
#ifndef DEADAIR_DETECT_DIALLED_H
#define DEADAIR_DETECT_DIALLED_H

#include "analyzer/site.h"

enum { DIALLED_DIGITS = 24 };

struct dialled {
	char digits[DIALLED_DIGITS]; /* as dialled, digits only, a leading + kept */
	char country[DIALLED_DIGITS];/* behind the international prefix; empty: not international */
	bool international;          /* a prefix of intl-prefixes and eight digits or more */
	bool by_prefix;              /* 00, 011: somebody dialled it; numbers on trunks begin with + */
	/* international, and the profile knows the home country and does not allow that one */
	bool foreign;
	bool premium;                /* in premium-prefixes */
	bool outside;                /* seven digits or more */
};

void dialled_read(const struct site *site, struct span user, struct dialled *ret);
/* "00441*****12": prefix and the last two; all of it where the profile says so. */
const char *dialled_text(const struct site *site, const struct dialled *n, char buffer[DIALLED_DIGITS]);

#endif
