/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication blocks: COSE_Sign1 (RFC 9052 4.2) with ES256 over the manifest's digest.
 *
 * An envelope may carry blocks for others, of later algorithms or of keys that are no
 * longer trusted. What is not exactly a block of ours is skipped: it cannot make an
 * envelope better, and its being there does not make it worse. */
#include "suit_priv.h"

struct block {
	struct fota_bytes protected_header;
	struct fota_bytes kid; /* ptr NULL: there is none */
	struct fota_bytes signature;
	bool is_es256;
};

/* Any other header makes the block none of ours: so no bit of an envelope with one
 * signature can change without being noticed, even where nothing is signed. */
static void get_headers(struct fota_rd *rd, bool is_protected, struct block *block)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		if (key == SUIT_HEADER_ALG && is_protected) {
			int64_t alg = fota_rd_int(rd);

			block->is_es256 = alg == SUIT_ALG_ES256 || alg == SUIT_ALG_ESP256;
		} else if (key == SUIT_HEADER_KID) {
			block->kid = fota_rd_bstr(rd);
		} else {
			fota_rd_fail(rd, FOTA_ERR_UNSUPPORTED);
		}
	}
}

/* 18([protected, unprotected, nil, signature]) */
static bool is_ours(struct fota_bytes bytes, struct block *block)
{
	struct fota_rd rd, inner;

	*block = (struct block) { .is_es256 = false };
	fota_rd_init(&rd, bytes);
	if (fota_rd_tag(&rd) != SUIT_TAG_SIGN1 || fota_rd_array(&rd) != 4) { return false; }
	block->protected_header = fota_rd_bstr(&rd);
	get_headers(&rd, false, block);
	if (!fota_bytes_is_equal(fota_rd_item(&rd), fota_bytes_of("\xf6"))) { return false; }
	block->signature = fota_rd_bstr(&rd);
	fota_rd_init(&inner, block->protected_header);
	get_headers(&inner, true, block);
	return !fota_rd_finish(&rd) && !fota_rd_finish(&inner) && block->is_es256 &&
	       block->signature.len == FOTA_SUIT_SIGNATURE_BYTES;
}

static bool is_named(const struct block *block, const struct fota_trusted_key *key)
{
	return !block->kid.ptr ||
	       fota_bytes_is_equal(block->kid, (struct fota_bytes) { key->kid, FOTA_SUIT_KID_BYTES });
}

/* AUTH if no key fits. */
static enum fota_err verify_block(const struct block *block, struct fota_bytes digest, const struct fota_crypto *crypto,
				  const struct fota_trusted_key *keys, size_t key_count, size_t *key_index)
{
	uint8_t hash[FOTA_SUIT_DIGEST_BYTES];
	enum fota_err err = suit_sign1_hash(crypto, block->protected_header, digest, hash);

	if (err) { return FOTA_ERR_IO; }
	for (size_t i = 0; i < key_count; i++) {
		if (!is_named(block, &keys[i])) { continue; }
		err = crypto->p256_verify(crypto->ctx, keys[i].point, hash, block->signature.ptr);
		if (err == FOTA_ERR_AUTH) { continue; }
		if (err) { return FOTA_ERR_IO; }
		if (key_index) { *key_index = i; }
		return FOTA_ERR_OK;
	}
	return FOTA_ERR_AUTH;
}

enum fota_err fota_suit_verify(const struct fota_suit *suit, const struct fota_crypto *crypto,
			       const struct fota_trusted_key *keys, size_t key_count, size_t *key_index)
{
	struct fota_rd rd;
	enum fota_err err = FOTA_ERR_AUTH;

	fota_rd_init(&rd, suit->blocks);
	for (unsigned i = 0; err == FOTA_ERR_AUTH && i < suit->block_count; i++) {
		struct block block;

		if (!is_ours(fota_rd_bstr(&rd), &block)) { continue; }
		err = verify_block(&block, suit->digest, crypto, keys, key_count, key_index);
	}
	return err;
}
