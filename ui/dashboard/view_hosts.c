/* SPDX-License-Identifier: MIT */
/*
 * view_hosts: who is here and what it is; below, which inside address stands for which outside one, and what says so.
 */
#include "ui/dashboard/parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/words.h"

enum { PANE_HOSTS, PANE_NAT };
enum { ADDRESS_COLUMNS = 24, ROLE_COLUMNS = 20, PORT_COLUMNS = 14, DEVICE_FROM = 100 };
/* Where addresses need more, and the row is short. */
enum { ROLE_LEAST = 10, PORT_LEAST = 12, DSCP_COLUMNS = 5 };

struct widths { unsigned addr, role, port; };

static size_t count(const struct looking *k)
{
	struct view_host *h = memory_zalloc(sizeof *h);
	struct view_nat nat;
	size_t n = 0;

	if (k->pane == PANE_HOSTS)
		while (view_host(k->w->engine, n, h))
			n++;
	else
		while (view_nat(k->w->engine, n, &nat))
			n++;
	free(h);
	return n;
}

static uint64_t id(const void *context, size_t row)
{
	const struct looking *k = context;
	struct view_host h;
	struct view_nat n;
	uint64_t x;

	if (k->pane == PANE_HOSTS)
		return view_host(k->w->engine, row, &h) ? identity_of(h.addr.bytes, sizeof h.addr.bytes, h.addr.family)
							: 1;
	if (!view_nat(k->w->engine, row, &n))
		return 1;
	x = identity_of(n.inside.addr.bytes, sizeof n.inside.addr.bytes, n.inside.port);
	return identity_of(
		n.outside.addr.bytes, sizeof n.outside.addr.bytes, x ^ n.outside.port ^ (uint64_t)n.first_ns);
}

/* "11800-11830", "5060", "5060 5080", "-" */
static void ports_words(const uint16_t *ports, unsigned n, char *buffer, size_t room)
{
	uint16_t least = UINT16_MAX, most = 0;

	for (unsigned i = 0; i < n; i++) {
		least = ports[i] < least ? ports[i] : least;
		most = ports[i] > most ? ports[i] : most;
	}
	if (n == 0)
		snprintf(buffer, room, "-");
	else if (n == 1)
		snprintf(buffer, room, "%u", ports[0]);
	else
		snprintf(buffer, room, n == 2 ? "%u %u" : "%u-%u", least, most);
}

/* An address is whole: of all hosts, so that nothing moves when they are scrolled. The others have what is left. */
static struct widths widths_of(struct dashboard *d, struct world *w, unsigned columns)
{
	struct widths x = { ADDRESS_COLUMNS, ROLE_COLUMNS, PORT_COLUMNS };
	struct view_host h;
	char addr[ADDRESS_TEXT];

	for (size_t i = 0; view_host(w->engine, i, &h); i++)
		if (h.addr.family == 6 && !(d->names && names_find(w->names, &h.addr)) &&
		    strlen(address_text(&h.addr, addr)) >= x.addr)
			x.addr = (unsigned)strlen(addr) + 1;
	while (x.role > ROLE_LEAST && 1 + x.addr + x.role + 2 * x.port + DSCP_COLUMNS > columns)
		x.role--;
	if (1 + x.addr + x.role + 2 * x.port + DSCP_COLUMNS > columns)
		x.port = PORT_LEAST;
	return x;
}

static void draw_host(struct dashboard *d, struct world *w, struct sheet *s, const struct widths *x,
	const struct view_host *h, unsigned row)
{
	char addr[ADDRESS_TEXT], sip[48], media[48], agent[PARTY_BYTES];
	const char *name = d->names ? names_find(w->names, &h->addr) : NULL;
	unsigned column = 1;
	struct text t;

	text_init(&t);
	for (unsigned i = 0; i < h->role_count; i++)
		text_addf(&t, "%s%s", i ? ", " : "", h->roles[i]);
	ports_words(h->sip_ports, h->sip_port_count, sip, sizeof sip);
	ports_words(h->media_ports, h->media_port_count, media, sizeof media);
	sheet_text(s, row, column, x->addr - 1, PAINT_PLAIN, name ? name : address_text(&h->addr, addr));
	sheet_text(s, row, column += x->addr, x->role - 1, PAINT_PLAIN, t.n ? t.p : "-");
	sheet_text(s, row, column += x->role, x->port - 1, PAINT_PLAIN, sip);
	sheet_text(s, row, column += x->port, x->port - 1, PAINT_PLAIN, media);
	column += x->port;
	if (h->dscp >= 0)
		sheet_textf(s, row, column, 4, PAINT_PLAIN, "%d", h->dscp);
	else
		sheet_text(s, row, column, 4, PAINT_DIM, "-");
	if (s->columns >= DEVICE_FROM)
		sheet_text(s, row, column + 5, s->columns, PAINT_DIM, party_text(h->user_agent, "", agent));
	text_fini(&t);
}

static void draw_nat(struct sheet *s, const struct view_nat *n, unsigned row)
{
	char inside[ENDPOINT_TEXT], outside[ENDPOINT_TEXT], bracket[64] = "";

	if (n->has_bracket)
		snprintf(bracket, sizeof bracket, "kept %.0f to %.0f s in silence", n->alive_s, n->dead_s);
	sheet_text(s, row, 1, ADDRESS_COLUMNS - 2, PAINT_PLAIN, endpoint_text(&n->inside, inside));
	sheet_textf(s, row, ADDRESS_COLUMNS, ADDRESS_COLUMNS, PAINT_PLAIN, "↔ %s", endpoint_text(&n->outside, outside));
	sheet_textf(s, row, 2 * ADDRESS_COLUMNS + 1, 6, PAINT_PLAIN, "%s", n->scope);
	sheet_textf(s, row, 2 * ADDRESS_COLUMNS + 8, s->columns, PAINT_DIM, "%s%s%s", n->learnt, *bracket ? "   " : "",
		bracket);
}

static void select_row(struct dashboard *d, struct sheet *s, unsigned pane, unsigned row)
{
	if (place_of(d)->pane == pane)
		row_select(s, row, 0, s->columns);
	else
		sheet_text(s, row, 0, 1, PAINT_DIM, "▸");
}

static void draw_hosts(struct dashboard *d, struct world *w, struct sheet *s, unsigned row, unsigned shown, size_t all)
{
	struct list *l = list_of(d, PANE_HOSTS);
	char right[WORDS], range[WORDS_RANGE];
	struct widths x = widths_of(d, w, s->columns);
	struct view_host h;

	list_place(l, all, row + 2, 0, s->columns, shown);
	bar_draw(s, row, 0, s->columns, "Hosts",
		bar_range(l, all, range)[0] ? range : words_counted(all, "host", right));
	sheet_text(s, row + 1, 1, 20, PAINT_DIM, "host");
	sheet_text(s, row + 1, 1 + x.addr, 20, PAINT_DIM, "role");
	sheet_text(s, row + 1, 1 + x.addr + x.role, 20, PAINT_DIM, "sip");
	sheet_text(s, row + 1, 1 + x.addr + x.role + x.port, 20, PAINT_DIM, "media");
	sheet_text(s, row + 1, 1 + x.addr + x.role + 2 * x.port, 40, PAINT_DIM,
		s->columns >= DEVICE_FROM ? "dscp device" : "dscp");
	for (unsigned i = 0; i < shown && l->top + i < all && view_host(w->engine, l->top + i, &h); i++) {
		draw_host(d, w, s, &x, &h, row + 2 + i);
		if (l->top + i == l->at)
			select_row(d, s, PANE_HOSTS, row + 2 + i);
	}
}

static void draw_nats(struct dashboard *d, struct world *w, struct sheet *s, unsigned row, unsigned shown, size_t all)
{
	struct list *l = list_of(d, PANE_NAT);
	char right[WORDS], range[WORDS_RANGE];
	struct view_nat n;

	list_place(l, all, row + 1, 0, s->columns, shown);
	bar_draw(s, row, 0, s->columns, "NAT map   private ↔ public",
		bar_range(l, all, range)[0] ? range : words_counted(all, "mapping", right));
	for (unsigned i = 0; i < shown && l->top + i < all && view_nat(w->engine, l->top + i, &n); i++) {
		draw_nat(s, &n, row + 1 + i);
		if (l->top + i == l->at)
			select_row(d, s, PANE_NAT, row + 1 + i);
	}
	if (all == 0)
		sheet_text(s, row + 1, 1, s->columns, PAINT_DIM, "no address translation was seen");
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct looking hosts = { d, w, PANE_HOSTS }, nat = { d, w, PANE_NAT };
	size_t host_count = count(&hosts), nat_count = count(&nat);
	unsigned rows = area_end(s) - AREA_TOP - 4,
		 nats = nat_count < 1  ? 1
		: nat_count > rows / 2 ? rows / 2
				       : (unsigned)nat_count;

	if (host_count < rows - nats && nat_count > nats)
		nats = rows - (unsigned)host_count;
	draw_hosts(d, w, s, AREA_TOP, rows - nats, host_count);
	draw_nats(d, w, s, AREA_TOP + 3 + rows - nats, nats, nat_count);
}

/* Why it is what it is said to be; of whom the calls are. */
static bool act(struct dashboard *d, struct world *w, enum action a)
{
	const struct list *l = list_of(d, PANE_HOSTS);
	struct view_host h;
	char addr[ADDRESS_TEXT];

	if (a != ACTION_OPEN)
		return false;
	if (place_of(d)->pane != PANE_HOSTS || !view_host(w->engine, l->at, &h))
		return true;
	snprintf(d->filter, sizeof d->filter, "host:%s", address_text(&h.addr, addr));
	d->main = VIEW_CALLS;
	d->depth = 0;
	message_set(d, "the calls of %s: F9 clears the filter%s%s", addr, h.why_count ? "; its role: " : "",
		h.why_count ? h.why[0] : "");
	return true;
}

const struct view_part part_hosts = { .panes = 2, .count = count, .id = id, .draw = draw, .act = act };
