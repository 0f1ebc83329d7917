/* SPDX-License-Identifier: MIT */
/* view_capture: the capture as a whole: what it holds, where it was taken, what it cannot prove. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/say.h"
#include "analyzer/view_cache.h"
#include "analyzer/view_redact.h"
#include "analyzer/views.h"
#include "captures/base/memory.h"

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
		{ VANTAGE_INSIDE_NAT, "inside the NAT of %s", "SIP and audio between the inside and the router",
		  "inside the NAT, before its router" },
		{ VANTAGE_OUTSIDE_NAT, "outside the NAT, beside %s", "which addresses the world sees",
		  "outside the NAT" },
		{ VANTAGE_BOTH_SIDES, "both sides of the router %s", "SIP and audio before and behind it",
		  "both sides of the router" },
		{ VANTAGE_MID, "between the parties", "what passes here", NULL },
		{ VANTAGE_UNKNOWN, "an unknown place", "what passes here", NULL },
	};
	char host[SAY_TEXT] = "";

	/* at a NAT the address is the router's, whatever the devices behind it say they are */
	if (vantage->host && (vantage->kind == VANTAGE_ON_HOST || vantage->kind == VANTAGE_NEAR))
		say_host(&e->facts, &vantage->host->addr, host);
	else if (vantage->host)
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

__attribute__((format(printf, 3, 4))) static void cannot(struct view_cache *v, struct view_capture *ret,
	const char *format, ...)
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

__attribute__((format(printf, 3, 4))) static void note(struct view_cache *v, struct view_capture *ret,
	const char *format, ...)
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

static void say_cannot(struct view_cache *v, const struct engine *e, const struct vantage *vantage,
	struct view_capture *ret)
{
	char count[TEXT_COUNT];

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
		cannot(v, ret, "what stood behind the cut of %s frames", text_count(e->capture.truncated, count));
}

/* A file's clock against the first one that shows the same messages. */
static void say_clocks(const struct engine *e, struct view_capture *ret)
{
	static const struct file_clocks none;
	const struct clock_offsets *clocks = two_points_clocks(e->points);
	const struct file_clock_ahead *set = (e->options.clocks ? e->options.clocks : &none)->of;

	for (uint16_t file = 0; file < CLOCK_FILE_MAX; file++) {
		int64_t offset_ns = 0, error_ns = set[file].error_ns;
		uint16_t against = set[file].against;

		/* what is left of it after it was set is known better, where the points are known, too */
		if (clock_measured(clocks, file) && clock_offset_of(clocks, file, &offset_ns, &error_ns))
			against = clock_reference(clocks, file);
		else if (!set[file].ahead_ns)
			continue;
		offset_ns = ns_add(offset_ns, ns_minus(set[file].ahead_ns, set[against].ahead_ns));
		ret->clocks[ret->clock_count].file = file;
		ret->clocks[ret->clock_count].against = against;
		ret->clocks[ret->clock_count].offset_ns = offset_ns;
		ret->clocks[ret->clock_count].error_ns = error_ns;
		ret->clocks[ret->clock_count].set = set[file].ahead_ns;
		ret->clocks[ret->clock_count++].apart = clock_apart(offset_ns);
	}
}

static double in_ms(int64_t ns)
{
	return (double)ns / (double)MILLISECOND_NS;
}

/* How long hops take that are seen from both sides. */
static void say_delays(struct view_cache *v, const struct engine *e, struct view_capture *ret)
{
	LIST_EACH(it, two_points_passages(e->points)) {
		const struct passage *p = LIST_ENTRY(it, struct passage, in_order);
		struct passage_delay delay;
		char at[ADDRESS_TEXT];

		if (!address_known(&p->outside) || !passage_delay_of(p, two_points_clocks(e->points), &delay))
			continue;
		note(v, ret, "SIP takes %.1f ms (95 %%: %.1f ms) through the router %s%s", in_ms(delay.median_ns),
			in_ms(delay.p95_ns), address_text(&p->outside, at),
		     in_ms(delay.median_ns) > config_value(e->options.config, "alg",
		     "delay-ms") ? ": inspection in software" : "");
	}
}

static void say_dissected(struct view_cache *v, const struct dissector_counts *c, struct view_capture *ret)
{
	uint64_t open = c->fragments_given_up + c->fragments_open;
	char count[TEXT_COUNT];

	if (open)
		note(v, ret, "%s IP packet%s sent in fragments %s not whole in the capture and %s not read",
			text_count(open, count), open == 1 ? "" : "s", open == 1 ? "is" : "are", open == 1 ? "is" : "are");
	if (c->tcp_holes)
		note(v, ret, "in %s place%s of TCP connections with SIP, bytes are missing: the messages there are not read",
			text_count(c->tcp_holes, count), c->tcp_holes == 1 ? "" : "s");
}

/* "400 ms", "3.0 s" */
static const char *say_apart(int64_t ns, char *text, size_t room)
{
	if (ns < SECOND_NS)
		snprintf(text, room, "%.0f ms", (double)ns / 1e6);
	else
		snprintf(text, room, "%.1f s", (double)ns / 1e9);
	return text;
}

static void say_notes(struct view_cache *v, const struct engine *e, struct view_capture *ret)
{
	char count[TEXT_COUNT], shown[120];
	const struct capture_facts *c = &e->capture;
	uint64_t replayed = calls_counts(e->calls).replayed_legs;
	int64_t apart_ns = e->gates ? gates_copies_apart_ns(e->gates) : 0;

	if (apart_ns)
		note(v, ret, "clock-unreliable: each packet is here twice, %s apart: a file merged of captures whose clocks differ; name these captures one by one instead (deadair A B), then their clocks are evened",
			say_apart(apart_ns, shown, sizeof shown));
	else if (e->gates && gates_clock_unreliable(e->gates))
		note(v, ret, "clock-unreliable: %s",
			c->timestamps_back ? "time stamps go backwards"
			: c->answers_early_ns >= 10 * MILLISECOND_NS ? "answers are stamped before their requests"
			: "time stamps are multiples of 10 ms and more");
	if (c->untimed == c->frames && c->frames)
		note(v, ret, "no frame has a time (pcapng simple packets): whatever needs one is not judged");
	else if (c->untimed)
		note(v, ret, "%s frame%s no time (pcapng simple packets) and take%s that of a neighbour",
			text_count(c->untimed, count), c->untimed == 1 ? " has" : "s have", c->untimed == 1 ? "s" : "");
	if (c->truncated == 1)
		note(v, ret, "one frame is cut short");
	if (c->tcp_gaps)
		note(v, ret, "%s TCP segment%s acknowledged that %s not in the capture", text_count(c->tcp_gaps, count),
			c->tcp_gaps == 1 ? " was" : "s were",
		     c->tcp_gaps == 1 ? "is" : "are");
	say_dissected(v, &e->dissected, ret);
	say_delays(v, e, ret);
	if (replayed)
		note(v, ret, "%s leg%s in the capture more than once, to the letter, minutes and more apart: traffic was played again; only the first time is judged",
			text_count(replayed, count), replayed == 1 ? " is" : "s are");
	if (c->filter[0])
		note(v, ret, "captured with the filter: %s", c->filter);
	if (c->read_filter[0])
		note(v, ret, "only what the filter -f lets pass was read: %s",
			text_escape(span_of(c->read_filter), shown, sizeof shown));
}

static void say_others(const struct engine *e, struct view_capture *ret)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < e->protocol_count; i++)
		all += e->protocols[i].packets;
	for (unsigned i = 0; i < e->protocol_count && ret->other_count < 5; i++) {
		const struct protocol_count *p = &e->protocols[i];
		const char *name = p->protocol == 6 ? "TCP" : p->protocol == 17 ? "UDP" : p->protocol == 1 ? "ICMP"
			: p->protocol == 58 ? "ICMPv6" : "IP";
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

/* Fields changed by routers, beyond as many as are kept of one router. */
static uint64_t rewrites_left(const struct engine *e)
{
	uint64_t left = 0;

	LIST_EACH(it, two_points_passages(e->points))
		left += LIST_ENTRY(it, struct passage, in_order)->changes_dropped;
	return left;
}

static void say_evicted(const struct engine *e, struct view_capture *ret)
{
	struct calls_counts c = calls_counts(e->calls);
	struct streams_counts s = streams_counts(e->streams);
	struct network_counts n = network_counts(e->network);
	const struct { const char *table; uint64_t count; } rows[] = {
		{ "legs", c.evicted_legs }, { "registrations", c.evicted_registrations },
		  { "subscriptions", c.evicted_subscriptions },
		{ "accounts", accounts_evicted(e->accounts) }, { "watches", watches_evicted(e->watches) },
		  { "services", services_evicted(e->services) },
		{ "repeats", repeats_evicted(e->repeats) },
		{ "streams", s.evicted }, { "flows", s.evicted_flows }, { "hosts", n.hosts_evicted },
		  { "pairs", n.pairs_evicted },
		{ "nat", n.mappings_evicted }, { "rtcp", rtcp_states_evicted(e->rtcp) }, { "icmp", e->icmp_dropped },
		{ "sip-peers", sip_peers_evicted(e->peers) }, { "datagrams", e->dissected.fragments_evicted },
		  { "tcp", e->dissected.tcp_evicted }, { "connections", flows_evicted(e->flows) },
		{ "tls", tls_pairs_evicted(e->tls) },
		{ "sip-hops", sip_hops_evicted(e->hops) }, { "sip-paths", sip_paths_evicted(e->paths) },
		  { "sources", sources_evicted(e->sources) }, { "rewrites", rewrites_left(e) },
		{ "others", n.others_evicted + flows_others_evicted(e->flows) + tls_pairs_others_evicted(e->tls) +
		  e->dissected.tcp_others_evicted },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!rows[i].count)
			continue;
		ret->evicted[ret->evicted_count].table = rows[i].table;
		ret->evicted[ret->evicted_count++].count = rows[i].count;
	}
}

/* Lent as it is noted; names are left out in a copy. */
static void say_withheld(const struct engine *e, struct view_cache *v, struct view_capture *ret)
{
	unsigned count;
	const struct withheld *noted = detections_withheld(e->detections, &count);

	free(v->withheld);
	v->withheld = e->redact && count ? memory_zalloc(count * sizeof *noted) : NULL;
	if (v->withheld)
		memcpy(v->withheld, noted, count * sizeof *noted);
	ret->withheld = v->withheld ? v->withheld : noted;
	ret->withheld_count = count;
}

void view_capture(const struct engine *e, struct view_capture *ret)
{
	struct view_cache *v = view_cache_of(e);
	struct vantage vantage = e->facts.vantage;
	const struct capture_facts *c = &e->capture;
	char *why;

	memset(ret, 0, sizeof *ret);
	ret->untimed = c->untimed == c->frames && c->frames;
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
	ret->like_rtp = c->like_rtp;
	for (unsigned i = 1; i < UNDECODED_COUNT && i < 16; i++)
		ret->undecoded[i] = e->undecoded[i];
	say_evicted(e, ret);
	ret->vantage_kind = vantage_kind_name(vantage.kind);
	ret->vantage_confidence = confidence_word(&vantage);
	ret->vantage_why = why = view_lend(v);
	snprintf(why, VIEW_TEXT, "%s", vantage.why);
	if (vantage.host)
		ret->vantage_host = vantage.host->addr;
	say_vantage(v, e, &vantage);
	ret->seen_from = v->seen_from;
	ret->can_show = v->can_show;
	say_cannot(v, e, &vantage, ret);
	say_withheld(e, v, ret);
	say_clocks(e, ret);
	say_notes(v, e, ret);
	say_others(e, ret);
	view_redact_capture(e->redact, ret);
}
