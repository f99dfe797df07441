/* SPDX-License-Identifier: Apache-2.0 */
/* The messages on the multiplexer's control channel, flow control, sleep and the end. */
#include "rig.h"

/* ---- messages ---- */

static void commands_on_the_control_channel_have_their_answers(void **state)
{
	static const struct {
		const char *name, *command, *answer;
		size_t command_len, answer_len;
	} rows[] = {
		{ "test", "\x23\x09ping", "\x21\x09ping", 6, 6 },
		{ "empty test", "\x23\x01", "\x21\x01", 2, 2 },
		{ "power saving", "\x43\x01", "\x41\x01", 2, 2 },
		{ "flow on", "\xa3\x01", "\xa1\x01", 2, 2 },
		{ "modem status", "\xe3\x05\x07\x8d", "\xe1\x05\x07\x8d", 4, 4 },
		{ "modem status with break", "\xe3\x07\x07\x8d\x03", "\xe1\x07\x07\x8d\x03", 5, 5 },
		{ "port, asked", "\x93\x03\x07", "\x91\x11\x07\x03\x03\x00\x00\x00\x7f\x00", 3, 10 },
		{ "port, set", "\x93\x11\x07\x05\x03\x00\x00\x00\x7f\x00", "\x91\x11\x07\x05\x03\x00\x00\x00\x7f\x00",
		  10, 10 },
		{ "line status", "\x53\x05\x07\x01", "\x51\x05\x07\x01", 4, 4 },
		{ "parameters", "\x83\x11\x02\x10\x07\x0a\x40\x00\x03\x02", "\x81\x11\x02\x00\x07\x0a\x40\x00\x03\x02",
		  10, 10 },
		{ "parameters beyond the room", "\x83\x11\x02\x00\x07\x0a\xff\x7f\x03\x02",
		  "\x81\x11\x02\x00\x07\x0a\x04\x06\x03\x02", 10, 10 },
		{ "service negotiation", "\xd3\x05\x07\x01", "\x11\x03\xd3", 4, 3 },
		{ "an unknown one", "\x33\x01", "\x11\x03\x33", 2, 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("%s\n", rows[i].name);
		mux_begin(0);
		mux_open_channel(1);
		mux_host_sends(0, UIH, rows[i].command, rows[i].command_len);
		assert_frame(0, false, UIH, rows[i].answer, rows[i].answer_len);
	}
}

static void a_long_test_comes_back_whole(void **state)
{
	uint8_t bytes[3 + 300] = { 0x23, 300 % 128 << 1, 300 / 128 << 1 | 1 };

	(void)state;
	memset(bytes + 3, 'p', 300);
	mux_open_channel(1);
	mux_host_sends(0, UIH, bytes, sizeof(bytes));
	bytes[0] = 0x21;
	assert_frame(0, false, UIH, bytes, sizeof(bytes));
}

static void messages_that_are_cut_off_are_not_answered(void **state)
{
	static const char *const rows[] = { "\x23",     "\x23\x09pin",  "\x23\x08",     "\x22\x01",
					    "\x93\x01", "\x83\x03\x02", "\xe3\x03\x07", "\x53\x03\x07" };

	(void)state;
	mux_open_channel(1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		mux_host_says(0, rows[i]);
		assert_int_equal(mux_rig.out_len, 0);
	}
	assert_story("");
}

static void two_messages_in_one_frame_are_both_answered(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(0, UIH, BYTES(0x23, 0x03, 'a', 0x23, 0x03, 'b'));
	assert_int_equal(mux_rig.out_len, 2 * (6 + 3));
}

static void the_status_is_repeated_until_it_is_answered(void **state)
{
	(void)state;
	mux_host_sends(0, SABM, NULL, 0);
	mux_host_sends(1, SABM, NULL, 0);
	mux_clear();
	assert_int_equal(cmux_next_ms(&mux_rig.mux, 1000), 300);
	cmux_tick(&mux_rig.mux, 1299);
	assert_int_equal(mux_rig.out_len, 0);
	cmux_tick(&mux_rig.mux, 1300);
	assert_frame(0, false, UIH, BYTES(0xe3, 0x05, 0x07, 0x0d));
	mux_rig.now_ms = 1400;
	mux_host_sends(0, UIH, BYTES(0xe1, 0x05, 0x07, 0x0d));
	cmux_tick(&mux_rig.mux, 9000);
	assert_int_equal(mux_rig.out_len, 0);
	assert_int_equal(cmux_next_ms(&mux_rig.mux, 9000), UINT32_MAX);
}

static void a_status_without_an_answer_is_given_up(void **state)
{
	(void)state;
	mux_host_sends(0, SABM, NULL, 0);
	mux_host_sends(1, SABM, NULL, 0);
	mux_clear();
	for (unsigned i = 0; i < 10; i++) {
		cmux_tick(&mux_rig.mux, 2000 + i * 1000);
	}
	assert_int_equal(mux_rig.out_len, 3 * 10);
	assert_int_equal(cmux_next_ms(&mux_rig.mux, 20000), UINT32_MAX);
	assert_true(cmux_is_ready(&mux_rig.mux, 1));
}

static void signals_of_the_module_are_told(void **state)
{
	(void)state;
	mux_open_channel(1);
	cmux_set_signals(&mux_rig.mux, 1, CMUX_SIGNAL_RTC | CMUX_SIGNAL_DV);
	assert_frame(0, false, UIH, BYTES(0xe3, 0x05, 0x07, 0x85));
	cmux_set_signals(&mux_rig.mux, 2, CMUX_SIGNAL_RTC);
	assert_int_equal(mux_rig.out_len, 0);
}

/* ---- flow control ---- */

static void a_stopped_channel_takes_no_data_and_the_others_do(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(2, SABM, NULL, 0);
	mux_clear();
	mux_host_sends(0, UIH, BYTES(0xe3, 0x05, 0x07, 0x0f)); /* FC */
	assert_story("signal1 ");
	assert_true(cmux_get_signals(&mux_rig.mux, 1) & CMUX_SIGNAL_FC);
	assert_int_equal(cmux_send(&mux_rig.mux, 1, fota_bytes_of("x")), 0);
	assert_int_equal(cmux_send(&mux_rig.mux, 2, fota_bytes_of("x")), 1);
	mux_host_sends(0, UIH, BYTES(0xe3, 0x05, 0x07, 0x0d));
	assert_int_equal(cmux_send(&mux_rig.mux, 1, fota_bytes_of("x")), 1);
}

static void flow_off_stops_all_channels_until_flow_on(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(0, UIH, BYTES(0x63, 0x01));
	assert_frame(0, false, UIH, BYTES(0x61, 0x01));
	assert_false(cmux_is_ready(&mux_rig.mux, 1));
	mux_host_sends(0, UIH, BYTES(0xa3, 0x01));
	assert_true(cmux_is_ready(&mux_rig.mux, 1));
}

/* ---- sleep ---- */

static void a_sleeping_multiplexer_answers_flags_and_wakes_with_flags(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(0, UIH, BYTES(0x43, 0x01));
	mux_clear();
	mux_feed(BYTES(0xf9, 0xf9));
	assert_out(BYTES(0xf9, 0xf9));
	assert_int_equal(cmux_send(&mux_rig.mux, 1, fota_bytes_of("x")), 1);
	assert_int_equal(mux_rig.out_len, 4 + 7);
	mux_clear();
	mux_feed(BYTES(0xf9));
	assert_int_equal(mux_rig.out_len, 0);
}

/* ---- the end ---- */

static void close_down_gives_the_line_back(void **state)
{
	uint8_t bytes[64];
	size_t len = mux_frame(bytes, 0, true, UIH, "\xc3\x01", 2);

	(void)state;
	mux_open_channel(1);
	memcpy(bytes + len, "AT\r", 3);
	assert_int_equal(cmux_feed(&mux_rig.mux, bytes, len + 3, mux_rig.now_ms), len);
	assert_frame(0, false, UIH, BYTES(0xc1, 0x01));
	assert_story("close1 end0 ");
	assert_true(cmux_is_ended(&mux_rig.mux));
	assert_int_equal(cmux_feed(&mux_rig.mux, bytes, len, mux_rig.now_ms), 0);
}

static void messages_behind_close_down_are_not_taken(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(0, UIH, BYTES(0xc3, 0x01, 0x23, 0x01));
	assert_frame(0, false, UIH, BYTES(0xc1, 0x01));
}

static void the_end_of_the_control_channel_is_the_end(void **state)
{
	(void)state;
	mux_open_channel(2);
	mux_host_sends(0, DISC, NULL, 0);
	assert_frame(0, true, UA, NULL, 0);
	assert_story("close2 end0 ");
}

static void the_module_ends_it_with_close_down(void **state)
{
	(void)state;
	mux_open_channel(1);
	cmux_end(&mux_rig.mux);
	assert_frame(0, false, UIH, BYTES(0xc3, 0x01));
	assert_story("close1 ");
	cmux_end(&mux_rig.mux);
	assert_int_equal(mux_rig.out_len, 0);
}

#define T(name) cmocka_unit_test_setup(name, mux_start)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(commands_on_the_control_channel_have_their_answers),
		T(a_long_test_comes_back_whole),
		T(messages_that_are_cut_off_are_not_answered),
		T(two_messages_in_one_frame_are_both_answered),
		T(the_status_is_repeated_until_it_is_answered),
		T(a_status_without_an_answer_is_given_up),
		T(signals_of_the_module_are_told),
		T(a_stopped_channel_takes_no_data_and_the_others_do),
		T(flow_off_stops_all_channels_until_flow_on),
		T(a_sleeping_multiplexer_answers_flags_and_wakes_with_flags),
		T(close_down_gives_the_line_back),
		T(messages_behind_close_down_are_not_taken),
		T(the_end_of_the_control_channel_is_the_end),
		T(the_module_ends_it_with_close_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
