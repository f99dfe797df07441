/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inherit.h"
#include "posix_clock.h"

#define PART    "child"
#define KIND_MS 5000 /* between SIGTERM and SIGKILL */

void child_init(struct child *child)
{
	*child = (struct child) { .pid_fd = -1, .out_fd = -1 };
}

bool child_is_running(const struct child *child)
{
	return child->pid != 0;
}

/* ---- in the new process: nothing but system calls, for other threads may have held locks ---- */

static void reset_signals(void)
{
	sigset_t none;

	inherit_restore_signals();
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const struct child_cfg *cfg, int in_fd, int out_fd)
{
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	reset_signals();
	if (dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0 || close_range(3, ~0u, 0)) { _exit(126); }
	(void)execve(cfg->argv[0], cfg->argv, cfg->envp);
	_exit(127);
}

/* ---- starting ---- */

static int fail(const struct child_cfg *cfg, const char *what)
{
	log_line(cfg->log, LOG_LEVEL_ERROR, PART, "%s: %s: %s", cfg->name, what, strerror(errno));
	return -1;
}

static int run(struct child *child, const struct child_cfg *cfg, int in_fd, int out_fd)
{
	pid_t pid = fork();

	if (pid < 0) { return fail(cfg, "cannot start a process"); }
	if (pid == 0) { become(cfg, in_fd, out_fd); }
	(void)setpgid(pid, pid); /* whoever is first */
	child->pid = pid;
	child->pid_fd = pidfd_open(pid, 0);
	if (child->pid_fd < 0) {
		child_kill(child);
		return fail(cfg, "cannot watch a process");
	}
	return 0;
}

int child_start(struct child *child, const struct child_cfg *cfg)
{
	int in_fd = cfg->stdin_fd >= 0 ? cfg->stdin_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int pipe_fds[2];
	int status;

	if (in_fd < 0) { return fail(cfg, "/dev/null"); }
	if (pipe2(pipe_fds, O_CLOEXEC)) {
		if (in_fd != cfg->stdin_fd) { close(in_fd); }
		return fail(cfg, "no pipe");
	}
	child_init(child);
	child->name = cfg->name;
	child->log = cfg->log;
	child->end_ms = posix_clock_now_ms() + cfg->limit_ms;
	child->out_fd = pipe_fds[0];
	(void)fcntl(child->out_fd, F_SETFL, O_NONBLOCK);
	status = run(child, cfg, in_fd, pipe_fds[1]);
	close(pipe_fds[1]);
	if (in_fd != cfg->stdin_fd) { close(in_fd); }
	if (status && child->out_fd >= 0) {
		close(child->out_fd);
		child_init(child);
	}
	return status;
}

/* ---- what it writes ---- */

static void end_line(struct child *child)
{
	if (child->line_len == 0) { return; }
	log_line(child->log, LOG_LEVEL_INFO, PART, "%s: %.*s", child->name, (int)child->line_len, child->line);
	child->line_len = 0;
}

static void take_output(struct child *child)
{
	char bytes[1024];
	ssize_t len;

	while ((len = read(child->out_fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < len; i++) {
			if (bytes[i] == '\n' || child->line_len == sizeof(child->line)) { end_line(child); }
			if (bytes[i] != '\n') { child->line[child->line_len++] = bytes[i]; }
		}
	}
	if (len == 0) { /* closed: it may run on without */
		close(child->out_fd);
		child->out_fd = -1;
	}
}

/* ---- going on and ending ---- */

unsigned child_get_polls(const struct child *child, struct pollfd *fds)
{
	unsigned count = 0;

	if (!child->pid) { return 0; }
	fds[count++] = (struct pollfd) { .fd = child->pid_fd, .events = POLLIN };
	if (child->out_fd >= 0) { fds[count++] = (struct pollfd) { .fd = child->out_fd, .events = POLLIN }; }
	return count;
}

uint32_t child_next_ms(const struct child *child, uint64_t now_ms)
{
	if (!child->pid) { return UINT32_MAX; }
	return child->end_ms > now_ms ? (uint32_t)(child->end_ms - now_ms) : 0;
}

void child_end(struct child *child, uint64_t now_ms)
{
	if (!child->pid || child->is_ending) { return; }
	child->is_ending = true;
	child->end_ms = now_ms + KIND_MS;
	(void)kill(-child->pid, SIGTERM);
}

static void forget(struct child *child)
{
	if (child->out_fd >= 0) { take_output(child); }
	end_line(child);
	if (child->out_fd >= 0) { close(child->out_fd); }
	if (child->pid_fd >= 0) { close(child->pid_fd); }
	child_init(child);
}

void child_kill(struct child *child)
{
	if (!child->pid) { return; }
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {}
	forget(child);
}

static void check_time(struct child *child, uint64_t now_ms)
{
	if (now_ms < child->end_ms) { return; }
	if (child->is_ending) {
		(void)kill(-child->pid, SIGKILL);
		child->end_ms = now_ms + KIND_MS;
		return;
	}
	log_line(child->log, LOG_LEVEL_ERROR, PART, "%s: takes too long, ended", child->name);
	child_end(child, now_ms);
}

static void log_end(const struct child *child, int status)
{
	if (WIFSIGNALED(status)) {
		log_line(child->log, LOG_LEVEL_ERROR, PART, "%s: ended by signal %d", child->name, WTERMSIG(status));
	} else if (WEXITSTATUS(status) != 0) {
		log_line(child->log, LOG_LEVEL_ERROR, PART, "%s: exit status %d", child->name, WEXITSTATUS(status));
	}
}

/* What it left behind in its group goes with it. */
bool child_perform(struct child *child, uint64_t now_ms, bool *is_good)
{
	int status;

	if (!child->pid) { return false; }
	if (child->out_fd >= 0) { take_output(child); }
	if (waitpid(child->pid, &status, WNOHANG) != child->pid) {
		check_time(child, now_ms);
		return false;
	}
	(void)kill(-child->pid, SIGKILL);
	*is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !child->is_ending;
	log_end(child, status);
	forget(child);
	return true;
}
