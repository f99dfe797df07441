/* SPDX-License-Identifier: Apache-2.0 */
/* The storage side of a session: jobs of one port operation after the other.
 *
 * Invariants:
 * - At most one operation is pending (fota_io). A job is a function that makes the
 *   port call of its next step; NONE ends it. Whether the port answers at once or
 *   later makes no difference to a job.
 * - A job that failed or timed out raises JOB_FAIL once. An operation beyond its time
 *   limit stays "stuck" until its completion arrives; no other is begun before, and
 *   no request that needs the work room.
 * - synced_bytes of the record never claims more than a sync has made durable, and is
 *   a multiple of the erase unit, so that a later session can erase from there on.
 *
 * The work room: [0, cap - 2048) messages out, staged bytes, blocks to hash; in its
 * first 4096 bytes also the answer; the last 2048 belong to the journal. The uses of
 * the first part exclude each other by phase. */
#include "internal.h"

#define MESSAGE_BYTES FOTA_MESSAGE_MAX_BYTES

struct fota_room session_out_room(const struct fota_session *s)
{
	return (struct fota_room) { s->cfg->work.ptr, MESSAGE_BYTES };
}

struct fota_room session_in_room(const struct fota_session *s)
{
	return (struct fota_room) { s->cfg->work.ptr + MESSAGE_BYTES, MESSAGE_BYTES };
}

static struct fota_room block_room(const struct fota_session *s)
{
	return (struct fota_room) { s->cfg->work.ptr, s->cfg->work.cap - FOTA_JOURNAL_ROOM_BYTES };
}

/* ---- jobs ---- */

static uint64_t floor_to(uint64_t value, uint64_t unit)
{
	return value / unit * unit;
}

/* How much of what is programmed a later session can use: it erases from there on. */
static uint64_t durable_off(const struct fota_session *s)
{
	bool is_whole = s->write_off >= s->record.package.total_bytes;

	return is_whole ? s->record.package.total_bytes : floor_to(s->write_off, session_area(s)->erase_bytes);
}

static bool is_complete(const struct fota_session *s)
{
	return s->write_off + s->staged_len >= s->record.package.total_bytes;
}

/* The last block of an image is padded; a block that the transfer left incomplete is
 * fetched again. */
static enum fota_err flush_staged(struct fota_session *s)
{
	const struct fota_flash *slot = session_area(s);
	struct fota_room block = block_room(s);
	uint64_t off = s->write_off;

	if (s->staged_len == 0 || !is_complete(s)) {
		s->staged_len = 0;
		return FOTA_ERR_OK;
	}
	memset(block.ptr + s->staged_len, 0xff, slot->prog_bytes - s->staged_len);
	s->write_off += s->staged_len;
	s->staged_len = 0;
	s->is_unsynced = true;
	return slot->prog(slot->ctx, off, block.ptr, slot->prog_bytes);
}

static enum fota_err sync_area(struct fota_session *s)
{
	const struct fota_flash *area = session_area(s);

	s->is_unsynced = false;
	return area->sync(area->ctx);
}

static enum fota_err flush_note(struct fota_session *s)
{
	s->record.package.synced_bytes = durable_off(s);
	s->sync_due_ms = session_now_ms(s) + s->limits.sync_ms;
	fota_journal_save(&s->journal, FOTA_JOURNAL_PROGRESS);
	return FOTA_ERR_OK;
}

static enum fota_err flush_step(struct fota_session *s, unsigned step)
{
	switch (step) {
	case 0:
		return flush_staged(s);
	case 1:
		return sync_area(s);
	case 2:
		return flush_note(s);
	default:
		return fota_journal_poll(&s->journal);
	}
}

static enum fota_err hash_block(struct fota_session *s)
{
	const struct fota_crypto *crypto = s->cfg->crypto;
	struct fota_bytes block = { block_room(s).ptr, s->verify_len };

	s->verify_off += s->verify_len;
	s->verify_len = 0;
	return crypto->sha256_update(crypto->ctx, block) ? FOTA_ERR_CONTRACT : FOTA_ERR_OK;
}

static enum fota_err check_digest(struct fota_session *s)
{
	const struct fota_crypto *crypto = s->cfg->crypto;
	uint8_t digest[FOTA_DIGEST_BYTES];

	if (crypto->sha256_finish(crypto->ctx, digest)) { return FOTA_ERR_CONTRACT; }
	s->record.package.is_verified = memcmp(digest, s->record.package.digest, sizeof(digest)) == 0;
	return FOTA_ERR_NONE;
}

/* Step 0 begins; each further step hashes what was read and reads on. */
static enum fota_err verify_step(struct fota_session *s, unsigned step)
{
	const struct fota_crypto *crypto = s->cfg->crypto;
	const struct fota_flash *slot = session_area(s);
	struct fota_room block = block_room(s);
	uint64_t left;

	if (step == 0) {
		s->verify_off = s->verify_len = 0;
		return crypto->sha256_begin(crypto->ctx) ? FOTA_ERR_CONTRACT : FOTA_ERR_OK;
	}
	s->io.step = 1;
	if (s->verify_len) { return hash_block(s); }
	left = s->record.package.total_bytes - s->verify_off;
	if (left == 0) { return check_digest(s); }
	s->verify_len = left < block.cap ? (size_t)left : block.cap;
	return slot->read(slot->ctx, s->verify_off, block.ptr, s->verify_len);
}

static enum fota_err job_step(struct fota_session *s, unsigned step)
{
	switch (s->io.job) {
	case JOB_JOURNAL:
		return fota_journal_poll(&s->journal);
	case JOB_FLUSH:
		return flush_step(s, step);
	case JOB_VERIFY:
		return verify_step(s, step);
	case JOB_SETTLE:
		return step == 0 ? sync_area(s) : FOTA_ERR_NONE;
	default:
		return FOTA_ERR_NONE; /* JOB_STORE: its one operation is done */
	}
}

static enum fota_code code_of_storage(enum fota_err err)
{
	switch (err) {
	case FOTA_ERR_IO:
		return FOTA_CODE_IO;
	case FOTA_ERR_FULL:
		return FOTA_CODE_NO_MEMORY;
	case FOTA_ERR_TIMEOUT:
		return FOTA_CODE_IO_TIMEOUT;
	default:
		return FOTA_CODE_INTERNAL;
	}
}

static void job_fail(struct fota_session *s, enum fota_err err)
{
	fota_journal_fail(&s->journal);
	s->io.job = JOB_NONE;
	s->fail_code = (uint16_t)code_of_storage(err);
	session_raise(s, EVENT_JOB_FAIL);
}

static void wait_for_port(struct fota_session *s)
{
	s->io.is_pending = true;
	s->io.since_ms = session_now_ms(s);
}

bool session_job_is_active(const struct fota_session *s)
{
	return s->io.job != JOB_NONE;
}

/* A job that reads the whole image gives way after each block, so that a port whose
 * calls block does not keep the AT ports waiting. */
void session_job_run(struct fota_session *s)
{
	while (s->io.job != JOB_NONE && !s->io.is_pending) {
		bool gives_way = s->io.job == JOB_VERIFY && s->verify_len != 0;
		enum fota_err err = job_step(s, s->io.step++);

		if (err == FOTA_ERR_NONE) {
			s->io.job = JOB_NONE;
			session_raise(s, EVENT_JOB_DONE);
			return;
		}
		if (err == FOTA_ERR_PENDING) {
			wait_for_port(s);
			return;
		}
		if (err) {
			job_fail(s, err);
			return;
		}
		if (gives_way) { return; }
	}
}

void session_job_stop_verify(struct fota_session *s)
{
	if (s->io.job == JOB_VERIFY) { s->io.job = s->io.is_pending ? JOB_STORE : JOB_NONE; }
}

void session_job_check_time(struct fota_session *s)
{
	if (!s->io.is_pending || s->io.is_stuck) { return; }
	if (session_now_ms(s) - s->io.since_ms < s->limits.storage_ms) { return; }
	s->io.is_stuck = true;
	if (s->io.job != JOB_NONE) { job_fail(s, FOTA_ERR_TIMEOUT); }
}

void session_job_start(struct fota_session *s, enum session_job job)
{
	if (s->io.is_stuck) {
		job_fail(s, FOTA_ERR_TIMEOUT);
		return;
	}
	s->io.job = (uint8_t)job;
	s->io.step = 0;
	session_job_run(s);
}

void session_journal_start(struct fota_session *s, enum fota_journal_job job)
{
	if (job == FOTA_JOURNAL_LOAD) {
		fota_journal_load(&s->journal);
	} else {
		fota_journal_save(&s->journal, job);
	}
	session_job_start(s, JOB_JOURNAL);
}

void session_job_end_operation(struct fota_session *s, enum fota_err result)
{
	bool was_stuck = s->io.is_stuck;

	if (!s->io.is_pending) { return; }
	s->io.is_pending = false;
	s->io.is_stuck = false;
	if (was_stuck || s->io.job == JOB_NONE) { return; }
	if (result != FOTA_ERR_OK) {
		job_fail(s, result);
		return;
	}
	session_job_run(s);
}

/* ---- the body ---- */

void session_store_begin(struct fota_session *s, uint64_t off)
{
	s->write_off = off;
	s->erased_off = off;
	s->try_start_off = off;
	s->staged_len = 0;
	s->sync_due_ms = session_now_ms(s) + s->limits.sync_ms;
}

uint64_t session_store_received(const struct fota_session *s)
{
	return s->write_off + s->staged_len;
}

bool session_store_is_dirty(const struct fota_session *s)
{
	return durable_off(s) > s->record.package.synced_bytes;
}

static bool is_sync_due(const struct fota_session *s)
{
	uint64_t unsynced = s->write_off - s->record.package.synced_bytes;

	if (!session_store_is_dirty(s)) { return false; }
	return unsynced >= s->limits.sync_bytes || session_now_ms(s) >= s->sync_due_ms;
}

static enum fota_err erase_more(struct fota_session *s)
{
	const struct fota_flash *slot = session_area(s);
	uint64_t end = floor_to(s->record.package.total_bytes + slot->erase_bytes - 1, slot->erase_bytes);
	uint64_t step = slot->erase_step_bytes ? slot->erase_step_bytes : slot->erase_bytes;
	uint64_t len = end - s->erased_off < step ? end - s->erased_off : step;
	uint64_t off = s->erased_off;

	s->erased_off += len;
	return slot->erase(slot->ctx, off, len);
}

/* Programs whole units right from the input where nothing is staged. */
static enum fota_err prog_some(struct fota_session *s, struct fota_bytes bytes, size_t *taken)
{
	const struct fota_flash *slot = session_area(s);
	uint64_t room = s->erased_off - s->write_off;
	size_t len = (size_t)floor_to(bytes.len < room ? bytes.len : room, slot->prog_bytes);
	uint64_t off = s->write_off;

	if (s->staged_len == 0 && len) {
		s->write_off += len;
		*taken += len;
		return slot->prog(slot->ctx, off, bytes.ptr, len);
	}
	len = slot->prog_bytes - s->staged_len;
	if (len > bytes.len) { len = bytes.len; }
	memcpy(block_room(s).ptr + s->staged_len, bytes.ptr, len);
	s->staged_len += len;
	*taken += len;
	if (s->staged_len < slot->prog_bytes) { return FOTA_ERR_OK; }
	s->staged_len = 0;
	s->write_off += slot->prog_bytes;
	return slot->prog(slot->ctx, off, block_room(s).ptr, slot->prog_bytes);
}

/* OK: nothing to wait for. BUSY: a job runs or failed. */
static enum fota_err store_op(struct fota_session *s, enum fota_err err)
{
	if (err == FOTA_ERR_OK) { return FOTA_ERR_OK; }
	if (err == FOTA_ERR_PENDING) {
		s->io.job = JOB_STORE;
		wait_for_port(s);
		return FOTA_ERR_BUSY;
	}
	job_fail(s, err);
	return FOTA_ERR_BUSY;
}

enum fota_err session_store_body(struct fota_session *s, struct fota_bytes bytes, size_t *taken)
{
	*taken = 0;
	/* an event that is raised on the way is handled first: storage may have failed */
	while (*taken < bytes.len && s->event_count == 0) {
		struct fota_bytes rest = { bytes.ptr + *taken, bytes.len - *taken };
		enum fota_err err;

		if (session_job_is_active(s)) { return FOTA_ERR_BUSY; }
		if (s->io.is_stuck) { /* an earlier session's operation has not ended yet */
			job_fail(s, FOTA_ERR_TIMEOUT);
			return FOTA_ERR_BUSY;
		}
		if (is_sync_due(s)) {
			session_job_start(s, JOB_FLUSH);
			continue;
		}
		s->is_unsynced = true;
		err = s->write_off == s->erased_off ? erase_more(s) : prog_some(s, rest, taken);
		if (store_op(s, err)) { return FOTA_ERR_BUSY; }
	}
	return *taken == bytes.len ? FOTA_ERR_OK : FOTA_ERR_BUSY;
}
