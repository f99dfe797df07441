/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of draft-ietf-suit-manifest-37 and of COSE, and what the files of this folder
 * share. */
#ifndef SUIT_PRIV_H
#define SUIT_PRIV_H

#include "fota/suit.h"

#define SUIT_TAG_ENVELOPE 107u
#define SUIT_TAG_SIGN1    18u

enum suit_envelope_key { SUIT_ENVELOPE_AUTHENTICATION = 2, SUIT_ENVELOPE_MANIFEST = 3 };

enum suit_manifest_key {
	SUIT_MANIFEST_VERSION = 1,
	SUIT_MANIFEST_SEQUENCE_NUMBER = 2,
	SUIT_MANIFEST_COMMON = 3,
	SUIT_MANIFEST_REFERENCE_URI = 4,
	SUIT_MANIFEST_VALIDATE = 7,
	SUIT_MANIFEST_LOAD = 8,
	SUIT_MANIFEST_INVOKE = 9,
	SUIT_MANIFEST_PAYLOAD_FETCH = 16,
	SUIT_MANIFEST_INSTALL = 20,
	SUIT_MANIFEST_TEXT = 23,
};

enum suit_common_key { SUIT_COMMON_COMPONENTS = 2, SUIT_COMMON_SHARED_SEQUENCE = 4 };

enum suit_text_key { SUIT_TEXT_VENDOR_NAME = 1, SUIT_TEXT_MODEL_NAME = 2, SUIT_TEXT_VERSION = 6 };

enum suit_command {
	SUIT_IF_VENDOR = 1,
	SUIT_IF_CLASS = 2,
	SUIT_IF_IMAGE_MATCH = 3,
	SUIT_IF_COMPONENT_SLOT = 5,
	SUIT_IF_CHECK_CONTENT = 6,
	SUIT_SET_COMPONENT_INDEX = 12,
	SUIT_IF_ABORT = 14,
	SUIT_TRY_EACH = 15,
	SUIT_WRITE = 18,
	SUIT_OVERRIDE_PARAMETERS = 20,
	SUIT_FETCH = 21,
	SUIT_COPY = 22,
	SUIT_INVOKE = 23,
	SUIT_IF_DEVICE = 24,
	SUIT_SWAP = 31,
	SUIT_RUN_SEQUENCE = 32,
};

enum suit_parameter {
	SUIT_PARAMETER_VENDOR = 1,
	SUIT_PARAMETER_CLASS = 2,
	SUIT_PARAMETER_DIGEST = 3,
	SUIT_PARAMETER_SLOT = 5,
	SUIT_PARAMETER_STRICT_ORDER = 12,
	SUIT_PARAMETER_SOFT_FAILURE = 13,
	SUIT_PARAMETER_SIZE = 14,
	SUIT_PARAMETER_CONTENT = 18,
	SUIT_PARAMETER_URI = 21,
	SUIT_PARAMETER_SOURCE_COMPONENT = 22,
	SUIT_PARAMETER_INVOKE_ARGS = 23,
	SUIT_PARAMETER_DEVICE = 24,
	SUIT_PARAMETER_FETCH_ARGUMENTS = 25,
};

#define SUIT_ALG_SHA256 (-16)
#define SUIT_ALG_ES256  (-7)
#define SUIT_ALG_ESP256 (-9) /* RFC 9864: the same, named without leave for another curve */

enum suit_cose_header { SUIT_HEADER_ALG = 1, SUIT_HEADER_KID = 4 };

/* An encoded SUIT_Digest: [-16, h'..32 bytes..']. */
#define SUIT_DIGEST_ENCODED_BYTES (1u + 1u + 2u + FOTA_SUIT_DIGEST_BYTES)

/* Where the digest of an encoded SUIT_Digest is; NULL if it is not one of SHA-256. */
const uint8_t *suit_digest_of(struct fota_bytes encoded);

/* SHA-256 over parts, with the one running digest of the port. */
FOTA_MUST_CHECK enum fota_err suit_sha256(const struct fota_crypto *crypto, const struct fota_bytes *parts,
					  size_t part_count, uint8_t hash[FOTA_SUIT_DIGEST_BYTES]);

/* SHA-256 of the Sig_structure (RFC 9052 4.4) of a COSE_Sign1 with this protected header
 * and this detached payload. */
FOTA_MUST_CHECK enum fota_err suit_sign1_hash(const struct fota_crypto *crypto, struct fota_bytes protected_header,
					      struct fota_bytes payload, uint8_t hash[FOTA_SUIT_DIGEST_BYTES]);

/* All commands of all sequences are known and well-formed. FORMAT, UNSUPPORTED. */
FOTA_MUST_CHECK enum fota_err suit_check_commands(const struct fota_suit *suit);

/* The only component's identifier, encoded: [h'00']. */
#define SUIT_COMPONENT                         \
	{                                      \
		(const uint8_t *)"\x81\x41", 3 \
	}

#endif
