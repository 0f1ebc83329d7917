/* SPDX-License-Identifier: MIT */
/* ns: packet time as text. int64_t nanoseconds reach from 1677 to 2262, which every calendar function holds. */
#include "captures/base/ns.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Seconds rounded down, and the nanoseconds behind them: 0 to 999999999, before 1970 too. */
static time_t split(int64_t at_ns, int64_t *ret_fraction_ns)
{
	int64_t seconds = at_ns / SECOND_NS, fraction_ns = at_ns % SECOND_NS;

	if (fraction_ns < 0) {
		fraction_ns += SECOND_NS;
		seconds--;
	}
	*ret_fraction_ns = fraction_ns;
	return (time_t)seconds;
}

const char *ns_rfc3339(int64_t at_ns, char buffer[NS_TEXT])
{
	int64_t fraction_ns;
	time_t seconds = split(at_ns, &fraction_ns);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(buffer, NS_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buffer + n, NS_TEXT - n, ".%09" PRId64 "Z", fraction_ns);
	return buffer;
}

const char *ns_clock(int64_t at_ns, unsigned decimals, char buffer[NS_TEXT])
{
	int64_t fraction_ns;
	time_t seconds = split(at_ns, &fraction_ns);
	struct tm tm;
	size_t n;

	localtime_r(&seconds, &tm);
	n = strftime(buffer, NS_TEXT, "%H:%M:%S", &tm);
	if (decimals == 0)
		return buffer;
	snprintf(buffer + n, NS_TEXT - n, ".%09" PRId64, fraction_ns);
	buffer[n + 1 + (decimals < 9 ? decimals : 9)] = '\0';
	return buffer;
}

const char *ns_duration(int64_t length_ns, char buffer[NS_TEXT])
{
	const char *sign = length_ns <= -SECOND_NS ? "-" : "";
	int64_t seconds = length_ns / SECOND_NS;

	if (seconds < 0)
		seconds = -seconds;
	if (seconds < 3600)
		snprintf(buffer, NS_TEXT, "%s%" PRId64 ":%02" PRId64, sign, seconds / 60, seconds % 60);
	else
		snprintf(buffer, NS_TEXT, "%s%" PRId64 " h %" PRId64 " min", sign, seconds / 3600, seconds / 60 % 60);
	return buffer;
}

const char *ns_words(int64_t length_ns, unsigned decimals, char buffer[NS_TEXT])
{
	int64_t s = length_ns > 0 ? length_ns / SECOND_NS : 0;

	if (s < 60 && decimals)
		snprintf(buffer, NS_TEXT, "%.*f s", (int)decimals, (double)length_ns / SECOND_NS);
	else if (s < 60)
		snprintf(buffer, NS_TEXT, "%" PRId64 " s", s);
	else if (s < 3600 && s % 60 == 0)
		snprintf(buffer, NS_TEXT, "%" PRId64 " min", s / 60);
	else if (s < 3600)
		snprintf(buffer, NS_TEXT, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buffer, NS_TEXT, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
	else
		snprintf(buffer, NS_TEXT, "%" PRId64 " d %" PRId64 " h", s / 86400, s / 3600 % 24);
	return buffer;
}
