/* SPDX-License-Identifier: Apache-2.0 */
/* A module put together: session, AT servers, lines and ports, in one loop. */
#ifndef MODULE_H
#define MODULE_H

#include "options.h"

/* Runs the module until SIGTERM, SIGINT or, with --stdio, the end of standard input.
 * Returns the exit status: 0, or 1 if something could not be opened (it is in the log). */
int module_run(const struct module_options *options);

#endif
