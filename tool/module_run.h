/* SPDX-License-Identifier: Apache-2.0 */
/* The loops that move bytes, time and signals between a port and what talks over it. */
#ifndef TOOL_MODULE_RUN_H
#define TOOL_MODULE_RUN_H

#include "module_port.h"
#include "module_session.h"

/* Runs an upgrade to its end; every event goes to cfg->event as well. The first SIGINT,
 * SIGTERM or SIGHUP cancels the session on the module, the second ends at once. FAIL
 * if the loop cannot be set up; all else is told by the last event. */
enum tool_status module_run(struct module_port *port, const struct module_session_cfg *cfg, struct tool_error *err);

struct module_answer {
	enum at_final final;
	bool is_gone; /* the port failed or was closed */
};

/* Sends one command and waits for its final result, timeout_ms at most. Each line that
 * comes meanwhile goes to `line`, the final result among them, echoes not. */
struct module_answer module_ask(struct module_port *port, const char *command, uint32_t timeout_ms,
				void (*line)(void *ctx, const char *text), void *line_ctx);

#endif
