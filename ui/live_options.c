/* SPDX-License-Identifier: MIT */
/* live_options: reads the command line of `deadair live`. */
#include "ui/live_options.h"

#include <getopt.h>
#include <string.h>

#include "analyzer/budget.h"
#include "captures/base/nearest.h"
#include "captures/base/ns.h"
#include "captures/keep.h"
#include "ui/options.h"
#include "ui/syslog_lines.h"
#include "ui/when.h"

enum { MEMORY_DEFAULT = 256 << 20, KEEP_SHARE = 4 };
#define KEEP_NS_DEFAULT (5 * MINUTE_NS)
#define KEEP_NS_MOST (24 * HOUR_NS)
#define RECORD_BYTES_DEFAULT (UINT64_C(1) << 30)
#define SIZE_MOST (UINT64_C(1) << 40)

enum option_id {
	OPTION_INTERFACE = 'i', OPTION_BPF = 'f', OPTION_VERBOSE = 'v',
	OPTION_JSON = 256, OPTION_UI, OPTION_NO_UI, OPTION_RING, OPTION_LIST, OPTION_KEEP_PRIVILEGES, OPTION_NO_SANDBOX,
	OPTION_NAMES, OPTION_CONFIG, OPTION_COLOR,
	OPTION_MEMORY, OPTION_UTC, OPTION_OUTPUT, OPTION_SYSLOG, OPTION_HISTORY, OPTION_HISTORY_KEEP,
	OPTION_NO_EVIDENCE_TEXT, OPTION_REDACT, OPTION_SAVE_DIR, OPTION_RECORD, OPTION_RECORD_SIZE, OPTION_KEEP,
	OPTION_KEEP_SIZE, OPTION_KEEP_AUDIO
};

static const struct option long_options[] = {
	{ "interface", required_argument, NULL, OPTION_INTERFACE },
	{ "bpf", required_argument, NULL, OPTION_BPF },
	{ "ring", required_argument, NULL, OPTION_RING },
	{ "list-interfaces", no_argument, NULL, OPTION_LIST },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "ui", no_argument, NULL, OPTION_UI },
	{ "no-ui", no_argument, NULL, OPTION_NO_UI },
	{ "output", required_argument, NULL, OPTION_OUTPUT },
	{ "syslog", optional_argument, NULL, OPTION_SYSLOG },
	{ "history", required_argument, NULL, OPTION_HISTORY },
	{ "history-keep", required_argument, NULL, OPTION_HISTORY_KEEP },
	{ "no-evidence-text", no_argument, NULL, OPTION_NO_EVIDENCE_TEXT },
	{ "redact", no_argument, NULL, OPTION_REDACT },
	{ "keep", required_argument, NULL, OPTION_KEEP },
	{ "keep-size", required_argument, NULL, OPTION_KEEP_SIZE },
	{ "keep-audio", no_argument, NULL, OPTION_KEEP_AUDIO },
	{ "save-dir", required_argument, NULL, OPTION_SAVE_DIR },
	{ "record", required_argument, NULL, OPTION_RECORD },
	{ "record-size", required_argument, NULL, OPTION_RECORD_SIZE },
	{ "names", required_argument, NULL, OPTION_NAMES },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "keep-privileges", no_argument, NULL, OPTION_KEEP_PRIVILEGES },
	{ "no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "colour", required_argument, NULL, OPTION_COLOR },
	{ "utc", no_argument, NULL, OPTION_UTC },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ NULL, 0, NULL, 0 },
};

static const char *shown(const char *text, char buffer[80])
{
	return text_escape(span_of(text), buffer, 80);
}

static enum err_code add_interface(struct live_arguments *a, const char *name, struct err *err)
{
	char text[80];

	for (size_t i = 0; i < a->interface_count; i++) {
		if (strcmp(a->interfaces[i], name) == 0)
			return err_set(err, ERR_USAGE, "-i %s: named twice", shown(name, text));
	}
	if (a->interface_count == LIVE_INTERFACES_MOST)
		return err_set(err, ERR_USAGE, "more than %d interfaces: -i any has them all", LIVE_INTERFACES_MOST);
	a->interfaces[a->interface_count++] = name;
	return ERR_OK;
}

static enum err_code set_size(size_t *ret, const char *option, const char *text, uint64_t least, uint64_t most,
	struct err *err)
{
	char typed[80];
	uint64_t size;

	if (!option_size(text, &size) || size < least || size > most)
		return err_set(err, ERR_USAGE, "--%s %s: no size from %u MiB to %u MiB: 256M, 1G", option,
		       shown(text, typed), (unsigned)(least >> 20),
			       (unsigned)(most >> 20));
	*ret = (size_t)size;
	return ERR_OK;
}

/* "5m": a number, then s, m or h. */
static enum err_code set_length(int64_t *ret_ns, const char *option, const char *text, struct err *err)
{
	static const struct { char unit; int64_t ns; } units[] = { { 's', SECOND_NS }, { 'm', MINUTE_NS },
		{ 'h', HOUR_NS } };
	size_t n = strlen(text);
	char typed[80];
	uint64_t value;

	for (size_t i = 0; n && i < sizeof units / sizeof units[0]; i++) {
		if (text[n - 1] != units[i].unit ||
		    !span_number((struct span){ (const uint8_t *)text, n - 1 }, KEEP_NS_MOST / units[i].ns, &value) ||
		    !value)
			continue;
		*ret_ns = (int64_t)value * units[i].ns;
		return ERR_OK;
	}
	return err_set(err, ERR_USAGE, "--%s %s: no length of 1s to 24h: 5m, 90s, 1h", option, shown(text, typed));
}

static enum err_code set_color(struct live_arguments *a, const char *text, struct err *err)
{
	char typed[80];

	a->color = text;
	if (strcmp(text, "auto") == 0 || strcmp(text, "always") == 0 || strcmp(text, "never") == 0)
		return ERR_OK;
	return err_set(err, ERR_USAGE, "--color %s: auto, always or never", shown(text, typed));
}

static enum err_code set_record_size(struct live_arguments *a, const char *text, struct err *err)
{
	size_t bytes = 0;
	enum err_code code = set_size(&bytes, "record-size", text, KEEP_BYTES_LEAST, SIZE_MOST, err);

	a->record_bytes = bytes;
	return code;
}

static enum err_code set_option(struct live_arguments *a, int id, struct err *err)
{
	char typed[80];

	switch (id) {
	case OPTION_INTERFACE:
		return add_interface(a, optarg, err);
	case OPTION_BPF:
		a->bpf = optarg;
		break;
	case OPTION_RING:
		return set_size(&a->ring_bytes, "ring", optarg, INTERFACE_RING_LEAST, INTERFACE_RING_MOST, err);
	case OPTION_MEMORY:
		return set_size(&a->memory, "memory", optarg, BUDGET_LEAST, SIZE_MOST, err);
	case OPTION_LIST:
		a->list_interfaces = true;
		break;
	case OPTION_JSON:
		a->json = true;
		break;
	case OPTION_UI:
	case OPTION_NO_UI:
		a->ui = id == OPTION_UI;
		a->no_ui = id == OPTION_NO_UI;
		break;
	case OPTION_OUTPUT:
		a->output = optarg;
		break;
	case OPTION_SYSLOG:
		a->syslog = optarg ? optarg : SYSLOG_SOCKET;
		break;
	case OPTION_HISTORY:
		a->history = optarg;
		break;
	case OPTION_HISTORY_KEEP:
		if (!when_length_parse(span_of(optarg), 0, &a->history_keep_ns) || a->history_keep_ns == 0)
			return err_set(err, ERR_USAGE, "--history-keep %s: no length of time: 90d, 12w",
			       shown(optarg, typed));
		break;
	case OPTION_NO_EVIDENCE_TEXT:
		a->no_evidence_text = true;
		break;
	case OPTION_REDACT:
		a->redact = true;
		break;
	case OPTION_SAVE_DIR:
		a->save_folder = optarg;
		break;
	case OPTION_RECORD:
		a->record_folder = optarg;
		break;
	case OPTION_RECORD_SIZE:
		return set_record_size(a, optarg, err);
	case OPTION_KEEP:
		return set_length(&a->keep_ns, "keep", optarg, err);
	case OPTION_KEEP_SIZE:
		return set_size(&a->keep_bytes, "keep-size", optarg, KEEP_BYTES_LEAST, SIZE_MOST, err);
	case OPTION_KEEP_AUDIO:
		a->keep_audio = true;
		break;
	case OPTION_KEEP_PRIVILEGES:
		a->keep_privileges = true;
		break;
	case OPTION_NO_SANDBOX:
		a->no_sandbox = true;
		break;
	case OPTION_NAMES:
		a->names = optarg;
		break;
	case OPTION_CONFIG:
		a->config = optarg;
		break;
	case OPTION_COLOR:
		return set_color(a, optarg, err);
	case OPTION_UTC:
		a->utc = true;
		break;
	case OPTION_VERBOSE:
		a->verbose = true;
		break;
	}
	return ERR_OK;
}

static enum err_code refuse(int argc, char **argv, int id, struct err *err)
{
	const char *names[sizeof long_options / sizeof long_options[0]], *near = NULL;
	const char *typed = optind > 0 && optind - 1 < argc ? argv[optind - 1] : "";
	char text[80];
	size_t count = 0;

	for (; long_options[count].name; count++)
		names[count] = long_options[count].name;
	if (id == ':')
		return err_set(err, ERR_USAGE, "%s wants a value behind it: deadair live --help lists the options",
		       shown(typed, text));
	if (typed[0] == '-' && typed[1] == '-')
		near = nearest_word(span_first(span_of(typed + 2), strcspn(typed + 2, "=")), names, count);
	if (near)
		return err_set(err, ERR_USAGE, "no option %s: --%s?", shown(typed, text), near);
	return err_set(err, ERR_USAGE, "no option %s: deadair live --help lists them", shown(typed, text));
}

/* What is kept of packets is a part of what may be taken in all. */
static enum err_code share_memory(struct live_arguments *a, struct err *err)
{
	size_t spare = a->memory - BUDGET_LEAST;

	if (a->keep_bytes > spare)
		return err_set(err, ERR_USAGE, "--keep-size: %zu MiB and the %u MiB that analysis takes at least are more than --memory: %zu MiB at least",
			       a->keep_bytes >> 20, (unsigned)BUDGET_LEAST >> 20,
			       (a->keep_bytes >> 20) + (BUDGET_LEAST >> 20));
	if (!a->keep_bytes)
		a->keep_bytes = a->memory / KEEP_SHARE < spare ? a->memory / KEEP_SHARE : spare;
	return ERR_OK;
}

enum err_code live_arguments_parse(struct live_arguments *a, int argc, char **argv, struct err *err)
{
	char text[80];
	int id;

	*a = (struct live_arguments){ .color = "auto", .ring_bytes = INTERFACE_RING_DEFAULT, .memory = MEMORY_DEFAULT,
				       .keep_ns = KEEP_NS_DEFAULT, .record_bytes = RECORD_BYTES_DEFAULT };
	optind = 0;                     /* glibc: begin anew */
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":i:f:v", long_options, NULL)) != -1) {
		if (id == '?' || id == ':')
			return refuse(argc, argv, id, err);
		if (set_option(a, id, err) != ERR_OK)
			return ERR_USAGE;
	}
	if (optind < argc)
		return err_set(err, ERR_USAGE, "%s: interfaces stand behind -i, a capture filter behind -f",
		       shown(argv[optind], text));
	if (a->interface_count == 0 && !a->list_interfaces)
		return err_set(err, ERR_USAGE, "no interface named: deadair live -i IF; --list-interfaces lists them");
	if (a->ui && a->json)
		return err_set(err, ERR_USAGE, "--ui is for looking: leave --json out");
	return share_memory(a, err);
}
