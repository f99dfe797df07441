/* SPDX-License-Identifier: Apache-2.0 */
/* What one request needs to itself while it is worked on: crypto contexts and a
 * connection to read with. Made when needed, kept for the next. */
#ifndef CLOUD_DEVICE_API_WORKERS_H
#define CLOUD_DEVICE_API_WORKERS_H

#include "posix_crypto.h"
#include "store/store.h"

struct cloud_workers;

struct cloud_worker {
	struct cloud_db *db;
	struct fota_crypto crypto;
	/* private */
	struct posix_crypto engine;
	struct cloud_worker *next;
};

/* NULL: no memory. The store must outlive it. */
struct cloud_workers *cloud_workers_new(struct cloud_store *store);
void cloud_workers_free(struct cloud_workers *workers);

/* NULL if one is needed and cannot be made. Any thread. */
struct cloud_worker *cloud_worker_get(struct cloud_workers *workers);
void cloud_worker_put(struct cloud_workers *workers, struct cloud_worker *worker);

#endif
