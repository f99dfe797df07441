/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes read, or -1 with errno. Stops when `cap` is full. */
static ssize_t read_all(int fd, char *text, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t got = read(fd, text + len, cap - len);

		if (got < 0 && errno == EINTR) { continue; }
		if (got < 0) { return -1; }
		if (got == 0) { break; }
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static size_t without_line_end(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
		len--;
	}
	return len;
}

enum tool_status tool_file_read(const char *path, char *text, size_t cap, struct tool_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read_all(fd, text, cap);
	int reason = errno;
	size_t len;

	if (fd >= 0 && !is_stdin) { close(fd); }
	if (got < 0) { return tool_fail(err, TOOL_STATUS_FAIL, "cannot read %s: %s", path, strerror(reason)); }
	len = without_line_end(text, (size_t)got);
	if ((size_t)got == cap) { return tool_fail(err, TOOL_STATUS_FAIL, "%s is longer than it may be", path); }
	if (len == 0) { return tool_fail(err, TOOL_STATUS_FAIL, "%s is empty", path); }
	text[len] = '\0';
	if (strlen(text) != len) { return tool_fail(err, TOOL_STATUS_FAIL, "%s is not a text file", path); }
	return TOOL_STATUS_OK;
}

/* The folder of `path`, made if it is missing. */
static bool make_folder(const char *path, char *folder, size_t cap)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	snprintf(folder, cap, "%s", dirname(copy)); /* for a bare name that is ".", not in the copy */
	for (char *at = folder + 1; *at; at++) {
		if (*at != '/') { continue; }
		*at = '\0';
		if (mkdir(folder, 0700) && errno != EEXIST) { return false; }
		*at = '/';
	}
	return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

static bool write_all(int fd, const void *bytes, size_t len)
{
	const char *text = bytes;

	while (len > 0) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno == EINTR) { continue; }
		if (put <= 0) { return false; }
		text += put;
		len -= (size_t)put;
	}
	return true;
}

static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0) { close(fd); }
	return is_synced;
}

static bool replace(const char *path, const char *folder, const void *bytes, size_t bytes_len, mode_t mode)
{
	char temporary[PATH_MAX];
	int fd;
	bool is_done;
	int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);

	if (len < 0 || (size_t)len >= sizeof temporary) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) { return false; }
	is_done = write_all(fd, bytes, bytes_len) && fchmod(fd, mode) == 0 && fsync(fd) == 0 &&
		  rename(temporary, path) == 0 && sync_folder(folder);
	if (!is_done) { unlink(temporary); }
	close(fd);
	return is_done;
}

enum tool_status tool_file_write(const char *path, const char *text, struct tool_error *err)
{
	char folder[PATH_MAX];

	if (!make_folder(path, folder, sizeof folder) || !replace(path, folder, text, strlen(text), 0600)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "cannot write %s: %s", path, strerror(errno));
	}
	return TOOL_STATUS_OK;
}

enum tool_status tool_file_read_bytes(const char *path, uint8_t *bytes, size_t cap, size_t *len, struct tool_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read_all(fd, (char *)bytes, cap);
	uint8_t more;
	int reason = errno;
	bool is_longer = got >= 0 && (size_t)got == cap && read(fd, &more, 1) == 1;

	if (fd >= 0 && !is_stdin) { close(fd); }
	if (got < 0) { return tool_fail(err, TOOL_STATUS_FAIL, "cannot read %s: %s", path, strerror(reason)); }
	if (got == 0) { return tool_fail(err, TOOL_STATUS_FAIL, "%s is empty", path); }
	if (is_longer) { return tool_fail(err, TOOL_STATUS_FAIL, "%s is longer than a manifest may be", path); }
	*len = (size_t)got;
	return TOOL_STATUS_OK;
}

/* The mode of a new file; the umask can only be read by setting it. */
static mode_t public_mode(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return 0666 & ~mask;
}

enum tool_status tool_file_write_public(const char *path, const void *bytes, size_t len, struct tool_error *err)
{
	char folder[PATH_MAX];
	bool is_done = strcmp(path, "-") == 0 ? write_all(STDOUT_FILENO, bytes, len)
					      : make_folder(path, folder, sizeof folder) &&
							replace(path, folder, bytes, len, public_mode());

	if (is_done) { return TOOL_STATUS_OK; }
	return tool_fail(err, TOOL_STATUS_FAIL, "cannot write %s: %s", path, strerror(errno));
}
