/* SPDX-License-Identifier: Apache-2.0 */
#include "config_args.h"

#include "config_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* argp takes the beginning of a name for the name: so does this, or `--conf FILE` would be
 * accepted and not read. What is ambiguous is refused by argp afterwards. */
static const char *find_config(int argc, char **argv)
{
	static const char name[] = "--config";

	for (int i = 1; i < argc; i++) {
		size_t len = strcspn(argv[i], "=");

		if (strcmp(argv[i], "--") == 0) { return NULL; }
		if (len < strlen("--c") || len >= sizeof(name) || strncmp(argv[i], name, len) != 0) { continue; }
		if (argv[i][len] == '=') { return argv[i] + len + 1; }
		return i + 1 < argc ? argv[i + 1] : NULL;
	}
	return NULL;
}

static bool append(struct config_args *args, char *text)
{
	char **longer = text ? realloc(args->argv, ((size_t)args->argc + 2) * sizeof(*longer)) : NULL;

	if (!longer) {
		free(text);
		return false;
	}
	args->argv = longer;
	args->argv[args->argc++] = text;
	args->argv[args->argc] = NULL;
	return true;
}

static const struct argp_option *find_row(const struct argp_option *rows, const char *name)
{
	for (; rows->name || rows->doc; rows++) {
		if (rows->name && strcmp(rows->name, name) == 0) { return rows; }
	}
	return NULL;
}

static const char *append_flag(struct config_args *args, const char *name, const char *value)
{
	char *text = NULL;

	if (strcmp(value, "no") == 0 || strcmp(value, "false") == 0) { return NULL; }
	if (strcmp(value, "yes") != 0 && strcmp(value, "true") != 0) { return "has a value that is not yes or no"; }
	return asprintf(&text, "--%s", name) > 0 && append(args, text) ? NULL : "is too much for the memory";
}

static const char *on_setting(void *ctx, const char *section, const char *name, const char *value)
{
	struct config_args *args = ctx;
	const struct argp_option *row = find_row(args->rows, name);
	char *text = NULL;

	(void)section;
	if (!row || strcmp(name, "config") == 0) { return "has a name that is not known"; }
	if (!row->arg) { return append_flag(args, name, value); }
	return asprintf(&text, "--%s=%s", name, value) > 0 && append(args, text) ? NULL : "is too much for the memory";
}

int config_args_load(struct config_args *out, const struct argp_option *rows, int argc, char **argv, char *message,
		     size_t message_cap)
{
	const char *path = find_config(argc, argv);
	struct config_reader reader = { .set = on_setting, .ctx = out };
	bool is_ok;

	*out = (struct config_args) { .rows = rows };
	(void)snprintf(message, message_cap, "no memory");
	is_ok = append(out, strdup(argv[0]));
	if (is_ok && path) { is_ok = config_file_load(path, &reader, message, message_cap) == 0; }
	for (int i = 1; is_ok && i < argc; i++) {
		is_ok = append(out, strdup(argv[i]));
	}
	if (!is_ok) { config_args_free(out); }
	return is_ok ? 0 : -1;
}

void config_args_free(struct config_args *args)
{
	for (int i = 0; i < args->argc; i++) {
		free(args->argv[i]);
	}
	free(args->argv);
	*args = (struct config_args) { .argv = NULL };
}
