/* SPDX-License-Identifier: MIT */
/* places: XDG Base Directory Specification 0.8, sudo(8), systemd.exec(5). */
#include "ui/places.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "captures/live/privileges.h"

static bool is_path(const char *text)
{
	return text && text[0] == '/';  /* the specification has others ignored */
}

static bool below(const char *folder, const char *more, char *ret, size_t room)
{
	return is_path(folder) && (size_t)snprintf(ret, room, "%s%s", folder, more) < room;
}

/* The first of several: a colon stands between them. */
static bool of_service(char *ret, size_t room)
{
	const char *folders = getenv("STATE_DIRECTORY");

	return is_path(folders) && (size_t)snprintf(ret, room, "%.*s", (int)strcspn(folders, ":"), folders) < room;
}

static bool of_user(char *ret, size_t room)
{
	return below(getenv("XDG_STATE_HOME"), "/deadair", ret, room) ||
		below(getenv("HOME"), "/.local/state/deadair", ret, room);
}

static bool called_by_sudo(void)
{
	const char *uid = getenv("SUDO_UID");

	return geteuid() == 0 && uid && strtoul(uid, NULL, 10) != 0;
}

static bool of_caller(char *ret, size_t room)
{
	const struct passwd *caller = getpwuid((uid_t)strtoul(getenv("SUDO_UID"), NULL, 10));

	return caller && below(caller->pw_dir, "/.local/state/deadair", ret, room);
}

bool places_read(char *ret_folder, size_t room)
{
	if (of_service(ret_folder, room) || below(getenv("XDG_STATE_HOME"), "/deadair", ret_folder, room))
		return true;
	if (called_by_sudo())
		return of_caller(ret_folder, room);
	if (geteuid() == 0 && access(PLACES_SYSTEM "/" PLACES_HISTORY, F_OK) == 0)
		return below(PLACES_SYSTEM, "", ret_folder, room);
	return of_user(ret_folder, room);
}

/* In a folder that is root's alone: nobody can put something else into its place. */
static bool make_system(struct err *err)
{
	uid_t uid;
	gid_t gid;
	int fd;
	bool made;

	if (mkdir(PLACES_SYSTEM, 0750) != 0 && errno != EEXIST)
		return err_set(err, ERR_FILE, PLACES_SYSTEM ": %s", strerror(errno)) == ERR_OK;
	fd = open(PLACES_SYSTEM, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	made = fd >= 0 && (!privileges_whom(&uid, &gid) || fchown(fd, uid, gid) == 0);
	if (!made)
		err_set(err, ERR_FILE, PLACES_SYSTEM ": %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return made;
}

bool places_write(char *ret_folder, size_t room, struct err *err)
{
	bool named;

	if (of_service(ret_folder, room))
		return true;
	if (geteuid() == 0 && !called_by_sudo())
		return make_system(err) && below(PLACES_SYSTEM, "", ret_folder, room);
	named = called_by_sudo() ? of_caller(ret_folder, room) : of_user(ret_folder, room);
	if (!named)
		err_set(err, ERR_USAGE,
			"no folder to keep a history in: neither HOME nor XDG_STATE_HOME is set; --history FILE names one, --history none does without");
	return named;
}

static bool is_refusal(int error)
{
	return error == EACCES || error == EROFS;
}

bool places_make(const char *folder, struct err *err)
{
	char path[4096], shown[256];
	size_t n = strlen(folder);
	int refused = 0;

	if (n >= sizeof path)
		return err_set(err, ERR_FILE, "%s: a name that is too long",
			       text_escape(span_of(folder), shown, sizeof shown)) == ERR_OK;
	for (size_t i = 1; i <= n; i++) {
		if (folder[i] != '/' && folder[i] != '\0')
			continue;
		memcpy(path, folder, i);
		path[i] = '\0';
		if (mkdir(path, 0700) == 0 || errno == EEXIST)
			continue;
		if (!is_refusal(errno))
			return err_set(err, ERR_FILE, "%s: %s", text_escape(span_of(path), shown, sizeof shown),
				       strerror(errno)) == ERR_OK;
		refused = errno;
	}
	if (access(folder, W_OK | X_OK) == 0)
		return true;
	if (errno != ENOENT || !refused)        /* that it is not there is why it was to be made */
		refused = errno;
	return err_set(err, is_refusal(refused) ? ERR_PERMISSION : ERR_FILE, "%s: %s",
		       text_escape(span_of(folder), shown, sizeof shown), strerror(refused)) == ERR_OK;
}
