/* SPDX-License-Identifier: Apache-2.0 */
/* A session that is stopped before any of the calls that feed it, by the host, by the
 * module or by its time limit, with storage that works or hangs. */
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

static const struct {
	const char *name;
	enum rig_stop stop;
	enum fota_code code;
} stop_rows[] = {
	{ "cancel", RIG_STOP_CANCEL, FOTA_CODE_CANCELLED },
	{ "off", RIG_STOP_OFF, FOTA_CODE_CANCELLED },
	{ "abort", RIG_STOP_ABORT, FOTA_CODE_ABORTED },
	{ "time", RIG_STOP_TIME, FOTA_CODE_INCOMPLETE },
};

static const struct rig_cfg cfgs[] = {
	{ .seed = 1 },
	{ .seed = 2, .is_async = true },
	{ .seed = 3, .is_async = true, .chunk_bytes = 5000, .slot_prog_bytes = 1, .work_bytes = 16384 },
};

#define CFG_COUNT  (sizeof(cfgs) / sizeof(cfgs[0]))
#define STOP_COUNT (sizeof(stop_rows) / sizeof(stop_rows[0]))

/* How a session stands when the stop comes. */
enum before { BEFORE_NOTHING, BEFORE_PART, BEFORE_REPORT, BEFORE_WHOLE, BEFORE_COUNT };

static const char *const before_names[] = { "fresh", "part", "report", "whole" };

/* An earlier session leaves something. */
static void prepare(enum before before)
{
	if (before == BEFORE_PART) {
		rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_FAIL, 9000, FOTA_ERR_URL, 0, 0 });
		(void)rig_play(&rig);
		rig_require(&rig, strcmp(rig_codes(&rig), "2 4 501") == 0);
	}
	if (before == BEFORE_REPORT) {
		rig_twist(&rig, (struct rig_twist) { RIG_REPORT, RIG_STATUS, 500, 0, 0, 0 });
		rig_twist(&rig, (struct rig_twist) { RIG_GET, RIG_STATUS, 404, 0, 0, 0 });
		(void)rig_play(&rig);
		rig_require(&rig, strcmp(rig_codes(&rig), "2 504") == 0);
	}
	if (before == BEFORE_WHOLE) { (void)rig_play(&rig); }
	rig_clear_twists(&rig);
	/* at once, before the report is delivered: it is stopped as well */
}

/* 4 tells the truth: what follows goes on from the part. */
static void go_on(bool has_partial)
{
	unsigned before = rig.http.counts[RIG_GET];
	bool is_resumed;

	rig_boot(&rig);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_require(&rig, rig_is_image_stored(&rig));
	is_resumed = rig.http.counts[RIG_GET] == before || rig_last_request(&rig, RIG_GET)->has_range;
	rig_require(&rig, is_resumed == has_partial);
	rig_idle(&rig, 60000);
	rig_require(&rig, rig.session.record.report_count == 0);
}

/* False when the session is over before its n-th call. */
static bool play_stop(const struct rig_cfg *cfg, enum before before, size_t row, uint32_t n)
{
	struct rig_cfg patient = *cfg;
	enum fota_code final;
	bool has_stopped;

	/* the hour that passes at once is not to be one in which storage did not answer */
	if (stop_rows[row].stop == RIG_STOP_TIME) { patient.limits.storage_ms = 2 * 3600000; }
	rig_init(&rig, &patient);
	prepare(before);
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	rig_stop_at(&rig, stop_rows[row].stop, n);
	rig_finish(&rig);
	final = rig_final(&rig);
	has_stopped = rig.has_stopped;
	rig_require(&rig, final == FOTA_CODE_DOWNLOADED || (has_stopped && final == stop_rows[row].code));
	rig_idle(&rig, 1000); /* nothing more is told: the rig checks it */
	if (final != FOTA_CODE_DOWNLOADED) { go_on(rig_has_code(&rig, FOTA_CODE_PARTIAL)); }
	rig_close(&rig);
	return has_stopped;
}

static void a_stop_at_any_call_ends_the_session_with_one_code_and_a_truthful_4(void **state)
{
	(void)state;
	for (size_t c = 0; c < CFG_COUNT; c++) {
		for (unsigned before = 0; before < BEFORE_COUNT; before++) {
			for (size_t row = 0; row < STOP_COUNT; row++) {
				bool goes_on = true;

				for (uint32_t n = 1; goes_on; n += stride()) {
					if (!rig_case(&rig, "stop %s %s: config %zu, call %u", before_names[before],
						      stop_rows[row].name, c, n)) {
						goes_on = n < 1000;
						continue;
					}
					goes_on = play_stop(&cfgs[c], (enum before)before, row, n);
				}
			}
		}
	}
}

/* Both at once: an operation hangs, and the host does not want to wait for it. */
static void play_hang(const struct rig_cfg *cfg, size_t row, uint32_t op, uint32_t wait)
{
	enum fota_code final;
	uint64_t begun;

	rig_init(&rig, cfg);
	rig_finish(&rig);
	rig_fault(&rig, (struct rig_fault) { RIG_OP_HANG, op, op });
	rig_boot(&rig);
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	while (!rig.slot.is_hung && !rig.journal.is_hung && !rig.is_over) {
		rig_require(&rig, rig_step(&rig));
	}
	begun = rig.now_ms;
	rig_stop_at(&rig, stop_rows[row].stop, wait);
	if (wait == 0 && stop_rows[row].stop == RIG_STOP_CANCEL) { (void)!fota_session_cancel(&rig.session); }
	rig_finish(&rig);
	rig_stop_at(&rig, RIG_STOP_NONE, 0);
	final = rig_final(&rig);
	rig_require(&rig,
		    final == stop_rows[row].code || final == FOTA_CODE_IO_TIMEOUT || final == FOTA_CODE_DOWNLOADED);
	rig_require(&rig, stop_rows[row].stop == RIG_STOP_TIME || rig.now_ms - begun < 60000);
	rig_heal(&rig);
	fota_session_set_on(&rig.session, true);
	if (stop_rows[row].stop == RIG_STOP_ABORT) { rig_boot(&rig); }
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_close(&rig);
}

static void a_stop_while_storage_hangs_ends_the_session_within_the_limit_of_storage(void **state)
{
	(void)state;
	for (size_t row = 0; row < STOP_COUNT; row++) {
		for (uint32_t op = 1; op < 120; op += stride()) {
			for (uint32_t wait = 0; wait < 3; wait++) {
				if (!rig_case(&rig, "hang, stop %s: operation %u, %u calls", stop_rows[row].name, op,
					      wait)) {
					continue;
				}
				play_hang(&cfgs[op % CFG_COUNT], row, op, wait);
			}
		}
	}
}

static void a_module_that_goes_down_becomes_quiet_and_takes_no_session(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 100; n += stride()) {
		unsigned steps = 0;

		if (!rig_case(&rig, "going down: step %u", n)) { continue; }
		rig_init(&rig, &cfgs[1]);
		(void)!rig_start(&rig);
		for (uint32_t i = 0; i < n && rig_step(&rig); i++) {}
		fota_session_abort(&rig.session);
		while (!fota_session_is_quiet(&rig.session)) {
			rig_require(&rig, ++steps < 100 && rig_step(&rig));
		}
		rig_require(&rig, rig_start(&rig) == FOTA_CODE_ABORTED);
		rig_require(&rig, rig.is_over && !rig.http.is_active);
		rig_require(&rig, fota_session_next_ms(&rig.session) == UINT32_MAX);
		rig_close(&rig);
	}
}

static void a_stop_of_nothing_stops_nothing_later(void **state)
{
	(void)state;
	(void)rig_case(&rig, "stop of nothing");
	rig_init(&rig, &cfgs[0]);
	rig_require(&rig, fota_session_cancel(&rig.session) == FOTA_CODE_BAD_OPERATION);
	fota_session_set_on(&rig.session, false);
	fota_session_set_on(&rig.session, true);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_close(&rig);
}

static void the_first_of_several_reasons_to_stop_counts(void **state)
{
	(void)state;
	(void)rig_case(&rig, "two reasons");
	rig_init(&rig, &cfgs[0]);
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	rig_require(&rig, fota_session_cancel(&rig.session) == FOTA_CODE_NONE);
	fota_session_abort(&rig.session);
	rig_finish(&rig);
	rig_require(&rig, strcmp(rig_codes(&rig), "307") == 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stop_at_any_call_ends_the_session_with_one_code_and_a_truthful_4),
		cmocka_unit_test(a_stop_while_storage_hangs_ends_the_session_within_the_limit_of_storage),
		cmocka_unit_test(a_module_that_goes_down_becomes_quiet_and_takes_no_session),
		cmocka_unit_test(a_stop_of_nothing_stops_nothing_later),
		cmocka_unit_test(the_first_of_several_reasons_to_stop_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
