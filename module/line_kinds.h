/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of lines give to line.c. */
#ifndef MODULE_LINE_KINDS_H
#define MODULE_LINE_KINDS_H

#include <termios.h>

#include "line.h"

struct line_ops {
	enum fota_err (*open)(struct line *line);
	/* Before the descriptors are closed. NULL: nothing. */
	void (*close)(struct line *line);
	/* Notices hosts that come and go. NULL: they do not. */
	void (*look)(struct line *line, uint64_t now_ms);
	/* The host's end was closed, or fails. */
	void (*lose)(struct line *line, uint64_t now_ms);
};

extern const struct line_ops line_pty_ops, line_tty_ops, line_tcp_ops, line_unix_ops, line_stdio_ops;

/* Closes all that is open but the standard streams. */
void line_close_descriptors(struct line *line);
/* True while the host has not read all; true as well if that cannot be found out, for a
 * terminal in exclusive use. */
bool line_pty_is_unread(const struct line *line);

/* Logs what failed, with errno; IO. */
enum fota_err line_complain(const struct line *line, const char *what);
void line_set_nonblocking(int fd);
/* Raw bytes, without modem control; B0 leaves the speed. */
bool line_set_raw(int fd, speed_t speed);
/* Closes the connection and forgets what waits for it. */
void line_hang_up(struct line *line);

#endif
