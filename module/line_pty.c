/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudo terminals. The slave is raw before anybody opens it; when the last host closes,
 * what it did not read is dropped, so that old results never greet the next one.
 *
 * The module keeps no descriptor of the slave. So the kernel says at any time whether
 * hosts are there: without one the master has hung up. inotify only wakes the module when
 * one comes. To count opens and closes instead would not do: inotify merges equal events,
 * and a host that comes while the last one is being seen off would get no answer. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line_kinds.h"

#define PART "line"

/* A link that points to another living terminal is replaced, a real file never. */
static enum fota_err make_link(struct line *line, const char *slave)
{
	struct stat st;
	char temporary[4096];
	int error;

	if (lstat(line->name, &st) == 0 && !S_ISLNK(st.st_mode)) {
		errno = EEXIST;
		return line_complain(line, "is there and no symbolic link, choose another name");
	}
	if (snprintf(temporary, sizeof(temporary), "%s.%d", line->name, (int)getpid()) >= (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return line_complain(line, "cannot make the link");
	}
	(void)unlink(temporary);
	if (symlink(slave, temporary) == 0 && rename(temporary, line->name) == 0) { return FOTA_ERR_OK; }
	error = errno;
	(void)unlink(temporary);
	errno = error;
	return line_complain(line, "cannot make the link, choose a name in a folder that this user may write");
}

static int open_slave(const struct line *line)
{
	char slave[128];

	if (ptsname_r(line->fd, slave, sizeof(slave))) { return -1; }
	return open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static bool is_anybody_there(const struct line *line)
{
	struct pollfd master = { .fd = line->fd };

	return poll(&master, 1, 0) < 0 || !(master.revents & POLLHUP);
}

/* True if somebody has opened the slave since the last call. */
static bool was_opened(const struct line *line)
{
	_Alignas(struct inotify_event) char events[1024];

	return read(line->watch_fd, events, sizeof(events)) > 0;
}

/* Without inotify a host counts as present, and a slave that stays open makes it so. */
static void watch_hosts(struct line *line, const char *slave)
{
	line->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (line->watch_fd >= 0 && inotify_add_watch(line->watch_fd, slave, IN_OPEN) >= 0) { return; }
	log_line(line->log, LOG_LEVEL_WARN, PART,
		 "%s: no inotify (%s): results of a session may wait for the next host; raise "
		 "fs.inotify.max_user_instances",
		 line->name, strerror(errno));
	if (line->watch_fd >= 0) { close(line->watch_fd); }
	line->watch_fd = -1;
	line->slave_fd = open_slave(line);
	line->has_host = true;
}

/* As the first host found it. By the master, which needs nobody at the slave: who comes a
 * moment later keeps what it sets. */
static bool make_raw(const struct line *line)
{
	struct termios found, raw;

	if (tcgetattr(line->fd, &found)) { return false; }
	raw = found;
	cfmakeraw(&raw);
	return memcmp(&found, &raw, sizeof(raw)) == 0 || line_set_raw(line->fd, B0);
}

/* To set what is set already is not nothing: read() of a host that is there by now would fail. */
static void set_discipline(int fd)
{
	int discipline = -1;

	if (ioctl(fd, TIOCGETD, &discipline) == 0 && discipline == N_TTY) { return; }
	(void)ioctl(fd, TIOCSETD, &(int) { N_TTY });
}

/* What only the slave itself can do for the next host. False with errno if it cannot be opened. */
static bool clean_slave(const struct line *line)
{
	int fd = open_slave(line);

	if (fd < 0) { return false; }
	(void)tcflush(fd, TCIFLUSH); /* what the host left unread */
	/* What the end of a host does not end, while the master is open: exclusive use, another line
	 * discipline, a halt of the output. */
	(void)ioctl(fd, TIOCNXCL);
	set_discipline(fd);
	(void)tcflow(fd, TCOON);
	close(fd);
	return true;
}

static enum fota_err open_pty(struct line *line)
{
	char slave[128];

	line->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (line->fd < 0 || grantpt(line->fd) || unlockpt(line->fd) || ptsname_r(line->fd, slave, sizeof(slave))) {
		return line_complain(line, "cannot make a pseudo terminal");
	}
	/* The master has hung up only after the slave was closed once. */
	if (!make_raw(line) || !clean_slave(line)) { return line_complain(line, slave); }
	line_set_nonblocking(line->fd);
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

/* Exclusive use (TIOCEXCL) outlives the host that asked for it, and nobody but root can
 * open the slave any more: the link gets another terminal. If there is none, the old one
 * stays for root. */
static void replace_pty(struct line *line)
{
	int old_fd = line->fd, old_watch_fd = line->watch_fd;

	line->watch_fd = -1;
	if (open_pty(line) == FOTA_ERR_OK) {
		close(old_fd);
		close(old_watch_fd);
		return;
	}
	line_close_descriptors(line);
	line->fd = old_fd;
	line->watch_fd = old_watch_fd;
	line->has_host = false;
}

static void look_for_hosts(struct line *line, uint64_t now_ms)
{
	bool was_visited;

	(void)now_ms;
	if (line->watch_fd < 0) { return; }
	was_visited = was_opened(line);
	line->has_host = is_anybody_there(line);
	if (was_visited || line->has_host) { line->is_drained = line->is_seen_off = false; }
}

/* Nobody is there, and all that was sent is read. Cleaning opens the slave for a moment:
 * what a host sent that came and went meanwhile is found by reading once more. */
static void see_off(struct line *line, uint64_t now_ms)
{
	(void)now_ms;
	if (line->watch_fd < 0) { return; }
	line->is_drained = line->is_seen_off;
	if (line->is_seen_off) { return; }
	line->has_host = false;
	line->out_len = 0;
	line->is_host_gone = true;
	line->is_seen_off = true;
	(void)make_raw(line);
	if (!clean_slave(line) && !is_anybody_there(line)) { replace_pty(line); }
	(void)was_opened(line); /* by clean_slave */
}

bool line_pty_is_unread(const struct line *line)
{
	int unread = 0, fd = line->slave_fd;
	bool is_unread;

	if (fd < 0) { fd = open_slave(line); }
	is_unread = fd < 0 || (ioctl(fd, FIONREAD, &unread) == 0 && unread > 0);
	if (fd >= 0 && fd != line->slave_fd) { close(fd); }
	return is_unread;
}

const struct line_ops line_pty_ops = { open_pty, remove_link, look_for_hosts, see_off };
