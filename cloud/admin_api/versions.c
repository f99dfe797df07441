/* SPDX-License-Identifier: Apache-2.0 */
/* Versions: draft -> published <-> withdrawn. Publishing makes a deployment, withdrawing closes it. Both
 * can be repeated: who did not get the answer asks again and finds the same. */
#include "admin_api/admin_api.h"
#include "domain/names.h"

#define FROM_MAX 256u

static const char *const state_names[] = {
	[CLOUD_VERSION_DRAFT] = "draft",
	[CLOUD_VERSION_PUBLISHED] = "published",
	[CLOUD_VERSION_WITHDRAWN] = "withdrawn",
};

static json_t *from_list(struct cloud_call *call, int64_t id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_VERSION_FROM_LIST, cloud_int(id));
	json_t *list = json_array();

	while (cloud_db_next(stmt) == CLOUD_DB_ROW) {
		json_array_append_new(list, cloud_json_text(stmt, 0));
	}
	return list;
}

static json_t *package_of(struct cloud_stmt *stmt)
{
	const char *digest = cloud_col_text(stmt, 5);

	if (!digest) { return json_null(); }
	return json_pack("{s:s, s:I}", "digest", digest, "size", (json_int_t)cloud_col_int(stmt, 6));
}

/* The keys of the product that have signed the manifest. */
static json_t *kid_list(struct cloud_call *call, int64_t id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_SIGNATURE_LIST, cloud_int(id));
	json_t *list = json_array();

	while (cloud_db_next(stmt) == CLOUD_DB_ROW) {
		json_array_append_new(list, cloud_json_text(stmt, 0));
	}
	return list;
}

static json_t *manifest_of(struct cloud_call *call, struct cloud_stmt *stmt, int64_t id)
{
	if (!cloud_col_text(stmt, 11)) { return json_null(); }
	return json_pack("{s:I, s:o, s:I, s:o}", "sequence", (json_int_t)cloud_col_int(stmt, 11), "kids",
			 kid_list(call, id), "size", (json_int_t)cloud_col_int(stmt, 12), "digest",
			 cloud_json_text(stmt, 13));
}

static json_t *version_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	int64_t id = cloud_col_int(stmt, 0);

	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", (json_int_t)id, "product",
			 cloud_json_text(stmt, 1), "name", cloud_json_text(stmt, 2), "notes", cloud_json_text(stmt, 3),
			 "from", from_list(call, id), "state", state_names[cloud_col_int(stmt, 4)], "manifest",
			 manifest_of(call, stmt, id), "package", package_of(stmt), "created", cloud_json_time(stmt, 7),
			 "published", cloud_json_time(stmt, 8), "withdrawn", cloud_json_time(stmt, 9));
}

void cloud_version_answer(struct cloud_call *call, unsigned status, int64_t id)
{
	cloud_call_one(call, cloud_db_query(call->db, CLOUD_SQL_VERSION_GET, cloud_int(id)), status, version_row);
}

/* Checks the list `from`; answers if it is not good. */
static void check_from(struct cloud_call *call, json_t *from)
{
	size_t i;
	json_t *name;

	if (from && !json_is_null(from) && (!json_is_array(from) || json_array_size(from) > FROM_MAX)) {
		cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'from' must be a list of at most %u versions",
				   FROM_MAX);
		return;
	}
	json_array_foreach(from, i, name)
	{
		const char *wrong =
			json_is_string(name) ? cloud_version_name_check(json_string_value(name)) : "must be a text";

		if (wrong) {
			cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'from' has an entry that %s", wrong);
			return;
		}
	}
}

static bool add_from(struct cloud_call *call, int64_t id, json_t *from)
{
	size_t i;
	json_t *name;

	json_array_foreach(from, i, name)
	{
		if (cloud_db_exec(call->db, CLOUD_SQL_VERSION_FROM_ADD, cloud_int(id), cloud_int((int64_t)i),
				  cloud_text(json_string_value(name))) != CLOUD_DB_DONE) {
			return false;
		}
	}
	return true;
}

static int64_t find_product(struct cloud_call *call, const char *id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_PRODUCT_FIND, cloud_text(id));
	int64_t seq = 0;

	if (cloud_db_next(stmt) == CLOUD_DB_ROW) { seq = cloud_col_int(stmt, 0); }
	cloud_db_end(stmt);
	return seq;
}

static void add(struct cloud_call *call, int64_t product, const char *name, const char *notes, json_t *from)
{
	enum cloud_db_result result = cloud_db_exec(call->db, CLOUD_SQL_VERSION_ADD, cloud_int(product),
						    cloud_text(name), cloud_text(notes), cloud_int(call->now_s));
	int64_t id = cloud_db_last_id(call->db);

	if (result == CLOUD_DB_DONE && !add_from(call, id, from)) { result = CLOUD_DB_ERROR; }
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, "the product has a version of this name; use it, or another name");
		return;
	}
	call->writer->is_catalog_changed = true;
	cloud_version_answer(call, MHD_HTTP_CREATED, id);
}

void cloud_version_add(struct cloud_call *call)
{
	const char *product = cloud_call_text(call, "product", cloud_product_id_check, true);
	const char *name = cloud_call_text(call, "name", cloud_version_name_check, true);
	const char *notes = cloud_call_text(call, "notes", cloud_note_check, false);
	json_t *from = json_object_get(call->body, "from");
	int64_t seq;

	check_from(call, from);
	if (call->status) { return; }
	seq = find_product(call, product);
	if (seq) {
		add(call, seq, name, notes ? notes : "", from);
	} else {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no product is '%s'; create it first", product);
	}
}

void cloud_version_list(struct cloud_call *call)
{
	struct cloud_param state = cloud_call_query_name(call, "state", state_names, 3);
	struct cloud_page page;

	if (!cloud_call_page(call, &page)) { return; }
	cloud_call_list(call,
			cloud_db_query(call->db, CLOUD_SQL_VERSION_LIST, cloud_int(page.after),
				       cloud_int(page.limit + 1), cloud_call_query_text(call, "product"),
				       cloud_call_query_text(call, "name"), state),
			&page, version_row);
}

void cloud_version_get(struct cloud_call *call)
{
	int64_t id = cloud_call_id(call);

	if (id) { cloud_version_answer(call, MHD_HTTP_OK, id); }
}

/* What publish and withdraw have to know of a version. */
struct facts {
	int64_t id;
	int64_t product;
	enum cloud_version_state state;
	bool has_package;
	bool has_manifest;
};

static bool get_facts(struct cloud_call *call, struct facts *facts)
{
	struct cloud_stmt *stmt;
	enum cloud_db_result result;

	facts->id = cloud_call_id(call);
	if (!facts->id) { return false; }
	stmt = cloud_db_query(call->db, CLOUD_SQL_VERSION_GET, cloud_int(facts->id));
	result = cloud_db_next(stmt);
	if (result != CLOUD_DB_ROW) {
		if (result == CLOUD_DB_DONE) {
			cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no id is '%s'; list to see the ids",
					   call->request->id);
		} else {
			cloud_call_failed(call, result, NULL);
		}
		return false;
	}
	facts->state = (enum cloud_version_state)cloud_col_int(stmt, 4);
	facts->has_package = cloud_col_text(stmt, 5) != NULL;
	facts->product = cloud_col_int(stmt, 10);
	facts->has_manifest = cloud_col_text(stmt, 11) != NULL;
	cloud_db_end(stmt);
	return true;
}

static void answer_change(struct cloud_call *call, enum cloud_db_result result, int64_t id)
{
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, NULL);
		return;
	}
	call->writer->is_catalog_changed = true;
	cloud_version_answer(call, MHD_HTTP_OK, id);
}

static bool is_signed(struct cloud_call *call, int64_t id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_SIGNATURE_LIST, cloud_int(id));
	bool is_row = cloud_db_next(stmt) == CLOUD_DB_ROW;

	cloud_db_end(stmt);
	return is_row;
}

/* Whether a version has all that modules ask for; else it was answered. */
static bool is_complete(struct cloud_call *call, const struct facts *facts)
{
	if (!facts->has_manifest) {
		cloud_call_problem(
			call, MHD_HTTP_CONFLICT,
			"the version has no manifest; send that first (PUT /versions/{id}/manifest, or 'atfota "
			"version manifest')");
	} else if (!facts->has_package) {
		cloud_call_problem(call, MHD_HTTP_CONFLICT, "the version has no package; upload it first");
	} else if (!is_signed(call, facts->id)) {
		cloud_call_problem(
			call, MHD_HTTP_CONFLICT,
			"the keys that have signed the manifest are no longer the product's; sign it with one that is "
			"('atfota package sign') and send it again ('atfota version manifest')");
	}
	return call->status == 0;
}

void cloud_version_publish(struct cloud_call *call)
{
	enum cloud_db_result result;
	struct facts facts;

	if (!get_facts(call, &facts) || !is_complete(call, &facts)) { return; }
	if (facts.state == CLOUD_VERSION_PUBLISHED) {
		cloud_version_answer(call, MHD_HTTP_OK, facts.id);
		return;
	}
	result = cloud_db_exec(call->db, CLOUD_SQL_VERSION_STATE, cloud_int(facts.id),
			       cloud_int(CLOUD_VERSION_PUBLISHED), cloud_int(call->now_s), cloud_null());
	if (result == CLOUD_DB_DONE) {
		result = cloud_db_exec(call->db, CLOUD_SQL_DEPLOYMENT_ADD, cloud_int(facts.product),
				       cloud_int(facts.id), cloud_int(call->now_s));
	}
	answer_change(call, result, facts.id);
}

void cloud_version_withdraw(struct cloud_call *call)
{
	enum cloud_db_result result;
	struct facts facts;

	if (!get_facts(call, &facts)) { return; }
	if (facts.state == CLOUD_VERSION_DRAFT) {
		cloud_call_problem(call, MHD_HTTP_CONFLICT, "the version was never published; delete it instead");
		return;
	}
	if (facts.state == CLOUD_VERSION_WITHDRAWN) {
		cloud_version_answer(call, MHD_HTTP_OK, facts.id);
		return;
	}
	result = cloud_db_exec(call->db, CLOUD_SQL_VERSION_STATE, cloud_int(facts.id),
			       cloud_int(CLOUD_VERSION_WITHDRAWN), cloud_null(), cloud_int(call->now_s));
	if (result == CLOUD_DB_DONE) {
		result = cloud_db_exec(call->db, CLOUD_SQL_DEPLOYMENT_CLOSE_ALL, cloud_int(facts.id),
				       cloud_int(call->now_s));
	}
	answer_change(call, result, facts.id);
}

void cloud_version_delete(struct cloud_call *call)
{
	enum cloud_db_result result;
	struct facts facts;

	if (!get_facts(call, &facts)) { return; }
	if (facts.state != CLOUD_VERSION_DRAFT) {
		cloud_call_problem(call, MHD_HTTP_CONFLICT, "only drafts can be deleted; withdraw the version instead");
		return;
	}
	result = cloud_db_exec(call->db, CLOUD_SQL_VERSION_DELETE, cloud_int(facts.id));
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, NULL);
		return;
	}
	call->writer->is_catalog_changed = true;
	cloud_call_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}
