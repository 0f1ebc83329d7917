/* SPDX-License-Identifier: MIT */
/* live_options: what was asked of `deadair live`. */
#ifndef DEADAIR_UI_LIVE_OPTIONS_H
#define DEADAIR_UI_LIVE_OPTIONS_H

#include "captures/live/live.h"

struct live_arguments {
	const char *interfaces[LIVE_INTERFACES_MOST];
	size_t interface_count;
	bool json, utc, verbose, list_interfaces, keep_privileges, no_sandbox;
	const char *bpf, *names, *color;
	const char *config;          /* NULL: the user's own, if there is one; "none" */
	size_t ring_bytes, memory;
};

enum err_code live_arguments_parse(struct live_arguments *a, int argc, char **argv, struct err *err);

#endif
