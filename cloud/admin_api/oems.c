/* SPDX-License-Identifier: Apache-2.0 */
/* OEMs and their models. */
#include "admin_api/admin_api.h"
#include "domain/names.h"

static json_t *oem_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	(void)call;
	return json_pack("{s:I, s:o, s:o}", "id", (json_int_t)cloud_col_int(stmt, 0), "name", cloud_json_text(stmt, 1),
			 "created", cloud_json_time(stmt, 2));
}

static void answer_oem(struct cloud_call *call, unsigned status, int64_t id)
{
	cloud_call_one(call, cloud_db_query(call->db, CLOUD_SQL_OEM_GET, cloud_int(id)), status, oem_row);
}

void cloud_oem_add(struct cloud_call *call)
{
	const char *name = cloud_call_text(call, "name", cloud_name_check, true);
	enum cloud_db_result result;

	if (call->status) { return; }
	result = cloud_db_exec(call->db, CLOUD_SQL_OEM_ADD, cloud_text(name), cloud_int(call->now_s));
	if (result == CLOUD_DB_DONE) {
		answer_oem(call, MHD_HTTP_CREATED, cloud_db_last_id(call->db));
	} else {
		cloud_call_failed(call, result, "an OEM of this name is there already; use it, or another name");
	}
}

void cloud_oem_list(struct cloud_call *call)
{
	struct cloud_page page;

	if (!cloud_call_page(call, &page)) { return; }
	cloud_call_list(call,
			cloud_db_query(call->db, CLOUD_SQL_OEM_LIST, cloud_int(page.after), cloud_int(page.limit + 1),
				       cloud_call_query_text(call, "name")),
			&page, oem_row);
}

void cloud_oem_get(struct cloud_call *call)
{
	int64_t id = cloud_call_id(call);

	if (id) { answer_oem(call, MHD_HTTP_OK, id); }
}

/* Deletes by id; `used` is the detail if others refer to it. */
static void delete_row(struct cloud_call *call, enum cloud_sql sql, const char *used)
{
	int64_t id = cloud_call_id(call);
	enum cloud_db_result result;

	if (!id) { return; }
	result = cloud_db_exec(call->db, sql, cloud_int(id));
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, used);
	} else if (cloud_db_changes(call->db) == 0) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no id is '%s'; list to see the ids", call->request->id);
	} else {
		cloud_call_ok(call, MHD_HTTP_NO_CONTENT, NULL);
	}
}

void cloud_oem_delete(struct cloud_call *call)
{
	delete_row(call, CLOUD_SQL_OEM_DELETE, "the OEM has models; delete them first");
}

static json_t *model_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	(void)call;
	return json_pack("{s:I, s:o, s:o, s:o}", "id", (json_int_t)cloud_col_int(stmt, 0), "oem",
			 cloud_json_text(stmt, 1), "name", cloud_json_text(stmt, 2), "created",
			 cloud_json_time(stmt, 3));
}

static void answer_model(struct cloud_call *call, unsigned status, int64_t id)
{
	cloud_call_one(call, cloud_db_query(call->db, CLOUD_SQL_MODEL_GET, cloud_int(id)), status, model_row);
}

static int64_t find_oem(struct cloud_call *call, const char *name)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_OEM_FIND, cloud_text(name));
	int64_t id = 0;

	if (cloud_db_next(stmt) == CLOUD_DB_ROW) { id = cloud_col_int(stmt, 0); }
	cloud_db_end(stmt);
	return id;
}

void cloud_model_add(struct cloud_call *call)
{
	const char *oem = cloud_call_text(call, "oem", cloud_name_check, true);
	const char *name = cloud_call_text(call, "name", cloud_name_check, true);
	enum cloud_db_result result;
	int64_t oem_id;

	if (call->status) { return; }
	oem_id = find_oem(call, oem);
	if (!oem_id) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no OEM is '%s'; create it first", oem);
		return;
	}
	result = cloud_db_exec(call->db, CLOUD_SQL_MODEL_ADD, cloud_int(oem_id), cloud_text(name),
			       cloud_int(call->now_s));
	if (result == CLOUD_DB_DONE) {
		answer_model(call, MHD_HTTP_CREATED, cloud_db_last_id(call->db));
	} else {
		cloud_call_failed(call, result, "the OEM has a model of this name; use it, or another name");
	}
}

void cloud_model_list(struct cloud_call *call)
{
	struct cloud_page page;

	if (!cloud_call_page(call, &page)) { return; }
	cloud_call_list(call,
			cloud_db_query(call->db, CLOUD_SQL_MODEL_LIST, cloud_int(page.after), cloud_int(page.limit + 1),
				       cloud_call_query_text(call, "oem"), cloud_call_query_text(call, "name")),
			&page, model_row);
}

void cloud_model_get(struct cloud_call *call)
{
	int64_t id = cloud_call_id(call);

	if (id) { answer_model(call, MHD_HTTP_OK, id); }
}

void cloud_model_delete(struct cloud_call *call)
{
	delete_row(call, CLOUD_SQL_MODEL_DELETE, "the model has products; delete them first");
}
