/* SPDX-License-Identifier: Apache-2.0 */
/* Trusted public keys from PEM: one or several "BEGIN PUBLIC KEY" blocks, as `atfota key
 * export` and `openssl ec -pubout` write them. */
#ifndef ATFOTA_TRUST_FILE_H
#define ATFOTA_TRUST_FILE_H

#include <stddef.h>

#include "fota/suit.h"
#include "key_message.h"

#define TRUST_PEM_MAX_BYTES 65536u

/* Keys that are collected, possibly from several files. */
struct trust_keys {
	struct fota_trusted_key *keys; /* room of the caller */
	size_t cap;
	size_t count;
};

/* Adds the keys of a file; one that is there already is not added again. 0, or -1 with a
 * message that begins with the path, and *trust as it was: the file cannot be read, has no key, a key
 * that is not ECDSA P-256, a private key, something else, or more keys than there is room. */
int trust_file_load(const char *path, struct trust_keys *trust, struct key_message *message);

/* The same for a text of `len` bytes; `name` stands in the message instead of the path. */
int trust_pem_load(const char *pem, size_t len, const char *name, struct trust_keys *trust,
		   struct key_message *message);

#endif
