/* SPDX-License-Identifier: MIT */
/*
 * sip_message: one SIP message as flat facts, spans into its bytes (RFC 3261). Made by sip.c in two steps: a first look
 * of our own (always), then libosip2 on single bounded fields (sip_message_judge), whose refusals cost that field only.
 */
#ifndef DEADAIR_DISSECT_SIP_MESSAGE_H
#define DEADAIR_DISSECT_SIP_MESSAGE_H

#include "captures/base/address.h"
#include "captures/base/span.h"

enum sip_method {
	SIP_METHOD_NONE,             /* a response whose CSeq cannot be read */
	SIP_INVITE, SIP_ACK, SIP_BYE, SIP_CANCEL, SIP_REGISTER, SIP_OPTIONS, SIP_PRACK, SIP_UPDATE, SIP_INFO, SIP_REFER,
	SIP_NOTIFY, SIP_SUBSCRIBE, SIP_PUBLISH, SIP_MESSAGE,
	SIP_METHOD_OTHER             /* any other token */
};

/* Header names that something asks for; compact forms are mapped (RFC 3261 7.3.3 and the later ones). */
enum sip_header_name {
	SIP_H_OTHER,
	SIP_H_VIA, SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID, SIP_H_CSEQ, SIP_H_CONTACT, SIP_H_CONTENT_TYPE,
	SIP_H_CONTENT_LENGTH,
	SIP_H_CONTENT_ENCODING, SIP_H_ROUTE, SIP_H_RECORD_ROUTE, SIP_H_MAX_FORWARDS, SIP_H_EXPIRES, SIP_H_MIN_EXPIRES,
	SIP_H_USER_AGENT,
	SIP_H_SERVER, SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION, SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE,
	SIP_H_AUTHENTICATION_INFO, SIP_H_REQUIRE, SIP_H_SUPPORTED, SIP_H_RSEQ, SIP_H_RACK, SIP_H_EVENT,
	SIP_H_SUBSCRIPTION_STATE,
	SIP_H_REFER_TO, SIP_H_REFERRED_BY, SIP_H_REPLACES, SIP_H_JOIN, SIP_H_TARGET_DIALOG, SIP_H_SESSION_ID,
	SIP_H_SESSION_EXPIRES,
	SIP_H_MIN_SE, SIP_H_REASON, SIP_H_RETRY_AFTER, SIP_H_WARNING, SIP_H_P_ASSERTED_IDENTITY, SIP_H_P_EARLY_MEDIA,
	SIP_H_P_CHARGING_VECTOR, SIP_H_DIVERSION, SIP_H_HISTORY_INFO, SIP_H_ALLOW, SIP_H_SUBJECT, SIP_H_PATH,
	SIP_H_SERVICE_ROUTE,
	SIP_H_IDENTITY,
	SIP_H_COUNT
};

enum { SIP_HEADER_MAX = 256 };

struct sip_header {
	enum sip_header_name name;
	struct span name_text;       /* as on the wire */
	struct span value;           /* trimmed; folded lines still hold their CRLF and blanks */
};

/* Name-addr or addr-spec of From, To, Contact, Refer-To ...; empty spans where absent. */
struct sip_address {
	struct span whole;
	struct span display;         /* without quotes */
	struct span uri;             /* without < > and header parameters */
	struct span scheme;          /* "sip", "sips", "tel" */
	struct span user;            /* of tel: the number */
	struct span host;            /* without brackets */
	uint16_t port;               /* 0: none given, see has_port */
	bool has_port;
	struct span tag;             /* header parameter */
	struct span uri_params;      /* behind host:port, without the leading ; */
	struct span params;          /* header parameters, without the leading ; */
};

struct sip_via {
	struct span whole;
	struct span transport;       /* "UDP" */
	struct span host;            /* sent-by, without brackets */
	uint16_t port;
	bool has_port;
	struct span branch, received, rport;  /* rport: value; has_rport also without value (RFC 3581) */
	bool has_rport, has_received;
	struct address at, received_at;      /* host, received; family 0: no address, a name */
};

/* bits of sip_message.flaws: what the message gets wrong; evidence for sip-malformed */
enum sip_flaw {
	SIP_FLAW_CONTENT_LENGTH_LONG = 1 << 0,  /* says more than there is */
	SIP_FLAW_CONTENT_LENGTH_SHORT = 1 << 1, /* datagram holds more */
	SIP_FLAW_CONTENT_LENGTH_BAD = 1 << 2,   /* not a number, twice different */
	SIP_FLAW_NO_CALL_ID = 1 << 3,
	SIP_FLAW_NO_CSEQ = 1 << 4,              /* absent or unreadable */
	SIP_FLAW_NO_FROM = 1 << 5,
	SIP_FLAW_NO_TO = 1 << 6,
	SIP_FLAW_NO_VIA = 1 << 7,
	SIP_FLAW_START_LINE = 1 << 8,           /* read, but against the grammar */
	SIP_FLAW_HEADER_LINE = 1 << 9,          /* a line without colon, NUL, bad line ends */
	/* From, To, Call-ID, CSeq, Content-Type, -Length, Max-Forwards twice: the first counts */
	SIP_FLAW_DOUBLE_HEADER = 1 << 10,
	SIP_FLAW_TOO_MUCH = 1 << 11,            /* caps reached: not everything was looked at */
	SIP_FLAW_ADDRESS = 1 << 12,             /* libosip2 refuses From, To or Contact */
	SIP_FLAW_VIA = 1 << 13,
	SIP_FLAW_URI = 1 << 14,
	SIP_FLAW_CSEQ_METHOD = 1 << 15,         /* differs from the start line's */
	/* the capture (snap length), not the sender, ended it, perhaps in the headers */
	SIP_FLAW_BODY_CUT = 1 << 16,
	SIP_FLAW_ROUTE = 1 << 17,               /* Route or Record-Route without < > or host */
	SIP_FLAW_CREDENTIALS = 1 << 18,         /* Digest credentials that cannot be read */
	SIP_FLAW_HEADERS_CUT = 1 << 19          /* with BODY_CUT: in the headers; one that was not seen is not absent */
};

/*
 * hash_bytes() of what names a message, reckoned once: two dozen tables find something by these. They follow from the
 * spans of the same name: who changes those calls sip_message_keys().
 */
struct sip_keys {
	uint64_t call_id, branch, from_tag, to_tag;
	bool cookie;                 /* the branch begins with z9hG4bK: it is unique, RFC 3261 8.1.1.7 */
};

struct sip_message {
	struct span bytes;           /* start line to the end of the body */
	bool request;
	enum sip_method method;      /* of the request, or of the CSeq of a response */
	struct span method_text;
	struct span uri;             /* request */
	struct sip_address request_uri;
	/* response: 100-699; 0 in requests, and where it is no such number (SIP_FLAW_START_LINE) */
	unsigned status;
	struct span reason;
	uint32_t flaws;

	struct span call_id;
	bool has_cseq;
	uint32_t cseq;
	struct span cseq_method;
	struct sip_address from, to, contact;   /* contact: the first; whole empty: none */
	bool contact_star;
	unsigned contact_count;
	struct sip_via via;          /* topmost */
	unsigned via_count;          /* values, not lines */
	bool has_expires, has_content_length, has_max_forwards;
	uint32_t expires_s;          /* Contact's expires parameter, else the header's */
	uint32_t content_length;     /* as the wire says */
	uint32_t max_forwards;
	struct span content_type;    /* without parameters */
	struct span body;            /* all of it */
	size_t surplus;              /* bytes behind it that Content-Length leaves out, SIP_FLAW_CONTENT_LENGTH_SHORT */
	struct span sdp;             /* application/sdp, also out of multipart; empty: none */
	struct span user_agent;      /* or Server */
	struct sip_keys keys;

	/* of the table: a bit for each name that it has, that it has more than once; where the first of them stands */
	uint64_t names, names_again;
	unsigned header_count;
	uint8_t first[SIP_H_COUNT];
	struct sip_header headers[SIP_HEADER_MAX];      /* last: most of it is not touched */
};

/* The first such header, and the next of the same name behind one; NULL none. */
const struct sip_header *sip_header_find(const struct sip_message *m, enum sip_header_name name);
const struct sip_header *sip_header_next(const struct sip_message *m, const struct sip_header *after);
/* Value of the header or an empty span. */
struct span sip_header_value(const struct sip_message *m, enum sip_header_name name);
/* Does a comma list such as Require hold the token? All lines of that name are looked at. */
bool sip_header_lists(const struct sip_message *m, enum sip_header_name name, struct span token);
/* Value of ";name=value" in a parameter list, unquoted; false: absent. *ret_value empty when there is no value. */
bool sip_parameter(struct span params, struct span name, struct span *ret_value);
/* The i-th Via from the top (0 is topmost, 63 the last one looked at); false: fewer, or unreadable. */
bool sip_via_at(const struct sip_message *m, unsigned i, struct sip_via *ret);
bool sip_address_parse(struct span value, struct sip_address *ret);
const char *sip_method_name(enum sip_method method);

/* ---- sip.c: making them ---- */

/*
 * Could these bytes begin a SIP message? A request line or status line; leading CRLFs (RFC 3261 7.5) are skipped.
 * Cheap.
 */
bool sip_looks_like(struct span bytes);

/*
 * First look at one message in a datagram. wire: what the sender sent (a cut body is SIP_FLAW_BODY_CUT, not a lie of
 * Content-Length). False: no SIP message. Linear in the bytes; never reads past them.
 */
bool sip_message_parse(struct span bytes, size_t wire, struct sip_message *ret);

void sip_message_keys(struct sip_message *m);

/*
 * Stream framing (TCP, TLS, WebSocket after unmasking): length of the first complete message in bytes, RFC 3261 18.3;
 * 0: more is needed; SIZE_MAX: this is no SIP. *ret_skip: CRLF keepalives in front (RFC 5626), the message begins
 * behind them and its length is without them. Without Content-Length, or with one that is unreadable or above 1 MiB,
 * the body is empty: what follows is then found to be no SIP.
 */
size_t sip_message_frame(struct span bytes, size_t *ret_skip);

/*
 * The same for a caller who comes again with more bytes behind the same beginning: nothing is searched twice. Zeroed
 * for each message.
 */
struct sip_framing {
	size_t searched;             /* no end of headers up to here, counted from the start line */
	size_t length;               /* 0 not yet known */
};

size_t sip_framing_next(struct sip_framing *f, struct span bytes, size_t *ret_skip);

/*
 * Second look: libosip2 judges From, To, Contact, Via, Request-URI, each bounded and alone; sets flaws. Call
 * sip_start() once before.
 */
void sip_message_judge(struct sip_message *m);

/* Once per process, before threads: libosip2 initialised and made silent on stdout. */
void sip_start(void);

#endif
