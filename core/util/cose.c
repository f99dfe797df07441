/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Mac0 = 17([protected : bstr, {}, payload : bstr, tag : bstr]); the protected
 * header is the map { 1: 5, 4: kid }.
 *
 * The tag is HMAC-SHA-256 over the MAC_structure of RFC 9052 6.3,
 * ["MAC0", protected, external_aad, payload]. It is handed to the crypto port in parts,
 * so that no copy of the message is needed. */
#include "fota/cose.h"

#define COSE_TAG_MAC0     17u
#define COSE_HEADER_ALG   1
#define COSE_HEADER_KID   4
#define COSE_ALG_HMAC_256 5u
#define PROTECTED_MAX     (4u + 1u + FOTA_KID_MAX_BYTES) /* map, 1, 5, 4, head of kid, kid */
#define BSTR_HEAD_MAX     9u

static enum fota_err get_protected(struct fota_bytes bytes, struct fota_bytes *kid)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;
	bool has_alg = false;

	fota_rd_init(&rd, bytes);
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		if (key == COSE_HEADER_ALG) {
			has_alg = fota_rd_uint(&rd) == COSE_ALG_HMAC_256;
		} else if (key == COSE_HEADER_KID) {
			*kid = fota_rd_bstr(&rd);
		} else {
			fota_rd_fail(&rd, FOTA_ERR_FORMAT);
		}
	}
	if (!has_alg || kid->len == 0 || kid->len > FOTA_KID_MAX_BYTES) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	return fota_rd_finish(&rd);
}

enum fota_err fota_mac0_get(struct fota_bytes message, struct fota_mac0 *mac0)
{
	struct fota_rd rd;
	struct fota_rd_map unprotected;
	enum fota_err err;

	*mac0 = (struct fota_mac0) { .kid = { NULL, 0 } };
	fota_rd_init(&rd, message);
	if (fota_rd_tag(&rd) != COSE_TAG_MAC0) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	if (fota_rd_array(&rd) != 4) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	mac0->protected_header = fota_rd_bstr(&rd);
	fota_rd_map(&rd, &unprotected);
	if (unprotected.left != 0) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	mac0->payload = fota_rd_bstr(&rd);
	mac0->tag = fota_rd_bstr(&rd);
	if (mac0->tag.len != FOTA_MAC_BYTES) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	err = fota_rd_finish(&rd);
	return err ? err : get_protected(mac0->protected_header, &mac0->kid);
}

static struct fota_bytes bstr_head(uint8_t head[BSTR_HEAD_MAX], size_t len)
{
	struct fota_wr wr;

	fota_wr_init(&wr, (struct fota_room) { head, BSTR_HEAD_MAX });
	fota_wr_bstr_head(&wr, len);
	return (struct fota_bytes) { head, wr.len };
}

static enum fota_err make_tag(const struct fota_crypto *crypto, struct fota_bytes key,
			      struct fota_bytes protected_header, struct fota_bytes aad, struct fota_bytes payload,
			      uint8_t tag[FOTA_MAC_BYTES])
{
	static const uint8_t start[] = { 0x84, 0x64, 'M', 'A', 'C', '0' }; /* array of 4, text of 4 */
	uint8_t heads[3][BSTR_HEAD_MAX];
	struct fota_bytes parts[7] = {
		{ start, sizeof(start) },
		bstr_head(heads[0], protected_header.len),
		protected_header,
		bstr_head(heads[1], aad.len),
		aad,
		bstr_head(heads[2], payload.len),
		payload,
	};

	return crypto->hmac_sha256(crypto->ctx, key, parts, sizeof(parts) / sizeof(parts[0]), tag);
}

enum fota_err fota_mac0_verify(const struct fota_mac0 *mac0, const struct fota_crypto *crypto, struct fota_bytes key,
			       struct fota_bytes aad)
{
	uint8_t tag[FOTA_MAC_BYTES];
	enum fota_err err = make_tag(crypto, key, mac0->protected_header, aad, mac0->payload, tag);

	if (err) { return err; }
	return fota_bytes_is_same_secret((struct fota_bytes) { tag, sizeof(tag) }, mac0->tag) ? FOTA_ERR_OK
											      : FOTA_ERR_AUTH;
}

static enum fota_err put_protected(struct fota_bytes kid, struct fota_room room, struct fota_bytes *out)
{
	struct fota_wr wr;

	if (kid.len == 0 || kid.len > FOTA_KID_MAX_BYTES) { return FOTA_ERR_RANGE; }
	fota_wr_init(&wr, room);
	fota_wr_map(&wr, 2);
	fota_wr_int(&wr, COSE_HEADER_ALG);
	fota_wr_uint(&wr, COSE_ALG_HMAC_256);
	fota_wr_int(&wr, COSE_HEADER_KID);
	fota_wr_bstr(&wr, kid);
	return fota_wr_finish(&wr, out);
}

enum fota_err fota_mac0_put(const struct fota_crypto *crypto, struct fota_bytes key, struct fota_bytes kid,
			    struct fota_bytes aad, struct fota_bytes payload, struct fota_room room,
			    struct fota_bytes *message, uint8_t tag[FOTA_MAC_BYTES])
{
	uint8_t header_room[PROTECTED_MAX];
	struct fota_bytes header;
	struct fota_wr wr;
	enum fota_err err = put_protected(kid, (struct fota_room) { header_room, sizeof(header_room) }, &header);

	if (err) { return err; }
	err = make_tag(crypto, key, header, aad, payload, tag);
	if (err) { return err; }
	fota_wr_init(&wr, room);
	fota_wr_tag(&wr, COSE_TAG_MAC0);
	fota_wr_array(&wr, 4);
	fota_wr_bstr(&wr, header);
	fota_wr_map(&wr, 0);
	fota_wr_bstr(&wr, payload);
	fota_wr_bstr(&wr, (struct fota_bytes) { tag, FOTA_MAC_BYTES });
	return fota_wr_finish(&wr, message);
}
