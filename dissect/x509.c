/* SPDX-License-Identifier: MIT */
/* x509: DER (X.690) as far as a certificate's own words go; each element is read within its parent. */
#include "dissect/x509.h"

#include "captures/base/cursor.h"

enum {
	DER_BOOLEAN = 0x01, DER_OCTETS = 0x04, DER_OID = 0x06, DER_UTC_TIME = 0x17, DER_TIME = 0x18,
		DER_SEQUENCE = 0x30, DER_SET = 0x31,
	DER_EXPLICIT_0 = 0xa0, DER_EXPLICIT_3 = 0xa3,
	NAME_DNS = 0x82, NAME_URI = 0x86, NAME_ADDRESS = 0x87
};
enum { LIST_MAX = 128 };             /* attributes, extensions, names that are looked at */

static const uint8_t oid_common_name[] = { 0x55, 0x04, 0x03 }, oid_organisation[] = { 0x55, 0x04, 0x0a },
	oid_alt_name[] = { 0x55, 0x1d, 0x11 };

/* The next element: tag and content. False: none, or its length lies. */
static bool der_next(struct span *s, uint8_t *ret_tag, struct span *ret)
{
	struct cursor c = cursor_over(*s, s->n);
	uint8_t tag = cursor_u8(&c), first = cursor_u8(&c);
	size_t n = first;

	if (first & 0x80) {
		n = 0;
		if ((first & 0x7f) > 3)
			return false;
		for (unsigned i = 0; i < (first & 0x7fu); i++)
			n = n << 8 | cursor_u8(&c);
	}
	*ret = cursor_take(&c, n);
	if (c.state != CURSOR_OK)
		return false;
	*ret_tag = tag;
	*s = c.left;
	return true;
}

static bool der_want(struct span *s, uint8_t tag, struct span *ret)
{
	uint8_t found;

	return der_next(s, &found, ret) && found == tag;
}

static bool oid_is(struct span s, const uint8_t oid[3])
{
	return s.n == 3 && memcmp(s.p, oid, 3) == 0;
}

/* The last common name, as it is the most specific one; without any the organisation. */
static struct span name_read(struct span name)
{
	struct span common = SPAN_NONE, organisation = SPAN_NONE, set, attribute, oid, value;
	uint8_t tag;

	for (unsigned i = 0; i < LIST_MAX && der_want(&name, DER_SET, &set); i++) {
		if (!der_want(&set, DER_SEQUENCE, &attribute) || !der_want(&attribute, DER_OID, &oid) ||
		    !der_next(&attribute, &tag, &value))
			continue;
		if (oid_is(oid, oid_common_name))
			common = value;
		else if (oid_is(oid, oid_organisation))
			organisation = value;
	}
	return common.n ? common : organisation;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400, of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool digits(struct span *s, size_t n, unsigned *ret)
{
	uint64_t value;

	if (s->n < n || !span_number(span_first(*s, n), 9999, &value))
		return false;
	*ret = (unsigned)value;
	*s = span_from(*s, n);
	return true;
}

/* "YYMMDDHHMMSSZ", "YYYYMMDDHHMMSSZ": RFC 5280 4.1.2.5. */
static bool time_read(uint8_t tag, struct span s, int64_t *ret_s)
{
	unsigned year, month, day, hour, minute, second;

	if ((tag != DER_UTC_TIME && tag != DER_TIME) || !digits(&s, tag == DER_TIME ? 4 : 2, &year))
		return false;
	if (tag == DER_UTC_TIME)
		year += year < 50 ? 2000 : 1900;
	if (!digits(&s, 2, &month) || !digits(&s, 2, &day) || !digits(&s, 2, &hour) || !digits(&s, 2, &minute) ||
	    !digits(&s, 2, &second))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 ||
	    !span_equal(s, SPAN("Z")))
		return false;
	*ret_s = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	return true;
}

static void validity_read(struct span validity, struct x509 *x)
{
	struct span text;
	uint8_t tag;

	x->not_before_s = INT64_MIN;
	x->not_after_s = INT64_MAX;
	if (!der_next(&validity, &tag, &text))
		return;
	time_read(tag, text, &x->not_before_s);
	if (der_next(&validity, &tag, &text))
		time_read(tag, text, &x->not_after_s);
}

static void alt_name_add(struct x509 *x, uint8_t tag, struct span value)
{
	if ((tag == NAME_DNS || tag == NAME_URI) && x->name_count < X509_NAME_MAX)
		x->names[x->name_count++] = value;
	else if (tag == NAME_ADDRESS && value.n == 4 && x->address_count < X509_NAME_MAX)
		x->addresses[x->address_count++] = address_v4(value.p);
	else if (tag == NAME_ADDRESS && value.n == 16 && x->address_count < X509_NAME_MAX)
		x->addresses[x->address_count++] = address_v6(value.p);
}

static void extensions_read(struct span all, struct x509 *x)
{
	struct span list, one, oid, value, names, name;
	uint8_t tag;

	if (!der_want(&all, DER_SEQUENCE, &list))
		return;
	for (unsigned i = 0; i < LIST_MAX && der_want(&list, DER_SEQUENCE, &one); i++) {
		if (!der_want(&one, DER_OID, &oid) || !der_next(&one, &tag, &value))
			return;
		if (tag == DER_BOOLEAN && !der_next(&one, &tag, &value))
			return;
		if (!oid_is(oid, oid_alt_name) || tag != DER_OCTETS || !der_want(&value, DER_SEQUENCE, &names))
			continue;
		for (unsigned k = 0; k < LIST_MAX && der_next(&names, &tag, &name); k++)
			alt_name_add(x, tag, name);
	}
}

bool x509_parse(struct span der, struct x509 *ret)
{
	struct span certificate, body, serial, skip, issuer, validity, subject, part;
	struct x509 x = { .subject = SPAN_NONE };
	uint8_t tag;

	if (!der_want(&der, DER_SEQUENCE, &certificate) || !der_want(&certificate, DER_SEQUENCE, &body) ||
	    !der_next(&body, &tag, &serial))
		return false;
	if (tag == DER_EXPLICIT_0 && !der_next(&body, &tag, &serial))   /* the version stood in front */
		return false;
	if (!der_want(&body, DER_SEQUENCE, &skip) || !der_want(&body, DER_SEQUENCE, &issuer) ||
	    !der_want(&body, DER_SEQUENCE, &validity) ||
	    !der_want(&body, DER_SEQUENCE, &subject) || !der_want(&body, DER_SEQUENCE, &skip))
		return false;
	x.issuer = name_read(issuer);
	x.subject = name_read(subject);
	x.self_issued = issuer.n > 0 && span_equal(issuer, subject);
	validity_read(validity, &x);
	while (der_next(&body, &tag, &part)) {
		if (tag == DER_EXPLICIT_3)
			extensions_read(part, &x);
	}
	*ret = x;
	return true;
}

static bool name_matches(struct span pattern, struct span name)
{
	size_t dot;

	if (span_starts_nocase(pattern, SPAN("sip:")))
		pattern = span_from(pattern, 4);
	if (!span_starts(pattern, SPAN("*.")))
		return span_equal_nocase(pattern, name);
	dot = span_find(name, '.');
	return dot > 0 && dot < name.n && span_equal_nocase(span_from(pattern, 1), span_from(name, dot));
}

bool x509_covers(const struct x509 *x, struct span name)
{
	for (unsigned i = 0; i < x->name_count; i++) {
		if (name_matches(x->names[i], name))
			return true;
	}
	return x->name_count == 0 && name_matches(x->subject, name);
}

bool x509_covers_address(const struct x509 *x, const struct address *a)
{
	for (unsigned i = 0; i < x->address_count; i++) {
		if (address_equal(&x->addresses[i], a))
			return true;
	}
	return false;
}
