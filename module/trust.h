/* SPDX-License-Identifier: Apache-2.0 */
/* The keys whose signatures count, from the files of --trust. */
#ifndef MODULE_TRUST_H
#define MODULE_TRUST_H

#include <stddef.h>

#include "fota/suit.h"
#include "log.h"

#define TRUST_KEY_MAX 16u

struct trust {
	struct fota_trusted_key keys[TRUST_KEY_MAX];
	size_t count;
};

/* Reads all files; one that is not right is an error, for a module that trusts fewer keys
 * than it was told to would refuse packages later. 0, or -1 after an error in the log. */
int trust_open(struct trust *trust, const char *const *files, unsigned file_count, const struct log *log);

#endif
