/* SPDX-License-Identifier: Apache-2.0 */
/* Links to packages: good until their expiry, and not otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "device_api/link.h"
#include "posix_crypto.h"

#include <stdio.h>

static struct posix_crypto engine;
static const uint8_t key_bytes[32] = { 1, 2, 3 };
static const struct fota_bytes key = { key_bytes, sizeof(key_bytes) };
static const uint8_t digest[CLOUD_DIGEST_BYTES] = { 0xab, 0xcd };

/* The parts of a link as a client sends them back. */
struct parts {
	char expiry[24];
	char mac[40];
};

static void make(struct parts *parts, uint64_t expiry_s)
{
	struct fota_crypto crypto = posix_crypto_port(&engine);
	char link[256];

	assert_int_equal(cloud_link_put(&crypto, key, "", digest, expiry_s, link, sizeof(link)), FOTA_ERR_OK);
	assert_int_equal(strncmp(link, "/device/v1/package/abcd000000", 29), 0);
	assert_int_equal(sscanf(strchr(link, '?'), "?e=%23[0-9]&m=%39[0-9a-f]", parts->expiry, parts->mac), 2);
}

static enum fota_err verify(struct fota_bytes with, const uint8_t *what, const struct parts *parts, uint64_t now_s)
{
	struct fota_crypto crypto = posix_crypto_port(&engine);

	return cloud_link_verify(&crypto, with, what, parts->expiry, parts->mac, now_s);
}

static void link_is_good_until_its_expiry(void **state)
{
	struct parts parts;

	(void)state;
	make(&parts, 5000);
	assert_string_equal(parts.expiry, "5000");
	assert_int_equal(verify(key, digest, &parts, 0), FOTA_ERR_OK);
	assert_int_equal(verify(key, digest, &parts, 5000), FOTA_ERR_OK);
	assert_int_equal(verify(key, digest, &parts, 5001), FOTA_ERR_AUTH);
}

static void changed_link_is_refused(void **state)
{
	static const uint8_t other[CLOUD_DIGEST_BYTES] = { 0xab };
	static const uint8_t other_key[32] = { 1, 2, 4 };
	struct parts parts, changed;

	(void)state;
	make(&parts, 5000);
	changed = parts;
	changed.expiry[0] = '9';
	assert_int_equal(verify(key, digest, &changed, 0), FOTA_ERR_AUTH);
	for (size_t i = 0; parts.mac[i]; i++) {
		changed = parts;
		changed.mac[i] = parts.mac[i] == '0' ? '1' : '0';
		assert_int_equal(verify(key, digest, &changed, 0), FOTA_ERR_AUTH);
		changed.mac[i] = 0;
		assert_int_equal(verify(key, digest, &changed, 0), FOTA_ERR_AUTH);
	}
	assert_int_equal(verify(key, other, &parts, 0), FOTA_ERR_AUTH);
	assert_int_equal(verify((struct fota_bytes) { other_key, 32 }, digest, &parts, 0), FOTA_ERR_AUTH);
}

static void link_without_its_parts_is_refused(void **state)
{
	struct fota_crypto crypto = posix_crypto_port(&engine);
	struct parts parts;

	(void)state;
	make(&parts, 5000);
	assert_int_equal(cloud_link_verify(&crypto, key, digest, NULL, parts.mac, 0), FOTA_ERR_AUTH);
	assert_int_equal(cloud_link_verify(&crypto, key, digest, parts.expiry, NULL, 0), FOTA_ERR_AUTH);
	assert_int_equal(cloud_link_verify(&crypto, key, digest, "5000x", parts.mac, 0), FOTA_ERR_AUTH);
}

static void expiry_is_the_same_for_a_while_and_never_too_early(void **state)
{
	unsigned change_count = 0;

	(void)state;
	for (uint64_t now_s = 1000000; now_s < 1000000 + 7200; now_s++) {
		uint64_t expiry_s = cloud_link_expiry(now_s, 86400);

		assert_true(expiry_s >= now_s + 86400 && expiry_s < now_s + 86400 + 3600);
		change_count += expiry_s != cloud_link_expiry(now_s - 1, 86400);
	}
	assert_int_equal(change_count, 2);
	assert_int_equal(cloud_link_expiry(1000, 1), 1001);
}

static void link_that_does_not_fit_is_no_link(void **state)
{
	struct fota_crypto crypto = posix_crypto_port(&engine);
	char link[64];

	(void)state;
	assert_int_equal(cloud_link_put(&crypto, key, "https://cdn.example", digest, 1, link, sizeof(link)),
			 FOTA_ERR_RANGE);
}

static int open_engine(void **state)
{
	(void)state;
	return posix_crypto_init(&engine) == FOTA_ERR_OK ? 0 : -1;
}

static int close_engine(void **state)
{
	(void)state;
	posix_crypto_close(&engine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_is_good_until_its_expiry),
		cmocka_unit_test(changed_link_is_refused),
		cmocka_unit_test(link_without_its_parts_is_refused),
		cmocka_unit_test(expiry_is_the_same_for_a_while_and_never_too_early),
		cmocka_unit_test(link_that_does_not_fit_is_no_link),
	};

	return cmocka_run_group_tests(tests, open_engine, close_engine);
}
