/* SPDX-License-Identifier: Apache-2.0 */
/* Notation and words, item by item and on what is damaged. Whole manifests are read back
 * in tests/e2e/test_tool_package.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest.h"
#include "suit_diag.h"
#include "suit_words.h"

static struct fota_bytes hex(const char *text, uint8_t *bytes)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
	return (struct fota_bytes) { bytes, len };
}

/* The notation of one item without its line end; NULL if it is refused. To be freed. */
static char *print(struct fota_bytes item, enum suit_kind kind)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool is_done = suit_diag_print(out, item, kind);

	fclose(out);
	if (!is_done) {
		assert_int_equal(len, 0);
		free(text);
		return NULL;
	}
	assert_true(len > 1);
	text[len - 1] = '\0';
	return text;
}

static void items_are_printed_as_the_standard_says(void **state)
{
	static const struct {
		const char *item, *text;
	} rows[] = {
		{ "00", "0" },
		{ "17", "23" },
		{ "1864", "100" },
		{ "1bffffffffffffffff", "18446744073709551615" },
		{ "20", "-1" },
		{ "3903e7", "-1000" },
		{ "3b7fffffffffffffff", "-9223372036854775808" },
		{ "3bffffffffffffffff", "-18446744073709551616" },
		{ "f4", "false" },
		{ "f5", "true" },
		{ "f6", "null / nil /" },
		{ "40", "h''" },
		{ "4401020304", "h'01020304'" },
		{ "60", "\"\"" },
		{ "62225c", "\"\\\"\\\\\"" },
		{ "62c3bc", "\"\xc3\xbc\"" },
		{ "611b", "\"\\u001b\"" },
		{ "617f", "\"\\u007f\"" },
		{ "62c29b", "\"\\u009b\"" },
		{ "62c2a0", "\"\xc2\xa0\"" },
		{ "80", "[]" },
		{ "83010203", "[1, 2, 3]" },
		{ "82018120", "[1, [-1]]" },
		{ "a0", "{}" },
		{ "a10102", "{\n    1:2\n}" },
		{ "d86b00", "107(0)" },
	};
	uint8_t bytes[16];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *text = print(hex(rows[i].item, bytes), SUIT_KIND_ANY);

		assert_non_null(text);
		assert_string_equal(text, rows[i].text);
		free(text);
	}
}

static void what_is_not_one_deterministic_item_is_refused(void **state)
{
	static const char *const rows[] = { "", "0000", "1801", "5f4100ff", "61ff", "82", "f7", "f90000", "a2020100" };
	uint8_t bytes[16];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_null(print(hex(rows[i], bytes), SUIT_KIND_ANY));
	}
}

static void strings_that_should_have_structure_and_have_not_are_bytes(void **state)
{
	uint8_t bytes[16];
	char *text = print(hex("a10242ffff", bytes), SUIT_KIND_ENVELOPE);

	(void)state;
	assert_string_equal(text, "{\n    / authentication-wrapper / 2:h'ffff'\n}");
	free(text);
	text = print(hex("a10343a10101", bytes), SUIT_KIND_ENVELOPE);
	assert_string_equal(text, "{\n    / manifest / 3:<< {\n        / manifest-version / 1:1\n    } >>\n}");
	free(text);
}

/* Sequences in sequences, deeper than anybody needs: the rest is bytes. */
static void depth_has_a_bound(void **state)
{
	uint8_t bytes[512];
	size_t at = sizeof bytes, len = 0;
	char *text;

	(void)state;
	bytes[--at] = 0x80;
	len = 1;
	for (int i = 0; i < 60; i++) { /* [32, << ... >>] */
		at -= len < 24 ? 1 : 2;
		bytes[at] = len < 24 ? (uint8_t)(0x40 | len) : 0x58;
		if (len >= 24) { bytes[at + 1] = (uint8_t)len; }
		bytes[--at] = 0x20;
		bytes[--at] = 0x18;
		bytes[--at] = 0x82;
		len = sizeof bytes - at;
		if (len > 250) { break; }
	}
	text = print((struct fota_bytes) { bytes + at, len }, SUIT_KIND_SEQUENCE);
	assert_non_null(strstr(text, "directive-run-sequence"));
	assert_non_null(strstr(text, "h'82"));
	free(text);
}

/* Example 1 of the draft, with its signature: commands, parameters, everything nested. */
static const char example[] =
	"d86ba2025873825824822f58201f2e7acca0dc2786f2fe4eb947f50873a6a3cfaa98866c5b02e621f42074daf2584ad28443a10126a0f6"
	"584027a3d7986eddcc1bee04e1436746408c308ed3c15ac590a1ca0cf96f85671ccac216cb9a1497fc59e21c15f33c95cf75203e25c287"
	"b31a57d6cd2ef950b27a7a035894a50101020103585fa202818141000458568614a40150fa6b4a53d5ad5fdfbe9de663e4d41ffe025014"
	"92af1425695e48bf429b2d51f2ab45035824822f582000112233445566778899aabbccddeeff0123456789abcdeffedcba98765432100e"
	"1987d0010f020f074382030f1458258614a115781b687474703a2f2f6578616d706c652e636f6d2f66696c652e62696e1502030f";

/* No changed bit makes it read what is not there: the sanitizers look on. */
static void every_changed_bit_is_printed_or_refused(void **state)
{
	uint8_t bytes[sizeof example / 2];
	struct fota_bytes envelope = hex(example, bytes);
	unsigned printed = 0, refused = 0;

	(void)state;
	for (size_t bit = 0; bit < envelope.len * 8; bit++) {
		char *text;

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		text = print(envelope, SUIT_KIND_ENVELOPE);
		printed += text != NULL;
		refused += text == NULL;
		free(text);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(printed > 1000);
	assert_true(refused > 10);
}

static void each_cut_is_refused(void **state)
{
	uint8_t bytes[sizeof example / 2];
	struct fota_bytes envelope = hex(example, bytes);

	(void)state;
	for (size_t len = 0; len < envelope.len; len++) {
		assert_null(print((struct fota_bytes) { bytes, len }, SUIT_KIND_ENVELOPE));
	}
}

static void commands_are_told_in_their_order(void **state)
{
	struct manifest *manifest = calloc(1, sizeof *manifest);
	char *text = NULL, *at;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	static const char *const wanted[] = { "the size in bytes is 34768", "this vendor", "this class",  "To install",
					      "http://example.com/",        "Fetches",     "this digest", "To check" };

	(void)state;
	assert_int_equal(manifest_init(manifest, NULL), TOOL_STATUS_OK);
	manifest_take(manifest, hex(example, manifest->bytes).len);
	assert_int_equal(manifest->form, FOTA_ERR_OK);
	suit_words_print(out, &manifest->suit);
	fclose(out);
	at = text;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		at = strstr(at, wanted[i]);
		if (!at) { fail_msg("'%s' is missing or in the wrong place in:\n%s", wanted[i], text); }
	}
	free(text);
	manifest_close(manifest);
	free(manifest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_printed_as_the_standard_says),
		cmocka_unit_test(what_is_not_one_deterministic_item_is_refused),
		cmocka_unit_test(strings_that_should_have_structure_and_have_not_are_bytes),
		cmocka_unit_test(depth_has_a_bound),
		cmocka_unit_test(every_changed_bit_is_printed_or_refused),
		cmocka_unit_test(each_cut_is_refused),
		cmocka_unit_test(commands_are_told_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
