/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file as command-line arguments: each line `name = value` of an INI
 * file becomes `--name=value`, so that argp checks files and command lines by the same
 * table. Put in front of the real arguments, which therefore win. */
#ifndef COMMON_CONFIG_ARGS_H
#define COMMON_CONFIG_ARGS_H

#include <stddef.h>

struct config_args {
	char **argv; /* argv[0], arguments of the file, arguments of the command line, NULL */
	int argc;
};

/* Looks for `--config FILE` or `--config=FILE` in argv. Without one, *out holds a copy of
 * argv. A value `yes` or `true` gives the bare `--name`, `no` or `false` nothing; quotes
 * are kept. 0, or -1 with a message in `message`. The strings of argv are borrowed;
 * call config_args_free at the end of the program. */
int config_args_load(struct config_args *out, int argc, char **argv, char *message, size_t message_cap);
void config_args_free(struct config_args *args);

#endif
