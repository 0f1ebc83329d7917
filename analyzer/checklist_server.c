/* SPDX-License-Identifier: MIT */
/* checklist_server: C2.9 and C2.10: a second server that stands in, and load. */
#include "analyzer/checklist_tally.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/calls/trial.h"
#include "analyzer/media/port_plan.h"
#include "captures/base/memory.h"

enum { PEERS_FAILED = 16, FAILED_RECENT = 64, SAME_AOR = 16 };

#define RETRY_NS (64 * SECOND_NS)            /* RFC 3261 64*T1, and the try of the second server */

struct failure_of_peer { const struct leg *leg; const struct address *to; };

struct failover {
	struct failure_of_peer recent[FAILED_RECENT];
	unsigned next;
	struct address failed[PEERS_FAILED];         /* peers that another one stood in for */
	unsigned failed_count;
	unsigned over, back;
	unsigned call;
	struct frame_ref over_at, back_at;
};

static bool is_server_failure(const struct leg *leg)
{
	return !leg->answered && ((leg->status >= 500 && leg->status < 600) || leg->status == 408 ||
	       (leg->status == 0 && leg->timed_out));
}

static const struct address *peer_of(const struct leg *leg)
{
	const struct party *callee = &leg->party[SIDE_CALLEE];

	return address_known(&callee->signalling.addr) ? &callee->signalling.addr : &callee->signalling_dst.addr;
}

static bool failed_before(const struct failover *f, const struct address *a)
{
	for (unsigned i = 0; i < f->failed_count; i++) {
		if (address_equal(&f->failed[i], a))
			return true;
	}
	return false;
}

/* The same number, by the same host, to another server, soon after. */
static const struct failure_of_peer *stood_in_for(const struct failover *f, const struct leg *leg)
{
	for (unsigned i = 0; i < FAILED_RECENT && i < f->next; i++) {
		const struct failure_of_peer *x = &f->recent[i];

		if (leg->invite_ns >= x->leg->invite_ns && leg->invite_ns - x->leg->invite_ns <= RETRY_NS &&
		    span_equal(x->leg->party[SIDE_CALLEE].user, leg->party[SIDE_CALLEE].user) &&
		    address_equal(&x->leg->party[SIDE_CALLER].signalling.addr,
		    &leg->party[SIDE_CALLER].signalling.addr) &&
		    !address_equal(x->to, peer_of(leg)))
			return x;
	}
	return NULL;
}

/* A phone that is off is no server that failed: only calls to outside tell. */
static bool goes_out(const struct checklist *c, const struct leg *leg)
{
	return end_outside_number(leg->party[SIDE_CALLEE].user) || end_of(c->ends, peer_of(leg)) == END_PROVIDER;
}

static void failover_leg(const struct checklist *c, struct failover *f, const struct leg *leg)
{
	const struct failure_of_peer *x;

	if (leg->partial || leg->invite_ns == NS_NONE || !address_known(peer_of(leg)) || !goes_out(c, leg))
		return;
	if (is_server_failure(leg)) {
		f->recent[f->next++ % FAILED_RECENT] = (struct failure_of_peer){ leg, peer_of(leg) };
		return;
	}
	if (!leg->answered)
		return;
	if (failed_before(f, peer_of(leg)) && !f->back++)
		f->back_at = leg->answer_at;
	x = stood_in_for(f, leg);
	if (!x || failed_before(f, x->to))
		return;
	if (!f->over++) {
		f->over_at = leg->invite_at;
		f->call = leg->call ? leg->call->n : 0;
	}
	if (f->failed_count < PEERS_FAILED)
		f->failed[f->failed_count++] = *x->to;
}

static int registration_compare(const void *x, const void *y)
{
	const struct registration *a = *(const struct registration *const *)x,
		*b = *(const struct registration *const *)y;
	size_t n = a->aor.n < b->aor.n ? a->aor.n : b->aor.n;
	int order = n ? memcmp(a->aor.p, b->aor.p, n) : 0;

	if (order || a->aor.n != b->aor.n)
		return order ? order : (a->aor.n > b->aor.n) - (a->aor.n < b->aor.n);
	return (a->n > b->n) - (a->n < b->n);
}

/* a failed, b was bound meanwhile: back when a succeeded again. */
static void failover_pair(struct failover *f, const struct registration *a, const struct registration *b)
{
	const struct trial *t = a->trial;
	int64_t from_ns = t->past.tries ? t->past.first_ns : t->run.first_ns;

	if (!b->succeeded || !a->succeeded || address_equal(&a->registrar.addr, &b->registrar.addr) ||
	    !(t->past.tries || t->run.tries) ||
	    !(t->past.tries ? t->past.unanswered : t->run.unanswered) || b->first_ns < from_ns)
		return;
	if (!f->over++)
		f->over_at = b->final_at;
	if (t->past.tries && t->recovered_ns != NS_NONE && t->recovered_ns > b->first_ns && !f->back++)
		f->back_at = a->final_at;
}

static void failover_registrations(struct checklist *c, struct failover *f)
{
	const struct list *all = calls_registrations(c->facts->calls);
	const struct registration **sorted = memory_zalloc((all->count + 1) * sizeof *sorted);
	size_t n = 0;

	LIST_EACH(it, all)
		sorted[n++] = LIST_ENTRY(it, struct registration, in_order);
	qsort(sorted, n, sizeof *sorted, registration_compare);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n && j <= i + SAME_AOR && span_equal(sorted[i]->aor, sorted[j]->aor); j++) {
			failover_pair(f, sorted[i], sorted[j]);
			failover_pair(f, sorted[j], sorted[i]);
		}
	}
	free(sorted);
}

void checklist_failback(struct checklist *c)
{
	static const char *const ids[] = { "failover-broken", NULL };
	struct check *k = check_add(c, "C2.9", "Failover and failback", "failback");
	const struct finding *fault = check_findings(c, k, ids);
	struct failover *f = memory_zalloc(sizeof *f);

	LIST_EACH(it, calls_legs(c->facts->calls))
		failover_leg(c, f, LIST_ENTRY(it, struct leg, in_order));
	failover_registrations(c, f);
	if (fault)
		check_say(k, CHECK_FAIL, "%s", fault->title.p);
	else if (f->over && f->back)
		check_say(k, CHECK_PASS, "a second server took over, and the first one was used again");
	else if (f->over)
		check_say(k, CHECK_CANNOT_TELL,
			"a second server took over; the return to the first is not in this capture");
	else
		check_say(k, CHECK_NOT_SEEN, "no server failed while another one stood in");
	check_evidence(k, f->over_at, "the second server is asked");
	check_evidence(k, f->back_at, "the first one answers again");
	if (f->call && k->state != CHECK_NOT_SEEN) {
		k->calls[k->call_count++] = f->call;
		k->calls_total = 1;
	}
	free(f);
}

/* ---- C2.10 ---- */

static bool at_peak(const struct finding *f, const struct call_peak *peak)
{
	static const char *const ids[] = { "rtp-loss", "rtp-jitter", "session-table-exhausted", "media-range-exhausted",
		NULL };

	return check_proven(f) && check_is(f, ids) && f->first_ns <= peak->to_ns && f->last_ns >= peak->from_ns;
}

void checklist_peak(struct checklist *c)
{
	struct check *k = check_add(c, "C2.10", "Peak load", "peak load");
	struct call_peak peak = call_peak_of(calls_in_order(c->facts->calls), c->facts->capture->last_ns);
	unsigned wanted = (unsigned)config_value(c->facts->config, "site", "peak-calls");
	bool reached = wanted && peak.calls >= wanted;

	const struct finding *first = NULL;

	LIST_EACH(it, findings_in_order(c->facts->findings)) {
		const struct finding *f = LIST_ENTRY(it, struct finding, in_order);
		bool limit = strcmp(f->id, "session-table-exhausted") == 0 ||
			strcmp(f->id, "media-range-exhausted") == 0;

		if (!check_proven(f) || !(limit || (reached && at_peak(f, &peak))))
			continue;
		check_finding(k, f);
		first = first ? first : f;
	}
	if (first)
		check_say(k, CHECK_FAIL, "%s", first->title.p);
	else if (!peak.calls)
		check_say(k, CHECK_NOT_SEEN, "no answered call");
	else if (!wanted)
		check_say(k, CHECK_NOT_SEEN,
			"at most %u call%s at once; the profile does not say how many its peak is (peak-calls)",
			peak.calls,
			  peak.calls == 1 ? "" : "s");
	else if (!reached)
		check_say(k, CHECK_NOT_SEEN, "%u of %u calls at once", peak.calls, wanted);
	else if (c->facts->capture->rtp == 0)
		check_say(k, CHECK_CANNOT_TELL, "%u calls at once, without their audio", peak.calls);
	else
		check_say(k, CHECK_PASS, "%u calls at once, their audio without loss or jitter to speak of",
			peak.calls);
}
