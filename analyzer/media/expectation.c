/* SPDX-License-Identifier: MIT */
/*
 * expectation: windows of time in which audio is due, from offers and answers. RFC 3264 5-8, RFC 3261 13-14, RFC 6337.
 */
#include "analyzer/media/expectation.h"

#include <assert.h>
#include <string.h>

#include "analyzer/media/session.h"

#define TIMER_B_NS (32 * SECOND_NS)          /* RFC 3261 17.1.1.2: 64 T1 */
#define REPEATED_NS (2 * SECOND_NS)          /* twice by then */

/* ---- building the list ---- */

static bool is_dtls(const struct sdp_media *m)
{
	return m->rare->fingerprint.n != 0;
}

struct builder {
	const struct expectation_config *config;
	struct dialog *dialog;
	unsigned mline;
	enum side sender;
	unsigned count, pool_count;
	bool answered;
	bool fax;                    /* the call has changed to T.38, beside which the audio stays agreed */
	bool fax_offered;            /* a line for T.38 was there from the beginning: some devices always have one */
	/* large, and not cleared: only what is counted counts */
	struct window windows[WINDOW_MAX];
	struct target pool[(WINDOW_MAX + 1) * 2 * TARGET_MAX];       /* what their targets and sources point into */
};

static struct window *last_window(struct builder *b)
{
	return b->count ? &b->windows[b->count - 1] : NULL;
}

static struct window *push_window(struct builder *b, enum expect_state state, int64_t on_ns)
{
	struct window *before = last_window(b);

	if (before && on_ns < before->on_ns)
		on_ns = before->on_ns;
	if (before)
		before->off_ns = on_ns;
	b->windows[b->count] = (struct window){ .state = state, .on_ns = on_ns, .due_ns = on_ns, .off_ns = NS_NONE };
	return &b->windows[b->count++];
}

/*
 * Begins a window at on_ns and closes the one before. NULL when the dialog changes more often than is kept: what is
 * agreed from there on is not known, so that its absence means nothing. The end has always room.
 */
static struct window *open_window(struct builder *b, enum expect_state state, int64_t on_ns)
{
	if (state == EXPECT_ENDED || b->count < WINDOW_MAX - 2)
		return push_window(b, state, on_ns);
	if (b->count == WINDOW_MAX - 2)
		push_window(b, EXPECT_NONE, on_ns);
	return NULL;
}

static bool lists_equal(const struct target *a, const struct target *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (a[i].message != b[i].message || !endpoint_equal(&a[i].at, &b[i].at))
			return false;
	}
	return true;
}

/* The side's addresses, at the end of the pool: or where an equal list stands already. */
static const struct target *list_make(struct builder *b, const struct session *s, enum side side, bool arrived,
	uint8_t *ret_count)
{
	struct target *list = &b->pool[b->pool_count];
	unsigned count = session_targets(s, side, b->mline, arrived, list);

	*ret_count = (uint8_t)count;
	for (unsigned i = 0; i + count <= b->pool_count; i++) {
		if (lists_equal(&b->pool[i], list, count))
			return &b->pool[i];
	}
	b->pool_count += count;
	return list;
}

static void describe(struct builder *b, struct window *w, const struct session *s)
{
	enum side receiver = side_other(b->sender);

	w->exchange = s->exchange;
	w->receiver = session_arrived(s, receiver, b->mline);
	w->sender = session_own(s, b->sender, b->mline);
	w->targets = list_make(b, s, receiver, true, &w->target_count);
	w->sources = list_make(b, s, b->sender, false, &w->source_count);
	w->answer_is_receiver = s->exchange->offerer == b->sender;
	if (!w->receiver || !w->sender)
		return;
	w->ice = w->receiver->rare->ice_ufrag.n && w->sender->rare->ice_ufrag.n;
	w->dtls = is_dtls(w->receiver) && is_dtls(w->sender);
	w->secure = w->receiver->secure;
	w->dtx_allowed = session_may_pause(w->sender, w->receiver);
}

static bool same_targets(const struct window *a, const struct window *b)
{
	if (a->target_count != b->target_count)
		return false;
	for (unsigned i = 0; i < a->target_count; i++) {
		if (!window_has_target(a, &b->targets[i].at))
			return false;
	}
	return true;
}

static bool same_sources(const struct window *a, const struct window *b)
{
	if (a->source_count != b->source_count)
		return false;
	for (unsigned i = 0; i < a->source_count; i++) {
		if (!window_has_source(a, &b->sources[i].at))
			return false;
	}
	return true;
}

static bool same_formats(const struct window *a, const struct window *b)
{
	if (!a->receiver || !b->receiver || a->receiver->format_count != b->receiver->format_count ||
	    a->secure != b->secure)
		return false;
	for (unsigned i = 0; i < a->receiver->format_count; i++) {
		if (a->receiver->formats[i].pt != b->receiver->formats[i].pt)
			return false;
	}
	return true;
}

static enum expect_state next_state(bool sends, bool returns, enum expect_state before, bool answered)
{
	bool was_open = before == EXPECT_DUE || before == EXPECT_OPTIONAL || before == EXPECT_PAUSED;

	if (!sends)
		return answered && was_open ? EXPECT_PAUSED : EXPECT_NONE;
	/*
	 * the direction that a hold leaves open; a session that is one-way from its beginning is due (paging,
	 * announcement)
	 */
	if (!returns && answered && was_open)
		return EXPECT_OPTIONAL;
	return EXPECT_DUE;
}

static bool names_fax(const struct session *s, enum side side)
{
	const struct sdp_copies *c = s->said[side];
	const struct sdp *sdp = c && c->count ? c->seen[0]->sdp : NULL;

	for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
		if (sdp->media[i].kind == SDP_IMAGE && sdp->media[i].port)
			return true;
	}
	return false;
}

/*
 * Fax (N5): while it goes on nothing is spoken, also where the audio line is not closed. A line for it that is there
 * from the beginning is an offer only.
 */
static bool changes_to_fax(struct builder *b, const struct session *s)
{
	bool line = names_fax(s, SIDE_CALLER) && names_fax(s, SIDE_CALLEE);

	b->fax_offered |= line && !b->answered && s->exchange->kind == EXCHANGE_INITIAL;
	return line && !b->fax_offered;
}

/* The capture cut what a change says: another line behind it may hold the audio, or take its place. */
static bool change_is_cut(const struct session *s)
{
	for (unsigned side = 0; s->exchange->kind != EXCHANGE_INITIAL && side < 2; side++) {
		if (s->said[side] && s->said[side]->count && s->said[side]->seen[0]->cut)
			return true;
	}
	return false;
}

/*
 * The description with which a controller keeps one party until the other has answered (RFC 3725 4.2, 4.3): it names no
 * place at all, and is replaced later on.
 */
static bool keeps_waiting(const struct builder *b, const struct session *s)
{
	const struct sdp_media *own = session_own(s, b->sender, b->mline);

	if (s->exchange->kind != EXCHANGE_INITIAL || !own || !address_unspecified(&own->at.addr) || own->rare->ice_ufrag.n)
		return false;
	for (const struct list_link *it = s->exchange->in_dialog.next; it != &b->dialog->exchanges.head; it = it->next) {
		if (LIST_ENTRY(it, struct exchange, in_dialog)->state == EXCHANGE_STABLE)
			return true;
	}
	return false;
}

/* A session takes effect. */
static void add_session(struct builder *b, const struct session *s, int64_t on_ns)
{
	bool sends = session_sends(s, b->sender, b->mline), returns = session_sends(s, side_other(b->sender), b->mline);
	struct window next = { .state = EXPECT_NONE }, *before = last_window(b), *w;
	enum expect_state was = before ? before->state : EXPECT_NONE;
	unsigned pooled = b->pool_count;
	bool quick, was_fax = b->fax;

	next.state = next_state(sends, returns, was, b->answered);
	b->fax = changes_to_fax(b, s);
	if ((b->fax || change_is_cut(s)) && next.state == EXPECT_DUE)
		next.state = EXPECT_OPTIONAL;
	if (sends && !returns && !b->answered && keeps_waiting(b, s))
		next.state = EXPECT_NONE;
	describe(b, &next, s);
	if (before && b->answered && before->state == next.state && same_targets(before, &next) &&
	    same_sources(before, &next) &&
	    same_formats(before, &next)) {
		before->exchange = s->exchange;      /* nothing that audio would notice */
		b->pool_count = pooled;
		return;
	}
	w = open_window(b, next.state, on_ns);
	if (!w) {
		b->pool_count = pooled;
		return;
	}
	next.on_ns = w->on_ns;
	next.off_ns = NS_NONE;
	/* the answer to the call itself was missed */
	next.first = !b->answered && (s->exchange->kind != EXCHANGE_REINVITE || b->dialog->partial);
	next.resumed = b->answered && !was_fax && !b->fax && sends && returns &&
		(was == EXPECT_PAUSED || was == EXPECT_OPTIONAL);
	next.moved = b->answered && was == EXPECT_DUE && next.state == EXPECT_DUE && !same_targets(before, &next);
	next.one_way_session = sends && !returns;
	/* only formats changed: no new grace; another source is another machine, which has to begin first */
	quick = was == EXPECT_DUE && !next.moved && b->answered && before && same_sources(before, &next);
	next.due_ns = quick ? on_ns : ns_add(on_ns,
		next.ice || next.dtls ? b->config->ice_grace_ns : b->config->start_grace_ns);
	next.likely_at_most = !b->dialog->ack_seen || s->exchange->answer_assumed;
	*w = next;
	b->answered = true;
}

/* Before the answer: permitted, not required. 1.2. */
static void add_early(struct builder *b, const struct exchange *x)
{
	const struct session s = session_of(x, true);
	bool answers = x->offerer != b->sender;
	int64_t from_ns = NS_NONE;
	struct window *w;

	if (answers && x->offered_ns != NS_NONE)
		from_ns = x->offered_ns;
	else if (x->preview_ns != NS_NONE)
		from_ns = x->preview_ns;
	if (from_ns == NS_NONE || (b->dialog->confirmed_ns != NS_NONE && from_ns >= b->dialog->confirmed_ns))
		return;
	w = open_window(b, EXPECT_EARLY, from_ns);
	if (w) {
		describe(b, w, &s);
		w->receiver = w->receiver ? w->receiver : session_arrived(&s, side_other(b->sender), b->mline);
	}
}

/*
 * When a stable exchange takes effect for this sender: as soon as it could know (t(200) for the answerer, its arrival
 * for the offerer).
 */
static int64_t session_starts(const struct builder *b, const struct exchange *x)
{
	int64_t at_ns = x->offerer == b->sender ? exchange_agreed_ns(x) : x->stable_ns;

	return at_ns == NS_NONE ? x->offered_ns : at_ns;
}

static bool is_over(const struct builder *b, int64_t at_ns)
{
	return b->dialog->ended_ns != NS_NONE && at_ns >= b->dialog->ended_ns;
}

static void add_exchange(struct builder *b, const struct exchange *x, bool *early)
{
	const struct session s = session_of(x, false);
	int64_t at_ns = session_starts(b, x);
	bool confirmed = b->dialog->confirmed_ns != NS_NONE || b->dialog->partial;

	if (!*early && x->kind == EXCHANGE_INITIAL) {
		add_early(b, x);
		*early = true;
	}
	/* what a reliable 1xx, an UPDATE or a PRACK agrees before the answer is due from the 200 on */
	if (x->state != EXCHANGE_STABLE || !confirmed || b->dialog->losing_fork || b->dialog->extra_confirmed ||
	    is_over(b, at_ns))
		return;
	if (b->dialog->confirmed_ns != NS_NONE && at_ns < b->dialog->confirmed_ns)
		at_ns = b->dialog->confirmed_ns;
	add_session(b, &s, at_ns);
}

/* By UDP what has no answer is sent again after 0.5 s (RFC 3261 17.1): this was not, and its dialog went on. */
static bool not_repeated(const struct builder *b, const struct transaction *t)
{
	return t->request && t->request->transport == TRANSPORT_UDP && t->request_copies <= 1 && !t->provisional &&
	       b->dialog->leg->last_ns >= ns_add(t->first_ns, REPEATED_NS);
}

/*
 * Was it answered, although no answer is in the capture? Its ACK says so, that nobody repeats it, and the next offer of
 * the same side, which may only follow an end (RFC 3261 14.1), unless it waited for the first one's timer.
 */
static bool answer_missed(const struct builder *b, const struct exchange *x)
{
	if (x->transaction->ack || not_repeated(b, x->transaction))
		return true;
	for (const struct list_link *it = x->in_dialog.next; it != &b->dialog->exchanges.head; it = it->next) {
		const struct exchange *later = LIST_ENTRY(it, struct exchange, in_dialog);

		if (later->offerer == x->offerer)
			return ns_minus(later->offered_ns, x->offered_ns) < TIMER_B_NS;
	}
	return false;
}

/* Says the offer more than what is agreed already: another address, another kind of media, other formats? */
static bool offers_other(const struct window *agreed, const struct builder *b, const struct exchange *x,
	const struct sdp_media *m)
{
	const struct sdp_media *old = x->offerer == b->sender ? agreed->sender : agreed->receiver;

	if (!m || !old || m->kind != old->kind || !endpoint_equal(&m->at, &old->at) ||
	    m->format_count != old->format_count)
		return true;
	for (unsigned i = 0; i < m->format_count; i++) {
		if (m->formats[i].pt != old->formats[i].pt)
			return true;
	}
	return false;
}

/*
 * An offer whose answer was missed. To hold, or to fax: audio may rest from there on until the next agreement. Of
 * something new: what is agreed since then is not known.
 */
static void add_unanswered(struct builder *b, const struct exchange *x)
{
	const struct session s = session_of(x, false);
	const struct sdp_media *offered = session_own(&s, x->offerer, b->mline);
	const struct window *before = last_window(b);

	if (x->state != EXCHANGE_OFFERED || x->kind == EXCHANGE_INITIAL || !b->answered || !x->transaction ||
	    x->transaction->final || !before || before->state != EXPECT_DUE || x->offered_ns < before->on_ns ||
	    is_over(b, x->offered_ns) || !answer_missed(b, x))
		return;
	if (session_offers_hold(offered) || (names_fax(&s, x->offerer) && !b->fax_offered))
		open_window(b, EXPECT_PAUSED, x->offered_ns);
	else if (offers_other(before, b, x, offered))
		open_window(b, EXPECT_NONE, x->offered_ns);
}

/* A transfer has come to nothing: the session goes on as it was agreed before. */
static void add_back(struct builder *b, struct window agreed, int64_t at_ns)
{
	struct window *w = is_over(b, at_ns) ? NULL : open_window(b, agreed.state, at_ns);

	if (!w)
		return;
	agreed.on_ns = w->on_ns;
	agreed.due_ns = ns_add(w->on_ns, b->config->start_grace_ns);
	agreed.off_ns = NS_NONE;
	agreed.first = agreed.resumed = agreed.moved = false;
	*w = agreed;
}

/*
 * A transfer has been accepted: this leg is being replaced, silence on it says nothing until its BYE (N14), or until
 * the transfer is reported to have failed.
 */
static void add_transfer(struct builder *b)
{
	const struct leg *leg = b->dialog->leg;
	const struct window *before = last_window(b);
	struct window agreed;

	if (!leg->transferred || leg->refer_ns == NS_NONE || !before || before->state == EXPECT_ENDED ||
	    is_over(b, leg->refer_ns) || leg->refer_ns <= before->on_ns)
		return;
	agreed = *before;
	open_window(b, EXPECT_PAUSED, leg->refer_ns);
	if (leg->refer_failed_ms && agreed.state == EXPECT_DUE)
		add_back(b, agreed, ns_add(leg->refer_ns, leg->refer_failed_ms * MILLISECOND_NS));
}

static void store(struct builder *b, struct direction *d)
{
	struct arena *arena = b->dialog->leg->arena;

	if (b->count > d->window_room) {             /* most are reckoned once; the others grow */
		d->window_room = d->window_room ? b->count * 2 : b->count;
		d->windows = arena_zalloc(arena, d->window_room * sizeof *d->windows);
	}
	if (b->pool_count > d->target_room) {
		d->target_room = d->target_room ? b->pool_count * 2 : b->pool_count;
		d->targets = arena_zalloc(arena, d->target_room * sizeof *d->targets);
	}
	if (b->pool_count)
		memcpy(d->targets, b->pool, b->pool_count * sizeof *d->targets);
	for (unsigned i = 0; i < b->count; i++) {
		struct window *w = &d->windows[i];

		*w = b->windows[i];
		w->targets = w->target_count ? d->targets + (w->targets - b->pool) : NULL;
		w->sources = w->source_count ? d->targets + (w->sources - b->pool) : NULL;
	}
	d->window_count = b->count;
}

static void builder_init(struct builder *b, const struct expectation_config *config, struct dialog *dialog,
	const struct direction *d)
{
	b->config = config;
	b->dialog = dialog;
	b->mline = d->slot->mline;
	b->sender = d->sender;
	b->count = b->pool_count = 0;
	b->answered = b->fax = b->fax_offered = false;
}

static void reckon_direction(const struct expectation_config *config, struct dialog *dialog, struct direction *d)
{
	struct builder b;
	bool early = false;

	builder_init(&b, config, dialog, d);
	LIST_EACH(it, &dialog->exchanges) {
		add_exchange(&b, LIST_ENTRY(it, struct exchange, in_dialog), &early);
		add_unanswered(&b, LIST_ENTRY(it, struct exchange, in_dialog));
	}
	add_transfer(&b);
	if (dialog->ended_ns != NS_NONE && b.count)
		open_window(&b, EXPECT_ENDED, dialog->ended_ns);
	store(&b, d);
}

static unsigned mline_count(const struct dialog *d)
{
	unsigned most = 0;

	LIST_EACH(it, &d->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		for (unsigned i = 0; i < x->offer.count; i++) {
			if (x->offer.seen[i]->sdp && x->offer.seen[i]->sdp->media_count > most)
				most = x->offer.seen[i]->sdp->media_count;
		}
	}
	return most;
}

/* Streams point at the directions: they follow into the new array. */
static void repoint(struct direction *d)
{
	for (unsigned i = 0; i < d->stream_count; i++)
		((struct stream *)(uintptr_t)d->streams[i])->direction = d;
}

static void grow_slots(struct dialog *d, unsigned count)
{
	struct mslot *slots;

	if (count <= d->mslot_count)
		return;
	slots = arena_zalloc(d->leg->arena, count * sizeof *slots);
	if (d->mslot_count)
		memcpy(slots, d->mslots, d->mslot_count * sizeof *slots);
	for (unsigned i = 0; i < count; i++) {
		slots[i].dialog = d;
		slots[i].mline = i;
		for (unsigned side = 0; side < 2; side++) {
			slots[i].direction[side].slot = &slots[i];
			slots[i].direction[side].sender = (enum side)side;
			repoint(&slots[i].direction[side]);
		}
	}
	d->mslots = slots;
	d->mslot_count = count;
}

static void reckon_slot(const struct expectation_config *config, struct dialog *dialog, struct mslot *slot)
{
	slot->accepted = false;
	slot->kind = SDP_KIND_OTHER;
	LIST_EACH(it, &dialog->exchanges) {
		const struct session s = session_of(LIST_ENTRY(it, struct exchange, in_dialog), false);
		const struct sdp_media *a = session_own(&s, SIDE_CALLER, slot->mline),
			*b = session_own(&s, SIDE_CALLEE, slot->mline);

		if (slot->kind == SDP_KIND_OTHER && (a || b))
			slot->kind = (a ? a : b)->kind;
		if (session_usable(a) && session_usable(b)) {
			slot->accepted = true;
			slot->kind = SDP_AUDIO;
		}
	}
	for (unsigned side = 0; side < 2; side++)
		reckon_direction(config, dialog, &slot->direction[side]);
}

void expectation_update(const struct expectation_config *config, struct dialog *d)
{
	grow_slots(d, mline_count(d));
	for (unsigned i = 0; i < d->mslot_count; i++)
		reckon_slot(config, d, &d->mslots[i]);
	d->changed = false;
}

/* ---- asking ---- */

const struct window *direction_window_at(const struct direction *d, int64_t at_ns)
{
	for (unsigned i = d->window_count; i-- > 0;) {
		const struct window *w = &d->windows[i];

		if (at_ns >= w->on_ns && (w->off_ns == NS_NONE || at_ns < w->off_ns))
			return w;
	}
	return NULL;
}

const struct window *direction_first_due(const struct direction *d)
{
	for (unsigned i = 0; i < d->window_count; i++) {
		if (d->windows[i].state == EXPECT_DUE)
			return &d->windows[i];
	}
	return NULL;
}

static bool list_has(const struct target *list, unsigned count, const struct endpoint *at)
{
	for (unsigned i = 0; i < count; i++) {
		if (endpoint_equal(&list[i].at, at))
			return true;
	}
	return false;
}

bool window_has_target(const struct window *w, const struct endpoint *at)
{
	return list_has(w->targets, w->target_count, at);
}

bool window_has_source(const struct window *w, const struct endpoint *at)
{
	return list_has(w->sources, w->source_count, at);
}

const struct sdp_format *window_format(const struct window *w, uint8_t pt, bool *ret_receivers)
{
	const struct sdp_format *f = w->receiver ? sdp_format_find(w->receiver, pt) : NULL;

	*ret_receivers = f != NULL;
	return f || !w->sender ? f : sdp_format_find(w->sender, pt);
}

double direction_packets_between(const struct direction *d, unsigned weakest, int64_t from_ns, int64_t to_ns)
{
	double n = 0;

	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i]->bound_by <= weakest)
			n += stream_packets_between(d->streams[i], from_ns, to_ns);
	}
	return n;
}
