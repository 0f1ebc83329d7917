/* SPDX-License-Identifier: MIT */
/* options: what was asked of `deadair read`. */
#ifndef DEADAIR_UI_OPTIONS_H
#define DEADAIR_UI_OPTIONS_H

#include "captures/base/err.h"
#include "ui/filter.h"
#include "ui/when.h"

struct read_options {
	bool json, markdown, ui, utc, verbose;
	const char *call;            /* number or Call-ID; NULL none */
	const char *html;            /* file of the page; NULL none */
	const char *policy;          /* "nftables", "table"; NULL none */
	const char *names, *bpf, *why_not, *color;
	const char *history;         /* file; NULL none */
	const char *save, *save_file; /* what, where; NULL none */
	bool redact;                 /* other numbers, names and addresses */
	bool no_evidence_text;       /* in the history */
	const char *config;          /* NULL: the user's own, if there is one; "none" */
	struct filter *filter;       /* owned; NULL none */
	const char *filter_text;     /* within argv */
	struct when since, until;
	bool has_since, has_until;
	size_t memory;               /* bytes, 0: no limit */
	unsigned jobs;               /* threads; 0: as many as pay */
	const char *const *paths;    /* within argv */
	size_t path_count;
};

/* "256M": a number, then K, M, G or nothing, of 1024 bytes each; false: it is none, or above a tebibyte. */
bool option_size(const char *text, uint64_t *ret_bytes);

/*
 * getopt_long over argv (argv[0]: the command), which is put in another order. ERR_OK, or *err with several lines
 * perhaps.
 */
enum err_code read_options_parse(struct read_options *o, int argc, char **argv, struct err *err);
void read_options_fini(struct read_options *o);

#endif
