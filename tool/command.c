/* SPDX-License-Identifier: Apache-2.0 */
/* argp parses the options of the leaves; nodes only choose a child. argp's own way
 * to print a version is a variable of the process, so --version is done here. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 64u
#define USAGE          "Try '%s --help'.\n"

struct parse {
	const struct tool_command *command;
	struct tool_args args;
};

/* An option that can be repeated. */
static void take_repeated(const char **list, unsigned *count, unsigned cap, const char *value, const char *name,
			  struct argp_state *state)
{
	if (*count == cap) { argp_error(state, "--%s stands more than %u times", name, cap); }
	list[(*count)++] = value;
}

static void take_option(struct parse *parse, int opt, const char *value, struct argp_state *state)
{
	struct tool_args *args = &parse->args;

	args->opt[opt] = value ? value : "";
	switch (opt) {
	case TOOL_OPT_FROM:
		take_repeated(args->from, &args->from_count, TOOL_FROM_MAX, value, "from", state);
		break;
	case TOOL_OPT_KEY:
		take_repeated(args->key, &args->key_count, TOOL_SIGN_MAX, value, "key", state);
		break;
	case TOOL_OPT_PASSPHRASE_FILE:
		take_repeated(args->passphrase_file, &args->passphrase_file_count, TOOL_SIGN_MAX, value,
			      "passphrase-file", state);
		break;
	default:
		break;
	}
}

static error_t parse_platform(int key, char *value, struct argp_state *state)
{
	if (key == TOOL_SHORT_OUTPUT) { key = TOOL_KEY(OUTPUT); }
	if (key < TOOL_KEY_FIRST || key >= TOOL_KEY_FIRST + TOOL_OPT_COUNT) { return ARGP_ERR_UNKNOWN; }
	take_option(state->input, key - TOOL_KEY_FIRST, value, state);
	return 0;
}

static const struct argp_option platform_options[] = {
	{ "server", TOOL_KEY(SERVER), "URL", 0, "Platform [ATFOTA_SERVER, else as stored by login]", 0 },
	{ "token-file", TOOL_KEY(TOKEN_FILE), "FILE", 0,
	  "File with the token, - for standard input [ATFOTA_TOKEN_FILE, ATFOTA_TOKEN, else as stored by login]", 0 },
	{ "ca", TOOL_KEY(CA), "FILE", 0, "Certificates (PEM) to trust instead of the system's [ATFOTA_CA]", 0 },
	{ "allow-http", TOOL_KEY(ALLOW_HTTP), NULL, 0, "Accept a server URL with plain http://", 0 },
	{ 0 },
};

static const struct argp platform_argp = { .options = platform_options, .parser = parse_platform };

const struct argp_child tool_platform_options[] = {
	{ &platform_argp, 0, "Platform:", 1 },
	{ 0 },
};

static const char *option_name(const struct argp_option *options, int opt)
{
	int key = opt == TOOL_OPT_OUTPUT ? TOOL_SHORT_OUTPUT : TOOL_KEY_FIRST + opt;

	for (; options && options->name; options++) {
		if (options->key == key) { return options->name; }
	}
	return "?";
}

static void check_required(const struct parse *parse, struct argp_state *state)
{
	const struct tool_command *command = parse->command;

	for (int opt = 0; opt < TOOL_OPT_COUNT; opt++) {
		if (!(command->required >> opt & 1) || parse->args.opt[opt]) { continue; }
		argp_error(state, "--%s is needed", option_name(command->options, opt));
	}
	if (parse->args.pos_count < command->pos_min) { argp_error(state, "needs %s", command->args_doc); }
}

static error_t parse_leaf(int key, char *value, struct argp_state *state)
{
	struct parse *parse = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		for (int i = 0; parse->command->option_groups && parse->command->option_groups[i].argp; i++) {
			state->child_inputs[i] = parse;
		}
		return 0;
	case ARGP_KEY_ARG:
		if (parse->args.pos_count == parse->command->pos_max) { argp_error(state, "'%s' is too much", value); }
		parse->args.pos[parse->args.pos_count++] = value;
		return 0;
	case ARGP_KEY_END:
		check_required(parse, state);
		return 0;
	default:
		return parse_platform(key, value, state);
	}
}

/* argp frees what differs from `text`. */
static char *help_filter(int key, const char *text, void *input)
{
	const struct parse *parse = input;
	char *help = NULL;
	size_t len = 0;
	FILE *out;

	if (key != ARGP_KEY_HELP_POST_DOC) { return (char *)(uintptr_t)text; }
	out = open_memstream(&help, &len);
	if (!out) { return NULL; }
	tool_status_print(out, parse->command->where);
	fclose(out);
	return help;
}

static enum tool_status run_leaf(const struct tool_command *command, const char *path, int argc, char **argv)
{
	struct parse parse = { .command = command };
	struct tool_error err = { "" };
	struct argp argp = { .options = command->options,
			     .parser = parse_leaf,
			     .args_doc = command->args_doc,
			     .doc = command->doc,
			     .children = command->option_groups,
			     .help_filter = help_filter };
	char name[PATH_MAX_BYTES];
	enum tool_status status;

	snprintf(name, sizeof name, "%s", path);
	argv[0] = name; /* so that argp's messages name the whole command */
	if (argp_parse(&argp, argc, argv, 0, NULL, &parse)) { return TOOL_STATUS_FAIL; }
	status = command->run(&parse.args, &err);
	if (err.text[0]) {
		fputs("atfota: ", stderr);
		tool_print_plain(stderr, err.text);
		fputc('\n', stderr);
	}
	return status;
}

static void print_help(const struct tool_command *command, const char *path)
{
	printf("Usage: %s COMMAND ...\n%s\n\n", path, command->doc);
	for (const struct tool_command *child = command->children; child->name; child++) {
		if (child->doc) { printf("  %-12s%s\n", child->name, child->doc); }
	}
	printf("\n'%s COMMAND --help' tells more.\n\n", path);
	tool_status_print(stdout, command->where);
}

static const struct tool_command *find_child(const struct tool_command *command, const char *name)
{
	const struct tool_command *child = command->children;

	while (child->name && strcmp(child->name, name) != 0) {
		child++;
	}
	return child->name ? child : NULL;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words && strcmp(word, *words) != 0) {
		words++;
	}
	return *words != NULL;
}

static enum tool_status run_node(const struct tool_command *command, const char *path, const char *word)
{
	static const char *const help_words[] = { "--help", "-h", "-?", "help", NULL };
	static const char *const version_words[] = { "--version", "-V", NULL };

	if (!word) {
		fprintf(stderr, "%s: a command is needed\n" USAGE, path, path);
	} else if (is_one_of(word, help_words)) {
		print_help(command, path);
		return TOOL_STATUS_OK;
	} else if (is_one_of(word, version_words)) {
		puts("atfota " ATFOTA_VERSION);
		return TOOL_STATUS_OK;
	} else {
		fprintf(stderr, "%s: '%s' is no command\n" USAGE, path, word, path);
	}
	return TOOL_STATUS_FAIL;
}

/* What was not written does not end as a success. */
static enum tool_status end_output(enum tool_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout)) { return status; }
	fputs("atfota: standard output cannot be written\n", stderr);
	return status ? status : TOOL_STATUS_FAIL;
}

enum tool_status tool_command_run(const struct tool_command *root, int argc, char **argv)
{
	const struct tool_command *command = root;
	char path[PATH_MAX_BYTES];
	size_t len = (size_t)snprintf(path, sizeof path, "%s", root->name);

	argp_err_exit_status = TOOL_STATUS_FAIL;
	while (command->children) {
		const struct tool_command *child = argc > 1 ? find_child(command, argv[1]) : NULL;

		if (!child) { return end_output(run_node(command, path, argc > 1 ? argv[1] : NULL)); }
		len += (size_t)snprintf(path + len, sizeof path - len, " %s", child->name);
		command = child;
		argc--;
		argv++;
	}
	return end_output(run_leaf(command, path, argc, argv));
}
