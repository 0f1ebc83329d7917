/* SPDX-License-Identifier: MIT */
/* live_saves: names of files, and which of them go again. */
#include "ui/live_saves.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "captures/base/memory.h"

#define PREFIX "deadair-"
#define SUFFIX ".pcapng"
enum { NAMES_TRIED = 100, PATH_ROOM = 4400 };

/* ---- what is kept, as a walk ---- */

struct walk {
	const struct keep *keep;
	uint64_t at;
};

static void *walk_begin(void *context, struct err *err)
{
	struct walk *w = memory_zalloc(sizeof *w);

	(void)err;
	w->keep = context;
	return w;
}

static bool walk_next(void *walk, struct frame *ret)
{
	struct walk *w = walk;

	return keep_next(w->keep, &w->at, ret);
}

struct save_source live_save_source(const struct live_saves *s)
{
	return (struct save_source){ .engine = s->engine,
		.files = s->files,
		.file_count = s->file_count,
		.begin = walk_begin,
		.next = walk_next,
		.end = free,
		.context = (void *)(uintptr_t)s->keep };
}

/* ---- files ---- */

/* "FOLDER/deadair-20261121T172005Z-WHAT.pcapng"; with a number where there is one already. Names sort by time. */
static void name_file(char path[PATH_ROOM], const char *folder, int64_t at_ns, const char *what, unsigned tried)
{
	time_t seconds = (time_t)(at_ns / SECOND_NS);
	char number[16] = "", when[32] = "";
	struct tm utc;

	if (gmtime_r(&seconds, &utc))
		strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &utc);
	if (tried)
		snprintf(number, sizeof number, "-%u", tried + 1);
	snprintf(path, PATH_ROOM, "%s/" PREFIX "%s-%s%s" SUFFIX, folder, when, what, number);
}

static bool save_named(const struct live_saves *s, const struct save_wish *wish, const char *folder, int64_t at_ns,
	const char *what, struct text *ret)
{
	struct save_source from = live_save_source(s);
	struct save_done done;
	struct err err = { .code = ERR_FILE };
	char path[PATH_ROOM];

	for (unsigned tried = 0; tried < NAMES_TRIED; tried++) {
		name_file(path, folder, at_ns, what, tried);
		if (access(path, F_OK) == 0)
			continue;
		if (save_write(&from, wish, path, &done, &err) != ERR_OK)
			break;
		save_said(&done, path, ret);
		return true;
	}
	text_addf(ret, "not saved: %s", err.text);
	return false;
}

bool live_save_all(const struct live_saves *s, const char *folder, struct text *ret)
{
	struct keep_extent kept = keep_extent(s->keep);

	if (kept.frames == 0) {
		text_add(ret, "not saved: no packet has come yet");
		return false;
	}
	return save_named(s, &(struct save_wish){ .kind = SAVE_ALL }, folder, kept.last_ns, "all", ret);
}

/* ---- the oldest go ---- */

struct file {
	char name[256];
	uint64_t bytes;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static bool is_ours(const char *name)
{
	size_t n = strlen(name);

	return n < sizeof((struct file *)0)->name && n > sizeof PREFIX + sizeof SUFFIX &&
		strncmp(name, PREFIX, sizeof PREFIX - 1) == 0 && strcmp(name + n - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

/* Those of this program; owned by the caller. */
static struct file *list_files(DIR *folder, size_t *ret_count, uint64_t *ret_bytes)
{
	struct file *files = NULL;
	size_t count = 0, room = 0;
	const struct dirent *d;
	struct stat of;

	*ret_bytes = 0;
	while ((d = readdir(folder))) {
		if (!is_ours(d->d_name) || fstatat(dirfd(folder), d->d_name, &of, AT_SYMLINK_NOFOLLOW) != 0 ||
			!S_ISREG(of.st_mode))
			continue;
		if (count == room) {
			room = room * 2 + 64;
			files = memory_resize(files, room, sizeof *files);
		}
		snprintf(files[count].name, sizeof files[count].name, "%s", d->d_name);
		files[count].bytes = (uint64_t)of.st_size;
		*ret_bytes += files[count++].bytes;
	}
	*ret_count = count;
	return files;
}

/* The newest one stays in any case. */
static void rotate(const char *folder, uint64_t most)
{
	DIR *d = opendir(folder);
	struct file *files;
	uint64_t bytes;
	size_t count;

	if (!d)
		return;
	files = list_files(d, &count, &bytes);
	if (count)
		qsort(files, count, sizeof *files, by_name);
	for (size_t i = 0; i + 1 < count && bytes > most; i++) {
		if (unlinkat(dirfd(d), files[i].name, 0) == 0)
			bytes -= files[i].bytes;
	}
	free(files);
	closedir(d);
}

/* ---- a problem ---- */

static bool find_finding(const struct engine *e, uint64_t identity, struct view_finding *ret)
{
	for (size_t i = 0; view_finding(e, i, ret); i++) {
		if (ret->identity == identity)
			return true;
	}
	return false;
}

static void tell_covered(
	const struct engine *e, unsigned incident, void (*covered)(void *context, uint64_t identity), void *context)
{
	struct view_finding *f = memory_zalloc(sizeof *f);

	for (size_t i = 0; view_finding(e, i, f); i++) {
		if (f->incident == incident)
			covered(context, f->identity);
	}
	free(f);
}

bool live_save_finding(const struct live_saves *s, uint64_t identity, const char *folder, uint64_t most,
	void (*covered)(void *context, uint64_t identity), void *context, struct text *ret)
{
	struct view_finding *f = memory_zalloc(sizeof *f);
	bool saved = false;

	covered(context, identity);
	if (find_finding(s->engine, identity, f)) {
		struct save_wish wish = { .kind = f->incident ? SAVE_INCIDENTS : SAVE_FINDINGS,
			.numbers = f->incident ? &f->incident : &f->n,
			.count = 1 };

		saved = save_named(s, &wish, folder, f->first_ns, f->id, ret);
		if (f->incident)
			tell_covered(s->engine, f->incident, covered, context);
		rotate(folder, most);
	}
	free(f);
	return saved;
}
