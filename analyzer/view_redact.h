/* SPDX-License-Identifier: MIT */
/* view_redact: views with other numbers, names and addresses; for view_*.c only. */
#ifndef DEADAIR_ANALYZER_VIEW_REDACT_H
#define DEADAIR_ANALYZER_VIEW_REDACT_H

#include "analyzer/redact.h"
#include "analyzer/views.h"

/* r NULL: nothing is changed. */
void view_redact_capture(struct redact *r, struct view_capture *v);
void view_redact_finding(struct redact *r, struct view_finding *v);
void view_redact_incident(struct redact *r, struct view_incident *v);
void view_redact_call(struct redact *r, struct view_call *v);
void view_redact_stream(struct redact *r, struct view_stream *v);
void view_redact_peer(struct redact *r, struct view_peer *v);
void view_redact_registration(struct redact *r, struct view_registration *v);
void view_redact_host(struct redact *r, struct view_host *v);
void view_redact_nat(struct redact *r, struct view_nat *v);
void view_redact_check(struct redact *r, struct view_check *v);
void view_redact_message(struct redact *r, struct view_message *v);

#endif
