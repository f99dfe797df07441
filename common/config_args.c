/* SPDX-License-Identifier: Apache-2.0 */
#include "config_args.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *find_config(int argc, char **argv)
{
	static const char name[] = "--config";

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) { return NULL; }
		if (strcmp(argv[i], name) == 0) { return i + 1 < argc ? argv[i + 1] : NULL; }
		if (strncmp(argv[i], name, strlen(name)) == 0 && argv[i][strlen(name)] == '=') {
			return argv[i] + strlen(name) + 1;
		}
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

static bool is_one_of(const char *value, const char *a, const char *b)
{
	return strcmp(value, a) == 0 || strcmp(value, b) == 0;
}

/* inih's callback: 1 to go on, 0 for an error in this line. */
static int on_setting(void *ctx, const char *section, const char *name, const char *value)
{
	struct config_args *args = ctx;
	char *text = NULL;
	int len;

	(void)section;
	if (is_one_of(value, "no", "false")) { return 1; }
	if (is_one_of(value, "yes", "true")) {
		len = asprintf(&text, "--%s", name);
	} else {
		len = asprintf(&text, "--%s=%s", name, value);
	}
	return len > 0 && append(args, text);
}

static int load_file(struct config_args *args, const char *path, char *message, size_t message_cap)
{
	int line = ini_parse(path, on_setting, args);

	if (line == 0) { return 0; }
	if (line < 0) {
		(void)snprintf(message, message_cap, "cannot read %s: %s", path, strerror(errno));
	} else {
		(void)snprintf(message, message_cap, "%s, line %d: expected 'name = value'", path, line);
	}
	return -1;
}

int config_args_load(struct config_args *out, int argc, char **argv, char *message, size_t message_cap)
{
	const char *path = find_config(argc, argv);

	*out = (struct config_args) { .argv = NULL };
	if (!append(out, strdup(argv[0]))) { return -1; }
	if (path && load_file(out, path, message, message_cap)) {
		config_args_free(out);
		return -1;
	}
	for (int i = 1; i < argc; i++) {
		if (!append(out, strdup(argv[i]))) {
			(void)snprintf(message, message_cap, "no memory");
			config_args_free(out);
			return -1;
		}
	}
	return 0;
}

void config_args_free(struct config_args *args)
{
	for (int i = 0; i < args->argc; i++) {
		free(args->argv[i]);
	}
	free(args->argv);
	*args = (struct config_args) { .argv = NULL };
}
