/* SPDX-License-Identifier: MIT */
/* unpack: zlib and zstd behind one function. */
#include "captures/unpack.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "captures/base/memory.h"

enum { GZIP_ONLY = 16 };                  /* of windowBits, see inflateInit2 */

struct unpack {
	enum unpack_kind kind;
	bool complete;                  /* between two members or frames */
	bool follows;                   /* what begins next is not the first */
	z_stream zlib;
	ZSTD_DStream *zstd;
	unsigned dictionary;            /* the frame asks for this one, 0 none */
};

enum unpack_kind unpack_kind_of(struct span first)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd },
			     skippable[] = { 0x2a, 0x4d, 0x18 };

	if (span_starts(first, (struct span){ gzip, sizeof gzip }))
		return UNPACK_GZIP;
	if (span_starts(first, (struct span){ zstd, sizeof zstd }))
		return UNPACK_ZSTD;
	if (first.n && first.p[0] >> 4 == 5 &&
		span_starts(span_from(first, 1), (struct span){ skippable, sizeof skippable }))
		return UNPACK_ZSTD;     /* RFC 8878 3.1.2 */
	return UNPACK_NONE;
}

const char *unpack_kind_text(enum unpack_kind kind)
{
	switch (kind) {
	case UNPACK_NONE:
		return "plain";
	case UNPACK_GZIP:
		return "gzip";
	case UNPACK_ZSTD:
		return "zstd";
	}
	return "";
}

/* zlib's and zstd's memory goes the way of all of ours: never NULL. */
static void *zlib_zalloc(void *opaque, unsigned count, unsigned size)
{
	(void)opaque;
	return memory_resize(NULL, count, size);
}

static void zlib_free(void *opaque, void *p)
{
	(void)opaque;
	free(p);
}

struct unpack *unpack_new(enum unpack_kind kind)
{
	struct unpack *u = memory_zalloc(sizeof *u);

	u->kind = kind;
	u->zlib.zalloc = zlib_zalloc;
	u->zlib.zfree = zlib_free;
	u->complete = kind == UNPACK_ZSTD;           /* a gzip that has not begun has a header to come */
	if (kind == UNPACK_GZIP)
		inflateInit2(&u->zlib, MAX_WBITS + GZIP_ONLY);
	else
		u->zstd = ZSTD_createDStream();      /* its own limit on the window is 128 MiB; NULL: no memory */
	return u;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->kind == UNPACK_GZIP)
		inflateEnd(&u->zlib);
	ZSTD_freeDStream(u->zstd);
	free(u);
}

/* The next member, if there is one: zeros between and behind members are padding, as gzip(1) has it. */
static bool member_begins(struct unpack *u, struct span *packed)
{
	while (packed->n && packed->p[0] == 0)
		*packed = span_from(*packed, 1);
	if (packed->n == 0)
		return false;
	inflateReset(&u->zlib);
	u->complete = false;
	return true;
}

static void gzip_trouble(const struct unpack *u, int status, char trouble[UNPACK_TROUBLE])
{
	const char *what = u->zlib.msg ? u->zlib.msg : zError(status);

	if (u->follows && u->zlib.total_out == 0 && strstr(what, "header check"))
		snprintf(trouble, UNPACK_TROUBLE, "something that is not gzip follows the gzip data");
	else
		snprintf(trouble, UNPACK_TROUBLE, "the gzip data is damaged (%s)", what);
}

static size_t gzip_run(struct unpack *u, struct span *packed, uint8_t *out, size_t room, char trouble[UNPACK_TROUBLE])
{
	int status = Z_OK;

	u->zlib.next_out = out;
	u->zlib.avail_out = (uInt)room;
	while (status == Z_OK && u->zlib.avail_out && (!u->complete || member_begins(u, packed))) {
		u->zlib.next_in = (uint8_t *)(uintptr_t)packed->p;      /* zlib knows no const */
		u->zlib.avail_in = (uInt)packed->n;
		status = inflate(&u->zlib, Z_NO_FLUSH);
		*packed = span_from(*packed, packed->n - u->zlib.avail_in);
		if (status == Z_STREAM_END) {
			u->complete = u->follows = true;
			status = Z_OK;
		}
	}
	if (status != Z_OK && status != Z_BUF_ERROR)                    /* the latter: packed is used up */
		gzip_trouble(u, status, trouble);
	return room - u->zlib.avail_out;
}

static void zstd_trouble(const struct unpack *u, size_t status, char trouble[UNPACK_TROUBLE])
{
	ZSTD_ErrorCode code = ZSTD_getErrorCode(status);

	if (code == ZSTD_error_dictionary_wrong)
		snprintf(trouble, UNPACK_TROUBLE,
			"the zstd data needs dictionary %u; unpack it with zstd -dc -D DICTIONARY", u->dictionary);
	else if (code == ZSTD_error_frameParameter_windowTooLarge)
		snprintf(trouble, UNPACK_TROUBLE,
			 "the zstd data needs a window of more than 128 MiB; unpack it with zstd -dc --long=31");
	else if (code == ZSTD_error_prefix_unknown && u->follows)
		snprintf(trouble, UNPACK_TROUBLE, "something that is not zstd follows the zstd data");
	else
		snprintf(trouble, UNPACK_TROUBLE, "the zstd data is damaged (%s)", ZSTD_getErrorName(status));
}

static size_t zstd_run(struct unpack *u, struct span *packed, uint8_t *out, size_t room, char trouble[UNPACK_TROUBLE])
{
	ZSTD_inBuffer in = { packed->p, packed->n, 0 };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t status = 0, before;

	if (!u->zstd) {
		snprintf(trouble, UNPACK_TROUBLE, "there is no memory left to unpack zstd");
		return 0;
	}
	do {
		before = in.pos + to.pos;
		if (u->complete && in.pos < in.size)
			u->dictionary = ZSTD_getDictID_fromFrame(packed->p + in.pos, in.size - in.pos);
		status = ZSTD_decompressStream(u->zstd, &to, &in);
		if (status == 0)
			u->follows = true;
		u->complete = status == 0 || (u->complete && in.pos + to.pos == before);
	} while (!ZSTD_isError(status) && to.pos < to.size && in.pos + to.pos > before);
	*packed = span_from(*packed, in.pos);
	if (ZSTD_isError(status))
		zstd_trouble(u, status, trouble);
	return to.pos;
}

size_t unpack_run(struct unpack *u, struct span *packed, uint8_t *out, size_t room, char trouble[UNPACK_TROUBLE])
{
	assert(packed->n <= UNPACK_MOST && room <= UNPACK_MOST);
	return u->kind == UNPACK_GZIP ? gzip_run(u, packed, out, room, trouble)
				      : zstd_run(u, packed, out, room, trouble);
}

bool unpack_complete(const struct unpack *u)
{
	return u->complete;
}
