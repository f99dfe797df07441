/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs made from names (RFC 9562 section 5.5, version 5): how an OEM's and a model's
 * name become the vendor and class identifiers of a manifest. */
#ifndef FOTA_UUID_H
#define FOTA_UUID_H

#include "fota/bytes.h"
#include "fota/err.h"
#include "fota/port.h"

#define FOTA_UUID_BYTES 16u

/* vendor = UUID5(DNS, oem); class_id = UUID5(vendor, model). OK, or what the crypto
 * port returns. */
FOTA_MUST_CHECK enum fota_err fota_uuid_of_names(const struct fota_crypto *crypto, struct fota_bytes oem,
						 struct fota_bytes model, uint8_t vendor[FOTA_UUID_BYTES],
						 uint8_t class_id[FOTA_UUID_BYTES]);

#endif
