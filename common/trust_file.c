/* SPDX-License-Identifier: Apache-2.0 */
/* A block that is no public key is an error and is not skipped: who puts a private key or
 * a certificate here has mixed up two files, and would learn it only when a module refuses. */
#include "trust_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "public_key.h"

struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void free_block(struct block *block)
{
	OPENSSL_free(block->name);
	OPENSSL_free(block->header);
	OPENSSL_clear_free(block->data, (size_t)block->len); /* it may be a private key by mistake */
}

static bool has_key(const struct trust_keys *trust, const struct fota_trusted_key *key)
{
	for (size_t i = 0; i < trust->count; i++) {
		if (memcmp(trust->keys[i].point, key->point, sizeof key->point) == 0) { return true; }
	}
	return false;
}

static int add_key(struct trust_keys *trust, const struct fota_trusted_key *key, const char *name,
		   struct key_message *message)
{
	if (has_key(trust, key)) { return 0; }
	if (trust->count == trust->cap) {
		return key_fail(message, "%s: more than %zu trusted keys; take out those that are no longer used", name,
				trust->cap);
	}
	trust->keys[trust->count++] = *key;
	return 0;
}

/* Names come from the file, and go to logs, terminals and JSON. */
static void make_printable(char *name)
{
	for (; *name; name++) {
		if (*name < ' ' || *name > '~') { *name = '?'; }
	}
}

static int take_block(const struct block *block, const char *name, struct trust_keys *trust,
		      struct key_message *message)
{
	struct fota_trusted_key key;

	if (strstr(block->name, "PRIVATE KEY")) {
		return key_fail(message,
				"%s: a private key must not lie here; put its public key there, 'atfota key export' "
				"writes it",
				name);
	}
	if (strcmp(block->name, PEM_STRING_PUBLIC) != 0) {
		make_printable(block->name);
		return key_fail(message, "%s: a block '%.40s' is no public key; 'atfota key export' writes one", name,
				block->name);
	}
	if (!public_key_take_der(block->data, (size_t)block->len, &key)) {
		return key_fail(message,
				"%s: a key is damaged or not ECDSA P-256; 'atfota key create' makes such a key", name);
	}
	return add_key(trust, &key, name, message);
}

/* 1: a block was taken, 0: there is no further block, -1: failed. */
static int next_block(BIO *bio, const char *name, struct trust_keys *trust, struct key_message *message)
{
	struct block block = { NULL };
	int result;

	ERR_clear_error();
	if (PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.len) != 1) {
		bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

		ERR_clear_error();
		return is_end ? 0 : key_fail(message, "%s: a PEM block is damaged or cut off", name);
	}
	result = take_block(&block, name, trust, message);
	free_block(&block);
	return result ? -1 : 1;
}

int trust_pem_load(const char *pem, size_t len, const char *name, struct trust_keys *trust, struct key_message *message)
{
	struct trust_keys grown = *trust;
	BIO *bio = len <= TRUST_PEM_MAX_BYTES ? BIO_new_mem_buf(pem, (int)len) : NULL;
	unsigned block_count = 0;
	int result;

	if (!bio) { return key_fail(message, "%s: too large for a file of keys", name); }
	while ((result = next_block(bio, name, &grown, message)) > 0) {
		block_count++;
	}
	BIO_free(bio);
	ERR_clear_error();
	if (result) { return -1; }
	if (block_count == 0) { return key_fail(message, "%s: no public key in it (PEM, \"BEGIN PUBLIC KEY\")", name); }
	trust->count = grown.count;
	return 0;
}

/* Bytes read, TRUST_PEM_MAX_BYTES + 1 if there are more, or -1 with errno. */
static ssize_t read_file(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0;
	ssize_t got = fd < 0 ? -1 : 1;
	int reason;

	while (got > 0 && len <= TRUST_PEM_MAX_BYTES) {
		got = read(fd, text + len, TRUST_PEM_MAX_BYTES + 1 - len);
		if (got < 0 && errno == EINTR) {
			got = 1;
		} else if (got > 0) {
			len += (size_t)got;
		}
	}
	reason = errno;
	if (fd >= 0) { close(fd); }
	errno = reason;
	return got < 0 ? -1 : (ssize_t)len;
}

int trust_file_load(const char *path, struct trust_keys *trust, struct key_message *message)
{
	char *text = malloc(TRUST_PEM_MAX_BYTES + 1);
	ssize_t len;
	int result;

	if (!text) { return key_fail(message, "%s: no memory", path); }
	len = read_file(path, text);
	if (len < 0) {
		result = key_fail(message, "%s: cannot be read: %s", path, strerror(errno));
	} else {
		result = trust_pem_load(text, (size_t)len, path, trust, message);
		OPENSSL_cleanse(text, (size_t)len);
	}
	free(text);
	return result;
}
