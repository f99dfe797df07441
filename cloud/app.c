/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the parts together, in the order in which they need each other, and takes them apart in
 * the reverse order. */
#include "app.h"

#include "admin_api/admin_api.h"
#include "blob/blob.h"
#include "device_api/device_api.h"
#include "device_api/workers.h"
#include "http/server.h"
#include "posix_random.h"
#include "routes.h"
#include "sandbox.h"
#include "store/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IDLE_TIMEOUT_S 120

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
	log_line(app->log, LOG_LEVEL_ERROR, "main", "cannot use the data directory %s: %s", app->dir,
		 app->lock_fd >= 0 && errno == EWOULDBLOCK ? "another atfota-cloud runs on it; stop that first"
							   : strerror(errno));
	return false;
}

/* A write that the main thread waits for, while the program starts. */
struct start_job {
	struct cloud_job job; /* first */
	struct cloud_app *app;
	bool (*write)(struct cloud_app *app, struct cloud_writer *writer);
	sem_t end;
	bool is_ok;
};

static bool run_start(struct cloud_job *job, void *owner)
{
	struct start_job *start = (struct start_job *)job;

	return start->write(start->app, owner);
}

static void start_done(struct cloud_job *job, bool is_ok)
{
	struct start_job *start = (struct start_job *)job;

	start->is_ok = is_ok;
	sem_post(&start->end);
}

static bool write_and_wait(struct cloud_app *app, bool (*write)(struct cloud_app *app, struct cloud_writer *writer))
{
	struct start_job start = {
		.job = { .run = run_start, .done = start_done },
		.app = app,
		.write = write,
	};

	sem_init(&start.end, 0, 0);
	cloud_store_write(app->store, &start.job);
	while (sem_wait(&start.end) != 0) {}
	sem_destroy(&start.end);
	return start.is_ok;
}

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

/* What is no terminal may be a log that is kept. */
static void tell_first_token(const struct cloud_app *app, const char *token)
{
	if (isatty(STDOUT_FILENO)) {
		printf("admin token: %s (kept in %s/admin-token)\n", token, app->dir);
	} else {
		printf("admin token: in %s/admin-token\n", app->dir);
	}
	fflush(stdout);
}

static bool add_first_token(struct cloud_app *app, struct cloud_writer *writer, const char *token,
			    const uint8_t hash[32])
{
	char line[CLOUD_TOKEN_CAP + 1];
	bool is_kept;

	snprintf(line, sizeof(line), "%s\n", token);
	is_kept = write_private(app, "admin-token", line);
	explicit_bzero(line, sizeof(line));
	return is_kept && cloud_db_exec(writer->db, CLOUD_SQL_TOKEN_ADD, cloud_text("first"), cloud_blob(hash, 32),
					cloud_int((int64_t)time(NULL))) == CLOUD_DB_DONE;
}

/* The first token: in its file before it is good, so that it cannot be lost in between. */
static bool make_first_token(struct cloud_app *app, struct cloud_writer *writer)
{
	char token[CLOUD_TOKEN_CAP];
	uint8_t hash[32];
	bool is_made;

	if (has_token(writer->db)) { return true; }
	if (!cloud_token_new(app, token, hash)) { return false; }
	is_made = add_first_token(app, writer, token, hash);
	if (is_made) {
		writer->is_catalog_changed = true;
		tell_first_token(app, token);
	}
	explicit_bzero(token, sizeof(token));
	return is_made;
}

static bool load_link_key(struct cloud_app *app, struct cloud_writer *writer)
{
	struct cloud_stmt *stmt = cloud_db_query(writer->db, CLOUD_SQL_SETTING_GET, cloud_text("link_key"));
	struct fota_random random = posix_random_port();
	enum cloud_db_result result = cloud_db_next(stmt);

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
static bool sweep(struct cloud_app *app, struct cloud_writer *writer)
{
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
	if (open_parts(app) && write_and_wait(app, load_link_key) && write_and_wait(app, make_first_token) &&
	    write_and_wait(app, sweep)) {
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

/* Flushes now and then until a signal to end comes. Returns the signal. */
static int wait_for_end(struct cloud_app *app, const sigset_t *signals)
{
	const struct timespec interval = { .tv_sec = (time_t)app->options->flush_interval_s };
	int signal_number;

	while ((signal_number = sigtimedwait(signals, NULL, &interval)) < 0) {
		if (errno == EAGAIN) { cloud_app_flush(app); }
	}
	return signal_number;
}

static int serve(struct cloud_app *app, const sigset_t *signals)
{
	const struct cloud_server_cfg cfg = {
		.listen = app->options->listen,
		.tls_cert_path = app->options->tls_cert,
		.tls_key_path = app->options->tls_key,
		.thread_count = (unsigned)app->options->thread_count,
		.idle_timeout_s = IDLE_TIMEOUT_S,
		.routes = cloud_routes,
		.route_count = cloud_route_count,
		.app = app,
		.log = app->log,
	};
	char url[128];
	struct cloud_server *server = cloud_server_start(&cfg, url);
	int signal_number;

	if (!server) { return EXIT_FAILURE; }
	printf("listening on %s\n", url);
	fflush(stdout);
	signal_number = wait_for_end(app, signals);
	log_line(app->log, LOG_LEVEL_INFO, "main", "%s: finishing", strsignal(signal_number));
	cloud_server_quiesce(server);
	cloud_app_drain(app);
	cloud_server_stop(server);
	return EXIT_SUCCESS;
}

int cloud_app_run(const struct cloud_options *options)
{
	const struct log log = { .fd = STDERR_FILENO, .level = options->log_level };
	struct cloud_app app;
	sigset_t signals;
	int status = EXIT_FAILURE;

	/* Blocked before there are threads: all of them inherit it, and only the main one waits. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	cloud_sandbox_enter(&log); /* also before there are threads */
	if (cloud_app_open(&app, options, &log)) { status = serve(&app, &signals); }
	cloud_app_close(&app);
	return status;
}
