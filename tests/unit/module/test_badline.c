/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "badline.h"

#define SEND_BYTES 4000u

/* What SEND_BYTES counted bytes become on their way to the host. */
static size_t send_all(const char *cfg_text, uint32_t number, uint8_t *out, size_t cap)
{
	static struct badline line;
	struct badline_cfg cfg = { 0 };
	size_t len = 0;

	assert_null(badline_parse_list(&cfg, cfg_text));
	badline_init(&line, &cfg, number);
	for (unsigned i = 0; i < SEND_BYTES; i++) {
		uint8_t byte = (uint8_t)i;

		badline_put_out(&line, &byte, 1, i);
		len += badline_take_out(&line, out + len, cap - len, i);
	}
	return len + badline_take_out(&line, out + len, cap - len, UINT32_MAX);
}

static void a_good_line_changes_nothing(void **state)
{
	uint8_t out[2 * SEND_BYTES];

	(void)state;
	assert_int_equal(send_all("seed=9", 0, out, sizeof(out)), SEND_BYTES);
	for (unsigned i = 0; i < SEND_BYTES; i++) {
		assert_int_equal(out[i], (uint8_t)i);
	}
	assert_false(badline_is_bad(&(struct badline_cfg) { .seed = 9, .late_ms = 5 }));
}

static void the_same_seed_spoils_the_same_bytes(void **state)
{
	uint8_t a[2 * SEND_BYTES], b[2 * SEND_BYTES];
	size_t len = send_all("lose=300,twice=300,late=50,seed=3", 0, a, sizeof(a));

	(void)state;
	assert_int_equal(send_all("lose=300,twice=300,late=50,seed=3", 0, b, sizeof(b)), len);
	assert_memory_equal(a, b, len);
	assert_true(send_all("lose=300,twice=300,late=50,seed=4", 0, b, sizeof(b)) != len || memcmp(a, b, len) != 0);
	assert_true(send_all("lose=300,twice=300,late=50,seed=3", 1, b, sizeof(b)) != len || memcmp(a, b, len) != 0);
}

/* Within a third of what the chance says: 10 % of 4000 are 400. */
static void bytes_are_lost_and_doubled_as_often_as_asked(void **state)
{
	uint8_t out[2 * SEND_BYTES];

	(void)state;
	assert_in_range(send_all("lose=1000,seed=1", 0, out, sizeof(out)), SEND_BYTES - 530, SEND_BYTES - 270);
	assert_in_range(send_all("twice=1000,seed=1", 0, out, sizeof(out)), SEND_BYTES + 270, SEND_BYTES + 530);
	assert_int_equal(send_all("lose=10000", 0, out, sizeof(out)), 0);
	assert_int_equal(send_all("lose=10000,way=from-host", 0, out, sizeof(out)), SEND_BYTES);
}

static void a_late_byte_holds_those_behind_it_and_no_order_changes(void **state)
{
	static struct badline line;
	struct badline_cfg cfg = { .late = 10000, .late_ms = 70 };
	uint8_t out[8];

	(void)state;
	badline_init(&line, &cfg, 0);
	badline_put_out(&line, (const uint8_t *)"ab", 2, 100);
	assert_int_equal(badline_next_ms(&line, 100), 70);
	assert_int_equal(badline_take_out(&line, out, sizeof(out), 169), 0);
	badline_put_out(&line, (const uint8_t *)"c", 1, 169);
	assert_int_equal(badline_take_out(&line, out, sizeof(out), 170), 3);
	assert_memory_equal(out, "abc", 3);
	assert_int_equal(badline_next_ms(&line, 170), UINT32_MAX);
}

static void a_module_that_stalls_reads_on_later(void **state)
{
	static struct badline line;
	struct badline_cfg cfg = { .stall_after = 3, .stall_ms = 50 };
	uint8_t out[8];

	(void)state;
	badline_init(&line, &cfg, 0);
	badline_put_in(&line, (const uint8_t *)"abcde", 5, 10);
	assert_int_equal(badline_take_in(&line, out, sizeof(out), 10), 3);
	assert_true(badline_is_stalled(&line, 59));
	assert_int_equal(badline_take_in(&line, out, sizeof(out), 59), 0);
	assert_int_equal(badline_next_ms(&line, 59), 1);
	assert_int_equal(badline_take_in(&line, out, sizeof(out), 60), 2);
	assert_memory_equal(out, "de", 2);
}

static void noise_comes_once_after_each_start(void **state)
{
	static struct badline line;
	struct badline_cfg cfg = { .noise_bytes = 20 };
	uint8_t out[64];

	(void)state;
	badline_init(&line, &cfg, 0);
	for (unsigned start = 0; start < 2; start++) {
		badline_put_in(&line, (const uint8_t *)"A", 1, 10);
		assert_int_equal(badline_take_out(&line, out, sizeof(out), 10), 20);
		badline_put_in(&line, (const uint8_t *)"T", 1, 10);
		assert_int_equal(badline_take_out(&line, out, sizeof(out), 10), 0);
		badline_restart(&line);
	}
}

static void the_module_is_cut_once_in_the_middle_of_its_answer(void **state)
{
	static struct badline line;
	struct badline_cfg cfg = { .cut_after = 4 };
	uint8_t out[64];

	(void)state;
	badline_init(&line, &cfg, 0);
	badline_put_out(&line, (const uint8_t *)"\r\nOK\r\n", 6, 1);
	assert_int_equal(badline_take_out(&line, out, sizeof(out), 1), 4);
	assert_true(badline_take_cut(&line));
	assert_false(badline_take_cut(&line));
	badline_restart(&line);
	badline_put_out(&line, (const uint8_t *)"\r\nOK\r\n", 6, 1);
	assert_int_equal(badline_take_out(&line, out, sizeof(out), 1), 6);
}

static void wrong_settings_are_told(void **state)
{
	static const char *const wrong[] = { "lose", "lose=", "lose=-1", "lose=10001", "loose=1", "way=up", "seed=4x" };
	struct badline_cfg cfg;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_non_null(badline_parse_list(&cfg, wrong[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_line_changes_nothing),
		cmocka_unit_test(the_same_seed_spoils_the_same_bytes),
		cmocka_unit_test(bytes_are_lost_and_doubled_as_often_as_asked),
		cmocka_unit_test(a_late_byte_holds_those_behind_it_and_no_order_changes),
		cmocka_unit_test(a_module_that_stalls_reads_on_later),
		cmocka_unit_test(noise_comes_once_after_each_start),
		cmocka_unit_test(the_module_is_cut_once_in_the_middle_of_its_answer),
		cmocka_unit_test(wrong_settings_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
