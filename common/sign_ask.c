/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first line of the file. */
static int read_pin_file(const struct sign_ask *ask, char *secret, size_t cap)
{
	int fd = open(ask->pin_file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = fd < 0 ? -1 : read(fd, secret, cap - 1);
	int reason = errno;

	if (fd >= 0) { close(fd); }
	if (got < 0) { return key_fail(ask->message, "%s: cannot be read: %s", ask->pin_file, strerror(reason)); }
	secret[got] = '\0';
	secret[strcspn(secret, "\r\n")] = '\0';
	return secret[0] ? 0 : key_fail(ask->message, "%s: no PIN in it", ask->pin_file);
}

static int get_secret(const struct sign_ask *ask, char *secret, size_t cap)
{
	char what[SIGN_URI_MAX_BYTES + 32];

	if (ask->pin_file && ask->pin_file[0]) { return read_pin_file(ask, secret, cap); }
	if (!ask->secret) { return key_fail(ask->message, "%s: needs a %s, and none was given", ask->ref, ask->kind); }
	snprintf(what, sizeof what, "%s of %s", ask->kind, ask->ref);
	return ask->secret->get(ask->secret->ctx, what, secret, cap, ask->message);
}

int sign_ask(char *text, int cap, int rwflag, void *ctx)
{
	struct sign_ask *ask = ctx;
	char secret[SIGN_SECRET_MAX_BYTES] = "";
	size_t len;

	(void)rwflag;
	if (ask->count++ > 0 || ask->has_failed) { return -1; }
	ask->has_failed = get_secret(ask, secret, sizeof secret) != 0;
	len = strlen(secret);
	if (!ask->has_failed && len > (size_t)cap) {
		key_fail(ask->message, "%s: the %s is too long for it", ask->ref, ask->kind);
		ask->has_failed = true;
	}
	if (!ask->has_failed) { memcpy(text, secret, len); }
	ask->was_asked = !ask->has_failed;
	OPENSSL_cleanse(secret, sizeof secret);
	return ask->has_failed || len == 0 ? -1 : (int)len;
}
