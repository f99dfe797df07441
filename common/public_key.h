/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys on P-256 between OpenSSL, PEM (SubjectPublicKeyInfo) and the form that the
 * library uses: the point x || y and the key id made of it. */
#ifndef ATFOTA_PUBLIC_KEY_H
#define ATFOTA_PUBLIC_KEY_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "fota/suit.h"

#define PUBLIC_KEY_PEM_MAX_BYTES  256u /* 178 are used */
#define PUBLIC_KEY_KID_TEXT_BYTES (2 * FOTA_SUIT_KID_BYTES + 1)

/* Fills *key from an EVP_PKEY of any kind (file, token; the point may be compressed).
 * False if it is no key on P-256, or its point is not on the curve. */
bool public_key_take(const EVP_PKEY *pkey, struct fota_trusted_key *key);

/* The same of a SubjectPublicKeyInfo (RFC 5480) in DER. */
bool public_key_take_der(const uint8_t *der, size_t len, struct fota_trusted_key *key);

/* The other way round: an EVP_PKEY that can verify, to be freed by the caller; NULL if the
 * point is not on the curve or memory is short. */
EVP_PKEY *public_key_make(const struct fota_trusted_key *key);

/* "BEGIN PUBLIC KEY", as a text. False as above. */
bool public_key_pem(const struct fota_trusted_key *key, char pem[PUBLIC_KEY_PEM_MAX_BYTES]);

/* The key id as 16 hexadecimal digits. */
void public_key_kid_text(const uint8_t kid[FOTA_SUIT_KID_BYTES], char text[PUBLIC_KEY_KID_TEXT_BYTES]);

#endif
