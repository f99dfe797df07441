/* SPDX-License-Identifier: Apache-2.0 */
/* Tells U-Boot which slot to run, in its environment (libubootenv, redundant copies as the
 * configuration says). packaging/uboot/boot.cmd is the other side.
 *
 *   fota_slot          a or b: the confirmed image
 *   fota_try           a or b while an image is on trial; else it is not there
 *   upgrade_available  1 while an image is on trial, else 0: U-Boot counts starts only then
 *   bootcount          0 when a trial begins; U-Boot counts up
 *   bootlimit          how many starts a trial has
 *   fota_running       what runs, if the kernel's command line has no fota.slot=a or b
 *
 * What is already so is not written again. */
#ifndef UBOOT_ENV_H
#define UBOOT_ENV_H

#include "fota/boot.h"

struct uboot_env {
	struct fota_bootenv port;
	/* private */
	const char *config;
	const char *cmdline;
};

/* Keeps the paths: of fw_env.config, and of the kernel's command line (NULL: /proc/cmdline). OK, or
 * IO if the environment cannot be read. */
FOTA_MUST_CHECK enum fota_err uboot_env_init(struct uboot_env *env, const char *config, const char *cmdline);

/* The slot that runs; -1: nobody says so. */
int uboot_env_running(const struct uboot_env *env);

/* What the environment orders for the next start. OK, IO, or NONE if it says nothing. */
FOTA_MUST_CHECK enum fota_err uboot_env_next(const struct uboot_env *env, unsigned *slot);

#endif
