/* SPDX-License-Identifier: MIT */
/*
 * budget: shares of a memory budget, in percent, and what an entry costs with its hash links, lists and malloc's
 * rounding, as measured (see docs/PERFORMANCE.md). What is left over is the process itself, and the report.
 */
#include "analyzer/budget.h"

enum {
	LEGS_PERCENT = 30, REGISTRATIONS_PERCENT = 5, ACCOUNTS_PERCENT = 4, STREAMS_PERCENT = 15, FLOWS_PERCENT = 6,
		PARTIES_PERCENT = 6,
	HOSTS_PERCENT = 6, PAIRS_PERCENT = 6, MAPPINGS_PERCENT = 2, ICMP_PERCENT = 1, SOURCES_PERCENT = 3,
	TUPLES_PERCENT = 1,
	WATCHES_PERCENT = 2, SERVICES_PERCENT = 1, REPEATS_PERCENT = 1, REPEAT_STATS_PERCENT = 1, DISSECT_PERCENT = 8,
	SAMPLE_PERCENT = 2,
	REGISTRATION_BYTES = 2 * 1600, ACCOUNT_BYTES = 2000, STREAM_BYTES = 2300, FLOW_BYTES = 240, PARTY_BYTES = 2048,
	HOST_BYTES = 900, PAIR_BYTES = 420,
	MAPPING_BYTES = 460, ICMP_BYTES = 160, SOURCE_BYTES = 19000, TUPLE_BYTES = 176, SERVICE_BYTES = 3600,
	REPEAT_BYTES = 480, REPEAT_STAT_BYTES = 2000,
	SAMPLE_BYTES = 128 << 20     /* whole packets are large: where nothing else has a cap */
};

static size_t share(size_t bytes, size_t percent, size_t entry_bytes)
{
	return bytes / 100 * percent / entry_bytes;
}

struct budget budget_of(size_t bytes)
{
	return (struct budget){
		.leg_bytes = share(bytes, LEGS_PERCENT, 1),
		.registrations = share(bytes, REGISTRATIONS_PERCENT, REGISTRATION_BYTES),
		.accounts = share(bytes, ACCOUNTS_PERCENT, ACCOUNT_BYTES),
		.streams = share(bytes, STREAMS_PERCENT, STREAM_BYTES),
		.sample_bytes = bytes ? share(bytes, SAMPLE_PERCENT, 1) : SAMPLE_BYTES,
		.flows = share(bytes, FLOWS_PERCENT, FLOW_BYTES),
		.parties = share(bytes, PARTIES_PERCENT, PARTY_BYTES),
		.hosts = share(bytes, HOSTS_PERCENT, HOST_BYTES),
		.pairs = share(bytes, PAIRS_PERCENT, PAIR_BYTES),
		.mappings = share(bytes, MAPPINGS_PERCENT, MAPPING_BYTES),
		.icmp = share(bytes, ICMP_PERCENT, ICMP_BYTES),
		.watch_bytes = share(bytes, WATCHES_PERCENT, 1),
		.services = share(bytes, SERVICES_PERCENT, SERVICE_BYTES),
		.repeats = share(bytes, REPEATS_PERCENT, REPEAT_BYTES),
		.repeat_stats = share(bytes, REPEAT_STATS_PERCENT, REPEAT_STAT_BYTES),
		.sources = share(bytes, SOURCES_PERCENT, SOURCE_BYTES),
		.tuples = share(bytes, TUPLES_PERCENT, TUPLE_BYTES),
	};
}

size_t budget_dissect(size_t bytes)
{
	return share(bytes, DISSECT_PERCENT, 1);
}
