/* SPDX-License-Identifier: Apache-2.0 */
/* Who was seen when, in memory. A check only notes its device here; the notes go to
 * the database together:
 *
 * - a device that is new, or whose version, target or attributes changed: with the next flush;
 * - a device that only asked again: not before its stored last-seen is CLOUD_SEEN_GRAIN_S old.
 *
 * So an idle check writes nothing, and a fleet that asks every minute costs one write a
 * device in fifteen minutes. Until it is written, cloud_presence_seen knows better than the
 * database. What was not flushed is lost by kill -9; the next check brings it again. */
#ifndef CLOUD_STORE_PRESENCE_H
#define CLOUD_STORE_PRESENCE_H

#include "fota/device_api.h"
#include "store/db.h"

#define CLOUD_SEEN_GRAIN_S 900

struct cloud_presence;

/* NULL: no memory. */
struct cloud_presence *cloud_presence_new(void);
void cloud_presence_free(struct cloud_presence *presence);

/* Notes a check of a device of product `seq`. Reads the database with `db` if the device was
 * not met lately. Any thread. */
void cloud_presence_note(struct cloud_presence *presence, struct cloud_db *db, int64_t seq,
			 const struct fota_check_request *request, int64_t now_s);

/* A report has told the database which version a device runs: a check that waits to be written does not
 * undo it, and the next check is written if it says otherwise. */
void cloud_presence_reported(struct cloud_presence *presence, int64_t seq, struct fota_bytes device,
			     struct fota_bytes version);

enum cloud_flush {
	CLOUD_FLUSH_CHANGED, /* new and changed devices, for a reader who must see them */
	CLOUD_FLUSH_DUE,     /* also last-seen that is old enough; forgets who was not met lately */
	CLOUD_FLUSH_ALL,     /* everything, at the end */
};

bool cloud_presence_is_changed(struct cloud_presence *presence);

/* Writes notes with the writer's `db`. They count as written: if the transaction fails, they come again when the
 * device was forgotten or changes. False: the database failed. */
FOTA_MUST_CHECK bool cloud_presence_flush(struct cloud_presence *presence, struct cloud_db *db, enum cloud_flush what,
					  int64_t now_s);

/* Whether a flush of CLOUD_FLUSH_DUE would write or forget anything. */
bool cloud_presence_is_due(struct cloud_presence *presence, int64_t now_s);

/* When a device was last seen, or 0 if only the database knows. */
int64_t cloud_presence_seen(struct cloud_presence *presence, int64_t seq, struct fota_bytes device);

#endif
