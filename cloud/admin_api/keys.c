/* SPDX-License-Identifier: Apache-2.0 */
/* The public keys that may sign for a product. The platform has no private one.
 *
 * The table of signatures says at any time which keys have signed which manifest: a key that comes is tried on
 * all manifests of its product, one that goes takes its signatures with it. */
#include "admin_api/admin_api.h"
#include "admin_api/manifests.h"
#include "device_api/workers.h"
#include "domain/names.h"
#include "public_key.h"
#include "trust_file.h"

#include <stdio.h>

bool cloud_key_rows_load(struct cloud_db *db, int64_t product, struct cloud_key_rows *rows)
{
	struct cloud_stmt *stmt = cloud_db_query(db, CLOUD_SQL_KEY_OF_PRODUCT, cloud_int(product));
	enum cloud_db_result result;

	rows->keys.count = 0;
	while ((result = cloud_db_next(stmt)) == CLOUD_DB_ROW && rows->keys.count < CLOUD_KEY_MAX) {
		struct fota_trusted_key *key = &rows->keys.keys[rows->keys.count];
		struct fota_bytes point = cloud_col_bytes(stmt, 2);

		if (point.len != sizeof(key->point) ||
		    !cloud_hex_get(cloud_col_text(stmt, 1), key->kid, sizeof(key->kid))) {
			result = CLOUD_DB_ERROR;
			break;
		}
		memcpy(key->point, point.ptr, point.len);
		rows->ids[rows->keys.count++] = cloud_col_int(stmt, 0);
	}
	cloud_db_end(stmt);
	return result != CLOUD_DB_ERROR;
}

/* The row of a product; 0 after answering. */
static int64_t find_product(struct cloud_call *call, const char *id)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_PRODUCT_FIND, cloud_text(id));
	enum cloud_db_result result = cloud_db_next(stmt);
	int64_t seq = result == CLOUD_DB_ROW ? cloud_col_int(stmt, 0) : 0;

	cloud_db_end(stmt);
	if (result == CLOUD_DB_DONE) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "no product is '%s'; list to see the ids", id);
	} else if (result != CLOUD_DB_ROW) {
		cloud_call_failed(call, result, NULL);
	}
	return seq;
}

static json_t *key_row(struct cloud_call *call, struct cloud_stmt *stmt)
{
	(void)call;
	return json_pack("{s:o, s:o, s:o, s:o}", "kid", cloud_json_text(stmt, 1), "name", cloud_json_text(stmt, 2),
			 "pem", cloud_json_text(stmt, 3), "created", cloud_json_time(stmt, 4));
}

void cloud_key_list(struct cloud_call *call)
{
	struct cloud_page page;
	int64_t product = find_product(call, call->request->id);

	if (!product || !cloud_call_page(call, &page)) { return; }
	cloud_call_list(call,
			cloud_db_query(call->db, CLOUD_SQL_KEY_LIST, cloud_int(page.after), cloud_int(page.limit + 1),
				       cloud_int(product)),
			&page, key_row);
}

/* A key that is to be added. */
struct new_key {
	struct fota_trusted_key key;
	char kid[PUBLIC_KEY_KID_TEXT_BYTES];
	char pem[PUBLIC_KEY_PEM_MAX_BYTES];
	const char *name;
};

static const char *check_pem(const char *text)
{
	return *text ? NULL : "must be a public key in PEM";
}

/* Reads the body; answers if it is not good. The key is kept as it is written here: what else stood in the text
 * is dropped. */
static bool read_key(struct cloud_call *call, struct new_key *key)
{
	const char *pem = cloud_call_text(call, "pem", check_pem, true);
	struct fota_trusted_key found[2];
	struct trust_keys trust = { .keys = found, .cap = 2 };
	struct key_message message;

	key->name = cloud_call_text(call, "name", cloud_note_check, false);
	if (call->status) { return false; }
	if (trust_pem_load(pem, strlen(pem), "pem", &trust, &message) != 0) {
		cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "%s", message.text);
	} else if (trust.count != 1) {
		cloud_call_problem(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "'pem' has several keys; send one at a time");
	} else {
		key->key = found[0];
		public_key_kid_text(key->key.kid, key->kid);
		if (!public_key_pem(&key->key, key->pem)) { cloud_call_failed(call, CLOUD_DB_ERROR, NULL); }
	}
	return call->status == 0;
}

/* What signing a manifest is found out with. */
struct trial {
	struct cloud_db *db;
	const struct fota_crypto *crypto;
	struct cloud_key_rows rows; /* the new key only */
};

/* Tries the new key on one manifest. */
static bool try_manifest(struct trial *trial, int64_t version, struct fota_bytes envelope)
{
	uint32_t signers;

	return cloud_manifest_signers(envelope, trial->crypto, &trial->rows.keys, &signers) == FOTA_ERR_OK &&
	       cloud_signatures_add(trial->db, version, &trial->rows, signers);
}

/* Notes the new key's signatures on the manifests that are there. */
static bool try_manifests(struct trial *trial, int64_t product)
{
	struct cloud_stmt *stmt = cloud_db_query(trial->db, CLOUD_SQL_MANIFEST_OF_PRODUCT, cloud_int(product));
	bool is_ok = true;
	enum cloud_db_result result;

	while (is_ok && (result = cloud_db_next(stmt)) != CLOUD_DB_DONE) {
		is_ok = result == CLOUD_DB_ROW && try_manifest(trial, cloud_col_int(stmt, 0), cloud_col_bytes(stmt, 1));
	}
	cloud_db_end(stmt);
	return is_ok;
}

static bool note_signatures(struct cloud_call *call, int64_t product, const struct new_key *key, int64_t id)
{
	struct cloud_worker *worker = cloud_worker_get(call->app->workers);
	struct trial trial = { .db = call->db };
	bool is_ok = false;

	trial.rows.keys.keys[0] = key->key;
	trial.rows.keys.count = 1;
	trial.rows.ids[0] = id;
	if (worker) {
		trial.crypto = &worker->crypto;
		is_ok = try_manifests(&trial, product);
	}
	cloud_worker_put(call->app->workers, worker);
	return is_ok;
}

/* Whether the product has room for one more key; else it was answered. */
static bool has_room(struct cloud_call *call, int64_t product)
{
	struct cloud_key_rows rows;

	if (!cloud_key_rows_load(call->db, product, &rows)) {
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
		return false;
	}
	if (rows.keys.count < CLOUD_KEY_MAX) { return true; }
	cloud_call_problem(call, MHD_HTTP_CONFLICT, "a product has at most %u keys; delete one that signs no more",
			   CLOUD_KEY_MAX);
	return false;
}

static void add(struct cloud_call *call, int64_t product, const struct new_key *key)
{
	char created[CLOUD_TIME_CAP];
	enum cloud_db_result result =
		cloud_db_exec(call->db, CLOUD_SQL_KEY_ADD, cloud_int(product), cloud_text(key->kid),
			      cloud_blob(key->key.point, sizeof(key->key.point)), cloud_text(key->pem),
			      cloud_text(key->name ? key->name : ""), cloud_int(call->now_s));

	if (result == CLOUD_DB_DONE && !note_signatures(call, product, key, cloud_db_last_id(call->db))) {
		result = CLOUD_DB_ERROR;
	}
	if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, "the product has this key already; list its keys to see it");
		return;
	}
	log_line(call->app->log, LOG_LEVEL_INFO, "audit", "key %s may sign for product %s", key->kid,
		 call->request->id);
	cloud_call_ok(call, MHD_HTTP_CREATED,
		      json_pack("{s:s, s:s, s:s, s:s}", "kid", key->kid, "name", key->name ? key->name : "", "pem",
				key->pem, "created", cloud_time_text(call->now_s, created)));
}

void cloud_key_add(struct cloud_call *call)
{
	int64_t product = find_product(call, call->request->id);
	struct new_key key;

	if (product && read_key(call, &key) && has_room(call, product)) { add(call, product, &key); }
}

/* The key of the path "PRODUCT/KID": its row, or 0 after answering. */
static int64_t find_key(struct cloud_call *call, const char *kid, int64_t product)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_KEY_FIND, cloud_int(product), cloud_text(kid));
	enum cloud_db_result result = cloud_db_next(stmt);
	int64_t id = result == CLOUD_DB_ROW ? cloud_col_int(stmt, 0) : 0;

	cloud_db_end(stmt);
	if (result == CLOUD_DB_DONE) {
		cloud_call_problem(call, MHD_HTTP_NOT_FOUND, "the product has no key '%s'; list its keys to see them",
				   kid);
	} else if (result != CLOUD_DB_ROW) {
		cloud_call_failed(call, result, NULL);
	}
	return id;
}

/* Whether no published version hangs on this key alone; else it was answered. */
static bool is_dispensable(struct cloud_call *call, int64_t key)
{
	struct cloud_stmt *stmt = cloud_db_query(call->db, CLOUD_SQL_KEY_ALONE, cloud_int(key));
	enum cloud_db_result result = cloud_db_next(stmt);

	if (result == CLOUD_DB_ROW) {
		cloud_call_problem(
			call, MHD_HTTP_CONFLICT,
			"version '%s' is published and no other key of the product has signed it; sign its manifest "
			"with another key ('atfota package sign'), send that ('atfota version manifest'), then delete "
			"this key",
			cloud_col_text(stmt, 0));
	} else if (result != CLOUD_DB_DONE) {
		cloud_call_failed(call, result, NULL);
	}
	cloud_db_end(stmt);
	return result == CLOUD_DB_DONE;
}

static void delete_key(struct cloud_call *call, const char *product, const char *kid)
{
	int64_t seq = find_product(call, product);
	int64_t key = seq ? find_key(call, kid, seq) : 0;

	if (!key || !is_dispensable(call, key)) { return; }
	if (cloud_db_exec(call->db, CLOUD_SQL_KEY_DELETE, cloud_int(key)) != CLOUD_DB_DONE) {
		cloud_call_failed(call, CLOUD_DB_ERROR, NULL);
		return;
	}
	log_line(call->app->log, LOG_LEVEL_INFO, "audit", "key %s may no longer sign for product %s", kid, product);
	cloud_call_ok(call, MHD_HTTP_NO_CONTENT, NULL);
}

void cloud_key_delete(struct cloud_call *call)
{
	char product[CLOUD_PATH_ID_CAP];
	const char *kid = strchr(call->request->id, '/'); /* the pattern has two segments */

	snprintf(product, sizeof(product), "%.*s", (int)(kid - call->request->id), call->request->id);
	delete_key(call, product, kid + 1);
}
