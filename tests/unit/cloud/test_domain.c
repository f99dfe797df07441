/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, over plain structs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain/check.h"
#include "domain/names.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(t)                                     \
	{                                           \
		(const uint8_t *)(t), sizeof(t) - 1 \
	}

static const struct fota_bytes from_v1[] = { TEXT("V0.9"), TEXT("V1") };

/* Ascending by name, as the store makes them. */
static const struct cloud_version versions[] = {
	{ .id = 1, .name = TEXT("V1"), .state = CLOUD_VERSION_DRAFT },
	{ .id = 2,
	  .name = TEXT("V2"),
	  .state = CLOUD_VERSION_PUBLISHED,
	  .deployment = 7,
	  .has_package = true,
	  .manifest = TEXT("m") },
	{ .id = 3,
	  .name = TEXT("V3"),
	  .state = CLOUD_VERSION_PUBLISHED,
	  .deployment = 8,
	  .has_package = true,
	  .manifest = TEXT("m"),
	  .from = from_v1,
	  .from_count = 2 },
	{ .id = 4, .name = TEXT("V4"), .state = CLOUD_VERSION_WITHDRAWN, .has_package = true, .manifest = TEXT("m") },
	{ .id = 5,
	  .name = TEXT("V5"),
	  .state = CLOUD_VERSION_PUBLISHED,
	  .deployment = 0,
	  .has_package = true,
	  .manifest = TEXT("m") },
	{ .id = 6, .name = TEXT("V6"), .state = CLOUD_VERSION_PUBLISHED, .deployment = 9, .has_package = true },
};

static const struct cloud_product products[] = {
	{ .id = TEXT("1540907004"),
	  .oem = TEXT("SIMCOM"),
	  .model = TEXT("7600M21"),
	  .versions = versions,
	  .version_count = COUNT(versions) },
	{ .id = TEXT("2"), .oem = TEXT("OTHER"), .model = TEXT("X") },
};

struct row {
	const char *what;
	const char *oem, *model, *version, *target;
	uint8_t encoding;
	enum fota_refusal result;
	int64_t version_id;
};

static const struct row rows[] = {
	{ "an offer", "SIMCOM", "7600M21", "V1", "V2", 0, FOTA_REFUSAL_UPDATE, 2 },
	{ "any source, even unknown, without from", "SIMCOM", "7600M21", "V0", "V2", 0, FOTA_REFUSAL_UPDATE, 2 },
	{ "a source of from", "SIMCOM", "7600M21", "V1", "V3", 0, FOTA_REFUSAL_UPDATE, 3 },
	{ "a source of from that is no version", "SIMCOM", "7600M21", "V0.9", "V3", 0, FOTA_REFUSAL_UPDATE, 3 },
	{ "a known source outside from", "SIMCOM", "7600M21", "V2", "V3", 0, FOTA_REFUSAL_NONE, 0 },
	{ "an unknown source outside from", "SIMCOM", "7600M21", "V0", "V3", 0, FOTA_REFUSAL_UNKNOWN_SOURCE, 0 },
	{ "it runs already", "SIMCOM", "7600M21", "V2", "V2", 0, FOTA_REFUSAL_NONE, 0 },
	{ "a draft", "SIMCOM", "7600M21", "V0", "V1", 0, FOTA_REFUSAL_NONE, 0 },
	{ "withdrawn", "SIMCOM", "7600M21", "V1", "V4", 0, FOTA_REFUSAL_NONE, 0 },
	{ "a closed deployment", "SIMCOM", "7600M21", "V1", "V5", 0, FOTA_REFUSAL_NONE, 0 },
	{ "unsigned, of before there were manifests", "SIMCOM", "7600M21", "V1", "V6", 0, FOTA_REFUSAL_NONE, 0 },
	{ "no such target", "SIMCOM", "7600M21", "V1", "V9", 0, FOTA_REFUSAL_NONE, 0 },
	{ "a prefix of a target", "SIMCOM", "7600M21", "V1", "V", 0, FOTA_REFUSAL_NONE, 0 },
	{ "no encoding in common", "SIMCOM", "7600M21", "V1", "V2", 9, FOTA_REFUSAL_NONE, 0 },
	{ "another OEM", "OTHER", "7600M21", "V1", "V2", 0, FOTA_REFUSAL_DEVICE_MISMATCH, 0 },
	{ "another model", "SIMCOM", "7600M2", "V1", "V2", 0, FOTA_REFUSAL_DEVICE_MISMATCH, 0 },
	{ "another model before anything else", "SIMCOM", "X", "V9", "V9", 0, FOTA_REFUSAL_DEVICE_MISMATCH, 0 },
};

static void decision_follows_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fota_check_request request = {
			.oem = fota_bytes_of(rows[i].oem),
			.model = fota_bytes_of(rows[i].model),
			.version = fota_bytes_of(rows[i].version),
			.target = fota_bytes_of(rows[i].target),
			.accept = { rows[i].encoding },
			.accept_count = 1,
		};
		struct cloud_decision decision = cloud_check_decide(&products[0], &request);

		print_message("%s\n", rows[i].what);
		assert_int_equal(decision.result, rows[i].result);
		assert_int_equal(decision.version ? decision.version->id : 0, rows[i].version_id);
	}
}

static void package_larger_than_the_slot_is_offered(void **state)
{
	struct cloud_version big = versions[1];
	struct cloud_product product = products[0];
	struct fota_check_request request = {
		.oem = product.oem,
		.model = product.model,
		.version = TEXT("V1"),
		.target = TEXT("V2"),
		.slot_bytes = 1,
		.accept_count = 1,
	};

	(void)state;
	big.size_bytes = 1000;
	product.versions = &big;
	product.version_count = 1;
	assert_int_equal(cloud_check_decide(&product, &request).result, FOTA_REFUSAL_UPDATE);
}

static void clock_is_skewed_beyond_300_seconds_on_both_sides(void **state)
{
	(void)state;
	assert_false(cloud_clock_is_skewed(1000000, 1000000));
	assert_false(cloud_clock_is_skewed(1000300, 1000000));
	assert_false(cloud_clock_is_skewed(1000000, 1000300));
	assert_true(cloud_clock_is_skewed(1000301, 1000000));
	assert_true(cloud_clock_is_skewed(1000000, 1000301));
	assert_true(cloud_clock_is_skewed(0, 1000000));
	assert_true(cloud_clock_is_skewed(UINT64_MAX, 1000000));
}

static void refusal_names_what_decoding_met(void **state)
{
	(void)state;
	assert_int_equal(cloud_refusal_of(FOTA_ERR_MISSING), FOTA_REFUSAL_MISSING_FIELD);
	assert_int_equal(cloud_refusal_of(FOTA_ERR_RANGE), FOTA_REFUSAL_BAD_PARAMETER);
	assert_int_equal(cloud_refusal_of(FOTA_ERR_FORMAT), FOTA_REFUSAL_BAD_PARAMETER);
	assert_int_equal(cloud_refusal_of(FOTA_ERR_IO), FOTA_REFUSAL_INTERNAL);
}

static void catalog_finds_what_is_there_and_nothing_else(void **state)
{
	static const uint8_t tokens[2][32] = { { 1 }, { 2 } };
	static const uint8_t other[32] = { 3 };
	const struct cloud_catalog catalog = { products, 2, tokens, 2 };
	const struct cloud_catalog empty = { 0 };

	(void)state;
	assert_ptr_equal(cloud_product_find(&catalog, fota_bytes_of("2")), &products[1]);
	assert_null(cloud_product_find(&catalog, fota_bytes_of("154090700")));
	assert_null(cloud_product_find(&catalog, fota_bytes_of("")));
	assert_null(cloud_product_find(&empty, fota_bytes_of("2")));
	assert_ptr_equal(cloud_version_find(&products[0], fota_bytes_of("V5")), &versions[4]);
	assert_null(cloud_version_find(&products[1], fota_bytes_of("V5")));
	assert_true(cloud_token_is_known(&catalog, tokens[1]));
	assert_false(cloud_token_is_known(&catalog, other));
	assert_false(cloud_token_is_known(&empty, other));
}

static void names_have_their_bounds(void **state)
{
	char text[200];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[64] = 0;
	assert_null(cloud_name_check(text));
	text[64] = 'a';
	text[65] = 0;
	assert_non_null(cloud_name_check(text));
	text[65] = 'a';
	text[128] = 0;
	assert_null(cloud_version_name_check(text));
	text[128] = 'a';
	text[129] = 0;
	assert_non_null(cloud_version_name_check(text));
	assert_non_null(cloud_name_check(""));
	assert_non_null(cloud_name_check("a\nb"));
	assert_non_null(cloud_name_check("a\177"));
	assert_null(cloud_name_check("M\xc3\xbcller GmbH"));
}

static void product_ids_and_secrets_are_those_of_the_command(void **state)
{
	(void)state;
	assert_null(cloud_product_id_check("1"));
	assert_null(cloud_product_id_check("12345678901234567890"));
	assert_non_null(cloud_product_id_check("123456789012345678901"));
	assert_non_null(cloud_product_id_check(""));
	assert_non_null(cloud_product_id_check("12a"));
	assert_null(cloud_secret_check("0123456789abcdef"));
	assert_non_null(cloud_secret_check("0123456789abcde"));
	assert_null(cloud_secret_check("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	assert_non_null(cloud_secret_check("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX"));
	assert_non_null(cloud_secret_check("0123456789 bcdef"));
	assert_non_null(cloud_secret_check("0123456789\"bcdef"));
	assert_non_null(cloud_secret_check("0123456789\xc3\xbc"
					   "bcdef"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decision_follows_the_table),
		cmocka_unit_test(package_larger_than_the_slot_is_offered),
		cmocka_unit_test(clock_is_skewed_beyond_300_seconds_on_both_sides),
		cmocka_unit_test(refusal_names_what_decoding_met),
		cmocka_unit_test(catalog_finds_what_is_there_and_nothing_else),
		cmocka_unit_test(names_have_their_bounds),
		cmocka_unit_test(product_ids_and_secrets_are_those_of_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
