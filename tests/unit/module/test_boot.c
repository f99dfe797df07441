/* SPDX-License-Identifier: Apache-2.0 */
/* A start of the virtual module over a journal that cannot be read or written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot.h"
#include "fota/journal.h"
#include "posix_crypto.h"

#define AREA_BYTES 16384u
#define WORK_BYTES (FOTA_JOURNAL_ROOM_BYTES + 1024)

struct area {
	struct fota_flash port;
	uint8_t cells[AREA_BYTES];
	bool is_unreadable, is_unwritable;
	unsigned read_count;
};

static struct area journal, slots[FOTA_SLOT_COUNT];
static struct posix_crypto posix;
static struct fota_crypto crypto;
static uint8_t work[WORK_BYTES];
static const struct log quiet = { .fd = -1 };

/* ---- storage ---- */

static enum fota_err area_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	struct area *area = ctx;

	area->read_count++;
	memcpy(dst, area->cells + off, len);
	return area->is_unreadable ? FOTA_ERR_IO : FOTA_ERR_OK;
}

static enum fota_err area_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	struct area *area = ctx;

	if (area->is_unwritable) { return FOTA_ERR_IO; }
	memcpy(area->cells + off, src, len);
	return FOTA_ERR_OK;
}

static enum fota_err area_erase(void *ctx, uint64_t off, uint64_t len)
{
	struct area *area = ctx;

	if (area->is_unwritable) { return FOTA_ERR_IO; }
	memset(area->cells + off, 0xff, len);
	return FOTA_ERR_OK;
}

static enum fota_err area_sync(void *ctx)
{
	return ((struct area *)ctx)->is_unwritable ? FOTA_ERR_IO : FOTA_ERR_OK;
}

static void fill_area(struct area *area)
{
	*area = (struct area) { .port = { .ctx = area,
					  .area_bytes = AREA_BYTES,
					  .erase_bytes = 4096,
					  .prog_bytes = 16,
					  .read = area_read,
					  .prog = area_prog,
					  .erase = area_erase,
					  .sync = area_sync } };
	memset(area->cells, 0xff, sizeof(area->cells));
}

/* ---- what is stored ---- */

/* Version 2 was confirmed in slot b, whose image is not what it was; version 1 is in slot a. */
static void store_damaged(void)
{
	struct fota_room room = { work, FOTA_JOURNAL_ROOM_BYTES };
	struct fota_record record = { .boot = { .active = 1 } };
	struct fota_journal writer;
	enum fota_err err;

	assert_int_equal(fota_text_set(&record.boot.images[0].version, fota_bytes_of("1")), FOTA_ERR_OK);
	assert_int_equal(fota_text_set(&record.boot.images[1].version, fota_bytes_of("2")), FOTA_ERR_OK);
	record.boot.images[1].size_bytes = 5000;
	assert_int_equal(fota_journal_init(&writer, &journal.port, &record, room), FOTA_ERR_OK);
	fota_journal_save(&writer, FOTA_JOURNAL_SNAPSHOT);
	do {
		err = fota_journal_poll(&writer);
	} while (err == FOTA_ERR_OK);
	assert_int_equal(err, FOTA_ERR_NONE);
}

static int start_with(struct boot *boot, const struct fota_bootenv *env,
		      int (*which)(void *ctx, const struct fota_boot *boot))
{
	const struct boot_cfg cfg = {
		.env = env,
		.which = which,
		.journal = &journal.port,
		.slots = { &slots[0].port, &slots[1].port },
		.crypto = &crypto,
		.work = { work, sizeof(work) },
		.version = fota_bytes_of("0"),
		.log = &quiet,
	};

	boot_init(boot, &cfg);
	return boot_start(boot);
}

static int start(struct boot *boot)
{
	return start_with(boot, NULL, NULL);
}

static int set_up(void **unused)
{
	(void)unused;
	fill_area(&journal);
	fill_area(&slots[0]);
	fill_area(&slots[1]);
	store_damaged();
	return 0;
}

/* ---- a boot loader of the system's own ---- */

static int slot_a_runs(void *ctx, const struct fota_boot *boot)
{
	(void)ctx;
	(void)boot;
	return 0;
}

static int slot_b_runs(void *ctx, const struct fota_boot *boot)
{
	(void)ctx;
	(void)boot;
	return 1;
}

static unsigned set_count;

static enum fota_err set_works(void *ctx, const struct fota_boot *boot)
{
	(void)ctx;
	(void)boot;
	set_count++;
	return FOTA_ERR_OK;
}

static enum fota_err set_fails(void *ctx, const struct fota_boot *boot)
{
	(void)ctx;
	(void)boot;
	return FOTA_ERR_IO;
}

/* ---- tests ---- */

/* It could only restart, again and again. */
static void a_wrong_slot_that_cannot_be_corrected_is_no_start(void **unused)
{
	const struct fota_bootenv env = { .set = set_fails };
	struct boot boot;

	(void)unused;
	assert_int_equal(start_with(&boot, &env, slot_a_runs), -1);
	assert_int_equal(start_with(&boot, &env, slot_b_runs), 0);
}

/* The session does that, at each start. */
static void a_right_slot_is_told_to_nobody_and_the_journal_is_read_once(void **unused)
{
	const struct fota_bootenv env = { .set = set_works };
	struct boot boot;
	unsigned read_count;

	(void)unused;
	assert_int_equal(start(&boot), 0);
	read_count = journal.read_count;
	assert_int_equal(set_up(NULL), 0);
	set_count = 0;
	assert_int_equal(start_with(&boot, &env, slot_b_runs), 0);
	assert_int_equal(set_count, 0);
	assert_int_equal(journal.read_count, read_count);
	assert_int_equal(start_with(&boot, &env, slot_a_runs), 0);
	assert_true(boot.is_stranger);
	assert_int_equal(set_count, 1);
}

static void a_damaged_image_makes_way_for_the_other_one(void **unused)
{
	struct boot boot;

	(void)unused;
	assert_int_equal(start(&boot), 0);
	assert_int_equal(boot.slot, 0);
	assert_int_equal(boot.now.active, 0);
	assert_true(fota_bytes_is_equal(boot_version(&boot), fota_bytes_of("1")));
}

/* Slot a may hold half of a package. */
static void nothing_runs_while_the_journal_cannot_be_read(void **unused)
{
	struct boot boot;

	(void)unused;
	journal.is_unreadable = true;
	assert_int_equal(start(&boot), -1);
	journal.is_unreadable = false;
	assert_int_equal(start(&boot), 0);
}

/* The session is to know then that it may go by what runs. */
static void a_journal_that_cannot_be_written_lets_the_whole_image_run(void **unused)
{
	struct boot boot;

	(void)unused;
	journal.is_unwritable = true;
	assert_int_equal(start(&boot), 0);
	assert_int_equal(boot.slot, 0);
	assert_int_equal(boot.now.active, 1);
	assert_true(boot.port.is_told_only);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_wrong_slot_that_cannot_be_corrected_is_no_start, set_up),
		cmocka_unit_test_setup(a_right_slot_is_told_to_nobody_and_the_journal_is_read_once, set_up),
		cmocka_unit_test_setup(a_damaged_image_makes_way_for_the_other_one, set_up),
		cmocka_unit_test_setup(nothing_runs_while_the_journal_cannot_be_read, set_up),
		cmocka_unit_test_setup(a_journal_that_cannot_be_written_lets_the_whole_image_run, set_up),
	};
	int failures;

	if (posix_crypto_init(&posix)) { return 1; }
	crypto = posix_crypto_port(&posix);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	posix_crypto_close(&posix);
	return failures;
}
