/* SPDX-License-Identifier: MIT */
/* command_live: interfaces in, a line for every finding that opens or closes, a report at the end. */
#include "ui/command.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "analyzer/budget.h"
#include "captures/base/memory.h"
#include "captures/live/privileges.h"
#include "captures/live/ring.h"
#include "captures/live/sandbox.h"
#include "dissect/dissect.h"
#include "ui/link_name.h"
#include "ui/live_findings.h"
#include "ui/live_judge.h"
#include "ui/live_options.h"
#include "ui/profile_load.h"
#include "ui/words.h"

/* How long nothing is heard of SIP before the capture explains itself. */
#define QUIET_NS (10 * SECOND_NS)
/* Drops are told so often at most. */
#define DROPS_NS (10 * SECOND_NS)
/* How often one looks up from the frames, in their time. */
#define LOOK_NS (100 * MILLISECOND_NS)
/* Of one processor at most a quarter judges. */
enum { JUDGE_SHARE = 4, FRAMES_BETWEEN_LOOKS = 512 };

/* A signal handler has no other way to its capture: the one global that is not const. */
static struct live *volatile interrupted_live;

static void on_interrupt(int signal_number)
{
	struct live *l = interrupted_live;

	(void)signal_number;
	if (l)
		live_stop(l);
}

/* The first ^C ends the capture and gives the report; the second ends the process. */
static void interrupts_watch(struct live *l)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	interrupted_live = l;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

struct drops { uint64_t ring, card; };

struct watching {
	struct live_arguments arguments;
	struct live *live;
	struct dissector *dissector;
	struct config *config;
	struct site *site;
	struct engine *engine;
	struct names *names;
	struct live_judge *judge;
	struct live_findings *findings;
	const struct source_file *files[LIVE_INTERFACES_MOST];
	struct drops dropped[LIVE_INTERFACES_MOST];  /* as told */
	size_t file_count;
	struct out out;
	uint64_t frames, sip;
	int64_t now_ns;              /* packet time: of the newest frame, or later where nothing came */
	int64_t looked_ns;           /* packet time at which look() was last called from frames */
	int64_t judged_ns;           /* packet time of the last judgement; NS_NONE none */
	int64_t judge_at_ns;         /* monotonic: not before */
	int64_t begun_ns, dropped_ns;     /* monotonic */
	bool quiet_told, judge_failed, flood_told;
};

/* ---- what is said on standard error ---- */

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list ap;

	fputs("deadair: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void take_files(struct watching *w)
{
	w->file_count = live_count(w->live);
	for (size_t i = 0; i < w->file_count; i++)
		w->files[i] = live_file(w->live, i);
}

static void say_interfaces(struct watching *w)
{
	char ring[WORDS], asked[WORDS], link[LINK_NAME];

	take_files(w);
	for (size_t i = 0; i < w->file_count; i++) {
		const struct source_interface *n = w->files[i]->interfaces;
		size_t bytes = live_ring_bytes(w->live, i);

		words_bytes(bytes, ring);
		words_bytes(w->arguments.ring_bytes, asked);
		if (bytes == 0)
			say("%s: capturing, %s", n->name, link_name(n->link, link));
		else if (bytes < w->arguments.ring_bytes / 10 * 9)
			say("%s: capturing, %s, a ring of %s only: memory for the %s asked for was not to be had", n->name, link_name(n->link, link),
			    ring, asked);
		else
			say("%s: capturing, %s, a ring of %s", n->name, link_name(n->link, link), ring);
	}
}

/* Only the first fragment of a datagram has ports, and large SIP messages come in fragments. */
static void say_filter(const struct watching *w)
{
	const char *bpf = w->arguments.bpf;
	char shown[160];

	if (bpf && strstr(bpf, "port") && !strstr(bpf, "ip[6"))
		say("filter '%s': what is chosen by port loses the later fragments of large messages: or (ip[6:2] & 0x1fff != 0) takes them",
		    text_escape(span_of(bpf), shown, sizeof shown));
}

static void say_notes(struct watching *w)
{
	struct text t;

	text_init(&t);
	while (live_note(w->live, &t)) {
		say("%s", t.p);
		text_clear(&t);
	}
	text_fini(&t);
}

static void say_drops(struct watching *w)
{
	char count[WORDS];

	for (size_t i = 0; i < w->file_count; i++) {
		const struct source_interface *n = live_file(w->live, i)->interfaces;
		struct drops *told = &w->dropped[i];

		if (n->os_drop > told->ring)
			say("%s: the kernel's ring was full, %s lost: --ring takes a larger one, -f a narrower choice", n->name,
			    words_counted(n->os_drop - told->ring, "packet", count));
		if (n->if_drop > told->card)
			say("%s: the card lost %s before the kernel saw them: ethtool -g %s shows its buffers, ethtool -G %s rx N enlarges them", n->name,
			    words_counted(n->if_drop - told->card, "packet", count), n->name, n->name);
		*told = (struct drops){ n->os_drop, n->if_drop };
	}
}

/* A capture that sees no SIP explains itself, once. */
static void say_quiet(struct watching *w)
{
	char count[WORDS], received[WORDS], link[LINK_NAME], shown[160];
	const char *bpf = w->arguments.bpf;

	for (size_t i = 0; i < w->file_count; i++) {
		const struct source_file *f = live_file(w->live, i);

		say("no SIP yet after %d s: %s: %s read, %s counted by the kernel, link type %s, %s%s", (int)(QUIET_NS / SECOND_NS), f->interfaces->name,
		    words_counted(f->frames, "frame", count), words_count(f->interfaces->received, received), link_name(f->interfaces->link, link),
		    bpf ? "filter " : "no filter", bpf ? text_escape(span_of(bpf), shown, sizeof shown) : "");
	}
	w->quiet_told = true;
}

/* ---- findings ---- */

static const char *change_name(enum live_change change)
{
	switch (change) {
	case LIVE_OPENED:
		return "opened";
	case LIVE_CLOSED:
		return "closed";
	case LIVE_REOPENED:
		return "reopened";
	}
	return "";
}

static void print_json(struct out *o, const struct live_change_of *c)
{
	char at[NS_TEXT], opened[NS_TEXT];
	struct text t;

	text_init(&t);
	text_addf(&t, "{\"type\":\"%s\",\"time\":\"%s\",\"opened\":\"%s\",\"over\":%s,\"finding\":", change_name(c->change), ns_rfc3339(c->at_ns, at),
		  ns_rfc3339(c->opened_ns, opened), c->over ? "true" : "false");
	text_add(&t, c->text);
	text_add(&t, "}\n");
	out_bytes(o, t.p, t.n);
	text_fini(&t);
}

static void print_text(struct out *o, const struct live_change_of *c)
{
	char at[NS_TEXT], length[WORDS];

	out_textf(o, "%s  %-8s  %s", ns_clock(c->at_ns, 0, at), change_name(c->change), c->text);
	if (c->change == LIVE_CLOSED && c->at_ns > c->opened_ns)
		out_textf(o, " (%s after %s)", c->over ? "the call has ended" : "gone", words_duration(ns_minus(c->at_ns, c->opened_ns), length));
	else if (c->change == LIVE_CLOSED)
		out_text(o, " (the call has ended)");
	out_text(o, "\n");
}

static void print_change(void *context, const struct live_change_of *c)
{
	struct watching *w = context;

	if (w->arguments.json)
		print_json(&w->out, c);
	else
		print_text(&w->out, c);
}

static void take_verdicts(struct watching *w)
{
	struct live_verdict v;

	live_findings_begin(w->findings, w->judged_ns, print_change, w);
	while (live_judge_next(w->judge, &v))
		live_findings_found(w->findings, v.identity, v.over, v.text);
	live_findings_end(w->findings);
	out_flush(&w->out);
	if (live_findings_unwatched(w->findings) && !w->flood_told) {
		say("more than %d findings at once: what comes beyond is told in the report only", LIVE_FINDINGS_MOST);
		w->flood_told = true;
	}
}

/* A judgement a second of packet time, as far as they are quick enough. */
static void judge_begin(struct watching *w)
{
	struct live_judgement what = { .engine = w->engine, .files = w->files, .file_count = w->file_count, .now_ns = w->now_ns,
				       .json = w->arguments.json, .verbose = w->arguments.verbose };
	struct err err;

	if (w->now_ns == NS_NONE || (w->judged_ns != NS_NONE && ns_minus(w->now_ns, w->judged_ns) < SECOND_NS) ||
	    ring_monotonic_ns() < w->judge_at_ns)
		return;
	take_files(w);
	out_flush(&w->out);             /* nothing is left in it for the copy */
	fflush(stderr);
	if (live_judge_begin(w->judge, &what, &err)) {
		w->judged_ns = w->now_ns;
		return;
	}
	w->judge_at_ns = ring_monotonic_ns() + QUIET_NS;
	say("%s; findings come at the end, and when there is room again", err.text);
}

static void judge_look(struct watching *w)
{
	switch (live_judge_poll(w->judge)) {
	case LIVE_JUDGE_IDLE:
		judge_begin(w);
		break;
	case LIVE_JUDGE_BUSY:
		break;
	case LIVE_JUDGE_READY:
		w->judge_at_ns = ring_monotonic_ns() + (JUDGE_SHARE - 1) * live_judge_took_ns(w->judge);
		take_verdicts(w);
		break;
	case LIVE_JUDGE_FAILED:
		w->judge_at_ns = ring_monotonic_ns() + QUIET_NS;
		if (!w->judge_failed)
			say("a judgement was given up (memory short?); the capture goes on");
		w->judge_failed = true;
		break;
	}
}

/* ---- the capture ---- */

static void look(struct watching *w)
{
	int64_t now_ns = ring_monotonic_ns();

	say_notes(w);
	if (now_ns - w->dropped_ns >= DROPS_NS) {
		w->dropped_ns = now_ns;
		say_drops(w);
	}
	if (!w->quiet_told && !w->sip && now_ns - w->begun_ns >= QUIET_NS)
		say_quiet(w);
	judge_look(w);
}

static void take_frame(struct watching *w, const struct frame *f)
{
	struct packet packet;

	dissect_frame(w->dissector, f);
	while (dissect_next(w->dissector, &packet)) {
		w->sip += packet.kind == PACKET_SIP;
		engine_packet(w->engine, &packet);
	}
	w->frames++;
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

/* ---- beginning and end ---- */

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

/* All that wants files or a permission, so that none is wanted later. */
static enum err_code watching_open(struct watching *w, struct err *err)
{
	const struct live_arguments *a = &w->arguments;
	struct live_options options = { .interfaces = a->interfaces, .count = a->interface_count, .bpf = a->bpf, .ring_bytes = a->ring_bytes };
	struct engine_options wanted = { .live = true, .memory = a->memory };

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
	w->live = live_open(&options, err);
	if (!w->live)
		return err->code;
	w->dissector = dissector_new();
	dissector_limit(w->dissector, budget_dissect(a->memory));
	wanted.config = w->config;
	wanted.site = w->site;
	w->engine = engine_new(&wanted);
	w->judge = live_judge_new();
	w->findings = live_findings_new(SECOND_NS, (int64_t)(config_value(w->config, "finding", "holdoff-s") * SECOND_NS),
					(int64_t)(config_value(w->config, "finding", "reopen-s") * SECOND_NS));
	return ERR_OK;
}

/* Before threads, and before the first packet is looked at. */
static bool confine(const struct watching *w, struct err *err)
{
	struct text t;
	bool confined = true;

	text_init(&t);
	if (w->arguments.keep_privileges)
		text_add(&t, "privileges as they are");
	else
		confined = privileges_drop(&t, err);
	text_add(&t, "; ");
	if (w->arguments.no_sandbox)
		text_add(&t, "no sandbox");
	else
		confined = confined && sandbox_enter(&t, err);
	if (confined)
		say("%s", t.p);
	text_fini(&t);
	return confined;
}

static int report_end(struct watching *w)
{
	struct view_end end;
	struct selection selection;
	struct selection_options all = { .names = w->names };
	struct report report = { .engine = w->engine, .files = w->files, .file_count = w->file_count, .out = &w->out, .names = w->names,
				 .selection = &selection, .verbose = w->arguments.verbose };

	take_files(w);
	say_drops(w);
	live_judge_tell_interfaces(w->engine, w->files, w->file_count);
	engine_dissected(w->engine, dissector_counts(w->dissector)->fragments_evicted, dissector_counts(w->dissector)->tcp_evicted);
	engine_finish(w->engine);
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

static int watching_run(struct watching *w)
{
	struct err err;
	int status;

	say_interfaces(w);
	say_filter(w);
	if (!confine(w, &err))
		return command_trouble("%s", err.text);
	command_out(&w->out, w->arguments.color);
	interrupts_watch(w->live);
	if (live_start(w->live, &err)) {
		watch(w);
		say_notes(w);
		status = report_end(w);
	} else {
		status = command_trouble("%s", err.text);
	}
	interrupted_live = NULL;
	return command_close(&w->out, status);
}

static void watching_close(struct watching *w)
{
	live_judge_free(w->judge);
	live_close(w->live);
	live_findings_free(w->findings);
	engine_free(w->engine);
	config_free(w->config);
	site_free(w->site);
	dissector_free(w->dissector);
	names_free(w->names);
}

int command_live(int argc, char **argv)
{
	struct watching *w = memory_zalloc(sizeof *w);
	struct err err = { .code = ERR_OK };
	int status;

	w->now_ns = w->judged_ns = NS_NONE;
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
