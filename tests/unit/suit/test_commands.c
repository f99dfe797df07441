/* SPDX-License-Identifier: Apache-2.0 */
/* Each command: what it wants, what it does when it is met and when not, where it may
 * stand, and what sequences in sequences do. Manifests are in the notation of rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;

/* A manifest with these sequences behind the usual shared one. */
#define INSTALLING(x) "a4" HEAD COMMON "14<" x ">"
#define VALIDATING(x) "a4" HEAD COMMON "07<" x ">"
#define SHARING(x)    "a4" HEAD SHARED(x) "14<84 1502 030f>"
#define BOTH(x, y)    "a5" HEAD COMMON "07<" y ">14<" x ">"
#define FETCHING(x)   "a5" HEAD COMMON "10<" x ">14<84 1502 030f>"
#define LOADING(x)    "a5" HEAD COMMON "08<" x ">14<84 1502 030f>"
#define INVOKING(x)   "a5" HEAD COMMON "09<" x ">14<84 1502 030f>"
#define URI0          "14a115 63\"a/0\""
#define URI1          "14a115 63\"a/1\""
#define SLOT(n)       "14a105" n "050f"

enum { V = 1, C = 2, D = 4, S = 8, F = 16, ALL = 31 };

struct row {
	const char *name, *manifest;
	enum fota_err get, plan;
	unsigned has;    /* V, C, D, S, F of the plan */
	const char *uri; /* of the plan */
	uint8_t digest;  /* its second byte: 0x11 or 0x23 */
};

static unsigned has_of(const struct fota_suit_plan *plan)
{
	return (plan->has_vendor ? V : 0u) | (plan->has_class ? C : 0u) | (plan->has_digest ? D : 0u) |
	       (plan->has_size ? S : 0u) | (plan->is_fetched ? F : 0u);
}

static void check_row(const struct row *row)
{
	static const struct fota_suit_plan empty;
	struct fota_bytes envelope = rig_envelope(&rig, row->manifest);
	struct fota_suit suit;
	struct fota_suit_plan plan;
	enum fota_err err = fota_suit_get(envelope, &rig.crypto, &suit);

	if (err != row->get) { fail_msg("%s: get gives %d, not %d", row->name, err, row->get); }
	if (err) { return; }
	assert_int_equal(fota_suit_verify(&suit, &rig.crypto, &rig.key, 1, NULL), FOTA_ERR_OK);
	memset(&plan, 0xff, sizeof(plan));
	err = fota_suit_plan(&suit, &rig.device, &plan);
	if (err != row->plan) { fail_msg("%s: plan gives %d, not %d", row->name, err, row->plan); }
	if (err) {
		assert_int_equal(has_of(&plan), 0);
		assert_memory_equal(plan.digest, empty.digest, sizeof(empty.digest));
		return;
	}
	if (has_of(&plan) != row->has) { fail_msg("%s: plan has %u, not %u", row->name, has_of(&plan), row->has); }
	if (!fota_bytes_is_equal(plan.uri, fota_bytes_of(row->uri))) { fail_msg("%s: another URI", row->name); }
	if (row->digest && plan.digest[1] != row->digest) { fail_msg("%s: another digest", row->name); }
	if (row->has & S) { assert_int_equal(plan.size_bytes, row->digest == 0x23 ? 76834 : 34768); }
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check_row(&rows[i]);
	}
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))
#define OK          FOTA_ERR_OK
#define BAD         FOTA_ERR_CORRUPT
#define OTHER       FOTA_ERR_MISMATCH
#define CANNOT      FOTA_ERR_UNSUPPORTED
#define FORM        FOTA_ERR_FORMAT

static void conditions_are_met_or_end_the_manifest(void **state)
{
	static const struct row rows[] = {
		{ "vendor and class", SHARING("86" IDS), OK, OK, ALL, NULL, 0x11 },
		{ "no vendor condition", SHARING("84 14a401" VENDOR "02" CLASS "03" DIGEST0 "0e1987d0 020f"), OK, OK,
		  ALL & ~V, NULL, 0x11 },
		{ "no condition at all", SHARING("82 14a203" DIGEST0 "0e1987d0"), OK, OK, D | S | F, NULL, 0x11 },
		{ "vendor of another", SHARING("84 14a101" NOBODY "010f"), OK, OTHER },
		{ "class of another", SHARING("86 14a201" VENDOR "02" NOBODY "010f 020f"), OK, OTHER },
		{ "vendor not set", SHARING("84 14a102" CLASS "010f"), OK, OTHER },
		{ "class not set", SHARING("84 14a101" VENDOR "020f"), OK, OTHER },
		{ "another vendor later", INSTALLING("88 1502 030f 14a101" NOBODY "010f"), OK, OTHER },
		{ "image match without digest", SHARING("84 14a201" VENDOR "02" CLASS "010f"), OK, BAD },
		{ "image match before the fetch", INSTALLING("84 030f 1502"), OK, BAD },
		{ "image match in the shared sequence", SHARING("84 14a103" DIGEST0 "030f"), OK, BAD },
		{ "image match of nothing fetched", VALIDATING("82 030f"), OK, OK, V | C | D | S, NULL, 0x11 },
		{ "no image match", INSTALLING("82 1502"), OK, OK, V | C },
		{ "image match in validate alone", BOTH("82 1502", "82 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "two that agree", BOTH("84 1502 030f", "82 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "another digest later", INSTALLING("88 1502 030f 14a103" DIGEST1 "030f"), OK, BAD },
		{ "another size later", INSTALLING("88 1502 030f 14a10e07 030f"), OK, BAD },
		{ "another digest before", INSTALLING("86 14a203" DIGEST1 "0e1a00012c22 1502 030f"), OK, OK, ALL, NULL,
		  0x23 },
		{ "no size", "a4" HEAD SHARED("82 14a103" DIGEST0) "14<84 1502 030f>", OK, OK, D | F, NULL, 0x11 },
		{ "slot", INSTALLING("88" SLOT("01") "1502 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "another slot", INSTALLING("88" SLOT("00") "1502 030f"), OK, BAD },
		{ "slot not set", INSTALLING("82 050f"), OK, BAD },
		{ "slot 257", INSTALLING("84" SLOT("190101")), OK, BAD },
		{ "check content", INSTALLING("86 14a112<68> 1502 060f"), OK, BAD },
		{ "abort", INSTALLING("86 1502 030f 0e0f"), OK, BAD },
		{ "device", INSTALLING("84 14a11818" NOBODY "18180f"), OK, BAD },
	};

	(void)state;
	CHECK(rows);
}

static void directives_do_what_they_can_where_they_may(void **state)
{
	static const struct row rows[] = {
		{ "fetch with an URI", INSTALLING("86" URI0 "1502 030f"), OK, OK, ALL, "a/0", 0x11 },
		{ "URI behind the fetch", INSTALLING("86 1502 030f" URI0), OK, OK, ALL, NULL, 0x11 },
		{ "fetched twice", INSTALLING("8c" URI0 "1502 030f" URI1 "1502 030f"), OK, OK, ALL, "a/1", 0x11 },
		{ "fetched again, not matched", INSTALLING("86 1502 030f 1502"), OK, OK, V | C | D | S, NULL, 0x11 },
		{ "payload fetch", "a4" HEAD COMMON "10<84 1502 030f>", OK, OK, ALL, NULL, 0x11 },
		{ "payload fetch, then install", FETCHING("86" URI1 "1502 030f"), OK, OK, ALL, "a/1", 0x11 },
		{ "fetch in shared", SHARING("82 1502"), OK, CANNOT },
		{ "fetch in validate", VALIDATING("82 1502"), OK, CANNOT },
		{ "write", INSTALLING("84 14a112<00> 120f"), OK, CANNOT },
		{ "copy", INSTALLING("84 14a11600 160f"), OK, CANNOT },
		{ "swap", INSTALLING("82 181f0f"), OK, CANNOT },
		{ "invoke in install", INSTALLING("82 170f"), OK, CANNOT },
		{ "invoke in shared", SHARING("82 170f"), OK, CANNOT },
		{ "invoke in validate", VALIDATING("82 170f"), OK, CANNOT },
		{ "invoke in payload fetch", FETCHING("82 170f"), OK, CANNOT },
		{ "invoke where it belongs", INVOKING("84 14a117<00> 1702"), OK, OK, ALL, NULL, 0x11 },
		{ "load is not run", LOADING("88 14a11600 1602 0e0f 181f0f"), OK, OK, ALL, NULL, 0x11 },
		{ "invoke is not run", INVOKING("82 0e0f"), OK, OK, ALL, NULL, 0x11 },
		{ "component 0", INSTALLING("86 0c00 1502 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "every component", INSTALLING("86 0cf5 1502 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "a list of component 0", INSTALLING("86 0c8100 1502 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "strict order", INSTALLING("86 14a10cf4 1502 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "all parameters but soft failure",
		  INSTALLING("86 14ac01" VENDOR "02" CLASS "03" DIGEST0
			     "0501 0cf5 0e1987d0 12<00> 1560 1600 17<> 1818" NOBODY "1819<> 1502 030f"),
		  OK, OK, ALL, NULL, 0x11 },
	};

	(void)state;
	CHECK(rows);
}

static void the_shared_sequence_stands_before_each_other_one(void **state)
{
	static const struct row rows[] = {
		/* install sets another digest, which shared takes back before validate: they differ */
		{ "set again", BOTH("86 14a103" DIGEST1 "1502 030f", "82 030f"), OK, BAD },
		{ "set again, not matched", BOTH("86 1502 030f 14a103" DIGEST1, "82 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "alone", "a3" HEAD COMMON, OK, OK, V | C },
		{ "alone, and not met", "a3" HEAD SHARED("82 0e0f"), OK, BAD },
		{ "none", "a4" HEAD "03<a1 0281814100>" INSTALL, OK, BAD },
	};

	(void)state;
	CHECK(rows);
}

static void try_each_takes_the_first_branch_that_does_not_fail(void **state)
{
	static const struct row rows[] = {
		/* the draft's example 3 */
		{ "two slots",
		  "a5" HEAD SHARED("88 14a201" VENDOR "02" CLASS "0f" /* 15 = try-each */
				   "82 <86" SLOT("00") "14a203" DIGEST0 "0e1987d0>"
						       "<86" SLOT("01") "14a203" DIGEST1 "0e1a00012c22>"
									"010f 020f") VALIDATE
		  "14<86 0f82 <86" SLOT("00") URI0 "><86" SLOT("01") URI1 "> 1502 030f>",
		  OK, OK, ALL, "a/1", 0x23 },
		{ "no branch fits", INSTALLING("86 0f82 <84" SLOT("00") "><84" SLOT("02") "> 1502 030f"), OK, BAD },
		{ "no branch fits, nil", INSTALLING("86 0f83 <84" SLOT("00") "><84" SLOT("02") ">f6 1502 030f"), OK, OK,
		  ALL, NULL, 0x11 },
		{ "first of two", INSTALLING("86 0f82 <82" URI0 "><82" URI1 "> 1502 030f"), OK, OK, ALL, "a/0", 0x11 },
		{ "a branch that fails leaves nothing",
		  INSTALLING("86 0f82 <8a" URI1 "14a103" DIGEST1 "1502 030f 0e0f><82 0c00> 1502 030f"), OK, OK, ALL,
		  NULL, 0x11 },
		{ "the last error counts", INSTALLING("82 0f82 <82 0e0f><84 14a101" NOBODY "010f>"), OK, OTHER },
		{ "not soft", INSTALLING("86 0f82 <84 14a10df4 0e0f><82" URI1 "> 1502 030f"), OK, BAD },
		{ "soft again", INSTALLING("86 0f82 <86 14a10df4 14a10df5 0e0f><82" URI1 "> 1502 030f"), OK, OK, ALL,
		  "a/1", 0x11 },
		{ "each branch is soft at first",
		  INSTALLING("86 0f83 <84 14a10df5 0e0f><82 0e0f><82" URI1 "> 1502 030f"), OK, OK, ALL, "a/1", 0x11 },
		{ "a directive that cannot ends all", INSTALLING("86 0f82 <82 160f><82 0c00> 1502 030f"), OK, CANNOT },
		{ "one that is not reached does not", INSTALLING("86 0f82 <84 0e0f 160f><82 0c00> 1502 030f"), OK, OK,
		  ALL, NULL, 0x11 },
		{ "nor a branch behind", INSTALLING("86 0f82 <82 0c00><82 160f> 1502 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "inner ones fail outer ones", INSTALLING("86 0f82 <82 0f82<82 0e0f><82 0e0f>><82" URI1 "> 1502 030f"),
		  OK, OK, ALL, "a/1", 0x11 },
		{ "inner one goes on inside",
		  INSTALLING("86 0f82 <84 0f82<82 0e0f><82" URI0 "> 0c00><82" URI1 "> 1502 030f"), OK, OK, ALL, "a/0",
		  0x11 },
		{ "nil first", INSTALLING("82 0f82 f6 <82 0c00>"), FORM },
		{ "nil alone", INSTALLING("86 0f81 f6 1502 030f"), OK, OK, ALL, NULL, 0x11 },
		{ "one branch", INSTALLING("86 0f81 <82" URI0 "> 1502 030f"), OK, OK, ALL, "a/0", 0x11 },
		{ "no branches", INSTALLING("82 0f80"), FORM },
		{ "65537 branches", INSTALLING("82 0f9a00010001 <82 0c00>"), FORM },
		{ "a branch that is a number", INSTALLING("82 0f82 <82 0c00> 00"), FORM },
		{ "a branch that is no string", INSTALLING("82 0f81 820c00"), FORM },
		{ "branches that are no list", INSTALLING("82 0f<82 0c00>"), FORM },
		{ "unknown command in a branch behind", INSTALLING("82 0f82 <82 0c00><82 18630f>"), CANNOT },
	};

	(void)state;
	CHECK(rows);
}

static void run_sequence_fails_hard_unless_it_is_soft(void **state)
{
	static const struct row rows[] = {
		{ "runs", INSTALLING("86 1820<82" URI0 "> 1502 030f"), OK, OK, ALL, "a/0", 0x11 },
		{ "fails", INSTALLING("86 1820<82 0e0f> 1502 030f"), OK, BAD },
		{ "fails softly, and leaves nothing", INSTALLING("86 1820<86 14a10df5" URI0 "0e0f> 1502 030f"), OK, OK,
		  ALL, NULL, 0x11 },
		{ "a directive fails hard", INSTALLING("86 1820<84 14a10df5 160f> 1502 030f"), OK, CANNOT },
		{ "soft outside is not soft inside", INSTALLING("82 1820<84 14a10df5 1820<82 0e0f>>"), OK, OK, V | C },
		{ "fails the branch around", INSTALLING("86 0f82<82 1820<82 0e0f>><82" URI1 "> 1502 030f"), OK, OK, ALL,
		  "a/1", 0x11 },
		{ "soft inside does not fail the branch around",
		  INSTALLING("86 0f82<84 1820<84 14a10df5 0e0f>" URI0 "><82" URI1 "> 1502 030f"), OK, OK, ALL, "a/0",
		  0x11 },
		{ "soft ends with its sequence", INSTALLING("84 1820<82 14a10df5> 0e0f"), OK, BAD },
		{ "soft at the top", INSTALLING("82 14a10df5"), FORM },
		{ "not soft at the top", INSTALLING("82 14a10df4"), FORM },
		{ "no sequence", INSTALLING("82 1820 820c00"), FORM },
	};

	(void)state;
	CHECK(rows);
}

static void what_is_not_known_is_refused_as_a_whole(void **state)
{
	static const struct row rows[] = {
		{ "command 0", INSTALLING("82 000f"), CANNOT },
		{ "command 4", INSTALLING("82 040f"), CANNOT },
		{ "command 19", INSTALLING("82 13a101" VENDOR), CANNOT },
		{ "command 257", INSTALLING("82 1901010f"), CANNOT },
		{ "custom command", INSTALLING("82 390100 0f"), CANNOT },
		{ "in validate", VALIDATING("82 040f"), CANNOT },
		{ "in shared", SHARING("82 040f"), CANNOT },
		{ "in payload fetch", FETCHING("82 040f"), CANNOT },
		{ "in load", LOADING("82 040f"), CANNOT },
		{ "in invoke", INVOKING("82 040f"), CANNOT },
		{ "command that is a text", INSTALLING("82 6101 0f"), FORM },
		{ "parameter 0", INSTALLING("82 14a10000"), CANNOT },
		{ "parameter 4", INSTALLING("82 14a10400"), CANNOT },
		{ "parameter 19, encryption", INSTALLING("82 14a113<00>"), CANNOT },
		{ "custom parameter", INSTALLING("82 14a139010000"), CANNOT },
		{ "parameter that is a text", INSTALLING("82 14a1616100"), CANNOT },
		{ "component 1", INSTALLING("82 0c01"), CANNOT },
		{ "components 0 and 1", INSTALLING("82 0c820001"), CANNOT },
		{ "no component of the list", INSTALLING("82 0c80"), CANNOT },
		{ "component false", INSTALLING("82 0cf4"), FORM },
		{ "component nil", INSTALLING("82 0cf6"), FORM },
		{ "component -1", INSTALLING("82 0c20"), FORM },
	};

	(void)state;
	CHECK(rows);
}

static void arguments_of_another_form_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "policy beyond its bits", INSTALLING("82 0310"), FORM },
		{ "policy 0", INSTALLING("84 1500 0300"), OK, OK, ALL, NULL, 0x11 },
		{ "policy -1", INSTALLING("82 0320"), FORM },
		{ "policy nil", INSTALLING("82 03f6"), FORM },
		{ "no parameters", INSTALLING("82 14a0"), FORM },
		{ "parameters in a list", INSTALLING("82 148101"), FORM },
		{ "parameter twice", INSTALLING("82 14a2 0501 0501"), FORM },
		{ "parameters out of order", INSTALLING("82 14a2 0e01 0501"), FORM },
		{ "vendor of 15 bytes", INSTALLING("82 14a101<000000000000000000000000000000>"), FORM },
		{ "class of 17 bytes", INSTALLING("82 14a102<0000000000000000000000000000000000>"), FORM },
		{ "vendor as an enterprise number", INSTALLING("82 14a101 d870<00>"), FORM },
		{ "device of no bytes", INSTALLING("82 14a11818<>"), FORM },
		{ "digest without string", INSTALLING("82 14a103 822f<" D0 ">"), FORM },
		{ "digest of 31 bytes",
		  INSTALLING("82 14a103<822f<00112233445566778899aabbccddeeff0123456789abcdeffedcb"
			     "a98765432>>"),
		  FORM },
		{ "digest of SHA-512", INSTALLING("82 14a103<82382b<" D0 D0 ">>"), FORM },
		{ "digest with more", INSTALLING("82 14a103<832f<" D0 ">00>"), FORM },
		{ "more behind the digest", INSTALLING("82 14a103<822f<" D0 ">00>"), FORM },
		{ "slot -1", INSTALLING("82 14a10520"), FORM },
		{ "strict order 1", INSTALLING("82 14a10c01"), FORM },
		{ "strict order nil", INSTALLING("82 14a10cf6"), FORM },
		{ "size as a string", INSTALLING("82 14a10e<00>"), FORM },
		{ "content as a text", INSTALLING("82 14a1126161"), FORM },
		{ "URI as bytes", INSTALLING("82 14a115<61>"), FORM },
		{ "URI that is no UTF-8", INSTALLING("82 14a11561ff"), FORM },
		{ "source component as text", INSTALLING("82 14a1166130"), FORM },
		{ "invoke arguments as a list", INSTALLING("82 14a11780"), FORM },
		{ "fetch arguments as nil", INSTALLING("82 14a11819f6"), FORM },
		{ "command without argument", INSTALLING("83 1502 03"), FORM },
		{ "no commands", INSTALLING("80"), FORM },
		{ "more than it says", INSTALLING("82 1502 030f"), FORM },
		{ "fewer than it says", INSTALLING("86 1502 030f"), FORM },
		{ "huge list", INSTALLING("9bfffffffffffffffe 1502"), FORM },
		{ "a list that wraps in 16 bits", INSTALLING("9a00020004 1502 030f"), FORM },
		{ "map of commands", INSTALLING("a2 1502 030f"), FORM },
		{ "more inside", INSTALLING("82 1820<82 0c00 00>"), FORM },
		{ "empty sequence inside", INSTALLING("82 1820<80>"), FORM },
		{ "empty string inside", INSTALLING("82 1820<>"), FORM },
		{ "number that is not the shortest", INSTALLING("84 1502 1803 0f"), FORM },
	};

	(void)state;
	CHECK(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_are_met_or_end_the_manifest),
		cmocka_unit_test(directives_do_what_they_can_where_they_may),
		cmocka_unit_test(the_shared_sequence_stands_before_each_other_one),
		cmocka_unit_test(try_each_takes_the_first_branch_that_does_not_fail),
		cmocka_unit_test(run_sequence_fails_hard_unless_it_is_soft),
		cmocka_unit_test(what_is_not_known_is_refused_as_a_whole),
		cmocka_unit_test(arguments_of_another_form_are_refused),
	};
	int failed;

	rig_open(&rig);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rig_close(&rig);
	return failed;
}
