/* SPDX-License-Identifier: MIT */
/*
 * run: compiles scenarios, lets deadair read the captures, compares.
 *     run [--deadair PROGRAM] [--keep FOLDER] FILE.scn...
 *     run --write FILE.pcap FILE.scn       only the capture
 * A line a scenario, "ok NAME" or "not ok NAME: why"; "ok NAME # skipped: ..." where it needs a library that deadair
 * was built without; closes with "N passed, N failed". deadair runs three times: twice --json, which must agree byte
 * for byte, and once as text, which must end with the same status and leave the error output empty. With SCENARIOS_ONCE
 * in the environment --json runs once: for a second, slower build of the same program.
 */
#include "tests/scenarios/scenario.h"

#include "captures/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, OUTPUT_LIMIT = 64 << 20, DEADAIR_SECONDS = 60 };

struct output {
	uint8_t *p;
	size_t n, room;
	int status;                  /* -1: it did not end by itself */
};

static void output_read(struct output *o, int fd)
{
	ssize_t n;

	do {
		if (o->room - o->n < 65536) {
			o->room = 2 * o->room + 131072;
			o->p = memory_resize(o->p, o->room, 1);
		}
		n = read(fd, o->p + o->n, o->room - o->n - 1);
		if (n > 0)
			o->n += (size_t)n;
	} while ((n > 0 && o->n < OUTPUT_LIMIT) || (n < 0 && errno == EINTR));
	o->p[o->n] = '\0';
}

/* In the child: never returns. */
static void child_run(char *const *argv, int out, int err)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	alarm(DEADAIR_SECONDS);
	execv(argv[0], argv);
	_exit(127);
}

static struct output program_run(char *const *argv, int err)
{
	struct output o = { .status = -1 };
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) < 0)
		return o;
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		child_run(argv, ends[1], err);
	close(ends[1]);
	if (pid > 0) {
		output_read(&o, ends[0]);
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
			o.status = WEXITSTATUS(status);
	}
	close(ends[0]);
	return o;
}

/* JSON Lines: NULL, and the number of the bad line, when one is no object. */
static json_t *records_parse(const struct output *o, unsigned *ret_line)
{
	json_t *all = json_array();
	struct span rest = { o->p, o->n }, line;

	for (*ret_line = 1; rest.n && span_split(&rest, '\n', &line); ++*ret_line) {
		json_t *one = json_loadb((const char *)line.p, line.n, 0, NULL);

		if (!json_is_object(one)) {
			json_decref(one);
			json_decref(all);
			return NULL;
		}
		json_array_append_new(all, one);
	}
	return all;
}

struct run {
	const char *deadair;
	const char *folder;          /* of the captures */
	struct output version;       /* what deadair says of itself */
	bool keep;
	bool once;                   /* --json only once */
};

static bool output_holds(const struct output *o, const char *text)
{
	return span_find_text_nocase((struct span){ o->p, o->n }, span_of(text)) < o->n;
}

static bool is_within(json_t *finding, const char *key, const char *from, const char *to)
{
	const char *at = json_string_value(json_object_get(finding, key));

	return at && strcmp(at, from) >= 0 && strcmp(at, to) <= 0;
}

static bool frames_named(json_t *evidence)
{
	json_t *e;
	size_t i;

	json_array_foreach(evidence, i, e)
		if (!json_is_integer(json_object_get(e, "frame")))
			return false;
	return true;
}

/* A finding is about some time of the capture, and what proves it stands in a frame. */
static bool findings_placed(json_t *records, char *why, size_t room)
{
	const char *from = NULL, *to = NULL;
	json_t *r;
	size_t i;

	json_array_foreach(records, i, r) {
		const char *type = json_string_value(json_object_get(r, "type"));

		if (type && strcmp(type, "capture") == 0) {
			from = json_string_value(json_object_get(r, "first"));
			to = json_string_value(json_object_get(r, "last"));
		}
		if (!type || strcmp(type, "finding") != 0 || !from || !to)
			continue;
		if (is_within(r, "first", from, to) && is_within(r, "last", from, to) &&
		    frames_named(json_object_get(r, "evidence")))
			continue;
		snprintf(why, room, "%s has a time outside of the capture, or evidence without a frame",
			json_string_value(json_object_get(r, "id")));
		return false;
	}
	return true;
}

static bool secrets_kept(const struct scenario *s, const struct output *json, const struct output *text, char *why,
	size_t room)
{
	for (unsigned i = 0; i < s->never_count; i++) {
		if (!output_holds(json, s->never[i]) && !output_holds(text, s->never[i]))
			continue;
		snprintf(why, room, "the report holds \"%s\"", s->never[i]);
		return false;
	}
	return true;
}

/* As one line: where a paragraph is broken is not what a scenario is about. */
static void blanks_join(struct output *o)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++) {
		bool blank = o->p[i] == ' ' || o->p[i] == '\n';

		if (!blank || (n && o->p[n - 1] != ' '))
			o->p[n++] = blank ? ' ' : o->p[i];
	}
	o->n = n;
}

static bool words_said(const struct scenario *s, struct output *text, char *why, size_t room)
{
	blanks_join(text);
	for (unsigned i = 0; i < s->says_count; i++) {
		if (output_holds(text, s->says[i]))
			continue;
		snprintf(why, room, "the text does not say \"%s\"", s->says[i]);
		return false;
	}
	return true;
}

static bool judge(struct scenario *s, const struct output *first, const struct output *second,
	struct output *text, const char *complaint,
	char *why, size_t room)
{
	unsigned line;
	json_t *records;
	bool good;

	if (first->status < 0 || first->status > 2) {
		snprintf(why, room, "deadair ended with status %d", first->status);
		return false;
	}
	records = records_parse(first, &line);
	if (!records) {
		snprintf(why, room, "line %u of the report is no JSON object", line);
		return false;
	}
	good = scenario_check(s, records, first->status, why, room) && findings_placed(records, why, room);
	json_decref(records);
	if (good && (first->n != second->n || memcmp(first->p, second->p, first->n) != 0)) {
		snprintf(why, room, "a second run gave another report");
		good = false;
	}
	if (good && (text->status != first->status || text->n == 0)) {
		snprintf(why, room, "as text: status %d, %zu bytes; as JSON: status %d", text->status, text->n,
			first->status);
		good = false;
	}
	if (good)
		good = secrets_kept(s, first, text, why, room) && words_said(s, text, why, room);
	if (*complaint && first->status != 2) {
		snprintf(why, room, "written to the error output: %s", complaint);
		good = false;
	}
	return good;
}

/* The first line of it; "" when nothing was written. */
static void first_line(int fd, char *line, size_t room)
{
	ssize_t n = pread(fd, line, room - 1, 0);

	line[n > 0 ? n : 0] = '\0';
	if (*line == '\n')
		*line = ' ';
	line[strcspn(line, "\n")] = '\0';
}

static bool profile_write(const struct scenario *s, int fd, char *why, size_t room)
{
	ssize_t n = (ssize_t)strlen(s->profile);
	bool good = fd >= 0 && write(fd, s->profile, (size_t)n) == n;

	if (fd >= 0)
		close(fd);
	if (!good)
		snprintf(why, room, "the profile cannot be written");
	return good;
}

static bool captures_judge(const struct run *run, struct scenario *s, const char *const *paths, char *why, size_t room)
{
	char profile[] = "/tmp/deadair-profile-XXXXXX", *config = s->profile ? profile : "none";
	char *json[SCENARIO_FILES + 8] = { (char *)run->deadair, "read", "--config", config, "--json" };
	char *plain[SCENARIO_FILES + 7] = { (char *)run->deadair, "read", "--config", config };
	char errors[] = "/tmp/deadair-scenario-XXXXXX", complaint[200];
	int err = mkstemp(errors);
	struct output first, second, text;
	bool good;

	for (unsigned i = 0; i < s->file_count; i++) {
		json[5 + i] = (char *)paths[i];
		plain[4 + i] = (char *)paths[i];
	}
	if (s->memory) {
		json[5 + s->file_count] = plain[4 + s->file_count] = "--memory";
		json[6 + s->file_count] = plain[5 + s->file_count] = (char *)s->memory;
	}
	if (err < 0) {
		snprintf(why, room, "no temporary file");
		return false;
	}
	unlink(errors);
	if (s->profile && !profile_write(s, mkstemp(profile), why, room)) {
		close(err);
		return false;
	}
	first = program_run(json, err);
	second = run->once ? (struct output){ 0 } : program_run(json, err);
	text = program_run(plain, err);
	first_line(err, complaint, sizeof complaint);
	good = judge(s, &first, run->once ? &first : &second, &text, complaint, why, room);
	if (s->profile)
		unlink(profile);
	for (unsigned i = 0; i < s->profile_file_count; i++)
		unlink(s->profile_files[i]);
	close(err);
	free(first.p);
	free(second.p);
	free(text.p);
	return good;
}

static bool scenario_judge(const struct run *run, struct scenario *s, char *why, size_t room)
{
	const char *paths[SCENARIO_FILES];
	const char *stem = scenario_text(s, "%s/%s", run->folder, s->name);
	bool good = false;

	if (scenario_write(s, stem, paths, why, room))
		good = captures_judge(run, s, paths, why, room);
	for (unsigned i = 0; i < s->file_count && !run->keep; i++)
		unlink(paths[i]);
	return good;
}

/* "with NAME ..." is a line of deadair --version. */
static bool is_skipped(const struct run *run, struct scenario *s)
{
	return s->needs && !output_holds(&run->version, scenario_text(s, "\nwith %s", s->needs));
}

static bool scenario_run(const struct run *run, const char *path)
{
	struct scenario s;
	char why[1024] = "";
	const char *note = "";
	bool good = false;

	if (!scenario_read(&s, path))
		snprintf(why, sizeof why, "%s", s.error);
	else if (list_empty(&s.expectations))
		snprintf(why, sizeof why, "it expects nothing");
	else if (is_skipped(run, &s))
		good = true, note = scenario_text(&s, " # skipped: deadair was built without %s", s.needs);
	else
		good = scenario_judge(run, &s, why, sizeof why);
	if (good)
		printf("ok %s%s\n", s.name, note);
	else
		printf("not ok %s: %s\n", s.name, why);
	fflush(stdout);
	scenario_free(&s);
	return good;
}

static int write_only(const char *to, const char *path)
{
	struct scenario s;
	char why[1024] = "";
	bool good = scenario_read(&s, path);

	if (!good)
		snprintf(why, sizeof why, "%s", s.error);
	else
		good = scenario_write_one(&s, to, why, sizeof why);
	if (good && s.profile)
		good = profile_write(&s, open(scenario_text(&s, "%s.conf", to), O_WRONLY | O_CREAT | O_TRUNC, 0644),
			why, sizeof why);
	if (!good)
		fprintf(stderr, "%s\n", why);
	scenario_free(&s);
	return good ? 0 : 2;
}

static int usage(void)
{
	fputs("usage: run [--deadair PROGRAM] [--keep FOLDER] FILE.scn...\n       run --write FILE.pcap FILE.scn\n",
		stderr);
	return 2;
}

static int run_all(struct run *run, char **paths, int count)
{
	char folder[] = "/tmp/deadair-scenarios-XXXXXX";
	unsigned passed = 0, failed = 0;

	if (!run->keep) {
		run->folder = mkdtemp(folder);
		if (!run->folder) {
			perror(folder);
			return 2;
		}
	}
	run->version = program_run((char *const[]){ (char *)run->deadair, "--version", NULL }, STDERR_FILENO);
	for (int i = 0; i < count; i++) {
		if (scenario_run(run, paths[i]))
			passed++;
		else
			failed++;
	}
	free(run->version.p);
	if (!run->keep)
		rmdir(run->folder);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct run run = { .deadair = getenv("DEADAIR"), .once = getenv("SCENARIOS_ONCE") != NULL };
	int at = 1;

	if (argc == 4 && strcmp(argv[1], "--write") == 0)
		return write_only(argv[2], argv[3]);
	for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
		if (strcmp(argv[at], "--deadair") == 0)
			run.deadair = argv[at + 1];
		else if (strcmp(argv[at], "--keep") == 0)
			run.folder = argv[at + 1];
		else
			return usage();
	}
	run.keep = run.folder != NULL;
	if (!run.deadair)
		run.deadair = "./deadair";
	if (at == argc)
		return usage();
	return run_all(&run, argv + at, argc - at);
}
