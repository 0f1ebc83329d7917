/* SPDX-License-Identifier: MIT */
/* gate_ports: a limit of ports beyond which no media is captured, whoever sends it (G3 port-range). */
#ifndef DEADAIR_DETECT_GATE_PORTS_H
#define DEADAIR_DETECT_GATE_PORTS_H

#include "analyzer/detect/detector.h"

struct port_limit {
	bool found, above;           /* above the port all is silent, else below it */
	uint16_t port;               /* the last one that speaks */
};

/* Sockets must have been reckoned. */
struct port_limit gate_ports_reckon(const struct facts *f);

#endif
