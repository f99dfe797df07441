/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that are on their way in: files <dir>/uploads/ID, appended to in order, hashed on the
 * way, and moved among the blobs when they are complete and right.
 *
 * The length of the file is the progress: nothing else has to be kept for a restart. What a
 * crash of the machine might have left wrong in a file is found by its digest at the end.
 *
 * All functions but cloud_upload_received belong to one thread, the one for files. */
#ifndef CLOUD_BLOB_UPLOAD_H
#define CLOUD_BLOB_UPLOAD_H

#include "log.h"
#include "text.h"

#define CLOUD_UPLOAD_ID_CAP 40u

enum cloud_upload_result {
	CLOUD_UPLOAD_OK,
	CLOUD_UPLOAD_OFFSET,     /* the bytes do not begin where the file ends */
	CLOUD_UPLOAD_INCOMPLETE, /* not all bytes are there */
	CLOUD_UPLOAD_DIGEST,     /* the bytes are not those that were declared; thrown away */
	CLOUD_UPLOAD_FULL,       /* no room on the medium */
	CLOUD_UPLOAD_IO,         /* the medium fails */
};

struct cloud_uploads;

/* What is expected of an upload. `id` is ours: letters, digits and '-'. */
struct cloud_upload {
	char id[CLOUD_UPLOAD_ID_CAP];
	uint64_t size_bytes;
	bool has_digest;
	uint8_t digest[CLOUD_DIGEST_BYTES];
};

/* `dir` and `log` must outlive it. NULL: no memory. */
struct cloud_uploads *cloud_uploads_new(const char *dir, const struct log *log);
void cloud_uploads_free(struct cloud_uploads *uploads);

/* Removes files of uploads that nobody knows any more. At start only. */
void cloud_uploads_sweep(struct cloud_uploads *uploads, bool (*is_known)(void *ctx, const char *id), void *ctx);

/* How many bytes are there; all, if the blob exists already. Any thread. */
uint64_t cloud_upload_received(const char *dir, const struct cloud_upload *upload);

/* Appends bytes that begin at `off`; all of them or none count. */
FOTA_MUST_CHECK enum cloud_upload_result cloud_upload_append(struct cloud_uploads *uploads,
							     const struct cloud_upload *upload, uint64_t off,
							     struct fota_bytes bytes);

/* Makes what is there durable, and tells how much it is. */
FOTA_MUST_CHECK enum cloud_upload_result cloud_upload_sync(struct cloud_uploads *uploads,
							   const struct cloud_upload *upload, uint64_t *received);

/* Verifies the whole upload and makes it a blob; `digest` is set. Repeating it is fine. */
FOTA_MUST_CHECK enum cloud_upload_result cloud_upload_finish(struct cloud_uploads *uploads,
							     const struct cloud_upload *upload,
							     uint8_t digest[CLOUD_DIGEST_BYTES]);

/* Removes an upload's file, if there is one. */
void cloud_upload_drop(struct cloud_uploads *uploads, const char *id);

#endif
