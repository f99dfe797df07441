/* SPDX-License-Identifier: Apache-2.0 */
/* atfota token. The platform tells a token once, when it is made. */
#include <string.h>

#include "file.h"
#include "resource.h"

static const struct tool_column list_columns[] = {
	{ "ID", "id" },
	{ "NAME", "name" },
	{ "CREATED", "created" },
	{ 0 },
};

static const struct resource token = {
	.noun = "token",
	.collection = "/tokens",
	.name_key = "name",
	.columns = list_columns,
	.details = list_columns,
};

/* As with the secret of a product: into the file and out of what is shown. */
static enum tool_status keep_token(const struct tool_args *args, json_t *made, struct tool_error *err)
{
	const char *text = api_text(made, "token");
	char line[TOOL_SECRET_MAX_BYTES];
	enum tool_status status;

	if (!args->opt[TOOL_OPT_TOKEN_OUT]) { return TOOL_STATUS_OK; }
	if (!text) { return tool_fail(err, TOOL_STATUS_REFUSED, "the platform's answer has no token in it"); }
	snprintf(line, sizeof line, "%s\n", text);
	status = tool_file_write(args->opt[TOOL_OPT_TOKEN_OUT], line, err);
	explicit_bzero(line, sizeof line);
	if (!status) { json_object_del(made, "token"); }
	return status;
}

static enum tool_status print_new(const struct tool_args *args, json_t *made, struct tool_error *err)
{
	enum tool_status status = keep_token(args, made, err);

	resource_print(list_columns, args, made);
	if (!args->opt[TOOL_OPT_JSON] && api_text(made, "token")) { printf("TOKEN    %s\n", api_text(made, "token")); }
	return status;
}

static enum tool_status run_create(const struct tool_args *args, struct tool_error *err)
{
	struct api_path path;
	struct api api;
	json_t *made = NULL;
	enum tool_status status = api_open(&api, args, err);

	api_path_init(&path, token.collection);
	if (!status) { status = api_call(&api, "POST", &path, json_pack("{s:s}", "name", args->pos[0]), &made, err); }
	if (!status) { status = print_new(args, made, err); }
	json_decref(made);
	api_close(&api);
	return status;
}

static enum tool_status run_list(const struct tool_args *args, struct tool_error *err)
{
	return resource_list(&token, args, err);
}

static enum tool_status run_delete(const struct tool_args *args, struct tool_error *err)
{
	return resource_delete(&token, args, err);
}

static const struct argp_option create_options[] = {
	{ "token-out", TOOL_KEY(TOKEN_OUT), "FILE", 0, "Write the token into FILE (mode 0600), do not show it", 0 },
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option list_options[] = { RESOURCE_OPTION_LIMIT, TOOL_OPTIONS_JSON, { 0 } };

const struct tool_command tool_token_commands[] = {
	{ TOOL_PLATFORM_LEAF("create", "Make a token; it is shown this once", run_create, create_options),
	  TOOL_ONE("NAME") },
	{ TOOL_PLATFORM_LEAF("list", "List tokens, by name only", run_list, list_options) },
	{ TOOL_PLATFORM_LEAF("delete", "Delete a token; it is of no use from then on", run_delete, NULL),
	  TOOL_ONE("NAME|ID") },
	{ 0 },
};
