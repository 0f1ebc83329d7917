/* SPDX-License-Identifier: MIT */
/* site: questions to the profile of a site. */
#include "analyzer/site.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"

enum { DAYS = 7 };

static const char *const inside_by_default[] = {
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10",
};
static const char *const international[] = { "00", "011", "+" };

bool net_parse(struct span text, struct net *ret)
{
	size_t slash = span_find(text, '/');
	uint64_t bits;
	struct net n;

	if (!address_parse(span_first(text, slash), &n.addr))
		return false;
	bits = n.addr.family == 4 ? 32 : 128;
	if (slash < text.n && !span_number(span_from(text, slash + 1), bits, &bits))
		return false;
	n.bits = (uint8_t)bits;
	*ret = n;
	return true;
}

static uint32_t v4_number(const struct address *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

static inline bool has(const struct net *n, const struct address *a)
{
	unsigned whole = n->bits / 8, left = n->bits % 8;

	if (a->family != n->addr.family)
		return false;
	if (a->family == 4)
		return (uint64_t)(v4_number(a) ^ v4_number(&n->addr)) >> (32 - n->bits) == 0;
	if (memcmp(a->bytes, n->addr.bytes, whole) != 0)
		return false;
	return left == 0 || ((a->bytes[whole] ^ n->addr.bytes[whole]) & (0xff00u >> left) & 0xff) == 0;
}

bool net_has(const struct net *n, const struct address *a)
{
	return has(n, a);
}

bool nets_have(const struct nets *n, const struct address *a)
{
	for (unsigned i = 0; i < n->count; i++) {
		if (has(&n->list[i], a))
			return true;
	}
	return false;
}

bool ranges_have(const struct ranges *r, uint16_t port)
{
	for (unsigned i = 0; i < r->count; i++) {
		if (port >= r->list[i].low && port <= r->list[i].high)
			return true;
	}
	return false;
}

bool numbers_have(const struct number_set *s, unsigned number)
{
	return number < 64 * 64 && s->bits[number / 64] >> number % 64 & 1;
}

static bool named(const struct site *s, const char *name, const struct address *a)
{
	for (unsigned i = 0; i < s->names.count; i++) {
		if (address_equal(&s->names.list[i].addr, a) && strcasecmp(s->names.list[i].name, name) == 0)
			return true;
	}
	return false;
}

const struct ranges *site_media_ports(const struct site *s, const struct address *host)
{
	for (unsigned i = 0; i < s->media_ports_of.count; i++) {
		const struct host_range *h = &s->media_ports_of.list[i];
		struct net n;

		if (net_parse(span_of(h->host), &n) ? net_has(&n, host) : named(s, h->host, host))
			return &h->ports;
	}
	return s->media_ports.count ? &s->media_ports : NULL;
}

bool site_peer(const struct site *s, const struct peers *p, const struct address *a)
{
	if (nets_have(&p->nets, a))
		return true;
	for (unsigned i = 0; i < p->names.count; i++) {
		if (named(s, p->names.list[i], a))
			return true;
	}
	return false;
}

bool site_inside(const struct site *s, const struct address *a)
{
	return nets_have(&s->inside_nets, a) || address_loopback(a);
}

bool site_own(const struct site *s, const struct address *a)
{
	return site_inside(s, a) || nets_have(&s->public_ips, a) || site_peer(s, &s->pbx, a);
}

bool site_sip_port(const struct site *s, uint16_t port)
{
	enum { PORT_SIP = 5060, PORT_SIPS = 5061 };

	return port == PORT_SIP || port == PORT_SIPS || ranges_have(&s->tls_ports, port) || ranges_have(&s->sip_ports, port);
}

bool site_stranger(const struct site *s, const struct address *client, const struct address *server)
{
	return !site_own(s, client) && site_own(s, server) && !site_peer(s, &s->trusted, client) &&
	       !site_peer(s, &s->trunk, client) && !nets_have(&s->remote_nets, client);
}

static bool holiday(const struct site *s, const struct tm *t)
{
	char date[sizeof "2026-12-25"];

	if (strftime(date, sizeof date, "%Y-%m-%d", t) == 0)
		return false;
	for (unsigned i = 0; i < s->holidays.count; i++) {
		if (strcmp(s->holidays.list[i], date) == 0)
			return true;
	}
	return false;
}

static int32_t ahead_s(const struct zone *z, int64_t at_s)
{
	unsigned low = 0, high = z->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (z->list[middle].from_s <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? z->list[low - 1].ahead_s : 0;
}

static int32_t ahead_now(int64_t at_s)
{
	time_t at = (time_t)at_s;
	struct tm t;

	localtime_r(&at, &t);
	return (int32_t)t.tm_gmtoff;
}

static void zone_add(struct zone *z, int64_t from_s, int32_t ahead)
{
	z->list = memory_resize(z->list, z->count + 1u, sizeof *z->list);
	z->list[z->count++] = (struct zone_change){ from_s, ahead };
}

/* Between two times whose distance from UTC differs: the first second of the later one. */
static int64_t change_between(int64_t before, int64_t after)
{
	int32_t ahead = ahead_now(before);

	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;

		if (ahead_now(middle) == ahead)
			before = middle;
		else
			after = middle;
	}
	return after;
}

void site_learn_zone(struct site *s)
{
	/* 1990 to 2060, as far as the system's calendar reaches, in steps in which no clock changes twice */
	enum { YEARS = 70, WEEK_S = 7 * 24 * 3600, YEAR_S = 31556952 };
	const int64_t begin = INT64_C(20) * YEAR_S, end = begin + INT64_C(1) * YEARS * YEAR_S;
	const int64_t known = sizeof(time_t) < sizeof(int64_t) ? INT32_MAX - WEEK_S : end;
	int32_t ahead;
	char *old;

	if (!s->timezone || s->zone.count)
		return;
	old = getenv("TZ") ? memory_text(getenv("TZ")) : NULL;
	setenv("TZ", s->timezone, 1);
	tzset();
	ahead = ahead_now(begin);
	zone_add(&s->zone, INT64_MIN, ahead);
	for (int64_t at = begin; at < end && at < known; at += WEEK_S) {
		int32_t next = ahead_now(at + WEEK_S);

		if (next != ahead)
			zone_add(&s->zone, change_between(at, at + WEEK_S), next);
		ahead = next;
	}
	if (old)
		setenv("TZ", old, 1);
	else
		unsetenv("TZ");
	tzset();
	free(old);
}

bool site_open(const struct site *s, int64_t at_ns)
{
	time_t at_s = (time_t)(at_ns / SECOND_NS);
	struct tm t;
	unsigned day, min;

	if (s->office_hours.count == 0)
		return true;
	at_s += ahead_s(&s->zone, at_s);
	gmtime_r(&at_s, &t);
	if (holiday(s, &t))
		return false;
	day = (unsigned)(t.tm_wday + DAYS - 1) % DAYS;
	min = (unsigned)(t.tm_hour * 60 + t.tm_min);
	for (unsigned i = 0; i < s->office_hours.count; i++) {
		const struct span_of_week *h = &s->office_hours.list[i];

		if (h->days >> day & 1 && min >= h->from_min && min < h->to_min)
			return true;
	}
	return false;
}

static void nets_default(struct nets *n, const char *const *texts, unsigned count)
{
	n->list = memory_resize(NULL, count, sizeof *n->list);
	for (unsigned i = 0; i < count; i++)
		n->count += net_parse(span_of(texts[i]), &n->list[n->count]);
}

static void words_default(struct words *w, const char *const *texts, unsigned count)
{
	w->list = memory_resize(NULL, count, sizeof *w->list);
	for (unsigned i = 0; i < count; i++)
		w->list[w->count++] = memory_text(texts[i]);
}

static void ranges_default(struct ranges *r, uint16_t low, uint16_t high)
{
	r->list = memory_resize(NULL, 1, sizeof *r->list);
	r->list[r->count++] = (struct range){ low, high };
}

static void number_add(struct number_set *s, unsigned number)
{
	s->bits[number / 64] |= (uint64_t)1 << number % 64;
	s->count++;
}

struct site *site_new(void)
{
	struct site *s = memory_zalloc(sizeof *s);

	s->mask_numbers = true;
	nets_default(&s->inside_nets, inside_by_default, sizeof inside_by_default / sizeof *inside_by_default);
	words_default(&s->intl_prefixes, international, sizeof international / sizeof *international);
	ranges_default(&s->sip_ports, 5060, 5200);
	ranges_default(&s->tls_ports, 5061, 5061);
	number_add(&s->dscp_media, 46);      /* EF, RFC 3246 */
	number_add(&s->dscp_media, 44);      /* VOICE-ADMIT, RFC 5865 */
	number_add(&s->dscp_sig, 24);        /* CS3 */
	number_add(&s->dscp_sig, 26);        /* AF31 */
	number_add(&s->dscp_sig, 40);        /* CS5, RFC 4594 */
	return s;
}

static void words_fini(struct words *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free(w->list[i]);
	free(w->list);
}

static void peers_fini(struct peers *p)
{
	free(p->nets.list);
	words_fini(&p->names);
}

static void lists_fini(struct site *s)
{
	struct words *words[] = { &s->holidays, &s->phone_ouis, &s->scanner_ua, &s->home_cc, &s->allowed_cc,
		&s->intl_prefixes, &s->outside_prefix,
				  &s->premium_prefixes, &s->mobile_prefixes };
	struct nets *nets[] = { &s->inside_nets, &s->public_ips, &s->remote_nets, &s->geo_allow, &s->geo_deny };
	struct peers *peers[] = { &s->pbx, &s->trunk, &s->trusted, &s->trusted_scanners, &s->failover };

	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		words_fini(words[i]);
	for (unsigned i = 0; i < sizeof nets / sizeof *nets; i++)
		free(nets[i]->list);
	for (unsigned i = 0; i < sizeof peers / sizeof *peers; i++)
		peers_fini(peers[i]);
	for (unsigned i = 0; i < s->media_ports_of.count; i++) {
		free(s->media_ports_of.list[i].ports.list);
		free(s->media_ports_of.list[i].host);
	}
	for (unsigned i = 0; i < s->expected_transport.count; i++) {
		free(s->expected_transport.list[i].peer);
		free(s->expected_transport.list[i].transport);
	}
	for (unsigned i = 0; i < s->names.count; i++)
		free(s->names.list[i].name);
}

void site_free(struct site *s)
{
	void *owned[12];
	unsigned count = 0;

	if (!s)
		return;
	lists_fini(s);
	owned[count++] = s->office_hours.list;
	owned[count++] = s->sip_ports.list;
	owned[count++] = s->tls_ports.list;
	owned[count++] = s->media_ports.list;
	owned[count++] = s->media_ports_of.list;
	owned[count++] = s->expected_transport.list;
	owned[count++] = s->nat.list;
	owned[count++] = s->zone.list;
	owned[count++] = s->names.list;
	owned[count++] = s->path;
	for (unsigned i = 0; i < count; i++)
		free(owned[i]);
	free(s->name);
	free(s->timezone);
	free(s->router);
	free(s);
}
