/* SPDX-License-Identifier: MIT */
/* nearest: the known word that somebody may have meant. */
#ifndef DEADAIR_BASE_NEAREST_H
#define DEADAIR_BASE_NEAREST_H

#include "captures/base/span.h"

/* The known word nearest to what was typed, for "no field X: Y?"; NULL none is near. */
const char *nearest_word(struct span typed, const char *const *known, size_t count);

#endif
