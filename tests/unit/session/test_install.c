/* SPDX-License-Identifier: Apache-2.0 */
/* From a package that is ready to the version that was confirmed or rolled back: what
 * the hosts hear, what the platform hears and from which version, what runs, and that a
 * storage that fails on the way leaves nothing in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;

/* ---- what is asked again and again ---- */

static enum fota_state state(void)
{
	struct fota_session_info info;

	fota_session_get(&rig.session, &info);
	return info.state;
}

/* Reports that arrived, the first of each ID alone: "3/3 4 5", state and code if there is one; with '*' behind
 * those that came from the version of release `n`. */
static const char *reports(int n)
{
	static char text[256];
	size_t len = 0;

	text[0] = 0;
	for (unsigned i = 0; i < rig.request_count; i++) {
		const struct rig_request *request = &rig.requests[i];
		bool is_again = false;

		rig_require(&rig, rig.request_count < RIG_REQUEST_MAX);
		for (unsigned k = 0; k < i; k++) {
			is_again = is_again || (rig.requests[k].kind == RIG_REPORT &&
						memcmp(rig.requests[k].report_id, request->report_id, 16) == 0);
		}
		if (request->kind != RIG_REPORT || is_again) { continue; }
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", len ? " " : "",
					(unsigned)request->report_state);
		if (request->report_code) {
			len += (size_t)snprintf(text + len, sizeof(text) - len, "/%u", (unsigned)request->report_code);
		}
		if (strcmp(request->report_version, rig_version_of(n)) == 0) { strcat(text, "*"), len++; }
	}
	return text;
}

static unsigned result_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rig.notice_count; i++) {
		count += rig.notices[i].notice.kind == FOTA_NOTICE_RESULT;
	}
	return count;
}

/* A session has told how an installation went: once, and with both versions. */
static void check_result(int code, int old, int new)
{
	struct fota_session_info info;

	fota_session_get(&rig.session, &info);
	rig_require(&rig, rig_result(&rig) == code);
	rig_require(&rig, info.result.is_there && info.result.is_told && info.result.code == code);
	rig_require(&rig,
		    fota_bytes_is_equal(fota_text_get(&info.result.old_version), fota_bytes_of(rig_version_of(old))));
	rig_require(&rig,
		    fota_bytes_is_equal(fota_text_get(&info.result.new_version), fota_bytes_of(rig_version_of(new))));
}

/* Nothing is owed, and nothing secret is left behind. */
static void check_over(int running)
{
	rig_require(&rig, rig.running == running);
	rig_require(&rig, state() == FOTA_STATE_IDLE);
	rig_require(&rig, rig.session.record.report_count == 0);
	rig_require(&rig, rig_area_count(&rig.journal, RIG_SECRET) == 0);
	rig_close(&rig);
}

/* ---- ways ---- */

static struct rig_cfg slots_cfg(void)
{
	return (struct rig_cfg) { .seed = 5, .has_slots = true };
}

static void get_ready(const struct rig_cfg *cfg)
{
	rig_init(&rig, cfg);
	rig_finish(&rig);
	rig_require(&rig, rig.running == 0);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_idle(&rig, 1000);
	rig_require(&rig, cfg->policy.is_auto_install || state() == FOTA_STATE_READY);
}

static void install(void)
{
	rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	if (!rig.cfg.has_installer) { return; }
	rig_installed(&rig, FOTA_ERR_OK);
	rig_idle(&rig, 1000);
}

static void get_on_trial(const struct rig_cfg *cfg)
{
	get_ready(cfg);
	if (!cfg->policy.is_auto_install) { install(); }
	rig_restart(&rig);
	rig_idle(&rig, 1000);
}

static void no_reports(void)
{
	rig_twist(&rig, (struct rig_twist) { RIG_REPORT, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
}

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

/* ---- a boot loader that is told ---- */

static void a_boot_loader_that_cannot_be_told_installs_nothing(void **unused)
{
	(void)unused;
	(void)rig_case(&rig, "deaf boot loader");
	get_ready(&systems[2].cfg);
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
	get_on_trial(&systems[2].cfg);
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
	get_on_trial(&systems[2].cfg);
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
	get_ready(&systems[3].cfg);
	rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_NONE);
	rig_idle(&rig, 1000);
	rig_require(&rig, rig.is_installer_on && state() == FOTA_STATE_INSTALLING);
	rig_require(&rig, rig_start(&rig) == NEST && fota_session_install(&rig.session) == NEST);
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
		get_ready(&systems[3].cfg);
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
		cmocka_unit_test(what_does_not_fit_the_state_is_refused),
		cmocka_unit_test(a_version_on_trial_takes_no_session),
		cmocka_unit_test(an_order_is_refused_while_storage_hangs),
		cmocka_unit_test(an_installation_that_cannot_be_stored_is_over),
		cmocka_unit_test(an_order_on_trial_is_stored_as_soon_as_storage_works),
		cmocka_unit_test(a_trial_that_cannot_be_counted_is_over),
		cmocka_unit_test(a_package_never_goes_to_the_slot_that_runs),
		cmocka_unit_test(half_a_package_never_runs),
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
