/* SPDX-License-Identifier: Apache-2.0 */
/* What a program makes sure of whatever it inherited from who started it. */
#ifndef ATFOTA_INHERIT_H
#define ATFOTA_INHERIT_H

#include <stdbool.h>

/* Standard streams that are closed get a descriptor that takes their place. A peer that
 * has gone and a file that may not grow (ulimit -f) become errors of write(), and children
 * can be waited for. Call it before anything is opened; false: it cannot be done. */
bool inherit_mend(void);

/* In a child, before it becomes another program: as that one expects it. */
void inherit_restore_signals(void);

#endif
