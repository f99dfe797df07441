/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a FOTA session.
 *
 * The table `rows` says what each event does in each phase; a pair without a row is
 * ignored without side effect. Events are queued and handled one by one by session_pump(), at
 * the end of every public function. session_go enters a phase and runs its entry from
 * the table `entries`.
 *
 * A session ends in three steps, whatever ends it: FLUSHING makes durable what was
 * received, SAVING stores code and report, session_tell() sends the codes. So the host never
 * hears of anything that a cut of power could undo.
 *
 * An installation is not part of a session: install.c.
 *
 * A session that only asks (AT+FOTACHECK) skips the first two: it leaves no trace.
 *
 * Codes: `2` once, when the first offer is accepted; `3` alone at success; otherwise
 * `4` if a part is kept for the same target, then the final code. */
#include "internal.h"

static const char *const step_texts[] = {
#define STEP_TEXT(name, text) text,
	STEP_LIST(STEP_TEXT)
#undef STEP_TEXT
};

const char *session_step_text(unsigned step)
{
	return step < STEP_COUNT ? step_texts[step] : "";
}

uint64_t session_now_ms(const struct fota_session *s)
{
	return s->cfg->clock->now_ms(s->cfg->clock->ctx);
}

struct fota_bytes session_identity(const struct fota_session *s, enum fota_identity_field field)
{
	return s->cfg->identity->get(s->cfg->identity->ctx, field);
}

void session_notify(const struct fota_session *s, const struct fota_notice *notice)
{
	struct fota_notice full = *notice;

	full.step = session_step_text(s->step);
	full.origin = s->origin;
	if (notice->kind != FOTA_NOTICE_OFFER) { full.total_bytes = s->record.package.total_bytes; }
	if (s->cfg->notify) { s->cfg->notify(s->cfg->notify_ctx, &full); }
}

void session_notify_code(const struct fota_session *s, enum fota_code code)
{
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_CODE, .code = code });
}

void session_raise(struct fota_session *s, enum session_event event)
{
	if (s->event_count < FOTA_SESSION_EVENT_MAX) { s->events[s->event_count++] = (uint8_t)event; }
}

const struct fota_flash *session_area(const struct fota_session *s)
{
	const struct fota_flash *const *slots = s->cfg->slots;

	return slots[1] ? slots[fota_boot_target(&s->record.boot)] : slots[0];
}

/* ---- HTTP ---- */

void session_http_start(struct fota_session *s, const struct fota_http_request *req)
{
	enum fota_err err = s->cfg->http->start(s->cfg->http->ctx, req);

	s->is_http_active = err == FOTA_ERR_OK;
	s->is_paused = false;
	s->http_status = 0;
	if (err == FOTA_ERR_OK) { return; }
	s->fail_code = err == FOTA_ERR_URL ? FOTA_CODE_BAD_URL : FOTA_CODE_INTERNAL;
	session_raise(s, EVENT_FAIL);
}

void session_http_cancel(struct fota_session *s)
{
	if (s->is_http_active) { s->cfg->http->cancel(s->cfg->http->ctx); }
	s->is_http_active = false;
	s->is_paused = false;
}

static const struct {
	enum fota_err err;
	enum fota_code code;
} http_codes[] = {
	{ FOTA_ERR_URL, FOTA_CODE_BAD_URL },         { FOTA_ERR_RESOLVE, FOTA_CODE_RESOLVE },
	{ FOTA_ERR_CONNECT, FOTA_CODE_CONNECT },     { FOTA_ERR_SEND, FOTA_CODE_SOCKET_SEND },
	{ FOTA_ERR_RECEIVE, FOTA_CODE_SOCKET_RECV }, { FOTA_ERR_CLOSED, FOTA_CODE_SOCKET_BAD },
	{ FOTA_ERR_STALL, FOTA_CODE_SOCKET_DATA },   { FOTA_ERR_REDIRECTS, FOTA_CODE_REDIRECTS },
	{ FOTA_ERR_CONTRACT, FOTA_CODE_INTERNAL },
};

enum fota_code session_code_of_http(const struct fota_session *s, enum fota_err err)
{
	if (err == FOTA_ERR_PROTOCOL) { return s->phase == PHASE_DOWNLOADING ? FOTA_CODE_SOCKET_RECV : FOTA_CODE_POST; }
	for (size_t i = 0; i < sizeof(http_codes) / sizeof(http_codes[0]); i++) {
		if (http_codes[i].err == err) { return http_codes[i].code; }
	}
	return FOTA_CODE_UNKNOWN;
}

/* ---- load and begin ---- */

static void enter_loading(struct fota_session *s)
{
	session_journal_start(s, FOTA_JOURNAL_LOAD);
}

static void loaded(struct fota_session *s)
{
	s->is_unloaded = false;
	session_resume_installation(s);
	s->report_due_ms = session_now_ms(s);
	session_go(s, PHASE_IDLE);
}

/* Nothing is written over a journal that could not be read: it may hold a part or a
 * report. The next session tries to read it again, and this one is over. */
static void load_failed(struct fota_session *s)
{
	memset(&s->record, 0, sizeof(s->record));
	s->is_unloaded = true;
	session_go(s, PHASE_IDLE);
	if (!s->is_running) { return; }
	s->step = STEP_STORE;
	s->end_code = s->fail_code;
	session_tell(s);
}

static void begin(struct fota_session *s)
{
	if (s->is_unloaded && s->stop_code) { /* nothing of it is worth reading the journal */
		s->end_code = s->stop_code;
		session_tell(s);
		return;
	}
	if (s->is_unloaded) {
		session_go(s, PHASE_LOADING);
		return;
	}
	session_http_cancel(s);         /* of a report: it stays in the journal */
	if (session_is_installing(s)) { /* it was accepted before the journal said so */
		s->end_code = FOTA_CODE_NESTING;
		session_tell(s);
		return;
	}
	s->end_code = s->fail_code = 0;
	s->try_count = 0;
	s->has_offer = s->has_retried_clock = s->is_checked_told = s->is_starting_over = false;
	s->is_offer_other = false;
	s->is_part_old = s->record.package.synced_bytes > 0;
	session_store_begin(s, s->record.package.synced_bytes);
	if (s->io.is_stuck) { /* a read among others, which may write into the work room at any time */
		s->step = STEP_STORE;
		session_end(s, FOTA_CODE_IO_TIMEOUT);
		return;
	}
	session_go(s, PHASE_CHECKING);
}

static void enter_checking(struct fota_session *s)
{
	s->step = STEP_CHECK;
	session_check_send(s);
}

/* ---- tables ---- */

static const struct {
	uint8_t phase;
	uint8_t event;
	void (*action)(struct fota_session *s);
} rows[] = {
	{ PHASE_LOADING, EVENT_JOB_DONE, loaded },
	{ PHASE_LOADING, EVENT_JOB_FAIL, load_failed },

	{ PHASE_IDLE, EVENT_BEGIN, begin },

	{ PHASE_CHECKING, EVENT_DONE, session_check_answer },
	{ PHASE_CHECKING, EVENT_FAIL, session_check_failed },
	{ PHASE_CHECKING, EVENT_STOP, session_stop },

	{ PHASE_WAITING, EVENT_TIMER, session_retry_now },
	{ PHASE_WAITING, EVENT_JOB_FAIL, session_storage_failed }, /* of PREPARING, when the network failed first */
	{ PHASE_WAITING, EVENT_STOP, session_stop },

	{ PHASE_PREPARING, EVENT_JOB_DONE, session_prepared },
	{ PHASE_PREPARING, EVENT_JOB_FAIL, session_preparing_failed },
	{ PHASE_PREPARING, EVENT_FAIL, session_check_failed },
	{ PHASE_PREPARING, EVENT_STOP, session_stop },

	{ PHASE_DOWNLOADING, EVENT_DONE, session_download_done },
	{ PHASE_DOWNLOADING, EVENT_FAIL, session_download_failed },
	{ PHASE_DOWNLOADING, EVENT_JOB_FAIL, session_storage_failed },
	{ PHASE_DOWNLOADING, EVENT_STOP, session_stop },

	{ PHASE_FLUSHING, EVENT_JOB_DONE, session_flushed },
	{ PHASE_FLUSHING, EVENT_JOB_FAIL, session_flush_failed },
	{ PHASE_FLUSHING, EVENT_STOP, session_stop },

	{ PHASE_VERIFYING, EVENT_JOB_DONE, session_verified },
	{ PHASE_VERIFYING, EVENT_JOB_FAIL, session_verify_failed },
	{ PHASE_VERIFYING, EVENT_STOP, session_stop },

	{ PHASE_SAVING, EVENT_JOB_DONE, session_tell },
	{ PHASE_SAVING, EVENT_JOB_FAIL, session_saving_failed },

	{ PHASE_REPORTING, EVENT_DONE, session_report_answered },
	{ PHASE_REPORTING, EVENT_FAIL, session_report_failed },
	{ PHASE_REPORTING, EVENT_TIMER, session_report_failed },
	{ PHASE_REPORTING, EVENT_BEGIN, begin },
	{ PHASE_REPORTING, EVENT_STOP, session_report_stopped },

	{ PHASE_ACKING, EVENT_JOB_DONE, session_acked },
	{ PHASE_ACKING, EVENT_JOB_FAIL, session_ack_failed },

	{ PHASE_INSTALLING, EVENT_INSTALL_DONE, session_installer_done },
	{ PHASE_INSTALLING, EVENT_INSTALL_FAIL, session_installer_failed },
	{ PHASE_INSTALLING, EVENT_STOP, session_installer_stopped },

	{ PHASE_SETTLING, EVENT_JOB_DONE, session_settled },
	{ PHASE_SETTLING, EVENT_JOB_FAIL, session_settling_failed },
};

static void (*const entries[PHASE_COUNT])(struct fota_session *s) = {
	[PHASE_LOADING] = enter_loading,
	[PHASE_CHECKING] = enter_checking,
	[PHASE_PREPARING] = session_enter_preparing,
	[PHASE_DOWNLOADING] = session_enter_downloading,
	[PHASE_FLUSHING] = session_enter_flushing,
	[PHASE_VERIFYING] = session_enter_verifying,
	[PHASE_SAVING] = session_enter_saving,
	[PHASE_REPORTING] = session_enter_reporting,
	[PHASE_ACKING] = session_enter_acking,
	[PHASE_INSTALLING] = session_enter_installing,
	[PHASE_SETTLING] = session_enter_settling,
};

void session_go(struct fota_session *s, enum session_phase phase)
{
	s->phase = (uint8_t)phase;
	s->is_entering = true;
}

static void handle(struct fota_session *s, unsigned event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].phase == s->phase && rows[i].event == event) {
			rows[i].action(s);
			return;
		}
	}
}

/* Enters what was gone to, then the events in their order, until nothing is left. */
void session_pump(struct fota_session *s)
{
	while (s->is_entering || s->event_count) {
		if (s->is_entering) {
			s->is_entering = false;
			if (entries[s->phase]) { entries[s->phase](s); }
			continue;
		}
		unsigned event = s->events[0];

		s->event_count--;
		memmove(s->events, s->events + 1, s->event_count);
		handle(s, event);
	}
}
