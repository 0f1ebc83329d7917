/* SPDX-License-Identifier: MIT */
/* command: which command was meant, help, and what all commands share. */
#include "ui/command.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "captures/base/nearest.h"
#include "dissect/srtp_check.h"
#include "ui/foreign.h"
#include "ui/words.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);

static const char help_text[] =
	"deadair: who cannot hear whom, and whose fault is it\n"
	"\n"
	"  deadair FILE...               the same as: deadair read FILE...\n"
	"  deadair read [OPTION]... FILE|- ...\n"
	"                                diagnose captures; several are merged in time order\n"
	"  deadair live -i IF [OPTION]...\n"
	"                                diagnose a mirror port while it goes on\n"
	"  deadair explain ID            what a finding means, what mimics it, how to fix it\n"
	"  deadair detectors             all findings, a line each\n"
	"  deadair history list|calls|findings|incidents|show|trend|compare|prune|vacuum\n"
	"                                what read --history and live have kept\n"
	"  deadair COMMAND --help        options of a command\n"
	"  deadair --version\n"
	"\n"
	"Exit status: 0 nothing at warning or above, 1 something found, 2 trouble.\n";

static const char read_help[] =
	"deadair read [OPTION]... FILE|- ...\n"
	"\n"
	"Reads pcap, pcapng and Network Monitor, plain, gzip or zstd; - is standard input.\n"
	"\n"
	"  --json               JSON Lines instead of text\n"
	"  --html FILE          the report as a page, too, with drawings of the affected calls\n"
	"  --filter EXPR        list only what matches: 'finding:one-way-audio from:1001 mos<3.5'\n"
	"  --since T, --until T list only what touches that time: 10:00, 2026-11-20T10:00, -15m\n"
	"  --call N|CALL-ID     the ladder of one call, with its media and findings\n"
	"  --markdown           the ladder for a ticket\n"
	"  --names FILE         names of addresses, as in /etc/hosts; DNS is never asked\n"
	"  --config FILE|none   profile of the site: its addresses, ports, hours; see deadair.conf(5)\n"
	"  --history FILE|none  keep the diagnosis in this history; the same capture again replaces it\n"
	"  --redact             other numbers, names and addresses: the same stay the same, private stays private\n"
	"  --no-evidence-text   the history keeps nothing that messages said\n"
	"  -f, --bpf BPF        read only what this capture filter passes\n"
	"  --why-not ID[:CALL]  why this finding was not made\n"
	"  --policy FORM        the firewall policy that permits what was seen: nftables or table\n"
	"  --save WHAT FILE     write the packets of call:N, finding:N, incident:N or all as pcapng\n"
	"  --memory SIZE        keep no more than that (256M, 2G); what goes for it is said\n"
	"  --jobs N             1: all on one processor; 2, the default: decode on another\n"
	"  --color WHEN         auto, always or never (NO_COLOR is heeded)\n"
	"  --ui                 look at it in the dashboard, also while it is read; the report comes then\n"
	"  --no-ui              the report alone, as without --ui\n"
	"  --utc                times in UTC\n"
	"  -v, --verbose        all calls with their streams, facts, peers, hosts, NAT map\n"
	"  -h, --help\n"
	"\n"
	"Options narrow what is listed; the diagnosis and the exit status are over all.\n"
	"Exit status: 0 nothing at warning or above, 1 something found, 2 trouble.\n";

static const char live_help[] =
	"deadair live -i IF [-i IF]... [OPTION]...\n"
	"\n"
	"Captures: a dashboard on a terminal, else a line when a finding opens or closes;\n"
	"^C ends it with the report.\n"
	"\n"
	"  -i, --interface IF   capture there; each is a point of its own; any: all of them\n"
	"  -f, --bpf BPF        capture only what this filter passes; see pcap-filter(7)\n"
	"  --list-interfaces    those that there are\n"
	"  --ring SIZE          of the kernel's ring, each: 1M to 1G, 64M; halved until it is had\n"
	"  --ui                 the dashboard, also with --output\n"
	"  --no-ui              lines, also on a terminal\n"
	"  --json               JSON Lines instead of text\n"
	"  --output FILE        lines and report go there, behind what is in it; SIGHUP opens it anew\n"
	"  --syslog[=SOCKET]    findings to the system's log, too (RFC 5424)\n"
	"  --history FILE|none  keep what ends in this history; without it in that of the user\n"
	"  --history-keep LENGTH  forget of it what is older: 90d, 12w\n"
	"  --no-evidence-text   the history keeps nothing that messages said\n"
	"  --redact             other numbers, names and addresses: the same stay the same, private stays private\n"
	"  --keep LENGTH        the newest packets can be saved: 5m, or 90s, 1h ...\n"
	"  --keep-size SIZE     ... as far as they fit into that; without it a quarter of --memory\n"
	"  --keep-audio         whole packets; else of audio the headers\n"
	"  --save-dir DIR       SIGUSR1 saves them there; without it beside the history\n"
	"  --record DIR         save the packets of each problem there by itself\n"
	"  --record-size SIZE   the oldest of those files go when they take more than 1G\n"
	"  --names FILE         names of addresses, as in /etc/hosts; DNS is never asked\n"
	"  --config FILE|none   profile of the site; see deadair.conf(5)\n"
	"  --memory SIZE        take no more than that; 256M without it; what goes for it is said\n"
	"  --keep-privileges    go on as root, with all its capabilities\n"
	"  --no-sandbox         go on without the system call filter\n"
	"  --color WHEN         auto, always or never (NO_COLOR is heeded)\n"
	"  --utc                times in UTC\n"
	"  -v, --verbose        findings that only inform, too; the long report\n"
	"  -h, --help\n"
	"\n"
	"Wants the permission to capture: sudo, or setcap cap_net_raw=ep on the program.\n"
	"Exit status: 0 nothing at warning or above, 1 something found, 2 trouble.\n";

static const char explain_help[] = "deadair explain ID\n\nWhat a finding means, what it looks at, what mimics it, how to fix it.\n"
				   "deadair detectors lists the ids.\n";
static const char detectors_help[] = "deadair detectors\n\nAll findings: id, usual severity, what it says, its configuration keys.\n";

static const char history_help[] =
	"deadair history [list|calls|findings|incidents] [OPTION]...\n"
	"deadair history show RUN|RUN/CALL|RUN/fFINDING\n"
	"deadair history trend [--by hour|day] [OPTION]...\n"
	"deadair history compare --before T [--after T] | RUN RUN [OPTION]...\n"
	"deadair history prune --keep 90d\n"
	"deadair history vacuum\n"
	"\n"
	"What deadair read --history FILE and deadair live have kept: runs, calls, problems by id and whom they are about,\n"
	"incidents, the newest first; show gives a diagnosis again, with its evidence; trend counts by day or hour; compare\n"
	"says what is different since a time, or between two runs. prune forgets the runs that are older, vacuum gives their\n"
	"room back.\n"
	"\n"
	"  --history FILE       default: $XDG_STATE_HOME/deadair/history.db, else ~/.local/state/deadair/history.db\n"
	"  --since T, --until T 2026-11-20, 2026-11-20T10:00, yesterday, \"Fri 18:00\", -3d\n"
	"  --number N           of the caller or the callee; * stands for any text\n"
	"  --host ADDRESS       that took part\n"
	"  --id ID              of a finding, as deadair detectors has them\n"
	"  --run N              of this run only\n"
	"  --before T, --after T  compare: calls that began before, and those since; one of them is both\n"
	"  --by hour|day        trend: default by day, by hour where --since is less than three days back\n"
	"  --all                findings: facts, and what others explain, too; compare: what too few calls show, too\n"
	"  --keep LENGTH        prune: what of the last 90d, 12w ... stays\n"
	"  --redact             other numbers, names and addresses, as in deadair read; filters go by the true ones\n"
	"  --limit N|all        default 50\n"
	"  --json, --csv        instead of a table\n"
	"  --color WHEN, --utc  as in deadair read\n"
	"\n"
	"Exit status: 0 done, 2 trouble.\n";

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "detectors", command_detectors, detectors_help },
	{ "explain", command_explain, explain_help },
	{ "help", command_help, help_text },
	{ "history", command_history, history_help },
	{ "live", command_live, live_help },
	{ "read", command_read, read_help },
	{ "--help", command_help, help_text },
	{ "--version", command_version, NULL },
	{ "-h", command_help, help_text },
	{ "-V", command_version, NULL },
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

int command_trouble(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fprintf(stderr, "deadair: %s\n", text);
	return STATUS_TROUBLE;
}

int command_close(struct out *o, int status)
{
	int error = out_fini(o);

	if (error == 0)
		return status;
	if (error != EPIPE)             /* whoever closed the pipe has seen enough */
		command_trouble("standard output: %s: the report is not complete", strerror(error));
	return STATUS_TROUBLE;
}

static enum palette palette_of(const char *color)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool many = term && strstr(term, "256");

	if (strcmp(color, "never") == 0)
		return PALETTE_NONE;
	if (strcmp(color, "always") == 0)
		return many ? PALETTE_256 : PALETTE_16;
	if (!isatty(STDOUT_FILENO) || (no_color && *no_color) || !term || strcmp(term, "dumb") == 0)
		return PALETTE_NONE;
	return many ? PALETTE_256 : PALETTE_16;
}

static unsigned terminal_columns(void)
{
	struct winsize size = { .ws_col = 0 };

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
}

void command_out(struct out *o, const char *color)
{
	out_init(o, STDOUT_FILENO);
	o->columns = terminal_columns();
	o->palette = palette_of(color);
	o->ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int print(const char *text)
{
	struct out o;

	command_out(&o, "never");
	out_bytes(&o, text, strlen(text));
	return command_close(&o, STATUS_CLEAN);
}

static int command_help(int argc, char **argv)
{
	const struct command *c = argc > 1 ? command_find(argv[1]) : NULL;

	return print(c && c->help ? c->help : help_text);
}

static int command_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	const char *srtp = srtp_check_library();
	char text[256];

	snprintf(text, sizeof text, "deadair " PACKAGE_VERSION "\n%s%s\n", srtp ? "with " : "without libsrtp2: ",
		srtp ? srtp : "packets are not tested with keys that SDP tells");
	return print(text);
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* A word that is no file and nearly a command. */
static const char *meant(const char *word)
{
	const char *names[COMMANDS];
	size_t count = 0;

	if (access(word, F_OK) == 0 || strpbrk(word, "./-") || strlen(word) < 3)
		return NULL;
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].name[0] != '-')
			names[count++] = commands[i].name;
	return nearest_word(span_of(word), names, count);
}

static int run(const struct command *c, int argc, char **argv)
{
	if (c->help && asks_for_help(argc, argv))
		return print(c->help);
	return c->run(argc, argv);
}

int command_main(int argc, char **argv)
{
	const struct command *c;
	const char *near;
	char word[64];

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		fputs(help_text, stderr);
		return STATUS_TROUBLE;
	}
	c = command_find(argv[1]);
	if (c)
		return run(c, argc - 1, argv + 1);
	near = meant(argv[1]);
	if (near)
		return command_trouble("no command or file \"%s\": %s?",
		       text_escape(span_of(argv[1]), word, sizeof word), near);
	return run(command_find("read"), argc, argv);
}
