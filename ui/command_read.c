/* SPDX-License-Identifier: MIT */
/* command_read: captures in, a report out. */
#include "ui/command.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyzer/budget.h"
#include "analyzer/engine.h"
#include "analyzer/feed.h"
#include "analyzer/file_clocks.h"
#include "captures/base/memory.h"
#include "captures/source.h"
#include "dissect/dissect.h"
#include "ui/dashboard/kept.h"
#include "ui/history_keep.h"
#include "ui/options.h"
#include "ui/places.h"
#include "ui/profile_load.h"
#include "ui/progress.h"
#include "ui/read_ui.h"
#include "ui/redact_files.h"
#include "ui/redact_key.h"
#include "ui/report.h"
#include "ui/save.h"
#include "ui/unread.h"

enum { ERROR_LINES_MAX = 20 };

/* A signal handler has no other way to its source: the one global that is not const. */
static struct source *volatile interrupted_source;
static volatile sig_atomic_t was_interrupted;

static void on_interrupt(int signal_number)
{
	struct source *s = interrupted_source;

	(void)signal_number;
	was_interrupted = 1;
	if (s)
		source_stop(s);
}

/* The first ^C ends the reading and gives the report; the second ends the process. */
static void interrupts_watch(struct source *s)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	was_interrupted = 0;
	interrupted_source = s;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void interrupts_forget(void)
{
	interrupted_source = NULL;
}

struct reading {
	struct read_options options;
	struct source *source;
	struct file_clocks clocks;
	struct dissector *dissector;
	struct config *config;
	struct site *site;
	struct engine *engine;
	struct names *names;
	const struct source_file **files;
	size_t file_count;
	struct history_keep *history;        /* NULL: none is kept */
	struct redact *redact;               /* NULL: names are as they are */
	struct redact_files *redacted_files; /* likewise */
	struct baseline *baseline;           /* what it knows already; NULL likewise */
	struct past_asks *past;              /* who asked the day before; NULL likewise */
	struct read_ui *ui;                  /* NULL: nobody looks */
	volatile sig_atomic_t read_to_end;
	struct save_source saves;            /* of the dashboard */
	char settings[PATH_MAX + 16];        /* likewise: path of kept ones; "" none are */
};

/* What the formats said of their interfaces: known only once the files were read. */
static void tell_interfaces(struct reading *g)
{
	if (g->options.bpf)
		engine_read_filter(g->engine, g->options.bpf);
	for (size_t i = 0; i < g->file_count; i++) {
		const struct source_file *f = g->files[i];

		engine_untimed(g->engine, f->untimed);
		for (size_t j = 0; j < f->interface_count; j++) {
			const struct source_interface *n = &f->interfaces[j];

			engine_interface(g->engine, (uint16_t)i, (uint16_t)j, n->filter[0] ? n->filter : NULL,
				n->snaplen,
					 n->has_drops ? n->if_drop : 0, n->has_drops ? n->os_drop : 0);
		}
	}
}

static void take_names(struct reading *g)
{
	size_t count;
	const struct source_name *names = source_names(g->source, &count);

	for (size_t i = 0; i < count; i++) {
		struct address a;

		if (address_parse(span_of(names[i].address), &a))
			names_add(g->names, &a, span_of(names[i].name));
	}
}

static void take_files(struct reading *g)
{
	g->file_count = source_file_count(g->source);
	g->files = memory_zalloc((g->file_count + 1) * sizeof *g->files);
	for (size_t i = 0; i < g->file_count; i++)
		g->files[i] = source_file(g->source, i);
}

/* Before the capture is read: whoever waits an hour for it wants to know now. The diagnosis goes on without. */
static void history_open(struct reading *g)
{
	struct err err;

	if (!g->options.history)
		return;
	g->history = history_keep_new(g->options.history, &err);
	if (!g->history)
		command_trouble("%s", err.text);
}

static void take_frame(struct reading *g, const struct frame *f)
{
	struct packet packet;

	dissect_frame(g->dissector, f);
	while (dissect_next(g->dissector, &packet))
		engine_packet(g->engine, &packet);
}

static bool decodes_ahead(const struct read_options *o)
{
	cpu_set_t ours;

	if (o->ui)                      /* whoever looks wants what a pipe gave so far */
		return false;
	if (o->jobs)
		return o->jobs > 1;
	return sched_getaffinity(0, sizeof ours, &ours) == 0 && CPU_COUNT(&ours) > 1;
}

static void take_batch(struct reading *g, const struct feed_batch *b)
{
	unsigned from = 0;

	for (unsigned i = 0; g->history && i < b->count; i++)
		history_keep_frame(g->history, b->items[i].frame);
	for (unsigned i = 0; i < b->count; i++) {
		const struct feed_item *item = &b->items[i];

		if (item->plain || item->packet)
			continue;
		engine_items(g->engine, b->items + from, i - from);
		from = i + 1;
		take_frame(g, item->frame);
	}
	engine_items(g->engine, b->items + from, b->count - from);
}

static void read_frames(struct reading *g, bool ascii)
{
	struct feed *feed = feed_new(g->source, decodes_ahead(&g->options));
	const struct feed_batch *batch;
	struct progress progress;

	progress_begin(&progress, g->options.paths[0], ascii);
	progress.wanted = progress.wanted && !g->ui;
	while ((batch = feed_next(feed)) != NULL) {
		take_batch(g, batch);
		if (g->ui && batch->count)
			read_ui_look(g->ui, batch->items[batch->count - 1].frame->at_ns, batch->frames);
		progress_update(&progress, batch->done, batch->total, batch->frames);
	}
	progress_end(&progress);
	feed_free(feed);
	g->read_to_end = 1;
}

static bool has_damage(const struct reading *g)
{
	bool damage = false;

	for (size_t i = 0; i < g->file_count; i++)
		damage |= g->files[i]->error.code != ERR_OK;
	return damage;
}

static bool has_unread(const struct reading *g)
{
	char text[UNREAD_TEXT];
	bool unread = false;

	for (size_t i = 0; i < g->file_count; i++)
		unread |= unread_say(g->files[i], text) != NULL;
	return unread;
}

static void say_unread(const struct reading *g)
{
	char text[UNREAD_TEXT];

	for (size_t i = 0; i < g->file_count; i++) {
		if (unread_say(g->files[i], text))
			command_trouble("%s", text);
	}
}

/* --call: a number, else a Call-ID. The number, 0 none. */
static unsigned call_number(const struct reading *g)
{
	struct span wanted = span_of(g->options.call);
	struct view_call *c = memory_zalloc(sizeof *c);
	unsigned found = 0;
	uint64_t n;

	if (!span_number(wanted, UINT32_MAX, &n))
		n = 0;
	for (size_t i = 0; !found && view_call(g->engine, i, c); i++) {
		if (n && c->n == n)
			found = c->n;
		for (unsigned j = 0; j < c->call_id_count && !found; j++)
			if (span_equal(c->call_ids[j], wanted))
				found = c->n;
	}
	free(c);
	return found;
}

static size_t calls_count(const struct reading *g)
{
	struct view_call *c = memory_zalloc(sizeof *c);
	size_t n = 0;

	while (view_call(g->engine, n, c))
		n++;
	free(c);
	return n;
}

static void say_damage(const struct reading *g)
{
	size_t said = 0, more = 0;

	for (size_t i = 0; i < g->file_count; i++) {
		if (g->files[i]->error.code == ERR_OK)
			continue;
		if (said++ < ERROR_LINES_MAX)
			command_trouble("%s", g->files[i]->error.text);
		else
			more++;
	}
	if (more)
		command_trouble("and %zu more files with errors: --json lists them", more);
}

static bool nothing_read(const struct reading *g)
{
	uint64_t frames = 0;

	for (size_t i = 0; i < g->file_count; i++)
		frames += g->files[i]->frames;
	return frames == 0 && has_damage(g);
}

static void redact_open(struct reading *g)
{
	uint8_t key[REDACT_KEY];
	struct err err;

	if (!g->options.redact)
		return;
	if (redact_key_get(key, &err) != ERR_OK)
		fprintf(stderr, "deadair: %s\n", err.text);
	g->redact = redact_new(key);
	g->redacted_files = redact_files_new(g->files, g->file_count);
}

/* Behind the choice of what is listed, which goes by the true names. */
static void redact_begin(struct reading *g, struct report *r)
{
	if (!g->redact)
		return;
	engine_redact(g->engine, g->redact);
	r->files = redact_files_list(g->redacted_files);
	r->names = NULL;
}

/* The report in the form that was asked for; the status it ends with. */
static void report_print(const struct reading *g, struct report *r, unsigned call)
{
	if (g->options.json)
		report_json(r);
	else if (nothing_read(g))
		return;                 /* the trouble alone is said: a report on nothing would bury it */
	else if (g->options.why_not)
		report_why_not(r, g->options.why_not);
	else if (g->options.policy)
		report_policy(r, strcmp(g->options.policy, "nftables") == 0);
	else if (call)
		report_ladder(r, (size_t)selection_call(r->selection, call), g->options.markdown);
	else
		report_text(r);
}

/* Only when all was read: the history may have these very frames already. */
static void baseline_take(struct reading *g)
{
	struct err err;

	if (!g->history)
		return;
	g->baseline = history_keep_baseline(g->history, g->redact, &err);
	if (!g->baseline)
		command_trouble("%s", err.text);
}

static int report_make(struct reading *g, struct out *o)
{
	struct view_end end;
	struct selection selection;
	struct report report = { .engine = g->engine, .files = g->files, .file_count = g->file_count, .out = o,
		.names = g->names,
				 .selection = &selection, .baseline = g->baseline, .verbose = g->options.verbose,
				 .checklist = g->options.verbose || g->site->path, .interrupted = was_interrupted };
	struct selection_options chosen = { .filter = g->options.filter,
		.since = g->options.has_since ? &g->options.since : NULL,
					    .until = g->options.has_until ? &g->options.until : NULL,
					    .names = g->names };
	char wanted[80];
	struct err err;

	view_end(g->engine, &end);
	report.exit = has_damage(g) || has_unread(g) ? STATUS_TROUBLE : end.exit ? STATUS_FOUND : STATUS_CLEAN;
	if (g->options.call) {
		chosen.call = call_number(g);
		if (!chosen.call)
			return command_trouble("--call %s: no such call; the report numbers them, 1 to %zu",
					       text_escape(span_of(g->options.call), wanted, sizeof wanted),
					       calls_count(g));
	}
	selection_init(&selection, g->engine, &chosen);
	redact_begin(g, &report);
	report_print(g, &report, chosen.call);
	if (g->options.html && report_html_write(&report, g->options.html, g->options.redact, &err) != ERR_OK)
		report.exit = command_trouble("%s", err.text);
	selection_fini(&selection);
	return report.exit;
}

static enum err_code reading_open(struct reading *g, struct err *err)
{
	const struct read_options *o = &g->options;
	struct engine_options wanted = { .keep_texts = o->call || o->ui, .why_not = o->why_not, .memory = o->memory };

	g->config = config_new();
	g->site = site_new();
	if (profile_load(o->config, g->config, g->site, err) != ERR_OK)
		return err->code;
	if (o->utc) {
		setenv("TZ", "UTC0", 1);
		tzset();
	}
	g->names = names_new();
	profile_names(g->site, g->names);
	if (o->names && names_read(g->names, o->names, err) != ERR_OK)
		return err->code;
	g->source = source_open(o->paths, o->path_count, o->bpf, err);
	if (!g->source)
		return err->code;
	file_clocks_measure(&g->clocks, g->source);
	file_clocks_even(&g->clocks, g->source);
	wanted.clocks = &g->clocks;
	g->dissector = dissector_new();
	if (o->memory)
		dissector_limit(g->dissector, budget_dissect(o->memory));
	wanted.config = g->config;
	wanted.site = g->site;
	g->engine = engine_new(&wanted);
	return ERR_OK;
}

static void reading_close(struct reading *g)
{
	read_ui_free(g->ui);
	if (MEMORY_CHECKED)
		engine_free(g->engine);
	config_free(g->config);
	site_free(g->site);
	dissector_free(g->dissector);
	if (g->source)
		source_close(g->source);
	baseline_free(g->baseline);
	past_asks_free(g->past);
	history_keep_free(g->history);
	redact_free(g->redact);
	redact_files_free(g->redacted_files);
	names_free(g->names);
	free(g->files);
	read_options_fini(&g->options);
}

/* ---- the packets again ---- */

static void *again_begin(void *context, struct err *err)
{
	const struct reading *g = context;
	struct source *s = source_open(g->options.paths, g->options.path_count, g->options.bpf, err);

	if (s)
		file_clocks_even(&g->clocks, s);
	return s;
}

static bool again_next(void *walk, struct frame *ret)
{
	return source_next(walk, ret);
}

static void again_end(void *walk)
{
	source_close(walk);
}

static struct save_source save_source_of(struct reading *g)
{
	return (struct save_source){ .engine = g->engine, .files = g->files, .file_count = g->file_count,
	       .begin = again_begin, .next = again_next,
				     .end = again_end, .context = g };
}

static int save_packets(struct reading *g, int status)
{
	struct save_source from = save_source_of(g);
	struct save_wish wish;
	struct save_done done;
	struct err err;
	struct text t;
	unsigned *numbers;

	if (!g->options.save)
		return status;
	save_wish_parse(g->options.save, &wish, &numbers, &err);
	if (save_write(&from, &wish, g->options.save_file, &done, &err) == ERR_OK) {
		text_init(&t);
		save_said(&done, g->options.save_file, &t);
		fprintf(stderr, "deadair: %s\n", t.p);
		text_fini(&t);
	} else {
		status = command_trouble("%s", err.text);
	}
	free(numbers);
	return status;
}

/* Behind the report: whoever reads it does not wait for the disk. The status that is left. */
static int history_store(struct reading *g, int status)
{
	struct history_run run = { .engine = g->engine,
		.files = g->redact ? redact_files_list(g->redacted_files) : g->files, .file_count = g->file_count,
				   .redacted = g->redact, .no_evidence_text = g->options.no_evidence_text,
				   .complete = !was_interrupted && !has_damage(g) };
	struct err err;

	if (!g->options.history)
		return status;
	if (!g->history)                /* said when it was opened */
		return STATUS_TROUBLE;
	return history_keep_run(g->history, &run, &err) == ERR_OK ? status : command_trouble("%s", err.text);
}

/* What was read is all there is, or so it shall seem. */
/* What the history knows of the day before counts when it is judged. */
static void past_take(struct reading *g)
{
	struct err err;

	if (!g->history || g->past)
		return;
	g->past = history_keep_past(g->history, engine_first_ns(g->engine), &err);
	if (!g->past)
		command_trouble("%s", err.text);
	engine_past(g->engine, g->past);
}

static void settle(struct reading *g)
{
	take_files(g);
	take_names(g);
	tell_interfaces(g);
	engine_dissected(g->engine, dissector_counts(g->dissector));
	past_take(g);
	engine_finish(g->engine);
}

/* ---- the dashboard ---- */

static void ui_settle(void *context, const struct source_file *const **ret_files, size_t *ret_count)
{
	struct reading *g = context;

	settle(g);
	g->saves = save_source_of(g);
	*ret_files = g->files;
	*ret_count = g->file_count;
}

/* Whoever leaves while the capture is read has seen enough of it. */
static void ui_stop(void *context)
{
	struct reading *g = context;

	if (g->read_to_end)
		return;
	was_interrupted = 1;
	source_stop(g->source);
}

static bool ui_open(struct reading *g, struct err *err)
{
	const struct read_options *o = &g->options;
	struct read_ui_options options = { .source = g->source, .engine = g->engine, .names = g->names,
		.paths = o->paths, .path_count = o->path_count,
					   .color = o->color, .filter = o->filter_text, .history = o->history,
					   .saves = &g->saves, .leave = &was_interrupted, .settle = ui_settle,
					   .stop = ui_stop, .context = g };
	char folder[PATH_MAX];

	if (o->ui && places_read(folder, sizeof folder))
		snprintf(g->settings, sizeof g->settings, "%s/" KEPT_FILE, folder);
	options.settings = g->settings[0] ? g->settings : NULL;
	if (o->ui)
		g->ui = read_ui_open(&options, err);
	return !o->ui || g->ui;
}

static int reading_run(struct reading *g)
{
	struct out o;
	struct err err;
	int status;

	history_open(g);
	interrupts_watch(g->source);
	if (!ui_open(g, &err))
		return command_trouble("%s", err.text);
	command_out(&o, g->options.color);
	read_frames(g, o.ascii);
	settle(g);
	if (g->ui) {
		if (nothing_read(g))
			was_interrupted = 1;    /* it leaves: an empty dashboard would hide the trouble */
		g->saves = save_source_of(g);
		read_ui_end(g->ui, g->files, g->file_count);
	}
	interrupts_forget();
	redact_open(g);
	baseline_take(g);
	status = command_close(&o, report_make(g, &o));
	say_damage(g);
	say_unread(g);
	return history_store(g, save_packets(g, status));
}

int command_read(int argc, char **argv)
{
	struct reading g = { .file_count = 0 };
	struct err err = { .code = ERR_OK };
	int status;

	if (read_options_parse(&g.options, argc, argv, &err) != ERR_OK) {
		read_options_fini(&g.options);
		return command_trouble("%s", err.text);
	}
	status = reading_open(&g, &err) == ERR_OK ? reading_run(&g) : command_trouble("%s", err.text);
	reading_close(&g);
	return status;
}
