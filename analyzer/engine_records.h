/* SPDX-License-Identifier: MIT */
/*
 * engine_records: the records of hosts, paths, pairs of messages, attacks and the like, which nothing but the judgement
 * at the end reads. So they need not take a packet at once: those of a batch wait, then each record takes them all.
 */
#ifndef DEADAIR_ANALYZER_ENGINE_RECORDS_H
#define DEADAIR_ANALYZER_ENGINE_RECORDS_H

#include "analyzer/network/network.h"
#include "dissect/packet.h"

struct engine;

/*
 * Which records take a packet: all; those that count hosts, sources, messages; the others, where it comes back
 * (shed.h).
 */
enum due_part { DUE_ALL, DUE_COUNTED, DUE_REST };

/* Stands for weight packets; readable until records_take(), which comes after ENGINE_BATCH of them at the latest. */
void records_due(struct engine *e, const struct packet *p, enum duplicate_verdict verdict, uint32_t weight,
	enum due_part part);
void records_take(struct engine *e);

#endif
