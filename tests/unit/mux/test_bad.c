/* SPDX-License-Identifier: Apache-2.0 */
/* The multiplexer on a bad line, and with wrong configurations. */
#include "rig.h"

/* ---- bad frames ---- */

enum damage { LOST, DOUBLED, WRONG, DAMAGE_COUNT };

static size_t damage(uint8_t *to, const uint8_t *good, size_t len, size_t at, enum damage kind)
{
	size_t out = at;

	memcpy(to, good, at);
	if (kind == DOUBLED) { to[out++] = good[at]; }
	if (kind != LOST) { to[out++] = kind == WRONG ? (uint8_t)(good[at] ^ 0x11) : good[at]; }
	memcpy(to + out, good + at + 1, len - at - 1);
	return out + len - at - 1;
}

static void each_byte_of_a_frame_may_be_lost_doubled_or_wrong(void **state)
{
	uint8_t good[64], bytes[128];
	size_t good_len = mux_frame(good, 1, true, UIH, "damaged", 7);

	(void)state;
	for (size_t i = 0; i < DAMAGE_COUNT * good_len; i++) {
		mux_begin(0);
		mux_open_channel(1);
		mux_feed(bytes, damage(bytes, good, good_len, i / DAMAGE_COUNT, (enum damage)(i % DAMAGE_COUNT)));
		mux_rig.now_ms += CMUX_SILENCE_MS; /* where the length itself was hurt */
		mux_clear();
		mux_host_says(1, "next");
		assert_story("1:next ");
	}
}

/* Without any pause, with flags of their own: at most the next frame is lost as well. */
static void a_lost_byte_costs_at_most_the_next_frame_of_its_size(void **state)
{
	uint8_t good[64], bytes[256];
	size_t good_len = mux_frame(good, 1, true, UIH, "damaged", 7);

	(void)state;
	for (size_t at = 0; at < good_len; at++) {
		size_t len = damage(bytes, good, good_len, at, LOST);

		mux_begin(0);
		mux_open_channel(1);
		len += mux_frame(bytes + len, 1, true, UIH, "perhaps", 7);
		len += mux_frame(bytes + len, 1, true, UIH, "surely", 6);
		mux_feed(bytes, len);
		assert_non_null(strstr(mux_rig.story, "1:surely "));
	}
}

static void a_wrong_check_sum_is_counted_and_nothing_happens(void **state)
{
	struct cmux_stats stats;

	(void)state;
	mux_feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1d, 0xf9));
	assert_int_equal(mux_rig.out_len, 0);
	cmux_get_stats(&mux_rig.mux, &stats);
	assert_int_equal(stats.bad_frame_count, 1);
	assert_int_equal(stats.frame_count, 0);
	mux_feed(BYTES(0x03, 0x3f, 0x01, 0x1c, 0xf9)); /* the flag before was its opening one too */
	assert_int_equal(mux_rig.out_len, 6);
}

static void noise_before_the_first_flag_is_passed_over(void **state)
{
	struct cmux_stats stats;

	(void)state;
	mux_feed((const uint8_t *)"AT\r\n", 4);
	mux_feed(BYTES(0xf9, 0x03, 0x3f, 0x01, 0x1c, 0xf9));
	assert_int_equal(mux_rig.out_len, 6);
	cmux_get_stats(&mux_rig.mux, &stats);
	assert_int_equal(stats.lost_byte_count, 4);
}

static void a_frame_that_breaks_off_is_forgotten_after_a_second(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_feed(BYTES(0xf9, 0x07, 0xef, 0x7f, 'x'));
	mux_rig.now_ms += CMUX_SILENCE_MS;
	mux_host_says(1, "fresh");
	assert_story("1:fresh ");
}

static void a_length_beyond_the_room_is_no_frame(void **state)
{
	(void)state;
	mux_open_channel(1);
	mux_feed(BYTES(0xf9, 0x07, 0xef, 0xfe, 0xff));
	mux_host_says(1, "fresh");
	assert_story("1:fresh ");
}

static void wrong_configurations_are_refused(void **state)
{
	struct cmux_cfg cfg = { .write = mux_rig.cfg.write, .data = mux_rig.cfg.data, .event = mux_rig.cfg.event };

	(void)state;
	cfg.info_bytes = CMUX_INFO_MAX + 1;
	assert_int_equal(cmux_init(&mux_rig.mux, &cfg), FOTA_ERR_RANGE);
	cfg = (struct cmux_cfg) { .write = mux_rig.cfg.write, .data = mux_rig.cfg.data };
	assert_int_equal(cmux_init(&mux_rig.mux, &cfg), FOTA_ERR_CONTRACT);
	assert_int_equal(cmux_init(&mux_rig.mux, NULL), FOTA_ERR_CONTRACT);
}

#define T(name) cmocka_unit_test_setup(name, mux_start)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(each_byte_of_a_frame_may_be_lost_doubled_or_wrong),
		T(a_lost_byte_costs_at_most_the_next_frame_of_its_size),
		T(a_wrong_check_sum_is_counted_and_nothing_happens),
		T(noise_before_the_first_flag_is_passed_over),
		T(a_frame_that_breaks_off_is_forgotten_after_a_second),
		T(a_length_beyond_the_room_is_no_frame),
		T(wrong_configurations_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
