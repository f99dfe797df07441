/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "public_key.h"
#include "sign_key.h"

static char folder[] = "/tmp/test_sign_key.XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

/* Gives the passphrase in ctx; NULL there is a refusal. */
static int give(void *ctx, const char *what, char *secret, size_t cap, struct key_message *message)
{
	const char *text = ctx;

	assert_non_null(strstr(what, "passphrase of"));
	if (!text) { return key_fail(message, "none at hand"); }
	assert_true(strlen(text) < cap);
	strcpy(secret, text);
	return 0;
}

static struct sign_secret secret_of(const char *text)
{
	return (struct sign_secret) { .get = give, .ctx = (void *)(uintptr_t)text };
}

static const uint8_t hash[FOTA_SUIT_DIGEST_BYTES] = { 1, 2, 3 };

static void assert_is_same(const struct sign_key *a, const struct sign_key *b)
{
	assert_memory_equal(&a->public_key, &b->public_key, sizeof a->public_key);
}

/* Saves a new key and opens it again. */
static void round_trip(const char *passphrase)
{
	const char *path = path_of("key.pem");
	struct sign_secret secret = secret_of(passphrase);
	struct key_message message;
	struct sign_key made, opened;
	uint8_t signature[FOTA_SUIT_SIGNATURE_BYTES];
	struct stat st;

	assert_int_equal(sign_key_generate(&made, &message), 0);
	assert_int_equal(sign_key_save(&made, path, passphrase, &message), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sign_key_open(&opened, path, &secret, &message), 0);
	assert_int_equal(opened.has_passphrase, passphrase != NULL);
	assert_is_same(&made, &opened);
	assert_int_equal(sign_key_sign(&opened, hash, signature, &message), 0);
	sign_key_close(&made);
	sign_key_close(&opened);
	assert_int_equal(unlink(path), 0);
}

static void a_saved_key_is_opened_again_and_signs(void **state)
{
	(void)state;
	round_trip("correct horse battery staple");
	round_trip(NULL);
}

/* The file's text; the key that is saved has `passphrase`. */
static void make_file(const char *name, const char *passphrase)
{
	struct sign_key key;

	assert_int_equal(sign_key_generate(&key, NULL), 0);
	assert_int_equal(sign_key_save(&key, path_of(name), passphrase, NULL), 0);
	sign_key_close(&key);
}

static void assert_open_fails(const char *name, const char *passphrase, const char *text)
{
	struct sign_secret secret = secret_of(passphrase);
	struct key_message message = { "" };
	struct sign_key key;

	assert_int_equal(sign_key_open(&key, path_of(name), &secret, &message), -1);
	if (!strstr(message.text, text)) { fail_msg("\"%s\" is not in \"%s\"", text, message.text); }
	assert_null(strstr(message.text, passphrase ? passphrase : "BEGIN"));
}

static void a_wrong_passphrase_is_said_to_be_one(void **state)
{
	(void)state;
	make_file("locked.pem", "right one");
	assert_open_fails("locked.pem", "wrong one", "the passphrase does not fit");
	assert_open_fails("locked.pem", NULL, "none at hand");
	assert_int_equal(unlink(path_of("locked.pem")), 0);
}

static void an_existing_file_is_left_alone(void **state)
{
	struct key_message message;
	struct sign_key key;
	struct stat before, after;

	(void)state;
	make_file("key.pem", NULL);
	assert_int_equal(stat(path_of("key.pem"), &before), 0);
	assert_int_equal(sign_key_generate(&key, NULL), 0);
	assert_int_equal(sign_key_save(&key, path_of("key.pem"), NULL, &message), -1);
	assert_non_null(strstr(message.text, "is there already"));
	assert_int_equal(stat(path_of("key.pem"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	sign_key_close(&key);
	assert_int_equal(unlink(path_of("key.pem")), 0);
}

static void a_plain_key_that_others_can_read_is_refused(void **state)
{
	(void)state;
	make_file("key.pem", NULL);
	assert_int_equal(chmod(path_of("key.pem"), 0640), 0);
	assert_open_fails("key.pem", NULL, "chmod 600");
	assert_int_equal(unlink(path_of("key.pem")), 0);
}

/* No length of a file that was cut off gives a key. */
static void a_cut_file_is_no_key(void **state)
{
	struct stat st;

	(void)state;
	make_file("key.pem", NULL);
	assert_int_equal(stat(path_of("key.pem"), &st), 0);
	for (off_t size = st.st_size - 2; size >= 0; size -= 7) {
		assert_int_equal(truncate(path_of("key.pem"), size), 0);
		assert_open_fails("key.pem", NULL, "");
	}
	assert_open_fails("key.pem", NULL, "no private key in PEM");
	assert_int_equal(unlink(path_of("key.pem")), 0);
	assert_open_fails("key.pem", NULL, "cannot be read");
}

static void write_key(const char *name, EVP_PKEY *pkey, bool is_private)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
	FILE *out = fdopen(fd, "w");

	assert_non_null(out);
	if (is_private) {
		assert_int_equal(PEM_write_PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL), 1);
	} else {
		assert_int_equal(PEM_write_PUBKEY(out, pkey), 1);
	}
	fclose(out);
}

static void keys_of_other_kinds_are_refused(void **state)
{
	EVP_PKEY *keys[] = { EVP_EC_gen("P-384"), EVP_EC_gen("secp256k1"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
			     EVP_RSA_gen(1024) };

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		write_key("other.pem", keys[i], true);
		assert_open_fails("other.pem", NULL, "not an ECDSA P-256 key");
		assert_int_equal(unlink(path_of("other.pem")), 0);
		EVP_PKEY_free(keys[i]);
	}
}

static void a_public_key_is_opened_but_does_not_sign(void **state)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	uint8_t signature[FOTA_SUIT_SIGNATURE_BYTES];
	struct key_message message;
	struct sign_key key;

	(void)state;
	write_key("public.pem", pkey, false);
	assert_open_fails("public.pem", NULL, "only a public key");
	assert_int_equal(sign_key_open_public(&key, path_of("public.pem"), NULL, &message), 0);
	assert_int_equal(sign_key_sign(&key, hash, signature, &message), -1);
	assert_non_null(strstr(message.text, "needs the private one"));
	sign_key_close(&key);
	EVP_PKEY_free(pkey);
	assert_int_equal(unlink(path_of("public.pem")), 0);
}

static void signatures_are_those_of_the_key_and_the_hash(void **state)
{
	uint8_t a[FOTA_SUIT_SIGNATURE_BYTES], b[FOTA_SUIT_SIGNATURE_BYTES];
	struct sign_key key;

	(void)state;
	assert_int_equal(sign_key_generate(&key, NULL), 0);
	for (int i = 0; i < 64; i++) { /* an r or s that begins with a zero byte comes once in 128 */
		assert_int_equal(sign_key_sign(&key, hash, a, NULL), 0);
	}
	assert_int_equal(sign_key_sign(&key, hash, b, NULL), 0);
	assert_memory_not_equal(a, b, sizeof a);
	/* What does not verify is not handed out. */
	key.public_key.point[0] ^= 1;
	assert_int_equal(sign_key_sign(&key, hash, a, NULL), -1);
	sign_key_close(&key);
}

static void uris_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *uri, *module, *pin_file;
	} rows[] = {
		{ "pkcs11:token=a;object=b", "pkcs11:token=a;object=b", "", "" },
		{ "pkcs11:token=a?module-path=/usr/lib/x%20y.so", "pkcs11:token=a", "/usr/lib/x y.so", "" },
		{ "PKCS11:a?pin-source=file:/p&module-path=m", "PKCS11:a", "m", "/p" },
		{ "pkcs11:a?module-path=m&pin-source=/p", "pkcs11:a", "m", "/p" },
		{ "pkcs11:a?x=1&&y=2&", "pkcs11:a?x=1&y=2", "", "" },
		{ "pkcs11:a?module-path=%zz%4", "pkcs11:a", "%zz%4", "" },
		{ "pkcs11:?", "pkcs11:", "", "" },
		{ "pkcs11:a?pin-source=file:///run/p%20q", "pkcs11:a", "", "/run/p q" },
	};
	struct sign_uri uri;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(sign_token_is_uri(rows[i].text));
		assert_int_equal(sign_token_uri(rows[i].text, &uri, NULL), 0);
		assert_string_equal(uri.uri, rows[i].uri);
		assert_string_equal(uri.module, rows[i].module);
		assert_string_equal(uri.pin_file, rows[i].pin_file);
	}
	assert_false(sign_token_is_uri("key.pem"));
}

static void a_pin_in_a_uri_is_refused_and_not_repeated(void **state)
{
	struct key_message message;
	struct sign_key key;

	(void)state;
	assert_int_equal(sign_key_open(&key, "pkcs11:token=a?pin-value=4711", NULL, &message), -1);
	assert_non_null(strstr(message.text, "pin-source"));
	assert_null(strstr(message.text, "4711"));
	assert_int_equal(sign_key_open(&key, "pkcs11:token=a?pin-source=%7Cprintpin", NULL, &message), -1);
	assert_int_equal(sign_key_open(&key, "pkcs11:token=a?pin-source=", NULL, &message), -1);
	assert_non_null(strstr(message.text, "no file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_saved_key_is_opened_again_and_signs),
		cmocka_unit_test(a_wrong_passphrase_is_said_to_be_one),
		cmocka_unit_test(an_existing_file_is_left_alone),
		cmocka_unit_test(a_plain_key_that_others_can_read_is_refused),
		cmocka_unit_test(a_cut_file_is_no_key),
		cmocka_unit_test(keys_of_other_kinds_are_refused),
		cmocka_unit_test(a_public_key_is_opened_but_does_not_sign),
		cmocka_unit_test(signatures_are_those_of_the_key_and_the_hash),
		cmocka_unit_test(uris_are_taken_apart),
		cmocka_unit_test(a_pin_in_a_uri_is_refused_and_not_repeated),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
