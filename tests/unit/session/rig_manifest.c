/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of the rig: signed by a key that is made once in a program, right ones and
 * wrong ones. A signature is made once for each content, since a cut of power asks for
 * the same offer a thousand times. */
#include <string.h>

#include "rig_priv.h"

static struct fota_bytes bytes(const void *ptr, size_t len)
{
	return (struct fota_bytes) { ptr, len };
}

void rig_keys_init(struct rig *rig)
{
	struct key_message message;

	if (rig->signer.pkey) { return; }
	rig_require(rig, sign_key_generate(&rig->signer, &message) == 0);
	rig_require(rig, sign_key_generate(&rig->foreign, &message) == 0);
}

/* What is said of the image; wrong where `kind` wants it. */
static struct fota_suit_build content_of(struct rig *rig, enum rig_manifest kind, const struct fota_check_answer *msg)
{
	struct fota_suit_build build = {
		.sequence_number = kind == RIG_MANIFEST_SEQUENCE ? rig->http.twist.arg : rig->sequence,
		.oem = fota_bytes_of(kind == RIG_MANIFEST_OTHER_OEM ? "OTHER" : RIG_OEM),
		.model = fota_bytes_of(kind == RIG_MANIFEST_OTHER_MODEL ? "7600M22" : RIG_MODEL),
		.version = fota_bytes_of(kind == RIG_MANIFEST_OTHER_VERSION ? "V9.99" : rig->target),
		.size_bytes = msg->size_bytes + (kind == RIG_MANIFEST_OTHER_SIZE),
	};

	memcpy(build.digest, msg->digest.ptr, sizeof(build.digest));
	if (kind == RIG_MANIFEST_OTHER_DIGEST) { build.digest[31] ^= 1; }
	return build;
}

static bool is_same_content(const struct rig_envelope *cached, bool is_foreign, struct fota_bytes manifest)
{
	struct fota_bytes old = bytes(cached->manifest, cached->manifest_len);

	return cached->is_foreign == is_foreign && fota_bytes_is_equal(old, manifest);
}

static void sign(struct rig *rig, bool is_foreign, struct fota_bytes manifest, struct fota_suit_signature *signature)
{
	const struct sign_key *key = is_foreign ? &rig->foreign : &rig->signer;
	uint8_t hash[FOTA_SUIT_DIGEST_BYTES];
	struct key_message message;

	rig_require(rig, fota_suit_to_sign(manifest, &rig->crypto, hash) == FOTA_ERR_OK);
	memcpy(signature->kid, key->public_key.kid, sizeof(signature->kid));
	rig_require(rig, sign_key_sign(key, hash, signature->bytes, &message) == 0);
}

static void make(struct rig *rig, bool is_foreign, const struct fota_suit_build *build)
{
	struct rig_envelope *cached = &rig->envelope;
	uint8_t room[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	struct fota_suit_signature signature;
	struct fota_bytes manifest, envelope;

	rig_require(rig, fota_suit_build(build, &rig->crypto, (struct fota_room) { room, sizeof(room) }, &manifest) ==
				 FOTA_ERR_OK);
	if (is_same_content(cached, is_foreign, manifest)) { return; }
	sign(rig, is_foreign, manifest, &signature);
	rig_require(rig, fota_suit_seal(manifest, &rig->crypto, &signature, 1,
					(struct fota_room) { cached->bytes, sizeof(cached->bytes) },
					&envelope) == FOTA_ERR_OK);
	cached->len = envelope.len;
	memmove(cached->bytes, envelope.ptr, envelope.len);
	cached->is_foreign = is_foreign;
	cached->manifest_len = manifest.len;
	memcpy(cached->manifest, manifest.ptr, manifest.len);
}

struct fota_bytes rig_manifest_of(struct rig *rig, const struct fota_check_answer *msg, struct fota_room room)
{
	const struct rig_twist *twist = &rig->http.twist;
	enum rig_manifest kind =
		twist->effect == RIG_OFFER_MANIFEST ? (enum rig_manifest)twist->err : RIG_MANIFEST_GOOD;
	struct fota_suit_build build = content_of(rig, kind, msg);
	size_t len;

	make(rig, kind == RIG_MANIFEST_FOREIGN, &build);
	len = rig->envelope.len;
	if (kind == RIG_MANIFEST_NONE) { return bytes(NULL, 0); }
	rig_require(rig, len <= room.cap);
	memcpy(room.ptr, rig->envelope.bytes, len);
	if (kind == RIG_MANIFEST_CUT && twist->arg < len) { len = (size_t)twist->arg; }
	if (kind == RIG_MANIFEST_FLIPPED) { room.ptr[twist->arg / 8 % len] ^= (uint8_t)(1u << twist->arg % 8); }
	return bytes(room.ptr, len);
}
