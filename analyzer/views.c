/* SPDX-License-Identifier: MIT */
/* views: flat pictures of the records for the ui. Indexes are built once, after engine_finish(). */
#include "analyzer/views.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/engine_state.h"
#include "analyzer/media/mos.h"
#include "captures/base/memory.h"

enum { TOO_FEW_CALLS = 20, MOS_KEEP = 720 };

struct peer {
	struct hash_link by_address;
	struct address addr;
	struct span user_agent;
	uint64_t attempts, answered, effective;
	double *pdd_ms;
	unsigned pdd_count, pdd_room;
	struct { unsigned status; uint64_t count; } responses[16];
	unsigned response_count;
	uint64_t expected, lost;
};

struct view_cache {
	const struct call **calls;
	size_t call_count;
	const struct stream **streams;
	size_t stream_count;
	const struct finding **findings;
	size_t finding_count;
	const struct incident **incidents;
	size_t incident_count;
	const struct host **hosts;
	size_t host_count;
	const struct nat_mapping **nats;
	size_t nat_count;
	const struct registration **registrations;
	size_t registration_count;
	struct peer **peers;
	size_t peer_count;
	struct view_interval intervals[MOS_KEEP];
	void *withheld;
	char seen_from[128], can_show[200], cannot[8][160], notes[16][200];
	char texts[64][208];         /* ring of short texts lent by the current view */
	unsigned next_text;
	struct { bool holds, decided; const char *text; } *rows;
};

/* ---- building ---- */

#define COLLECT(records, type, member, array, n) \
	do { \
		array = memory_zalloc(((records)->count + 1) * sizeof *array); \
		LIST_EACH(it_, (records)) \
			array[n++] = LIST_ENTRY(it_, type, member); \
	} while (0)

static struct peer *peer_of(struct view_cache *v, struct hash *index, const struct address *a)
{
	uint32_t hash = (uint32_t)hash_bytes(a->bytes, sizeof a->bytes);
	struct peer *p;

	for (struct hash_link *it = hash_first(index, hash); it; it = it->next) {
		p = HASH_ENTRY(it, struct peer, by_address);
		if (it->hash == hash && address_equal(&p->addr, a))
			return p;
	}
	p = memory_zalloc(sizeof *p);
	p->addr = *a;
	hash_add(index, &p->by_address, hash);
	v->peers = memory_resize(v->peers, v->peer_count + 1, sizeof *v->peers);
	v->peers[v->peer_count++] = p;
	return p;
}

static void peer_response(struct peer *p, unsigned status)
{
	for (unsigned i = 0; i < p->response_count; i++) {
		if (p->responses[i].status == status) {
			p->responses[i].count++;
			return;
		}
	}
	if (p->response_count < 16) {
		p->responses[p->response_count].status = status;
		p->responses[p->response_count++].count = 1;
	}
}

/* NER counts what the network did its part for: answered, busy, no answer, declined, cancelled (ITU-T E.425). */
static bool effective(const struct leg *leg)
{
	return leg->answered || leg->status == 486 || leg->status == 600 || leg->status == 487 || leg->status == 603 || leg->status == 480;
}

static void peer_leg(struct view_cache *v, struct hash *index, const struct leg *leg)
{
	const struct address *a = &leg->party[SIDE_CALLEE].signalling.addr;
	struct peer *p;

	if (!leg->counts_as_call)
		return;
	if (!address_known(a))
		a = &leg->party[SIDE_CALLEE].signalling_dst.addr;
	if (!address_known(a))
		return;
	p = peer_of(v, index, a);
	if (!p->user_agent.n)
		p->user_agent = leg->party[SIDE_CALLEE].user_agent;
	p->attempts++;
	p->answered += leg->answered;
	p->effective += effective(leg);
	if (leg->status >= 300)
		peer_response(p, leg->status);
	if (leg->invite_ns != NS_NONE && leg->progress_ns != NS_NONE && leg->progress_ns >= leg->invite_ns) {
		if (p->pdd_count == p->pdd_room) {
			p->pdd_room = p->pdd_room ? p->pdd_room * 2 : 16;
			p->pdd_ms = memory_resize(p->pdd_ms, p->pdd_room, sizeof *p->pdd_ms);
		}
		p->pdd_ms[p->pdd_count++] = (double)(leg->progress_ns - leg->invite_ns) / 1e6;
	}
	for (unsigned i = 0; leg->confirmed && i < leg->confirmed->mslot_count; i++) {
		const struct direction *d = &leg->confirmed->mslots[i].direction[SIDE_CALLEE];

		for (unsigned k = 0; k < d->stream_count; k++) {
			p->expected += d->streams[k]->expected_within;
			p->lost += d->streams[k]->lost_within;
		}
	}
}

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int peer_compare(const void *a, const void *b)
{
	const struct peer *x = *(struct peer *const *)a, *y = *(struct peer *const *)b;

	if (x->attempts != y->attempts)
		return x->attempts > y->attempts ? -1 : 1;
	return address_compare(&x->addr, &y->addr);
}

static int response_compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static void build_peers(const struct engine *e, struct view_cache *v)
{
	struct hash index;

	hash_init(&index);
	LIST_EACH(it, calls_legs(e->calls))
		peer_leg(v, &index, LIST_ENTRY(it, struct leg, in_order));
	hash_fini(&index);
	for (size_t i = 0; i < v->peer_count; i++) {
		if (v->peers[i]->pdd_count)
			qsort(v->peers[i]->pdd_ms, v->peers[i]->pdd_count, sizeof(double), double_compare);
		qsort(v->peers[i]->responses, v->peers[i]->response_count, sizeof v->peers[i]->responses[0], response_compare);
	}
	if (v->peer_count)
		qsort(v->peers, v->peer_count, sizeof *v->peers, peer_compare);
}

/* Machines that took part in telephony: the others are none of the report's business. */
static void collect_hosts(const struct engine *e, struct view_cache *v)
{
	v->hosts = memory_zalloc((network_hosts(e->network)->count + 1) * sizeof *v->hosts);
	LIST_EACH(it, network_hosts(e->network)) {
		const struct host *h = LIST_ENTRY(it, struct host, in_order);

		if (h->sip_port_count || h->media_port_count || h->roles || h->in_sdp_of_others)
			v->hosts[v->host_count++] = h;
	}
}

static struct view_cache *cache(const struct engine *const_engine)
{
	struct engine *e = (struct engine *)(uintptr_t)const_engine;   /* the cache is no part of what a view shows */
	struct view_cache *v = e->views;

	if (v)
		return v;
	v = e->views = memory_zalloc(sizeof *v);
	COLLECT(calls_in_order(e->calls), struct call, in_order, v->calls, v->call_count);
	COLLECT(streams_in_order(e->streams), struct stream, in_order, v->streams, v->stream_count);
	COLLECT(findings_in_order(e->findings), struct finding, in_order, v->findings, v->finding_count);
	COLLECT(findings_incidents(e->findings), struct incident, in_order, v->incidents, v->incident_count);
	collect_hosts(e, v);
	COLLECT(network_mappings(e->network), struct nat_mapping, in_order, v->nats, v->nat_count);
	COLLECT(calls_registrations(e->calls), struct registration, in_order, v->registrations, v->registration_count);
	build_peers(e, v);
	return v;
}

void views_free(struct view_cache *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->peer_count; i++) {
		free(v->peers[i]->pdd_ms);
		free(v->peers[i]);
	}
	free(v->peers);
	free((void *)v->calls);
	free((void *)v->streams);
	free((void *)v->findings);
	free((void *)v->incidents);
	free((void *)v->hosts);
	free((void *)v->nats);
	free((void *)v->registrations);
	free(v->withheld);
	free(v->rows);
	free(v);
}

/* A short text that lives until 64 others have been asked for. */
static char *lend(struct view_cache *v)
{
	return v->texts[v->next_text++ % 64];
}

/* ---- capture ---- */

static const char *confidence_word(const struct vantage *vantage)
{
	static const char *const words[] = { "possible", "likely", "certain" };

	return words[vantage->confidence];
}

static void say_vantage(struct view_cache *v, const struct engine *e, const struct vantage *vantage)
{
	static const struct { enum vantage_kind kind; const char *from, *shows, *alone; } says[] = {
		{ VANTAGE_ON_HOST, "%s itself", "all SIP and audio of this machine", "one of the machines itself" },
		{ VANTAGE_NEAR, "beside %s", "SIP and audio as they leave and reach %s", "beside one party" },
		{ VANTAGE_INSIDE_NAT, "inside the NAT of %s", "SIP and audio between the inside and the router", "inside the NAT, before its router" },
		{ VANTAGE_OUTSIDE_NAT, "outside the NAT, beside %s", "which addresses the world sees", "outside the NAT" },
		{ VANTAGE_BOTH_SIDES, "both sides of the router %s", "SIP and audio before and behind it", "both sides of the router" },
		{ VANTAGE_MID, "between the parties", "what passes here", NULL },
		{ VANTAGE_UNKNOWN, "an unknown place", "what passes here", NULL },
	};
	char host[ADDRESS_TEXT] = "";

	(void)e;
	if (vantage->host)
		address_text(&vantage->host->addr, host);
	for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
		if (says[i].kind != vantage->kind)
			continue;
		if (host[0] || !strstr(says[i].from, "%s")) {
			snprintf(v->seen_from, sizeof v->seen_from, says[i].from, host);
			snprintf(v->can_show, sizeof v->can_show, says[i].shows, host);
		} else {
			snprintf(v->seen_from, sizeof v->seen_from, "%s", says[i].alone);
			snprintf(v->can_show, sizeof v->can_show, "what passes here");
		}
	}
}

__attribute__((format(printf, 3, 4))) static void cannot(struct view_cache *v, struct view_capture *ret, const char *format, ...)
{
	va_list ap;

	if (ret->cannot_prove_count == 8)
		return;
	va_start(ap, format);
	vsnprintf(v->cannot[ret->cannot_prove_count], sizeof v->cannot[0], format, ap);
	va_end(ap);
	ret->cannot_prove[ret->cannot_prove_count] = v->cannot[ret->cannot_prove_count];
	ret->cannot_prove_count++;
}

__attribute__((format(printf, 3, 4))) static void note(struct view_cache *v, struct view_capture *ret, const char *format, ...)
{
	va_list ap;

	if (ret->note_count == 16)
		return;
	va_start(ap, format);
	vsnprintf(v->notes[ret->note_count], sizeof v->notes[0], format, ap);
	va_end(ap);
	ret->notes[ret->note_count] = v->notes[ret->note_count];
	ret->note_count++;
}

static void say_cannot(struct view_cache *v, const struct engine *e, const struct vantage *vantage, struct view_capture *ret)
{
	switch (vantage->kind) {
	case VANTAGE_ON_HOST:
	case VANTAGE_NEAR:
		cannot(v, ret, "what happens beyond the other end of each link; what the other party plays");
		break;
	case VANTAGE_INSIDE_NAT:
		cannot(v, ret, "what the router sends outside and whether it changes SIP");
		break;
	case VANTAGE_OUTSIDE_NAT:
		cannot(v, ret, "which phone behind the NAT gets what; whether the router changes SIP");
		break;
	case VANTAGE_BOTH_SIDES:
		cannot(v, ret, "what a phone plays");
		break;
	case VANTAGE_MID:
	case VANTAGE_UNKNOWN:
		cannot(v, ret, "what left the sender and what reached the receiver, unless RTCP says so");
		break;
	}
	if (e->gates && gates_no_media(e->gates, NULL))
		cannot(v, ret, "whether anybody heard anybody: no media is in the capture");
	if (e->capture.truncated > 1)
		cannot(v, ret, "what stood behind the cut of %llu frames", (unsigned long long)e->capture.truncated);
}

static void say_notes(struct view_cache *v, const struct engine *e, struct view_capture *ret)
{
	const struct capture_facts *c = &e->capture;

	if (e->gates && gates_clock_unreliable(e->gates))
		note(v, ret, "clock-unreliable: %s", c->timestamps_back ? "time stamps go backwards" : "time stamps are multiples of 10 ms and more");
	if (c->truncated == 1)
		note(v, ret, "one frame is cut short");
	if (c->tcp_gaps)
		note(v, ret, "%llu TCP segments were acknowledged that are not in the capture", (unsigned long long)c->tcp_gaps);
	if (e->icmp_dropped)
		note(v, ret, "%llu ICMP errors beyond the first %u were counted only", (unsigned long long)e->icmp_dropped, 65536u);
	if (c->filter[0])
		note(v, ret, "captured with the filter: %s", c->filter);
}

static void say_others(const struct engine *e, struct view_capture *ret)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < e->protocol_count; i++)
		all += e->protocols[i].packets;
	for (unsigned i = 0; i < e->protocol_count && ret->other_count < 5; i++) {
		const struct protocol_count *p = &e->protocols[i];
		const char *name = p->protocol == 6 ? "TCP" : p->protocol == 17 ? "UDP" : p->protocol == 1 ? "ICMP" : p->protocol == 58 ? "ICMPv6" : "IP";
		size_t room = sizeof ret->others[0].name;

		if (p->port)
			snprintf(ret->others[ret->other_count].name, room, "%s %u", name, p->port);
		else if (name[0] == 'I' && name[1] == 'P')
			snprintf(ret->others[ret->other_count].name, room, "IP protocol %u", p->protocol);
		else
			snprintf(ret->others[ret->other_count].name, room, "%s", name);
		ret->others[ret->other_count++].share = all ? (double)p->packets / (double)all : 0;
	}
}

static void say_evicted(const struct engine *e, struct view_capture *ret)
{
	struct calls_counts c = calls_counts(e->calls);
	struct streams_counts s = streams_counts(e->streams);
	struct network_counts n = network_counts(e->network);
	const struct { const char *table; uint64_t count; } rows[] = {
		{ "legs", c.evicted_legs }, { "streams", s.evicted }, { "hosts", n.hosts_evicted }, { "pairs", n.pairs_evicted },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!rows[i].count)
			continue;
		ret->evicted[ret->evicted_count].table = rows[i].table;
		ret->evicted[ret->evicted_count++].count = rows[i].count;
	}
}

static void say_withheld(const struct engine *e, struct view_cache *v, struct view_capture *ret)
{
	struct row { const char *id; struct span call_id; const char *gate; } *rows;
	unsigned count;
	const struct withheld *w = detections_withheld(e->detections, &count);

	free(v->withheld);
	v->withheld = rows = memory_zalloc((count + 1u) * sizeof *rows);
	for (unsigned i = 0; i < count; i++)
		rows[i] = (struct row){ w[i].id, w[i].call_id, w[i].gate };
	ret->withheld = v->withheld;
	ret->withheld_count = count;
}

void view_capture(const struct engine *e, struct view_capture *ret)
{
	struct view_cache *v = cache(e);
	struct vantage vantage = network_vantage(e->network);
	const struct capture_facts *c = &e->capture;

	memset(ret, 0, sizeof *ret);
	ret->first_ns = c->first_ns;
	ret->last_ns = c->last_ns;
	ret->frames = c->frames;
	ret->bytes = e->bytes;
	ret->sip = c->sip;
	ret->rtp = c->rtp;
	ret->rtcp = c->rtcp;
	ret->stun = c->stun;
	ret->tls = c->tls;
	ret->icmp = c->icmp;
	ret->other = c->other;
	for (unsigned i = 1; i < UNDECODED_COUNT && i < 16; i++)
		ret->undecoded[i] = e->undecoded[i];
	say_evicted(e, ret);
	ret->vantage_kind = vantage_kind_name(vantage.kind);
	ret->vantage_confidence = confidence_word(&vantage);
	snprintf(lend(v), sizeof v->texts[0], "%s", vantage.why);
	ret->vantage_why = v->texts[(v->next_text - 1) % 64];
	if (vantage.host)
		ret->vantage_host = vantage.host->addr;
	say_vantage(v, e, &vantage);
	ret->seen_from = v->seen_from;
	ret->can_show = v->can_show;
	say_cannot(v, e, &vantage, ret);
	say_withheld(e, v, ret);
	say_notes(v, e, ret);
	say_others(e, ret);
}

/* ---- findings and incidents ---- */

static const struct call *call_of(const struct leg *leg)
{
	return leg ? leg->call : NULL;
}

static void add_unique(unsigned *list, unsigned *count, unsigned room, unsigned value)
{
	for (unsigned i = 0; i < *count; i++) {
		if (list[i] == value)
			return;
	}
	if (*count < room)
		list[(*count)++] = value;
}

static void view_parts(const struct finding *f, struct view_host_part *hosts, unsigned *count)
{
	for (unsigned i = 0; i < f->host_count && *count < 12; i++) {
		bool known = false;

		for (unsigned k = 0; k < *count && !known; k++)
			known = endpoint_equal(&hosts[k].at, &f->hosts[i].at) && strcmp(hosts[k].part, part_name(f->hosts[i].part)) == 0;
		if (!known)
			hosts[(*count)++] = (struct view_host_part){ f->hosts[i].at, part_name(f->hosts[i].part) };
	}
}

bool view_finding(const struct engine *e, size_t i, struct view_finding *ret)
{
	struct view_cache *v = cache(e);
	const struct finding *f;

	if (i >= v->finding_count)
		return false;
	f = v->findings[i];
	memset(ret, 0, sizeof *ret);
	ret->n = f->n;
	ret->id = f->id;
	ret->reason = f->reason;
	ret->severity = severity_name(f->severity);
	ret->confidence = confidence_name(f->confidence);
	ret->title = f->title.p;
	ret->cause = f->cause.p;
	ret->fix = f->fix.p;
	ret->reason_confidence = confidence_name(f->reason_confidence);
	ret->other_reason_count = f->other_reason_count;
	for (unsigned k = 0; k < f->other_reason_count; k++)
		ret->other_reasons[k] = f->other_reasons[k];
	ret->cannot_see = f->cannot_see.n ? f->cannot_see.p : NULL;
	for (size_t k = 0; k < v->finding_count && ret->chain_count < 8; k++) {
		if (v->findings[k]->explained_by == f)
			ret->chain[ret->chain_count++] = v->findings[k]->n;
	}
	ret->since_ns = f->since_ns;
	ret->first_ns = f->first_ns;
	ret->last_ns = f->last_ns;
	for (unsigned k = 0; k < f->leg_count; k++) {
		ret->call_ids[k] = f->legs[k].call_id;
		ret->call_numbers[k] = call_of(f->legs[k].leg) ? call_of(f->legs[k].leg)->n : 0;
	}
	ret->call_id_count = f->leg_count;
	ret->calls_total = f->legs_total;
	view_parts(f, ret->hosts, &ret->host_count);
	ret->stream_count = f->stream_count;
	memcpy(ret->streams, f->streams, sizeof ret->streams);
	for (unsigned k = 0; k < f->evidence_count; k++) {
		const struct evidence *x = &f->evidence[k];

		ret->evidence[k] = (struct view_evidence){ x->at.file, x->at.frame, x->last_frame, x->at.at_ns, x->what };
	}
	ret->evidence_count = f->evidence_count;
	ret->count = f->count;
	ret->state = finding_state_name(f->state);
	ret->explained_by = f->explained_by ? f->explained_by->n : 0;
	ret->incident = f->incident ? f->incident->n : 0;
	return true;
}

bool view_incident(const struct engine *e, size_t i, struct view_incident *ret)
{
	struct view_cache *v = cache(e);
	const struct incident *x;
	char *healthy;

	if (i >= v->incident_count)
		return false;
	x = v->incidents[i];
	memset(ret, 0, sizeof *ret);
	ret->n = x->n;
	ret->title = x->title;
	ret->cause = x->root->cause.p;
	ret->fix = x->root->fix.p;
	ret->severity = severity_name(x->severity);
	ret->confidence = confidence_name(x->confidence);
	for (unsigned k = 0; k < x->finding_count; k++) {
		const struct finding *f = x->findings[k];

		add_unique(ret->findings, &ret->finding_count, 64, f->n);
		for (unsigned c = 0; c < f->leg_count; c++) {
			if (call_of(f->legs[c].leg))
				add_unique(ret->calls, &ret->call_count, 64, call_of(f->legs[c].leg)->n);
		}
		view_parts(f, ret->hosts, &ret->host_count);
	}
	ret->calls_total = ret->call_count;
	ret->first_ns = x->first_ns;
	ret->last_ns = x->last_ns;
	if (v->call_count > ret->call_count) {
		healthy = lend(v);
		snprintf(healthy, sizeof v->texts[0], "%zu other call%s in this capture do not have it", v->call_count - ret->call_count,
			 v->call_count - ret->call_count == 1 ? "" : "s");
		ret->healthy = healthy;
	}
	return true;
}

/* ---- calls ---- */

static const char *kind_name(enum sdp_kind k)
{
	static const char *const names[] = { "audio", "video", "image", "text", "application", "message", "other" };

	return names[k];
}

static const char *rule_name(unsigned rule)
{
	static const char *const names[] = { NULL, "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10" };

	return rule <= 10 ? names[rule] : NULL;
}

static const struct window *shown_window(const struct direction *d)
{
	const struct window *w = direction_first_due(d);

	if (w)
		return w;
	for (unsigned i = 0; i < d->window_count; i++) {
		if (d->windows[i].target_count || d->windows[i].source_count)
			return &d->windows[i];
	}
	return NULL;
}

static double due_ms(const struct engine *e, const struct direction *d)
{
	double ms = 0;

	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		if (w->state == EXPECT_DUE && window_end(w, e->capture.last_ns) > w->on_ns)
			ms += (double)(window_end(w, e->capture.last_ns) - w->on_ns) / 1e6;
	}
	return ms;
}

static void view_quality(struct view_cache *v, const struct direction *d, struct view_direction *ret)
{
	const struct stream *s = NULL;
	uint64_t expected = 0, lost = 0;
	bool valid;
	double mos;
	char *codec;

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *x = d->streams[i];

		if (ret->stream_count < 16)
			ret->streams[ret->stream_count++] = x->n;
		if (x->twin_of && x->twin_of->direction == d)
			continue;
		ret->packets += x->packets;
		expected += x->expected_within;
		lost += x->lost_within;
		s = !s || x->packets > s->packets ? x : s;
	}
	ret->mos = ret->loss_percent = ret->jitter_ms = -1;
	if (!s)
		return;
	ret->bound_by = rule_name(s->bound_by);
	ret->loss_percent = expected ? 100.0 * (double)lost / (double)expected : 0;
	ret->jitter_ms = s->jitter_known ? s->mean_jitter_ms : -1;
	mos = stream_mos(s, 0, &valid);
	ret->mos = mos < 0 ? -1 : mos;
	if (s->codec.n) {
		codec = lend(v);
		ret->codec = text_escape(s->codec, codec, 24);
	}
}

static void view_direction_of(const struct engine *e, struct view_cache *v, const struct direction *d, unsigned leg, struct view_direction *ret)
{
	const struct hearing *h = d->hearing;
	const struct window *w = shown_window(d);
	char *why;

	memset(ret, 0, sizeof *ret);
	ret->mline = d->slot->mline;
	ret->leg = leg;
	ret->kind = kind_name(d->slot->kind);
	ret->sender = d->sender;
	if (w && w->source_count)
		ret->from = w->sources[0].at;
	if (w && w->target_count)
		ret->to = w->targets[0].at;
	ret->expected = direction_first_due(d) != NULL;
	ret->due_ms = due_ms(e, d);
	view_quality(v, d, ret);
	ret->heard = h ? h->heard : ret->packets ? HEARD_UNKNOWN : HEARD_NOT_EXPECTED;
	if (h && h->gate)
		ret->why = h->gate;
	else if (h && h->row)
		ret->why = h->row;
	else if (h && h->why[0]) {
		why = lend(v);
		snprintf(why, sizeof v->texts[0], "%s", h->why);
		ret->why = why;
	}
	/* a row of the register: N9 (the other leg) leaves it open, the others say that nothing was due */
	if (!ret->why && !ret->expected)
		ret->why = "not due";
}

static int graver(enum heard a, enum heard b)
{
	static const int rank[] = { [HEARD_NOT_EXPECTED] = 0, [HEARD_YES] = 2, [HEARD_UNKNOWN] = 1, [HEARD_POOR] = 3, [HEARD_NO] = 4 };

	return rank[a] - rank[b];
}

/* Of all audio directions towards that end: what the user there experiences. */
static void sum_up(struct view_call *ret)
{
	ret->caller_mos = ret->callee_mos = -1;
	for (unsigned i = 0; i < ret->media_count; i++) {
		const struct view_direction *d = &ret->media[i];
		enum heard *hears = d->sender == SIDE_CALLEE ? &ret->caller_hears : &ret->callee_hears;
		double *mos = d->sender == SIDE_CALLEE ? &ret->caller_mos : &ret->callee_mos;

		if (strcmp(d->kind, "audio") != 0)
			continue;
		if (graver(d->heard, *hears) > 0)
			*hears = d->heard;
		if (d->mos >= 0 && (*mos < 0 || d->mos < *mos))
			*mos = d->mos;
	}
}

static void view_legs(const struct call *c, struct view_call *ret)
{
	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);
		struct view_leg *x;

		if (ret->call_id_count < 16)
			ret->call_ids[ret->call_id_count++] = leg->call_id;
		if (ret->leg_count == 16)
			break;
		x = &ret->legs[ret->leg_count++];
		x->call_id = leg->call_id;
		x->from_tag = leg->from_tag;
		for (unsigned i = 0; i < leg->segment_count && i < 8; i++) {
			x->hops[i].a = leg->segments[i].a;
			x->hops[i].b = leg->segments[i].b;
		}
		x->hop_count = leg->segment_count;
		x->joined_by = leg->joined_by == JOIN_NONE ? NULL : leg_join_name(leg->joined_by);
		x->score = leg->join_score;
		x->partial = leg->partial;
	}
}

/* The dialogs whose media count: the confirmed one, else the early ones. */
static void view_media(const struct engine *e, struct view_cache *v, const struct leg *leg, unsigned index, struct view_call *ret)
{
	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		if (leg->confirmed && d != leg->confirmed)
			continue;
		for (unsigned i = 0; i < d->mslot_count; i++) {
			for (unsigned side = 0; side < 2 && ret->media_count < 32; side++)
				view_direction_of(e, v, &d->mslots[i].direction[side], index, &ret->media[ret->media_count++]);
		}
	}
}

static bool finding_about(const struct finding *f, const struct call *c)
{
	for (unsigned i = 0; i < f->leg_count; i++) {
		if (f->legs[i].leg->call == c)
			return true;
	}
	return false;
}

static void view_call_findings(struct view_cache *v, const struct call *c, struct view_call *ret)
{
	for (size_t i = 0; i < v->finding_count && ret->finding_count < 32; i++) {
		if (v->findings[i]->state != FINDING_WITHDRAWN && finding_about(v->findings[i], c))
			ret->findings[ret->finding_count++] = v->findings[i]->n;
	}
}

static struct span party_name(const struct party *p)
{
	return p->user.n ? p->user : p->host;
}

static const struct leg *first_leg(const struct call *c)
{
	return LIST_ENTRY(c->legs.head.next, struct leg, in_call);
}

static const struct leg *last_leg(const struct call *c)
{
	const struct leg *best = first_leg(c);

	LIST_EACH(it, &c->legs) {
		const struct leg *leg = LIST_ENTRY(it, struct leg, in_call);

		if (leg->answered && leg->parent)
			best = leg;
	}
	return best;
}

bool view_call(const struct engine *e, size_t i, struct view_call *ret)
{
	struct view_cache *v = cache(e);
	const struct call *c;
	const struct leg *first, *last;
	unsigned index = 0;

	if (i >= v->call_count)
		return false;
	c = v->calls[i];
	first = first_leg(c);
	last = last_leg(c);
	memset(ret, 0, sizeof *ret);
	ret->n = c->n;
	ret->from = party_name(&first->party[SIDE_CALLER]);
	ret->to = party_name(&first->party[SIDE_CALLEE]);
	ret->from_agent = first->party[SIDE_CALLER].user_agent;
	ret->to_agent = last->party[SIDE_CALLEE].user_agent;
	ret->from_at = first->party[SIDE_CALLER].signalling;
	ret->to_at = last->party[SIDE_CALLEE].signalling;
	ret->state = leg_state_name(first->state);
	ret->status = first->status;
	ret->start_ns = first->invite_ns != NS_NONE ? first->invite_ns : first->first_ns;
	ret->answer_ns = first->answer_ns;
	ret->end_ns = first->end_ns;
	ret->pdd_ms = first->invite_ns != NS_NONE && first->progress_ns != NS_NONE ? (double)(first->progress_ns - first->invite_ns) / 1e6 : -1;
	ret->setup_ms = first->invite_ns != NS_NONE && first->answer_ns != NS_NONE ? (double)(first->answer_ns - first->invite_ns) / 1e6 : -1;
	view_legs(c, ret);
	LIST_EACH(it, &c->legs)
		view_media(e, v, LIST_ENTRY(it, struct leg, in_call), index++, ret);
	sum_up(ret);
	ret->vantage = vantage_kind_name(network_vantage(e->network).kind);
	view_call_findings(v, c, ret);
	if (first->partial)
		ret->notes[ret->note_count++] = "partial: it began before the capture";
	if (first->answered && first->end_ns == NS_NONE)
		ret->notes[ret->note_count++] = "undecided at end of capture";
	if (first->cut)
		ret->notes[ret->note_count++] = "some of its messages are cut by the snap length";
	return true;
}

/* ---- streams ---- */

static unsigned view_intervals(struct view_cache *v, const struct stream *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->interval_count && n < MOS_KEEP; i++) {
		const struct interval *x = &s->intervals[i];
		double mos = interval_mos(s, x, 0);

		v->intervals[n++] = (struct view_interval){
			.at_ns = x->at_ns, .packets = x->packets, .lost = x->expected > x->packets ? x->expected - x->packets : 0,
			.max_jitter_ms = s->jitter_known ? x->max_jitter_tenth_ms / 10.0 : -1, .mos = mos < 0 ? -1 : mos,
		};
	}
	return n;
}

bool view_stream(const struct engine *e, size_t i, struct view_stream *ret)
{
	struct view_cache *v = cache(e);
	const struct stream *s;
	bool valid;
	double mos;

	if (i >= v->stream_count)
		return false;
	s = v->streams[i];
	memset(ret, 0, sizeof *ret);
	ret->n = s->n;
	ret->call = s->direction ? s->direction->slot->dialog->leg->call->n : 0;
	ret->src = s->src;
	ret->dst = s->dst;
	ret->ssrc = s->ssrc;
	ret->pt_count = s->pt_count;
	memcpy(ret->pts, s->pts, sizeof ret->pts);
	ret->codec = s->codec;
	ret->clock_hz = s->clock_hz;
	ret->packets = s->packets;
	ret->lost = s->lost;
	ret->lost_within = s->lost_within;
	ret->epochs = s->epochs;
	memcpy(ret->loss_runs, s->loss_runs, sizeof ret->loss_runs);
	ret->duplicates = s->duplicates;
	ret->mirror_copies = s->mirror_copies;
	ret->reordered = s->reordered;
	ret->late = s->late;
	ret->max_delta_ms = s->packets > 1 ? s->max_delta_ms : -1;
	ret->mean_jitter_ms = s->jitter_known ? s->mean_jitter_ms : -1;
	ret->max_jitter_ms = s->jitter_known ? s->max_jitter_ms : -1;
	ret->intervals = v->intervals;
	ret->interval_count = view_intervals(v, s);
	mos = stream_mos(s, 0, &valid);
	ret->mos = mos < 0 ? -1 : mos;
	ret->mos_kind = mos < 0 ? NULL : "lq";
	ret->mos_valid = mos < 0 ? NULL : valid ? "yes" : "approx";
	if (s->twin_of)
		ret->twins[ret->twin_count++] = s->twin_of->n;
	if (s->twin_next)
		ret->twins[ret->twin_count++] = s->twin_next->n;
	ret->dscp = s->dscp;
	ret->first_ns = s->first_ns;
	ret->last_ns = s->last_ns;
	ret->first_frame = s->first_frame;
	ret->last_frame = s->last_frame;
	ret->file = s->file;
	return true;
}

/* ---- the other tables ---- */

bool view_peer(const struct engine *e, size_t i, struct view_peer *ret)
{
	struct view_cache *v = cache(e);
	const struct peer *p;

	if (i >= v->peer_count)
		return false;
	p = v->peers[i];
	memset(ret, 0, sizeof *ret);
	ret->at.addr = p->addr;
	ret->user_agent = p->user_agent;
	ret->attempts = p->attempts;
	ret->answered = p->answered;
	ret->asr = p->attempts ? (double)p->answered / (double)p->attempts : -1;
	ret->ner = p->attempts ? (double)p->effective / (double)p->attempts : -1;
	ret->pdd_p50_ms = p->pdd_count ? p->pdd_ms[(p->pdd_count - 1) / 2] : -1;
	ret->pdd_p95_ms = p->pdd_count ? p->pdd_ms[(p->pdd_count - 1) * 95 / 100] : -1;
	for (unsigned k = 0; k < p->response_count; k++) {
		ret->responses[k].status = p->responses[k].status;
		ret->responses[k].count = p->responses[k].count;
	}
	ret->response_count = p->response_count;
	ret->loss_percent = p->expected ? 100.0 * (double)p->lost / (double)p->expected : -1;
	ret->calls_too_few = p->attempts < TOO_FEW_CALLS;
	return true;
}

static const char *registration_state_name(enum registration_state s)
{
	static const char *const names[] = { "unknown", "registered", "failed", "expired", "removed" };

	return names[s];
}

bool view_registration(const struct engine *e, size_t i, struct view_registration *ret)
{
	struct view_cache *v = cache(e);
	const struct registration *r;

	if (i >= v->registration_count)
		return false;
	r = v->registrations[i];
	memset(ret, 0, sizeof *ret);
	ret->n = r->n;
	ret->aor = r->aor;
	ret->device = r->user_agent;
	ret->contact = r->contact_uri;
	ret->source = r->source;
	ret->registrar = r->registrar;
	ret->state = registration_state_name(r->state);
	ret->status = r->status;
	ret->has_expires = r->succeeded;
	ret->expires_s = r->expires_s;
	ret->first_ns = r->first_ns;
	ret->last_ns = r->last_ns;
	return true;
}

static void view_roles(struct view_cache *v, const struct host *h, struct view_host *ret)
{
	char *why;

	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		if (!(h->roles & 1u << r) || ret->role_count == 4)
			continue;
		ret->roles[ret->role_count++] = host_role_name((enum host_role)r);
		why = lend(v);
		snprintf(why, sizeof v->texts[0], "%s: %u points", host_role_name((enum host_role)r), h->role_points[r]);
		ret->why[ret->why_count++] = why;
	}
}

bool view_host(const struct engine *e, size_t i, struct view_host *ret)
{
	static const char *const transports[] = { [TRANSPORT_UDP] = "udp", [TRANSPORT_TCP] = "tcp", [TRANSPORT_TLS] = "tls", [TRANSPORT_SCTP] = "sctp",
						  [TRANSPORT_WS] = "ws" };
	struct view_cache *v = cache(e);
	const struct host *h;

	if (i >= v->host_count)
		return false;
	h = v->hosts[i];
	memset(ret, 0, sizeof *ret);
	ret->addr = h->addr;
	if (h->alias_of && h->alias_of != h)
		ret->aliases[ret->alias_count++] = h->alias_of->addr;
	view_roles(v, h, ret);
	ret->user_agent = h->user_agent;
	ret->sip_port_count = h->sip_port_count;
	memcpy(ret->sip_ports, h->sip_ports, sizeof ret->sip_ports);
	ret->media_port_count = h->media_port_count;
	memcpy(ret->media_ports, h->media_ports, sizeof ret->media_ports);
	ret->vlan_count = h->vlan_count;
	memcpy(ret->vlans, h->vlans, sizeof ret->vlans);
	for (unsigned t = TRANSPORT_UDP; t <= TRANSPORT_WS; t++) {
		if (h->transports & 1u << t)
			ret->transports[ret->transport_count++] = transports[t];
	}
	ret->dscp = h->dscp_known ? h->dscp : -1;
	ret->hops = h->ttl_known ? h->hops : -1;
	return true;
}

bool view_nat(const struct engine *e, size_t i, struct view_nat *ret)
{
	struct view_cache *v = cache(e);
	const struct nat_mapping *m;

	if (i >= v->nat_count)
		return false;
	m = v->nats[i];
	*ret = (struct view_nat){ m->inside, m->outside, "udp", m->media ? "media" : "sip", nat_method_name(m->method), m->weight, m->first_ns, m->last_ns };
	return true;
}

/* ---- the ladder ---- */

static const char *sdp_summary(struct view_cache *v, const struct sdp *sdp)
{
	static const char *const directions[] = { "", " sendonly", " recvonly", " inactive" };
	char *text = lend(v), at[ENDPOINT_TEXT], codec[24];
	size_t n = 0, room = sizeof v->texts[0];

	text[0] = '\0';
	for (unsigned i = 0; i < sdp->media_count && n + 60 < room; i++) {
		const struct sdp_media *m = &sdp->media[i];

		n += (size_t)snprintf(text + n, room - n, "%s%s ", i ? "; " : "", kind_name(m->kind));
		for (unsigned k = 0; k < m->format_count && k < 3 && n + 40 < room; k++)
			n += (size_t)snprintf(text + n, room - n, "%s%s", k ? "," : "", text_escape(m->formats[k].codec, codec, sizeof codec));
		if (n + 70 < room)
			n += (size_t)snprintf(text + n, room - n, " %s%s", endpoint_text(&m->at, at), directions[m->direction]);
	}
	return text;
}

/* All messages of a call's legs in capture order. */
bool view_message(const struct engine *e, size_t call, size_t i, struct view_message *ret)
{
	struct view_cache *v = cache(e);
	const struct list_link *next[16];
	const struct leg *legs[16];
	unsigned leg_count = 0, best = 0;

	if (call >= v->call_count)
		return false;
	LIST_EACH(it, &v->calls[call]->legs) {
		if (leg_count == 16)
			break;
		legs[leg_count] = LIST_ENTRY(it, struct leg, in_call);
		next[leg_count] = legs[leg_count]->messages.head.next;
		leg_count++;
	}
	for (size_t k = 0; k <= i; k++) {
		const struct message *earliest = NULL;

		for (unsigned l = 0; l < leg_count; l++) {
			const struct message *m = LIST_ENTRY(next[l], struct message, in_leg);

			if (next[l] != &legs[l]->messages.head && (!earliest || m->at.at_ns < earliest->at.at_ns)) {
				earliest = m;
				best = l;
			}
		}
		if (!earliest)
			return false;
		next[best] = next[best]->next;
		if (k < i)
			continue;
		*ret = (struct view_message){
			.at_ns = earliest->at.at_ns, .file = earliest->at.file, .frame = earliest->at.frame, .src = earliest->src, .dst = earliest->dst,
			.leg = best, .method = earliest->method_text, .reason = earliest->reason, .status = earliest->status, .sdp = earliest->sdp != NULL,
			.retransmission = earliest->repeat == MESSAGE_RETRANSMITTED, .copy = earliest->repeat == MESSAGE_COPY,
			.next_hop = earliest->repeat == MESSAGE_NEXT_HOP, .sdp_text = earliest->sdp ? sdp_summary(v, earliest->sdp) : NULL,
			.raw = earliest->raw,
		};
		if (!ret->method.n)
			ret->method = span_of(sip_method_name(earliest->method));
	}
	return true;
}

/* ---- why not, end, detectors ---- */

bool view_why_not(const struct engine *e, size_t i, struct view_why_not *ret)
{
	struct view_cache *v = cache(e);
	unsigned count;
	const struct why_not *all = detections_why_not(e->detections, &count), *w;

	if (i >= count)
		return false;
	w = &all[i];
	v->rows = memory_resize(v->rows, w->row_count + 1u, sizeof *v->rows);
	for (unsigned k = 0; k < w->row_count; k++) {
		v->rows[k].holds = w->rows[k].holds;
		v->rows[k].decided = w->rows[k].decided;
		v->rows[k].text = w->rows[k].text;
	}
	memset(ret, 0, sizeof *ret);
	ret->call = call_of(w->leg) ? call_of(w->leg)->n : 0;
	ret->rows = (const void *)v->rows;
	ret->row_count = w->row_count;
	ret->found = w->found;
	ret->gate = w->gate;
	return true;
}

void view_end(const struct engine *e, struct view_end *ret)
{
	struct view_cache *v = cache(e);
	struct calls_counts c = calls_counts(e->calls);
	unsigned *by_severity[] = { &ret->info, &ret->warning, &ret->error, &ret->critical };

	memset(ret, 0, sizeof *ret);
	ret->calls = c.calls;
	ret->answered = c.answered;
	ret->registrations = c.registrations;
	for (size_t i = 0; i < v->stream_count; i++)
		ret->streams += v->streams[i]->packets >= 10;
	for (size_t i = 0; i < v->finding_count; i++) {
		const struct finding *f = v->findings[i];

		if (f->state != FINDING_WITHDRAWN && !f->explained_by)
			++*by_severity[f->severity];
	}
	ret->exit = findings_exit_status(e->findings);
}

bool view_detector(size_t i, struct view_detector *ret)
{
	unsigned count;
	const struct detector *const *all = registry_all(&count);

	if (i >= count)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->id = all[i]->id;
	ret->says = all[i]->doc->says;
	ret->usual = severity_name(all[i]->usual);
	ret->symptom = all[i]->doc->symptom;
	ret->evidence = all[i]->doc->evidence;
	ret->mimics = all[i]->doc->mimics;
	ret->fix = all[i]->doc->fix;
	ret->reasons = all[i]->doc->reasons;
	for (const struct config_key *k = all[i]->keys; k && k->name && ret->key_count < 16; k++)
		ret->keys[ret->key_count++] = (struct view_key){ k->name, k->unit, k->source, k->value, k->min, k->max };
	return true;
}

bool view_detector_find(const char *id, struct view_detector *ret)
{
	for (size_t i = 0; view_detector(i, ret); i++) {
		if (strcmp(ret->id, id) == 0)
			return true;
	}
	return false;
}
