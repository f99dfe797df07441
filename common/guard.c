/* SPDX-License-Identifier: Apache-2.0 */
/* Both calls are needed: a limit of 0 does not hold where core files go to a program
 * (core_pattern with a pipe), and "not dumpable" alone is undone by nothing we do but says
 * nothing to our children. Neither can fail for a process of its own. */
#include "guard.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void guard_memory(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit) { 0, 0 });
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
