/* SPDX-License-Identifier: Apache-2.0 */
/* The power goes at each storage operation of a session. After the restart the next
 * session succeeds and the image is right, whatever was lost; also when the power goes
 * again, and when storage has kept later writes and lost earlier ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "stride.h"

static struct rig rig;

static const struct rig_cfg cfgs[] = {
	{ .seed = 1, .is_cached = true },
	{ .seed = 2, .is_cached = true, .is_async = true },
	{ .seed = 3, .slot_prog_bytes = 16, .chunk_bytes = 700, .journal_prog_bytes = 256 },
	{ .seed = 4,
	  .is_cached = true,
	  .is_async = true,
	  .chunk_bytes = 9000,
	  .slot_prog_bytes = 1,
	  .journal_prog_bytes = 1,
	  .work_bytes = 8192,
	  .limits = { .sync_bytes = 12000 } },
};

#define CFG_COUNT (sizeof(cfgs) / sizeof(cfgs[0]))

static void cut_in(uint32_t n)
{
	rig_fault(&rig, (struct rig_fault) { RIG_OP_CUT, n, n });
}

/* Plays until the cut; false if the session ended without it. */
static bool play_to_cut(uint32_t n)
{
	cut_in(n);
	if (rig_start(&rig) == FOTA_CODE_NONE) { rig_finish(&rig); }
	if (!rig.is_dead) { rig_idle(&rig, 1000); } /* the report is delivered */
	return rig.is_dead;
}

/* What was told before the cut stays true. */
static void check_promises(bool was_told_done)
{
	struct fota_session_info info;

	rig_finish(&rig);
	fota_session_get(&rig.session, &info);
	if (was_told_done) { rig_require(&rig, info.last.code == FOTA_CODE_DOWNLOADED && rig_is_image_stored(&rig)); }
	rig_require(&rig, info.received_bytes <= rig.image_bytes);
	/* what counts as stored is stored */
	rig_require(&rig, memcmp(rig.slot.cells, rig.image, info.received_bytes) == 0);
}

static void succeed(void)
{
	rig_fault(&rig, (struct rig_fault) { RIG_OP_FINE, 0, 0 });
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_idle(&rig, 1000);
	rig_require(&rig, rig.session.record.report_count == 0);
	/* once, for the report of the installation; nothing older */
	rig_require(&rig, rig_area_count(&rig.journal, RIG_SECRET) == 1);
	rig_close(&rig);
}

static bool play_cut(const struct rig_cfg *cfg, uint32_t n)
{
	bool is_cut;

	rig_init(&rig, cfg);
	rig_finish(&rig);
	is_cut = play_to_cut(n);
	if (is_cut) {
		bool was_told = rig_has_code(&rig, FOTA_CODE_DOWNLOADED);

		rig_boot(&rig);
		check_promises(was_told);
	}
	succeed();
	return is_cut;
}

static void a_cut_of_power_at_any_operation_of_a_session_is_survived(void **state)
{
	(void)state;
	for (size_t c = 0; c < CFG_COUNT; c++) {
		bool is_cut = true;

		for (uint32_t n = 1; is_cut; n += stride()) {
			if (rig_case(&rig, "cut: config %zu, operation %u", c, n)) {
				is_cut = play_cut(&cfgs[c], n);
			} else {
				is_cut = n < 1000;
			}
			rig_require(&rig, is_cut || n > 25); /* a session has so many operations */
		}
	}
}

/* The second cut comes while the module loads its journal, or in the session after. */
static void a_second_cut_right_after_the_first_is_survived(void **state)
{
	(void)state;
	for (uint32_t n = 3; n < 100; n += 5) {
		for (uint32_t again = 1; again < 40; again += stride()) {
			size_t c = (n + again) % CFG_COUNT;

			if (!rig_case(&rig, "double cut: config %zu, operations %u and %u", c, n, again)) { continue; }
			rig_init(&rig, &cfgs[c]);
			rig_finish(&rig);
			if (!play_to_cut(n)) { continue; }
			cut_in(again);
			rig_boot(&rig);
			if (!rig.is_dead) { (void)!rig_start(&rig); }
			rig_finish(&rig);
			if (rig.is_dead) { rig_boot(&rig); }
			check_promises(false);
			succeed();
		}
	}
}

static void a_module_whose_power_goes_again_and_again_comes_to_its_end(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 20; seed += stride()) {
		struct rig_cfg cfg = cfgs[seed % CFG_COUNT];
		unsigned boots = 0;

		cfg.seed = seed;
		if (!rig_case(&rig, "again and again: seed %u", seed)) { continue; }
		rig_init(&rig, &cfg);
		rig_finish(&rig);
		while (play_to_cut(25 + (seed * 7 + boots * 13) % 31)) {
			rig_require(&rig, ++boots < 60);
			rig_boot(&rig);
			check_promises(rig_has_code(&rig, FOTA_CODE_DOWNLOADED));
			if (rig_is_image_stored(&rig)) { break; }
		}
		rig_require(&rig, rig_is_image_stored(&rig));
	}
}

/* kill -9 of a program: what it wrote is in the system's cache and stays. */
static void a_restart_at_any_step_goes_on_from_the_last_synced_byte(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 150; n += 2 * stride()) {
		uint64_t synced;

		if (!rig_case(&rig, "restart: step %u", n)) { continue; }
		rig_init(&rig, &cfgs[n % CFG_COUNT]);
		rig_finish(&rig);
		(void)!rig_start(&rig);
		for (uint32_t i = 0; i < n && rig_step(&rig); i++) {}
		synced = rig.session.record.package.synced_bytes;
		rig_boot(&rig);
		rig_finish(&rig);
		rig_require(&rig, rig.session.record.package.synced_bytes + 2 * 4096 >= synced);
		succeed();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_of_power_at_any_operation_of_a_session_is_survived),
		cmocka_unit_test(a_second_cut_right_after_the_first_is_survived),
		cmocka_unit_test(a_module_whose_power_goes_again_and_again_comes_to_its_end),
		cmocka_unit_test(a_restart_at_any_step_goes_on_from_the_last_synced_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
