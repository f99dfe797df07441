/* SPDX-License-Identifier: Apache-2.0 */
/* Boot loaders and installers that fail, and hosts that act while a start is still going on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "installs.h"

static const struct rig_cfg told = { .has_bootenv = true };
static const struct rig_cfg by_installer = { .has_installer = true };

/* ---- a boot loader that is told ---- */

static void a_boot_loader_that_cannot_be_told_installs_nothing(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "deaf boot loader");
	get_ready(&told);
	rig.is_env_broken = true;
	install();
	rig_require(&rig, !rig.is_restart_asked);
	check_result(304, 0, 1);
	check_over(0);
	rig_boot(&rig);
	rig_idle(&rig, 1000);
	rig_require(&rig, strcmp(reports(0), "3/3* 7/304*") == 0);
	check_over(0);
}

static void a_boot_loader_hears_of_a_confirmation_at_the_next_start(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "deaf when confirmed");
	get_on_trial(&told);
	rig.is_env_broken = true;
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig_require(&rig, rig.env.is_trial);
	rig.is_env_broken = false;
	for (int i = 0; i < 5; i++) {
		rig_boot(&rig);
		rig_idle(&rig, 1000);
		rig_require(&rig, !rig.env.is_trial && rig.env.active == 1);
		check_over(1);
	}
}

static void a_boot_loader_that_missed_the_way_back_is_corrected(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "deaf on the way back");
	get_on_trial(&told);
	rig.is_env_broken = true;
	rig_require(&rig, fota_session_confirm(&rig.session, false) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig.is_env_broken = false;
	rig_restart(&rig);
	rig_idle(&rig, 1000);
	check_result(307, 0, 1);
	check_over(0);
}

/* ---- an installer ---- */

static void an_installer_that_fails_changes_nothing(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "installer fails");
	get_ready(&by_installer);
	rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig_require(&rig, rig.is_installer_on && state() == FOTA_STATE_INSTALLING);
	rig_require(&rig,
		    rig_start(&rig) == FOTA_CODE_NESTING && fota_session_install(&rig.session) == FOTA_CODE_NESTING);
	rig_installed(&rig, FOTA_ERR_IO);
	rig_idle(&rig, 1000);
	check_result(1, 0, 1);
	rig_require(&rig, strcmp(reports(0), "3/3* 7/1*") == 0);
	check_over(0);
	rig_boot(&rig);
	rig_idle(&rig, 1000);
	check_over(0);
}

static void an_installer_that_a_restart_interrupts_has_failed(void **unused)
{
	(void)unused;
	for (int is_clean = 0; is_clean < 2; is_clean++) {
		(void)rig_case(&rig, "installer interrupted, clean %d", is_clean);
		get_ready(&by_installer);
		rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_NONE);
		rig_idle(&rig, 1000);
		if (is_clean) {
			fota_session_abort(&rig.session);
			rig_idle(&rig, 1000);
			rig_require(&rig, !rig.is_installer_on && fota_session_is_quiet(&rig.session));
		}
		rig_boot(&rig);
		rig_idle(&rig, 1000);
		check_result(508, 0, 1);
		rig_require(&rig, strcmp(reports(0), "3/3* 6/508*") == 0);
		check_over(0);
	}
}

/* ---- what comes between ---- */

static const struct rig_cfg slow_slots = { .seed = 5, .has_slots = true, .is_async = true };

/* Accepted while the journal is still read: the version on trial is not written over. */
static void a_session_that_waited_for_a_start_on_trial_is_refused(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "session before a start on trial");
	get_on_trial(&slow_slots);
	rig_boot(&rig);
	rig_publish(&rig, 2);
	rig_require(&rig, strcmp(rig_play(&rig), "308") == 0);
	rig_idle(&rig, 1000);
	rig_require(&rig, state() == FOTA_STATE_TRIAL && rig_release_in(&rig, &rig.slot_b) == 1);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	check_over(1);
}

/* The result and its report come before the session takes the place of the package. */
static void a_session_that_waited_for_a_start_hides_no_result(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "session before a start with a result");
	get_on_trial(&slow_slots);
	rig_require(&rig, fota_session_confirm(&rig.session, false) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig_boot(&rig);
	rig_publish(&rig, 2);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_idle(&rig, 1000);
	check_result(307, 0, 1);
	rig_require(&rig, strcmp(reports(0), "3/3* 4 6/307* 3/3*") == 0);
	rig_require(&rig, state() == FOTA_STATE_READY && rig_release_in(&rig, &rig.slot_b) == 2);
	rig_close(&rig);
}

/* A disk that hangs over the end of a trial: the session waits for it, it does not spin. */
static void a_trial_that_ends_while_storage_hangs_waits_for_it(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "trial over, storage hangs");
	get_ready(&slow_slots);
	no_reports();
	install();
	rig_restart(&rig);
	rig_idle(&rig, 1000);
	rig_clear_twists(&rig);
	rig_fault(&rig, (struct rig_fault) { RIG_OP_HANG, 1, 1 });
	rig_idle(&rig, 700000);
	rig_require(&rig, state() == FOTA_STATE_TRIAL);
	rig_heal(&rig);
	rig_idle(&rig, 120000);
	rig_require(&rig, rig.is_restart_asked);
	rig_boot(&rig);
	rig_idle(&rig, 1000);
	check_result(509, 0, 1);
	rig_close(&rig);
}

/* A host acts as soon as it hears of the result, while that is still being stored. */
static void start_to_result(void)
{
	unsigned before = result_count();

	while (result_count() == before) {
		rig_require(&rig, rig_step(&rig));
	}
	rig_require(&rig, rig.session.io.is_pending);
}

/* What cannot be stored is not promised. */
static void an_order_is_refused_while_storage_hangs(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "order, storage hangs");
	get_ready(&slow_slots);
	install();
	rig_boot(&rig);
	start_to_result();
	rig_fault(&rig, (struct rig_fault) { RIG_OP_HANG, 1, 1 });
	rig_idle(&rig, 20000);
	rig_require(&rig, state() == FOTA_STATE_TRIAL && rig.session.io.is_stuck);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_IO_TIMEOUT);
	rig_require(&rig, fota_session_confirm(&rig.session, false) == FOTA_CODE_IO_TIMEOUT);
	rig_heal(&rig);
	rig_idle(&rig, 120000);
	rig_require(&rig, state() == FOTA_STATE_TRIAL);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	check_over(1);
	rig_close(&rig);
}

/* Nor does it leave anything: the trial that runs out is told as one, not as the host's wish. */
static void an_order_that_was_refused_is_not_the_reason_of_what_comes_later(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "refused order, trial over");
	get_ready(&slow_slots);
	no_reports();
	install();
	rig_boot(&rig);
	start_to_result();
	rig_fault(&rig, (struct rig_fault) { RIG_OP_HANG, 1, 1 });
	rig_idle(&rig, 20000);
	rig_require(&rig, fota_session_confirm(&rig.session, false) == FOTA_CODE_IO_TIMEOUT);
	rig_heal(&rig);
	rig_idle(&rig, 700000);
	rig_require(&rig, rig.is_restart_asked);
	rig_boot(&rig);
	rig_idle(&rig, 1000);
	check_result(509, 0, 1);
	rig_close(&rig);
}

static void a_host_may_answer_a_result_at_once(void **unused)
{
	(void)unused;
	for (int is_kept = 0; is_kept < 2; is_kept++) {
		(void)rig_case(&rig, "at once, kept %d", is_kept);
		get_ready(&slow_slots);
		install();
		rig_boot(&rig);
		start_to_result();
		rig_require(&rig, fota_session_confirm(&rig.session, is_kept) == FOTA_CODE_NONE);
		rig_require(&rig, fota_session_confirm(&rig.session, is_kept) == FOTA_CODE_BAD_OPERATION);
		rig_idle(&rig, 1000);
		rig_require(&rig, rig.is_restart_asked == !is_kept);
		if (!is_kept) {
			rig_boot(&rig);
			start_to_result();
			rig_publish(&rig, 2);
			rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
			rig_require(&rig, state() == FOTA_STATE_READY);
		}
		rig_idle(&rig, 1000);
		rig_require(&rig, rig_result(&rig) == (is_kept ? 0 : 307));
		rig_require(&rig, rig.running == is_kept);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_refused_while_storage_hangs),
		cmocka_unit_test(an_order_that_was_refused_is_not_the_reason_of_what_comes_later),
		cmocka_unit_test(a_boot_loader_that_cannot_be_told_installs_nothing),
		cmocka_unit_test(a_boot_loader_hears_of_a_confirmation_at_the_next_start),
		cmocka_unit_test(a_boot_loader_that_missed_the_way_back_is_corrected),
		cmocka_unit_test(an_installer_that_fails_changes_nothing),
		cmocka_unit_test(an_installer_that_a_restart_interrupts_has_failed),
		cmocka_unit_test(a_session_that_waited_for_a_start_on_trial_is_refused),
		cmocka_unit_test(a_session_that_waited_for_a_start_hides_no_result),
		cmocka_unit_test(a_trial_that_ends_while_storage_hangs_waits_for_it),
		cmocka_unit_test(a_host_may_answer_a_result_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
