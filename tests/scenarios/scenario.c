/* SPDX-License-Identifier: MIT */
/* scenario: reads the file, line by line, and hands each to the part that knows its first word. */
#include "tests/scenarios/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void scenario_fail(struct scenario *s, const char *format, ...)
{
	va_list ap;
	char text[400];

	if (s->error)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	s->error = scenario_text(s, "%s:%u: %s", s->path, s->line, text);
}

void *scenario_zalloc(struct scenario *s, size_t bytes)
{
	return arena_zalloc(s->arena, bytes ? bytes : 1);
}

char *scenario_text(struct scenario *s, const char *format, ...)
{
	va_list ap;
	char *text, *kept;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		abort();
	kept = arena_text(s->arena, (struct span){ (const uint8_t *)text, (size_t)n });
	free(text);
	return kept;
}

void buffer_add(struct buffer *b, const void *bytes, size_t n)
{
	if (b->n + n > b->room) {
		size_t room = 2 * b->room + n + 64;
		uint8_t *p = arena_zalloc(b->arena, room);

		if (b->n)
			memcpy(p, b->p, b->n);
		b->p = p;
		b->room = room;
	}
	if (n)
		memcpy(b->p + b->n, bytes, n);
	b->n += n;
}

void buffer_text(struct buffer *b, const char *format, ...)
{
	va_list ap;
	char text[2048];
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	buffer_add(b, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

void buffer_u8(struct buffer *b, unsigned value)
{
	uint8_t byte = (uint8_t)value;

	buffer_add(b, &byte, 1);
}

void buffer_hex(struct buffer *b, const char *text)
{
	unsigned byte;

	for (; sscanf(text, "%2x", &byte) == 1 && text[1]; text += 2)
		buffer_u8(b, byte);
}

void buffer_u16(struct buffer *b, unsigned value)
{
	buffer_u8(b, value >> 8 & 0xff);
	buffer_u8(b, value & 0xff);
}

void buffer_u32(struct buffer *b, uint32_t value)
{
	buffer_u16(b, value >> 16);
	buffer_u16(b, value & 0xffff);
}

void buffer_u64(struct buffer *b, uint64_t value)
{
	buffer_u32(b, (uint32_t)(value >> 32));
	buffer_u32(b, (uint32_t)value);
}

static void title_read(struct scenario *s, struct words *w)
{
	s->title = word_want(s, w, "the title");
}

/* A file with these lines, for the keys of a profile that name one. */
static const char *profile_file(struct scenario *s, const char *lines)
{
	char path[] = "/tmp/deadair-list-XXXXXX";
	int fd = s->profile_file_count < SCENARIO_PROFILE_FILES ? mkstemp(path) : -1;
	size_t n = strlen(lines);

	if (fd < 0 || write(fd, lines, n) != (ssize_t)n || close(fd) != 0) {
		scenario_fail(s, "a file of the profile cannot be written");
		return "";
	}
	return s->profile_files[s->profile_file_count++] = scenario_text(s, "%s", path);
}

/* profile SECTION KEY VALUE: a line of deadair.conf; with the word file the value names a file of these lines */
static void profile_read(struct scenario *s, struct words *w)
{
	const char *section = word_want(s, w, "the section"), *key = word_want(s, w, "the key");
	bool file = word_accept(w, "file");
	const char *value = word_want(s, w, "the value");

	s->profile = scenario_text(s, "%s[%s]\n%s = %s\n", s->profile ? s->profile : "", section, key,
		file ? profile_file(s, value) : value);
}

/* RTCP counts what the RTP lines of the whole file send: it waits for them. */
static void rtcp_defer(struct scenario *s, struct words *w)
{
	struct deferred *d = scenario_zalloc(s, sizeof *d);

	d->line = s->line;
	d->words = *w;
	d->read = rtcp_read;
	list_add_tail(&s->deferred, &d->link);
	w->left = 0;
}

static void text_keep(struct scenario *s, struct words *w, const char *texts[SCENARIO_TEXTS], unsigned *count)
{
	const char *text = word_want(s, w, "the text");

	if (*count < SCENARIO_TEXTS)
		texts[(*count)++] = text;
	else
		scenario_fail(s, "too many of these lines");
}

/* never "TEXT": a secret */
static void never_read(struct scenario *s, struct words *w)
{
	text_keep(s, w, s->never, &s->never_count);
}

/* says "TEXT" */
static void says_read(struct scenario *s, struct words *w)
{
	text_keep(s, w, s->says, &s->says_count);
}

/* memory SIZE: deadair reads with no more than that. */
static void memory_read(struct scenario *s, struct words *w)
{
	s->memory = word_want(s, w, "the size");
}

/* needs NAME: a library without which the scenario is skipped. */
static void needs_read(struct scenario *s, struct words *w)
{
	s->needs = word_want(s, w, "what deadair --version must name");
}

static const struct {
	const char *word;
	void (*read)(struct scenario *s, struct words *w);
} directives[] = {
	{ "alg", alg_read },         { "arp", arp_read },         { "asks", asks_read },      { "bg", background_read },
	  { "blind", blind_read },
	{ "call", call_read },       { "check", check_read },     { "drops", drops_read },      { "exit", exit_read },
	{ "alg", alg_read },         { "arp", arp_read },         { "bg", background_read },    { "blind", blind_read },
	{ "call", call_read },       { "check", check_read },     { "connect", connect_read }, { "drops", drops_read },
	  { "exit", exit_read },
	{ "expect", expect_read },   { "fact", fact_read },       { "flow", flow_read },        { "host", host_read },
	{ "icmp", icmp_read },       { "lldp", lldp_read },       { "lose", lose_read },       { "may", may_read },
	  { "memory", memory_read },
	  { "mirror", mirror_read },
	{ "nat", nat_read },         { "needs", needs_read },     { "never", never_read },     { "place", place_read },
	  { "profile", profile_read },
	{ "rtcp", rtcp_defer },      { "rtp", rtp_read },         { "says", says_read },
	{ "silent", expect_silent_read }, { "sip", sip_read },    { "stun", stun_read },        { "talk", talk_read },
	{ "tap", tap_read },         { "tcp", tcp_read },         { "title", title_read },      { "tls", tls_read },
	{ "udp", udp_read },
};

static void line_read(struct scenario *s, const char *line)
{
	struct words w = words_of(s, line);
	const char *first = word_next(&w);

	if (!first || s->error)
		return;
	for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
		if (strcmp(first, directives[i].word) == 0) {
			directives[i].read(s, &w);
			word_end(s, &w);
			return;
		}
	}
	scenario_fail(s, "\"%s\" begins no line that I know", first);
}

void scenario_line(struct scenario *s, const char *format, ...)
{
	va_list ap;
	char line[1024];

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	line_read(s, line);
}

static void deferred_read(struct scenario *s)
{
	LIST_EACH(it, &s->deferred) {
		struct deferred *d = LIST_ENTRY(it, struct deferred, link);

		s->line = d->line;
		d->read(s, &d->words);
		word_end(s, &d->words);
	}
}

/* An indented line goes on with the one above it. */
static void lines_read(struct scenario *s, FILE *f)
{
	struct buffer whole = { .arena = s->arena };
	unsigned begun = 0, number = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	do {
		bool goes_on;

		n = getline(&line, &room, f);
		number++;
		if (n > 0 && line[0] == '#')
			continue;
		goes_on = n > 0 && strchr(" \t\r\n", line[0]);
		if (!goes_on && whole.n) {
			buffer_u8(&whole, 0);
			s->line = begun;
			line_read(s, (char *)whole.p);
			whole.n = 0;
		}
		if (n > 0 && strspn(line, " \t\r\n") < (size_t)n) {
			const char *end = line + n;

			if (whole.n == 0)
				begun = number;
			else
				buffer_u8(&whole, '\n'); /* ends a comment */
			while (end > line && (end[-1] == '\n' || end[-1] == '\r'))
				end--;
			buffer_add(&whole, line, (size_t)(end - line));
		}
	} while (n >= 0);
	free(line);
}

static const char *name_of(struct scenario *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t n = strlen(base);

	if (n > 4 && strcmp(base + n - 4, ".scn") == 0)
		n -= 4;
	return scenario_text(s, "%.*s", (int)n, base);
}

static void scenario_init(struct scenario *s, const char *path)
{
	struct list *lists[] = { &s->hosts, &s->nats, &s->dialogs, &s->flows, &s->connections, &s->datagrams,
		&s->deferred, &s->expectations };

	*s = (struct scenario){ .arena = arena_new(), .path = path };
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		list_init(lists[i]);
	for (size_t i = 0; i < SCENARIO_TAPS; i++) {
		list_init(&s->taps[i].blinds);
		list_init(&s->taps[i].lost);
		list_init(&s->taps[i].placements);
	}
	s->name = name_of(s, path);
	s->files[0].name = "";
	s->file_count = 1;
}

bool scenario_read(struct scenario *s, const char *path)
{
	FILE *f;

	scenario_init(s, path);
	f = fopen(path, "r");
	if (!f) {
		scenario_fail(s, "cannot be read");
		return false;
	}
	lines_read(s, f);
	fclose(f);
	deferred_read(s);
	if (!s->error && !s->title)
		scenario_fail(s, "it has no title");
	if (s->tap_count == 0)
		scenario_line(s, "tap here");
	return !s->error;
}

void scenario_free(struct scenario *s)
{
	arena_free(s->arena);
}
