/* SPDX-License-Identifier: MIT */
/* engine_judge: the end of a capture, once all records have taken it; for engine.c only. */
#ifndef DEADAIR_ANALYZER_ENGINE_JUDGE_H
#define DEADAIR_ANALYZER_ENGINE_JUDGE_H

struct engine;

/*
 * Brings the records together and lets every detector judge. Calls, streams and capture facts are settled; called once.
 */
void engine_judge(struct engine *e);

#endif
