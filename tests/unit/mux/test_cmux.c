/* SPDX-License-Identifier: Apache-2.0 */
/* The multiplexer against frames written down byte by byte: framing and channels. The
 * first check sums come from examples that are published with AT+CMUX. */
#include "rig.h"

/* ---- golden frames ---- */

static void the_first_frame_of_every_host_gets_its_published_answer(void **state)
{
	(void)state;
	mux_feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9));
	assert_out(BYTES(0xf9, 0x03, 0x73, 0x01, 0xd7, 0xf9));
	assert_story("");
}

static void a_channel_opens_and_the_module_tells_its_signals(void **state)
{
	(void)state;
	mux_feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9));
	mux_rig.out_len = 0;
	mux_feed(BYTES(0xf9, 0x07, 0x3f, 0x01, 0xde, 0xf9));
	assert_out(BYTES(0xf9, 0x07, 0x73, 0x01, 0x15, 0xf9,                           /* UA */
			 0xf9, 0x01, 0xef, 0x09, 0xe3, 0x05, 0x07, 0x0d, 0x9a, 0xf9)); /* MSC: RTC, RTR */
	assert_story("open1 ");
}

static void data_goes_both_ways(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_feed(BYTES(0xf9, 0x07, 0xef, 0x07, 'A', 'T', '\r', 0xd3, 0xf9));
	assert_story("1:AT\r ");
	assert_int_equal(cmux_send(&mux_rig.mux, 1, fota_bytes_of("\r\nOK\r\n")), 6);
	assert_out(BYTES(0xf9, 0x05, 0xef, 0x0d, '\r', '\n', 'O', 'K', '\r', '\n', mux_check_of(BYTES(5, 0xef, 0x0d)),
			 0xf9));
}

static void a_closing_flag_may_open_the_next_frame_and_flags_fill_gaps(void **state)
{
	uint8_t bytes[64];
	size_t len;

	(void)state;
	mux_open_channel(2);
	len = mux_frame(bytes, 2, true, UIH, "a", 1);
	len += mux_frame(bytes + len - 1, 2, true, UIH, "b", 1) - 1;
	mux_feed(bytes, len);
	mux_feed(BYTES(0xf9, 0xf9, 0xf9));
	mux_host_says(2, "c");
	assert_story("2:a 2:b 2:c ");
}

static void frames_work_byte_by_byte_and_split_at_each_position(void **state)
{
	uint8_t bytes[256];
	size_t len = mux_frame(bytes, 0, true, SABM, NULL, 0);

	(void)state;
	len += mux_frame(bytes + len, 3, true, SABM, NULL, 0);
	len += mux_frame(bytes + len, 3, true, UIH, "with \xf9 a flag inside", 20);
	len += mux_frame(bytes + len, 0, true, UIH, BYTES(0x23, 0x05, 'h', 'i'));
	for (size_t split = 0; split <= len; split++) {
		static uint8_t whole[256];
		static size_t whole_len;

		mux_begin(0);
		mux_feed(bytes, split);
		for (size_t i = split; i < len; i++) {
			mux_feed(bytes + i, 1);
		}
		assert_story("open3 3:with \xf9 a flag inside ");
		if (split == 0) { memcpy(whole, mux_rig.out, whole_len = mux_rig.out_len); }
		assert_out(whole, whole_len);
	}
}

static void lengths_on_both_sides_of_127_have_one_and_two_octets(void **state)
{
	static uint8_t data[CMUX_INFO_MAX];
	static const size_t lens[] = { 1, 126, 127, 128, 129, 255, 256, 1509, CMUX_INFO_MAX };

	(void)state;
	memset(data, 'x', sizeof(data));
	for (size_t i = 0; i < COUNT(lens); i++) {
		mux_begin(CMUX_INFO_MAX);
		mux_open_channel(1);
		mux_host_sends(1, UIH, data, lens[i]);
		assert_int_equal(strlen(mux_rig.story), lens[i] + 3);
		assert_int_equal(cmux_send(&mux_rig.mux, 1, (struct fota_bytes) { data, lens[i] }), lens[i]);
		assert_frame(1, false, UIH, data, lens[i]);
	}
}

static void answers_are_cut_to_the_agreed_size(void **state)
{
	(void)state;
	mux_begin(4);
	mux_open_channel(1);
	assert_int_equal(cmux_send(&mux_rig.mux, 1, fota_bytes_of("123456789")), 9);
	assert_int_equal(mux_rig.out_len, 3 * 6 + 9);
	assert_memory_equal(mux_rig.out + 4, "1234", 4);
	assert_memory_equal(mux_rig.out + 14, "5678", 4);
	assert_int_equal(mux_rig.out[24], '9');
}

/* ---- channels ---- */

static void no_channel_opens_before_the_control_channel(void **state)
{
	(void)state;
	mux_host_sends(1, SABM, NULL, 0);
	assert_frame(1, true, DM, NULL, 0);
	assert_story("");
}

static void channels_that_do_not_exist_are_refused(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(CMUX_CHANNEL_MAX + 1, SABM, NULL, 0);
	assert_frame(CMUX_CHANNEL_MAX + 1, true, DM, NULL, 0);
	mux_host_says(63, "x");
	assert_frame(63, true, DM, NULL, 0);
	assert_story("");
}

static void four_channels_are_open_at_once(void **state)
{
	(void)state;
	mux_host_sends(0, SABM, NULL, 0);
	for (unsigned i = 1; i <= CMUX_CHANNEL_MAX; i++) {
		mux_host_sends(i, SABM, NULL, 0);
	}
	mux_host_says(4, "d");
	mux_host_says(1, "a");
	assert_story("open1 open2 open3 open4 4:d 1:a ");
}

/* Every frame type on a channel that is closed and on one that is open. */
static void each_frame_has_its_answer_in_each_state(void **state)
{
	static const struct {
		uint8_t control;
		bool is_open;
		uint8_t answer; /* 0: none */
		const char *story;
		bool is_open_then;
	} rows[] = {
		{ SABM, false, UA, "open2 ", true }, { SABM, true, UA, "open2 ", true },
		{ DISC, false, DM, "", false },      { DISC, true, UA, "close2 ", false },
		{ UIH, false, DM, "", false },       { UIH, true, 0, "2:x ", true },
		{ DM, false, 0, "", false },         { DM, true, 0, "close2 ", false },
		{ UA, false, 0, "", false },         { UA, true, 0, "", true },
		{ 0x03, false, 0, "", false },       { 0x03, true, 0, "", true }, /* UI is not subset 0 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mux_begin(0);
		mux_open_channel(rows[i].is_open ? 2 : 1);
		mux_host_sends(2, rows[i].control, "x", rows[i].control == UIH ? 1 : 0);
		assert_story(rows[i].story);
		assert_int_equal(cmux_is_open(&mux_rig.mux, 2), rows[i].is_open_then);
		if (rows[i].control == SABM) { mux_rig.out_len = 6; }
		if (rows[i].answer) {
			assert_frame(2, true, rows[i].answer, NULL, 0);
		} else {
			assert_int_equal(mux_rig.out_len, 0);
		}
	}
}

static void answers_of_the_host_are_not_taken_for_commands(void **state)
{
	uint8_t bytes[16];

	(void)state;
	mux_feed(bytes, mux_frame(bytes, 0, false, SABM, NULL, 0));
	assert_int_equal(mux_rig.out_len, 0);
	assert_false(cmux_is_open(&mux_rig.mux, 0));
}

static void a_second_start_of_the_host_closes_its_channels(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(0, SABM, NULL, 0);
	assert_frame(0, true, UA, NULL, 0);
	assert_story("close1 ");
	assert_true(cmux_is_open(&mux_rig.mux, 0));
}

static void a_closed_channel_takes_no_data(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_host_sends(1, DISC, NULL, 0);
	mux_clear();
	assert_int_equal(cmux_send(&mux_rig.mux, 1, fota_bytes_of("x")), 0);
	assert_int_equal(cmux_send(&mux_rig.mux, 0, fota_bytes_of("x")), 0);
	assert_int_equal(cmux_send(&mux_rig.mux, 99, fota_bytes_of("x")), 0);
	assert_int_equal(mux_rig.out_len, 0);
}

#define T(name) cmocka_unit_test_setup(name, mux_start)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(the_first_frame_of_every_host_gets_its_published_answer),
		T(a_channel_opens_and_the_module_tells_its_signals),
		T(data_goes_both_ways),
		T(a_closing_flag_may_open_the_next_frame_and_flags_fill_gaps),
		T(frames_work_byte_by_byte_and_split_at_each_position),
		T(lengths_on_both_sides_of_127_have_one_and_two_octets),
		T(answers_are_cut_to_the_agreed_size),
		T(no_channel_opens_before_the_control_channel),
		T(channels_that_do_not_exist_are_refused),
		T(four_channels_are_open_at_once),
		T(each_frame_has_its_answer_in_each_state),
		T(answers_of_the_host_are_not_taken_for_commands),
		T(a_second_start_of_the_host_closes_its_channels),
		T(a_closed_channel_takes_no_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
