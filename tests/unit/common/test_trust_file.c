/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "posix_crypto.h"
#include "public_key.h"
#include "trust_file.h"

#define KEY_MAX 3

struct fixture {
	struct fota_trusted_key keys[KEY_MAX];
	struct trust_keys trust;
	struct key_message message;
};

static struct fixture fixture(void)
{
	return (struct fixture) { .message = { "" } };
}

static int load(struct fixture *f, const char *pem)
{
	f->trust.keys = f->keys;
	f->trust.cap = KEY_MAX;
	return trust_pem_load(pem, strlen(pem), "trust.pem", &f->trust, &f->message);
}

static void assert_refused(struct fixture *f, const char *pem, const char *text)
{
	size_t before = f->trust.count;

	assert_int_equal(load(f, pem), -1);
	assert_int_equal(f->trust.count, before);
	assert_int_equal(strncmp(f->message.text, "trust.pem: ", 11), 0);
	if (!strstr(f->message.text, text)) { fail_msg("\"%s\" is not in \"%s\"", text, f->message.text); }
}

/* PEM of a key, to be freed. */
static char *pem_of(EVP_PKEY *pkey, bool is_private)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = calloc(1, 4096);

	assert_int_equal(is_private ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
				    : PEM_write_bio_PUBKEY(bio, pkey),
			 1);
	assert_true(BIO_read(bio, text, 4095) > 0);
	BIO_free(bio);
	return text;
}

static char *new_pem(const char *curve, bool is_private)
{
	EVP_PKEY *pkey = EVP_EC_gen(curve);
	char *text = pem_of(pkey, is_private);

	EVP_PKEY_free(pkey);
	return text;
}

static char *join(const char *a, const char *b)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s", a, b) > 0);
	return text;
}

static void several_keys_are_read_and_each_one_once(void **state)
{
	struct fixture f = fixture();
	char *a = new_pem("P-256", false), *b = new_pem("P-256", false), *both = join(a, b);

	(void)state;
	assert_int_equal(load(&f, both), 0);
	assert_int_equal(f.trust.count, 2);
	assert_int_equal(load(&f, a), 0);
	assert_int_equal(f.trust.count, 2);
	assert_memory_not_equal(&f.keys[0], &f.keys[1], sizeof f.keys[0]);
	free(a);
	free(b);
	free(both);
}

static void text_around_the_blocks_is_allowed(void **state)
{
	struct fixture f = fixture();
	char *pem = new_pem("P-256", false), *text = join("key of the laboratory\n", pem);

	(void)state;
	assert_int_equal(load(&f, text), 0);
	assert_int_equal(f.trust.count, 1);
	free(pem);
	free(text);
}

static void what_is_written_is_read_back(void **state)
{
	struct fixture f = fixture(), again = fixture();
	char *pem = new_pem("P-256", false), written[PUBLIC_KEY_PEM_MAX_BYTES];

	(void)state;
	assert_int_equal(load(&f, pem), 0);
	assert_true(public_key_pem(&f.keys[0], written));
	assert_string_equal(written, pem);
	assert_int_equal(load(&again, written), 0);
	assert_memory_equal(&f.keys[0], &again.keys[0], sizeof f.keys[0]);
	free(pem);
}

/* The same key has the same identifier, however its point is written. */
static void a_compressed_point_is_the_same_key(void **state)
{
	struct fixture f = fixture();
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	char *plain = pem_of(pkey, false), *packed;

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
			 1);
	packed = pem_of(pkey, false);
	assert_string_not_equal(plain, packed);
	assert_int_equal(load(&f, plain), 0);
	assert_int_equal(load(&f, packed), 0);
	assert_int_equal(f.trust.count, 1);
	EVP_PKEY_free(pkey);
	free(plain);
	free(packed);
}

/* A key of the standard's examples; the identifier was computed with sha256sum, and is the same
 * for the library. */
static void the_key_id_is_made_of_the_point(void **state)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhJaBGq4LqqvSYVcYnuzaJr6qi/Eb\n"
				  "bz/m4rVlnIXbwK07HypLbAmBMcCjbazR14vTgdzfsJwFLbM5kdtzOLSolg==\n"
				  "-----END PUBLIC KEY-----\n";
	struct fixture f = fixture();
	struct posix_crypto posix;
	struct fota_crypto crypto;
	uint8_t library[FOTA_SUIT_KID_BYTES];
	char kid[PUBLIC_KEY_KID_TEXT_BYTES];

	(void)state;
	assert_int_equal(load(&f, pem), 0);
	assert_int_equal(posix_crypto_init(&posix), FOTA_ERR_OK);
	crypto = posix_crypto_port(&posix);
	assert_int_equal(fota_suit_kid(&crypto, f.keys[0].point, library), FOTA_ERR_OK);
	assert_memory_equal(library, f.keys[0].kid, sizeof library);
	posix_crypto_close(&posix);
	public_key_kid_text(f.keys[0].kid, kid);
	assert_string_equal(kid, "3792794e86d38e2e");
}

static void what_is_no_public_key_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *curve;
		bool is_private;
		const char *text;
	} rows[] = {
		{ "P-256", true, "a private key must not lie here" },
		{ "P-384", false, "not ECDSA P-256" },
		{ "secp256k1", false, "not ECDSA P-256" },
	};
	char *good = new_pem("P-256", false);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f = fixture();
		char *bad = new_pem(rows[i].curve, rows[i].is_private), *behind = join(good, bad);

		assert_refused(&f, bad, rows[i].text);
		assert_refused(&f, behind, rows[i].text); /* and the good one in front is not kept */
		free(bad);
		free(behind);
	}
	free(good);
}

static void an_empty_text_and_other_blocks_are_refused(void **state)
{
	struct fixture f = fixture();

	(void)state;
	assert_refused(&f, "", "no public key in it");
	assert_refused(&f, "hello\n", "no public key in it");
	assert_refused(&f, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		       "'CERTIFICATE' is no public key");
	assert_refused(&f, "-----BEGIN \x1b[1m\xff-----\nAAAA\n-----END \x1b[1m\xff-----\n",
		       "'?[1m?' is no public key");
	assert_refused(&f, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		       "damaged or not ECDSA P-256");
	assert_refused(&f, "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n", "damaged or cut off");
}

static void a_cut_text_is_refused_at_each_length(void **state)
{
	char *pem = new_pem("P-256", false);

	(void)state;
	for (size_t len = strlen(pem) - 2; len > 0; len--) {
		struct fixture f = fixture();

		pem[len] = '\0';
		assert_refused(&f, pem, "");
	}
	free(pem);
}

static void more_keys_than_there_is_room_are_refused(void **state)
{
	struct fixture f = fixture();

	(void)state;
	for (int i = 0; i <= KEY_MAX; i++) {
		char *pem = new_pem("P-256", false);

		if (i < KEY_MAX) {
			assert_int_equal(load(&f, pem), 0);
		} else {
			assert_refused(&f, pem, "more than 3 trusted keys");
		}
		free(pem);
	}
}

static void a_file_is_read_and_named(void **state)
{
	char path[] = "/tmp/test_trust_file.XXXXXX";
	struct fixture f = fixture();
	char *pem = new_pem("P-256", false);
	int fd = mkstemp(path);

	(void)state;
	f.trust = (struct trust_keys) { .keys = f.keys, .cap = KEY_MAX };
	assert_int_equal(write(fd, pem, strlen(pem)), (ssize_t)strlen(pem));
	assert_int_equal(trust_file_load(path, &f.trust, &f.message), 0);
	assert_int_equal(f.trust.count, 1);
	assert_int_equal(ftruncate(fd, TRUST_PEM_MAX_BYTES + 1), 0);
	assert_int_equal(trust_file_load(path, &f.trust, &f.message), -1);
	assert_non_null(strstr(f.message.text, "too large"));
	close(fd);
	unlink(path);
	assert_int_equal(trust_file_load(path, &f.trust, &f.message), -1);
	assert_non_null(strstr(f.message.text, "No such file"));
	assert_non_null(strstr(f.message.text, path));
	free(pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_keys_are_read_and_each_one_once),
		cmocka_unit_test(text_around_the_blocks_is_allowed),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(a_compressed_point_is_the_same_key),
		cmocka_unit_test(the_key_id_is_made_of_the_point),
		cmocka_unit_test(what_is_no_public_key_is_refused_with_its_reason),
		cmocka_unit_test(an_empty_text_and_other_blocks_are_refused),
		cmocka_unit_test(a_cut_text_is_refused_at_each_length),
		cmocka_unit_test(more_keys_than_there_is_room_are_refused),
		cmocka_unit_test(a_file_is_read_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
