/* SPDX-License-Identifier: MIT */
/* view_ladder: what others need of the ladder. */
#ifndef DEADAIR_DASHBOARD_VIEW_LADDER_H
#define DEADAIR_DASHBOARD_VIEW_LADDER_H

#include "ui/dashboard/parts.h"

void ladder_free(struct ladder *l);
/* The ladder in view: its row that stands for this frame is selected. */
void ladder_seek(struct dashboard *d, struct world *w, unsigned file, uint32_t frame);

#endif
