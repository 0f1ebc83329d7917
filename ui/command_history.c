/* SPDX-License-Identifier: MIT */
/* command_history: what is kept in a history. */
#include "ui/command.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "captures/base/nearest.h"
#include "ui/history_compare.h"
#include "ui/history_list.h"
#include "ui/history_show.h"
#include "ui/redact_key.h"
#include "ui/words.h"

enum { WAIT_MS = 2000 };
#define HOURS_SHOWN_NS (72 * HOUR_NS)

enum action_kind { ACTION_LIST, ACTION_SHOW, ACTION_TREND, ACTION_COMPARE, ACTION_PRUNE, ACTION_VACUUM };

static const struct action {
	const char *name;
	enum action_kind kind;
	enum listing listing;        /* of ACTION_LIST */
} actions[] = {
	{ "list", ACTION_LIST, LISTING_RUNS },
	{ "calls", ACTION_LIST, LISTING_CALLS },
	{ "findings", ACTION_LIST, LISTING_FINDINGS },
	{ "incidents", ACTION_LIST, LISTING_INCIDENTS },
	{ "show", ACTION_SHOW, 0 },
	{ "trend", ACTION_TREND, LISTING_TREND },
	{ "compare", ACTION_COMPARE, 0 },
	{ "prune", ACTION_PRUNE, 0 },
	{ "vacuum", ACTION_VACUUM, 0 },
};

enum { ACTIONS = sizeof actions / sizeof actions[0] };

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* NULL: none of them; *err says which was meant. */
static const struct action *action_find(const char *name, struct err *err)
{
	const char *names[ACTIONS], *near;
	char shown[80];

	for (unsigned i = 0; i < ACTIONS; i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
		names[i] = actions[i].name;
	}
	near = nearest_word(span_of(name), names, ACTIONS);
	err_set(err, ERR_USAGE, "history: no \"%s\": %s%s", text_escape(span_of(name), shown, sizeof shown),
		near ? near : "deadair history --help",
		near ? "?" : "");
	return NULL;
}

/* Upkeep makes no history where there is none. */
static struct store *open_history(const struct history_options *o, enum store_access mode, struct err *err)
{
	const char *file = o->file;
	char path[PATH_MAX];

	if (!file && history_default_path(path, sizeof path))
		file = path;
	if (!file) {
		err_set(err, ERR_USAGE,
			"history: neither HOME nor XDG_STATE_HOME is set: name the file with --history");
		return NULL;
	}
	return store_open(file, access(file, F_OK) == 0 ? mode : STORE_READ, WAIT_MS, err);
}

/* What a table does not say by itself. */
static void say_rest(struct out *o, const struct history_options *options, enum listing listing, size_t count)
{
	char text[WORDS];

	if (options->form != HISTORY_TABLE)
		return;
	if (count == 0)
		out_textf(o, "No %s here.\n", query_noun(listing));
	else if (listing == LISTING_TREND)
		out_text(o, "× calls that failed, or were answered and not heard by both\n");
	else if (options->limit && count > options->limit)
		out_textf(o, "The latest %s; for more: --limit N, --limit all\n", words_count(options->limit, text));
}

static enum err_code list(struct store *s, const struct history_options *options, enum listing listing, struct out *o,
	struct err *err)
{
	size_t count;

	err->code = ERR_OK;
	if (!history_list(s, listing, &options->filter, options->limit, options->form, o, &count, err))
		return err->code;
	say_rest(o, options, listing, count);
	return ERR_OK;
}

/* Of less than three days the hours are asked for. */
static enum err_code trend(struct store *s, const struct history_options *options, struct out *o, struct err *err)
{
	struct history_options asked = *options;
	const struct listing_filter *f = &options->filter;

	if (!options->has_by)
		asked.filter.hours = f->has_since &&
			ns_minus(f->has_until ? f->until_ns : now_ns(), f->since_ns) <= HOURS_SHOWN_NS;
	return list(s, &asked, LISTING_TREND, o, err);
}

static enum err_code prune(struct store *s, const struct history_options *options, struct out *o, struct err *err)
{
	int64_t runs;
	char text[WORDS];

	if (options->keep_ns == 0)
		return err_set(err, ERR_USAGE, "history prune: how much is to stay? --keep 90d");
	if (store_prune(s, ns_minus(now_ns(), options->keep_ns), &runs, err) != ERR_OK)
		return err->code;
	out_textf(o, "%s forgotten\n", words_counted((uint64_t)runs, "run", text));
	return ERR_OK;
}

/* Filters go by the true names, what is shown by others. */
static enum err_code redact_begin(struct store *s, struct redact **ret, struct err *err)
{
	uint8_t key[REDACT_KEY];
	struct err why;

	if (redact_key_get(key, &why) != ERR_OK)
		fprintf(stderr, "deadair: %s\n", why.text);
	*ret = redact_new(key);
	return query_redact(s, *ret, err) ? ERR_OK : err->code;
}

static enum err_code act(struct store *s, const struct history_options *options, const struct action *action,
	struct out *o, struct err *err)
{
	switch (action->kind) {
	case ACTION_LIST:
		return list(s, options, action->listing, o, err);
	case ACTION_SHOW:
		return history_show(s, options, o, err);
	case ACTION_TREND:
		return trend(s, options, o, err);
	case ACTION_COMPARE:
		return history_compare(s, options, o, err);
	case ACTION_PRUNE:
		return prune(s, options, o, err);
	case ACTION_VACUUM:
		return store_vacuum(s, err);
	}
	return ERR_OK;
}

int command_history(int argc, char **argv)
{
	struct history_options options;
	const struct action *action;
	struct redact *redact = NULL;
	struct store *s = NULL;
	struct err err;
	struct out o;
	int status;

	if (history_options_parse(&options, argc, argv, now_ns(), &err) != ERR_OK)
		return command_trouble("%s", err.text);
	action = action_find(options.action, &err);
	if (action)
		s = open_history(&options, action->kind == ACTION_PRUNE ||
			action->kind == ACTION_VACUUM ? STORE_WRITE : STORE_READ, &err);
	if (!s)
		return command_trouble("%s", err.text);
	if (options.redact && redact_begin(s, &redact, &err) != ERR_OK) {
		store_close(s);
		redact_free(redact);
		return command_trouble("%s", err.text);
	}
	command_out(&o, options.color);
	status = act(s, &options, action, &o, &err) == ERR_OK ? STATUS_CLEAN : command_trouble("%s", err.text);
	store_close(s);
	redact_free(redact);
	return command_close(&o, status);
}
