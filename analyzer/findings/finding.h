/* SPDX-License-Identifier: MIT */
/* finding: what is said, and on what proof. Lifecycle, suppression and incidents: analyzer/findings. */
#ifndef DEADAIR_FINDINGS_FINDING_H
#define DEADAIR_FINDINGS_FINDING_H

#include "analyzer/calls/call.h"
#include "captures/base/text.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_CRITICAL };
enum confidence { CONFIDENCE_NONE, CONFIDENCE_POSSIBLE, CONFIDENCE_LIKELY, CONFIDENCE_CERTAIN };
enum finding_state { FINDING_OPEN, FINDING_CLOSED, FINDING_WITHDRAWN };
enum part { PART_VICTIM, PART_CULPRIT, PART_WITNESS };

enum { FINDING_EVIDENCE_MAX = 16, FINDING_HOST_MAX = 12, FINDING_LEG_MAX = 64, FINDING_STREAM_MAX = 16,
	FINDING_REASON_MAX = 4, FINDING_OTHER_ID_MAX = 8, FINDING_CHANGE_MAX = 24 };

struct evidence {
	struct frame_ref at;         /* frame 0: a fact about the capture as a whole */
	uint32_t last_frame;         /* of a run of frames, 0 single */
	char *what;                  /* plain text, packet bytes escaped */
};

struct field_change {                /* a field of a message before and behind a device; all safe text */
	char *field, *before, *after;        /* empty: not there */
};

struct finding {
	struct list_link in_order;
	unsigned n;                  /* 1-based JSON number, given when listed */
	const struct detector *detector;
	const char *id;              /* "one-way-audio" */
	const char *reason;          /* static, kebab-case, from the register */
	enum severity severity;
	enum confidence confidence, reason_confidence;
	const char *other_reasons[FINDING_REASON_MAX];
	unsigned other_reason_count;
	/* healthy: what calls without it have that these have not; earlier: how it was in calls before */
	struct text title, cause, fix, cannot_see, healthy, earlier;
	struct { const struct leg *leg; struct span call_id; } legs[FINDING_LEG_MAX];
	unsigned leg_count, legs_total;
	struct more_legs *more_legs; /* those above FINDING_LEG_MAX; NULL none */
	/* Call-IDs of what is no call: registrations, subscriptions; they live as long as their record */
	struct span other_ids[FINDING_OTHER_ID_MAX];
	unsigned other_id_count;
	struct { struct endpoint at; enum part part; } hosts[FINDING_HOST_MAX];
	unsigned host_count;
	uint32_t streams[FINDING_STREAM_MAX];/* struct stream.n */
	unsigned stream_count;
	struct evidence evidence[FINDING_EVIDENCE_MAX];
	unsigned evidence_count;
	struct field_change changes[FINDING_CHANGE_MAX];
	unsigned change_count;
	int64_t first_ns, last_ns, since_ns; /* since: when a working direction stopped; NS_NONE */
	unsigned count;
	enum finding_state state;
	struct finding *caused_by;   /* a detector knows that this one follows from that one; NULL */
	struct finding *explained_by;
	struct incident *incident;
	/* what suppression compares */
	const void *direction;       /* identity of the direction it is about; NULL: not about one */
	const void *stream;          /* likewise of the stream */
	bool listed;                 /* by the filter */
	uint64_t order;              /* of making; breaks ties */
	/* detector, scope and key: the same however often it is judged, and of no meaning outside this process */
	uint64_t identity;
};

struct incident {
	struct list_link in_order;
	unsigned n;
	struct finding **findings;
	unsigned finding_count, finding_room;
	unsigned calls_total;        /* different calls, all of them */
	const struct finding *root;  /* the one that gives title, cause, fix */
	char *title;
	enum severity severity;
	enum confidence confidence;
	int64_t first_ns, last_ns;
};

struct findings;

struct findings *findings_new(void);
void findings_free(struct findings *f);
struct finding *findings_add(struct findings *f, const struct detector *detector, const char *id, const char *reason,
	enum severity s, enum confidence c);
void findings_remove(struct findings *all, struct finding *f);
/* The leg goes: findings that others have made stay without it. */
void findings_forget_leg(struct findings *all, struct leg *leg);
/* Is it about this leg? */
bool finding_has_leg(const struct finding *f, const struct leg *leg);
/* Emptied of reason, texts, parts, legs, streams and evidence, to be filled anew. */
void findings_reset(struct finding *f);
/* struct finding.in_order; after findings_settle: severity first, then time */
const struct list *findings_in_order(const struct findings *f);
const struct list *findings_incidents(const struct findings *f);
/*
 * Suppression by the table (root causes silence what they explain, never across directions or calls, never certain by
 * possible), confidence caps, incidents, order and numbers. Repeatable: reckoned anew from all findings that are not
 * withdrawn.
 */
void findings_settle(struct findings *f, int64_t incident_window_ns);
/* No finding above info that stands for itself: 0; else 1. */
int findings_exit_status(const struct findings *f);

/* Filling one. Texts: printf formats of trusted text; packet bytes go through text_escape before. */
void finding_title(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_cause(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_fix(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_healthy(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_earlier(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_cannot_see(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* port 0: the host as a whole; once each */
void finding_part(struct finding *f, enum part part, const struct endpoint *at);
void finding_leg(struct finding *f, const struct leg *leg);
/* The Call-ID of what is no call; lent for the finding's life. */
void finding_other_id(struct finding *f, struct span call_id);
void finding_stream(struct finding *f, uint32_t n);
void finding_evidence(struct finding *f, struct frame_ref at, const char *format,
	...) __attribute__((format(printf, 3, 4)));
void finding_evidence_run(struct finding *f, struct frame_ref at, uint32_t last_frame, const char *format,
	...) __attribute__((format(printf, 4, 5)));
/* Copied; the same field with the same texts only once. */
void finding_change(struct finding *f, const char *field, const char *before, const char *after);
void finding_times(struct finding *f, int64_t first_ns, int64_t last_ns);
void finding_other_reason(struct finding *f, const char *reason);

const char *severity_name(enum severity s);
const char *confidence_name(enum confidence c);
const char *part_name(enum part p);
const char *finding_state_name(enum finding_state s);

#endif
