/* SPDX-License-Identifier: MIT */
/* watch: SUBSCRIBE and NOTIFY as they pass. */
#include "analyzer/calls/watch.h"

#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { WATCHES_MAX = 8192, CALL_ID_MAX = 256, USER_MAX = 128 };

struct watches {
	size_t max, max_bytes, bytes;        /* bytes: of watches, subjects and their lists */
	struct hash by_id, by_subject;
	struct list order, used;
	unsigned next, next_subject;
	uint64_t evicted;
};

struct watches *watches_new(size_t max, size_t max_bytes)
{
	struct watches *w = memory_zalloc(sizeof *w);

	w->max = max ? max : WATCHES_MAX;
	w->max_bytes = max_bytes;
	hash_init(&w->by_id);
	hash_init(&w->by_subject);
	list_init(&w->order);
	list_init(&w->used);
	return w;
}

static size_t watch_bytes(const struct watch *w)
{
	return sizeof *w + w->call_id.n + w->entity_user.n + w->ask_room * sizeof *w->asks + w->note_room * sizeof *w->notes;
}

static void watch_free(struct watches *all, struct watch *w)
{
	struct subject *s = w->subject;

	all->bytes -= watch_bytes(w);
	hash_remove(&all->by_id, &w->by_id);
	list_remove(&all->order, &w->in_order);
	list_remove(&all->used, &w->in_use);
	list_remove(&s->watches, &w->in_subject);
	if (s->watches.count == 0) {
		hash_remove(&all->by_subject, &s->by_key);
		all->bytes -= sizeof *s;
		free(s);
	}
	free((void *)w->call_id.p);
	free((void *)w->entity_user.p);
	free(w->asks);
	free(w->notes);
	free(w);
}

void watches_free(struct watches *w)
{
	if (!w)
		return;
	while (w->order.count)
		watch_free(w, LIST_ENTRY(w->order.head.next, struct watch, in_order));
	hash_fini(&w->by_id);
	hash_fini(&w->by_subject);
	free(w);
}

/* ---- which one ---- */

static uint64_t hash_of(struct span s)
{
	return hash_bytes(s.p, s.n);
}

static bool from_watcher(const struct sip_message *sip)
{
	return sip->request == (sip->method == SIP_SUBSCRIBE);
}

/* Between two hosts, whichever of them sends; ports may change. */
static uint64_t id_of(const struct packet *p, const struct sip_message *sip)
{
	struct span tag = sip->method == SIP_SUBSCRIBE ? sip->from.tag : sip->to.tag;
	const struct address *watcher = from_watcher(sip) ? &p->src.addr : &p->dst.addr,
		*notifier = from_watcher(sip) ? &p->dst.addr : &p->src.addr;
	uint64_t ends = hash_mix(hash_bytes(watcher, sizeof *watcher), hash_bytes(notifier, sizeof *notifier));

	return hash_mix(hash_mix(hash_of(sip->call_id), hash_of(tag)), ends);
}

static struct watch *watch_find(const struct watches *all, uint64_t id)
{
	for (struct hash_link *it = hash_first(&all->by_id, (uint32_t)id); it; it = it->next) {
		struct watch *w = HASH_ENTRY(it, struct watch, by_id);

		if (w->id == id)
			return w;
	}
	return NULL;
}

static struct subject *subject_get(struct watches *all, uint64_t key)
{
	struct subject *s;

	for (struct hash_link *it = hash_first(&all->by_subject, (uint32_t)key); it; it = it->next) {
		s = HASH_ENTRY(it, struct subject, by_key);
		if (s->key == key)
			return s;
	}
	s = memory_zalloc(sizeof *s);
	all->bytes += sizeof *s;
	s->key = key;
	s->n = ++all->next_subject;
	s->accepted_ns = NS_NONE;
	list_init(&s->watches);
	hash_add(&all->by_subject, &s->by_key, (uint32_t)key);
	return s;
}

static struct span kept(struct span s, size_t max)
{
	uint8_t *copy;

	s = span_first(s, max);
	if (s.n == 0)
		return SPAN_NONE;
	copy = memory_resize(NULL, s.n, 1);
	memcpy(copy, s.p, s.n);
	return (struct span){ copy, s.n };
}

/* The one that has been silent for longest. */
static void watch_evict(struct watches *all)
{
	watch_free(all, LIST_ENTRY(all->used.head.next, struct watch, in_use));
	all->evicted++;
}

static struct watch *watch_new(struct watches *all, const struct packet *p, uint64_t id, bool presence)
{
	const struct sip_message *sip = p->sip;
	bool asks = sip->method == SIP_SUBSCRIBE;
	const struct sip_address *watcher = asks ? &sip->from : &sip->to, *entity = asks ? &sip->to : &sip->from;
	struct watch *w;
	uint64_t key;

	if (all->order.count >= all->max)
		watch_evict(all);
	w = memory_zalloc(sizeof *w);
	w->id = id;
	w->n = ++all->next;
	w->presence = presence;
	w->begun = asks && sip->to.tag.n == 0;
	w->call_id = kept(sip->call_id, CALL_ID_MAX);
	w->entity_user = kept(entity->user, USER_MAX);
	text_escape(watcher->user.n ? watcher->user : watcher->host, w->watcher, sizeof w->watcher);
	text_escape(entity->user.n ? entity->user : entity->host, w->entity, sizeof w->entity);
	w->watcher_at = asks ? p->src : p->dst;
	w->notifier_at = asks ? p->dst : p->src;
	w->first_ns = p->at_ns;
	w->unseen_ns = NS_NONE;
	key = hash_mix(hash_mix(hash_of(watcher->user), hash_of(watcher->host)),
		hash_mix(hash_of(entity->user), presence));
	w->subject = subject_get(all, key);
	list_add_tail(&w->subject->watches, &w->in_subject);
	hash_add(&all->by_id, &w->by_id, (uint32_t)id);
	list_add_tail(&all->order, &w->in_order);
	list_add_tail(&all->used, &w->in_use);
	all->bytes += watch_bytes(w);
	return w;
}

/* ---- SUBSCRIBE ---- */

static bool over_stream(const struct packet *p)
{
	return p->transport != TRANSPORT_UDP;
}

/* Room for one more at the end; of a full list the oldest goes. */
static void *list_room(void *list, unsigned *count, unsigned *room, unsigned max, size_t size, uint64_t *dropped)
{
	char *bytes = list;

	if (*count == max) {
		memmove(bytes, bytes + size, (max - 1) * size);
		(*count)--;
		(*dropped)++;
	}
	if (*count == *room) {
		*room = *room ? *room * 2 : 4;
		bytes = memory_resize(bytes, *room, size);
	}
	memset(bytes + *count * size, 0, size);
	(*count)++;
	return bytes;
}

static struct watch_ask *ask_of(struct watch *w, uint32_t cseq)
{
	for (unsigned i = w->ask_count; i-- > 0;) {
		if (w->asks[i].cseq == cseq)
			return &w->asks[i];
	}
	return NULL;
}

static void asked(struct watch *w, const struct packet *p)
{
	const struct sip_message *sip = p->sip;
	struct watch_ask *a = ask_of(w, sip->cseq);

	if (a) {
		a->copies++;
		a->last_ns = p->at_ns;
		return;
	}
	w->asks = list_room(w->asks, &w->ask_count, &w->ask_room, WATCH_ASK_MAX, sizeof *a, &w->dropped);
	a = &w->asks[w->ask_count - 1];
	a->at = frame_ref_of(p);
	a->last_ns = p->at_ns;
	a->cseq = sip->cseq;
	a->copies = 1;
	a->expires_s = sip->has_expires ? sip->expires_s : 3600;
	a->credentials = sip_header_find(sip, SIP_H_AUTHORIZATION) || sip_header_find(sip, SIP_H_PROXY_AUTHORIZATION);
	a->stream = over_stream(p);
	w->watcher_at = p->src;
	w->notifier_at = p->dst;
}

static void ask_answered(struct watch *w, const struct packet *p)
{
	const struct sip_message *sip = p->sip;
	struct watch_ask *a = ask_of(w, sip->cseq);

	if (!a || a->status || sip->status < 200)
		return;
	a->status = (uint16_t)sip->status;
	a->final_at = frame_ref_of(p);
	if (sip->status < 300 && w->subject->accepted_ns == NS_NONE)
		w->subject->accepted_ns = p->at_ns;
	a->granted_s = sip->status < 300 ? sip->has_expires ? sip->expires_s : a->expires_s : 0;
}

/* ---- NOTIFY ---- */

static struct watch_note *note_of(struct watch *w, uint32_t cseq)
{
	for (unsigned i = w->note_count; i-- > 0;) {
		if (w->notes[i].cseq == cseq)
			return &w->notes[i];
	}
	return NULL;
}

static void dialog_set(struct watch *w, struct span id, unsigned state)
{
	uint64_t key = hash_of(id);

	for (unsigned i = 0; i < w->dialog_count; i++) {
		if (w->dialogs[i].id == key) {
			w->dialogs[i].state = state;
			return;
		}
	}
	if (w->dialog_count == WATCH_DIALOG_MAX)
		return;
	w->dialogs[w->dialog_count].id = key;
	w->dialogs[w->dialog_count++].state = state;
}

/* The claim that stands after this body. */
static void take_info(struct watch *w, struct watch_note *n, struct span body)
{
	struct dialog_info info;

	if (!dialog_info_parse(body, &info))
		return;
	n->has_info = true;
	n->full = info.full;
	n->has_version = info.has_version;
	n->version = info.version;
	if (info.full) {
		w->dialog_count = 0;
		w->part_lost = false;
	}
	n->cut = w->part_lost;
	for (unsigned i = 0; i < info.count; i++)
		dialog_set(w, info.dialogs[i].id, info.dialogs[i].state);
	for (unsigned i = 0; i < w->dialog_count; i++)
		n->claim |= w->dialogs[i].state & ~(unsigned)DIALOG_INFO_TERMINATED;
}

static void take_state(struct watch_note *n, const struct sip_message *sip)
{
	struct span rest = sip_header_value(sip, SIP_H_SUBSCRIPTION_STATE), state = SPAN_NONE,
		params = span_from(rest, span_find(rest, ';')), expires;
	uint64_t seconds;

	n->terminated = rest.n && span_split(&rest, ';', &state) &&
		span_equal_nocase(span_trim(state), SPAN("terminated"));
	n->expires_s = sip_parameter(params, SPAN("expires"), &expires) &&
		span_number(expires, UINT32_MAX - 1, &seconds) ? (uint32_t)seconds : UINT32_MAX;
}

static void noted(struct watch *w, const struct packet *p)
{
	const struct sip_message *sip = p->sip;
	struct watch_note *n = note_of(w, sip->cseq);

	if (n) {
		n->copies++;
		n->last_ns = p->at_ns;
		return;
	}
	w->notes = list_room(w->notes, &w->note_count, &w->note_room, WATCH_NOTE_MAX, sizeof *n, &w->dropped);
	n = &w->notes[w->note_count - 1];
	n->at = frame_ref_of(p);
	n->src = p->src;
	n->dst = p->dst;
	n->last_ns = p->at_ns;
	n->cseq = sip->cseq;
	n->copies = 1;
	n->bytes = p->wire_bytes;
	n->stream = over_stream(p);
	n->fragmented = p->fragments > 1;
	take_state(n, sip);
	if (sip->flaws & SIP_FLAW_BODY_CUT)
		n->cut = w->part_lost = true;
	else
		take_info(w, n, sip->body);
}

static void note_answered(struct watch *w, const struct packet *p)
{
	struct watch_note *n = note_of(w, p->sip->cseq);

	if (p->sip->status < 200)
		return;
	if (!n && p->at_ns > w->unseen_ns)
		w->unseen_ns = p->at_ns;
	if (!n || n->status)
		return;
	n->status = (uint16_t)p->sip->status;
	n->final_at = frame_ref_of(p);
}

/* Of lamps and presence; the subscription that a REFER makes, message waiting and the like are none. */
static bool watches_event(const struct sip_message *sip, bool *ret_presence)
{
	struct span rest = sip_header_value(sip, SIP_H_EVENT), event = SPAN_NONE;

	if (!rest.n || !span_split(&rest, ';', &event))
		return false;
	event = span_trim(event);
	*ret_presence = span_equal_nocase(event, SPAN("presence"));
	return *ret_presence || span_equal_nocase(event, SPAN("dialog"));
}

void watches_packet(struct watches *all, const struct packet *p)
{
	const struct sip_message *sip = p->sip;
	struct watch *w;
	bool presence = false;
	uint64_t id;

	if ((sip->method != SIP_SUBSCRIBE && sip->method != SIP_NOTIFY) || !sip->call_id.n || !sip->has_cseq)
		return;
	id = id_of(p, sip);
	w = watch_find(all, id);
	if (!w && (!sip->request || !watches_event(sip, &presence) || (sip->method == SIP_NOTIFY && !sip->to.tag.n)))
		return;
	if (!w)
		w = watch_new(all, p, id, presence);
	list_remove(&all->used, &w->in_use);
	list_add_tail(&all->used, &w->in_use);
	w->last_ns = p->at_ns;
	all->bytes -= watch_bytes(w);
	if (sip->method == SIP_SUBSCRIBE)
		(sip->request ? asked : ask_answered)(w, p);
	else
		(sip->request ? noted : note_answered)(w, p);
	all->bytes += watch_bytes(w);
	while (all->max_bytes && all->bytes > all->max_bytes && all->order.count > 1)
		watch_evict(all);
}

const struct list *watches_in_order(const struct watches *w)
{
	return &w->order;
}

uint64_t watches_evicted(const struct watches *w)
{
	return w->evicted;
}
