/* SPDX-License-Identifier: Apache-2.0 */
/* From the offer to the verified package: tries, download, flush, verification. */
#include "internal.h"

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

void session_check_failed(struct fota_session *s)
{
	session_http_cancel(s);
	try_again_or_end(s);
}

void session_retry_now(struct fota_session *s)
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

void session_enter_preparing(struct fota_session *s)
{
	s->step = STEP_STORE;
	s->record.package.synced_bytes = 0;
	s->record.package.is_verified = false;
	/* what was in the slot is given up here, also as a way back */
	memset(&s->record.boot.images[fota_boot_target(&s->record.boot)], 0, sizeof(s->record.boot.images[0]));
	session_store_begin(s, 0);
	session_journal_start(s, FOTA_JOURNAL_SNAPSHOT);
}

void session_prepared(struct fota_session *s)
{
	session_go(s, PHASE_DOWNLOADING);
}

void session_preparing_failed(struct fota_session *s)
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

void session_enter_downloading(struct fota_session *s)
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

void session_take_head(struct fota_session *s, const struct fota_http_event *head)
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

enum fota_err session_take_body(struct fota_session *s, struct fota_bytes body, size_t *taken)
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

void session_download_done(struct fota_session *s)
{
	s->fail_code = is_received(s) ? FOTA_CODE_NONE : FOTA_CODE_SOCKET_RECV;
	session_go(s, PHASE_FLUSHING);
}

void session_download_failed(struct fota_session *s)
{
	session_http_cancel(s);
	session_go(s, PHASE_FLUSHING);
}

void session_storage_failed(struct fota_session *s)
{
	enum fota_code code = end_code_of(s, (enum fota_code)s->fail_code);

	s->step = STEP_STORE;
	session_store_begin(s, s->record.package.synced_bytes); /* nothing to flush */
	session_end(s, code);
}

/* ---- flush: the way out of a download ---- */

void session_flushed(struct fota_session *s)
{
	if (session_store_is_dirty(s) || (s->staged_len && is_received(s))) {
		session_job_start(s, JOB_FLUSH);
		return;
	}
	s->staged_len = 0;
	/* what was given up may fail still: not as the first operation of the next session */
	if (s->end_code && s->is_unsynced) {
		session_job_start(s, JOB_SETTLE);
		return;
	}
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

void session_enter_flushing(struct fota_session *s)
{
	if (!session_job_is_active(s)) { session_flushed(s); }
}

void session_flush_failed(struct fota_session *s)
{
	session_store_begin(s, s->record.package.synced_bytes);
	if (!s->end_code) {
		s->step = STEP_STORE;
		s->end_code = s->fail_code;
	}
	session_go(s, PHASE_SAVING);
}

/* ---- verify ---- */

void session_enter_verifying(struct fota_session *s)
{
	s->step = STEP_VERIFY;
	session_store_begin(s, s->record.package.synced_bytes);
	s->record.package.is_verified = false;
	session_job_start(s, JOB_VERIFY);
}

void session_verified(struct fota_session *s)
{
	if (s->record.package.is_verified) {
		session_end(s, FOTA_CODE_DOWNLOADED);
		return;
	}
	discard_package(s);
	session_end(s, FOTA_CODE_VERIFY);
}

void session_verify_failed(struct fota_session *s)
{
	session_end(s, (enum fota_code)s->fail_code);
}

void session_stop(struct fota_session *s)
{
	session_job_stop_verify(s);
	session_end(s, (enum fota_code)s->stop_code);
}
