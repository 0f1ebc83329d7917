/* SPDX-License-Identifier: MIT */
/* point_private: what two_points.c, point_loss.c and passage.c share. */
#ifndef DEADAIR_NETWORK_POINT_PRIVATE_H
#define DEADAIR_NETWORK_POINT_PRIVATE_H

#include "analyzer/network/two_points.h"
#include "captures/base/pool.h"

enum { SIGHTING_MAX = 4, TRANSMISSION_MAX = 8, TEXT_POOLS = 8 };

struct sighting {                    /* all transmissions of one message at one point */
	uint8_t point;               /* index */
	uint8_t ttl;
	bool varies;                 /* repetitions are not the same bytes: not to be compared */
	struct endpoint src, dst;
	struct frame_ref first, last;
	unsigned transmissions;
	uint32_t text_bytes, message_bytes;  /* message: without what follows the body */
	uint8_t *text;               /* of the first; NULL: given back, or cut */
	/* K2 and point: a message that a SIP element sent on under another branch; while there are several points */
	struct hash_link by_k2;
	int64_t sent_ns[TRANSMISSION_MAX];   /* of the first ones, `first` included; what is behind them is not set */
};

struct link {                        /* messages between two hosts, seen at one point and then at another */
	struct hash_link by_key;
	struct list_link in_order;
	uint8_t from, to;            /* points */
	struct address src, dst;     /* at `from` */
	uint16_t mapped_port;        /* of dst, where it is translated; 0: any port is a neighbour */
	struct endpoint behind_src, behind_dst;      /* at `to`, of the latest */
	uint16_t src_port, dst_port; /* at `from`, of the latest */
	uint32_t matched, methods;   /* bits 1 << enum sip_method */
	uint32_t largest;            /* bytes of an IP packet */
	int64_t times[PASSAGE_TIMES];        /* of some of them, by the clock of `from`, evenly thinned */
	unsigned time_count;
	uint32_t stride, skipped;
};

struct shape {                       /* what may make a helper drop it; filled when it is sent a second time */
	bool sdp, no_connection, other_family, no_content_length;
	uint16_t low_port, audio_port;
};

struct crossing {                    /* one message, wherever it was seen */
	struct hash_link by_k1;
	uint64_t k1;
	struct list_link in_order;   /* of all, by first sight */
	uint64_t k2, leg_key;
	bool request, settled, reported;
	bool answered;               /* a response to it was seen somewhere */
	bool early;                  /* among the first of its point: waits until the clocks are known */
	struct list_link in_queue;   /* waiting to be settled */
	uint8_t method, transport;
	uint16_t status;
	uint32_t bytes;
	int64_t last_new_ns;         /* when its latest point was first seen, by the reader's time */
	struct shape shape;
	struct sighting *sightings;  /* &only, or room for SIGHTING_MAX: most captures have one point */
	unsigned count;
	struct sighting only;
};

struct passages {
	struct hash by_key, changes;
	struct list in_order;
	size_t change_count;
	struct sip_message *before, *behind; /* scratch */
	struct message_diff diff;
};

struct two_points {
	struct two_points_config config;
	struct point points[POINT_MAX];
	unsigned point_count;
	uint32_t point_messages[POINT_MAX];
	int64_t file_first_ns[CLOCK_FILE_MAX], file_last_ns[CLOCK_FILE_MAX];
	uint64_t files_begun;        /* bits */
	struct hash by_k1, links;
	struct hash by_k2;           /* of all sightings as soon as there is a second point: one alone asks for none */
	struct pool pool;            /* struct crossing */
	struct pool texts[TEXT_POOLS];       /* of TEXT_STEP bytes, of twice as many, and so on */
	struct list crossings, recent, early, links_in_order, lost;
	size_t text_bytes;
	struct passages passages;
	struct clock_offsets clocks;
	uint32_t clocks_asked;
	bool clocks_known;           /* of all files, as of the last look */
	int64_t wait_ns;             /* how long a message waits for its copy, offsets included */
	struct sdp_text *sdp;        /* scratch */
	int64_t now_ns;
};

static inline uint32_t point_k2_hash(uint64_t k2, unsigned point)
{
	return (uint32_t)hash_mix(k2, point);
}

/* a, nearer the sender, and b are the same message at two points: a link between its hosts. */
void point_link_note(struct two_points *t, const struct crossing *c, const struct sighting *a, const struct sighting *b);
/* Sent several times without an answer, while its neighbours were seen at the next point: noted as lost. */
void point_loss_judge(struct two_points *t, struct crossing *c);

void passages_init(struct passages *p);
void passages_fini(struct passages *p);
/* a is nearer the sender. The texts of both are there. */
void passages_compare(struct passages *p, const struct crossing *c, const struct sighting *a, const struct sighting *b,
	const struct point points[POINT_MAX]);

/*
 * The same of two requests with equal K2 and different branches: did a SIP element between put itself in the phone's
 * place? False, and nothing noted: no, or it does so openly.
 */
bool passages_compare_replaced(struct passages *p, const struct crossing *c, const struct sighting *a,
	const struct sighting *b, const struct point points[POINT_MAX]);

/* 1: a is nearer the sender than b, -1: b is, 0: cannot be told. */
int sighting_order(const struct sighting *a, const struct sighting *b);

/* Whose address changes between a (nearer the sender) and b: the side that is translated. */
enum translation { TRANSLATED_NONE, TRANSLATED_SOURCE, TRANSLATED_DESTINATION, TRANSLATED_BOTH };
enum translation sighting_translation(const struct sighting *a, const struct sighting *b);

#endif
