/* SPDX-License-Identifier: MIT */
/* audio-silent: packets flow and hold no sound. G.711 only: other payloads cannot be listened to. */
#include <stdio.h>

#include "analyzer/detect/quality.h"
#include "analyzer/detect/say.h"

static const char *const reasons[] = { "bridge-failed", "digital-silence", "comfort-noise-only", "stuck-payload",
	"very-low-level", "unlocated", NULL };

static const struct detector_doc doc = {
	.says = "packets flow, their sound is digital silence",
	.symptom = "\"The call is connected, the timer runs, there is nothing to hear.\"",
	.evidence = "The level of sampled G.711 packets over the whole call, speech in the other direction or on the other leg.",
	.mimics = "A muted party, somebody listening to an announcement or in a conference, hold, encrypted audio.",
	.fix = "Test microphone, headset and mute of the silent side; if it is the PBX, look at the bridge of its other leg.",
	.reasons = reasons,
};

static const struct config_key keys[] = {
	{ "min-seconds", 15, "s", 3, 600, "field" },
	{ "ratio", 0.98, "", 0.5, 1,
	  "measured on 35 public G.711 streams: working ones have 0 to 87 % below -60 dBm0" },
	{ "level-dbm0", -60, "dBm0", -90, -30, "idle codes: A-law -66, mu-law none; real rooms -55 to -46" },
	{ 0 },
};

static double speech_of(const struct direction *d)
{
	double s = 0;

	for (unsigned i = 0; i < d->stream_count; i++)
		s += stream_sound(d->streams[i]).speech_s;
	return s;
}

/*
 * Speech that reaches the silent host on another leg of the call and should have been passed on; *ret_stream proves it.
 */
static double speech_on_other_leg(const struct facts *facts, const struct direction *d,
	const struct stream **ret_stream)
{
	const struct leg *own = d->slot->dialog->leg;
	const struct address *hub = &own->party[d->sender].signalling.addr;
	double most = 0;

	LIST_EACH(it, &own->call->legs) {
		const struct leg *other = LIST_ENTRY(it, struct leg, in_call);

		for (unsigned side = 0; other != own && other->confirmed && side < 2; side++) {
			if (!network_same(facts->network, &other->party[side].signalling.addr, hub))
				continue;
			for (unsigned i = 0; i < other->confirmed->mslot_count; i++) {
				const struct direction *in = &other->confirmed->mslots[i].direction[side_other((enum side)side)];

				if (speech_of(in) > most && in->stream_count) {
					most = speech_of(in);
					*ret_stream = in->streams[0];
				}
			}
		}
	}
	return most;
}

#define LOW_LEAST_DBM0 (-60.0)       /* quieter is silence */
#define LOW_MOST_DBM0 (-45.0)

struct sound {
	uint64_t samples, silent, comfort, audio;
	double comfort_s;            /* time that comfort noise covers */
	uint32_t stuck;
	float max_dbm0;
	bool one_code, known;
};

static struct sound sound_of(const struct direction *d)
{
	struct sound s = { .one_code = true, .max_dbm0 = -127 };

	for (unsigned i = 0; i < d->stream_count; i++) {
		const struct stream *x = d->streams[i];
		struct stream_sound heard = stream_sound(x);

		s.comfort += x->comfort;
		if (x->comfort)
			s.comfort_s += (double)(x->last_ns - x->first_ns) / 1e9;
		s.audio += x->audio;
		if (!heard.known)
			continue;
		s.known = true;
		s.stuck = heard.stuck_run_max > s.stuck ? heard.stuck_run_max : s.stuck;
		s.samples += heard.samples;
		s.silent += heard.silent;
		s.max_dbm0 = heard.max_dbm0 > s.max_dbm0 ? heard.max_dbm0 : s.max_dbm0;
		s.one_code &= heard.one_code;
	}
	return s;
}

/* Loud and quiet by turns as speech is, and never louder than a whisper far away. */
static bool very_low(const struct sound *s)
{
	return s->max_dbm0 >= LOW_LEAST_DBM0 && s->max_dbm0 <= LOW_MOST_DBM0 && s->silent * 20 >= s->samples;
}

/* So is what the sender gets on the other leg: it has no sound to pass on. */
static bool silent_already(const struct facts *facts, const struct hearing *h, double ratio)
{
	const struct stream *in = h->stream ? quality_got(facts, h->stream) : NULL;
	struct stream_sound heard = in ? stream_sound(in) : (struct stream_sound){ .known = false };

	return in && in->direction && heard.known && (double)heard.silent >= ratio * (double)heard.samples;
}

/* Seconds of its audio in which no other leg of the call is held: only then it has sound to pass on. */
static double passes_on_s(const struct facts *facts, struct direction *d, const struct hearing *h)
{
	double s = 0;

	for (int64_t t = h->delivered_from_ns; t < h->delivered_to_ns; t = ns_add(t, SECOND_NS))
		s += !hearing_excused(facts, d, t);
	return s;
}

static bool encrypted(const struct hearing *h)
{
	return h->window->secure || h->window->dtls;
}

static void tell(struct detection *d, const struct event *ev, const struct hearing *h, const char *reason,
	enum confidence c, const struct stream *other)
{
	const struct facts *facts = detection_facts(d);
	bool low = strcmp(reason, "very-low-level") == 0;
	struct finding *f = detection_raise(d, reason, low ? SEVERITY_INFO : SEVERITY_WARNING, c);
	struct endpoint sender = party_seen_at(ev->direction, ev->direction->sender);
	/* comfort noise alone is no audio that was delivered */
	const struct stream *x = h->stream ? h->stream : ev->direction->stream_count ? ev->direction->streams[0] : NULL;
	const int64_t heard_ns = h->delivered_from_ns;
	char receiver[SAY_TEXT], host[SAY_TEXT], act[2 * SAY_TEXT], effect[2 * SAY_TEXT], what[64] = "nothing but comfort noise";

	say_host(facts, &sender.addr, host);
	parts_of_direction(f, facts, ev->direction);
	finding_part(f, PART_CULPRIT, &sender);
	if (h->stream)
		quality_listeners_behind(f, facts, h->stream, quality_got);
	if (heard_ns != NS_NONE)
		finding_times(f, heard_ns, h->delivered_to_ns);
	else if (x)
		finding_times(f, x->first_ns, x->last_ns);
	say_party(facts, ev->leg, side_other(ev->direction->sender), receiver);
	snprintf(act, sizeof act, low ? "%s sends very quiet audio" : "%s sends packets without sound", host);
	snprintf(effect, sizeof effect, low ? "%s %shears next to nothing" : "%s %shears silence", receiver,
		say_claim(f));
	say_title(f, act, effect);
	if (strcmp(reason, "comfort-noise-only") != 0)
		snprintf(what, sizeof what, "%s packets that hold no sound", SAY_COUNT((uint64_t)h->packets));
	if (low) {
		finding_cause(f, "No packet of %s is louder than %.0f dBm0; speech has -25 to -10.", host,
			LOW_MOST_DBM0);
		finding_fix(f,
			"Raise the gain of the microphone on %s, try another headset; look for an attenuating gateway.",
			host);
	} else if (other) {
		finding_cause(f, "%s receives speech on its other leg and sends silence here at the same time.", host);
		finding_fix(f, "Look at the bridge or transcoder of %s; compare the codecs of both legs.", host);
		finding_evidence_run(f, stream_frame(other, other->first_frame, other->first_ns), other->last_frame,
			"speech that reaches %s on the other leg", host);
	} else if (say_serves(facts, &sender.addr)) {
		finding_cause(f, "%s sends %s; whether it has no sound to pass on or fails to cannot be told from this leg.", host,
			      what);
		finding_fix(f, "Look at what %s plays or bridges here (announcement, music on hold, conference, the other leg), and at mute of the party behind it.",
			    host);
		finding_cannot_see(f, "what reaches %s on its other leg", host);
	} else {
		finding_cause(f, "%s sends %s; a muted and a missing microphone cannot be told apart.", host, what);
		finding_fix(f, "Test mute, headset, input device and the permission to use the microphone on %s.",
			host);
		finding_cannot_see(f, "whether the user had muted the microphone");
	}
	if (x)
		finding_evidence_run(f, stream_frame(x, x->first_frame, x->first_ns), x->last_frame,
			"audio without sound");
}

static void judge(struct detection *d, const struct event *ev, const struct hearing *h)
{
	const struct facts *facts = detection_facts(d);
	struct sound s = sound_of(ev->direction);
	const struct stream *proof = NULL;
	double far = speech_on_other_leg(facts, ev->direction, &proof),
		back = speech_of(direction_reverse(ev->direction)), ratio = detection_key(d, "ratio");

	if (!s.known || s.samples < 20) {
		if (s.known || s.comfort < 50 || s.audio > 0)
			detection_pass(d, NULL, "the level of this audio is not known (not G.711, or cut)");
		return;
	}
	if (s.stuck >= 50 && (double)s.stuck >= ratio * (double)s.audio) {
		tell(d, ev, h, "stuck-payload", CONFIDENCE_LIKELY, NULL);
		return;
	}
	if ((double)s.silent < ratio * (double)s.samples) {
		if (very_low(&s) && back >= 3)
			tell(d, ev, h, "very-low-level", CONFIDENCE_POSSIBLE, NULL);
		else
			detection_pass(d, NULL, "%.0f %% of the sampled packets hold sound",
				100.0 - 100.0 * (double)s.silent / (double)s.samples);
		return;
	}
	if (far >= 3)
		tell(d, ev, h, "bridge-failed", CONFIDENCE_CERTAIN, proof);
	else if (back < 3)
		detection_pass(d, NULL, "nobody speaks in the other direction either");
	else if (passes_on_s(facts, ev->direction, h) < detection_key(d, "min-seconds"))
		detection_pass(d, "N9", "another leg of the call is on hold: it has no sound to pass on");
	else if (silent_already(facts, h, ratio))
		detection_pass(d, NULL, "what its sender gets on the other leg holds no sound either: told there");
	else
		tell(d, ev, h, s.one_code ? "digital-silence" : "unlocated", CONFIDENCE_POSSIBLE, NULL);
}

/*
 * Comfort noise and never a frame of speech: at the rate of speech, as a bridge fills in that failed; or although nobody
 * agreed on silence suppression, where somebody who is muted would send silence. Where it is agreed, he sends a few a
 * second at most.
 */
static bool comfort_noise_only(struct detection *d, const struct direction *dir, const struct window *w)
{
	struct sound s = sound_of(dir);

	return s.audio == 0 && s.comfort_s >= detection_key(d, "min-seconds") && ((double)s.comfort >= 10 * s.comfort_s || !w->dtx_allowed);
}

static void on_event(struct detection *d, const struct event *ev)
{
	const struct hearing *h = hearing_of(ev->direction);

	if (h && h->window && h->row && !encrypted(h) && comfort_noise_only(d, ev->direction, h->window) &&
	    speech_of(direction_reverse(ev->direction)) >= 3) {
		tell(d, ev, h, "comfort-noise-only", CONFIDENCE_POSSIBLE, NULL);
		return;
	}
	if (!h || !h->window || !h->delivered || h->heard == HEARD_NO) {
		detection_pass(d, NULL, "no audio was due, or none was delivered: see one-way-audio");
		return;
	}
	if (encrypted(h)) {
		detection_pass(d, NULL, "encrypted: the sound cannot be heard");
		return;
	}
	if (h->due_s < detection_key(d, "min-seconds")) {
		detection_pass(d, NULL, "%.1f s are less than %.0f s", h->due_s, detection_key(d, "min-seconds"));
		return;
	}
	judge(d, ev, h);
}

const struct detector detect_audio_silent = {
	.id = "audio-silent", .doc = &doc, .keys = keys, .event = on_event, .events = EVENT_BIT(EVENT_JUDGE_DIRECTION),
	.scope = PER_DIRECTION, .usual = SEVERITY_WARNING, .possible_max = SEVERITY_WARNING,
};
