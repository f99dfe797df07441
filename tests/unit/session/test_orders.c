/* SPDX-License-Identifier: Apache-2.0 */
/* Orders that do not fit the state are refused, and a storage that fails on the way leaves
 * nothing in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "installs.h"

/* ---- refusals ---- */

struct answers {
	enum fota_code start, check, install, confirm, back, cancel;
};

static void check_answers(const struct answers *expected)
{
	struct fota_request req = rig_request(&rig);
	const uint32_t origin = 99;

	rig_require(&rig, fota_session_confirm(&rig.session, true) == expected->confirm);
	rig_require(&rig, fota_session_confirm(&rig.session, false) == expected->back);
	rig_require(&rig, fota_session_install(&rig.session) == expected->install);
	rig_require(&rig, fota_session_cancel(&rig.session) == expected->cancel);
	if (expected->start) { rig_require(&rig, fota_session_start(&rig.session, &req, origin) == expected->start); }
	if (expected->check) { rig_require(&rig, fota_session_check(&rig.session, &req, origin) == expected->check); }
}

#define NO   FOTA_CODE_BAD_OPERATION
#define NEST FOTA_CODE_NESTING
#define FINE FOTA_CODE_NONE

static void what_does_not_fit_the_state_is_refused(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "refusals");
	rig_init(&rig, &cfg);
	rig_finish(&rig);
	check_answers(&(struct answers) { FINE, FINE, NO, NO, NO, NO }); /* idle */
	rig_require(&rig, rig_start(&rig) == FINE);
	check_answers(&(struct answers) { NEST, NEST, NEST, NO, NO, FINE }); /* a session runs */
	rig_finish(&rig);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_idle(&rig, 1000);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == NO); /* ready */
	rig_require(&rig, fota_session_confirm(&rig.session, false) == NO);
	rig_require(&rig, fota_session_install(&rig.session) == FINE);
	check_answers(&(struct answers) { NEST, NEST, NEST, NO, NO, NO }); /* asked for */
	rig_require(&rig, state() == FOTA_STATE_INSTALLING);
	rig_idle(&rig, 1000);
	check_answers(&(struct answers) { NEST, NEST, NEST, NO, NO, NO }); /* armed */
	rig_require(&rig, state() == FOTA_STATE_INSTALLING);
	rig_restart(&rig);
	rig_idle(&rig, 1000);
	rig_require(&rig, state() == FOTA_STATE_TRIAL);
	rig_require(&rig, fota_session_confirm(&rig.session, false) == FINE);
	check_answers(&(struct answers) { NEST, NEST, NEST, NO, NO, NO }); /* on the way back */
	rig_idle(&rig, 1000);
	check_answers(&(struct answers) { NEST, NEST, NEST, NO, NO, NO });
	rig_restart(&rig);
	rig_idle(&rig, 1000);
	check_answers(&(struct answers) { FINE, FINE, NO, NO, NO, NO });
	check_over(0);
}

static void a_version_on_trial_takes_no_session(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "refusals on trial");
	get_on_trial(&cfg);
	rig_require(&rig, rig_start(&rig) == NEST && fota_session_install(&rig.session) == NEST);
	fota_session_abort(&rig.session);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_ABORTED);
	rig_idle(&rig, 1000);
	rig_require(&rig, state() == FOTA_STATE_TRIAL);
}

/* ---- storage that fails ---- */

enum order { AN_INSTALL, A_CONFIRM, A_WAY_BACK };

static void begin_order(enum order order)
{
	struct rig_cfg cfg = slots_cfg();

	if (order == AN_INSTALL) {
		get_ready(&cfg);
	} else {
		get_on_trial(&cfg);
	}
}

static void give_order(enum order order)
{
	enum fota_code code = FOTA_CODE_NONE;

	if (order == AN_INSTALL) { code = fota_session_install(&rig.session); }
	if (order != AN_INSTALL) { code = fota_session_confirm(&rig.session, order == A_CONFIRM); }
	rig_require(&rig, code == FOTA_CODE_NONE);
}

static const struct {
	enum rig_effect_op effect;
	int code;
} fault_rows[] = { { RIG_OP_IO, 304 }, { RIG_OP_FULL, 301 }, { RIG_OP_HANG, 305 }, { RIG_OP_ODD, 405 } };

/* The journal's three operations fail one after the other: the erase is skipped where the
 * half has room, then it is two. */
static void an_installation_that_cannot_be_stored_is_over(void **unused)
{
	(void)unused;
	for (uint32_t n = 0; n < 4 * 2; n++) {
		size_t row = n % 4;

		if (!rig_case(&rig, "install, fault %zu at %u", row, n / 4 + 1)) { continue; }
		begin_order(AN_INSTALL);
		rig_fault(&rig, (struct rig_fault) { fault_rows[row].effect, n / 4 + 1, n / 4 + 1 });
		give_order(AN_INSTALL);
		rig_idle(&rig, 30000);
		rig_require(&rig, !rig.is_restart_asked);
		rig_heal(&rig);
		rig_idle(&rig, 130000);
		check_result(fault_rows[row].code, 0, 1);
		rig_boot(&rig);
		rig_idle(&rig, 1000);
		rig_require(&rig, rig.running == 0 && state() == FOTA_STATE_IDLE);
		rig_close(&rig);
	}
}

/* The host has said it once; it counts as soon as storage can keep it. */
static void an_order_on_trial_is_stored_as_soon_as_storage_works(void **unused)
{
	(void)unused;
	for (uint32_t n = 0; n < 4 * 2 * 2; n++) {
		size_t row = n % 4;
		enum order order = n / 4 % 2 ? A_WAY_BACK : A_CONFIRM;

		if (!rig_case(&rig, "order %u, fault %zu at %u", order, row, n / 8 + 1)) { continue; }
		begin_order(order);
		rig_fault(&rig, (struct rig_fault) { fault_rows[row].effect, n / 8 + 1, UINT32_MAX });
		give_order(order);
		rig_idle(&rig, 30000);
		rig_require(&rig, state() == FOTA_STATE_TRIAL && !rig.is_restart_asked);
		rig_heal(&rig);
		check_result(0, 0, 1);
		rig_idle(&rig, 130000);
		if (order == A_WAY_BACK) { rig_restart(&rig); }
		rig_idle(&rig, 1000);
		check_result(order == A_CONFIRM ? 0 : 307, 0, 1);
		check_over(order == A_CONFIRM);
	}
}

/* The confirmed version runs, and the session ends what was armed. */
static void a_trial_that_cannot_be_counted_is_over(void **unused)
{
	struct rig_cfg cfg = slots_cfg();
	unsigned hits = 0;

	(void)unused;
	(void)rig_case(&rig, "no count");
	for (uint32_t n = 1; n < 20; n++) {
		get_ready(&cfg);
		install();
		rig_fault(&rig, (struct rig_fault) { RIG_OP_IO, n, n });
		rig_boot(&rig);
		if (rig.boot_err == FOTA_ERR_OK || rig.choice.is_none) { continue; } /* failed to read */
		hits++;
		rig_require(&rig, rig.boot_err == FOTA_ERR_IO && rig.running == 0);
		rig_idle(&rig, 1000);
		check_result(508, 0, 1);
		check_over(0);
	}
	rig_require(&rig, hits == 4); /* sync, erase, prog, sync */
}

/* Damaged, and at that start the journal could not be written: the record names the damaged
 * slot still, but the next package must not go to the one that runs. `is_told`: as the virtual module,
 * which shows in a file what the journal says. */
static void check_running_slot(bool is_told)
{
	static struct rig before;
	struct rig_cfg cfg = slots_cfg();
	uint32_t n = 0;

	(void)rig_case(&rig, "what runs is kept, told %d", is_told);
	get_on_trial(&cfg);
	rig.bootenv.is_told_only = true;
	if (is_told) { rig.session_cfg.bootenv = &rig.bootenv; }
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig.slot_b.cells[0] ^= 1;
	before = rig;
	do { /* up to the first operation that writes */
		n++;
		rig = before;
		rig_fault(&rig, (struct rig_fault) { RIG_OP_IO, n, n });
		rig_boot(&rig);
		rig_require(&rig, n < 20);
	} while (rig.choice.is_none || rig.boot_err == FOTA_ERR_OK);
	rig_require(&rig, rig.running == 0 && rig.boot.active == 1);
	rig_publish(&rig, 2);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, rig_release_in(&rig, &rig.slot) == 0 && rig_release_in(&rig, &rig.slot_b) == 2);
	install();
	rig_restart(&rig);
	rig_require(&rig, rig.running == 2);
}

static void a_package_never_goes_to_the_slot_that_runs(void **unused)
{
	(void)unused;
	check_running_slot(false);
	check_running_slot(true);
}

/* Half of a package lies where the factory's image was, and the other one is damaged. */
static void half_a_package_never_runs(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "half a package");
	get_on_trial(&cfg);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig_publish(&rig, 2);
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_STATUS, 404, 0, 2, 99 });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_RECEIVE, 1, 1 });
	rig_require(&rig, strcmp(rig_play(&rig), "2 4 504") == 0);
	rig_require(&rig, rig_release_in(&rig, &rig.slot) == -1);
	rig.slot_b.cells[0] ^= 1;
	rig_boot(&rig);
	rig_require(&rig, rig.choice.is_none && rig.boot_err == FOTA_ERR_NONE);
	rig.slot_b.cells[0] ^= 1; /* a reading error, say: all is well again */
	rig_boot(&rig);
	rig_finish(&rig);
	rig_require(&rig, rig.running == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_the_state_is_refused),
		cmocka_unit_test(a_version_on_trial_takes_no_session),
		cmocka_unit_test(an_installation_that_cannot_be_stored_is_over),
		cmocka_unit_test(an_order_on_trial_is_stored_as_soon_as_storage_works),
		cmocka_unit_test(a_trial_that_cannot_be_counted_is_over),
		cmocka_unit_test(a_package_never_goes_to_the_slot_that_runs),
		cmocka_unit_test(half_a_package_never_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
