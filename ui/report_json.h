/* SPDX-License-Identifier: MIT */
/* report_json: the parts of the JSON report; only report_json*.c include it. */
#ifndef DEADAIR_UI_REPORT_JSON_H
#define DEADAIR_UI_REPORT_JSON_H

#include <jansson.h>

#include "ui/report.h"

json_t *from_evidence(const struct report *r, const struct view_evidence *evidence, unsigned count);
void report_json_call(const struct report *r, const struct view_call *c);
void report_json_stream(const struct report *r, const struct view_stream *s);
/* Peers, registrations, hosts, NAT mappings, checklist. */
void report_json_network(const struct report *r);

#endif
