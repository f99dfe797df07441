/* SPDX-License-Identifier: Apache-2.0 */
/* --timeout of the commands that talk to a module. */
#ifndef TOOL_MODULE_LIMIT_H
#define TOOL_MODULE_LIMIT_H

#include <stdint.h>

#include "status.h"

/* Milliseconds of --timeout, `fallback_ms` without it; 0 if it is no number of seconds. */
uint32_t module_limit_ms(const char *text, uint32_t fallback_ms);

/* What to say then. */
enum tool_status module_limit_bad(const char *text, struct tool_error *err);

#endif
