/* SPDX-License-Identifier: MIT */
/* dns: records of answers; names with pointers (RFC 1035 4.1.4), followed a bounded number of times. */
#include "dissect/dns.h"

#include "captures/base/hash.h"

enum { HEADER = 12, NAME_MAX_BYTES = 255, JUMPS_MAX = 16, QUESTIONS_MAX = 4 };
enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_SRV = 33, CLASS_IN = 1 };
enum { FLAG_ANSWER = 0x8000, CODE_MASK = 0x000f, POINTER = 0xc0 };

struct name {
	char text[NAME_MAX_BYTES + 1];       /* lower case, a dot behind each label */
	size_t n;
};

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

/* Behind the name, from *at on; false: it is broken or cut. */
static bool name_read(struct span all, size_t *at, struct name *ret)
{
	size_t i = *at;
	unsigned jumps = 0;

	ret->n = 0;
	while (i < all.n && all.p[i] != 0) {
		size_t n = all.p[i];

		if (n >= POINTER) {
			if (i + 1 >= all.n || ++jumps > JUMPS_MAX)
				return false;
			if (jumps == 1)
				*at = i + 2;
			i = (n & 0x3f) << 8 | all.p[i + 1];
			continue;
		}
		if (n > 63 || i + 1 + n > all.n || ret->n + n + 1 > NAME_MAX_BYTES)
			return false;
		for (size_t k = 0; k < n; k++)
			ret->text[ret->n++] = lower(all.p[i + 1 + k]);
		ret->text[ret->n++] = '.';
		i += 1 + n;
	}
	if (i >= all.n)
		return false;
	if (jumps == 0)
		*at = i + 1;
	return true;
}

static uint64_t name_hash(const struct name *name)
{
	return hash_bytes(name->text, name->n);
}

static bool kind_of(const struct name *owner, enum dns_kind *ret)
{
	static const struct { const char *prefix; enum dns_kind kind; } kinds[] = {
		{ "_sip._udp.", DNS_SIP_UDP }, { "_sip._tcp.", DNS_SIP_TCP }, { "_sips._tcp.", DNS_SIPS },
	};
	struct span text = { (const uint8_t *)owner->text, owner->n };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (span_starts(text, span_of(kinds[i].prefix))) {
			*ret = kinds[i].kind;
			return true;
		}
	}
	return false;
}

static unsigned u16_at(struct span s, size_t at)
{
	return (unsigned)s.p[at] << 8 | s.p[at + 1];
}

/* One record, *at behind it; false: broken or cut. */
static bool record_read(struct span all, size_t *at, struct dns_answer *ret)
{
	struct dns_record r = { .kind = DNS_ADDRESS };
	struct name owner, target;
	unsigned type, class;
	size_t length, data;

	if (!name_read(all, at, &owner) || *at + 10 > all.n)
		return false;
	type = u16_at(all, *at);
	class = u16_at(all, *at + 2);
	length = u16_at(all, *at + 8);
	data = *at + 10;
	if (data + length > all.n)
		return false;
	*at = data + length;
	if (class != CLASS_IN || ret->count == DNS_RECORDS)
		return true;
	r.owner = name_hash(&owner);
	if ((type == TYPE_A && length == 4) || (type == TYPE_AAAA && length == 16)) {
		r.addr = type == TYPE_A ? address_v4(all.p + data) : address_v6(all.p + data);
	} else if (type == TYPE_SRV && length > 6 && kind_of(&owner, &r.kind)) {
		data += 6;
		if (!name_read(all, &data, &target))
			return false;
		r.target = name_hash(&target);
		if (target.n == 0)
			return true;         /* "." means that there is none */
	} else {
		return true;
	}
	ret->records[ret->count++] = r;
	return true;
}

bool dns_answer_parse(struct span payload, struct dns_answer *ret)
{
	size_t at = HEADER;
	unsigned records;
	struct name name;

	ret->count = 0;
	if (payload.n < HEADER || !(u16_at(payload, 2) & FLAG_ANSWER) || u16_at(payload, 2) & CODE_MASK ||
	    u16_at(payload, 4) > QUESTIONS_MAX)
		return false;
	for (unsigned i = u16_at(payload, 4); i > 0; i--) {
		if (!name_read(payload, &at, &name))
			return false;
		at += 4;
	}
	records = u16_at(payload, 6) + u16_at(payload, 8) + u16_at(payload, 10);
	for (unsigned i = 0; i < records && record_read(payload, &at, ret); i++)
		continue;
	return ret->count > 0;
}
