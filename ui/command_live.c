/* SPDX-License-Identifier: MIT */
/* command_live: interfaces in, a line for every finding that opens or closes, a report at the end. */
#include "ui/command.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/budget.h"
#include "captures/base/memory.h"
#include "captures/live/privileges.h"
#include "captures/live/ring.h"
#include "captures/live/sandbox.h"
#include "dissect/dissect.h"
#include "ui/live_rounds.h"
#include "ui/live_ui.h"
#include "ui/notify.h"
#include "ui/places.h"
#include "ui/profile_load.h"
#include "ui/redact_key.h"

/* How long nothing is heard of SIP before the capture explains itself. */
#define QUIET_NS (10 * SECOND_NS)
/* Drops are told so often at most. */
#define DROPS_NS (10 * SECOND_NS)
/* How often one looks up from the frames, in their time. */
#define LOOK_NS (100 * MILLISECOND_NS)
/* The dashboard gets new numbers so often. */
#define TELL_NS (250 * MILLISECOND_NS)
enum { FRAMES_BETWEEN_LOOKS = 512, FOLDERS_MOST = 8, AUDIO_KEPT_WHOLE = 16 };

/* A signal handler has no other way to its capture: the globals that are not const. */
static struct live *volatile interrupted_live;
static volatile sig_atomic_t save_asked, reopen_asked, end_asked;

static void on_signal(int number)
{
	struct live *l = interrupted_live;

	if (number == SIGUSR1)
		save_asked = 1;
	else if (number == SIGHUP)
		reopen_asked = 1;
	else
		end_asked = 1;
	if (end_asked && l)
		live_stop(l);
}

/* The first ^C ends the capture and gives the report; the second ends the process. */
static void signals_watch(struct live *l)
{
	struct sigaction end = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND },
		ask = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&end.sa_mask);
	sigemptyset(&ask.sa_mask);
	interrupted_live = l;
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGUSR1, &ask, NULL);
	sigaction(SIGHUP, &ask, NULL);
}

struct watching {
	struct live_arguments arguments;
	struct live *live;
	struct dissector *dissector;
	struct config *config;
	struct site *site;
	struct engine *engine;
	struct names *names;
	struct keep *keep;
	struct redact *redact;       /* NULL: names are as they are */
	struct live_rounds rounds;
	struct live_say say;
	struct live_output output;
	struct notify notify;
	bool wants_ui;
	struct live_ui *ui;          /* NULL: lines */
	struct live_numbers numbers;
	int64_t told_ns;             /* numbers; monotonic */
	uint64_t told_frames;        /* rate_ns ago */
	int64_t rate_ns;
	const struct source_file *files[LIVE_INTERFACES_MOST];
	size_t file_count;
	char source[256];            /* "eth1+eth2" */
	char state_folder[PATH_MAX]; /* "" none is needed */
	char history_path[PATH_MAX];
	char here[PATH_MAX];
	uint64_t frames, sip;
	int64_t now_ns;              /* packet time: of the newest frame, or later where nothing came */
	int64_t looked_ns;           /* packet time at which look() was last called from frames */
	int64_t begun_ns, dropped_ns;     /* monotonic */
	bool quiet_told;
};

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void take_files(struct watching *w)
{
	w->file_count = live_count(w->live);
	for (size_t i = 0; i < w->file_count; i++)
		w->files[i] = live_file(w->live, i);
}

static struct live_judgement judgement_of(struct watching *w)
{
	const struct dissector_counts *counts = dissector_counts(w->dissector);

	take_files(w);
	return (struct live_judgement){ .engine = w->engine, .files = w->files, .file_count = w->file_count,
	       .now_ns = w->now_ns,
					.datagrams_evicted = counts->fragments_evicted,
					.tcp_evicted = counts->tcp_evicted, .verdicts = true,
					.json = w->arguments.json, .verbose = w->arguments.verbose, .keep = w->keep,
					.redact = w->redact,
					.baseline = w->rounds.history ? w->rounds.history->baseline : NULL };
}

/* ---- signals ---- */

static void heed_save(struct watching *w)
{
	if (!save_asked)
		return;
	save_asked = 0;
	if (!w->rounds.save_folder)
		live_say(&w->say, "not saved: there is no folder for it: --save-dir names one");
	else if (w->frames == 0)
		live_say(&w->say, "not saved: no packet has come yet");
	else
		w->rounds.save_wanted = true;
}

static void heed_reopen(struct watching *w)
{
	struct err err;

	if (!reopen_asked)
		return;
	reopen_asked = 0;
	if (live_output_reopen(&w->output, &err) != ERR_OK)
		live_say(&w->say, "%s; the file that is open stays in use", err.text);
}

/* ---- numbers for the dashboard ---- */

static void number_interfaces(struct watching *w, struct live_numbers *n)
{
	n->frames = n->bytes = n->ring_drops = n->card_drops = 0;
	n->interface_count = w->file_count < NUMBERS_INTERFACES ? w->file_count : NUMBERS_INTERFACES;
	for (size_t i = 0; i < w->file_count; i++) {
		const struct source_file *f = live_file(w->live, i);
		const struct source_interface *of = f->interfaces;

		n->frames += f->frames;
		n->bytes += f->bytes;
		n->ring_drops += of->os_drop;
		n->card_drops += of->if_drop;
		if (i >= NUMBERS_INTERFACES)
			continue;
		n->interfaces[i] = (struct live_numbers_interface){ .state = (uint8_t)live_state(w->live, i),
			.frames = f->frames,
								   .received = of->received, .ring_drops = of->os_drop,
								   .card_drops = of->if_drop,
								   .ring_bytes = live_ring_bytes(w->live, i) };
		snprintf(n->interfaces[i].name, sizeof n->interfaces[i].name, "%s", of->name);
	}
}

static void tell_numbers(struct watching *w, int64_t now_ns)
{
	struct keep_extent kept = keep_extent(w->keep);
	struct live_numbers *n = &w->numbers;

	if (now_ns - w->told_ns < TELL_NS)
		return;
	w->told_ns = now_ns;
	number_interfaces(w, n);
	if (now_ns - w->rate_ns >= SECOND_NS) {
		n->frames_per_s = (uint64_t)((double)(n->frames - w->told_frames) * (double)SECOND_NS / (double)(now_ns - w->rate_ns));
		w->told_frames = n->frames;
		w->rate_ns = now_ns;
	}
	n->now_ns = w->now_ns;
	n->kept_from_ns = kept.first_ns;
	n->kept_bytes = kept.bytes;
	n->kept_most = keep_room(w->keep);
	n->findings_open = live_findings_open(w->rounds.findings);
	snprintf(n->note, sizeof n->note, "%s", w->say.note);
	live_ui_tell(w->ui, n);
}

/* ---- the capture ---- */

static void look(struct watching *w)
{
	struct live_judgement what = judgement_of(w);
	int64_t now_ns = ring_monotonic_ns();

	heed_save(w);
	heed_reopen(w);
	notify_alive(&w->notify, now_ns);
	live_say_notes(&w->say);
	if (now_ns - w->dropped_ns >= DROPS_NS) {
		w->dropped_ns = now_ns;
		live_say_drops(&w->say);
	}
	if (!w->quiet_told && !w->sip && now_ns - w->begun_ns >= QUIET_NS) {
		live_say_quiet(&w->say, (int)(QUIET_NS / SECOND_NS));
		w->quiet_told = true;
	}
	if (w->ui) {
		live_ui_judgement(w->ui, &what);
		tell_numbers(w, now_ns);
	}
	live_rounds_look(&w->rounds, &what);
	if (w->output.out.error)        /* nobody reads any more */
		live_stop(w->live);
}

/* How much of a frame is kept: of audio the headers, and what is no audio at all, as digits. */
static size_t wanted_bytes(const struct frame *f, const struct packet *p)
{
	const uint8_t *payload = p->rtp.payload.p;

	if (p->kind != PACKET_RTP || p->tunnel == TUNNEL_TURN || p->rtp.payload.n <= AUDIO_KEPT_WHOLE ||
	    payload < f->bytes.p ||
	    payload > f->bytes.p + f->bytes.n)
		return SIZE_MAX;
	return (size_t)(payload - f->bytes.p);
}

static void take_frame(struct watching *w, const struct frame *f)
{
	struct packet packet;
	size_t wanted = 0;

	dissect_frame(w->dissector, f);
	while (dissect_next(w->dissector, &packet)) {
		size_t more = w->arguments.keep_audio ? SIZE_MAX : wanted_bytes(f, &packet);

		wanted = more > wanted ? more : wanted;
		w->sip += packet.kind == PACKET_SIP;
		if (!w->sip)
			live_say_packet(&w->say, &packet);
		engine_packet(w->engine, &packet);
	}
	keep_add(w->keep, f, wanted);
	w->frames++;
	w->numbers.last_frame_ns = f->at_ns;
	if (w->numbers.begun_ns == NS_NONE)
		w->numbers.begun_ns = f->at_ns;
	if (w->now_ns == NS_NONE || f->at_ns > w->now_ns)
		w->now_ns = f->at_ns;
}

static void watch(struct watching *w)
{
	struct frame frame;
	int64_t now_ns;

	w->begun_ns = w->dropped_ns = ring_monotonic_ns();
	for (;;) {
		switch (live_next(w->live, &frame, &now_ns)) {
		case LIVE_FRAME:
			take_frame(w, &frame);
			if (w->frames % FRAMES_BETWEEN_LOOKS == 0 || ns_minus(w->now_ns, w->looked_ns) >= LOOK_NS) {
				w->looked_ns = w->now_ns;
				look(w);
			}
			break;
		case LIVE_QUIET:
			if (w->frames && now_ns != NS_NONE && now_ns > w->now_ns)
				w->now_ns = now_ns;
			look(w);
			break;
		case LIVE_END:
			return;
		}
	}
}

/* ---- beginning ---- */

static int list_interfaces(void)
{
	struct err err;
	struct text t;
	struct out o;
	int status;

	text_init(&t);
	if (!interface_list(&t, &err)) {
		text_fini(&t);
		return command_trouble("%s", err.text);
	}
	command_out(&o, "never");
	out_text(&o, t.p);
	status = command_close(&o, STATUS_CLEAN);
	text_fini(&t);
	return status;
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
	if (((wants_history(a) && !a->history) || !a->save_folder) &&
	    !places_write(w->state_folder, sizeof w->state_folder, err))
		return err->code;
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

/* All that wants a permission, so that none is wanted later. */
static enum err_code watching_open(struct watching *w, struct err *err)
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
	bool dropped = true;

	text_init(&t);
	if (w->arguments.keep_privileges)
		text_add(&t, "privileges as they are");
	else
		dropped = privileges_drop(&t, err);
	if (dropped)
		live_say(&w->say, "%s", t.p);
	text_fini(&t);
	return dropped;
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
		live_say(&w->say, "history: %s", text_escape(span_of(w->history_path), shown, sizeof shown));
		return;
	}
	live_say(&w->say, "no history: %s", (size_t)n < sizeof w->history_path ? err.text : "its path is too long");
	free(h);
}

/* Who looks at a dashboard saves where they are, if they may. */
static bool here(struct watching *w)
{
	return getcwd(w->here, sizeof w->here) && access(w->here, W_OK | X_OK) == 0;
}

/* Behind the sandbox, which holds for threads that are made in it. */
static void start_history(struct watching *w)
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
		folders[wish.folder_count++] = history;
	}
	if (w->rounds.save_folder && !(w->rounds.history && strcmp(w->rounds.save_folder, history) == 0))
		folders[wish.folder_count++] = w->rounds.save_folder;
	if (a->record_folder)
		folders[wish.folder_count++] = a->record_folder;
	if (a->output) {
		folder_of(a->output, output);
		folders[wish.folder_count++] = output;
	}
	text_init(&t);
	entered = sandbox_enter(&wish, &t, err);
	if (entered)
		live_say(&w->say, "%s", t.p);
	text_fini(&t);
	return entered;
}

/* Before threads, and before the first packet is looked at. */
static bool confine(struct watching *w, struct err *err)
{
	umask(077);
	return drop_privileges(w, err) && open_files(w, err) == ERR_OK && enter_sandbox(w, err);
}

/* ---- the end ---- */

static int report_end(struct watching *w)
{
	struct view_end end;
	struct selection selection;
	struct selection_options all = { .names = w->names };
	struct live_judgement what = judgement_of(w);
	struct report report = { .engine = w->engine, .files = w->files, .file_count = w->file_count,
		.out = &w->output.out, .names = w->redact ? NULL : w->names,
				 .selection = &selection, .verbose = w->arguments.verbose };

	live_say_drops(&w->say);
	live_judge_tell_interfaces(w->engine, w->files, w->file_count);
	engine_dissected(w->engine, what.datagrams_evicted, what.tcp_evicted);
	engine_finish(w->engine);
	if (w->redact)
		engine_redact(w->engine, w->redact);
	live_rounds_end(&w->rounds, &what);
	view_end(w->engine, &end);
	report.exit = end.exit ? STATUS_FOUND : STATUS_CLEAN;
	selection_init(&selection, w->engine, &all);
	if (w->arguments.json)
		report_json(&report);
	else
		report_text(&report);
	selection_fini(&selection);
	return report.exit;
}

static void ui_stop(void *context)
{
	live_stop(context);
}

/* Where there can be none, lines come instead. */
static void ui_open(struct watching *w)
{
	struct live_ui_options options = { .engine = w->engine, .names = w->names, .keep = w->keep,
		.color = w->arguments.color,
					   .history = w->rounds.history ? w->history_path : NULL,
					   .save_folder = w->rounds.save_folder,
					   .leave = &end_asked, .stop = ui_stop, .stop_context = w->live };
	struct err err;

	if (!w->wants_ui)
		return;
	snprintf(w->numbers.source, sizeof w->numbers.source, "%.120s", w->source);
	w->numbers.live = true;
	w->numbers.history = w->rounds.history != NULL;
	w->ui = live_ui_open(&options, &err);
	if (!w->ui) {
		live_say(&w->say, "no dashboard: %s; lines instead", err.text);
		return;
	}
	w->say.mute = w->output.quiet = true;
	live_ui_tell(w->ui, &w->numbers);
}

static void ui_close(struct watching *w)
{
	live_ui_close(w->ui);
	w->ui = NULL;
	w->say.mute = w->output.quiet = false;
}

static int watching_run(struct watching *w)
{
	struct live_judgement what;
	struct err err;
	int status;

	live_say_filter(&w->say);
	live_say_interfaces(&w->say);
	if (!confine(w, &err))
		return command_trouble("%s", err.text);
	start_history(w);
	signals_watch(w->live);
	if (live_start(w->live, &err)) {
		notify_tell(&w->notify, "READY=1\nSTATUS=capturing");
		ui_open(w);
		watch(w);
		what = judgement_of(w);
		live_rounds_settle(&w->rounds, &what);
		ui_close(w);
		notify_tell(&w->notify, "STOPPING=1");
		live_say_notes(&w->say);
		status = report_end(w);
	} else {
		status = command_trouble("%s", err.text);
	}
	interrupted_live = NULL;
	if (w->output.unsent)
		live_say(&w->say, "the log did not take %llu messages", (unsigned long long)w->output.unsent);
	return command_close(&w->output.out, status);
}

static void watching_close(struct watching *w)
{
	live_rounds_fini(&w->rounds);
	live_close(w->live);
	engine_free(w->engine);
	config_free(w->config);
	site_free(w->site);
	dissector_free(w->dissector);
	names_free(w->names);
	keep_free(w->keep);
	redact_free(w->redact);
	syslog_close(w->output.syslog);
	notify_close(&w->notify);
}

int command_live(int argc, char **argv)
{
	struct watching *w = memory_zalloc(sizeof *w);
	struct err err = { .code = ERR_OK };
	int status;

	w->now_ns = NS_NONE;
	w->numbers.begun_ns = w->numbers.now_ns = w->numbers.last_frame_ns = w->numbers.kept_from_ns = NS_NONE;
	w->notify.fd = -1;
	if (live_arguments_parse(&w->arguments, argc, argv, &err) != ERR_OK)
		status = command_trouble("%s", err.text);
	else if (w->arguments.list_interfaces)
		status = list_interfaces();
	else if (watching_open(w, &err) != ERR_OK)
		status = command_trouble("%s", err.text);
	else
		status = watching_run(w);
	watching_close(w);
	free(w);
	return status;
}
