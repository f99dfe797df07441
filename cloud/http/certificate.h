/* SPDX-License-Identifier: Apache-2.0 */
/* The server's certificate and private key: read, and checked before anybody connects. */
#ifndef CLOUD_HTTP_CERTIFICATE_H
#define CLOUD_HTTP_CERTIFICATE_H

#include "log.h"

struct cloud_certificate {
	char *chain; /* PEM, the server's own certificate first */
	char *key;   /* PEM; wiped when it is freed */
};

/* Reads both files. False if they cannot serve together: unreadable, no PEM, a key with a
 * passphrase or of another certificate; the log says which and what to do. What clients may
 * refuse (out of date) or others may abuse (a key file that they can read) is a warning. */
bool cloud_certificate_load(struct cloud_certificate *certificate, const char *chain_path, const char *key_path,
			    const struct log *log);

/* All zero is allowed. */
void cloud_certificate_free(struct cloud_certificate *certificate);

#endif
