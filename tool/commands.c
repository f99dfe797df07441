/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of commands. */
#include "command.h"

static const struct argp_option login_options[] = { { 0 } };

static const struct argp_option codes_options[] = {
	TOOL_OPTIONS_JSON,
	{ "man", TOOL_KEY(MAN), NULL, 0, "Print the sections of the manual page that are made from the tables", 0 },
	{ 0 },
};

static const struct tool_command root_commands[] = {
	{ .name = "login",
	  .doc = "Check a token and store it with its server",
	  .options = login_options,
	  .option_groups = tool_platform_options,
	  .where = 'p',
	  .run = tool_login },
	{ .name = "oem", .doc = "OEMs: who designs modules", .children = tool_oem_commands, .where = 'p' },
	{ .name = "model", .doc = "Models of an OEM's modules", .children = tool_model_commands, .where = 'p' },
	{ .name = "product",
	  .doc = "Products: ID and secret that modules use",
	  .children = tool_product_commands,
	  .where = 'p' },
	{ .name = "product-key",
	  .doc = "Public keys that may sign for a product",
	  .children = tool_product_key_commands,
	  .where = 'p' },
	{ .name = "version",
	  .doc = "Firmware versions and their packages",
	  .children = tool_version_commands,
	  .where = 'p' },
	{ .name = "device",
	  .doc = "Modules that the platform has seen",
	  .children = tool_device_commands,
	  .where = 'p' },
	{ .name = "deployment",
	  .doc = "Offers of a version, and what came of them",
	  .children = tool_deployment_commands,
	  .where = 'p' },
	{ .name = "token", .doc = "Tokens of the admin API", .children = tool_token_commands, .where = 'p' },
	{ .name = "module",
	  .doc = "Drive a module over its port: AT commands, upgrade",
	  .children = tool_module_commands,
	  .where = 'm' },
	{ .name = "key",
	  .doc = "Keys that sign packages, in a file or in a PKCS#11 token",
	  .children = tool_key_commands,
	  .where = 's' },
	{ .name = "package",
	  .doc = "Signed manifests of packages: build, sign, verify, show",
	  .children = tool_package_commands,
	  .where = 's' },
	{ .name = "codes",
	  .args_doc = "[CODE]",
	  .pos_max = 1,
	  .doc = "List the result codes of an upgrade and what to do about them",
	  .options = codes_options,
	  .where = 'm',
	  .run = tool_codes },
	{ 0 },
};

const struct tool_command tool_root = {
	.name = "atfota",
	.doc = "Firmware over the air for cellular modules: drives a module over its port, and the\n"
	       "platform over its API; signs packages, offline.",
	.children = root_commands,
	.where = 'b',
};
