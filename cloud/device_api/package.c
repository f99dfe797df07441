/* SPDX-License-Identifier: Apache-2.0 */
/* GET /device/v1/package/<digest>. Without TLS the kernel sends the file (sendfile); with TLS it
 * is read in pieces of a TLS record.
 *
 * Whole files are sent from one shared response: five thousand modules that load the same
 * package hold one descriptor. */
#include "device_api/device_api.h"

#include "app.h"
#include "blob/blob.h"
#include "device_api/link.h"
#include "device_api/range.h"
#include "device_api/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CACHE_COUNT      32u
#define TLS_RECORD_BYTES 16384u
#define ETAG_CAP         (CLOUD_PATH_ID_CAP + 2)

struct cloud_package_cache {
	pthread_mutex_t lock;
	struct {
		char hex[CLOUD_DIGEST_HEX_CAP];
		struct MHD_Response *response;
	} rows[CACHE_COUNT];
	size_t next; /* the row that is replaced next */
};

/* A file that is read for one connection. */
struct reader {
	int fd;
	uint64_t start;
};

struct cloud_package_cache *cloud_package_cache_new(void)
{
	struct cloud_package_cache *cache = calloc(1, sizeof(*cache));

	if (cache) { pthread_mutex_init(&cache->lock, NULL); }
	return cache;
}

void cloud_package_cache_free(struct cloud_package_cache *cache)
{
	for (size_t i = 0; cache && i < CACHE_COUNT; i++) {
		if (cache->rows[i].response) { MHD_destroy_response(cache->rows[i].response); }
	}
	if (cache) { pthread_mutex_destroy(&cache->lock); }
	free(cache);
}

static ssize_t read_piece(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct reader *reader = cls;
	ssize_t len = pread(reader->fd, buf, max, (off_t)(reader->start + pos));

	return len > 0 ? len : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_reader(void *cls)
{
	struct reader *reader = cls;

	close(reader->fd);
	free(reader);
}

static struct MHD_Response *response_for_tls(int fd, const struct cloud_range *range)
{
	struct reader *reader = malloc(sizeof(*reader));
	struct MHD_Response *response;

	if (!reader) { return NULL; }
	*reader = (struct reader) { fd, range->start };
	response = MHD_create_response_from_callback(range->len, TLS_RECORD_BYTES, read_piece, reader, free_reader);
	if (!response) { free(reader); }
	return response;
}

static void add_headers(struct MHD_Response *response, const char *etag)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
	MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
	MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "private, max-age=86400, immutable");
}

/* A response with one range of the package; closes `fd` in any case, now or with the response. */
static struct MHD_Response *new_response(struct cloud_app *app, int fd, const struct cloud_range *range,
					 const char *etag)
{
	struct MHD_Response *response = app->options->tls_cert
						? response_for_tls(fd, range)
						: MHD_create_response_from_fd_at_offset64(range->len, fd, range->start);

	if (!response) {
		close(fd);
		return NULL;
	}
	add_headers(response, etag);
	return response;
}

/* True if there was a shared response to answer with. */
static bool answer_shared(struct cloud_package_cache *cache, struct cloud_request *request)
{
	struct MHD_Response *found = NULL;

	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < CACHE_COUNT && !found; i++) {
		if (strcmp(cache->rows[i].hex, request->id) == 0) { found = cache->rows[i].response; }
	}
	if (found) { cloud_answer_shared(request, MHD_HTTP_OK, found); }
	pthread_mutex_unlock(&cache->lock);
	return found != NULL;
}

static void share(struct cloud_package_cache *cache, struct cloud_request *request, struct MHD_Response *response)
{
	struct MHD_Response *stale;

	pthread_mutex_lock(&cache->lock);
	cloud_answer_shared(request, MHD_HTTP_OK, response);
	stale = cache->rows[cache->next].response;
	cache->rows[cache->next].response = response;
	memcpy(cache->rows[cache->next].hex, request->id, CLOUD_DIGEST_HEX_CAP);
	cache->next = (cache->next + 1) % CACHE_COUNT;
	pthread_mutex_unlock(&cache->lock);
	if (stale) { MHD_destroy_response(stale); }
}

static void answer_unsatisfied(struct cloud_request *request, uint64_t size)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	char text[48];

	snprintf(text, sizeof(text), "bytes */%llu", (unsigned long long)size);
	if (response) { MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text); }
	cloud_answer_response(request, MHD_HTTP_RANGE_NOT_SATISFIABLE, response);
}

static void answer_part(struct cloud_request *request, int fd, const struct cloud_range *range, uint64_t size,
			const char *etag)
{
	struct MHD_Response *response = new_response(request->app, fd, range, etag);
	char text[80];

	snprintf(text, sizeof(text), "bytes %llu-%llu/%llu", (unsigned long long)range->start,
		 (unsigned long long)(range->start + range->len - 1), (unsigned long long)size);
	if (response) { MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text); }
	cloud_answer_response(request, MHD_HTTP_PARTIAL_CONTENT, response);
}

static void answer_whole(struct cloud_request *request, int fd, const struct cloud_range *range, const char *etag)
{
	struct cloud_app *app = request->app;
	struct MHD_Response *response = new_response(app, fd, range, etag);

	if (response && !app->options->tls_cert) {
		share(app->packages, request, response);
	} else {
		cloud_answer_response(request, MHD_HTTP_OK, response);
	}
}

static void answer_package(struct cloud_request *request, const char *range_text)
{
	struct cloud_app *app = request->app;
	char etag[ETAG_CAP];
	uint64_t size = 0;
	int fd = cloud_blob_open(app->dir, request->id, &size);
	struct cloud_range range;

	if (fd < 0) {
		bool is_gone = errno == ENOENT;

		log_line(app->log, LOG_LEVEL_ERROR, "device", "package %s cannot be opened: %s", request->id,
			 strerror(errno));
		cloud_answer_empty(request, is_gone ? MHD_HTTP_NOT_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE);
		return;
	}
	snprintf(etag, sizeof(etag), "\"%s\"", request->id);
	range = cloud_range_get(range_text, cloud_request_header(request, MHD_HTTP_HEADER_IF_RANGE), etag, size);
	switch (range.kind) {
	case CLOUD_RANGE_WHOLE:
		answer_whole(request, fd, &range, etag);
		return;
	case CLOUD_RANGE_PART:
		answer_part(request, fd, &range, size, etag);
		return;
	case CLOUD_RANGE_UNSATISFIED:
		break;
	}
	close(fd);
	answer_unsatisfied(request, size);
}

static bool is_link_good(struct cloud_request *request)
{
	struct cloud_app *app = request->app;
	struct cloud_worker *worker = cloud_worker_get(app->workers);
	struct fota_bytes key = { app->link_key, sizeof(app->link_key) };
	uint8_t digest[CLOUD_DIGEST_BYTES];
	char hex[CLOUD_DIGEST_HEX_CAP];
	enum fota_err err = FOTA_ERR_AUTH;

	if (!worker) { return false; }
	if (cloud_hex_get(request->id, digest, sizeof(digest))) {
		err = cloud_link_verify(&worker->crypto, key, digest, cloud_request_query(request, "e"),
					cloud_request_query(request, "m"), (uint64_t)time(NULL));
		cloud_hex_put(digest, sizeof(digest), hex);
		memcpy(request->id, hex, sizeof(hex)); /* names of files are in lower case */
	}
	cloud_worker_put(app->workers, worker);
	return err == FOTA_ERR_OK;
}

void cloud_package_handle(struct cloud_request *request)
{
	struct cloud_app *app = request->app;
	const char *range = request->is_head ? NULL : cloud_request_header(request, MHD_HTTP_HEADER_RANGE);

	if (!is_link_good(request)) {
		cloud_answer_empty(request, MHD_HTTP_FORBIDDEN);
		return;
	}
	if (!range && answer_shared(app->packages, request)) { return; }
	answer_package(request, range);
}
