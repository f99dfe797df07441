/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzers share: an input read byte by byte, and broken properties. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct fuzz_input {
	const uint8_t *ptr;
	size_t len;
};

/* 0 at the end. */
static inline uint8_t fuzz_take(struct fuzz_input *in)
{
	if (in->len == 0) { return 0; }
	in->len--;
	return *in->ptr++;
}

static inline void fuzz_require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

#endif
