/* SPDX-License-Identifier: MIT */
/* fuzz_rtcp: any bytes as RTCP and as RTP; the first byte: how much the capture lacks. */
#include <assert.h>

#include "dissect/rtcp.h"
#include "dissect/rtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rtcp_compound r;
	struct rtp_header h;
	struct span s = { data + 1, size - 1 };
	struct cursor c;

	if (size == 0)
		return 0;
	c = cursor_over(s, s.n + data[0] % 64);
	if (rtcp_parse(&c, &r)) {
		assert(r.block_count <= RTCP_REPORT_MAX && r.bye_count <= RTCP_BYE_MAX);
		assert(!r.encrypted || (r.block_count == 0 && r.cname.n == 0 && !r.has_bye));
		assert(r.cname.n == 0 || (r.cname.p > s.p && r.cname.p + r.cname.n <= s.p + s.n));
	}
	c = cursor_over(s, s.n + data[0] % 64);
	if (rtp_parse(&c, &h)) {
		assert(h.payload.n <= h.payload_wire && h.payload_wire <= s.n + data[0] % 64);
		assert(h.payload.p + h.payload.n <= s.p + s.n);
	}
	return 0;
}
