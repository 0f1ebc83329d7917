/* SPDX-License-Identifier: MIT */
/* fuzz_tls: any bytes as TLS and DTLS records; the first byte: how much the capture lacks. */
#include <assert.h>

#include "dissect/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct span s, struct span bytes)
{
	assert(s.n == 0 || (s.p >= bytes.p && s.p + s.n <= bytes.p + bytes.n));
}

/* Records one after the other: each moves the cursor, so that this ends. */
static void records_read(struct cursor c, bool (*parse)(struct cursor *c, struct tls_record *out))
{
	struct span bytes = c.left;
	size_t left = c.wire + 1;
	struct tls_record r;

	while (parse(&c, &r)) {
		assert(c.wire < left);
		left = c.wire;
		inside(r.server_name, bytes);
		inside(r.alpn, bytes);
		inside(r.certificate, bytes);
		assert(r.alert_level <= 2);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = { data + 1, size - 1 };

	if (size == 0)
		return 0;
	records_read(cursor_over(s, s.n + data[0] % 64), tls_parse);
	records_read(cursor_over(s, s.n + data[0] % 64), dtls_parse);
	return 0;
}
