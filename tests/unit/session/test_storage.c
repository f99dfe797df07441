/* SPDX-License-Identifier: Apache-2.0 */
/* Storage that fails, hangs or breaks its contract, at each operation of a session, for
 * good or once; the slot and the journal, ports that block and ports that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "session/internal.h"
#include "stride.h"

#define FOR_GOOD UINT32_MAX

static struct rig rig;

static const struct {
	const char *name;
	enum rig_effect_op effect;
	enum fota_code code;
} fault_rows[] = {
	{ "io", RIG_OP_IO, FOTA_CODE_IO },
	{ "full", RIG_OP_FULL, FOTA_CODE_NO_MEMORY },
	{ "hang", RIG_OP_HANG, FOTA_CODE_IO_TIMEOUT },
	{ "odd", RIG_OP_ODD, FOTA_CODE_INTERNAL },
};

static const struct rig_cfg cfgs[] = {
	{ .seed = 1 },
	{ .seed = 2, .is_async = true, .work_bytes = 8192 },
	{ .seed = 3, .is_async = true, .chunk_bytes = 60000, .slot_prog_bytes = 1, .journal_prog_bytes = 1 },
	{ .seed = 4, .chunk_bytes = 100, .slot_prog_bytes = 2048, .work_bytes = 8192, .limits = { .sync_bytes = 1 } },
};

#define CFG_COUNT (sizeof(cfgs) / sizeof(cfgs[0]))

/* Operations of a whole session, its report included. */
static uint32_t count_ops(const struct rig_cfg *cfg)
{
	rig_init(&rig, cfg);
	rig_fault(&rig, (struct rig_fault) { RIG_OP_FINE, 0, 0 });
	rig_boot(&rig); /* loads the journal */
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_idle(&rig, 1000);
	rig_close(&rig);
	return rig.op_count;
}

/* The fault is gone: the next session succeeds. */
static void recover(bool is_restarted)
{
	rig_heal(&rig);
	if (is_restarted) { rig_boot(&rig); }
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_idle(&rig, 3600000);
	rig_require(&rig, rig.session.record.report_count == 0);
	rig_close(&rig);
}

/* A fault that lasts ends the session with its code. Only what fails behind the point
 * where the end is decided is not told; success is never told falsely. */
static void play_fault(const struct rig_cfg *cfg, size_t row, uint32_t n, bool is_lasting)
{
	enum fota_code final;

	rig_init(&rig, cfg);
	rig_fault(&rig, (struct rig_fault) { fault_rows[row].effect, n, is_lasting ? FOR_GOOD : n });
	rig_boot(&rig);
	(void)rig_play(&rig);
	final = rig_final(&rig);
	rig_require(&rig, final == fault_rows[row].code || final == FOTA_CODE_DOWNLOADED);
	if (final == FOTA_CODE_DOWNLOADED) {
		rig_require(&rig, memcmp(rig.slot.cells, rig.image, rig.image_bytes) == 0);
	}
	/* a restart with an operation that hangs is the cut of test_power */
	recover(n % 2 == 0);
}

static void play_faults(bool is_lasting)
{
	for (size_t c = 0; c < CFG_COUNT; c++) {
		uint32_t count = count_ops(&cfgs[c]);

		for (size_t row = 0; row < sizeof(fault_rows) / sizeof(fault_rows[0]); row++) {
			for (uint32_t n = 1; n <= count; n += stride()) {
				if (!rig_case(&rig, "storage %s %s: config %zu, operation %u", fault_rows[row].name,
					      is_lasting ? "for good" : "once", c, n)) {
					continue;
				}
				play_fault(&cfgs[c], row, n, is_lasting);
			}
		}
	}
}

static void storage_that_fails_for_good_at_any_operation_ends_the_session_with_its_code(void **state)
{
	(void)state;
	play_faults(true);
}

static void storage_that_fails_once_at_any_operation_never_leads_to_a_wrong_image(void **state)
{
	(void)state;
	play_faults(false);
}

static void a_fault_during_the_download_keeps_what_was_synced_before(void **state)
{
	uint32_t count = count_ops(&cfgs[0]);
	unsigned partial_count = 0;

	(void)state;
	for (uint32_t n = 1; n <= count; n += stride()) {
		bool has_partial;

		if (!rig_case(&rig, "storage keeps: operation %u", n)) { continue; }
		rig_init(&rig, &cfgs[0]);
		rig_fault(&rig, (struct rig_fault) { RIG_OP_IO, n, n });
		if (rig_start(&rig)) { continue; }
		rig_finish(&rig);
		has_partial = rig_has_code(&rig, FOTA_CODE_PARTIAL);
		partial_count += has_partial;
		if (rig_final(&rig) == FOTA_CODE_DOWNLOADED) { continue; }
		rig_heal(&rig);
		rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
		rig_require(&rig, rig_is_image_stored(&rig));
		/* whole and only to be verified again counts as going on as well */
		if (has_partial && rig_last_request(&rig, RIG_GET)->at_ms >= rig.notices[rig.first_notice].at_ms) {
			rig_require(&rig, rig_last_request(&rig, RIG_GET)->has_range);
		}
		rig_close(&rig);
	}
	assert_true(partial_count > 10 || !is_whole_run());
}

/* A port may tell the error of a write later. What a session has given up must not fail the next
 * one, whose first operation would get it. */
static void a_late_error_of_a_session_that_is_over_is_not_the_next_ones(void **state)
{
	static const struct rig_cfg cfg = { .is_async = true, .limits = { .sync_bytes = 16384 } };
	uint32_t count = count_ops(&cfg);
	unsigned late_count = 0;

	(void)state;
	for (uint32_t n = 1; n <= count; n += stride()) {
		if (!rig_case(&rig, "late: operation %u", n)) { continue; }
		rig_init(&rig, &cfg);
		rig_finish(&rig);
		rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_LONG, 3000, 0, 0, 0 });
		rig_fault(&rig, (struct rig_fault) { RIG_OP_LATE, n, n });
		(void)rig_play(&rig);
		late_count += rig_final(&rig) == FOTA_CODE_VERIFY && rig.session.record.package.total_bytes == 0;
		rig_clear_twists(&rig);
		rig_heal(&rig);
		rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
		rig_require(&rig, rig_is_image_stored(&rig));
		rig_close(&rig);
	}
	assert_true(late_count > 10 || !is_whole_run());
}

static void a_completion_that_nobody_waits_for_is_ignored(void **state)
{
	struct fota_session before;

	(void)state;
	(void)rig_case(&rig, "unasked completion");
	rig_init(&rig, &cfgs[0]);
	before = rig.session;
	fota_session_storage(&rig.session, FOTA_ERR_IO);
	rig_require(&rig, memcmp(&before, &rig.session, sizeof(before)) == 0);
	rig_close(&rig);
}

static void storage_that_still_hangs_ends_the_next_session_with_its_code_as_well(void **state)
{
	(void)state;
	(void)rig_case(&rig, "hangs on");
	rig_init(&rig, &cfgs[1]);
	rig_finish(&rig);
	rig_fault(&rig, (struct rig_fault) { RIG_OP_HANG, 8, FOR_GOOD });
	rig_require(&rig, strcmp(rig_play(&rig), "2 305") == 0);
	rig_require(&rig, strcmp(rig_play(&rig), "305") == 0);
	recover(false);
}

/* A module that starts while an operation hangs serves its hosts; the end of that operation is
 * not taken for the end of its own. */
static void a_session_begins_while_an_earlier_operation_hangs(void **state)
{
	uint32_t op_count;

	(void)state;
	(void)rig_case(&rig, "begins hung");
	rig_init(&rig, &cfgs[1]);
	rig_finish(&rig);
	op_count = rig.op_count;
	rig_require(&rig, fota_session_init_hung(&rig.session, &rig.session_cfg) == FOTA_ERR_OK);
	fota_session_set_on(&rig.session, true);
	rig_require(&rig, fota_session_is_quiet(&rig.session) && fota_session_is_storing(&rig.session));
	rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_IO_TIMEOUT);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_IO_TIMEOUT);
	rig_require(&rig, strcmp(rig_play(&rig), "305") == 0);
	rig_require(&rig, strcmp(rig_play(&rig), "305") == 0);
	rig_require(&rig, rig.op_count == op_count && rig.http.counts[RIG_CHECK] == 0);
	fota_session_storage(&rig.session, FOTA_ERR_IO); /* however it ends */
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_close(&rig);
}

/* What the caller took for running is a guess then: a journal that is judged by it may lose a trial. */
static void a_session_that_is_over_before_it_begins_does_not_read_the_journal(void **state)
{
	uint32_t op_count;

	(void)state;
	(void)rig_case(&rig, "over before it begins");
	rig_init(&rig, &cfgs[1]);
	rig_finish(&rig);
	op_count = rig.op_count;
	rig_require(&rig, fota_session_init_hung(&rig.session, &rig.session_cfg) == FOTA_ERR_OK);
	fota_session_set_on(&rig.session, true);
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	fota_session_abort(&rig.session);
	fota_session_storage(&rig.session, FOTA_ERR_OK);
	rig_finish(&rig);
	rig_require(&rig, rig_final(&rig) == FOTA_CODE_ABORTED && rig.op_count == op_count);
	rig_close(&rig);
}

/* The session after needs no journal before its download: it goes on from the part. */
static void storage_that_hangs_in_a_download_is_not_called_again_before_it_answers(void **state)
{
	unsigned partial_count = 0;

	(void)state;
	for (uint32_t n = 1; n < 120; n += stride()) {
		if (!rig_case(&rig, "hangs on: operation %u", n)) { continue; }
		rig_init(&rig, &cfgs[1]);
		rig_finish(&rig);
		rig_fault(&rig, (struct rig_fault) { RIG_OP_HANG, n, n });
		if (strcmp(rig_play(&rig), "2 4 305") == 0) {
			partial_count++;
			rig_require(&rig, strcmp(rig_play(&rig), "4 305") == 0);
		}
		recover(false);
	}
	assert_true(partial_count > 10 || !is_whole_run());
}

/* It may write into the work room, where messages would lie, at any time. */
static void no_message_is_made_while_a_read_hangs(void **state)
{
	unsigned check_count;

	(void)state;
	(void)rig_case(&rig, "a read hangs");
	rig_init(&rig, &cfgs[1]);
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	while (rig.session.io.job != JOB_VERIFY) {
		rig_require(&rig, rig_step(&rig));
	}
	rig_fault(&rig, (struct rig_fault) { RIG_OP_HANG, 1, FOR_GOOD });
	rig_finish(&rig);
	rig_require(&rig, strcmp(rig_codes(&rig), "2 4 305") == 0);
	check_count = rig.http.counts[RIG_CHECK];
	rig_idle(&rig, 3600000);
	rig_require(&rig, strcmp(rig_play(&rig), "4 305") == 0);
	rig_require(&rig, rig.http.counts[RIG_CHECK] == check_count && rig.http.counts[RIG_REPORT] == 0);
	recover(false);
}

static void a_download_goes_on_when_storage_is_slower_than_the_network(void **state)
{
	static const uint32_t chunks[] = { 1, 255, 256, 257, 4095, 4096, 4097, 19999, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		if (!rig_case(&rig, "chunk %u", chunks[i])) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .is_async = true, .chunk_bytes = chunks[i], .seed = chunks[i] });
		rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
		rig_require(&rig, rig_is_image_stored(&rig));
		rig_require(&rig, rig.http.counts[RIG_GET] == 1);
		rig_close(&rig);
	}
}

static void images_of_any_size_are_stored_up_to_the_room_of_the_slot(void **state)
{
	static const uint32_t sizes[] = {
		1, 15, 16, 255, 256, 257, 4095, 4096, 4097, 8192, RIG_SLOT_BYTES - 1, RIG_SLOT_BYTES
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t c = 0; c < CFG_COUNT; c++) {
			if (!rig_case(&rig, "size %u, config %zu", sizes[i], c)) { continue; }
			rig_init(&rig, &cfgs[c]);
			rig.image_bytes = sizes[i];
			rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
			rig_require(&rig, rig_is_image_stored(&rig));
			rig_close(&rig);
		}
	}
}

static void progress_never_goes_back_and_ends_at_the_total(void **state)
{
	uint64_t last = 0;

	(void)state;
	(void)rig_case(&rig, "progress");
	rig_init(&rig, &cfgs[1]);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	for (unsigned i = 0; i < rig.notice_count; i++) {
		const struct fota_notice *notice = &rig.notices[i].notice;

		if (notice->kind != FOTA_NOTICE_PROGRESS) { continue; }
		rig_require(&rig, notice->received_bytes > last && notice->total_bytes == rig.image_bytes);
		last = notice->received_bytes;
	}
	rig_require(&rig, last == rig.image_bytes);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storage_that_fails_for_good_at_any_operation_ends_the_session_with_its_code),
		cmocka_unit_test(storage_that_fails_once_at_any_operation_never_leads_to_a_wrong_image),
		cmocka_unit_test(a_fault_during_the_download_keeps_what_was_synced_before),
		cmocka_unit_test(a_late_error_of_a_session_that_is_over_is_not_the_next_ones),
		cmocka_unit_test(a_completion_that_nobody_waits_for_is_ignored),
		cmocka_unit_test(storage_that_still_hangs_ends_the_next_session_with_its_code_as_well),
		cmocka_unit_test(a_session_begins_while_an_earlier_operation_hangs),
		cmocka_unit_test(a_session_that_is_over_before_it_begins_does_not_read_the_journal),
		cmocka_unit_test(storage_that_hangs_in_a_download_is_not_called_again_before_it_answers),
		cmocka_unit_test(no_message_is_made_while_a_read_hangs),
		cmocka_unit_test(a_download_goes_on_when_storage_is_slower_than_the_network),
		cmocka_unit_test(images_of_any_size_are_stored_up_to_the_room_of_the_slot),
		cmocka_unit_test(progress_never_goes_back_and_ends_at_the_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
