/* SPDX-License-Identifier: Apache-2.0 */
#include "posix_crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static enum fota_err from_ossl(int ok)
{
	return ok == 1 ? FOTA_ERR_OK : FOTA_ERR_IO;
}

/* An empty key with a NULL pointer would mean "keep the last key". */
static bool set_mac_key(struct posix_crypto *crypto, struct fota_bytes key)
{
	static const uint8_t no_key[1];

	return EVP_MAC_init(crypto->mac_ctx, key.len ? key.ptr : no_key, key.len, NULL) == 1;
}

static enum fota_err mac_parts(struct posix_crypto *crypto, const struct fota_bytes *parts, size_t part_count,
			       uint8_t mac[32])
{
	EVP_MAC_CTX *mac_ctx = crypto->mac_ctx;
	size_t len = 0;

	for (size_t i = 0; i < part_count; i++) {
		if (parts[i].len == 0) { continue; }
		if (EVP_MAC_update(mac_ctx, parts[i].ptr, parts[i].len) != 1) { return FOTA_ERR_IO; }
	}
	if (EVP_MAC_final(mac_ctx, mac, &len, 32) != 1 || len != 32) { return FOTA_ERR_IO; }
	return FOTA_ERR_OK;
}

static enum fota_err hmac_sha256(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
				 uint8_t mac[32])
{
	struct posix_crypto *crypto = ctx;
	enum fota_err err = set_mac_key(crypto, key) ? mac_parts(crypto, parts, part_count, mac) : FOTA_ERR_IO;

	/* libcrypto keeps a copy of the key until it gets another one. */
	(void)set_mac_key(crypto, (struct fota_bytes) { 0 });
	return err;
}

static enum fota_err sha256_begin(void *ctx)
{
	struct posix_crypto *crypto = ctx;

	return from_ossl(EVP_DigestInit_ex2(crypto->md_ctx, crypto->md, NULL));
}

static enum fota_err sha256_update(void *ctx, struct fota_bytes bytes)
{
	struct posix_crypto *crypto = ctx;

	return from_ossl(EVP_DigestUpdate(crypto->md_ctx, bytes.ptr, bytes.len));
}

static enum fota_err sha256_finish(void *ctx, uint8_t digest[32])
{
	struct posix_crypto *crypto = ctx;

	return from_ossl(EVP_DigestFinal_ex(crypto->md_ctx, digest, NULL));
}

/* Its own context: the SHA-256 that may run is not disturbed. */
static enum fota_err sha1(void *ctx, const struct fota_bytes *parts, size_t part_count, uint8_t digest[20])
{
	struct posix_crypto *crypto = ctx;
	int ok = EVP_DigestInit_ex2(crypto->sha1_ctx, crypto->sha1, NULL);

	for (size_t i = 0; ok == 1 && i < part_count; i++) {
		ok = EVP_DigestUpdate(crypto->sha1_ctx, parts[i].ptr, parts[i].len);
	}
	return from_ossl(ok == 1 ? EVP_DigestFinal_ex(crypto->sha1_ctx, digest, NULL) : ok);
}

/* NULL if x || y is no point of the curve: fromdata checks that. */
static EVP_PKEY *p256_key(EVP_PKEY_CTX *ctx, const uint8_t key[64])
{
	char group[] = "P-256";
	uint8_t point[65] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;

	memcpy(point + 1, key, 64);
	if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		return NULL;
	}
	return pkey;
}

/* r || s as the DER that libcrypto wants; the caller frees *der. 0 if there is no memory. */
static int signature_der(const uint8_t signature[64], unsigned char **der)
{
	BIGNUM *r = BN_bin2bn(signature, 32, NULL);
	BIGNUM *s = BN_bin2bn(signature + 32, 32, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int len = 0;

	*der = NULL;
	if (r && s && sig && ECDSA_SIG_set0(sig, r, s) == 1) {
		r = s = NULL; /* now they belong to sig */
		len = i2d_ECDSA_SIG(sig, der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len > 0 ? len : 0;
}

static enum fota_err verify_with(EVP_PKEY *pkey, const uint8_t hash[32], const uint8_t signature[64])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	unsigned char *der;
	int len = signature_der(signature, &der);
	enum fota_err err = FOTA_ERR_IO;

	if (ctx && len && EVP_PKEY_verify_init(ctx) == 1) {
		err = EVP_PKEY_verify(ctx, der, (size_t)len, hash, 32) == 1 ? FOTA_ERR_OK : FOTA_ERR_AUTH;
	}
	OPENSSL_free(der);
	EVP_PKEY_CTX_free(ctx);
	return err;
}

/* A refused key or signature leaves no entry in the error queue of the thread, where TLS
 * of the same thread would take it for its own. */
static enum fota_err p256_verify(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64])
{
	EVP_PKEY_CTX *key_ctx;
	EVP_PKEY *pkey = NULL;
	enum fota_err err = FOTA_ERR_IO;

	(void)ctx;
	ERR_set_mark();
	key_ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (key_ctx) {
		pkey = p256_key(key_ctx, key);
		err = pkey ? verify_with(pkey, hash, signature) : FOTA_ERR_AUTH;
	}
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(key_ctx);
	ERR_pop_to_mark();
	return err;
}

static void *new_mac_ctx(void)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

	EVP_MAC_free(mac); /* the context holds its own reference */
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

enum fota_err posix_crypto_init(struct posix_crypto *crypto)
{
	*crypto = (struct posix_crypto) {
		.mac_ctx = new_mac_ctx(),
		.md_ctx = EVP_MD_CTX_new(),
		.md = EVP_MD_fetch(NULL, "SHA256", NULL),
		.sha1_ctx = EVP_MD_CTX_new(),
		.sha1 = EVP_MD_fetch(NULL, "SHA1", NULL),
	};
	if (crypto->mac_ctx && crypto->md_ctx && crypto->md && crypto->sha1_ctx && crypto->sha1) { return FOTA_ERR_OK; }
	posix_crypto_close(crypto);
	return FOTA_ERR_IO;
}

void posix_crypto_close(struct posix_crypto *crypto)
{
	EVP_MAC_CTX_free(crypto->mac_ctx);
	EVP_MD_CTX_free(crypto->md_ctx);
	EVP_MD_free(crypto->md);
	EVP_MD_CTX_free(crypto->sha1_ctx);
	EVP_MD_free(crypto->sha1);
	*crypto = (struct posix_crypto) { .mac_ctx = NULL };
}

struct fota_crypto posix_crypto_port(struct posix_crypto *crypto)
{
	return (struct fota_crypto) {
		.ctx = crypto,
		.hmac_sha256 = hmac_sha256,
		.sha256_begin = sha256_begin,
		.sha256_update = sha256_update,
		.sha256_finish = sha256_finish,
		.sha1 = sha1,
		.p256_verify = p256_verify,
	};
}
