/* SPDX-License-Identifier: Apache-2.0 */
/* atfota product. The platform shows a secret when it makes one, and on demand; it
 * goes to the terminal, or into a file that only its owner can read. */
#include <string.h>

#include "file.h"
#include "resource.h"

static const struct tool_column product_columns[] = {
	{ "ID", "id" }, { "OEM", "oem" }, { "MODEL", "model" }, { "NAME", "name" }, { "CREATED", "created" }, { 0 },
};

static const struct tool_column secret_columns[] = {
	{ "ID", "id" },
	{ "SECRET", "secret" },
	{ 0 },
};

static const struct resource_filter product_filters[] = {
	{ "oem", TOOL_OPT_OEM },
	{ "model", TOOL_OPT_MODEL },
	{ 0 },
};

const struct resource resource_product = {
	.noun = "product",
	.collection = "/products",
	.name_key = "name",
	.filters = product_filters,
	.columns = product_columns,
	.details = product_columns,
};

/* A product ID is the key itself: nothing has to be asked for it. */
static enum tool_status find(struct api *api, const struct tool_args *args, const char *ref, char *id,
			     struct tool_error *err)
{
	if (*ref && ref[strspn(ref, "0123456789")] == '\0' && strlen(ref) < RESOURCE_ID_MAX_BYTES) {
		strcpy(id, ref);
		return TOOL_STATUS_OK;
	}
	return resource_find(api, &resource_product, args, ref, id, err);
}

enum tool_status resource_product_id(struct api *api, const struct tool_args *args, char *id, const char **id_or_null,
				     struct tool_error *err)
{
	*id_or_null = args->opt[TOOL_OPT_PRODUCT] ? id : NULL;
	if (!*id_or_null) { return TOOL_STATUS_OK; }
	return find(api, args, args->opt[TOOL_OPT_PRODUCT], id, err);
}

/* The secret of an answer goes into --secret-out, if that is given, and out of `product`. */
static enum tool_status keep_secret(const struct tool_args *args, json_t *product, struct tool_error *err)
{
	const char *secret = api_text(product, "secret");
	char line[TOOL_SECRET_MAX_BYTES];
	enum tool_status status;

	if (!args->opt[TOOL_OPT_SECRET_OUT]) { return TOOL_STATUS_OK; }
	if (!secret) { return tool_fail(err, TOOL_STATUS_REFUSED, "the platform's answer has no secret in it"); }
	snprintf(line, sizeof line, "%s\n", secret);
	status = tool_file_write(args->opt[TOOL_OPT_SECRET_OUT], line, err);
	explicit_bzero(line, sizeof line);
	if (!status) { json_object_del(product, "secret"); }
	return status;
}

/* Without --secret-out the secret is shown; what was made is shown in each case, since it
 * is there even if the file cannot be written. */
static enum tool_status print_new(const struct tool_args *args, json_t *product, struct tool_error *err)
{
	enum tool_status status = keep_secret(args, product, err);

	resource_print(product_columns, args, product);
	if (!args->opt[TOOL_OPT_JSON] && api_text(product, "secret")) {
		printf("SECRET   %s\n", api_text(product, "secret"));
	}
	return status;
}

/* Adds "secret" from --secret-file or the environment if an ID was given. */
static enum tool_status add_secret(const struct tool_args *args, json_t *body, struct tool_error *err)
{
	const struct tool_secret_source source = {
		.what = "product secret",
		.file = args->opt[TOOL_OPT_SECRET_FILE],
		.file_option = "--secret-file",
		.variable = "ATFOTA_PRODUCT_SECRET",
	};
	char secret[TOOL_SECRET_MAX_BYTES];
	enum tool_status status;

	if (!args->opt[TOOL_OPT_ID]) { return TOOL_STATUS_OK; }
	json_object_set_new(body, "id", json_string(args->opt[TOOL_OPT_ID]));
	status = tool_secret_get(&source, secret, sizeof secret, err);
	if (!status) { json_object_set_new(body, "secret", json_string(secret)); }
	explicit_bzero(secret, sizeof secret);
	return status;
}

static enum tool_status post(struct api *api, const struct tool_args *args, json_t *body, struct tool_error *err)
{
	struct api_path path;
	json_t *product = NULL;
	enum tool_status status;

	api_path_init(&path, resource_product.collection);
	status = api_call(api, "POST", &path, body, &product, err);
	if (!status) { status = print_new(args, product, err); }
	json_decref(product);
	return status;
}

static enum tool_status run_create(const struct tool_args *args, struct tool_error *err)
{
	struct api api = { 0 };
	json_t *body = json_pack("{s:s, s:s}", "oem", args->opt[TOOL_OPT_OEM], "model", args->opt[TOOL_OPT_MODEL]);
	enum tool_status status;

	if (!body) { return tool_fail(err, TOOL_STATUS_FAIL, "a name is no UTF-8 text"); }
	if (args->opt[TOOL_OPT_SECRET_FILE] && !args->opt[TOOL_OPT_ID]) {
		json_decref(body);
		return tool_fail(err, TOOL_STATUS_FAIL,
				 "--secret-file goes with --id: both are given, or both are made");
	}
	if (args->opt[TOOL_OPT_NAME]) { json_object_set_new(body, "name", json_string(args->opt[TOOL_OPT_NAME])); }
	status = add_secret(args, body, err);
	if (!status) { status = api_open(&api, args, err); }
	if (!status) { status = post(&api, args, json_incref(body), err); }
	json_decref(body);
	api_close(&api);
	return status;
}

static enum tool_status reveal(struct api *api, const struct tool_args *args, const char *id, struct tool_error *err)
{
	struct api_path path;
	json_t *answer = NULL;
	enum tool_status status;

	api_path_init(&path, resource_product.collection);
	api_path_add(&path, id);
	api_path_add(&path, "secret");
	status = api_call(api, "POST", &path, json_object(), &answer, err);
	if (!status) { status = keep_secret(args, answer, err); }
	if (!status && !args->opt[TOOL_OPT_SECRET_OUT]) { resource_print(secret_columns, args, answer); }
	json_decref(answer);
	return status;
}

static enum tool_status run_secret(const struct tool_args *args, struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = find(&api, args, args->pos[0], id, err); }
	if (!status) { status = reveal(&api, args, id, err); }
	api_close(&api);
	return status;
}

static enum tool_status run_list(const struct tool_args *args, struct tool_error *err)
{
	return resource_list(&resource_product, args, err);
}

static enum tool_status run_show(const struct tool_args *args, struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = find(&api, args, args->pos[0], id, err); }
	if (!status) { status = resource_show_id(&api, &resource_product, args, id, err); }
	api_close(&api);
	return status;
}

static enum tool_status run_delete(const struct tool_args *args, struct tool_error *err)
{
	char id[RESOURCE_ID_MAX_BYTES];
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = find(&api, args, args->pos[0], id, err); }
	if (!status) { status = resource_delete_id(&api, &resource_product, id, err); }
	api_close(&api);
	return status;
}

#define OPTION_OEM                                                       \
	{                                                                \
		"oem", TOOL_KEY(OEM), "NAME", 0, "OEM of the product", 0 \
	}
#define OPTION_MODEL                                                           \
	{                                                                      \
		"model", TOOL_KEY(MODEL), "NAME", 0, "Model of the product", 0 \
	}
#define OPTION_SECRET_OUT                                                           \
	{                                                                           \
		"secret-out", TOOL_KEY(SECRET_OUT), "FILE", 0,                      \
			"Write the secret into FILE (mode 0600), do not show it", 0 \
	}

static const struct argp_option create_options[] = {
	OPTION_OEM,
	OPTION_MODEL,
	{ "name", TOOL_KEY(NAME), "TEXT", 0, "A label for people", 0 },
	{ "id", TOOL_KEY(ID), "DIGITS", 0, "Take over this product ID, with its secret (default: both are made)", 0 },
	{ "secret-file", TOOL_KEY(SECRET_FILE), "FILE", 0,
	  "File with the secret that goes with --id, - for standard input [ATFOTA_PRODUCT_SECRET, else a prompt]", 0 },
	OPTION_SECRET_OUT,
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option list_options[] = {
	OPTION_OEM, OPTION_MODEL, RESOURCE_OPTION_LIMIT, TOOL_OPTIONS_JSON, { 0 },
};
static const struct argp_option secret_options[] = { OPTION_SECRET_OUT, TOOL_OPTIONS_JSON, { 0 } };
static const struct argp_option json_options[] = { TOOL_OPTIONS_JSON, { 0 } };

const struct tool_command tool_product_commands[] = {
	{ TOOL_PLATFORM_LEAF("create", "Create a product; its secret is shown this once", run_create, create_options),
	  .required = TOOL_NEED(OEM) | TOOL_NEED(MODEL) },
	{ TOOL_PLATFORM_LEAF("list", "List products", run_list, list_options) },
	{ TOOL_PLATFORM_LEAF("show", "Show a product, without its secret", run_show, json_options),
	  TOOL_ONE("ID|NAME") },
	{ TOOL_PLATFORM_LEAF("secret", "Reveal the secret; the platform notes that in its log", run_secret,
			     secret_options),
	  TOOL_ONE("ID|NAME") },
	{ TOOL_PLATFORM_LEAF("delete", "Delete a product that has no versions", run_delete, json_options),
	  TOOL_ONE("ID|NAME") },
	{ 0 },
};
