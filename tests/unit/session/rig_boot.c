/* SPDX-License-Identifier: Apache-2.0 */
/* A start of the rig's module: its boot loader, then the session. */
#include "rig.h"

#include <string.h>

#include "rig_priv.h"

bool rig_complete_any(struct rig *rig, enum fota_err *result)
{
	return rig_area_complete(&rig->slot, result) || rig_area_complete(&rig->slot_b, result) ||
	       rig_area_complete(&rig->journal, result);
}

/* What was PENDING completes at once: a boot loader has nothing else to do. */
static enum fota_err wait_for_storage(void *ctx)
{
	struct rig *rig = ctx;
	enum fota_err result = FOTA_ERR_TIMEOUT;

	(void)rig_complete_any(rig, &result);
	return result;
}

/* The part of a boot loader that knows nothing of the journal. */
static int choose_by_env(struct rig *rig)
{
	struct rig_env *env = &rig->env;

	if (!env->is_trial || env->tries == 0) { return env->active; }
	env->tries--;
	return !env->active;
}

static int which_runs(void *ctx, const struct fota_boot *boot)
{
	const struct rig *rig = ctx;

	(void)boot;
	return rig->chosen;
}

/* What runs is one of the releases, whole, and the one that the journal names. */
static void check_running(struct rig *rig)
{
	const struct rig_area *area = rig->choice.slot ? &rig->slot_b : &rig->slot;
	const struct fota_image *image = &rig->boot.images[rig->choice.slot];

	rig->running = rig->cfg.has_installer ? rig->systems[rig->choice.slot] : rig_release_in(rig, area);
	rig_require(rig, rig->running >= 0);
	rig->texts[FOTA_IDENTITY_VERSION] = rig_version_of(rig->running);
	rig_require(rig, !image->size_bytes || fota_bytes_is_equal(fota_text_get(&image->version),
								   fota_bytes_of(rig_version_of(rig->running))));
}

/* False if the power went on the way, or nothing can be booted. */
static bool run_boot_loader(struct rig *rig)
{
	struct fota_boot_cfg cfg = {
		.journal = &rig->journal.port,
		.slots = { &rig->slot.port, rig->cfg.has_slots ? &rig->slot_b.port : NULL },
		.crypto = &rig->crypto,
		.work = { rig->work, sizeof(rig->work) },
		.wait = wait_for_storage,
		.wait_ctx = rig,
		.which = rig->cfg.has_bootenv ? which_runs : NULL,
		.which_ctx = rig,
	};
	struct fota_record record;

	if (cfg.which) { rig->chosen = choose_by_env(rig); }
	rig->boot_err = fota_boot_run(&cfg, &record, &rig->choice);
	rig->boot = record.boot;
	if (rig->is_dead || rig->choice.is_none) { return false; }
	if (rig->choice.is_stranger) {
		(void)!rig->bootenv.set(rig->bootenv.ctx, &rig->boot);
		if (!rig->is_dead) { return run_boot_loader(rig); }
		return false;
	}
	rig->session_cfg.running_slot = rig->choice.slot;
	check_running(rig);
	return true;
}

void rig_boot(struct rig *rig)
{
	rig->http.is_active = false;
	if (rig->is_dead) {
		rig_area_power_on(&rig->slot);
		rig_area_power_on(&rig->slot_b);
		rig_area_power_on(&rig->journal);
		rig->is_dead = false;
	}
	rig->slot.is_hung = rig->slot_b.is_hung = rig->journal.is_hung = false;
	sim_flash_restart(&rig->slot.sim);
	sim_flash_restart(&rig->slot_b.sim);
	sim_flash_restart(&rig->journal.sim);
	memset(rig->work, 0xdd, sizeof(rig->work));
	rig->stop_at = 0;
	rig->is_over = true;
	rig->is_restart_asked = rig->is_installer_on = false;
	if ((rig->cfg.has_slots || rig->cfg.has_bootenv) && !run_boot_loader(rig)) { return; }
	memset(rig->work, 0xdd, sizeof(rig->work));
	memset(&rig->session, 0xdd, sizeof(rig->session));
	rig_require(rig, fota_session_init(&rig->session, &rig->session_cfg) == FOTA_ERR_OK);
	fota_session_set_on(&rig->session, true);
}

void rig_installed(struct rig *rig, enum fota_err result)
{
	rig_require(rig, rig->is_installer_on);
	rig->is_installer_on = false;
	if (result == FOTA_ERR_OK) { rig->systems[fota_boot_target(&rig->session.record.boot)] = rig->release; }
	fota_session_installed(&rig->session, result);
}

void rig_restart(struct rig *rig)
{
	rig_require(rig, rig->is_restart_asked);
	rig_boot(rig);
	rig_require(rig, !rig->choice.is_none);
	rig_finish(rig);
}
