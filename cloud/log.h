/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of log with time, level and part. Secrets, tokens and keys are never
 * passed to it: a secret that is not formatted cannot leak. */
#ifndef CLOUD_LOG_H
#define CLOUD_LOG_H

#include <stdbool.h>

enum cloud_level { CLOUD_LEVEL_ERROR, CLOUD_LEVEL_WARN, CLOUD_LEVEL_INFO, CLOUD_LEVEL_DEBUG };

struct cloud_log {
	int fd;
	enum cloud_level level; /* lines above it are dropped */
};

/* Sets *level from "error", "warn", "info" or "debug"; false for another text. */
bool cloud_level_parse(const char *text, enum cloud_level *level);

/* Writes one line, in one write. Control characters become '?', so that foreign text cannot
 * forge a line. Any thread may call it. `log` may be NULL: nothing is written. */
void cloud_log(const struct cloud_log *log, enum cloud_level level, const char *part, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
