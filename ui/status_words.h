/* SPDX-License-Identifier: MIT */
/* status_words: what a final answer says, where only its number is kept. */
#ifndef DEADAIR_UI_STATUS_WORDS_H
#define DEADAIR_UI_STATUS_WORDS_H

/* "Forbidden"; of a number nobody registered, what its class says (RFC 3261 8.1.3.2). "": no final answer. */
const char *status_words(unsigned status);

#endif
