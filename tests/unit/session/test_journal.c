/* SPDX-License-Identifier: Apache-2.0 */
/* The journal on simulated flash. The promise: what is loaded is the record that was
 * saved last, or, if the power went during a save, the one before or the one that was
 * being saved; never an older one, never a mixture.
 *
 * Records are told apart by a number, which a snapshot carries as last_code and in its
 * texts, and a progress entry as synced_bytes. Usage: test_session_journal VECTORS */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fota/journal.h"
#include "sim_flash.h"
#include "stride.h"
#include "util/crc32.h"

#define AREA_MAX 65536u
#define TOTAL    UINT64_C(1000000000)

static const char *vectors;

/* ---- the rig: flash, journal, record ---- */

static const struct shape {
	uint32_t area_bytes, erase_bytes, prog_bytes;
	bool is_async;
} shapes[] = {
	{ 8192, 4096, 1, false },   { 8192, 4096, 16, false }, { 8192, 4096, 256, true },  { 16384, 512, 8, true },
	{ 65536, 32768, 4, false }, { 12288, 4096, 32, true }, { 10240, 1024, 64, false },
};

#define SHAPE_COUNT (sizeof(shapes) / sizeof(shapes[0]))

static struct sim_flash sim;
static struct fota_flash port; /* in front of it: fails the n-th call */
static uint32_t fail_in;
static enum fota_err fail_err;
static uint8_t cells[AREA_MAX], states[AREA_MAX];
static struct fota_journal journal;
static struct fota_record record;
static uint8_t room[FOTA_JOURNAL_ROOM_BYTES];
static char id[96];

#define require(truth)                                                \
	do {                                                          \
		if (!(truth)) {                                       \
			print_error("REPLAY='%s': %s\n", id, #truth); \
			_fail(__FILE__, __LINE__);                    \
		}                                                     \
	} while (0)

static bool is_chosen(const char *what, size_t shape, uint32_t a, uint32_t b)
{
	const char *chosen = getenv("REPLAY");

	(void)snprintf(id, sizeof(id), "%s: shape %zu, %u, %u", what, shape, a, b);
	return !chosen || strcmp(chosen, id) == 0;
}

static bool is_failing(void)
{
	return fail_in && --fail_in == 0;
}

static enum fota_err port_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	(void)ctx;
	return is_failing() ? fail_err : sim.flash.read(&sim, off, dst, len);
}

static enum fota_err port_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	(void)ctx;
	return is_failing() ? fail_err : sim.flash.prog(&sim, off, src, len);
}

static enum fota_err port_erase(void *ctx, uint64_t off, uint64_t len)
{
	(void)ctx;
	return is_failing() ? fail_err : sim.flash.erase(&sim, off, len);
}

static enum fota_err port_sync(void *ctx)
{
	(void)ctx;
	return is_failing() ? fail_err : sim.flash.sync(&sim);
}

static void power_on(void)
{
	sim_flash_restart(&sim);
	fail_in = 0;
	memset(&record, 0xdd, sizeof(record));
	memset(room, 0xdd, sizeof(room));
	require(fota_journal_init(&journal, &port, &record, (struct fota_room) { room, sizeof(room) }) == FOTA_ERR_OK);
}

static void make(const struct shape *shape)
{
	sim_flash_init(&sim, cells, states, shape->area_bytes, shape->erase_bytes, shape->prog_bytes);
	sim.is_async = shape->is_async;
	port = sim.flash;
	port.read = port_read;
	port.prog = port_prog;
	port.erase = port_erase;
	port.sync = port_sync;
	power_on();
}

/* Runs the job to its end: NONE, or its error. */
static enum fota_err run(void)
{
	enum fota_err err, result;

	do {
		err = fota_journal_poll(&journal);
		if (err != FOTA_ERR_PENDING) { continue; }
		require(sim_flash_complete(&sim, &result));
		err = result;
		if (err) { fota_journal_fail(&journal); }
	} while (err == FOTA_ERR_OK);
	return err;
}

static enum fota_err load(void)
{
	fota_journal_load(&journal);
	return run();
}

static enum fota_err save(enum fota_journal_job job)
{
	fota_journal_save(&journal, job);
	return run();
}

/* ---- records by number ---- */

static void set_text(struct fota_text *text, uint32_t number)
{
	char value[64];

	(void)snprintf(value, sizeof(value), "%0*u", 1 + (int)(number % 60), number);
	require(fota_text_set(text, fota_bytes_of(value)) == FOTA_ERR_OK);
}

static void set_number(uint32_t number)
{
	record.package.total_bytes = TOTAL;
	record.package.synced_bytes = number;
	record.last_code = (uint16_t)(number % 999);
	set_text(&record.last_target, number);
	set_text(&record.package.target, number);
	record.report_count = (uint8_t)(number % (FOTA_PENDING_REPORT_MAX + 1));
	for (uint8_t i = 0; i < record.report_count; i++) {
		memset(&record.reports[i], 0, sizeof(record.reports[i]));
		set_text(&record.reports[i].deployment, number);
	}
}

/* 0 for an empty record. Snapshot and progress may have different numbers. */
static uint32_t snapshot_number(void)
{
	return (uint32_t)strtoul((const char *)record.last_target.bytes, NULL, 10);
}

static void check_whole(void)
{
	struct fota_text text;
	uint32_t number = snapshot_number();

	if (number == 0) {
		static const struct fota_record empty;

		require(memcmp(&record, &empty, sizeof(empty)) == 0);
		return;
	}
	memset(&text, 0, sizeof(text));
	set_text(&text, number);
	require(fota_bytes_is_equal(fota_text_get(&text), fota_text_get(&record.package.target)));
	require(record.last_code == number % 999 && record.package.total_bytes == TOTAL);
	require(record.report_count == number % (FOTA_PENDING_REPORT_MAX + 1));
	require(record.package.synced_bytes >= number);
}

static uint32_t next_dice(uint32_t *dice)
{
	*dice = *dice * 1664525u + 1013904223u;
	return *dice >> 16;
}

/* ---- tests ---- */

static void flash_that_was_never_written_gives_an_empty_record(void **state)
{
	(void)state;
	for (size_t s = 0; s < SHAPE_COUNT; s++) {
		static const uint8_t fills[] = { 0x00, 0xff, 0xa5, 0x46 };

		for (size_t f = 0; f < sizeof(fills); f++) {
			if (!is_chosen("blank", s, fills[f], 0)) { continue; }
			make(&shapes[s]);
			memset(cells, fills[f], shapes[s].area_bytes);
			require(load() == FOTA_ERR_NONE);
			check_whole();
			require(snapshot_number() == 0);
		}
	}
}

static void each_save_of_a_long_history_is_what_is_loaded_next(void **state)
{
	(void)state;
	for (size_t s = 0; s < SHAPE_COUNT; s++) {
		uint32_t dice = (uint32_t)s, snapshot = 0;

		if (!is_chosen("history", s, 0, 0)) { continue; }
		make(&shapes[s]);
		require(load() == FOTA_ERR_NONE);
		for (uint32_t number = 1; number < 2000 / stride(); number++) {
			static const enum fota_journal_job jobs[] = { FOTA_JOURNAL_PROGRESS, FOTA_JOURNAL_PROGRESS,
								      FOTA_JOURNAL_SNAPSHOT, FOTA_JOURNAL_SCRUB };
			enum fota_journal_job job = snapshot ? jobs[next_dice(&dice) % 4] : FOTA_JOURNAL_SNAPSHOT;

			if (job == FOTA_JOURNAL_PROGRESS) {
				record.package.synced_bytes = number;
			} else {
				set_number(number);
				snapshot = number;
			}
			require(save(job) == FOTA_ERR_NONE);
			if (next_dice(&dice) % 3) { continue; }
			power_on();
			require(load() == FOTA_ERR_NONE);
			check_whole();
			require(record.package.synced_bytes == number && snapshot_number() == snapshot);
		}
		require(sim.violation_count == 0);
	}
}

/* A save of each kind, cut at its n-th operation; then again, and again. */
static void a_cut_in_a_save_leaves_the_last_or_the_one_before(void **state)
{
	static const enum fota_journal_job jobs[] = { FOTA_JOURNAL_PROGRESS, FOTA_JOURNAL_SNAPSHOT,
						      FOTA_JOURNAL_SCRUB };

	(void)state;
	for (size_t s = 0; s < SHAPE_COUNT; s++) {
		for (uint32_t seed = 0; seed < 40; seed += stride()) {
			uint32_t dice = seed, done = 1;

			if (!is_chosen("cut", s, seed, 0)) { continue; }
			make(&shapes[s]);
			require(load() == FOTA_ERR_NONE);
			set_number(1);
			require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
			for (uint32_t number = 2; number < 60; number++) {
				enum fota_journal_job job = jobs[next_dice(&dice) % 3];
				enum fota_err err;
				uint32_t loaded;

				if (job == FOTA_JOURNAL_PROGRESS) {
					record.package.synced_bytes = number;
				} else {
					set_number(number);
				}
				/* 0: no cut this time */
				sim.cut_in = next_dice(&dice) % 8;
				err = save(job);
				if (!err || err == FOTA_ERR_NONE) { done = number; }
				if (err == FOTA_ERR_NONE && sim.cut_in == 0 && next_dice(&dice) % 2) { continue; }
				power_on();
				if (next_dice(&dice) % 4 == 0) { /* and once more while it is read */
					sim.cut_in = 1 + next_dice(&dice) % 4;
					(void)load();
					power_on();
				}
				require(load() == FOTA_ERR_NONE);
				check_whole();
				loaded = (uint32_t)record.package.synced_bytes;
				require(loaded == done || loaded == number);
				done = loaded; /* what was loaded once does not go back */
			}
			require(sim.violation_count == 0);
		}
	}
}

/* ---- failing calls without a cut: the journal goes on with the same object ---- */

static void a_port_call_that_fails_loses_nothing_and_the_next_save_works(void **state)
{
	static const enum fota_err errs[] = { FOTA_ERR_IO, FOTA_ERR_FULL };

	(void)state;
	for (size_t s = 0; s < SHAPE_COUNT; s++) {
		for (uint32_t seed = 0; seed < 30; seed += stride()) {
			uint32_t dice = seed * 77u, done = 1;

			if (!is_chosen("failing", s, seed, 0)) { continue; }
			make(&shapes[s]);
			require(load() == FOTA_ERR_NONE);
			set_number(1);
			require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
			for (uint32_t number = 2; number < 50; number++) {
				enum fota_err err;

				set_number(number);
				fail_err = errs[number % 2];
				fail_in = next_dice(&dice) % 8;
				err = save(next_dice(&dice) % 2 ? FOTA_JOURNAL_SNAPSHOT : FOTA_JOURNAL_SCRUB);
				fail_in = 0;
				require(err == FOTA_ERR_NONE || err == fail_err);
				if (err == FOTA_ERR_NONE) { done = number; }
				if (next_dice(&dice) % 2) { continue; }
				power_on();
				require(load() == FOTA_ERR_NONE);
				check_whole();
				/* a save that failed at its sync may be there all the same */
				require(snapshot_number() >= done && snapshot_number() <= number);
				done = snapshot_number();
			}
			require(sim.violation_count == 0);
		}
	}
}

/* Progress that follows a failed save must not continue the broken entry. */
static void progress_after_a_failed_save_is_not_lost(void **state)
{
	(void)state;
	for (size_t s = 0; s < SHAPE_COUNT; s++) {
		for (uint32_t n = 1; n < 6; n++) {
			enum fota_err err;

			if (!is_chosen("progress after failure", s, n, 0)) { continue; }
			make(&shapes[s]);
			require(load() == FOTA_ERR_NONE);
			set_number(1);
			require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
			record.package.synced_bytes = 2;
			fail_in = n;
			fail_err = FOTA_ERR_IO;
			err = save(FOTA_JOURNAL_PROGRESS);
			require(err == FOTA_ERR_IO || err == FOTA_ERR_NONE);
			fail_in = 0;
			record.package.synced_bytes = 3;
			require(save(FOTA_JOURNAL_PROGRESS) == FOTA_ERR_NONE);
			record.package.synced_bytes = 4;
			require(save(FOTA_JOURNAL_PROGRESS) == FOTA_ERR_NONE);
			power_on();
			require(load() == FOTA_ERR_NONE);
			require(record.package.synced_bytes == 4 && snapshot_number() == 1);
			require(sim.violation_count == 0);
		}
	}
}

/* ---- torn entries ---- */

/* The last entry is there up to byte n; behind it stands what was there before, or
 * nothing. */
static void an_entry_that_is_torn_at_any_byte_does_not_count(void **state)
{
	static uint8_t whole[AREA_MAX], before[AREA_MAX];

	(void)state;
	for (size_t s = 0; s < SHAPE_COUNT; s++) {
		uint32_t size = shapes[s].area_bytes;

		if (!is_chosen("torn", s, 0, 0)) { continue; }
		make(&shapes[s]);
		require(load() == FOTA_ERR_NONE);
		set_number(7);
		require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
		memcpy(before, cells, size);
		record.package.synced_bytes = 8;
		require(save(FOTA_JOURNAL_PROGRESS) == FOTA_ERR_NONE);
		memcpy(whole, cells, size);
		for (uint32_t at = 0; at < size; at++) {
			if (whole[at] == before[at]) { continue; }
			memcpy(cells, whole, size);
			memcpy(cells + at, before + at, size - at);
			power_on();
			require(load() == FOTA_ERR_NONE);
			/* the last bytes of an entry may be padding that looks erased */
			require(record.package.synced_bytes == 7);
			check_whole();
		}
	}
}

static void a_bit_that_flips_in_an_entry_takes_the_one_before(void **state)
{
	static uint8_t whole[AREA_MAX];

	(void)state;
	make(&shapes[0]);
	(void)is_chosen("flip", 0, 0, 0);
	require(load() == FOTA_ERR_NONE);
	set_number(7);
	require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
	record.package.synced_bytes = 8;
	require(save(FOTA_JOURNAL_PROGRESS) == FOTA_ERR_NONE);
	memcpy(whole, cells, sizeof(whole));
	for (uint32_t bit = 0; bit < 8 * 8192; bit += stride()) {
		memcpy(cells, whole, 8192);
		cells[bit / 8] ^= (uint8_t)(1u << bit % 8);
		power_on();
		require(load() == FOTA_ERR_NONE);
		check_whole();
		require(snapshot_number() == 0 || snapshot_number() == 7);
		require(record.package.synced_bytes == 0 || record.package.synced_bytes == 7 ||
			record.package.synced_bytes == 8);
	}
}

/* An entry of another kind, well-formed, that continues the count. */
static void an_entry_of_an_unknown_kind_ends_the_half(void **state)
{
	static const uint8_t unknown[12] = { 'F', 'J', 1, 3, 2, 0, 0, 0, 8, 0, 0, 0 };
	uint8_t *entry = cells;
	uint32_t crc;

	(void)state;
	(void)is_chosen("unknown kind", 0, 0, 0);
	make(&shapes[0]);
	require(load() == FOTA_ERR_NONE);
	set_number(5);
	require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
	entry += journal.active ? 4096 : 0;
	entry += journal.off;
	memcpy(entry, unknown, sizeof(unknown));
	memset(entry + sizeof(unknown), 7, 8); /* as progress: 7 bytes */
	memset(entry + sizeof(unknown) + 1, 0, 7);
	crc = fota_crc32(0, entry, sizeof(unknown) + 8);
	for (unsigned i = 0; i < 4; i++) {
		entry[sizeof(unknown) + 8 + i] = (uint8_t)(crc >> 8 * i);
	}
	power_on();
	require(load() == FOTA_ERR_NONE);
	require(snapshot_number() == 5 && record.package.synced_bytes == 5);
}

/* ---- secrets ---- */

static void a_scrub_leaves_nothing_older_in_the_area(void **state)
{
	static const char secret[] = "f9bbb0d76f894da090b6b69253616561";

	(void)state;
	for (size_t s = 0; s < SHAPE_COUNT; s++) {
		for (uint32_t saves = 1; saves < 20; saves++) {
			if (!is_chosen("scrub", s, saves, 0)) { continue; }
			make(&shapes[s]);
			require(load() == FOTA_ERR_NONE);
			for (uint32_t i = 1; i <= saves; i++) {
				set_number(5 * i + 1); /* one report */
				require(fota_text_set(&record.reports[0].secret, fota_bytes_of(secret)) == FOTA_ERR_OK);
				require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
			}
			require(memmem(cells, shapes[s].area_bytes, secret, strlen(secret)) != NULL);
			require(memmem(room, sizeof(room), secret, 8) == NULL);
			power_on();
			require(load() == FOTA_ERR_NONE && record.report_count == 1);
			require(memmem(room, sizeof(room), secret, 8) == NULL);
			record.report_count = 0;
			memset(record.reports, 0, sizeof(record.reports));
			record.last_code = 3;
			require(save(FOTA_JOURNAL_SCRUB) == FOTA_ERR_NONE);
			require(memmem(cells, shapes[s].area_bytes, secret, strlen(secret)) == NULL);
			require(memmem(cells, shapes[s].area_bytes, secret, 8) == NULL);
			power_on();
			require(load() == FOTA_ERR_NONE);
			require(record.last_code == 3 && record.report_count == 0);
		}
	}
}

/* ---- the rest ---- */

static void the_bytes_of_version_1_can_be_read(void **state)
{
	char path[512];
	unsigned byte;
	size_t len = 0;
	FILE *f;

	(void)state;
	(void)is_chosen("golden", 1, 0, 0);
	make(&shapes[1]);
	(void)snprintf(path, sizeof(path), "%s/session/journal.hex", vectors);
	f = fopen(path, "r");
	if (!f) { fail_msg("cannot read %s", path); }
	while (len < 8192 && fscanf(f, "%2x", &byte) == 1) {
		cells[len++] = (uint8_t)byte;
	}
	(void)fclose(f);
	require(len == 8192);
	require(load() == FOTA_ERR_NONE);
	require(record.package.synced_bytes == 0x12347000 && record.package.total_bytes == 0x123456789);
	require(record.last_code == 513 && record.report_count == 2);
	require(journal.seq == 9 && journal.active == 0);
}

/* As after a step back to firmware that cannot read what a newer one wrote. */
static void a_snapshot_that_says_nothing_to_us_does_not_hide_what_is_saved_next(void **state)
{
	(void)state;
	for (uint32_t halves = 1; halves < 4; halves++) {
		if (!is_chosen("foreign", 0, halves, 0)) { continue; }
		make(&shapes[0]);
		memset(cells, 0xff, sizeof(cells));
		for (uint32_t half = 0; half < 2; half++) {
			uint8_t *entry = cells + 4096 * half;
			uint32_t crc;

			if (!(halves >> half & 1)) { continue; }
			memcpy(entry, "FJ\x01\x01\x05\0\0\0\x02\0\0\0\x81\x01", 14); /* seq 5, [1] is no record */
			crc = fota_crc32(0, entry, 14);
			for (unsigned i = 0; i < 4; i++) {
				entry[14 + i] = (uint8_t)(crc >> 8 * i);
			}
		}
		power_on();
		require(load() == FOTA_ERR_NONE);
		require(snapshot_number() == 0);
		set_number(9);
		require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
		power_on();
		require(load() == FOTA_ERR_NONE);
		require(snapshot_number() == 9);
	}
}

static void areas_and_rooms_that_are_too_small_are_refused(void **state)
{
	struct fota_flash small;

	(void)state;
	(void)is_chosen("small", 0, 0, 0);
	make(&shapes[0]);
	require(fota_journal_init(&journal, &port, &record, (struct fota_room) { room, sizeof(room) - 1 }) ==
		FOTA_ERR_CONTRACT);
	small = port;
	small.area_bytes = 8191;
	require(fota_journal_init(&journal, &small, &record, (struct fota_room) { room, sizeof(room) }) ==
		FOTA_ERR_CONTRACT);
	small = port;
	small.prog_bytes = 0;
	require(fota_journal_init(&journal, &small, &record, (struct fota_room) { room, sizeof(room) }) ==
		FOTA_ERR_CONTRACT);
	small.prog_bytes = 24; /* does not divide the unit of erase */
	require(fota_journal_init(&journal, &small, &record, (struct fota_room) { room, sizeof(room) }) ==
		FOTA_ERR_CONTRACT);
	small = port;
	small.erase_bytes = small.prog_bytes = 4096; /* an entry is larger than the room */
	require(fota_journal_init(&journal, &small, &record, (struct fota_room) { room, sizeof(room) }) ==
		FOTA_ERR_CONTRACT);
}

static void polling_an_idle_journal_does_nothing(void **state)
{
	uint32_t ops;

	(void)state;
	(void)is_chosen("idle", 0, 0, 0);
	make(&shapes[0]);
	require(load() == FOTA_ERR_NONE);
	ops = sim.op_count;
	for (unsigned i = 0; i < 300; i++) {
		require(fota_journal_poll(&journal) == FOTA_ERR_NONE);
	}
	require(sim.op_count == ops);
	set_number(1);
	require(save(FOTA_JOURNAL_SNAPSHOT) == FOTA_ERR_NONE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flash_that_was_never_written_gives_an_empty_record),
		cmocka_unit_test(each_save_of_a_long_history_is_what_is_loaded_next),
		cmocka_unit_test(a_cut_in_a_save_leaves_the_last_or_the_one_before),
		cmocka_unit_test(a_port_call_that_fails_loses_nothing_and_the_next_save_works),
		cmocka_unit_test(progress_after_a_failed_save_is_not_lost),
		cmocka_unit_test(an_entry_that_is_torn_at_any_byte_does_not_count),
		cmocka_unit_test(a_bit_that_flips_in_an_entry_takes_the_one_before),
		cmocka_unit_test(an_entry_of_an_unknown_kind_ends_the_half),
		cmocka_unit_test(a_scrub_leaves_nothing_older_in_the_area),
		cmocka_unit_test(the_bytes_of_version_1_can_be_read),
		cmocka_unit_test(a_snapshot_that_says_nothing_to_us_does_not_hide_what_is_saved_next),
		cmocka_unit_test(areas_and_rooms_that_are_too_small_are_refused),
		cmocka_unit_test(polling_an_idle_journal_does_nothing),
	};

	if (argc != 2) { return 2; }
	vectors = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
