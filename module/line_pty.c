/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo terminals. The slave is raw before anybody opens it; one slave descriptor stays
 * open; when the last host closes, what it did not read is dropped, so that old results
 * never greet the next one.
 *
 * inotify tells that hosts open and close, but not how many are left: it merges equal
 * events. That is asked of the kernel: while the module's own descriptor is closed for a
 * moment, the master sees a hang-up if there is no other one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line_kinds.h"

#define PART "line"

/* A link that points to another living terminal is replaced, a real file never. */
static enum fota_err make_link(struct line *line, const char *slave)
{
	struct stat st;
	char temporary[4096];

	if (lstat(line->name, &st) == 0 && !S_ISLNK(st.st_mode)) {
		errno = EEXIST;
		return line_complain(line, "is there and no symbolic link, choose another name");
	}
	if (snprintf(temporary, sizeof(temporary), "%s.%d", line->name, (int)getpid()) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return line_complain(line, "cannot make the link");
	}
	(void)unlink(temporary);
	if (symlink(slave, temporary) || rename(temporary, line->name)) {
		(void)unlink(temporary);
		return line_complain(line, "cannot make the link");
	}
	return FOTA_ERR_OK;
}

/* Without inotify a host counts as present. */
static void watch_hosts(struct line *line, const char *slave)
{
	if (line->watch_fd >= 0 && inotify_add_watch(line->watch_fd, slave, IN_OPEN | IN_CLOSE) < 0) {
		close(line->watch_fd);
		line->watch_fd = -1;
	}
	if (line->watch_fd < 0) { line->has_host = true; }
}

static enum fota_err open_pty(struct line *line)
{
	char slave[128];

	line->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line->fd < 0 || grantpt(line->fd) || unlockpt(line->fd) || ptsname_r(line->fd, slave, sizeof(slave))) {
		return line_complain(line, "cannot make a pseudo terminal");
	}
	line->slave_fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line->slave_fd < 0 || !line_set_raw(line->slave_fd, B0)) { return line_complain(line, slave); }
	line_set_nonblocking(line->fd);
	line->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch_hosts(line, slave);
	if (make_link(line, slave)) { return FOTA_ERR_IO; }
	log_line(line->log, LOG_LEVEL_INFO, PART, "%s is a pseudo terminal, %s", line->name, slave);
	return FOTA_ERR_OK;
}

static void remove_link(struct line *line)
{
	char slave[128], target[128];
	ssize_t len = readlink(line->name, target, sizeof(target) - 1);

	if (len <= 0 || line->fd < 0 || ptsname_r(line->fd, slave, sizeof(slave))) { return; }
	target[len] = 0;
	if (strcmp(slave, target) == 0) { (void)unlink(line->name); }
}

static bool is_raw(int fd)
{
	struct termios tio;

	return tcgetattr(fd, &tio) == 0 && !(tio.c_lflag & (ICANON | ECHO | ISIG)) && !(tio.c_iflag & (ICRNL | IXON)) &&
	       !(tio.c_oflag & OPOST);
}

/* The next host may set what it likes, or nothing: it finds the terminal as the first one did. */
static void welcome_next(struct line *line)
{
	line->out_len = 0;
	(void)tcflush(line->slave_fd, TCIFLUSH); /* what the host left unread */
	if (!is_raw(line->slave_fd)) { (void)line_set_raw(line->slave_fd, B0); }
	line->is_host_gone = true;
	line->is_drained = false;
}

/* Of the events since the last call. */
static uint32_t read_events(const struct line *line)
{
	_Alignas(struct inotify_event) char events[1024];
	ssize_t len = line->watch_fd >= 0 ? read(line->watch_fd, events, sizeof(events)) : 0;
	uint32_t mask = 0;

	for (ssize_t off = 0; off < len;) {
		const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + off);

		mask |= event->mask;
		off += (ssize_t)(sizeof(*event) + event->len);
	}
	return mask;
}

/* The module's own close and open are not watched. A host that opens in between, unseen,
 * is noticed when it sends something. */
static bool is_anybody_left(struct line *line)
{
	struct pollfd master = { .fd = line->fd };
	char slave[128];

	if (ptsname_r(line->fd, slave, sizeof(slave))) { return true; }
	close(line->watch_fd);
	close(line->slave_fd);
	(void)poll(&master, 1, 0);
	line->slave_fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
	line->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch_hosts(line, slave);
	return !(master.revents & POLLHUP);
}

static void look_for_hosts(struct line *line, uint64_t now_ms)
{
	uint32_t mask = read_events(line);

	(void)now_ms;
	if (mask & IN_OPEN) { line->has_host = true; }
	if (!(mask & IN_CLOSE)) { return; }
	line->has_host = is_anybody_left(line);
	if (!line->has_host) { welcome_next(line); }
}

/* Cannot happen while a slave descriptor is open; if it does, the next host is waited for. */
static void lose(struct line *line, uint64_t now_ms)
{
	(void)line;
	(void)now_ms;
}

const struct line_ops line_pty_ops = { open_pty, remove_link, look_for_hosts, lose };
