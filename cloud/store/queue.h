/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that runs jobs in the order in which they were given. Two are made of it: the
 * writer of the database and the thread for files.
 *
 * The queue takes all that waits as one batch, so that a batch can share one commit. */
#ifndef CLOUD_STORE_QUEUE_H
#define CLOUD_STORE_QUEUE_H

#include "fota/bytes.h"
#include "fota/err.h"

/* Part of the caller's own struct. Kept by the queue until `done`. */
struct cloud_job {
	struct cloud_job *next;
	/* Does the work, on the queue's thread. `owner` is the queue's context. False:
	 * nothing of it shall be kept. */
	bool (*run)(struct cloud_job *job, void *owner);
	/* Tells the end, once: from the queue's thread after the batch, or from
	 * cloud_queue_put itself if the queue is closed. May free the job. */
	void (*done)(struct cloud_job *job, bool is_ok);
	bool is_ok; /* private */
};

struct cloud_queue;

/* Called with each batch, on the queue's thread; must call run and then done of every job. */
typedef void cloud_batch_fn(void *owner, struct cloud_job *jobs);

/* NULL if no thread can be made. `owner` must outlive the queue. */
struct cloud_queue *cloud_queue_start(const char *name, cloud_batch_fn *run_batch, void *owner);

/* Any thread; never blocks for the work of others. */
void cloud_queue_put(struct cloud_queue *queue, struct cloud_job *job);

/* Closes the queue, finishes what waits in it, and ends the thread. Later jobs end with
 * done(job, false). */
void cloud_queue_stop(struct cloud_queue *queue);

/* After cloud_queue_stop, when nobody can put any more. NULL is fine. */
void cloud_queue_free(struct cloud_queue *queue);

/* A batch function that runs each job by itself. */
void cloud_batch_each(void *owner, struct cloud_job *jobs);

#endif
