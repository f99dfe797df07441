/* SPDX-License-Identifier: Apache-2.0 */
/* What all lines have in common: the descriptors, the buffer to the host, and standard
 * input and output. Bytes of a telnet line are unescaped behind the read and escaped
 * before the write, so that a purge of what waits never cuts an escape in two. */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "line_kinds.h"
#include "posix_clock.h"

#define PART "line"

/* Of a device that is gone the log has one line, not one for each try. */
enum fota_err line_complain(const struct line *line, const char *what)
{
	if (line->is_lost) { return FOTA_ERR_IO; }
	log_line(line->log, LOG_LEVEL_ERROR, PART, "%s: %s: %s", line->name, what, strerror(errno));
	return FOTA_ERR_IO;
}

bool line_set_raw(int fd, speed_t speed)
{
	struct termios tio;

	if (tcgetattr(fd, &tio)) { return false; }
	cfmakeraw(&tio);
	tio.c_cflag |= CLOCAL | CREAD;
	if (speed != B0) {
		(void)cfsetispeed(&tio, speed);
		(void)cfsetospeed(&tio, speed);
	}
	return tcsetattr(fd, TCSANOW, &tio) == 0;
}

void line_set_nonblocking(int fd)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void line_hang_up(struct line *line)
{
	if (line->fd >= 0) { close(line->fd); }
	line->fd = -1;
	line->out_len = 0;
	line->wire_len = 0;
}

/* ---- standard input and output ---- */

static enum fota_err open_stdio(struct line *line)
{
	line->fd = STDIN_FILENO;
	line->std_flags[0] = fcntl(STDIN_FILENO, F_GETFL);
	line->std_flags[1] = fcntl(STDOUT_FILENO, F_GETFL); /* before: the two may be one terminal */
	line_set_nonblocking(STDIN_FILENO);
	line_set_nonblocking(STDOUT_FILENO);
	return FOTA_ERR_OK;
}

static void end_stdio(struct line *line, uint64_t now_ms)
{
	(void)now_ms;
	line->is_ended = true;
}

/* Others use the same open files behind us. */
static void give_back_stdio(struct line *line)
{
	if (line->fd < 0) { return; }
	(void)fcntl(STDIN_FILENO, F_SETFL, line->std_flags[0]);
	(void)fcntl(STDOUT_FILENO, F_SETFL, line->std_flags[1]);
}

const struct line_ops line_stdio_ops = { open_stdio, give_back_stdio, NULL, end_stdio };

static int out_fd(const struct line *line)
{
	return line->kind == LINE_STDIO ? STDOUT_FILENO : line->fd;
}

/* ---- all kinds ---- */

static const struct line_ops *ops_of(const struct line *line)
{
	static const struct line_ops *const ops[] = {
		[LINE_PTY] = &line_pty_ops,   [LINE_TTY] = &line_tty_ops,     [LINE_TCP] = &line_tcp_ops,
		[LINE_UNIX] = &line_unix_ops, [LINE_STDIO] = &line_stdio_ops,
	};

	return ops[line->kind];
}

enum fota_err line_open(struct line *line, const struct line_option *option, const struct log *log)
{
	memset(line, 0, sizeof(*line));
	line->kind = option->kind;
	line->name = option->value;
	line->log = log;
	line->fd = line->listen_fd = line->slave_fd = line->watch_fd = -1;
	return ops_of(line)->open(line);
}

void line_close_descriptors(struct line *line)
{
	if (line->fd > STDERR_FILENO) { close(line->fd); }
	if (line->listen_fd >= 0) { close(line->listen_fd); }
	if (line->slave_fd >= 0) { close(line->slave_fd); }
	if (line->watch_fd >= 0) { close(line->watch_fd); }
	line->fd = line->listen_fd = line->slave_fd = line->watch_fd = -1;
}

void line_close(struct line *line)
{
	if (ops_of(line)->close) { ops_of(line)->close(line); }
	line_close_descriptors(line);
}

/* A telnet peer that asks and does not read the answers is not heard until it does. */
static bool is_reading(const struct line *line)
{
	if (line->bad && badline_is_stalled(line->bad, posix_clock_now_ms())) { return false; }
	return line->fd >= 0 && !line->is_ended && !line->is_drained &&
	       !(line->is_telnet && rfc2217_has_replies(&line->telnet));
}

static bool is_writing(const struct line *line)
{
	if (line->fd < 0) { return false; }
	if (!line->is_telnet) { return line->out_len > 0; }
	return line->wire_len > 0 || rfc2217_has_replies(&line->telnet) ||
	       (line->out_len > 0 && !rfc2217_is_suspended(&line->telnet));
}

unsigned line_get_polls(const struct line *line, struct pollfd *fds)
{
	unsigned count = 0;
	short events = (short)((is_reading(line) ? POLLIN : 0) | (is_writing(line) ? POLLOUT : 0));

	if (line->kind == LINE_STDIO) {
		if (is_reading(line)) { fds[count++] = (struct pollfd) { .fd = line->fd, .events = POLLIN }; }
		if (is_writing(line)) { fds[count++] = (struct pollfd) { .fd = STDOUT_FILENO, .events = POLLOUT }; }
	} else if (events) {
		fds[count++] = (struct pollfd) { .fd = line->fd, .events = events };
	}
	if (line->listen_fd >= 0) { fds[count++] = (struct pollfd) { .fd = line->listen_fd, .events = POLLIN }; }
	if (line->watch_fd >= 0) { fds[count++] = (struct pollfd) { .fd = line->watch_fd, .events = POLLIN }; }
	return count;
}

static size_t take_telnet(struct line *line, uint8_t *bytes, size_t len)
{
	size_t data_len = rfc2217_take(&line->telnet, bytes, len);

	if (rfc2217_get_purge(&line->telnet)) { line->out_len = 0; }
	return data_len;
}

static void look(struct line *line, uint64_t now_ms)
{
	if (ops_of(line)->look) { ops_of(line)->look(line, now_ms); }
}

static size_t read_host(struct line *line, uint8_t *bytes, size_t cap, uint64_t now_ms)
{
	ssize_t len;

	if (!is_reading(line)) { return 0; }
	if (line->is_telnet && cap > RFC2217_TAKE_MAX) { cap = RFC2217_TAKE_MAX; }
	len = read(line->fd, bytes, cap);
	/* who sent it may have come behind the last look */
	if (len > 0 && line->kind == LINE_PTY && !line->has_host) { look(line, now_ms); }
	if (len > 0) { return line->is_telnet ? take_telnet(line, bytes, (size_t)len) : (size_t)len; }
	if (len < 0 && (errno == EAGAIN || errno == EINTR)) { return 0; }
	ops_of(line)->lose(line, now_ms);
	return 0;
}

size_t line_read(struct line *line, uint8_t *bytes, size_t cap, uint64_t now_ms)
{
	look(line, now_ms);
	if (!line->bad) { return read_host(line, bytes, cap, now_ms); }
	badline_put_in(line->bad, bytes, read_host(line, bytes, cap, now_ms), now_ms);
	return badline_take_in(line->bad, bytes, cap, now_ms);
}

size_t line_get_room(const struct line *line)
{
	return sizeof(line->out) - line->out_len;
}

static void append(struct line *line, const uint8_t *bytes, size_t len)
{
	size_t room = line_get_room(line);

	if (len > room) {
		line->dropped_bytes += len - room;
		len = room;
	}
	memcpy(line->out + line->out_len, bytes, len);
	line->out_len += len;
}

void line_write(struct line *line, const uint8_t *bytes, size_t len)
{
	if (line->fd < 0 || (line->kind == LINE_PTY && !line->has_host)) { return; }
	if (line->bad) {
		badline_put_out(line->bad, bytes, len, posix_clock_now_ms());
	} else {
		append(line, bytes, len);
	}
}

void line_spoil(struct line *line, struct badline *bad)
{
	line->bad = bad;
}

uint32_t line_next_ms(const struct line *line, uint64_t now_ms)
{
	return line->bad ? badline_next_ms(line->bad, now_ms) : UINT32_MAX;
}

/* What a bad line lets through by now. */
static void take_late(struct line *line)
{
	uint8_t bytes[256];
	size_t len = line->bad ? badline_take_out(line->bad, bytes, sizeof(bytes), posix_clock_now_ms()) : 0;

	while (len) {
		append(line, bytes, len);
		len = badline_take_out(line->bad, bytes, sizeof(bytes), posix_clock_now_ms());
	}
}

/* The end of a pseudo terminal takes with it what the host has not read yet. */
bool line_has_output(const struct line *line)
{
	if (line->fd < 0 || (line->kind == LINE_PTY && !line->has_host)) { return false; }
	return line->out_len > 0 || line->wire_len > 0 || (line->kind == LINE_PTY && line_pty_is_unread(line));
}

/* Gives what is left. What was sent may be the echo of a secret: nothing of it stays. */
static size_t take_front(uint8_t *bytes, size_t len, size_t taken)
{
	memmove(bytes, bytes + taken, len - taken);
	explicit_bzero(bytes + len - taken, taken);
	return len - taken;
}

/* The bytes that were not sent move to the front. If the host's end is broken nothing
 * waits for it any more; the next read notices that the host is gone. */
static size_t send_front(struct line *line, uint8_t *bytes, size_t len)
{
	ssize_t sent = len > 0 ? write(out_fd(line), bytes, len) : 0;

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		rfc2217_init(&line->telnet);
		line->is_ended = line->kind == LINE_STDIO; /* nobody reads any more: as the end of input */
		return 0;
	}
	if (sent <= 0) { return len; }
	return take_front(bytes, len, (size_t)sent);
}

/* Answers to the client's questions go before data, for data may be suspended. */
static void fill_wire(struct line *line)
{
	size_t taken = 0;

	line->wire_len = rfc2217_get_replies(&line->telnet, line->wire, sizeof(line->wire));
	if (!rfc2217_is_suspended(&line->telnet)) {
		line->wire_len += rfc2217_escape(line->wire + line->wire_len, sizeof(line->wire) - line->wire_len,
						 line->out, line->out_len, &taken);
	}
	line->out_len = take_front(line->out, line->out_len, taken);
}

void line_flush(struct line *line)
{
	if (line->fd < 0) { return; }
	take_late(line);
	if (!line->is_telnet) {
		line->out_len = send_front(line, line->out, line->out_len);
		return;
	}
	if (line->wire_len == 0) { fill_wire(line); }
	line->wire_len = send_front(line, line->wire, line->wire_len);
}
