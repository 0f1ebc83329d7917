/* SPDX-License-Identifier: MIT */
/* fax_refused: media-unreachable of a call that was changed to T.38: the errors quote packets of what is no stream. */
#include "analyzer/detect/media_refused.h"

#include <stdio.h>

#include "analyzer/detect/icmp_about.h"
#include "analyzer/detect/say.h"

#define MOVE_NS (2 * SECOND_NS)      /* a session that moves */

struct fax {
	const struct exchange *agreed;
	struct endpoint at;          /* where the receiver wants it */
	int64_t until_ns;
	const char *reason;
	unsigned errors;
	const struct icmp_record *first, *last;
};

static const struct sdp_media *image_of(const struct sdp_copies *c)
{
	const struct sdp *sdp = c->count ? c->seen[c->count - 1]->sdp : NULL;

	for (unsigned i = 0; sdp && i < sdp->media_count; i++) {
		if (sdp->media[i].kind == SDP_IMAGE && sdp->media[i].port)
			return &sdp->media[i];
	}
	return NULL;
}

/* The last agreement on fax, as the receiver wrote it, and until when it stood. */
static bool find_fax(const struct dialog *dialog, enum side receiver, int64_t end_ns, struct fax *ret)
{
	*ret = (struct fax){ .agreed = NULL };
	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *e = LIST_ENTRY(it, struct exchange, in_dialog);
		const struct sdp_media *offer = image_of(&e->offer), *answer = image_of(&e->answer),
			*own = e->offerer == receiver ? offer : answer;

		if (e->state != EXCHANGE_STABLE || e->stable_ns == NS_NONE)
			continue;
		if (ret->agreed && !(offer && answer)) {
			ret->until_ns = e->stable_ns;
			return true;
		}
		if (offer && answer)
			*ret = (struct fax){ .agreed = e, .at = own->at, .until_ns = end_ns };
	}
	return ret->agreed;
}

static void count_errors(const struct facts *facts, struct fax *x)
{
	const struct icmp_record *list[ICMP_ABOUT_MAX];
	unsigned n = icmp_about_socket(facts, &x->at, list);

	for (unsigned i = 0; i < n; i++) {
		const char *reason = media_refused_reason(list[i]);

		if (!reason || list[i]->at.at_ns < ns_add(x->agreed->stable_ns, MOVE_NS) ||
		    list[i]->at.at_ns > x->until_ns || (x->reason && x->reason != reason))
			continue;
		x->reason = reason;
		x->first = x->errors++ ? x->first : list[i];
		x->last = list[i];
	}
}

static void tell(struct detection *d, const struct event *ev, const struct fax *x)
{
	const struct facts *facts = detection_facts(d);
	struct finding *f = detection_raise(d, x->reason, SEVERITY_ERROR, CONFIDENCE_CERTAIN);
	char reporter[SAY_TEXT], sender[SAY_TEXT], receiver[SAY_TEXT], at[ENDPOINT_TEXT], act[3 * SAY_TEXT];

	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_WITNESS, &x->at);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->first->reporter, 0 });
	finding_times(f, x->first->at.at_ns, x->last->at.at_ns);
	f->count = x->errors;
	say_host(facts, &x->first->reporter, reporter);
	say_party(facts, ev->leg, ev->direction->sender, sender);
	say_party(facts, ev->leg, side_other(ev->direction->sender), receiver);
	endpoint_text(&x->at, at);
	snprintf(act, sizeof act, "%s refuses the fax of %s", reporter, sender);
	say_title(f, act, "it does not arrive");
	finding_cause(f, "The call was changed to fax (T.38); %s wants it at %s, and %s answers what is sent there with ICMP errors (%s, %u of them).",
		receiver, at, reporter, x->reason, x->errors);
	finding_fix(f, "Check that %s opens the port that it names for T.38 and that firewall and NAT let UDP to it pass, as they do for audio; else switch T.38 off, and let the fax go as G.711.",
		receiver);
	finding_evidence(f, x->agreed->stable_at, "fax is agreed");
	finding_evidence(f, x->first->at, "first ICMP error that quotes a packet to %s", at);
	finding_evidence(f, x->last->at, "the last of %u such errors", x->errors);
}

bool fax_refused(struct detection *d, const struct event *ev, double least)
{
	const struct dialog *dialog = ev->dialog;
	const struct facts *facts = detection_facts(d);
	int64_t end_ns = ev->leg->bye_ns != NS_NONE ? ev->leg->bye_ns : facts->capture->last_ns;
	struct fax x;

	if (facts->icmp->count == 0 || ev->direction->slot != &dialog->mslots[0] ||
	    !find_fax(dialog, side_other(ev->direction->sender), end_ns, &x))
		return false;
	count_errors(facts, &x);
	if (x.errors < least || x.last->at.at_ns - x.first->at.at_ns < SECOND_NS)
		return false;
	tell(d, ev, &x);
	return true;
}
