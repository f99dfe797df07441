/* SPDX-License-Identifier: Apache-2.0 */
#include "fota/text.h"

struct fota_bytes fota_text_get(const struct fota_text *text)
{
	return (struct fota_bytes) { text->bytes, text->len };
}

enum fota_err fota_text_set(struct fota_text *text, struct fota_bytes bytes)
{
	if (bytes.len > sizeof(text->bytes)) { return FOTA_ERR_RANGE; }
	text->len = (uint8_t)bytes.len;
	if (bytes.len) { memcpy(text->bytes, bytes.ptr, bytes.len); }
	return FOTA_ERR_OK;
}
