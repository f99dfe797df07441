/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in PKCS#11 tokens: through OpenSSL's provider "pkcs11" where it is installed, else
 * through the engine of this name, which is what Debian 12 has. */
#ifndef ATFOTA_SIGN_TOKEN_H
#define ATFOTA_SIGN_TOKEN_H

#include <openssl/types.h>
#include <stdbool.h>

#include "key_message.h"

#define SIGN_URI_MAX_BYTES 1024u

struct sign_secret;

/* What has to stay open as long as a key of the token is used. */
struct sign_token {
	/* private */
	void *lib; /* OSSL_LIB_CTX of its own: loading a provider changes the defaults */
	void *providers[2];
	void *engine;
};

/* What a URI asks for. */
struct sign_uri {
	char uri[SIGN_URI_MAX_BYTES];      /* without what follows */
	char module[SIGN_URI_MAX_BYTES];   /* module-path, a PKCS#11 library; empty: all that p11-kit knows */
	char pin_file[SIGN_URI_MAX_BYTES]; /* pin-source; empty: the caller is asked */
	bool is_public;                    /* the public key is enough */
};

/* Begins with "pkcs11:". */
bool sign_token_is_uri(const char *ref);

/* Takes the URI apart. 0, or -1: too long, a PIN in it, or a PIN source that is no file. */
int sign_token_uri(const char *text, struct sign_uri *uri, struct key_message *message);

/* The key that the URI names; NULL with a message if there is none, several, the PIN is wrong or there is
 * neither provider nor engine. */
EVP_PKEY *sign_token_open(struct sign_token *token, const struct sign_uri *uri, const struct sign_secret *secret,
			  struct key_message *message);

/* After the last use of its keys. */
void sign_token_close(struct sign_token *token);

/* ---- the engine, in a file of its own, since OpenSSL 4 has none any more ---- */

/* As sign_token_open; *is_there tells whether there is such an engine at all. `ui` and `ui_data` ask for the PIN. */
EVP_PKEY *sign_engine_open(struct sign_token *token, const struct sign_uri *uri, UI_METHOD *ui, void *ui_data,
			   bool *is_there);
void sign_engine_close(struct sign_token *token);

#endif
