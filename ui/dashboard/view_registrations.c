/* SPDX-License-Identifier: MIT */
/* view_registrations: who registers where, from where, and how it went. */
#include "ui/dashboard/parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "ui/words.h"

enum { USER_LEAST = 4, USER_MOST = 16, DEVICE_LEAST = 6, DEVICE_MOST = 18, WIDE_MOST = 40, DEVICE_FROM = 100,
	STATE_COLUMNS = 31 };

struct widths { unsigned user, device; }; /* device 0: there is no room for it */

static size_t count(const struct looking *k)
{
	struct view_registration *r = memory_zalloc(sizeof *r);
	size_t n = 0;

	while (view_registration(k->w->engine, n, r))
		n++;
	free(r);
	return n;
}

static uint64_t id_of(const struct view_registration *r)
{
	uint64_t id = identity_of(r->aor.p, r->aor.n, r->source.port);

	id = identity_of(r->source.addr.bytes, sizeof r->source.addr.bytes, id);
	id = identity_of(r->device.p, r->device.n, id);
	return identity_of(r->registrar.addr.bytes, sizeof r->registrar.addr.bytes, id ^ (uint64_t)r->first_ns);
}

static uint64_t id(const void *context, size_t row)
{
	const struct looking *k = context;
	struct view_registration r;

	return view_registration(k->w->engine, row, &r) ? id_of(&r) : 1;
}

static enum call_mark mark_of(const struct view_registration *r)
{
	if (strcmp(r->state, "registered") == 0)
		return MARK_GOOD;
	if (strcmp(r->state, "failed") == 0)
		return MARK_BAD;
	return strcmp(r->state, "expired") == 0 ? MARK_WARN : MARK_QUIET;
}

static unsigned within(unsigned most, size_t columns, unsigned so_far)
{
	return columns > most ? most : columns > so_far ? (unsigned)columns : so_far;
}

/* As its longest text: of all of them, so that nothing moves when they are scrolled. */
static struct widths widths_of(struct world *w, unsigned columns)
{
	unsigned user_most = columns >= WIDE_COLUMNS ? WIDE_MOST : USER_MOST,
		 device_most = columns >= WIDE_COLUMNS ? WIDE_MOST : DEVICE_MOST;
	struct widths x = { USER_LEAST, columns >= DEVICE_FROM ? DEVICE_LEAST : 0 };
	struct view_registration r;
	char text[PARTY_BYTES];

	for (size_t i = 0; view_registration(w->engine, i, &r); i++) {
		x.user = within(user_most, text_columns(party_text(r.aor, "-", text)), x.user);
		if (x.device)
			x.device = within(device_most, text_columns(party_text(r.device, "-", text)), x.device);
	}
	return x;
}

static unsigned ends_room(const struct sheet *s, const struct widths *x)
{
	unsigned taken = 3 + x->user + 1 + (x->device ? x->device + 1 : 0) + STATE_COLUMNS + 2;

	return s->columns > taken ? s->columns - taken : 10;
}

static void draw_row(struct world *w, struct sheet *s, const struct widths *x, const struct view_registration *r,
	unsigned row)
{
	char user[PARTY_BYTES], device[PARTY_BYTES], at[ENDPOINT_TEXT], from[ENDPOINT_TEXT],
		every[24] = "-", clock[NS_TEXT], right[96], status[16] = "";
	enum call_mark mark = mark_of(r);
	unsigned column = 3;

	if (r->has_expires)
		snprintf(every, sizeof every, "%u s", r->expires_s);
	if (r->status)
		snprintf(status, sizeof status, " %u", r->status);
	snprintf(right, sizeof right, "%7s %8s %10.20s%-4s", every,
		r->last_ns == NS_NONE ? "-" : world_clock(w, r->last_ns, clock), r->state, status);
	sheet_text(s, row, 1, 1, mark_paint(mark), mark_sign(mark));
	sheet_text(s, row, column, x->user, PAINT_PLAIN, party_text(r->aor, "-", user));
	column += x->user + 1;
	if (x->device) {
		sheet_text(s, row, column, x->device, PAINT_PLAIN, party_text(r->device, "-", device));
		column += x->device + 1;
	}
	endpoint_text(&r->source, from);
	endpoint_text(&r->registrar, at);
	/* both or the first; whole below the list */
	sheet_textf(s, row, column, ends_room(s, x), PAINT_PLAIN,
		ends_rows(s, from, at, ends_room(s, x)) ? "%s" : "%s → %s", from, at);
	sheet_right(s, row, 0, s->columns - 1, PAINT_PLAIN, right);
}

static void draw(struct dashboard *d, struct world *w, struct sheet *s)
{
	struct looking k = { d, w, 0 };
	struct list *l = list_of(d, 0);
	size_t all = count(&k);
	unsigned top = AREA_TOP + 2, shown = area_end(s) - top;
	struct widths x = widths_of(w, s->columns);
	char right[WORDS];
	char from[ENDPOINT_TEXT], at[ENDPOINT_TEXT];
	struct view_registration r;
	unsigned ends = 0;

	list_place(l, all, top, 0, s->columns, shown);
	if (all && view_registration(w->engine, l->at, &r)) {
		ends = ends_rows(s, endpoint_text(&r.source, from), endpoint_text(&r.registrar, at), ends_room(s, &x));
		shown -= ends;
		list_place(l, all, top, 0, s->columns, shown);
		ends_draw(s, top + shown, ends, from, at);
	}
	bar_draw(s, AREA_TOP, 0, s->columns, "Registrations", words_counted(all, "registration", right));
	sheet_text(s, AREA_TOP + 1, 3, x.user, PAINT_DIM, "user");
	if (x.device)
		sheet_text(s, AREA_TOP + 1, 4 + x.user, x.device, PAINT_DIM, "device");
	sheet_text(s, AREA_TOP + 1, 4 + x.user + (x.device ? x.device + 1 : 0), 30, PAINT_DIM, "from → registrar");
	sheet_right(s, AREA_TOP + 1, 0, s->columns - 1, PAINT_DIM, "every     last      state    ");
	for (unsigned i = 0; i < shown && l->top + i < all && view_registration(w->engine, l->top + i, &r); i++) {
		draw_row(w, s, &x, &r, top + i);
		if (l->top + i == l->at)
			row_select(s, top + i, 0, s->columns);
	}
	if (all == 0)
		sheet_text(s, top, 2, s->columns, PAINT_DIM, "no REGISTER was seen");
}

/* The first finding of the selected one. */
static bool act(struct dashboard *d, struct world *w, enum action a)
{
	struct view_registration r;
	ptrdiff_t at;

	if (a != ACTION_OPEN)
		return false;
	if (!view_registration(w->engine, list_of(d, 0)->at, &r))
		return true;
	at = r.finding_count ? selection_finding(world_selection(w), r.findings[0]) : SELECTION_NONE;
	if (at == SELECTION_NONE)
		message_set(d, "nothing was found wrong with it");
	else
		open_problem(d, w, (size_t)at);
	return true;
}

const struct view_part part_registrations = { .panes = 1, .count = count, .id = id, .draw = draw, .act = act };
