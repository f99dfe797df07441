/* SPDX-License-Identifier: Apache-2.0 */
/* A call that writes is a job of the store. It belongs to the request as its state, so that it
 * goes away with it, whatever happens to the connection. */
#include "admin_api/call.h"

#include "device_api/workers.h"
#include "store/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LIST_DEFAULT 100
#define LIST_MAX     1000

struct pending {
	struct cloud_job job; /* first: the job is the call */
	struct cloud_call call;
	cloud_call_fn *fn;
	void *inner; /* the request's state before */
	void (*free_inner)(void *inner);
};

static void free_call(struct cloud_call *call)
{
	json_decref(call->body);
	json_decref(call->out);
}

static void free_pending(void *state)
{
	struct pending *pending = state;

	if (pending->free_inner) { pending->free_inner(pending->inner); }
	free_call(&pending->call);
	free(pending);
}

/* Reads the body of a row that has one. False: it was answered. */
static bool read_body(struct cloud_request *request, json_t **body)
{
	json_error_t error;
	char detail[256];

	*body = NULL;
	if (request->route->body_max == 0) { return true; }
	*body = json_loadb((const char *)request->body, request->body_len, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(*body)) { return true; }
	snprintf(detail, sizeof(detail), "send a JSON object%s%s", *body ? "" : ": ",
		 *body                    ? ""
		 : request->body_len == 0 ? "the body is empty"
					  : error.text);
	json_decref(*body);
	*body = NULL;
	cloud_answer_problem(request, MHD_HTTP_BAD_REQUEST, detail);
	return false;
}

static void answer_call(struct cloud_request *request, struct cloud_call *call)
{
	json_t *out = call->out;

	call->out = NULL;
	if (call->status == MHD_HTTP_NO_CONTENT) {
		cloud_answer_empty(request, call->status);
	} else if (call->status >= 400) {
		cloud_answer_problem_json(request, call->status, out);
	} else {
		cloud_answer_json(request, call->status ? call->status : MHD_HTTP_INTERNAL_SERVER_ERROR, out);
	}
}

static void init_call(struct cloud_call *call, struct cloud_request *request)
{
	*call = (struct cloud_call) { .app = request->app, .request = request, .now_s = (int64_t)time(NULL) };
}

void cloud_admin_read(struct cloud_request *request)
{
	struct cloud_app *app = request->app;
	struct cloud_call call;

	init_call(&call, request);
	call.db = cloud_store_reader_get(app->store);
	if (call.db) {
		request->route->call(&call);
	} else {
		cloud_call_failed(&call, CLOUD_DB_ERROR, NULL);
	}
	cloud_store_reader_put(app->store, call.db);
	answer_call(request, &call);
	free_call(&call);
}

static bool run_pending(struct cloud_job *job, void *owner)
{
	struct pending *pending = (struct pending *)job;
	struct cloud_writer *writer = owner;

	pending->call.db = writer->db;
	pending->call.writer = writer;
	pending->fn(&pending->call);
	return pending->call.status < 400 || pending->call.is_kept;
}

static void pending_done(struct cloud_job *job, bool is_ok)
{
	struct pending *pending = (struct pending *)job;
	struct cloud_call *call = &pending->call;

	if (!is_ok && (call->status < 400 || call->is_kept)) {
		json_decref(call->out);
		call->out = NULL;
		call->status = 0;
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
	}
	cloud_request_resume(call->request);
}

static void answer_pending(struct cloud_request *request)
{
	struct pending *pending = request->state;

	log_line(request->log, LOG_LEVEL_INFO, "admin", "%s %s %s: %u", request->route->method, request->route->pattern,
		 request->id, pending->call.status);
	answer_call(request, &pending->call);
}

static void submit(struct cloud_request *request, cloud_call_fn *fn, void *arg, json_t *body,
		   void (*next)(struct cloud_request *request))
{
	struct cloud_app *app = request->app;
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending) {
		json_decref(body);
		cloud_answer_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory; try again later");
		return;
	}
	init_call(&pending->call, request);
	pending->call.body = body;
	pending->call.arg = arg;
	pending->fn = fn;
	pending->inner = request->state;
	pending->free_inner = request->free_state;
	pending->job.run = run_pending;
	pending->job.done = pending_done;
	request->state = pending;
	request->free_state = free_pending;
	cloud_request_suspend(request, next);
	cloud_store_write(app->store, &pending->job);
}

void cloud_call_submit(struct cloud_request *request, cloud_call_fn *fn, void *arg)
{
	submit(request, fn, arg, NULL, answer_pending);
}

void cloud_admin_write(struct cloud_request *request)
{
	json_t *body;

	if (read_body(request, &body)) { submit(request, request->route->call, NULL, body, answer_pending); }
}

static void flush_devices(struct cloud_call *call)
{
	if (cloud_presence_flush(call->app->presence, call->db, CLOUD_FLUSH_CHANGED, call->now_s)) {
		call->status = MHD_HTTP_OK;
	} else {
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
	}
}

static void read_after_flush(struct cloud_request *request)
{
	struct pending *pending = request->state;

	if (pending->call.status >= 400) {
		answer_call(request, &pending->call);
	} else {
		cloud_admin_read(request);
	}
}

void cloud_admin_read_devices(struct cloud_request *request)
{
	struct cloud_app *app = request->app;

	if (cloud_presence_is_changed(app->presence)) {
		submit(request, flush_devices, NULL, NULL, read_after_flush);
	} else {
		cloud_admin_read(request);
	}
}

static bool hash_token(struct cloud_app *app, const char *token, uint8_t hash[32])
{
	struct cloud_worker *worker = cloud_worker_get(app->workers);
	bool is_ok;

	if (!worker) { return false; }
	is_ok = worker->crypto.sha256_begin(worker->crypto.ctx) == FOTA_ERR_OK &&
		worker->crypto.sha256_update(worker->crypto.ctx, fota_bytes_of(token)) == FOTA_ERR_OK &&
		worker->crypto.sha256_finish(worker->crypto.ctx, hash) == FOTA_ERR_OK;
	cloud_worker_put(app->workers, worker);
	return is_ok;
}

bool cloud_admin_allow(struct cloud_request *request)
{
	struct cloud_app *app = request->app;
	const char *header = cloud_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
	const struct cloud_catalog *catalog;
	uint8_t hash[32];
	bool is_known;

	if (header && strncasecmp(header, "Bearer ", 7) == 0 && hash_token(app, header + 7, hash)) {
		catalog = cloud_store_catalog(app->store);
		is_known = cloud_token_is_known(catalog, hash);
		cloud_catalog_drop(catalog);
		if (is_known) { return true; }
	}
	cloud_answer_problem(
		request, MHD_HTTP_UNAUTHORIZED,
		"send 'Authorization: Bearer TOKEN'; the first token is in the file admin-token of the data "
		"directory");
	return false;
}

void cloud_call_ok(struct cloud_call *call, unsigned status, json_t *out)
{
	if (call->status) {
		json_decref(out);
		return;
	}
	call->status = status;
	call->out = out;
}

void cloud_call_problem(struct cloud_call *call, unsigned status, const char *format, ...)
{
	char detail[512];
	json_t *problem;
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	problem = cloud_problem_new(status, detail);
	/* What a client sent is part of some details, and may be cut in the middle of a letter. */
	if (!problem) { problem = cloud_problem_new(status, "the request holds what cannot be shown"); }
	cloud_call_ok(call, status, problem);
}

void cloud_call_failed(struct cloud_call *call, enum cloud_db_result result, const char *conflict)
{
	if (result == CLOUD_DB_CONFLICT && conflict) {
		cloud_call_problem(call, MHD_HTTP_CONFLICT, "%s", conflict);
	} else if (call->writer && cloud_db_is_full(call->db)) {
		cloud_call_problem(
			call, MHD_HTTP_INSUFFICIENT_STORAGE,
			"nothing was changed: the disk of the platform's data is full; make room there, then "
			"try again");
	} else {
		cloud_call_problem(call, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "the store cannot do it now; try again, and read the platform's log if it stays");
	}
}

const char *cloud_call_text(struct cloud_call *call, const char *name, const char *(*check)(const char *text),
			    bool is_needed)
{
	json_t *value = json_object_get(call->body, name);
	const char *wrong;

	if (!value || json_is_null(value)) {
		if (is_needed) { cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'%s' is needed", name); }
		return NULL;
	}
	wrong = json_is_string(value) ? check(json_string_value(value)) : "must be a text";
	if (!wrong) { return json_string_value(value); }
	cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'%s' %s", name, wrong);
	return NULL;
}

int64_t cloud_call_id(struct cloud_call *call)
{
	uint64_t id;

	if (cloud_number_get(call->request->id, INT64_MAX, &id) && id) { return (int64_t)id; }
	cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no id is '%s'; list to see the ids", call->request->id);
	return 0;
}

struct cloud_param cloud_call_query_text(struct cloud_call *call, const char *name)
{
	return cloud_text(cloud_request_query(call->request, name));
}

struct cloud_param cloud_call_query_number(struct cloud_call *call, const char *name)
{
	const char *text = cloud_request_query(call->request, name);
	uint64_t value;

	if (!text) { return cloud_null(); }
	if (cloud_number_get(text, INT64_MAX, &value)) { return cloud_int((int64_t)value); }
	cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'%s' must be a number", name);
	return cloud_null();
}

static void refuse_name(struct cloud_call *call, const char *name, const char *const *names, size_t count)
{
	char list[128] = "";
	size_t len = 0;

	for (size_t i = 0; i < count && len < sizeof(list); i++) {
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", names[i]);
	}
	cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'%s' must be one of: %s", name, list);
}

struct cloud_param cloud_call_query_name(struct cloud_call *call, const char *name, const char *const *names,
					 size_t count)
{
	const char *text = cloud_request_query(call->request, name);

	if (!text) { return cloud_null(); }
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, names[i]) == 0) { return cloud_int((int64_t)i); }
	}
	refuse_name(call, name, names, count);
	return cloud_null();
}

bool cloud_call_page(struct cloud_call *call, struct cloud_page *page)
{
	const char *after = cloud_request_query(call->request, "after");
	const char *limit = cloud_request_query(call->request, "limit");
	uint64_t after_id = 0;
	uint64_t limit_count = LIST_DEFAULT;

	if ((after && !cloud_number_get(after, INT64_MAX, &after_id)) ||
	    (limit && (!cloud_number_get(limit, LIST_MAX, &limit_count) || limit_count == 0))) {
		cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT,
				   "'limit' is 1 to %d, 'after' is what 'next' was", LIST_MAX);
		return false;
	}
	page->after = (int64_t)after_id;
	page->limit = (int64_t)limit_count;
	return call->status == 0;
}

void cloud_call_list(struct cloud_call *call, struct cloud_stmt *stmt, const struct cloud_page *page,
		     json_t *(*row)(struct cloud_call *call, struct cloud_stmt *stmt))
{
	json_t *items = json_array();
	enum cloud_db_result result;
	char cursor[24] = "";
	int64_t last = 0;

	while ((result = cloud_db_next(stmt)) == CLOUD_DB_ROW) {
		if ((int64_t)json_array_size(items) == page->limit) {
			snprintf(cursor, sizeof(cursor), "%lld", (long long)last);
			cloud_db_end(stmt);
			result = CLOUD_DB_DONE;
			break;
		}
		last = cloud_col_int(stmt, 0);
		json_array_append_new(items, row(call, stmt));
	}
	if (result != CLOUD_DB_DONE) {
		json_decref(items);
		cloud_call_failed(call, result, NULL);
		return;
	}
	cloud_call_ok(call, MHD_HTTP_OK, json_pack("{s:o, s:s?}", "items", items, "next", *cursor ? cursor : NULL));
}

void cloud_call_one(struct cloud_call *call, struct cloud_stmt *stmt, unsigned status,
		    json_t *(*row)(struct cloud_call *call, struct cloud_stmt *stmt))
{
	enum cloud_db_result result = cloud_db_next(stmt);

	if (result == CLOUD_DB_ROW) {
		cloud_call_ok(call, status, row(call, stmt));
		cloud_db_end(stmt);
	} else if (result == CLOUD_DB_DONE) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no id is '%s'; list to see the ids", call->request->id);
	} else {
		cloud_call_failed(call, result, NULL);
	}
}

json_t *cloud_json_time(struct cloud_stmt *stmt, int column)
{
	char text[CLOUD_TIME_CAP];

	if (!cloud_col_text(stmt, column)) { return json_null(); }
	return json_string(cloud_time_text(cloud_col_int(stmt, column), text));
}

json_t *cloud_json_text(struct cloud_stmt *stmt, int column)
{
	struct fota_bytes text = cloud_col_bytes(stmt, column);

	if (!cloud_col_text(stmt, column)) { return json_null(); }
	return json_stringn(text.ptr ? (const char *)text.ptr : "", text.len);
}
