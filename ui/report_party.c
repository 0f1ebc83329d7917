/* SPDX-License-Identifier: MIT */
/* report_party: the people of a call in words. */
#include "ui/report_part.h"

const char *report_number(const struct view_call *c, unsigned party, char buffer[PARTY_TEXT])
{
	struct span number = party == 0 ? c->from : c->to;

	if (number.n == 0)
		return strcpy(buffer, party == 0 ? "the caller" : "the callee");
	return text_escape(number, buffer, PARTY_TEXT);
}

static void add_detail(struct text *t, bool *any, const char *detail)
{
	text_addf(t, "%s%s", *any ? ", " : " (", detail);
	*any = true;
}

void report_party(struct text *t, const struct report *r, const struct view_call *c, unsigned party)
{
	struct span agent = party == 0 ? c->from_agent : c->to_agent;
	const struct address *at = party == 0 ? &c->from_at.addr : &c->to_at.addr;
	const char *name = names_find(r->names, at);
	char buffer[PARTY_TEXT], addr[ADDRESS_TEXT];
	bool any = false;

	text_add(t, report_number(c, party, buffer));
	if (agent.n)
		add_detail(t, &any, text_escape(agent, buffer, 64));
	if (name)
		add_detail(t, &any, name);
	if (address_known(at))
		add_detail(t, &any, address_text(at, addr));
	text_add(t, any ? ")" : "");
}
