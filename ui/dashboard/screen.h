/* SPDX-License-Identifier: MIT */
/* screen: the terminal: sheets are shown on it, keys and mouse are read from it. The only file with curses. */
#ifndef DEADAIR_DASHBOARD_SCREEN_H
#define DEADAIR_DASHBOARD_SCREEN_H

#include "captures/base/err.h"
#include "ui/dashboard/dashboard.h"

struct screen;

/* color: "auto", "always", "never". NULL with *err: no terminal that this can be shown on. */
struct screen *screen_open(const char *color, struct err *err);
/* The terminal as it was. */
void screen_close(struct screen *s);
bool screen_ascii(const struct screen *s);
/* The size as it is now; True: it is another one than before. */
bool screen_size(struct screen *s, unsigned *ret_rows, unsigned *ret_columns);
/* What has been pressed; False: nothing more. */
bool screen_event(struct screen *s, struct dashboard_event *ret);
/* Cells that changed; all of them where that is asked for. palette: 0 as the terminal is, 1 16 colours, 2 none. */
void screen_show(struct screen *s, const struct sheet *sheet, unsigned palette, bool all);
void screen_ring(struct screen *s);
/* To the clipboard of the terminal (OSC 52). */
void screen_copy(struct screen *s, const char *text);

#endif
