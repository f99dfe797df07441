/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets and tokens come from a file, the environment or a prompt, in this order;
 * never from an argument, where every user of the machine could read them. */
#ifndef TOOL_SECRET_H
#define TOOL_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

#define TOOL_SECRET_MAX_BYTES 512u

struct tool_secret_source {
	const char *what;        /* "the product secret", for messages */
	const char *file;        /* NULL: not given */
	const char *file_option; /* "--secret-file", for messages */
	const char *variable;    /* of the environment */
	bool is_passphrase;      /* blanks and letters of all languages may be in it */
	bool is_new;             /* a prompt asks for it twice */
};

/* Fills `secret`, a text of at least one visible ASCII character, or of UTF-8 without control
 * characters for a passphrase. Asks on the terminal
 * of the process, without echo, if nothing else is given. */
enum tool_status tool_secret_get(const struct tool_secret_source *source, char *secret, size_t cap,
				 struct tool_error *err);

#endif
