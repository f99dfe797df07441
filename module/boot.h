/* SPDX-License-Identifier: Apache-2.0 */
/* A start of the module: which slot runs, and which version is in it.
 *
 * The virtual module boots by itself, as a boot loader that reads the journal: fota_boot_run
 * chooses, looks at the image, and counts the start of a version on trial. On a real
 * system somebody else has chosen, and `which` says what runs.
 *
 * The file `boot` in the state directory shows what runs and what the next start runs. It
 * is for people and tests; nothing reads it back. */
#ifndef MODULE_BOOT_H
#define MODULE_BOOT_H

#include "fota/boot.h"
#include "log.h"

struct boot_cfg {
	const struct fota_flash *journal;
	const struct fota_flash *slots[FOTA_SLOT_COUNT];
	const struct fota_crypto *crypto;
	struct fota_room work; /* as fota_boot_cfg; used inside boot_start only */
	enum fota_err (*wait)(void *ctx);
	void *wait_ctx;
	const char *dir;                /* of the file `boot`; NULL: there is none */
	struct fota_bytes version;      /* that runs, where the slot's image does not say it */
	const struct fota_bootenv *env; /* a boot loader of the system's own; NULL: we are it */
	/* With `env`; as that of fota_boot_cfg, with an error in the log if it is not known. */
	int (*which)(void *ctx, const struct fota_boot *boot);
	void *which_ctx;
	const struct log *log;
};

struct boot {
	/* to read */
	unsigned slot;            /* that runs */
	struct fota_boot now;     /* as of the start, or of the last order */
	struct fota_bootenv port; /* for the session: the boot loader, and the file */
	bool is_stranger;         /* a slot runs that should not: restart the system */
	/* private */
	struct boot_cfg cfg;
	struct fota_text version;
};

/* Keeps what *cfg names. */
void boot_init(struct boot *boot, const struct boot_cfg *cfg);

/* Starts, or starts again. Blocks while it reads the image. 0, or -1 after an error in the
 * log: nothing can run. */
int boot_start(struct boot *boot);

/* The version that runs; empty: not known. Valid until the next start. */
struct fota_bytes boot_version(const struct boot *boot);

/* 'a' or 'b'. */
char boot_slot_letter(unsigned slot);

#endif
