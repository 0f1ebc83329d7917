/* SPDX-License-Identifier: MIT */
/* fake_views: views without an analyzer: handmade data, so that reports are tested for themselves. */
#ifndef DEADAIR_TESTS_FAKE_VIEWS_H
#define DEADAIR_TESTS_FAKE_VIEWS_H

#include "analyzer/views.h"
#include "captures/source.h"

enum fake {
	FAKE_ONE_WAY,                /* one call through a firewall that rewrites SIP */
	FAKE_HOSTILE,                /* the same, every span full of escapes, bidi controls and broken UTF-8 */
	FAKE_NOTHING,                /* no VoIP at all */
	FAKE_LIKE_RTP,               /* ten packets in the form of RTP, and no SIP */
	FAKE_EMPTY,                  /* no frame */
	FAKE_CLEAN,                  /* 3 calls: heard both ways, busy, cancelled */
	FAKE_MANY,                   /* 24 calls, 3 of them affected, and a scan that concerns no call */
	FAKE_OUTSIDE,                /* 2 answered calls of which one direction is not visible */
	FAKE_ONE_OUTSIDE,            /* 1 such call, and no finding */
	FAKE_REGISTERED              /* one registration that went well, and no call */
};

#define FAKE_START_NS (INT64_C(1795165961) * SECOND_NS)

const struct engine *fake_engine(enum fake which);
const struct source_file *fake_file(enum fake which);

#endif
