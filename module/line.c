/* SPDX-License-Identifier: Apache-2.0 */
/* PTY lessons that this file follows: the slave is raw before anybody opens it; one
 * slave descriptor stays open; when the last host closes, what it did not read is
 * dropped, so that old results never greet the next one. */
#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define PART      "line"
#define REOPEN_MS 2000

/* Of a device that is gone the log has one line, not one for each try. */
static enum fota_err complain(const struct line *line, const char *what)
{
	if (line->is_lost) { return FOTA_ERR_IO; }
	log_line(line->log, LOG_LEVEL_ERROR, PART, "%s: %s: %s", line->name, what, strerror(errno));
	return FOTA_ERR_IO;
}

static bool set_raw(int fd, speed_t speed)
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

static void set_nonblocking(int fd)
{
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* ---- PTY ---- */

/* A link that points to another living terminal is replaced, a real file never. */
static enum fota_err make_link(struct line *line, const char *slave)
{
	struct stat st;
	char temporary[4096];

	if (lstat(line->name, &st) == 0 && !S_ISLNK(st.st_mode)) {
		errno = EEXIST;
		return complain(line, "is there and no symbolic link, choose another name");
	}
	if (snprintf(temporary, sizeof(temporary), "%s.%d", line->name, (int)getpid()) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return complain(line, "cannot make the link");
	}
	(void)unlink(temporary);
	if (symlink(slave, temporary) || rename(temporary, line->name)) {
		(void)unlink(temporary);
		return complain(line, "cannot make the link");
	}
	return FOTA_ERR_OK;
}

/* Without inotify every host counts as present. */
static void watch_hosts(struct line *line, const char *slave)
{
	line->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (line->watch_fd >= 0 && inotify_add_watch(line->watch_fd, slave, IN_OPEN | IN_CLOSE) < 0) {
		close(line->watch_fd);
		line->watch_fd = -1;
	}
	if (line->watch_fd < 0) { line->open_count = 1; }
}

static enum fota_err open_pty(struct line *line)
{
	char slave[128];

	line->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line->fd < 0 || grantpt(line->fd) || unlockpt(line->fd) || ptsname_r(line->fd, slave, sizeof(slave))) {
		return complain(line, "cannot make a pseudo terminal");
	}
	line->slave_fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line->slave_fd < 0 || !set_raw(line->slave_fd, B0)) { return complain(line, slave); }
	set_nonblocking(line->fd);
	watch_hosts(line, slave);
	if (make_link(line, slave)) { return FOTA_ERR_IO; }
	log_line(line->log, LOG_LEVEL_INFO, PART, "%s is a pseudo terminal, %s", line->name, slave);
	return FOTA_ERR_OK;
}

static void remove_link(const struct line *line)
{
	char slave[128], target[128];
	ssize_t len = readlink(line->name, target, sizeof(target) - 1);

	if (len <= 0 || ptsname_r(line->fd, slave, sizeof(slave))) { return; }
	target[len] = 0;
	if (strcmp(slave, target) == 0) { (void)unlink(line->name); }
}

static void count_hosts(struct line *line)
{
	_Alignas(struct inotify_event) char events[1024];
	ssize_t len = read(line->watch_fd, events, sizeof(events));
	int before = line->open_count;

	for (ssize_t off = 0; off < len;) {
		const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + off);

		line->open_count += (event->mask & IN_OPEN) ? 1 : 0;
		line->open_count -= (event->mask & IN_CLOSE) && line->open_count > 0 ? 1 : 0;
		off += (ssize_t)(sizeof(*event) + event->len);
	}
	if (before > 0 && line->open_count == 0) {
		line->out_len = 0;
		(void)tcflush(line->slave_fd, TCIFLUSH); /* what the host left unread */
	}
}

/* ---- serial device ---- */

static const struct {
	unsigned long baud;
	speed_t speed;
} speeds[] = {
	{ 1200, B1200 },     { 2400, B2400 },     { 4800, B4800 },     { 9600, B9600 },
	{ 19200, B19200 },   { 38400, B38400 },   { 57600, B57600 },   { 115200, B115200 },
	{ 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 }, { 3000000, B3000000 },
};

static speed_t speed_of(const char *text)
{
	unsigned long baud = strtoul(text, NULL, 10);

	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
		if (speeds[i].baud == baud) { return speeds[i].speed; }
	}
	return B0;
}

static enum fota_err open_tty(struct line *line)
{
	const char *comma = strrchr(line->name, ',');
	speed_t speed = comma ? speed_of(comma + 1) : B115200;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%.*s", comma ? (int)(comma - line->name) : (int)strlen(line->name),
		       line->name);
	if (speed == B0) {
		errno = EINVAL;
		return complain(line, "this baud rate is not known");
	}
	line->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->fd < 0) { return complain(line, "cannot open"); }
	if (!set_raw(line->fd, speed)) { return complain(line, "is no terminal"); }
	return FOTA_ERR_OK;
}

/* ---- TCP ---- */

static bool split_address(const char *text, char *host, size_t host_cap, const char **port)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (!colon || !colon[1] || len >= host_cap) { return false; }
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = 0;
	*port = colon + 1;
	return len > 0;
}

static bool is_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == 0 && port <= 65535;
}

static enum fota_err open_tcp(struct line *line)
{
	static const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *addr = NULL;
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char host[64], service[16] = "";
	const char *port;
	int yes = 1;

	if (!split_address(line->name, host, sizeof(host), &port) || !is_port(port) ||
	    getaddrinfo(host, port, &hints, &addr)) {
		errno = EINVAL;
		return complain(line, "give ADDR:PORT, such as 127.0.0.1:7600");
	}
	line->listen_fd = socket(addr->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (line->listen_fd < 0 || setsockopt(line->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(line->listen_fd, addr->ai_addr, addr->ai_addrlen) || listen(line->listen_fd, 8)) {
		freeaddrinfo(addr);
		return complain(line, "cannot listen");
	}
	freeaddrinfo(addr);
	if (getsockname(line->listen_fd, (struct sockaddr *)&bound, &len) == 0) {
		(void)getnameinfo((struct sockaddr *)&bound, len, NULL, 0, service, sizeof(service), NI_NUMERICSERV);
	}
	log_line(line->log, LOG_LEVEL_INFO, PART, "listening on tcp %s:%s", host, service);
	return FOTA_ERR_OK;
}

/* One host at a time: a second one is told so by the end of its connection. */
static void accept_host(struct line *line)
{
	int yes = 1;
	int fd = accept4(line->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) { return; }
	if (line->fd >= 0) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
	line->fd = fd;
	line->is_new_host = true;
}

/* ---- all kinds ---- */

static enum fota_err open_stdio(struct line *line)
{
	line->fd = STDIN_FILENO;
	line->std_flags[0] = fcntl(STDIN_FILENO, F_GETFL);
	line->std_flags[1] = fcntl(STDOUT_FILENO, F_GETFL); /* before: the two may be one terminal */
	set_nonblocking(STDIN_FILENO);
	set_nonblocking(STDOUT_FILENO);
	return FOTA_ERR_OK;
}

/* Others use the same open files behind us. */
static void give_back_stdio(const struct line *line)
{
	(void)fcntl(STDIN_FILENO, F_SETFL, line->std_flags[0]);
	(void)fcntl(STDOUT_FILENO, F_SETFL, line->std_flags[1]);
}

enum fota_err line_open(struct line *line, const struct line_option *option, const struct log *log)
{
	static enum fota_err (*const open_functions[])(struct line *) = {
		[LINE_PTY] = open_pty,
		[LINE_TTY] = open_tty,
		[LINE_TCP] = open_tcp,
		[LINE_STDIO] = open_stdio,
	};

	memset(line, 0, sizeof(*line));
	line->kind = option->kind;
	line->name = option->value;
	line->log = log;
	line->fd = line->listen_fd = line->slave_fd = line->watch_fd = -1;
	return open_functions[option->kind](line);
}

void line_close(struct line *line)
{
	if (line->kind == LINE_PTY && line->fd >= 0) { remove_link(line); }
	if (line->kind == LINE_STDIO && line->fd >= 0) { give_back_stdio(line); }
	if (line->fd > STDERR_FILENO) { close(line->fd); }
	if (line->listen_fd >= 0) { close(line->listen_fd); }
	if (line->slave_fd >= 0) { close(line->slave_fd); }
	if (line->watch_fd >= 0) { close(line->watch_fd); }
	line->fd = line->listen_fd = line->slave_fd = line->watch_fd = -1;
}

unsigned line_get_polls(const struct line *line, struct pollfd *fds)
{
	unsigned count = 0;

	if (line->fd >= 0 && !line->is_ended) { fds[count++] = (struct pollfd) { .fd = line->fd, .events = POLLIN }; }
	if (line->fd >= 0 && line->out_len) {
		int fd = line->kind == LINE_STDIO ? STDOUT_FILENO : line->fd;

		fds[count++] = (struct pollfd) { .fd = fd, .events = POLLOUT };
	}
	if (line->listen_fd >= 0) { fds[count++] = (struct pollfd) { .fd = line->listen_fd, .events = POLLIN }; }
	if (line->watch_fd >= 0) { fds[count++] = (struct pollfd) { .fd = line->watch_fd, .events = POLLIN }; }
	return count;
}

/* The host is gone: a connection waits for the next one, a device is tried again,
 * standard input stays at its end. */
static void lose_host(struct line *line, uint64_t now_ms)
{
	if (line->kind == LINE_STDIO) {
		line->is_ended = true;
		return;
	}
	if (line->kind == LINE_PTY) { return; }
	if (line->kind == LINE_TTY && !line->is_lost) {
		log_line(line->log, LOG_LEVEL_WARN, PART, "%s: lost, trying again", line->name);
		line->is_lost = true;
	}
	if (line->fd >= 0) { close(line->fd); }
	line->fd = -1;
	line->out_len = 0;
	line->reopen_ms = now_ms + REOPEN_MS;
}

static void try_device(struct line *line, uint64_t now_ms)
{
	if (open_tty(line)) {
		lose_host(line, now_ms);
		return;
	}
	line->is_lost = false;
	log_line(line->log, LOG_LEVEL_INFO, PART, "%s: there again", line->name);
}

static void look_for_host(struct line *line, uint64_t now_ms)
{
	if (line->watch_fd >= 0) { count_hosts(line); }
	if (line->listen_fd >= 0) { accept_host(line); }
	if (line->kind == LINE_TTY && line->fd < 0 && now_ms >= line->reopen_ms) {
		line->reopen_ms = now_ms + REOPEN_MS;
		try_device(line, now_ms);
	}
}

size_t line_read(struct line *line, uint8_t *bytes, size_t cap, uint64_t now_ms)
{
	ssize_t len;

	look_for_host(line, now_ms);
	if (line->fd < 0 || line->is_ended) { return 0; }
	len = read(line->fd, bytes, cap);
	if (len > 0) { return (size_t)len; }
	if (len < 0 && (errno == EAGAIN || errno == EINTR)) { return 0; }
	lose_host(line, now_ms);
	return 0;
}

void line_write(struct line *line, const uint8_t *bytes, size_t len)
{
	size_t room = sizeof(line->out) - line->out_len;

	if (line->fd < 0 || (line->kind == LINE_PTY && line->open_count == 0)) { return; }
	if (len > room) {
		line->dropped_bytes += len - room;
		len = room;
	}
	memcpy(line->out + line->out_len, bytes, len);
	line->out_len += len;
}

/* The end of a pseudo terminal takes with it what the host has not read yet. */
bool line_has_output(const struct line *line)
{
	int unread = 0;

	if (line->fd < 0 || (line->kind == LINE_PTY && line->open_count == 0)) { return false; }
	if (line->kind == LINE_PTY && ioctl(line->slave_fd, FIONREAD, &unread)) { return false; }
	return line->out_len > 0 || unread > 0;
}

void line_flush(struct line *line)
{
	int fd = line->kind == LINE_STDIO ? STDOUT_FILENO : line->fd;
	ssize_t len;

	if (line->out_len == 0 || line->fd < 0) { return; }
	len = write(fd, line->out, line->out_len);
	if (len < 0 && errno != EAGAIN && errno != EINTR) {
		/* Nobody reads any more. Kept, the bytes would wake the loop for ever. */
		line->out_len = 0;
		line->is_ended = line->kind == LINE_STDIO;
		return;
	}
	if (len <= 0) { return; }
	line->out_len -= (size_t)len;
	memmove(line->out, line->out + len, line->out_len);
}
