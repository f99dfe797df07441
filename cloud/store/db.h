/* SPDX-License-Identifier: Apache-2.0 */
/* The database behind the store: prepared statements by number, typed
 * parameters, rows. Everything above it knows neither SQLite nor PostgreSQL;
 * the SQL itself is in store/sql.h, in the common subset of both.
 *
 * A connection belongs to one thread at a time. */
#ifndef CLOUD_STORE_DB_H
#define CLOUD_STORE_DB_H

#include "fota/bytes.h"
#include "fota/err.h"
#include "log.h"
#include "store/sql.h"

struct cloud_db;
struct cloud_stmt;

enum cloud_db_mode { CLOUD_DB_WRITER, CLOUD_DB_READER };

enum cloud_db_result {
	CLOUD_DB_DONE,     /* no (more) rows */
	CLOUD_DB_ROW,      /* a row is there to be read */
	CLOUD_DB_CONFLICT, /* a UNIQUE or FOREIGN KEY constraint refused the change */
	CLOUD_DB_ERROR,    /* the database failed; it was logged */
};

/* One parameter of a statement. */
struct cloud_param {
	enum { CLOUD_PARAM_NULL, CLOUD_PARAM_INT, CLOUD_PARAM_TEXT, CLOUD_PARAM_BLOB } kind;
	int64_t number;
	struct fota_bytes bytes;
};

static inline struct cloud_param cloud_int(int64_t value)
{
	return (struct cloud_param) { .kind = CLOUD_PARAM_INT, .number = value };
}

static inline struct cloud_param cloud_text_of(struct fota_bytes text)
{
	return (struct cloud_param) { .kind = text.ptr ? CLOUD_PARAM_TEXT : CLOUD_PARAM_NULL, .bytes = text };
}

/* NULL becomes SQL's NULL. */
static inline struct cloud_param cloud_text(const char *text)
{
	return cloud_text_of(fota_bytes_of(text));
}

static inline struct cloud_param cloud_blob(const void *bytes, size_t len)
{
	return (struct cloud_param) { .kind = CLOUD_PARAM_BLOB, .bytes = { bytes, len } };
}

static inline struct cloud_param cloud_null(void)
{
	return (struct cloud_param) { .kind = CLOUD_PARAM_NULL };
}

/* Opens the database file; the writer creates it. NULL on failure, logged. `log` must
 * outlive the connection. */
struct cloud_db *cloud_db_open(const char *path, enum cloud_db_mode mode, const struct log *log);
void cloud_db_close(struct cloud_db *db);

/* Runs several statements of text, for migrations. */
FOTA_MUST_CHECK bool cloud_db_script(struct cloud_db *db, const char *sql);

/* The number that a query of text gives; 0 for SQL's NULL. For migrations. */
FOTA_MUST_CHECK bool cloud_db_scalar(struct cloud_db *db, const char *sql, int64_t *value);

/* Starts a statement. Parameters are borrowed until its last row was read. One use of a
 * statement at a time. */
struct cloud_stmt *cloud_db_query_with(struct cloud_db *db, enum cloud_sql sql, const struct cloud_param *params,
				       size_t count);
/* The next row. Anything but ROW ends the statement. */
FOTA_MUST_CHECK enum cloud_db_result cloud_db_next(struct cloud_stmt *stmt);
/* Whether the statement's SQL fits the database and its parameters could be bound. */
bool cloud_db_is_prepared(const struct cloud_stmt *stmt);
/* Ends a statement before its last row. */
void cloud_db_end(struct cloud_stmt *stmt);
/* Runs a statement whose rows, if any, are of no interest: DONE, CONFLICT or ERROR. */
FOTA_MUST_CHECK enum cloud_db_result cloud_db_exec_with(struct cloud_db *db, enum cloud_sql sql,
							const struct cloud_param *params, size_t count);

#define CLOUD_PARAMS(...)                             \
	(const struct cloud_param[]) { __VA_ARGS__ }, \
		sizeof((const struct cloud_param[]) { __VA_ARGS__ }) / sizeof(struct cloud_param)
#define cloud_db_query(db, sql, ...) cloud_db_query_with(db, sql, CLOUD_PARAMS(__VA_ARGS__))
#define cloud_db_exec(db, sql, ...)  cloud_db_exec_with(db, sql, CLOUD_PARAMS(__VA_ARGS__))

/* Columns of the current row, counted from 0; texts and bytes live until the next
 * call on the statement. */
int64_t cloud_col_int(struct cloud_stmt *stmt, int column);
const char *cloud_col_text(struct cloud_stmt *stmt, int column); /* NULL for SQL's NULL */
struct fota_bytes cloud_col_bytes(struct cloud_stmt *stmt, int column);

/* Whether a transaction is open. A failure of the disk ends it, whoever began it. */
bool cloud_db_is_in_transaction(const struct cloud_db *db);

/* Whether there was no room for a change since the last call of cloud_db_forget_full. */
bool cloud_db_is_full(const struct cloud_db *db);
void cloud_db_forget_full(struct cloud_db *db);

/* The id of the row that the last INSERT made, and how many rows the last change touched. */
int64_t cloud_db_last_id(struct cloud_db *db);
int64_t cloud_db_changes(struct cloud_db *db);

#endif
