/* SPDX-License-Identifier: Apache-2.0 */
/* Which manifests and packages a version takes. The manifests are made by the library and signed by keys that
 * exist for one run; tests/e2e/test_cloud_trust.py asks the same of manifests that are made by other code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/manifest.h"
#include "posix_crypto.h"
#include "sign_key.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEY_COUNT    3u

struct rig {
	struct posix_crypto engine;
	struct fota_crypto crypto;
	struct sign_key private[KEY_COUNT];
	struct cloud_keys keys; /* of the product: the first two */
	uint8_t bytes[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	uint8_t second[FOTA_SUIT_ENVELOPE_MAX_BYTES];
};

static int start(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig || posix_crypto_init(&rig->engine) != FOTA_ERR_OK) { return -1; }
	rig->crypto = posix_crypto_port(&rig->engine);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (sign_key_generate(&rig->private[i], NULL) != 0) { return -1; }
	}
	for (size_t i = 0; i < 2; i++) {
		rig->keys.keys[rig->keys.count++] = rig->private[i].public_key;
	}
	*state = rig;
	return 0;
}

static int stop(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		sign_key_close(&rig->private[i]);
	}
	posix_crypto_close(&rig->engine);
	free(rig);
	return 0;
}

static struct fota_suit_build build_of(uint64_t sequence)
{
	struct fota_suit_build build = {
		.sequence_number = sequence,
		.oem = fota_bytes_of("SIMCOM"),
		.model = fota_bytes_of("7600M21"),
		.version = fota_bytes_of("V2"),
		.digest = { 1, 2, 3 },
		.size_bytes = 1000,
	};

	return build;
}

static struct cloud_release release_of(enum cloud_version_state state)
{
	struct cloud_release release = {
		.oem = fota_bytes_of("SIMCOM"),
		.model = fota_bytes_of("7600M21"),
		.version = fota_bytes_of("V2"),
		.state = state,
		.has_package = state != CLOUD_VERSION_DRAFT,
		.package_digest = { 1, 2, 3 },
		.package_bytes = 1000,
		.highest = -1,
	};

	return release;
}

/* An envelope in `room`, signed by the private keys whose bits are set. */
static struct fota_bytes seal(struct rig *rig, const struct fota_suit_build *build, unsigned signers,
			      uint8_t room[FOTA_SUIT_ENVELOPE_MAX_BYTES])
{
	uint8_t body[FOTA_SUIT_ENVELOPE_MAX_BYTES], hash[FOTA_SUIT_DIGEST_BYTES];
	struct fota_suit_signature signatures[KEY_COUNT];
	struct fota_bytes manifest, envelope;
	size_t count = 0;

	assert_int_equal(fota_suit_build(build, &rig->crypto, (struct fota_room) { body, sizeof(body) }, &manifest),
			 FOTA_ERR_OK);
	assert_int_equal(fota_suit_to_sign(manifest, &rig->crypto, hash), FOTA_ERR_OK);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (!(signers >> i & 1)) { continue; }
		memcpy(signatures[count].kid, rig->private[i].public_key.kid, sizeof(signatures[count].kid));
		assert_int_equal(sign_key_sign(&rig->private[i], hash, signatures[count].bytes, NULL), 0);
		count++;
	}
	assert_int_equal(fota_suit_seal(manifest, &rig->crypto, signatures, count,
					(struct fota_room) { room, FOTA_SUIT_ENVELOPE_MAX_BYTES }, &envelope),
			 FOTA_ERR_OK);
	return envelope;
}

/* What the rules say of an envelope. */
static struct cloud_ruling ask(struct rig *rig, struct fota_bytes envelope, const struct cloud_release *release,
			       struct cloud_promise *promise)
{
	struct cloud_promise ignored;

	return cloud_manifest_rule(envelope, &rig->crypto, &rig->keys, release, promise ? promise : &ignored);
}

static void assert_refused(struct cloud_ruling ruling, enum cloud_ruling_kind kind, const char *words)
{
	print_message("%s\n", ruling.why);
	assert_int_equal(ruling.kind, kind);
	assert_non_null(strstr(ruling.why, words));
}

static void manifest_that_fits_is_taken_with_what_it_promises(void **state)
{
	struct rig *rig = *state;
	struct fota_suit_build build = build_of(7);
	struct cloud_release release = release_of(CLOUD_VERSION_DRAFT);
	struct cloud_promise promise;

	assert_int_equal(ask(rig, seal(rig, &build, 1, rig->bytes), &release, &promise).kind, CLOUD_RULING_GOOD);
	assert_int_equal(promise.sequence, 7);
	assert_int_equal(promise.size_bytes, 1000);
	assert_memory_equal(promise.digest, build.digest, sizeof(promise.digest));
	assert_int_equal(promise.signers, 1);
}

static void all_keys_of_the_product_that_signed_are_found(void **state)
{
	struct rig *rig = *state;
	struct fota_suit_build build = build_of(7);
	struct cloud_release release = release_of(CLOUD_VERSION_DRAFT);
	struct cloud_promise promise;
	uint32_t signers;

	assert_int_equal(ask(rig, seal(rig, &build, 7, rig->bytes), &release, &promise).kind, CLOUD_RULING_GOOD);
	assert_int_equal(promise.signers, 3); /* the third is not the product's */
	assert_int_equal(ask(rig, seal(rig, &build, 6, rig->bytes), &release, &promise).kind, CLOUD_RULING_GOOD);
	assert_int_equal(promise.signers, 2);
	assert_int_equal(cloud_manifest_signers(seal(rig, &build, 6, rig->bytes), &rig->crypto, &rig->keys, &signers),
			 FOTA_ERR_OK);
	assert_int_equal(signers, 2);
	assert_int_equal(cloud_manifest_signers(fota_bytes_of("nonsense"), &rig->crypto, &rig->keys, &signers),
			 FOTA_ERR_OK);
	assert_int_equal(signers, 0);
}

static void manifest_that_no_key_of_the_product_signed_is_refused(void **state)
{
	struct rig *rig = *state;
	struct fota_suit_build build = build_of(7);
	struct cloud_release release = release_of(CLOUD_VERSION_DRAFT);
	size_t count = rig->keys.count;

	assert_refused(ask(rig, seal(rig, &build, 4, rig->bytes), &release, NULL), CLOUD_RULING_INVALID,
		       "no key of the product has signed");
	assert_refused(ask(rig, seal(rig, &build, 0, rig->bytes), &release, NULL), CLOUD_RULING_INVALID, "");
	rig->keys.count = 0;
	assert_refused(ask(rig, seal(rig, &build, 1, rig->bytes), &release, NULL), CLOUD_RULING_CONFLICT,
		       "product-key create");
	rig->keys.count = count;
}

/* Whatever is cut off or turned, nothing is taken and nothing is read outside. */
static void damaged_manifest_is_refused_at_every_byte(void **state)
{
	struct rig *rig = *state;
	struct fota_suit_build build = build_of(7);
	struct cloud_release release = release_of(CLOUD_VERSION_DRAFT);
	struct fota_bytes envelope = seal(rig, &build, 1, rig->bytes);

	for (size_t i = 0; i < envelope.len; i++) {
		uint8_t *cut = malloc(i ? i : 1);

		assert_non_null(cut);
		memcpy(cut, envelope.ptr, i);
		assert_int_equal(ask(rig, (struct fota_bytes) { cut, i }, &release, NULL).kind, CLOUD_RULING_INVALID);
		free(cut);
		rig->bytes[i] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(ask(rig, envelope, &release, NULL).kind, CLOUD_RULING_GOOD);
		rig->bytes[i] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(ask(rig, envelope, &release, NULL).kind, CLOUD_RULING_GOOD);
}

static void names_are_those_of_the_platform(void **state)
{
	struct rig *rig = *state;
	struct cloud_release release = release_of(CLOUD_VERSION_DRAFT);
	struct fota_suit_build oem = build_of(1), model = build_of(1), version = build_of(1);

	oem.oem = fota_bytes_of("SIMCOM2");
	model.model = fota_bytes_of("7600M2");
	version.version = fota_bytes_of("v2");
	assert_refused(ask(rig, seal(rig, &oem, 1, rig->bytes), &release, NULL), CLOUD_RULING_INVALID,
		       "--oem 'SIMCOM'");
	assert_refused(ask(rig, seal(rig, &model, 1, rig->bytes), &release, NULL), CLOUD_RULING_INVALID,
		       "--model '7600M21'");
	assert_refused(ask(rig, seal(rig, &version, 1, rig->bytes), &release, NULL), CLOUD_RULING_INVALID,
		       "--version 'V2'");
}

struct row {
	const char *what;
	enum cloud_version_state state;
	int64_t highest; /* of other versions */
	int64_t own;     /* of the manifest that is there, by the same image; -1: none */
	uint64_t wanted;
	bool is_same; /* the manifest that is there, signed by another key */
	enum cloud_ruling_kind kind;
};

static const struct row sequences[] = {
	{ "the first of a product", CLOUD_VERSION_DRAFT, -1, -1, 0, false, CLOUD_RULING_GOOD },
	{ "above all others", CLOUD_VERSION_DRAFT, 5, -1, 6, false, CLOUD_RULING_GOOD },
	{ "as high as another", CLOUD_VERSION_DRAFT, 5, -1, 5, false, CLOUD_RULING_CONFLICT },
	{ "below another", CLOUD_VERSION_DRAFT, 5, -1, 4, false, CLOUD_RULING_CONFLICT },
	{ "a draft goes back", CLOUD_VERSION_DRAFT, 5, 9, 6, false, CLOUD_RULING_GOOD },
	{ "a draft stays", CLOUD_VERSION_DRAFT, 5, 6, 6, false, CLOUD_RULING_GOOD },
	{ "a published version is signed anew", CLOUD_VERSION_PUBLISHED, 5, 3, 6, false, CLOUD_RULING_GOOD },
	{ "a published version goes back", CLOUD_VERSION_PUBLISHED, 5, 9, 8, false, CLOUD_RULING_CONFLICT },
	{ "a published version stays below another", CLOUD_VERSION_PUBLISHED, 5, 3, 4, false, CLOUD_RULING_CONFLICT },
	{ "the same, signed by another key", CLOUD_VERSION_PUBLISHED, 5, 3, 3, true, CLOUD_RULING_GOOD },
	{ "a withdrawn one, signed by another key", CLOUD_VERSION_WITHDRAWN, 5, 3, 3, true, CLOUD_RULING_GOOD },
	{ "of before there were manifests", CLOUD_VERSION_PUBLISHED, -1, -1, 1, false, CLOUD_RULING_GOOD },
	{ "no such number in a database", CLOUD_VERSION_DRAFT, -1, -1, UINT64_MAX, false, CLOUD_RULING_INVALID },
	{ "the largest", CLOUD_VERSION_DRAFT, 5, -1, INT64_MAX, false, CLOUD_RULING_GOOD },
};

static void sequence_goes_up_and_a_signature_may_be_added(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < COUNT(sequences); i++) {
		const struct row *row = &sequences[i];
		struct cloud_release release = release_of(row->state);
		struct fota_suit_build stored = build_of((uint64_t)row->own), wanted = build_of(row->wanted);

		print_message("%s\n", row->what);
		if (!row->is_same) { stored.uri = fota_bytes_of("https://another.example"); }
		release.highest = row->highest;
		if (row->own >= 0) {
			release.sequence = row->own;
			release.manifest = seal(rig, &stored, 1, rig->second);
		}
		assert_int_equal(ask(rig, seal(rig, &wanted, 2, rig->bytes), &release, NULL).kind, row->kind);
	}
}

static void published_version_keeps_its_image(void **state)
{
	struct rig *rig = *state;
	struct fota_suit_build size = build_of(9), digest = build_of(9);
	struct cloud_release release = release_of(CLOUD_VERSION_PUBLISHED);
	struct cloud_release draft = release_of(CLOUD_VERSION_DRAFT);

	size.size_bytes++;
	digest.digest[31] ^= 1;
	draft.has_package = true;
	for (size_t i = 0; i < 2; i++) {
		struct fota_bytes envelope = seal(rig, i ? &size : &digest, 1, rig->bytes);

		assert_refused(ask(rig, envelope, &release, NULL), CLOUD_RULING_INVALID, "new version name");
		assert_int_equal(ask(rig, envelope, &draft, NULL).kind, CLOUD_RULING_GOOD);
	}
}

static void package_is_the_image_of_the_manifest(void **state)
{
	struct cloud_promise promise = { .size_bytes = 1000, .digest = { 1 } };
	uint8_t digest[FOTA_SUIT_DIGEST_BYTES] = { 1 };

	(void)state;
	assert_int_equal(cloud_package_rule(&promise, 1000, digest).kind, CLOUD_RULING_GOOD);
	assert_int_equal(cloud_package_rule(&promise, 1000, NULL).kind, CLOUD_RULING_GOOD);
	assert_refused(cloud_package_rule(&promise, 999, NULL), CLOUD_RULING_INVALID, "999");
	assert_refused(cloud_package_rule(&promise, 1001, digest), CLOUD_RULING_INVALID, "1001");
	digest[31] = 1;
	assert_refused(cloud_package_rule(&promise, 1000, digest), CLOUD_RULING_INVALID, "digest");
}

/* The texts with the longest names are whole: a name that were cut inside a letter is no text any more. */
static void longest_names_fit_into_what_is_said(void **state)
{
	struct rig *rig = *state;
	struct cloud_release release = release_of(CLOUD_VERSION_DRAFT);
	struct fota_suit_build build = build_of(1);
	char version[129];
	struct cloud_ruling ruling;

	memset(version, 'v', 128);
	version[128] = 0;
	release.version = fota_bytes_of(version);
	ruling = ask(rig, seal(rig, &build, 1, rig->bytes), &release, NULL);
	assert_refused(ruling, CLOUD_RULING_INVALID, "vvv'");
	assert_int_equal(ruling.why[strlen(ruling.why) - 1], '\'');
}

/* A crypto engine that fails is no proof of anything. */
static enum fota_err fail_verify(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64])
{
	(void)ctx;
	(void)key;
	(void)hash;
	(void)signature;
	return FOTA_ERR_IO;
}

static enum fota_err fail_begin(void *ctx)
{
	(void)ctx;
	return FOTA_ERR_IO;
}

static enum fota_err fail_sha1(void *ctx, const struct fota_bytes *parts, size_t part_count, uint8_t digest[20])
{
	(void)ctx;
	(void)parts;
	(void)part_count;
	(void)digest;
	return FOTA_ERR_IO;
}

static void engine_that_fails_decides_nothing(void **state)
{
	struct rig *rig = *state;
	struct fota_suit_build build = build_of(7);
	struct cloud_release release = release_of(CLOUD_VERSION_DRAFT);
	struct fota_bytes envelope = seal(rig, &build, 1, rig->bytes);
	struct fota_crypto good = rig->crypto;
	uint32_t signers;

	rig->crypto.p256_verify = fail_verify;
	assert_int_equal(ask(rig, envelope, &release, NULL).kind, CLOUD_RULING_FAILED);
	assert_int_equal(cloud_manifest_signers(envelope, &rig->crypto, &rig->keys, &signers), FOTA_ERR_IO);
	rig->crypto = good;
	rig->crypto.sha256_begin = fail_begin;
	assert_int_equal(ask(rig, envelope, &release, NULL).kind, CLOUD_RULING_FAILED);
	rig->crypto = good;
	rig->crypto.sha1 = fail_sha1;
	assert_int_equal(ask(rig, envelope, &release, NULL).kind, CLOUD_RULING_FAILED);
	rig->crypto = good;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifest_that_fits_is_taken_with_what_it_promises),
		cmocka_unit_test(all_keys_of_the_product_that_signed_are_found),
		cmocka_unit_test(manifest_that_no_key_of_the_product_signed_is_refused),
		cmocka_unit_test(damaged_manifest_is_refused_at_every_byte),
		cmocka_unit_test(names_are_those_of_the_platform),
		cmocka_unit_test(sequence_goes_up_and_a_signature_may_be_added),
		cmocka_unit_test(published_version_keeps_its_image),
		cmocka_unit_test(package_is_the_image_of_the_manifest),
		cmocka_unit_test(longest_names_fit_into_what_is_said),
		cmocka_unit_test(engine_that_fails_decides_nothing),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
