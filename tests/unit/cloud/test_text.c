/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, hex, base64 and ranges: what is exactly of the form, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "device_api/range.h"
#include "text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void numbers_are_digits_up_to_a_limit(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "0x1", "1.0", "18446744073709551616", "x" };
	uint64_t value = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(cloud_number_get(bad[i], UINT64_MAX, &value));
	}
	assert_true(cloud_number_get("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_true(cloud_number_get("007", 7, &value));
	assert_int_equal(value, 7);
	assert_false(cloud_number_get("8", 7, &value));
	assert_false(cloud_number_get("9223372036854775808", INT64_MAX, &value));
	assert_true(cloud_number_get("9223372036854775807", INT64_MAX, &value));
}

static void hex_goes_and_comes(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x9f, 0xa0, 0xff };
	uint8_t back[4];
	char hex[9];

	(void)state;
	cloud_hex_put(bytes, sizeof(bytes), hex);
	assert_string_equal(hex, "009fa0ff");
	assert_true(cloud_hex_get("009FA0ff", back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_false(cloud_hex_get("009fa0f", back, sizeof(back)));
	assert_false(cloud_hex_get("009fa0fff", back, sizeof(back)));
	assert_false(cloud_hex_get("009fa0fg", back, sizeof(back)));
}

static void base64_is_strict(void **state)
{
	uint8_t bytes[6];

	(void)state;
	assert_true(cloud_base64_get("Zm9vYmFy", 8, bytes, 6));
	assert_memory_equal(bytes, "foobar", 6);
	assert_true(cloud_base64_get("Zm9vYmE=", 8, bytes, 5));
	assert_true(cloud_base64_get("Zm9vYg==", 8, bytes, 4));
	assert_false(cloud_base64_get("Zm9vYg=A", 8, bytes, 4));
	assert_false(cloud_base64_get("Zm9vYh==", 8, bytes, 4)); /* bits beyond the end are not 0 */
	assert_false(cloud_base64_get("Zm9v", 4, bytes, 4));
	assert_false(cloud_base64_get("Zm9v-mFy", 8, bytes, 6));
}

static void times_are_rfc_3339(void **state)
{
	char text[CLOUD_TIME_CAP];

	(void)state;
	assert_string_equal(cloud_time_text(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(cloud_time_text(1790000000, text), "2026-09-21T14:13:20Z");
}

struct range_row {
	const char *range;
	const char *if_range;
	enum cloud_range_kind kind;
	uint64_t start, len;
};

static const struct range_row range_rows[] = {
	{ NULL, NULL, CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=0-", NULL, CLOUD_RANGE_PART, 0, 1000 },
	{ "bytes=0-0", NULL, CLOUD_RANGE_PART, 0, 1 },
	{ "Bytes=999-", NULL, CLOUD_RANGE_PART, 999, 1 },
	{ "bytes=10-19", NULL, CLOUD_RANGE_PART, 10, 10 },
	{ "bytes=990-5000", NULL, CLOUD_RANGE_PART, 990, 10 },
	{ "bytes=-10", NULL, CLOUD_RANGE_PART, 990, 10 },
	{ "bytes=-5000", NULL, CLOUD_RANGE_PART, 0, 1000 },
	{ "bytes=0-18446744073709551615", NULL, CLOUD_RANGE_PART, 0, 1000 },
	{ "bytes=1000-", NULL, CLOUD_RANGE_UNSATISFIED, 0, 0 },
	{ "bytes=18446744073709551615-", NULL, CLOUD_RANGE_UNSATISFIED, 0, 0 },
	{ "bytes=-0", NULL, CLOUD_RANGE_UNSATISFIED, 0, 0 },
	{ "bytes=20-10", NULL, CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=0-1,5-6", NULL, CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=a-b", NULL, CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=-", NULL, CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=99999999999999999999999-", NULL, CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "items=0-1", NULL, CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=10-", "\"tag\"", CLOUD_RANGE_PART, 10, 990 },
	{ "bytes=10-", "\"other\"", CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=10-", "W/\"tag\"", CLOUD_RANGE_WHOLE, 0, 1000 },
	{ "bytes=5000-", "\"other\"", CLOUD_RANGE_WHOLE, 0, 1000 },
};

static void ranges_follow_rfc_9110(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(range_rows); i++) {
		const struct range_row *row = &range_rows[i];
		struct cloud_range range = cloud_range_get(row->range, row->if_range, "\"tag\"", 1000);

		print_message("%s\n", row->range ? row->range : "no range");
		assert_int_equal(range.kind, row->kind);
		assert_true(range.start == row->start);
		assert_true(range.len == row->len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_digits_up_to_a_limit),
		cmocka_unit_test(hex_goes_and_comes),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(times_are_rfc_3339),
		cmocka_unit_test(ranges_follow_rfc_9110),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
