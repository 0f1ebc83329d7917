/* SPDX-License-Identifier: MIT */
/*
 * port_edges: of the calls between two hosts all whose media port lies on one side of a limit have audio, and all
 * beyond have none: a rule lets a part of the port range in.
 */
#ifndef DEADAIR_DETECT_PORT_EDGES_H
#define DEADAIR_DETECT_PORT_EDGES_H

#include "analyzer/detect/detector.h"

struct port_edge {
	unsigned works, fails;       /* different ports */
	uint16_t works_to, fails_from;       /* those nearest to the limit */
	bool above;                  /* what fails lies above it */
};

struct port_edges;

/* Hearing must have been judged. */
struct port_edges *port_edges_new(const struct facts *facts);
void port_edges_free(struct port_edges *e);
/* Of audio to `receiver` that `sender` signals for. False: none. */
bool port_edges_find(const struct port_edges *e, const struct address *receiver, const struct address *sender,
	struct port_edge *ret);

#endif
