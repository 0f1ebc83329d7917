/* SPDX-License-Identifier: MIT */
/* known: whether a history knows a finding already, in words. */
#include "ui/known.h"

#include "ui/words.h"

void known_words(struct text *t, const struct baseline *b, const struct view_finding *f)
{
	struct known known = baseline_find(b, f);
	char first[WORDS], last[WORDS], count[WORDS];
	int64_t begin_ns;
	uint64_t runs = baseline_runs(b, &begin_ns);

	if (known.times && known.first_ns != NS_NONE) {
		text_addf(t, "first seen %s", words_minute(known.first_ns, first));
		if (known.times > 1)
			text_addf(t, "; %s since, last %s", words_counted(known.times - 1, "time", count),
				words_minute(known.last_ns, last));
	} else if (runs && begin_ns != NS_NONE) {
		text_addf(t, "new: in none of %s since %s", words_counted(runs, "run", count),
			words_minute(begin_ns, first));
	}
}

void known_short(struct text *t, const struct baseline *b, const struct view_finding *f)
{
	struct known known = baseline_find(b, f);
	char first[WORDS], count[WORDS];
	int64_t begin_ns;

	if (known.times && known.first_ns != NS_NONE)
		text_addf(t, " (first seen %s%s%s%s)", words_minute(known.first_ns, first), known.times > 1 ? "; " : "",
			  known.times > 1 ? words_counted(known.times - 1, "time", count) : "",
			  known.times > 1 ? " since" : "");
	else if (baseline_runs(b, &begin_ns))
		text_add(t, " (not seen before)");
}
