/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: whatever waits when the writer is free goes into one transaction, each job in
 * a savepoint of its own, so that one that fails takes nothing with it. With one client a
 * write costs one sync; with many, they share it. A disk that fails under one of them ends
 * the transaction of all: nobody is told that anything of it was kept.
 *
 * The catalog is replaced after the commit and before the jobs are told, so that who gets an
 * answer finds its change in the next check. */
#include "store/store.h"

#include "store/catalog.h"
#include "store/migrate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define READER_MAX 64u

struct cloud_store {
	char path[4096];
	const struct log *log;
	struct cloud_writer writer;
	struct cloud_queue *queue;
	pthread_mutex_t lock; /* guards what follows */
	struct cloud_catalog *catalog;
	struct cloud_db *readers[READER_MAX]; /* idle ones */
	size_t reader_count;
};

static bool run(struct cloud_db *db, enum cloud_sql sql)
{
	return cloud_db_exec_with(db, sql, NULL, 0) == CLOUD_DB_DONE;
}

static bool run_job(struct cloud_writer *writer, struct cloud_job *job)
{
	bool was_changed = writer->is_catalog_changed;

	if (!run(writer->db, CLOUD_SQL_SAVEPOINT)) { return false; }
	if (job->run(job, writer)) { return run(writer->db, CLOUD_SQL_RELEASE); }
	writer->is_catalog_changed = was_changed;
	if (cloud_db_is_in_transaction(writer->db)) {
		(void)(run(writer->db, CLOUD_SQL_ROLLBACK_TO) && run(writer->db, CLOUD_SQL_RELEASE));
	}
	return false;
}

static bool replace_catalog(struct cloud_store *store)
{
	struct cloud_catalog *fresh = cloud_catalog_load(store->writer.db);
	struct cloud_catalog *stale;

	if (!fresh) {
		log_line(store->log, LOG_LEVEL_ERROR, "store", "the catalog cannot be read");
		return false;
	}
	pthread_mutex_lock(&store->lock);
	stale = store->catalog;
	store->catalog = fresh;
	pthread_mutex_unlock(&store->lock);
	cloud_catalog_drop(stale);
	return true;
}

static void run_batch(void *owner, struct cloud_job *jobs)
{
	struct cloud_store *store = owner;
	struct cloud_writer *writer = &store->writer;
	bool is_open, is_kept;

	cloud_db_forget_full(writer->db);
	is_open = run(writer->db, CLOUD_SQL_BEGIN);
	for (struct cloud_job *job = jobs; job; job = job->next) {
		/* Without the transaction a savepoint would be one of its own, and be kept alone. */
		job->is_ok = is_open && run_job(writer, job);
		is_open = is_open && cloud_db_is_in_transaction(writer->db);
	}
	is_kept = is_open && run(writer->db, CLOUD_SQL_COMMIT);
	if (cloud_db_is_in_transaction(writer->db)) { (void)run(writer->db, CLOUD_SQL_ROLLBACK); }
	/* A catalog that could not be read stays marked: the next batch tries again. */
	if (is_kept && writer->is_catalog_changed) { writer->is_catalog_changed = !replace_catalog(store); }
	while (jobs) {
		struct cloud_job *job = jobs;

		jobs = job->next;
		job->done(job, is_kept && job->is_ok);
	}
}

struct cloud_store *cloud_store_open(const char *dir, const struct log *log)
{
	struct cloud_store *store = calloc(1, sizeof(*store));

	if (!store) { return NULL; }
	store->log = log;
	store->writer.log = log;
	pthread_mutex_init(&store->lock, NULL);
	snprintf(store->path, sizeof(store->path), "%s/atfota.db", dir);
	store->writer.db = cloud_db_open(store->path, CLOUD_DB_WRITER, log);
	if (store->writer.db && cloud_migrate(store->writer.db, log) && replace_catalog(store)) {
		store->queue = cloud_queue_start("store", run_batch, store);
	}
	if (store->queue) { return store; }
	cloud_store_close(store);
	return NULL;
}

void cloud_store_stop(struct cloud_store *store)
{
	cloud_queue_stop(store->queue);
}

void cloud_store_close(struct cloud_store *store)
{
	if (!store) { return; }
	cloud_queue_free(store->queue);
	for (size_t i = 0; i < store->reader_count; i++) {
		cloud_db_close(store->readers[i]);
	}
	cloud_db_close(store->writer.db);
	cloud_catalog_drop(store->catalog);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

void cloud_store_write(struct cloud_store *store, struct cloud_job *job)
{
	cloud_queue_put(store->queue, job);
}

struct cloud_db *cloud_store_reader_get(struct cloud_store *store)
{
	struct cloud_db *db = NULL;

	pthread_mutex_lock(&store->lock);
	if (store->reader_count) { db = store->readers[--store->reader_count]; }
	pthread_mutex_unlock(&store->lock);
	return db ? db : cloud_db_open(store->path, CLOUD_DB_READER, store->log);
}

void cloud_store_reader_put(struct cloud_store *store, struct cloud_db *db)
{
	if (!db) { return; }
	pthread_mutex_lock(&store->lock);
	if (store->reader_count < READER_MAX) {
		store->readers[store->reader_count++] = db;
		db = NULL;
	}
	pthread_mutex_unlock(&store->lock);
	cloud_db_close(db);
}

const struct cloud_catalog *cloud_store_catalog(struct cloud_store *store)
{
	struct cloud_catalog *catalog;

	pthread_mutex_lock(&store->lock);
	catalog = store->catalog;
	cloud_catalog_hold(catalog);
	pthread_mutex_unlock(&store->lock);
	return catalog;
}
