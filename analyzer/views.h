/* SPDX-License-Identifier: MIT */
/*
 * views: bounded, flat pictures of the analyzer's records for the ui: the fields of the JSON report (and what the text
 * report needs besides). Spans and const char * are lent by the engine until its next packet; spans hold packet bytes
 * and are NOT escaped, const char * texts are safe.
 */
#ifndef DEADAIR_ANALYZER_VIEWS_H
#define DEADAIR_ANALYZER_VIEWS_H

#include "analyzer/engine.h"
#include "analyzer/heard.h"
#include "analyzer/withheld.h"
#include "captures/base/address.h"
#include "captures/base/ns.h"
#include "captures/base/span.h"

struct view_capture {
	int64_t first_ns, last_ns;   /* NS_NONE: no frame */
	bool untimed;                /* no frame has a time: those above mean nothing */
	uint64_t frames, bytes;
	uint64_t sip, rtp, rtcp, stun, tls, icmp, other;     /* frames decoded, by sort; mirror copies included */
	uint64_t like_rtp;           /* of the others: in the form of RTP, too few or too uneven to be taken for it */
	uint64_t undecoded[16];      /* by enum undecoded */
	struct { const char *table; uint64_t count; } evicted[32];
	unsigned evicted_count;
	const char *vantage_kind, *vantage_confidence, *vantage_why;
	struct address vantage_host; /* family 0 none */
	/* "the PBX 10.0.20.5 itself", "outside the firewall 203.0.113.2" ...: completes "Seen from" */
	const char *seen_from;
	const char *can_show;
	const char *cannot_prove[8];
	unsigned cannot_prove_count;
	const struct withheld *withheld;
	size_t withheld_count;
	const char *notes[16];
	unsigned note_count;
	/* clocks of files against the first file that shows the same messages */
	struct { uint16_t file, against; int64_t offset_ns, error_ns; bool apart, set; } clocks[64];
	unsigned clock_count;
	/* most frequent protocols of what was not VoIP, for a capture without any: "TCP 443", share of packets */
	struct { char name[24]; double share; } others[5];
	unsigned other_count;
};

/* frame 0: none */
struct view_evidence { uint16_t file; uint32_t frame, last_frame; int64_t at_ns; const char *what; };
struct view_host_part { struct endpoint at; const char *part; };

struct view_finding {
	unsigned n;
	const char *id, *reason, *severity, *confidence, *title, *cause, *fix, *reason_confidence;
	const char *other_reasons[4];
	unsigned other_reason_count;
	const char *cannot_see;      /* NULL or text */
	unsigned chain[8], chain_count;      /* n of the findings it explains */
	int64_t since_ns, first_ns, last_ns; /* since NS_NONE: null */
	struct span call_ids[64];
	unsigned call_id_count, calls_total;
	unsigned call_numbers[64];   /* the same as view_call.n, 0 unknown */
	struct span other_ids[8];    /* Call-IDs of registrations and subscriptions */
	unsigned other_id_count;
	struct view_host_part hosts[12];
	unsigned host_count;
	uint32_t streams[16];
	unsigned stream_count;
	struct view_evidence evidence[16];
	unsigned evidence_count;
	/* parts: what differs; safe text */
	struct view_change { const char *field, *before, *after; struct span before_part, after_part; } changes[24];
	unsigned change_count;
	unsigned count;
	const char *state;
	unsigned explained_by;       /* n, 0 none */
	unsigned incident;           /* 0 none */
	/* the same in every judgement of one capture, also in a copy of the process; of no meaning elsewhere */
	uint64_t identity;
	bool over;                   /* it is about calls, and all of them have ended */
};

struct view_incident {
	unsigned n;
	const char *title, *cause, *fix, *severity, *confidence;
	unsigned findings[64], finding_count;
	unsigned calls[64], call_count, calls_total;
	struct view_host_part hosts[12];
	unsigned host_count;
	int64_t first_ns, last_ns;
	const char *healthy;         /* what the healthy calls have that these have not; NULL nothing to say */
};

struct view_leg {
	struct span call_id, from_tag;
	struct { struct endpoint a, b; } hops[8];
	unsigned hop_count;
	const char *joined_by;       /* NULL: not joined */
	unsigned score;
	bool partial;
};

enum { VIEW_WINDOWS = 8 };
/* audio is due, grace over at due_ns; else it is held */
struct view_window { int64_t from_ns, due_ns, to_ns; bool due; };

struct view_direction {
	unsigned mline, leg;
	const char *kind;            /* "audio", "video", ... */
	unsigned sender;             /* 0 caller, 1 callee: who should send */
	struct endpoint from, to;    /* sender's and receiver's media address as promised; family 0 unknown */
	bool expected;
	double due_ms;               /* time in which audio was due */
	uint64_t packets;
	enum heard heard;
	int64_t unheard_from_ns, unheard_to_ns;      /* HEARD_NO: the time that failed; before it may have been well */
	const char *why;             /* row or gate that decided, or words */
	const char *bound_by;        /* "B4", NULL none */
	uint32_t streams[16];
	unsigned stream_count;
	double mos;                  /* < 0 unknown */
	const char *codec;           /* "PCMA"; NULL */
	double loss_percent;         /* < 0 unknown */
	double jitter_ms;            /* < 0 unknown */
	struct view_window windows[VIEW_WINDOWS];    /* by time, no overlap; what is neither due nor held is left out */
	unsigned window_count;
};

struct view_call {
	unsigned n;
	struct span call_ids[16];
	unsigned call_id_count;
	struct span from, to;        /* user parts, else hosts */
	struct span from_agent, to_agent;
	struct endpoint from_at, to_at;      /* signalling addresses; family 0 unknown */
	const char *state;
	unsigned status;             /* 0 null */
	int64_t start_ns, answer_ns, end_ns;
	double pdd_ms, setup_ms;     /* < 0 null: INVITE to first 18x; INVITE to 200 */
	struct view_leg legs[16];
	unsigned leg_count;
	struct view_direction media[32];
	unsigned media_count;
	/* of the audio of the answered dialog, joined legs taken together */
	enum heard caller_hears, callee_hears;
	double caller_mos, callee_mos;
	const char *vantage;
	unsigned findings[32], finding_count;
	const char *notes[8];
	unsigned note_count;
};

struct view_interval {
	int64_t at_ns;
	uint32_t packets, lost;
	double max_jitter_ms, mos;   /* < 0 unknown */
	bool audio;                  /* not comfort noise, key presses or keep-alives alone */
	int level_dbm0;              /* mean; VIEW_UNHEARD not known */
};
enum { VIEW_UNHEARD = 127 };

/* A stretch without a packet; silence: the sender suppresses it, and nothing is missing. */
struct view_hole { int64_t from_ns, to_ns; bool silence; };

struct view_stream {
	uint32_t n;
	unsigned call;               /* 0 none */
	struct endpoint src, dst;
	uint32_t ssrc;
	uint8_t pts[8];
	unsigned pt_count;
	struct span codec;
	uint32_t clock_hz;
	uint64_t packets;
	int64_t lost;
	uint64_t lost_within;
	uint32_t epochs, loss_runs[10];
	uint64_t duplicates, mirror_copies, reordered, late;
	double max_delta_ms, mean_jitter_ms, max_jitter_ms;  /* < 0 unknown */
	const struct view_interval *intervals;
	unsigned interval_count;
	const struct view_hole *holes; /* the longest, by time */
	unsigned hole_count;
	double mos;                  /* < 0 unknown */
	const char *mos_kind, *mos_valid;
	uint32_t twins[4];
	unsigned twin_count;
	int dscp;                    /* -1 unknown */
	int64_t first_ns, last_ns;
	uint32_t first_frame, last_frame;
	uint16_t file;
};

struct view_peer {
	struct endpoint at;          /* port 0; family 0: all hosts of this user agent, listed behind the hosts */
	struct span user_agent;
	uint64_t attempts, answered;
	double asr, ner;             /* 0..1; < 0 unknown */
	double pdd_p50_ms, pdd_p95_ms;
	struct { unsigned status; uint64_t count; } responses[16];
	unsigned response_count;
	double loss_percent;         /* < 0 unknown */
	bool calls_too_few;          /* fewer than 20 attempts */
};

struct view_registration {
	unsigned n;
	struct span aor, device, contact;
	struct endpoint source, registrar;
	const char *state;
	unsigned status;
	bool has_expires;
	uint32_t expires_s;
	int64_t first_ns, last_ns;
	unsigned findings[8], finding_count;
};

struct view_host {
	struct address addr;
	struct address aliases[4];
	unsigned alias_count;
	const char *roles[4];
	unsigned role_count;
	const char *why[8];
	unsigned why_count;
	struct span user_agent;
	uint16_t sip_ports[16], media_ports[16], vlans[4];
	unsigned sip_port_count, media_port_count, vlan_count;
	const char *transports[6];
	unsigned transport_count;
	int dscp, hops, ttl;         /* -1 unknown */
	/* ports that SDP names for its media, those of RTCP behind them; 0: none */
	uint16_t range_low, range_high;
	/* most calls at once that had media there, and the ports that these took */
	unsigned peak_calls, ports_needed;
};

struct view_nat {
	struct endpoint inside, outside;
	const char *protocol, *scope, *learnt;
	unsigned weight;
	int64_t first_ns, last_ns;
	bool has_bracket;            /* how long the router keeps it in silence was measured */
	double alive_s, dead_s;      /* it outlives alive_s, it is gone after dead_s */
};

struct view_check {                  /* a point of the checklist */
	const char *item, *title, *name, *state, *why;       /* name: short, for a row of them */
	bool flow;                   /* a test call; else a point of the deployment */
	const char *ids[8];          /* of the findings that decided */
	unsigned id_count;
	unsigned findings[16], finding_count;        /* n of those */
	unsigned calls[16], call_count, calls_total; /* n of the calls that it stands on */
	struct view_evidence evidence[6];
	unsigned evidence_count;
};

struct view_policy {                 /* of a firewall between the site and its providers, for what was seen */
	unsigned rules, cut;         /* cut: more that are left out */
	unsigned users, strangers;   /* addresses outside that talked to the site and have no rule */
	unsigned peak_calls;         /* at once */
	const struct nets *inside;   /* networks of the site */
};

struct view_mark {                   /* what DSCP the policy's traffic carries */
	bool media, inbound;
	uint8_t dscp;
	unsigned count;              /* streams; requests */
};

struct view_vlan { uint16_t vid; unsigned hosts; };  /* of the site, that speak SIP or send media in it */

struct view_limit {                  /* the busiest minute of a provider */
	struct address from;
	unsigned calls;
	uint32_t frame;              /* of the first of them */
};

struct view_rule {
	bool media, tls;
	bool inbound;                /* towards the site */
	bool documented;             /* its ports are the profile's range, not what was seen */
	struct address from, to;
	const char *protocol;        /* "udp", "tcp", "sctp" */
	uint16_t low, high;          /* destination ports */
	unsigned count;              /* requests; streams */
	uint16_t file;
	uint32_t frame;              /* of the first */
};

struct view_message {                /* a rung of the ladder */
	int64_t at_ns;
	uint16_t file;
	uint32_t frame;
	struct endpoint src, dst;
	unsigned leg;                /* index in view_call.legs */
	struct span method, reason;  /* response: method of its CSeq */
	unsigned status;             /* 0: a request */
	bool sdp, retransmission, copy, next_hop;
	const char *sdp_text;        /* "PCMA,PCMU 10.0.0.2:4000 sendonly", NULL none; safe */
	struct span raw;
};

struct view_why_not {                /* why a finding was not made */
	unsigned call;
	struct { bool holds, decided; const char *text; } const *rows;
	size_t row_count;
	bool found;                  /* it was made after all */
	const char *gate;            /* what withheld it; NULL: this capture could have shown it */
};

struct view_end { uint64_t calls, answered, streams, registrations; unsigned critical, error, warning, info; int exit;
	};

/*
 * Complete after engine_finish(). Indexes run from 0; each call fills *ret and gives false past the end. Order is that
 * of the report.
 */
void view_capture(const struct engine *e, struct view_capture *ret);
bool view_incident(const struct engine *e, size_t i, struct view_incident *ret);
bool view_finding(const struct engine *e, size_t i, struct view_finding *ret);
bool view_call(const struct engine *e, size_t i, struct view_call *ret);
bool view_stream(const struct engine *e, size_t i, struct view_stream *ret);
bool view_peer(const struct engine *e, size_t i, struct view_peer *ret);
bool view_registration(const struct engine *e, size_t i, struct view_registration *ret);
bool view_host(const struct engine *e, size_t i, struct view_host *ret);
bool view_nat(const struct engine *e, size_t i, struct view_nat *ret);
bool view_check(const struct engine *e, size_t i, struct view_check *ret);
void view_policy(const struct engine *e, struct view_policy *ret);
bool view_rule(const struct engine *e, size_t i, struct view_rule *ret);
bool view_mark(const struct engine *e, size_t i, struct view_mark *ret);
bool view_vlan(const struct engine *e, size_t i, struct view_vlan *ret);
bool view_limit(const struct engine *e, size_t i, struct view_limit *ret);
bool view_message(const struct engine *e, size_t call, size_t i, struct view_message *ret);
bool view_why_not(const struct engine *e, size_t i, struct view_why_not *ret);
void view_end(const struct engine *e, struct view_end *ret);

/* For `deadair explain` and `deadair detectors`. */
struct view_key { const char *name, *unit, *source; double value, min, max; };
struct view_detector {
	const char *id, *says, *usual, *symptom, *evidence, *mimics, *fix;
	const char *const *reasons;
	struct view_key keys[16];
	unsigned key_count;
};
bool view_detector(size_t i, struct view_detector *ret);        /* by id */
bool view_detector_find(const char *id, struct view_detector *ret);

#endif
