/* SPDX-License-Identifier: Apache-2.0 */
/* SPEC.md, "Journal". Invariants:
 *
 * - The active half begins with a valid snapshot; entries follow with sequence numbers
 *   that rise by one. The first entry that is not valid, or does not continue the
 *   count, ends the half: a torn write and what was left there before look alike.
 * - After a start nothing is appended behind what was found, since a cut may have left
 *   half-written cells there: the first entry goes to the other half.
 * - The half with the higher first sequence number is the newer one. It is complete
 *   before anything in the older one is touched.
 * - What was read may be in a cache alone: a program that was killed wrote it and did not
 *   come to its sync. So there is one before the first erasure after a load.
 * - Behind an entry that failed nothing is appended: the next one switches. */
#include "fota/journal.h"

#include "util/crc32.h"

#define ENTRY_MAGIC    0x4a46u /* "FJ", little-endian */
#define ENTRY_VERSION  1u
#define ENTRY_HEAD     12u /* magic 2, version 1, kind 1, seq 4, length 2, zero 2 */
#define ENTRY_CRC      4u
#define PROGRESS_BYTES 8u

enum entry_kind { ENTRY_SNAPSHOT = 1, ENTRY_PROGRESS = 2 };

struct entry {
	uint8_t kind;
	uint32_t seq;
	struct fota_bytes payload;
};

static void put_le(uint8_t *dst, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		dst[i] = (uint8_t)(value >> (8 * i));
	}
}

static uint64_t get_le(const uint8_t *src, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++) {
		value |= (uint64_t)src[i] << (8 * i);
	}
	return value;
}

static size_t padded(const struct fota_journal *journal, size_t payload_len)
{
	size_t prog = journal->flash->prog_bytes;
	size_t len = ENTRY_HEAD + payload_len + ENTRY_CRC;

	return (len + prog - 1) / prog * prog;
}

/* Frames the payload that lies in the room behind the head. */
static size_t frame(struct fota_journal *journal, uint8_t kind, uint32_t seq, size_t payload_len)
{
	uint8_t *head = journal->room.ptr;
	size_t crc_off = ENTRY_HEAD + payload_len;
	size_t len = padded(journal, payload_len);

	put_le(head, ENTRY_MAGIC, 2);
	head[2] = ENTRY_VERSION;
	head[3] = kind;
	put_le(head + 4, seq, 4);
	put_le(head + 8, payload_len, 2);
	put_le(head + 10, 0, 2);
	put_le(head + crc_off, fota_crc32(0, head, crc_off), ENTRY_CRC);
	memset(head + crc_off + ENTRY_CRC, 0xff, len - crc_off - ENTRY_CRC);
	return len;
}

static bool parse(struct fota_bytes bytes, struct entry *entry)
{
	size_t len;

	if (bytes.len < ENTRY_HEAD + ENTRY_CRC) { return false; }
	if (get_le(bytes.ptr, 2) != ENTRY_MAGIC || bytes.ptr[2] != ENTRY_VERSION) { return false; }
	len = (size_t)get_le(bytes.ptr + 8, 2);
	if (len > bytes.len - ENTRY_HEAD - ENTRY_CRC) { return false; }
	if (get_le(bytes.ptr + ENTRY_HEAD + len, ENTRY_CRC) != fota_crc32(0, bytes.ptr, ENTRY_HEAD + len)) {
		return false;
	}
	entry->kind = bytes.ptr[3];
	entry->seq = (uint32_t)get_le(bytes.ptr + 4, 4);
	entry->payload = (struct fota_bytes) { bytes.ptr + ENTRY_HEAD, len };
	return true;
}

enum fota_err fota_journal_init(struct fota_journal *journal, const struct fota_flash *flash,
				struct fota_record *record, struct fota_room room)
{
	*journal = (struct fota_journal) { .flash = flash, .record = record, .room = room };
	if (!flash->erase_bytes || !flash->prog_bytes || flash->erase_bytes % flash->prog_bytes) {
		return FOTA_ERR_CONTRACT;
	}
	journal->half_bytes = flash->area_bytes / 2 / flash->erase_bytes * flash->erase_bytes;
	if (journal->half_bytes < FOTA_JOURNAL_HALF_MIN_BYTES || room.cap < FOTA_JOURNAL_ROOM_BYTES ||
	    padded(journal, FOTA_RECORD_MAX_BYTES) > room.cap) {
		return FOTA_ERR_CONTRACT;
	}
	return FOTA_ERR_OK;
}

/* ---- load ---- */

enum load_step { LOAD_READ_0, LOAD_LOOK_0, LOAD_READ_1, LOAD_LOOK_1, LOAD_CHOOSE, LOAD_READ, LOAD_APPLY };

static uint64_t base_of(const struct fota_journal *journal, unsigned half)
{
	return half ? journal->half_bytes : 0;
}

/* How much of the room one look at `off` fills. */
static size_t look_len(const struct fota_journal *journal, uint64_t off)
{
	uint64_t left = journal->half_bytes - off;

	return left < journal->room.cap ? (size_t)left : journal->room.cap;
}

static enum fota_err read_at(struct fota_journal *journal, unsigned half, uint64_t off)
{
	return journal->flash->read(journal->flash->ctx, base_of(journal, half) + off, journal->room.ptr,
				    look_len(journal, off));
}

static enum fota_err look(struct fota_journal *journal, unsigned half)
{
	struct entry entry;
	struct fota_bytes bytes = { journal->room.ptr, look_len(journal, 0) };

	if (parse(bytes, &entry) && entry.kind == ENTRY_SNAPSHOT) { journal->first_seq[half] = entry.seq; }
	return FOTA_ERR_OK;
}

static enum fota_err choose(struct fota_journal *journal)
{
	journal->active = journal->first_seq[1] > journal->first_seq[0];
	journal->must_switch = true;
	journal->off = 0;
	memset(journal->record, 0, sizeof(*journal->record));
	if (!journal->first_seq[journal->active]) { return FOTA_ERR_NONE; } /* empty */
	journal->seq = journal->first_seq[journal->active] - 1;
	return FOTA_ERR_OK;
}

static enum fota_err apply_progress(struct fota_record *record, struct fota_bytes payload)
{
	uint64_t synced;

	if (payload.len != PROGRESS_BYTES) { return FOTA_ERR_FORMAT; }
	synced = get_le(payload.ptr, PROGRESS_BYTES);
	if (synced > record->package.total_bytes) { return FOTA_ERR_RANGE; }
	record->package.synced_bytes = synced;
	return FOTA_ERR_OK;
}

static enum fota_err apply_entry(struct fota_record *record, const struct entry *entry)
{
	switch (entry->kind) {
	case ENTRY_SNAPSHOT:
		return fota_record_get(entry->payload, record);
	case ENTRY_PROGRESS:
		return apply_progress(record, entry->payload);
	default:
		return FOTA_ERR_FORMAT; /* of a version that is not ours */
	}
}

/* One entry after the other; what is not the next valid entry is the end. */
static enum fota_err apply(struct fota_journal *journal)
{
	struct fota_bytes bytes = { journal->room.ptr, look_len(journal, journal->off) };
	struct entry entry;

	if (!parse(bytes, &entry) || entry.seq != journal->seq + 1) { return FOTA_ERR_NONE; }
	/* counted even if it says nothing to us, so that the next half begins higher */
	journal->seq = entry.seq;
	if (apply_entry(journal->record, &entry)) { return FOTA_ERR_NONE; }
	journal->off += padded(journal, entry.payload.len);
	if (journal->off >= journal->half_bytes) { return FOTA_ERR_NONE; }
	journal->step = LOAD_READ;
	return FOTA_ERR_OK;
}

static enum fota_err load_step(struct fota_journal *journal, unsigned step)
{
	switch (step) {
	case LOAD_READ_0:
		return read_at(journal, 0, 0);
	case LOAD_LOOK_0:
		return look(journal, 0);
	case LOAD_READ_1:
		return read_at(journal, 1, 0);
	case LOAD_LOOK_1:
		return look(journal, 1);
	case LOAD_CHOOSE:
		return choose(journal);
	case LOAD_READ:
		return read_at(journal, journal->active, journal->off);
	default:
		return apply(journal);
	}
}

/* ---- save ---- */

enum save_step { SAVE_SETTLE, SAVE_ERASE, SAVE_PROG, SAVE_SYNC, SAVE_COMMIT, SAVE_ERASE_OLD, SAVE_SYNC_OLD };

static enum fota_err erase_half(struct fota_journal *journal, unsigned half)
{
	return journal->flash->erase(journal->flash->ctx, base_of(journal, half), journal->half_bytes);
}

static enum fota_err put_payload(struct fota_journal *journal, uint8_t kind, size_t *len)
{
	struct fota_room room = { journal->room.ptr + ENTRY_HEAD, FOTA_RECORD_MAX_BYTES };
	struct fota_bytes payload = { room.ptr, PROGRESS_BYTES };
	enum fota_err err = FOTA_ERR_OK;

	if (kind == ENTRY_PROGRESS) {
		put_le(room.ptr, journal->record->package.synced_bytes, PROGRESS_BYTES);
	} else {
		err = fota_record_put(journal->record, room, &payload);
	}
	*len = payload.len;
	return err ? FOTA_ERR_CONTRACT : FOTA_ERR_OK;
}

/* Where the entry goes; the active half changes only when the entry is safe, so that a
 * failure never leads to the erasure of the half that still counts. */
static unsigned target_half(const struct fota_journal *journal)
{
	return journal->must_switch ? !journal->active : journal->active;
}

static enum fota_err prog_entry(struct fota_journal *journal)
{
	bool is_short = journal->job == FOTA_JOURNAL_PROGRESS && !journal->must_switch;
	uint8_t kind = is_short ? ENTRY_PROGRESS : ENTRY_SNAPSHOT;
	uint64_t off = journal->must_switch ? 0 : journal->off;
	size_t payload_len;
	enum fota_err err = put_payload(journal, kind, &payload_len);

	if (err) { return err; }
	journal->entry_bytes = frame(journal, kind, journal->seq + 1, payload_len);
	journal->seq++;
	return journal->flash->prog(journal->flash->ctx, base_of(journal, target_half(journal)) + off,
				    journal->room.ptr, journal->entry_bytes);
}

/* The entry is durable: from now on it counts. */
static enum fota_err commit(struct fota_journal *journal)
{
	if (journal->must_switch) { journal->off = 0; }
	journal->active = (uint8_t)target_half(journal);
	journal->off += journal->entry_bytes;
	journal->must_switch = false;
	journal->is_unsettled = false;
	return FOTA_ERR_OK;
}

static enum fota_err save_step(struct fota_journal *journal, unsigned step)
{
	bool is_scrub = journal->job == FOTA_JOURNAL_SCRUB;

	switch (step) {
	case SAVE_SETTLE:
		return journal->must_switch && journal->is_unsettled ? journal->flash->sync(journal->flash->ctx)
								     : FOTA_ERR_OK;
	case SAVE_ERASE:
		return journal->must_switch ? erase_half(journal, target_half(journal)) : FOTA_ERR_OK;
	case SAVE_PROG:
		return prog_entry(journal);
	case SAVE_SYNC:
		return journal->flash->sync(journal->flash->ctx);
	case SAVE_COMMIT:
		return commit(journal);
	case SAVE_ERASE_OLD:
		return is_scrub ? erase_half(journal, !journal->active) : FOTA_ERR_OK;
	case SAVE_SYNC_OLD:
		return is_scrub ? journal->flash->sync(journal->flash->ctx) : FOTA_ERR_OK;
	default:
		return FOTA_ERR_NONE;
	}
}

void fota_journal_load(struct fota_journal *journal)
{
	journal->job = FOTA_JOURNAL_LOAD;
	journal->is_unsettled = true;
	journal->step = 0;
	journal->first_seq[0] = journal->first_seq[1] = 0;
}

void fota_journal_save(struct fota_journal *journal, enum fota_journal_job job)
{
	journal->job = (uint8_t)job;
	journal->step = 0;
	if (job == FOTA_JOURNAL_SCRUB || journal->half_bytes - journal->off < journal->room.cap) {
		journal->must_switch = true;
	}
}

void fota_journal_fail(struct fota_journal *journal)
{
	if (journal->job != FOTA_JOURNAL_LOAD) { journal->must_switch = true; }
	journal->job = FOTA_JOURNAL_IDLE;
}

enum fota_err fota_journal_poll(struct fota_journal *journal)
{
	unsigned step = journal->step++;
	enum fota_err err;

	if (journal->job == FOTA_JOURNAL_IDLE) { return FOTA_ERR_NONE; }
	err = journal->job == FOTA_JOURNAL_LOAD ? load_step(journal, step) : save_step(journal, step);
	if (err == FOTA_ERR_NONE) {
		journal->job = FOTA_JOURNAL_IDLE;
		memset(journal->room.ptr, 0, journal->room.cap); /* a snapshot may hold secrets */
	}
	if (err != FOTA_ERR_OK && err != FOTA_ERR_PENDING && err != FOTA_ERR_NONE) { fota_journal_fail(journal); }
	return err;
}
