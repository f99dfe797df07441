/* SPDX-License-Identifier: Apache-2.0 */
/* The module's one struct, for the two files that open it and run it. */
#ifndef MODULE_PARTS_H
#define MODULE_PARTS_H

#include "boot.h"
#include "fota/at_fota.h"
#include "fota/at_network.h"
#include "line.h"
#include "module.h"
#include "mux.h"
#include "posix_crypto.h"
#include "posix_http.h"
#include "posix_store.h"
#include "rehearsal.h"
#include "settings.h"
#include "sim_flash.h"
#include "system.h"
#include "trust.h"

#define MODULE_PART     "module"             /* in the log */
#define MODULE_PAUSE_MS 30                   /* between OK and a code, for hosts that read an answer in one piece */
#define MODULE_BOOT_MS  (AT_TYPING_MS + 200) /* deaf: longer than a result may wait for a line being typed */

struct module_line {
	struct line line;
	struct at_server at;
	struct at_cfg at_cfg;
	struct mux mux;
};

struct module {
	const struct module_options *options;
	struct log log;
	struct posix_store *store;
	struct posix_http *http;
	struct posix_crypto crypto;
	struct fota_flash slot_files[FOTA_SLOT_COUNT], journal_file;
	struct sim_fault slots[FOTA_SLOT_COUNT], journal; /* in front of the files; without rules they change nothing */
	struct fota_http http_port;
	struct fota_clock clock_port;
	struct fota_random random_port;
	struct fota_crypto crypto_port;
	struct fota_identity identity_port;
	struct fota_session session;
	struct fota_session_cfg session_cfg;
	struct at_fota fota;
	struct at_fota_cfg fota_cfg;
	struct at_network network;
	struct at_network_cfg network_cfg;
	struct mux_env mux_env;
	struct mux_set mux_set;
	struct settings settings;
	struct trust trust;
	struct at_table tables[6];
	struct module_line lines[MODULE_LINE_MAX];
	unsigned line_count;
	int signal_fd;
	bool is_going_down;
	uint64_t down_ms;
	bool is_restarting; /* asked for by a host; input is not heard until it is done */
	uint64_t boot_ms;   /* not before */
	bool is_disk_hung;  /* when the module started; what is known is from before */
	uint8_t *hung_room; /* which that start may fill still */
	struct boot boot;
	struct system system;
	bool is_restart_ours;  /* what the program knows alone: the system runs on */
	bool is_restart_asked; /* of the system */
	bool is_restart_failed;
	uint8_t *work;
	struct rehearsal_file rehearsal_file;
	struct rehearsal *rehearsal;           /* NULL: sessions are real */
	struct badline *bads[MODULE_LINE_MAX]; /* NULL: the line is good */
};

/* Opens all that the options ask for. 0, or 1 after an error in the log. Close it in
 * each case. */
int module_open(struct module *module);
/* What was said last reaches the hosts before their terminals go away. */
void module_drain_lines(struct module *module);
void module_close(struct module *module);
/* Hands ended storage operations to the session. */
void module_take_storage(struct module *module);
/* Hosts are served when the journal is read: the first AT+FOTALAST? tells the truth.
 * A disk that hangs delays that for two seconds, not for ever. */
void module_wait_for_journal(struct module *module);
/* Finds out what runs, and says it. 0, or 1 after an error in the log. A disk that hangs is
 * none: the module runs without, and starts again when that answers. */
int module_open_boot(struct module *module);
/* Behind a start. 0, or 1 if the configuration is not usable. */
int module_init_session(struct module *module);
/* A program of the system has ended; a callback, `ctx` is the module. */
void module_system_ended(void *ctx, enum installer_action action, bool is_good);
/* The module restarts soon; a callback, `ctx` is the module. */
void module_restart(void *ctx);
/* A session that runs ends with 508, and its storage comes to rest, before the state
 * of the module goes. */
void module_take_restart(struct module *module);
/* The program ends when the session is quiet. */
void module_go_down(struct module *module);
/* From the session; a callback, `ctx` is the module. */
void module_notice(void *ctx, const struct fota_notice *notice);

#endif
