/* SPDX-License-Identifier: MIT */
/* profile: reads deadair.conf. libinih splits lines; what a key means stands in profile_keys.c. */
#include "analyzer/profile.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "analyzer/profile_private.h"
#include "captures/base/memory.h"
#include "captures/base/nearest.h"
#include "captures/base/text.h"

bool profile_fail(struct reading *g, const char *format, ...)
{
	char path[256], what[300];
	va_list ap;

	if (g->failed)
		return false;
	g->failed = true;
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	err_set(g->err, ERR_USAGE, "%s:%u: %s", text_escape(span_of(g->path), path, sizeof path), g->line, what);
	return false;
}

bool profile_wrong(struct reading *g, const struct site_key *key, struct span value)
{
	char shown[SHOWN];

	return profile_fail(g, "%s = %s: give %s", key->name, text_escape(value, shown, sizeof shown), key->form);
}

void *profile_field(struct reading *g, const struct site_key *key)
{
	return (char *)g->site + key->offset;
}

char *profile_copy(struct span s)
{
	char *text = memory_zalloc(s.n + 1);

	if (s.n)
		memcpy(text, s.p, s.n);
	return text;
}

bool profile_word(struct span *rest, struct span *ret)
{
	while (span_split(rest, ',', ret)) {
		*ret = span_trim(*ret);
		if (ret->n)
			return true;
	}
	return false;
}

/* False: said before, and no list. *ret_first: not said before. */
static bool given(struct reading *g, const char *section, const char *name, bool list, bool *ret_first)
{
	for (unsigned i = 0; i < g->given_count; i++) {
		if (strcmp(g->given[i].section, section) == 0 && strcmp(g->given[i].name, name) == 0) {
			*ret_first = false;
			return list || profile_fail(g, "%s stands here a second time", name);
		}
	}
	g->given = memory_resize(g->given, g->given_count + 1u, sizeof *g->given);
	g->given[g->given_count++] = (struct given){ memory_text(section), memory_text(name), list };
	*ret_first = true;
	return true;
}

/* The name stands first, as inih would split an IPv6 address at its first colon. */
static bool take_name(struct reading *g, const char *name, struct span value)
{
	struct host_names *all = &g->site->names;
	struct address a;
	struct span word;
	char shown[SHOWN];

	while (profile_word(&value, &word)) {
		if (!address_parse(word, &a))
			return profile_fail(g, "%s: no address; [names] has lines such as PBX = 10.0.0.5",
			       text_escape(word, shown, sizeof shown));
		if (all->count >= LIST_MAX)
			return profile_fail(g, "more than %d names", LIST_MAX);
		all->list = memory_resize(all->list, all->count + 1u, sizeof *all->list);
		all->list[all->count++] = (struct host_name){ a, memory_text(name) };
	}
	return true;
}

static const char *nearest_section(const char *section)
{
	const char *names[512];
	size_t count = 0;

	for (size_t i = 0; profile_key(i); i++)
		names[count++] = profile_key(i)->section;
	names[count++] = "names";
	for (size_t i = 0; count < 512 && config_section(i); i++)
		names[count++] = config_section(i);
	return nearest_word(span_of(section), names, count);
}

static const char *nearest_key(const char *section, const char *name)
{
	const char *names[512];
	size_t count = 0;

	for (size_t i = 0; profile_key(i); i++) {
		if (strcmp(profile_key(i)->section, section) == 0)
			names[count++] = profile_key(i)->name;
	}
	for (size_t i = 0; count < 512 && config_key_at(section, i); i++)
		names[count++] = config_key_at(section, i)->name;
	return nearest_word(span_of(name), names, count);
}

static bool section_known(const char *section)
{
	for (size_t i = 0; profile_key(i); i++) {
		if (strcmp(profile_key(i)->section, section) == 0)
			return true;
	}
	for (size_t i = 0; config_section(i); i++) {
		if (strcmp(config_section(i), section) == 0)
			return true;
	}
	return false;
}

static bool take_unknown(struct reading *g, const char *section, const char *name)
{
	char shown[SHOWN];
	const char *near;

	if (!*section)
		return profile_fail(g, "%s stands before the first [section]",
			text_escape(span_of(name), shown, sizeof shown));
	if (!section_known(section)) {
		near = nearest_section(section);
		return profile_fail(g, "no section [%s]%s%s%s; deadair detectors lists those of findings",
		       text_escape(span_of(section), shown, sizeof shown),
			    near ? ": [" : "", near ? near : "", near ? "]?" : "");
	}
	near = nearest_key(section, name);
	return profile_fail(g, "[%s] has no key %s%s%s%s", section, text_escape(span_of(name), shown, sizeof shown),
	       near ? ": " : "", near ? near : "", near ? "?" : "");
}

/* A figure of the engine or of a detector. */
static bool take_figure(struct reading *g, const char *section, const struct config_key *key, const char *value)
{
	char shown[SHOWN], *end;
	double number;

	errno = 0;
	number = strtod(value, &end);
	if (end == value || *end || errno)
		return profile_fail(g, "%s = %s: give a number, %g to %g %s", key->name,
		       text_escape(span_of(value), shown, sizeof shown), key->min, key->max,
			    key->unit);
	if (!config_set(g->config, section, key->name, number))
		return profile_fail(g, "%s = %s: out of range, give %g to %g %s", key->name,
		       text_escape(span_of(value), shown, sizeof shown), key->min, key->max,
			    key->unit);
	return true;
}

static bool take_key(struct reading *g, const char *section, const char *name, const char *value)
{
	const struct config_key *figure = config_find(section, name);
	bool first;

	if (strcmp(section, "names") == 0)
		return take_name(g, name, span_trim(span_of(value)));
	if (strcmp(section, "media") == 0 && strncmp(name, "media-ports.", 12) == 0)
		return profile_take_host_ports(g, span_of(name + 12), span_of(value));
	if (figure)
		return given(g, section, name, false, &first) && take_figure(g, section, figure, value);
	for (size_t i = 0; profile_key(i); i++) {
		const struct site_key *key = profile_key(i);

		if (strcmp(key->section, section) != 0 || strcmp(key->name, name) != 0)
			continue;
		if (!given(g, section, name, key->list, &first))
			return false;
		if (first)
			profile_forget_default(g->site, key);
		return !*value ? true : key->take(g, key, span_trim(span_of(value)));
	}
	return take_unknown(g, section, name);
}

static int take_line(void *context, const char *section, const char *name, const char *value)
{
	struct reading *g = context;

	return g->failed || take_key(g, section, name, value ? value : "");
}

/* As fgets(3), counting lines; one that is longer than inih's buffer is an error, not two lines. */
static char *read_line(char *buffer, int room, void *context)
{
	struct reading *g = context;
	size_t n;

	if (g->failed || !fgets(buffer, room, g->file))
		return NULL;
	g->line++;
	n = strlen(buffer);
	if (n + 1 == (size_t)room && buffer[n - 1] != '\n' && !feof(g->file)) {
		profile_fail(g, "a line of more than %d characters; a list may go on in the next line, indented",
			room - 3);
		return NULL;
	}
	return buffer;
}

static void forget_given(struct reading *g)
{
	for (unsigned i = 0; i < g->given_count; i++) {
		free(g->given[i].section);
		free(g->given[i].name);
	}
	free(g->given);
}

enum err_code profile_read(const char *path, struct config *c, struct site *s, struct err *err)
{
	struct reading g = { .path = path, .config = c, .site = s, .err = err };
	char shown[256];
	struct stat st;
	int line;

	text_escape(span_of(path), shown, sizeof shown);
	g.file = fopen(path, "re");
	if (!g.file)
		return err_set(err, ERR_FILE, "%s: %s; check --config", shown, strerror(errno));
	if (fstat(fileno(g.file), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(g.file);
		return err_set(err, ERR_FILE, "%s: a folder; --config wants a file", shown);
	}
	line = ini_parse_stream(read_line, &g, take_line, &g);
	if (!g.failed && line > 0) {
		g.line = (unsigned)line;
		profile_fail(&g,
			"neither a [section] nor KEY = VALUE nor a comment (# or ; at the beginning of the line)");
	}
	if (!g.failed && ferror(g.file))
		profile_fail(&g, "cannot read on: %s", strerror(errno));
	fclose(g.file);
	forget_given(&g);
	if (g.failed)
		return ERR_USAGE;
	free(s->path);
	s->path = memory_text(path);
	return ERR_OK;
}
