/* SPDX-License-Identifier: MIT */
/* live_output: one change, in all the forms that were asked for. */
#include "ui/live_output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "captures/base/ns.h"
#include "ui/command.h"
#include "ui/words.h"

static int open_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	char shown[256];

	if (fd < 0)
		err_set(err, errno == EACCES ? ERR_PERMISSION : ERR_FILE, "%s: %s",
			text_escape(span_of(path), shown, sizeof shown), strerror(errno));
	return fd;
}

enum err_code live_output_open(struct live_output *o, const char *path, const char *color, struct err *err)
{
	int fd;

	o->path = path;
	if (!path) {
		command_out(&o->out, color);
		return ERR_OK;
	}
	fd = open_file(path, err);
	if (fd < 0)
		return err->code;
	out_init(&o->out, fd);
	return ERR_OK;
}

enum err_code live_output_reopen(struct live_output *o, struct err *err)
{
	int fd;

	if (!o->path)
		return ERR_OK;
	out_flush(&o->out);
	fd = open_file(o->path, err);
	if (fd < 0)
		return err->code;
	close(o->out.fd);
	o->out.fd = fd;
	return ERR_OK;
}

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
	text_addf(&t, "{\"type\":\"%s\",\"time\":\"%s\",\"opened\":\"%s\",\"over\":%s,\"finding\":",
		change_name(c->change), ns_rfc3339(c->at_ns, at), ns_rfc3339(c->opened_ns, opened),
		c->over ? "true" : "false");
	text_add(&t, c->json);
	text_add(&t, "}\n");
	out_bytes(o, t.p, t.n);
	text_fini(&t);
}

static void print_text(struct out *o, const struct live_change_of *c)
{
	char at[NS_TEXT], length[WORDS];

	out_textf(o, "%s  %-8s  %-8s  %s: %s", ns_clock(c->at_ns, 0, at), change_name(c->change), c->severity,
		c->id, c->title);
	if (c->change == LIVE_CLOSED && c->at_ns > c->opened_ns)
		out_textf(o, " (%s after %s)", c->over ? "the call has ended" : "gone",
			words_duration(ns_minus(c->at_ns, c->opened_ns), length));
	else if (c->change == LIVE_CLOSED)
		out_text(o, " (the call has ended)");
	out_text(o, "\n");
}

void live_output_change(struct live_output *o, const struct live_change_of *c)
{
	struct syslog_finding f = { .at_ns = c->at_ns,
		.change = change_name(c->change),
		.severity = c->severity,
		.id = c->id,
		.text = c->title,
		.source = o->source };

	if (o->syslog && !syslog_send(o->syslog, &f))
		o->unsent++;
	if (o->quiet)
		return;
	if (o->json)
		print_json(&o->out, c);
	else
		print_text(&o->out, c);
}
