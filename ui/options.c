/* SPDX-License-Identifier: MIT */
/* options: reads the command line of `deadair read`. */
#include "ui/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/budget.h"
#include "captures/base/nearest.h"
#include "ui/finding_id.h"
#include "ui/foreign.h"
#include "ui/save.h"
#include "ui/words.h"

enum option_id {
	OPTION_BPF = 'f', OPTION_VERBOSE = 'v',
	OPTION_JSON = 256, OPTION_FILTER, OPTION_SINCE, OPTION_UNTIL, OPTION_CALL, OPTION_MARKDOWN, OPTION_NAMES,
	OPTION_WHY_NOT, OPTION_COLOR,
	OPTION_MEMORY, OPTION_UTC, OPTION_CONFIG, OPTION_HISTORY, OPTION_SAVE, OPTION_REDACT, OPTION_NO_EVIDENCE_TEXT,
	OPTION_POLICY,
	OPTION_JOBS, OPTION_UI, OPTION_NO_UI, OPTION_HTML,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "filter", required_argument, NULL, OPTION_FILTER },
	{ "since", required_argument, NULL, OPTION_SINCE },
	{ "until", required_argument, NULL, OPTION_UNTIL },
	{ "call", required_argument, NULL, OPTION_CALL },
	{ "markdown", no_argument, NULL, OPTION_MARKDOWN },
	{ "names", required_argument, NULL, OPTION_NAMES },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "history", required_argument, NULL, OPTION_HISTORY },
	{ "html", required_argument, NULL, OPTION_HTML },
	{ "policy", required_argument, NULL, OPTION_POLICY },
	{ "save", required_argument, NULL, OPTION_SAVE },
	{ "redact", no_argument, NULL, OPTION_REDACT },
	{ "no-evidence-text", no_argument, NULL, OPTION_NO_EVIDENCE_TEXT },
	{ "ui", no_argument, NULL, OPTION_UI },
	{ "no-ui", no_argument, NULL, OPTION_NO_UI },
	{ "bpf", required_argument, NULL, OPTION_BPF },
	{ "why-not", required_argument, NULL, OPTION_WHY_NOT },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "colour", required_argument, NULL, OPTION_COLOR },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "jobs", required_argument, NULL, OPTION_JOBS },
	{ "utc", no_argument, NULL, OPTION_UTC },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ NULL, 0, NULL, 0 },
};

static enum err_code set_filter(struct read_options *o, const char *text, struct err *err)
{
	struct filter_error wrong;
	struct text shown;

	filter_free(o->filter);
	o->filter_text = text;
	o->filter = filter_new(text, &wrong);
	if (o->filter)
		return ERR_OK;
	text_init(&shown);
	filter_error_show(&wrong, text, &shown);
	shown.p[shown.n - 1] = '\0';    /* the newline at the end is the printer's */
	err_set(err, ERR_USAGE, shown.n < 400 ? "--filter:\n%s" : "--filter: %.0s%s", shown.p, wrong.text);
	text_fini(&shown);
	return ERR_USAGE;
}

static enum err_code set_time(struct when *w, bool *has, const char *name, const char *text, struct err *err)
{
	char shown[80];

	*has = when_parse(span_of(text), w);
	if (*has)
		return ERR_OK;
	return err_set(err, ERR_USAGE,
	       "--%s %s: no time: 10:00, 2026-11-20T10:00, \"Fri 18:00\", -15m before the last frame", name,
		       text_escape(span_of(text), shown, sizeof shown));
}

static enum err_code set_color(struct read_options *o, const char *text, struct err *err)
{
	char shown[80];

	o->color = text;
	if (strcmp(text, "auto") == 0 || strcmp(text, "always") == 0 || strcmp(text, "never") == 0)
		return ERR_OK;
	return err_set(err, ERR_USAGE, "--color %s: auto, always or never",
	       text_escape(span_of(text), shown, sizeof shown));
}

static enum err_code set_policy(struct read_options *o, const char *text, struct err *err)
{
	char shown[80];

	o->policy = text;
	if (strcmp(text, "nftables") == 0 || strcmp(text, "table") == 0)
		return ERR_OK;
	return err_set(err, ERR_USAGE, "--policy %s: nftables or table",
	       text_escape(span_of(text), shown, sizeof shown));
}

bool option_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMG";
	size_t n = strlen(text);
	const char *unit = n && text[n - 1] != ' ' ? strchr(units, text[n - 1] & ~0x20) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	uint64_t size;

	if (!span_number((struct span){ (const uint8_t *)text, n - (unit != NULL) }, (UINT64_C(1) << 40) >> shift,
	    &size))
		return false;
	*ret_bytes = size << shift;
	return true;
}

static enum err_code set_memory(struct read_options *o, const char *text, struct err *err)
{
	char shown[80];
	uint64_t size;

	if (option_size(text, &size) && size >= BUDGET_LEAST) {
		o->memory = (size_t)size;
		return ERR_OK;
	}
	return err_set(err, ERR_USAGE, "--memory %s: no size of %u MiB and more: 256M, 2G",
	       text_escape(span_of(text), shown, sizeof shown),
		       BUDGET_LEAST >> 20);
}

static enum err_code set_jobs(struct read_options *o, const char *text, struct err *err)
{
	enum { JOBS_MOST = 1024 };
	char shown[80];
	uint64_t jobs;

	if (!span_number(span_of(text), JOBS_MOST, &jobs) || jobs == 0)
		return err_set(err, ERR_USAGE, "--jobs %s: 1 reads on one processor, 2 decodes on another",
		       text_escape(span_of(text), shown, sizeof shown));
	o->jobs = (unsigned)jobs;
	return ERR_OK;
}

static enum err_code wrong_option(int argc, char **argv, int id, struct err *err)
{
	const char *names[sizeof long_options / sizeof long_options[0]], *near;
	const char *typed = optind - 1 < argc && optind > 0 ? argv[optind - 1] : "";
	char shown[80], missing = optopt < 256 ? (char)optopt : '\0';
	size_t count = 0;

	for (; long_options[count].name; count++)
		names[count] = long_options[count].name;
	text_escape(span_of(typed), shown, sizeof shown);
	if (id == ':' || (optopt >= 256))
		return err_set(err, ERR_USAGE, "%s%s: deadair read --help lists the options", shown,
			       id == ':' ? " wants a value behind it" : " takes no value");
	if (typed[0] != '-' || typed[1] != '-')
		return err_set(err, ERR_USAGE, "no option -%c: deadair read --help lists them",
		       missing >= ' ' && missing <= '~' ? missing : '?');
	near = nearest_word(span_first(span_of(typed + 2), strcspn(typed + 2, "=")), names, count);
	if (near)
		return err_set(err, ERR_USAGE, "no option %s: --%s?", shown, near);
	return err_set(err, ERR_USAGE, "no option %s: deadair read --help lists them", shown);
}

/* Two values: getopt knows of the first. */
static enum err_code set_save(struct read_options *o, int argc, char **argv, struct err *err)
{
	struct save_wish wish;
	unsigned *numbers;
	enum err_code code = save_wish_parse(optarg, &wish, &numbers, err);

	free(numbers);
	if (code != ERR_OK)
		return code;
	if (optind >= argc)
		return err_set(err, ERR_USAGE,
		       "--save wants two values behind it: what, and the file to be made: --save call:1 call-1.pcapng");
	o->save = optarg;
	o->save_file = argv[optind++];
	return ERR_OK;
}

static enum err_code set_option(struct read_options *o, int id, int argc, char **argv, struct err *err)
{
	switch (id) {
	case OPTION_JSON:
		o->json = true;
		break;
	case OPTION_FILTER:
		return set_filter(o, optarg, err);
	case OPTION_SINCE:
		return set_time(&o->since, &o->has_since, "since", optarg, err);
	case OPTION_UNTIL:
		return set_time(&o->until, &o->has_until, "until", optarg, err);
	case OPTION_CALL:
		o->call = optarg;
		break;
	case OPTION_MARKDOWN:
		o->markdown = true;
		break;
	case OPTION_NAMES:
		o->names = optarg;
		break;
	case OPTION_CONFIG:
		o->config = optarg;
		break;
	case OPTION_HISTORY:
		o->history = strcmp(optarg, "none") == 0 ? NULL : optarg;
		break;
	case OPTION_HTML:
		o->html = optarg;
		break;
	case OPTION_POLICY:
		return set_policy(o, optarg, err);
	case OPTION_UI:
	case OPTION_NO_UI:
		o->ui = id == OPTION_UI;
		break;
	case OPTION_SAVE:
		return set_save(o, argc, argv, err);
	case OPTION_REDACT:
		o->redact = true;
		break;
	case OPTION_NO_EVIDENCE_TEXT:
		o->no_evidence_text = true;
		break;
	case OPTION_BPF:
		o->bpf = optarg;
		break;
	case OPTION_WHY_NOT:
		o->why_not = optarg;
		break;
	case OPTION_COLOR:
		return set_color(o, optarg, err);
	case OPTION_MEMORY:
		return set_memory(o, optarg, err);
	case OPTION_JOBS:
		return set_jobs(o, optarg, err);
	case OPTION_UTC:
		o->utc = true;
		break;
	case OPTION_VERBOSE:
		o->verbose = true;
		break;
	}
	return ERR_OK;
}

static bool reads_stdin(const struct read_options *o)
{
	for (size_t i = 0; i < o->path_count; i++) {
		if (strcmp(o->paths[i], "-") == 0)
			return true;
	}
	return false;
}

static enum err_code check_together(const struct read_options *o, struct err *err)
{
	if (o->path_count == 0)
		return err_set(err, ERR_USAGE, "no capture named: deadair read FILE, or - for standard input");
	if (o->redact && (o->save || o->ui))
		return err_set(err, ERR_USAGE, "--redact is for reports and histories: %s",
		       o->save ? "--save writes packets as they are" : "--ui shows things as they are");
	if (o->markdown && !o->call)
		return err_set(err, ERR_USAGE, "--markdown is for the ladder of one call: add --call N");
	if (o->markdown && o->json)
		return err_set(err, ERR_USAGE, "--markdown and --json are two forms of one report: choose one");
	if (o->ui && (o->json || o->call || o->why_not))
		return err_set(err, ERR_USAGE, "--ui is for looking: leave %s out",
		       o->json ? "--json" : o->call ? "--call" : "--why-not");
	if (o->why_not && (o->json || o->call))
		return err_set(err, ERR_USAGE, "--why-not answers by itself: leave %s out",
		       o->json ? "--json" : "--call");
	if (o->html && (o->policy || o->why_not))
		return err_set(err, ERR_USAGE, "--html is a page of the report: leave %s out",
		       o->policy ? "--policy" : "--why-not");
	if (o->html && strcmp(o->html, "-") == 0)
		return err_set(err, ERR_USAGE, "--html -: standard output has the report: name a file");
	if (o->policy && o->redact)
		return err_set(err, ERR_USAGE,
		       "--policy is for a firewall, which needs the true addresses: leave --redact out");
	if (o->policy && (o->json || o->call || o->why_not))
		return err_set(err, ERR_USAGE, "--policy prints nothing else: leave %s out",
		       o->json ? "--json" : o->call ? "--call" : "--why-not");
	if (o->save && reads_stdin(o))
		return err_set(err, ERR_USAGE,
		       "--save reads the capture twice, which standard input does not allow: name a file");
	if (!o->why_not)
		return ERR_OK;
	return finding_id_check("--why-not", span_first(span_of(o->why_not), strcspn(o->why_not, ":")), err);
}

enum err_code read_options_parse(struct read_options *o, int argc, char **argv, struct err *err)
{
	int id;

	*o = (struct read_options){ .color = "auto" };
	if (foreign_find(argc, argv, err))
		return ERR_USAGE;
	optind = 0;                     /* glibc: begin anew */
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":f:v", long_options, NULL)) != -1) {
		if (id == '?' || id == ':')
			return wrong_option(argc, argv, id, err);
		if (set_option(o, id, argc, argv, err) != ERR_OK)
			return ERR_USAGE;
	}
	o->paths = (const char *const *)(argv + optind);
	o->path_count = (size_t)(argc - optind);
	return check_together(o, err);
}

void read_options_fini(struct read_options *o)
{
	filter_free(o->filter);
	o->filter = NULL;
}
