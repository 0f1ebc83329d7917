/* SPDX-License-Identifier: MIT */
/* transfer_replaces: an INVITE with Replaces that is refused, and why: the tags, the party, the time. RFC 3891. */
#include "analyzer/detect/transfer_failed.h"

#include <stdio.h>

enum { TAG_TEXT = 64 };

struct replaced {                    /* "call-id;to-tag=x;from-tag=y" */
	struct span call_id, to_tag, from_tag;
};

static struct replaced replaced_of(struct span value)
{
	struct replaced r = { 0 };
	struct span params;

	r.call_id = span_trim(span_first(value, span_find(value, ';')));
	params = span_from(value, span_find(value, ';'));
	sip_parameter(params, SPAN("to-tag"), &r.to_tag);
	sip_parameter(params, SPAN("from-tag"), &r.from_tag);
	return r;
}

static bool owns(const struct leg *leg, const struct endpoint *at)
{
	for (unsigned i = 0; i < leg->segment_count; i++) {
		if (address_equal(&leg->segments[i].a.addr, &at->addr) ||
		    address_equal(&leg->segments[i].b.addr, &at->addr))
			return true;
	}
	return false;
}

static const struct dialog *dialog_of(const struct leg *leg)
{
	if (leg->confirmed)
		return leg->confirmed;
	return leg->dialogs.count ? LIST_ENTRY(leg->dialogs.head.next, struct dialog, in_leg) : NULL;
}

/* Which of the tags differ from those of the call that is named (RFC 3891 3: to-tag is the receiver's own). */
static void compare_tags(struct transfer_verdict *v, const struct replaced *r, const struct leg *named)
{
	const struct dialog *dialog = dialog_of(named);
	char has[2][TAG_TEXT], is[2][TAG_TEXT];
	bool caller_receives = address_equal(&named->party[SIDE_CALLER].signalling.addr, &v->culprit.addr);
	bool callee_receives = address_equal(&named->party[SIDE_CALLEE].signalling.addr, &v->culprit.addr);
	struct span local, remote;

	if (!dialog || caller_receives == callee_receives) {
		snprintf(v->detail, sizeof v->detail, "to-tag=%s, from-tag=%s are asked for",
			text_escape(r->to_tag, is[0], TAG_TEXT),
			 text_escape(r->from_tag, is[1], TAG_TEXT));
		return;
	}
	local = caller_receives ? named->from_tag : dialog->to_tag;
	remote = caller_receives ? dialog->to_tag : named->from_tag;
	text_escape(r->to_tag, is[0], TAG_TEXT);
	text_escape(r->from_tag, is[1], TAG_TEXT);
	text_escape(local, has[0], TAG_TEXT);
	text_escape(remote, has[1], TAG_TEXT);
	if (span_equal(r->to_tag, local) && span_equal(r->from_tag, remote))
		snprintf(v->detail, sizeof v->detail, "its tags are those of the call (to-tag=%s, from-tag=%s)%s",
			is[0], is[1],
			 named->bye_ns != NS_NONE && named->bye_ns < v->at.at_ns ? ", which had ended" : "");
	else if (span_equal(r->to_tag, remote) && span_equal(r->from_tag, local))
		v->exchanged = snprintf(v->detail, sizeof v->detail,
			"its tags are exchanged: it says to-tag=%s, from-tag=%s, and the receiver's own is %s", is[0],
			is[1], has[0]) > 0;
	else
		snprintf(v->detail, sizeof v->detail, "it says to-tag=%s, from-tag=%s; the call has %s, %s", is[0],
			is[1], has[0], has[1]);
}

/* It rang, and was over before anybody could take it. */
static bool given_up(const struct leg *leg, int64_t at_ns)
{
	if (leg->answered)
		return false;
	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->method == SIP_CANCEL && m->at.at_ns <= at_ns)
			return true;                         /* its end may not be in the capture */
	}
	return leg->end_ns != NS_NONE && leg->end_ns <= at_ns;
}

static bool refuses_replaces(unsigned status)
{
	return status == 481 || status == 404 || status == 403 || status == 400 || status == 420 || status == 405 ||
	       status == 501;
}

struct span transfer_replaces_call_id(const struct leg *leg)
{
	return replaced_of(leg->replaces).call_id;
}

void transfer_replaces_judge(struct transfer_verdict *v, const struct leg *leg, const struct leg *named)
{
	const struct message *refusal = transfer_refusal(leg);
	struct replaced r = replaced_of(leg->replaces);

	if (!refusal || !refuses_replaces(refusal->status))
		return;
	v->refusal = refusal;
	v->status = refusal->status;
	v->victim = refusal->dst;
	v->culprit = refusal->src;
	v->at = leg->invite_at;
	v->severity = SEVERITY_ERROR;
	v->confidence = CONFIDENCE_CERTAIN;
	v->reason = "replaces-481";
	if (!named || named == leg) {
		snprintf(v->detail, sizeof v->detail, "the call that it names is not in this capture");
		return;
	}
	v->other = named;
	if (!owns(named, &refusal->src)) {
		v->reason = "replaces-wrong-party";
		v->confidence = CONFIDENCE_LIKELY;
		snprintf(v->detail, sizeof v->detail, "the call that it names was never handled there");
		return;
	}
	if (given_up(named, refusal->at.at_ns)) {
		v->reason = NULL;                            /* picked up too late: nothing is left to take */
		return;
	}
	v->rings = v->transfer && !named->answered;
	v->picks_up = !v->transfer && !named->answered;
	compare_tags(v, &r, named);
}
