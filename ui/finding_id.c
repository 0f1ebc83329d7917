/* SPDX-License-Identifier: MIT */
/* finding_id: compared with those of the detectors. */
#include "ui/finding_id.h"

#include "analyzer/views.h"
#include "captures/base/nearest.h"
#include "captures/base/text.h"

enum { IDS_MAX = 256 };

enum err_code finding_id_check(const char *where, struct span id, struct err *err)
{
	struct view_detector d;
	const char *ids[IDS_MAX], *near;
	char text[80];
	size_t count = 0;

	text_escape(id, text, sizeof text);
	if (view_detector_find(text, &d))
		return ERR_OK;
	while (count < IDS_MAX && view_detector(count, &d))
		ids[count++] = d.id;
	near = nearest_word(id, ids, count);
	if (near)
		return err_set(err, ERR_USAGE, "%s: no finding \"%s\": %s?", where, text, near);
	return err_set(err, ERR_USAGE, "%s: no finding \"%s\": deadair detectors lists them", where, text);
}
