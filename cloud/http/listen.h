/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket from "ADDR:PORT". */
#ifndef CLOUD_HTTP_LISTEN_H
#define CLOUD_HTTP_LISTEN_H

#include "log.h"

/* The socket, or -1 (logged). Numeric addresses only; IPv6 in brackets. Fills `shown` with
 * address and real port. */
int cloud_listen(const char *where, char shown[96], const struct log *log);

#endif
