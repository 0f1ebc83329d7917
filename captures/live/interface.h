/* SPDX-License-Identifier: MIT */
/* interface: one network interface as libpcap gives it: opened, read, counted, lost and found again. */
#ifndef DEADAIR_LIVE_INTERFACE_H
#define DEADAIR_LIVE_INTERFACE_H

#include "captures/base/err.h"
#include "captures/frame.h"

enum {
	INTERFACE_SNAPLEN = 262144,      /* all of a frame, also of what offloading makes of several: SIP stays whole */
	INTERFACE_RING_LEAST = 1 << 20,
	INTERFACE_RING_DEFAULT = 64 << 20,
	INTERFACE_RING_MOST = 1 << 30,
	INTERFACE_RETIRE_MS = 100,       /* so long the kernel may keep a block that is not full */
	INTERFACE_NAME = 64
};

struct interface_counts {
	uint64_t received;           /* packets that passed the filter */
	uint64_t ring_drops;         /* the kernel had no room for them: a larger ring, or a narrower filter, helps */
	uint64_t card_drops;         /* lost before the kernel saw them: by the card or its driver */
};

enum interface_state { INTERFACE_UP, INTERFACE_DOWN, INTERFACE_GONE };

struct interface;
typedef void interface_frame(void *context, const struct frame *f);

/* ring_bytes: of the kernel; halved until it is had. bpf: NULL none. name and bpf are lent. NULL with *err. */
struct interface *interface_open(const char *name, size_t ring_bytes, const char *bpf, struct err *err);
void interface_close(struct interface *i);

/*
 * Waits for packets, at most a moment (INTERFACE_RETIRE_MS) or until wake_fd can be read, and gives all that are
 * there to fn, with time, bytes, wire_bytes and link filled. False: the interface has been lost (*err), and
 * interface_reopen() is to be tried now and then.
 */
bool interface_read(
	struct interface *i, int wake_fd, interface_frame *fn, void *context, uint64_t *ret_frames, struct err *err);
bool interface_reopen(struct interface *i, struct err *err);

struct interface_counts interface_counts(struct interface *i);
enum interface_state interface_state(const struct interface *i);
uint16_t interface_link(const struct interface *i);
/* Bytes of the kernel's ring as it is; less than asked where memory was short. 0: not known. */
size_t interface_ring_bytes(const struct interface *i);

/* "NAME  description" a line into *ret (a struct text); false with *err. */
struct text;
bool interface_list(struct text *ret, struct err *err);

#endif
