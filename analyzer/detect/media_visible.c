/* SPDX-License-Identifier: MIT */
/* media_visible: would the media of these two have passed here? Its absence proves nothing otherwise. */
#include "analyzer/detect/media_visible.h"

#include "analyzer/detect/dtls_ways.h"
#include "analyzer/detect/ice_checks.h"
#include "analyzer/detect/lookup.h"
#include "analyzer/detect/rtcp_idle.h"

static bool on_host_unfiltered(const struct facts *facts, const struct address *a)
{
	return network_at(facts->network, a) && !facts->capture->filtered_media &&
	       (facts->capture->non_sip_protocols >= 3 || facts->capture->other_udp > 0);
}

enum visible media_visible(const struct facts *facts, const struct mslot *slot, const struct hearing *a,
	const struct hearing *b)
{
	struct side_addresses caller, callee;

	if (a->failure != FAILURE_ABSENT || b->failure != FAILURE_ABSENT || ice_checks_of(facts, slot) ||
	    ice_sockets_ask(facts, slot) || dtls_way_of(facts, slot) || rtcp_idle(facts, slot))
		return VISIBLE_YES;
	side_addresses(slot, SIDE_CALLER, &caller);
	side_addresses(slot, SIDE_CALLEE, &callee);
	if (!caller.count || !callee.count)
		return VISIBLE_NO;
	/* audio of one of them in another call, with a peer on the same side: it would have been seen here (2.2 b) */
	if (lookup_media_elsewhere(facts->lookup, slot, &caller.at[0].addr, &callee.at[0].addr) ||
	    lookup_media_elsewhere(facts->lookup, slot, &callee.at[0].addr, &caller.at[0].addr))
		return VISIBLE_YES;
	return on_host_unfiltered(facts, &caller.at[0].addr) ||
	       on_host_unfiltered(facts, &callee.at[0].addr) ? VISIBLE_LIKELY : VISIBLE_NO;
}
