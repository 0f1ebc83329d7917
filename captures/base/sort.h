/* SPDX-License-Identifier: MIT */
/* sort: qsort(3) for lists that mostly stand in order already: then they are looked through once and left alone. */
#ifndef DEADAIR_BASE_SORT_H
#define DEADAIR_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* items may be NULL where count is 0. Equal ones stay in the order in which they stood, as far as qsort(3) does so. */
void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *));

/* How many of the sorted times are that one or before it. */
size_t sorted_times_until(const int64_t *times, size_t count, int64_t at_ns);

#endif
