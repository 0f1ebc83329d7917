/* SPDX-License-Identifier: MIT */
/* press: keys as text: "2/from:1002<Enter><F9>". Between the keys the screen is drawn, as it is for a person. */
#ifndef DEADAIR_TESTS_PRESS_H
#define DEADAIR_TESTS_PRESS_H

#include "ui/dashboard/dashboard.h"

#include <stdlib.h>

static uint32_t press_named(const char **p)
{
	static const struct { const char *name; uint32_t key; } keys[] = {
		{ "<Enter>", KEY_RETURN }, { "<Esc>", KEY_ESCAPE }, { "<Tab>", KEY_TAB }, { "<BackTab>", KEY_BACK_TAB },
		  { "<Up>", KEY_ARROW_UP },
		{ "<Down>", KEY_ARROW_DOWN }, { "<Left>", KEY_ARROW_LEFT }, { "<Right>", KEY_ARROW_RIGHT },
		  { "<Rubout>", KEY_RUBOUT },
		{ "<PgDn>", KEY_PAGE_DOWN }, { "<PgUp>", KEY_PAGE_UP }, { "<Home>", KEY_TOP }, { "<End>", KEY_BOTTOM },
	};

	if (strncmp(*p, "<F", 2) == 0 && strchr(*p, '>')) {
		uint32_t n = (uint32_t)strtoul(*p + 2, NULL, 10);

		*p = strchr(*p, '>') + 1;
		return KEY_FUNCTION + n;
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (strncmp(*p, keys[i].name, strlen(keys[i].name)) == 0) {
			*p += strlen(keys[i].name);
			return keys[i].key;
		}
	}
	return (unsigned char)*(*p)++;
}

static void press(struct dashboard *d, struct world *w, struct sheet *s, const char *keys)
{
	while (*keys) {
		struct dashboard_event e = { .kind = EVENT_KEY, .key = press_named(&keys) };

		dashboard_key(d, w, &e);
		do {
			dashboard_draw(d, w, s);
		} while (d->unfinished);
	}
}

#endif
