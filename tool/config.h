/* SPDX-License-Identifier: Apache-2.0 */
/* Which platform a command talks to, and with what rights. Options count before the
 * environment, and that before what login stored. What was stored for one server,
 * its token above all, is never used for another one. */
#ifndef TOOL_CONFIG_H
#define TOOL_CONFIG_H

#include <limits.h>
#include <stdbool.h>

#include "command.h"
#include "secret.h"

#define CONFIG_SERVER_MAX_BYTES 512u

struct tool_config {
	char server[CONFIG_SERVER_MAX_BYTES]; /* without a slash at the end */
	char token[TOOL_SECRET_MAX_BYTES];
	char ca[PATH_MAX]; /* empty: the system's */
	bool allow_http;
};

/* The path of the file that login writes: $XDG_CONFIG_HOME/atfota/config, or below
 * ~/.config. */
enum tool_status tool_config_path(char *path, size_t cap, struct tool_error *err);

/* Parses the text of the file; FAIL with the line's number if it is not of its form. The
 * text is changed. */
enum tool_status tool_config_parse(char *text, struct tool_config *config, struct tool_error *err);

/* Writes the file, atomically and with mode 0600. */
enum tool_status tool_config_store(const struct tool_config *config, struct tool_error *err);

/* Everything that a command needs: from its options, the environment and the file. With
 * `is_login` the file does not count, and a missing token is asked for. */
enum tool_status tool_config_get(const struct tool_args *args, bool is_login, struct tool_config *config,
				 struct tool_error *err);

#endif
