/* SPDX-License-Identifier: Apache-2.0 */
/* The small parts: CRC-32, error texts, the table of result codes, bytes, and the
 * corners of COSE that no golden message has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fota/code.h"
#include "fota/cose.h"
#include "posix_crypto.h"
#include "util/crc32.h"

static void crc32_has_the_check_value_of_its_definition(void **state)
{
	(void)state;
	assert_int_equal(fota_crc32(0, (const uint8_t *)"123456789", 9), 0xcbf43926);
	assert_int_equal(fota_crc32(0, NULL, 0), 0);
	assert_int_equal(fota_crc32(0, (const uint8_t *)"\0\0\0\0", 4), 0x2144df1c);
}

static void crc32_goes_on_from_any_split(void **state)
{
	static const uint8_t bytes[] = "The quick brown fox jumps over the lazy dog";
	const uint32_t whole = fota_crc32(0, bytes, sizeof(bytes) - 1);

	(void)state;
	assert_int_equal(whole, 0x414fa339);
	for (size_t at = 0; at < sizeof(bytes); at++) {
		uint32_t crc = fota_crc32(0, bytes, at);

		assert_int_equal(fota_crc32(crc, bytes + at, sizeof(bytes) - 1 - at), whole);
	}
}

static void every_error_has_a_text_of_its_own(void **state)
{
	static const enum fota_err errs[] = {
#define ERR(name, value, text) FOTA_ERR_##name,
		FOTA_ERR_LIST(ERR)
#undef ERR
	};

	(void)state;
	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		assert_string_not_equal(fota_err_text(errs[i]), "unknown error");
		for (size_t other = 0; other < i; other++) {
			assert_string_not_equal(fota_err_text(errs[i]), fota_err_text(errs[other]));
		}
	}
	assert_string_equal(fota_err_text((enum fota_err) - 99), "unknown error");
	assert_string_equal(fota_err_text((enum fota_err)1), "unknown error");
}

/* reference/at-commands-for-fota, written down a second time. */
static void the_result_codes_are_those_of_the_manual(void **state)
{
	static const struct {
		int number;
		char code_class;
		const char *text;
	} rows[] = {
		{ 1, 'X', "unknown error" },
		{ 2, 'P', "check version finished" },
		{ 3, 'P', "download finished" },
		{ 4, 'P', "download partial finished" },
		{ 5, 'E', "no matched version" },
		{ 301, 'X', "not enough memory" },
		{ 302, 'X', "invalid parameter" },
		{ 303, 'X', "invalid operation" },
		{ 304, 'X', "IO failed" },
		{ 305, 'R', "IO timeout" },
		{ 306, 'X', "download file verification failed" },
		{ 307, 'E', "got cancelled" },
		{ 308, 'R', "interface nesting error" },
		{ 401, 'X', "invalid device information" },
		{ 402, 'X', "invalid platform information" },
		{ 403, 'X', "missing device information" },
		{ 404, 'X', "version number is not configured" },
		{ 405, 'X', "internal error" },
		{ 501, 'X', "invalid URL" },
		{ 502, 'R', "unable to resolve domain name" },
		{ 503, 'R', "cannot connect to the server" },
		{ 504, 'R', "invalid request, server returned error" },
		{ 505, 'R', "not in range" },
		{ 506, 'R', "HTTP POST request error" },
		{ 507, 'X', "re-download start error" },
		{ 508, 'R', "operation is aborted" },
		{ 509, 'R', "operation not completed" },
		{ 510, 'X', "too many retargeting times" },
		{ 511, 'R', "unable to get data from socket" },
		{ 512, 'R', "error sending data via socket" },
		{ 513, 'R', "error receiving data via socket" },
		{ 514, 'R', "invalid socket connection" },
	};
	unsigned count;
	const struct fota_code_info *list = fota_code_list(&count);

	(void)state;
	assert_int_equal(count, sizeof(rows) / sizeof(rows[0]));
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(list[i].number, rows[i].number);
		assert_int_equal(list[i].code_class, rows[i].code_class);
		assert_string_equal(list[i].text, rows[i].text);
		assert_true(strlen(fota_code_advice(rows[i].number)) > 10 && strlen(list[i].name) > 0);
		assert_ptr_equal(fota_code_find(rows[i].number), &list[i]);
	}
	assert_null(fota_code_find(0));
	assert_null(fota_code_find(6));
	assert_null(fota_code_find(515));
}

static void bytes_are_compared_by_length_and_content(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_equal;
	} rows[] = {
		{ "", "", true },     { "a", "a", true }, { "a", "b", false },     { "a", "ab", false },
		{ "ab", "a", false }, { "", "a", false }, { "abc", "abd", false }, { "abc", "xbc", false },
	};
	struct fota_bytes none = fota_bytes_of(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_bytes a = fota_bytes_of(rows[i].a), b = fota_bytes_of(rows[i].b);

		assert_int_equal(fota_bytes_is_equal(a, b), rows[i].is_equal);
		assert_int_equal(fota_bytes_is_same_secret(a, b), rows[i].is_equal);
	}
	assert_true(none.len == 0 && fota_bytes_is_equal(none, fota_bytes_of("")));
	assert_true(fota_bytes_is_same_secret(none, fota_bytes_of("")));
}

/* ---- COSE ---- */

static enum fota_err broken_hmac(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
				 uint8_t mac[32])
{
	(void)ctx;
	(void)key;
	(void)parts;
	(void)part_count;
	(void)mac;
	return FOTA_ERR_IO;
}

static struct posix_crypto posix;

static struct fota_bytes sealed(struct fota_room room, uint8_t tag[FOTA_MAC_BYTES])
{
	struct fota_crypto crypto = posix_crypto_port(&posix);
	struct fota_bytes message;

	assert_int_equal(fota_mac0_put(&crypto, fota_bytes_of("key"), fota_bytes_of("123"), fota_bytes_of(""),
				       fota_bytes_of("payload"), room, &message, tag),
			 FOTA_ERR_OK);
	return message;
}

static void a_crypto_engine_that_fails_is_neither_a_good_nor_a_bad_tag(void **state)
{
	struct fota_crypto broken = { .hmac_sha256 = broken_hmac };
	uint8_t room[256], other[256], tag[FOTA_MAC_BYTES];
	struct fota_bytes message = sealed((struct fota_room) { room, sizeof(room) }, tag);
	struct fota_mac0 mac0;

	(void)state;
	assert_int_equal(fota_mac0_get(message, &mac0), FOTA_ERR_OK);
	assert_int_equal(fota_mac0_verify(&mac0, &broken, fota_bytes_of("key"), fota_bytes_of("")), FOTA_ERR_IO);
	assert_int_equal(fota_mac0_put(&broken, fota_bytes_of("key"), fota_bytes_of("123"), fota_bytes_of(""),
				       fota_bytes_of("payload"), (struct fota_room) { other, sizeof(other) }, &message,
				       tag),
			 FOTA_ERR_IO);
}

static void each_flipped_bit_of_a_message_is_noticed(void **state)
{
	struct fota_crypto crypto = posix_crypto_port(&posix);
	uint8_t room[256], tag[FOTA_MAC_BYTES];
	struct fota_bytes message = sealed((struct fota_room) { room, sizeof(room) }, tag);

	(void)state;
	for (size_t bit = 0; bit < 8 * message.len; bit++) {
		struct fota_mac0 mac0;
		enum fota_err err;

		room[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err = fota_mac0_get(message, &mac0);
		if (!err) { err = fota_mac0_verify(&mac0, &crypto, fota_bytes_of("key"), fota_bytes_of("")); }
		assert_true(err == FOTA_ERR_FORMAT || err == FOTA_ERR_AUTH);
		room[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void a_kid_has_its_bounds_when_sealing_too(void **state)
{
	struct fota_crypto crypto = posix_crypto_port(&posix);
	uint8_t room[256], tag[FOTA_MAC_BYTES];
	struct fota_room all = { room, sizeof(room) };
	struct fota_bytes key = fota_bytes_of("key"), none = fota_bytes_of(""), message;

	(void)state;
	assert_int_equal(fota_mac0_put(&crypto, key, none, none, none, all, &message, tag), FOTA_ERR_RANGE);
	assert_int_equal(
		fota_mac0_put(&crypto, key, fota_bytes_of("123456789012345678901"), none, none, all, &message, tag),
		FOTA_ERR_RANGE);
	assert_int_equal(
		fota_mac0_put(&crypto, key, fota_bytes_of("12345678901234567890"), none, none, all, &message, tag),
		FOTA_ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32_has_the_check_value_of_its_definition),
		cmocka_unit_test(crc32_goes_on_from_any_split),
		cmocka_unit_test(every_error_has_a_text_of_its_own),
		cmocka_unit_test(the_result_codes_are_those_of_the_manual),
		cmocka_unit_test(bytes_are_compared_by_length_and_content),
		cmocka_unit_test(a_crypto_engine_that_fails_is_neither_a_good_nor_a_bad_tag),
		cmocka_unit_test(each_flipped_bit_of_a_message_is_noticed),
		cmocka_unit_test(a_kid_has_its_bounds_when_sealing_too),
	};
	int failed;

	if (posix_crypto_init(&posix)) { return 2; }
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	posix_crypto_close(&posix);
	return failed;
}
