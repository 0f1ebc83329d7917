/* SPDX-License-Identifier: MIT */
/* source_answer: what was answered, by the request that it answers; and answers that nobody asked for. */
#include "analyzer/network/source_private.h"
#include "captures/base/text.h"

/* Who answers for accounts is a server; who takes part in a call of his own that is refreshed takes none. */
static void take_service(struct source *y, const struct attempt *a, const struct packet *p)
{
	unsigned status = p->sip->status;
	bool known = false;

	y->takes_calls |= a->initial && status / 100 == 2 && (a->method == SIP_INVITE || a->method == SIP_REGISTER);
	if (!y->banner[0] && p->sip->user_agent.n) {
		text_escape(p->sip->user_agent, y->banner, sizeof y->banner);
		y->banner_version = source_digits(p->sip->user_agent) > 0;
		y->banner_at = frame_ref_of(p);
	}
	if (a->method != SIP_REGISTER || !(status / 100 == 2 || status == 401 || status == 407) || y->served >= 8)
		return;
	for (unsigned i = 0; i < y->served; i++)
		known |= y->served_keys[i] == a->user;
	if (!known)
		y->served_keys[y->served++] = a->user;
}

static void take_stray(struct sources *s, const struct packet *p)
{
	const struct source *asker = source_find(s, &p->dst.addr);
	struct source *y;
	int64_t second = p->at_ns / SECOND_NS;

	if (asker && source_target_find(asker, &p->src.addr))
		return;
	y = source_get(s, &p->src.addr, p->at_ns);
	if (y->stray_second != second)
		source_rate(&y->strays, s->config.flood_rps, y->stray_second, second == y->stray_second + 1);
	if (!y->stray_at.frame) {
		y->stray_at = frame_ref_of(p);
		y->stray_to = p->dst;
	}
	y->stray_second = second;
	y->strays.now++;
}

static bool welcome(unsigned status)
{
	return (status > 100 && status < 300) || status == 486 || status == 487 || status == 600 || status == 603;
}

static void take_first(struct source *x, struct attempt *a, unsigned status)
{
	struct source_bucket *bucket = source_bucket_at(x, a->at_ns);

	if (a->answered)
		return;
	a->answered = true;
	x->answered++;
	if (!bucket)
		return;
	source_bucket_count(&bucket->answered);
	if (status == 503)
		source_bucket_count(&bucket->busy);
}

static void target_answer(struct source_target *t, const struct attempt *a, const struct packet *p)
{
	unsigned status = p->sip->status;

	if (!t)
		return;
	t->answered = true;
	t->accepted |= status / 100 == 2;
	t->accepts += status / 100 == 2 && t->accepts < UINT16_MAX;
	if (!t->status) {
		t->status = (uint16_t)status;
		t->method = a->method;
		t->answered_at = frame_ref_of(p);
		t->answered_from = p->src.port;
	}
	if (a->method != SIP_INVITE || status <= 100 || status >= 300)
		return;
	if (!t->rang)
		t->rang_at = frame_ref_of(p);
	t->rang = true;
}

void source_answer(struct sources *s, const struct packet *p, uint64_t key)
{
	const struct sip_message *m = p->sip;
	struct attempt *a = source_attempt_find(s, key);
	struct source *x;

	if (m->method == SIP_CANCEL || m->method == SIP_ACK)
		return;
	if (!a) {
		take_stray(s, p);
		return;
	}
	take_service(source_get(s, &p->src.addr, p->at_ns), a, p);
	x = source_find(s, &a->src);            /* not before: room may have been made */
	if (!x)
		return;
	take_first(x, a, m->status);
	if (m->status != 100)
		target_answer(source_target_find(x, &p->src.addr), a, p);
	x->welcomed += !a->final && a->method == SIP_INVITE && welcome(m->status);
	if (m->status >= 200 && !a->final)
		source_login_answer(s, x, a, p);
}
