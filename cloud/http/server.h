/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: libmicrohttpd with epoll, a thread for each core. */
#ifndef CLOUD_HTTP_SERVER_H
#define CLOUD_HTTP_SERVER_H

#include "fota/err.h"
#include "http/request.h"

struct cloud_server_cfg {
	const char *listen; /* "127.0.0.1:8080", "[::1]:8080"; port 0 = a free one */
	const char *tls_cert_path;
	const char *tls_key_path; /* both or none */
	unsigned thread_count;    /* 0 = one for each core */
	unsigned idle_timeout_s;  /* a connection without traffic is closed after it */
	const struct cloud_route *routes;
	size_t route_count;
	void *app; /* handed to the handlers */
	const struct log *log;
};

struct cloud_server;

/* Listens and serves. Fills `url` ("http://127.0.0.1:8080"). NULL on failure, logged with what
 * to do. `cfg` and what it names must outlive the server. */
struct cloud_server *cloud_server_start(const struct cloud_server_cfg *cfg, char url[128]);

/* Reads certificate and key again, for the connections that come; those that live go on with what they have.
 * Files that cannot serve change nothing. The log says what came of it. */
void cloud_server_reload(struct cloud_server *server);

/* Requests that come from now on are answered 503; those that have begun go on. */
void cloud_server_quiesce(struct cloud_server *server);

/* Ends all connections and frees. Every suspended request must have been resumed. */
void cloud_server_stop(struct cloud_server *server);

#endif
