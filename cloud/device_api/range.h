/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of a GET (RFC 9110 section 14). */
#ifndef CLOUD_DEVICE_API_RANGE_H
#define CLOUD_DEVICE_API_RANGE_H

#include "fota/bytes.h"

enum cloud_range_kind {
	CLOUD_RANGE_WHOLE,       /* answer 200 with everything */
	CLOUD_RANGE_PART,        /* answer 206 */
	CLOUD_RANGE_UNSATISFIED, /* answer 416 */
};

struct cloud_range {
	enum cloud_range_kind kind;
	uint64_t start;
	uint64_t len;
};

/* What a GET of `size` bytes with strong entity tag `etag` gets. `range` and `if_range` are the
 * headers' values or NULL. A range that is malformed or has several parts is ignored, as the RFC
 * allows. */
struct cloud_range cloud_range_get(const char *range, const char *if_range, const char *etag, uint64_t size);

#endif
