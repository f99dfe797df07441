/* SPDX-License-Identifier: Apache-2.0 */
/* What the platform reads of a GET for a package: the range and the link's parts. The input is five lines: range,
 * If-Range, digest in hex, expiry, MAC. */
#include "fuzz.h"

#include "device_api/link.h"
#include "device_api/range.h"
#include "posix_crypto.h"

#include <strings.h>

#define REQUIRE(is_true) fuzz_require((is_true), #is_true)
#define FIELD_COUNT      5
#define ETAG             "\"tag\""

static const uint64_t sizes[] = { 0, 1, 1000, UINT64_MAX };

/* A range lies inside the package, whatever was asked for. */
static void check_range(const char *range, const char *if_range)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct cloud_range got = cloud_range_get(range, if_range, ETAG, sizes[i]);

		if (got.kind == CLOUD_RANGE_UNSATISFIED) { continue; }
		REQUIRE(got.start <= sizes[i] && got.len <= sizes[i] - got.start);
		REQUIRE(got.kind != CLOUD_RANGE_PART || got.len > 0);
		REQUIRE(got.kind != CLOUD_RANGE_WHOLE || got.len == sizes[i]);
	}
	REQUIRE(cloud_range_get(range, "\"other\"", ETAG, 10).kind == CLOUD_RANGE_WHOLE);
}

/* Nobody has a link of this key. */
static void check_link(const char *hex, const char *expiry, const char *mac)
{
	static const uint8_t key[32] = { 7 };
	uint8_t digest[CLOUD_DIGEST_BYTES];
	char back[CLOUD_DIGEST_HEX_CAP];
	struct posix_crypto engine;
	struct fota_crypto crypto;

	if (!cloud_hex_get(hex, digest, sizeof(digest))) { return; }
	cloud_hex_put(digest, sizeof(digest), back);
	REQUIRE(strcasecmp(back, hex) == 0);
	REQUIRE(posix_crypto_init(&engine) == FOTA_ERR_OK);
	crypto = posix_crypto_port(&engine);
	REQUIRE(cloud_link_verify(&crypto, (struct fota_bytes) { key, sizeof(key) }, digest, expiry, mac, 0) ==
		FOTA_ERR_AUTH);
	posix_crypto_close(&engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	char *fields[FIELD_COUNT];
	char *rest = text;
	uint8_t bytes[CLOUD_DIGEST_BYTES];

	if (!text) { return 0; }
	if (len) { memcpy(text, data, len); }
	text[len] = 0;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		fields[i] = rest ? strsep(&rest, "\n") : text + len;
	}
	check_range(fields[0], NULL);
	check_range(fields[0], fields[1]);
	check_link(fields[2], fields[3], fields[4]);
	(void)!cloud_base64_get(fields[0], strlen(fields[0]), bytes, sizeof(bytes));
	free(text);
	return 0;
}
