/* SPDX-License-Identifier: MIT */
/* live_options: what was asked of `deadair live`. */
#ifndef DEADAIR_UI_LIVE_OPTIONS_H
#define DEADAIR_UI_LIVE_OPTIONS_H

#include "captures/live/live.h"

struct live_arguments {
	const char *interfaces[LIVE_INTERFACES_MOST];
	size_t interface_count;
	bool json, ui, no_ui, utc, verbose, list_interfaces, keep_privileges, no_sandbox;
	const char *bpf, *names, *color;
	const char *config;          /* NULL: the user's own, if there is one; "none" */
	const char *output;          /* file; NULL: standard output */
	const char *syslog;          /* socket; NULL none */
	const char *history;         /* file; NULL: that of the user; "none" */
	int64_t history_keep_ns;     /* runs of the history that are older are forgotten; 0: none */
	bool no_evidence_text, redact;
	const char *save_folder;     /* NULL: where the history is */
	const char *record_folder;   /* NULL none */
	size_t ring_bytes, memory;
	size_t keep_bytes;           /* of memory; 0: a quarter */
	int64_t keep_ns;
	bool keep_audio;             /* whole packets of RTP */
	uint64_t record_bytes;
};

enum err_code live_arguments_parse(struct live_arguments *a, int argc, char **argv, struct err *err);

#endif
