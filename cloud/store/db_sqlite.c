/* SPDX-License-Identifier: Apache-2.0 */
/* The database in SQLite: write-ahead log, so that readers and the one writer never wait for each
 * other; synchronous=FULL, so that a commit is on the medium when it returns.
 * Statements are prepared at their first use and kept as long as the connection. */
#include "store/db.h"

#include <sqlite3.h>
#include <stdlib.h>

#define BUSY_TIMEOUT_MS 5000

static const char *const sql_texts[] = {
#define SQL_TEXT(name, text) text,
	CLOUD_SQL_LIST(SQL_TEXT)
#undef SQL_TEXT
};

struct cloud_stmt {
	struct cloud_db *db;
	sqlite3_stmt *handle;
	bool is_bad;
};

struct cloud_db {
	sqlite3 *handle;
	const struct log *log;
	bool is_full;
	struct cloud_stmt stmts[CLOUD_SQL_COUNT];
};

/* Readers need little: the pages of the indexes that a check looks into. */
static const char *const pragmas[] = {
	[CLOUD_DB_WRITER] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
			    "PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -4000",
	[CLOUD_DB_READER] = "PRAGMA query_only = ON; PRAGMA cache_size = -1000",
};

/* What to do about failures that are none of the program's. */
static const struct {
	int code;
	const char *advice;
} advices[] = {
	{ SQLITE_FULL, "; make room on the disk of the data directory" },
	{ SQLITE_READONLY, "; the data directory and its files must be writable for this user" },
	{ SQLITE_CANTOPEN, "; the data directory and its files must be writable for this user" },
	{ SQLITE_IOERR, "; look at the disk of the data directory (the kernel's log)" },
	{ SQLITE_CORRUPT, "; go back to a backup of the data directory" },
	{ SQLITE_NOTADB, "; --data names a directory with a file that is not the platform's" },
};

static const char *advice_of(int code)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		if (advices[i].code == code) { return advices[i].advice; }
	}
	return "";
}

static void log_failure(struct cloud_db *db, const char *what)
{
	int code = db->handle ? sqlite3_errcode(db->handle) & 0xff : SQLITE_NOMEM;

	if (code == SQLITE_FULL) { db->is_full = true; }
	log_line(db->log, LOG_LEVEL_ERROR, "store", "%s: %s%s", what,
		 db->handle ? sqlite3_errmsg(db->handle) : "no memory", advice_of(code));
}

struct cloud_db *cloud_db_open(const char *path, enum cloud_db_mode mode, const struct log *log)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == CLOUD_DB_WRITER ? SQLITE_OPEN_CREATE : 0);
	struct cloud_db *db = calloc(1, sizeof(*db));

	if (!db) { return NULL; }
	db->log = log;
	if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
		log_failure(db, path);
		cloud_db_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	if (!cloud_db_script(db, pragmas[mode])) {
		cloud_db_close(db);
		return NULL;
	}
	for (size_t i = 0; i < CLOUD_SQL_COUNT; i++) {
		db->stmts[i].db = db;
	}
	return db;
}

void cloud_db_close(struct cloud_db *db)
{
	if (!db) { return; }
	for (size_t i = 0; i < CLOUD_SQL_COUNT; i++) {
		sqlite3_finalize(db->stmts[i].handle);
	}
	sqlite3_close(db->handle);
	free(db);
}

bool cloud_db_script(struct cloud_db *db, const char *sql)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK) { return true; }
	log_failure(db, "a script failed");
	return false;
}

bool cloud_db_scalar(struct cloud_db *db, const char *sql, int64_t *value)
{
	sqlite3_stmt *handle = NULL;
	bool is_row;

	is_row = sqlite3_prepare_v2(db->handle, sql, -1, &handle, NULL) == SQLITE_OK &&
		 sqlite3_step(handle) == SQLITE_ROW;
	if (is_row) { *value = sqlite3_column_int64(handle, 0); }
	if (!is_row) { log_failure(db, "a query failed"); }
	sqlite3_finalize(handle);
	return is_row;
}

static int bind_one(sqlite3_stmt *handle, int at, const struct cloud_param *param)
{
	int len = (int)param->bytes.len;
	const char *text = (const char *)param->bytes.ptr;

	switch (param->kind) {
	case CLOUD_PARAM_INT:
		return sqlite3_bind_int64(handle, at, param->number);
	case CLOUD_PARAM_TEXT:
		return sqlite3_bind_text(handle, at, text ? text : "", len, SQLITE_STATIC);
	case CLOUD_PARAM_BLOB:
		return sqlite3_bind_blob(handle, at, text, len, SQLITE_STATIC);
	case CLOUD_PARAM_NULL:
		break;
	}
	return sqlite3_bind_null(handle, at);
}

struct cloud_stmt *cloud_db_query_with(struct cloud_db *db, enum cloud_sql sql, const struct cloud_param *params,
				       size_t count)
{
	struct cloud_stmt *stmt = &db->stmts[sql];

	stmt->is_bad = false;
	if (!stmt->handle && sqlite3_prepare_v3(db->handle, sql_texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
						&stmt->handle, NULL) != SQLITE_OK) {
		stmt->is_bad = true;
		return stmt;
	}
	sqlite3_reset(stmt->handle);
	for (size_t i = 0; i < count; i++) {
		stmt->is_bad |= bind_one(stmt->handle, (int)i + 1, &params[i]) != SQLITE_OK;
	}
	return stmt;
}

enum cloud_db_result cloud_db_next(struct cloud_stmt *stmt)
{
	int rc;

	if (stmt->is_bad) {
		log_failure(stmt->db, "a statement cannot be prepared");
		return CLOUD_DB_ERROR;
	}
	rc = sqlite3_step(stmt->handle);
	if (rc == SQLITE_ROW) { return CLOUD_DB_ROW; }
	if (rc != SQLITE_DONE && (rc & 0xff) != SQLITE_CONSTRAINT) { log_failure(stmt->db, "a statement failed"); }
	sqlite3_reset(stmt->handle);
	if (rc == SQLITE_DONE) { return CLOUD_DB_DONE; }
	return (rc & 0xff) == SQLITE_CONSTRAINT ? CLOUD_DB_CONFLICT : CLOUD_DB_ERROR;
}

bool cloud_db_is_prepared(const struct cloud_stmt *stmt)
{
	return !stmt->is_bad;
}

void cloud_db_end(struct cloud_stmt *stmt)
{
	if (stmt->handle) { sqlite3_reset(stmt->handle); }
}

enum cloud_db_result cloud_db_exec_with(struct cloud_db *db, enum cloud_sql sql, const struct cloud_param *params,
					size_t count)
{
	struct cloud_stmt *stmt = cloud_db_query_with(db, sql, params, count);
	enum cloud_db_result result;

	do {
		result = cloud_db_next(stmt);
	} while (result == CLOUD_DB_ROW);
	return result;
}

int64_t cloud_col_int(struct cloud_stmt *stmt, int column)
{
	return sqlite3_column_int64(stmt->handle, column);
}

const char *cloud_col_text(struct cloud_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt->handle, column);
}

struct fota_bytes cloud_col_bytes(struct cloud_stmt *stmt, int column)
{
	const void *bytes = sqlite3_column_blob(stmt->handle, column);

	return (struct fota_bytes) { bytes, (size_t)sqlite3_column_bytes(stmt->handle, column) };
}

bool cloud_db_is_in_transaction(const struct cloud_db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

bool cloud_db_is_full(const struct cloud_db *db)
{
	return db->is_full;
}

void cloud_db_forget_full(struct cloud_db *db)
{
	db->is_full = false;
}

int64_t cloud_db_last_id(struct cloud_db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int64_t cloud_db_changes(struct cloud_db *db)
{
	return sqlite3_changes64(db->handle);
}
