/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, one loop: wait for hosts, network, storage and signals; hand what came
 * to the library; send what it wrote. Nothing in a turn of the loop waits for a disk
 * or a peer. */
#include "module.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fota/at_fota.h"
#include "line.h"
#include "posix_clock.h"
#include "posix_crypto.h"
#include "posix_http.h"
#include "posix_random.h"
#include "posix_store.h"
#include "sim_flash.h"

#define PART          "module"
#define WORK_BYTES    (256u * 1024 + FOTA_JOURNAL_ROOM_BYTES)
#define JOURNAL_BYTES (128u * 1024)
#define READ_BYTES    1024
#define DOWN_EXTRA_MS 2000 /* between SIGTERM and the end, besides one storage operation */
#define LOAD_MS       2000
#define DRAIN_MS      500
#define SETTLE_MS     20 /* until the kernel shows at the slave what was written to the master */
#define POLL_MAX      (2 + MODULE_LINE_MAX * LINE_POLL_MAX)

struct module_line {
	struct line line;
	struct at_server at;
	struct at_cfg at_cfg;
};

struct module {
	const struct module_options *options;
	struct log log;
	struct posix_store *store;
	struct posix_http *http;
	struct posix_crypto crypto;
	struct fota_flash slot_file, journal_file;
	struct sim_fault slot, journal; /* in front of the files; without rules they change nothing */
	struct fota_http http_port;
	struct fota_clock clock_port;
	struct fota_random random_port;
	struct fota_crypto crypto_port;
	struct fota_identity identity_port;
	struct fota_session session;
	struct fota_session_cfg session_cfg;
	struct at_fota fota;
	struct at_fota_cfg fota_cfg;
	struct at_table tables[2];
	struct module_line lines[MODULE_LINE_MAX];
	unsigned line_count;
	int signal_fd;
	bool is_going_down;
	uint64_t down_ms;
	uint8_t *work;
};

/* ---- callbacks ---- */

static struct fota_bytes get_identity(void *ctx, enum fota_identity_field field)
{
	const struct module *module = ctx;

	return fota_bytes_of(module->options->identity[field]);
}

static enum fota_err on_http(void *ctx, const struct fota_http_event *event, size_t *taken)
{
	struct module *module = ctx;

	if (event->kind == FOTA_HTTP_HEAD) {
		log_line(&module->log, LOG_LEVEL_DEBUG, "http", "status %u", event->status);
	}
	if (event->kind == FOTA_HTTP_FAIL) {
		const char *detail = posix_http_detail(module->http);

		log_line(&module->log, LOG_LEVEL_WARN, "http", "%s%s%s", fota_err_text(event->err), *detail ? ": " : "",
			 detail);
	}
	return fota_session_http(&module->session, event, taken);
}

static void log_code(struct module *module, const struct fota_notice *notice)
{
	const struct fota_code_info *info = fota_code_find(notice->code);

	log_line(&module->log, LOG_LEVEL_INFO, "session", "%d %s (%s)", (int)notice->code, info ? info->text : "?",
		 notice->step);
}

static void on_notice(void *ctx, const struct fota_notice *notice)
{
	struct module *module = ctx;

	switch (notice->kind) {
	case FOTA_NOTICE_CODE:
		log_code(module, notice);
		break;
	case FOTA_NOTICE_RETRY:
		log_line(&module->log, LOG_LEVEL_WARN, "session", "%d in step %s, once more in %llu ms",
			 (int)notice->code, notice->step, (unsigned long long)notice->delay_ms);
		break;
	case FOTA_NOTICE_RESUME:
		log_line(&module->log, LOG_LEVEL_INFO, "session", "going on from byte %llu of %llu",
			 (unsigned long long)notice->received_bytes, (unsigned long long)notice->total_bytes);
		break;
	case FOTA_NOTICE_REPORTED:
		log_line(&module->log, LOG_LEVEL_INFO, "session", "the platform has the report");
		break;
	case FOTA_NOTICE_PROGRESS:
		break;
	}
	at_fota_notice(&module->fota, notice);
}

static void on_answer(void *ctx, const uint8_t *bytes, size_t len)
{
	line_write(ctx, bytes, len);
}

/* ---- opening ---- */

static int fail(const struct module *module, const char *what, const char *name)
{
	log_line(&module->log, LOG_LEVEL_ERROR, PART, "%s %s: %s", what, name, strerror(errno));
	return 1;
}

static int open_storage(struct module *module)
{
	const struct module_options *options = module->options;
	enum fota_err err = posix_store_open(&module->store, options->state_dir);

	if (err == FOTA_ERR_BUSY) {
		log_line(&module->log, LOG_LEVEL_ERROR, PART,
			 "%s is in use by another atfotad: give another --state DIR", options->state_dir);
		return 1;
	}
	if (err ||
	    posix_store_add(module->store, "slot-a", options->slot_bytes, POSIX_STORE_SPARSE, &module->slot_file) ||
	    posix_store_add(module->store, "journal", JOURNAL_BYTES, POSIX_STORE_RESERVED, &module->journal_file)) {
		return fail(module, "cannot open the state in", options->state_dir);
	}
	sim_fault_init(&module->slot, &module->slot_file);
	sim_fault_init(&module->journal, &module->journal_file);
	return 0;
}

static void set_faults(struct module *module)
{
	for (unsigned i = 0; i < module->options->fault_count; i++) {
		const char *text = module->options->faults[i];
		size_t skip = 0;
		struct sim_fault *area = module_fault_area(text, &module->slot, &module->journal, &skip);

		/* the options were checked by the same two functions */
		if (area && sim_fault_parse(area, text + skip)) {
			log_line(&module->log, LOG_LEVEL_WARN, PART, "rehearsing %s", text);
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
	if (posix_http_open(&module->http, &cfg) || posix_crypto_init(&module->crypto)) {
		log_line(&module->log, LOG_LEVEL_ERROR, PART, "libcurl or libcrypto cannot start");
		return 1;
	}
	module->http_port = posix_http_port(module->http);
	module->clock_port = posix_clock_port();
	module->random_port = posix_random_port();
	module->crypto_port = posix_crypto_port(&module->crypto);
	module->identity_port = (struct fota_identity) { .ctx = module, .get = get_identity };
	return 0;
}

static int open_session(struct module *module)
{
	const struct module_options *options = module->options;

	module->work = malloc(WORK_BYTES);
	if (!module->work) { return fail(module, "cannot allocate", "memory"); }
	module->fota_cfg = (struct at_fota_cfg) { .session = &module->session, .clock = &module->clock_port };
	module->session_cfg = (struct fota_session_cfg) {
		.http = &module->http_port,
		.slot = &module->slot.flash,
		.journal = &module->journal.flash,
		.clock = &module->clock_port,
		.random = &module->random_port,
		.crypto = &module->crypto_port,
		.identity = &module->identity_port,
		.server_url = fota_bytes_of(options->server_url),
		.allow_plain = options->allow_http,
		.limits = options->limits,
		.work = { module->work, WORK_BYTES },
		.notify = on_notice,
		.notify_ctx = module,
	};
	if (at_fota_init(&module->fota, &module->fota_cfg) ||
	    fota_session_init(&module->session, &module->session_cfg)) {
		log_line(&module->log, LOG_LEVEL_ERROR, PART, "the session refuses its configuration");
		return 1;
	}
	return 0;
}

static int open_line(struct module *module, unsigned number)
{
	struct module_line *it = &module->lines[number];

	if (line_open(&it->line, &module->options->lines[number], &module->log)) { return 1; }
	it->at_cfg = (struct at_cfg) {
		.write = on_answer,
		.write_ctx = &it->line,
		.profile = module->options->profile,
		.tables = module->tables,
		.table_count = 2,
		.identity = &module->identity_port,
		.port = number,
	};
	module->line_count++;
	if (at_init(&it->at, &it->at_cfg) || at_fota_add_port(&module->fota, &it->at)) {
		log_line(&module->log, LOG_LEVEL_ERROR, PART, "the AT server refuses its configuration");
		return 1;
	}
	return 0;
}

static int open_lines(struct module *module)
{
	module->tables[0] = at_basic_table();
	module->tables[1] = at_fota_table(&module->fota);
	for (unsigned i = 0; i < module->options->line_count; i++) {
		if (open_line(module, i)) { return 1; }
	}
	return 0;
}

static int open_signals(struct module *module)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL)) { return fail(module, "cannot block", "signals"); }
	module->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return module->signal_fd < 0 ? fail(module, "cannot watch", "signals") : 0;
}

/* Secrets are in memory: no core file, and no reading by other processes. */
static void close_memory(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit) { 0, 0 });
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void take_storage(struct module *module)
{
	enum fota_err result;

	while (posix_store_poll(module->store, &result)) {
		fota_session_storage(&module->session, result);
	}
}

/* Hosts are served when the journal is read: the first AT+FOTALAST? tells the truth.
 * A disk that hangs delays that for two seconds, not for ever. */
static void wait_for_journal(struct module *module)
{
	struct pollfd fd = { .fd = posix_store_fd(module->store), .events = POLLIN };
	uint64_t end_ms = posix_clock_now_ms() + LOAD_MS;

	while (!fota_session_is_quiet(&module->session) && posix_clock_now_ms() < end_ms) {
		(void)poll(&fd, 1, 100);
		take_storage(module);
	}
}

static int open_module(struct module *module)
{
	int status = open_signals(module); /* before any thread begins */

	if (!status) { status = open_storage(module); }
	if (!status) { set_faults(module); }
	if (!status) { status = open_network(module); }
	if (!status) { status = open_session(module); }
	if (!status) { wait_for_journal(module); }
	if (!status) { status = open_lines(module); }
	return status;
}

/* What was said last reaches the hosts before their terminals go away. */
static void drain_lines(struct module *module)
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

static void close_module(struct module *module)
{
	for (unsigned i = 0; i < module->line_count; i++) {
		line_close(&module->lines[i].line);
	}
	posix_http_close(module->http);
	posix_crypto_close(&module->crypto);
	posix_store_close(module->store);
	if (module->signal_fd >= 0) { close(module->signal_fd); }
	free(module->work);
}

/* ---- the loop ---- */

static uint32_t next_ms(const struct module *module, uint64_t now_ms)
{
	uint32_t least = fota_session_next_ms(&module->session);

	for (unsigned i = 0; i < module->line_count; i++) {
		uint32_t at_ms = at_next_ms(&module->lines[i].at, now_ms);

		if (at_ms < least) { least = at_ms; }
		if (module->lines[i].line.is_lost && least > 500) { least = 500; } /* it is tried again */
	}
	if (module->is_going_down && least > 100) { least = 100; }
	return least;
}

static void wait_for_events(struct module *module)
{
	struct pollfd fds[POLL_MAX];
	unsigned count = 0;

	fds[count++] = (struct pollfd) { .fd = module->signal_fd, .events = POLLIN };
	fds[count++] = (struct pollfd) { .fd = posix_store_fd(module->store), .events = POLLIN };
	for (unsigned i = 0; i < module->line_count; i++) {
		count += line_get_polls(&module->lines[i].line, fds + count);
	}
	posix_http_wait(module->http, fds, count, next_ms(module, posix_clock_now_ms()));
}

static void go_down(struct module *module)
{
	if (!module->is_going_down) {
		module->down_ms = posix_clock_now_ms() + module->session.limits.storage_ms + DOWN_EXTRA_MS;
	}
	module->is_going_down = true;
	fota_session_abort(&module->session);
}

/* The second signal does not wait. */
static void take_signals(struct module *module)
{
	struct signalfd_siginfo info;

	while (read(module->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		log_line(&module->log, LOG_LEVEL_INFO, PART, "signal %u: ending", info.ssi_signo);
		if (module->is_going_down) { module->down_ms = 0; }
		go_down(module);
	}
}

static void take_input(struct module_line *it, uint64_t now_ms)
{
	uint8_t bytes[READ_BYTES];
	size_t len = line_read(&it->line, bytes, sizeof(bytes), now_ms);

	if (it->line.is_new_host) {
		it->line.is_new_host = false;
		at_reset(&it->at);
	}
	if (len) { at_feed(&it->at, bytes, len, now_ms); }
}

static bool is_over(const struct module *module)
{
	if (!module->is_going_down) { return false; }
	return fota_session_is_quiet(&module->session) || posix_clock_now_ms() >= module->down_ms;
}

/* Standard input has ended: what runs may end, then so does the program. */
static void take_end_of_input(struct module *module)
{
	for (unsigned i = 0; i < module->line_count; i++) {
		if (module->lines[i].line.is_ended && fota_session_is_quiet(&module->session)) { go_down(module); }
	}
}

static void turn(struct module *module)
{
	uint64_t now_ms;

	wait_for_events(module);
	now_ms = posix_clock_now_ms();
	take_signals(module);
	for (unsigned i = 0; i < module->line_count; i++) {
		take_input(&module->lines[i], now_ms);
	}
	take_storage(module);
	posix_http_perform(module->http);
	fota_session_tick(&module->session);
	for (unsigned i = 0; i < module->line_count; i++) {
		at_tick(&module->lines[i].at, now_ms);
		line_flush(&module->lines[i].line);
	}
	take_end_of_input(module); /* which a flush may have noticed */
}

static void warn_about(const struct module *module)
{
	const struct module_options *options = module->options;

	if (!*options->server_url) {
		log_line(&module->log, LOG_LEVEL_WARN, PART, "no platform: sessions end with 501; give --server URL");
	}
	if (strncmp(options->server_url, "http://", 7) == 0 && !options->allow_http) {
		log_line(&module->log, LOG_LEVEL_WARN, PART,
			 "plain http:// is refused (501): give --allow-http to accept it");
	}
	if (!options->identity[FOTA_IDENTITY_DEVICE] || !options->identity[FOTA_IDENTITY_MODEL]) {
		log_line(&module->log, LOG_LEVEL_WARN, PART,
			 "no identity: sessions are refused (403); give --device and --model");
	}
	if (!options->identity[FOTA_IDENTITY_VERSION]) {
		log_line(&module->log, LOG_LEVEL_WARN, PART,
			 "no version: sessions are refused (404); give --firmware-version");
	}
}

int module_run(const struct module_options *options)
{
	struct module *module = calloc(1, sizeof(*module));
	int status;

	if (!module) { return 1; }
	module->options = options;
	module->signal_fd = -1;
	module->log = (struct log) { .fd = STDERR_FILENO, .level = options->log_level };
	close_memory();
	status = open_module(module);
	if (!status) {
		warn_about(module);
		log_line(&module->log, LOG_LEVEL_INFO, PART, "ready");
		while (!is_over(module)) {
			turn(module);
		}
		drain_lines(module);
		log_line(&module->log, LOG_LEVEL_INFO, PART, "ended");
	}
	close_module(module);
	free(module);
	return status;
}
