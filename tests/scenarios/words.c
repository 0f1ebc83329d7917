/* SPDX-License-Identifier: MIT */
/* words: a line of a scenario, word by word. */
#include "tests/scenarios/scenario.h"

#include <math.h>
#include <stdlib.h>

const char *word_peek(const struct words *w)
{
	return w->left ? w->at[0] : NULL;
}

const char *word_next(struct words *w)
{
	if (w->left == 0)
		return NULL;
	w->left--;
	return *w->at++;
}

bool word_accept(struct words *w, const char *word)
{
	if (w->left == 0 || strcmp(w->at[0], word) != 0)
		return false;
	word_next(w);
	return true;
}

const char *word_want(struct scenario *s, struct words *w, const char *what)
{
	const char *word = word_next(w);

	if (!word)
		scenario_fail(s, "%s is missing", what);
	return word ? word : "";
}

void word_expect(struct scenario *s, struct words *w, const char *word)
{
	if (!word_accept(w, word))
		scenario_fail(s, "\"%s\" expected before \"%s\"", word, w->left ? w->at[0] : "the end of the line");
}

void word_end(struct scenario *s, struct words *w)
{
	if (w->left)
		scenario_fail(s, "\"%s\" is not understood here", w->at[0]);
	w->left = 0;
}

/* A quoted word keeps its blanks; \" \\ \n \r in it. Returns what is behind it. */
static const char *quoted_read(struct scenario *s, const char *p, struct buffer *word)
{
	for (p++; *p && *p != '"'; p++) {
		char c = *p;

		if (c == '\\' && p[1]) {
			p++;
			c = *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
		}
		buffer_u8(word, (uint8_t)c);
	}
	if (*p != '"') {
		scenario_fail(s, "a quote is not closed");
		return p;
	}
	return p + 1;
}

struct words words_of(struct scenario *s, const char *text)
{
	struct words w = { NULL, 0 };
	size_t room = strlen(text) / 2 + 1;

	w.at = scenario_zalloc(s, room * sizeof *w.at);
	for (const char *p = text;;) {
		struct buffer word = { .arena = s->arena };

		while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
			p++;
		if (*p == '\0')
			return w;
		if (*p == '#') {
			p += strcspn(p, "\n");
			continue;
		}
		while (*p && !strchr(" \t\r\n", *p)) {
			if (*p == '"')
				p = quoted_read(s, p, &word);
			else
				buffer_u8(&word, (uint8_t)*p++);
		}
		buffer_u8(&word, 0);
		w.at[w.left++] = (char *)word.p;
	}
}

double number_want(struct scenario *s, struct words *w, const char *what)
{
	const char *word = word_want(s, w, what);
	char *end;
	double value = strtod(word, &end);

	if (end == word || *end || !isfinite(value)) {
		scenario_fail(s, "%s: \"%s\" is no number", what, word);
		return 0;
	}
	return value;
}

uint64_t integer_want(struct scenario *s, struct words *w, const char *what)
{
	const char *word = word_want(s, w, what);
	char *end;
	uint64_t value = strtoull(word, &end, 0);

	if (end == word || *end || *word == '-') {
		scenario_fail(s, "%s: \"%s\" is no whole number", what, word);
		return 0;
	}
	return value;
}

bool time_parse(const char *text, int64_t *ret_ns)
{
	static const struct { const char *unit; double ns; } units[] = {
		{ "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "m", 60e9 },
	};
	char *end;
	double value = strtod(text, &end);

	if (end == text || !isfinite(value) || fabs(value) > 1e6)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(end, units[i].unit) == 0) {
			*ret_ns = llround(value * units[i].ns);
			return true;
		}
	}
	return false;
}

int64_t time_want(struct scenario *s, struct words *w)
{
	const char *word = word_want(s, w, "a time");
	int64_t at_ns = 0;

	if (!time_parse(word, &at_ns))
		scenario_fail(s, "\"%s\" is no time: 10.1, 200ms, 8us, 2m", word);
	return at_ns;
}

unsigned percent_want(struct scenario *s, struct words *w)
{
	const char *word = word_want(s, w, "a share");
	char *end;
	double value = strtod(word, &end);

	if (end == word || strcmp(end, "%") != 0 || !(value >= 0 && value <= 100)) {
		scenario_fail(s, "\"%s\" is no share: 6%%", word);
		return 0;
	}
	return (unsigned)lround(value * 10);
}
