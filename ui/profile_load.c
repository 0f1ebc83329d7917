/* SPDX-License-Identifier: MIT */
/* profile_load: finds the profile as the XDG Base Directory Specification 0.8 has it. */
#include "ui/profile_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* In one folder of configuration; relative ones count as not given. */
static bool look_in(struct span folder, char *path, size_t room)
{
	if (folder.n == 0 || folder.p[0] != '/')
		return false;
	return snprintf(path, room, "%.*s/deadair/deadair.conf", (int)folder.n, (const char *)folder.p) < (int)room &&
	       there(path);
}

static bool find(char *path, size_t room)
{
	const char *home = getenv("XDG_CONFIG_HOME"), *dirs = getenv("XDG_CONFIG_DIRS"), *user = getenv("HOME");
	struct span rest, folder;
	char own[4096];

	if (home && *home) {
		if (look_in(span_of(home), path, room))
			return true;
	} else if (user && snprintf(own, sizeof own, "%s/.config", user) < (int)sizeof own &&
	    look_in(span_of(own), path, room)) {
		return true;
	}
	rest = span_of(dirs && *dirs ? dirs : "/etc/xdg");
	while (span_split(&rest, ':', &folder)) {
		if (look_in(folder, path, room))
			return true;
	}
	return false;
}

enum err_code profile_load(const char *path, struct config *c, struct site *s, struct err *err)
{
	char found[4200];

	if (path && strcmp(path, "none") == 0)
		return ERR_OK;
	if (!path && !find(found, sizeof found))
		return ERR_OK;
	if (profile_read(path ? path : found, c, s, err) != ERR_OK)
		return err->code;
	site_learn_zone(s);
	if (s->timezone) {              /* of what is printed; the site's own hours do not depend on it */
		setenv("TZ", s->timezone, 1);
		tzset();
	}
	return ERR_OK;
}

void profile_names(const struct site *s, struct names *n)
{
	for (unsigned i = 0; i < s->names.count; i++)
		names_add(n, &s->names.list[i].addr, span_of(s->names.list[i].name));
}
