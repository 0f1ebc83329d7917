/* SPDX-License-Identifier: MIT */
/* json_from: values of JSON from ours; unknown is null, never a guess. Each is the caller's, and valid UTF-8. */
#ifndef DEADAIR_UI_JSON_FROM_H
#define DEADAIR_UI_JSON_FROM_H

#include <jansson.h>

#include "captures/base/address.h"
#include "captures/base/ns.h"
#include "ui/out.h"

json_t *from_span(struct span s);                    /* packet bytes, escaped; NULL is unknown */
json_t *from_name(struct span s);                    /* the same; empty is unknown */
json_t *from_text(const char *text);                 /* of ours; if not UTF-8 after all, escaped like a span */
json_t *from_stored(struct span s);                  /* text of a history, which has it escaped; empty is unknown */
json_t *from_count(uint64_t n);
json_t *from_number_or_null(unsigned n);             /* 0 is unknown */
json_t *from_decimal(double value);                  /* three decimals: the last bits of a sum are nobody's business */
json_t *from_known(double value);                    /* the same; negative is unknown, as in the views */
json_t *from_time(int64_t at_ns);                    /* RFC 3339 in UTC; NS_NONE is unknown */
json_t *from_address(const struct address *a);
json_t *from_endpoint(const struct endpoint *e);
json_t *from_texts(const char *const *texts, size_t count);
json_t *from_numbers(const unsigned *numbers, size_t count);
json_t *from_ports(const uint16_t *ports, size_t count);
json_t *from_spans(const struct span *spans, size_t count);

/* An object with its type; and such an object printed as a line, its fractions with so many digits, and freed. */
json_t *json_line(const char *type);
void json_print(struct out *out, json_t *line, unsigned digits);
enum { JSON_EXACT = 15 };

#endif
