/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "progress.h"

#define HASH_BYTES          65536u
#define HASH_PROGRESS_BYTES (UINT64_C(256) << 20) /* about half a second */

void image_hex(char *hex, const uint8_t *bytes, size_t len)
{
	hex[0] = '\0';
	for (size_t i = 0; i < len; i++) {
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	}
}

/* False if the file cannot be read to its end. */
static bool feed_hash(const struct image *image, FILE *out, EVP_MD_CTX *hash)
{
	unsigned char bytes[HASH_BYTES];
	struct tool_progress progress;
	uint64_t done = 0;

	tool_progress_init(&progress, image->size >= HASH_PROGRESS_BYTES ? out : NULL, "Checksum");
	while (done < image->size) {
		ssize_t got = pread(image->fd, bytes, sizeof bytes, (off_t)done);

		if (got < 0 && errno == EINTR) { continue; }
		if (got <= 0 || EVP_DigestUpdate(hash, bytes, (size_t)got) != 1) { break; }
		done += (uint64_t)got;
		tool_progress_set(&progress, done, image->size);
	}
	tool_progress_clear(&progress);
	return done == image->size;
}

static enum tool_status make_digest(struct image *image, const char *file, FILE *out, struct tool_error *err)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool is_done = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 && feed_hash(image, out, hash) &&
		       EVP_DigestFinal_ex(hash, image->digest, NULL) == 1;

	EVP_MD_CTX_free(hash);
	if (!is_done) { return tool_fail(err, TOOL_STATUS_FAIL, "%s cannot be read to its end", file); }
	image_hex(image->digest_text, image->digest, sizeof image->digest);
	return TOOL_STATUS_OK;
}

enum tool_status image_open(struct image *image, const char *file, FILE *out, struct tool_error *err)
{
	struct stat st;

	*image = (struct image) { .fd = open(file, O_RDONLY | O_CLOEXEC) };
	if (image->fd < 0 || fstat(image->fd, &st)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "cannot open %s: %s", file, strerror(errno));
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s is empty or no regular file", file);
	}
	image->size = (uint64_t)st.st_size;
	return make_digest(image, file, out, err);
}

void image_close(struct image *image)
{
	if (image->fd >= 0) { close(image->fd); }
	image->fd = -1;
}
