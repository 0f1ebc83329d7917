/* SPDX-License-Identifier: MIT */
/* tap: where the world is captured, and what the tap does to it. */
#include "tests/scenarios/scenario.h"

static struct tap *tap_by_name(struct scenario *s, const char *name)
{
	for (unsigned i = 0; i < s->tap_count; i++) {
		if (strcmp(s->taps[i].name, name) == 0)
			return &s->taps[i];
	}
	return NULL;
}

struct tap *tap_want(struct scenario *s, struct words *w)
{
	const char *name = word_want(s, w, "a tap");
	struct tap *t = tap_by_name(s, name);

	if (!t)
		scenario_fail(s, "there is no tap %s (yet)", name);
	return t ? t : &s->taps[0];
}

static unsigned file_add(struct scenario *s, const char *name)
{
	for (unsigned i = 0; i < s->file_count; i++) {
		if (strcmp(s->files[i].name, name) == 0)
			return i;
	}
	if (s->file_count == SCENARIO_FILES) {
		scenario_fail(s, "more than %d files", SCENARIO_FILES);
		return 0;
	}
	if (s->tap_count == 1)               /* the first named file takes the place of the unnamed one */
		s->file_count = 0;
	s->files[s->file_count] = (struct file){ .name = name };
	return s->file_count++;
}

static unsigned link_want(struct scenario *s, struct words *w)
{
	static const struct { const char *name; unsigned link;
		} links[] = { { "ethernet", 1 }, { "raw", 101 }, { "sll", 113 } };
	const char *name = word_want(s, w, "the link type");

	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		if (strcmp(links[i].name, name) == 0)
			return links[i].link;
	}
	scenario_fail(s, "\"%s\" is no link type: ethernet, raw, sll", name);
	return 1;
}

static const struct nat *nat_want(struct scenario *s, struct words *w)
{
	const char *name = word_want(s, w, "a NAT");

	LIST_EACH(it, &s->nats) {
		const struct nat *n = LIST_ENTRY(it, struct nat, link);

		if (strcmp(n->name, name) == 0)
			return n;
	}
	scenario_fail(s, "there is no nat %s (yet)", name);
	return NULL;
}

static bool tap_option(struct scenario *s, struct words *w, struct tap *t)
{
	if (word_accept(w, "link")) {
		t->link = link_want(s, w);
	} else if (word_accept(w, "on")) {
		t->on = host_want(s, w);
		t->link = 113;
	} else if (word_accept(w, "vlan")) {
		t->vlan = (int)integer_want(s, w, "the VLAN") & 0xfff;
	} else if (word_accept(w, "snaplen")) {
		t->snaplen = (uint32_t)integer_want(s, w, "the snap length");
	} else if (word_accept(w, "truncate")) {
		t->truncate = (uint32_t)integer_want(s, w, "what the mirror passes of a frame");
	} else if (word_accept(w, "delay")) {
		t->delay_ns = time_want(s, w);
	} else if (word_accept(w, "inside")) {
		t->nat = nat_want(s, w);
	} else if (word_accept(w, "outside")) {
		if (t->nat) {
			t->beyond = nat_want(s, w);
		} else {
			t->nat = nat_want(s, w);
			t->outside = true;
		}
	} else if (word_accept(w, "from")) {
		t->begin_ns = time_want(s, w);
	} else if (word_accept(w, "to")) {
		t->end_ns = time_want(s, w);
	} else if (word_accept(w, "tick")) {
		t->tick_ns = time_want(s, w);
	} else if (word_accept(w, "first-fragments")) {
		t->no_later_fragments = true;
	} else if (word_accept(w, "bad-egress")) {
		t->bad_egress = true;
	} else if (word_accept(w, "file")) {
		t->file = file_add(s, word_want(s, w, "the file's name"));
	} else if (word_accept(w, "pcapng")) {
		s->files[t->file].pcapng = true;
	} else if (word_accept(w, "interface")) {
		t->interface = word_want(s, w, "the interface's name");
	} else if (word_accept(w, "filter")) {
		t->filter = word_want(s, w, "the filter");
		s->files[t->file].pcapng = true;
	} else {
		return false;
	}
	return true;
}

/*
 * tap NAME [link ethernet|sll|raw] [on HOST] [inside|outside NAT] [vlan N] [snaplen N] [truncate N] [delay T] [from T]
 *     [to T] [tick T] [bad-egress] [first-fragments] [file NAME] [pcapng] [interface NAME] [filter "TEXT"]
 */
void tap_read(struct scenario *s, struct words *w)
{
	struct tap *t = &s->taps[s->tap_count];

	if (s->tap_count == SCENARIO_TAPS) {
		scenario_fail(s, "more than %d taps", SCENARIO_TAPS);
		return;
	}
	*t = (struct tap){ .name = word_want(s, w, "the tap's name"), .link = 1, .vlan = -1, .begin_ns = INT64_MIN,
		.end_ns = INT64_MAX };
	list_init(&t->blinds);
	list_init(&t->lost);
	list_init(&t->placements);
	s->tap_count++;
	while (w->left && !s->error && tap_option(s, w, t))
		;
}

/* place TAP HOST hops N [via HOST]: the host as this tap sees it. */
void place_read(struct scenario *s, struct words *w)
{
	struct tap *t = tap_want(s, w);
	struct placement *p = scenario_zalloc(s, sizeof *p);

	p->host = host_want(s, w);
	word_expect(s, w, "hops");
	p->hops = (unsigned)integer_want(s, w, "the hops");
	if (word_accept(w, "via"))
		p->via = host_want(s, w);
	list_add_tail(&t->placements, &p->link);
}

static bool any_or_address(struct scenario *s, struct words *w, struct address *ret)
{
	if (word_accept(w, "any"))
		return true;
	*ret = address_want(s, w);
	return false;
}

static bool traffic_accept(struct words *w, enum traffic *ret)
{
	static const char *const names[TRAFFIC_COUNT] = {
		[TRAFFIC_SIP] = "sip", [TRAFFIC_RTP] = "rtp", [TRAFFIC_RTCP] = "rtcp", [TRAFFIC_ICMP] = "icmp",
			[TRAFFIC_STUN] = "stun",
		[TRAFFIC_TLS] = "tls", [TRAFFIC_ARP] = "arp", [TRAFFIC_OTHER] = "other",
	};

	for (size_t i = 0; i < TRAFFIC_COUNT; i++) {
		if (word_accept(w, names[i])) {
			*ret = (enum traffic)i;
			return true;
		}
	}
	return false;
}

/* blind TAP [sip|rtp|...] FROM > TO [from T] [to T]: what the tap does not see; "any" is every host. */
void blind_read(struct scenario *s, struct words *w)
{
	struct tap *t = tap_want(s, w);
	struct blind *b = scenario_zalloc(s, sizeof *b);

	b->begin_ns = INT64_MIN;
	b->end_ns = INT64_MAX;
	b->any_traffic = !traffic_accept(w, &b->traffic);
	b->any_from = any_or_address(s, w, &b->from);
	word_expect(s, w, ">");
	b->any_to = any_or_address(s, w, &b->to);
	if (word_accept(w, "from"))
		b->begin_ns = time_want(s, w);
	if (word_accept(w, "to"))
		b->end_ns = time_want(s, w);
	list_add_tail(&t->blinds, &b->link);
}

/* lose TAP at T for T: the capture itself loses everything. */
void lose_read(struct scenario *s, struct words *w)
{
	struct tap *t = tap_want(s, w);
	struct interval *i = scenario_zalloc(s, sizeof *i);

	word_expect(s, w, "at");
	i->begin_ns = time_want(s, w);
	word_expect(s, w, "for");
	i->end_ns = i->begin_ns + time_want(s, w);
	list_add_tail(&t->lost, &i->link);
}

/* mirror TAP offset T [ttl N] [mac] [vlan N] [times N] [between A B] [first-missing 3% [seed N]]: frames come again. */
void mirror_read(struct scenario *s, struct words *w)
{
	struct tap *t = tap_want(s, w);
	struct mirror *m = scenario_zalloc(s, sizeof *m);

	*m = (struct mirror){ .vlan = -1, .seed = 1, .times = 1 };
	word_expect(s, w, "offset");
	m->offset_ns = time_want(s, w);
	while (w->left && !s->error) {
		if (word_accept(w, "ttl")) {
			m->ttl = (int)number_want(s, w, "the change of the TTL");
		} else if (word_accept(w, "mac")) {
			m->other_mac = true;
		} else if (word_accept(w, "times")) {
			m->times = (unsigned)integer_want(s, w, "how many copies");
		} else if (word_accept(w, "vlan")) {
			m->vlan = (int)integer_want(s, w, "the VLAN") & 0xfff;
		} else if (word_accept(w, "between")) {
			m->between = true;
			m->a = address_want(s, w);
			m->b = address_want(s, w);
		} else if (word_accept(w, "first-missing")) {
			m->first_missing_permille = percent_want(s, w);
			if (word_accept(w, "seed"))
				m->seed = integer_want(s, w, "the seed");
		} else {
			break;
		}
	}
	t->mirror = m;
}

/* drops TAP interface N | os N: what the statistics block of the interface says. */
void drops_read(struct scenario *s, struct words *w)
{
	struct tap *t = tap_want(s, w);

	if (word_accept(w, "interface")) {
		t->if_drop = integer_want(s, w, "the count");
	} else {
		word_expect(s, w, "os");
		t->os_drop = integer_want(s, w, "the count");
	}
	t->has_drops = true;
	s->files[t->file].pcapng = true;
}
