/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest file as the commands of `atfota package` see it. */
#ifndef TOOL_MANIFEST_H
#define TOOL_MANIFEST_H

#include <jansson.h>

#include "command.h"
#include "fota/suit.h"
#include "posix_crypto.h"
#include "table.h"
#include "trust_file.h"

#define MANIFEST_FILE_MAX_BYTES 65536u /* manifests of others are shown too */
#define MANIFEST_TRUST_MAX      32u

struct manifest {
	uint8_t bytes[MANIFEST_FILE_MAX_BYTES];
	struct fota_bytes envelope;
	struct posix_crypto posix;
	struct fota_crypto crypto;
	enum fota_err form; /* of fota_suit_get; OK: what follows is valid */
	struct fota_suit suit;
	struct fota_suit_device device; /* vendor and class that it asks for; zero: it asks for none */
	enum fota_err plan_err;
	struct fota_suit_plan plan;
	/* the keys to check signatures with, and whether there is one of each */
	struct fota_trusted_key keys[MANIFEST_TRUST_MAX];
	bool has_signed[MANIFEST_TRUST_MAX];
	size_t key_count;
	bool is_verified; /* a key of these has signed it */
};

/* Opens the crypto port only. Close it in each case. */
enum tool_status manifest_init(struct manifest *manifest, struct tool_error *err);
void manifest_close(struct manifest *manifest);

/* Reads a file and takes it apart. FAIL if it cannot be read; what is wrong with its form is
 * in manifest->form. */
enum tool_status manifest_read(struct manifest *manifest, const char *path, struct tool_error *err);

/* The same for bytes that are in manifest->bytes already. */
void manifest_take(struct manifest *manifest, size_t len);

/* Checks the signatures with these public keys (--key, files of PEM). */
enum tool_status manifest_check(struct manifest *manifest, const struct tool_args *args, struct tool_error *err);

/* Whether a key has signed it. */
bool manifest_has_signature(const struct manifest *manifest, const struct fota_trusted_key *key);

/* Why a module refuses it whoever has signed it, as the second half of a sentence; NULL: it
 * does not. */
const char *manifest_refusal(const struct manifest *manifest);

/* All that is known of it, for programs. The caller owns it. */
json_t *manifest_describe(const struct manifest *manifest);
/* For people; nothing of a manifest that is not of the right form. */
void manifest_print(const struct manifest *manifest);

/* Writes an envelope. What is there already and is no envelope is left alone. */
enum tool_status manifest_write(const char *path, struct fota_bytes envelope, struct tool_error *err);

#endif
