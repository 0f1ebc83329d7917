/* SPDX-License-Identifier: MIT */
/* prompt: what the files of prompts and forms share: filter, find, go to, save, columns, settings, quit. */
#ifndef DEADAIR_UI_DASHBOARD_PROMPT_H
#define DEADAIR_UI_DASHBOARD_PROMPT_H

#include "ui/dashboard/parts.h"

/* What is saved: dashboard.save_what. */
enum { CHOICE_CALL, CHOICE_MARKED, CHOICE_FILTERED, CHOICE_ALL, SAVE_CHOICES };

/* Where the caret is. */
void prompt_insert(struct dashboard *d, const char *utf8);
/* Where the character behind this one begins. */
size_t prompt_behind(const char *text, size_t at);

/* What is typed so far takes effect, or is wrong: the one before stays. */
void prompt_filter_take(struct dashboard *d);
/* What the word before the caret may become: as far as that is one, else a list of them as the message. */
void prompt_complete(struct dashboard *d, struct world *w);

/* Where the input names. */
void prompt_go(struct dashboard *d, struct world *w);

#endif
