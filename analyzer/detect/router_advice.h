/* SPDX-License-Identifier: MIT */
/* router_advice: where the SIP ALG is switched off on routers that the profile names ([site] router). */
#ifndef DEADAIR_DETECT_ROUTER_ADVICE_H
#define DEADAIR_DETECT_ROUTER_ADVICE_H

/* A sentence, static text; NULL: the router is not named, or not known here. */
const char *router_advice(const char *router);

#endif
