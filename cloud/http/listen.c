/* SPDX-License-Identifier: Apache-2.0 */
/* The socket is made here and not by libmicrohttpd, so that a wrong address and a busy port
 * have messages of their own, and port 0 can be told. */
#include "http/listen.h"

#include "text.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

static bool split(const char *where, char *host, size_t cap, const char **port)
{
	const char *colon = strrchr(where, ':');
	uint64_t number;
	size_t len;

	/* getaddrinfo would take any port modulo 65536. */
	if (!colon || !cloud_number_get(colon + 1, 65535, &number)) { return false; }
	len = (size_t)(colon - where);
	if (where[0] == '[' && len >= 2 && where[len - 1] == ']') {
		where++;
		len -= 2;
	} else if (memchr(where, ':', len)) {
		return false; /* IPv6 without brackets: which part is the port? */
	}
	if (len == 0 || len >= cap) { return false; }
	memcpy(host, where, len);
	host[len] = 0;
	*port = colon + 1;
	return true;
}

static int open_socket(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0) { return -1; }
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
		return fd;
	}
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

static void show(int fd, char shown[96])
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[64] = "?";
	char port[8] = "?";

	(void)getsockname(fd, (struct sockaddr *)&address, &len);
	(void)getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
			  NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(shown, 96, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

int cloud_listen(const char *where, char shown[96], const struct log *log)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *info = NULL;
	const char *port = NULL;
	char host[64];
	int fd;

	if (!split(where, host, sizeof(host), &port) || getaddrinfo(host, port, &hints, &info) != 0) {
		log_line(log, LOG_LEVEL_ERROR, "http", "cannot read the address '%s': give ADDR:PORT with numbers",
			 where);
		return -1;
	}
	fd = open_socket(info);
	freeaddrinfo(info);
	if (fd < 0) {
		log_line(log, LOG_LEVEL_ERROR, "http", "cannot listen on %s: %s; choose another --listen", where,
			 strerror(errno));
		return -1;
	}
	show(fd, shown);
	return fd;
}
