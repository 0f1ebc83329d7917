/* SPDX-License-Identifier: MIT */
/* srtp_check: with libsrtp2. Built without it (configure) srtp_check_none.c stands for this file. */
#include "dissect/srtp_check.h"

#ifdef DEADAIR_SRTP
#include <arpa/inet.h>
#include <srtp2/srtp.h>
#include <stdlib.h>

#include "captures/base/memory.h"

enum { ROC_BITS = 16, TAG_SHORT = 4, TAG_LONG = 10 };

/*
 * A session keeps which packets it has seen and would refuse one that is older. Without a stream of its own a session
 * takes a packet for one of rollover count 0 and keeps nothing if it fits not; the stream that a fitting one makes is
 * removed. Other counts are told to a stream that exists; it is made anew before a packet that is older than one that
 * has fitted.
 */
struct srtp_check {
	struct sdp_crypto key;
	uint32_t ssrc;
	srtp_t first;                /* count 0 */
	srtp_t later;                /* NULL not asked for yet */
	uint64_t later_index;        /* of the last packet that fitted there */
	bool later_used;
};

/* The one thing that outlives a check: the library wants to be set up once a process, which takes it 80 ms. */
static bool library_ready(void)
{
	static enum { UNTRIED, READY, FAILED } state;

	if (state == UNTRIED)
		state = srtp_init() == srtp_err_status_ok ? READY : FAILED;
	return state == READY;
}

const char *srtp_check_library(void)
{
	return srtp_get_version_string();
}

static bool suite_policy(enum sdp_suite suite, srtp_crypto_policy_t *ret)
{
	switch (suite) {
	case SDP_SUITE_AES_128_80:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(ret);
		return true;
	case SDP_SUITE_AES_128_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(ret);
		return true;
	case SDP_SUITE_AES_256_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(ret);
		return true;
	case SDP_SUITE_AES_256_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(ret);
		return true;
	case SDP_SUITE_GCM_128:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(ret);
		return true;
	case SDP_SUITE_GCM_256:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(ret);
		return true;
	case SDP_SUITE_OTHER:
		break;
	}
	return false;
}

static bool is_aead(enum sdp_suite suite)
{
	return suite == SDP_SUITE_GCM_128 || suite == SDP_SUITE_GCM_256;
}

/* any: of whatever SSRC comes; else a stream of this one stands from the beginning. */
static srtp_t session_new(struct srtp_check *c, bool any)
{
	srtp_policy_t policy = { .ssrc = { any ? ssrc_any_inbound : ssrc_specific, any ? 0 : c->ssrc } };
	enum sdp_suite suite = (enum sdp_suite)c->key.suite;
	srtp_t session;

	if (!suite_policy(suite, &policy.rtp))
		return NULL;
	policy.rtcp = policy.rtp;
	if (!is_aead(suite))
		policy.rtp.sec_serv = sec_serv_auth;
	policy.key = c->key.key;
	return srtp_create(&session, &policy) == srtp_err_status_ok ? session : NULL;
}

struct srtp_check *srtp_check_new(const struct sdp_crypto *key, uint32_t ssrc)
{
	struct srtp_check *c;

	if (key->untestable || !library_ready())
		return NULL;
	c = memory_zalloc(sizeof *c);
	c->key = *key;
	c->ssrc = ssrc;
	c->first = session_new(c, true);
	if (c->first)
		return c;
	srtp_check_free(c);
	return NULL;
}

static void session_free(srtp_t session)
{
	if (session)
		srtp_dealloc(session);
}

void srtp_check_free(struct srtp_check *c)
{
	if (!c)
		return;
	session_free(c->first);
	session_free(c->later);
	explicit_bzero(&c->key, sizeof c->key);
	free(c);
}

static enum srtp_fit fit_of(srtp_err_status_t status)
{
	if (status == srtp_err_status_ok)
		return SRTP_FITS;
	return status == srtp_err_status_auth_fail ? SRTP_FITS_NOT : SRTP_CANNOT_TELL;
}

static enum srtp_fit first_check(struct srtp_check *c, uint8_t *bytes, int n)
{
	enum srtp_fit fit = fit_of(srtp_unprotect(c->first, bytes, &n));

	/* it takes the SSRC in network order, unlike the policy */
	if (fit == SRTP_FITS && srtp_remove_stream(c->first, htonl(c->ssrc)) != srtp_err_status_ok) {
		session_free(c->first);
		c->first = session_new(c, true);
	}
	return fit;
}

static enum srtp_fit later_check(struct srtp_check *c, uint8_t *bytes, int n, uint64_t index)
{
	enum srtp_fit fit;

	if (c->later && c->later_used && index <= c->later_index) {
		session_free(c->later);
		c->later = NULL;
	}
	if (!c->later) {
		c->later = session_new(c, false);
		c->later_used = false;
	}
	if (!c->later || srtp_set_stream_roc(c->later, c->ssrc, (uint32_t)(index >> ROC_BITS)) != srtp_err_status_ok)
		return SRTP_CANNOT_TELL;
	fit = fit_of(srtp_unprotect(c->later, bytes, &n));
	if (fit == SRTP_FITS) {
		c->later_used = true;
		c->later_index = index;
	}
	return fit;
}

/* mki_bytes: so many are left out that stand before the tag, or behind that of AEAD. */
static enum srtp_fit check_bytes(struct srtp_check *c, struct span packet, uint32_t rollovers, size_t mki_bytes)
{
	_Alignas(uint64_t) uint8_t bytes[SRTP_CHECK_BYTES];
	enum sdp_suite suite = (enum sdp_suite)c->key.suite;
	bool short_tag = suite == SDP_SUITE_AES_128_32 || suite == SDP_SUITE_AES_256_32;
	size_t tag = is_aead(suite) ? 0 : short_tag ? TAG_SHORT : TAG_LONG, n = packet.n - mki_bytes;
	uint16_t seq = (uint16_t)(packet.p[2] << 8 | packet.p[3]);

	memcpy(bytes, packet.p, n - tag);
	memcpy(bytes + n - tag, packet.p + packet.n - tag, tag);
	if (rollovers == 0)
		return c->first ? first_check(c, bytes, (int)n) : SRTP_CANNOT_TELL;
	return later_check(c, bytes, (int)n, (uint64_t)rollovers << ROC_BITS | seq);
}

enum srtp_fit srtp_check_packet(struct srtp_check *c, struct span packet, uint32_t rollovers)
{
	enum { RTP_FIXED = 12, TAG_MOST = 16 };
	size_t mki = c->key.mki_bytes;
	enum srtp_fit fit;

	if (packet.n > SRTP_CHECK_BYTES)
		return SRTP_CANNOT_TELL;
	if (packet.n < RTP_FIXED + TAG_MOST + mki)
		return SRTP_CANNOT_TELL;
	fit = check_bytes(c, packet, rollovers, mki);
	return fit == SRTP_FITS_NOT && mki ? check_bytes(c, packet, rollovers, 0) : fit;
}
#endif
