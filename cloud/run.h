/* SPDX-License-Identifier: Apache-2.0 */
/* The program from its options to its end. */
#ifndef CLOUD_RUN_H
#define CLOUD_RUN_H

#include "options.h"

/* Runs the server until SIGTERM or SIGINT. The exit status of the program. */
int cloud_run(const struct cloud_options *options);

#endif
