/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include "secret.h"

static const char *file_of(const struct signer_secret *secret)
{
	const struct tool_args *args = secret->args;

	if (args->passphrase_file_count <= 1) { return args->passphrase_file[0]; }
	return args->passphrase_file[secret->index];
}

static int get(void *ctx, const char *what, char *text, size_t cap, struct key_message *message)
{
	struct signer_secret *secret = ctx;
	const struct tool_secret_source source = {
		.what = what,
		.file = file_of(secret),
		.file_option = "--passphrase-file",
		.variable = SIGNER_VARIABLE,
		.is_passphrase = true,
		.is_new = secret->is_new,
	};
	struct tool_error err = { "" };

	secret->status = tool_secret_get(&source, text, cap, &err);
	return secret->status ? key_fail(message, "%s", err.text) : 0;
}

struct sign_secret signer_secret(struct signer_secret *secret)
{
	return (struct sign_secret) { .get = get, .ctx = secret };
}

enum tool_status signer_open(struct sign_key *key, const char *ref, const struct tool_args *args, unsigned index,
			     struct tool_error *err)
{
	struct signer_secret ctx = { .args = args, .index = index };
	struct sign_secret secret = signer_secret(&ctx);
	struct key_message message = { "" };

	if (sign_key_open(key, ref, &secret, &message) == 0) { return TOOL_STATUS_OK; }
	return tool_fail(err, ctx.status ? ctx.status : TOOL_STATUS_FAIL, "%s", message.text);
}

enum tool_status signer_check_args(const struct tool_args *args, struct tool_error *err)
{
	if (args->passphrase_file_count <= 1 || args->passphrase_file_count == args->key_count) {
		return TOOL_STATUS_OK;
	}
	return tool_fail(err, TOOL_STATUS_FAIL, "give --passphrase-file once for all keys, or once for each key");
}
