/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules look at: plain structs without HTTP or SQL. A catalog is a snapshot and
 * never changes; the store makes a new one after a change. */
#ifndef CLOUD_DOMAIN_CATALOG_H
#define CLOUD_DOMAIN_CATALOG_H

#include "fota/bytes.h"

enum cloud_version_state {
	CLOUD_VERSION_DRAFT = 0,
	CLOUD_VERSION_PUBLISHED = 1,
	CLOUD_VERSION_WITHDRAWN = 2,
};

struct cloud_version {
	int64_t id;
	int64_t product; /* seq of the product */
	struct fota_bytes name;
	const struct fota_bytes *from; /* versions that may take this one; none: all */
	size_t from_count;
	enum cloud_version_state state;
	int64_t deployment; /* the open one, 0 if there is none */
	uint64_t size_bytes;
	bool has_package;
	uint8_t digest[32];
	struct fota_bytes manifest; /* the signed envelope, of published versions only; may be empty */
};

struct cloud_product {
	int64_t seq;
	struct fota_bytes id;
	struct fota_bytes secret;
	struct fota_bytes oem, model;
	const struct cloud_version *versions; /* ascending by name */
	size_t version_count;
};

struct cloud_catalog {
	const struct cloud_product *products; /* ascending by id */
	size_t product_count;
	const uint8_t (*tokens)[32]; /* SHA-256 of each access token */
	size_t token_count;
};

/* Order of bytes, as memcmp; a prefix comes first. */
int cloud_bytes_compare(struct fota_bytes a, struct fota_bytes b);

/* NULL if there is none. */
const struct cloud_product *cloud_product_find(const struct cloud_catalog *catalog, struct fota_bytes id);
const struct cloud_version *cloud_version_find(const struct cloud_product *product, struct fota_bytes name);

/* Whether the SHA-256 of a token is one of the catalog's. Looks at all of them always. */
bool cloud_token_is_known(const struct cloud_catalog *catalog, const uint8_t hash[32]);

#endif
