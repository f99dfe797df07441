/* SPDX-License-Identifier: Apache-2.0 */
/* An order is one store of the whole environment, into the copy that is not in force: after a
 * cut U-Boot finds the old one or the new one. The library does not sync; that is done
 * here, for each device of the configuration. */
#include "uboot_env.h"

#include <fcntl.h>
#include <libuboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_BYTES 12

/* ---- the environment ---- */

static enum fota_err open_env(const struct uboot_env *env, struct uboot_ctx **ctx)
{
	if (libuboot_initialize(ctx, NULL)) { return FOTA_ERR_IO; }
	if (libuboot_read_config(*ctx, env->config) == 0 && libuboot_open(*ctx) == 0) { return FOTA_ERR_OK; }
	libuboot_exit(*ctx);
	return FOTA_ERR_IO;
}

static void close_env(struct uboot_ctx *ctx)
{
	libuboot_close(ctx);
	libuboot_exit(ctx);
}

/* -1: neither a nor b. */
static int slot_of(const char *text)
{
	if (!text || (text[0] != 'a' && text[0] != 'b') || text[1]) { return -1; }
	return text[0] == 'b';
}

static int slot_in(struct uboot_ctx *ctx, const char *name)
{
	char *value = libuboot_get_env(ctx, name);
	int slot = slot_of(value);

	free(value);
	return slot;
}

static bool has_value(struct uboot_ctx *ctx, const char *name, const char *value)
{
	char *now = libuboot_get_env(ctx, name);
	bool is_same = now && value ? strcmp(now, value) == 0 : !now == !value;

	free(now);
	return is_same;
}

static bool put(struct uboot_ctx *ctx, const char *name, const char *value, bool *is_changed)
{
	if (has_value(ctx, name, value)) { return true; }
	*is_changed = true;
	return libuboot_set_env(ctx, name, value) == 0;
}

/* ---- durable ---- */

static bool sync_device(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_synced;

	if (fd < 0) { return false; }
	is_synced = fsync(fd) == 0 || strncmp(path, "/dev/mtd", 8) == 0; /* raw flash has nothing to sync */
	close(fd);
	return is_synced;
}

static bool sync_devices(const char *config)
{
	char line[1024], path[512];
	FILE *f = fopen(config, "re");
	bool is_synced = f != NULL;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %511s", path) == 1 && path[0] == '/') { is_synced = sync_device(path) && is_synced; }
	}
	if (f) { (void)fclose(f); }
	return is_synced;
}

/* ---- the port ---- */

static const char *letter(unsigned slot)
{
	return slot ? "b" : "a";
}

/* A trial whose starts are used up is over for U-Boot, though it still runs. */
static bool is_tried_next(const struct fota_boot *boot)
{
	return boot->state == FOTA_BOOT_ARMED || (boot->state == FOTA_BOOT_TRIAL && boot->tries_left);
}

static bool put_trial(struct uboot_ctx *ctx, const struct fota_boot *boot, bool *is_changed)
{
	char limit[NUMBER_BYTES];

	(void)snprintf(limit, sizeof(limit), "%u", boot->tries_left);
	if (boot->state == FOTA_BOOT_ARMED &&
	    (!put(ctx, "bootcount", "0", is_changed) || !put(ctx, "bootlimit", limit, is_changed))) {
		return false;
	}
	return put(ctx, "fota_try", letter(fota_boot_target(boot)), is_changed) &&
	       put(ctx, "upgrade_available", "1", is_changed);
}

static bool put_confirmed(struct uboot_ctx *ctx, bool *is_changed)
{
	return put(ctx, "fota_try", NULL, is_changed) && put(ctx, "upgrade_available", "0", is_changed) &&
	       put(ctx, "bootcount", "0", is_changed);
}

static enum fota_err set(void *ctx, const struct fota_boot *boot)
{
	const struct uboot_env *env = ctx;
	struct uboot_ctx *uboot;
	bool is_changed = false, is_good;

	if (open_env(env, &uboot)) { return FOTA_ERR_IO; }
	is_good = put(uboot, "fota_slot", letter(boot->active), &is_changed) &&
		  (is_tried_next(boot) ? put_trial(uboot, boot, &is_changed) : put_confirmed(uboot, &is_changed));
	if (is_good && is_changed) { is_good = libuboot_env_store(uboot) == 0 && sync_devices(env->config); }
	close_env(uboot);
	return is_good ? FOTA_ERR_OK : FOTA_ERR_IO;
}

/* ---- what runs ---- */

static int slot_on_cmdline(const char *path)
{
	char line[4096] = "";
	FILE *f = fopen(path, "re");
	char *word, *rest = line;
	int slot = -1;

	if (!f) { return -1; }
	(void)!fgets(line, sizeof(line), f);
	(void)fclose(f);
	while ((word = strsep(&rest, " \n"))) {
		if (strncmp(word, "fota.slot=", 10) == 0) { slot = slot_of(word + 10); }
	}
	return slot;
}

int uboot_env_running(const struct uboot_env *env)
{
	int slot = slot_on_cmdline(env->cmdline);
	struct uboot_ctx *uboot;

	if (slot >= 0 || open_env(env, &uboot)) { return slot; }
	slot = slot_in(uboot, "fota_running");
	close_env(uboot);
	return slot;
}

enum fota_err uboot_env_next(const struct uboot_env *env, unsigned *slot)
{
	struct uboot_ctx *uboot;
	int confirmed, tried;

	if (open_env(env, &uboot)) { return FOTA_ERR_IO; }
	confirmed = slot_in(uboot, "fota_slot");
	tried = has_value(uboot, "upgrade_available", "1") ? slot_in(uboot, "fota_try") : -1;
	close_env(uboot);
	if (tried < 0 && confirmed < 0) { return FOTA_ERR_NONE; }
	*slot = (unsigned)(tried >= 0 ? tried : confirmed);
	return FOTA_ERR_OK;
}

enum fota_err uboot_env_init(struct uboot_env *env, const char *config, const char *cmdline)
{
	struct uboot_ctx *uboot;

	*env = (struct uboot_env) { .port = { env, set },
				    .config = config,
				    .cmdline = cmdline ? cmdline : "/proc/cmdline" };
	if (open_env(env, &uboot)) { return FOTA_ERR_IO; }
	close_env(uboot);
	return FOTA_ERR_OK;
}
