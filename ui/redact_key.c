/* SPDX-License-Identifier: MIT */
/* redact_key: the key of --redact. */
#include "ui/redact_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "captures/base/text.h"
#include "ui/places.h"

static bool read_key(int fd, uint8_t key[REDACT_KEY])
{
	uint8_t bytes[REDACT_KEY];

	if (read(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
		return false;
	memcpy(key, bytes, sizeof bytes);
	return true;
}

/* Under another name first, then linked: whoever finds it finds all of it, and of two who make it one is taken. */
static bool make_key(const char *path, const uint8_t key[REDACT_KEY])
{
	char made[PATH_MAX];
	bool good;
	int fd;

	if (snprintf(made, sizeof made, "%s.%ld", path, (long)getpid()) >= (int)sizeof made)
		return false;
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	good = write(fd, key, REDACT_KEY) == REDACT_KEY && fsync(fd) == 0;
	good = close(fd) == 0 && good && (link(made, path) == 0 || errno == EEXIST);
	unlink(made);
	return good;
}

static bool stored_key(const char *folder, const char *path, uint8_t key[REDACT_KEY])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good;

	if (fd < 0 && errno == ENOENT) {
		if (!places_make(folder, NULL) || !make_key(path, key))
			return false;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return false;
	errno = EINVAL;                 /* of a file that is too short */
	good = read_key(fd, key);
	close(fd);
	return good;
}

enum err_code redact_key_get(uint8_t key[REDACT_KEY], struct err *err)
{
	char folder[PATH_MAX], path[PATH_MAX], shown[128];

	if (getrandom(key, REDACT_KEY, 0) != REDACT_KEY) {
		fputs("deadair: the system gives no random numbers (getrandom failed)\n", stderr);
		exit(2);
	}
	if (!places_read(folder, sizeof folder) ||
	    snprintf(path, sizeof path, "%s/redact.key", folder) >= (int)sizeof path)
		return err_set(err, ERR_FILE, "--redact: neither HOME nor XDG_STATE_HOME is set, so no key is kept: what is the same is so within this report only");
	if (stored_key(folder, path, key))
		return ERR_OK;
	return err_set(err, ERR_FILE, "--redact: %s: %s: what is the same is so within this report only",
	       text_escape(span_of(path), shown, sizeof shown),
		       strerror(errno));
}
