/* SPDX-License-Identifier: Apache-2.0 */
/* One line is composed in a buffer and leaves by one write(2), so that lines of several
 * threads do not mix. Lines are cut at 1 KiB. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_CAP 1024

static const char *const level_names[] = {
	[CLOUD_LEVEL_ERROR] = "error",
	[CLOUD_LEVEL_WARN] = "warn",
	[CLOUD_LEVEL_INFO] = "info",
	[CLOUD_LEVEL_DEBUG] = "debug",
};

bool cloud_level_parse(const char *text, enum cloud_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum cloud_level)i;
			return true;
		}
	}
	return false;
}

static size_t put_head(char *line, enum cloud_level level, const char *part)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(line, LINE_CAP, "%Y-%m-%dT%H:%M:%S", &tm);
	len += (size_t)snprintf(line + len, LINE_CAP - len, ".%03ldZ %-5s %s: ", now.tv_nsec / 1000000,
				level_names[level], part);
	return len;
}

void cloud_log(const struct cloud_log *log, enum cloud_level level, const char *part, const char *format, ...)
{
	char line[LINE_CAP];
	size_t len;
	int more;
	va_list args;

	if (!log || level > log->level) { return; }
	len = put_head(line, level, part);
	va_start(args, format);
	more = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	len = more < 0 ? len : strlen(line);
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) { line[i] = '?'; }
	}
	line[len++] = '\n';
	if (write(log->fd, line, len) < 0) { return; } /* nobody is left to be told */
}
