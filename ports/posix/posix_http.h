/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP port over libcurl's multi interface: TLS verified, at most 5 redirects and
 * never from TLS to plain HTTP, time limits for the connection and between bytes. The
 * caller's loop waits in posix_http_wait and lets work go on with posix_http_perform. */
#ifndef POSIX_HTTP_H
#define POSIX_HTTP_H

#include <poll.h>

#include "fota/port.h"

#define POSIX_HTTP_REDIRECT_MAX 5

struct posix_http;

struct posix_http_cfg {
	bool allow_plain;    /* accept http:// URLs */
	const char *ca_file; /* PEM; NULL: the system's */
	uint32_t connect_ms; /* name, connection, TLS [15000] */
	uint32_t stall_ms;   /* connected and no byte [30000] */
	const char *user_agent;
	/* Called from posix_http_perform, as fota_session_http is. */
	enum fota_err (*event)(void *ctx, const struct fota_http_event *event, size_t *taken);
	void *event_ctx;
};

/* Keeps what *cfg points to. OK; IO if libcurl cannot start. */
FOTA_MUST_CHECK enum fota_err posix_http_open(struct posix_http **out, const struct posix_http_cfg *cfg);
/* NULL is allowed. */
void posix_http_close(struct posix_http *http);

/* The port; valid until close. Its functions may be called from inside `event`. */
struct fota_http posix_http_port(struct posix_http *http);

/* Waits for network, for one of the caller's descriptors (fds, as poll(2)), or until
 * timeout_ms is over. The revents are set. */
void posix_http_wait(struct posix_http *http, struct pollfd *fds, unsigned fd_count, uint32_t timeout_ms);

/* Sends, receives, and calls `event`. Does not block. */
void posix_http_perform(struct posix_http *http);

/* What went wrong in the last failed request, for a log; no secrets. */
const char *posix_http_detail(const struct posix_http *http);

/* Whether it failed for TLS. Fills why the server's certificate was refused (libcrypto's
 * X509_V_ERR_..., as libcurl tells it); -1: the handshake ended before that. */
bool posix_http_is_tls_failure(const struct posix_http *http, long *verify_result);

#endif
