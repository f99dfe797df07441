/* SPDX-License-Identifier: Apache-2.0 */
/* An installer of the system's own: a program that is called with an action.
 *
 *   COMMAND install PATH   the verified package is at PATH and on standard input
 *   COMMAND confirm        the version that runs is kept
 *   COMMAND rollback       the version before it is to run again
 *   COMMAND restart        the system is to restart now
 *
 * Exit status 0 is success. confirm and rollback are called again at every start, as long as
 * the last installation ended so. docs/atfotad.8, INSTALLER, is the contract.
 *
 * Actions run one after the other, and the module's loop goes on meanwhile. */
#ifndef MODULE_INSTALLER_H
#define MODULE_INSTALLER_H

#include "child.h"
#include "fota/boot.h"

enum installer_action { INSTALLER_INSTALL, INSTALLER_CONFIRM, INSTALLER_ROLLBACK, INSTALLER_RESTART, INSTALLER_COUNT };

struct installer_cfg {
	const char *command; /* path of a program */
	const char *dir;     /* the package is the file slot-a in it */
	struct fota_bytes running_version;
	uint32_t limit_ms; /* for `install`; the other actions have a minute */
	const struct log *log;
	/* `install` or `restart` has ended. */
	void (*ended)(void *ctx, enum installer_action action, bool is_good);
	void *ctx;
};

struct installer {
	struct fota_installer port;   /* for the session */
	struct fota_bootenv boot_env; /* for the start */
	/* private */
	struct installer_cfg cfg;
	char command[4096], package[4096];
	struct child child;
	enum installer_action action; /* that runs */
	bool is_wanted[INSTALLER_COUNT];
	bool is_cancelled;
	struct fota_image image;  /* to install */
	struct fota_text version; /* to confirm, or to give up */
};

/* 0, or -1 after an error in the log: no such program. */
int installer_open(struct installer *installer, const struct installer_cfg *cfg);
/* Ends what runs. */
void installer_close(struct installer *installer);

/* Runs the action when those before it have ended. */
void installer_ask(struct installer *installer, enum installer_action action);
bool installer_is_busy(const struct installer *installer);

/* The slot that runs, judged by the version that runs. For boot_cfg.which. */
int installer_which(const struct fota_boot *boot, struct fota_bytes version);

unsigned installer_get_polls(const struct installer *installer, struct pollfd *fds);
uint32_t installer_next_ms(const struct installer *installer, uint64_t now_ms);
void installer_perform(struct installer *installer, uint64_t now_ms);

#endif
