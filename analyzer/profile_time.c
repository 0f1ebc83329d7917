/* SPDX-License-Identifier: MIT */
/* profile_time: values of deadair.conf that are times: the zone, office hours, days. */
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "analyzer/profile_private.h"
#include "captures/base/memory.h"

enum { MINUTES_OF_DAY = 24 * 60 };

bool profile_take_zone(struct reading *g, const struct site_key *key, struct span value)
{
	static const char *const bases[] = { "/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/etc/zoneinfo/" };
	bool found = span_equal(value, SPAN("UTC")), rule = value.n > 3;
	char path[200];

	for (size_t i = 0; i < value.n; i++) {
		if (!isalnum(value.p[i]) && !strchr("/_+-:.,<>", value.p[i]))
			return profile_wrong(g, key, value);
	}
	for (size_t i = 0; i < 3; i++)
		rule &= value.n > 3 && isupper(value.p[i]);
	rule = rule && (isdigit(value.p[3]) || strchr("+-", value.p[3]));
	for (size_t i = 0; !found && span_find_text(value, SPAN("..")) == value.n && i < sizeof bases / sizeof *bases;
	    i++) {
		snprintf(path, sizeof path, "%s%.*s", bases[i], (int)(value.n < 100 ? value.n : 100),
			(const char *)value.p);
		found = value.n && access(path, R_OK) == 0;
	}
	return found || rule ? profile_take_text(g, key, value) : profile_wrong(g, key, value);
}

static bool day_parse(struct span s, unsigned *ret)
{
	static const char days[] = "montuewedthufrisatsun";

	s = span_trim(s);
	for (unsigned i = 0; i < 7; i++) {
		if (s.n >= 2 && s.n <= 3 && span_equal_nocase(s, (struct span){ (const uint8_t *)days + 3 * i, s.n })) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool minute_parse(struct span s, uint16_t *ret)
{
	size_t colon = span_find(s, ':');
	uint64_t hour, minute = 0;

	if (!span_number(span_trim(span_first(s, colon)), 24, &hour))
		return false;
	if (colon < s.n && !span_number(span_trim(span_from(s, colon + 1)), 59, &minute))
		return false;
	*ret = (uint16_t)(hour * 60 + minute);
	return *ret <= MINUTES_OF_DAY;
}

/* "Mon-Fri 07:30-18:30"; a range of days may go over Sunday, one of hours not over midnight. */
static bool hours_parse(struct span s, struct span_of_week *ret)
{
	size_t blank = span_find(s, ' ');
	struct span days = span_first(s, blank), hours = span_trim(span_from(s, blank));
	size_t dash = span_find(days, '-'), to = span_find(hours, '-');
	unsigned first, last;

	if (!day_parse(span_first(days, dash), &first) || to == hours.n)
		return false;
	last = first;
	if (dash < days.n && !day_parse(span_from(days, dash + 1), &last))
		return false;
	ret->days = 0;
	for (unsigned day = first;; day = (day + 1) % 7) {
		ret->days |= (uint8_t)(1u << day);
		if (day == last)
			break;
	}
	return minute_parse(span_first(hours, to), &ret->from_min) &&
	       minute_parse(span_from(hours, to + 1), &ret->to_min) &&
		ret->from_min < ret->to_min;
}

bool profile_take_hours(struct reading *g, const struct site_key *key, struct span value)
{
	struct office_hours *hours = profile_field(g, key);
	struct span_of_week h;
	struct span word;

	while (profile_word(&value, &word)) {
		if (!hours_parse(word, &h))
			return profile_wrong(g, key, word);
		hours->list = memory_resize(hours->list, hours->count + 1u, sizeof *hours->list);
		hours->list[hours->count++] = h;
	}
	return true;
}

bool profile_take_date(struct reading *g, const struct site_key *key, struct span value)
{
	static const char form[] = "dddd-dd-dd";
	struct span word;

	while (profile_word(&value, &word)) {
		for (size_t i = 0; i < sizeof form - 1; i++) {
			if (word.n != sizeof form - 1 || (form[i] == 'd' ? !isdigit(word.p[i]) : word.p[i] != '-'))
				return profile_wrong(g, key, word);
		}
		if (!profile_add_word(g, profile_field(g, key), word))
			return false;
	}
	return true;
}
