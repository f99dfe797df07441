/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdio.h>
#include <stdlib.h>

static void require(bool is_so, const char *what)
{
	if (is_so) { return; }
	(void)fprintf(stderr, "rig: %s\n", what);
	abort();
}

EVP_PKEY *rig_new_key(const struct fota_crypto *crypto, struct fota_trusted_key *key)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	uint8_t point[65];
	size_t len = 0;

	require(pkey != NULL, "no key");
	require(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) == 1,
		"no point");
	require(len == sizeof(point), "point not uncompressed");
	memcpy(key->point, point + 1, sizeof(key->point));
	require(fota_suit_kid(crypto, key->point, key->kid) == FOTA_ERR_OK, "no kid");
	return pkey;
}

void rig_open(struct rig *rig)
{
	require(posix_crypto_init(&rig->posix) == FOTA_ERR_OK, "no crypto");
	rig->crypto = posix_crypto_port(&rig->posix);
	rig->pkey = rig_new_key(&rig->crypto, &rig->key);
	require(fota_uuid_of_names(&rig->crypto, fota_bytes_of("ACME"), fota_bytes_of("M1"), rig->device.vendor,
				   rig->device.class_id) == FOTA_ERR_OK,
		"no identifiers");
	rig->device.slot = 1;
}

void rig_close(struct rig *rig)
{
	EVP_PKEY_free(rig->pkey);
	posix_crypto_close(&rig->posix);
}

void rig_sign(EVP_PKEY *pkey, const uint8_t hash[32], uint8_t signature[64])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	uint8_t der[80];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	require(EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &len, hash, 32) == 1, "not signed");
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	require(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, 32) == 32 &&
			BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + 32, 32) == 32,
		"no r and s");
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
}

static unsigned digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	require(at != NULL, "no hexadecimal digit");
	return (unsigned)(at - digits);
}

struct fota_bytes rig_notation(const char *text, struct fota_room room)
{
	size_t begins[16], depth = 0;
	struct fota_wr wr;
	struct fota_bytes out = { NULL, 0 };

	fota_wr_init(&wr, room);
	while (*text) {
		if (*text == ' ') {
			text++;
		} else if (*text == '<') {
			begins[depth++] = fota_wr_bstr_begin(&wr);
			text++;
		} else if (*text == '>') {
			fota_wr_bstr_end(&wr, begins[--depth]);
			text++;
		} else if (*text == '"') {
			const char *end = strchr(text + 1, '"');

			fota_wr_raw(&wr, (struct fota_bytes) { (const uint8_t *)text + 1, (size_t)(end - text) - 1 });
			text = end + 1;
		} else {
			uint8_t byte = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));

			fota_wr_raw(&wr, (struct fota_bytes) { &byte, 1 });
			text += 2;
		}
	}
	require(depth == 0 && fota_wr_finish(&wr, &out) == FOTA_ERR_OK, "notation");
	return out;
}

struct fota_bytes rig_seal(struct rig *rig, struct fota_bytes manifest)
{
	struct fota_suit_signature signature;
	struct fota_bytes envelope;
	uint8_t hash[32];

	require(fota_suit_to_sign(manifest, &rig->crypto, hash) == FOTA_ERR_OK, "nothing to sign");
	rig_sign(rig->pkey, hash, signature.bytes);
	memcpy(signature.kid, rig->key.kid, sizeof(signature.kid));
	require(fota_suit_seal(manifest, &rig->crypto, &signature, 1, (struct fota_room) { rig->room, RIG_ROOM },
			       &envelope) == FOTA_ERR_OK,
		"not sealed");
	return envelope;
}

struct fota_bytes rig_envelope(struct rig *rig, const char *manifest)
{
	uint8_t room[RIG_ROOM];

	return rig_seal(rig, rig_notation(manifest, (struct fota_room) { room, sizeof(room) }));
}

struct fota_bytes rig_envelope_with(struct rig *rig, const char *manifest, unsigned count, const char *members)
{
	struct fota_bytes envelope = rig_envelope(rig, manifest);
	struct fota_bytes more =
		rig_notation(members, (struct fota_room) { rig->room + envelope.len, RIG_ROOM - envelope.len });

	require(rig->room[2] == 0xa2, "no envelope of two members");
	rig->room[2] = (uint8_t)(0xa2 + count);
	return (struct fota_bytes) { rig->room, envelope.len + more.len };
}

void rig_digest(struct rig *rig, const char *text, char digits[65])
{
	uint8_t room[RIG_ROOM], digest[32];
	struct fota_bytes bytes = rig_notation(text, (struct fota_room) { room, sizeof(room) });
	const struct fota_crypto *crypto = &rig->crypto;

	require(crypto->sha256_begin(crypto->ctx) == FOTA_ERR_OK &&
			crypto->sha256_update(crypto->ctx, bytes) == FOTA_ERR_OK &&
			crypto->sha256_finish(crypto->ctx, digest) == FOTA_ERR_OK,
		"no digest");
	for (size_t i = 0; i < 32; i++) {
		(void)snprintf(digits + 2 * i, 3, "%02x", digest[i]);
	}
}

struct fota_bytes rig_built(struct rig *rig, uint64_t sequence_number, struct fota_room room)
{
	struct fota_suit_build build = {
		.sequence_number = sequence_number,
		.oem = fota_bytes_of("ACME"),
		.model = fota_bytes_of("M1"),
		.version = fota_bytes_of("V2.0"),
		.size_bytes = 34768,
	};
	uint8_t digest[32];
	struct fota_bytes manifest;

	(void)rig_notation(D0, (struct fota_room) { digest, sizeof(digest) });
	memcpy(build.digest, digest, sizeof(build.digest));
	require(fota_suit_build(&build, &rig->crypto, room, &manifest) == FOTA_ERR_OK, "not built");
	return manifest;
}
