/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of log with time, level and part. Secrets, tokens and keys are never
 * passed to it: a secret that is not formatted cannot leak. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log {
	int fd;
	enum log_level level; /* lines above it are dropped */
};

/* Sets *level from "error", "warn", "info" or "debug"; false for another text. */
bool log_level_parse(const char *text, enum log_level *level);

/* Writes one line, in one write. Control characters become '?', so that foreign text cannot
 * forge a line. Any thread may call it. `log` may be NULL: nothing is written. */
void log_line(const struct log *log, enum log_level level, const char *part, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
