/* SPDX-License-Identifier: Apache-2.0 */
/* One mutex, one condition, a singly linked list. */
#include "store/queue.h"

#include <pthread.h>
#include <stdlib.h>

struct cloud_queue {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct cloud_job *first;
	struct cloud_job **last;
	cloud_batch_fn *run_batch;
	void *owner;
	bool is_closed;
	bool is_joined;
};

/* Waits for work and takes all of it. NULL: closed and empty. */
static struct cloud_job *take_batch(struct cloud_queue *queue)
{
	struct cloud_job *jobs;

	pthread_mutex_lock(&queue->lock);
	while (!queue->first && !queue->is_closed) {
		pthread_cond_wait(&queue->wake, &queue->lock);
	}
	jobs = queue->first;
	queue->first = NULL;
	queue->last = &queue->first;
	pthread_mutex_unlock(&queue->lock);
	return jobs;
}

static void *run_queue(void *arg)
{
	struct cloud_queue *queue = arg;
	struct cloud_job *jobs;

	while ((jobs = take_batch(queue)) != NULL) {
		queue->run_batch(queue->owner, jobs);
	}
	return NULL;
}

struct cloud_queue *cloud_queue_start(const char *name, cloud_batch_fn *run_batch, void *owner)
{
	struct cloud_queue *queue = calloc(1, sizeof(*queue));

	if (!queue) { return NULL; }
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->wake, NULL);
	queue->last = &queue->first;
	queue->run_batch = run_batch;
	queue->owner = owner;
	if (pthread_create(&queue->thread, NULL, run_queue, queue) != 0) {
		queue->is_joined = true;
		cloud_queue_free(queue);
		return NULL;
	}
	pthread_setname_np(queue->thread, name);
	return queue;
}

void cloud_queue_put(struct cloud_queue *queue, struct cloud_job *job)
{
	bool is_closed;

	job->next = NULL;
	pthread_mutex_lock(&queue->lock);
	is_closed = queue->is_closed;
	if (!is_closed) {
		*queue->last = job;
		queue->last = &job->next;
		pthread_cond_signal(&queue->wake);
	}
	pthread_mutex_unlock(&queue->lock);
	if (is_closed) { job->done(job, false); }
}

void cloud_queue_stop(struct cloud_queue *queue)
{
	if (!queue || queue->is_joined) { return; }
	pthread_mutex_lock(&queue->lock);
	queue->is_closed = true;
	pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
	pthread_join(queue->thread, NULL);
	queue->is_joined = true;
}

void cloud_queue_free(struct cloud_queue *queue)
{
	if (!queue) { return; }
	cloud_queue_stop(queue);
	pthread_cond_destroy(&queue->wake);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

void cloud_batch_each(void *owner, struct cloud_job *jobs)
{
	while (jobs) {
		struct cloud_job *job = jobs;

		jobs = job->next;
		job->done(job, job->run(job, owner));
	}
}
