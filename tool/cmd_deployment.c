/* SPDX-License-Identifier: Apache-2.0 */
/* atfota deployment. */
#include <string.h>

#include "resource.h"

static const struct tool_column list_columns[] = {
	{ "ID", "id" },
	{ "PRODUCT", "product" },
	{ "VERSION", "version.name" },
	{ "STATE", "state" },
	{ "CREATED", "created" },
	{ "REPORTS", "counts" },
	{ 0 },
};

static const struct tool_column show_columns[] = {
	{ "ID", "id" },
	{ "PRODUCT", "product" },
	{ "VERSION", "version.name" },
	{ "VERSION ID", "version.id" },
	{ "STATE", "state" },
	{ "CREATED", "created" },
	{ "CLOSED", "closed" },
	{ "REPORTS", "counts" },
	{ 0 },
};

static const struct tool_column report_columns[] = {
	{ "TIME", "time" },
	{ "DEVICE", "device" },
	{ "STATE", "state" },
	{ "CODE", "code" },
	{ "RECEIVED", "received", true },
	{ "VERSION", "version" },
	{ 0 },
};

static const struct resource deployment = {
	.noun = "deployment",
	.collection = "/deployments",
	.columns = list_columns,
	.details = show_columns,
};

/* A version by its name needs the product; without one it is an ID. */
static enum tool_status list(struct api *api, const struct tool_args *args, struct tool_error *err)
{
	const char *version = args->opt[TOOL_OPT_VERSION];
	char product[RESOURCE_ID_MAX_BYTES], version_id[RESOURCE_ID_MAX_BYTES];
	const char *product_id;
	struct api_path path;
	enum tool_status status = resource_product_id(api, args, product, &product_id, err);

	if (!status && version) { status = resource_version_id(api, args, version, NULL, version_id, err); }
	if (status) { return status; }
	api_path_init(&path, deployment.collection);
	api_path_query(&path, "product", product_id);
	api_path_query(&path, "version", version ? version_id : NULL);
	api_path_query(&path, "state", args->opt[TOOL_OPT_STATE]);
	return resource_print_path(api, &path, list_columns, args, err);
}

static enum tool_status run_list(const struct tool_args *args, struct tool_error *err)
{
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = list(&api, args, err); }
	api_close(&api);
	return status;
}

static enum tool_status run_reports(const struct tool_args *args, struct tool_error *err)
{
	struct api_path path;
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	api_path_init(&path, deployment.collection);
	api_path_add(&path, args->pos[0]);
	api_path_add(&path, "reports");
	api_path_query(&path, "device", args->opt[TOOL_OPT_DEVICE]);
	if (!status) { status = resource_print_path(&api, &path, report_columns, args, err); }
	api_close(&api);
	return status;
}

static enum tool_status run_show(const struct tool_args *args, struct tool_error *err)
{
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = resource_show_id(&api, &deployment, args, args->pos[0], err); }
	api_close(&api);
	return status;
}

static enum tool_status act(const char *action, const struct tool_args *args, struct tool_error *err)
{
	struct api api;
	enum tool_status status = api_open(&api, args, err);

	if (!status) { status = resource_act_id(&api, &deployment, action, args, args->pos[0], err); }
	api_close(&api);
	return status;
}

static enum tool_status run_close(const struct tool_args *args, struct tool_error *err)
{
	return act("close", args, err);
}

static enum tool_status run_open(const struct tool_args *args, struct tool_error *err)
{
	return act("open", args, err);
}

static const struct argp_option list_options[] = {
	{ "product", TOOL_KEY(PRODUCT), "ID|NAME", 0, "Only of this product", 0 },
	{ "version", TOOL_KEY(VERSION), "ID|NAME", 0, "Only of this version; a name needs --product", 0 },
	{ "state", TOOL_KEY(STATE), "STATE", 0, "open or closed", 0 },
	RESOURCE_OPTION_LIMIT,
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option report_options[] = {
	{ "device", TOOL_KEY(DEVICE), "NAME", 0, "Only of this device", 0 },
	RESOURCE_OPTION_LIMIT,
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option json_options[] = { TOOL_OPTIONS_JSON, { 0 } };

const struct tool_command tool_deployment_commands[] = {
	{ TOOL_PLATFORM_LEAF("list", "List deployments with what modules reported", run_list, list_options) },
	{ TOOL_PLATFORM_LEAF("show", "Show a deployment", run_show, json_options), TOOL_ONE("ID") },
	{ TOOL_PLATFORM_LEAF("reports", "List what modules reported", run_reports, report_options), TOOL_ONE("ID") },
	{ TOOL_PLATFORM_LEAF("close", "Stop the offer; the version stays published", run_close, json_options),
	  TOOL_ONE("ID") },
	{ TOOL_PLATFORM_LEAF("open", "Offer again", run_open, json_options), TOOL_ONE("ID") },
	{ 0 },
};
