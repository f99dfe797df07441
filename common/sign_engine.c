/* SPDX-License-Identifier: Apache-2.0 */
/* Engines are deprecated since OpenSSL 3 and gone in 4; this one file uses them, because
 * Debian 12 has the PKCS#11 engine and not yet the provider. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/engine.h>
#include <openssl/evp.h>

#include "sign_token.h"

static ENGINE *load_engine(const struct sign_uri *uri)
{
	ENGINE *engine;

	OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, NULL);
	engine = ENGINE_by_id("pkcs11");
	if (!engine) { return NULL; }
	/* What it has to say comes as errors of OpenSSL too; nothing but the program prints. */
	ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 1);
	if ((!uri->module[0] || ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", uri->module, 0) == 1) &&
	    ENGINE_init(engine) == 1) {
		return engine;
	}
	ENGINE_free(engine);
	return NULL;
}

EVP_PKEY *sign_engine_open(struct sign_token *token, const struct sign_uri *uri, UI_METHOD *ui, void *ui_data,
			   bool *is_there)
{
	ENGINE *engine = load_engine(uri);

	*is_there = engine != NULL;
	token->engine = engine;
	if (!engine) { return NULL; }
	return uri->is_public ? ENGINE_load_public_key(engine, uri->uri, ui, ui_data)
			      : ENGINE_load_private_key(engine, uri->uri, ui, ui_data);
}

void sign_engine_close(struct sign_token *token)
{
	if (!token->engine) { return; }
	ENGINE_finish(token->engine);
	ENGINE_free(token->engine);
	token->engine = NULL;
}
