/* SPDX-License-Identifier: Apache-2.0 */
/* Makes manifests and envelopes; for tools. docs/suit-profile.md has what comes out as
 * CDDL. Everything is written into the caller's room from front to back; a byte string
 * gets its head when its content is there (fota_wr_bstr_end).
 *
 * Nothing is severed: with an URI of 255 bytes and the longest names a manifest has less
 * than 900 bytes. */
#include "fota/device_api.h"
#include "suit_priv.h"

#define POLICY_ALL      15u /* report success and failure, with information */
#define POLICY_FAILURES 2u

/* {1: -7}: the protected header of every block of ours. */
static const struct fota_bytes es256 = { (const uint8_t *)"\xa1\x01\x26", 3 };

static const struct fota_bytes component = SUIT_COMPONENT;

static bool is_name(struct fota_bytes name, size_t max)
{
	return name.len > 0 && name.len <= max && fota_cbor_is_text(name);
}

/* A condition or directive with its reporting policy. */
static void put_command(struct fota_wr *wr, enum suit_command command, unsigned policy)
{
	fota_wr_uint(wr, command);
	fota_wr_uint(wr, policy);
}

static void put_digest(struct fota_wr *wr, const uint8_t digest[FOTA_SUIT_DIGEST_BYTES])
{
	size_t begin = fota_wr_bstr_begin(wr);

	fota_wr_array(wr, 2);
	fota_wr_int(wr, SUIT_ALG_SHA256);
	fota_wr_bstr(wr, (struct fota_bytes) { digest, FOTA_SUIT_DIGEST_BYTES });
	fota_wr_bstr_end(wr, begin);
}

static void put_shared(struct fota_wr *wr, const struct fota_suit_build *build, const uint8_t vendor[FOTA_UUID_BYTES],
		       const uint8_t class_id[FOTA_UUID_BYTES])
{
	size_t begin = fota_wr_bstr_begin(wr);

	fota_wr_array(wr, 6);
	fota_wr_uint(wr, SUIT_OVERRIDE_PARAMETERS);
	fota_wr_map(wr, 4);
	fota_wr_uint(wr, SUIT_PARAMETER_VENDOR);
	fota_wr_bstr(wr, (struct fota_bytes) { vendor, FOTA_UUID_BYTES });
	fota_wr_uint(wr, SUIT_PARAMETER_CLASS);
	fota_wr_bstr(wr, (struct fota_bytes) { class_id, FOTA_UUID_BYTES });
	fota_wr_uint(wr, SUIT_PARAMETER_DIGEST);
	put_digest(wr, build->digest);
	fota_wr_uint(wr, SUIT_PARAMETER_SIZE);
	fota_wr_uint(wr, build->size_bytes);
	put_command(wr, SUIT_IF_VENDOR, POLICY_ALL);
	put_command(wr, SUIT_IF_CLASS, POLICY_ALL);
	fota_wr_bstr_end(wr, begin);
}

static void put_common(struct fota_wr *wr, const struct fota_suit_build *build, const uint8_t vendor[FOTA_UUID_BYTES],
		       const uint8_t class_id[FOTA_UUID_BYTES])
{
	size_t begin = fota_wr_bstr_begin(wr);

	fota_wr_map(wr, 2);
	fota_wr_uint(wr, SUIT_COMMON_COMPONENTS);
	fota_wr_array(wr, 1);
	fota_wr_raw(wr, component);
	fota_wr_uint(wr, SUIT_COMMON_SHARED_SEQUENCE);
	put_shared(wr, build, vendor, class_id);
	fota_wr_bstr_end(wr, begin);
}

static void put_validate(struct fota_wr *wr)
{
	size_t begin = fota_wr_bstr_begin(wr);

	fota_wr_array(wr, 2);
	put_command(wr, SUIT_IF_IMAGE_MATCH, POLICY_ALL);
	fota_wr_bstr_end(wr, begin);
}

static void put_install(struct fota_wr *wr, struct fota_bytes uri)
{
	size_t begin = fota_wr_bstr_begin(wr);

	fota_wr_array(wr, uri.len ? 6 : 4);
	if (uri.len) {
		fota_wr_uint(wr, SUIT_OVERRIDE_PARAMETERS);
		fota_wr_map(wr, 1);
		fota_wr_uint(wr, SUIT_PARAMETER_URI);
		fota_wr_text(wr, uri);
	}
	put_command(wr, SUIT_FETCH, POLICY_FAILURES);
	put_command(wr, SUIT_IF_IMAGE_MATCH, POLICY_ALL);
	fota_wr_bstr_end(wr, begin);
}

static void put_text(struct fota_wr *wr, const struct fota_suit_build *build)
{
	size_t begin = fota_wr_bstr_begin(wr);

	fota_wr_map(wr, 1);
	fota_wr_text(wr, fota_bytes_of("en"));
	fota_wr_map(wr, 1);
	fota_wr_raw(wr, component);
	fota_wr_map(wr, 3);
	fota_wr_uint(wr, SUIT_TEXT_VENDOR_NAME);
	fota_wr_text(wr, build->oem);
	fota_wr_uint(wr, SUIT_TEXT_MODEL_NAME);
	fota_wr_text(wr, build->model);
	fota_wr_uint(wr, SUIT_TEXT_VERSION);
	fota_wr_text(wr, build->version);
	fota_wr_bstr_end(wr, begin);
}

enum fota_err fota_suit_build(const struct fota_suit_build *build, const struct fota_crypto *crypto,
			      struct fota_room room, struct fota_bytes *manifest)
{
	uint8_t vendor[FOTA_UUID_BYTES], class_id[FOTA_UUID_BYTES];
	struct fota_wr wr;
	enum fota_err err;

	*manifest = (struct fota_bytes) { NULL, 0 };
	if (!is_name(build->oem, FOTA_NAME_MAX_BYTES) || !is_name(build->model, FOTA_NAME_MAX_BYTES) ||
	    !is_name(build->version, FOTA_VERSION_MAX_BYTES) || !fota_cbor_is_text(build->uri)) {
		return FOTA_ERR_RANGE;
	}
	err = fota_uuid_of_names(crypto, build->oem, build->model, vendor, class_id);
	if (err) { return err; }
	fota_wr_init(&wr, room);
	fota_wr_map(&wr, 6);
	fota_wr_uint(&wr, SUIT_MANIFEST_VERSION);
	fota_wr_uint(&wr, 1);
	fota_wr_uint(&wr, SUIT_MANIFEST_SEQUENCE_NUMBER);
	fota_wr_uint(&wr, build->sequence_number);
	fota_wr_uint(&wr, SUIT_MANIFEST_COMMON);
	put_common(&wr, build, vendor, class_id);
	fota_wr_uint(&wr, SUIT_MANIFEST_VALIDATE);
	put_validate(&wr);
	fota_wr_uint(&wr, SUIT_MANIFEST_INSTALL);
	put_install(&wr, build->uri);
	fota_wr_uint(&wr, SUIT_MANIFEST_TEXT);
	put_text(&wr, build);
	return fota_wr_finish(&wr, manifest);
}

/* SHA-256 over the manifest with a byte-string head before it. */
static enum fota_err digest_manifest(struct fota_bytes manifest, const struct fota_crypto *crypto,
				     uint8_t digest[FOTA_SUIT_DIGEST_BYTES])
{
	uint8_t head[9];
	struct fota_wr wr;
	struct fota_bytes parts[2] = { { head, 0 }, manifest };

	fota_wr_init(&wr, (struct fota_room) { head, sizeof(head) });
	fota_wr_bstr_head(&wr, manifest.len);
	parts[0].len = wr.len;
	return suit_sha256(crypto, parts, 2, digest);
}

enum fota_err fota_suit_to_sign(struct fota_bytes manifest, const struct fota_crypto *crypto,
				uint8_t hash[FOTA_SUIT_DIGEST_BYTES])
{
	uint8_t room[SUIT_DIGEST_ENCODED_BYTES + 2], digest[FOTA_SUIT_DIGEST_BYTES];
	struct fota_wr wr;
	struct fota_rd rd;
	struct fota_bytes wrapped;
	enum fota_err err = digest_manifest(manifest, crypto, digest);

	if (err) { return err; }
	fota_wr_init(&wr, (struct fota_room) { room, sizeof(room) });
	put_digest(&wr, digest);
	err = fota_wr_finish(&wr, &wrapped);
	if (err) { return err; }
	fota_rd_init(&rd, wrapped);
	return suit_sign1_hash(crypto, es256, fota_rd_bstr(&rd), hash);
}

/* bstr .cbor 18([protected, {4: kid}, nil, signature]) */
static void put_block(struct fota_wr *wr, const struct fota_suit_signature *signature)
{
	size_t begin = fota_wr_bstr_begin(wr);

	fota_wr_tag(wr, SUIT_TAG_SIGN1);
	fota_wr_array(wr, 4);
	fota_wr_bstr(wr, es256);
	fota_wr_map(wr, 1);
	fota_wr_uint(wr, SUIT_HEADER_KID);
	fota_wr_bstr(wr, (struct fota_bytes) { signature->kid, FOTA_SUIT_KID_BYTES });
	fota_wr_raw(wr, fota_bytes_of("\xf6")); /* nil: the payload is elsewhere */
	fota_wr_bstr(wr, (struct fota_bytes) { signature->bytes, FOTA_SUIT_SIGNATURE_BYTES });
	fota_wr_bstr_end(wr, begin);
}

enum fota_err fota_suit_seal(struct fota_bytes manifest, const struct fota_crypto *crypto,
			     const struct fota_suit_signature *signatures, size_t count, struct fota_room room,
			     struct fota_bytes *envelope)
{
	uint8_t digest[FOTA_SUIT_DIGEST_BYTES];
	struct fota_wr wr;
	size_t begin;
	enum fota_err err = digest_manifest(manifest, crypto, digest);

	*envelope = (struct fota_bytes) { NULL, 0 };
	if (err) { return err; }
	if (count > FOTA_SUIT_SIGNATURE_MAX) { return FOTA_ERR_FULL; }
	fota_wr_init(&wr, room);
	fota_wr_tag(&wr, SUIT_TAG_ENVELOPE);
	fota_wr_map(&wr, 2);
	fota_wr_uint(&wr, SUIT_ENVELOPE_AUTHENTICATION);
	begin = fota_wr_bstr_begin(&wr);
	fota_wr_array(&wr, 1 + count);
	put_digest(&wr, digest);
	for (size_t i = 0; i < count; i++) {
		put_block(&wr, &signatures[i]);
	}
	fota_wr_bstr_end(&wr, begin);
	fota_wr_uint(&wr, SUIT_ENVELOPE_MANIFEST);
	fota_wr_bstr(&wr, manifest);
	return fota_wr_finish(&wr, envelope);
}

/* The wrapper with one more block at its end. */
static enum fota_err put_longer_wrapper(struct fota_wr *wr, struct fota_bytes wrapper,
					const struct fota_suit_signature *signature)
{
	size_t begin = fota_wr_bstr_begin(wr);
	struct fota_rd rd;
	uint64_t count;

	fota_rd_init(&rd, wrapper);
	count = fota_rd_array(&rd);
	if (!rd.err && count > FOTA_SUIT_SIGNATURE_MAX) { return FOTA_ERR_FULL; }
	fota_wr_array(wr, (size_t)count + 1);
	for (uint64_t i = 0; i < count && !rd.err; i++) {
		fota_wr_bstr(wr, fota_rd_bstr(&rd));
	}
	put_block(wr, signature);
	fota_wr_bstr_end(wr, begin);
	return count ? fota_rd_finish(&rd) : FOTA_ERR_FORMAT;
}

enum fota_err fota_suit_add_signature(struct fota_bytes envelope, const struct fota_suit_signature *signature,
				      struct fota_room room, struct fota_bytes *out)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	struct fota_wr wr;
	int64_t key;
	enum fota_err err = FOTA_ERR_FORMAT; /* no wrapper found yet */

	*out = (struct fota_bytes) { NULL, 0 };
	fota_rd_init(&rd, envelope);
	if (fota_rd_tag(&rd) != SUIT_TAG_ENVELOPE) { return FOTA_ERR_FORMAT; }
	fota_rd_map(&rd, &map);
	fota_wr_init(&wr, room);
	fota_wr_tag(&wr, SUIT_TAG_ENVELOPE);
	fota_wr_map(&wr, (size_t)map.left);
	while (fota_rd_key(&rd, &map, &key)) {
		fota_wr_raw(&wr, map.last_key);
		if (key == SUIT_ENVELOPE_AUTHENTICATION) {
			err = put_longer_wrapper(&wr, fota_rd_bstr(&rd), signature);
			if (err) { return err; }
		} else {
			fota_wr_raw(&wr, fota_rd_item(&rd));
		}
	}
	if (!err) { err = fota_rd_finish(&rd); }
	return err ? err : fota_wr_finish(&wr, out);
}

enum fota_err fota_suit_manifest_of(struct fota_bytes envelope, struct fota_bytes *manifest)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;

	*manifest = (struct fota_bytes) { NULL, 0 };
	fota_rd_init(&rd, envelope);
	if (fota_rd_tag(&rd) != SUIT_TAG_ENVELOPE) { return FOTA_ERR_FORMAT; }
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		if (key == SUIT_ENVELOPE_MANIFEST) {
			*manifest = fota_rd_bstr(&rd);
		} else {
			fota_rd_skip(&rd);
		}
	}
	if (manifest->len == 0) { return FOTA_ERR_FORMAT; }
	return fota_rd_finish(&rd);
}
