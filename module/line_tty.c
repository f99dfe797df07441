/* SPDX-License-Identifier: Apache-2.0 */
/* Serial devices: DEVICE[,BAUD]. One that vanishes is tried again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_kinds.h"

#define PART      "line"
#define REOPEN_MS 2000

static const struct {
	unsigned long baud;
	speed_t speed;
} speeds[] = {
	{ 1200, B1200 },     { 2400, B2400 },     { 4800, B4800 },     { 9600, B9600 },
	{ 19200, B19200 },   { 38400, B38400 },   { 57600, B57600 },   { 115200, B115200 },
	{ 230400, B230400 }, { 460800, B460800 }, { 921600, B921600 }, { 3000000, B3000000 },
};

static speed_t speed_of(const char *text)
{
	char *end;
	unsigned long baud = strtoul(text, &end, 10);

	for (size_t i = 0; *end == 0 && i < sizeof(speeds) / sizeof(speeds[0]); i++) {
		if (speeds[i].baud == baud) { return speeds[i].speed; }
	}
	return B0;
}

/* The comma before the baud rate; some names of devices have commas of their own. */
static const char *find_comma(const char *name)
{
	const char *comma = strrchr(name, ',');

	return comma && comma[1] >= '0' && comma[1] <= '9' ? comma : NULL;
}

static enum fota_err open_tty(struct line *line)
{
	const char *comma = find_comma(line->name);
	speed_t speed = comma ? speed_of(comma + 1) : B115200;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%.*s", comma ? (int)(comma - line->name) : (int)strlen(line->name),
		       line->name);
	if (speed == B0) {
		errno = EINVAL;
		return line_complain(line, "this baud rate is not known");
	}
	line->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->fd < 0) {
		return line_complain(line, errno == EACCES ? "this user may not open it, its group (ls -l) may"
							   : "cannot open");
	}
	if (!line_set_raw(line->fd, speed)) { return line_complain(line, "is no terminal"); }
	return FOTA_ERR_OK;
}

static void lose(struct line *line, uint64_t now_ms)
{
	if (!line->is_lost) { log_line(line->log, LOG_LEVEL_WARN, PART, "%s: lost, trying again", line->name); }
	line->is_lost = true;
	line_hang_up(line);
	line->reopen_ms = now_ms + REOPEN_MS;
}

static void try_again(struct line *line, uint64_t now_ms)
{
	if (line->fd >= 0 || now_ms < line->reopen_ms) { return; }
	if (open_tty(line)) {
		lose(line, now_ms);
		return;
	}
	line->is_lost = false;
	log_line(line->log, LOG_LEVEL_INFO, PART, "%s: there again", line->name);
}

const struct line_ops line_tty_ops = { open_tty, NULL, try_again, lose };
