/* SPDX-License-Identifier: Apache-2.0 */
/* Small conversions between bytes, numbers and the texts of the APIs. */
#ifndef CLOUD_TEXT_H
#define CLOUD_TEXT_H

#include "fota/bytes.h"
#include "fota/err.h"

#define CLOUD_TIME_CAP       21u /* "2026-01-02T03:04:05Z" */
#define CLOUD_DIGEST_BYTES   32u
#define CLOUD_DIGEST_HEX_CAP 65u

/* RFC 3339 in UTC. Returns `text`. */
const char *cloud_time_text(int64_t unix_s, char text[CLOUD_TIME_CAP]);

/* Lower-case hex and a final 0; `hex` has room for 2 * len + 1. */
void cloud_hex_put(const uint8_t *bytes, size_t len, char *hex);

/* Exactly `len` bytes from 2 * len hex digits and nothing after them. */
FOTA_MUST_CHECK bool cloud_hex_get(const char *hex, uint8_t *bytes, size_t len);

/* Standard base64 with padding, exactly `len` bytes. `text_len` characters are read. */
FOTA_MUST_CHECK bool cloud_base64_get(const char *text, size_t text_len, uint8_t *bytes, size_t len);

/* A decimal number without sign or leading space, at most `max`; nothing may follow. */
FOTA_MUST_CHECK bool cloud_number_get(const char *text, uint64_t max, uint64_t *value);

#endif
