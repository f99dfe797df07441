/* SPDX-License-Identifier: Apache-2.0 */
/* The file `boot` is replaced as a whole: new file, sync, rename, sync of the directory. */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fota/record.h"

#define PART       "boot"
#define TEXT_BYTES 1024
#define PATH_BYTES 4096

char boot_slot_letter(unsigned slot)
{
	return slot ? 'b' : 'a';
}

/* ---- the file ---- */

static const char *state_name(unsigned state)
{
	static const char *const names[] = {
		[FOTA_BOOT_IDLE] = "idle",
		[FOTA_BOOT_INSTALLING] = "installing",
		[FOTA_BOOT_ARMED] = "armed",
		[FOTA_BOOT_TRIAL] = "trial",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* What the next start runs. */
static unsigned next_slot(const struct fota_boot *now)
{
	bool is_trial = now->state == FOTA_BOOT_ARMED || (now->state == FOTA_BOOT_TRIAL && now->tries_left);

	return is_trial ? fota_boot_target(now) : now->active;
}

/* A version is any text: what would break a line is shown as '?'. */
static void add_version(FILE *f, const char *name, struct fota_bytes version)
{
	(void)fprintf(f, "%s = ", name);
	for (size_t i = 0; i < version.len; i++) {
		(void)fputc(version.ptr[i] < ' ' || version.ptr[i] == 0x7f ? '?' : version.ptr[i], f);
	}
	(void)fputc('\n', f);
}

static struct fota_bytes version_of(const struct boot *boot, unsigned slot)
{
	struct fota_bytes version = fota_text_get(&boot->now.images[slot].version);

	return version.len || slot != boot->slot ? version : boot_version(boot);
}

static void write_text(const struct boot *boot, FILE *f)
{
	unsigned next = next_slot(&boot->now);

	(void)fprintf(f, "slot = %c\n", boot_slot_letter(boot->slot));
	add_version(f, "version", boot_version(boot));
	(void)fprintf(f, "state = %s\ntries = %u\nnext = %c\n", state_name(boot->now.state), boot->now.tries_left,
		      boot_slot_letter(next));
	add_version(f, "next-version", version_of(boot, next));
}

static bool write_file(const struct boot *boot, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool is_good;

	if (!f) {
		if (fd >= 0) { close(fd); }
		return false;
	}
	write_text(boot, f);
	is_good = fflush(f) == 0 && fsync(fd) == 0;
	return fclose(f) == 0 && is_good;
}

static bool sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0) { close(fd); }
	return is_synced;
}

static bool replace_file(const struct boot *boot)
{
	const char *dir = boot->cfg.dir;
	char path[PATH_BYTES], beside[PATH_BYTES];

	if (!dir) { return true; }
	(void)snprintf(path, sizeof(path), "%s/boot", dir);
	(void)snprintf(beside, sizeof(beside), "%s/boot.new", dir);
	if (write_file(boot, beside) && rename(beside, path) == 0 && sync_dir(dir)) { return true; }
	log_line(boot->cfg.log, LOG_LEVEL_ERROR, PART, "cannot write %s: %s", path, strerror(errno));
	return false;
}

/* ---- the port ---- */

/* The boot loader counts; that the file is not there harms nobody. */
static enum fota_err set(void *ctx, const struct fota_boot *now)
{
	struct boot *boot = ctx;
	const struct fota_bootenv *env = boot->cfg.env;

	if (boot->now.state == FOTA_BOOT_TRIAL && now->active != boot->now.active) {
		log_line(boot->cfg.log, LOG_LEVEL_INFO, PART, "slot %c is kept", boot_slot_letter(now->active));
	}
	boot->now = *now;
	(void)replace_file(boot);
	if (!env || env->set(env->ctx, now) == FOTA_ERR_OK) { return FOTA_ERR_OK; }
	log_line(boot->cfg.log, LOG_LEVEL_ERROR, PART,
		 "the boot loader could not be told: its environment cannot be written");
	return FOTA_ERR_IO;
}

/* ---- a start ---- */

/* Of a slot whose image the journal knows; else what the options say. Where another boot
 * loader chooses, they come from what runs. */
static void take_version(struct boot *boot)
{
	const struct fota_text *known = &boot->now.images[boot->slot].version;

	boot->version.len = 0;
	if (known->len && !boot->cfg.env) {
		boot->version = *known;
	} else if (fota_text_set(&boot->version, boot->cfg.version)) {
		log_line(boot->cfg.log, LOG_LEVEL_WARN, PART, "--firmware-version has more than %u bytes: not used",
			 (unsigned)FOTA_VERSION_MAX_BYTES);
	}
}

static void log_start(const struct boot *boot, const struct fota_boot_choice *choice)
{
	struct fota_bytes version = boot_version(boot);

	log_line(boot->cfg.log, LOG_LEVEL_INFO, PART, "slot %c%s%.*s, %s", boot_slot_letter(boot->slot),
		 version.len ? ", version " : "", (int)version.len, (const char *)version.ptr,
		 state_name(boot->now.state));
	if (boot->now.state == FOTA_BOOT_TRIAL) {
		log_line(boot->cfg.log, LOG_LEVEL_INFO, PART, "on trial, %u more starts", boot->now.tries_left);
	}
	if (choice->is_stranger) {
		log_line(boot->cfg.log, LOG_LEVEL_WARN, PART, "slot %c runs, but slot %c should",
			 boot_slot_letter(boot->slot), boot_slot_letter(boot->now.active));
	}
}

static int log_failure(const struct boot *boot, const struct fota_boot_choice *choice, enum fota_err err)
{
	if (err == FOTA_ERR_NONE && boot->cfg.which) { return -1; } /* which has said why */
	if (err == FOTA_ERR_NONE) {
		log_line(
			boot->cfg.log, LOG_LEVEL_ERROR, PART,
			"slot %c does not hold the image that was installed there, and there is no other one: put the "
			"slot's file back (--slot-size is at least its size), or begin anew with an empty state directory",
			boot_slot_letter(boot->now.active));
		return -1;
	}
	if (err == FOTA_ERR_TIMEOUT) { return -1; } /* whoever gave up waiting says it */
	if (choice->is_none || err == FOTA_ERR_CONTRACT) {
		log_line(boot->cfg.log, LOG_LEVEL_ERROR, PART,
			 "the journal cannot be read (%s), so it is not known which slot holds a whole image: look at "
			 "the disk, then start again",
			 fota_err_text(err));
		return -1;
	}
	log_line(boot->cfg.log, LOG_LEVEL_ERROR, PART, "the journal cannot be read or written (%s): slot %c runs",
		 fota_err_text(err), boot_slot_letter(boot->slot));
	return 0;
}

void boot_init(struct boot *boot, const struct boot_cfg *cfg)
{
	*boot = (struct boot) { .cfg = *cfg, .port = { boot, set, .is_told_only = !cfg->env } };
}

/* The session tells the boot loader at each start. Here it is told only if it has to choose another slot, at
 * a restart that follows at once. */
int boot_start(struct boot *boot)
{
	const struct boot_cfg *cfg = &boot->cfg;
	struct fota_boot_cfg start = {
		.journal = cfg->journal,
		.slots = { cfg->slots[0], cfg->slots[1] },
		.crypto = cfg->crypto,
		.work = cfg->work,
		.wait = cfg->wait,
		.wait_ctx = cfg->wait_ctx,
		.which = cfg->which,
		.which_ctx = cfg->which_ctx,
	};
	struct fota_boot_choice choice;
	struct fota_record record;
	enum fota_err err;

	err = fota_boot_run(&start, &record, &choice);
	boot->now = record.boot;
	explicit_bzero(&record, sizeof(record)); /* it may hold a secret */
	boot->slot = choice.slot;
	boot->is_stranger = choice.is_stranger;
	take_version(boot);
	if (!choice.is_none) { log_start(boot, &choice); }
	if (err) { return log_failure(boot, &choice, err); }
	if (!choice.is_stranger) { return 0; }
	return set(boot, &boot->now) ? -1 : 0; /* each restart would come back to the wrong slot */
}

struct fota_bytes boot_version(const struct boot *boot)
{
	return fota_text_get(&boot->version);
}
