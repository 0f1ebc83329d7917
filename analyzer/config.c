/* SPDX-License-Identifier: MIT */
/* config: the keys of detectors and of the engine, with what was set. */
#include "analyzer/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/detect/detector.h"
#include "captures/base/memory.h"

/* Sections that belong to no detector. */
static const struct config_key dup_keys[] = {
	{ "window-ms", 20, "ms", 1, 1000, "field: mirror copies measured 7-25 us apart, switches add up to a few ms" },
	{ "sip-window-ms", 100, "ms", 1, 500, "below the smallest SIP retransmission interval in use" },
	{ 0 },
};
static const struct config_key capture_keys[] = {
	{ "early-ms", 2000, "ms", 0, 10000, "field: clocks of two capturing machines; an answer waits so long for its request" },
	{ 0 },
};
static const struct config_key twin_keys[] = {
	{ "max-ms", 500, "ms", 1, 5000, "field: a relay with a jitter buffer" },
	{ 0 },
};
static const struct config_key legs_keys[] = {
	{ "join-score", 80, "points", 1, 300, "field" },
	{ "join-margin", 25, "points", 0, 300, "field" },
	{ 0 },
};
static const struct config_key fork_keys[] = {
	{ "linger-ms", 2000, "ms", 0, 60000, "field: media of losing branches until their CANCEL is done" },
	{ 0 },
};
static const struct config_key call_keys[] = {
	{ "idle-timeout-s", 300, "s", 10, 86400, "VoIPmonitor rtptimeout" },
	{ 0 },
};
static const struct config_key expect_keys[] = {
	{ "start-grace-ms", 1500, "ms", 0, 30000, "field: handset pick-up" },
	{ "ice-grace-ms", 3000, "ms", 0, 30000, "field: ICE checks and the DTLS handshake" },
	{ "dtx-max-gap-s", 60, "s", 1, 3600, "field" },
	{ "move-overlap-ms", 2000, "ms", 0, 30000, "RFC 3264 8.3.1: both addresses are valid for a while" },
	{ "bye-linger-ms", 2000, "ms", 0, 60000, "field: tails up to 2 s are normal" },
	{ "min-call-s", 3, "s", 0, 60, "field: hung up before anyone spoke" },
	{ 0 },
};
static const struct config_key rtp_keys[] = {
	{ "heuristic-packets", 10, "packets", 4, 100, "measured on 3 192 public captures" },
	{ "interval-s", 5, "s", 1, 60, "RFC 3550 6.2: the nominal RTCP interval" },
	{ "reorder-ms", 200, "ms", 0, 5000, "field" },
	{ "overlap-ms", 500, "ms", 0, 10000, "field" },
	{ 0 },
};
static const struct config_key finding_keys[] = {
	{ "holdoff-s", 5, "s", 0, 600, "field" },
	{ "reopen-s", 30, "s", 0, 3600, "field" },
	{ 0 },
};
static const struct config_key incident_keys[] = {
	{ "window-s", 300, "s", 1, 86400, "field" },
	{ 0 },
};
static const struct config_key site_keys[] = {
	{ "peak-calls", 0, "calls", 0, 1000000,
	  "the operator: so many at once are the most that this site has; 0 not known" },
	{ 0 },
};
static const struct config_key media_keys[] = {
	{ "max-stray", 5, "packets", 0, 100, "field: a packet or two of a stream that was stopped at once" },
	{ 0 },
};
static const struct config_key alg_keys[] = {
	{ "pair-window-s", 5, "s", 1, 60,
	  "field: a message takes no longer from one capture point to the next, clocks corrected" },
	{ "delay-ms", 20, "ms", 0.1, 10000, "field: routers forward in less; above, SIP passes through a program" },
	{ "max-offset-s", 3600, "s", 0, 86400,
	  "field: clocks of two capturing machines, a time zone taken for UTC among them" },
	{ 0 },
};

static const struct config_key nat_keys[] = {
	{ "ack-wait-s", 8, "s", 1, 32, "RFC 3261 13.3.1.4: a 200 is repeated after 0.5, 1.5, 3.5, 7.5 s" },
	{ "min-silence-s", 20, "s", 1, 3600,
	  "measured: Linux forgets an unreplied mapping after 30 s; routers with shorter timers exist" },
	{ "proof-s", 900, "s", 10, 86400, "field: a phone refreshes its registration by then" },
	{ 0 },
};

static const struct config_key network_keys[] = {
	{ "ste-window-s", 30, "s", 5, 600, "field" },
	{ 0 },
};
static const struct config_key security_keys[] = {
	{ "scan-targets", 10, "hosts", 3, 60, "field: a phone that follows DNS tries up to six" },
	{ "scan-users", 10, "users", 3, 60, "field" },
	{ "bf-fail-per-min", 5, "rejections", 1, 20, "usual limit of registrars and log watchers" },
	{ "bf-users", 5, "accounts", 2, 60, "field" },
	{ "flood-rps", 50, "requests/s", 5, 10000, "rate limits of SIP proxies begin at some ten requests in 2 s" },
	{ "flood-invite-ps", 10, "INVITEs/s", 2, 10000, "field: above any dialler without credentials" },
	{ 0 },
};

static const struct config_key tollfraud_keys[] = {
	{ "tf-window-h", 24, "h", 1, 168, "field: found on Monday what began on Friday night" },
	{ "tf-calls-h", 10, "calls/h", 2, 1000, "field" },
	{ "tf-concurrent", 3, "calls", 2, 100, "field: a person makes one call, transfers with two" },
	{ 0 },
};

static const struct config_key signalling_keys[] = {
	{ "recover-s", 60, "s", 0, 3600, "field: what works again by then was no fault that lasts" },
	{ "tail-s", 32, "s", 1, 300, "RFC 3261 17.1.2.2: 64 T1" },
	{ "udp-max-bytes", 1300, "bytes", 500, 65000, "RFC 3261 18.1.1: larger requests belong on TCP" },
	{ 0 },
};

static const struct { const char *section; const struct config_key *keys; } sections[] = {
	{ "alg", alg_keys },
	{ "call", call_keys },
	{ "capture", capture_keys },
	{ "dup", dup_keys },
	{ "expect", expect_keys },
	{ "finding", finding_keys },
	{ "fork", fork_keys },
	{ "incident", incident_keys },
	{ "legs", legs_keys },
	{ "media", media_keys },
	{ "nat", nat_keys },
	{ "network", network_keys },
	{ "rtp", rtp_keys },
	{ "security", security_keys },
	{ "signalling", signalling_keys },
	{ "site", site_keys },
	{ "tollfraud", tollfraud_keys },
	{ "twin", twin_keys },
};

enum { SECTIONS = sizeof sections / sizeof sections[0] };

struct setting {
	const struct config_key *key;
	double value;
};

struct config {
	struct setting *settings;    /* only what differs from its default */
	unsigned count;
};

struct config *config_new(void)
{
	return memory_zalloc(sizeof(struct config));
}

void config_free(struct config *c)
{
	if (!c)
		return;
	free(c->settings);
	free(c);
}

static const struct config_key *key_in(const struct config_key *keys, const char *name)
{
	for (; keys && keys->name; keys++) {
		if (keys->name == name || strcmp(keys->name, name) == 0)
			return keys;
	}
	return NULL;
}

/* The sections first: they are fewer, and no detector has the name of one. */
static const struct config_key *keys_of(const char *section)
{
	const struct detector *detector;

	for (size_t i = 0; i < SECTIONS; i++) {
		if (strcmp(sections[i].section, section) == 0)
			return sections[i].keys;
	}
	detector = registry_find(section);
	return detector ? detector->keys : NULL;
}

const struct config_key *config_find(const char *section, const char *name)
{
	return key_in(keys_of(section), name);
}

const char *config_section(size_t i)
{
	unsigned count;
	const struct detector *const *all = registry_all(&count);

	if (i < SECTIONS)
		return sections[i].section;
	return i - SECTIONS < count ? all[i - SECTIONS]->id : NULL;
}

const struct config_key *config_key_at(const char *section, size_t i)
{
	const struct config_key *key = keys_of(section);

	while (key && key->name && i-- > 0)
		key++;
	return key && key->name ? key : NULL;
}

static double key_value(const struct config *c, const struct config_key *key)
{
	assert(key);
	for (unsigned i = 0; i < c->count; i++) {
		if (c->settings[i].key == key)
			return c->settings[i].value;
	}
	return key->value;
}

double config_value(const struct config *c, const char *section, const char *name)
{
	return key_value(c, config_find(section, name));
}

int64_t config_ns(const struct config *c, const char *section, const char *name, int64_t unit_ns)
{
	return (int64_t)(config_value(c, section, name) * (double)unit_ns);
}

double config_value_in(const struct config *c, const struct config_key *keys, const char *name)
{
	return key_value(c, key_in(keys, name));
}

bool config_set(struct config *c, const char *section, const char *name, double value)
{
	const struct config_key *key = config_find(section, name);

	if (!key || !(value >= key->min && value <= key->max))
		return false;
	for (unsigned i = 0; i < c->count; i++) {
		if (c->settings[i].key == key) {
			c->settings[i].value = value;
			return true;
		}
	}
	c->settings = memory_resize(c->settings, c->count + 1u, sizeof *c->settings);
	c->settings[c->count++] = (struct setting){ key, value };
	return true;
}
