/* SPDX-License-Identifier: Apache-2.0 */
/* TCP (ADDR:PORT[,rfc2217]) and Unix sockets (PATH, or abstract:NAME). One host at a
 * time: a second one is told so by the end of its connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "line_kinds.h"

#define PART     "line"
#define TELNET   ",rfc2217"
#define ABSTRACT "abstract:"

/* ---- TCP ---- */

static bool is_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == 0 && port <= 65535;
}

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

/* The text without the protocol behind it; false if that one is not known. */
static bool split_protocol(struct line *line, char *address, size_t cap)
{
	const char *comma = strchr(line->name, ',');
	size_t len = comma ? (size_t)(comma - line->name) : strlen(line->name);

	if (len >= cap || (comma && strcmp(comma, TELNET) != 0)) { return false; }
	memcpy(address, line->name, len);
	address[len] = 0;
	line->is_telnet = comma != NULL;
	return true;
}

static void tell_port(const struct line *line, const char *host)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char service[16] = "";

	if (getsockname(line->listen_fd, (struct sockaddr *)&bound, &len) == 0) {
		(void)getnameinfo((struct sockaddr *)&bound, len, NULL, 0, service, sizeof(service), NI_NUMERICSERV);
	}
	log_line(line->log, LOG_LEVEL_INFO, PART, "listening on tcp %s:%s%s", host, service,
		 line->is_telnet ? ", RFC 2217" : "");
}

static enum fota_err open_tcp(struct line *line)
{
	static const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *addr = NULL;
	char address[128], host[64];
	const char *port;
	int yes = 1;

	if (!split_protocol(line, address, sizeof(address)) || !split_address(address, host, sizeof(host), &port) ||
	    !is_port(port) || getaddrinfo(host, port, &hints, &addr)) {
		errno = EINVAL;
		return line_complain(line, "give ADDR:PORT or ADDR:PORT,rfc2217, such as 127.0.0.1:7600");
	}
	line->listen_fd = socket(addr->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (line->listen_fd < 0 || setsockopt(line->listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(line->listen_fd, addr->ai_addr, addr->ai_addrlen) || listen(line->listen_fd, 8)) {
		freeaddrinfo(addr);
		return line_complain(line, "cannot listen");
	}
	freeaddrinfo(addr);
	tell_port(line, host);
	return FOTA_ERR_OK;
}

/* ---- Unix ---- */

/* The length of the address, 0 if the name is too long. */
static socklen_t make_address(const char *name, struct sockaddr_un *addr)
{
	bool is_abstract = strncmp(name, ABSTRACT, strlen(ABSTRACT)) == 0;
	const char *text = is_abstract ? name + strlen(ABSTRACT) : name;
	size_t len = strlen(text);

	*addr = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (len == 0 || len + 1 > sizeof(addr->sun_path)) { return 0; }
	memcpy(addr->sun_path + is_abstract, text, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
}

/* A socket that nobody listens on is left over from before and goes. */
static void remove_old(const char *name, const struct sockaddr_un *addr, socklen_t len)
{
	struct stat st;
	int fd;

	if (addr->sun_path[0] == 0 || lstat(name, &st) || !S_ISSOCK(st.st_mode)) { return; }
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) { return; }
	if (connect(fd, (const struct sockaddr *)addr, len) && errno == ECONNREFUSED) { (void)unlink(name); }
	close(fd);
}

static enum fota_err open_unix(struct line *line)
{
	struct sockaddr_un addr;
	socklen_t len = make_address(line->name, &addr);

	if (len == 0) {
		errno = ENAMETOOLONG;
		return line_complain(line, "give the path of a socket of at most 107 bytes, or abstract:NAME");
	}
	remove_old(line->name, &addr, len);
	line->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (line->listen_fd < 0 || bind(line->listen_fd, (struct sockaddr *)&addr, len)) {
		if (line->listen_fd >= 0) { close(line->listen_fd); }
		line->listen_fd = -1; /* the name belongs to somebody else: it is not removed at the end */
		return line_complain(line, "cannot listen");
	}
	if (listen(line->listen_fd, 8)) { return line_complain(line, "cannot listen"); }
	log_line(line->log, LOG_LEVEL_INFO, PART, "listening on unix %s", line->name);
	return FOTA_ERR_OK;
}

static void close_unix(struct line *line)
{
	bool is_path = strncmp(line->name, ABSTRACT, strlen(ABSTRACT)) != 0;

	if (is_path && line->listen_fd >= 0) { (void)unlink(line->name); }
}

/* ---- both ---- */

static bool is_leaving(const struct line *line)
{
	struct pollfd fd = { .fd = line->fd, .events = POLLRDHUP };

	return line->fd >= 0 && poll(&fd, 1, 0) > 0 && (fd.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* While a host leaves, the next one waits: what the first one sent is read to its end. */
static void accept_host(struct line *line, uint64_t now_ms)
{
	int yes = 1;
	int fd = is_leaving(line) ? -1 : accept4(line->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)now_ms;
	if (fd < 0) { return; }
	if (line->fd >= 0) {
		close(fd);
		return;
	}
	if (line->kind == LINE_TCP) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
	}
	rfc2217_init(&line->telnet);
	line->fd = fd;
	line->is_new_host = true;
}

static void lose(struct line *line, uint64_t now_ms)
{
	(void)now_ms;
	line_hang_up(line);
}

const struct line_ops line_tcp_ops = { open_tcp, NULL, accept_host, lose };
const struct line_ops line_unix_ops = { open_unix, close_unix, accept_host, lose };
