/* SPDX-License-Identifier: MIT */
/* link_name: link types by name, as tcpdump writes them. */
#ifndef DEADAIR_UI_LINK_NAME_H
#define DEADAIR_UI_LINK_NAME_H

#include <stdint.h>

enum { LINK_NAME = 24 };

/* "EN10MB"; one without a name here: "LINKTYPE_275". */
const char *link_name(uint16_t link, char buffer[LINK_NAME]);

#endif
