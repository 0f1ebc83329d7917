/* SPDX-License-Identifier: MIT */
/* filter: from text to a tree. Recursive descent; depth and length are bounded, errors point at the byte. */
#include "ui/filter.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/nearest.h"
#include "ui/filter_node.h"
#include "ui/words.h"

enum { FILTER_BYTES_MAX = 4096, DEPTH_MAX = 32, TERM_MAX = 512, REGEX_BYTES_MAX = 200, REGEX_REPEAT_MAX = 1000, IDS_MAX = 256,
	ID_BYTES = 128 };

static const char *const heard_words[] = { "yes", "poor", "sent", "no", "unknown", NULL };
static const char *const severity_words[] = { "info", "warning", "error", "critical", NULL };
static const char *const confidence_words[] = { "possible", "likely", "certain", NULL };

/* clang-format off */
const struct filter_field_info filter_fields[FIELD_COUNT] = {
	[FIELD_CALL] = { .name = "call", .sort = SORT_WHOLE },
	[FIELD_CALLEE] = { .name = "callee", .sort = SORT_WORD, .words = heard_words },
	[FIELD_CALLER] = { .name = "caller", .sort = SORT_WORD, .words = heard_words },
	[FIELD_CALLID] = { .name = "callid", .sort = SORT_TEXT },
	[FIELD_CODEC] = { .name = "codec", .sort = SORT_TEXT },
	[FIELD_CONFIDENCE] = { .name = "confidence", .sort = SORT_WORD, .words = confidence_words, .ordered = true },
	[FIELD_DSCP] = { .name = "dscp", .sort = SORT_WHOLE },
	[FIELD_END] = { .name = "end", .sort = SORT_TIME },
	[FIELD_FINDING] = { .name = "finding", .sort = SORT_ID },
	[FIELD_FRAME] = { .name = "frame", .sort = SORT_WHOLE },
	[FIELD_FROM] = { .name = "from", .sort = SORT_PHONE },
	[FIELD_HEARD] = { .name = "heard", .sort = SORT_WORD, .words = heard_words },
	[FIELD_HOST] = { .name = "host", .sort = SORT_ADDRESS },
	[FIELD_INCIDENT] = { .name = "incident", .sort = SORT_WHOLE },
	[FIELD_JITTER] = { .name = "jitter", .sort = SORT_LENGTH, .unit_ns = MILLISECOND_NS },
	[FIELD_LOSS] = { .name = "loss", .sort = SORT_DECIMAL },
	[FIELD_METHOD] = { .name = "method", .sort = SORT_TEXT },
	[FIELD_MOS] = { .name = "mos", .sort = SORT_DECIMAL },
	[FIELD_NUMBER] = { .name = "number", .sort = SORT_PHONE },
	[FIELD_PHONE] = { .name = "phone", .sort = SORT_PHONE },
	[FIELD_POINT] = { .name = "point", .sort = SORT_TEXT },
	[FIELD_PORT] = { .name = "port", .sort = SORT_WHOLE },
	[FIELD_SETUP] = { .name = "setup", .sort = SORT_LENGTH, .unit_ns = SECOND_NS },
	[FIELD_SEVERITY] = { .name = "severity", .sort = SORT_WORD, .words = severity_words, .ordered = true },
	[FIELD_SINCE] = { .name = "since", .sort = SORT_TIME },
	[FIELD_START] = { .name = "start", .sort = SORT_TIME },
	[FIELD_STATE] = { .name = "state", .sort = SORT_TEXT },
	[FIELD_STATUS] = { .name = "status", .sort = SORT_WHOLE },
	[FIELD_TALK] = { .name = "talk", .sort = SORT_LENGTH, .unit_ns = SECOND_NS },
	[FIELD_TO] = { .name = "to", .sort = SORT_PHONE },
	[FIELD_TRANSPORT] = { .name = "transport", .sort = SORT_TEXT },
	[FIELD_UA] = { .name = "ua", .sort = SORT_TEXT },
	[FIELD_UNTIL] = { .name = "until", .sort = SORT_TIME },
	[FIELD_VLAN] = { .name = "vlan", .sort = SORT_WHOLE },
};
/* clang-format on */

struct parser {
	struct filter *filter;
	const char *text;
	size_t at;
	unsigned depth;
	struct filter_error *error;
	bool failed;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct parser *p, size_t at, const char *format, ...)
{
	va_list args;

	if (!p->failed) {
		p->failed = true;
		p->error->at = at;
		va_start(args, format);
		vsnprintf(p->error->text, sizeof p->error->text, format, args);
		va_end(args);
	}
	return false;
}

static void skip_blanks(struct parser *p)
{
	while (p->text[p->at] == ' ' || p->text[p->at] == '\t')
		p->at++;
}

static struct filter_node *node_new(struct parser *p, enum filter_node_kind kind)
{
	struct filter_node *node = arena_zalloc(p->filter->arena, sizeof *node);

	node->kind = kind;
	return node;
}

static const char *shown(struct span s, char buffer[48])
{
	return text_escape(s, buffer, 48);
}

/* A bare or quoted text. Bare ones end at a blank, a bracket, a bar, a comma, and before "..". */
static bool item_text(struct parser *p, struct filter_item *item, bool in_list)
{
	const char *from = p->text + p->at;
	size_t n = 0;

	item->at = p->at;
	if (*from == '"') {
		const char *end = strchr(from + 1, '"');

		if (!end)
			return fail(p, p->at, "the quote is not closed");
		item->text = arena_text(p->filter->arena,
			(struct span){ (const uint8_t *)from + 1, (size_t)(end - from - 1) });
		item->quoted = true;
		p->at += (size_t)(end - from) + 1;
		return true;
	}
	while (from[n] && !strchr(" \t()|\"", from[n]) &&
	    !(in_list && (from[n] == ',' || strncmp(from + n, "..", 2) == 0)))
		n++;
	item->text = arena_text(p->filter->arena, (struct span){ (const uint8_t *)from, n });
	item->unknown = in_list && strcmp(item->text, "unknown") == 0;
	p->at += n;
	return n > 0;
}

static size_t word_place(const struct filter_field_info *info, const char *text)
{
	size_t i = 0;

	while (info->words[i] && !span_equal_nocase(span_of(info->words[i]), span_of(text)))
		i++;
	return i;
}

static bool read_word(struct parser *p, const struct filter_field_info *info, size_t at, const char *text, double *ret)
{
	size_t place = word_place(info, text);
	char list[80] = "";

	*ret = (double)place;
	if (info->words[place])
		return true;
	for (size_t i = 0; info->words[i]; i++) {
		strcat(list, i == 0 ? "" : info->words[i + 1] ? ", " : " or ");
		strcat(list, info->words[i]);
	}
	return fail(p, at, "%s is %s", info->name, list);
}

/* Digits with at most one point, perhaps %; no exponents, no signs. */
static bool read_decimal(struct parser *p, const struct filter_field_info *info, size_t at, const char *text,
	double *ret)
{
	char *end, plain[48];
	size_t n = strspn(text, "0123456789."), digits = strspn(text, "0123456789");
	bool percent = strcmp(text + n, "%") == 0;

	if (n == 0 || n > 18 || text[0] == '.' || (text[n] && !(percent && info->sort == SORT_DECIMAL)) ||
	    (info->sort == SORT_WHOLE && n > digits) || strchr(text, '.') != strrchr(text, '.'))
		return fail(p, at, "\"%s\" is no %s for %s", shown(span_of(text), plain),
		       info->sort == SORT_WHOLE ? "whole number" : "number",
			    info->name);
	*ret = strtod(text, &end);
	return true;
}

static bool read_length(struct parser *p, const struct filter_field_info *info, size_t at, const char *text,
	double *ret)
{
	int64_t length_ns;
	char plain[48];

	if (!when_length_parse(span_of(text), info->unit_ns, &length_ns))
		return fail(p, at, "\"%s\" is no length for %s: 250ms, 3s, 2m", shown(span_of(text), plain),
		       info->name);
	*ret = (double)length_ns / MILLISECOND_NS;
	return true;
}

static bool read_number(struct parser *p, const struct filter_field_info *info, size_t at, const char *text,
	double *ret)
{
	if (info->sort == SORT_WORD)
		return read_word(p, info, at, text, ret);
	if (info->sort == SORT_LENGTH)
		return read_length(p, info, at, text, ret);
	return read_decimal(p, info, at, text, ret);
}

static bool read_time(struct parser *p, const struct filter_field_info *info, size_t at, const char *text,
	struct when *ret)
{
	char plain[48];

	if (when_parse(span_of(text), ret))
		return true;
	return fail(p, at, "\"%s\" is no time for %s: 10:00, 2026-11-20T10:00, \"Fri 18:00\", -15m",
	       shown(span_of(text), plain), info->name);
}

static bool read_address(struct parser *p, struct filter_item *item)
{
	struct span text = span_of(item->text), addr = span_first(text, span_find(text, '/'));
	uint64_t bits, most;
	char plain[48];

	if (!address_parse(addr, &item->net)) {
		item->net = (struct address){ .family = 0 };    /* part of a name */
		return addr.n == text.n || fail(p, item->at, "\"%s\" is no network: 192.168.1.0/24",
		       shown(text, plain));
	}
	most = item->net.family == 4 ? 32 : 128;
	item->bits = (unsigned)most;
	if (addr.n == text.n)
		return true;
	if (!span_number(span_from(text, addr.n + 1), most, &bits))
		return fail(p, item->at + addr.n + 1, "a network has 0 to %u bits", (unsigned)most);
	item->bits = (unsigned)bits;
	return true;
}

/* What the item's text means to the field. */
static bool item_read(struct parser *p, const struct filter_field_info *info, struct filter_item *item)
{
	if (item->unknown && !(info->words == heard_words))
		return true;
	switch (info->sort) {
	case SORT_WHOLE:
	case SORT_DECIMAL:
	case SORT_LENGTH:
	case SORT_WORD:
		item->high = 0;
		if (!read_number(p, info, item->at, item->text, &item->low))
			return false;
		item->high = item->low;
		item->unknown = false;
		return true;
	case SORT_TIME:
		return read_time(p, info, item->at, item->text, &item->when);
	case SORT_ADDRESS:
		return read_address(p, item);
	case SORT_TEXT:
	case SORT_PHONE:
	case SORT_ID:
		return true;
	}
	return true;
}

static bool is_comparable(const struct filter_field_info *info)
{
	switch (info->sort) {
	case SORT_WHOLE:
	case SORT_DECIMAL:
	case SORT_LENGTH:
	case SORT_TIME:
		return true;
	case SORT_WORD:
		return info->ordered;
	case SORT_TEXT:
	case SORT_PHONE:
	case SORT_ID:
	case SORT_ADDRESS:
		return false;
	}
	return false;
}

/* "..": the other end of a range. */
static bool range_read(struct parser *p, const struct filter_field_info *info, struct filter_item *item)
{
	struct filter_item to = { .at = 0 };

	if (strncmp(p->text + p->at, "..", 2) != 0)
		return true;
	if (!is_comparable(info) || item->unknown)
		return fail(p, p->at, "%s has no ranges", info->name);
	p->at += 2;
	if (!item_text(p, &to, true) || to.unknown)
		return fail(p, p->at, "the range has no end");
	item->range = true;
	if (info->sort == SORT_TIME)
		return read_time(p, info, to.at, to.text, &item->when_to);
	return read_number(p, info, to.at, to.text, &item->high);
}

/* "3,5": a list elsewhere, a slip of the hand in numbers that have decimals. */
static bool comma_check(struct parser *p, const struct filter_field_info *info, const struct filter_item *item)
{
	const char *rest = p->text + p->at + 1;
	size_t digits = strspn(rest, "0123456789");

	if (info->sort == SORT_DECIMAL && digits && strspn(item->text, "0123456789") == strlen(item->text))
		return fail(p, item->at, "decimal point: %.20s.%.*s", item->text, (int)(digits < 20 ? digits : 20),
		       rest);
	return true;
}

static bool detector_meant(const struct view_detector *d, enum filter_op op, const struct filter_item *item)
{
	char id[ID_BYTES];

	if (filter_id_has(op, item, d->id))
		return true;
	for (size_t i = 0; d->reasons && d->reasons[i]; i++) {
		snprintf(id, sizeof id, "%s/%s", d->id, d->reasons[i]);
		if (filter_id_has(op, item, id))
			return true;
	}
	return false;
}

/* What no detector can say is a slip of the hand: nothing would ever match. */
static bool id_check(struct parser *p, enum filter_op op, const struct filter_item *item)
{
	struct span id = span_first(span_of(item->text), strcspn(item->text, "/"));
	const char *ids[IDS_MAX], *near;
	struct view_detector d;
	size_t count = 0;
	char plain[48];

	for (; count < IDS_MAX && view_detector(count, &d); count++) {
		ids[count] = d.id;
		if (detector_meant(&d, op, item))
			return true;
	}
	for (size_t i = 0; i < count && id.n < strlen(item->text); i++)
		if (span_equal_nocase(span_of(ids[i]), id))
			return fail(p, item->at, "%s has no reason \"%s\": deadair explain %s", ids[i],
				shown(span_from(span_of(item->text), id.n + 1), plain), ids[i]);
	near = nearest_word(id, ids, count);
	if (near)
		return fail(p, item->at, "no finding \"%s\": %s?", shown(span_of(item->text), plain), near);
	return fail(p, item->at, "no finding \"%s\": deadair detectors lists them", shown(span_of(item->text), plain));
}

static bool op_is_order(enum filter_op op)
{
	return op == OP_LESS || op == OP_AT_MOST || op == OP_MORE || op == OP_AT_LEAST;
}

/* value = item { "," item } | item ".." item */
static bool value_read(struct parser *p, struct filter_node *node, const struct filter_field_info *info)
{
	struct filter_item **end = &node->items;

	for (;;) {
		struct filter_item *item = arena_zalloc(p->filter->arena, sizeof *item);

		if (!item_text(p, item, true))
			return fail(p, p->at, "%s of what?", info->name);
		*end = item;
		end = &item->next;
		if (!item_read(p, info, item) ||
		    (info->sort == SORT_ID && !item->unknown && !id_check(p, node->op, item)) || (p->text[p->at] == ',' && !comma_check(p, info, item)) ||
		    !range_read(p, info, item))
			return false;
		if (op_is_order(node->op) && (item->range || item->unknown || p->text[p->at] == ','))
			return fail(p, item->at, "one value behind < and >");
		if (p->text[p->at] != ',')
			return true;
		p->at++;
	}
}

/* Counted repetitions inside each other are what makes regcomp(3) take gigabytes. */
static bool regex_is_modest(const char *text)
{
	double product = 1;

	for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
		unsigned long low = strtoul(p + 1, NULL, 10), high = low;
		const char *comma = p + 1 + strspn(p + 1, "0123456789");

		if (*comma == ',')
			high = strtoul(comma + 1, NULL, 10);
		product *= (double)(high > low ? high : low) + 1;
	}
	return product <= REGEX_REPEAT_MAX;
}

static bool regex_read(struct parser *p, struct filter_node *node, const struct filter_field_info *info)
{
	struct filter_item item = { .at = 0 };
	char why[80];
	int error;

	if (is_comparable(info))
		return fail(p, p->at, "%s is no text: ~ is for texts", info->name);
	if (!item_text(p, &item, false))
		return fail(p, p->at, "%s of what?", info->name);
	if (strlen(item.text) > REGEX_BYTES_MAX || !regex_is_modest(item.text))
		return fail(p, item.at, "the expression is too long: at most %d bytes, %d repetitions", REGEX_BYTES_MAX,
		       REGEX_REPEAT_MAX);
	node->regex = memory_zalloc(sizeof *node->regex);
	error = regcomp(node->regex, item.text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	if (error == 0)
		return true;
	regerror(error, node->regex, why, sizeof why);
	free(node->regex);
	node->regex = NULL;
	return fail(p, item.at, "%s", why);
}

static bool op_take(struct parser *p, enum filter_op *ret)
{
	static const struct {
		const char *sign;
		enum filter_op op;
	} ops[] = { { "!=", OP_NOT_EQUAL }, { "<=", OP_AT_MOST }, { ">=", OP_AT_LEAST }, { ":", OP_HAS },
		    { "=", OP_EQUAL },	    { "<", OP_LESS },	  { ">", OP_MORE },	 { "~", OP_REGEX } };

	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		if (strncmp(p->text + p->at, ops[i].sign, strlen(ops[i].sign)) == 0) {
			p->at += strlen(ops[i].sign);
			*ret = ops[i].op;
			return true;
		}
	}
	return false;
}

static bool field_find(struct parser *p, struct span name, size_t at, enum filter_field *ret)
{
	const char *known[FIELD_COUNT], *near;
	char plain[48];

	for (int i = 0; i < FIELD_COUNT; i++) {
		known[i] = filter_fields[i].name;
		if (span_equal_nocase(span_of(known[i]), name)) {
			*ret = (enum filter_field)i;
			return true;
		}
	}
	near = nearest_word(name, known, FIELD_COUNT);
	if (near)
		return fail(p, at, "no field \"%s\": %s?", shown(name, plain), near);
	return fail(p, at, "no field \"%s\"; a text with a sign in it goes in quotes", shown(name, plain));
}

static void term_keep(struct parser *p, struct filter_node *node)
{
	struct filter *f = p->filter;

	f->terms[f->term_count++] = node;
	if (node->field == FIELD_TRANSPORT || node->field == FIELD_VLAN)
		f->wants_hosts = true;
}

/* field op value, where op is known to follow the name. */
static struct filter_node *field_term(struct parser *p, struct span name, size_t at)
{
	struct filter_node *node = node_new(p, NODE_TERM);
	const struct filter_field_info *info;
	size_t op_at = p->at;

	if (!op_take(p, &node->op) || !field_find(p, name, at, &node->field))
		return NULL;
	info = &filter_fields[node->field];
	if (op_is_order(node->op) && !is_comparable(info)) {
		fail(p, op_at, "%s has no order: use : or =", info->name);
		return NULL;
	}
	term_keep(p, node);
	if (!(node->op == OP_REGEX ? regex_read(p, node, info) : value_read(p, node, info)))
		return NULL;
	return node;
}

static struct filter_node *word_term(struct parser *p)
{
	struct filter_node *node = node_new(p, NODE_WORD);

	node->items = arena_zalloc(p->filter->arena, sizeof *node->items);
	if (!item_text(p, node->items, false)) {
		fail(p, p->at, "a word, a field or \"(\" is expected here");
		return NULL;
	}
	return node;
}

static struct filter_node *parse_any(struct parser *p);

static struct filter_node *parse_group(struct parser *p)
{
	size_t open = p->at++;
	struct filter_node *node;

	if (++p->depth > DEPTH_MAX) {
		fail(p, open, "more than %d brackets inside each other", DEPTH_MAX);
		return NULL;
	}
	node = parse_any(p);
	p->depth--;
	skip_blanks(p);
	if (node && p->text[p->at] != ')') {
		fail(p, open, "the bracket is not closed");
		return NULL;
	}
	p->at += node != NULL;
	return node;
}

static struct filter_node *parse_plain(struct parser *p)
{
	const char *from = p->text + p->at;
	size_t n = 0;

	if (*from == '(')
		return parse_group(p);
	while ((from[n] >= 'a' && from[n] <= 'z') || (from[n] >= 'A' && from[n] <= 'Z'))
		n++;
	if (n && from[n] && (strchr(":=<>~", from[n]) || strncmp(from + n, "!=", 2) == 0)) {
		p->at += n;
		return field_term(p, (struct span){ (const uint8_t *)from, n }, (size_t)(from - p->text));
	}
	return word_term(p);
}

static struct filter_node *parse_term(struct parser *p)
{
	struct filter_node *node;

	if (p->filter->term_count >= TERM_MAX) {
		fail(p, p->at, "more than %d terms", TERM_MAX);
		return NULL;
	}
	if (p->text[p->at] != '-')
		return parse_plain(p);
	p->at++;
	node = node_new(p, NODE_NOT);
	node->first = parse_plain(p);
	return node->first ? node : NULL;
}

static struct filter_node *parse_all(struct parser *p)
{
	struct filter_node *all = node_new(p, NODE_ALL), **end = &all->first;

	for (skip_blanks(p); p->text[p->at] && !strchr("|)", p->text[p->at]); skip_blanks(p)) {
		*end = parse_term(p);
		if (!*end)
			return NULL;
		end = &(*end)->next;
	}
	if (!all->first) {
		fail(p, p->at, "something to look for is expected here");
		return NULL;
	}
	return all;
}

static struct filter_node *parse_any(struct parser *p)
{
	struct filter_node *any = node_new(p, NODE_ANY), **end = &any->first;

	for (;;) {
		*end = parse_all(p);
		if (!*end)
			return NULL;
		end = &(*end)->next;
		if (p->text[p->at] != '|')
			return any;
		p->at++;
	}
}

static bool parse_whole(struct parser *p)
{
	skip_blanks(p);
	if (p->text[p->at] == '\0') {
		p->filter->root = node_new(p, NODE_ALL);        /* all of nothing: everything */
		return true;
	}
	p->filter->root = parse_any(p);
	if (p->filter->root && p->text[p->at] == ')')
		return fail(p, p->at, "this bracket closes nothing");
	return p->filter->root != NULL;
}

struct filter *filter_new(const char *text, struct filter_error *err)
{
	struct filter *f = memory_zalloc(sizeof *f);
	struct parser p = { .filter = f, .text = text, .error = err };

	f->arena = arena_new();
	f->terms = arena_zalloc(f->arena, (TERM_MAX + 1) * sizeof(struct filter_node *));
	if (strlen(text) > FILTER_BYTES_MAX)
		fail(&p, FILTER_BYTES_MAX, "a filter has at most %d bytes", FILTER_BYTES_MAX);
	else if (parse_whole(&p))
		return f;
	filter_free(f);
	return NULL;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->term_count; i++) {
		if (f->terms[i]->regex) {
			regfree(f->terms[i]->regex);
			free(f->terms[i]->regex);
		}
	}
	arena_free(f->arena);
	free(f);
}

/* A range of days includes the last of them; one of moments ends where its second one begins. */
static void item_resolve(struct filter_item *item, int64_t first_ns, int64_t last_ns)
{
	int64_t to_ns;

	when_resolve(&item->when, first_ns, last_ns, &item->from_ns, &item->to_ns);
	if (!item->range)
		return;
	when_resolve(&item->when_to, first_ns, last_ns, &item->last_ns, &to_ns);
	if (item->when_to.grain_ns >= 24 * HOUR_NS)
		item->last_ns = ns_minus(to_ns, 1);
}

void filter_resolve(struct filter *f, int64_t first_ns, int64_t last_ns)
{
	for (size_t i = 0; i < f->term_count; i++)
		if (filter_fields[f->terms[i]->field].sort == SORT_TIME)
			for (struct filter_item *item = f->terms[i]->items; item; item = item->next)
				if (!item->unknown)
					item_resolve(item, first_ns, last_ns);
}

bool filter_wants_hosts(const struct filter *f)
{
	return f->wants_hosts;
}

void filter_error_show(const struct filter_error *e, const char *text, struct text *ret)
{
	struct text before;

	text_init(&before);
	text_add_escaped(&before, span_first(span_of(text), e->at));
	text_add(ret, "  ");
	text_add_escaped(ret, span_of(text));
	text_addf(ret, "\n  %*s^ %s\n", (int)text_columns(before.p), "", e->text);
	text_fini(&before);
}
