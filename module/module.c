/* SPDX-License-Identifier: Apache-2.0 */
/* One thread, one loop: wait for hosts, network, storage and signals; hand what came
 * to the library; send what it wrote. Nothing in a turn of the loop waits for a disk
 * or a peer. */
#include "module_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "posix_clock.h"

#define READ_BYTES    1024
#define DOWN_EXTRA_MS 2000 /* between SIGTERM and the end, besides one storage operation */
#define POLL_MAX      (3 + CHILD_POLL_MAX + MODULE_LINE_MAX * LINE_POLL_MAX)

/* ---- the loop ---- */

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t next_rehearsed_ms(const struct module *module, uint64_t now_ms)
{
	uint32_t least = module->rehearsal ? rehearsal_next_ms(module->rehearsal) : UINT32_MAX;

	for (unsigned i = 0; i < module->line_count; i++) {
		least = lesser(least, line_next_ms(&module->lines[i].line, now_ms));
	}
	return least;
}

static uint32_t next_ms(const struct module *module, uint64_t now_ms)
{
	uint32_t least = fota_session_next_ms(&module->session);

	for (unsigned i = 0; i < module->line_count; i++) {
		uint32_t at_ms = mux_next_ms(&module->lines[i].mux, now_ms);

		if (at_ms < least) { least = at_ms; }
		if (module->lines[i].line.is_lost && least > 500) { least = 500; } /* it is tried again */
	}
	least = lesser(least, next_rehearsed_ms(module, now_ms));
	if (module->system.is_real) { least = lesser(least, installer_next_ms(&module->system.runner, now_ms)); }
	if (module->is_going_down && least > 100) { least = 100; }
	if (module->is_restarting && least > 20) { least = 20; }
	return least;
}

static void wait_for_events(struct module *module)
{
	struct pollfd fds[POLL_MAX];
	unsigned count = 0;

	fds[count++] = (struct pollfd) { .fd = module->signal_fd, .events = POLLIN };
	fds[count++] = (struct pollfd) { .fd = settings_fd(&module->settings), .events = POLLIN };
	if (module->store) { fds[count++] = (struct pollfd) { .fd = posix_store_fd(module->store), .events = POLLIN }; }
	if (module->system.is_real) { count += installer_get_polls(&module->system.runner, fds + count); }
	for (unsigned i = 0; i < module->line_count; i++) {
		count += line_get_polls(&module->lines[i].line, fds + count);
	}
	posix_http_wait(module->http, fds, count, next_ms(module, posix_clock_now_ms()));
}

void module_go_down(struct module *module)
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
		log_line(&module->log, LOG_LEVEL_INFO, MODULE_PART, "signal %u: ending", info.ssi_signo);
		if (module->is_going_down) { module->down_ms = 0; }
		module_go_down(module);
	}
}

static size_t read_line(struct module_line *it, uint8_t bytes[READ_BYTES], uint64_t now_ms)
{
	size_t len = line_read(&it->line, bytes, READ_BYTES, now_ms);

	if (it->line.is_new_host || it->line.is_host_gone) { mux_lose(&it->mux); }
	if (it->line.is_new_host) { at_reset(&it->at); }
	if (it->line.is_host_gone) { at_drop_line(&it->at); }
	it->line.is_new_host = it->line.is_host_gone = false;
	return len;
}

static void take_input(struct module *module, struct module_line *it, uint64_t now_ms)
{
	uint8_t bytes[READ_BYTES];
	size_t len = read_line(it, bytes, now_ms);

	if (len && !module->is_restarting) { mux_feed(&it->mux, bytes, len, now_ms); }
	explicit_bzero(bytes, len); /* a command's secret may be in it */
}

static bool is_system_busy(const struct module *module)
{
	return module->system.is_real && installer_is_busy(&module->system.runner);
}

static bool is_over(const struct module *module)
{
	if (!module->is_going_down) { return false; }
	return (fota_session_is_quiet(&module->session) && !is_system_busy(module)) ||
	       posix_clock_now_ms() >= module->down_ms;
}

/* Standard input has ended: what runs may end, then so does the program. */
static void take_end_of_input(struct module *module)
{
	for (unsigned i = 0; i < module->line_count; i++) {
		bool is_busy = module->is_restarting || settings_is_writing(&module->settings) ||
			       !fota_session_is_quiet(&module->session) || is_system_busy(module);

		if (module->lines[i].line.is_ended && !is_busy) { module_go_down(module); }
	}
}

/* The power goes without a word: nothing that waits is told any more, what was stored
 * stays. */
static void cut_power(struct module *module, uint32_t boot_ms)
{
	rehearsal_restart(module->rehearsal);
	if (fota_session_init(&module->session, &module->session_cfg)) { return; }
	fota_session_abort(&module->session); /* it only waits for the start */
	for (unsigned i = 0; i < module->line_count; i++) {
		mux_lose(&module->lines[i].mux);
		at_reset(&module->lines[i].at);
		if (module->bads[i]) { badline_restart(module->bads[i]); }
	}
	module->is_restarting = true;
	module->boot_ms = posix_clock_now_ms() + boot_ms;
}

static bool is_line_cut(struct module *module)
{
	bool is_cut = false;

	for (unsigned i = 0; i < module->line_count; i++) {
		is_cut = (module->bads[i] && badline_take_cut(module->bads[i])) || is_cut;
	}
	return is_cut;
}

/* A real session is ended in order, for its storage may be in the middle of a write. */
static void go_on_with_rehearsal(struct module *module)
{
	uint32_t boot_ms = module->rehearsal_file.boot_ms;
	bool is_cut = is_line_cut(module);

	if (is_cut && !module->rehearsal) { module_restart(module); }
	if (!module->rehearsal) { return; }
	rehearsal_perform(module->rehearsal);
	if (rehearsal_take_restart(module->rehearsal, &boot_ms) || is_cut) { cut_power(module, boot_ms); }
}

static void turn(struct module *module)
{
	uint64_t now_ms;

	wait_for_events(module);
	now_ms = posix_clock_now_ms();
	take_signals(module);
	for (unsigned i = 0; i < module->line_count; i++) {
		take_input(module, &module->lines[i], now_ms);
	}
	module_take_storage(module);
	settings_perform(&module->settings, now_ms);
	posix_http_perform(module->http);
	if (module->system.is_real) { installer_perform(&module->system.runner, now_ms); }
	go_on_with_rehearsal(module);
	fota_session_tick(&module->session);
	module_take_restart(module);
	for (unsigned i = 0; i < module->line_count; i++) {
		mux_tick(&module->lines[i].mux, now_ms);
		mux_flush(&module->lines[i].mux);
		line_flush(&module->lines[i].line);
	}
	take_end_of_input(module); /* which a flush may have noticed */
}

/* What waits for the end of a pause is told before. */
static void end_muxes(struct module *module)
{
	uint64_t late_ms = posix_clock_now_ms() + MODULE_PAUSE_MS;

	for (unsigned i = 0; i < module->line_count; i++) {
		mux_tick(&module->lines[i].mux, late_ms);
		mux_end(&module->lines[i].mux);
		line_flush(&module->lines[i].line);
	}
}

static void warn_about(const struct module *module)
{
	const struct module_options *options = module->options;
	const char *server_url = settings_server(&module->settings);

	if (module->rehearsal) {
		log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART, "rehearsing %s: nothing of it is real",
			 options->rehearsal);
		return;
	}
	if (!*server_url) {
		log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART,
			 "no platform: sessions end with 501; give --server URL");
	}
	if (strncmp(server_url, "http://", 7) == 0 && !options->allow_http) {
		log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART,
			 "plain http:// is refused (501): give --allow-http to accept it");
	}
	if (!options->trust_count) {
		log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART,
			 "no trusted key: every package is refused (306); give --trust FILE");
	}
	if (!options->identity[FOTA_IDENTITY_DEVICE] || !options->identity[FOTA_IDENTITY_MODEL]) {
		log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART,
			 "no identity: sessions are refused (403); give --device and --model");
	}
	if (!options->identity[FOTA_IDENTITY_VERSION]) {
		log_line(&module->log, LOG_LEVEL_WARN, MODULE_PART,
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
	status = module_open(module);
	if (!status) {
		warn_about(module);
		if (options->boot_messages) { at_network_boot(&module->network); }
		log_line(&module->log, LOG_LEVEL_INFO, MODULE_PART, "ready");
		while (!is_over(module)) {
			turn(module);
		}
		end_muxes(module);
		module_drain_lines(module);
		log_line(&module->log, LOG_LEVEL_INFO, MODULE_PART, "ended");
	}
	module_close(module);
	free(module);
	return status;
}
