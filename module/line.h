/* SPDX-License-Identifier: Apache-2.0 */
/* The lines to hosts: pseudo terminals, serial devices, TCP and Unix connections,
 * standard input and output. A line moves bytes; what they mean is the AT server's
 * business. Nothing here blocks: what a host does not take is dropped when the buffer
 * is full. */
#ifndef MODULE_LINE_H
#define MODULE_LINE_H

#include <poll.h>

#include "badline.h"
#include "fota/err.h"
#include "log.h"
#include "options.h"
#include "rfc2217.h"

#define LINE_OUT_BYTES  16384
#define LINE_WIRE_BYTES 2048
#define LINE_POLL_MAX   3

struct line {
	enum line_kind kind;
	const char *name; /* as given */
	const struct log *log;
	int fd;             /* to the host; -1: nobody is there */
	int listen_fd;      /* TCP, Unix */
	int slave_fd;       /* PTY: kept open if hosts cannot be watched; -1 as a rule */
	int watch_fd;       /* PTY: inotify, wakes when a host opens the slave */
	int std_flags[2];   /* standard input and output: as they were */
	bool is_ended;      /* standard input: end of file */
	bool is_new_host;   /* a connection began: the AT server starts afresh */
	bool has_host;      /* PTY: somebody has it open */
	bool is_drained;    /* PTY: nobody is there, and all that was sent is read */
	bool is_seen_off;   /* PTY: it is clean for the next host */
	bool is_host_gone;  /* the last host closed a PTY */
	bool is_telnet;     /* TCP: RFC 2217 */
	bool is_lost;       /* TTY: the device is gone */
	uint64_t reopen_ms; /* TTY: when to try again */
	uint64_t dropped_bytes;
	size_t out_len, wire_len;
	uint8_t out[LINE_OUT_BYTES];
	uint8_t wire[LINE_WIRE_BYTES]; /* telnet: escaped, on its way */
	struct rfc2217 telnet;
	struct badline *bad; /* spoils what passes; NULL: a good line */
};

/* Opens the line that the option names. OK, or IO after an error in the log. */
FOTA_MUST_CHECK enum fota_err line_open(struct line *line, const struct line_option *option, const struct log *log);
void line_close(struct line *line);

/* From now on what passes goes through `bad`, which must outlive the line. */
void line_spoil(struct line *line, struct badline *bad);

/* Fills what to wait for; returns how many, at most LINE_POLL_MAX. */
unsigned line_get_polls(const struct line *line, struct pollfd *fds);
/* Reads what has come, at most `cap` bytes, after accepting or noticing hosts. 0: none. */
size_t line_read(struct line *line, uint8_t *bytes, size_t cap, uint64_t now_ms);
/* Puts bytes behind those that wait. */
void line_write(struct line *line, const uint8_t *bytes, size_t len);
/* Bytes that line_write takes now without a loss. */
size_t line_get_room(const struct line *line);
/* True while the host has not read what was written to it; false if nobody is there. */
bool line_has_output(const struct line *line);
/* Milliseconds until something that a bad line holds back is due; UINT32_MAX: nothing. */
uint32_t line_next_ms(const struct line *line, uint64_t now_ms);
/* Sends as much as goes. */
void line_flush(struct line *line);

#endif
