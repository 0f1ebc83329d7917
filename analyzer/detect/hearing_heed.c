/* SPDX-License-Identifier: MIT */
/*
 * hearing_heed: audio arrives, and a finding says that it is noise, silence or full of holes: nobody hears that well.
 */
#include <stdio.h>
#include <string.h>

#include "analyzer/detect/hearing.h"
#include "analyzer/detect/lookup.h"

static bool spoils_audio(const struct finding *f)
{
	static const char *const ids[] = { "srtp-broken", "codec-not-agreed", "audio-silent", "audio-interrupted",
		"audio-missing-after-hold", "audio-missing-after-transfer", "rtp-loss", "rtp-jitter" };

	if (f->state == FINDING_WITHDRAWN || f->severity < SEVERITY_WARNING || f->confidence < CONFIDENCE_LIKELY)
		return false;
	for (unsigned i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		if (strcmp(f->id, ids[i]) == 0)
			return true;
	}
	return false;
}

void hearing_heed(const struct facts *facts)
{
	LIST_EACH(it, findings_in_order(facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		const struct direction *d = f->direction;
		struct hearing *h = d ? d->hearing : NULL;
		char why[96];

		if (!h || h->heard != HEARD_YES || !spoils_audio(f))
			continue;
		h->heard = HEARD_POOR;
		snprintf(why, sizeof why, "it arrives, but see %s", f->id);
		h->why = arena_text(lookup_arena(facts->lookup), span_of(why));
	}
}
