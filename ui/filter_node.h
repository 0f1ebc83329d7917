/* SPDX-License-Identifier: MIT */
/* filter_node: what the parser of filters makes and the evaluator walks; only these two include it. */
#ifndef DEADAIR_UI_FILTER_NODE_H
#define DEADAIR_UI_FILTER_NODE_H

#include <regex.h>

#include "captures/base/arena.h"
#include "ui/filter.h"
#include "ui/when.h"

enum filter_field {
	FIELD_CALL, FIELD_CALLEE, FIELD_CALLER, FIELD_CALLID, FIELD_CODEC, FIELD_CONFIDENCE, FIELD_DSCP, FIELD_END,
		FIELD_FINDING, FIELD_FRAME,
	FIELD_FROM, FIELD_HEARD, FIELD_HOST, FIELD_INCIDENT, FIELD_JITTER, FIELD_LOSS, FIELD_METHOD, FIELD_MOS,
	FIELD_NUMBER, FIELD_PHONE,
	FIELD_POINT, FIELD_PORT, FIELD_SETUP, FIELD_SEVERITY, FIELD_SINCE, FIELD_START, FIELD_STATE, FIELD_STATUS,
	FIELD_TALK, FIELD_TO,
	FIELD_TRANSPORT, FIELD_UA, FIELD_UNTIL, FIELD_VLAN, FIELD_COUNT
};

/* How the values of a field compare. */
enum filter_sort {
	SORT_TEXT,                   /* ':' part of it */
	SORT_PHONE,                  /* text; ':' with digits: either end of a number */
	SORT_ID,                     /* ':' prefix */
	SORT_WORD,                   /* one of a list; compares by its place there where the list is an order */
	SORT_WHOLE,                  /* whole number */
	SORT_DECIMAL,                /* number with decimals, perhaps % */
	SORT_LENGTH,                 /* milliseconds */
	SORT_TIME,
	SORT_ADDRESS                 /* address, CIDR, or part of a name */
};

enum filter_op { OP_HAS, OP_EQUAL, OP_NOT_EQUAL, OP_LESS, OP_AT_MOST, OP_MORE, OP_AT_LEAST, OP_REGEX };

struct filter_item {
	struct filter_item *next;
	const char *text;            /* unquoted */
	bool quoted, unknown, range;
	size_t at;                   /* in the filter */
	double low, high;            /* numbers, places in a list; equal without a range */
	struct when when, when_to;
	int64_t from_ns, to_ns, last_ns;     /* resolved: [from, to) of the value; a range ends with last */
	struct address net;
	unsigned bits;               /* of net; 0 and no family: text */
};

enum filter_node_kind { NODE_ALL, NODE_ANY, NODE_NOT, NODE_TERM, NODE_WORD };

struct filter_node {
	enum filter_node_kind kind;
	struct filter_node *next, *first;    /* the next sibling; the first child */
	enum filter_field field;
	enum filter_op op;
	struct filter_item *items;
	regex_t *regex;
};

struct filter {
	struct arena *arena;
	struct filter_node *root;
	struct filter_node **terms;          /* all of NODE_TERM, for times and regexes */
	size_t term_count;
	bool wants_hosts;
};

struct filter_field_info {
	const char *name;
	enum filter_sort sort;
	const char *const *words;    /* SORT_WORD, NULL at the end */
	bool ordered;                /* the words are an order, least first */
	int64_t unit_ns;             /* SORT_LENGTH: of a bare number */
};

extern const struct filter_field_info filter_fields[FIELD_COUNT];

/* Does what was typed mean this finding, "sip-alg/rewritten-sdp"? */
bool filter_id_has(enum filter_op op, const struct filter_item *item, const char *text);

#endif
