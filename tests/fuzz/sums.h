/* SPDX-License-Identifier: Apache-2.0 */
/* A crypto port of sums: equal input gives equal output, a changed bit another one, and all of
 * it a thousand times as fast as the real one. For fuzzers, which look for broken rules and not
 * for broken ciphers. One running sum for the program. */
#ifndef SUMS_H
#define SUMS_H

#include "fota/port.h"

struct fota_crypto sums_crypto(void);
/* The digest of `len` bytes, byte(which, 0) to byte(which, len - 1). What runs in the port goes on. */
void sums_digest(uint8_t (*byte)(unsigned which, uint64_t off), unsigned which, uint64_t len, uint8_t digest[32]);
/* What the port's p256_verify takes for the signature of this hash by this key. */
void sums_sign(const uint8_t key[64], const uint8_t hash[32], uint8_t signature[64]);

#endif
