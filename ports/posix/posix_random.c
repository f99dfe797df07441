/* SPDX-License-Identifier: Apache-2.0 */
#include "posix_random.h"

#include <errno.h>
#include <sys/random.h>

static enum fota_err fill(void *ctx, uint8_t *dst, size_t len)
{
	(void)ctx;
	while (len) {
		ssize_t got = getrandom(dst, len, 0);

		if (got < 0 && errno == EINTR) { continue; }
		if (got <= 0) { return FOTA_ERR_IO; }
		dst += got;
		len -= (size_t)got;
	}
	return FOTA_ERR_OK;
}

struct fota_random posix_random_port(void)
{
	return (struct fota_random) { .fill = fill };
}
