/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator knows how large a piece is, so that no header of our own is needed and plain
 * free still takes what a library has allocated. glibc's M_PERTURB would do this for the whole
 * process, but not for pieces that it keeps in a thread's cache. */
#include "wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void wipe_free(void *memory)
{
	if (!memory) { return; }
	explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void *wipe_realloc(void *memory, size_t size)
{
	size_t old_bytes = memory ? malloc_usable_size(memory) : 0;
	void *moved = malloc(size);

	if (!moved) { return NULL; }
	if (memory) { memcpy(moved, memory, old_bytes < size ? old_bytes : size); }
	wipe_free(memory);
	return moved;
}
