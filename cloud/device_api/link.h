/* SPDX-License-Identifier: Apache-2.0 */
/* Links to packages: "/device/v1/package/<digest>?e=<expiry>&m=<mac>". Whoever has the link may
 * fetch the package until the expiry; nobody can make one without the server's key. */
#ifndef CLOUD_DEVICE_API_LINK_H
#define CLOUD_DEVICE_API_LINK_H

#include "fota/port.h"
#include "text.h"

#define CLOUD_PACKAGE_PATH "/device/v1/package/"

/* When a link that is made now expires: at least lifetime_s from now, rounded up to a 24th of it, so
 * that the checks of some time give the same link and caches on the way can use it. */
uint64_t cloud_link_expiry(uint64_t now_s, uint64_t lifetime_s);

/* Writes the link behind `prefix` (may be empty) and a final 0. RANGE if `cap` is too small, or
 * what the crypto port returns. */
FOTA_MUST_CHECK enum fota_err cloud_link_put(const struct fota_crypto *crypto, struct fota_bytes key,
					     const char *prefix, const uint8_t digest[CLOUD_DIGEST_BYTES],
					     uint64_t expiry_s, char *link, size_t cap);

/* OK, or AUTH if the link was not made with `key` or is over, or what the port returns. `expiry` and `mac`
 * are the texts of the link; NULL is AUTH. */
FOTA_MUST_CHECK enum fota_err cloud_link_verify(const struct fota_crypto *crypto, struct fota_bytes key,
						const uint8_t digest[CLOUD_DIGEST_BYTES], const char *expiry,
						const char *mac, uint64_t now_s);

#endif
