/* SPDX-License-Identifier: Apache-2.0 */
/* Vendor and class are taken from the names in the text where there are some, as a
 * module does, and else from the parameters, so that the plan of manifests of others
 * can be shown as well. */
#include "manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "image.h"
#include "public_key.h"
#include "suit_names.h"

#define COMMAND_OVERRIDE 20u
#define PARAMETER_VENDOR 1
#define PARAMETER_CLASS  2
#define HEADER_ALG       1
#define HEADER_KID       4

enum tool_status manifest_init(struct manifest *manifest, struct tool_error *err)
{
	memset(manifest, 0, sizeof *manifest);
	if (posix_crypto_init(&manifest->posix)) { return tool_fail(err, TOOL_STATUS_FAIL, "OpenSSL cannot be used"); }
	manifest->crypto = posix_crypto_port(&manifest->posix);
	return TOOL_STATUS_OK;
}

void manifest_close(struct manifest *manifest)
{
	posix_crypto_close(&manifest->posix);
}

/* ---- reading ---- */

static void take_id(struct fota_rd *rd, uint8_t id[FOTA_UUID_BYTES])
{
	struct fota_bytes bytes = fota_rd_bstr(rd);

	if (bytes.len == FOTA_UUID_BYTES) { memcpy(id, bytes.ptr, FOTA_UUID_BYTES); }
}

static void take_parameters(struct fota_rd *rd, struct fota_suit_device *device)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		if (key == PARAMETER_VENDOR) {
			take_id(rd, device->vendor);
		} else if (key == PARAMETER_CLASS) {
			take_id(rd, device->class_id);
		} else {
			fota_rd_skip(rd);
		}
	}
}

/* Vendor and class as the shared sequence sets them. Its form was checked. */
static void take_device(const struct fota_suit *suit, struct fota_suit_device *device)
{
	struct fota_bytes sequence = suit->sequences[FOTA_SUIT_SHARED];
	struct fota_rd rd;
	uint64_t count;

	fota_rd_init(&rd, sequence);
	count = sequence.len ? fota_rd_array(&rd) / 2 : 0;
	for (uint64_t i = 0; i < count; i++) {
		if (fota_rd_uint(&rd) == COMMAND_OVERRIDE) {
			take_parameters(&rd, device);
		} else {
			fota_rd_skip(&rd);
		}
	}
}

static bool has_names(const struct fota_suit *suit)
{
	return suit->text.vendor_name.len && suit->text.model_name.len;
}

static void make_plan(struct manifest *manifest)
{
	struct fota_suit_device *device = &manifest->device;
	const struct fota_suit_text *text = &manifest->suit.text;

	manifest->plan_err = FOTA_ERR_OK;
	if (has_names(&manifest->suit)) {
		manifest->plan_err = fota_uuid_of_names(&manifest->crypto, text->vendor_name, text->model_name,
							device->vendor, device->class_id);
	} else {
		take_device(&manifest->suit, device);
	}
	if (manifest->plan_err) { return; }
	manifest->plan_err = fota_suit_plan(&manifest->suit, device, &manifest->plan);
}

void manifest_take(struct manifest *manifest, size_t len)
{
	manifest->envelope = (struct fota_bytes) { manifest->bytes, len };
	memset(&manifest->device, 0, sizeof manifest->device);
	memset(&manifest->plan, 0, sizeof manifest->plan);
	manifest->form = fota_suit_get(manifest->envelope, &manifest->crypto, &manifest->suit);
	if (manifest->form == FOTA_ERR_OK) { make_plan(manifest); }
}

enum tool_status manifest_read(struct manifest *manifest, const char *path, struct tool_error *err)
{
	size_t len;
	enum tool_status status = tool_file_read_bytes(path, manifest->bytes, sizeof manifest->bytes, &len, err);

	if (!status) { manifest_take(manifest, len); }
	return status;
}

static const char *form_text(enum fota_err form)
{
	switch (form) {
	case FOTA_ERR_FORMAT:
		return "is no SUIT envelope in deterministic CBOR, or the manifest in it was changed";
	case FOTA_ERR_UNSUPPORTED:
		return "asks for more than modules here can do (several components, or unknown commands)";
	case FOTA_ERR_FULL:
		return "is longer than a module takes";
	default:
		return fota_err_text(form);
	}
}

static const char *plan_text(enum fota_err err)
{
	switch (err) {
	case FOTA_ERR_MISMATCH:
		return "has a vendor and a class that are not those of the OEM's and the model's name";
	case FOTA_ERR_CORRUPT:
		return "has a condition that cannot be met";
	case FOTA_ERR_UNSUPPORTED:
		return "writes, copies or swaps";
	default:
		return fota_err_text(err);
	}
}

const char *manifest_refusal(const struct manifest *manifest)
{
	if (manifest->form) { return form_text(manifest->form); }
	return manifest->plan_err ? plan_text(manifest->plan_err) : NULL;
}

/* ---- signatures ---- */

bool manifest_has_signature(const struct manifest *manifest, const struct fota_trusted_key *key)
{
	return fota_suit_verify(&manifest->suit, &manifest->crypto, key, 1, NULL) == FOTA_ERR_OK;
}

enum tool_status manifest_check(struct manifest *manifest, const struct tool_args *args, struct tool_error *err)
{
	struct trust_keys trust = { .keys = manifest->keys, .cap = MANIFEST_TRUST_MAX };
	struct key_message message = { "" };

	for (unsigned i = 0; i < args->key_count; i++) {
		if (trust_file_load(args->key[i], &trust, &message)) {
			return tool_fail(err, TOOL_STATUS_FAIL, "%s", message.text);
		}
	}
	manifest->key_count = trust.count;
	for (size_t i = 0; manifest->form == FOTA_ERR_OK && i < trust.count; i++) {
		manifest->has_signed[i] = manifest_has_signature(manifest, &manifest->keys[i]);
		manifest->is_verified = manifest->is_verified || manifest->has_signed[i];
	}
	return TOOL_STATUS_OK;
}

/* ---- for people and programs ---- */

static const struct tool_column columns[] = {
	{ "OEM", "oem" },
	{ "MODEL", "model" },
	{ "VERSION", "version" },
	{ "SEQUENCE", "sequence" },
	{ "VENDOR ID", "vendor" },
	{ "CLASS ID", "class" },
	{ "IMAGE SIZE", "size" },
	{ "SHA-256", "digest" },
	{ "DEFAULT URI", "uri" },
	{ "SIGNED BY", "signed_by" },
	{ "SIGNATURES", "checked" },
	{ "VERIFIED BY", "verified" },
	{ 0 },
};

/* NULL for none and for a text that is no UTF-8, which a manifest cannot have. */
static json_t *text_of(struct fota_bytes bytes)
{
	return bytes.len ? json_stringn((const char *)bytes.ptr, bytes.len) : json_null();
}

static json_t *hex_of(struct fota_bytes bytes)
{
	char hex[2 * 64 + 1];

	image_hex(hex, bytes.ptr, bytes.len < 64 ? bytes.len : 64);
	return json_string(hex);
}

static json_t *uuid_of(const uint8_t id[FOTA_UUID_BYTES])
{
	static const uint8_t none[FOTA_UUID_BYTES];
	char hex[2 * FOTA_UUID_BYTES + 1], text[FOTA_UUID_BYTES * 2 + 5];

	if (memcmp(id, none, sizeof none) == 0) { return json_null(); }
	image_hex(hex, id, FOTA_UUID_BYTES);
	snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return json_string(text);
}

static int64_t header_number(struct fota_bytes header, int64_t wanted)
{
	struct fota_rd_map map;
	struct fota_rd rd;
	int64_t key, number = 0;

	fota_rd_init(&rd, header);
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		if (key == wanted) {
			number = fota_rd_int(&rd);
		} else {
			fota_rd_skip(&rd);
		}
	}
	return fota_rd_finish(&rd) ? 0 : number;
}

static struct fota_bytes kid_of(struct fota_rd *rd)
{
	struct fota_bytes kid = { NULL, 0 };
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		if (key == HEADER_KID) {
			kid = fota_rd_bstr(rd);
		} else {
			fota_rd_skip(rd);
		}
	}
	return kid;
}

/* What a block says of itself; of another form than COSE_Sign1 it says nothing. */
static json_t *describe_block(struct fota_bytes block)
{
	struct fota_bytes header, kid;
	const char *name;
	struct fota_rd rd;

	fota_rd_init(&rd, block);
	fota_rd_tag(&rd);
	fota_rd_array(&rd);
	header = fota_rd_bstr(&rd);
	kid = kid_of(&rd);
	name = suit_algorithm_name(header_number(header, HEADER_ALG));
	return json_pack("{s:o, s:s}", "kid", kid.len ? hex_of(kid) : json_null(), "algorithm",
			 name ? name : "unknown");
}

static json_t *describe_blocks(const struct fota_suit *suit)
{
	json_t *list = json_array();
	struct fota_rd rd;

	fota_rd_init(&rd, suit->blocks);
	for (unsigned i = 0; i < suit->block_count; i++) {
		json_array_append_new(list, describe_block(fota_rd_bstr(&rd)));
	}
	return list;
}

static json_t *describe_signers(const struct manifest *manifest)
{
	json_t *list = json_array();

	for (size_t i = 0; i < manifest->key_count; i++) {
		char kid[PUBLIC_KEY_KID_TEXT_BYTES];

		if (!manifest->has_signed[i]) { continue; }
		public_key_kid_text(manifest->keys[i].kid, kid);
		json_array_append_new(list, json_string(kid));
	}
	return list;
}

static const char *checked_text(const struct manifest *manifest)
{
	if (manifest->key_count == 0) { return "not checked"; }
	return manifest->is_verified ? "good" : "none by the given keys";
}

json_t *manifest_describe(const struct manifest *manifest)
{
	const struct fota_suit *suit = &manifest->suit;
	const struct fota_suit_plan *plan = &manifest->plan;
	bool is_planned = manifest->plan_err == FOTA_ERR_OK;
	struct fota_bytes digest = { plan->digest, sizeof plan->digest };

	if (manifest->form) { return json_pack("{s:s, s:n}", "refused", manifest_refusal(manifest), "sequence"); }
	return json_pack("{s:s?, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "refused",
			 manifest_refusal(manifest), "sequence", (json_int_t)suit->sequence_number, "oem",
			 text_of(suit->text.vendor_name), "model", text_of(suit->text.model_name), "version",
			 text_of(suit->text.version), "vendor", uuid_of(manifest->device.vendor), "class",
			 uuid_of(manifest->device.class_id), "size",
			 is_planned && plan->has_size ? json_integer((json_int_t)plan->size_bytes) : json_null(),
			 "digest", is_planned && plan->has_digest ? hex_of(digest) : json_null(), "uri",
			 is_planned ? text_of(plan->uri) : json_null(), "signatures", describe_blocks(suit), "checked",
			 checked_text(manifest), "verified",
			 manifest->key_count ? describe_signers(manifest) : json_null());
}

/* "0123456789abcdef ES256": keys that the blocks name. */
static json_t *list_blocks(const json_t *blocks)
{
	json_t *list = json_array(), *block;

	for (size_t i = 0; (block = json_array_get(blocks, i)) != NULL; i++) {
		const char *kid = json_string_value(json_object_get(block, "kid"));

		json_array_append_new(list, json_sprintf("%s %s", kid ? kid : "(a key without name)",
							 json_string_value(json_object_get(block, "algorithm"))));
	}
	return list;
}

void manifest_print(const struct manifest *manifest)
{
	json_t *json = manifest_describe(manifest);

	json_object_set_new(json, "signed_by", list_blocks(json_object_get(json, "signatures")));
	tool_fields_print(stdout, columns, json);
	json_decref(json);
}

/* ---- writing ---- */

static bool is_other_file(const char *path)
{
	static const uint8_t tag[] = { 0xd8, 107 }; /* of an envelope */
	uint8_t head[sizeof tag];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head);

	if (fd < 0) { return errno != ENOENT; }
	close(fd);
	return got != 0 && (got != (ssize_t)sizeof head || memcmp(head, tag, sizeof tag) != 0);
}

enum tool_status manifest_write(const char *path, struct fota_bytes envelope, struct tool_error *err)
{
	if (strcmp(path, "-") != 0 && is_other_file(path)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is there already and is no manifest; it is left alone",
				 path);
	}
	return tool_file_write_public(path, envelope.ptr, envelope.len, err);
}
