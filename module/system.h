/* SPDX-License-Identifier: Apache-2.0 */
/* Who boots the real system that the module is part of: an installer of its own, or U-Boot
 * by its environment. Without both the module is virtual and boots itself. */
#ifndef MODULE_SYSTEM_H
#define MODULE_SYSTEM_H

#include "installer.h"
#include "options.h"
#include "uboot_env.h"

struct system {
	/* to read */
	bool is_real;
	const struct fota_bootenv *env;         /* NULL: virtual */
	const struct fota_installer *installer; /* NULL: slots are booted */
	/* private */
	struct installer runner; /* of U-Boot's systems: for the restart alone */
	struct uboot_env uboot;
	const char *version;
	const struct log *log;
};

struct system_cfg {
	const struct module_options *options;
	const struct log *log;
	void (*ended)(void *ctx, enum installer_action action, bool is_good);
	void *ctx;
};

/* Keeps what *cfg names. 0, or -1 after an error in the log. */
int system_open(struct system *system, const struct system_cfg *cfg);
void system_close(struct system *system);

/* For boot_cfg; ctx is the system. */
int system_which(void *ctx, const struct fota_boot *boot);

#endif
