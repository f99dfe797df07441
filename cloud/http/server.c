/* SPDX-License-Identifier: Apache-2.0 */
/* Glue between libmicrohttpd and the routing table.
 *
 * libmicrohttpd calls on_request once with the head, then with pieces of the body, then once more
 * with nothing. An answer can only be queued at the first or the last of these: an error
 * that is known earlier waits until a small body was read (the connection lives on), or is sent at once if
 * the body is large (the connection is closed after it). */
#include "http/server.h"

#include "http/credentials.h"
#include "http/listen.h"
#include "http/router.h"
#include "text.h"
#include "wipe.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONNECTION_MEMORY_BYTES 6144u /* head of a request and of its answer */
#define CONNECTION_MAX          20000u
#define DRAIN_MAX_BYTES         65536u /* of a body that nobody wants */
#define OPTION_MAX              16u
#define FD_SPARE                128u /* files that are not connections */
/* No key exchange whose recordings a stolen key opens later. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA"

struct cloud_server {
	struct cloud_server_cfg cfg;
	struct MHD_Daemon *daemon;
	struct cloud_credentials *credentials; /* NULL: no TLS */
	atomic_bool is_closing;                /* whoever asks from now on is sent away */
};

static void free_request(struct cloud_request *request)
{
	if (request->response) { MHD_destroy_response(request->response); }
	if (request->free_state) { request->free_state(request->state); }
	wipe_free(request->body);
	free(request);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
			 enum MHD_RequestTerminationCode toe)
{
	struct cloud_request *request = *con_cls;

	(void)cls;
	(void)connection;
	(void)toe;
	*con_cls = NULL;
	if (!request) { return; }
	if (request->route && request->route->stream && request->is_begun && !request->is_ended) {
		request->route->stream->broken(request);
	}
	free_request(request);
}

static void read_length(struct cloud_request *request)
{
	const char *text = cloud_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);

	request->has_length = text && cloud_number_get(text, INT64_MAX, &request->length);
}

static void answer_no_method(struct cloud_request *request, const char *allowed)
{
	cloud_answer_problem(request, MHD_HTTP_METHOD_NOT_ALLOWED, "see the header Allow for the methods of this path");
	if (request->response) { MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW, allowed); }
}

static void check_body(struct cloud_request *request)
{
	const struct cloud_route *route = request->route;
	/* A route without a body still gets "{}" from clients that always send one. */
	size_t max = route->body_max ? route->body_max : 1024;

	if (route->stream) {
		if (request->has_length) { return; }
		cloud_answer_problem(request, MHD_HTTP_LENGTH_REQUIRED, "send the body with Content-Length");
	} else if (request->has_length && request->length > max) {
		cloud_answer_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, "send a smaller body to this path");
	}
}

static void begin_request(struct cloud_server *server, struct cloud_request *request, const char *method,
			  const char *path)
{
	char allowed[64];

	read_length(request);
	request->is_head = strcmp(method, "HEAD") == 0;
	if (atomic_load(&server->is_closing)) {
		cloud_answer_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
				     "the platform is going down or starting anew; try again");
		return;
	}
	switch (cloud_route_find(server->cfg.routes, server->cfg.route_count, method, path, &request->route,
				 request->id, allowed)) {
	case CLOUD_ROUTE_NO_PATH:
		cloud_answer_problem(request, MHD_HTTP_NOT_FOUND,
				     "there is nothing at this path; see the API's description");
		return;
	case CLOUD_ROUTE_NO_METHOD:
		answer_no_method(request, allowed);
		return;
	case CLOUD_ROUTE_FOUND:
		break;
	}
	if (request->route->allow && !request->route->allow(request)) { return; }
	check_body(request);
	if (request->status || !request->route->stream) { return; }
	request->route->stream->begin(request);
	request->is_begun = !request->status;
}

static enum MHD_Result queue_answer(struct cloud_request *request)
{
	if (request->is_queued) { return request->queue_result; }
	if (!request->response) { return MHD_NO; }
	request->is_queued = true;
	return MHD_queue_response(request->connection, request->status, request->response);
}

static bool keep_body(struct cloud_request *request, const char *bytes, size_t len)
{
	size_t max = request->route->body_max ? request->route->body_max : 1024;
	size_t cap = request->has_length ? (size_t)request->length : request->body_len + len;

	if (len > max - request->body_len) {
		cloud_answer_problem(request, MHD_HTTP_CONTENT_TOO_LARGE, "send a smaller body to this path");
		return true;
	}
	if (cap > request->body_cap) {
		uint8_t *body = realloc(request->body, cap);

		if (!body) { return false; }
		request->body = body;
		request->body_cap = cap;
	}
	memcpy(request->body + request->body_len, bytes, len);
	request->body_len += len;
	return true;
}

static enum MHD_Result take_body(struct cloud_request *request, const char *bytes, size_t *len)
{
	size_t taken = *len;

	if (request->status) {
		/* Answered already: the rest is read and dropped, up to a limit if it has no length. */
		request->body_len += *len;
		if (!request->has_length && request->body_len > DRAIN_MAX_BYTES) { return MHD_NO; }
	} else if (request->route->stream) {
		taken = request->route->stream->take(request, (const uint8_t *)bytes, *len);
	} else if (!keep_body(request, bytes, *len)) {
		return MHD_NO;
	}
	*len -= taken;
	return MHD_YES;
}

static void end_request(struct cloud_request *request)
{
	request->is_ended = true;
	if (request->status) {
		if (request->is_begun) { request->route->stream->broken(request); }
		return;
	}
	if (request->route->stream) {
		request->route->stream->end(request);
	} else {
		request->route->handle(request);
	}
}

static struct cloud_request *new_request(struct cloud_server *server, struct MHD_Connection *connection)
{
	struct cloud_request *request = calloc(1, sizeof(*request));

	if (!request) { return NULL; }
	request->connection = connection;
	request->app = server->cfg.app;
	request->log = server->cfg.log;
	return request;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *upload_data, size_t *upload_data_size,
				  void **con_cls)
{
	struct cloud_request *request = *con_cls;

	(void)version;
	if (!request) {
		request = new_request(cls, connection);
		if (!request) { return MHD_NO; }
		*con_cls = request;
		begin_request(cls, request, method, url);
		if (request->status && request->length > DRAIN_MAX_BYTES) { return queue_answer(request); }
		return MHD_YES;
	}
	if (request->is_queued) { return MHD_YES; }
	request->is_suspended = false;
	if (request->next) {
		void (*next)(struct cloud_request *) = request->next;

		request->next = NULL;
		next(request);
	} else if (*upload_data_size == 0 && !request->is_ended) {
		end_request(request);
	}
	if (request->is_suspended) { return MHD_YES; }
	if (*upload_data_size) { return take_body(request, upload_data, upload_data_size); }
	return request->is_ended ? queue_answer(request) : MHD_YES;
}

static void on_log(void *cls, const char *format, va_list args)
{
	const struct log *log = cls;
	char text[512];
	int len = vsnprintf(text, sizeof(text), format, args);

	/* What clients do to their connections is of interest when debugging only. */
	while (len > 0 && len < (int)sizeof(text) && text[len - 1] == '\n') {
		text[--len] = 0;
	}
	log_line(log, LOG_LEVEL_DEBUG, "http", "%s", text);
}

/* As many connections as descriptors allow. */
static unsigned connection_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) { return 256; }
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 2 * FD_SPARE) { return 64; }
	limit.rlim_cur = (limit.rlim_cur - FD_SPARE) / 2; /* a connection may send a file */
	return limit.rlim_cur < CONNECTION_MAX ? (unsigned)limit.rlim_cur : CONNECTION_MAX;
}

static unsigned thread_count(const struct cloud_server_cfg *cfg)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cfg->thread_count) { return cfg->thread_count; }
	return cores > 1 ? (unsigned)cores : 2; /* a pool of one is no pool to libmicrohttpd */
}

/* libmicrohttpd has one certificate for as long as it runs. So each session gets ours before its handshake,
 * and the connection keeps it to its end. */
static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode toe)
{
	struct cloud_server *server = cls;
	const union MHD_ConnectionInfo *info;

	if (toe == MHD_CONNECTION_NOTIFY_CLOSED) {
		cloud_credentials_drop(server->credentials, *socket_context);
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	*socket_context = info ? cloud_credentials_use(server->credentials, info->tls_session) : NULL;
}

/* libmicrohttpd asks for a certificate or for this. A session that has no credentials of ours has none. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
			  const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
			  unsigned *chain_len, gnutls_privkey_t *key)
{
	(void)session;
	(void)issuers;
	(void)issuer_count;
	(void)algorithms;
	(void)algorithm_count;
	(void)chain;
	(void)key;
	*chain_len = 0;
	return -1;
}

static struct MHD_Daemon *start_daemon(struct cloud_server *server, int fd)
{
	const struct cloud_server_cfg *cfg = &server->cfg;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG |
			 (server->credentials ? MHD_USE_TLS : 0);
	struct MHD_OptionItem options[OPTION_MAX] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, server },
		{ MHD_OPTION_THREAD_POOL_SIZE, thread_count(cfg), NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, connection_limit(), NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_INCREMENT, 1024, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, cfg->idle_timeout_s, NULL },
		{ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	char priorities[] = TLS_PRIORITIES;
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities },
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)no_certificate },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server },
		{ MHD_OPTION_END, 0, NULL },
	};
	size_t at = 8;

	if (server->credentials) { memcpy(&options[at], tls, sizeof(tls)); }
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log,
				(void *)(uintptr_t)cfg->log, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* True when there is nothing to load. */
static bool load_certificate(struct cloud_server *server)
{
	const struct cloud_server_cfg *cfg = &server->cfg;

	if (!cfg->tls_cert_path) { return true; }
	server->credentials = cloud_credentials_open(cfg->tls_cert_path, cfg->tls_key_path, cfg->log);
	return server->credentials != NULL;
}

/* On the machine itself nobody else can listen. */
static void warn_if_plain(const struct cloud_server *server, const char *shown)
{
	if (server->credentials || strncmp(shown, "127.", 4) == 0 || strncmp(shown, "[::1]", 5) == 0) { return; }
	log_line(server->cfg.log, LOG_LEVEL_WARN, "http",
		 "no TLS on %s: tokens and packages can be read on the way; give --tls-cert and --tls-key", shown);
}

struct cloud_server *cloud_server_start(const struct cloud_server_cfg *cfg, char url[128])
{
	struct cloud_server *server = calloc(1, sizeof(*server));
	char shown[96];
	int fd = -1;

	if (!server) { return NULL; }
	server->cfg = *cfg;
	if (load_certificate(server)) { fd = cloud_listen(cfg->listen, shown, cfg->log); }
	if (fd >= 0) {
		snprintf(url, 128, "http%s://%s", server->credentials ? "s" : "", shown);
		warn_if_plain(server, shown);
		server->daemon = start_daemon(server, fd);
		if (!server->daemon) {
			log_line(cfg->log, LOG_LEVEL_ERROR, "http",
				 "the HTTP server cannot start; --log-level debug tells more");
			close(fd);
		}
	}
	if (server->daemon) { return server; }
	cloud_credentials_close(server->credentials);
	free(server);
	return NULL;
}

/* MHD_quiesce_daemon would refuse connections, but with a pool of threads it races with them: the
 * one that is second to take the socket out of a set ends the process (seen with 0.9.75). */
void cloud_server_quiesce(struct cloud_server *server)
{
	atomic_store(&server->is_closing, true);
}

void cloud_server_reload(struct cloud_server *server)
{
	const struct cloud_server_cfg *cfg = &server->cfg;

	if (!server->credentials) {
		log_line(cfg->log, LOG_LEVEL_INFO, "http", "there is no certificate to read again");
	} else if (cloud_credentials_reload(server->credentials)) {
		log_line(cfg->log, LOG_LEVEL_INFO, "http", "new connections get the certificate that is in %s now",
			 cfg->tls_cert_path);
	} else {
		log_line(cfg->log, LOG_LEVEL_ERROR, "http",
			 "the certificate from before stays; mend the files, and reload again");
	}
}

void cloud_server_stop(struct cloud_server *server)
{
	if (!server) { return; }
	MHD_stop_daemon(server->daemon);
	cloud_credentials_close(server->credentials);
	free(server);
}
