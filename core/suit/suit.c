/* SPDX-License-Identifier: Apache-2.0 */
/* Takes an envelope apart: 107({2: bstr wrapper, 3: bstr manifest, ...}). Nothing is
 * believed yet; but from here on every slice is well-formed, the digest of the wrapper
 * is that of the manifest, and each severed member is the one that the manifest means.
 *
 * Digests are over byte strings with their heads: those are cut out of the envelope as
 * they stand there. */
#include "suit_priv.h"

#define MAJOR_BSTR 2
#define MAJOR_TEXT 3
#define MAJOR_LIST 4

/* Members of the manifest that are byte strings, in the order of their keys. Those that
 * may be severed come last. */
enum member { MEMBER_VALIDATE, MEMBER_LOAD, MEMBER_INVOKE, MEMBER_PAYLOAD_FETCH, MEMBER_INSTALL, MEMBER_TEXT };

#define MEMBER_COUNT   (MEMBER_TEXT + 1)
#define FIRST_SEVERED  MEMBER_PAYLOAD_FETCH
#define NOT_A_SEQUENCE FOTA_SUIT_SEQUENCE_COUNT

static const struct {
	uint8_t key, sequence;
} members[MEMBER_COUNT] = {
	{ SUIT_MANIFEST_VALIDATE, FOTA_SUIT_VALIDATE }, { SUIT_MANIFEST_LOAD, FOTA_SUIT_LOAD },
	{ SUIT_MANIFEST_INVOKE, FOTA_SUIT_INVOKE },     { SUIT_MANIFEST_PAYLOAD_FETCH, FOTA_SUIT_PAYLOAD_FETCH },
	{ SUIT_MANIFEST_INSTALL, FOTA_SUIT_INSTALL },   { SUIT_MANIFEST_TEXT, NOT_A_SEQUENCE },
};

/* An envelope while it is taken apart. */
struct parts {
	const struct fota_crypto *crypto;
	struct fota_bytes wrapper;
	struct fota_bytes manifest;              /* with its head */
	struct fota_bytes severed[MEMBER_COUNT]; /* with their heads; emptied when the manifest has them */
	struct fota_bytes text;
};

static unsigned major_of(struct fota_bytes item)
{
	return item.len ? item.ptr[0] >> 5 : 0;
}

/* MEMBER_COUNT if `key` is none of them. */
static unsigned member_of(int64_t key, unsigned first)
{
	while (first < MEMBER_COUNT && members[first].key != key) {
		first++;
	}
	return first;
}

/* What is inside a byte string; empty is refused: nothing here may be. */
static struct fota_bytes content_of(struct fota_rd *rd, struct fota_bytes item)
{
	struct fota_rd inner;
	struct fota_bytes content;

	fota_rd_init(&inner, item);
	content = fota_rd_bstr(&inner);
	if (!content.len) { fota_rd_fail(rd, FOTA_ERR_FORMAT); }
	return content;
}

static struct fota_bytes get_content(struct fota_rd *rd)
{
	struct fota_bytes item = fota_rd_item(rd);

	return content_of(rd, item);
}

/* FORMAT if it is not. */
static enum fota_err check_digest(const struct fota_crypto *crypto, struct fota_bytes item, struct fota_bytes encoded)
{
	const uint8_t *wanted = suit_digest_of(encoded);
	uint8_t digest[FOTA_SUIT_DIGEST_BYTES];
	enum fota_err err;

	if (!wanted) { return FOTA_ERR_FORMAT; }
	err = suit_sha256(crypto, &item, 1, digest);
	if (err) { return err; }
	return memcmp(digest, wanted, sizeof(digest)) == 0 ? FOTA_ERR_OK : FOTA_ERR_FORMAT;
}

/* ---- envelope ---- */

/* Integrated payloads have texts as keys; they are not used here. */
static void skip_payload(struct fota_rd *rd, struct fota_bytes key)
{
	if (major_of(key) != MAJOR_TEXT) { fota_rd_fail(rd, FOTA_ERR_FORMAT); }
	(void)fota_rd_bstr(rd);
}

static void get_envelope_member(struct fota_rd *rd, const struct fota_rd_map *map, int64_t key, struct parts *parts)
{
	unsigned member = member_of(key, FIRST_SEVERED);

	if (key == FOTA_CBOR_KEY_OTHER) {
		skip_payload(rd, map->last_key);
	} else if (key == SUIT_ENVELOPE_AUTHENTICATION) {
		parts->wrapper = get_content(rd);
	} else if (key == SUIT_ENVELOPE_MANIFEST) {
		parts->manifest = fota_rd_item(rd);
	} else if (member < MEMBER_COUNT) {
		parts->severed[member] = fota_rd_item(rd);
	} else {
		fota_rd_fail(rd, FOTA_ERR_UNSUPPORTED);
	}
}

static enum fota_err get_envelope(struct fota_bytes envelope, struct parts *parts)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;

	fota_rd_init(&rd, envelope);
	if (fota_rd_tag(&rd) != SUIT_TAG_ENVELOPE) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		get_envelope_member(&rd, &map, key, parts);
	}
	if (!parts->wrapper.len || major_of(parts->manifest) != MAJOR_BSTR) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	return fota_rd_finish(&rd);
}

static enum fota_err get_wrapper(struct fota_bytes wrapper, struct fota_suit *suit)
{
	struct fota_rd rd;
	uint64_t count;
	size_t begin;

	fota_rd_init(&rd, wrapper);
	count = fota_rd_array(&rd);
	if (count == 0) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	if (count > 1 + FOTA_SUIT_SIGNATURE_MAX) { fota_rd_fail(&rd, FOTA_ERR_UNSUPPORTED); }
	suit->digest = fota_rd_bstr(&rd);
	begin = rd.off;
	for (uint64_t i = 1; i < count && !rd.err; i++) {
		(void)fota_rd_bstr(&rd);
	}
	suit->blocks = (struct fota_bytes) { wrapper.ptr + begin, rd.off - begin };
	suit->block_count = (uint8_t)(count - 1);
	return fota_rd_finish(&rd);
}

/* ---- manifest ---- */

static void get_components(struct fota_rd *rd)
{
	static const struct fota_bytes one = { (const uint8_t *)"\x81\x81\x41", 4 }; /* [[h'00']] */
	struct fota_bytes item = fota_rd_item(rd);

	if (fota_bytes_is_equal(item, one)) { return; }
	fota_rd_fail(rd, major_of(item) == MAJOR_LIST ? FOTA_ERR_UNSUPPORTED : FOTA_ERR_FORMAT);
}

static enum fota_err get_common(struct fota_bytes common, struct fota_suit *suit)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;
	bool has_components = false;

	fota_rd_init(&rd, common);
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		if (key == SUIT_COMMON_COMPONENTS) {
			get_components(&rd);
			has_components = true;
		} else if (key == SUIT_COMMON_SHARED_SEQUENCE) {
			suit->sequences[FOTA_SUIT_SHARED] = get_content(&rd);
		} else {
			fota_rd_fail(&rd, FOTA_ERR_UNSUPPORTED);
		}
	}
	if (!has_components) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	return fota_rd_finish(&rd);
}

/* A member itself, or the digest of one that the envelope has, or has no more. */
static void get_member(struct fota_rd *rd, struct parts *parts, unsigned member, struct fota_suit *suit)
{
	struct fota_bytes item = fota_rd_item(rd), content = { NULL, 0 };
	struct fota_bytes *severed = &parts->severed[member];
	enum fota_err err;

	if (major_of(item) == MAJOR_BSTR) {
		content = content_of(rd, item);
	} else if (member < FIRST_SEVERED || !suit_digest_of(item)) {
		fota_rd_fail(rd, FOTA_ERR_FORMAT);
	} else if (severed->len) {
		err = check_digest(parts->crypto, *severed, item);
		if (err) { fota_rd_fail(rd, err); }
		content = content_of(rd, *severed);
		severed->len = 0;
	} else if (member != MEMBER_TEXT) {
		suit->is_incomplete = true;
	}
	if (member == MEMBER_TEXT) {
		parts->text = content;
	} else {
		suit->sequences[members[member].sequence] = content;
	}
}

enum { HAS_VERSION = 1, HAS_NUMBER = 2, HAS_COMMON = 4, HAS_ALL = 7 };

/* One member; gives what it was of those that must be there. */
static unsigned get_manifest_member(struct fota_rd *rd, int64_t key, struct parts *parts, struct fota_suit *suit)
{
	unsigned member = member_of(key, 0);
	enum fota_err err;

	if (member < MEMBER_COUNT) {
		get_member(rd, parts, member, suit);
		return 0;
	}
	switch (key) {
	case SUIT_MANIFEST_VERSION:
		if (fota_rd_uint(rd) != 1) { fota_rd_fail(rd, FOTA_ERR_UNSUPPORTED); }
		return HAS_VERSION;
	case SUIT_MANIFEST_SEQUENCE_NUMBER:
		suit->sequence_number = fota_rd_uint(rd);
		return HAS_NUMBER;
	case SUIT_MANIFEST_COMMON:
		err = get_common(get_content(rd), suit);
		if (err) { fota_rd_fail(rd, err); }
		return HAS_COMMON;
	case SUIT_MANIFEST_REFERENCE_URI:
		(void)fota_rd_text(rd);
		return 0;
	default:
		fota_rd_fail(rd, FOTA_ERR_UNSUPPORTED);
		return 0;
	}
}

static enum fota_err get_manifest(struct parts *parts, struct fota_suit *suit)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	int64_t key;
	unsigned has = 0;

	fota_rd_init(&rd, parts->manifest);
	fota_rd_init(&rd, fota_rd_bstr(&rd));
	fota_rd_map(&rd, &map);
	while (fota_rd_key(&rd, &map, &key)) {
		has |= get_manifest_member(&rd, key, parts, suit);
	}
	if (has != HAS_ALL) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	for (unsigned i = FIRST_SEVERED; i < MEMBER_COUNT; i++) {
		/* nothing in the manifest vouches for it */
		if (parts->severed[i].len) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	}
	return fota_rd_finish(&rd);
}

/* ---- text ---- */

/* What an earlier language has said stays. */
static void get_component_text(struct fota_rd *rd, struct fota_suit_text *text)
{
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		struct fota_bytes value = fota_rd_text(rd);

		if (key == SUIT_TEXT_VENDOR_NAME && !text->vendor_name.len) { text->vendor_name = value; }
		if (key == SUIT_TEXT_MODEL_NAME && !text->model_name.len) { text->model_name = value; }
		if (key == SUIT_TEXT_VERSION && !text->version.len) { text->version = value; }
	}
}

/* Texts about the manifest have numbers as keys, those about the component its name. */
static void get_language(struct fota_rd *rd, struct fota_suit_text *text)
{
	static const struct fota_bytes component = SUIT_COMPONENT;
	struct fota_rd_map map;
	int64_t key;

	fota_rd_map(rd, &map);
	while (fota_rd_key(rd, &map, &key)) {
		if (key != FOTA_CBOR_KEY_OTHER) {
			(void)fota_rd_text(rd);
		} else if (fota_bytes_is_equal(map.last_key, component)) {
			get_component_text(rd, text);
		} else {
			fota_rd_fail(rd, FOTA_ERR_FORMAT);
		}
	}
}

/* {language: texts} */
static enum fota_err get_text(struct fota_bytes bytes, struct fota_suit_text *text)
{
	struct fota_rd rd;
	struct fota_rd_map map;
	struct fota_bytes language;

	fota_rd_init(&rd, bytes);
	fota_rd_map(&rd, &map);
	if (map.left == 0) { fota_rd_fail(&rd, FOTA_ERR_FORMAT); }
	while (fota_rd_text_key(&rd, &map, &language)) {
		get_language(&rd, text);
	}
	return fota_rd_finish(&rd);
}

static enum fota_err get_parts(struct fota_bytes envelope, struct parts *parts, struct fota_suit *suit)
{
	enum fota_err err;

	if (envelope.len > FOTA_SUIT_ENVELOPE_MAX_BYTES) { return FOTA_ERR_FULL; }
	err = get_envelope(envelope, parts);
	if (!err) { err = get_wrapper(parts->wrapper, suit); }
	if (!err) { err = check_digest(parts->crypto, parts->manifest, suit->digest); }
	if (!err) { err = get_manifest(parts, suit); }
	if (!err && parts->text.len) { err = get_text(parts->text, &suit->text); }
	return err;
}

enum fota_err fota_suit_get(struct fota_bytes envelope, const struct fota_crypto *crypto, struct fota_suit *suit)
{
	struct parts parts = { .crypto = crypto };
	enum fota_err err;

	*suit = (struct fota_suit) { .sequence_number = 0 };
	err = get_parts(envelope, &parts, suit);
	if (!err) { err = suit_check_commands(suit); }
	if (err) { *suit = (struct fota_suit) { .sequence_number = 0 }; }
	return err;
}
