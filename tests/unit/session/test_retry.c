/* SPDX-License-Identifier: Apache-2.0 */
/* Tries inside one session: how many, when, from which byte, and what makes them count
 * anew; starting over where a server does not continue; the platform's wish to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "stride.h"

static struct rig rig;

static void begin(const char *name, const struct rig_cfg *cfg)
{
	(void)rig_case(&rig, "%s", name);
	rig_init(&rig, cfg);
}

/* The codes of the session that is played now. */
static void expect(const char *codes)
{
	bool is_same = strcmp(rig_play(&rig), codes) == 0;

	if (!is_same) { print_error("expected: %s\n", codes); }
	rig_require(&rig, is_same);
}

static unsigned retry_delays(uint64_t *delays, unsigned cap)
{
	unsigned count = 0;

	for (unsigned i = rig.first_notice; i < rig.notice_count && count < cap; i++) {
		if (rig.notices[i].notice.kind == FOTA_NOTICE_RETRY) {
			delays[count++] = rig.notices[i].notice.delay_ms;
		}
	}
	return count;
}

static void a_network_failure_is_tried_again_four_times_by_default(void **state)
{
	uint64_t delays[8];

	(void)state;
	begin("default count", &(struct rig_cfg) { .seed = 1 });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
	expect("503");
	rig_require(&rig, rig.http.counts[RIG_CHECK] == 5);
	rig_require(&rig, retry_delays(delays, 8) == 4);
	rig_close(&rig);
}

static void the_number_of_tries_is_a_setting_and_may_be_none(void **state)
{
	(void)state;
	begin("none", &(struct rig_cfg) { .limits = { .retry_count = FOTA_RETRY_NONE } });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
	expect("503");
	rig_require(&rig, rig.http.counts[RIG_CHECK] == 1);
	rig_close(&rig);
	begin("seven", &(struct rig_cfg) { .limits = { .retry_count = 7 } });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
	expect("503");
	rig_require(&rig, rig.http.counts[RIG_CHECK] == 8);
	rig_close(&rig);
}

static void delays_double_up_to_the_limit_with_a_quarter_at_random(void **state)
{
	uint64_t delays[16];
	unsigned low = 0, high = 0;

	(void)state;
	for (uint32_t seed = 0; seed < 50; seed += stride()) {
		uint64_t base = 1000;

		if (!rig_case(&rig, "delays: seed %u", seed)) { continue; }
		rig_init(&rig,
			 &(struct rig_cfg) { .seed = seed, .limits = { .retry_count = 10, .retry_max_ms = 20000 } });
		rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
		expect("503");
		rig_require(&rig, retry_delays(delays, 16) == 10);
		for (unsigned i = 0; i < 10; i++) {
			rig_require(&rig, delays[i] >= base - base / 4 && delays[i] <= base + base / 4);
			low += delays[i] < base - base / 8;
			high += delays[i] > base + base / 8;
			base = base * 2 < 20000 ? base * 2 : 20000;
		}
		rig_close(&rig);
	}
	assert_true(!is_whole_run() || (low > 50 && high > 50)); /* it really is spread */
}

static void a_delay_is_waited_for(void **state)
{
	uint64_t delays[8];

	(void)state;
	begin("waits", &(struct rig_cfg) { .seed = 5 });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_RESOLVE, 1, 1 });
	expect("2 3");
	rig_require(&rig, retry_delays(delays, 8) == 1);
	rig_require(&rig, rig.requests[1].at_ms - rig.requests[0].at_ms >= delays[0]);
	rig_require(&rig, rig.requests[1].at_ms - rig.requests[0].at_ms <= delays[0] + 5);
	rig_close(&rig);
}

static void a_module_without_random_numbers_still_waits(void **state)
{
	uint64_t delays[8];

	(void)state;
	begin("no random", &(struct rig_cfg) { .seed = 5 });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_RESOLVE, 0, 0 });
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	while (rig.request_count == 0) {
		rig_require(&rig, rig_step(&rig));
	}
	rig.is_random_broken = true;
	rig_finish(&rig); /* the second check has no nonce: an internal error */
	rig_require(&rig, strcmp(rig_codes(&rig), "405") == 0);
	rig_require(&rig, retry_delays(delays, 8) == 1 && delays[0] == 1000);
	rig_close(&rig);
}

/* 20000 bytes, 3000 more with each try: many more breaks than tries are allowed. */
static void progress_makes_the_tries_count_anew(void **state)
{
	(void)state;
	begin("anew",
	      &(struct rig_cfg) { .slot_erase_bytes = 1024, .limits = { .retry_count = 1, .sync_bytes = 1024 } });
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	for (unsigned i = 1; i <= 9; i++) {
		while (rig.http.counts[RIG_GET] < i && rig_step(&rig)) {}
		if (rig.http.counts[RIG_GET] == i && !rig.is_over) {
			rig.http.twist =
				(struct rig_twist) { RIG_GET, RIG_FAIL, rig.http.off + 3000, FOTA_ERR_RECEIVE, 0, 0 };
		}
	}
	rig_finish(&rig);
	rig_require(&rig, strcmp(rig_codes(&rig), "2 3") == 0);
	rig_require(&rig, rig.http.counts[RIG_GET] > 5);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_close(&rig);
}

static void a_break_is_continued_from_the_last_synced_byte_with_the_tag_of_the_image(void **state)
{
	const struct rig_request *get;

	(void)state;
	begin("continue", &(struct rig_cfg) { .seed = 6 });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_RECEIVE, 1, 1 });
	expect("2 3");
	get = rig_last_request(&rig, RIG_GET);
	rig_require(&rig, get->has_range && get->range_start == 8192);
	rig_require(&rig, strlen(get->if_range) == 66 && get->if_range[0] == '"' && get->if_range[65] == '"');
	rig_require(&rig, strcmp(get->url, RIG_SERVER "/p/image.bin") == 0);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_close(&rig);
}

static void a_package_elsewhere_is_continued_without_a_tag(void **state)
{
	const struct rig_request *get;

	(void)state;
	begin("elsewhere", &(struct rig_cfg) { .seed = 6 });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_OFFER_URL, 1, 0, 0, 0 });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_RECEIVE, 1, 1 });
	expect("2 3");
	get = rig_last_request(&rig, RIG_GET);
	rig_require(&rig, get->has_range && get->if_range[0] == 0);
	rig_require(&rig, strcmp(get->url, rig_urls[1]) == 0);
	rig_close(&rig);
}

static void a_restarted_module_continues_what_it_had(void **state)
{
	(void)state;
	begin("restart", &(struct rig_cfg) { .seed = 7, .is_async = true });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 13000, FOTA_ERR_URL, 1, 1 });
	expect("2 4 501");
	rig_boot(&rig);
	expect("2 3");
	rig_require(&rig, rig_last_request(&rig, RIG_GET)->range_start == 12288);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_close(&rig);
}

static void a_whole_image_is_only_verified_again(void **state)
{
	(void)state;
	begin("whole", &(struct rig_cfg) { .seed = 7 });
	expect("2 3");
	rig_boot(&rig);
	expect("2 3");
	rig_require(&rig, rig.http.counts[RIG_GET] == 1);
	rig_close(&rig);
}

static void an_offer_of_another_image_begins_from_the_start(void **state)
{
	(void)state;
	begin("other", &(struct rig_cfg) { .seed = 8 });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 13000, FOTA_ERR_URL, 1, 1 });
	expect("2 4 501");
	memset(rig.image, 0x77, sizeof(rig.image));
	expect("2 3");
	rig_require(&rig, !rig_last_request(&rig, RIG_GET)->has_range);
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_close(&rig);
}

static void an_error_status_of_the_package_asks_for_a_new_link(void **state)
{
	(void)state;
	begin("new link", &(struct rig_cfg) { .seed = 9 });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_STATUS, 403, 0, 1, 2 });
	expect("2 3");
	rig_require(&rig, rig.http.counts[RIG_CHECK] == 3 && rig.http.counts[RIG_GET] == 3);
	rig_close(&rig);
}

/* ---- starting over ---- */

static const struct {
	const char *name;
	struct rig_twist twist; /* of the first request of the second session */
	const char *codes;
	unsigned get_count; /* of the second session */
} over_rows[] = {
	{ "200 with everything", { RIG_GET, RIG_WHOLE, 0, 0, 1, 1 }, "2 3", 1 },
	{ "416", { RIG_GET, RIG_STATUS, 416, 0, 1, 1 }, "2 3", 2 },
	{ "206 from elsewhere", { RIG_GET, RIG_OTHER_START, 0, 0, 1, 1 }, "2 3", 2 },
	{ "206 of another total", { RIG_GET, RIG_OTHER_TOTAL, 0, 0, 1, 1 }, "2 3", 2 },
	{ "206 without a range", { RIG_GET, RIG_NO_RANGE, 0, 0, 1, 1 }, "2 3", 2 },
	{ "206 of an unknown total is fine", { RIG_GET, RIG_NO_TOTAL, 0, 0, 1, 1 }, "2 3", 1 },
	{ "416 for ever", { RIG_GET, RIG_STATUS, 416, 0, 0, 0 }, "2 507", 6 },
	{ "200 that breaks at once", { RIG_GET, RIG_STATUS, 500, 0, 0, 0 }, "2 4 504", 5 },
};

static void a_part_that_the_server_does_not_continue_is_begun_anew(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(over_rows) / sizeof(over_rows[0]); i++) {
		unsigned before;

		if (!rig_case(&rig, "over: %s", over_rows[i].name)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 10, .is_async = i % 2 == 0 });
		rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_URL, 1, 1 });
		expect("2 4 501");
		rig_clear_twists(&rig);
		rig_twist(&rig, over_rows[i].twist);
		before = rig.http.counts[RIG_GET];
		expect(over_rows[i].codes);
		rig_require(&rig, rig.http.counts[RIG_GET] - before == over_rows[i].get_count);
		if (rig_final(&rig) == FOTA_CODE_DOWNLOADED) { rig_require(&rig, rig_is_image_stored(&rig)); }
		rig_close(&rig);
	}
}

static void a_server_that_leaves_the_range_within_a_session_is_not_in_range(void **state)
{
	static const enum rig_effect effects[] = { RIG_OTHER_START, RIG_OTHER_TOTAL, RIG_NO_RANGE };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		if (!rig_case(&rig, "range %zu", i)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 11 });
		rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_RECEIVE, 1, 1 });
		rig_twist(&rig, (struct rig_twist) { RIG_GET, effects[i], 0, 0, 2, 99 });
		expect("2 4 505");
		rig_close(&rig);
	}
}

static void a_whole_answer_within_a_session_replaces_the_part(void **state)
{
	(void)state;
	begin("whole answer", &(struct rig_cfg) { .seed = 12, .is_async = true });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_RECEIVE, 1, 1 });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_WHOLE, 0, 0, 2, 2 });
	expect("2 3");
	rig_require(&rig, rig_is_image_stored(&rig));
	rig_close(&rig);
}

/* ---- the platform's wishes ---- */

static void a_busy_platform_is_asked_again_when_it_says(void **state)
{
	(void)state;
	begin("busy", &(struct rig_cfg) { .seed = 13 });
	rig.retry_after_s = 120;
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_REFUSE, FOTA_REFUSAL_BUSY, 0, 1, 2 });
	expect("2 3");
	rig_require(&rig, rig.http.counts[RIG_CHECK] == 3);
	rig_require(&rig, rig.requests[1].at_ms - rig.requests[0].at_ms >= 120000);
	rig_require(&rig, rig.requests[2].at_ms - rig.requests[1].at_ms >= 120000);
	rig_close(&rig);
}

static void a_wish_to_wait_beyond_the_session_ends_it_at_its_limit(void **state)
{
	static const uint64_t waits_s[] = { 3600, 100000, UINT64_MAX / 1000, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		if (!rig_case(&rig, "long wait %zu", i)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 14 });
		rig.retry_after_s = waits_s[i];
		rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_REFUSE, FOTA_REFUSAL_BUSY, 0, 0, 0 });
		expect("509");
		rig_require(&rig, rig.http.counts[RIG_CHECK] == 1);
		rig_require(&rig, rig.now_ms >= 3600000 && rig.now_ms < 3602000);
		rig_close(&rig);
	}
}

static void a_busy_platform_that_names_no_time_is_not_hammered(void **state)
{
	(void)state;
	begin("busy without a time", &(struct rig_cfg) { .seed = 15 });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_REFUSE, FOTA_REFUSAL_BUSY, 0, 0, 0 });
	expect("509");
	rig_require(&rig, rig.http.counts[RIG_CHECK] < 200);
	rig_close(&rig);
}

static void a_wrong_clock_is_corrected_once_from_the_platform(void **state)
{
	static const uint64_t clocks_s[] = { 0, 1, RIG_UNIX_S - 301, RIG_UNIX_S + 3600, UINT64_C(1) << 40 };

	(void)state;
	for (size_t i = 0; i < sizeof(clocks_s) / sizeof(clocks_s[0]); i++) {
		if (!rig_case(&rig, "clock %zu", i)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 16 });
		rig.is_skew_checked = true;
		rig.unix_s = clocks_s[i];
		expect("2 3");
		rig_require(&rig, rig.http.counts[RIG_CHECK] == 2);
		rig_idle(&rig, 100000);
		rig_require(&rig, rig.http.counts[RIG_REPORT] == 1); /* with the learned time */
		expect("2 3");
		rig_require(&rig, rig.http.counts[RIG_CHECK] == 3); /* which is kept */
		rig_close(&rig);
	}
}

static void the_time_limit_counts_waits_as_well(void **state)
{
	(void)state;
	begin("limit",
	      &(struct rig_cfg) { .limits = { .session_ms = 10000, .retry_count = 100, .retry_base_ms = 3000 } });
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
	expect("509");
	rig_require(&rig, rig.now_ms >= 11000 && rig.now_ms < 11010);
	rig_close(&rig);
}

/* ---- URLs ---- */

static const struct {
	const char *server;
	bool allow_plain;
	unsigned offer; /* of rig_urls */
	const char *codes;
	const char *check_url, *package_url;
} url_rows[] = {
	{ "https://a", false, 0, "2 3", "https://a/device/v1/check", "https://a/p/image.bin" },
	{ "https://a/", false, 0, "2 3", "https://a/device/v1/check", "https://a/p/image.bin" },
	{ "https://a:8443/fota", false, 0, "2 3", "https://a:8443/fota/device/v1/check", "https://a:8443/p/image.bin" },
	{ "https://a/fota/", false, 1, "2 3", "https://a/fota/device/v1/check", "https://cdn.example/image.bin?sig=1" },
	{ "http://a", true, 0, "2 3", "http://a/device/v1/check", "http://a/p/image.bin" },
	{ "http://a", true, 1, "2 3", "http://a/device/v1/check", "https://cdn.example/image.bin?sig=1" },
	{ "http://a", true, 2, "2 3", "http://a/device/v1/check", "http://cdn.example/image.bin" },
	{ "https://a", true, 2, "2 501", "https://a/device/v1/check", NULL },
	{ "HTTPS://a", true, 2, "2 501", "HTTPS://a/device/v1/check", NULL },
	{ "https://a", false, 2, "2 501", "https://a/device/v1/check", NULL },
	{ "http://a", true, 3, "2 501", "http://a/device/v1/check", NULL },
};

static void a_package_may_lie_elsewhere_but_never_outside_of_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(url_rows) / sizeof(url_rows[0]); i++) {
		struct rig_cfg cfg = { .server = url_rows[i].server, .allow_plain = url_rows[i].allow_plain };

		if (!rig_case(&rig, "url %zu", i)) { continue; }
		rig_init(&rig, &cfg);
		if (url_rows[i].offer) {
			rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_OFFER_URL, url_rows[i].offer, 0, 0, 0 });
		}
		expect(url_rows[i].codes);
		rig_require(&rig, strcmp(rig_last_request(&rig, RIG_CHECK)->url, url_rows[i].check_url) == 0);
		if (url_rows[i].package_url) {
			rig_require(&rig, strcmp(rig_last_request(&rig, RIG_GET)->url, url_rows[i].package_url) == 0);
		}
		rig_require(&rig, url_rows[i].package_url || rig.http.counts[RIG_GET] == 0);
		rig_close(&rig);
	}
}

/* The journal still names the old part then: nothing may be put over it. */
static void a_journal_that_fails_after_the_network_did_ends_a_session_that_starts_over(void **state)
{
	struct fota_http_event fail = { .kind = FOTA_HTTP_FAIL, .err = FOTA_ERR_RECEIVE };
	size_t taken;

	(void)state;
	begin("network, then journal", &(struct rig_cfg) { .seed = 1, .is_async = true });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_URL, 1, 1 });
	expect("2 4 501");
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_WHOLE, 0, 0, 1, 1 });
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	while (rig.http.counts[RIG_GET] < 2 || !rig.journal.sim.is_pending) {
		rig_require(&rig, rig_step(&rig));
	}
	rig.http.is_active = false;
	rig_require(&rig, fota_session_http(&rig.session, &fail, &taken) == FOTA_ERR_OK);
	rig.journal.sim.result = FOTA_ERR_IO;
	rig_finish(&rig);
	rig_require(&rig, strcmp(rig_codes(&rig), "2 507") == 0);
	rig_require(&rig, rig.http.counts[RIG_GET] == 2);
	rig_close(&rig);
}

static void a_part_of_another_package_than_the_one_offered_is_not_promised(void **state)
{
	(void)state;
	begin("another offer", &(struct rig_cfg) { .seed = 1 });
	rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_URL, 1, 1 });
	expect("2 4 501");
	rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_OFFER_SIZE, RIG_SLOT_BYTES + 1, 0, 1, 1 });
	expect("301");
	expect("2 3"); /* the part is still good for the old offer */
	rig_require(&rig, rig_last_request(&rig, RIG_GET)->has_range);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_failure_is_tried_again_four_times_by_default),
		cmocka_unit_test(the_number_of_tries_is_a_setting_and_may_be_none),
		cmocka_unit_test(delays_double_up_to_the_limit_with_a_quarter_at_random),
		cmocka_unit_test(a_delay_is_waited_for),
		cmocka_unit_test(a_module_without_random_numbers_still_waits),
		cmocka_unit_test(progress_makes_the_tries_count_anew),
		cmocka_unit_test(a_break_is_continued_from_the_last_synced_byte_with_the_tag_of_the_image),
		cmocka_unit_test(a_package_elsewhere_is_continued_without_a_tag),
		cmocka_unit_test(a_restarted_module_continues_what_it_had),
		cmocka_unit_test(a_whole_image_is_only_verified_again),
		cmocka_unit_test(an_offer_of_another_image_begins_from_the_start),
		cmocka_unit_test(an_error_status_of_the_package_asks_for_a_new_link),
		cmocka_unit_test(a_part_that_the_server_does_not_continue_is_begun_anew),
		cmocka_unit_test(a_server_that_leaves_the_range_within_a_session_is_not_in_range),
		cmocka_unit_test(a_whole_answer_within_a_session_replaces_the_part),
		cmocka_unit_test(a_busy_platform_is_asked_again_when_it_says),
		cmocka_unit_test(a_wish_to_wait_beyond_the_session_ends_it_at_its_limit),
		cmocka_unit_test(a_busy_platform_that_names_no_time_is_not_hammered),
		cmocka_unit_test(a_wrong_clock_is_corrected_once_from_the_platform),
		cmocka_unit_test(the_time_limit_counts_waits_as_well),
		cmocka_unit_test(a_package_may_lie_elsewhere_but_never_outside_of_tls),
		cmocka_unit_test(a_journal_that_fails_after_the_network_did_ends_a_session_that_starts_over),
		cmocka_unit_test(a_part_of_another_package_than_the_one_offered_is_not_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
