/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Mac0 (RFC 9052 section 6.2) as the device API uses it: tag 17, HMAC 256/256
 * (alg 5), the product ID as key identifier in the protected header, nothing in
 * the unprotected one. */
#ifndef FOTA_COSE_H
#define FOTA_COSE_H

#include "fota/bytes.h"
#include "fota/cbor.h"
#include "fota/err.h"
#include "fota/port.h"

#define FOTA_MAC_BYTES     32u
#define FOTA_KID_MAX_BYTES 20u

/* A message taken apart; every slice points into it. */
struct fota_mac0 {
	struct fota_bytes kid;
	struct fota_bytes payload;
	struct fota_bytes tag; /* always FOTA_MAC_BYTES */
	struct fota_bytes protected_header;
};

/* Takes a message apart without believing it: call fota_mac0_verify with the key of
 * `kid` before anything in it is used. FORMAT if it is not exactly such a message.
 * Borrows `message` as long as *mac0 is used. */
FOTA_MUST_CHECK enum fota_err fota_mac0_get(struct fota_bytes message, struct fota_mac0 *mac0);

/* OK if the tag was made with `key` over this message and `aad` (RFC 9052
 * section 6.3), AUTH if not, or what the crypto port returns. Constant time in the
 * tag. */
FOTA_MUST_CHECK enum fota_err fota_mac0_verify(const struct fota_mac0 *mac0, const struct fota_crypto *crypto,
					       struct fota_bytes key, struct fota_bytes aad);

/* Seals `payload`, which may lie anywhere but in `room`. Fills *message with the
 * slice of `room` that was written, and `tag` (for the `aad` of the answer).
 * FULL if room is short, RANGE for a kid that is empty or too long. */
FOTA_MUST_CHECK enum fota_err fota_mac0_put(const struct fota_crypto *crypto, struct fota_bytes key,
					    struct fota_bytes kid, struct fota_bytes aad, struct fota_bytes payload,
					    struct fota_room room, struct fota_bytes *message,
					    uint8_t tag[FOTA_MAC_BYTES]);

#endif
