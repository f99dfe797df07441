/* SPDX-License-Identifier: Apache-2.0 */
/* Whole envelopes: from building to planning, every bit turned, cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fota/device_api.h"
#include "rig.h"

static struct rig rig;

/* get, verify and plan in a row, of bytes on the heap. */
static enum fota_err install(struct fota_bytes envelope, struct fota_suit_plan *plan)
{
	uint8_t *copy = malloc(envelope.len ? envelope.len : 1);
	struct fota_suit suit;
	enum fota_err err;

	memcpy(copy, envelope.ptr, envelope.len);
	err = fota_suit_get((struct fota_bytes) { copy, envelope.len }, &rig.crypto, &suit);
	if (!err) { err = fota_suit_verify(&suit, &rig.crypto, &rig.key, 1, NULL); }
	if (!err) { err = fota_suit_plan(&suit, &rig.device, plan); }
	free(copy);
	return err;
}

static struct fota_bytes ours(uint8_t manifest_room[RIG_ROOM])
{
	return rig_seal(&rig, rig_built(&rig, 7, (struct fota_room) { manifest_room, RIG_ROOM }));
}

/* Nothing of an envelope with one signature may change, be it signed or not: the key
 * identifier and the forms around the signature are not, but a block of another form is
 * none of ours, and one with another identifier is another key's. */
static void every_flipped_bit_is_found(void **state)
{
	uint8_t manifest_room[RIG_ROOM], flipped[RIG_ROOM];
	struct fota_bytes envelope = ours(manifest_room);
	struct fota_suit_plan plan;
	unsigned by_get = 0, by_verify = 0;

	(void)state;
	assert_int_equal(install(envelope, &plan), FOTA_ERR_OK);
	memcpy(flipped, envelope.ptr, envelope.len);
	for (size_t bit = 0; bit < 8 * envelope.len; bit++) {
		enum fota_err err;

		flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err = install((struct fota_bytes) { flipped, envelope.len }, &plan);
		flipped[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (err == FOTA_ERR_OK) { fail_msg("bit %zu of byte %zu", bit % 8, bit / 8); }
		if (err == FOTA_ERR_AUTH) {
			by_verify++;
		} else {
			by_get++;
		}
	}
	/* the block: tag, lists, header, kid and signature; and less of it where lengths change */
	assert_true(by_verify >= 8 * (64 + 8));
	assert_true(by_get >= 8 * (envelope.len - 100));
}

static void every_cut_is_found(void **state)
{
	uint8_t manifest_room[RIG_ROOM];
	struct fota_bytes envelope = ours(manifest_room);
	struct fota_suit_plan plan;

	(void)state;
	for (size_t len = 0; len < envelope.len; len++) {
		assert_int_equal(install((struct fota_bytes) { envelope.ptr, len }, &plan), FOTA_ERR_FORMAT);
	}
}

/* Each byte set to each value: nothing is read outside, and only the right one is OK. */
static void no_byte_may_be_another(void **state)
{
	uint8_t manifest_room[RIG_ROOM], changed[RIG_ROOM];
	struct fota_bytes envelope = ours(manifest_room);

	(void)state;
	memcpy(changed, envelope.ptr, envelope.len);
	for (size_t at = 0; at < envelope.len; at++) {
		for (unsigned value = 0; value < 256; value++) {
			struct fota_suit suit;
			enum fota_err err;

			changed[at] = (uint8_t)value;
			err = fota_suit_get((struct fota_bytes) { changed, envelope.len }, &rig.crypto, &suit);
			if (err || value == envelope.ptr[at]) { continue; }
			/* it passed what needs no key: the change is in the block */
			assert_true(changed + at >= suit.blocks.ptr &&
				    changed + at < suit.blocks.ptr + suit.blocks.len);
		}
		changed[at] = envelope.ptr[at];
	}
}

static void what_is_built_is_what_is_planned(void **state)
{
	static const char longest_name[] = "0123456789012345678901234567890123456789012345678901234567890123";
	static const struct {
		const char *oem, *model, *version, *uri;
		uint64_t number, size;
	} rows[] = {
		{ "ACME", "M1", "V2.0", "", 0, 0 },
		{ "ACME", "M1", "V2.0", "https://fw.example/m1.bin", 1, 34768 },
		{ "A", "B", "C", "", UINT64_MAX, UINT64_MAX },
		{ "\xc3\x84rger & S\xc3\xb6hne", "\xe2\x82\xac", "1.0-\xf0\x9f\x9a\x80", "", 23, 65535 },
		{ longest_name, longest_name, longest_name, longest_name, 24, 65536 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_suit_build build = {
			.sequence_number = rows[i].number,
			.oem = fota_bytes_of(rows[i].oem),
			.model = fota_bytes_of(rows[i].model),
			.version = fota_bytes_of(rows[i].version),
			.uri = fota_bytes_of(rows[i].uri),
			.size_bytes = rows[i].size,
			.digest = { 1, 2, 3 },
		};
		uint8_t room[FOTA_SUIT_ENVELOPE_MAX_BYTES];
		struct fota_bytes manifest, envelope;
		struct fota_suit suit;
		struct fota_suit_device device;
		struct fota_suit_plan plan;

		assert_int_equal(
			fota_suit_build(&build, &rig.crypto, (struct fota_room) { room, sizeof(room) }, &manifest),
			FOTA_ERR_OK);
		envelope = rig_seal(&rig, manifest);
		assert_int_equal(fota_suit_get(envelope, &rig.crypto, &suit), FOTA_ERR_OK);
		assert_int_equal(fota_suit_verify(&suit, &rig.crypto, &rig.key, 1, NULL), FOTA_ERR_OK);
		assert_int_equal(
			fota_uuid_of_names(&rig.crypto, build.oem, build.model, device.vendor, device.class_id),
			FOTA_ERR_OK);
		assert_int_equal(fota_suit_plan(&suit, &device, &plan), FOTA_ERR_OK);
		assert_true(suit.sequence_number == build.sequence_number && plan.size_bytes == build.size_bytes);
		assert_true(fota_bytes_is_equal(suit.text.vendor_name, build.oem));
		assert_true(fota_bytes_is_equal(suit.text.model_name, build.model));
		assert_true(fota_bytes_is_equal(suit.text.version, build.version));
		assert_true(fota_bytes_is_equal(plan.uri, build.uri));
		assert_memory_equal(plan.digest, build.digest, sizeof(plan.digest));
		assert_true(plan.has_vendor && plan.has_class && plan.has_digest && plan.has_size && plan.is_fetched);
	}
}

static void names_out_of_range_are_not_built(void **state)
{
	static const char too_long[] = "01234567890123456789012345678901234567890123456789012345678901234";
	static const struct {
		const char *oem, *model, *version, *uri;
	} rows[] = {
		{ "", "M", "V", "" },         { "O", "", "V", "" },
		{ "O", "M", "", "" },         { too_long, "M", "V", "" },
		{ "O", too_long, "V", "" },   { "\xff", "M", "V", "" },
		{ "O", "\xc0\x80", "V", "" }, { "O", "M", "\xed\xa0\x80", "" },
		{ "O", "M", "V", "\x80" },
	};
	uint8_t room[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	struct fota_bytes manifest;
	char version[FOTA_VERSION_MAX_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_suit_build build = { .oem = fota_bytes_of(rows[i].oem),
						 .model = fota_bytes_of(rows[i].model),
						 .version = fota_bytes_of(rows[i].version),
						 .uri = fota_bytes_of(rows[i].uri) };

		assert_int_equal(
			fota_suit_build(&build, &rig.crypto, (struct fota_room) { room, sizeof(room) }, &manifest),
			FOTA_ERR_RANGE);
		assert_int_equal(manifest.len, 0);
	}
	memset(version, 'v', sizeof(version));
	for (size_t len = FOTA_VERSION_MAX_BYTES; len <= FOTA_VERSION_MAX_BYTES + 1; len++) {
		struct fota_suit_build build = { .oem = fota_bytes_of("O"),
						 .model = fota_bytes_of("M"),
						 .version = { (const uint8_t *)version, len } };

		assert_int_equal(
			fota_suit_build(&build, &rig.crypto, (struct fota_room) { room, sizeof(room) }, &manifest),
			len == FOTA_VERSION_MAX_BYTES ? FOTA_ERR_OK : FOTA_ERR_RANGE);
	}
}

static void a_manifest_fits_or_is_not_built(void **state)
{
	uint8_t room[RIG_ROOM], small[RIG_ROOM];
	struct fota_bytes whole = rig_built(&rig, 7, (struct fota_room) { room, sizeof(room) }), manifest;
	struct fota_suit_build build = { .sequence_number = 7,
					 .oem = fota_bytes_of("ACME"),
					 .model = fota_bytes_of("M1"),
					 .version = fota_bytes_of("V2.0"),
					 .size_bytes = 34768 };

	(void)state;
	for (size_t cap = 0; cap < whole.len; cap++) {
		uint8_t *heap = malloc(cap ? cap : 1);

		assert_int_equal(fota_suit_build(&build, &rig.crypto, (struct fota_room) { heap, cap }, &manifest),
				 FOTA_ERR_FULL);
		free(heap);
	}
	assert_int_equal(fota_suit_build(&build, &rig.crypto, (struct fota_room) { small, whole.len }, &manifest),
			 FOTA_ERR_OK);
}

/* RFC 9562 has no example for two steps: these are Python's uuid5 of the same names. */
static void identifiers_are_those_of_the_names(void **state)
{
	static const char *const rows[][4] = {
		{ "ACME", "M1", "c33568f55e385d2dbef13de28af5a900", "136604c70c7654fc9700e34f437bf981" },
		{ "arm.com", "foobar", "fa6b4a53d5ad5fdfbe9de663e4d41ffe", NULL },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t vendor[16], class_id[16], wanted[16];

		assert_int_equal(fota_uuid_of_names(&rig.crypto, fota_bytes_of(rows[i][0]), fota_bytes_of(rows[i][1]),
						    vendor, class_id),
				 FOTA_ERR_OK);
		(void)rig_notation(rows[i][2], (struct fota_room) { wanted, sizeof(wanted) });
		assert_memory_equal(vendor, wanted, 16);
		if (!rows[i][3]) { continue; }
		(void)rig_notation(rows[i][3], (struct fota_room) { wanted, sizeof(wanted) });
		assert_memory_equal(class_id, wanted, 16);
	}
}

static void a_key_is_named_by_the_digest_of_its_point(void **state)
{
	char digits[65], point[2 * 65 + 1] = "04";
	uint8_t wanted[32];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		(void)snprintf(point + 2 + 2 * i, 3, "%02x", rig.key.point[i]);
	}
	rig_digest(&rig, point, digits);
	(void)rig_notation(digits, (struct fota_room) { wanted, sizeof(wanted) });
	assert_memory_equal(rig.key.kid, wanted, FOTA_SUIT_KID_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flipped_bit_is_found),
		cmocka_unit_test(every_cut_is_found),
		cmocka_unit_test(no_byte_may_be_another),
		cmocka_unit_test(what_is_built_is_what_is_planned),
		cmocka_unit_test(names_out_of_range_are_not_built),
		cmocka_unit_test(a_manifest_fits_or_is_not_built),
		cmocka_unit_test(identifiers_are_those_of_the_names),
		cmocka_unit_test(a_key_is_named_by_the_digest_of_its_point),
	};
	int failed;

	rig_open(&rig);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rig_close(&rig);
	return failed;
}
