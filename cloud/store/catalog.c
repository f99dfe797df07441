/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot is a few growing arrays, sorted at the end, and texts in chunks which go
 * away together. Versions refer to ranges of arrays that still move while they grow, so they
 * keep indexes until everything is read. */
#include "store/catalog.h"

#include "text.h"
#include "wipe.h"

#include <stdatomic.h>
#include <stdlib.h>

#define CHUNK_BYTES 16384u

struct chunk {
	struct chunk *next;
	size_t len;
	size_t cap;
	uint8_t bytes[];
};

struct array {
	void *items;
	size_t count;
	size_t cap;
};

/* One row of version_from. */
struct source {
	int64_t version;
	size_t first;
	size_t count;
};

struct snapshot {
	struct cloud_catalog catalog; /* first: callers hold a pointer to it */
	atomic_uint refs;
	struct array products, versions, names, tokens;
	struct array sources; /* only while loading */
	struct chunk *chunks;
	bool is_bad;
};

static struct snapshot *snapshot_of(const struct cloud_catalog *catalog)
{
	return (struct snapshot *)(uintptr_t)catalog;
}

static void *append(struct snapshot *s, struct array *array, size_t item_bytes)
{
	if (array->count == array->cap) {
		size_t cap = array->cap ? 2 * array->cap : 8;
		void *items = reallocarray(array->items, cap, item_bytes);

		if (!items) {
			s->is_bad = true;
			return NULL;
		}
		array->items = items;
		array->cap = cap;
	}
	return (uint8_t *)array->items + item_bytes * array->count++;
}

static struct fota_bytes keep(struct snapshot *s, struct fota_bytes text)
{
	struct chunk *chunk = s->chunks;
	uint8_t *to;

	if (!chunk || text.len > chunk->cap - chunk->len) {
		size_t cap = text.len > CHUNK_BYTES ? text.len : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + cap);
		if (!chunk) {
			s->is_bad = true;
			return (struct fota_bytes) { 0 };
		}
		*chunk = (struct chunk) { .next = s->chunks, .cap = cap };
		s->chunks = chunk;
	}
	to = chunk->bytes + chunk->len;
	if (text.len) { memcpy(to, text.ptr, text.len); }
	chunk->len += text.len;
	return (struct fota_bytes) { to, text.len };
}

/* Calls `row` for each row of a statement. */
static void each_row(struct snapshot *s, struct cloud_db *db, enum cloud_sql sql,
		     void (*row)(struct snapshot *s, struct cloud_stmt *stmt))
{
	struct cloud_stmt *stmt = cloud_db_query_with(db, sql, NULL, 0);
	enum cloud_db_result result;

	while ((result = cloud_db_next(stmt)) == CLOUD_DB_ROW) {
		row(s, stmt);
	}
	if (result != CLOUD_DB_DONE) { s->is_bad = true; }
}

static void read_token(struct snapshot *s, struct cloud_stmt *stmt)
{
	struct fota_bytes hash = cloud_col_bytes(stmt, 0);
	uint8_t *token = hash.len == 32 ? append(s, &s->tokens, 32) : NULL;

	if (token) { memcpy(token, hash.ptr, 32); }
}

static void read_product(struct snapshot *s, struct cloud_stmt *stmt)
{
	struct cloud_product *product = append(s, &s->products, sizeof(*product));

	if (!product) { return; }
	*product = (struct cloud_product) {
		.seq = cloud_col_int(stmt, 0),
		.id = keep(s, cloud_col_bytes(stmt, 1)),
		.secret = keep(s, cloud_col_bytes(stmt, 2)),
		.oem = keep(s, cloud_col_bytes(stmt, 3)),
		.model = keep(s, cloud_col_bytes(stmt, 4)),
	};
}

static void read_source(struct snapshot *s, struct cloud_stmt *stmt)
{
	int64_t version = cloud_col_int(stmt, 0);
	struct source *last = s->sources.count ? (struct source *)s->sources.items + s->sources.count - 1 : NULL;
	struct fota_bytes *name = append(s, &s->names, sizeof(*name));

	if (!name) { return; }
	*name = keep(s, cloud_col_bytes(stmt, 1));
	if (!last || last->version != version) {
		last = append(s, &s->sources, sizeof(*last));
		if (!last) { return; }
		*last = (struct source) { .version = version, .first = s->names.count - 1 };
	}
	last->count++;
}

static int compare_source(const void *a, const void *b)
{
	int64_t left = ((const struct source *)a)->version;
	int64_t right = ((const struct source *)b)->version;

	return left < right ? -1 : left > right;
}

static void read_version(struct snapshot *s, struct cloud_stmt *stmt)
{
	struct cloud_version *version = append(s, &s->versions, sizeof(*version));
	struct source key = { .version = cloud_col_int(stmt, 0) };
	const struct source *source = NULL;

	if (!version) { return; }
	*version = (struct cloud_version) {
		.id = key.version,
		.product = cloud_col_int(stmt, 1),
		.name = keep(s, cloud_col_bytes(stmt, 2)),
		.state = (enum cloud_version_state)cloud_col_int(stmt, 3),
		.size_bytes = (uint64_t)cloud_col_int(stmt, 5),
		.deployment = cloud_col_int(stmt, 6),
		.manifest = keep(s, cloud_col_bytes(stmt, 7)),
	};
	version->has_package = cloud_col_text(stmt, 4) &&
			       cloud_hex_get(cloud_col_text(stmt, 4), version->digest, sizeof(version->digest));
	if (s->sources.count) {
		source = bsearch(&key, s->sources.items, s->sources.count, sizeof(key), compare_source);
	}
	if (source) { /* names are all read by now: they do not move any more */
		version->from = (const struct fota_bytes *)s->names.items + source->first;
		version->from_count = source->count;
	}
}

static int compare_versions(const void *a, const void *b)
{
	const struct cloud_version *left = a;
	const struct cloud_version *right = b;

	if (left->product != right->product) { return left->product < right->product ? -1 : 1; }
	return cloud_bytes_compare(left->name, right->name);
}

static int compare_products(const void *a, const void *b)
{
	return cloud_bytes_compare(((const struct cloud_product *)a)->id, ((const struct cloud_product *)b)->id);
}

/* Products come in the order of their seq, and so do the groups of versions. */
static void join_versions(struct snapshot *s)
{
	struct cloud_version *versions = s->versions.items;
	struct cloud_product *products = s->products.items;
	size_t at = 0;

	if (s->versions.count) { qsort(versions, s->versions.count, sizeof(*versions), compare_versions); }
	for (size_t i = 0; i < s->products.count; i++) {
		size_t first = at;

		while (at < s->versions.count && versions[at].product == products[i].seq) {
			at++;
		}
		products[i].versions = at > first ? versions + first : NULL;
		products[i].version_count = at - first;
	}
	if (s->products.count) { qsort(products, s->products.count, sizeof(*products), compare_products); }
}

struct cloud_catalog *cloud_catalog_load(struct cloud_db *db)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s) { return NULL; }
	s->refs = 1;
	each_row(s, db, CLOUD_SQL_TOKEN_HASHES, read_token);
	each_row(s, db, CLOUD_SQL_CATALOG_PRODUCTS, read_product);
	each_row(s, db, CLOUD_SQL_CATALOG_FROM, read_source);
	each_row(s, db, CLOUD_SQL_CATALOG_VERSIONS, read_version);
	if (s->is_bad) {
		cloud_catalog_drop(&s->catalog);
		return NULL;
	}
	join_versions(s);
	s->catalog = (struct cloud_catalog) {
		.products = s->products.items,
		.product_count = s->products.count,
		.tokens = (const uint8_t(*)[32])s->tokens.items,
		.token_count = s->tokens.count,
	};
	free(s->sources.items);
	s->sources = (struct array) { 0 };
	return &s->catalog;
}

void cloud_catalog_hold(struct cloud_catalog *catalog)
{
	atomic_fetch_add(&snapshot_of(catalog)->refs, 1);
}

void cloud_catalog_drop(const struct cloud_catalog *catalog)
{
	struct snapshot *s = catalog ? snapshot_of(catalog) : NULL;

	if (!s || atomic_fetch_sub(&s->refs, 1) != 1) { return; }
	while (s->chunks) {
		struct chunk *next = s->chunks->next;

		wipe_free(s->chunks); /* secrets of products are in it */
		s->chunks = next;
	}
	free(s->products.items);
	free(s->versions.items);
	free(s->names.items);
	free(s->tokens.items);
	free(s->sources.items);
	free(s);
}
