/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of the platform says about certificates. */
#ifndef ATFOTA_TLS_H
#define ATFOTA_TLS_H

#include <stdbool.h>

#define TLS_NO_HANDSHAKE (-1L)

/* What to do about a server that TLS does not work with. `verify_result` says why its certificate
 * was refused (libcrypto's X509_V_ERR_..., from CURLINFO_SSL_VERIFYRESULT), or is
 * TLS_NO_HANDSHAKE if it did not come to that. */
const char *tls_advice(long verify_result);

/* Whether the file can be read and begins with a certificate in PEM. */
bool tls_is_certificate_file(const char *path);

#endif
