/* SPDX-License-Identifier: Apache-2.0 */
#include "module_limit.h"

#include <errno.h>
#include <stdlib.h>

#define TIMEOUT_MAX_S 1000000ul

uint32_t module_limit_ms(const char *text, uint32_t fallback_ms)
{
	char *end;
	unsigned long seconds;

	if (!text) { return fallback_ms; }
	if (*text < '0' || *text > '9') { return 0; }
	errno = 0;
	seconds = strtoul(text, &end, 10);
	if (errno || *end || seconds > TIMEOUT_MAX_S) { return 0; }
	return (uint32_t)(seconds * 1000);
}

enum tool_status module_limit_bad(const char *text, struct tool_error *err)
{
	return tool_fail(err, TOOL_STATUS_FAIL, "--timeout '%s' is no number of seconds from 1 to %lu", text,
			 TIMEOUT_MAX_S);
}
