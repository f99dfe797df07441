/* SPDX-License-Identifier: Apache-2.0 */
/* What a program does first because secrets will be in its memory. */
#ifndef ATFOTA_GUARD_H
#define ATFOTA_GUARD_H

/* No core file, and no reading of the memory by other processes of the same user.
 * Call it before anything secret is read. */
void guard_memory(void);

#endif
