/* SPDX-License-Identifier: MIT */
/* profile_value: what a value of deadair.conf may be: texts, choices, networks, peers, ports, numbers, transports. */
#include <ctype.h>
#include <stdlib.h>

#include "analyzer/profile_private.h"
#include "captures/base/memory.h"

bool profile_take_text(struct reading *g, const struct site_key *key, struct span value)
{
	char **text = profile_field(g, key);

	free(*text);
	*text = profile_copy(value);
	return true;
}

/* A zone that the system knows, or a POSIX rule such as CET-1CEST: glibc itself takes anything, and means UTC. */

bool profile_take_choice(struct reading *g, const struct site_key *key, struct span value)
{
	unsigned *chosen = profile_field(g, key);

	for (unsigned i = 0; key->choices[i]; i++) {
		if (span_equal_nocase(value, span_of(key->choices[i]))) {
			*chosen = i;
			return true;
		}
	}
	return profile_wrong(g, key, value);
}

bool profile_take_yes(struct reading *g, const struct site_key *key, struct span value)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
	bool *yes = profile_field(g, key);

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (span_equal_nocase(value, span_of(words[i]))) {
			*yes = i & 1;
			return true;
		}
	}
	return profile_wrong(g, key, value);
}

static bool add_net(struct reading *g, struct nets *nets, const struct net *n)
{
	if (nets->count >= LIST_MAX)
		return profile_fail(g, "more than %d networks", LIST_MAX);
	nets->list = memory_resize(nets->list, nets->count + 1u, sizeof *nets->list);
	nets->list[nets->count++] = *n;
	return true;
}

bool profile_add_word(struct reading *g, struct words *words, struct span word)
{
	if (words->count >= LIST_MAX)
		return profile_fail(g, "more than %d values", LIST_MAX);
	words->list = memory_resize(words->list, words->count + 1u, sizeof *words->list);
	words->list[words->count++] = profile_copy(word);
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

bool profile_take_nets(struct reading *g, const struct site_key *key, struct span value)
{
	struct span word;
	struct net n;

	while (profile_word(&value, &word)) {
		if (span_equal_nocase(word, SPAN("rfc1918"))) {
			if (!add_private(g, profile_field(g, key)))
				return false;
			continue;
		}
		if (!net_parse(word, &n))
			return profile_wrong(g, key, word);
		if (!add_net(g, profile_field(g, key), &n))
			return false;
	}
	return true;
}

bool profile_is_name(struct span s)
{
	bool letter = false;

	for (size_t i = 0; i < s.n; i++) {
		if (!isalnum(s.p[i]) && !strchr("-._", s.p[i]))
			return false;
		letter |= isalpha(s.p[i]) != 0;
	}
	return letter;
}

bool profile_take_peers(struct reading *g, const struct site_key *key, struct span value)
{
	struct peers *peers = profile_field(g, key);
	struct span word;
	struct net n;

	while (profile_word(&value, &word)) {
		if (net_parse(word, &n)) {
			if (!add_net(g, &peers->nets, &n))
				return false;
		} else if (!profile_is_name(word)) {
			return profile_wrong(g, key, word);
		} else if (!profile_add_word(g, &peers->names, word)) {
			return false;
		}
	}
	return true;
}

bool profile_take_words(struct reading *g, const struct site_key *key, struct span value)
{
	struct span word;

	while (profile_word(&value, &word)) {
		if (!profile_add_word(g, profile_field(g, key), word))
			return false;
	}
	return true;
}

/* Country codes, prefixes: digits, perhaps after a plus. */
bool profile_take_digits(struct reading *g, const struct site_key *key, struct span value)
{
	struct span word;

	while (profile_word(&value, &word)) {
		for (size_t i = 0; i < word.n; i++) {
			if (!isdigit(word.p[i]) && !(word.p[i] == '+' && i == 0) && !strchr("*#", word.p[i]))
				return profile_wrong(g, key, word);
		}
		if (!profile_add_word(g, profile_field(g, key), word))
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

bool profile_add_ranges(struct reading *g, const struct site_key *key, struct ranges *ranges, struct span value)
{
	struct span word;
	struct range r;

	while (profile_word(&value, &word)) {
		if (!range_parse(word, &r))
			return profile_wrong(g, key, word);
		if (ranges->count >= LIST_MAX)
			return profile_fail(g, "more than %d ranges", LIST_MAX);
		ranges->list = memory_resize(ranges->list, ranges->count + 1u, sizeof *ranges->list);
		ranges->list[ranges->count++] = r;
	}
	return true;
}

bool profile_take_ranges(struct reading *g, const struct site_key *key, struct span value)
{
	return profile_add_ranges(g, key, profile_field(g, key), value);
}

static bool add_numbers(struct reading *g, const struct site_key *key, struct span value, unsigned max)
{
	struct number_set *set = profile_field(g, key);
	struct span word;
	uint64_t number;

	while (profile_word(&value, &word)) {
		if (!span_number(word, max, &number))
			return profile_wrong(g, key, word);
		set->count += !numbers_have(set, (unsigned)number);
		set->bits[number / 64] |= (uint64_t)1 << number % 64;
	}
	return true;
}

bool profile_take_dscp(struct reading *g, const struct site_key *key, struct span value)
{
	return add_numbers(g, key, value, 63);
}

bool profile_take_vlans(struct reading *g, const struct site_key *key, struct span value)
{
	return add_numbers(g, key, value, 4094);
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
			*ret = (struct transport_wish){ profile_copy(span_first(word, colon - 1)),
				memory_text(transports[i]), (uint16_t)port };
			return true;
		}
	}
	return false;
}

bool profile_take_transport(struct reading *g, const struct site_key *key, struct span value)
{
	struct transports *all = profile_field(g, key);
	struct transport_wish t;
	struct span word;

	while (profile_word(&value, &word)) {
		if (!transport_parse(word, &t))
			return profile_wrong(g, key, word);
		all->list = memory_resize(all->list, all->count + 1u, sizeof *all->list);
		all->list[all->count++] = t;
	}
	return true;
}

/* A private address and the public one that its NAT gives it; a further line adds a further one. */
bool profile_take_nat(struct reading *g, const struct site_key *key, struct span value)
{
	struct nat_pairs *pairs = profile_field(g, key);
	size_t comma = span_find(value, ',');
	struct nat_pair p;

	if (!address_parse(span_trim(span_first(value, comma)), &p.inside) || comma == value.n ||
		!address_parse(span_trim(span_from(value, comma + 1)), &p.outside))
		return profile_wrong(g, key, value);
	pairs->list = memory_resize(pairs->list, pairs->count + 1u, sizeof *pairs->list);
	pairs->list[pairs->count++] = p;
	return true;
}
