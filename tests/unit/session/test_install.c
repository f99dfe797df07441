/* SPDX-License-Identifier: Apache-2.0 */
/* From a package that is ready to the version that was confirmed or rolled back: what
 * the hosts hear, what the platform hears and from which version, and what runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "installs.h"

/* ---- the whole life ---- */

static const struct {
	const char *name;
	struct rig_cfg cfg;
} systems[] = {
	{ "a boot loader that reads the journal", { .has_slots = true } },
	{ "asynchronous storage", { .has_slots = true, .is_async = true } },
	{ "a boot loader that is told", { .has_bootenv = true } },
	{ "an installer", { .has_installer = true } },
};

static bool next_system(size_t i)
{
	return rig_case(&rig, "%s", systems[i].name);
}

#define SYSTEM_COUNT (sizeof(systems) / sizeof(systems[0]))

static void an_installed_version_is_tried_confirmed_and_reported(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SYSTEM_COUNT; i++) {
		if (!next_system(i)) { continue; }
		get_on_trial(&systems[i].cfg);
		rig_require(&rig, rig.running == 1 && state() == FOTA_STATE_TRIAL);
		check_result(0, 0, 1);
		rig_require(&rig, strcmp(reports(1), "3/3 4*") == 0);
		rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
		rig_idle(&rig, 1000);
		rig_require(&rig, !rig.is_restart_asked && result_count() == 1);
		rig_require(&rig, strcmp(reports(1), "3/3 4* 5*") == 0);
		check_over(1);
		rig_boot(&rig);
		rig_idle(&rig, 700000);
		rig_require(&rig, result_count() == 1); /* not again */
		check_over(1);
	}
}

/* The second one goes to the slot that the factory's image was in. */
static void two_upgrades_in_a_row_use_both_slots(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SYSTEM_COUNT; i++) {
		if (!next_system(i)) { continue; }
		get_on_trial(&systems[i].cfg);
		rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
		rig_idle(&rig, 1000);
		rig_publish(&rig, 2);
		rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
		rig_idle(&rig, 1000);
		install();
		rig_restart(&rig);
		rig_idle(&rig, 1000);
		check_result(0, 1, 2);
		rig_require(&rig, rig.running == 2 && rig.choice.slot == 0);
		rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
		rig_idle(&rig, 1000);
		rig_require(&rig, strcmp(reports(2), "3/3 4 5 3/3 4* 5*") == 0);
		check_over(2);
		/* no way back below it */
		rig_publish(&rig, 1);
		rig_require(&rig, strcmp(rig_play(&rig), "5") == 0);
	}
}

enum way_back { BY_HOST, BY_TIME, BY_STARTS, BY_DAMAGE };

static const struct {
	const char *name;
	enum way_back way;
	int code;
	const char *reports; /* with '*': from the old version */
} back_rows[] = {
	{ "the host", BY_HOST, 307, "3/3* 4 6/307*" },
	{ "time", BY_TIME, 509, "3/3* 4 6/509*" },
	{ "starts", BY_STARTS, 508, "3/3* 4 4 4 6/508*" },
	{ "damage", BY_DAMAGE, 306, "3/3* 7/306*" },
};

static void go_back(enum way_back way)
{
	switch (way) {
	case BY_HOST:
		rig_require(&rig, fota_session_confirm(&rig.session, false) == FOTA_CODE_NONE);
		rig_idle(&rig, 1000);
		rig_restart(&rig);
		break;
	case BY_TIME:
		rig_idle(&rig, 590000);
		rig_require(&rig, state() == FOTA_STATE_TRIAL && !rig.is_restart_asked);
		rig_idle(&rig, 10000);
		rig_restart(&rig);
		break;
	default:
		for (int i = 0; i < 2; i++) {
			rig_boot(&rig);
			rig_require(&rig, rig.running == 1);
			rig_idle(&rig, 1000);
			rig_require(&rig, state() == FOTA_STATE_TRIAL);
		}
		rig_boot(&rig);
	}
	rig_idle(&rig, 1000);
}

static void the_old_version_comes_back_and_says_why(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < SYSTEM_COUNT * 4; n++) {
		size_t i = n / 4, row = n % 4;

		if (back_rows[row].way == BY_DAMAGE && systems[i].cfg.has_bootenv + systems[i].cfg.has_installer) {
			continue; /* nobody looks at the slot there but that boot loader */
		}
		if (!rig_case(&rig, "%s, %s", systems[i].name, back_rows[row].name)) { continue; }
		if (back_rows[row].way == BY_DAMAGE) {
			get_ready(&systems[i].cfg);
			install();
			rig.slot_b.cells[7777] ^= 1;
			rig_restart(&rig);
			rig_idle(&rig, 1000);
		} else {
			get_on_trial(&systems[i].cfg);
			go_back(back_rows[row].way);
		}
		check_result(back_rows[row].code, 0, 1);
		rig_require(&rig, result_count() == 1u + (back_rows[row].way != BY_DAMAGE));
		rig_require(&rig, strcmp(reports(0), back_rows[row].reports) == 0);
		check_over(0);
		/* the same release can be tried again */
		rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
		install();
		rig_restart(&rig);
		rig_require(&rig, rig.running == 1);
	}
}

static void reports_wait_for_the_network_over_restarts(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "late reports");
	rig_init(&rig, &cfg);
	rig_finish(&rig);
	no_reports();
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	install();
	rig_restart(&rig);
	rig_idle(&rig, 1000);
	rig_require(&rig, fota_session_confirm(&rig.session, true) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig_boot(&rig);
	rig_finish(&rig);
	rig_require(&rig, rig.session.record.report_count == 3);
	rig_clear_twists(&rig);
	rig.request_count = 0;
	rig_boot(&rig);
	rig_idle(&rig, 1000);
	rig_require(&rig, strcmp(reports(1), "3/3* 4* 5*") == 0); /* in their order */
	check_over(1);
}

/* ---- by itself ---- */

static void an_automatic_life_needs_no_command(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "automatic");
	cfg.policy = (struct fota_session_policy) { .is_auto_install = true, .is_auto_confirm = true };
	get_on_trial(&cfg);
	rig_require(&rig, strcmp(reports(1), "3/3* 4* 5*") == 0); /* it waits for nothing */
	check_result(0, 0, 1);
	check_over(1);
}

static void an_automatic_confirmation_needs_an_acknowledged_report(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "not heard");
	cfg.policy.is_auto_confirm = true;
	get_ready(&cfg);
	install();
	no_reports();
	rig_restart(&rig);
	rig_idle(&rig, 590000);
	rig_require(&rig, rig.running == 1 && state() == FOTA_STATE_TRIAL);
	rig_idle(&rig, 20000);
	rig_clear_twists(&rig);
	rig_restart(&rig);
	rig_idle(&rig, 1000);
	check_result(509, 0, 1);
	check_over(0);
}

/* A start in between: what was acknowledged before it does not count for ever. */
static void a_restart_on_trial_asks_the_platform_again(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "heard again");
	get_on_trial(&cfg);
	rig.session_cfg.policy.is_auto_confirm = true;
	rig_boot(&rig);
	rig_idle(&rig, 1000);
	rig_require(&rig, strcmp(reports(1), "3/3 4* 4* 5*") == 0);
	check_over(1);
}

static void automatic_confirmation_that_is_switched_on_during_a_trial_counts(void **unused)
{
	struct rig_cfg cfg = slots_cfg();
	struct fota_session_policy policy = { .is_auto_confirm = true };

	(void)unused;
	(void)rig_case(&rig, "switched on late");
	get_on_trial(&cfg);
	rig_require(&rig, state() == FOTA_STATE_TRIAL && strcmp(reports(1), "3/3 4*") == 0);
	fota_session_set_policy(&rig.session, &policy);
	rig_idle(&rig, 1000);
	rig_require(&rig, strcmp(reports(1), "3/3 4* 4* 5*") == 0);
	check_over(1);
}

#define AT(hour, minute) (60 * (hour) + (minute))

static const struct {
	uint16_t from, to, now;
	bool is_time_known, is_open;
} window_rows[] = {
	{ AT(2, 0), AT(4, 30), AT(1, 59), true, false },  { AT(2, 0), AT(4, 30), AT(2, 0), true, true },
	{ AT(2, 0), AT(4, 30), AT(4, 29), true, true },   { AT(2, 0), AT(4, 30), AT(4, 30), true, false },
	{ AT(22, 0), AT(4, 0), AT(21, 59), true, false }, { AT(22, 0), AT(4, 0), AT(22, 0), true, true },
	{ AT(22, 0), AT(4, 0), AT(0, 0), true, true },    { AT(22, 0), AT(4, 0), AT(3, 59), true, true },
	{ AT(22, 0), AT(4, 0), AT(4, 0), true, false },   { AT(3, 0), AT(3, 0), AT(12, 0), true, true },
	{ AT(3, 0), AT(3, 0), AT(12, 0), false, true },   { AT(0, 0), AT(23, 59), AT(12, 0), false, false },
	{ AT(23, 59), AT(0, 1), AT(23, 59), true, true }, { AT(23, 59), AT(0, 1), AT(0, 1), true, false },
	{ AT(23, 59), AT(0, 1), AT(12, 0), true, false }, { 0, 0, 0, false, true },
};

static void automatic_installations_keep_to_their_window(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(window_rows) / sizeof(window_rows[0]); i++) {
		struct rig_cfg cfg = slots_cfg();

		if (!rig_case(&rig, "window row %zu", i)) { continue; }
		cfg.policy.window_from_min = window_rows[i].from;
		cfg.policy.window_to_min = window_rows[i].to;
		rig_init(&rig, &cfg);
		rig_finish(&rig);
		rig.unix_s = UINT64_C(1700006400) + 60u * window_rows[i].now; /* midnight and the minute */
		rig_require(&rig, UINT64_C(1700006400) % 86400 == 0);
		rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
		if (!window_rows[i].is_time_known) { rig.unix_s = 0; }
		rig_idle(&rig, 5000);
		cfg.policy.is_auto_install = true;
		fota_session_set_policy(&rig.session, &cfg.policy);
		rig_idle(&rig, 20000);
		rig_require(&rig, rig.is_restart_asked == window_rows[i].is_open);
	}
}

static void a_window_that_opens_later_is_noticed(void **unused)
{
	struct rig_cfg cfg = slots_cfg();

	(void)unused;
	(void)rig_case(&rig, "later");
	cfg.policy = (struct fota_session_policy) { true, false, AT(2, 0), AT(3, 0) };
	rig_init(&rig, &cfg);
	rig_finish(&rig);
	rig.unix_s = UINT64_C(1700006400);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_idle(&rig, 2 * 3600000 - 60000);
	rig_require(&rig, !rig.is_restart_asked && state() == FOTA_STATE_READY);
	rig_idle(&rig, 120000);
	rig_require(&rig, rig.is_restart_asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_installed_version_is_tried_confirmed_and_reported),
		cmocka_unit_test(two_upgrades_in_a_row_use_both_slots),
		cmocka_unit_test(the_old_version_comes_back_and_says_why),
		cmocka_unit_test(reports_wait_for_the_network_over_restarts),
		cmocka_unit_test(an_automatic_life_needs_no_command),
		cmocka_unit_test(an_automatic_confirmation_needs_an_acknowledged_report),
		cmocka_unit_test(a_restart_on_trial_asks_the_platform_again),
		cmocka_unit_test(automatic_confirmation_that_is_switched_on_during_a_trial_counts),
		cmocka_unit_test(automatic_installations_keep_to_their_window),
		cmocka_unit_test(a_window_that_opens_later_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
