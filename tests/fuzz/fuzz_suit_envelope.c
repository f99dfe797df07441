/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes envelopes as they come. Every digest is zero (fuzz_suit.h), in the input as well. */
#include "fuzz_suit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_suit_check((struct fota_bytes) { data, len }, 1);
	return 0;
}
