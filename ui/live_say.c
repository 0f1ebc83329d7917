/* SPDX-License-Identifier: MIT */
/* live_say: words. */
#include "ui/live_say.h"

#include <stdarg.h>
#include <stdio.h>

#include "ui/link_name.h"
#include "ui/words.h"

void live_say(const struct live_say *s, const char *format, ...)
{
	va_list ap;

	if (s->mute)
		return;
	fputs("deadair: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void live_say_interfaces(const struct live_say *s)
{
	char ring[WORDS], asked[WORDS], link[LINK_NAME];

	for (size_t i = 0; i < live_count(s->live); i++) {
		const struct source_interface *n = live_file(s->live, i)->interfaces;
		size_t bytes = live_ring_bytes(s->live, i);

		words_bytes(bytes, ring);
		words_bytes(s->arguments->ring_bytes, asked);
		if (bytes == 0)
			live_say(s, "%s: capturing, %s", n->name, link_name(n->link, link));
		else if (bytes < s->arguments->ring_bytes / 10 * 9)
			live_say(s,
				"%s: capturing, %s, a ring of %s only: memory for the %s asked for was not to be had",
				n->name, link_name(n->link, link), ring, asked);
		else
			live_say(s, "%s: capturing, %s, a ring of %s", n->name, link_name(n->link, link), ring);
	}
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = strstr(text, word); p; p = strstr(p + 1, word)) {
		bool begins = p == text || strchr(" (!&|", p[-1]), ends = p[n] == '\0' || strchr(" )&|", p[n]);

		if (begins && ends)
			return true;
	}
	return false;
}

/*
 * Only the first fragment of a datagram has ports, and large SIP messages come in fragments; behind a tag the port
 * is not where it is looked for.
 */
void live_say_filter(const struct live_say *s)
{
	const char *bpf = s->arguments->bpf;
	bool fragments, vlans;
	char shown[160];

	if (!bpf)
		return;
	fragments = (has_word(bpf, "port") || has_word(bpf, "portrange")) && !strstr(bpf, "ip[6");
	vlans = !has_word(bpf, "vlan") && !has_word(bpf, "ether");
	if (!fragments && !vlans)
		return;
	text_escape(span_of(bpf), shown, sizeof shown);
	if (fragments && vlans)
		live_say(s,
			"filter '%s' loses the later fragments of large messages, and VLAN tags that are left in the frame: "
			"'(%s) or (ip[6:2] & 0x1fff != 0) or vlan' takes them",
			shown, shown);
	else if (fragments)
		live_say(s,
			"filter '%s' loses the later fragments of large messages: 'or (ip[6:2] & 0x1fff != 0)' takes them",
			shown);
	else
		live_say(s,
			"filter '%s' loses what has VLAN tags that are left in the frame: 'or vlan' behind it takes them",
			shown);
}

void live_say_notes(struct live_say *s)
{
	struct text t;

	text_init(&t);
	while (live_note(s->live, &t)) {
		live_say(s, "%s", t.p);
		snprintf(s->note, sizeof s->note, "%s", t.p);
		text_clear(&t);
	}
	text_fini(&t);
}

void live_say_drops(struct live_say *s)
{
	char count[WORDS];

	for (size_t i = 0; i < live_count(s->live); i++) {
		const struct source_interface *n = live_file(s->live, i)->interfaces;
		struct live_drops *told = &s->told[i];

		if (n->os_drop > told->ring)
			live_say(s,
				"%s: the kernel's ring was full, %s lost: --ring takes a larger one, -f a narrower choice",
				n->name, words_counted(n->os_drop - told->ring, "packet", count));
		if (n->if_drop > told->card)
			live_say(s,
				"%s: the card lost %s before the kernel saw them: ethtool -g %s shows its buffers, ethtool -G %s rx N enlarges them",
				n->name, words_counted(n->if_drop - told->card, "packet", count), n->name, n->name);
		*told = (struct live_drops){ n->os_drop, n->if_drop };
	}
}

void live_say_packet(struct live_say *s, const struct packet *p)
{
	s->tunnels |= UINT32_C(1) << (p->tunnel & 31);
	s->vlans |= p->vlan_count > 0;
}

/* ", in VLANs, VXLAN" */
static void add_encapsulations(const struct live_say *s, struct text *t)
{
	static const char *const names[] = {
		[TUNNEL_GRE] = "GRE",
		[TUNNEL_ERSPAN] = "ERSPAN",
		[TUNNEL_VXLAN] = "VXLAN",
		[TUNNEL_GENEVE] = "Geneve",
		[TUNNEL_GTP] = "GTP",
		[TUNNEL_IPIP] = "IP in IP",
		[TUNNEL_L2TP] = "L2TP",
		[TUNNEL_TZSP] = "TZSP",
		[TUNNEL_HEP] = "HEP",
		[TUNNEL_LISP] = "LISP",
		[TUNNEL_CAPWAP] = "CAPWAP",
		[TUNNEL_ESP] = "IPsec",
		[TUNNEL_TURN] = "TURN",
	};
	bool any = s->vlans;

	if (s->vlans)
		text_add(t, ", in VLANs");
	for (size_t i = TUNNEL_NONE + 1; i < sizeof names / sizeof names[0]; i++) {
		if (!(s->tunnels & UINT32_C(1) << i))
			continue;
		text_addf(t, "%s%s", any ? ", " : ", in ", names[i]);
		any = true;
	}
	if (!any)
		text_add(t, ", no VLAN or tunnel");
}

void live_say_quiet(const struct live_say *s, int seconds)
{
	char count[WORDS], received[WORDS], link[LINK_NAME], shown[160];
	const char *bpf = s->arguments->bpf;
	struct text t;

	text_init(&t);
	for (size_t i = 0; i < live_count(s->live); i++) {
		const struct source_file *f = live_file(s->live, i);

		text_clear(&t);
		add_encapsulations(s, &t);
		live_say(s, "no SIP yet after %d s: %s: %s read, %s counted by the kernel, link type %s%s, %s%s",
			seconds, f->interfaces->name, words_counted(f->frames, "frame", count),
			words_count(f->interfaces->received, received), link_name(f->interfaces->link, link), t.p,
			bpf ? "filter " : "no filter", bpf ? text_escape(span_of(bpf), shown, sizeof shown) : "");
	}
	text_fini(&t);
}
