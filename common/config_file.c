/* SPDX-License-Identifier: Apache-2.0 */
/* Own lines instead of Debian's inih: that one cuts lines at 200 characters without a
 * word and takes an indented line for the continuation of the one before. */
#include "config_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define SECTION_CAP 64

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && strchr(" \t\r\n", end[-1])) {
		*--end = 0;
	}
	return text + strspn(text, " \t");
}

static const char *take_section(char *line, char section[SECTION_CAP])
{
	size_t len = strlen(line);

	if (len < 3 || line[len - 1] != ']' || len - 2 >= SECTION_CAP) { return "is not of the form [section]"; }
	line[len - 1] = 0;
	strcpy(section, line + 1);
	return NULL;
}

/* One trimmed line, of which the name is left. NULL, or what is wrong with it. */
static const char *take_line(const struct config_reader *reader, char section[SECTION_CAP], char *line)
{
	char *value = strchr(line, '=');

	if (!*line || *line == '#' || *line == ';') { return NULL; }
	if (*line == '[') { return take_section(line, section); }
	if (!value || value == line) { return "is not of the form name = value"; }
	*value++ = 0;
	return reader->set(reader->ctx, section, trim(line), trim(value));
}

static int tell_errno(const char *path, char *message, size_t message_cap)
{
	(void)snprintf(message, message_cap, "cannot read %s: %s", path, strerror(errno));
	return -1;
}

int config_stream_load(FILE *file, const char *name, struct config_reader *reader, char *message, size_t message_cap)
{
	char section[SECTION_CAP] = "";
	const char *wrong = NULL;
	char *line = NULL;
	size_t cap = 0;
	int status = 0;

	reader->line = 0;
	while (!wrong && getline(&line, &cap, file) >= 0) {
		reader->line++;
		wrong = take_line(reader, section, trim(line));
	}
	if (wrong) {
		(void)snprintf(message, message_cap, "%s: line %u: '%s' %s", name, reader->line, trim(line), wrong);
		status = -1;
	} else if (ferror(file)) {
		status = tell_errno(name, message, message_cap);
	}
	free(line);
	return status;
}

int config_file_load(const char *path, struct config_reader *reader, char *message, size_t message_cap)
{
	FILE *file = fopen(path, "re");
	int status;

	if (!file) { return tell_errno(path, message, message_cap); }
	status = config_stream_load(file, path, reader, message, message_cap);
	(void)fclose(file);
	return status;
}
