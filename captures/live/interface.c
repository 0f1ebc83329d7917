/* SPDX-License-Identifier: MIT */
/*
 * interface: libpcap's live side.
 *
 * Not in immediate mode: that one forbids TPACKET_V3, and in the rings of V2 every packet takes a slot as long as the
 * snap length. With V3 a packet takes its own bytes, and comes INTERFACE_RETIRE_MS late at most.
 */
#include "captures/live/interface.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "captures/base/nearest.h"
#include "captures/base/ns.h"
#include "captures/base/text.h"
#include "captures/link_type.h"

struct interface {
	const char *name, *bpf;
	char shown[INTERFACE_NAME];
	pcap_t *pcap;                /* NULL: gone */
	bool has_index;              /* the kernel knows it by a number: no "any", no pseudo device */
	int flags_fd;                /* a socket to ask for the interface's flags with */
	uint16_t link;
	size_t ring_asked, ring_bytes;
	struct interface_counts before, now; /* of handles that were closed; of this one */
	interface_frame *fn;         /* within interface_read() */
	void *context;
};

/* ---- trouble ---- */

static enum err_code refuse_permission(struct interface *i, struct err *err)
{
	char path[256] = "deadair", shown[300];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n > 0)
		path[n] = '\0';
	return err_set(err, ERR_PERMISSION,
		"%s: no permission to capture: run it with sudo, or once: sudo setcap cap_net_raw=ep %s", i->shown,
		text_escape(span_of(path), shown, sizeof shown));
}

static enum err_code refuse_name(struct interface *i, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	const char *names[64], *near = NULL;
	pcap_if_t *all = NULL;
	size_t count = 0;

	if (pcap_findalldevs(&all, reason) == 0) {
		for (pcap_if_t *d = all; d && count < sizeof names / sizeof names[0]; d = d->next)
			names[count++] = d->name;
		near = nearest_word(span_of(i->name), names, count);
	}
	if (near)
		err_set(err, ERR_USAGE, "no interface %s: %s? deadair live --list-interfaces lists them", i->shown,
			near);
	else
		err_set(err, ERR_USAGE, "no interface %s: deadair live --list-interfaces lists them", i->shown);
	if (all)
		pcap_freealldevs(all);
	return ERR_USAGE;
}

static enum err_code refuse(struct interface *i, int status, pcap_t *pcap, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];

	text_escape(span_of(pcap_geterr(pcap)), reason, sizeof reason);
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return refuse_permission(i, err);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return refuse_name(i, err);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(
			err, ERR_SYSTEM, "%s: the interface is down: sudo ip link set %s up", i->shown, i->shown);
	}
	return err_set(err, ERR_SYSTEM, "%s: %s", i->shown, reason[0] ? reason : pcap_statustostr(status));
}

/* ---- opening ---- */

/*
 * What the kernel has mapped for this socket: libpcap takes a smaller ring where memory is short, and does not
 * tell. Copies of the process go without.
 */
static size_t find_ring(int fd)
{
	uintmax_t from, to, inode, bytes = 0;
	struct stat of;
	char line[512];
	FILE *maps;

	if (fd < 0 || fstat(fd, &of) != 0 || !(maps = fopen("/proc/self/maps", "re")))
		return 0;
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%jx-%jx %*s %*x %*x:%*x %ju", &from, &to, &inode) == 3 &&
			inode == (uintmax_t)of.st_ino && strstr(line, "socket:")) {
			madvise((void *)(uintptr_t)from, (size_t)(to - from), MADV_DONTFORK);
			bytes += to - from;
		}
	}
	fclose(maps);
	return (size_t)bytes;
}

/* A handle with that ring; NULL with the status of libpcap, *err unless a smaller ring might do. */
static pcap_t *activate(struct interface *i, size_t ring_bytes, bool *ret_smaller, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	pcap_t *p = pcap_create(i->name, reason);
	int status;

	*ret_smaller = false;
	if (!p) {
		err_set(err, ERR_SYSTEM, "%s: %s", i->shown, reason);
		return NULL;
	}
	pcap_set_snaplen(p, INTERFACE_SNAPLEN);
	pcap_set_promisc(p, 1);
	pcap_set_timeout(p, INTERFACE_RETIRE_MS);
	pcap_set_buffer_size(p, (int)ring_bytes);
	pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	status = pcap_activate(p);
	if (status >= 0)
		return p;
	*ret_smaller = status == PCAP_ERROR && ring_bytes / 2 >= INTERFACE_RING_LEAST;
	refuse(i, status, p, err);
	pcap_close(p);
	return NULL;
}

static bool set_filter(struct interface *i, pcap_t *p, struct err *err)
{
	struct bpf_program code;
	char reason[PCAP_ERRBUF_SIZE], shown[160];
	bool set;

	if (!i->bpf)
		return true;
	if (pcap_compile(p, &code, i->bpf, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		text_escape(span_of(pcap_geterr(p)), reason, sizeof reason);
		err_set(err, ERR_USAGE, "filter '%s': %s; pcap-filter(7) explains the language",
			text_escape(span_of(i->bpf), shown, sizeof shown), reason);
		return false;
	}
	set = pcap_setfilter(p, &code) == 0;
	pcap_freecode(&code);
	return set || refuse(i, PCAP_ERROR, p, err) == ERR_OK;
}

static bool prepare(struct interface *i, pcap_t *p, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	int link;

	if (pcap_datalink(p) == DLT_LINUX_SLL)
		pcap_set_datalink(p,
			DLT_LINUX_SLL2); /* it names the interface of each packet; where the kernel cannot, SLL does */
	link = link_type_of_dlt(pcap_datalink(p));
	if (link < 0) {
		err_set(err, ERR_UNSUPPORTED, "%s: its link type %d is none that captures have", i->shown,
			pcap_datalink(p));
		return false;
	}
	i->link = (uint16_t)link;
	if (!set_filter(i, p, err))
		return false;
	if (pcap_setnonblock(p, 1, reason) == 0)
		return true;
	err_set(err, ERR_SYSTEM, "%s: %s", i->shown, reason);
	return false;
}

/* Cheap, and needs no permission. */
static bool is_there(const struct interface *i)
{
	struct ifreq asked = { .ifr_ifindex = 0 };

	snprintf(asked.ifr_name, sizeof asked.ifr_name, "%s", i->name);
	return i->flags_fd >= 0 && strlen(i->name) < sizeof asked.ifr_name &&
		ioctl(i->flags_fd, SIOCGIFINDEX, &asked) == 0;
}

bool interface_reopen(struct interface *i, struct err *err)
{
	bool smaller;

	if (i->has_index && !is_there(i)) {
		err_set(err, ERR_SYSTEM, "%s: the interface is not there", i->shown);
		return false;
	}

	for (size_t ring = i->ring_asked;; ring /= 2) {
		i->pcap = activate(i, ring, &smaller, err);
		if (i->pcap || !smaller)
			break;
	}
	if (!i->pcap)
		return false;
	if (!prepare(i, i->pcap, err)) {
		pcap_close(i->pcap);
		i->pcap = NULL;
		return false;
	}
	i->ring_bytes = find_ring(pcap_fileno(i->pcap));
	return true;
}

struct interface *interface_open(const char *name, size_t ring_bytes, const char *bpf, struct err *err)
{
	struct interface *i = memory_zalloc(sizeof *i);

	i->name = name;
	i->bpf = bpf;
	i->ring_asked = ring_bytes;
	text_escape(span_of(name), i->shown, sizeof i->shown);
	i->flags_fd =
		socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* without one the state is unknown, and taken for up */
	if (interface_reopen(i, err)) {
		i->has_index = is_there(i);
		return i;
	}
	interface_close(i);
	return NULL;
}

void interface_close(struct interface *i)
{
	if (!i)
		return;
	if (i->pcap)
		pcap_close(i->pcap);
	if (i->flags_fd >= 0)
		close(i->flags_fd);
	free(i);
}

/* ---- reading ---- */

static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct interface *i = (struct interface *)user;
	struct frame f = {
		.at_ns = ns_add((int64_t)h->ts.tv_sec * SECOND_NS, h->ts.tv_usec), /* nanoseconds, as was asked for */
		.bytes = { bytes, h->caplen },
		.wire_bytes = h->len < h->caplen ? h->caplen : h->len,
		.link = i->link,
	};

	i->fn(i->context, &f);
}

static void count(struct interface *i)
{
	struct pcap_stat s;

	if (!i->pcap || pcap_stats(i->pcap, &s) != 0)
		return;
	/* 32 bits that wrap: what was added since the last time is what counts */
	i->now.received += (uint32_t)(s.ps_recv - (uint32_t)i->now.received);
	i->now.ring_drops += (uint32_t)(s.ps_drop - (uint32_t)i->now.ring_drops);
	i->now.card_drops += (uint32_t)(s.ps_ifdrop - (uint32_t)i->now.card_drops);
}

/* The interface went: its counts stay. */
static bool lose(struct interface *i, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];

	text_escape(span_of(pcap_geterr(i->pcap)), reason, sizeof reason);
	err_set(err, ERR_SYSTEM, "%s: %s", i->shown, reason);
	count(i);
	i->before.received += i->now.received;
	i->before.ring_drops += i->now.ring_drops;
	i->before.card_drops += i->now.card_drops;
	i->now = (struct interface_counts){ 0 };
	pcap_close(i->pcap);
	i->pcap = NULL;
	return false;
}

bool interface_read(
	struct interface *i, int wake_fd, interface_frame *fn, void *context, uint64_t *ret_frames, struct err *err)
{
	struct pollfd fds[2] = { { .fd = pcap_get_selectable_fd(i->pcap), .events = POLLIN },
		{ .fd = wake_fd, .events = POLLIN } };
	int n;

	*ret_frames = 0;
	if (poll(fds, 2, INTERFACE_RETIRE_MS) < 0 && errno != EINTR) {
		err_set(err, ERR_SYSTEM, "%s: poll: %s", i->shown, strerror(errno));
		return false;
	}
	i->fn = fn;
	i->context = context;
	n = pcap_dispatch(i->pcap, -1, take, (u_char *)i);
	if (n < 0)
		return lose(i, err);
	*ret_frames = (uint64_t)n;
	return true;
}

struct interface_counts interface_counts(struct interface *i)
{
	count(i);
	return (struct interface_counts){ i->before.received + i->now.received,
		i->before.ring_drops + i->now.ring_drops, i->before.card_drops + i->now.card_drops };
}

enum interface_state interface_state(const struct interface *i)
{
	struct ifreq asked = { .ifr_flags = 0 };

	if (!i->pcap)
		return INTERFACE_GONE;
	if (!i->has_index)
		return INTERFACE_UP;
	snprintf(asked.ifr_name, sizeof asked.ifr_name, "%s", i->name);
	if (ioctl(i->flags_fd, SIOCGIFFLAGS, &asked) != 0)
		return INTERFACE_DOWN;       /* renamed, or about to go: reading will tell */
	return asked.ifr_flags & IFF_UP ? INTERFACE_UP : INTERFACE_DOWN;
}

uint16_t interface_link(const struct interface *i)
{
	return i->link;
}

size_t interface_ring_bytes(const struct interface *i)
{
	return i->ring_bytes;
}

/* ---- which there are ---- */

static void list_one(struct text *t, const pcap_if_t *d)
{
	char name[INTERFACE_NAME], said[160];
	const char *state = d->flags & PCAP_IF_UP ? (d->flags & PCAP_IF_RUNNING ? "up" : "up, no link") : "down";

	text_addf(t, "%-16s %-12s", text_escape(span_of(d->name), name, sizeof name), state);
	if (d->description)
		text_addf(t, " %s", text_escape(span_of(d->description), said, sizeof said));
	else if (d->flags & PCAP_IF_LOOPBACK)
		text_add(t, " loopback");
	while (t->n && t->p[t->n - 1] == ' ')
		t->p[--t->n] = '\0';
	text_add(t, "\n");
}

bool interface_list(struct text *ret, struct err *err)
{
	char reason[PCAP_ERRBUF_SIZE];
	pcap_if_t *all = NULL;

	if (pcap_findalldevs(&all, reason) != 0) {
		err_set(err, ERR_SYSTEM, "interfaces cannot be listed: %s", reason);
		return false;
	}
	for (const pcap_if_t *d = all; d; d = d->next)
		list_one(ret, d);
	if (all)
		pcap_freealldevs(all);
	return true;
}
