/* SPDX-License-Identifier: Apache-2.0 */
/* Signed manifests: the part of SUIT (draft-ietf-suit-manifest-37) that a module
 * needs. docs/suit-profile.md says which commands and what is refused.
 *
 *     fota_suit_get(...)      takes the envelope apart; digests and structure hold
 *     fota_suit_verify(...)   a trusted key has signed it: now it may be believed
 *     fota_suit_plan(...)     runs shared sequence, install and validate for this module
 *
 * Everything is read by the bounded cursor of fota/cbor.h; nothing is stored, fetched
 * or written here. All slices point into the envelope. The first two use the running SHA-256 of the crypto port:
 * what ran there is lost. */
#ifndef FOTA_SUIT_H
#define FOTA_SUIT_H

#include "fota/bytes.h"
#include "fota/cbor.h"
#include "fota/err.h"
#include "fota/port.h"
#include "fota/uuid.h"

#define FOTA_SUIT_ENVELOPE_MAX_BYTES 1536u
#define FOTA_SUIT_COMMAND_MAX        64u /* in all sequences together */
#define FOTA_SUIT_NESTING_MAX        4u
#define FOTA_SUIT_SIGNATURE_MAX      8u
#define FOTA_SUIT_POINT_BYTES        64u /* x || y on P-256 */
#define FOTA_SUIT_SIGNATURE_BYTES    64u /* r || s */
#define FOTA_SUIT_KID_BYTES          8u
#define FOTA_SUIT_DIGEST_BYTES       32u

struct fota_trusted_key {
	uint8_t point[FOTA_SUIT_POINT_BYTES];
	uint8_t kid[FOTA_SUIT_KID_BYTES]; /* fota_suit_kid */
};

/* The first bytes of SHA-256 over 04 || x || y. OK, or what the crypto port returns. */
FOTA_MUST_CHECK enum fota_err fota_suit_kid(const struct fota_crypto *crypto,
					    const uint8_t point[FOTA_SUIT_POINT_BYTES],
					    uint8_t kid[FOTA_SUIT_KID_BYTES]);

/* Command sequences, by where the standard keeps them. */
enum fota_suit_sequence {
	FOTA_SUIT_SHARED,
	FOTA_SUIT_PAYLOAD_FETCH,
	FOTA_SUIT_INSTALL,
	FOTA_SUIT_VALIDATE,
	FOTA_SUIT_LOAD,
	FOTA_SUIT_INVOKE,
	FOTA_SUIT_SEQUENCE_COUNT
};

/* What the text member says of the component: each in the first language of the map that says it. */
struct fota_suit_text {
	struct fota_bytes vendor_name, model_name, version; /* empty: not said */
};

struct fota_suit {
	uint64_t sequence_number;
	struct fota_bytes sequences[FOTA_SUIT_SEQUENCE_COUNT]; /* empty: not there */
	struct fota_suit_text text;
	struct fota_bytes digest; /* the SUIT_Digest that is signed, as encoded */
	struct fota_bytes blocks; /* the authentication blocks, as encoded */
	uint8_t block_count;
	bool is_incomplete; /* a severed sequence is no longer in the envelope: not to be installed */
};

/* Takes an envelope apart. Severed members count if their digest is the manifest's.
 * FORMAT: not an envelope, not deterministic, a member of the wrong type, no digest of
 * ours, or a digest that does not match. UNSUPPORTED: well-formed, but beyond this
 * profile: manifest version, a component other than the only one, a member, command or parameter that is
 * not known, nesting, number of commands or of signatures. FULL: larger than the limit. Else what the
 * crypto port returns. Every command of every sequence has been looked at then. *suit is empty after an error. */
FOTA_MUST_CHECK enum fota_err fota_suit_get(struct fota_bytes envelope, const struct fota_crypto *crypto,
					    struct fota_suit *suit);

/* OK if one block verifies with one of the keys; *key_index (may be NULL) says which key. Blocks of other
 * algorithms or keys, or of another form, are skipped; a block without a key identifier is tried with every key. AUTH
 * if none does; IO if the crypto port fails. */
FOTA_MUST_CHECK enum fota_err fota_suit_verify(const struct fota_suit *suit, const struct fota_crypto *crypto,
					       const struct fota_trusted_key *keys, size_t key_count,
					       size_t *key_index);

/* Whom the manifest is run for. */
struct fota_suit_device {
	uint8_t vendor[FOTA_UUID_BYTES];
	uint8_t class_id[FOTA_UUID_BYTES];
	uint8_t slot; /* where the image would go: condition component-slot */
};

/* What the manifest asks for. A manifest need not say all of it: the caller refuses one without what it needs. */
struct fota_suit_plan {
	uint8_t digest[FOTA_SUIT_DIGEST_BYTES]; /* of the installed image */
	uint64_t size_bytes;
	struct fota_bytes uri; /* empty: not given */
	bool has_vendor;       /* condition vendor was met */
	bool has_class;
	bool has_digest, has_size;
	bool is_fetched; /* there is a fetch, and an image match behind it; false if a severed sequence is missing */
};

/* Runs payload-fetch, install and validate in this order, each behind the shared sequence. No image is there to be
 * compared: an image match behind a fetch, or in validate, is met and noted, an earlier one is not met. OK and the
 * plan; else the plan is empty and MISMATCH: a vendor or class condition is not met; CORRUPT: another condition is not
 * met, or an image match contradicts an earlier one; UNSUPPORTED: a directive that this module cannot carry out in this
 * place (write, copy, swap, invoke; fetch in the shared sequence or in validate). If a try-each has no branch left, the
 * error is that of the last one. */
FOTA_MUST_CHECK enum fota_err fota_suit_plan(const struct fota_suit *suit, const struct fota_suit_device *device,
					     struct fota_suit_plan *plan);

/* ---- making manifests: for tools; a module does not link it ---- */

struct fota_suit_build {
	uint64_t sequence_number;
	struct fota_bytes oem, model, version; /* names, as in AT+CSCFOTA */
	uint8_t digest[FOTA_SUIT_DIGEST_BYTES];
	uint64_t size_bytes;
	struct fota_bytes uri; /* empty: left out */
};

/* The manifest's bytes, without a byte-string header. FULL, RANGE (a name is empty, too long or no UTF-8), or what
 * the crypto port returns. */
FOTA_MUST_CHECK enum fota_err fota_suit_build(const struct fota_suit_build *build, const struct fota_crypto *crypto,
					      struct fota_room room, struct fota_bytes *manifest);

/* What a key has to sign: SHA-256 of the Sig_structure over the manifest's digest. */
FOTA_MUST_CHECK enum fota_err fota_suit_to_sign(struct fota_bytes manifest, const struct fota_crypto *crypto,
						uint8_t hash[FOTA_SUIT_DIGEST_BYTES]);

struct fota_suit_signature {
	uint8_t kid[FOTA_SUIT_KID_BYTES];
	uint8_t bytes[FOTA_SUIT_SIGNATURE_BYTES];
};

/* The envelope with these signatures; none makes one that nobody trusts yet. FULL if room is short or there are more
 * than FOTA_SUIT_SIGNATURE_MAX. */
FOTA_MUST_CHECK enum fota_err fota_suit_seal(struct fota_bytes manifest, const struct fota_crypto *crypto,
					     const struct fota_suit_signature *signatures, size_t count,
					     struct fota_room room, struct fota_bytes *envelope);

/* The envelope with one more block behind those that are there, severed members kept. FULL as above, FORMAT if
 * `envelope` is none. */
FOTA_MUST_CHECK enum fota_err fota_suit_add_signature(struct fota_bytes envelope,
						      const struct fota_suit_signature *signature,
						      struct fota_room room, struct fota_bytes *out);

/* The manifest's bytes inside an envelope (what fota_suit_to_sign wants). FORMAT. */
FOTA_MUST_CHECK enum fota_err fota_suit_manifest_of(struct fota_bytes envelope, struct fota_bytes *manifest);

#endif
