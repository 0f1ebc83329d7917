/* SPDX-License-Identifier: MIT */
/* arrival: what came of a direction within a window, and what ICMP and RTCP say became of it. */
#include "analyzer/detect/hearing_parts.h"

#include "analyzer/detect/gates.h"
#include "analyzer/detect/half_known.h"
#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/reported.h"
#include "analyzer/media/socket_use.h"
#include "analyzer/network/two_points.h"

/* ---- what came ---- */

static bool type_known(const struct window *w, uint8_t pt)
{
	bool receivers;

	return pt == 13 || window_format(w, pt, &receivers);
}

/* Its packets that lie within a time, as if they had come evenly. */
static double run_share(const struct type_run *run, int64_t from_ns, int64_t to_ns)
{
	int64_t first_ns = run->first_ns > from_ns ? run->first_ns : from_ns,
		last_ns = run->last_ns < to_ns ? run->last_ns : to_ns;

	if (last_ns < first_ns)
		return 0;
	return run->last_ns > run->first_ns
		? run->packets * ((double)(last_ns - first_ns) / (double)(run->last_ns - run->first_ns)) : run->packets;
}

/* Packets of types that neither side has named, and that came up while the capture was there. */
static bool run_foreign(const struct gates *g, const struct window *w, const struct type_run *run)
{
	return !type_known(w, run->pt) && !gates_capture_still(g, run->first_ns, run->first_ns);
}

static bool pt_known(const struct gates *g, const struct window *w, const struct stream *s, int64_t from_ns,
	int64_t to_ns)
{
	double known = 0, all = 0;

	if (!w->receiver || !w->receiver->format_count)
		return true;
	for (unsigned i = 0; i <= s->run_count; i++) {
		const struct type_run *run = stream_run(s, i);
		double n = run_share(run, from_ns, to_ns);

		all += n;
		known += run_foreign(g, w, run) ? 0 : n;
	}
	for (unsigned i = 0; all <= 0 && i < s->type_count; i++) {
		all += s->types[i].packets;
		known += type_known(w, s->types[i].pt) ? s->types[i].packets : 0;
	}
	return known * 5 > all;
}

/* Its copies at other points may be seen for longer than it is itself, whose file ended before. */
static int64_t last_of_copies(const struct judge *j, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	uint32_t frame;
	int64_t last_ns = stream_last_between(s, from_ns, to_ns, &frame);

	for (const struct stream *copy = s->twin_next; copy; copy = copy->twin_next) {
		int64_t offset_ns = 0, copy_ns;

		if (copy->twin_kind == TWIN_RELAY)
			break;
		(void)clock_between(two_points_clocks(j->facts->points), s->capture, copy->capture, &offset_ns);
		copy_ns = stream_last_between(copy, ns_add(from_ns, offset_ns), ns_add(to_ns, offset_ns), &frame);
		if (copy_ns == NS_NONE || (last_ns != NS_NONE && ns_add(copy_ns, -offset_ns) <= last_ns))
			continue;
		last_ns = ns_add(copy_ns, -offset_ns);
	}
	return last_ns;
}

static void count_right(const struct judge *j, struct counted *c, const struct stream *s, double n, int64_t from_ns,
	int64_t to_ns)
{
	uint32_t frame = 0;
	int64_t first_ns = stream_first_between(s, from_ns, to_ns, &frame),
		last_ns = last_of_copies(j, s, from_ns, to_ns);

	c->right += n;
	c->dtx |= s->dtx_seen;
	if (first_ns != NS_NONE && (c->first_ns == NS_NONE || first_ns < c->first_ns)) {
		c->first_ns = first_ns;
		c->first_frame = frame;
	}
	if (last_ns != NS_NONE && (c->last_ns == NS_NONE || last_ns > c->last_ns))
		c->last_ns = last_ns;
	if (n > c->main_packets) {
		c->main = s;
		c->main_packets = n;
	}
}

static void count_wrong(struct counted *c, const struct stream *s, double n, int64_t from_ns, int64_t to_ns)
{
	uint32_t frame;
	int64_t first_ns = stream_first_between(s, from_ns, to_ns, &frame),
		last_ns = stream_last_between(s, from_ns, to_ns, &frame);

	c->wrong += n;
	if (n > c->wrong_packets) {
		c->wrong_main = s;
		c->wrong_packets = n;
		c->wrong_first_ns = first_ns;
		c->wrong_last_ns = last_ns;
	}
}

static void count_foreign(struct counted *c, const struct stream *s, double n)
{
	c->foreign_pt += n;
	if (n > c->foreign_packets) {
		c->foreign_main = s;
		c->foreign_packets = n;
	}
}

/* What the last relay on the way makes of it: where that goes decides. Itself, if none passes it on. */
static const struct stream *behind_relays(const struct judge *j, const struct stream *s)
{
	const struct stream *last = s;

	for (const struct stream *copy = s->twin_next; copy; copy = copy->twin_next) {
		if (copy->twin_kind == TWIN_RELAY && copy->direction == s->direction &&
		    network_same(j->facts->network, &copy->src.addr, &last->dst.addr))
			last = copy;
	}
	return last;
}

/*
 * It, or a copy of it farther on the way, goes where the receiver can be reached: files with different clocks may show
 * the farther copy first.
 */
static bool usable_somewhere(const struct judge *j, const struct window *w, const struct stream *s)
{
	const char *why;

	for (const struct stream *copy = s; copy; copy = copy->twin_next) {
		if ((copy == s || copy->direction == s->direction) && hearing_usable(j->facts, j->d, w, copy, &why))
			return true;
	}
	return false;
}

struct counted arrival_count(const struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns)
{
	struct counted c = { .first_ns = NS_NONE, .last_ns = NS_NONE, .wrong_first_ns = NS_NONE,
		.wrong_last_ns = NS_NONE };

	for (unsigned i = 0; i < j->d->stream_count; i++) {
		const struct stream *s = j->d->streams[i];
		const struct stream *passed_on = behind_relays(j, s);
		double n = stream_packets_between(s, from_ns, to_ns);

		if (n <= 0 || (s->twin_of && s->twin_of->direction == j->d))
			continue;                            /* a twin is counted where it was first seen */
		if (s->bound_by == 10)
			c.weak = true;
		else if (s->direction == j->d && s->bound_by == 8)
			count_wrong(&c, s, n, from_ns, to_ns);
		else if (!pt_known(j->facts->gates, w, s, from_ns, to_ns))
			count_foreign(&c, s, n);
		else if (usable_somewhere(j, w, passed_on))
			count_right(j, &c, s, n, from_ns, to_ns);
		else
			count_wrong(&c, passed_on, n, from_ns, to_ns);
	}
	return c;
}

bool arrival_all_foreign(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	const struct window *w = direction_window_at(d, from_ns);
	bool any = false;

	for (unsigned i = 0; w && i < d->stream_count; i++) {
		const struct stream *s = d->streams[i];

		if (stream_packets_between(s, from_ns, to_ns) <= STRAY_PACKETS)
			continue;
		if (pt_known(facts->gates, w, s, from_ns, to_ns) || half_known_switch(d, w, s->run.pt) ||
		    half_known_agreement(d->slot->dialog->leg, w->on_ns, from_ns))
			return false;
		any = true;
	}
	return any;
}

/*
 * When its last packet of a type that is known came: all later ones, to the end, are of types that neither side has
 * named. NS_NONE: not so, or they may have been agreed where the capture did not see it.
 */
int64_t arrival_foreign_since(const struct judge *j, const struct window *w, const struct stream *s, int64_t from_ns,
	int64_t to_ns)
{
	const struct gates *g = j->facts->gates;
	int64_t known_ns = NS_NONE, foreign_ns = NS_NONE;
	double n = 0;

	if (!w->receiver || !w->receiver->format_count || !s->run_count)
		return NS_NONE;
	for (unsigned i = 0; i <= s->run_count; i++) {
		const struct type_run *run = stream_run(s, i);

		if (run->last_ns < from_ns || run->first_ns > to_ns)
			continue;
		if (run_foreign(g, w, run)) {
			foreign_ns = n > 0 ? foreign_ns : run->first_ns;
			n += run_share(run, from_ns, to_ns);
		} else {
			known_ns = run->last_ns < to_ns ? run->last_ns : to_ns;
			n = 0;
		}
	}
	if (n < ALIVE_PACKETS || known_ns == NS_NONE ||
	    half_known_agreement(j->d->slot->dialog->leg, w->on_ns, foreign_ns) || half_known_switch(j->d, w, s->run.pt))
		return NS_NONE;
	return known_ns;
}

/* ---- ICMP and RTCP ---- */

static bool quotes_stream(const struct direction *d, const struct icmp_record *r)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (endpoint_equal(&d->streams[i]->src, &r->src) && endpoint_equal(&d->streams[i]->dst, &r->dst))
			return true;
	}
	return false;
}

bool arrival_refused(const struct facts *facts, const struct direction *d, int64_t from_ns, int64_t to_ns)
{
	const struct icmp_record *about[ICMP_ABOUT_MAX];
	unsigned n = icmp_about(facts, d, about), refusals = 0;

	for (unsigned i = 0; i < n; i++)
		refusals += about[i]->at.at_ns >= from_ns && about[i]->at.at_ns <= to_ns && quotes_stream(d, about[i]);
	return refusals >= ICMP_PROOF;
}

void arrival_icmp(struct judge *j, const struct window *w, int64_t from_ns, int64_t to_ns)
{
	const struct icmp_record *about[ICMP_ABOUT_MAX];
	unsigned n = icmp_about(j->facts, j->d, about);
	struct hearing *h = j->h;

	for (unsigned i = 0; i < n; i++) {
		if (about[i]->at.at_ns < from_ns || about[i]->at.at_ns > to_ns ||
		    (!window_has_target(w, &about[i]->dst) && !quotes_stream(j->d, about[i])))
			continue;
		if (h->icmp_count++ == 0)
			h->icmp = about[i];
		h->icmp_last = about[i];
	}
}

/* The calls whose audio this socket sends with the stream id of the reports: ours is none of them. */
static bool of_other_calls(const struct judge *j, const struct endpoint *at, const struct rtcp_party *p, int64_t to_ns)
{
	const struct socket_use *socket = socket_uses_find(j->facts->sockets, at);
	struct stream_slice out = socket ? socket_leaving(socket, to_ns) : (struct stream_slice){ .count = 0 };
	bool other = false;

	for (unsigned i = 0; i < out.count; i++) {
		const struct direction *d = out.at[i]->ssrc == p->ssrc ? out.at[i]->direction : NULL;

		if (d && d->slot->dialog->leg == j->d->slot->dialog->leg)
			return false;
		other |= d != NULL;
	}
	return other;
}

/*
 * The audio goes to where this window says, and another machine reports: a PBX that has handed the call on to two
 * phones, and still tells what it got before. Beyond a NAT the receiver may have another address.
 */
bool arrival_handed_on(const struct judge *j, const struct window *w, const struct stream *s, const struct rtcp_party *p)
{
	return s && !address_equal(&p->src.addr, &s->dst.addr) && window_has_target(w, &s->dst) &&
	       address_private(&p->src.addr) == address_private(&s->dst.addr) &&
	       !network_same(j->facts->network, &p->src.addr, &s->dst.addr);
}

/* The same of who is to send: what another machine counts there, that this window does not name, is not its audio. */
static bool sends_for_other(const struct judge *j, const struct window *w, const struct rtcp_party *p)
{
	bool other = false;

	for (unsigned i = 0; i < w->source_count; i++) {
		const struct address *a = &w->sources[i].at.addr;

		if (address_equal(a, &p->src.addr) || address_private(a) != address_private(&p->src.addr) ||
		    network_same(j->facts->network, a, &p->src.addr))
			return false;
		other |= address_known(a);
	}
	return other;
}

/* Of the side a in the window w; s: what it is to report of, NULL for the sender. */
struct party_of_call {
	const struct judge *j;
	const struct side_addresses *a;
	const struct endpoint *at;
	const struct window *w;
	const struct stream *s;
	int64_t to_ns;
};

static bool fits_call(const void *about, const struct rtcp_party *p)
{
	const struct party_of_call *x = about;

	return !of_other_calls(x->j, x->at, p, x->to_ns) && !arrival_handed_on(x->j, x->w, x->s, p) &&
	       !(x->a == x->j->sender && sends_for_other(x->j, x->w, p));
}

static const struct rtcp_party *party_of(const struct judge *j, const struct side_addresses *a,
	const struct window *w, const struct stream *s, int64_t from_ns, int64_t to_ns)
{
	const struct sdp_media *media = a == j->receiver ? w->receiver : w->sender;
	struct endpoint rtcp = { .port = 0 };

	if (rtcp_parties(j->facts->rtcp)->count == 0)
		return NULL;
	if (media)
		rtcp = sdp_media_rtcp(media);
	for (unsigned i = 0; i < a->media_count; i++) {
		const struct party_of_call about = { j, a, &a->at[i], w, s, to_ns };
		const struct rtcp_party *p = rtcp_party_at(j->facts->rtcp, &a->at[i],
			address_known(&rtcp.addr) ? &rtcp : NULL, from_ns, to_ns, fits_call, &about);

		if (p)
			return p;
	}
	return NULL;
}

/* A NAT gives RTCP any port: who reports of this very stream from the receiver's address is the receiver. */
static const struct rtcp_party *reporter_of(const struct judge *j, const struct window *w, const struct stream *s)
{
	const struct rtcp_view *v = s ? rtcp_view_of(j->facts->rtcp, s) : NULL;

	for (unsigned i = 0; v && v->by && i < j->receiver->media_count; i++) {
		if (address_equal(&j->receiver->at[i].addr, &v->by->src.addr))
			return arrival_handed_on(j, w, s, v->by) ? NULL : v->by;
	}
	return NULL;
}

/* A NAT gives RTCP any port: the receiver's bears the id of the stream that it sends itself. */
static const struct rtcp_party *source_of(const struct judge *j, const struct window *w, const struct stream *heard,
	int64_t from_ns, int64_t to_ns)
{
	const struct stream *s = hearing_own_stream(j->facts, direction_reverse(j->d));
	const struct rtcp_party *p = s ? rtcp_party_of_source(j->facts->rtcp, &s->src.addr, s->ssrc, from_ns, to_ns) : NULL;

	return p && !arrival_handed_on(j, w, heard, p) ? p : NULL;
}

/* It stands still for no longer than two clocks of one file are apart: one report, and its copy. */
static bool stands_by_clocks(const struct judge *j, const struct stream *s, const struct rtcp_report *last)
{
	int64_t apart_ns = gates_copies_apart_ns(j->facts->gates), since_ns = last->at_ns;
	const struct rtcp_view *v = apart_ns ? rtcp_view_of(j->facts->rtcp, s) : NULL;

	for (unsigned i = v ? v->report_count : 0; i-- > 0;) {
		if (v->reports[i].at_ns > last->at_ns)
			continue;
		if (v->reports[i].ext_seq != last->ext_seq)
			break;
		since_ns = v->reports[i].at_ns;
	}
	return v && ns_minus(last->at_ns, since_ns) <= ns_add(apart_ns, SECOND_NS);
}

void arrival_rtcp(struct judge *j, const struct window *w, const struct counted *c, int64_t from_ns, int64_t to_ns)
{
	const struct stream *main = c->main ? c->main : c->wrong_main;
	struct hearing *h = j->h;

	h->receiver_rtcp = party_of(j, j->receiver, w, main, from_ns, to_ns);
	if (!h->receiver_rtcp)
		h->receiver_rtcp = reporter_of(j, w, main);
	if (!h->receiver_rtcp)
		h->receiver_rtcp = source_of(j, w, main, from_ns, to_ns);
	h->sender_rtcp = party_of(j, j->sender, w, NULL, from_ns, to_ns);
	h->sending = h->sender_rtcp ? rtcp_sending(h->sender_rtcp, from_ns, to_ns) : RTCP_SENDING_NONE;
	h->report = main ? reported(j->facts, main, h->receiver_rtcp, from_ns, to_ns,
		&h->report_last) : RTCP_VERDICT_NONE;
	if (h->report == RTCP_VERDICT_FROZEN && stands_by_clocks(j, main, h->report_last))
		h->report = RTCP_VERDICT_NONE;
	h->receiver_reports_unseen = h->receiver_rtcp && gates_reports_unseen(j->facts->gates, h->receiver_rtcp);
}
