/* SPDX-License-Identifier: MIT */
/*
 * filter: the language of --filter, which chooses what is shown. Compiled before the capture is read, resolved (times)
 * after.
 *     filter = all { "|" all }    all = term { term }    term = ["-"] ( "(" filter ")" | field op value | word )
 */
#ifndef DEADAIR_UI_FILTER_H
#define DEADAIR_UI_FILTER_H

#include "analyzer/views.h"
#include "captures/base/text.h"
#include "ui/names.h"

struct filter;

struct filter_error {
	size_t at;                   /* byte of the text that is wrong */
	char text[160];              /* "no field "findng": finding?" */
};

/* What the evaluator may look at: a call and what belongs to it, or a finding of no call. */
struct filter_subject {
	const struct engine *engine;
	const struct view_call *call;                /* NULL: none; every field of a call is unknown then */
	size_t call_index;                           /* for view_message() */
	const struct view_finding *const *findings;
	size_t finding_count;
	const struct view_stream *const *streams;
	size_t stream_count;
	const struct view_host *const *hosts;        /* of its addresses, where known */
	size_t host_count;
	const struct names *names;
};

/* NULL with *err when the text is no filter. An empty text matches everything. */
struct filter *filter_new(const char *text, struct filter_error *err);
void filter_free(struct filter *f);
void filter_resolve(struct filter *f, int64_t first_ns, int64_t last_ns);
bool filter_match(const struct filter *f, const struct filter_subject *s);
/* Does the filter ask for hosts (transport, vlan)? They cost a look-up for every address. */
bool filter_wants_hosts(const struct filter *f);

/*
 * The filter and a caret below what is wrong, two lines, each behind two blanks:
 *     mos<3,5 state:answered
 *         ^ decimal point: 3.5
 */
void filter_error_show(const struct filter_error *e, const char *text, struct text *ret);

#endif
