/* SPDX-License-Identifier: Apache-2.0 */
/* The point is asked for as an encoded string and decoded here: keys of tokens know no
 * other parameter, keys of files may have it compressed, and decoding checks that it is
 * on the curve. */
#include "public_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define ENCODED_BYTES (1 + FOTA_SUIT_POINT_BYTES) /* 04 || x || y */

/* The curve has one name in OpenSSL and another at NIST; tokens use either. */
static bool is_p256(const EVP_PKEY *pkey)
{
	char name[64];

	if (!EVP_PKEY_is_a(pkey, "EC") || EVP_PKEY_get_group_name(pkey, name, sizeof name, NULL) != 1) { return false; }
	return OBJ_txt2nid(name) == NID_X9_62_prime256v1 || EC_curve_nist2nid(name) == NID_X9_62_prime256v1;
}

static bool set_kid(struct fota_trusted_key *key, const uint8_t encoded[ENCODED_BYTES])
{
	uint8_t digest[32];

	if (EVP_Digest(encoded, ENCODED_BYTES, digest, NULL, EVP_sha256(), NULL) != 1) { return false; }
	memcpy(key->kid, digest, sizeof key->kid);
	return true;
}

/* Any encoding of a point of the curve to the uncompressed one. */
static bool unpack_point(const uint8_t *in, size_t len, uint8_t encoded[ENCODED_BYTES])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	bool is_done = point && EC_POINT_oct2point(group, point, in, len, NULL) == 1 &&
		       EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, encoded, ENCODED_BYTES, NULL) ==
			       ENCODED_BYTES;

	EC_POINT_free(point);
	EC_GROUP_free(group);
	return is_done;
}

bool public_key_take(const EVP_PKEY *pkey, struct fota_trusted_key *key)
{
	uint8_t given[ENCODED_BYTES + 8], encoded[ENCODED_BYTES];
	size_t len = 0;

	if (!is_p256(pkey)) { return false; }
	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, given, sizeof given, &len) != 1) {
		return false;
	}
	if (!unpack_point(given, len, encoded) || !set_kid(key, encoded)) { return false; }
	memcpy(key->point, encoded + 1, sizeof key->point);
	return true;
}

/* What is in front of an uncompressed point of this curve, always the same bytes. */
static const uint8_t der_head[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
};

static bool take_point(const uint8_t *point, struct fota_trusted_key *key)
{
	uint8_t encoded[ENCODED_BYTES];

	if (!unpack_point(point, ENCODED_BYTES, encoded) || !set_kid(key, encoded)) { return false; }
	memcpy(key->point, encoded + 1, sizeof key->point);
	return true;
}

/* Keys as they usually are without OpenSSL's decoders, which would stay in the memory of a
 * module for good: half a megabyte. */
bool public_key_take_der(const uint8_t *der, size_t len, struct fota_trusted_key *key)
{
	EVP_PKEY *pkey;
	bool is_taken;

	if (len == sizeof der_head + ENCODED_BYTES && memcmp(der, der_head, sizeof der_head) == 0) {
		return take_point(der + sizeof der_head, key);
	}
	pkey = d2i_PUBKEY(NULL, &der, (long)len);
	is_taken = pkey && public_key_take(pkey, key);
	EVP_PKEY_free(pkey);
	return is_taken;
}

EVP_PKEY *public_key_make(const struct fota_trusted_key *key)
{
	char curve[] = "prime256v1";
	uint8_t encoded[ENCODED_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof encoded),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	memcpy(encoded + 1, key->point, sizeof key->point);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

bool public_key_pem(const struct fota_trusted_key *key, char pem[PUBLIC_KEY_PEM_MAX_BYTES])
{
	EVP_PKEY *pkey = public_key_make(key);
	BIO *bio = BIO_new(BIO_s_mem());
	int len = pkey && bio && PEM_write_bio_PUBKEY(bio, pkey) == 1 ? BIO_read(bio, pem, PUBLIC_KEY_PEM_MAX_BYTES - 1)
								      : 0;

	pem[len > 0 ? len : 0] = '\0';
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return len > 0;
}

void public_key_kid_text(const uint8_t kid[FOTA_SUIT_KID_BYTES], char text[PUBLIC_KEY_KID_TEXT_BYTES])
{
	for (size_t i = 0; i < FOTA_SUIT_KID_BYTES; i++) {
		snprintf(text + 2 * i, 3, "%02x", kid[i]);
	}
}
