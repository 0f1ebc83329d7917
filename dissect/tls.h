/* SPDX-License-Identifier: MIT */
/* tls: records recognised and the readable handshake facts, TLS (RFC 8446, 5246) and DTLS (RFC 6347, 9147). */
#ifndef DEADAIR_DISSECT_TLS_H
#define DEADAIR_DISSECT_TLS_H

#include "captures/base/cursor.h"

struct tls_record {
	uint8_t content;             /* 20 change cipher, 21 alert, 22 handshake, 23 data */
	uint16_t version;            /* of the record */
	/*
	 * type of the first handshake message where it is readable: 1 ClientHello, 2 ServerHello, 11 Certificate; 255
	 * none
	 */
	uint8_t handshake;
	uint8_t alert_level, alert;  /* readable alerts only; level 0 none */
	struct span server_name;     /* SNI of a ClientHello */
	struct span alpn;            /* first protocol of the ALPN of a Client- or ServerHello */
	struct span certificate;     /* DER of the first certificate, when whole in these bytes */
	/* highest that a ClientHello offers, or the one that a ServerHello chose; 0 none */
	uint16_t hello_version;
	/* bits 1 << type of the readable handshake messages; meaningless behind a change of cipher */
	uint32_t messages;
	bool hello_goes_on;          /* DTLS: a later fragment of a ClientHello, nothing else */
	bool certificate_empty;      /* a Certificate message without any */
	size_t length;               /* of the record's payload on the wire */
};

/* The record at the cursor, which moves behind it. False: no record. */
bool tls_parse(struct cursor *c, struct tls_record *out);
bool dtls_parse(struct cursor *c, struct tls_record *out);

#endif
