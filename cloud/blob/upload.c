/* SPDX-License-Identifier: Apache-2.0 */
/* A few uploads are kept open with their running hash; one that is not among them is opened again, and
 * what was not hashed on the way is read back at the end. So a restart, or a hundred uploads at
 * once, cost time but never correctness. */
#include "blob/upload.h"

#include "blob/blob.h"
#include "posix_crypto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_MAX_COUNT  16u
#define READ_BACK_BYTES 65536u

struct open_upload {
	char id[CLOUD_UPLOAD_ID_CAP];
	int fd;
	uint64_t received;
	uint64_t hashed; /* bytes from the start that are in the running hash */
	uint64_t used;   /* when it was last used, by the counter */
	bool is_named;   /* its name in the folder is durable */
	struct posix_crypto crypto;
};

struct cloud_uploads {
	const char *dir;
	const struct log *log;
	struct open_upload *open[OPEN_MAX_COUNT];
	uint64_t use_count;
};

static const char *path_of(const char *dir, const char *id, char path[CLOUD_BLOB_PATH_CAP])
{
	snprintf(path, CLOUD_BLOB_PATH_CAP, "%s/uploads/%s", dir, id);
	return path;
}

struct cloud_uploads *cloud_uploads_new(const char *dir, const struct log *log)
{
	struct cloud_uploads *uploads = calloc(1, sizeof(*uploads));

	if (!uploads) { return NULL; }
	uploads->dir = dir;
	uploads->log = log;
	return uploads;
}

static void close_upload(struct open_upload *open)
{
	if (!open) { return; }
	if (open->fd >= 0) { close(open->fd); }
	posix_crypto_close(&open->crypto);
	free(open);
}

void cloud_uploads_free(struct cloud_uploads *uploads)
{
	for (size_t i = 0; uploads && i < OPEN_MAX_COUNT; i++) {
		close_upload(uploads->open[i]);
	}
	free(uploads);
}

void cloud_uploads_sweep(struct cloud_uploads *uploads, bool (*is_known)(void *ctx, const char *id), void *ctx)
{
	char path[CLOUD_BLOB_PATH_CAP];
	struct dirent *entry;
	DIR *entries;

	snprintf(path, sizeof(path), "%s/uploads", uploads->dir);
	entries = opendir(path);
	while (entries && (entry = readdir(entries)) != NULL) {
		if (entry->d_name[0] == '.' || is_known(ctx, entry->d_name)) { continue; }
		log_line(uploads->log, LOG_LEVEL_INFO, "blob", "removing the rest of upload %s", entry->d_name);
		unlinkat(dirfd(entries), entry->d_name, 0);
	}
	if (entries) { closedir(entries); }
}

static bool has_blob(const char *dir, const struct cloud_upload *upload)
{
	char hex[CLOUD_DIGEST_HEX_CAP];
	uint64_t size_bytes = 0;
	int fd = -1;

	if (!upload->has_digest) { return false; }
	cloud_hex_put(upload->digest, sizeof(upload->digest), hex);
	fd = cloud_blob_open(dir, hex, &size_bytes);
	if (fd >= 0) { close(fd); }
	return fd >= 0 && size_bytes == upload->size_bytes;
}

uint64_t cloud_upload_received(const char *dir, const struct cloud_upload *upload)
{
	char path[CLOUD_BLOB_PATH_CAP];
	struct stat found;

	if (has_blob(dir, upload)) { return upload->size_bytes; }
	return stat(path_of(dir, upload->id, path), &found) == 0 ? (uint64_t)found.st_size : 0;
}

static void log_failure(struct cloud_uploads *uploads, const char *id, const char *what)
{
	log_line(uploads->log, LOG_LEVEL_ERROR, "blob", "upload %s: %s: %s", id, what, strerror(errno));
}

static struct open_upload *open_file(struct cloud_uploads *uploads, const char *id)
{
	char path[CLOUD_BLOB_PATH_CAP];
	struct open_upload *open = calloc(1, sizeof(*open));
	struct fota_crypto crypto;
	struct stat found;

	if (!open) { return NULL; }
	snprintf(open->id, sizeof(open->id), "%s", id);
	open->fd = openat(AT_FDCWD, path_of(uploads->dir, id, path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (open->fd < 0 || fstat(open->fd, &found) != 0 || posix_crypto_init(&open->crypto) != FOTA_ERR_OK) {
		log_failure(uploads, id, "cannot open its file");
		close_upload(open);
		return NULL;
	}
	open->received = (uint64_t)found.st_size;
	crypto = posix_crypto_port(&open->crypto);
	if (crypto.sha256_begin(crypto.ctx) != FOTA_ERR_OK) {
		close_upload(open);
		return NULL;
	}
	return open;
}

/* The open upload, from the few that are kept or opened in the place of the one that was
 * unused for longest. */
static struct open_upload *get_open(struct cloud_uploads *uploads, const char *id)
{
	struct open_upload **place = &uploads->open[0];

	for (size_t i = 0; i < OPEN_MAX_COUNT; i++) {
		struct open_upload *open = uploads->open[i];

		if (open && strcmp(open->id, id) == 0) {
			open->used = ++uploads->use_count;
			return open;
		}
		if (*place && (!open || open->used < (*place)->used)) { place = &uploads->open[i]; }
	}
	close_upload(*place);
	*place = open_file(uploads, id);
	if (*place) { (*place)->used = ++uploads->use_count; }
	return *place;
}

static void forget(struct cloud_uploads *uploads, const char *id)
{
	for (size_t i = 0; i < OPEN_MAX_COUNT; i++) {
		if (uploads->open[i] && strcmp(uploads->open[i]->id, id) == 0) {
			close_upload(uploads->open[i]);
			uploads->open[i] = NULL;
		}
	}
}

static enum cloud_upload_result write_all(int fd, uint64_t off, struct fota_bytes bytes)
{
	while (bytes.len) {
		ssize_t len = pwrite(fd, bytes.ptr, bytes.len, (off_t)off);

		if (len < 0 && errno == EINTR) { continue; }
		if (len <= 0) { return errno == ENOSPC || errno == EDQUOT ? CLOUD_UPLOAD_FULL : CLOUD_UPLOAD_IO; }
		bytes.ptr += len;
		bytes.len -= (size_t)len;
		off += (uint64_t)len;
	}
	return CLOUD_UPLOAD_OK;
}

enum cloud_upload_result cloud_upload_append(struct cloud_uploads *uploads, const struct cloud_upload *upload,
					     uint64_t off, struct fota_bytes bytes)
{
	struct open_upload *open = get_open(uploads, upload->id);
	enum cloud_upload_result result;
	struct fota_crypto crypto;

	if (!open) { return CLOUD_UPLOAD_IO; }
	if (off != open->received || bytes.len > upload->size_bytes - off) { return CLOUD_UPLOAD_OFFSET; }
	result = write_all(open->fd, off, bytes);
	if (result != CLOUD_UPLOAD_OK) {
		log_failure(uploads, upload->id, "cannot write");
		if (ftruncate(open->fd, (off_t)off) != 0) { forget(uploads, upload->id); }
		return result;
	}
	crypto = posix_crypto_port(&open->crypto);
	if (open->hashed == off && crypto.sha256_update(crypto.ctx, bytes) == FOTA_ERR_OK) {
		open->hashed += bytes.len;
	}
	open->received += bytes.len;
	return CLOUD_UPLOAD_OK;
}

/* A synced file whose name is lost is lost as well; once for each time that it is opened is enough. */
static bool sync_name(struct cloud_uploads *uploads, struct open_upload *open)
{
	char path[CLOUD_BLOB_PATH_CAP];

	if (!open->is_named) {
		snprintf(path, sizeof(path), "%s/uploads", uploads->dir);
		open->is_named = cloud_dir_sync(path);
	}
	return open->is_named;
}

enum cloud_upload_result cloud_upload_sync(struct cloud_uploads *uploads, const struct cloud_upload *upload,
					   uint64_t *received)
{
	struct open_upload *open;

	if (has_blob(uploads->dir, upload)) {
		*received = upload->size_bytes;
		return CLOUD_UPLOAD_OK;
	}
	open = get_open(uploads, upload->id);
	if (!open) { return CLOUD_UPLOAD_IO; }
	if (fdatasync(open->fd) != 0 || !sync_name(uploads, open)) {
		log_failure(uploads, upload->id, "cannot sync");
		return CLOUD_UPLOAD_IO;
	}
	*received = open->received;
	return CLOUD_UPLOAD_OK;
}

/* Hashes from the file what was not hashed on its way in. */
static bool hash_rest(struct open_upload *open)
{
	struct fota_crypto crypto = posix_crypto_port(&open->crypto);
	uint8_t *bytes = malloc(READ_BACK_BYTES);
	bool is_ok = bytes != NULL;

	while (is_ok && open->hashed < open->received) {
		ssize_t len = pread(open->fd, bytes, READ_BACK_BYTES, (off_t)open->hashed);

		is_ok = len > 0 &&
			crypto.sha256_update(crypto.ctx, (struct fota_bytes) { bytes, (size_t)len }) == FOTA_ERR_OK;
		if (is_ok) { open->hashed += (uint64_t)len; }
	}
	free(bytes);
	return is_ok;
}

static bool finish_hash(struct open_upload *open, uint8_t digest[CLOUD_DIGEST_BYTES])
{
	struct fota_crypto crypto = posix_crypto_port(&open->crypto);
	bool is_ok = hash_rest(open) && crypto.sha256_finish(crypto.ctx, digest) == FOTA_ERR_OK;

	open->hashed = 0; /* whoever comes again begins again */
	return crypto.sha256_begin(crypto.ctx) == FOTA_ERR_OK && is_ok;
}

/* All bytes were sent, though the blob may be there: then they are what counts. */
static bool is_whole(const char *dir, const struct cloud_upload *upload)
{
	char path[CLOUD_BLOB_PATH_CAP];
	struct stat found;

	return stat(path_of(dir, upload->id, path), &found) == 0 && (uint64_t)found.st_size == upload->size_bytes;
}

enum cloud_upload_result cloud_upload_finish(struct cloud_uploads *uploads, const struct cloud_upload *upload,
					     uint8_t digest[CLOUD_DIGEST_BYTES])
{
	char path[CLOUD_BLOB_PATH_CAP];
	char hex[CLOUD_DIGEST_HEX_CAP];
	struct open_upload *open;

	if (!is_whole(uploads->dir, upload) && has_blob(uploads->dir, upload)) {
		memcpy(digest, upload->digest, CLOUD_DIGEST_BYTES);
		cloud_upload_drop(uploads, upload->id);
		return CLOUD_UPLOAD_OK;
	}
	open = get_open(uploads, upload->id);
	if (!open) { return CLOUD_UPLOAD_IO; }
	if (open->received != upload->size_bytes) { return CLOUD_UPLOAD_INCOMPLETE; }
	if (!finish_hash(open, digest)) {
		log_failure(uploads, upload->id, "cannot read back");
		return CLOUD_UPLOAD_IO;
	}
	if (upload->has_digest && memcmp(digest, upload->digest, CLOUD_DIGEST_BYTES) != 0) {
		cloud_upload_drop(uploads, upload->id);
		return CLOUD_UPLOAD_DIGEST;
	}
	if (fsync(open->fd) != 0) {
		log_failure(uploads, upload->id, "cannot sync");
		return CLOUD_UPLOAD_IO;
	}
	cloud_hex_put(digest, CLOUD_DIGEST_BYTES, hex);
	if (!cloud_blob_adopt(uploads->dir, path_of(uploads->dir, upload->id, path), hex, uploads->log)) {
		return CLOUD_UPLOAD_IO;
	}
	forget(uploads, upload->id);
	return CLOUD_UPLOAD_OK;
}

void cloud_upload_drop(struct cloud_uploads *uploads, const char *id)
{
	char path[CLOUD_BLOB_PATH_CAP];

	forget(uploads, id);
	if (unlink(path_of(uploads->dir, id, path)) != 0 && errno != ENOENT) {
		log_failure(uploads, id, "cannot remove its file");
	}
}
