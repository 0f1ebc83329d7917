/* SPDX-License-Identifier: MIT */
/*
 * engine_make: what an engine consists of, each with its thresholds and its part of the memory; and how it is given
 * back.
 */
#include "analyzer/engine.h"

#include <stdlib.h>

#include "analyzer/budget.h"
#include "analyzer/capture_facts.h"
#include "analyzer/early.h"
#include "analyzer/engine_state.h"
#include "analyzer/shed.h"
#include "captures/base/memory.h"
#include "dissect/srtp_check.h"

enum {
	ICMP_KEEP = 65536,
	SHED_SHARE = 8               /* of the bytes of legs */
};

static struct calls *make_calls(const struct engine_options *o, const struct budget *budget)
{
	const struct config *c = o->config;
	struct calls_config config = {
		.dup_window_ns = config_ns(c, "dup", "sip-window-ms", MILLISECOND_NS),
		.fork_linger_ns = config_ns(c, "fork", "linger-ms", MILLISECOND_NS),
		.idle_timeout_ns = config_ns(c, "call", "idle-timeout-s", SECOND_NS),
		.join_score = (unsigned)config_value(c, "legs", "join-score"),
		.join_margin = (unsigned)config_value(c, "legs", "join-margin"),
		.keep_texts = o->keep_texts,
		.max_bytes = budget->leg_bytes,
		.max_registrations = budget->registrations,
	};

	return calls_new(&config);
}

static struct streams *make_streams(struct engine *e, const struct budget *budget)
{
	const struct config *c = e->options.config;
	struct streams_config config = {
		.heuristic_packets = (unsigned)config_value(c, "rtp", "heuristic-packets"),
		.interval_ns = config_ns(c, "rtp", "interval-s", SECOND_NS),
		.reorder_ns = config_ns(c, "rtp", "reorder-ms", MILLISECOND_NS),
		.overlap_ns = config_ns(c, "rtp", "overlap-ms", MILLISECOND_NS),
		.dup_window_ns = config_ns(c, "dup", "window-ms", MILLISECOND_NS),
		.twin_max_ns = config_ns(c, "twin", "max-ms", MILLISECOND_NS),
		.max_streams = budget->streams,
		.max_flows = budget->flows,
		.max_sample_bytes = srtp_check_library() ? budget->sample_bytes : 0,
		.evicted = engine_stream_evicted,
		.evicted_context = e,
	};

	return streams_new(&config, binding_hint, e->binding);
}

static struct network *make_network(const struct engine_options *o, const struct budget *budget)
{
	struct network_config config = {
		.dup_window_ns = config_ns(o->config, "dup", "window-ms", MILLISECOND_NS),
		.dup_sip_window_ns = config_ns(o->config, "dup", "sip-window-ms", MILLISECOND_NS),
		.max_hosts = budget->hosts,
		.max_pairs = budget->pairs,
		.max_mappings = budget->mappings,
	};

	return network_new(&config);
}

/* What the operator says of the NAT holds in both scopes. */
static void learn_profile(struct engine *e)
{
	const struct nat_pairs *pairs = &e->options.site->nat;

	for (unsigned i = 0; i < pairs->count; i++) {
		struct endpoint inside = { pairs->list[i].inside, 0 }, outside = { pairs->list[i].outside, 0 };

		network_learn(e->network, &inside, &outside, false, NAT_CONFIG, NS_NONE, 0, 0);
		network_learn(e->network, &inside, &outside, true, NAT_CONFIG, NS_NONE, 0, 0);
	}
}

static struct two_points *make_points(const struct engine_options *o)
{
	struct two_points_config config = {
		.window_ns = config_ns(o->config, "alg", "pair-window-s", SECOND_NS),
		.max_offset_ns = config_ns(o->config, "alg", "max-offset-s", SECOND_NS),
		.one_clock = o->live,
		.min_transmissions = 2,
	};

	for (unsigned i = 0; o->clocks && i < FILE_CLOCKS_MAX; i++)
		config.clocks_set |= (uint64_t)(o->clocks->of[i].ahead_ns != 0) << i;
	return two_points_new(&config);
}

static struct sip_bindings *make_bindings(const struct engine_options *o)
{
	struct sip_bindings_config config = {
		.min_silence_ns = config_ns(o->config, "nat", "min-silence-s", SECOND_NS),
		.proof_ns = config_ns(o->config, "nat", "proof-s", SECOND_NS),
	};

	return sip_bindings_new(&config);
}

static struct sources *make_sources(const struct engine_options *o, const struct budget *budget)
{
	const struct config *c = o->config;
	struct sources_config config = {
		.scan_targets = (unsigned)config_value(c, "security", "scan-targets"),
		.scan_users = (unsigned)config_value(c, "security", "scan-users"),
		.fail_per_min = (unsigned)config_value(c, "security", "bf-fail-per-min"),
		.bf_users = (unsigned)config_value(c, "security", "bf-users"),
		.flood_rps = (unsigned)config_value(c, "security", "flood-rps"),
		.flood_invite_ps = (unsigned)config_value(c, "security", "flood-invite-ps"),
		.max = budget->sources,
	};

	return sources_new(&config, o->site);
}

static struct repeats *make_repeats(const struct engine_options *o, const struct budget *budget)
{
	struct repeats_config config = {
		.window_ns = config_ns(o->config, "retransmission-storm", "rtx-window-s", SECOND_NS),
		.min = (unsigned)config_value(o->config, "retransmission-storm", "rtx-min"),
		.max_open = budget->repeats,
		.max_stats = budget->repeat_stats,
	};

	return repeats_new(&config);
}

struct engine *engine_new(const struct engine_options *options)
{
	struct engine *e = memory_zalloc(sizeof *e);
	const struct config *c = options->config;
	struct budget budget = budget_of(options->memory);

	e->options = *options;
	e->capture.first_ns = e->capture.last_ns = NS_NONE;
	e->capture.live = options->live;
	e->expect = (struct expectation_config){
		.start_grace_ns = config_ns(c, "expect", "start-grace-ms", MILLISECOND_NS),
		.ice_grace_ns = config_ns(c, "expect", "ice-grace-ms", MILLISECOND_NS),
		.move_overlap_ns = config_ns(c, "expect", "move-overlap-ms", MILLISECOND_NS),
		.bye_linger_ns = config_ns(c, "expect", "bye-linger-ms", MILLISECOND_NS),
	};
	e->binding = binding_new();
	e->calls = make_calls(options, &budget);
	e->accounts = accounts_new(budget.accounts);
	e->watches = watches_new(0, budget.watch_bytes);
	e->services = services_new(budget.services);
	e->repeats = make_repeats(options, &budget);
	e->channels = channels_new(0);
	e->streams = make_streams(e, &budget);
	e->rtcp = rtcp_states_new(budget.parties);
	e->network = make_network(options, &budget);
	e->icmp_keep = budget.icmp ? budget.icmp : ICMP_KEEP;
	e->sources = make_sources(options, &budget);
	e->srv = srv_new();
	e->outflows = outflows_new(options->site, config_ns(c, "network", "ste-window-s", SECOND_NS), budget.tuples);
	learn_profile(e);
	e->points = make_points(options);
	e->echoes = echoes_new();
	e->bindings = make_bindings(options);
	e->ways = sip_ways_new(e->network);
	e->hops = sip_hops_new(0);
	e->peers = sip_peers_new(0);
	e->flows = flows_new(options->site, 0);
	e->tls = tls_pairs_new(options->site, 0);
	e->paths = sip_paths_new(0, (uint32_t)config_value(c, "signalling", "udp-max-bytes"));
	e->shed = options->memory ? shed_new(budget.leg_bytes / SHED_SHARE) : NULL;
	e->early = early_new(&(struct early_config){ .wait_ns = config_ns(c, "capture", "early-ms", MILLISECOND_NS) });
	e->findings = findings_new();
	list_init(&e->icmp);
	hash_init(&e->icmp_by_dst);
	e->facts = (struct facts){
		.capture = &e->capture,
		.calls = e->calls,
		.sources = e->sources,
		.sip_peers = e->peers,
		.outflows = e->outflows,
		.srv = e->srv,
		.streams = e->streams,
		.rtcp = e->rtcp,
		.network = e->network,
		.points = e->points,
		.echoes = e->echoes,
		.bindings = e->bindings,
		.ways = e->ways,
		.hops = e->hops,
		.flows = e->flows,
		.tls = e->tls,
		.paths = e->paths,
		.icmp = &e->icmp,
		.icmp_by_dst = &e->icmp_by_dst,
		.findings = e->findings,
		.config = c,
		.site = options->site,
		.min_call_ns = config_ns(c, "expect", "min-call-s", SECOND_NS),
		.move_overlap_ns = config_ns(c, "expect", "move-overlap-ms", MILLISECOND_NS),
	};
	e->detections = detections_new(&e->facts, e->findings, options->why_not);
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	views_free(e->views);
	detections_free(e->detections);
	findings_free(e->findings);
	lookup_free(e->lookup);
	gates_free(e->gates);
	port_plan_free(e->port_plan);
	media_hosts_free(e->media_hosts);
	socket_uses_free(e->sockets);
	LIST_EACH_SAFE(it, &e->icmp)
		free(LIST_ENTRY(it, struct icmp_record, in_order));
	hash_fini(&e->icmp_by_dst);
	shed_free(e->shed);
	early_free(e->early);
	channels_free(e->channels);
	capture_facts_fini(&e->capture);
	two_points_free(e->points);
	echoes_free(e->echoes);
	sip_paths_free(e->paths);
	flows_free(e->flows);
	tls_pairs_free(e->tls);
	sip_ways_free(e->ways);
	sip_hops_free(e->hops);
	sip_peers_free(e->peers);
	sip_bindings_free(e->bindings);
	network_free(e->network);
	rtcp_states_free(e->rtcp);
	streams_free(e->streams);
	outflows_free(e->outflows);
	srv_free(e->srv);
	sources_free(e->sources);
	accounts_free(e->accounts);
	watches_free(e->watches);
	services_free(e->services);
	repeats_free(e->repeats);
	calls_free(e->calls);
	binding_free(e->binding);
	free(e);
}
