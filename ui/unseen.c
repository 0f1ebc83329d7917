/* SPDX-License-Identifier: MIT */
/* unseen: gates and rows of the register, in words for people. */
#include "ui/unseen.h"

#include <stdio.h>
#include <string.h>

const char *unseen_words(const char *why)
{
	static const struct { const char *name, *words; } known[] = {
		{ "B0", "a stream fits it and another call, or is in a TURN channel of an unknown peer" },
		{ "G1", "only one direction of the traffic is in the capture" },
		{ "G2", "none of the media is in the capture" },
		{ "G3", "the media may take another way than past this point" },
		{ "G4", "the signalling is not in the capture" },
		{ "G5", "the messages are cut by the snap length" },
		{ "G6", "the capture begins or ends in mid-call" },
		{ "G7", "the capture itself lost packets" },
		{ "G8", "the signalling is encrypted" },
		{ "G9", "the same call is in the capture more than once" },
		{ "G10", "the capture's time stamps are not reliable" },
		{ "G11", "one member of a bundled link: packets are elsewhere" },
		{ "B10", "a stream of the sender could be it, nothing proves it" },
		{ "N3", "a recorder's leg sends one way" },
		{ "N4", "silence suppression, or comfort noise alone" },
		{ "N8", "hung up too soon to judge" },
		{ "N9", "on hold or ringing on the other side of the PBX" },
		{ "N10", "the other side may only be listening (voicemail, menu)" },
		{ "N13", "muted: its reports go on, its packets do not" },
		{ "N17", "both parties are in one machine: the media may reach no wire" },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(known[i].name, why) == 0)
			return known[i].words;
	}
	return why;
}

/* What of an answered call cannot be seen, and why; NULL: it can be seen. */
static const char *why_invisible(const struct view_call *c)
{
	if (c->media_count == 0 && c->caller_hears == HEARD_UNKNOWN)
		return "the session description of the answer is not in the capture";
	for (unsigned i = 0; i < c->media_count; i++) {
		const struct view_direction *d = &c->media[i];

		if (d->heard == HEARD_UNKNOWN && d->packets == 0 && d->why && d->kind && strcmp(d->kind, "audio") == 0)
			return unseen_words(d->why);
	}
	return NULL;
}

void unseen_add(struct unseen *u, const struct view_call *c)
{
	const char *why = why_invisible(c);

	for (size_t i = 0; why && i < u->named; i++) {
		if (strcmp(u->whys[i].words, why) == 0) {
			u->whys[i].calls++;
			return;
		}
	}
	if (why && u->named < UNSEEN_NAMED) {
		snprintf(u->whys[u->named].words, sizeof u->whys[0].words, "%s", why);
		u->whys[u->named++].calls = 1;
	} else if (why) {
		u->rest++;
	}
}
