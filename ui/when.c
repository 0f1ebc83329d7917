/* SPDX-License-Identifier: MIT */
/* when: times as people type them. */
#include "ui/when.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#define DAY_NS (24 * HOUR_NS)

/* Takes digits (least to most of them) from the beginning. */
static bool take_digits(struct span *s, size_t least, size_t most, int *ret)
{
	uint64_t value;
	size_t n = 0;

	while (n < s->n && n < most && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	if (n < least || !span_number(span_first(*s, n), INT32_MAX, &value))
		return false;
	*ret = (int)value;
	*s = span_from(*s, n);
	return true;
}

static bool take_byte(struct span *s, char byte)
{
	if (s->n == 0 || s->p[0] != byte)
		return false;
	*s = span_from(*s, 1);
	return true;
}

static bool take_fraction(struct span *s, struct when *w)
{
	int64_t unit_ns = SECOND_NS;

	if (s->n == 0 || s->p[0] < '0' || s->p[0] > '9')
		return false;
	while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
		unit_ns /= 10;
		w->fraction_ns += (s->p[0] - '0') * unit_ns;
		*s = span_from(*s, 1);
	}
	w->grain_ns = unit_ns ? unit_ns : 1;
	return true;
}

/* HH:MM[:SS[.fraction]] */
static bool take_clock(struct span *s, struct when *w)
{
	if (!take_digits(s, 1, 2, &w->hour) || !take_byte(s, ':') || !take_digits(s, 2, 2, &w->minute))
		return false;
	w->grain_ns = MINUTE_NS;
	if (take_byte(s, ':')) {
		if (!take_digits(s, 2, 2, &w->second))
			return false;
		w->grain_ns = SECOND_NS;
		if (take_byte(s, '.') && !take_fraction(s, w))
			return false;
	}
	return w->hour < 24 && w->minute < 60 && w->second < 61;
}

/* Z, +01:00 */
static bool take_zone(struct span *s, struct when *w)
{
	int hours, minutes;
	bool west = s->n && s->p[0] == '-';

	if (take_byte(s, 'Z') || take_byte(s, 'z'))
		return w->has_zone = true;
	if (!take_byte(s, '+') && !take_byte(s, '-'))
		return true;
	if (!take_digits(s, 2, 2, &hours) || !take_byte(s, ':') || !take_digits(s, 2, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	w->zone_ns = (west ? -1 : 1) * (hours * HOUR_NS + minutes * MINUTE_NS);
	return w->has_zone = true;
}

static bool parse_date(struct span s, struct when *w)
{
	w->kind = WHEN_DATE;
	w->grain_ns = DAY_NS;
	if (!take_digits(&s, 4, 4, &w->year) || !take_byte(&s, '-') || !take_digits(&s, 2, 2, &w->month) ||
	    !take_byte(&s, '-') ||
	    !take_digits(&s, 2, 2, &w->day))
		return false;
	if (w->month < 1 || w->month > 12 || w->day < 1 || w->day > 31 || w->year < 1700 || w->year > 2200)
		return false;
	if (take_byte(&s, 'T') || take_byte(&s, 't') || take_byte(&s, ' ')) {
		if (!take_clock(&s, w) || !take_zone(&s, w))
			return false;
	}
	return s.n == 0;
}

static bool parse_clock(struct span s, struct when *w)
{
	w->kind = WHEN_CLOCK;
	return take_clock(&s, w) && s.n == 0;
}

/* A name, and perhaps a clock behind it. */
static bool parse_named(struct span s, struct when *w)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	struct span name = span_first(s, span_find(s, ' '));
	bool known = false;

	w->grain_ns = DAY_NS;
	w->kind = WHEN_DAYS_AGO;
	if (span_equal_nocase(name, SPAN("yesterday")))
		known = (w->days_ago = 1);
	else if (span_equal_nocase(name, SPAN("today")))
		known = true;
	for (int i = 0; i < 7 && !known; i++) {
		if (name.n >= 3 && span_equal_nocase(span_first(name, 3), span_of(days[i]))) {
			known = name.n == 3 || (name.n > 5 &&
				span_equal_nocase(span_from(name, name.n - 3), SPAN("day")));
			w->kind = WHEN_WEEKDAY;
			w->weekday = i;
		}
	}
	s = span_trim(span_from(s, name.n));
	return known && (s.n == 0 || (take_clock(&s, w) && s.n == 0));
}

bool when_length_parse(struct span text, int64_t unit_ns, int64_t *ret_ns)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "ms", MILLISECOND_NS }, { "s", SECOND_NS }, { "m", MINUTE_NS },
		      { "h", HOUR_NS },		{ "d", DAY_NS },    { "w", 7 * DAY_NS } };
	char digits[32];
	size_t n = 0;
	double value;

	while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
		n++;
	if (n == 0 || n >= sizeof digits || text.p[0] == '.')
		return false;
	memcpy(digits, text.p, n);
	digits[n] = '\0';
	if (strchr(digits, '.') != strrchr(digits, '.'))
		return false;
	value = strtod(digits, NULL);
	text = span_from(text, n);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (span_equal_nocase(text, span_of(units[i].name)))
			unit_ns = units[i].ns, text = SPAN_NONE;
	if (text.n || unit_ns == 0 || value * (double)unit_ns > 9e18)
		return false;
	*ret_ns = (int64_t)llround(value * (double)unit_ns);
	return true;
}

bool when_parse(struct span text, struct when *ret)
{
	struct when w = { .kind = WHEN_AGO };
	struct span s = span_trim(text);

	if (s.n > 1 && s.p[0] == '-' && when_length_parse(span_from(s, 1), 0, &w.ago_ns)) {
		w.grain_ns = 1;
		*ret = w;
		return true;
	}
	w = (struct when){ .kind = WHEN_DATE };
	if (parse_date(s, &w)) {
		*ret = w;
		return true;
	}
	w = (struct when){ .kind = WHEN_CLOCK };
	if (parse_clock(s, &w)) {
		*ret = w;
		return true;
	}
	w = (struct when){ .kind = WHEN_DAYS_AGO };
	if (!parse_named(s, &w))
		return false;
	*ret = w;
	return true;
}

static time_t seconds_of(int64_t at_ns)
{
	return (time_t)(at_ns / SECOND_NS - (at_ns % SECOND_NS < 0));
}

/* That clock on the day of at_ns, so many days before. */
static int64_t clock_on_day(const struct when *w, int64_t at_ns, int days_before)
{
	time_t seconds = seconds_of(at_ns);
	struct tm tm;

	localtime_r(&seconds, &tm);
	tm.tm_mday -= days_before;
	tm.tm_hour = w->hour;
	tm.tm_min = w->minute;
	tm.tm_sec = w->second;
	tm.tm_isdst = -1;
	return ns_add((int64_t)mktime(&tm) * SECOND_NS, w->fraction_ns);
}

static int64_t resolve_clock(const struct when *w, int64_t first_ns, int64_t last_ns)
{
	int64_t today_ns = clock_on_day(w, last_ns, 0), before_ns = clock_on_day(w, last_ns, 1);

	return today_ns > last_ns && first_ns != NS_NONE && before_ns >= first_ns ? before_ns : today_ns;
}

static int64_t resolve_weekday(const struct when *w, int64_t last_ns)
{
	time_t seconds = seconds_of(last_ns);
	struct tm tm;
	int back;

	localtime_r(&seconds, &tm);
	back = (tm.tm_wday - w->weekday + 7) % 7;
	if (back == 0 && clock_on_day(w, last_ns, 0) > last_ns)
		back = 7;
	return clock_on_day(w, last_ns, back);
}

static int64_t resolve_date(const struct when *w)
{
	struct tm tm = { .tm_year = w->year - 1900, .tm_mon = w->month - 1, .tm_mday = w->day,
			 .tm_hour = w->hour, .tm_min = w->minute, .tm_sec = w->second, .tm_isdst = -1 };
	time_t seconds = w->has_zone ? timegm(&tm) : mktime(&tm);

	return ns_minus(ns_add((int64_t)seconds * SECOND_NS, w->fraction_ns), w->zone_ns);
}

void when_resolve(const struct when *w, int64_t first_ns, int64_t last_ns, int64_t *ret_from_ns, int64_t *ret_to_ns)
{
	int64_t from_ns = 0;

	if (last_ns == NS_NONE)
		last_ns = 0;
	switch (w->kind) {
	case WHEN_CLOCK:
		from_ns = resolve_clock(w, first_ns, last_ns);
		break;
	case WHEN_DATE:
		from_ns = resolve_date(w);
		break;
	case WHEN_WEEKDAY:
		from_ns = resolve_weekday(w, last_ns);
		break;
	case WHEN_DAYS_AGO:
		from_ns = clock_on_day(w, last_ns, w->days_ago);
		break;
	case WHEN_AGO:
		from_ns = ns_minus(last_ns, w->ago_ns);
		break;
	}
	*ret_from_ns = from_ns;
	*ret_to_ns = ns_add(from_ns, w->grain_ns);
}
