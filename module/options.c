/* SPDX-License-Identifier: Apache-2.0 */
/* Plain values are rows of a table of setters; what needs a rule of its own is in
 * `parse_special`. */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "rehearsal_cause.h"

#define DEFAULT_SLOT_BYTES   (UINT64_C(512) * 1024 * 1024)
#define DEFAULT_INSTALLER_MS (30u * 60 * 1000)

const char *argp_program_version = "atfotad " ATFOTA_VERSION;

enum key {
	KEY_PTY = 256,
	KEY_TTY,
	KEY_TCP,
	KEY_UNIX,
	KEY_STDIO,
	KEY_PROFILE,
	KEY_LOG_LEVEL,
	KEY_CONFIG,
	KEY_FAULT,
	KEY_ALLOW_HTTP,
	KEY_BOOT_MESSAGES,
	KEY_REHEARSE,
	KEY_BAD_LINE,
	KEY_TRUST,
	KEY_TEXT,                   /* and up: rows of `texts` */
	KEY_NUMBER = KEY_TEXT + 32, /* and up: rows of `numbers` */
};

enum text_key {
	TEXT_STATE = KEY_TEXT,
	TEXT_SERVER,
	TEXT_CA,
	TEXT_DEVICE,
	TEXT_OEM,
	TEXT_MODEL,
	TEXT_VERSION,
	TEXT_INSTALLER,
	TEXT_BOOT_ENV,
	TEXT_RESTARTER,
	TEXT_SLOT_A,
	TEXT_SLOT_B,
	TEXT_END,
};

enum number_key {
	NUMBER_RETRIES = KEY_NUMBER,
	NUMBER_RETRY_BASE,
	NUMBER_RETRY_MAX,
	NUMBER_SESSION,
	NUMBER_CONNECT,
	NUMBER_STALL,
	NUMBER_STORAGE,
	NUMBER_REPORT_RETRY,
	NUMBER_INSTALLER,
	NUMBER_SLOT,
	NUMBER_END,
};

const struct argp_option module_option_rows[] = {
	{ NULL, 0, NULL, 0, "Ports (each may be given several times, --stdio once):", 1 },
	{ "pty", KEY_PTY, "LINK", 0, "make a pseudo terminal and LINK to it", 1 },
	{ "tty", KEY_TTY, "DEVICE[,BAUD]", 0, "serve a serial device [115200]", 1 },
	{ "tcp", KEY_TCP, "ADDR:PORT[,rfc2217]", 0, "serve one connection at a time; for tests", 1 },
	{ "unix", KEY_UNIX, "PATH", 0, "the same on a Unix socket; abstract:NAME has no file", 1 },
	{ "stdio", KEY_STDIO, NULL, 0, "serve standard input and output; ends at end of file", 1 },
	{ NULL, 0, NULL, 0, "Platform:", 2 },
	{ "server", TEXT_SERVER, "URL", 0, "of the platform, https://host[:port]", 2 },
	{ "allow-http", KEY_ALLOW_HTTP, NULL, 0, "accept http:// URLs too", 2 },
	{ "ca", TEXT_CA, "FILE", 0, "trusted certificates (PEM) instead of the system's", 2 },
	{ "trust", KEY_TRUST, "FILE", 0,
	  "public keys (PEM) that sign packages; may be given several times (without: 306)", 2 },
	{ NULL, 0, NULL, 0, "Identity:", 3 },
	{ "device", TEXT_DEVICE, "ID", 0, "IMEI or another unique name (without it: 403)", 3 },
	{ "oem", TEXT_OEM, "NAME", 0, "provisioned OEM; other ones are refused (401)", 3 },
	{ "model", TEXT_MODEL, "NAME", 0, "model of the module (without it: 403)", 3 },
	{ "firmware-version", TEXT_VERSION, "TEXT", 0, "version that runs now (without it: 404)", 3 },
	{ "profile", KEY_PROFILE, "NAME", 0, "strict, sim7600 or a7600 [sim7600]", 3 },
	{ "boot-messages", KEY_BOOT_MESSAGES, NULL, 0, "send RDY and what follows it at the start too", 3 },
	{ NULL, 0, NULL, 0, "Storage:", 4 },
	{ "state", TEXT_STATE, "DIR", 0, "directory for slots and journal [atfotad-state]", 4 },
	{ "slot-size", NUMBER_SLOT, "BYTES", 0, "room for a package, in each of the two slots [536870912]", 4 },
	{ NULL, 0, NULL, 0, "Installation on a real system:", 5 },
	{ "installer", TEXT_INSTALLER, "PROGRAM", 0, "takes the packages instead of the second slot", 5 },
	{ "installer-timeout", NUMBER_INSTALLER, "S", 0, "for one package [1800]", 5 },
	{ "boot-env", TEXT_BOOT_ENV, "FILE", 0, "fw_env.config of U-Boot, which boots the slots", 5 },
	{ "slot-a", TEXT_SLOT_A, "DEVICE", 0, "block device instead of the file slot-a; with --slot-b", 5 },
	{ "slot-b", TEXT_SLOT_B, "DEVICE", 0, "the same of slot b", 5 },
	{ "restart", TEXT_RESTARTER, "PROGRAM", 0, "restarts the system; with --boot-env", 5 },
	{ NULL, 0, NULL, 0, "Limits:", 6 },
	{ "retries", NUMBER_RETRIES, "N", 0, "tries after a failure, while nothing moves [4]", 6 },
	{ "retry-base", NUMBER_RETRY_BASE, "MS", 0, "delay before the first of them; doubles [1000]", 6 },
	{ "retry-max", NUMBER_RETRY_MAX, "MS", 0, "longest delay [60000]", 6 },
	{ "session-limit", NUMBER_SESSION, "S", 0, "of a whole session [3600]", 6 },
	{ "connect-timeout", NUMBER_CONNECT, "S", 0, "name, connection and TLS [15]", 6 },
	{ "stall-limit", NUMBER_STALL, "S", 0, "without a byte [30]", 6 },
	{ "storage-limit", NUMBER_STORAGE, "MS", 0, "of one storage operation [10000]", 6 },
	{ "report-retry", NUMBER_REPORT_RETRY, "MS", 0, "before a report is sent again; doubles [60000]", 6 },
	{ NULL, 0, NULL, 0, "Other:", 7 },
	{ "config", KEY_CONFIG, "FILE", 0, "options as lines 'name = value'; the command line wins", 7 },
	{ "log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warn, info or debug [info]", 7 },
	{ "fault", KEY_FAULT, "AREA.OP=WHAT[@N]", 0,
	  "rehearse bad storage: AREA slot or journal; OP read, prog, erase or sync; WHAT io, full or hang; "
	  "from the N-th operation on",
	  7 },
	{ NULL, 0, NULL, 0, "Rehearsal (needs no platform and no storage):", 8 },
	{ "rehearse", KEY_REHEARSE, "CODE|FILE|list", 0,
	  "play sessions: one that ends with CODE (306, 303-refused, restart, install-508), or those of an INI file; list tells the "
	  "codes",
	  8 },
	{ "bad-line", KEY_BAD_LINE, "NAME=N[,NAME=N]...", 0,
	  "spoil the ports: lose, twice, late (bytes of 10000), late_ms, way, noise_bytes, stall_after, stall_ms, "
	  "cut_after, seed",
	  8 },
	{ 0 },
};

static const size_t texts[TEXT_END - KEY_TEXT] = {
	[TEXT_STATE - KEY_TEXT] = offsetof(struct module_options, state_dir),
	[TEXT_SERVER - KEY_TEXT] = offsetof(struct module_options, server_url),
	[TEXT_CA - KEY_TEXT] = offsetof(struct module_options, ca_file),
	[TEXT_DEVICE - KEY_TEXT] = offsetof(struct module_options, identity[FOTA_IDENTITY_DEVICE]),
	[TEXT_OEM - KEY_TEXT] = offsetof(struct module_options, identity[FOTA_IDENTITY_OEM]),
	[TEXT_MODEL - KEY_TEXT] = offsetof(struct module_options, identity[FOTA_IDENTITY_MODEL]),
	[TEXT_VERSION - KEY_TEXT] = offsetof(struct module_options, identity[FOTA_IDENTITY_VERSION]),
	[TEXT_INSTALLER - KEY_TEXT] = offsetof(struct module_options, installer),
	[TEXT_BOOT_ENV - KEY_TEXT] = offsetof(struct module_options, boot_env),
	[TEXT_RESTARTER - KEY_TEXT] = offsetof(struct module_options, restarter),
	[TEXT_SLOT_A - KEY_TEXT] = offsetof(struct module_options, slots[0]),
	[TEXT_SLOT_B - KEY_TEXT] = offsetof(struct module_options, slots[1]),
};

#define U32_OFF(member) offsetof(struct module_options, member)

static const struct {
	size_t off;
	uint32_t min, max, factor; /* stored = given * factor */
} numbers[] = {
	[NUMBER_RETRIES - KEY_NUMBER] = { U32_OFF(limits.retry_count), 0, 1000, 1 },
	[NUMBER_RETRY_BASE - KEY_NUMBER] = { U32_OFF(limits.retry_base_ms), 1, 3600000, 1 },
	[NUMBER_RETRY_MAX - KEY_NUMBER] = { U32_OFF(limits.retry_max_ms), 1, 3600000, 1 },
	[NUMBER_SESSION - KEY_NUMBER] = { U32_OFF(limits.session_ms), 1, 2592000, 1000 },
	[NUMBER_CONNECT - KEY_NUMBER] = { U32_OFF(connect_ms), 1, 3600, 1000 },
	[NUMBER_STALL - KEY_NUMBER] = { U32_OFF(stall_ms), 1, 3600, 1000 },
	[NUMBER_STORAGE - KEY_NUMBER] = { U32_OFF(limits.storage_ms), 1, 3600000, 1 },
	[NUMBER_INSTALLER - KEY_NUMBER] = { U32_OFF(installer_ms), 1, 86400, 1000 },
	[NUMBER_REPORT_RETRY - KEY_NUMBER] = { U32_OFF(limits.report_retry_ms), 1, 3600000, 1 },
};

static uint64_t number_of(struct argp_state *state, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < min || value > max) {
		argp_error(state, "'%s' is not a number from %llu to %llu", text, (unsigned long long)min,
			   (unsigned long long)max);
	}
	return value;
}

static void set_number(struct module_options *options, int key, const char *text, struct argp_state *state)
{
	if (key == NUMBER_SLOT) {
		options->slot_bytes = number_of(state, text, 4096, UINT64_C(1) << 40);
		return;
	}
	size_t row = (size_t)(key - KEY_NUMBER);
	uint32_t value = (uint32_t)number_of(state, text, numbers[row].min, numbers[row].max) * numbers[row].factor;

	/* an all-zero limit means the default */
	if (key == NUMBER_RETRIES && value == 0) { value = FOTA_RETRY_NONE; }
	memcpy((char *)options + numbers[row].off, &value, sizeof(value));
}

static void add_line(struct module_options *options, enum line_kind kind, const char *value, struct argp_state *state)
{
	if (options->line_count == MODULE_LINE_MAX) { argp_error(state, "more than %d ports", MODULE_LINE_MAX); }
	for (unsigned i = 0; kind == LINE_STDIO && i < options->line_count; i++) {
		if (options->lines[i].kind == LINE_STDIO) { argp_error(state, "--stdio is given twice"); }
	}
	options->lines[options->line_count++] = (struct line_option) { kind, value };
}

static void add_trust(struct module_options *options, const char *value, struct argp_state *state)
{
	if (options->trust_count == MODULE_TRUST_MAX) {
		argp_error(state, "more than %d --trust: a file may hold several keys", MODULE_TRUST_MAX);
	}
	options->trust_files[options->trust_count++] = value;
}

static void set_rehearsal(struct module_options *options, const char *value)
{
	options->rehearsal = value;
	if (strcmp(value, "list") != 0) { return; }
	rehearsal_cause_print(stdout);
	exit(EXIT_SUCCESS);
}

static void set_bad_line(struct module_options *options, const char *value, struct argp_state *state)
{
	const char *complaint = badline_parse_list(&options->bad_line, value);

	if (complaint) { argp_error(state, "--bad-line %s: %s", value, complaint); }
}

enum fault_area module_fault_area(const char *text, size_t *skip)
{
	*skip = strcspn(text, ".") + 1;
	if (strncmp(text, "slot.", 5) == 0) { return FAULT_SLOT; }
	return strncmp(text, "journal.", 8) == 0 ? FAULT_JOURNAL : FAULT_NONE;
}

static void add_fault(struct module_options *options, const char *value, struct argp_state *state)
{
	struct sim_fault scratch = { .rules = { { .effect = SIM_FINE } } };
	size_t skip;

	if (options->fault_count == MODULE_FAULT_MAX) { argp_error(state, "more than %d faults", MODULE_FAULT_MAX); }
	if (module_fault_area(value, &skip) == FAULT_NONE || !sim_fault_parse(&scratch, value + skip)) {
		argp_error(state, "--fault %s: expected AREA.OP=WHAT[@N], such as slot.prog=io@3", value);
	}
	options->faults[options->fault_count++] = value;
}

static error_t parse_special(int key, char *value, struct argp_state *state)
{
	struct module_options *options = state->input;

	switch (key) {
	case KEY_PTY:
		add_line(options, LINE_PTY, value, state);
		return 0;
	case KEY_TTY:
		add_line(options, LINE_TTY, value, state);
		return 0;
	case KEY_TCP:
		add_line(options, LINE_TCP, value, state);
		return 0;
	case KEY_UNIX:
		add_line(options, LINE_UNIX, value, state);
		return 0;
	case KEY_STDIO:
		add_line(options, LINE_STDIO, "standard input and output", state);
		return 0;
	case KEY_ALLOW_HTTP:
		options->allow_http = true;
		return 0;
	case KEY_BOOT_MESSAGES:
		options->boot_messages = true;
		return 0;
	case KEY_TRUST:
		add_trust(options, value, state);
		return 0;
	case KEY_REHEARSE:
		set_rehearsal(options, value);
		return 0;
	case KEY_BAD_LINE:
		set_bad_line(options, value, state);
		return 0;
	case KEY_PROFILE:
		options->profile = at_profile_find(value);
		if (!options->profile) {
			argp_error(state, "unknown profile '%s': use strict, sim7600 or a7600", value);
		}
		return 0;
	case KEY_LOG_LEVEL:
		if (!log_level_parse(value, &options->log_level)) {
			argp_error(state, "unknown level '%s': use error, warn, info or debug", value);
		}
		return 0;
	case KEY_CONFIG:
		return 0; /* its lines were put in front of the arguments */
	case KEY_FAULT:
		add_fault(options, value, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void check_rehearsal(const struct module_options *options, struct argp_state *state)
{
	if (*options->server_url) { argp_error(state, "--rehearse plays the platform itself: leave --server out"); }
	if (options->fault_count) {
		argp_error(state, "--rehearse has storage of its own: leave --fault out, and rehearse 304 or 305");
	}
}

static void check_system(const struct module_options *options, struct argp_state *state)
{
	if (options->installer && options->boot_env) {
		argp_error(state, "--installer and --boot-env exclude each other: one of them says what boots");
	}
	if (!options->slots[0] != !options->slots[1]) { argp_error(state, "--slot-a and --slot-b go together"); }
	if (options->slots[0] && (options->installer || options->rehearsal)) {
		argp_error(state, "--slot-a and --slot-b do not go with --installer or --rehearse");
	}
	if (options->boot_env && !options->restarter) {
		argp_error(state, "--boot-env needs --restart PROGRAM, which restarts the system");
	}
	if (options->restarter && !options->boot_env) {
		argp_error(state, "--restart goes with --boot-env; an installer has an action of its own for it");
	}
	if (options->rehearsal && (options->installer || options->boot_env)) {
		argp_error(state, "--rehearse installs nothing: leave --installer and --boot-env out");
	}
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct module_options *options = state->input;

	if (key >= KEY_TEXT && key < TEXT_END) {
		const char *text = value;

		memcpy((char *)options + texts[key - KEY_TEXT], &text, sizeof(text));
		return 0;
	}
	if (key >= KEY_NUMBER && key < NUMBER_END) {
		set_number(options, key, value, state);
		return 0;
	}
	if (key == ARGP_KEY_ARG) { argp_error(state, "unexpected argument '%s'", value); }
	if (key == ARGP_KEY_END && options->line_count == 0) {
		argp_error(state, "no port: give --pty LINK, --tty DEVICE, --tcp ADDR:PORT, --unix PATH or --stdio");
	}
	if (key == ARGP_KEY_END && options->rehearsal) { check_rehearsal(options, state); }
	if (key == ARGP_KEY_END) { check_system(options, state); }
	return parse_special(key, value, state);
}

void module_options_parse(struct module_options *options, int argc, char **argv)
{
	static const struct argp argp = {
		.options = module_option_rows,
		.parser = parse,
		.doc = "The FOTA service of a module: answers AT commands on its ports, downloads and verifies packages "
		       "from a platform. The same program is the virtual module for host developers."
		       "\vExample:\n  atfotad --pty /tmp/module --server https://fota.example --device 861234050012345 "
		       "--model 7600M21 --firmware-version V1.00\n\nSIGTERM ends it cleanly: a running session stops with 508, "
		       "its part stays. See atfotad(8).",
	};

	*options = (struct module_options) {
		.state_dir = "atfotad-state",
		.server_url = "",
		.log_level = LOG_LEVEL_INFO,
		.slot_bytes = DEFAULT_SLOT_BYTES,
		.installer_ms = DEFAULT_INSTALLER_MS,
	};
	argp_err_exit_status = 64; /* EX_USAGE */
	argp_parse(&argp, argc, argv, 0, NULL, options);
}
