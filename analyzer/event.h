/* SPDX-License-Identifier: MIT */
/* event: what the engine tells detectors. They read records through the const pointers and never see packets. */
#ifndef DEADAIR_ANALYZER_EVENT_H
#define DEADAIR_ANALYZER_EVENT_H

#include "analyzer/calls/call.h"
#include "analyzer/media/expectation.h"
#include "analyzer/media/rtcp_state.h"
#include "analyzer/media/stream.h"
#include "analyzer/network/network.h"

enum event_kind {
	EVENT_SIP,                   /* every SIP packet that is no mirror copy, of whatever method: see packet */
	/*
	 * Judgement: everything that a verdict may lean on is in the records (in a read: the capture has ended; in
	 * live: the hold-off has passed, and again whenever the records changed). A detector raises, updates or
	 * withdraws; judging twice gives the same as once.
	 */
	/*
	 * Each leg in turn, before all others: what a detector wants to know of all legs together it gathers here, in
	 * one walk for all of them. Nothing is said yet: no finding, no reason against one.
	 */
	EVENT_SURVEY_LEG,
	EVENT_JUDGE_CAPTURE,         /* the gates: before all that follow */
	EVENT_JUDGE_CALL,            /* a leg */
	EVENT_JUDGE_DIRECTION,       /* one direction of an audio m-slot of a dialog that was answered */
	EVENT_JUDGE_STREAM,
	EVENT_JUDGE_REGISTRATION,
	EVENT_JUDGE_CAUSES,          /* after all others: causes that are linked to what those have found */
	EVENT_KIND_COUNT
};

#define EVENT_BIT(kind) (UINT64_C(1) << (kind))

struct icmp_record {                 /* one ICMP error, kept by the engine (bounded per quoted flow) */
	struct list_link in_order;
	struct hash_link by_dst;     /* icmp_hash() of the quoted destination */
	struct frame_ref at;
	struct address reporter;     /* source of the ICMP */
	struct endpoint src, dst;    /* of the quoted packet */
	uint8_t protocol, type, code, ttl;
	bool v6, readable, has_mac;
	uint8_t mac[6];              /* of the frame's sender */
};

struct event {
	enum event_kind kind;
	int64_t at_ns;
	const struct leg *leg;
	const struct dialog *dialog;
	const struct registration *registration;
	struct direction *direction;
	const struct stream *stream;
	const struct packet *packet; /* of EVENT_SIP: the message as parsed, good during the event only */
};

#endif
