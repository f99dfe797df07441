/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads as records: what was declared, by whom it is found again. Their bytes are the matter of
 * blob/upload.h, and the requests that move bytes are in admin_api/packages.c. */
#include "admin_api/uploads.h"

#include "admin_api/admin_api.h"
#include "admin_api/manifests.h"

#include <stdio.h>
#include <stdlib.h>

#define UPLOAD_RANDOM_BYTES 16u

static bool read_row(struct cloud_stmt *stmt, struct cloud_upload_record *record)
{
	struct cloud_upload *upload = &record->upload;

	snprintf(upload->id, sizeof(upload->id), "%s", cloud_col_text(stmt, 0));
	record->version = cloud_col_int(stmt, 1);
	upload->size_bytes = (uint64_t)cloud_col_int(stmt, 2);
	upload->has_digest = cloud_hex_get(cloud_col_text(stmt, 3), upload->digest, sizeof(upload->digest));
	return upload->has_digest;
}

static enum cloud_db_result read_one(struct cloud_stmt *stmt, struct cloud_upload_record *record)
{
	enum cloud_db_result result = cloud_db_next(stmt);

	if (result == CLOUD_DB_ROW && !read_row(stmt, record)) { result = CLOUD_DB_ERROR; }
	cloud_db_end(stmt);
	return result;
}

enum cloud_db_result cloud_upload_record_get(struct cloud_db *db, const char *id, struct cloud_upload_record *record)
{
	return read_one(cloud_db_query(db, CLOUD_SQL_UPLOAD_GET, cloud_text(id)), record);
}

json_t *cloud_upload_json(const struct cloud_upload_record *record, uint64_t offset)
{
	char hex[CLOUD_DIGEST_HEX_CAP];

	cloud_hex_put(record->upload.digest, sizeof(record->upload.digest), hex);
	return json_pack("{s:s, s:I, s:I, s:I, s:s}", "id", record->upload.id, "version", (json_int_t)record->version,
			 "offset", (json_int_t)offset, "size", (json_int_t)record->upload.size_bytes, "digest", hex);
}

/* Reads size and digest of the body; answers if they are not good. */
static bool read_wish(struct cloud_call *call, struct cloud_upload_record *record)
{
	json_t *size = json_object_get(call->body, "size");
	json_t *digest = json_object_get(call->body, "digest");

	if (!json_is_integer(size) || json_integer_value(size) <= 0) {
		cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'size' must be the number of bytes, not 0");
		return false;
	}
	record->upload.size_bytes = (uint64_t)json_integer_value(size);
	record->upload.has_digest = json_is_string(digest) &&
				    cloud_hex_get(json_string_value(digest), record->upload.digest, CLOUD_DIGEST_BYTES);
	if (!record->upload.has_digest) {
		cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT,
				   "'digest' must be the SHA-256 as 64 hex digits");
	}
	return record->upload.has_digest;
}

static void answer_upload(struct cloud_call *call, unsigned status, const struct cloud_upload_record *record)
{
	cloud_call_ok(call, status, cloud_upload_json(record, cloud_upload_received(call->app->dir, &record->upload)));
}

static void add(struct cloud_call *call, struct cloud_upload_record *record, const char *hex)
{
	enum cloud_db_result result = CLOUD_DB_ERROR;

	if (cloud_random_hex(record->upload.id, UPLOAD_RANDOM_BYTES)) {
		result = cloud_db_exec(call->db, CLOUD_SQL_UPLOAD_ADD, cloud_text(record->upload.id),
				       cloud_int(record->version), cloud_int((int64_t)record->upload.size_bytes),
				       cloud_text(hex), cloud_int(call->now_s));
	}
	if (result == CLOUD_DB_DONE) {
		answer_upload(call, MHD_HTTP_CREATED, record);
	} else {
		cloud_call_failed(call, result, NULL);
	}
}

void cloud_upload_add(struct cloud_call *call)
{
	struct cloud_upload_record record = { .version = cloud_call_id(call) };
	struct cloud_upload_record open;
	char hex[CLOUD_DIGEST_HEX_CAP];
	enum cloud_db_result result;

	if (call->status || !read_wish(call, &record) ||
	    !cloud_version_takes(call, record.version, record.upload.size_bytes, record.upload.digest)) {
		return;
	}
	cloud_hex_put(record.upload.digest, sizeof(record.upload.digest), hex);
	result = read_one(cloud_db_query(call->db, CLOUD_SQL_UPLOAD_FIND, cloud_int(record.version),
					 cloud_int((int64_t)record.upload.size_bytes), cloud_text(hex)),
			  &open);
	if (result == CLOUD_DB_ROW) {
		answer_upload(call, MHD_HTTP_OK, &open);
	} else if (result == CLOUD_DB_DONE) {
		add(call, &record, hex);
	} else {
		cloud_call_failed(call, result, NULL);
	}
}

struct drop_job {
	struct cloud_job job; /* first */
	char id[CLOUD_UPLOAD_ID_CAP];
};

static bool run_drop(struct cloud_job *job, void *owner)
{
	struct cloud_app *app = owner;

	cloud_upload_drop(app->uploads, ((struct drop_job *)job)->id);
	return true;
}

static void drop_done(struct cloud_job *job, bool is_ok)
{
	(void)is_ok; /* what was not removed is removed at the next start */
	free(job);
}

void cloud_upload_drop_later(struct cloud_app *app, const char *id)
{
	struct drop_job *drop = calloc(1, sizeof(*drop));

	if (!drop) { return; }
	snprintf(drop->id, sizeof(drop->id), "%s", id);
	drop->job.run = run_drop;
	drop->job.done = drop_done;
	cloud_queue_put(app->files, &drop->job);
}

void cloud_upload_delete(struct cloud_call *call)
{
	const char *id = call->request->id;
	enum cloud_db_result result = cloud_db_exec(call->db, CLOUD_SQL_UPLOAD_DELETE, cloud_text(id));

	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, NULL);
	} else if (cloud_db_changes(call->db) == 0) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no upload is '%s'", id);
	} else {
		/* Should the commit fail, the upload begins anew: a file that is gone has 0 bytes. */
		cloud_upload_drop_later(call->app, id);
		cloud_call_ok(call, MHD_HTTP_NO_CONTENT, NULL);
	}
}
