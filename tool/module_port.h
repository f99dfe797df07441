/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a module: a serial device, the link of a PTY, or a TCP port. */
#ifndef TOOL_MODULE_PORT_H
#define TOOL_MODULE_PORT_H

#include <stdbool.h>
#include <termios.h>

#include "status.h"

struct module_port {
	int fd; /* not blocking */
	bool is_terminal;
	bool is_exclusive;
	struct termios before;
};

/* Opens "tcp:HOST:PORT", or a path as a serial device in raw mode with `baud` (text; NULL
 * keeps 115200). Nobody else can use the device meanwhile, as far as the others
 * look at locks. Takes at most 10 s for a connection. */
enum tool_status module_port_open(struct module_port *port, const char *name, const char *baud, struct tool_error *err);

/* Puts the device's settings back. */
void module_port_close(struct module_port *port);

#endif
