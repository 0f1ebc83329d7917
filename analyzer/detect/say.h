/* SPDX-License-Identifier: MIT */
/* say: names of parties, hosts and times as findings use them. All results are safe text in the caller's buffer. */
#ifndef DEADAIR_DETECT_SAY_H
#define DEADAIR_DETECT_SAY_H

#include "analyzer/detect/hearing.h"

enum { SAY_TEXT = 160 };

/* A number in a text, "6 338": good until the block ends. */
#define SAY_COUNT(n) text_count((n), (char[TEXT_COUNT]){ 0 })
/* "1 packet", "6 338 packets" */
#define SAY_COUNTED(n, noun) text_counted((n), (noun), (char[TEXT_COUNTED]){ 0 })

/* "1001", else "the PBX 10.0.0.5", else the address. */
const char *say_party(const struct facts *facts, const struct leg *leg, enum side side, char buffer[SAY_TEXT]);
/* "1001 (Yealink SIP-T46S, 192.168.1.21)": at first mention. */
const char *say_party_full(const struct facts *facts, const struct leg *leg, enum side side, char buffer[SAY_TEXT]);
/* "the phone 10.0.0.2", "the PBX 10.0.0.5", "the router 203.0.113.2", "10.0.0.9" */
const char *say_host(const struct facts *facts, const struct address *a, char buffer[SAY_TEXT]);
/* Does it stand between networks (a NAT)? Then it opens no port itself. */
bool say_routes(const struct facts *facts, const struct address *a);
/* Is it a server, as far as roles and user agents say? A server has no microphone and no mute key. */
bool say_serves(const struct facts *facts, const struct address *a);
/* It may answer calls itself and play something: a PBX, a media server. */
bool say_is_pbx(const struct facts *facts, const struct address *a);
/* A proxy, and nothing that speaks itself: audio at its address is a relay's, RTCP from there the party's behind it. */
bool say_relays(const struct facts *facts, const struct address *a);
/* "PCMA (8), telephone-event (101)"; empty: no list. */
const char *say_formats(const struct sdp_media *m, char buffer[SAY_TEXT]);
/*
 * The title "actor acts: effect"; the effect alone where both together are wider than a title may be. Both texts are
 * trusted or escaped.
 */
void say_title(struct finding *f, const char *act, const char *effect);
/* Of a PBX that connects the audio of two phones directly, and did not tell the one that the other has moved. */
void say_direct_media_fix(struct finding *f, const char *pbx);
/* What to look at on a relay that gets audio at `at` and sends none of it on. */
void say_relay_fix(struct finding *f, const char *relay, const char *at);
/* Audio passed between the two, and does no more, and nobody says why. */
void say_passed_before_fix(struct finding *f, const char *a, const char *b);
/*
 * Of a phone behind that router nothing comes to a server that sends the audio of others to the router: it answers the
 * first packet, and waits for it. Sets the fix; false: that is not so.
 */
bool say_first_packet_fix(struct finding *f, const struct facts *facts, const struct address *server,
	const struct address *router, const char *phone);
void say_relay_unseen(struct finding *f);
/* `what` went to that host and nothing came back: who can tell whether it got there. Is the capture from beside it? */
bool say_silent_host(struct finding *f, const struct facts *facts, const struct address *host, const char *what);
/* A request inside a call, with its article: "a re-INVITE", "an UPDATE", "a BYE". */
const char *say_request(enum sip_method method);
/* "BYE", or what tells of it where it was not captured: the frame of leg->bye_at. */
const char *say_bye(const struct leg *leg);
/* "probably ", "may " or "": how an effect is claimed, by the finding's confidence. */
const char *say_claim(const struct finding *f);
/* Where the capture was taken, for "nothing arrived at ...": "beside the phone 10.0.0.2", "at this capture point". */
const char *say_point(const struct facts *facts, const struct hearing *h, const struct direction *d,
	char buffer[SAY_TEXT]);

/*
 * Where the receiver wants its audio, and the answer: one line where one message says both. went: where audio went
 * instead, NULL not known: of several hops the one on which that was said.
 */
void evidence_of_promise(struct finding *f, const struct window *w, const struct message *answer,
	const struct endpoint *went);

/*
 * The address under which a side is seen here: source of its RTP, else of its SIP, else its SDP address (with port for
 * media).
 */
struct endpoint party_seen_at(const struct direction *d, enum side side);
/* The same of its sender, for a direction that failed: direct media is another host's than signalling. */
struct endpoint sender_seen_at(const struct facts *facts, const struct direction *d, const struct hearing *h);
/*
 * Frames that set the expectation: the description of the receiver as it reached the sender, and the answer. frame 0:
 * none.
 */
struct frame_ref window_sdp_frame(const struct window *w);
struct frame_ref stream_frame(const struct stream *s, uint32_t frame, int64_t at_ns);
/* The same audio as its sender sends it, before whatever NAT: a router is not who speaks. */
const struct stream *stream_origin(const struct stream *s);
/* Adds the frames of answer, SDP and first/last packets of both directions. */
void evidence_of_call(struct finding *f, const struct direction *d, const struct hearing *h);
/* Adds leg, victim, and the direction's streams. */
void parts_of_direction(struct finding *f, const struct facts *facts, const struct direction *d);
/* "Only X -> Y is visible" and where to capture instead. */
void cannot_see_of(struct finding *f, const struct facts *facts, const struct direction *d, const struct hearing *h);

#endif
