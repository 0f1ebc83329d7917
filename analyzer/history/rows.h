/* SPDX-License-Identifier: MIT */
/* rows: what is to be stored, as flat bytes that own all they say: made on one thread, written by another. */
#ifndef DEADAIR_HISTORY_ROWS_H
#define DEADAIR_HISTORY_ROWS_H

#include "captures/base/address.h"
#include "captures/base/span.h"

enum row_table {
	ROW_FILE, ROW_CALL, ROW_CALL_LEG, ROW_CALL_HOST, ROW_DIRECTION, ROW_STREAM, ROW_FINDING, ROW_FINDING_CALL,
		ROW_FINDING_HOST, ROW_EVIDENCE, ROW_CHANGE,
	ROW_INCIDENT, ROW_REGISTRATION, ROW_HOST, ROW_NAT, ROW_TABLES
};

enum value_kind { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT };

struct value {
	enum value_kind kind;
	int64_t integer;
	double real;
	struct span text;
};

enum { ROW_VALUES_MAX = 24 };

struct row {
	enum row_table table;
	struct value values[ROW_VALUES_MAX];
	unsigned count;
};

struct rows {
	uint8_t *bytes;              /* owned */
	size_t n, room;
	size_t count;                /* of rows */
};

struct record_numbers {              /* the highest that a run has of each */
	unsigned calls, streams, findings, incidents, registrations, nats;
};

void rows_init(struct rows *r);
void rows_fini(struct rows *r);
void rows_clear(struct rows *r);

/* A row, then its values in the order of the table's columns behind `run`; those left out are NULL. */
void row_begin(struct rows *r, enum row_table table);
void row_null(struct rows *r);
void row_integer(struct rows *r, int64_t value);
void row_real(struct rows *r, double value);
void row_text(struct rows *r, const char *safe);        /* NULL: null */
void row_packet_text(struct rows *r, struct span s);    /* bytes of packets: escaped; empty: null */
void row_time(struct rows *r, int64_t at_ns);           /* NS_NONE: null */
void row_known(struct rows *r, double value);           /* below 0: unknown, null */
void row_positive(struct rows *r, int64_t value);       /* 0: null */
void row_address(struct rows *r, const struct address *a);      /* unknown: null */
void row_endpoint(struct rows *r, const struct endpoint *e);

/* The row at *at, which moves behind it; false at the end. Texts are lent by the rows. */
bool rows_next(const struct rows *r, size_t *at, struct row *ret);

#endif
