/* SPDX-License-Identifier: Apache-2.0 */
/* Deployments: the offer of a published version, and how far the devices are with it. */
#include "admin_api/admin_api.h"
#include "fota/device_api.h"

#include <stdio.h>

static const char *const state_names[] = { "closed", "open" };

/* The states of device reports, by their numbers. */
static const char *const report_names[] = {
	[FOTA_REPORT_CHECKING] = "checking",     [FOTA_REPORT_DOWNLOADING] = "downloading",
	[FOTA_REPORT_DOWNLOADED] = "downloaded", [FOTA_REPORT_INSTALLING] = "installing",
	[FOTA_REPORT_INSTALLED] = "installed",   [FOTA_REPORT_ROLLED_BACK] = "rolled_back",
	[FOTA_REPORT_FAILED] = "failed",         [FOTA_REPORT_CANCELLED] = "cancelled",
};

static const char *report_name(int64_t state)
{
	bool is_known = state > 0 && state < (int64_t)(sizeof(report_names) / sizeof(report_names[0]));

	return is_known ? report_names[state] : "unknown";
}

static json_t *counts_of(struct cloud_call *call, int64_t id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_DEPLOYMENT_COUNTS, cloud_int(id));
	json_t *counts = json_object();

	while (cloud_db_next(stmt) == CLOUD_DB_ROW) {
		json_object_set_new(counts, report_name(cloud_col_int(stmt, 0)), json_integer(cloud_col_int(stmt, 1)));
	}
	return counts;
}

static json_t *deployment_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	int64_t number = cloud_col_int(stmt, 0);
	char id[24];

	snprintf(id, sizeof(id), "d%lld", (long long)number);
	return json_pack("{s:s, s:o, s:{s:I, s:o}, s:s, s:o, s:o, s:o}", "id", id, "product", cloud_json_text(stmt, 1),
			 "version", "id", (json_int_t)cloud_col_int(stmt, 2), "name", cloud_json_text(stmt, 3), "state",
			 state_names[cloud_col_int(stmt, 4) != 0], "created", cloud_json_time(stmt, 5), "closed",
			 cloud_json_time(stmt, 6), "counts", counts_of(call, number));
}

/* The number of the path's "d12"; 0 after answering 404. */
static int64_t deployment_id(struct cloud_call *call)
{
	const char *text = call->request->id;
	uint64_t id;

	if (text[0] == 'd' && cloud_number_get(text + 1, INT64_MAX, &id) && id) { return (int64_t)id; }
	cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no deployment is '%s'; list to see the ids", text);
	return 0;
}

static void answer_deployment(struct cloud_call *call, int64_t id)
{
	cloud_call_one(call, cloud_db_query(call->db, CLOUD_SQL_DEPLOYMENT_GET, cloud_int(id)), MHD_HTTP_OK,
		       deployment_row);
}

void cloud_deployment_list(struct cloud_call *call)
{
	struct cloud_param version = cloud_call_query_number(call, "version");
	struct cloud_param state = cloud_call_query_name(call, "state", state_names, 2);
	struct cloud_page page;

	if (!cloud_call_page(call, &page)) { return; }
	cloud_call_list(call,
			cloud_db_query(call->db, CLOUD_SQL_DEPLOYMENT_LIST, cloud_int(page.after),
				       cloud_int(page.limit + 1), cloud_call_query_text(call, "product"), version,
				       state),
			&page, deployment_row);
}

void cloud_deployment_get(struct cloud_call *call)
{
	int64_t id = deployment_id(call);

	if (id) { answer_deployment(call, id); }
}

static json_t *report_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	struct fota_bytes report_id = cloud_col_bytes(stmt, 7);
	char hex[2 * FOTA_REPORT_ID_BYTES + 1] = "";

	(void)call;
	if (report_id.len == FOTA_REPORT_ID_BYTES) { cloud_hex_put(report_id.ptr, report_id.len, hex); }
	return json_pack("{s:o, s:s, s:I, s:o, s:o, s:o, s:s}", "device", cloud_json_text(stmt, 1), "state",
			 report_name(cloud_col_int(stmt, 2)), "code", (json_int_t)cloud_col_int(stmt, 3), "received",
			 cloud_col_text(stmt, 4) ? json_integer(cloud_col_int(stmt, 4)) : json_null(), "version",
			 cloud_json_text(stmt, 5), "time", cloud_json_time(stmt, 6), "report_id", hex);
}

/* True if the deployment is there; else it was answered. */
static bool is_there(struct cloud_call *call, int64_t id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_DEPLOYMENT_GET, cloud_int(id));
	enum cloud_db_result result = cloud_db_next(stmt);

	cloud_db_end(stmt);
	if (result == CLOUD_DB_DONE) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no deployment is '%s'; list to see the ids",
				   call->request->id);
	} else if (result != CLOUD_DB_ROW) {
		cloud_call_failed(call, result, NULL);
	}
	return result == CLOUD_DB_ROW;
}

void cloud_deployment_reports(struct cloud_call *call)
{
	int64_t id = deployment_id(call);
	struct cloud_page page;

	if (!id || !cloud_call_page(call, &page) || !is_there(call, id)) { return; }
	cloud_call_list(call,
			cloud_db_query(call->db, CLOUD_SQL_REPORT_LIST, cloud_int(page.after),
				       cloud_int(page.limit + 1), cloud_int(id), cloud_call_query_text(call, "device")),
			&page, report_row);
}

static void set_state(struct cloud_call *call, int64_t id, bool is_open)
{
	enum cloud_db_result result =
		cloud_db_exec(call->db, CLOUD_SQL_DEPLOYMENT_STATE, cloud_int(id), cloud_int(is_open),
			      is_open ? cloud_null() : cloud_int(call->now_s));

	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, NULL);
		return;
	}
	call->writer->is_catalog_changed = true;
	answer_deployment(call, id);
}

/* What the two changes look at. */
struct facts {
	int64_t version;
	bool is_open;
	bool is_published;
};

static bool get_facts(struct cloud_call *call, int64_t id, struct facts *facts)
{
	struct cloud_stmt *stmt;

	if (!id || !is_there(call, id)) { return false; }
	stmt = cloud_db_query(call->db, CLOUD_SQL_DEPLOYMENT_GET, cloud_int(id));
	if (cloud_db_next(stmt) != CLOUD_DB_ROW) {
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
		return false;
	}
	facts->version = cloud_col_int(stmt, 2);
	facts->is_open = cloud_col_int(stmt, 4) != 0;
	facts->is_published = cloud_col_int(stmt, 7) == CLOUD_VERSION_PUBLISHED;
	cloud_db_end(stmt);
	return true;
}

void cloud_deployment_close(struct cloud_call *call)
{
	int64_t id = deployment_id(call);
	struct facts facts;

	if (!get_facts(call, id, &facts)) { return; }
	if (facts.is_open) {
		set_state(call, id, false);
	} else {
		answer_deployment(call, id);
	}
}

static bool has_other_open(struct cloud_call *call, int64_t version)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_DEPLOYMENT_OPEN_OF, cloud_int(version));
	bool is_row = cloud_db_next(stmt) == CLOUD_DB_ROW;

	cloud_db_end(stmt);
	return is_row;
}

void cloud_deployment_open(struct cloud_call *call)
{
	int64_t id = deployment_id(call);
	struct facts facts;

	if (!get_facts(call, id, &facts)) { return; }
	if (facts.is_open) {
		answer_deployment(call, id);
	} else if (!facts.is_published) {
		cloud_call_problem(call, MHD_HTTP_CONFLICT, "the version is not published; publish it instead");
	} else if (has_other_open(call, facts.version)) {
		cloud_call_problem(call, MHD_HTTP_CONFLICT,
				   "another deployment of the version is open; close it first");
	} else {
		set_state(call, id, true);
	}
}
