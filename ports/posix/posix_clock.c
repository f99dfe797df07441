/* SPDX-License-Identifier: Apache-2.0 */
#include "posix_clock.h"

#include <time.h>

/* 2020-01-01. A board without a battery starts in 1970: that is no time to sign with. */
#define PLAUSIBLE_S INT64_C(1577836800)

uint64_t posix_clock_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return posix_clock_now_ms();
}

static uint64_t unix_s(void *ctx)
{
	struct timespec now;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec >= PLAUSIBLE_S ? (uint64_t)now.tv_sec : 0;
}

struct fota_clock posix_clock_port(void)
{
	return (struct fota_clock) { .now_ms = now_ms, .unix_s = unix_s };
}
