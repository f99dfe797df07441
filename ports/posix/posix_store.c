/* SPDX-License-Identifier: Apache-2.0 */
/* One worker, a queue of two jobs. A job first writes the bytes that were collected
 * (and perhaps some more behind them), then does one thing: nothing, read, erase or sync.
 *
 * Foreground jobs were answered with PENDING; their end is told. A background job
 * is a full buffer whose prog was answered with OK: its error is kept and becomes the
 * result of the area's next operation. Each area has two buffers, so that one fills while the
 * other is written. FIFO order makes that safe: a buffer is filled again only after a
 * later job than its own has ended, or while no job is queued. */
#include "posix_store.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)256 * 1024)
#define WRITE_BYTES  ((size_t)128 * 1024) /* a buffer that holds this much is written */
#define JOB_MAX      2
#define ZERO_BYTES   ((size_t)64 * 1024)

enum action { ACTION_WRITE, ACTION_READ, ACTION_ERASE, ACTION_SYNC };

struct span {
	uint64_t off;
	uint8_t *ptr;
	size_t len;
};

struct job {
	struct area *area;
	enum action action;
	bool is_foreground;
	struct span collected;
	struct span extra;  /* owned by the job; written behind `collected` */
	struct span target; /* of read and erase */
};

struct area {
	struct posix_store *store;
	enum posix_store_room room;
	int fd;
	uint8_t *buffers[2];
	unsigned filling;
	uint64_t off; /* of the collected bytes */
	size_t len;
	enum fota_err background_err; /* under the store's lock */
};

struct posix_store {
	int dir_fd, lock_fd, event_fd;
	struct area areas[POSIX_STORE_AREA_MAX];
	unsigned area_count;
	pthread_t worker;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct job jobs[JOB_MAX];
	unsigned job_count;
	bool is_closing, is_ended, is_result_ready;
	enum fota_err result;
};

/* ---- the worker ---- */

static enum fota_err from_errno(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG ? FOTA_ERR_FULL : FOTA_ERR_IO;
}

static enum fota_err write_span(int fd, const struct span *span)
{
	size_t done = 0;

	while (done < span->len) {
		ssize_t n = pwrite(fd, span->ptr + done, span->len - done, (off_t)(span->off + done));

		if (n < 0 && errno == EINTR) { continue; }
		if (n <= 0) { return from_errno(n < 0 ? errno : EIO); }
		done += (size_t)n;
	}
	/* Start the way to the disk now, so that the sync later is short. A hint. */
	if (span->len) { (void)sync_file_range(fd, (off_t)span->off, (off_t)span->len, SYNC_FILE_RANGE_WRITE); }
	return FOTA_ERR_OK;
}

static enum fota_err read_span(int fd, const struct span *span)
{
	size_t done = 0;

	while (done < span->len) {
		ssize_t n = pread(fd, span->ptr + done, span->len - done, (off_t)(span->off + done));

		if (n < 0 && errno == EINTR) { continue; }
		if (n < 0) { return FOTA_ERR_IO; }
		if (n == 0) { /* beyond the end of the file: never programmed */
			memset(span->ptr + done, 0xff, span->len - done);
			break;
		}
		done += (size_t)n;
	}
	return FOTA_ERR_OK;
}

/* Where holes cannot be punched the bytes are overwritten: erase must also get rid of
 * secrets. Only as far as the file goes. */
static enum fota_err zero_span(int fd, const struct span *span)
{
	static const uint8_t zeros[ZERO_BYTES];
	struct stat st;
	uint64_t end = span->off + span->len;

	if (fstat(fd, &st)) { return FOTA_ERR_IO; }
	if (end > (uint64_t)st.st_size) { end = (uint64_t)st.st_size; }
	for (uint64_t off = span->off; off < end;) {
		size_t len = end - off < ZERO_BYTES ? (size_t)(end - off) : ZERO_BYTES;
		ssize_t n = pwrite(fd, zeros, len, (off_t)off);

		if (n < 0 && errno == EINTR) { continue; }
		if (n <= 0) { return from_errno(n < 0 ? errno : EIO); }
		off += (uint64_t)n;
	}
	return FOTA_ERR_OK;
}

static enum fota_err erase_span(const struct area *area, const struct span *span)
{
	int fd = area->fd;

	if (area->room == POSIX_STORE_DEVICE) { return FOTA_ERR_OK; }
	if (area->room == POSIX_STORE_RESERVED) { return zero_span(fd, span); }
	if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)span->off, (off_t)span->len)) {
		return FOTA_ERR_OK;
	}
	return errno == EOPNOTSUPP || errno == ENOSYS ? zero_span(fd, span) : from_errno(errno);
}

/* What is kept in a small area that is written over and over may hold secrets; a package does not,
 * and is large. */
static void wipe_written(const struct job *job)
{
	if (job->area->room != POSIX_STORE_RESERVED) { return; }
	explicit_bzero(job->collected.ptr, job->collected.len);
	if (job->extra.ptr) { explicit_bzero(job->extra.ptr, job->extra.len); }
}

static enum fota_err carry_out(const struct job *job)
{
	enum fota_err err = write_span(job->area->fd, &job->collected);

	if (!err) { err = write_span(job->area->fd, &job->extra); }
	wipe_written(job);
	if (err) { return err; }
	switch (job->action) {
	case ACTION_READ:
		return read_span(job->area->fd, &job->target);
	case ACTION_ERASE:
		return erase_span(job->area, &job->target);
	case ACTION_SYNC:
		return fdatasync(job->area->fd) ? from_errno(errno) : FOTA_ERR_OK;
	default:
		return FOTA_ERR_OK;
	}
}

static void tell_end(struct posix_store *store, enum fota_err result)
{
	uint64_t one = 1;

	store->result = result;
	store->is_result_ready = true;
	while (write(store->event_fd, &one, sizeof(one)) < 0 && errno == EINTR) {}
}

static void end_job(struct posix_store *store, enum fota_err err)
{
	struct area *area = store->jobs[0].area;
	bool is_foreground = store->jobs[0].is_foreground;

	free(store->jobs[0].extra.ptr);
	store->job_count--;
	memmove(&store->jobs[0], &store->jobs[1], store->job_count * sizeof(store->jobs[0]));
	if (!area->background_err) { area->background_err = err; }
	if (!is_foreground) { return; }
	err = area->background_err;
	area->background_err = FOTA_ERR_OK;
	tell_end(store, err);
}

static void *work(void *arg)
{
	struct posix_store *store = arg;

	pthread_mutex_lock(&store->lock);
	while (true) {
		struct job job;
		enum fota_err err;

		while (store->job_count == 0 && !store->is_closing) {
			pthread_cond_wait(&store->changed, &store->lock);
		}
		if (store->job_count == 0) { break; }
		job = store->jobs[0];
		pthread_mutex_unlock(&store->lock);
		err = carry_out(&job);
		pthread_mutex_lock(&store->lock);
		end_job(store, err);
	}
	store->is_ended = true;
	pthread_cond_broadcast(&store->changed);
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

/* ---- the port ---- */

/* Queues a job that takes the collected bytes along. */
static enum fota_err submit(struct area *area, struct job job)
{
	struct posix_store *store = area->store;
	enum fota_err err = FOTA_ERR_OK;

	job.area = area;
	job.collected = (struct span) { area->off, area->buffers[area->filling], area->len };
	pthread_mutex_lock(&store->lock);
	if (store->job_count == JOB_MAX) { /* a second operation while one is pending */
		err = FOTA_ERR_CONTRACT;
	} else {
		store->jobs[store->job_count++] = job;
		pthread_cond_signal(&store->changed);
	}
	pthread_mutex_unlock(&store->lock);
	if (err) {
		free(job.extra.ptr);
		return err;
	}
	area->filling = !area->filling;
	area->len = 0;
	return job.is_foreground ? FOTA_ERR_PENDING : FOTA_ERR_OK;
}

static bool is_queue_empty(struct posix_store *store)
{
	bool is_empty;

	pthread_mutex_lock(&store->lock);
	is_empty = store->job_count == 0;
	pthread_mutex_unlock(&store->lock);
	return is_empty;
}

static enum fota_err area_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	return submit(ctx, (struct job) { .action = ACTION_READ, .is_foreground = true, .target = { off, dst, len } });
}

static enum fota_err area_erase(void *ctx, uint64_t off, uint64_t len)
{
	return submit(ctx,
		      (struct job) { .action = ACTION_ERASE, .is_foreground = true, .target = { off, NULL, len } });
}

static enum fota_err area_sync(void *ctx)
{
	return submit(ctx, (struct job) { .action = ACTION_SYNC, .is_foreground = true });
}

/* Bytes that do not continue those collected, or are too many, go as they are. */
static enum fota_err prog_apart(struct area *area, uint64_t off, const void *src, size_t len)
{
	uint8_t *copy = malloc(len);

	if (!copy) { return FOTA_ERR_IO; }
	memcpy(copy, src, len);
	return submit(area,
		      (struct job) { .action = ACTION_WRITE, .is_foreground = true, .extra = { off, copy, len } });
}

static enum fota_err area_prog(void *ctx, uint64_t off, const void *src, size_t len)
{
	struct area *area = ctx;

	if (area->len && off != area->off + area->len) { return prog_apart(area, off, src, len); }
	if (len > BUFFER_BYTES - area->len) { return prog_apart(area, off, src, len); }
	if (area->len == 0) { area->off = off; }
	memcpy(area->buffers[area->filling] + area->len, src, len);
	area->len += len;
	if (area->len < WRITE_BYTES) { return FOTA_ERR_OK; }
	return submit(area, (struct job) { .action = ACTION_WRITE, .is_foreground = !is_queue_empty(area->store) });
}

/* ---- open and close ---- */

static enum fota_err start_worker(struct posix_store *store)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&store->lock, NULL);
	errno = pthread_create(&store->worker, NULL, work, store);
	return errno ? FOTA_ERR_IO : FOTA_ERR_OK;
}

/* A directory that was made is there after a cut of power only if its parent is synced. */
static bool sync_parent(const char *dir)
{
	char copy[PATH_MAX];
	int fd;
	bool is_ok;

	if (snprintf(copy, sizeof(copy), "%s", dir) >= (int)sizeof(copy)) { return false; }
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	is_ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0) { close(fd); }
	return is_ok;
}

static enum fota_err open_dir(struct posix_store *store, const char *dir)
{
	if (mkdir(dir, 0700) == 0) {
		if (!sync_parent(dir)) { return FOTA_ERR_IO; }
	} else if (errno != EEXIST) {
		return from_errno(errno);
	}
	store->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->dir_fd < 0) { return FOTA_ERR_IO; }
	store->lock_fd = openat(store->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd < 0) { return from_errno(errno); }
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB)) { return errno == EWOULDBLOCK ? FOTA_ERR_BUSY : FOTA_ERR_IO; }
	store->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return store->event_fd < 0 ? FOTA_ERR_IO : FOTA_ERR_OK;
}

static void close_area(struct area *area)
{
	int error = errno;

	if (area->fd >= 0) { close(area->fd); }
	free(area->buffers[0]);
	free(area->buffers[1]);
	errno = error;
}

static void free_store(struct posix_store *store)
{
	for (unsigned i = 0; i < store->area_count; i++) {
		close_area(&store->areas[i]);
	}
	if (store->event_fd >= 0) { close(store->event_fd); }
	if (store->lock_fd >= 0) { close(store->lock_fd); }
	if (store->dir_fd >= 0) { close(store->dir_fd); }
	free(store);
}

enum fota_err posix_store_open(struct posix_store **out, const char *dir)
{
	struct posix_store *store = calloc(1, sizeof(*store));
	enum fota_err err;
	int error;

	*out = NULL;
	if (!store) { return FOTA_ERR_IO; }
	store->dir_fd = store->lock_fd = store->event_fd = -1;
	err = open_dir(store, dir);
	if (!err) { err = start_worker(store); }
	if (err) {
		error = errno;
		free_store(store);
		errno = error;
		return err;
	}
	*out = store;
	return FOTA_ERR_OK;
}

static enum fota_err open_device(struct area *area, const char *path, uint64_t *area_bytes)
{
	off_t end;

	area->fd = open(path, O_RDWR | O_CLOEXEC);
	if (area->fd < 0) { return from_errno(errno); }
	end = lseek(area->fd, 0, SEEK_END);
	if (end < 0 || !area->buffers[0] || !area->buffers[1]) { return FOTA_ERR_IO; }
	*area_bytes = (uint64_t)end;
	return FOTA_ERR_OK;
}

static enum fota_err open_area(struct area *area, const char *name, uint64_t area_bytes)
{
	area->fd = openat(area->store->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (area->fd < 0) { return from_errno(errno); }
	if (area->room == POSIX_STORE_RESERVED) {
		errno = posix_fallocate(area->fd, 0, (off_t)area_bytes);
		if (errno) { return from_errno(errno); }
	}
	if (fsync(area->store->dir_fd) || !area->buffers[0] || !area->buffers[1]) { return FOTA_ERR_IO; }
	return FOTA_ERR_OK;
}

enum fota_err posix_store_add(struct posix_store *store, const char *name, uint64_t area_bytes,
			      enum posix_store_room room, struct fota_flash *flash)
{
	struct area *area = &store->areas[store->area_count];
	enum fota_err err;

	if (store->area_count == POSIX_STORE_AREA_MAX) { return FOTA_ERR_CONTRACT; }
	*area = (struct area) {
		.store = store,
		.room = room,
		.fd = -1,
		.buffers = { malloc(BUFFER_BYTES), malloc(BUFFER_BYTES) },
	};
	err = room == POSIX_STORE_DEVICE ? open_device(area, name, &area_bytes) : open_area(area, name, area_bytes);
	if (err) {
		close_area(area);
		return err;
	}
	store->area_count++;
	*flash = (struct fota_flash) {
		.ctx = area,
		.erase_bytes = 1,
		.erase_step_bytes = 64u * 1024 * 1024,
		.prog_bytes = 1,
		.area_bytes = area_bytes,
		.read = area_read,
		.prog = area_prog,
		.erase = area_erase,
		.sync = area_sync,
	};
	return FOTA_ERR_OK;
}

int posix_store_fd(const struct posix_store *store)
{
	return store->event_fd;
}

bool posix_store_poll(struct posix_store *store, enum fota_err *result)
{
	uint64_t count;
	bool is_ready;

	pthread_mutex_lock(&store->lock);
	is_ready = store->is_result_ready;
	*result = store->result;
	store->is_result_ready = false;
	if (is_ready) { (void)!read(store->event_fd, &count, sizeof(count)); }
	pthread_mutex_unlock(&store->lock);
	return is_ready;
}

bool posix_store_wait(struct posix_store *store, int limit_ms, enum fota_err *result)
{
	struct pollfd fd = { .fd = store->event_fd, .events = POLLIN };

	while (poll(&fd, 1, limit_ms) < 0 && errno == EINTR) {}
	return posix_store_poll(store, result);
}

/* A disk that hangs must not keep the program from ending. */
static bool wait_for_end(struct posix_store *store)
{
	struct timespec until;
	bool is_ended;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&store->lock);
	store->is_closing = true;
	pthread_cond_broadcast(&store->changed);
	while (!store->is_ended && !pthread_cond_timedwait(&store->changed, &store->lock, &until)) {}
	is_ended = store->is_ended;
	pthread_mutex_unlock(&store->lock);
	return is_ended;
}

bool posix_store_close(struct posix_store *store)
{
	if (!store) { return true; }
	if (!wait_for_end(store)) {
		pthread_detach(store->worker); /* it keeps what it uses */
		return false;
	}
	pthread_join(store->worker, NULL);
	free_store(store);
	return true;
}
