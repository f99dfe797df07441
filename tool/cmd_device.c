/* SPDX-License-Identifier: Apache-2.0 */
/* atfota device. */
#include "resource.h"

static const struct tool_column list_columns[] = {
	{ "DEVICE", "device" }, { "PRODUCT", "product" },     { "VERSION", "version" },
	{ "TARGET", "target" }, { "LAST SEEN", "last_seen" }, { 0 },
};

static const struct tool_column show_columns[] = {
	{ "ID", "id" },
	{ "DEVICE", "device" },
	{ "PRODUCT", "product" },
	{ "VERSION", "version" },
	{ "TARGET", "target" },
	{ "FIRST SEEN", "first_seen" },
	{ "LAST SEEN", "last_seen" },
	{ "ATTRIBUTES", "attributes" },
	{ 0 },
};

static const struct resource_filter filters[] = {
	{ "product", TOOL_OPT_PRODUCT },
	{ "version", TOOL_OPT_VERSION },
	{ 0 },
};

/* A device's name is mostly digits, so it is looked for in front of the ID. */
static const struct resource device = {
	.noun = "device",
	.collection = "/devices",
	.name_key = "device",
	.has_name_query = true,
	.filters = filters,
	.columns = list_columns,
	.details = show_columns,
};

static enum tool_status run_list(const struct tool_args *args, struct tool_error *err)
{
	return resource_list(&device, args, err);
}

static enum tool_status run_show(const struct tool_args *args, struct tool_error *err)
{
	return resource_show(&device, args, err);
}

#define OPTION_PRODUCT                                                                  \
	{                                                                               \
		"product", TOOL_KEY(PRODUCT), "ID|NAME", 0, "Product of the devices", 0 \
	}

static const struct argp_option list_options[] = {
	OPTION_PRODUCT,
	{ "version", TOOL_KEY(VERSION), "NAME", 0, "Only those that run this version", 0 },
	RESOURCE_OPTION_LIMIT,
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option show_options[] = { OPTION_PRODUCT, TOOL_OPTIONS_JSON, { 0 } };

const struct tool_command tool_device_commands[] = {
	{ TOOL_PLATFORM_LEAF("list", "List modules that asked the platform", run_list, list_options) },
	{ TOOL_PLATFORM_LEAF("show", "Show one module", run_show, show_options), TOOL_ONE("DEVICE|ID") },
	{ 0 },
};
