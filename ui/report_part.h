/* SPDX-License-Identifier: MIT */
/* report_part: the sections of the text report; only report_*.c include it. */
#ifndef DEADAIR_UI_REPORT_PART_H
#define DEADAIR_UI_REPORT_PART_H

#include "ui/report.h"

enum { LABEL_COLUMNS = 10, BLOCK_INDENT = 2, BLOCK_LABEL_COLUMNS = 9 };
enum { PARTY_TEXT = 256 };

/* A line of the head: "Read      12 SIP". */
void report_line(const struct report *r, const char *label, const char *text);
/* Frames that are IP, or may be, and could not be read. */
uint64_t report_undecoded(const struct view_capture *c);
/* Without any that are certain to be VoIP: of what is random a quarter begins like RTP, here half and more does. */
bool report_mostly_like_rtp(const struct view_capture *c);
/* One line: problems, none, nothing of VoIP, cannot tell; and what stands below it. */
void report_headline(const struct report *r, const struct view_capture *c);
/* How many facts there are and of which kind: below the answer, or behind the calls where there are problems. */
void report_fact_count(const struct report *r);
/* The capture cannot tell of any answered call who hears whom. */
bool report_cannot_tell(const struct report *r);

/* Whom a problem hurts, in all calls of it: "   phones 1001 1002 1007"; nothing where no number is known. */
void report_phones(struct text *t, const struct report *r, const struct view_finding *finding,
	const struct view_incident *incident);
/* Who hears whom in the only call of a problem, who suffers first; nothing where nobody was to be heard. */
void report_who(struct text *t, const struct report *r, const struct view_call *c, const struct view_finding *f);

/* Problems as blocks, worst first. */
void report_problems(const struct report *r);
/* Changed fields of messages as a table: name, before, behind; nothing where there are none. */
void report_changes(const struct report *r, const struct view_finding *f);
/* Facts as blocks: those that explain a problem or say what the capture cannot show; the others; all. */
enum facts { FACTS_FIRST, FACTS_OTHERS, FACTS_ALL };
void report_facts(const struct report *r, enum facts which);
/*
 * Is this fact shown as a block although facts are not asked for: it says what the capture cannot show, and nothing
 * else can be said?
 */
bool report_fact_shown(const struct report *r, const struct selected_finding *f);

void report_calls(const struct report *r);

/* -v: streams of every call, peers, registrations, hosts, NAT map. Peers with calls enough also without it. */
void report_details(const struct report *r);
void report_peers(const struct report *r, bool all);

/* The checklist: short, or in full. Nothing where nothing of it was seen. */
void report_checklist(const struct report *r);

/* "1001", "1001 (Yealink SIP-T46S, 192.168.1.21)": who a call's caller (0) or callee (1) is. */
const char *report_number(const struct view_call *c, unsigned party, char buffer[PARTY_TEXT]);
void report_party(struct text *t, const struct report *r, const struct view_call *c, unsigned party);
/* The name of a capture without its folders, escaped. */
void report_file_name(struct text *t, const struct report *r, size_t file);

#endif
