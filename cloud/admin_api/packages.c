/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of packages: PATCH /uploads/{id} (resumable), PUT /versions/{id}/package (one shot), and the end of
 * both.
 *
 * The HTTP thread only fills a buffer. When it is full, the request is suspended and the thread
 * for files writes and hashes it; so an upload of any size needs one buffer, and a slow disk slows
 * the upload and nothing else.
 *
 * What arrived before a broken connection counts for PATCH, and is dropped for PUT. */
#include "admin_api/admin_api.h"
#include "admin_api/manifests.h"
#include "admin_api/uploads.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUFFER_BYTES     262144u
#define PUT_RANDOM_BYTES 12u

struct transfer {
	struct cloud_job job;          /* first: the job works on the transfer */
	struct cloud_request *request; /* NULL: the connection is gone */
	struct cloud_app *app;
	struct cloud_upload_record record;
	/* What the job does after it appended the buffer. */
	enum { THEN_GO_ON, THEN_SYNC, THEN_FINISH, THEN_DROP } then;
	enum cloud_upload_result result;
	uint64_t off; /* where the buffer begins in the package */
	uint64_t received;
	size_t len;
	uint8_t digest[CLOUD_DIGEST_BYTES];
	uint8_t *buffer;
};

static void free_transfer(void *state)
{
	struct transfer *transfer = state;

	free(transfer->buffer);
	free(transfer);
}

static bool run_transfer(struct cloud_job *job, void *owner)
{
	struct transfer *transfer = (struct transfer *)job;
	struct cloud_app *app = owner;
	const struct cloud_upload *upload = &transfer->record.upload;
	struct fota_bytes bytes = { transfer->buffer, transfer->len };

	transfer->result = CLOUD_UPLOAD_OK;
	if (transfer->then == THEN_DROP) {
		cloud_upload_drop(app->uploads, upload->id);
		return true;
	}
	if (bytes.len) { transfer->result = cloud_upload_append(app->uploads, upload, transfer->off, bytes); }
	transfer->off += bytes.len;
	transfer->len = 0;
	if (transfer->result == CLOUD_UPLOAD_OK && transfer->then == THEN_FINISH) {
		transfer->result = cloud_upload_finish(app->uploads, upload, transfer->digest);
	}
	if (transfer->then == THEN_SYNC || transfer->result == CLOUD_UPLOAD_OFFSET) {
		enum cloud_upload_result synced = cloud_upload_sync(app->uploads, upload, &transfer->received);

		if (synced != CLOUD_UPLOAD_OK) { transfer->result = synced; }
	}
	return true;
}

static void transfer_done(struct cloud_job *job, bool is_ok)
{
	struct transfer *transfer = (struct transfer *)job;

	if (!is_ok) { transfer->result = CLOUD_UPLOAD_IO; }
	if (transfer->request) {
		cloud_request_resume(transfer->request);
	} else {
		free_transfer(transfer);
	}
}

static struct transfer *new_transfer(struct cloud_request *request)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer) {
		cloud_answer_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory; try again later");
		return NULL;
	}
	transfer->request = request;
	transfer->app = request->app;
	transfer->job.run = run_transfer;
	transfer->job.done = transfer_done;
	request->state = transfer;
	request->free_state = free_transfer;
	return transfer;
}

static void start_job(struct transfer *transfer, int then, void (*next)(struct cloud_request *request))
{
	transfer->then = then;
	cloud_request_suspend(transfer->request, next);
	cloud_queue_put(transfer->app->files, &transfer->job);
}

/* Reads the record of the path's upload; answers if there is none. */
static bool find_upload(struct cloud_request *request, struct cloud_upload_record *record)
{
	struct cloud_app *app = request->app;
	struct cloud_db *db = cloud_store_reader_get(app->store);
	enum cloud_db_result result = db ? cloud_upload_record_get(db, request->id, record) : CLOUD_DB_ERROR;

	cloud_store_reader_put(app->store, db);
	if (result == CLOUD_DB_DONE) {
		cloud_answer_problem(request, MHD_HTTP_NOT_FOUND, "no such upload is open; start one again");
	} else if (result != CLOUD_DB_ROW) {
		cloud_answer_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the store cannot do it now; try again");
	}
	return result == CLOUD_DB_ROW;
}

static void answer_offset(struct cloud_request *request, uint64_t offset)
{
	json_t *problem =
		cloud_problem_new(MHD_HTTP_CONFLICT, "the upload goes on at 'offset': send the bytes from there");

	json_object_set_new(problem, "offset", json_integer((json_int_t)offset));
	cloud_answer_problem_json(request, MHD_HTTP_CONFLICT, problem);
}

/* The upload's record is no longer of use: its file was thrown away. */
static void discard(struct cloud_call *call)
{
	struct transfer *transfer = call->arg;

	call->is_kept = true;
	if (cloud_db_exec(call->db, CLOUD_SQL_UPLOAD_DELETE, cloud_text(transfer->record.upload.id)) != CLOUD_DB_DONE) {
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
		return;
	}
	cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT,
			   "the bytes are not those of the digest, and were thrown away; upload the package again");
}

static void answer_failure(struct transfer *transfer)
{
	struct cloud_request *request = transfer->request;

	switch (transfer->result) {
	case CLOUD_UPLOAD_OFFSET:
		answer_offset(request, transfer->received);
		return;
	case CLOUD_UPLOAD_INCOMPLETE:
		cloud_answer_problem(request, MHD_HTTP_CONFLICT, "not all bytes are there; send the rest first");
		return;
	case CLOUD_UPLOAD_DIGEST:
		cloud_call_submit(request, discard, transfer);
		return;
	case CLOUD_UPLOAD_FULL:
		cloud_answer_problem(request, MHD_HTTP_INSUFFICIENT_STORAGE,
				     "the disk of the platform is full; make room and go on with the upload");
		return;
	case CLOUD_UPLOAD_IO:
	case CLOUD_UPLOAD_OK:
		break;
	}
	cloud_answer_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			     "the package cannot be stored; try again, and read the platform's log if it stays");
}

/* Gives the version its package. The blob is there and durable. */
static void record_package(struct cloud_call *call)
{
	struct transfer *transfer = call->arg;
	struct cloud_upload_record *record = &transfer->record;
	char hex[CLOUD_DIGEST_HEX_CAP];
	enum cloud_db_result result;

	/* Asked once more: while the bytes came, the version may have got another manifest. */
	if (!cloud_version_takes(call, record->version, record->upload.size_bytes, transfer->digest)) { return; }
	cloud_hex_put(transfer->digest, sizeof(transfer->digest), hex);
	result = cloud_db_exec(call->db, CLOUD_SQL_VERSION_PACKAGE, cloud_int(record->version), cloud_text(hex),
			       cloud_int((int64_t)record->upload.size_bytes));
	if (result == CLOUD_DB_DONE) {
		result = cloud_db_exec(call->db, CLOUD_SQL_UPLOAD_DELETE, cloud_text(record->upload.id));
	}
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, NULL);
		return;
	}
	call->writer->is_catalog_changed = true;
	cloud_version_answer(call, MHD_HTTP_OK, record->version);
}

static void after_finish(struct cloud_request *request)
{
	struct transfer *transfer = request->state;

	if (transfer->result == CLOUD_UPLOAD_OK) {
		cloud_call_submit(request, record_package, transfer);
	} else {
		answer_failure(transfer);
	}
}

static void after_sync(struct cloud_request *request)
{
	struct transfer *transfer = request->state;

	if (transfer->result == CLOUD_UPLOAD_OK) {
		cloud_answer_json(request, MHD_HTTP_OK, cloud_upload_json(&transfer->record, transfer->received));
	} else {
		answer_failure(transfer);
	}
}

void cloud_upload_get_handle(struct cloud_request *request)
{
	struct transfer *transfer = new_transfer(request);

	if (transfer && find_upload(request, &transfer->record)) { start_job(transfer, THEN_SYNC, after_sync); }
}

void cloud_upload_finish_handle(struct cloud_request *request)
{
	struct transfer *transfer = new_transfer(request);

	if (transfer && find_upload(request, &transfer->record)) { start_job(transfer, THEN_FINISH, after_finish); }
}

/* After a buffer in the middle of the body: an error is answered, the rest of the body is dropped. */
static void after_buffer(struct cloud_request *request)
{
	struct transfer *transfer = request->state;

	if (transfer->result != CLOUD_UPLOAD_OK) { answer_failure(transfer); }
}

static bool make_buffer(struct transfer *transfer, uint64_t length)
{
	transfer->buffer = malloc(length < BUFFER_BYTES ? (size_t)length + 1 : BUFFER_BYTES);
	if (!transfer->buffer) {
		cloud_answer_problem(transfer->request, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory; try again later");
	}
	return transfer->buffer != NULL;
}

static void patch_begin(struct cloud_request *request)
{
	struct transfer *transfer = new_transfer(request);
	const char *text = cloud_request_header(request, "Upload-Offset");
	uint64_t received;

	if (!transfer || !find_upload(request, &transfer->record)) { return; }
	if (!text || !cloud_number_get(text, INT64_MAX, &transfer->off)) {
		cloud_answer_problem(request, MHD_HTTP_BAD_REQUEST,
				     "send the header Upload-Offset: where the bytes begin");
		return;
	}
	received = cloud_upload_received(transfer->app->dir, &transfer->record.upload);
	if (received != transfer->off) {
		answer_offset(request, received);
	} else if (request->length > transfer->record.upload.size_bytes - received) {
		cloud_answer_problem(request, MHD_HTTP_UNPROCESSABLE_CONTENT,
				     "these are more bytes than were declared");
	} else {
		(void)make_buffer(transfer, request->length);
	}
}

static size_t take(struct cloud_request *request, const uint8_t *bytes, size_t len)
{
	struct transfer *transfer = request->state;
	size_t room = BUFFER_BYTES - transfer->len;

	if (len > room) { len = room; }
	memcpy(transfer->buffer + transfer->len, bytes, len);
	transfer->len += len;
	if (transfer->len == BUFFER_BYTES) { start_job(transfer, THEN_GO_ON, after_buffer); }
	return len;
}

static void patch_end(struct cloud_request *request)
{
	start_job(request->state, THEN_SYNC, after_sync);
}

/* Hands the transfer over to its last job, which frees it. */
static void leave(struct cloud_request *request, int then)
{
	struct transfer *transfer = request->state;

	/* After an answer the state may be that of a call, and there is nothing left to keep. */
	if (request->free_state != free_transfer) { return; }
	request->state = NULL;
	request->free_state = NULL;
	transfer->request = NULL;
	transfer->then = then;
	cloud_queue_put(transfer->app->files, &transfer->job);
}

static void patch_broken(struct cloud_request *request)
{
	leave(request, THEN_SYNC);
}

const struct cloud_stream cloud_upload_stream = {
	.begin = patch_begin,
	.take = take,
	.end = patch_end,
	.broken = patch_broken,
};

/* "sha-256=:<base64>:" out of Repr-Digest (RFC 9530), which may name other hashes too. */
static bool read_digest(struct cloud_request *request, struct cloud_upload *upload)
{
	const char *text = cloud_request_header(request, "Repr-Digest");
	const char *start = text ? strstr(text, "sha-256=:") : NULL;
	const char *end;

	if (!start) { return true; }
	start += strlen("sha-256=:");
	end = strchr(start, ':');
	upload->has_digest = end && cloud_base64_get(start, (size_t)(end - start), upload->digest, CLOUD_DIGEST_BYTES);
	if (!upload->has_digest) {
		cloud_answer_problem(request, MHD_HTTP_BAD_REQUEST, "Repr-Digest must be sha-256=:BASE64:");
	}
	return upload->has_digest;
}

/* What the package of the path's version must be; false if that was answered. */
static bool find_promise(struct cloud_request *request, int64_t *id, struct cloud_promise *promise)
{
	struct cloud_app *app = request->app;
	struct cloud_call call = { .app = app, .request = request, .db = cloud_store_reader_get(app->store) };
	bool is_good = false;

	*id = cloud_call_id(&call);
	if (!call.db) {
		cloud_call_failed(&call, CLOUD_DB_ERROR, NULL);
	} else {
		is_good = *id && cloud_version_promise(&call, *id, promise);
	}
	cloud_store_reader_put(app->store, call.db);
	if (!is_good) { cloud_answer_problem_json(request, call.status, call.out); }
	return is_good;
}

/* Whether the promise is kept as far as the head of the request tells; else it was answered. What is not
 * declared is taken from the promise, so that other bytes are thrown away at their end. */
static bool check_head(struct cloud_request *request, struct cloud_upload *upload, const struct cloud_promise *promise)
{
	struct cloud_call call = { .app = request->app, .request = request };
	struct cloud_ruling ruling;

	if (request->length == 0) {
		cloud_answer_problem(request, MHD_HTTP_UNPROCESSABLE_CONTENT, "a package has at least one byte");
		return false;
	}
	ruling = cloud_package_rule(promise, request->length, upload->has_digest ? upload->digest : NULL);
	if (!cloud_call_is_good(&call, &ruling)) {
		cloud_answer_problem_json(request, call.status, call.out);
		return false;
	}
	memcpy(upload->digest, promise->digest, sizeof(upload->digest));
	upload->has_digest = true;
	upload->size_bytes = request->length;
	return true;
}

static void put_begin(struct cloud_request *request)
{
	struct transfer *transfer = new_transfer(request);
	struct cloud_upload *upload = transfer ? &transfer->record.upload : NULL;
	struct cloud_promise promise;
	char hex[2 * PUT_RANDOM_BYTES + 1];

	if (!transfer || !find_promise(request, &transfer->record.version, &promise) || !read_digest(request, upload) ||
	    !check_head(request, upload, &promise)) {
		return;
	}
	if (!cloud_random_hex(hex, PUT_RANDOM_BYTES)) {
		cloud_answer_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, "no random numbers; try again");
		return;
	}
	snprintf(upload->id, sizeof(upload->id), "put-%s", hex);
	(void)make_buffer(transfer, request->length);
}

static void put_end(struct cloud_request *request)
{
	start_job(request->state, THEN_FINISH, after_finish);
}

static void put_broken(struct cloud_request *request)
{
	leave(request, THEN_DROP);
}

const struct cloud_stream cloud_package_stream = {
	.begin = put_begin,
	.take = take,
	.end = put_end,
	.broken = put_broken,
};
