/* SPDX-License-Identifier: MIT */
/*
 * engine_judge: what twins and relays prove, what every direction was promised and had, then each event of judgement.
 */
#include "analyzer/engine_judge.h"

#include "analyzer/engine_relay.h"
#include "analyzer/engine_state.h"
#include "analyzer/media/held.h"
#include "analyzer/network/learn_media.h"

static struct stream *stream_of(struct list_link *it)
{
	return LIST_ENTRY(it, struct stream, in_order);
}

static void learn_from_twins(struct engine *e, struct stream *first, const struct stream *s)
{
	first->twin_next = s;
	if (s->twin_kind != TWIN_NAT)
		return;
	if (!endpoint_equal(&first->src, &s->src))
		network_learn(e->network, address_private(&first->src.addr) ? &first->src : &s->src,
			      address_private(&first->src.addr) ? &s->src : &first->src, true, NAT_TWIN,
			      s->first_ns, s->file, s->first_frame);
	if (!endpoint_equal(&first->dst, &s->dst))
		network_learn(e->network, address_private(&s->dst.addr) ? &s->dst : &first->dst,
			      address_private(&s->dst.addr) ? &first->dst : &s->dst, true, NAT_TWIN,
			      s->first_ns, s->file, s->first_frame);
}

/* NAT mappings that streams prove: the same packets before and behind a router. */
static void learn_from_streams(struct engine *e)
{
	LIST_EACH(it, streams_in_order(e->streams)) {
		struct stream *s = stream_of(it);

		network_media(e->network, &s->src.addr, &s->dst.addr);
		if (s->twin_of)
			learn_from_twins(e, s->twin_of, s);
		if (stream_flaws(s)->goes_on_in)
			learn_from_twins(e, s, stream_flaws(s)->goes_on_in);
	}
}

/* Windows are made of the leg's messages, sockets of its windows: one walk for both, while they are at hand. */
static void expect_legs(struct engine *e)
{
	LIST_EACH(it, calls_legs(e->calls)) {
		struct leg *leg = LIST_ENTRY(it, struct leg, in_order);

		LIST_EACH(dit, &leg->dialogs)
			expectation_update(&e->expect, LIST_ENTRY(dit, struct dialog, in_leg));
		socket_uses_leg(e->sockets, leg);
	}
}

/* Only what was answered has a promise that can be broken; losing branches and second answers have none. */
static bool judged(const struct dialog *d)
{
	return !d->losing_fork && !d->extra_confirmed;
}

static void hear_dialog(struct engine *e, struct dialog *d)
{
	for (unsigned i = 0; judged(d) && i < d->mslot_count; i++) {
		if (d->mslots[i].kind == SDP_AUDIO)
			hearing_judge(&e->facts, &d->mslots[i]);
	}
}

/* What is heard of a leg does not hang on what is surveyed: one walk for both, while the leg is at hand. */
static void survey_legs(struct engine *e)
{
	LIST_EACH(it, calls_legs(e->calls)) {
		struct leg *leg = LIST_ENTRY(it, struct leg, in_order);
		struct event ev = { .kind = EVENT_SURVEY_LEG, .at_ns = e->capture.last_ns, .leg = leg };

		LIST_EACH(dit, &leg->dialogs)
			hear_dialog(e, LIST_ENTRY(dit, struct dialog, in_leg));
		detections_event(e->detections, &ev);
	}
}

static void judge_dialog(struct engine *e, struct dialog *d)
{
	for (unsigned i = 0; judged(d) && i < d->mslot_count; i++) {
		for (unsigned side = 0; side < 2 && d->mslots[i].kind == SDP_AUDIO; side++) {
			struct event ev = {
				.kind = EVENT_JUDGE_DIRECTION, .at_ns = e->capture.last_ns, .leg = d->leg, .dialog = d,
				.direction = &d->mslots[i].direction[side],
			};

			detections_event(e->detections, &ev);
		}
	}
}

static void judge_all(struct engine *e)
{
	struct event ev = { .kind = EVENT_JUDGE_CAPTURE, .at_ns = e->capture.last_ns };

	detections_judging(e->detections);
	survey_legs(e);
	detections_event(e->detections, &ev);
	LIST_EACH(it, calls_legs(e->calls)) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct leg, in_order)->dialogs)
			judge_dialog(e, LIST_ENTRY(dit, struct dialog, in_leg));
		ev = (struct event){ .kind = EVENT_JUDGE_CALL, .at_ns = e->capture.last_ns,
			.leg = LIST_ENTRY(it, struct leg, in_order) };
		detections_event(e->detections, &ev);
	}
	LIST_EACH(it, streams_in_order(e->streams)) {
		ev = (struct event){ .kind = EVENT_JUDGE_STREAM, .at_ns = e->capture.last_ns, .stream = stream_of(it) };
		detections_event(e->detections, &ev);
	}
	LIST_EACH(it, calls_registrations(e->calls)) {
		ev = (struct event){ .kind = EVENT_JUDGE_REGISTRATION, .at_ns = e->capture.last_ns,
				     .registration = LIST_ENTRY(it, struct registration, in_order) };
		detections_event(e->detections, &ev);
	}
	ev = (struct event){ .kind = EVENT_JUDGE_CAUSES, .at_ns = e->capture.last_ns };
	detections_event(e->detections, &ev);
	hearing_heed(&e->facts);
	detections_judged(e->detections);
}

/* Records that are made of all others, for detectors that look at a whole socket, host or account. */
static void reckon_records(struct engine *e)
{
	int64_t last_ns = e->capture.last_ns;

	flows_settle(e->flows);
	sip_paths_settle(e->paths, last_ns);
	e->media_hosts = media_hosts_new(e->sockets, calls_legs(e->calls));
	accounts_settle(e->accounts, last_ns);
	sources_settle(e->sources, calls_legs(e->calls));
	e->port_plan = port_plan_new(e->sockets);
	e->facts.port_plan = e->port_plan;
	e->facts.media_hosts = e->media_hosts;
	e->facts.accounts = e->accounts;
	e->facts.watches = e->watches;
	e->facts.services = e->services;
	repeats_settle(e->repeats, last_ns, !e->options.live);
	e->facts.repeats = e->repeats;
}

void engine_judge(struct engine *e)
{
	learn_from_streams(e);
	network_settle(e->network);
	e->facts.sockets = e->sockets = socket_uses_new(e->capture.last_ns);
	expect_legs(e);
	e->bound = true;
	binding_settle(e->binding, streams_in_order(e->streams), calls_legs(e->calls), e->network);
	held_settle(streams_in_order(e->streams));
	if (!streams_none(e->streams))
		learn_media(e->network, calls_legs(e->calls));
	relays_settle(e);
	e->facts.vantage = network_vantage(e->network);
	e->facts.lookup = e->lookup = lookup_new(&e->facts);
	socket_uses_settle(e->sockets, streams_in_order(e->streams), rtcp_parties(e->rtcp));
	e->gates = gates_reckon(&e->facts);
	e->facts.gates = e->gates;
	reckon_records(e);
	judge_all(e);
}
