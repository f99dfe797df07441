/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes manifests: the input is one, and a right envelope is put around it. */
#include "fuzz_suit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t room[2 * FOTA_SUIT_ENVELOPE_MAX_BYTES];
	struct fota_crypto crypto = fuzz_suit_crypto();
	struct fota_bytes envelope;

	if (fota_suit_seal((struct fota_bytes) { data, len }, &crypto, NULL, 0,
			   (struct fota_room) { room, sizeof(room) }, &envelope) == FOTA_ERR_OK) {
		uint8_t *copy = malloc(envelope.len); /* so that a step outside is found */

		memcpy(copy, envelope.ptr, envelope.len);
		fuzz_suit_check((struct fota_bytes) { copy, envelope.len }, 1);
		free(copy);
	}
	return 0;
}
