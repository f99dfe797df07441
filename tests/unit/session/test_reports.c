/* SPDX-License-Identifier: Apache-2.0 */
/* Final reports: who owes one, what it says, how often it is sent, what it survives,
 * and that nothing of a secret stays behind when the last one is acknowledged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "stride.h"

#define HOUR_MS 3600000u

static struct rig rig;

static unsigned pending(void)
{
	struct fota_session_info info;

	fota_session_get(&rig.session, &info);
	return info.pending_report_count;
}

static void no_reports(void)
{
	rig_twist(&rig, (struct rig_twist) { RIG_REPORT, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 });
}

static const struct {
	const char *name;
	struct rig_twist twist;
	unsigned report_count;
	uint64_t state, code, received;
} end_rows[] = {
	{ "success", { RIG_GET, RIG_FINE, 0, 0, 0, 0 }, 1, FOTA_REPORT_DOWNLOADED, 3, RIG_IMAGE_BYTES },
	{ "a part", { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_URL, 0, 0 }, 1, FOTA_REPORT_FAILED, 501, 8192 },
	{ "nothing", { RIG_GET, RIG_STATUS, 404, 0, 0, 0 }, 1, FOTA_REPORT_FAILED, 504, 0 },
	{ "corrupt", { RIG_GET, RIG_CORRUPT, 0, 0, 0, 0 }, 1, FOTA_REPORT_FAILED, 306, 0 },
	{ "too large", { RIG_CHECK, RIG_OFFER_SIZE, RIG_SLOT_BYTES + 1, 0, 0, 0 }, 1, FOTA_REPORT_FAILED, 301, 0 },
	{ "no offer", { RIG_CHECK, RIG_REFUSE, 1, 0, 0, 0 }, 0, 0, 0, 0 },
	{ "no answer", { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_CONNECT, 0, 0 }, 0, 0, 0, 0 },
};

static void a_session_that_had_an_offer_reports_its_end_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(end_rows) / sizeof(end_rows[0]); i++) {
		const struct rig_request *report;

		if (!rig_case(&rig, "end: %s", end_rows[i].name)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 1, .is_async = i % 2 == 0 });
		if (end_rows[i].twist.effect) { rig_twist(&rig, end_rows[i].twist); }
		(void)rig_play(&rig);
		rig_idle(&rig, HOUR_MS);
		rig_require(&rig, rig.http.counts[RIG_REPORT] == end_rows[i].report_count);
		rig_require(&rig, pending() == 0);
		if (end_rows[i].report_count == 0) { continue; }
		report = rig_last_request(&rig, RIG_REPORT);
		rig_require(&rig, report->report_state == end_rows[i].state);
		rig_require(&rig, report->report_code == end_rows[i].code);
		rig_require(&rig, report->report_received == end_rows[i].received);
		rig_require(&rig, rig.notices[rig.notice_count - 1].notice.kind == FOTA_NOTICE_REPORTED);
		rig_close(&rig);
	}
}

static void a_cancelled_session_reports_that_it_was(void **state)
{
	(void)state;
	(void)rig_case(&rig, "cancelled");
	rig_init(&rig, &(struct rig_cfg) { .seed = 2 });
	rig_stop_at(&rig, RIG_STOP_CANCEL, 20);
	(void)rig_play(&rig);
	rig_require(&rig, rig_final(&rig) == FOTA_CODE_CANCELLED);
	rig_idle(&rig, 1000);
	rig_require(&rig, rig_last_request(&rig, RIG_REPORT)->report_state == FOTA_REPORT_CANCELLED);
	rig_require(&rig, rig_last_request(&rig, RIG_REPORT)->report_code == FOTA_CODE_CANCELLED);
	rig_close(&rig);
}

static void a_report_that_is_not_taken_is_sent_again_with_the_same_id(void **state)
{
	static const struct rig_twist twists[] = {
		{ RIG_REPORT, RIG_FAIL, 0, FOTA_ERR_CONNECT, 1, 3 },
		{ RIG_REPORT, RIG_STATUS, 500, 0, 1, 3 },
		{ RIG_REPORT, RIG_STATUS, 403, 0, 1, 3 },
		{ RIG_REPORT, RIG_HANG, 0, 0, 1, 3 },
		{ RIG_REPORT, RIG_FORGED, 0, 0, 1, 3 },
		{ RIG_REPORT, RIG_REPLAYED, 0, 0, 1, 3 },
		{ RIG_REPORT, RIG_GARBAGE, 4096, 0, 1, 3 },
		{ RIG_REPORT, RIG_START_ERR, (uint64_t)FOTA_ERR_URL, 0, 1, 3 },
		{ RIG_REPORT, RIG_REFUSE, FOTA_REFUSAL_BUSY, 0, 1, 3 },
		{ RIG_REPORT, RIG_REFUSE, FOTA_REFUSAL_INTERNAL, 0, 1, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(twists) / sizeof(twists[0]); i++) {
		uint64_t gap = 0;

		if (!rig_case(&rig, "again %zu", i)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = (uint32_t)i });
		rig_twist(&rig, twists[i]);
		(void)rig_play(&rig);
		rig_idle(&rig, 10 * HOUR_MS);
		rig_require(&rig, rig.http.counts[RIG_REPORT] == 4 && pending() == 0);
		for (unsigned n = rig.request_count - 3; n < rig.request_count; n++) {
			const struct rig_request *before = &rig.requests[n - 1], *after = &rig.requests[n];

			rig_require(&rig, memcmp(before->report_id, after->report_id, FOTA_REPORT_ID_BYTES) == 0);
			rig_require(&rig, after->at_ms - before->at_ms >= 60000); /* no hammering */
			rig_require(&rig, after->at_ms - before->at_ms > gap);    /* less and less often */
			gap = after->at_ms - before->at_ms;
		}
		rig_close(&rig);
	}
}

static void a_refusal_that_stays_so_ends_a_report(void **state)
{
	static const unsigned refusals[] = { FOTA_REFUSAL_NONE, FOTA_REFUSAL_BAD_PARAMETER,
					     FOTA_REFUSAL_MISSING_FIELD };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		if (!rig_case(&rig, "refused for good %zu", i)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 3 });
		rig_twist(&rig, (struct rig_twist) { RIG_REPORT, RIG_REFUSE, refusals[i], 0, 0, 0 });
		(void)rig_play(&rig);
		rig_idle(&rig, 10 * HOUR_MS);
		rig_require(&rig, rig.http.counts[RIG_REPORT] == 1 && pending() == 0);
		rig_close(&rig);
	}
}

static void a_report_survives_restarts_and_is_delivered_once(void **state)
{
	uint8_t id[FOTA_REPORT_ID_BYTES];

	(void)state;
	(void)rig_case(&rig, "restart");
	rig_init(&rig, &(struct rig_cfg) { .seed = 4, .is_async = true });
	no_reports();
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_idle(&rig, 1000);
	memcpy(id, rig_last_request(&rig, RIG_REPORT)->report_id, sizeof(id));
	for (unsigned i = 0; i < 3; i++) {
		rig_boot(&rig);
		rig_idle(&rig, 1000);
		rig_require(&rig, pending() == 1);
	}
	rig_clear_twists(&rig);
	rig_boot(&rig);
	rig_idle(&rig, 1000);
	rig_require(&rig, pending() == 0);
	rig_require(&rig, memcmp(id, rig_last_request(&rig, RIG_REPORT)->report_id, sizeof(id)) == 0);
	rig_boot(&rig);
	rig.http.counts[RIG_REPORT] = 0;
	rig_idle(&rig, HOUR_MS);
	rig_require(&rig, rig.http.counts[RIG_REPORT] == 0);
	rig_close(&rig);
}

/* Six sessions while reports do not get through: the last four are kept. */
static void the_oldest_report_is_dropped_when_there_is_no_more_room(void **state)
{
	(void)state;
	(void)rig_case(&rig, "too many");
	rig_init(&rig, &(struct rig_cfg) { .seed = 5 });
	no_reports();
	for (unsigned i = 0; i < 6; i++) {
		rig_twist(&rig,
			  (struct rig_twist) { RIG_GET, RIG_FAIL, 0, i < 2 ? FOTA_ERR_URL : FOTA_ERR_REDIRECTS, 0, 0 });
		(void)rig_play(&rig);
		rig_require(&rig, pending() == (i < 4 ? i + 1 : 4));
		rig_clear_twists(&rig);
		no_reports();
	}
	rig_clear_twists(&rig);
	rig_boot(&rig);
	rig.http.counts[RIG_REPORT] = 0;
	rig_idle(&rig, HOUR_MS);
	rig_require(&rig, rig.http.counts[RIG_REPORT] == 4 && pending() == 0);
	for (unsigned n = rig.request_count - 4; n < rig.request_count; n++) {
		rig_require(&rig, rig.requests[n % RIG_REQUEST_MAX].report_code == FOTA_CODE_REDIRECTS);
	}
	rig_close(&rig);
}

/* A session that fails leaves no secret when its report was taken; one that succeeds leaves it
 * once, for the report of the installation. */
static void the_secret_is_in_the_journal_only_while_a_report_is_to_come(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bool is_good = i & 2;

		(void)rig_case(&rig, "secret %u", i);
		rig_init(&rig, &(struct rig_cfg) { .seed = 6, .is_async = i & 1 });
		no_reports();
		if (!is_good) { rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_CORRUPT, 77, 0, 0, 0 }); }
		rig_require(&rig, strcmp(rig_play(&rig), is_good ? "2 3" : "2 306") == 0);
		rig_idle(&rig, 1000);
		rig_require(&rig, rig_area_count(&rig.journal, RIG_SECRET) > is_good);
		rig_clear_twists(&rig);
		rig_idle(&rig, HOUR_MS);
		rig_require(&rig, pending() == 0);
		rig_require(&rig, rig_area_count(&rig.journal, RIG_SECRET) == is_good);
		rig_require(&rig, rig_area_count(&rig.slot, RIG_SECRET) == 0);
		rig_require(&rig, !memmem(rig.work, sizeof(rig.work), RIG_SECRET, strlen(RIG_SECRET)));
		if (is_good) { continue; }
		rig_require(&rig, !memmem(&rig.session, sizeof(rig.session), RIG_SECRET, strlen(RIG_SECRET)));
		rig_close(&rig);
	}
}

static void a_new_session_goes_before_a_report_and_the_report_is_not_lost(void **state)
{
	(void)state;
	(void)rig_case(&rig, "overtaken");
	rig_init(&rig, &(struct rig_cfg) { .seed = 7, .is_async = true });
	rig_twist(&rig, (struct rig_twist) { RIG_REPORT, RIG_HANG, 0, 0, 0, 0 });
	(void)rig_play(&rig);
	while (rig.http.counts[RIG_REPORT] == 0) {
		rig_require(&rig, rig_step(&rig));
	}
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, pending() == 2);
	rig_clear_twists(&rig);
	rig_idle(&rig, HOUR_MS);
	rig_require(&rig, pending() == 0);
	rig_close(&rig);
}

/* The report and FOTALAST say what the host was told, also when storage fails at the
 * very end. */
static void the_report_tells_what_the_host_was_told(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 140; n += stride()) {
		struct fota_session_info info;

		if (!rig_case(&rig, "same end: operation %u", n)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 8 });
		rig_fault(&rig, (struct rig_fault) { RIG_OP_IO, n, n });
		(void)rig_play(&rig);
		fota_session_get(&rig.session, &info);
		rig_require(&rig, info.last.code == rig_final(&rig));
		rig_require(&rig, (info.state == FOTA_STATE_READY) == (rig_final(&rig) == FOTA_CODE_DOWNLOADED));
		rig_idle(&rig, HOUR_MS);
		if (rig.http.counts[RIG_REPORT] == 0) { continue; }
		rig_require(&rig, rig_last_request(&rig, RIG_REPORT)->report_code == rig_final(&rig));
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_had_an_offer_reports_its_end_once),
		cmocka_unit_test(a_cancelled_session_reports_that_it_was),
		cmocka_unit_test(a_report_that_is_not_taken_is_sent_again_with_the_same_id),
		cmocka_unit_test(a_refusal_that_stays_so_ends_a_report),
		cmocka_unit_test(a_report_survives_restarts_and_is_delivered_once),
		cmocka_unit_test(the_oldest_report_is_dropped_when_there_is_no_more_room),
		cmocka_unit_test(the_secret_is_in_the_journal_only_while_a_report_is_to_come),
		cmocka_unit_test(a_new_session_goes_before_a_report_and_the_report_is_not_lost),
		cmocka_unit_test(the_report_tells_what_the_host_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
