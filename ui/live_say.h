/* SPDX-License-Identifier: MIT */
/* live_say: what a capture says about itself, on standard error; a line each, "deadair: ...". */
#ifndef DEADAIR_UI_LIVE_SAY_H
#define DEADAIR_UI_LIVE_SAY_H

#include "captures/live/live.h"
#include "dissect/packet.h"
#include "ui/live_options.h"

struct live_drops { uint64_t ring, card; };

struct live_say {
	struct live *live;
	const struct live_arguments *arguments;
	struct live_drops told[LIVE_INTERFACES_MOST];
	uint32_t tunnels;            /* bits of enum packet_tunnel that were met */
	bool vlans;
	char note[200];              /* the newest of the interfaces */
	bool mute;                   /* a dashboard has the terminal: notes are only kept */
};

void live_say(const struct live_say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the filter would lose; before anything else. */
void live_say_filter(const struct live_say *s);
void live_say_interfaces(const struct live_say *s);
void live_say_notes(struct live_say *s);
/* What was lost since it was told last. */
void live_say_drops(struct live_say *s);
/* A capture that sees no SIP explains itself. */
void live_say_quiet(const struct live_say *s, int seconds);
void live_say_packet(struct live_say *s, const struct packet *p);

#endif
