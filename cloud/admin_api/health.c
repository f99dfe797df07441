/* SPDX-License-Identifier: Apache-2.0 */
/* GET /healthz: the process answers and its store can be read. */
#include "admin_api/admin_api.h"

void cloud_health_handle(struct cloud_request *request)
{
	struct cloud_app *app = request->app;
	struct cloud_db *db = cloud_store_reader_get(app->store);
	struct cloud_stmt *stmt = db ? cloud_db_query_with(db, CLOUD_SQL_TOKEN_COUNT, NULL, 0) : NULL;
	bool is_ok = stmt && cloud_db_next(stmt) == CLOUD_DB_ROW;

	if (stmt) { cloud_db_end(stmt); }
	cloud_store_reader_put(app->store, db);
	if (is_ok) {
		cloud_answer_json(request, MHD_HTTP_OK, json_pack("{s:s}", "status", "ok"));
	} else {
		cloud_answer_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the store cannot be read; see the log");
	}
}
