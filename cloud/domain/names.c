/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader has checked UTF-8 and refuses \u0000 before a text comes here. */
#include "domain/names.h"

#include "fota/device_api.h"
#include "fota/session.h"

#include <string.h>

static const char *check_text(const char *text, size_t max, const char *too_long)
{
	if (!*text) { return "must not be empty"; }
	if (strlen(text) > max) { return too_long; }
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f) { return "must not contain control characters"; }
	}
	return NULL;
}

const char *cloud_name_check(const char *text)
{
	return check_text(text, FOTA_NAME_MAX_BYTES, "must have at most 64 bytes");
}

const char *cloud_version_name_check(const char *text)
{
	return check_text(text, FOTA_VERSION_MAX_BYTES, "must have at most 128 bytes");
}

const char *cloud_product_id_check(const char *text)
{
	size_t len = strlen(text);

	if (len < 1 || len > FOTA_PRODUCT_MAX_BYTES || strspn(text, "0123456789") != len) {
		return "must have 1 to 20 decimal digits";
	}
	return NULL;
}

const char *cloud_secret_check(const char *text)
{
	size_t len = strlen(text);

	if (len < FOTA_SECRET_MIN_BYTES || len > FOTA_SECRET_MAX_BYTES) { return "must have 16 to 64 characters"; }
	for (; *text; text++) {
		if (*text < 0x21 || *text > 0x7e || *text == '"') {
			return "must have visible ASCII characters without '\"' only";
		}
	}
	return NULL;
}

const char *cloud_note_check(const char *text)
{
	return strlen(text) > 4096 ? "must have at most 4096 bytes" : NULL;
}
