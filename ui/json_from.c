/* SPDX-License-Identifier: MIT */
/* json_from: values of JSON from ours; unknown is null, never a guess. */
#include "ui/json_from.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "captures/base/text.h"
#include "ui/history_list.h"

json_t *from_span(struct span s)
{
	struct text t;
	json_t *value;

	if (!s.p)
		return json_null();
	text_init(&t);
	text_add_escaped(&t, s);
	value = json_string(t.p);
	text_fini(&t);
	return value;
}

json_t *from_name(struct span s)
{
	return s.n ? from_span(s) : json_null();
}

json_t *from_text(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();

	return value ? value : from_span(span_of(text));
}

json_t *from_stored(struct span s)
{
	struct text t;
	json_t *value;

	if (!s.n)
		return json_null();
	text_init(&t);
	history_text(&t, s);
	value = json_stringn(t.p, t.n);
	text_fini(&t);
	return value;
}

json_t *from_count(uint64_t n)
{
	return json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX);
}

json_t *from_number_or_null(unsigned n)
{
	return n ? json_integer(n) : json_null();
}

json_t *from_decimal(double value)
{
	return isfinite(value) ? json_real(round(value * 1000) / 1000 + 0.0) : json_null();
}

json_t *from_known(double value)
{
	return value >= 0 ? from_decimal(value) : json_null();
}

json_t *from_time(int64_t at_ns)
{
	char buffer[NS_TEXT];

	return at_ns == NS_NONE ? json_null() : json_string(ns_rfc3339(at_ns, buffer));
}

json_t *from_address(const struct address *a)
{
	char buffer[ADDRESS_TEXT];

	return address_known(a) ? json_string(address_text(a, buffer)) : json_null();
}

json_t *from_endpoint(const struct endpoint *e)
{
	char buffer[ENDPOINT_TEXT];

	return address_known(&e->addr) ? json_string(endpoint_text(e, buffer)) : json_null();
}

json_t *from_texts(const char *const *texts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, from_text(texts[i]));
	return list;
}

json_t *from_numbers(const unsigned *numbers, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(numbers[i]));
	return list;
}

json_t *from_ports(const uint16_t *ports, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_integer(ports[i]));
	return list;
}

json_t *from_spans(const struct span *spans, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, from_span(spans[i]));
	return list;
}

json_t *json_line(const char *type)
{
	json_t *line = json_object();

	json_object_set_new(line, "type", json_string(type));
	return line;
}

void json_print(struct out *out, json_t *line, unsigned digits)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(digits));

	json_decref(line);
	assert(text);                   /* everything in a line has been made valid above, and allocation never fails */
	out_bytes(out, text, strlen(text));
	out_bytes(out, "\n", 1);
	free(text);
}
