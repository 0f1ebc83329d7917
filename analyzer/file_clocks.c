/* SPDX-License-Identifier: MIT */
/* file_clocks: the same message in two files, with two times. */
#include "analyzer/file_clocks.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "captures/base/hash.h"
#include "captures/base/list.h"
#include "captures/base/memory.h"
#include "captures/base/ns.h"
#include "dissect/dissect.h"
#include "dissect/plain.h"

enum {
	FRAMES_MOST = 400000,        /* of a file: what is worth the time */
	FRAMES_OF_ALL = 1000000,     /* shared out: a tenth of a second, however many files */
	SIGHTS_MOST = 1 << 18,       /* of all */
	SAMPLES_MOST = 512,          /* of two files, each way */
	NEEDED = 3                   /* each way */
};

#define COPY_NS (50 * MILLISECOND_NS)                /* later it is sent again */
#define SET_NS (100 * MILLISECOND_NS)
#define MOST_NS (25 * HOUR_NS)                             /* a wrong zone, too */
#define AGREE_NS (500 * MILLISECOND_NS)              /* the way, and what was lost on it */

/* A message in a file. */
struct sight {
	struct hash_link link;
	struct list_link in_file;
	uint64_t key;
	int64_t at_ns, last_ns;      /* of the first copy, and the last */
	uint16_t file;
	bool request;
	unsigned sent;               /* how often; a copy may be taken for another one where not all are seen */
};

struct survey {
	struct hash sights;
	struct list files[FILE_CLOCKS_MAX];
	unsigned count;
};

struct samples {
	int64_t ns[2][SAMPLES_MOST]; /* how much later in the one file than in the other: answers, requests */
	unsigned count[2];
};

static uint64_t message_key(const struct sip_message *m)
{
	uint64_t key = hash_mix(hash_mix(m->keys.branch, m->keys.from_tag), m->cseq);

	if (!m->keys.cookie)                 /* RFC 2543 promises nothing of branches */
		key = hash_mix(key, m->keys.call_id);
	return hash_mix(key, (uint64_t)m->request << 32 | m->status << 8 | m->method);
}

static struct sight *sight_in(const struct survey *s, uint64_t key, uint16_t file)
{
	for (struct hash_link *it = hash_first(&s->sights, (uint32_t)key); it; it = it->next) {
		struct sight *x = HASH_ENTRY(it, struct sight, link);

		if (it->hash == (uint32_t)key && x->key == key && x->file == file)
			return x;
	}
	return NULL;
}

static void note(struct survey *s, const struct packet *p, uint16_t file)
{
	uint64_t key = message_key(p->sip);
	struct sight *x = sight_in(s, key, file);

	if (x) {
		x->sent += ns_minus(p->at_ns, x->last_ns) > COPY_NS;
		x->last_ns = p->at_ns;
		return;
	}
	if (s->count == SIGHTS_MOST)
		return;
	s->count++;
	x = memory_zalloc(sizeof *x);
	*x = (struct sight){ .key = key, .at_ns = p->at_ns, .last_ns = p->at_ns, .file = file,
		.request = p->sip->request, .sent = 1 };
	hash_add(&s->sights, &x->link, (uint32_t)key);
	list_add_tail(&s->files[file], &x->in_file);
}

static void look_through(struct survey *s, const char *path, uint16_t file, unsigned most)
{
	struct err err;
	struct source *source = source_open(&path, 1, NULL, &err);
	struct dissector *dissector = dissector_new();
	struct packet packet;
	struct frame frame;

	for (unsigned i = 0; source && i < most && source_next(source, &frame); i++) {
		if (plain_frame(&frame))
			continue;                    /* media */
		dissect_frame(dissector, &frame);
		while (dissect_next(dissector, &packet)) {
			if (packet.kind == PACKET_SIP && packet.sip->via.branch.n)
				note(s, &packet, file);
		}
	}
	dissector_free(dissector);
	source_close(source);
}

static void compare(const struct survey *s, uint16_t a, uint16_t b, struct samples *ret)
{
	ret->count[0] = ret->count[1] = 0;
	LIST_EACH(it, &s->files[b]) {
		const struct sight *y = LIST_ENTRY(it, struct sight, in_file), *x = sight_in(s, y->key, a);
		int64_t apart_ns;

		if (!x || x->sent != y->sent || ret->count[y->request] == SAMPLES_MOST)
			continue;
		apart_ns = ns_minus(y->at_ns, x->at_ns);
		if (apart_ns <= MOST_NS && apart_ns >= -MOST_NS)
			ret->ns[y->request][ret->count[y->request]++] = apart_ns;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Most are about as far apart as the one in the middle; false: these are not two views of the same traffic. */
static bool agree(int64_t *ns, unsigned count, int64_t *ret_middle_ns)
{
	unsigned near = 0;

	if (count < NEEDED)
		return false;
	qsort(ns, count, sizeof *ns, by_value);
	*ret_middle_ns = ns[count / 2];
	for (unsigned i = 0; i < count; i++)
		near += ns_minus(ns[i], *ret_middle_ns) <= AGREE_NS && ns_minus(*ret_middle_ns, ns[i]) <= AGREE_NS;
	return near >= NEEDED && near > count * 3 / 4;
}

/* Requests and answers run against each other, so that the way between the two points falls out. */
static bool settle(struct samples *x, struct file_clock_ahead *ret)
{
	int64_t answers_ns, requests_ns;

	if (!agree(x->ns[0], x->count[0], &answers_ns) || !agree(x->ns[1], x->count[1], &requests_ns))
		return false;
	ret->ahead_ns = ns_add(answers_ns, requests_ns) / 2;
	ret->error_ns = ns_minus(answers_ns, requests_ns) / 2;
	if (ret->error_ns < 0)
		ret->error_ns = -ret->error_ns;
	return ret->error_ns <= AGREE_NS;
}

static bool all_regular(const struct source *s)
{
	struct stat is;

	for (size_t i = 0; i < source_file_count(s); i++) {
		if (stat(source_file(s, i)->name, &is) != 0 || !S_ISREG(is.st_mode))
			return false;
	}
	return true;
}

static void settle_all(struct file_clocks *c, const struct survey *s, uint16_t count)
{
	struct samples *samples = memory_zalloc(sizeof *samples);

	for (uint16_t b = 1; b < count; b++) {
		struct file_clock_ahead *x = &c->of[b];

		for (uint16_t a = 0; a < b; a++) {
			compare(s, a, b, samples);
			if (!settle(samples, x))
				continue;
			x->against = c->of[a].ahead_ns ? c->of[a].against : a;
			x->ahead_ns = ns_add(x->ahead_ns, c->of[a].ahead_ns);
			x->error_ns = ns_add(x->error_ns, c->of[a].error_ns);
			break;
		}
		if (x->ahead_ns < SET_NS && x->ahead_ns > -SET_NS)
			*x = (struct file_clock_ahead){ .ahead_ns = 0 };
		c->set += x->ahead_ns != 0;
	}
	free(samples);
}

void file_clocks_measure(struct file_clocks *c, const struct source *s)
{
	size_t count = source_file_count(s);
	struct survey *survey;
	unsigned most;

	*c = (struct file_clocks){ .set = 0 };
	if (count < 2 || count > FILE_CLOCKS_MAX || !all_regular(s))
		return;
	most = FRAMES_OF_ALL / (unsigned)count < FRAMES_MOST ? FRAMES_OF_ALL / (unsigned)count : FRAMES_MOST;
	survey = memory_zalloc(sizeof *survey);
	hash_init(&survey->sights);
	for (uint16_t i = 0; i < count; i++) {
		list_init(&survey->files[i]);
		look_through(survey, source_file(s, i)->name, i, most);
	}
	settle_all(c, survey, (uint16_t)count);
	hash_fini(&survey->sights);
	for (size_t i = 0; i < count; i++) {
		LIST_EACH_SAFE(it, &survey->files[i])
			free(LIST_ENTRY(it, struct sight, in_file));
	}
	free(survey);
}

void file_clocks_even(const struct file_clocks *c, struct source *s)
{
	for (size_t i = 0; c->set && i < source_file_count(s); i++)
		source_shift(s, i, -c->of[i].ahead_ns);
}
