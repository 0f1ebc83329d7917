/* SPDX-License-Identifier: MIT */
/* fuzz_stun: any bytes as STUN, ICMP and ICMPv6; the first byte: how much the capture lacks. */
#include <assert.h>

#include "dissect/icmp.h"
#include "dissect/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct span s, struct span bytes)
{
	assert(s.n == 0 || (s.p >= bytes.p && s.p + s.n <= bytes.p + bytes.n));
}

static void icmp_check(struct cursor c, bool v6)
{
	struct span bytes = c.left;
	struct icmp_message m;

	if (!icmp_parse(&c, v6, &m))
		return;
	inside(m.quote_payload, bytes);
	assert(!m.quote_readable || (m.error && m.quote_src.addr.family && m.quote_dst.addr.family));
}

static void stun_check(struct cursor c)
{
	struct span bytes = c.left;
	struct stun_message m;

	if (!stun_parse(&c, &m))
		return;
	inside(m.username, bytes);
	inside(m.data, bytes);
	assert(m.error == 0 || (m.error >= 300 && m.error <= 699));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c;

	if (size == 0)
		return 0;
	c = cursor_over((struct span){ data + 1, size - 1 }, size - 1 + data[0] % 64);
	icmp_check(c, false);
	icmp_check(c, true);
	stun_check(c);
	return 0;
}
