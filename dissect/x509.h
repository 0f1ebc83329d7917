/* SPDX-License-Identifier: MIT */
/* x509: what a certificate says of itself: names, dates, issuer. RFC 5280. Signatures are nobody's business here. */
#ifndef DEADAIR_DISSECT_X509_H
#define DEADAIR_DISSECT_X509_H

#include "captures/base/address.h"

enum { X509_NAME_MAX = 16 };

struct x509 {
	struct span subject, issuer;         /* common name, else organisation; empty: neither */
	bool self_issued;                    /* both names are equal byte by byte: self-signed, most likely */
	int64_t not_before_s, not_after_s;   /* seconds since 1970; INT64_MIN, INT64_MAX where unreadable */
	struct span names[X509_NAME_MAX];    /* DNS names and URIs of subjectAltName */
	unsigned name_count;
	struct address addresses[X509_NAME_MAX];
	unsigned address_count;
};

/* DER of one certificate. False: it is none. Spans into der. */
bool x509_parse(struct span der, struct x509 *ret);
/* RFC 6125 6.4, RFC 5922 7.1: a subjectAltName, else the common name; a wildcard stands for the first label. */
bool x509_covers(const struct x509 *x, struct span name);
bool x509_covers_address(const struct x509 *x, const struct address *a);

#endif
