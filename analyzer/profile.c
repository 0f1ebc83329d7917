/* SPDX-License-Identifier: MIT */
/* profile: reads deadair.conf. libinih splits lines; what a key means stands in one table here. */
#include "analyzer/profile.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/nearest.h"
#include "captures/base/text.h"

enum {
	SHOWN = 80,
	LIST_MAX = 65536,            /* values of one key */
	MINUTES_OF_DAY = 24 * 60
};

/* What is being read. */
struct reading {
	const char *path;
	FILE *file;
	unsigned line;               /* of the last line read */
	struct config *config;
	struct site *site;
	/* scalars are said once; a list goes on in indented lines */
	struct given { char *section, *name; bool list; } *given;
	unsigned given_count;
	bool failed;
	struct err *err;
};

struct site_key {
	const char *section, *name;
	bool (*take)(struct reading *g, const struct site_key *key, struct span value);
	size_t offset;               /* of what it fills, in struct site */
	bool list;                   /* may be given in several lines */
	const char *const *choices;  /* of a choice: in the order of its enum */
	const char *form;            /* for the message: what the value should look like */
};

static bool fail(struct reading *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Only the first error is said. */
static bool fail(struct reading *g, const char *format, ...)
{
	char path[256], what[300];
	va_list ap;

	if (g->failed)
		return false;
	g->failed = true;
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	err_set(g->err, ERR_USAGE, "%s:%u: %s", text_escape(span_of(g->path), path, sizeof path), g->line, what);
	return false;
}

static bool wrong(struct reading *g, const struct site_key *key, struct span value)
{
	char shown[SHOWN];

	return fail(g, "%s = %s: give %s", key->name, text_escape(value, shown, sizeof shown), key->form);
}

static void *field(struct reading *g, const struct site_key *key)
{
	return (char *)g->site + key->offset;
}

static char *copy(struct span s)
{
	char *text = memory_zalloc(s.n + 1);

	if (s.n)
		memcpy(text, s.p, s.n);
	return text;
}

static bool next_word(struct span *rest, struct span *ret)
{
	while (span_split(rest, ',', ret)) {
		*ret = span_trim(*ret);
		if (ret->n)
			return true;
	}
	return false;
}

/* ---- kinds of values ---- */

static bool take_text(struct reading *g, const struct site_key *key, struct span value)
{
	char **text = field(g, key);

	free(*text);
	*text = copy(value);
	return true;
}

/* A zone that the system knows, or a POSIX rule such as CET-1CEST: glibc itself takes anything, and means UTC. */
static bool take_zone(struct reading *g, const struct site_key *key, struct span value)
{
	static const char *const bases[] = { "/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/etc/zoneinfo/" };
	bool found = span_equal(value, SPAN("UTC")), rule = value.n > 3;
	char path[200];

	for (size_t i = 0; i < value.n; i++) {
		if (!isalnum(value.p[i]) && !strchr("/_+-:.,<>", value.p[i]))
			return wrong(g, key, value);
	}
	for (size_t i = 0; i < 3; i++)
		rule &= value.n > 3 && isupper(value.p[i]);
	rule = rule && (isdigit(value.p[3]) || strchr("+-", value.p[3]));
	for (size_t i = 0; !found && span_find_text(value, SPAN("..")) == value.n && i < sizeof bases / sizeof *bases;
	    i++) {
		snprintf(path, sizeof path, "%s%.*s", bases[i], (int)(value.n < 100 ? value.n : 100),
			(const char *)value.p);
		found = value.n && access(path, R_OK) == 0;
	}
	return found || rule ? take_text(g, key, value) : wrong(g, key, value);
}

static bool take_choice(struct reading *g, const struct site_key *key, struct span value)
{
	unsigned *chosen = field(g, key);

	for (unsigned i = 0; key->choices[i]; i++) {
		if (span_equal_nocase(value, span_of(key->choices[i]))) {
			*chosen = i;
			return true;
		}
	}
	return wrong(g, key, value);
}

static bool take_yes(struct reading *g, const struct site_key *key, struct span value)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
	bool *yes = field(g, key);

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (span_equal_nocase(value, span_of(words[i]))) {
			*yes = i & 1;
			return true;
		}
	}
	return wrong(g, key, value);
}

static bool add_net(struct reading *g, struct nets *nets, const struct net *n)
{
	if (nets->count >= LIST_MAX)
		return fail(g, "more than %d networks", LIST_MAX);
	nets->list = memory_resize(nets->list, nets->count + 1u, sizeof *nets->list);
	nets->list[nets->count++] = *n;
	return true;
}

static bool add_word(struct reading *g, struct words *words, struct span word)
{
	if (words->count >= LIST_MAX)
		return fail(g, "more than %d values", LIST_MAX);
	words->list = memory_resize(words->list, words->count + 1u, sizeof *words->list);
	words->list[words->count++] = copy(word);
	return true;
}

static bool add_private(struct reading *g, struct nets *nets)
{
	static const char *const texts[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
		"169.254.0.0/16", "fc00::/7", "fe80::/10" };
	struct net n;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (net_parse(span_of(texts[i]), &n) && !add_net(g, nets, &n))
			return false;
	}
	return true;
}

static bool take_nets(struct reading *g, const struct site_key *key, struct span value)
{
	struct span word;
	struct net n;

	while (next_word(&value, &word)) {
		if (span_equal_nocase(word, SPAN("rfc1918"))) {
			if (!add_private(g, field(g, key)))
				return false;
			continue;
		}
		if (!net_parse(word, &n))
			return wrong(g, key, word);
		if (!add_net(g, field(g, key), &n))
			return false;
	}
	return true;
}

static bool is_name(struct span s)
{
	bool letter = false;

	for (size_t i = 0; i < s.n; i++) {
		if (!isalnum(s.p[i]) && !strchr("-._", s.p[i]))
			return false;
		letter |= isalpha(s.p[i]) != 0;
	}
	return letter;
}

static bool take_peers(struct reading *g, const struct site_key *key, struct span value)
{
	struct peers *peers = field(g, key);
	struct span word;
	struct net n;

	while (next_word(&value, &word)) {
		if (net_parse(word, &n)) {
			if (!add_net(g, &peers->nets, &n))
				return false;
		} else if (!is_name(word)) {
			return wrong(g, key, word);
		} else if (!add_word(g, &peers->names, word)) {
			return false;
		}
	}
	return true;
}

static bool take_words(struct reading *g, const struct site_key *key, struct span value)
{
	struct span word;

	while (next_word(&value, &word)) {
		if (!add_word(g, field(g, key), word))
			return false;
	}
	return true;
}

/* Country codes, prefixes: digits, perhaps after a plus. */
static bool take_digits(struct reading *g, const struct site_key *key, struct span value)
{
	struct span word;

	while (next_word(&value, &word)) {
		for (size_t i = 0; i < word.n; i++) {
			if (!isdigit(word.p[i]) && !(word.p[i] == '+' && i == 0) && !strchr("*#", word.p[i]))
				return wrong(g, key, word);
		}
		if (!add_word(g, field(g, key), word))
			return false;
	}
	return true;
}

static bool range_parse(struct span word, struct range *ret)
{
	size_t dash = span_find(word, '-');
	uint64_t low, high;

	if (!span_number(span_trim(span_first(word, dash)), 65535, &low))
		return false;
	high = low;
	if (dash < word.n && !span_number(span_trim(span_from(word, dash + 1)), 65535, &high))
		return false;
	*ret = (struct range){ (uint16_t)low, (uint16_t)high };
	return low > 0 && low <= high;
}

static bool add_ranges(struct reading *g, const struct site_key *key, struct ranges *ranges, struct span value)
{
	struct span word;
	struct range r;

	while (next_word(&value, &word)) {
		if (!range_parse(word, &r))
			return wrong(g, key, word);
		if (ranges->count >= LIST_MAX)
			return fail(g, "more than %d ranges", LIST_MAX);
		ranges->list = memory_resize(ranges->list, ranges->count + 1u, sizeof *ranges->list);
		ranges->list[ranges->count++] = r;
	}
	return true;
}

static bool take_ranges(struct reading *g, const struct site_key *key, struct span value)
{
	return add_ranges(g, key, field(g, key), value);
}

static bool add_numbers(struct reading *g, const struct site_key *key, struct span value, unsigned max)
{
	struct number_set *set = field(g, key);
	struct span word;
	uint64_t number;

	while (next_word(&value, &word)) {
		if (!span_number(word, max, &number))
			return wrong(g, key, word);
		set->count += !numbers_have(set, (unsigned)number);
		set->bits[number / 64] |= (uint64_t)1 << number % 64;
	}
	return true;
}

static bool take_dscp(struct reading *g, const struct site_key *key, struct span value)
{
	return add_numbers(g, key, value, 63);
}

static bool take_vlans(struct reading *g, const struct site_key *key, struct span value)
{
	return add_numbers(g, key, value, 4094);
}

static bool day_parse(struct span s, unsigned *ret)
{
	static const char days[] = "montuewedthufrisatsun";

	s = span_trim(s);
	for (unsigned i = 0; i < 7; i++) {
		if (s.n >= 2 && s.n <= 3 && span_equal_nocase(s, (struct span){ (const uint8_t *)days + 3 * i, s.n })) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool minute_parse(struct span s, uint16_t *ret)
{
	size_t colon = span_find(s, ':');
	uint64_t hour, minute = 0;

	if (!span_number(span_trim(span_first(s, colon)), 24, &hour))
		return false;
	if (colon < s.n && !span_number(span_trim(span_from(s, colon + 1)), 59, &minute))
		return false;
	*ret = (uint16_t)(hour * 60 + minute);
	return *ret <= MINUTES_OF_DAY;
}

/* "Mon-Fri 07:30-18:30"; a range of days may go over Sunday, one of hours not over midnight. */
static bool hours_parse(struct span s, struct span_of_week *ret)
{
	size_t blank = span_find(s, ' ');
	struct span days = span_first(s, blank), hours = span_trim(span_from(s, blank));
	size_t dash = span_find(days, '-'), to = span_find(hours, '-');
	unsigned first, last;

	if (!day_parse(span_first(days, dash), &first) || to == hours.n)
		return false;
	last = first;
	if (dash < days.n && !day_parse(span_from(days, dash + 1), &last))
		return false;
	ret->days = 0;
	for (unsigned day = first;; day = (day + 1) % 7) {
		ret->days |= (uint8_t)(1u << day);
		if (day == last)
			break;
	}
	return minute_parse(span_first(hours, to), &ret->from_min) &&
	       minute_parse(span_from(hours, to + 1), &ret->to_min) &&
		ret->from_min < ret->to_min;
}

static bool take_hours(struct reading *g, const struct site_key *key, struct span value)
{
	struct office_hours *hours = field(g, key);
	struct span_of_week h;
	struct span word;

	while (next_word(&value, &word)) {
		if (!hours_parse(word, &h))
			return wrong(g, key, word);
		hours->list = memory_resize(hours->list, hours->count + 1u, sizeof *hours->list);
		hours->list[hours->count++] = h;
	}
	return true;
}

static bool transport_parse(struct span word, struct transport_wish *ret)
{
	static const char *const transports[] = { "udp", "tcp", "tls", "ws", "wss", "sctp" };
	size_t colon = word.n, slash;
	struct span transport;
	uint64_t port = 0;

	while (colon > 0 && word.p[colon - 1] != ':')
		colon--;
	if (colon < 2)
		return false;
	transport = span_from(word, colon);
	slash = span_find(transport, '/');
	if (slash < transport.n && !span_number(span_from(transport, slash + 1), 65535, &port))
		return false;
	for (size_t i = 0; i < sizeof transports / sizeof *transports; i++) {
		if (span_equal_nocase(span_first(transport, slash), span_of(transports[i]))) {
			*ret = (struct transport_wish){ copy(span_first(word, colon - 1)), memory_text(transports[i]),
				(uint16_t)port };
			return true;
		}
	}
	return false;
}

static bool take_transport(struct reading *g, const struct site_key *key, struct span value)
{
	struct transports *all = field(g, key);
	struct transport_wish t;
	struct span word;

	while (next_word(&value, &word)) {
		if (!transport_parse(word, &t))
			return wrong(g, key, word);
		all->list = memory_resize(all->list, all->count + 1u, sizeof *all->list);
		all->list[all->count++] = t;
	}
	return true;
}

/* A private address and the public one that its NAT gives it; a further line adds a further one. */
static bool take_nat(struct reading *g, const struct site_key *key, struct span value)
{
	struct nat_pairs *pairs = field(g, key);
	size_t comma = span_find(value, ',');
	struct nat_pair p;

	if (!address_parse(span_trim(span_first(value, comma)), &p.inside) || comma == value.n ||
		!address_parse(span_trim(span_from(value, comma + 1)), &p.outside))
		return wrong(g, key, value);
	pairs->list = memory_resize(pairs->list, pairs->count + 1u, sizeof *pairs->list);
	pairs->list[pairs->count++] = p;
	return true;
}

/* ---- files that the profile names ---- */

static FILE *beside_open(struct reading *g, struct span name, char shown[SHOWN])
{
	const char *slash = strrchr(g->path, '/');
	char path[4096];
	FILE *f;
	struct stat st;

	text_escape(name, shown, SHOWN);
	snprintf(path, sizeof path, "%.*s%.*s", name.n && name.p[0] != '/' && slash ? (int)(slash + 1 - g->path) : 0,
		g->path, (int)name.n,
		 (const char *)name.p);
	f = fopen(path, "re");
	if (!f || fstat(fileno(f), &st) != 0 || S_ISDIR(st.st_mode)) {
		fail(g, "%s: %s", shown, f ? "a folder, not a file" : strerror(errno));
		if (f)
			fclose(f);
		return NULL;
	}
	return f;
}

/* A value a line; what stands behind # or ; is a comment. */
static bool take_file(struct reading *g, const struct site_key *key, struct span value,
	bool (*take)(struct reading *, const struct site_key *, struct span))
{
	char shown[SHOWN], line[1024];
	FILE *f = beside_open(g, value, shown);
	unsigned n = 0;

	while (f && !g->failed && fgets(line, sizeof line, f)) {
		line[strcspn(line, "#;")] = '\0';
		n++;
		if (!take(g, key, span_trim(span_of(line))) && g->err)
			err_set(g->err, ERR_USAGE, "%s:%u: no value that %s takes, which is %s", shown, n, key->name,
				key->form);
	}
	if (f)
		fclose(f);
	return !g->failed;
}

static bool take_net_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, take_nets);
}

static bool take_digit_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, take_digits);
}

static bool take_oui(struct reading *g, const struct site_key *key, struct span value)
{
	if (value.n && value.n < 6)
		return wrong(g, key, value);
	return take_words(g, key, value);
}

static bool take_oui_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, take_oui);
}

static bool take_date(struct reading *g, const struct site_key *key, struct span value)
{
	static const char form[] = "dddd-dd-dd";
	struct span word;

	while (next_word(&value, &word)) {
		for (size_t i = 0; i < sizeof form - 1; i++) {
			if (word.n != sizeof form - 1 || (form[i] == 'd' ? !isdigit(word.p[i]) : word.p[i] != '-'))
				return wrong(g, key, word);
		}
		if (!add_word(g, field(g, key), word))
			return false;
	}
	return true;
}

static bool take_date_file(struct reading *g, const struct site_key *key, struct span value)
{
	return take_file(g, key, value, take_date);
}

/* ---- the table ---- */

static const char *const roles[] = { "unknown", "office", "carrier", "lab", NULL };
static const char *const qos[] = { "auto", "required", "ignore", NULL };
static const char *const encryption[] = { "no", "wan", "all", NULL };

#define NETS "networks such as 10.0.0.0/8, 2001:db8::/32, or rfc1918"
#define PEERS "addresses, networks or names, with commas"
#define PORTS "ports or ranges such as 10000-20000"
#define DIGITS "digits, with commas between numbers"
#define ONE(section, key, take, member, form) { section, key, take, offsetof(struct site, member), false, NULL, form }
#define MANY(section, key, take, member, form) { section, key, take, offsetof(struct site, member), true, NULL, form }
#define CHOICE(section, key, member, choices, form) { section, key, take_choice, offsetof(struct site, member), false, \
	choices, form }

static const struct site_key keys[] = {
	ONE("site", "name", take_text, name, "a name"),
	ONE("site", "timezone", take_zone, timezone, "a time zone such as Europe/Vienna or UTC"),
	MANY("site", "office-hours", take_hours, office_hours, "days and hours such as Mon-Fri 07:30-18:30"),
	ONE("site", "holidays", take_date_file, holidays, "a file with a date such as 2026-12-25 a line"),
	CHOICE("site", "role", role, roles, "office, carrier or lab"),
	MANY("site", "inside-nets", take_nets, inside_nets, NETS),
	MANY("site", "public-ips", take_nets, public_ips, NETS),
	MANY("site", "remote-nets", take_nets, remote_nets, NETS),
	MANY("site", "pbx", take_peers, pbx, PEERS),
	MANY("site", "trunk", take_peers, trunk, PEERS),
	MANY("site", "trusted", take_peers, trusted, PEERS),
	MANY("site", "trusted-scanners", take_peers, trusted_scanners, PEERS),
	MANY("site", "mobile-prefixes", take_digits, mobile_prefixes, DIGITS),
	MANY("site", "failover", take_peers, failover, PEERS),
	ONE("site", "router", take_text, router, "maker and model of the router"),
	ONE("site", "mask-numbers", take_yes, mask_numbers, "yes or no"),
	MANY("signalling", "sip-ports", take_ranges, sip_ports, PORTS),
	MANY("signalling", "tls-ports", take_ranges, tls_ports, PORTS),
	MANY("signalling", "expected-transport", take_transport, expected_transport,
	"a peer and its transport such as sip.example.net:tls/5061"),
	MANY("media", "media-ports", take_ranges, media_ports, PORTS),
	CHOICE("network", "qos", qos, qos, "auto, required or ignore"),
	MANY("network", "dscp-media", take_dscp, dscp_media, "values of DSCP, 0 to 63"),
	MANY("network", "dscp-sig", take_dscp, dscp_sig, "values of DSCP, 0 to 63"),
	MANY("network", "voice-vlans", take_vlans, voice_vlans, "VLAN ids, 0 to 4094"),
	ONE("network", "phone-ouis", take_oui_file, phone_ouis,
	"a file with the first three bytes of MAC addresses, such as 00:15:65, a line"),
	MANY("security", "scanner-ua", take_words, scanner_ua, "words of user agents, with commas"),
	ONE("security", "geo-allow", take_net_file, geo_allow, "a file with a network a line"),
	ONE("security", "geo-deny", take_net_file, geo_deny, "a file with a network a line"),
	CHOICE("security", "require-encryption", encryption, encryption, "no, wan or all"),
	ONE("security", "open-federation", take_yes, open_federation, "yes or no"),
	MANY("tollfraud", "home-cc", take_digits, home_cc, DIGITS),
	MANY("tollfraud", "allowed-cc", take_digits, allowed_cc, DIGITS),
	MANY("tollfraud", "intl-prefixes", take_digits, intl_prefixes, DIGITS),
	MANY("tollfraud", "outside-prefix", take_digits, outside_prefix, DIGITS),
	ONE("tollfraud", "premium-prefixes", take_digit_file, premium_prefixes, "a file with a prefix a line"),
	MANY("nat", "map", take_nat, nat, "a private address and its public one: 192.168.1.2, 203.0.113.2"),
};

enum { KEYS = sizeof keys / sizeof *keys };

/* "media-ports.10.0.0.5": the range of one host */
static const struct site_key host_key = MANY("media", "media-ports.HOST", take_ranges, media_ports_of, PORTS);

static bool take_host_ports(struct reading *g, struct span host, struct span value)
{
	struct host_ranges *all = &g->site->media_ports_of;
	struct host_range *h = NULL;
	char shown[SHOWN];
	struct net n;

	if (!net_parse(host, &n) && !is_name(host))
		return fail(g, "media-ports.%s: neither an IPv4 address nor one of [names] stands behind the dot",
		       text_escape(host, shown, sizeof shown));
	for (unsigned i = 0; i < all->count; i++) {
		if (span_equal(host, span_of(all->list[i].host)))
			h = &all->list[i];
	}
	if (!h) {
		all->list = memory_resize(all->list, all->count + 1u, sizeof *all->list);
		h = &all->list[all->count++];
		*h = (struct host_range){ .host = copy(host) };
	}
	return add_ranges(g, &host_key, &h->ports, value);
}

/* ---- a line ---- */

/* The first line of a key drops the default; a further one adds to a list. */
static void forget_default(struct site *s, const struct site_key *key)
{
	if (key->take == take_nets) {
		((struct nets *)((char *)s + key->offset))->count = 0;
	} else if (key->take == take_ranges) {
		((struct ranges *)((char *)s + key->offset))->count = 0;
	} else if (key->take == take_dscp || key->take == take_vlans) {
		memset((char *)s + key->offset, 0, sizeof(struct number_set));
	} else if (key->take == take_digits) {
		struct words *w = (struct words *)((char *)s + key->offset);

		while (w->count)
			free(w->list[--w->count]);
	}
}

/* False: said before, and no list. *ret_first: not said before. */
static bool given(struct reading *g, const char *section, const char *name, bool list, bool *ret_first)
{
	for (unsigned i = 0; i < g->given_count; i++) {
		if (strcmp(g->given[i].section, section) == 0 && strcmp(g->given[i].name, name) == 0) {
			*ret_first = false;
			return list || fail(g, "%s stands here a second time", name);
		}
	}
	g->given = memory_resize(g->given, g->given_count + 1u, sizeof *g->given);
	g->given[g->given_count++] = (struct given){ memory_text(section), memory_text(name), list };
	*ret_first = true;
	return true;
}

/* The name stands first, as inih would split an IPv6 address at its first colon. */
static bool take_name(struct reading *g, const char *name, struct span value)
{
	struct host_names *all = &g->site->names;
	struct address a;
	struct span word;
	char shown[SHOWN];

	while (next_word(&value, &word)) {
		if (!address_parse(word, &a))
			return fail(g, "%s: no address; [names] has lines such as PBX = 10.0.0.5",
			       text_escape(word, shown, sizeof shown));
		if (all->count >= LIST_MAX)
			return fail(g, "more than %d names", LIST_MAX);
		all->list = memory_resize(all->list, all->count + 1u, sizeof *all->list);
		all->list[all->count++] = (struct host_name){ a, memory_text(name) };
	}
	return true;
}

static const char *nearest_section(const char *section)
{
	const char *names[512];
	size_t count = 0;

	for (size_t i = 0; i < KEYS; i++)
		names[count++] = keys[i].section;
	names[count++] = "names";
	for (size_t i = 0; count < 512 && config_section(i); i++)
		names[count++] = config_section(i);
	return nearest_word(span_of(section), names, count);
}

static const char *nearest_key(const char *section, const char *name)
{
	const char *names[512];
	size_t count = 0;

	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].section, section) == 0)
			names[count++] = keys[i].name;
	}
	for (size_t i = 0; count < 512 && config_key_at(section, i); i++)
		names[count++] = config_key_at(section, i)->name;
	return nearest_word(span_of(name), names, count);
}

static bool section_known(const char *section)
{
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].section, section) == 0)
			return true;
	}
	for (size_t i = 0; config_section(i); i++) {
		if (strcmp(config_section(i), section) == 0)
			return true;
	}
	return false;
}

static bool take_unknown(struct reading *g, const char *section, const char *name)
{
	char shown[SHOWN];
	const char *near;

	if (!*section)
		return fail(g, "%s stands before the first [section]", text_escape(span_of(name), shown, sizeof shown));
	if (!section_known(section)) {
		near = nearest_section(section);
		return fail(g, "no section [%s]%s%s%s; deadair detectors lists those of findings",
		       text_escape(span_of(section), shown, sizeof shown),
			    near ? ": [" : "", near ? near : "", near ? "]?" : "");
	}
	near = nearest_key(section, name);
	return fail(g, "[%s] has no key %s%s%s%s", section, text_escape(span_of(name), shown, sizeof shown),
	       near ? ": " : "", near ? near : "", near ? "?" : "");
}

/* A figure of the engine or of a detector. */
static bool take_figure(struct reading *g, const char *section, const struct config_key *key, const char *value)
{
	char shown[SHOWN], *end;
	double number;

	errno = 0;
	number = strtod(value, &end);
	if (end == value || *end || errno)
		return fail(g, "%s = %s: give a number, %g to %g %s", key->name,
		       text_escape(span_of(value), shown, sizeof shown), key->min, key->max,
			    key->unit);
	if (!config_set(g->config, section, key->name, number))
		return fail(g, "%s = %s: out of range, give %g to %g %s", key->name,
		       text_escape(span_of(value), shown, sizeof shown), key->min, key->max,
			    key->unit);
	return true;
}

static bool take_key(struct reading *g, const char *section, const char *name, const char *value)
{
	const struct config_key *figure = config_find(section, name);
	bool first;

	if (strcmp(section, "names") == 0)
		return take_name(g, name, span_trim(span_of(value)));
	if (strcmp(section, "media") == 0 && strncmp(name, "media-ports.", 12) == 0)
		return take_host_ports(g, span_of(name + 12), span_of(value));
	if (figure)
		return given(g, section, name, false, &first) && take_figure(g, section, figure, value);
	for (size_t i = 0; i < KEYS; i++) {
		const struct site_key *key = &keys[i];

		if (strcmp(key->section, section) != 0 || strcmp(key->name, name) != 0)
			continue;
		if (!given(g, section, name, key->list, &first))
			return false;
		if (first)
			forget_default(g->site, key);
		return !*value ? true : key->take(g, key, span_trim(span_of(value)));
	}
	return take_unknown(g, section, name);
}

static int take_line(void *context, const char *section, const char *name, const char *value)
{
	struct reading *g = context;

	return g->failed || take_key(g, section, name, value ? value : "");
}

/* As fgets(3), counting lines; one that is longer than inih's buffer is an error, not two lines. */
static char *read_line(char *buffer, int room, void *context)
{
	struct reading *g = context;
	size_t n;

	if (g->failed || !fgets(buffer, room, g->file))
		return NULL;
	g->line++;
	n = strlen(buffer);
	if (n + 1 == (size_t)room && buffer[n - 1] != '\n' && !feof(g->file)) {
		fail(g, "a line of more than %d characters; a list may go on in the next line, indented", room - 3);
		return NULL;
	}
	return buffer;
}

static void forget_given(struct reading *g)
{
	for (unsigned i = 0; i < g->given_count; i++) {
		free(g->given[i].section);
		free(g->given[i].name);
	}
	free(g->given);
}

enum err_code profile_read(const char *path, struct config *c, struct site *s, struct err *err)
{
	struct reading g = { .path = path, .config = c, .site = s, .err = err };
	char shown[256];
	struct stat st;
	int line;

	text_escape(span_of(path), shown, sizeof shown);
	g.file = fopen(path, "re");
	if (!g.file)
		return err_set(err, ERR_FILE, "%s: %s; check --config", shown, strerror(errno));
	if (fstat(fileno(g.file), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(g.file);
		return err_set(err, ERR_FILE, "%s: a folder; --config wants a file", shown);
	}
	line = ini_parse_stream(read_line, &g, take_line, &g);
	if (!g.failed && line > 0) {
		g.line = (unsigned)line;
		fail(&g, "neither a [section] nor KEY = VALUE nor a comment (# or ; at the beginning of the line)");
	}
	if (!g.failed && ferror(g.file))
		fail(&g, "cannot read on: %s", strerror(errno));
	fclose(g.file);
	forget_given(&g);
	if (g.failed)
		return ERR_USAGE;
	free(s->path);
	s->path = memory_text(path);
	return ERR_OK;
}
