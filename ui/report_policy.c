/* SPDX-License-Identifier: MIT */
/*
 * report_policy: the firewall policy that would permit what was seen, and no more: a file for nft, or a table. Nothing
 * of a packet but addresses and numbers gets into it; names of captures stand escaped in comments.
 */
#include "ui/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/site.h"
#include "captures/base/memory.h"
#include "ui/report_part.h"
#include "ui/table.h"
#include "ui/words.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

enum { RANGE_TEXT = 16 };

/* "5060", "10000-10020" */
static const char *range_text(const struct view_rule *x, char buffer[RANGE_TEXT])
{
	if (x->high > x->low)
		snprintf(buffer, RANGE_TEXT, "%u-%u", x->low, x->high);
	else
		snprintf(buffer, RANGE_TEXT, "%u", x->low);
	return buffer;
}

static void add_capture(struct text *t, const struct report *r)
{
	struct view_capture *c = memory_zalloc(sizeof *c);
	char length[WORDS], from[WORDS];

	view_capture(r->engine, c);
	for (size_t i = 0; i < r->file_count && i < 3; i++) {
		text_add(t, i ? ", " : "");
		report_file_name(t, r, i);
	}
	if (r->file_count > 3)
		text_addf(t, " and %zu more", r->file_count - 3);
	if (c->first_ns != NS_NONE)
		text_addf(t, ", %s from %s", words_duration(ns_minus(c->last_ns, c->first_ns), length),
			words_moment(c->first_ns, from));
	if (c->seen_from)
		text_addf(t, ", seen from %s", c->seen_from);
	free(c);
}

static void add_left_out(struct text *t, const struct view_policy *p)
{
	char users[WORDS], cut[WORDS];

	if (p->users)
		text_addf(t, "%s outside", words_counted(p->users, "user", users));
	if (p->strangers)
		text_addf(t, "%s%u unknown address%s", t->n ? ", " : "", p->strangers, p->strangers == 1 ? "" : "es");
	if (p->cut)
		text_addf(t, "%s%s beyond the most that are printed", t->n ? ", " : "",
			words_counted(p->cut, "rule", cut));
}

/* ---- what belongs to the rules: marks, VLANs, limits ---- */

enum { LIMITS_SHOWN = 8, LEEWAY = 10, LIMIT_LEAST = 10 };

static const char *dscp_word(uint8_t dscp)
{
	switch (dscp) {
	case 0: return " (none)";
	case 24: return " (CS3)";
	case 26: return " (AF31)";
	case 34: return " (AF41)";
	case 40: return " (CS5)";
	case 44: return " (VOICE-ADMIT)";
	case 46: return " (EF)";
	default: return "";
	}
}

/* Is all media that leaves marked as voice? */
static bool marks_kept(const struct report *r)
{
	struct view_mark x;

	for (size_t i = 0; view_mark(r->engine, i, &x); i++) {
		if (x.media && !x.inbound && x.dscp != 46 && x.dscp != 44)
			return false;
	}
	return true;
}

/* "SIP to providers 24 (CS3) in 9 requests; media to providers 46 (EF) in 3 streams, 0 (none) in 1 stream" */
static void add_marks(struct text *t, const struct report *r)
{
	struct view_mark x, last = { .count = 0 };
	char seen[WORDS];

	for (size_t i = 0; view_mark(r->engine, i, &x); i++) {
		if (i && last.media == x.media && last.inbound == x.inbound)
			text_add(t, ", ");
		else
			text_addf(t, "%s%s %s providers ", i ? "; " : "", x.media ? "media" : "SIP",
				  x.inbound ? "from" : "to");
		text_addf(t, "%u%s in %s", x.dscp, dscp_word(x.dscp),
			  words_counted(x.count, x.media ? "stream" : "request", seen));
		last = x;
	}
	if (last.count)
		text_add(t, marks_kept(r) ? ". Trust these marks on the way, and give 46 (EF) priority where the line is narrow"
					  : ". Mark media 46 (EF) and SIP 24 (CS3) at the phones or the switch, and give 46 priority where the line is narrow");
}

static void add_vlans(struct text *t, const struct report *r)
{
	struct view_vlan x;
	char hosts[WORDS];

	for (size_t i = 0; view_vlan(r->engine, i, &x); i++)
		text_addf(t, "%s%u of %s of the site with SIP or media", i ? ", " : "", x.vid,
			  words_counted(x.hosts, "host", hosts));
}

/* A firewall sees calls, not what they cost: ten times the busiest minute leaves room and stops a flood. */
static void add_limits(struct text *t, const struct report *r)
{
	struct view_limit x;
	char from[ADDRESS_TEXT], calls[WORDS];

	for (size_t i = 0; i < LIMITS_SHOWN && view_limit(r->engine, i, &x); i++)
		text_addf(t, "%s%s brought at most %s a minute (from frame %u on); a limit of %u leaves room",
			  i ? "; " : "", address_text(&x.from, from), words_counted(x.calls, "new call", calls), x.frame,
			  x.calls * LEEWAY > LIMIT_LEAST ? x.calls * LEEWAY : LIMIT_LEAST);
	if (view_limit(r->engine, LIMITS_SHOWN, &x))
		text_add(t, "; and more providers");
}

static const struct extra {
	const char *label;
	void (*add)(struct text *t, const struct report *r);
} extras[] = { { "VLAN", add_vlans }, { "DSCP", add_marks }, { "Rate", add_limits } };

static const char nothing[] = "Nothing to permit: no SIP between the site and a provider was answered here, as far as the addresses tell. A profile says which "
			      "are whose: inside-nets, public-ips, pbx, trunk.";

/* ---- nftables ---- */

/* Each line of it begins as one. */
static void comment(struct out *o, const char *text)
{
	struct span rest = span_of(text), word;
	size_t columns = 0;

	while (span_split(&rest, ' ', &word)) {
		if (columns == 0 || columns + 1 + word.n > PROSE_COLUMNS) {
			out_text(o, columns ? "\n#" : "#");
			columns = 1;
		}
		out_textf(o, " %.*s", (int)word.n, (const char *)word.p);
		columns += 1 + word.n;
	}
	out_text(o, "\n");
}

static const char *family_word(const struct address *a)
{
	return a->family == 6 ? "ip6" : "ip";
}

static void print_accept(const struct report *r, const struct view_rule *x)
{
	char from[ADDRESS_TEXT], to[ADDRESS_TEXT], ports[RANGE_TEXT], seen[WORDS];

	out_textf(r->out, "\t\t%s saddr %s %s daddr %s %s dport %s accept # %s, first in frame %u%s\n",
		family_word(&x->from), address_text(&x->from, from),
		  family_word(&x->to), address_text(&x->to, to), x->protocol, range_text(x, ports),
		  words_counted(x->count, x->media ? "stream" : x->tls ? "connection" : "request", seen), x->frame,
		  x->documented ? "; the profile's range" : "");
}

static void print_accepts(const struct report *r, bool media, bool inbound, const char *title)
{
	struct view_rule x;
	bool said = false;

	for (size_t i = 0; view_rule(r->engine, i, &x); i++) {
		if (x.media != media || x.inbound != inbound)
			continue;
		if (!said)
			out_textf(r->out, "\n\t\t# %s\n", title);
		said = true;
		print_accept(r, &x);
	}
}

static unsigned networks_of(const struct nets *nets, unsigned family)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nets->count; i++)
		n += nets->list[i].addr.family == family;
	return n;
}

static void print_set(const struct report *r, const struct nets *nets, unsigned family)
{
	char addr[ADDRESS_TEXT];
	const char *before = "";

	if (!networks_of(nets, family))
		return;
	out_textf(r->out,
		"\tset inside%u {\n\t\ttype ipv%u_addr\n\t\tflags interval\n\t\tauto-merge\n\t\telements = { ", family,
		family);
	for (unsigned i = 0; i < nets->count; i++) {
		if (nets->list[i].addr.family != family)
			continue;
		out_textf(r->out, "%s%s/%u", before, address_text(&nets->list[i].addr, addr), nets->list[i].bits);
		before = ", ";
	}
	out_text(r->out, " }\n\t}\n\n");
}

static void print_drop(const struct report *r, const struct view_policy *p, const struct address *own,
	const char *ports)
{
	char addr[ADDRESS_TEXT];
	unsigned family = own->family == 6 ? 6 : 4;

	out_text(r->out, "\t\t");
	if (networks_of(p->inside, family))
		out_textf(r->out, "%s saddr != @inside%u ", family_word(own), family);
	out_textf(r->out, "%s daddr %s %s counter drop\n", family_word(own), address_text(own, addr), ports);
}

static const struct address *own_of(const struct view_rule *x)
{
	return x->inbound ? &x->to : &x->from;
}

struct closed {                      /* a range of an own address that is closed to everybody else */
	struct address own;
	const char *protocol;
	uint16_t low, high;
};

static bool is_closed(const struct closed *list, unsigned count, const struct closed *x)
{
	for (unsigned i = 0; i < count; i++) {
		if (address_equal(&list[i].own, &x->own) && list[i].protocol == x->protocol && list[i].low == x->low &&
		    list[i].high == x->high)
			return true;
	}
	return false;
}

static bool is_usual(const struct view_rule *x)
{
	return x->low >= 5060 && x->high <= 5061 && strcmp(x->protocol, "sctp") != 0;
}

/* What was permitted to somebody is forbidden to all others from outside, and SIP's usual ports with it. */
static void print_drops(const struct report *r, const struct view_policy *p)
{
	struct closed *list = memory_zalloc((2 * p->rules + 1u) * sizeof *list);
	unsigned count = 0;
	struct view_rule x;
	char ports[RANGE_TEXT], match[2 * RANGE_TEXT];

	out_text(r->out, "\n\t\t# nobody else from outside\n");
	for (size_t i = 0; view_rule(r->engine, i, &x); i++) {
		struct closed c = { *own_of(&x), x.protocol, x.low, x.high }, usual = { *own_of(&x), NULL, 5060, 5061 };

		snprintf(match, sizeof match, "%s dport %s", x.protocol, range_text(&x, ports));
		if (x.inbound && !is_usual(&x) && !is_closed(list, count, &c)) {
			print_drop(r, p, &c.own, match);
			list[count++] = c;
		}
		if (!is_closed(list, count, &usual)) {
			print_drop(r, p, &usual.own, "meta l4proto { tcp, udp } th dport 5060-5061");
			list[count++] = usual;
		}
	}
	free(list);
}

static void print_hook(const struct report *r, const char *hook)
{
	out_textf(r->out,
		"\n\tchain %s {\n\t\ttype filter hook %s priority filter; policy accept;\n\t\tjump voip\n\t}\n", hook,
		hook);
}

static void comment_extra(const struct report *r, const struct extra *x)
{
	struct text t;
	size_t label;

	text_init(&t);
	text_addf(&t, "%s: ", x->label);
	label = t.n;
	x->add(&t, r);
	text_add(&t, t.n > label ? "." : "not seen.");
	comment(r->out, t.p);
	text_fini(&t);
}

static void print_comments(const struct report *r, const struct view_policy *p)
{
	char calls[WORDS];
	struct text t;

	text_init(&t);
	text_add(&t, "Derived by deadair " PACKAGE_VERSION " from this capture alone: ");
	add_capture(&t, r);
	text_add(&t, ".");
	comment(r->out, t.p);
	comment(r->out, p->rules ? "It permits what was seen between the site and its providers, and no more: what did not happen in the capture is not in it. Set the "
				   "media ranges to those that the devices are configured for (media-ports in the profile), read it, and test it before use." :
				   nothing);
	text_clear(&t);
	if (p->peak_calls && p->rules)
		text_addf(&t, "At most %s at once: %u media ports for RTP and RTCP on each host that all of it passes.",
			  words_counted(p->peak_calls, "call", calls), 2 * p->peak_calls);
	if (t.n)
		comment(r->out, t.p);
	text_clear(&t);
	add_left_out(&t, p);
	if (t.n) {
		out_text(r->out, "# Left out:\n");
		comment(r->out, t.p);
	}
	for (size_t i = 0; p->rules && i < sizeof extras / sizeof extras[0]; i++)
		comment_extra(r, &extras[i]);
	text_fini(&t);
}

static void print_nftables(const struct report *r, const struct view_policy *p)
{
	out_text(r->out, "#!/usr/sbin/nft -f\n");
	print_comments(r, p);
	if (!p->rules)
		return;
	out_text(r->out, "\n# loaded again it replaces itself\ntable inet deadair_voip\ndelete table inet deadair_voip\n\ntable inet deadair_voip {\n");
	print_set(r, p->inside, 4);
	print_set(r, p->inside, 6);
	out_text(r->out, "\tchain voip {\n\t\tct state established,related accept\n");
	print_accepts(r, false, false, "SIP to providers");
	print_accepts(r, false, true, "SIP from providers");
	print_accepts(r, true, false, "media to providers");
	print_accepts(r, true, true, "media from providers");
	print_drops(r, p);
	out_text(r->out, "\t}\n");
	print_hook(r, "forward");
	print_hook(r, "input");
	print_hook(r, "output");
	out_text(r->out, "}\n");
}

/* ---- table ---- */

static const struct table_column columns[] = {
	{ "from", false, 2, 0, 0 }, { "to", false, 2, 0, 0 },	 { "protocol", false, 2, 0, 0 },
	  { "ports", false, 2, 0, 0 },
	{ "for", false, 2, 0, 0 },  { "seen", true, 2, 0, 2 }, { "frame", true, 0, 0, 1 },
};

static void cell_format(struct table *t, const char *format, unsigned n)
{
	char text[32];

	snprintf(text, sizeof text, format, n);
	table_cell(t, PAINT_PLAIN, text);
}

static void cell_address(struct table *t, const struct address *a)
{
	char text[ADDRESS_TEXT];

	table_cell(t, PAINT_PLAIN, address_text(a, text));
}

static void print_rule(struct table *t, const struct view_rule *x)
{
	char ports[RANGE_TEXT];

	cell_address(t, &x->from);
	cell_address(t, &x->to);
	table_cell(t, PAINT_PLAIN, x->protocol);
	table_cell(t, PAINT_PLAIN, range_text(x, ports));
	table_cell(t, PAINT_PLAIN, x->media ? x->documented ? "media*" : "media" : x->tls ? "SIP, TLS" : "SIP");
	cell_format(t, "%u", x->count);
	cell_format(t, "%u", x->frame);
}

static void print_extras(const struct report *r)
{
	struct text t;

	text_init(&t);
	out_text(r->out, "\n");
	for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
		text_clear(&t);
		extras[i].add(&t, r);
		if (t.n == 0)
			text_add(&t, "not seen");
		out_paragraph(r->out, 0, extras[i].label, LABEL_COLUMNS, PAINT_HEAD, t.p);
	}
	text_fini(&t);
}

static void print_table(const struct report *r, const struct view_policy *p)
{
	struct table *table = table_new(columns, sizeof columns / sizeof columns[0]);
	struct view_rule x;
	struct text t;
	bool documented = false;

	text_init(&t);
	add_capture(&t, r);
	out_paragraph(r->out, 0, "Policy", LABEL_COLUMNS, PAINT_HEAD,
		"derived from this capture alone: permits what was seen in it, and no more");
	out_paragraph(r->out, 0, "Capture", LABEL_COLUMNS, PAINT_HEAD, t.p);
	text_clear(&t);
	add_left_out(&t, p);
	if (t.n)
		out_paragraph(r->out, 0, "Left out", LABEL_COLUMNS, PAINT_HEAD, t.p);
	text_fini(&t);
	out_text(r->out, "\n");
	for (size_t i = 0; view_rule(r->engine, i, &x); i++) {
		print_rule(table, &x);
		documented |= x.documented;
	}
	if (p->rules)
		table_print(table, r->out, 2, true);
	else
		out_paragraph(r->out, 0, "?", 2, PAINT_UNKNOWN, nothing);
	if (documented)
		out_text(r->out, "  * the range of the profile\n");
	table_free(table);
	if (p->rules)
		print_extras(r);
}

void report_policy(const struct report *r, bool nftables)
{
	struct view_policy p;

	view_policy(r->engine, &p);
	if (nftables)
		print_nftables(r, &p);
	else
		print_table(r, &p);
}
