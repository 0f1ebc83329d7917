/* SPDX-License-Identifier: MIT */
/* test_binding: streams made by hand, promises made by SIP: which keeps which, and by what rule. */
#include "analyzer/media/binding.h"

#include "tests/unit/calls_script.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const struct expectation_config expect = {
	.start_grace_ns = 1500 * MILLISECOND_NS, .ice_grace_ns = 3 * SECOND_NS, .move_overlap_ns = 2 * SECOND_NS,
	.bye_linger_ns = 2 * SECOND_NS,
};

enum { ROWS = 12, STREAMS = 4, MAPS = 2 };

struct sound {                       /* a stream; src NULL: no more */
	const char *src, *dst;
	double from, to;
	const char *bound;           /* "B1 1 callee": rule, leg, who sends; "": to none; "tied" */
	unsigned pt;                 /* 0: 8 */
	uint32_t ssrc;
	unsigned twin_of;            /* 1-based stream that it is seen of again, behind a NAT; 0 none */
	bool multicast;
	const char *also;            /* a second direction that has it: "2 callee" */
};

struct map { const char *inside, *outside; };

/* ---- the table ---- */

#define CALL(id, t, offer, answer) { .s = t, .call = id, .sdp = offer }, \
	{ .s = t + 1, .call = id, .status = 200, .to = "t", .sdp = answer }, \
	{ .s = t + 1.1, .call = id, .method = "ACK", .to = "t" }
#define END(id, t) { .s = t, .call = id, .method = "BYE", .to = "t", .cseq = 9 }, \
	{ .s = t + 0.1, .call = id, .method = "BYE", .status = 200, .to = "t", .cseq = 9 }
#define PLAIN CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c1", 31)
#define BODY(host, port, more) \
	"v=0\r\no=- 7" port " 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\nm=audio " port " RTP/AVP 8 0\r\n" more
#define ICE "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=candidate:1 1 UDP 1 10.0.0.1 4000 typ host\r\n" \
	"a=candidate:2 1 UDP 2 198.51.100.1 44000 typ srflx\r\na=candidate:2 2 UDP 2 198.51.100.1 44001 typ srflx\r\n" \
	"a=candidate:3 1 TCP 2 198.51.100.1 44002 typ srflx\r\n"
#define BUNDLED(host) "v=0\r\no=- 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n" \
	"m=video 4000 RTP/AVP 96\r\na=mid:0\r\na=rtpmap:96 VP8/90000\r\nm=audio 4000 RTP/AVP 8\r\na=mid:1\r\n"

static const struct scene {
	const char *name;
	struct row rows[ROWS];
	struct sound streams[STREAMS];
	struct map maps[MAPS];
} scenes[] = {
	/* ---- the rules ---- */
	{ "B1: both addresses as promised", { PLAIN },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1, 31, "B1 1 callee" },
	  { "10.0.0.1:4000", "10.0.0.2:5000", 1, 31, "B1 1 caller" } }, { { 0 } } },
	{ "B2: to a candidate of ICE", { CALL("c1", 0, BODY("10.0.0.1", "4000", ICE), "v1 10.0.0.2:5000") },
	  { { "10.0.0.2:5000", "198.51.100.1:44000", 1, 31, "B1 1 callee" },
	  { "10.0.0.2:5555", "198.51.100.1:44000", 1, 31, "B2 1 callee" } }, { { 0 } } },
	{ "B2 not: candidates for RTCP or TCP", { CALL("c1", 0, BODY("10.0.0.1", "4000", ICE), "v1 10.0.0.2:5000") },
	  { { "192.0.2.1:700", "198.51.100.1:44001", 1, 31, "" },
	  { "192.0.2.1:700", "198.51.100.1:44002", 1, 31, "" } }, { { 0 } } },
	{ "B3: the source is another, the SSRC was announced",
	  { CALL("c1", 0, "v1 10.0.0.1:4000", BODY("10.0.0.2", "5000", "a=ssrc:48879 cname:x\r\n")) },
	  { { "10.0.0.2:6000", "10.0.0.1:4000", 1, 31, "B3 1 callee", .ssrc = 0xbeef } }, { { 0 } } },
	{ "B4: from anywhere to the right place", { PLAIN },
	  { { "203.0.113.9:777", "10.0.0.1:4000", 1, 31, "B4 1 callee" } }, { { 0 } } },
	{ "B5: the reverse of a bound stream, to an address that no SDP names", { PLAIN },
	  { { "203.0.113.9:777", "10.0.0.1:4000", 1, 31, "B4 1 callee" },
	  { "10.0.0.1:4000", "203.0.113.9:777", 1, 31, "B5 1 caller" } }, { { 0 } } },
	{ "B5 not: the reverse of another port", { PLAIN },
	  { { "203.0.113.9:777", "10.0.0.1:4000", 1, 31, "B4 1 callee" },
	  { "10.0.7.1:4002", "203.0.113.9:777", 1, 31, "" } }, { { 0 } } },
	{ "B6: the NAT's outside is known", { CALL("c1", 0, "v1 192.168.1.10:4000", "v1 203.0.113.5:5000") },
	  { { "203.0.113.5:5000", "198.51.100.1:61000", 1, 31, "B6 1 callee" } },
	  { { "192.168.1.10:4000", "198.51.100.1:61000" } } },
	{ "B6: the NAT's inside is known", { CALL("c1", 0, "v1 198.51.100.1:61000", "v1 203.0.113.5:5000") },
	  { { "203.0.113.5:5000", "192.168.1.10:4000", 1, 31, "B6 1 callee" } },
	  { { "192.168.1.10:4000", "198.51.100.1:61000" } } },
	{ "B7: the same stream behind a NAT", { PLAIN },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1, 31, "B1 1 callee" },
	  { "198.51.100.1:61000", "192.168.3.3:700", 1, 31, "B7 1 callee", .twin_of = 1 } }, { { 0 } } },
	{ "B8: the right host, a wrong port", { PLAIN }, { { "10.0.0.2:5000", "10.0.0.1:4444", 1, 31, "B8 1 callee" } },
	  { { 0 } } },
	{ "B8 not: from a stranger", { PLAIN }, { { "203.0.113.9:777", "10.0.0.1:4444", 1, 31, "" } }, { { 0 } } },
	{ "B8 not: it begins six seconds late", { PLAIN }, { { "10.0.0.2:5000", "10.0.0.1:4444", 7.1, 31, "" } },
	  { { 0 } } },
	{ "B8 not: a payload type nobody named", { PLAIN },
	  { { "10.0.0.2:5000", "10.0.0.1:4444", 1, 31, "", .pt = 18 } }, { { 0 } } },
	{ "B8 not: the direction has its stream", { PLAIN },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1, 31, "B1 1 callee" },
	  { "10.0.0.2:5500", "10.0.0.1:4444", 1, 31, "" } }, { { 0 } } },
	{ "B8 not: two calls between these hosts would do", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"),
	  CALL("c2", 0.1, "v1 10.0.0.1:4002", "v1 10.0.0.2:5002") },
	  { { "10.0.0.2:5555", "10.0.0.1:4444", 1.2, 31, "" } }, { { 0 } } },
	{ "B9: the right port of an unknown address", { PLAIN },
	  { { "203.0.113.9:777", "198.51.100.1:4000", 1, 31, "B9 1 callee" } }, { { 0 } } },
	{ "B9 not: multicast", { PLAIN }, { { "203.0.113.9:777", "239.1.1.1:4000", 1, 31, "", .multicast = true } },
	  { { 0 } } },
	{ "B10: the right sender to anywhere", { PLAIN },
	  { { "10.0.0.2:5000", "198.51.100.1:4444", 1, 31, "B10 1 callee" } }, { { 0 } } },
	{ "B0: nothing fits", { PLAIN }, { { "203.0.113.9:777", "198.51.100.1:4444", 1, 31, "" } }, { { 0 } } },

	/* ---- time ---- */
	{ "media before its SDP", { PLAIN }, { { "10.0.0.2:5000", "10.0.0.1:4000", -1.5, 31, "B1 1 callee" } },
	  { { 0 } } },
	{ "over before the offer", { PLAIN }, { { "10.0.0.2:5000", "10.0.0.1:4000", -9, -3, "" } }, { { 0 } } },
	{ "begun after the end", { PLAIN }, { { "10.0.0.2:5000", "10.0.0.1:4000", 33.5, 40, "" } }, { { 0 } } },
	{ "a port used again belongs to the newest call",
	  { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c1", 10),
	  CALL("c2", 11, "v1 10.0.0.1:4000", "v1 10.0.0.2:5002"), END("c2", 31) },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1, 10, "B1 1 callee" },
	  { "10.0.0.2:5002", "10.0.0.1:4000", 12, 31, "B1 2 callee" } }, { { 0 } } },
	{ "of two live calls the newer one", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"),
	  CALL("c2", 11, "v1 10.0.0.1:4000", "v1 10.0.0.2:5002") },
	  { { "10.0.0.2:5002", "10.0.0.1:4000", 12, 31, "B1 2 callee" } }, { { 0 } } },
	{ "a tail stays with the call before", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c1", 10),
	  CALL("c2", 11, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c2", 31) },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1, 12, "B1 1 callee" } }, { { 0 } } },
	{ "a sender that never stops serves the later call too",
	  { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c1", 10),
	  CALL("c2", 11, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c2", 31) },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1, 31, "B1 1 callee", .also = "2 callee" } }, { { 0 } } },

	{ "begun between two calls", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c1", 10),
	  CALL("c2", 11, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c2", 31) },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 9.5, 31, "B1 2 callee" } }, { { 0 } } },
	{ "begun long before both calls", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c1", 10),
	  CALL("c2", 11, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"), END("c2", 31) },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", -5, 31, "B1 1 callee", .also = "2 callee" } }, { { 0 } } },

	/* ---- who gets it ---- */
	{ "two calls of the same port, the sender's address tells",
	  { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"),
	  CALL("c2", 0.1, "v1 10.0.0.1:4000", "v1 10.0.0.3:5002") },
	  { { "10.0.0.2:700", "10.0.0.1:4000", 1.5, 31, "B4 1 callee" } }, { { 0 } } },
	{ "direct media: both legs of a call have the stream", {
	  { .s = 0, .call = "c1", .dst = P, .sdp = "v1 10.0.0.1:4000" },
	  { .s = 0.01, .call = "c2", .src = P, .via_host = P, .extra = "X-CID: c1\r\n", .sdp = "v1 10.0.0.1:4000" },
	  { .s = 1, .call = "c2", .dst = P, .status = 200, .to = "t", .via_host = P, .sdp = "v1 10.0.0.2:5000" },
	  { .s = 1.01, .call = "c1", .src = P, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:5000" },
	  { .s = 1.1, .call = "c1", .dst = P, .method = "ACK", .to = "t" },
	  { .s = 1.11, .call = "c2", .src = P, .method = "ACK", .to = "t", .via_host = P } },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1.1, 31, "B1 1 callee", .also = "2 callee" } }, { { 0 } } },
	{ "two calls of the same port, a stranger: tied", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"),
	  CALL("c2", 0.1, "v1 10.0.0.1:4000", "v1 10.0.0.2:5002") },
	  { { "203.0.113.9:777", "10.0.0.1:4000", 1.5, 31, "tied" } }, { { 0 } } },
	{ "two calls of the same port, the source tells", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"),
	  CALL("c2", 0.1, "v1 10.0.0.1:4000", "v1 10.0.0.3:5002") },
	  { { "10.0.0.2:5000", "10.0.0.1:4000", 1.5, 31, "B1 1 callee" },
	  { "10.0.0.3:700", "10.0.0.1:4000", 1.5, 31, "B4 2 callee" } }, { { 0 } } },
	{ "media bundled on one port are told apart by their types",
	  { CALL("c1", 0, BUNDLED("10.0.0.1"), BUNDLED("10.0.0.2")) },
	  { { "10.0.0.2:4000", "10.0.0.1:4000", 1, 31, "B1 1 callee m1", .pt = 8 },
	    { "10.0.0.2:4000", "10.0.0.1:4000", 1, 31, "B1 1 callee", .pt = 96 } }, { { 0 } } },
	{ "a fork: both branches may send to the one port", { { .s = 0, .sdp = "v1" },
	  { .s = 0.5, .status = 183, .to = "t1", .sdp = "v1 10.0.0.2:5000" },
	  { .s = 0.6, .status = 183, .to = "t2", .sdp = "v1 10.0.0.3:6000" },
	  { .s = 2, .status = 200, .to = "t2", .sdp = "v1 10.0.0.3:6000" }, { .s = 2.1, .method = "ACK", .to = "t2" } },
	  { { "10.0.0.3:6000", "10.0.0.1:4000", 2, 31, "B1 1 callee t2" },
	  { "10.0.0.2:5000", "10.0.0.1:4000", 0.7, 1.9, "B1 1 callee t1" } }, { { 0 } } },
};

/* ---- playing ---- */

struct stage {
	struct script s;
	struct binding *binding;
	struct network *network;
	struct list streams;
	struct stream stream[STREAMS];
	struct spell spell[STREAMS];
	struct stream_type type[STREAMS];
};

static void stream_make(struct stage *g, unsigned i, const struct sound *sound)
{
	struct stream *s = &g->stream[i];

	s->n = i + 1;
	s->src = script_endpoint(sound->src);
	s->dst = script_endpoint(sound->dst);
	s->first_ns = at_s(sound->from);
	s->last_ns = at_s(sound->to);
	g->type[i].pt = (uint8_t)(sound->pt ? sound->pt : 8);
	s->types = &g->type[i];
	s->type_count = 1;
	s->ssrc = sound->ssrc ? sound->ssrc : 0x1000 + i;
	s->multicast = sound->multicast;
	g->spell[i] = (struct spell){ .first_ns = s->first_ns, .last_ns = s->last_ns,
		.packets = (uint32_t)((sound->to - sound->from) * 50) };
	s->spells = &g->spell[i];
	s->spell_count = 1;
	if (sound->twin_of) {
		s->twin_of = &g->stream[sound->twin_of - 1];
		s->twin_kind = TWIN_NAT;
	}
	list_add_tail(&g->streams, &s->in_order);
}

static void settle(struct stage *g)
{
	LIST_EACH(it, calls_legs(g->s.c)) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct leg, in_order)->dialogs)
			expectation_update(&expect, LIST_ENTRY(dit, struct dialog, in_leg));
	}
	binding_settle(g->binding, &g->streams, calls_legs(g->s.c), g->network);
}

/* The engine's part: what has SDP is announced. */
static void hear(struct stage *g, const struct row *r)
{
	size_t n = say(&g->s, r);

	for (size_t i = g->s.event_count - n; i < g->s.event_count; i++) {
		if (g->s.events[i].kind == CALLS_MESSAGE)
			binding_announce(g->binding, g->s.events[i].message);
	}
}

static void stage_begin(struct stage *g, const struct scene *scene)
{
	memset(g, 0, sizeof *g);
	script_begin(&g->s);
	g->binding = binding_new();
	g->network = network_new(NULL);
	list_init(&g->streams);
	for (unsigned i = 0; i < ROWS && (i == 0 || scene->rows[i].s > 0); i++)
		hear(g, &scene->rows[i]);
	script_tick(&g->s, 60);
	for (unsigned i = 0; i < MAPS && scene->maps[i].inside; i++) {
		struct endpoint inside = script_endpoint(scene->maps[i].inside),
			outside = script_endpoint(scene->maps[i].outside);

		network_learn(g->network, &inside, &outside, true, NAT_STUN, START_NS, 0, 1);
	}
	for (unsigned i = 0; i < STREAMS && scene->streams[i].src; i++)
		stream_make(g, i, &scene->streams[i]);
	settle(g);
}

static void stage_end(struct stage *g)
{
	network_free(g->network);
	binding_free(g->binding);
	script_end(&g->s);
}

/* "1 callee", with the m= line where it is not the first, with the To-tag where the leg has several. */
static size_t direction_text(const struct direction *d, char *text, size_t room)
{
	const struct dialog *dialog = d->slot->dialog;
	size_t n = (size_t)snprintf(text, room, "%u %s", dialog->leg->n,
		d->sender == SIDE_CALLER ? "caller" : "callee");

	if (d->slot->mline)
		n += (size_t)snprintf(text + n, room - n, " m%u", d->slot->mline);
	if (dialog->leg->dialogs.count > 1)
		n += (size_t)snprintf(text + n, room - n, " %.*s", (int)dialog->to_tag.n,
			(const char *)dialog->to_tag.p);
	return n;
}

static const char *bound_text(const struct stream *s, char text[64])
{
	size_t n;

	if (!s->direction)
		return s->ambiguous ? "tied" : "";
	n = (size_t)snprintf(text, 64, "B%u ", s->bound_by);
	direction_text(s->direction, text + n, 64 - n);
	return text;
}

static bool carries(const struct direction *d, const struct stream *s)
{
	for (unsigned i = 0; i < d->stream_count; i++) {
		if (d->streams[i] == s)
			return true;
	}
	return false;
}

/* Directions besides its own that have the stream, as text. */
static const char *also_text(const struct stage *g, const struct stream *s, char text[64])
{
	text[0] = '\0';
	LIST_EACH(it, calls_legs(g->s.c)) {
		LIST_EACH(dit, &LIST_ENTRY(it, struct leg, in_order)->dialogs) {
			const struct dialog *d = LIST_ENTRY(dit, struct dialog, in_leg);

			for (unsigned i = 0; i < 2 * d->mslot_count; i++) {
				const struct direction *x = &d->mslots[i / 2].direction[i % 2];

				if (x != s->direction && carries(x, s))
					direction_text(x, text, 64);
			}
		}
	}
	return text;
}

static unsigned wrong_streams(const struct stage *g, const struct scene *scene)
{
	char bound[64], also[64];
	unsigned wrong = 0;

	for (unsigned i = 0; i < STREAMS && scene->streams[i].src; i++) {
		const struct sound *wanted = &scene->streams[i];
		const struct stream *s = &g->stream[i];

		assert_true(!s->direction || carries(s->direction, s));
		if (strcmp(bound_text(s, bound), wanted->bound) == 0 &&
		    strcmp(also_text(g, s, also), or(wanted->also, "")) == 0)
			continue;
		print_error("%s, stream %u: '%s', also '%s'\n", scene->name, i + 1, bound_text(s, bound),
			also_text(g, s, also));
		wrong++;
	}
	return wrong;
}

static void binds_each_scene(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(scenes); i++) {
		struct stage g;

		stage_begin(&g, &scenes[i]);
		wrong += wrong_streams(&g, &scenes[i]);
		settle(&g);                          /* anew from everything: the same */
		wrong += wrong_streams(&g, &scenes[i]);
		stage_end(&g);
	}
	assert_int_equal(wrong, 0);
}

/* A tie forbids claims about the silence of either direction. */
static void a_tie_marks_both_directions(void **state)
{
	static const struct scene scene = { "tie", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"),
		CALL("c2", 0.1, "v1 10.0.0.1:4000", "v1 10.0.0.2:5002") },
		{ { "203.0.113.9:777", "10.0.0.1:4000", 1.5, 31, "tied" } }, { { 0 } } };
	struct stage g;

	(void)state;
	stage_begin(&g, &scene);
	for (unsigned n = 1; n <= 2; n++) {
		const struct mslot *slot = &script_leg(&g.s, n)->confirmed->mslots[0];

		assert_true(slot->direction[SIDE_CALLEE].ambiguous);
		assert_false(slot->direction[SIDE_CALLER].ambiguous);
		assert_int_equal(slot->direction[SIDE_CALLEE].stream_count, 0);
	}
	stage_end(&g);
}

/* ---- addresses ---- */

static void the_latest_announcement_counts(void **state)
{
	static const struct scene scene = { "twice", { CALL("c1", 0, "v1 10.0.0.1:4000", "v1 10.0.0.2:5000"),
		END("c1", 10),
		CALL("c2", 11, BODY("10.0.0.1", "4000", "a=ptime:30\r\n"), "v1 10.0.0.2:5002"),
		{ .s = 20, .call = "c2", .to = "t", .cseq = 2, .sdp = BODY("10.0.0.1", "4000", "a=ptime:60\r\n") } },
		  { { 0 } }, { { 0 } } };
	struct endpoint at = script_endpoint("10.0.0.1:4000"), old = script_endpoint("10.0.0.2:5000"),
		unknown = script_endpoint("10.0.0.1:4001");
	struct stage g;

	(void)state;
	stage_begin(&g, &scene);
	assert_ptr_equal(binding_leg(g.binding, &at), script_leg(&g.s, 2));
	assert_ptr_equal(binding_leg(g.binding, &old), script_leg(&g.s, 1));
	assert_null(binding_leg(g.binding, &unknown));
	assert_int_equal(binding_announced(g.binding, &at)->ptime_ms, 60);
	assert_null(binding_announced(g.binding, &unknown));
	stage_end(&g);
}

static void no_place_without_an_address_or_a_port(void **state)
{
	static const char *const bodies[] = { "v1 0.0.0.0:4000", "v1 10.0.0.1:0",
		"v=0\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n",
		"v=0\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=image 4000 udptl t38\r\n" };
	static const char *const asked[] = { "0.0.0.0:4000", "10.0.0.1:4000" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		const struct scene scene = { "none", { { .s = 0, .sdp = bodies[i] } }, { { 0 } }, { { 0 } } };
		struct stage g;

		stage_begin(&g, &scene);
		for (size_t k = 0; k < COUNT_OF(asked); k++) {
			struct endpoint at = script_endpoint(asked[k]);

			assert_null(binding_announced(g.binding, &at));
		}
		stage_end(&g);
	}
}

/* ---- hints ---- */

#define TYPES(host, \
	list) "v=0\r\no=- 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\nm=audio 4000 RTP/AVP " list

static void hints_take_the_receivers_types_and_add_the_senders(void **state)
{
	static const struct scene scene = { "types", {
		{ .s = 0, .sdp = TYPES("10.0.0.1",
		  "8 96 101 13\r\na=rtpmap:96 iLBC/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:40\r\n") },
		{ .s = 1, .status = 200, .to = "t",
		  .sdp = TYPES("10.0.0.2",
		  "8 96 102\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:102 telephone-event/8000\r\n") },
	}, { { 0 } }, { { 0 } } };
	static const struct { const char *src, *dst; bool known; uint32_t clock_96; unsigned events, comforts, ptime;
		} asked[] = {
		{ "10.0.0.2:4000", "10.0.0.1:4000", true, 8000, 2, 1, 40 },
		{ "10.0.0.1:4000", "10.0.0.2:4000", true, 48000, 2, 0, 0 },
		{ "10.9.9.9:4000", "10.0.0.1:4000", true, 8000, 1, 1, 40 },
		{ "10.0.0.1:4000", "10.9.9.9:4000", true, 8000, 1, 1, 40 },
		{ "10.9.9.9:4000", "10.8.8.8:4000", false, 0, 0, 0, 0 },
	};
	struct stage g;

	(void)state;
	stage_begin(&g, &scene);
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		struct packet p = { .src = script_endpoint(asked[i].src), .dst = script_endpoint(asked[i].dst) };
		struct stream_hint h;

		assert_int_equal(binding_hint(g.binding, &p, &h), asked[i].known);
		if (!asked[i].known)
			continue;
		assert_true(h.signalled);
		assert_int_equal(h.clock_hz[96], asked[i].clock_96);
		assert_int_equal(h.clock_hz[8], 8000);
		assert_int_equal(h.event_count, asked[i].events);
		assert_int_equal(h.comfort_count, asked[i].comforts);
		assert_int_equal(h.ptime_ms, asked[i].ptime);
	}
	stage_end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binds_each_scene),
		cmocka_unit_test(a_tie_marks_both_directions),
		cmocka_unit_test(the_latest_announcement_counts),
		cmocka_unit_test(no_place_without_an_address_or_a_port),
		cmocka_unit_test(hints_take_the_receivers_types_and_add_the_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
