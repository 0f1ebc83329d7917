/* SPDX-License-Identifier: MIT */
/* config: keys with defaults, units and ranges. Detectors declare theirs; the engine's own stand in config.c. */
#ifndef DEADAIR_ANALYZER_CONFIG_H
#define DEADAIR_ANALYZER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_key {
	const char *name;            /* within its section */
	double value;                /* default */
	const char *unit;            /* "s", "ms", "%", "packets", "dBm0" ... */
	double min, max;
	const char *source;          /* where the number comes from */
};

struct config;

struct config *config_new(void);     /* all defaults */
void config_free(struct config *c);
/* Value of [section] name: what was set, else the default declared for it. Asserts that the key exists. */
double config_value(const struct config *c, const char *section, const char *name);
/* A duration, in nanoseconds; a unit of the key is unit_ns. */
int64_t config_ns(const struct config *c, const char *section, const char *name, int64_t unit_ns);
/* The same for one who has the section's keys at hand. */
double config_value_in(const struct config *c, const struct config_key *keys, const char *name);
/* NULL: no such key. */
const struct config_key *config_find(const char *section, const char *name);
/* Sections and keys by number, NULL behind the last; detectors' ids are sections. */
const char *config_section(size_t i);
const struct config_key *config_key_at(const char *section, size_t i);
/* False: no such key, or out of its range. */
bool config_set(struct config *c, const char *section, const char *name, double value);

#endif
