/* SPDX-License-Identifier: MIT */
/* registry: every detector there is, by id. */
#include "analyzer/detect/detector.h"

#define DETECTOR(name) extern const struct detector detect_##name;
#include "analyzer/detect/registry.def"
#undef DETECTOR

#define DETECTOR(name) &detect_##name,
static const struct detector *const all[] = {
#include "analyzer/detect/registry.def"
};
#undef DETECTOR

enum { DETECTOR_COUNT = sizeof all / sizeof all[0] };

const struct detector *const *registry_all(unsigned *ret_count)
{
	*ret_count = DETECTOR_COUNT;
	return all;
}

const struct detector *registry_find(const char *id)
{
	for (unsigned i = 0; i < DETECTOR_COUNT; i++) {
		if (strcmp(all[i]->id, id) == 0)
			return all[i];
	}
	return NULL;
}
