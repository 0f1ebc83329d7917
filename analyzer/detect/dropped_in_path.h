/* SPDX-License-Identifier: MIT */
/*
 * dropped_in_path: what the files of this detector share: messages (dropped_in_path.c), why (dropped_reason.c), media
 * (dropped_media.c).
 */
#ifndef DEADAIR_DETECT_DROPPED_IN_PATH_H
#define DEADAIR_DETECT_DROPPED_IN_PATH_H

#include "analyzer/detect/detector.h"
#include "analyzer/network/two_points.h"

/* The reason that one lost message gives by itself; static, of the register. "unlocated": none fits. */
const char *dropped_reason(const struct facts *facts, const struct lost_message *m,
	const struct icmp_record **ret_icmp);

struct dropped_pattern {             /* what the lost ones between two hosts have in common */
	unsigned messages;
	uint32_t least_bytes, passed_bytes;  /* of IP packets: the smallest lost, the largest that passed */
	unsigned transmissions;              /* of the one that was sent most often */
	uint8_t method;
	bool one_method, method_passed;
};
/* "oversize", "method-filtered"; else "unlocated". */
const char *dropped_pattern_reason(const struct dropped_pattern *p);

/* Audio ports that parties offer: two phones with one port behind one SIP helper (3.3 E18). */
struct offered_ports;
struct offered_ports *offered_ports_new(const struct calls *calls);
void offered_ports_free(struct offered_ports *o);
bool offered_ports_clash(const struct offered_ports *o, const struct lost_message *m);

/* What those have in common that are lost for that reason, and what to do; device: "the router 192.0.2.1". */
const char *dropped_because(const char *reason);
void dropped_fix(struct finding *f, const char *reason, const char *device);

/* INVITEs that helpers refuse and that nobody answers, seen at one point: a finding for each device and reason. */
void dropped_one_point_judge(struct detection *d);

/* Streams that go in and do not come out: a finding for each. */
void dropped_media_judge(struct detection *d);

#endif
