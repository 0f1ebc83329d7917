/* SPDX-License-Identifier: MIT */
/* view_detectors: the detectors and their keys, for `deadair explain` and `deadair detectors`. */
#include "analyzer/detect/detector.h"
#include "analyzer/views.h"

bool view_detector(size_t i, struct view_detector *ret)
{
	unsigned count;
	const struct detector *const *all = registry_all(&count);

	if (i >= count)
		return false;
	memset(ret, 0, sizeof *ret);
	ret->id = all[i]->id;
	ret->says = all[i]->doc->says;
	ret->usual = severity_name(all[i]->usual);
	ret->symptom = all[i]->doc->symptom;
	ret->evidence = all[i]->doc->evidence;
	ret->mimics = all[i]->doc->mimics;
	ret->fix = all[i]->doc->fix;
	ret->reasons = all[i]->doc->reasons;
	for (const struct config_key *k = all[i]->keys; k && k->name && ret->key_count < 16; k++)
		ret->keys[ret->key_count++] = (struct view_key){ k->name, k->unit, k->source, k->value, k->min,
			k->max };
	return true;
}

bool view_detector_find(const char *id, struct view_detector *ret)
{
	for (size_t i = 0; view_detector(i, ret); i++) {
		if (strcmp(ret->id, id) == 0)
			return true;
	}
	return false;
}
