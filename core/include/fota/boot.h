/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two slots runs. The functions above the line are pure: they read and change
 * a struct and nothing else, so a boot loader, the session and a test use the same ones. docs/SPEC.md,
 * "What boots", has their truth tables.
 *
 * An installation goes IDLE, ARMED (the next start tries the other slot), TRIAL (it runs and is not
 * confirmed), and back to IDLE: with the other slot active if it was confirmed, with the
 * old one if not. Every start of an image on trial is counted before it runs, so a
 * version that never comes up ends by itself. */
#ifndef FOTA_BOOT_H
#define FOTA_BOOT_H

#include "fota/code.h"
#include "fota/err.h"
#include "fota/port.h"
#include "fota/text.h"

#define FOTA_SLOT_COUNT 2u

/* Stored as numbers: append only. */
enum fota_boot_state {
	FOTA_BOOT_IDLE = 0,
	FOTA_BOOT_INSTALLING = 1, /* an installer of the system's own was begun */
	FOTA_BOOT_ARMED = 2,
	FOTA_BOOT_TRIAL = 3,
};

/* The image of a slot. */
struct fota_image {
	struct fota_text version; /* empty: there is none, or it is not known */
	uint8_t digest[32];
	uint64_t size_bytes; /* 0: not made by us; a factory image if it has a version or is active */
	uint64_t sequence;
};

/* How the last installation went, as +FOTARESULT tells. */
struct fota_boot_result {
	bool is_there;
	bool is_told;  /* to the hosts, since it changed */
	uint16_t code; /* enum fota_code; 0: the new version runs */
	struct fota_text old_version, new_version;
};

struct fota_boot {
	uint8_t state;
	uint8_t active;     /* the slot whose image is confirmed */
	uint8_t tries_left; /* starts that the image on trial still has */
	uint64_t floor;     /* lowest sequence number that may be installed */
	struct fota_image images[FOTA_SLOT_COUNT];
	struct fota_boot_result result;
};

/* The slot that does not hold the confirmed image: where a package goes, and what is tried. */
unsigned fota_boot_target(const struct fota_boot *boot);

/* The next start tries the target slot, at most `tries` times. `running_version` is kept as that of
 * the active image if none is known. */
void fota_boot_arm(struct fota_boot *boot, const struct fota_image *image, struct fota_bytes running_version,
		   unsigned tries);
/* The image on trial is the confirmed one from now on. */
void fota_boot_confirm(struct fota_boot *boot);
/* The next start runs the confirmed image again, because of `code`. */
void fota_boot_roll_back(struct fota_boot *boot, enum fota_code code);

struct fota_boot_choice {
	unsigned slot;    /* what runs */
	bool must_store;  /* *boot has changed: make it durable before the jump */
	bool is_stranger; /* adopt: another slot runs than should: correct the boot loader and restart */
	bool is_none;     /* no slot can be booted */
};

/* What a start does. Bit n of `usable`: slot n is not known to be damaged. Changes *boot: a trial begins, is counted,
 * or is over. */
struct fota_boot_choice fota_boot_select(struct fota_boot *boot, unsigned usable);

/* The same where a boot loader that knows nothing of the journal has chosen `running`. */
struct fota_boot_choice fota_boot_adopt(struct fota_boot *boot, unsigned running);

/* ---- a start, with everything that it needs ---- */

struct fota_record; /* fota/record.h */

struct fota_boot_cfg {
	const struct fota_flash *journal;
	const struct fota_flash *slots[FOTA_SLOT_COUNT];
	const struct fota_crypto *crypto;
	struct fota_room work; /* FOTA_JOURNAL_ROOM_BYTES and at least 512 bytes more; more is faster */
	/* Waits for the operation that was PENDING and gives its result; blocks. TIMEOUT if it gives up waiting: no
	 * port is called any more then, and the work room stays in use. NULL where ports never return PENDING. */
	enum fota_err (*wait)(void *ctx);
	void *wait_ctx;
	/* A boot loader of the system's own has chosen: gives the slot that runs; below 0: that is not known. `boot` is
	 * what the journal says, NULL if it cannot be read. Slots are not read then. NULL: this start chooses.
	 */
	int (*which)(void *ctx, const struct fota_boot *boot);
	void *which_ctx;
};

/* Reads the journal, looks whether the chosen slot holds the very bytes that were verified (the other one if not), and
 * stores what has changed before it returns: to be called once at each start, before the image runs. Blocks as long as
 * the ports do. OK; NONE if no slot can be booted, or `which` does not know; TIMEOUT from `wait`, as if the journal
 * could not be read. IO, FULL or CONTRACT from the ports: the journal could not be written, and *choice is what it
 * allows without a trial; or it could not be read, and choice->is_none, since a slot may hold half of a package (try
 * again; a slot that was chosen already stays the choice). *record is room of the caller's: filled with what the
 * journal says, secrets among it, its `boot` as the start leaves it.
 */
FOTA_MUST_CHECK enum fota_err fota_boot_run(const struct fota_boot_cfg *cfg, struct fota_record *record,
					    struct fota_boot_choice *choice);

/* ---- ports of the installation ---- */

/* Tells a boot loader that does not read the journal (U-Boot's environment, a file). */
struct fota_bootenv {
	void *ctx;
	/* What is to run is boot->active, or on trial fota_boot_target(boot) for at most tries_left starts. Durable
	 * when it returns; the old or the new order after a cut. Called again with the same order at each start. May
	 * block for a second. OK or IO. */
	enum fota_err (*set)(void *ctx, const struct fota_boot *boot);
	/* It does not choose by what it is told: the journal chooses (fota_boot_run), this only hears of it. */
	bool is_told_only;
};

/* An installer of the system's own (RAUC, SWUpdate, a script) takes the verified package. */
struct fota_installer {
	void *ctx;
	/* Begins. The package are the first `image->size_bytes` bytes of `area`; it stays as it is until the
	 * end, which the caller of the library tells with fota_session_installed. Does not block. OK, or IO if it
	 * cannot be begun. */
	enum fota_err (*start)(void *ctx, const struct fota_flash *area, const struct fota_image *image);
	/* Ends it as soon as may be; no end is told then. */
	void (*cancel)(void *ctx);
};

#endif
