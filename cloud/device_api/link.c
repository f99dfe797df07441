/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC is HMAC-SHA-256 over a label, the digest and the expiry (big-endian), cut to 16 bytes. */
#include "device_api/link.h"

#include <stdio.h>

#define MAC_BYTES 16u
#define MAC_HEX   (2 * MAC_BYTES + 1)

uint64_t cloud_link_expiry(uint64_t now_s, uint64_t lifetime_s)
{
	uint64_t step_s = lifetime_s / 24 ? lifetime_s / 24 : 1;

	return (now_s + lifetime_s + step_s - 1) / step_s * step_s;
}

static enum fota_err make_mac(const struct fota_crypto *crypto, struct fota_bytes key,
			      const uint8_t digest[CLOUD_DIGEST_BYTES], uint64_t expiry_s, char hex[MAC_HEX])
{
	uint8_t expiry[8];
	uint8_t mac[32];
	const struct fota_bytes parts[] = {
		fota_bytes_of("atfota package link"),
		{ digest, CLOUD_DIGEST_BYTES },
		{ expiry, sizeof(expiry) },
	};
	enum fota_err err;

	for (size_t i = 0; i < sizeof(expiry); i++) {
		expiry[i] = (uint8_t)(expiry_s >> (56 - 8 * i));
	}
	err = crypto->hmac_sha256(crypto->ctx, key, parts, sizeof(parts) / sizeof(parts[0]), mac);
	if (err == FOTA_ERR_OK) { cloud_hex_put(mac, MAC_BYTES, hex); }
	return err;
}

enum fota_err cloud_link_put(const struct fota_crypto *crypto, struct fota_bytes key, const char *prefix,
			     const uint8_t digest[CLOUD_DIGEST_BYTES], uint64_t expiry_s, char *link, size_t cap)
{
	char digest_hex[CLOUD_DIGEST_HEX_CAP];
	char mac_hex[MAC_HEX];
	enum fota_err err = make_mac(crypto, key, digest, expiry_s, mac_hex);
	int len;

	if (err != FOTA_ERR_OK) { return err; }
	cloud_hex_put(digest, CLOUD_DIGEST_BYTES, digest_hex);
	len = snprintf(link, cap, "%s" CLOUD_PACKAGE_PATH "%s?e=%llu&m=%s", prefix, digest_hex,
		       (unsigned long long)expiry_s, mac_hex);
	return len < 0 || (size_t)len >= cap ? FOTA_ERR_RANGE : FOTA_ERR_OK;
}

enum fota_err cloud_link_verify(const struct fota_crypto *crypto, struct fota_bytes key,
				const uint8_t digest[CLOUD_DIGEST_BYTES], const char *expiry, const char *mac,
				uint64_t now_s)
{
	char expected[MAC_HEX];
	uint64_t expiry_s;
	enum fota_err err;

	if (!expiry || !mac || !cloud_number_get(expiry, UINT64_MAX, &expiry_s)) { return FOTA_ERR_AUTH; }
	err = make_mac(crypto, key, digest, expiry_s, expected);
	if (err != FOTA_ERR_OK) { return err; }
	if (!fota_bytes_is_same_secret(fota_bytes_of(mac), fota_bytes_of(expected))) { return FOTA_ERR_AUTH; }
	return now_s > expiry_s ? FOTA_ERR_AUTH : FOTA_ERR_OK;
}
