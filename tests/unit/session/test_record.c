/* SPDX-License-Identifier: Apache-2.0 */
/* The record of the journal as bytes: round trip, the golden file of version 1, bytes
 * that are cut or changed. Usage: test_session_record VECTORS */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fota/record.h"
#include "stride.h"

static const char *vectors;

static void set(struct fota_text *text, const char *value)
{
	assert_int_equal(fota_text_set(text, fota_bytes_of(value)), FOTA_ERR_OK);
}

static void fill_fixed(uint8_t *dst, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++) {
		dst[i] = (uint8_t)(first + i);
	}
}

static void fill_boot(struct fota_boot *boot)
{
	boot->state = FOTA_BOOT_TRIAL;
	boot->tries_left = 2;
	boot->floor = 11;
	set(&boot->images[0].version, "V1");
	fill_fixed(boot->images[0].digest, sizeof(boot->images[0].digest), 0x30);
	set(&boot->images[1].version, "SIM7600M21_LE11_181025_V2.00");
	fill_fixed(boot->images[1].digest, sizeof(boot->images[1].digest), 0x50);
	boot->images[1].size_bytes = 0x123456789;
	boot->images[1].sequence = 12;
	boot->result.is_there = boot->result.is_told = true;
	boot->result.code = 508;
	set(&boot->result.old_version, "V1");
	set(&boot->result.new_version, "SIM7600M21_LE11_181025_V2.00");
}

/* The record of tests/vectors/session/record.hex. */
static struct fota_record full_record(void)
{
	struct fota_record record;

	memset(&record, 0, sizeof(record));
	set(&record.package.product, "1540907004");
	set(&record.package.target, "SIM7600M21_LE11_181025_V2.00");
	fill_fixed(record.package.digest, sizeof(record.package.digest), 0x10);
	record.package.total_bytes = 0x123456789;
	record.package.synced_bytes = 0x12345000;
	set(&record.package.secret, "f9bbb0d76f894da090b6b69253616561");
	set(&record.package.deployment, "dep-3");
	record.package.sequence = 12;
	record.package.slot = 1;
	fill_fixed(record.package.kid, sizeof(record.package.kid), 0xc0);
	fill_boot(&record.boot);
	record.last_code = 513;
	record.last_step = 3;
	set(&record.last_target, "SIM7600M21_LE11_181025_V2.00");
	record.report_count = 2;
	for (uint8_t i = 0; i < 2; i++) {
		struct fota_pending_report *report = &record.reports[i];

		set(&report->product, "1540907004");
		set(&report->secret, "f9bbb0d76f894da090b6b69253616561");
		set(&report->deployment, i ? "dep-2" : "dep-1");
		fill_fixed(report->id, sizeof(report->id), (uint8_t)(0xa0 + i));
		report->state = i ? FOTA_REPORT_DOWNLOADED : FOTA_REPORT_FAILED;
		report->code = i ? 3 : 513;
		report->received_bytes = i ? 0x123456789 : 4096;
	}
	return record;
}

static struct fota_record largest_record(void)
{
	struct fota_record record;
	struct fota_text *text;
	size_t text_lens[] = { FOTA_PRODUCT_MAX_BYTES, FOTA_SECRET_MAX_BYTES, FOTA_NAME_MAX_BYTES };

	memset(&record, 0xff, sizeof(record));
	record.package.product.len = FOTA_PRODUCT_MAX_BYTES;
	record.package.secret.len = FOTA_SECRET_MAX_BYTES;
	record.package.deployment.len = FOTA_NAME_MAX_BYTES;
	record.package.target.len = record.last_target.len = FOTA_VERSION_MAX_BYTES;
	record.package.is_verified = true;
	record.package.slot = 1;
	record.boot.state = FOTA_BOOT_TRIAL;
	record.boot.active = 1;
	record.boot.images[0].version.len = record.boot.images[1].version.len = FOTA_VERSION_MAX_BYTES;
	record.boot.result.is_there = record.boot.result.is_told = true;
	record.boot.result.code = 999;
	record.boot.result.old_version.len = record.boot.result.new_version.len = FOTA_VERSION_MAX_BYTES;
	record.last_code = 999;
	record.report_count = FOTA_PENDING_REPORT_MAX;
	for (size_t i = 0; i < FOTA_PENDING_REPORT_MAX; i++) {
		text = &record.reports[i].product;
		for (size_t t = 0; t < 3; t++) {
			text[t].len = (uint8_t)text_lens[t];
		}
		record.reports[i].state = FOTA_REPORT_CANCELLED;
		record.reports[i].code = 999;
	}
	return record;
}

static struct fota_bytes put(const struct fota_record *record, uint8_t *room)
{
	struct fota_bytes out;

	assert_int_equal(fota_record_put(record, (struct fota_room) { room, FOTA_RECORD_MAX_BYTES }, &out),
			 FOTA_ERR_OK);
	return out;
}

static bool is_empty(const struct fota_record *record)
{
	static const struct fota_record empty;

	return memcmp(record, &empty, sizeof(empty)) == 0;
}

/* By its bytes: the struct has padding and unused room. */
static void assert_same(const struct fota_record *a, const struct fota_record *b)
{
	uint8_t room_a[FOTA_RECORD_MAX_BYTES], room_b[FOTA_RECORD_MAX_BYTES];
	struct fota_bytes bytes_a = put(a, room_a), bytes_b = put(b, room_b);

	assert_true(fota_bytes_is_equal(bytes_a, bytes_b));
}

static size_t read_hex(const char *name, uint8_t *dst, size_t cap)
{
	char path[512];
	unsigned byte;
	size_t len = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", vectors, name);
	f = fopen(path, "r");
	if (!f) { fail_msg("cannot read %s", path); }
	while (len < cap && fscanf(f, "%2x", &byte) == 1) {
		dst[len++] = (uint8_t)byte;
	}
	(void)fclose(f);
	return len;
}

static void the_bytes_of_version_1_stay_what_they_are(void **state)
{
	uint8_t golden[FOTA_RECORD_MAX_BYTES], room[FOTA_RECORD_MAX_BYTES];
	size_t len = read_hex("session/record.hex", golden, sizeof(golden));
	struct fota_record record, expected = full_record();
	struct fota_bytes out = put(&expected, room);

	(void)state;
	assert_int_equal(out.len, len);
	assert_memory_equal(out.ptr, golden, len);
	assert_int_equal(fota_record_get((struct fota_bytes) { golden, len }, &record), FOTA_ERR_OK);
	assert_same(&record, &expected);
}

/* A module that learns to sign and to install keeps what it had; nothing is in a slot of its own. */
static void a_record_of_before_the_slots_is_read(void **state)
{
	uint8_t golden[FOTA_RECORD_MAX_BYTES];
	size_t len = read_hex("session/record_before_slots.hex", golden, sizeof(golden));
	struct fota_record record, expected = full_record();

	(void)state;
	memset(&expected.boot, 0, sizeof(expected.boot));
	expected.package.secret.len = expected.package.deployment.len = 0;
	expected.package.sequence = expected.package.slot = 0;
	memset(expected.package.kid, 0, sizeof(expected.package.kid));
	assert_int_equal(fota_record_get((struct fota_bytes) { golden, len }, &record), FOTA_ERR_OK);
	assert_same(&record, &expected);
}

static void what_a_newer_version_added_is_skipped(void **state)
{
	uint8_t golden[FOTA_RECORD_MAX_BYTES];
	size_t len = read_hex("session/record_newer.hex", golden, sizeof(golden));
	struct fota_record record, expected = full_record();

	(void)state;
	assert_int_equal(fota_record_get((struct fota_bytes) { golden, len }, &record), FOTA_ERR_OK);
	assert_same(&record, &expected);
}

static void the_largest_record_fits_into_an_entry(void **state)
{
	uint8_t room[FOTA_RECORD_MAX_BYTES];
	struct fota_record record, largest = largest_record();
	struct fota_bytes out = put(&largest, room);

	(void)state;
	assert_int_equal(fota_record_get(out, &record), FOTA_ERR_OK);
	assert_same(&record, &largest);
}

static void an_empty_record_comes_back_empty(void **state)
{
	uint8_t room[FOTA_RECORD_MAX_BYTES];
	struct fota_record record = full_record(), empty;

	(void)state;
	memset(&empty, 0, sizeof(empty));
	assert_int_equal(fota_record_get(put(&empty, room), &record), FOTA_ERR_OK);
	assert_true(is_empty(&record));
}

static void a_record_is_refused_in_every_room_that_is_too_small(void **state)
{
	uint8_t room[FOTA_RECORD_MAX_BYTES];
	struct fota_record record = full_record();
	struct fota_bytes out = put(&record, room);
	size_t len = out.len;

	(void)state;
	for (size_t cap = 0; cap < len; cap++) {
		uint8_t *small = malloc(cap ? cap : 1); /* a sanitizer sees a byte too many */

		assert_int_equal(fota_record_put(&record, (struct fota_room) { small, cap }, &out), FOTA_ERR_FULL);
		free(small);
	}
}

static void a_record_that_is_cut_anywhere_is_refused_and_leaves_nothing(void **state)
{
	uint8_t room[FOTA_RECORD_MAX_BYTES];
	struct fota_record record = full_record();
	size_t len = put(&record, room).len;

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, room, cut);
		record = full_record();
		assert_int_not_equal(fota_record_get((struct fota_bytes) { copy, cut }, &record), FOTA_ERR_OK);
		assert_true(is_empty(&record));
		free(copy);
	}
	assert_int_not_equal(fota_record_get((struct fota_bytes) { room, len + 1 }, &record), FOTA_ERR_OK);
}

/* A changed byte gives an error or a record that holds its bounds and can be stored. */
static void a_changed_byte_never_gives_a_record_outside_its_bounds(void **state)
{
	uint8_t room[FOTA_RECORD_MAX_BYTES], again[FOTA_RECORD_MAX_BYTES];
	struct fota_record record = full_record();
	size_t len = put(&record, room).len;

	(void)state;
	for (size_t at = 0; at < len; at++) {
		for (unsigned value = 0; value < 256; value += stride()) {
			uint8_t before = room[at];

			room[at] = (uint8_t)value;
			if (fota_record_get((struct fota_bytes) { room, len }, &record)) {
				assert_true(is_empty(&record));
			} else {
				assert_true(record.package.synced_bytes <= record.package.total_bytes);
				assert_true(record.report_count <= FOTA_PENDING_REPORT_MAX);
				assert_true(record.package.product.len <= FOTA_PRODUCT_MAX_BYTES);
				assert_true(record.boot.state <= FOTA_BOOT_TRIAL &&
					    record.boot.active < FOTA_SLOT_COUNT);
				assert_true(record.package.slot < FOTA_SLOT_COUNT);
				(void)put(&record, again);
			}
			room[at] = before;
		}
	}
}

static void a_text_takes_what_fits_and_refuses_the_rest_unchanged(void **state)
{
	static const uint8_t bytes[FOTA_VERSION_MAX_BYTES + 1] = { 'x' };
	struct fota_text text;

	(void)state;
	set(&text, "before");
	assert_int_equal(fota_text_set(&text, (struct fota_bytes) { bytes, sizeof(bytes) }), FOTA_ERR_RANGE);
	assert_true(fota_bytes_is_equal(fota_text_get(&text), fota_bytes_of("before")));
	assert_int_equal(fota_text_set(&text, (struct fota_bytes) { bytes, sizeof(bytes) - 1 }), FOTA_ERR_OK);
	assert_int_equal(fota_text_get(&text).len, FOTA_VERSION_MAX_BYTES);
	assert_int_equal(fota_text_set(&text, (struct fota_bytes) { NULL, 0 }), FOTA_ERR_OK);
	assert_int_equal(fota_text_get(&text).len, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_of_version_1_stay_what_they_are),
		cmocka_unit_test(a_record_of_before_the_slots_is_read),
		cmocka_unit_test(what_a_newer_version_added_is_skipped),
		cmocka_unit_test(the_largest_record_fits_into_an_entry),
		cmocka_unit_test(an_empty_record_comes_back_empty),
		cmocka_unit_test(a_record_is_refused_in_every_room_that_is_too_small),
		cmocka_unit_test(a_record_that_is_cut_anywhere_is_refused_and_leaves_nothing),
		cmocka_unit_test(a_changed_byte_never_gives_a_record_outside_its_bounds),
		cmocka_unit_test(a_text_takes_what_fits_and_refuses_the_rest_unchanged),
	};

	if (argc != 2) { return 2; }
	vectors = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
