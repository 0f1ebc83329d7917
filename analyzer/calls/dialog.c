/* SPDX-License-Identifier: MIT */
/*
 * dialog: one To-tag of a leg: early, confirmed, ended; forks and their losers (RFC 3261 12, 13.2.2.4, 1.1.2 of the
 * specification).
 */
#include "analyzer/calls/internal.h"

/* Of that leg, or (leg NULL) of any of that Call-ID: then the tag has to be there. */
struct dialog_record *dialog_find(const struct arrival *a, const struct tag_key *callee, const struct leg *leg)
{
	for (struct hash_link *it = hash_first(&a->id->tags, callee->hash); it; it = it->next) {
		struct tag *tag = HASH_ENTRY(it, struct tag, by_tag);

		if (it->hash == callee->hash && (!leg || tag->dialog->dialog.leg == leg) &&
			span_equal(tag->text, callee->text))
			return tag->dialog;
	}
	return NULL;
}

static void tag_add(struct arrival *a, struct dialog_record *d)
{
	struct tag *tag = d->tags ? arena_zalloc(a->leg->leg.arena, sizeof *tag) : &d->tag;

	tag->dialog = d;
	tag->text = leg_text(a->leg, a->callee.text);
	tag->next = d->tags;
	d->tags = tag;
	hash_add(&a->id->tags, &tag->by_tag, a->callee.hash);
}

static struct dialog_record *dialog_new(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	struct dialog_record *d = arena_zalloc(leg->arena, sizeof *d);

	d->dialog.leg = leg;
	d->dialog.confirmed_ns = d->dialog.acked_ns = d->dialog.ended_ns = NS_NONE;
	d->dialog.state = DIALOG_EARLY;
	list_init(&d->dialog.exchanges);
	tag_add(a, d);
	d->dialog.to_tag = d->tags->text;
	if (a->author == SIDE_CALLEE) {
		d->src = a->packet->src;
		d->contact = a->message->contact;
	}
	list_add_tail(&leg->dialogs, &d->dialog.in_leg);
	return d;
}

static bool same_uri(const struct contact *x, const struct contact *y)
{
	return y && phrase_equal(x->uri, y->uri);
}

/*
 * A 2xx without To-tag, or with another one than the 18x of the same device: no fork. The only early dialog, from the
 * same source, with the same Contact.
 */
static struct dialog_record *dialog_renamed(struct arrival *a)
{
	struct dialog_record *only = NULL;

	LIST_EACH(it, &a->leg->leg.dialogs) {
		struct dialog_record *d = DIALOG_RECORD(LIST_ENTRY(it, struct dialog, in_leg));

		if (d->dialog.state != DIALOG_EARLY)
			continue;
		if (only)
			return NULL;
		only = d;
	}
	if (!only || !endpoint_equal(&only->src, &a->packet->src))
		return NULL;
	if (a->callee.text.n && (!only->contact || !same_uri(only->contact, a->message->contact)))
		return NULL;
	only->dialog.tag_changed = true;
	tag_add(a, only);
	return only;
}

/* Which messages make a dialog that was not known. */
static bool opens_dialog(const struct arrival *a)
{
	const struct sip_message *sip = a->sip;
	const struct leg *leg = &a->leg->leg;

	if (leg->dialogs.count >= LEG_DIALOGS_MAX)
		return false;
	if (!sip->request) {
		if (sip->method == SIP_INVITE && sip->status >= 200 && sip->status < 300)
			return true;
		return a->callee.text.n && sip->status > 100 && sip->status < 300 && sip->method != SIP_CANCEL;
	}
	if (a->callee.text.n == 0 || sip->to.tag.n == 0)
		return false;
	switch (sip->method) {
	case SIP_ACK: return a->transaction->transaction.initial ? transaction_ack_proves(a) : leg->partial;
	case SIP_INVITE:
	case SIP_BYE:
	case SIP_UPDATE:
	case SIP_PRACK:
	case SIP_INFO:
	case SIP_REFER:
	case SIP_NOTIFY: return true;
	case SIP_METHOD_NONE:
	case SIP_CANCEL:
	case SIP_REGISTER:
	case SIP_OPTIONS:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
	case SIP_MESSAGE:
	case SIP_METHOD_OTHER: break;
	}
	return false;
}

static struct dialog_record *dialog_of(struct arrival *a)
{
	struct leg *leg = &a->leg->leg;
	struct dialog_record *d = dialog_find(a, &a->callee, leg);
	bool answer = !a->sip->request && a->sip->method == SIP_INVITE && a->sip->status >= 200 && a->sip->status < 300;

	if (d && (a->callee.text.n || answer || (a->sip->method != SIP_INVITE && a->sip->method != SIP_CANCEL)))
		return d;
	if (!opens_dialog(a))
		return NULL;
	if (answer && (d = dialog_renamed(a)))
		return d;
	d = dialog_new(a);
	if (a->sip->request)
		d->dialog.partial = true;
	return d;
}

/* ---- states ---- */

void dialog_end(struct calls *c, struct dialog_record *d, int64_t at_ns, const struct message *by)
{
	if (d->dialog.state == DIALOG_ENDED) {
		if (by && !d->dialog.ended_by) {
			d->dialog.ended_by = by;
			d->dialog.ended_ns = at_ns;
		}
		return;
	}
	d->dialog.state = DIALOG_ENDED;
	d->dialog.ended_ns = at_ns;
	d->dialog.ended_by = by;
	calls_emit(c,
		(struct calls_event){ .kind = CALLS_DIALOG_ENDED,
			.leg = d->dialog.leg,
			.dialog = &d->dialog,
			.message = (struct message *)by });
}

void dialogs_end_early(struct calls *c, struct leg_record *r, int64_t at_ns, const struct message *by)
{
	LIST_EACH(it, &r->leg.dialogs) {
		struct dialog_record *d = DIALOG_RECORD(LIST_ENTRY(it, struct dialog, in_leg));

		if (d->dialog.state == DIALOG_EARLY)
			dialog_end(c, d, at_ns, by);
	}
}

/* The branches that did not answer may send for a moment more, until their CANCEL is done. */
static void losers_linger(struct arrival *a, const struct dialog_record *winner)
{
	struct leg_record *r = a->leg;
	bool any = false;

	LIST_EACH(it, &r->leg.dialogs) {
		struct dialog *d = LIST_ENTRY(it, struct dialog, in_leg);

		if (d == &winner->dialog || d->state != DIALOG_EARLY)
			continue;
		d->losing_fork = any = true;
	}
	if (!any || r->lingers)
		return;
	r->lingers = true;
	leg_rare(r)->linger_ns = ns_add(a->packet->at_ns, a->c->config.fork_linger_ns);
	list_add_tail(&a->c->lingering, &r->rare->lingering);
}

void dialog_confirm(struct arrival *a, struct dialog_record *d)
{
	struct leg *leg = &a->leg->leg;

	if (d->dialog.confirmed_ns != NS_NONE)
		return;
	d->dialog.confirmed_ns = a->packet->at_ns;
	d->dialog.confirmed_by = a->message;
	if (d->dialog.state == DIALOG_EARLY || !d->dialog.ended_by)
		d->dialog.state = DIALOG_CONFIRMED;
	d->dialog.ended_ns = d->dialog.state == DIALOG_CONFIRMED ? NS_NONE : d->dialog.ended_ns;
	if (leg->confirmed) {
		d->dialog.extra_confirmed = true;
		return;
	}
	d->dialog.losing_fork = false;
	leg->confirmed = &d->dialog;
	losers_linger(a, d);
}

/* In a dialog whose beginning was not seen; a BYE or UPDATE alone may be of an early one. */
static bool proves_confirmed(const struct arrival *a)
{
	const struct sip_message *sip = a->sip;

	if (!a->dialog->dialog.partial || a->dialog->dialog.confirmed_ns != NS_NONE)
		return false;
	if (!sip->request)
		return false;
	return sip->method == SIP_INVITE || sip->method == SIP_BYE || sip->method == SIP_INFO ||
		sip->method == SIP_REFER;
}

static void note_invite_response(struct arrival *a)
{
	struct dialog_record *d = a->dialog;

	if (a->sip->status < 300 && a->sip->status >= 200)
		dialog_confirm(a, d);
	else if (a->transaction->transaction.initial && (a->sip->status >= 300 || a->sip->status == 199) &&
		d->dialog.state == DIALOG_EARLY)
		dialog_end(a->c, d, a->packet->at_ns, a->message);
}

void dialog_note(struct arrival *a)
{
	struct transaction *t = &a->transaction->transaction;

	a->dialog = dialog_of(a);
	if (!a->dialog)
		return;
	a->message->dialog = &a->dialog->dialog;
	if (!t->initial && !t->dialog)
		t->dialog = &a->dialog->dialog;
	if (!a->sip->request && a->sip->method == SIP_INVITE && a->message->repeat != MESSAGE_RETRANSMITTED)
		note_invite_response(a);
	else if (proves_confirmed(a))
		dialog_confirm(a, a->dialog);
}

void dialogs_forget(struct leg_record *r)
{
	LIST_EACH(it, &r->leg.dialogs) {
		for (struct tag *tag = DIALOG_RECORD(LIST_ENTRY(it, struct dialog, in_leg))->tags; tag; tag = tag->next)
			hash_remove(&r->id->tags, &tag->by_tag);
	}
}
