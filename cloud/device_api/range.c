/* SPDX-License-Identifier: Apache-2.0 */
/* Several parts in one answer (multipart/byteranges) are left out on purpose: no module asks
 * for them. */
#include "device_api/range.h"

#include "text.h"

#include <strings.h>

/* The first `len` characters of `text` as a number. */
static bool get_digits(const char *text, size_t len, uint64_t *value)
{
	char digits[21];

	if (len >= sizeof(digits)) { return false; }
	memcpy(digits, text, len);
	digits[len] = 0;
	return cloud_number_get(digits, UINT64_MAX, value);
}

/* "-500": the last 500 bytes. */
static struct cloud_range get_suffix(const char *text, uint64_t size)
{
	uint64_t len;

	if (!get_digits(text, strlen(text), &len)) { return (struct cloud_range) { CLOUD_RANGE_WHOLE, 0, size }; }
	if (len == 0 || size == 0) { return (struct cloud_range) { CLOUD_RANGE_UNSATISFIED, 0, 0 }; }
	if (len > size) { len = size; }
	return (struct cloud_range) { CLOUD_RANGE_PART, size - len, len };
}

struct cloud_range cloud_range_get(const char *range, const char *if_range, const char *etag, uint64_t size)
{
	const struct cloud_range whole = { CLOUD_RANGE_WHOLE, 0, size };
	uint64_t first, last;
	const char *dash;

	if (!range || strncasecmp(range, "bytes=", 6) != 0) { return whole; }
	if (if_range && strcmp(if_range, etag) != 0) { return whole; }
	range += 6;
	dash = strchr(range, '-');
	if (!dash || strchr(range, ',')) { return whole; }
	if (dash == range) { return get_suffix(dash + 1, size); }
	if (!get_digits(range, (size_t)(dash - range), &first)) { return whole; }
	last = UINT64_MAX;
	if (dash[1] && (!get_digits(dash + 1, strlen(dash + 1), &last) || last < first)) { return whole; }
	if (first >= size) { return (struct cloud_range) { CLOUD_RANGE_UNSATISFIED, 0, 0 }; }
	if (last > size - 1) { last = size - 1; }
	return (struct cloud_range) { CLOUD_RANGE_PART, first, last - first + 1 };
}
