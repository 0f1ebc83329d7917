/* SPDX-License-Identifier: MIT */
/* turn_lapsed: audio that came out of a relay, and what the relay had lent its client. */
#include "analyzer/detect/turn_lapsed.h"

#include <stdlib.h>

#include "analyzer/detect/gates.h"
#include "analyzer/detect/say.h"
#include "analyzer/network/turn.h"

enum { BEFORE_LEAST = 100 };         /* packets: 2 s of voice */

#define NEAR_NS (2 * SECOND_NS)      /* between the end of the lease and the last packet */

static const struct stream *last_stream(const struct direction *d)
{
	const struct stream *last = NULL;

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (!last || d->streams[i]->last_ns > last->last_ns)
			last = d->streams[i];
	}
	return last && last->packets >= BEFORE_LEAST ? last : NULL;
}

/* The lease that ended when this stream did, and was not given back. */
static const struct allocation *lapsed_of(const struct facts *facts, const struct stream *s)
{
	const struct turns *turns = network_turns(facts->network);
	const struct allocation *a = s->relayed ? turns_of(turns, &s->dst, s->last_ns)
		: turns_find(turns, &s->dst.addr, &s->src.addr, s->last_ns);

	if (!a || a->given_back || a->lifetime_s == 0 || llabs(ns_minus(a->until_ns, s->last_ns)) > NEAR_NS)
		return NULL;
	return a;
}

static void tell(struct detection *d, const struct event *ev, const struct stream *s, const struct allocation *a,
	int64_t end_ns)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise(d, "turn-lapsed", SEVERITY_ERROR, CONFIDENCE_LIKELY);
	char receiver[SAY_TEXT], client[SAY_TEXT], server[ENDPOINT_TEXT];

	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_CULPRIT, &a->client);
	finding_times(f, s->last_ns, end_ns);
	f->since_ns = s->last_ns;
	say_party(facts, ev->leg, side_other(ev->direction->sender), receiver);
	say_host(facts, &a->client.addr, client);
	endpoint_text(&a->server, server);
	finding_title(f, "%s hears nothing more: its relay's lease has run out", receiver);
	finding_cause(f, "The TURN server %s had lent %s a port for %u s; the lease ended without a new one%s, and the audio of the relay stopped at that second.",
		      server, client, a->lifetime_s, a->asked_at.frame ? ", which was asked for and not granted" : "");
	finding_fix(f, "Let %s refresh its allocation before %u s are over, also during calls; look at its path to %s.", client,
		    a->lifetime_s, server);
	finding_evidence(f, a->granted_at, "granted for %u s", a->lifetime_s);
	if (a->asked_at.frame)
		finding_evidence(f, a->asked_at, "a Refresh without success");
	finding_evidence(f, stream_frame(s, s->last_frame, s->last_ns), "last audio of the relay");
}

bool turn_lapsed(struct detection *d, const struct event *ev)
{
	const struct facts *facts = detection_facts(d);
	const struct stream *s = last_stream(ev->direction);
	const struct window *w = s ? direction_window_at(ev->direction, s->last_ns) : NULL;
	const struct allocation *a = w && w->state == EXPECT_DUE ? lapsed_of(facts, s) : NULL;
	int64_t end_ns = a ? window_end(w, facts->capture->last_ns) : 0;

	if (!a || (double)(end_ns - s->last_ns) < detection_key(d, "tail-s") * 1e9 ||
	    gates_may_hide(facts->gates, s->last_ns, end_ns))
		return false;
	tell(d, ev, s, a, end_ns);
	return true;
}
