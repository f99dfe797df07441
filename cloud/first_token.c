/* SPDX-License-Identifier: Apache-2.0 */
/* Three steps in an order that no cut spoils: into the file, into the database, onto the screen. What is in
 * the file alone is made anew by the next start; what was shown is good. */
#include "first_token.h"

#include "admin_api/admin_api.h"
#include "blob/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Writes a file that only its owner may read, durable when it returns. */
static bool write_private(struct cloud_app *app, const char *name, const char *text)
{
	char path[CLOUD_BLOB_PATH_CAP];
	size_t len = strlen(text);
	bool is_ok;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", app->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	is_ok = fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	if (fd >= 0) { close(fd); }
	if (!is_ok) { log_line(app->log, LOG_LEVEL_ERROR, "main", "cannot write %s: %s", path, strerror(errno)); }
	return is_ok && cloud_dir_sync(app->dir);
}

static bool has_token(struct cloud_db *db)
{
	struct cloud_stmt *stmt = cloud_db_query_with(db, CLOUD_SQL_TOKEN_COUNT, NULL, 0);
	bool has = cloud_db_next(stmt) == CLOUD_DB_ROW && cloud_col_int(stmt, 0) > 0;

	cloud_db_end(stmt);
	return has;
}

static bool add_token(struct cloud_app *app, struct cloud_writer *writer, const char *token, const uint8_t hash[32])
{
	char line[CLOUD_TOKEN_CAP + 1];
	bool is_kept;

	snprintf(line, sizeof(line), "%s\n", token);
	is_kept = write_private(app, "admin-token", line);
	explicit_bzero(line, sizeof(line));
	writer->is_catalog_changed = true;
	return is_kept && cloud_db_exec(writer->db, CLOUD_SQL_TOKEN_ADD, cloud_text("first"), cloud_blob(hash, 32),
					cloud_int((int64_t)time(NULL))) == CLOUD_DB_DONE;
}

/* ctx: room for the token; it stays empty if there is one already. */
static bool make_token(struct cloud_app *app, struct cloud_writer *writer, void *ctx)
{
	uint8_t hash[32];

	if (has_token(writer->db)) { return true; }
	return cloud_token_new(app, ctx, hash) && add_token(app, writer, ctx, hash);
}

/* What is no terminal may be a log that is kept. */
static void tell_token(const struct cloud_app *app, const char *token)
{
	if (isatty(STDOUT_FILENO)) {
		printf("admin token: %s (kept in %s/admin-token)\n", token, app->dir);
	} else {
		printf("admin token: in %s/admin-token\n", app->dir);
	}
	fflush(stdout);
}

bool cloud_first_token_make(struct cloud_app *app)
{
	char token[CLOUD_TOKEN_CAP] = "";
	bool is_made = cloud_app_write(app, make_token, token);

	if (is_made && *token) { tell_token(app, token); }
	if (!is_made) {
		log_line(app->log, LOG_LEVEL_ERROR, "main",
			 "the first access token cannot be kept in %s; make room there, and start again", app->dir);
	}
	explicit_bzero(token, sizeof(token));
	return is_made;
}
