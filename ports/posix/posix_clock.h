/* SPDX-License-Identifier: Apache-2.0 */
/* The clock port: CLOCK_BOOTTIME, which runs on in suspend, and CLOCK_REALTIME. */
#ifndef POSIX_CLOCK_H
#define POSIX_CLOCK_H

#include "fota/port.h"

/* The port; it has no state. */
struct fota_clock posix_clock_port(void);

/* Milliseconds as the port's now_ms gives them. */
uint64_t posix_clock_now_ms(void);

#endif
