/* SPDX-License-Identifier: Apache-2.0 */
/* What is wanted is a flag for each action: a second wish for the same action changes
 * nothing, and they run in the order of the enum: a boot loader that was told comes before the
 * restart. */
#include "installer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "posix_clock.h"

#define PART             "installer"
#define SHORT_MS         60000u /* all actions but install */
#define DIGEST_LEN       32
#define DIGEST_ROW       "FOTA_DIGEST=sha256:"
#define DIGEST_ROW_BYTES (sizeof(DIGEST_ROW) + 2 * (size_t)DIGEST_LEN)

static const char *const names[INSTALLER_COUNT] = { "install", "confirm", "rollback", "restart" };

/* ---- what the program gets ---- */

struct environment {
	char action[32], size[48], digest[DIGEST_ROW_BYTES], version[FOTA_VERSION_MAX_BYTES + 32],
		package[PATH_MAX + 32];
	char running[FOTA_VERSION_MAX_BYTES + 32];
	char *rows[9];
};

static void put_version(char *text, size_t cap, const struct fota_text *version)
{
	(void)snprintf(text, cap, "FOTA_VERSION=%.*s", (int)version->len, (const char *)version->bytes);
}

static void put_digest(char *text, const uint8_t digest[DIGEST_LEN])
{
	size_t len = (size_t)snprintf(text, DIGEST_ROW_BYTES, DIGEST_ROW);

	for (unsigned i = 0; i < DIGEST_LEN; i++) {
		len += (size_t)snprintf(text + len, DIGEST_ROW_BYTES - len, "%02x", digest[i]);
	}
}

static void make_environment(const struct installer *installer, struct environment *env)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	bool is_install = installer->action == INSTALLER_INSTALL;
	unsigned count = 0;

	(void)snprintf(env->action, sizeof(env->action), "FOTA_ACTION=%s", names[installer->action]);
	put_version(env->version, sizeof(env->version), is_install ? &installer->image.version : &installer->version);
	env->rows[count++] = path;
	env->rows[count++] = env->action;
	env->rows[count++] = env->version;
	(void)snprintf(env->running, sizeof(env->running), "FOTA_RUNNING_VERSION=%.*s",
		       (int)installer->cfg.running_version.len, (const char *)installer->cfg.running_version.ptr);
	env->rows[count++] = env->running;
	if (is_install) {
		(void)snprintf(env->size, sizeof(env->size), "FOTA_SIZE=%llu",
			       (unsigned long long)installer->image.size_bytes);
		(void)snprintf(env->package, sizeof(env->package), "FOTA_PACKAGE=%s", installer->package);
		put_digest(env->digest, installer->image.digest);
		env->rows[count++] = env->size;
		env->rows[count++] = env->digest;
		env->rows[count++] = env->package;
	}
	env->rows[count] = NULL;
}

/* The file ends where the package ends: formats such as RAUC's are read from their end. */
static int open_package(const struct installer *installer)
{
	int fd;

	if (truncate(installer->package, (off_t)installer->image.size_bytes)) { return -1; }
	fd = open(installer->package, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd;
}

static int run(struct installer *installer, enum installer_action action)
{
	bool is_install = action == INSTALLER_INSTALL;
	char *argv[] = { installer->command, (char[]) { "rollback" }, is_install ? installer->package : NULL, NULL };
	struct environment env;
	struct child_cfg cfg = {
		.argv = argv,
		.envp = env.rows,
		.stdin_fd = -1,
		.limit_ms = is_install ? installer->cfg.limit_ms : SHORT_MS,
		.name = names[action],
		.log = installer->cfg.log,
	};
	int status;

	installer->action = action;
	(void)snprintf(argv[1], sizeof("rollback"), "%s", names[action]);
	make_environment(installer, &env);
	if (is_install) { cfg.stdin_fd = open_package(installer); }
	if (is_install && cfg.stdin_fd < 0) {
		log_line(cfg.log, LOG_LEVEL_ERROR, PART, "%s: %s", installer->package, strerror(errno));
		return -1;
	}
	log_line(cfg.log, LOG_LEVEL_INFO, PART, "%s", names[action]);
	status = child_start(&installer->child, &cfg);
	if (is_install) { close(cfg.stdin_fd); }
	return status;
}

/* ---- one after the other ---- */

static void tell_end(struct installer *installer, enum installer_action action, bool is_good)
{
	bool is_told = action == INSTALLER_INSTALL || action == INSTALLER_RESTART;

	if (is_told && !installer->is_cancelled) { installer->cfg.ended(installer->cfg.ctx, action, is_good); }
	installer->is_cancelled = false;
}

static void run_next(struct installer *installer)
{
	for (unsigned i = 0; i < INSTALLER_COUNT && !child_is_running(&installer->child); i++) {
		if (!installer->is_wanted[i]) { continue; }
		installer->is_wanted[i] = false;
		if (run(installer, (enum installer_action)i)) { tell_end(installer, (enum installer_action)i, false); }
	}
}

void installer_perform(struct installer *installer, uint64_t now_ms)
{
	bool is_good;

	if (child_perform(&installer->child, now_ms, &is_good)) { tell_end(installer, installer->action, is_good); }
	run_next(installer);
}

void installer_ask(struct installer *installer, enum installer_action action)
{
	installer->is_wanted[action] = true;
}

bool installer_is_busy(const struct installer *installer)
{
	for (unsigned i = 0; i < INSTALLER_COUNT; i++) {
		if (installer->is_wanted[i]) { return true; }
	}
	return child_is_running(&installer->child);
}

unsigned installer_get_polls(const struct installer *installer, struct pollfd *fds)
{
	return child_get_polls(&installer->child, fds);
}

uint32_t installer_next_ms(const struct installer *installer, uint64_t now_ms)
{
	if (child_is_running(&installer->child)) { return child_next_ms(&installer->child, now_ms); }
	return installer_is_busy(installer) ? 0 : UINT32_MAX;
}

/* ---- ports ---- */

static enum fota_err start(void *ctx, const struct fota_flash *area, const struct fota_image *image)
{
	struct installer *installer = ctx;

	(void)area; /* the file below it */
	installer->image = *image;
	installer_ask(installer, INSTALLER_INSTALL);
	return FOTA_ERR_OK;
}

static void cancel(void *ctx)
{
	struct installer *installer = ctx;
	bool is_running = child_is_running(&installer->child) && installer->action == INSTALLER_INSTALL;

	installer->is_wanted[INSTALLER_INSTALL] = false;
	if (!is_running) { return; }
	installer->is_cancelled = true;
	child_end(&installer->child, posix_clock_now_ms());
}

/* `install` has armed the system itself, and on trial there is nothing to tell. */
static enum fota_err set(void *ctx, const struct fota_boot *boot)
{
	struct installer *installer = ctx;

	if (boot->state != FOTA_BOOT_IDLE || !boot->result.is_there) { return FOTA_ERR_OK; }
	installer->version = boot->result.new_version;
	installer_ask(installer, boot->result.code ? INSTALLER_ROLLBACK : INSTALLER_CONFIRM);
	return FOTA_ERR_OK;
}

int installer_which(const struct fota_boot *boot, struct fota_bytes version)
{
	unsigned target = boot ? fota_boot_target(boot) : 0;
	bool is_tried;

	if (!boot) { return 0; } /* the package's slot; none of them is ever booted from */
	is_tried = boot->state == FOTA_BOOT_ARMED || boot->state == FOTA_BOOT_TRIAL;

	if (is_tried && fota_bytes_is_equal(version, fota_text_get(&boot->images[target].version))) {
		return (int)target;
	}
	return boot->active;
}

/* ---- life ---- */

int installer_open(struct installer *installer, const struct installer_cfg *cfg)
{
	char dir[PATH_MAX];

	*installer = (struct installer) {
		.port = { installer, start, cancel },
		.boot_env = { installer, set },
		.cfg = *cfg,
	};
	child_init(&installer->child);
	if (!realpath(cfg->command, installer->command) || access(installer->command, X_OK)) {
		log_line(cfg->log, LOG_LEVEL_ERROR, PART, "--installer %s: %s; give the path of a program",
			 cfg->command, strerror(errno));
		return -1;
	}
	if (!realpath(cfg->dir, dir) || snprintf(installer->package, sizeof(installer->package), "%s/slot-a", dir) >=
						(int)sizeof(installer->package)) {
		log_line(cfg->log, LOG_LEVEL_ERROR, PART, "%s: %s", cfg->dir, strerror(errno));
		return -1;
	}
	return 0;
}

void installer_close(struct installer *installer)
{
	child_kill(&installer->child);
}
