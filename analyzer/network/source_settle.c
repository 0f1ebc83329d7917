/* SPDX-License-Identifier: MIT */
/* source_settle: what class a source is of, and whether it scans or guesses. Finding page 5, sections 0, 4 and 5. */
#include <stdlib.h>

#include "analyzer/network/source_private.h"
#include "analyzer/past_asks.h"
#include "captures/base/memory.h"

enum {
	SPREAD_REJECTIONS = 20, SPREAD_NETS = 3,
	HARVEST_MINUTE = 60,
	PHONE_MINUTE = 20,           /* no phone tries so often */
	LOOP_S = 2,                  /* a phone that answers challenges in a loop has given up by then */
	IN_ORDER = 8,
	OPEN_PART = 5,               /* of the ports that a sweep asks, fewer than one in so many accept */
	REQUEST_FLOOD_S = 5, INVITE_FLOOD_S = 3, INVITES_MINUTE = 60,
	HIDES_USERS = 5,
	SLOW_DAY = 25                /* users, or hosts, in a day */
};

#define SPREAD_NS (10 * MINUTE_NS)
#define LASTING_NS (10 * SECOND_NS)

/* ---- accounts tried from many places ---- */

static bool same_sixteen(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, a->family == 6 ? 4 : 2) == 0;
}

void source_aor_judge(struct source_aor *x)
{
	unsigned have = x->count < SOURCE_EXACT ? x->count : SOURCE_EXACT, recent = 0, nets = 0;
	int64_t now_ns = x->rejected[(x->count - 1) % SOURCE_EXACT].at_ns;
	const struct address *seen[SPREAD_NETS] = { NULL };

	for (unsigned i = 0; i < have && !x->spread; i++) {
		bool known = false;

		if (now_ns - x->rejected[i].at_ns > SPREAD_NS)
			continue;
		recent++;
		for (unsigned k = 0; k < nets; k++)
			known |= same_sixteen(seen[k], &x->rejected[i].from);
		if (!known && nets < SPREAD_NETS)
			seen[nets++] = &x->rejected[i].from;
	}
	x->spread |= recent >= SPREAD_REJECTIONS && nets >= SPREAD_NETS;
}

/* ---- classes ---- */

static enum source_class base_class(const struct sources *s, const struct source *x, const char **ret_why)
{
	const struct site *site = s->site;

	if (site_peer(site, &site->pbx, &x->addr))
		return *ret_why = "profile", SOURCE_OWN_SERVER;
	if (site_peer(site, &site->trusted, &x->addr) || site_peer(site, &site->trusted_scanners, &x->addr))
		return *ret_why = "profile", SOURCE_TRUSTED;
	if (site_peer(site, &site->trunk, &x->addr))
		return *ret_why = "profile", SOURCE_TRUNK;
	if (x->served >= 2 || (x->takes_calls && x->served && site_own(site, &x->addr)))
		return *ret_why = "it answers for accounts", SOURCE_OWN_SERVER;
	if (x->takes_calls && !site_own(site, &x->addr))
		return *ret_why = "it takes calls or registrations from here", SOURCE_TRUNK;
	if (x->answers_calls)
		return *ret_why = "its calls are answered and last", SOURCE_TRUNK;
	if (site_inside(site, &x->addr))
		return *ret_why = "inside", SOURCE_USER;
	if (nets_have(&site->remote_nets, &x->addr))
		return *ret_why = "profile", SOURCE_USER;
	if (x->accepted_ns != NS_NONE)
		return *ret_why = "its credentials were accepted", SOURCE_USER;
	return *ret_why = "nothing is known of it", SOURCE_UNKNOWN;
}

/* Is a call sent on to another host outside? Then its caller is no trunk by it. */
static bool sent_outside(const struct site *site, const struct leg *leg)
{
	LIST_EACH(it, &leg->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		if (other != leg && address_known(&other->party[SIDE_CALLEE].signalling.addr) &&
		    !site_own(site, &other->party[SIDE_CALLEE].signalling.addr))
			return true;
	}
	return false;
}

static struct source *source_of(const struct sources *s, const struct address *a)
{
	return (struct source *)sources_find(s, a);
}

static void learn_calls(struct sources *s, const struct list *legs)
{
	LIST_EACH(it, legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		const struct address *from = &leg->party[SIDE_CALLER].signalling.addr;
		struct source *x;

		if (!leg->answered || leg->answer_ns == NS_NONE || leg->last_ns - leg->answer_ns < LASTING_NS ||
		    site_own(s->site, from))
			continue;
		x = source_of(s, from);
		if (x && x->accepted_credentials == 0 && !sent_outside(s->site, leg))
			x->answers_calls = true;
	}
}

/* ---- one phone with an old password ---- */

/* Coefficient of variation below a half. */
static bool regular(double sum, double square, unsigned n)
{
	double mean = sum / n, variance = square / n - mean * mean;

	return n >= 2 && variance < 0.25 * mean * mean;
}

/* It answers each challenge of one dialog at once, and gives up after some: it takes every 401 for a new challenge. */
static bool loops(const struct source_user *u)
{
	return u->bursts == 1 && u->one_dialog && u->fresh && u->each_sum <= LOOP_S;
}

/* It comes back again and again with up to three digests; or with one, so soon that nothing parts the tries. */
static bool retries(const struct source_user *u)
{
	if (u->burst_most <= 3 && u->bursts >= 3)
		return regular(u->gap_sum, u->gap_square, u->bursts - 1) || u->gaps_grow;
	return regular(u->each_sum, u->each_square, u->each_count) && u->each_sum * PHONE_MINUTE > 60.0 * u->each_count;
}

static bool phone_like(const struct sources *s, const struct source *x, const struct source_user *u)
{
	bool known = u->accepted_first_ns != NS_NONE && u->accepted_first_ns < u->rejected_first_ns;

	if (u->rejections.minute >= PHONE_MINUTE || !u->same_agent || !(retries(u) || loops(u)))
		return false;
	return known || site_inside(s->site, &x->addr) || x->class == SOURCE_USER || (u->one_dialog && u->fresh);
}

/* ---- guesses ---- */

struct moment {
	int64_t at_ns;
	uint16_t port;
	uint64_t device;
	bool phone;
};

static int moment_compare(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

/* It kept its port and came back some time after it was refused, a few digests each time: one of many phones there. */
static bool is_phone_of_many(const struct source_user *u)
{
	return u->same_port && u->same_agent && u->bursts >= 2 && u->burst_most <= 3;
}

/*
 * How many accounts were refused within a minute, counting only those of one port, or of one agent and Contact. Phones
 * of one model behind a NAT have those in common, too.
 */
static unsigned users_swept(const struct source *x, unsigned *ret_one_port)
{
	struct moment list[SOURCE_EXACT];
	unsigned count = 0, most = 0;

	*ret_one_port = 0;
	for (unsigned i = 0; i < x->user_count; i++) {
		const struct source_user *u = &x->users[i];

		if (u->since && (u->taken || !u->accepted))
			list[count++] = (struct moment){ u->rejected_first_ns, u->port,
				hash_mix(u->agent, u->contact), is_phone_of_many(u) };
	}
	qsort(list, count, sizeof *list, moment_compare);
	for (unsigned i = 0; i < count; i++) {
		unsigned same_port = 0, same_device = 0;

		for (unsigned k = i; k < count && list[k].at_ns - list[i].at_ns <= MINUTE_NS; k++) {
			same_port += list[k].port == list[i].port;
			same_device += !list[k].phone && list[k].device == list[i].device;
		}
		*ret_one_port = same_port > *ret_one_port ? same_port : *ret_one_port;
		most = same_port > most ? same_port : most;
		most = same_device > most ? same_device : most;
	}
	return most;
}

/*
 * Who it is, and what credentials it has, stood in what the capture cut off (1.7.3 G5). Of phones that are challenged
 * each time half the requests are short.
 */
static bool mostly_cut(const struct source *x)
{
	return x->cut * 3 > x->requests;
}

/* The account that was taken, else the one that was tried most. */
static void find_victim(struct source *x)
{
	x->victims = 0;
	for (unsigned i = 0; i < x->user_count; i++) {
		const struct source_user *u = &x->users[i];

		x->victims += u->since > 0;
		if (!u->tried || (x->victim && x->victim->taken) ||
		    (!u->taken && x->victim && x->victim->rejected >= u->rejected))
			continue;
		x->victim = u;
	}
}

static void judge_guess(const struct sources *s, struct source *x)
{
	unsigned one_port;

	x->guess = GUESS_NONE;
	x->guess_apart = x->guess_certain = x->guessed = x->phone_like = false;
	x->victim = NULL;
	find_victim(x);
	if (x->class == SOURCE_OWN_SERVER || x->class == SOURCE_TRUSTED)
		return;
	if (x->challenge_pace.minute >= HARVEST_MINUTE && !mostly_cut(x) && x->used * 10 < x->challenges &&
	    x->user_count < s->config.scan_users && x->class == SOURCE_UNKNOWN)
		x->guess = GUESS_NONCES;
	if (x->same_challenge >= 3 && x->rejected) {
		x->guess = GUESS_PASSWORD;
		x->guess_certain = true;
	}
	for (unsigned i = 0; i < x->user_count && x->class != SOURCE_TRUNK; i++) {
		const struct source_user *u = &x->users[i];

		if (u->since <= s->config.fail_per_min || u->rejections.minute <= s->config.fail_per_min)
			continue;
		if (phone_like(s, x, u))
			x->phone_like = true;
		else
			x->guess = GUESS_PASSWORD;
	}
	if (x->guess < GUESS_PASSWORD && x->class != SOURCE_TRUNK && users_swept(x, &one_port) >= s->config.bf_users) {
		x->guess = GUESS_USERS;
		x->guess_apart = one_port < s->config.bf_users;
	}
	x->guessed = x->guess >= GUESS_USERS && x->victim && x->victim->taken;
}

/* ---- scans ---- */

static bool is_tool(const struct source *x)
{
	unsigned structure = (unsigned)__builtin_popcount(x->marks & (MARK_BRANCH | MARK_CALL_ID | MARK_TO_IS_FROM | MARK_TAG | MARK_CONTACT | MARK_CSEQ));

	return x->marks & (MARK_AGENT | MARK_ADDRESS) || structure >= 3 ||
	       (x->marks & MARK_AGENT_WEAK && structure >= 2);
}

static bool scans_targets(const struct sources *s, const struct source *x)
{
	unsigned bad = 0, again = 0, limit = s->config.scan_targets;

	if ((x->new_targets.minute < limit && x->new_targets.hour < 3 * limit) || x->accepted || x->takes_calls)
		return false;
	for (unsigned i = 0; i < x->target_count; i++) {
		bad += !x->targets[i].accepted;
		again += x->targets[i].rounds > 1;
	}
	return bad * 10 >= x->target_count * 8 && again * 2 < x->target_count;
}

/* Many phones behind one address have a port each; a tool has one, or changes it at every request, but then counts. */
static bool one_port(const struct source *x)
{
	unsigned same = 0;

	for (unsigned i = 1; i < x->user_count; i++)
		same += x->users[i].port == x->users[i - 1].port;
	return same * 2 >= x->user_count;
}

/*
 * A server that asks its phones for life: each user at an address of its own, and most of them answer as they should.
 */
static bool asks_each_at_home(const struct sources *s, const struct source *x)
{
	unsigned good = 0;

	for (unsigned i = 0; i < x->target_count; i++)
		good += x->targets[i].accepted;
	return site_own(s->site, &x->addr) && x->target_count * 10 >= x->user_count * 9 && good * 2 > x->target_count;
}

static bool scans_users(const struct sources *s, const struct source *x)
{
	unsigned limit = s->config.scan_users;
	bool calls_only = x->by_method[SIP_INVITE] == x->requests, sure = is_tool(x) || x->in_order_most >= IN_ORDER;

	if ((x->new_users.minute < limit && x->new_users.hour * 2 < 5 * limit) || x->accepted || x->welcomed ||
	    (mostly_cut(x) && !is_tool(x)) ||
	    x->victims * 2 >= x->user_count || asks_each_at_home(s, x))
		return false;
	return x->answered && (sure || (!calls_only && one_port(x)));
}

/* An open port or two answer the OPTIONS of a sweep, too; of the phones behind one router that a PBX asks more do. */
static bool sweeps_ports(const struct source *x)
{
	for (unsigned i = 0; i < x->target_count; i++) {
		if (x->targets[i].swept && x->targets[i].accepts * OPEN_PART < x->targets[i].port_count && !x->accepted)
			return true;
	}
	return false;
}

bool sources_asked(const struct sources *s, const struct address *host, const struct address *whom)
{
	const struct source *y = sources_find(s, host);

	for (unsigned i = 0; y && i < y->target_count; i++) {
		if (address_equal(&y->targets[i].at.addr, whom))
			return true;
	}
	return false;
}

/* Calls to outside numbers that nobody asked for and nobody lets through. */
static bool probes_calls(const struct sources *s, const struct source *x)
{
	if (x->probes < 3 || x->user_count < 3 || x->accepted || x->welcomed || x->used || x->class != SOURCE_UNKNOWN)
		return false;
	for (unsigned i = 0; i < x->target_count; i++) {
		const struct source_target *t = &x->targets[i];

		if (t->answered && site_own(s->site, &t->at.addr) && !sources_asked(s, &t->at.addr, &x->addr))
			return true;
	}
	return false;
}

/*
 * Fewer than a minute's or an hour's limit tell, day and night, and what the history knows before. Nothing of it was
 * let in or rang, one program asks, and at other hosts it is no keepalive.
 */
static bool asks_slowly(const struct sources *s, struct source *x)
{
	bool calls_only = x->by_method[SIP_INVITE] == x->requests, sure = is_tool(x) || x->in_order_most >= IN_ORDER;
	struct past_sum past = past_asks_of(s->past, x, ns_minus(x->last_ns, 24 * HOUR_NS), x->first_ns);
	unsigned again = 0;

	if (mostly_cut(x) && !is_tool(x))
		return false;
	x->past_users = past.users;
	x->past_ns = past.first_ns;
	x->slow_users = x->new_users.day + past.users;
	if (x->class != SOURCE_UNKNOWN || site_own(s->site, &x->addr) || x->agents_differ || x->accepted ||
	    x->welcomed || past.accepted)
		return false;
	if (x->slow_users >= SLOW_DAY && x->answered && (sure || (!calls_only && one_port(x))) &&
	    (!x->user_count || x->victims * 2 < x->user_count))
		return true;
	for (unsigned i = 0; i < x->target_count; i++) {
		again += x->targets[i].rounds > 1;
		if (x->targets[i].accepted)
			return false;
	}
	return x->new_targets.day >= SLOW_DAY && !x->takes_calls && again * 2 < x->target_count;
}

static void judge_scan(const struct sources *s, struct source *x)
{
	x->scan = SCAN_NONE;
	if (x->class != SOURCE_UNKNOWN && x->class != SOURCE_USER && !(x->class == SOURCE_TRUNK && is_tool(x)))
		return;
	if (mostly_cut(x) && site_own(s->site, &x->addr))
		return; /* the PBX asks its phones for life; who answered stood in what was cut off */
	if (scans_targets(s, x))
		x->scan = SCAN_TARGETS;
	else if (scans_users(s, x))
		x->scan = SCAN_USERS;
	else if (sweeps_ports(x))
		x->scan = SCAN_PORTS;
	else if (probes_calls(s, x))
		x->scan = SCAN_INVITE_PROBE;
	else if (asks_slowly(s, x))
		x->scan = SCAN_SLOW;
	else if (is_tool(x))
		x->scan = SCAN_TOOL;
}

static void judge_rate(struct source *x)
{
	x->flooding = !mostly_cut(x) && source_suspect(x) &&
		(x->any.row_most >= REQUEST_FLOOD_S || x->calls.row_most >= INVITE_FLOOD_S || x->flawed.row_most >= 2 ||
		 (x->invites.minute >= INVITES_MINUTE && !x->used && !x->accepted && !x->welcomed));
}

/* ---- all of them ---- */

struct net_list {
	struct address *list;
	unsigned count;
};

static struct address net_of(const struct address *a)
{
	struct address net = *a;
	unsigned keep = a->family == 4 ? 3 : 6;

	memset(net.bytes + keep, 0, sizeof net.bytes - keep);
	return net;
}

static int net_compare(const void *a, const void *b)
{
	return address_compare(a, b);
}

/* The nets of trunks: a provider's other addresses. */
static struct net_list trunk_nets(const struct sources *s)
{
	struct net_list n = { memory_resize(NULL, s->in_order.count + 1, sizeof *n.list), 0 };

	LIST_EACH(it, &s->in_order) {
		const struct source *x = LIST_ENTRY(it, struct source, in_order);

		if (x->class == SOURCE_TRUNK && !site_own(s->site, &x->addr))
			n.list[n.count++] = net_of(&x->addr);
	}
	if (n.count)
		qsort(n.list, n.count, sizeof *n.list, net_compare);
	return n;
}

static void judge_hiding(struct sources *s)
{
	unsigned all = 0;

	for (int pass = 0; pass < 2; pass++) {
		LIST_EACH(it, &s->in_order) {
			struct source *x = LIST_ENTRY(it, struct source, in_order);
			unsigned users = 0;

			for (unsigned i = 0; i < x->user_count; i++)
				users += x->users[i].accepted && !x->users[i].taken;
			all += pass ? 0 : users;
			x->hides = pass && users >= HIDES_USERS && users * 2 > all;
		}
	}
}

void sources_past(struct sources *s, struct past_asks *past)
{
	s->past = past;
}

void sources_settle(struct sources *s, const struct list *legs)
{
	struct net_list trunks;

	learn_calls(s, legs);
	LIST_EACH(it, &s->in_order) {
		struct source *x = LIST_ENTRY(it, struct source, in_order);

		source_clock(s, x, x->second + 2);
		source_estimates(x);
		x->class = base_class(s, x, &x->why);
	}
	judge_hiding(s);
	trunks = trunk_nets(s);
	LIST_EACH(it, &s->in_order) {
		struct source *x = LIST_ENTRY(it, struct source, in_order);
		struct address net = net_of(&x->addr);

		judge_guess(s, x);
		judge_scan(s, x);
		judge_rate(x);
		if (x->class != SOURCE_UNKNOWN)
			continue;
		if (x->guess >= GUESS_USERS ||
		    (x->scan && (x->scan != SCAN_SLOW || is_tool(x)))) {
			x->class = SOURCE_ATTACKER;
			x->why = "it scans or guesses";
		} else if (trunks.count && bsearch(&net, trunks.list, trunks.count, sizeof net, net_compare)) {
			x->class = SOURCE_TRUNK;
			x->why = "beside a trunk";
			x->flooding = false;
		}
	}
	free(trunks.list);
}

bool sources_attacker(const struct sources *s, const struct address *a)
{
	const struct source *x = s ? sources_find(s, a) : NULL;

	return x && (x->guess >= GUESS_USERS || x->scan >= SCAN_INVITE_PROBE ||
	       ((x->scan == SCAN_TOOL || x->scan == SCAN_SLOW) && x->class == SOURCE_ATTACKER));
}

const char *source_class_name(enum source_class c)
{
	static const char *const names[] = {
		[SOURCE_UNKNOWN] = "unknown", [SOURCE_ATTACKER] = "attacker", [SOURCE_USER] = "user",
			[SOURCE_TRUNK] = "trunk",
		[SOURCE_TRUSTED] = "trusted", [SOURCE_OWN_SERVER] = "own server",
	};

	return names[c];
}
