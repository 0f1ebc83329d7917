/* SPDX-License-Identifier: MIT */
/* wide: products and sums of 128 bits, also where the compiler has no such number (32-bit processors). */
#ifndef DEADAIR_BASE_WIDE_H
#define DEADAIR_BASE_WIDE_H

#include <stdint.h>

struct wide {
	uint64_t low, high;
};

/* a * b by the halves of both. */
static inline struct wide wide_product_of_halves(uint64_t a, uint64_t b)
{
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), left = (a >> 32) * (b & UINT32_MAX);
	uint64_t right = (a & UINT32_MAX) * (b >> 32), middle = (low >> 32) + (left & UINT32_MAX) + (right & UINT32_MAX);

	return (struct wide){ (low & UINT32_MAX) | middle << 32,
		(a >> 32) * (b >> 32) + (left >> 32) + (right >> 32) + (middle >> 32) };
}

/* All 128 bits of a * b. */
static inline struct wide wide_product(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128)a * b;

	return (struct wide){ (uint64_t)product, (uint64_t)(product >> 64) };
#else
	return wide_product_of_halves(a, b);
#endif
}

/* Modulo 2^128. */
static inline struct wide wide_sum(struct wide a, struct wide b)
{
	struct wide sum;

	sum.high = a.high + b.high + __builtin_add_overflow(a.low, b.low, &sum.low);
	return sum;
}

#endif
