/* SPDX-License-Identifier: MIT */
/* sip_alg_harm: which failures used a field that the rewriter changed. Harm raises severity, never confidence. */
#include "analyzer/detect/sip_alg_private.h"

#include "analyzer/detect/hearing.h"

enum { CRITICAL_CALLS = 3 };

static const struct { const char *id; uint32_t fields; } uses[] = {
	{ "one-way-audio", ALG_SDP }, { "no-audio", ALG_SDP }, { "media-unreachable", ALG_SDP },
	  { "early-media-missing", ALG_SDP },
	{ "audio-missing-after-hold", ALG_SDP }, { "audio-missing-after-transfer", ALG_SDP | ALG_REFER },
	  { "codec-not-agreed", ALG_SDP },
	{ "ack-missing", ALG_CONTACT | ALG_IDENTITY }, { "call-dropped", ALG_CONTACT | ALG_IDENTITY },
	  { "invite-unanswered", ALG_CONTACT | ALG_VIA | ALG_IDENTITY },
	{ "reinvite-failed", ALG_CONTACT | ALG_IDENTITY }, { "transfer-failed", ALG_REFER | ALG_CONTACT },
	  { "sip-malformed", ALG_BODY },
	{ "registration-failed", ALG_VIA | ALG_AUTH | ALG_IDENTITY | ALG_EXPIRES },
	  { "retransmission-storm", ALG_VIA | ALG_IDENTITY },
};

static uint32_t fields_of(const char *id)
{
	for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
		if (strcmp(uses[i].id, id) == 0)
			return uses[i].fields;
	}
	return 0;
}

/* ---- audio: did the packets go, or fail to go, to the address that was written or left there? ---- */

static bool text_names(const char *text, const struct address *a)
{
	char name[ADDRESS_TEXT];
	const char *at = strstr(text, address_text(a, name));
	size_t n = strlen(name);

	/* 10.0.0.1 does not stand in 10.0.0.11 */
	return at && (at[n] < '0' || at[n] > '9') && (at == text || at[-1] < '0' || at[-1] > '9');
}

static bool direction_used(const struct direction *d, const struct alg_item *item)
{
	const struct hearing *h = hearing_of(d);
	const struct window *w = h ? h->window : NULL;

	if (!w || h->failure == FAILURE_NONE ||
	    (h->failure == FAILURE_ABSENT && h->sees == SEES_YES && h->near_sender && !h->near_receiver))
		/* seen where it begins, and not sent: no address is to blame */
		return false;
	for (unsigned i = 0; i < w->target_count; i++) {
		if (text_names(item->after, &w->targets[i].at.addr))
			return true;
	}
	return false;
}

static bool audio_used(const struct finding *x, const struct alg_item *item)
{
	const struct direction *d = x->direction;

	if (!d)
		return false;
	return direction_used(d, item) || (strcmp(x->id, "no-audio") == 0 &&
	       direction_used(direction_reverse(d), item));
}

/* ---- a Contact that leads nowhere: the phone's own packets leave from another port ---- */

static bool names_endpoint(const char *text, const struct endpoint *at)
{
	char name[ENDPOINT_TEXT];
	const char *found = strstr(text, endpoint_text(at, name));
	size_t n = strlen(name);

	return found && (found[n] < '0' || found[n] > '9') && (found == text || found[-1] < '0' || found[-1] > '9');
}

/* By what packets show, not by what headers say. */
static bool is_shown(const struct nat_mapping *m)
{
	return !m->media && m->outside.port && (m->method == NAT_TWIN || m->method == NAT_SIP_TWO_POINTS ||
	       m->method == NAT_STUN || m->method == NAT_RPORT);
}

static bool leaves_elsewhere(const struct network *n, const struct address *phone, const struct endpoint *named)
{
	bool elsewhere = false;

	LIST_EACH(it, network_mappings(n)) {
		const struct nat_mapping *m = LIST_ENTRY(it, struct nat_mapping, in_order);

		if (!is_shown(m) || !address_equal(&m->outside.addr, &named->addr))
			continue;
		if (m->outside.port == named->port)
			return false;
		elsewhere |= address_equal(&m->inside.addr, phone);
	}
	return elsewhere;
}

/* What a server sends to the Contact as the device wrote it goes where nobody listens. */
static const struct endpoint *dead_contact(const struct facts *facts, const struct finding *x,
	const struct alg_rewriter *r)
{
	if (strcmp(x->id, "invite-unanswered") != 0 || x->leg_count == 0 || !x->legs[0].leg->segment_count)
		return NULL;
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		const struct endpoint *asked = &x->legs[0].leg->segments[0].b;

		if ((e->item.fields & ALG_CONTACT) && e->item.weight == ALG_PROOF &&
		    names_endpoint(e->item.after, asked) && !names_endpoint(e->item.before, asked) &&
		    leaves_elsewhere(facts->network, &e->item.phone.addr, asked))
			return asked;
	}
	return NULL;
}

/* ---- one finding, one item ---- */

static bool harmed_by(const struct finding *x, const struct alg_item *item)
{
	uint32_t fields = fields_of(x->id) & item->fields;

	if (!fields || item->weight == ALG_AGAINST || item->weight == ALG_VETO || item->weight == ALG_CAP)
		return false;
	return fields != ALG_SDP || audio_used(x, item);
}

static bool phone_suffers(const struct finding *x, const struct alg_item *item)
{
	for (unsigned i = 0; i < x->host_count; i++) {
		if (x->hosts[i].part == PART_VICTIM && address_equal(&x->hosts[i].at.addr, &item->phone.addr))
			return true;
	}
	return false;
}

/* Items of a call by its leg, so that many findings are not compared with many items. */
struct by_leg {
	struct hash_link link;
	const struct alg_entry *entry;
};

static uint32_t leg_hash(const struct leg *leg)
{
	return (uint32_t)hash_mix((uintptr_t)leg, 1);
}

static struct hash index_make(struct arena *arena, const struct alg_rewriter *r)
{
	struct hash index;

	hash_init(&index);
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		struct by_leg *b = arena_zalloc(arena, sizeof *b);

		b->entry = e;
		hash_add(&index, &b->link, leg_hash(e->item.leg));
	}
	return index;
}

static bool harmed_in(const struct finding *x, const struct leg *leg, const struct hash *index)
{
	uint32_t hash = leg_hash(leg);

	for (struct hash_link *it = hash_first(index, hash); it; it = it->next) {
		const struct alg_item *item = &HASH_ENTRY(it, struct by_leg, link)->entry->item;

		if (it->hash == hash && item->leg == leg && harmed_by(x, item) && (leg || phone_suffers(x, item)))
			return true;
	}
	return false;
}

static bool harmed(const struct facts *facts, const struct finding *x, const struct alg_rewriter *r,
	const struct hash *index)
{
	if (x->state == FINDING_WITHDRAWN || !fields_of(x->id))
		return false;
	if (dead_contact(facts, x, r))
		return true;
	for (unsigned i = 0; i < x->leg_count; i++) {
		if (harmed_in(x, x->legs[i].leg, index))
			return true;
	}
	return x->leg_count == 0 && harmed_in(x, NULL, index);
}

/* ---- all of them ---- */

static bool blames(const struct finding *x, const struct address *host)
{
	for (unsigned i = 0; i < x->host_count; i++) {
		if (x->hosts[i].part == PART_CULPRIT && address_equal(&x->hosts[i].at.addr, host))
			return true;
	}
	return false;
}

/* Messages of the sort that SIP helpers refuse, gone in the same device. */
static bool drops(const struct finding *x, const struct address *host)
{
	static const char *const refused[] = { "sdp-port-privileged", "sdp-address-family", "sdp-no-connection",
		"no-content-length", "media-port-clash" };

	if (x->state == FINDING_WITHDRAWN || strcmp(x->id, "dropped-in-path") != 0 ||
	    x->confidence <= CONFIDENCE_POSSIBLE || !blames(x, host))
		return false;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		if (strcmp(x->reason, refused[i]) == 0)
			return true;
	}
	return false;
}

static unsigned registrations_failed(const struct facts *facts)
{
	unsigned failed = 0;

	LIST_EACH(it, calls_registrations(facts->calls))
		failed += !LIST_ENTRY(it, struct registration, in_order)->succeeded;
	return failed;
}

/* A length that no longer fits lets the receiver cut the session description. */
static bool cuts_bodies(const struct alg_rewriter *r)
{
	for (const struct alg_entry *e = r->first; e; e = e->next) {
		if (e->item.weight == ALG_PROOF && (e->item.fields & ALG_BODY))
			return true;
	}
	return false;
}

struct alg_harm alg_harm_of(const struct facts *facts, const struct alg_rewriter *r)
{
	struct alg_harm harm = { .severity = SEVERITY_WARNING, .cuts = cuts_bodies(r) };
	struct arena *arena = arena_new();
	struct hash index = index_make(arena, r);
	size_t registrations = calls_registrations(facts->calls)->count;

	LIST_EACH(it, findings_in_order(facts->findings)) {
		const struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		harm.drops |= address_known(&r->where.host) && drops(x, &r->where.host);
		if (!harmed(facts, x, r, &index))
			continue;
		if (!harm.dead_contact)
			harm.dead_contact = dead_contact(facts, x, r);
		harm.findings++;
		harm.calls += x->leg_count ? x->legs_total : 0;
		harm.registrations += x->leg_count == 0;
	}
	for (const struct alg_entry *e = r->first; e; e = e->next)
		harm.discarded |= e->item.discarded;
	if (harm.findings || harm.drops || harm.cuts || harm.discarded)
		harm.severity = SEVERITY_ERROR;
	if (harm.calls >= CRITICAL_CALLS || (harm.registrations && registrations_failed(facts) * 2 >= registrations))
		harm.severity = SEVERITY_CRITICAL;
	hash_fini(&index);
	arena_free(arena);
	return harm;
}

void alg_harm_link(const struct facts *facts, const struct alg_rewriter *r, struct finding *f)
{
	struct arena *arena = arena_new();
	struct hash index = index_make(arena, r);

	LIST_EACH(it, findings_in_order(facts->findings)) {
		struct finding *x = LIST_ENTRY(it, struct finding, in_order);

		if (x != f && harmed(facts, x, r, &index))
			x->caused_by = f;
	}
	hash_fini(&index);
	arena_free(arena);
}
