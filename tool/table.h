/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects as text for people: a table of many, or the fields of one. */
#ifndef TOOL_TABLE_H
#define TOOL_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct tool_column {
	const char *title; /* NULL ends the columns */
	const char *key;   /* member; "package.size" is a member of a member */
	bool is_size;      /* bytes, shown as "12.3 MB" */
};

#define TOOL_CELL_MAX_BYTES 512u

/* The text of one cell; "-" for what is absent, null or empty. Lists are joined by commas,
 * objects become "name value" pairs. Text that does not fit is cut. */
void tool_cell_text(const json_t *object, const struct tool_column *column, char *text);

/* Columns of a terminal that a UTF-8 text takes, at one a character. */
size_t tool_text_width(const char *text);

/* One line each, aligned, below a line of titles; nothing for no items. */
void tool_table_print(FILE *out, const struct tool_column *columns, const json_t *items);

/* One line a field. */
void tool_fields_print(FILE *out, const struct tool_column *columns, const json_t *object);

#endif
