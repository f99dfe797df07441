/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of unsolicited results: when they come, in which order, and which are lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

#define OK "\r\nOK\r\n"

static struct rig rig;

static int start(void **state)
{
	(void)state;
	return rig_start_quiet(&rig, "strict") ? 0 : -1;
}

#define assert_out(text) assert_string_equal(rig_out(&rig), text)

/* ---- unsolicited results ---- */

static void a_urc_is_sent_at_once_when_idle(void **state)
{
	(void)state;
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	assert_out("\r\n+X: 1\r\n");
	rig_feed(&rig, "ATV0\r");
	rig_urc(&rig, AT_URC_RESULT, "+X: 2");
	assert_out("0\r+X: 2\r");
}

static void v250_112_a_urc_comes_behind_text_and_final_code(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TURC;+CMEE?\r");
	assert_out("\r\ntext\r\n"
		   "\r\n+CMEE: 0\r\n" OK "\r\n+TURC: 1\r\n");
}

static void v250_113_a_urc_waits_for_a_pending_command(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TWAIT\r");
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	rig_wait(&rig, 60000);
	assert_out("");
	rig_complete(&rig, AT_OK);
	assert_out(OK "\r\n+X: 1\r\n");
}

static void v250_114_a_urc_waits_while_a_line_is_typed(void **state)
{
	(void)state;
	rig_feed(&rig, "A");
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	rig_wait(&rig, 999);
	rig_feed(&rig, "T+CMEE");
	rig_wait(&rig, 999);
	assert_out("");
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), 1);
	rig_feed(&rig, "?\r");
	assert_out("\r\n+CMEE: 0\r\n" OK "\r\n+X: 1\r\n");
}

static void v250_114_a_urc_waits_one_second_at_most(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE");
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), 1000);
	rig_wait(&rig, 1000);
	assert_out("\r\n+X: 1\r\n");
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), 29000);
	rig_feed(&rig, "?\r");
	assert_out("\r\n+CMEE: 0\r\n" OK);
}

static void a_urc_does_not_wait_for_noise(void **state)
{
	(void)state;
	rig_feed(&rig, "A");
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	rig_feed(&rig, "x");
	assert_out("\r\n+X: 1\r\n");
}

#define PAUSE_MS 30

static void with_pause_a_urc_right_behind_a_final_result_waits(void **state)
{
	(void)state;
	rig.ports[0].cfg.pause_ms = PAUSE_MS;
	rig_feed(&rig, "AT\r");
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	rig_urc(&rig, AT_URC_RESULT, "+X: 2");
	rig_feed(&rig, "\n"); /* of CR LF, no reason to go on */
	assert_out(OK);
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), PAUSE_MS);
	rig_wait(&rig, PAUSE_MS - 1);
	assert_out("");
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), 1);
	rig_wait(&rig, 1);
	assert_out("\r\n+X: 1\r\n\r\n+X: 2\r\n");
	assert_int_equal(at_next_ms(&rig.ports[0].at, rig.now_ms), UINT32_MAX);
	rig_urc(&rig, AT_URC_RESULT, "+X: 3");
	assert_out("\r\n+X: 3\r\n");
}

/* A host that sends one line behind the other within the pause hears of it all the same. */
static void with_pause_the_next_final_result_lets_a_urc_go(void **state)
{
	(void)state;
	rig.ports[0].cfg.pause_ms = PAUSE_MS;
	rig_feed(&rig, "AT\r");
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	rig_feed(&rig, "AT\r");
	assert_out(OK OK "\r\n+X: 1\r\n");
}

static void with_pause_what_waited_for_the_line_comes_with_its_result(void **state)
{
	(void)state;
	rig.ports[0].cfg.pause_ms = PAUSE_MS;
	rig_feed(&rig, "AT+TURC\r");
	assert_out("\r\ntext\r\n" OK "\r\n+TURC: 1\r\n");
}

static void with_pause_a_urc_waits_for_a_line_as_well(void **state)
{
	(void)state;
	rig.ports[0].cfg.pause_ms = PAUSE_MS;
	rig_feed(&rig, "AT\r");
	rig_urc(&rig, AT_URC_RESULT, "+X: 1");
	rig_wait(&rig, 10);
	rig_feed(&rig, "AT+CM");
	rig_wait(&rig, PAUSE_MS);
	assert_out(OK);
	rig_feed(&rig, "EE?\r");
	assert_out("\r\n+CMEE: 0\r\n" OK "\r\n+X: 1\r\n");
}

static void v250_118_q1_drops_urcs(void **state)
{
	(void)state;
	rig_feed(&rig, "ATQ1\r");
	rig_urc(&rig, AT_URC_RESULT, "+CSCFOTA: 2");
	rig_feed(&rig, "AT+FOTASTATE?\rATQ0\r");
	assert_out("\r\n+FOTASTATE: 0,0,0,\"\"\r\n" OK);
}

static void fill_queue(enum at_urc_class urc_class, char first, unsigned count)
{
	char text[] = "+CSCFOTA: 30_";

	for (unsigned i = 0; i < count; i++) {
		text[sizeof(text) - 2] = (char)(first + (char)i);
		rig_urc(&rig, urc_class, text);
	}
}

static void v250_115_sixteen_results_wait_in_order(void **state)
{
	const char *out;

	(void)state;
	rig_feed(&rig, "AT+TWAIT\r");
	fill_queue(AT_URC_RESULT, 'A', AT_URC_MAX);
	assert_int_equal(rig_stats(&rig).lost_urc_count, 0);
	assert_false(at_urc(&rig.ports[0].at, AT_URC_RESULT, fota_bytes_of("+Y")));
	assert_false(at_urc(&rig.ports[0].at, AT_URC_PROGRESS, fota_bytes_of("+Y")));
	assert_int_equal(rig_stats(&rig).lost_urc_count, 2);
	rig_complete(&rig, AT_OK);
	out = rig_out(&rig);
	assert_memory_equal(out, OK, strlen(OK));
	out += strlen(OK);
	for (char c = 'A'; c < 'A' + (char)AT_URC_MAX; c++) {
		assert_int_equal(out[14], c);
		out += strlen("\r\n+CSCFOTA: 30_\r\n");
	}
	assert_string_equal(out, "");
}

static void v250_115_the_oldest_progress_goes_first(void **state)
{
	const char *out;

	(void)state;
	rig_feed(&rig, "AT+TWAIT\r");
	fill_queue(AT_URC_RESULT, 'A', 1);
	fill_queue(AT_URC_PROGRESS, 'a', 2);
	fill_queue(AT_URC_RESULT, 'B', AT_URC_MAX - 3);
	fill_queue(AT_URC_RESULT, 'X', 1);
	assert_int_equal(rig_stats(&rig).lost_urc_count, 1);
	fill_queue(AT_URC_PROGRESS, 'z', 1);
	assert_int_equal(rig_stats(&rig).lost_urc_count, 2);
	rig_complete(&rig, AT_OK);
	out = rig_out(&rig);
	assert_null(strstr(out, "30a"));
	assert_null(strstr(out, "30b"));
	assert_non_null(strstr(out, "30A"));
	assert_true(strstr(out, "30X") < strstr(out, "30z"));
}

static void long_progress_lines_make_room_for_results(void **state)
{
	static const char progress[] = "+FOTAPROG: 18446744073709551615,18446744073709551615";

	(void)state;
	rig_feed(&rig, "AT+TWAIT\r");
	for (unsigned i = 0; i < 8; i++) {
		rig_urc(&rig, AT_URC_PROGRESS, progress);
	}
	assert_int_equal(rig_stats(&rig).lost_urc_count, 4);
	fill_queue(AT_URC_RESULT, 'A', AT_URC_MAX);
	assert_int_equal(rig_stats(&rig).lost_urc_count, 8);
	rig_complete(&rig, AT_OK);
	assert_null(strstr(rig_out(&rig), "+FOTAPROG"));
}

static void a_urc_of_bad_length_is_not_taken(void **state)
{
	static const uint8_t text[AT_URC_TEXT_BYTES + 1] = { 'x' };

	(void)state;
	assert_false(at_urc(&rig.ports[0].at, AT_URC_RESULT, (struct fota_bytes) { text, sizeof(text) }));
	assert_false(at_urc(&rig.ports[0].at, AT_URC_RESULT, (struct fota_bytes) { text, 0 }));
	assert_true(at_urc(&rig.ports[0].at, AT_URC_RESULT, (struct fota_bytes) { text, AT_URC_TEXT_BYTES }));
	assert_int_equal(rig_stats(&rig).lost_urc_count, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_urc_is_sent_at_once_when_idle),
		TEST(v250_112_a_urc_comes_behind_text_and_final_code),
		TEST(v250_113_a_urc_waits_for_a_pending_command),
		TEST(v250_114_a_urc_waits_while_a_line_is_typed),
		TEST(v250_114_a_urc_waits_one_second_at_most),
		TEST(a_urc_does_not_wait_for_noise),
		TEST(with_pause_a_urc_right_behind_a_final_result_waits),
		TEST(with_pause_the_next_final_result_lets_a_urc_go),
		TEST(with_pause_what_waited_for_the_line_comes_with_its_result),
		TEST(with_pause_a_urc_waits_for_a_line_as_well),
		TEST(v250_118_q1_drops_urcs),
		TEST(v250_115_sixteen_results_wait_in_order),
		TEST(v250_115_the_oldest_progress_goes_first),
		TEST(long_progress_lines_make_room_for_results),
		TEST(a_urc_of_bad_length_is_not_taken),
	};

	return cmocka_run_group_tests_name("urc", tests, NULL, NULL);
}
