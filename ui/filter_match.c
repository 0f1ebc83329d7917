/* SPDX-License-Identifier: MIT */
/*
 * filter_match: a filter's tree held against a call and what belongs to it. A field with several values matches when
 * one does.
 */
#include "ui/filter.h"

#include <stdio.h>
#include <strings.h>

#include "ui/filter_node.h"
#include "ui/hears.h"
#include "ui/words.h"

enum { VALUE_BYTES = 512 };

/* A term meets the values of its field one by one. */
struct probe {
	const struct filter_node *term;
	bool known, hit;
};

/*
 * '*' stands for any text. Both are NUL-terminated; linear but for the last star, so never worse than the product of
 * the lengths.
 */
static bool glob(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (strncasecmp(pattern, text, 1) == 0) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool equal_text(const struct filter_item *item, const char *text)
{
	if (!item->quoted && strchr(item->text, '*'))
		return glob(item->text, text);
	return strcasecmp(item->text, text) == 0;
}

static bool part_of_text(const struct filter_item *item, const char *text)
{
	if (!item->quoted && strchr(item->text, '*'))
		return glob(item->text, text);
	return span_find_text_nocase(span_of(text), span_of(item->text)) < strlen(text) || !*item->text;
}

static bool end_of_number(const struct filter_item *item, const char *text)
{
	size_t n = strlen(item->text), all = strlen(text);

	if (!words_is_number(item->text) || strchr(item->text, '*'))
		return part_of_text(item, text);
	return n <= all && (strncasecmp(text, item->text, n) == 0 || strcasecmp(text + all - n, item->text) == 0);
}

/* "sip-alg/rewritten-sdp": the id alone is equal too. */
static bool equal_id(const struct filter_item *item, const char *text)
{
	char id[VALUE_BYTES];

	snprintf(id, sizeof id, "%.*s", (int)strcspn(text, "/"), text);
	return equal_text(item, text) || equal_text(item, id);
}

bool filter_id_has(enum filter_op op, const struct filter_item *item, const char *text)
{
	if (op == OP_HAS && (item->quoted || !strchr(item->text, '*')))
		return span_starts_nocase(span_of(text), span_of(item->text));
	return equal_id(item, text);
}

static bool item_has_text(const struct probe *p, const struct filter_item *item, const char *text)
{
	enum filter_sort sort = filter_fields[p->term->field].sort;

	if (sort == SORT_ID)
		return filter_id_has(p->term->op, item, text);
	if (p->term->op != OP_HAS)
		return equal_text(item, text);
	if (sort == SORT_PHONE)
		return end_of_number(item, text);
	return part_of_text(item, text);
}

static void probe_chars(struct probe *p, const char *text)
{
	if (!text || !*text)
		return;
	p->known = true;
	if (p->term->op == OP_REGEX) {
		p->hit |= regexec(p->term->regex, text, 0, NULL, 0) == 0;
		return;
	}
	for (const struct filter_item *item = p->term->items; item; item = item->next)
		p->hit |= !item->unknown && item_has_text(p, item, text);
}

static void probe_span(struct probe *p, struct span s)
{
	char text[VALUE_BYTES];

	probe_chars(p, text_escape(s, text, sizeof text));
}

static void probe_number(struct probe *p, double value)
{
	p->known = true;
	for (const struct filter_item *item = p->term->items; item; item = item->next) {
		if (item->unknown)
			continue;
		switch (p->term->op) {
		case OP_HAS:
		case OP_EQUAL:
		case OP_NOT_EQUAL:
			p->hit |= value >= item->low && value <= item->high;
			break;
		case OP_LESS:
			p->hit |= value < item->low;
			break;
		case OP_AT_MOST:
			p->hit |= value <= item->low;
			break;
		case OP_MORE:
			p->hit |= value > item->low;
			break;
		case OP_AT_LEAST:
			p->hit |= value >= item->low;
			break;
		case OP_REGEX:
			break;
		}
	}
}

static bool time_fits(enum filter_op op, const struct filter_item *item, int64_t at_ns)
{
	switch (op) {
	case OP_HAS:
	case OP_EQUAL:
	case OP_NOT_EQUAL:
		return at_ns >= item->from_ns && (item->range ? at_ns <= item->last_ns : at_ns < item->to_ns);
	case OP_LESS:
		return at_ns < item->from_ns;
	case OP_AT_MOST:
		return at_ns < item->to_ns;
	case OP_MORE:
		return at_ns >= item->to_ns;
	case OP_AT_LEAST:
		return at_ns >= item->from_ns;
	case OP_REGEX:
		break;
	}
	return false;
}

static void probe_time(struct probe *p, int64_t at_ns)
{
	if (at_ns == NS_NONE)
		return;
	p->known = true;
	for (const struct filter_item *item = p->term->items; item; item = item->next)
		p->hit |= !item->unknown && time_fits(p->term->op, item, at_ns);
}

/* since, until: what touches the time from there on, up to there. */
static void probe_bound(struct probe *p, int64_t at_ns, bool until)
{
	if (at_ns == NS_NONE)
		return;
	p->known = true;
	for (const struct filter_item *item = p->term->items; item; item = item->next) {
		bool within = until ? at_ns < item->to_ns : at_ns >= item->from_ns;

		if (p->term->op == OP_HAS || p->term->op == OP_EQUAL || p->term->op == OP_NOT_EQUAL)
			p->hit |= !item->unknown && (item->range ? at_ns >= item->from_ns &&
				at_ns <= item->last_ns : within);
		else
			p->hit |= !item->unknown && time_fits(p->term->op, item, at_ns);
	}
}

static bool in_net(const struct address *a, const struct address *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (a->family != net->family || memcmp(a->bytes, net->bytes, whole) != 0)
		return false;
	return rest == 0 || (a->bytes[whole] ^ net->bytes[whole]) >> (8 - rest) == 0;
}

static void probe_address(struct probe *p, const struct filter_subject *s, const struct address *a)
{
	const char *name = names_find(s->names, a);
	char text[ADDRESS_TEXT];

	if (!address_known(a))
		return;
	p->known = true;
	if (p->term->op == OP_REGEX) {
		probe_chars(p, address_text(a, text));
		probe_chars(p, name);
		return;
	}
	for (const struct filter_item *item = p->term->items; item; item = item->next) {
		if (item->net.family)
			p->hit |= in_net(a, &item->net, item->bits);
		else if (!item->unknown)
			p->hit |= part_of_text(item, address_text(a, text)) || (name && part_of_text(item, name));
	}
}

typedef void endpoint_fn(struct probe *p, const struct filter_subject *s, const struct endpoint *e);

static void endpoint_host(struct probe *p, const struct filter_subject *s, const struct endpoint *e)
{
	probe_address(p, s, &e->addr);
}

static void endpoint_port(struct probe *p, const struct filter_subject *s, const struct endpoint *e)
{
	(void)s;
	if (address_known(&e->addr) && e->port)
		probe_number(p, e->port);
}

static void each_call_endpoint(struct probe *p, const struct filter_subject *s, const struct view_call *c,
	endpoint_fn *fn)
{
	fn(p, s, &c->from_at);
	fn(p, s, &c->to_at);
	for (unsigned i = 0; i < c->leg_count; i++) {
		for (unsigned j = 0; j < c->legs[i].hop_count; j++) {
			fn(p, s, &c->legs[i].hops[j].a);
			fn(p, s, &c->legs[i].hops[j].b);
		}
	}
	for (unsigned i = 0; i < c->media_count; i++) {
		fn(p, s, &c->media[i].from);
		fn(p, s, &c->media[i].to);
	}
}

static void each_endpoint(struct probe *p, const struct filter_subject *s, endpoint_fn *fn)
{
	if (s->call)
		each_call_endpoint(p, s, s->call, fn);
	for (size_t i = 0; i < s->stream_count; i++) {
		fn(p, s, &s->streams[i]->src);
		fn(p, s, &s->streams[i]->dst);
	}
	for (size_t i = 0; i < s->finding_count; i++)
		for (unsigned j = 0; j < s->findings[i]->host_count; j++)
			fn(p, s, &s->findings[i]->hosts[j].at);
}

/* The word of the filter's list that says how one side hears. */
static void probe_heard(struct probe *p, const struct view_call *c, unsigned hearer)
{
	enum heard heard = hearer == 0 ? c->caller_hears : c->callee_hears;
	double place = 4;                       /* yes poor sent no unknown */

	if (heard == HEARD_NOT_EXPECTED)
		return;
	if (heard == HEARD_UNKNOWN && hears_packets(c, hearer))
		place = 2;
	else if (heard == HEARD_NO)
		place = 3;
	else if (heard != HEARD_UNKNOWN)
		place = heard == HEARD_POOR;
	probe_number(p, place);
}

static void probe_worst(struct probe *p, const struct view_call *c, double (*value)(const struct view_direction *))
{
	double worst = -1;

	for (unsigned i = 0; i < c->media_count; i++)
		if (value(&c->media[i]) > worst)
			worst = value(&c->media[i]);
	if (worst >= 0)
		probe_number(p, worst);
}

static double direction_loss(const struct view_direction *d)
{
	return d->loss_percent;
}

static double direction_jitter(const struct view_direction *d)
{
	return d->jitter_ms;
}

static void probe_mos(struct probe *p, const struct view_call *c)
{
	double worst = c->caller_mos;

	if (worst < 0 || (c->callee_mos >= 0 && c->callee_mos < worst))
		worst = c->callee_mos;
	if (worst >= 0)
		probe_number(p, worst);
}

static void probe_methods(struct probe *p, const struct filter_subject *s)
{
	struct view_message m;

	for (size_t i = 0; !p->hit && view_message(s->engine, s->call_index, i, &m); i++)
		if (m.status == 0)
			probe_span(p, m.method);
}

/* A frame of the call: of a message, within a stream, of evidence. */
static void probe_frames(struct probe *p, const struct filter_subject *s)
{
	struct view_message m;

	for (size_t i = 0; s->call && view_message(s->engine, s->call_index, i, &m); i++)
		probe_number(p, m.frame);
	for (size_t i = 0; i < s->stream_count; i++) {
		const struct view_stream *st = s->streams[i];
		bool exact = p->term->op == OP_HAS || p->term->op == OP_EQUAL || p->term->op == OP_NOT_EQUAL;

		probe_number(p, st->first_frame);
		probe_number(p, st->last_frame);
		for (const struct filter_item *item = p->term->items; exact && item; item = item->next)
			p->hit |= !item->unknown && item->low <= st->last_frame && item->high >= st->first_frame;
	}
	for (size_t i = 0; i < s->finding_count; i++)
		for (unsigned j = 0; j < s->findings[i]->evidence_count; j++)
			if (s->findings[i]->evidence[j].frame)
				probe_number(p, s->findings[i]->evidence[j].frame);
}

static size_t place_of(const char *const *words, const char *word)
{
	size_t i = 0;

	while (words[i] && strcmp(words[i], word) != 0)
		i++;
	return i;
}

static void probe_finding(struct probe *p, const struct view_finding *f)
{
	const struct filter_field_info *info = &filter_fields[p->term->field];
	char id[VALUE_BYTES];

	if (p->term->field == FIELD_FINDING) {
		snprintf(id, sizeof id, "%s/%s", f->id, f->reason ? f->reason : "");
		probe_chars(p, id);
	} else if (p->term->field == FIELD_SEVERITY) {
		probe_number(p, (double)place_of(info->words, f->severity));
	} else if (p->term->field == FIELD_CONFIDENCE) {
		probe_number(p, (double)place_of(info->words, f->confidence));
	} else if (p->term->field == FIELD_INCIDENT && f->incident) {
		probe_number(p, f->incident);
	}
}

static void probe_hosts(struct probe *p, const struct filter_subject *s)
{
	for (size_t i = 0; i < s->host_count; i++) {
		const struct view_host *h = s->hosts[i];

		for (unsigned j = 0; p->term->field == FIELD_VLAN && j < h->vlan_count; j++)
			probe_number(p, h->vlans[j]);
		for (unsigned j = 0; p->term->field == FIELD_TRANSPORT && j < h->transport_count; j++)
			probe_chars(p, h->transports[j]);
	}
}

/* Where a call has come to: its end, or the end of what was seen of it. */
static int64_t call_last(const struct view_call *c)
{
	return c->end_ns != NS_NONE ? c->end_ns : INT64_MAX;
}

static void probe_call_times(struct probe *p, const struct view_call *c)
{
	if (p->term->field == FIELD_START)
		probe_time(p, c->start_ns);
	else if (p->term->field == FIELD_END)
		probe_time(p, c->end_ns);
	else if (p->term->field == FIELD_SINCE)
		probe_bound(p, call_last(c), false);
	else
		probe_bound(p, c->start_ns, true);
}

static void probe_phones(struct probe *p, const struct filter_subject *s)
{
	char text[ADDRESS_TEXT];

	probe_span(p, s->call->from);
	probe_span(p, s->call->to);
	for (unsigned i = 0; i < 2; i++) {
		const struct address *a = i ? &s->call->to_at.addr : &s->call->from_at.addr;

		if (address_known(a))
			probe_chars(p, address_text(a, text));
		probe_chars(p, names_find(s->names, a));
	}
}

static void probe_call(struct probe *p, const struct filter_subject *s)
{
	const struct view_call *c = s->call;

	switch (p->term->field) {
	case FIELD_CALL:
		probe_number(p, c->n);
		break;
	case FIELD_FROM:
		probe_span(p, c->from);
		break;
	case FIELD_TO:
		probe_span(p, c->to);
		break;
	case FIELD_NUMBER:
		probe_span(p, c->from);
		probe_span(p, c->to);
		break;
	case FIELD_PHONE:
		probe_phones(p, s);
		break;
	case FIELD_CALLID:
		for (unsigned i = 0; i < c->call_id_count; i++)
			probe_span(p, c->call_ids[i]);
		break;
	case FIELD_STATE:
		probe_chars(p, c->state);
		break;
	case FIELD_STATUS:
		if (c->status)
			probe_number(p, c->status);
		break;
	case FIELD_TALK:
		if (c->answer_ns != NS_NONE && c->end_ns != NS_NONE)
			probe_number(p, (double)ns_minus(c->end_ns, c->answer_ns) / MILLISECOND_NS);
		break;
	case FIELD_SETUP:
		if (c->setup_ms >= 0)
			probe_number(p, c->setup_ms);
		break;
	case FIELD_START:
	case FIELD_END:
	case FIELD_SINCE:
	case FIELD_UNTIL:
		probe_call_times(p, c);
		break;
	case FIELD_HEARD:
		probe_heard(p, c, 0);
		probe_heard(p, c, 1);
		break;
	case FIELD_CALLER:
		probe_heard(p, c, 0);
		break;
	case FIELD_CALLEE:
		probe_heard(p, c, 1);
		break;
	case FIELD_MOS:
		probe_mos(p, c);
		break;
	case FIELD_LOSS:
		probe_worst(p, c, direction_loss);
		break;
	case FIELD_JITTER:
		probe_worst(p, c, direction_jitter);
		break;
	case FIELD_CODEC:
		for (unsigned i = 0; i < c->media_count; i++)
			probe_chars(p, c->media[i].codec);
		break;
	case FIELD_UA:
		probe_span(p, c->from_agent);
		probe_span(p, c->to_agent);
		break;
	case FIELD_POINT:
		probe_chars(p, c->vantage);
		break;
	case FIELD_METHOD:
		probe_methods(p, s);
		break;
	case FIELD_CONFIDENCE:
	case FIELD_DSCP:
	case FIELD_FINDING:
	case FIELD_FRAME:
	case FIELD_HOST:
	case FIELD_INCIDENT:
	case FIELD_PORT:
	case FIELD_SEVERITY:
	case FIELD_TRANSPORT:
	case FIELD_VLAN:
	case FIELD_COUNT:
		break;                  /* not of the call alone */
	}
}

static void probe_subject(struct probe *p, const struct filter_subject *s)
{
	enum filter_field field = p->term->field;

	if (s->call)
		probe_call(p, s);
	if (field == FIELD_HOST)
		each_endpoint(p, s, endpoint_host);
	else if (field == FIELD_PORT)
		each_endpoint(p, s, endpoint_port);
	else if (field == FIELD_FRAME)
		probe_frames(p, s);
	else
		probe_hosts(p, s);
	for (size_t i = 0; i < s->finding_count; i++) {
		probe_finding(p, s->findings[i]);
		if (!s->call && (field == FIELD_SINCE || field == FIELD_UNTIL))
			probe_bound(p, field == FIELD_SINCE ? s->findings[i]->last_ns : s->findings[i]->first_ns,
				field == FIELD_UNTIL);
	}
	for (size_t i = 0; i < s->stream_count && field == FIELD_DSCP; i++)
		if (s->streams[i]->dscp >= 0)
			probe_number(p, s->streams[i]->dscp);
}

static bool term_match(const struct filter_node *term, const struct filter_subject *s)
{
	struct probe p = { .term = term };
	bool unknown_asked = false, hit;

	probe_subject(&p, s);
	for (const struct filter_item *item = term->items; item; item = item->next)
		unknown_asked |= item->unknown;
	hit = p.hit || (unknown_asked && !p.known);
	if (term->op == OP_NOT_EQUAL)
		return (p.known || unknown_asked) && !hit;
	return hit;
}

/* A word looks into number, name, address, user agent, Call-ID, id. */
static bool word_match(const struct filter_node *word, const struct filter_subject *s)
{
	static const enum filter_field fields[] = { FIELD_NUMBER, FIELD_PHONE, FIELD_UA, FIELD_CALLID, FIELD_FINDING,
		FIELD_HOST };
	struct filter_item item = *word->items;
	bool hit = false;

	if (!address_parse(span_of(item.text), &item.net))
		item.net.family = 0;
	item.bits = item.net.family == 4 ? 32 : 128;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0] && !hit; i++) {
		struct filter_node term = { .kind = NODE_TERM, .op = OP_HAS, .field = fields[i], .items = &item };

		hit = term_match(&term, s);
	}
	return hit;
}

static bool node_match(const struct filter_node *node, const struct filter_subject *s)
{
	switch (node->kind) {
	case NODE_ALL:
		for (const struct filter_node *n = node->first; n; n = n->next)
			if (!node_match(n, s))
				return false;
		return true;
	case NODE_ANY:
		for (const struct filter_node *n = node->first; n; n = n->next)
			if (node_match(n, s))
				return true;
		return false;
	case NODE_NOT:
		return !node_match(node->first, s);
	case NODE_TERM:
		return term_match(node, s);
	case NODE_WORD:
		return word_match(node, s);
	}
	return false;
}

bool filter_match(const struct filter *f, const struct filter_subject *s)
{
	return node_match(f->root, s);
}
