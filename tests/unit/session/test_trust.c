/* SPDX-License-Identifier: Apache-2.0 */
/* What is offered without a right, or wrongly, is refused with its code before a byte is
 * asked for or stored; and the next good offer is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "stride.h"

static struct rig rig;

static const struct {
	const char *name;
	enum rig_manifest kind;
	uint64_t arg;
	const char *codes;
} rows[] = {
	{ "none", RIG_MANIFEST_NONE, 0, "306" },
	{ "foreign key", RIG_MANIFEST_FOREIGN, 0, "306" },
	{ "other OEM", RIG_MANIFEST_OTHER_OEM, 0, "401" },
	{ "other model", RIG_MANIFEST_OTHER_MODEL, 0, "401" },
	{ "other version", RIG_MANIFEST_OTHER_VERSION, 0, "306" },
	{ "other digest", RIG_MANIFEST_OTHER_DIGEST, 0, "306" },
	{ "other size", RIG_MANIFEST_OTHER_SIZE, 0, "306" },
	{ "sequence below what was installed", RIG_MANIFEST_SEQUENCE, 4, "5" },
};

static void use_manifest(enum rig_manifest kind, uint64_t arg)
{
	rig_clear_twists(&rig);
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_OFFER_MANIFEST, arg, (int)kind, 0, 0 });
}

static void begin(const struct rig_cfg *cfg)
{
	rig_init(&rig, cfg);
	rig_finish(&rig);
	rig.session.record.boot.floor = 5;
	rig.sequence = 5;
}

/* Neither asked for nor stored. */
static void require_untouched(void)
{
	struct fota_session_info info;

	rig_require(&rig, rig_count(&rig, RIG_GET) == 0);
	rig_require(&rig, rig.session.record.package.total_bytes == 0);
	fota_session_get(&rig.session, &info);
	rig_require(&rig, info.state == FOTA_STATE_IDLE && info.received_bytes == 0);
}

static void require_good_offer_is_taken(void)
{
	rig_clear_twists(&rig);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_close(&rig);
}

static void a_wrong_manifest_is_refused_with_its_code_before_a_byte_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rig_case(&rig, "manifest: %s", rows[i].name)) { continue; }
		begin(&(struct rig_cfg) { .seed = 1, .is_async = i & 1 });
		use_manifest(rows[i].kind, rows[i].arg);
		rig_require(&rig, strcmp(rig_play(&rig), rows[i].codes) == 0);
		require_untouched();
		require_good_offer_is_taken();
	}
}

static void a_check_alone_refuses_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fota_request request = rig_request(&rig);

		if (!rig_case(&rig, "check: %s", rows[i].name)) { continue; }
		begin(&(struct rig_cfg) { .seed = 1 });
		use_manifest(rows[i].kind, rows[i].arg);
		rig.first_notice = rig.notice_count;
		rig.is_over = false;
		rig_require(&rig, fota_session_check(&rig.session, &request, rig.origin) == FOTA_CODE_NONE);
		rig_finish(&rig);
		rig_require(&rig, strcmp(rig_codes(&rig), rows[i].codes) == 0);
		require_untouched();
	}
}

static void without_a_trusted_key_everything_is_refused(void **state)
{
	(void)state;
	(void)rig_case(&rig, "no key");
	begin(&(struct rig_cfg) { .seed = 2 });
	rig.session_cfg.key_count = 0;
	rig_require(&rig, strcmp(rig_play(&rig), "306") == 0);
	require_untouched();
	rig.session_cfg.key_count = 1;
	require_good_offer_is_taken();
}

static void a_manifest_that_is_cut_anywhere_is_refused(void **state)
{
	(void)state;
	begin(&(struct rig_cfg) { .seed = 3 });
	(void)rig_play(&rig); /* makes the envelope */
	for (size_t len = 0; len < rig.envelope.len; len += stride()) {
		(void)rig_case(&rig, "manifest: %zu bytes of it", len);
		begin(&(struct rig_cfg) { .seed = 3 });
		use_manifest(RIG_MANIFEST_CUT, len);
		rig_require(&rig, strcmp(rig_play(&rig), "306") == 0);
		require_untouched();
	}
}

/* The label of the key id in the header that is not signed: without it every trusted key is
 * tried, and what is signed is the same. */
static size_t label_off(void)
{
	const uint8_t *kid = memmem(rig.envelope.bytes, rig.envelope.len, rig.signer.public_key.kid,
				    sizeof(rig.signer.public_key.kid));

	rig_require(&rig, kid && kid[-1] == 0x48 && kid[-2] == 4);
	return (size_t)(kid - 2 - rig.envelope.bytes);
}

/* Complete: every bit of the envelope. */
static void a_manifest_with_one_bit_changed_is_refused(void **state)
{
	size_t label;

	(void)state;
	begin(&(struct rig_cfg) { .seed = 4 });
	(void)rig_play(&rig);
	label = label_off();
	for (size_t bit = 0; bit < rig.envelope.len * 8; bit += stride()) {
		(void)rig_case(&rig, "manifest: bit %zu", bit);
		begin(&(struct rig_cfg) { .seed = 4 });
		use_manifest(RIG_MANIFEST_FLIPPED, bit);
		if (strcmp(rig_play(&rig), "2 3") == 0) {
			rig_require(&rig, bit / 8 == label && rig_is_image_stored(&rig));
			continue;
		}
		rig_require(&rig, strcmp(rig_codes(&rig), "306") == 0);
		require_untouched();
	}
}

/* A sample of the payload's bits; each is found when the whole is verified. */
static void a_package_with_one_bit_changed_is_refused(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < RIG_IMAGE_BYTES; at += 97u * stride()) {
		(void)rig_case(&rig, "package: byte %llu", (unsigned long long)at);
		begin(&(struct rig_cfg) { .seed = 5 });
		rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_CORRUPT, at, 0, 0, 0 });
		rig_require(&rig, strcmp(rig_play(&rig), "2 306") == 0);
		rig_require(&rig, !rig_is_image_stored(&rig));
	}
}

/* Key rotation: any of the trusted keys counts. */
static void a_second_trusted_key_is_as_good_as_the_first(void **state)
{
	struct fota_trusted_key keys[2];

	(void)state;
	(void)rig_case(&rig, "two keys");
	begin(&(struct rig_cfg) { .seed = 6 });
	keys[0] = rig.signer.public_key;
	keys[1] = rig.foreign.public_key;
	rig.session_cfg.keys = keys;
	rig.session_cfg.key_count = 2;
	use_manifest(RIG_MANIFEST_FOREIGN, 0);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig.session_cfg.key_count = 1;
	rig_require(&rig, strcmp(rig_play(&rig), "4 306") == 0); /* what is stored stays */
}

/* A platform that offers all the same what runs, or somebody who plays back its answer. */
static void the_version_that_runs_is_not_taken_again(void **state)
{
	(void)state;
	(void)rig_case(&rig, "runs already");
	begin(&(struct rig_cfg) { .seed = 9 });
	rig.texts[FOTA_IDENTITY_VERSION] = RIG_TARGET;
	rig_require(&rig, strcmp(rig_play(&rig), "5") == 0);
	require_untouched();
	rig.texts[FOTA_IDENTITY_VERSION] = RIG_VERSION;
	require_good_offer_is_taken();
}

/* A key that is withdrawn between download and installation takes what it signed along. */
static void a_package_of_a_key_that_is_no_longer_trusted_is_not_installed(void **state)
{
	struct fota_session_info info;

	(void)state;
	(void)rig_case(&rig, "withdrawn key");
	begin(&(struct rig_cfg) { .seed = 8, .has_slots = true });
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig.session_cfg.keys = &rig.foreign.public_key;
	rig_boot(&rig);
	rig_finish(&rig);
	fota_session_get(&rig.session, &info);
	rig_require(&rig, info.state == FOTA_STATE_IDLE);
	rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_BAD_OPERATION);
	rig.session_cfg.keys = &rig.signer.public_key;
	rig_boot(&rig);
	rig_finish(&rig);
	rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_NONE);
	rig_close(&rig);
}

/* The platform's answer of before, with the release that has been superseded. */
static void the_same_sequence_number_may_come_again_and_a_lower_one_may_not(void **state)
{
	(void)state;
	for (uint64_t sequence = 4; sequence <= 6; sequence++) {
		(void)rig_case(&rig, "sequence %llu", (unsigned long long)sequence);
		begin(&(struct rig_cfg) { .seed = 7 });
		use_manifest(RIG_MANIFEST_SEQUENCE, sequence);
		rig_require(&rig, strcmp(rig_play(&rig), sequence < 5 ? "5" : "2 3") == 0);
		if (sequence >= 5) { rig_require(&rig, rig.session.record.package.sequence == sequence); }
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_manifest_is_refused_with_its_code_before_a_byte_is_asked_for),
		cmocka_unit_test(a_check_alone_refuses_the_same),
		cmocka_unit_test(without_a_trusted_key_everything_is_refused),
		cmocka_unit_test(a_manifest_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(a_manifest_with_one_bit_changed_is_refused),
		cmocka_unit_test(a_package_with_one_bit_changed_is_refused),
		cmocka_unit_test(a_second_trusted_key_is_as_good_as_the_first),
		cmocka_unit_test(the_version_that_runs_is_not_taken_again),
		cmocka_unit_test(a_package_of_a_key_that_is_no_longer_trusted_is_not_installed),
		cmocka_unit_test(the_same_sequence_number_may_come_again_and_a_lower_one_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
