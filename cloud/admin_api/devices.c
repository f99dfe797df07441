/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as they showed themselves. Last-seen comes from memory where that is newer. */
#include "admin_api/admin_api.h"

static json_t *attributes_of(struct cloud_stmt *stmt)
{
	struct fota_bytes text = cloud_col_bytes(stmt, 7);
	json_t *attributes = json_loadb((const char *)text.ptr, text.len, JSON_ALLOW_NUL, NULL);

	return attributes ? attributes : json_object();
}

static json_t *last_seen(struct cloud_call *call, struct cloud_stmt *stmt)
{
	int64_t stored_s = cloud_col_int(stmt, 5);
	int64_t seen_s = cloud_presence_seen(call->app->presence, cloud_col_int(stmt, 8), cloud_col_bytes(stmt, 1));
	char text[CLOUD_TIME_CAP];

	return json_string(cloud_time_text(seen_s > stored_s ? seen_s : stored_s, text));
}

static json_t *device_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)cloud_col_int(stmt, 0), "device",
			 cloud_json_text(stmt, 1), "product", cloud_json_text(stmt, 2), "version",
			 cloud_json_text(stmt, 3), "target", cloud_json_text(stmt, 4), "last_seen",
			 last_seen(call, stmt), "first_seen", cloud_json_time(stmt, 6), "attributes",
			 attributes_of(stmt));
}

void cloud_device_list(struct cloud_call *call)
{
	struct cloud_param device = cloud_call_query_text(call, "device");
	bool is_named = device.kind == CLOUD_PARAM_TEXT;
	struct cloud_page page;
	struct cloud_param params[5];

	if (!cloud_call_page(call, &page)) { return; }
	params[0] = cloud_int(page.after);
	params[1] = cloud_int(page.limit + 1);
	params[2] = cloud_call_query_text(call, "product");
	params[3] = cloud_call_query_text(call, "version");
	params[4] = device;
	cloud_call_list(call,
			cloud_db_query_with(call->db, is_named ? CLOUD_SQL_DEVICE_LIST_NAMED : CLOUD_SQL_DEVICE_LIST,
					    params, is_named ? 5 : 4),
			&page, device_row);
}

void cloud_device_get(struct cloud_call *call)
{
	int64_t id = cloud_call_id(call);

	if (!id) { return; }
	cloud_call_one(call, cloud_db_query(call->db, CLOUD_SQL_DEVICE_GET, cloud_int(id)), MHD_HTTP_OK, device_row);
}
