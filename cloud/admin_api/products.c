/* SPDX-License-Identifier: Apache-2.0 */
/* Products: a model's ID and secret as AT+CSCFOTA carries them. Both are generated, or taken
 * over from an existing fleet. */
#include "admin_api/admin_api.h"
#include "domain/names.h"
#include "posix_random.h"

#include <stdio.h>
#include <string.h>

#define SECRET_RANDOM_BYTES 16u
#define ID_TRY_COUNT        16u

bool cloud_random_hex(char *text, size_t len)
{
	struct fota_random random = posix_random_port();
	uint8_t bytes[64];

	if (len > sizeof(bytes) || random.fill(random.ctx, bytes, len) != FOTA_ERR_OK) { return false; }
	cloud_hex_put(bytes, len, text);
	return true;
}

static json_t *product_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	(void)call;
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", cloud_json_text(stmt, 1), "oem", cloud_json_text(stmt, 2),
			 "model", cloud_json_text(stmt, 3), "name", cloud_json_text(stmt, 4), "created",
			 cloud_json_time(stmt, 5));
}

static void answer_product(struct cloud_call *call, unsigned status, const char *id)
{
	cloud_call_one(call, cloud_db_query(call->db, CLOUD_SQL_PRODUCT_GET, cloud_text(id)), status, product_row);
}

/* Ten digits, the first not 0. */
static bool new_id(char id[16])
{
	struct fota_random random = posix_random_port();
	uint64_t value;

	if (random.fill(random.ctx, (uint8_t *)&value, sizeof(value)) != FOTA_ERR_OK) { return false; }
	/* 2^64 is so much larger than 9e9 that the remainder is even enough for a name. */
	snprintf(id, 16, "%llu", (unsigned long long)(UINT64_C(1000000000) + value % UINT64_C(9000000000)));
	return true;
}

static int64_t find_model(struct cloud_call *call, const char *oem, const char *name)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_MODEL_FIND, cloud_text(oem), cloud_text(name));
	int64_t id = 0;

	if (cloud_db_next(stmt) == CLOUD_DB_ROW) { id = cloud_col_int(stmt, 0); }
	cloud_db_end(stmt);
	return id;
}

struct product {
	int64_t model;
	const char *id; /* NULL: one is to be made */
	const char *name;
	const char *secret;
};

static enum cloud_db_result add_as(struct cloud_call *call, const struct product *product, const char *id)
{
	return cloud_db_exec(call->db, CLOUD_SQL_PRODUCT_ADD, cloud_text(id), cloud_int(product->model),
			     cloud_text(product->name), cloud_text(product->secret), cloud_int(call->now_s));
}

static void add(struct cloud_call *call, const struct product *product)
{
	enum cloud_db_result result = CLOUD_DB_CONFLICT;
	char made[16];
	const char *id = product->id ? product->id : made;

	if (product->id) { result = add_as(call, product, id); }
	for (unsigned i = 0; !product->id && result == CLOUD_DB_CONFLICT && i < ID_TRY_COUNT; i++) {
		result = new_id(made) ? add_as(call, product, id) : CLOUD_DB_ERROR;
	}
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, "a product of this id is there already; use it, or another id");
		return;
	}
	call->writer->is_catalog_changed = true;
	answer_product(call, MHD_HTTP_CREATED, id);
	if (call->status < 400) { json_object_set_new(call->out, "secret", json_string(product->secret)); }
}

void cloud_product_add(struct cloud_call *call)
{
	const char *oem = cloud_call_text(call, "oem", cloud_name_check, true);
	const char *model = cloud_call_text(call, "model", cloud_name_check, true);
	struct product product = {
		.id = cloud_call_text(call, "id", cloud_product_id_check, false),
		.name = cloud_call_text(call, "name", cloud_note_check, false),
		.secret = cloud_call_text(call, "secret", cloud_secret_check, false),
	};
	char secret[2 * SECRET_RANDOM_BYTES + 1] = "";

	if (call->status) { return; }
	product.model = find_model(call, oem, model);
	if (!product.name) { product.name = ""; }
	if (!product.model) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no model of '%s' is '%s'; create it first", oem, model);
	} else if (product.secret && !product.id) {
		cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'secret' needs 'id': give both or only 'id'");
	} else if (!product.secret && !cloud_random_hex(secret, SECRET_RANDOM_BYTES)) {
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
	} else {
		if (!product.secret) { product.secret = secret; }
		add(call, &product);
	}
	explicit_bzero(secret, sizeof(secret));
}

void cloud_product_list(struct cloud_call *call)
{
	struct cloud_page page;

	if (!cloud_call_page(call, &page)) { return; }
	cloud_call_list(call,
			cloud_db_query(call->db, CLOUD_SQL_PRODUCT_LIST, cloud_int(page.after),
				       cloud_int(page.limit + 1), cloud_call_query_text(call, "oem"),
				       cloud_call_query_text(call, "model")),
			&page, product_row);
}

void cloud_product_get(struct cloud_call *call)
{
	answer_product(call, MHD_HTTP_OK, call->request->id);
}

static json_t *secret_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	return json_pack("{s:s, s:o}", "id", call->request->id, "secret", cloud_json_text(stmt, 0));
}

/* A write only so that it is in the order of writes and its line in the log is one of changes. */
void cloud_product_show_secret(struct cloud_call *call)
{
	const char *id = call->request->id;

	cloud_call_one(call, cloud_db_query(call->db, CLOUD_SQL_PRODUCT_SECRET, cloud_text(id)), MHD_HTTP_OK,
		       secret_row);
	if (call->status == MHD_HTTP_OK) {
		log_line(call->app->log, LOG_LEVEL_INFO, "audit", "the secret of product %s was shown", id);
	}
}

void cloud_product_delete(struct cloud_call *call)
{
	struct cloud_param id = cloud_text(call->request->id);
	enum cloud_db_result result = cloud_db_exec(call->db, CLOUD_SQL_DEVICE_DELETE_OF, id);

	if (result == CLOUD_DB_DONE) { result = cloud_db_exec(call->db, CLOUD_SQL_PRODUCT_DELETE, id); }
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, "the product has versions; delete them first (drafts only)");
	} else if (cloud_db_changes(call->db) == 0) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no product is '%s'; list to see the ids",
				   call->request->id);
	} else {
		call->writer->is_catalog_changed = true;
		cloud_call_ok(call, MHD_HTTP_NO_CONTENT, NULL);
	}
}
