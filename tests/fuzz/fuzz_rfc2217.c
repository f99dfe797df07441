/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the server's side of RFC 2217 with a client's bytes, in calls of up to
 * RFC2217_TAKE_MAX (the first byte chooses).
 *
 * Properties: data is never longer than what came; the answers are telnet commands that a
 * client can parse to their end, and none is lost; data in any state is escaped so that
 * it is the same behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rfc2217.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

/* The answer at `at`; gives its length. */
static size_t check_reply(const uint8_t *at, size_t left)
{
	size_t len = 4;

	require(left >= 3 && at[0] == 255, "an answer begins with IAC");
	if (at[1] >= 251 && at[1] <= 254) { return 3; }
	require(at[1] == 250 && at[2] == 44 && left >= 6, "it is of the COM port option");
	while (!(at[len] == 255 && at[len + 1] == 240)) {
		len += at[len] == 255 ? 2 : 1;
		require(len + 2 <= left, "it has an end");
	}
	return len + 2;
}

static void check_replies(struct rfc2217 *it)
{
	static uint8_t bytes[RFC2217_REPLY_MAX];
	size_t len = rfc2217_get_replies(it, bytes, sizeof(bytes));

	require(len < sizeof(bytes) - 64, "there was room for all");
	for (size_t at = 0; at < len;) {
		at += check_reply(bytes + at, len - at);
	}
	require(!rfc2217_has_replies(it), "all were given");
}

static void check_escape(const uint8_t *data, size_t len)
{
	static uint8_t bytes[4 * RFC2217_TAKE_MAX];
	struct rfc2217 peer;
	size_t taken, escaped;

	rfc2217_init(&peer);
	escaped = rfc2217_escape(bytes, sizeof(bytes), data, len, &taken);
	require(taken == len, "there is room for all");
	require(rfc2217_take(&peer, bytes, escaped) == len && memcmp(bytes, data, len) == 0, "data comes through");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t room[RFC2217_TAKE_MAX];
	struct rfc2217 it;
	size_t step = len > 0 ? data[0] * 2u + 1 : 1;

	rfc2217_init(&it);
	for (size_t at = 1; at < len; at += step) {
		size_t count = len - at < step ? len - at : step;

		memcpy(room, data + at, count);
		require(rfc2217_take(&it, room, count) <= count, "data is a part of what came");
		check_replies(&it);
		check_escape(data + at, count);
		(void)rfc2217_get_purge(&it);
	}
	return 0;
}
