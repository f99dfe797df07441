/* SPDX-License-Identifier: Apache-2.0 */
/* How a session ends, and how the platform hears of it: saving, the codes for the
 * host, and final reports that wait in the journal until they are acknowledged. */
#include "internal.h"

/* ---- the end of a session ---- */

/* The first code counts: what fails on the way out does not hide it. */
void session_end(struct fota_session *s, enum fota_code code)
{
	session_http_cancel(s);
	if (!s->end_code) { s->end_code = (uint16_t)code; }
	if (s->is_check_only) {
		session_tell(s);
		return;
	}
	session_go(s, PHASE_FLUSHING);
}

static bool is_part_kept(const struct fota_session *s)
{
	const struct fota_package *package = &s->record.package;
	static const uint16_t lost[] = { FOTA_CODE_DOWNLOADED, FOTA_CODE_NO_VERSION, FOTA_CODE_RESTART,
					 FOTA_CODE_NESTING };

	if (s->is_check_only || s->is_offer_other) { return false; }
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		if (lost[i] == s->end_code) { return false; }
	}
	return package->synced_bytes > 0 &&
	       fota_bytes_is_equal(fota_text_get(&package->product), fota_text_get(&s->product)) &&
	       fota_bytes_is_equal(fota_text_get(&package->target), fota_text_get(&s->target));
}

static void rest(struct fota_session *s)
{
	memset(&s->secret, 0, sizeof(s->secret));
	s->is_running = false;
	s->report_due_ms = session_now_ms(s);
	s->report_try_count = 0;
	session_go(s, PHASE_IDLE);
}

void session_tell(struct fota_session *s)
{
	if (is_part_kept(s)) { session_notify_code(s, FOTA_CODE_PARTIAL); }
	session_notify_code(s, (enum fota_code)s->end_code);
	rest(s);
}

void session_tell_offer(struct fota_session *s, const struct fota_check_answer *msg)
{
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_OFFER,
						  .target = fota_text_get(&s->target),
						  .total_bytes = msg->size_bytes,
						  .encoding = (uint8_t)msg->encoding });
	rest(s);
}

static enum fota_report_state report_state_of(enum fota_code code)
{
	if (code == FOTA_CODE_DOWNLOADED) { return FOTA_REPORT_DOWNLOADED; }
	return code == FOTA_CODE_CANCELLED ? FOTA_REPORT_CANCELLED : FOTA_REPORT_FAILED;
}

static void drop_report(struct fota_record *record)
{
	record->report_count--;
	memmove(&record->reports[0], &record->reports[1], record->report_count * sizeof(record->reports[0]));
	memset(&record->reports[record->report_count], 0, sizeof(record->reports[0]));
}

/* With the queue full the oldest goes: the platform wants to know how things stand now.
 * False if there is no random number for its ID. */
static bool add_report(struct fota_session *s, const struct fota_pending_report *report)
{
	struct fota_record *record = &s->record;
	struct fota_pending_report *newest;

	if (record->report_count == FOTA_PENDING_REPORT_MAX) { drop_report(record); }
	newest = &record->reports[record->report_count];
	*newest = *report;
	if (s->cfg->random->fill(s->cfg->random->ctx, newest->id, sizeof(newest->id))) {
		memset(newest, 0, sizeof(*newest));
		return false;
	}
	record->report_count++;
	return true;
}

void session_add_report(struct fota_session *s, enum fota_report_state state, enum fota_code code)
{
	const struct fota_package *package = &s->record.package;
	struct fota_pending_report report = {
		.product = package->product,
		.secret = package->secret,
		.deployment = package->deployment,
		.state = (uint8_t)state,
		.code = (uint16_t)code,
		.received_bytes = package->synced_bytes,
	};

	if (!add_report(s, &report)) { return; }
	s->report_due_ms = session_now_ms(s);
}

/* A session that had an offer owes a report. */
static void add_end_report(struct fota_session *s)
{
	struct fota_pending_report report = {
		.product = s->product,
		.secret = s->secret,
		.deployment = s->deployment,
		.state = (uint8_t)report_state_of((enum fota_code)s->end_code),
		.code = s->end_code,
		.received_bytes = s->record.package.synced_bytes,
	};

	s->is_report_added = s->has_offer && add_report(s, &report);
}

/* What the reports of an installation need: it may be days away, and after a restart. */
static void keep_owner(struct fota_session *s)
{
	struct fota_package *package = &s->record.package;

	if (s->end_code != FOTA_CODE_DOWNLOADED) { return; }
	package->secret = s->secret;
	package->deployment = s->deployment;
}

void session_enter_saving(struct fota_session *s)
{
	s->record.last_code = s->end_code;
	s->record.last_step = s->step;
	s->record.last_target = s->target;
	add_end_report(s);
	keep_owner(s);
	session_journal_start(s, FOTA_JOURNAL_SNAPSHOT);
}

/* The report that was just added tells another end. */
static void amend_report(struct fota_session *s)
{
	struct fota_record *record = &s->record;
	struct fota_pending_report *newest;

	if (!s->is_report_added) { return; }
	newest = &record->reports[record->report_count - 1];
	newest->state = (uint8_t)report_state_of((enum fota_code)s->end_code);
	newest->code = s->end_code;
}

/* What could not be saved is told all the same; but success that is not durable is
 * none: not for the host, not for the platform, not for the state. */
void session_saving_failed(struct fota_session *s)
{
	if (s->end_code == FOTA_CODE_DOWNLOADED) {
		s->step = STEP_STORE;
		s->end_code = s->fail_code;
		s->record.last_code = s->end_code;
		s->record.last_step = s->step;
		s->record.package.is_verified = false;
		amend_report(s);
	}
	session_tell(s);
}

void session_enter_reporting(struct fota_session *s)
{
	s->wake_ms = session_now_ms(s) + s->limits.report_ms;
	session_report_send(s);
}

/* Each failed try doubles the pause, up to 64 times: a module that nobody knows any
 * more does not hammer the platform. */
void session_report_failed(struct fota_session *s)
{
	uint32_t doublings = s->report_try_count < 6 ? s->report_try_count : 6;

	session_http_cancel(s);
	s->report_try_count++;
	s->report_due_ms = session_now_ms(s) + ((uint64_t)s->limits.report_retry_ms << doublings);
	session_go(s, PHASE_IDLE);
}

void session_report_answered(struct fota_session *s)
{
	if (session_report_is_taken(s)) {
		session_go(s, PHASE_ACKING);
		return;
	}
	session_report_failed(s);
}

void session_report_stopped(struct fota_session *s)
{
	session_http_cancel(s);
	session_go(s, PHASE_IDLE);
}

/* With the last report its secret goes: nothing older stays in the journal. */
void session_enter_acking(struct fota_session *s)
{
	drop_report(&s->record);
	session_journal_start(s, s->record.report_count ? FOTA_JOURNAL_SNAPSHOT : FOTA_JOURNAL_SCRUB);
}

void session_acked(struct fota_session *s)
{
	s->report_try_count = 0;
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_REPORTED });
	session_heard(s);
	session_go(s, PHASE_IDLE);
}

/* A report that could not be struck out is sent again after a restart; the platform
 * counts it once. */
void session_ack_failed(struct fota_session *s)
{
	session_go(s, PHASE_IDLE);
}
