/* SPDX-License-Identifier: MIT */
/*
 * engine_relay: audio that a machine gets in one leg and sends on in another. It joins the legs, and where the machine
 * has an address in each of two networks, it is what says that both are one.
 */
#ifndef DEADAIR_ANALYZER_ENGINE_RELAY_H
#define DEADAIR_ANALYZER_ENGINE_RELAY_H

struct engine;
struct stream;

/* A stream begins: is the same to be heard in the leg that may go on from its own? */
void relay_look(struct engine *e, struct stream *s);
/* When streams are bound: joins legs, and tells the network of machines with two addresses. */
void relays_settle(struct engine *e);

#endif
