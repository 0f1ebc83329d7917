/* SPDX-License-Identifier: MIT */
/* media_refused: what the files of media-unreachable share: audio, and fax (T.38) that takes its place. */
#ifndef DEADAIR_DETECT_MEDIA_REFUSED_H
#define DEADAIR_DETECT_MEDIA_REFUSED_H

#include "analyzer/detect/detector.h"

/* "port-closed"; NULL: the error does not say that packets do not arrive. */
const char *media_refused_reason(const struct icmp_record *r);
/*
 * The call was changed to fax, and what is sent to where this direction's receiver wants it is answered by ICMP errors,
 * `least` of them and more, for a second and longer: raises it. A direction a dialog is enough: the first m= line's.
 */
bool fax_refused(struct detection *d, const struct event *ev, double least);

#endif
