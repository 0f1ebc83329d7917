/* SPDX-License-Identifier: MIT */
/* test_expectation: windows of time in which audio is due, from SIP alone. */
#include "analyzer/media/expectation.h"

#include "tests/unit/calls_script.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const struct expectation_config config = {
	.start_grace_ns = 1500 * MILLISECOND_NS, .ice_grace_ns = 3 * SECOND_NS, .move_overlap_ns = 2 * SECOND_NS,
	.bye_linger_ns = 2 * SECOND_NS,
};

/* ---- a timeline as text ---- */

static double seconds(int64_t at_ns)
{
	return (double)((at_ns - START_NS + MILLISECOND_NS / 2) / MILLISECOND_NS) / 1000.0;
}

static size_t flag_add(char *text, size_t room, bool holds, const char *name)
{
	return holds ? (size_t)snprintf(text, room, " %s", name) : 0;
}

/*
 * "early 0, due 1+1.5 first, ended 31": state, begin in seconds, grace, flags. Each window ends where the next one
 * begins.
 */
static const char *timeline(const struct direction *d, char text[2048])
{
	static const char *const states[] = { "none", "early", "due", "paused", "optional", "ended" };
	size_t n = 0, room = 2048;

	text[0] = '\0';
	for (unsigned i = 0; i < d->window_count; i++) {
		const struct window *w = &d->windows[i];

		assert_true(i + 1 == d->window_count ? w->off_ns == NS_NONE : w->off_ns == w[1].on_ns);
		n += (size_t)snprintf(text + n, room - n, "%s%s %g", i ? ", " : "", states[w->state],
			seconds(w->on_ns));
		if (w->state == EXPECT_DUE && w->due_ns != w->on_ns)
			n += (size_t)snprintf(text + n, room - n, "+%g",
				(double)((w->due_ns - w->on_ns) / MILLISECOND_NS) / 1000.0);
		n += flag_add(text + n, room - n, w->first, "first");
		n += flag_add(text + n, room - n, w->resumed, "resumed");
		n += flag_add(text + n, room - n, w->moved, "moved");
		n += flag_add(text + n, room - n, w->one_way_session, "one-way");
		n += flag_add(text + n, room - n, w->ice, "ice");
		n += flag_add(text + n, room - n, w->dtls, "dtls");
		n += flag_add(text + n, room - n, w->likely_at_most, "likely");
	}
	return text;
}

/* ---- the table ---- */

#define BODY(host, port, more) \
	"v=0\r\no=- 7" port " 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\nm=audio " port " RTP/AVP 8 0\r\n" more
#define ICE "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
#define FINGERPRINT "a=fingerprint:sha-256 00:11:22:33\r\n"
#define T38(host, version) \
	"v=0\r\no=- 77 " version " IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\nm=image 4002 udptl t38\r\n"

#define INVITE_AT(t, body) { .s = t, .sdp = body }
#define OK_AT(t, body) { .s = t, .status = 200, .to = "t", .sdp = body }
#define ACK_AT(t) { .s = t, .method = "ACK", .to = "t" }
#define TALK INVITE_AT(0, "v1"), OK_AT(1, "v1 10.0.0.2:5000"), ACK_AT(1.1)
#define BYE_AT(t) { .s = t, .method = "BYE", .to = "t", .cseq = 9 }, \
	{ .s = t + 0.1, .method = "BYE", .status = 200, .to = "t", .cseq = 9 }
/* a re-INVITE of the caller, its answer */
#define AGAIN(t, n, offer, answer) { .s = t, .to = "t", .cseq = n, .sdp = offer }, \
	{ .s = t + 0.1, .status = 200, .to = "t", .cseq = n, .sdp = answer }, \
	{ .s = t + 0.2, .method = "ACK", .to = "t", .cseq = n }
#define RELIABLE "Require: 100rel\r\nRSeq: 1\r\n"

enum { ROWS = 16 };

static const struct {
	const char *name;
	struct row rows[ROWS];
	const char *callee;          /* what the callee should send */
	const char *caller;
} cases[] = {
	/* ---- the first session ---- */
	{ "an ordinary call", { TALK, BYE_AT(31) }, "early 0, due 1+1.5 first, ended 31", "due 1+1.5 first, ended 31" },
	{ "no answer yet", { INVITE_AT(0, "v1"), { .s = 0.5, .status = 180, .to = "t" } }, "early 0", "" },
	{ "refused", { INVITE_AT(0, "v1"), { .s = 0.5, .status = 180, .to = "t" },
	  { .s = 2, .status = 486, .to = "t" } },
	  "early 0, ended 2", "" },
	{ "early media permits both", { INVITE_AT(0, "v1"),
	  { .s = 0.5, .status = 183, .to = "t", .sdp = "v1 10.0.0.2:5000" },
	  OK_AT(3, "v1 10.0.0.2:5000"), ACK_AT(3.1) }, "early 0, due 3+1.5 first", "early 0.5, due 3+1.5 first" },
	{ "the ACK is not seen", { INVITE_AT(0, "v1"), OK_AT(1, "v1 10.0.0.2:5000") },
	  "early 0, due 1+1.5 first likely", "due 1+1.5 first likely" },
	{ "the 200 has no SDP, its 183 had",
	  { INVITE_AT(0, "v1"), { .s = 0.5, .status = 183, .to = "t", .sdp = "v1 10.0.0.2:5000" },
	  OK_AT(3, NULL), ACK_AT(3.1) }, "early 0, due 3+1.5 first likely", "early 0.5, due 3+1.5 first likely" },
	{ "agreed in a reliable 183: due from the 200 on", { INVITE_AT(0, "v1"),
	  { .s = 0.5, .status = 183, .to = "t", .sdp = "v1 10.0.0.2:5000", .extra = RELIABLE }, OK_AT(3, NULL),
	  ACK_AT(3.1) },
	  "early 0, due 3+1.5 first", "due 3+1.5 first" },
	{ "the offer stands in the 200", { INVITE_AT(0, NULL), OK_AT(1, "v1 10.0.0.2:5000"),
	  { .s = 1.1, .method = "ACK", .to = "t", .sdp = "v1" } },
	  "due 1.1+1.5 first", "due 1.1+1.5 first" },
	{ "the offer in the 200 is never answered", { INVITE_AT(0, NULL), OK_AT(1, "v1 10.0.0.2:5000"), ACK_AT(1.1) },
	  "", "" },
	{ "a proxy: the offerer knows when the 200 reaches it", {
	  { .s = 0, .dst = P, .sdp = "v1" }, { .s = 0.01, .src = P, .vias = 2, .via_host = P, .sdp = "v1" },
	  { .s = 1, .dst = P, .status = 200, .to = "t", .vias = 2, .via_host = P, .sdp = "v1 10.0.0.2:5000" },
	  { .s = 1.25, .src = P, .status = 200, .to = "t", .sdp = "v1 10.0.0.2:5000" },
	  { .s = 1.3, .dst = P, .method = "ACK", .to = "t" } }, "early 0, due 1+1.5 first", "due 1.25+1.5 first" },
	{ "ICE takes its time", { INVITE_AT(0, BODY("10.0.0.1", "4000", ICE)), OK_AT(1, BODY("10.0.0.2", "5000", ICE)),
	  ACK_AT(1.1) },
	  "early 0, due 1+3 first ice", "due 1+3 first ice" },
	{ "ICE of one side is none", { INVITE_AT(0, BODY("10.0.0.1", "4000", ICE)), OK_AT(1, "v1 10.0.0.2:5000"),
	  ACK_AT(1.1) },
	  "early 0, due 1+1.5 first", "due 1+1.5 first" },
	{ "DTLS likewise", { INVITE_AT(0, BODY("10.0.0.1", "4000", FINGERPRINT)),
	  OK_AT(1, BODY("10.0.0.2", "5000", FINGERPRINT)), ACK_AT(1.1) },
	  "early 0, due 1+3 first dtls", "due 1+3 first dtls" },
	{ "a session that is one-way from its beginning",
	  { INVITE_AT(0, "v1 10.0.0.1:4000 sendonly"), OK_AT(1, "v1 10.0.0.2:5000 recvonly"),
	  ACK_AT(1.1) }, "early 0, none 1 first", "due 1+1.5 first one-way" },
	{ "the answer rejects the medium", { INVITE_AT(0, "v1"), OK_AT(1, "v1 10.0.0.2:0"), ACK_AT(1.1) },
	  "early 0, none 1 first", "none 1 first" },
	{ "an offer without an address", { INVITE_AT(0, "v1 0.0.0.0:4000"), OK_AT(1, "v1 10.0.0.2:5000"), ACK_AT(1.1) },
	  "early 0, none 1 first", "due 1+1.5 first one-way" },
	{ "it begins before the capture: nothing is known",
	  { { .s = 5, .method = "INFO", .to = "t", .cseq = 3 }, BYE_AT(9) }, "", "" },
	{ "it begins before the capture: the re-INVITE tells", { AGAIN(5, 3, "v1", "v1 10.0.0.2:5000"), BYE_AT(9) },
	  "due 5.1+1.5 first, ended 9", "due 5.1+1.5 first, ended 9" },

	/* ---- what follows ---- */
	{ "hold and resume", { TALK, AGAIN(10, 2, "v2 10.0.0.1:4000 sendonly", "v2 10.0.0.2:5000 recvonly"),
	  AGAIN(20, 3, "v3 10.0.0.1:4000 sendrecv", "v3 10.0.0.2:5000 sendrecv"), BYE_AT(31) },
	  "early 0, due 1+1.5 first, paused 10.1, due 20.1+1.5 resumed, ended 31",
	  "due 1+1.5 first, optional 10.1 one-way, due 20.1+1.5 resumed, ended 31" },
	{ "both hold", { TALK, AGAIN(10, 2, "v2 10.0.0.1:4000 inactive", "v2 10.0.0.2:5000 inactive") },
	  "early 0, due 1+1.5 first, paused 10.1", "due 1+1.5 first, paused 10.1" },
	{ "hold in the old way", { TALK, AGAIN(10, 2, "v2 0.0.0.0:4000", "v2 10.0.0.2:5000") },
	  "early 0, due 1+1.5 first, paused 10.1", "due 1+1.5 first, optional 10.1 one-way" },
	{ "hold by port 0", { TALK, AGAIN(10, 2, "v2 10.0.0.1:0", "v2 10.0.0.2:0") },
	  "early 0, due 1+1.5 first, paused 10.1", "due 1+1.5 first, paused 10.1" },
	{ "the receiver moves", { TALK, AGAIN(10, 2, "v2 10.0.0.9:4000", "v2 10.0.0.2:5000") },
	  "early 0, due 1+1.5 first, due 10.1+1.5 moved", "due 1+1.5 first, due 10.1+1.5" },
	{ "a session refresh is none", { TALK, AGAIN(10, 2, "v1", "v1 10.0.0.2:5000") },
	  "early 0, due 1+1.5 first", "due 1+1.5 first" },
	{ "a new version of the same", { TALK, AGAIN(10, 2, "v2", "v2 10.0.0.2:5000") },
	  "early 0, due 1+1.5 first", "due 1+1.5 first" },
	{ "another codec needs no new grace", { TALK, AGAIN(10, 2,
	  "v=0\r\no=- 774000 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 9\r\n",
	  "v=0\r\no=- 775000 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 9\r\n") },
	  "early 0, due 1+1.5 first, due 10.1", "due 1+1.5 first, due 10.1" },
	{ "a re-INVITE that is refused changes nothing",
	  { TALK, { .s = 10, .to = "t", .cseq = 2, .sdp = "v2 10.0.0.1:4000 inactive" },
	  { .s = 10.1, .status = 488, .to = "t", .cseq = 2 }, { .s = 10.2, .method = "ACK", .to = "t", .cseq = 2 } },
	  "early 0, due 1+1.5 first", "due 1+1.5 first" },
	{ "a re-INVITE that nobody answers changes nothing",
	  { TALK, { .s = 10, .to = "t", .cseq = 2, .sdp = "v2 10.0.0.1:4000 inactive" } },
	  "early 0, due 1+1.5 first", "due 1+1.5 first" },
	{ "UPDATE does as a re-INVITE", { TALK,
	  { .s = 10, .method = "UPDATE", .to = "t", .cseq = 2, .sdp = "v2 10.0.0.1:4000 inactive" },
	  { .s = 10.1, .method = "UPDATE", .status = 200, .to = "t", .cseq = 2, .sdp = "v2 10.0.0.2:5000 inactive" } },
	  "early 0, due 1+1.5 first, paused 10.1", "due 1+1.5 first, paused 10.1" },
	{ "fax", { TALK, AGAIN(10, 2, T38("10.0.0.1", "2"), T38("10.0.0.2", "2")) },
	  "early 0, due 1+1.5 first, paused 10.1", "due 1+1.5 first, paused 10.1" },
	{ "an accepted transfer pauses the leg", { TALK,
	  { .s = 10, .method = "REFER", .to = "t", .cseq = 2, .extra = "Refer-To: <sip:1003@pbx>\r\n" },
	  { .s = 10.1, .method = "REFER", .status = 202, .to = "t", .cseq = 2 }, BYE_AT(12) },
	  "early 0, due 1+1.5 first, paused 10.1, ended 12", "due 1+1.5 first, paused 10.1, ended 12" },
	{ "a refused transfer does not", { TALK,
	  { .s = 10, .method = "REFER", .to = "t", .cseq = 2, .extra = "Refer-To: <sip:1003@pbx>\r\n" },
	  { .s = 10.1, .method = "REFER", .status = 603, .to = "t", .cseq = 2 }, BYE_AT(12) },
	  "early 0, due 1+1.5 first, ended 12", "due 1+1.5 first, ended 12" },
	{ "after the BYE nothing is agreed",
	  { TALK, BYE_AT(12), AGAIN(13, 10, "v2 10.0.0.9:4000", "v2 10.0.0.2:5000") },
	  "early 0, due 1+1.5 first, ended 12", "due 1+1.5 first, ended 12" },
};

static struct direction *direction_of(const struct dialog *d, unsigned mline, enum side sender)
{
	assert_true(mline < d->mslot_count);
	return &d->mslots[mline].direction[sender];
}

static unsigned timeline_wrong(const char *name, const struct dialog *d, enum side sender, const char *wanted)
{
	char text[2048] = "";

	if (d->mslot_count)
		timeline(direction_of(d, 0, sender), text);
	if (strcmp(text, wanted) == 0)
		return 0;
	print_error("%s, %s: %s\n\twanted: %s\n", name, sender == SIDE_CALLER ? "caller" : "callee", text, wanted);
	return 1;
}

static void windows_of_each_case(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct dialog *d;
		struct script s;

		script_begin(&s);
		for (unsigned k = 0; k < ROWS && (k == 0 || cases[i].rows[k].s > 0); k++)
			say(&s, &cases[i].rows[k]);
		d = script_dialog(script_leg(&s, 1), 0);
		expectation_update(&config, d);
		wrong += timeline_wrong(cases[i].name, d, SIDE_CALLEE, cases[i].callee);
		wrong += timeline_wrong(cases[i].name, d, SIDE_CALLER, cases[i].caller);
		expectation_update(&config, d);      /* twice gives the same */
		wrong += timeline_wrong(cases[i].name, d, SIDE_CALLEE, cases[i].callee);
		assert_false(d->changed);
		script_end(&s);
	}
	assert_int_equal(wrong, 0);
}

/* ---- forks ---- */

static void a_branch_that_loses_is_due_nothing(void **state)
{
	static const struct row rows[] = {
		INVITE_AT(0, "v1"), { .s = 0.5, .status = 183, .to = "t1", .sdp = "v1 10.0.0.2:5000" },
		{ .s = 0.6, .status = 183, .to = "t2", .sdp = "v1 10.0.0.3:6000" },
		  { .s = 2, .status = 200, .to = "t2", .sdp = "v1 10.0.0.3:6000" },
		{ .s = 2.1, .method = "ACK", .to = "t2" },
	};
	struct dialog *loser, *winner;
	char text[2048];
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	script_tick(&s, 10);
	loser = script_dialog(script_leg(&s, 1), 0);
	winner = script_dialog(script_leg(&s, 1), 1);
	expectation_update(&config, loser);
	expectation_update(&config, winner);
	assert_string_equal(timeline(direction_of(loser, 0, SIDE_CALLEE), text), "early 0, ended 4");
	assert_string_equal(timeline(direction_of(loser, 0, SIDE_CALLER), text), "early 0.5, ended 4");
	assert_string_equal(timeline(direction_of(winner, 0, SIDE_CALLEE), text), "early 0, due 2+1.5 first");
	script_end(&s);
}

static void a_second_200_is_due_nothing(void **state)
{
	static const struct row rows[] = {
		INVITE_AT(0, "v1"), { .s = 2, .status = 200, .to = "t1", .sdp = "v1 10.0.0.2:5000" },
		  { .s = 2.1, .method = "ACK", .to = "t1" },
		{ .s = 2.2, .status = 200, .to = "t2", .sdp = "v1 10.0.0.3:6000" },
		  { .s = 2.3, .method = "ACK", .to = "t2" },
	};
	struct dialog *second;
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	second = script_dialog(script_leg(&s, 1), 1);
	expectation_update(&config, second);
	assert_true(second->extra_confirmed);
	assert_null(direction_first_due(direction_of(second, 0, SIDE_CALLEE)));
	assert_null(direction_first_due(direction_of(second, 0, SIDE_CALLER)));
	script_end(&s);
}

/* ---- addresses ---- */

static void the_destination_is_the_one_that_reached_the_sender(void **state)
{
	static const struct row rows[] = {
		{ .s = 0, .dst = P, .sdp = "v1 192.168.1.10:4000" },
		{ .s = 0.01, .src = P, .vias = 2, .via_host = P, .sdp = "v1 203.0.113.9:40000" },
		{ .s = 1, .dst = P, .status = 200, .to = "t", .vias = 2, .via_host = P, .sdp = "v1 10.0.0.2:5000" },
		{ .s = 1.01, .src = P, .status = 200, .to = "t", .sdp = "v1 203.0.113.9:50000" },
		{ .s = 1.1, .dst = P, .method = "ACK", .to = "t" },
	};
	static const struct { enum side sender; const char *targets[2], *source; } sides[] = {
		{ SIDE_CALLEE, { "203.0.113.9:40000", "192.168.1.10:4000" }, "10.0.0.2:5000" },
		{ SIDE_CALLER, { "203.0.113.9:50000", "10.0.0.2:5000" }, "192.168.1.10:4000" },
	};
	struct script s;
	struct dialog *d;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	d = script_dialog(script_leg(&s, 1), 0);
	expectation_update(&config, d);
	for (size_t i = 0; i < COUNT_OF(sides); i++) {
		const struct window *w = direction_first_due(direction_of(d, 0, sides[i].sender));
		struct endpoint source = script_endpoint(sides[i].source), stranger = script_endpoint("10.0.0.2:5001");

		assert_non_null(w);
		assert_int_equal(w->target_count, 2);
		for (unsigned k = 0; k < 2; k++) {
			struct endpoint target = script_endpoint(sides[i].targets[k]);

			assert_true(endpoint_equal(&w->targets[k].at, &target));
			assert_true(window_has_target(w, &target));
		}
		assert_true(endpoint_equal(&w->sources[0].at, &source));
		assert_true(window_has_source(w, &source));
		assert_false(window_has_target(w, &stranger));
		assert_false(window_has_source(w, &stranger));
		assert_int_equal(w->answer_is_receiver, sides[i].sender == SIDE_CALLER);
	}
	script_end(&s);
}

/* ---- silence suppression ---- */

#define FORMATS(list) \
	"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP " list

static const struct { const char *name, *offer, *answer; bool allowed; } pauses[] = {
	{ "plain G.711", FORMATS("8 0\r\n"), FORMATS("8 0\r\n"), false },
	{ "comfort noise of both", FORMATS("8 13\r\n"), FORMATS("8 13\r\n"), true },
	{ "comfort noise of the receiver alone", FORMATS("8 13\r\n"), FORMATS("8\r\n"), false },
	{ "comfort noise of the sender alone", FORMATS("8\r\n"), FORMATS("8 13\r\n"), false },
	{ "G.729 may, if nothing is said", FORMATS("18\r\n"), FORMATS("18\r\n"), true },
	{ "G.729 without annex B", FORMATS("18\r\na=fmtp:18 annexb=no\r\n"), FORMATS("18\r\n"), false },
	{ "G.729 that was not taken", FORMATS("18 8\r\n"), FORMATS("8\r\n"), false },
	{ "AMR always may", FORMATS("97\r\na=rtpmap:97 AMR/8000\r\n"), FORMATS("98\r\na=rtpmap:98 AMR/8000\r\n"),
	  true },
	{ "Opus does not", FORMATS("111\r\na=rtpmap:111 opus/48000/2\r\n"),
	  FORMATS("111\r\na=rtpmap:111 opus/48000/2\r\n"), false },
	{ "Opus with usedtx", FORMATS("111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1;usedtx=1\r\n"),
	  FORMATS("111\r\na=rtpmap:111 opus/48000/2\r\n"), true },
	{ "Speex with vad", FORMATS("97\r\na=rtpmap:97 speex/8000\r\na=fmtp:97 vad=on\r\n"),
	  FORMATS("97\r\na=rtpmap:97 speex/8000\r\n"), true },
};

/* Of what the callee sends: the caller is the receiver. */
static void silence_suppression_is_what_both_allow(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pauses); i++) {
		const struct row rows[] = { INVITE_AT(0, pauses[i].offer), OK_AT(1, pauses[i].answer), ACK_AT(1.1) };
		const struct window *w;
		struct script s;

		script_begin(&s);
		SAY_ALL(&s, rows);
		expectation_update(&config, script_dialog(script_leg(&s, 1), 0));
		w = direction_first_due(direction_of(script_dialog(script_leg(&s, 1), 0), 0, SIDE_CALLEE));
		assert_non_null(w);
		if (w->dtx_allowed != pauses[i].allowed) {
			print_error("%s\n", pauses[i].name);
			wrong++;
		}
		script_end(&s);
	}
	assert_int_equal(wrong, 0);
}

static void formats_are_the_receivers_first(void **state)
{
	static const struct row rows[] = {
		INVITE_AT(0, FORMATS("8 97\r\na=rtpmap:97 AMR/8000\r\n")),
		  OK_AT(1, FORMATS("8 98\r\na=rtpmap:98 AMR/8000\r\n")), ACK_AT(1.1),
	};
	static const struct { uint8_t pt; const char *codec; bool receivers; } formats[] = {
		{ 8, "PCMA", true }, { 97, "AMR", true }, { 98, "AMR", false }, { 0, NULL, false },
	};
	const struct window *w;
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	expectation_update(&config, script_dialog(script_leg(&s, 1), 0));
	w = direction_first_due(direction_of(script_dialog(script_leg(&s, 1), 0), 0, SIDE_CALLEE));
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		bool receivers = !formats[i].receivers;
		const struct sdp_format *f = window_format(w, formats[i].pt, &receivers);

		assert_int_equal(f != NULL, formats[i].codec != NULL);
		assert_int_equal(receivers, formats[i].receivers);
		assert_true(!f || says(f->codec, formats[i].codec));
	}
	script_end(&s);
}

/* ---- several media ---- */

#define TWO_MEDIA(host, version, video) \
	"v=0\r\no=- 77 " version " IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\nm=video " video " RTP/AVP 96\r\n" \
	"a=rtpmap:96 H264/90000\r\n"

static void each_medium_has_its_own_slot(void **state)
{
	static const struct row rows[] = { INVITE_AT(0, TWO_MEDIA("10.0.0.1", "1", "4002")),
		OK_AT(1, TWO_MEDIA("10.0.0.2", "1", "5002")), ACK_AT(1.1) };
	struct dialog *d;
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	d = script_dialog(script_leg(&s, 1), 0);
	expectation_update(&config, d);
	assert_int_equal(d->mslot_count, 2);
	assert_int_equal(d->mslots[0].kind, SDP_AUDIO);
	assert_true(d->mslots[0].accepted);
	assert_int_equal(d->mslots[1].kind, SDP_VIDEO);
	assert_false(d->mslots[1].accepted);
	assert_null(direction_first_due(direction_of(d, 1, SIDE_CALLEE)));
	script_end(&s);
}

/* A stream that is bound when a medium is added points at the direction where it lives now. */
static void bound_streams_follow_into_a_longer_list(void **state)
{
	static const struct row first[] = { TALK };
	static const struct row second[] = { AGAIN(10, 2, TWO_MEDIA("10.0.0.1", "2", "4002"),
		TWO_MEDIA("10.0.0.2", "2", "0")) };
	struct stream stream = { .n = 1 };
	const struct stream *bound[1] = { &stream };
	struct direction *d;
	struct dialog *dialog;
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, first);
	dialog = script_dialog(script_leg(&s, 1), 0);
	expectation_update(&config, dialog);
	d = direction_of(dialog, 0, SIDE_CALLEE);
	d->streams = bound;
	d->stream_count = d->stream_room = 1;
	stream.direction = d;
	SAY_ALL(&s, second);
	expectation_update(&config, dialog);
	assert_int_equal(dialog->mslot_count, 2);
	d = direction_of(dialog, 0, SIDE_CALLEE);
	assert_ptr_equal(stream.direction, d);
	assert_int_equal(d->stream_count, 1);
	assert_ptr_equal(d->slot, &dialog->mslots[0]);
	script_end(&s);
}

/* ---- asking ---- */

static void a_moment_has_one_window(void **state)
{
	static const struct row rows[] = { TALK, AGAIN(10, 2, "v2 10.0.0.1:4000 inactive", "v2 10.0.0.2:5000 inactive"),
		BYE_AT(31) };
	static const struct { double at; int state; } moments[] = {     /* -1: none */
		{ -1, -1 }, { 0, EXPECT_EARLY }, { 0.999, EXPECT_EARLY }, { 1, EXPECT_DUE }, { 10.099, EXPECT_DUE },
		  { 10.1, EXPECT_PAUSED },
		{ 30.9, EXPECT_PAUSED }, { 31, EXPECT_ENDED }, { 1000, EXPECT_ENDED },
	};
	const struct direction *d;
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, rows);
	expectation_update(&config, script_dialog(script_leg(&s, 1), 0));
	d = direction_of(script_dialog(script_leg(&s, 1), 0), 0, SIDE_CALLEE);
	for (size_t i = 0; i < COUNT_OF(moments); i++) {
		const struct window *w = direction_window_at(d, at_s(moments[i].at));

		assert_int_equal(w ? (int)w->state : -1, moments[i].state);
	}
	assert_int_equal(window_end(direction_first_due(d), at_s(100)), at_s(10.1));
	assert_int_equal(window_end(direction_first_due(d), at_s(5)), at_s(5));
	script_end(&s);
}

/* ---- more changes than are kept ---- */

static void a_dialog_that_changes_for_ever_becomes_unknown(void **state)
{
	static const struct row first[] = { TALK }, last[] = { { .s = 900, .method = "BYE", .to = "t", .cseq = 500 } };
	char offer[32], answer[32];
	const struct direction *d;
	struct dialog *dialog;
	struct script s;

	(void)state;
	script_begin(&s);
	SAY_ALL(&s, first);
	dialog = script_dialog(script_leg(&s, 1), 0);
	for (unsigned i = 2; i < 2 * WINDOW_MAX; i++) {
		const struct row rows[] = { AGAIN(10 + 2 * i, i, offer, answer) };

		snprintf(offer, sizeof offer, "v%u 10.0.0.1:%u", i, 4000 + 2 * i);
		snprintf(answer, sizeof answer, "v%u 10.0.0.2:5000", i);
		SAY_ALL(&s, rows);
	}
	expectation_update(&config, dialog);
	d = direction_of(dialog, 0, SIDE_CALLEE);
	assert_int_equal(d->window_count, WINDOW_MAX - 1);
	assert_int_equal(d->windows[WINDOW_MAX - 3].state, EXPECT_DUE);
	assert_int_equal(d->windows[WINDOW_MAX - 2].state, EXPECT_NONE);
	assert_true(direction_window_at(d, at_s(800)) == &d->windows[WINDOW_MAX - 2]);
	SAY_ALL(&s, last);
	expectation_update(&config, dialog);
	assert_int_equal(d->window_count, WINDOW_MAX);
	assert_int_equal(d->windows[WINDOW_MAX - 1].state, EXPECT_ENDED);
	assert_int_equal(direction_window_at(d, at_s(899))->state, EXPECT_NONE);
	assert_int_equal(direction_window_at(d, at_s(900))->state, EXPECT_ENDED);
	script_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_each_case),
		cmocka_unit_test(a_branch_that_loses_is_due_nothing),
		cmocka_unit_test(a_second_200_is_due_nothing),
		cmocka_unit_test(the_destination_is_the_one_that_reached_the_sender),
		cmocka_unit_test(silence_suppression_is_what_both_allow),
		cmocka_unit_test(formats_are_the_receivers_first),
		cmocka_unit_test(each_medium_has_its_own_slot),
		cmocka_unit_test(bound_streams_follow_into_a_longer_list),
		cmocka_unit_test(a_moment_has_one_window),
		cmocka_unit_test(a_dialog_that_changes_for_ever_becomes_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
