/* SPDX-License-Identifier: Apache-2.0 */
/* A file gets its name by rename(2) only after its bytes were synced, and the folder is
 * synced after that: whoever was told that a blob is there finds it after any crash. */
#include "blob/blob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_dir(const char *path, const struct log *log)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST) { return true; }
	log_line(log, LOG_LEVEL_ERROR, "blob", "cannot make %s: %s", path, strerror(errno));
	return false;
}

bool cloud_blob_prepare(const char *dir, const struct log *log)
{
	char path[CLOUD_BLOB_PATH_CAP];

	snprintf(path, sizeof(path), "%s/blobs", dir);
	if (!make_dir(path, log)) { return false; }
	snprintf(path, sizeof(path), "%s/uploads", dir);
	return make_dir(path, log) && cloud_dir_sync(dir);
}

const char *cloud_blob_path(const char *dir, const char *hex, char path[CLOUD_BLOB_PATH_CAP])
{
	snprintf(path, CLOUD_BLOB_PATH_CAP, "%s/blobs/%.2s/%s", dir, hex, hex + 2);
	return path;
}

int cloud_blob_open(const char *dir, const char *hex, uint64_t *size_bytes)
{
	char path[CLOUD_BLOB_PATH_CAP];
	int fd = open(cloud_blob_path(dir, hex, path), O_RDONLY | O_CLOEXEC);
	struct stat stat;

	if (fd < 0) { return -1; }
	if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
		close(fd);
		errno = EIO;
		return -1;
	}
	*size_bytes = (uint64_t)stat.st_size;
	return fd;
}

bool cloud_dir_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0) { close(fd); }
	return is_ok;
}

bool cloud_blob_adopt(const char *dir, const char *from, const char *hex, const struct log *log)
{
	char path[CLOUD_BLOB_PATH_CAP];
	char blobs[CLOUD_BLOB_PATH_CAP];
	char *slash;

	cloud_blob_path(dir, hex, path);
	slash = strrchr(path, '/');
	*slash = 0;
	if (!make_dir(path, log)) { return false; }
	*slash = '/';
	snprintf(blobs, sizeof(blobs), "%s/blobs", dir);
	if (rename(from, path) != 0) {
		log_line(log, LOG_LEVEL_ERROR, "blob", "cannot move a package to %s: %s", path, strerror(errno));
		return false;
	}
	*slash = 0;
	return cloud_dir_sync(path) && cloud_dir_sync(blobs);
}

/* The digest of blobs/ab/cdef…, if the names are of that form. */
static bool digest_of(const char *folder, const char *name, char hex[CLOUD_DIGEST_HEX_CAP])
{
	uint8_t digest[CLOUD_DIGEST_BYTES];

	if (strlen(folder) != 2 || strlen(name) != CLOUD_DIGEST_HEX_CAP - 3) { return false; }
	memcpy(hex, folder, 2);
	memcpy(hex + 2, name, CLOUD_DIGEST_HEX_CAP - 2);
	return cloud_hex_get(hex, digest, sizeof(digest));
}

static void sweep_folder(int fd, const char *folder, bool (*is_used)(void *ctx, const char *hex), void *ctx,
			 const struct log *log)
{
	DIR *entries = fdopendir(fd);
	struct dirent *entry;
	char hex[CLOUD_DIGEST_HEX_CAP];

	if (!entries) {
		close(fd);
		return;
	}
	while ((entry = readdir(entries)) != NULL) {
		if (!digest_of(folder, entry->d_name, hex) || is_used(ctx, hex)) { continue; }
		log_line(log, LOG_LEVEL_INFO, "blob", "removing %s: no version has it", hex);
		unlinkat(dirfd(entries), entry->d_name, 0);
	}
	closedir(entries);
}

void cloud_blob_sweep(const char *dir, bool (*is_used)(void *ctx, const char *hex), void *ctx, const struct log *log)
{
	char path[CLOUD_BLOB_PATH_CAP];
	struct dirent *entry;
	DIR *entries;

	snprintf(path, sizeof(path), "%s/blobs", dir);
	entries = opendir(path);
	while (entries && (entry = readdir(entries)) != NULL) {
		int fd = strlen(entry->d_name) == 2 && entry->d_name[0] != '.'
				 ? openat(dirfd(entries), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
				 : -1;

		if (fd >= 0) { sweep_folder(fd, entry->d_name, is_used, ctx, log); }
	}
	if (entries) { closedir(entries); }
}
