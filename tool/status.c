/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

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

/* How many bytes the UTF-8 character at `at` has, 0 if it is none or a control
 * character. C2 80 to C2 9F are the control characters of Latin-1. */
static size_t plain_len(const unsigned char *at)
{
	size_t len = *at < 0x80 ? 1 : *at >= 0xc2 && *at <= 0xdf ? 2 : (*at & 0xf0) == 0xe0 ? 3 : *at >= 0xf0 ? 4 : 0;

	if (*at < 0x20 || *at == 0x7f || *at > 0xf4) { return 0; }
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80) { return 0; }
	}
	return *at == 0xc2 && at[1] <= 0x9f ? 0 : len;
}

void tool_make_plain(char *text)
{
	while (*text) {
		size_t len = plain_len((const unsigned char *)text);

		if (len == 0) { *text = '?'; }
		text += len ? len : 1;
	}
}

void tool_print_plain(FILE *out, const char *text)
{
	while (*text) {
		size_t len = plain_len((const unsigned char *)text);

		if (len == 0) { putc('?', out); }
		fwrite(text, 1, len, out);
		text += len ? len : 1;
	}
}
