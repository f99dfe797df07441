/* SPDX-License-Identifier: Apache-2.0 */
/* What the platform gives up before it opens anything. */
#ifndef CLOUD_SANDBOX_H
#define CLOUD_SANDBOX_H

#include "log.h"

/* From here on this thread, and all that it starts, can start no program, become nobody else and
 * not touch the kernel's settings. Cannot be undone. Where the kernel does not offer it, a
 * warning says so and nothing is given up. */
void cloud_sandbox_enter(const struct log *log);

#endif
