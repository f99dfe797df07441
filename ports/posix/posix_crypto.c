/* SPDX-License-Identifier: Apache-2.0 */
#include "posix_crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static enum fota_err from_ossl(int ok)
{
	return ok == 1 ? FOTA_ERR_OK : FOTA_ERR_IO;
}

static enum fota_err hmac_sha256(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
				 uint8_t mac[32])
{
	struct posix_crypto *crypto = ctx;
	EVP_MAC_CTX *mac_ctx = crypto->mac_ctx;
	size_t len = 0;
	static const uint8_t no_key[1];

	/* An empty key with a NULL pointer would mean "keep the last key". */
	if (EVP_MAC_init(mac_ctx, key.len ? key.ptr : no_key, key.len, NULL) != 1) { return FOTA_ERR_IO; }
	for (size_t i = 0; i < part_count; i++) {
		if (parts[i].len == 0) { continue; }
		if (EVP_MAC_update(mac_ctx, parts[i].ptr, parts[i].len) != 1) { return FOTA_ERR_IO; }
	}
	if (EVP_MAC_final(mac_ctx, mac, &len, 32) != 1 || len != 32) { return FOTA_ERR_IO; }
	return FOTA_ERR_OK;
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
	};
	if (crypto->mac_ctx && crypto->md_ctx && crypto->md) { return FOTA_ERR_OK; }
	posix_crypto_close(crypto);
	return FOTA_ERR_IO;
}

void posix_crypto_close(struct posix_crypto *crypto)
{
	EVP_MAC_CTX_free(crypto->mac_ctx);
	EVP_MD_CTX_free(crypto->md_ctx);
	EVP_MD_free(crypto->md);
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
	};
}
