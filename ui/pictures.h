/* SPDX-License-Identifier: MIT */
/*
 * pictures: how another thread looks into an engine that is at work. A picture is a copy of the process (live_judge)
 * in which the engine has come to its end: views.h is complete there, and nothing moves. It answers questions over a
 * socket until a newer one has come. Questions and answers are bytes of the two who talk; nothing in them may point
 * anywhere. There is one asking thread, and one that owns the engine.
 */
#ifndef DEADAIR_UI_PICTURES_H
#define DEADAIR_UI_PICTURES_H

#include <sys/types.h>

#include "captures/base/err.h"
#include "captures/base/text.h"
#include "ui/live_numbers.h"

struct pictures;

/* In the picture: the answer is appended to *ret. */
typedef void picture_answer(void *context, const void *question, size_t n, struct text *ret);

struct picture_answers {
	picture_answer *answer;
	void *context;               /* of the answer, as it is in the copy */
	void (*stop)(void *context); /* in the process: ends the reading; may be called by any thread */
	void *stop_context;
};

/* NULL with *err. */
struct pictures *pictures_new(const struct picture_answers *answers, struct err *err);
void pictures_free(struct pictures *p);          /* when the asking thread has ended */

/* ---- the thread that owns the engine ---- */

/* The two ends of a picture's socket: [0] stays here, [1] goes with the copy. */
bool pictures_socket(int ret_fds[2]);
/*
 * The process is about to be copied: the asking thread is where it holds no lock of a library, unless it does not get
 * there in time. It goes on when the copy is made.
 */
void pictures_copy_begins(struct pictures *p);
void pictures_copy_ends(struct pictures *p);     /* in both */
/* In the copy, with the engine at its end: answers until nobody asks any more. Never returns. */
void pictures_serve(const struct pictures *p, int fd) __attribute__((noreturn));
/* The copy is ready. Its process, its end of the socket: owned by the pictures from here on. */
void pictures_publish(struct pictures *p, pid_t process, int fd);
void pictures_tell(struct pictures *p, const struct live_numbers *numbers);
/* Waits until the asking thread has left: false; or until it has lost its picture, and there is no newer one: true. */
bool pictures_wanted(struct pictures *p);

/* ---- the thread that asks ---- */

/* Between the two it may be in a library; it asks in between, too. Only to wait it is outside. */
void pictures_work_begins(struct pictures *p);
void pictures_work_ends(struct pictures *p);
/*
 * Asks the newest picture, or the one that is held. False: there is none at the moment, pictures_fd() tells of the
 * next.
 */
bool pictures_ask(struct pictures *p, const void *question, size_t n, struct text *ret);
/*
 * Can be read when there is a newer picture, when numbers have changed; pictures_seen() makes it wait again.
 */
int pictures_fd(const struct pictures *p);
void pictures_seen(struct pictures *p);
uint64_t pictures_serial(struct pictures *p);    /* of the picture that would answer now; 0 none */
void pictures_hold(struct pictures *p, bool hold);
void pictures_numbers(struct pictures *p, struct live_numbers *ret);
void pictures_quit(struct pictures *p);          /* it leaves */

#endif
