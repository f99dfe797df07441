/* SPDX-License-Identifier: Apache-2.0 */
/* atfota key. Offline: no command of it talks to anybody but a token. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "public_key.h"
#include "resource.h"
#include "signer.h"
#include "trust_file.h"

#define SHOW_MAX 32u /* keys of one file */

static const struct tool_column columns[] = {
	{ "KEY ID", "kid" },
	{ "TYPE", "type" },
	{ "KEPT IN", "kept" },
	{ 0 },
};

static enum tool_status out_of_memory(struct tool_error *err)
{
	return tool_fail(err, TOOL_STATUS_FAIL, "no memory");
}

/* One key for people and programs. NULL: no memory. */
static json_t *describe(const struct fota_trusted_key *key, const char *kept)
{
	char kid[PUBLIC_KEY_KID_TEXT_BYTES], pem[PUBLIC_KEY_PEM_MAX_BYTES];

	public_key_kid_text(key->kid, kid);
	if (!public_key_pem(key, pem)) { return NULL; }
	return json_pack("{s:s, s:s, s:s, s:s}", "kid", kid, "type", "ECDSA P-256", "kept", kept, "pem", pem);
}

static const char *kept_in(const struct sign_key *key)
{
	if (key->is_token) { return "a PKCS#11 token"; }
	return key->has_passphrase ? "a file with a passphrase" : "a file without a passphrase";
}

/* ---- create ---- */

static enum tool_status check_create(const struct tool_args *args, struct tool_error *err)
{
	const char *path = args->pos[0];
	struct stat st;

	if (sign_token_is_uri(path)) {
		return tool_fail(
			err, TOOL_STATUS_FAIL,
			"a key in a token is made by the token's own program, such as 'pkcs11-tool --keypairgen "
			"--key-type EC:prime256v1'; then name it by its URI");
	}
	if (args->opt[TOOL_OPT_NO_PASSPHRASE] && args->opt[TOOL_OPT_PASSPHRASE_FILE]) {
		return tool_fail(err, TOOL_STATUS_FAIL, "--no-passphrase and --passphrase-file exclude each other");
	}
	if (lstat(path, &st) == 0) { /* before a passphrase is asked for; sign_key_save checks again */
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is there already and is left alone; choose another name",
				 path);
	}
	return TOOL_STATUS_OK;
}

static enum tool_status new_passphrase(const struct tool_args *args, char *passphrase, size_t cap,
				       struct tool_error *err)
{
	struct signer_secret ctx = { .args = args, .is_new = true };
	struct sign_secret secret = signer_secret(&ctx);
	struct key_message message = { "" };
	char what[600];

	snprintf(what, sizeof what, "passphrase for %.512s", args->pos[0]);
	if (secret.get(secret.ctx, what, passphrase, cap, &message) == 0) { return TOOL_STATUS_OK; }
	if (args->passphrase_file_count) { return tool_fail(err, ctx.status, "%s", message.text); }
	return tool_fail(err, ctx.status, "%s (a key without one needs --no-passphrase)", message.text);
}

static enum tool_status create(const struct tool_args *args, const char *passphrase, struct tool_error *err)
{
	struct key_message message = { "" };
	struct sign_key key;
	json_t *made;

	if (sign_key_generate(&key, &message)) { return tool_fail(err, TOOL_STATUS_FAIL, "%s", message.text); }
	key.has_passphrase = passphrase != NULL;
	if (sign_key_save(&key, args->pos[0], passphrase, &message)) {
		sign_key_close(&key);
		return tool_fail(err, TOOL_STATUS_FAIL, "%s", message.text);
	}
	made = describe(&key.public_key, kept_in(&key));
	sign_key_close(&key);
	if (!made) { return out_of_memory(err); }
	resource_print(columns, args, made);
	json_decref(made);
	return TOOL_STATUS_OK;
}

static enum tool_status run_create(const struct tool_args *args, struct tool_error *err)
{
	bool is_plain = args->opt[TOOL_OPT_NO_PASSPHRASE] != NULL;
	char passphrase[SIGN_SECRET_MAX_BYTES] = "";
	enum tool_status status = check_create(args, err);

	if (!status && !is_plain) { status = new_passphrase(args, passphrase, sizeof passphrase, err); }
	if (!status) { status = create(args, is_plain ? NULL : passphrase, err); }
	explicit_bzero(passphrase, sizeof passphrase);
	return status;
}

/* ---- show and export ---- */

static enum tool_status open_public(struct sign_key *key, const struct tool_args *args, struct tool_error *err)
{
	struct signer_secret ctx = { .args = args };
	struct sign_secret secret = signer_secret(&ctx);
	struct key_message message = { "" };

	if (sign_key_open_public(key, args->pos[0], &secret, &message) == 0) { return TOOL_STATUS_OK; }
	return tool_fail(err, ctx.status ? ctx.status : TOOL_STATUS_FAIL, "%s", message.text);
}

/* A file of public keys, possibly of several. False if it is something else. */
static bool add_public_keys(const char *ref, json_t *items)
{
	struct fota_trusted_key keys[SHOW_MAX];
	struct trust_keys trust = { .keys = keys, .cap = SHOW_MAX };

	if (sign_token_is_uri(ref) || trust_file_load(ref, &trust, NULL)) { return false; }
	for (size_t i = 0; i < trust.count; i++) {
		json_array_append_new(items, describe(&keys[i], "a file of public keys"));
	}
	return true;
}

static enum tool_status list_keys(const struct tool_args *args, json_t *items, struct tool_error *err)
{
	struct sign_key key;
	enum tool_status status;

	if (add_public_keys(args->pos[0], items)) { return TOOL_STATUS_OK; }
	status = open_public(&key, args, err);
	if (status) { return status; }
	json_array_append_new(items, describe(&key.public_key, kept_in(&key)));
	sign_key_close(&key);
	return TOOL_STATUS_OK;
}

static void print_keys(const json_t *items)
{
	size_t i;
	json_t *item;

	for (i = 0; (item = json_array_get(items, i)) != NULL; i++) {
		if (i) { putchar('\n'); }
		tool_fields_print(stdout, columns, item);
		fputs(json_string_value(json_object_get(item, "pem")), stdout);
	}
}

static enum tool_status run_show(const struct tool_args *args, struct tool_error *err)
{
	json_t *items = json_array();
	enum tool_status status = list_keys(args, items, err);

	if (!status && json_array_size(items) == 0) { status = out_of_memory(err); }
	if (!status && args->opt[TOOL_OPT_JSON]) { resource_print_list(columns, args, items); }
	if (!status && !args->opt[TOOL_OPT_JSON]) { print_keys(items); }
	json_decref(items);
	return status;
}

/* Never over a file that is there: it may be the private key itself. */
static enum tool_status write_new(const char *path, const char *text, struct tool_error *err)
{
	struct stat st;

	if (strcmp(path, "-") != 0 && lstat(path, &st) == 0) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is there already and is left alone; choose another name",
				 path);
	}
	return tool_file_write_public(path, text, strlen(text), err);
}

static enum tool_status run_export(const struct tool_args *args, struct tool_error *err)
{
	char pem[PUBLIC_KEY_PEM_MAX_BYTES];
	struct sign_key key;
	enum tool_status status = open_public(&key, args, err);

	if (status) { return status; }
	if (!public_key_pem(&key.public_key, pem)) { status = out_of_memory(err); }
	sign_key_close(&key);
	if (!status && args->opt[TOOL_OPT_OUTPUT]) { return write_new(args->opt[TOOL_OPT_OUTPUT], pem, err); }
	if (!status) { fputs(pem, stdout); }
	return status;
}

static const struct argp_option create_options[] = {
	SIGNER_OPTION_PASSPHRASE,
	{ "no-passphrase", TOOL_KEY(NO_PASSPHRASE), NULL, 0,
	  "Without: whoever reads the file can sign. For laboratories, or where the file is protected otherwise", 0 },
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option show_options[] = { SIGNER_OPTION_PASSPHRASE, TOOL_OPTIONS_JSON, { 0 } };
static const struct argp_option export_options[] = {
	SIGNER_OPTION_PASSPHRASE,
	TOOL_OPTION_OUTPUT("Write the public key into FILE, which must not be there (default: standard output)"),
	{ 0 },
};

const struct tool_command tool_key_commands[] = {
	{ .name = "create",
	  .doc = "Make a key (ECDSA P-256) in a new file of mode 0600",
	  .options = create_options,
	  .where = 's',
	  .run = run_create,
	  TOOL_ONE("FILE") },
	{ .name = "show",
	  .doc = "Show identifier and public part of a key",
	  .options = show_options,
	  .where = 's',
	  .run = run_show,
	  TOOL_ONE("FILE|URI") },
	{ .name = "export",
	  .doc = "Write the public key, for modules and the platform",
	  .options = export_options,
	  .where = 's',
	  .run = run_export,
	  TOOL_ONE("FILE|URI") },
	{ 0 },
};
