/* SPDX-License-Identifier: MIT */
/* foreign: words that users of sngrep, tshark and tcpdump have in their fingers, and how deadair spells them. */
#ifndef DEADAIR_UI_FOREIGN_H
#define DEADAIR_UI_FOREIGN_H

#include "captures/base/err.h"

#include <stdbool.h>

/* argv[0] is the command. True: a word of theirs was found, and *err says ours. */
bool foreign_find(int argc, char **argv, struct err *err);

#endif
