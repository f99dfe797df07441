/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of atfotad: command line and --config file through one argp table. */
#ifndef MODULE_OPTIONS_H
#define MODULE_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "badline.h"
#include "fota/at.h"
#include "fota/session.h"
#include "log.h"
#include "sim_flash.h"

#define MODULE_LINE_MAX  8
#define MODULE_FAULT_MAX 8
#define MODULE_TRUST_MAX 16

enum line_kind { LINE_PTY, LINE_TTY, LINE_TCP, LINE_UNIX, LINE_STDIO };

struct line_option {
	enum line_kind kind;
	const char *value; /* as given */
};

struct module_options {
	struct line_option lines[MODULE_LINE_MAX];
	unsigned line_count;
	const char *state_dir;
	const char *server_url;
	bool allow_http;
	const char *ca_file;
	const char *trust_files[MODULE_TRUST_MAX];
	unsigned trust_count;
	const char *identity[4]; /* by enum fota_identity_field; NULL: not known */
	const struct at_profile *profile;
	bool boot_messages; /* at the start too, not only after a restart that a host commanded */
	enum log_level log_level;
	struct fota_session_limits limits;
	uint32_t connect_ms, stall_ms;
	uint64_t slot_bytes;
	const char *slots[2];                 /* paths of block devices; NULL: files in the state directory */
	const char *faults[MODULE_FAULT_MAX]; /* "slot.prog=io@3" */
	unsigned fault_count;
	const char *installer; /* path of a program; NULL: slots are booted */
	const char *boot_env;  /* path of fw_env.config; NULL: this program is the boot loader */
	const char *restarter; /* path of a program that restarts the system */
	uint32_t installer_ms;
	const char *rehearsal; /* "306", or the name of a file; NULL: a real session */
	struct badline_cfg bad_line;
};

/* The table of options, for the configuration file. */
extern const struct argp_option module_option_rows[];

/* Fills *options from argv. Ends the program for --help, --version and wrong usage
 * (status 64). Keeps the strings of argv. */
void module_options_parse(struct module_options *options, int argc, char **argv);

enum fault_area { FAULT_NONE, FAULT_SLOT, FAULT_JOURNAL };

/* The area that a --fault names, and in *skip the length of that part of the text. */
enum fault_area module_fault_area(const char *text, size_t *skip);

#endif
