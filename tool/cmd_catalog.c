/* SPDX-License-Identifier: Apache-2.0 */
/* atfota oem and atfota model. */
#include "resource.h"

static const struct tool_column oem_columns[] = {
	{ "ID", "id" },
	{ "NAME", "name" },
	{ "CREATED", "created" },
	{ 0 },
};

static const struct resource oem = {
	.noun = "oem",
	.collection = "/oems",
	.name_key = "name",
	.has_name_query = true,
	.columns = oem_columns,
	.details = oem_columns,
};

static const struct tool_column model_columns[] = {
	{ "ID", "id" }, { "OEM", "oem" }, { "NAME", "name" }, { "CREATED", "created" }, { 0 },
};

static const struct resource_filter model_filters[] = { { "oem", TOOL_OPT_OEM }, { 0 } };

static const struct resource model = {
	.noun = "model",
	.collection = "/models",
	.name_key = "name",
	.has_name_query = true,
	.filters = model_filters,
	.columns = model_columns,
	.details = model_columns,
};

static enum tool_status oem_create(const struct tool_args *args, struct tool_error *err)
{
	return resource_create(&oem, json_pack("{s:s}", "name", args->pos[0]), args, err);
}

static enum tool_status oem_list(const struct tool_args *args, struct tool_error *err)
{
	return resource_list(&oem, args, err);
}

static enum tool_status oem_show(const struct tool_args *args, struct tool_error *err)
{
	return resource_show(&oem, args, err);
}

static enum tool_status oem_delete(const struct tool_args *args, struct tool_error *err)
{
	return resource_delete(&oem, args, err);
}

static enum tool_status model_create(const struct tool_args *args, struct tool_error *err)
{
	json_t *body = json_pack("{s:s, s:s}", "oem", args->opt[TOOL_OPT_OEM], "name", args->pos[0]);

	return resource_create(&model, body, args, err);
}

static enum tool_status model_list(const struct tool_args *args, struct tool_error *err)
{
	return resource_list(&model, args, err);
}

static enum tool_status model_show(const struct tool_args *args, struct tool_error *err)
{
	return resource_show(&model, args, err);
}

static enum tool_status model_delete(const struct tool_args *args, struct tool_error *err)
{
	return resource_delete(&model, args, err);
}

static const struct argp_option json_options[] = { TOOL_OPTIONS_JSON, { 0 } };
static const struct argp_option list_options[] = { RESOURCE_OPTION_LIMIT, TOOL_OPTIONS_JSON, { 0 } };

#define OPTION_OEM                                                     \
	{                                                              \
		"oem", TOOL_KEY(OEM), "NAME", 0, "OEM of the model", 0 \
	}

static const struct argp_option model_options[] = { OPTION_OEM, TOOL_OPTIONS_JSON, { 0 } };
static const struct argp_option model_list_options[] = {
	OPTION_OEM,
	RESOURCE_OPTION_LIMIT,
	TOOL_OPTIONS_JSON,
	{ 0 },
};

const struct tool_command tool_oem_commands[] = {
	{ TOOL_PLATFORM_LEAF("create", "Create an OEM", oem_create, json_options), TOOL_ONE("NAME") },
	{ TOOL_PLATFORM_LEAF("list", "List all OEMs", oem_list, list_options) },
	{ TOOL_PLATFORM_LEAF("show", "Show an OEM", oem_show, json_options), TOOL_ONE("NAME|ID") },
	{ TOOL_PLATFORM_LEAF("delete", "Delete an OEM that has no models", oem_delete, json_options),
	  TOOL_ONE("NAME|ID") },
	{ 0 },
};

const struct tool_command tool_model_commands[] = {
	{ TOOL_PLATFORM_LEAF("create", "Create a model", model_create, model_options), TOOL_ONE("NAME"),
	  .required = TOOL_NEED(OEM) },
	{ TOOL_PLATFORM_LEAF("list", "List models", model_list, model_list_options) },
	{ TOOL_PLATFORM_LEAF("show", "Show a model", model_show, model_options), TOOL_ONE("NAME|ID") },
	{ TOOL_PLATFORM_LEAF("delete", "Delete a model that has no products", model_delete, model_options),
	  TOOL_ONE("NAME|ID") },
	{ 0 },
};
