/* SPDX-License-Identifier: Apache-2.0 */
#include "temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int temp_dir_make(void **state)
{
	const char *place = getenv("TMPDIR");
	char path[4096];

	snprintf(path, sizeof(path), "%s/atfota-test-XXXXXX", place ? place : P_tmpdir);
	if (!mkdtemp(path)) { return -1; }
	*state = strdup(path);
	return *state ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *ftw)
{
	(void)stat;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int temp_dir_remove(void **state)
{
	int err = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(*state);
	return err;
}
