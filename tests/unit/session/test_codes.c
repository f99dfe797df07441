/* SPDX-License-Identifier: Apache-2.0 */
/* Every result code that a session can raise, by its cause: what happens, and the whole
 * sequence of codes that the host sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

static struct rig rig;

#define ALWAYS 0, 0

/* A cause on the network and what it leads to. `step` is what FOTALAST names. */
static const struct {
	const char *name;
	struct rig_twist twist;
	const char *codes;
	const char *step;
} network_rows[] = {
	/* the check is not answered */
	{ "check: URL", { RIG_CHECK, RIG_START_ERR, (uint64_t)FOTA_ERR_URL, 0, ALWAYS }, "501", "check" },
	{ "check: odd port", { RIG_CHECK, RIG_START_ERR, (uint64_t)FOTA_ERR_IO, 0, ALWAYS }, "405", "check" },
	{ "check: redirect to plain", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_URL, ALWAYS }, "501", "check" },
	{ "check: name", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_RESOLVE, ALWAYS }, "502", "check" },
	{ "check: connect", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONNECT, ALWAYS }, "503", "check" },
	{ "check: redirects", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_REDIRECTS, ALWAYS }, "510", "check" },
	{ "check: stall", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_STALL, ALWAYS }, "511", "check" },
	{ "check: send", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_SEND, ALWAYS }, "512", "check" },
	{ "check: receive", { RIG_CHECK, RIG_FAIL, 20, FOTA_ERR_RECEIVE, ALWAYS }, "513", "check" },
	{ "check: closed", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CLOSED, ALWAYS }, "514", "check" },
	{ "check: no HTTP", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_PROTOCOL, ALWAYS }, "506", "check" },
	{ "check: odd failure", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_AUTH, ALWAYS }, "1", "check" },
	{ "check: port breaks its contract", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONTRACT, ALWAYS }, "405", "check" },
	{ "check: never answered", { RIG_CHECK, RIG_HANG, 0, 0, ALWAYS }, "509", "check" },
	/* by status */
	{ "check: 403", { RIG_CHECK, RIG_STATUS, 403, 0, ALWAYS }, "402", "check" },
	{ "check: 404", { RIG_CHECK, RIG_STATUS, 404, 0, ALWAYS }, "504", "check" },
	{ "check: 500", { RIG_CHECK, RIG_STATUS, 500, 0, ALWAYS }, "504", "check" },
	{ "check: 503", { RIG_CHECK, RIG_STATUS, 503, 0, ALWAYS }, "504", "check" },
	{ "check: 204", { RIG_CHECK, RIG_STATUS, 204, 0, ALWAYS }, "506", "check" },
	{ "check: empty 200", { RIG_CHECK, RIG_STATUS, 200, 0, ALWAYS }, "506", "check" },
	/* answers that cannot be used */
	{ "check: other type", { RIG_CHECK, RIG_OTHER_TYPE, 0, 0, ALWAYS }, "506", "check" },
	{ "check: garbage", { RIG_CHECK, RIG_GARBAGE, 100, 0, ALWAYS }, "506", "check" },
	{ "check: 2048 bytes", { RIG_CHECK, RIG_GARBAGE, 2048, 0, ALWAYS }, "506", "check" },
	{ "check: 2049 bytes", { RIG_CHECK, RIG_GARBAGE, 2049, 0, ALWAYS }, "506", "check" },
	{ "check: endless", { RIG_CHECK, RIG_GARBAGE, 4096, 0, ALWAYS }, "506", "check" },
	{ "check: cut answer", { RIG_CHECK, RIG_CUT_ANSWER, 50, 0, ALWAYS }, "506", "check" },
	{ "check: forged", { RIG_CHECK, RIG_FORGED, 0, 0, ALWAYS }, "402", "check" },
	{ "check: replayed", { RIG_CHECK, RIG_REPLAYED, 0, 0, ALWAYS }, "402", "check" },
	{ "check: other kid", { RIG_CHECK, RIG_OTHER_KID, 0, 0, ALWAYS }, "402", "check" },
	{ "check: changed", { RIG_CHECK, RIG_CHANGED, 40, 0, ALWAYS }, "402", "check" },
	/* refusals */
	{ "refusal 1", { RIG_CHECK, RIG_REFUSE, 1, 0, ALWAYS }, "5", "check" },
	{ "refusal 2", { RIG_CHECK, RIG_REFUSE, 2, 0, ALWAYS }, "302", "check" },
	{ "refusal 3", { RIG_CHECK, RIG_REFUSE, 3, 0, ALWAYS }, "401", "check" },
	{ "refusal 4", { RIG_CHECK, RIG_REFUSE, 4, 0, ALWAYS }, "403", "check" },
	{ "refusal 5", { RIG_CHECK, RIG_REFUSE, 5, 0, ALWAYS }, "404", "check" },
	{ "refusal 6", { RIG_CHECK, RIG_REFUSE, 6, 0, ALWAYS }, "405", "check" },
	{ "refusal 7 for ever", { RIG_CHECK, RIG_REFUSE, 7, 0, ALWAYS }, "402", "check" },
	{ "refusal 8 for ever", { RIG_CHECK, RIG_REFUSE, 8, 0, ALWAYS }, "509", "check" },
	{ "refusal 9", { RIG_CHECK, RIG_REFUSE, 9, 0, ALWAYS }, "506", "check" },
	/* offers */
	{ "offer: too large", { RIG_CHECK, RIG_OFFER_SIZE, RIG_SLOT_BYTES + 1, 0, ALWAYS }, "301", "check" },
	{ "offer: unknown encoding", { RIG_CHECK, RIG_OFFER_CODED, 1, 0, ALWAYS }, "506", "check" },
	{ "offer: absolute URL", { RIG_CHECK, RIG_OFFER_URL, 1, 0, ALWAYS }, "2 3", "verify" },
	{ "offer: plain URL", { RIG_CHECK, RIG_OFFER_URL, 2, 0, ALWAYS }, "2 501", "check" },
	{ "offer: ftp URL", { RIG_CHECK, RIG_OFFER_URL, 3, 0, ALWAYS }, "2 501", "check" },
	{ "offer: no URL", { RIG_CHECK, RIG_OFFER_URL, 4, 0, ALWAYS }, "2 501", "check" },
	{ "offer: scheme in capitals", { RIG_CHECK, RIG_OFFER_URL, 5, 0, ALWAYS }, "2 3", "verify" },
	/* the package does not come; nothing is stored */
	{ "get: URL", { RIG_GET, RIG_START_ERR, (uint64_t)FOTA_ERR_URL, 0, ALWAYS }, "2 501", "download" },
	{ "get: name", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_RESOLVE, ALWAYS }, "2 502", "download" },
	{ "get: connect", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_CONNECT, ALWAYS }, "2 503", "download" },
	{ "get: 404", { RIG_GET, RIG_STATUS, 404, 0, ALWAYS }, "2 504", "download" },
	{ "get: 403", { RIG_GET, RIG_STATUS, 403, 0, ALWAYS }, "2 504", "download" },
	{ "get: 416", { RIG_GET, RIG_STATUS, 416, 0, ALWAYS }, "2 505", "download" },
	{ "get: redirects", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_REDIRECTS, ALWAYS }, "2 510", "download" },
	{ "get: redirect to plain", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_URL, ALWAYS }, "2 501", "download" },
	{ "get: stall", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_STALL, ALWAYS }, "2 511", "download" },
	{ "get: send", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_SEND, ALWAYS }, "2 512", "download" },
	{ "get: closed", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_CLOSED, ALWAYS }, "2 514", "download" },
	{ "get: no HTTP", { RIG_GET, RIG_FAIL, 0, FOTA_ERR_PROTOCOL, ALWAYS }, "2 513", "download" },
	{ "get: 206 unasked", { RIG_GET, RIG_STATUS, 206, 0, ALWAYS }, "2 505", "download" },
	{ "get: less than an erase unit each time",
	  { RIG_GET, RIG_FAIL, 4000, FOTA_ERR_RECEIVE, ALWAYS },
	  "2 513",
	  "download" },
	{ "get: hangs at once", { RIG_GET, RIG_HANG, 0, 0, ALWAYS }, "2 509", "download" },
	/* a part is stored: 4 */
	{ "get: breaks", { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_RECEIVE, ALWAYS }, "2 4 513", "download" },
	{ "get: stalls in the middle", { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_STALL, ALWAYS }, "2 4 511", "download" },
	{ "get: ends early", { RIG_GET, RIG_SHORT, 9000, 0, ALWAYS }, "2 4 513", "download" },
	{ "get: hangs in the middle", { RIG_GET, RIG_HANG, 9000, 0, ALWAYS }, "2 4 509", "download" },
	/* what came is wrong: thrown away, no 4 */
	{ "get: corrupt", { RIG_GET, RIG_CORRUPT, 12345, 0, ALWAYS }, "2 306", "verify" },
	{ "get: corrupt last byte", { RIG_GET, RIG_CORRUPT, RIG_IMAGE_BYTES - 1, 0, ALWAYS }, "2 306", "verify" },
	{ "get: too long", { RIG_GET, RIG_LONG, 1, 0, ALWAYS }, "2 306", "download" },
	{ "get: length", { RIG_GET, RIG_LENGTH, RIG_IMAGE_BYTES + 1, 0, ALWAYS }, "2 306", "download" },
	{ "get: length 0", { RIG_GET, RIG_LENGTH, 0, 0, ALWAYS }, "2 306", "download" },
	{ "get: another image", { RIG_CHECK, RIG_OFFER_OTHER, 0, 0, ALWAYS }, "2 306", "verify" },
	/* nothing happens */
	{ "all is well", { RIG_GET, RIG_FINE, 0, 0, ALWAYS }, "2 3", "verify" },
};

static void check_last(const char *codes, const char *step)
{
	struct fota_session_info info;
	const char *last = strrchr(codes, ' ');

	fota_session_get(&rig.session, &info);
	rig_require(&rig, (int)info.last.code == atoi(last ? last + 1 : codes));
	rig_require(&rig, strcmp(info.last.step, step) == 0);
	rig_require(&rig, fota_bytes_is_equal(info.last.target, fota_bytes_of(RIG_TARGET)));
}

static void play_row(size_t i, bool is_async)
{
	struct rig_cfg cfg = { .is_async = is_async };
	bool is_same;

	if (!rig_case(&rig, "network: %s%s", network_rows[i].name, is_async ? ", async" : "")) { return; }
	rig_init(&rig, &cfg);
	if (network_rows[i].twist.effect != RIG_FINE) { rig_twist(&rig, network_rows[i].twist); }
	is_same = strcmp(rig_play(&rig), network_rows[i].codes) == 0;
	if (!is_same) { print_error("codes: %s, not: %s\n", rig_codes(&rig), network_rows[i].codes); }
	rig_require(&rig, is_same);
	check_last(network_rows[i].codes, network_rows[i].step);
	rig_boot(&rig); /* the end is kept over a restart */
	rig_finish(&rig);
	check_last(network_rows[i].codes, network_rows[i].step);
	rig_close(&rig);
}

static void a_session_tells_the_code_of_each_cause_on_the_network(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(network_rows) / sizeof(network_rows[0]); i++) {
		play_row(i, false);
		play_row(i, true);
	}
}

/* The promise of 4: the next session goes on from what is stored; and without 4 it
 * does not. 5 promises nothing. */
static void partial_is_told_if_and_only_if_the_next_session_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(network_rows) / sizeof(network_rows[0]); i++) {
		bool has_partial;

		if (!rig_case(&rig, "partial: %s", network_rows[i].name)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = (uint32_t)i });
		if (network_rows[i].twist.effect == RIG_FINE) { continue; }
		rig_twist(&rig, network_rows[i].twist);
		(void)rig_play(&rig);
		if (rig_final(&rig) == FOTA_CODE_DOWNLOADED) { continue; }
		has_partial = rig_has_code(&rig, FOTA_CODE_PARTIAL);
		rig_clear_twists(&rig);
		rig_boot(&rig);
		rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
		rig_require(&rig, rig_last_request(&rig, RIG_GET)->has_range == has_partial);
		rig_require(&rig, rig_is_image_stored(&rig));
		rig_close(&rig);
	}
}

/* ---- commands that are refused ---- */

static void set_nothing(struct fota_request *req)
{
	(void)req;
}
static void set_no_oem(struct fota_request *req)
{
	req->oem.len = 0;
}
static void set_no_model(struct fota_request *req)
{
	req->model.len = 0;
}
static void set_no_product(struct fota_request *req)
{
	req->product.len = 0;
}
static void set_word_product(struct fota_request *req)
{
	req->product = fota_bytes_of("15409x7004");
}
static void set_long_product(struct fota_request *req)
{
	req->product = fota_bytes_of("123456789012345678901");
}
static void set_short_secret(struct fota_request *req)
{
	req->secret = fota_bytes_of("f9bbb0d76f894da");
}
static void set_space_secret(struct fota_request *req)
{
	req->secret = fota_bytes_of("f9bbb0d76f894da ");
}
static void set_quote_secret(struct fota_request *req)
{
	req->secret = fota_bytes_of("f9bbb0d76f894da\"");
}
static void set_no_target(struct fota_request *req)
{
	req->target.len = 0;
}
static void set_other_oem(struct fota_request *req)
{
	req->oem = fota_bytes_of("OTHER");
}
static void set_other_model(struct fota_request *req)
{
	req->model = fota_bytes_of("OTHER");
}

static char long_text[130];

static void set_long_oem(struct fota_request *req)
{
	req->oem = (struct fota_bytes) { (const uint8_t *)long_text, 65 };
}

static void set_long_model(struct fota_request *req)
{
	req->model = (struct fota_bytes) { (const uint8_t *)long_text, 65 };
}

static void set_long_secret(struct fota_request *req)
{
	req->secret = (struct fota_bytes) { (const uint8_t *)long_text, 65 };
}

static void set_long_target(struct fota_request *req)
{
	req->target = (struct fota_bytes) { (const uint8_t *)long_text, 129 };
}

static const struct {
	const char *name;
	void (*set)(struct fota_request *req);
	int no_text; /* identity field that is empty, or -1 */
	enum fota_code code;
} refused_rows[] = {
	{ "no OEM", set_no_oem, -1, FOTA_CODE_BAD_PARAM },
	{ "no model", set_no_model, -1, FOTA_CODE_BAD_PARAM },
	{ "no product", set_no_product, -1, FOTA_CODE_BAD_PARAM },
	{ "product is no number", set_word_product, -1, FOTA_CODE_BAD_PARAM },
	{ "long product", set_long_product, -1, FOTA_CODE_BAD_PARAM },
	{ "short secret", set_short_secret, -1, FOTA_CODE_BAD_PARAM },
	{ "secret with a space", set_space_secret, -1, FOTA_CODE_BAD_PARAM },
	{ "secret with a quote", set_quote_secret, -1, FOTA_CODE_BAD_PARAM },
	{ "no target", set_no_target, -1, FOTA_CODE_BAD_PARAM },
	{ "long OEM", set_long_oem, -1, FOTA_CODE_BAD_PARAM },
	{ "long model", set_long_model, -1, FOTA_CODE_BAD_PARAM },
	{ "long secret", set_long_secret, -1, FOTA_CODE_BAD_PARAM },
	{ "long target", set_long_target, -1, FOTA_CODE_BAD_PARAM },
	{ "other OEM", set_other_oem, -1, FOTA_CODE_BAD_DEVICE },
	{ "other model", set_other_model, -1, FOTA_CODE_BAD_DEVICE },
	{ "module without a model", set_nothing, FOTA_IDENTITY_MODEL, FOTA_CODE_NO_DEVICE },
	{ "module without an identity", set_nothing, FOTA_IDENTITY_DEVICE, FOTA_CODE_NO_DEVICE },
	{ "module without a version", set_nothing, FOTA_IDENTITY_VERSION, FOTA_CODE_NO_CONFIG },
	{ "module without an OEM takes the command's", set_nothing, FOTA_IDENTITY_OEM, FOTA_CODE_NONE },
	{ "good", set_nothing, -1, FOTA_CODE_NONE },
};

static void a_command_that_is_refused_changes_nothing(void **state)
{
	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	for (size_t i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
		struct fota_request req = rig_request(&rig);
		struct fota_session before;
		enum fota_code code;

		if (!rig_case(&rig, "refused: %s", refused_rows[i].name)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 1 });
		refused_rows[i].set(&req);
		if (refused_rows[i].no_text >= 0) { rig.texts[refused_rows[i].no_text] = ""; }
		before = rig.session;
		code = fota_session_start(&rig.session, &req, 1);
		rig_require(&rig, code == refused_rows[i].code);
		if (code) { rig_require(&rig, memcmp(&before, &rig.session, sizeof(before)) == 0); }
		rig_close(&rig);
	}
}

static void a_command_while_a_session_runs_is_refused_and_does_not_disturb_it(void **state)
{
	struct fota_session_info info;

	(void)state;
	(void)rig_case(&rig, "nesting");
	rig_init(&rig, &(struct rig_cfg) { .is_async = true });
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	do {
		struct fota_session before = rig.session;

		rig_require(&rig, rig_start(&rig) == FOTA_CODE_NESTING);
		rig_require(&rig, memcmp(&before, &rig.session, sizeof(before)) == 0);
		fota_session_get(&rig.session, &info);
	} while (rig_step(&rig) && !rig.is_over);
	rig_finish(&rig);
	rig_require(&rig, strcmp(rig_codes(&rig), "2 3") == 0);
	rig_close(&rig);
}

static void a_service_that_is_off_refuses_sessions_and_installs(void **state)
{
	(void)state;
	(void)rig_case(&rig, "off");
	rig_init(&rig, &(struct rig_cfg) { .seed = 1 });
	fota_session_set_on(&rig.session, false);
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_BAD_OPERATION);
	rig_require(&rig, fota_session_cancel(&rig.session) == FOTA_CODE_BAD_OPERATION);
	fota_session_set_on(&rig.session, true);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, fota_session_cancel(&rig.session) == FOTA_CODE_BAD_OPERATION);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_tells_the_code_of_each_cause_on_the_network),
		cmocka_unit_test(partial_is_told_if_and_only_if_the_next_session_goes_on),
		cmocka_unit_test(a_command_that_is_refused_changes_nothing),
		cmocka_unit_test(a_command_while_a_session_runs_is_refused_and_does_not_disturb_it),
		cmocka_unit_test(a_service_that_is_off_refuses_sessions_and_installs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
