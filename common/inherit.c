/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors 0 to 2: a program that is started without one of them would get its number
 * for the next file that it opens, and messages would be written into a slot or a database.
 * Reading from what takes the place is the end of input, writing to it an error as before.
 *
 * SIGCHLD that is ignored stays so over execve(), and the kernel then keeps no exit status. */
#include "inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static const int ignored[] = { SIGPIPE, SIGXFSZ };

static void set_ignored(void (*handler)(int))
{
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		(void)signal(ignored[i], handler);
	}
}

/* The lowest free number is the one that open() gives. */
static bool fill_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) { continue; }
		if (open("/dev/null", O_RDONLY | O_NOCTTY) != fd) { return false; }
	}
	return true;
}

bool inherit_mend(void)
{
	set_ignored(SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	return fill_streams();
}

void inherit_restore_signals(void)
{
	set_ignored(SIG_DFL);
}
