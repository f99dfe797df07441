/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes that others made: the examples of the standard's draft, byte for byte, and
 * made.txt, which tests/vectors/make_suit.py writes with cbor2 and cryptography.
 * Usage: test_vectors FOLDER */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "rig.h"

#define FILE_MAX 65536u

static struct rig rig;
static const char *folder;
static char text[FILE_MAX];

static void read_file(const char *name)
{
	char path[1024];
	FILE *f;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (!f) { fail_msg("%s cannot be read", path); }
	len = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	assert_true(len > 0 && len < sizeof(text) - 1);
	text[len] = '\0';
}

static struct fota_trusted_key read_key(const char *name)
{
	struct fota_trusted_key key;
	uint8_t point[65];
	size_t len = 0;
	BIO *bio;
	EVP_PKEY *pkey;

	read_file(name);
	bio = BIO_new_mem_buf(text, -1);
	pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len), 1);
	assert_int_equal(len, sizeof(point));
	memcpy(key.point, point + 1, sizeof(key.point));
	assert_int_equal(fota_suit_kid(&rig.crypto, key.point, key.kid), FOTA_ERR_OK);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return key;
}

/* The block of digits at `place`; without lines. */
static struct fota_bytes read_block(const char *name, unsigned place)
{
	char digits[4096];
	size_t len = 0;
	const char *at;

	read_file(name);
	at = strstr(text, "\n~~~\nd8");
	for (unsigned i = 0; at && i < place; i++) {
		at = strstr(at + 5, "\n~~~\nd8");
	}
	if (!at) {
		fail_msg("%s has no block %u", name, place);
		return (struct fota_bytes) { NULL, 0 };
	}
	for (at += 5; *at != '~'; at++) {
		if (*at != '\n') { digits[len++] = *at; }
		assert_true(len < sizeof(digits));
	}
	digits[len] = '\0';
	return rig_notation(digits, (struct fota_room) { rig.room, RIG_ROOM });
}

static struct fota_suit_device draft_device(uint8_t slot)
{
	struct fota_suit_device device = { .slot = slot };

	(void)rig_notation("fa6b4a53d5ad5fdfbe9de663e4d41ffe",
			   (struct fota_room) { device.vendor, sizeof(device.vendor) });
	(void)rig_notation("1492af1425695e48bf429b2d51f2ab45",
			   (struct fota_room) { device.class_id, sizeof(device.class_id) });
	return device;
}

static void check_example(unsigned number, const char *uri)
{
	char name[32];
	struct fota_trusted_key key = read_key("example_key_public.pem");
	struct fota_suit_device device = draft_device(0);
	struct fota_suit_plan plan;
	struct fota_suit suit;
	struct fota_bytes envelope;
	uint8_t digest[32];

	(void)snprintf(name, sizeof(name), "example%u.txt", number);
	envelope = read_block(name, 1);
	assert_int_equal(fota_suit_get(envelope, &rig.crypto, &suit), FOTA_ERR_OK);
	assert_int_equal(suit.sequence_number, number);
	assert_int_equal(suit.block_count, 1);
	assert_int_equal(fota_suit_verify(&suit, &rig.crypto, &key, 1, NULL), FOTA_ERR_OK);
	assert_int_equal(fota_suit_verify(&suit, &rig.crypto, &rig.key, 1, NULL), FOTA_ERR_AUTH);
	assert_int_equal(fota_suit_plan(&suit, &device, &plan), FOTA_ERR_OK);
	assert_true(plan.has_vendor && plan.has_class && plan.has_digest && plan.has_size);
	assert_int_equal(plan.size_bytes, 34768);
	(void)rig_notation(D0, (struct fota_room) { digest, sizeof(digest) });
	assert_memory_equal(plan.digest, digest, sizeof(digest));
	assert_int_equal(plan.is_fetched, uri != NULL);
	assert_true(fota_bytes_is_equal(plan.uri, fota_bytes_of(uri)));
	assert_int_equal(fota_suit_plan(&suit, &rig.device, &plan), FOTA_ERR_MISMATCH);
	/* without the authentication object it is well-formed, and nobody's */
	envelope = read_block(name, 0);
	assert_int_equal(fota_suit_get(envelope, &rig.crypto, &suit), FOTA_ERR_OK);
	assert_int_equal(suit.block_count, 0);
	assert_int_equal(fota_suit_verify(&suit, &rig.crypto, &key, 1, NULL), FOTA_ERR_AUTH);
}

static void the_drafts_examples_parse_verify_and_plan(void **state)
{
	(void)state;
	check_example(0, NULL);
	check_example(1, "http://example.com/file.bin");
}

/* Install and text are severed: both there, and both cut off. */
static void the_drafts_severed_example_may_be_cut_but_not_installed_then(void **state)
{
	static const char uri[] = "http://example.com/very/long/path/to/file/file.bin";
	struct fota_trusted_key key = read_key("example_key_public.pem");
	struct fota_suit_device device = draft_device(0);

	(void)state;
	for (unsigned is_whole = 0; is_whole < 2; is_whole++) {
		struct fota_bytes envelope = read_block("example2.txt", is_whole);
		struct fota_suit_plan plan;
		struct fota_suit suit;

		assert_int_equal(fota_suit_get(envelope, &rig.crypto, &suit), FOTA_ERR_OK);
		assert_int_equal(suit.sequence_number, 2);
		assert_int_equal(suit.is_incomplete, !is_whole);
		assert_int_equal(fota_suit_verify(&suit, &rig.crypto, &key, 1, NULL), FOTA_ERR_OK);
		assert_int_equal(fota_suit_plan(&suit, &device, &plan), FOTA_ERR_OK);
		assert_true(plan.has_vendor && plan.has_class && plan.has_digest && plan.size_bytes == 34768);
		assert_int_equal(plan.is_fetched, is_whole);
		assert_true(fota_bytes_is_equal(plan.uri, fota_bytes_of(is_whole ? uri : "")));
		/* its text, in en-US, has a domain and a description */
		assert_int_equal(suit.text.vendor_name.len + suit.text.model_name.len + suit.text.version.len, 0);
	}
}

static void no_bit_of_the_drafts_examples_may_change(void **state)
{
	static const char *const names[] = { "example0.txt", "example1.txt", "example2.txt" };
	struct fota_trusted_key key = read_key("example_key_public.pem");

	(void)state;
	for (size_t number = 0; number < sizeof(names) / sizeof(names[0]); number++) {
		struct fota_bytes envelope = read_block(names[number], 1);

		for (size_t bit = 0; bit < 8 * envelope.len; bit++) {
			struct fota_suit suit;

			rig.room[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (fota_suit_get(envelope, &rig.crypto, &suit) == FOTA_ERR_OK &&
			    fota_suit_verify(&suit, &rig.crypto, &key, 1, NULL) == FOTA_ERR_OK) {
				fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
			}
			rig.room[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* What a line of made.txt says, in its order. */
struct line {
	char name[64], get[16], verify[16], plan[16];
	unsigned slot, is_fetched;
	unsigned long long size;
	char uri[256], digits[4096];
};

static void expect(const struct line *line, const char *what, enum fota_err err, const char *wanted)
{
#define NAME(name, value, message) \
	if (err == FOTA_ERR_##name && strcmp(wanted, #name) == 0) { return; }
	FOTA_ERR_LIST(NAME)
#undef NAME
	fail_msg("%s: %s gives %d, not %s", line->name, what, err, wanted);
}

static void check_line(const struct line *line, const struct fota_trusted_key *key)
{
	struct fota_bytes envelope = rig_notation(line->digits, (struct fota_room) { rig.room, RIG_ROOM });
	struct fota_suit_device device = draft_device((uint8_t)line->slot);
	struct fota_suit_plan plan;
	struct fota_suit suit;
	enum fota_err err = fota_suit_get(envelope, &rig.crypto, &suit);

	expect(line, "get", err, line->get);
	if (err) { return; }
	expect(line, "verify", fota_suit_verify(&suit, &rig.crypto, key, 1, NULL), line->verify);
	err = fota_suit_plan(&suit, &device, &plan);
	expect(line, "plan", err, line->plan);
	if (err) { return; }
	if (plan.size_bytes != line->size || plan.is_fetched != line->is_fetched) { fail_msg("%s: plan", line->name); }
	if (!fota_bytes_is_equal(plan.uri, fota_bytes_of(line->uri[0] == '-' ? "" : line->uri))) {
		fail_msg("%s: URI", line->name);
	}
}

static void what_another_implementation_makes_is_read_as_it_is_meant(void **state)
{
	struct fota_trusted_key key = read_key("made_key_public.pem");
	unsigned count = 0;
	static struct line line;
	char *next;

	(void)state;
	read_file("made.txt");
	for (char *at = strtok_r(text, "\n", &next); at; at = strtok_r(NULL, "\n", &next)) {
		if (*at == '#') { continue; }
		if (sscanf(at, "%63s %15s %15s %15s %u %u %llu %255s %4095s", line.name, line.get, line.verify,
			   line.plan, &line.slot, &line.is_fetched, &line.size, line.uri, line.digits) != 9) {
			fail_msg("not a line: %.60s", at);
		}
		check_line(&line, &key);
		count++;
	}
	assert_true(count >= 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_drafts_examples_parse_verify_and_plan),
		cmocka_unit_test(the_drafts_severed_example_may_be_cut_but_not_installed_then),
		cmocka_unit_test(no_bit_of_the_drafts_examples_may_change),
		cmocka_unit_test(what_another_implementation_makes_is_read_as_it_is_meant),
	};
	int failed;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: test_vectors FOLDER\n");
		return 2;
	}
	folder = argv[1];
	rig_open(&rig);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rig_close(&rig);
	return failed;
}
