/* SPDX-License-Identifier: Apache-2.0 */
/* An append-only journal on a flash area of two halves. A half begins with a snapshot
 * of the whole record; short progress entries follow. When a half is full, the other
 * one is erased and begins with a new snapshot: at every moment one half is whole.
 * SPEC.md has the bytes.
 *
 * The journal owns no time and no buffer, and never waits: each step makes one port
 * call and returns what the port returned. The caller runs
 *
 *     do { err = fota_journal_poll(j); } while (err == OK);
 *
 * and after PENDING goes on when the port has reported its completion. NONE means
 * that everything is done. */
#ifndef FOTA_JOURNAL_H
#define FOTA_JOURNAL_H

#include "fota/bytes.h"
#include "fota/err.h"
#include "fota/port.h"
#include "fota/record.h"

#define FOTA_JOURNAL_HALF_MIN_BYTES 4096u
/* Room for one entry: head, record, CRC, padding up to prog_bytes. */
#define FOTA_JOURNAL_ROOM_BYTES 2048u

enum fota_journal_job {
	FOTA_JOURNAL_IDLE,
	FOTA_JOURNAL_LOAD,
	FOTA_JOURNAL_SNAPSHOT,
	FOTA_JOURNAL_PROGRESS,
	FOTA_JOURNAL_SCRUB, /* snapshot in the other half, then nothing older is left */
};

struct fota_journal {
	/* private */
	const struct fota_flash *flash;
	struct fota_record *record;
	struct fota_room room;
	uint64_t half_bytes;
	uint64_t off;          /* in the active half: where the next entry goes */
	size_t entry_bytes;    /* of the entry that is being written */
	uint32_t seq;          /* of the last entry */
	uint32_t first_seq[2]; /* load: of the halves' first entries, 0 = not valid */
	uint8_t active;
	uint8_t job;
	uint8_t step;
	bool must_switch;  /* the next entry begins the other half */
	bool is_unsettled; /* what was loaded is perhaps not durable */
};

/* Keeps everything. CONTRACT if the area or the room is too small. */
FOTA_MUST_CHECK enum fota_err fota_journal_init(struct fota_journal *journal, const struct fota_flash *flash,
						struct fota_record *record, struct fota_room room);
/* Begins to fill the record from storage; an empty or damaged journal gives an
 * empty record. Uses the room until done. */
void fota_journal_load(struct fota_journal *journal);
/* Begins to store the record, durably. Uses the room until done. */
void fota_journal_save(struct fota_journal *journal, enum fota_journal_job job);
/* The operation that was PENDING failed: the job is over. */
void fota_journal_fail(struct fota_journal *journal);
/* One step. OK: call again. PENDING: call again after the completion of the port's
 * operation. NONE: done, and the room is cleared. FULL, IO, CONTRACT: failed; what was stored before is still
 * valid. */
FOTA_MUST_CHECK enum fota_err fota_journal_poll(struct fota_journal *journal);

#endif
