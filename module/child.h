/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the system that the module runs: one at a time, in a process group of its own, with a
 * time limit. What it writes goes to the log, line by line.
 *
 * It gets a clean environment, no open files but standard input, output and error, and no
 * signal mask of ours. It goes with the module: when that ends, it is ended too. */
#ifndef MODULE_CHILD_H
#define MODULE_CHILD_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"

#define CHILD_POLL_MAX   2
#define CHILD_LINE_BYTES 240

struct child_cfg {
	char *const *argv; /* argv[0] is the path */
	char *const *envp;
	int stdin_fd; /* borrowed for the call; -1: /dev/null */
	uint32_t limit_ms;
	const char *name; /* in the log; constant */
	const struct log *log;
};

struct child {
	/* private */
	pid_t pid; /* 0: none runs */
	int pid_fd, out_fd;
	const char *name;
	const struct log *log;
	uint64_t end_ms; /* the time limit; behind it, that of the kind way */
	bool is_ending;  /* SIGTERM was sent */
	char line[CHILD_LINE_BYTES];
	unsigned line_len;
};

void child_init(struct child *child);
/* Starts it; a running one must not be there. 0, or -1 after an error in the log. */
int child_start(struct child *child, const struct child_cfg *cfg);
bool child_is_running(const struct child *child);

unsigned child_get_polls(const struct child *child, struct pollfd *fds);
uint32_t child_next_ms(const struct child *child, uint64_t now_ms);
/* True once when it has ended; *is_good: with exit status 0. */
bool child_perform(struct child *child, uint64_t now_ms, bool *is_good);

/* SIGTERM now, SIGKILL some seconds later. */
void child_end(struct child *child, uint64_t now_ms);
/* SIGKILL, and waits. */
void child_kill(struct child *child);

#endif
