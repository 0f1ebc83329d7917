/* SPDX-License-Identifier: MIT */
/* filter: libpcap's compiler and its interpreter. */
#include "captures/filter.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/text.h"
#include "captures/link_type.h"

enum { SNAPLEN = 262144, REASON = PCAP_ERRBUF_SIZE, SHOWN_MOST = 160 };
enum { LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW = 101, LINK_80211 = 105, LINK_SLL = 113 };

struct program {
	uint16_t link;
	bool compiled;
	struct bpf_program code;
};

struct filter {
	char *expression;
	struct program *programs;        /* the last one used comes first */
	size_t count;
	char reason[REASON];
};

static void program_compile(struct filter *f, struct program *p)
{
	pcap_t *pcap = pcap_open_dead(link_type_to_dlt(p->link), SNAPLEN);

	if (!pcap) {
		snprintf(f->reason, sizeof f->reason, "libpcap has no memory");
		return;
	}
	p->compiled = pcap_compile(pcap, &p->code, f->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!p->compiled)
		text_escape(span_of(pcap_geterr(pcap)), f->reason, sizeof f->reason);
	pcap_close(pcap);
}

/* The program of that link type, moved to the front; f->reason tells of the one compiled last. */
static struct program *program_add(struct filter *f, uint16_t link)
{
	struct program found = { .link = link };
	size_t at = 0;

	while (at < f->count && f->programs[at].link != link)
		at++;
	if (at == f->count) {
		f->programs = memory_resize(f->programs, f->count + 1, sizeof *f->programs);
		program_compile(f, &found);
		f->count++;
	} else {
		found = f->programs[at];
	}
	memmove(f->programs + 1, f->programs, at * sizeof *f->programs);
	f->programs[0] = found;
	return f->programs;
}

struct filter *frame_filter_new(const char *expression, struct err *err)
{
	static const uint16_t others[] = { LINK_RAW, LINK_SLL, LINK_80211, LINK_PPP };
	struct filter *f = memory_zalloc(sizeof *f);
	char shown[SHOWN_MOST], reason[REASON];

	f->expression = memory_text(expression);
	if (program_add(f, LINK_ETHERNET)->compiled)
		return f;
	memcpy(reason, f->reason, sizeof reason);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (program_add(f, others[i])->compiled)
			return f;
	}
	err_set(err, ERR_USAGE, "filter '%s': %s; pcap-filter(7) explains the language",
		text_escape(span_of(expression), shown, sizeof shown), reason);
	frame_filter_free(f);
	return NULL;
}

void frame_filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++) {
		if (f->programs[i].compiled)
			pcap_freecode(&f->programs[i].code);
	}
	free(f->programs);
	free(f->expression);
	free(f);
}

enum filter_verdict frame_filter_judge(struct filter *f, const struct frame *frame, const char **ret_reason)
{
	struct program *p = f->programs[0].link == frame->link ? f->programs : program_add(f, frame->link);

	if (!p->compiled) {
		*ret_reason = f->reason;
		return FILTER_FAILS;
	}
	if (bpf_filter(p->code.bf_insns, frame->bytes.p, frame->wire_bytes, (unsigned)frame->bytes.n) != 0)
		return FILTER_TAKES;
	return FILTER_REJECTS;
}
