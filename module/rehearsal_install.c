/* SPDX-License-Identifier: Apache-2.0 */
/* How an installation goes, after the key `install` of the package's session: it is handed to an
 * installer that takes it or fails; the slot is damaged before the start; the version on trial
 * restarts without end, or its time jumps. */
#include "rehearsal_priv.h"

#define TRIAL_MS 600000u /* the usual limit */
#define RUN_MS   300u    /* that a version on trial runs before something happens */

/* The slot is the last one: it takes what it gets, or fails. */
static enum fota_err start_install(void *ctx, const struct fota_flash *area, const struct fota_image *image)
{
	struct rehearsal *rehearsal = ctx;

	(void)area;
	(void)image;
	if (rehearsal->install_code == FOTA_CODE_UNKNOWN) { return FOTA_ERR_IO; }
	rehearsal->is_install_due = true;
	return FOTA_ERR_OK;
}

static void cancel_install(void *ctx)
{
	struct rehearsal *rehearsal = ctx;

	rehearsal->is_install_due = false;
}

void rehearsal_begin_start(struct rehearsal *rehearsal, unsigned slot)
{
	if (rehearsal->install_code != FOTA_CODE_VERIFY) { return; }
	rehearsal->memory[(size_t)2 * SLOT_BYTES * !slot] ^= 1;
	rehearsal->install_code = 0;
}

void rehearsal_end_start(struct rehearsal *rehearsal, const struct fota_boot *boot)
{
	rehearsal->trial_end_ms = 0;
	if (boot->state != FOTA_BOOT_TRIAL) { return; }
	if (rehearsal->install_code == FOTA_CODE_INCOMPLETE) {
		rehearsal->trial_end_ms = rehearsal_now(rehearsal) + RUN_MS;
	}
	if (rehearsal->install_code != FOTA_CODE_ABORTED) { return; }
	rehearsal->is_restart_due = true;
	rehearsal->restart_ms = rehearsal_now(rehearsal) + RUN_MS;
}

void rehearsal_go_on_with_install(struct rehearsal *rehearsal)
{
	if (rehearsal->is_install_due) {
		rehearsal->is_install_due = false;
		fota_session_installed(rehearsal->cfg.session, FOTA_ERR_OK);
	}
	if (rehearsal->trial_end_ms && rehearsal_now(rehearsal) >= rehearsal->trial_end_ms) {
		rehearsal->trial_end_ms = 0;
		rehearsal->clock_ahead_ms += TRIAL_MS;
	}
}

void rehearsal_init_install(struct rehearsal *rehearsal)
{
	rehearsal->installer = (struct fota_installer) { rehearsal, start_install, cancel_install };
}
