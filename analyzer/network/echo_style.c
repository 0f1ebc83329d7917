/* SPDX-License-Identifier: MIT */
/*
 * echo_style: how a make of phones writes its headers (names, blanks, order). A device that writes messages anew has a
 * style of its own, and shows it on the way through it alone (3.3 E15).
 */
#include "analyzer/network/echo_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"

enum { NAME_MAX = 18, GAP_MOST = 8, HABIT = 3, COMMON_MIN = 4, PLACES = 64 };

/* Those that every phone writes, in an order of its own; all others come and go. */
static const uint8_t core[] = {
	SIP_H_VIA, SIP_H_MAX_FORWARDS, SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID, SIP_H_CSEQ, SIP_H_CONTACT, SIP_H_USER_AGENT,
	SIP_H_EXPIRES, SIP_H_ALLOW, SIP_H_SUPPORTED, SIP_H_CONTENT_TYPE, SIP_H_CONTENT_LENGTH,
};

enum { CORE = sizeof core / sizeof core[0] };

struct line {                        /* a header as it is written */
	uint8_t name, n;             /* enum sip_header_name */
	uint8_t gap;                 /* bytes between name and value; 0: no value, or folded */
	char text[NAME_MAX];
};

struct style {
	struct echo_style seen;
	struct hash_link by_make;
	uint64_t make;               /* hash of User-Agent and method */
	bool varies;
	bool says_source;            /* its Via is the public source: nothing but that can have been rewritten */
	unsigned count;
	struct line lines[CORE];     /* in the order of the message */
};

enum likeness { LIKE_UNKNOWN, LIKE_SAME, LIKE_OTHER };

/* ---- reading ---- */

static bool is_core(enum sip_header_name name)
{
	for (unsigned i = 0; i < CORE; i++) {
		if (core[i] == name)
			return true;
	}
	return false;
}

static const struct line *line_find(const struct line *lines, unsigned count, uint8_t name)
{
	for (unsigned i = 0; i < count; i++) {
		if (lines[i].name == name)
			return &lines[i];
	}
	return NULL;
}

static struct line line_of(const struct sip_header *h)
{
	struct span text = span_first(h->name_text, NAME_MAX);
	struct line l = { .name = (uint8_t)h->name, .n = (uint8_t)text.n };
	size_t gap = h->value.n ? (size_t)(h->value.p - h->name_text.p) - h->name_text.n : 0;

	memcpy(l.text, text.p, text.n);
	l.gap = (uint8_t)(gap > GAP_MOST ? 0 : gap);
	return l;
}

static unsigned lines_of(const struct sip_message *m, struct line lines[CORE])
{
	unsigned count = 0;

	for (unsigned i = 0; i < m->header_count && count < CORE; i++) {
		const struct sip_header *h = &m->headers[i];

		if (is_core(h->name) && !line_find(lines, count, (uint8_t)h->name))
			lines[count++] = line_of(h);
	}
	return count;
}

/* ---- comparing ---- */

static bool same_spelling(const struct line *a, const struct line *b)
{
	return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

static bool same_gap(const struct line *a, const struct line *b)
{
	return a->gap == b->gap || !a->gap || !b->gap;
}

/* By what both have; ret_other: the line of a that differs from b's, or stands elsewhere. */
static enum likeness compare(const struct line *a, unsigned a_count, const struct line *b, unsigned b_count,
	const struct line **ret_other)
{
	const struct line *last = NULL, *other = NULL;
	unsigned common = 0;

	for (unsigned i = 0; i < a_count; i++) {
		const struct line *there = line_find(b, b_count, a[i].name);

		if (!there)
			continue;
		common++;
		if (!other && (!same_spelling(&a[i], there) || !same_gap(&a[i], there) || (last && there < last)))
			other = &a[i];
		last = there;
	}
	if (ret_other)
		*ret_other = other;
	return common < COMMON_MIN ? LIKE_UNKNOWN : other ? LIKE_OTHER : LIKE_SAME;
}

static enum likeness like(const struct style *a, const struct style *b)
{
	return compare(a->lines, a->count, b->lines, b->count, NULL);
}

/* ---- learning ---- */

static bool same_place(const struct style *s, const struct packet *p)
{
	return s->seen.transport == p->transport && s->seen.peer.port == p->dst.port &&
	       address_equal(&s->seen.from, &p->src.addr) && address_equal(&s->seen.peer.addr, &p->dst.addr);
}

static struct style *style_find(const struct echoes *e, const struct packet *p, uint64_t make, unsigned *ret_others)
{
	*ret_others = 0;
	for (struct hash_link *it = hash_first(&e->styles, (uint32_t)make); it; it = it->next) {
		struct style *s = HASH_ENTRY(it, struct style, by_make);

		if (s->make == make && same_place(s, p))
			return s;
		*ret_others += s->make == make;
	}
	return NULL;
}

/* NULL: the table is full, or that make was met at PLACES places: enough to know its habits. */
static struct style *style_of(struct echoes *e, const struct agent *x, const struct packet *p,
	const struct sip_message *m)
{
	uint64_t make = hash_mix(x->user_agent, m->method);
	unsigned others;
	struct style *s = style_find(e, p, make, &others);

	if (s || others == PLACES || e->styles_in_order.count >= STYLE_MAX)
		return s;
	s = memory_zalloc(sizeof *s);
	s->seen = (struct echo_style){ .from = p->src.addr, .peer = p->dst, .transport = p->transport,
		.method = (uint8_t)m->method, .first_at = frame_ref_of(p) };
	s->make = make;
	s->says_source = address_known(&m->via.at) && address_equal(&m->via.at, &p->src.addr);
	s->count = lines_of(m, s->lines);
	hash_add(&e->styles, &s->by_make, (uint32_t)make);
	list_add_tail(&e->styles_in_order, &s->seen.in_order);
	return s;
}

/* The first ones, then ever more seldom: phones keep their habits until they are updated. */
static bool looked_at(uint32_t n)
{
	return n <= HABIT || (n & (n - 1)) == 0;
}

void style_message(struct echoes *e, struct agent *x, const struct packet *p, const struct sip_message *m)
{
	unsigned which = m->method == SIP_INVITE;
	struct line lines[CORE];
	struct style *s;

	if ((m->method != SIP_REGISTER && m->method != SIP_INVITE) || !m->user_agent.n)
		return;
	if (!(x->styled & 1u << which))
		x->styles[which] = style_of(e, x, p, m);
	x->styled |= (uint8_t)(1u << which);
	s = x->styles[which];
	if (!s || !looked_at(++s->seen.messages) || s->varies)
		return;
	s->varies = compare(lines, lines_of(m, lines), s->lines, s->count, NULL) == LIKE_OTHER;
}

void styles_fini(struct echoes *e)
{
	LIST_EACH_SAFE(it, &e->styles_in_order)
		free(LIST_ENTRY(it, struct style, seen.in_order));
	hash_fini(&e->styles);
}

/* ---- who is alone ---- */

static bool is_untouched(const struct echoes *e, const struct style *s)
{
	return agents_untouched(&e->agents, &s->seen.from, s->seen.transport, s->seen.peer.port);
}

/* A line between its neighbours. */
static void order_text(const struct style *s, const struct line *l, char *text, size_t room)
{
	unsigned at = (unsigned)(l - s->lines), end = at + 2 < s->count ? at + 2 : s->count;
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = at ? at - 1 : 0; i < end && n < room; i++)
		n += (size_t)snprintf(text + n, room - n, "%s%.*s", n ? ", " : "", s->lines[i].n, s->lines[i].text);
}

static void line_text(const struct line *l, char *text, size_t room)
{
	snprintf(text, room, "%.*s%s:%s", l->n, l->text, l->gap > 2 ? " " : "", l->gap > 1 ? " " : "");
}

static void tell(const struct style *here, const struct style *there, struct echo_restyled *ret)
{
	const struct line *b = NULL, *a;
	char before[ECHO_TEXT], after[ECHO_TEXT];

	(void)compare(here->lines, here->count, there->lines, there->count, &b);
	a = line_find(there->lines, there->count, b->name);
	if (same_spelling(a, b) && same_gap(a, b)) {
		snprintf(ret->field, sizeof ret->field, "order of headers");
		order_text(there, a, before, sizeof before);
		order_text(here, b, after, sizeof after);
	} else {
		snprintf(ret->field, sizeof ret->field, "spelling of headers");
		line_text(a, before, sizeof before);
		line_text(b, after, sizeof after);
	}
	text_escape(span_of(before), ret->before, sizeof ret->before);
	text_escape(span_of(after), ret->after, sizeof ret->after);
	ret->elsewhere = &there->seen;
}

bool echoes_restyled(const struct echoes *e, const struct echo_style *seen, struct echo_restyled *ret)
{
	const struct style *here = (const struct style *)seen, *there = NULL;
	unsigned places = 0;
	bool sure = false;

	if (here->varies || !here->says_source || seen->messages < HABIT || is_untouched(e, here))
		return false;
	for (struct hash_link *it = hash_first(&e->styles, (uint32_t)here->make); it; it = it->next) {
		const struct style *s = HASH_ENTRY(it, struct style, by_make);

		if (s == here || s->make != here->make || s->seen.messages < HABIT)
			continue;
		if (s->varies || like(here, s) != LIKE_OTHER || (there && like(s, there) != LIKE_SAME))
			return false;
		there = s;
		places++;
		sure |= is_untouched(e, s);
	}
	if (!there || (!sure && places < 2))
		return false;
	tell(here, there, ret);
	return true;
}

const struct list *echoes_styles(const struct echoes *e)
{
	return &e->styles_in_order;
}
