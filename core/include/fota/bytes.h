/* SPDX-License-Identifier: Apache-2.0 */
/* Pointer and length, travelling together. Data and room are two types, so
 * that a full buffer is never passed where an empty one is meant. */
#ifndef FOTA_BYTES_H
#define FOTA_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes to read. `ptr` may be NULL only if `len` is 0. Borrowed, never owned. */
struct fota_bytes {
	const uint8_t *ptr;
	size_t len;
};

/* Room to write into: `cap` bytes at `ptr`, their content undefined. */
struct fota_room {
	uint8_t *ptr;
	size_t cap;
};

/* The bytes of a C string, without its final 0. */
static inline struct fota_bytes fota_bytes_of(const char *text)
{
	return (struct fota_bytes) { (const uint8_t *)text, text ? strlen(text) : 0 };
}

static inline bool fota_bytes_is_equal(struct fota_bytes a, struct fota_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Compares without telling by its time where the difference is. The lengths
 * are not secret. */
static inline bool fota_bytes_is_same_secret(struct fota_bytes a, struct fota_bytes b)
{
	uint8_t diff = 0;

	if (a.len != b.len) { return false; }
	for (size_t i = 0; i < a.len; i++) {
		diff |= (uint8_t)(a.ptr[i] ^ b.ptr[i]);
	}
	return diff == 0;
}

#endif
