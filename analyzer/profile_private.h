/* SPDX-License-Identifier: MIT */
/* profile_private: what is being read of deadair.conf, for profile*.c only. */
#ifndef DEADAIR_ANALYZER_PROFILE_PRIVATE_H
#define DEADAIR_ANALYZER_PROFILE_PRIVATE_H

#include <stdio.h>

#include "analyzer/profile.h"

enum {
	SHOWN = 80,
	LIST_MAX = 65536             /* values of one key */
};

/* What is being read. */
struct reading {
	const char *path;
	FILE *file;
	unsigned line;               /* of the last line read */
	struct config *config;
	struct site *site;
	/* scalars are said once; a list goes on in indented lines */
	struct given { char *section, *name; bool list; } *given;
	unsigned given_count;
	bool failed;
	struct err *err;
};

struct site_key;
/* Takes a value of that key into the site. False: it is none, and that has been said. */
typedef bool profile_take_fn(struct reading *g, const struct site_key *key, struct span value);

struct site_key {
	const char *section, *name;
	profile_take_fn *take;
	size_t offset;               /* of what it fills, in struct site */
	bool list;                   /* may be given in several lines */
	const char *const *choices;  /* of a choice: in the order of its enum */
	const char *form;            /* for the message: what the value should look like */
};

/* profile.c: only the first error is said; both give false, for the caller to return. */
bool profile_fail(struct reading *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool profile_wrong(struct reading *g, const struct site_key *key, struct span value);
/* What the key fills, in the site that is read. */
void *profile_field(struct reading *g, const struct site_key *key);
char *profile_copy(struct span s);   /* the caller's */
/* The next of words with commas between them, without blanks. */
bool profile_word(struct span *rest, struct span *ret);

/* profile_keys.c: NULL behind the last one */
const struct site_key *profile_key(size_t i);
/* "media-ports.10.0.0.5": the range of one host */
bool profile_take_host_ports(struct reading *g, struct span host, struct span value);
/* The first line of a key drops the default; a further one adds to a list. */
void profile_forget_default(struct site *s, const struct site_key *key);

/* profile_value.c */
profile_take_fn profile_take_text, profile_take_choice, profile_take_yes, profile_take_nets, profile_take_peers,
	profile_take_words, profile_take_digits, profile_take_ranges, profile_take_dscp, profile_take_vlans,
	profile_take_transport, profile_take_nat;
bool profile_add_word(struct reading *g, struct words *words, struct span word);
bool profile_add_ranges(struct reading *g, const struct site_key *key, struct ranges *ranges, struct span value);
bool profile_is_name(struct span s);

/* profile_time.c */
profile_take_fn profile_take_zone, profile_take_hours, profile_take_date;

/* profile_file.c */
profile_take_fn profile_take_net_file, profile_take_digit_file, profile_take_oui_file, profile_take_date_file;

#endif
