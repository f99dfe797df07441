/* SPDX-License-Identifier: Apache-2.0 */
/* Time and order: over-long lines, idle lines, pending commands, abort, and what is kept
 * meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

static struct rig rig;

static int start(void **state)
{
	(void)state;
	return rig_start_quiet(&rig, "strict") ? 0 : -1;
}

#define assert_out(text) assert_string_equal(rig_out(&rig), text)

static void feed_times(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		rig_feed(&rig, text);
	}
}

/* ---- lines that are too long ---- */

static void v250_004_a_long_line_is_refused_once_and_nothing_of_it_runs(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1;");
	feed_times("E0", AT_LINE_BYTES);
	assert_out("");
	rig_feed(&rig, "\rAT+CMEE?\r");
	assert_out(ERROR "\r\n+CMEE: 0\r\n" OK);
	assert_int_equal(rig_stats(&rig).long_line_count, 1);
}

static void v250_005_the_line_behind_a_long_one_works(void **state)
{
	(void)state;
	rig_feed(&rig, "AT");
	feed_times("0123456789", 10000);
	rig_feed(&rig, "\rAT\r");
	assert_out(ERROR OK);
}

static void a_line_of_exactly_the_room_runs(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE?");
	feed_times(" ", AT_LINE_BYTES - 6);
	rig_feed(&rig, "\r");
	assert_out("\r\n+CMEE: 0\r\n" OK);
	rig_feed(&rig, "AT+CMEE?");
	feed_times(" ", AT_LINE_BYTES - 5);
	rig_feed(&rig, "\r");
	assert_out(ERROR);
}

static void an_escape_cut_by_the_end_of_the_room_is_refused(void **state)
{
	(void)state;
	for (size_t missing = 1; missing <= 2; missing++) {
		rig_feed(&rig, "AT+TSET=\"");
		feed_times("x", AT_LINE_BYTES - 7 - missing);
		rig_feed(&rig, missing == 1 ? "\\" : "\\4");
		assert_int_equal(rig.ports[0].at.line_len, AT_LINE_BYTES);
		rig_feed(&rig, "\r");
		assert_out(ERROR);
	}
}

static void a_long_line_can_be_edited_back_to_its_room(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE?");
	feed_times("x", AT_LINE_BYTES);
	feed_times("\b", AT_LINE_BYTES);
	rig_feed(&rig, "\r");
	assert_out("\r\n+CMEE: 0\r\n" OK);
}

static void a_slash_after_a_long_line_fails_again(void **state)
{
	(void)state;
	rig_feed(&rig, "AT");
	feed_times("E0", AT_LINE_BYTES);
	rig_feed(&rig, "\rA/");
	assert_out(ERROR ERROR);
}

/* ---- lines left incomplete ---- */

static void v250_019_an_incomplete_line_is_dropped_after_30_s(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1");
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), 30000);
	rig_wait(&rig, 29999);
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), 1);
	rig_feed(&rig, "\rAT+CMEE?\r");
	assert_out(OK "\r\n+CMEE: 1\r\n" OK);
	rig_feed(&rig, "AT+CMEE=2");
	rig_wait(&rig, 30000);
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), UINT32_MAX);
	rig_feed(&rig, "\rAT+CMEE?\r");
	assert_out("\r\n+CMEE: 1\r\n" OK);
	assert_int_equal(rig_stats(&rig).dropped_line_count, 1);
}

static void a_line_is_dropped_also_when_nobody_ticks(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1");
	rig.now_ms += 30000;
	rig_feed(&rig, "\r");
	assert_out("");
}

static void v250_021_slow_characters_make_a_line(void **state)
{
	static const char text[] = "AT+CMEE?\r";

	(void)state;
	for (size_t i = 0; text[i]; i++) {
		rig_feed_bytes(&rig, 0, text + i, 1);
		rig_wait(&rig, 20000);
	}
	assert_out("\r\n+CMEE: 0\r\n" OK);
}

/* ---- pending commands ---- */

static void a_pending_command_is_answered_when_it_completes(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TWAIT;+CMEE?\r");
	assert_out("");
	at_info_line(&rig.ports[0].at, "late text");
	rig_complete(&rig, AT_OK);
	assert_out("\r\nlate text\r\n"
		   "\r\n+CMEE: 0\r\n" OK);
	rig_complete(&rig, AT_OK);
	assert_out("");
}

static void a_pending_command_that_fails_ends_the_line(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1;+TWAIT;+CMEE=2\r");
	rig_complete(&rig, at_cme(&rig.ports[0].at, 30));
	rig_feed(&rig, "AT+CMEE?\r");
	assert_out("\r\n+CME ERROR: 30\r\n"
		   "\r\n+CMEE: 1\r\n" OK);
}

static void v250_111_what_arrives_during_a_pending_command_is_kept(void **state)
{
	(void)state;
	rig_feed(&rig, "ATE1\rAT+TWAIT\r\nAT+CMEE?\r\nA");
	assert_out(OK "AT+TWAIT\r");
	rig_wait(&rig, 5000);
	rig_feed(&rig, "T+CMEE=1\r");
	assert_out("");
	rig_complete(&rig, AT_OK);
	assert_out(OK "AT+CMEE?\r\r\n+CMEE: 0\r\n" OK "AT+CMEE=1\r" OK);
}

static void kept_lines_may_be_pending_too(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TWAIT\rAT+TWAIT\rAT+CMEE?\r");
	rig_complete(&rig, AT_OK);
	assert_out(OK);
	rig_complete(&rig, AT_OK);
	assert_out(OK "\r\n+CMEE: 0\r\n" OK);
}

static void a_line_that_lost_characters_is_refused_and_does_not_run(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TWAIT\rAT+CMEE=1;+");
	feed_times("x", AT_INPUT_BYTES);
	rig_complete(&rig, AT_OK);
	assert_out(OK);
	rig_feed(&rig, "\rAT+CMEE?\r");
	assert_out(ERROR "\r\n+CMEE: 0\r\n" OK);
	assert_int_equal(rig_stats(&rig).dropped_byte_count, strlen("AT+CMEE=1;+"));
}

static void a_line_whose_end_was_lost_is_refused_at_once(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TWAIT\rAT+CMEE=1");
	feed_times(" ", AT_INPUT_BYTES);
	rig_feed(&rig, "\rAT+CMEE=2\r");
	rig_complete(&rig, AT_OK);
	assert_out(OK ERROR);
	rig_feed(&rig, "AT+CMEE?\r");
	assert_out("\r\n+CMEE: 0\r\n" OK);
}

static void a_line_that_just_fits_the_kept_room_runs(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TWAIT\rAT+CMEE?");
	feed_times(" ", AT_INPUT_BYTES - 9);
	rig_feed(&rig, "\r\n");
	rig_complete(&rig, AT_OK);
	assert_out(OK "\r\n+CMEE: 0\r\n" OK);
	assert_int_equal(rig_stats(&rig).dropped_byte_count, 0);
}

/* ---- abort ---- */

static void v250_107_a_character_aborts_and_is_consumed(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSTOP;+CMEE=1\r");
	rig_wait(&rig, 125);
	rig_feed(&rig, "AAT+CMEE?\r");
	assert_out(ERROR "\r\n+CMEE: 0\r\n" OK);
	assert_int_equal(rig.abort_count, 1);
	assert_int_equal(rig_stats(&rig).aborted_count, 1);
}

static void v250_109_the_aborting_character_begins_no_line(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSTOP\r");
	rig_wait(&rig, 125);
	rig_feed(&rig, "AT+CMEE?\r");
	assert_out(ERROR); /* what is left, "T+CMEE?", has no prefix */
}

static void v250_108_characters_close_to_the_terminator_do_not_abort(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSTOP\r\n");
	rig_wait(&rig, 124);
	rig_feed(&rig, "AT\r");
	assert_out("");
	assert_int_equal(rig.abort_count, 0);
	rig_complete(&rig, AT_OK);
	assert_out(OK OK);
}

static void v250_110_an_aborted_command_has_a_final_code(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=1;+TSTOP\r");
	rig_wait(&rig, 125);
	rig_feed(&rig, "x");
	assert_out("\r\n+CME ERROR: 52\r\n");
	rig_complete(&rig, AT_OK);
	assert_out("");
}

static void what_was_kept_runs_after_an_abort(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSTOP\rAT+CMEE?\r");
	rig_wait(&rig, 125);
	rig_feed(&rig, "x");
	assert_out(ERROR "\r\n+CMEE: 0\r\n" OK);
}

static void a_command_that_cannot_be_aborted_goes_on(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TWAIT\r");
	rig_wait(&rig, 1000);
	rig_feed(&rig, "xx");
	assert_out("");
	rig_complete(&rig, AT_OK);
	assert_out(OK);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v250_004_a_long_line_is_refused_once_and_nothing_of_it_runs),
		TEST(v250_005_the_line_behind_a_long_one_works),
		TEST(a_line_of_exactly_the_room_runs),
		TEST(an_escape_cut_by_the_end_of_the_room_is_refused),
		TEST(a_long_line_can_be_edited_back_to_its_room),
		TEST(a_slash_after_a_long_line_fails_again),
		TEST(v250_019_an_incomplete_line_is_dropped_after_30_s),
		TEST(a_line_is_dropped_also_when_nobody_ticks),
		TEST(v250_021_slow_characters_make_a_line),
		TEST(a_pending_command_is_answered_when_it_completes),
		TEST(a_pending_command_that_fails_ends_the_line),
		TEST(v250_111_what_arrives_during_a_pending_command_is_kept),
		TEST(kept_lines_may_be_pending_too),
		TEST(a_line_that_lost_characters_is_refused_and_does_not_run),
		TEST(a_line_whose_end_was_lost_is_refused_at_once),
		TEST(a_line_that_just_fits_the_kept_room_runs),
		TEST(v250_107_a_character_aborts_and_is_consumed),
		TEST(v250_109_the_aborting_character_begins_no_line),
		TEST(v250_108_characters_close_to_the_terminator_do_not_abort),
		TEST(v250_110_an_aborted_command_has_a_final_code),
		TEST(what_was_kept_runs_after_an_abort),
		TEST(a_command_that_cannot_be_aborted_goes_on),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
