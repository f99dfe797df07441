/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_token.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sign_ask.h"

#define SCHEME          "pkcs11:"
#define MODULE_VARIABLE "PKCS11_PROVIDER_MODULE" /* read by the provider */

bool sign_token_is_uri(const char *ref)
{
	return strncasecmp(ref, SCHEME, strlen(SCHEME)) == 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at && (c <= '9' || (c | 0x20) >= 'a') ? (int)(at - digits) : -1;
}

/* Percent-decoding, RFC 3986. */
static void decode(const char *in, size_t len, char *out)
{
	while (len > 0) {
		bool is_escape = *in == '%' && len >= 3 && hex_digit(in[1]) >= 0 && hex_digit(in[2]) >= 0;
		size_t step = is_escape ? 3 : 1;

		*out++ = is_escape ? (char)(hex_digit(in[1]) << 4 | hex_digit(in[2])) : *in;
		in += step;
		len -= step;
	}
	*out = '\0';
}

static bool has_name(const char *attribute, size_t len, const char *name)
{
	return len > strlen(name) && strncmp(attribute, name, strlen(name)) == 0 && attribute[strlen(name)] == '=';
}

/* A path or a URI of a file. The standard's "|command" is left out: a URI starts no program. */
static int take_pin_source(struct sign_uri *uri, const char *value, size_t len, struct key_message *message)
{
	static const char scheme[] = "file:", host[] = "//";
	char *path = uri->pin_file;

	decode(value, len, path);
	if (strncmp(path, scheme, sizeof scheme - 1) == 0) { memmove(path, path + 5, strlen(path + 5) + 1); }
	if (strncmp(path, host, sizeof host - 1) == 0) { memmove(path, path + 2, strlen(path + 2) + 1); }
	if (path[0] && path[0] != '|') { return 0; }
	return key_fail(message, "the pin-source of the URI is no file");
}

/* One attribute behind the '?'. */
static int take_query(struct sign_uri *uri, const char *attribute, size_t len, struct key_message *message)
{
	static const char module_path[] = "module-path", pin_source[] = "pin-source";
	size_t used = strlen(uri->uri);

	if (has_name(attribute, len, "pin-value")) {
		return key_fail(message,
				"a PIN must not stand in the URI, where every user of the machine can read it; use "
				"pin-source or --passphrase-file");
	}
	if (has_name(attribute, len, module_path)) {
		decode(attribute + sizeof module_path, len - sizeof module_path, uri->module);
		return 0;
	}
	if (has_name(attribute, len, pin_source)) {
		return take_pin_source(uri, attribute + sizeof pin_source, len - sizeof pin_source, message);
	}
	uri->uri[used++] = strchr(uri->uri, '?') ? '&' : '?';
	memcpy(uri->uri + used, attribute, len);
	uri->uri[used + len] = '\0';
	return 0;
}

int sign_token_uri(const char *text, struct sign_uri *uri, struct key_message *message)
{
	const char *query = strchr(text, '?');
	size_t path_len = query ? (size_t)(query - text) : strlen(text);

	*uri = (struct sign_uri) { .uri = "" };
	if (strlen(text) + 1 >= sizeof uri->uri) { return key_fail(message, "the URI of the key is too long"); }
	memcpy(uri->uri, text, path_len);
	while (query && *query) {
		size_t len = strcspn(++query, "&");

		if (len > 0 && take_query(uri, query, len, message)) { return -1; }
		query += len;
	}
	return 0;
}

/* False if there is no such provider. */
static bool load_provider(struct sign_token *token, const struct sign_uri *uri)
{
	token->lib = OSSL_LIB_CTX_new();
	if (!token->lib) { return false; }
	if (uri->module[0] && setenv(MODULE_VARIABLE, uri->module, 1)) { return false; }
	token->providers[0] = OSSL_PROVIDER_load(token->lib, "default");
	token->providers[1] = token->providers[0] ? OSSL_PROVIDER_load(token->lib, "pkcs11") : NULL;
	return token->providers[1] != NULL;
}

static void unload_provider(struct sign_token *token)
{
	for (int i = 1; i >= 0; i--) {
		if (token->providers[i]) { OSSL_PROVIDER_unload(token->providers[i]); }
		token->providers[i] = NULL;
	}
	OSSL_LIB_CTX_free(token->lib);
	token->lib = NULL;
}

/* The only key that the store has for the URI; *count of those there are. */
static EVP_PKEY *take_only_key(OSSL_STORE_CTX *store, unsigned *count)
{
	EVP_PKEY *key = NULL;

	while (!OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);
		int type = info ? OSSL_STORE_INFO_get_type(info) : 0;
		EVP_PKEY *next = type == OSSL_STORE_INFO_PKEY     ? OSSL_STORE_INFO_get1_PKEY(info)
				 : type == OSSL_STORE_INFO_PUBKEY ? OSSL_STORE_INFO_get1_PUBKEY(info)
								  : NULL;

		OSSL_STORE_INFO_free(info);
		if (!info && OSSL_STORE_error(store)) {
			*count += *count > 0; /* there is another one, which cannot be read */
			break;
		}
		if (!next) { continue; }
		if ((*count)++ == 0) {
			key = next;
		} else {
			EVP_PKEY_free(next);
		}
	}
	if (*count == 1) { return key; }
	EVP_PKEY_free(key);
	return NULL;
}

static EVP_PKEY *open_by_provider(struct sign_token *token, const struct sign_uri *uri, UI_METHOD *ui, void *ui_data,
				  unsigned *count)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri->uri, token->lib, NULL, ui, ui_data, NULL, NULL, NULL);
	EVP_PKEY *key = NULL;

	if (store && OSSL_STORE_expect(store, uri->is_public ? OSSL_STORE_INFO_PUBKEY : OSSL_STORE_INFO_PKEY) == 1) {
		key = take_only_key(store, count);
	}
	OSSL_STORE_close(store);
	return key;
}

/* What the token said of the PIN ("PIN incorrect", "PIN locked"); NULL: nothing. */
static const char *pin_reason(void)
{
	const char *reason = NULL;
	unsigned long code;

	while ((code = ERR_get_error()) != 0) {
		const char *text = ERR_reason_error_string(code);

		if (text && strcasestr(text, "pin")) { reason = text; }
	}
	return reason;
}

static void explain(const struct sign_ask *ask, const struct sign_uri *uri, unsigned count, bool is_there,
		    bool is_engine)
{
	const char *reason = pin_reason();
	bool is_pin_in_doubt = ask->was_asked && !is_engine; /* the engine tells of a wrong one */

	if (ask->has_failed) { return; }
	if (!is_there) {
		key_fail(ask->message,
			 "%s: OpenSSL cannot use PKCS#11%s; it needs pkcs11-provider, or on Debian 12 "
			 "libengine-pkcs11-openssl",
			 uri->uri, uri->module[0] ? " with this module-path" : "");
	} else if (reason || ask->count > 1) {
		key_fail(ask->message, "%s: the token refuses the PIN (%s)", uri->uri, reason ? reason : "wrong");
	} else if (count > 1) {
		key_fail(ask->message, "%s: more than one key; name token and object in the URI", uri->uri);
	} else {
		key_fail(ask->message, "%s: no such key%s; 'pkcs11-tool --list-objects --login' tells what is there%s",
			 uri->uri, is_pin_in_doubt ? ", or the PIN is wrong" : "",
			 uri->module[0] ? ""
					: ", and module-path in the URI names a library that p11-kit does not know");
	}
}

EVP_PKEY *sign_token_open(struct sign_token *token, const struct sign_uri *uri, const struct sign_secret *secret,
			  struct key_message *message)
{
	struct sign_ask ask = {
		.secret = secret, .kind = "PIN", .ref = uri->uri, .pin_file = uri->pin_file, .message = message
	};
	bool has_library = !strchr(uri->module, '/') || access(uri->module, R_OK) == 0;
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(sign_ask, 0);
	bool is_there = ui != NULL;
	unsigned count = 0;
	EVP_PKEY *key = NULL;

	if (!has_library) {
		key_fail(message, "%s: cannot be read: %s; module-path names the token's PKCS#11 library", uri->module,
			 strerror(errno));
		UI_destroy_method(ui);
		return NULL;
	}
	ERR_clear_error();
	if (ui && load_provider(token, uri)) {
		key = open_by_provider(token, uri, ui, &ask, &count);
	} else if (ui) {
		unload_provider(token);
		key = sign_engine_open(token, uri, ui, &ask, &is_there);
	}
	UI_destroy_method(ui);
	if (!key) { explain(&ask, uri, count, is_there, token->engine != NULL); }
	ERR_clear_error();
	return key;
}

void sign_token_close(struct sign_token *token)
{
	sign_engine_close(token);
	unload_provider(token);
}
