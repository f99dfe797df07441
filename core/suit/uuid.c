/* SPDX-License-Identifier: Apache-2.0 */
/* UUID version 5: the first 16 bytes of SHA-1 over the name space's identifier and the
 * name, with version and variant put in. */
#include "fota/uuid.h"

#define SHA1_BYTES 20u

static enum fota_err uuid5(const struct fota_crypto *crypto, const uint8_t space[FOTA_UUID_BYTES],
			   struct fota_bytes name, uint8_t uuid[FOTA_UUID_BYTES])
{
	const struct fota_bytes parts[2] = { { space, FOTA_UUID_BYTES }, name };
	uint8_t digest[SHA1_BYTES];
	enum fota_err err = crypto->sha1(crypto->ctx, parts, 2, digest);

	if (err) { return err; }
	memcpy(uuid, digest, FOTA_UUID_BYTES);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50); /* version 5 */
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80); /* the variant of RFC 9562 */
	return FOTA_ERR_OK;
}

enum fota_err fota_uuid_of_names(const struct fota_crypto *crypto, struct fota_bytes oem, struct fota_bytes model,
				 uint8_t vendor[FOTA_UUID_BYTES], uint8_t class_id[FOTA_UUID_BYTES])
{
	/* RFC 9562 6.6: 6ba7b810-9dad-11d1-80b4-00c04fd430c8 */
	static const uint8_t dns[FOTA_UUID_BYTES] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
						      0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };
	enum fota_err err = uuid5(crypto, dns, oem, vendor);

	return err ? err : uuid5(crypto, vendor, model, class_id);
}
