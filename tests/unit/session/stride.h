/* SPDX-License-Identifier: Apache-2.0 */
/* The long loops of these tests take every STRIDE-th turn alone if the environment says
 * so: for tools under which all of them would take minutes. */
#ifndef STRIDE_H
#define STRIDE_H

#include <stdint.h>
#include <stdlib.h>

static inline uint32_t stride(void)
{
	const char *text = getenv("STRIDE");

	return text && atoi(text) > 0 ? (uint32_t)atoi(text) : 1;
}

/* All turns of all loops are taken: numbers of cases can be expected. */
static inline int is_whole_run(void)
{
	return stride() == 1 && !getenv("REPLAY");
}

#endif
