/* SPDX-License-Identifier: Apache-2.0 */
/* A stack under a lock: there are never more workers than HTTP threads. */
#include "device_api/workers.h"

#include <pthread.h>
#include <stdlib.h>

struct cloud_workers {
	pthread_mutex_t lock;
	struct cloud_store *store;
	struct cloud_worker *idle;
};

struct cloud_workers *cloud_workers_new(struct cloud_store *store)
{
	struct cloud_workers *workers = calloc(1, sizeof(*workers));

	if (!workers) { return NULL; }
	pthread_mutex_init(&workers->lock, NULL);
	workers->store = store;
	return workers;
}

static void free_worker(struct cloud_workers *workers, struct cloud_worker *worker)
{
	cloud_store_reader_put(workers->store, worker->db);
	posix_crypto_close(&worker->engine);
	free(worker);
}

void cloud_workers_free(struct cloud_workers *workers)
{
	if (!workers) { return; }
	while (workers->idle) {
		struct cloud_worker *worker = workers->idle;

		workers->idle = worker->next;
		free_worker(workers, worker);
	}
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}

static struct cloud_worker *new_worker(struct cloud_workers *workers)
{
	struct cloud_worker *worker = calloc(1, sizeof(*worker));

	if (!worker) { return NULL; }
	worker->db = cloud_store_reader_get(workers->store);
	if (worker->db && posix_crypto_init(&worker->engine) == FOTA_ERR_OK) {
		worker->crypto = posix_crypto_port(&worker->engine);
		return worker;
	}
	free_worker(workers, worker);
	return NULL;
}

struct cloud_worker *cloud_worker_get(struct cloud_workers *workers)
{
	struct cloud_worker *worker;

	pthread_mutex_lock(&workers->lock);
	worker = workers->idle;
	if (worker) { workers->idle = worker->next; }
	pthread_mutex_unlock(&workers->lock);
	return worker ? worker : new_worker(workers);
}

void cloud_worker_put(struct cloud_workers *workers, struct cloud_worker *worker)
{
	if (!worker) { return; }
	pthread_mutex_lock(&workers->lock);
	worker->next = workers->idle;
	workers->idle = worker;
	pthread_mutex_unlock(&workers->lock);
}
