/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the parts together, in the order in which they need each other, and takes them apart in
 * the reverse order. */
#include "app.h"

#include "blob/blob.h"
#include "device_api/device_api.h"
#include "device_api/workers.h"
#include "posix_random.h"
#include "store/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool lock_dir(struct cloud_app *app)
{
	char path[CLOUD_BLOB_PATH_CAP];

	if (mkdir(app->dir, 0700) != 0 && errno != EEXIST) {
		log_line(app->log, LOG_LEVEL_ERROR, "main", "cannot make the data directory %s: %s", app->dir,
			 strerror(errno));
		return false;
	}
	snprintf(path, sizeof(path), "%s/lock", app->dir);
	app->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (app->lock_fd >= 0 && flock(app->lock_fd, LOCK_EX | LOCK_NB) == 0) { return true; }
	if (app->lock_fd >= 0 && errno == EWOULDBLOCK) {
		log_line(app->log, LOG_LEVEL_ERROR, "main",
			 "cannot use the data directory %s: another atfota-cloud runs on it; stop that first",
			 app->dir);
		return false;
	}
	log_line(app->log, LOG_LEVEL_ERROR, "main",
		 "cannot use the data directory %s: %s; give a --data DIR that this user may write", app->dir,
		 strerror(errno));
	return false;
}

/* A write that the main thread waits for, while the program starts. */
struct start_job {
	struct cloud_job job; /* first */
	struct cloud_app *app;
	cloud_app_write_fn *write;
	void *ctx;
	sem_t end;
	bool is_ok;
};

static bool run_start(struct cloud_job *job, void *owner)
{
	struct start_job *start = (struct start_job *)job;

	return start->write(start->app, owner, start->ctx);
}

static void start_done(struct cloud_job *job, bool is_ok)
{
	struct start_job *start = (struct start_job *)job;

	start->is_ok = is_ok;
	sem_post(&start->end);
}

bool cloud_app_write(struct cloud_app *app, cloud_app_write_fn *write, void *ctx)
{
	struct start_job start = {
		.job = { .run = run_start, .done = start_done },
		.app = app,
		.write = write,
		.ctx = ctx,
	};

	sem_init(&start.end, 0, 0);
	cloud_store_write(app->store, &start.job);
	while (sem_wait(&start.end) != 0) {}
	sem_destroy(&start.end);
	return start.is_ok;
}

static bool load_link_key(struct cloud_app *app, struct cloud_writer *writer, void *ctx)
{
	struct cloud_stmt *stmt = cloud_db_query(writer->db, CLOUD_SQL_SETTING_GET, cloud_text("link_key"));
	struct fota_random random = posix_random_port();
	enum cloud_db_result result = cloud_db_next(stmt);

	(void)ctx;
	if (result == CLOUD_DB_ROW) {
		struct fota_bytes key = cloud_col_bytes(stmt, 0);
		bool is_good = key.len == sizeof(app->link_key);

		if (is_good) { memcpy(app->link_key, key.ptr, key.len); }
		cloud_db_end(stmt);
		return is_good;
	}
	return result == CLOUD_DB_DONE &&
	       random.fill(random.ctx, app->link_key, sizeof(app->link_key)) == FOTA_ERR_OK &&
	       cloud_db_exec(writer->db, CLOUD_SQL_SETTING_PUT, cloud_text("link_key"),
			     cloud_blob(app->link_key, sizeof(app->link_key))) == CLOUD_DB_DONE;
}

static bool is_row(struct cloud_db *db, enum cloud_sql sql, const char *text)
{
	struct cloud_stmt *stmt = cloud_db_query(db, sql, cloud_text(text));
	enum cloud_db_result result = cloud_db_next(stmt);

	cloud_db_end(stmt);
	return result != CLOUD_DB_DONE; /* when in doubt, it is in use */
}

static bool is_blob_used(void *ctx, const char *hex)
{
	return is_row(ctx, CLOUD_SQL_BLOB_IS_USED, hex);
}

static bool is_upload_known(void *ctx, const char *id)
{
	return is_row(ctx, CLOUD_SQL_UPLOAD_GET, id);
}

/* Removes what a crash left: nothing else runs yet. */
static bool sweep(struct cloud_app *app, struct cloud_writer *writer, void *ctx)
{
	(void)ctx;
	cloud_uploads_sweep(app->uploads, is_upload_known, writer->db);
	cloud_blob_sweep(app->dir, is_blob_used, writer->db, app->log);
	return true;
}

/* Versions of before there were manifests: who published them must hear why nobody gets them. */
static void warn_of_unsigned(struct cloud_app *app)
{
	const struct cloud_catalog *catalog = cloud_store_catalog(app->store);
	size_t count = 0;

	for (size_t i = 0; i < catalog->product_count; i++) {
		for (size_t k = 0; k < catalog->products[i].version_count; k++) {
			const struct cloud_version *version = &catalog->products[i].versions[k];

			count += version->state == CLOUD_VERSION_PUBLISHED && version->manifest.len == 0;
		}
	}
	cloud_catalog_drop(catalog);
	if (count == 0) { return; }
	log_line(
		app->log, LOG_LEVEL_WARN, "main",
		"%zu published version%s no manifest and %s not offered; sign ('atfota package build') and give it to the "
		"version ('atfota version manifest')",
		count, count == 1 ? " has" : "s have", count == 1 ? "is" : "are");
}

static bool open_parts(struct cloud_app *app)
{
	app->presence = cloud_presence_new();
	app->workers = cloud_workers_new(app->store);
	app->packages = cloud_package_cache_new();
	app->uploads = cloud_uploads_new(app->dir, app->log);
	app->files = cloud_queue_start("files", cloud_batch_each, app);
	return app->presence && app->workers && app->packages && app->uploads && app->files;
}

bool cloud_app_open(struct cloud_app *app, const struct cloud_options *options, const struct log *log)
{
	*app = (struct cloud_app) { .options = options, .log = log, .dir = options->data, .lock_fd = -1 };
	if (strlen(app->dir) > 4000) {
		log_line(log, LOG_LEVEL_ERROR, "main", "the path of the data directory is too long");
		return false;
	}
	if (!lock_dir(app) || !cloud_blob_prepare(app->dir, log)) { return false; }
	app->store = cloud_store_open(app->dir, log);
	if (!app->store) { return false; }
	if (open_parts(app) && cloud_app_write(app, load_link_key, NULL) && cloud_app_write(app, sweep, NULL)) {
		warn_of_unsigned(app);
		return true;
	}
	log_line(log, LOG_LEVEL_ERROR, "main", "the data directory %s cannot be opened", app->dir);
	return false;
}

struct flush_job {
	struct cloud_job job; /* first */
	struct cloud_app *app;
	enum cloud_flush what;
};

static bool run_flush(struct cloud_job *job, void *owner)
{
	struct flush_job *flush = (struct flush_job *)job;
	struct cloud_writer *writer = owner;

	return cloud_presence_flush(flush->app->presence, writer->db, flush->what, (int64_t)time(NULL));
}

static void flush_done(struct cloud_job *job, bool is_ok)
{
	struct flush_job *flush = (struct flush_job *)job;

	if (!is_ok) { log_line(flush->app->log, LOG_LEVEL_WARN, "store", "last-seen times were not written"); }
	free(flush);
}

static void put_flush(struct cloud_app *app, enum cloud_flush what)
{
	struct flush_job *flush = calloc(1, sizeof(*flush));

	if (!flush) { return; }
	*flush = (struct flush_job) { .job = { .run = run_flush, .done = flush_done }, .app = app, .what = what };
	cloud_store_write(app->store, &flush->job);
}

void cloud_app_flush(struct cloud_app *app)
{
	if (cloud_presence_is_due(app->presence, (int64_t)time(NULL))) { put_flush(app, CLOUD_FLUSH_DUE); }
}

void cloud_app_drain(struct cloud_app *app)
{
	put_flush(app, CLOUD_FLUSH_ALL);
	/* Files first: their jobs' requests go on to the store. */
	cloud_queue_stop(app->files);
	cloud_store_stop(app->store);
}

void cloud_app_close(struct cloud_app *app)
{
	cloud_queue_free(app->files);
	cloud_uploads_free(app->uploads);
	cloud_package_cache_free(app->packages);
	cloud_workers_free(app->workers);
	cloud_presence_free(app->presence);
	cloud_store_close(app->store);
	if (app->lock_fd >= 0) { close(app->lock_fd); }
	explicit_bzero(app->link_key, sizeof(app->link_key));
}
