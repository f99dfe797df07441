/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the state machine: each phase with each event, and what a session shows
 * of itself. Uses the session's own header, since phases are nobody else's business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "session/internal.h"

static struct rig rig;

static const char *const phase_names[] = {
#define PHASE_NAME(name) #name,
	PHASE_LIST(PHASE_NAME)
#undef PHASE_NAME
};

static const char *const event_names[] = {
#define EVENT_NAME(name) #name,
	EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
};

#define BIT(event) (1u << EVENT_##event)

/* The pairs that mean something, written down a second time. */
static const unsigned expected[PHASE_COUNT] = {
	[PHASE_LOADING] = BIT(JOB_DONE) | BIT(JOB_FAIL),
	[PHASE_IDLE] = BIT(BEGIN),
	[PHASE_CHECKING] = BIT(DONE) | BIT(FAIL) | BIT(STOP),
	[PHASE_WAITING] = BIT(TIMER) | BIT(JOB_FAIL) | BIT(STOP),
	[PHASE_PREPARING] = BIT(JOB_DONE) | BIT(JOB_FAIL) | BIT(FAIL) | BIT(STOP),
	[PHASE_DOWNLOADING] = BIT(DONE) | BIT(FAIL) | BIT(JOB_FAIL) | BIT(STOP),
	[PHASE_FLUSHING] = BIT(JOB_DONE) | BIT(JOB_FAIL) | BIT(STOP),
	[PHASE_VERIFYING] = BIT(JOB_DONE) | BIT(JOB_FAIL) | BIT(STOP),
	[PHASE_SAVING] = BIT(JOB_DONE) | BIT(JOB_FAIL),
	[PHASE_REPORTING] = BIT(DONE) | BIT(FAIL) | BIT(TIMER) | BIT(BEGIN) | BIT(STOP),
	[PHASE_ACKING] = BIT(JOB_DONE) | BIT(JOB_FAIL),
	[PHASE_INSTALLING] = BIT(INSTALL_DONE) | BIT(INSTALL_FAIL) | BIT(STOP),
	[PHASE_SETTLING] = BIT(JOB_DONE) | BIT(JOB_FAIL),
};

/* Plays a session that comes by `phase`, up to it. */
static void go_to(enum session_phase phase)
{
	rig_init(&rig, &(struct rig_cfg) { .seed = 1, .is_async = true, .has_installer = phase == PHASE_INSTALLING });
	if (phase == PHASE_WAITING) {
		rig_twist(&rig, (struct rig_twist) { RIG_CHECK, RIG_FAIL, 0, FOTA_ERR_STALL, 1, 1 });
	}
	if (phase == PHASE_LOADING) { return; }
	rig_finish(&rig);
	if (phase == PHASE_IDLE) { return; }
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	if (phase == PHASE_INSTALLING || phase == PHASE_SETTLING) {
		rig_finish(&rig);
		rig_idle(&rig, 1000);
		rig_require(&rig, fota_session_install(&rig.session) == FOTA_CODE_NONE);
	}
	while (rig.session.phase != phase) {
		rig_require(&rig, rig_step(&rig));
	}
}

static void an_event_that_means_nothing_in_a_phase_has_no_effect(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASE_COUNT; phase++) {
		for (unsigned event = 0; event < EVENT_COUNT; event++) {
			struct fota_session before;
			unsigned notices;
			uint32_t ops;

			if (expected[phase] >> event & 1) { continue; }
			if (!rig_case(&rig, "%s x %s", phase_names[phase], event_names[event])) { continue; }
			go_to((enum session_phase)phase);
			before = rig.session;
			notices = rig.notice_count;
			ops = rig.op_count;
			session_raise(&rig.session, (enum session_event)event);
			session_pump(&rig.session);
			memset(rig.session.events, 0, sizeof(rig.session.events));
			memset(before.events, 0, sizeof(before.events));
			rig_require(&rig, memcmp(&before, &rig.session, sizeof(before)) == 0);
			rig_require(&rig, rig.notice_count == notices && rig.op_count == ops);
			rig_close(&rig);
		}
	}
}

static void an_event_that_means_something_moves_the_session_on(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < PHASE_COUNT; phase++) {
		for (unsigned event = 0; event < EVENT_COUNT; event++) {
			struct fota_session before;

			if (!(expected[phase] >> event & 1)) { continue; }
			if (!rig_case(&rig, "%s < %s", phase_names[phase], event_names[event])) { continue; }
			/* only from inside a flush that is already the end can it change nothing */
			if (phase == PHASE_FLUSHING && event == EVENT_STOP) { continue; }
			go_to((enum session_phase)phase);
			if (event == EVENT_BEGIN) { rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE); }
			if (event == EVENT_STOP) { rig.session.stop_code = FOTA_CODE_CANCELLED; }
			if (event == EVENT_FAIL || event == EVENT_JOB_FAIL) { rig.session.fail_code = FOTA_CODE_IO; }
			/* what fails or ends does so before it is told */
			rig.session.io.job = JOB_NONE;
			rig.session.io.is_pending = rig.slot.sim.is_pending = rig.journal.sim.is_pending = false;
			before = rig.session;
			session_raise(&rig.session, (enum session_event)event);
			session_pump(&rig.session);
			rig_require(&rig, before.phase != rig.session.phase || before.io.job != rig.session.io.job ||
						  before.end_code != rig.session.end_code);
		}
	}
}

static void the_state_that_a_host_sees_follows_the_session(void **state)
{
	static const enum fota_state states[] = { FOTA_STATE_CHECKING, FOTA_STATE_DOWNLOADING, FOTA_STATE_VERIFYING,
						  FOTA_STATE_READY };
	struct fota_session_info info;
	unsigned at = 0;

	(void)state;
	(void)rig_case(&rig, "states");
	rig_init(&rig, &(struct rig_cfg) { .seed = 2, .is_async = true });
	rig_finish(&rig);
	fota_session_get(&rig.session, &info);
	rig_require(&rig, info.state == FOTA_STATE_IDLE && !info.is_running && info.is_on && info.last.code == 0);
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	do {
		fota_session_get(&rig.session, &info);
		if (info.state != states[at]) { at++; }
		rig_require(&rig, at < 4 && info.state == states[at]); /* in this order, none twice */
		rig_require(&rig, info.received_bytes <= rig.image_bytes);
	} while (rig_step(&rig) && at < 3);
	rig_require(&rig, at == 3 && info.total_bytes == rig.image_bytes);
	rig_require(&rig, fota_bytes_is_equal(info.target, fota_bytes_of(RIG_TARGET)));
	rig_close(&rig);
}

static void a_session_waits_for_the_journal_that_is_still_being_read(void **state)
{
	(void)state;
	(void)rig_case(&rig, "early");
	rig_init(&rig, &(struct rig_cfg) { .seed = 3, .is_async = true });
	rig_require(&rig, rig.session.phase == PHASE_LOADING);
	rig_require(&rig, strcmp(rig_play(&rig), "2 3") == 0);
	rig_close(&rig);
}

/* ---- configurations that cannot work ---- */

static void no_http(struct fota_session_cfg *cfg)
{
	cfg->http = NULL;
}
static void no_slot(struct fota_session_cfg *cfg)
{
	cfg->slots[0] = NULL;
}
static void no_journal(struct fota_session_cfg *cfg)
{
	cfg->journal = NULL;
}
static void no_clock(struct fota_session_cfg *cfg)
{
	cfg->clock = NULL;
}
static void no_random(struct fota_session_cfg *cfg)
{
	cfg->random = NULL;
}
static void no_crypto(struct fota_session_cfg *cfg)
{
	cfg->crypto = NULL;
}
static void no_identity(struct fota_session_cfg *cfg)
{
	cfg->identity = NULL;
}
static void little_work(struct fota_session_cfg *cfg)
{
	cfg->work.cap = FOTA_WORK_MIN_BYTES - 1;
}
static void no_work(struct fota_session_cfg *cfg)
{
	cfg->work = (struct fota_room) { NULL, 0 };
}

static struct fota_flash bent;

static void bend(struct fota_session_cfg *cfg)
{
	bent = *cfg->slots[0];
	cfg->slots[0] = &bent;
}

static void slot_without_erase(struct fota_session_cfg *cfg)
{
	bend(cfg);
	bent.erase = NULL;
}

static void slot_without_erase_unit(struct fota_session_cfg *cfg)
{
	bend(cfg);
	bent.erase_bytes = 0;
}

static void slot_without_prog_unit(struct fota_session_cfg *cfg)
{
	bend(cfg);
	bent.prog_bytes = 0;
}

static void slot_with_odd_prog_unit(struct fota_session_cfg *cfg)
{
	bend(cfg);
	bent.prog_bytes = 48;
}

static void slot_with_odd_area(struct fota_session_cfg *cfg)
{
	bend(cfg);
	bent.area_bytes++;
}

static void slot_with_large_prog_unit(struct fota_session_cfg *cfg)
{
	bend(cfg);
	bent.prog_bytes = 4096;
}

static void small_journal(struct fota_session_cfg *cfg)
{
	bent = *cfg->journal;
	bent.area_bytes = 4096;
	cfg->journal = &bent;
}

static const struct {
	const char *name;
	void (*spoil)(struct fota_session_cfg *cfg);
} cfg_rows[] = {
	{ "no http", no_http },
	{ "no slot", no_slot },
	{ "no journal", no_journal },
	{ "no clock", no_clock },
	{ "no random", no_random },
	{ "no crypto", no_crypto },
	{ "no identity", no_identity },
	{ "little work", little_work },
	{ "no work", no_work },
	{ "slot without erase", slot_without_erase },
	{ "slot without erase unit", slot_without_erase_unit },
	{ "slot without prog unit", slot_without_prog_unit },
	{ "slot with odd prog unit", slot_with_odd_prog_unit },
	{ "slot with odd area", slot_with_odd_area },
	{ "slot with large prog unit", slot_with_large_prog_unit },
	{ "small journal", small_journal },
};

static void a_configuration_that_cannot_work_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cfg_rows) / sizeof(cfg_rows[0]); i++) {
		struct fota_session_cfg cfg;
		struct fota_session session;

		if (!rig_case(&rig, "configuration: %s", cfg_rows[i].name)) { continue; }
		rig_init(&rig, &(struct rig_cfg) { .seed = 4 });
		cfg = rig.session_cfg;
		rig_require(&rig, fota_session_init(&session, &cfg) == FOTA_ERR_OK);
		cfg_rows[i].spoil(&cfg);
		rig_require(&rig, fota_session_init(&session, &cfg) == FOTA_ERR_CONTRACT);
		rig_close(&rig);
	}
}

static void events_of_no_request_are_ignored(void **state)
{
	static const enum fota_http_event_kind kinds[] = { FOTA_HTTP_HEAD, FOTA_HTTP_BODY, FOTA_HTTP_DONE,
							   FOTA_HTTP_FAIL };

	(void)state;
	(void)rig_case(&rig, "stray events");
	rig_init(&rig, &(struct rig_cfg) { .seed = 5 });
	for (size_t i = 0; i < 4; i++) {
		struct fota_http_event event = { .kind = kinds[i], .status = 200, .body = fota_bytes_of("abc") };
		struct fota_session before = rig.session;
		size_t taken;

		rig_require(&rig, fota_session_http(&rig.session, &event, &taken) == FOTA_ERR_OK);
		rig_require(&rig, memcmp(&before, &rig.session, sizeof(before)) == 0);
	}
	rig_close(&rig);
}

/* Steps until a download is under way, with storage behind. */
static void go_downloading(void)
{
	rig_init(&rig, &(struct rig_cfg) { .seed = 6, .is_async = true });
	rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
	while (rig.http.kind != RIG_GET || rig.http.off < 4096) {
		rig_require(&rig, rig_step(&rig));
	}
}

static void a_port_that_breaks_the_order_of_events_ends_the_session(void **state)
{
	static const struct {
		const char *name;
		enum fota_http_event_kind kind;
		bool is_before_head;
	} cases[] = {
		{ "a second head", FOTA_HTTP_HEAD, false },
		{ "a body without a head", FOTA_HTTP_BODY, true },
		{ "an end without a head", FOTA_HTTP_DONE, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fota_http_event event = { .kind = cases[i].kind, .status = 200, .body = fota_bytes_of("abc") };
		size_t taken;

		if (!rig_case(&rig, "order: %s", cases[i].name)) { continue; }
		if (cases[i].is_before_head) {
			rig_init(&rig, &(struct rig_cfg) { .seed = 6 });
			rig_require(&rig, rig_start(&rig) == FOTA_CODE_NONE);
			while (!rig.http.is_active) {
				rig_require(&rig, rig_step(&rig));
			}
		} else {
			go_downloading();
		}
		rig_require(&rig, fota_session_http(&rig.session, &event, &taken) == FOTA_ERR_OK);
		rig_require(&rig, !rig.http.is_active);
		rig_finish(&rig);
		rig_require(&rig, rig_final(&rig) == FOTA_CODE_INTERNAL);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_that_means_nothing_in_a_phase_has_no_effect),
		cmocka_unit_test(an_event_that_means_something_moves_the_session_on),
		cmocka_unit_test(the_state_that_a_host_sees_follows_the_session),
		cmocka_unit_test(a_session_waits_for_the_journal_that_is_still_being_read),
		cmocka_unit_test(a_configuration_that_cannot_work_is_refused),
		cmocka_unit_test(events_of_no_request_are_ignored),
		cmocka_unit_test(a_port_that_breaks_the_order_of_events_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
