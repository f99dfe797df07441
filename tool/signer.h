/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that the command line names, and where their passphrases come from. */
#ifndef TOOL_SIGNER_H
#define TOOL_SIGNER_H

#include "command.h"
#include "sign_key.h"

#define SIGNER_VARIABLE "ATFOTA_PASSPHRASE"

/* For sign_secret.ctx: --passphrase-file, else the environment, else a prompt. */
struct signer_secret {
	const struct tool_args *args;
	unsigned index;          /* which --key it is for */
	bool is_new;             /* a prompt asks twice */
	enum tool_status status; /* set: why it failed */
};

struct sign_secret signer_secret(struct signer_secret *secret);

/* Opens one key to sign with; `index` says which of several passphrase files is its own. */
enum tool_status signer_open(struct sign_key *key, const char *ref, const struct tool_args *args, unsigned index,
			     struct tool_error *err);

/* FAIL unless --passphrase-file stands once for all keys or once for each. */
enum tool_status signer_check_args(const struct tool_args *args, struct tool_error *err);

#define SIGNER_OPTION_PASSPHRASE                                                                                       \
	{                                                                                                              \
		"passphrase-file", TOOL_KEY(PASSPHRASE_FILE), "FILE", 0,                                               \
			"File with the passphrase of the key or the PIN of its token, - for standard input; once for " \
			"all keys, or once for each in their order [ATFOTA_PASSPHRASE, else asked for]",               \
			0                                                                                              \
	}

#endif
