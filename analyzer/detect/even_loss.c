/* SPDX-License-Identifier: MIT */
/* even_loss: the share of all, then each against it. */
#include "analyzer/detect/even_loss.h"

#include "analyzer/detect/reported.h"

/*
 * Fewer losses than EXPECTED_LEAST of a stream are chance; RATIO: how far from the share of all one may be. Where a
 * receiver proves that the capture has lost its packets, two streams will do.
 */
enum { STREAMS_LEAST = 6, STREAMS_WITNESSED = 2, SENDERS_LEAST = 3, EXPECTED_LEAST = 5, RATIO = 3, ALIKE_PERCENT = 90, HOSTS_KEPT = 8 };

static const struct stream *stream_of(struct list_link *it)
{
	return LIST_ENTRY(it, struct stream, in_order);
}

/* The first few of them; one that sends and receives shows that both directions are here. */
struct hosts {
	const struct address *at[HOSTS_KEPT];
	unsigned count;
};

static bool hosts_have(const struct hosts *h, const struct address *at)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (address_equal(h->at[i], at))
			return true;
	}
	return false;
}

static void host_note(struct hosts *h, const struct address *at)
{
	if (h->count < HOSTS_KEPT && !hosts_have(h, at))
		h->at[h->count++] = at;
}

static bool both_directions(const struct hosts *senders, const struct hosts *receivers)
{
	for (unsigned i = 0; i < senders->count; i++) {
		if (hosts_have(receivers, senders->at[i]))
			return true;
	}
	return false;
}

unsigned even_loss(const struct facts *facts)
{
	const struct list *streams = streams_in_order(facts->streams);
	struct hosts senders = { .count = 0 }, receivers = { .count = 0 };
	uint64_t lost = 0, expected = 0;
	unsigned told = 0, alike = 0;
	bool witnessed = false;

	LIST_EACH(it, streams) {
		lost += stream_of(it)->lost_within;
		expected += stream_of(it)->expected_within;
	}
	LIST_EACH(it, streams) {
		const struct stream *s = stream_of(it);
		double mean = expected ? (double)s->expected_within * (double)lost / (double)expected : 0;

		if (mean < EXPECTED_LEAST)
			continue;
		host_note(&senders, &s->src.addr);
		host_note(&receivers, &s->dst.addr);
		told++;
		witnessed = witnessed || reported_there(facts, s);
		alike += (double)s->lost_within * RATIO >= mean && (double)s->lost_within <= mean * RATIO;
	}
	if (told < (witnessed ? STREAMS_WITNESSED : STREAMS_LEAST) || (!witnessed && senders.count < SENDERS_LEAST) ||
	    !both_directions(&senders, &receivers))
		return 0;
	return alike * 100 >= told * ALIKE_PERCENT ? told : 0;
}
