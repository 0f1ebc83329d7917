/* SPDX-License-Identifier: MIT */
/* history_options: reads the command line of `deadair history`. */
#include "ui/history_options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "captures/base/text.h"
#include "ui/finding_id.h"
#include "ui/places.h"
#include "ui/when.h"

enum { LIMIT_DEFAULT = 50 };
enum option_id {
	OPTION_HISTORY = 256, OPTION_SINCE, OPTION_UNTIL, OPTION_NUMBER, OPTION_HOST, OPTION_ID, OPTION_RUN,
		OPTION_LIMIT, OPTION_ALL, OPTION_JSON, OPTION_CSV,
	OPTION_COLOR, OPTION_UTC, OPTION_KEEP, OPTION_BEFORE, OPTION_AFTER, OPTION_BY, OPTION_REDACT
};

static const struct option long_options[] = {
	{ "history", required_argument, NULL, OPTION_HISTORY },
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "until", required_argument, NULL, OPTION_UNTIL },
	{ "before", required_argument, NULL, OPTION_BEFORE },
	{ "after", required_argument, NULL, OPTION_AFTER },
	{ "by", required_argument, NULL, OPTION_BY },
	{ "number", required_argument, NULL, OPTION_NUMBER },
	{ "host", required_argument, NULL, OPTION_HOST },
	{ "id", required_argument, NULL, OPTION_ID },
	{ "run", required_argument, NULL, OPTION_RUN },
	{ "keep", required_argument, NULL, OPTION_KEEP },
	{ "limit", required_argument, NULL, OPTION_LIMIT },
	{ "all", no_argument, NULL, OPTION_ALL },
	{ "redact", no_argument, NULL, OPTION_REDACT },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "csv", no_argument, NULL, OPTION_CSV },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "utc", no_argument, NULL, OPTION_UTC },
	{ NULL, 0, NULL, 0 },
};

bool history_default_path(char *path, size_t room)
{
	char folder[PATH_MAX];

	return places_read(folder, sizeof folder) && (size_t)snprintf(path, room, "%s/" PLACES_HISTORY, folder) < room;
}

static enum err_code wrong(struct err *err, const char *option, const char *text, const char *wanted)
{
	char shown[80];

	return err_set(err, ERR_USAGE, "--%s %s: %s", option, text_escape(span_of(text), shown, sizeof shown), wanted);
}

static enum err_code set_time(int64_t *ret_ns, bool *has, const char *name, const char *text, int64_t now_ns,
	struct err *err)
{
	struct when w;
	int64_t to_ns;

	*has = when_parse(span_of(text), &w);
	if (!*has)
		return wrong(err, name, text, "no time: 2026-11-20, 2026-11-20T10:00, yesterday, \"Fri 18:00\", -3d");
	when_resolve(&w, NS_NONE, now_ns, ret_ns, &to_ns);
	if (strcmp(name, "until") == 0 && w.kind != WHEN_AGO)
		*ret_ns = to_ns;        /* the day or the minute that was named is in it */
	return ERR_OK;
}

static enum err_code set_limit(struct history_options *o, const char *text, struct err *err)
{
	uint64_t n = 0;

	if (strcmp(text, "all") != 0 && (!span_number(span_of(text), UINT32_MAX, &n) || n == 0))
		return wrong(err, "limit", text, "a number of records, or all");
	o->limit = (size_t)n;
	return ERR_OK;
}

static enum err_code set_run(struct history_options *o, const char *text, struct err *err)
{
	uint64_t n;

	if (!span_number(span_of(text), INT64_MAX, &n) || n == 0)
		return wrong(err, "run", text, "no number of a run: deadair history list has them");
	o->filter.run = (int64_t)n;
	return ERR_OK;
}

static enum err_code set_host(struct history_options *o, const char *text, struct err *err)
{
	struct address a;

	if (!address_parse(span_of(text), &a))
		return wrong(err, "host", text, "no address");
	o->filter.host = address_text(&a, o->host);
	return ERR_OK;
}

static enum err_code set_by(struct history_options *o, const char *text, struct err *err)
{
	o->has_by = strcmp(text, "hour") == 0 || strcmp(text, "day") == 0;
	o->filter.hours = strcmp(text, "hour") == 0;
	return o->has_by ? ERR_OK : wrong(err, "by", text, "hour or day");
}

static enum err_code set_option(struct history_options *o, int id, int64_t now_ns, struct err *err)
{
	switch (id) {
	case OPTION_HISTORY:
		o->file = optarg;
		if (strcmp(optarg, "none") == 0)
			return err_set(err, ERR_USAGE,
				"--history none: that of read and live, who keep none then; name the file");
		break;
	case OPTION_SINCE:
		return set_time(&o->filter.since_ns, &o->filter.has_since, "since", optarg, now_ns, err);
	case OPTION_UNTIL:
		return set_time(&o->filter.until_ns, &o->filter.has_until, "until", optarg, now_ns, err);
	case OPTION_BEFORE:
		return set_time(&o->before_ns, &o->has_before, "before", optarg, now_ns, err);
	case OPTION_AFTER:
		return set_time(&o->after_ns, &o->has_after, "after", optarg, now_ns, err);
	case OPTION_BY:
		return set_by(o, optarg, err);
	case OPTION_NUMBER:
		o->filter.number = optarg;
		break;
	case OPTION_HOST:
		return set_host(o, optarg, err);
	case OPTION_ID:
		o->filter.id = optarg;
		return finding_id_check("--id", span_of(optarg), err);
	case OPTION_RUN:
		return set_run(o, optarg, err);
	case OPTION_KEEP:
		if (!when_length_parse(span_of(optarg), 0, &o->keep_ns) || o->keep_ns == 0)
			return wrong(err, "keep", optarg, "no length of time: 90d, 12w");
		break;
	case OPTION_LIMIT:
		return set_limit(o, optarg, err);
	case OPTION_ALL:
		o->filter.all = true;
		break;
	case OPTION_REDACT:
		o->redact = true;
		break;
	case OPTION_JSON:
		o->form = HISTORY_JSON;
		break;
	case OPTION_CSV:
		o->form = HISTORY_CSV;
		break;
	case OPTION_COLOR:
		o->color = optarg;
		if (strcmp(optarg, "auto") != 0 && strcmp(optarg, "always") != 0 && strcmp(optarg, "never") != 0)
			return wrong(err, "color", optarg, "auto, always or never");
		break;
	case OPTION_UTC:
		break;                  /* heeded before: times depend on it */
	}
	return ERR_OK;
}

/* Where the day begins decides what "yesterday" is, wherever --utc stands. */
static void heed_utc(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--utc") == 0) {
			setenv("TZ", "UTC0", 1);
			tzset();
		}
	}
}

/* compare 91 92 */
static enum err_code take_runs(struct history_options *o, int argc, char **argv, struct err *err)
{
	for (unsigned i = 0; i < 2; i++) {
		char shown[80];
		uint64_t n;

		if (optind >= argc)
			return err_set(err, ERR_USAGE,
			       "history compare: with which run? two are compared: compare 91 92");
		if (!span_number(span_of(argv[optind]), INT64_MAX, &n) || n == 0)
			return err_set(err, ERR_USAGE,
			       "history compare %s: no number of a run: deadair history list has them",
				       text_escape(span_of(argv[optind]), shown, sizeof shown));
		o->runs[i] = (int64_t)n;
		optind++;
	}
	return ERR_OK;
}

enum err_code history_options_parse(struct history_options *o, int argc, char **argv, int64_t now_ns, struct err *err)
{
	char shown[80];
	int id;

	*o = (struct history_options){ .action = "list", .color = "auto", .limit = LIMIT_DEFAULT };
	heed_utc(argc, argv);
	optind = 0;                     /* glibc: begin anew */
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (id == '?' || id == ':')
			return err_set(err, ERR_USAGE, "%s%s: deadair history --help lists the options",
				       text_escape(span_of(argv[optind - 1]), shown, sizeof shown),
				       id == ':' ? " wants a value behind it" : ": no such option");
		if (set_option(o, id, now_ns, err) != ERR_OK)
			return err->code;
	}
	if (optind < argc)
		o->action = argv[optind++];
	if (optind < argc && strcmp(o->action, "show") == 0)
		o->record = argv[optind++];
	if (optind < argc && strcmp(o->action, "compare") == 0 && take_runs(o, argc, argv, err) != ERR_OK)
		return err->code;
	if (optind < argc)
		return err_set(err, ERR_USAGE, "history %s: \"%s\" is one word too many: deadair history --help",
		       o->action,
			       text_escape(span_of(argv[optind]), shown, sizeof shown));
	return ERR_OK;
}
