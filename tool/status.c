/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdarg.h>
#include <stdbool.h>

static const struct tool_status_info rows[] = {
#define STATUS_ROW(name, number, where, text) { (number), (where), (text) },
	TOOL_STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

const struct tool_status_info *tool_status_list(unsigned *count)
{
	*count = sizeof rows / sizeof *rows;
	return rows;
}

void tool_status_print(FILE *out, char where)
{
	fputs("Exit status:\n", out);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (where != 'b' && rows[i].where != 'b' && rows[i].where != where) { continue; }
		fprintf(out, "  %d  %s\n", rows[i].number, rows[i].text);
	}
}

enum tool_status tool_fail(struct tool_error *err, enum tool_status status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	return status;
}

void tool_print_plain(FILE *out, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		/* C2 80 to C2 9F are the control characters of Latin-1 in UTF-8. */
		bool is_control = *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f);

		putc(is_control ? '?' : *at, out);
		if (is_control && *at == 0xc2) { at++; }
	}
}
