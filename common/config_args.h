/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file as command-line arguments: each line `name = value` becomes
 * `--name=value`, so that argp checks files and command lines by the same table. Put in
 * front of the real arguments, which therefore win. */
#ifndef COMMON_CONFIG_ARGS_H
#define COMMON_CONFIG_ARGS_H

#include <argp.h>
#include <stddef.h>

struct config_args {
	char **argv; /* argv[0], arguments of the file, arguments of the command line, NULL */
	int argc;
	/* private */
	const struct argp_option *rows;
};

/* Looks for `--config FILE` or `--config=FILE` in argv, abbreviated or not. Without one,
 * *out holds a copy of argv. Names are those of `rows`, but for `config`; an option without a value takes yes
 * or no. 0, or -1 with a message. Call config_args_free at the end of the program: the
 * options may point into the arguments. */
int config_args_load(struct config_args *out, const struct argp_option *rows, int argc, char **argv, char *message,
		     size_t message_cap);
void config_args_free(struct config_args *args);

#endif
