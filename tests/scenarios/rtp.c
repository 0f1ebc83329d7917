/* SPDX-License-Identifier: MIT */
/* rtp: bursts of RTP, with what happens to them on the way. */
#include "tests/scenarios/scenario.h"

#include <math.h>
#include <stdlib.h>

enum gap_kind { GAP_LOST, GAP_STALLED, GAP_SUPPRESSED };
enum { BURST_GAPS = 16, BURST_EVENTS = 16 };

struct gap {
	int64_t begin_ns, end_ns;
	enum gap_kind kind;
};

struct event {                       /* RFC 4733 */
	int64_t begin_ns, length_ns;
	int64_t split_ns;            /* so long after its beginning the timestamp changes; 0 never */
	unsigned code;
	bool no_end;                 /* the last packet has no E bit, and comes once */
	bool new_times, no_duration;              /* every packet has a timestamp of its own */
	bool end_times;              /* so have the repeated ends */
};

/* What one line asks for. */
struct burst {
	struct endpoint src, dst;
	int64_t begin_ns, end_ns;
	unsigned pt, event_pt;
	unsigned clock_hz;
	int64_t step_ns;             /* between two packets on the wire */
	unsigned step_ts;            /* between two timestamps */
	size_t bytes;                /* payload; 0: by codec */
	struct sound sound;
	bool own_voice;              /* not the one that goes with the SSRC */
	struct gap gaps[BURST_GAPS];
	unsigned gap_count;
	struct event events[BURST_EVENTS];
	unsigned event_count;
	unsigned loss_permille, lose_run, lose_every;
	uint64_t seed;
	enum { JITTER_NONE, JITTER_UNIFORM, JITTER_PARETO } jitter;
	double jitter_ms, jitter_shape, jitter_cap_ms;
	bool in_order;               /* what is late keeps those behind it waiting */
	unsigned bunch;              /* so many packets leave at once */
	bool no_marker;
	uint8_t ttl, dscp;
	uint16_t taps;
	unsigned copies;             /* each packet so many times more, with an IP-ID of its own */
	unsigned channel;            /* of TURN; 0: none is around it */
	size_t tail;                 /* random bytes behind the payload: an SRTP tag */
	struct srtp_key key;         /* given: a true tag of tag bytes, behind mki bytes */
	size_t tag, mki;
	bool rolled;                 /* the line says how often its numbers have gone round */
	uint32_t rollovers;
};

uint32_t ssrc_of(const struct endpoint *src)
{
	uint32_t x = 0x9e3779b9u;

	for (size_t i = 0; i < 16; i++)
		x = (x ^ src->addr.bytes[i]) * 16777619u;
	return ((x ^ src->port) * 16777619u) | 0x01000000u;
}

struct flow *flow_by_ssrc(struct scenario *s, uint32_t ssrc)
{
	LIST_EACH(it, &s->flows) {
		struct flow *f = LIST_ENTRY(it, struct flow, link);

		if (f->ssrc == ssrc)
			return f;
	}
	return NULL;
}

static struct flow *flow_add(struct scenario *s, uint32_t ssrc, const struct burst *b)
{
	struct flow *f = NULL;

	LIST_EACH(it, &s->flows) {
		struct flow *old = LIST_ENTRY(it, struct flow, link);

		if (old->ssrc == ssrc && address_equal(&old->src.addr, &b->src.addr))
			f = old;
	}
	if (!f) {
		f = scenario_zalloc(s, sizeof *f);
		f->ssrc = ssrc;
		f->from = host_of(s, &b->src.addr);
		f->next_seq = 0x10000 + 1;
		f->next_ts = ssrc * 7;
		f->next_ns = b->begin_ns;
		list_add_tail(&s->flows, &f->link);
	}
	f->src = b->src;
	f->dst = b->dst;
	f->clock_hz = b->clock_hz;
	return f;
}

static void sent_note(struct scenario *s, struct flow *f, int64_t at_ns, uint32_t seq, bool lost)
{
	if (f->sent_count == f->sent_room) {
		size_t room = 2 * f->sent_room + 256;
		struct sent *grown = scenario_zalloc(s, room * sizeof *grown);

		if (f->sent_count)
			memcpy(grown, f->sent, f->sent_count * sizeof *grown);
		f->sent = grown;
		f->sent_room = room;
	}
	f->sent[f->sent_count++] = (struct sent){ at_ns, seq, lost };
}

static unsigned clock_of(unsigned pt)
{
	return pt == 96 ? 48000 : 8000;
}

/* Payload bytes of a packet of so many timestamp units. */
static size_t codec_bytes(unsigned pt, unsigned units)
{
	switch (pt) {
	case 3: return units / 160 * 33;
	case 13: return 1;
	case 18: return units / 80 * 10;
	case 96: return 80;
	case 97: return 50;
	default: return units;
	}
}

static void gap_want(struct scenario *s, struct words *w, struct burst *b)
{
	static const struct { const char *name; enum gap_kind kind; } kinds[] = {
		{ "lost", GAP_LOST }, { "stalled", GAP_STALLED }, { "suppressed", GAP_SUPPRESSED },
	};
	struct gap *g = &b->gaps[b->gap_count];

	if (b->gap_count == BURST_GAPS) {
		scenario_fail(s, "more than %d gaps", BURST_GAPS);
		return;
	}
	g->begin_ns = time_want(s, w);
	word_expect(s, w, "to");
	g->end_ns = time_want(s, w);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (word_accept(w, kinds[i].name)) {
			g->kind = kinds[i].kind;
			b->gap_count++;
			return;
		}
	}
	scenario_fail(s, "a gap is lost, stalled or suppressed");
}

static void event_want(struct scenario *s, struct words *w, struct burst *b)
{
	struct event *e = &b->events[b->event_count];

	if (b->event_count == BURST_EVENTS) {
		scenario_fail(s, "more than %d events", BURST_EVENTS);
		return;
	}
	e->code = (unsigned)integer_want(s, w, "the event");
	word_expect(s, w, "at");
	e->begin_ns = time_want(s, w);
	word_expect(s, w, "for");
	e->length_ns = time_want(s, w);
	e->split_ns = word_accept(w, "split") ? time_want(s, w) : 0;
	e->no_end = word_accept(w, "no-end");
	e->new_times = word_accept(w, "new-times");
	e->no_duration = word_accept(w, "no-duration");
	e->end_times = word_accept(w, "end-times");
	b->event_count++;
}

static bool jitter_accept(struct scenario *s, struct words *w, struct burst *b)
{
	if (!word_accept(w, "jitter"))
		return false;
	if (word_accept(w, "pareto")) {      /* scale in ms, shape, the most it may be in ms */
		b->jitter = JITTER_PARETO;
		b->jitter_ms = number_want(s, w, "the scale in ms");
		b->jitter_shape = number_want(s, w, "the shape");
		b->jitter_cap_ms = number_want(s, w, "the cap in ms");
	} else {
		word_expect(s, w, "uniform");
		b->jitter = JITTER_UNIFORM;
		b->jitter_ms = number_want(s, w, "the most in ms");
	}
	return true;
}

static bool sound_accept(struct scenario *s, struct words *w, struct burst *b)
{
	if (word_accept(w, "level")) {
		b->sound.kind = SOUND_SPEECH;
		b->sound.level_dbm0 = number_want(s, w, "the level in dBm0");
	} else if (word_accept(w, "voice")) {        /* that of another sender: a relay */
		b->sound.voice = (uint32_t)integer_want(s, w, "the SSRC whose voice it is");
		b->own_voice = true;
	} else if (word_accept(w, "silence")) {
		b->sound = (struct sound){ .kind = SOUND_CODE, .code = b->pt == 0 ? 0xff : 0xd5 };
	} else if (word_accept(w, "cipher")) {
		b->sound = (struct sound){ .kind = SOUND_CIPHER };
	} else if (word_accept(w, "code")) {
		b->sound = (struct sound){ .kind = SOUND_CODE, .code = (uint8_t)integer_want(s, w, "the code") };
	} else {
		return false;
	}
	return true;
}

static bool impairment_accept(struct scenario *s, struct words *w, struct burst *b)
{
	if (jitter_accept(s, w, b))
		return true;
	if (word_accept(w, "gap")) {
		gap_want(s, w, b);
	} else if (word_accept(w, "loss")) {
		b->loss_permille = percent_want(s, w);
	} else if (word_accept(w, "lose")) {         /* a run of so many out of every so many */
		b->lose_run = (unsigned)integer_want(s, w, "the length of the run");
		word_expect(s, w, "every");
		b->lose_every = (unsigned)integer_want(s, w, "the distance of the runs");
	} else if (word_accept(w, "seed")) {
		b->seed = integer_want(s, w, "the seed");
	} else if (word_accept(w, "in-order")) {
		b->in_order = true;
	} else if (word_accept(w, "bunch")) {
		b->bunch = (unsigned)integer_want(s, w, "the size of the bunches");
	} else if (word_accept(w, "copies")) {
		b->copies = (unsigned)integer_want(s, w, "the number of copies");
	} else {
		return false;
	}
	return true;
}

static bool packet_accept(struct scenario *s, struct words *w, struct burst *b)
{
	if (word_accept(w, "pt")) {
		b->pt = (unsigned)integer_want(s, w, "the payload type") & 0x7f;
		b->clock_hz = clock_of(b->pt);
		b->step_ts = (unsigned)(b->clock_hz * (b->step_ns / 1000000) / 1000);
	} else if (word_accept(w, "clock")) {        /* of a dynamic payload type */
		b->clock_hz = (unsigned)integer_want(s, w, "the clock in Hz");
		b->step_ts = (unsigned)(b->clock_hz * (b->step_ns / 1000000) / 1000);
	} else if (word_accept(w, "ptime")) {
		b->step_ns = time_want(s, w);
		b->step_ts = (unsigned)(b->clock_hz * (b->step_ns / 1000000) / 1000);
	} else if (word_accept(w, "every")) {        /* only the wall clock: the timestamps go on as the codec wants */
		b->step_ns = time_want(s, w);
	} else if (word_accept(w, "bytes")) {
		b->bytes = integer_want(s, w, "the payload's length");
	} else if (word_accept(w, "tail")) {
		b->tail = integer_want(s, w, "the length of the tail");
	} else if (word_accept(w, "key")) {          /* SRTP: random bytes, with the tag that this key makes */
		srtp_key_read(s, word_want(s, w, "the key in base64"), &b->key);
		b->sound = (struct sound){ .kind = SOUND_CIPHER };
	} else if (word_accept(w, "tag")) {
		b->tag = integer_want(s, w, "the length of the tag");
	} else if (word_accept(w, "mki")) {
		b->mki = integer_want(s, w, "the length of the MKI");
	} else if (word_accept(w, "rollovers")) {    /* of the first packet of the line */
		b->rollovers = (uint32_t)integer_want(s, w, "how often the numbers have gone round");
		b->rolled = true;
	} else if (word_accept(w, "channel")) {      /* inside TURN's ChannelData, between client and server */
		b->channel = (unsigned)integer_want(s, w, "the channel's number");
	} else if (word_accept(w, "event")) {
		event_want(s, w, b);
	} else if (word_accept(w, "event-pt")) {
		b->event_pt = (unsigned)integer_want(s, w, "the payload type of events") & 0x7f;
	} else if (word_accept(w, "no-marker")) {
		b->no_marker = true;
	} else if (word_accept(w, "ttl")) {
		b->ttl = (uint8_t)integer_want(s, w, "the TTL");
	} else if (word_accept(w, "dscp")) {
		b->dscp = (uint8_t)integer_want(s, w, "the DSCP");
	} else {
		return taps_accept(s, w, &b->taps);
	}
	return true;
}

/* Where the numbers begin: what the line does not say goes on as the sender's clock ran. */
struct start {
	uint32_t ssrc;
	bool has_ssrc, has_seq, has_ts, seq_relative, ts_relative;
	int64_t seq, ts;
};

static int64_t step_want(struct scenario *s, struct words *w, const char *what, bool *ret_relative)
{
	const char *word = word_want(s, w, what);
	char *end;
	long long value = strtoll(word, &end, 0);

	if (end == word || *end)
		scenario_fail(s, "%s: \"%s\" is no whole number", what, word);
	*ret_relative = *word == '+' || *word == '-';
	return value;
}

static bool start_accept(struct scenario *s, struct words *w, struct start *start)
{
	if (word_accept(w, "ssrc")) {
		start->ssrc = (uint32_t)integer_want(s, w, "the SSRC");
		start->has_ssrc = true;
	} else if (word_accept(w, "seq")) {          /* 1000, or +200 from where it would go on */
		start->seq = step_want(s, w, "the sequence number", &start->seq_relative);
		start->has_seq = true;
	} else if (word_accept(w, "ts")) {
		start->ts = step_want(s, w, "the timestamp", &start->ts_relative);
		start->has_ts = true;
	} else {
		return false;
	}
	return true;
}

static struct flow *flow_start(struct scenario *s, const struct burst *b, const struct start *start)
{
	struct flow *f = flow_add(s, start->has_ssrc ? start->ssrc : ssrc_of(&b->src), b);

	if (start->has_seq)
		f->next_seq = start->seq_relative ? (uint32_t)(f->next_seq + start->seq)
			: 0x10000 + (uint32_t)start->seq;
	if (start->has_ts && !start->ts_relative) {
		f->next_ts = (uint32_t)start->ts;
	} else {
		f->next_ts += (uint32_t)llround((double)(b->begin_ns - f->next_ns) * f->clock_hz / 1e9);
		f->next_ts += start->has_ts ? (uint32_t)start->ts : 0;
	}
	f->next_ns = b->begin_ns;
	return f;
}

static const struct gap *gap_at(const struct burst *b, int64_t at_ns)
{
	for (unsigned i = 0; i < b->gap_count; i++) {
		if (at_ns >= b->gaps[i].begin_ns && at_ns < b->gaps[i].end_ns)
			return &b->gaps[i];
	}
	return NULL;
}

static const struct event *event_at(const struct burst *b, int64_t at_ns)
{
	for (unsigned i = 0; i < b->event_count; i++) {
		if (at_ns >= b->events[i].begin_ns && at_ns < b->events[i].begin_ns + b->events[i].length_ns)
			return &b->events[i];
	}
	return NULL;
}

static int64_t delay_of(const struct burst *b, uint64_t *state)
{
	double ms = 0;

	switch (b->jitter) {
	case JITTER_NONE:
		break;
	case JITTER_UNIFORM:
		ms = b->jitter_ms * random_unit(state);
		break;
	case JITTER_PARETO:
		ms = fmin(b->jitter_cap_ms, b->jitter_ms * (pow(random_unit(state), -1 / b->jitter_shape) - 1));
		break;
	}
	return llround(ms * 1e3) * 1000;
}

/* While a burst is sent. */
struct sender {
	const struct burst *burst;
	struct flow *flow;
	uint64_t loss_state, delay_state;
	unsigned count;              /* packets so far, lost ones too */
	int64_t last_arrival_ns;
	uint32_t event_ts;           /* of the event that goes on */
	const struct event *event;
	bool marker;                 /* on the next packet */
	uint32_t first_round;        /* of its numbers, when the burst began */
};

static bool is_lost(struct sender *x, int64_t at_ns)
{
	const struct burst *b = x->burst;
	const struct gap *gap = gap_at(b, at_ns);
	bool chance = b->loss_permille && random_next(&x->loss_state) % 1000 < b->loss_permille;
	bool run = b->lose_every && x->count % b->lose_every >= b->lose_every - b->lose_run;

	return chance || run || (gap && gap->kind == GAP_LOST);
}

/* How often the numbers of this sender have gone round: from 0, or as the line says of its beginning. */
static uint32_t rollovers_of(const struct sender *x)
{
	uint32_t now = (x->flow->next_seq >> 16) - 1;

	return x->burst->rolled ? x->burst->rollovers + now - x->first_round : now;
}

static void tag_add(const struct sender *x, struct buffer *bytes, size_t packet_at)
{
	static const uint8_t zeros[128];
	const struct burst *b = x->burst;
	uint8_t tag[20];

	srtp_tag(&b->key, bytes->p + packet_at, bytes->n - packet_at, rollovers_of(x), tag);
	buffer_add(bytes, zeros, b->mki ? b->mki - 1 : 0);
	if (b->mki)
		buffer_u8(bytes, 1);
	buffer_add(bytes, tag, b->tag);
}

static void packet_send(struct scenario *s, struct sender *x, int64_t at_ns, unsigned pt, uint32_t ts,
	const uint8_t *payload, size_t n)
{
	const struct burst *b = x->burst;
	struct flow *f = x->flow;
	struct buffer bytes = { .arena = s->arena };
	bool lost = is_lost(x, at_ns);
	size_t header_at;
	int64_t arrival_ns = at_ns + delay_of(b, &x->delay_state);

	if (b->bunch)
		arrival_ns += (int64_t)(b->bunch - 1 - x->count % b->bunch) * b->step_ns + (int64_t)(x->count % b->bunch) * 50000;
	if (b->in_order && arrival_ns < x->last_arrival_ns + 100000)
		arrival_ns = x->last_arrival_ns + 100000;
	x->last_arrival_ns = arrival_ns;
	if (b->channel) {
		buffer_u16(&bytes, b->channel);
		buffer_u16(&bytes, (unsigned)(12 + n + (b->key.given ? b->mki + b->tag : 0)));
	}
	header_at = bytes.n;
	buffer_u8(&bytes, 0x80);
	buffer_u8(&bytes, (x->marker && !b->no_marker ? 0x80u : 0u) | pt);
	buffer_u16(&bytes, f->next_seq & 0xffff);
	buffer_u32(&bytes, ts);
	buffer_u32(&bytes, f->ssrc);
	buffer_add(&bytes, payload, n);
	if (b->key.given)
		tag_add(x, &bytes, header_at);
	sent_note(s, f, arrival_ns, f->next_seq, lost);
	f->octets += n;
	f->next_seq++;
	x->marker = false;
	x->count++;
	for (unsigned i = 0; !lost && i <= b->copies; i++) {
		struct datagram *d = datagram_add(s, arrival_ns + (int64_t)i * 200000, b->src, b->dst, TRAFFIC_RTP,
			bytes.p, bytes.n);

		d->taps = b->taps;
		d->ttl = b->ttl;
		d->dscp = b->dscp ? b->dscp : d->dscp;
	}
}

static void audio_send(struct scenario *s, struct sender *x, int64_t at_ns)
{
	const struct burst *b = x->burst;
	uint8_t payload[1600];
	struct sound sound;
	size_t n = b->bytes ? b->bytes : codec_bytes(b->pt, b->step_ts);

	if (n + b->tail > sizeof payload) {
		scenario_fail(s, "a payload of %zu bytes", n + b->tail);
		return;
	}
	sound = b->sound;
	if (!b->own_voice)
		sound.voice = x->flow->ssrc;
	sound_fill(&sound, b->pt, (uint32_t)(at_ns / 125000), payload, n);
	if (b->tail)
		sound_fill(&b->sound, 127, x->flow->next_seq, payload + n, b->tail);
	packet_send(s, x, at_ns, b->pt, x->flow->next_ts, payload, n + b->tail);
}

/* RFC 4733 2.5.1: the timestamp stays, the duration grows; the last packet comes three times with the E bit. */
static void event_send(struct scenario *s, struct sender *x, int64_t at_ns, const struct event *e)
{
	const struct burst *b = x->burst;
	bool begins = x->event != e, ends = at_ns + b->step_ns >= e->begin_ns + e->length_ns;
	unsigned duration;
	uint8_t payload[4];

	if (begins || e->new_times || (e->split_ns && at_ns - b->step_ns < e->begin_ns + e->split_ns &&
	    at_ns >= e->begin_ns + e->split_ns)) {
		x->event_ts = x->flow->next_ts;
		x->marker = begins;
	}
	x->event = e;
	ends &= !e->no_end;
	duration = e->no_duration ? 0 : x->flow->next_ts - x->event_ts + b->step_ts;
	payload[0] = (uint8_t)e->code;
	payload[1] = ends ? 0x8a : 0x0a;
	payload[2] = (uint8_t)(duration >> 8);
	payload[3] = (uint8_t)duration;
	for (unsigned i = 0; i < (ends ? 3u : 1u); i++)
		packet_send(s, x, at_ns + i * 100000, b->event_pt, x->event_ts + (e->end_times ? i * b->step_ts : 0),
			payload, sizeof payload);
}

static void burst_send(struct scenario *s, const struct burst *b, struct flow *f)
{
	struct sender x = { .burst = b, .flow = f, .loss_state = b->seed, .delay_state = b->seed + 1,
		.last_arrival_ns = INT64_MIN / 2, .marker = true, .first_round = (f->next_seq >> 16) - 1 };

	for (int64_t at_ns = b->begin_ns; at_ns < b->end_ns && !s->error; at_ns += b->step_ns) {
		const struct gap *gap = gap_at(b, at_ns);
		const struct event *e = event_at(b, at_ns);

		f->next_ns = at_ns + b->step_ns;
		if (gap && gap->kind == GAP_STALLED)
			continue;
		if (gap && gap->kind == GAP_SUPPRESSED) {
			f->next_ts += b->step_ts;
			x.marker = true;
			continue;
		}
		if (e)
			event_send(s, &x, at_ns, e);
		else
			audio_send(s, &x, at_ns);
		f->next_ts += b->step_ts;
	}
}

static struct burst burst_default(void)
{
	return (struct burst){
		.pt = 8, .event_pt = 101, .clock_hz = 8000, .step_ns = 20 * MILLISECOND_NS, .step_ts = 160,
		.sound = { .kind = SOUND_SPEECH, .level_dbm0 = -20 }, .seed = 1, .taps = TAP_ALL, .tag = 10,
	};
}

static void burst_want(struct scenario *s, struct words *w, struct burst *b, struct start *start)
{
	word_expect(s, w, "from");
	b->begin_ns = time_want(s, w);
	word_expect(s, w, "to");
	b->end_ns = time_want(s, w);
	while (w->left && !s->error) {
		if (!sound_accept(s, w, b) && !impairment_accept(s, w, b) && !packet_accept(s, w, b) &&
		    !start_accept(s, w, start))
			break;
	}
	if (b->tag > 20 || b->mki > 128)
		scenario_fail(s, "a tag of at most 20 bytes, an MKI of at most 128");
	if (b->step_ns < 1000000 || b->lose_run > b->lose_every)
		scenario_fail(s, "packets at least 1 ms apart, and runs shorter than their distance");
}

/* rtp FROM > TO from T to T [what README.md lists] */
void rtp_read(struct scenario *s, struct words *w)
{
	struct burst b = burst_default();
	struct start start = { 0 };

	b.src = endpoint_want(s, w);
	word_expect(s, w, ">");
	b.dst = endpoint_want(s, w);
	burst_want(s, w, &b, &start);
	if (!s->error)
		burst_send(s, &b, flow_start(s, &b, &start));
}

/* talk CALL from T to T [options of rtp]: both parties send where the other's SDP says. */
void talk_read(struct scenario *s, struct words *w)
{
	const struct dialog *d = dialog_want(s, w);
	struct burst b = burst_default();
	struct start start = { 0 };

	burst_want(s, w, &b, &start);
	if (s->error)
		return;
	for (unsigned i = 0; i < 2; i++) {
		const struct party *p = &d->party[i], *other = &d->party[!i];

		b.src = (struct endpoint){ p->host->addr, p->media.port };
		b.dst = other->media;
		b.seed += i;
		burst_send(s, &b, flow_start(s, &b, &start));
	}
}
