/* SPDX-License-Identifier: MIT */
/* srv: two rings, made with the first answer that has anything of SIP in it. */
#include "analyzer/network/srv.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "dissect/dns.h"

enum { SETS_MAX = 64, HOSTS_MAX = 512, TARGETS_MAX = 8 };

struct set {                         /* what one client was told of one service */
	struct address client;
	enum dns_kind kind;
	uint64_t owner, targets[TARGETS_MAX];
	unsigned count;
	struct frame_ref at;         /* first */
};

struct srv_table {
	struct set *sets;
	struct { uint64_t name; struct address addr; } *hosts;
	unsigned next_set, next_host;        /* counted on; the place is the rest of them */
};

struct srv_table *srv_new(void)
{
	return memory_zalloc(sizeof(struct srv_table));
}

void srv_free(struct srv_table *n)
{
	if (!n)
		return;
	free(n->sets);
	free(n->hosts);
	free(n);
}

static struct set *set_get(struct srv_table *n, const struct packet *p, const struct dns_record *r)
{
	struct set *s;

	for (unsigned i = 0; i < SETS_MAX && i < n->next_set; i++) {
		s = &n->sets[i];
		if (s->owner == r->owner && s->kind == r->kind && address_equal(&s->client, &p->dst.addr))
			return s;
	}
	s = &n->sets[n->next_set++ % SETS_MAX];
	*s = (struct set){ .client = p->dst.addr, .kind = r->kind, .owner = r->owner, .at = frame_ref_of(p) };
	return s;
}

static void take_service(struct srv_table *n, const struct packet *p, const struct dns_record *r)
{
	struct set *s = set_get(n, p, r);

	for (unsigned i = 0; i < s->count; i++) {
		if (s->targets[i] == r->target)
			return;
	}
	if (s->count < TARGETS_MAX)
		s->targets[s->count++] = r->target;
}

static void take_address(struct srv_table *n, const struct dns_record *r)
{
	for (unsigned i = 0; i < HOSTS_MAX && i < n->next_host; i++) {
		if (n->hosts[i].name == r->owner && address_equal(&n->hosts[i].addr, &r->addr))
			return;
	}
	n->hosts[n->next_host % HOSTS_MAX].name = r->owner;
	n->hosts[n->next_host++ % HOSTS_MAX].addr = r->addr;
}

/* Of all the names that are looked up, only those of servers count. */
static bool is_target(const struct srv_table *n, uint64_t name)
{
	for (unsigned i = 0; i < SETS_MAX && i < n->next_set; i++) {
		for (unsigned k = 0; k < n->sets[i].count; k++) {
			if (n->sets[i].targets[k] == name)
				return true;
		}
	}
	return false;
}

void srv_packet(struct srv_table *n, const struct packet *p)
{
	struct dns_answer answer;

	if (p->ip_protocol != 17 || p->src.port != DNS_PORT || !(p->has & HAS_PORTS) ||
	    !dns_answer_parse(p->payload, &answer))
		return;
	for (unsigned i = 0; i < answer.count; i++) {
		const struct dns_record *r = &answer.records[i];

		if (r->kind != DNS_ADDRESS && !n->sets) {
			n->sets = memory_zalloc(SETS_MAX * sizeof *n->sets);
			n->hosts = memory_zalloc(HOSTS_MAX * sizeof *n->hosts);
		}
		if (r->kind != DNS_ADDRESS)
			take_service(n, p, r);
	}
	for (unsigned i = 0; i < answer.count && n->hosts; i++) {
		if (answer.records[i].kind == DNS_ADDRESS && is_target(n, answer.records[i].owner))
			take_address(n, &answer.records[i]);
	}
}

static bool has_address(const struct srv_table *n, uint64_t name, const struct address *a)
{
	for (unsigned i = 0; i < HOSTS_MAX && i < n->next_host; i++) {
		if (n->hosts[i].name == name && address_equal(&n->hosts[i].addr, a))
			return true;
	}
	return false;
}

static struct address address_of_name(const struct srv_table *n, uint64_t name)
{
	for (unsigned i = 0; i < HOSTS_MAX && i < n->next_host; i++) {
		if (n->hosts[i].name == name)
			return n->hosts[i].addr;
	}
	return (struct address){ 0 };
}

static bool set_beside(const struct srv_table *n, const struct set *s, const struct address *server, struct address *ret)
{
	bool there = false, other = false;

	for (unsigned i = 0; i < s->count; i++) {
		if (has_address(n, s->targets[i], server)) {
			there = true;
		} else if (!other) {
			other = true;
			*ret = address_of_name(n, s->targets[i]);
		}
	}
	return there && other;
}

bool srv_told(const struct srv_table *n, const struct address *client)
{
	for (unsigned i = 0; i < SETS_MAX && i < n->next_set; i++) {
		if (n->sets[i].count > 1 && address_equal(&n->sets[i].client, client))
			return true;
	}
	return false;
}

bool srv_beside(const struct srv_table *n, const struct address *client, const struct address *server, bool stream,
	int64_t before_ns, struct address *ret, struct frame_ref *at)
{
	for (unsigned i = 0; i < SETS_MAX && i < n->next_set; i++) {
		const struct set *s = &n->sets[i];

		if ((s->kind == DNS_SIP_UDP) == stream || s->at.at_ns >= before_ns ||
		    !address_equal(&s->client, client) || !set_beside(n, s, server, ret))
			continue;
		*at = s->at;
		return true;
	}
	return false;
}
