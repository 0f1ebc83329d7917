/* SPDX-License-Identifier: MIT */
/* profile_file: values of deadair.conf that stand in a file of their own, one a line. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "analyzer/profile_private.h"
#include "captures/base/text.h"

static FILE *beside_open(struct reading *g, struct span name, char shown[SHOWN])
{
	const char *slash = strrchr(g->path, '/');
	char path[4096];
	FILE *f;
	struct stat st;

	text_escape(name, shown, SHOWN);
	snprintf(path, sizeof path, "%.*s%.*s", name.n && name.p[0] != '/' && slash ? (int)(slash + 1 - g->path) : 0,
		g->path, (int)name.n,
		 (const char *)name.p);
	f = fopen(path, "re");
	if (!f || fstat(fileno(f), &st) != 0 || S_ISDIR(st.st_mode)) {
		profile_fail(g, "%s: %s", shown, f ? "a folder, not a file" : strerror(errno));
		if (f)
			fclose(f);
		return NULL;
	}
	return f;
}

/* A value a line; what stands behind # or ; is a comment. */
static bool take_file(struct reading *g, const struct site_key *key, struct span value,
	bool (*take)(struct reading *, const struct site_key *, struct span))
{
	char shown[SHOWN], line[1024];
	FILE *f = beside_open(g, value, shown);
	unsigned n = 0;

	while (f && !g->failed && fgets(line, sizeof line, f)) {
		line[strcspn(line, "#;")] = '\0';
		n++;
		if (!take(g, key, span_trim(span_of(line))) && g->err)
			err_set(g->err, ERR_USAGE, "%s:%u: no value that %s takes, which is %s", shown, n, key->name,
				key->form);
	}
	if (f)
		fclose(f);
	return !g->failed;
}

bool profile_take_net_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, profile_take_nets);
}

bool profile_take_digit_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, profile_take_digits);
}

static bool take_oui(struct reading *g, const struct site_key *key, struct span value)
{
	if (value.n && value.n < 6)
		return profile_wrong(g, key, value);
	return profile_take_words(g, key, value);
}

bool profile_take_oui_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, take_oui);
}

bool profile_take_date_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, profile_take_date);
}
