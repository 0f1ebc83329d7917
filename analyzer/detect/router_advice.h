/* SPDX-License-Identifier: MIT */
/*
 * router_advice: where the SIP ALG is switched off on routers that the profile names ([site] router), or whose maker is
 * known by the MAC address.
 */
#ifndef DEADAIR_DETECT_ROUTER_ADVICE_H
#define DEADAIR_DETECT_ROUTER_ADVICE_H

#include <stdint.h>

/* A sentence, static text; NULL: the router is not named, or not known here. */
const char *router_advice(const char *router);
const char *router_advice_by_mac(const uint8_t mac[6]);

#endif
