/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "at_text.h"

#define SECRET "f9bbb0d76f894da090b6b69253616561"

/* Feeds `input` and joins the lines that come out with '|'. */
static void read_lines(const char *input, size_t len, char *lines)
{
	struct at_reader reader;

	lines[0] = '\0';
	at_reader_init(&reader);
	for (size_t i = 0; i < len; i++) {
		if (!at_reader_feed(&reader, (uint8_t)input[i])) { continue; }
		strcat(lines, reader.line);
		strcat(lines, "|");
	}
}

static void reader_gives_lines_whatever_ends_them(void **state)
{
	const char input[] = "\r\nOK\r\n+CREG: 1\rAT\nA B \r\n\r\n\r\nopen";
	char lines[64];

	(void)state;
	read_lines(input, strlen(input), lines);
	assert_string_equal(lines, "OK|+CREG: 1|AT|A B |");
}

static void reader_drops_noise_in_front_and_control_characters_anywhere(void **state)
{
	const char input[] = "\xff\x00 \x80OK\r\nA\x00\x07Z\xc3\xbc\r";
	char lines[64];

	(void)state;
	read_lines(input, sizeof input - 1, lines);
	assert_string_equal(lines, "OK|AZ\xc3\xbc|");
}

static void reader_gives_the_beginning_of_a_line_that_is_too_long(void **state)
{
	struct at_reader reader;

	(void)state;
	at_reader_init(&reader);
	for (size_t i = 0; i < 3 * AT_LINE_MAX_BYTES; i++) {
		assert_false(at_reader_feed(&reader, 'x'));
	}
	assert_true(at_reader_feed(&reader, '\r'));
	assert_int_equal(strlen(reader.line), AT_LINE_MAX_BYTES);
	assert_false(at_reader_feed(&reader, 'O'));
	assert_false(at_reader_feed(&reader, 'K'));
	assert_true(at_reader_feed(&reader, '\n'));
	assert_string_equal(reader.line, "OK");
}

struct final_case {
	const char *line;
	enum at_final final;
	int number;
};

static void final_results_are_told_from_other_lines(void **state)
{
	static const struct final_case cases[] = {
		{ "OK", AT_FINAL_OK, -1 },
		{ "ERROR", AT_FINAL_ERROR, -1 },
		{ "+CME ERROR: 308", AT_FINAL_CME, 308 },
		{ "+CME ERROR:3", AT_FINAL_CME, 3 },
		{ "+CME ERROR: SIM busy", AT_FINAL_CME, -1 },
		{ "+CME ERROR: 3 of them", AT_FINAL_CME, -1 },
		{ "+CME ERROR: 99999999999999999999999", AT_FINAL_CME, -1 },
		{ "+CME ERROR:", AT_FINAL_CME, -1 },
		{ "+CMS ERROR: 500", AT_FINAL_CME, 500 },
		{ "NO CARRIER", AT_FINAL_NO_CARRIER, -1 },
		{ "CONNECT 115200", AT_FINAL_CONNECT, -1 },
		{ "OKAY", AT_FINAL_NONE, -1 },
		{ "ok", AT_FINAL_NONE, -1 },
		{ "O", AT_FINAL_NONE, -1 },
		{ "ERROR 3", AT_FINAL_NONE, -1 },
		{ "+CSCFOTA: 3", AT_FINAL_NONE, -1 },
		{ "", AT_FINAL_NONE, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int number = 7;

		assert_int_equal(at_final_of(cases[i].line, &number), cases[i].final);
		assert_int_equal(number, cases[i].number);
	}
}

static void string_constants_escape_what_v250_does_not_allow_inside(void **state)
{
	struct at_command command;

	(void)state;
	at_command_init(&command, "AT+X=");
	at_command_add_string(&command, "a\"b\\c\r;,\x7f\xc3\xbc ");
	assert_string_equal(command.text, "AT+X=\"a\\22b\\5Cc\\0D;,\\7F\xc3\xbc \"");
	assert_false(command.is_full);
}

static void a_command_that_does_not_fit_says_so_and_stays_inside_its_room(void **state)
{
	struct at_command command;
	char value[AT_COMMAND_MAX_BYTES];

	(void)state;
	memset(value, '"', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	at_command_init(&command, "AT");
	at_command_add_string(&command, value);
	assert_true(command.is_full);
	assert_true(command.len <= AT_COMMAND_MAX_BYTES);
	assert_int_equal(strlen(command.text), command.len);
}

static void mask_hides_the_secret_wherever_it_stands(void **state)
{
	char text[] = "AT=\"" SECRET "\",\"x\" " SECRET;

	(void)state;
	at_mask(text, SECRET);
	assert_string_equal(text, "AT=\"********************************\",\"x\" ********************************");
}

/* A line noise of one byte, at each place of it. */
static void mask_hides_what_is_left_of_a_damaged_secret(void **state)
{
	(void)state;
	for (size_t at = 0; at < sizeof SECRET - 1; at++) {
		char text[] = SECRET;
		size_t shown = 0;

		text[at] = '#';
		at_mask(text, SECRET);
		for (size_t i = 0; text[i]; i++) {
			shown += text[i] != '*' && text[i] != '#';
		}
		assert_true(shown < 8);
	}
}

static void mask_hides_the_escaped_form_too(void **state)
{
	char text[] = "\"ab\\5Ccdefgh\\5Cijklmnop\",\"ab\\cdefgh\\ijklmnop\"";

	(void)state;
	at_mask(text, "ab\\cdefgh\\ijklmnop");
	assert_null(strpbrk(text, "abcdefghijklmnop"));
	assert_int_equal(text[0], '"');
}

static void mask_leaves_ordinary_text_alone(void **state)
{
	char text[] = "+CSCFOTA: 2 f9bbb0d 4da090b";

	(void)state;
	at_mask(text, SECRET);
	assert_string_equal(text, "+CSCFOTA: 2 f9bbb0d 4da090b");
	at_mask(text, "");
	assert_string_equal(text, "+CSCFOTA: 2 f9bbb0d 4da090b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_gives_lines_whatever_ends_them),
		cmocka_unit_test(reader_drops_noise_in_front_and_control_characters_anywhere),
		cmocka_unit_test(reader_gives_the_beginning_of_a_line_that_is_too_long),
		cmocka_unit_test(final_results_are_told_from_other_lines),
		cmocka_unit_test(string_constants_escape_what_v250_does_not_allow_inside),
		cmocka_unit_test(a_command_that_does_not_fit_says_so_and_stays_inside_its_room),
		cmocka_unit_test(mask_hides_the_secret_wherever_it_stands),
		cmocka_unit_test(mask_hides_what_is_left_of_a_damaged_secret),
		cmocka_unit_test(mask_hides_the_escaped_form_too),
		cmocka_unit_test(mask_leaves_ordinary_text_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
