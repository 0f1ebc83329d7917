/* SPDX-License-Identifier: MIT */
/* source_say: common words of findings about sources. */
#include "analyzer/detect/source_say.h"

#include <stdio.h>

enum { ANSWERS_SHOWN = 4 };

bool source_inside(const struct facts *facts, const struct source *x)
{
	return site_own(facts->site, &x->addr);
}

bool source_any_own(const struct facts *facts, const struct source *x)
{
	for (unsigned i = 0; i < x->target_count; i++) {
		if (site_own(facts->site, &x->targets[i].at.addr))
			return true;
	}
	return false;
}

unsigned source_answered(const struct facts *facts, const struct source *x, bool own)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->target_count; i++)
		n += x->targets[i].answered && (!own || site_own(facts->site, &x->targets[i].at.addr));
	return n;
}

void source_parts(struct finding *f, const struct facts *facts, const struct source *x)
{
	bool own = source_any_own(facts, x);
	unsigned shown = 0;

	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->addr, 0 });
	finding_evidence(f, x->first_at, "its first request");
	for (unsigned i = 0; i < x->target_count && shown < ANSWERS_SHOWN; i++) {
		const struct source_target *t = &x->targets[i];
		char at[ADDRESS_TEXT];

		if (!t->answered || (own && !site_own(facts->site, &t->at.addr)))
			continue;
		finding_part(f, PART_WITNESS, &t->at);
		if (t->answered_at.frame)
			finding_evidence(f, t->answered_at, "%s answers %s with %u", address_text(&t->at.addr, at),
				sip_method_name(t->method), t->status);
		shown++;
	}
	if (x->last_at.frame != x->first_at.frame)
		finding_evidence(f, x->last_at, "its last request");
}

void source_times(struct finding *f, const struct source *x)
{
	finding_times(f, x->first_ns, x->last_ns);
	f->count = x->requests;
}

const char *source_codes(const struct source *x, char *buffer, size_t room)
{
	unsigned codes[8], count = 0;
	size_t n = 0;

	buffer[0] = '\0';
	for (unsigned i = 0; i < x->target_count && count < 8; i++) {
		bool known = x->targets[i].status == 0;

		for (unsigned k = 0; k < count; k++)
			known |= codes[k] == x->targets[i].status;
		if (!known)
			codes[count++] = x->targets[i].status;
	}
	for (unsigned i = 0; i < count && n < room; i++)
		n += (size_t)snprintf(buffer + n, room - n, "%s%u", i ? ", " : "", codes[i]);
	return buffer;
}

const char *source_method(const struct source *x)
{
	unsigned best = SIP_METHOD_OTHER;

	for (unsigned i = SIP_INVITE; i <= SIP_METHOD_OTHER; i++) {
		if (x->by_method[i] > x->by_method[best])
			best = i;
	}
	return sip_method_name(best);
}

const char *source_span(int64_t from_ns, int64_t to_ns, char *buffer, size_t room)
{
	double s = (double)ns_minus(to_ns, from_ns) / 1e9;

	if (s < 0.1)
		snprintf(buffer, room, "%.0f ms", s * 1e3);
	else if (s < 10)
		snprintf(buffer, room, "%.1f s", s);
	else if (s < 180)
		snprintf(buffer, room, "%.0f s", s);
	else
		snprintf(buffer, room, "%.0f min", s / 60);
	return buffer;
}

const char *source_when(int64_t at_ns, char buffer[NS_TEXT])
{
	ns_rfc3339(at_ns, buffer);
	buffer[10] = ' ';
	strcpy(buffer + 19, " UTC");
	return buffer;
}
