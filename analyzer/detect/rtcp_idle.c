/* SPDX-License-Identifier: MIT */
/* rtcp_idle: RFC 3550 6.4: who sends no audio sends RR, or counts no more packets; who receives none sends no block. */
#include "analyzer/detect/rtcp_idle.h"

enum { REPORTS_MIN = 2 };

static bool is_idle(const struct rtcp_party *p)
{
	return p && !p->encrypted && !p->ever_blocks && p->report_count >= REPORTS_MIN &&
	       p->first_packets == p->last_packets;
}

static const struct rtcp_party *reporter(const struct facts *facts, const struct window *w, const struct target *at,
	unsigned count, const struct sdp_media *media)
{
	struct endpoint rtcp = { .port = 0 };

	if (media)
		rtcp = sdp_media_rtcp(media);
	for (unsigned i = 0; i < count; i++) {
		const struct rtcp_party *p = rtcp_party_at(facts->rtcp, &at[i].at,
			address_known(&rtcp.addr) ? &rtcp : NULL, w->on_ns, window_end(w, facts->capture->last_ns), NULL, NULL);

		if (p)
			return p;
	}
	return NULL;
}

bool rtcp_idle(const struct facts *facts, const struct mslot *slot)
{
	if (rtcp_parties(facts->rtcp)->count == 0)
		return false;
	for (unsigned side = 0; side < 2; side++) {
		const struct window *w = direction_first_due(&slot->direction[side]);

		if (w && is_idle(reporter(facts, w, w->sources, w->source_count, w->sender)) &&
		    is_idle(reporter(facts, w, w->targets, w->target_count, w->receiver)))
			return true;
	}
	return false;
}
