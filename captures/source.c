/* SPDX-License-Identifier: MIT */
/* source: merges readers by time. */
#include "captures/source.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "captures/base/text.h"
#include "captures/filter.h"
#include "captures/frame_order.h"
#include "captures/names.h"
#include "captures/reader.h"

enum {
	FILES_MOST = 65536,              /* what a frame can name */
	READ_MOST = 1 << 18,   /* bytes at once from one file ... */
	TRY_FRAMES = 4096,               /* of a file, looked at for their order */
	TRY_FILES = 64,                  /* of more files none is: that takes memory for each */
	READ_LEAST = 1 << 16,
	READ_ALL_FILES = 1 << 26,        /* ... and for all of them together, as far as the least allows */
	SUCCESSORS_MOST = 4096,          /* files that are looked at when one ends */
};

/* From the last frame of a file to the first of the one that goes on with it; interfaces may overlap a little. */
#define ROTATION_GAP_NS (10 * SECOND_NS)
#define ROTATION_OVERLAP_NS SECOND_NS

/* A reader and its next frame, which waits until those of the others are older. */
struct lane {
	struct reader reader;
	struct frame head;
	struct frame_order *order;       /* NULL: its frames come in order */
	int64_t first_ns, last_ns;       /* of its first frame; of the frame before. NS_NONE: none yet */
	int64_t shift_ns;                /* added to what the file says */
	uint16_t capture;                /* index of the file where its capture began */
	bool goes_on;                    /* another one has gone on in it */
	unsigned tried;                  /* frames that were looked at for their order, to begin with */
	bool disorder;                   /* one was older than the one before */
	bool piped;
};

struct source {
	atomic_bool stop;                /* set by a signal handler, read by the thread that reads */
	struct lane *lanes;
	size_t count;
	struct lane **heap;              /* by time of the head, the oldest first; ended ones are out */
	size_t waiting;
	bool begun;                      /* the heap's first frame has been given away */
	struct filter *filter;           /* NULL none */
	struct names names;
};

static int path_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct source *source_open(const char *const *paths, size_t count, const char *bpf, struct err *err)
{
	struct source *s;
	struct filter *filter = NULL;
	const char **sorted;

	if (count > FILES_MOST) {
		err_set(err, ERR_USAGE, "%zu files are too many at once; merge some first (mergecap)", count);
		return NULL;
	}
	if (bpf && !(filter = frame_filter_new(bpf, err)))
		return NULL;
	s = memory_zalloc(sizeof *s);
	s->filter = filter;
	sorted = memory_resize(NULL, count, sizeof *sorted);
	for (size_t i = 0; i < count; i++)
		sorted[i] = paths[i];
	qsort(sorted, count, sizeof *sorted, path_order);
	name_records_init(&s->names);
	s->count = count;
	s->lanes = memory_resize(NULL, count, sizeof *s->lanes);
	s->heap = memory_resize(NULL, count, sizeof *s->heap);
	for (size_t i = 0; i < count; i++) {
		s->lanes[i].order = NULL;
		s->lanes[i].first_ns = s->lanes[i].last_ns = NS_NONE;
		s->lanes[i].shift_ns = 0;
		s->lanes[i].capture = (uint16_t)i;
		s->lanes[i].goes_on = false;
		s->lanes[i].tried = 0;
		s->lanes[i].disorder = s->lanes[i].piped = false;
		reader_init(&s->lanes[i].reader, sorted[i], (uint16_t)i, &s->names);
	}
	free(sorted);
	return s;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		frame_order_free(s->lanes[i].order);
		reader_fini(&s->lanes[i].reader);
	}
	free(s->lanes);
	free(s->heap);
	frame_filter_free(s->filter);
	name_records_fini(&s->names);
	free(s);
}

void source_shift(struct source *s, size_t index, int64_t by_ns)
{
	s->lanes[index].shift_ns = by_ns;
}

/* The lane's next frame that the filter takes. */
static bool next_taken(struct source *s, struct lane *lane, struct frame *ret_frame)
{
	struct reader *r = &lane->reader;
	const char *reason;

	while (!s->stop && reader_next(r, ret_frame)) {
		ret_frame->at_ns = ns_add(ret_frame->at_ns, lane->shift_ns);
		if (!s->filter)
			return true;
		switch (frame_filter_judge(s->filter, ret_frame, &reason)) {
		case FILTER_TAKES:
			return true;
		case FILTER_REJECTS:
			break;
		case FILTER_FAILS:
			return reader_unfiltered(r, ret_frame, reason);
		}
	}
	return false;
}

/* What was read ahead of it is nowhere else: it is given even when the source was stopped. */
static bool is_pipe(const struct lane *lane)
{
	return lane->reader.in.stored_total == 0;
}

/* Frames of this file are read ahead and sorted: for a while, and for good once one was older than the one before. */
static void look_ahead(struct source *s, struct lane *lane)
{
	struct frame frame;

	while ((lane->disorder || lane->tried < TRY_FRAMES) && frame_order_wants(lane->order) &&
	    next_taken(s, lane, &frame)) {
		lane->disorder |= frame.at_ns < lane->last_ns;
		lane->last_ns = frame.at_ns;
		lane->tried++;
		frame_order_put(lane->order, &frame);
	}
}

/*
 * The lane's next frame. Where the first thousands came in order the others are taken as they come, which costs
 * nothing.
 */
static bool lane_next(struct source *s, struct lane *lane, struct frame *ret_frame)
{
	if (s->stop && !is_pipe(lane))
		return false;
	if (lane->order) {
		look_ahead(s, lane);
		if (frame_order_take(lane->order, ret_frame))
			return true;
		if (lane->disorder || lane->tried < TRY_FRAMES)
			return false;
		frame_order_free(lane->order);
		lane->order = NULL;
	}
	if (!next_taken(s, lane, ret_frame))
		return false;
	if (ret_frame->at_ns >= lane->last_ns || lane->piped) {
		lane->last_ns = ret_frame->at_ns;
		return true;
	}
	lane->disorder = true;
	lane->order = frame_order_new();
	frame_order_put(lane->order, ret_frame);
	look_ahead(s, lane);
	return frame_order_take(lane->order, ret_frame);
}

static bool lane_before(const struct lane *a, const struct lane *b)
{
	if (a->head.at_ns != b->head.at_ns)
		return a->head.at_ns < b->head.at_ns;
	return a->reader.index < b->reader.index;
}

/* Moves the lane at that place of the heap down behind older ones. */
static void heap_sink(struct source *s, size_t at)
{
	struct lane *lane = s->heap[at];

	for (size_t child; (child = 2 * at + 1) < s->waiting; at = child) {
		if (child + 1 < s->waiting && lane_before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!lane_before(s->heap[child], lane))
			break;
		s->heap[at] = s->heap[child];
	}
	s->heap[at] = lane;
}

/* A pipe is never read ahead: its next frame may be long in coming. */
static bool lane_begin(struct source *s, struct lane *lane, size_t share)
{
	if (!reader_open(&lane->reader, share, &s->stop))
		return false;
	lane->piped = lane->reader.in.stored_total == 0;
	if (!lane->piped && s->count <= TRY_FILES)
		lane->order = frame_order_new();
	if (!lane_next(s, lane, &lane->head))
		return false;
	lane->first_ns = lane->head.at_ns;
	return true;
}

/* stdin can be read once: a second "-" is a mistake, not an empty file. */
static bool is_stdin_again(const struct source *s, size_t at)
{
	const char *name = s->lanes[at].reader.view.name;

	return at && strcmp(name, "-") == 0 && strcmp(s->lanes[at - 1].reader.view.name, "-") == 0;
}

static void open_all(struct source *s)
{
	size_t share = s->count ? READ_ALL_FILES / s->count : 0;

	share = share < READ_LEAST ? READ_LEAST : share > READ_MOST ? READ_MOST : share;
	for (size_t i = 0; i < s->count && !s->stop; i++) {
		struct lane *lane = &s->lanes[i];

		if (is_stdin_again(s, i))
			reader_refused(&lane->reader, ERR_USAGE, "is named twice; it can be read only once");
		else if (lane_begin(s, lane, share))
			s->heap[s->waiting++] = lane;
	}
	for (size_t i = s->waiting / 2; i-- > 0;)
		heap_sink(s, i);
}

/* ---- captures that rotate their files ---- */

/* Equal but for their numbers: "any_00001_20261122.pcapng", "any.pcap12". */
static bool same_but_numbers(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a >= '0' && *a <= '9')
			a++;
		while (*b >= '0' && *b <= '9')
			b++;
		if (*a != *b || !*a)
			return *a == *b;
	}
}

/* Interfaces may be described late: what both have is compared. */
static bool same_interfaces(const struct source_file *a, const struct source_file *b)
{
	for (size_t i = 0; i < a->interface_count && i < b->interface_count; i++) {
		if (a->interfaces[i].link != b->interfaces[i].link ||
		    strcmp(a->interfaces[i].name, b->interfaces[i].name) != 0)
			return false;
	}
	return a->interface_count && b->interface_count;
}

/* A lane has ended: the file that begins there, if one does, goes on with its capture. */
static void lane_succeed(struct source *s, const struct lane *over)
{
	size_t look = s->waiting < SUCCESSORS_MOST ? s->waiting : SUCCESSORS_MOST;
	struct lane *best = NULL;

	for (size_t i = 0; i < look; i++) {
		struct lane *x = s->heap[i];

		if (x->goes_on || x->piped || x->first_ns == NS_NONE ||
		    ns_minus(over->head.at_ns, x->first_ns) > ROTATION_OVERLAP_NS ||
		    ns_minus(x->first_ns, over->head.at_ns) > ROTATION_GAP_NS ||
		    (best && x->first_ns >= best->first_ns) ||
		    !same_but_numbers(over->reader.view.name, x->reader.view.name) ||
		    !same_interfaces(&over->reader.view, &x->reader.view))
			continue;
		best = x;
	}
	if (!best)
		return;
	best->goes_on = true;
	best->capture = over->capture;
}

/* The lane whose frame was given away last, which still is the first, goes on. */
static void advance_first(struct source *s)
{
	struct lane *lane = s->heap[0];

	if (!lane_next(s, lane, &lane->head)) {
		s->heap[0] = s->heap[--s->waiting];
		lane_succeed(s, lane);
	}
	if (s->waiting > 1)
		heap_sink(s, 0);
}

static bool is_over(const struct source *s)
{
	bool over = s->stop;

	for (size_t i = 0; over && i < s->waiting; i++)
		over = !is_pipe(s->heap[i]);
	return over;
}

bool source_next(struct source *s, struct frame *ret_frame)
{
	if (s->begun && s->waiting == 1) {       /* no one to compare with: no head needed */
		if (!lane_next(s, s->heap[0], ret_frame))
			return false;
		ret_frame->rotated = (uint16_t)(ret_frame->file - s->heap[0]->capture);
		return true;
	}
	if (is_over(s))
		return false;
	if (!s->begun)
		open_all(s);
	else if (s->waiting)
		advance_first(s);
	s->begun = true;
	if (s->waiting == 0 || is_over(s))
		return false;
	*ret_frame = s->heap[0]->head;
	ret_frame->rotated = (uint16_t)(ret_frame->file - s->heap[0]->capture);
	return true;
}

/* Frames of a file that was in order so far. The first that is not goes where others have to wait for it. */
static size_t lane_at_hand(struct lane *lane, struct frame *frames, size_t most)
{
	size_t n = reader_at_hand(&lane->reader, frames, most,
		lane->piped ? INT64_MIN : ns_minus(lane->last_ns, lane->shift_ns));

	for (size_t i = 0; lane->shift_ns && i < n; i++)
		frames[i].at_ns = ns_add(frames[i].at_ns, lane->shift_ns);
	if (n && frames[n - 1].at_ns < (n > 1 ? frames[n - 2].at_ns : lane->last_ns) && !lane->piped) {
		lane->disorder = true;
		lane->order = frame_order_new();
		frame_order_put(lane->order, &frames[--n]);
	}
	if (n)
		lane->last_ns = frames[n - 1].at_ns;
	return n;
}

size_t source_at_hand(struct source *s, struct frame *frames, size_t most)
{
	size_t n;

	if (!s->begun || s->waiting != 1 || s->filter || s->stop || s->heap[0]->order)
		return 0;
	n = lane_at_hand(s->heap[0], frames, most);
	for (size_t i = 0; i < n; i++)
		frames[i].rotated = (uint16_t)(frames[i].file - s->heap[0]->capture);
	return n;
}

void source_stop(struct source *s)
{
	s->stop = 1;
}

size_t source_file_count(const struct source *s)
{
	return s->count;
}

const struct source_file *source_file(const struct source *s, size_t index)
{
	return &s->lanes[index].reader.view;
}

const struct source_name *source_names(const struct source *s, size_t *ret_count)
{
	*ret_count = s->names.count;
	return s->names.list;
}

void source_progress(const struct source *s, uint64_t *ret_done, uint64_t *ret_total)
{
	bool known = true;

	*ret_done = *ret_total = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct reader *r = &s->lanes[i].reader;

		*ret_done += r->in.stored_done;
		*ret_total += r->in.stored_total;
		known = known && (r->in.stored_total || r->view.error.code != ERR_OK);
	}
	if (!known)
		*ret_total = 0;
}
