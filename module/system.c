/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

#define PART "system"

/* ---- U-Boot ---- */

static bool is_fresh(const struct fota_boot *boot)
{
	return !boot->result.is_there && !boot->images[0].version.len && !boot->images[1].version.len;
}

/* A slot runs that should not, and no restart would help: going on would overwrite it. */
static bool is_hopeless(const struct system *system, const struct fota_boot *boot, unsigned running)
{
	unsigned next;

	if (boot->state != FOTA_BOOT_IDLE || running == boot->active) { return false; }
	if (is_fresh(boot)) {
		log_line(system->log, LOG_LEVEL_ERROR, PART,
			 "slot b runs, and the state directory is new: the image of the factory belongs into slot a");
		return true;
	}
	if (uboot_env_next(&system->uboot, &next) || next != boot->active) { return false; }
	log_line(system->log, LOG_LEVEL_ERROR, PART,
		 "U-Boot runs slot %c, though its environment orders slot %c: look whether that one is damaged, and at "
		 "the boot script",
		 running ? 'b' : 'a', boot->active ? 'b' : 'a');
	return true;
}

static int which_by_uboot(const struct system *system, const struct fota_boot *boot)
{
	int running = uboot_env_running(&system->uboot);

	if (running < 0) {
		log_line(
			system->log, LOG_LEVEL_ERROR, PART,
			"it is not known which slot runs: the boot script has to put fota.slot=a or fota.slot=b into the "
			"kernel's command line, or into the variable fota_running");
		return -1;
	}
	return boot && is_hopeless(system, boot, (unsigned)running) ? -1 : running;
}

static int open_uboot(struct system *system, const char *config)
{
	enum fota_err err = uboot_env_init(&system->uboot, config, NULL);

	if (err == FOTA_ERR_OK) { return 0; }
	log_line(system->log, LOG_LEVEL_ERROR, PART, "--boot-env %s: %s", config,
		 err == FOTA_ERR_UNSUPPORTED ? "this program was built without libubootenv"
					     : "the environment cannot be read; try fw_printenv -c with this file");
	return -1;
}

/* ---- both ---- */

int system_which(void *ctx, const struct fota_boot *boot)
{
	const struct system *system = ctx;

	return system->installer ? installer_which(boot, fota_bytes_of(system->version)) : which_by_uboot(system, boot);
}

int system_open(struct system *system, const struct system_cfg *cfg)
{
	const struct module_options *options = cfg->options;
	const struct installer_cfg runner = {
		.command = options->installer ? options->installer : options->restarter,
		.dir = options->state_dir,
		.running_version = fota_bytes_of(options->identity[FOTA_IDENTITY_VERSION]),
		.limit_ms = options->installer_ms,
		.log = cfg->log,
		.ended = cfg->ended,
		.ctx = cfg->ctx,
	};

	*system = (struct system) { .log = cfg->log, .version = options->identity[FOTA_IDENTITY_VERSION] };
	if (!runner.command) { return 0; }
	if (installer_open(&system->runner, &runner)) { return -1; }
	if (options->boot_env && open_uboot(system, options->boot_env)) { return -1; }
	system->is_real = true;
	system->env = options->boot_env ? &system->uboot.port : &system->runner.boot_env;
	system->installer = options->installer ? &system->runner.port : NULL;
	return 0;
}

void system_close(struct system *system)
{
	if (system->is_real) { installer_close(&system->runner); }
}
