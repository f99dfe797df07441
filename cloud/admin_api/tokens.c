/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens. A token is shown once, when it is made; the store has its SHA-256. */
#include "admin_api/admin_api.h"
#include "device_api/workers.h"
#include "domain/names.h"

#include <stdio.h>
#include <string.h>

#define TOKEN_PREFIX       "atfota_" /* lets secret scanners find tokens where they do not belong */
#define TOKEN_RANDOM_BYTES 24u

bool cloud_token_new(struct cloud_app *app, char token[CLOUD_TOKEN_CAP], uint8_t hash[32])
{
	struct cloud_worker *worker = cloud_worker_get(app->workers);
	char hex[2 * TOKEN_RANDOM_BYTES + 1];
	const struct fota_crypto *crypto;
	bool is_ok;

	if (!worker) { return false; }
	is_ok = cloud_random_hex(hex, TOKEN_RANDOM_BYTES);
	snprintf(token, CLOUD_TOKEN_CAP, TOKEN_PREFIX "%s", is_ok ? hex : "");
	explicit_bzero(hex, sizeof(hex));
	crypto = &worker->crypto;
	is_ok = is_ok && crypto->sha256_begin(crypto->ctx) == FOTA_ERR_OK &&
		crypto->sha256_update(crypto->ctx, fota_bytes_of(token)) == FOTA_ERR_OK &&
		crypto->sha256_finish(crypto->ctx, hash) == FOTA_ERR_OK;
	cloud_worker_put(app->workers, worker);
	return is_ok;
}

static json_t *token_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	(void)call;
	return json_pack("{s:I, s:o, s:o}", "id", (json_int_t)cloud_col_int(stmt, 0), "name", cloud_json_text(stmt, 1),
			 "created", cloud_json_time(stmt, 2));
}

void cloud_token_list(struct cloud_call *call)
{
	struct cloud_page page;

	if (!cloud_call_page(call, &page)) { return; }
	cloud_call_list(
		call, cloud_db_query(call->db, CLOUD_SQL_TOKEN_LIST, cloud_int(page.after), cloud_int(page.limit + 1)),
		&page, token_row);
}

void cloud_token_add(struct cloud_call *call)
{
	const char *name = cloud_call_text(call, "name", cloud_name_check, true);
	char token[CLOUD_TOKEN_CAP];
	char created[CLOUD_TIME_CAP];
	uint8_t hash[32];

	if (call->status) { return; }
	if (!cloud_token_new(call->app, token, hash) ||
	    cloud_db_exec(call->db, CLOUD_SQL_TOKEN_ADD, cloud_text(name), cloud_blob(hash, sizeof(hash)),
			  cloud_int(call->now_s)) != CLOUD_DB_DONE) {
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
		return;
	}
	call->writer->is_catalog_changed = true;
	log_line(call->app->log, LOG_LEVEL_INFO, "audit", "access token '%s' was made", name);
	cloud_call_ok(call, MHD_HTTP_CREATED,
		      json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)cloud_db_last_id(call->db), "name", name,
				"token", token, "created", cloud_time_text(call->now_s, created)));
	explicit_bzero(token, sizeof(token));
}

static int64_t token_count(struct cloud_call *call)
{
	struct cloud_stmt *stmt = cloud_db_query_with(call->db, CLOUD_SQL_TOKEN_COUNT, NULL, 0);
	int64_t count = cloud_db_next(stmt) == CLOUD_DB_ROW ? cloud_col_int(stmt, 0) : 0;

	cloud_db_end(stmt);
	return count;
}

void cloud_token_delete(struct cloud_call *call)
{
	int64_t id = cloud_call_id(call);
	enum cloud_db_result result;

	if (!id) { return; }
	result = cloud_db_exec(call->db, CLOUD_SQL_TOKEN_DELETE, cloud_int(id));
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, NULL);
	} else if (cloud_db_changes(call->db) == 0) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no id is '%s'; list to see the ids", call->request->id);
	} else if (token_count(call) == 0) { /* the problem undoes the deletion */
		cloud_call_problem(call, MHD_HTTP_CONFLICT, "this is the last token; make another one first");
	} else {
		call->writer->is_catalog_changed = true;
		log_line(call->app->log, LOG_LEVEL_INFO, "audit", "access token %lld was deleted", (long long)id);
		cloud_call_ok(call, MHD_HTTP_NO_CONTENT, NULL);
	}
}
