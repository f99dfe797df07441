/* SPDX-License-Identifier: Apache-2.0 */
/* The module starts: which slot runs, then a session over it. */
#include "module_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "posix_clock.h"

#define WORK_BYTES (128u * 1024 + FOTA_JOURNAL_ROOM_BYTES)
/* An image is hashed in two blocks by turns: with small ones most of the time is waiting. */
#define START_BYTES (1024u * 1024 + FOTA_JOURNAL_ROOM_BYTES)
#define LOAD_MS     2000
#define DISK_MS     10000  /* for one operation, as that of a session by default */
#define DISK_MIN_MS 3000   /* nobody is served yet: patience costs less than at work */
#define RESTART_MS  300000 /* a system that was asked to restart has gone down by then */

static enum fota_err wait_for_disk(void *ctx)
{
	struct module *module = ctx;
	uint32_t limit_ms = module->options->limits.storage_ms ? module->options->limits.storage_ms : DISK_MS;
	enum fota_err result;

	if (limit_ms < DISK_MIN_MS) { limit_ms = DISK_MIN_MS; }
	if (posix_store_wait(module->store, (int)limit_ms, &result)) { return result; }
	module->is_disk_hung = true;
	return FOTA_ERR_TIMEOUT;
}

/* Behind the ports that fail on demand: a boot loader has its own driver, and what is
 * to fail is the session. */
static struct boot_cfg make_cfg(struct module *module)
{
	struct boot_cfg cfg = {
		.journal = &module->journal_file,
		.slots = { &module->slot_files[0], &module->slot_files[1] },
		.crypto = &module->crypto_port,
		.wait = wait_for_disk,
		.wait_ctx = module,
		.dir = module->options->state_dir,
		.version = fota_bytes_of(module->options->identity[FOTA_IDENTITY_VERSION]),
		.log = &module->log,
	};

	if (module->system.is_real) {
		cfg.env = module->system.env;
		cfg.which = system_which;
		cfg.which_ctx = &module->system;
	}
	if (module->rehearsal) {
		struct rehearsal_ports ports = rehearsal_get_ports(module->rehearsal);

		cfg.journal = ports.boot_journal;
		cfg.slots[0] = ports.boot_slots[0];
		cfg.slots[1] = ports.boot_slots[1];
		cfg.wait = NULL;
		cfg.dir = NULL;
	}
	return cfg;
}

/* A disk that hangs may fill the room still: it is given back when that has answered. */
static int start_with_room(struct module *module)
{
	uint8_t *room = malloc(START_BYTES);
	int status;

	if (!room) { return -1; }
	module->boot.cfg.work = (struct fota_room) { room, START_BYTES };
	status = boot_start(&module->boot);
	module->boot.cfg.work = (struct fota_room) { NULL, 0 };
	if (module->is_disk_hung) {
		module->hung_room = room;
	} else {
		free(room);
	}
	return status;
}

/* Hosts are answered all the same, by what ran before. */
static void go_on_without_disk(struct module *module)
{
	module->is_disk_hung = true;
	log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART,
		 "the disk below %s does not answer: sessions end with 305; when it does, the module starts again",
		 module->options->state_dir);
}

static int start(struct module *module)
{
	const struct boot before = module->boot;
	int status;

	if (module->rehearsal) { rehearsal_begin_start(module->rehearsal, module->boot.slot); }
	status = start_with_room(module);
	if (module->rehearsal) { rehearsal_end_start(module->rehearsal, &module->boot.now); }
	if (module->is_disk_hung) {
		/* at the start of the program nothing ran before: the image of the factory is assumed */
		if (boot_version(&before).len) { module->boot = before; }
		go_on_without_disk(module);
		status = 0;
	}
	module->session_cfg.running_slot = module->boot.slot;
	if (!status && module->boot.is_stranger) { module_restart(module); }
	return status ? 1 : 0;
}

int module_init_session(struct module *module)
{
	enum fota_err err = module->is_disk_hung ? fota_session_init_hung(&module->session, &module->session_cfg)
						 : fota_session_init(&module->session, &module->session_cfg);

	return err ? 1 : 0;
}

int module_open_boot(struct module *module)
{
	struct boot_cfg cfg;

	module->work = malloc(WORK_BYTES);
	if (!module->work) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART, "cannot allocate memory: %s", strerror(errno));
		return 1;
	}
	module->session_cfg.work = (struct fota_room) { module->work, WORK_BYTES };
	module->session_cfg.bootenv = &module->boot.port;
	if (module->system.installer) {
		module->session_cfg.installer = module->system.installer;
		module->session_cfg.slots[1] = NULL;
	}
	cfg = make_cfg(module);
	boot_init(&module->boot, &cfg);
	return start(module);
}

/* What was left out at the start is made good. Until then no session begins: what runs was assumed, and is not
 * what the journal is to be judged by. */
static void end_hanging(struct module *module)
{
	log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART, "the disk below %s answers again",
		 module->options->state_dir);
	module->is_disk_hung = false;
	free(module->hung_room);
	module->hung_room = NULL;
	if (!module->is_restarting) {
		module->is_restart_ours = true;
		module_restart(module);
	}
	fota_session_abort(&module->session);
}

void module_take_storage(struct module *module)
{
	enum fota_err result;

	if (!module->store) { return; }
	while (posix_store_poll(module->store, &result)) {
		if (module->is_disk_hung) { end_hanging(module); }
		fota_session_storage(&module->session, result);
	}
}

void module_wait_for_journal(struct module *module)
{
	struct pollfd fd = { .fd = module->store ? posix_store_fd(module->store) : -1, .events = POLLIN };
	uint64_t end_ms = posix_clock_now_ms() + LOAD_MS;

	while (!fota_session_is_quiet(&module->session) && posix_clock_now_ms() < end_ms) {
		(void)poll(&fd, 1, 100);
		module_take_storage(module);
	}
}

/* ---- starting again ---- */

/* The work is done by module_take_restart: the command wants its OK first. */
void module_restart(void *ctx)
{
	struct module *module = ctx;

	log_line(&module->log, LOG_LEVEL_INFO, MODULE_PART, "restarting");
	module->is_restarting = true;
	module->boot_ms = posix_clock_now_ms() + MODULE_BOOT_MS;
}

/* All anew from the journal, as after a start of the program; without it while storage hangs. */
static void boot_again(struct module *module)
{
	bool is_started = true;

	module->is_restarting = module->is_restart_asked = module->is_restart_failed = module->is_restart_ours = false;
	if (fota_session_is_storing(&module->session)) {
		go_on_without_disk(module);
	} else {
		is_started = start(module) == 0;
	}
	if (!is_started || module_init_session(module)) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART, "the module does not start again");
		module_go_down(module);
		module->down_ms = 0;
		return;
	}
	module_wait_for_journal(module);
	for (unsigned i = 0; i < module->line_count; i++) {
		mux_end(&module->lines[i].mux);
		at_reset(&module->lines[i].at);
	}
	at_network_boot(&module->network);
	log_line(&module->log, LOG_LEVEL_INFO, MODULE_PART, "ready");
}

static void ask_restart(struct module *module)
{
	module->is_restart_asked = true;
	module->boot_ms = posix_clock_now_ms() + RESTART_MS;
	installer_ask(&module->system.runner, INSTALLER_RESTART);
}

void module_system_ended(void *ctx, enum installer_action action, bool is_good)
{
	struct module *module = ctx;

	if (action == INSTALLER_INSTALL) {
		fota_session_installed(&module->session, is_good ? FOTA_ERR_OK : FOTA_ERR_IO);
	} else if (!is_good) {
		module->is_restart_failed = true;
	}
}

void module_take_restart(struct module *module)
{
	bool is_systems = module->system.is_real && !module->is_restart_ours;

	if (!module->is_restarting || module->is_going_down) { return; }
	fota_session_abort(&module->session);
	if (!fota_session_is_quiet(&module->session)) { return; } /* it is with an operation beyond its limit */
	if (posix_clock_now_ms() < module->boot_ms && !module->is_restart_failed) { return; }
	if (is_systems && !module->is_restart_asked) {
		ask_restart(module);
		return;
	}
	if (is_systems) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART,
			 "the system did not restart: going on as after a start");
	}
	boot_again(module);
}
