/* SPDX-License-Identifier: MIT */
/* dialog_info: one pass from tag to tag. */
#include "dissect/dialog_info.h"

#include <string.h>

struct tag {
	struct span name, attributes;
	bool closes;
};

/* The next tag, *rest behind it; comments, declarations and processing instructions are passed over. */
static bool tag_next(struct span *rest, struct tag *ret)
{
	while (true) {
		size_t from = span_find(*rest, '<'), to, colon;
		struct span inner;

		if (from >= rest->n)
			return false;
		*rest = span_from(*rest, from + 1);
		if (span_starts(*rest, SPAN("!--"))) {
			*rest = span_from(*rest, span_find_text(*rest, SPAN("-->")));
			continue;
		}
		to = span_find(*rest, '>');
		if (to >= rest->n)
			return false;
		inner = span_first(*rest, to);
		*rest = span_from(*rest, to + 1);
		if (inner.n == 0 || inner.p[0] == '?' || inner.p[0] == '!')
			continue;
		ret->closes = inner.p[0] == '/';
		inner = span_from(inner, ret->closes);
		for (to = 0; to < inner.n && !strchr(" \t\r\n/", inner.p[to]);)
			to++;
		ret->name = span_first(inner, to);
		ret->attributes = span_from(inner, to);
		colon = span_find(ret->name, ':');
		if (colon < ret->name.n)
			ret->name = span_from(ret->name, colon + 1);
		return true;
	}
}

/* The quoted value of name="value". */
static struct span attribute(struct span attributes, struct span name)
{
	struct span rest = attributes;

	while (rest.n) {
		size_t equals = span_find(rest, '='), end;
		struct span key = span_trim(span_first(rest, equals)), value;
		uint8_t quote;

		if (equals >= rest.n)
			break;
		while (key.n && byte_is_blank(key.p[0]))
			key = span_from(key, 1);
		rest = span_from(rest, equals + 1);
		while (rest.n && byte_is_blank(rest.p[0]))
			rest = span_from(rest, 1);
		if (rest.n == 0 || (rest.p[0] != '"' && rest.p[0] != '\''))
			break;
		quote = rest.p[0];
		rest = span_from(rest, 1);
		end = span_find(rest, quote);
		value = span_first(rest, end);
		rest = span_from(rest, end + 1);
		if (span_equal(key, name))
			return value;
	}
	return SPAN_NONE;
}

static unsigned state_of(struct span text)
{
	static const struct { const char *name; unsigned state; } states[] = {
		{ "trying", DIALOG_INFO_TRYING }, { "proceeding", DIALOG_INFO_PROCEEDING },
		  { "early", DIALOG_INFO_EARLY },
		{ "confirmed", DIALOG_INFO_CONFIRMED }, { "terminated", DIALOG_INFO_TERMINATED },
	};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (span_equal_nocase(text, span_of(states[i].name)))
			return states[i].state;
	}
	return 0;
}

bool dialog_info_parse(struct span body, struct dialog_info *ret)
{
	struct span rest = body, version;
	bool found = false, within = false;
	struct tag tag;

	memset(ret, 0, sizeof *ret);
	while (tag_next(&rest, &tag)) {
		if (span_equal(tag.name, SPAN("dialog-info")) && !tag.closes && !found) {
			found = true;
			ret->entity = attribute(tag.attributes, SPAN("entity"));
			ret->full = !span_equal_nocase(attribute(tag.attributes, SPAN("state")), SPAN("partial"));
			version = attribute(tag.attributes, SPAN("version"));
			ret->has_version = span_number(version, UINT32_MAX, &ret->version);
		} else if (span_equal(tag.name, SPAN("dialog"))) {
			within = !tag.closes && ret->count < DIALOG_INFO_MAX;
			if (within)
				ret->dialogs[ret->count++].id = attribute(tag.attributes, SPAN("id"));
		} else if (span_equal(tag.name, SPAN("state")) && !tag.closes && within &&
		    !ret->dialogs[ret->count - 1].state) {
			ret->dialogs[ret->count - 1].state = state_of(span_trim(span_first(rest,
				span_find(rest, '<'))));
		}
	}
	return found;
}
