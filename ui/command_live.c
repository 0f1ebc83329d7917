/* SPDX-License-Identifier: MIT */
/* command_live: interfaces in, a line for every finding that opens or closes, a report at the end. */
#include "ui/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/live/ring.h"
#include "ui/live_signals.h"
#include "ui/live_watching.h"

/* How long nothing is heard of SIP before the capture explains itself. */
#define QUIET_NS (10 * SECOND_NS)
/* Drops are told so often at most. */
#define DROPS_NS (10 * SECOND_NS)
/* How often one looks up from the frames, in their time. */
#define LOOK_NS (100 * MILLISECOND_NS)
/* The dashboard gets new numbers so often. */
#define TELL_NS (250 * MILLISECOND_NS)
enum { FRAMES_BETWEEN_LOOKS = 512, AUDIO_KEPT_WHOLE = 16 };

static void take_files(struct watching *w)
{
	w->file_count = live_count(w->live);
	for (size_t i = 0; i < w->file_count; i++)
		w->files[i] = live_file(w->live, i);
}

static struct live_judgement judgement_of(struct watching *w)
{
	take_files(w);
	return (struct live_judgement){ .engine = w->engine, .files = w->files, .file_count = w->file_count,
	       .now_ns = w->now_ns,
					.dissected = *dissector_counts(w->dissector), .verdicts = true,
					.json = w->arguments.json, .verbose = w->arguments.verbose, .keep = w->keep,
					.redact = w->redact,
					.baseline = w->rounds.history ? w->rounds.history->baseline : NULL };
}

/* ---- signals ---- */

static void heed_save(struct watching *w)
{
	if (!live_signals_save())
		return;
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

	if (!live_signals_reopen())
		return;
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
	n->kept_bytes = kept.bytes;
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
			heed_save(w);        /* who asked just before the end wants it, too */
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
	engine_dissected(w->engine, &what.dissected);
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
		.settings = w->settings_path[0] ? w->settings_path : NULL,
					   .save_folder = w->rounds.save_folder,
					   .leave = live_signals_end(), .stop = ui_stop, .stop_context = w->live };
	struct err err;

	if (!w->wants_ui)
		return;
	snprintf(w->numbers.source, sizeof w->numbers.source, "%.120s", w->source);
	w->numbers.live = true;
	w->numbers.history = w->rounds.history != NULL;
	w->numbers.redacted = w->redact != NULL;
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

	live_signals_watch(w->live);    /* first: who is told to save or to end while it begins shall not die of it */
	live_say_filter(&w->say);
	live_say_interfaces(&w->say);
	if (!watching_confine(w, &err)) {
		live_signals_forget();
		return command_trouble("%s", err.text);
	}
	watching_start_history(w);
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
	live_signals_forget();
	if (w->output.unsent)
		live_say(&w->say, "the log did not take %llu messages", (unsigned long long)w->output.unsent);
	return command_close(&w->output.out, status);
}

int command_live(int argc, char **argv)
{
	struct watching *w = memory_zalloc(sizeof *w);
	struct err err = { .code = ERR_OK };
	int status;

	w->now_ns = NS_NONE;
	w->numbers.begun_ns = w->numbers.now_ns = w->numbers.last_frame_ns = NS_NONE;
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
