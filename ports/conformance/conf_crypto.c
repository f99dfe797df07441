/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance.h"

bool conf_check(struct conf *conf, bool is_true, const char *rule, long long detail)
{
	conf->rule_count++;
	if (is_true) { return true; }
	conf->fail_count++;
	if (conf->fail) { conf->fail(conf->ctx, rule, detail); }
	return false;
}

#define BYTES(literal)                                          \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

static const uint8_t aa[131] = {
#define X10 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa
	X10, X10, X10, X10, X10, X10, X10, X10, X10, X10, X10, X10, X10, 0xaa
#undef X10
};

/* RFC 4231, 4.2 to 4.4, 4.7 and 4.8. */
static const struct {
	struct fota_bytes key, data;
	uint8_t mac[32];
} hmac_rows[] = {
	{ BYTES("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
	  BYTES("Hi There"),
	  { 0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b,
	    0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c, 0x2e, 0x32, 0xcf, 0xf7 } },
	{ BYTES("Jefe"),
	  BYTES("what do ya want for nothing?"),
	  { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
	    0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43 } },
	{ { aa, 20 },
	  BYTES("\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		"\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"),
	  { 0x77, 0x3e, 0xa9, 0x1e, 0x36, 0x80, 0x0e, 0x46, 0x85, 0x4d, 0xb8, 0xeb, 0xd0, 0x91, 0x81, 0xa7,
	    0x29, 0x59, 0x09, 0x8b, 0x3e, 0xf8, 0xc1, 0x22, 0xd9, 0x63, 0x55, 0x14, 0xce, 0xd5, 0x65, 0xfe } },
	{ { aa, 131 },
	  BYTES("Test Using Larger Than Block-Size Key - Hash Key First"),
	  { 0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f, 0x0d, 0x8a, 0x26, 0xaa, 0xcb, 0xf5, 0xb7, 0x7f,
	    0x8e, 0x0b, 0xc6, 0x21, 0x37, 0x28, 0xc5, 0x14, 0x05, 0x46, 0x04, 0x0f, 0x0e, 0xe3, 0x7f, 0x54 } },
	{ { aa, 131 },
	  BYTES("This is a test using a larger than block-size key and a larger than block-size data. The key needs "
		"to be hashed before being used by the HMAC algorithm."),
	  { 0x9b, 0x09, 0xff, 0xa7, 0x1b, 0x94, 0x2f, 0xcb, 0x27, 0x63, 0x5f, 0xbc, 0xd5, 0xb0, 0xe9, 0x44,
	    0xbf, 0xdc, 0x63, 0x64, 0x4f, 0x07, 0x13, 0x93, 0x8a, 0x7f, 0x51, 0x53, 0x5c, 0x3a, 0x35, 0xe2 } },
	/* no key, no data: not in the RFC */
	{ { NULL, 0 }, { NULL, 0 }, { 0xb6, 0x13, 0x67, 0x9a, 0x08, 0x14, 0xd9, 0xec, 0x77, 0x2f, 0x95,
				      0xd7, 0x78, 0xc3, 0x5f, 0xc5, 0xff, 0x16, 0x97, 0xc4, 0x93, 0x71,
				      0x56, 0x53, 0xc6, 0xc7, 0x12, 0x14, 0x42, 0x92, 0xc5, 0xad } },
};

/* FIPS 180-4, the examples of NIST. `repeat` times the data. */
static const struct {
	struct fota_bytes data;
	uint32_t repeat;
	uint8_t digest[32];
} sha_rows[] = {
	{ { NULL, 0 }, 1, { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
			    0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
			    0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55 } },
	{ BYTES("abc"), 1, { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
			     0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
			     0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad } },
	{ BYTES("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
	  1,
	  { 0x24, 0x8d, 0x6a, 0x61, 0xd2, 0x06, 0x38, 0xb8, 0xe5, 0xc0, 0x26, 0x93, 0x0c, 0x3e, 0x60, 0x39,
	    0xa3, 0x3c, 0xe4, 0x59, 0x64, 0xff, 0x21, 0x67, 0xf6, 0xec, 0xed, 0xd4, 0x19, 0xdb, 0x06, 0xc1 } },
	{ BYTES("aaaaaaaaaa"),
	  100000, /* a million times a */
	  { 0xcd, 0xc7, 0x6e, 0x5c, 0x99, 0x14, 0xfb, 0x92, 0x81, 0xa1, 0xc7, 0xe2, 0x84, 0xd7, 0x3e, 0x67,
	    0xf1, 0x80, 0x9a, 0x48, 0xa4, 0x97, 0x20, 0x0e, 0x04, 0x6d, 0x39, 0xcc, 0xc7, 0x11, 0x2c, 0xd0 } },
};

static void check_hmac(struct conf *conf, const struct fota_crypto *crypto, size_t row)
{
	const struct fota_bytes data = hmac_rows[row].data;

	for (size_t at = 0; at <= data.len; at++) {
		struct fota_bytes parts[3] = {
			{ data.len ? data.ptr : NULL, at },
			{ NULL, 0 },
			{ data.len ? data.ptr + at : NULL, data.len - at },
		};
		uint8_t mac[34] = { [32] = 0x5a, [33] = 0xa5 };
		enum fota_err err = crypto->hmac_sha256(crypto->ctx, hmac_rows[row].key, parts, 3, mac);

		conf_check(conf, err == FOTA_ERR_OK, "hmac_sha256 returns OK", err);
		conf_check(conf, memcmp(mac, hmac_rows[row].mac, 32) == 0,
			   "hmac_sha256 gives the known answer, in parts split anywhere", (long long)row);
		conf_check(conf, mac[32] == 0x5a && mac[33] == 0xa5, "hmac_sha256 writes 32 bytes", (long long)row);
	}
}

static void check_sha(struct conf *conf, const struct fota_crypto *crypto, size_t row, bool is_begun_twice)
{
	const struct fota_bytes data = sha_rows[row].data;
	uint8_t digest[34] = { [32] = 0x5a, [33] = 0xa5 };
	enum fota_err err = crypto->sha256_begin(crypto->ctx);

	if (!err && is_begun_twice) {
		err = crypto->sha256_update(crypto->ctx, (struct fota_bytes)BYTES("dropped"));
		if (!err) { err = crypto->sha256_begin(crypto->ctx); }
	}
	for (uint32_t i = 0; !err && i < sha_rows[row].repeat; i++) {
		err = crypto->sha256_update(crypto->ctx, data);
	}
	if (!err) { err = crypto->sha256_finish(crypto->ctx, digest); }
	conf_check(conf, err == FOTA_ERR_OK, "sha256 returns OK", err);
	conf_check(conf, memcmp(digest, sha_rows[row].digest, 32) == 0, "sha256 gives the known answer",
		   (long long)row);
	conf_check(conf, digest[32] == 0x5a && digest[33] == 0xa5, "sha256_finish writes 32 bytes", (long long)row);
}

/* A session seals a report while no image is hashed, but a platform's crypto must not
 * mix the two either way. */
static void check_apart(struct conf *conf, const struct fota_crypto *crypto)
{
	static const struct fota_bytes a = BYTES("a"), bc = BYTES("bc");
	uint8_t mac[32], digest[32];
	enum fota_err err = crypto->sha256_begin(crypto->ctx);

	if (!err) { err = crypto->sha256_update(crypto->ctx, a); }
	if (!err) { err = crypto->hmac_sha256(crypto->ctx, hmac_rows[1].key, &hmac_rows[1].data, 1, mac); }
	if (!err) { err = crypto->sha256_update(crypto->ctx, bc); }
	if (!err) { err = crypto->sha256_finish(crypto->ctx, digest); }
	conf_check(conf, !err && memcmp(mac, hmac_rows[1].mac, 32) == 0 && memcmp(digest, sha_rows[1].digest, 32) == 0,
		   "an HMAC does not disturb the SHA-256 that runs", err);
}

void conf_crypto(struct conf *conf, const struct fota_crypto *crypto)
{
	for (size_t i = 0; i < sizeof(hmac_rows) / sizeof(hmac_rows[0]); i++) {
		check_hmac(conf, crypto, i);
	}
	for (size_t i = 0; i < sizeof(sha_rows) / sizeof(sha_rows[0]); i++) {
		check_sha(conf, crypto, i, false);
		check_sha(conf, crypto, i, true);
	}
	check_apart(conf, crypto);
}
