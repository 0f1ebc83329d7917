/* SPDX-License-Identifier: MIT */
/* stranger: known by its first bytes, or by words in its first lines. */
#include "captures/stranger.h"

#include <stdbool.h>
#include <stddef.h>

#define UNPACK(what, how) what ", which deadair does not read; unpack it: " how " | deadair -"
#define CONVERT(what) what ", which deadair does not read; convert it: editcap -F pcapng FILE OUT"
#define HEX_DUMP "a hex dump, not a capture; convert it: text2pcap FILE OUT"
#define WEB_PAGE "a web page, perhaps of an error that was saved in its place, not a capture; fetch the capture again"

static const struct { struct span magic; const char *say; } by_magic[] = {
	{ SPAN("BZh"), UNPACK("bzip2", "bzip2 -dc FILE") },
	{ SPAN("\xfd" "7zXZ"), UNPACK("xz", "xz -dc FILE") },
	{ SPAN("\x04\x22\x4d\x18"), UNPACK("lz4", "lz4 -dc FILE") },
	{ SPAN("\x1f\x9d"), UNPACK("compress (.Z)", "zcat FILE") },
	{ SPAN("PK\x03\x04"), UNPACK("zip", "unzip -p FILE") },
	{ SPAN("7z\xbc\xaf"), UNPACK("7-Zip", "7z x -so FILE") },
	{ SPAN("snoop\0"), CONVERT("snoop") },
	{ SPAN("RTSS"), CONVERT("NetMon 1") },
	{ SPAN("XCP\0"), CONVERT("NetXRay") },
	{ SPAN("GMBU"), CONVERT("NetXRay") },
	{ SPAN("TRSNIFF data"), CONVERT("Sniffer") },
	{ SPAN("+---------+"), CONVERT("K12 text") },
};

/* Behind a byte order mark and blank lines; in whatever case. */
static const struct { struct span begin; const char *say; } by_text[] = {
	{ SPAN("<!doctype html"), WEB_PAGE },
	{ SPAN("<html"), WEB_PAGE },
	{ SPAN("0000 "), HEX_DUMP },
	{ SPAN("000000 "), HEX_DUMP },
	{ SPAN("0x0000"), HEX_DUMP },
	{ SPAN("interfaces=["), "the text of FortiGate's sniffer, not a capture; convert it with fgt2eth, or take its packet capture as pcap" },
};

/* Text of any kind has no zeros. */
static bool is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == 0)
			return false;
	}
	return s.n > 0;
}

const char *stranger_say(const char *name, struct span first)
{
	static const struct span mark = SPAN("\xef\xbb\xbf"), trace = SPAN(".etl");
	struct span path = span_of(name);

	for (size_t i = 0; i < sizeof by_magic / sizeof by_magic[0]; i++) {
		if (span_starts(first, by_magic[i].magic))
			return by_magic[i].say;
	}
	if (span_starts(first, mark))
		first = span_from(first, mark.n);
	while (first.n && (first.p[0] == ' ' || first.p[0] == '\r' || first.p[0] == '\n'))
		first = span_from(first, 1);
	for (size_t i = 0; i < sizeof by_text / sizeof by_text[0]; i++) {
		if (span_starts_nocase(first, by_text[i].begin))
			return by_text[i].say;
	}
	if (is_text(first) && span_find_text_nocase(first, SPAN("SIP/2.0")) < first.n)
		return "a log with SIP in it, not a capture: audio is not in it; capture the packets: tcpdump -i IF -s 0 -w FILE";
	if (path.n > trace.n && span_equal_nocase(span_from(path, path.n - trace.n), trace))
		return "a trace of Windows, which deadair does not read; convert it: pktmon etl2pcap FILE";
	return NULL;
}
