/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine of a FOTA session.
 *
 * The table `rows` says what each event does in each phase; a pair without a row is
 * ignored without side effect. Events are queued and handled one by one by pump(), at
 * the end of every public function. session_go enters a phase and runs its entry from
 * the table `entries`.
 *
 * A session ends in three steps, whatever ends it: FLUSHING makes durable what was
 * received, SAVING stores code and report, tell() sends the codes. So the host never
 * hears of anything that a cut of power could undo.
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
	full.total_bytes = s->record.package.total_bytes;
	if (s->cfg->notify) { s->cfg->notify(s->cfg->notify_ctx, &full); }
}

static void notify_code(const struct fota_session *s, enum fota_code code)
{
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_CODE, .code = code });
}

void session_raise(struct fota_session *s, enum session_event event)
{
	if (s->event_count < FOTA_SESSION_EVENT_MAX) { s->events[s->event_count++] = (uint8_t)event; }
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

static enum fota_code code_of_http(const struct fota_session *s, enum fota_err err)
{
	if (err == FOTA_ERR_PROTOCOL) { return s->phase == PHASE_DOWNLOADING ? FOTA_CODE_SOCKET_RECV : FOTA_CODE_POST; }
	for (size_t i = 0; i < sizeof(http_codes) / sizeof(http_codes[0]); i++) {
		if (http_codes[i].err == err) { return http_codes[i].code; }
	}
	return FOTA_CODE_UNKNOWN;
}

/* ---- the end of a session ---- */

/* The first code counts: what fails on the way out does not hide it. */
void session_end(struct fota_session *s, enum fota_code code)
{
	session_http_cancel(s);
	if (!s->end_code) { s->end_code = (uint16_t)code; }
	session_go(s, PHASE_FLUSHING);
}

static bool is_part_kept(const struct fota_session *s)
{
	const struct fota_package *package = &s->record.package;

	if (s->end_code == FOTA_CODE_DOWNLOADED || s->end_code == FOTA_CODE_NO_VERSION ||
	    s->end_code == FOTA_CODE_VERIFY || s->end_code == FOTA_CODE_RESTART) {
		return false;
	}
	return package->synced_bytes > 0 &&
	       fota_bytes_is_equal(fota_text_get(&package->product), fota_text_get(&s->product)) &&
	       fota_bytes_is_equal(fota_text_get(&package->target), fota_text_get(&s->target));
}

static void tell(struct fota_session *s)
{
	if (is_part_kept(s)) { notify_code(s, FOTA_CODE_PARTIAL); }
	notify_code(s, (enum fota_code)s->end_code);
	memset(&s->secret, 0, sizeof(s->secret));
	s->is_running = false;
	s->report_due_ms = session_now_ms(s);
	s->report_try_count = 0;
	session_go(s, PHASE_IDLE);
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

/* A session that had an offer owes a report. With the queue full the oldest goes:
 * the platform wants to know how things stand now. */
static void add_report(struct fota_session *s)
{
	struct fota_record *record = &s->record;
	struct fota_pending_report *report;

	if (!s->has_offer) { return; }
	if (record->report_count == FOTA_PENDING_REPORT_MAX) { drop_report(record); }
	report = &record->reports[record->report_count];
	*report = (struct fota_pending_report) {
		.product = s->product,
		.secret = s->secret,
		.deployment = s->deployment,
		.state = (uint8_t)report_state_of((enum fota_code)s->end_code),
		.code = s->end_code,
		.received_bytes = record->package.synced_bytes,
	};
	if (s->cfg->random->fill(s->cfg->random->ctx, report->id, sizeof(report->id))) {
		memset(report, 0, sizeof(*report));
		return;
	}
	record->report_count++;
}

static void enter_saving(struct fota_session *s)
{
	s->record.last_code = s->end_code;
	s->record.last_step = s->step;
	s->record.last_target = s->target;
	add_report(s);
	session_journal_start(s, FOTA_JOURNAL_SNAPSHOT);
}

/* What could not be saved is told all the same; but success that is not durable is
 * none. */
static void saving_failed(struct fota_session *s)
{
	if (s->end_code == FOTA_CODE_DOWNLOADED) {
		s->step = STEP_STORE;
		s->end_code = s->fail_code;
		s->record.last_code = s->end_code;
		s->record.last_step = s->step;
	}
	tell(s);
}

/* ---- tries ---- */

static bool is_retryable(unsigned code)
{
	const struct fota_code_info *info = fota_code_find((int)code);

	return info && info->code_class == FOTA_CODE_CLASS_R;
}

/* The delay before try n+1: base, doubled each time, up to the limit, and a quarter of
 * it up or down at random, so that a fleet that lost its server does not come back in
 * one instant. */
static uint64_t retry_delay_ms(const struct fota_session *s)
{
	uint64_t delay = s->limits.retry_base_ms;
	uint8_t dice = 128;

	for (uint32_t i = 1; i < s->try_count && delay < s->limits.retry_max_ms; i++) {
		delay *= 2;
	}
	if (delay > s->limits.retry_max_ms) { delay = s->limits.retry_max_ms; }
	if (s->cfg->random->fill(s->cfg->random->ctx, &dice, 1)) { dice = 128; }
	return delay - delay / 4 + delay * dice / 512;
}

/* Starting over after the server refused to continue failed as well: 507 says so. */
static enum fota_code end_code_of(const struct fota_session *s, enum fota_code code)
{
	return s->is_starting_over ? FOTA_CODE_RESTART : code;
}

static void try_again_or_end(struct fota_session *s)
{
	enum fota_code code = (enum fota_code)s->fail_code;

	if (s->record.package.synced_bytes > s->try_start_off && s->has_offer) { s->try_count = 0; }
	s->try_start_off = s->record.package.synced_bytes;
	if (!is_retryable(code) || s->try_count >= s->limits.retry_count) {
		session_end(s, end_code_of(s, code));
		return;
	}
	s->try_count++;
	s->wake_ms = session_now_ms(s) + retry_delay_ms(s);
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_RETRY,
						  .code = code,
						  .delay_ms = s->wake_ms - session_now_ms(s) });
	/* An error status may mean that the link has expired: ask for a new one. */
	s->retry_phase = s->has_offer && code != FOTA_CODE_SERVER ? PHASE_DOWNLOADING : PHASE_CHECKING;
	session_go(s, PHASE_WAITING);
}

static void check_failed(struct fota_session *s)
{
	session_http_cancel(s);
	try_again_or_end(s);
}

static void retry_now(struct fota_session *s)
{
	session_go(s, (enum session_phase)s->retry_phase);
}

/* ---- download ---- */

/* What is stored is of no use: the journal forgets it before anything else. */
static void start_over(struct fota_session *s)
{
	s->is_starting_over = true;
	s->is_part_old = false;
	s->record.package.synced_bytes = 0;
	session_go(s, PHASE_PREPARING);
}

static void enter_preparing(struct fota_session *s)
{
	s->step = STEP_STORE;
	s->record.package.synced_bytes = 0;
	s->record.package.is_verified = false;
	session_store_begin(s, 0);
	session_journal_start(s, FOTA_JOURNAL_SNAPSHOT);
}

static void prepared(struct fota_session *s)
{
	session_go(s, PHASE_DOWNLOADING);
}

static void preparing_failed(struct fota_session *s)
{
	session_end(s, end_code_of(s, (enum fota_code)s->fail_code));
}

/* The entity tag of a package on the platform: its digest in hex and quotes. */
static struct fota_bytes make_etag(const struct fota_session *s, uint8_t etag[2 * FOTA_DIGEST_BYTES + 2])
{
	static const char hex[] = "0123456789abcdef";

	etag[0] = etag[2 * FOTA_DIGEST_BYTES + 1] = '"';
	for (size_t i = 0; i < FOTA_DIGEST_BYTES; i++) {
		etag[1 + 2 * i] = (uint8_t)hex[s->record.package.digest[i] >> 4];
		etag[2 + 2 * i] = (uint8_t)hex[s->record.package.digest[i] & 15];
	}
	return (struct fota_bytes) { etag, 2 * FOTA_DIGEST_BYTES + 2 };
}

static void enter_downloading(struct fota_session *s)
{
	uint8_t etag[2 * FOTA_DIGEST_BYTES + 2];
	uint64_t off = s->record.package.synced_bytes;
	struct fota_http_request req = {
		.method = FOTA_HTTP_GET,
		.url = { (const uint8_t *)s->url, s->url_len },
		.has_range = off > 0,
		.range_start = off,
	};

	s->step = STEP_DOWNLOAD;
	session_store_begin(s, off);
	if (s->is_http_active) { return; } /* the answer from the start is coming already */
	/* An object store has entity tags of its own; the digest is checked in the end. */
	if (req.has_range && s->is_url_relative) { req.if_range = make_etag(s, etag); }
	if (req.has_range) {
		session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_RESUME, .received_bytes = off });
	}
	session_http_start(s, &req);
}

static enum fota_code code_of_head(const struct fota_session *s, const struct fota_http_event *head)
{
	uint64_t size = s->record.package.total_bytes;

	if (head->status == 416) { return FOTA_CODE_RANGE; }
	if (head->status == 200) {
		return head->has_length && head->length != size ? FOTA_CODE_VERIFY : FOTA_CODE_NONE;
	}
	if (head->status != 206) { return FOTA_CODE_SERVER; }
	if (!head->has_content_range || head->range_start != s->write_off) { return FOTA_CODE_RANGE; }
	return head->range_total == size || head->range_total == UINT64_MAX ? FOTA_CODE_NONE : FOTA_CODE_RANGE;
}

static void discard_package(struct fota_session *s)
{
	memset(&s->record.package, 0, sizeof(s->record.package));
	session_store_begin(s, 0);
}

static void take_head(struct fota_session *s, const struct fota_http_event *head)
{
	enum fota_code code = code_of_head(s, head);

	if (code == FOTA_CODE_RANGE && s->is_part_old && s->write_off > 0) {
		session_http_cancel(s);
		start_over(s);
		return;
	}
	if (code == FOTA_CODE_VERIFY) {
		discard_package(s);
		session_end(s, code);
		return;
	}
	if (code) {
		s->fail_code = (uint16_t)code;
		session_raise(s, EVENT_FAIL);
		return;
	}
	if (head->status == 200 && s->write_off > 0) { start_over(s); }
}

static enum fota_err take_body(struct fota_session *s, struct fota_bytes body, size_t *taken)
{
	enum fota_err err;

	if (body.len > s->record.package.total_bytes - session_store_received(s)) {
		*taken = body.len;
		session_http_cancel(s);
		discard_package(s);
		session_end(s, FOTA_CODE_VERIFY);
		return FOTA_ERR_OK;
	}
	err = session_store_body(s, body, taken);
	if (*taken) {
		s->is_starting_over = false;
		s->is_part_old = false;
		session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_PROGRESS,
							  .received_bytes = session_store_received(s) });
	}
	s->is_paused = err == FOTA_ERR_BUSY;
	return err;
}

static bool is_received(const struct fota_session *s)
{
	return session_store_received(s) == s->record.package.total_bytes;
}

static void download_done(struct fota_session *s)
{
	s->fail_code = is_received(s) ? FOTA_CODE_NONE : FOTA_CODE_SOCKET_RECV;
	session_go(s, PHASE_FLUSHING);
}

static void download_failed(struct fota_session *s)
{
	session_http_cancel(s);
	session_go(s, PHASE_FLUSHING);
}

static void storage_failed(struct fota_session *s)
{
	enum fota_code code = end_code_of(s, (enum fota_code)s->fail_code);

	s->step = STEP_STORE;
	session_store_begin(s, s->record.package.synced_bytes); /* nothing to flush */
	session_end(s, code);
}

/* ---- flush: the way out of a download ---- */

static void flushed(struct fota_session *s)
{
	if (session_store_is_dirty(s) || (s->staged_len && is_received(s))) {
		session_job_start(s, JOB_FLUSH);
		return;
	}
	s->staged_len = 0;
	if (s->end_code) {
		session_go(s, PHASE_SAVING);
		return;
	}
	if (s->fail_code == FOTA_CODE_NONE) {
		session_go(s, PHASE_VERIFYING);
		return;
	}
	try_again_or_end(s);
}

static void enter_flushing(struct fota_session *s)
{
	if (!session_job_is_active(s)) { flushed(s); }
}

static void flush_failed(struct fota_session *s)
{
	session_store_begin(s, s->record.package.synced_bytes);
	if (!s->end_code) {
		s->step = STEP_STORE;
		s->end_code = s->fail_code;
	}
	session_go(s, PHASE_SAVING);
}

/* ---- verify ---- */

static void enter_verifying(struct fota_session *s)
{
	s->step = STEP_VERIFY;
	session_store_begin(s, s->record.package.synced_bytes);
	s->record.package.is_verified = false;
	session_job_start(s, JOB_VERIFY);
}

static void verified(struct fota_session *s)
{
	if (s->record.package.is_verified) {
		session_end(s, FOTA_CODE_DOWNLOADED);
		return;
	}
	discard_package(s);
	session_end(s, FOTA_CODE_VERIFY);
}

static void verify_failed(struct fota_session *s)
{
	session_end(s, (enum fota_code)s->fail_code);
}

static void stop(struct fota_session *s)
{
	session_job_stop_verify(s);
	session_end(s, (enum fota_code)s->stop_code);
}

/* ---- idle, begin, reports ---- */

static void loaded(struct fota_session *s)
{
	s->report_due_ms = session_now_ms(s);
	session_go(s, PHASE_IDLE);
}

static void load_failed(struct fota_session *s)
{
	memset(&s->record, 0, sizeof(s->record));
	loaded(s);
}

static void begin(struct fota_session *s)
{
	session_http_cancel(s); /* of a report: it stays in the journal */
	s->end_code = s->fail_code = 0;
	s->try_count = 0;
	s->has_offer = s->has_retried_clock = s->is_checked_told = s->is_starting_over = false;
	s->is_part_old = s->record.package.synced_bytes > 0;
	session_store_begin(s, s->record.package.synced_bytes);
	session_go(s, PHASE_CHECKING);
}

static void enter_checking(struct fota_session *s)
{
	s->step = STEP_CHECK;
	session_check_send(s);
}

static void enter_reporting(struct fota_session *s)
{
	s->wake_ms = session_now_ms(s) + s->limits.report_ms;
	session_report_send(s);
}

/* Each failed try doubles the pause, up to 64 times: a module that nobody knows any
 * more does not hammer the platform. */
static void report_failed(struct fota_session *s)
{
	uint32_t doublings = s->report_try_count < 6 ? s->report_try_count : 6;

	session_http_cancel(s);
	s->report_try_count++;
	s->report_due_ms = session_now_ms(s) + ((uint64_t)s->limits.report_retry_ms << doublings);
	session_go(s, PHASE_IDLE);
}

static void report_answered(struct fota_session *s)
{
	if (session_report_is_taken(s)) {
		session_go(s, PHASE_ACKING);
		return;
	}
	report_failed(s);
}

static void report_stopped(struct fota_session *s)
{
	session_http_cancel(s);
	session_go(s, PHASE_IDLE);
}

/* With the last report its secret goes: nothing older stays in the journal. */
static void enter_acking(struct fota_session *s)
{
	drop_report(&s->record);
	session_journal_start(s, s->record.report_count ? FOTA_JOURNAL_SNAPSHOT : FOTA_JOURNAL_SCRUB);
}

static void acked(struct fota_session *s)
{
	s->report_try_count = 0;
	session_notify(s, &(struct fota_notice) { .kind = FOTA_NOTICE_REPORTED });
	session_go(s, PHASE_IDLE);
}

/* A report that could not be struck out is sent again after a restart; the platform
 * counts it once. */
static void ack_failed(struct fota_session *s)
{
	session_go(s, PHASE_IDLE);
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
	{ PHASE_CHECKING, EVENT_FAIL, check_failed },
	{ PHASE_CHECKING, EVENT_STOP, stop },

	{ PHASE_WAITING, EVENT_TIMER, retry_now },
	{ PHASE_WAITING, EVENT_STOP, stop },

	{ PHASE_PREPARING, EVENT_JOB_DONE, prepared },
	{ PHASE_PREPARING, EVENT_JOB_FAIL, preparing_failed },
	{ PHASE_PREPARING, EVENT_FAIL, check_failed },
	{ PHASE_PREPARING, EVENT_STOP, stop },

	{ PHASE_DOWNLOADING, EVENT_DONE, download_done },
	{ PHASE_DOWNLOADING, EVENT_FAIL, download_failed },
	{ PHASE_DOWNLOADING, EVENT_JOB_FAIL, storage_failed },
	{ PHASE_DOWNLOADING, EVENT_STOP, stop },

	{ PHASE_FLUSHING, EVENT_JOB_DONE, flushed },
	{ PHASE_FLUSHING, EVENT_JOB_FAIL, flush_failed },
	{ PHASE_FLUSHING, EVENT_STOP, stop },

	{ PHASE_VERIFYING, EVENT_JOB_DONE, verified },
	{ PHASE_VERIFYING, EVENT_JOB_FAIL, verify_failed },
	{ PHASE_VERIFYING, EVENT_STOP, stop },

	{ PHASE_SAVING, EVENT_JOB_DONE, tell },
	{ PHASE_SAVING, EVENT_JOB_FAIL, saving_failed },

	{ PHASE_REPORTING, EVENT_DONE, report_answered },
	{ PHASE_REPORTING, EVENT_FAIL, report_failed },
	{ PHASE_REPORTING, EVENT_TIMER, report_failed },
	{ PHASE_REPORTING, EVENT_BEGIN, begin },
	{ PHASE_REPORTING, EVENT_STOP, report_stopped },

	{ PHASE_ACKING, EVENT_JOB_DONE, acked },
	{ PHASE_ACKING, EVENT_JOB_FAIL, ack_failed },
};

static void (*const entries[PHASE_COUNT])(struct fota_session *s) = {
	[PHASE_CHECKING] = enter_checking,       [PHASE_PREPARING] = enter_preparing,
	[PHASE_DOWNLOADING] = enter_downloading, [PHASE_FLUSHING] = enter_flushing,
	[PHASE_VERIFYING] = enter_verifying,     [PHASE_SAVING] = enter_saving,
	[PHASE_REPORTING] = enter_reporting,     [PHASE_ACKING] = enter_acking,
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
static void pump(struct fota_session *s)
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

/* ---- public: configuration ---- */

static const struct fota_session_limits default_limits = {
	.retry_count = 4,
	.retry_base_ms = 1000,
	.retry_max_ms = 60000,
	.session_ms = 3600000,
	.storage_ms = 10000,
	.report_ms = 15000,
	.report_retry_ms = 60000,
	.sync_ms = 1000,
	.sync_bytes = 4194304,
};

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

static void fill_limits(struct fota_session_limits *to, const struct fota_session_limits *from)
{
	*to = (struct fota_session_limits) {
		.retry_count = or_default(from->retry_count, default_limits.retry_count),
		.retry_base_ms = or_default(from->retry_base_ms, default_limits.retry_base_ms),
		.retry_max_ms = or_default(from->retry_max_ms, default_limits.retry_max_ms),
		.session_ms = or_default(from->session_ms, default_limits.session_ms),
		.storage_ms = or_default(from->storage_ms, default_limits.storage_ms),
		.report_ms = or_default(from->report_ms, default_limits.report_ms),
		.report_retry_ms = or_default(from->report_retry_ms, default_limits.report_retry_ms),
		.sync_ms = or_default(from->sync_ms, default_limits.sync_ms),
		.sync_bytes = or_default(from->sync_bytes, default_limits.sync_bytes),
	};
	if (from->retry_count == FOTA_RETRY_NONE) { to->retry_count = 0; }
}

static bool is_flash_usable(const struct fota_flash *flash)
{
	return flash && flash->read && flash->prog && flash->erase && flash->sync && flash->erase_bytes &&
	       flash->prog_bytes && flash->erase_bytes % flash->prog_bytes == 0 &&
	       flash->erase_step_bytes % flash->erase_bytes == 0 && flash->area_bytes % flash->erase_bytes == 0;
}

static bool is_cfg_usable(const struct fota_session_cfg *cfg)
{
	if (!cfg->http || !cfg->clock || !cfg->random || !cfg->crypto || !cfg->identity) { return false; }
	if (!is_flash_usable(cfg->slot) || !is_flash_usable(cfg->journal)) { return false; }
	if (cfg->work.cap < FOTA_WORK_MIN_BYTES) { return false; }
	return cfg->work.cap - FOTA_JOURNAL_ROOM_BYTES >= cfg->slot->prog_bytes;
}

enum fota_err fota_session_init(struct fota_session *s, const struct fota_session_cfg *cfg)
{
	struct fota_room room;

	memset(s, 0, sizeof(*s));
	if (!is_cfg_usable(cfg)) { return FOTA_ERR_CONTRACT; }
	s->cfg = cfg;
	fill_limits(&s->limits, &cfg->limits);
	room = (struct fota_room) { cfg->work.ptr + cfg->work.cap - FOTA_JOURNAL_ROOM_BYTES, FOTA_JOURNAL_ROOM_BYTES };
	if (fota_journal_init(&s->journal, cfg->journal, &s->record, room)) { return FOTA_ERR_CONTRACT; }
	s->phase = PHASE_LOADING;
	session_journal_start(s, FOTA_JOURNAL_LOAD);
	pump(s);
	return FOTA_ERR_OK;
}

/* ---- public: commands ---- */

static void ask_stop(struct fota_session *s, enum fota_code code)
{
	if (s->is_running && !s->stop_code) { s->stop_code = (uint16_t)code; }
}

void fota_session_set_on(struct fota_session *s, bool is_on)
{
	s->is_on = is_on;
	if (!is_on) { ask_stop(s, FOTA_CODE_CANCELLED); }
}

static bool is_len_within(struct fota_bytes bytes, size_t min, size_t max)
{
	return bytes.len >= min && bytes.len <= max;
}

static bool is_all_within(struct fota_bytes bytes, uint8_t low, uint8_t high)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.ptr[i] < low || bytes.ptr[i] > high) { return false; }
	}
	return true;
}

static bool is_request_valid(const struct fota_request *req)
{
	return is_len_within(req->oem, 1, FOTA_NAME_MAX_BYTES) && is_len_within(req->model, 1, FOTA_NAME_MAX_BYTES) &&
	       is_len_within(req->product, 1, FOTA_PRODUCT_MAX_BYTES) && is_all_within(req->product, '0', '9') &&
	       is_len_within(req->secret, FOTA_SECRET_MIN_BYTES, FOTA_SECRET_MAX_BYTES) &&
	       is_all_within(req->secret, 0x21, 0x7e) && !memchr(req->secret.ptr, '"', req->secret.len) &&
	       is_len_within(req->target, 1, FOTA_VERSION_MAX_BYTES);
}

/* An identity that was not provisioned takes what the command says. */
static bool is_other(struct fota_bytes provisioned, struct fota_bytes given)
{
	return provisioned.len && !fota_bytes_is_equal(provisioned, given);
}

static enum fota_code refusal_of(const struct fota_session *s, const struct fota_request *req)
{
	if (s->is_going_down) { return FOTA_CODE_ABORTED; }
	if (!s->is_on) { return FOTA_CODE_BAD_OPERATION; }
	if (s->is_running) { return FOTA_CODE_NESTING; }
	if (!is_request_valid(req)) { return FOTA_CODE_BAD_PARAM; }
	if (!session_identity(s, FOTA_IDENTITY_DEVICE).len || !session_identity(s, FOTA_IDENTITY_MODEL).len) {
		return FOTA_CODE_NO_DEVICE;
	}
	if (!session_identity(s, FOTA_IDENTITY_VERSION).len) { return FOTA_CODE_NO_CONFIG; }
	if (is_other(session_identity(s, FOTA_IDENTITY_OEM), req->oem) ||
	    is_other(session_identity(s, FOTA_IDENTITY_MODEL), req->model)) {
		return FOTA_CODE_BAD_DEVICE;
	}
	return FOTA_CODE_NONE;
}

enum fota_code fota_session_start(struct fota_session *s, const struct fota_request *req, uint32_t origin)
{
	enum fota_code code = refusal_of(s, req);

	if (code) { return code; }
	/* the lengths were checked, so none of these fails */
	if (fota_text_set(&s->oem, req->oem) || fota_text_set(&s->model, req->model) ||
	    fota_text_set(&s->product, req->product) || fota_text_set(&s->secret, req->secret) ||
	    fota_text_set(&s->target, req->target)) {
		return FOTA_CODE_BAD_PARAM;
	}
	s->origin = origin;
	s->stop_code = 0;
	s->step = STEP_CHECK;
	s->deadline_ms = session_now_ms(s) + s->limits.session_ms;
	s->is_running = true;
	return FOTA_CODE_NONE;
}

enum fota_code fota_session_cancel(struct fota_session *s)
{
	if (!s->is_running) { return FOTA_CODE_BAD_OPERATION; }
	ask_stop(s, FOTA_CODE_CANCELLED);
	return FOTA_CODE_NONE;
}

void fota_session_abort(struct fota_session *s)
{
	s->is_going_down = true;
	ask_stop(s, FOTA_CODE_ABORTED);
}

/* ---- public: events and time ---- */

static enum fota_err http_body(struct fota_session *s, struct fota_bytes body, size_t *taken)
{
	if (s->phase == PHASE_DOWNLOADING) { return take_body(s, body, taken); }
	if (s->phase == PHASE_PREPARING) {
		*taken = 0;
		s->is_paused = true;
		return FOTA_ERR_BUSY;
	}
	session_answer_feed(s, body);
	if (s->in_len > FOTA_MESSAGE_MAX_BYTES) {
		s->fail_code = FOTA_CODE_POST;
		session_raise(s, EVENT_FAIL);
	}
	return FOTA_ERR_OK;
}

static void http_head(struct fota_session *s, const struct fota_http_event *head)
{
	s->http_status = (uint16_t)head->status;
	s->is_answer_message = head->is_message;
	if (s->phase == PHASE_DOWNLOADING) { take_head(s, head); }
	if (s->phase == PHASE_CHECKING) { session_check_head(s); }
}

enum fota_err fota_session_http(struct fota_session *s, const struct fota_http_event *event, size_t *taken)
{
	enum fota_err err = FOTA_ERR_OK;

	*taken = event->kind == FOTA_HTTP_BODY ? event->body.len : 0;
	if (!s->is_http_active) { return FOTA_ERR_OK; }
	switch (event->kind) {
	case FOTA_HTTP_HEAD:
		http_head(s, event);
		break;
	case FOTA_HTTP_BODY:
		err = http_body(s, event->body, taken);
		break;
	case FOTA_HTTP_DONE:
		s->is_http_active = false;
		session_raise(s, EVENT_DONE);
		break;
	case FOTA_HTTP_FAIL:
		s->is_http_active = false;
		s->fail_code = (uint16_t)code_of_http(s, event->err);
		session_raise(s, EVENT_FAIL);
		break;
	}
	pump(s);
	return err;
}

void fota_session_storage(struct fota_session *s, enum fota_err result)
{
	session_job_end_operation(s, result);
	pump(s);
}

static bool is_report_due(const struct fota_session *s)
{
	return s->phase == PHASE_IDLE && s->record.report_count && !s->is_going_down && !s->is_running;
}

static bool is_resume_due(const struct fota_session *s)
{
	return s->phase == PHASE_DOWNLOADING && s->is_paused && !session_job_is_active(s);
}

static bool has_timer(const struct fota_session *s)
{
	return s->phase == PHASE_WAITING || s->phase == PHASE_REPORTING;
}

static bool is_begin_due(const struct fota_session *s)
{
	return s->is_running && (s->phase == PHASE_IDLE || s->phase == PHASE_REPORTING);
}

static bool is_stop_due(const struct fota_session *s)
{
	if (s->is_going_down && s->phase == PHASE_REPORTING) { return true; }
	return s->is_running && s->stop_code && s->phase != PHASE_FLUSHING && s->phase != PHASE_SAVING;
}

void fota_session_tick(struct fota_session *s)
{
	uint64_t now = session_now_ms(s);

	session_job_check_time(s);
	session_job_run(s);
	if (s->is_running && now >= s->deadline_ms) { ask_stop(s, FOTA_CODE_INCOMPLETE); }
	if (is_begin_due(s)) { session_raise(s, EVENT_BEGIN); }
	if (is_stop_due(s)) { session_raise(s, EVENT_STOP); }
	if (has_timer(s) && now >= s->wake_ms) { session_raise(s, EVENT_TIMER); }
	if (is_report_due(s) && now >= s->report_due_ms) { session_go(s, PHASE_REPORTING); }
	pump(s);
	if (is_resume_due(s)) {
		s->is_paused = false;
		s->cfg->http->resume(s->cfg->http->ctx);
	}
}

static uint64_t earlier(uint64_t a, bool counts, uint64_t b)
{
	return counts && b < a ? b : a;
}

uint32_t fota_session_next_ms(const struct fota_session *s)
{
	uint64_t now = session_now_ms(s);
	uint64_t at = UINT64_MAX;

	if (is_begin_due(s) || is_stop_due(s) || is_resume_due(s)) { return 0; }
	if (session_job_is_active(s) && !s->io.is_pending) { return 0; }
	at = earlier(at, s->io.is_pending && !s->io.is_stuck, s->io.since_ms + s->limits.storage_ms);
	at = earlier(at, s->is_running && !s->stop_code, s->deadline_ms);
	at = earlier(at, has_timer(s), s->wake_ms);
	at = earlier(at, is_report_due(s), s->report_due_ms);
	if (at == UINT64_MAX) { return UINT32_MAX; }
	if (at <= now) { return 0; }
	return at - now < UINT32_MAX ? (uint32_t)(at - now) : UINT32_MAX - 1;
}

/* ---- public: looking ---- */

bool fota_session_is_quiet(const struct fota_session *s)
{
	return !s->is_running && !s->io.is_pending && !session_job_is_active(s) && s->phase == PHASE_IDLE;
}

static enum fota_state state_of(const struct fota_session *s)
{
	static const uint8_t states[PHASE_COUNT] = {
		[PHASE_CHECKING] = FOTA_STATE_CHECKING,
		[PHASE_PREPARING] = FOTA_STATE_DOWNLOADING,
		[PHASE_DOWNLOADING] = FOTA_STATE_DOWNLOADING,
		[PHASE_VERIFYING] = FOTA_STATE_VERIFYING,
	};

	if (!s->is_running) { return s->record.package.is_verified ? FOTA_STATE_READY : FOTA_STATE_IDLE; }
	if (s->phase == PHASE_SAVING && s->step == STEP_VERIFY) { return FOTA_STATE_VERIFYING; }
	if (states[s->phase]) { return (enum fota_state)states[s->phase]; }
	return s->has_offer ? FOTA_STATE_DOWNLOADING : FOTA_STATE_CHECKING;
}

void fota_session_get(const struct fota_session *s, struct fota_session_info *info)
{
	const struct fota_record *record = &s->record;

	*info = (struct fota_session_info) {
		.state = state_of(s),
		.received_bytes =
			s->is_running && s->has_offer ? session_store_received(s) : record->package.synced_bytes,
		.total_bytes = record->package.total_bytes,
		.target = fota_text_get(s->is_running ? &s->target : &record->package.target),
		.last = { (enum fota_code)record->last_code, session_step_text(record->last_step),
			  fota_text_get(&record->last_target) },
		.pending_report_count = record->report_count,
		.is_running = s->is_running,
		.is_on = s->is_on,
	};
}
