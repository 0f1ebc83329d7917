/* SPDX-License-Identifier: MIT */
/* foreign: what sngrep, tshark and tcpdump spell otherwise. */
#include "ui/foreign.h"

#include <string.h>
#include <unistd.h>

#include "captures/base/text.h"

enum { SHOWN = 120 };

static const char *shown(const char *text, char buffer[SHOWN])
{
	return text_escape(span_of(text), buffer, SHOWN);
}

static bool foreign_option(const char *option, const char *value, struct err *err)
{
	char one[SHOWN];

	if (strlen(option) < 2 || option[0] != '-')
		return false;
	if (option[2])
		value = option + 2;     /* -Ioffice.pcap */
	shown(value && *value ? value : "FILE", one);
	switch (option[1]) {
	case 'I':
	case 'r':
		err_set(err, ERR_USAGE, "-%c: files need no option here: deadair read %s", option[1], one);
		return true;
	case 'd':
	case 'i':
		err_set(err, ERR_USAGE, "-%c: interfaces are for another command: deadair live -i %s", option[1],
			value && *value ? one : "IF");
		return true;
	case 'Y':
	case 'R':
		err_set(err, ERR_USAGE,
			"-%c: a display filter is --filter here: --filter 'from:1001 finding:one-way-audio'",
			option[1]);
		return true;
	case 'w':
	case 'O':
		err_set(err, ERR_USAGE, "-%c: deadair read writes no captures: tcpdump -r IN -w %s FILTER", option[1],
			one);
		return true;
	default:
		return false;
	}
}

/* The first word of a capture filter, as pcap-filter(7) has them. */
static bool begins_filter(const char *text)
{
	static const char *const words[] = { "udp",  "tcp", "sctp", "port", "portrange", "host", "net", "ip",  "ip6",
					     "icmp", "src", "dst",  "not",  "vlan",	 "ether", "proto", "less",
					     "greater" };
	size_t n = strcspn(text, " ");

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i]) == n && strncmp(words[i], text, n) == 0)
			return true;
	return false;
}

/* office.pcap udp port 5060 */
static bool foreign_filter(int argc, char **argv, int at, struct err *err)
{
	char one[SHOWN];
	struct text all;

	if (!begins_filter(argv[at]) || access(argv[at], F_OK) == 0)
		return false;
	text_init(&all);
	for (int i = at; i < argc; i++)
		text_addf(&all, "%s%s", i > at ? " " : "", argv[i]);
	err_set(err, ERR_USAGE, "a capture filter goes behind -f: deadair read -f '%s' FILE", shown(all.p, one));
	text_fini(&all);
	return true;
}

/* Options that take a word of their own, which is then no file. */
static bool takes_word(const char *option)
{
	static const char *const options[] = { "-f", "--bpf", "--filter", "--since", "--until", "--call", "--names",
		"--why-not", "--memory", "--jobs", "--color",
						"--config", "--history" };

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (strcmp(options[i], option) == 0)
			return true;
	return false;
}

bool foreign_find(int argc, char **argv, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return false;
		if (takes_word(argv[i]))
			i++;
		else if (argv[i][0] == '-' && argv[i][1] && argv[i][1] != '-' &&
			foreign_option(argv[i], argv[i + 1], err))
			return true;
		else if (argv[i][0] != '-' && foreign_filter(argc, argv, i, err))
			return true;
	}
	return false;
}
