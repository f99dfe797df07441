/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto port over OpenSSL's libcrypto. One object serves one thread: its
 * contexts are made once, since fetching an algorithm costs more than a short HMAC. */
#ifndef POSIX_CRYPTO_H
#define POSIX_CRYPTO_H

#include "fota/port.h"

struct posix_crypto {
	/* private */
	void *mac_ctx;  /* EVP_MAC_CTX */
	void *md_ctx;   /* EVP_MD_CTX */
	void *md;       /* EVP_MD */
	void *sha1_ctx; /* EVP_MD_CTX */
	void *sha1;     /* EVP_MD */
};

/* OK, or IO if libcrypto has no HMAC, SHA-256 or SHA-1 or no memory. */
FOTA_MUST_CHECK enum fota_err posix_crypto_init(struct posix_crypto *crypto);
void posix_crypto_close(struct posix_crypto *crypto);

/* The port; keeps `crypto` as long as it is used. */
struct fota_crypto posix_crypto_port(struct posix_crypto *crypto);

#endif
