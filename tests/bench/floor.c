/* SPDX-License-Identifier: MIT */
/*
 * floor: the least a program on libpcap does: every packet of a file is fetched and counted. deadair's speed is a ratio
 * to this.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <pcap/pcap.h>

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE] = "usage: floor FILE";
	pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
	uint64_t packets = 0, bytes = 0;
	struct pcap_pkthdr *header;
	const uint8_t *data;
	int got;

	if (!pcap) {
		fprintf(stderr, "%s\n", error);
		return 2;
	}
	while ((got = pcap_next_ex(pcap, &header, &data)) == 1) {
		packets++;
		bytes += header->len;
	}
	if (got != PCAP_ERROR_BREAK)
		fprintf(stderr, "%s\n", pcap_geterr(pcap));
	printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", packets, bytes);
	pcap_close(pcap);
	return got == PCAP_ERROR_BREAK ? 0 : 2;
}
