/* SPDX-License-Identifier: Apache-2.0 */
/* What is hashed: keys, manifests, and the Sig_structure that a signature is over. All of
 * it is handed to the crypto port in parts, so that nothing is copied. */
#include "suit_priv.h"

#define BSTR_HEAD_MAX 9u

const uint8_t *suit_digest_of(struct fota_bytes encoded)
{
	static const uint8_t head[] = { 0x82, 0x2f, 0x58, FOTA_SUIT_DIGEST_BYTES }; /* [-16, 32 bytes] */

	if (encoded.len != SUIT_DIGEST_ENCODED_BYTES || memcmp(encoded.ptr, head, sizeof(head)) != 0) { return NULL; }
	return encoded.ptr + sizeof(head);
}

enum fota_err suit_sha256(const struct fota_crypto *crypto, const struct fota_bytes *parts, size_t part_count,
			  uint8_t hash[FOTA_SUIT_DIGEST_BYTES])
{
	enum fota_err err = crypto->sha256_begin(crypto->ctx);

	for (size_t i = 0; !err && i < part_count; i++) {
		err = crypto->sha256_update(crypto->ctx, parts[i]);
	}
	return err ? err : crypto->sha256_finish(crypto->ctx, hash);
}

static struct fota_bytes bstr_head(uint8_t head[BSTR_HEAD_MAX], size_t len)
{
	struct fota_wr wr;

	fota_wr_init(&wr, (struct fota_room) { head, BSTR_HEAD_MAX });
	fota_wr_bstr_head(&wr, len);
	return (struct fota_bytes) { head, wr.len };
}

/* ["Signature1", protected, h'', payload] */
enum fota_err suit_sign1_hash(const struct fota_crypto *crypto, struct fota_bytes protected_header,
			      struct fota_bytes payload, uint8_t hash[FOTA_SUIT_DIGEST_BYTES])
{
	static const char start[] = "\x84\x6aSignature1"; /* array of 4, text of 10 */
	uint8_t heads[2][BSTR_HEAD_MAX];
	const struct fota_bytes parts[] = {
		fota_bytes_of(start),
		bstr_head(heads[0], protected_header.len),
		protected_header,
		fota_bytes_of("\x40"), /* no external data */
		bstr_head(heads[1], payload.len),
		payload,
	};

	return suit_sha256(crypto, parts, sizeof(parts) / sizeof(parts[0]), hash);
}

enum fota_err fota_suit_kid(const struct fota_crypto *crypto, const uint8_t point[FOTA_SUIT_POINT_BYTES],
			    uint8_t kid[FOTA_SUIT_KID_BYTES])
{
	const struct fota_bytes parts[] = { fota_bytes_of("\x04"), { point, FOTA_SUIT_POINT_BYTES } };
	uint8_t hash[FOTA_SUIT_DIGEST_BYTES];
	enum fota_err err = suit_sha256(crypto, parts, 2, hash);

	if (!err) { memcpy(kid, hash, FOTA_SUIT_KID_BYTES); }
	return err;
}
