/* SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

static uint64_t running;

static uint64_t mix(uint64_t sum, struct fota_bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		sum = (sum ^ bytes.ptr[i]) * UINT64_C(0x100000001b3);
	}
	return sum;
}

static void spread(uint64_t sum, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum = sum * UINT64_C(6364136223846793005) + 1442695040888963407u;
		out[i] = (uint8_t)(sum >> 56);
	}
}

static uint64_t mix_all(uint64_t sum, const struct fota_bytes *parts, size_t part_count)
{
	for (size_t i = 0; i < part_count; i++) {
		sum = mix(sum, parts[i]);
	}
	return sum;
}

static enum fota_err sum_mac(void *ctx, struct fota_bytes key, const struct fota_bytes *parts, size_t part_count,
			     uint8_t mac[32])
{
	(void)ctx;
	spread(mix_all(mix(1, key), parts, part_count), mac, 32);
	return FOTA_ERR_OK;
}

static enum fota_err sum_begin(void *ctx)
{
	(void)ctx;
	running = 2;
	return FOTA_ERR_OK;
}

static enum fota_err sum_update(void *ctx, struct fota_bytes bytes)
{
	(void)ctx;
	running = mix(running, bytes);
	return FOTA_ERR_OK;
}

static enum fota_err sum_finish(void *ctx, uint8_t digest[32])
{
	(void)ctx;
	spread(running, digest, 32);
	return FOTA_ERR_OK;
}

static enum fota_err sum_sha1(void *ctx, const struct fota_bytes *parts, size_t part_count, uint8_t digest[20])
{
	(void)ctx;
	spread(mix_all(3, parts, part_count), digest, 20);
	return FOTA_ERR_OK;
}

void sums_sign(const uint8_t key[64], const uint8_t hash[32], uint8_t signature[64])
{
	const struct fota_bytes parts[] = { { key, 64 }, { hash, 32 } };

	spread(mix_all(4, parts, 2), signature, 64);
}

static enum fota_err sum_verify(void *ctx, const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64])
{
	uint8_t wanted[64];

	(void)ctx;
	sums_sign(key, hash, wanted);
	return memcmp(wanted, signature, sizeof(wanted)) == 0 ? FOTA_ERR_OK : FOTA_ERR_AUTH;
}

struct fota_crypto sums_crypto(void)
{
	return (struct fota_crypto) { NULL, sum_mac, sum_begin, sum_update, sum_finish, sum_sha1, sum_verify };
}

void sums_digest(uint8_t (*byte)(unsigned which, uint64_t off), unsigned which, uint64_t len, uint8_t digest[32])
{
	uint64_t sum = 2;

	for (uint64_t i = 0; i < len; i++) {
		uint8_t c = byte(which, i);

		sum = mix(sum, (struct fota_bytes) { &c, 1 });
	}
	spread(sum, digest, 32);
}
