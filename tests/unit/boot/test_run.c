/* SPDX-License-Identifier: Apache-2.0 */
/* A whole start over simulated flash: what fota_boot_run chooses is what the pure
 * decision chooses for what is in the slots, what it stores is there at the next start,
 * and storage that fails never boots what was not verified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fota/boot.h"
#include "fota/journal.h"
#include "posix_crypto.h"
#include "sim_flash.h"

#define SLOT_BYTES    16384u
#define JOURNAL_BYTES 8192u
#define IMAGE_BYTES   10001u

struct area {
	struct sim_flash sim;
	struct sim_fault fault;
	uint8_t cells[SLOT_BYTES], state[SLOT_BYTES];
};

struct bench {
	struct area slots[FOTA_SLOT_COUNT], journal;
	struct posix_crypto posix;
	struct fota_crypto crypto;
	uint8_t work[FOTA_JOURNAL_ROOM_BYTES + 512];
	struct fota_boot_cfg cfg;
	struct fota_boot boot;
	struct fota_boot_choice choice;
	unsigned wait_count;
};

static struct bench bench;
static const char *vectors;

static enum fota_err wait_for_any(void *ctx)
{
	struct bench *b = ctx;
	enum fota_err result;

	b->wait_count++;
	if (sim_flash_complete(&b->slots[0].sim, &result) || sim_flash_complete(&b->slots[1].sim, &result) ||
	    sim_flash_complete(&b->journal.sim, &result)) {
		return result;
	}
	return FOTA_ERR_TIMEOUT; /* an operation that hangs */
}

static const struct fota_flash *init_area(struct area *area, uint32_t bytes)
{
	sim_flash_init(&area->sim, area->cells, area->state, bytes, 4096, 16);
	sim_fault_init(&area->fault, &area->sim.flash);
	return &area->fault.flash;
}

static void setup(bool is_async)
{
	memset(&bench.boot, 0, sizeof(bench.boot));
	bench.wait_count = 0;
	if (!bench.posix.mac_ctx) { assert_int_equal(posix_crypto_init(&bench.posix), FOTA_ERR_OK); }
	bench.crypto = posix_crypto_port(&bench.posix);
	bench.cfg = (struct fota_boot_cfg) {
		.journal = init_area(&bench.journal, JOURNAL_BYTES),
		.slots = { init_area(&bench.slots[0], SLOT_BYTES), init_area(&bench.slots[1], SLOT_BYTES) },
		.crypto = &bench.crypto,
		.work = { bench.work, sizeof(bench.work) },
		.wait = wait_for_any,
		.wait_ctx = &bench,
	};
	bench.slots[0].sim.is_async = bench.slots[1].sim.is_async = bench.journal.sim.is_async = is_async;
}

static void close_bench(void)
{
	assert_int_equal(bench.slots[0].sim.violation_count, 0);
	assert_int_equal(bench.slots[1].sim.violation_count, 0);
	assert_int_equal(bench.journal.sim.violation_count, 0);
}

/* What a boot loader of the system's own has chosen. */
static int running;
static bool was_read; /* when it was asked, the journal had been read */

static int running_slot(void *ctx, const struct fota_boot *boot)
{
	(void)ctx;
	was_read = boot != NULL;
	return running;
}

static void choose_outside(int slot)
{
	running = slot;
	bench.cfg.which = running_slot;
}

static enum fota_err run(void)
{
	static struct fota_record record;
	enum fota_err err = fota_boot_run(&bench.cfg, &record, &bench.choice);

	bench.boot = record.boot;
	return err;
}

/* ---- journal ---- */

static void play(struct fota_journal *journal)
{
	enum fota_err err = FOTA_ERR_OK;

	while (!err) {
		err = fota_journal_poll(journal);
		if (err == FOTA_ERR_PENDING) { err = wait_for_any(&bench); }
	}
	assert_int_equal(err, FOTA_ERR_NONE);
}

static void store(const struct fota_boot *boot)
{
	static uint8_t room[FOTA_JOURNAL_ROOM_BYTES];
	struct fota_record record = { .boot = *boot };
	struct fota_journal journal;

	assert_int_equal(fota_journal_init(&journal, &bench.journal.sim.flash, &record,
					   (struct fota_room) { room, sizeof(room) }),
			 FOTA_ERR_OK);
	journal.must_switch = true;
	fota_journal_save(&journal, FOTA_JOURNAL_SNAPSHOT);
	play(&journal);
}

static struct fota_boot stored(void)
{
	static uint8_t room[FOTA_JOURNAL_ROOM_BYTES];
	struct fota_record record;
	struct fota_journal journal;

	assert_int_equal(fota_journal_init(&journal, &bench.journal.sim.flash, &record,
					   (struct fota_room) { room, sizeof(room) }),
			 FOTA_ERR_OK);
	fota_journal_load(&journal);
	play(&journal);
	return record.boot;
}

/* As the record reads it: what is empty may have bytes behind its length. */
static void check_same(const struct fota_boot *a, const struct fota_boot *b)
{
	uint8_t bytes[2][FOTA_RECORD_MAX_BYTES];
	struct fota_record records[2] = { { .boot = *a }, { .boot = *b } };
	struct fota_bytes out[2];

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			fota_record_put(&records[i], (struct fota_room) { bytes[i], sizeof(bytes[i]) }, &out[i]),
			FOTA_ERR_OK);
	}
	assert_true(fota_bytes_is_equal(out[0], out[1]));
}

/* ---- slots ---- */

static void fill_slot(unsigned slot, struct fota_image *image, const char *version)
{
	struct area *area = &bench.slots[slot];

	for (size_t i = 0; i < IMAGE_BYTES; i++) {
		area->cells[i] = (uint8_t)(i * 7 + slot);
	}
	*image = (struct fota_image) { .size_bytes = IMAGE_BYTES, .sequence = slot + 1 };
	assert_int_equal(fota_text_set(&image->version, fota_bytes_of(version)), FOTA_ERR_OK);
	assert_int_equal(bench.crypto.sha256_begin(bench.crypto.ctx), FOTA_ERR_OK);
	assert_int_equal(bench.crypto.sha256_update(bench.crypto.ctx, (struct fota_bytes) { area->cells, IMAGE_BYTES }),
			 FOTA_ERR_OK);
	assert_int_equal(bench.crypto.sha256_finish(bench.crypto.ctx, image->digest), FOTA_ERR_OK);
}

static struct fota_boot two_images(enum fota_boot_state state, unsigned active, unsigned tries)
{
	struct fota_boot boot = { .state = (uint8_t)state, .active = (uint8_t)active, .tries_left = (uint8_t)tries };

	fill_slot(0, &boot.images[0], "V1");
	fill_slot(1, &boot.images[1], "V2");
	return boot;
}

static void damage(unsigned slot, size_t at)
{
	bench.slots[slot].cells[at] ^= 0x20;
}

/* ---- tests ---- */

static void a_fresh_module_starts_its_first_slot_and_writes_nothing(void **unused)
{
	(void)unused;
	for (int is_async = 0; is_async < 2; is_async++) {
		setup(is_async);
		assert_int_equal(run(), FOTA_ERR_OK);
		assert_int_equal(bench.choice.slot, 0);
		assert_false(bench.choice.must_store || bench.choice.is_none || bench.choice.is_stranger);
		assert_int_equal(bench.boot.state, FOTA_BOOT_IDLE);
		assert_int_equal(bench.journal.fault.rules[SIM_PROG].count, 0);
		assert_int_equal(bench.slots[0].fault.rules[SIM_READ].count, 0); /* nothing to compare it with */
		close_bench();
	}
}

/* Number n of states, damage and ports. */
static void run_case(unsigned n)
{
	unsigned state = n % 4, active = n / 4 % 2, tries = n / 8 % 3, damaged = n / 24 % 4;
	struct fota_boot boot, expected;
	struct fota_boot_choice choice;
	unsigned usable = ~damaged & 3;

	/* only what would run is looked at */
	if (tries == 0 && usable & 1u << active) { usable = 3; }
	setup(n / 96 % 2);
	boot = two_images((enum fota_boot_state)state, active, tries);
	store(&boot);
	if (damaged & 1) { damage(0, n * 97 % IMAGE_BYTES); }
	if (damaged & 2) { damage(1, n * 89 % IMAGE_BYTES); }
	expected = boot;
	choice = fota_boot_select(&expected, usable);
	assert_int_equal(run(), choice.is_none ? FOTA_ERR_NONE : FOTA_ERR_OK);
	assert_int_equal(bench.choice.is_none, choice.is_none);
	assert_int_equal(bench.choice.slot, choice.slot);
	check_same(&bench.boot, &expected);
	boot = stored();
	check_same(&boot, &expected);
	close_bench();
}

static void a_start_chooses_and_stores_what_the_decision_says(void **unused)
{
	(void)unused;
	for (unsigned n = 0; n < 192; n++) {
		run_case(n);
	}
}

static void one_changed_byte_anywhere_is_found(void **unused)
{
	(void)unused;
	for (size_t at = 0; at < IMAGE_BYTES; at += at < 64 || at > IMAGE_BYTES - 64 ? 1 : 499) {
		struct fota_boot boot;

		setup(false);
		boot = two_images(FOTA_BOOT_ARMED, 0, 3);
		store(&boot);
		damage(1, at);
		assert_int_equal(run(), FOTA_ERR_OK);
		assert_int_equal(bench.choice.slot, 0);
		assert_int_equal(bench.boot.result.code, FOTA_CODE_VERIFY);
	}
}

/* The slot of an old factory image that a download has begun to overwrite. */
static void a_slot_that_was_given_up_never_runs(void **unused)
{
	struct fota_boot boot;

	(void)unused;
	setup(false);
	boot = two_images(FOTA_BOOT_IDLE, 1, 0);
	memset(&boot.images[0], 0, sizeof(boot.images[0]));
	store(&boot);
	damage(1, 5);
	assert_int_equal(run(), FOTA_ERR_NONE);
	assert_true(bench.choice.is_none);
}

/* What storage cannot keep does not count; what would run is looked at all the same. */
static void a_journal_that_cannot_be_written_starts_no_trial(void **unused)
{
	static const struct {
		enum fota_boot_state state;
		unsigned tries, damaged;
		int slot; /* -1: none */
	} rows[] = {
		{ FOTA_BOOT_ARMED, 3, 0, 0 },  { FOTA_BOOT_TRIAL, 2, 0, 0 }, { FOTA_BOOT_TRIAL, 0, 0, 0 },
		{ FOTA_BOOT_ARMED, 3, 2, 0 },  { FOTA_BOOT_ARMED, 3, 1, 1 }, { FOTA_BOOT_IDLE, 0, 1, 1 },
		{ FOTA_BOOT_TRIAL, 2, 3, -1 }, { FOTA_BOOT_IDLE, 0, 3, -1 },
	};
	static const enum sim_effect effects[] = { SIM_IO, SIM_FULL, SIM_HANG };
	static const enum sim_op ops[] = { SIM_ERASE, SIM_PROG, SIM_SYNC };
	static const enum fota_err errors[] = { FOTA_ERR_IO, FOTA_ERR_FULL, FOTA_ERR_TIMEOUT };

	(void)unused;
	for (unsigned n = 0; n < 9 * sizeof(rows) / sizeof(rows[0]); n++) {
		size_t row = n / 9;
		bool is_none = rows[row].slot < 0 || errors[n / 3 % 3] == FOTA_ERR_TIMEOUT;
		struct fota_boot boot;

		setup(false);
		boot = two_images(rows[row].state, 0, rows[row].tries);
		store(&boot);
		if (rows[row].damaged & 1) { damage(0, 7); }
		if (rows[row].damaged & 2) { damage(1, 7); }
		sim_fault_set(&bench.journal.fault, ops[n % 3], effects[n / 3 % 3], 1);
		if (rows[row].state == FOTA_BOOT_IDLE && rows[row].slot < 0) {
			assert_int_equal(run(), FOTA_ERR_NONE); /* nothing to write */
		} else {
			assert_int_equal(run(), errors[n / 3 % 3]);
		}
		assert_int_equal(bench.choice.is_none, is_none);
		if (!is_none) { assert_int_equal(bench.choice.slot, rows[row].slot); }
		check_same(&bench.boot, &boot);
	}
}

static void a_journal_that_cannot_be_read_starts_nothing(void **unused)
{
	(void)unused;
	for (uint32_t from = 1; from <= 3; from++) {
		struct fota_boot boot;

		setup(false);
		boot = two_images(FOTA_BOOT_IDLE, 1, 0);
		store(&boot);
		sim_fault_set(&bench.journal.fault, SIM_READ, SIM_IO, from);
		assert_int_equal(run(), FOTA_ERR_IO);
		assert_true(bench.choice.is_none);
		assert_int_equal(bench.journal.fault.rules[SIM_PROG].count, 0);
		/* unless somebody else has chosen already */
		sim_fault_set(&bench.journal.fault, SIM_READ, SIM_IO, from);
		choose_outside(1);
		assert_int_equal(run(), FOTA_ERR_IO);
		assert_false(bench.choice.is_none || was_read);
		assert_int_equal(bench.choice.slot, 1);
	}
}

/* Its operation is under way: the end of another one would be taken for its own. */
static void nothing_is_called_behind_an_operation_that_hangs(void **unused)
{
	struct fota_boot boot;

	(void)unused;
	for (unsigned n = 0; n < 2; n++) {
		setup(false);
		boot = two_images(n ? FOTA_BOOT_TRIAL : FOTA_BOOT_IDLE, 0, 2);
		store(&boot);
		sim_fault_set(&bench.slots[n].fault, SIM_READ, SIM_HANG, 1);
		assert_int_equal(run(), FOTA_ERR_TIMEOUT);
		assert_true(bench.choice.is_none);
		assert_int_equal(bench.slots[!n].fault.rules[SIM_READ].count, 0);
		assert_int_equal(bench.journal.fault.rules[SIM_ERASE].count, 0);
		check_same(&bench.boot, &boot);
		choose_outside(1);
		bench.slots[n].fault.rules[SIM_READ].effect = SIM_FINE;
		sim_fault_set(&bench.journal.fault, SIM_READ, SIM_HANG, 1);
		assert_int_equal(run(), FOTA_ERR_TIMEOUT);
		assert_int_equal(bench.choice.slot, 1);
		assert_false(bench.choice.is_none || was_read);
	}
}

static void a_slot_that_cannot_be_read_counts_as_damaged(void **unused)
{
	struct fota_boot boot;

	(void)unused;
	setup(true);
	boot = two_images(FOTA_BOOT_ARMED, 0, 3);
	store(&boot);
	sim_fault_set(&bench.slots[1].fault, SIM_READ, SIM_IO, 2);
	assert_int_equal(run(), FOTA_ERR_OK);
	assert_int_equal(bench.choice.slot, 0);
	assert_int_equal(bench.boot.result.code, FOTA_CODE_VERIFY);
	close_bench();
}

static void a_size_beyond_the_slot_counts_as_damaged(void **unused)
{
	struct fota_boot boot;

	(void)unused;
	setup(false);
	boot = two_images(FOTA_BOOT_ARMED, 0, 3);
	boot.images[1].size_bytes = SLOT_BYTES + 1;
	store(&boot);
	assert_int_equal(run(), FOTA_ERR_OK);
	assert_int_equal(bench.choice.slot, 0);
	close_bench();
}

static void slots_are_not_read_where_a_boot_loader_has_chosen(void **unused)
{
	struct fota_boot boot;

	(void)unused;
	setup(false);
	boot = two_images(FOTA_BOOT_ARMED, 0, 2);
	store(&boot);
	choose_outside(1);
	bench.cfg.slots[1] = NULL;
	damage(1, 0);
	assert_int_equal(run(), FOTA_ERR_OK);
	assert_int_equal(bench.choice.slot, 1);
	assert_int_equal(bench.boot.state, FOTA_BOOT_TRIAL);
	assert_int_equal(bench.slots[0].fault.rules[SIM_READ].count, 0);
	/* its count cannot be stored: it runs all the same, and the session ends the trial */
	sim_fault_set(&bench.journal.fault, SIM_PROG, SIM_IO, 1);
	assert_int_equal(run(), FOTA_ERR_IO);
	assert_int_equal(bench.choice.slot, 1);
	assert_int_equal(bench.boot.tries_left, 1);
	close_bench();
}

static void a_boot_loader_that_has_chosen_is_asked_once_the_journal_was_read(void **unused)
{
	struct fota_boot boot;
	uint32_t read_count;

	(void)unused;
	setup(false);
	boot = two_images(FOTA_BOOT_IDLE, 1, 0);
	store(&boot);
	assert_int_equal(run(), FOTA_ERR_OK);
	read_count = bench.journal.fault.rules[SIM_READ].count;
	choose_outside(1);
	assert_int_equal(run(), FOTA_ERR_OK);
	assert_true(was_read);
	assert_int_equal(bench.journal.fault.rules[SIM_READ].count, 2 * read_count);
	for (int slot = -1; slot <= (int)FOTA_SLOT_COUNT; slot += (int)FOTA_SLOT_COUNT + 1) {
		choose_outside(slot); /* no slot: nothing is changed for it */
		assert_int_equal(run(), FOTA_ERR_NONE);
		assert_true(bench.choice.is_none);
		assert_int_equal(bench.journal.fault.rules[SIM_PROG].count, 0);
	}
	close_bench();
}

/* ---- golden bytes ---- */

static void read_golden(const char *name, uint8_t bytes[JOURNAL_BYTES])
{
	char path[512];
	unsigned byte;
	size_t len = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/session/%s", vectors, name);
	file = fopen(path, "r");
	if (!file) { fail_msg("cannot read %s", path); }
	while (len < JOURNAL_BYTES && fscanf(file, "%2x", &byte) == 1) {
		bytes[len++] = (uint8_t)byte;
	}
	(void)fclose(file);
	assert_int_equal(len, JOURNAL_BYTES);
}

/* As tests/vectors/make_session.py has them. */
static void fill_golden_slots(void)
{
	for (size_t i = 0; i < 256 * 40; i++) {
		bench.slots[1].cells[i] = (uint8_t)i;
	}
	for (size_t i = 0; i < 128 * 70; i++) {
		bench.slots[0].cells[i] = (uint8_t)(0x80 + i % 128);
	}
}

/* Read and written to the byte, by what another implementation made. */
static void a_module_on_trial_starts_from_golden_bytes(void **unused)
{
	uint8_t next[JOURNAL_BYTES];

	(void)unused;
	setup(false);
	read_golden("journal_trial.hex", bench.journal.cells);
	read_golden("journal_trial_next.hex", next);
	fill_golden_slots();
	assert_int_equal(run(), FOTA_ERR_OK);
	assert_int_equal(bench.choice.slot, 1);
	assert_int_equal(bench.boot.state, FOTA_BOOT_TRIAL);
	assert_int_equal(bench.boot.tries_left, 1);
	assert_true(bench.boot.floor == 11 && bench.boot.images[1].sequence == 12);
	assert_memory_equal(bench.journal.cells, next, sizeof(next));
	assert_int_equal(run(), FOTA_ERR_OK); /* the last start */
	assert_int_equal(bench.choice.slot, 1);
	assert_int_equal(run(), FOTA_ERR_OK);
	assert_int_equal(bench.choice.slot, 0);
	assert_int_equal(bench.boot.result.code, FOTA_CODE_ABORTED);
	close_bench();
}

static void a_configuration_that_cannot_work_is_refused(void **unused)
{
	(void)unused;
	setup(true);
	bench.cfg.wait = NULL; /* but ports that answer later */
	assert_int_equal(run(), FOTA_ERR_CONTRACT);
	for (unsigned n = 0; n < 5; n++) {
		setup(false);
		if (n == 0) { bench.cfg.journal = NULL; }
		if (n == 1) { bench.cfg.crypto = NULL; }
		if (n == 2) { bench.cfg.slots[0] = NULL; }
		if (n == 3) { bench.cfg.slots[1] = NULL; }
		if (n == 4) { bench.cfg.work.cap--; }
		assert_int_equal(run(), FOTA_ERR_CONTRACT);
		assert_true(bench.choice.is_none);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_module_starts_its_first_slot_and_writes_nothing),
		cmocka_unit_test(a_start_chooses_and_stores_what_the_decision_says),
		cmocka_unit_test(one_changed_byte_anywhere_is_found),
		cmocka_unit_test(a_slot_that_was_given_up_never_runs),
		cmocka_unit_test(a_journal_that_cannot_be_written_starts_no_trial),
		cmocka_unit_test(a_journal_that_cannot_be_read_starts_nothing),
		cmocka_unit_test(nothing_is_called_behind_an_operation_that_hangs),
		cmocka_unit_test(a_slot_that_cannot_be_read_counts_as_damaged),
		cmocka_unit_test(a_size_beyond_the_slot_counts_as_damaged),
		cmocka_unit_test(slots_are_not_read_where_a_boot_loader_has_chosen),
		cmocka_unit_test(a_boot_loader_that_has_chosen_is_asked_once_the_journal_was_read),
		cmocka_unit_test(a_module_on_trial_starts_from_golden_bytes),
		cmocka_unit_test(a_configuration_that_cannot_work_is_refused),
	};

	if (argc != 2) { return 2; }
	vectors = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
