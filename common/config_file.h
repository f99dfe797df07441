/* SPDX-License-Identifier: Apache-2.0 */
/* Files of settings: `name = value` lines in `[section]`s, comments behind '#' or ';'
 * at the start of a line. Values go to the end of the line; quotes mean nothing. */
#ifndef COMMON_CONFIG_FILE_H
#define COMMON_CONFIG_FILE_H

#include <stddef.h>
#include <stdio.h>

struct config_reader {
	/* Takes one setting; `section` is "" before the first. NULL, or what is wrong with
	 * it: the second half of a sentence such as "has a name that is not known". The texts
	 * are borrowed for the call. */
	const char *(*set)(void *ctx, const char *section, const char *name, const char *value);
	void *ctx;
	unsigned line; /* set: where the file is being read */
};

/* Reads the file and hands over each setting. 0, or -1 with a message that names file and
 * line; reading stops there. */
int config_file_load(const char *path, struct config_reader *reader, char *message, size_t message_cap);
/* The same for what is open already; `name` is for the message. Does not close it. */
int config_stream_load(FILE *file, const char *name, struct config_reader *reader, char *message, size_t message_cap);

#endif
