/* SPDX-License-Identifier: Apache-2.0 */
/* What the store knows of keys, signatures and manifests, for the calls that need it. */
#ifndef CLOUD_ADMIN_API_MANIFESTS_H
#define CLOUD_ADMIN_API_MANIFESTS_H

#include "admin_api/call.h"
#include "domain/manifest.h"

/* The keys of a product with the ids of their rows. */
struct cloud_key_rows {
	struct cloud_keys keys;
	int64_t ids[CLOUD_KEY_MAX];
};

/* False if the database fails. */
FOTA_MUST_CHECK bool cloud_key_rows_load(struct cloud_db *db, int64_t product, struct cloud_key_rows *rows);

/* Notes who has signed a version's manifest; what was noted before stays. */
FOTA_MUST_CHECK bool cloud_signatures_add(struct cloud_db *db, int64_t version, const struct cloud_key_rows *rows,
					  uint32_t signers);

/* Answers if the ruling is not good. True if it is. */
FOTA_MUST_CHECK bool cloud_call_is_good(struct cloud_call *call, const struct cloud_ruling *ruling);

/* Whether a version may get a package: a draft with a manifest, whose promise is filled in; else it was
 * answered. */
FOTA_MUST_CHECK bool cloud_version_promise(struct cloud_call *call, int64_t id, struct cloud_promise *promise);

/* Whether a version may get a package of this size and digest; else it was answered. */
FOTA_MUST_CHECK bool cloud_version_takes(struct cloud_call *call, int64_t id, uint64_t size_bytes,
					 const uint8_t digest[FOTA_SUIT_DIGEST_BYTES]);

#endif
