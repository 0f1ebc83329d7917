/* SPDX-License-Identifier: MIT */
/*
 * player: the frames of a capture leave an interface, so many a second, or as fast as it goes. What it did is printed:
 * packets, seconds.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pcap/pcap.h>

enum { TOGETHER = 32 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_until(double at)
{
	double left = at - now();
	struct timespec pause = { .tv_sec = (time_t)left, .tv_nsec = (long)((left - (double)(time_t)left) * 1e9) };

	if (left > 0)
		nanosleep(&pause, NULL);
}

static int socket_on(const char *interface)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), yes = 1;

	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
	return fd >= 0 && at.sll_ifindex && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 ? fd : -1;
}

/* Frames that the interface had no room for are sent again: each one leaves. */
static void send_all(int fd, struct mmsghdr *messages, unsigned count)
{
	for (unsigned sent = 0; sent < count;) {
		int n = sendmmsg(fd, messages + sent, count - sent, 0);

		if (n > 0)
			sent += (unsigned)n;
		else if (errno == ENOBUFS || errno == EAGAIN)
			usleep(50);
		else
			exit(2);
	}
}

/* All frames in memory, so that reading them costs nothing while they are sent. */
struct frames {
	struct iovec *of;
	size_t count;
};

static struct frames frames_read(pcap_t *pcap)
{
	struct frames f = { NULL, 0 };
	struct pcap_pkthdr *header;
	const uint8_t *data;
	size_t room = 0;

	while (pcap_next_ex(pcap, &header, &data) == 1) {
		if (f.count == room) {
			room = room * 2 + 1024;
			f.of = realloc(f.of, room * sizeof *f.of);
		}
		if (!f.of || !(f.of[f.count].iov_base = malloc(header->caplen)))
			exit(2);
		memcpy(f.of[f.count].iov_base, data, header->caplen);
		f.of[f.count++].iov_len = header->caplen;
	}
	return f;
}

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE] = "usage: player INTERFACE RATE FILE (rate 0: as fast as it goes)";
	pcap_t *pcap = argc == 4 ? pcap_open_offline(argv[3], error) : NULL;
	struct mmsghdr messages[TOGETHER];
	double rate, begun;
	struct frames f;
	int fd;

	if (!pcap || (fd = socket_on(argv[1])) < 0) {
		fprintf(stderr, "%s\n", pcap ? strerror(errno) : error);
		return 2;
	}
	rate = strtod(argv[2], NULL);
	f = frames_read(pcap);
	memset(messages, 0, sizeof messages);
	begun = now();
	for (size_t at = 0; at < f.count;) {
		unsigned n = 0;

		for (; n < TOGETHER && at < f.count; n++, at++) {
			messages[n].msg_hdr.msg_iov = &f.of[at];
			messages[n].msg_hdr.msg_iovlen = 1;
		}
		send_all(fd, messages, n);
		if (rate > 0)
			wait_until(begun + (double)at / rate);
	}
	printf("%zu %.6f\n", f.count, now() - begun);
	return 0;
}
