/* SPDX-License-Identifier: MIT */
/* pcapng_write: blocks in the byte order of this machine. Section numbers are those of draft-ietf-opsawg-pcapng-02. */
#include "captures/pcapng_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_COMMENT = 1, OPTION_FLAGS = 2, OPTION_PROGRAM = 4, IF_NAME = 2, IF_TSRESOL = 9, IF_FILTER = 11 };
enum { FLUSH_BYTES = 1 << 18, COMMENT_MOST = 4096, INTERFACES_MOST = 4096, NANOSECONDS = 9, SNAPLEN_ANY = 0 };

struct described {                   /* an interface: in the file already, in the order of this list */
	uint16_t file, interface, link;
	char *name, *filter;         /* NULL none */
	uint32_t number;             /* in the file */
	bool is_written;
};

struct pcapng_writer {
	int fd;
	const char *path;
	struct text bytes;           /* not yet written */
	uint64_t written;
	int error;                   /* errno of the first failure; 0 none */
	struct described *described;
	size_t count, room;
	size_t last;                 /* that was found: most frames come from where the one before came from */
	uint32_t in_file;            /* interfaces so far */
};

/* ---- bytes ---- */

static void flush(struct pcapng_writer *w)
{
	size_t at = 0;

	while (at < w->bytes.n && !w->error) {
		ssize_t n = write(w->fd, w->bytes.p + at, w->bytes.n - at);

		if (n < 0 && errno != EINTR)
			w->error = errno;
		if (n > 0)
			at += (size_t)n;
	}
	w->written += at;
	text_clear(&w->bytes);
}

static void add_u16(struct pcapng_writer *w, uint16_t value)
{
	text_add_bytes(&w->bytes, &value, sizeof value);
}

static void add_u32(struct pcapng_writer *w, uint32_t value)
{
	text_add_bytes(&w->bytes, &value, sizeof value);
}

static void pad(struct pcapng_writer *w, size_t n)
{
	static const char zeros[4];

	text_add_bytes(&w->bytes, zeros, (4 - n % 4) % 4);
}

/* 3.5 */
static void add_option(struct pcapng_writer *w, uint16_t code, const void *value, size_t n)
{
	add_u16(w, code);
	add_u16(w, (uint16_t)n);
	text_add_bytes(&w->bytes, value, n);
	pad(w, n);
}

static void add_text(struct pcapng_writer *w, uint16_t code, const char *text)
{
	if (text && text[0])
		add_option(w, code, text, strnlen(text, COMMENT_MOST));
}

/* Where the block begins, to be known at its end. */
static size_t block_begin(struct pcapng_writer *w, uint32_t type)
{
	size_t at = w->bytes.n;

	add_u32(w, type);
	add_u32(w, 0);
	return at;
}

static void block_end(struct pcapng_writer *w, size_t at)
{
	uint32_t length = (uint32_t)(w->bytes.n - at + sizeof length);

	memcpy(w->bytes.p + at + sizeof length, &length, sizeof length);
	add_u32(w, length);
}

/* ---- blocks ---- */

/* 4.1; the length of the section is not known */
static void add_section(struct pcapng_writer *w)
{
	static const uint64_t unknown = UINT64_MAX;
	size_t at = block_begin(w, BLOCK_SECTION);

	add_u32(w, 0x1a2b3c4d);
	add_u16(w, 1);
	add_u16(w, 0);
	text_add_bytes(&w->bytes, &unknown, sizeof unknown);
	add_text(w, OPTION_PROGRAM, "deadair");
	add_u32(w, 0);
	block_end(w, at);
}

/* 4.2 */
static void add_interface(struct pcapng_writer *w, struct described *d)
{
	static const uint8_t resolution = NANOSECONDS, capture_filter = 0;
	size_t at = block_begin(w, BLOCK_INTERFACE);
	struct text filter;

	add_u16(w, d->link);
	add_u16(w, 0);
	add_u32(w, SNAPLEN_ANY);
	add_text(w, IF_NAME, d->name);
	add_option(w, IF_TSRESOL, &resolution, sizeof resolution);
	if (d->filter && d->filter[0]) {
		text_init(&filter);
		text_add_bytes(&filter, &capture_filter, 1);
		text_add(&filter, d->filter);
		add_option(w, IF_FILTER, filter.p, filter.n);
		text_fini(&filter);
	}
	add_u32(w, 0);
	block_end(w, at);
	d->number = w->in_file++;
	d->is_written = true;
}

static struct described *find(struct pcapng_writer *w, uint16_t file, uint16_t interface, uint16_t link)
{
	for (size_t i = 0; i < w->count; i++) {
		size_t at = (w->last + i) % w->count;
		struct described *d = &w->described[at];

		if (d->file == file && d->interface == interface && d->link == link) {
			w->last = at;
			return d;
		}
	}
	return NULL;
}

void pcapng_write_interface(
	struct pcapng_writer *w, uint16_t file, uint16_t interface, uint16_t link, const char *name, const char *filter)
{
	struct described *d = find(w, file, interface, link);

	if (d || w->count == INTERFACES_MOST)
		return;
	if (w->count == w->room) {
		w->room = w->room * 2 + 8;
		w->described = memory_resize(w->described, w->room, sizeof *w->described);
	}
	w->described[w->count++] = (struct described){ .file = file,
		.interface = interface,
		.link = link,
		.name = name ? memory_text(name) : NULL,
		.filter = filter ? memory_text(filter) : NULL };
}

/* 4.3 */
void pcapng_write_frame(struct pcapng_writer *w, const struct frame *f, const char *const *comments, size_t count)
{
	uint64_t at_ns = f->at_ns < 0 ? 0 : (uint64_t)f->at_ns;
	uint32_t flags = f->direction;
	struct described *d;
	size_t at;

	pcapng_write_interface(w, f->file, f->interface, f->link, NULL, NULL);
	d = find(w, f->file, f->interface, f->link);
	if (!d)
		return;
	if (!d->is_written)
		add_interface(w, d);
	at = block_begin(w, BLOCK_PACKET);
	add_u32(w, d->number);
	add_u32(w, (uint32_t)(at_ns >> 32));
	add_u32(w, (uint32_t)at_ns);
	add_u32(w, (uint32_t)f->bytes.n);
	add_u32(w, f->wire_bytes);
	text_add_bytes(&w->bytes, f->bytes.p, f->bytes.n);
	pad(w, f->bytes.n);
	for (size_t i = 0; i < count; i++)
		add_text(w, OPTION_COMMENT, comments[i]);
	if (flags != FRAME_UNKNOWN)
		add_option(w, OPTION_FLAGS, &flags, sizeof flags);
	if (count || flags != FRAME_UNKNOWN)
		add_u32(w, 0);
	block_end(w, at);
	if (w->bytes.n >= FLUSH_BYTES)
		flush(w);
}

uint64_t pcapng_writer_bytes(const struct pcapng_writer *w)
{
	return w->written + w->bytes.n;
}

/* ---- life ---- */

struct pcapng_writer *pcapng_writer_new(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct pcapng_writer *w;
	char shown[256];

	if (fd < 0) {
		err_set(err, ERR_FILE, "%s: %s", text_escape(span_of(path), shown, sizeof shown),
			errno == EEXIST ? "is there already: another name" : strerror(errno));
		return NULL;
	}
	w = memory_zalloc(sizeof *w);
	w->fd = fd;
	w->path = path;
	text_init(&w->bytes);
	add_section(w);
	return w;
}

static void release(struct pcapng_writer *w)
{
	for (size_t i = 0; i < w->count; i++) {
		free(w->described[i].name);
		free(w->described[i].filter);
	}
	free(w->described);
	text_fini(&w->bytes);
	free(w);
}

enum err_code pcapng_writer_close(struct pcapng_writer *w, struct err *err)
{
	enum err_code code = ERR_OK;
	char shown[256];

	flush(w);
	if (close(w->fd) != 0 && !w->error)
		w->error = errno;
	if (w->error) {
		code = err_set(err, ERR_FILE, "%s: %s: nothing was saved",
			text_escape(span_of(w->path), shown, sizeof shown), strerror(w->error));
		unlink(w->path);
	}
	release(w);
	return code;
}

void pcapng_writer_abandon(struct pcapng_writer *w)
{
	close(w->fd);
	unlink(w->path);
	release(w);
}
