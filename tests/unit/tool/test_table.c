/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"
#include "status.h"
#include "table.h"

static const struct tool_column columns[] = {
	{ "ID", "id" },     { "NAME", "name" },     { "SIZE", "package.size", true },
	{ "FROM", "from" }, { "COUNTS", "counts" }, { 0 },
};

static char *print(void (*printer)(FILE *, const struct tool_column *, const json_t *), const char *json)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *value = json_loads(json, 0, NULL);

	assert_non_null(value);
	printer(out, columns, value);
	fclose(out);
	json_decref(value);
	return text;
}

static void a_table_is_as_wide_as_needed_and_no_wider(void **state)
{
	char *text =
		print(tool_table_print,
		      "[{\"id\":1,\"name\":\"\\u00fcber\",\"package\":{\"size\":789972},\"from\":[\"a\",\"b\"],"
		      "\"counts\":{\"downloaded\":3,\"failed\":1}},{\"id\":\"d12\",\"name\":null,\"package\":null}]");

	(void)state;
	assert_string_equal(text, "ID   NAME  SIZE      FROM  COUNTS\n"
				  "1    \xc3\xbc"
				  "ber  790.0 kB  a, b  downloaded 3, failed 1\n"
				  "d12  -     -         -     -\n");
	free(text);
}

static void an_empty_table_is_nothing(void **state)
{
	char *text = print(tool_table_print, "[]");

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void fields_are_one_line_each(void **state)
{
	char *text = print(tool_fields_print, "{\"id\":7,\"name\":\"x\",\"package\":{\"size\":5}}");

	(void)state;
	assert_string_equal(text, "ID      7\nNAME    x\nSIZE    5 B\nFROM    -\nCOUNTS  -\n");
	free(text);
}

static void what_others_wrote_cannot_move_the_cursor(void **state)
{
	char text[] = "a\x1b[2J\xc2\x9b\x7f\xff\xc3\xbc\xe2\x82\xac\xe2\x82";
	char *printed = print(tool_fields_print, "{\"name\":\"a\\u001b[2J\\u009bz\\n\"}");

	(void)state;
	assert_non_null(strstr(printed, "NAME    a?[2J??z?\n"));
	free(printed);
	tool_make_plain(text);
	assert_string_equal(text, "a?[2J????\xc3\xbc\xe2\x82\xac??");
}

static void a_cell_that_is_too_long_is_cut(void **state)
{
	char name[4 * TOOL_CELL_MAX_BYTES];
	char text[TOOL_CELL_MAX_BYTES];
	json_t *object;

	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	object = json_pack("{s:s}", "name", name);
	tool_cell_text(object, &columns[1], text);
	assert_int_equal(strlen(text), TOOL_CELL_MAX_BYTES - 1);
	json_decref(object);
}

static void sizes_are_told_in_units_of_a_thousand(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },         { 999, "999 B" },          { 1000, "1.0 kB" },        { 999499, "999.5 kB" },
		{ 999999, "1.0 MB" }, { 268435456, "268.4 MB" }, { UINT64_MAX, "18.4 EB" },
	};
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_string_equal(tool_size_text(cases[i].bytes, text), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_as_wide_as_needed_and_no_wider),
		cmocka_unit_test(an_empty_table_is_nothing),
		cmocka_unit_test(fields_are_one_line_each),
		cmocka_unit_test(what_others_wrote_cannot_move_the_cursor),
		cmocka_unit_test(a_cell_that_is_too_long_is_cut),
		cmocka_unit_test(sizes_are_told_in_units_of_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
