/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's question for a passphrase or PIN, handed on to the caller's function. */
#ifndef ATFOTA_SIGN_ASK_H
#define ATFOTA_SIGN_ASK_H

#include "sign_key.h"

struct sign_ask {
	const struct sign_secret *secret; /* may be NULL */
	const char *kind;                 /* "passphrase" or "PIN" */
	const char *ref;
	const char *pin_file; /* is read instead of asking; NULL: there is none */
	struct key_message *message;
	bool was_asked, has_failed;
	unsigned count;
};

/* A pem_password_cb; `ask` is a struct sign_ask. A second question means that the first
 * answer was wrong: it is not answered, so that a token does not lock itself. */
int sign_ask(char *text, int cap, int rwflag, void *ask);

#endif
