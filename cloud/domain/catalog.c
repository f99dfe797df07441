/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups by binary search over the sorted arrays of a snapshot. */
#include "domain/catalog.h"

#include <stdlib.h>

int cloud_bytes_compare(struct fota_bytes a, struct fota_bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

	if (order) { return order; }
	return a.len < b.len ? -1 : a.len > b.len;
}

static int compare_product(const void *key, const void *row)
{
	return cloud_bytes_compare(*(const struct fota_bytes *)key, ((const struct cloud_product *)row)->id);
}

static int compare_version(const void *key, const void *row)
{
	return cloud_bytes_compare(*(const struct fota_bytes *)key, ((const struct cloud_version *)row)->name);
}

const struct cloud_product *cloud_product_find(const struct cloud_catalog *catalog, struct fota_bytes id)
{
	if (catalog->product_count == 0) { return NULL; }
	return bsearch(&id, catalog->products, catalog->product_count, sizeof(*catalog->products), compare_product);
}

const struct cloud_version *cloud_version_find(const struct cloud_product *product, struct fota_bytes name)
{
	if (product->version_count == 0) { return NULL; }
	return bsearch(&name, product->versions, product->version_count, sizeof(*product->versions), compare_version);
}

bool cloud_token_is_known(const struct cloud_catalog *catalog, const uint8_t hash[32])
{
	bool is_known = false;

	for (size_t i = 0; i < catalog->token_count; i++) {
		struct fota_bytes token = { catalog->tokens[i], 32 };

		is_known |= fota_bytes_is_same_secret(token, (struct fota_bytes) { hash, 32 });
	}
	return is_known;
}
