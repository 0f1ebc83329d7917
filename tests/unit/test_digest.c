/* SPDX-License-Identifier: MIT */
/* test_digest: the published vectors of SipHash-2-4-128, and that pieces make no difference. */
#include "captures/base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void digest_of(const uint8_t *bytes, size_t n, size_t piece, uint8_t ret[DIGEST_BYTES])
{
	struct digest d;

	digest_begin(&d);
	for (size_t at = 0; at < n; at += piece)
		digest_add(&d, (struct span){ bytes + at, n - at < piece ? n - at : piece });
	digest_get(&d, ret);
}

/* vectors.h of the reference implementation, the bytes 00 01 02 ... under the key 00 01 ... 0f. */
static const struct {
	size_t n;
	uint8_t digest[DIGEST_BYTES];
} vectors[] = {
	{ 0, { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 } },
	{ 1, { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 } },
	{ 7, { 0xa1, 0xf1, 0xeb, 0xbe, 0xd8, 0xdb, 0xc1, 0x53, 0xc0, 0xb8, 0x4a, 0xa6, 0x1f, 0xf0, 0x82, 0x39 } },
	{ 8, { 0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61, 0x0f, 0x83, 0xe2, 0x64, 0xf3, 0x14, 0x97, 0xb4 } },
	{ 9, { 0x26, 0x44, 0x99, 0x06, 0x0a, 0xd9, 0xba, 0xab, 0xc4, 0x7f, 0x8b, 0x02, 0xbb, 0x6d, 0x71, 0xed } },
	{ 15, { 0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9 } },
	{ 16, { 0x6e, 0xe2, 0xa4, 0xca, 0x67, 0xb0, 0x54, 0xbb, 0xfd, 0x33, 0x15, 0xbf, 0x85, 0x23, 0x05, 0x77 } },
	{ 63, { 0x51, 0x50, 0xd1, 0x77, 0x2f, 0x50, 0x83, 0x4a, 0x50, 0x3e, 0x06, 0x9a, 0x97, 0x3f, 0xbd, 0x7c } },
};

static void the_published_vectors_hold(void **state)
{
	uint8_t bytes[64], got[DIGEST_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		digest_of(bytes, vectors[i].n, sizeof bytes, got);
		assert_memory_equal(got, vectors[i].digest, DIGEST_BYTES);
	}
}

static void pieces_make_no_difference(void **state)
{
	uint8_t bytes[61], whole[DIGEST_BYTES], got[DIGEST_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37);
	digest_of(bytes, sizeof bytes, sizeof bytes, whole);
	for (size_t piece = 1; piece < sizeof bytes; piece++) {
		digest_of(bytes, sizeof bytes, piece, got);
		assert_memory_equal(got, whole, DIGEST_BYTES);
	}
}

static void a_bit_and_a_length_count(void **state)
{
	uint8_t bytes[16] = { 0 }, zero[DIGEST_BYTES], got[DIGEST_BYTES];

	(void)state;
	digest_of(bytes, 15, 15, zero);
	digest_of(bytes, 16, 16, got);
	assert_memory_not_equal(got, zero, DIGEST_BYTES);
	bytes[14] = 1;
	digest_of(bytes, 15, 15, got);
	assert_memory_not_equal(got, zero, DIGEST_BYTES);
}

static void a_number_is_eight_bytes_lowest_first(void **state)
{
	const uint8_t bytes[8] = { 8, 7, 6, 5, 4, 3, 2, 1 };
	uint8_t expected[DIGEST_BYTES], got[DIGEST_BYTES];
	struct digest d;

	(void)state;
	digest_of(bytes, 8, 8, expected);
	digest_begin(&d);
	digest_number(&d, UINT64_C(0x0102030405060708));
	digest_get(&d, got);
	assert_memory_equal(got, expected, DIGEST_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_vectors_hold),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(a_bit_and_a_length_count),
		cmocka_unit_test(a_number_is_eight_bytes_lowest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
