/* SPDX-License-Identifier: Apache-2.0 */
/* atfota product-key: the public keys that may sign for a product. The file is read as a module reads its
 * trusted keys, and what is sent is the key that was found: a private key that was named by mistake does not
 * leave this machine. */
#include "public_key.h"
#include "resource.h"
#include "trust_file.h"

static const struct tool_column columns[] = {
	{ "KEY", "kid" },
	{ "NAME", "name" },
	{ "CREATED", "created" },
	{ 0 },
};

/* Begins the path of a product's keys. */
static enum tool_status keys_path(struct api *api, const struct tool_args *args, struct api_path *path,
				  struct tool_error *err)
{
	char product[RESOURCE_ID_MAX_BYTES];
	const char *product_id;
	enum tool_status status = resource_product_id(api, args, product, &product_id, err);

	if (status) { return status; }
	api_path_init(path, "/products");
	api_path_add(path, product_id);
	api_path_add(path, "keys");
	return TOOL_STATUS_OK;
}

static enum tool_status read_key(const char *file, char pem[PUBLIC_KEY_PEM_MAX_BYTES], struct tool_error *err)
{
	struct fota_trusted_key keys[2];
	struct trust_keys trust = { .keys = keys, .cap = 2 };
	struct key_message message;

	if (trust_file_load(file, &trust, &message) != 0) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s", message.text);
	}
	if (trust.count != 1) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s has several keys; give the platform one at a time", file);
	}
	if (public_key_pem(&keys[0], pem)) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL, "%s: the key cannot be used", file);
}

/* The body of the request; NULL if a text is no UTF-8. */
static json_t *new_key(const struct tool_args *args, const char *pem)
{
	if (!args->opt[TOOL_OPT_NAME]) { return json_pack("{s:s}", "pem", pem); }
	return json_pack("{s:s, s:s}", "pem", pem, "name", args->opt[TOOL_OPT_NAME]);
}

static enum tool_status create(struct api *api, const struct tool_args *args, const char *pem, json_t **key,
			       struct tool_error *err)
{
	struct api_path path;
	json_t *body;
	enum tool_status status = keys_path(api, args, &path, err);

	if (status) { return status; }
	body = new_key(args, pem);
	if (!body) { return tool_fail(err, TOOL_STATUS_FAIL, "the name is no UTF-8 text"); }
	return api_call(api, "POST", &path, body, key, err);
}

static enum tool_status run_create(const struct tool_args *args, struct tool_error *err)
{
	char pem[PUBLIC_KEY_PEM_MAX_BYTES];
	struct api api = { 0 };
	json_t *key = NULL;
	enum tool_status status = read_key(args->pos[0], pem, err);

	if (!status) { status = api_open(&api, args, err); }
	if (!status) { status = create(&api, args, pem, &key, err); }
	if (!status) { resource_print(columns, args, key); }
	json_decref(key);
	api_close(&api);
	return status;
}

static enum tool_status run_list(const struct tool_args *args, struct tool_error *err)
{
	struct api_path path;
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = keys_path(&api, args, &path, err); }
	if (!status) { status = resource_print_path(&api, &path, columns, args, err); }
	api_close(&api);
	return status;
}

static enum tool_status run_delete(const struct tool_args *args, struct tool_error *err)
{
	struct api_path path;
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = keys_path(&api, args, &path, err); }
	if (!status) {
		api_path_add(&path, args->pos[0]);
		status = api_call(&api, "DELETE", &path, NULL, NULL, err);
	}
	api_close(&api);
	return status;
}

#define OPTION_PRODUCT                                                                                \
	{                                                                                             \
		"product", TOOL_KEY(PRODUCT), "ID|NAME", 0, "Product whose packages the key signs", 0 \
	}

static const struct argp_option create_options[] = {
	OPTION_PRODUCT,
	{ "name", TOOL_KEY(NAME), "TEXT", 0, "A label for people", 0 },
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option list_options[] = { OPTION_PRODUCT, RESOURCE_OPTION_LIMIT, TOOL_OPTIONS_JSON, { 0 } };
static const struct argp_option delete_options[] = { OPTION_PRODUCT, TOOL_OPTIONS_JSON, { 0 } };

const struct tool_command tool_product_key_commands[] = {
	{ TOOL_PLATFORM_LEAF("create", "Let a key sign for a product; FILE is its public half, in PEM", run_create,
			     create_options),
	  TOOL_ONE("FILE"), .required = TOOL_NEED(PRODUCT) },
	{ TOOL_PLATFORM_LEAF("list", "List the keys of a product", run_list, list_options),
	  .required = TOOL_NEED(PRODUCT) },
	{ TOOL_PLATFORM_LEAF("delete", "Delete a key on which no published version hangs", run_delete, delete_options),
	  TOOL_ONE("KEY"), .required = TOOL_NEED(PRODUCT) },
	{ 0 },
};
