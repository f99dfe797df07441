/* SPDX-License-Identifier: Apache-2.0 */
/* Content-addressed files: <dir>/blobs/ab/cdef… by the hex of their SHA-256. A file that
 * has its name is complete and durable; it never changes. */
#ifndef CLOUD_BLOB_BLOB_H
#define CLOUD_BLOB_BLOB_H

#include "log.h"
#include "text.h"

#define CLOUD_BLOB_PATH_CAP 4224u

/* Makes the folders below data directory `dir`. */
FOTA_MUST_CHECK bool cloud_blob_prepare(const char *dir, const struct log *log);

/* The path of a blob; `hex` is its digest. Returns `path`. */
const char *cloud_blob_path(const char *dir, const char *hex, char path[CLOUD_BLOB_PATH_CAP]);

/* Opens a blob for reading; -1 with errno, ENOENT if there is none. */
int cloud_blob_open(const char *dir, const char *hex, uint64_t *size_bytes);

/* Moves the complete and synced file `from` to its name and makes that durable. A blob that is
 * there already is as good. */
FOTA_MUST_CHECK bool cloud_blob_adopt(const char *dir, const char *from, const char *hex, const struct log *log);

/* Removes every blob for which is_used returns false. At start only: nothing else may run. */
void cloud_blob_sweep(const char *dir, bool (*is_used)(void *ctx, const char *hex), void *ctx, const struct log *log);

/* Makes the names inside a directory durable. */
FOTA_MUST_CHECK bool cloud_dir_sync(const char *path);

#endif
