/* SPDX-License-Identifier: MIT */
/* transfer: REFER, what its NOTIFYs report (RFC 3515), and the leg that it caused (RFC 3891, 3892). */
#include "analyzer/calls/internal.h"

enum { LEG_TRANSFERS_MAX = 64, TRANSFERS_WALKED = 64, URI_MAX_BYTES = 1024, LINE_MAX_BYTES = 120 };

#define TARGET_WITHIN_NS (32 * SECOND_NS) /* from REFER to the INVITE that it asks for */

/* %3B and the like in the header part of a URI (RFC 3261 19.1.4). */
static struct span unescaped(struct arena *arena, struct span s)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t out[URI_MAX_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < sizeof out; i++, n++) {
		const char *high = i + 2 < s.n && s.p[i] == '%' ? memchr(digits, s.p[i + 1] | 0x20, 16) : NULL;
		const char *low = high ? memchr(digits, s.p[i + 2] | 0x20, 16) : NULL;

		out[n] = low ? (uint8_t)((high - digits) << 4 | (low - digits)) : s.p[i];
		i += low ? 2 : 0;
	}
	return arena_dup(arena, (struct span){ out, n });
}

/* The Call-ID in "Refer-To: <sip:b@host?Replaces=call-id%3Bto-tag%3D...>". */
static struct span replaced_in(struct arena *arena, struct span uri)
{
	size_t at = span_find_text_nocase(uri, SPAN("Replaces="));
	struct span rest, value;

	if (at >= uri.n)
		return SPAN_NONE;
	rest = span_from(uri, at + 9);
	rest = unescaped(arena, span_first(span_first(rest, span_find(rest, '&')), span_find(rest, '>')));
	return span_split(&rest, ';', &value) ? span_trim(value) : SPAN_NONE;
}

/* ---- REFER ---- */

/* The same question again, after a challenge. */
static struct transfer_record *asked_again(const struct arrival *a, struct span refer_to)
{
	struct transfer_record *t;

	if (!a->leg->rare->transfers.count)
		return NULL;
	t = LIST_ENTRY(a->leg->rare->transfers.head.prev, struct transfer_record, in_leg);
	if ((t->transfer.status != 401 && t->transfer.status != 407) || t->transfer.refer->by != a->author ||
		!span_equal(t->transfer.refer_to, refer_to))
		return NULL;
	return t;
}

static struct transfer_record *transfer_of(const struct arrival *a)
{
	LIST_EACH(it, &a->leg->rare->transfers) {
		struct transfer_record *t = LIST_ENTRY(it, struct transfer_record, in_leg);

		if (t->transfer.refer == &a->transaction->transaction)
			return t;
	}
	return NULL;
}

static void tell(struct arrival *a, struct transfer_record *t)
{
	calls_emit(a->c,
		(struct calls_event){ .kind = CALLS_TRANSFER,
			.leg = t->transfer.leg,
			.transfer = &t->transfer,
			.message = a->message,
			.transaction = (struct transaction *)t->transfer.refer });
}

/* Nobody wants to be told (RFC 4488). */
static bool wants_quiet(const struct sip_message *sip)
{
	for (const struct sip_header *h = sip_header_find(sip, SIP_H_OTHER); h; h = sip_header_next(sip, h)) {
		if (span_equal_nocase(h->name_text, SPAN("Refer-Sub")) &&
		    span_starts_nocase(span_trim(h->value), SPAN("false")))
			return true;
	}
	return sip->request && sip_header_lists(sip, SIP_H_REQUIRE, SPAN("norefersub"));
}

/* The call that the leg belongs to goes on in the one that was transferred. */
static void call_take_in(struct arrival *a, const struct transfer *t, struct leg *leg)
{
	struct leg *of = t->leg;

	for (unsigned up = 0; leg->parent && up < CALL_LEGS_MAX; up++)
		leg = leg->parent;
	if (leg->parent || leg->call == of->call || leg->call->legs.count + of->call->legs.count > CALL_LEGS_MAX)
		return;
	call_join(a->c, leg, of, JOIN_REPLACES, 100);
}

/* The call that a REFER outside of it names in Target-Dialog (RFC 4538, 5589 6), by the tag of the side that asks. */
static void own_dialog(struct arrival *a, struct transfer *t)
{
	struct span rest = sip_header_value(a->sip, SIP_H_TARGET_DIALOG), params = rest, id, tag;
	struct leg *named;

	if (a->sip->to.tag.n || !rest.n || !span_split(&rest, ';', &id))
		return;
	named = leg_by_call_id(a->c, span_trim(id));
	if (!named || named == t->leg || !sip_parameter(params, SPAN("local-tag"), &tag))
		return;
	t->leg = named;
	t->by = span_equal(tag, named->from_tag) ? SIDE_CALLER : SIDE_CALLEE;
	LEG_RECORD(named)->referred = true;
	call_take_in(a, t, &a->leg->leg);
}

static void transfer_new(struct arrival *a, struct span refer_to)
{
	struct arena *arena = a->leg->leg.arena;
	struct transfer_record *t = arena_zalloc(arena, sizeof *t);
	struct sip_address to;

	t->transfer.leg = &a->leg->leg;
	t->transfer.by = a->author;
	t->transfer.refer_to = leg_text(a->leg, refer_to);
	t->transfer.asked_ns = a->packet->at_ns;
	t->transfer.accepted_ns = t->transfer.done_ns = NS_NONE;
	t->transfer.at = frame_ref_of(a->packet);
	t->transfer.refer = &a->transaction->transaction;
	if (sip_address_parse(t->transfer.refer_to, &to)) {
		t->target_user = to.user;
		t->replaces_call_id = replaced_in(arena, t->transfer.refer_to);
	}
	t->transfer.attended = t->replaces_call_id.n != 0;
	t->transfer.quiet = wants_quiet(a->sip);
	own_dialog(a, &t->transfer);
	list_add_tail(&leg_rare(a->leg)->transfers, &t->in_leg);
	list_add_tail(&a->c->transfers, &t->transfer.in_order);
	tell(a, t);
}

/* Who is in a conference has it call somebody in, or put somebody out (RFC 4579 5.5, 5.11), and stays. */
static bool asks_focus(const struct arrival *a)
{
	CHAIN_EACH(it, &a->leg->leg.messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->focus && m->by != a->author)
			return true;
	}
	return false;
}

/* Something else than an INVITE is to be sent to there (RFC 3515 2.4.1): nobody is transferred. */
static bool asks_for_other(struct span refer_to)
{
	struct span uri = span_first(refer_to, span_find(refer_to, '?'));
	size_t at = span_find_text_nocase(uri, SPAN(";method="));

	return at < uri.n && !span_starts_nocase(span_from(uri, at + 8), SPAN("INVITE"));
}

static void refer_asked(struct arrival *a)
{
	struct span refer_to = sip_header_value(a->sip, SIP_H_REFER_TO);
	struct transfer_record *t;

	if (transfer_of(a) || a->leg->rare->transfers.count >= LEG_TRANSFERS_MAX || asks_for_other(refer_to) ||
	    (a->leg->leg.focus && asks_focus(a)))
		return;
	t = asked_again(a, refer_to);
	if (t)
		t->transfer.refer = &a->transaction->transaction;
	else
		transfer_new(a, refer_to);
}

/* Somebody took it, or nothing would be reported. */
static void accepted(struct transfer *t, int64_t at_ns)
{
	t->accepted_ns = at_ns;
	t->leg->transferred = true;
	t->leg->refer_ns = at_ns;
	t->leg->refer_failed_ms = 0;
}

/* It came to nothing, and it was the last one that was asked for: the call is what it was before. */
static void failed(struct transfer *t, int64_t at_ns)
{
	int64_t after_ms = ns_minus(at_ns, t->leg->refer_ns) / MILLISECOND_NS;

	if (t->accepted_ns == t->leg->refer_ns && after_ms >= 0 && after_ms < UINT32_MAX)
		t->leg->refer_failed_ms = (uint32_t)after_ms + 1;
}

static void refer_answered(struct arrival *a)
{
	struct transfer_record *t = transfer_of(a);
	unsigned status = a->sip->status;

	if (!t || status < 200 || t->transfer.status == status)
		return;
	t->transfer.status = (uint16_t)status;
	if (status < 300) {
		accepted(&t->transfer, a->packet->at_ns);
		t->transfer.quiet |= wants_quiet(a->sip);
		if (t->transfer.state == TRANSFER_ASKED)
			t->transfer.state = TRANSFER_ACCEPTED;
	} else if (status != 401 && status != 407) {
		t->transfer.state = TRANSFER_FAILED;
	}
	tell(a, t);
}

/* ---- NOTIFY ---- */

/* The one that its Event names by CSeq, else the last that the other side asked for. */
static struct transfer_record *transfer_notified(const struct arrival *a)
{
	struct span params = span_from(sip_header_value(a->sip, SIP_H_EVENT), 5), id;
	uint64_t cseq = 0;
	bool named = sip_parameter(params, SPAN("id"), &id) && span_number(id, UINT32_MAX, &cseq);

	for (struct list_link *it = a->leg->rare->transfers.head.prev; it != &a->leg->rare->transfers.head;
	     it = it->prev) {
		struct transfer_record *t = LIST_ENTRY(it, struct transfer_record, in_leg);

		if (t->transfer.refer->by != a->author && (!named || t->transfer.refer->cseq == cseq))
			return t;
	}
	return NULL;
}

static bool sipfrag_status(const struct sip_message *sip, unsigned *ret_status)
{
	struct span line = span_trim(sip->body);
	uint64_t status;

	if (!span_starts_nocase(line, SPAN("SIP/2.0 ")) ||
		!span_number(span_first(span_from(line, 8), 3), 699, &status) || status < 100)
		return false;
	*ret_status = (unsigned)status;
	return true;
}

/* The first line of the sipfrag. */
static struct span status_line(const struct sip_message *sip)
{
	struct span line = span_trim(sip->body);

	return span_trim(span_first(span_first(line, span_find(line, '\n')), LINE_MAX_BYTES));
}

/*
 * An attended transfer that the B2BUA does by itself: no INVITE follows, the consultation leg that Replaces names lives
 * on in the call.
 */
static void bridged_within(struct arrival *a, struct transfer_record *t)
{
	struct leg *named;

	if (t->transfer.target || !t->replaces_call_id.n)
		return;
	named = leg_by_call_id(a->c, t->replaces_call_id);
	if (!named || named == t->transfer.leg || LEG_RECORD(named)->caused_by)
		return;
	t->transfer.target = named;
	LEG_RECORD(named)->caused_by = &t->transfer;
	call_take_in(a, &t->transfer, named);
}

static void notify_note(struct arrival *a)
{
	struct transfer_record *t;
	unsigned status;

	if (!span_starts_nocase(sip_header_value(a->sip, SIP_H_EVENT), SPAN("refer")) ||
		!sipfrag_status(a->sip, &status))
		return;
	t = transfer_notified(a);
	if (t)
		t->notify_cseq = a->sip->cseq;
	if (!t || t->transfer.notified >= 200)
		return;
	t->transfer.notified = (uint16_t)status;
	t->transfer.notified_at = frame_ref_of(a->packet);
	t->transfer.notified_line = leg_text(a->leg, status_line(a->sip));
	if (t->transfer.accepted_ns == NS_NONE)
		accepted(&t->transfer, a->packet->at_ns);
	if (status >= 200) {
		t->transfer.done_ns = a->packet->at_ns;
		t->transfer.state = status < 300 ? TRANSFER_DONE : TRANSFER_FAILED;
		if (status < 300)
			bridged_within(a, t);
		else
			failed(&t->transfer, a->packet->at_ns);
	} else {
		t->transfer.state = TRANSFER_ACCEPTED;
	}
	tell(a, t);
}

/* The one who asked does not know the subscription that its REFER made. */
static void notify_answered(struct arrival *a)
{
	if (a->sip->status < 300)
		return;
	LIST_EACH(it, &a->leg->rare->transfers) {
		struct transfer_record *t = LIST_ENTRY(it, struct transfer_record, in_leg);

		if (t->notify_cseq != a->sip->cseq || t->transfer.refer->by == a->client || t->transfer.notify_status ||
		    t->transfer.notified == 0)
			continue;
		t->transfer.notify_status = (uint16_t)a->sip->status;
		t->transfer.notify_refused_at = frame_ref_of(a->packet);
	}
}

/* ---- the leg that follows ---- */

/* Had this host the REFER in hand: who asked, who was asked, a proxy between them. */
static bool saw_refer(const struct transfer *t, const struct address *host)
{
	CHAIN_EACH(it, &t->refer->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_transaction);

		if (m->request && (address_equal(host, &m->dst.addr) || address_equal(host, &m->src.addr)))
			return true;
	}
	return false;
}

static bool asks_for(const struct transfer_record *t, const struct arrival *a)
{
	const struct leg *leg = &a->leg->leg;
	int64_t since_ns = ns_minus(a->packet->at_ns, t->transfer.asked_ns);

	if (t->transfer.target || t->transfer.leg == leg || since_ns < 0 || since_ns > TARGET_WITHIN_NS)
		return false;
	if (leg->replaces_call_id.n)
		return t->replaces_call_id.n && span_equal(t->replaces_call_id, leg->replaces_call_id);
	if (t->replaces_call_id.n || !t->target_user.n)
		return false;
	return (span_equal(t->target_user, a->sip->to.user) || span_equal(t->target_user, a->sip->request_uri.user)) &&
		saw_refer(&t->transfer, &a->packet->src.addr);
}

/* Its Referred-By names the side that asked. */
static bool referred_by(const struct arrival *a, const struct transfer_record *t)
{
	struct sip_address by;

	if (!sip_address_parse(sip_header_value(a->sip, SIP_H_REFERRED_BY), &by) || !by.user.n)
		return false;
	return span_equal(by.user, t->transfer.leg->party[t->transfer.by].user);
}

static void transfer_caused(struct arrival *a, struct transfer_record *t)
{
	struct leg *leg = &a->leg->leg;

	t->transfer.target = leg;
	a->leg->caused_by = &t->transfer;
	leg->is_transfer = true;
	if (leg->replaces_call_id.n || referred_by(a, t))
		call_take_in(a, &t->transfer, leg);
	tell(a, t);
}

static void target_note(struct arrival *a)
{
	unsigned walked = 0;

	if (a->leg->caused_by || !a->transaction->transaction.initial || a->message->repeat != MESSAGE_FIRST)
		return;
	for (struct list_link *it = a->c->transfers.head.prev; it != &a->c->transfers.head && walked < TRANSFERS_WALKED;
		it = it->prev, walked++) {
		struct transfer_record *t = (struct transfer_record *)LIST_ENTRY(it, struct transfer, in_order);

		if (ns_minus(a->packet->at_ns, t->transfer.asked_ns) > 2 * TARGET_WITHIN_NS)
			return;
		if (!asks_for(t, a))
			continue;
		transfer_caused(a, t);
		return;
	}
}

void transfer_note(struct arrival *a)
{
	if (a->message->repeat == MESSAGE_RETRANSMITTED)
		return;
	if (a->sip->method == SIP_REFER && a->sip->request)
		refer_asked(a);
	else if (a->sip->method == SIP_REFER)
		refer_answered(a);
	else if (a->sip->method == SIP_NOTIFY && a->sip->request)
		notify_note(a);
	else if (a->sip->method == SIP_NOTIFY)
		notify_answered(a);
	else if (a->sip->method == SIP_INVITE && a->sip->request && a->sip->to.tag.n == 0)
		target_note(a);
}

/* What was asked outside of the call is from now on about nothing but itself. */
static void named_forget(struct calls *c, const struct leg_record *r)
{
	LIST_EACH(it, &c->transfers) {
		struct transfer *t = LIST_ENTRY(it, struct transfer, in_order);

		if (t->leg != &r->leg || t->refer->leg == t->leg)
			continue;
		t->leg = t->refer->leg;
		t->by = (enum side)t->refer->by;
	}
}

void transfers_forget(struct calls *c, struct leg_record *r)
{
	if (r->referred)
		named_forget(c, r);
	if (r->caused_by)
		r->caused_by->target = NULL;
	while (r->rare->transfers.count) {
		struct transfer_record *t = LIST_ENTRY(r->rare->transfers.head.next, struct transfer_record, in_leg);

		if (t->transfer.target)
			LEG_RECORD(t->transfer.target)->caused_by = NULL;
		list_remove(&r->rare->transfers, &t->in_leg);
		list_remove(&c->transfers, &t->transfer.in_order);
	}
}
