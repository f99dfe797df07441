/* SPDX-License-Identifier: Apache-2.0 */
/* Modem-control lines are left alone: a PTY has none, and dropping DTR restarts some
 * modules. */
#include "module_port.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CONNECT_MS      10000
#define HOST_MAX_BYTES  256u
#define PTY_MAJOR_FIRST 136u /* Linux: majors 136 to 143 are the slaves of PTYs */
#define PTY_MAJOR_LAST  143u

struct baud_row {
	const char *text;
	speed_t speed;
};

static const struct baud_row baud_rows[] = {
	{ "115200", B115200 },   { "1200", B1200 },       { "2400", B2400 },       { "4800", B4800 },
	{ "9600", B9600 },       { "19200", B19200 },     { "38400", B38400 },     { "57600", B57600 },
	{ "230400", B230400 },   { "460800", B460800 },   { "921600", B921600 },   { "1000000", B1000000 },
	{ "1500000", B1500000 }, { "2000000", B2000000 }, { "3000000", B3000000 }, { "4000000", B4000000 },
};

static const struct baud_row *find_baud(const char *text)
{
	if (!text) { return &baud_rows[0]; }
	for (size_t i = 0; i < sizeof baud_rows / sizeof *baud_rows; i++) {
		if (strcmp(baud_rows[i].text, text) == 0) { return &baud_rows[i]; }
	}
	return NULL;
}

static bool is_pty(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && major(st.st_rdev) >= PTY_MAJOR_FIRST && major(st.st_rdev) <= PTY_MAJOR_LAST;
}

static enum tool_status set_raw(struct module_port *port, const char *name, speed_t speed, struct tool_error *err)
{
	struct termios raw;

	if (tcgetattr(port->fd, &port->before)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is not a serial device or PTY: %s", name, strerror(errno));
	}
	raw = port->before;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	raw.c_cflag &= ~(tcflag_t)(CRTSCTS | CSTOPB);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (cfsetspeed(&raw, speed) || tcsetattr(port->fd, TCSANOW, &raw)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s cannot be set up: %s", name, strerror(errno));
	}
	port->is_terminal = true;
	tcflush(port->fd, TCIFLUSH); /* what was said before we came is not for us */
	return TOOL_STATUS_OK;
}

static enum tool_status set_up(struct module_port *port, const char *name, speed_t speed, struct tool_error *err)
{
	if (flock(port->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is in use by another program; end that first", name);
	}
	/* On a PTY the mark would outlive us, since the module holds the device open too. */
	if (!is_pty(port->fd)) { port->is_exclusive = ioctl(port->fd, TIOCEXCL) == 0; }
	return set_raw(port, name, speed, err);
}

static enum tool_status fail_open(const char *name, struct tool_error *err)
{
	const char *advice = errno == EACCES ? "; this user may not open it, its group (ls -l) may" : "";

	return tool_fail(err, TOOL_STATUS_FAIL, "cannot open %s: %s%s", name, strerror(errno), advice);
}

static enum tool_status open_device(struct module_port *port, const char *name, const char *baud,
				    struct tool_error *err)
{
	const struct baud_row *row = find_baud(baud);
	enum tool_status status;

	if (!row) {
		return tool_fail(err, TOOL_STATUS_FAIL, "'%s' is no baud rate of a serial line; 115200 is usual", baud);
	}
	port->fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (port->fd < 0) { return fail_open(name, err); }
	status = set_up(port, name, row->speed, err);
	if (status) { module_port_close(port); }
	return status;
}

/* 0, or the errno of the failure. */
static int connect_within(int fd, const struct addrinfo *address)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int reason = 0;
	socklen_t len = sizeof reason;

	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0) { return 0; }
	if (errno != EINPROGRESS) { return errno; }
	if (poll(&wait, 1, CONNECT_MS) != 1) { return ETIMEDOUT; }
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len) ? errno : reason;
}

static int connect_any(const struct addrinfo *address, int *fd)
{
	int reason = EADDRNOTAVAIL;

	for (; address; address = address->ai_next) {
		*fd = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (*fd < 0) { return errno; }
		reason = connect_within(*fd, address);
		if (reason == 0) { return 0; }
		close(*fd);
		*fd = -1;
	}
	return reason;
}

/* "HOST:PORT" or "[ADDRESS]:PORT"; false if it is neither. */
static bool split_address(const char *text, char *host, const char **service)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (len == 0 || colon[1] == '\0') { return false; }
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= HOST_MAX_BYTES) { return false; }
	memcpy(host, text, len);
	host[len] = '\0';
	*service = colon + 1;
	return true;
}

static enum tool_status open_tcp(struct module_port *port, const char *name, struct tool_error *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	const int on = 1;
	struct addrinfo *addresses = NULL;
	char host[HOST_MAX_BYTES];
	const char *service;
	int reason;

	if (!split_address(name + 4, host, &service)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "'%s' is not of the form tcp:HOST:PORT", name);
	}
	reason = getaddrinfo(host, service, &hints, &addresses);
	if (reason) { return tool_fail(err, TOOL_STATUS_MODULE, "cannot resolve %s: %s", name, gai_strerror(reason)); }
	reason = connect_any(addresses, &port->fd);
	freeaddrinfo(addresses);
	if (reason) { return tool_fail(err, TOOL_STATUS_MODULE, "cannot connect to %s: %s", name, strerror(reason)); }
	setsockopt(port->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(port->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	return TOOL_STATUS_OK;
}

enum tool_status module_port_open(struct module_port *port, const char *name, const char *baud, struct tool_error *err)
{
	*port = (struct module_port) { .fd = -1 };
	if (strncmp(name, "tcp:", 4) == 0) { return open_tcp(port, name, err); }
	return open_device(port, name, baud, err);
}

void module_port_close(struct module_port *port)
{
	if (port->fd < 0) { return; }
	if (port->is_terminal) { tcsetattr(port->fd, TCSANOW, &port->before); }
	if (port->is_exclusive) { ioctl(port->fd, TIOCNXCL); }
	close(port->fd);
	port->fd = -1;
}
