/* SPDX-License-Identifier: MIT */
/* softphone: names of programs. */
#include "analyzer/detect/softphone.h"

bool softphone_agent(struct span user_agent)
{
	static const char *const words[] = {
		"zoiper", "x-lite", "bria", "linphone", "microsip", "jitsi", "blink", "eyebeam", "3cxphone", "ekiga",
		"phoner", "sipdroid", "csipsimple", "pjsua",
		"telephone", "groundwire", "acrobits", "baresip", "jami", "sipjs", "jssip",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (span_find_text_nocase(user_agent, span_of(words[i])) < user_agent.n)
			return true;
	}
	return false;
}
