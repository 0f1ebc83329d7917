/* SPDX-License-Identifier: MIT */
/* view_ladder: the messages of a call, its legs merged by time. */
#include <stdio.h>

#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"
#include "captures/base/memory.h"

enum {
	LEG_MAX = 16,                /* as many as view_call.legs shows */
	SUMMARY_TEXT = 208           /* below its arrow; what names more media ends there */
};

_Static_assert((int)SUMMARY_TEXT <= (int)VIEW_TEXT, "lent");

static const char *sdp_summary(struct view_cache *v, const struct sdp *sdp)
{
	static const char *const directions[] = { "", " sendonly", " recvonly", " inactive" };
	char *text = view_lend(v), at[ENDPOINT_TEXT], codec[24];
	size_t n = 0, room = SUMMARY_TEXT;

	text[0] = '\0';
	for (unsigned i = 0; i < sdp->media_count && n + 60 < room; i++) {
		const struct sdp_media *m = &sdp->media[i];

		n += (size_t)snprintf(text + n, room - n, "%s%s ", i ? "; " : "", view_kind_name(m->kind));
		for (unsigned k = 0; k < m->format_count && k < 3 && n + 40 < room; k++)
			n += (size_t)snprintf(text + n, room - n, "%s%s", k ? "," : "",
				text_escape(m->formats[k].codec, codec, sizeof codec));
		if (n + 70 < room)
			n += (size_t)snprintf(text + n, room - n, " %s%s", endpoint_text(&m->at, at),
				directions[m->direction]);
	}
	return text;
}

static void ladder_add(struct view_cache *v, const struct message *m, unsigned leg)
{
	if (v->ladder_count == v->ladder_room) {
		v->ladder_room = v->ladder_room ? v->ladder_room * 2 : 64;
		v->ladder = memory_resize(v->ladder, v->ladder_room, sizeof *v->ladder);
	}
	v->ladder[v->ladder_count++] = (struct ladder_rung){ m, leg };
}

/*
 * All messages of a call's legs in capture order; those of the leg that began first before others of the same instant.
 */
static void ladder_build(struct view_cache *v, const struct call *c)
{
	const struct chain_link *next[LEG_MAX];
	const struct message *earliest;
	unsigned leg_count = 0, best = 0;

	v->ladder_count = 0;
	v->ladder_of = c;
	LIST_EACH(it, &c->legs) {
		if (leg_count == LEG_MAX)
			break;
		next[leg_count++] = LIST_ENTRY(it, struct leg, in_call)->messages.first;
	}
	do {
		earliest = NULL;
		for (unsigned l = 0; l < leg_count; l++) {
			const struct message *m = next[l] ? LIST_ENTRY(next[l], struct message, in_leg) : NULL;

			if (m && (!earliest || m->at.at_ns < earliest->at.at_ns)) {
				earliest = m;
				best = l;
			}
		}
		if (earliest) {
			ladder_add(v, earliest, best);
			next[best] = next[best]->next;
		}
	} while (earliest);
}

bool view_message(const struct engine *e, size_t call, size_t i, struct view_message *ret)
{
	struct view_cache *v = view_cache_of(e);
	const struct message *m;

	if (call >= v->call_count)
		return false;
	if (v->ladder_of != v->calls[call])
		ladder_build(v, v->calls[call]);
	if (i >= v->ladder_count)
		return false;
	m = v->ladder[i].message;
	*ret = (struct view_message){
		.at_ns = m->at.at_ns, .file = m->at.file, .frame = m->at.frame, .src = m->src, .dst = m->dst,
		.leg = v->ladder[i].leg,
		.method = message_method_text(m), .reason = phrase_span(m->reason), .status = m->status,
		.sdp = m->sdp != NULL,
		.retransmission = m->repeat == MESSAGE_RETRANSMITTED, .copy = m->repeat == MESSAGE_COPY,
		.next_hop = m->repeat == MESSAGE_NEXT_HOP,
		.sdp_text = m->sdp ? sdp_summary(v, m->sdp) : NULL, .raw = message_raw(m),
	};
	if (!ret->method.n)
		ret->method = span_of(sip_method_name(m->method));
	view_redact_message(e->redact, ret);
	return true;
}
