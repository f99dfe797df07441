/* SPDX-License-Identifier: Apache-2.0 */
/* The store: one writer whose thread groups changes into commits, connections for readers,
 * and the catalog in memory. */
#ifndef CLOUD_STORE_STORE_H
#define CLOUD_STORE_STORE_H

#include "domain/catalog.h"
#include "store/db.h"
#include "store/queue.h"

struct cloud_store;

/* What a write job gets as `owner` of its run function. Its changes are kept if run returns
 * true; done(job, true) follows when they are durable and, if is_catalog_changed was set, in
 * the catalog. */
struct cloud_writer {
	struct cloud_db *db;
	const struct log *log;
	bool is_catalog_changed;
};

/* Opens (and makes, and migrates) the database in directory `dir`. NULL on failure,
 * logged. `dir` and `log` must outlive the store. */
struct cloud_store *cloud_store_open(const char *dir, const struct log *log);
/* Finishes all writes; later ones end with done(job, false). */
void cloud_store_stop(struct cloud_store *store);
void cloud_store_close(struct cloud_store *store);

void cloud_store_write(struct cloud_store *store, struct cloud_job *job);

/* A connection to read with, for one thread until it is put back. NULL on failure, logged. */
struct cloud_db *cloud_store_reader_get(struct cloud_store *store);
void cloud_store_reader_put(struct cloud_store *store, struct cloud_db *db);

/* The catalog as it is now; give it back with cloud_catalog_drop. */
const struct cloud_catalog *cloud_store_catalog(struct cloud_store *store);

#endif
