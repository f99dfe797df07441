/* SPDX-License-Identifier: Apache-2.0 */
/* AT+FOTACFG: settings of the module by name, kept over a restart. What they are, and how
 * they are kept, is the caller's; here is the command alone. spec: docs/at-commands.md. */
#ifndef FOTA_AT_CONFIG_H
#define FOTA_AT_CONFIG_H

#include "fota/at.h"

#define AT_CONFIG_VALUE_MAX_BYTES 255u

/* Keeps what it names as long as the table is used. */
struct at_config_cfg {
	const char *const *names; /* in lower case */
	size_t count;
	/* The value of names[index]: text that stays as it is until the next call. */
	struct fota_bytes (*get)(void *ctx, size_t index);
	/* Sets it and keeps it; an empty value means the default. The result of the command:
	 * OK, ERROR, what at_cme returned, or PENDING when it takes time; then the caller ends the
	 * command with at_complete. `value` is borrowed for the call. */
	enum at_result (*set)(void *ctx, struct at_server *at, size_t index, struct fota_bytes value);
	void *ctx;
};

/* +FOTACFG. */
struct at_table at_config_table(struct at_config_cfg *cfg);

#endif
