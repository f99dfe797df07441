/* SPDX-License-Identifier: Apache-2.0 */
/* Who is believed, and that the others cannot be told apart by the work they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "device_api/message.h"

/* A crypto port that counts what it is asked, over the real one. */
struct counting {
	struct posix_crypto engine;
	unsigned call_count;
	size_t byte_count;
	size_t key_bytes;
};

static enum fota_err count_hmac(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
				uint8_t mac[32])
{
	struct counting *counting = ctx;
	struct fota_crypto real = posix_crypto_port(&counting->engine);

	counting->call_count++;
	counting->key_bytes = key.len;
	for (size_t i = 0; i < part_count; i++) {
		counting->byte_count += parts[i].len;
	}
	return real.hmac_sha256(real.ctx, key, parts, part_count, mac);
}

static const char secret[] = "f9bbb0d76f894da090b6b69253616561";
static const char other[] = "0123456789abcdef0123456789abcdef";
static const char nobody[] = "00000000000000000000000000000000";

static struct counting counting;
static struct fota_crypto crypto;
static uint8_t room[256];

static int start(void **state)
{
	(void)state;
	counting = (struct counting) { 0 };
	crypto = (struct fota_crypto) { .ctx = &counting, .hmac_sha256 = count_hmac };
	return posix_crypto_init(&counting.engine) == FOTA_ERR_OK ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	posix_crypto_close(&counting.engine);
	return 0;
}

/* A message with any payload, taken apart; the counters begin anew. */
static struct fota_mac0 sealed_with(const char *key)
{
	uint8_t tag[FOTA_MAC_BYTES];
	struct fota_bytes message;
	struct fota_mac0 mac0;

	assert_int_equal(fota_mac0_put(&crypto, fota_bytes_of(key), fota_bytes_of("1540907004"),
				       (struct fota_bytes) { 0 }, fota_bytes_of("payload"),
				       (struct fota_room) { room, sizeof(room) }, &message, tag),
			 FOTA_ERR_OK);
	assert_int_equal(fota_mac0_get(message, &mac0), FOTA_ERR_OK);
	counting.call_count = 0;
	counting.byte_count = 0;
	return mac0;
}

static struct cloud_product product_with(const char *key)
{
	return (struct cloud_product) { .secret = fota_bytes_of(key) };
}

static void message_of_the_secret_is_authentic(void **state)
{
	struct cloud_product product = product_with(secret);
	struct fota_mac0 mac0 = sealed_with(secret);

	(void)state;
	assert_true(cloud_message_is_authentic(&mac0, &product, &crypto));
}

static void message_of_another_secret_is_not(void **state)
{
	struct cloud_product product = product_with(secret);
	struct fota_mac0 mac0 = sealed_with(other);

	(void)state;
	assert_false(cloud_message_is_authentic(&mac0, &product, &crypto));
}

static void nothing_makes_an_unknown_product_authentic(void **state)
{
	const char *keys[] = { secret, other, nobody };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fota_mac0 mac0 = sealed_with(keys[i]);

		assert_false(cloud_message_is_authentic(&mac0, NULL, &crypto));
	}
}

static void unknown_product_makes_the_work_of_a_wrong_secret(void **state)
{
	struct cloud_product product = product_with(secret);
	struct fota_mac0 mac0 = sealed_with(other);
	struct counting wrong;

	(void)state;
	assert_false(cloud_message_is_authentic(&mac0, &product, &crypto));
	wrong = counting;
	assert_int_equal(wrong.call_count, 1);
	mac0 = sealed_with(other);
	assert_false(cloud_message_is_authentic(&mac0, NULL, &crypto));
	assert_int_equal(counting.call_count, wrong.call_count);
	assert_int_equal(counting.byte_count, wrong.byte_count);
	assert_int_equal(counting.key_bytes, wrong.key_bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(message_of_the_secret_is_authentic),
		TEST(message_of_another_secret_is_not),
		TEST(nothing_makes_an_unknown_product_authentic),
		TEST(unknown_product_makes_the_work_of_a_wrong_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
