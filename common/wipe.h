/* SPDX-License-Identifier: Apache-2.0 */
/* free and realloc that leave nothing behind, also for libraries that take such functions:
 * what a program's JSON texts and HTTP requests hold may be a token or a product secret. */
#ifndef ATFOTA_WIPE_H
#define ATFOTA_WIPE_H

#include <stddef.h>

/* As free(3), of memory from malloc and its relatives; it is overwritten first. */
void wipe_free(void *memory);
/* As realloc(3), but it always moves; what was there before is overwritten. */
void *wipe_realloc(void *memory, size_t size);

#endif
