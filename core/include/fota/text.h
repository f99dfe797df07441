/* SPDX-License-Identifier: Apache-2.0 */
/* A text of bounded length, stored by value. */
#ifndef FOTA_TEXT_H
#define FOTA_TEXT_H

#include "fota/bytes.h"
#include "fota/device_api.h"
#include "fota/err.h"

struct fota_text {
	uint8_t len;
	uint8_t bytes[FOTA_VERSION_MAX_BYTES];
};

struct fota_bytes fota_text_get(const struct fota_text *text);
/* RANGE if `bytes` are more than fit; *text is unchanged then. */
FOTA_MUST_CHECK enum fota_err fota_text_set(struct fota_text *text, struct fota_bytes bytes);

#endif
