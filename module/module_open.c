/* SPDX-License-Identifier: Apache-2.0 */
/* A module put together and taken apart: ports, session, AT servers and lines, and the
 * callbacks between them. */
#include "module_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "posix_clock.h"
#include "posix_random.h"
#include "tls.h"

#define JOURNAL_BYTES (128u * 1024)
#define DRAIN_MS      500
#define SETTLE_MS     20 /* until the kernel shows at the slave what was written to the master */

/* ---- callbacks ---- */

static struct fota_bytes get_identity(void *ctx, enum fota_identity_field field)
{
	const struct module *module = ctx;

	if (field == FOTA_IDENTITY_VERSION) { return boot_version(&module->boot); }
	return fota_bytes_of(module->options->identity[field]);
}

static void log_network_failure(const struct module *module, enum fota_err err)
{
	const char *detail = posix_http_detail(module->http);
	long reason;
	bool is_tls = posix_http_is_tls_failure(module->http, &reason);

	log_line(&module->log, LOG_LEVEL_WARN, "http", "%s%s%s%s%s", fota_err_text(err), *detail ? ": " : "", detail,
		 is_tls ? "; " : "", is_tls ? tls_advice(reason) : "");
}

static enum fota_err on_http(void *ctx, const struct fota_http_event *event, size_t *taken)
{
	struct module *module = ctx;

	if (event->kind == FOTA_HTTP_HEAD) {
		log_line(&module->log, LOG_LEVEL_DEBUG, "http", "status %u", event->status);
	}
	if (event->kind == FOTA_HTTP_FAIL) { log_network_failure(module, event->err); }
	return fota_session_http(&module->session, event, taken);
}

static void on_answer(void *ctx, const uint8_t *bytes, size_t len)
{
	line_write(ctx, bytes, len);
}

/* ---- opening ---- */

static int fail(const struct module *module, const char *what, const char *name)
{
	log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART, "%s %s: %s", what, name, strerror(errno));
	return 1;
}

static int fail_state(const struct module *module)
{
	log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART,
		 "cannot open the state in %s: %s: give a --state DIR with room that this user may write",
		 module->options->state_dir, strerror(errno));
	return 1;
}

static int add_slot(struct module *module, unsigned slot)
{
	static const char *const names[FOTA_SLOT_COUNT] = { "slot-a", "slot-b" };
	const char *device = module->options->slots[slot];
	enum posix_store_room room = device ? POSIX_STORE_DEVICE : POSIX_STORE_SPARSE;
	const char *name = device ? device : names[slot];

	if (!posix_store_add(module->store, name, module->options->slot_bytes, room, &module->slot_files[slot])) {
		return 0;
	}
	return fail(module, "cannot open", name);
}

static int open_storage(struct module *module)
{
	const struct module_options *options = module->options;
	enum fota_err err = posix_store_open(&module->store, options->state_dir);

	if (err == FOTA_ERR_BUSY) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART,
			 "%s is in use by another atfotad: give another --state DIR", options->state_dir);
		return 1;
	}
	if (err) { return fail_state(module); }
	if (add_slot(module, 0) || add_slot(module, 1)) { return 1; }
	if (posix_store_add(module->store, "journal", JOURNAL_BYTES, POSIX_STORE_RESERVED, &module->journal_file)) {
		return fail_state(module);
	}
	sim_fault_init(&module->slots[0], &module->slot_files[0]);
	sim_fault_init(&module->slots[1], &module->slot_files[1]);
	sim_fault_init(&module->journal, &module->journal_file);
	return 0;
}

static void set_faults(struct module *module)
{
	for (unsigned i = 0; i < module->options->fault_count; i++) {
		const char *text = module->options->faults[i];
		size_t skip = 0;
		bool is_slot = module_fault_area(text, &skip) == FAULT_SLOT;
		struct sim_fault *area = is_slot ? &module->slots[0] : &module->journal;

		/* the options were checked by the same two functions */
		if (sim_fault_parse(area, text + skip) &&
		    (!is_slot || sim_fault_parse(&module->slots[1], text + skip))) {
			log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART, "rehearsing %s", text);
		}
	}
}

static int open_network(struct module *module)
{
	const struct module_options *options = module->options;
	struct posix_http_cfg cfg = {
		.allow_plain = options->allow_http,
		.ca_file = options->ca_file,
		.connect_ms = options->connect_ms,
		.stall_ms = options->stall_ms,
		.user_agent = "atfotad/" ATFOTA_VERSION,
		.event = on_http,
		.event_ctx = module,
	};

	if (options->ca_file && access(options->ca_file, R_OK)) {
		return fail(module, "cannot read", options->ca_file);
	}
	if (options->ca_file && !tls_is_certificate_file(options->ca_file)) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART,
			 "--ca %s has no certificate in PEM (-----BEGIN CERTIFICATE-----)", options->ca_file);
		return 1;
	}
	if (posix_http_open(&module->http, &cfg) || posix_crypto_init(&module->crypto)) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART, "libcurl or libcrypto cannot start");
		return 1;
	}
	module->http_port = posix_http_port(module->http);
	module->clock_port = posix_clock_port();
	module->random_port = posix_random_port();
	module->crypto_port = posix_crypto_port(&module->crypto);
	module->identity_port = (struct fota_identity) { .ctx = module, .get = get_identity };
	return 0;
}

static int load_rehearsal(struct module *module)
{
	char text[REHEARSAL_TEXT_BYTES];

	if (rehearsal_file_load(&module->rehearsal_file, module->options->rehearsal, text)) { return 0; }
	log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART, "--rehearse: %s", text);
	return 64; /* EX_USAGE */
}

/* The rehearsal stands in front of clock, crypto and identity, and instead of
 * network and storage. */
static int open_rehearsal(struct module *module)
{
	struct rehearsal_cfg cfg = {
		.file = &module->rehearsal_file,
		.session = &module->session,
		.log = &module->log,
		.clock = module->clock_port,
		.crypto = module->crypto_port,
		.identity = module->identity_port,
		.http_event = on_http,
		.http_ctx = module,
	};

	return rehearsal_open(&module->rehearsal, &cfg) ? fail(module, "cannot allocate", "memory") : 0;
}

static void use_rehearsal(const struct rehearsal *rehearsal, struct fota_session_cfg *cfg)
{
	struct rehearsal_ports ports = rehearsal_get_ports(rehearsal);

	cfg->http = ports.http;
	cfg->slots[0] = ports.slots[0];
	cfg->slots[1] = ports.slots[1];
	cfg->journal = ports.journal;
	cfg->clock = ports.clock;
	cfg->crypto = ports.crypto;
	cfg->identity = ports.identity;
	cfg->keys = ports.key;
	cfg->key_count = 1;
	cfg->installer = ports.installer;
	cfg->server_url = fota_bytes_of("http://rehearsal.invalid");
	cfg->allow_plain = true;
	rehearsal_set_limits(&cfg->limits);
}

static int open_trust(struct module *module)
{
	const struct module_options *options = module->options;

	return trust_open(&module->trust, options->trust_files, options->trust_count, &module->log) ? 1 : 0;
}

static int open_system(struct module *module)
{
	const struct system_cfg cfg = {
		.options = module->options,
		.log = &module->log,
		.ended = module_system_ended,
		.ctx = module,
	};

	return system_open(&module->system, &cfg) ? 1 : 0;
}

static int open_session(struct module *module)
{
	const struct module_options *options = module->options;

	module->fota_cfg = (struct at_fota_cfg) { .session = &module->session, .clock = &module->clock_port };
	module->session_cfg = (struct fota_session_cfg) {
		.http = &module->http_port,
		.slots = { &module->slots[0].flash, &module->slots[1].flash },
		.journal = &module->journal.flash,
		.clock = &module->clock_port,
		.random = &module->random_port,
		.crypto = &module->crypto_port,
		.identity = &module->identity_port,
		.server_url = fota_bytes_of(options->server_url),
		.allow_plain = options->allow_http,
		.keys = module->trust.keys,
		.key_count = module->trust.count,
		.limits = options->limits,
		.notify = module_notice,
		.notify_ctx = module,
	};
	if (module->rehearsal) { use_rehearsal(module->rehearsal, &module->session_cfg); }
	if (module_open_boot(module)) { return 1; }
	if (at_fota_init(&module->fota, &module->fota_cfg) || module_init_session(module)) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART, "the session refuses its configuration");
		return 1;
	}
	return 0;
}

static void apply_settings(void *ctx)
{
	struct module *module = ctx;

	if (module->rehearsal) { return; }
	module->session_cfg.server_url = fota_bytes_of(settings_server(&module->settings));
	module->fota_cfg.is_code_for_all = settings_is_code_for_all(&module->settings);
	settings_limits(&module->settings, &module->session_cfg.limits);
	settings_policy(&module->settings, &module->session_cfg.policy);
	fota_session_set_limits(&module->session, &module->session_cfg.limits);
	fota_session_set_policy(&module->session, &module->session_cfg.policy);
}

static bool is_session_running(void *ctx)
{
	const struct module *module = ctx;
	struct fota_session_info info;

	fota_session_get(&module->session, &info);
	return info.is_running;
}

/* A rehearsal keeps nothing, and its platform is not to be chosen. */
static int open_settings(struct module *module)
{
	const struct module_options *options = module->options;
	struct fota_session_limits limits;
	const struct settings_options settings = {
		.dir = module->rehearsal ? NULL : options->state_dir,
		.server_url = options->server_url,
		.limits = &limits,
		.allow_plain = options->allow_http,
		.log = &module->log,
		.changed = apply_settings,
		.is_busy = is_session_running,
		.ctx = module,
	};

	fota_session_get_limits(&module->session, &limits);
	if (settings_open(&module->settings, &settings)) { return 1; }
	apply_settings(module);
	return 0;
}

static int spoil_line(struct module *module, unsigned number)
{
	const struct badline_cfg *file = &module->rehearsal_file.line;
	const struct badline_cfg *cfg = badline_is_bad(file) ? file : &module->options->bad_line;

	if (!badline_is_bad(cfg)) { return 0; }
	module->bads[number] = malloc(sizeof(*module->bads[number]));
	if (!module->bads[number]) { return fail(module, "cannot allocate", "memory"); }
	badline_init(module->bads[number], cfg, number);
	line_spoil(&module->lines[number].line, module->bads[number]);
	return 0;
}

static int open_line(struct module *module, unsigned number)
{
	struct module_line *it = &module->lines[number];

	if (line_open(&it->line, &module->options->lines[number], &module->log) || spoil_line(module, number)) {
		return 1;
	}
	it->at_cfg = (struct at_cfg) {
		.write = on_answer,
		.write_ctx = &it->line,
		.profile = module->options->profile,
		.tables = module->tables,
		.table_count = sizeof(module->tables) / sizeof(module->tables[0]),
		.identity = module->session_cfg.identity,
		.port = number,
		.pause_ms = MODULE_PAUSE_MS,
	};
	module->line_count++;
	if (at_init(&it->at, &it->at_cfg) || at_fota_add_port(&module->fota, &it->at) ||
	    at_network_add_port(&module->network, &it->at) ||
	    mux_init(&it->mux, &module->mux_set, &module->mux_env, &it->line, &it->at)) {
		log_line(&module->log, LOG_LEVEL_ERROR, MODULE_PART, "the AT server refuses its configuration");
		return 1;
	}
	return 0;
}

static int open_cell(struct module *module)
{
	module->network_cfg = (struct at_network_cfg) {
		.profile = module->options->profile,
		.clock = &module->clock_port,
		.restart = module_restart,
		.restart_ctx = module,
	};
	return at_network_init(&module->network, &module->network_cfg) ? 1 : 0;
}

static struct at_table fota_table(struct module *module)
{
	struct at_table table = at_fota_table(&module->fota);

	return module->rehearsal ? rehearsal_table(module->rehearsal, table) : table;
}

static int open_lines(struct module *module)
{
	if (open_cell(module)) { return 1; }
	module->tables[0] = at_basic_table();
	module->tables[1] = fota_table(module);
	module->tables[2] = at_network_table(&module->network);
	module->tables[3] = mux_table(&module->mux_set);
	module->tables[4] = settings_table(&module->settings);
	module->tables[5] = at_call_table();
	module->mux_env = (struct mux_env) { &module->fota, &module->network, &module->log };
	for (unsigned i = 0; i < module->options->line_count; i++) {
		if (open_line(module, i)) { return 1; }
	}
	return 0;
}

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int open_signals(struct module *module)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (!is_ignored(SIGHUP)) { sigaddset(&set, SIGHUP); } /* nohup */
	if (sigprocmask(SIG_BLOCK, &set, NULL)) { return fail(module, "cannot block", "signals"); }
	module->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return module->signal_fd < 0 ? fail(module, "cannot watch", "signals") : 0;
}

int module_open(struct module *module)
{
	int status = open_signals(module); /* before any thread begins */

	if (!status && module->options->rehearsal) { status = load_rehearsal(module); }
	if (!status && !module->options->rehearsal) { status = open_storage(module); }
	if (!status) { set_faults(module); }
	if (!status) { status = open_network(module); }
	if (!status && module->options->rehearsal) { status = open_rehearsal(module); }
	if (!status) { status = open_trust(module); }
	if (!status) { status = open_system(module); }
	if (!status) { status = open_session(module); }
	if (!status) { status = open_settings(module); }
	if (!status) { module_wait_for_journal(module); }
	if (!status) { status = open_lines(module); }
	return status;
}

void module_drain_lines(struct module *module)
{
	uint64_t end_ms = posix_clock_now_ms() + DRAIN_MS;

	for (unsigned i = 0; i < module->line_count; i++) {
		line_flush(&module->lines[i].line);
	}
	(void)poll(NULL, 0, SETTLE_MS);
	for (unsigned i = 0; i < module->line_count; i++) {
		while (line_has_output(&module->lines[i].line) && posix_clock_now_ms() < end_ms) {
			(void)poll(NULL, 0, 5);
			line_flush(&module->lines[i].line);
		}
	}
}

void module_close(struct module *module)
{
	for (unsigned i = 0; i < module->line_count; i++) {
		line_close(&module->lines[i].line);
		free(module->bads[i]);
	}
	system_close(&module->system);
	rehearsal_close(module->rehearsal);
	posix_http_close(module->http);
	posix_crypto_close(&module->crypto);
	settings_close(&module->settings);
	if (!posix_store_close(module->store)) {
		module->work = module->hung_room = NULL;
	} /* its worker may fill them */
	if (module->signal_fd >= 0) { close(module->signal_fd); }
	free(module->hung_room);
	free(module->work);
}
