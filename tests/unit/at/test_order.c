/* SPDX-License-Identifier: Apache-2.0 */
/* Time and order: over-long lines, idle lines, pending commands, abort, what is kept
 * meanwhile, and the queue of unsolicited results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "rig.h"

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

static struct rig rig;

static int start(void **state)
{
	(void)state;
	if (!rig_init(&rig, "strict")) { return -1; }
	rig_feed(&rig, "ATE0\r");
	(void)rig_out(&rig);
	return 0;
}

#define assert_out(text) assert_string_equal(rig_out(&rig), text)

static struct at_stats stats(void)
{
	struct at_stats s;

	at_get_stats(&rig.ports[0].at, &s);
	return s;
}

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
	assert_int_equal(stats().long_line_count, 1);
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
	assert_int_equal(stats().dropped_line_count, 1);
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
	assert_int_equal(stats().dropped_byte_count, strlen("AT+CMEE=1;+"));
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
	assert_int_equal(stats().dropped_byte_count, 0);
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
	assert_int_equal(stats().aborted_count, 1);
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
	assert_int_equal(stats().lost_urc_count, 0);
	assert_false(at_urc(&rig.ports[0].at, AT_URC_RESULT, fota_bytes_of("+Y")));
	assert_false(at_urc(&rig.ports[0].at, AT_URC_PROGRESS, fota_bytes_of("+Y")));
	assert_int_equal(stats().lost_urc_count, 2);
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
	assert_int_equal(stats().lost_urc_count, 1);
	fill_queue(AT_URC_PROGRESS, 'z', 1);
	assert_int_equal(stats().lost_urc_count, 2);
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
	assert_int_equal(stats().lost_urc_count, 4);
	fill_queue(AT_URC_RESULT, 'A', AT_URC_MAX);
	assert_int_equal(stats().lost_urc_count, 8);
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
	assert_int_equal(stats().lost_urc_count, 2);
}

/* ---- all commands ---- */

/* Sends each command with this tail to a fresh port; `check` sees the answers. S
 * registers would change the framing. */
static void ask_all(const char *tail, void (*check)(const char *out))
{
	for (size_t t = 0; t < rig.ports[0].cfg.table_count - 1; t++) { /* not those of the rig */
		for (size_t i = 0; i < rig.tables[t].count; i++) {
			const char *name = rig.tables[t].rows[i].name;

			if (name[0] == 'S') { continue; }
			assert_int_equal(start(NULL), 0);
			rig_feed(&rig, "AT");
			rig_feed(&rig, name);
			rig_feed(&rig, tail);
			rig_feed(&rig, "\r");
			check(rig_out(&rig));
		}
	}
}

static void check_lines(const char *out)
{
	size_t left = strlen(out);

	while (left > 0) {
		const char *end = strstr(out, "\r\n");
		size_t len = end ? (size_t)(end - out) : left;

		assert_true(len <= 2041);
		if (len + 2 < left) {
			assert_false((len == 1 && *out == '0') || (len == 2 && memcmp(out, "OK", 2) == 0));
		}
		len += end ? 2 : 0;
		out += len;
		left -= len;
	}
}

static void v250_095_lines_are_short_and_none_reads_like_a_result(void **state)
{
	(void)state;
	ask_all("=?", check_lines);
	ask_all("?", check_lines);
	ask_all("", check_lines);
}

static bool is_ended_with(const char *out, const char *end)
{
	size_t len = strlen(out), end_len = strlen(end);

	return len >= end_len && strcmp(out + len - end_len, end) == 0;
}

/* V.250 6.3: what enters data mode answers CONNECT, and a prompt is "> " without an end. */
static void check_final(const char *out)
{
	assert_null(strstr(out, "CONNECT"));
	assert_null(strstr(out, "> "));
	assert_true(out[0] == 0 || is_ended_with(out, OK) || is_ended_with(out, ERROR) ||
		    (strlen(out) == 2 && out[1] == '\r'));
}

static void v250_116_no_command_enters_data_mode_or_a_prompt(void **state)
{
	(void)state;
	ask_all("=?", check_final);
	ask_all("?", check_final);
	ask_all("", check_final);
	ask_all("1", check_final);
	ask_all("=1", check_final);
	rig_feed(&rig, "ATD*99#\rATO\rATA\r+++");
	assert_out(ERROR ERROR ERROR);
}

static void v250_120_the_fota_commands_answer_at_once(void **state)
{
	uint64_t before_ms = rig.now_ms;

	(void)state;
	rig_feed(&rig, "AT+CAPFOTA=1\r");
	assert_out(OK);
	rig_feed(&rig, "AT+CSCFOTA=\"A\",\"B\",\"1\",\"0123456789abcdef\",\"V2\"\r");
	assert_out(OK);
	rig_feed(&rig, "AT+CSCFOTA=\"A\",\"B\",\"1\",\"0123456789abcdef\",\"V2\"\r");
	assert_out(ERROR);
	assert_int_equal(rig.now_ms, before_ms);
}

/* ---- ports ---- */

static void v250_119_ports_do_not_share_settings_or_memory(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=2;V0\r");
	rig_feed_bytes(&rig, 1, "AT+CMEE?\r", 9);
	assert_string_equal(rig_port_out(&rig, 1), "AT+CMEE?\r\r\n+CMEE: 0\r\n" OK);
	rig_feed_bytes(&rig, 1, "A/", 2);
	assert_string_equal(rig_port_out(&rig, 1), "A/\r\n+CMEE: 0\r\n" OK);
}

static bool has_text(const void *bytes, size_t len, const char *text)
{
	const char *at = bytes;
	size_t text_len = strlen(text);

	for (size_t i = 0; i + text_len <= len; i++) {
		if (memcmp(at + i, text, text_len) == 0) { return true; }
	}
	return false;
}

static void reset_forgets_what_the_host_before_did(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+CMEE=2;V0\rAT+TSET=\"sesame\"\r");
	assert_true(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	(void)rig_out(&rig);
	at_reset(&rig.ports[0].at);
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "A/AT+CMEE?\r");
	assert_out("A/" OK "AT+CMEE?\r\r\n+CMEE: 0\r\n" OK);
}

static void reset_aborts_what_is_pending(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSTOP\rAT");
	at_reset(&rig.ports[0].at);
	assert_int_equal(rig.abort_count, 1);
	rig_complete(&rig, AT_OK);
	rig_feed(&rig, "AT\r");
	assert_out("AT\r" OK);
}

static void the_next_prefix_wipes_the_line_before(void **state)
{
	(void)state;
	rig_feed(&rig, "AT+TSET=\"sesame\"\rAT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "               +TSET=\"sesame\"\rAT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "+TSET=\"\\61\\62sesame\"\rAT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "+TWAIT\rAT+TSET=\"sesame\"\r");
	rig_complete(&rig, AT_OK);
	rig_feed(&rig, "AT");
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
	rig_feed(&rig, "+TSET=\"sesame");
	rig_wait(&rig, 30000);
	assert_false(has_text(&rig.ports[0].at, sizeof(rig.ports[0].at), "sesame"));
}

/* ---- configuration ---- */

static void init_refuses_a_configuration_without_its_parts(void **state)
{
	static const struct at_command no_handler[] = { { "+X", AT_ACTION } };
	struct at_table bad = { no_handler, 1, NULL };
	struct at_server at;
	struct at_cfg cfg = rig.ports[0].cfg;

	(void)state;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_OK);
	cfg.write = NULL;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	cfg = rig.ports[0].cfg;
	cfg.identity = NULL;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	cfg = rig.ports[0].cfg;
	cfg.tables = &bad;
	cfg.table_count = 1;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	cfg.table_count = 0;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_CONTRACT);
	assert_int_equal(at_init(&at, NULL), FOTA_ERR_CONTRACT);
}

static void without_a_profile_the_default_is_sim7600(void **state)
{
	struct at_server at;
	struct at_cfg cfg = rig.ports[0].cfg;

	(void)state;
	cfg.profile = NULL;
	assert_int_equal(at_init(&at, &cfg), FOTA_ERR_OK);
	assert_string_equal(at_get_profile(&at)->name, "sim7600");
	assert_null(at_profile_find("sim"));
}

static void an_identity_that_is_not_there_is_not_found(void **state)
{
	(void)state;
	rig.fields[FOTA_IDENTITY_DEVICE] = "";
	rig.fields[FOTA_IDENTITY_VERSION] = NULL;
	rig.fields[FOTA_IDENTITY_MODEL] = "";
	rig_feed(&rig, "AT+CMEE=1\rAT+CGSN\rAT+CGMR\rAT+CGMM\r");
	assert_out(OK "\r\n+CME ERROR: 22\r\n"
		      "\r\n+CME ERROR: 22\r\n"
		      "\r\natfota module\r\n" OK);
}

static unsigned count_lines(const char *text, const char *line)
{
	unsigned count = 0;

	for (; (text = strstr(text, line)) != NULL; text++) {
		count++;
	}
	return count;
}

static void v250_106_clac_lists_every_command_once(void **state)
{
	const char *out;
	char line[32];

	(void)state;
	rig_feed(&rig, "AT+CLAC\r");
	out = rig_out(&rig);
	for (size_t t = 0; t < rig.ports[0].cfg.table_count; t++) {
		for (size_t i = 0; i < rig.tables[t].count; i++) {
			(void)snprintf(line, sizeof(line), "\nAT%s\r", rig.tables[t].rows[i].name);
			assert_int_equal(count_lines(out, line), 1);
		}
	}
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
		TEST(v250_095_lines_are_short_and_none_reads_like_a_result),
		TEST(v250_116_no_command_enters_data_mode_or_a_prompt),
		TEST(v250_120_the_fota_commands_answer_at_once),
		TEST(v250_119_ports_do_not_share_settings_or_memory),
		TEST(reset_forgets_what_the_host_before_did),
		TEST(reset_aborts_what_is_pending),
		TEST(the_next_prefix_wipes_the_line_before),
		TEST(init_refuses_a_configuration_without_its_parts),
		TEST(without_a_profile_the_default_is_sim7600),
		TEST(an_identity_that_is_not_there_is_not_found),
		TEST(v250_106_clac_lists_every_command_once),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
