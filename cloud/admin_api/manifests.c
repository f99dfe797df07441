/* SPDX-License-Identifier: Apache-2.0 */
/* Signed manifests of versions. They are verified by the writer, inside its transaction: a key that is
 * deleted or a sequence number that is taken at the same time is before it or behind it, never between. */
#include "admin_api/manifests.h"

#include "admin_api/admin_api.h"
#include "device_api/workers.h"

#define MANIFEST_TYPE "application/suit-envelope+cose"

bool cloud_call_is_good(struct cloud_call *call, const struct cloud_ruling *ruling)
{
	static const unsigned statuses[] = {
		[CLOUD_RULING_INVALID] = MHD_HTTP_UNPROCESSABLE_CONTENT,
		[CLOUD_RULING_CONFLICT] = MHD_HTTP_CONFLICT,
		[CLOUD_RULING_FAILED] = MHD_HTTP_SERVICE_UNAVAILABLE,
	};

	if (ruling->kind == CLOUD_RULING_GOOD) { return true; }
	cloud_call_problem(call, statuses[ruling->kind], "%s", ruling->why);
	return false;
}

bool cloud_signatures_add(struct cloud_db *db, int64_t version, const struct cloud_key_rows *rows, uint32_t signers)
{
	for (size_t i = 0; i < rows->keys.count; i++) {
		if (!(signers >> i & 1)) { continue; }
		if (cloud_db_exec(db, CLOUD_SQL_SIGNATURE_ADD, cloud_int(version), cloud_int(rows->ids[i])) !=
		    CLOUD_DB_DONE) {
			return false;
		}
	}
	return true;
}

/* Reads a row of VERSION_RELEASE. Its slices live as long as the row. */
static bool read_release(struct cloud_stmt *stmt, struct cloud_release *release)
{
	const char *digest = cloud_col_text(stmt, 5);

	*release = (struct cloud_release) {
		.oem = cloud_col_bytes(stmt, 1),
		.model = cloud_col_bytes(stmt, 2),
		.version = cloud_col_bytes(stmt, 3),
		.state = (enum cloud_version_state)cloud_col_int(stmt, 4),
		.has_package = digest != NULL,
		.package_bytes = (uint64_t)cloud_col_int(stmt, 6),
		.manifest = cloud_col_bytes(stmt, 7),
		.sequence = cloud_col_int(stmt, 8),
		.highest = cloud_col_text(stmt, 9) ? cloud_col_int(stmt, 9) : -1,
	};
	return !digest || cloud_hex_get(digest, release->package_digest, sizeof(release->package_digest));
}

/* Asks the rules about the body, with the crypto engine of a worker. */
static struct cloud_ruling ask(struct cloud_call *call, const struct cloud_release *release,
			       const struct cloud_keys *keys, struct cloud_promise *promise)
{
	struct fota_bytes envelope = { call->request->body, call->request->body_len };
	struct cloud_worker *worker = cloud_worker_get(call->app->workers);
	struct cloud_ruling ruling = { .kind = CLOUD_RULING_FAILED, .why = "no memory; try again later" };

	if (worker) { ruling = cloud_manifest_rule(envelope, &worker->crypto, keys, release, promise); }
	cloud_worker_put(call->app->workers, worker);
	return ruling;
}

/* Whether the version takes the body as its manifest; else it was answered. */
static bool check_body(struct cloud_call *call, int64_t id, struct cloud_key_rows *rows, struct cloud_promise *promise)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_VERSION_RELEASE, cloud_int(id));
	enum cloud_db_result result = cloud_db_next(stmt);
	struct cloud_release release;
	struct cloud_ruling ruling;

	if (result == CLOUD_DB_DONE) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no version has the id %lld; list to see the ids",
				   (long long)id);
		return false;
	}
	if (result != CLOUD_DB_ROW || !read_release(stmt, &release) ||
	    !cloud_key_rows_load(call->db, cloud_col_int(stmt, 0), rows)) {
		cloud_db_end(stmt);
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
		return false;
	}
	ruling = ask(call, &release, &rows->keys, promise);
	cloud_db_end(stmt);
	return cloud_call_is_good(call, &ruling);
}

/* A draft whose package is not that of the new manifest has none then. */
static enum cloud_db_result store(struct cloud_call *call, int64_t id, const struct cloud_key_rows *rows,
				  const struct cloud_promise *promise)
{
	char hex[CLOUD_DIGEST_HEX_CAP];
	enum cloud_db_result result;

	cloud_hex_put(promise->digest, sizeof(promise->digest), hex);
	result = cloud_db_exec(call->db, CLOUD_SQL_VERSION_MANIFEST, cloud_int(id),
			       cloud_blob(call->request->body, call->request->body_len), cloud_int(promise->sequence),
			       cloud_text(hex), cloud_int((int64_t)promise->size_bytes));
	if (result == CLOUD_DB_DONE) { result = cloud_db_exec(call->db, CLOUD_SQL_SIGNATURE_CLEAR, cloud_int(id)); }
	if (result == CLOUD_DB_DONE && !cloud_signatures_add(call->db, id, rows, promise->signers)) {
		result = CLOUD_DB_ERROR;
	}
	return result;
}

static void put(struct cloud_call *call)
{
	int64_t id = cloud_call_id(call);
	struct cloud_promise promise;
	struct cloud_key_rows rows;
	enum cloud_db_result result;

	if (!id || !check_body(call, id, &rows, &promise)) { return; }
	result = store(call, id, &rows, &promise);
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, "another version has this sequence number; take a higher one");
		return;
	}
	call->writer->is_catalog_changed = true;
	cloud_version_answer(call, MHD_HTTP_OK, id);
}

void cloud_manifest_put_handle(struct cloud_request *request)
{
	if (request->body_len > FOTA_SUIT_ENVELOPE_MAX_BYTES) {
		cloud_answer_problem(
			request, MHD_HTTP_CONTENT_TOO_LARGE,
			"a manifest has at most 1536 bytes with its signatures; send the file that 'atfota package "
			"build' made, not the image");
	} else {
		cloud_call_submit(request, put, NULL);
	}
}

/* Answers with the manifest of a version. */
static void answer_manifest(struct cloud_call *call, int64_t id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_VERSION_RELEASE, cloud_int(id));
	enum cloud_db_result result = cloud_db_next(stmt);

	if (result == CLOUD_DB_ROW && cloud_col_text(stmt, 8)) {
		cloud_answer_bytes(call->request, MHD_HTTP_OK, MANIFEST_TYPE, cloud_col_bytes(stmt, 7));
	} else if (result == CLOUD_DB_ROW) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "version %lld has no manifest; PUT one", (long long)id);
	} else if (result == CLOUD_DB_DONE) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no version has the id %lld; list to see the ids",
				   (long long)id);
	} else {
		cloud_call_failed(call, result, NULL);
	}
	cloud_db_end(stmt);
}

void cloud_manifest_get_handle(struct cloud_request *request)
{
	struct cloud_app *app = request->app;
	struct cloud_call call = { .app = app, .request = request, .db = cloud_store_reader_get(app->store) };
	int64_t id = cloud_call_id(&call);

	if (!call.db) {
		cloud_call_failed(&call, CLOUD_DB_ERROR, NULL);
	} else if (id) {
		answer_manifest(&call, id);
	}
	cloud_store_reader_put(app->store, call.db);
	if (call.status) { cloud_answer_problem_json(request, call.status, call.out); }
}

/* Reads state and promise of a row of VERSION_GET. */
static bool read_promise(struct cloud_call *call, struct cloud_stmt *stmt, struct cloud_promise *promise)
{
	const char *digest = cloud_col_text(stmt, 13);

	if (cloud_col_int(stmt, 4) != CLOUD_VERSION_DRAFT) {
		cloud_call_problem(call, MHD_HTTP_CONFLICT,
				   "the version is no draft: its package stays as it is; make a new version");
		return false;
	}
	if (!digest) {
		cloud_call_problem(
			call, MHD_HTTP_CONFLICT,
			"the version has no manifest; send that first (PUT /versions/{id}/manifest, or 'atfota "
			"version manifest')");
		return false;
	}
	promise->sequence = cloud_col_int(stmt, 11);
	promise->size_bytes = (uint64_t)cloud_col_int(stmt, 12);
	if (cloud_hex_get(digest, promise->digest, sizeof(promise->digest))) { return true; }
	cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
	return false;
}

bool cloud_version_promise(struct cloud_call *call, int64_t id, struct cloud_promise *promise)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_VERSION_GET, cloud_int(id));
	enum cloud_db_result result = cloud_db_next(stmt);
	bool is_good = result == CLOUD_DB_ROW && read_promise(call, stmt, promise);

	cloud_db_end(stmt);
	if (result == CLOUD_DB_DONE) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no version has the id %lld; list to see the ids",
				   (long long)id);
	} else if (result != CLOUD_DB_ROW) {
		cloud_call_failed(call, result, NULL);
	}
	return is_good;
}

bool cloud_version_takes(struct cloud_call *call, int64_t id, uint64_t size_bytes,
			 const uint8_t digest[FOTA_SUIT_DIGEST_BYTES])
{
	struct cloud_promise promise;
	struct cloud_ruling ruling;

	if (!cloud_version_promise(call, id, &promise)) { return false; }
	ruling = cloud_package_rule(&promise, size_bytes, digest);
	return cloud_call_is_good(call, &ruling);
}
