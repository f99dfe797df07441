/* SPDX-License-Identifier: Apache-2.0 */
/* atfota codes: the tables of result codes and exit statuses, for people, programs
 * and the manual page. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>

#include "command.h"
#include "fota/code.h"

static void print_text(const struct fota_code_info *codes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		printf("%3d  %c  %-34s %s\n", codes[i].number, (char)codes[i].code_class, codes[i].text,
		       fota_code_advice(codes[i].number));
	}
	if (count == 1) { return; }
	puts("\nP progress, E end without an upgrade, R worth trying again unchanged, X needs a person or a change.");
}

static void print_json(const struct fota_code_info *codes, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++) {
		const char code_class[] = { (char)codes[i].code_class, '\0' };

		json_array_append_new(list,
				      json_pack("{s:i, s:s, s:s, s:s}", "code", codes[i].number, "class", code_class,
						"text", codes[i].text, "advice", fota_code_advice(codes[i].number)));
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

/* A minus is a hyphen in roff unless it is escaped; a leading quote or dot would be a
 * request. */
static void print_roff(const char *text)
{
	for (; *text; text++) {
		if (*text == '-' || *text == '\\') { putchar('\\'); }
		putchar(*text);
	}
	putchar('\n');
}

static void print_man(const struct fota_code_info *codes, unsigned count)
{
	unsigned status_count;
	const struct tool_status_info *statuses = tool_status_list(&status_count);

	puts(".SH EXIT STATUS");
	for (unsigned i = 0; i < status_count; i++) {
		printf(".TP\n.B %d\n", statuses[i].number);
		print_roff(statuses[i].text);
	}
	puts(".SH RESULT CODES\nWhat a module tells by\n.B +CSCFOTA:\nor, if it refuses a command, by\n.BR \"+CME ERROR:\" .\n"
	     "The letter is the class: P progress, E end without an upgrade, R worth trying again unchanged,\n"
	     "X needs a person or a change.");
	for (unsigned i = 0; i < count; i++) {
		printf(".TP\n.BR %d \" (%c) %s\"\n", codes[i].number, (char)codes[i].code_class, codes[i].text);
		print_roff(fota_code_advice(codes[i].number));
	}
}

/* One code, if one was named. */
static const struct fota_code_info *choose(const char *text, unsigned *count)
{
	const struct fota_code_info *codes = fota_code_list(count);
	char *end;
	long number;

	if (!text) { return codes; }
	number = strtol(text, &end, 10);
	*count = 1;
	return *end || end == text || number < 0 || number > INT_MAX ? NULL : fota_code_find((int)number);
}

enum tool_status tool_codes(const struct tool_args *args, struct tool_error *err)
{
	unsigned count;
	const struct fota_code_info *codes = choose(args->pos_count ? args->pos[0] : NULL, &count);

	if (!codes) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is no result code; 'atfota codes' lists them all",
				 args->pos[0]);
	}
	if (args->opt[TOOL_OPT_MAN]) {
		print_man(codes, count);
	} else if (args->opt[TOOL_OPT_JSON]) {
		print_json(codes, count);
	} else {
		print_text(codes, count);
	}
	return TOOL_STATUS_OK;
}
