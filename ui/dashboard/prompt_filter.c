/* SPDX-License-Identifier: MIT */
/* prompt_filter: a filter that takes effect while it is typed, and what may come next in it. */
#include "ui/dashboard/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "captures/base/memory.h"
#include "ui/filter_node.h"

enum { CANDIDATES_MAX = 400, CANDIDATE_BYTES = 64 };

void prompt_filter_take(struct dashboard *d)
{
	struct filter_error wrong = { .at = 0 };
	struct filter *f = filter_new(d->input, &wrong);

	d->is_wrong = f == NULL;
	if (f) {
		snprintf(d->filter, sizeof d->filter, "%s", d->input);
	} else {
		memcpy(d->filter, d->kept, sizeof d->filter);
		d->wrong_at = (uint16_t)wrong.at;
		snprintf(d->wrong, sizeof d->wrong, "%s", wrong.text);
	}
	filter_free(f);
}

struct candidates {
	char (*texts)[CANDIDATE_BYTES];
	unsigned counts[CANDIDATES_MAX];
	size_t count;
};

static void candidate_add(struct candidates *c, const char *text)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->texts[i], text) == 0) {
			c->counts[i]++;
			return;
		}
	}
	if (c->count < CANDIDATES_MAX && strlen(text) < CANDIDATE_BYTES) {
		strcpy(c->texts[c->count], text);
		c->counts[c->count++] = 1;
	}
}

static void values_of(struct candidates *c, struct world *w, const struct filter_field_info *field)
{
	const struct selection *s = world_selection(w);
	size_t count;
	const struct call_row *rows = world_calls(w, &count);
	char buffer[PARTY_BYTES];

	for (size_t i = 0; field->words && field->words[i]; i++)
		candidate_add(c, field->words[i]);
	for (size_t i = 0; i < s->finding_count && strcmp(field->name, "finding") == 0; i++)
		if (!s->findings[i].withdrawn)
			candidate_add(c, s->findings[i].id);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(field->name, "state") == 0)
			candidate_add(c, rows[i].state);
		if (strcmp(field->name, "from") == 0 || strcmp(field->name, "number") == 0)
			candidate_add(c, party_text(rows[i].from, "-", buffer));
		if (strcmp(field->name, "to") == 0 || strcmp(field->name, "number") == 0)
			candidate_add(c, party_text(rows[i].to, "-", buffer));
	}
}

/* What stands before the caret: a field's name, or a field and the beginning of a value. */
static const char *word_begin(const struct dashboard *d)
{
	const char *p = d->input + d->input_at;

	while (p > d->input && !strchr(" (|", p[-1]))
		p--;
	return p + (*p == '-');
}

static const struct filter_field_info *field_named(const char *name, size_t n)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (strlen(filter_fields[i].name) == n && strncasecmp(filter_fields[i].name, name, n) == 0)
			return &filter_fields[i];
	return NULL;
}

static void candidates_find(
	struct candidates *c, struct dashboard *d, struct world *w, const char *word, size_t *ret_from)
{
	size_t n = (size_t)(d->input + d->input_at - word), name = strcspn(word, ":=<>!~");
	const struct filter_field_info *field = name < n ? field_named(word, name) : NULL;

	*ret_from = (size_t)(word - d->input);
	if (name >= n) {
		for (size_t i = 0; i < FIELD_COUNT; i++) {
			char text[CANDIDATE_BYTES];

			snprintf(text, sizeof text, "%s:", filter_fields[i].name);
			candidate_add(c, text);
		}
		return;
	}
	*ret_from += name + strspn(word + name, ":=<>!~");
	if (field)
		values_of(c, w, field);
}

/* What all of them begin with. */
static size_t common(const struct candidates *c)
{
	size_t n = strlen(c->texts[0]);

	for (size_t i = 1; i < c->count; i++) {
		size_t k = 0;

		while (k < n && c->texts[i][k] == c->texts[0][k])
			k++;
		n = k;
	}
	return n;
}

static void keep_beginning(struct candidates *c, const char *typed, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (strncasecmp(c->texts[i], typed, n) != 0)
			continue;
		memmove(c->texts[kept], c->texts[i], CANDIDATE_BYTES);
		c->counts[kept++] = c->counts[i];
	}
	c->count = kept;
}

void prompt_complete(struct dashboard *d, struct world *w)
{
	struct candidates *c = memory_zalloc(sizeof *c);
	size_t from, typed, shared;
	struct text t;

	c->texts = memory_zalloc(CANDIDATES_MAX * sizeof *c->texts);
	candidates_find(c, d, w, word_begin(d), &from);
	typed = d->input_at - from;
	keep_beginning(c, d->input + from, typed);
	shared = c->count ? common(c) : 0;
	if (shared > typed) {
		char rest[CANDIDATE_BYTES];

		snprintf(rest, sizeof rest, "%.*s", (int)(shared - typed), c->texts[0] + typed);
		prompt_insert(d, rest);
	}
	text_init(&t);
	for (size_t i = 0; i < c->count && c->count > 1 && t.n < MESSAGE_BYTES - 40; i++)
		text_addf(&t, c->counts[i] > 1 ? "%s (%u)  " : "%s  ", c->texts[i], c->counts[i]);
	message_set(d, "%s", c->count == 0 ? "nothing begins so" : t.p);
	text_fini(&t);
	free(c->texts);
	free(c);
}
