/* SPDX-License-Identifier: Apache-2.0 */
/* The random port over getrandom(2). */
#ifndef POSIX_RANDOM_H
#define POSIX_RANDOM_H

#include "fota/port.h"

/* The port; it has no state. */
struct fota_random posix_random_port(void);

#endif
