/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include <string.h>

#define TURN_MAX 200u

const struct life_plan life_plans[] = {
	{ "cached", { .seed = 1, .has_slots = true, .is_cached = true }, { END_CONFIRMED, END_CONFIRMED } },
	{ "asynchronous",
	  { .seed = 2, .has_slots = true, .is_cached = true, .is_async = true },
	  { END_CONFIRMED, END_BY_HOST } },
	{ "fine units",
	  { .seed = 3,
	    .has_slots = true,
	    .is_cached = true,
	    .slot_prog_bytes = 16,
	    .journal_prog_bytes = 256,
	    .chunk_bytes = 1400 },
	  { END_BY_STARTS, END_CONFIRMED } },
	{ "by itself",
	  { .seed = 4,
	    .has_slots = true,
	    .is_cached = true,
	    .is_async = true,
	    .chunk_bytes = 9000,
	    .work_bytes = 8192,
	    .policy = { .is_auto_install = true, .is_auto_confirm = true } },
	  { END_CONFIRMED, END_CONFIRMED } },
	{ "told", { .seed = 5, .has_bootenv = true, .is_cached = true }, { END_CONFIRMED, END_BY_TIME } },
	{ "write-through",
	  { .seed = 6, .has_slots = true, .journal_prog_bytes = 1, .slot_prog_bytes = 1 },
	  { END_BY_TIME, END_CONFIRMED } },
	{ "installer", { .seed = 7, .has_installer = true, .is_cached = true }, { END_CONFIRMED, END_CONFIRMED } },
};

const unsigned life_plan_count = sizeof(life_plans) / sizeof(life_plans[0]);

static enum fota_state state_of(const struct life *life)
{
	struct fota_session_info info;

	fota_session_get(&life->rig->session, &info);
	return info.state;
}

static enum ending ending_of(const struct life *life)
{
	return life->plan->endings[life->step];
}

static int new_release(const struct life *life)
{
	return life->step + 1;
}

static void check_start(struct life *life)
{
	struct rig *rig = life->rig;
	bool is_new_allowed = life->is_ordered && life->step < 2;

	rig_require(rig, rig->boot_err == FOTA_ERR_OK && !rig->choice.is_none);
	rig_require(rig, rig->running == life->confirmed || (is_new_allowed && rig->running == new_release(life)));
}

/* Until the power stays on; the boot loader alone may meet the cut. */
static void start(struct life *life)
{
	rig_boot(life->rig);
	if (life->rig->is_dead) { return; }
	check_start(life);
	rig_finish(life->rig);
	rig_idle(life->rig, 1000);
}

void life_power_on(struct life *life)
{
	start(life);
}

/* The package comes in two parts, so that a download is resumed. */
static void publish(struct life *life)
{
	rig_publish(life->rig, new_release(life));
	rig_clear_twists(life->rig);
	rig_twist(life->rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_RECEIVE, 1, 1 });
	life->is_ordered = life->plan->cfg.policy.is_auto_install;
}

void life_begin(struct life *life, struct rig *rig, const struct life_plan *plan)
{
	*life = (struct life) { .rig = rig, .plan = plan };
	rig_init(rig, &plan->cfg);
	rig_finish(rig);
	publish(life);
}

/* The last result that is in the record is of the upgrade that goes on. */
static int result_of(const struct life *life)
{
	struct fota_session_info info;

	fota_session_get(&life->rig->session, &info);
	if (!info.result.is_there || !info.result.is_told) { return -1; }
	if (!fota_bytes_is_equal(fota_text_get(&info.result.new_version),
				 fota_bytes_of(rig_version_of(new_release(life))))) {
		return -1;
	}
	return info.result.code;
}

/* Idle: either this is the end, or the host begins (again). */
static bool has_ended(const struct life *life)
{
	int code = result_of(life);

	if (ending_of(life) == END_CONFIRMED) { return life->rig->running == new_release(life); }
	return code > 0 && life->rig->running == life->confirmed;
}

static void next_step(struct life *life)
{
	life->confirmed = life->rig->running;
	life->step++;
	if (life->step < 2) { publish(life); }
}

static void on_idle(struct life *life)
{
	if (result_of(life) > 0 && !life->plan->cfg.policy.is_auto_install) { life->is_ordered = false; }
	if (has_ended(life)) {
		next_step(life);
		return;
	}
	rig_require(life->rig, rig_start(life->rig) == FOTA_CODE_NONE);
	rig_finish(life->rig);
	rig_idle(life->rig, 1000);
}

static void on_ready(struct life *life)
{
	if (!life->plan->cfg.policy.is_auto_install) {
		rig_require(life->rig, fota_session_install(&life->rig->session) == FOTA_CODE_NONE);
	}
	life->is_ordered = true;
	rig_idle(life->rig, 1000);
}

static void on_trial(struct life *life)
{
	struct rig *rig = life->rig;
	enum ending ending = ending_of(life);

	if (ending == END_BY_STARTS) {
		start(life);
		return;
	}
	/* refused while an earlier order is on its way */
	if (ending != END_BY_TIME && !rig->cfg.policy.is_auto_confirm) {
		(void)!fota_session_confirm(&rig->session, ending == END_CONFIRMED);
	}
	rig_idle(rig, ending == END_BY_TIME ? 600000 : 1000);
}

static void on_installing(struct life *life)
{
	if (life->rig->is_installer_on) { rig_installed(life->rig, FOTA_ERR_OK); }
	rig_idle(life->rig, 1000);
}

/* One look at the module and what the host does then. */
static void turn(struct life *life)
{
	if (life->rig->is_restart_asked) {
		start(life);
		return;
	}
	switch (state_of(life)) {
	case FOTA_STATE_IDLE:
		on_idle(life);
		break;
	case FOTA_STATE_READY:
		on_ready(life);
		break;
	case FOTA_STATE_TRIAL:
		on_trial(life);
		break;
	default:
		on_installing(life);
	}
}

bool life_go_on(struct life *life)
{
	while (life->step < 2 && !life->rig->is_dead) {
		rig_require(life->rig, ++life->turns < TURN_MAX);
		turn(life);
	}
	if (!life->rig->is_dead) { rig_idle(life->rig, 1000); }
	return !life->rig->is_dead;
}

void life_check_end(struct life *life, bool was_cut)
{
	struct rig *rig = life->rig;

	rig_require(rig, rig->running == life->confirmed && state_of(life) == FOTA_STATE_IDLE);
	rig_require(rig, rig->session.record.report_count == 0);
	/* a cut in the very erasure leaves the old half as it is, up to the next entry */
	rig_require(rig, was_cut || rig_area_count(&rig->journal, RIG_SECRET) == 0);
	rig_close(rig);
	rig_boot(rig);
	check_start(life);
}
