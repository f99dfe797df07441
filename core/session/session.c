/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions: each checks its input, changes little by itself, raises
 * events and lets the machine handle them. */
#include "internal.h"

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
	.trial_s = 600,
	.trial_starts = 3,
};

_Static_assert(sizeof(struct fota_session_limits) % sizeof(uint32_t) == 0, "numbers of 32 bits, nothing else");

/* Number by number: written out it would be the largest function of the session. */
static void fill_limits(struct fota_session_limits *to, const struct fota_session_limits *from)
{
	for (size_t off = 0; off < sizeof(*to); off += sizeof(uint32_t)) {
		uint32_t value;

		memcpy(&value, (const uint8_t *)from + off, sizeof(value));
		if (value == 0) { memcpy(&value, (const uint8_t *)&default_limits + off, sizeof(value)); }
		memcpy((uint8_t *)to + off, &value, sizeof(value));
	}
	if (from->retry_count == FOTA_RETRY_NONE) { to->retry_count = 0; }
}

static bool is_flash_usable(const struct fota_flash *flash)
{
	return flash && flash->read && flash->prog && flash->erase && flash->sync && flash->erase_bytes &&
	       flash->prog_bytes && flash->erase_bytes % flash->prog_bytes == 0 &&
	       flash->erase_step_bytes % flash->erase_bytes == 0 && flash->area_bytes % flash->erase_bytes == 0;
}

static bool is_block_in_work(const struct fota_session_cfg *cfg, const struct fota_flash *flash)
{
	return cfg->work.cap - FOTA_JOURNAL_ROOM_BYTES >= flash->prog_bytes;
}

static bool is_cfg_usable(const struct fota_session_cfg *cfg)
{
	if (!cfg->http || !cfg->clock || !cfg->random || !cfg->crypto || !cfg->identity) { return false; }
	if (!is_flash_usable(cfg->slots[0]) || !is_flash_usable(cfg->journal)) { return false; }
	if (cfg->slots[1] && !is_flash_usable(cfg->slots[1])) { return false; }
	if (cfg->work.cap < FOTA_WORK_MIN_BYTES || (cfg->key_count && !cfg->keys)) { return false; }
	return is_block_in_work(cfg, cfg->slots[0]) && (!cfg->slots[1] || is_block_in_work(cfg, cfg->slots[1]));
}

void fota_session_get_limits(const struct fota_session *s, struct fota_session_limits *limits)
{
	*limits = s->limits;
}

void fota_session_set_limits(struct fota_session *s, const struct fota_session_limits *limits)
{
	fill_limits(&s->limits, limits);
}

static enum fota_err init(struct fota_session *s, const struct fota_session_cfg *cfg, bool is_hung)
{
	struct fota_room room;

	memset(s, 0, sizeof(*s));
	s->io.is_pending = s->io.is_stuck = is_hung;
	if (!is_cfg_usable(cfg)) { return FOTA_ERR_CONTRACT; }
	s->cfg = cfg;
	fill_limits(&s->limits, &cfg->limits);
	s->policy = cfg->policy;
	room = (struct fota_room) { cfg->work.ptr + cfg->work.cap - FOTA_JOURNAL_ROOM_BYTES, FOTA_JOURNAL_ROOM_BYTES };
	if (fota_journal_init(&s->journal, cfg->journal, &s->record, room)) { return FOTA_ERR_CONTRACT; }
	session_go(s, PHASE_LOADING);
	session_pump(s);
	return FOTA_ERR_OK;
}

enum fota_err fota_session_init(struct fota_session *s, const struct fota_session_cfg *cfg)
{
	return init(s, cfg, false);
}

enum fota_err fota_session_init_hung(struct fota_session *s, const struct fota_session_cfg *cfg)
{
	return init(s, cfg, true);
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

/* Names and versions travel as texts, so what is no UTF-8 cannot be sent. */
static bool is_text_within(struct fota_bytes bytes, size_t max)
{
	return is_len_within(bytes, 1, max) && fota_cbor_is_text(bytes);
}

static bool is_request_valid(const struct fota_request *req)
{
	return is_text_within(req->oem, FOTA_NAME_MAX_BYTES) && is_text_within(req->model, FOTA_NAME_MAX_BYTES) &&
	       is_text_within(req->target, FOTA_VERSION_MAX_BYTES) &&
	       is_len_within(req->product, 1, FOTA_PRODUCT_MAX_BYTES) && is_all_within(req->product, '0', '9') &&
	       is_len_within(req->secret, FOTA_SECRET_MIN_BYTES, FOTA_SECRET_MAX_BYTES) &&
	       is_all_within(req->secret, 0x21, 0x7e) && !memchr(req->secret.ptr, '"', req->secret.len);
}

/* An identity that was not provisioned takes what the command says. */
static bool is_other(struct fota_bytes provisioned, struct fota_bytes given)
{
	return provisioned.len && !fota_bytes_is_equal(provisioned, given);
}

static enum fota_code refusal_of(const struct fota_session *s, const struct fota_request *req)
{
	if (session_is_installing(s)) { return FOTA_CODE_NESTING; }
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
	s->is_check_only = false;
	s->stop_code = 0;
	s->step = STEP_CHECK;
	s->deadline_ms = session_now_ms(s) + s->limits.session_ms;
	s->is_running = true;
	return FOTA_CODE_NONE;
}

enum fota_code fota_session_check(struct fota_session *s, const struct fota_request *req, uint32_t origin)
{
	enum fota_code code = fota_session_start(s, req, origin);

	if (code == FOTA_CODE_NONE) { s->is_check_only = true; }
	return code;
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
	if (s->phase == PHASE_DOWNLOADING) { return session_take_body(s, body, taken); }
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
	if (s->phase == PHASE_DOWNLOADING) { session_take_head(s, head); }
	if (s->phase == PHASE_CHECKING) { session_check_head(s); }
}

/* One head, then what belongs to it. A second head could send a download back to its start
 * while storage still works on what the first one brought. */
static bool is_in_order(const struct fota_session *s, enum fota_http_event_kind kind)
{
	bool has_head = s->http_status != 0;

	return kind == FOTA_HTTP_FAIL || has_head != (kind == FOTA_HTTP_HEAD);
}

static void http_fail(struct fota_session *s, enum fota_err err)
{
	s->is_http_active = false;
	s->fail_code = (uint16_t)session_code_of_http(s, err);
	session_raise(s, EVENT_FAIL);
}

static enum fota_err take_event(struct fota_session *s, const struct fota_http_event *event, size_t *taken)
{
	enum fota_err err = FOTA_ERR_OK;

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
		http_fail(s, event->err);
		break;
	}
	return err;
}

enum fota_err fota_session_http(struct fota_session *s, const struct fota_http_event *event, size_t *taken)
{
	enum fota_err err = FOTA_ERR_OK;

	*taken = event->kind == FOTA_HTTP_BODY ? event->body.len : 0;
	if (!s->is_http_active) { return FOTA_ERR_OK; }
	if (is_in_order(s, event->kind)) {
		err = take_event(s, event, taken);
	} else {
		session_http_cancel(s);
		http_fail(s, FOTA_ERR_CONTRACT);
	}
	session_pump(s);
	return err;
}

void fota_session_storage(struct fota_session *s, enum fota_err result)
{
	session_job_end_operation(s, result);
	session_pump(s);
}

/* Not while an operation hangs: a read would have the work room still. */
static bool is_report_due(const struct fota_session *s)
{
	return s->phase == PHASE_IDLE && s->record.report_count && !s->is_going_down && !s->is_running &&
	       !s->is_restarting && !s->io.is_stuck;
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

/* Phases that wait for storage alone cannot be stopped; they end within its time
 * limit. Raising STOP there would only keep the caller's loop busy until then. */
static bool is_stop_due(const struct fota_session *s)
{
	static const bool can_stop[PHASE_COUNT] = {
		[PHASE_CHECKING] = true,    [PHASE_WAITING] = true,   [PHASE_PREPARING] = true,
		[PHASE_DOWNLOADING] = true, [PHASE_VERIFYING] = true,
	};

	if (s->is_going_down && (s->phase == PHASE_REPORTING || s->phase == PHASE_INSTALLING)) { return true; }
	return s->is_running && s->stop_code && can_stop[s->phase];
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
	if (session_is_order_due(s)) { session_go(s, PHASE_SETTLING); }
	if (is_report_due(s) && now >= s->report_due_ms) { session_go(s, PHASE_REPORTING); }
	session_pump(s);
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

	if (is_begin_due(s) || is_stop_due(s) || is_resume_due(s) || session_is_order_due(s)) { return 0; }
	if (session_job_is_active(s) && !s->io.is_pending) { return 0; }
	at = earlier(at, s->io.is_pending && !s->io.is_stuck, s->io.since_ms + s->limits.storage_ms);
	at = earlier(at, s->is_running && !s->stop_code, s->deadline_ms);
	at = earlier(at, has_timer(s), s->wake_ms);
	at = earlier(at, is_report_due(s), s->report_due_ms);
	at = earlier(at, s->phase == PHASE_IDLE || s->phase == PHASE_REPORTING, session_order_ms(s));
	if (at == UINT64_MAX) { return UINT32_MAX; }
	if (at <= now) { return 0; }
	return at - now < UINT32_MAX ? (uint32_t)(at - now) : UINT32_MAX - 1;
}

/* ---- public: looking ---- */

bool fota_session_is_quiet(const struct fota_session *s)
{
	return !s->is_running && (!s->io.is_pending || s->io.is_stuck) && !session_job_is_active(s) &&
	       s->phase == PHASE_IDLE;
}

bool fota_session_is_storing(const struct fota_session *s)
{
	return s->io.is_pending;
}

static enum fota_state state_of(const struct fota_session *s)
{
	static const uint8_t states[PHASE_COUNT] = {
		[PHASE_CHECKING] = FOTA_STATE_CHECKING,
		[PHASE_PREPARING] = FOTA_STATE_DOWNLOADING,
		[PHASE_DOWNLOADING] = FOTA_STATE_DOWNLOADING,
		[PHASE_VERIFYING] = FOTA_STATE_VERIFYING,
	};

	if (s->record.boot.state == FOTA_BOOT_TRIAL) { return FOTA_STATE_TRIAL; }
	if (session_is_installing(s)) { return FOTA_STATE_INSTALLING; }
	if (!s->is_running) { return session_is_ready(s) ? FOTA_STATE_READY : FOTA_STATE_IDLE; }
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
		.result = record->boot.result,
		.pending_report_count = record->report_count,
		.is_running = s->is_running,
		.is_on = s->is_on,
	};
}
