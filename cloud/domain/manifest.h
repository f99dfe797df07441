/* SPDX-License-Identifier: Apache-2.0 */
/* Which manifests a version takes, and which packages then. Pure functions over plain structs; what they
 * refuse, they refuse with a sentence that says what to do. */
#ifndef CLOUD_DOMAIN_MANIFEST_H
#define CLOUD_DOMAIN_MANIFEST_H

#include "domain/catalog.h"
#include "fota/suit.h"

#define CLOUD_KEY_MAX 16u /* keys of a product */

enum cloud_ruling_kind {
	CLOUD_RULING_GOOD,
	CLOUD_RULING_INVALID,  /* it can never be right here */
	CLOUD_RULING_CONFLICT, /* the state does not allow it, or not yet */
	CLOUD_RULING_FAILED,   /* the crypto port failed: nothing is known */
};

struct cloud_ruling {
	enum cloud_ruling_kind kind;
	char why[400]; /* empty if good */
};

/* The keys of a product. */
struct cloud_keys {
	struct fota_trusted_key keys[CLOUD_KEY_MAX];
	size_t count;
};

/* A version with its product, as far as the rules look at it. Slices are borrowed. */
struct cloud_release {
	struct fota_bytes oem, model, version;
	enum cloud_version_state state;
	bool has_package;
	uint8_t package_digest[FOTA_SUIT_DIGEST_BYTES];
	uint64_t package_bytes;
	struct fota_bytes manifest; /* the envelope that it has; empty: none */
	int64_t sequence;           /* of that */
	int64_t highest;            /* sequence of the product's other versions; -1: none has any */
};

/* What a manifest promises. */
struct cloud_promise {
	int64_t sequence;
	uint64_t size_bytes;
	uint8_t digest[FOTA_SUIT_DIGEST_BYTES];
	uint32_t signers; /* bit i: the product's key i has signed it */
};

/* Bit i: key i has signed the envelope; `crypto` verifies. IO: the port failed; else OK, for an envelope that is
 * none too. */
FOTA_MUST_CHECK enum fota_err cloud_manifest_signers(struct fota_bytes envelope, const struct fota_crypto *crypto,
						     const struct cloud_keys *keys, uint32_t *signers);

/* Whether the version takes this envelope as its manifest: signed by a key of the product, for its OEM and
 * model, of this version, with the package that is there, and with a sequence number above all others. The same
 * manifest with other signatures keeps its number. *promise is filled if it is good. */
struct cloud_ruling cloud_manifest_rule(struct fota_bytes envelope, const struct fota_crypto *crypto,
					const struct cloud_keys *keys, const struct cloud_release *release,
					struct cloud_promise *promise);

/* Whether a package of this size and digest is the one that the manifest promises. `digest` may be NULL: not known
 * yet. */
struct cloud_ruling cloud_package_rule(const struct cloud_promise *promise, uint64_t size_bytes, const uint8_t *digest);

#endif
