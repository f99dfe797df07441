/* SPDX-License-Identifier: Apache-2.0 */
/* Envelope, wrapper, manifest and text: what is taken, and every other form that is
 * refused before anything is believed. Also the limits, at them and beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;

#define OK     FOTA_ERR_OK
#define CANNOT FOTA_ERR_UNSUPPORTED
#define FORM   FOTA_ERR_FORMAT

static enum fota_err get(struct fota_bytes envelope, struct fota_suit *suit)
{
	uint8_t *copy = malloc(envelope.len ? envelope.len : 1); /* so that a step outside is seen */
	static const struct fota_suit empty;
	enum fota_err err;

	memcpy(copy, envelope.ptr, envelope.len);
	memset(suit, 0xff, sizeof(*suit));
	err = fota_suit_get((struct fota_bytes) { copy, envelope.len }, &rig.crypto, suit);
	free(copy);
	if (err) {
		assert_true(suit->sequence_number == empty.sequence_number && suit->block_count == 0);
		assert_int_equal(suit->digest.len, 0);
	}
	return err;
}

static void expect(const char *name, struct fota_bytes envelope, enum fota_err wanted)
{
	struct fota_suit suit;
	enum fota_err err = get(envelope, &suit);

	if (err != wanted) { fail_msg("%s: %d, not %d", name, err, wanted); }
}

#define COMPONENTS(x) "a3" HEAD "03<a1 02" x ">"
#define TEXTS(x)      "a5" HEAD COMMON INSTALL "17<" x ">"

static void manifests_have_one_form(void **state)
{
	static const struct {
		const char *name, *manifest;
		enum fota_err err;
	} rows[] = {
		{ "plain", PLAIN, OK },
		{ "nothing but what must be there", "a3" HEAD COMMON, OK },
		{ "reference", "a4" HEAD COMMON "0463\"a/b\"", OK },
		{ "all members", "a9" HEAD COMMON VALIDATE "08<82 0c00>09<82 1702>10<82 0c00>" INSTALL TEXT, OK },
		{ "version 2", "a3 0102 0207" COMMON, CANNOT },
		{ "version 0", "a3 0100 0207" COMMON, CANNOT },
		{ "version as text", "a3 016131 0207" COMMON, FORM },
		{ "no version", "a2 0207" COMMON, FORM },
		{ "no sequence number", "a2 0101" COMMON, FORM },
		{ "sequence number -1", "a3 0101 0220" COMMON, FORM },
		{ "largest sequence number", "a3 0101 021bffffffffffffffff" COMMON, OK },
		{ "no common", "a2" HEAD, FORM },
		{ "empty map", "a0", FORM },
		{ "common as a map", "a3" HEAD "03 a1 0281814100", FORM },
		{ "empty common", "a3" HEAD "03<>", FORM },
		{ "common without components", "a3" HEAD "03<a0>", FORM },
		{ "common with dependencies", "a3" HEAD "03<a2 01 a0 0281814100>", CANNOT },
		{ "more behind common", "a3" HEAD "03<a1 0281814100 00>", FORM },
		{ "shared sequence as a list", "a3" HEAD "03<a2 0281814100 04820c00>", FORM },
		{ "no component", COMPONENTS("80"), CANNOT },
		{ "two components", COMPONENTS("828141008141 01"), CANNOT },
		{ "another component", COMPONENTS("81814101"), CANNOT },
		{ "a component of two parts", COMPONENTS("818241004100"), CANNOT },
		{ "a component that is a string", COMPONENTS("814100"), CANNOT },
		{ "components that are no list", COMPONENTS("<00>"), FORM },
		{ "reference as bytes", "a4" HEAD COMMON "04<00>", FORM },
		{ "member 0", "a4 0000" HEAD COMMON, CANNOT },
		{ "member 5", "a4" HEAD COMMON "05<00>", CANNOT },
		{ "member 13", "a4" HEAD COMMON "0d<00>", CANNOT },
		{ "member 15, dependencies", "a4" HEAD COMMON "0f<82 0c00>", CANNOT },
		{ "member 17, the old install", "a4" HEAD COMMON "11<84 1502 030f>", CANNOT },
		{ "member 18", "a4" HEAD COMMON "12<82 0c00>", CANNOT },
		{ "member 24, uninstall", "a4" HEAD COMMON "1818<82 0c00>", CANNOT },
		{ "member -1", "a4" HEAD COMMON "20<00>", CANNOT },
		{ "member that is a text", "a4" HEAD COMMON "6161<00>", CANNOT },
		{ "member twice", "a4" HEAD COMMON VALIDATE VALIDATE, FORM },
		{ "members out of order", "a5" HEAD COMMON INSTALL VALIDATE, FORM },
		{ "long number", "a3 180101 0207" COMMON, FORM },
		{ "endless map", "bf" HEAD COMMON "ff", FORM },
		{ "more behind the manifest", "a3" HEAD COMMON "00", FORM },
		{ "a list", "86" HEAD COMMON, FORM },
		{ "validate severed", "a4" HEAD COMMON "07822f<" D0 ">", FORM },
		{ "load severed", "a4" HEAD COMMON "08822f<" D0 ">", FORM },
		{ "invoke severed", "a4" HEAD COMMON "09822f<" D0 ">", FORM },
		{ "validate empty", "a4" HEAD COMMON "07<>", FORM },
		{ "install empty", "a4" HEAD COMMON "14<>", FORM },
		{ "install as nil", "a4" HEAD COMMON "14f6", FORM },
		{ "install as a list", "a4" HEAD COMMON "14841502030f", FORM },
		{ "install severed by another algorithm", "a4" HEAD COMMON "1482382b<" D0 D0 ">", FORM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect(rows[i].name, rig_envelope(&rig, rows[i].manifest), rows[i].err);
	}
}

static void texts_are_of_the_component_in_the_first_language_that_has_them(void **state)
{
	static const struct {
		const char *name, *manifest;
		enum fota_err err;
		const char *version;
	} rows[] = {
		{ "ours", PLAIN, OK, "V2.0" },
		{ "no text", "a4" HEAD COMMON INSTALL, OK, "" },
		{ "no version", TEXTS("a1 62\"en\" a1 814100 a101 61\"A\""), OK, "" },
		{ "two languages", TEXTS("a2 62\"de\" a1 814100 a106 61\"D\" 62\"en\" a1 814100 a106 61\"E\""), OK,
		  "D" },
		{ "the second says it", TEXTS("a2 62\"de\" a1 01 61\"x\" 62\"en\" a1 814100 a106 61\"E\""), OK, "E" },
		{ "the first says something else",
		  TEXTS("a2 62\"de\" a1 814100 a101 61\"A\" 62\"en\" a1 814100 a106 61\"E\""), OK, "E" },
		{ "the first says nothing in it", TEXTS("a2 62\"de\" a1 814100 a10660 62\"en\" a1 814100 a106 61\"E\""),
		  OK, "E" },
		{ "all of the standard",
		  TEXTS("a1 62\"en\" a5 0161\"a\" 0261\"b\" 0361\"c\" 0461\"d\" 814100 a6 0161\"A\" 0261\"B\" 0361\"C\" "
			"0461\"D\" 0561\"E\" 0661\"F\""),
		  OK, "F" },
		{ "own numbers", TEXTS("a1 62\"en\" a2 814100 a2 0661\"F\" 39012b61\"x\" 39012b61\"y\""), FORM, NULL },
		{ "own numbers in order", TEXTS("a1 62\"en\" a2 39012b61\"y\" 814100 a2 0661\"F\" 39012b61\"x\""), OK,
		  "F" },
		{ "no language", TEXTS("a0"), FORM, NULL },
		{ "empty", TEXTS(""), FORM, NULL },
		{ "language as a number", TEXTS("a101 a1 814100 a106 61\"E\""), FORM, NULL },
		{ "texts without language", TEXTS("a2 0161\"a\" 814100 a106 61\"E\""), FORM, NULL },
		{ "another component", TEXTS("a1 62\"en\" a1 814101 a106 61\"E\""), FORM, NULL },
		{ "a text as key", TEXTS("a1 62\"en\" a1 6161 6161"), FORM, NULL },
		{ "a version of bytes", TEXTS("a1 62\"en\" a1 814100 a106 <00>"), FORM, NULL },
		{ "no UTF-8", TEXTS("a1 62\"en\" a1 814100 a106 61ff"), FORM, NULL },
		{ "a wrong one in the second language", TEXTS("a2 62\"de\" a1 01 61\"x\" 62\"en\" a1 01 00"), FORM,
		  NULL },
		{ "more behind", TEXTS("a1 62\"en\" a1 01 61\"x\" 00"), FORM, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_bytes envelope = rig_envelope(&rig, rows[i].manifest);
		struct fota_suit suit;
		enum fota_err err = fota_suit_get(envelope, &rig.crypto, &suit);

		if (err != rows[i].err) { fail_msg("%s: %d, not %d", rows[i].name, err, rows[i].err); }
		if (!err && !fota_bytes_is_equal(suit.text.version, fota_bytes_of(rows[i].version))) {
			fail_msg("%s: another version", rows[i].name);
		}
	}
}

static void vendor_and_model_are_read_from_the_text(void **state)
{
	struct fota_suit suit;

	(void)state;
	assert_int_equal(fota_suit_get(rig_envelope(&rig, PLAIN), &rig.crypto, &suit), OK);
	assert_true(fota_bytes_is_equal(suit.text.vendor_name, fota_bytes_of("ACME")));
	assert_true(fota_bytes_is_equal(suit.text.model_name, fota_bytes_of("M1")));
	assert_int_equal(suit.sequence_number, 7);
	assert_int_equal(suit.block_count, 1);
}

static void envelopes_have_members_that_the_manifest_means(void **state)
{
	static const struct {
		const char *name;
		unsigned count;
		const char *members;
		enum fota_err err;
	} rows[] = {
		{ "nothing more", 0, "", OK },
		{ "a payload", 1, "64\"#img\"<0102>", OK },
		{ "two payloads", 2, "62\"#a\"<01>62\"#b\"<02>", OK },
		{ "a payload that is no string", 1, "64\"#img\"00", FORM },
		{ "a payload under bytes", 1, "4123<00>", FORM },
		{ "a payload under a list", 1, "8100<00>", FORM },
		{ "install twice", 1, INSTALL, FORM },
		{ "a payload fetch that nobody means", 1, "10<82 0c00>", FORM },
		{ "member 4", 1, "04<00>", CANNOT },
		{ "member 18", 1, "12<00>", CANNOT },
		{ "member 24", 1, "1818<00>", CANNOT },
		{ "member -1", 1, "20<00>", CANNOT },
		{ "members out of order", 2, "62\"#b\"<02>62\"#a\"<01>", FORM },
		{ "fewer than it says", 1, "", FORM },
		{ "more than it says", 0, "64\"#img\"<0102>", FORM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expect(rows[i].name, rig_envelope_with(&rig, PLAIN, rows[i].count, rows[i].members), rows[i].err);
	}
}

/* Envelopes written out; %s is the digest of the manifest. */
static void wrappers_begin_with_the_digest(void **state)
{
#define M    "03<a3" HEAD COMMON ">"
#define DG   "<822f<%s>>"
#define NOTE "<00>" /* a block that nobody knows */
	static const struct {
		const char *name, *envelope;
		enum fota_err err;
	} rows[] = {
		{ "no block", "d86b a2 02<81" DG ">" M, OK },
		{ "unknown blocks",
		  "d86b a2 02<83" DG NOTE "<>"
		  ">" M,
		  OK },
		{ "eight blocks", "d86b a2 02<89" DG NOTE NOTE NOTE NOTE NOTE NOTE NOTE NOTE ">" M, OK },
		{ "nine blocks", "d86b a2 02<8a" DG NOTE NOTE NOTE NOTE NOTE NOTE NOTE NOTE NOTE ">" M, CANNOT },
		{ "no tag", "a2 02<81" DG ">" M, FORM },
		{ "tag of a manifest alone", "d9042e a2 02<81" DG ">" M, FORM },
		{ "no wrapper", "d86b a1" M, FORM },
		{ "no manifest", "d86b a1 02<81" DG ">", FORM },
		{ "manifest first", "d86b a2" M "02<81" DG ">", FORM },
		{ "delegation", "d86b a3 01<00> 02<81" DG ">" M, CANNOT },
		{ "a list", "d86b 82 <81" DG ">" M, FORM },
		{ "wrapper as a list", "d86b a2 0281" DG M, FORM },
		{ "empty wrapper", "d86b a2 02<>" M, FORM },
		{ "wrapper without digest", "d86b a2 02<80>" M, FORM },
		{ "digest not in a string", "d86b a2 02<81 822f<%s>>" M, FORM },
		{ "digest alone", "d86b a2 02<" DG ">" M, FORM },
		{ "digest by another name", "d86b a2 02<81 <8230<%s>>>" M, FORM },
		{ "digest of three items", "d86b a2 02<81 <832f<%s>00>>" M, FORM },
		{ "digest as SHA-512", "d86b a2 02<81 <82382b<%s>>>" M, FORM },
		{ "digest of something else", "d86b a2 02<81 <822f<" D0 ">>>" M, FORM },
		{ "block that is no string", "d86b a2 02<82" DG "d28443a10126a0f640>" M, FORM },
		{ "more behind the blocks", "d86b a2 02<81" DG NOTE ">" M, FORM },
		{ "fewer blocks than it says", "d86b a2 02<83" DG NOTE ">" M, FORM },
		{ "huge number of blocks", "d86b a2 02<9bffffffffffffffff" DG NOTE ">" M, CANNOT },
		{ "manifest as a map", "d86b a2 02<81" DG "> 03a3" HEAD COMMON, FORM },
		{ "empty manifest", "d86b a2 02<81" DG "> 03<>", FORM },
		{ "more behind", "d86b a2 02<81" DG ">" M "00", FORM },
	};
	char digits[65], text[4096];
	uint8_t room[RIG_ROOM];

	(void)state;
	rig_digest(&rig, "<a3" HEAD COMMON ">", digits);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strstr(rows[i].envelope, "%s");
		size_t before = at ? (size_t)(at - rows[i].envelope) : strlen(rows[i].envelope);

		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)before, rows[i].envelope, at ? digits : "",
			       at ? at + 2 : "");
		expect(rows[i].name, rig_notation(text, (struct fota_room) { room, sizeof(room) }), rows[i].err);
	}
}

/* ---- severed members ---- */

#define SEVERED_INSTALL "<86 14a115 63\"a/b\" 1502 030f>"
#define SEVERED_FETCH   "<82 0c00>"
#define SEVERED_TEXT    "<a1 62\"en\" a1 814100 a106 62\"V3\">"

/* A manifest that has digests where payload fetch, install and text would be. */
static void write_severed(char *manifest, size_t size)
{
	char fetch[65], install[65], text[65];

	rig_digest(&rig, SEVERED_FETCH, fetch);
	rig_digest(&rig, SEVERED_INSTALL, install);
	rig_digest(&rig, SEVERED_TEXT, text);
	(void)snprintf(manifest, size, "a7" HEAD COMMON VALIDATE "10822f<%s>14822f<%s>17822f<%s>", fetch, install,
		       text);
}

static void severed_members_count_if_their_digest_is_the_manifests(void **state)
{
	static const struct {
		const char *name;
		unsigned count;
		const char *members;
		enum fota_err err;
		bool is_incomplete;
		const char *version;
	} rows[] = {
		{ "all there", 3, "10" SEVERED_FETCH "14" SEVERED_INSTALL "17" SEVERED_TEXT, OK, false, "V3" },
		{ "no text", 2, "10" SEVERED_FETCH "14" SEVERED_INSTALL, OK, false, "" },
		{ "no install", 2, "10" SEVERED_FETCH "17" SEVERED_TEXT, OK, true, "V3" },
		{ "no payload fetch", 2, "14" SEVERED_INSTALL "17" SEVERED_TEXT, OK, true, "V3" },
		{ "nothing", 0, "", OK, true, "" },
		{ "another install", 1, "14<84 1502 030f>", FORM, false, NULL },
		{ "another text", 1, "17<a1 62\"en\" a1 814100 a106 62\"V4\">", FORM, false, NULL },
		{ "install in the place of the text", 1, "17" SEVERED_INSTALL, FORM, false, NULL },
		{ "install with another head", 1, "14580f8614a11563612f621502030f", FORM, false, NULL },
		{ "install not in a string", 1, "148614a11563612f621502030f", FORM, false, NULL },
	};
	char manifest[2048];

	(void)state;
	write_severed(manifest, sizeof(manifest));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_bytes envelope = rig_envelope_with(&rig, manifest, rows[i].count, rows[i].members);
		struct fota_suit suit;
		struct fota_suit_plan plan;

		expect(rows[i].name, envelope, rows[i].err);
		if (rows[i].err) { continue; }
		assert_int_equal(fota_suit_get(envelope, &rig.crypto, &suit), OK);
		assert_int_equal(fota_suit_verify(&suit, &rig.crypto, &rig.key, 1, NULL), OK);
		assert_int_equal(fota_suit_plan(&suit, &rig.device, &plan), OK);
		if (suit.is_incomplete != rows[i].is_incomplete) { fail_msg("%s: complete or not", rows[i].name); }
		assert_int_equal(plan.is_fetched, !rows[i].is_incomplete);
		assert_true(fota_bytes_is_equal(suit.text.version, fota_bytes_of(rows[i].version)));
	}
}

/* A severed member has to be well-formed as well, though its digest is right. */
static void severed_members_have_one_form(void **state)
{
	static const struct {
		const char *member;
		enum fota_err err;
	} rows[] = {
		{ "<84 1502 030f>", OK },  { "<>", FORM }, { "<80>", FORM },
		{ "<82 18630f>", CANNOT }, { "80", FORM }, { "<84 1502 030f 00>", FORM },
	};
	char digits[65], manifest[2048], members[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_digest(&rig, rows[i].member, digits);
		(void)snprintf(manifest, sizeof(manifest), "a4" HEAD COMMON "14822f<%s>", digits);
		(void)snprintf(members, sizeof(members), "14%s", rows[i].member);
		expect(rows[i].member, rig_envelope_with(&rig, manifest, 1, members), rows[i].err);
	}
}

/* ---- limits ---- */

/* install inside `depth` others, by run-sequence or try-each in turn. */
static void write_nested(char *manifest, size_t size, unsigned depth, bool is_try_first)
{
	char inner[512] = "84 1502 030f", outer[512];

	for (unsigned i = 0; i < depth; i++) {
		bool is_try = (i % 2 == 0) == is_try_first;

		(void)snprintf(outer, sizeof(outer), is_try ? "82 0f81<%s>" : "82 1820<%s>", inner);
		memcpy(inner, outer, sizeof(inner));
	}
	(void)snprintf(manifest, size, "a4" HEAD COMMON "14<%s>", inner);
}

static void sequences_nest_four_deep_and_no_deeper(void **state)
{
	char manifest[2048];

	(void)state;
	for (unsigned depth = 0; depth <= 8; depth++) {
		for (unsigned i = 0; i < 2; i++) {
			struct fota_bytes envelope;
			struct fota_suit suit;
			struct fota_suit_plan plan;

			write_nested(manifest, sizeof(manifest), depth, i);
			envelope = rig_envelope(&rig, manifest);
			expect("nested", envelope, depth <= FOTA_SUIT_NESTING_MAX ? OK : CANNOT);
			if (depth > FOTA_SUIT_NESTING_MAX) { continue; }
			assert_int_equal(fota_suit_get(envelope, &rig.crypto, &suit), OK);
			assert_int_equal(fota_suit_plan(&suit, &rig.device, &plan), OK);
			assert_true(plan.is_fetched);
		}
	}
}

/* `count` commands in all: three in shared, two in install, the rest in load, in an inner
 * sequence. */
static void write_long(char *manifest, size_t size, unsigned count)
{
	char inner[1024] = "";
	size_t len = 0;
	unsigned rest = count - 3 - 2 - 1; /* load's own command */

	for (unsigned i = 0; i < rest; i++) {
		len += (size_t)snprintf(inner + len, sizeof(inner) - len, "0c00");
	}
	(void)snprintf(manifest, size, "a5" HEAD COMMON "08<82 1820<%s%02x %s>>" INSTALL, rest * 2 < 24 ? "" : "98",
		       rest * 2 < 24 ? 0x80 + rest * 2 : rest * 2, inner);
}

static void sixty_four_commands_are_allowed_and_no_more(void **state)
{
	char manifest[4096];

	(void)state;
	for (unsigned count = 62; count <= 67; count++) {
		write_long(manifest, sizeof(manifest), count);
		expect("commands", rig_envelope(&rig, manifest), count <= FOTA_SUIT_COMMAND_MAX ? OK : CANNOT);
	}
}

static void envelopes_have_1536_bytes_at_most(void **state)
{
	struct fota_bytes plain = rig_envelope(&rig, PLAIN);
	size_t fill = FOTA_SUIT_ENVELOPE_MAX_BYTES - plain.len - 1 - 3; /* key, head of the string */
	char members[4096];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int len = snprintf(members, sizeof(members), "6059%04zx", fill + i);
		struct fota_bytes envelope;

		for (size_t k = 0; k < fill + i; k++) {
			len += snprintf(members + len, sizeof(members) - (size_t)len, "00");
		}
		envelope = rig_envelope_with(&rig, PLAIN, 1, members);
		assert_int_equal(envelope.len, FOTA_SUIT_ENVELOPE_MAX_BYTES + i);
		expect("size", envelope, i ? FOTA_ERR_FULL : OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests_have_one_form),
		cmocka_unit_test(texts_are_of_the_component_in_the_first_language_that_has_them),
		cmocka_unit_test(vendor_and_model_are_read_from_the_text),
		cmocka_unit_test(envelopes_have_members_that_the_manifest_means),
		cmocka_unit_test(wrappers_begin_with_the_digest),
		cmocka_unit_test(severed_members_count_if_their_digest_is_the_manifests),
		cmocka_unit_test(severed_members_have_one_form),
		cmocka_unit_test(sequences_nest_four_deep_and_no_deeper),
		cmocka_unit_test(sixty_four_commands_are_allowed_and_no_more),
		cmocka_unit_test(envelopes_have_1536_bytes_at_most),
	};
	int failed;

	rig_open(&rig);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rig_close(&rig);
	return failed;
}
