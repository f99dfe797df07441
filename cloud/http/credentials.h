/* SPDX-License-Identifier: Apache-2.0 */
/* What the server shows to TLS clients; it can be read again while connections live. */
#ifndef CLOUD_HTTP_CREDENTIALS_H
#define CLOUD_HTTP_CREDENTIALS_H

#include "fota/err.h"
#include "log.h"

#include <gnutls/gnutls.h>

struct cloud_credentials;
struct cloud_credential; /* one certificate with its key, for all connections that began with it */

/* Reads both files. NULL if they cannot serve, logged with what to do. The paths and `log` must outlive it. */
struct cloud_credentials *cloud_credentials_open(const char *chain_path, const char *key_path, const struct log *log);
/* No connection may hold one any more. */
void cloud_credentials_close(struct cloud_credentials *credentials);

/* Reads both files again, for the connections that come. False: they cannot serve, which is logged, and what
 * was there stays. Any thread. */
FOTA_MUST_CHECK bool cloud_credentials_reload(struct cloud_credentials *credentials);

/* Gives a session what is there now. The connection holds it until it is dropped, behind its session's last
 * use. NULL: no session can begin. Any thread. */
struct cloud_credential *cloud_credentials_use(struct cloud_credentials *credentials, gnutls_session_t session);
/* NULL is allowed. */
void cloud_credentials_drop(struct cloud_credentials *credentials, struct cloud_credential *credential);

#endif
