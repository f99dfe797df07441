/* SPDX-License-Identifier: Apache-2.0 */
/* How a failure ends a test; a fuzzer has another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

_Noreturn void rig_fail(const struct rig *rig, const char *what, unsigned line)
{
	print_error("REPLAY='%s': line %u: %s (codes: %s)\n", rig->id, line, what, rig->codes);
	_fail(__FILE__, (int)line);
	abort(); /* not reached: cmocka leaves the test */
}
