/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "command.h"
#include "guard.h"

int main(int argc, char **argv)
{
	guard_memory();
	/* A port or a connection that breaks is an error to be told, not a death. */
	signal(SIGPIPE, SIG_IGN);
	return (int)tool_command_run(&tool_root, argc, argv);
}
