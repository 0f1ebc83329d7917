/* SPDX-License-Identifier: MIT */
/* transfer_failed_say: how transfer-failed is told. */
#include "analyzer/detect/transfer_failed.h"

#include <stdio.h>

#include "analyzer/detect/refer_to.h"
#include "analyzer/detect/say.h"

struct wording {
	const char *reason, *act, *effect, *fix;
};

static const struct wording wordings[] = {
	{ "refer-rejected", "refuses the transfer", "the call stays where it is",
	  "Let the PBX do the transfer, or enable REFER on the side that refuses it" },
	{ "refer-unanswered", "does not answer the transfer", "the call stays where it is",
	  "Capture at the side that was asked; switch SIP ALG off; let the PBX do the transfer" },
	{ "no-notify", "says nothing of the transfer", "nobody knows what became of it",
	  "Look at the side that accepted the REFER: it neither called the target nor reported" },
	{ "target-failed", "is not reached", "the transfer fails",
	  "Check the number in Refer-To; let the PBX do the transfer with its own address in it" },
	{ "target-unanswered-lost", "is not answered", "the call is lost in the transfer",
	  "Let unanswered transfers return to the one who transferred, after a time" },
	{ "replaces-481", "does not know the call to be replaced", "the transfer fails",
	  "Enable Replaces on the side that refuses it; compare the tags; switch SIP ALG off" },
	{ "replaces-incomplete", "names the other call badly", "the transfer fails",
	  "Update the firmware of the side that transfers" },
	{ "replaces-itself", "asks to replace the call it is in", "the transfer fails",
	  "Update the side that transfers: Replaces has to name its second call, the one to the target" },
	{ "replaces-wrong-party", "does not have the call to be replaced", "the transfer fails", "Let Refer-To name the server that has the other call: let the PBX do the transfer with its own address in it" },
	{ "refer-to-unreachable", "is dialled by who cannot reach it", "the transfer fails",
	  "Let the PBX do the transfer with its own address in Refer-To" },
	{ "transferee-dropped", "hangs up too early", "the caller is cut off in the transfer",
	  "Update the PBX: it has to keep the caller until the target has answered" },
	{ "consultation-stranded", "leaves the first call standing", "the line stays busy",
	  "Enable Replaces on the target; it has to end the call that it replaces" },
	{ "notify-481", "does not know its own transfer", "it never learns what became of it",
	  "Update the firmware of the side that transfers" },
};

static const struct wording *wording_of(const char *reason)
{
	for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++) {
		if (strcmp(wordings[i].reason, reason) == 0)
			return &wordings[i];
	}
	return &wordings[0];
}

static void say_step(const struct facts *facts, const struct transfer_verdict *v, char *text, size_t room)
{
	const struct transfer *t = v->transfer;
	char line[100];

	if (v->refusal)
		snprintf(text, room, "%u %s", v->refusal->status, text_escape(phrase_span(v->refusal->reason), line, sizeof line));
	else if (t && t->notified >= 300)
		snprintf(text, room, "%s", text_escape(span_from(t->notified_line, 8), line, sizeof line));
	else if (strcmp(v->reason, "refer-unanswered") == 0)
		snprintf(text, room, v->copies == 1 ? "no answer to the REFER" : "no answer to %u REFERs", v->copies);
	else if (strcmp(v->reason, "refer-to-unreachable") == 0)
		snprintf(text, room, "a private address, and no answer to %u INVITEs", v->copies);
	else if (strcmp(v->reason, "no-notify") == 0)
		snprintf(text, room, "accepted, and then nothing within %.0f s: no NOTIFY, no INVITE",
			 config_value(facts->config, "transfer-failed", "tail-s"));
	else
		snprintf(text, room, "it %s", wording_of(v->reason)->act);
}

static void tell_cause(struct finding *f, const struct facts *facts, const struct transfer_verdict *v)
{
	char who[SAY_TEXT], other[SAY_TEXT], to[120], step[160];

	say_step(facts, v, step, sizeof step);
	if (v->transfer) {
		say_party_full(facts, v->leg, v->transfer->by, who);
		say_party_full(facts, v->leg, side_other(v->transfer->by), other);
		finding_cause(f, "%s asked %s to call %s: %s%s%s.", who, other,
			text_escape(v->transfer->refer_to, to, sizeof to), step, v->rings
			? "; the call that it names with Replaces had not been answered" : v->detail[0] ? "; Replaces: " : "",
			v->rings ? "" : v->detail);
	} else {
		say_host(facts, &v->victim.addr, who);
		say_host(facts, &v->culprit.addr, other);
		finding_cause(f, "%s sent %s an INVITE with Replaces: %s; %s.", who, other, step, v->detail);
	}
}

static void add_evidence(struct finding *f, const struct transfer_verdict *v)
{
	const struct transfer *t = v->transfer;

	if (t) {
		finding_evidence(f, t->at, "REFER");
		if (t->refer->final)
			finding_evidence(f, t->refer->final->at, "its answer %u", t->refer->final->status);
	}
	if (t && t->target && t->target->invite_at.frame)
		finding_evidence(f, t->target->invite_at, "INVITE to the target");
	else if (!t)
		finding_evidence(f, v->leg->invite_at, "INVITE with Replaces");
	if (v->refusal && (!t || v->refusal != t->refer->final))
		finding_evidence(f, v->refusal->at, "refused: %u", v->refusal->status);
	if (t && t->notified_at.frame)
		finding_evidence(f, t->notified_at, "NOTIFY reports %u", t->notified);
	if (v->at.frame && (!t || (v->at.frame != t->at.frame && v->at.frame != t->notified_at.frame)) &&
	    (!v->refusal || v->at.frame != v->refusal->at.frame))
		finding_evidence(f, v->at, "here");
}

/*
 * Exchanged tags, and a server that never had the call, are the fault of who wrote them: of the one who transfers,
 * where its Refer-To has them so.
 */
static const struct endpoint *writer_of(const struct transfer_verdict *v)
{
	const struct transfer *t = v->transfer;

	if (!t || !t->target || !t->refer || !t->refer->request)
		return &v->victim;
	return refer_to_carries(t->refer_to, t->target->replaces) ? &t->refer->request->src : &v->victim;
}

static void add_parts(struct finding *f, const struct transfer_verdict *v, bool of_asker)
{
	bool of_writer = v->exchanged || strcmp(v->reason, "replaces-wrong-party") == 0;

	finding_part(f, PART_VICTIM, &v->victim);
	if (of_writer)
		finding_part(f, PART_CULPRIT, writer_of(v));
	finding_part(f, of_writer ? PART_WITNESS : PART_CULPRIT, of_asker ? &v->victim : &v->culprit);
}

void transfer_say(struct finding *f, const struct facts *facts, const struct transfer_verdict *v)
{
	const struct wording *w = wording_of(v->reason);
	const struct transfer *t = v->transfer;
	char host[SAY_TEXT], act[SAY_TEXT + 60];
	bool of_target = strncmp(v->reason, "target", 6) == 0,
		of_asker = strcmp(v->reason, "notify-481") == 0 || strcmp(v->reason, "replaces-incomplete") == 0 ||
			   strcmp(v->reason, "replaces-itself") == 0 || v->rings;

	finding_leg(f, v->leg);
	if (v->other && v->other != v->leg)
		finding_leg(f, v->other);
	if (t && t->target && t->target != v->leg && t->target != v->other)
		finding_leg(f, t->target);
	add_parts(f, v, of_asker);
	finding_times(f, t ? t->asked_ns : v->leg->first_ns,
		v->at.at_ns == NS_NONE || (t && v->at.at_ns < t->asked_ns) ? v->leg->last_ns : v->at.at_ns);
	if (of_target && t->target)
		say_party(facts, t->target, SIDE_CALLEE, host);
	else if (of_target)
		snprintf(host, sizeof host, "the target");
	else
		say_host(facts, of_asker ? &v->victim.addr : &v->culprit.addr, host);
	snprintf(act, sizeof act, "%s %s", host, v->picks_up ? "does not know the ringing call"
		: v->rings ? "replaces a ringing call" : w->act);
	say_title(f, act, v->picks_up ? "it is not picked up" : w->effect);
	tell_cause(f, facts, v);
	if (v->picks_up)
		finding_fix(f, "Let phones pick up by the PBX's own code instead of Replaces, or enable Replaces for calls that still ring: whoever began such a call takes the INVITE, nobody else (RFC 3891 3).");
	else if (v->rings)
		finding_fix(f, "Complete the transfer when the target has answered, or transfer blind; switch off on the phone that it is completed while the target rings (Polycom: voIpProt.SIP.allowTransferOnProceeding): only who began a ringing call takes an INVITE that is to replace it (RFC 3891 3).");
	else
		finding_fix(f, "%s.", v->exchanged ? "Update the side that transfers: the to-tag of Replaces is the own tag of who receives it (RFC 3891 3)" : w->fix);
	add_evidence(f, v);
}
