/* SPDX-License-Identifier: Apache-2.0 */
/* atfota package. Offline: it reads and writes files, and asks tokens for signatures.
 *
 * What is written has been read back the way a module reads it, with the public part of
 * each key that signed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "fota/device_api.h"
#include "image.h"
#include "manifest.h"
#include "public_key.h"
#include "resource.h"
#include "signer.h"
#include "suit_diag.h"
#include "suit_words.h"

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* struct manifest is large for a stack of its own in each command; one is used at a time. */
static enum tool_status with_manifest(const struct tool_args *args,
				      enum tool_status (*run)(struct manifest *manifest, const struct tool_args *args,
							      struct tool_error *err),
				      struct tool_error *err)
{
	struct manifest *manifest = malloc(sizeof *manifest);
	enum tool_status status;

	if (!manifest) { return tool_fail(err, TOOL_STATUS_FAIL, "no memory"); }
	status = manifest_init(manifest, err);
	if (!status) { status = run(manifest, args, err); }
	manifest_close(manifest);
	free(manifest);
	return status;
}

static void print(const struct manifest *manifest, const struct tool_args *args)
{
	json_t *json;

	if (!args->opt[TOOL_OPT_JSON]) {
		manifest_print(manifest);
		return;
	}
	json = manifest_describe(manifest);
	resource_print(NULL, args, json);
	json_decref(json);
}

static enum tool_status need_form(const struct manifest *manifest, const char *path, struct tool_error *err)
{
	if (manifest->form == FOTA_ERR_OK) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL, "%s %s", path, manifest_refusal(manifest));
}

/* ---- signatures ---- */

struct signers {
	struct sign_key keys[TOOL_SIGN_MAX];
	unsigned count;
};

static void signers_close(struct signers *signers)
{
	for (unsigned i = 0; i < signers->count; i++) {
		sign_key_close(&signers->keys[i]);
	}
}

static enum tool_status check_new_key(const struct signers *signers, const struct sign_key *key, struct tool_error *err)
{
	char kid[PUBLIC_KEY_KID_TEXT_BYTES];

	for (unsigned i = 0; i < signers->count; i++) {
		if (memcmp(signers->keys[i].public_key.point, key->public_key.point, FOTA_SUIT_POINT_BYTES) != 0) {
			continue;
		}
		public_key_kid_text(key->public_key.kid, kid);
		return tool_fail(err, TOOL_STATUS_FAIL, "the key %s is named twice", kid);
	}
	return TOOL_STATUS_OK;
}

/* All keys before the image is read: a wrong passphrase is told at once. */
static enum tool_status signers_open(struct signers *signers, const struct tool_args *args, struct tool_error *err)
{
	enum tool_status status = signer_check_args(args, err);

	signers->count = 0;
	for (unsigned i = 0; !status && i < args->key_count; i++) {
		struct sign_key *key = &signers->keys[signers->count];

		status = signer_open(key, args->key[i], args, i, err);
		if (status) { break; }
		status = check_new_key(signers, key, err);
		signers->count++;
	}
	return status;
}

static enum tool_status sign_hash(const struct sign_key *key, const uint8_t hash[FOTA_SUIT_DIGEST_BYTES],
				  struct fota_suit_signature *signature, struct tool_error *err)
{
	struct key_message message = { "" };

	memcpy(signature->kid, key->public_key.kid, sizeof signature->kid);
	if (sign_key_sign(key, hash, signature->bytes, &message) == 0) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL, "%s", message.text);
}

/* Reads the new envelope as a module would, and writes it. */
static enum tool_status finish(struct manifest *manifest, const struct signers *signers, struct fota_bytes envelope,
			       const char *path, struct tool_error *err)
{
	memcpy(manifest->bytes, envelope.ptr, envelope.len);
	manifest_take(manifest, envelope.len);
	manifest->key_count = signers->count;
	for (unsigned i = 0; i < signers->count; i++) {
		manifest->keys[i] = signers->keys[i].public_key;
		manifest->has_signed[i] =
			manifest->form == FOTA_ERR_OK && manifest_has_signature(manifest, &manifest->keys[i]);
		if (!manifest->has_signed[i]) {
			return tool_fail(err, TOOL_STATUS_FAIL, "what was made does not verify; nothing was written");
		}
	}
	manifest->is_verified = true;
	return manifest_write(path, envelope, err);
}

/* ---- build ---- */

#define SEQUENCE_MAX ((uint64_t)INT64_MAX) /* what databases and JSON can count */

static enum tool_status get_sequence(const char *text, uint64_t *sequence, struct tool_error *err)
{
	char *end;

	if (strcmp(text, "auto") == 0) {
		*sequence = (uint64_t)time(NULL);
		return TOOL_STATUS_OK;
	}
	errno = 0;
	*sequence = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *sequence > 0 && *sequence <= SEQUENCE_MAX) {
		return TOOL_STATUS_OK;
	}
	return tool_fail(err, TOOL_STATUS_FAIL,
			 "--sequence needs a number from 1 that is higher than that of every release before, or 'auto' "
			 "(the seconds of the clock)");
}

static enum tool_status check_name(const char *option, const char *name, size_t max, struct tool_error *err)
{
	struct fota_bytes bytes = fota_bytes_of(name);
	bool is_plain = fota_cbor_is_text(bytes);

	for (size_t i = 0; i < bytes.len; i++) {
		is_plain = is_plain && bytes.ptr[i] >= 0x20 && bytes.ptr[i] != 0x7f;
	}
	if (is_plain && bytes.len > 0 && bytes.len <= max) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL, "%s has to be 1 to %zu bytes of UTF-8 text", option, max);
}

static enum tool_status check_uri(const char *uri, struct tool_error *err)
{
	if (!*uri) { return TOOL_STATUS_OK; }
	if (strncmp(uri, "https://", 8) != 0 && strncmp(uri, "http://", 7) != 0) {
		return tool_fail(err, TOOL_STATUS_FAIL, "--uri has to begin with https:// (or http://)");
	}
	return check_name("--uri", uri, FOTA_URL_MAX_BYTES, err);
}

static enum tool_status get_build(const struct tool_args *args, struct fota_suit_build *build, struct tool_error *err)
{
	const char *oem = args->opt[TOOL_OPT_OEM], *model = args->opt[TOOL_OPT_MODEL];
	const char *version = args->opt[TOOL_OPT_VERSION], *uri = text_or_empty(args->opt[TOOL_OPT_URI]);
	enum tool_status status = get_sequence(args->opt[TOOL_OPT_SEQUENCE], &build->sequence_number, err);

	if (!status) { status = check_name("--oem", oem, FOTA_NAME_MAX_BYTES, err); }
	if (!status) { status = check_name("--model", model, FOTA_NAME_MAX_BYTES, err); }
	if (!status) { status = check_name("--version", version, FOTA_VERSION_MAX_BYTES, err); }
	if (!status) { status = check_uri(uri, err); }
	build->oem = fota_bytes_of(oem);
	build->model = fota_bytes_of(model);
	build->version = fota_bytes_of(version);
	build->uri = fota_bytes_of(uri);
	return status;
}

static enum tool_status read_image(const char *file, struct fota_suit_build *build, struct tool_error *err)
{
	struct image image;
	enum tool_status status = image_open(&image, file, stderr, err);

	image_close(&image);
	build->size_bytes = image.size;
	memcpy(build->digest, image.digest, sizeof build->digest);
	return status;
}

static enum tool_status seal(struct manifest *manifest, const struct fota_suit_build *build,
			     const struct signers *signers, const char *path, struct tool_error *err)
{
	struct fota_suit_signature signatures[TOOL_SIGN_MAX];
	uint8_t plain[FOTA_SUIT_ENVELOPE_MAX_BYTES], sealed[FOTA_SUIT_ENVELOPE_MAX_BYTES], hash[FOTA_SUIT_DIGEST_BYTES];
	struct fota_bytes bytes, envelope;
	enum tool_status status = TOOL_STATUS_OK;
	enum fota_err made =
		fota_suit_build(build, &manifest->crypto, (struct fota_room) { plain, sizeof plain }, &bytes);

	if (!made) { made = fota_suit_to_sign(bytes, &manifest->crypto, hash); }
	for (unsigned i = 0; !made && !status && i < signers->count; i++) {
		status = sign_hash(&signers->keys[i], hash, &signatures[i], err);
	}
	if (status) { return status; }
	if (!made) {
		made = fota_suit_seal(bytes, &manifest->crypto, signatures, signers->count,
				      (struct fota_room) { sealed, sizeof sealed }, &envelope);
	}
	if (made == FOTA_ERR_FULL) {
		return tool_fail(err, TOOL_STATUS_FAIL,
				 "the manifest gets longer than %u bytes; use fewer keys, or a shorter URI or names",
				 FOTA_SUIT_ENVELOPE_MAX_BYTES);
	}
	if (made) { return tool_fail(err, TOOL_STATUS_FAIL, "the manifest cannot be made: %s", fota_err_text(made)); }
	return finish(manifest, signers, envelope, path, err);
}

static enum tool_status build(struct manifest *manifest, const struct tool_args *args, struct tool_error *err)
{
	const char *path = args->opt[TOOL_OPT_OUTPUT];
	struct fota_suit_build what = { .sequence_number = 0 };
	struct signers signers = { .count = 0 };
	enum tool_status status = get_build(args, &what, err);

	if (!status) { status = signers_open(&signers, args, err); }
	if (!status) { status = read_image(args->pos[0], &what, err); }
	if (!status) { status = seal(manifest, &what, &signers, path, err); }
	signers_close(&signers);
	if (!status && strcmp(path, "-") != 0) { print(manifest, args); }
	return status;
}

static enum tool_status run_build(const struct tool_args *args, struct tool_error *err)
{
	return with_manifest(args, build, err);
}

/* ---- sign ---- */

static enum tool_status add_signature(struct manifest *manifest, const struct sign_key *key, struct tool_error *err)
{
	struct fota_suit_signature signature;
	uint8_t hash[FOTA_SUIT_DIGEST_BYTES], room[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	char kid[PUBLIC_KEY_KID_TEXT_BYTES];
	struct fota_bytes bytes, envelope;
	enum tool_status status;
	enum fota_err made;

	public_key_kid_text(key->public_key.kid, kid);
	if (manifest_has_signature(manifest, &key->public_key)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "the key %s has signed it already", kid);
	}
	if (manifest->suit.block_count >= FOTA_SUIT_SIGNATURE_MAX) {
		return tool_fail(err, TOOL_STATUS_FAIL, "it has %u signatures, which is as many as a module looks at",
				 FOTA_SUIT_SIGNATURE_MAX);
	}
	made = fota_suit_manifest_of(manifest->envelope, &bytes);
	if (!made) { made = fota_suit_to_sign(bytes, &manifest->crypto, hash); }
	status = made ? TOOL_STATUS_OK : sign_hash(key, hash, &signature, err);
	if (status) { return status; }
	if (!made) {
		made = fota_suit_add_signature(manifest->envelope, &signature, (struct fota_room) { room, sizeof room },
					       &envelope);
	}
	if (made) {
		return tool_fail(err, TOOL_STATUS_FAIL, "the signature cannot be added: %s",
				 made == FOTA_ERR_FULL ? "the manifest gets longer than a module takes"
						       : fota_err_text(made));
	}
	memcpy(manifest->bytes, envelope.ptr, envelope.len);
	manifest_take(manifest, envelope.len);
	return TOOL_STATUS_OK;
}

static enum tool_status add_signatures(struct manifest *manifest, const struct signers *signers, const char *path,
				       struct tool_error *err)
{
	uint8_t copy[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	enum tool_status status = TOOL_STATUS_OK;
	struct fota_bytes envelope;

	for (unsigned i = 0; !status && i < signers->count; i++) {
		status = add_signature(manifest, &signers->keys[i], err);
	}
	if (status) { return status; }
	memcpy(copy, manifest->envelope.ptr, manifest->envelope.len);
	envelope = (struct fota_bytes) { copy, manifest->envelope.len };
	return finish(manifest, signers, envelope, path, err);
}

static enum tool_status sign(struct manifest *manifest, const struct tool_args *args, struct tool_error *err)
{
	const char *in = args->pos[0], *out = args->opt[TOOL_OPT_OUTPUT] ? args->opt[TOOL_OPT_OUTPUT] : in;
	struct signers signers = { .count = 0 };
	enum tool_status status = manifest_read(manifest, in, err);

	if (!status) { status = need_form(manifest, in, err); }
	if (!status) { status = signers_open(&signers, args, err); }
	if (!status) { status = add_signatures(manifest, &signers, out, err); }
	signers_close(&signers);
	if (!status && strcmp(out, "-") != 0) { print(manifest, args); }
	return status;
}

static enum tool_status run_sign(const struct tool_args *args, struct tool_error *err)
{
	return with_manifest(args, sign, err);
}

/* ---- verify ---- */

static enum tool_status check_plan(const struct manifest *manifest, const char *path, struct tool_error *err)
{
	const struct fota_suit_plan *plan = &manifest->plan;

	if (manifest->plan_err) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s: a module refuses it: it %s", path,
				 manifest_refusal(manifest));
	}
	if (!plan->has_digest || !plan->has_size) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s: it does not say which image it is about", path);
	}
	return TOOL_STATUS_OK;
}

static enum tool_status check_image(const struct manifest *manifest, const char *file, struct tool_error *err)
{
	struct image image;
	enum tool_status status = image_open(&image, file, stderr, err);

	image_close(&image);
	if (status) { return status; }
	if (image.size != manifest->plan.size_bytes) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s has %" PRIu64 " bytes, the manifest is about %" PRIu64,
				 file, image.size, manifest->plan.size_bytes);
	}
	if (memcmp(image.digest, manifest->plan.digest, sizeof image.digest) != 0) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is another image: its SHA-256 is %s", file,
				 image.digest_text);
	}
	return TOOL_STATUS_OK;
}

static enum tool_status check_signed(const struct manifest *manifest, const char *path, struct tool_error *err)
{
	if (manifest->is_verified) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL,
			 "%s is signed by none of these keys; 'atfota package show' tells the key that it names", path);
}

/* Manifests of others may do without what modules and the platform here need. */
static void note_refusal(const struct manifest *manifest)
{
	const struct fota_suit_text *text = &manifest->suit.text;
	const struct fota_suit_plan *plan = &manifest->plan;
	const char *missing = NULL;

	if (!text->vendor_name.len || !text->model_name.len || !text->version.len) {
		missing = "no names of OEM, model and version";
	} else if (!plan->has_vendor || !plan->has_class) {
		missing = "no conditions on vendor and class";
	} else if (!plan->is_fetched) {
		missing = "no fetch with an image match behind it";
	}
	if (missing) { fprintf(stderr, "atfota: note: atfotad refuses it, since it has %s\n", missing); }
}

/* The plan was made for slot 0; a version has one package, whichever slot is free. */
static bool is_same_in_other_slot(const struct manifest *manifest)
{
	struct fota_suit_device device = manifest->device;
	struct fota_suit_plan plan;

	device.slot = 1;
	return !fota_suit_plan(&manifest->suit, &device, &plan) && plan.size_bytes == manifest->plan.size_bytes &&
	       memcmp(plan.digest, manifest->plan.digest, sizeof plan.digest) == 0;
}

static void note_slots(const struct manifest *manifest)
{
	if (is_same_in_other_slot(manifest)) { return; }
	fputs("atfota: note: the platform refuses it, since it is not for the same image in both slots\n", stderr);
}

static enum tool_status verify(struct manifest *manifest, const struct tool_args *args, struct tool_error *err)
{
	const char *path = args->pos[0];
	enum tool_status status = manifest_read(manifest, path, err);

	if (!status) { status = need_form(manifest, path, err); }
	if (!status) { status = manifest_check(manifest, args, err); }
	if (!status) { status = check_signed(manifest, path, err); }
	if (!status) { status = check_plan(manifest, path, err); }
	if (!status && args->pos[1]) { status = check_image(manifest, args->pos[1], err); }
	if (status) { return status; }
	print(manifest, args);
	note_refusal(manifest);
	note_slots(manifest);
	return TOOL_STATUS_OK;
}

static enum tool_status run_verify(const struct tool_args *args, struct tool_error *err)
{
	return with_manifest(args, verify, err);
}

/* ---- show ---- */

/* NULL: it is no CBOR that can be shown. */
static char *notation_of(const struct manifest *manifest)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool is_done = out && suit_diag_print(out, manifest->envelope, SUIT_KIND_ENVELOPE);

	if (out) { fclose(out); }
	if (is_done) { return text; }
	free(text);
	return NULL;
}

static void show_json(const struct manifest *manifest, const struct tool_args *args, const char *notation)
{
	json_t *json = manifest_describe(manifest);

	json_object_set_new(json, "notation", json_string(notation));
	resource_print(NULL, args, json);
	json_decref(json);
}

static void show_text(const struct manifest *manifest, const struct tool_args *args, const char *notation)
{
	const char *refusal = manifest_refusal(manifest);

	fputs(notation, stdout);
	putchar('\n');
	if (manifest->form == FOTA_ERR_OK) {
		print(manifest, args);
		putchar('\n');
		suit_words_print(stdout, &manifest->suit);
		putchar('\n');
	}
	if (refusal) { printf("A module refuses it: it %s.\n", refusal); }
	if (manifest->key_count == 0) {
		puts("Nobody has vouched for this yet: the signatures were not checked (--key, or 'atfota package verify').");
	}
}

static enum tool_status show(struct manifest *manifest, const struct tool_args *args, struct tool_error *err)
{
	enum tool_status status = manifest_read(manifest, args->pos[0], err);
	char *notation;

	if (!status) { status = manifest_check(manifest, args, err); }
	if (status) { return status; }
	notation = notation_of(manifest);
	if (!notation) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is no deterministic CBOR, so it is no manifest",
				 args->pos[0]);
	}
	(args->opt[TOOL_OPT_JSON] ? show_json : show_text)(manifest, args, notation);
	free(notation);
	return TOOL_STATUS_OK;
}

static enum tool_status run_show(const struct tool_args *args, struct tool_error *err)
{
	return with_manifest(args, show, err);
}

/* ---- tables ---- */

#define OPTION_SIGN_KEY                                                                                          \
	{                                                                                                        \
		"key", TOOL_KEY(KEY), "FILE|URI", 0,                                                             \
			"Key to sign with: a file, or pkcs11:... for a token; can be repeated (key rotation)", 0 \
	}
#define OPTION_PUBLIC_KEY                                                                                      \
	{                                                                                                      \
		"key", TOOL_KEY(KEY), "PUB.pem", 0, "Public keys to check signatures with; can be repeated", 0 \
	}

static const struct argp_option build_options[] = {
	{ "oem", TOOL_KEY(OEM), "NAME", 0, "OEM of the module, as on the platform and in AT+CSCFOTA", 0 },
	{ "model", TOOL_KEY(MODEL), "NAME", 0, "Model of the module", 0 },
	{ "version", TOOL_KEY(VERSION), "NAME", 0, "Name of the version, as AT+CSCFOTA names it", 0 },
	{ "sequence", TOOL_KEY(SEQUENCE), "N|auto", 0,
	  "Release number; a module takes none that is below what it runs. auto: the seconds of the clock", 0 },
	{ "uri", TOOL_KEY(URI), "URL", 0, "Where the image is, if the platform does not say (default: none)", 0 },
	OPTION_SIGN_KEY,
	SIGNER_OPTION_PASSPHRASE,
	TOOL_OPTION_OUTPUT("Write the manifest into FILE (- for standard output)"),
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option sign_options[] = {
	OPTION_SIGN_KEY,
	SIGNER_OPTION_PASSPHRASE,
	TOOL_OPTION_OUTPUT("Write the manifest into FILE (default: the file that is read)"),
	TOOL_OPTIONS_JSON,
	{ 0 },
};
static const struct argp_option read_options[] = { OPTION_PUBLIC_KEY, TOOL_OPTIONS_JSON, { 0 } };

const struct tool_command tool_package_commands[] = {
	{ .name = "build",
	  .doc = "Make and sign the manifest of an image",
	  .options = build_options,
	  .required = TOOL_NEED(OEM) | TOOL_NEED(MODEL) | TOOL_NEED(VERSION) | TOOL_NEED(SEQUENCE) | TOOL_NEED(KEY) |
		      TOOL_NEED(OUTPUT),
	  .where = 's',
	  .run = run_build,
	  TOOL_ONE("IMAGE") },
	{ .name = "sign",
	  .doc = "Add a signature to a manifest; those that it has stay",
	  .options = sign_options,
	  .required = TOOL_NEED(KEY),
	  .where = 's',
	  .run = run_sign,
	  TOOL_ONE("FILE.suit") },
	{ .name = "verify",
	  .doc = "Check signatures and content, and the image if it is named",
	  .options = read_options,
	  .required = TOOL_NEED(KEY),
	  .where = 's',
	  .run = run_verify,
	  .args_doc = "FILE.suit [IMAGE]",
	  .pos_min = 1,
	  .pos_max = 2 },
	{ .name = "show",
	  .doc = "Print a manifest in CBOR diagnostic notation and in words",
	  .options = read_options,
	  .where = 's',
	  .run = run_show,
	  TOOL_ONE("FILE.suit") },
	{ 0 },
};
