/* SPDX-License-Identifier: MIT */
/* known: the addresses of a call. */
#include "analyzer/detect/known.h"

/* The address itself, or what a router makes of it. */
static bool is_image(const struct facts *facts, const struct endpoint *named, const struct address *a)
{
	struct endpoint image;
	unsigned weight;

	if (address_equal(&named->addr, a))
		return true;
	for (unsigned media = 0; media < 2; media++) {
		if (network_public_of(facts->network, named, media, &image, &weight) && address_equal(&image.addr, a))
			return true;
		if (network_private_of(facts->network, named, media, &image, &weight) && address_equal(&image.addr, a))
			return true;
	}
	return false;
}

static bool in_sdp(const struct facts *facts, const struct sdp *sdp, const struct address *a)
{
	for (unsigned i = 0; i < sdp->media_count; i++) {
		const struct sdp_media *m = &sdp->media[i];
		struct endpoint rtcp = sdp_media_rtcp(m);

		if (is_image(facts, &m->at, a) || address_equal(&rtcp.addr, a))
			return true;
		for (unsigned k = 0; k < m->rare->candidate_count; k++) {
			const struct sdp_candidate *candidate = &m->rare->candidates[k];

			if (address_equal(&candidate->at.addr, a) || address_equal(&candidate->related.addr, a))
				return true;
		}
	}
	return false;
}

static bool in_messages(const struct facts *facts, const struct leg *leg, const struct address *a)
{
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (address_equal(&m->src.addr, a) || address_equal(&m->dst.addr, a) ||
		    (m->contact && address_equal(&m->contact->at.addr, a)))
			return true;
		if (m->sdp && m->repeat != MESSAGE_RETRANSMITTED && in_sdp(facts, m->sdp, a))
			return true;
	}
	return false;
}

bool known_in_call(const struct facts *facts, const struct leg *leg, const struct address *a)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned side = 0; side < 2; side++) {
			if (address_known(&other->party[side].signalling.addr) &&
			    is_image(facts, &other->party[side].signalling, a))
				return true;
		}
		if (in_messages(facts, other, a))
			return true;
	}
	return false;
}
