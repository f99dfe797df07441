/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that sign packages: ECDSA P-256, in a PEM file (PKCS#8, with a passphrase or
 * without) or in a PKCS#11 token. For tools and test rigs; a module links none of it.
 *
 * A key is named by a path or by a URI of RFC 7512 that begins with "pkcs11:". Passphrases
 * and PINs come through a function of the caller and are wiped after use; a URI with a
 * PIN in it is refused, since every user of the machine can read arguments. */
#ifndef ATFOTA_SIGN_KEY_H
#define ATFOTA_SIGN_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "fota/suit.h"
#include "key_message.h"
#include "sign_token.h"

#define SIGN_SECRET_MAX_BYTES 512u /* with the final 0 */

/* Where a passphrase or a PIN comes from; it is asked only if the key needs one. */
struct sign_secret {
	/* Fills `secret`, a text of 1 to cap - 1 bytes, for `what` ("passphrase of FILE").
	 * 0, or -1 with a message. */
	int (*get)(void *ctx, const char *what, char *secret, size_t cap, struct key_message *message);
	void *ctx;
};

struct sign_key {
	/* to read */
	struct fota_trusted_key public_key;
	bool is_token;
	bool has_passphrase; /* of a file */
	/* private */
	void *pkey; /* EVP_PKEY; NULL: public part only */
	struct sign_token token;
};

/* All return 0, or -1 with a message; *key needs sign_key_close only after 0. */

/* A new key, in memory only. */
int sign_key_generate(struct sign_key *key, struct key_message *message);

/* Opens a key to sign with. `secret` may be NULL: a key that needs one is an error then. A file
 * without passphrase that others can read is refused. */
int sign_key_open(struct sign_key *key, const char *ref, const struct sign_secret *secret, struct key_message *message);

/* Only the public part, which a PEM file with a public key and most tokens give without a
 * secret. sign_key_sign fails then. */
int sign_key_open_public(struct sign_key *key, const char *ref, const struct sign_secret *secret,
			 struct key_message *message);

/* Writes the private key into a new file of mode 0600: PKCS#8, encrypted by AES-256 and
 * scrypt, or plain if `passphrase` is NULL. A file that is there is never touched; after a
 * cut at any point there is the whole file or none of this name. */
int sign_key_save(const struct sign_key *key, const char *path, const char *passphrase, struct key_message *message);

/* The signature r || s of a hash. It has been verified when this returns 0. */
int sign_key_sign(const struct sign_key *key, const uint8_t hash[FOTA_SUIT_DIGEST_BYTES],
		  uint8_t signature[FOTA_SUIT_SIGNATURE_BYTES], struct key_message *message);

/* Wipes it. */
void sign_key_close(struct sign_key *key);

#endif
