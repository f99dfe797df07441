/* SPDX-License-Identifier: Apache-2.0 */
/* A firmware image: size and SHA-256 of a file, read once in constant memory. */
#ifndef TOOL_IMAGE_H
#define TOOL_IMAGE_H

#include <stdint.h>
#include <stdio.h>

#include "status.h"

#define IMAGE_DIGEST_BYTES      32u
#define IMAGE_DIGEST_TEXT_BYTES (2 * IMAGE_DIGEST_BYTES + 1)

struct image {
	int fd; /* -1: not open */
	uint64_t size;
	uint8_t digest[IMAGE_DIGEST_BYTES];
	char digest_text[IMAGE_DIGEST_TEXT_BYTES]; /* in hex */
};

/* Opens and reads it; progress of a long one goes to `out`, which may be NULL. Close it in
 * each case. */
enum tool_status image_open(struct image *image, const char *file, FILE *out, struct tool_error *err);
void image_close(struct image *image);

/* `len` bytes as lower-case hex digits with a final 0. */
void image_hex(char *hex, const uint8_t *bytes, size_t len);

#endif
