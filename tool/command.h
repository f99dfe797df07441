/* SPDX-License-Identifier: Apache-2.0 */
/* Commands are rows of const tables: a node has children, a leaf has options and a
 * function. Adding a command is one row and one function. */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "status.h"

/* Every option of every command; a leaf names those that it takes. */
enum tool_opt {
	TOOL_OPT_SERVER,
	TOOL_OPT_TOKEN_FILE,
	TOOL_OPT_CA,
	TOOL_OPT_ALLOW_HTTP,
	TOOL_OPT_JSON,
	TOOL_OPT_LIMIT,
	TOOL_OPT_OEM,
	TOOL_OPT_MODEL,
	TOOL_OPT_PRODUCT,
	TOOL_OPT_NAME,
	TOOL_OPT_ID,
	TOOL_OPT_SECRET_FILE,
	TOOL_OPT_SECRET_OUT,
	TOOL_OPT_TOKEN_OUT,
	TOOL_OPT_NOTES,
	TOOL_OPT_FROM,
	TOOL_OPT_STATE,
	TOOL_OPT_VERSION,
	TOOL_OPT_DEVICE,
	TOOL_OPT_PORT,
	TOOL_OPT_BAUD,
	TOOL_OPT_TARGET,
	TOOL_OPT_TIMEOUT,
	TOOL_OPT_TRANSCRIPT,
	TOOL_OPT_MAN,
	TOOL_OPT_KEY,
	TOOL_OPT_PASSPHRASE_FILE,
	TOOL_OPT_NO_PASSPHRASE,
	TOOL_OPT_SEQUENCE,
	TOOL_OPT_URI,
	TOOL_OPT_OUTPUT,
	TOOL_OPT_MANIFEST,
	TOOL_OPT_CONFIRM,
	TOOL_OPT_COUNT,
};

#define TOOL_KEY_FIRST 0x100 /* above every character: no short options but one */
#define TOOL_KEY(opt)  (TOOL_KEY_FIRST + (int)TOOL_OPT_##opt)
#define TOOL_NEED(opt) (UINT64_C(1) << TOOL_OPT_##opt)
#define TOOL_POS_MAX   2u
#define TOOL_FROM_MAX  64u
#define TOOL_SIGN_MAX  8u /* as many signatures as a manifest may have */
#define TOOL_OPTION_OUTPUT(words)                                \
	{                                                        \
		"output", TOOL_SHORT_OUTPUT, "FILE", 0, words, 0 \
	}
#define TOOL_SHORT_OUTPUT 'o'
#define TOOL_OPTIONS_JSON                                                      \
	{                                                                      \
		"json", TOOL_KEY(JSON), NULL, 0, "Print JSON, for programs", 0 \
	}

/* What stood on the command line. Absent options are NULL, flags are "". */
struct tool_args {
	const char *opt[TOOL_OPT_COUNT];
	const char *from[TOOL_FROM_MAX]; /* --from can be repeated */
	unsigned from_count;
	const char *key[TOOL_SIGN_MAX]; /* so can --key */
	unsigned key_count;
	const char *passphrase_file[TOOL_SIGN_MAX]; /* and --passphrase-file */
	unsigned passphrase_file_count;
	const char *pos[TOOL_POS_MAX];
	unsigned pos_count;
};

struct tool_command {
	const char *name;
	const char *args_doc; /* leaf: positional arguments; may be NULL */
	const char *doc;
	const struct tool_command *children;    /* node: ends with a row without name */
	const struct argp_option *options;      /* leaf: ends with an empty row; may be NULL */
	const struct argp_child *option_groups; /* leaf: options shared by many; may be NULL */
	uint64_t required;                      /* TOOL_NEED of each option that must be there */
	unsigned pos_min, pos_max;
	char where; /* 'm', 'p' or 's': which exit statuses --help lists */
	enum tool_status (*run)(const struct tool_args *args, struct tool_error *err);
};

/* Options of every command that talks to the platform; used as option_groups. */
extern const struct argp_child tool_platform_options[];

/* The members of a leaf that talks to the platform, and of one with a positional argument. */
#define TOOL_PLATFORM_LEAF(verb, text, function, leaf_options)                                            \
	.name = (verb), .doc = (text), .options = (leaf_options), .option_groups = tool_platform_options, \
	.where = 'p', .run = (function)
#define TOOL_ONE(words) .args_doc = (words), .pos_min = 1, .pos_max = 1

/* Walks the tables by argv, parses the options of the leaf and runs it. Prints help
 * to stdout if asked for, everything that fails to stderr. The exit status. */
enum tool_status tool_command_run(const struct tool_command *root, int argc, char **argv);

/* The tree of atfota. */
extern const struct tool_command tool_root;

/* One table of children each. */
extern const struct tool_command tool_oem_commands[];
extern const struct tool_command tool_model_commands[];
extern const struct tool_command tool_product_commands[];
extern const struct tool_command tool_product_key_commands[];
extern const struct tool_command tool_version_commands[];
extern const struct tool_command tool_device_commands[];
extern const struct tool_command tool_deployment_commands[];
extern const struct tool_command tool_token_commands[];
extern const struct tool_command tool_module_commands[];
extern const struct tool_command tool_key_commands[];
extern const struct tool_command tool_package_commands[];

enum tool_status tool_login(const struct tool_args *args, struct tool_error *err);
enum tool_status tool_codes(const struct tool_args *args, struct tool_error *err);

#endif
