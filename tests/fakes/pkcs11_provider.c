/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for pkcs11-provider, which Debian 12 does not have: an OpenSSL provider of the
 * same name with a store for "pkcs11:" URIs. Its token is a folder (FAKE_TOKEN) with a file
 * `pin` and a PEM file for each object; object= in the URI names one, without it all are
 * meant. As with the real one, a private key costs the PIN and a public key does not.
 *
 * What it cannot show is a signature made inside a token: its keys are in memory. */
#include <dirent.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/params.h>
#include <openssl/store.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES   512
#define OBJECT_MAX   8
#define FILE_BYTES   4096
#define NAME_BYTES   128
#define OBJECT_FIELD "object="

struct store {
	char paths[OBJECT_MAX][PATH_BYTES];
	int count, next;
	int expected; /* OSSL_STORE_INFO_... */
	bool is_open; /* the PIN was right, or none is needed */
};

static const char *folder(void)
{
	const char *path = getenv("FAKE_TOKEN");

	return path ? path : "/nonexistent";
}

static void add(struct store *store, const char *name)
{
	if (store->count == OBJECT_MAX) { return; }
	snprintf(store->paths[store->count++], PATH_BYTES, "%s/%s", folder(), name);
}

static void add_each(struct store *store, const char *wanted)
{
	DIR *dir = opendir(folder());
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		const char *end = strstr(entry->d_name, ".pem");

		if (!end || (wanted[0] && strcmp(wanted, entry->d_name) != 0)) { continue; }
		add(store, entry->d_name);
	}
	if (dir) { closedir(dir); }
}

static void *store_open(void *provider, const char *uri)
{
	struct store *store = calloc(1, sizeof *store);
	const char *object = strstr(uri, OBJECT_FIELD);
	char wanted[NAME_BYTES] = "";

	(void)provider;
	if (!store) { return NULL; }
	if (object) {
		object += strlen(OBJECT_FIELD);
		snprintf(wanted, sizeof wanted, "%.*s.pem", (int)strcspn(object, ";?"), object);
	}
	add_each(store, wanted);
	return store;
}

static const OSSL_PARAM *store_settable(void *provider)
{
	static const OSSL_PARAM settable[] = { OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, NULL), OSSL_PARAM_END };

	(void)provider;
	return settable;
}

static int store_set(void *ctx, const OSSL_PARAM params[])
{
	struct store *store = ctx;
	const OSSL_PARAM *expect = OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);

	return !expect || OSSL_PARAM_get_int(expect, &store->expected);
}

static size_t read_file(const char *path, char *text)
{
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, FILE_BYTES - 1, file) : 0;

	if (file) { fclose(file); }
	text[len] = '\0';
	return len;
}

static bool has_pin(OSSL_PASSPHRASE_CALLBACK *ask, void *ask_ctx)
{
	char path[PATH_BYTES], right[FILE_BYTES], given[256];
	size_t len = 0;

	snprintf(path, sizeof path, "%s/pin", folder());
	if (!read_file(path, right) || !ask(given, sizeof given, &len, NULL, ask_ctx)) { return false; }
	right[strcspn(right, "\n")] = '\0';
	return len == strlen(right) && memcmp(right, given, len) == 0;
}

static int store_load(void *ctx, OSSL_CALLBACK *give, void *give_ctx, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_ctx)
{
	struct store *store = ctx;
	int type = OSSL_OBJECT_PKEY;
	char text[FILE_BYTES], kind[] = "EC";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
				OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, kind, 0),
				OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, text, 0),
				OSSL_PARAM_construct_end() };

	params[2].data_size = read_file(store->paths[store->next++], text);
	store->is_open = store->is_open || store->expected == OSSL_STORE_INFO_PUBKEY || has_pin(ask, ask_ctx);
	return store->is_open && give(params, give_ctx);
}

static int store_eof(void *ctx)
{
	const struct store *store = ctx;

	return store->next >= store->count;
}

static int store_close(void *ctx)
{
	free(ctx);
	return 1;
}

static const OSSL_DISPATCH store_functions[] = {
	{ OSSL_FUNC_STORE_OPEN, (void (*)(void))store_open },
	{ OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS, (void (*)(void))store_settable },
	{ OSSL_FUNC_STORE_SET_CTX_PARAMS, (void (*)(void))store_set },
	{ OSSL_FUNC_STORE_LOAD, (void (*)(void))store_load },
	{ OSSL_FUNC_STORE_EOF, (void (*)(void))store_eof },
	{ OSSL_FUNC_STORE_CLOSE, (void (*)(void))store_close },
	{ 0, NULL },
};

static const OSSL_ALGORITHM stores[] = { { "pkcs11", "provider=pkcs11", store_functions, NULL }, { 0 } };

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	return operation == OSSL_OP_STORE ? stores : NULL;
}

static const OSSL_DISPATCH functions[] = {
	{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
	{ 0, NULL },
};

OSSL_provider_init_fn OSSL_provider_init;

int OSSL_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **ctx)
{
	static int nothing;

	(void)handle;
	(void)in;
	*out = functions;
	*ctx = &nothing;
	return 1;
}
