/* SPDX-License-Identifier: MIT */
/* say: words for who and where. */
#include "analyzer/detect/say.h"

#include <stdio.h>

enum { NAME_TEXT = 32 };             /* two names and an effect are to fit into a title */

static unsigned roles_of(const struct facts *facts, const struct address *a)
{
	const struct host *h = network_host_find(facts->network, a);

	return h ? host_roles_or_said(h) : 0;
}

bool say_serves(const struct facts *facts, const struct address *a)
{
	return roles_of(facts,
	       a) & (1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PROXY | 1u << ROLE_TRUNK | 1u << ROLE_MEDIA);
}

bool say_is_pbx(const struct facts *facts, const struct address *a)
{
	return roles_of(facts, a) & (1u << ROLE_PBX | 1u << ROLE_MEDIA);
}

bool say_relays(const struct facts *facts, const struct address *a)
{
	return (roles_of(facts, a) & (1u << ROLE_PROXY | 1u << ROLE_PBX | 1u << ROLE_SBC | 1u << ROLE_PHONE)) ==
	       1u << ROLE_PROXY;
}

bool say_routes(const struct facts *facts, const struct address *a)
{
	return roles_of(facts, a) & 1u << ROLE_NAT;
}

static const char *role_word(const struct facts *facts, const struct address *a)
{
	static const struct { enum host_role role; const char *word; } words[] = {
		{ ROLE_PBX, "the PBX " }, { ROLE_SBC, "the SBC " }, { ROLE_PROXY, "the proxy " },
		  { ROLE_NAT, "the router " },
		{ ROLE_PHONE, "the phone " }, { ROLE_TRUNK, "the provider " }, { ROLE_MEDIA, "the media host " },
	};
	unsigned roles = roles_of(facts, a);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (roles & 1u << words[i].role)
			return words[i].word;
	}
	return "";
}

const char *say_host(const struct facts *facts, const struct address *a, char buffer[SAY_TEXT])
{
	char text[ADDRESS_TEXT];

	snprintf(buffer, SAY_TEXT, "%s%s", role_word(facts, a), address_text(a, text));
	return buffer;
}

const char *say_party(const struct facts *facts, const struct leg *leg, enum side side, char buffer[SAY_TEXT])
{
	const struct party *p = &leg->party[side];

	if (p->user.n)
		return text_escape(p->user, buffer, NAME_TEXT);
	if (address_known(&p->signalling.addr))
		return say_host(facts, &p->signalling.addr, buffer);
	if (p->host.n)
		return text_escape(p->host, buffer, NAME_TEXT);
	snprintf(buffer, SAY_TEXT, "%s", side == SIDE_CALLER ? "the caller" : "the callee");
	return buffer;
}

const char *say_party_full(const struct facts *facts, const struct leg *leg, enum side side, char buffer[SAY_TEXT])
{
	const struct party *p = &leg->party[side];
	char name[48], agent[40] = "", at[ADDRESS_TEXT] = "";

	text_escape(p->user, name, sizeof name);
	if (p->user_agent.n)
		text_escape(p->user_agent, agent, 32);
	if (address_known(&p->signalling.addr))
		address_text(&p->signalling.addr, at);
	if (!p->user.n || (!agent[0] && !at[0]))
		return say_party(facts, leg, side, buffer);
	snprintf(buffer, SAY_TEXT, "%s (%s%s%s)", name, agent, agent[0] && at[0] ? ", " : "", at);
	return buffer;
}

const char *say_formats(const struct sdp_media *m, char buffer[SAY_TEXT])
{
	size_t at = 0;

	buffer[0] = '\0';
	for (unsigned i = 0; m && i < m->format_count && at < SAY_TEXT; i++) {
		const struct sdp_format *f = &m->formats[i];
		char codec[24];

		if (f->codec.n)
			at += (size_t)snprintf(buffer + at, SAY_TEXT - at, "%s%s (%u)", i ? ", " : "",
				text_escape(f->codec, codec, sizeof codec), f->pt);
		else
			at += (size_t)snprintf(buffer + at, SAY_TEXT - at, "%s%u", i ? ", " : "", f->pt);
	}
	return buffer;
}

enum { TITLE_COLUMNS = 78 };

void say_title(struct finding *f, const char *act, const char *effect)
{
	finding_title(f, "%s: %s", act, effect);
	if (text_columns(f->title.p) > TITLE_COLUMNS)
		finding_title(f, "%s", effect);
}

void say_direct_media_fix(struct finding *f, const char *pbx)
{
	finding_fix(f, "Switch direct media (re-INVITE) off for these phones on %s, or update it: whoever moves its port in the answer to a re-INVITE has to be followed by a re-INVITE to the other one.",
		pbx);
}

const char *say_request(enum sip_method method)
{
	switch (method) {
	case SIP_INVITE:
		return "a re-INVITE";
	case SIP_UPDATE:
		return "an UPDATE";
	case SIP_INFO:
		return "an INFO";
	case SIP_OPTIONS:
		return "an OPTIONS";
	case SIP_BYE:
		return "a BYE";
	case SIP_REFER:
		return "a REFER";
	case SIP_NOTIFY:
		return "a NOTIFY";
	case SIP_MESSAGE:
		return "a MESSAGE";
	default:
		return "a request";
	}
}

const char *say_bye(const struct leg *leg)
{
	return leg->bye_answered && leg->bye_answered_ns == leg->bye_ns ? "answer to the BYE" : "BYE";
}

const char *say_claim(const struct finding *f)
{
	switch (f->confidence) {
	case CONFIDENCE_CERTAIN:
		return "";
	case CONFIDENCE_LIKELY:
		return "probably ";
	case CONFIDENCE_NONE:
	case CONFIDENCE_POSSIBLE:
		break;
	}
	return "possibly ";
}

const char *say_point(const struct facts *facts, const struct hearing *h, const struct direction *d,
	char buffer[SAY_TEXT])
{
	struct endpoint receiver = party_seen_at(d, side_other(d->sender)), sender = party_seen_at(d, d->sender);
	char host[SAY_TEXT];

	if (h->near_receiver && !h->at_sender)
		snprintf(buffer, SAY_TEXT, "beside %s", say_host(facts, &receiver.addr, host));
	else if (h->near_sender)
		snprintf(buffer, SAY_TEXT, "%s %s", h->at_sender ? "beside" : "on the way from",
			say_host(facts, &sender.addr, host));
	else
		snprintf(buffer, SAY_TEXT, "at this capture point");
	return buffer;
}

struct endpoint party_seen_at(const struct direction *d, enum side side)
{
	const struct direction *own = &d->slot->direction[side], *to = &d->slot->direction[side_other(side)];
	const struct party *p = &d->slot->dialog->leg->party[side];
	const struct window *w = direction_first_due(to);
	const struct hearing *h = hearing_of(d);
	const struct stream *first = NULL;

	if (h && h->heard == HEARD_NO && h->moved_to && side == d->sender)
		return *h->moved_to;
	/* direct media, of which the other leg tells the way back: to whom this one was told to send */
	if (h && h->failure == FAILURE_MISDIRECTED && side != d->sender && h->window->target_count && hearing_of(own) &&
	    hearing_of(own)->elsewhere)
		return h->window->targets[0].at;
	/* whom a transfer put into the place of the first: who speaks while it fails */
	for (unsigned i = 0; h && h->heard == HEARD_NO && side != d->sender && i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (s->direction == own && s->bound_by <= BOUND_STRONG && !s->twin_of && s->first_ns < h->to_ns &&
		    s->last_ns > ns_add(h->from_ns, SECOND_NS) && window_has_target(h->window, &s->src))
			return s->src;
	}
	for (unsigned i = 0; i < own->stream_count; i++) {
		const struct stream *s = own->streams[i];

		if (s->direction != own || s->bound_by > 6)
			continue;
		/* what ended with the answer may have come from another machine: an announcement, another branch */
		if (!w || s->last_ns > ns_add(w->on_ns, SECOND_NS))
			return s->src;
		if (!first)
			first = s;
	}
	if (first)
		return first->src;
	if (address_known(&p->signalling.addr)) {
		struct endpoint at = p->signalling;

		at.port = 0;
		for (unsigned i = 0; w && i < w->target_count; i++) {
			if (address_equal(&w->targets[i].at.addr, &at.addr))
				at.port = w->targets[i].at.port;
		}
		return at;
	}
	return w && w->target_count ? w->targets[0].at : (struct endpoint){ .port = 0 };
}

struct frame_ref window_sdp_frame(const struct window *w)
{
	return w->target_count ? w->targets[0].message->at : (struct frame_ref){ .frame = 0 };
}

struct frame_ref stream_frame(const struct stream *s, uint32_t frame, int64_t at_ns)
{
	return (struct frame_ref){ at_ns, frame, s->file, s->interface };
}

static void evidence_of_stream(struct finding *f, const struct stream *s, const char *what)
{
	char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT], count[TEXT_COUNT];

	finding_evidence_run(f, stream_frame(s, s->first_frame, s->first_ns), s->last_frame, "%s: %s packets %s to %s",
		what,
			     text_count(s->packets, count), endpoint_text(&s->src, src), endpoint_text(&s->dst, dst));
}

/* Where audio went that a relay or proxy was told on its own hop: that copy; else the one that reached the sender. */
static const struct target *promise(const struct window *w, const struct endpoint *went)
{
	for (unsigned i = 0; went && i < w->target_count; i++) {
		if (endpoint_equal(&w->targets[i].at, went))
			return &w->targets[i];
	}
	return w->target_count ? &w->targets[0] : NULL;
}

void evidence_of_promise(struct finding *f, const struct window *w, const struct message *answer,
	const struct endpoint *went)
{
	const struct target *told = w ? promise(w, went) : NULL;
	const struct message *m = told ? told->message : NULL;
	bool both = m && m == answer;
	char at[ENDPOINT_TEXT];

	if (m) {
		endpoint_text(&told->at, at);
		if (m->request)
			finding_evidence(f, m->at, "%s: audio to %s", sip_method_name(m->method), at);
		else
			finding_evidence(f, m->at, "%u: %saudio to %s", m->status, both ? "the call is answered, " : "",
				at);
	}
	if (answer && !both && !answer->request)     /* a call met in its midst is known by a request */
		finding_evidence(f, answer->at, "%u: the call is answered", answer->status);
}

void evidence_of_call(struct finding *f, const struct direction *d, const struct hearing *h)
{
	const struct direction *back = direction_reverse(d);

	evidence_of_promise(f, h->window, d->slot->dialog->confirmed_by, h->misdirected ? &h->misdirected->dst : NULL);
	if (h->misdirected)
		evidence_of_stream(f, h->misdirected, "audio goes to another address");
	else if (h->foreign)
		evidence_of_stream(f, h->foreign, "audio of a type that was not agreed");
	else if (h->stream)
		evidence_of_stream(f, h->stream, "audio in the failing direction");
	for (unsigned i = 0; i < back->stream_count && i < 1; i++)
		evidence_of_stream(f, back->streams[i], "audio in the other direction");
}

void parts_of_direction(struct finding *f, const struct facts *facts, const struct direction *d)
{
	enum side receiver = side_other(d->sender);
	struct endpoint at = party_seen_at(d, receiver);

	(void)facts;
	finding_leg(f, d->slot->dialog->leg);
	if (address_known(&at.addr))
		finding_part(f, PART_VICTIM, &at);
	for (unsigned i = 0; i < d->stream_count; i++)
		finding_stream(f, d->streams[i]->n);
	for (unsigned i = 0; i < direction_reverse(d)->stream_count; i++)
		finding_stream(f, direction_reverse(d)->streams[i]->n);
}

/* Its SDP names another host for its media than signals, and that one is seen here: it is the one that is silent. */
static bool media_host_seen(const struct facts *facts, const struct direction *d, const struct window *w)
{
	const struct address *sip = &d->slot->dialog->leg->party[d->sender].signalling.addr;
	const struct host *h = w && w->source_count ? network_host_find(facts->network, &w->sources[0].at.addr) : NULL;

	return h && h->sends_ip && !address_equal(&h->addr, sip) && address_private(&h->addr) == address_private(sip);
}

struct endpoint sender_seen_at(const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	if (h->failure == FAILURE_ABSENT && !d->stream_count && media_host_seen(facts, d, h->window))
		return h->window->sources[0].at;
	/* a relay on the way sent it astray, or obeyed */
	if (h->failure == FAILURE_MISDIRECTED && h->misdirected && h->misdirected->twin_of && h->misdirected->twin_kind == TWIN_RELAY)
		return h->misdirected->src;
	return h->failure == FAILURE_ABSENT && h->source_apart ? h->window->sources[0].at : party_seen_at(d, d->sender);
}

void cannot_see_of(struct finding *f, const struct facts *facts, const struct direction *d, const struct hearing *h)
{
	struct endpoint sender = sender_seen_at(facts, d, h), receiver = party_seen_at(d, side_other(d->sender));
	char host[SAY_TEXT];

	if (f->confidence == CONFIDENCE_CERTAIN)
		return;
	if (h->failure == FAILURE_ABSENT && h->sending == RTCP_SENDING_CONSTANT)
		finding_cannot_see(f, "whether %s is muted, which looks the same",
			say_host(facts, &sender.addr, host));
	else if (h->failure == FAILURE_ABSENT && h->at_sender)
		finding_cannot_see(f, "a way from %s that leads past this point, if there is one",
			say_host(facts, &sender.addr, host));
	else if (h->failure == FAILURE_ABSENT)
		finding_cannot_see(f, "whether %s sent anything; capture beside it to decide",
			say_host(facts, &sender.addr, host));
	else if (h->near_receiver)
		finding_cannot_see(f, "what %s makes of the packets: they pass beside it",
			say_host(facts, &receiver.addr, host));
	else
		finding_cannot_see(f, "what arrives at %s; capture beside it to decide",
			say_host(facts, &receiver.addr, host));
}

const struct stream *stream_origin(const struct stream *s)
{
	while (s->twin_of && s->twin_kind != TWIN_RELAY)
		s = s->twin_of;
	return s;
}

void say_relay_fix(struct finding *f, const char *relay, const char *at)
{
	finding_fix(f, "On %s a capture sees packets before the host's own firewall does: let its rules take UDP to %s, and let out what the relay sends. If they do, look in the log of the relay for this call: a source that it does not accept, a codec or a key that it cannot use, no session.",
		relay, at);
}

void say_passed_before_fix(struct finding *f, const char *a, const char *b)
{
	finding_fix(f, "Look at what lies between %s and %s at that moment: a router that forgot the session or gave it another port, a new address, a limit of sessions, a link. Until then UDP passed there, so a fixed rule does not forbid it.",
		a, b);
}

bool say_first_packet_fix(struct finding *f, const struct facts *facts, const struct address *server,
	const struct address *router, const char *phone)
{
	const struct pair *others = address_private(router) ? NULL : network_pair_find(facts->network, server, router);
	char who[SAY_TEXT], nat[SAY_TEXT];

	if (!others || !others->media || network_insides(facts->network, router) == 0)
		return false;
	finding_fix(f, "%s sends the audio of other calls to %s: it learns where a phone is from its first packet, and none of %s comes. Look for what keeps it back: a rule for its ports in %s or its firewall, a mute, a dead audio device; a capture behind %s shows whether it sends.",
		say_host(facts, server, who), say_host(facts, router, nat), phone, nat, nat);
	return true;
}

void say_relay_unseen(struct finding *f)
{
	finding_cannot_see(f, "what keeps the relay from it, and whether it sends by an interface that is not captured");
}

bool say_silent_host(struct finding *f, const struct facts *facts, const struct address *host, const char *what)
{
	struct vantage seen = network_vantage(facts->network);
	char name[SAY_TEXT];

	say_host(facts, host, name);
	if (seen.host && address_equal(&seen.host->addr, host) && seen.confidence == VANTAGE_CERTAIN &&
	    (seen.kind == VANTAGE_ON_HOST || seen.kind == VANTAGE_NEAR)) {
		finding_cannot_see(f, "whether the program on %s got %s: a firewall on that machine may have taken it; its log decides", name, what);
		return true;
	}
	finding_cannot_see(f, "whether %s got %s; capture there to decide", name, what);
	return false;
}
