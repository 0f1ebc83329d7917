/* SPDX-License-Identifier: MIT */
/* rows: a tag and its bytes, one after the other: a row's tag carries the table, a text's its length. */
#include "analyzer/history/rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/base/text.h"

enum { ROWS_FIRST_ROOM = 4096, TAG_ROW = VALUE_TEXT + 1 };

void rows_init(struct rows *r)
{
	*r = (struct rows){ memory_zalloc(ROWS_FIRST_ROOM), 0, ROWS_FIRST_ROOM, 0 };
}

void rows_fini(struct rows *r)
{
	free(r->bytes);
	*r = (struct rows){ NULL, 0, 0, 0 };
}

void rows_clear(struct rows *r)
{
	r->n = r->count = 0;
}

static void add(struct rows *r, const void *bytes, size_t n)
{
	if (n > r->room - r->n) {
		while (n > r->room - r->n)
			r->room *= 2;
		r->bytes = memory_resize(r->bytes, r->room, 1);
	}
	if (n)
		memcpy(r->bytes + r->n, bytes, n);
	r->n += n;
}

static void add_tag(struct rows *r, unsigned tag)
{
	uint8_t byte = (uint8_t)tag;

	add(r, &byte, 1);
}

void row_begin(struct rows *r, enum row_table table)
{
	add_tag(r, TAG_ROW);
	add_tag(r, table);
	r->count++;
}

void row_null(struct rows *r)
{
	add_tag(r, VALUE_NULL);
}

void row_integer(struct rows *r, int64_t value)
{
	add_tag(r, VALUE_INTEGER);
	add(r, &value, sizeof value);
}

void row_real(struct rows *r, double value)
{
	if (!isfinite(value)) {
		row_null(r);
		return;
	}
	add_tag(r, VALUE_REAL);
	add(r, &value, sizeof value);
}

static void add_text(struct rows *r, const char *text, size_t n)
{
	uint64_t length = n;

	add_tag(r, VALUE_TEXT);
	add(r, &length, sizeof length);
	add(r, text, n);
}

void row_text(struct rows *r, const char *safe)
{
	if (safe)
		add_text(r, safe, strlen(safe));
	else
		row_null(r);
}

void row_packet_text(struct rows *r, struct span s)
{
	struct text t;

	if (s.n == 0) {
		row_null(r);
		return;
	}
	text_init(&t);
	text_add_escaped(&t, s);
	add_text(r, t.p, t.n);
	text_fini(&t);
}

void row_time(struct rows *r, int64_t at_ns)
{
	if (at_ns == NS_NONE)
		row_null(r);
	else
		row_integer(r, at_ns);
}

void row_known(struct rows *r, double value)
{
	row_real(r, value < 0 ? NAN : value);
}

void row_positive(struct rows *r, int64_t value)
{
	if (value)
		row_integer(r, value);
	else
		row_null(r);
}

void row_address(struct rows *r, const struct address *a)
{
	char text[ADDRESS_TEXT];

	row_text(r, address_known(a) ? address_text(a, text) : NULL);
}

void row_endpoint(struct rows *r, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT];

	row_text(r, address_known(&e->addr) ? endpoint_text(e, text) : NULL);
}

static size_t read_value(const uint8_t *p, struct value *ret)
{
	uint64_t length;

	*ret = (struct value){ .kind = (enum value_kind)*p++ };
	switch (ret->kind) {
	case VALUE_NULL:
		break;
	case VALUE_INTEGER:
		memcpy(&ret->integer, p, sizeof ret->integer);
		return 1 + sizeof ret->integer;
	case VALUE_REAL:
		memcpy(&ret->real, p, sizeof ret->real);
		return 1 + sizeof ret->real;
	case VALUE_TEXT:
		memcpy(&length, p, sizeof length);
		ret->text = (struct span){ p + sizeof length, (size_t)length };
		return 1 + sizeof length + (size_t)length;
	}
	return 1;
}

bool rows_next(const struct rows *r, size_t *at, struct row *ret)
{
	if (*at >= r->n)
		return false;
	ret->table = (enum row_table)r->bytes[*at + 1];
	ret->count = 0;
	*at += 2;
	while (*at < r->n && r->bytes[*at] != TAG_ROW) {
		assert(ret->count < ROW_VALUES_MAX);
		*at += read_value(r->bytes + *at, &ret->values[ret->count++]);
	}
	return true;
}
