/* SPDX-License-Identifier: MIT */
/* filter: a BPF expression, compiled by libpcap once for each link type that comes. */
#ifndef DEADAIR_CAPTURES_FILTER_H
#define DEADAIR_CAPTURES_FILTER_H

#include "captures/base/err.h"
#include "captures/frame.h"

struct filter;

enum filter_verdict { FILTER_REJECTS, FILTER_TAKES, FILTER_FAILS };

/* NULL with *err when the expression compiles for no common link type; the error is libpcap's for Ethernet. */
struct filter *frame_filter_new(const char *expression, struct err *err);
void frame_filter_free(struct filter *f);

/* FILTER_FAILS with *ret_reason (good until the next call) when the expression makes no sense for this link type. */
enum filter_verdict frame_filter_judge(struct filter *f, const struct frame *frame, const char **ret_reason);

#endif
