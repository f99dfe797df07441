/* SPDX-License-Identifier: Apache-2.0 */
/* What the two fuzzers of manifests share: a crypto port by which every digest is zero,
 * so that inputs get past the digests, and what must hold of a manifest that was read. */
#ifndef FUZZ_SUIT_H
#define FUZZ_SUIT_H

#include "fota/suit.h"
#include "fuzz.h"

struct fota_crypto fuzz_suit_crypto(void);

/* Reads, verifies and plans an envelope, and puts a signature to it. */
void fuzz_suit_check(struct fota_bytes envelope, uint8_t slot);

#endif
