/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <inttypes.h>
#include <string.h>

#include "progress.h"
#include "status.h"

#define COLUMN_MAX 16u

static const json_t *find(const json_t *object, const char *key)
{
	const char *dot;

	while ((dot = strchr(key, '.')) && object) {
		char name[64];

		snprintf(name, sizeof name, "%.*s", (int)(dot - key), key);
		object = json_object_get(object, name);
		key = dot + 1;
	}
	return json_object_get(object, key);
}

static void add(char *text, const char *more)
{
	size_t len = strlen(text);

	snprintf(text + len, TOOL_CELL_MAX_BYTES - len, "%s", more);
}

static void add_scalar(char *text, const json_t *value)
{
	char number[32];

	if (json_is_string(value)) { add(text, json_string_value(value)); }
	if (json_is_boolean(value)) { add(text, json_is_true(value) ? "yes" : "no"); }
	if (!json_is_integer(value)) { return; }
	snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	add(text, number);
}

static void add_members(char *text, json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		add(text, *text ? ", " : "");
		add(text, name);
		add(text, " ");
		add_scalar(text, value);
	}
}

static void add_items(char *text, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		add(text, i ? ", " : "");
		add_scalar(text, json_array_get(list, i));
	}
}

void tool_cell_text(const json_t *object, const struct tool_column *column, char *text)
{
	const json_t *value = find(object, column->key);

	text[0] = '\0';
	if (column->is_size && json_is_integer(value) && json_integer_value(value) >= 0) {
		tool_size_text((uint64_t)json_integer_value(value), text);
	} else if (json_is_object(value)) {
		json_t *copy = json_deep_copy(value); /* jansson iterates over what it could change */

		add_members(text, copy);
		json_decref(copy);
	} else if (json_is_array(value)) {
		add_items(text, value);
	} else {
		add_scalar(text, value);
	}
	if (text[0] == '\0') { strcpy(text, "-"); }
}

size_t tool_text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++) {
		width += ((unsigned char)*text & 0xc0) != 0x80; /* bytes that begin a character */
	}
	return width;
}

static void print_cell(FILE *out, const char *text, size_t width)
{
	size_t taken = tool_text_width(text);

	tool_print_plain(out, text);
	fprintf(out, "%*s", (int)(taken < width ? width - taken : 0), "");
}

static unsigned count_columns(const struct tool_column *columns)
{
	unsigned count = 0;

	while (columns[count].title && count < COLUMN_MAX) {
		count++;
	}
	return count;
}

static void measure(const struct tool_column *columns, unsigned count, const json_t *items, size_t *widths)
{
	char text[TOOL_CELL_MAX_BYTES];

	for (unsigned c = 0; c < count; c++) {
		widths[c] = tool_text_width(columns[c].title);
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		for (unsigned c = 0; c < count; c++) {
			tool_cell_text(json_array_get(items, i), &columns[c], text);
			widths[c] = tool_text_width(text) > widths[c] ? tool_text_width(text) : widths[c];
		}
	}
}

void tool_table_print(FILE *out, const struct tool_column *columns, const json_t *items)
{
	unsigned count = count_columns(columns);
	char text[TOOL_CELL_MAX_BYTES];
	size_t widths[COLUMN_MAX];

	if (json_array_size(items) == 0) { return; }
	measure(columns, count, items, widths);
	widths[count - 1] = 0; /* no blanks at the end of a line */
	for (unsigned c = 0; c < count; c++) {
		print_cell(out, columns[c].title, widths[c]);
		fputs(c + 1 < count ? "  " : "\n", out);
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		for (unsigned c = 0; c < count; c++) {
			tool_cell_text(json_array_get(items, i), &columns[c], text);
			print_cell(out, text, widths[c]);
			fputs(c + 1 < count ? "  " : "\n", out);
		}
	}
}

void tool_fields_print(FILE *out, const struct tool_column *columns, const json_t *object)
{
	char text[TOOL_CELL_MAX_BYTES];
	size_t width = 0;

	for (unsigned c = 0; columns[c].title; c++) {
		width = tool_text_width(columns[c].title) > width ? tool_text_width(columns[c].title) : width;
	}
	for (; columns->title; columns++) {
		tool_cell_text(object, columns, text);
		print_cell(out, columns->title, width + 2);
		tool_print_plain(out, text);
		fputc('\n', out);
	}
}
