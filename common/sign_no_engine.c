/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of sign_engine.c where OpenSSL has no engines. */
#include <stddef.h>

#include "sign_token.h"

EVP_PKEY *sign_engine_open(struct sign_token *token, const struct sign_uri *uri, UI_METHOD *ui, void *ui_data,
			   bool *is_there)
{
	(void)token;
	(void)uri;
	(void)ui;
	(void)ui_data;
	*is_there = false;
	return NULL;
}

void sign_engine_close(struct sign_token *token)
{
	(void)token;
}
