/* SPDX-License-Identifier: Apache-2.0 */
/* Small text files: read whole, written atomically and for the owner only. */
#ifndef TOOL_FILE_H
#define TOOL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/* Fills `text` with the file ("-": standard input), without the line end at its end
 * and with a final 0. Fails if it does not fit, is empty or has a 0 in it. The error
 * names the path, never the content. */
enum tool_status tool_file_read(const char *path, char *text, size_t cap, struct tool_error *err);

/* Replaces the file, or makes it, with mode 0600 and its folder with 0700: after a cut
 * at any point it has the old text or the new one. */
enum tool_status tool_file_write(const char *path, const char *text, struct tool_error *err);

/* The bytes of a small file, up to `cap` of them. Fails if there are more, or none. */
enum tool_status tool_file_read_bytes(const char *path, uint8_t *bytes, size_t cap, size_t *len,
				      struct tool_error *err);

/* Replaces the file or makes it, for everybody whom the umask lets read it; after a cut it has the
 * old bytes or the new ones. "-" is standard output. */
enum tool_status tool_file_write_public(const char *path, const void *bytes, size_t len, struct tool_error *err);

#endif
