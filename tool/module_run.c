/* SPDX-License-Identifier: Apache-2.0 */
/* Signals come in as readable bytes (signalfd), so that there is neither a handler nor
 * a variable of the process. */
#include "module_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "progress.h"

#define READ_BYTES     4096u
#define OUT_BYTES      4096u /* one command and all tries of AT before it */
#define POLL_MAX_MS    60000u
#define SIGNAL_END_NOW 2u

struct run {
	struct module_port *port;
	struct module_session session;
	const struct module_session_cfg *outer;
	uint8_t out[OUT_BYTES];
	size_t out_len;
	unsigned signal_count;
	int signal_fd;
};

static bool is_try_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* False if the port is gone. */
static bool flush_out(int fd, uint8_t *out, size_t *len)
{
	while (*len > 0) {
		ssize_t put = write(fd, out, *len);

		if (put < 0) { return is_try_later(); }
		*len -= (size_t)put;
		memmove(out, out + put, *len);
		explicit_bzero(out + *len, (size_t)put);
	}
	return true;
}

static void take_event(void *ctx, const struct module_event *event)
{
	struct run *run = ctx;

	run->outer->event(run->outer->event_ctx, event);
	/* A module that takes nothing any more is noticed by its silence. */
	if (event->kind != MODULE_EVENT_SEND || event->send.len > OUT_BYTES - run->out_len) { return; }
	memcpy(run->out + run->out_len, event->send.ptr, event->send.len);
	run->out_len += event->send.len;
}

static void take_input(struct run *run)
{
	uint8_t bytes[READ_BYTES];
	ssize_t got = read(run->port->fd, bytes, sizeof bytes);

	if (got < 0 && is_try_later()) { return; }
	if (got <= 0) {
		module_session_gone(&run->session); /* a PTY whose other end closed reads EIO */
		return;
	}
	module_session_feed(&run->session, (struct fota_bytes) { bytes, (size_t)got }, tool_now_ms());
}

static void take_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) { return; }
	if (++run->signal_count < SIGNAL_END_NOW) {
		module_session_cancel(&run->session, tool_now_ms());
	} else {
		module_session_abandon(&run->session);
	}
}

static void turn(struct run *run)
{
	struct pollfd fds[] = {
		{ .fd = run->port->fd, .events = (short)(POLLIN | (run->out_len ? POLLOUT : 0)) },
		{ .fd = run->signal_fd, .events = POLLIN },
	};
	uint64_t wait_ms = module_session_wait_ms(&run->session, tool_now_ms());

	if (poll(fds, 2, (int)(wait_ms < POLL_MAX_MS ? wait_ms : POLL_MAX_MS)) > 0) {
		if (fds[1].revents) { take_signal(run); }
		if (fds[0].revents & ~POLLOUT) { take_input(run); }
	}
	if (!flush_out(run->port->fd, run->out, &run->out_len)) { module_session_gone(&run->session); }
	module_session_tick(&run->session, tool_now_ms());
}

static void loop(struct run *run)
{
	struct module_session_cfg cfg = *run->outer;

	cfg.event = take_event;
	cfg.event_ctx = run;
	module_session_init(&run->session, &cfg, tool_now_ms());
	while (!module_session_is_ended(&run->session)) {
		turn(run);
	}
}

enum tool_status module_run(struct module_port *port, const struct module_session_cfg *cfg, struct tool_error *err)
{
	struct run run = { .port = port, .outer = cfg };
	sigset_t signals, before;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);
	run.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run.signal_fd < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return tool_fail(err, TOOL_STATUS_FAIL, "signals cannot be set up: %s", strerror(errno));
	}
	loop(&run);
	close(run.signal_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	explicit_bzero(&run, sizeof run);
	return TOOL_STATUS_OK;
}

struct question {
	struct at_reader reader;
	struct module_answer answer;
	const char *command;
	void (*line)(void *ctx, const char *text);
	void *line_ctx;
};

static void take_answer(struct question *question, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && question->answer.final == AT_FINAL_NONE; i++) {
		const char *text = question->reader.line;

		if (!at_reader_feed(&question->reader, bytes[i]) || strcmp(text, question->command) == 0) { continue; }
		question->line(question->line_ctx, text);
		question->answer.final = at_final_of(text, NULL);
	}
}

/* One turn of at most wait_ms. */
static void ask_turn(struct question *question, int fd, uint8_t *out, size_t *out_len, uint64_t wait_ms)
{
	struct pollfd wait = { .fd = fd, .events = (short)(POLLIN | (*out_len ? POLLOUT : 0)) };
	uint8_t bytes[READ_BYTES];
	ssize_t got;

	if (poll(&wait, 1, (int)wait_ms) <= 0) { return; }
	if (!flush_out(fd, out, out_len)) { question->answer.is_gone = true; }
	if (!(wait.revents & ~POLLOUT)) { return; }
	got = read(fd, bytes, sizeof bytes);
	if (got > 0) {
		take_answer(question, bytes, (size_t)got);
	} else if (got == 0 || !is_try_later()) {
		question->answer.is_gone = true;
	}
}

struct module_answer module_ask(struct module_port *port, const char *command, uint32_t timeout_ms,
				void (*line)(void *ctx, const char *text), void *line_ctx)
{
	struct question question = { .command = command, .line = line, .line_ctx = line_ctx };
	uint64_t end_ms = tool_now_ms() + timeout_ms;
	uint8_t out[OUT_BYTES];
	size_t len = strlen(command);

	if (len > sizeof out - 1) { return question.answer; }
	memcpy(out, command, len);
	out[len++] = '\r';
	at_reader_init(&question.reader);
	while (question.answer.final == AT_FINAL_NONE && !question.answer.is_gone) {
		uint64_t now_ms = tool_now_ms();

		if (now_ms >= end_ms) { break; }
		ask_turn(&question, port->fd, out, &len, end_ms - now_ms);
	}
	explicit_bzero(out, sizeof out);
	return question.answer;
}
