/* SPDX-License-Identifier: MIT */
/*
 * live_numbers: what is known of a capture at this moment, between one picture of it and the next; flat, copied
 * under a lock.
 */
#ifndef DEADAIR_UI_LIVE_NUMBERS_H
#define DEADAIR_UI_LIVE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBERS_INTERFACES = 16, NUMBERS_NAME = 64, NUMBERS_SOURCE = 128, NUMBERS_NOTE = 200 };

struct live_numbers {
	char source[NUMBERS_SOURCE]; /* "eth1+eth2", or the name of a file; safe text */
	bool live;
	bool loading;                /* a file that is being read */
	int64_t begun_ns;            /* packet time of the first frame; NS_NONE none */
	int64_t now_ns;              /* packet time: of the newest frame, or later where nothing came */
	int64_t last_frame_ns;       /* of the newest frame; NS_NONE none */
	uint64_t frames, bytes;
	uint64_t frames_per_s;
	uint64_t ring_drops, card_drops;     /* of all interfaces */
	size_t interface_count;      /* of those below; there may be more */
	struct live_numbers_interface {
		char name[NUMBERS_NAME];
		uint8_t state;       /* enum interface_state */
		uint64_t frames, received, ring_drops, card_drops;
		size_t ring_bytes;   /* 0: not known */
	} interfaces[NUMBERS_INTERFACES];
	size_t kept_bytes;
	size_t findings_open;
	uint64_t bytes_done, bytes_total;    /* loading; total 0: unknown */
	bool history, redacted;
	char note[NUMBERS_NOTE];     /* the newest: "eth1 is down: ..."; "" none */
};

#endif
