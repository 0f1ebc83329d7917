/* SPDX-License-Identifier: MIT */
/* live_watching: what live wants before it captures: interfaces, files, and then fewer privileges. */
#include "ui/live_watching.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/budget.h"
#include "captures/base/memory.h"
#include "captures/live/privileges.h"
#include "captures/live/sandbox.h"
#include "ui/dashboard/kept.h"
#include "ui/places.h"
#include "ui/profile_load.h"
#include "ui/redact_key.h"

enum { FOLDERS_MOST = 8 };

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static bool wants_history(const struct live_arguments *a)
{
	return !a->history || strcmp(a->history, "none") != 0;
}

static void name_source(struct watching *w)
{
	struct text t;

	text_init(&t);
	for (size_t i = 0; i < w->arguments.interface_count; i++) {
		text_add(&t, i ? "+" : "");
		text_add_escaped(&t, span_of(w->arguments.interfaces[i]));
	}
	text_escape(span_of(t.p), w->source, sizeof w->source);
	text_fini(&t);
}

/* What is said of what is read, and where things are kept. */
static enum err_code open_profile(struct watching *w, struct err *err)
{
	const struct live_arguments *a = &w->arguments;
	bool needed = (wants_history(a) && !a->history) || !a->save_folder;

	w->config = config_new();
	w->site = site_new();
	if (profile_load(a->config, w->config, w->site, err) != ERR_OK)
		return err->code;
	if (a->utc)
		setenv("TZ", "UTC0", 1);
	tzset();
	w->names = names_new();
	profile_names(w->site, w->names);
	if (a->names && names_read(w->names, a->names, err) != ERR_OK)
		return err->code;
	if ((needed || w->wants_ui) && !places_write(w->state_folder, sizeof w->state_folder, err)) {
		w->state_folder[0] = '\0';
		if (needed)
			return err->code;
	}
	return ERR_OK;
}

static void open_analysis(struct watching *w)
{
	const struct live_arguments *a = &w->arguments;
	size_t memory = a->memory - a->keep_bytes;
	struct engine_options wanted = { .live = true, .keep_texts = w->wants_ui, .memory = memory, .config = w->config,
		.site = w->site };

	w->dissector = dissector_new();
	dissector_limit(w->dissector, budget_dissect(memory));
	w->engine = engine_new(&wanted);
	w->keep = keep_new(a->keep_bytes, a->keep_ns);
	live_rounds_init(&w->rounds, w->config);
	w->rounds.arguments = a;
	w->rounds.say = &w->say;
	w->rounds.output = &w->output;
}

enum err_code watching_open(struct watching *w, struct err *err)
{
	const struct live_arguments *a = &w->arguments;
	struct live_options options = { .interfaces = a->interfaces, .count = a->interface_count, .bpf = a->bpf,
		.ring_bytes = a->ring_bytes };

	w->wants_ui = a->ui || (!a->no_ui && !a->json && !a->output && live_ui_possible());
	if (open_profile(w, err) != ERR_OK)
		return err->code;
	w->live = live_open(&options, err);
	if (!w->live)
		return err->code;
	w->say.live = w->live;
	w->say.arguments = a;
	name_source(w);
	open_analysis(w);
	notify_open(&w->notify);
	w->output = (struct live_output){ .json = a->json, .source = w->source };
	if (a->syslog) {
		w->output.syslog = syslog_open(a->syslog, err);
		if (!w->output.syslog)
			return err->code;
	}
	return ERR_OK;
}

/* ---- privileges and files ---- */

static bool drop_privileges(struct watching *w, struct err *err)
{
	struct text t;
	uid_t before = geteuid();
	bool dropped = true;

	text_init(&t);
	if (w->arguments.keep_privileges)
		text_add(&t, "privileges as they are");
	else
		dropped = privileges_drop(&t, err);
	if (dropped)
		live_say(&w->say, "%s", t.p);
	w->became_other = geteuid() != before;
	text_fini(&t);
	return dropped;
}

/* Where root might have written, and whom it has become may not. */
static void say_whom(const struct watching *w, struct err *err)
{
	const struct passwd *whom = w->became_other && err->code == ERR_PERMISSION ? getpwuid(geteuid()) : NULL;
	size_t n = strlen(err->text);

	if (whom)
		snprintf(err->text + n, sizeof err->text - n,
			": root has become user %s: name a place of that user's, or --keep-privileges", whom->pw_name);
}

/* A history that cannot be had is said, and the capture goes on without. */
static void open_history(struct watching *w)
{
	const struct live_arguments *a = &w->arguments;
	struct live_history_wish wish = { .path = w->history_path, .source = w->source, .began_ns = wall_ns(),
		.keep_ns = a->history_keep_ns,
					  .no_texts = a->no_evidence_text, .redacted = a->redact, .redact = w->redact };
	struct live_history *h = memory_zalloc(sizeof *h);
	char shown[256];
	struct err err;
	int n = w->arguments.history ? snprintf(w->history_path, sizeof w->history_path, "%s", w->arguments.history)
				     : snprintf(w->history_path, sizeof w->history_path, "%s/" PLACES_HISTORY,
				     	w->state_folder);

	if ((size_t)n < sizeof w->history_path && live_history_open(h, &wish, &err)) {
		w->rounds.history = h;
		w->past = h->past;
		h->past = NULL;
		engine_past(w->engine, w->past);
		live_say(&w->say, "history: %s", text_escape(span_of(w->history_path), shown, sizeof shown));
		return;
	}
	if ((size_t)n < sizeof w->history_path)
		say_whom(w, &err);
	live_say(&w->say, "no history: %s", (size_t)n < sizeof w->history_path ? err.text : "its path is too long");
	free(h);
}

/* Who looks at a dashboard saves where they are, if they may. */
static bool here(struct watching *w)
{
	return getcwd(w->here, sizeof w->here) && access(w->here, W_OK | X_OK) == 0;
}

void watching_start_history(struct watching *w)
{
	struct err err;

	if (!w->rounds.history || live_history_start(w->rounds.history, &err))
		return;
	live_say(&w->say, "no history: %s", err.text);
	live_history_close(w->rounds.history, NULL);
	free(w->rounds.history);
	w->rounds.history = NULL;
}

static void open_redact(struct watching *w)
{
	uint8_t key[REDACT_KEY];
	struct err err;

	if (!w->arguments.redact)
		return;
	if (redact_key_get(key, &err) != ERR_OK)
		live_say(&w->say, "%s", err.text);
	w->redact = redact_new(key);
}

/* As the user that the process is by now. */
static enum err_code open_files(struct watching *w, struct err *err)
{
	const struct live_arguments *a = &w->arguments;
	char shown[256];
	bool state = w->state_folder[0] != '\0';

	if (state && !places_make(w->state_folder, err)) {
		live_say(&w->say, "%s: nothing is kept there", err->text);
		w->state_folder[0] = '\0';
	}
	open_redact(w);
	if (w->wants_ui && w->state_folder[0])
		snprintf(w->settings_path, sizeof w->settings_path, "%s/" KEPT_FILE, w->state_folder);
	if (wants_history(a) && (a->history || w->state_folder[0]))
		open_history(w);
	if (a->record_folder && !places_make(a->record_folder, err))
		return err->code;
	if (a->save_folder && !places_make(a->save_folder, err))
		return err->code;
	w->rounds.save_folder = a->save_folder ? a->save_folder : w->wants_ui &&
		here(w) ? w->here : w->state_folder[0] ? w->state_folder : NULL;
	if (w->rounds.save_folder)
		live_say(&w->say, "kill -USR1 %ld saves the newest packets in %s", (long)getpid(),
			 text_escape(span_of(w->rounds.save_folder), shown, sizeof shown));
	return live_output_open(&w->output, a->output, a->color, err);
}

/* The folder that a file is in. */
static void folder_of(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	snprintf(ret, PATH_MAX, "%.*s", slash ? (int)(slash - path) + (slash == path) : 1, slash ? path : ".");
}

/* Each once. */
static void folder_add(struct sandbox_wish *wish, const char *folders[FOLDERS_MOST], const char *folder)
{
	for (size_t i = 0; i < wish->folder_count; i++) {
		if (strcmp(folders[i], folder) == 0)
			return;
	}
	if (wish->folder_count < FOLDERS_MOST)
		folders[wish->folder_count++] = folder;
}

static bool enter_sandbox(struct watching *w, struct err *err)
{
	const struct live_arguments *a = &w->arguments;
	char history[PATH_MAX], output[PATH_MAX];
	const char *folders[FOLDERS_MOST];
	struct sandbox_wish wish = { .folders = folders, .reconnects = a->syslog != NULL };
	struct text t;
	bool entered;

	if (a->no_sandbox) {
		live_say(&w->say, "no sandbox");
		return true;
	}
	if (w->rounds.history) {
		folder_of(w->history_path, history);
		folder_add(&wish, folders, history);
	}
	if (w->rounds.save_folder)
		folder_add(&wish, folders, w->rounds.save_folder);
	if (w->settings_path[0])
		folder_add(&wish, folders, w->state_folder);
	if (a->record_folder)
		folder_add(&wish, folders, a->record_folder);
	if (a->output) {
		folder_of(a->output, output);
		folder_add(&wish, folders, output);
	}
	text_init(&t);
	entered = sandbox_enter(&wish, &t, err);
	if (entered)
		live_say(&w->say, "%s", t.p);
	text_fini(&t);
	return entered;
}

bool watching_confine(struct watching *w, struct err *err)
{
	umask(077);
	if (!drop_privileges(w, err))
		return false;
	if (open_files(w, err) == ERR_OK)
		return enter_sandbox(w, err);
	say_whom(w, err);
	return false;
}

void watching_close(struct watching *w)
{
	live_rounds_fini(&w->rounds);
	live_close(w->live);
	engine_free(w->engine);
	past_asks_free(w->past);
	config_free(w->config);
	site_free(w->site);
	dissector_free(w->dissector);
	names_free(w->names);
	keep_free(w->keep);
	redact_free(w->redact);
	syslog_close(w->output.syslog);
	notify_close(&w->notify);
}
