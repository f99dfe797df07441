/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be believed: one signature and several, keys that come and go, blocks of
 * others, and every form of block that is none of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rig.h"

#define KEY_COUNT 3u

static struct rig rig;
static EVP_PKEY *pkeys[KEY_COUNT];
static struct fota_trusted_key keys[KEY_COUNT];
static uint8_t manifest_room[RIG_ROOM], room[2][RIG_ROOM];
static struct fota_bytes manifest;

static int open_rig(void **state)
{
	(void)state;
	rig_open(&rig);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		pkeys[i] = rig_new_key(&rig.crypto, &keys[i]);
	}
	manifest = rig_built(&rig, 7, (struct fota_room) { manifest_room, sizeof(manifest_room) });
	return 0;
}

static int close_rig(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		EVP_PKEY_free(pkeys[i]);
	}
	rig_close(&rig);
	return 0;
}

static struct fota_suit_signature signed_by(size_t key)
{
	struct fota_suit_signature signature;
	uint8_t hash[32];

	assert_int_equal(fota_suit_to_sign(manifest, &rig.crypto, hash), FOTA_ERR_OK);
	rig_sign(pkeys[key], hash, signature.bytes);
	memcpy(signature.kid, keys[key].kid, sizeof(signature.kid));
	return signature;
}

static struct fota_bytes sealed(const struct fota_suit_signature *signatures, size_t count)
{
	struct fota_bytes envelope;

	assert_int_equal(fota_suit_seal(manifest, &rig.crypto, signatures, count,
					(struct fota_room) { room[0], RIG_ROOM }, &envelope),
			 FOTA_ERR_OK);
	return envelope;
}

static enum fota_err verify(struct fota_bytes envelope, const struct fota_trusted_key *trusted, size_t count,
			    size_t *index)
{
	struct fota_suit suit;

	assert_int_equal(fota_suit_get(envelope, &rig.crypto, &suit), FOTA_ERR_OK);
	return fota_suit_verify(&suit, &rig.crypto, trusted, count, index);
}

static void one_signature_is_believed_with_its_key_alone(void **state)
{
	struct fota_suit_signature signature = signed_by(1);
	struct fota_bytes envelope = sealed(&signature, 1);
	size_t index = 99;

	(void)state;
	assert_int_equal(verify(envelope, keys, KEY_COUNT, &index), FOTA_ERR_OK);
	assert_int_equal(index, 1);
	assert_int_equal(verify(envelope, &keys[1], 1, NULL), FOTA_ERR_OK);
	index = 99;
	assert_int_equal(verify(envelope, &keys[2], 1, &index), FOTA_ERR_AUTH);
	assert_int_equal(verify(envelope, keys, 1, &index), FOTA_ERR_AUTH);
	assert_int_equal(verify(envelope, NULL, 0, &index), FOTA_ERR_AUTH);
	assert_int_equal(index, 99);
}

static void nothing_signed_is_nothing_believed(void **state)
{
	(void)state;
	assert_int_equal(verify(sealed(NULL, 0), keys, KEY_COUNT, NULL), FOTA_ERR_AUTH);
}

/* Old modules know key 0, new ones key 1: one envelope is for both. */
static void keys_rotate(void **state)
{
	struct fota_suit_signature signatures[2] = { signed_by(0), signed_by(1) };
	struct fota_bytes envelope = sealed(signatures, 2);
	size_t index = 99;

	(void)state;
	assert_int_equal(verify(envelope, &keys[0], 1, &index), FOTA_ERR_OK);
	assert_int_equal(verify(envelope, &keys[1], 1, &index), FOTA_ERR_OK);
	assert_int_equal(verify(envelope, &keys[2], 1, &index), FOTA_ERR_AUTH);
	assert_int_equal(verify(envelope, keys, 2, &index), FOTA_ERR_OK);
	assert_int_equal(index, 0);
}

static void a_signature_under_anothers_name_is_not_believed(void **state)
{
	struct fota_suit_signature signature = signed_by(0);

	(void)state;
	memcpy(signature.kid, keys[1].kid, sizeof(signature.kid));
	assert_int_equal(verify(sealed(&signature, 1), keys, KEY_COUNT, NULL), FOTA_ERR_AUTH);
}

static void a_signature_of_another_manifest_is_not_believed(void **state)
{
	struct fota_suit_signature signature = signed_by(0);
	struct fota_bytes first = manifest;
	uint8_t other[RIG_ROOM];

	(void)state;
	manifest = rig_built(&rig, 8, (struct fota_room) { other, sizeof(other) });
	assert_int_equal(verify(sealed(&signature, 1), keys, KEY_COUNT, NULL), FOTA_ERR_AUTH);
	manifest = first;
}

static void signatures_are_added_up_to_eight(void **state)
{
	struct fota_suit_signature signatures[FOTA_SUIT_SIGNATURE_MAX + 1];
	struct fota_bytes envelope = sealed(NULL, 0), more, found;

	(void)state;
	memcpy(room[1], envelope.ptr, envelope.len);
	envelope.ptr = room[1];
	for (size_t i = 0; i < FOTA_SUIT_SIGNATURE_MAX; i++) {
		signatures[i] = signed_by(i % KEY_COUNT);
		assert_int_equal(fota_suit_add_signature(envelope, &signatures[i],
							 (struct fota_room) { room[i % 2], RIG_ROOM }, &more),
				 FOTA_ERR_OK);
		envelope = more;
		assert_int_equal(verify(envelope, &keys[i % KEY_COUNT], 1, NULL), FOTA_ERR_OK);
	}
	assert_int_equal(fota_suit_manifest_of(envelope, &found), FOTA_ERR_OK);
	assert_true(fota_bytes_is_equal(found, manifest));
	assert_int_equal(
		fota_suit_add_signature(envelope, &signatures[0], (struct fota_room) { room[0], RIG_ROOM }, &more),
		FOTA_ERR_FULL);
	assert_int_equal(fota_suit_seal(manifest, &rig.crypto, signatures, FOTA_SUIT_SIGNATURE_MAX + 1,
					(struct fota_room) { room[0], RIG_ROOM }, &more),
			 FOTA_ERR_FULL);
}

static void adding_makes_what_sealing_makes(void **state)
{
	struct fota_suit_signature signatures[2] = { signed_by(0), signed_by(1) };
	struct fota_bytes one = sealed(signatures, 1), added, both;

	(void)state;
	assert_int_equal(fota_suit_add_signature(one, &signatures[1], (struct fota_room) { room[1], RIG_ROOM }, &added),
			 FOTA_ERR_OK);
	both = sealed(signatures, 2);
	assert_true(fota_bytes_is_equal(added, both));
}

static void adding_keeps_the_other_members(void **state)
{
	struct fota_suit_signature signature;
	struct fota_bytes envelope = rig_envelope_with(&rig, PLAIN, 1, "64\"#img\"<0102>"), more, first = manifest;
	uint8_t copy[RIG_ROOM];

	(void)state;
	assert_int_equal(fota_suit_manifest_of(envelope, &manifest), FOTA_ERR_OK);
	signature = signed_by(2);
	assert_int_equal(
		fota_suit_add_signature(envelope, &signature, (struct fota_room) { copy, sizeof(copy) }, &more),
		FOTA_ERR_OK);
	assert_memory_equal(more.ptr + more.len - 8, "d#img\x42\x01\x02", 8);
	assert_int_equal(verify(more, &keys[2], 1, NULL), FOTA_ERR_OK);
	assert_int_equal(verify(more, &rig.key, 1, NULL), FOTA_ERR_OK);
	manifest = first;
}

static void what_is_no_envelope_gets_no_signature(void **state)
{
	static const char *const rows[] = { "",
					    "00",
					    "d86b 00",
					    "d86b a0",
					    "d86b a1 03<a0>",
					    "d86b a1 02<80>",
					    "d86b a2 02<8100> 03<a0>",
					    "d86b a2 02<81<00>00> 03<a0>",
					    "d86b a2 02<81<00>> 03<a0> 00",
					    "d86c a2 02<81<00>> 03<a0>" };
	struct fota_suit_signature signature = signed_by(0);
	struct fota_bytes out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_bytes bytes = rig_notation(rows[i], (struct fota_room) { room[0], RIG_ROOM });

		assert_int_equal(
			fota_suit_add_signature(bytes, &signature, (struct fota_room) { room[1], RIG_ROOM }, &out),
			FOTA_ERR_FORMAT);
		assert_int_equal(out.len, 0);
	}
	for (size_t i = 0; i < 4; i++) {
		struct fota_bytes bytes = rig_notation(rows[i], (struct fota_room) { room[0], RIG_ROOM });

		assert_int_equal(fota_suit_manifest_of(bytes, &out), FOTA_ERR_FORMAT);
	}
}

static void what_is_made_fits_or_is_not_made(void **state)
{
	struct fota_suit_signature signatures[2] = { signed_by(0), signed_by(1) };
	struct fota_bytes envelope = sealed(signatures, 1), out, whole;
	uint8_t small[RIG_ROOM];

	(void)state;
	assert_int_equal(
		fota_suit_add_signature(envelope, &signatures[1], (struct fota_room) { small, sizeof(small) }, &whole),
		FOTA_ERR_OK);
	for (size_t cap = 0; cap < whole.len; cap++) {
		assert_int_equal(
			fota_suit_add_signature(envelope, &signatures[1], (struct fota_room) { small, cap }, &out),
			FOTA_ERR_FULL);
		assert_int_equal(
			fota_suit_seal(manifest, &rig.crypto, signatures, 2, (struct fota_room) { small, cap }, &out),
			FOTA_ERR_FULL);
		assert_int_equal(out.len, 0);
	}
}

/* ---- blocks of another form ---- */

/* The wrapper written out around one block in which %s is the signature. */
static enum fota_err verify_block(const char *protected_header, const char *block)
{
	char digest[65], hash[65], signature[129], text[4096], sig_structure[512];
	uint8_t bytes[64], hash_bytes[32];
	struct fota_bytes envelope;

	rig_digest(&rig, "<" PLAIN ">", digest);
	(void)snprintf(sig_structure, sizeof(sig_structure), "846a\"Signature1\"%s40<822f<%s>>", protected_header,
		       digest);
	rig_digest(&rig, sig_structure, hash);
	(void)rig_notation(hash, (struct fota_room) { hash_bytes, sizeof(hash_bytes) });
	rig_sign(pkeys[0], hash_bytes, bytes);
	for (size_t i = 0; i < 64; i++) {
		(void)snprintf(signature + 2 * i, 3, "%02x", bytes[i]);
	}
	(void)snprintf(text, sizeof(text), "d86ba2 02<82<822f<%s>>", digest);
	{
		const char *at = strstr(block, "%s");
		size_t before = at ? (size_t)(at - block) : strlen(block), len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len, "%.*s%s%s>03<" PLAIN ">", (int)before, block,
			       at ? signature : "", at ? at + 2 : "");
	}
	envelope = rig_notation(text, (struct fota_room) { room[0], RIG_ROOM });
	return verify(envelope, keys, 1, NULL);
}

static void blocks_have_one_form(void **state)
{
#define P "<a10126>"
	static const struct {
		const char *name, *protected_header, *block;
		enum fota_err err;
	} rows[] = {
		{ "as in the draft", P, "<d284" P "a0f6<%s>>", FOTA_ERR_OK },
		{ "ESP256", "<a10128>", "<d284<a10128>a0f6<%s>>", FOTA_ERR_OK },
		{ "another kid", P, "<d284" P "a104<0102030405060708>f6<%s>>", FOTA_ERR_AUTH },
		{ "short kid", P, "<d284" P "a104<01020304>f6<%s>>", FOTA_ERR_AUTH },
		{ "empty kid", P, "<d284" P "a104<>f6<%s>>", FOTA_ERR_AUTH },
		{ "kid as text", P, "<d284" P "a1046161f6<%s>>", FOTA_ERR_AUTH },
		{ "other header", P, "<d284" P "a105<00>f6<%s>>", FOTA_ERR_AUTH },
		{ "header without a value", P, "<d284" P "a105f6<%s>>", FOTA_ERR_AUTH },
		{ "algorithm outside", "<>", "<d284<>a10126f6<%s>>", FOTA_ERR_AUTH },
		{ "algorithm in both", P, "<d284" P "a10126f6<%s>>", FOTA_ERR_AUTH },
		{ "no algorithm", "<a0>", "<d284<a0>a0f6<%s>>", FOTA_ERR_AUTH },
		{ "ES384", "<a1013822>", "<d284<a1013822>a0f6<%s>>", FOTA_ERR_AUTH },
		{ "algorithm as text", "<a1016126>", "<d284<a1016126>a0f6<%s>>", FOTA_ERR_AUTH },
		{ "critical header", "<a201260281182a>", "<d284<a201260281182a>a0f6<%s>>", FOTA_ERR_AUTH },
		{ "more in the header", "<a1012600>", "<d284<a1012600>a0f6<%s>>", FOTA_ERR_AUTH },
		{ "long number in the header", "<a1013806>", "<d284<a1013806>a0f6<%s>>", FOTA_ERR_AUTH },
		{ "header that was not signed", P, "<d284<a2012604<00>>a0f6<%s>>", FOTA_ERR_AUTH },
		{ "no tag", P, "<84" P "a0f6<%s>>", FOTA_ERR_AUTH },
		{ "tag of COSE_Sign", P, "<d86284" P "a0f6<%s>>", FOTA_ERR_AUTH },
		{ "tag of COSE_Mac0", P, "<d184" P "a0f6<%s>>", FOTA_ERR_AUTH },
		{ "three items", P, "<d283" P "a0f6>", FOTA_ERR_AUTH },
		{ "five items", P, "<d285" P "a0f6<%s>f6>", FOTA_ERR_AUTH },
		{ "payload inside", P, "<d284" P "a0<00><%s>>", FOTA_ERR_AUTH },
		{ "empty payload", P, "<d284" P "a0<><%s>>", FOTA_ERR_AUTH },
		{ "short signature", P, "<d284" P "a0f6<00>>", FOTA_ERR_AUTH },
		{ "long signature", P, "<d284" P "a0f6<%s00>>", FOTA_ERR_AUTH },
		{ "signature as a text", P, "<d284" P "a0f67840%s>", FOTA_ERR_AUTH },
		{ "more behind", P, "<d284" P "a0f6<%s>00>", FOTA_ERR_AUTH },
		{ "cut", P, "<d284" P "a0f6>", FOTA_ERR_AUTH },
		{ "empty", P, "<>", FOTA_ERR_AUTH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum fota_err err = verify_block(rows[i].protected_header, rows[i].block);

		if (err != rows[i].err) { fail_msg("%s: %d, not %d", rows[i].name, err, rows[i].err); }
	}
}

/* ---- a crypto port that fails ---- */

static unsigned calls_left;
static struct fota_crypto whole;

static bool is_broken(void)
{
	if (calls_left == 0) { return true; }
	calls_left--;
	return false;
}

static enum fota_err failing_begin(void *ctx)
{
	return is_broken() ? FOTA_ERR_IO : whole.sha256_begin(ctx);
}

static enum fota_err failing_update(void *ctx, struct fota_bytes bytes)
{
	return is_broken() ? FOTA_ERR_IO : whole.sha256_update(ctx, bytes);
}

static enum fota_err failing_finish(void *ctx, uint8_t digest[32])
{
	return is_broken() ? FOTA_ERR_IO : whole.sha256_finish(ctx, digest);
}

static enum fota_err failing_verify(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t sig[64])
{
	return is_broken() ? FOTA_ERR_IO : whole.p256_verify(ctx, key, hash, sig);
}

static enum fota_err strange_verify(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t sig[64])
{
	(void)ctx, (void)key, (void)hash, (void)sig;
	return FOTA_ERR_PENDING;
}

static void a_port_that_fails_at_any_call_makes_nobody_believed(void **state)
{
	struct fota_crypto failing = rig.crypto;
	struct fota_suit_signature signature = signed_by(0);
	struct fota_bytes envelope = sealed(&signature, 1);
	unsigned call = 0;
	enum fota_err err;

	(void)state;
	whole = rig.crypto;
	failing.sha256_begin = failing_begin;
	failing.sha256_update = failing_update;
	failing.sha256_finish = failing_finish;
	failing.p256_verify = failing_verify;
	do {
		struct fota_suit suit;

		calls_left = call++;
		err = fota_suit_get(envelope, &failing, &suit);
		if (!err) { err = fota_suit_verify(&suit, &failing, keys, 1, NULL); }
		assert_true(err == FOTA_ERR_OK || err == FOTA_ERR_IO);
	} while (err);
	assert_int_equal(call, 3 + 2 + 6 + 1 + 1); /* digest; signature of six parts; verify; none */
	failing = rig.crypto;
	failing.p256_verify = strange_verify;
	{
		struct fota_suit suit;

		assert_int_equal(fota_suit_get(envelope, &failing, &suit), FOTA_ERR_OK);
		assert_int_equal(fota_suit_verify(&suit, &failing, keys, 1, NULL), FOTA_ERR_IO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_signature_is_believed_with_its_key_alone),
		cmocka_unit_test(nothing_signed_is_nothing_believed),
		cmocka_unit_test(keys_rotate),
		cmocka_unit_test(a_signature_under_anothers_name_is_not_believed),
		cmocka_unit_test(a_signature_of_another_manifest_is_not_believed),
		cmocka_unit_test(signatures_are_added_up_to_eight),
		cmocka_unit_test(adding_makes_what_sealing_makes),
		cmocka_unit_test(adding_keeps_the_other_members),
		cmocka_unit_test(what_is_no_envelope_gets_no_signature),
		cmocka_unit_test(what_is_made_fits_or_is_not_made),
		cmocka_unit_test(blocks_have_one_form),
		cmocka_unit_test(a_port_that_fails_at_any_call_makes_nobody_believed),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
