/* SPDX-License-Identifier: MIT */
/* sort: qsort(3) for lists that mostly stand in order already: then they are looked through once and left alone. */
#ifndef DEADAIR_BASE_SORT_H
#define DEADAIR_BASE_SORT_H

#include <stddef.h>

/* items may be NULL where count is 0. Equal ones stay in the order in which they stood, as far as qsort(3) does so. */
void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *));

#endif
