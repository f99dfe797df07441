/* SPDX-License-Identifier: Apache-2.0 */
/* The flash port over files in one directory, which is the state of a module.
 *
 * The session runs in one thread that must never wait for a disk. A store therefore
 * has one worker thread that carries out operations in their order; the caller waits
 * with poll(2) on posix_store_fd and takes the end of the pending operation with
 * posix_store_poll. Programmed bytes are collected and written in large pieces behind
 * the caller's back (write-behind); read and sync see all of them. */
#ifndef POSIX_STORE_H
#define POSIX_STORE_H

#include "fota/port.h"

struct posix_store;

/* Opens (and makes, mode 0700) the directory and locks it against another process.
 * OK; BUSY if another process has it; FULL; IO with errno set. */
FOTA_MUST_CHECK enum fota_err posix_store_open(struct posix_store **out, const char *dir);

enum posix_store_room {
	POSIX_STORE_SPARSE,   /* erasing gives room back to the file system */
	POSIX_STORE_RESERVED, /* the room is taken once and for all: a full disk does not matter */
	POSIX_STORE_DEVICE,   /* `name` is the path of a block device, or of a file whose size is fixed; erasing does
				 nothing */
};

/* Adds the file `name` (made with mode 0600) as an area; a DEVICE is as large as it is, and area_bytes not used.
 * Bytes need no erasing before they
 * are programmed, so the unit is 1. Fills *flash, which is valid until the store is
 * closed. OK, FULL, IO with errno set, or CONTRACT beyond POSIX_STORE_AREA_MAX areas. */
#define POSIX_STORE_AREA_MAX 4
FOTA_MUST_CHECK enum fota_err posix_store_add(struct posix_store *store, const char *name, uint64_t area_bytes,
					      enum posix_store_room room, struct fota_flash *flash);

int posix_store_fd(const struct posix_store *store);
/* True once for each operation that was PENDING and has ended. Does not block. */
bool posix_store_poll(struct posix_store *store, enum fota_err *result);

/* Blocks until the operation that was PENDING has ended, and gives its result; for times when nothing
 * else is to be done. False if that takes longer than limit_ms. */
bool posix_store_wait(struct posix_store *store, int limit_ms, enum fota_err *result);

/* Carries out what is queued, without syncing it, and frees the store. Does not wait
 * longer than a second for a disk that hangs: false then, and the worker may still use the
 * store and the `dst` of a read. NULL is allowed. */
bool posix_store_close(struct posix_store *store);

#endif
