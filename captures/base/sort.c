/* SPDX-License-Identifier: MIT */
/* sort: a look before the work. */
#include "captures/base/sort.h"

#include <stdlib.h>

void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	const char *at = items;

	for (size_t i = 1; i < count; i++, at += size) {
		if (compare(at, at + size) > 0) {
			qsort(items, count, size, compare);
			return;
		}
	}
}

size_t sorted_times_until(const int64_t *times, size_t count, int64_t at_ns)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (times[middle] <= at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
