/* SPDX-License-Identifier: MIT */
/*
 * expectation_table: a router's SIP helper that has no place left for one more media port drops the INVITE that asks
 * for it, and lets everything else pass: session-table-exhausted/expectation-table-full.
 */
#ifndef DEADAIR_DETECT_EXPECTATION_TABLE_H
#define DEADAIR_DETECT_EXPECTATION_TABLE_H

#include "analyzer/detect/detector.h"

/* How many pairs of sockets something was said of; all calls are walked once. */
unsigned expectation_tables_judge(struct detection *d);

#endif
