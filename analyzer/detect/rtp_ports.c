/* SPDX-License-Identifier: MIT */
/* rtp-port-collision: two live calls on one media address; who heard what. Finding 3.11. */
#include <stdio.h>

#include "analyzer/detect/hearing.h"
#include "analyzer/detect/say.h"
#include "analyzer/media/socket_use.h"

static const char *const reasons[] = { "allocator", "static-port", "nat-shared", "alg-moved", "latch-crossed", NULL };

static const struct detector_doc doc = {
	.says = "two live calls use one media address",
	.symptom = "\"I hear another call\", double voices, crackling, audio goes to a colleague.",
	.evidence = "One ip:port in the session descriptions of two calls that are up together, and the audio of both parties arriving there at once.",
	.mimics = "Forks and early dialogs of one call, both legs of a B2BUA, transfers, hold, ICE servers with one port, conference bridges, "
		  "a NAT's public address that is told apart by the far end, load generators.",
	.fix = "Give the host a larger RTP range that nobody else uses, or each phone and line a range of its own; update a server that gives a port twice.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "overlap-s", 1, "s", 1, 60, "field: shorter overlaps are calls that change hands" },
	{ "mix-min", 25, "packets", 5, 1000, "half a second of 20 ms packets, of each sender within 2 s" },
	{ 0 },
};

enum {
	/* calls that are up at one address and compared with a new one; one finding an address is enough */
	ACTIVE_MAX = 8,
	PAIRS_JUDGED = 64,           /* overlapping pairs at one address whose audio is looked at */
	MIX_WINDOWS = 64
};

#define MIX_WINDOW_NS (2 * SECOND_NS)
#define ENDED_NS (5 * SECOND_NS)
#define STARVED_NS (5 * SECOND_NS) /* of the time that both are due */

enum clash { CLASH_NONE, CLASH_SHARED_NAT, CLASH_ADVERTISED, CLASH_STARVED, CLASH_MIXED };

struct pair_of_calls {
	const struct socket_use *socket;
	const struct socket_hold *a, *b;     /* a was there first */
	int64_t from_ns, to_ns;
	enum clash clash;
	const struct stream *sa, *sb;        /* audio of the other side of a, of b */
	struct endpoint receiver;    /* where both arrive; the socket, or the one phone that a router gives both to */
	bool nat, crossed, all_seen;
};

/* ---- what is no collision ---- */

static bool one_phone_call(const struct socket_hold *a, const struct socket_hold *b)
{
	if (a->leg == b->leg || span_equal(a->leg->call_id, b->leg->call_id) ||
	    span_equal(a->leg->from_tag, b->leg->from_tag))
		return true;
	/* legs that were joined because their media mixes are what is looked for, where both came to the same host */
	return a->leg->call == b->leg->call && (a->owner != b->owner ||
	       (a->leg->joined_by != JOIN_MEDIA && b->leg->joined_by != JOIN_MEDIA));
}

static bool takes_over(const struct leg *leg)
{
	return leg->is_transfer || leg->is_retry || leg->transferred || leg->replaces_call_id.n;
}

static int64_t last_audio(const struct direction *d, int64_t last_ns)
{
	for (unsigned i = 0; i < d->stream_count; i++)
		last_ns = d->streams[i]->last_ns > last_ns ? d->streams[i]->last_ns : last_ns;
	return last_ns;
}

/*
 * It had audio, and for seconds before the other one began it had none, in either direction: its BYE was not captured.
 */
static bool over_before(const struct socket_hold *a, const struct socket_hold *b)
{
	const struct direction *other = direction_reverse(a->direction);

	return a->open && (a->direction->stream_count || other->stream_count) &&
	       ns_minus(b->from_ns, last_audio(other, last_audio(a->direction, INT64_MIN))) >= ENDED_NS;
}

static const char *excluded(const struct socket_hold *a, const struct socket_hold *b)
{
	if (one_phone_call(a, b))
		return "one call";
	if (takes_over(a->leg) || takes_over(b->leg))
		return "a call that takes the other over";
	if (holds_share_remote(a, b))
		return "one session in two dialogs: both addresses are equal";
	if (over_before(a, b))
		return "the first call is over, its BYE was not captured";
	if (a->ice || b->ice)
		return "ICE tells calls on one port apart";
	return NULL;
}

static bool is_focus(const struct socket_hold *h)
{
	const struct message *by = h->direction->slot->dialog->confirmed_by;

	return by && by->focus;
}

/* Both called the same number of the host: it may be a bridge, whose one socket serves all. */
static bool maybe_conference(const struct socket_hold *a, const struct socket_hold *b)
{
	if (a->owner != SIDE_CALLEE || b->owner != SIDE_CALLEE)
		return false;
	return is_focus(a) || is_focus(b) ||
	       span_equal(a->leg->party[SIDE_CALLEE].user, b->leg->party[SIDE_CALLEE].user);
}

/* ---- who sends what there ---- */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Enough of both within one stretch of 2 s. */
static bool interleaved(const struct pair_of_calls *p, const struct stream *x, const struct stream *y, double least)
{
	int64_t from = later(later(x->first_ns, y->first_ns), p->from_ns),
		to = earlier(earlier(x->last_ns, y->last_ns), p->to_ns);

	for (unsigned i = 0; i < MIX_WINDOWS && ns_add(from, SECOND_NS / 2) < to;
	    i++, from = ns_add(from, MIX_WINDOW_NS)) {
		int64_t end = ns_add(from, MIX_WINDOW_NS);

		if (stream_packets_between(x, from, end) >= least && stream_packets_between(y, from, end) >= least)
			return true;
	}
	return false;
}

/* The two arriving streams that fit the other sides of a and b best. */
static bool find_mixed(struct pair_of_calls *p, const struct socket_use *at, double least)
{
	struct stream_slice in = socket_arriving(at, p->to_ns);
	unsigned best = 0;

	for (unsigned i = 0; i < in.count; i++) {
		unsigned fit_x = in.at[i]->last_ns > p->from_ns ? hold_fits_source(p->a, in.at[i]) : 0;

		for (unsigned k = 0; k < in.count && fit_x; k++) {
			unsigned fit_y = in.at[k]->last_ns > p->from_ns ? hold_fits_source(p->b, in.at[k]) : 0;

			if (!fit_y || fit_x + fit_y <= best || endpoint_equal(&in.at[i]->src, &in.at[k]->src) ||
			    !interleaved(p, in.at[i], in.at[k], least))
				continue;
			best = fit_x + fit_y;
			p->sa = in.at[i];
			p->sb = in.at[k];
		}
	}
	return best >= 3;
}

static const struct stream *sent_to(const struct socket_use *from, const struct socket_hold *h, int64_t to_ns)
{
	struct stream_slice out = socket_leaving(from, to_ns);

	for (unsigned i = 0; i < out.count; i++) {
		if (out.at[i]->direction && out.at[i]->direction == direction_reverse(h->direction) &&
		    out.at[i]->packets >= 25)
			return out.at[i];
	}
	return NULL;
}

static bool both_served(const struct pair_of_calls *p)
{
	return sent_to(p->socket, p->a, p->to_ns) && sent_to(p->socket, p->b, p->to_ns);
}

/* The audio of one call is passed on to the other party, under its own stream id. */
static bool is_crossed(const struct pair_of_calls *p)
{
	struct stream_slice out = socket_leaving(p->socket, p->to_ns);

	for (unsigned i = 0; i < out.count; i++) {
		const struct stream *s = out.at[i];

		if ((s->ssrc == p->sa->ssrc && endpoint_equal(&s->dst, &p->sb->src)) ||
		    (s->ssrc == p->sb->ssrc && endpoint_equal(&s->dst, &p->sa->src)))
			return true;
	}
	return false;
}

/*
 * A router's public address was given for two phones. That is sound where each gets its own; not where what the far
 * ends of both calls send arrives at one phone.
 */
static bool find_one_phone(const struct facts *facts, struct pair_of_calls *p, double least)
{
	for (unsigned i = 0; i < p->a->remote_count; i++) {
		const struct socket_use *far = socket_uses_find(facts->sockets, &p->a->remote[i]);
		struct stream_slice out = far ? socket_leaving(far, p->to_ns) : (struct stream_slice){ .count = 0 };

		for (unsigned k = 0; k < out.count; k++) {
			const struct endpoint *at = &out.at[k]->dst;
			const struct socket_use *inner = endpoint_equal(at,
				&p->socket->at) ? NULL : socket_uses_find(facts->sockets, at);

			if (inner && address_private(&at->addr) && find_mixed(p, inner, least) &&
			    hold_has_remote(p->a, &p->sa->src) &&
			    hold_has_remote(p->b, &p->sb->src)) {
				p->receiver = *at;
				return true;
			}
		}
	}
	return false;
}

static bool sounds_together(const struct pair_of_calls *p, const struct direction *d)
{
	for (unsigned i = 0; i < d->stream_count && i < SOCKET_WALKED_MAX; i++) {
		if (endpoint_equal(&d->streams[i]->dst, &p->socket->at) &&
		    stream_packets_between(d->streams[i], p->from_ns,
		    p->to_ns) * MILLISECOND_NS * 40 >= (double)ns_minus(p->to_ns, p->from_ns))
			return true;
	}
	return false;
}

/* The later call gets nothing while the first one, still alive, is served. */
static bool is_starved(const struct pair_of_calls *p)
{
	const struct hearing *b = hearing_of(p->b->direction);

	return b && b->heard == HEARD_NO && b->failure == FAILURE_ABSENT && b->whole &&
	       ns_minus(p->to_ns, p->from_ns) >= STARVED_NS &&
	       sounds_together(p, p->a->direction);
}

/* A bridge has something to send to everybody: this one sends to the first caller alone. */
static bool is_left_out(const struct pair_of_calls *p)
{
	const struct hearing *b = hearing_of(direction_reverse(p->b->direction));

	return b && b->heard == HEARD_NO && b->failure == FAILURE_ABSENT && b->whole &&
	       b->sending != RTCP_SENDING_RISING && ns_minus(p->to_ns, p->from_ns) >= STARVED_NS &&
	       sent_to(p->socket, p->a, p->to_ns);
}

static void judge_pair(struct detection *d, struct pair_of_calls *p)
{
	const struct facts *facts = detection_facts(d);
	double least = detection_key(d, "mix-min");
	bool conference = maybe_conference(p->a, p->b);

	p->receiver = p->socket->at;
	switch (socket_owner_of(facts->network, &p->socket->at, p->a, p->b)) {
	case SOCKET_DIFFERENT:
		return;
	case SOCKET_NAT_OWNED:
		p->nat = true;
		p->clash = find_one_phone(facts, p, least) ? CLASH_MIXED : CLASH_SHARED_NAT;
		p->all_seen = p->clash == CLASH_MIXED;
		return;
	case SOCKET_ONE_OWNER:
		break;
	}
	if (find_mixed(p, p->socket, least)) {
		p->crossed = is_crossed(p);
		p->all_seen = both_served(p);
		p->clash = conference && !p->crossed && !is_left_out(p) ? CLASH_NONE : CLASH_MIXED;
	} else if (!conference) {
		p->clash = is_starved(p) ? CLASH_STARVED : CLASH_ADVERTISED;
	}
}

/* ---- words ---- */

static bool is_phone(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h && (h->roles & 1u << ROLE_PHONE) && !(h->roles & 1u << ROLE_PBX);
}

/* The port that its author wrote was another one: somebody moved it on its way. */
static bool was_moved(const struct socket_hold *h, const struct endpoint *at)
{
	for (unsigned i = 0; i < h->direction->window_count; i++) {
		const struct window *w = &h->direction->windows[i];
		const struct target *written = w->target_count ? &w->targets[w->target_count - 1] : NULL;

		if (written && window_has_target(w, at) && written->at.port != at->port)
			return true;
	}
	return false;
}

static const char *reason_of(const struct facts *facts, const struct pair_of_calls *p)
{
	if (was_moved(p->a, &p->socket->at) != was_moved(p->b, &p->socket->at))
		return "alg-moved";
	if (p->nat)
		return "nat-shared";
	if (p->crossed && !both_served(p))
		return "latch-crossed";
	return is_phone(facts, &p->socket->at.addr) ? "static-port" : "allocator";
}

static void say_mixed(struct finding *f, const struct facts *facts, const struct pair_of_calls *p)
{
	char at[ENDPOINT_TEXT], from_a[ENDPOINT_TEXT], from_b[ENDPOINT_TEXT], host[SAY_TEXT], receiver[ENDPOINT_TEXT];

	endpoint_text(&p->socket->at, at);
	endpoint_text(&p->receiver, receiver);
	endpoint_text(&p->sa->src, from_a);
	endpoint_text(&p->sb->src, from_b);
	say_host(facts, &p->receiver.addr, host);
	if (p->nat) {
		finding_title(f, "%s receives the audio of two calls", host);
		finding_cause(f, "Two phones gave %s as their address; the router passes what %s and %s send there to %s, so one phone gets both calls.", at,
			      from_a, from_b, receiver);
		finding_fix(f, "Give each phone behind this router an RTP range of its own and forward each range to its phone; or drop the forwarding and the "
			    "fixed public address and let the server learn where media comes from (symmetric RTP).");
		return;
	}
	finding_title(f, "%s serves two calls at once", at);
	finding_cause(f, "%s gave %s to two calls that are up together; audio of %s and %s meets there%s.", host, at,
		from_a, from_b,
		      p->crossed ? " and is passed on to the wrong party" : "");
	finding_fix(f, "Give %s a larger RTP range that no other program or host uses, each line or instance a range of its own, and update it.", host);
}

static void say_paper(struct finding *f, const struct facts *facts, const struct pair_of_calls *p)
{
	char at[ENDPOINT_TEXT], host[SAY_TEXT];

	endpoint_text(&p->socket->at, at);
	say_host(facts, &p->socket->at.addr, host);
	finding_title(f, "%s %s", at, p->clash == CLASH_STARVED ? "serves one of two calls only"
		: "is named by two calls at once");
	if (p->clash == CLASH_STARVED) {
		finding_cause(f,
			"%s gave %s to two calls; the first one's audio arrives there, the second one's does not.",
			host, at);
		finding_fix(f,
			"Give %s a larger RTP range that nobody else uses, each line or instance a range of its own.",
			host);
		return;
	}
	if (p->nat)
		finding_cause(f, "%s is a router's public address, given by two devices behind it; the far ends differ, by which a NAT can tell them apart.",
			      at);
	else
		finding_cause(f, "%s gave %s to two calls that are up together; no audio of both is seen there.", host,
			at);
	finding_fix(f, "If calls lack audio, give each phone or line behind it an RTP range of its own.");
	finding_cannot_see(f, "whether audio of both calls meets there");
}

static void add_parts(struct finding *f, const struct pair_of_calls *p)
{
	finding_part(f, PART_CULPRIT, &p->socket->at);
	finding_leg(f, p->a->leg);
	finding_leg(f, p->b->leg);
	if (p->clash == CLASH_MIXED) {
		finding_part(f, p->nat ? PART_VICTIM : PART_WITNESS, &p->receiver);
		finding_part(f, p->nat ? PART_WITNESS : PART_VICTIM, &p->sa->src);
		finding_part(f, p->nat ? PART_WITNESS : PART_VICTIM, &p->sb->src);
		finding_stream(f, p->sa->n);
		finding_stream(f, p->sb->n);
	}
	finding_evidence(f, p->a->named->at, "the first call names this address");
	finding_evidence(f, p->b->named->at, "the second call names it, too");
	if (p->clash == CLASH_MIXED) {
		finding_evidence(f, stream_frame(p->sa, p->sa->first_frame, p->sa->first_ns),
			"audio of the first call's other side arrives (%s packets)", SAY_COUNT(p->sa->packets));
		finding_evidence(f, stream_frame(p->sb, p->sb->first_frame, p->sb->first_ns),
			"audio of the second call's arrives, too (%s packets)", SAY_COUNT(p->sb->packets));
	}
	finding_times(f, p->from_ns, p->to_ns);
}

/* Sources of the phones that should have received it: they are who loses. */
static void add_deprived(struct finding *f, const struct pair_of_calls *p)
{
	const struct socket_hold *holds[2] = { p->a, p->b };

	for (unsigned i = 0; i < 2; i++) {
		const struct direction *own = direction_reverse(holds[i]->direction);

		for (unsigned k = 0; k < own->stream_count && k < 2; k++) {
			if (!endpoint_equal(&own->streams[k]->src, &p->receiver))
				finding_part(f, PART_VICTIM, &own->streams[k]->src);
		}
	}
}

static void tell(struct detection *d, const struct pair_of_calls *p, unsigned pairs)
{
	static const struct { enum severity severity; enum confidence confidence; } weight[] = {
		[CLASH_NONE] = { SEVERITY_INFO, CONFIDENCE_POSSIBLE },
			[CLASH_SHARED_NAT] = { SEVERITY_INFO, CONFIDENCE_POSSIBLE },
		[CLASH_ADVERTISED] = { SEVERITY_INFO, CONFIDENCE_LIKELY },
		[CLASH_STARVED] = { SEVERITY_WARNING, CONFIDENCE_LIKELY },
		[CLASH_MIXED] = { SEVERITY_ERROR, CONFIDENCE_LIKELY },
	};
	const struct facts *facts = detection_facts(d);
	enum confidence c = p->clash == CLASH_MIXED && p->all_seen ? CONFIDENCE_CERTAIN : weight[p->clash].confidence;
	struct finding *f = detection_raise_keyed(d, endpoint_key(&p->socket->at), reason_of(facts, p),
						  weight[p->clash].severity, c);

	add_parts(f, p);
	f->count = pairs;
	if (p->nat && strcmp(f->reason, "nat-shared") != 0)
		finding_other_reason(f, "nat-shared");
	if (p->clash == CLASH_MIXED)
		say_mixed(f, facts, p);
	else
		say_paper(f, facts, p);
	if (p->clash == CLASH_MIXED && p->nat)
		add_deprived(f, p);
}

/* ---- one address ---- */

static void compare(struct detection *d, struct pair_of_calls *p, struct pair_of_calls *best, unsigned *pairs)
{
	double least_ns = detection_key(d, "overlap-s") * 1e9;

	if (*pairs == PAIRS_JUDGED || excluded(p->a, p->b) ||
	    !holds_due_together(p->a, p->b, &p->socket->at, detection_facts(d)->capture->last_ns, &p->from_ns,
	    &p->to_ns) ||
	    (double)ns_minus(p->to_ns, p->from_ns) < least_ns)
		return;
	judge_pair(d, p);
	*pairs += p->clash != CLASH_NONE;
	if (p->clash > best->clash)
		*best = *p;
}

static void judge_socket(struct detection *d, const struct socket_use *s)
{
	const struct socket_hold *active[ACTIVE_MAX];
	struct pair_of_calls best = { .clash = CLASH_NONE };
	unsigned n = 0, pairs = 0;

	for (unsigned i = 0; i < s->hold_count; i++) {
		unsigned kept = 0;

		for (unsigned k = 0; k < n; k++) {
			struct pair_of_calls p = { .socket = s, .a = active[k], .b = s->holds[i] };

			if (active[k]->to_ns <= s->holds[i]->from_ns)
				continue;
			active[kept++] = active[k];
			compare(d, &p, &best, &pairs);
		}
		n = kept;
		if (n < ACTIVE_MAX && s->holds[i]->due)
			active[n++] = s->holds[i];
	}
	if (best.clash != CLASH_NONE)
		tell(d, &best, pairs);
}

static void on_event(struct detection *d, const struct event *ev)
{
	(void)ev;
	LIST_EACH(it, socket_uses_in_order(detection_facts(d)->sockets)) {
		const struct socket_use *s = LIST_ENTRY(it, struct socket_use, in_order);

		if (s->hold_count > 1)
			judge_socket(d, s);
	}
}

const struct detector detect_rtp_port_collision = {
	.id = "rtp-port-collision", .doc = &doc, .keys = keys, .event = on_event,
	.events = EVENT_BIT(EVENT_JUDGE_CAPTURE),
	.scope = GLOBAL, .usual = SEVERITY_ERROR, .possible_max = SEVERITY_INFO,
};
