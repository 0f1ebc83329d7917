/* SPDX-License-Identifier: MIT */
/*
 * reinvite_mangled: descriptions as they were seen at several places of the same hop (equal Via count: no SIP element
 * forwarded them).
 */
#include "analyzer/detect/reinvite_mangled.h"

/* In an address of zeros, a hold of RFC 2543, nobody has anything to change. */
static const struct endpoint *audio_at(const struct message *m)
{
	for (unsigned i = 0; m->sdp && i < m->sdp->media_count; i++) {
		const struct endpoint *at = &m->sdp->media[i].at;

		if (m->sdp->media[i].kind == SDP_AUDIO && address_known(&at->addr) && !address_unspecified(&at->addr))
			return at;
	}
	return NULL;
}

/* Seen at two places without a SIP element in between. */
static bool seen_twice(const struct sdp_copies *c)
{
	return c->count >= 2 && c->seen[0]->via_count == c->seen[c->count - 1]->via_count && audio_at(c->seen[0]) &&
	       audio_at(c->seen[c->count - 1]);
}

static bool was_changed(const struct sdp_copies *c)
{
	return !endpoint_equal(audio_at(c->seen[0]), audio_at(c->seen[c->count - 1]));
}

static const struct exchange *exchange_of(const struct dialog *dialog, const struct transaction *t)
{
	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *e = LIST_ENTRY(it, struct exchange, in_dialog);

		if (e->transaction == t)
			return e;
	}
	return NULL;
}

bool reinvite_mangled(const struct transaction *t, struct mangled *ret)
{
	const struct dialog *dialog = t->dialog;
	const struct exchange *e = dialog ? exchange_of(dialog, t) : NULL, *first;
	const struct sdp_copies *then, *told;
	bool now;

	if (!e || e->offerer != t->by)
		return false;
	first = LIST_ENTRY(dialog->exchanges.head.next, struct exchange, in_dialog);
	then = first->offerer == t->by ? &first->offer : &first->answer;
	if (first == e || !seen_twice(then) || !seen_twice(&e->offer))
		return false;
	now = was_changed(&e->offer);
	if (now == was_changed(then))
		return false;
	told = now ? &e->offer : then;
	*ret = (struct mangled){ .before = told->seen[0], .behind = told->seen[told->count - 1], .now = now,
		.was = *audio_at(told->seen[0]), .became = *audio_at(told->seen[told->count - 1]) };
	return true;
}
