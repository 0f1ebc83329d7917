/* SPDX-License-Identifier: MIT */
/* state_path: where what is kept between two runs has its place. */
#include "ui/state_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool state_path(const char *name, char *path, size_t room)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && state[0] == '/')           /* the specification has others ignored */
		return (size_t)snprintf(path, room, "%s/deadair/%s", state, name) < room;
	return home && home[0] == '/' && (size_t)snprintf(path, room, "%s/.local/state/deadair/%s", home, name) < room;
}

bool state_path_make(const char *path)
{
	char folder[PATH_MAX];

	if ((size_t)snprintf(folder, sizeof folder, "%s", path) >= sizeof folder) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(folder, 0700) != 0 && errno != EEXIST && errno != EISDIR)
			return false;
		*slash = '/';
	}
	return true;
}
