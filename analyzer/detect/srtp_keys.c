/* SPDX-License-Identifier: MIT */
/*
 * srtp_keys: for each packet the exchange that was in force when it was sent, of that the keys which the sender
 * announced on the hop it was seen on, and only if none of those fits any packet, the other keys of the call.
 */
#include "analyzer/detect/srtp_keys.h"

#include "analyzer/detect/lookup.h"
#include "dissect/srtp_check.h"

enum {
	KEYS_MOST = 64,
	PACKETS_MOST = SRTP_RUN_MAX * SRTP_RUN_PACKETS,
	PACKETS_LEAST = 20,          /* that prove something */
	PROBES = 3,                  /* packets that are tried with keys they should not fit, or with many counts */
	RUN_PROBES = 4,              /* of a run that fit are enough */
	SETTLE_S = 2,                /* packets in flight, and a party that changes keys when the ACK comes */
	ROLLOVERS = 3, ROLLOVERS_UNSEEN = 64,
	SETUP_COSTS = 8
};

struct known {                       /* a key of the call */
	const struct sdp_crypto *key;
	const struct message *message;
	const struct exchange *exchange;
	const struct sdp_copies *copies;
	const struct endpoint *at;   /* of the medium it stands with */
	enum side by;
	bool of_slot;                /* of this dialog and m= line */
	bool at_source;              /* of the description that names where the stream comes from */
	bool replaced;               /* a later copy of that description gives another key for the same place */
	bool current;                /* in the period in hand */
	bool tried, fitted;
	uint32_t rollovers, ahead;   /* of the last packet that fitted; and less those counted since the beginning */
	struct srtp_check *check;    /* made when it is first asked; NULL: not possible */
};

struct sampled {                     /* a packet, and the exchange whose keys were in force */
	const struct srtp_run *run;
	const struct srtp_packet *packet;
	const struct exchange *exchange;
};

struct trial {
	const struct direction *d;
	const struct stream *s;
	struct endpoint outer;       /* where it comes from as the other side of a NAT has it; family 0: unknown */
	struct known keys[KEYS_MOST];
	unsigned key_count;          /* beyond KEYS_MOST: not kept */
	struct sampled packets[PACKETS_MOST];
	unsigned packet_count;
	bool begun_here;             /* the capture has the stream from its first packet on */
	const struct known *fitted;  /* the last current key that fitted a packet; count and exchange of that packet */
	uint32_t rollovers;
	const struct exchange *fitted_in;
	unsigned *allowance;
	struct srtp_keys *ret;
};

/* ---- the keys of the call ---- */

static void key_add(struct trial *t, const struct known *k)
{
	if (t->key_count < KEYS_MOST)
		t->keys[t->key_count] = *k;
	t->key_count++;
}

static void media_keys_add(struct trial *t, const struct known *of, const struct message *m, unsigned mline,
	bool of_slot)
{
	const struct sdp_media *media = &m->sdp->media[mline];

	for (unsigned i = 0; i < sdp_crypto_kept(media->rare); i++) {
		struct known k = *of;

		k.key = &media->rare->cryptos[i];
		k.message = m;
		k.at = &media->at;
		k.of_slot = of_slot;
		k.at_source = endpoint_equal(&media->at, &t->s->src) ||
			(address_known(&t->outer.addr) && endpoint_equal(&media->at, &t->outer));
		key_add(t, &k);
	}
	if (media->rare->crypto_key_count > SDP_CRYPTO_MAX)
		t->key_count = KEYS_MOST + 1;
}

static void copies_keys_add(struct trial *t, const struct exchange *x, const struct sdp_copies *copies, enum side by,
	bool of_dialog)
{
	const struct known of = { .exchange = x, .copies = copies, .by = by };

	for (unsigned i = 0; i < copies->count && t->key_count <= KEYS_MOST; i++) {
		const struct message *m = copies->seen[i];

		for (unsigned k = 0; k < m->sdp->media_count; k++)
			media_keys_add(t, &of, m, k, of_dialog && k == t->d->slot->mline);
	}
}

static void dialog_keys_add(struct trial *t, const struct dialog *dialog)
{
	bool own = dialog == t->d->slot->dialog;

	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		copies_keys_add(t, x, &x->offer, x->offerer, own);
		copies_keys_add(t, x, &x->answer, side_other(x->offerer), own);
		copies_keys_add(t, x, &x->preview, side_other(x->offerer), own);
	}
}

static void leg_keys_add(struct trial *t, const struct leg *leg)
{
	LIST_EACH(it, &leg->dialogs) {
		const struct dialog *dialog = LIST_ENTRY(it, struct dialog, in_leg);

		if (dialog != t->d->slot->dialog)
			dialog_keys_add(t, dialog);
	}
}

/* Those of this dialog first: they are tried first. */
static void call_keys_add(struct trial *t)
{
	const struct leg *leg = t->d->slot->dialog->leg;

	dialog_keys_add(t, t->d->slot->dialog);
	leg_keys_add(t, leg);
	LIST_EACH(it, &leg->call->legs) {
		if (LIST_ENTRY(it, struct leg, in_call) != leg)
			leg_keys_add(t, LIST_ENTRY(it, struct leg, in_call));
	}
}

static void keys_free(struct trial *t)
{
	for (unsigned i = 0; i < t->key_count && i < KEYS_MOST; i++)
		srtp_check_free(t->keys[i].check);
}

static bool same_key(const struct sdp_crypto *a, const struct sdp_crypto *b)
{
	return a->suite == b->suite && memcmp(a->key, b->key, sizeof a->key) == 0;
}

/* What the receiver has is the last copy: who relays audio writes an address of its own beside a key of its own. */
static bool replaces(const struct known *later, const struct known *k)
{
	return later->copies == k->copies && later->of_slot && later->message != k->message && later->at_source &&
	       endpoint_equal(later->at, k->at) && later->key->tag == k->key->tag && !same_key(later->key, k->key);
}

static void replaced_find(struct trial *t)
{
	for (unsigned i = 0; i < t->key_count && i < KEYS_MOST; i++) {
		struct known *k = &t->keys[i];

		for (unsigned n = i + 1; k->of_slot && k->at_source && n < t->key_count && n < KEYS_MOST; n++)
			k->replaced |= replaces(&t->keys[n], k);
	}
}

/* ---- which exchange was in force ---- */

static int64_t offered_ns(const struct exchange *x)
{
	return x->offered_ns != NS_NONE ? x->offered_ns : x->stable_ns;
}

/* The old keys hold until the answer (RFC 4568 7.1.4), also where it is a refusal; without one nobody knows. */
static bool undecided(const struct exchange *x, bool first, int64_t at_ns)
{
	int64_t settle_ns = first ? 0 : SETTLE_S * SECOND_NS;

	switch (x->state) {
	case EXCHANGE_STABLE:
		return exchange_agreed_ns(x) == NS_NONE || at_ns < ns_add(exchange_agreed_ns(x), settle_ns) || x->answer_assumed;
	case EXCHANGE_REJECTED: case EXCHANGE_NO_ANSWER:
		return !x->transaction || at_ns < ns_add(x->transaction->last_ns, settle_ns);
	case EXCHANGE_OFFERED: case EXCHANGE_PREVIEW:
		return true;
	}
	return true;
}

/* NULL: none, or keys may have been changing then. */
static const struct exchange *in_force(const struct dialog *dialog, int64_t at_ns)
{
	const struct exchange *found = NULL;

	LIST_EACH(it, &dialog->exchanges) {
		const struct exchange *x = LIST_ENTRY(it, struct exchange, in_dialog);

		if (offered_ns(x) != NS_NONE && at_ns < offered_ns(x))
			continue;
		if (undecided(x, !found, at_ns))
			return NULL;
		if (x->state == EXCHANGE_STABLE)
			found = x;
	}
	return found;
}

static void packets_collect(struct trial *t)
{
	const struct srtp_sample *sample = t->s->srtp;

	for (unsigned i = 0; i < sample->run_count; i++) {
		const struct srtp_run *run = &sample->runs[i];

		for (unsigned k = 0; k < run->count; k++) {
			const struct srtp_packet *p = &run->packets[k];
			const struct exchange *x = in_force(t->d->slot->dialog, p->at_ns);

			if (x)
				t->packets[t->packet_count++] = (struct sampled){ run, p, x };
		}
	}
}

/* ---- one packet and one key ---- */

static bool spend(struct trial *t, unsigned cost)
{
	if (*t->allowance < cost)
		return false;
	*t->allowance -= cost;
	return true;
}

static enum srtp_fit fits_with(struct trial *t, struct known *k, const struct sampled *p, uint32_t rollovers)
{
	struct span bytes = { p->run->bytes + p->packet->at, p->packet->bytes };
	enum srtp_fit fit = spend(t, 1) ? srtp_check_packet(k->check, bytes, rollovers) : SRTP_CANNOT_TELL;

	if (fit == SRTP_FITS) {
		k->fitted = true;
		k->rollovers = rollovers;
		k->ahead = rollovers - p->packet->rollovers;
	}
	return fit;
}

/* With the count that fitted before, with that since the beginning, and with the first ones. */
static enum srtp_fit key_fits(struct trial *t, struct known *k, const struct sampled *p, unsigned rollovers)
{
	uint32_t counted = p->packet->rollovers, likely = counted + (k->fitted ? k->ahead : 0);
	enum srtp_fit fit;

	if (!k->tried && spend(t, SETUP_COSTS))
		k->check = srtp_check_new(k->key, t->s->ssrc);
	k->tried = true;
	if (!k->check)
		return SRTP_CANNOT_TELL;
	fit = fits_with(t, k, p, likely);
	if (fit == SRTP_FITS_NOT && counted != likely)
		fit = fits_with(t, k, p, counted);
	for (uint32_t i = 0; i < rollovers && fit == SRTP_FITS_NOT; i++) {
		if (i != likely && i != counted)
			fit = fits_with(t, k, p, i);
	}
	return fit;
}

/* ---- a period: packets under one exchange ---- */

struct period {
	const struct sampled *packets;
	unsigned count;
	unsigned tested, fits;
	const struct sampled *first, *last;  /* that were tested and fit not */
};

/* The answer's tag says which line of the offer holds; copies of it on other hops may have been given other tags. */
static bool tag_chosen(const struct exchange *x, unsigned mline, uint32_t tag)
{
	for (unsigned i = 0; i < x->answer.count; i++) {
		const struct sdp *sdp = x->answer.seen[i]->sdp;
		const struct sdp_rare *rare = mline < sdp->media_count ? sdp->media[mline].rare : &sdp_rare_none;

		for (unsigned k = 0; k < sdp_crypto_kept(rare); k++) {
			if (rare->cryptos[k].tag == tag)
				return true;
		}
	}
	return false;
}

static bool is_current(const struct trial *t, const struct known *k, const struct exchange *x)
{
	return k->of_slot && k->at_source && !k->replaced && k->exchange == x && k->by == t->d->sender &&
	       (x->offerer != t->d->sender || tag_chosen(x, t->d->slot->mline, k->key->tag));
}

/* False: it cannot be told which keys hold. */
static bool current_find(struct trial *t, const struct exchange *x, const char **ret_why)
{
	bool any = false;

	for (unsigned i = 0; i < t->key_count; i++) {
		struct known *k = &t->keys[i];

		k->current = is_current(t, k, x);
		any |= k->current;
		if (k->current && k->key->untestable) {
			*ret_why = "its key has a suite or parameters that cannot be tested";
			return false;
		}
		if (k->current && !t->ret->announced)
			t->ret->announced = k->message;
	}
	if (!any)
		*ret_why = "no description of its sender names both a key and the address that it comes from";
	return any;
}

/* The same key and SSRC, and a smaller count, or the same one kept over an agreement. */
static void rollover_note(struct trial *t, const struct known *k, const struct sampled *p)
{
	struct srtp_rollover *r = &t->ret->rollover;

	if (t->fitted && same_key(t->fitted->key, k->key)) {
		if (k->rollovers < t->rollovers && !r->at)
			*r = (struct srtp_rollover){ p->exchange, t->rollovers, k->rollovers, p->packet->frame,
				p->packet->at_ns };
		if (k->rollovers > 0 && k->rollovers == t->rollovers && p->exchange != t->fitted_in && !t->ret->kept)
			t->ret->kept = p->exchange;
	}
	t->fitted = k;
	t->rollovers = k->rollovers;
	t->fitted_in = p->exchange;
}

static enum srtp_fit current_fits(struct trial *t, const struct sampled *p, unsigned rollovers)
{
	enum srtp_fit all = SRTP_FITS_NOT;

	for (unsigned i = 0; i < t->key_count; i++) {
		struct known *k = &t->keys[i];
		enum srtp_fit fit = k->current ? key_fits(t, k, p, rollovers) : SRTP_FITS_NOT;

		if (fit == SRTP_FITS)
			rollover_note(t, k, p);
		if (fit != SRTP_FITS_NOT)
			all = fit;
		if (fit == SRTP_FITS)
			return fit;
	}
	return all;
}

static unsigned rollovers_tried(const struct trial *t, unsigned before)
{
	return t->begun_here || before >= PROBES ? ROLLOVERS : ROLLOVERS_UNSEEN;
}

static void current_test(struct trial *t, struct period *d)
{
	unsigned in_run = 0, fails = 0;

	for (unsigned i = 0; i < d->count; i++) {
		const struct sampled *p = &d->packets[i];
		enum srtp_fit fit;

		in_run = i && p->run == d->packets[i - 1].run ? in_run + 1 : 0;
		fails = in_run ? fails : 0;
		if (in_run >= RUN_PROBES && fails == 0)
			continue;
		fit = current_fits(t, p, rollovers_tried(t, d->fits ? PROBES : d->tested));
		if (fit == SRTP_CANNOT_TELL)
			continue;
		d->tested++;
		d->fits += fit == SRTP_FITS;
		fails += fit != SRTP_FITS;
		if (fit == SRTP_FITS)
			continue;
		d->first = d->first ? d->first : p;
		d->last = p;
	}
}

static unsigned fits_of(struct trial *t, struct known *k, const struct period *d, unsigned most)
{
	unsigned fits = 0;

	for (unsigned i = 0; i < d->count && i < most; i++)
		fits += key_fits(t, k, &d->packets[i], rollovers_tried(t, i)) == SRTP_FITS;
	return fits;
}

static enum srtp_keys_whose whose(const struct trial *t, const struct known *k, const struct exchange *x)
{
	if (!k->of_slot)
		return SRTP_KEYS_ELSEWHERE;
	if (k->by != t->d->sender)
		return SRTP_KEYS_RECEIVER;
	if (k->exchange != x)
		return SRTP_KEYS_OWN;
	if (k->replaced)
		return SRTP_KEYS_REPLACED;
	return k->at_source ? SRTP_KEYS_LINE : SRTP_KEYS_ELSEWHERE;
}

/* True: another key fits as many packets as prove it. */
static bool other_find(struct trial *t, const struct period *d)
{
	const struct exchange *x = d->packets[0].exchange;

	for (unsigned i = 0; i < t->key_count; i++) {
		struct known *k = &t->keys[i];

		if (k->current || k->key->untestable || fits_of(t, k, d, PROBES) == 0 ||
		    fits_of(t, k, d, d->count) < PACKETS_LEAST)
			continue;
		t->ret->fitting = k->message;
		t->ret->whose = whose(t, k, x);
		return true;
	}
	return false;
}

static bool others_testable(const struct trial *t)
{
	for (unsigned i = 0; i < t->key_count; i++) {
		if (t->keys[i].key->untestable)
			return false;
	}
	return true;
}

/* True: a breach, and told. */
static bool period_judge(struct trial *t, struct period *d)
{
	struct srtp_keys *ret = t->ret;
	const struct exchange *x = d->packets[0].exchange;

	ret->announced = NULL;
	if (!current_find(t, x, &ret->why))
		return false;
	current_test(t, d);
	if (d->fits > 0) {
		ret->sort = SRTP_KEYS_HELD;
		ret->tested += d->fits;
		ret->exchange = x;
		return false;
	}
	ret->why = "fewer than 20 of its packets could be tested";
	if (d->tested < PACKETS_LEAST)
		return false;
	if (other_find(t, d)) {
		ret->sort = SRTP_KEYS_OTHER;
	} else {
		ret->why = t->begun_here ? "a key of this call cannot be tested"
			: "the capture has not seen it begin: how often its numbers went round is unknown";
		if (!t->begun_here || !others_testable(t))
			return false;
		ret->sort = SRTP_KEYS_NONE;
	}
	ret->tested = d->tested;
	ret->exchange = x;
	ret->first_frame = d->first->packet->frame;
	ret->first_ns = d->first->packet->at_ns;
	ret->last_frame = d->last->packet->frame;
	ret->last_ns = d->last->packet->at_ns;
	return true;
}

static void periods_judge(struct trial *t)
{
	unsigned from = 0;

	for (unsigned i = 1; i <= t->packet_count; i++) {
		struct period d = { .packets = &t->packets[from], .count = i - from };

		if (i < t->packet_count && t->packets[i].exchange == t->packets[from].exchange)
			continue;
		if (period_judge(t, &d))
			return;
		from = i;
	}
}

/* Before its keys were agreed nothing else can have come, and no numbers have gone round. */
static bool begins_here(const struct trial *t)
{
	const struct dialog *dialog = t->d->slot->dialog;

	return dialog->leg->initial_invite_seen && !dialog->partial && !dialog->leg->partial &&
	       t->s->first_ns >= dialog->leg->invite_ns;
}

void srtp_keys_judge(const struct facts *facts, const struct direction *d, const struct stream *s, struct srtp_keys *ret)
{
	struct trial t = { .d = d, .s = s, .allowance = lookup_key_tests(facts->lookup), .ret = ret };
	unsigned weight;

	*ret = (struct srtp_keys){ .sort = SRTP_KEYS_UNTESTED };
	if (!srtp_check_library())
		ret->why = "this deadair was built without libsrtp2, which can test packets";
	else if (!s->srtp)
		ret->why = "its keys are not in clear";
	if (ret->why)
		return;
	ret->why = s->srtp->unreadable ? "the capture has cut its packets" : "no packets from while keys were agreed";
	t.begun_here = begins_here(&t);
	if (!network_public_of(facts->network, &s->src, true, &t.outer, &weight))
		t.outer = (struct endpoint){ 0 };
	packets_collect(&t);
	call_keys_add(&t);
	replaced_find(&t);
	if (t.key_count > KEYS_MOST)
		ret->why = "too many keys";
	else
		periods_judge(&t);
	keys_free(&t);
}

bool srtp_wrapped_by(const struct stream *s, int64_t at_ns)
{
	return s->first_seq + stream_packets_between(s, s->first_ns, at_ns) > UINT16_MAX;
}

bool srtp_keys_same(const struct sdp_media *a, const struct sdp_media *b)
{
	unsigned n = sdp_crypto_kept(a->rare);

	if (!span_equal_nocase(a->rare->fingerprint, b->rare->fingerprint))
		return false;
	if (n != sdp_crypto_kept(b->rare))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!same_key(&a->rare->cryptos[i], &b->rare->cryptos[i]))
			return false;
	}
	return true;
}
