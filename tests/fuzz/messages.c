/* SPDX-License-Identifier: Apache-2.0 */
#include "messages.h"

#include "fota/cose.h"
#include "fuzz.h"

#define ROOM_BYTES 8192

/* What is decoded is encoded to the same bytes, but for fields that are skipped (unknown
 * keys) or said by being absent; and what was encoded comes back the same. */
static void check_payload(const struct message_kind *kind, struct fota_bytes payload)
{
	static uint8_t room[ROOM_BYTES], again[ROOM_BYTES];
	struct fota_bytes first, second;
	union message msg;

	if (kind->get(payload, &msg)) { return; }
	if (payload.len > sizeof(room)) { return; }
	fuzz_require(kind->put(&msg, (struct fota_room) { room, sizeof(room) }, &first) == FOTA_ERR_OK,
		     "what is decoded can be encoded");
	fuzz_require(first.len <= payload.len, "to no more bytes");
	if (first.len == payload.len) { fuzz_require(fota_bytes_is_equal(first, payload), "to the same bytes"); }
	fuzz_require(kind->get(first, &msg) == FOTA_ERR_OK, "what is encoded can be decoded");
	fuzz_require(kind->put(&msg, (struct fota_room) { again, sizeof(again) }, &second) == FOTA_ERR_OK &&
			     fota_bytes_is_equal(first, second),
		     "and encoded to the same bytes");
}

/* Any tag will do: only the framing is compared. */
static enum fota_err no_hmac(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
			     uint8_t mac[32])
{
	(void)ctx;
	(void)key;
	(void)parts;
	(void)part_count;
	memset(mac, 0, 32);
	return FOTA_ERR_OK;
}

static void check_message(const struct message_kind kinds[2], struct fota_bytes message)
{
	static const struct fota_crypto crypto = { .hmac_sha256 = no_hmac };
	static uint8_t room[ROOM_BYTES];
	const struct fota_bytes none = { NULL, 0 };
	uint8_t tag[FOTA_MAC_BYTES];
	struct fota_mac0 mac0;
	struct fota_bytes sealed;

	if (fota_mac0_get(message, &mac0) || message.len > sizeof(room)) { return; }
	(void)!fota_mac0_verify(&mac0, &crypto, none, none);
	fuzz_require(fota_mac0_put(&crypto, none, mac0.kid, none, mac0.payload,
				   (struct fota_room) { room, sizeof(room) }, &sealed, tag) == FOTA_ERR_OK,
		     "what is opened can be sealed");
	fuzz_require(sealed.len == message.len && memcmp(sealed.ptr, message.ptr, message.len - FOTA_MAC_BYTES) == 0,
		     "to the same bytes");
	check_payload(&kinds[0], mac0.payload);
	check_payload(&kinds[1], mac0.payload);
}

void messages_check(const struct message_kind kinds[2], const uint8_t *data, size_t len)
{
	struct fota_bytes bytes = { data, len };

	check_message(kinds, bytes);
	check_payload(&kinds[0], bytes);
	check_payload(&kinds[1], bytes);
}
