/* SPDX-License-Identifier: MIT */
/*
 * ends: which side of the site an address is on: its own, a provider's, a user's elsewhere. By the profile, else by
 * what was seen; what neither tells stays unknown, and nothing may rest on it.
 */
#ifndef DEADAIR_ANALYZER_ENDS_H
#define DEADAIR_ANALYZER_ENDS_H

#include "analyzer/detect/detector.h"

enum end {
	END_UNKNOWN,                 /* strangers too */
	/* of the site: its networks, servers, public addresses, the machine or router the capture was taken at */
	END_OWN,
	END_REMOTE,                  /* a user of the site whose registration came from elsewhere */
	END_PROVIDER                 /* outside, and takes or brings calls */
};

struct ends;

/* facts are lent for its life. */
struct ends *ends_new(const struct facts *facts);
void ends_free(struct ends *e);
enum end end_of(const struct ends *e, const struct address *a);
/* Is it a provider by the profile? Else its being one is concluded from its calls. */
bool end_named(const struct ends *e, const struct address *a);
/* Six digits and more, or a plus: no extension. */
bool end_outside_number(struct span user);

#endif
