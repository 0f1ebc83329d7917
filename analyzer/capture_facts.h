/* SPDX-License-Identifier: MIT */
/* capture_facts: keeps engine.capture, a packet at a time. */
#ifndef DEADAIR_ANALYZER_CAPTURE_FACTS_H
#define DEADAIR_ANALYZER_CAPTURE_FACTS_H

#include "dissect/packet.h"

struct capture_facts;
struct engine;

/* Of a plain frame, whose packet is not made. */
void capture_facts_plain(struct engine *e, const struct frame *f);
void capture_facts_packet(struct engine *e, const struct packet *p);
/* The end: what only the whole capture tells. Repeatable but for the counts of the streams, which are final then. */
void capture_facts_settle(struct engine *e);
/* What it owns. */
void capture_facts_fini(struct capture_facts *c);

#endif
