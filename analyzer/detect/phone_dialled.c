/* SPDX-License-Identifier: MIT */
/* phone_dialled: failed connections against what phones have registered. */
#include "analyzer/detect/phone_dialled.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyzer/detect/lookup.h"
#include "analyzer/detect/phone_calls.h"
#include "analyzer/detect/say.h"
#include "captures/base/memory.h"
#include "captures/base/sort.h"

#define CALL_BEFORE_NS SECOND_NS             /* the call that it is opened for */

static bool is_stream(unsigned transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_TLS || transport == TRANSPORT_WS;
}

struct phone_socket {
	struct endpoint at;
	const struct device *device;
	size_t n;                    /* which was known first */
};

static int socket_compare(const void *a, const void *b)
{
	const struct phone_socket *x = a, *y = b;
	int c = endpoint_compare(&x->at, &y->at);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static void socket_add(struct phone_sockets *p, const struct device *d, const struct endpoint *at)
{
	if (!at->port)
		return;
	p->list[p->count] = (struct phone_socket){ *at, d, p->count };
	p->count++;
}

static size_t devices_count(const struct facts *facts)
{
	size_t n = 0;

	LIST_EACH(it, accounts_in_order(facts->accounts))
		n += LIST_ENTRY(it, struct account, in_order)->devices.count;
	return n;
}

void phone_sockets_init(struct phone_sockets *p, const struct facts *facts)
{
	*p = (struct phone_sockets){ .list = memory_resize(NULL, 2 * devices_count(facts) + 1, sizeof *p->list) };
	LIST_EACH(it, accounts_in_order(facts->accounts)) {
		const struct account *a = LIST_ENTRY(it, struct account, in_order);

		LIST_EACH(at, &a->devices) {
			const struct device *d = LIST_ENTRY(at, struct device, in_account);

			if (!d->succeeded || !is_stream(d->transport))
				continue;
			socket_add(p, d, &d->contact);
			if (!endpoint_equal(&d->source, &d->contact))
				socket_add(p, d, &d->source);
		}
	}
	sort(p->list, p->count, sizeof *p->list, socket_compare);
}

void phone_sockets_fini(struct phone_sockets *p)
{
	free(p->list);
}

const struct device *phone_dialled(const struct phone_sockets *p, const struct facts *facts, const struct flow *x)
{
	const struct phone_socket key = { .at = x->server };
	size_t low = 0, high = p->count;

	if (p->count == 0 || x->partial || flow_accepted(x) || !sip_paths_server(facts->paths, &x->client.addr))
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (socket_compare(&p->list[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < p->count && endpoint_equal(&p->list[low].at, &x->server); low++) {
		const struct device *d = p->list[low].device;

		if (d->registered_ns <= x->first_ns && address_equal(&d->server.addr, &x->client.addr))
			return d;
	}
	return NULL;
}

/* Its calls for that phone which were refused meanwhile. */
static void add_legs(struct finding *f, const struct facts *facts, const struct flow *x, const struct device *phone)
{
	struct phone_calls *calls = lookup_phone_calls(facts->lookup);
	struct span user = span_of(phone->account->user);

	for (const struct phone_call *it = NULL; (it = phone_calls_refused(calls, &x->client.addr, user, it));) {
		const struct leg *leg = it->leg;

		if (leg->first_ns > x->first_ns ||
		    ns_minus(x->first_ns, leg->first_ns) > CALL_BEFORE_NS ||
		    !address_equal(&leg->party[SIDE_CALLEE].signalling.addr, &x->client.addr) ||
		    !span_equal(leg->party[SIDE_CALLEE].user, user))
			continue;
		finding_leg(f, leg);
	}
}

/* The connection that it registered by, as it stood when this one was tried. NULL: not in the capture. */
static const struct flow *registered_by(const struct facts *facts, const struct flow *x, const struct device *phone)
{
	return phone_calls_flow(lookup_phone_calls(facts->lookup), &phone->source, &x->client.addr,
		phone->registered_ns);
}

/* Its FIN or RST, whichever was first, before that time. Frame 0: none. */
static struct frame_ref ended_at(const struct flow *o, unsigned side, int64_t before_ns)
{
	const struct flow_side *s = &o->side[side];
	struct frame_ref fin = s->fin_at, rst = s->rst_at, at = !fin.frame || (rst.frame && rst.at_ns < fin.at_ns) ? rst : fin;

	return at.frame && at.at_ns < before_ns ? at : (struct frame_ref){ 0 };
}

/* What became of the connection that it registered by, and whose part that is. */
static void say_ended(struct finding *f, const struct facts *facts, const struct flow *x, const struct device *phone)
{
	const struct flow *o = registered_by(facts, x, phone);
	struct frame_ref by_phone = { 0 }, by_server = { 0 };
	const char *user = phone->account->user;
	char who[SAY_TEXT];
	bool phones;

	if (o) {
		by_phone = ended_at(o, FLOW_CLIENT, x->first_ns);
		by_server = ended_at(o, FLOW_SERVER, x->first_ns);
	}
	phones = by_phone.frame && (!by_server.frame || by_phone.at_ns <= by_server.at_ns);
	say_host(facts, &x->client.addr, who);
	finding_part(f, phones ? PART_CULPRIT : PART_VICTIM, &x->server);
	finding_part(f, phones ? PART_VICTIM : PART_CULPRIT, &(struct endpoint){ x->client.addr, 0 });
	finding_evidence(f, phone->at, "REGISTER of %s", user);
	if (phones) {
		text_addf(&f->cause, " From there %s had opened the one by which it registered; its side closed that, and nothing listens there.", user);
		finding_evidence(f, by_phone, "its side ends the connection");
		finding_fix(f, "Let the phone of %s keep the connection open that it registered by, or register anew over the next one.", user);
	} else if (by_server.frame) {
		text_addf(&f->cause, " From there %s had opened the one by which it registered; %s closed that, and nothing listens there.", user, who);
		finding_evidence(f, by_server, "the connection of %s is ended", user);
		finding_fix(f, "Have %s, and what stands before it, leave connections open as long as the phones' registrations last; a keepalive of the phone below the time after which they are closed helps.", who);
	} else {
		text_addf(&f->cause, " From there %s had opened the one by which it registered, and nothing listens there: that one has ended, unseen, or %s does not use it.", user, who);
		finding_fix(f, "Have %s send requests over the connection that the phone has registered by; keep that open by a keepalive below the time after which router or server forget it, and let the phone register anew when it breaks.", who);
	}
}

void phone_dialled_say(struct finding *f, const struct facts *facts, const struct flow *x, const struct device *phone,
	unsigned tries, bool refused)
{
	bool contact = endpoint_equal(&phone->contact, &x->server) && !endpoint_equal(&phone->source, &x->server);
	char who[SAY_TEXT], at[ENDPOINT_TEXT], from[ENDPOINT_TEXT], effect[ACCOUNT_TEXT + 60];

	add_legs(f, facts, x, phone);
	say_host(facts, &x->client.addr, who);
	endpoint_text(&x->server, at);
	snprintf(effect, sizeof effect, "%s cannot be called over it", phone->account->user);
	say_title(f, refused ? "A TCP connection to a phone is refused" : "A TCP connection to a phone gets no answer", effect);
	finding_cause(f, "%s opens a TCP connection to %s, %u time%s, and %s.",
		who, at, tries, tries == 1 ? "" : "s", refused ? "is refused" : "nothing comes back");
	if (!contact) {
		say_ended(f, facts, x, phone);
		return;
	}
	finding_part(f, PART_VICTIM, &x->server);
	finding_part(f, PART_CULPRIT, &(struct endpoint){ x->client.addr, 0 });
	text_addf(&f->cause, " That is what %s has for its Contact; it had registered over a connection of its own from %s, where requests reach it.",
		phone->account->user, endpoint_text(&phone->source, from));
	finding_fix(f, "Have %s send requests over the connection that the phone has registered by, not to its Contact: NAT support of its account (received address, rewritten Contact, RFC 5626).", who);
	finding_evidence(f, phone->at, "REGISTER of %s", phone->account->user);
}
