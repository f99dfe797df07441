/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_suit.h"

static enum fota_err begin(void *ctx)
{
	(void)ctx;
	return FOTA_ERR_OK;
}

/* Reads every byte, so that a slice outside is found. */
static enum fota_err update(void *ctx, struct fota_bytes bytes)
{
	(void)ctx;
	fuzz_require(fota_bytes_is_same_secret(bytes, bytes), "a slice is the same as itself");
	return FOTA_ERR_OK;
}

static enum fota_err finish(void *ctx, uint8_t digest[32])
{
	(void)ctx;
	memset(digest, 0, 32);
	return FOTA_ERR_OK;
}

static enum fota_err sha1(void *ctx, const struct fota_bytes *parts, size_t part_count, uint8_t digest[20])
{
	(void)ctx, (void)parts, (void)part_count;
	memset(digest, 0, 20);
	return FOTA_ERR_OK;
}

/* A signature is right if it begins as the key does. */
static enum fota_err verify(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64])
{
	(void)ctx, (void)hash;
	return key[0] == signature[0] ? FOTA_ERR_OK : FOTA_ERR_AUTH;
}

struct fota_crypto fuzz_suit_crypto(void)
{
	return (struct fota_crypto) {
		.sha256_begin = begin,
		.sha256_update = update,
		.sha256_finish = finish,
		.sha1 = sha1,
		.p256_verify = verify,
	};
}

static void require_inside(struct fota_bytes envelope, struct fota_bytes slice)
{
	fuzz_require(slice.len == 0 ||
			     (slice.ptr >= envelope.ptr && slice.ptr + slice.len <= envelope.ptr + envelope.len),
		     "slices point into the envelope");
}

static void check_slices(struct fota_bytes envelope, const struct fota_suit *suit)
{
	for (size_t i = 0; i < FOTA_SUIT_SEQUENCE_COUNT; i++) {
		require_inside(envelope, suit->sequences[i]);
	}
	require_inside(envelope, suit->text.vendor_name);
	require_inside(envelope, suit->text.model_name);
	require_inside(envelope, suit->text.version);
	require_inside(envelope, suit->digest);
	require_inside(envelope, suit->blocks);
	fuzz_require(fota_cbor_is_text(suit->text.version), "texts are texts");
	fuzz_require(suit->block_count <= FOTA_SUIT_SIGNATURE_MAX, "blocks are counted");
}

static void check_plan(struct fota_bytes envelope, const struct fota_suit *suit, uint8_t slot)
{
	struct fota_suit_device device = { .slot = slot };
	struct fota_suit_plan plan, again;
	enum fota_err err = fota_suit_plan(suit, &device, &plan);

	fuzz_require(err == FOTA_ERR_OK || err == FOTA_ERR_MISMATCH || err == FOTA_ERR_CORRUPT ||
			     err == FOTA_ERR_UNSUPPORTED,
		     "what was read has the right form for planning");
	require_inside(envelope, plan.uri);
	fuzz_require(!plan.is_fetched || plan.has_digest, "what is fetched was matched");
	fuzz_require(!plan.is_fetched || !suit->is_incomplete, "what is cut off is not installed");
	fuzz_require(!plan.has_size || plan.has_digest, "a size comes with a digest");
	if (err) { fuzz_require(!plan.has_vendor && !plan.has_class && !plan.has_digest, "no plan after an error"); }
	fuzz_require(fota_suit_plan(suit, &device, &again) == err && again.size_bytes == plan.size_bytes &&
			     again.uri.ptr == plan.uri.ptr && again.is_fetched == plan.is_fetched,
		     "planning twice gives the same");
}

/* An envelope with one more signature says the same and is believed. */
static void check_signed(struct fota_bytes envelope, const struct fota_suit *suit, const struct fota_crypto *crypto)
{
	static uint8_t room[2 * FOTA_SUIT_ENVELOPE_MAX_BYTES];
	static const struct fota_suit_signature signature = { .bytes = { 0xa5 } };
	static const struct fota_trusted_key key = { .point = { 0xa5 } };
	struct fota_bytes more;
	struct fota_suit read;
	enum fota_err err =
		fota_suit_add_signature(envelope, &signature, (struct fota_room) { room, sizeof(room) }, &more);

	fuzz_require(err == (suit->block_count == FOTA_SUIT_SIGNATURE_MAX ? FOTA_ERR_FULL : FOTA_ERR_OK),
		     "a signature can be added");
	if (err || more.len > FOTA_SUIT_ENVELOPE_MAX_BYTES) { return; }
	fuzz_require(fota_suit_get(more, crypto, &read) == FOTA_ERR_OK, "a signed envelope can be read");
	fuzz_require(read.block_count == suit->block_count + 1 && read.sequence_number == suit->sequence_number,
		     "a signed envelope says the same");
	fuzz_require(fota_suit_verify(&read, crypto, &key, 1, NULL) == FOTA_ERR_OK, "a signed envelope is believed");
}

void fuzz_suit_check(struct fota_bytes envelope, uint8_t slot)
{
	static const struct fota_trusted_key keys[2] = { { .point = { 1 } }, { .point = { 2 }, .kid = { 3 } } };
	struct fota_crypto crypto = fuzz_suit_crypto();
	struct fota_bytes manifest;
	struct fota_suit suit;
	size_t index = 99;
	enum fota_err err = fota_suit_get(envelope, &crypto, &suit);

	fuzz_require(err == FOTA_ERR_OK || err == FOTA_ERR_FORMAT || err == FOTA_ERR_UNSUPPORTED ||
			     err == FOTA_ERR_FULL,
		     "reading ends in one of its errors");
	if (err) { return; }
	fuzz_require(fota_suit_manifest_of(envelope, &manifest) == FOTA_ERR_OK, "what is read has a manifest");
	check_slices(envelope, &suit);
	err = fota_suit_verify(&suit, &crypto, keys, 2, &index);
	fuzz_require(err == FOTA_ERR_AUTH || (err == FOTA_ERR_OK && index < 2 && suit.block_count > 0),
		     "somebody has signed it or not");
	check_plan(envelope, &suit, slot);
	check_signed(envelope, &suit, &crypto);
}
